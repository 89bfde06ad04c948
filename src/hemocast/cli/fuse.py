"""``hemocast fuse``: what the image adds to the clinical record, and the two joined."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import NamedBy, output


def fuse(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="predictions.csv of one model, out of fold, as hemocast crossval writes it."
        ),
    ],
    clinical: Annotated[
        Path,
        typer.Option(
            help="A table with patient_id or participant_id, and the record; or a dataset."
        ),
    ],
    key: NamedBy = None,
    resamples: Annotated[int, typer.Option(min=1, help="For net benefit.")] = 1000,
    out: Annotated[Path, output("Where everything goes.", "fusion")] = Path("hemocast-fusion"),
) -> None:
    """Measure what the image adds to the clinical record, and write the combined risks.

    The record's risk is a ridge's, out of fold; both are joined by coefficients from other
    patients. Patients of whom nothing is known keep the image's risk, and are counted.
    """
    from hemocast.classical.fusion import THRESHOLDS
    from hemocast.pipeline.fuse import fuse_files
    from hemocast.stats import Estimate

    def shown(one: Estimate) -> str:
        return f"{one.value:.3f} ({one.ci_low:.3f} to {one.ci_high:.3f})"

    done = fuse_files(predictions, clinical, out, resamples, key)
    found, strata = done.increment, done.treatments
    if done.simulated:
        print("SIMULATED data: not clinical evidence.")
    print(f"{len(done.participant)} patients, {done.cohort.events} with HT")
    print(f"What the image adds: AUC {shown(found.auc)}, from {shown(found.clinical)}")
    print(f"  to {shown(found.fused)}; likelihood ratio {found.likelihood_ratio:.1f} on 1 df, "
          f"p = {found.p:.2g}")  # fmt: skip
    for at, one in zip(THRESHOLDS, found.net_benefit, strict=True):
        print(f"  net benefit at {100 * at:.0f} %: {shown(one)}")
    if alone := int(done.fused.image_alone.sum()):
        print(f"{alone} patients without any clinical value: the image's risk alone")
    for stratum in strata.strata:
        print(f"Treatment {stratum.name}: {stratum.n} patients, {stratum.events} with HT, "
              f"observed / expected {stratum.ratio:.2f}")  # fmt: skip
    if strata.df:
        print(f"Treatments differ: p = {strata.p:.2g} ({strata.df} df)")
    if strata.warning:
        print(f"Warning: {strata.warning}")
    print(f"Tables: {out}")
