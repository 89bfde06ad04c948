from __future__ import annotations

import numpy as np
import pytest

from hemocast.model import Purpose
from hemocast.train import fit, pack
from hemocast.volume import from_levels


def test_a_fitted_network_becomes_a_model_that_computes_the_same(table, stacks, config, tmp_path):
    fitted = fit(table, config, tmp_path / "run")
    model = pack(
        fitted,
        config,
        tmp_path / "model",
        Purpose("tiny", "HT", "nobody", simulated_training_data=True),
        stacks,
    )
    held = table.of(fitted.validation.participants)
    frames = from_levels(held.open()[list(held.rows)])
    np.testing.assert_allclose(model.logits(frames), fitted.validation_logit, atol=1e-4)
    says = model.description
    assert says.training.data_hash == table.content_hash()
    assert (says.training.n_patients, says.training.n_scans) == (24, 28)
    assert says.training.prevalence == 0.5
    assert says.calibration.n_patients == len(fitted.validation.participants)
    assert says.calibration.n_scans == len(fitted.validation)
    patients = table.patient_labels()
    positive = np.mean([patients[p] for p in fitted.validation.participants])
    assert says.calibration.threshold == pytest.approx(positive)
