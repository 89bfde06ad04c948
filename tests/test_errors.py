"""The tree of refusals: codes are unique, drawn in the docstring, and say what to do."""

from __future__ import annotations

import re

import hemocast.errors
from hemocast.errors import HemocastError, MissingSlices


def _all(base: type[HemocastError]) -> list[type[HemocastError]]:
    return [base, *(found for child in base.__subclasses__() for found in _all(child))]


def test_every_code_is_unique_and_well_formed() -> None:
    codes = [error.code for error in _all(HemocastError)]
    leaves = [error.code for error in _all(HemocastError) if not error.__subclasses__()]
    assert len(set(leaves)) == len(leaves)
    assert all(re.fullmatch(r"HC\d{3}", code) for code in codes)


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn = dict(re.findall(r"(\w+) +(HC\d{3})", hemocast.errors.__doc__ or ""))
    leaves = {e.__name__: e.code for e in _all(HemocastError) if not e.__subclasses__()}
    assert drawn == leaves


def test_a_message_says_what_was_seen_what_was_expected_and_what_to_do() -> None:
    error = MissingSlices("A gap of 10 mm", "even steps", "Send the whole series")
    assert str(error) == "HC203 A gap of 10 mm. Expected even steps. Send the whole series."
