"""The last layer of a pre-trained network, fitted to an outcome; all else stays as it was.

Few numbers are fitted (one for each finding), so that tens of patients suffice, and an out-of-fold
logit of every patient costs nothing more: calibration uses these, and no patient has to be set
apart to pick an epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from hemocast.classical.design import Design, learn_design
from hemocast.classical.harmonise import Combat
from hemocast.classical.logistic import FittedLogistic
from hemocast.classical.measured import MeasuredModel
from hemocast.classical.measurements import Measurements
from hemocast.config import Config
from hemocast.dataset.split.schemes import split_folds
from hemocast.errors import ConfigError
from hemocast.nets import build
from hemocast.train.data import StackTable, seed_of
from hemocast.train.pretrain.encoder import Encoder, read_about, read_encoder
from hemocast.train.stack_dataset import StackDataset
from hemocast.train.state import Fitted

FOLDS = 5
RIDGE = 10.0
"""Weight of the squared slopes of findings with a spread of 1, worth some 40 patients; ours. The
findings of an infarct say nearly the same: with few labels chance deals out their slopes. From 474
patients on it makes no difference (docs/lab/models.md)."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A logit that is linear in the findings.

    Parameters
    ----------
    weight : ndarray, shape (len(FINDINGS),)
    bias : float
    """

    weight: Floats
    bias: float

    @classmethod
    def fitted(cls, findings: Floats, label: NDArray[np.int64], weight: Floats) -> Line:
        """Fit by maximum likelihood, squared slopes held down, on findings with a spread of 1.

        Parameters
        ----------
        findings : ndarray, shape (n, len(FINDINGS))
        label : ndarray of int, shape (n,)
        weight : ndarray, shape (n,)
            Of each scan; those of a patient sum to 1.
        """
        middle = np.average(findings, axis=0, weights=weight)
        spread = findings.std(axis=0) + 1e-6
        design = np.column_stack([(findings - middle) / spread, np.ones(len(findings))])

        def loss(beta: Floats) -> tuple[float, Floats]:
            eta = design @ beta
            slopes = np.append(beta[:-1], 0.0)
            error = np.logaddexp(0, eta) - label * eta
            gradient = design.T @ (weight * (expit(eta) - label)) + RIDGE * slopes
            return float(weight @ error + RIDGE / 2 * slopes @ slopes), np.asarray(gradient)

        beta = minimize(loss, np.zeros(design.shape[1]), jac=True, tol=1e-10).x
        slopes = beta[:-1] / spread
        return cls(slopes, float(beta[-1] - slopes @ middle))

    def logit(self, findings: Floats) -> Floats:
        """Return the logit of every scan."""
        return np.asarray(findings @ self.weight + self.bias)


def fit_head(data: StackTable, config: Config) -> Fitted:
    """Fit the last layer of the encoder that ``config.train.encoder`` names.

    With ``config.train.harmonise`` site effects are taken out of the findings of the scans that are
    learned from, anew in every fold; the network itself stays, and whoever it is asked about later
    enters with the findings as they are.

    With ``config.train.record`` the patients' clinical values, by curves and with columns that say
    "missing", are inputs of the last layer beside the findings, and all weights are fitted
    together.

    Parameters
    ----------
    data : StackTable
        Scans of the training and validation patients.
    config : Config
        ``config.net`` must be the encoder's.

    Returns
    -------
    Fitted
        Its validation part is all of `data`, with the logit of a last layer that was fitted
        without the scan's patient (`FOLDS` folds by patient).

    Raises
    ------
    ModelNotFound, ModelCorrupt, ConfigError
        There is no such encoder, or it is of another network than the settings name.
    TooFewPatients
        A fold would have no patient of a class.
    """
    labels = data.patient_labels()
    folds = split_folds(labels, FOLDS, seed_of(config.train.seed, 7))
    encoder = encoder_network(config)
    findings = findings_of(encoder, data, config.train.batch_size)
    record = data.record() if config.train.record else None
    label, weight = np.array(data.label), data.patient_weights().astype(np.float64)
    logit = np.empty(len(data), np.float32)
    people = np.array(data.participant_id)
    sites = data.sites() if config.train.harmonise else None
    for fold in folds:
        held = np.isin(people, list(fold.parts["test"]))
        found = _without_sites(findings, sites, ~held)
        design = None if record is None else learn_design(record.part(~held))
        inputs = _beside(found, design, record)
        line = Line.fitted(inputs[~held], label[~held], weight[~held])
        logit[held] = line.logit(inputs[held])
    design = None if record is None else learn_design(record)
    found = _without_sites(findings, sites, np.full(len(data), True))
    line = Line.fitted(_beside(found, design, record), label, weight)
    own = line.weight[: findings.shape[1]]
    encoder.predict_by(own, line.bias)
    joined = None
    if design is not None:
        beside = FittedLogistic(design, 0.0, line.weight[findings.shape[1] :])
        joined = MeasuredModel(("record",), beside)
    return Fitted(
        config=config,
        net=encoder.net,
        best_epoch=0,
        history=(),
        train=data.of(()),
        validation=data,
        validation_logit=logit,
        data_hash=data.content_hash(record),
        prevalence=sum(labels.values()) / len(labels),
        joined=joined,
    )


def _without_sites(
    findings: Floats, sites: tuple[str, ...] | None, learned: NDArray[np.bool_]
) -> Floats:
    """Take site effects, learned of some scans, out of these; the others stay as they are."""
    if sites is None:
        return findings
    where, found = np.array(sites), findings.copy()
    effects = Combat.learned(findings[learned], where[learned].tolist())
    found[learned] = effects.adjusted(findings[learned], where[learned].tolist())
    return found


def _beside(findings: Floats, design: Design | None, record: Measurements | None) -> Floats:
    """Put the record's columns, gaps filled by the rule for predicting, beside the findings."""
    if design is None or record is None:
        return findings
    return np.hstack([findings, design.columns(record)])


def encoder_network(config: Config) -> Encoder:
    """Build the network of the settings with its encoder's weights, in evaluation mode.

    Raises
    ------
    ModelNotFound, ModelCorrupt, ConfigError
        See `fit_head`.
    """
    folder = Path(str(config.train.encoder))
    if read_about(folder).net != config.net:
        raise ConfigError(
            f"The settings under net, of {config.net.name!r}, are not those that the encoder of "
            "train.encoder was pre-trained with",
            "the encoder's, as its encoder.json tells them",
            "Give --encoder, which sets both, or leave train.encoder out",
        )
    encoder = read_encoder(folder, build(config.net, config.prepare.frames, config.prepare.window))
    encoder.net.eval()
    return encoder


def findings_of(encoder: Encoder, data: StackTable, batch_size: int = 8) -> Floats:
    """Return the findings of every scan, (n, len(FINDINGS)), in float32's numbers."""
    stacks, found = StackDataset(data), []
    with torch.inference_mode():
        for start in range(0, len(data), batch_size):
            frames = stacks.frames(list(range(start, min(start + batch_size, len(data)))))
            found.append(encoder.findings(frames).numpy())
    return np.concatenate(found).astype(np.float64)


def with_encoder(config: Config, folder: Path) -> Config:
    """Return the settings of a training that starts from an encoder.

    Raises
    ------
    ModelNotFound, ModelCorrupt
        There is none.
    """
    train = config.train.model_copy(update={"encoder": str(folder)})
    return config.model_copy(update={"net": read_about(folder).net, "train": train})


def patient_findings(data: StackTable, findings: Floats) -> Mapping[str, Floats]:
    """Return each patient's findings: the mean over all scans, one bag.

    Parameters
    ----------
    data : StackTable
    findings : ndarray, shape (n, len(FINDINGS))
    """
    people = np.array(data.participant_id)
    return {one: findings[people == one].mean(axis=0) for one in data.participants}
