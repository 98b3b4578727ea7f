"""Seeded double-entry books: the truth that stand-in servers serve and tests compare with."""
