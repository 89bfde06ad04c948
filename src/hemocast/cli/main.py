"""The ``hemocast`` command: what all its sub-commands share."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from types import FrameType
from typing import Annotated, TextIO

import typer

from hemocast.cli.exits import refuse
from hemocast.errors import HemocastError
from hemocast.version import VERSION

COMMANDS = (
    "predict", "deliver", "demo", "simulate", "ingest", "quality", "cohort", "split",
    "check-leakage", "check-paper", "pretrain", "train", "crossval", "tune", "export", "benchmark",
    "evaluate", "validate", "study", "card", "score", "fuse", "recalibrate", "measure", "monitor",
    "explain", "reproduce", "deidentify", "doctor", "config", "readers", "serve", "plan",
    "federate",
)  # fmt: skip
"""In the order of the help; each is made by the module of its name."""

SCAN_BY_SCAN = ("predict", "simulate", "ingest", "measure", "explain", "serve")
"""What they multiply is too small for several threads, whose waiting costs a fifth of the CPU."""


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"hemocast {VERSION}")
        raise typer.Exit


def _shared(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done.")] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print and stop."),
    ] = False,
) -> None:
    logging.basicConfig(
        # A traceback names files, which may name patients: it is shown on request only.
        level=logging.INFO if verbose else logging.CRITICAL,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # pydicom warns about odd tags with their values, which may identify a patient.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)


def application(only: str | None = None) -> typer.Typer:
    """Return the command line.

    Parameters
    ----------
    only : str, optional
        One of `COMMANDS`, where it alone will run: reading the options of all takes 0.15 s of CPU.
    """
    made = typer.Typer(
        name="hemocast",
        help="Predict hemorrhagic transformation after ischemic stroke from a plain head CT.\n\n"
        "For research. Not a medical device.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    made.callback()(_shared)
    for name in COMMANDS if only is None else (only,):
        word = name.replace("-", "_")
        command = getattr(import_module(f"hemocast.cli.{word}"), word)
        if isinstance(command, typer.Typer):
            made.add_typer(command, name=name)
        else:
            made.command(name)(command)
    return made


def _stop(number: int, _frame: FrameType | None) -> None:
    """End as ctrl-C does, so that worker processes end and temporary folders go too."""
    sys.exit(128 + number)


_ORDINARY = warnings.showwarning


def _note(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show what a table was taken to say as a note, and other warnings as Python does."""
    if category.__name__ == "ReadAs":  # its module is not loaded for commands without tables
        print(f"Note: {message}", file=sys.stderr)
    else:
        _ORDINARY(message, category, filename, lineno, file, line)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every refusal becomes one line and an exit code, never a traceback.

    Parameters
    ----------
    arguments : sequence of str, optional
        In place of the process's own.
    """
    signal.signal(signal.SIGTERM, _stop)
    warnings.showwarning = _note
    given = sys.argv[1:] if arguments is None else arguments
    asked = next((word for word in given if not word.startswith("-")), None)
    if asked in SCAN_BY_SCAN:
        # Read when NumPy is first imported, which no command has done yet.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        application(asked if asked in COMMANDS else None)(arguments)
    except HemocastError as error:
        refuse(error)
    except BrokenPipeError:
        # The reader of our output has gone (``| head``); nothing is left to be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        from hemocast.faults import internal_error

        refuse(internal_error(error))
