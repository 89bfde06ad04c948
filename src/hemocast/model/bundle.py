"""The model folder: written whole or not at all, and read only if every byte is as written."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.measured import MeasuredModel
from hemocast.classical.saved import from_numbers, to_numbers
from hemocast.errors import ModelNotFound, UsageError
from hemocast.files import check_folder, new_folder
from hemocast.model.card import CARD_OF_CASES, card
from hemocast.model.flags import input_range
from hemocast.model.nearest import LabelledScans, TrainingCases
from hemocast.model.predictor import Model
from hemocast.model.schema import (
    CARD,
    CASES,
    DESCRIPTION,
    LARGEST_DESCRIPTION,
    ONNX,
    WEIGHTS,
    Description,
    Purpose,
    Recipe,
    SavedMeasured,
    corrupt,
    dump,
    parse,
)
from hemocast.nets import Network, facts_of
from hemocast.volume import Stack

LARGEST = 1 << 30
"""Bytes of one file beyond which a model folder is not even read."""
_PLAINLY = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
DEMO = "demo_model"


def save_model(
    net: Network,
    folder: Path,
    purpose: Purpose,
    recipe: Recipe,
    examples: Sequence[Stack],
    notes: str = "",
    cases: LabelledScans | None = None,
) -> Model:
    """Write a model folder and load it.

    Parameters
    ----------
    net : Network
        Trained.
    folder : Path
        Must not exist, or be empty.
    purpose : Purpose
        What the model is for.
    recipe : Recipe
        What it was made with.
    examples : sequence of Stack
        Training stacks: what is usual is measured on them where the recipe has no gate, and the
        exported network is compared with the trained one on the first eight. A few dozen suffice.
    notes : str
        Markdown to append to the card (results, say).
    cases : LabelledScans, optional
        Training scans that the page of a prediction may name, if the owner of the data wants so.

    Raises
    ------
    OutputExists
        The folder holds something.
    ParityError
        The exported network computes something else; nothing is written.
    """
    from safetensors.numpy import save

    from hemocast.model.export import to_onnx

    check_folder(folder, "model")
    facts = facts_of(net, recipe.net, examples[0].frames.shape)
    bias = net.head.bias
    description = Description(
        **asdict(purpose),
        network=facts,
        **(vars(recipe) | {"joined": _saved(recipe.joined)}),
        bias=0.0 if bias is None else float(bias.item()),
        input_range=input_range(examples),
        files={},
    )
    content = {
        WEIGHTS: save({key: value.numpy().copy() for key, value in net.state_dict().items()}),
        ONNX: to_onnx(
            net,
            np.stack([stack.frames for stack in examples[:8]]),
            (recipe.net, recipe.prepare),
        ),
        CARD: card(description, facts, notes).encode(),
    }
    if cases is not None:
        content[CASES] = TrainingCases.of(cases, content[ONNX]).to_bytes()
        content[CARD] += f"\n{CARD_OF_CASES}".encode()
    return _write(folder, description, content)


def save_measured(
    model: MeasuredModel,
    folder: Path,
    purpose: Purpose,
    recipe: Recipe,
    examples: Sequence[Stack],
) -> Model:
    """Write the folder of a model from measurements and load it.

    Parameters
    ----------
    model : MeasuredModel
        Fitted.
    folder, purpose, recipe, examples
        As for `save_model`.

    Raises
    ------
    OutputExists
        The folder holds something.
    UsageError
        The model is of a kind that is not kept.
    """
    from safetensors.numpy import save

    check_folder(folder, "model")
    saved, arrays = to_numbers(model.fitted)
    description = Description(
        **asdict(purpose),
        **vars(recipe),
        bias=0.0,
        input_range=input_range(examples),
        files={},
        measured=SavedMeasured(views=model.views, fitted=saved),
    )
    content = {CARD: card(description).encode()}
    if arrays:
        content[WEIGHTS] = save({name: np.ascontiguousarray(a) for name, a in arrays.items()})
    return _write(folder, description, content)


def save_recalibrated(source: Path | None, folder: Path, changed: Description, note: str) -> Model:
    """Write a model folder anew, with the same network and another description.

    Its nearest cases, if it has any, stay behind: they are of another place.

    Parameters
    ----------
    source : Path or None
        The model folder; None: the demonstration model.
    folder : Path
        Must not exist, or be empty.
    changed : Description
        Of the new model.
    note : str
        Markdown to append to the card.

    Raises
    ------
    OutputExists
        The folder holds something.
    ModelNotFound, ModelCorrupt
        As `load` does.
    """
    check_folder(folder, "model")
    with _folder_of(source) as origin:
        content = _to_pass_on(origin)
    content[CARD] += f"\n{note.strip()}\n".encode()
    return _write(folder, changed, content)


def save_to_pass_on(source: Path, folder: Path) -> Model:
    """Copy a model folder for others: without its nearest cases.

    Parameters
    ----------
    source : Path
        The model folder.
    folder : Path
        Must not exist, or be empty.

    Raises
    ------
    OutputExists
        The folder holds something.
    ModelNotFound, ModelCorrupt
        As `load` does.
    """
    check_folder(folder, "model")
    return _write(folder, load(source).description, _to_pass_on(source))


def _to_pass_on(folder: Path) -> dict[str, bytes]:
    """Read the files of a whole model folder, but for what is known of single patients."""
    files = load(folder).description.files
    return {file: _read(folder / file) for file in files if file != CASES}


def _write(folder: Path, description: Description, content: dict[str, bytes]) -> Model:
    files = {file: hashlib.sha256(data).hexdigest() for file, data in content.items()}
    content[DESCRIPTION] = dump(description.model_copy(update={"files": files}))
    with new_folder(folder) as draft:
        for file, data in content.items():
            (draft / file).write_bytes(data)
    return load(folder)


def _folder_of(source: Path | None) -> AbstractContextManager[Path]:
    """Return a model's folder, or that of the demonstration model, which may lie in an archive."""
    if source is not None:
        return nullcontext(source)
    return resources.as_file(resources.files("hemocast") / "assets" / DEMO)


def load(folder: Path | str, *, threads: int | None = None) -> Model:
    """Read a model folder. Never touches the network, unpickles nothing, imports no torch.

    Parameters
    ----------
    folder : path
    threads : int, optional
        CPU threads for prediction; default: all this process may use.

    Raises
    ------
    ModelNotFound
        There is no model folder.
    ModelCorrupt
        A file is missing or differs from what was written, is no plain file, or holds something
        other than finite numbers.
    """
    folder = Path(folder)
    if not (folder / DESCRIPTION).is_file():
        raise ModelNotFound(
            f"There is no {DESCRIPTION} in the folder named as the model",
            "a model folder made by Hemocast",
            "Check the path, or leave the model out to use the demonstration model",
        )
    written = _read(folder / DESCRIPTION, LARGEST_DESCRIPTION)
    description = parse(written)
    if set(description.files) not in _files_of(description):
        raise corrupt(f"{DESCRIPTION} does not list the files a model has")
    content = {file: _read(folder / file) for file in description.files}
    for file, data in content.items():
        if hashlib.sha256(data).hexdigest() != description.files[file]:
            raise corrupt(f"{file} is not what its hash says")
    name = hashlib.sha256(written).hexdigest()
    arrays = _arrays(content[WEIGHTS]) if WEIGHTS in content else {}
    if says := description.measured:
        measured = MeasuredModel(says.views, from_numbers(says.fitted, arrays))
        return Model(description, name, measured=measured)
    weights = arrays.get("head.weight")
    if weights is None or weights.dtype.kind != "f":
        raise corrupt(f"{WEIGHTS} holds no weights of a known network")
    if not np.isfinite(weights).all():
        raise corrupt(f"{WEIGHTS} holds weights that are no numbers")
    head = weights.reshape(-1).astype(np.float32)
    joined = None
    if says := description.joined:
        joined = MeasuredModel(says.views, from_numbers(says.fitted, {}))
        if not joined.needs_record or joined.sees_scan or not joined.is_logistic:
            raise corrupt(f"{DESCRIPTION} joins something else than a clinical record")
    cases = TrainingCases.from_bytes(content[CASES], head.size) if CASES in content else None
    return Model(description, name, content[ONNX], head, None, joined, cases, threads)


def _saved(joined: MeasuredModel | None) -> SavedMeasured | None:
    """Write down what the record adds to a network's logit."""
    if joined is None:
        return None
    return SavedMeasured(views=joined.views, fitted=to_numbers(joined.fitted)[0])


def _files_of(description: Description) -> tuple[set[str], ...]:
    if description.measured:
        return {CARD}, {CARD, WEIGHTS}
    return {WEIGHTS, ONNX, CARD}, {WEIGHTS, ONNX, CARD, CASES}


def _arrays(content: bytes) -> dict[str, NDArray[np.generic]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as load_weights

    try:
        return dict(load_weights(content))
    except (SafetensorError, KeyError, ValueError) as error:
        raise corrupt(f"{WEIGHTS} holds no weights of a known network") from error


def load_network(folder: Path | None = None) -> Network:
    """Build a model's network in torch with its trained weights, for what needs gradients.

    Parameters
    ----------
    folder : Path, optional
        The model folder; default: the demonstration model.

    Returns
    -------
    Network
        In evaluation. Its code is Hemocast's or, for a network of somebody else's, that package's.

    Raises
    ------
    ModelNotFound, ModelCorrupt
        As `load` does, or the weights are not those of the network that ``model.yaml`` names.
    UsageError
        The model is one from measurements.
    MissingExtra, ConfigError
        Torch is not installed, or there is no such network.
    """
    from hemocast.nets import build

    with _folder_of(folder) as origin:
        says = load(origin).description
        if says.measured:
            raise UsageError(
                f"The model is {says.net.name}, from measurements, and no network",
                "a network, which alone has gradients",
                "Take a method without them (cam, occlusion), or another model",
            )
        content = _read(origin / WEIGHTS)
    net = build(says.net, says.prepare.frames, says.prepare.window)

    from safetensors.torch import load as load_tensors

    try:
        net.load_state_dict(load_tensors(content))
    except RuntimeError as error:
        raise corrupt(f"{WEIGHTS} holds the weights of another network") from error
    net.eval()
    return net


def load_default(*, threads: int | None = None) -> Model:
    """Load the demonstration model that comes with the package, trained on simulated scans.

    Raises
    ------
    ModelNotFound
        The package was installed without it.
    """
    with _folder_of(None) as folder:
        return load(folder, threads=threads)


def _read(path: Path, largest: int = LARGEST) -> bytes:
    """Read a plain file, or what a link to one leads to; a device or pipe may have no end."""
    try:
        # Opening a pipe nobody writes to waits for ever, unless told not to.
        with open(os.open(path, os.O_RDONLY | _PLAINLY), "rb") as file:  # noqa: PTH123
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise corrupt(f"{path.name} is no plain file")
            content = file.read(largest + 1)
    except OSError as error:
        raise corrupt(f"{path.name} could not be read") from error
    if len(content) > largest:
        raise corrupt(f"{path.name} is larger than any model's")
    return content
