"""Every command, whatever it is for: what the user made stays, and every failure has a code.

A command that is added to the application needs a line in `WRITES` here, or the first test fails.
"""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from hemocast.cli.main import app, run

WRITES = {
    "predict": "{scan} --out {out}",
    "demo": "--out {out} --workers 1",
    "simulate": "--preset tiny --patients 2 --out {out}",
    "ingest": "{scan} --out {out}",
    "train": "{dataset} --out {out}",
    "cohort": "{dataset} --out {out}",
    "check-paper": "{printed} --out {out}",
    "evaluate": "{predictions} --resamples 100 --out {out}",
    "reproduce": "--fast --out {out}",
    "deidentify": "{scan} --out {out}",
    "readers export": "{dataset} --study s --out {out}",
    "readers analyse": "{readings} --predictions {predictions} --resamples 100 --out {out}",
}
"""Commands that write to a folder that the user names."""

INTO_DATASET = {
    "quality": "{dataset}",
    "cohort": "{dataset}",
    "split": "{dataset}",
    "readers create": "{dataset} --study mine",
    "readers serve": "{dataset} --study mine --port {port}",
    "readers links": "{dataset} --study mine --new",
}
"""Commands that write into the dataset that they are given; the port is taken."""

READS = {
    "predict": "{missing} --out {out}",
    "ingest": "{missing} --out {out}",
    "quality": "{missing}",
    "cohort": "{missing}",
    "split": "{missing}",
    "check-leakage": "{missing}",
    "check-paper": "{missing}",
    "train": "{missing} --out {out}",
    "evaluate": "{missing} --out {out}",
    "deidentify": "{missing} --out {out}",
    "readers create": "{missing} --study s",
    "readers serve": "{missing} --study s",
    "readers export": "{missing} --study s",
    "readers links": "{missing} --study s",
    "readers analyse": "{missing} --predictions {missing} --out {out}",
}
"""Commands that read what the user names, given what is not there."""

NUMBERS_ONLY = {"plan develop", "plan validate", "plan auc", "plan compare", "plan readers"}
"""Commands that read and write nothing."""

THEIRS = (
    "notes.txt", ".hidden", "report.html", "metrics.json", "predictions.csv", "linkage.csv",
    "findings.csv", "readings.csv", "readings_log.csv", "labels.csv", "left_behind.tsv",
    "table1.csv", "flow.csv", "dataset_description.json", "participants.tsv", "scans.tsv",
    "sub-01/ses-01/ct/sub-01_ses-01_ct.nii.gz", "sub-01/ses-01/ct/scan.dcm", "model.yaml",
    "weights.safetensors", "stacks.npy", "quality/report.html", "splits/default.tsv",
    "unfinished/study-1/a.dcm", "truth/truth.json", "dicom/a.dcm", "dataset/scans.tsv",
)  # fmt: skip


def _walk(command: object, path: str = "") -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from _walk(child, f"{path} {name}".strip())
    else:
        yield path


ALL = sorted(_walk(typer.main.get_command(app)))


def _begin(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert not ended.value.code


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a dataset, a reader study in it, and tables: SIMULATED, small, valid."""
    root = tmp_path_factory.mktemp("inputs")
    simulated = ["simulate", "--preset", "tiny", "--patients", "2", "--format", "dataset"]
    _begin([*simulated, "--out", str(root / "simulated")])
    shutil.copytree(root / "simulated" / "dataset", root / "dataset")
    shutil.rmtree(root / "simulated")
    ids = [f"p{i},s{i}" for i in range(40)]
    predictions = [f"{ids[i]},{i % 2},{0.3 + 0.2 * (i % 2):.2f}" for i in range(40)]
    readings = [f"R{r},{ids[i]},{0.1 * ((i + r) % 9)},{i % 2}" for r in range(3) for i in range(40)]
    for name, lines in {
        "predictions.csv": ["participant_id,scan_id,label,probability", *predictions],
        "readings.csv": ["reader_id,participant_id,scan_id,probability,decision", *readings],
        "printed.csv": ["table,row,column,value,unit,n", "T,M,accuracy,90.16,percent,61"],
    }.items():
        (root / name).write_text("\n".join(lines) + "\n")
    _begin(["readers", "create", str(root / "dataset"), "--study", "s", "--reader", "Ann"])
    return root


@pytest.fixture
def place(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a place with a copy of the inputs; it is the working folder too."""
    shutil.copytree(inputs, tmp_path / "inputs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _end(place: Path, name: str, line: str, out: Path | str) -> int:
    """Run a command as its user does and give the exit code."""
    inputs = place / "inputs"
    words = {
        "{out}": str(out),
        "{missing}": str(place / "missing"),
        "{dataset}": str(inputs / "dataset"),
        "{scan}": str(next((inputs / "dataset").glob("sub-*"))),
    } | {f"{{{table}}}": str(inputs / f"{table}.csv") for table in ("predictions", "readings")}
    words["{printed}"] = str(inputs / "printed.csv")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words["{port}"] = str(taken.getsockname()[1])
        arguments = [*name.split(), *(words.get(word, word) for word in line.split())]
        with pytest.raises(SystemExit) as ended:
            run(arguments)
    return int(ended.value.code or 0)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def _fill(folder: Path) -> None:
    for name in THEIRS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"the user's own {name}\n")


def test_every_command_is_tried_here() -> None:
    assert set(ALL) == {*WRITES, *INTO_DATASET, *READS, *NUMBERS_ONLY}


@pytest.mark.parametrize("name", sorted(WRITES))
def test_a_folder_of_the_users_is_refused_and_keeps_every_byte(
    place: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = place / "theirs"
    _fill(out)
    before = _bytes(place)
    code = _end(place, name, WRITES[name], out)
    said = capsys.readouterr().err
    assert _bytes(place) == before
    assert code == 2, said
    assert said.startswith("HC00"), said


@pytest.mark.parametrize("name", sorted(INTO_DATASET))
def test_a_dataset_keeps_what_the_user_put_beside_ours(place: Path, name: str) -> None:
    dataset = place / "inputs" / "dataset"
    for folder in ("quality", "cohort", "studies/mine", "readers/mine", "derivatives/hemocast/x"):
        for file in ("report.html", "notes.txt", "table1.csv", "design.json"):
            path = dataset / folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("the user's own")
    before = _bytes(place)
    assert _end(place, name, INTO_DATASET[name], "") in {0, 2, 4}
    after = _bytes(place)
    assert {path: after.get(path) for path in before} == before


def test_a_port_in_use_is_refused_and_says_so(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _end(place, "readers serve", INTO_DATASET["readers serve"], "") == 2
    assert capsys.readouterr().err.startswith("HC007 ")


@pytest.mark.parametrize("where", ["a file", "below a file", "a long name", "no permission"])
@pytest.mark.parametrize("name", sorted(WRITES))
def test_an_output_that_cannot_be_is_refused_before_any_work(
    place: Path, name: str, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "file").write_text("mine")
    out = {
        "a file": place / "file",
        "below a file": place / "file" / "out",
        "a long name": place / ("x" * 300),
        "no permission": Path("/proc/hemocast"),
    }[where]
    before = _bytes(place)
    code = _end(place, name, WRITES[name], out)
    said = capsys.readouterr()
    assert _bytes(place) == before
    assert code == 2, said.err
    assert re.search(r"^HC00\d |Invalid value for", said.err, re.MULTILINE), said.err
    assert "Traceback" not in said.err + said.out


@pytest.mark.parametrize("name", sorted(READS))
def test_an_input_that_is_not_there_has_a_code(
    place: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _bytes(place / "inputs")
    code = _end(place, name, READS[name], place / "out")
    said = capsys.readouterr()
    assert code in {2, 4}, said.err
    assert re.search(r"HC[0-6]\d\d", said.err + said.out), said.err
    assert "Traceback" not in said.err + said.out
    assert _bytes(place / "inputs") == before


@pytest.mark.parametrize("name", ALL)
def test_an_unknown_option_is_wrong_usage(
    place: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _end(place, name, "--nonsense", "") == 2
    assert "No such option" in capsys.readouterr().err
    assert set(_bytes(place)) == {f"inputs/{path}" for path in _bytes(place / "inputs")}
