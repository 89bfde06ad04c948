"""What a folder of DICOM files holds: series, the scan of each study, or why it has none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from hemocast.dicom.header.image import Image
from hemocast.errors import HemocastError
from hemocast.left_out import LeftOut


@dataclass(frozen=True)
class Series:
    """The images of one stack: one orientation, grid, kernel and type of one DICOM series.

    Parameters
    ----------
    images : tuple of Image
        In order of instance number and name; never empty.
    joined : int
        Of how many DICOM series it was made; see `hemocast.dicom.series.join`.
    lacking : int
        How many images come before the first, as their numbers have it.
    """

    images: tuple[Image, ...]
    joined: int = 1
    lacking: int = 0

    @property
    def first(self) -> Image:
        """The image whose header speaks for all."""
        return self.images[0]

    @property
    def scan_uid(self) -> str:
        """Name by a hash of the UIDs, the same on every machine; see `hemocast.volume.Source`."""
        uids = f"{self.first.study_uid}\x1f{self.first.series_uid}"
        return hashlib.sha256(uids.encode()).hexdigest()[:16]

    @property
    def acquired(self) -> datetime | None:
        """When, as far as a header says it."""
        for image in self.images:
            for form, length in (("%Y%m%d%H%M%S", 14), ("%Y%m%d%H%M", 12), ("%Y%m%d", 8)):
                try:
                    return datetime.strptime(image.acquired[:length], form)
                except ValueError:
                    continue
        return None


@dataclass(frozen=True, repr=False)
class Scan:
    """One study's plain axial head series.

    Parameters
    ----------
    series : Series
        What `read_series` reads. Its images say whose it is: protected health information.
    left_out : tuple of LeftOut
        What else lay in the study and why it was not chosen.
    reasons : tuple of str
        Why this series was chosen.
    """

    series: Series
    left_out: tuple[LeftOut, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Refusal:
    """A study without a series to use.

    Parameters
    ----------
    patient_key, study_uid : str
        As in `Image`: protected health information.
    error : HemocastError
        Why, with its code.
    left_out : tuple of LeftOut
        Why not, for each of its series.
    """

    patient_key: str
    study_uid: str
    error: HemocastError
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a folder holds.

    Parameters
    ----------
    scans : tuple of Scan
        One per study with a usable series.
    refused : tuple of Refusal
        One per study without.
    left_out : tuple of LeftOut
        Files that belong to no study.
    patients : int
        How many different patients there are, refused studies counted.
    unread : mapping of Path to OSError
        Files and folders that could not be read. Their paths may be protected health information.
    claimed : frozenset of Path
        Those of them that may belong to a study, which is refused for it.
    """

    scans: tuple[Scan, ...]
    refused: tuple[Refusal, ...]
    left_out: tuple[LeftOut, ...]
    patients: int
    unread: Mapping[Path, OSError] = field(default_factory=dict, repr=False)
    claimed: frozenset[Path] = field(default=frozenset(), repr=False)
