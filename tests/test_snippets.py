"""Every command and every piece of Python on the pages, besides the tutorials, is run by a test.

Commands run as printed, among stand-ins that are called as the pages call them (`world`): `SCAN` is
a scan, `DATASET` a dataset; some with fewer patients or steps (`SMALLER`). What takes minutes,
waits for somebody or needs a service is run by the test that `ELSEWHERE` names; what cannot be run
in a test is in `NOT_RUN`, with the reason. The tutorials are followed by ``test_tutorials.py``.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

import hemocast
from hemocast.cli.main import application

ROOT = Path(__file__).parents[1]
DOCS, ASSETS = ROOT / "docs", Path(hemocast.__file__).parent / "assets"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(page for page in DOCS.rglob("*.md") if page.parent.name != "tutorials"),
]
NOT_RUN = {
    "pip install": "the tests run where it is installed",
    "export PIP_EXTRA_INDEX_URL": "says where pip finds torch without CUDA; no test installs torch",
    "make ": "the tests themselves are run by make; its targets' commands are those tested here",
}
ELSEWHERE = {
    "hemocast train DATASET": "cli/test_train.py",
    "hemocast train cohort/stacks": "cli/test_train.py",
    "hemocast crossval": "cli/test_crossval.py",
    "hemocast tune": "cli/test_tune.py",
    "hemocast benchmark": "cli/test_benchmark.py",
    "hemocast reproduce": "cli/test_reproduce.py",
    "hemocast recalibrate": "cli/test_recalibrate.py",
    "hemocast predict SCAN --model MODEL": "cli/test_predict.py",
    "hemocast predict SCAN --lang zh --pdf": "cli/test_predict.py",
    "hemocast split": "cli/test_split.py",
    "hemocast readers serve": "test_tutorials.py",
    "hemocast serve run": "test_tutorials.py",
    "hemocast serve export": "test_tutorials.py",
    "hemocast serve jobs": "cli/test_serve.py",
    "hemocast serve reprocess": "cli/test_serve.py",
    "hemocast serve retire": "cli/test_serve.py",
    "hemocast serve resend": "cli/test_serve.py",
    "hemocast serve echo": "cli/test_serve.py",
    "hemocast serve deliver": "cli/test_serve.py",
    "hemocast serve pull": "cli/test_serve.py",
    "hemocast serve account": "cli/test_serve_account.py",
    "hemocast validate": "cli/test_validate.py",
    "hemocast federate": "cli/test_federate.py",
}
MADE_ANEW = {
    "hemocast ingest": "DATASET",
    "hemocast predict": "hemocast-out",
    "hemocast readers create": "DATASET/derivatives/hemocast/readers",
}
"""What is taken out of the world before a command that makes it."""
SMALLER = {
    "hemocast simulate": "--patients 2",
    "hemocast pretrain": "--steps 2 --members 1",
}
"""What is added to a command that would take hours: of an option given twice the last counts."""
OTHER_CODES = {"check-paper": {5}, "predict": {3}, "measure": {3}, "monitor": {5}}
"""Exit codes that say what was found: a paper's faults, a scan that bleeds, an alarm."""
NO_PROGRAM = {
    "how-to/networks.md": "the class is a part of the one in tutorials/own-network.md, which is run"
}
"""Pages whose Python is no whole program."""
_COMMAND = re.compile(r"^(?:\$ )?((?:hemocast|make|pip|export)\b.*)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """Give the blocks of a page in some languages."""
    for language, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if language in languages:
            yield text


def commands(page: Path) -> Iterator[str]:
    """Give the commands of a page, without comments and without what may be left out."""
    for text in blocks(page, "", "console", "sh"):
        whole = text.replace("\\\n", " ")
        for line in re.findall(
            r"^(?:\$ )?((?:hemocast|make|pip|export)\b.*)$", whole, re.MULTILINE
        ):
            command = re.split(r"\s#\s", line)[0]
            while re.search(r"\s\[[^][]*\]", command):
                command = re.sub(r"\s\[[^][]*\]", "", command)
            yield " ".join(command.replace("...", " ").split())


def asked(page: Path) -> Iterator[str]:
    """Give the lines of a page that begin with `hemocast`, with all that may be left out."""
    for text in blocks(page, "", "console", "sh"):
        for line in re.findall(r"^(?:\$ )?hemocast (.*)$", text.replace("\\\n", " "), re.MULTILINE):
            yield re.split(r"\s#\s", line)[0]


def where(command: str, table: dict[str, str]) -> str | None:
    """Find the entry that a command begins with, the longest one."""
    found = [start for start in table if command.startswith(start)]
    return max(found, key=len) if found else None


ALL = [(page, command) for page in PAGES for command in commands(page)]
RUN = [pair for pair in ALL if not where(pair[1], NOT_RUN) and not where(pair[1], ELSEWHERE)]


def test_every_command_and_option_on_a_page_exists() -> None:
    unknown = []
    program = typer.main.get_command(application())
    for page in PAGES:
        for line in asked(page):
            words = re.sub(r"[][]", " ", line).split()
            at = program
            while isinstance(at, TyperGroup) and words:
                names = words.pop(0).split("|")
                unknown += [f"{page.name}: {name}" for name in names if name not in at.commands]
                at = at.commands.get(names[-1])
            if at is not None:
                options = {word for one in at.params for word in (*one.opts, *one.secondary_opts)}
                used = {word.split("=")[0] for word in words if word.startswith("--")}
                unknown += [f"{page.name}: {line}: {word}" for word in used - options]
    assert unknown == []


def test_what_is_not_run_here_is_run_where_it_is_said_to_be() -> None:
    stale = [
        start
        for table in (NOT_RUN, ELSEWHERE)
        for start in table
        if not any(where(command, table) == start for _, command in ALL)
    ]
    assert stale == []
    for command, path in ELSEWHERE.items():
        text = (ROOT / "tests" / path).read_text(encoding="utf-8")
        pages = DOCS.joinpath("tutorials").glob("*.md")
        text += "".join(page.read_text(encoding="utf-8") for page in pages)
        words = [word for word in command.split()[1:] if word.islower() and word[0] != "-"]
        assert all(word.split("/")[0] in text for word in words[:2]), command


def test_every_python_block_is_a_program() -> None:
    for page in PAGES:
        for text in blocks(page, "python"):
            ast.parse(text)
    assert all((DOCS / page).is_file() for page in NO_PROGRAM)


def hemocast_run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a line in a shell that knows `hemocast`."""
    program = folder.parent / "bin" / "hemocast"
    if not program.exists():
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m hemocast "$@"\n')
        program.chmod(0o755)
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=900,
        env=os.environ | {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip


def _write_tables(root: Path) -> None:
    """Write tables of 40 made-up patients."""
    ids = [f"p{i},s{i}" for i in range(40)]
    rows = [f"{ids[i]},{i % 2},{0.2 + 0.1 * (i % 2) + 0.1 * (i % 5):.2f}" for i in range(40)]
    read = [f"R{r},{ids[i]},{0.1 * ((i + r) % 9):.1f},{i % 2}" for r in range(3) for i in range(40)]
    named = [f"{row},{model}" for model in ("local", "pooled", "federated") for row in rows]
    days = [f"2026-{1 + k // 28:02}-{1 + k % 28:02}" for k in range(280)]
    seen = [f"t{k},{day}T08:00:00,done,{0.1 + 0.1 * (k % 5):.1f},GE" for k, day in enumerate(days)]
    told = [f"t{k},{int(k % 5 == 4)},{day}T20:00:00" for k, day in enumerate(days)]
    history = ["scan_id,arrived_at,status,probability,scanner", *seen]
    outcomes = ["scan_id,label,observed_at", *told]
    for name in ("FOLDS", "federation", "history"):
        (root / name).mkdir()
    for name, lines in {
        "predictions.csv": ["participant_id,scan_id,label,probability", *rows],
        "FOLDS/predictions.csv": ["participant_id,scan_id,label,probability", *rows],
        "federation/predictions.csv": ["participant_id,scan_id,label,probability,model", *named],
        "test_predictions.csv": [
            "scan_id,probability",
            *(f"s{i},{0.1 + 0.1 * (i % 5):.1f}" for i in range(40)),
        ],
        "history.csv": history,
        "outcomes.csv": outcomes,
        "history/history.csv": history,
        "history/outcomes.csv": outcomes,
        "readings.csv": ["reader_id,participant_id,scan_id,probability,decision", *read],
        "clinical.csv": ["participant_id,nihss,age", *(f"p{i},{i},{50 + i}" for i in range(40))],
    }.items():
        (root / name).write_text("\n".join(lines) + "\n")


def _tables(place: Path) -> set[Path]:
    return {path.relative_to(place) for kind in ("csv", "tsv") for path in place.rglob(f"*.{kind}")}


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, unlisted: Callable[[Iterable[Path]], list[str]]
) -> Path:
    """Return a folder in which everything that the pages name is there: SIMULATED."""
    root = tmp_path_factory.mktemp("snippets") / "world"
    root.mkdir()
    _write_tables(root)
    shutil.copy(ASSETS / "paper_tables.csv", root / "table.csv")
    shutil.copytree(ASSETS / "demo_model", root / "MODEL")
    for line in (
        "hemocast simulate --preset tiny --patients 10 --out hospital",
        "hemocast simulate --preset tiny --patients 2 --format stacks --out cohort",
        "mv hospital/dicom STUDIES && mv hospital/labels.csv . && rm -r hospital",
        "for name in SCAN NEW_SCAN scan_folder; do cp -r STUDIES/$(ls STUDIES | head -1) $name; "
        "done",
        "hemocast ingest STUDIES --out DATASET --labels labels.csv",
        "hemocast split DATASET --test-fraction 0.5",
        "hemocast predict STUDIES/* --out hemocast-out",
        "cut -f3 DATASET/scans.tsv | sed 's/$/,0.4/; 1s/.*/scan_id,probability/' > PREDICTIONS.csv",
        "hemocast readers create DATASET --study NAME --reader Ann --reader Bo",
        "hemocast evaluate predictions.csv --out EVALUATION --resamples 100",
        "cp -r EVALUATION DIR && cp -r cohort COHORT && cp -r cohort wide",
    ):
        before = _tables(root)
        done = hemocast_run(root, line)
        assert done.returncode in {0, 3}, (line, done.stderr)
        if line.startswith("hemocast"):
            assert unlisted(root / path for path in _tables(root) - before) == [], line
    return root


def _prepared(world: Path, place: Path, command: str) -> None:
    """Copy the world, without what the command is to make."""
    shutil.copytree(world, place)
    gone = [MADE_ANEW[start]] if (start := where(command, MADE_ANEW)) else []
    gone += re.findall(r"--out (\S+)", command)
    for name in gone:
        if (place / name).is_dir():
            shutil.rmtree(place / name)


@pytest.mark.slow
@pytest.mark.parametrize("command", sorted({command for _, command in RUN}))
def test_a_command_of_a_page_runs_as_printed(
    world: Path,
    tmp_path: Path,
    command: str,
    unlisted: Callable[[Iterable[Path]], list[str]],
) -> None:
    place = tmp_path / "place"
    _prepared(world, place, command)
    before = _tables(place)
    done = hemocast_run(place, f"{command} {SMALLER.get(where(command, SMALLER) or '', '')}")
    assert unlisted(place / path for path in _tables(place) - before) == []
    allowed = {0} | OTHER_CODES.get(command.split()[1], set())
    assert done.returncode in allowed, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [p for p in PAGES if any(blocks(p, "python"))], ids=lambda page: page.name
)
def test_the_python_of_a_page_runs_as_printed(world: Path, page: Path) -> None:
    if page.is_relative_to(DOCS) and page.relative_to(DOCS).as_posix() in NO_PROGRAM:
        assert '```python title="my_networks.py"' in (
            DOCS / "tutorials" / "own-network.md"
        ).read_text(encoding="utf-8")
        return
    for text in blocks(page, "python"):
        done = subprocess.run(
            [sys.executable, "-c", text], cwd=world, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr[-2000:]
