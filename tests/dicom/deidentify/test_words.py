"""Words stay where they cannot identify; what tells series apart comes through."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.dicom.deidentify.policy import basic_profile, rules
from hemocast.dicom.deidentify.words import (
    WORDS,
    clean_kernel,
    clean_scanner,
    clean_words,
)
from hemocast.dicom.series.exclusion import Words, contrast_of, exclusion_by_words, exclusion_of
from hemocast.dicom.words.contrast import said_of_agent
from hemocast.dicom.words.terms import spelled


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("CT HEAD WITHOUT CONTRAST", "CT HEAD WITHOUT CONTRAST"),
        ("Head 5.0 mm Müller, Hans 17.03.1931", "HEAD 5.0 MM"),
        ("NO SMITH CONTRAST", "NO _ CONTRAST"),
        ("Schädel nativ", "SCHAEDEL NATIV"),
        ("Tête sans contraste", "TETE SANS CONTRASTE"),
        ("HEAD C-", "HEAD C-"),
        ("CONTRAST NO SMITH", "CONTRAST NO _"),
        ("HEAD C+", "HEAD C+"),
        ("BRAIN W/O", "BRAIN W/O"),
        ("SmithCONTRAST", "CONTRAST"),
        ("MRN 88123777", ""),
        ("山田太郎 HEAD", "HEAD"),
        ("", ""),
    ],
)
def test_known_words_stay_and_others_leave_a_mark(text: str, clean: str) -> None:
    assert clean_words(text) == clean


@given(st.text(max_size=80))
def test_nothing_comes_out_but_known_words(text: str) -> None:
    out = clean_words(text)
    assert out.isascii()
    pieces = out.replace("_", " ").replace("/", " ").replace(",", " ").replace("-", " ")
    pieces = pieces.replace("&", " ").split()
    for piece in pieces:
        letters = piece.strip(string.digits + ".+")
        assert letters in WORDS | {"C", "O", ""} or piece in WORDS, piece
    assert not any(len(run) > 3 for run in "".join(c if c.isdigit() else " " for c in out).split())


@given(st.lists(st.sampled_from(sorted(WORDS | {"SMITH", "MRN-771"})), min_size=1, max_size=6))
def test_cleaning_twice_is_cleaning_once(words: list[str]) -> None:
    once = clean_words(" ".join(words))
    assert clean_words(once) == once


DESCRIPTIONS = (
    "HEAD 5MM", "CT HEAD W/O CONTRAST", "CTA HEAD AND NECK", "HEAD WITH CONTRAST", "HEAD C+",
    "HEAD C-", "NCCT BRAIN SMITH", "NO SMITH CONTRAST", "KOPF MIT KM", "KOPF OHNE KM",
    "NON-CONTRAST", "POST CONTRAST", "PRE-CONTRAST HEAD", "BRAIN BONE 2.5mm", "KNOCHEN",
    "PERFUSION 4D", "DYNAMIC CTP", "SmithANGIO", "CHEST", "CT Abdomen/Pelvis", "C-SPINE",
    "CERVICAL SPINE", "SINUS", "TETE SANS", "HeadSeq 5.0 H31s", "VENOUS PHASE", "UNENHANCED HEAD",
    "ENHANCED HEAD", "SCOUT", "NATIV SCHÄDEL",
)  # fmt: skip


@pytest.mark.parametrize("text", DESCRIPTIONS)
def test_a_series_is_judged_as_before(
    text: str, write: Any, scan: Any, series_of: Any, tmp_path: Path
) -> None:
    heights = tuple(range(-60, 61, 15))
    thought = []
    for name, words in (("before", text), ("after", clean_words(text))):
        acquisition = scan(size=4, pixel=40.0, heights=heights)
        write(acquisition.with_header(series_description=words), tmp_path / name)
        thought.append(exclusion_of(series_of(tmp_path / name)))
    assert thought[0] == thought[1]


LINES = (Path(__file__).parents[1] / "words" / "cases.tsv").read_text(encoding="utf-8")
HEADERS = [line.split("\t")[1:] for line in LINES.splitlines() if line and line[0] != "#"]


@pytest.mark.parametrize(("series", "protocol", "agent"), HEADERS)
def test_in_every_language_a_series_is_judged_as_before(
    series: str, protocol: str, agent: str
) -> None:
    def judged(texts: list[str]) -> object:
        one, two, three = (spelled(text) for text in texts)
        words = Words(one, ("", two), ("ORIGINAL", "PRIMARY"), "", "", three)
        return exclusion_by_words(words), contrast_of(words), said_of_agent(three)

    clean = [clean_words(series), clean_words(protocol), agent]
    assert judged(clean) == judged([series, protocol, agent])


def test_a_name_that_is_a_word_elsewhere_leaves_as_its_meaning() -> None:
    assert clean_words("HEAD MR HART") == "HEAD _ BODY PART"
    assert clean_words("颅脑平扫") == "HEAD HEAD PLAIN"


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("STANDARD", "STANDARD"), ("H30s", "H30S"), ("FC26", "FC26"), ("BONEPLUS", "BONEPLUS"),
        ("STD+", "STD+"), ("UB", "UB"), ("Smith", "X12AB3"), ("Bone_Smith", "BONE X12AB3"),
        ("", ""),
    ],
)  # fmt: skip
def test_kernels_keep_what_vendors_call_them(name: str, clean: str) -> None:
    assert clean_kernel(name, "X12AB3") == clean


def test_scanners_keep_make_and_model() -> None:
    assert clean_scanner("GE MEDICAL SYSTEMS") == "GE MEDICAL SYSTEMS"
    assert clean_scanner("Brilliance 64") == "BRILLIANCE 64"
    assert clean_scanner("LightSpeed of Dr Smith") == "LIGHTSPEED OF"


def test_what_the_standard_lists_is_never_kept_as_it_is() -> None:
    profile = basic_profile()
    assert len(profile) > 600
    for tag, rule in rules().items():
        if rule in ("keep", "scanner", "disguise"):
            assert tag not in profile, hex(tag)
        if rule == "items":
            assert "U" in profile.get(tag, "U"), hex(tag)
        if rule == "uid":
            assert profile[tag] == "U", hex(tag)
