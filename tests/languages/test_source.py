"""Bytes become text with the lines of ``ast``; what is no plain file of bounded size is never read."""

from __future__ import annotations

import ast
import codecs
import os
import socket
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsys_advise.finding import Notice
from mlsys_advise.languages import source
from mlsys_advise.languages.source import CellStart, Source, decode, read
from mlsys_advise.span import Span

unix = pytest.mark.skipif(sys.platform == "win32", reason="FIFOs, sockets and devices of Unix")


def text_of(data: bytes) -> str:
    decoded = decode(data, "a.py")
    assert isinstance(decoded, Source), decoded
    return decoded.text


def refusal(data: bytes) -> Notice:
    decoded = decode(data, "a.py")
    assert isinstance(decoded, Notice)
    assert decoded.path == "a.py"
    return decoded


class TestDecode:
    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (b"", ""),
            (b"x = 1\n", "x = 1\n"),
            ("x = 'é'\n".encode(), "x = 'é'\n"),
            (codecs.BOM_UTF8 + b"x = 1\n", "x = 1\n"),
            (codecs.BOM_UTF8 + b"# coding: utf-8\nx\n", "# coding: utf-8\nx\n"),
            (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "# -*- coding: latin-1 -*-\nx = 'é'\n"),
            (b"#!/usr/bin/env python\n# vim: set fileencoding=cp1252 :\n'\x80'", None),
            (b"\n# coding: latin-1\n'\xe9'", "\n# coding: latin-1\n'é'"),
            (b"a\r\nb\rc\nd", "a\nb\nc\nd"),
            (b"x = 1\x0cy\n", "x = 1\x0cy\n"),
        ],
    )
    def test_follows_the_mark_and_the_cookie(self, data: bytes, text: str | None) -> None:
        decoded = text_of(data)
        assert decoded == text if text is not None else "€" in decoded

    def test_a_cookie_counts_only_in_the_first_two_lines_and_behind_nothing_but_comments(self) -> None:
        assert refusal(b"x = 1\n# coding: latin-1\n'\xe9'").line == 3
        assert refusal(b"#\n#\n# coding: latin-1\n'\xe9'").line == 4

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"x\ny = '\xff'\n", "is not valid utf-8 (byte 0xff)"),
            (b"# coding: no-such-thing\n", "unknown encoding no-such-thing"),
            (b"# coding: rot13\n", "unknown encoding rot13"),
            (b"# coding: punycode\n", "unknown encoding punycode"),
            (b"# coding: utf-16\n", "unknown encoding utf-16"),
            (codecs.BOM_UTF8 + b"# coding: latin-1\n", "starts with the mark of UTF-8"),
            ("x = 1".encode("utf-16"), "UTF-16"),
        ],
    )
    def test_says_why_a_file_cannot_be_decoded(self, data: bytes, said: str) -> None:
        assert said in refusal(data).message

    def test_names_the_line_of_the_first_undecodable_byte(self) -> None:
        assert refusal(b"a\nb\nc\xff\n").line == 3

    @given(st.text(), st.sampled_from(["utf-8", "latin-1", "cp1252", "koi8-r", "shift_jis", "gbk", "utf-7"]))
    def test_text_survives_the_encoding_that_its_cookie_names(self, text: str, encoding: str) -> None:
        written = f"# coding: {encoding}\n" + text.replace("\r", "\n")
        try:
            data = written.encode(encoding)
        except UnicodeEncodeError:
            return
        assert text_of(data) == data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")

    @given(st.binary())
    def test_no_bytes_raise(self, data: bytes) -> None:
        assert isinstance(decode(data, "a.py"), Source | Notice)


class TestLines:
    @given(st.lists(st.sampled_from(["\n", "\r\n", "\r", "\n\x0c", "\n\n"]), min_size=1))
    def test_are_those_that_ast_counts(self, ends: list[str]) -> None:
        data = "".join(f"name{number}{end}" for number, end in enumerate(ends))
        decoded = decode(data.encode(), "a.py")
        assert isinstance(decoded, Source)
        for statement in ast.parse(data).body:
            assert decoded.line(statement.lineno).lstrip("\x0c") == ast.unparse(statement)

    def test_are_not_split_at_other_separators(self) -> None:
        assert Source("a = '\x1c\u2028\x0b'\nb", "a.py").lines == ["a = '\x1c\u2028\x0b'", "b"]

    def test_are_empty_beyond_the_end(self) -> None:
        text = Source("a\nb", "a.py")
        assert [text.line(number) for number in (0, 1, 2, 3)] == ["", "a", "b", ""]


class TestSpan:
    def test_counts_from_one_and_excludes_the_end(self) -> None:
        assert Source("x = f(1)", "a.py").span(1, 4, 1, 8) == Span(1, 5, 1, 9)

    def test_counts_code_points_not_bytes(self) -> None:
        text = "é = '☃😀'; y"
        y = ast.parse(text).body[1]
        assert isinstance(y, ast.Expr)
        assert Source(text, "a.py").span_of(y) == Span(1, 11, 1, 12)

    @given(st.lists(st.sampled_from(["é", "x1", "'☃'", "'😀' 'b'", "f(ß, 'ü')", "[1, 'ñ',\n   'ö']"]), min_size=1))
    def test_cuts_out_what_ast_cuts_out(self, expressions: list[str]) -> None:
        text = "; ".join(expressions)
        written = Source(text, "a.py")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.expr):
                span = written.span_of(node)
                lines = written.lines[span.line - 1 : span.end_line]
                lines[-1] = lines[-1][: span.end_column - 1]
                lines[0] = lines[0][span.column - 1 :]
                assert "\n".join(lines) == ast.get_source_segment(text, node)

    def test_a_column_that_is_not_in_the_line_does_no_harm(self) -> None:
        assert Source("é", "a.py").span(1, 1, 1, 99) == Span(1, 1, 1, 2)

    def test_lone_surrogates_are_replaced_in_their_place(self) -> None:
        written = Source("x = '\ud800'; y", "a.py")
        assert written.span_of(ast.parse(written.text).body[1]) == Span(1, 10, 1, 11)


class TestCells:
    cells = Source("\na = 1\n\nb = 2\nc = 3", "a.ipynb", [CellStart(2, 1), CellStart(4, 5)])

    def test_lines_count_within_the_cell(self) -> None:
        assert self.cells.span(2, 0, 2, 5) == Span(1, 1, 1, 6, 1)
        assert self.cells.span(5, 4, 5, 5) == Span(2, 5, 2, 6, 5)

    def test_lines_are_found_by_cell(self) -> None:
        assert [self.cells.line(1, 1), self.cells.line(2, 5), self.cells.line(1, 3)] == ["a = 1", "c = 3", ""]

    def test_a_notice_names_its_cell(self) -> None:
        assert self.cells.located(Notice("a.ipynb", "syntax error", 5)) == Notice("a.ipynb", "cell 5: syntax error", 2)
        assert self.cells.located(Notice("a.ipynb", "too large")) == Notice("a.ipynb", "too large")


class TestRead:
    def test_gives_the_bytes(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_bytes(b"x\r\n\x00")
        (tmp_path / "empty.py").touch()
        assert read(tmp_path / "a.py") == b"x\r\n\x00"
        assert read(tmp_path / "empty.py") == b""

    def test_refuses_what_is_over_the_limit(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_bytes(b"x" * 100)
        assert read(tmp_path / "a.py", limit=100) == b"x" * 100
        found = read(tmp_path / "a.py", limit=99)
        assert isinstance(found, Notice)
        assert "larger" in found.message

    @pytest.mark.parametrize("name", ["missing.py", "missing/a.py", "a\0b.py"])
    def test_says_why_a_file_cannot_be_read(self, tmp_path: Path, name: str) -> None:
        found = read(tmp_path / name, name="shown.py")
        assert isinstance(found, Notice)
        assert found.path == "shown.py"

    def test_refuses_a_directory(self, tmp_path: Path) -> None:
        assert read(tmp_path) == Notice(tmp_path.as_posix(), "is a directory: skipped")

    @unix
    def test_refuses_fifos_sockets_devices_and_links_to_them_without_opening(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        os.mkfifo(tmp_path / "fifo.py")
        (tmp_path / "zero.py").symlink_to("/dev/zero")
        (tmp_path / "link.py").symlink_to("fifo.py")
        with socket.socket(socket.AF_UNIX) as listener:
            monkeypatch.chdir(tmp_path)  # the paths of sockets are short
            listener.bind("socket.py")
            monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened"))
            kinds = {name: read(tmp_path / name) for name in ("fifo.py", "zero.py", "link.py", "socket.py")}
        assert {name: kind.message for name, kind in kinds.items() if isinstance(kind, Notice)} == {
            "fifo.py": "is a FIFO: skipped",
            "zero.py": "is a device: skipped",
            "link.py": "is a FIFO: skipped",
            "socket.py": "is a socket: skipped",
        }

    @unix
    def test_does_not_wait_for_a_file_that_becomes_a_fifo_behind_the_look(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        os.mkfifo(tmp_path / "a.py")
        (tmp_path / "plain.py").touch()
        plain = (tmp_path / "plain.py").stat()
        monkeypatch.setattr(source.os, "stat", lambda _: plain)
        found: list[bytes | Notice] = []
        reader = threading.Thread(target=lambda: found.append(read(tmp_path / "a.py")), daemon=True)
        reader.start()
        reader.join(10)
        assert [one.message for one in found if isinstance(one, Notice)] == ["is a FIFO: skipped"]

    @pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs a proc file system")
    def test_reads_files_that_report_no_size(self) -> None:
        found = read("/proc/self/status")
        assert isinstance(found, bytes)
        assert b"Pid:" in found
