"""What several makers and departments write, in many languages, is read for what it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemocast.dicom.series.exclusion import Words, contrast_of, exclusion_by_words
from hemocast.dicom.words.contrast import Agent, Said, said_of_agent, said_of_contrast
from hemocast.dicom.words.terms import spelled

LINES = Path(__file__).with_name("cases.tsv").read_text(encoding="utf-8").splitlines()
CASES = [tuple(line.split("\t")) for line in LINES if line and line[0] != "#"]


def verdict(series: str, protocol: str = "", agent: str = "", study: str = "") -> str:
    """`read`, `doubt`, or the code of why not."""
    words = Words(
        series_text=spelled(series),
        texts=(spelled(study), spelled(protocol)),
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        body_part="",
        kernel="",
        contrast=spelled(agent),
    )
    exclusion = exclusion_by_words(words)
    if exclusion:
        return str(exclusion.code)
    return "doubt" if contrast_of(words).doubt else "read"


@pytest.mark.parametrize(("expected", "series", "protocol", "agent"), CASES)
def test_a_header_is_read_for_what_it_means(
    expected: str, series: str, protocol: str, agent: str
) -> None:
    assert verdict(series, protocol, agent) == expected


def test_there_are_enough_of_them_and_none_twice() -> None:
    assert len(CASES) >= 150
    assert len(set(CASES)) == len(CASES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("HEAD", Said.NOTHING),
        ("NO MOTION HEAD", Said.NOTHING),
        ("NON DIAGNOSTIC CONTRAST", Said.CONTRAST),
        ("NO _ CONTRAST", Said.CONTRAST),  # a name was taken out
        ("NOT CONTRAST ENHANCED", Said.PLAIN),
        ("NON CONTRAST CTA", Said.BOTH),
        ("SIN/CON CONTRASTE", Said.BOTH),
        ("CONTRAST: NO", Said.PLAIN),
        ("POST", Said.MAYBE),
        ("POST OP", Said.NOTHING),
        ("", Said.NOTHING),
    ],
)
def test_negations_bind_to_what_they_deny(text: str, said: Said) -> None:
    assert said_of_contrast(text) is said


@pytest.mark.parametrize(
    ("text", "agent"),
    [("", Agent.NONE), ("0.0", Agent.NONE), ("NA", Agent.NONE), ("?", Agent.NONE)]
    + [(t, Agent.UNKNOWN) for t in ("UNKNOWN", "unbekannt", "不明")]
    + [(t, Agent.GIVEN) for t in ("OMNIPAQUE 350", "100 ML", "J", "Nonionic", "APPLIED", "优维显")],
)
def test_what_stands_in_the_agents_field(text: str, agent: Agent) -> None:
    assert said_of_agent(text) is agent


@pytest.mark.parametrize("study", ["CT HEAD W/WO", "CTA HEAD AND NECK", "CT KOPF MIT KM"])
def test_the_studys_title_condemns_no_series(study: str) -> None:
    assert verdict("HEAD 5MM", study=study) == "read"
