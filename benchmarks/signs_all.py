"""Measure the infarct, ASPECTS and the signs of the upright brain on heads with known truth.

    python benchmarks/signs_all.py OUT.jsonl [--heads N] [--seed S] [--preset paper]

On simulated heads with known truth (`sign_heads`), one in five without the acute infarct. Stops and
goes on. `python benchmarks/signs_all.py OUT.jsonl --summary` prints the tables.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sign_heads import draw_heads, plan

from hemocast.anatomy.atlas import REGIONS
from hemocast.signs.measured import Signs, measure_signs

Floats = NDArray[np.float64]
Rows = list[dict[str, Any]]

FACTOR = 1.6
"""Volumes within this factor of the truth are counted."""

RESAMPLES = 1000


def measured(signs: Signs) -> dict[str, Any]:
    """Return what was measured, as numbers."""
    found: dict[str, Any] = {"slice_mm": signs.slice_mm}
    if signs.artery is not None:
        found["artery_ratio"], found["dense"] = signs.artery.ratio, signs.artery.dense
    frames = signs.frames
    if frames is None:
        return found
    infarct = frames.infarct
    found |= {
        "seen": infarct.seen, "ml": infarct.volume_ml.value, "side": infarct.side,
        "ml_low": infarct.volume_ml.low, "ml_high": infarct.volume_ml.high,
        "territory": infarct.territory, "mca_share": infarct.mca_share,
        "uptake": infarct.water_uptake and infarct.water_uptake.value,
        "uptake_low": infarct.water_uptake and infarct.water_uptake.low,
        "uptake_high": infarct.water_uptake and infarct.water_uptake.high,
    }  # fmt: skip
    if frames.aspects is not None:
        found["aspects"] = frames.aspects.score.value
        found["regions"] = [int(region.affected) for region in frames.aspects.regions]
    if frames.ventricles is not None:
        found["ventricles_ml"] = frames.ventricles.both.value
    if frames.leukoaraiosis is not None:
        found["van_swieten"] = frames.leukoaraiosis.grade.value
    found["cavity"] = frames.cavity is not None
    return found


def summary(rows: Rows) -> None:
    """Print the tables."""
    done = [row for row in rows if "found" in row]
    print(f"{len(rows)} heads, {len(rows) - len(done)} refused")
    acute = [row for row in done if row["true"]["acute"]]
    bare = [row for row in done if not row["true"]["acute"]]
    false = sum(row["found"]["seen"] for row in bare)
    print(f"without an infarct: {len(bare)}, one seen in {false}")
    for name, part in _parts(acute):
        _infarcts(name, part)
    _aspects(acute)
    _territories(acute)
    _agreement("ventricles, mL", done, "ventricles_ml", logarithm=True)
    _agreement("van Swieten", done, "van_swieten", logarithm=False)
    cavities = [row for row in done if row["true"]["cavity_ml"] >= 3]
    none = [row for row in done if row["true"]["cavity_ml"] < 0.5]
    for name, part in (("cavity of 3 mL and more", cavities), ("none of 0.5 mL", none)):
        print(f"old infarct, {name}: {len(part)}, found {sum(r['found']['cavity'] for r in part)}")


def _parts(acute: Rows) -> list[tuple[str, Rows]]:
    large = [row for row in acute if row["true"]["volume_ml"] >= 5]

    def by(name: str, low: float, high: float) -> Rows:
        return [row for row in large if low <= row["true"][name] < high]

    return [
        ("from 5 mL", large),
        ("below 5 mL", [row for row in acute if row["true"]["volume_ml"] < 5]),
        ("5 to 25 mL", by("volume_ml", 5, 25)),
        ("25 to 80 mL", by("volume_ml", 25, 80)),
        ("from 80 mL", by("volume_ml", 80, 1e9)),
        ("uptake below 8 %", by("uptake", 0, 0.08)),
        ("8 to 15 %", by("uptake", 0.08, 0.15)),
        ("from 15 %", by("uptake", 0.15, 1)),
        ("noise below 3.5 HU", by("noise_hu", 0, 3.5)),
        ("from 3.5 HU", by("noise_hu", 3.5, 99)),
    ]


def _infarcts(name: str, part: Rows) -> None:
    seen = [row for row in part if row["found"]["seen"]]
    if len(seen) < 3:
        print(f"{name}: {len(part)}, seen {len(seen)}")
        return
    true, found = (np.array([row[k][v] for row in seen]) for k, v in
                   (("true", "volume_ml"), ("found", "ml")))  # fmt: skip
    ratio = np.log(found / true)
    near = np.abs(ratio) < np.log(FACTOR)
    side = [row["true"]["side"] == row["found"]["side"] for row in seen]
    held = [row["found"]["ml_low"] <= row["true"]["volume_ml"] <= row["found"]["ml_high"]
            for row in seen]  # fmt: skip
    wet = [row for row in seen if row["found"]["uptake"]]
    pair = np.array([(row["true"]["uptake"], row["found"]["uptake"]) for row in wet])
    error = pair[:, 1] - pair[:, 0]
    limits = np.exp(ratio.mean() + 1.96 * ratio.std(ddof=1) * np.array([-1, 1]))
    print(
        f"{name}: {len(part)}, seen {_of(len(seen), len(part))}, side {_share(side)}; "
        f"within {FACTOR}: {_share(near)} of those seen, {near.sum() / len(part):.2f} of all; "
        f"times {np.exp(ratio.mean()):.2f} ({limits[0]:.2f} to {limits[1]:.2f}); interval holds "
        f"{_share(held)}; uptake r {np.corrcoef(pair.T)[0, 1]:.2f}, "
        f"bias {100 * error.mean():+.1f}, SD {100 * error.std():.1f} points"
    )


def _aspects(acute: Rows) -> None:
    known = [row for row in acute if "aspects" in row["found"]]
    true = np.array([10 - sum(row["true"]["lost"]) for row in known])
    error = np.array([row["found"]["aspects"] for row in known]) - true
    print(
        f"ASPECTS: {len(known)}, within 1 {_share(np.abs(error) <= 1)}, within 2 "
        f"{_share(np.abs(error) <= 2)}, bias {error.mean():+.2f}, limits "
        f"{error.mean() - 1.96 * error.std():+.1f} to {error.mean() + 1.96 * error.std():+.1f}"
    )
    low = [i for i, score in enumerate(true) if score < 10]
    print(f"  true below 10: {len(low)}, within 1 {_share(np.abs(error[low]) <= 1)}")
    for at, name in enumerate(REGIONS):
        said = np.array([(row["found"]["regions"] or [0] * 10)[at] for row in known])
        lost = np.array([row["true"]["lost"][at] for row in known])
        print(f"  {name}: lost {lost.sum()}, said {said.sum()}, {kappa_told(lost, said)}")


def _territories(acute: Rows) -> None:
    """Print how far the territory said, none where no infarct is seen, is the one drawn."""
    told = [_whole(row["found"]["territory"]) for row in acute]
    true = [_whole(row["true"]["territory"]) for row in acute]
    for name in sorted(set(true)):
        lost, said = (np.array([one == name for one in names]) for names in (true, told))
        print(f"  {name}: drawn {lost.sum()}, said {said.sum()}, {kappa_told(lost, said)}")
    seen = [a == b for a, b in zip(told, true, strict=True) if a]
    print(f"territory right, of those seen: {_share(seen)}")


def _whole(territory: str | None) -> str | None:
    """Name the artery of a branch: what is deep in the MCA's territory or lacunar counts as its."""
    if territory is None:
        return None
    return "MCA" if territory.startswith("MCA") or territory == "lacunar" else territory


def kappa_told(one: NDArray[Any], other: NDArray[Any]) -> str:
    """Return kappa with its 95 % interval over resampled heads."""
    drawn = np.random.default_rng(0).integers(0, len(one), (RESAMPLES, len(one)))
    low, high = np.percentile([kappa(one[pick], other[pick]) for pick in drawn], [2.5, 97.5])
    return f"kappa {kappa(one, other):.2f} ({low:.2f} to {high:.2f})"


def kappa(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Return Cohen's kappa of two yes-or-no readings."""
    agree = float((one == other).mean())
    chance = float(one.mean() * other.mean() + (1 - one.mean()) * (1 - other.mean()))
    return (agree - chance) / max(1 - chance, 1e-9)


def _agreement(title: str, rows: Rows, name: str, *, logarithm: bool) -> None:
    pair = np.array([(row["true"][name], row["found"][name]) for row in rows
                     if name in row["found"]])  # fmt: skip
    r = np.corrcoef(np.log(pair).T if logarithm else pair.T)[0, 1]
    error = np.log(pair[:, 1] / pair[:, 0]) if logarithm else pair[:, 1] - pair[:, 0]
    ends = error.mean() + 1.96 * error.std(ddof=1) * np.array([-1, 1])
    if logarithm:
        ends = np.exp(ends)
    print(f"{title}: {len(pair)}, r {r:.2f}, limits {ends[0]:.2f} to {ends[1]:.2f}")


def _share(yes: Any) -> str:
    yes = np.asarray(yes, bool)
    return _of(int(yes.sum()), len(yes))


def _of(count: int, total: int) -> str:
    """Return a share with its 95 % interval (Wilson)."""
    from scipy.stats import binomtest

    if not total:
        return "n/a"
    ends = binomtest(count, total).proportion_ci(method="wilson")
    return f"{count / total:.2f} ({ends.low:.2f} to {ends.high:.2f})"


def main() -> None:
    """Measure heads that are not in the file yet, or print what it holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--heads", type=int, default=300)
    parser.add_argument("--seed", type=int, default=130300)
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--matrix", type=int, default=256)
    parser.add_argument("--summary", action="store_true")
    asked = parser.parse_args()
    there = asked.out.read_text().splitlines() if asked.out.exists() else []
    rows: Rows = [json.loads(line) for line in there]
    if asked.summary:
        summary(rows)
        return
    config = plan(asked.preset, asked.seed, asked.heads, asked.matrix)
    with asked.out.open("a") as file:
        for drawn in draw_heads(config, range(len(rows), asked.heads)):
            row: dict[str, Any] = {"number": drawn.number, "true": drawn.truth}
            if drawn.found is not None:
                row["found"] = measured(measure_signs(drawn.found))
            file.write(json.dumps(row) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
