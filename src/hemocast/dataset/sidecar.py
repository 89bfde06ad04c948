"""The sidecar of a scan: the record of truth of which the tables are made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, NaiveDatetime, ValidationError, field_validator

from hemocast import files
from hemocast.dataset.pseudonym import is_unkeyed, scan_name
from hemocast.dataset.scan_id import PARTICIPANT, SESSION, ScanId
from hemocast.errors import DatasetError
from hemocast.left_out import LeftOut, LeftOutCode

MOST_BYTES = 2**20


class Signs(BaseModel):
    """What the images themselves show; None in a dataset of a version that did not look.

    Parameters
    ----------
    brain_ml : float or None
        Volume of the brain.
    blood : bool or None
        The scan shows blood.
    blood_ml : float or None
        How much.
    sides_known : bool or None
        Whether the head lies as its header says, so that left and right can be believed; None
        where that could not be told.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    brain_ml: float | None = None
    blood: bool | None = None
    blood_ml: float | None = None
    sides_known: bool | None = None


class Sidecar(BaseModel):
    """All that is known of a scan; no protected health information.

    It must name the scan; what else is missing is not known. A value of another kind is a fault.

    Parameters
    ----------
    participant_id, session : str
        Its name.
    scan_uid : str
        Pseudonym of what it was read from, `hemocast.dataset.pseudonym.scan_name`; of versions
        before, a hash without a key.
    acq_time : datetime or None
        When, shifted by its patient's days.
    age : int or None
        Years; 90 for 90 and more.
    sex : str
        ``"M"``, ``"F"``, ``"O"`` or empty.
    shape, spacing_mm : tuple
        Of the volume, (z, y, x).
    n_files : int
        Files or frames that it was made from.
    simulated : bool
        It shows no patient.
    facts : dict
        Of the acquisition, as in `hemocast.volume.Source`.
    corrected, doubts : tuple of str
        What reading corrected, and what it accepted but noted.
    chosen : tuple of str
        Why this series of its study.
    left_out : tuple of LeftOut
        Why not the others. Version 0.1 wrote sentences, which are kept as such.
    signs : Signs
        What was measured.
    hemocast_version : str
        What wrote it.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    participant_id: str = Field(pattern=f"^{PARTICIPANT}$")
    session: str = Field(pattern=f"^{SESSION}$")
    scan_uid: str
    acq_time: NaiveDatetime | None = None
    age: int | None = None
    sex: str = ""
    shape: tuple[int, int, int] | None = None
    spacing_mm: tuple[float, float, float] | None = None
    n_files: int = 1
    simulated: bool = False
    facts: dict[str, Any] = {}
    corrected: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    signs: Signs = Signs()
    hemocast_version: str = ""

    @field_validator("left_out", mode="before")
    @classmethod
    def _from_words(cls, items: Any) -> Any:
        if not isinstance(items, list | tuple):
            return items
        return tuple(_other(item) if isinstance(item, str) else item for item in items)

    @property
    def scan(self) -> ScanId:
        """The scan's name."""
        return ScanId(self.participant_id, self.session)


def _other(words: str) -> LeftOut:
    return LeftOut(LeftOutCode.OTHER, detail=words)


def read_sidecar(path: Path) -> Sidecar:
    """Read a scan's sidecar.

    Raises
    ------
    DatasetError
        It is cut off, no JSON, or a value is missing or of another kind; names the scan and the
        values.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError
        content = path.read_text(encoding="utf-8")
        json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise _refusal(path, "is no JSON, or cut off") from error
    try:
        return Sidecar.model_validate_json(content)
    except ValidationError as error:
        named = sorted({".".join(map(str, fault["loc"])) for fault in error.errors()})
        raise _refusal(path, f"is odd in: {', '.join(named[:20]) or 'everything'}") from None


def key_sidecar(path: Path, key: bytes) -> None:
    """Put a pseudonym in the place of a hash without a key; nothing else of the file changes.

    Parameters
    ----------
    path : Path
        As `read_sidecar` reads it.
    key : bytes
        The dataset's.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    if is_unkeyed(content["scan_uid"]):
        files.write_json(path, content | {"scan_uid": scan_name(key, content["scan_uid"])})


def _refusal(path: Path, seen: str) -> DatasetError:
    scan = ScanId.of_file(path.name)
    return DatasetError(
        f"The sidecar of {scan or 'a scan'} {seen}",
        "a JSON file as 'hemocast ingest' writes it",
        "Restore the file, or move this scan out of the dataset and ingest it again",
    )
