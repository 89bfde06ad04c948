"""What a scanner makes of a head."""
