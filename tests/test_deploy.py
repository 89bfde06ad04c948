"""What is given to run the service in a hospital: linted, since nothing here can run it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[1] / "deploy"
SERVICE = DEPLOY / "hemocast-serve.service"
PINNED = re.compile(r"[\w./-]+:\d+(\.\d+)+[\w.-]*")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile, lines that go on joined."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def test_the_image_is_pinned_runs_as_nobody_and_holds_no_torch(
    instructions: list[tuple[str, str]],
) -> None:
    bases = [value.split()[0] for word, value in instructions if word == "FROM"]
    assert all(PINNED.fullmatch(base) for base in bases)
    users = [value for word, value in instructions if word == "USER"]
    assert [user.split(":")[0].isdigit() and not user.startswith("0") for user in users] == [True]
    words = [word for word, _ in instructions]
    after = words[words.index("USER") :]
    assert "RUN" not in after
    assert {"HEALTHCHECK", "ENTRYPOINT", "CMD"} <= set(after)
    for word, value in instructions:
        if word in ("ENTRYPOINT", "VOLUME"):
            assert isinstance(json.loads(value), list)  # no shell stands between it and a signal
    sources = [value.split()[:-1] for word, value in instructions if word == "COPY"]
    copied = {name for names in sources for name in names if not name.startswith(("-", "/"))}
    assert all((DEPLOY.parent / name).exists() for name in copied)
    assert "[serve,postgres]" in str(instructions)
    assert "train" not in str(instructions)


def test_the_health_check_is_python(instructions: list[tuple[str, str]]) -> None:
    check = next(value for word, value in instructions if word == "HEALTHCHECK")
    program, option, code = json.loads(check[check.index("[") :])
    assert (program, option) == ("python", "-c")
    compile(code, "health", "exec")


def test_compose_names_what_is_there_and_opens_ports_to_this_machine_alone(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "orthanc", "hemocast"}
    for service in services.values():
        assert PINNED.fullmatch(service["image"])
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        assert set(service["networks"]) <= set(compose["networks"])
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        assert set(service.get("depends_on", ())) <= set(services)
        assert "no-new-privileges:true" in service["security_opt"]
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).is_file()
    assert "ports" not in services["postgres"]
    assert services["postgres"]["networks"] == ["inside"]
    assert services["hemocast"]["read_only"]
    assert services["hemocast"]["cap_drop"] == ["ALL"]
    build = services["hemocast"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    assert (DEPLOY / build["context"] / "pyproject.toml").is_file()


def test_the_settings_are_read_and_fit_the_archive(compose: dict[str, Any]) -> None:
    pytest.importorskip("pynetdicom", reason="the extra 'serve' is not installed")
    from hemocast.serve.hospital.settings import read_settings

    settings = read_settings(DEPLOY / "serve.yaml")
    archive = json.loads((DEPLOY / "orthanc.json").read_text())
    ports = {port.split(":")[-1] for port in compose["services"]["hemocast"]["ports"]}
    assert ports == {str(settings.node.port), str(settings.web.port)}
    (peer,) = settings.delivery.peers
    assert (peer.ae_title, peer.port) == (archive["DicomAet"], archive["DicomPort"])
    assert peer.host in compose["services"]
    own = [settings.node.ae_title, "hemocast", settings.node.port]
    assert archive["DicomModalities"]["hemocast"] == own
    assert settings.storage.database == "postgresql://hemocast@postgres/hemocast"


def test_the_unit_is_verified_and_little_is_left_to_it(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / SERVICE.name
    unit.write_text(SERVICE.read_text().replace("/opt/hemocast/bin/hemocast", "/bin/true"))
    verified = subprocess.run([program, "verify", "--man=no", unit], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    # From 0, all is taken from it, to 100 (shown as 10.0).
    checked = subprocess.run(
        [program, "security", "--offline=true", "--threshold=20", "--no-pager", unit],
        capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout[-2000:]
