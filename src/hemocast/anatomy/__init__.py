"""Is this a head, where is the brain, which way is up, where is the midline."""

from hemocast.anatomy.align import Alignment, align
from hemocast.anatomy.brain import Brain, find_brain

__all__ = ["Alignment", "Brain", "align", "find_brain"]
