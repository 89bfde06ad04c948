"""A pre-trained encoder is a folder: the network's settings, its weights, and how it was made.

In the program it is a network that names findings, and whose predictor can be a line of them.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hemocast.config import NetConfig, Settings
from hemocast.errors import ModelCorrupt, ModelNotFound, UsageError
from hemocast.files import Output
from hemocast.nets import Network, build, input_channels
from hemocast.nets.hemispheres import FINDINGS, Hemispheres, Member
from hemocast.train.pretrain.lessons import Named

ABOUT, WEIGHTS = "encoder.json", "encoder.safetensors"
KIND = "pre-trained encoder"

_HEADS = ("head.", "net.head.")
"""Names of the predictor's weights, which no pre-training makes."""

OWN, CTNET = Path("own"), Path("ctnet")
"""Name the encoders that come with the package."""

_SHIPPED = {OWN: "encoder", CTNET: "ctnet_encoder"}


class About(Settings):
    """What is known of an encoder.

    Parameters
    ----------
    net : NetConfig
        As `hemocast.nets.build` takes it.
    findings : tuple of str
        What it says of a scan, in order.
    scans, steps : int
        Simulated scans learned from, and batches a member.
    seed : int
        Of the first member; the others follow.
    data_hash, weights_hash : str
        SHA-256 of what was learned from, and of the weights' file.
    """

    schema_version: int = 1
    simulated: bool = True
    net: NetConfig
    findings: tuple[str, ...] = FINDINGS
    scans: int
    steps: int
    seed: int
    data_hash: str
    weights_hash: str = ""


class Encoder(ABC):
    """A network that names the findings of scans.

    Attributes
    ----------
    net : Network
        Of the registry.
    module : Module
        What holds all that was pre-trained.
    """

    net: Network
    module: nn.Module

    @abstractmethod
    def findings(self, frames: Tensor) -> Tensor:
        """Return the findings, (B, len(FINDINGS)), of frames (B, frames, H, W) in [0, 1]."""

    @abstractmethod
    def predict_by(self, weight: NDArray[np.float64], bias: float) -> None:
        """Let the network's predictor be a line of the findings.

        Parameters
        ----------
        weight : ndarray, shape (len(FINDINGS),)
        bias : float
        """


class OwnEncoder(Encoder):
    """Hemocast's own network, whose predictor is told the findings."""

    def __init__(self, net: Hemispheres) -> None:
        self.net = self.module = net
        self._own = net

    def findings(self, frames: Tensor) -> Tensor:
        """See `Encoder`."""
        return self._own.findings(self._own.inputs(frames))

    def predict_by(self, weight: NDArray[np.float64], bias: float) -> None:
        """See `Encoder`."""
        _set_head(self.net, torch.from_numpy(weight).float(), bias)


class NamedEncoder(Encoder):
    """Any other network: its predictor is the product of the line and the layer that names."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.module = self._named = Named(net)

    def findings(self, frames: Tensor) -> Tensor:
        """See `Encoder`; of probabilities their logits, so that HT is linear in the features."""
        return self._named.forward(input_channels(self.net, frames)).raw

    def predict_by(self, weight: NDArray[np.float64], bias: float) -> None:
        """See `Encoder`."""
        layer, line = self._named.findings, torch.from_numpy(weight).float()
        with torch.no_grad():
            _set_head(self.net, line @ layer.weight, bias + float(line @ layer.bias))


def encoder_of(net: Network) -> Encoder:
    """Return a network, with the weights it has, as an encoder."""
    return OwnEncoder(net) if isinstance(net, Hemispheres) else NamedEncoder(net)


def _set_head(net: Network, weight: Tensor, bias: float) -> None:
    with torch.no_grad():
        net.head.weight.copy_(weight[None])
        net.head.bias.fill_(bias)


def write_encoder(members: Sequence[nn.Module], about: About, output: Output) -> None:
    """Write the two files of an encoder into a claimed folder.

    Parameters
    ----------
    members : sequence of Member, or of one Named
        Of Hemocast's own network, or another one.
    about : About
    output : Output
    """
    from safetensors.torch import save

    state: dict[str, Tensor] = {}
    for i, member in enumerate(members):
        prefix = f"members.{i}." if isinstance(member, Member) else ""
        state |= {
            prefix + name: value.detach().cpu().contiguous()
            for name, value in member.state_dict().items()
            if not name.startswith(_HEADS)
        }
    weights = save(state)
    about = about.model_copy(update={"weights_hash": hashlib.sha256(weights).hexdigest()})
    output.write_all(
        {WEIGHTS: weights, ABOUT: json.dumps(about.model_dump(mode="json"), indent=1) + "\n"}
    )


def join_encoders(folders: Sequence[Path], output: Output) -> None:
    """Put the members of several encoders into one, whose findings are the mean of all.

    Of scans and steps the record tells the greatest, and a hash of all hashes of what was learned.

    Parameters
    ----------
    folders : sequence of Path
        Encoders of one kind of network.
    output : Output
        A claimed folder.

    Raises
    ------
    ModelNotFound, ModelCorrupt
        See `read_encoder`; or their networks have other settings.
    """
    members: list[Member] = []
    told = [read_about(folder) for folder in folders]
    for folder, about in zip(folders, told, strict=True):
        net = build(about.net)
        assert isinstance(net, Hemispheres)  # noqa: S101 - `findings` are its own
        read_encoder(folder, net)
        members += [member for member in net.members if isinstance(member, Member)]
    nets = [about.net.model_copy(update={"options": {"members": len(members)}}) for about in told]
    if any(net != nets[0] for net in nets):
        raise _corrupt("the encoders to be joined have networks with other settings")
    hashes = " ".join(about.data_hash for about in told)
    about = told[0].model_copy(
        update={
            "net": nets[0],
            "scans": max(about.scans for about in told),
            "steps": max(about.steps for about in told),
            "data_hash": hashlib.sha256(hashes.encode()).hexdigest(),
        }
    )
    write_encoder(members, about, output)


def take_member(folder: Path, number: int, output: Output) -> None:
    """Make an encoder of one member of another: half the size of two, and half the work.

    Parameters
    ----------
    folder : Path
        Of the encoder.
    number : int
        Which, from 1.
    output : Output
        A claimed folder.

    Raises
    ------
    ModelNotFound, ModelCorrupt
        See `read_encoder`.
    UsageError
        It has no such member.
    """
    about = read_about(folder)
    net = build(about.net)
    assert isinstance(net, Hemispheres)  # noqa: S101 - `findings` are its own
    read_encoder(folder, net)
    if not 1 <= number <= len(net.members):
        raise UsageError(
            f"Member {number} is asked for", f"1 to {len(net.members)}", "Name another member"
        )
    member = net.members[number - 1]
    assert isinstance(member, Member)  # noqa: S101 - `Hemispheres` makes no others
    alone = about.net.model_copy(update={"options": {"members": 1}})
    write_encoder([member], about.model_copy(update={"net": alone}), output)


def located(folder: Path) -> Path:
    """Return where an encoder lies: `OWN` and `CTNET` in the package, any other where it says."""
    shipped = _SHIPPED.get(folder)
    return folder if shipped is None else Path(__file__).parents[2] / "assets" / shipped


def refuse_two(folder: Path) -> None:
    """Refuse a user's name for an encoder that comes along where a folder has it, too.

    Raises
    ------
    UsageError
        Either could be meant.
    """
    if folder in _SHIPPED and (folder / ABOUT).is_file():
        raise UsageError(
            f"{folder} names an encoder that comes along, and a folder here holds another",
            "a name that only one of them has",
            f"Give the folder by its whole path, or work where there is no folder {folder}",
        )


def read_about(folder: Path) -> About:
    """Read what is known of an encoder.

    Parameters
    ----------
    folder : Path
        Or `OWN`, or `CTNET`.

    Raises
    ------
    ModelNotFound, ModelCorrupt
        There is none, or its file is no such thing.
    """
    try:
        text = (located(folder) / ABOUT).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelNotFound(
            f"There is no {ABOUT} in the folder named as the encoder",
            "a folder that 'hemocast pretrain' finished",
            "Check the path, or run that command on it again: it continues",
        ) from error
    try:
        about = About.model_validate_json(text)
    except ValueError as error:
        raise _corrupt(f"{ABOUT} holds something else") from error
    if about.findings != FINDINGS:
        raise _corrupt("the encoder tells other findings than this version")
    return about


def read_encoder(folder: Path, net: Network) -> Encoder:
    """Put an encoder's weights into a network built from its settings.

    Parameters
    ----------
    folder : Path
        Or `OWN`, or `CTNET`.
    net : Network
        Keeps its own predictor.

    Raises
    ------
    ModelNotFound, ModelCorrupt
        There is none; its weights are not those that were written, or do not fit the network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    about, encoder = read_about(folder), encoder_of(net)
    try:
        content = (located(folder) / WEIGHTS).read_bytes()
        if hashlib.sha256(content).hexdigest() != about.weights_hash:
            raise _corrupt(f"{WEIGHTS} is not what its hash says")
        missing = encoder.module.load_state_dict(load(content), strict=False)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise _corrupt(f"{WEIGHTS} cannot be read, or does not fit the network") from error
    if missing.unexpected_keys or any(not name.startswith(_HEADS) for name in missing.missing_keys):
        raise _corrupt(f"{WEIGHTS} does not fit the network")
    return encoder


def _corrupt(seen: str) -> ModelCorrupt:
    return ModelCorrupt(
        f"The pre-trained encoder cannot be used: {seen}",
        "the folder as 'hemocast pretrain' wrote it",
        "Pre-train again, or name another folder",
    )
