"""All DICOM objects of a result, in memory and as files."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.deliver.capture import make_capture
from hemocast.deliver.result import Kind, Result
from hemocast.files import write_bytes

if TYPE_CHECKING:
    from pydicom import Dataset


def make_objects(result: Result) -> dict[Kind, Dataset]:
    """Make the objects that the institution wants; made twice, they are the same to the last bit.

    Parameters
    ----------
    result : Result
        What is told. Of a scan that was not analysed there is the secondary capture alone.

    Returns
    -------
    dict of Kind to pydicom.Dataset
        Ready to be sent; the secondary capture first. What cannot be made is left out: places need
        single-frame source images with a frame of reference; a document needs its PDF.
    """
    with warnings.catch_warnings():
        # Warnings of what a header holds would tell it.
        warnings.simplefilter("ignore")
        return {Kind.CAPTURE: make_capture(result)}


def write_objects(objects: dict[Kind, Dataset], folder: Path) -> list[Path]:
    """Write objects as DICOM files, each whole or not at all, named by their kind alone.

    Parameters
    ----------
    objects : dict of Kind to pydicom.Dataset
        From `make_objects`.
    folder : Path
        For its owner only, as its files are: they hold the patient's identifiers.

    Raises
    ------
    NoSpace, NotWritable
        They cannot be kept.
    """
    paths = []
    for kind, dataset in objects.items():
        path = folder / f"{kind.value}.dcm"
        write_bytes(path, encoded(dataset), private=True)
        paths.append(path)
    return paths


def encoded(dataset: Dataset) -> bytes:
    """Return an object as a DICOM file, explicit little endian."""
    from pydicom import dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
