"""Alembic's entry point; ``orchestration.warehouse.migrate`` hands it the connection."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="ops", transactional_ddl=True)

with context.begin_transaction():
    # Two upgrades at once: the second waits here and then finds nothing left to do.
    connection.execute(text("lock table ops.alembic_version in access exclusive mode"))
    context.run_migrations()
    # Also where nothing was left to migrate: the database may come from a server with other roles. An older version, to
    # which only tests migrate, has no such function.
    if context.get_revision_argument() == context.get_head_revision():
        connection.execute(text("select ops.secure_warehouse()"))
