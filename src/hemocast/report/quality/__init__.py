"""The quality page of a dataset."""
