"""Signs as cells of a table: the same in ``measurements.csv`` and in ``signs.csv``."""

from __future__ import annotations

from hemocast.anatomy.atlas import REGIONS
from hemocast.pipeline.predictions.table import Row
from hemocast.signs.bleeding import ROOMS
from hemocast.signs.estimate import Estimate
from hemocast.signs.measured import OfFrames, Signs

SIGNS = (
    "infarct_seen", "infarct_ml", "infarct_low_ml", "infarct_high_ml", "infarct_side",
    "infarct_territory", "infarct_mca_share", "water_uptake", "water_uptake_low",
    "water_uptake_high", "aspects", "aspects_low", "aspects_high",
    *(f"aspects_{region.lower()}{what}" for region in REGIONS
      for what in ("", "_darker_hu", "_darker_share")),
    "hypodensity", "early_infarct_signs", "territory",
    "midline_shift_mm", "midline_shift_low_mm", "midline_shift_high_mm", "midline_shift_to",
    "fluid_share", "calcification_ml", "calcifications", "calcification_slice",
    "ventricles_ml", "ventricles_low_ml", "ventricles_high_ml", "ventricle_left_ml",
    "ventricle_right_ml", "bicaudate_ratio", "bicaudate_ratio_low", "bicaudate_ratio_high",
    "van_swieten", "van_swieten_low", "van_swieten_high", "van_swieten_anterior",
    "van_swieten_posterior", "dense_artery", "dense_artery_side", "artery_left_hu",
    "artery_right_hu", "old_infarct_ml", "old_infarct_side",
    "blood_ml", *(f"blood_{room}_ml" for room in ROOMS), "blood_side", "blood_territory",
    "blood_slice", "blood_under_dura", "blood_under_dura_slice",
)  # fmt: skip
"""Columns of signs, in order. A cell is empty where a sign could not be measured."""


def measured_cells(found: Signs) -> Row:
    """Give a scan's signs, the distance of its slices, and why a sign is missing."""
    missing = "; ".join(f"{name}: {why}" for name, why in found.missing.items())
    return sign_cells(found) | {"slice_mm": f"{found.slice_mm:.3f}", "not_measured": missing}


def sign_cells(found: Signs) -> Row:
    """Give a scan's signs as cells; mm are without a sign, the side stands apart.

    Parameters
    ----------
    found : Signs
        As `hemocast.signs.measured.measure_signs` gives them.
    """
    row = {"fluid_share": f"{found.fluid.share:.4f}"}
    row |= _midline(found) | _calcium(found) | _artery(found) | _blood(found)
    if found.frames is None:
        return row
    of_frames = (_infarct, _aspects, _ventricles, _leukoaraiosis, _cavity)
    for cells in of_frames:
        row |= cells(found.frames, found.sides_known)
    return row


def _infarct(found: OfFrames, sides_known: bool) -> Row:
    infarct = found.infarct
    row = {
        "infarct_seen": str(int(infarct.seen)),
        **_with_ends("infarct", "_ml", infarct.volume_ml, 1),
        "hypodensity": infarct.hypodensity,
        "early_infarct_signs": str(int(infarct.seen)),
    }
    if not infarct.seen:
        return row
    row |= {
        "infarct_side": str(infarct.side) if sides_known else "unknown",
        "infarct_territory": str(infarct.territory),
        "infarct_mca_share": f"{infarct.mca_share:.3f}",
        "territory": "mca" if infarct.territory == "MCA" else "other",
    }
    if infarct.water_uptake is not None:
        row |= _with_ends("water_uptake", "", infarct.water_uptake, 3)
    return row


def _aspects(found: OfFrames, _: bool) -> Row:
    if found.aspects is None:
        return {}
    row = _with_ends("aspects", "", found.aspects.score, 0)
    for region in found.aspects.regions:
        name = f"aspects_{region.name.lower()}"
        row |= {
            name: str(int(region.affected)),
            f"{name}_darker_hu": f"{region.darker_hu:.1f}",
            f"{name}_darker_share": f"{region.darker_share:.2f}",
        }
    return row


def _midline(found: Signs) -> Row:
    if found.midline is None:
        return {}
    size, spread = abs(found.midline.shift_mm), found.midline.limits_mm
    return {
        "midline_shift_mm": f"{size:.1f}",
        "midline_shift_low_mm": f"{max(size - spread, 0):.1f}",
        "midline_shift_high_mm": f"{size + spread:.1f}",
        "midline_shift_to": found.midline.side,
    }


def _calcium(found: Signs) -> Row:
    if found.calcification is None:
        return {}
    return {
        "calcification_ml": f"{found.calcification.volume_ml:.3f}",
        "calcifications": str(found.calcification.places),
        "calcification_slice": str(found.calcification.slice_number or ""),
    }


def _ventricles(found: OfFrames, sides_known: bool) -> Row:
    row: Row = {}
    if found.ventricles is not None:
        row |= _with_ends("ventricles", "_ml", found.ventricles.both, 1)
        if sides_known:
            row["ventricle_left_ml"] = f"{found.ventricles.left.value:.1f}"
            row["ventricle_right_ml"] = f"{found.ventricles.right.value:.1f}"
    if found.bicaudate is not None:
        row |= _with_ends("bicaudate_ratio", "", found.bicaudate.ratio, 3)
    return row


def _leukoaraiosis(found: OfFrames, _: bool) -> Row:
    if found.leukoaraiosis is None:
        return {}
    return {
        **_with_ends("van_swieten", "", found.leukoaraiosis.grade, 1),
        "van_swieten_anterior": f"{found.leukoaraiosis.anterior:.1f}",
        "van_swieten_posterior": f"{found.leukoaraiosis.posterior:.1f}",
    }


def _cavity(found: OfFrames, sides_known: bool) -> Row:
    if found.cavity is None:
        return {"old_infarct_ml": "0"}
    side = found.cavity.side if sides_known else "unknown"
    return {"old_infarct_ml": f"{found.cavity.volume_ml:.1f}", "old_infarct_side": side}


def _artery(found: Signs) -> Row:
    artery = found.artery
    if artery is None:
        return {}
    row = {"dense_artery": "" if artery.dense is None else str(int(artery.dense))}
    if found.sides_known:
        row["artery_left_hu"] = f"{artery.left_hu:.1f}"
        row["artery_right_hu"] = f"{artery.right_hu:.1f}"
        row["dense_artery_side"] = artery.denser if artery.dense else ""
    return row


def _blood(found: Signs) -> Row:
    bleeding = found.bleeding
    if bleeding is None:
        return {}
    row = {"blood_ml": f"{bleeding.volume_ml:.1f}"}
    row |= {f"blood_{room}_ml": f"{bleeding.ml(room):.1f}" for room in ROOMS}
    row["blood_under_dura"] = str(int(bleeding.rim_slice is not None))
    if bleeding.rim_slice is not None:
        row["blood_under_dura_slice"] = str(bleeding.rim_slice)
    if not bleeding.pieces:
        return row
    largest = bleeding.pieces[0]
    return row | {
        "blood_side": largest.side or ("middle" if found.sides_known else "unknown"),
        "blood_territory": largest.territory or "",
        "blood_slice": str(largest.slice_number),
    }


def _with_ends(name: str, unit: str, found: Estimate, digits: int) -> Row:
    """Give a number and the ends of its interval."""
    ends = (("", found.value), ("_low", found.low), ("_high", found.high))
    return {f"{name}{end}{unit}": f"{value:.{digits}f}" for end, value in ends}
