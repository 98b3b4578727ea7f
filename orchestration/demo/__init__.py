"""Stand-in servers for the sources and the data they serve; shares no code with the extractors."""
