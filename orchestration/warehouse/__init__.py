"""The warehouse itself: Postgres, organizations, roles, loading."""
