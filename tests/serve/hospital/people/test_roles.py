"""Roles and scopes: who may do what."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hemocast.errors import UsageError
from hemocast.serve.hospital.people.roles import Role, Scope, role_of, scope_of


def test_each_role_may_what_those_before_it_may() -> None:
    order = [Role.READER, Role.ENGINEER, Role.ADMIN]
    for at, role in enumerate(order):
        assert [role.may(least) for least in order] == [at >= number for number in range(3)]


def test_sending_and_measures_are_the_engineers() -> None:
    assert [scope.role for scope in Scope] == [Role.READER, Role.ENGINEER, Role.ENGINEER]


@pytest.mark.parametrize("read", [role_of, scope_of])
def test_an_unknown_word_is_refused(read: Callable[[str], object]) -> None:
    with pytest.raises(UsageError, match="one of"):
        read("root")


def test_known_words_are_read() -> None:
    assert role_of("admin") is Role.ADMIN
    assert scope_of("metrics") is Scope.METRICS
