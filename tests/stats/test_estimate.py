import pytest

from hemocast.stats import Estimate
from hemocast.stats.estimate import caution

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


def test_what_is_undefined_has_no_interval() -> None:
    with pytest.raises(ValueError, match="no interval"):
        Estimate(NAN, 0.1, 0.9, "logit", 3, "undefined")


@pytest.mark.parametrize(
    ("patients", "said"),
    [(1, "rests on 1 patient of"), (9, "9 patients"), (24, "asks for 100"), (99, "asks for 100")],
)
def test_calibration_from_few_patients_is_cautioned(patients: int, said: str) -> None:
    assert said in str(caution(patients))


def test_enough_patients_are_not() -> None:
    assert caution(100) is None
