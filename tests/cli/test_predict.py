"""``hemocast predict`` with the demonstration model on real files, bad and good."""

from __future__ import annotations

import contextlib
import csv
import gc
import json
import os
import pty
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hemocast.cli.main import application
from hemocast.dicom import write_nifti
from hemocast.errors import MissingExtra, UsageError
from hemocast.model import Prediction, load_default

HEMOCAST = Path(sys.executable).with_name("hemocast")
NO_SCAN = {"predictions.csv", "linkage.csv", "names.json"}
NOTICE = "demonstration model, trained on simulated scans, not for clinical use"


def predict(*arguments: object, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HEMOCAST, "predict", *map(str, arguments), "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_demonstration_model_is_small_and_intact() -> None:
    model = load_default()
    assert model.description.notice == NOTICE
    assert model.description.net.name == "hemispheres"
    assets = Path(__file__).parents[2] / "src" / "hemocast" / "assets" / "demo_model"
    assert sum(path.stat().st_size for path in assets.iterdir()) <= 5_000_000


def test_a_gpu_that_is_not_there_is_refused_before_the_first_scan(tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("ONNX Runtime may have a GPU here")
    done = CliRunner().invoke(
        application(),
        ["predict", str(tmp_path), "--device", "cuda", "--out", str(tmp_path / "out")],
    )
    assert isinstance(done.exception, MissingExtra)
    assert "--device cpu" in str(done.exception)
    assert not (tmp_path / "out").exists()


COMMAND = """
import sys
from hemocast.cli.main import run
try:
    run(sys.argv[1:])
finally:
    print(*{name.split(".")[0] for name in sys.modules}, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def predicted(
    ge_head: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Predict the real head in a process of its own, which tells at last what it imported."""
    out = tmp_path_factory.mktemp("predicted")
    words = [sys.executable, "-c", COMMAND, "predict", str(ge_head), "--out", str(out)]
    return out, subprocess.run(words, capture_output=True, text=True, timeout=300)


def test_the_real_head_gives_a_page_that_says_what_it_is(predicted) -> None:
    out, done = predicted
    assert done.returncode == 0, done.stdout + done.stderr
    assert NOTICE in done.stdout
    (folder,) = (path for path in out.iterdir() if path.is_dir())
    content = json.loads((folder / "prediction.json").read_text())
    assert content["simulated_training_data"] is True
    assert NOTICE in (folder / "report.html").read_text()
    (row,) = csv.DictReader((out / "predictions.csv").open(encoding="utf-8", newline=""))
    # A patient's scan, but a model that learned from simulated ones.
    assert (row["status"], row["simulated"]) == ("done", "1")


def test_a_folder_may_be_named_like_markup(tmp_path: Path) -> None:
    """It ended in a traceback, after the work."""
    (tmp_path / "no.dcm").write_bytes(b"no DICOM")
    out = tmp_path / "[" / "bold]"
    done = CliRunner().invoke(
        application(), ["predict", str(tmp_path / "no.dcm"), "--out", str(out)]
    )
    assert done.exit_code == 4, done.output
    assert str(out / "predictions.csv") in done.output


def test_prediction_needs_no_torch(predicted) -> None:
    imported = set(predicted[1].stderr.split())
    assert "onnxruntime" in imported
    absent = {"torch", "lightning", "monai", "onnx", "nilearn", "matplotlib", "pandas", "sklearn"}
    assert not imported & absent


def test_the_command_keeps_no_prediction_of_a_scan_it_has_told(
    ge_head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It kept all until the end before: 5 GB after 500 scans."""
    command = sys.modules["hemocast.cli.predict"]
    told, alive = command._say, []

    def tell(console: object, result: object, path: object) -> None:
        told(console, result, path)
        gc.collect()
        alive.append(sum(type(one) is Prediction for one in gc.get_objects()))

    monkeypatch.setattr(command, "_say", tell)
    done = CliRunner().invoke(
        application(), ["predict", *[str(ge_head)] * 2, "--out", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    assert len(alive) == 2
    assert alive[0] == alive[-1]


@pytest.mark.parametrize(
    "name", ["phantom_tilt0_5mm", "phantom_tilt_plus16", "phantom_localizer_summary"]
)
def test_phantoms_and_localizers_are_refused(hemocast, unpack, tmp_path: Path, name: str) -> None:
    done = hemocast("predict", unpack(name), "--out", tmp_path)
    assert done.returncode == 4
    code = "HC201" if "localizer" in name else "HC302"
    assert code in done.stdout
    table = (tmp_path / "predictions.csv").read_text()
    assert code in table
    written = [p for p in tmp_path.iterdir() if p.name[0] != "."]
    assert {p.name for p in written if p.is_file()} == NO_SCAN
    # What has a name has a page that says why; what is no scan at all has none.
    folders = [p for p in written if p.is_dir()]
    assert len(folders) == (code == "HC302")
    for folder in folders:
        assert [p.name for p in folder.iterdir()] == ["report.html"]
        assert code in (folder / "report.html").read_text(encoding="utf-8")


def _bad_inputs(folder: Path) -> dict[str, Path]:
    rng = np.random.default_rng(0)
    affine = np.diag([-2.0, -2.0, 5.0, 1.0])
    mr = rng.uniform(0, 4000, (28, 64, 64)).astype(np.float32)
    write_nifti(mr, affine, folder / "mr.nii.gz", dtype="float32")
    with zipfile.ZipFile(folder / "slip.zip", "w") as archive:
        archive.writestr("../../escaped.dcm", b"x")
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 300_000_000)
    (folder / "empty").mkdir()
    (folder / "text").mkdir()
    (folder / "text" / "a.dcm").write_text("no image")
    return {
        "HC301": folder / "mr.nii.gz",
        "HC105": folder / "slip.zip",
        "HC105 ": folder / "bomb.zip",
        "HC101": folder / "empty",
        "HC102": folder / "text",
    }


def test_every_bad_input_gets_its_code_and_one_sentence(hemocast, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    bad = _bad_inputs(source)
    before = sorted(tmp_path.rglob("*"))
    done = hemocast("predict", *bad.values(), "--out", tmp_path / "out")
    assert done.returncode == 4
    assert "Traceback" not in done.stdout + done.stderr
    rows = (tmp_path / "out" / "predictions.csv").read_text().splitlines()[1:]
    assert len(rows) == len(bad)
    for row, code in zip(rows, bad, strict=True):
        assert f",refused,{code.strip()}," in row
    assert not (tmp_path.parent / "escaped.dcm").exists()
    out = tmp_path / "out"
    assert sorted(p for p in tmp_path.rglob("*") if not p.is_relative_to(out)) == before


def test_a_flipped_byte_in_the_model_is_refused(ge_head: Path, hemocast, tmp_path: Path) -> None:
    assets = Path(__file__).parents[2] / "src" / "hemocast" / "assets" / "demo_model"
    for name in ("model.onnx", "weights.safetensors", "model.yaml", "card.md"):
        model = tmp_path / name
        shutil.copytree(assets, model)
        content = bytearray((model / name).read_bytes())
        content[len(content) // 2] ^= 1
        (model / name).write_bytes(content)
        done = hemocast("predict", ge_head, "--model", model, "--out", tmp_path / "out")
        assert done.returncode == 4
        assert done.stderr.startswith("HC502 "), name
        assert not (tmp_path / "out").exists()


def test_resume_says_how_many_it_skipped_with_one_line_a_case(
    ge_head: Path, tmp_path: Path
) -> None:
    (tmp_path / "no.dcm").write_bytes(b"no DICOM")
    out = tmp_path / "out"
    command = ["predict", str(ge_head), str(tmp_path / "no.dcm"), "--out", str(out)]
    first = CliRunner().invoke(application(), command)
    assert first.exit_code == 3, first.output
    again = CliRunner().invoke(application(), [*command, "--resume"])
    assert again.exit_code == 3, again.output
    lines = again.output.splitlines()
    assert lines[0].startswith("1 skipped scan-")
    assert lines[1].startswith(f"2 refused {tmp_path / 'no.dcm'}: HC102")
    assert lines[2].startswith("0 predicted, 1 not, 1 skipped, done before")
    assert len(lines) == 4  # the last is the model's notice
    rows = list(csv.DictReader((out / "predictions.csv").open(encoding="utf-8", newline="")))
    assert [row["status"] for row in rows] == ["done", "refused"]


def test_the_linkage_is_never_copied_into_what_is_shared(ge_head: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ge_head, source / "DOE^JANE")
    done = CliRunner().invoke(
        application(), ["predict", str(source / "DOE^JANE"), "--out", str(source / "out")]
    )
    assert done.exit_code == 0, done.output
    for name in ("linkage.csv", "names.json"):
        assert (source / "out" / name).stat().st_mode & 0o777 == 0o600
    assert "DOE^JANE" in (source / "out" / "linkage.csv").read_text()
    clean, dataset = tmp_path / "clean", tmp_path / "dataset"
    for command in (["deidentify", "--out", str(clean)], ["ingest", "--out", str(dataset)]):
        CliRunner().invoke(application(), [*command, str(source)])
    for path in (*clean.rglob("*"), *dataset.rglob("*")):
        assert path.name not in ("linkage.csv", "names.json")
        assert path.is_dir() or b"DOE^JANE" not in path.read_bytes()
    assert list(clean.rglob("*.dcm"))


def test_in_a_terminal_a_bar_shows_the_time_left(hemocast, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(b"no DICOM")
    ours, theirs = pty.openpty()
    command = [HEMOCAST, "predict", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "out"]
    done = subprocess.run(
        [*map(str, command)], stdout=theirs, stderr=theirs, timeout=300,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "200"},
    )  # fmt: skip
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # how Linux tells that the other end is closed
        while piece := os.read(ours, 65536):
            said += piece
    os.close(ours)
    assert done.returncode == 4
    assert b"Predicting" in said
    assert b"-:--:--" in said or b"0:00:0" in said
    plain = hemocast("predict", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "out")
    assert "Predicting" not in plain.stdout
    assert [line[:9] for line in plain.stdout.splitlines()[:2]] == ["1 refused", "2 refused"]


def test_under_a_key_a_scan_is_called_as_ingest_calls_it(ge_head: Path, tmp_path: Path) -> None:
    key = ["--key", str(tmp_path / "project.key")]
    out, dataset = tmp_path / "out", tmp_path / "dataset"
    for command in (["predict", "--out", str(out)], ["ingest", "--out", str(dataset)]):
        done = CliRunner().invoke(application(), [*command, str(ge_head), *key])
        assert done.exit_code == 0, done.output
    (row,) = csv.DictReader((out / "predictions.csv").open(encoding="utf-8", newline=""))
    (scan,) = csv.DictReader((dataset / "scans.tsv").open(encoding="utf-8"), delimiter="\t")
    assert row["participant_id"] == scan["participant_id"]
    assert row["scan_id"] == scan["scan_id"]
    done = CliRunner().invoke(application(), ["predict", str(ge_head), "--out", str(out)])
    assert isinstance(done.exception, UsageError)
    assert "named by a key" in str(done.exception)


def test_a_clinical_table_that_no_score_can_use_is_refused_before_any_scan(
    ge_head: Path, hemocast, tmp_path: Path
) -> None:
    table = tmp_path / "c.csv"
    for content, said in (
        ("participant_id,shoe_size\nsub-1,42\n", "another that a score asks for, is missing"),
        ("participant_id,nihss\nsub-1,99\n", "nihss"),
    ):
        table.write_text(content)
        done = hemocast("predict", ge_head, "--clinical", table, "--out", tmp_path / "out")
        assert done.returncode == 4, done.stderr
        assert said in done.stderr
        assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_processes_give_the_same_tables_and_files_as_one(ge_head: Path, tmp_path: Path) -> None:
    (tmp_path / "no.dcm").write_bytes(b"no DICOM")
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
        for path in ge_head.rglob("*"):
            archive.write(path, path.name) if path.is_file() else None
    paths = (tmp_path / "scan.zip", tmp_path / "no.dcm", ge_head)
    key = ("--key", tmp_path / "project.key")
    one = predict(*paths, *key, out=tmp_path / "one")
    two = predict(*paths, *key, "--workers", 2, out=tmp_path / "two")
    assert one.returncode == two.returncode == 3, two.stdout + two.stderr
    for name in ("predictions.csv", "linkage.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    (made,) = (path for path in (tmp_path / "one").iterdir() if path.is_dir())
    for path in made.iterdir():
        assert path.read_bytes() == (tmp_path / "two" / made.name / path.name).read_bytes()
    assert [line.split()[:2] for line in two.stdout.splitlines()[:3]] == [
        ["1", "done"], ["2", "refused"], ["3", "done"]
    ]  # fmt: skip
