"""All DICOM objects of a result, in memory and as files."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.deliver.capture import make_capture
from hemocast.deliver.document import make_document
from hemocast.deliver.planes import Plane, mask_on_planes, planes_of
from hemocast.deliver.result import Analysed, Kind, Result
from hemocast.deliver.sources import need_highdicom
from hemocast.files import write_bytes
from hemocast.volume import BoolArray

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

    Raises
    ------
    MissingExtra
        Report, heatmap or infarct is wanted, and highdicom is not installed.
    """
    with warnings.catch_warnings():
        # Warnings of what a header holds would tell it.
        warnings.simplefilter("ignore")
        made = {Kind.CAPTURE: make_capture(result)}
        if isinstance(result.answer, Analysed):
            made |= _of_answer(result, result.answer)
        if result.pdf is not None and Kind.DOCUMENT in result.wanted:
            made[Kind.DOCUMENT] = make_document(result, result.pdf)
    return made


def _of_answer(result: Result, answer: Analysed) -> dict[Kind, Dataset]:
    """Make what only a prediction has."""
    if not result.wanted & {Kind.REPORT, Kind.HEATMAP, Kind.INFARCT}:
        return {}
    need_highdicom()
    # Late: highdicom takes a second or two to import, and the picture alone needs none of it.
    from hemocast.deliver.heatmap import make_heatmap
    from hemocast.deliver.segmentation import make_segmentation
    from hemocast.deliver.structured import Places, make_report

    made: dict[Kind, Dataset | None] = {}
    planes = planes_of(result.headers)
    infarct = _infarct(answer, planes)
    if infarct is not None and Kind.INFARCT in result.wanted:
        made[Kind.INFARCT] = make_segmentation(result, infarct, planes)
    if planes and Kind.HEATMAP in result.wanted:
        made[Kind.HEATMAP] = make_heatmap(result, answer, planes)
    if Kind.REPORT in result.wanted:
        made[Kind.REPORT] = make_report(result, answer, Places(planes, infarct))
    return {kind: dataset for kind, dataset in made.items() if dataset is not None}


def _infarct(answer: Analysed, planes: tuple[Plane, ...]) -> BoolArray | None:
    """Carry the infarct to the images' planes; None where there is nothing to carry."""
    if answer.infarct is None or answer.affine is None or not planes:
        return None
    mask = mask_on_planes(answer.infarct, answer.affine, planes)
    return mask if mask.any() else None


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
