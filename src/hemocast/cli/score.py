"""``hemocast score``: published clinical scores, with what is missing and whom they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import output

SCORES = "clinical scores"


def score(
    clinical: Annotated[
        Path,
        typer.Option(
            help="CSV or TSV with participant_id and what the scores ask for "
            "(docs/reference/scores.md); a dataset's clinical.tsv. What it says comes before "
            "--signs."
        ),
    ],
    signs: Annotated[
        Path | None,
        typer.Option(help="The same, for measurements of the scans: aspects, dense_artery ..."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="A dataset's labels.tsv or a similar table: also write every outcome."),
    ] = None,
    nihss: Annotated[
        Path | None,
        typer.Option(help="With --labels: the NIHSS series. Default: nihss.tsv beside the labels."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--score", help="Name of a score; repeat for several.")
    ] = None,
    without_race: Annotated[
        bool, typer.Option("--without-race", help="Leave out items that ask for race.")
    ] = False,
    out: Annotated[Path, output("Where everything goes.", SCORES)] = Path("hemocast-scores"),
) -> None:
    """Write points, their range where something is missing, and the published risk of each score.

    Exit code: 0 written, 2 wrong usage, 4 a table that cannot be used (every fault is named).
    """
    from hemocast.errors import UsageError
    from hemocast.pipeline.score import ScoreTables, choose_scores, score_files

    if nihss is not None and labels is None:
        raise UsageError("--nihss is given without --labels", "both", "Give the labels too")
    chosen = choose_scores(only or ())
    tables = ScoreTables(clinical, signs, labels, nihss)
    run = score_files(tables, out, chosen, race=not without_race)
    if run.patients.simulated:
        print("SIMULATED data: not clinical evidence.")
    for at, one in enumerate(chosen):
        results = [scored.results[at] for scored in run.scored]
        known = sum(result.points is not None for result in results)
        outside = sum(
            any(note.code == "outside_population" for note in result.notes) for result in results
        )
        said = f"{one.name} ({one.outcome}, {one.population}): {known} of {len(results)} have all"
        print(f"{said} items" + (f"; {outside} are not whom it is for" if outside else ""))
    for column, like in run.patients.perhaps:
        print(f"Note: column {column} is not used; {like} would be")
    if run.outcomes is not None:
        for name in run.outcomes.columns[1:]:
            answers = run.outcomes[name]
            counts = f"{int(answers.sum())} yes, {int(answers.isna().sum())} not known"
            print(f"Outcome {name}: {counts}, of {len(answers)}")
    print(f"Table: {(out / 'scores.csv').resolve()}")
