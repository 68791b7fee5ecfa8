"""MLS717: model files from outside the program that are read with the full pickle machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from mlsys_advise.condition import Affected, AnyOf, Clause, Exists, FileWritten, PathFromOutside, Uses, refute, require
from mlsys_advise.here import Here
from mlsys_advise.rule import Candidate, rule

_ESTIMATORS: Final = {
    "joblib.load": "filename",
    "pickle.load": "file",
    "dill.load": "file",
    "cloudpickle.load": "file",
}
_TORCH_WRITERS: Final = ("torch.save",)
_WRITERS: Final = ("joblib.dump", "pickle.dump", "dill.dump", "cloudpickle.dump", "torch.save")
#: Where temporary and packaged files come from.
_OWN: Final = ("tempfile.", "importlib.resources.", "pkg_resources.", "importlib_resources.")
_ALLOWED: Final = ("torch.serialization.add_safe_globals", "torch.serialization.safe_globals")
#: Variables in which serving platforms say where they have put a model; who may register one needs credentials.
_PLATFORM: Final = frozenset(
    {"AZUREML_MODEL_DIR", "SM_MODEL_DIR", "SM_CHANNEL_MODEL", "AIP_STORAGE_URI", "AIP_MODEL_DIR"}
)
#: Attributes that scikit-learn and its kin give to what has been fitted.
_FITTED: Final = re.compile(r"^[a-z]\w*[a-z0-9]_$")


#: Whether `weights_only` is left out -> the sort of advisory that then matters, and what to say of it.
_ADMITTED: Final = {
    True: (
        "default",
        "`{call}` without weights_only runs code stored in the checkpoint under torch {pin}, which {manifest} asks "
        "for; the default is safe from torch 2.6 on",
    ),
    False: (
        "vulnerability",
        "`{call}` can run code stored in the checkpoint, in spite of weights_only=True, under torch {pin}, which "
        "{manifest} asks for ({advisory})",
    ),
}


@rule(
    "MLS717",
    severity="warning",
    category="security",
    lesson="serialization",
    evidence="checkpoint-load-format",
    words=("load",),
    yields_to=("MLS716",),
)
def unrestricted_checkpoint_load(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """The full pickle machine runs whatever a model file says; the restricted loader builds tensors and containers."""
    if isinstance(call.func, ast.Attribute) and call.func.attr != "load":
        return
    name = here.callee(call)
    if here.in_test_file or (name != "torch.load" and name not in _ESTIMATORS):
        return
    path = here.argument(call, _ESTIMATORS.get(name, "f"), 0)
    if not isinstance(path, ast.expr) or _is_own(path, here):
        return
    if name == "torch.load":
        yield from _checkpoint(call, path, here)
    else:
        yield from _estimator(call, name, path, here)


def _checkpoint(call: ast.Call, path: ast.expr, here: Here) -> Iterator[Candidate]:
    restricted = here.argument(call, "weights_only", 3)
    if _writes(_TORCH_WRITERS, path, here):
        return
    written = refute(FileWritten(here.term(path), _TORCH_WRITERS), "the project writes this file")
    if here.is_constant(restricted, False):
        yield here.candidate(
            "MLS717",
            call,
            "`{call}` can run code stored in the checkpoint: weights_only=False",
            refute(Exists(_ALLOWED, "module"), "types are allow-listed"),
            written,
            facts={"call": here.text(call.func)},
        )
    elif restricted is None or here.is_constant(restricted, True):
        kind, message = _ADMITTED[restricted is None]
        yield here.candidate(
            "MLS717",
            call,
            message,
            require(Affected("torch", "torch.load", kind), "the manifest admits only affected versions"),
            refute(Affected("torch", "torch.load", "feature"), "torch knows weights_only"),
            _from_outside(path, here) if restricted is None else None,
            written,
            facts={"call": here.text(call.func)},
        )


def _from_outside(path: ast.expr, here: Here) -> Clause:
    """That somebody else chooses the file: a program that reads what it wrote itself has nothing to fear."""
    leaves = [PathFromOutside(here.term(leaf)) for leaf in _paths(path, here)]
    return require(AnyOf(tuple(leaves)), "somebody else chooses the file")


def _estimator(call: ast.Call, name: str, path: ast.expr, here: Here) -> Iterator[Candidate]:
    record = here.record(call)
    if record is None or _writes(_WRITERS, path, here):
        return
    fitted = _shows_what_was_fitted(call, here)
    for source in _paths(path, here):
        yield here.candidate(
            "MLS717",
            call,
            "`{call}` can run code stored in the model file, whose path comes from {setting}",
            None if fitted else require(Uses(*record, "used as a model"), "the result is used as a model"),
            require(PathFromOutside(here.term(source)), "somebody else chooses the file"),
            refute(FileWritten(here.term(path), _WRITERS), "the project writes this file"),
            facts={"call": name},
            group=f"{call.lineno}:{call.col_offset}",
        )


def _shows_what_was_fitted(call: ast.Call, here: Here) -> bool:
    """Whether a fitted attribute of the result is read, at once or by the name that it is given."""
    match here.parent(call):
        case ast.Attribute(attr=attr):
            return bool(_FITTED.match(attr))
        case ast.Assign([ast.Attribute() as target]):
            cls = here.enclosing_class(call)
            around = cls.node if cls is not None else here.function(call).node
        case ast.Assign([ast.Name() as target]):
            around = here.function(call).node
        case _:
            return False
    name = here.text(target)
    return any(
        isinstance(node, ast.Attribute) and _FITTED.match(node.attr) and here.text(node.value) == name
        for node in ast.walk(around)
    )


def _paths(path: ast.expr, here: Here) -> Iterator[ast.expr]:
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


def _writes(writers: tuple[str, ...], path: ast.expr, here: Here) -> bool:
    """Whether this file writes such files, under a name that may be this one."""
    own = here.file_name(path)
    for writer in writers:
        for call in here.calls_of(writer):
            target = here.argument(call, "f", 1)
            name = here.file_name(target) if isinstance(target, ast.expr) else None
            if name is None or own is None or name == own:
                return True
    return False
