"""What is remembered of organizations that were erased, and what keeps them from coming back."""

from orchestration.warehouse.migrations import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0002_erasure.sql")
