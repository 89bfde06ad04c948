"""Simulated readers of simulated scans."""
