"""Rules as data: the first that fits decides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.serve.hospital.rules import Decision, Facts, decide, facts_of
from hemocast.serve.hospital.settings import Rule

RULES = (
    Rule(body_part=("CHEST",), procedure=("ct",), skip="no head"),
    Rule(age_below=18, skip="a child"),
    Rule(site=("north",), age_from=18, model=Path("/models/north")),
    Rule(modality=("mr",), skip="no CT"),
)


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        (Facts("CT THORAX", "CHEST", "CT"), Decision(skip="no head")),
        (Facts("ANGIO", "CHEST", "CT"), Decision()),
        (Facts(age=17), Decision(skip="a child")),
        (Facts(age=18, site="NORTH HOSPITAL"), Decision(model="/models/north")),
        (Facts(site="NORTH HOSPITAL"), Decision()),
        (Facts(modality="MR"), Decision(skip="no CT")),
        (Facts(), Decision()),
    ],
)
def test_the_first_rule_that_fits_decides(facts: Facts, decision: Decision) -> None:
    assert decide(RULES, facts) == decision


def test_facts_come_from_all_series_and_from_the_sender(
    small_study: Callable[..., list[Path]], tmp_path: Path
) -> None:
    more = {"study_description": "Schädel nativ", "institution": "North"}
    one = small_study(tmp_path, "P1", 1, series_description="thin", **more)
    two = small_study(tmp_path, "P1", 1, 2, series_description="bone", **more)
    facts = facts_of([*one, *two], ["Sender"])
    assert facts == Facts("SCHÄDEL NATIV\nTHIN\nBONE", "HEAD", "CT", "NORTH\nSENDER", 71)
