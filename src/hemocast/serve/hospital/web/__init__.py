"""The pages and the REST API of the hospital's service."""
