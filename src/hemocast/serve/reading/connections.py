"""How long the reading room waits for a request, and how many may be waited for."""

from __future__ import annotations

import asyncio

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

WHOLE_REQUEST_S = 30.0
"""From connecting, or from its first byte, to the end of a request's body: 1 MiB at 280 kbit/s."""

MOST_UNFINISHED = 500
"""Connections whose request is not whole yet; past it the one that has waited longest is cut off.
A reader's request is whole within moments: whoever opens thousands and sends nothing shuts nobody
out. The usual limit of 1024 open files leaves as many for the others."""

_MOST_CONNECTIONS = 900
_MOST_HEADERS = 16 * 1024
_IDLE_S = 5


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that does not wait for ever for the end of a request."""

    unfinished: dict[PatientProtocol, asyncio.TimerHandle]
    """Of this server, those that have waited longest first."""

    whole_s: float | None = None
    """Seconds to the end of a request's body; None: `WHOLE_REQUEST_S`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def handle_events(self) -> None:
        """Read on, and see whether the request is whole now."""
        super().handle_events()
        idle = self.timeout_keep_alive_task is not None  # between two requests: uvicorn ends that
        if self.conn.their_state in {h11.IDLE, h11.SEND_BODY} and not idle:
            self._wait()
        else:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self in self.unfinished or self.transport.is_closing():
            return
        whole_s = WHOLE_REQUEST_S if self.whole_s is None else self.whole_s
        self.unfinished[self] = self.loop.call_later(whole_s, self.transport.abort)
        if len(self.unfinished) > MOST_UNFINISHED:
            next(iter(self.unfinished)).cut_off()

    def _wait_no_more(self) -> None:
        timer = self.unfinished.pop(self, None)
        if timer is not None:
            timer.cancel()

    def cut_off(self) -> None:
        """Close the connection at once."""
        self._wait_no_more()
        self.transport.abort()


def server_config(app: ASGIApp, *, whole_s: float | None = None) -> uvicorn.Config:
    """Give the server's settings: no address in a log (links hold tokens), every wait bounded.

    Parameters
    ----------
    app : ASGIApp
        What is served.
    whole_s : float, optional
        In place of `WHOLE_REQUEST_S`.
    """
    own: dict[str, object] = {"unfinished": {}, "whole_s": whole_s}
    protocol = type("Protocol", (PatientProtocol,), own)
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_IDLE_S,
        limit_concurrency=_MOST_CONNECTIONS,
        h11_max_incomplete_event_size=_MOST_HEADERS,
    )
