"""Signs as cells of a table: the same in ``measurements.csv`` and in ``signs.csv``."""

from __future__ import annotations

from hemocast.pipeline.predictions.table import Row
from hemocast.signs.estimate import Estimate
from hemocast.signs.measured import Signs

SIGNS = (
    "midline_shift_mm", "midline_shift_low_mm", "midline_shift_high_mm", "midline_shift_to",
    "fluid_share", "calcification_ml", "calcifications", "calcification_slice",
    "ventricles_ml", "ventricles_low_ml", "ventricles_high_ml", "ventricle_left_ml",
    "ventricle_right_ml", "bicaudate_ratio", "bicaudate_ratio_low", "bicaudate_ratio_high",
    "van_swieten", "van_swieten_low", "van_swieten_high", "van_swieten_anterior",
    "van_swieten_posterior", "dense_artery", "dense_artery_side", "artery_left_hu",
    "artery_right_hu", "old_infarct_ml", "old_infarct_side",
)  # fmt: skip
"""Columns of signs, in order. A cell is empty where a sign could not be measured."""


def sign_cells(found: Signs) -> Row:
    """Give a scan's signs as cells; mm are without a sign, the side stands apart.

    Parameters
    ----------
    found : Signs
        As `hemocast.signs.measured.measure_signs` gives them.
    """
    return {
        "fluid_share": f"{found.fluid.share:.4f}",
        **_midline(found),
        **_calcium(found),
        **_ventricles(found),
        **_leukoaraiosis(found),
        **_artery(found),
        **_cavity(found),
    }


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


def _ventricles(found: Signs) -> Row:
    row: Row = {}
    if found.ventricles is not None:
        row |= _with_ends("ventricles", "_ml", found.ventricles.both, 1)
        if found.sides_known:
            row["ventricle_left_ml"] = f"{found.ventricles.left.value:.1f}"
            row["ventricle_right_ml"] = f"{found.ventricles.right.value:.1f}"
    if found.bicaudate is not None:
        row |= _with_ends("bicaudate_ratio", "", found.bicaudate.ratio, 3)
    return row


def _leukoaraiosis(found: Signs) -> Row:
    if found.leukoaraiosis is None:
        return {}
    return {
        **_with_ends("van_swieten", "", found.leukoaraiosis.grade, 1),
        "van_swieten_anterior": f"{found.leukoaraiosis.anterior:.1f}",
        "van_swieten_posterior": f"{found.leukoaraiosis.posterior:.1f}",
    }


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


def _cavity(found: Signs) -> Row:
    if "old_infarct" in found.missing:
        return {}
    if found.cavity is None:
        return {"old_infarct_ml": "0"}
    side = found.cavity.side if found.sides_known else "unknown"
    return {"old_infarct_ml": f"{found.cavity.volume_ml:.1f}", "old_infarct_side": side}


def _with_ends(name: str, unit: str, found: Estimate, digits: int) -> Row:
    """Give a number and the ends of its interval."""
    ends = (("", found.value), ("_low", found.low), ("_high", found.high))
    return {f"{name}{end}{unit}": f"{value:.{digits}f}" for end, value in ends}
