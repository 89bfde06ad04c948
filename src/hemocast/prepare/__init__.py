"""Volume -> Stack: resample, frames, window."""

from hemocast.prepare.stack import prepare

__all__ = ["prepare"]
