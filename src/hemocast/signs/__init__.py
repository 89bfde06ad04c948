"""Volume -> named signs: blood, contrast agent, midline, ventricles, white matter, arteries."""

from hemocast.signs.blood import Blood, find_blood
from hemocast.signs.calcium import Calcification, measure_calcification
from hemocast.signs.contrast import Enhancement, find_enhancement
from hemocast.signs.fluid import Fluid, measure_fluid
from hemocast.signs.midline import MidlineShift, measure_midline

__all__ = [
    "Blood",
    "Calcification",
    "Enhancement",
    "Fluid",
    "MidlineShift",
    "find_blood",
    "find_enhancement",
    "measure_calcification",
    "measure_fluid",
    "measure_midline",
]
