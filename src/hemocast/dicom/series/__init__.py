"""Headers -> the plain axial head series of a study, and why not the others."""
