"""``hemocast cohort``: who enters the study, and why the others do not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import DatasetFolder, NamedBy, output


def cohort(
    dataset: DatasetFolder,
    out: Annotated[Path | None, output("Folder for the tables. Default: DATASET/cohort")] = None,
    clinical: Annotated[
        Path | None,
        typer.Option(
            help="A table by patient_id or participant_id: age, sex, treatment, times ... What it "
            "says replaces what the dataset says."
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="The same of what is known later: label, ht_grade, ht_detected_hours ..."
        ),
    ] = None,
    key: NamedBy = None,
    window: Annotated[
        tuple[float, float], typer.Option(help="Earliest and latest scan, hours after onset.")
    ] = (0.0, 72.0),
    follow_up: Annotated[
        float, typer.Option(min=0, help="Without HT: imaging this long after the scan, hours.")
    ] = 24.0,
    horizon_hours: Annotated[
        float, typer.Option(min=1, help="HT counts up to this many hours after onset.")
    ] = 336.0,
    match: Annotated[bool, typer.Option(help="Pair 1:1 by age and sex.")] = False,
    caliper: Annotated[float, typer.Option(min=0, max=50, help="Of a pair, years.")] = 2.0,
    seed: Annotated[int, typer.Option(min=0, help="Draws among equal partners.")] = 0,
) -> None:
    """Check the tables, choose the scans, match, and write the flow and Table 1."""
    from pydantic import ValidationError

    from hemocast.dataset.cohort.assemble import build_cohort, check_out, save_cohort
    from hemocast.dataset.cohort.eligibility import EligibilityConfig
    from hemocast.dataset.cohort.matching import MatchConfig
    from hemocast.dataset.tables.given import take_tables
    from hemocast.errors import ConfigError

    try:
        eligibility = EligibilityConfig(
            window_start_hours=window[0],
            window_end_hours=window[1],
            follow_up_hours=follow_up,
            horizon_hours=horizon_hours,
        )
    except ValidationError as error:
        raise ConfigError(
            f"The hours do not fit: {error.errors()[0]['msg']}",
            "0 <= start of the window < its end <= horizon",
            "Change --window or --horizon-hours",
        ) from error
    pairing = MatchConfig(caliper_years=caliper, seed=seed) if match else None
    folder = out or dataset / "cohort"
    check_out(folder)
    for taken in take_tables(dataset, [one for one in (clinical, labels) if one], key):
        print(taken)
    made = build_cohort(dataset, eligibility, pairing)
    save_cohort(made, folder)
    for step in made.eligible.flow:
        print(f"{step.patients_left:7d} patients {step.scans_left:7d} scans left: {step.reason}")
    if made.matching:
        print(f"{len(made.matching.pairs):7d} pairs of one sex and about one age")
    times = made.eligible.times
    if times.differs:
        print(
            f"Warning: scans of both classes were taken at different times (standardised "
            f"difference {times.difference:.2f}, AUC of time alone {times.auc:.2f})"
        )
    of_patients = made.labels
    print(f"Cohort: {len(of_patients)} patients, {sum(of_patients.values())} with HT: {folder}")
