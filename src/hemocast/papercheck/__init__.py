"""The numbers that a paper prints, held against each other."""
