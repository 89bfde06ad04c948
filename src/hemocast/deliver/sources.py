"""Source images as highdicom takes them: their places and references, and no identifier.

It copies patient and study from the images that it is given, checks them and warns of what it finds
odd, in words that hold them. It is therefore given images without any; `complete` copies them
later, letter by letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hemocast.deliver.codes import OWN, OWN_SCHEME, Concept
from hemocast.deliver.context import MANUFACTURER, PRODUCT, instance_uid, series_uid
from hemocast.deliver.result import Kind, Result
from hemocast.dicom import make_uid
from hemocast.errors import MissingExtra
from hemocast.version import VERSION

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.sr.coding import Code

_KEPT = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality",
    "FrameOfReferenceUID", "PositionReferenceIndicator", "ImageType", "InstanceNumber", "Rows",
    "Columns", "PixelSpacing", "SliceThickness", "ImagePositionPatient", "ImageOrientationPatient",
    "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation",
)  # fmt: skip
_EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate",
    "StudyTime", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip


def need_highdicom() -> None:
    """Refuse where the library of these objects is not installed.

    Raises
    ------
    MissingExtra
        It is not.
    """
    from importlib.util import find_spec

    if find_spec("highdicom") is None:
        raise MissingExtra(
            "Structured reports, maps and outlines need highdicom",
            "the extra 'serve'",
            "pip install 'hemocast[serve]', or ask for the secondary capture alone",
        )


def bare(headers: Sequence[Dataset]) -> list[Dataset]:
    """Return the images' places and references, without what names anybody."""
    from pydicom import Dataset

    images = []
    for header in headers:
        image = Dataset()
        for keyword in _KEPT:
            if keyword in header:
                setattr(image, keyword, header[keyword].value)
        for keyword in _EMPTY:
            setattr(image, keyword, "")
        if not image.get("SliceThickness"):
            image.SliceThickness = 1
        images.append(image)
    return images


def made_by(result: Result, kind: Kind) -> dict[str, Any]:
    """Return what every constructor of highdicom asks for."""
    return {
        "series_instance_uid": series_uid(result, kind),
        "series_number": 1,
        "sop_instance_uid": instance_uid(result, kind),
        "instance_number": result.revision,
        "manufacturer": MANUFACTURER,
    }


def device(result: Result) -> dict[str, Any]:
    """Return what constructors of images ask for besides; `complete` says it better."""
    return {
        "manufacturer_model_name": PRODUCT,
        "software_versions": VERSION,
        "device_serial_number": result.model.hash if result.model else VERSION,
    }


def code(concept: Concept) -> Code:
    """Return a concept as pydicom and highdicom take it."""
    from pydicom.sr.coding import Code

    return Code(concept.value, concept.scheme, concept.meaning)


def declare_scheme(dataset: Dataset) -> None:
    """Say in an object what our own coding scheme is (PS3.3, C.12.1.1.9)."""
    from pydicom import Dataset

    item = Dataset()
    item.CodingSchemeDesignator = OWN
    item.CodingSchemeUID = make_uid("hemocast coding scheme")
    item.CodingSchemeName, item.CodingSchemeResponsibleOrganization = OWN_SCHEME
    dataset.CodingSchemeIdentificationSequence = [item]


def steady_dimensions(dataset: Dataset, uid: str) -> None:
    """Give an image's dimensions a derived UID in place of a random one."""
    for item in (*dataset.DimensionOrganizationSequence, *dataset.DimensionIndexSequence):
        item.DimensionOrganizationUID = uid
