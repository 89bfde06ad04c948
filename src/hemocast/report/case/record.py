"""``prediction.json``: one prediction for other programs.

Its fields: docs/reference/prediction-schema.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from hemocast.classical.scores.rows import result_json
from hemocast.model.prediction import HEATMAP_UNIT
from hemocast.report.words import INTERVAL_KIND, stamp

if TYPE_CHECKING:
    from hemocast.classical.scores import Result
    from hemocast.model.prediction import Prediction
    from hemocast.signs.regions import EvidencePlaces

SCHEMA_VERSION = 4


def prediction_json(
    prediction: Prediction,
    scan_id: str | None = None,
    places: EvidencePlaces | None = None,
    scores: Sequence[Result] = (),
) -> dict[str, object]:
    """Return the content of ``prediction.json``, ready for `json.dumps`.

    Parameters
    ----------
    prediction : Prediction
        What the model answered.
    scan_id : str, optional
        A name for the scan other than the prediction's own (a dataset's, say).
    places : EvidencePlaces, optional
        In which regions of the brain the evidence lies.
    scores : sequence of Result
        Published scores of the patient.

    Returns
    -------
    dict
        As in ``prediction.schema.json``; holds no PHI.
    """
    low, high = prediction.probability_interval
    record = prediction.stack.record
    sets, labels = prediction.label_sets, prediction.label_set
    return {
        "schema_version": SCHEMA_VERSION,
        "scan_id": scan_id or prediction.scan_id,
        "probability": float(prediction.probability),
        "probability_interval": [float(low), float(high)],
        "interval_kind": INTERVAL_KIND,
        "label_set": None if sets is None else {"labels": list(labels or ()), "level": sets.level},
        "threshold": float(prediction.threshold),
        "prevalence": prediction.prevalence,
        "horizon": prediction.horizon,
        "population": prediction.population,
        "flags": list(prediction.flags),
        "model": {
            "name": prediction.model_name,
            "version": prediction.model_version,
            "hash": prediction.model_hash,
        },
        "simulated_training_data": bool(prediction.simulated_training_data),
        "logit": float(prediction.logit),
        "heatmap_kind": prediction.heatmap_kind,
        "heatmap_unit": HEATMAP_UNIT,
        "evidence": None if places is None else [asdict(one) for one in places.regions],
        "scores": [result_json(one) for one in scores],
        "input_hash": record.input_hash,
        "preparation_hash": record.settings_hash,
        "notice": stamp(prediction.notice),
    }
