"""Every setting of a run, as validated models that read from and write to one YAML file.

Rooms take the part they need (``PrepareConfig``, ``NetConfig`` ...); none reads the whole file.
The paper (Zhang 2026, 10.3389/fnins.2025.1753071) fixes 28 frames of 5 mm and the shape of the two
residual blocks; every other number here is this project's choice and not the paper's.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, get_args, get_origin

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic.fields import FieldInfo

from hemocast.errors import ConfigError


class Settings(BaseModel):
    """Base of all settings: unknown names are errors, values never change."""

    # Validators are built when first used: a command needs few of the many settings.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    def hash(self) -> str:
        """SHA-256 of the settings, the same on every machine."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


Kind = TypeVar("Kind", bound=Settings)


class PrepareConfig(Settings):
    """How a Volume becomes a Stack (room ``prepare``)."""

    frames: int = Field(28, ge=4, le=64, description="frames kept; 28 in the paper")
    frame_mm: float = Field(5.0, gt=0, le=10, description="frame height, mm; 5 in the paper")
    size: int = Field(192, ge=64, le=512, description="in-plane height and width, pixels")
    pixel_mm: float = Field(1.0, gt=0, le=4, description="in-plane pixel size, mm")
    window_low: float = Field(10.0, ge=-200, le=200, description="HU mapped to 0")
    window_high: float = Field(50.0, ge=-200, le=400, description="HU mapped to 1")

    @property
    def window(self) -> tuple[float, float]:
        """HU of the levels 0 and 1."""
        return self.window_low, self.window_high

    @model_validator(mode="after")
    def _window_is_ordered(self) -> PrepareConfig:
        if self.window_high <= self.window_low:
            raise ValueError("window_high must be above window_low")
        return self


AUTO = "auto"
"""For ``train.encoder``: patients held out decide."""

CTNETS = ("ctnet2d", "ctnet3d")
"""Names of the two readings of CTNet."""

COMPARATORS = (
    "wozniak-style", "soundari-style", "resnet10", "resnet18", "densenet121", "frames-mean",
    "frames-attention",
)  # fmt: skip
"""Names of the networks to compare with."""


class NetConfig(Settings):
    """The network (room ``nets``). Channels, kernels and depth are ours: the paper gives none."""

    name: str = Field(
        "ctnet3d",
        pattern=r"^[\w.-]+(:\w+)?$",
        description="ctnet2d, ctnet3d, an installed network's name, or module:Class",
    )
    pool: int = Field(
        default_factory=lambda given: 6 if given.get("name") in CTNETS else 3,
        ge=1,
        le=8,
        description="in-plane average pooling before the first layer; by default 6 for CTNet, "
        "3 for others",
    )
    mirror: bool = Field(True, description="add a channel: darker than the other side")
    smooth: int = Field(5, ge=1, le=15, description="width of the mirror channel's smoothing box")
    fluid_hu: float | None = Field(
        7.5,
        ge=0,
        le=40,
        description="the mirror channel leaves out pixels so far below the head's white matter",
    )
    relief: bool = Field(
        default_factory=lambda given: (
            given.get("name") in CTNETS and given["mirror"] and given["fluid_hu"] is not None
        ),
        description="add to the mirror channel, with fluid_hu, one of lost contrast of grey and "
        "white matter; by default for CTNet, where there are these two",
    )
    stem: int = Field(16, ge=4, le=128, description="features after the convolution layer")
    widths: tuple[int, ...] = Field((16, 32), description="features of each stage")
    blocks: int = Field(1, ge=1, le=4, description="blocks y=F(x)+x after each block y=F(x)+H(x)")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of features left out in training")
    options: dict[str, bool | int | float | str] = Field(
        {}, description="for a network of others, which says what it takes"
    )

    @model_serializer(mode="wrap")
    def _leave_out_newer(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Files and hashes of networks without these stay as they were before there were any.
        content: dict[str, Any] = write(self)
        return {k: v for k, v in content.items() if v or k != "options"}

    @model_validator(mode="after")
    def _shapes_fit(self) -> NetConfig:
        if self.smooth % 2 == 0:
            raise ValueError("smooth must be odd")
        if self.relief and not (self.mirror and self.fluid_hu is not None):
            raise ValueError("relief needs the mirror channel and fluid_hu")
        if not self.widths or any(not 1 <= width <= 1024 for width in self.widths):
            raise ValueError("widths must be one or more numbers from 1 to 1024")
        return self


class TrainConfig(Settings):
    """How the network is fitted (room ``train``)."""

    seed: int = Field(0, ge=0, description="of split, initial weights and augmentation")
    epochs: int = Field(36, ge=1, le=1000, description="at most")
    batch_size: int = Field(16, ge=1, le=512, description="scans a step")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="the largest of the run")
    weight_decay: float = Field(1e-2, ge=0, le=1, description="of AdamW")
    patience: int = Field(10, ge=1, description="epochs without a better validation loss")
    average: float = Field(0.97, ge=0, lt=1, description="decay of the moving average of weights")
    validation_fraction: float = Field(0.2, gt=0, lt=0.5, description="of the training patients")
    refit: bool = Field(
        True, description="once the epoch is chosen, learn from all patients for as many"
    )
    precision: Literal["auto", "float32", "bf16"] = Field(
        "auto", description="of training steps; auto: bf16 where the processor multiplies in it"
    )
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = Field(
        "auto", description="what trains; for prediction see 'hemocast predict --device'"
    )
    devices: int = Field(
        1, ge=1, le=64, description="GPUs, or processes of the CPU, of this machine: DDP"
    )
    class_weights: Literal["auto", "none", "balanced"] = Field(
        "auto",
        description="in the loss; balanced: both classes count alike; auto: so where the rarer has "
        "less than a quarter of the patients",
    )
    log_to: Literal["csv", "tensorboard", "mlflow"] = Field(
        "csv", description="where epochs are recorded besides the tables in the run's folder"
    )
    augment: bool = Field(True, description="vary the training scans")
    encoder: str | None = Field(
        None,
        description="folder of 'hemocast pretrain', or own, which comes with the package: its last "
        "layer alone is fitted; auto: own or the network of net, as patients held out decide",
    )
    record: bool = Field(
        False,
        description="clinical values are told beside the scan; all weights are learned together",
    )
    harmonise: bool = Field(
        False,
        description="with an encoder, or signs: site effects (ComBat, of the training sites alone) "
        "are taken out of findings, or signs, before the model is fitted to them",
    )
    threads: int | None = Field(None, ge=1, description="CPU threads; default: all")

    @model_validator(mode="after")
    def _batches_can_be_shared(self) -> Self:
        if self.devices > 1 and self.batch_size < 2 * self.devices:
            raise ValueError("batch_size must be at least twice devices, which share each batch")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_the_usual(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Files and hashes of runs stay as they were before there were these settings.
        content: dict[str, Any] = write(self)
        fields = type(self).model_fields
        newer = ("encoder", "record", "devices", "class_weights", "log_to", "harmonise")
        return {k: v for k, v in content.items() if k not in newer or v != fields[k].default}


class ScannerSettings(Settings):
    """How a site scans (room ``simulate``). All numbers are ours; the paper gives only 5 mm."""

    vendors: tuple[str, ...] = Field(
        (), description="manufacturers of its scanners, as in the DICOM header; none: all"
    )
    slice_mm: float = Field(5.0, ge=0.5, le=10)
    noise_low_hu: float = Field(3.0, ge=0, le=30, description="in slices of slice_mm")
    noise_high_hu: float = Field(5.0, ge=0, le=30)
    tilt_fraction: float = Field(0.25, ge=0, le=1, description="of scans with a tilted gantry")
    motion_fraction: float = Field(0.05, ge=0, le=1, description="of scans blurred by movement")
    thin_fraction: float = Field(0.0, ge=0, le=1, description="of scans with 1.25 mm slices")
    mixed_fraction: float = Field(
        0.0, ge=0, le=1, description="of scans, not thin, with thinner slices at the skull base"
    )

    @model_validator(mode="after")
    def _noise_is_ordered(self) -> Self:
        if self.noise_high_hu < self.noise_low_hu:
            raise ValueError("noise_high_hu must not be below noise_low_hu")
        return self


class SiteConfig(ScannerSettings):
    """One hospital of a simulated cohort: its scanners and its case mix."""

    name: str = Field(pattern=r"[0-9A-Za-z-]{1,20}")
    share: float = Field(1.0, gt=0, description="of the patients, relative to the other sites'")
    age_shift: float = Field(0.0, ge=-30, le=30, description="years added to everybody's age")
    volume_factor: float = Field(1.0, gt=0, le=10, description="multiplies the median volume")


class SimulateConfig(ScannerSettings):
    """A simulated cohort (room ``simulate``). Sizes by default as in the paper; the rest is ours.

    `image_strength`, `clinical_strength` and `visibility` set how well the outcome can be told at
    all. With strengths 1, the odds ratios as the literature has them
    (`hemocast.simulate.epidemiology.risk`), the best AUC from the image alone is 0.86, from the
    record alone 0.83, from both 0.89. The default of `image_strength` was chosen so
    that the image alone allows 0.90.
    """

    seed: int = Field(0, ge=0)
    n_ht: int = Field(231, ge=1, le=100_000, description="patients with HT; 231 in the paper")
    n_non: int = Field(243, ge=1, le=100_000, description="patients without; 243 in the paper")
    scans_per_patient: float = Field(
        613 / 474, ge=1, le=4, description="mean; 613/474 in the paper"
    )
    prevalence: float = Field(0.15, gt=0, lt=1, description="of HT before sampling by outcome")
    age_mean: float = Field(
        60.7,
        ge=30,
        le=90,
        description="years, in the population: sampling by outcome makes it the paper's 62.5",
    )
    age_sd: float = Field(11.9, ge=0, le=30, description="years; 11.9 in the paper")
    male_share: float = Field(0.74, ge=0, le=1, description="0.74 in the paper")
    thrombolysis_share: float = Field(0.21, ge=0, le=1, description="0.21 in the paper")
    antiplatelet_share: float = Field(0.55, ge=0, le=1)
    anticoagulation_share: float = Field(0.08, ge=0, le=1)
    thrombectomy_share: float = Field(
        0.0, ge=0, le=1, description="of patients first scanned within 24 h of onset"
    )
    sites: tuple[SiteConfig, ...] = Field((), description="none: one site that scans as set here")
    image_strength: float = Field(1.35, ge=0, le=10, description="multiplies the image's log odds")
    clinical_strength: float = Field(1.0, ge=0, le=10, description="multiplies the clinical ones")
    visibility: float = Field(1.0, ge=0, le=5, description="multiplies the hypodensity rendered")
    volume_median_ml: float = Field(25.0, gt=0, description="infarct volume, median, mL")
    volume_sigma: float = Field(1.4, ge=0, le=3, description="standard deviation of its logarithm")
    volume_min_ml: float = Field(0.5, gt=0)
    volume_max_ml: float = Field(300.0, gt=0, le=350)
    matrix: int = Field(512, ge=64, le=1024, multiple_of=32, description="rows and columns")
    field_mm: float = Field(230.0, ge=200, le=350, description="width of an image, mm")
    masks: bool = Field(False, description="write lesion masks among the truth")
    bleeds: bool = Field(False, description="write a later scan with the bleed for HT patients")

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> SimulateConfig:
        factors = [site.volume_factor for site in self.sites] or [1.0]
        low, high = min(factors) * self.volume_median_ml, max(factors) * self.volume_median_ml
        if not (self.volume_min_ml < low and high < self.volume_max_ml):
            raise ValueError(
                "volume_min_ml < volume_median_ml < volume_max_ml is needed, at every site"
            )
        if self.thrombolysis_share + self.antiplatelet_share + self.anticoagulation_share > 1:
            raise ValueError("the shares of the treatments must not sum to more than 1")
        if len({site.name for site in self.sites}) != len(self.sites):
            raise ValueError("every site needs its own name")
        return self


class Config(Settings):
    """One run."""

    prepare: PrepareConfig = PrepareConfig()
    net: NetConfig = NetConfig()
    train: TrainConfig = TrainConfig()

    def with_record(self) -> Config:
        """Return it with clinical values told beside the scan."""
        return self.model_copy(update={"train": self.train.model_copy(update={"record": True})})

    def with_choice(self) -> Config:
        """Return it with patients held out to decide between its network and the encoder."""
        return self.model_copy(update={"train": self.train.model_copy(update={"encoder": AUTO})})

    def with_net(self, name: str | None) -> Config:
        """Return it with another network, or the same where none is named.

        What was not set of the network is as that network usually has it.

        Raises
        ------
        ConfigError
            No network can have that name.
        """
        if name is None:
            return self
        try:
            return Config.model_validate(
                self.model_dump()
                | {"net": self.net.model_dump(exclude_unset=True) | {"name": name}}
            )
        except ValidationError as error:
            raise ConfigError(
                f"net.name cannot be {name[:40]!r}: {error.errors()[0]['msg']}",
                "a network's name, or module:Class",
                "Correct --net",
            ) from error

    @model_validator(mode="after")
    def _pixels_pool_evenly(self) -> Config:
        size, pool = self.prepare.size, self.net.pool
        if self.net.name in (*CTNETS, *COMPARATORS) and self.net.mirror and size % pool:
            below = size // pool * pool
            raise ValueError(
                f"prepare.size {size} is no multiple of net.pool {pool}, so that left and right "
                f"would not mirror: {below} or {below + pool} would do"
            )
        return self


_HEAD = (
    "# Settings of 'hemocast train', 'crossval' and 'tune' (--config). Those here are the",
    "# defaults; each line may be changed or left out. The default of one behind a # depends",
    "# on other settings.",
)


def commented_settings(kind: type[Settings] = Config, head: Sequence[str] = _HEAD) -> str:
    """Write all settings of a kind as YAML, each with its default, meaning and range.

    Parameters
    ----------
    kind : type of Settings
        Its fields are rooms, settings in their turn, each with a default.
    head : sequence of str
        Lines that come first.
    """
    lines = [*head]
    for room, part in kind.model_fields.items():
        lines += ["", f"{room}:"]
        for name, field in _fields(part.annotation).items():
            text = json.dumps(getattr(part.default, name), default=str)  # which is YAML too
            notes = "; ".join(note for note in (field.description, _range(field)) if note)
            mark = "# " if field.default_factory_takes_validated_data else ""
            lines.append(f"  {mark}{name}: {text}" + (f"  # {notes}" if notes else ""))
    return "\n".join(lines) + "\n"


def _fields(model: Any) -> dict[str, FieldInfo]:
    return dict(model.model_fields) if hasattr(model, "model_fields") else {}


def _range(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return " | ".join(map(str, get_args(field.annotation)))
    words = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
    return " ".join(
        f"{word} {getattr(limit, mark):g}"
        for mark, word in words.items()
        for limit in field.metadata
        if hasattr(limit, mark)
    )


def _fault(model: Any, place: tuple[int | str, ...], fault: Mapping[str, Any]) -> str:
    """Say what is wrong with a setting, and what there is where it is unknown."""
    name = ".".join(str(part) for part in place) or "file"
    if fault["type"] != "extra_forbidden":
        return f"{name}: {fault['msg']}"
    for part in place[:-1]:
        inside = model if isinstance(part, int) else _fields(model)[part].annotation
        # Of a list of settings: what one of them is.
        model = next((one for one in get_args(inside) if one is not Ellipsis), inside)
    known = [*_fields(model)]
    like = difflib.get_close_matches(str(place[-1]), known, n=1)
    maybe = f" (perhaps {like[0]})" if like else ""
    return f"{name}: no such setting{maybe}; there are {', '.join(known)}"


def load_config(path: Path) -> Config:
    """Read the settings of a run from a YAML file; raises as `load_settings` does."""
    return load_settings(path, Config, "hemocast config init")


def load_settings(path: Path, kind: type[Kind], writer: str) -> Kind:
    """Read a YAML file.

    Parameters
    ----------
    path : Path
        The file.
    kind : type of Settings
        What it holds.
    writer : str
        The command that writes such a file.

    Raises
    ------
    ConfigError
        The file is not YAML, or a setting is unknown or outside its range. All faults at once.
    """
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return kind.model_validate(loaded)
    except ValidationError as error:
        # A default that depends on a setting with a fault has none of its own.
        faults = [one for one in error.errors() if one["type"] != "default_factory_not_called"]
        said = "; ".join(_fault(kind, fault["loc"], fault) for fault in faults)
        raise ConfigError(
            f"The settings file has {len(faults)} fault(s): {said}",
            "known settings within their ranges",
            f"Correct the settings named; '{writer}' writes all with their ranges",
        ) from error
    # A number of 5,000 digits and a thousand brackets are errors of Python's own.
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(
            f"The settings file could not be read ({type(error).__name__})",
            "a YAML file",
            "Check the path and the file's syntax",
        ) from error
