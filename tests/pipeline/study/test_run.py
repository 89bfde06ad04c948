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


def test_what_else_the_evaluation_found_is_shown(sources: Sources, tmp_path: Path) -> None:
    """Scans left out, assumptions about them, HT over time, thresholds: written, but not shown."""
    folder = sources.evaluation
    assert folder is not None
    ends = ",ci_low,ci_high,warning"
    (folder / "left_out.csv").write_text(
        "model,kind,reason,n_scans,n_patients,n_positive,mean_predicted_risk\n"
        "model,unobserved,death,4,3,,0.4\nmodel,refused,HC303,2,2,1,\n",
        encoding="utf-8",
    )
    (folder / "scenarios.csv").write_text(
        f"model,scenario,n_scans,metric,value{ends}\n"
        "model,worst case,64,auc,0.61,0.5,0.7,\nmodel,worst case,64,sensitivity,0.4,0.3,0.5,\n"
        "model,best case,64,auc,0.82,0.7,0.9,rests on 4 scans\n",
        encoding="utf-8",
    )
    (folder / "cumulative_incidence.csv").write_text(
        "hours_from_onset,n_at_risk,ht,ht_ci_low,ht_ci_high,death,warning\n"
        "20,60,0.1,0.05,0.2,0,\n30,50,0.2,0.1,0.3,0.01,\n60,40,0.25,0.2,0.4,0.02,\n90,2,0.5,,,0.1,\n",
        encoding="utf-8",
    )
    study = write_study(sources, tmp_path / "out")
    tables = {one.name: one for one in study.tables}
    assert tables["left-out"].rows == (
        ("model", "outcome", "death before a later scan", "4", "3", "not known", "0.400"),
        ("model", "prediction", "HC303", "2", "2", "1", "none"),
    )
    assert tables["scenarios"].rows[0][:5] == (
        "model", "worst case", "64", "0.610 (0.500 to 0.700)", "0.400 (0.300 to 0.500)"
    )  # fmt: skip
    assert tables["scenarios"].notes == ("rests on 4 scans",)
    assert tables["incidence"].rows == (
        ("24", "60", "0.100 (0.050 to 0.200)", "0.000"),
        ("48", "50", "0.200 (0.100 to 0.300)", "0.010"),
        ("60", "40", "0.250 (0.200 to 0.400)", "0.020"),
    )
    assert {"prevalence", "thresholds", "interactions"} <= set(tables)
    told = {one.key: one.text for one in study.results}
    assert told["unjudged"] == (
        "model could not be judged on 6 scans. Under the assumptions made about them its AUC lies "
        "between 0.610 and 0.820."
    )
    page = (tmp_path / "out/study.html").read_text(encoding="utf-8")
    assert "Scans that no model could be judged on" in page
    assert (tmp_path / "out/tables/scenarios.tex").is_file()
