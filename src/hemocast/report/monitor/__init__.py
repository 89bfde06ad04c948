"""The page of a silent trial, and its tables."""
