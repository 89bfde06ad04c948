"""Fixtures shared by all tests: where the real data lie, and where pictures to look at go."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# A busy machine is no failure. Continuous integration tries the same examples every time.
settings.register_profile("steady", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("steady")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one room in one process: they share what was costly to make."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.parent.name))


# Continuous integration has every component that README names; what it may lack is data.
_MAY_BE_ABSENT = re.compile("real test data|reference numbers|source tree")


def _missing_component(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where CI is set and a program or library is what is missing."""
    if os.environ.get("CI", "").lower() not in {"", "0", "false"} and report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not hasattr(report, "wasxfail") and not _MAY_BE_ABSENT.search(reason):
            report.outcome = "failed"
            report.longrepr = f"Missing where CI is set: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """See `_missing_component`."""
    report = yield
    _missing_component(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """See `_missing_component`; a whole file that skips itself."""
    report = yield
    _missing_component(report)
    return report


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of real scans, or skip: the project ships none."""
    folder = Path(os.environ.get("HEMOCAST_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real test data: set HEMOCAST_TEST_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def unpack(data_dir: Path, tmp_path_factory: pytest.TempPathFactory):
    """Return a function that unpacks one of the real zips and gives its folder."""
    done: dict[str, Path] = {}

    def _unpack(name: str) -> Path:
        if name not in done:
            archive = data_dir / f"{name}.zip"
            if not archive.is_file():
                pytest.skip(f"{archive.name} is not in the folder of real test data")
            folder = tmp_path_factory.mktemp(name)
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder)
            done[name] = folder
        return done[name]

    return _unpack


@pytest.fixture(scope="session")
def ge_head(unpack) -> Path:
    """Return the real tilted GE head, 28 DICOM files."""
    return unpack("ge_head_tilted")


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Return the folder for pictures that tests leave to be looked at (ignored by git)."""
    folder = ROOT / "tests" / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder


_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,),
    "number": (int, float), "integer": (int,), "null": (type(None),),
}  # fmt: skip
_WORDS = {
    "$schema", "$defs", "$ref", "title", "description", "type", "const", "enum", "anyOf",
    "required", "properties", "additionalProperties", "minProperties", "items", "minItems",
    "maxItems", "minimum", "maximum", "minLength", "pattern",
}  # fmt: skip


def _is_kind(value: object, kind: str) -> bool:
    boolean = isinstance(value, bool)
    return isinstance(value, _KINDS[kind]) and boolean == (kind == "boolean")


def _faults(value: object, schema: dict, root: dict, where: str) -> list[str]:
    assert set(schema) <= _WORDS, f"this check does not know {set(schema) - _WORDS}"
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return _faults(value, root["$defs"][name], root, where)
    if "anyOf" in schema:
        tried = [_faults(value, option, root, where) for option in schema["anyOf"]]
        return [] if [] in tried else min(tried, key=len)
    if "const" in schema or "enum" in schema:
        allowed = schema.get("enum", [schema.get("const")])
        return [] if value in allowed else [f"{where}: not of {allowed}"]
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if not any(_is_kind(value, kind) for kind in kinds):
        return [f"{where}: no {' or '.join(kinds)}"]
    if isinstance(value, dict):
        return _faults_in_object(value, schema, root, where)
    found = []
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**6):
            found.append(f"{where}: {len(value)} items")
        for index, item in enumerate(value):
            found += _faults(item, schema["items"], root, f"{where}[{index}]")
    elif isinstance(value, str):
        short = len(value) < schema.get("minLength", 0)
        if short or not re.search(schema.get("pattern", ""), value):
            found.append(f"{where}: {value!r}")
    elif not isinstance(value, bool | None) and not (
        schema.get("minimum", -1e300) <= value <= schema.get("maximum", 1e300)
    ):
        found.append(f"{where}: {value}")
    return found


def _faults_in_object(value: dict, schema: dict, root: dict, where: str) -> list[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    found = [f"{where}: lacks {name}" for name in schema.get("required", ()) if name not in value]
    if len(value) < schema.get("minProperties", 0):
        found.append(f"{where}: {len(value)} properties")
    for name, item in value.items():
        if name in known:
            found += _faults(item, known[name], root, f"{where}.{name}")
        elif others is False:
            found.append(f"{where}: odd {name}")
        elif others:
            found += _faults(item, others, root, f"{where}.{name}")
    return found


@pytest.fixture(scope="session")
def schema_faults() -> Callable[[object, dict], list[str]]:
    """Return a function that checks a value against the parts of JSON Schema that we use."""
    return lambda value, schema: _faults(value, schema, schema, "$")
