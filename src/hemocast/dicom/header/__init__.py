"""One file -> what its header says."""
