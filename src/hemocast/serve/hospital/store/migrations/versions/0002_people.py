"""Accounts, sessions, tokens, the audit log, outcomes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_SAY = "rows are only added"


def upgrade() -> None:
    """Make the tables of people, and refuse every change to the audit log and to outcomes."""
    op.create_table(
        "hospital_accounts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("enabled", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "role IN ('reader', 'engineer', 'admin')", name="hospital_accounts_role_check"
        ),
        sa.CheckConstraint("enabled IN (0, 1)", name="hospital_accounts_enabled_check"),
        sa.PrimaryKeyConstraint("id", name="hospital_accounts_pkey"),
        sa.UniqueConstraint("name", name="hospital_accounts_name_key"),
    )
    _secrets()
    _audit()
    _outcomes()
    for table in ("hospital_audit", "hospital_outcomes"):
        _freeze(table)


def _secrets() -> None:
    op.create_table(
        "hospital_sessions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["hospital_accounts.id"], name="hospital_sessions_account_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="hospital_sessions_pkey"),
        sa.UniqueConstraint("digest", name="hospital_sessions_digest_key"),
    )
    op.create_table(
        "hospital_tokens",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "scope IN ('results', 'studies', 'metrics')", name="hospital_tokens_scope_check"
        ),
        sa.ForeignKeyConstraint(
            ["account"], ["hospital_accounts.id"], name="hospital_tokens_account_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="hospital_tokens_pkey"),
        sa.UniqueConstraint("digest", name="hospital_tokens_digest_key"),
    )


def _audit() -> None:
    op.create_table(
        "hospital_audit",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("who", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("studies", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("success", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="hospital_audit_pkey"),
    )
    end = op.create_table(
        "hospital_audit_end",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="hospital_audit_end_pkey"),
    )
    op.bulk_insert(end, [{"id": 1, "last": 0, "digest": "", "sent": 0}])


def _outcomes() -> None:
    op.create_table(
        "hospital_outcomes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("study", sa.Integer(), nullable=False),
        sa.Column("blood", sa.Integer(), nullable=False),
        sa.Column("grade", sa.String(length=8), nullable=False),
        sa.Column("seen_on", sa.String(length=10), nullable=False),
        sa.Column("who", sa.String(length=80), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.CheckConstraint("blood IN (0, 1)", name="hospital_outcomes_blood_check"),
        sa.ForeignKeyConstraint(
            ["study"], ["hospital_studies.id"], name="hospital_outcomes_study_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="hospital_outcomes_pkey"),
    )
    op.create_index("hospital_outcomes_study_ix", "hospital_outcomes", ["study"], unique=False)


def _freeze(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{_SAY}'); END"
            )
        return
    # The function is that of the first schema.
    op.execute(
        f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION hemocast_hospital_refuse()"
    )
