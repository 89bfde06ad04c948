"""``hemocast evaluate`` on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hemocast.cli.evaluate import evaluate
from hemocast.dataset.pseudonym import participant_id
from hemocast.errors import NobodyMatched, TableError

pytestmark = pytest.mark.usefixtures("undrawn")
app = typer.Typer()
app.command()(evaluate)


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.csv"
    rows = [f"p{i},s{i},{i % 2},{0.3 + 0.3 * (i % 2) + (i % 7) / 30:.3f}" for i in range(40)]
    head = "participant_id,scan_id,label,probability"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_it_prints_the_auc_its_doubts_and_where_the_page_is(
    predictions: Path, tmp_path: Path, drawn: None
) -> None:
    out = tmp_path / "out"
    arguments = [str(predictions), "--out", str(out), "--resamples", "200"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "model: AUC 1.000 (0." in result.output
    assert "40 patients" in result.output
    assert "no threshold was given" in result.output
    assert (out / "report.html").is_file()


def test_the_table_of_predict_is_evaluated_with_labels_from_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    head = (
        "case,participant_id,scan_id,probability,probability_low,probability_high,threshold,"
        "status,code,message,simulated"
    )
    rows = [f"{i},sub-{i},sub-{i}_ses-01,{0.3 + 0.01 * i:.2f},,,0.5,done,,,0" for i in range(30)]
    rows.append("30,n/a,n/a,,,,,refused,HC101,HC101 nothing,0")
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    labels = tmp_path / "labels.tsv"
    people = [f"sub-{i}\t{i % 2}" for i in range(30)]
    labels.write_text("\n".join(["participant_id\tlabel", *people]) + "\n", encoding="utf-8")
    out = tmp_path / "out"
    arguments = ["--labels", str(labels), "--out", str(out), "--resamples", "200"]
    result = CliRunner().invoke(app, [str(path), *arguments])
    assert result.exit_code == 0, result.output
    assert "30 patients" in result.output
    without = CliRunner().invoke(app, [str(path), *arguments[2:]])
    assert isinstance(without.exception, TableError)
    assert "--labels" in str(without.exception)


def test_labels_and_record_may_name_patients_as_the_hospital_does(tmp_path: Path) -> None:
    folder, key = tmp_path / "hemocast-out", b"k" * 32
    folder.mkdir()
    (folder / "names.json").write_text(f'{{"key": "{key.hex()}"}}')
    path = folder / "predictions.csv"
    people = [participant_id(key, f"P{i}") for i in range(30)]
    rows = [f"{person},scan-{i},{0.3 + 0.01 * i:.2f}" for i, person in enumerate(people)]
    path.write_text("\n".join(["participant_id,scan_id,probability", *rows]) + "\n")
    labels, clinical = tmp_path / "labels.csv", tmp_path / "clinical.csv"
    labels.write_text("patient_id,label\n" + "".join(f"P{i},{i % 2}\n" for i in range(30)))
    clinical.write_text(
        "patient_id,sex\n" + "".join(f"P{i},{'FM'[i % 3 > 0]}\n" for i in range(30))
    )
    out = ["--out", str(tmp_path / "out"), "--resamples", "100"]
    given = ["--labels", str(labels), "--clinical", str(clinical), *out]
    result = CliRunner().invoke(app, [str(path), *given])
    assert result.exit_code == 0, result.output
    assert "30 patients" in result.output
    assert "sex,M" in (tmp_path / "out" / "subgroups.csv").read_text()
    labels.write_text("patient_id,label\nX1,1\nX2,0\n")
    result = CliRunner().invoke(app, [str(path), *given])
    assert isinstance(result.exception, NobodyMatched)
    assert "0 of 2 row(s) of" in str(result.exception)


def test_a_bad_table_is_a_refusal_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("scan_id,label,probability\ns1,2,1.5\n", encoding="utf-8")
    result = CliRunner().invoke(app, [str(path), "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, TableError)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments", [["--threshold", "1.5"], ["--resamples", "10"], ["--seed", "-1"]]
)
def test_settings_out_of_range_are_wrong_usage(predictions: Path, arguments: list[str]) -> None:
    assert CliRunner().invoke(app, [str(predictions), *arguments]).exit_code == 2


def test_nothing_of_training_is_imported() -> None:
    code = "import hemocast.pipeline.evaluate, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"torch", "lightning", "onnx", "onnxruntime", "SimpleITK", "pydicom"}
