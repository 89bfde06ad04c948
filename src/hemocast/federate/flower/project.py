"""The folder that ``flwr run`` takes: it names what is here, without code of its own."""

from __future__ import annotations

from pathlib import Path

from hemocast.files import write_text


def write_app(folder: Path) -> None:
    """Write the folder that ``flwr run`` takes: it names what is here, without code of its own.

    Parameters
    ----------
    folder : Path
        New.
    """
    (folder / "federation").mkdir(parents=True)
    write_text(folder / "federation" / "__init__.py", "")
    write_text(folder / "federation" / "parts.py", _PARTS)
    write_text(folder / "pyproject.toml", _APP)


_PARTS = """\
from hemocast.federate.flower.apps import client, server

__all__ = ["client", "server"]
"""
_APP = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hemocast-federation"
version = "1.0.0"
description = "Several hospitals, one model"
license = "Apache-2.0"
dependencies = []

[tool.flwr.app]
publisher = "hemocast"

[tool.flwr.app.components]
serverapp = "federation.parts:server"
clientapp = "federation.parts:client"

[tool.flwr.app.config]
folder = ""
patience = 60.0
"""
