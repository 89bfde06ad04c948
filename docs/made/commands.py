"""Pages of the command line, made from the commands themselves."""

from __future__ import annotations

import enum
import inspect
import pathlib
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperGroup
from typer.models import ParameterInfo

from hemocast.cli.main import application
from made import literal

FOLDER = "reference/commands"
_WORDS = {bool: "", int: "whole number", float: "number", str: "text", pathlib.Path: "path"}


def pages() -> dict[str, str]:
    """Give a page for every command of the first level, and one that lists them."""
    commands = typer.main.get_command(application()).commands
    listed = [
        "# Commands",
        "",
        "Made from the commands themselves. `hemocast COMMAND --help` prints the same in a terminal.",
        "Exit codes: 0 all well, 2 wrong usage, 3 some scans refused, 4 all refused, 5 a check found",
        "something, 1 Hemocast's own fault. A refusal says its [code](../refusals.md).",
        "",
        "| command | what it does |",
        "|---|---|",
    ]
    made = {}
    for name, command in sorted(commands.items()):
        made[f"{FOLDER}/{name}.md"] = "\n".join(_page(f"hemocast {name}", command))
        listed.append(f"| [`hemocast {name}`]({name}.md) | {_first(command)} |")
    return {f"{FOLDER}/index.md": "\n".join([*listed, ""]), **made}


def _page(path: str, command: Any) -> Iterator[str]:
    yield f"# {path}"
    yield from _body(path, command)
    for inner, child in _below(path, command):
        yield f"## {inner}"
        yield from _body(inner, child)


def _below(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Give all commands of a group, those of its groups too."""
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield f"{path} {name}", child
            yield from _below(f"{path} {name}", child)


def _first(command: Any) -> str:
    return inspect.cleandoc(command.help or "").split("\n\n")[0].replace("\n", " ")


def _body(path: str, command: Any) -> Iterator[str]:
    yield ""
    yield literal(inspect.cleandoc(command.help or ""))
    yield ""
    if isinstance(command, TyperGroup):
        return
    hints = get_type_hints(command.callback, include_extras=True)
    shown = [one for one in command.params if not one.hidden and one.name in hints]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    words = [one.name.upper() + "..." * (one.nargs == -1) for one in arguments]
    needed = [f"{one.opts[0]} {one.name.upper()}" for one in shown
              if one.required and one not in arguments]  # fmt: skip
    yield "```text"
    yield " ".join([path, *words, *needed, "[OPTIONS]"])
    yield "```"
    yield ""
    if shown:
        yield "| option | takes | default | meaning |"
        yield "|---|---|---|---|"
    for one in shown:
        names = [one.name.upper()] if one in arguments else [*one.opts, *one.secondary_opts]
        name = ", ".join(f"`{name}`" for name in names)
        needs = "**needed**" if one.required else _default(one.default)
        yield f"| {name} | {_takes(hints[one.name])} | {needs} | {literal(' '.join((one.help or '').split()))} |"
    yield ""


def _takes(hint: Any) -> str:
    """Say in words what an option takes."""
    info = ""
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        limits = next(note for note in notes if isinstance(note, ParameterInfo))
        info += "" if limits.min is None else f" from {limits.min:g}"
        info += "" if limits.max is None else f" to {limits.max:g}"
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(kind for kind in get_args(hint) if kind is not type(None))
    if get_origin(hint) in (list, tuple):
        return f"{_takes(get_args(hint)[0])}, several"
    if get_origin(hint) is Literal:
        return " or ".join(f"`{word}`" for word in get_args(hint))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return " or ".join(f"`{word.value}`" for word in hint)
    return _WORDS.get(hint, "") + info


def _default(value: Any) -> str:
    if value is None or value is False or value == () or callable(value):
        return ""
    return f"`{value.value if isinstance(value, enum.Enum) else value}`"
