"""Softbase, a dealership's ERP, read from the views of one tenant."""
