"""The paper's tables and figures, on simulated patients."""
