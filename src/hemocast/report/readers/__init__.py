"""A reader study's tables and figures."""
