"""Web pages and services; needs the extra ``serve``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hemocast.errors import MissingExtra


@contextmanager
def extra_needed(by: str) -> Iterator[None]:
    """Refuse in one way where a library that is imported within the block is not installed.

    Parameters
    ----------
    by : str
        What needs it, as a sentence begins: ``The reading room``.

    Raises
    ------
    MissingExtra
        The extra ``serve`` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{by} needs {error.name}",
            "the extra 'serve'",
            "Install it: pip install 'hemocast[serve]'",
        ) from error
