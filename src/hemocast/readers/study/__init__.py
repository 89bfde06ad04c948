"""A reader study's design and its folder."""
