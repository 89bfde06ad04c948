"""Stored pixels -> CT numbers in HU."""
