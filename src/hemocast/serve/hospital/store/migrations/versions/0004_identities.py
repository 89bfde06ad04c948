"""Whom of the provider an account is of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; accounts that are there are local."""
    op.add_column("hospital_accounts", sa.Column("identity", sa.String(length=64)))
    op.create_index("hospital_accounts_identity_ix", "hospital_accounts", ["identity"], unique=True)
