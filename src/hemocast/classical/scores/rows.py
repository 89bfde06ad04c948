"""Results as rows: a table for people and programs, JSON with every item, and predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hemocast.classical.scores.apply import Result
from hemocast.classical.scores.definition import Score
from hemocast.classical.scores.patients import PERSON, SCAN, Patient
from hemocast.version import VERSION

COLUMNS = (
    PERSON, SCAN, "score", "predicts", "points", "points_low", "points_high", "risk", "risk_low",
    "risk_high", "risk_of", "horizon", "population", "risk_source", "risk_n", "unconfirmed",
    "missing", "measured", "overruled", "warnings", "notes",
)  # fmt: skip
"""Of the table of scores; columns that the user brought follow."""
AS_PREDICTIONS = (PERSON, SCAN, "model", "probability", "status", "message")
"""Of the tables that ``hemocast evaluate`` takes; columns that the user brought follow."""


@dataclass(frozen=True)
class Scored:
    """A patient and the results of all scores."""

    patient: Patient
    results: tuple[Result, ...]


def score_rows(scored: Iterable[Scored]) -> Iterator[Mapping[str, object]]:
    """Give one row per patient and score; fractions in [0, 1], several words joined by ``;``."""
    for one in scored:
        for result in one.results:
            codes = tuple(dict.fromkeys(note.code for note in result.notes))
            unconfirmed = (
                code.removeprefix("unconfirmed_") for code in codes if "unconfirmed" in code
            )
            risk = result.risk
            yield {
                **_of(one.patient),
                **_points(result),
                **_risk(result),
                "predicts": result.score.predicts,
                "horizon": result.score.horizon,
                "population": result.score.population,
                "risk_source": risk and risk.source,
                "risk_n": risk and risk.n,
                "unconfirmed": ";".join(unconfirmed),
                "missing": ";".join(result.missing),
                "measured": ";".join(result.measured),
                "overruled": ";".join(result.overruled),
                "warnings": ";".join(codes),
                "notes": "; ".join(note.text for note in result.notes),
            }


def _of(patient: Patient) -> dict[str, object]:
    """Columns of the patient; a patient without a scan's name is its own scan."""
    names = {PERSON: patient.participant_id, SCAN: patient.scan_id or patient.participant_id}
    return {**patient.others, **names}


def score_json(scored: Iterable[Scored], scores: Iterable[Score]) -> dict[str, Any]:
    """Give everything: what each score is for, and every item, risk and note of every patient."""
    kept = {"name", "title", "predicts", "outcome", "horizon", "population", "range", "sources"}
    return {
        "schema_version": 1,
        "software": f"hemocast {VERSION}",
        "scores": {score.name: score.model_dump(mode="json", include=kept) for score in scores},
        "patients": [
            {
                PERSON: one.patient.participant_id,
                SCAN: one.patient.scan_id or one.patient.participant_id,
                "results": [_plain(result) for result in one.results],
            }
            for one in scored
        ],
    }


def result_json(result: Result) -> dict[str, Any]:
    """Give one result with whom the score is for, under the names of the table's columns."""
    return {
        **_points(result),
        **_risk(result),
        "population": result.score.population,
        "missing": list(result.missing),
        "measured": list(result.measured),
        "warnings": list(dict.fromkeys(note.code for note in result.notes)),
    }


def _points(result: Result) -> dict[str, Any]:
    return {
        "score": result.score.name,
        "points": result.points,
        "points_low": result.low,
        "points_high": result.high,
    }


def _risk(result: Result) -> dict[str, Any]:
    risk = result.risk
    return {
        "risk": risk and risk.value,
        "risk_low": risk and risk.low,
        "risk_high": risk and risk.high,
        "risk_of": risk.outcome if risk else result.score.outcome,
    }


def _plain(result: Result) -> dict[str, Any]:
    return {
        **_points(result),
        "items": [asdict(item) for item in result.items],
        "risks": [asdict(risk) for risk in result.risks],
        "missing": list(result.missing),
        "measured": list(result.measured),
        "overruled": list(result.overruled),
        "notes": [asdict(note) for note in result.notes],
    }


def risks_as_predictions(scored: Iterable[Scored]) -> Iterator[Mapping[str, object]]:
    """Give the published risks as predictions, of scores for bleeding; refused where none is."""
    for one in scored:
        for result in one.results:
            if result.score.predicts == "bleeding":
                value = result.risk.value if result.risk else None
                why = "no published risk" if result.points is not None else "an item is missing"
                yield _prediction(one.patient, result.score.name, value, why)


def points_as_predictions(scored: Iterable[Scored]) -> Iterator[Mapping[str, object]]:
    """Give the points as a share of the score's range: they order patients and are no risks."""
    for one in scored:
        for result in one.results:
            fewest, most = result.score.range
            points = result.points
            value = None if points is None else (points - fewest) / (most - fewest)
            yield _prediction(
                one.patient, f"{result.score.name} (points)", value, "an item is missing"
            )


def _prediction(
    patient: Patient, model: str, value: float | None, why: str
) -> Mapping[str, object]:
    told = {"status": "predicted"} if value is not None else {"status": "refused", "message": why}
    return {**_of(patient), "model": model, "probability": value, **told}
