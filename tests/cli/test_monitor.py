"""``hemocast monitor``, as typed: quiet with 0, an alarm with 5."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np


def write(path: Path, *, new: bool) -> Path:
    rng = np.random.default_rng(0)
    times = np.datetime64("2026-01-05T00:00:00") + np.arange(300) * np.timedelta64(12, "h")
    scanner = ["New" if new and k > 200 else "GE" for k in range(300)]
    rows = [f"s{k},{times[k]},done,{rng.random() / 2:.3f},{scanner[k]}" for k in range(300)]
    path.write_text("scan_id,arrived_at,status,probability,scanner\n" + "\n".join(rows) + "\n")
    return path


def test_an_alarm_is_said_and_exits_with_5(
    tmp_path: Path, hemocast: Callable[..., CompletedProcess[str]]
) -> None:
    quiet = hemocast("monitor", write(tmp_path / "a.csv", new=False), "--out", tmp_path / "a")
    assert quiet.returncode == 0, quiet.stderr
    assert "300 scans: 300 with a result, 0 refused" in quiet.stdout
    assert "ALARM" not in quiet.stdout
    loud = hemocast("monitor", write(tmp_path / "b.csv", new=True), "--out", tmp_path / "b")
    assert loud.returncode == 5
    assert "ALARM: scanner is not as in the reference" in loud.stdout
    assert (tmp_path / "b" / "report.html").is_file()
