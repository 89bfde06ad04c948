"""``model.yaml``: all that a model folder says about itself, checked when read."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Literal, Self

import yaml
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from hemocast.classical.measured import MeasuredModel
from hemocast.classical.recipes import View
from hemocast.classical.saved import SavedModel
from hemocast.config import NetConfig, PrepareConfig, Settings
from hemocast.errors import ModelCorrupt, UsageError
from hemocast.model.calibrate import Calibration
from hemocast.model.gate import Gate
from hemocast.model.recalibrate import Change
from hemocast.nets import MapGrid, NetworkFacts, ctnet_grid
from hemocast.version import VERSION

DEMONSTRATION = "demonstration model, trained on simulated scans, not for clinical use"
RESEARCH = "research model, not for clinical use"

WEIGHTS, ONNX, CARD, DESCRIPTION = "weights.safetensors", "model.onnx", "card.md", "model.yaml"
CASES = "nearest_cases.safetensors"
"""What is kept of the training scans, where the owner of the data asked for it."""
_SELF = re.compile(rb"\A(.*\n)sha256: ([0-9a-f]{64})\n\Z", re.DOTALL)
LARGEST_DESCRIPTION = 1 << 18
"""Bytes of a ``model.yaml`` beyond which it is not read."""
_DEEPEST = 16
_LARGEST_NUMBER = 2**53
_NAME = re.compile(r"\w([\w .+-]{0,98}\w)?")
_LONGEST_TEXT = 500
# The parser in C refuses absurd nesting at once; the one in Python takes minutes over it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TrainingFacts(Settings):
    """What a model was trained on.

    Parameters
    ----------
    data_hash : str
        SHA-256 of pictures, patients and labels; of several hospitals, of their signed receipts.
    n_patients : int
    n_scans : int or None
        None where the scans stayed in several hospitals, which tell of patients alone.
    n_hospitals : int or None
        That learned together, each on its own machine; None: all scans were in one place.
    prevalence : float
        Fraction of the patients with HT.
    refit : bool
        The weights learned from all of them; the calibration is of a network of the same settings
        that had not seen the patients it was fitted on.
    """

    data_hash: str = Field(pattern="^[0-9a-f]{64}$")
    n_patients: int = Field(ge=1)
    n_scans: int | None = Field(None, ge=1)
    n_hospitals: int | None = Field(None, ge=1)
    prevalence: float = Field(ge=0, le=1)
    refit: bool = False

    @model_validator(mode="after")
    def _told_once(self) -> Self:
        if (self.n_scans is None) == (self.n_hospitals is None):
            raise ValueError("either scans are counted, or hospitals that kept them")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_no_hospitals(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # As `Description`: files and hashes of other models stay as they were.
        content: dict[str, Any] = write(self)
        newer = ("n_scans", "n_hospitals")
        return {k: v for k, v in content.items() if k not in newer or v is not None}


class SavedMeasured(Settings):
    """A model from measurements.

    Parameters
    ----------
    views : tuple of str
        What it is told; see `hemocast.classical.recipes`.
    fitted : SavedModel
        Its numbers.
    """

    views: tuple[View, ...] = Field(min_length=1)
    fitted: SavedModel


class InputRange(Settings):
    """Mean and standard deviation, over the training scans, of three plain facts about a stack.

    Parameters
    ----------
    intensity, contrast : tuple of float
        Mean and standard deviation of the intensity over the brain.
    extent : tuple of float
        Fraction of the stack that is brain.
    """

    intensity: tuple[float, float]
    contrast: tuple[float, float]
    extent: tuple[float, float]


@dataclass(frozen=True)
class Purpose:
    """What a model is for: it says so with every probability.

    Parameters
    ----------
    name : str
        Of the model, and of its files: letters, digits and ``. _ + -`` and spaces between them.
    horizon : str
        What the probability is a probability of, such as "HT on a follow-up scan within 7 days".
    population : str
        In whom.
    version : str
        Of the model.
    simulated_training_data : bool
        Whether any training scan was simulated; every output then says so.
    simulator : int or None
        Version of the simulator that made them; None without any.

    Raises
    ------
    UsageError
        A text is too long or has other characters.
    """

    name: str
    horizon: str
    population: str
    version: str = VERSION
    simulated_training_data: bool = False
    simulator: int | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                f"A model cannot be named {self.name[:40]!r}",
                "up to 100 letters, digits and . _ + - or spaces, a letter or digit at both ends",
                "Choose another name with --name",
            )
        if not re.fullmatch(r"[\w.+-]{1,40}", self.version):
            raise UsageError(
                f"A model's version cannot be {self.version[:40]!r}",
                "up to 40 letters, digits and . _ + -",
                "Choose another version",
            )
        if max(len(self.horizon), len(self.population)) > _LONGEST_TEXT:
            raise UsageError(
                "The text for the horizon or the population is too long",
                f"at most {_LONGEST_TEXT} characters each",
                "Shorten it",
            )


@dataclass(frozen=True)
class Recipe:
    """What a model was made with.

    Parameters
    ----------
    net, prepare : NetConfig, PrepareConfig
        What the network was built from and what its stacks were made with.
    calibration : Calibration
        From logits to probabilities.
    training : TrainingFacts
        The data.
    gate : Gate or None
        What is usual among the training scans; None: too few.
    joined : MeasuredModel or None
        What the clinical record adds to the network's logit; None: nothing.
    """

    net: NetConfig
    prepare: PrepareConfig
    calibration: Calibration
    training: TrainingFacts
    gate: Gate | None = None
    joined: MeasuredModel | None = None


class Description(Settings):
    """The content of ``model.yaml``.

    Parameters
    ----------
    name, version : str
        Of the model.
    horizon, population : str
        What the probability is a probability of, and in whom.
    simulated_training_data : bool
        Trained on simulated scans: for demonstration only.
    simulator : int or None
        Version of the simulator that made them; what names none was made by the first.
    network : NetworkFacts or None
        The network's provenance; None in models of the first version.
    net, prepare : NetConfig, PrepareConfig
    bias : float
        Of the last linear layer: what the logit would be with an empty map.
    calibration : Calibration
    training : TrainingFacts
    input_range : InputRange
    files : dict
        File name -> SHA-256.
    gate : Gate or None
        Takes the place of `input_range`; None in models of the first version, and where training
        scans are few.
    recalibrated : Change or None
        How the calibration was changed on patients of another place; None: it was not.
    recalibrated_on : str or None
        SHA-256 of these patients' pseudonyms; None where it was not, or by an earlier version.
    measured : SavedMeasured or None
        In place of a network, where the model is one from measurements.
    joined : SavedMeasured or None
        What the clinical record adds to the network's logit, fitted together with its last layer.
    """

    schema_version: Literal[1] = 1
    name: str = Field(min_length=1, max_length=100, pattern=r"^[\w .+-]+$")
    version: str = Field(min_length=1, max_length=40, pattern=r"^[\w.+-]+$")
    horizon: str = Field(max_length=_LONGEST_TEXT)
    population: str = Field(max_length=_LONGEST_TEXT)
    simulated_training_data: bool
    simulator: int | None = Field(default=None, ge=1)
    network: NetworkFacts | None = None
    net: NetConfig
    prepare: PrepareConfig
    bias: float
    calibration: Calibration
    training: TrainingFacts
    input_range: InputRange
    files: dict[str, str]
    gate: Gate | None = None
    recalibrated: Change | None = None
    recalibrated_on: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    measured: SavedMeasured | None = None
    joined: SavedMeasured | None = None

    @model_validator(mode="before")
    @classmethod
    def _first_versions_had_fewer_channels(cls, plain: Any) -> Any:
        # Models from before there was a choice do not name it.
        if isinstance(plain, dict) and isinstance(net := plain.get("net"), dict):
            return plain | {"net": {"fluid_hu": None, "relief": False} | net}
        return plain

    @model_serializer(mode="wrap")
    def _leave_out_no_measured(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Networks' files and hashes stay as they were before there were such models.
        content: dict[str, Any] = write(self)
        newer = ("measured", "joined", "recalibrated_on")
        return {k: v for k, v in content.items() if k not in newer or v is not None}

    @property
    def map_grid(self) -> MapGrid:
        """Where the cells of the network's last feature map lie on the stack."""
        return self.network.grid if self.network else ctnet_grid(self.net)

    @property
    def notice(self) -> str:
        """What every output of the model must say."""
        return DEMONSTRATION if self.simulated_training_data else RESEARCH


def dump(description: Description) -> bytes:
    """Return the bytes of ``model.yaml``; the last line holds the SHA-256 of all lines before."""
    body = yaml.safe_dump(
        description.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100
    ).encode()
    return body + f"sha256: {hashlib.sha256(body).hexdigest()}\n".encode()


def parse(content: bytes) -> Description:
    """Read what `dump` wrote.

    Raises
    ------
    ModelCorrupt
        A byte differs, or a setting is unknown to this version.
    """
    if len(content) > LARGEST_DESCRIPTION:
        raise corrupt(f"{DESCRIPTION} is larger than any model needs")
    found = _SELF.match(content)
    if found is None or hashlib.sha256(found[1]).hexdigest().encode() != found[2]:
        raise corrupt(f"{DESCRIPTION} is not what its own hash says")
    try:
        text = found[1].decode()
        _check_shape(text)
        plain = yaml.load(text, _LOADER)  # noqa: S506 - safe, in C
        _check_plain(plain)
        return Description.model_validate(plain)
    # Numbers of 5,000 digits and a 99th of February are errors of Python's own.
    except (ValueError, TypeError, ArithmeticError, yaml.YAMLError) as error:
        raise ModelCorrupt(
            f"{DESCRIPTION} does not follow the schema of this version",
            "a model folder made by this or an earlier version of Hemocast",
            "Update Hemocast, or ask for the model again",
        ) from error


def _check_shape(text: str) -> None:
    """Refuse references and absurd depth, before anything is made of the text."""
    depth = 0
    for event in yaml.parse(text, _LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise corrupt(f"{DESCRIPTION} holds references, which no model has")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise corrupt(f"{DESCRIPTION} is nested deeper than any model's")


def _check_plain(value: object) -> None:
    """Refuse all but texts, finite numbers, and lists and tables of them: no dates, say."""
    if isinstance(value, dict):
        _check_plain([*value.keys(), *value.values()])
    elif isinstance(value, list):
        for one in value:
            _check_plain(one)
    elif isinstance(value, int | float):
        # Not abs(value) > ..., which NaN passes.
        if not abs(value) <= _LARGEST_NUMBER:
            raise corrupt(f"{DESCRIPTION} holds a number that is not finite or beyond all use")
    elif not isinstance(value, str | None):
        raise corrupt(f"{DESCRIPTION} holds something else than texts and numbers")


def corrupt(seen: str) -> ModelCorrupt:
    """Return the error for a model folder whose bytes are not what they should be."""
    return ModelCorrupt(
        seen,
        "a model folder with every byte as it was written",
        "Copy the model folder again from where it came, or train it again",
    )
