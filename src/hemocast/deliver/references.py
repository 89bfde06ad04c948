"""Which images an object was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset


def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    """Return the item of a code sequence (PS3.3, 8.8)."""
    from pydicom import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def sop_item(header: Dataset) -> Dataset:
    """Refer to one image."""
    from pydicom import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID = header.SOPClassUID
    item.ReferencedSOPInstanceUID = header.SOPInstanceUID
    return item


def source_images(headers: tuple[Dataset, ...]) -> list[Dataset]:
    """Refer to the images as those that something was computed from (Source Image Sequence)."""
    purpose = code_item("121322", "DCM", "Source Image for Image Processing Operation")
    items = []
    for header in headers:
        item = sop_item(header)
        item.PurposeOfReferenceCodeSequence = [purpose]
        items.append(item)
    return items
