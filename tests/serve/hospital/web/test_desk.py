"""Who asks, and from where."""

from __future__ import annotations

import pytest

from hemocast.errors import UsageError
from hemocast.serve.hospital.people.settings import WebConfig
from hemocast.serve.hospital.web.desk import Desk

from .conftest import Hospital


@pytest.mark.parametrize(
    ("settings", "origin", "cookie"),
    [
        ({}, "http://127.0.0.1:8090", "hemocast"),
        ({"address": "https://ht.example.org/"}, "https://ht.example.org", "__Host-hemocast"),
        ({"host": "::1", "port": 80}, "http://[::1]", "hemocast"),
    ],
)
def test_the_address_decides_about_origin_and_cookie(
    hospital: Hospital, settings: dict[str, object], origin: str, cookie: str
) -> None:
    desk = Desk.of(hospital.desk.root, hospital.desk.database, WebConfig(**settings))
    assert (desk.address.origin, desk.cookie) == (origin, cookie)


@pytest.mark.parametrize("settings", [{"host": "0.0.0.0"}, {"address": "ftp://x"}])  # noqa: S104
def test_an_address_that_no_browser_opens_is_refused(
    hospital: Hospital, settings: dict[str, object]
) -> None:
    with pytest.raises(UsageError):
        Desk.of(hospital.desk.root, hospital.desk.database, WebConfig(**settings))


def test_the_log_names_where_somebody_came_from(hospital: Hospital) -> None:
    hospital.visit().post("/login", data={"name": "reader", "password": "wrong"})
    by = hospital.desk.audit.entries(most=1)[0].act.by
    assert (by.name, by.address) == ("reader", "testclient")
