"""Results kept between runs: bytes by digest, in one SQLite file of the user's own cache folder.

A value comes back exactly as it was put, or not at all. Whatever is wrong with the file, its folder or a lock costs
time and at most a notice, never an answer; and nothing stored can execute.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from mlsys_advise.finding import Notice

try:
    import sqlite3
except ImportError:  # a Python built without it: everything works, only slower
    sqlite3 = None  # type: ignore[assignment]

Value = TypeVar("Value")
Row = tuple[int, int, int, int, bytes]

#: Layout of the file. It is part of the file's name, so that two versions of the program do not undo each other.
SCHEMA = 1
#: Size in bytes above which the least recently used values are dropped.
LIMIT = 1 << 30

_APPLICATION = 0x4D4C5359
_FILE = f"results-{SCHEMA}.sqlite3"
_OURS = ("results-*.sqlite3", "results-*.sqlite3-*", "CACHEDIR.TAG", ".gitignore")
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Results of mlsys-advise; `mlsys-advise clean` removes them.\n"

_BATCH = 500  # keys in one statement, rows in one transaction
_PATIENCE = 3.0  # seconds to wait for another process's lock
_FRESH = 7  # days after which a use is recorded again
_EXPIRY = 30  # days without use after which a value is dropped
_MOST = 10_000  # rows dropped by one run, so that no run pays for a year of others
_PAGES = 4_096  # pages given back to the file system by one run

# Compressing costs as much as making many small values again; on large ones it saves most of the disk.
_COMPRESSED_FROM = 16_384
_PLAIN, _DEFLATED = 0, 1


def default_folder() -> Path | None:
    """Where this platform keeps a user's caches, or None where the user has no home.

    ``MLSYS_ADVISE_CACHE_DIR`` comes first. Configuration found in a repository has no say.
    """
    if chosen := os.environ.get("MLSYS_ADVISE_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        if local := os.environ.get("LOCALAPPDATA"):
            return Path(local) / "mlsys-advise" / "cache"
        below = Path("AppData", "Local", "mlsys-advise", "cache")
    elif sys.platform == "darwin":
        below = Path("Library", "Caches", "mlsys-advise")
    else:
        named = os.environ.get("XDG_CACHE_HOME", "")
        if Path(named).is_absolute():
            return Path(named) / "mlsys-advise"
        below = Path(".cache", "mlsys-advise")
    try:
        return Path.home() / below
    except RuntimeError:
        return None


def remove(folder: Path) -> int:
    """Delete what a cache keeps in ``folder``, and the folder if nothing else is in it; the number of bytes freed.

    Raises OSError where a file cannot be deleted.
    """
    freed = 0
    for path in sorted({path for pattern in _OURS for path in folder.glob(pattern)}):
        freed += path.stat().st_size
        path.unlink()
    with contextlib.suppress(OSError):  # not empty, or not there
        folder.rmdir()
    return freed


class Cache:
    """An open store. Keys are digests of at least 16 bytes; values are opaque.

    Used by one thread of one process; any number of processes may have the same folder open. ``notices`` says what
    the user should know of the store itself, at most once each.
    """

    def __init__(
        self, folder: Path | None = None, *, limit: int = LIMIT, today: Callable[[], int] | None = None
    ) -> None:
        self.notices: list[Notice] = []
        self._folder = folder or default_folder()
        self._limit = limit
        self._today = today() if today else int(time.time() // 86_400)
        self._stale_uses: list[int] = []
        self._wrote = False
        self._writable = True
        self._recreated = False
        self._connection = self._opened()

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values stored under ``keys``; keys without one are absent from the answer."""
        found: dict[bytes, bytes] = {}
        wanted = {_row_id(key): key for key in keys}
        for identities in _batches(sorted(wanted)):
            marks = ",".join("?" * len(identities))
            statement = f"SELECT id, used, packing, checksum, value FROM entry WHERE id IN ({marks})"
            for identity, used, packing, checksum, stored in self._rows(statement, identities):
                key = wanted[identity]
                if _checksum(key, packing, stored) != checksum:
                    continue
                found[key] = stored if packing == _PLAIN else zlib.decompress(stored)
                if used < self._today - _FRESH:
                    self._stale_uses.append(identity)
        return found

    def put_many(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Store values, each batch at once or not at all; what was stored survives the end of the process."""
        for batch in _batches(items):
            if self._connection is None or not self._writable:
                return
            rows = [_row(key, self._today, value) for key, value in batch]
            self._wrote |= self._changed("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Record uses, drop what is old or too much, and close the file. A second call does nothing."""
        if self._connection is None:
            return
        self._changed(
            "UPDATE entry SET used = ? WHERE id = ?", [(self._today, identity) for identity in self._stale_uses]
        )
        self._stale_uses.clear()
        if self._wrote:
            self._prune()
        self._disconnect()

    # ---- opening, and coping with what goes wrong

    def _opened(self) -> sqlite3.Connection | None:
        if sqlite3 is None:
            self._without("this Python has no sqlite3 module")
            return None
        if self._folder is None:
            self._without("the user has no home folder")
            return None
        try:
            _prepare(self._folder)
        except OSError as error:
            self._without(error.strerror or str(error))
            return None
        try:
            return _connected(self._folder / _FILE)
        except sqlite3.Error as error:
            if _is_damage(error) and self._discarded():
                return self._opened()
            self._without(str(error))
            return None

    def _without(self, reason: str) -> None:
        self._notice(f"nothing is cached: {reason}")

    def _notice(self, message: str) -> None:
        notice = Notice(path=str(self._folder or ""), message=message)
        if notice not in self.notices:
            self.notices.append(notice)

    def _discarded(self) -> bool:
        """Whether a damaged file was removed to start afresh, which is tried once."""
        if self._recreated or self._folder is None:
            return False
        self._recreated = True
        try:
            for suffix in ("", "-journal"):
                (self._folder / (_FILE + suffix)).unlink(missing_ok=True)
        except OSError:
            return False
        self._notice("the cache was damaged and has been started afresh")
        return True

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _attempt(self, work: Callable[[sqlite3.Connection], Value], otherwise: Value) -> Value:
        """The result of ``work``, or ``otherwise`` where the file, the disk or a lock forbids it."""
        if self._connection is None:
            return otherwise
        try:
            return work(self._connection)
        except sqlite3.Error as error:
            self._cope(error)
            return otherwise

    def _cope(self, error: sqlite3.Error) -> None:
        code = _primary_code(error)
        if code is None:
            raise error  # raised by the module itself: a mistake of ours
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN):
            self._writable = False
            self._notice(f"nothing new is cached: {error}")
            return
        self._disconnect()
        if _is_damage(error) and self._discarded():
            self._connection = self._opened()
        else:
            self._without(str(error))

    def _rows(self, statement: str, parameters: Sequence[int]) -> list[Row]:
        nothing: list[Row] = []
        return self._attempt(lambda connection: connection.execute(statement, parameters).fetchall(), nothing)

    def _changed(self, statement: str, rows: Sequence[Row | tuple[int, int]]) -> bool:
        """Whether ``statement`` was carried out for all ``rows``, in one transaction."""
        if not rows or not self._writable:
            return False

        def work(connection: sqlite3.Connection) -> bool:
            with _transaction(connection):
                connection.executemany(statement, rows)
            return True

        return self._attempt(work, False)

    # ---- keeping it small

    def _prune(self) -> None:
        self._drop("SELECT id FROM entry WHERE used < ? ORDER BY used LIMIT ?", self._today - _EXPIRY, _MOST)
        dropped = 0
        # Down to nine tenths, so that a full cache does not prune at the end of every run.
        aim = self._limit if self._size() <= self._limit else self._limit * 9 // 10
        while dropped < _MOST and self._size() > aim:
            step = self._drop("SELECT id FROM entry WHERE used <= ? ORDER BY used, id LIMIT ?", self._today, _BATCH)
            if not step:
                break
            dropped += step
        self._attempt(lambda connection: connection.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall(), [])

    def _drop(self, query: str, day: int, most: int) -> int:
        def work(connection: sqlite3.Connection) -> int:
            with _transaction(connection):
                return connection.execute(f"DELETE FROM entry WHERE id IN ({query})", (day, most)).rowcount

        return self._attempt(work, 0)

    def _size(self) -> int:
        """Bytes in use, which a pragma tells without reading the values."""

        def work(connection: sqlite3.Connection) -> int:
            pages, free, page = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
            return int(pages - free) * int(page)

        return self._attempt(work, 0)


def _prepare(folder: Path) -> None:
    """Make the folder, marked for programs that make backups and for git; raises OSError."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "CACHEDIR.TAG").write_text(_TAG, encoding="ascii")
    (folder / ".gitignore").write_text("*\n", encoding="ascii")


def _connected(path: Path) -> sqlite3.Connection:
    """An open file of our layout; raises sqlite3.Error.

    Rollback journal rather than write-ahead log, which network file systems, common on clusters, do not support.
    Nothing waits for the disk: what a power cut damages is found by its checksum.
    """
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = OFF")
        if _version(connection) != (_APPLICATION, SCHEMA):
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            with _transaction(connection):
                _create(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> tuple[int, int]:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    return application, connection.execute("PRAGMA user_version").fetchone()[0]


def _create(connection: sqlite3.Connection) -> None:
    if _version(connection) == (_APPLICATION, SCHEMA):  # another process was faster
        return
    for leftover in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        raise sqlite3.DatabaseError(f"holds a table of another program: {leftover[0]}")
    connection.execute(
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, used INTEGER NOT NULL,"
        " packing INTEGER NOT NULL, checksum INTEGER NOT NULL, value BLOB NOT NULL)"
    )
    connection.execute("CREATE INDEX entry_used ON entry (used)")
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _primary_code(error: sqlite3.Error) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is not what we wrote: torn, overwritten, or emptied by another process."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return False
    damage = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    return code & 0xFF in damage or code == sqlite3.SQLITE_IOERR_SHORT_READ


def _row_id(key: bytes) -> int:
    """An integer key finds its row with one descent of one tree, half the time of a key of bytes."""
    if len(key) < 16:
        raise ValueError("a key is a digest of at least 16 bytes")
    return int.from_bytes(key[:8], "little", signed=True)


def _row(key: bytes, today: int, value: bytes) -> Row:
    packing, stored = _PLAIN, value
    if len(value) >= _COMPRESSED_FROM:
        smaller = zlib.compress(value, 1)
        if len(smaller) < len(value) * 3 // 4:
            packing, stored = _DEFLATED, smaller
    return _row_id(key), today, packing, _checksum(key, packing, stored), stored


def _checksum(key: bytes, packing: int, stored: bytes) -> int:
    """Over the whole key too: a row found by a part of the key, or put elsewhere by damage, does not pass."""
    return zlib.crc32(stored, zlib.crc32(key) ^ packing)


def _batches(items: Iterable[Value]) -> Iterator[list[Value]]:
    remaining = iter(items)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch
