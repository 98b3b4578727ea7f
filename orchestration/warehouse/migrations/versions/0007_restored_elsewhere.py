"""All that BI roles need, stated once: it is put back where a dump was restored on a server without them."""

from orchestration.warehouse.migrations import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0007_restored_elsewhere.sql")
