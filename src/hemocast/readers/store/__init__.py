"""What readers answered."""
