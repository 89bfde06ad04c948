"""Multi-frame (Enhanced) CT: one file's functional groups -> one Image per frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hemocast.dicom.header.fields import floats, words
from hemocast.dicom.header.image import Image

if TYPE_CHECKING:
    from pydicom import Dataset

MOST_FRAMES = 4096


def frames(image: Image, dataset: Dataset | None) -> list[Image]:
    """Give every frame of a multi-frame file its own place, scale and type.

    A frame's own functional group goes before the shared one (DICOM PS3.3 C.7.6.16). Frames are
    named by the file's SOPInstanceUID, ``#`` and their number from 1.

    Parameters
    ----------
    image : Image
        What the file says of all frames.
    dataset : pydicom.Dataset
        Its header, with the functional groups; without one the file stays one image.
    """
    if dataset is None:
        return [image]
    shared = _first(dataset, "SharedFunctionalGroupsSequence")
    own = dataset.get("PerFrameFunctionalGroupsSequence") or []
    return [
        _frame(image, index, [part for part in (group, shared) if part is not None])
        for index, group in enumerate(own[:MOST_FRAMES])
    ]


def _frame(image: Image, index: int, groups: list[Dataset]) -> Image:
    """Give one frame what its own functional group says, or else the shared one."""
    transform = "PixelValueTransformationSequence"
    kind = _value(groups, "CTImageFrameTypeSequence", "FrameType")
    kernel = _value(groups, "CTReconstructionSequence", "ConvolutionKernel")
    pixels = replace(
        image.pixels,
        frame=index,
        slope=_number(groups, transform, "RescaleSlope", image.pixels.slope),
        intercept=_number(groups, transform, "RescaleIntercept", image.pixels.intercept),
        rescale_type=str(_value(groups, transform, "RescaleType") or "").upper(),
    )
    return replace(
        image,
        sop_uid=f"{image.sop_uid}#{index + 1}",
        image_type=words("\\".join(map(str, kind))) if kind else image.image_type,
        kernel=str(kernel or image.kernel).upper(),
        position=floats(_value(groups, "PlanePositionSequence", "ImagePositionPatient"), 3),
        orientation=floats(
            _value(groups, "PlaneOrientationSequence", "ImageOrientationPatient"), 6
        ),
        spacing=floats(_value(groups, "PixelMeasuresSequence", "PixelSpacing"), 2),
        thickness=_number(groups, "PixelMeasuresSequence", "SliceThickness", None),
        instance_number=index + 1,
        pixels=pixels,
    )


def _number(
    groups: list[Dataset], macro: str, keyword: str, otherwise: float | None
) -> float | None:
    found = floats([_value(groups, macro, keyword)], 1)
    return found[0] if found else otherwise


def _value(groups: list[Dataset], macro: str, keyword: str) -> Any:
    """Value of the first group that has it."""
    for group in groups:
        item = _first(group, macro)
        if item is not None and keyword in item:
            return item.get(keyword)
    return None


def _first(dataset: Any, keyword: str) -> Any:
    sequence = dataset.get(keyword)
    return sequence[0] if sequence else None
