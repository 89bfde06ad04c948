"""Whether to start from the encoder that comes along: patients held out decide, not we."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from hemocast.config import Config
from hemocast.train.packing import calibration_of
from hemocast.train.pretrain.encoder import OWN
from hemocast.train.pretrain.head import with_encoder
from hemocast.train.state import Compared, Fitted


def candidates(config: Config) -> tuple[Config, Config]:
    """Return the settings of both: of the network of ``config.net``, and of the encoder `OWN`."""
    train = config.train.model_copy(update={"encoder": None})
    plain = config.model_copy(update={"train": train})
    return plain, with_encoder(plain, OWN)


def choose(fit: Callable[[Config], Fitted], config: Config) -> Fitted:
    """Fit the network of ``config.net`` and the encoder's last layer; keep the better.

    The lower log loss decides, every patient counting once, over the patients for whom both have
    logits by something that had not seen them: the inner validation part, at least. Each is
    calibrated first, as it would be in use. Of equals the plain network stays: it assumes less.

    Parameters
    ----------
    fit : callable
        Fits by the settings it is given.
    config : Config
        With ``train.encoder`` ``auto``.

    Returns
    -------
    Fitted
        With `Compared`.

    Raises
    ------
    ConfigError
        The encoder cannot see what ``config.prepare`` makes.
    """
    both = [fit(one) for one in candidates(config)]
    shared = sorted(set.intersection(*(set(one.validation.participants) for one in both)))
    losses = [_loss(fitted, shared) for fitted in both]
    better = int(losses[1] < losses[0])
    compared = Compared(
        other=both[1 - better].config.net.name,
        loss=losses[better],
        loss_other=losses[1 - better],
        n_patients=len(shared),
    )
    return replace(both[better], compared=compared)


def _loss(fitted: Fitted, patients: Sequence[str]) -> float:
    """Return the log loss of calibrated probabilities on some patients of the validation part."""
    held = fitted.validation
    kept = np.isin(np.array(held.participant_id), patients)
    calibration = calibration_of(fitted)
    probability = np.array([calibration.probability(float(one)) for one in fitted.validation_logit])
    likelihood = np.where(np.array(held.label) == 1, probability, 1 - probability)
    loss = -np.log(np.clip(likelihood, 1e-12, None))
    return float(np.average(loss[kept], weights=held.patient_weights()[kept]))
