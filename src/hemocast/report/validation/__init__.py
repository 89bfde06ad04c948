"""The page of a validation at a new place."""
