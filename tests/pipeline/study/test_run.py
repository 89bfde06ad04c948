from __future__ import annotations

import csv
import html
import json
import re
from dataclasses import replace
from pathlib import Path

from hemocast.pipeline.study.records import Sources
from hemocast.pipeline.study.run import write_study


def test_page_csv_and_json_hold_the_same_numbers(sources: Sources, tmp_path: Path) -> None:
    write_study(sources, tmp_path / "out")
    assert sources.evaluation is not None
    told = json.loads((sources.evaluation / "metrics.json").read_text(encoding="utf-8"))
    metrics = told["models"]["model"]["metrics"]
    with (tmp_path / "out/tables/performance.csv").open(encoding="utf-8") as file:
        table = {row["Metric"]: row for row in csv.DictReader(file)}
    page = html.unescape((tmp_path / "out/study.html").read_text(encoding="utf-8"))
    latex = (tmp_path / "out/tables/performance.tex").read_text(encoding="utf-8")
    for key, title in (("auc", "AUC"), ("sensitivity", "Sensitivity"), ("brier", "Brier score")):
        value, low = (f"{metrics[key][part]:.3f}" for part in ("value", "ci_low"))
        assert table[title]["Value"] == value
        assert table[title]["95 % CI"].startswith(low)
        assert re.search(rf">{title}</th><td>{value}</td><td>{low} to", page)
        assert f"{title} & {value} & {low} to" in latex


def test_every_place_that_a_checklist_names_exists(sources: Sources, tmp_path: Path) -> None:
    write_study(sources, tmp_path / "out")
    page = (tmp_path / "out/study.html").read_text(encoding="utf-8")
    with (tmp_path / "out/checklists.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    named = {place for row in rows for place in row["where"].split("; ") if place}
    assert len(named) > 10
    assert {place for place in named if f'id="{place.partition("#")[2]}"' not in page} == set()
    leakage = [row for row in rows if "learned from" in row["risk_of_bias"]]
    assert {row["item"] for row in leakage} >= {"E4.1", "E4.5"}


def test_live_use_alone_fills_decide_ai(sources: Sources, tmp_path: Path) -> None:
    usual = write_study(sources, tmp_path / "a").checklists[-1]
    live = write_study(sources, tmp_path / "b", live=True).checklists[-1]
    assert usual.count("does not apply") == len(usual.answers)
    assert live.count("does not apply") == 0


def test_figures_and_other_tables_are_shown_and_no_script_runs(
    sources: Sources, tmp_path: Path
) -> None:
    assert sources.evaluation is not None
    figures = sources.evaluation / "figures"
    figures.mkdir()
    (figures / "roc.svg").write_text("<svg><script>alert(1)</script></svg>", encoding="utf-8")
    benchmark = tmp_path / "bench"
    benchmark.mkdir()
    (benchmark / "table3.csv").write_text("Network,AUC\nctnet<b>,0.8\n", encoding="utf-8")
    study = write_study(replace(sources, benchmark=benchmark), tmp_path / "out")
    page = (tmp_path / "out/study.html").read_text(encoding="utf-8")
    assert study.simulated
    assert "data:image/svg+xml;base64," in page
    assert "<script" not in page
    assert "ctnet&lt;b&gt;" in page
    assert (tmp_path / "out/tables/benchmark-table3.tex").is_file()


def test_readers_stand_beside_models_with_their_limits(sources: Sources, tmp_path: Path) -> None:
    metrics = ("accuracy", "sensitivity", "ppv", "specificity", "f1", "auc")
    ends = [f"{name}{end}" for name in metrics for end in ("", "_ci_low", "_ci_high")]
    head = ["rater", "kind", "arm", "n_scans", *ends]
    values = ["0.81249", "0.7", "0.9"] * 5 + ["", "", ""]
    assert sources.evaluation is not None
    (sources.evaluation / "table2.csv").write_text(
        ",".join(head) + "\n" + ",".join(["R1", "reader", "unaided", "60", *values]) + "\n",
        encoding="utf-8",
    )
    study = write_study(sources, tmp_path / "out")
    table = next(one for one in study.tables if one.name == "table2")
    assert table.rows[0][:4] == ("R1", "unaided", "60", "0.812 (0.700 to 0.900)")
    assert table.rows[0][-1] == "undefined"
    told = {one.key: one.text for one in study.methods}
    assert told["readers"].startswith("1 reader rated the same scans (unaided)")
