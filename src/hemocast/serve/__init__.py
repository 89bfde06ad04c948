"""Web pages and services; needs the extra ``serve``."""
