"""Other nodes: their status alone is trusted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hemocast.errors import PeerRefused
from hemocast.serve.hospital.peers import Caller
from hemocast.serve.hospital.settings import NodeConfig, Peer

Study = Callable[..., list[Path]]


HASTY = Caller(NodeConfig(), 1.0)


@pytest.fixture
def caller() -> Caller:
    return Caller(NodeConfig(), 30.0)


def peer(port: int, title: str = "PACS") -> Peer:
    return Peer(name="pacs", ae_title=title, host="127.0.0.1", port=port)


@pytest.fixture
def silent() -> Iterator[int]:
    """Give a port that takes connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.fixture
def rude() -> Iterator[int]:
    """Give a port that ends every connection at once."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def end() -> None:
            while True:
                try:
                    listening.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=end, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def test_a_peer_that_takes_objects_has_them(
    caller: Caller, storescp: Callable[..., tuple[int, Path]], small_study: Study, tmp_path: Path
) -> None:
    port, folder = storescp()
    files = small_study(tmp_path / "s", "P1", 3)
    caller.echo(peer(port))
    sent = list(caller.store(peer(port), files))
    assert [(one.file, one.taken, one.answer) for one in sent] == [
        (file, True, "status 0000") for file in files
    ]
    assert len(list(folder.iterdir())) == 3


def test_a_peer_that_refuses_hangs_or_resets_has_nothing(
    caller: Caller,
    storescp: Callable[..., tuple[int, Path]],
    small_study: Study,
    tmp_path: Path,
    silent: int,
    rude: int,
) -> None:
    files = small_study(tmp_path / "s", "P1", 2)
    for port in (silent, rude):
        with pytest.raises(PeerRefused):
            list(HASTY.store(peer(port), files))
        with pytest.raises(PeerRefused):
            HASTY.echo(peer(port))
    port, _ = storescp("--refuse")
    with pytest.raises(PeerRefused, match="rejects"):
        list(caller.store(peer(port), files))
    for how in (["--abort-during"], ["--sleep-during", "5"]):
        port, _ = storescp(*how)
        assert not taken(HASTY, port, files)


def taken(caller: Caller, port: int, files: list[Path]) -> bool:
    try:
        return any(one.taken for one in caller.store(peer(port), files))
    except PeerRefused:  # a busy machine may take longer than a second to associate
        return False


def test_what_a_peer_does_not_accept_is_said(
    caller: Caller, storescp: Callable[..., tuple[int, Path]], small_study: Study, tmp_path: Path
) -> None:
    port, _ = storescp()
    (plain,) = small_study(tmp_path / "s", "P1", 1)
    (packed,) = small_study(tmp_path / "s", "P2", 1, transfer_syntax="1.2.840.10008.1.2.5")
    sent = list(caller.store(peer(port), [packed, plain]))
    assert [(one.taken, one.answer) for one in sent] == [
        (False, "not accepted (ValueError)"),
        (True, "status 0000"),
    ]
