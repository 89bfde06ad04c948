"""Volume -> named signs: blood, contrast agent."""

from hemocast.signs.blood import Blood, find_blood
from hemocast.signs.contrast import Enhancement, find_enhancement
from hemocast.signs.eligible import eligible_stack, refuse_enhancement

__all__ = [
    "Blood",
    "Enhancement",
    "eligible_stack",
    "find_blood",
    "find_enhancement",
    "refuse_enhancement",
]
