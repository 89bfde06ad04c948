import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.report.words import (
    estimate,
    number,
    of_hundred,
    percent,
    percent_estimate,
    sentence,
    stamp,
)
from hemocast.stats import Estimate

NAN = float("nan")


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.004, "<1 %"), (0.01, "1 %"), (0.374, "37 %"), (0.996, ">99 %"), (1, "100 %")],
)
def test_percent(share: float, said: str) -> None:
    assert percent(share) == said


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_no_probability_is_said_to_be_certain(share: float) -> None:
    assert percent(share) not in ("0 %", "100 %")
    assert of_hundred(share) not in ("about 0", "about 100")


def test_estimates() -> None:
    assert estimate(Estimate(0.8, 0.7, 0.9, "m", 5)) == "0.800 (0.700 to 0.900)"
    assert estimate(Estimate(0.8, NAN, NAN, "m", 5, "why")) == "0.800 (no interval)"
    assert estimate(Estimate(NAN, NAN, NAN, "m", 5, "why")) == "undefined"


def test_shares_in_percent() -> None:
    assert percent_estimate(Estimate(0.7155, 0.606, 0.85, "m", 5)) == "71.5 (60.6 to 85.0)"
    assert percent_estimate(Estimate(1.0, NAN, NAN, "m", 5, "why")) == "100.0 (no interval)"
    assert percent_estimate(Estimate(NAN, NAN, NAN, "m", 5, "why")) == "undefined"


def test_numbers_may_be_infinite() -> None:
    assert number(2.345, 2) == "2.35"
    assert number(float("inf"), 2) == "infinite"


def test_sentences() -> None:
    assert sentence("gantry tilt taken out") == "Gantry tilt taken out."
    assert sentence("Done.") == "Done."
    assert sentence("  ") == ""


def test_the_general_notice_always_stands() -> None:
    assert stamp("") == "For research only. Not a medical device."
    assert stamp("demonstration model") == (
        "demonstration model. For research only. Not a medical device."
    )
