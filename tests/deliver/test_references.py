from __future__ import annotations

from pydicom import Dataset

from hemocast.deliver.references import source_images


def test_every_image_is_referred_to_with_its_purpose(headers: tuple[Dataset, ...]) -> None:
    items = source_images(headers)
    uids = [item.ReferencedSOPInstanceUID for item in items]
    assert uids == [header.SOPInstanceUID for header in headers]
    assert {item.PurposeOfReferenceCodeSequence[0].CodeValue for item in items} == {"121322"}
