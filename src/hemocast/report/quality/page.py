"""The dataset's quality page: every scan with its picture, and what was refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hemocast.files import write_text
from hemocast.report.page import render
from hemocast.report.quality.counts import (
    alike,
    codes_of,
    flow_of,
    most_of,
    number_of,
    reasons_of,
    refused_of,
    thicknesses,
)
from hemocast.report.quality.thumbnails import Thumbnail

MOST_LISTED = 500
_MOST_FLAGS = 40


@dataclass(frozen=True)
class QualityScan:
    """One scan of the dataset as the page shows it; None where a value is not known.

    Parameters
    ----------
    participant_id, session : str
        Its keys.
    hours : float or None
        Since the participant's first scan.
    slices : int or None
        Of the volume in the dataset.
    spacing_mm, coverage_mm : float or None
        Between these slices, and the height they cover together.
    thickness_mm : tuple of float
        Slice thicknesses that the scanner stated.
    steps_mm : tuple of (float, float) or None
        The least and the greatest step between the slices as acquired.
    tilt_degrees : float or None
        Gantry tilt, from the slices' positions.
    matrix : tuple of (int, int) or None
        Rows and columns of the volume.
    pixel_mm : float or None
        Side of a pixel.
    scanner, reconstruction : str
        Maker and model; kernel and tube voltage.
    corrected, doubts : tuple of str
        What reading corrected, and what it accepted but noted, in words.
    simulated, blood : bool
        Whether the scan is simulated, and whether it already shows blood.
    blood_ml : float or None
        How much.
    picture : Thumbnail
        Of three planes.
    """

    participant_id: str
    session: str
    hours: float | None = None
    slices: int | None = None
    spacing_mm: float | None = None
    coverage_mm: float | None = None
    thickness_mm: tuple[float, ...] = ()
    steps_mm: tuple[float, float] | None = None
    tilt_degrees: float | None = None
    matrix: tuple[int, int] | None = None
    pixel_mm: float | None = None
    scanner: str = ""
    reconstruction: str = ""
    corrected: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    simulated: bool = False
    blood: bool = False
    blood_ml: float | None = None
    picture: Thumbnail = field(default_factory=Thumbnail)


@dataclass(frozen=True)
class RefusedStudy:
    """Why a study did not enter, or (`source`) why a folder, zip or server could not be read.

    Parameters
    ----------
    participant_id, code, message : str
        Whose it is, and the refusal.
    study : str
        Its pseudonym, by which a study that was refused twice counts once; "" where not known.
    source : bool
        Whether no study was reached at all.
    """

    participant_id: str
    code: str
    message: str
    study: str = ""
    source: bool = False


@dataclass(frozen=True)
class LeftOut:
    """A series that was not used, and why; `session` is "" where its study was refused."""

    participant_id: str
    session: str
    reason: str


@dataclass(frozen=True)
class Quality:
    """All that the page shows.

    Parameters
    ----------
    scans : sequence of QualityScan
        In the order of the page.
    refused : sequence of RefusedStudy
        Studies that did not enter.
    left_out : sequence of LeftOut
        Series that were not used.
    simulated : bool
        Whether the dataset says that it holds simulated scans.
    faults : tuple of str
        What of the dataset could not be read, in words.
    """

    scans: Sequence[QualityScan]
    refused: Sequence[RefusedStudy] = ()
    left_out: Sequence[LeftOut] = ()
    simulated: bool = False
    faults: tuple[str, ...] = ()


def write_quality_page(quality: Quality, path: Path) -> None:
    """Write one self-contained page; nothing in it is loaded from a network or another file.

    Parameters
    ----------
    quality : Quality
        What to show; every text is escaped.
    path : Path
        A ``.html``; written under a temporary name, then renamed. The same dataset gives the same
        page.
    """
    scans = quality.scans
    flags = [_flags(scan) for scan in scans]
    counted = Counter(name for names in flags for name in names)
    numbers = {name: i for i, (name, _) in enumerate(counted.most_common(_MOST_FLAGS))}
    n_simulated = sum(scan.simulated for scan in scans)
    reasons = reasons_of(quality)
    n_refused, n_sources = refused_of(quality)
    text = render(
        "quality.html",
        style="quality.css",
        script="quality.js",
        q=quality,
        rows=[
            (scan, " ".join(str(numbers[name]) for name in names if name in numbers))
            for scan, names in zip(scans, flags, strict=True)
        ],
        flags=[(number, name, counted[name]) for name, number in numbers.items()],
        n_participants=len({scan.participant_id for scan in scans}),
        n_scanners=len({scan.scanner for scan in scans if scan.scanner}),
        n_simulated=n_simulated,
        number_of=number_of,
        simulated=quality.simulated or n_simulated > 0,
        n_blood=sum(scan.blood for scan in scans),
        scanners=most_of(Counter(scan.scanner or "not stated" for scan in scans)),
        thicknesses=thicknesses(scans),
        corrections=most_of(Counter(alike(w) for s in scans for w in dict.fromkeys(s.corrected))),
        doubts=most_of(Counter(alike(w) for s in scans for w in dict.fromkeys(s.doubts))),
        codes=codes_of(quality.refused),
        listed=quality.refused[:MOST_LISTED],
        reasons=reasons,
        n_refused=n_refused,
        n_sources=n_sources,
        n_left=sum(reason.kept + reason.other for reason in reasons),
        n_files=sum(reason.files for reason in reasons),
        flow=flow_of(quality),
    )
    write_text(path, text)


def _flags(scan: QualityScan) -> tuple[str, ...]:
    """Names by which the page filters."""
    named = {
        "blood": scan.blood,
        "simulated": scan.simulated,
        "no picture": not scan.picture.address,
        "nothing noted": not (scan.doubts or scan.blood or scan.simulated),
    }
    words = [f"noted: {alike(text)}" for text in scan.doubts]
    words += [f"corrected: {alike(text)}" for text in scan.corrected]
    return tuple(dict.fromkeys([name for name, holds in named.items() if holds] + words))
