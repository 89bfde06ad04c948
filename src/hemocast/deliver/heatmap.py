"""The evidence for HT as a parametric map (PS3.3, A.75): a number in every pixel of the scan."""

from __future__ import annotations

from collections.abc import Sequence

import highdicom as hd
import numpy as np
from pydicom import Dataset

from hemocast.deliver import codes
from hemocast.deliver.context import complete, derived_uid
from hemocast.deliver.planes import Plane, on_planes, spaced
from hemocast.deliver.result import Analysed, Kind, Result
from hemocast.deliver.sources import bare, code, declare_scheme, device, made_by, steady_dimensions
from hemocast.report.pictures.frames import TOP

LABEL = "HEATMAP"
LEAST_MM = 2.4
"""Distance of frames: a model's own lie 5 mm apart, and every one takes a megabyte."""


def make_heatmap(result: Result, answer: Analysed, planes: Sequence[Plane]) -> Dataset | None:
    """Make the map, on slices of the scan that it reaches; None where the model has none.

    Parameters
    ----------
    result : Result
        What is told.
    answer : Analysed
        Its answer.
    planes : sequence of Plane
        Of the source images.
    """
    one = answer.prediction
    if not one.has_heatmap:
        return None
    chosen = [planes[index] for index in spaced(planes, LEAST_MM)]
    values = on_planes(one.heatmap, one.stack.affine, chosen)
    reached = np.flatnonzero(values.any(axis=(1, 2)))
    if not reached.size:
        return None
    part = slice(reached[0], reached[-1] + 1)
    values, chosen = values[part], chosen[part]
    mapping = hd.pm.RealWorldValueMapping(
        lut_label="HT evidence",
        lut_explanation="Log-odds of HT that each cm3 adds",
        unit=code(codes.PER_CM3),
        value_range=(float(values.min()), float(values.max())),
        slope=1,
        intercept=0,
        quantity_definition=code(codes.EVIDENCE),
    )
    window = hd.VOILUTTransformation(
        window_center=TOP / 2,
        window_width=TOP,
        voi_lut_function=hd.VOILUTFunctionValues.LINEAR_EXACT,
    )
    dataset = hd.pm.ParametricMap(
        source_images=bare([plane.header for plane in chosen]),
        pixel_array=values,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[window],
        content_label=LABEL,
        content_description="Research only: which regions moved the model's answer",
        **made_by(result, Kind.HEATMAP),
        **device(result),
    )
    complete(dataset, result, Kind.HEATMAP)
    declare_scheme(dataset)
    steady_dimensions(dataset, derived_uid(result, Kind.HEATMAP, "dimensions"))
    return dataset
