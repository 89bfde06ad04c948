"""The reader study: its design, what readers answer, and the analysis."""
