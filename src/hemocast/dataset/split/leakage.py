"""Does anything of the test part lie in the training part? Patients, and scans under two names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations
from pathlib import Path

import numpy as np

from hemocast.dataset.layout import Dataset, nifti_of
from hemocast.dataset.scan_id import participant_of
from hemocast.dataset.split.fingerprint import (
    FLIPS,
    SAME_OUTLINE,
    SAME_TEXTURE,
    Fingerprint,
    fingerprint,
    flip_outline,
    flip_slices,
    similarity,
    texture,
)
from hemocast.errors import LeakageError
from hemocast.volume import FloatArray

Progress = Callable[[int, int], None]
BLOCK = 1024  # scans compared with all others at a time
NAMED = 50


@dataclass(frozen=True)
class Copy:
    """Two names for one scan.

    Parameters
    ----------
    first, second : str
        scan_ids.
    exact : bool
        The CT numbers are the same to the last pixel.
    similarity : float
        Correlation of their textures; 1 where exact.
    """

    first: str
    second: str
    exact: bool
    similarity: float


@dataclass(frozen=True)
class Overlap:
    """Patients that two parts share.

    Parameters
    ----------
    first, second : str
        Parts.
    patients : tuple of str
        Who is in both, sorted.
    share_of_first, share_of_second : float
        As a fraction of each part's patients.
    """

    first: str
    second: str
    patients: tuple[str, ...]
    share_of_first: float
    share_of_second: float


@dataclass(frozen=True)
class LeakageReport:
    """What was found.

    Parameters
    ----------
    overlaps : tuple of Overlap
        Every pair of parts, also those that share nobody.
    copies_between : tuple of Copy
        The same scan in two parts: a leak, though the patients have two names.
    copies_within : tuple of Copy
        The same scan twice in one part: no leak, but counted twice.
    n_scans : int
        Scans whose pixels were compared; 0 where none were.
    """

    overlaps: tuple[Overlap, ...]
    copies_between: tuple[Copy, ...] = ()
    copies_within: tuple[Copy, ...] = ()
    n_scans: int = 0

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Everybody in more than one part, by name or by pixels, sorted."""
        named = {patient for overlap in self.overlaps for patient in overlap.patients}
        copied = {
            participant_of(scan)
            for copy in self.copies_between
            for scan in (copy.first, copy.second)
        }
        return tuple(sorted(named | copied))

    @property
    def leaks(self) -> bool:
        """Something of one part lies in another."""
        return bool(self.patients)


def check_leakage(
    parts: Mapping[str, Sequence[str]], copies: Sequence[Copy] = (), n_scans: int = 0
) -> LeakageReport:
    """Look for patients, and scans under two names, in more than one part.

    Parameters
    ----------
    parts : mapping of str to sequence of str
        Part -> participant ids, as `read_parts` gives them.
    copies : sequence of Copy
        From `find_copies`.
    n_scans : int
        Scans that were compared for it.
    """
    members = {part: set(patients) for part, patients in parts.items()}
    overlaps = []
    for first, second in combinations(members, 2):
        shared = tuple(sorted(members[first] & members[second]))
        shares = [len(shared) / max(len(members[part]), 1) for part in (first, second)]
        overlaps.append(Overlap(first, second, shared, *shares))
    between: list[Copy] = []
    within: list[Copy] = []
    for copy in copies:
        places = [
            {part for part, people in members.items() if participant_of(scan) in people}
            for scan in (copy.first, copy.second)
        ]
        if not all(places):
            continue  # a scan that the split does not use leaks nothing
        (between if places[0] != places[1] else within).append(copy)
    return LeakageReport(tuple(overlaps), tuple(between), tuple(within), n_scans)


def refuse_leaks(report: LeakageReport) -> None:
    """Refuse to train on a leaking split.

    Raises
    ------
    LeakageError
        Patients, or scans under two names, are in more than one part; the patients are named.
    """
    if not report.leaks:
        return
    faults = [
        f"{len(overlap.patients)} patient(s) in both {overlap.first} and {overlap.second} "
        f"({100 * overlap.share_of_second:.1f} % of {overlap.second})"
        for overlap in report.overlaps
        if overlap.patients
    ]
    if report.copies_between:
        faults.append(f"{len(report.copies_between)} scan(s) under two names in two parts")
    named = ", ".join(report.patients[:NAMED])
    more = f" and {len(report.patients) - NAMED} more" if len(report.patients) > NAMED else ""
    raise LeakageError(
        f"The split leaks: {'; '.join(faults)}: {named}{more}",
        "every patient, and every scan, in one part only",
        "Split by patient, give one patient one participant_id, and split again",
    )


def find_copies(
    scans: Mapping[str, Path], *, workers: int = 1, progress: Progress | None = None
) -> tuple[Copy, ...]:
    """Find scans that are one scan under two names.

    Parameters
    ----------
    scans : mapping of str to Path
        scan_id -> its NIfTI file.
    workers : int
        Processes that read.
    progress : callable, optional
        Called with scans read and scans in all.

    Returns
    -------
    tuple of Copy
        In the order of the scans. Flipped copies are found, and copies displaced by up to three
        slices; for what is not found see `hemocast.dataset.split.fingerprint`.

    Raises
    ------
    InputError
        A file cannot be read.
    """
    from joblib import Parallel, delayed

    names = list(scans)
    prints: list[Fingerprint] = []
    read = Parallel(n_jobs=workers, return_as="generator")(
        delayed(_fingerprint_of)(scans[name]) for name in names
    )
    for done, item in enumerate(read, start=1):
        prints.append(item)
        if progress:
            progress(done, len(names))
    found = {pair: Copy(names[pair[0]], names[pair[1]], True, 1.0) for pair in _equal(prints)}

    @lru_cache(maxsize=64)
    def texture_of(index: int) -> FloatArray:
        return texture(_read(scans[names[index]]))

    for first, second, flip in _alike(prints):
        if (first, second) in found:
            continue
        value = similarity(texture_of(first), flip_slices(texture_of(second), flip))
        if value >= SAME_TEXTURE:
            found[first, second] = Copy(names[first], names[second], False, value)
    return tuple(found[pair] for pair in sorted(found))


def files_of_split(dataset: Dataset, parts: Mapping[str, Sequence[str]]) -> dict[str, Path]:
    """Files of all scans of the patients of a split: scan_id -> path."""
    used = {patient for patients in parts.values() for patient in patients}
    named = {path.name.removesuffix("_ct.json"): path for path in dataset.sidecars()}
    return {scan: nifti_of(path) for scan, path in named.items() if participant_of(scan) in used}


def _read(path: Path) -> FloatArray:
    from hemocast import dicom

    return dicom.read_nifti(path).hu


def _fingerprint_of(path: Path) -> Fingerprint:
    return fingerprint(_read(path))


def _equal(prints: Sequence[Fingerprint]) -> Iterator[tuple[int, int]]:
    """Pairs whose pixels are the same."""
    same: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(prints):
        same[item.pixels].append(index)
    for group in same.values():
        yield from combinations(group, 2)


def _alike(prints: Sequence[Fingerprint]) -> Iterator[tuple[int, int, tuple[bool, bool]]]:
    """Pairs of like outline (lower index first) and the flip of the second that makes it so."""
    if not prints:
        return
    outlines = np.stack([item.outline for item in prints])
    for start in range(0, len(outlines), BLOCK):
        block = outlines[start : start + BLOCK]
        for flip in FLIPS:
            alike = block @ flip_outline(outlines[start:], flip).T >= SAME_OUTLINE
            for row, column in np.argwhere(alike):
                if column > row:
                    yield start + int(row), start + int(column), flip
