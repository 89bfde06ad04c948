"""``hemocast serve`` as the engineer on call meets it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("pynetdicom", reason="the extra 'serve' is not installed")

import hemocast.serve
from hemocast.dicom import CTHeader, make_uid, write_ct
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.people.audit import Audit, Kind
from hemocast.serve.hospital.service import opened
from hemocast.serve.hospital.settings import read_settings
from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.jobs import State

Run = Callable[..., subprocess.CompletedProcess[str]]
HEMOCAST = Path(sys.executable).with_name("hemocast")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "serve.yaml"
    path.write_text(
        f"node: {{port: 0}}\nstorage: {{root: {tmp_path / 'data'}, reserve_gb: 0}}\n"
        "delivery: {peers: [{name: pacs, ae_title: PACS, host: 127.0.0.1, port: 1}], timeout_s: 1}"
        "\npull: {queries: [{name: heads, peer: pacs}]}"
    )
    return path


@pytest.fixture
def run(hemocast: Run, config: Path) -> Run:
    def _run(*words: object) -> subprocess.CompletedProcess[str]:
        return hemocast("serve", *words, "--config", config)

    return partial(_run)


@pytest.fixture
def study(config: Path, tmp_path: Path) -> str:
    """Name of a study that failed."""
    uid = make_uid("one")
    header = CTHeader(
        patient_id="SECRETID", patient_name="SECRET^NAME", study_uid=uid,
        series_uid=make_uid(uid, 1), accession_number="ACC1",
    )  # fmt: skip
    axial = (1, 0, 0, 0, 1, 0)
    import numpy as np

    paths = write_ct(np.zeros((1, 16, 16)), [[0, 0, 0]], axial, (2, 2), header, tmp_path / "s")
    with opened(read_settings(config)) as office:
        copy = office.root.incoming / "x"
        shutil.copy(paths[0], copy)
        Inbox(office.root, Arrivals(office.database)).take(copy, "A")
        job = office.jobs.move(office.jobs.get(1), State.FAILED, error=("HC008", "HC008 Ended."))
        return job.name


def test_the_settings_are_written_once(hemocast: Run, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    assert hemocast("serve", "init", "--out", path).returncode == 0
    assert "ae_title" in path.read_text()
    assert hemocast("serve", "init", "--out", path).returncode == 2


def test_jobs_are_told_without_a_patient(run: Run, study: str) -> None:
    told = run("jobs")
    assert f"{study}  failed" in told.stdout
    assert "1 failed" in told.stdout
    assert study not in run("jobs", "--state", "refused").stdout
    history = run("jobs", "ACC1").stdout
    assert "received" in history
    assert "HC008" in history
    assert not any(word in told.stdout + history for word in ("SECRET", "ACC1"))
    assert run("jobs", "NONE").returncode == 2


def test_a_study_is_processed_anew_or_retired_by_accession(run: Run, study: str) -> None:
    assert "begins anew as revision 2" in run("reprocess", "ACC1", "--who", "A").stdout
    assert run("retire", "ACC1").returncode == 2  # it is under way
    assert f"{study}  received" in run("jobs").stdout


def test_images_are_deleted_when_asked_for(run: Run, study: str) -> None:
    assert "images deleted" in run("retire", "ACC1").stdout
    assert run("reprocess", "ACC1").returncode == 2


def test_delivery_is_a_named_persons_decision(run: Run, config: Path) -> None:
    assert "delivery is off" in run("deliver", "status").stdout
    assert run("deliver", "on").returncode == 2
    assert run("deliver", "on", "--who", "A. Person").returncode == 0
    assert run("deliver", "off", "--who", "B. Person").returncode == 0
    told = run("deliver", "status").stdout
    assert "delivery-on  A. Person" in told
    assert told.endswith("delivery is off\n")
    with opened(read_settings(config)) as office:
        audit = Audit(office.database, office.root.key)
        acts = [entry.act for entry in audit.entries() if entry.act.kind is Kind.DELIVERY]
        assert [act.detail for act in acts] == [
            "results turned off by B. Person",
            "results turned on by A. Person",
        ]
        assert all(act.by.name.startswith("cli:") for act in acts)
        assert audit.check() is None


def test_monitor_runs_on_what_is_exported(
    run: Run, hemocast: Run, study: str, tmp_path: Path, config: Path
) -> None:
    out, reference = tmp_path / "history", tmp_path / "reference.csv"
    told = run("export", "--out", out)
    assert "1 scans, 0 with an outcome" in told.stdout
    assert not any(word in (out / "history.csv").read_text() for word in ("SECRET", "ACC1"))
    reference.write_text("probability\n" + "".join(f"{k / 40}\n" for k in range(40)))
    watched = hemocast(
        "monitor", out / "history.csv", "--compare-with", reference, "--out", tmp_path / "watched"
    )
    assert "1 scans: 0 with a result, 0 refused" in watched.stdout, watched.stderr
    assert (tmp_path / "watched" / "report.html").is_file()
    assert run("export", "--out", out).returncode == 0  # its own files are replaced
    with opened(read_settings(config)) as office:
        acts = [entry.act.kind for entry in Audit(office.database, office.root.key).entries()]
        assert acts == [Kind.EXPORT, Kind.EXPORT]


def test_what_to_send_again_must_be_said(run: Run, study: str) -> None:
    assert run("resend").returncode == 2
    assert run("resend", "ACC1", "--withheld").returncode == 2
    told = run("resend", "ACC1")
    assert "0 object(s)" in told.stdout
    assert "Delivery is off" in told.stdout
    assert "0 object(s)" in run("resend", "--withheld").stdout


def test_a_peer_that_is_away_is_told(run: Run) -> None:
    told = run("echo")
    assert told.returncode == 4
    assert "pacs: HC010" in told.stdout
    assert run("echo", "nobody").returncode == 2


def test_what_a_pacs_that_is_away_does_not_give_is_told(run: Run, study: str) -> None:
    for more in ([], ["heads", "--accession", "A"], ["--of", "ACC1"]):
        told = run("pull", *more)
        assert told.returncode == 4, told
        assert "heads: HC010" in told.stdout
    for wrong in (["nobody"], ["--of", "NONE"], ["--patient", "*"]):
        assert run("pull", *wrong).returncode == 2


def test_without_its_extra_it_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("hemocast.serve.hospital")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(hemocast.serve, "hospital", raising=False)  # put back as it was, whole
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    told = run("run")
    assert told.returncode == 2
    assert "HC003" in told.stderr


def test_the_service_runs_until_it_is_told_to_stop(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config.write_text(f"{config.read_text()}\nweb: {{port: {port}}}\n")
    process = subprocess.Popen(
        [HEMOCAST, "serve", "run", "--config", config],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    line = process.stdout.readline()
    assert "HEMOCAST on 127.0.0.1 port" in line
    assert f"pages http://127.0.0.1:{port}" in line
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/alive", timeout=30) as answer:
        assert answer.status == 204
    assert "results stay here" in line
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in said
