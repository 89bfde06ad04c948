"""One CT file -> a clean one, or a refusal."""

from __future__ import annotations

import hashlib
import io
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dicom.deidentify.header import Keyed, clean_header
from hemocast.dicom.deidentify.pixels import clean_pixels, may_show_text, pixel_element
from hemocast.dicom.header.images import read_images
from hemocast.dicom.header.inflate import read_dataset
from hemocast.dicom.refusals import is_denied, malformed, truncated, unreadable
from hemocast.errors import HemocastError

if TYPE_CHECKING:
    from pydicom import Dataset


def digest(text: str) -> str:
    """Give 12 hexadecimal digits that name a UID which is a pseudonym already."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def clean_file(path: Path, patient: str, keyed: Keyed) -> tuple[str, bytes]:
    """Make the clean file of one image.

    Parameters
    ----------
    path : Path
        The original.
    patient : str
        The identifier that the pseudonym and the shift are made from.
    keyed : Keyed
        Pseudonyms.

    Returns
    -------
    str
        Its name: a digest of the new UID.
    bytes
        Its content.

    Raises
    ------
    BurnedIn, NoCT
        The file may not leave; see `may_show_text`.
    TruncatedFile, MalformedFile, UnsupportedSyntax
        It is damaged, or its compression is not looked into.
    Unreadable
        The system does not let it be read.
    """
    try:
        image = read_images(path)[0]
        dataset = read_dataset(path, force=True)
        if (refusal := may_show_text(image, dataset)) is not None:
            raise refusal
        if not image.pixels.complete:
            raise truncated()
        if not (image.sop_uid and image.study_uid and image.series_uid):
            raise malformed("An image does not say which study and series it belongs to")
        data, encapsulated = clean_pixels(dataset, image)
        method = f"Hemocast {version('hemocast')}, DICOM PS3.15 basic profile and options"
        clean = clean_header(dataset, patient, keyed, method)
        clean["PixelData"] = pixel_element(data, encapsulated)
        return f"{digest(str(clean.SOPInstanceUID))}.dcm", _encode(clean, image.pixels.syntax)
    except HemocastError:
        raise
    # The parser raises whatever its code trips over, and its words quote the file.
    except Exception as error:
        if is_denied(error):
            raise unreadable([error]) from error
        raise malformed(f"A file cannot be parsed ({type(error).__name__})") from None


def _encode(clean: Dataset, syntax: str) -> bytes:
    """Encode under the file's own transfer syntax, with meta information of our own."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = clean.SOPClassUID
    meta.MediaStorageSOPInstanceUID = clean.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    clean.file_meta = meta
    buffer = io.BytesIO()
    dcmwrite(buffer, clean, enforce_file_format=True)
    return buffer.getvalue()
