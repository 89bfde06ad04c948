"""The one gate to a model's input: scans with blood, or with contrast agent, do not pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from hemocast.anatomy import Alignment, Brain, align, find_brain
from hemocast.config import PrepareConfig
from hemocast.errors import BloodPresent, ContrastGiven, NotAligned
from hemocast.prepare.cache import keep_stack, kept_stack
from hemocast.prepare.stack import prepare_frames
from hemocast.signs.blood import Blood, find_blood
from hemocast.signs.contrast import find_enhancement
from hemocast.signs.measured import Found
from hemocast.signs.subdural import look_at_rim
from hemocast.volume import FloatArray, Stack, Volume


def refuse_enhancement(volume: Volume, brain: Brain) -> None:
    """Refuse a contrast-enhanced scan whose header does not say so: the pixels have the last word.

    Beside metal they have none: its streaks are as bright as vessels with contrast agent.

    Raises
    ------
    ContrastGiven
        The vessels are as bright as contrast agent makes them.
    """
    if brain.metal is None and find_enhancement(volume, brain).present:
        raise ContrastGiven(
            "The vessels are as bright as contrast agent makes them, whatever the header says",
            "a plain scan",
            "Give the plain series of the same study",
        )


@dataclass(frozen=True)
class Looked:
    """What the gate looks at: a dataset's scans are looked at once, when they are taken in.

    Parameters
    ----------
    brain : Brain
        Where it is.
    blood : Blood
        What of it there may be.
    pose : Alignment or NotAligned
        How the head is set upright, or why it is not.
    """

    brain: Brain
    blood: Blood
    pose: Alignment | NotAligned

    @property
    def upright(self) -> Alignment | None:
        """How the head is set upright; None where a bleed, say, leaves it no brain's shape."""
        return self.pose if isinstance(self.pose, Alignment) else None


def look(volume: Volume) -> Looked:
    """Find the brain, how it lies, and its blood; a scan that shows blood is no fault here.

    Raises
    ------
    ContrastGiven, NotHounsfield, NotABrain, WrongOrientation
        As `eligible_stack` does.
    """
    brain = find_brain(volume)
    refuse_enhancement(volume, brain)
    try:
        pose = align(volume, brain)
    except NotAligned as error:
        return Looked(brain, find_blood(volume, brain, None), error.without_frames())
    return Looked(brain, find_blood(volume, brain, pose), pose)


def _refuse(looked: Looked) -> Alignment:
    """Refuse a scan that shows blood, or that cannot be set upright; return how it is.

    A bleed may be so large that the brain has no brain's shape: then it is the reason.
    """
    if looked.blood.present:
        # Muscle measures 50 to 65 HU, and where bone is missing it lies on the brain.
        muscle = ", or muscle in the gap of its skull" if looked.brain.gap else ""
        raise BloodPresent(
            f"The scan already shows about {looked.blood.volume_ml:.1f} mL of blood{muscle}",
            "a scan taken before any bleeding",
            "Use an earlier scan; hemorrhagic transformation can no longer be predicted here",
        )
    if isinstance(looked.pose, NotAligned):
        raise looked.pose
    return looked.pose


def eligible_stack(volume: Volume, config: PrepareConfig, *, cache: Path | None = None) -> Stack:
    """Prepare a scan for training or prediction, unless it already shows blood or contrast.

    Parameters
    ----------
    volume : Volume
        The scan.
    config : PrepareConfig
        The settings.
    cache : Path, optional
        Folder of prepared scans, as for `kept_stack`; only eligible scans are kept.

    Returns
    -------
    Stack
        That of `prepare`; what may be a little blood, or a thin layer of it under the skull, is
        among its doubts.

    Raises
    ------
    BloodPresent
        The scan shows a hematoma.
    ContrastGiven
        Its vessels are as bright as contrast agent makes them.
    NotHounsfield, NotABrain, NotAligned, WrongOrientation, NotCovered
        As `prepare` does.
    """
    held = kept_stack(volume, config, cache) if cache else None
    if held:
        return held
    stack = eligible(volume, config).stack
    if cache:
        keep_stack(stack, cache)
    return stack


@dataclass(frozen=True)
class Eligible(Found):
    """A scan that may be predicted from, with its frames.

    Parameters
    ----------
    stack : Stack
        They are there.
    hu : ndarray of float32, shape (frame, y, x)
        CT numbers of the frames; 0 where there is no brain.
    """

    stack: Stack
    hu: FloatArray


def eligible(volume: Volume, config: PrepareConfig, looked: Looked | None = None) -> Eligible:
    """Prepare a scan as `eligible_stack` does; also return what was found on the way.

    Parameters
    ----------
    volume : Volume
        The scan.
    config : PrepareConfig
        The settings.
    looked : Looked, optional
        What `look` found in it, where that is known.

    Raises
    ------
    BloodPresent, ContrastGiven, NotHounsfield, NotABrain, NotAligned, WrongOrientation, NotCovered
        As `eligible_stack` does.
    """
    looked = looked or look(volume)
    pose, brain = _refuse(looked), looked.brain
    stack, hu = prepare_frames(volume, config, brain, pose)
    rim = look_at_rim(volume, brain, pose)
    found = tuple(one.doubt for one in (looked.blood, rim) if one and one.doubt)
    if found:
        record = replace(stack.record, doubts=(*stack.record.doubts, *found))
        stack = replace(stack, record=record)
    return Eligible(volume, brain, pose, stack, config, hu)
