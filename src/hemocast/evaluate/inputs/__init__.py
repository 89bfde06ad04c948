"""The tables that an evaluation takes, checked cell by cell."""
