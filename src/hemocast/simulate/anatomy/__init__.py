"""One head: shape, tissues, CT numbers."""
