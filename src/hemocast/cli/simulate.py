"""``hemocast simulate``: a cohort whose true risk is known."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import Workers, output


class _Preset(StrEnum):
    paper = "paper"
    practice = "practice"
    demo = "demo"
    tiny = "tiny"
    wide = "wide"


class _Format(StrEnum):
    dicom = "dicom"
    dataset = "dataset"
    stacks = "stacks"


def simulate(
    out: Annotated[Path, output("Folder for the cohort; new or unfinished.")],
    preset: Annotated[
        _Preset, typer.Option(help="The paper's cohort, one like practice, an easy or a wide one.")
    ] = _Preset.paper,
    written: Annotated[
        _Format,
        typer.Option(
            "--format",
            help="DICOM studies; a dataset as 'hemocast ingest' makes it; or prepared stacks.",
        ),
    ] = _Format.dicom,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    patients: Annotated[
        int | None,
        typer.Option(min=2, max=100_000, help="Patients; the share with HT is the preset's."),
    ] = None,
    maps: Annotated[
        bool,
        typer.Option(
            "--maps",
            help="Write a made-up permeability map on the grid of every scan, tied to the true "
            "risk: for 'hemocast train --net perfusion-regression'. Lesion masks come along.",
        ),
    ] = False,
    workers: Workers = 1,
) -> None:
    """Simulate head CTs and outcomes, and print how well the outcome can be predicted at best.

    Not evidence about patients. What only the simulator knows is in OUT/truth. A run that was
    stopped continues when started again.
    """
    from hemocast.cli.progress import progress_bar
    from hemocast.simulate import PRESETS, simulate_cohort, simulate_maps
    from hemocast.simulate.presets import resized
    from hemocast.version import SIMULATOR_VERSION

    config = resized(PRESETS[preset], seed, patients)
    if maps and written != _Format.stacks:
        config = config.model_copy(update={"masks": True})
    with progress_bar("simulating") as progress:
        truth = simulate_cohort(
            config, out, format=written.value, workers=workers, progress=progress
        )
    scans = sum(len(patient.scans) for patient in truth.patients)
    events = sum(patient.label for patient in truth.patients)
    print(
        f"SIMULATED: {len(truth.patients)} patients ({events} with HT), {scans} scans: "
        f"{truth.visible}"
    )
    if maps:
        print(f"SIMULATED permeability maps, no patient's: {simulate_maps(truth)}")
    print(f"Best possible AUC, simulator {SIMULATOR_VERSION} (expected; on these patients):")
    for best, words in zip(
        truth.ceilings(), ("all known", "image alone", "record alone"), strict=True
    ):
        print(f"  {words:13} {best.expected:.3f}  {best.cohort:.3f}")
