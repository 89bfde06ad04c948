"""The folder for ``flwr run`` names programs that there are."""

from __future__ import annotations

import ast
import tomllib
from importlib.util import find_spec
from pathlib import Path

from hemocast.federate.flower.project import write_app


def test_the_app_names_what_the_package_has(tmp_path: Path) -> None:
    write_app(tmp_path / "app")
    told = tomllib.loads((tmp_path / "app" / "pyproject.toml").read_text())["tool"]["flwr"]["app"]
    assert told["components"] == {
        "serverapp": "federation.parts:server", "clientapp": "federation.parts:client",
    }  # fmt: skip
    parts = ast.parse((tmp_path / "app" / "federation" / "parts.py").read_text())
    named = next(one for one in parts.body if isinstance(one, ast.ImportFrom))
    assert find_spec(str(named.module)) is not None
    assert {one.name for one in named.names} == {"client", "server"}
    program = Path(str(find_spec(str(named.module)).origin)).read_text()  # type: ignore[union-attr]
    assert "client = ClientApp()" in program
    assert "server = ServerApp()" in program
