"""Schemas, the operations tables, and the functions that define tenancy."""

from orchestration.warehouse.migrations import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0001_operations.sql")
    run_sql("0001_tenancy.sql")
    run_sql("0001_audit.sql")
