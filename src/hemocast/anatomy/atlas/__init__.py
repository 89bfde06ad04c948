"""Regions of the brain by their place in MNI space: arterial territories and ASPECTS."""

from hemocast.anatomy.atlas.aspects import REGIONS, aspects_regions
from hemocast.anatomy.atlas.solids import ellipsoid
from hemocast.anatomy.atlas.territories import territory_margins

__all__ = ["REGIONS", "aspects_regions", "ellipsoid", "territory_margins"]
