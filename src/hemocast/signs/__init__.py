"""Volume -> named signs: blood."""

from hemocast.signs.blood import Blood, find_blood
from hemocast.signs.eligible import eligible_stack

__all__ = ["Blood", "eligible_stack", "find_blood"]
