"""A model at a new place: how many patients tell enough, and whether its scans are alike."""
