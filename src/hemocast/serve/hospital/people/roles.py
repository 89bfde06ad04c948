"""Roles of accounts and scopes of tokens: who may do what, in one place."""

from __future__ import annotations

from enum import StrEnum

from hemocast.errors import UsageError


class Role(StrEnum):
    """What an account may do; each may do what those before it may."""

    READER = "reader"
    """See the worklist and the pages of cases, and enter outcomes."""
    ENGINEER = "engineer"
    """Also see the service's health and measures, and send studies."""
    ADMIN = "admin"
    """Also see accounts and the audit log."""

    def may(self, least: Role) -> bool:
        """Tell whether this role is enough where another is the least."""
        order = list(Role)
        return order.index(self) >= order.index(least)


class Scope(StrEnum):
    """What a token of the REST API opens; its account's role must be enough, too."""

    RESULTS = "results"
    STUDIES = "studies"
    METRICS = "metrics"

    @property
    def role(self) -> Role:
        """The least role of who may have such a token."""
        return Role.READER if self is Scope.RESULTS else Role.ENGINEER


def role_of(text: str) -> Role:
    """Read a role; raises `UsageError` where there is none of that name."""
    if text not in list(Role):
        raise UsageError("There is no such role", f"one of {', '.join(Role)}", "Correct it")
    return Role(text)


def scope_of(text: str) -> Scope:
    """Read a scope; raises `UsageError` where there is none of that name."""
    if text not in list(Scope):
        raise UsageError("There is no such scope", f"one of {', '.join(Scope)}", "Correct it")
    return Scope(text)
