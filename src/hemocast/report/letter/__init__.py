"""A letter that a reviewer can attach: what a paper's printed numbers prove."""
