"""The tissue map: what every block of a head scan holds."""

from hemocast.anatomy.tissue.map import Kind, TissueMap, map_tissue

__all__ = ["Kind", "TissueMap", "map_tissue"]
