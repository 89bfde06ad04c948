"""What the pages and the REST API work with, and who asks for something."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Form, HTTPException, Request, Response

from hemocast.report.language import Language, language
from hemocast.serve.hospital.people.accounts import Accounts
from hemocast.serve.hospital.people.audit import Act, Audit, Kind, Person
from hemocast.serve.hospital.people.outcomes import Outcomes
from hemocast.serve.hospital.people.roles import Role, Scope
from hemocast.serve.hospital.people.sessions import Session, Sessions
from hemocast.serve.hospital.people.settings import SignInConfig, WebConfig
from hemocast.serve.hospital.people.tokens import Token, Tokens
from hemocast.serve.hospital.people.worklist import Worklist
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.reading.address import Address, address_of, read_address

if TYPE_CHECKING:
    from hemocast.serve.hospital.people.openid.sign_in import SignIn


@dataclass(frozen=True)
class Desk:
    """Everything behind the pages.

    Parameters
    ----------
    root : Root
    database : Database
    audit : Audit
    accounts : Accounts
    sessions : Sessions
    tokens : Tokens
    outcomes : Outcomes
    worklist : Worklist
    settings : WebConfig
    address : Address
        Where people reach it.
    language : Language
        Of the pages.
    sign_in : SignIn or None
        By the hospital's provider; None: there are local accounts alone.
    """

    root: Root
    database: Database
    audit: Audit
    accounts: Accounts
    sessions: Sessions
    tokens: Tokens
    outcomes: Outcomes
    worklist: Worklist
    settings: WebConfig
    address: Address
    language: Language
    sign_in: SignIn | None = None

    @classmethod
    def of(
        cls,
        root: Root,
        database: Database,
        settings: WebConfig,
        lang: str = "en",
        sign_in: SignInConfig | None = None,
    ) -> Desk:
        """Make it of what the service has opened.

        Raises
        ------
        UsageError
            The settings' address is none.
        """
        audit = Audit(database, root.key)
        accounts = Accounts(database, audit)
        outcomes = Outcomes(database, audit)
        sessions = Sessions(
            database,
            accounts,
            audit,
            idle_s=60 * settings.idle_minutes,
            most_s=3600 * settings.session_hours,
        )
        address = (
            read_address(settings.address)
            if settings.address
            else address_of(settings.host, settings.port)
        )
        return cls(
            root=root,
            database=database,
            audit=audit,
            accounts=accounts,
            sessions=sessions,
            tokens=Tokens(database, audit),
            outcomes=outcomes,
            worklist=Worklist(database, outcomes),
            settings=settings,
            address=address,
            language=language(lang),
            sign_in=_sign_in(sign_in, root.key, address.origin),
        )

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; over TLS one that browsers bind to this very host."""
        return "__Host-hemocast" if self.address.secure else "hemocast"

    @property
    def begun_cookie(self) -> str:
        """Name of the cookie of a sign-in under way."""
        return f"{self.cookie}-sign-in"


def _sign_in(settings: SignInConfig | None, secret: bytes, origin: str) -> SignIn | None:
    if settings is None or settings.issuer is None:
        return None
    from hemocast.serve.hospital.people.openid.sign_in import SignIn

    return SignIn(settings, secret, origin)


@dataclass(frozen=True, repr=False)
class Visitor:
    """Somebody logged in who asks for something.

    Parameters
    ----------
    session : Session
    by : Person
    """

    session: Session
    by: Person

    @property
    def role(self) -> Role:
        """What the visitor may do."""
        return self.session.account.role


def desk_of(request: Request) -> Desk:
    """Give the desk of the application that a request came to."""
    desk: Desk = request.app.state.desk
    return desk


def address_from(request: Request) -> str:
    """Where a request came from; behind a proxy on this machine, what the proxy says."""
    return request.client.host if request.client else ""


def let_in(response: Response, desk: Desk, session: Session) -> None:
    """Give a browser the cookie of its session."""
    response.set_cookie(
        desk.cookie,
        session.token,
        httponly=True,
        samesite="strict",
        secure=desk.address.secure,
        path="/",
    )


def visitor_of(request: Request) -> Visitor | None:
    """Give who is logged in, by the request's cookie."""
    desk = desk_of(request)
    token = request.cookies.get(desk.cookie, "")
    session = desk.sessions.find(token) if token else None
    if session is None:
        return None
    return Visitor(session, Person(session.account.name, address_from(request)))


class NotLoggedIn(Exception):
    """A page was asked for without a session."""


def need(least: Role) -> Callable[[Request], Visitor]:
    """Make the check of a page that only some roles may see."""

    def check(request: Request) -> Visitor:
        visitor = visitor_of(request)
        if visitor is None:
            raise NotLoggedIn
        if not visitor.role.may(least):
            route = getattr(request.scope.get("route"), "path", "")
            denied = Act(Kind.DENIED, visitor.by, detail=route, success=False)
            desk_of(request).audit.record(denied)
            raise HTTPException(403, "Your role does not allow this.")
        return visitor

    return check


Reader = Annotated[Visitor, Depends(need(Role.READER))]
Engineer = Annotated[Visitor, Depends(need(Role.ENGINEER))]
Admin = Annotated[Visitor, Depends(need(Role.ADMIN))]


def own_form(visitor: Reader, csrf: Annotated[str, Form(max_length=100)] = "") -> Visitor:
    """Check that a form is of the visitor's own session."""
    if not hmac.compare_digest(csrf.encode(), visitor.session.csrf.encode()):
        raise HTTPException(403, "The form is of an earlier session. Load the page again.")
    return visitor


Sender = Annotated[Visitor, Depends(own_form)]


def need_token(scope: Scope) -> Callable[[Request], Token]:
    """Make the check of an address of the REST API."""

    def check(request: Request) -> Token:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        token = None
        if kind.lower() == "bearer" and 0 < len(given) <= 200:
            token = desk_of(request).tokens.find(given.strip(), scope)
        if token is None:
            raise HTTPException(401, "A valid token is needed.", {"WWW-Authenticate": "Bearer"})
        return token

    return check


def person_of(token: Token, request: Request) -> Person:
    """Give who is behind a token."""
    return Person(f"{token.account.name} (token {token.number})", address_from(request))
