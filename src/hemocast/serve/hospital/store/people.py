"""The tables of people: accounts, sessions, tokens, the audit log, outcomes.

As for `hemocast.serve.hospital.store.tables`, a change here needs a migration.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
)

from hemocast.serve.hospital.store.tables import META


def _account() -> Column[int]:
    return Column("account", Integer, ForeignKey("hospital_accounts.id"), nullable=False)


def _secret() -> Column[str]:
    """SHA-256 of a token of 256 random bits: who reads the database cannot use it."""
    return Column("digest", String(64), nullable=False, unique=True)


ACCOUNTS = Table(
    "hospital_accounts",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("password", Text, nullable=False),  # Argon2id, with its parameters and salt
    Column("role", String(12), nullable=False),
    Column(
        "enabled", Integer, CheckConstraint("enabled IN (0, 1)", name="enabled"), nullable=False
    ),
    Column("changed_at", String(32), nullable=False),
    Column("identity", String(64), unique=True, index=True),  # of the provider; null: local
    CheckConstraint("role IN ('reader', 'engineer', 'admin')", name="role"),
)
SESSIONS = Table(
    "hospital_sessions",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _secret(),
    _account(),
    Column("began", BigInteger, nullable=False),  # Unix time
    Column("seen", BigInteger, nullable=False),
)
TOKENS = Table(
    "hospital_tokens",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _secret(),
    _account(),
    Column("label", String(40), nullable=False),
    Column("scope", String(12), nullable=False),
    Column("ends", BigInteger, nullable=False),  # Unix time
    Column("made_at", String(32), nullable=False),
    CheckConstraint("scope IN ('results', 'studies', 'metrics')", name="scope"),
)
AUDIT = Table(
    "hospital_audit",
    META,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("who", String(80), nullable=False),
    Column("address", String(64), nullable=False),
    Column("studies", Text, nullable=False),  # their numbers, with commas between
    Column("detail", Text, nullable=False),
    Column("success", Integer, nullable=False),
    Column("digest", String(64), nullable=False),  # keyed, of this row and the digest before
)
"""Added to and never changed. Nothing in it identifies a patient but for who has the studies."""

AUDIT_END = Table(
    "hospital_audit_end",
    META,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("sent", Integer, nullable=False),
)
"""One row: where the log ends, and how much of it the collector has."""

OUTCOMES = Table(
    "hospital_outcomes",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", Integer, ForeignKey("hospital_studies.id"), nullable=False, index=True),
    Column("blood", Integer, CheckConstraint("blood IN (0, 1)", name="blood"), nullable=False),
    Column("grade", String(8), nullable=False),
    Column("seen_on", String(10), nullable=False),
    Column("who", String(80), nullable=False),
    Column("at", String(32), nullable=False),
)
"""Added to and never changed: of a study the last row holds."""
