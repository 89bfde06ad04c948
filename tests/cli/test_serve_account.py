"""``hemocast serve account``: accounts and tokens from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("argon2", reason="the extra 'serve' is not installed")
pytest.importorskip("pynetdicom", reason="the extra 'serve' is not installed")
from argon2 import PasswordHasher

from hemocast.cli.serve_account import account
from hemocast.errors import HemocastError, UsageError
from hemocast.serve.hospital.people import accounts
from hemocast.serve.hospital.people.audit import Audit
from hemocast.serve.hospital.people.roles import Scope
from hemocast.serve.hospital.people.tokens import Tokens
from hemocast.serve.hospital.service import opened
from hemocast.serve.hospital.settings import read_settings

PASSWORD = "correct horse battery"  # noqa: S105 - of the tests
Run = Callable[..., str]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(1, 8, 1))
    path = tmp_path / "hospital.yaml"
    path.write_text(f"storage: {{root: {tmp_path / 'data'}}}\n")
    return path


@pytest.fixture
def run(settings: Path) -> Run:
    def _run(command: str, *more: str, given: str = "") -> str:
        found = CliRunner().invoke(
            account, [command, *more, "--config", str(settings)], input=given, catch_exceptions=True
        )
        if isinstance(found.exception, HemocastError):
            raise found.exception
        assert found.exit_code == 0, found.output
        return found.output

    return _run


def test_an_account_is_added_changed_and_told(run: Run, settings: Path) -> None:
    told = run("add", "ann", "--role", "engineer", "--password-stdin", given=f"{PASSWORD}\n")
    assert told == "ann may log in as engineer\n"
    run("add", "bob", given=f"{PASSWORD}\n{PASSWORD}\n")
    run("role", "bob", "admin")
    run("disable", "ann")
    assert run("list") == "ann: engineer, disabled\nbob: admin\n"
    run("enable", "ann")
    run("password", "ann", "--password-stdin", given="another long password\n")
    with opened(read_settings(settings)) as office:
        audit = Audit(office.database, office.root.key)
        check = accounts.Accounts(office.database, audit).check
        assert check("ann", "another long password") is not None
        assert check("ann", PASSWORD) is None
        assert {one.act.by.name.partition(":")[0] for one in audit.entries()} == {"cli"}
        assert PASSWORD not in "".join(one.act.detail for one in audit.entries())
    assert run("check-audit") == "The audit log is as it was written\n"


def test_a_token_is_printed_once_and_revoked(run: Run, settings: Path) -> None:
    run("add", "ann", "--role", "engineer", "--password-stdin", given=f"{PASSWORD}\n")
    token = run("token", "ann", "--scope", "metrics", "--label", "Prometheus").strip()
    listed = run("tokens")
    assert listed.startswith("1: ann, metrics, until 20")
    assert token not in listed
    with opened(read_settings(settings)) as office:
        tokens = Tokens(office.database, Audit(office.database, office.root.key))
        assert tokens.find(token, Scope.METRICS) is not None
        run("revoke", "1")
        assert tokens.find(token, Scope.METRICS) is None


def test_what_is_wrong_is_said(run: Run) -> None:
    for command in (
        ("add", "ann", "--role", "root"), ("role", "nobody", "admin"), ("revoke", "7"),
        ("token", "nobody", "--scope", "results", "--label", "x"),
    ):  # fmt: skip
        with pytest.raises(UsageError):
            run(*command, given=f"{PASSWORD}\n{PASSWORD}\n")
    with pytest.raises(UsageError, match="password"):
        run("add", "ann", "--password-stdin", given="short\n")
    assert run("list") == ""
