"""One prediction: its page and its record."""
