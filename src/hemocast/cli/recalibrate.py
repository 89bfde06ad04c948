"""``hemocast recalibrate``: predictions with outcomes in; the model for such patients out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import NamedBy, output


def recalibrate(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="The predictions.csv of 'hemocast predict', of patients the model never learned "
            "from, with a column label, or see --labels."
        ),
    ],
    out: Annotated[Path, output("Folder for the model; new or empty.")],
    model: Annotated[
        Path | None,
        typer.Option(help="The model that predicted. Default: the demonstration model."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="A table with patient_id, participant_id or scan_id, and label."),
    ] = None,
    key: NamedBy = None,
    sensitivity: Annotated[
        float | None,
        typer.Option(min=0.01, max=0.99, help="Set the threshold to reach this sensitivity."),
    ] = None,
    population: Annotated[
        str | None, typer.Option(help="Description of these patients, shown on the page.")
    ] = None,
) -> None:
    """Recalibrate a model on your own patients; the network does not change.

    The calibration curve is kept, shifted or refitted, as tests decide; label sets are learned
    from these patients. Needs about 100 patients or more, consecutive, not selected by outcome.
    """
    from hemocast.pipeline.recalibrate import RecalibrationOptions, recalibrate_files

    options = RecalibrationOptions(model, labels, sensitivity, population, key)
    done = recalibrate_files(predictions, out, options)
    now = done.model.description.calibration
    print(
        f"{now.n_patients} patients, {done.observed:.1%} with HT where the model expected "
        f"{done.expected:.1%}: the curve was {done.change}"
    )
    print(f"Threshold {now.threshold:.3f} (before {done.before.threshold:.3f})")
    if sets := now.label_sets:
        print(
            f"Label sets at {sets.level:.0%}, from {sets.n_with} patients with HT and "
            f"{sets.n_without} without"
        )
    print(f"Model: {out}")
