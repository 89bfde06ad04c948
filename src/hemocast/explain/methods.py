"""The methods by name, and one way to ask for any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemocast.errors import UsageError
from hemocast.explain import gradients
from hemocast.explain.occlusion import occlusion
from hemocast.model.heatmap import per_cm3
from hemocast.nets import MapGrid
from hemocast.volume import FloatArray, Stack

if TYPE_CHECKING:
    from hemocast.model import Model
    from hemocast.nets import Network


@dataclass(frozen=True)
class Method:
    """A way to make a heatmap.

    Parameters
    ----------
    words : str
        What the map is, for a page.
    by_gradients : callable or None
        Network and stack to map, where torch is needed.
    """

    words: str
    by_gradients: Callable[[Network, Stack], FloatArray] | None = None


# Measured on 200 simulated scans with HT (docs/lab/heatmaps.md).
_ON_THE_HEALTHY_SIDE = "of a network that compares the two sides it often marks the healthy one"

METHODS = {
    "cam": Method("the model's own map: its sum is the log-odds, less a constant"),
    "occlusion": Method(
        f"how far the logit falls where a block of brain is made even grey; {_ON_THE_HEALTHY_SIDE}"
    ),
    "grad-cam": Method("feature maps weighed by their mean gradient", gradients.grad_cam),
    "grad-cam++": Method("feature maps weighed place by place", gradients.grad_cam_plus_plus),
    "integrated-gradients": Method(
        f"gradients summed from an even grey head; {_ON_THE_HEALTHY_SIDE}",
        gradients.integrated_gradients,
    ),
}


def method_of(name: str) -> Method:
    """Return the method of a name.

    Raises
    ------
    UsageError
        There is none.
    """
    if name not in METHODS:
        raise UsageError(
            f"There is no method {name!r}", ", ".join(METHODS), "Name one of these methods"
        )
    return METHODS[name]


def explain(
    model: Model, stack: Stack, method: str = "cam", network: Network | None = None
) -> FloatArray:
    """Say where in a stack a model's answer comes from.

    Parameters
    ----------
    model : Model
    stack : Stack
        Made with the model's ``description.prepare``.
    method : str
        One of `METHODS`.
    network : Network, optional
        As `hemocast.model.load_network` gives it, for methods by gradients.

    Returns
    -------
    ndarray of float32, shape (28, H, W)
        On the stack's grid, log-odds per cm3 as every heatmap, 0 outside the brain;
        `hemocast.model.heatmap.on_scan` carries it to the scan. The same stack gives the same map:
        nothing is drawn at random.

    Raises
    ------
    UsageError
        There is no such method, or it needs the network.
    """
    by_gradients = method_of(method).by_gradients
    if method == "cam":
        return model.predict_stack(stack, scan_id="stack").heatmap
    if method == "occlusion":
        values = occlusion(model.logits, stack)
    elif by_gradients is None or network is None:
        raise UsageError(
            f"The method {method} needs the network itself",
            "network=hemocast.model.load_network(folder)",
            "Give it, or take a method without gradients: cam, occlusion",
        )
    else:
        values = by_gradients(network, stack)
    shape = values.shape
    return per_cm3(values, stack, MapGrid.even(shape, shape), model.description.calibration.slope)
