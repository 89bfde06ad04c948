"""The tables: those that the migrations make."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.people import META


def test_the_migrations_make_the_tables_of_this_version(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "hospital_schema"})
        assert compare_metadata(context, META) == []
