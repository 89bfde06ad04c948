"""The reader of pre-training: simulated scans with what a perfect reader would mark on them.

It opens three files of a cohort that ``hemocast simulate --format stacks`` wrote, and no other: no
label, no grade, no risk and nothing that they were computed from but what a scan shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemocast.errors import NothingThere, TableError
from hemocast.nets.hemispheres import FINDINGS
from hemocast.tables import read_table
from hemocast.volume import BoolArray, FloatArray

STACKS, LESIONS, TABLE = "stacks/stacks.npy", "findings/lesions.npy", "findings/findings.tsv"

COLUMNS = (
    "scan_id", "row", "side", "volume_ml", "water_uptake", "aspects", "hyperdense_artery",
    "van_swieten", "age",
)  # fmt: skip
"""All that the table may hold."""

VOLUME_MIDDLE, VOLUME_SPREAD = 3.0, 1.4
"""Of the logarithm of the volume in mL, for a finding about 0 with a spread of about 1."""

UPTAKE_MIDDLE, UPTAKE_SPREAD = -2.0, 0.8
"""Of the logarithm of the water uptake, for a finding about 0 with a spread of about 1."""


@dataclass(frozen=True)
class FindingsTable:
    """Simulated scans and their findings.

    Parameters
    ----------
    cohort : Path
        The cohort's folder.
    target : ndarray of float32, shape (n, len(FINDINGS))
        What the network is to say of every scan.
    left : ndarray of float32, shape (n,)
        1 where the infarct is on the left.
    volume_ml, water_uptake : ndarray of float32, shape (n,)
        As they are.
    """

    cohort: Path
    target: FloatArray
    left: FloatArray
    volume_ml: FloatArray
    water_uptake: FloatArray

    @classmethod
    def of_cohort(cls, cohort: Path) -> FindingsTable:
        """Read a cohort's findings.

        Raises
        ------
        NothingThere, TableError
            A file is missing or bad, or the table holds a column that it must not.
        """
        table = read_table(cohort / TABLE, TABLE)
        if set(table.columns) != set(COLUMNS):
            raise TableError(
                f"{TABLE} has other columns than findings",
                f"{', '.join(COLUMNS)}, and nothing of an outcome",
                "Simulate the cohort again with --format stacks",
            )
        try:
            number = {
                name: table[name].to_numpy(np.float32)
                for name in COLUMNS
                if name not in ("scan_id", "side")
            }
        except ValueError as error:
            raise TableError(
                f"{TABLE} holds cells that are no numbers", "numbers", "Simulate the cohort again"
            ) from error
        lost = np.maximum(0, 7 - number["aspects"]) / 2
        target = {
            "volume": (np.log(number["volume_ml"]) - VOLUME_MIDDLE) / VOLUME_SPREAD,
            "water_uptake": uptake_level(number["water_uptake"]),
            "aspects": (number["aspects"] - 8) / 2.5,
            "low_aspects": np.minimum(lost, 3),
            "hyperdense_artery": number["hyperdense_artery"],
            "leukoaraiosis": (number["van_swieten"] >= 1).astype(np.float32),
            "severe_leukoaraiosis": (number["van_swieten"] >= 3).astype(np.float32),
            "age": (number["age"] - 62) / 12,
        }
        made = cls(
            cohort,
            np.stack([target[name] for name in FINDINGS], 1).astype(np.float32),
            np.asarray(table["side"] == "left", np.float32),
            number["volume_ml"],
            number["water_uptake"],
        )
        if not np.array_equal(number["row"], np.arange(len(made))) or {
            len(made.open(name)) for name in (STACKS, LESIONS)
        } != {len(made)}:
            raise TableError(
                "The arrays of the cohort and its table of findings do not belong together",
                "a row of each array for every row of the table, in its order",
                "Simulate the cohort again",
            )
        return made

    def __len__(self) -> int:
        """Count the scans."""
        return len(self.left)

    def open(self, name: str) -> NDArray[np.uint8]:
        """Return `STACKS` or `LESIONS`, memory-mapped.

        Raises
        ------
        NothingThere, TableError
            The file is not there, or no array; or another file is asked for.
        """
        if name not in (STACKS, LESIONS):
            raise TableError(
                "Pre-training asked for a file that is none of its own",
                f"{STACKS} or {LESIONS}",
                "Report this",
            )
        try:
            return np.load(self.cohort / name, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]
        except FileNotFoundError as error:
            raise NothingThere(
                f"There is no {name} in the cohort",
                "a cohort as 'hemocast simulate --format stacks' writes it",
                "Run that command on the folder again: it adds what is missing",
            ) from error
        except (ValueError, EOFError) as error:
            raise TableError(
                f"{name} is no whole array", "a NumPy file", "Simulate the cohort again"
            ) from error

    def infarct(self, row: int) -> BoolArray:
        """Return which voxels of a stack are infarcted, (frames, H, W)."""
        width = self.open(STACKS).shape[-1]
        bits = np.unpackbits(self.open(LESIONS)[row], axis=-1, count=width)
        return bits.astype(np.bool_)


def uptake_level(water_uptake: FloatArray) -> FloatArray:
    """Return the finding that stands for a net water uptake, 0 to 1."""
    return np.asarray((np.log(np.maximum(water_uptake, 1e-3)) - UPTAKE_MIDDLE) / UPTAKE_SPREAD)
