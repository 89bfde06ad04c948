"""One image that has come, by whatever way: checked, made durable, known."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemocast.dicom.header.image import CT_CLASSES
from hemocast.dicom.header.inflate import read_dataset
from hemocast.errors import MalformedFile, NoCT, NoSpace
from hemocast.files import writing
from hemocast.serve.hospital.root import Root, flush
from hemocast.serve.hospital.store.arrivals import Arrival, Arrivals, Outcome

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

_TAGS = {
    "sop_class": 0x00080016, "sop_uid": 0x00080018, "accession": 0x00080050,
    "patient_name": 0x00100010, "patient_id": 0x00100020, "study_uid": 0x0020000D,
    "series_uid": 0x0020000E, "character_set": 0x00080005,
}  # fmt: skip
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_PIECE = 2**20


class Inbox:
    """Takes images into the root and the store.

    Parameters
    ----------
    root : Root
    arrivals : Arrivals
    """

    def __init__(self, root: Root, arrivals: Arrivals) -> None:
        self._root = root
        self._arrivals = arrivals

    def check_room(self) -> None:
        """Refuse to take more.

        Raises
        ------
        NoSpace
            Less is free on the disk than has to stay so.
        """
        if self._root.is_full():
            raise NoSpace(
                "Less is free on the disk than storage.reserve_gb",
                "room for more images",
                "Free some space, or let retention delete images sooner (storage.pixels_days)",
            )

    def take(self, path: Path, sender: str, *, sop_uid: str | None = None) -> Outcome:
        """Take an image; it is durable and known when this returns.

        Parameters
        ----------
        path : Path
            A whole DICOM file in `Root.incoming`; it is moved.
        sender : str
            AE title, or how else it came.
        sop_uid : str, optional
            What the image was said to be.

        Raises
        ------
        MalformedFile
            It cannot be read, or is not what it was said to be.
        NoCT
            It is no CT image.
        NoSpace, NotWritable, StoreError
            It cannot be kept: its sender has to send it again.
        """
        self.check_room()
        found = _read(path)
        if sop_uid is not None and sop_uid != found["sop_uid"]:
            raise _malformed("its identifier is not the one that it was announced by")
        digest = _digest(path)
        name = self._root.name(found["study_uid"])
        file = f"{self._root.name(found['study_uid'], found['sop_uid'], digest)}.dcm"
        arrival = Arrival(
            name=name, digest=digest, n_bytes=path.stat().st_size, file=file, sender=sender[:40],
            **found,
        )  # fmt: skip
        kept = self._root.study(name) / file
        self._keep(path, kept)
        outcome = self._arrivals.add(arrival)
        if outcome is Outcome.DIFFERS:
            kept.unlink(missing_ok=True)
        elif outcome is Outcome.STORED and not kept.exists():
            # Retention may have deleted it before it was known; now that it is, it stays.
            self._keep(path, kept)
        path.unlink(missing_ok=True)
        return outcome

    def _keep(self, path: Path, kept: Path) -> None:
        """Link a file into its study, unless it is there: the same image has the same name."""
        folder = kept.parent
        with writing():
            path.chmod(0o600)
            flush(path)
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
                flush(folder.parent)
            with suppress(FileExistsError):
                os.link(path, kept)
            flush(folder)


def _read(path: Path) -> dict[str, str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = read_dataset(path, with_pixels=False, tags=list(_TAGS.values()))
            found = {name: _text(dataset, tag) for name, tag in _TAGS.items()}
            syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    # The parser raises whatever its code trips over in a hostile file.
    except Exception as error:
        raise _malformed(type(error).__name__) from error
    del found["character_set"]
    for name in ("study_uid", "series_uid", "sop_uid"):
        if not is_uid(found[name]):
            raise _malformed(f"{name} is no UID")
    if found["sop_class"] not in CT_CLASSES:
        raise NoCT("The image is no CT image", "a CT storage class", "Send CT images alone")
    lengths = {"accession": 16, "patient_id": 64, "patient_name": 324}
    clipped = {name: found[name][:length] for name, length in lengths.items()}
    return found | clipped | {"syntax": syntax[:64]}


def is_uid(text: str) -> bool:
    """Tell whether a text has the form of a UID (PS3.5, 9.1)."""
    return bool(_UID.fullmatch(text)) and len(text) <= 64


def _text(dataset: FileDataset, tag: int) -> str:
    value: Any = dataset.get(tag)
    text = "" if value is None or value.value is None else str(value.value)
    # What databases do not take: a zero byte, half of a pair of characters.
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()


def _digest(path: Path) -> str:
    """SHA-256 of the dataset alone: what precedes it is each sender's own."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        head = file.read(144)
        standard = head[128:140] == b"DICM\x02\x00\x00\x00UL\x04\x00"
        file.seek(144 + int.from_bytes(head[140:144], "little") if standard else 0)
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _malformed(why: str) -> MalformedFile:
    return MalformedFile(
        f"An image that was sent cannot be taken ({why})",
        "a DICOM object with valid identifiers",
        "Look at the sender's log; the other images of its study are taken all the same",
    )
