"""What may import what, and what must stay out."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp


def _loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_torchvision_never_comes_in() -> None:
    assert importlib.util.find_spec("torchvision") is None


def test_the_package_and_its_rooms_import_without_heavy_libraries() -> None:
    rooms = ("anatomy", "dataset", "dicom", "model", "prepare", "report", "signs", "simulate")
    loaded = _loaded_after("import hemocast, " + ", ".join(f"hemocast.{room}" for room in rooms))
    heavy = {"torch", "lightning", "onnx", "nilearn", "matplotlib", "SimpleITK", "sklearn"}
    assert not loaded & heavy


def test_a_model_is_loaded_without_what_only_fitting_needs() -> None:
    code = "import sys, hemocast.model, hemocast.pipeline.predict; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"scipy.stats", "scipy.optimize", "pandas"} & set(done.stdout.split())


def test_the_command_line_imports_nothing_scientific() -> None:
    loaded = _loaded_after("from hemocast.cli.main import application; application()")
    assert not loaded & {"numpy", "scipy", "pandas", "pydicom", "torch", "SimpleITK", "matplotlib"}


def test_rooms_import_only_from_rooms_below() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_no_file_imports_itself_by_way_of_others() -> None:
    """No circle of files, imports within functions and for type checking alone counted."""
    graph = grimp.build_graph("hemocast", cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert len(imports) > 200
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None
