"""The habits: what CI runs is what README says, and its long checks can be resumed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from hemocast.version import VERSION

ROOT = Path(__file__).parents[1]
SLOW_TEST = """
import pytest
from pathlib import Path

@pytest.mark.{mark}
def test_once():
    with Path("{count}").open("a") as file:
        file.write("x")
    assert {good}
"""


def _slow_ci(root: Path, *minutes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, root / ".ci" / "slow.py", *minutes]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with two slow test files, one of them failing."""
    root = tmp_path / "project"
    (root / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "slow.py", root / ".ci")
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["slow"]\n')
    (root / ".gitignore").write_text("build/\n__pycache__/\n")
    for name, good in (("good", True), ("bad", False)):
        path = root / "tests" / f"test_{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(SLOW_TEST.format(mark="slow", count=tmp_path / name, good=good))
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@b commit -q -m first"):
        subprocess.run(["git", *command.split()], cwd=root, check=True)
    return root


def test_what_passed_is_not_run_again_until_something_changes(project: Path) -> None:
    first = _slow_ci(project)
    assert first.returncode == 1
    assert re.search(r"test_good.py: passed in \d+ s", first.stdout)
    assert first.stdout.count("test_bad.py: FAILED") == 2  # as it comes, and at the end
    assert first.stdout.endswith("1 files passed, 1 failed, 0 given up, 0 not begun\n")
    again = _slow_ci(project)
    assert "test_good.py: passed before" in again.stdout
    assert (project.parent / "good").read_text() == "x"
    assert (project.parent / "bad").read_text() == "xx"
    path = project / "tests" / "test_bad.py"
    path.write_text(path.read_text().replace("assert False", "assert True"))
    mended = _slow_ci(project)
    assert mended.returncode == 0, mended.stdout
    assert (project.parent / "good").read_text() == "xx"


def test_what_is_not_begun_in_time_is_named_and_fails_nothing(project: Path) -> None:
    done = _slow_ci(project, "0")
    assert done.returncode == 0
    assert "test_bad.py: not begun: no time left" in done.stdout
    assert done.stdout.endswith("0 files passed, 0 failed, 0 given up, 2 not begun\n")
    assert not (project.parent / "good").exists()


def test_what_takes_too_long_is_given_up_and_named_and_fails_nothing(project: Path) -> None:
    script, slow = project / ".ci" / "slow.py", project / "tests" / "test_bad.py"
    script.write_text(script.read_text().replace("SHORT = 10 * 60", "SHORT = 12"))
    slow.write_text(slow.read_text().replace("assert False", "__import__('time').sleep(60)"))
    done = _slow_ci(project)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("test_bad.py: given up after 12 s") == 2
    assert done.stdout.endswith("1 files passed, 0 failed, 1 given up, 0 not begun\n")


def test_the_packages_of_ci_are_those_of_the_readme() -> None:
    pattern = re.search(r"sed -n '(s/.*/p)' README.md", (ROOT / ".ci" / "run").read_text())
    assert pattern is not None
    done = subprocess.run(
        ["sed", "-n", pattern[1], ROOT / "README.md"], capture_output=True, text=True, check=True
    )
    assert {"chromium", "orthanc", "dicom3tools", "postgresql"} <= set(done.stdout.split())


def test_ci_runs_the_readmes_command_then_the_long_checks() -> None:
    lines = (ROOT / ".ci" / "run").read_text().split("\n")
    long = next(number for number, line in enumerate(lines) if line.startswith("make slow-ci "))
    assert lines.index("export CI=true") < lines.index("make test") < long
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_forge_tries_every_python_that_is_promised() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())["jobs"]
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert promised == ">=3.11"


def test_hooks_and_templates_are_well_formed() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    makefile = (ROOT / "Makefile").read_text()
    for hook in hooks:
        assert hook["entry"].split()[0].replace(".venv/bin", "$(BIN)") in makefile
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        content = yaml.safe_load(path.read_text())
        assert path.name == "config.yml" or {"name", "description", "body"} <= set(content)


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == VERSION
    assert citation["authors"] == [{"name": "The Hemocast developers"}]
    assert citation["license"] == "Apache-2.0"


def test_every_make_target_has_a_recipe() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets is not None
    for target in targets[1].split():
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for name in re.findall(r"tests/[\w/.]+", makefile):
        assert list(ROOT.glob(name + "*")), name
