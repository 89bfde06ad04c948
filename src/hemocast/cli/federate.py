"""``hemocast federate``: several hospitals, one model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemocast.cli.options import Workers, output

if TYPE_CHECKING:
    from hemocast.config import Config

federate = typer.Typer(
    help="Several hospitals, one model: scans stay where they are.", no_args_is_help=True
)

Name = Annotated[str, typer.Option(help="Of the model.")]
Horizon = Annotated[str, typer.Option(help="What the probability is a probability of.")]
Population = Annotated[str, typer.Option(help="In whom.")]
Rounds = Annotated[int, typer.Option(min=1, max=10_000, help="Of each phase.")]
LocalSteps = Annotated[
    int, typer.Option(min=1, max=1000, help="Steps of each hospital in a round.")
]
Proximal = Annotated[
    float, typer.Option(min=0, max=10, help="FedProx's pull to the common weights; 0: FedAvg.")
]
Noise = Annotated[
    float,
    typer.Option(min=0, max=1e6, help="Differential privacy: noise, in units of --clip; 0: none."),
]
Clip = Annotated[
    float, typer.Option(min=1e-3, max=100, help="With --noise: longest update of a site.")
]
HospitalFolder = Annotated[Path, typer.Argument(help="Of 'hemocast federate enrol'.")]
HORIZON, POPULATION = "hemorrhagic transformation on a later scan", "patients of these hospitals"


def _settings(seed: int = 0) -> Config:
    """Give the settings with the encoder that comes along, which all hospitals have."""
    from hemocast.config import Config
    from hemocast.train import with_encoder

    settings = with_encoder(Config(), Path("own"))
    train = settings.train.model_copy(update={"seed": seed})
    return settings.model_copy(update={"train": train})


@federate.command()
def rehearse(
    dataset: Annotated[
        Path, typer.Argument(help="A dataset folder with labels and sites, or stacks.")
    ],
    out: Annotated[Path, output("Folder for predictions, plan, cards and receipts.", "federation")],
    name: Name = "ht",
    horizon: Horizon = HORIZON,
    population: Population = POPULATION,
    rounds: Rounds = 60,
    local_steps: LocalSteps = 10,
    proximal: Proximal = 0.0,
    noise: Noise = 0.0,
    clip: Clip = 1.0,
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
    from hemocast.dataset import Dataset
    from hemocast.federate import Privacy
    from hemocast.model import Purpose
    from hemocast.pipeline.federate import FederateOptions, rehearse_dataset

    with stage_bars() as progress:
        privacy = Privacy(clip=clip, noise=noise) if noise else None
        options = FederateOptions(
            test_fraction, rounds, local_steps, proximal, workers, progress, privacy
        )
        purpose = Purpose(name, horizon, population)
        done = rehearse_dataset(Dataset(dataset), _settings(seed), out, purpose, options)
    for receipt in done.learned.federated.receipts:
        hidden = "" if receipt.epsilon is None else f", epsilon {receipt.epsilon:.2f}"
        print(f"{receipt.site}: {receipt.n_patients} patients, {receipt.n_events} with HT{hidden}")
    print(f"{done.refused} scan(s) refused")
    print(f"Predictions: {done.predictions}")


@federate.command()
def enrol(
    folder: Annotated[Path, typer.Argument(help="For the hospital; new, or enrolled before.")],
    name: Annotated[str, typer.Option(help="Of the hospital, as the others will see it.")],
) -> None:
    """Make a hospital's folder with a key of its own; FOLDER/site.json goes to the coordinator."""
    from hemocast.federate.folder import ENROLMENT, KEY
    from hemocast.pipeline.take_part import enrol as enrol_hospital

    said = enrol_hospital(folder, name)
    print(f"Send to the coordinator: {folder / ENROLMENT}")
    print(f"Tell the coordinator by another way, a telephone for one, its key: {said.key}")
    print(f"{folder / KEY} stays here.")


@federate.command()
def plan(
    enrolments: Annotated[list[Path], typer.Argument(help="site.json of every hospital.")],
    out: Annotated[Path, output("The coordinator's folder; new or empty.", "coordinator")],
    name: Name = "ht",
    horizon: Horizon = HORIZON,
    population: Population = POPULATION,
    rounds: Rounds = 60,
    local_steps: LocalSteps = 10,
    proximal: Proximal = 0.0,
    secure_aggregation: Annotated[
        bool, typer.Option(help="Weights leave a hospital masked; of 3 or more hospitals.")
    ] = False,
    noise: Noise = 0.0,
    clip: Clip = 1.0,
    simulated: Annotated[
        bool, typer.Option(help="The hospitals' scans are simulated, and the model will say so.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Deals patients into folds.")] = 0,
) -> None:
    """Sign, as the coordinator, a plan of the hospitals that enrolled; OUT/plan.json goes to each.

    Compare each hospital's key with what it told you by another way before you send the plan.
    """
    from hemocast.federate import Privacy
    from hemocast.federate.folder import PLAN
    from hemocast.model import Purpose
    from hemocast.pipeline.federate import FederateOptions, plan_of
    from hemocast.pipeline.take_part import make_plan
    from hemocast.version import SIMULATOR_VERSION

    options = FederateOptions(
        rounds=rounds,
        local_steps=local_steps,
        proximal=proximal,
        privacy=Privacy(clip=clip, noise=noise) if noise else None,
        secure_aggregation=secure_aggregation,
    )
    simulator = SIMULATOR_VERSION if simulated else None
    wanted = plan_of(_settings(seed), Purpose(name, horizon, population), options, simulator)
    signed = make_plan(enrolments, out, wanted)
    for site, key in signed.plan.sites.items():
        print(f"{site}: {key}")
    print(f"Send to every hospital: {out / PLAN}")
    print(f"Tell every hospital by another way your key: {signed.coordinator}")


@federate.command()
def prepare(
    dataset: Annotated[Path, typer.Argument(help="The hospital's dataset folder, with labels.")],
    folder: HospitalFolder,
    plan: Annotated[Path, typer.Option(help="The coordinator's plan.json.")],
    coordinator: Annotated[
        str, typer.Option(help="The coordinator's key, as it was told by another way.")
    ],
    workers: Workers = 1,
) -> None:
    """Find, under the plan, all that this hospital answers from; nothing leaves the machine."""
    from hemocast.cli.progress import stage_bars
    from hemocast.dataset import Dataset
    from hemocast.pipeline.take_part import prepare_hospital

    with stage_bars() as progress:
        ready = prepare_hospital(
            Dataset(dataset), folder, plan, coordinator, _settings(), workers, progress
        )
    counts = ready.counts
    print(f"{ready.refused} scan(s) refused")
    print(f"{counts.n_patients} patients, {counts.n_events} with HT: ready in {folder}")


@federate.command()
def model(
    folder: HospitalFolder,
    result: Annotated[Path, typer.Argument(help="result.json, as the coordinator sent it.")],
    out: Annotated[Path, output("Folder for the model; new or empty.", "model")],
) -> None:
    """Make a model folder of what the hospitals learned, for 'hemocast predict' and 'validate'."""
    from hemocast.pipeline.take_part import make_model

    made = make_model(folder, result, out, _settings())
    facts = made.description.training
    print(f"Of {facts.n_patients} patients at {facts.n_hospitals} hospitals: {out}")
