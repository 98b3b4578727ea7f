"""What reads of the same days brought, to be compared night by night."""

from orchestration.warehouse.migrations import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0006_reads.sql")
