"""A dataset, or a folder of stacks, as the one table of stacks that networks learn from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.classical.recipes import (
    RECIPES,
    needs_map,
    needs_record,
    needs_signs,
    refuse_settings,
)
from hemocast.classical.record import read_record
from hemocast.classical.signs import read_signs
from hemocast.config import AUTO, COMPARATORS, CTNETS, Config, PrepareConfig
from hemocast.dataset import Dataset
from hemocast.dataset.description import read_description, says_ours
from hemocast.dataset.maps import FOLDER, MAPS, map_name
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.split.leakage import Copy
from hemocast.dataset.stacks import PreparedScan, ScanFile, prepare_scans, scans_of
from hemocast.errors import (
    ConfigError,
    MissingExtra,
    NoMap,
    TableError,
    TooFewPatients,
    WorkerDied,
)
from hemocast.files import replacing
from hemocast.model.features import FEATURES, measure_features, measure_levels
from hemocast.nets import try_network
from hemocast.prepare.cells import CELLS
from hemocast.train import STACKS, StackTable, write_stacks
from hemocast.volume import FloatArray, Stack, StackRecord, from_levels

EXAMPLES = 24
"""Stacks kept in memory, for the check of the model's export above all."""
MEASURED = 600
"""Scans that are measured for the model's idea of a usual input."""


@dataclass(frozen=True)
class Cohort:
    """The patients of a dataset who have a label and a scan.

    Parameters
    ----------
    dataset : Dataset
        Where they are.
    scans : tuple of ScanFile
        All their scans.
    labels : mapping
        participant_id -> 1 (HT) or 0 (no HT).
    stacks : StackTable or None
        Their stacks, where the folder holds these in place of scans.
    maps : Path or None
        Folder of the scans' co-registered maps, where the model is told of them.
    """

    dataset: Dataset
    scans: tuple[ScanFile, ...]
    labels: Mapping[str, int]
    stacks: StackTable | None = None
    maps: Path | None = None

    @classmethod
    def of(cls, dataset: Dataset) -> Cohort:
        """Read it from a dataset, or from what ``hemocast simulate --format stacks`` writes.

        Raises
        ------
        NothingThere, DatasetError, TableError
            There is no dataset of Hemocast's, or its labels are missing or bad.
        """
        are_stacks = says_ours(read_description(dataset.root), "derivative")
        if not are_stacks:
            dataset.refuse_foreign()
        labels, stacks = dataset.labels(), None
        if are_stacks:
            stacks = StackTable.of_folder(dataset.root)
            scans = _named(stacks)
        else:
            scans = tuple(scan for scan in scans_of(dataset) if scan.participant_id in labels)
        with_scan = {scan.participant_id for scan in scans}
        known = {p: label for p, label in labels.items() if p in with_scan}
        return cls(dataset, scans, known, stacks)

    def told_for(self, config: Config) -> Cohort:
        """Return it with the scans' maps, where the model needs them.

        Raises
        ------
        NoMap
            It does, and there are none.
        """
        recipe = RECIPES.get(config.net.name)
        if recipe is None or not needs_map(recipe.views):
            return self
        root = self.dataset.root
        folder, there = root / FOLDER, (root / FOLDER).is_dir()
        if self.stacks is not None:
            folder, there = root, (root / MAPS).is_file()
        if not there:
            raise NoMap(
                f"{config.net.name} needs a map on the grid of every scan, and there are none",
                f"{FOLDER.as_posix()}/SCAN_ID_map.nii.gz in the dataset, or {MAPS} beside stacks",
                "Put them there, or take a model that sees the scan alone",
            )
        return replace(self, maps=folder)

    def __repr__(self) -> str:
        """One line: counts."""
        return f"Cohort({len(self.labels)} patients, {len(self.scans)} scans)"

    def sha256(self, config: Config | None = None) -> str:
        """Hash which scans with which labels these are, and what else a model is told of them."""
        rows = sorted(
            f"{scan.scan_id}\t{scan.scan_uid}\t{self.labels[scan.participant_id]}\n"
            for scan in self.scans
        )
        recipe = RECIPES.get(config.net.name) if config else None
        if (recipe and needs_record(recipe.views)) or (config and config.train.record):
            people = sorted(self.labels)
            record = read_record(self.dataset, people)
            rows += [
                f"{one}\t{row.tolist()}\n" for one, row in zip(people, record.values, strict=True)
            ]
        if recipe and needs_signs(recipe.views):
            names = sorted(scan.scan_id for scan in self.scans)
            signs = read_signs(self.dataset.root, names)
            rows += [
                f"{one}\t{row.tolist()}\n" for one, row in zip(names, signs.values, strict=True)
            ]
        return hashlib.sha256("".join([*rows, *self._map_rows()]).encode()).hexdigest()

    def _map_rows(self) -> list[str]:
        """Hash the maps, where there are any."""
        if self.maps is None:
            return []
        if self.stacks is not None:
            return [f"{hash_file(self.maps / MAPS)}\n"]
        named = [(scan.scan_id, self.maps / map_name(scan.scan_id)) for scan in self.scans]
        there = [(scan, path) for scan, path in named if path.is_file()]
        return sorted(f"{scan}\t{hash_file(path)}\n" for scan, path in there)

    def equal_stacks(self) -> tuple[Copy, ...]:
        """Find stacks that are one under two names, to the last pixel."""
        first: dict[str, str] = {}
        copies = []
        for scan in self.scans:
            other = first.setdefault(scan.scan_uid, scan.scan_id)
            if other != scan.scan_id:
                copies.append(Copy(other, scan.scan_id, True, 1.0))
        return tuple(copies)


@dataclass(frozen=True)
class Prepared:
    """What a cohort's scans became.

    Parameters
    ----------
    table : StackTable
        The stacks.
    examples : list of Stack
        A few to learn from.
    refused : tuple of PreparedScan
        Scans without a stack, with the reason.
    measured : ndarray of float64, shape (n, features)
        `measure_features` of up to `MEASURED` scans to learn from.
    """

    table: StackTable
    examples: list[Stack]
    refused: tuple[PreparedScan, ...]
    measured: NDArray[np.float64]


def prepare_cohort(
    cohort: Cohort,
    settings: PrepareConfig,
    folder: Path,
    *,
    learned: Collection[str],
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Prepare all scans of a cohort into one array; where they are stacks already, take those.

    Parameters
    ----------
    cohort : Cohort
    settings : PrepareConfig
        How; stacks must have been made so.
    folder : Path
        For the array.
    learned : collection of str
        Patients from whom the examples may be.
    workers : int
        Processes.
    progress : callable, optional
        Called with scans done and scans in all.

    Raises
    ------
    ConfigError
        The stacks were made with other settings.
    TooFewPatients
        Every scan was refused.
    WorkerDied
        A process that prepared was ended from outside.
    """
    if cohort.stacks is not None:
        _check_prepared(cohort.stacks, settings)
        return _of_stacks(cohort.dataset, cohort.stacks, settings, learned)
    kept = _Kept(frozenset(learned), settings.window)
    prepared = _alive(
        prepare_scans(cohort.dataset, cohort.scans, settings, workers=workers, maps=cohort.maps)
    )
    count = len(cohort.scans)
    rows = write_stacks(kept.stacks(prepared, count, progress), count, folder / STACKS)
    if cohort.maps is not None:
        kept.write_maps(count, folder / MAPS)
    left = [cohort.scans[row] for row in rows]
    table = StackTable(
        folder / STACKS,
        tuple(scan.participant_id for scan in left),
        tuple(scan.scan_id for scan in left),
        tuple(cohort.labels[scan.participant_id] for scan in left),
        rows,
        cohort.dataset.root,
    )
    return Prepared(table, kept.examples, tuple(kept.refused), _table(kept.measured))


def _of_stacks(
    dataset: Dataset, stacks: StackTable, settings: PrepareConfig, learned: Collection[str]
) -> Prepared:
    """Take stacks as they are; the distance of the slices is what their table says, if it does."""
    import pandas as pd

    scans = dataset.table("scans")
    known: dict[str, float] = {}
    if "slice_mm" in scans:
        numbers = pd.to_numeric(scans["slice_mm"], errors="coerce")
        known = dict(zip(scans["scan_id"], numbers, strict=True))
    learn = stacks.of(learned)
    array = learn.open()
    examples = [stack_of(array[row], settings) for row in learn.rows[:EXAMPLES]]
    spacing = (settings.frame_mm, settings.pixel_mm, settings.pixel_mm)
    usual = [
        measure_levels(array[row], spacing, settings.window, known.get(scan, np.nan))
        for scan, row in zip(learn.scan_id[:MEASURED], learn.rows, strict=False)
    ]
    return Prepared(stacks, examples, (), _table(usual))


@dataclass
class _Kept:
    """What is kept of scans while their stacks go by.

    Parameters
    ----------
    people : frozenset of str
        Patients to learn from.
    window : tuple of float
        HU of the levels 0 and 1.
    """

    people: frozenset[str]
    window: tuple[float, float]
    examples: list[Stack] = field(default_factory=list)
    measured: list[NDArray[np.float64]] = field(default_factory=list)
    refused: list[PreparedScan] = field(default_factory=list)
    cells: dict[int, FloatArray] = field(default_factory=dict)

    def write_maps(self, count: int, path: Path) -> None:
        """Write the means of the maps, a row a scan, empty where it was refused."""
        maps = np.full((count, *CELLS), np.nan, np.float32)
        for row, cells in self.cells.items():
            maps[row] = cells
        with replacing(path) as draft, draft.open("wb") as file:
            np.save(file, maps, allow_pickle=False)

    def stacks(
        self,
        prepared: Iterable[PreparedScan],
        count: int,
        progress: Callable[[int, int], None] | None,
    ) -> Iterator[Stack | None]:
        """Pass on each scan's stack, or None where it was refused; refuse where all were."""
        for done, item in enumerate(prepared, start=1):
            if item.stack is None:
                self.refused.append(item)
            elif item.scan.participant_id in self.people and len(self.measured) < MEASURED:
                self.measured.append(measure_features(item.stack, self.window))
                if len(self.examples) < EXAMPLES:
                    self.examples.append(item.stack)
            if item.cells is not None:
                self.cells[done - 1] = item.cells
            if progress:
                progress(done, count)
            yield item.stack
        if len(self.refused) == count:
            raise TooFewPatients(
                f"All {count} scans were refused, the first because: {self.refused[0].error}",
                "head CTs that can be prepared",
                "See the reasons and check the scans",
            )


def _table(measured: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.array(measured, np.float64).reshape(-1, len(FEATURES))


def try_model(config: Config) -> None:
    """Refuse, before any work, a model that cannot be built from the settings; see `try_network`.

    Raises
    ------
    MissingExtra, ConfigError
        What it needs is not installed, there is none of that name, or it cannot take a record, or
        have site effects taken out.
    """
    refuse_settings(config)
    if config.train.encoder == AUTO:
        from hemocast.train.choice import candidates

        for one in candidates(config):
            try_model(one)
    elif config.net.name not in RECIPES:
        try_network(config.net, config.prepare)
    elif find_spec("sklearn") is None:
        raise MissingExtra(
            "Models from measurements need scikit-learn, which is not installed",
            "the extra `train`",
            'Install it with: pip install "hemocast[train]"',
        )


def bytes_of(cohort: Cohort, config: Config) -> int:
    """Estimate what preparing and training will write: stacks, the cache, the network's inputs."""
    prepare, net = config.prepare, config.net
    ours = net.name in (*CTNETS, *COMPARATORS)
    pooled = net.pool**2 / (1 + net.mirror + net.relief) if ours else 1
    stacks = 0.0 if cohort.stacks else 1.5
    return round(len(cohort.scans) * prepare.frames * prepare.size**2 * (stacks + 4 / pooled))


def hash_file(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _alive(prepared: Iterator[PreparedScan]) -> Iterator[PreparedScan]:
    """Pass on what the workers give; say of what one died."""
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        yield from prepared
    except BrokenProcessPool as error:
        how = re.search(r"SIG\w+|EXIT\(\d+\)", str(error))
        raise WorkerDied(
            f"A process that prepared scans was ended from outside: {how[0] if how else 'how?'}",
            "processes that are not ended; the system ends one, by SIGKILL, when memory runs out",
            "Run again with fewer --workers: what is prepared stays",
        ) from error


def _named(table: StackTable) -> tuple[ScanFile, ...]:
    """Name the scans of a table of stacks; what identifies one is its pixels."""
    array = table.open()
    named = []
    for scan_id, row in zip(table.scan_id, table.rows, strict=True):
        scan = ScanId.parse(scan_id)
        if scan is None:
            raise TableError(
                "scans.tsv holds a scan_id of another form",
                "sub-NAME_ses-NUMBER",
                "Simulate the cohort again",
            )
        uid = hashlib.sha256(np.ascontiguousarray(array[row]).data).hexdigest()
        named.append(ScanFile(scan, uid, table.array))
    return tuple(named)


def _check_prepared(table: StackTable, settings: PrepareConfig) -> None:
    shape = table.open().shape[1:]
    wanted = (settings.frames, settings.size, settings.size)
    usual = settings.model_copy(update={"frames": 28, "size": 192}) == PrepareConfig()
    if shape != wanted or not usual:
        raise ConfigError(
            f"The stacks hold {shape[0]} frames of {shape[1]} x {shape[2]} pixels as 'hemocast "
            "simulate' makes them; the settings under prepare ask for others",
            "the settings that the stacks were made with",
            "Leave prepare out of the settings file, or train on a dataset, whose scans are "
            "prepared as asked",
        )


def stack_of(levels: NDArray[np.uint8], settings: PrepareConfig) -> Stack:
    """Return a stack of which only the levels are kept; the brain is what they enclose.

    Parameters
    ----------
    levels : ndarray of uint8, shape (frames, size, size)
    settings : PrepareConfig
        What they were prepared with.
    """
    around = ndimage.binary_closing(levels > 0, np.ones((1, 3, 3)), iterations=3)
    brain = np.stack([ndimage.binary_fill_holes(frame) for frame in around])
    spacing = (settings.pixel_mm, settings.pixel_mm, settings.frame_mm)
    brain_ml = float(brain.sum() * np.prod(spacing) / 1000)
    record = StackRecord("", settings.hash(), (0, 0, 0), (0, 0, 0), brain_ml, 0, 0, 0.0)
    return Stack(from_levels(levels), brain, np.diag([*spacing, 1.0]), record)
