"""Where the slices lie -> one even grid at right angles."""
