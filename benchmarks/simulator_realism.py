"""Whether simulated heads spread as four real ones do, feature by feature, after preparation.

Run: ``python benchmarks/simulator_realism.py FOLDER [--heads 60] [--kind scans]``. Features and
real values are those of the folder ``reference`` beside the real test data (``real_head_features``:
``.py`` defines, ``.csv`` lists them; set ``HEMOCAST_TEST_DATA``). ``scans``: each head is scanned,
written as DICOM, read and prepared as any scan is; ``stacks``: rendered straight as a Stack. FOLDER
keeps one line a head, so that a run that was stopped goes on.

A feature passes where its simulated 5 to 95 % range holds all real values, and its simulated SD is
at most twice theirs.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from hemocast import files
from hemocast.config import PrepareConfig, SimulateConfig
from hemocast.dicom import CTHeader, make_uid, read, write_ct
from hemocast.prepare import prepare
from hemocast.simulate import Patient, draw_cohort, scan_patient
from hemocast.simulate.epidemiology.patients import noise_rng, patient_head
from hemocast.simulate.scanner.stack import render_stack
from hemocast.version import SIMULATOR_VERSION
from hemocast.volume import Stack, to_levels

PREPARE = PrepareConfig()


@dataclass(frozen=True)
class Row:
    """One feature: the real heads' values and the simulated ones'."""

    name: str
    real: NDArray[np.float64]
    simulated: NDArray[np.float64]

    @property
    def range(self) -> tuple[float, float]:
        """The simulated 5 to 95 %."""
        low, high = np.percentile(self.simulated, [5, 95])
        return float(low), float(high)

    @property
    def outside(self) -> list[float]:
        """Real values out of that range."""
        low, high = self.range
        return [float(value) for value in self.real if not low <= value <= high]

    @property
    def ratio(self) -> float:
        """Simulated SD over the real heads'."""
        return float(self.simulated.std(ddof=1) / self.real.std(ddof=1))

    @property
    def passes(self) -> bool:
        """Whether the feature is as wide as the real heads, and not too wide."""
        return not self.outside and self.ratio <= 2


def reference() -> Path:
    """Return the folder of other people's numbers, beside the real test data."""
    return Path(os.environ.get("HEMOCAST_TEST_DATA", "../shared/data")).parent / "reference"


def definitions(folder: Path) -> ModuleType:
    """Load the program that defines the features."""
    spec = importlib.util.spec_from_file_location("real_heads", folder / "real_head_features.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(folder)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def real_values(folder: Path) -> dict[str, NDArray[np.float64]]:
    """Return the real heads' values by feature."""
    with (folder / "real_head_features.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name.startswith("real")]
    return {row["feature"]: np.array([float(row[name]) for name in names]) for row in rows}


def cohort(heads: int, seed: int) -> tuple[SimulateConfig, list[Patient]]:
    """Return patients of the paper's kind, as models learn from."""
    config = SimulateConfig(seed=seed, n_ht=-(-heads // 2), n_non=max(1, heads // 2))
    return config, list(draw_cohort(config))[:heads]


def scanned(config: SimulateConfig, patient: Patient) -> Stack:
    """Scan, write as DICOM, read, prepare."""
    frames = scan_patient(config, patient, patient.scans[0])
    header = CTHeader("S", "SIMULATED^S", make_uid("s"), make_uid("s", 1),
                      series_description="SIMULATED HEAD",
                      gantry_tilt=patient.scans[0].protocol.tilt_degrees,
                      slice_thickness=frames.thickness_mm)  # fmt: skip
    spacing = (frames.pixel_mm, frames.pixel_mm)
    with tempfile.TemporaryDirectory() as scratch:
        write_ct(frames.hu, frames.positions, frames.orientation, spacing, header, Path(scratch))
        return prepare(read(Path(scratch)), PREPARE)


def straight(config: SimulateConfig, patient: Patient) -> Stack:
    """Render a Stack."""
    scan = patient.scans[0]
    head, rng = patient_head(config, patient, scan), noise_rng(config, scan)
    return render_stack(head, scan.protocol, PREPARE, rng)


def measured(kind: str, heads: int, seed: int, folder: Path) -> list[dict[str, float]]:
    """Return the features of every head, from `folder` where they are known."""
    features = definitions(reference()).head_features
    make = scanned if kind == "scans" else straight
    config, patients = cohort(heads, seed)
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for patient in patients:
        name = f"{kind}-{SIMULATOR_VERSION}-{seed}-{heads}-{patient.patient_id}.json"
        path = folder / name
        if not path.exists():
            stack = make(config, patient)
            files.write_text(path, json.dumps(features(to_levels(stack.frames))))
        found.append(json.loads(path.read_text(encoding="utf-8")))
    return found


def telling(rows: list[Row]) -> float:
    """Return the AUC of a nearest-mean classifier, each real head left out in turn.

    Features are scaled by the simulated SD; four real heads are far too few for more than a hint.
    """
    simulated = np.stack([row.simulated for row in rows], axis=1)
    middle, spread = simulated.mean(axis=0), simulated.std(axis=0, ddof=1) + 1e-9
    simulated = (simulated - middle) / spread
    real = (np.stack([row.real for row in rows], axis=1) - middle) / spread
    wins = []
    for k, one in enumerate(real):
        way = np.delete(real, k, axis=0).mean(axis=0)
        wins.append(np.mean(one @ way > simulated @ way))
    return float(np.mean(wins))


def report(rows: list[Row], kind: str) -> None:
    """Print the table."""
    print(f"{kind}, simulator {SIMULATOR_VERSION}, {len(rows[0].simulated)} heads")
    print("| feature | real | simulated 5-95 % | SD ratio | |\n|---|---|---|---|---|")
    for row in rows:
        low, high = row.range
        reals = ", ".join(f"{value:.3f}" for value in row.real)
        words = "" if row.passes else "; ".join(
            [f"{value:.3f} outside" for value in row.outside]
            + ([f"SD {row.ratio:.2f} times"] if row.ratio > 2 else [])
        )  # fmt: skip
        print(f"| {row.name} | {reals} | {low:.3f}-{high:.3f} | {row.ratio:.2f} | {words} |")
    passed = sum(row.passes for row in rows)
    print(f"{passed} of {len(rows)} pass; nearest-mean AUC of real against simulated, one left out "
          f"in turn, {telling(rows):.2f} (4 real heads: a hint)")  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--heads", type=int, default=60)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--kind", choices=("scans", "stacks"), default="scans")
    given = parser.parse_args()
    found = measured(given.kind, given.heads, given.seed, given.folder)
    real = real_values(reference())
    rows = [
        Row(name, real[name], np.array([one[name] for one in found], dtype=np.float64))
        for name in found[0]
    ]
    report(rows, given.kind)


if __name__ == "__main__":
    main()
