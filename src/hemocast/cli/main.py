"""The ``hemocast`` command: what all its sub-commands share."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, TextIO

import typer

from hemocast.cli.benchmark import benchmark
from hemocast.cli.card import card
from hemocast.cli.check_leakage import check_leakage
from hemocast.cli.check_paper import check_paper
from hemocast.cli.cohort import cohort
from hemocast.cli.config import config
from hemocast.cli.crossval import crossval
from hemocast.cli.deidentify import deidentify
from hemocast.cli.deliver import deliver
from hemocast.cli.demo import demo
from hemocast.cli.doctor import doctor
from hemocast.cli.evaluate import evaluate
from hemocast.cli.exits import refuse
from hemocast.cli.explain import explain
from hemocast.cli.export import export
from hemocast.cli.fuse import fuse
from hemocast.cli.ingest import ingest
from hemocast.cli.measure import measure
from hemocast.cli.monitor import monitor
from hemocast.cli.plan import plan
from hemocast.cli.predict import predict
from hemocast.cli.pretrain import pretrain
from hemocast.cli.quality import quality
from hemocast.cli.readers import readers
from hemocast.cli.recalibrate import recalibrate
from hemocast.cli.reproduce import reproduce
from hemocast.cli.score import score
from hemocast.cli.serve import serve
from hemocast.cli.simulate import simulate
from hemocast.cli.split import split
from hemocast.cli.study import study
from hemocast.cli.train import train
from hemocast.cli.tune import tune
from hemocast.errors import HemocastError
from hemocast.version import VERSION

app = typer.Typer(
    name="hemocast",
    help="Predict hemorrhagic transformation after ischemic stroke from a plain head CT.\n\n"
    "For research. Not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(predict)
app.command()(deliver)
app.command()(demo)
app.command()(simulate)
app.command()(ingest)
app.command()(quality)
app.command()(cohort)
app.command()(split)
app.command("check-leakage")(check_leakage)
app.command("check-paper")(check_paper)
app.command()(pretrain)
app.command()(train)
app.command()(crossval)
app.command()(tune)
app.command()(export)
app.command()(benchmark)
app.command()(evaluate)
app.command()(study)
app.command()(card)
app.command()(score)
app.command()(fuse)
app.command()(recalibrate)
app.command()(measure)
app.command()(monitor)
app.command()(explain)
app.command()(reproduce)
app.command()(deidentify)
app.command()(doctor)
app.add_typer(config, name="config")
app.add_typer(readers, name="readers")
app.add_typer(serve, name="serve")
app.add_typer(plan, name="plan")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"hemocast {VERSION}")
        raise typer.Exit


@app.callback()
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
    try:
        app(arguments)
    except HemocastError as error:
        refuse(error)
    except BrokenPipeError:
        # The reader of our output has gone (``| head``); nothing is left to be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        from hemocast.faults import internal_error

        refuse(internal_error(error))
