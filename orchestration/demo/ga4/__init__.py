"""A stand-in for BigQuery that holds GA4's export of a few apps, and the life of those apps."""
