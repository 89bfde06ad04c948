"""The reading room: one page where a reader reads the scans of a study, blinded."""
