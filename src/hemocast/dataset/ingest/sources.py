"""Where scans come from: folders, zips and media of DICOM or NIfTI files, DICOMweb servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dataset.ingest.bids import NiftiScan, find_nifti_scans
from hemocast.dataset.ingest.sessions import Identity
from hemocast.dicom import Refusal, Scan, find_scans, read_series
from hemocast.dicom.files.archive import Opened
from hemocast.dicom.files.dicomweb import is_server
from hemocast.dicom.refusals import unreadable
from hemocast.errors import NotDicom, NothingThere, Unreadable
from hemocast.left_out import LeftOut

if TYPE_CHECKING:
    from hemocast.volume import Volume


@dataclass(frozen=True, repr=False)
class Candidate:
    """A scan that may enter the dataset: protected health information, never shown.

    Parameters
    ----------
    identity : Identity
        What it is named by.
    age, sex : int or None, str
        As in `hemocast.dicom.header.image.Image`.
    left_out : tuple of LeftOut
        The other series of its study, and why not.
    chosen : tuple of str
        Why this series.
    origin : Scan or NiftiScan
        What to read.
    n_bytes : int
        What its NIfTI file will take, about.
    """

    identity: Identity
    age: int | None
    sex: str
    left_out: tuple[LeftOut, ...]
    chosen: tuple[str, ...]
    origin: Scan | NiftiScan
    n_bytes: int

    @property
    def nifti(self) -> Path | None:
        """The NIfTI file that it is, if it is one."""
        return self.origin.path if isinstance(self.origin, NiftiScan) else None

    def read(self) -> Volume:
        """Read the scan.

        Raises
        ------
        HemocastError
            As `read_series` and `read_nifti` do.
        """
        if isinstance(self.origin, NiftiScan):
            return self.origin.read()
        return read_series(self.origin.series, self.left_out)


@dataclass(frozen=True, repr=False)
class Gathered:
    """What a source holds.

    Parameters
    ----------
    candidates : tuple of Candidate
        Scans to read.
    turned_away : tuple of Refusal
        What cannot be read.
    left_out : tuple of LeftOut
        Files that belong to no study.
    unreadable : Unreadable or None
        Some files or folders could not be read; nobody can say whose they are. Where they may
        belong to a study, that is turned away instead.
    patients : int
        How many different patients the DICOM files are of.
    """

    candidates: tuple[Candidate, ...] = ()
    turned_away: tuple[Refusal, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    unreadable: Unreadable | None = None
    patients: int = 0


def split_sources(sources: Sequence[Path | str]) -> tuple[list[Path], list[str]]:
    """Tell paths from addresses of DICOMweb servers.

    Raises
    ------
    NothingThere
        A path does not exist: said before any work is done.
    """
    servers = [str(source) for source in sources if is_server(str(source))]
    paths = [Path(source) for source in sources if not is_server(str(source))]
    for number, path in enumerate(paths, start=1):
        try:
            path.stat()
        # What cannot be looked at costs that source, later; what is not there is a slip.
        except (FileNotFoundError, NotADirectoryError):
            raise NothingThere(
                f"Path {number} of {len(paths)} does not exist",
                "a folder, a zip, a file, or dicomweb+http(s)://host/path",
                "Check the path",
            ) from None
        except OSError:
            continue
    return paths, servers


def gather(opened: Opened) -> Gathered:
    """Find the scans of a folder, whether DICOM, NIfTI or both; headers and sidecars alone.

    A DICOMDIR is a directory of other files: these are found by walking, so that a medium whose
    DICOMDIR is damaged or incomplete loses nothing. What it lists and is not there refuses the scan
    that lacks it.

    Parameters
    ----------
    opened : Opened
        From `open_named`.

    Raises
    ------
    NothingThere, NotDicom, TruncatedFile, Unreadable
        As `find_scans` does, where there is no NIfTI file either.
    """
    unread: dict[Path, OSError] = {}
    niftis = find_nifti_scans(opened, unread)
    candidates = [_from_nifti(scan) for scan in niftis if scan.refusal is None]
    turned_away = [
        Refusal(scan.naming.patient, scan.scan_uid, scan.refusal)
        for scan in niftis
        if scan.refusal is not None
    ]
    try:
        found = find_scans(opened.folder)
    except (NotDicom, NothingThere, Unreadable) as error:
        if not niftis:
            raise
        lost = error if isinstance(error, Unreadable) else None
        return Gathered(tuple(candidates), tuple(turned_away), unreadable=lost)
    candidates += [_from_dicom(scan) for scan in found.scans]
    turned_away += found.refused
    unread |= found.unread
    unclaimed = [error for path, error in unread.items() if path not in found.claimed]
    lost = unreadable(unclaimed) if unclaimed else None
    return Gathered(
        tuple(candidates), tuple(turned_away), found.left_out, lost, patients=found.patients
    )


def _from_dicom(scan: Scan) -> Candidate:
    first = scan.series.first
    return Candidate(
        identity=Identity(
            patient=first.patient_key,
            study=first.study_uid,
            scan_uid=scan.series.scan_uid,
            acquired=scan.series.acquired,
        ),
        age=first.age,
        sex=first.sex,
        left_out=scan.left_out,
        chosen=scan.reasons,
        origin=scan,
        # Head CTs of 16 bits are squeezed to about half.
        n_bytes=sum(image.pixels.rows * image.pixels.columns for image in scan.series.images),
    )


def _from_nifti(scan: NiftiScan) -> Candidate:
    return Candidate(
        identity=Identity(
            patient=scan.naming.patient,
            study=scan.scan_uid,
            scan_uid=scan.scan_uid,
            acquired=scan.acquired,
            session=scan.naming.session,
            alone=not scan.naming.bids,
        ),
        age=scan.age,
        sex=scan.sex,
        left_out=(),
        chosen=(),
        origin=scan,
        n_bytes=scan.path.stat().st_size,
    )
