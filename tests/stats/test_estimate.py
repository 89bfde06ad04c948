import pytest

from hemocast.stats import Estimate

NAN = float("nan")


def test_a_missing_number_must_give_its_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        Estimate(NAN, NAN, NAN, "none", 3)
    with pytest.raises(ValueError, match="reason"):
        Estimate(0.5, NAN, 1.0, "none", 3)
    assert Estimate(NAN, NAN, NAN, "none", 3, "why").warning == "why"


def test_notes_are_added_after_the_own_one_and_nothing_is_no_note() -> None:
    plain = Estimate(0.5, 0.4, 0.6, "Wilson", 10)
    assert plain.noted(None).warning is None
    noted = Estimate.bare(0.5, 10, "why").noted("first", None, "second")
    assert noted.warning == "why; first; second"
    assert noted.ci_low != noted.ci_low
