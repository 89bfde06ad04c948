"""The models from measurements by name: what each is told of a patient, and how it learns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hemocast.classical.additive import learn_curves
from hemocast.classical.boosting import learn_boosting
from hemocast.classical.images import Frames, histograms_of, voxels_of
from hemocast.classical.kernel import learn_kernel
from hemocast.classical.late import learn_late
from hemocast.classical.learning import Fit
from hemocast.classical.logistic import learn_firth, learn_ridge
from hemocast.classical.measurements import Measurements
from hemocast.classical.network import learn_network
from hemocast.classical.svm import learn_svm
from hemocast.config import AUTO, Config
from hemocast.errors import ConfigError, NoMap, NoRecord, NoSigns

View = Literal["histogram", "voxels", "map", "signs", "record", "nihss"]
"""A part of what is told: of the scan, its co-registered map, its signs, or the record."""

_OF_SCAN: Mapping[View, Callable[[Iterable[Frames]], Measurements]] = {
    "histogram": histograms_of,
    "voxels": voxels_of,
}
_OF_RECORD = ("record", "nihss")


@dataclass(frozen=True)
class MeasuredRecipe:
    """How a model from measurements is made.

    Parameters
    ----------
    name : str
        As ``net.name`` of the settings.
    title : str
        In tables.
    views : tuple of str
        What it is told, in this order.
    fit : Fit
        How it learns.
    """

    name: str
    title: str
    views: tuple[View, ...]
    fit: Fit


RECIPES = {
    one.name: one
    for one in (
        MeasuredRecipe(
            "histogram-ridge", "histogram + asymmetry, ridge", ("histogram",), learn_ridge
        ),
        MeasuredRecipe("voxels-svm", "voxels + NIHSS, SVM", ("voxels", "nihss"), learn_svm),
        MeasuredRecipe("kernel-regression", "voxels, kernel regression", ("voxels",), learn_kernel),
        MeasuredRecipe(
            "perfusion-regression",
            "voxels + map, kernel regression",
            ("voxels", "map"),
            learn_kernel,
        ),
        MeasuredRecipe("clinical-ridge", "clinical record, ridge", ("record",), learn_ridge),
        MeasuredRecipe("clinical-firth", "clinical record, Firth", ("record",), learn_firth),
        MeasuredRecipe(
            "clinical-boosting", "clinical record, boosting", ("record",), learn_boosting
        ),
        MeasuredRecipe(
            "clinical-additive", "clinical record, additive boosting", ("record",), learn_curves
        ),
        MeasuredRecipe(
            "clinical-network", "clinical record, small network", ("record",), learn_network
        ),
        MeasuredRecipe("signs-additive", "signs, additive boosting", ("signs",), learn_curves),
        MeasuredRecipe(
            "signs-clinical-additive",
            "signs + clinical record, additive boosting",
            ("signs", "record"),
            learn_curves,
        ),
        MeasuredRecipe(
            "late-fusion",
            "fusion of record and histogram",
            ("histogram", "record"),
            learn_late(learn_ridge, learn_ridge),
        ),
        MeasuredRecipe(
            "perfusion-fusion",
            "fusion of record and map",
            ("voxels", "map", "record"),
            learn_late(learn_kernel, learn_ridge),
        ),
    )
}
"""By name, in the order of the benchmark's table."""


def needs_record(views: tuple[View, ...]) -> bool:
    """Tell whether a model is told anything of the clinical record."""
    return any(view in _OF_RECORD for view in views)


def needs_map(views: tuple[View, ...]) -> bool:
    """Tell whether a model is told anything of a co-registered map."""
    return "map" in views


def needs_signs(views: tuple[View, ...]) -> bool:
    """Tell whether a model is told anything of the signs measured on the scan."""
    return "signs" in views


def sees_scan(views: tuple[View, ...]) -> bool:
    """Tell whether a model is told anything of the scan."""
    return any(view in _OF_SCAN for view in views)


def measure(
    views: tuple[View, ...],
    stacks: Callable[[], Iterable[Frames]],
    record: Measurements | None,
    maps: Measurements | None = None,
    signs: Measurements | None = None,
) -> Measurements:
    """Put together what a model is told.

    Parameters
    ----------
    views : tuple of str
    stacks : callable
        Gives the frames of the scans, one at a time; called once for each view of the scan.
    record : Measurements or None
        The clinical record of every scan's patient, a row a scan; None is enough where no view is
        of it.
    maps : Measurements or None
        The co-registered map of every scan; see `hemocast.classical.images.maps_of`.
    signs : Measurements or None
        The signs of every scan; see `hemocast.classical.signs`.

    Raises
    ------
    NoRecord, NoMap, NoSigns
        A view is of the record, of the map, or of the signs, and there is none.
    """
    if signs is None and needs_signs(views):
        raise NoSigns(
            "The model needs signs measured on the scan, and none were given",
            "signs, as 'hemocast predict' measures them",
            "Take 'hemocast predict', or a model that sees the scan itself",
        )
    if maps is None and needs_map(views):
        raise NoMap(
            "The model needs a map on the scan's grid, and none was given with the scan",
            "a co-registered map, of perfusion say",
            "Name it with --map, or take a model that sees the scan alone",
        )
    if record is None and needs_record(views):
        raise NoRecord(
            "The model needs clinical values, and none were given with the scan",
            "the patient's record",
            "Name the table with --clinical, or take a model that sees the scan alone",
        )
    parts = []
    for view in views:
        if view in _OF_SCAN:
            parts.append(_OF_SCAN[view](stacks()))
            continue
        if view in ("map", "signs"):
            given = maps if view == "map" else signs
            assert given is not None  # noqa: S101 - or it was refused
            parts.append(given)
            continue
        assert record is not None  # noqa: S101 - or it was refused
        if view == "nihss":
            (at,) = (i for i, one in enumerate(record.variables) if one.name == "nihss")
            parts.append(Measurements(record.variables[at : at + 1], record.values[:, at : at + 1]))
        else:
            parts.append(record)
    if len(parts) == 1:
        return parts[0]
    variables = tuple(one for part in parts for one in part.variables)
    return Measurements(variables, np.hstack([part.values for part in parts]))


def refuse_settings(config: Config) -> None:
    """Refuse to tell a model of the record besides, or to take site effects out of pixels.

    Raises
    ------
    ConfigError
        ``train.record`` is set for a model from measurements, whose name says what it is told;
        or ``train.harmonise``, and the model has neither findings of an encoder nor signs.
    """
    recipe, train = RECIPES.get(config.net.name), config.train
    if train.record and recipe is not None and train.encoder is None:
        raise ConfigError(
            f"Clinical values are to be told beside the scan, and {config.net.name} is a model "
            "from measurements, whose name says what it is told",
            "a network; of these models clinical-ridge, late-fusion and others are told of them",
            "Leave --record out, or name one of these",
        )
    signs = recipe is not None and needs_signs(recipe.views)
    if train.harmonise and not signs and train.encoder in (None, AUTO):
        raise ConfigError(
            f"Site effects are to be taken out of what {config.net.name} learns from, pixels",
            "findings of an encoder, or signs",
            "Give --encoder own, or leave --harmonise out",
        )
