"""How a silent trial goes: traffic, drift, and outcomes as they arrive."""
