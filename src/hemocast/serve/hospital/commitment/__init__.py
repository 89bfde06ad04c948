"""Storage commitment (PS3.4 annex J): whoever sent objects asks whether they are kept for good."""
