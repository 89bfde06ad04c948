"""``hemocast federate``: several hospitals, one model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import Workers, output

federate = typer.Typer(
    help="Several hospitals, one model: scans stay where they are.", no_args_is_help=True
)


@federate.command()
def rehearse(
    dataset: Annotated[
        Path, typer.Argument(help="A dataset folder with labels and sites, or stacks.")
    ],
    out: Annotated[Path, output("Folder for predictions, plan, cards and receipts.", "federation")],
    name: Annotated[str, typer.Option(help="Of the model.")] = "ht",
    horizon: Annotated[
        str, typer.Option(help="What the probability is a probability of.")
    ] = "hemorrhagic transformation on a later scan",
    population: Annotated[str, typer.Option(help="In whom.")] = "patients of these hospitals",
    rounds: Annotated[int, typer.Option(min=1, max=10_000, help="Of each phase.")] = 60,
    local_steps: Annotated[
        int, typer.Option(min=1, max=1000, help="Steps of each hospital in a round.")
    ] = 10,
    proximal: Annotated[
        float, typer.Option(min=0, max=10, help="FedProx's pull to the common weights; 0: FedAvg.")
    ] = 0.0,
    noise: Annotated[
        float,
        typer.Option(
            min=0,
            max=1e6,
            help="Differential privacy: noise, in units of --clip; 0: none.",
        ),
    ] = 0.0,
    clip: Annotated[
        float, typer.Option(min=1e-3, max=100, help="With --noise: longest update of a site.")
    ] = 1.0,
    test_fraction: Annotated[
        float, typer.Option(min=0.05, max=0.8, help="Of each site's patients, to test on.")
    ] = 0.3,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw of test patients.")] = 0,
    workers: Workers = 1,
) -> None:
    """Let each site of a dataset act as a hospital of its own, all on this machine.

    What would be gained: OUT/predictions.csv holds the test patients as judged by what each site
    learns alone, all in one place, all apart, and apart with a local calibration, for 'hemocast
    evaluate'.
    """
    from hemocast.cli.progress import stage_bars
    from hemocast.config import Config
    from hemocast.dataset import Dataset
    from hemocast.federate import Privacy
    from hemocast.model import Purpose
    from hemocast.pipeline.federate import FederateOptions, rehearse_dataset
    from hemocast.train import with_encoder

    settings = with_encoder(Config(), Path("own"))
    settings = settings.model_copy(
        update={"train": settings.train.model_copy(update={"seed": seed})}
    )
    with stage_bars() as progress:
        privacy = Privacy(clip=clip, noise=noise) if noise else None
        options = FederateOptions(
            test_fraction, rounds, local_steps, proximal, workers, progress, privacy
        )
        purpose = Purpose(name, horizon, population)
        done = rehearse_dataset(Dataset(dataset), settings, out, purpose, options)
    for receipt in done.learned.federated.receipts:
        hidden = "" if receipt.epsilon is None else f", epsilon {receipt.epsilon:.2f}"
        print(f"{receipt.site}: {receipt.n_patients} patients, {receipt.n_events} with HT{hidden}")
    print(f"{done.refused} scan(s) refused")
    print(f"Predictions: {done.predictions}")
