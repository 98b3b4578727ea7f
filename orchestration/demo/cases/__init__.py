"""Case databases of the demo: cases that are made, worked on, closed and, after years, taken out."""
