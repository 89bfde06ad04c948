"""``hemocast evaluate`` against R: pROC on aSAH."""

import csv
import json
from pathlib import Path

import pytest

from hemocast.pipeline.evaluate import EvaluationOptions, Tables, evaluate_files
from hemocast.stats import Resampling

FAST = EvaluationOptions(resampling=Resampling(200))


def write(path: Path, head: str, rows: list[str]) -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def metrics(folder: Path) -> dict:
    def no_constants(name: str) -> None:
        raise AssertionError(f"{name} in metrics.json")

    text = (folder / "metrics.json").read_text(encoding="utf-8")
    return json.loads(text, parse_constant=no_constants)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_asah_has_the_auc_and_the_tests_that_r_gives(reference: Path, tmp_path: Path) -> None:
    proc = json.loads((reference / "proc.json").read_text())
    rows = []
    for i, row in enumerate(table(reference / "aSAH.csv")):
        label = int(row["outcome"] == "Poor")
        for marker, scale in (("s100b", 3), ("ndka", 500), ("wfns", 5)):
            rows.append(f"p{i},s{i},{label},{float(row[marker]) / scale:.8f},{marker}")
    head = "participant_id,scan_id,label,probability,model"
    evaluate_files(Tables(write(tmp_path / "a.csv", head, rows)), tmp_path / "out", options=FAST)
    found = metrics(tmp_path / "out")
    for marker in ("s100b", "ndka", "wfns"):
        auc = found["models"][marker]["metrics"]["auc"]
        assert auc["value"] == pytest.approx(proc[marker]["auc"], abs=1e-9)
        assert auc["ci_method"] == "DeLong, logit"
        # pROC's limits are on the plain scale; ours are near them, and never leave [0, 1].
        assert auc["ci_low"] == pytest.approx(proc[marker]["ci_delong"][0], abs=0.02)
    tests = {
        (c["first"], c["second"]): c for c in found["comparisons"] if c["method"] == "paired DeLong"
    }
    pair = tests["s100b", "ndka"]
    assert pair["p"] == pytest.approx(proc["s100b_vs_ndka"]["p"], abs=1e-9)
    limits = [pair["difference"]["ci_low"], pair["difference"]["ci_high"]]
    assert limits == pytest.approx(proc["s100b_vs_ndka"]["ci"], abs=1e-9)
    p = sorted(c["p"] for c in tests.values())
    assert tests["ndka", "wfns"]["p_holm"] == pytest.approx(3 * p[0])
