"""One head: an atlas bent by a `Shape`, with its own structures, and what a stroke does to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hemocast.simulate.anatomy.atlas import load_atlas
from hemocast.simulate.anatomy.shape import FIELD, Shape, atlas_maps, draw_shape
from hemocast.simulate.anatomy.structures import Side, draw_structures, lay_arteries
from hemocast.simulate.anatomy.tissue import Tissue, draw_tissue_hu, healthy_hu
from hemocast.simulate.disease import lesion
from hemocast.simulate.disease.bleed import Bleed, draw_bleed, mass_effect_mm
from hemocast.simulate.disease.lesion import Territory, TissueShare
from hemocast.simulate.disease.swelling import swell
from hemocast.volume import BoolArray, FloatArray


@dataclass(frozen=True)
class Infarct:
    """What is asked of an infarct.

    Parameters
    ----------
    territory : str
        Vascular territory.
    side : {"left", "right"}
        The patient's side.
    volume_ml : float
        Brain tissue it holds, mL.
    pattern : int
        Which of the `PATTERNS` ways it grows.
    """

    territory: Territory
    side: Side
    volume_ml: float
    pattern: int = 0


@dataclass(frozen=True)
class Person:
    """Whose head it is.

    Parameters
    ----------
    age : float
        Years; sets atrophy, calcium, lacunes.
    male : bool
        Sex, for the size of the head.
    van_swieten : tuple of int
        Leukoaraiosis before and behind the central sulcus, 0 to 2 each (van Swieten 1990).
    old_infarct : Infarct or None
        A cavity from an earlier stroke.
    """

    age: float = 65.0
    male: bool = True
    van_swieten: tuple[int, int] = (1, 0)
    old_infarct: Infarct | None = None


@dataclass(frozen=True)
class Edema:
    """How swollen an infarct is at the time of a scan.

    Parameters
    ----------
    water_uptake : float
        Net water uptake, 0 to 1: the infarct's tissue measures (1 - uptake) of what it would
        (Minnerup 2016, Ann Neurol; Broocks 2018, Invest Radiol).
    shift_mm : float
        How far it pushes the midline.
    """

    water_uptake: float = 0.2
    shift_mm: float = 0.0


@dataclass(frozen=True)
class Stroke:
    """What a stroke does to a head.

    Parameters
    ----------
    infarct : Infarct
        ``Infarct("MCA", "left", 80.0)``, say.
    edema : Edema
        Its volume is exact when it is as swollen as this.
    hyperdense : bool
        The infarct's side has a clot in the first segment of its middle cerebral artery.
    bleed : Bleed or None
        A bleed inside the infarct.
    """

    infarct: Infarct
    edema: Edema = Edema()
    hyperdense: bool = False
    bleed: Bleed | None = None


@dataclass(frozen=True)
class Head:
    """A head ready to be scanned.

    Parameters
    ----------
    shape : Shape
        Its bend, atrophy, skull; without the swelling of the infarct.
    tissue : ndarray of uint8
        The atlas' `Tissue` map with this head's own structures stamped in.
    tissue_hu : ndarray of float32, shape (32,)
        CT number of every `Tissue` in this head.
    infarct, blood : TissueShare or None
        Shares of the voxels that are infarcted, or hold a bleed.
    infarct_hu : float
        Mean CT number of the infarct's tissue before it took up water.
    edema : Edema
        How swollen it is scanned; `dataclasses.replace` it for another time.
    """

    shape: Shape
    tissue: NDArray[np.uint8]
    tissue_hu: FloatArray
    infarct: TissueShare | None = None
    blood: TissueShare | None = None
    infarct_hu: float = 0.0
    edema: Edema = Edema(0.0)


def build_head(rng: Generator, person: Person, stroke: Stroke | None = None) -> Head:
    """Draw a head.

    Parameters
    ----------
    rng : Generator
        Source of randomness; the same state gives the same anatomy whatever the stroke.
    person : Person
        Whose.
    stroke : Stroke or None
        What befell it, if anything.
    """
    anatomy, disease = rng.spawn(2)
    shape = draw_shape(anatomy, person.age, person.van_swieten, person.male)
    tissue = draw_structures(anatomy, load_atlas().tissue.copy(), person.age)
    lay_arteries(tissue, stroke.infarct.side if stroke and stroke.hyperdense else None)
    if person.old_infarct is not None:
        _cavity(tissue, shape, person.old_infarct)
    head = Head(shape, tissue, draw_tissue_hu(anatomy, person.age))
    return head if stroke is None else _struck(head, stroke, disease)


def _struck(head: Head, stroke: Stroke, rng: Generator) -> Head:
    """Put a stroke into a head."""
    shape, free = head.shape, head.tissue < Tissue.BONE
    asked, shift_mm = stroke.infarct, stroke.edema.shift_mm
    growth = lesion.draw_growth(asked.territory, asked.pattern, asked.side)
    infarct = lesion.fill(growth, asked.volume_ml, shape, free)
    swollen = swell(shape, infarct, shift_mm)
    if swollen is not shape:
        infarct = lesion.fill(growth, asked.volume_ml, swollen, free)
        swollen = swell(shape, infarct, shift_mm)
    mean = _mean_hu(infarct, swollen, free)
    head = replace(head, infarct=infarct, infarct_hu=mean, edema=stroke.edema)
    if stroke.bleed is None:
        return head
    blood = draw_bleed(rng, stroke.bleed, infarct, swollen, free)
    push = mass_effect_mm(stroke.bleed)
    return replace(head, blood=blood, shape=swell(shape, blood, push) if push else shape)


def _mean_hu(infarct: TissueShare, shape: Shape, free: BoolArray) -> float:
    """Return the mean CT number of the healthy tissue an infarct covers, HU."""
    size = infarct.share.shape
    maps = atlas_maps(shape, infarct.start, size)
    weights = lesion.tissue_ml(maps, infarct.start, size, 1, free) * infarct.share
    white = load_atlas().white[infarct.box] * np.float32(1 / 255)
    hu = healthy_hu(white, lesion.on_box(shape.pallor, infarct.start, size, FIELD))
    return float((hu * weights).sum(dtype=np.float64) / max(weights.sum(dtype=np.float64), 1e-9))


def _cavity(tissue: NDArray[np.uint8], shape: Shape, old: Infarct) -> None:
    """Stamp an old infarct: tissue gone, fluid in its place, no swelling."""
    free = tissue < Tissue.BONE
    growth = lesion.draw_growth(old.territory, old.pattern, old.side)
    cavity = lesion.fill(growth, old.volume_ml, shape, free)
    gone = (cavity.share > 127) & (load_atlas().level[cavity.box] > 60) & free[cavity.box]
    tissue[cavity.box][gone] = Tissue.OLD_INFARCT
