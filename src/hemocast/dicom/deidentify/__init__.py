"""CT files -> the same images under pseudonyms, naming nobody."""
