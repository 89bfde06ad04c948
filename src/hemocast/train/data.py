"""The stacks to learn from: one memory-mapped array and a table of scans."""

from __future__ import annotations

import filecmp
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.images import maps_of
from hemocast.classical.measurements import Measurements
from hemocast.classical.record import read_record
from hemocast.classical.signs import read_signs
from hemocast.config import TrainConfig
from hemocast.dataset.layout import Dataset
from hemocast.dataset.maps import MAPS
from hemocast.dataset.split.by_patient import split_patients
from hemocast.dataset.split.draw import sites_of
from hemocast.errors import NoMap, NothingThere, OutputExists, TableError, TooFewPatients
from hemocast.files import replacing
from hemocast.prepare.cells import CELLS
from hemocast.volume import FloatArray, Stack, from_levels, to_levels

STACKS = "stacks.npy"
"""Name of the array."""
RARE = 0.25
"""Share of a class below which `class_weights` calls it rare."""


@dataclass(frozen=True)
class StackTable:
    """Scans with their labels, and where their stacks lie.

    Parameters
    ----------
    array : Path
        A ``.npy`` file, uint8 (n, frames, H, W), as `write_stacks` writes it.
    participant_id, scan_id : tuple of str
        One each per scan.
    label : tuple of int
        1 HT, 0 no HT, per scan.
    rows : tuple of int
        Row of the array of each scan; empty: scan i is row i.
    dataset : Path or None
        The folder whose tables hold the patients' clinical record; None: the array's.

    Raises
    ------
    TableError
        Columns of different length, a label that is neither 0 nor 1, or a scan that comes twice.
    """

    array: Path
    participant_id: tuple[str, ...]
    scan_id: tuple[str, ...]
    label: tuple[int, ...]
    rows: tuple[int, ...] = field(default=())
    dataset: Path | None = None

    def __post_init__(self) -> None:
        if not self.rows:
            object.__setattr__(self, "rows", tuple(range(len(self.scan_id))))
        lengths = {len(self.participant_id), len(self.scan_id), len(self.label), len(self.rows)}
        if len(lengths) != 1:
            raise TableError(
                f"The columns of the table of scans have {sorted(lengths)} entries",
                "one entry per scan in each",
                "Build the table again from the dataset",
            )
        if wrong := sorted(set(self.label) - {0, 1}):
            raise TableError(f"Labels hold {wrong}", "1 (HT) or 0 (no HT)", "Correct the labels")
        if twice := [scan for scan, count in Counter(self.scan_id).items() if count > 1]:
            raise TableError(
                f"{len(twice)} scan(s) come more than once, {twice[0]} for one",
                "every scan once",
                "Remove the repeated rows",
            )

    @classmethod
    def of_folder(cls, folder: Path) -> StackTable:
        """Read what ``hemocast simulate --format stacks`` writes: the scans with a label.

        Scans that show blood are left out, as preparation refuses them.

        Parameters
        ----------
        folder : Path
            With ``stacks.npy``, ``scans.tsv`` (columns participant_id, scan_id, row) and
            ``labels.tsv``.

        Raises
        ------
        NothingThere, TableError
            A file is missing or bad, or the tables name rows that the array does not have.
        """
        dataset = Dataset(folder)
        labels, scans = dataset.labels(), dataset.table("scans")
        if lacking := {"participant_id", "scan_id", "row"} - set(scans.columns):
            raise TableError(
                f"scans.tsv lacks column(s) {', '.join(sorted(lacking))}",
                "participant_id, scan_id and row, as 'hemocast simulate --format stacks' writes",
                "Give a folder of stacks, or a dataset",
            )
        bleeding = scans["blood"] == "1" if "blood" in scans else False
        scans = scans[scans["participant_id"].isin(labels.keys()) & ~bleeding]
        array = folder / STACKS
        rows = tuple(int(row) if row.isdecimal() else -1 for row in scans["row"])
        table = cls(
            array,
            tuple(scans["participant_id"]),
            tuple(scans["scan_id"]),
            tuple(labels[patient] for patient in scans["participant_id"]),
            rows,
        )
        stacks = table.open()
        if (
            stacks.dtype != np.uint8
            or stacks.ndim != 4
            or not set(rows) <= set(range(len(stacks)))
            or len(set(rows)) < len(rows)
        ):
            raise TableError(
                f"{STACKS} and scans.tsv do not belong together",
                "8-bit stacks (scans, frames, rows, columns), and for every scan a row of its own",
                "Simulate the cohort again",
            )
        return table

    def __len__(self) -> int:
        """Count the scans."""
        return len(self.scan_id)

    @property
    def participants(self) -> tuple[str, ...]:
        """Every patient once, sorted."""
        return tuple(sorted(set(self.participant_id)))

    def open(self) -> NDArray[np.uint8]:
        """Return the array, memory-mapped: (n, frames, H, W), row ``rows[i]`` for scan i.

        Raises
        ------
        NothingThere, TableError
            The file is not there, or no array.
        """
        try:
            return np.load(self.array, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]
        except FileNotFoundError as error:
            raise NothingThere(
                f"There is no {self.array.name}", "the stacks beside their tables", "Check the path"
            ) from error
        except (ValueError, EOFError) as error:
            raise TableError(
                f"{self.array.name} is no whole array", "a NumPy file", "Make the stacks again"
            ) from error

    def of(self, participants: Iterable[str]) -> StackTable:
        """Return the scans of some patients, over the same array."""
        wanted = set(participants)
        keep = [i for i, patient in enumerate(self.participant_id) if patient in wanted]
        return StackTable(
            self.array,
            tuple(self.participant_id[i] for i in keep),
            tuple(self.scan_id[i] for i in keep),
            tuple(self.label[i] for i in keep),
            tuple(self.rows[i] for i in keep),
            self.dataset,
        )

    def frames(self) -> Iterator[FloatArray]:
        """Give the scans' frames (frames, H, W) in [0, 1], one after the other."""
        levels = self.open()
        return (from_levels(levels[row]) for row in self.rows)

    def record(self) -> Measurements:
        """Give the clinical record of every scan's patient; see `read_record`.

        Raises
        ------
        TableError
            A table with cells that cannot be.
        """
        return read_record(Dataset(self.dataset or self.array.parent), self.participant_id)

    def sites(self) -> tuple[str, ...]:
        """Give where every scan's patient was scanned, from ``participants.tsv``.

        Raises
        ------
        TableError
            It is not known of some.
        """
        known = sites_of(Dataset(self.dataset or self.array.parent))
        if lacking := set(self.participant_id) - set(known):
            raise TableError(
                f"{len(lacking)} patient(s) without a site",
                "a site for every patient, for what is fitted site by site",
                "Complete the column site of participants.tsv",
            )
        return tuple(known[one] for one in self.participant_id)

    def maps(self) -> Measurements:
        """Give the co-registered map of every scan, from `MAPS` beside the array.

        Raises
        ------
        NoMap
            There are none.
        TableError
            They are not of these stacks, or a scan's is missing.
        """
        path = self.array.with_name(MAPS)
        if not path.is_file():
            raise NoMap(
                "There are no co-registered maps of these scans",
                f"{MAPS} beside the stacks, or derivatives/maps in the dataset",
                "Put them there, or take a model that sees the scan alone",
            )
        try:
            cells = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise TableError(
                f"{MAPS} is no whole array", "a NumPy file", "Make it again"
            ) from error
        fits = cells.dtype == np.float32 and cells.shape == (len(self.open()), *CELLS)
        found = np.array(cells[list(self.rows)]) if fits else np.full((1, *CELLS), np.nan)
        seen = np.isfinite(found)
        if np.isinf(found).any() or not seen.any(axis=(1, 2, 3)).all():
            raise TableError(
                f"{MAPS} does not belong to the stacks, or lacks a scan's map",
                f"float32 (stacks, {', '.join(map(str, CELLS))}), numbers within the brain",
                "Make it again",
            )
        return maps_of(found)

    def signs(self) -> Measurements:
        """Give the signs of every scan; see `hemocast.classical.signs.read_signs`.

        Raises
        ------
        NoSigns, TableError
            There are none, or they cannot be read.
        """
        return read_signs(self.dataset or self.array.parent, self.scan_id)

    def patient_labels(self) -> dict[str, int]:
        """participant_id -> 1 if any of the patient's scans is labelled HT."""
        labels: dict[str, int] = {}
        for patient, label in zip(self.participant_id, self.label, strict=True):
            labels[patient] = max(label, labels.get(patient, 0))
        return labels

    def patient_weights(self) -> NDArray[np.float32]:
        """One weight per scan, with sum 1 over each patient: every patient counts once."""
        scans = Counter(self.participant_id)
        return np.array([1 / scans[patient] for patient in self.participant_id], np.float32)

    def content_hash(
        self, record: Measurements | None = None, *of_scans: Measurements | None
    ) -> str:
        """SHA-256 over pictures, patients and labels, whatever the order of the scans.

        Parameters
        ----------
        record : Measurements, optional
            What else is known of every scan's patient, where a model is told of it.
        *of_scans : Measurements, optional
            What else is known of every scan, a map or signs, likewise.
        """
        array = self.open()
        digest = hashlib.sha256()
        for i in sorted(range(len(self)), key=self.scan_id.__getitem__):
            digest.update(
                f"{self.participant_id[i]}\t{self.scan_id[i]}\t{self.label[i]}\n".encode()
            )
            digest.update(np.ascontiguousarray(array[self.rows[i]]).data)
            for told in of_scans:
                if told is not None:
                    digest.update(np.ascontiguousarray(told.values[i]).data)
        if record is None:
            return digest.hexdigest()
        lines = {
            f"{patient}\t{values.tolist()}"
            for patient, values in zip(self.participant_id, record.values, strict=True)
        }
        known = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
        return hashlib.sha256((digest.hexdigest() + known).encode()).hexdigest()


def seed_of(*parts: int) -> int:
    """Return one seed from several numbers, as unlike the seeds of other numbers as can be."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint32)[0])


def inner_parts(
    labels: Mapping[str, int], settings: TrainConfig, validation: Collection[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Divide patients into a training part and the inner validation part that picks the epoch.

    Parameters
    ----------
    labels : mapping
        participant_id -> 1 (HT) or 0 (no HT).
    settings : TrainConfig
        Seed and fraction, where the validation part is to be drawn.
    validation : collection of str
        Its patients, where somebody chose them.

    Raises
    ------
    TooFewPatients
        A part has no patient of a class.
    """
    if not validation:
        fraction, seed = settings.validation_fraction, seed_of(settings.seed, 3)
        drawn = split_patients(labels, fraction, seed, "inner").parts
        return drawn["train"], drawn["test"]
    held = tuple(sorted(set(validation) & labels.keys()))
    train = tuple(sorted(labels.keys() - set(held)))
    for part, people in (("training", train), ("validation", held)):
        if len({labels[patient] for patient in people}) < 2:
            raise TooFewPatients(
                f"The {part} part lacks labelled patients of a class",
                "patients with and without HT in each part",
                "Check the split's table and the dataset's labels",
            )
    return train, held


def class_weights(
    labels: Mapping[str, int], rule: Literal["auto", "none", "balanced"]
) -> tuple[float, float]:
    """Weigh patients without and with HT in the training loss.

    The calibration knows nothing of it: probabilities are those of the patients as they come.

    Parameters
    ----------
    labels : mapping
        participant_id -> 1 (HT) or 0 (no HT), of both classes.
    rule : str
        ``none``: all alike. ``balanced``: both classes count alike together. ``auto``: balanced
        where the rarer class has less than `RARE` of the patients, else none.
    """
    n, positive = len(labels), sum(labels.values())
    if rule == "none" or (rule == "auto" and min(positive, n - positive) >= RARE * n):
        return 1.0, 1.0
    return n / (2 * (n - positive)), n / (2 * positive)


def write_stacks(stacks: Iterable[Stack | None], count: int, path: Path) -> tuple[int, ...]:
    """Write the frames of stacks into one ``.npy`` file, one stack in memory at a time.

    Parameters
    ----------
    stacks : iterable of Stack or None
        All of one shape, at least one; None leaves its row empty.
    count : int
        How many there are, empty ones too.
    path : Path
        Written whole or not at all, and never over other stacks.

    Returns
    -------
    tuple of int
        The rows that are not empty.

    Raises
    ------
    ValueError
        Shapes differ, there are not ``count`` stacks, or all rows are empty.
    OutputExists
        Other stacks are there.
    """
    array: NDArray[np.uint8] | None = None
    rows: list[int] = []
    seen = 0
    with replacing(path) as draft:
        for row, stack in enumerate(stacks):
            seen = row + 1
            if stack is None:
                continue
            if array is None:
                shape = (count, *stack.frames.shape)
                array = np.lib.format.open_memmap(draft, mode="w+", dtype=np.uint8, shape=shape)
            if seen > count or stack.frames.shape != array.shape[1:]:
                raise ValueError(f"stack {row} does not fit an array of shape {array.shape}")
            array[row] = to_levels(stack.frames)
            rows.append(row)
        if seen != count or array is None:
            raise ValueError(f"{seen} stacks, {len(rows)} not empty, where {count} were announced")
        array.flush()  # type: ignore[attr-defined]
        if path.exists() and not filecmp.cmp(draft, path, shallow=False):
            raise OutputExists(
                f"Other stacks than these are there as {path.name}",
                "none, or the same",
                "Give this training another name",
            )
    return tuple(rows)
