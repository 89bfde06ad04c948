"""Scans in; a dataset folder with pseudonyms out."""
