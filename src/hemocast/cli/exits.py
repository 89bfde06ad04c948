"""The exit codes of every command, in one place.

0 all well; 1 Hemocast's own fault; 2 wrong usage; 3 some cases refused; 4 all refused, or what
every case needs; 5 a check found something. A refusal of the whole command carries its own code
(`hemocast.errors`); what single cases and checks add up to is decided here.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from hemocast.errors import HemocastError, InternalError, LeakageError

SOME_REFUSED = 3


def refuse(error: HemocastError) -> NoReturn:
    """End with a refusal: one line, and its exit code."""
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)


def of_cases(done: int, refused: int, failed: int = 0) -> int:
    """Give the exit code of a command that works case by case.

    Parameters
    ----------
    done, refused, failed : int
        Cases that came through, that were refused, and that met a fault of Hemocast's own.
    """
    if failed:
        return InternalError.exit_code
    if refused:
        return SOME_REFUSED if done else HemocastError.exit_code
    return 0


def leave(code: int) -> None:
    """End the command with a code, unless all is well."""
    if code:
        raise typer.Exit(code)


def leave_if_found(found: object) -> None:
    """End a check: with 5 where it found something."""
    if found:
        raise typer.Exit(LeakageError.exit_code)
