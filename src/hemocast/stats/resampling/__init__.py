"""Resampling patients: weights, intervals, paired differences."""
