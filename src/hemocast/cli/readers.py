"""``hemocast readers``: a blinded reader study in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemocast.cli.options import SPLIT, DatasetFolder, output
from hemocast.cli.readers_analyse import analyse

if TYPE_CHECKING:
    from hemocast.readers.study.create import StudyPlan

readers = typer.Typer(
    help="Let readers read the scans of a dataset, blinded, in a browser.", no_args_is_help=True
)

_Study = Annotated[str, typer.Option(help="The study's name.")]
_Database = Annotated[
    str | None,
    typer.Option(help="postgresql://USER@HOST/NAME. Default: an SQLite file in the study's folder"),
]


@readers.command()
def create(
    dataset: DatasetFolder,
    study: _Study,
    reader: Annotated[
        list[str] | None, typer.Option(help="A reader's name; repeat for each. Default: R1 R2 R3")
    ] = None,
    split: Annotated[
        str | None,
        SPLIT,
    ] = None,
    repeats: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of the cases read twice.")
    ] = 0.1,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Results of 'hemocast predict' (the folder, or any predictions.csv): adds an "
            "arm in which they are shown."
        ),
    ] = None,
    washout_days: Annotated[
        float, typer.Option(min=0, help="Days between a reader's two arms.")
    ] = 28.0,
    horizon_days: Annotated[
        int, typer.Option(min=1, max=365, help="HT counts up to this many days after onset.")
    ] = 14,
    seed: Annotated[int, typer.Option(min=0, help="Of orders and repeats.")] = 0,
    database: _Database = None,
) -> None:
    """Choose cases and readers, and make the pictures. An existing study is never overwritten.

    With --split its test part is read, else every labelled patient.
    """
    from hemocast.readers.study.create import StudyPlan

    plan = StudyPlan(
        readers=tuple(reader) if reader else StudyPlan().readers,
        split=split,
        repeats=repeats,
        seed=seed,
        horizon_days=horizon_days,
        washout_days=washout_days,
    )
    _create(dataset, study, plan, predictions, database)


@readers.command()
def serve(
    dataset: DatasetFolder,
    study: _Study,
    port: Annotated[int, typer.Option(help="1 to 65535.")] = 8765,
    host: Annotated[str, typer.Option(help="Interface to listen on.")] = "127.0.0.1",
    address: Annotated[
        str | None,
        typer.Option(help="Where readers reach the page, https://... behind a proxy with TLS."),
    ] = None,
    new_links: Annotated[
        bool, typer.Option(help="Give every reader a new link; the old ones end.")
    ] = False,
    database: _Database = None,
) -> None:
    """Open the reading room and print every reader's personal link, once.

    A study that is not there yet is made with the defaults of 'hemocast readers create'.
    """
    from hemocast.dataset import Dataset
    from hemocast.readers.study.create import StudyPlan
    from hemocast.readers.study.folder import DESIGN, held_study, study_folder
    from hemocast.serve import extra_needed

    with extra_needed("The reading room"):
        from hemocast.serve.reading.address import address_of, listen, read_address
        from hemocast.serve.reading.app import run_reading_room
    where = read_address(address) if address else address_of(host, port)
    with listen(host, port) as listening:
        if not (study_folder(Dataset(dataset), study) / DESIGN).is_file():
            _create(dataset, study, StudyPlan(), None, database)
        with held_study(Dataset(dataset), study, database=database) as opened:
            have = opened.store.links()
            for name in opened.design.readers:
                if new_links or name not in have:
                    print(f"{name}: {where.origin}/r/{opened.store.new_token(name)}")
                else:
                    print(f"{name}: has a link (a new one: hemocast readers links --new)")
            if host not in {"127.0.0.1", "localhost", "::1"} and not where.secure:
                print("Warning: answers travel unencrypted. Put a proxy with TLS in front.")
            print(f"Reading room: {where.origin} (stop with Ctrl-C; nothing is lost)", flush=True)
            run_reading_room(opened, where, listening)


@readers.command()
def links(
    dataset: DatasetFolder,
    study: _Study,
    reader: Annotated[
        list[str] | None, typer.Option(help="A reader's name; repeat for each. Default: all.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Give new links; the old ones end.")] = False,
    address: Annotated[
        str, typer.Option(help="Where readers reach the reading room.")
    ] = "http://127.0.0.1:8765",
    database: _Database = None,
) -> None:
    """Tell which links were used, or give new ones, also while the reading room is open.

    A link signs its reader in once, in one browser; for another browser, or after signing in has
    ended, a new one is needed.
    """
    from contextlib import closing

    from hemocast.dataset import Dataset
    from hemocast.errors import UsageError
    from hemocast.readers.study.folder import open_study
    from hemocast.serve.reading.address import read_address

    where = read_address(address)
    with closing(open_study(Dataset(dataset), study, database=database)) as opened:
        names = reader or opened.design.readers
        if set(names) - set(opened.design.readers):
            raise UsageError(
                "The study has no reader of that name",
                f"one of {', '.join(opened.design.readers)}",
                "Check --reader",
            )
        have, used = opened.store.links(), opened.store.used_links()
        for name in names:
            if new:
                print(f"{name}: {where.origin}/r/{opened.store.new_token(name)}")
            else:
                number = have.get(name)
                state = "used" if number in used else "not used yet" if number else "none given"
                print(f"{name}: {state}")


@readers.command()
def export(
    dataset: DatasetFolder,
    study: _Study,
    out: Annotated[
        Path | None,
        output("Folder for the tables. Default: the study's folder"),
    ] = None,
    database: _Database = None,
) -> None:
    """Write readings.csv (the last answer to every case) and readings_log.csv (all of them)."""
    from contextlib import closing, nullcontext

    from hemocast.dataset import Dataset
    from hemocast.files import Output, claim
    from hemocast.readers.store.export import KIND, READINGS, export_readings
    from hemocast.readers.study.folder import open_study, study_folder

    folder = out or study_folder(Dataset(dataset), study)
    with closing(open_study(Dataset(dataset), study, database=database)) as opened:
        # Beside the study readers may go on reading: its folder is not claimed.
        target = claim(folder, KIND) if out else nullcontext(Output(folder))
        with target as tables:
            counts = export_readings(opened.store, tables, simulated=opened.design.simulated)
    if opened.design.simulated:
        print("SIMULATED scans: these readings say nothing about patients.")
    print(f"{counts[0]} reading(s), {counts[1]} answer(s) in the log: {folder / READINGS}")


def _create(
    dataset: Path, study: str, plan: StudyPlan, model: Path | None, database: str | None
) -> None:
    from collections import Counter

    from hemocast.cli.progress import progress_bar
    from hemocast.dataset import Dataset
    from hemocast.readers.study.create import create_study

    with progress_bar("preparing") as progress:
        made = create_study(
            Dataset(dataset),
            study,
            plan,
            model=model,
            database=database,
            progress=progress,
        )
    design = made.design
    for reason, count in sorted(Counter(made.left_out).items()):
        print(f"{count} left out: {reason}")
    print(
        f"Study {study}: {len(design.cases)} cases, {len(design.repeats)} of them twice, "
        f"{len(design.readers)} readers, {' and '.join(design.arms)}"
    )


readers.command()(analyse)
