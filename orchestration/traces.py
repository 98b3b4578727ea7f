"""Finds what names an organization outside the database's tables: files below ``$AIOP_HOME``, texts of events."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

# What the programs write for people to look at, and can write again. The rest of a home is somebody's own.
OUTPUTS = ("archive", "data_docs", "dbt", "dagster", "gx", "reports")
# dbt's own messages quote values of rows, without saying whose.
QUOTING = ("dbt/logs", "dbt/runs", "dbt/command")
# The database's files: their content is the database's to remove. Dagster's SQLite: orchestration.defs.forgetting.
_NOT_FILES = ("pg",)
_DATABASES = re.compile(r"\.db(-wal|-shm|-journal)?\Z")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Names:
    """What an organization is called; ``name`` is None where only the record of its erasure is left."""

    slug: str
    organization_id: uuid.UUID
    name: str | None = None

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every way the names are written in files and events."""
        texts = {self.slug, str(self.organization_id), self.organization_id.hex}
        if self.name:
            texts |= {self.name, json.dumps(self.name)[1:-1], html.escape(self.name), quote(self.name)}
        return tuple(sorted(texts))

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        words = b"|".join(re.escape(text.encode()) for text in self.texts)
        # Whole words: the slug `one` is not in `none`.
        return re.compile(rb"(?<![A-Za-z0-9_])(?:%b)(?![A-Za-z0-9_])" % words)

    def named_in(self, text: str | bytes) -> bool:
        """Whether the text holds one of the names, as a word of its own."""
        return self._pattern.search(text.encode() if isinstance(text, str) else text) is not None

    def named_by(self, path: Path) -> bool:
        """Whether a file's content holds one; files that can't be read hold none."""
        overlap = max(len(text.encode()) for text in self.texts) + 2
        try:
            with path.open("rb") as file:
                before = b""
                while chunk := file.read(_CHUNK):
                    if self.named_in(before + chunk):
                        return True
                    before = chunk[-overlap:]
        except OSError:
            return False
        return False


@dataclass
class Files:
    """``removed``: files and directories that are gone. ``left``: files of somebody's own that name it."""

    removed: list[Path] = field(default_factory=list)
    left: list[Path] = field(default_factory=list)


def remove_traces(home: Path, names: Names) -> Files:
    """Remove what the programs wrote below ``home`` that names the organization, and whatever quotes rows.

    Files of somebody's own that name it, such as an organizations.yml, are only found.
    """
    found = Files()
    for name in QUOTING:
        for entry in _entries(home / name):
            _remove(entry)
            found.removed.append(entry)
    for path in _files(home):
        inside = path.relative_to(home)
        if names.named_in(str(inside)) or names.named_by(path):
            if inside.parts[0] in OUTPUTS:
                _remove(path)
                found.removed.append(path)
            else:
                found.left.append(path)
    _remove_empty_directories(home, names)
    return found


def drop_variables(file: Path, names: Collection[str]) -> list[str]:
    """Take the variables ``names`` out of an env file (NAME=value lines); returns those that stood there."""
    if not names or not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    dropped = [line for line in lines if line.partition("=")[0].strip() in names]
    if dropped:
        partial = file.with_name(f"{file.name}.{os.getpid()}")
        # Nobody else may read it, not even for the moment until it is renamed.
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as output:
            output.writelines(line for line in lines if line not in dropped)
        partial.replace(file)
    return [line.partition("=")[0].strip() for line in dropped]


def _files(home: Path) -> Iterator[Path]:
    for directory, below, files in os.walk(home):
        if Path(directory) == home:
            below[:] = [name for name in below if name not in _NOT_FILES]
        for name in files:
            path = Path(directory) / name
            if not path.is_symlink() and not _DATABASES.search(name):
                yield path


def _entries(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _remove_empty_directories(home: Path, names: Names) -> None:
    for top in OUTPUTS:
        for directory, _, _ in os.walk(home / top, topdown=False):
            path = Path(directory)
            if names.named_in(path.name) and not any(path.iterdir()):
                path.rmdir()
