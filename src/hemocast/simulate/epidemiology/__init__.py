"""Who falls ill, with which risk, and what becomes of them."""
