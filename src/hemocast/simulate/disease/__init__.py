"""Infarcts, swelling, bleeds, and what ASPECTS they give."""
