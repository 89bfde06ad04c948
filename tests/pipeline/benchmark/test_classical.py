"""Rows of models from measurements: they see what they are told, and only that."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from hemocast.classical.learning import predict_out_of_fold
from hemocast.classical.recipes import RECIPES
from hemocast.errors import TableError
from hemocast.pipeline.benchmark.classical import CLASSICAL
from hemocast.pipeline.benchmark.data import BenchmarkData
from hemocast.pipeline.benchmark.entries import RULES, entries_of
from hemocast.stats import Cases, auc
from hemocast.train.measured import cohort_of


@pytest.fixture(scope="module")
def data(cohorts: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> BenchmarkData:
    """Return the small cohorts with a clinical record, whose NIHSS follows the true risk."""
    root = tmp_path_factory.mktemp("with_record")
    for folder in cohorts:
        stacks = shutil.copytree(folder, root / folder.name) / "stacks"
        known = np.loadtxt(folder / "truth" / "patients.csv", str, delimiter=",", skiprows=1)
        rows = ["participant_id\tnihss\ttreatment"]
        for number, (name, risk, _) in enumerate(known):
            nihss = "n/a" if number % 7 == 0 else str(round(40 * float(risk)))
            rows.append(f"{name}\t{nihss}\t{'none' if number % 2 else 'thrombolytic'}")
        (stacks / "clinical.tsv").write_text("\n".join(rows) + "\n")
    return BenchmarkData.of(*(root / folder.name for folder in cohorts))


@pytest.mark.parametrize("at", [0, 1, 2, -1])
def test_a_row_finds_the_risk_in_what_it_sees(data: BenchmarkData, at: int, tmp_path: Path) -> None:
    entry = CLASSICAL[at]
    entry.check(data)
    found = entry.score(data, tmp_path, None)
    cases = data.fresh.cases
    assert found.probability.shape == (cases.n,)
    assert auc(Cases(cases.truth, found.probability)) > 0.6
    assert np.corrcoef(cases.score, found.probability)[0, 1] > 0.4
    assert found.threshold == data.prevalence


def test_settings_tell_rows_apart() -> None:
    assert len({one.settings for one in CLASSICAL}) == len(CLASSICAL)
    assert CLASSICAL[-1].name == "fusion of record and histogram"


def test_they_come_after_the_rules_and_by_name() -> None:
    names = [one.name for one in entries_of()]
    assert names[: len(RULES)] == list(RULES)
    assert names[len(RULES) : len(RULES) + len(CLASSICAL)] == [one.name for one in CLASSICAL]
    wanted = CLASSICAL[0].name
    assert [one.name for one in entries_of([wanted])] == [*RULES, wanted]


def test_scans_of_a_patient_are_never_predicted_from_each_other(data: BenchmarkData) -> None:
    table = data.learned
    cohort = cohort_of(table, table.record())
    assert np.unique(cohort.group).size == 72 < cohort.patients.n
    learned_from: list[set[int]] = []

    def fit(part):  # type: ignore[no-untyped-def]
        learned_from.append(set(part.group.tolist()))
        return RECIPES["clinical-ridge"].fit(part)

    risk = predict_out_of_fold(fit, cohort)
    assert np.isfinite(risk).all()
    everybody = set(cohort.group.tolist())
    left_out = [everybody - one for one in learned_from]
    assert sum(map(len, left_out)) == len(everybody)


def test_a_clinical_table_that_cannot_be_is_refused(data: BenchmarkData) -> None:
    path = data.learned.array.parent / "clinical.tsv"
    good = path.read_text()
    path.write_text(good.replace("thrombolytic", "prayer", 1))
    try:
        with pytest.raises(TableError, match="treatment"):
            CLASSICAL[0].check(data)
    finally:
        path.write_text(good)
