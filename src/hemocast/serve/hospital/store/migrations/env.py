"""Alembic runs this: the steps go through the connection, and the transaction, of the service."""

from __future__ import annotations

from alembic import context

from hemocast.serve.hospital.store.people import ACCOUNTS

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=ACCOUNTS.metadata,  # of all tables
    version_table="hospital_schema",
    # SQLite changes a table by making it anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
