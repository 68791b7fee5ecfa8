"""Words of a command line that may have holes: parts which only a caller, an environment or a run can supply.

A word is a string. A hole in it is written with four private-use characters, so that words are stored, compared and
sliced like any text: ``--workers=<WORKERS?8>`` keeps both the name of what is missing and the default that stands in
for it. Invariant: every function here accepts any string, with holes that do not balance as well, and never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

#: Opens a hole whose value stays one piece, as ``"$X"`` does.
_OPEN = "\ue000"
#: Opens a hole whose value is split at blanks, as an unquoted ``$X`` does.
_OPEN_SPLIT = "\ue001"
_DEFAULT = "\ue002"
_CLOSE = "\ue003"
#: Stands where a word falls apart into several, or into none, until ``separated`` takes it out.
_SEPARATOR = "\ue004"

_MARKS = frozenset((_OPEN, _OPEN_SPLIT, _DEFAULT, _CLOSE, _SEPARATOR))

#: Gives the value of a hole from its reference and its default; ``None`` leaves it open.
_Supply = Callable[[str, str | None], str | None]

#: References that are not names of variables: the path of the running script, and its folder.
SCRIPT, SCRIPT_FOLDER = "0", "0-folder"


def hole(reference: str = "", default: str | None = None, *, split: bool = False) -> str:
    """A hole for the value of ``reference``: a variable's name, ``1`` for an argument, ``@2`` for all from the second.

    The empty reference stands for what nothing can supply; it may still have a default, which is then overridable.
    """
    return f"{_OPEN_SPLIT if split else _OPEN}{reference}{'' if default is None else _DEFAULT + default}{_CLOSE}"


#: A part that is not known and that no environment can supply.
UNKNOWN = hole()
#: ``"$@"``: all arguments of the script, none or many.
ARGUMENTS = hole("@1")


def literal(word: str) -> bool:
    """Whether the whole word is known."""
    return word.isascii() or _MARKS.isdisjoint(word)


def rest_of_arguments(word: str) -> int | None:
    """The first position that ``word`` stands for, if it is ``"$@"`` or what a ``shift`` has left of it."""
    return _position(word[1:-1]) if word.startswith(_OPEN + "@") and word.endswith(_CLOSE) else None


def clean(text: str) -> str:
    """``text`` of a user without the characters that mark holes."""
    if text.isascii():
        return text
    return "".join("?" if character in _MARKS else character for character in text)


def splittable(word: str) -> str:
    """``word`` as an unquoted expansion leaves it: it falls apart at blanks, and vanishes when it is empty."""
    if not word:
        return _SEPARATOR
    depth = 0
    result: list[str] = []
    for character in word:
        if character in (_OPEN, _OPEN_SPLIT):
            result.append(_OPEN_SPLIT if depth == 0 else character)
            depth += 1
        elif character == _CLOSE:
            result.append(character)
            depth = max(0, depth - 1)
        else:
            result.append(_SEPARATOR if depth == 0 and character in " \t\n" else character)
    return "".join(result)


def joined(words: Sequence[str]) -> str:
    """Several words as one that falls apart into them, as ``"$@"`` and ``"${ARGS[@]}"`` do."""
    return _SEPARATOR + _SEPARATOR.join(words) + _SEPARATOR


def separated(word: str) -> list[str]:
    """The words into which ``word`` falls apart."""
    if _SEPARATOR not in word:
        return [word]
    return [piece for piece in word.split(_SEPARATOR) if piece]


def fill(words: Sequence[str], arguments: Sequence[str] | None, environment: Mapping[str, str]) -> tuple[str, ...]:
    """``words`` with the holes filled that ``arguments`` and ``environment`` can fill.

    With ``arguments`` every argument is known to be set or not; ``None`` leaves them open. A variable that is not in
    ``environment`` stays a hole, for the image or the machine may set it.
    """

    def supply(reference: str, default: str | None) -> str | None:
        if reference in environment:
            given = environment[reference]
        elif arguments is None or (position := _position(reference)) is None:
            return None
        elif reference.startswith("@"):
            return joined(arguments[position - 1 :])
        else:
            given = arguments[position - 1] if position <= len(arguments) else ""
        return given if given or default is None else default

    return _substitute(words, supply)[0]


def assume_defaults(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """``words`` with every default taken, and the indices of the words that rest on one and may be overridden."""
    return _substitute(words, lambda reference, default: default)


def readable(word: str) -> str:
    """``word`` for a message: ``$WORKERS``, ``${WORKERS:-8}``, ``$@``, and an ellipsis for what nobody can know."""
    if literal(word):
        return word

    def show(reference: str, default: str | None) -> str:
        if reference.startswith("@"):
            return "$@"
        if not reference:
            return default if default is not None else "…"
        if reference == SCRIPT_FOLDER:
            return "$(dirname $0)"
        return f"${reference}" if default is None else f"${{{reference}:-{default}}}"

    return " ".join(separated(_substitute_word(word, show)[0]))


def _position(reference: str) -> int | None:
    digits = reference.removeprefix("@")
    position = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 4 else 0
    return position or None


def _substitute(words: Sequence[str], supply: _Supply) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """``words`` with each hole, the inner ones first, replaced by what ``supply`` gives; and which words changed."""
    result: list[str] = []
    changed: list[int] = []
    for word in words:
        if literal(word):
            result.append(word)
            continue
        text, touched = _substitute_word(word, supply)
        pieces = separated(text)
        if touched:
            changed.extend(range(len(result), len(result) + len(pieces)))
        result.extend(pieces)
    return tuple(result), tuple(changed)


def _substitute_word(word: str, supply: _Supply) -> tuple[str, bool]:
    outer: list[str] = []
    frames: list[_Frame] = []
    touched = False
    for character in word:
        if character in (_OPEN, _OPEN_SPLIT):
            frames.append(_Frame(character))
        elif not frames:
            outer.append(character)
        elif character == _DEFAULT:
            frames[-1].start_default()
        elif character == _CLOSE:
            frame = frames.pop()
            value = supply(frame.reference, frame.default)
            touched = touched or value is not None
            (frames[-1].current if frames else outer).append(frame.closed(value))
        else:
            frames[-1].current.append(character)
    for frame in frames:
        outer.append(frame.unclosed())
    return "".join(outer), touched


class _Frame:
    """A hole that is being read."""

    __slots__ = ("_default", "_opener", "_reference", "current")

    def __init__(self, opener: str) -> None:
        self._opener = opener
        self._reference: list[str] = []
        self._default: list[str] | None = None
        self.current = self._reference

    def start_default(self) -> None:
        self._default = self.current = []

    @property
    def reference(self) -> str:
        return "".join(self._reference)

    @property
    def default(self) -> str | None:
        return None if self._default is None else "".join(self._default)

    def closed(self, value: str | None) -> str:
        if value is None:
            return hole(self.reference, self.default, split=self._opener == _OPEN_SPLIT)
        return splittable(value) if self._opener == _OPEN_SPLIT else value

    def unclosed(self) -> str:
        default = self.default
        return self._opener + self.reference + ("" if default is None else _DEFAULT + default)
