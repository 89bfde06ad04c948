"""``hemocast study``: one page, checklists and tables from the records of a study's commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import output

STUDY = "study"


def study(
    evaluation: Annotated[Path | None, typer.Option(help="Folder of 'hemocast evaluate'.")] = None,
    model: Annotated[Path | None, typer.Option(help="Folder of the model evaluated.")] = None,
    dataset: Annotated[
        Path | None, typer.Option(help="The dataset that the model learned from.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Its split: a name or a table. Default: the model's own, or the only."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(help="The table evaluated: its patients are looked for in the training part."),
    ] = None,
    benchmark: Annotated[Path | None, typer.Option(help="Folder of 'hemocast benchmark'.")] = None,
    reproduction: Annotated[
        Path | None, typer.Option(help="Folder of 'hemocast reproduce'.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="The model was used in care: fill DECIDE-AI too.")
    ] = False,
    word: Annotated[
        bool, typer.Option("--word", help="Write study.docx too (extra word).")
    ] = False,
    out: Annotated[Path, output("Folder for the pages and tables.", STUDY)] = Path(
        "hemocast-study"
    ),
) -> None:
    """Write methods, results, risk of bias and TRIPOD+AI, CLAIM, STARD-AI, PROBAST+AI from records.

    Every item of a checklist is answered from a record, with where it stands, or marked as the
    author's to write.
    """
    from hemocast.pipeline.study.records import Sources
    from hemocast.pipeline.study.run import write_study

    sources = Sources(evaluation, model, dataset, split, predictions, benchmark, reproduction)
    done = write_study(sources, out, live=live, word=word)
    if done.simulated:
        print("SIMULATED data: not clinical evidence.")
    for flag in done.flags:
        print(f"Risk of bias, {flag.severity}: {flag.text}")
    for one in done.checklists:
        print(
            f"{one.checklist.name} {one.checklist.edition}: {one.count('answered')} answered, "
            f"{one.count('partly')} in part, {one.count('author must write')} for the author, "
            f"{one.count('does not apply')} not applying"
        )
    print(f"Page: {(out / 'study.html').resolve()}")
