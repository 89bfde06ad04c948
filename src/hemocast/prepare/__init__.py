"""Volume -> Stack: resample, frames, window."""

from hemocast.prepare.cache import prepare_cached
from hemocast.prepare.stack import prepare

__all__ = ["prepare", "prepare_cached"]
