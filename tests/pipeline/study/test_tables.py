"""What an evaluation wrote, as the tables of a study's page."""

from __future__ import annotations

from pathlib import Path

from hemocast.pipeline.study.records import Sources
from hemocast.pipeline.study.run import write_study


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
