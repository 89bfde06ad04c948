"""Words for where the evidence lies: by side, territory and region, in English and Chinese."""

from __future__ import annotations

from hemocast.report.case.places import places_in_words
from hemocast.report.language import ENGLISH, language
from hemocast.signs.regions import EvidencePlaces, Leading, RegionEvidence

M1 = RegionEvidence("left", "MCA", "M1", 0.4, 11.0)
INSULA = RegionEvidence("left", "MCA", "I", 0.21, 3.0)
ACA = RegionEvidence("right", "ACA", None, 0.39, 0.0)
PLACES = EvidencePlaces(
    (M1, ACA, INSULA), (Leading("left", (M1, INSULA), 0.07), Leading("right", (ACA,), None))
)


def test_side_territory_and_region_with_what_was_measured_there() -> None:
    assert places_in_words(PLACES, ENGLISH) == (
        "Evidence for HT by side and territory: left 61 %, right 39 %, left MCA 61 %, right ACA "
        "39 %. Left M1 and insula: 61 % of the evidence; hypodensity 14 mL, net water uptake 7 %. "
        "Right ACA territory: 39 % of the evidence."
    )


def test_the_same_in_chinese() -> None:
    said = places_in_words(PLACES, language("zh"))
    assert "左侧M1、岛叶：占证据的 61%；低密度 14 mL，净水摄取 7%。" in said  # noqa: RUF001
    assert "territory" not in said


def test_no_side_is_named_where_none_is_known() -> None:
    one = RegionEvidence(None, "MCA", "M1", 1.0, 0.0)
    said = places_in_words(EvidencePlaces((one,), (Leading(None, (one,), None),)), ENGLISH)
    assert said == ("Evidence for HT by side and territory: MCA 100 %. M1: 100 % of the evidence.")
