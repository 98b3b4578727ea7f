"""What is kept about an embedded server beside its data: its port and passwords, in a file of mode 0600."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from orchestration.errors import DatabaseError
from orchestration.logs import register_secret


@dataclass(frozen=True)
class ServerState:
    """``port`` is that of the last start, None before the first; ``ready``: the builder's role and database exist."""

    administrator_password: str = field(repr=False)
    builder_password: str = field(repr=False)
    port: int | None = None
    ready: bool = False

    @classmethod
    def new(cls) -> ServerState:
        """The state of a server to be made, with passwords nobody chose."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32))

    @classmethod
    def read(cls, path: Path, data: Path) -> ServerState:
        """The state in ``path`` of the server with data directory ``data``; its passwords are registered secrets."""
        try:
            state = cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            if not data.exists():
                raise DatabaseError("there is no embedded server yet", hint="run `aiop db start`") from None
            raise DatabaseError(
                f"{path}, which holds the server's passwords, is gone",
                hint=f"restore it, or move {data} away to begin with an empty warehouse",
            ) from None
        except PermissionError:
            raise DatabaseError(
                f"{path} belongs to another user",
                hint="run the command as the user who started the server, or set AIOP_HOME to a directory of your own",
            ) from None
        except (ValueError, TypeError) as error:
            raise DatabaseError(
                f"{path} is damaged", hint=f"restore it, or move {data} away to begin with an empty warehouse"
            ) from error
        register_secret(state.administrator_password)
        register_secret(state.builder_password)
        return state

    def write(self, path: Path) -> None:
        """Replace ``path``, all or nothing."""
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(asdict(self), file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
