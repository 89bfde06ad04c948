"""NIfTI files with JSON sidecars: whose they are by their names, what they are by their sidecars.

A name as BIDS gives it (``sub-LABEL_ses-N_ct.nii.gz``, or folders of such names) tells the patient
and the session. Any other name stands for one scan of one patient. Either way the words of the name
are identifiers like any other: the dataset holds a keyed hash of them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from hemocast.dicom import read_nifti
from hemocast.dicom.deidentify.words import scanner_facts
from hemocast.dicom.files.archive import Opened
from hemocast.dicom.files.nifti import find_nifti, nifti_uid
from hemocast.dicom.refusals import reading
from hemocast.dicom.series.exclusion import Words, contrast_of, exclusion_by_words
from hemocast.dicom.words.contrast import Doubt
from hemocast.dicom.words.terms import spelled
from hemocast.errors import HemocastError, Unreadable
from hemocast.volume import SIMULATED, Volume

_SUBJECT = re.compile(r"sub-([0-9A-Za-z]+)(?=_|$)")
_SESSION = re.compile(r"(?:^|_)ses-([0-9A-Za-z]+)(?=_|$)")
_NUMBER = re.compile(r"\d{1,3}")
_ENDING = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
_MOST_SIDECAR_BYTES = 2**20


@dataclass(frozen=True)
class Naming:
    """What a file's name tells.

    Parameters
    ----------
    patient : str
        Label of the subject, or the name without its ending: may identify somebody.
    session : int or None
        Number of the session, where the name gives one.
    bids : bool
        The name says whose the scan is.
    """

    patient: str
    session: int | None
    bids: bool


def naming(name: str) -> Naming:
    """Read a NIfTI file's name, with the folders it lies in."""
    path = PurePosixPath(name.replace("\\", "/"))
    stem = _ENDING.sub("", path.name)
    parts = [stem, *reversed(path.parent.parts)]
    subject = next((found for part in parts if (found := _SUBJECT.match(part))), None)
    if subject is None:
        return Naming(stem, None, bids=False)
    session = next((found for part in parts if (found := _SESSION.search(part))), None)
    # A label that is no small number may be a date, and goes no further.
    number = session and _NUMBER.fullmatch(session.group(1))
    return Naming(subject.group(1), int(number.group()) if number else None, bids=True)


@dataclass(frozen=True, repr=False)
class NiftiScan:
    """One NIfTI file, and what its sidecar says.

    Parameters
    ----------
    path : Path
        The file.
    naming : Naming
        What its name tells.
    scan_uid : str
        Hash of its bytes.
    acquired : datetime or None
        When, as far as the sidecar says.
    age, sex : int or None, str
        As in `hemocast.dicom.header.image.Image`.
    facts : mapping
        What may be published of the acquisition.
    simulated : bool
        The sidecar says so.
    refusal : HemocastError or None
        Why the sidecar's words rule it out: contrast agent, bone kernel, another body part.
    doubt : Doubt or None
        Why its words make one doubt that it is plain.
    """

    path: Path
    naming: Naming
    scan_uid: str
    acquired: datetime | None
    age: int | None
    sex: str
    facts: Mapping[str, object]
    simulated: bool
    refusal: HemocastError | None
    doubt: Doubt | None = None

    def read(self) -> Volume:
        """Read the file.

        Raises
        ------
        HemocastError
            As `read_nifti` does.
        """
        volume = read_nifti(self.path)
        told = volume.source
        facts, simulated = told.facts | dict(self.facts), told.simulated or self.simulated
        doubts = (*told.doubts, *([self.doubt.value] if self.doubt else []))
        source = replace(told, facts=facts, simulated=simulated, doubts=doubts)
        return replace(volume, source=source)


def find_nifti_scans(opened: Opened, unread: MutableMapping[Path, OSError]) -> list[NiftiScan]:
    """Find every NIfTI file below a folder, except what BIDS calls derivatives.

    A file that cannot be read goes to `unread`; a sidecar that cannot refuses its scan, since it
    may say what rules the scan out.
    """
    sidecars = {name: path for path, name in opened.names.items() if name.lower().endswith(".json")}
    scans = []
    for path in find_nifti(opened.folder, unread):
        name = opened.name(path)
        relative = name if opened.names else path.relative_to(opened.folder).as_posix()
        if "derivatives" in PurePosixPath(relative).parts:
            continue
        beside = _ENDING.sub(".json", name)
        sidecar = sidecars.get(beside) if opened.names else Path(beside)
        try:
            uid = nifti_uid(path)
        except OSError as error:
            unread[path] = error
            continue
        try:
            scans.append(_scan(path, uid, naming(name), _read(sidecar)))
        except Unreadable as refusal:
            scans.append(replace(_scan(path, uid, naming(name), {}), refusal=refusal))
    return scans


def _read(path: Path | None) -> Mapping[str, Any]:
    """Read a sidecar; one that makes no sense says nothing."""
    if path is None or not os.path.lexists(path):
        return {}
    with reading():
        if path.stat().st_size > _MOST_SIDECAR_BYTES:
            return {}
        text = path.read_bytes()
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _scan(path: Path, uid: str, named: Naming, content: Mapping[str, Any]) -> NiftiScan:
    def text(key: str) -> str:
        value = content.get(key, "")
        return value.strip() if isinstance(value, str) else ""

    kinds = content.get("ImageType")
    words = Words(
        series_text=spelled(text("SeriesDescription")),
        texts=(spelled(text("StudyDescription")), spelled(text("ProtocolName"))),
        image_type=tuple(str(k).upper() for k in kinds) if isinstance(kinds, list) else (),
        body_part=spelled(text("BodyPart") or text("BodyPartExamined")),
        kernel=text("ConvolutionKernel").upper(),
        contrast=spelled(text("ContrastBolusAgent")),
    )
    facts: dict[str, object] = {
        **scanner_facts(text("Manufacturer"), text("ManufacturersModelName"), words.kernel),
        "kvp": _number(content.get("KVP")),
        "slice_thickness_mm": [t] if (t := _number(content.get("SliceThickness"))) else None,
    }
    sex = text("PatientSex").upper()
    comments = text("ImageComments").upper().startswith(SIMULATED)
    exclusion = exclusion_by_words(words)
    return NiftiScan(
        path=path,
        naming=named,
        scan_uid=uid,
        acquired=_moment(text("AcquisitionDateTime")),
        age=_age(content.get("PatientAge")),
        sex=sex if sex in ("M", "F", "O") else "",
        facts={name: value for name, value in facts.items() if value not in ("", None)},
        simulated=comments or content.get("simulated") is True,
        refusal=exclusion.error if exclusion else None,
        doubt=contrast_of(words).doubt,
    )


def _number(value: object) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1000
    return float(value) if good else None  # type: ignore[arg-type]


def _age(value: object) -> int | None:
    """Years, from a number or as DICOM writes it (``071Y``)."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}Y?", value.strip().upper()):
        return int(value.strip().upper().removesuffix("Y"))
    number = _number(value)
    return None if number is None or number > 120 else int(number)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
