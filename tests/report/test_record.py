import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import hemocast.report
from hemocast.report import prediction_json

SCHEMA = json.loads(
    (Path(hemocast.report.__file__).parent / "prediction.schema.json").read_text(encoding="utf-8")
)
KINDS = {
    "object": dict, "array": list, "string": str, "boolean": bool, "number": (int, float),
}  # fmt: skip


def faults(value: object, schema: dict, where: str = "$") -> list[str]:
    """Check the parts of JSON Schema that our schema uses."""
    known = {
        "$schema", "title", "type", "const", "required", "properties", "additionalProperties",
        "items", "minItems", "maxItems", "minimum", "maximum", "minLength", "pattern",
    }  # fmt: skip
    assert set(schema) <= known, f"this check does not know {set(schema) - known}"
    if "const" in schema:
        return [] if value == schema["const"] else [f"{where}: not {schema['const']}"]
    kind = schema["type"]
    if not isinstance(value, KINDS[kind]) or (kind == "number" and isinstance(value, bool)):
        return [f"{where}: no {kind}"]
    found = []
    if isinstance(value, dict):
        found += [f"{where}: lacks {name}" for name in schema["required"] if name not in value]
        found += [f"{where}: odd {name}" for name in value if name not in schema["properties"]]
        for name in set(value) & set(schema["properties"]):
            found += faults(value[name], schema["properties"][name], f"{where}.{name}")
    elif isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**6):
            found.append(f"{where}: {len(value)} items")
        for index, item in enumerate(value):
            found += faults(item, schema["items"], f"{where}[{index}]")
    elif isinstance(value, str):
        if len(value) < schema.get("minLength", 0) or not re.search(
            schema.get("pattern", ""), value
        ):
            found.append(f"{where}: {value!r}")
    elif kind == "number" and not (
        schema.get("minimum", -1e300) <= value <= schema.get("maximum", 1e300)
    ):
        found.append(f"{where}: {value}")
    return found


def test_it_follows_the_schema_and_survives_json(prediction) -> None:
    content = json.loads(json.dumps(prediction_json(prediction), allow_nan=False))
    assert faults(content, SCHEMA) == []


def test_what_the_design_asks_for_is_there(prediction) -> None:
    content = prediction_json(prediction, scan_id="sub-0001_ses-01")
    assert content["schema_version"] == 1
    assert content["scan_id"] == "sub-0001_ses-01"
    assert content["probability"] == pytest.approx(0.37)
    assert content["probability_interval"] == pytest.approx([0.21, 0.56])
    assert content["model"] == {"name": "ctnet3d-demo", "version": "0.1.0", "hash": "c" * 64}
    assert content["simulated_training_data"] is True
    assert "demonstration model" in str(content["notice"])
    assert "Not a medical device" in str(content["notice"])


def test_the_prediction_names_the_scan_unless_told_otherwise(prediction) -> None:
    assert prediction_json(prediction)["scan_id"] == prediction.scan_id


def test_the_check_itself_sees_faults(prediction) -> None:
    content = prediction_json(replace(prediction, probability=1.2, model_hash="short"))
    content["extra"] = 1
    del content["horizon"]
    found = " ".join(faults(content, SCHEMA))
    for part in ("$.probability", "$.model.hash", "odd extra", "lacks horizon"):
        assert part in found


def test_the_example_in_the_documents_is_valid_and_every_field_is_explained() -> None:
    text = (Path(__file__).parents[2] / "docs" / "prediction-schema.md").read_text(encoding="utf-8")
    example = text.split("```json")[1].split("```")[0]
    assert faults(json.loads(example), SCHEMA) == []
    table = text.split("```json")[0]
    for name in SCHEMA["properties"]:
        assert f"`{name}" in table
