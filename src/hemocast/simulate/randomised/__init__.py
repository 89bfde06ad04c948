"""Heads randomised far beyond realism, with the tissue of every voxel known: to train the map."""
