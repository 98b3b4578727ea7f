"""What every extractor stands on: records, streams, HTTP with auth and retry, typed errors."""
