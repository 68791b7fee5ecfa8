"""Ruff's part in the findings on one project: what it is asked, what is left to the project's own settings.

The candidates of a file depend on its text, ruff's version and the codes asked for, and are kept by these; so ruff runs
on files that have changed, and not at all where none has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Set
from pathlib import Path

import msgspec

from mlsys_advise.cache import Cache
from mlsys_advise.finding import Notice
from mlsys_advise.peers import configured, placed, ruff
from mlsys_advise.rule import Candidate
from mlsys_advise.vocabulary import Lexicon

_decode = msgspec.msgpack.Decoder(list[Candidate]).decode
_encode = msgspec.msgpack.Encoder(enc_hook=lambda value: int(value)).encode


class Asked(msgspec.Struct, frozen=True):
    """Files by their path in the project, with a key of path and text; ``given`` are not on the disk as they are."""

    root: Path
    keys: Mapping[str, bytes]
    given: Set[str]
    codes: frozenset[str]


class Borrowing:
    """Ruff and one project. ``notices`` fill up as it is asked; ``failed`` says that the answer is not complete."""

    def __init__(self, asked: Asked, salt: bytes) -> None:
        self.asked = asked
        self.notices: list[Notice] = []
        self.failed = False
        self._salt = b"\0".join([salt, ruff.version().encode(), ",".join(sorted(asked.codes)).encode()])
        self._left = self._left_to_ruff()

    @property
    def identity(self) -> bytes:
        """A digest of all that decides about the findings besides the texts."""
        left = sorted((path, sorted(codes)) for path, codes in self._left.items())
        return hashlib.blake2b(self._salt + msgspec.msgpack.encode(left), digest_size=16).digest()

    def candidates(
        self, content: Callable[[str], bytes], lexicon: Lexicon, cache: Cache | None
    ) -> dict[str, list[Candidate]]:
        """By path, those that the settings of ruff do not report already; ``content`` gives the text of a file."""
        keys = {path: self._key(key) for path, key in self.asked.keys.items()}
        stored = cache.get_many(keys.values()) if cache is not None else {}
        found = {path: _decode(stored[key]) for path, key in keys.items() if key in stored}
        missing = sorted(keys.keys() - found.keys())
        try:
            said = self._said(missing, content)
        except ruff.RuffError as error:
            self.failed = True
            self.notices.append(Notice("", f"{error}: findings of ruff's rules are missing"))
            said = {}
            missing = []
        for path in missing:
            found[path] = placed.candidates(said[path], content(path), path, lexicon) if path in said else []
        if cache is not None:
            cache.put_many([(keys[path], _encode(found[path])) for path in missing])
        return {path: kept for path in sorted(found) if (kept := self._ours(path, found[path]))}

    def _said(self, paths: list[str], content: Callable[[str], bytes]) -> dict[str, list[ruff.Said]]:
        files = {self.asked.root / path: path for path in paths if path not in self.asked.given}
        said = {files[file]: found for file, found in ruff.findings(files, self.asked.codes).items() if file in files}
        for path in paths:
            if path in self.asked.given:
                said[path] = ruff.findings_in(content(path), self.asked.root / path, self.asked.codes)
        return said

    def _left_to_ruff(self) -> dict[str, frozenset[str]]:
        files = {self.asked.root / path: path for path in self.asked.keys}
        try:
            left = configured.enabled(files)
        except ruff.RuffError as error:
            self.failed = True
            self.notices.append(Notice("", f"the project's settings of ruff are not known: {error}"))
            return {}
        return {files[file]: codes & self.asked.codes for file, codes in left.items()}

    def _ours(self, path: str, candidates: list[Candidate]) -> list[Candidate]:
        left = self._left.get(path, frozenset())
        return [candidate for candidate in candidates if candidate.code not in left]

    def _key(self, key: bytes) -> bytes:
        return hashlib.blake2b(b"ruff\0" + self._salt + b"\0" + key, digest_size=20).digest()
