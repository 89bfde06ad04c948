"""Signs of a scan that was read: measured, and the infarct's mask on the scan's own grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hemocast.classical.signs import signs_of as told_signs
from hemocast.dicom.files.nifti import write_nifti
from hemocast.errors import NotCovered
from hemocast.model.heatmap import NO_PLACES, ONE_FOR_ALL, on_scan
from hemocast.pipeline.sign_cells import sign_cells
from hemocast.prepare import prepare
from hemocast.prepare.resample import sampled
from hemocast.signs.measured import Found, Signs, measure_signs
from hemocast.signs.outline import FRAMES
from hemocast.signs.regions import EvidencePlaces, evidence_by_region
from hemocast.volume import SIMULATED, BoolArray, Volume

if TYPE_CHECKING:
    from hemocast.classical.measurements import Measurements
    from hemocast.model import Model, Prediction
    from hemocast.prepare.eligibility import Eligible
    from hemocast.volume import FloatArray

_HALF = 0.5


def measure_scan(volume: Volume) -> tuple[Found, Signs]:
    """Find brain and pose of a scan, and measure its signs.

    Raises
    ------
    HemocastError
        There is no brain, or it cannot be set upright.
    """
    from hemocast.anatomy import align, find_brain

    brain = find_brain(volume)
    found = Found(volume, brain, align(volume, brain), None, FRAMES)
    try:
        stack = prepare(volume, found.config, brain, found.pose)
    except NotCovered:
        return found, measure_signs(found)
    found = replace(found, stack=stack)
    return found, measure_signs(found)


def signs_of(found: Found) -> tuple[Found, Signs]:
    """Measure the signs of a scan whose frames a model's settings made.

    Returns
    -------
    Found
        With the frames that signs are measured on: other ones where the settings differ.
    Signs
    """
    if found.config != FRAMES:
        stack = prepare(found.volume, FRAMES, found.brain, found.pose)
        found = replace(found, stack=stack, config=FRAMES)
    return found, measure_signs(found)


def predict_measured(
    ready: Eligible,
    model: Model,
    *,
    volume: Volume,
    scan_id: str = "",
    record: Measurements | None = None,
    cells: FloatArray | None = None,
) -> tuple[Found, Signs, Prediction]:
    """Measure the signs of a scan, and predict it with what the model has to be told of them.

    Parameters
    ----------
    ready : Eligible
        The scan, with the frames of the model's settings.
    model : Model
    volume, scan_id, record, cells
        As for `hemocast.model.Model.predict_stack`.

    Returns
    -------
    Found
        As `signs_of` gives it.
    Signs
    Prediction
    """
    found, signs = signs_of(ready)
    told = told_signs(sign_cells(signs)) if model.needs_signs else None
    prediction = model.predict_stack(
        ready.stack, scan_id=scan_id, volume=volume, record=record, cells=cells, signs=told
    )
    return found, signs, prediction


def infarct_frames(found: Found, signs: Signs) -> BoolArray:
    """Return the infarct's mask on the frames, (frame, y, x); empty where none is seen."""
    if found.stack is None or signs.frames is None:
        raise ValueError("a scan without frames has no mask")
    frames = signs.frames.sides.on_frames(signs.frames.infarct.mask)
    return np.asarray(frames & found.stack.brain, np.bool_)


def infarct_on_scan(found: Found, signs: Signs) -> BoolArray:
    """Return the infarct's mask on the scan's grid, (z, y, x)."""
    if found.stack is None:
        raise ValueError("a scan without frames has no mask")
    share = on_scan(infarct_frames(found, signs).astype(np.float32), found.stack, found.volume)
    return np.asarray((share > _HALF) & found.brain.mask)


def evidence_places(prediction: Prediction, found: Found, signs: Signs) -> EvidencePlaces | None:
    """Say in which regions the evidence of a prediction lies, and how much of the infarct.

    Returns
    -------
    EvidencePlaces or None
        None where the map belongs to no frame or place, nothing speaks for HT, or the scan holds
        too little of the brain.
    """
    frames, stack, own = signs.frames, found.stack, prediction.stack
    if prediction.heatmap_kind in (NO_PLACES, ONE_FOR_ALL) or frames is None or stack is None:
        return None
    values = np.maximum(prediction.heatmap, 0)
    if own.frames.shape != stack.frames.shape or not np.allclose(own.affine, stack.affine):
        values = sampled(values, np.linalg.inv(own.affine) @ stack.affine, stack.frames.shape)
    return evidence_by_region(values, frames.sides, frames.infarct, sides_known=signs.sides_known)


def write_infarct(found: Found, signs: Signs, path: Path) -> None:
    """Write the infarct's mask as NIfTI on the scan's grid."""
    simulated = f"{SIMULATED}; " if found.volume.source.simulated else ""
    write_nifti(
        infarct_on_scan(found, signs),
        found.volume.affine,
        path,
        dtype="uint8",
        description=f"{simulated}acute infarct, as outlined",
        sides_known=signs.sides_known,
    )
