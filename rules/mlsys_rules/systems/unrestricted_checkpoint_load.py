"""MLS717: weights from outside the program that are read with the full pickle machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from mlsys_advise.condition import (
    Affected,
    AnyOf,
    Clause,
    Exists,
    Fetched,
    FileWritten,
    LiesHere,
    LoadedByCaller,
    PathFromOutside,
    SavesOptions,
    Unused,
    grade,
    refute,
    require,
)
from mlsys_advise.edit import Fix, SetKeyword
from mlsys_advise.here import Here
from mlsys_advise.library.downloads import DOWNLOADS
from mlsys_advise.rule import Answer, Candidate, rule
from mlsys_advise.term import Param

_WRITERS: Final = ("torch.save",)
#: Where temporary and packaged files come from.
_OWN: Final = ("tempfile.", "importlib.resources.", "pkg_resources.", "importlib_resources.")
_ALLOWED: Final = ("torch.serialization.add_safe_globals", "torch.serialization.safe_globals")
#: Variables in which serving platforms say where they have put a model; who may register one needs credentials.
_PLATFORM: Final = frozenset(
    {"AZUREML_MODEL_DIR", "SM_MODEL_DIR", "SM_CHANNEL_MODEL", "AIP_STORAGE_URI", "AIP_MODEL_DIR"}
)
#: Words in the name of an option that say no more than "a model", or that a run goes on. They only excuse.
_ANY_MODEL: Final = frozenset(
    "best checkpoint checkpoints ckpt ckpts continue dir eval file filename folder from last latest load model "
    "models module name net network path pt pth pytorch restore resume root save saved snapshot state step test "
    "trained weight weights".split()
)
_GOES_ON: Final = re.compile(r"resum|restor|continue|last|best")
_WRITTEN: Final = "the project writes this file"
_REFUSED: Final = "the project's own checkpoints hold objects"
_OUTSIDE: Final = "the file comes from outside"

#: What is said of the file, by how it is loaded.
_SAYS: Final = {
    "explicit": "`{call}` reads {source} with weights_only=False and takes only tensors from it: whoever made the file "
    "can run code in this process",
    "default": "`{call}` without weights_only runs code stored in {source} under torch {pin}, which {manifest} asks "
    "for; only tensors are taken from it, so weights_only=True will do",
    "vulnerability": "`{call}` can run code stored in {source}, in spite of weights_only=True, under torch {pin}, "
    "which {manifest} asks for ({advisory})",
    "fallback": "`{call}` reads with weights_only=False what weights_only=True has just refused: a file that holds "
    "code is run after all",
}
_SOURCES: Final = {"download": "a downloaded file", "upload": "an uploaded file"}


def _is_not_ones_own(candidate: Candidate, answers: Mapping[str, Answer]) -> Candidate | None:
    """What a setting names may be a model that the project itself has trained, unless something speaks against it."""
    outside, written = answers.get(_OUTSIDE), answers[_WRITTEN]
    if outside is None:
        return None if written.value else _with_source(candidate, "a model file")
    origin = outside.facts.get("origin", "")
    if origin in _SOURCES:
        if candidate.facts["sort"] == "default":  # the argument alone is bypassed under such a torch
            candidate = msgspec.structs.replace(candidate, fix=None)
        return _with_source(candidate, _SOURCES[origin])
    if answers[_REFUSED].value:  # one that was trained here could be read no longer
        return None
    setting, name = outside.facts.get("setting", ""), written.facts.get("named", "")
    if candidate.facts["sort"] == "vulnerability" or written.value or _GOES_ON.search(setting + name):
        return None
    by_hand = candidate.facts["script"] and setting == "the command line"
    if by_hand and candidate.facts["sort"] == "explicit":  # a conversion that its user runs once
        return None
    given = setting.removeprefix("the option ").removeprefix("the variable ")
    if outside.facts.get("makes") and not _tells(name) and (given == setting or not _tells(given)):
        return None
    return _with_source(candidate, f"the file that {setting} names")


def _with_source(candidate: Candidate, source: str) -> Candidate:
    return msgspec.structs.replace(candidate, facts={**candidate.facts, "source": source})


def _tells(name: str) -> bool:
    """Whether a name says more than that this is a model."""
    return bool(set(re.findall(r"[a-z]+", name.lower())) - _ANY_MODEL)


@rule(
    "MLS717",
    severity="warning",
    category="security",
    lesson="serialization",
    evidence="checkpoint-load-format",
    words=("load",),
    yields_to=("MLS716",),
    confirm=_is_not_ones_own,
)
def unrestricted_checkpoint_load(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """The full pickle machine runs whatever a model file says; the restricted loader builds tensors and containers."""
    if isinstance(call.func, ast.Attribute) and call.func.attr != "load":
        return
    if here.callee(call) != "torch.load" or here.in_test_file:
        return
    path = here.argument(call, "f", 0)
    if not isinstance(path, ast.expr) or _is_own(path, here) or _writes(path, here) or _is_prepared(call, here):
        return
    restricted = here.argument(call, "weights_only", 3)
    common = (
        grade(FileWritten(here.term(path), _WRITERS), _WRITTEN),
        grade(SavesOptions(), _REFUSED),
        refute(Unused(here.owner(call)), "nothing calls it"),
        *_reaches_download(path, here),
    )
    if here.is_constant(restricted, False):
        clauses = (*common, refute(Exists(_ALLOWED, "module"), "types are allow-listed"))
        if _falls_back(call, path, here):
            yield _found("fallback", call, here, *clauses)
        elif _is_restricted_elsewhere(call, path, here):
            yield _found("explicit", call, here, *clauses)
        elif (weights := _weights(call, here)) is not None:
            yield _found("explicit", call, here, *clauses, *weights, _from_outside(path, here))
    elif restricted is None and (weights := _weights(call, here)) is not None:
        yield _found("default", call, here, *common, *_pinned("default"), *weights, _from_outside(path, here))
    elif here.is_constant(restricted, True):
        yield _found("vulnerability", call, here, *common, *_pinned("vulnerability"), _from_outside(path, here))


def _found(sort: str, call: ast.Call, here: Here, *clauses: Clause) -> Candidate:
    facts = {
        "call": here.text(call.func),
        "sort": sort,
        "script": "yes" if here.function(call).kind == "module" else "",
    }
    return here.candidate("MLS717", call, _SAYS[sort], *clauses, facts=facts, fix=_fix(sort, call, here))


def _fix(sort: str, call: ast.Call, here: Here) -> Fix | None:
    """The argument, where the call itself gives it, or nobody does."""
    given = any(keyword.arg == "weights_only" for keyword in call.keywords)
    if sort == "default" or (sort == "explicit" and given):
        edit = SetKeyword(here.span(call), "weights_only", "True")
        return Fix("read tensors and plain containers only", "suggested", (edit,))
    return None


def _pinned(kind: str) -> tuple[Clause, ...]:
    """That every torch which the manifest admits is affected, and knows the restricted loader."""
    return (
        require(Affected("torch", "torch.load", kind), "the manifest admits only affected versions"),
        refute(Affected("torch", "torch.load", "feature"), "torch knows weights_only"),
    )


def _from_outside(path: ast.expr, here: Here) -> Clause:
    """That somebody else decides what the file holds."""
    owner = here.owner(path)
    leaves = list(_leaves(path, here))
    sources = dict.fromkeys(here.term(leaf) for leaf in (path, *leaves))
    asked = [Fetched(term, owner) for term in sources] + [PathFromOutside(here.term(leaf)) for leaf in leaves]
    return require(AnyOf(tuple(asked)), _OUTSIDE)


def _reaches_download(path: ast.expr, here: Here) -> Iterator[Clause]:
    """That callers give an address to fetch, where the function downloads whatever it is given."""
    for call in (call for leaf in here.origins(path) for call in _calls(leaf, here)):
        if call.args and here.callee(call) in DOWNLOADS:
            address = here.term(call.args[0])
            if isinstance(address, Param):
                yield refute(LiesHere(address), "what it would fetch lies on this machine")


# -- what becomes of the loaded object


def _weights(call: ast.Call, here: Here) -> tuple[Clause, ...] | None:
    """What must hold for the loaded object to be used as weights alone; None if it is used otherwise."""
    reading = here.reading(call)
    if reading.objects or reading.resumes:
        return None
    if reading.weights:
        return ()
    if len(reading.returned) == 1:
        return (require(LoadedByCaller(reading.returned[0]), "only tensors are used"),)
    return None


def _is_restricted_elsewhere(call: ast.Call, path: ast.expr, here: Here) -> bool:
    """Whether the same function reads the same path with the restricted loader and does the same with the result."""
    return any(
        here.text(_handed(other, here)) == here.text(_handed(call, here)) for other in _restricted(call, path, here)
    )


def _handed(call: ast.Call, here: Here) -> ast.AST:
    """The function that a loaded object is given to at once; the call itself if there is none."""
    around = here.parent(call)
    return around.func if isinstance(around, ast.Call) and call in around.args else call


def _restricted(call: ast.Call, path: ast.expr, here: Here) -> Iterator[ast.Call]:
    """The calls in the same function that read the same path with the restricted loader."""
    for other in here.calls(here.function(call).node):
        if other is not call and here.callee(other) == "torch.load":
            given = here.argument(other, "f", 0)
            same = isinstance(given, ast.expr) and here.text(given) == here.text(path)
            if same and here.is_constant(here.argument(other, "weights_only", 3), True):
                yield other


def _falls_back(call: ast.Call, path: ast.expr, here: Here) -> bool:
    """Whether a call stands in the handler of a `try` whose body reads the same file with the restricted loader."""
    restricted = set(_restricted(call, path, here))
    for around in here.ancestors(call):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        if isinstance(around, ast.ExceptHandler):
            tried = here.parent(around)
            return isinstance(tried, ast.Try) and any(
                other in restricted for statement in tried.body for other in here.calls(statement)
            )
    return False


def _is_prepared(call: ast.Call, here: Here) -> bool:
    """Whether something is set up around the call and taken down after it: classes that the pickle asks for, say."""
    inner: ast.AST = call
    for around in here.ancestors(call):
        match around:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                return False
            case ast.Try(body, finalbody=[_, *_]) if inner in body:
                return True
            case ast.With(items) if any(_is_of_project(item.context_expr, here) for item in items):
                return True
        inner = around
    return False


def _is_of_project(context: ast.expr, here: Here) -> bool:
    """Whether a context manager is none of a library that one knows."""
    name = here.callee_of(context)
    return not name.startswith(("torch.", "builtins.", "warnings.", "contextlib.", "accelerate.", "tempfile."))


# -- where the file comes from


def _leaves(path: ast.expr, here: Here) -> Iterator[ast.expr]:
    """What a path, or the path of an opened file, is made of."""
    leaves = here.origins(path)
    if any(_of_platform(leaf) for leaf in leaves):
        return
    for leaf in leaves:
        if not isinstance(leaf, ast.Constant) and here.callee_of(leaf) not in ("builtins.open", "pathlib.Path"):
            yield leaf


def _of_platform(leaf: ast.expr) -> bool:
    """Whether a folder is the one into which a serving platform has put the model that was registered with it."""
    match leaf:
        case ast.Subscript(_, ast.Constant(str() as name)) | ast.Call(_, [ast.Constant(str() as name), *_]):
            return name in _PLATFORM
    return False


def _is_own(path: ast.expr, here: Here) -> bool:
    """Whether a file lies in the package, or was made for this run alone."""
    for leaf in here.origins(path):
        match leaf:
            case ast.Name("__file__"):
                return True
            case ast.Call() | ast.Attribute() | ast.Name():
                term = here.text(leaf, 200)
                names = [here.callee(part) for part in _calls(leaf, here)]
                if any(name.startswith(_OWN) for name in names) or "__file__" in term:
                    return True
    return False


def _calls(leaf: ast.expr, here: Here) -> Iterator[ast.Call]:
    """The call that made a leaf, with those that its receiver came from."""
    for _ in range(6):
        if isinstance(leaf, ast.Name):
            binding = here.binding(leaf)
            if binding is None or binding.value is None:
                return
            leaf = binding.value
        elif isinstance(leaf, ast.Attribute):
            leaf = leaf.value
        elif isinstance(leaf, ast.Call):
            yield leaf
            leaf = leaf.func
        else:
            return


def _writes(path: ast.expr, here: Here) -> bool:
    """Whether this file writes the same file: of the same name, or under the same attribute."""
    own = here.file_name(path)
    for call in here.calls_of("torch.save"):
        target = here.argument(call, "f", 1)
        if isinstance(target, ast.expr):
            name = here.file_name(target)
            same = isinstance(path, ast.Attribute) and here.text(target) == here.text(path)
            if same or (name is not None and name == own):
                return True
    return False
