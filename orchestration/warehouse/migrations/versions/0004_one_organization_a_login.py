"""A tenant's policy compares with the one organization of its login: plans are those of a written-out filter."""

from orchestration.warehouse.migrations import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("0004_one_organization_a_login.sql")
