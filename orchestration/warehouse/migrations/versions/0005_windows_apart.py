"""Attempts to read a window of the past again are told from those that go on from the watermark."""

from orchestration.warehouse.migrations import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0005_windows_apart.sql")
