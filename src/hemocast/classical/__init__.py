"""Measurements and the clinical record -> risk, without a network."""
