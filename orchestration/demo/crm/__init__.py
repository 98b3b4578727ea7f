"""A seeded CRM with a life of its own, and the truth of its every snapshot."""
