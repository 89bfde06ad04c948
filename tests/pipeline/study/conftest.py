"""A study's folders as its commands leave them, small."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hemocast.evaluate.run import EvaluationOptions, Tables, evaluate_inputs, read_inputs
from hemocast.pipeline.study.records import Sources
from hemocast.report.evaluation.tables import evaluation_tables
from hemocast.stats import Resampling

N = 60


def write(path: Path, *rows: tuple[object, ...]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sign = "\t" if path.suffix == ".tsv" else ","
    path.write_text("\n".join(sign.join(map(str, row)) for row in rows) + "\n", encoding="utf-8")
    return path


def _evaluated(folder: Path, primary: str | None = None) -> Path:
    """Evaluate 60 patients, a third with HT, as ``hemocast evaluate`` does, without figures."""
    rng = np.random.default_rng(5)
    label = np.arange(N) % 3 == 0
    risk = np.clip(0.3 + 0.25 * label + rng.normal(0, 0.15, N), 0.02, 0.98).round(3)
    rows = [(f"p{i}", f"s{i}", int(label[i]), risk[i], "MF"[i % 2]) for i in range(N)]
    head = ("participant_id", "scan_id", "label", "probability", "sex")
    table = write(folder.parent / "predictions.csv", head, *rows)
    options = EvaluationOptions(0.5, Resampling(100), primary=primary)
    result = evaluate_inputs(read_inputs(Tables(table), 0.5), options, lambda *_: None)
    folder.mkdir()
    for name, text in evaluation_tables(result).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    write(root / "participants.tsv", ("participant_id", "age", "sex", "site"),
          *((f"p{i}", 50 + i, "MF"[i % 2], "A") for i in range(40)))  # fmt: skip
    write(root / "labels.tsv", ("participant_id", "label"), *((f"p{i}", i % 2) for i in range(40)))
    write(root / "clinical.tsv", ("participant_id", "treatment", "nihss"),
          *((f"p{i}", "none", "n/a" if i < 3 else 5) for i in range(40)))  # fmt: skip
    write(root / "quality/refused.tsv", ("code",), ("HC303",))
    write(root / "splits/own.tsv", ("participant_id", "part"),
          *((f"p{i}", "test" if i < 10 else "train") for i in range(40)))  # fmt: skip
    says = {"Name": "Ours", "GeneratedBy": [{"Name": "hemocast", "Version": "0.1.0"}]}
    (root / "dataset_description.json").write_text(json.dumps(says), encoding="utf-8")
    return root


@pytest.fixture
def evaluated() -> Callable[..., Path]:
    return _evaluated


@pytest.fixture
def sources(tmp_path: Path, dataset: Path) -> Sources:
    evaluation = _evaluated(tmp_path / "evaluation")
    return Sources(evaluation, dataset=dataset, predictions=tmp_path / "predictions.csv")
