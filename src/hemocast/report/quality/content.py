"""What the quality page shows, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hemocast.left_out import RefusedStudy
from hemocast.report.quality.thumbnails import Thumbnail


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
    sides_known : bool
        Whether left and right may be named.
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
    sides_known: bool = True
    picture: Thumbnail = field(default_factory=Thumbnail)


@dataclass(frozen=True)
class LeftOut:
    """A series that was not used, or files of no study, and why.

    Parameters
    ----------
    participant_id, session : str
        Whose it is; `session` is "" where its study was refused.
    reason : str
        In words, without the series' number and counts.
    files : int
        How many files of no study; 0 for a series.
    """

    participant_id: str
    session: str
    reason: str
    files: int = 0


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
