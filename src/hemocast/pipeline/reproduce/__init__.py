"""The paper, made again in form on simulated patients."""
