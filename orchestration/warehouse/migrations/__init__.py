"""The Alembic migrations of schema ``ops``: statements in ``sql/``, one Python file a revision in ``versions/``."""

from __future__ import annotations

from pathlib import Path

from alembic import op

SQL = Path(__file__).parent / "sql"


def run_sql(name: str) -> None:
    """Run a file of ``sql/`` as it stands: no parameters, so neither ``:name`` nor ``%`` means anything in it."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((SQL / name).read_text(encoding="utf-8"))
