"""Extractors: plain Python, one folder a source, on one shared core."""
