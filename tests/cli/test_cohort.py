"""``hemocast cohort`` as a user sees it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from hemocast.cli.cohort import cohort
from hemocast.errors import ConfigError

pytestmark = pytest.mark.usefixtures("tables_are_listed")

app = typer.Typer()
app.command()(cohort)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Return a folder with the tables of 20 patients."""
    people = [f"sub-{i:02d}" for i in range(20)]
    ht = [i % 2 for i in range(20)]
    tables = {
        "participants": {"age": range(60, 80), "sex": "F"},
        "scans": {"scan_id": [f"{p}_ses-01" for p in people], "hours_from_onset": 6},
        "labels": {
            "label": ht,
            "ht_detected_hours": [30 if label else "n/a" for label in ht],
            "last_imaging_hours": 50,
        },
    }
    for name, columns in tables.items():
        table = pd.DataFrame({"participant_id": people} | columns)
        table.to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False)
    return tmp_path


def test_it_prints_the_flow_and_writes_the_tables(dataset: Path) -> None:
    result = CliRunner().invoke(app, [str(dataset), "--match", "--caliper", "3"])
    assert result.exit_code == 0, result.output
    assert "20 patients      20 scans left: all participants" in result.output
    assert "10 pairs" in result.output
    assert "Cohort: 20 patients, 10 with HT" in result.output
    assert (dataset / "cohort" / "table1.csv").is_file()


def test_hours_that_do_not_fit_are_refused(dataset: Path) -> None:
    result = CliRunner().invoke(app, [str(dataset), "--window", "80", "20"])
    assert isinstance(result.exception, ConfigError)
    assert not (dataset / "cohort").exists()
