"""A folder of anything -> the head scans in it, from headers alone."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from hemocast.dicom.files.formats import not_dicom
from hemocast.dicom.files.medium import listed_images
from hemocast.dicom.files.walk import files_below
from hemocast.dicom.header.image import Image
from hemocast.dicom.header.images import (
    DamagedHeader,
    MediaDirectory,
    NotADicomFile,
    read_images,
)
from hemocast.dicom.refusals import unreadable
from hemocast.dicom.series.found import Found, Refusal, Scan, Series
from hemocast.dicom.series.join import join_halves, lacking, merge_slivers
from hemocast.dicom.series.select import choose
from hemocast.errors import HemocastError, MissingSlices, NothingThere, TruncatedFile
from hemocast.left_out import LeftOut, LeftOutCode

logger = logging.getLogger(__name__)


def find_scans(folder: Path) -> Found:
    """Find the plain axial head CT of every study below a folder.

    Reads headers only. Files need no extension and may lie in any order; what is not DICOM is left
    out and counted. What cannot be read may be a slice: it refuses every study that it may belong
    to. So does what a medium's DICOMDIR lists and is not there, for the series that lacks it.

    Parameters
    ----------
    folder : Path
        A folder, searched to the bottom (links to folders are not followed), or one file.

    Raises
    ------
    NothingThere
        The path does not exist, or holds no file, or only a DICOMDIR without its images.
    NotDicom
        No file there is DICOM.
    Unreadable
        None can be seen to be, and some cannot be read.
    """
    root = Path(folder)
    read = _read_headers(root)
    if not read.images:
        raise _nothing_read(read)
    missing = read.missing()
    counts = {
        LeftOutCode.NOT_DICOM: len(read.others),
        LeftOutCode.DAMAGED_HEADER: len(read.damaged),
        LeftOutCode.NOT_THERE: sum(gone for gone, _ in missing.values()),
    }
    unsure = {path.parent for path in read.damaged}
    studies = _studies(read.images)
    entries = [
        _without_missing(_without_unsure(choose(_stacks(study)), unsure), missing)
        for study in studies
    ]
    losses = _losses(studies, read.unread, root)
    for index, paths in losses.items():
        first, lost = studies[index][0], unreadable(read.unread[path] for path in paths)
        entries[index] = Refusal(first.patient_key, first.study_uid, lost, entries[index].left_out)
    return Found(
        scans=tuple(entry for entry in entries if isinstance(entry, Scan)),
        refused=tuple(entry for entry in entries if isinstance(entry, Refusal)),
        left_out=tuple(LeftOut(code, count) for code, count in counts.items() if count),
        patients=len({image.patient for image in read.images}),
        unread=read.unread,
        claimed=frozenset(path for paths in losses.values() for path in paths),
    )


@dataclass
class _Headers:
    """What was read below a folder."""

    images: list[Image] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    damaged: set[Path] = field(default_factory=set)
    unread: dict[Path, OSError] = field(default_factory=dict)
    listed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def missing(self) -> dict[str, tuple[int, int]]:
        """Give for each series how many of the images that a DICOMDIR lists are not there."""
        there = {image.sop_uid.partition("#")[0] for image in self.images}
        return {
            series: (len(listed - there), len(listed))
            for series, listed in self.listed.items()
            if listed - there
        }


def _read_headers(root: Path) -> _Headers:
    read = _Headers()
    for path in files_below(root, read.unread):
        try:
            read.images += read_images(path)
        except MediaDirectory:
            for series, images in listed_images(path).items():
                read.listed[series] |= images
        except NotADicomFile:
            read.others.append(path)
        except DamagedHeader as error:
            logger.info("a DICOM header could not be read: %s", error)
            read.damaged.add(path)
        except OSError as error:
            logger.info("a file could not be read: %s", error.strerror)
            read.unread[path] = error
    return read


def _nothing_read(read: _Headers) -> HemocastError:
    """Say why no image was read."""
    if read.unread:
        return unreadable(read.unread.values())
    if read.damaged:
        return _damaged_header()
    if read.listed:
        count = sum(map(len, read.listed.values()))
        return NothingThere(
            f"The medium's DICOMDIR lists {count} image(s), and none of them is there",
            "the whole medium: the DICOMDIR and the folders with the images beside it",
            "Copy the medium again with all its folders",
        )
    if not read.others:
        return NothingThere(
            "The folder is empty", "a folder with the files of a head CT", "Check the path"
        )
    return not_dicom(read.others)


def _without_missing(
    entry: Scan | Refusal, missing: Mapping[str, tuple[int, int]]
) -> Scan | Refusal:
    """Refuse a scan of which the medium's DICOMDIR lists images that are not there."""
    if isinstance(entry, Refusal):
        return entry
    uids = {image.series_uid for image in entry.series.images}
    counts = [missing[uid] for uid in uids if uid in missing]
    if not counts:
        return entry
    gone, listed = (sum(column) for column in zip(*counts, strict=True))
    error = MissingSlices(
        f"The medium's DICOMDIR lists {listed} images of the series, and {gone} of them are not "
        "there",
        "every image of the series",
        "Copy the medium again with all its folders, or export the series again",
    )
    first = entry.series.first
    return Refusal(first.patient_key, first.study_uid, error, entry.left_out)


def _without_unsure(entry: Scan | Refusal, unsure: set[Path]) -> Scan | Refusal:
    """Refuse a scan beside which lies a file that may belong to it."""
    if isinstance(entry, Refusal):
        return entry
    first = entry.series.first
    if not unsure & {image.pixels.path.parent for image in entry.series.images}:
        return entry
    return Refusal(first.patient_key, first.study_uid, _damaged_header(), entry.left_out)


def _losses(
    studies: Sequence[Sequence[Image]], unread: Iterable[Path], root: Path
) -> dict[int, list[Path]]:
    """Find the studies, by index, that may lack what could not be read.

    It may belong to those whose images lie in the same folder or, in several folders, around it;
    and below `root` to those of a patient who has that part of the tree to himself.
    """
    places: dict[Path, list[Path]] = defaultdict(list)
    for path in unread:
        places[path.parent].append(path)
    folders = [{image.pixels.path.parent for image in study} for study in studies]
    losses: dict[int, list[Path]] = defaultdict(list)
    for place, paths in places.items():
        near = place
        while near != root and not (below := _below(near, folders)):
            near = near.parent
        if near == root or len({studies[i][0].patient for i in below}) > 1:
            below = [i for i, f in enumerate(folders) if _lies_among(place, f)]
        for index in below:
            losses[index] += paths
    return losses


def _below(place: Path, folders: Sequence[set[Path]]) -> list[int]:
    return [i for i, f in enumerate(folders) if any(x.is_relative_to(place) for x in f)]


def _lies_among(place: Path, folders: set[Path]) -> bool:
    around = Path(os.path.commonpath(folders))
    return place in folders or (len(folders) > 1 and place.is_relative_to(around))


def _damaged_header() -> TruncatedFile:
    return TruncatedFile(
        "A DICOM file in the folder is cut short or has a damaged header, so that nobody can say "
        "which series it belongs to",
        "whole DICOM files",
        "Export the scan again, or remove the file if it belongs to something else",
    )


def _studies(images: Iterable[Image]) -> list[list[Image]]:
    return _grouped(images, lambda image: (image.patient, image.study_uid))


def _stacks(study: Iterable[Image]) -> list[Series]:
    series = merge_slivers(_grouped(study, lambda image: image.series_uid))
    return join_halves([stack for images in series for stack in split_stacks(images)])


def _grouped(images: Iterable[Image], key: Callable[[Image], Any]) -> list[list[Image]]:
    return [list(group) for _, group in groupby(sorted(images, key=key), key)]


def split_stacks(images: list[Image]) -> list[Series]:
    """Split one DICOM series into stacks that can each be one volume.

    Images differ in stack when they differ in image type (its first three values), kernel, contrast
    agent, grid or orientation. Acquisition numbers split a stack only where they explain why
    positions occur twice: a step-and-shoot scan has many in one good stack.

    Parameters
    ----------
    images : list of Image
        Of one series.
    """
    groups: dict[tuple[object, ...], list[Image]] = defaultdict(list)
    directions: list[np.ndarray] = []
    for image in images:
        key = (
            image.sop_class,
            image.image_type[:3],
            image.kernel,
            image.contrast,
            image.pixels.rows,
            image.pixels.columns,
            None if image.spacing is None else tuple(round(v, 3) for v in image.spacing),
            _direction(image, directions),
        )
        groups[key].append(image)
    stacks = []
    for group in groups.values():
        ordered = sorted(group, key=lambda i: (i.instance_number or 0, str(i.pixels.path)))
        stacks += [
            Series(tuple(part), len({image.series_uid for image in part}), lacking(images))
            for part in _by_acquisition(ordered)
        ]
    return stacks


def _direction(image: Image, known: list[np.ndarray]) -> int:
    """Number of the first orientation that is the same within half a degree."""
    if image.orientation is None:
        return -1
    vector = np.array(image.orientation)
    for index, other in enumerate(known):
        if np.abs(vector - other).max() < 0.01:
            return index
    known.append(vector)
    return len(known) - 1


def _by_acquisition(images: list[Image]) -> list[list[Image]]:
    """Split where every acquisition covers its positions once but together they repeat."""
    if not _repeats(images):
        return [images]
    groups: dict[int | None, list[Image]] = defaultdict(list)
    for image in images:
        groups[image.acquisition_number].append(image)
    parts = list(groups.values())
    if len(parts) < 2 or any(_repeats(part) or len(part) < 2 for part in parts):
        return [images]
    return parts


def _repeats(images: list[Image]) -> bool:
    places = {i.position and tuple(round(v, 2) for v in i.position) for i in images}
    return len(places) < len(images)
