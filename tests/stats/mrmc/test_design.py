import numpy as np
import pytest

from hemocast.errors import StatisticsError
from hemocast.stats import crossed_study

READINGS = [
    (truth, treatment, reader, case, 10 * (case + 1) + reader + treatment / 10)
    for case, truth in enumerate([0, 1, 1])
    for reader in (1, 2)
    for treatment in (0, 1)
]


def columns(rows: list) -> list:
    truth, treatment, reader, case, rating = zip(*rows, strict=True)
    return [
        truth, [f"t{one}" for one in treatment], [f"r{one}" for one in reader],
        [f"c{one}" for one in case], rating,
    ]  # fmt: skip


def test_readings_in_any_order_make_the_same_grid() -> None:
    study = crossed_study(*columns(READINGS))
    assert (study.treatments, study.readers) == (("t0", "t1"), ("r1", "r2"))
    assert study.scans == ("c0", "c1", "c2")
    assert study.cases.truth.tolist() == [False, True, True]
    assert study.ratings[1, 0].tolist() == [11.1, 21.1, 31.1]
    assert study.cases.patient.tolist() == [0, 1, 2]
    mixed = [READINGS[row] for row in np.random.default_rng(0).permutation(len(READINGS))]
    np.testing.assert_array_equal(crossed_study(*columns(mixed)).ratings, study.ratings)


def test_patients_belong_to_cases() -> None:
    patient = [f"p{row[3] // 2}" for row in READINGS]
    assert crossed_study(*columns(READINGS), patient).cases.patient.tolist() == [0, 0, 1]
    with pytest.raises(StatisticsError, match="Case c0 has two different patients"):
        crossed_study(*columns(READINGS), range(len(READINGS)))


def test_a_missing_reading_is_named() -> None:
    rows = [row for row in READINGS if row[1:4] not in [(1, 2, 1), (1, 2, 2)]]
    expected = "Reader r2 did not rate case c1 under treatment t1, and 1 more such readings"
    with pytest.raises(StatisticsError, match=expected):
        crossed_study(*columns(rows))


def test_a_reading_given_twice_is_named() -> None:
    with pytest.raises(StatisticsError, match="r1 rated more than once case c0 under treatment t0"):
        crossed_study(*columns([*READINGS, READINGS[0]]))


def test_a_case_has_one_outcome() -> None:
    truth, *rest = columns(READINGS)
    with pytest.raises(StatisticsError, match="Case c0 has two different outcomes"):
        crossed_study([1, *truth[1:]], *rest)


def test_columns_have_one_length() -> None:
    truth, treatment, *rest = columns(READINGS)
    with pytest.raises(StatisticsError, match="treatment column"):
        crossed_study(truth, treatment[1:], *rest)
