"""Zoom's API over accounts with a life of their own: people, meetings, calls; and the truth of every day of theirs."""
