"""Dagster wiring only: what runs, when, and what is shown of it."""
