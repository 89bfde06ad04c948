"""The house as drawn: rooms, picture and layers agree; tests mirror the source; no circles."""

from __future__ import annotations

import ast
import importlib.util
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
SOURCE, TESTS = ROOT / "src" / "hemocast", ROOT / "tests"

ACROSS = {
    "classical/test_ist.py",
    "cli/test_every_command.py",
    "test_tutorials.py",
    "cli/test_full_disk.py",
    "cli/test_leaks.py",
    "cli/test_unreadable.py",
    "cli/test_users_files.py",
    "dicom/test_fuzz.py",
    "dicom/test_real_scans.py",
    "pipeline/test_parity.py",
    "papercheck/test_papercheck.py",
    "serve/reading/test_page.py",
    "test_deploy.py",
    "simulate/test_realism.py",
    "stats/test_coverage.py",
    "test_architecture.py",
    "test_ci.py",
    "test_docs.py",
    "test_snippets.py",
    "test_examples.py",
    "test_conftest.py",
    "test_imports.py",
    "test_main_module.py",
    "test_release.py",
    "test_security.py",
    "test_init.py",
    "report/test_in_browser.py",
    "report/test_report.py",
}
"""Tests of what no single module does."""


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    """Return the program that draws the rooms."""
    spec = importlib.util.spec_from_file_location("draw_rooms", ROOT / "docs" / "draw_rooms.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_layers_and_folders_are_the_same_rooms(drawing: ModuleType) -> None:
    assert sorted(drawing.layers()) == sorted(drawing.rooms())


def test_the_picture_is_true(drawing: ModuleType) -> None:
    page = drawing.PAGE.read_text(encoding="utf-8")
    assert drawing.picture() in page, "run: python docs/draw_rooms.py"
    described = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(described) == sorted(drawing.layers())


def test_the_picture_shows_an_import_once(drawing: ModuleType) -> None:
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert drawing.nearest(graph) == {"a": {"b"}, "b": {"c"}, "c": set()}


def _modules() -> list[str]:
    paths = (path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
    return sorted(path.as_posix() for path in paths if not path.name.startswith("__"))


def _test_of(module: str) -> str:
    path = Path(module)
    return path.with_name(f"test_{path.name}").as_posix()


def test_every_module_has_its_test_file() -> None:
    missing = {m for m in _modules() if not (TESTS / _test_of(m)).is_file()}
    assert missing == set()


def test_every_test_file_has_its_module() -> None:
    paths = (path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))
    found = {path.as_posix() for path in paths if path.parts[0] != "parity"}
    assert found - {_test_of(m) for m in _modules()} <= ACROSS


def test_no_two_files_import_each_other() -> None:
    names = {f"hemocast.{m.removesuffix('.py').replace('/', '.')}": m for m in _modules()}
    graph: dict[str, set[str]] = {}
    for name, path in names.items():
        found = set()
        for node in ast.walk(ast.parse((SOURCE / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
        graph[name] = found & set(names) - {name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


_PROVING = re.compile(r"^(assert\w*|raises|warns|expect|fail|importorskip)$")


def _proves(function: ast.AST, helpers: dict[str, ast.AST], seen: frozenset[str]) -> bool:
    """Tell whether a function asserts something, itself or through a helper of its file."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            target = node.func
            name = getattr(target, "attr", getattr(target, "id", ""))
            if _PROVING.match(name):
                return True
            helper = helpers.get(name)
            if helper and name not in seen and _proves(helper, helpers, seen | {name}):
                return True
    return False


def test_no_test_asserts_nothing() -> None:
    empty = []
    shared = {
        node.name: node
        for path in TESTS.rglob("conftest.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    for path in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
        empty += [
            f"{path.relative_to(TESTS)}::{name}"
            for name, function in own.items()
            if name.startswith("test_") and not _proves(function, shared | own, frozenset())
        ]
    assert empty == []
