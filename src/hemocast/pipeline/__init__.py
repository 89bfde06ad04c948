"""The stories that cross many rooms: predict, demo."""
