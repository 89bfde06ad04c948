"""Reader studies against R: MRMCaov on Van Dyke's and on generated data."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from hemocast.stats import (
    Mrmc,
    TreatmentTest,
    crossed_study,
    obuchowski_rockette,
)

ANALYSES = {
    "random_random": "random_readers_and_cases",
    "fixed_readers": "fixed_readers",
    "fixed_cases": "fixed_cases",
}


STUDIES = ("VanDyke", "RoeMetz")  # in the second, Cov2 is below Cov3


@pytest.fixture(scope="module", params=STUDIES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def analyses(reference: Path, name: str) -> dict[str, Mrmc]:
    with (reference / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    study = crossed_study(
        np.array(columns["truth"], dtype=float), columns["treatment"], columns["reader"],
        columns["case"], np.array(columns["rating"], dtype=float),
    )  # fmt: skip
    return {
        "jackknife": obuchowski_rockette(study),
        "DeLong": obuchowski_rockette(study, covariance="delong"),
    }


@pytest.fixture(scope="module")
def mrmcaov(reference: Path, name: str) -> dict:
    return json.loads((reference / f"{name}.json").read_text(encoding="utf-8"))


def close(expected: object) -> object:
    return pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("kind", ANALYSES)
@pytest.mark.parametrize("method", ["jackknife", "DeLong"])
def test_the_three_analyses_as_mrmcaov_gives_them(
    analyses: dict, mrmcaov: dict, method: str, kind: str
) -> None:
    result: Mrmc = analyses[method]
    test: TreatmentTest = getattr(result, ANALYSES[kind])
    expected = mrmcaov[f"{method}_{kind}"]
    overall = expected["test_equality"][0]
    assert result.ms_treatment == close(overall["MS(T)"])
    assert result.ms_treatment_reader == close(overall.get("MS(T:R)", result.ms_treatment_reader))
    assert test.denominator == close(overall.get("Denominator", test.denominator))
    assert test.statistic == close(overall.get("F", overall.get("X2")))
    assert test.df1 == overall.get("df1", overall.get("df"))
    assert test.df2 == close(overall.get("df2", np.inf))
    assert test.p == close(overall["p-value"])
    (difference,), (theirs,) = test.differences, expected["test_diffs"]
    assert (difference.first, difference.second) == ("1", "2")
    assert difference.difference == close(theirs["Estimate"])
    assert difference.se == close(theirs["StdErr"])
    assert difference.df == close(theirs.get("df", np.inf))
    assert [difference.ci_low, difference.ci_high] == close(theirs["CI"])
    assert difference.statistic == close(theirs.get("t", theirs.get("z")))
    assert difference.p == close(theirs["p-value"])
    for mean, their_mean in zip(test.means, expected["test_means"], strict=True):
        assert mean.value == close(their_mean["Estimate"])
        assert mean.se == close(their_mean["StdErr"])
        assert mean.df == close(their_mean.get("df", np.inf))
        assert [mean.ci_low, mean.ci_high] == close(their_mean["CI"])


@pytest.mark.parametrize("method", ["jackknife", "DeLong"])
def test_components_and_readers_as_mrmcaov_gives_them(
    analyses: dict, mrmcaov: dict, method: str
) -> None:
    result: Mrmc = analyses[method]
    parts = result.components
    ours = [
        parts.reader, parts.treatment_reader, parts.error, parts.cov1, parts.cov2, parts.cov3
    ]  # fmt: skip
    theirs = mrmcaov[f"{method}_random_random"]["vcov_comps"]
    assert ours == close([row["Estimate"] for row in theirs])
    assert [parts.cov1 / parts.error, parts.cov2 / parts.error, parts.cov3 / parts.error] == close(
        [row["Correlation"] for row in theirs[3:]]
    )
    # MRMCaov's table of single readers was kept for Van Dyke's data alone.
    readers = mrmcaov[f"{method}_fixed_readers"].get("reader_means", [])
    for mine, other in zip(result.readers_alone, readers, strict=bool(readers)):
        assert mine.name == f"{other['treatment']}, {other['reader']}"
        assert mine.value == close(other["empirical_auc"])
        assert mine.se == close(other["StdErr"])
        assert [mine.ci_low, mine.ci_high] == close(other["CI"])
    assert result.warnings == ()
