"""How often ``hemocast monitor`` gives a false alarm, and how soon it notices a change.

    python benchmarks/monitor_alarms.py                   # docs/how-to/monitor.md; 5 minutes of CPU
    python benchmarks/monitor_alarms.py --example FOLDER    # history.csv and outcomes.csv of one

A trial is a made-up year: 1,000 scans of as many patients, a tenth refused, eight signs that go
with the risk and with each other, outcomes drawn from the predicted risks and known after a day.
The first 12 weeks are the reference; a change comes in the middle of the year. SIMULATED: it shows
what the alarms do where the change is known, nothing about patients.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from hemocast.evaluate.inputs.history import Feature, History, Outcomes, Scans
from hemocast.evaluate.monitor.result import Monitored, MonitorOptions
from hemocast.evaluate.monitor.run import monitor
from hemocast.stats.proportions import wilson

N, DAYS, SIGNS = 1000, 364, 8
START = np.datetime64("2026-01-05T00:00:00")
OPTIONS = MonitorOptions(horizon=900)
"""The charts' chance of a false alarm is that of a year too: nine in ten scans get a result."""
MIDDLE = START + np.timedelta64(DAYS // 2 * 86_400, "s")


@dataclass
class Year:
    """What happens in a year; changed in place before it is looked at."""

    arrived: np.ndarray
    risk: np.ndarray
    chance: np.ndarray
    scanner: np.ndarray
    signs: np.ndarray
    refused: np.ndarray
    late: np.ndarray


def year(rng: np.random.Generator) -> Year:
    """Draw a year in which nothing changes."""
    arrived = START + np.sort(rng.integers(0, DAYS * 86_400, N)).astype("timedelta64[s]")
    common = rng.normal(size=N)
    risk = expit(-1.6 + common)
    return Year(
        arrived,
        risk,
        risk.copy(),
        rng.choice(["GE", "Siemens", "Canon", "Philips"], N, p=[0.5, 0.3, 0.15, 0.05]),
        0.6 * common[:, None] + rng.normal(size=(N, SIGNS)),
        rng.random(N) < 0.1,
        arrived >= MIDDLE,
    )


def nothing(made: Year) -> None:
    """Change nothing."""


def odds(factor: float) -> Callable[[Year], None]:
    """Multiply the odds of HT; predictions stay."""

    def change(made: Year) -> None:
        made.chance[made.late] = expit(logit(made.risk[made.late]) + np.log(factor))

    return change


def noise(made: Year) -> None:
    """Let predictions tell half of what they did, at the same mean."""
    centre = logit(made.risk).mean()
    told = centre + 0.5 * (logit(made.risk[made.late]) - centre)
    made.chance[made.late] = expit(told)


def sign(by: float) -> Callable[[Year], None]:
    """Move one sign by some standard deviations."""

    def change(made: Year) -> None:
        made.signs[made.late, 0] += by * made.signs[:, 0].std()

    return change


def scanner(made: Year) -> None:
    """Let a new scanner replace the second."""
    made.scanner[made.late & (made.scanner == "Siemens")] = "New"


def refusals(made: Year) -> None:
    """Refuse three in ten instead of one."""
    made.refused |= made.late & (np.arange(N) % 9 < 2)


def history(made: Year, rng: np.random.Generator) -> History:
    """Give the year as a history with outcomes."""
    status = np.where(made.refused, "refused", "done").astype(object)
    label = (rng.random(N) < made.chance).astype(float)
    features = [Feature(f"sign{k}", made.signs[:, k]) for k in range(SIGNS)]
    return History(
        Scans(
            np.array([f"sub-{k}" for k in range(N)], dtype=object),
            np.where(made.refused, np.nan, made.risk),
            (Feature("scanner", made.scanner.astype(object)), *features),
            simulated=True,
        ),
        made.arrived,
        made.arrived,
        made.arrived + rng.integers(20, 300, N).astype("timedelta64[s]"),
        status,
        np.where(made.refused, "HC303", "").astype(object),
        Outcomes(
            label, np.full(N, "", dtype=object), made.arrived + np.timedelta64(86_400, "s"), 0
        ),
    )


CHANGES: dict[str, tuple[Callable[[Year], None], str]] = {
    "nothing": (nothing, "any"),
    "odds of HT x 2": (odds(2.0), "charts"),
    "odds of HT x 1.5": (odds(1.5), "charts"),
    "odds of HT x 0.5": (odds(0.5), "charts"),
    "risks tell half": (noise, "charts"),
    "one sign by 0.5 SD": (sign(0.5), "drift"),
    "one sign by 1 SD": (sign(1.0), "drift"),
    "a new scanner for one of four": (scanner, "drift"),
    "30 % refused instead of 10 %": (refusals, "drift"),
}


def alarms(found: Monitored) -> dict[str, np.datetime64]:
    """When drift and charts gave their first alarm, by kind; an alarm is told at a look's end."""
    first = {}
    if found.drifted:
        first["drift"] = min(look.end for look in found.drifted)
    if found.followed and found.followed.alarms:
        times = [chart.alarmed_at for chart in found.followed.alarms]
        first["charts"] = min(time for time in times if time is not None)
    return first


def share(hits: int, n: int) -> str:
    """Write a share with Wilson's limits."""
    low, high = wilson(hits, n)
    return f"{hits / n:.1%} ({low:.1%} to {high:.1%})"


def measure(unchanged: int, changed: int) -> None:
    """Print a row a change, of so many trials."""
    print("| what changes in the middle of the year | drift alarm | outcome alarm | days, median |")
    print("|---|---|---|---|")
    for name, (change, kind) in CHANGES.items():
        seen: dict[str, list[float]] = {"drift": [], "charts": []}
        trials = unchanged if kind == "any" else changed
        for seed in range(trials):
            rng = np.random.default_rng([2026, seed])
            made = year(rng)
            change(made)
            for found, time in alarms(monitor(history(made, rng), options=OPTIONS)).items():
                seen[found].append(float((time - MIDDLE) / np.timedelta64(86_400, "s")))
        after = [days for days in seen.get(kind, []) if days > 0]
        middle = f"{np.median(after):.0f}" if after else ""
        drift, charts = (share(len(seen[one]), trials) for one in ("drift", "charts"))
        print(f"| {name} | {drift} | {charts} | {middle} |", flush=True)


def example(folder: Path) -> None:
    """Write a year in which the odds double and a scanner is replaced."""
    rng = np.random.default_rng(2026)
    made = year(rng)
    odds(2.5)(made)
    scanner(made)
    told = history(made, rng)
    names = [f"sub-{k:04d}_ses-01" for k in range(N)]
    assert told.outcomes is not None  # noqa: S101 - history gives them
    table = pd.DataFrame(
        {
            "scan_id": names, "participant_id": [f"sub-{k:04d}" for k in range(N)],
            "arrived_at": told.arrived, "last_slice_at": told.last_slice,
            "predicted_at": np.where(made.refused, np.datetime64("NaT"), told.predicted),
            "status": told.status, "code": told.code,
            "probability": told.scans.probability.round(4), "scanner": made.scanner,
            **{f"sign{k}": made.signs[:, k].round(3) for k in range(SIGNS)}, "simulated": 1,
        }
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "history.csv", index=False, date_format="%Y-%m-%dT%H:%M:%S", na_rep="n/a")
    bled = told.outcomes.label == 1
    outcomes = pd.DataFrame(
        {
            "scan_id": names, "label": bled.astype(int),
            "grade": np.where(bled, rng.choice(["HI1", "HI2", "PH1"], N), "n/a"),
            "observed_at": told.outcomes.known_at,
        }
    )  # fmt: skip
    outcomes[rng.random(N) < 0.85].to_csv(
        folder / "outcomes.csv", index=False, date_format="%Y-%m-%dT%H:%M:%S"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unchanged", type=int, default=200, help="trials in which nothing does")
    parser.add_argument("--changed", type=int, default=20, help="trials of every change")
    parser.add_argument("--example", type=Path)
    chosen = parser.parse_args()
    if chosen.example:
        example(chosen.example)
    else:
        measure(chosen.unchanged, chosen.changed)
