"""Hemocast's own faults: the cause goes into a log file, and the user gets one line."""

from __future__ import annotations

import secrets
import tempfile
import traceback
from pathlib import Path

from hemocast.errors import HemocastError, InternalError
from hemocast.files import write_text


def internal_error(error: BaseException) -> InternalError:
    """Keep the cause of an unexpected error, and give the refusal that says where.

    Parameters
    ----------
    error : BaseException
        As it was caught.

    Returns
    -------
    InternalError
        Names the kind of the error and the log file alone: tracebacks and messages of libraries
        hold paths and values, which may identify a patient. The file, in the system's temporary
        folder, can be read by its owner only.
    """
    path = Path(tempfile.gettempdir()) / f"hemocast-fault-{secrets.token_hex(6)}.log"
    try:
        write_text(path, "".join(traceback.format_exception(error)), private=True)
        where = f"its cause is in {path}"
    except HemocastError as refusal:
        where = f"its cause could not be kept, for the temporary folder refuses ({refusal.code})"
    return InternalError(
        f"Hemocast failed ({type(error).__name__}); {where}",
        "no fault of its own",
        "Report it with that file, once nothing in it names a patient",
    )
