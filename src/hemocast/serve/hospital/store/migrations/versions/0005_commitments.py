"""What peers were asked to keep for good, so that a restart does not ask again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table; what was asked before is sent and asked again."""
    op.create_table(
        "hospital_commitments",
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("delivery", sa.Integer(), nullable=False),
        sa.Column("sop_class", sa.String(length=64), nullable=False),
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(length=80), nullable=False),
        sa.CheckConstraint("kept IN (0, 1)", name="hospital_commitments_kept_check"),
        sa.ForeignKeyConstraint(
            ["delivery"], ["hospital_deliveries.id"], name="hospital_commitments_delivery_fkey"
        ),
        sa.PrimaryKeyConstraint("request", name="hospital_commitments_pkey"),
    )
    op.create_index(
        "hospital_commitments_delivery_ix", "hospital_commitments", ["delivery"], unique=False
    )
