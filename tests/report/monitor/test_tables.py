"""The tables hold what the page shows, and are marked where it is simulated."""

from __future__ import annotations

import csv
import io

from hemocast.evaluate.monitor.result import Monitored
from hemocast.report.monitor.tables import monitor_tables


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_number_is_in_a_table(trial: Monitored, without_outcomes: Monitored) -> None:
    tables = {name: rows(text) for name, text in monitor_tables(trial).items()}
    assert sum(int(row["scans"]) for row in tables["traffic.csv"]) == 400
    assert tables["refusals.csv"] == [{"code": "HC303", "scans": "40", "simulated": "1"}]
    alarms = [row for row in tables["drift.csv"] if row["alarm"] == "1"]
    assert {row["feature"] for row in alarms} == {"scanner"}
    assert all(float(row["psi"]) > float(row["psi_usual"]) for row in alarms)
    whole = tables["performance.csv"][0]
    assert (whole["by"], whole["patients"]) == ("all", "360")
    assert float(whole["ratio_low"]) > 1
    assert {row["by"] for row in tables["performance.csv"]} == {"all", "quarter", "scanner"}
    assert [bool(row["alarm"]) for row in tables["charts.csv"]] == [True, False, False]
    assert monitor_tables(without_outcomes).keys() == {"traffic.csv", "refusals.csv", "drift.csv"}
