"""What is known of the quality of landed rows, and whose rows are therefore not published."""

from orchestration.warehouse.migrations import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0003_quality.sql")
