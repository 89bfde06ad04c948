"""``hemocast train``: a dataset in; a model and its held-out result out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import (
    SPLIT,
    Encoder,
    Harmonise,
    NamedBy,
    Net,
    Record,
    Workers,
    chosen_settings,
    output,
)


def train(
    dataset: Annotated[Path, typer.Argument(help="A dataset folder with labels, or stacks.")],
    out: Annotated[Path, output("Folder for the model; new or empty.")],
    labels: Annotated[
        Path | None,
        typer.Option(
            help="A table by patient_id or participant_id, with label (1 HT, 0 no HT): they "
            "replace these patients' labels in the dataset."
        ),
    ] = None,
    key: NamedBy = None,
    config: Annotated[Path | None, typer.Option(help="Settings, YAML.")] = None,
    net: Net = None,
    encoder: Encoder = None,
    record: Record = False,
    harmonise: Harmonise = False,
    name: Annotated[str, typer.Option(help="Name of the model.")] = "ht",
    horizon: Annotated[
        str, typer.Option(help="What the probability is a probability of.")
    ] = "any hemorrhagic transformation on later imaging, no fixed horizon",
    population: Annotated[
        str, typer.Option(help="In whom.")
    ] = "patients like those of the training dataset",
    test_fraction: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Patients held out; 0.1 in the paper.")
    ] = 0.1,
    split: Annotated[str | None, SPLIT] = None,
    nearest_cases: Annotated[
        bool,
        typer.Option(
            "--nearest-cases",
            help="Pages of predictions name the training scans most like theirs, with outcomes: "
            "keeps pseudonyms, outcomes and features in the model's folder. Yours to decide.",
        ),
    ] = False,
    workers: Workers = 1,
) -> None:
    """Split by patient, train a model, test it on the held-out patients, save it.

    By default CTNet is trained, and the last layer of the encoder that comes along; patients held
    out of both decide which is kept. A model from the clinical record takes it from the dataset.
    """
    from hemocast.cli.progress import stage_bars
    from hemocast.dataset import Dataset
    from hemocast.dataset.split.saved import find_split
    from hemocast.dataset.tables.given import take_tables
    from hemocast.pipeline.train import Purpose, TrainOptions, train_and_test
    from hemocast.stats import MAIN_METRICS

    purpose = Purpose(name, horizon, population)
    settings = chosen_settings(config, net, encoder, record, harmonise)
    table = find_split(dataset, split) if split else None
    for taken in take_tables(dataset, [labels] if labels else (), key):
        print(taken)
    with stage_bars() as progress:
        options = TrainOptions(test_fraction, table, workers, progress, nearest_cases)
        trained = train_and_test(Dataset(dataset), settings, out, purpose, options)
    result = trained.evaluation
    parts = trained.receipt["parts"].items()
    said = ", ".join(f"{part} {c['patients']} patients ({c['ht']} with HT)" for part, c in parts)
    overlap = sum(trained.receipt["patient_overlap"].values())
    print(f"Split by patient: {said}; in more than one part: {overlap}")
    if trained.refused:
        print(f"{len(trained.refused)} scan(s) refused; 'hemocast predict DATASET' says why")
    if (than := trained.fitted.compared) is not None:
        print(
            f"Network: {trained.fitted.config.net.name}, log loss {than.loss:.3f} on "
            f"{than.n_patients} patients held out of training; {than.other} {than.loss_other:.3f}"
        )
    inner = trained.fitted.validation
    how = "the split's own" if trained.split.parts.get("validation") else "drawn"
    how = how if len(trained.fitted.train) else "all, out of fold"
    print(f"Calibrated on ({how}): {len(inner.participants)} patients")
    labels_of = zip(trained.test, trained.label, strict=True)
    with_ht = {scan.participant_id for scan, label in labels_of if label}
    print(
        f"Held out: {result.n_patients} patients, {len(with_ht)} with HT; {result.n} scans, "
        f"{result.n_positive} of them of patients with HT"
    )
    for metric in MAIN_METRICS:
        estimate = result[metric]
        print(f"  {metric:18} {estimate.value:.3f} ({estimate.ci_low:.3f}-{estimate.ci_high:.3f})")
    if nearest_cases:
        print("The folder holds training patients' pseudonyms, outcomes and features: to give the")
        print("model away, make a copy without them by 'hemocast export'")
    print(f"Model: {out}")
