"""Tables of a trial in; a page and tables out, again and again as scans come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.errors import OutputExists, TableError
from hemocast.pipeline.monitor import monitor_files


def write(path: Path, n: int) -> Path:
    rng = np.random.default_rng(0)
    times = np.datetime64("2026-01-05T00:00:00") + np.arange(n) * np.timedelta64(12, "h")
    rows = [f"s{k},{times[k]},done,{rng.random() / 2:.3f}" for k in range(n)]
    path.write_text("scan_id,arrived_at,status,probability\n" + "\n".join(rows) + "\n")
    return path


def test_a_later_look_replaces_the_earlier_one_and_nothing_else(tmp_path: Path) -> None:
    history, out = write(tmp_path / "history.csv", 200), tmp_path / "out"
    outcomes = tmp_path / "outcomes.csv"
    outcomes.write_text("scan_id,label\n" + "".join(f"s{k},{int(k % 4 == 0)}\n" for k in range(90)))
    found = monitor_files(history, out, outcomes=outcomes)
    assert found.followed is not None
    assert {path.name for path in out.glob("[!.]*.*")} == {
        "report.html", "traffic.csv", "refusals.csv", "drift.csv", "performance.csv", "charts.csv",
    }  # fmt: skip
    assert (out / "figures" / "charts.svg").is_file()
    again = monitor_files(write(history, 220), out)
    assert again.traffic.whole.n == 220
    assert not (out / "charts.csv").exists()
    (out / "drift.csv").write_text("mine")
    with pytest.raises(OutputExists):
        monitor_files(history, out)
    assert (out / "drift.csv").read_text() == "mine"


def test_a_bad_table_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("scan_id,status\ns1,done\n")
    with pytest.raises(TableError, match="arrived_at"):
        monitor_files(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
