"""Options mean the same in every command, and an output is checked before anything else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, get_args, get_type_hints

import pytest
import typer
from typer.models import OptionInfo
from typer.testing import CliRunner

from hemocast.cli.main import application
from hemocast.cli.options import chosen_settings, output
from hemocast.errors import NotWritable, OutputExists
from hemocast.files import claim


def _callbacks(application: typer.Typer) -> Iterator[Callable[..., None]]:
    for command in application.registered_commands:
        assert command.callback is not None
        yield command.callback
    for group in application.registered_groups:
        yield from _callbacks(group.typer_instance)


def test_an_option_has_one_type_whatever_the_command() -> None:
    kinds: dict[str, set[object]] = {}
    for callback in _callbacks(application()):
        hints = get_type_hints(callback, include_extras=True)
        for name, hint in hints.items():
            if name != "return" and isinstance(hint.__metadata__[0], OptionInfo):
                kind = set(get_args(hint.__origin__)) - {type(None)} or {hint.__origin__}
                chosen = all(isinstance(choice, str) for choice in kind)  # of a Literal
                kinds.setdefault(name, set()).update({frozenset(kind)} if chosen else kind)
    assert len(kinds) > 40
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}


def test_every_option_says_what_it_is() -> None:
    for callback in _callbacks(application()):
        for name, hint in get_type_hints(callback, include_extras=True).items():
            if name not in {"return", "seed", "port"}:
                assert hint.__metadata__[0].help, (callback.__name__, name)


def _app(kind: str | None) -> typer.Typer:
    made = typer.Typer(pretty_exceptions_enable=False)

    def command(out: Annotated[Path, output("Where.", kind)]) -> None:
        typer.echo(f"working in {out.name}")

    made.command()(command)
    return made


def test_a_file_in_the_way_is_refused_before_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(_app(None), ["--out", str(tmp_path / "file")])
    assert isinstance(result.exception, NotWritable)
    assert "working" not in result.output


def test_a_kind_refuses_other_folders_and_takes_its_own(tmp_path: Path) -> None:
    with claim(tmp_path / "own", "draft"):
        pass
    (tmp_path / "notes.txt").touch()
    refused = CliRunner().invoke(_app("draft"), ["--out", str(tmp_path)])
    assert isinstance(refused.exception, OutputExists)
    taken = CliRunner().invoke(_app("draft"), ["--out", str(tmp_path / "own")])
    assert taken.output == "working in own\n"
    assert not CliRunner().invoke(_app(None), ["--out", str(tmp_path)]).exit_code


def test_help_needs_no_output() -> None:
    assert CliRunner().invoke(_app("draft"), ["--help"]).exit_code == 0


@pytest.mark.parametrize("name", ["new", "new/below"])
def test_what_is_not_there_yet_is_not_made(tmp_path: Path, name: str) -> None:
    result = CliRunner().invoke(_app(None), ["--out", str(tmp_path / name)])
    assert result.exit_code == 0, result.output
    assert list(tmp_path.iterdir()) == []


def test_held_out_patients_choose_the_network_only_where_nobody_did(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("train: {epochs: 3}\n")
    assert chosen_settings(None, None, None, False).train.encoder == "auto"
    assert chosen_settings(None, "ctnet2d", Path("auto"), False).train.encoder == "auto"
    assert chosen_settings(settings, None, None, False).train.encoder is None
    assert chosen_settings(None, "ctnet2d", None, False).train.encoder is None
    assert chosen_settings(None, None, Path("own"), False).net.name == "hemispheres"
