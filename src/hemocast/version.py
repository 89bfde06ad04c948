"""The versions, where every room can read them without importing the public API."""

VERSION = "0.1.0"

SIMULATOR_VERSION = 2
"""Of the simulated pixels: counts up when the same seed gives others. Cohorts, models trained on
them and tables of them name it; what names none was made by version 1."""
