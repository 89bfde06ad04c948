"""The secondary capture: a picture that every workstation shows.

Secondary Capture Image IOD (PS3.3, A.8.1), in RGB: Multi-frame True Color is shown by fewer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hemocast.deliver.context import NOTICE, complete
from hemocast.deliver.picture import draw_result
from hemocast.deliver.references import source_images
from hemocast.deliver.result import Kind, Result

if TYPE_CHECKING:
    from pydicom import Dataset

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def make_capture(result: Result) -> Dataset:
    """Make the secondary capture of a result, or of why there is none.

    Nothing in the picture names the patient or a date: BurnedInAnnotation is NO.
    """
    from pydicom import Dataset

    pixels = np.asarray(draw_result(result))
    dataset = Dataset()
    values: dict[str, object] = {
        "SOPClassUID": SECONDARY_CAPTURE,
        "ImageType": ["DERIVED", "SECONDARY"],
        "ConversionType": "WSD",
        "PatientOrientation": "",
        "BurnedInAnnotation": "NO",
        "RecognizableVisualFeatures": "NO",
        "LossyImageCompression": "00",
        "DerivationDescription": "Computed from the images referred to",
        "ImageComments": _comments(result),
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "RGB",
        "PlanarConfiguration": 0,
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "SourceImageSequence": source_images(result.headers),
    }
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    complete(dataset, result, Kind.CAPTURE)
    dataset.add_new("PixelData", "OB", pixels.tobytes() + b"\0" * (pixels.size % 2))
    return dataset


def _comments(result: Result) -> str:
    parts = ["SIMULATED"] if result.simulated else []
    parts += [NOTICE]
    if result.revision > 1:
        parts.append(f"Revision {result.revision}: replaces what was sent before")
    return "; ".join(parts)
