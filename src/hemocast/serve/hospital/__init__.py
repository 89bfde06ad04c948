"""The silent trial: scans arrive from the PACS, are predicted, and results go back if told to."""
