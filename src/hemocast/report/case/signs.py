"""What was measured on the scan, in the words and pictures of a page."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hemocast.report.pictures.frames import brain_box
from hemocast.report.pictures.sprites import Picture
from hemocast.signs import bleeding, old_infarct
from hemocast.signs.aspects import Aspects
from hemocast.signs.estimate import Estimate
from hemocast.signs.infarct import Infarct
from hemocast.signs.measured import OfFrames, Signs
from hemocast.signs.sides import Place
from hemocast.volume import BoolArray, Stack

CROP = 44
"""Pixels round a place that its small picture shows, to each side."""

_ROOM = {
    "parenchyma": "in brain tissue",
    "ventricles": "in ventricles",
    "subarachnoid": "in the subarachnoid space",
}


@dataclass(frozen=True)
class SignRow:
    """One sign.

    Parameters
    ----------
    title, value : str
        What it is, and what was measured.
    about : str
        What speaks for it, or how far it can be believed.
    place : Place or None
        Where in the frames.
    """

    title: str
    value: str
    about: str = ""
    place: Place | None = None


@dataclass(frozen=True)
class SignsView:
    """All signs of a scan as its page shows them.

    Parameters
    ----------
    rows : tuple of SignRow
    missing : tuple of str
        What could not be measured, and why.
    mask : ndarray of bool, shape (28, H, W)
        The infarct, on the frames.
    """

    rows: tuple[SignRow, ...]
    missing: tuple[str, ...]
    mask: BoolArray

    def without_places(self) -> SignsView:
        """Return the signs for a page whose frames are others than those they were measured on."""
        rows = tuple(replace(row, place=None) for row in self.rows)
        return replace(self, rows=rows, mask=np.zeros_like(self.mask))


def view_signs(signs: Signs, mask: BoolArray) -> SignsView:
    """Put a scan's signs into words.

    Parameters
    ----------
    signs : Signs
        As `hemocast.signs.measured.measure_signs` gives them.
    mask : ndarray of bool, shape (28, H, W)
        The infarct's, on the frames of the page.
    """
    rows: list[SignRow] = []
    if signs.frames is not None:
        rows += _of_infarct(signs.frames.infarct, sides_known=signs.sides_known)
        rows += _of_aspects(signs.frames.aspects)
    rows += _of_artery(signs)
    rows += _of_blood(signs)
    if signs.frames is not None:
        rows += _of_brain(signs.frames, sides_known=signs.sides_known)
    rows += _of_volume(signs)
    missing = tuple(f"{name.replace('_', ' ')}: {why}" for name, why in signs.missing.items())
    return SignsView(tuple(rows), missing, mask)


def crop_of(place: Place, picture: Picture, stack: Stack) -> tuple[int, int, int, int]:
    """Return where a place lies in the sprite, and the left and top edge of what is shown round it.

    Returns
    -------
    tuple of int
        x and y of the place; x and y of the picture's corner, which stays within the frame.
    """
    rows, columns = brain_box(stack)
    one = picture.sprites
    left = place.frame % one.columns * one.width
    top = place.frame // one.columns * one.height
    x, y = place.column - columns.start, place.row - rows.start
    corner = (
        min(max(at - CROP, 0), max(size - 2 * CROP, 0))
        for at, size in ((x, one.width), (y, one.height))
    )
    corner_x, corner_y = corner
    return left + x, top + y, left + corner_x, top + corner_y


def _of_infarct(infarct: Infarct, *, sides_known: bool) -> list[SignRow]:
    if not infarct.seen:
        about = (
            "Nothing is outlined, which does not mean that there is none: 95 % of those not seen "
            f"in simulated heads were smaller than {infarct.volume_ml.high:.0f} mL."
        )
        return [SignRow("Acute infarct", "no infarct seen", about)]
    side = f"{infarct.side}, " if sides_known else "side not known, "
    share = "a third or more" if infarct.hypodensity == "third_or_more" else "less than a third"
    rows = [
        SignRow(
            "Acute infarct",
            f"{_interval(infarct.volume_ml, 0)} mL",
            f"{side}{infarct.territory}; {share} of the territory of the middle cerebral artery "
            f"({100 * infarct.mca_share:.0f} %).",
            infarct.place,
        )
    ]
    if infarct.water_uptake is not None:
        part = Estimate(*(100 * one for one in _ends(infarct.water_uptake)))
        about = "How much less dense it is than its mirror image (net water uptake)."
        rows.append(SignRow("Water uptake", f"{_interval(part, 0)} %", about, infarct.place))
    return rows


def _of_aspects(found: Aspects | None) -> list[SignRow]:
    if found is None:
        return []
    rows = [
        SignRow("ASPECTS", _interval(found.score, 0), "Of 10; regions that cost a point follow.")
    ]
    rows += [
        SignRow(f"ASPECTS {region.name}", "affected", f"{region.evidence}.", region.place)
        for region in found.regions
        if region.affected
    ]
    return rows


def _of_artery(signs: Signs) -> list[SignRow]:
    if signs.artery is None or signs.artery.dense is None:
        return []
    one = signs.artery
    side = one.denser if signs.sides_known else "one side"
    value = f"yes, {side}" if one.dense else "no"
    about = f"One side has {one.ratio:.2f} times the other's CT number, slice {one.slice_number}."
    return [SignRow("Dense artery", value, about)]


def _of_blood(signs: Signs) -> list[SignRow]:
    if signs.bleeding is None:
        return []
    rows = []
    at_rim = signs.bleeding.rim_slice
    if not signs.bleeding.pieces and at_rim is None:
        return [SignRow("Blood, by place", "none seen", bleeding.LIMIT)]
    if at_rim is not None:
        about = f"A thin layer stands out at slice {at_rim}. {bleeding.LIMIT}"
        rows.append(SignRow("Blood, under the dura", "may be there", about))
    for one in signs.bleeding.pieces:
        words = [one.side] if one.side and signs.sides_known else []
        words += [f"territory {one.territory}"] if one.territory else []
        about = f"{', '.join([*words, f'slice {one.slice_number}'])}. {bleeding.LIMIT}"
        place = None if signs.frames is None else signs.frames.sides.place_at(one.middle_mm)
        value = f"about {one.volume_ml:.1f} mL"
        rows.append(SignRow(f"Blood, {_ROOM[one.room]}", value, about, place))
    return rows


def _of_brain(frames: OfFrames, *, sides_known: bool) -> list[SignRow]:
    rows = []
    if frames.leukoaraiosis is not None:
        one = frames.leukoaraiosis
        about = f"Van Swieten's grade of 4: before the central sulcus {one.anterior:.1f}, behind it"
        about += f" {one.posterior:.1f}."
        rows.append(SignRow("Leukoaraiosis", _interval(one.grade, 1), about, one.place))
    if frames.cavity is not None:
        side = frames.cavity.side if sides_known else "side not known"
        value = f"{frames.cavity.volume_ml:.0f} mL, {side}"
        about = f"Its core; {old_infarct.LIMIT}"
        rows.append(SignRow("Old infarct", value, about, frames.cavity.place))
    if frames.ventricles is not None:
        value = f"{_interval(frames.ventricles.both, 0)} mL"
        rows.append(SignRow("Lateral ventricles", value, "", frames.ventricles.place))
    if frames.bicaudate is not None:
        one_ratio = frames.bicaudate
        about = f"{one_ratio.width_mm:.0f} mm between the caudate nuclei: atrophy."
        rows.append(
            SignRow("Bicaudate ratio", _interval(one_ratio.ratio, 2), about, one_ratio.place)
        )
    return rows


def _of_volume(signs: Signs) -> list[SignRow]:
    rows = []
    if signs.midline is not None:
        size, spread = abs(signs.midline.shift_mm), signs.midline.limits_mm
        side = signs.midline.side
        about = f"To the {side}." if side != "unknown" else "Too small to name a side."
        value = f"{_interval(Estimate.about(size, spread), 1)} mm"
        rows.append(SignRow("Midline shift", value, about))
    if signs.calcification is not None:
        one = signs.calcification
        at = f", the largest at slice {one.slice_number}" if one.slice_number else ""
        value = f"{one.volume_ml:.2f} mL in {one.places} places"
        rows.append(SignRow("Calcification", value, f"Most old people have some{at}."))
    rows.append(
        SignRow("Fluid", f"{100 * signs.fluid.share:.0f} % of the brain", "An index, no volume.")
    )
    return rows


def _ends(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def _interval(found: Estimate, digits: int) -> str:
    value, low, high = (f"{one:.{digits}f}" for one in _ends(found))
    return f"{value} ({low} to {high})"
