"""FHIR that a validator takes, that is there once however often it is sent, and escapes."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from pydicom import Dataset

from hemocast.deliver import Result
from hemocast.deliver.fhir import make_bundle

HOSTILE = "<script>alert(1)</script>&\"'|^~\\\n"


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [
        entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind
    ]


@pytest.mark.parametrize("which", ["result", "refused"])
@pytest.mark.parametrize(
    ("release", "package"), [("R4", "fhir.resources.R4B"), ("R5", "fhir.resources")]
)
def test_a_bundle_is_valid(
    which: str, release: str, package: str, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("fhir.resources", reason="fhir.resources is not installed")
    bundle = make_bundle(request.getfixturevalue(which), release)
    import_module(f"{package}.bundle").Bundle.model_validate_json(json.dumps(bundle))
    assert bool(resources(bundle, "ImagingSelection")) == (release == "R5" and which == "result")


def test_the_report_holds_risk_interval_and_references(
    result: Result, headers: tuple[Dataset, ...]
) -> None:
    bundle = make_bundle(result)
    (report,) = resources(bundle, "DiagnosticReport")
    observations = {
        one["code"]["coding"][0]["code"]: one for one in resources(bundle, "Observation")
    }
    risk = observations["HT-RISK"]
    assert risk["valueQuantity"] == {
        "value": 37.0, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%",
    }  # fmt: skip
    ends = [one["valueQuantity"]["value"] for one in risk["component"]]
    assert ends == [21, 56]
    assert observations["118565006"]["code"]["coding"][0]["system"] == "http://snomed.info/sct"
    assert report["subject"]["identifier"]["value"] == headers[0].PatientID
    assert report["subject"]["identifier"]["assigner"]["display"] == "KH NORD"
    assert report["basedOn"][0]["identifier"]["value"] == "ACC|17^3"
    assert report["imagingStudy"][0]["identifier"]["value"].endswith(headers[0].StudyInstanceUID)
    assert report["issued"] == "2026-11-29T03:14:15+00:00"
    assert "not for clinical use" in report["conclusion"]
    assert report["meta"]["security"][0]["code"] == "HTEST"
    known = {entry["fullUrl"] for entry in bundle["entry"]}
    told = {one["reference"] for one in report["result"]}
    assert told | {risk["device"]["reference"]} <= known


def test_a_revision_replaces_what_was_sent(result: Result) -> None:
    first, again, second = (
        make_bundle(one) for one in (result, result, replace(result, revision=2))
    )
    assert first == again
    urls = [[entry["request"]["url"] for entry in one["entry"]] for one in (first, second)]
    assert urls[0] == urls[1]
    assert len(set(urls[0])) == len(urls[0])
    assert "Revision 2" in json.dumps(second)


def test_a_refusal_is_no_result(refused: Result) -> None:
    bundle = make_bundle(refused)
    (report,) = resources(bundle, "DiagnosticReport")
    assert report["status"] == "cancelled"
    assert report["conclusion"].startswith("Not analysed (HC303): The scan already shows")
    assert not resources(bundle, "Observation")


def test_hostile_values_stay_values(result: Result, refused: Result) -> None:
    header = deepcopy(result.first)
    header.PatientID = HOSTILE.strip()
    bad = replace(refused, headers=(header,), answer=replace(refused.answer, seen=HOSTILE))
    (report,) = resources(json.loads(json.dumps(make_bundle(bad))), "DiagnosticReport")
    assert report["subject"]["identifier"]["value"] == HOSTILE.strip()
    assert "<script>" not in report["text"]["div"]
    assert "&lt;script&gt;" in report["text"]["div"]
