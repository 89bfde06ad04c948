"""Settings of the web pages, of who may use them, and of who vouches for them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from hemocast.config import Settings
from hemocast.errors import UsageError
from hemocast.serve.hospital.people.roles import Role


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


class SignInConfig(Settings):
    """The hospital's OpenID Connect provider, beside local accounts."""

    issuer: str | None = Field(
        None, description="https://... of the provider; null: local accounts alone"
    )
    client_id: str = Field("hemocast", min_length=1, description="of this service, there")
    client_secret: Path | None = Field(
        None, description="file with its secret, readable by the service alone; null: it has none"
    )
    authorities: Path | None = Field(
        None, description="PEM of who vouches for the provider; default: the system's"
    )
    label: str = Field("", max_length=60, description="of the way in; default: words of ours")
    scopes: tuple[str, ...] = Field(("openid", "profile"), description="openid must be among them")
    name_claim: str = Field(
        "preferred_username", min_length=1, description="claim of the ID token with the name"
    )
    role_claim: str = Field(
        "groups",
        min_length=1,
        description="claim with groups or roles; a dot leads into a claim: realm_access.roles",
    )
    reader: tuple[str, ...] = Field((), description="groups that make a reader")
    engineer: tuple[str, ...] = Field((), description="groups that make an engineer")
    admin: tuple[str, ...] = Field((), description="groups that make an admin; in none: not let in")
    timeout_s: float = Field(10.0, ge=1, le=60, description="a silent provider is left after")

    def groups(self, role: Role) -> tuple[str, ...]:
        """Give the groups that make a role."""
        return {Role.READER: self.reader, Role.ENGINEER: self.engineer, Role.ADMIN: self.admin}[
            role
        ]

    @field_validator("issuer")
    @classmethod
    def _travels_encrypted(cls, given: str | None) -> str | None:
        if given is not None and (not is_private(given) or urlsplit(given).query):
            raise ValueError("the issuer is https://..., without a question mark")
        return given

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> Self:
        if self.issuer is not None and not any(self.groups(role) for role in Role):
            raise ValueError("reader, engineer or admin must name a group: else nobody is let in")
        if "openid" not in self.scopes:
            raise ValueError("scopes must hold openid")
        return self


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


def is_private(address: str) -> bool:
    """Tell whether what goes to a web address can be read by nobody on its way."""
    found = urlsplit(address)
    loopback = found.hostname in {"127.0.0.1", "::1", "localhost"}
    return bool(found.hostname) and found.scheme in ({"http", "https"} if loopback else {"https"})


def read_secret(path: Path, of: str) -> str:
    """Read a secret from its file.

    Parameters
    ----------
    path : Path
    of : str
        The setting that names it.

    Raises
    ------
    UsageError
        It cannot be read.
    """
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The file of {of} cannot be read ({type(error).__name__})",
            "a file with the secret alone, readable by the service",
            f"Correct {of}",
        ) from error
