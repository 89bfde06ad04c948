"""Power of reader studies against R: RJafroc."""

import csv
from pathlib import Path

import numpy as np
import pytest

from hemocast.stats import (
    VarianceComponents,
    crossed_study,
    mrmc_cases,
    mrmc_power,
    obuchowski_rockette,
)

EFFECT = -0.043800322


@pytest.fixture(scope="module")
def van_dyke(reference: Path) -> VarianceComponents:
    with (reference / "VanDyke.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    study = crossed_study(
        np.array(columns["truth"], dtype=float), columns["treatment"], columns["reader"],
        columns["case"], np.array(columns["rating"], dtype=float),
    )  # fmt: skip
    return obuchowski_rockette(study).components


@pytest.mark.parametrize(
    ("readers", "cases", "generalize", "expected"),
    [
        (6, 111, "readers and cases", 0.5526116),
        (10, 165, "readers and cases", 0.80541995),
        (10, 131, "cases", 0.80091813),
        (10, 53, "readers", 0.80496663),
    ],
)
def test_van_dyke_as_rjafroc_2_1_gives_it(
    van_dyke: VarianceComponents, readers: int, cases: int, generalize: str, expected: float
) -> None:
    power = mrmc_power(van_dyke, EFFECT, readers, cases, generalize=generalize)
    assert power == pytest.approx(expected, rel=1e-6)


def test_cases_for_six_readers_as_rjafroc_gives_them(van_dyke: VarianceComponents) -> None:
    assert mrmc_cases(van_dyke, EFFECT, 6) == 251
