"""Reporting guidelines and a tool for risk of bias, answered from a study's records."""
