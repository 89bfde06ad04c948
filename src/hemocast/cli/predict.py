"""``hemocast predict``: scans in; probabilities, heatmaps and pages out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hemocast.cli.exits import leave, of_cases
from hemocast.cli.options import Lang, Workers, output
from hemocast.cli.progress import bar_below

if TYPE_CHECKING:
    from rich.console import Console

    from hemocast.pipeline.predict import CaseResult


def predict(
    paths: Annotated[
        list[Path],
        # Else one path that may not be read would end a run of 500.
        typer.Argument(
            help="DICOM folders, zips or NIfTI files, one patient in each; dataset folders; tables "
            "(.csv, .tsv, .xlsx) with a column path and, where known, participant_id and scan_id.",
            readable=False,
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option(help="A model folder. Default: the demonstration model."),
    ] = None,
    out: Annotated[Path, output("Where the results go.")] = Path("hemocast-out"),
    key: Annotated[
        Path | None,
        typer.Option(
            help="Secret of the pseudonyms, as for ingest: the same names; several patients in a "
            "path. Made when missing. Default: one of OUT's own, which joins with nothing else."
        ),
    ] = None,
    prevalence: Annotated[
        float | None,
        typer.Option(
            help="How common hemorrhagic transformation is among such patients, from 0 to 1. "
            "Default: as among those the model was calibrated on."
        ),
    ] = None,
    device: Annotated[
        Literal["cpu", "cuda", "auto"],
        typer.Option(
            help="What runs the model's network: cuda needs onnxruntime-gpu and a GPU; auto takes "
            "it where it is there."
        ),
    ] = "cpu",
    clinical: Annotated[
        Path | None,
        typer.Option(
            help="For a model of the clinical record, and for published scores on the page "
            "(docs/reference/scores.md): a table with patient_id (and --key) or "
            "participant_id, age, nihss ..., or a dataset. Patients are found by participant_id: "
            "see --key, or give a table of paths."
        ),
    ] = None,
    coregistered: Annotated[
        Path | None,
        typer.Option(
            "--map",
            help="For a model of a co-registered map: a folder with SCAN_ID_map.nii.gz, each on "
            "its scan's own grid, or the file of a single scan.",
        ),
    ] = None,
    workers: Workers = 1,
    lang: Lang = "en",
    pdf: Annotated[
        bool,
        typer.Option(
            "--pdf", help="Print each prediction's page as report.pdf too; needs the extra 'pdf'."
        ),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip scans that this model has predicted in OUT.")
    ] = False,
) -> None:
    """Predict hemorrhagic transformation for every scan in PATHS.

    OUT/linkage.csv says which path each scan came from, and OUT/names.json makes the names: both
    are for you alone, never to be shared.

    Exit code: 0 all well, 2 the results cannot be kept, 3 some scans refused, 4 all refused, 1
    Hemocast's own fault.
    """
    from collections import Counter

    from rich.console import Console

    from hemocast.model import load, load_default
    from hemocast.pipeline.predict import Beside, cases_of, predict_cases
    from hemocast.pipeline.scan_job import Pages

    loaded = load(model) if model else load_default()
    if device != "cpu":
        loaded = loaded.on(device)
    if prevalence is not None:
        loaded = loaded.at_prevalence(prevalence)
    cases = cases_of(paths)
    console = Console(highlight=False)
    counts: Counter[str] = Counter()
    with bar_below(console, "Predicting", len(cases)) as move:
        beside = Beside(clinical, coregistered)
        run = predict_cases(
            cases,
            loaded,
            out,
            key=key,
            beside=beside,
            resume=resume,
            workers=workers,
            pages=Pages(lang, pdf),
        )
        for result in run:
            counts[result.status] += 1
            _say(console, result, cases[result.case - 1].path)
            move(result.case)
    done, skipped = counts["done"], counts["skipped"]
    summary = f"{done} predicted, {counts['refused'] + counts['failed']} not"
    summary += f", {skipped} skipped, done before" if resume else ""
    summary += f"; table: {out / 'predictions.csv'}"
    console.print(summary, markup=False, soft_wrap=True)
    console.print(loaded.description.notice, style="bold", markup=False, soft_wrap=True)
    leave(of_cases(done + skipped, counts["refused"], counts["failed"]))


def _say(console: Console, result: CaseResult, path: Path) -> None:
    from rich.markup import escape

    if result.status == "skipped":
        console.print(f"{result.case} skipped {result.scan_id}: done before", soft_wrap=True)
        return
    if result.prediction is None:
        console.print(
            f"[red]{result.case} {result.status}[/red] {escape(str(path))}: "
            f"{escape(result.message)}",
            soft_wrap=True,
        )
        return
    low, high = result.prediction.probability_interval
    flags = len(result.prediction.flags)
    answers = result.prediction.label_set_text
    answers = f"  label set {answers}" if answers else ""
    doubt = f"  [yellow]{flags} reason(s) for doubt[/yellow]" if flags else ""
    console.print(
        f"[green]{result.case} done[/green] {result.scan_id}  "
        f"[bold]{result.prediction.probability:.0%}[/bold] "
        f"(calibration {low:.0%} to {high:.0%}){escape(answers)}{doubt}  "
        f"{escape(str(result.folder))}/report.html  {result.seconds:.1f} s",
        soft_wrap=True,
    )
