"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SAY = "events are only added"


def upgrade() -> None:
    """Make the tables, and refuse every change to an event."""
    op.create_table(
        "hospital_studies",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("patient_name", sa.String(length=324), nullable=False),
        sa.Column("accession", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="hospital_studies_pkey"),
        sa.UniqueConstraint("name", name="hospital_studies_name_key"),
        sa.UniqueConstraint("study_uid", name="hospital_studies_study_uid_key"),
    )
    op.create_index(
        "hospital_studies_accession_ix", "hospital_studies", ["accession"], unique=False
    )
    op.create_index(
        "hospital_studies_patient_id_ix", "hospital_studies", ["patient_id"], unique=False
    )
    op.create_table(
        "hospital_deliveries",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("study", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(length=80), nullable=False),
        sa.Column("changed_at", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'withheld', 'failed')",
            name="hospital_deliveries_state_check",
        ),
        sa.ForeignKeyConstraint(
            ["study"], ["hospital_studies.id"], name="hospital_deliveries_study_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="hospital_deliveries_pkey"),
        sa.UniqueConstraint(
            "study",
            "revision",
            "peer",
            "file",
            name="hospital_deliveries_study_revision_peer_file_key",
        ),
    )
    op.create_index("hospital_deliveries_state_ix", "hospital_deliveries", ["state"], unique=False)
    op.create_table(
        "hospital_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("study", sa.Integer(), nullable=True),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(length=80), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study"], ["hospital_studies.id"], name="hospital_events_study_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="hospital_events_pkey"),
    )
    op.create_index("hospital_events_kind", "hospital_events", ["kind", "id"], unique=False)
    op.create_index("hospital_events_study_ix", "hospital_events", ["study"], unique=False)
    op.create_table(
        "hospital_instances",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("study", sa.Integer(), nullable=False),
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("series_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_class", sa.String(length=64), nullable=False),
        sa.Column("syntax", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=40), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["study"], ["hospital_studies.id"], name="hospital_instances_study_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="hospital_instances_pkey"),
        sa.UniqueConstraint("study", "sop_uid", name="hospital_instances_study_sop_uid_key"),
    )
    op.create_table(
        "hospital_jobs",
        sa.Column("study", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("pixels", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "state IN ('received', 'settled', 'read', 'predicted', 'delivered', 'refused', "
            "'failed')",
            name="hospital_jobs_state_check",
        ),
        sa.CheckConstraint("pixels IN (0, 1)", name="hospital_jobs_pixels_check"),
        sa.ForeignKeyConstraint(
            ["study"], ["hospital_studies.id"], name="hospital_jobs_study_fkey"
        ),
        sa.PrimaryKeyConstraint("study", name="hospital_jobs_pkey"),
    )
    op.create_index("hospital_jobs_state_ix", "hospital_jobs", ["state"], unique=False)
    op.create_table(
        "hospital_results",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("study", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("scan", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["study"], ["hospital_studies.id"], name="hospital_results_study_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="hospital_results_pkey"),
        sa.UniqueConstraint(
            "study", "revision", "scan", name="hospital_results_study_revision_scan_key"
        ),
    )
    _freeze_events()


def _freeze_events() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER hospital_events_{verb.lower()} BEFORE {verb} ON hospital_events "
                f"BEGIN SELECT RAISE(ABORT, '{_SAY}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION hemocast_hospital_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_SAY}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER hospital_events_frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON "
        "hospital_events FOR EACH STATEMENT EXECUTE FUNCTION hemocast_hospital_refuse()"
    )
