"""Learning to see an infarct before learning what becomes of it: no outcome is read here."""
