"""``hemocast readers`` as a study's leader meets it: create, serve, read, export."""

from __future__ import annotations

import csv
import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from hemocast.dicom import write_nifti
from hemocast.files import write_table

HEMOCAST = Path(sys.executable).with_name("hemocast")
httpx = pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")


@pytest.fixture
def run(
    hemocast: Callable[..., subprocess.CompletedProcess[str]],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs one of the commands for readers."""
    return partial(hemocast, "readers")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One SIMULATED head of ellipsoids."""
    root = tmp_path_factory.mktemp("cli") / "ds"
    across = (np.arange(80) - 39.5) * 2.6
    z, y, x = np.meshgrid((np.arange(30) - 14.5) * 5, across, across, indexing="ij")
    radius = np.sqrt((x / 66) ** 2 + (y / 82) ** 2 + (z / 66) ** 2)
    hu = np.full(radius.shape, -1000.0)
    hu[radius < 1.18], hu[radius < 1.1] = 30, 900
    hu[(radius < 1) & ~((z < -28) & (y < 5))] = 36  # bone under the front: a ball lies anyhow
    hu[((np.abs(x) - 15) / 9) ** 2 + (y / 32) ** 2 + ((z - 5) / 18) ** 2 < 1] = 8
    affine = np.diag([-2.6, -2.6, 5, 1.0])
    folder = root / "sub-a1" / "ses-01" / "ct"
    folder.mkdir(parents=True)
    write_nifti(hu, affine, folder / "sub-a1_ses-01_ct.nii.gz")
    content = {"participant_id": "sub-a1", "session": "ses-01", "scan_uid": "u"}
    content |= {"acq_time": None, "age": None, "sex": "", "simulated": True}
    content |= {"shape": [30, 80, 80], "spacing_mm": [5.0, 2.6, 2.6]}
    content |= {"facts": {}, "corrected": [], "doubts": []}
    (folder / "sub-a1_ses-01_ct.json").write_text(json.dumps(content))
    row = {"participant_id": "sub-a1", "scan_id": "sub-a1_ses-01", "blood": 0, "label": 1}
    write_table(root / "scans.tsv", [row], ["participant_id", "scan_id", "blood"])
    write_table(root / "labels.tsv", [row], ["participant_id", "label"])
    made_by = [{"Name": "hemocast"}]
    description = {"DatasetType": "raw", "GeneratedBy": made_by, "Simulated": True}
    (root / "dataset_description.json").write_text(json.dumps(description))
    return root


def test_create_serve_read_export(run, dataset: Path, tmp_path: Path) -> None:
    made = run("create", dataset, "--study", "s", "--reader", "Ann", "--repeats", "0")
    assert made.returncode == 0, made.stderr
    assert "1 cases, 0 of them twice, 1 readers, unaided" in made.stdout
    port = free_port()
    command = [HEMOCAST, "readers", "serve", dataset, "--study", "s", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        link = re.fullmatch(r"Ann: (http\S+)\n", server.stdout.readline()).group(1)
        assert link.startswith(f"http://127.0.0.1:{port}/r/")
        assert "Reading room" in server.stdout.readline()
        retry = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=retry, base_url=f"http://127.0.0.1:{port}") as reader:
            assert "Open the reading room" in reader.get(link).text
            assert run("links", dataset, "--study", "s").stdout == "Ann: not used yet\n"
            reader.post(link, json={}, headers={"X-Hemocast-Reading": "1"})
            key = reader.get("/api/state").json()["current"]
            answer = {"probability": 0.7, "decision": 1, "confidence": 5, "seconds": 9}
            answer |= {"answer_id": str(uuid4()), "final": True}
            sent = reader.post(
                f"/api/case/{key}/answer", json=answer, headers={"X-Hemocast-Reading": "1"}
            )
            assert sent.status_code == 200
            assert "server" not in sent.headers
            again = reader.post(link, json={}, headers={"X-Hemocast-Reading": "1"})
            assert again.status_code == 410
            assert run("links", dataset, "--study", "s").stdout == "Ann: used\n"
            new = run("links", dataset, "--study", "s", "--reader", "Ann", "--new").stdout
            link = re.fullmatch(r"Ann: http://127.0.0.1:8765(/r/\S+)\n", new).group(1)
            assert reader.get("/api/state").status_code == 401  # the older link's sitting ends
            entered = reader.post(link, json={}, headers={"X-Hemocast-Reading": "1"})
            assert entered.status_code == 303
            assert reader.get("/api/state").json()["reader"] == "Ann"
        another = run("serve", dataset, "--study", "s", "--port", free_port())
        assert (another.returncode, another.stderr[:6]) == (2, "HC007 ")
        assert "/r/" not in another.stdout  # no link that nobody serves
        taken = run("serve", dataset, "--study", "new", "--port", port)
        assert (taken.returncode, taken.stderr[:6]) == (2, "HC007 ")
        assert not (dataset / "derivatives" / "hemocast" / "readers" / "new").exists()
    finally:
        server.kill()  # whatever ends the server, the study is free again
        server.wait(20)
    again = run("create", dataset, "--study", "s", "--reader", "Ann", "--repeats", "0")
    assert again.returncode == 0, again.stderr
    (tmp_path / "notes.txt").write_text("mine")
    full = run("export", dataset, "--study", "s", "--out", tmp_path)
    assert (full.returncode, full.stderr[:6]) == (2, "HC004 ")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    done = run("export", dataset, "--study", "s", "--out", tmp_path / "out")
    assert done.returncode == 0
    assert "SIMULATED" in done.stdout
    with (tmp_path / "out" / "readings.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["reader_id"], row["scan_id"]) == ("Ann", "sub-a1_ses-01")
    assert (row["probability"], row["decision"], row["seconds"]) == ("0.7", "1", "9")
    assert row["simulated"] == "1"
    again = run("export", dataset, "--study", "s", "--out", tmp_path / "out")
    assert again.returncode == 0  # an export, unchanged since, is replaced
    other = run("create", dataset, "--study", "s", "--reader", "Bo")
    assert (other.returncode, other.stderr[:6]) == (2, "HC004 ")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_an_out_that_is_a_file_is_refused_and_stays(run, dataset: Path, tmp_path: Path) -> None:
    assert run("create", dataset, "--study", "f", "--repeats", "0").returncode == 0
    (tmp_path / "file").write_text("mine")
    done = run("export", dataset, "--study", "f", "--out", tmp_path / "file")
    assert (done.returncode, done.stderr[:6]) == (2, "HC005 ")
    assert (tmp_path / "file").read_text() == "mine"
    assert "Traceback" not in done.stderr


def test_nobody_but_the_studys_readers_gets_a_link(run, dataset: Path) -> None:
    assert (
        run("create", dataset, "--study", "k", "--reader", "Ann", "--repeats", "0").returncode == 0
    )
    done = run("links", dataset, "--study", "k", "--reader", "Bo", "--new")
    assert (done.returncode, done.stderr[:6], done.stdout) == (2, "HC001 ", "")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("export", "--study", "never"), 4, "HC101 "),
        (("create", "--study", "../x"), 2, "HC002 "),
        (("create", "--study", "r", "--reader", "a b"), 2, "HC002 "),
        (("export", "--study", "s"), 2, "Missing argument"),
        (("export", "--study", "s", "--out", Path(__file__)), 2, "HC005 "),
        (("export", "--study", "r"), 4, "HC101 "),
        (("links", "--study", "never"), 4, "HC101 "),
        (("links", "--study", "s", "--address", "ftp://room.org"), 2, "HC001 "),
        (("serve", "--study", "s", "--host", "0.0.0.0"), 2, "HC001 "),  # noqa: S104
        (("serve", "--study", "s", "--address", "https://room.org/read"), 2, "without a path"),
        (("serve", "--study", "s", "--address", "http://room.org:99999"), 2, "HC001 "),
        (("serve", "--study", "s", "--port", "99999"), 2, "HC001 "),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(
    run, dataset: Path, arguments: tuple[object, ...], code: int, words: str
) -> None:
    command, *rest = arguments
    done = run(command, *([] if "argument" in words else [dataset]), *rest)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
