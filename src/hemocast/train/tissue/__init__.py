"""The tissue map's network: its shape, and how it learns from randomised heads."""
