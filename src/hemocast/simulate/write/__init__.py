"""Simulated cohorts on disk: DICOM, dataset, stacks, tables."""
