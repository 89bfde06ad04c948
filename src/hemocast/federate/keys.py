"""Ed25519 (RFC 8032): who signed. The private key is a file for its owner only."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.errors import MissingExtra, NotAgreed, NothingThere
from hemocast.files import write_new

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def make_key(path: Path) -> Ed25519PrivateKey:
    """Make a private key in a new file (mode 0600), or read the one that is there.

    Raises
    ------
    MissingExtra
        The package cryptography is not installed.
    NotAgreed
        The file holds something else.
    """
    _require()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    if write_new(path, key.private_bytes_raw().hex() + "\n", private=True):
        return key
    return read_key(path)


def read_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key.

    Raises
    ------
    NothingThere
        There is no such file.
    MissingExtra, NotAgreed
        As `make_key` says.
    """
    if not path.is_file():
        raise NothingThere("There is no such key", "the file of a private key", "Check the path")
    _require()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        return Ed25519PrivateKey.from_private_bytes(
            bytes.fromhex(path.read_text(encoding="ascii").strip())
        )
    except ValueError as error:
        raise NotAgreed(
            "The file holds no private key of Hemocast's",
            "64 hexadecimal digits",
            "Name the right file",
        ) from error


def public_of(key: Ed25519PrivateKey) -> str:
    """Return the public key, 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()


def is_signed(content: bytes, signature: str, public: str) -> bool:
    """Whether the owner of a public key signed these bytes."""
    _require()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _require() -> None:
    """Refuse where there is nothing to sign with."""
    if find_spec("cryptography") is None:
        raise MissingExtra(
            "Plans of several hospitals are signed, and the package cryptography is not installed",
            "the extra `federate`",
            'Install it with: pip install "hemocast[federate]"',
        )
