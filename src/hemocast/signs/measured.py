"""All signs of one scan, and why one is missing."""

from __future__ import annotations

from dataclasses import dataclass, field

from hemocast.anatomy import Alignment, Brain
from hemocast.config import PrepareConfig
from hemocast.signs.aspects import Aspects, measure_aspects
from hemocast.signs.bleeding import Bleeding, measure_bleeding
from hemocast.signs.calcium import Calcification, measure_calcification
from hemocast.signs.dense_artery import THICKEST_MM, Artery, measure_artery
from hemocast.signs.fluid import Fluid, measure_fluid
from hemocast.signs.infarct import Infarct, measure_infarct
from hemocast.signs.leukoaraiosis import Leukoaraiosis, measure_leukoaraiosis
from hemocast.signs.midline import MidlineShift, measure_midline
from hemocast.signs.old_infarct import Cavity, find_cavity
from hemocast.signs.outline import read_outline
from hemocast.signs.sides import Sides, lay_out
from hemocast.signs.ventricles import (
    Bicaudate,
    Ventricles,
    measure_bicaudate,
    measure_ventricles,
    ventricular_fluid,
)
from hemocast.volume import Stack, Volume

NO_FRAMES = "the scan holds too little of the brain for it"
NOT_SEEN = "its landmarks are not seen"
FAZEKAS = "no source says how grades on CT turn into it"


@dataclass(frozen=True)
class OfFrames:
    """What is measured on the upright brain; None where a landmark is not seen.

    Parameters
    ----------
    sides : Sides
        On which it was measured.
    infarct : Infarct
        The acute one, or that none is seen.
    aspects : Aspects or None
        With its ten regions.
    ventricles : Ventricles or None
        The lateral ones.
    bicaudate : Bicaudate or None
        Atrophy at the caudate nuclei.
    leukoaraiosis : Leukoaraiosis or None
        Van Swieten's grade.
    cavity : Cavity or None
        An old infarct; None where none is seen.
    """

    sides: Sides
    infarct: Infarct
    aspects: Aspects | None
    ventricles: Ventricles | None
    bicaudate: Bicaudate | None
    leukoaraiosis: Leukoaraiosis | None
    cavity: Cavity | None


@dataclass(frozen=True)
class Signs:
    """Signs of one scan; None where one cannot be measured.

    Parameters
    ----------
    midline : MidlineShift or None
        At the third ventricle.
    fluid : Fluid
        Share of fluid.
    calcification : Calcification or None
        Inside the brain.
    artery : Artery or None
        First segments of the middle cerebral arteries.
    bleeding : Bleeding or None
        Where blood is seen.
    frames : OfFrames or None
        What was measured on the upright brain; None where the scan holds too little of it.
    slice_mm : float
        Distance of the slices that were measured.
    sides_known : bool
        Whether left and right can be told.
    doubts : tuple of str
        What was accepted but may matter.
    missing : dict of str to str
        Sign -> why it could not be measured.
    """

    midline: MidlineShift | None
    fluid: Fluid
    calcification: Calcification | None
    artery: Artery | None
    bleeding: Bleeding | None
    frames: OfFrames | None
    slice_mm: float
    sides_known: bool
    doubts: tuple[str, ...]
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What is known of a scan before its signs are measured.

    Parameters
    ----------
    volume : Volume
        The scan.
    brain : Brain
        Its brain.
    pose : Alignment
        How it is set upright.
    stack : Stack or None
        Its frames; None where the scan holds too little of the brain for them.
    config : PrepareConfig
        The settings that made them.
    """

    volume: Volume
    brain: Brain
    pose: Alignment
    stack: Stack | None
    config: PrepareConfig


def measure_signs(found: Found) -> Signs:
    """Measure all signs of a scan.

    Parameters
    ----------
    found : Found
        The scan, its brain, pose and frames.
    """
    volume, brain, pose = found.volume, found.brain, found.pose
    missing = {"fazekas": FAZEKAS}
    midline = measure_midline(volume, pose)
    if midline is None:
        missing["midline_shift"] = "no third ventricle is seen"
    calcification = measure_calcification(volume, brain)
    if calcification is None:
        missing["calcification"] = "metal is near"
    artery = measure_artery(volume, brain, pose)
    if artery is None:
        missing["dense_artery"] = _no_artery(volume, brain)
    elif artery.dense is None:
        missing["dense_artery"] = f"a side ratio of {artery.ratio:.2f} tells neither way"
    bleeding = measure_bleeding(volume, brain, pose)
    if bleeding is None:
        missing["blood"] = "metal is near" if brain.metal is not None else "no tissue map"
    frames = _of_frames(found)
    missing |= _unseen(frames)
    return Signs(
        midline, measure_fluid(volume, brain), calcification, artery, bleeding, frames,
        volume.spacing[0],
        pose.sides_known, (*brain.doubts, *pose.doubts), missing,
    )  # fmt: skip


def _of_frames(found: Found) -> OfFrames | None:
    if found.stack is None or found.brain.tissue is None:
        return None
    sides = lay_out(found.stack, found.pose, found.config)
    fluid = ventricular_fluid(found.volume, found.brain.tissue, sides)
    outline = read_outline(found.stack, sides)
    infarct = measure_infarct(sides, outline)
    return OfFrames(
        sides,
        infarct,
        measure_aspects(sides, outline, infarct),
        measure_ventricles(sides, fluid),
        measure_bicaudate(sides),
        measure_leukoaraiosis(sides, fluid, outline),
        find_cavity(sides, fluid),
    )


def _unseen(frames: OfFrames | None) -> dict[str, str]:
    """Say which signs of the upright brain are missing, and why."""
    names = ("ventricles", "bicaudate", "leukoaraiosis", "aspects")
    if frames is None:
        return dict.fromkeys((*names, "infarct", "old_infarct"), NO_FRAMES)
    return {name: NOT_SEEN for name in names if getattr(frames, name) is None}


def _no_artery(volume: Volume, brain: Brain) -> str:
    if volume.spacing[0] > THICKEST_MM:
        return f"slices of {volume.spacing[0]:.1f} mm average an artery of 3 mm away"
    return "metal is near" if brain.metal is not None else "its course is not seen"
