"""Options that several commands share: one name, one meaning and one help text each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from hemocast.config import Config


def output(text: str, kind: str | None = None) -> Any:
    """Give the option ``--out``: a folder, refused before any work if it cannot be written to.

    Parameters
    ----------
    text : str
        Its help.
    kind : str, optional
        What `hemocast.files.claim` calls it; then what is not empty or of that kind is refused too.
    """

    def check(folder: Path | None) -> Path | None:
        if folder is not None:
            from hemocast.files import check_folder

            check_folder(folder, kind or "", also=kind is None)
        return folder

    return typer.Option("--out", help=text, callback=check)


Everything = Annotated[Path, output("Where everything goes.")]
Lang = Annotated[
    Literal["en", "zh"],
    typer.Option(help="Language of the pages: English or Chinese (not reviewed by a native)."),
]
DatasetFolder = Annotated[Path, typer.Argument(help="The dataset folder.")]
SPLIT = typer.Option("--split", help="Name of a split in DATASET/splits, or a table of your own.")
Key = Annotated[
    Path | None,
    typer.Option(help="Key of the pseudonyms; created if missing. Default: OUT.key"),
]
NamedBy = Annotated[
    Path | None,
    typer.Option(
        "--key",
        help="Secret of the pseudonyms, for tables with patient_id. Default: what 'hemocast "
        "predict' keeps beside its predictions, or DATASET.key.",
    ),
]


def _one_encoder(folder: Path | None) -> Path | None:
    """Refuse a name that an encoder that comes along and a folder here both have."""
    if folder is not None:
        from hemocast.train.pretrain.encoder import refuse_two

        refuse_two(folder)
    return folder


Encoder = Annotated[
    Path | None,
    typer.Option(
        callback=_one_encoder,
        help="Of 'hemocast pretrain', or 'own' or 'ctnet', which come along: its last layer alone "
        "is fitted; 'auto': own, or CTNet from labels alone, as patients held out decide, which is "
        "the default without --net, --config and --record.",
    ),
]
Net = Annotated[
    str | None,
    typer.Option(
        help="In place of net.name of the settings: a network, or a model from measurements: "
        "histogram-ridge, voxels-svm, kernel-regression, perfusion-regression, clinical-ridge, "
        "clinical-firth, clinical-boosting, clinical-additive, clinical-network, "
        "signs-additive, signs-clinical-additive, late-fusion, perfusion-fusion."
    ),
]
Record = Annotated[
    bool,
    typer.Option(
        "--record",
        help="Tell the network of the dataset's clinical values, too: all is learned together.",
    ),
]
Harmonise = Annotated[
    bool,
    typer.Option(
        "--harmonise",
        help="Take site effects out of findings or signs (ComBat, of the training sites alone).",
    ),
]
Service = Annotated[
    Path, typer.Option("--config", help="The settings file, of 'hemocast serve init'.")
]
SERVICE = Path("hemocast-serve.yaml")
Workers = Annotated[int, typer.Option(min=1, help="Processes.")]
AllWorkers = Annotated[int | None, typer.Option(min=1, help="Processes. Default: one per CPU.")]
Threshold = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="The model's. Default: column threshold, else 0.5."),
]
Resamples = Annotated[int, typer.Option(min=100, help="Bootstrap resamples of patients.")]
BootstrapSeed = Annotated[int, typer.Option(min=0, help="Of the bootstrap.")]

Prevalence = Annotated[float, typer.Option(help="Share of patients with the outcome.")]
C_STATISTIC = typer.Option("--c-statistic", "--cstat", help="C statistic (AUC) expected.")
Power = Annotated[float, typer.Option(help="Power: the chance of detecting the difference.")]
Alpha = Annotated[float, typer.Option(help="Two-sided level.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def chosen_settings(
    config: Path | None,
    net: str | None,
    encoder: Path | None,
    record: bool,
    harmonise: bool = False,
) -> Config:
    """Read the settings of a training, and what the options change of them.

    Raises
    ------
    UsageError
        The encoder's network is another than the one named.
    ConfigError, ModelNotFound, ModelCorrupt
        A setting cannot be; or there is no such encoder.
    """
    from hemocast.config import AUTO, Config, load_config

    settings = (load_config(config) if config else Config()).with_net(net)
    if harmonise:
        train = settings.train.model_copy(update={"harmonise": True})
        settings = settings.model_copy(update={"train": train})
    if not (encoder or net or config):
        encoder = Path(AUTO)
    if encoder == Path(AUTO):
        settings = settings.with_choice()
    elif encoder:
        from hemocast.errors import UsageError
        from hemocast.train import with_encoder

        settings = with_encoder(settings, encoder)
        if net not in (None, settings.net.name):
            raise UsageError(
                f"--net asks for {net}, the encoder is of {settings.net.name}",
                "one of them, or both of one network",
                "Leave one of them out",
            )
    return settings.with_record() if record else settings
