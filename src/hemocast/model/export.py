"""Trained network -> ONNX bytes, proved to compute the same. The only part that needs torch."""

from __future__ import annotations

import copy
import io
import logging
import warnings
from typing import TYPE_CHECKING, cast

import numpy as np

from hemocast.errors import ParityError
from hemocast.onnx import Session
from hemocast.volume import FloatArray

if TYPE_CHECKING:
    from torch import Tensor, nn

    from hemocast.config import NetConfig, PrepareConfig
    from hemocast.nets import Network

TOLERANCE = 1e-4
"""Largest accepted difference of a logit between torch and ONNX Runtime."""


def to_onnx(
    net: Network, examples: FloatArray, settings: tuple[NetConfig, PrepareConfig] | None = None
) -> bytes:
    """Export a network to one self-contained ONNX file and check it.

    Parameters
    ----------
    net : Network
    examples : ndarray of float32, shape (n, frames, H, W)
        Real inputs to compare on; batches of 1, 2 and all of them are run.
    settings : tuple of NetConfig and PrepareConfig, optional
        What it was built from. The next network of the same settings in this process, such as
        that of another seed, takes over its graph: drawing it is four fifths of the work, and
        weights change nothing in it.

    Returns
    -------
    bytes
        Input ``frames`` (batch, frames, H, W); outputs ``logit`` (batch,) and ``maps``. No external
        data, and none of the notes the exporter makes about the machine it ran on.

    Raises
    ------
    ParityError
        A logit or a map differs by more than 1e-4 (relative to the map's largest value).
    """
    import torch

    net.eval()
    steady, shape = with_steady_norms(net), examples.shape[1:]

    def drawn() -> bytes:
        batch = ({0: torch.export.Dim("batch", min=1)},)
        return _drawn(steady, torch.zeros((2, *shape)), batch, (["frames"], ["logit", "maps"]))

    # A class of the user's own may be another one by now.
    if settings is None or ":" in settings[0].name:
        content = _finished(drawn(), steady)
    else:
        # Whoever put a layer of theirs into a built network has its settings still, and its layers.
        key = (*(one.hash() for one in settings), *shape, repr(steady))
        if key not in _GRAPHS:
            _GRAPHS.clear()
            _GRAPHS[key] = drawn()
        content = _finished(_GRAPHS[key], steady)
    check_parity(net, content, examples)
    return content


_GRAPHS: dict[tuple[str | int, ...], bytes] = {}
"""The last graph drawn, by its network's settings, the frames it takes and its layers."""


def check_parity(net: Network, content: bytes, examples: FloatArray) -> float:
    """Compare torch and ONNX Runtime; return the largest difference of a logit.

    Raises
    ------
    ParityError
        See `to_onnx`.
    """
    import torch

    session = Session(content, threads=1)
    worst = 0.0
    for size in sorted({1, min(2, len(examples)), len(examples)}):
        batch = examples[-size:]
        with torch.inference_mode():
            logit, maps = (output.numpy() for output in net(torch.from_numpy(batch)))
        exported_logit, exported_maps = session.run(batch)
        scale = max(1.0, float(np.abs(maps).max()))
        off = max(
            float(np.abs(logit - exported_logit).max()),
            float(np.abs(maps - exported_maps).max()) / scale,
        )
        worst = max(worst, off)
        if not off <= TOLERANCE:  # also catches NaN
            raise ParityError(
                f"The exported network differs from the trained one by {off:.2g} at batch {size}",
                f"at most {TOLERANCE:g}",
                "Report this with the versions of torch and onnxruntime; the model was not saved",
            )
    return worst


def with_steady_norms(net: Network | nn.Module) -> nn.Module:
    """Copy a network with its group normalisations spelled out as means of means.

    The exporter turns them into InstanceNormalization, which ONNX Runtime sums in one go in single
    precision: over 200,000 values that alone moved logits by 1e-4. Means of short rows, then of
    their means, keep the difference below 1e-6.
    """
    import torch
    from torch import nn

    class SteadyNorm(nn.Module):
        def __init__(self, norm: nn.GroupNorm) -> None:
            super().__init__()
            self.norm = norm

        def forward(self, x: Tensor) -> Tensor:
            rows = x.reshape(x.shape[0], self.norm.num_groups, -1, *x.shape[-2:])
            centred = rows - self.mean(rows)
            spread = torch.sqrt(self.mean(centred * centred) + self.norm.eps)
            each = (1, -1, *[1] * (x.dim() - 2))
            whole = (centred / spread).reshape(x.shape)
            return whole * self.norm.weight.view(each) + self.norm.bias.view(each)

        @staticmethod
        def mean(rows: Tensor) -> Tensor:
            return rows.mean(4, keepdim=True).mean(3, keepdim=True).mean(2, keepdim=True)

    steady = cast("nn.Module", copy.deepcopy(net))
    for parent in list(steady.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.GroupNorm):
                setattr(parent, name, SteadyNorm(child))
    return steady


def exported(
    net: nn.Module, example: Tensor, shapes: tuple[object, ...], names: tuple[list[str], list[str]]
) -> bytes:
    """Write a network as one self-contained ONNX file, without notes of the machine it ran on.

    Parameters
    ----------
    net : nn.Module
        In evaluation.
    example : Tensor
        An input.
    shapes : tuple
        ``dynamic_shapes`` of ``torch.onnx.export``: which lengths may differ from the example's.
    names : tuple of list of str
        Of its inputs and outputs.
    """
    return _finished(_drawn(net, example, shapes, names), net)


def _drawn(
    net: nn.Module, example: Tensor, shapes: tuple[object, ...], names: tuple[list[str], list[str]]
) -> bytes:
    """Draw a network's graph as it is, its weights by their own names; see `exported`."""
    import torch

    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                net,
                (example,),
                dynamo=True,
                dynamic_shapes=shapes,
                input_names=names[0],
                output_names=names[1],
                verbose=False,
                optimize=False,
            )
    finally:
        logger.setLevel(level)
    assert program is not None  # noqa: S101 - only the legacy exporter returns None
    buffer = io.BytesIO()
    program.save(buffer, external_data=False)  # type: ignore[arg-type]
    return buffer.getvalue()


def _finished(graph: bytes, net: nn.Module) -> bytes:
    """Put a network's weights into its graph, fold what never changes, and remove notes.

    The exporter writes paths of the machine into every node.
    """
    import onnx
    from onnx import numpy_helper
    from onnxscript import ir, optimizer
    from onnxscript.ir.passes import common

    whole = onnx.load_model_from_string(graph)
    weights = dict(net.named_parameters()) | dict(net.named_buffers())
    for tensor in whole.graph.initializer:
        if tensor.name in weights:
            values = weights[tensor.name].detach().cpu().numpy()
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    simple = ir.serde.deserialize_model(whole)
    # What can be simplified is looked for at every node, and two of three are constants.
    optimizer.fold_constants(simple)
    common.RemoveUnusedNodesPass()(simple)
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(simple)
    optimizer.optimize_ir(simple, num_iterations=1)
    model = ir.serde.serialize_model(simple)
    model.doc_string = ""
    model.graph.doc_string = ""
    del model.metadata_props[:], model.graph.metadata_props[:]
    for part in (*model.graph.node, *model.graph.input, *model.graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
    for part in (*model.graph.value_info, *model.graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
