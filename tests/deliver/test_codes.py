"""Codes are what their scheme says, and fit into DICOM."""

from __future__ import annotations

from pydicom.sr._concepts_dict import concepts

from hemocast.anatomy.atlas import REGIONS
from hemocast.deliver import codes
from hemocast.deliver.codes import OWN, Concept

ALL = [value for value in vars(codes).values() if isinstance(value, Concept)]
ENDS = [codes.end_of(one, upper=upper) for one in ALL for upper in (False, True)]


def test_every_code_fits_and_is_given_once() -> None:
    every = [*ALL, *ENDS, *codes.TERRITORIES.values(), *map(codes.region_of_aspects, REGIONS)]
    assert all(len(one.value) <= 16 and len(one.meaning) <= 64 for one in every)
    assert all(one.meaning.isascii() for one in every)
    meanings = {(one.value, one.scheme): one.meaning for one in every}
    assert all(meanings[one.value, one.scheme] == one.meaning for one in every)


def test_standard_codes_are_those_of_the_context_groups() -> None:
    # Not in pydicom's tables: two of SNOMED CT and two units of UCUM.
    unlisted = {"55641003", "432504007", "/cm3", "mL"}
    known = {
        (scheme, code): meaning
        for scheme, found in concepts.items()
        for entry in found.values()
        for code, (meaning, _) in entry.items()
    }
    for one in (*ALL, *codes.TERRITORIES.values()):
        if one.scheme == OWN or one.value in unlisted:
            continue
        assert (one.scheme, one.value) in known, one
        words = set(one.meaning.lower().split())
        assert words & set(known[one.scheme, one.value].lower().split()), one
