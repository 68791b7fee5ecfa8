"""Words with holes: what fills them, and that no text breaks them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlsys_advise.languages.words import (
    ARGUMENTS,
    UNKNOWN,
    assume_defaults,
    clean,
    fill,
    hole,
    literal,
    readable,
    rest_of_arguments,
)


def test_a_variable_of_the_environment_fills_its_hole_and_others_stay_open() -> None:
    words = ("python", f"--workers={hole('WORKERS')}", hole("OTHER"))
    assert fill(words, None, {"WORKERS": "8"}) == ("python", "--workers=8", hole("OTHER"))


def test_arguments_that_are_known_to_be_absent_take_their_default() -> None:
    word = hole("1", "config.yaml")
    assert fill((word,), ["other.yaml"], {}) == ("other.yaml",)
    assert fill((word,), [], {}) == ("config.yaml",)
    assert fill((word,), None, {}) == (word,)


def test_all_arguments_become_words_and_none_vanish() -> None:
    assert fill(("exec", ARGUMENTS), ["python", "a b.py"], {}) == ("exec", "python", "a b.py")
    assert fill(("exec", ARGUMENTS), [], {}) == ("exec",)
    assert fill(("exec", hole("@2")), ["a", "b", "c"], {}) == ("exec", "b", "c")
    assert rest_of_arguments(hole("@2")) == 2
    assert rest_of_arguments("@2") is None


def test_an_unquoted_hole_falls_apart_and_a_quoted_one_does_not() -> None:
    environment = {"ARGS": "--lr 1  --workers 8"}
    assert fill((hole("ARGS", split=True),), None, environment) == ("--lr", "1", "--workers", "8")
    assert fill((hole("ARGS"),), None, environment) == ("--lr 1  --workers 8",)
    assert fill((hole("ARGS", split=True),), None, {"ARGS": ""}) == ()
    assert fill((hole("ARGS"),), None, {"ARGS": ""}) == ("",)


def test_defaults_are_taken_the_inner_ones_first_and_marked() -> None:
    words = ("torchrun", f"--nproc_per_node={hole('GPUS', hole('1', '8'))}", UNKNOWN, "train.py")
    assert assume_defaults(words) == (("torchrun", "--nproc_per_node=8", UNKNOWN, "train.py"), (1,))


def test_what_is_shown_reads_like_the_script() -> None:
    assert readable(hole("WORKERS", "8")) == "${WORKERS:-8}"
    assert readable(f"a/{hole('X')}") == "a/$X"
    assert readable(ARGUMENTS) == "$@"
    assert readable(UNKNOWN) == "…"


@given(st.text(alphabet="ab1@ \ue000\ue001\ue002\ue003\ue004"), st.text(alphabet="a \ue000\ue003"))
def test_marks_that_do_not_balance_break_nothing(word: str, value: str) -> None:
    fill((word,), [value], {"a": value})
    fill((word,), None, {"a": value})
    assume_defaults((word,))
    readable(word)


@given(st.text())
def test_cleaned_text_is_literal_and_has_its_length(text: str) -> None:
    assert literal(clean(text))
    assert len(clean(text)) == len(text)
