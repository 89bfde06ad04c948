"""Who may do what in the hospital's service, and the record of what they did."""
