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
    found = []
    for index, group in enumerate(own[:MOST_FRAMES]):
        groups = [part for part in (group, shared) if part is not None]

        def value(
            macro: str, keyword: str, groups: list[Any] = groups
        ) -> Any:  # bound now: the loop goes on
            for part in groups:
                item = _first(part, macro)
                if item is not None and keyword in item:
                    return item.get(keyword)
            return None

        slope = floats([value("PixelValueTransformationSequence", "RescaleSlope")], 1)
        intercept = floats([value("PixelValueTransformationSequence", "RescaleIntercept")], 1)
        thickness = floats([value("PixelMeasuresSequence", "SliceThickness")], 1)
        kind = value("CTImageFrameTypeSequence", "FrameType")
        pixels = replace(
            image.pixels,
            frame=index,
            slope=slope[0] if slope else image.pixels.slope,
            intercept=intercept[0] if intercept else image.pixels.intercept,
            rescale_type=str(
                value("PixelValueTransformationSequence", "RescaleType") or ""
            ).upper(),
        )
        kernel = value("CTReconstructionSequence", "ConvolutionKernel")
        found.append(
            replace(
                image,
                sop_uid=f"{image.sop_uid}#{index + 1}",
                image_type=words("\\".join(map(str, kind))) if kind else image.image_type,
                kernel=str(kernel or image.kernel).upper(),
                position=floats(value("PlanePositionSequence", "ImagePositionPatient"), 3),
                orientation=floats(value("PlaneOrientationSequence", "ImageOrientationPatient"), 6),
                spacing=floats(value("PixelMeasuresSequence", "PixelSpacing"), 2),
                thickness=thickness[0] if thickness else None,
                instance_number=index + 1,
                pixels=pixels,
            )
        )
    return found


def _first(dataset: Any, keyword: str) -> Any:
    sequence = dataset.get(keyword)
    return sequence[0] if sequence else None
