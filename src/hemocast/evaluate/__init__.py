"""Predictions of any model -> metrics, calibration, comparisons, subgroups; nothing is drawn."""
