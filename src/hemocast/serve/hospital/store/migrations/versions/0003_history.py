"""What a trial's history tells of each result: whose, from where, when, and what was measured."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TEXTS = {"participant": 80, "scanner": 80, "site": 40, "last_slice_at": 32}


def upgrade() -> None:
    """Add the columns; of earlier results they are not known."""
    for name, length in _TEXTS.items():
        column = sa.Column(name, sa.String(length=length), server_default="", nullable=False)
        op.add_column("hospital_results", column)
    op.add_column(
        "hospital_results", sa.Column("simulated", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column(
        "hospital_results", sa.Column("signs", sa.Text(), server_default="{}", nullable=False)
    )
