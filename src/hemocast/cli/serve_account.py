"""``hemocast serve account``: who may use the hospital's service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemocast.cli.options import SERVICE, Service

if TYPE_CHECKING:
    from hemocast.serve.hospital.people.accounts import Accounts
    from hemocast.serve.hospital.people.audit import Audit, Person
    from hemocast.serve.hospital.people.tokens import Tokens

account = typer.Typer(
    help="Say who may use the service's pages, and which programs its REST API.",
    no_args_is_help=True,
)

_Name = Annotated[str, typer.Argument(help="The account's name.")]
_Role = Annotated[str, typer.Option(help="reader, engineer or admin.")]
_Stdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@dataclass(frozen=True)
class _Desk:
    """What the commands work with."""

    accounts: Accounts
    tokens: Tokens
    audit: Audit
    by: Person


@contextmanager
def _desk(config: Path) -> Iterator[_Desk]:
    import getpass

    from hemocast.serve import extra_needed

    with extra_needed("The hospital's service"):
        from hemocast.serve.hospital.people.accounts import Accounts
        from hemocast.serve.hospital.people.audit import Audit, Person
        from hemocast.serve.hospital.people.tokens import Tokens
        from hemocast.serve.hospital.service import opened
        from hemocast.serve.hospital.settings import read_settings
    with opened(read_settings(config)) as office:
        audit = Audit(office.database, office.root.key)
        by = Person(f"cli:{getpass.getuser()}")
        yield _Desk(Accounts(office.database, audit), Tokens(office.database, audit), audit, by)


@account.command()
def add(
    name: _Name,
    role: _Role = "reader",
    password_stdin: _Stdin = False,
    config: Service = SERVICE,
) -> None:
    """Add an account; its password is asked for."""
    from hemocast.serve.hospital.people.roles import role_of

    wanted = role_of(role)
    with _desk(config) as desk:
        desk.accounts.add(name, wanted, _password(password_stdin), desk.by)
    print(f"{name} may log in as {wanted}")


@account.command()
def role(
    name: _Name,
    role: Annotated[str, typer.Argument(help="The new role.")],
    config: Service = SERVICE,
) -> None:
    """Give an account another role; its sessions end."""
    from hemocast.serve.hospital.people.roles import role_of

    wanted = role_of(role)
    with _desk(config) as desk:
        desk.accounts.change_role(name, wanted, desk.by)
    print(f"{name} is {wanted}")


@account.command()
def password(name: _Name, password_stdin: _Stdin = False, config: Service = SERVICE) -> None:
    """Give an account another password; its sessions end."""
    with _desk(config) as desk:
        desk.accounts.set_password(name, _password(password_stdin), desk.by)
    print(f"{name} has a new password")


@account.command()
def disable(name: _Name, config: Service = SERVICE) -> None:
    """Let an account in no more: its sessions end, its tokens open nothing."""
    with _desk(config) as desk:
        desk.accounts.enable(name, desk.by, on=False)
    print(f"{name} may log in no more")


@account.command()
def enable(name: _Name, config: Service = SERVICE) -> None:
    """Let a disabled account in again."""
    with _desk(config) as desk:
        desk.accounts.enable(name, desk.by, on=True)
    print(f"{name} may log in again")


@account.command("list")
def list_(config: Service = SERVICE) -> None:
    """Tell all accounts."""
    with _desk(config) as desk:
        for one in desk.accounts.all():
            told = f"{one.name}: {one.role}{'' if one.enabled else ', disabled'}"
            print(told if one.local else f"{told}, by the provider")


@account.command()
def token(
    name: _Name,
    scope: Annotated[
        str,
        typer.Option(
            help="results (ask for them), studies (also send), or metrics (Prometheus, health)."
        ),
    ],
    label: Annotated[str, typer.Option(help="What it is for.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it holds.")] = 365,
    config: Service = SERVICE,
) -> None:
    """Make a token of the REST API for a program; it is printed once."""
    from hemocast.serve.hospital.people.roles import scope_of

    wanted = scope_of(scope)
    with _desk(config) as desk:
        print(desk.tokens.add(desk.accounts.get(name), wanted, label, days, desk.by))


@account.command()
def tokens(config: Service = SERVICE) -> None:
    """Tell all tokens, and until when they hold."""
    with _desk(config) as desk:
        for one in desk.tokens.all():
            until = datetime.fromtimestamp(one.ends, UTC).date()
            print(f"{one.number}: {one.account.name}, {one.scope}, until {until}: {one.label}")


@account.command()
def revoke(
    number: Annotated[int, typer.Argument(help="Of the token.")],
    config: Service = SERVICE,
) -> None:
    """End a token."""
    with _desk(config) as desk:
        desk.tokens.revoke(number, desk.by)
    print(f"Token {number} opens nothing any more")


@account.command("check-audit")
def check_audit(config: Service = SERVICE) -> None:
    """Prove that the audit log is what was written. Exit code 5: it was changed."""
    from hemocast.cli.exits import leave_if_found

    with _desk(config) as desk:
        wrong = desk.audit.check()
    print("The audit log is as it was written" if wrong is None else f"Entry {wrong} is wrong")
    leave_if_found(0 if wrong is None else 1)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return given
