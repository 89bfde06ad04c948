"""Settings of the pages and of the collector: safe unless somebody says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from hemocast.serve.hospital.people.settings import CollectorConfig, WebConfig


def test_by_default_nobody_else_reaches_it_and_nothing_leaves() -> None:
    assert WebConfig().host == "127.0.0.1"
    collector = CollectorConfig()
    assert collector.host is None
    assert collector.transport == "tls"


@pytest.mark.parametrize("half", [{"certificate": Path("a.pem")}, {"key": Path("a.pem")}])
def test_a_certificate_without_its_key_is_refused(half: dict[str, Path]) -> None:
    with pytest.raises(ValidationError, match="belong together"):
        CollectorConfig(**half)


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="prot"):
        WebConfig.model_validate({"prot": 80})
