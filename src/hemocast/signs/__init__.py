"""Volume -> named signs: blood, contrast agent."""

from hemocast.signs.blood import Blood, find_blood
from hemocast.signs.contrast import Enhancement, find_enhancement

__all__ = [
    "Blood",
    "Enhancement",
    "find_blood",
    "find_enhancement",
]
