"""The acute infarct as a segmentation (PS3.3, A.51): a mask on the scan's own slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import highdicom as hd
import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes as known

from hemocast.deliver import codes
from hemocast.deliver.context import PRODUCT, complete, derived_uid, plain
from hemocast.deliver.planes import Plane
from hemocast.deliver.result import Kind, Result
from hemocast.deliver.sources import bare, code, device, made_by, steady_dimensions
from hemocast.version import VERSION
from hemocast.volume import BoolArray

SEGMENT = 1
TRACKED = "acute infarct"
_COLOUR = (236, 112, 20)


def make_segmentation(result: Result, mask: BoolArray, planes: Sequence[Plane]) -> Dataset | None:
    """Make the segmentation; None where nothing is outlined.

    Parameters
    ----------
    result : Result
        What is told.
    mask : ndarray of bool, shape (plane, row, column)
        The infarct's, on the planes.
    planes : sequence of Plane
        Of the source images.
    """
    held = np.flatnonzero(mask.any(axis=(1, 2)))
    if not held.size:
        return None
    segment = hd.seg.SegmentDescription(
        segment_number=SEGMENT,
        segment_label="Acute infarct",
        segmented_property_category=code(codes.ABNORMAL_STRUCTURE),
        segmented_property_type=code(codes.INFARCT),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm(),
        tracking_uid=derived_uid(result, Kind.INFARCT, TRACKED),
        tracking_id=TRACKED,
        anatomic_regions=[code(codes.BRAIN)],
        display_color=hd.color.CIELabColor.from_rgb(*_COLOUR),
    )
    dataset = hd.seg.Segmentation(
        source_images=bare([planes[int(index)].header for index in held]),
        pixel_array=mask[held].astype(np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[segment],
        content_label="INFARCT",
        content_description=plain("Research only: the acute infarct, as outlined"),
        **made_by(result, Kind.INFARCT),
        **device(result),
    )
    complete(dataset, result, Kind.INFARCT)
    steady_dimensions(dataset, derived_uid(result, Kind.INFARCT, "dimensions"))
    return dataset


def algorithm() -> Any:
    """Name what outlines the infarct: it comes with the program, whatever the model."""
    return hd.AlgorithmIdentificationSequence(
        name=f"{PRODUCT} infarct outline", family=known.DCM.ArtificialIntelligence, version=VERSION
    )
