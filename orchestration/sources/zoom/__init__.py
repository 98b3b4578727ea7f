"""Zoom: users, meetings and their participants, the daily report, and Zoom Phone's users, queues and calls."""
