"""Reading dealerships from a real server: what changed, what is deleted, what may not be read."""
