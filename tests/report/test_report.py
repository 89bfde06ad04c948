"""The room as a whole: it draws and computes nothing, and is quick to load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import hemocast.report
import hemocast.stats

ROOM = Path(hemocast.report.__file__).parent


def imported() -> set[tuple[str, str]]:
    """Every (module, name) that the room imports from `hemocast`."""
    return {
        (node.module, alias.name)
        for path in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hemocast.")
        for alias in node.names
    }


def test_of_the_statistics_it_knows_results_alone() -> None:
    names = {name for module, name in imported() if module.startswith("hemocast.stats")}
    assert {"Estimate", "RocCurve"} <= names
    for name in names - {"Float64Array", "BoolArray"}:
        assert isinstance(getattr(hemocast.stats, name), type), f"{name} computes"


def test_of_the_evaluation_it_knows_results_alone() -> None:
    modules = {module for module, _ in imported() if module.startswith("hemocast.evaluate")}
    assert modules
    assert all(module.endswith(".result") for module in modules)


def test_a_prediction_loads_none_of_the_slow_libraries() -> None:
    slow = ("matplotlib", "scipy", "torch", "pandas", "nibabel", "jinja2")
    code = f"import sys, hemocast.report; print([m for m in {slow} if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert printed.stdout.strip() == b"[]"
