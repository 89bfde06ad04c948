"""A scan as pictures: frames, sprites, montage."""
