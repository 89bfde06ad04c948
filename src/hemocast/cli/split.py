"""``hemocast split``: who is trained on and who is tested, patient by patient."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from hemocast.cli.options import DatasetFolder


def split(
    dataset: DatasetFolder,
    by: Annotated[
        Literal["patient", "folds", "site", "date"],
        typer.Option(
            help="patient: a share at random; folds: every patient once; site: each site in turn; "
            "date: those admitted last."
        ),
    ] = "patient",
    name: Annotated[
        str | None,
        typer.Option(
            help="Of the split; folds and sites become NAME-01 ... Default: default, fold, site, "
            "date."
        ),
    ] = None,
    test_fraction: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="By patient: share of each class tested.")
    ] = 0.1,
    folds: Annotated[int, typer.Option(min=2, max=1000, help="By folds: how many.")] = 5,
    first_test: Annotated[
        int | None,
        typer.Option(
            min=1980, max=2100, help="By date: the first year of admission that is tested."
        ),
    ] = None,
    min_per_class: Annotated[
        int,
        typer.Option(min=1, help="Patients of each class that a fold or site needs to be tested."),
    ] = 1,
    among: Annotated[
        Path | None,
        typer.Option(
            help="Split the patients of this table alone; it has participant_id, such as "
            "DATASET/cohort/scans.tsv."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 0,
) -> None:
    """Split a dataset by patient; write splits/NAME.tsv and its receipt.

    Site and admission_year are columns of participants.tsv.
    """
    from hemocast.dataset import Dataset
    from hemocast.dataset.split.draw import SplitPlan, draw_splits

    plan = SplitPlan(by, name, test_fraction, folds, first_test, min_per_class, seed)
    for receipt in draw_splits(Dataset(dataset), plan, among):
        parts = ", ".join(
            f"{part} {count['patients']} patients ({count['ht']} with HT)"
            for part, count in receipt["parts"].items()
        )
        overlap = sum(receipt["patient_overlap"].values())
        print(f"splits/{receipt['split']}.tsv: {parts}; in more than one part: {overlap}")
