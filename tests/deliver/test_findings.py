"""What is told in codes: numbers with their intervals, and no side that is not known."""

from __future__ import annotations

from dataclasses import replace

from hemocast.deliver import Analysed, Result, codes
from hemocast.deliver.findings import Findings, findings_of


def of(result: Result) -> Findings:
    assert isinstance(result.answer, Analysed)
    return findings_of(result, result.answer)


def test_numbers_have_their_units_and_intervals(result: Result) -> None:
    found = of(result)
    told = {one.concept.value: one for one in (*found.risk, *found.infarct, *found.brain)}
    risk = told["HT-RISK"]
    assert (risk.value, risk.low, risk.high, risk.unit.value) == (37, 21, 56, "%")
    assert (told["118565006"].value, told["118565006"].high) == (34, 55)
    assert (told["WATER-UPTAKE"].value, told["WATER-UPTAKE"].low) == (8, 5)
    assert (told["ASPECTS"].value, told["ASPECTS"].low) == (8, 6)
    assert (told["MIDLINE-SHIFT"].value, told["MIDLINE-SHIFT"].low) == (3.4, 0.9)
    assert "BLOOD" not in told
    answers = {(one.concept.value, one.value.meaning) for one in found.brain_answers}
    assert answers == {
        ("ASPECTS-M5", "Yes"), ("ASPECTS-INSULA", "Yes"), ("DENSE-ARTERY", "Yes"),
        ("DENSE-SIDE", "Left"),
    }  # fmt: skip
    assert codes.SIMULATED in {one.concept for one in found.risk_answers}


def test_sides_that_are_not_known_are_not_told(result: Result, sides_unknown: Result) -> None:
    sides = {codes.LEFT, codes.RIGHT}
    known, unknown = of(result), of(sides_unknown)
    assert sides & {one.value for one in known.infarct_answers}
    for answers in (unknown.infarct_answers, unknown.brain_answers):
        assert answers
        assert not sides & {one.value for one in answers}


def test_an_infarct_that_is_not_seen_has_no_volume(result: Result) -> None:
    answer = result.answer
    assert isinstance(answer, Analysed)
    assert answer.signs is not None
    assert answer.signs.frames is not None
    infarct = replace(answer.signs.frames.infarct, seen=False, side=None)
    signs = replace(answer.signs, frames=replace(answer.signs.frames, infarct=infarct))
    found = of(replace(result, answer=replace(answer, signs=signs)))
    assert found.infarct == ()
    assert [one.value for one in found.brain_answers if one.concept == codes.SEEN] == [codes.NO]


def test_remarks_hold_notice_doubts_and_the_revision(result: Result) -> None:
    texts = [remark.text for remark in of(replace(result, revision=2)).remarks]
    assert texts[0] == "Research only, not for clinical use."
    assert any("6 mm of the lowest brain" in text for text in texts)
    assert any(text.startswith("fazekas: ") for text in texts)
    assert texts[-1].startswith("Revision 2")
