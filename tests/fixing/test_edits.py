"""Each edit of the algebra on code as people lay it out: what is not named stays as it was."""

from __future__ import annotations

import pytest

from mlsys_advise.edit import (
    AddImport,
    HoistStatement,
    InsertStatement,
    RemoveStatement,
    RenameCallee,
    ReplaceExpression,
    ReplaceStatement,
    SetDecorator,
    SetKeyword,
    WrapStatements,
)
from mlsys_advise.fixing.refusal import Refusal
from tests.fixing.marked import fixed, spans

KEYWORD = {
    "none before": ("x = ⟦f()⟧\n", "x = f(pin=True)\n"),
    "behind others": ("x = ⟦f(a, b=1)⟧\n", "x = f(a, b=1, pin=True)\n"),
    "changed": ("x = ⟦f(a, pin = False, c=2)⟧  # why\n", "x = f(a, pin = True, c=2)  # why\n"),
    "behind a starred one": ("x = ⟦f(*a)⟧\n", "x = f(*a, pin=True)\n"),
    "a generator": ("x = ⟦f(y for y in z)⟧\n", "x = f((y for y in z), pin=True)\n"),
    "trailing comma": ("x = ⟦f(a, b,)⟧\n", "x = f(a, b, pin=True,)\n"),
    "lines": ("x = ⟦f(\n    a,\n    b=1,\n)⟧\n", "x = f(\n    a,\n    b=1,\n    pin=True,\n)\n"),
    "lines without a last comma": ("x = ⟦f(\n    a,\n    b=1\n)⟧\n", "x = f(\n    a,\n    b=1,\n    pin=True\n)\n"),
    "one argument in a line of its own": ("x = ⟦f(\n    a,\n)⟧\n", "x = f(\n    a,\n    pin=True,\n)\n"),
    "hanging": ("x = ⟦f(a,\n      b=1)⟧\n", "x = f(a,\n      b=1,\n      pin=True)\n"),
    "a comment behind the last": (
        "x = ⟦f(\n    a,  # first\n    b=1,  # second\n)⟧\n",
        "x = f(\n    a,  # first\n    b=1,  # second\n    pin=True,\n)\n",
    ),
    "a comment behind the last without a comma": (
        "x = ⟦f(\n    a,  # first\n    b=1  # second\n)⟧\n",
        "x = f(\n    a,  # first\n    b=1,  # second\n    pin=True\n)\n",
    ),
    "a comment in a line of its own": (
        "x = ⟦f(\n    a,\n    # the last\n    b,\n    # no more\n)⟧\n",
        "x = f(\n    a,\n    # the last\n    b,\n    pin=True,\n    # no more\n)\n",
    ),
    "tabs": ("if y:\n\tx = ⟦f(\n\t\ta,\n\t)⟧\n", "if y:\n\tx = f(\n\t\ta,\n\t\tpin=True,\n\t)\n"),
    "parentheses around": ("x = (⟦f(a)⟧)\n", "x = (f(a, pin=True))\n"),
    "in a chain": ("x = ⟦f(a)⟧.g(b).h()\n", "x = f(a, pin=True).g(b).h()\n"),
    "of a chain": ("x = ⟦f(a).g(b)⟧.h()\n", "x = f(a).g(b, pin=True).h()\n"),
    "broken code elsewhere": ("def g(:\n\n\nx = ⟦f(a)⟧\n", "def g(:\n\n\nx = f(a, pin=True)\n"),
    "wide characters before it": ("s = 'ä😀'; x = ⟦f('ö')⟧  # é\n", "s = 'ä😀'; x = f('ö', pin=True)  # é\n"),
    "behind a semicolon": ("a = 1; x = ⟦f(a)⟧; b = 2\n", "a = 1; x = f(a, pin=True); b = 2\n"),
    "in an elif": ("if a:\n    b\nelif ⟦f(a)⟧:\n    c\n", "if a:\n    b\nelif f(a, pin=True):\n    c\n"),
    "in a decorator": ("@⟦f(a)⟧\ndef g():\n    pass\n", "@f(a, pin=True)\ndef g():\n    pass\n"),
    "in a string": ("x = f'{⟦g(a)⟧!r:>{w}}'\n", "x = f'{g(a, pin=True)!r:>{w}}'\n"),
    "a docstring that hangs left": (
        'def g():\n    """\nleft\n    """\n    return ⟦f(a)⟧\n',
        'def g():\n    """\nleft\n    """\n    return f(a, pin=True)\n',
    ),
}


@pytest.mark.parametrize("name", KEYWORD)
def test_a_keyword_is_put_where_a_careful_author_would(name: str) -> None:
    marked, after = KEYWORD[name]
    text, (call,) = spans(marked)
    assert fixed(text, SetKeyword(call, "pin", "True")) == after


def test_a_keyword_that_may_be_among_the_options_is_refused() -> None:
    text, (call,) = spans("x = ⟦f(a, **options)⟧\n")
    with pytest.raises(Refusal, match=r"pin may be among the keywords"):
        fixed(text, SetKeyword(call, "pin", "True"))


EXPRESSION = {
    "a name": ("x = ⟦y⟧ * 2\n", "z", "x = z * 2\n"),
    "parentheses where needed": ("x = ⟦y⟧ * 2\n", "a + b", "x = (a + b) * 2\n"),
    "none where not": ("x = f(⟦y⟧)\n", "a + b", "x = f(a + b)\n"),
    "those of the old one": ("x = (⟦y⟧) * 2\n", "a + b", "x = (a + b) * 2\n"),
    "before a dot": ("x = ⟦y⟧.z\n", "await w", "x = (await w).z\n"),
    "lines": ("x = f(\n    ⟦y.item()⟧,  # read\n)\n", "y_list[0]", "x = f(\n    y_list[0],  # read\n)\n"),
}


@pytest.mark.parametrize("name", EXPRESSION)
def test_an_expression_takes_the_place_of_another(name: str) -> None:
    marked, new, after = EXPRESSION[name]
    text, (at,) = spans(marked)
    assert fixed(text, ReplaceExpression(at, new)) == after


def test_a_callee_is_renamed_and_its_arguments_stay() -> None:
    text, (call,) = spans("x = ⟦torch.Tensor( a , # n\n  b)⟧\n")
    assert fixed(text, RenameCallee(call, "torch.empty")) == "x = torch.empty( a , # n\n  b)\n"


REMOVED = {
    "a line": ("a\n⟦gc.collect()⟧\nb\n", "a\nb\n"),
    "with what is said about it": ("a\n⟦gc.collect()⟧  # free\nb\n", "a\nb\n"),
    "comments above stay": ("a\n# note\n⟦gc.collect()⟧\nb\n", "a\n# note\nb\n"),
    "the last of a block": ("if a:\n    ⟦gc.collect()⟧\nb\n", "if a:\n    pass\nb\n"),
    "comments of the last of a block": (
        "if a:\n    b\n    # note\n    ⟦gc.collect()⟧\nc\n",
        "if a:\n    b\n    # note\nc\n",
    ),
    "on the line of its header": ("if a: ⟦gc.collect()⟧\n", "if a: pass\n"),
    "between semicolons": ("a; ⟦gc.collect()⟧; b\n", "a; b\n"),
    "behind a semicolon": ("a; ⟦gc.collect()⟧  # n\n", "a  # n\n"),
    "the body of an else": ("if a:\n    b\nelse:\n    ⟦gc.collect()⟧\n", "if a:\n    b\nelse:\n    pass\n"),
    "in a loop of a method": (
        "class A:\n  def f(self):\n    for b in c:\n      d(b)\n      ⟦gc.collect()⟧\n\n    return 1\n",
        "class A:\n  def f(self):\n    for b in c:\n      d(b)\n\n    return 1\n",
    ),
}


@pytest.mark.parametrize("name", REMOVED)
def test_a_statement_is_removed(name: str) -> None:
    marked, after = REMOVED[name]
    text, (at,) = spans(marked)
    assert fixed(text, RemoveStatement(at)) == after


HOISTED = {
    "out of a loop": (
        "def f():\n  a\n\n  # each\n  ⟦for b in c:\n    # made once\n    ⟦d = g()⟧  # costly\n    h(d)⟧\n",
        "def f():\n  a\n\n  # made once\n  d = g()  # costly\n  # each\n  for b in c:\n    h(d)\n",
    ),
    "leaving a pass": ("⟦for b in c:\n    ⟦d = g()⟧⟧\n", "d = g()\nfor b in c:\n    pass\n"),
    "over a condition between": (
        "⟦while b:\n\tif c:\n\t\t⟦d = g()⟧\n\t\te⟧\n",
        "d = g()\nwhile b:\n\tif c:\n\t\te\n",
    ),
}


@pytest.mark.parametrize("name", HOISTED)
def test_a_statement_leaves_its_loop(name: str) -> None:
    marked, after = HOISTED[name]
    text, (loop, at) = spans(marked)
    assert fixed(text, HoistStatement(at, loop)) == after


def test_a_statement_outside_the_loop_is_not_hoisted() -> None:
    text, (loop, at) = spans("if a:\n    ⟦for b in c:\n        d⟧\n    ⟦e = 1⟧\n")
    with pytest.raises(Refusal, match="is not in it"):
        fixed(text, HoistStatement(at, loop))


WRAPPED = {
    "one": ("a\n⟦⟦b(c)⟧⟧\nd\n", "a\nwith m():\n    b(c)\nd\n"),
    "several with their comments": (
        "def f():\n  a\n  # above\n  ⟦b⟧  # b\n\n  # between\n  ⟦if c:\n    d⟧\n  e\n",
        "def f():\n  a\n  # above\n  with m():\n    b  # b\n\n    # between\n    if c:\n      d\n  e\n",
    ),
    "a loop deep in a class": (
        "class A:\n    def f(self):\n        ⟦⟦for b in c:\n            d⟧⟧\n        return 1\n",
        "class A:\n    def f(self):\n        with m():\n            for b in c:\n                d\n        return 1\n",
    ),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_statements_are_wrapped(name: str) -> None:
    marked, after = WRAPPED[name]
    text, found = spans(marked)
    assert fixed(text, WrapStatements(found[0], found[-1], "with m():")) == after


def test_statements_of_different_blocks_are_not_wrapped() -> None:
    text, (first, last) = spans("if a:\n    ⟦b⟧\nelse:\n    ⟦c⟧\n")
    with pytest.raises(Refusal, match="different blocks"):
        fixed(text, WrapStatements(first, last, "with m():"))


INSERTED = {
    "above": ("a\n\n⟦for b in c:\n    d⟧\n", "before", "a\n\nx = 1\nfor b in c:\n    d\n"),
    "above its comments": ("if z:\n    # each\n    ⟦b()⟧\n", "before", "if z:\n    x = 1\n    # each\n    b()\n"),
    "above a decorated one": ("a\n@d\n⟦def f():\n    pass⟧\n", "before", "a\nx = 1\n@d\ndef f():\n    pass\n"),
    "first in a loop": (
        "⟦for b in c:  # each\n    # one\n    d⟧\n",
        "first in",
        "for b in c:  # each\n    x = 1\n    # one\n    d\n",
    ),
}


@pytest.mark.parametrize("name", INSERTED)
def test_a_statement_is_inserted(name: str) -> None:
    marked, where, after = INSERTED[name]
    text, (at,) = spans(marked)
    assert fixed(text, InsertStatement(at, "x = 1", where)) == after  # type: ignore[arg-type]


def test_a_statement_is_replaced_and_its_comment_stays() -> None:
    text, (at,) = spans("class A:\n    def f(self):\n        ⟦self.m = torch.compile(m)⟧  # fast\n")
    after = "class A:\n    def f(self):\n        self.m.compile()  # fast\n"
    assert fixed(text, ReplaceStatement(at, "self.m.compile()")) == after


def test_decorators() -> None:
    text, (at,) = spans("class A:\n    # doc\n    @a\n    @no_grad()  # n\n    ⟦def f(self):\n        pass⟧\n")
    assert "    # doc\n    @b\n    @a\n    @no_grad()  # n\n    def f" in fixed(text, SetDecorator(at, "b"))
    assert "    @a\n    @mode()  # n\n" in fixed(text, SetDecorator(at, "mode()", "no_grad()"))
    with pytest.raises(Refusal, match="not decorated with c"):
        fixed(text, SetDecorator(at, "b", "c"))


IMPORTED = {
    "below the imports": ("import os\nimport torch\n\nx\n", "import os\nimport torch\nimport numpy\n\nx\n"),
    "there already": ("import numpy\n", "import numpy\n"),
    "there through a part of it": ("import numpy.linalg\n", "import numpy.linalg\n"),
    "below a docstring": ('#!/bin/python\n"""Doc."""\n\nx\n', '#!/bin/python\n"""Doc."""\nimport numpy\n\nx\n'),
    "below a licence": ("# Licence\n\nx\n", "# Licence\nimport numpy\n\nx\n"),
    "below the future": (
        "from __future__ import annotations\nx\n",
        "from __future__ import annotations\nimport numpy\nx\n",
    ),
    "not inside a condition": (
        "import os\nif a:\n    import b\nx\n",
        "import os\nimport numpy\nif a:\n    import b\nx\n",
    ),
}


@pytest.mark.parametrize("name", IMPORTED)
def test_an_import_goes_where_imports_are(name: str) -> None:
    before, after = IMPORTED[name]
    assert fixed(before, AddImport("numpy")) == after


def test_a_name_that_is_taken_is_not_imported() -> None:
    with pytest.raises(Refusal, match="numpy is the name of something else"):
        fixed("import jax.numpy as numpy\n", AddImport("numpy"))


def test_all_edits_of_a_fix_are_made_together() -> None:
    text, (loop, read) = spans("import torch\n\n\ndef f(x):\n    ⟦for i in range(9):\n        g(⟦x[i].item()⟧)⟧\n")
    after = "import torch\nimport gc\n\n\ndef f(x):\n    y = x.tolist()\n    for i in range(9):\n        g(y[i])\n"
    edits = InsertStatement(loop, "y = x.tolist()"), ReplaceExpression(read, "y[i]"), AddImport("gc")
    assert fixed(text, *edits) == after


def test_a_place_that_is_not_there_is_refused() -> None:
    text, (call,) = spans("x = ⟦f(a)⟧\n")
    with pytest.raises(Refusal, match="not found"):
        fixed(text.replace("f(a)", "ff(a)"), SetKeyword(call, "pin", "True"))
