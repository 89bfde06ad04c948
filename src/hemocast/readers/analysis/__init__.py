"""The analysis of a reader study."""
