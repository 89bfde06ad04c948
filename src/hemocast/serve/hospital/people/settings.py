"""Settings of the web pages, and of who may use them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from hemocast.config import Settings


class WebConfig(Settings):
    """The worklist, and the interface for other programs."""

    host: str = Field("127.0.0.1", description="interface to listen on")
    port: int = Field(8090, ge=1, le=65535)
    address: str | None = Field(
        None, description="where browsers reach it: https://..., behind a proxy with TLS"
    )
    idle_minutes: int = Field(30, ge=1, le=1440, description="a session ends when unused for")
    session_hours: int = Field(12, ge=1, le=168, description="and so long after it began")
    upload_mb: int = Field(2048, ge=1, le=65_536, description="of one study sent over the web")


class CollectorConfig(Settings):
    """Where audit messages go (DICOM PS3.15 A.5, by syslog); they identify patients."""

    host: str | None = Field(None, description="none: they stay in the database")
    port: int = Field(6514, ge=1, le=65535)
    transport: Literal["tls", "tcp", "udp"] = Field(
        "tls", description="tcp and udp send patients' identifiers unencrypted"
    )
    authorities: Path | None = Field(
        None, description="PEM of who vouches for the collector; default: the system's"
    )
    certificate: Path | None = Field(None, description="PEM, shown to the collector")
    key: Path | None = Field(None, description="PEM, of the certificate")

    @model_validator(mode="after")
    def _certificate_is_whole(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        return self
