"""The folder that predictions go to: its scans, its names, its tables."""
