"""Google Analytics 4, by its export to BigQuery."""
