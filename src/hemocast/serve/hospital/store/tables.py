"""The tables of the hospital's service.

A change here needs a migration (`migrations/versions`) and a dump of the schema before it among the
tests. Times are the system's clock, UTC, for people alone: nothing is decided by them but how long
pixels are kept.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

NAMES = {
    "ix": "%(table_name)s_%(column_0_N_name)s_ix",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}
META = MetaData(naming_convention=NAMES)


def _study() -> Column[int]:
    return Column("study", Integer, ForeignKey("hospital_studies.id"), nullable=False)


STUDIES = Table(
    "hospital_studies",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(32), nullable=False, unique=True),  # of its folders
    Column("study_uid", String(64), nullable=False, unique=True),
    Column("patient_id", String(64), nullable=False, index=True),
    Column("patient_name", String(324), nullable=False),
    Column("accession", String(16), nullable=False, index=True),
    Column("created_at", String(32), nullable=False),
)
"""Never changed: its row is what a worker locks."""

INSTANCES = Table(
    "hospital_instances",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _study(),
    Column("sop_uid", String(64), nullable=False),
    Column("series_uid", String(64), nullable=False),
    Column("sop_class", String(64), nullable=False),
    Column("syntax", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("n_bytes", BigInteger, nullable=False),
    Column("file", String(64), nullable=False),
    Column("sender", String(40), nullable=False),
    Column("received_at", String(32), nullable=False),
    UniqueConstraint("study", "sop_uid"),
)
JOBS = Table(
    "hospital_jobs",
    META,
    Column(
        "study", Integer, ForeignKey("hospital_studies.id"), primary_key=True, autoincrement=False
    ),
    Column("state", String(12), nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("images", Integer, nullable=False),
    Column("expected", Integer),
    Column("attempts", Integer, nullable=False),
    Column("code", String(12), nullable=False),
    Column("message", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("pixels", Integer, nullable=False),
    Column("changed_at", String(32), nullable=False),
    CheckConstraint("pixels IN (0, 1)", name="pixels"),
    CheckConstraint(
        "state IN ('received', 'settled', 'read', 'predicted', 'delivered', 'refused', 'failed')",
        name="state",
    ),
)
RESULTS = Table(
    "hospital_results",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _study(),
    Column("revision", Integer, nullable=False),
    Column("scan", String(120), nullable=False),
    Column("status", String(12), nullable=False),
    Column("code", String(12), nullable=False),
    Column("probability", Float),
    Column("model", String(64), nullable=False),
    Column("made_at", String(32), nullable=False),
    Column("participant", String(80), server_default="", nullable=False),
    Column("scanner", String(80), server_default="", nullable=False),
    Column("site", String(40), server_default="", nullable=False),
    Column("last_slice_at", String(32), server_default="", nullable=False),
    Column("simulated", Integer, server_default="0", nullable=False),
    Column("signs", Text, server_default="{}", nullable=False),  # JSON: name -> number
    UniqueConstraint("study", "revision", "scan"),
)
DELIVERIES = Table(
    "hospital_deliveries",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _study(),
    Column("revision", Integer, nullable=False),
    Column("peer", String(40), nullable=False),
    Column("file", String(200), nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("answer", String(80), nullable=False),
    Column("changed_at", String(32), nullable=False),
    UniqueConstraint("study", "revision", "peer", "file"),
    CheckConstraint("state IN ('waiting', 'sent', 'withheld', 'failed')", name="state"),
)
COMMITMENTS = Table(
    "hospital_commitments",
    META,
    Column("request", String(64), primary_key=True),  # the transaction's UID
    Column("delivery", Integer, ForeignKey("hospital_deliveries.id"), nullable=False, index=True),
    Column("sop_class", String(64), nullable=False),
    Column("sop_uid", String(64), nullable=False),
    Column("kept", Integer, CheckConstraint("kept IN (0, 1)", name="kept")),  # null: no answer
    Column("answer", String(80), nullable=False),
)
"""What peers were asked to keep; a row goes when its answer has been acted on."""

EVENTS = Table(
    "hospital_events",
    META,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", Integer, ForeignKey("hospital_studies.id"), index=True),
    Column("at", String(32), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("who", String(80), nullable=False),
    Column("detail", Text, nullable=False),
    Index("hospital_events_kind", "kind", "id"),
)
"""One row a move, added and never changed. Nothing in it identifies a patient."""
