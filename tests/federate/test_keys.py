"""Keys are made once, kept for their owner, and read back."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hemocast.errors import NotAgreed, NothingThere
from hemocast.federate.keys import is_signed, make_key, public_of, read_key


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    key = make_key(tmp_path / "site.key")
    again = make_key(tmp_path / "site.key")
    assert public_of(again) == public_of(key)
    assert stat.S_IMODE((tmp_path / "site.key").stat().st_mode) == 0o600
    signature = key.sign(b"plan").hex()
    assert is_signed(b"plan", signature, public_of(key))
    assert not is_signed(b"other", signature, public_of(key))
    assert not is_signed(b"plan", "no hex", public_of(key))


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingThere):
        read_key(tmp_path / "none")
    (tmp_path / "odd").write_text("secret")
    with pytest.raises(NotAgreed):
        read_key(tmp_path / "odd")
