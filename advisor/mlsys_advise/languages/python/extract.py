"""From a walked module to its interface, and to the header that the name tables are made of."""

from __future__ import annotations

import ast
import re
import sys
from typing import Any, Final, NamedTuple

from mlsys_advise.interface import (
    BODY,
    CallRecord,
    ClassRecord,
    Effect,
    FunctionRecord,
    LoopRecord,
    OptionRecord,
    Positions,
    PythonInterface,
)
from mlsys_advise.languages.python import loops as loop_facts
from mlsys_advise.languages.python.scopes import Bind, CallSite, Loop, Module, Region, Scope
from mlsys_advise.languages.python.terms import Terms, annotation, item
from mlsys_advise.languages.python.writes import written
from mlsys_advise.languages.source import Source
from mlsys_advise.term import (
    UNKNOWN,
    Call,
    Const,
    Def,
    Elem,
    Item,
    Lit,
    Map,
    Member,
    Name,
    Param,
    Self,
    Term,
    Unknown,
    Var,
    children,
    either,
    last_name,
)

#: Packages whose functions are known not to be of the project being read (unless the project is that package).
LIBRARIES: Final = sys.stdlib_module_names | frozenset(
    "torch torchvision torchaudio torchtext torchmetrics numpy scipy pandas sklearn matplotlib "
    "seaborn plotly cv2 PIL skimage imageio tqdm yaml requests httpx aiohttp fastapi starlette flask "
    "pydantic uvicorn gunicorn transformers diffusers accelerate datasets peft trl timm einops "
    "huggingface_hub safetensors tokenizers sentencepiece pytorch_lightning lightning "
    "lightning_fabric jax jaxlib flax optax haiku tensorflow keras tensorboard tensorboardX wandb "
    "mlflow comet_ml neptune hydra omegaconf ray dask pyspark joblib numba cupy triton apex deepspeed "
    "megatron_core xformers flash_attn bitsandbytes onnx onnxruntime tensorrt openvino librosa "
    "soundfile nltk spacy gensim faiss redis boto3 botocore google azure openai anthropic langchain "
    "gradio streamlit grpc kafka celery pytest hypothesis setuptools packaging rich click typer absl "
    "fire termcolor colorama tabulate psutil h5py lmdb zarr pyarrow polars networkx dgl "
    "torch_geometric ogb albumentations kornia monai detectron2 mmcv mmengine mmdet ultralytics vllm "
    "sentence_transformers whisper faster_whisper gym gymnasium stable_baselines3 optuna attr attrs "
    "six future toml tomli ujson orjson regex ftfy jinja2 IPython ipywidgets pycocotools shapely "
    "trimesh open3d".split()
)
#: Libraries whose calls neither wait for a device nor call back into the project.
HARMLESS: Final = frozenset(
    "builtins math time datetime os sys logging random collections itertools functools typing re json "
    "string copy warnings argparse pathlib dataclasses enum operator contextlib abc inspect traceback "
    "types gc numpy torch einops tqdm torch.nn struct hashlib base64 bisect heapq statistics shutil "
    "glob uuid textwrap weakref".split()
)
_TEXT: Final = Lit("str")
#: Arguments that are kept: by position, and by keyword.
_MOST_ARGUMENTS: Final = 8
_MOST_KEYWORDS: Final = 24
#: Entries of a dict that are kept.
_MOST_ITEMS: Final = 8
#: Libraries whose functions are not given functions of the project, but for those below.
_UNGIVEN: Final = ("torch.", "numpy.", "builtins.", "logging.", "os.", "time.", "math.", "re.", "typing.")
_GIVEN: Final = frozenset(
    [
        "builtins.map",
        "builtins.filter",
        "builtins.sorted",
        "torch.utils.checkpoint.checkpoint",
        "torch.func.vmap",
        "torch.vmap",
        "torch.utils.data.default_collate",
    ]
)
#: Constructors of layers: calling such an object neither waits nor leads back into the project.
_LAYERS: Final = ("torch.nn.", "torchvision.transforms.", "timm.layers.")
_CLICK: Final = ("click.option", "typer.Option", "click.argument")


class _Library(NamedTuple):
    """A name that is called. ``verdict``: "" if it may be of the project, "kept", "builtin", "quiet", or its package.

    ``given``: whether such functions are handed functions of the project.
    """

    canonical: str
    verdict: str
    foreign: bool
    effect: bool
    given: bool


class Extraction:
    """Everything that is stored of a file besides its candidates."""

    def __init__(self, module: Module, terms: Terms, masked: bool) -> None:
        self.module = module
        self.terms = terms
        self.lexicon = terms.lexicon
        self.words = self.lexicon.vocabulary.effects
        self.tokens = self.lexicon.method_tokens
        self.local_classes = {scope.qualname for scope in module.scopes if scope.kind == "class"}
        self.owner: dict[int, str] = {}
        self.loop_number: dict[int, tuple[str, int]] = {}
        self.call_number: dict[ast.Call, tuple[str, int]] = {}
        self.callees: dict[ast.Call, Term] = {}
        self._settled: dict[tuple[str, str], bool] = {}
        self._names: dict[str, _Library] = {}
        self._assigned: dict[tuple[str, str], list[tuple[ast.expr | None, Scope]]] = {}
        self._lines_of_calls: dict[str, tuple[int, ...]] = {}
        self._lines_of_loops: dict[str, tuple[int, ...]] = {}
        self._header: dict[str, tuple[str, ...]] | None = None
        self.options: dict[str, Term] = {}
        self.option_lines: dict[str, int] = {}
        self.option_flags: dict[str, tuple[str, ...]] = {}
        self.attribute_lines: dict[str, int] = {}
        self._attributes: dict[str, list[tuple[str, Term, str]]] = {}
        self.interface = self._interface(masked)

    # -- what belongs to which function

    def _group(self) -> dict[str, list[Scope]]:
        """Scopes by the function that runs their code: class bodies belong to what encloses them."""
        groups: dict[str, list[Scope]] = {}
        for scope in self.module.scopes:
            if scope.kind == "class" or scope.kind == "module":
                around: Scope | None = scope
                while around is not None and around.kind == "class":
                    around = around.parent
                owner = around.qualname if around is not None else BODY
            else:
                owner = scope.qualname
            self.owner[scope.index] = owner
            groups.setdefault(owner, []).append(scope)
        return groups

    def _interface(self, masked: bool) -> PythonInterface:
        module = self.module
        groups = self._group()
        for scope in module.scopes:
            if scope.kind == "function" and scope.cls and scope.parameters:
                receiver = scope.parameters[0]
                for node, value, path, _ in scope.attributes:
                    if type(node.value) is ast.Name and node.value.id == receiver:
                        self._assigned.setdefault((scope.cls, node.attr), []).append((None if path else value, scope))
        terms, callees = self.terms, self.callees
        for owner, scopes in groups.items():
            number = 0
            for scope in scopes:
                for loop in scope.loops:
                    self.loop_number[loop.index] = (owner, number)
                    number += 1
                for site in scope.calls:
                    call = site.node
                    callee = callees[call] = terms.of(call.func, scope)
                    terms.identify(call, callee, owner)
        functions = {owner: self._function(owner, scopes) for owner, scopes in groups.items()}
        classes = {scope.qualname: self._class(scope) for scope in module.scopes if scope.kind == "class"}
        body = module.scopes[0]
        names: dict[str, Term] = {}
        variables: dict[str, Term] = {}
        for name, numbers in body.bindings.items():
            term = self.terms.exported(name, numbers)
            names[name] = term
            if isinstance(term, Var):
                parts = [self.terms.binding(number) for number in numbers[:4]]
                known = [part for part in parts if part != Const(None)] or parts
                variables[name] = either(known)
        self._fill(variables)
        return PythonInterface(
            package=module.package,
            imports=tuple(
                sorted({name for name, region in module.imports if not region & (Region.LAZY | Region.TYPE_CHECKING)})
            ),
            lazy_imports=tuple(sorted({name for name, region in module.imports if region & Region.LAZY})),
            stars=tuple(module.stars),
            names=dict(sorted(names.items())),
            variables=dict(sorted(variables.items())),
            functions=dict(sorted(functions.items())),
            classes=dict(sorted(classes.items())),
            options=tuple(
                OptionRecord(key, default, self.option_flags.get(key, ()))
                for key, default in sorted(self.options.items())
            ),
            main_guard=any(site.region & Region.MAIN_GUARD for site in body.calls),
            masked=masked,
        )

    def _fill(self, variables: dict[str, Term]) -> None:
        """Add to dicts of the module what functions store in them under constant keys: `models["en"] = load()`."""
        for node, value, scope in self.module.stored:
            name = node.value.id if isinstance(node.value, ast.Name) else ""
            if not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, str):
                continue
            before = variables.get(name)
            if not isinstance(before, Map) and before != Lit("dict"):
                continue
            if scope.kind != "module" and name in scope.bindings and name not in scope.foreign:
                continue
            items = before.items if isinstance(before, Map) else ()
            added = (node.slice.value, self.terms.of(value, scope, 8))
            if added not in items and len(items) < _MOST_ITEMS:
                variables[name] = Map((*items, added))

    # -- functions

    def _function(self, owner: str, scopes: list[Scope]) -> FunctionRecord:
        scope = scopes[0] if len(scopes) == 1 else next((s for s in scopes if s.kind != "class"), scopes[0])
        calls: list[CallRecord] = []
        known: dict[CallRecord, int] = {}
        lines: list[int] = []
        effects: set[Effect] = set()
        foreign: set[str] = set()
        for part in scopes:
            for site in part.calls:
                record = self._call(part, site, effects, foreign)
                if record is None:
                    continue
                # A call with an identity is equal to no other.
                number = known.setdefault(record, len(calls)) if record.site < 0 else len(calls)
                if number == len(calls):
                    calls.append(record)
                    lines.append(site.node.lineno)
                self.call_number[site.node] = (owner, number)
        loops = [loop for part in scopes for loop in part.loops]
        records = tuple([self._loop(loop) for loop in loops])
        self._lines_of_calls[owner] = tuple(lines)
        self._lines_of_loops[owner] = tuple([loop.node.lineno for loop in loops])
        stores = self._stores(owner, scopes)
        decorators = self._decorators(scope)
        for decorator in decorators:
            name = self.lexicon.canonical(decorator.callee.dotted) if isinstance(decorator.callee, Name) else ""
            if name in self.words:
                effects.add(Effect(name, region=scope.region))
        return FunctionRecord(
            params=scope.parameters,
            annotations=self._annotations(scope),
            defaults=self._defaults(scope),
            decorators=decorators,
            cls=scope.cls if scope.kind == "function" else "",
            kind=scope.kind,
            is_async=isinstance(scope.node, ast.AsyncFunctionDef),
            generator=scope.generator,
            static=scope.static,
            region=scope.region,
            parent=self.owner[scope.parent.index] if scope.parent is not None else BODY,
            returns=self._returns(scope),
            calls=tuple(calls),
            loops=records,
            stores=stores,
            effects=tuple(sorted(effects)),
            foreign=tuple(sorted(foreign)),
            writes=written(scope, self.module),
        )

    def _loop(self, loop: Loop) -> LoopRecord:
        # What follows may ask for terms of names: in this order, because the deepest of them are kept.
        iterated = loop_facts.unwrap(loop.iterated, self.terms, self.module, loop)
        term = self.terms.of(iterated, self.module.scopes[loop.scope]) if iterated is not None else UNKNOWN
        return LoopRecord(
            parent=self.loop_number[loop.parent][1] if loop.parent in self.loop_number else -1,
            iterated=term,
            size=loop_facts.size_of(loop, iterated, self.terms, self.module),
            region=loop.region,
            names=loop_facts.parts(loop),
            comprehension=not isinstance(loop.node, (ast.For, ast.AsyncFor, ast.While)),
        )

    def _call(self, scope: Scope, site: CallSite, effects: set[Effect], foreign: set[str]) -> CallRecord | None:
        node = site.node
        callee = self.callees[node]
        region = site.region
        loop = self.loop_number[site.loop][1] if site.loop >= 0 else -1
        func = node.func
        attribute = ""
        if type(func) is ast.Attribute:
            attribute = func.attr
            if attribute == "add_argument":
                self._option(node, scope)
                return None
            token = self.tokens.get(attribute)
            if token is not None:
                effects.add(Effect(token, loop, region))
        identity = self.terms.sites.get(node)
        keep = identity is not None
        cls = type(callee)
        if cls is Name:
            dotted = callee.dotted  # type: ignore[union-attr]
            name = self._names.get(dotted) or self._library(dotted)
            if name.effect and (name.verdict != "builtin" or reads(node)):
                effects.add(Effect(name.canonical, loop, region))
            if name.verdict == "" or name.verdict == "kept":
                keep = True
            else:
                if name.foreign:
                    foreign.add(name.verdict)
                if name.given and not keep:
                    keep = self._hands_over(node, scope)
        elif cls is Member:
            keep = keep or self._of_interest(callee, scope) or (attribute in ("to", "cuda") and moves(site, callee.of))  # type: ignore[arg-type, union-attr]
            keep = keep or attribute == _RESTORES
            if not keep and type(callee.of) is Self and self._is_library_object(callee.of.cls, attribute):  # type: ignore[union-attr]
                effects.add(Effect(LAYER, loop, region))
        elif cls is Unknown:
            common = attribute in self.lexicon.vocabulary.common
            if not keep and not common:
                foreign.add("?")
            if attribute and (not common or attribute == _RESTORES):
                callee, keep = Member(UNKNOWN, attribute), True
        else:
            keep = True
        if not keep:
            return None
        keywords: tuple[tuple[str, Term], ...] = ()
        hidden = False
        if node.keywords:
            keywords, hidden = self._keywords(node, scope)
        args: tuple[Term, ...] = ()
        if node.args:
            args = tuple([self._argument(arg, scope) for arg in node.args[:_MOST_ARGUMENTS]])
            hidden = hidden or ast.Starred in map(type, node.args)
        return CallRecord(
            callee, args, keywords, loop, region, -1 if identity is None else identity[1], site.awaited, hidden
        )

    def _library(self, dotted: str) -> _Library:
        canonical = self.lexicon.canonical(dotted)
        top = canonical.partition(".")[0]
        if top == "builtins":
            verdict = "builtin"
        elif top in LIBRARIES and top not in self.module.package:
            vocabulary = self.lexicon.vocabulary
            if canonical in vocabulary.sites or canonical in vocabulary.wrappers:
                verdict = "kept"
            else:
                verdict = "quiet" if top in HARMLESS else top
        else:
            verdict = ""
        found = self._names[dotted] = _Library(
            canonical,
            verdict,
            verdict not in ("quiet", "builtin"),
            canonical in self.words,
            not canonical.startswith(_UNGIVEN) or canonical in _GIVEN,
        )
        return found

    def _keywords(self, node: ast.Call, scope: Scope) -> tuple[tuple[tuple[str, Term], ...], bool]:
        """Keyword arguments by name, with those of a literal `**`; and whether another `**` hides some."""
        found: dict[str, Term] = {}
        hidden = False
        for number, keyword in enumerate(node.keywords):
            if keyword.arg is None:
                term = self.terms.of(keyword.value, scope)
                if type(term) is not Map:
                    hidden = True
                elif number < _MOST_KEYWORDS:
                    for name, part in term.items:
                        found.setdefault(name, part)
            elif number < _MOST_KEYWORDS:
                found[keyword.arg] = self._argument(keyword.value, scope)
        return tuple(sorted(found.items()) if len(found) > 1 else found.items()), hidden

    def _argument(self, node: ast.expr, scope: Scope) -> Term:
        term = self.terms.of(node, scope, 7)
        if type(term) is Const and type(term.value) is str and " " in term.value:
            return _TEXT
        return term

    def _of_interest(self, callee: Member, scope: Scope) -> bool:
        """A method call that may be one of the project, or that the vocabulary names with its receiver's kind."""
        of = callee.of
        if type(of) is Self and f"{of.cls}.{callee.name}" in self.module.by_qualname:
            return True
        if callee.name in self.lexicon.vocabulary.common:
            if callee.name not in _OF_MODELS or isinstance(of, (Const, Lit)):
                return False
            if "compile" not in self.module.words and not isinstance(of, (Var, Member, Item)):
                return False
        if type(of) is Call and type(of.callee) is Name:
            kind = self.lexicon.constructed(of.callee.dotted)
            if kind and kind not in ("none", "scalar"):
                return f"{kind}.{callee.name}" in self.lexicon.vocabulary.wrappers or kind in _KEPT_RECEIVERS
        if type(of) is Self and self._is_library_object(of.cls, callee.name):
            return False
        if type(of) is Member and type(of.of) is Self and self._is_library_object(of.of.cls, of.name):
            return False
        return not isinstance(of, (Const, Lit))

    def _is_library_object(self, cls: str, attribute: str) -> bool:
        """Whether an attribute of a class of this file is only ever a layer or the like, whose calls say nothing."""
        pair = (cls, attribute)
        known = self._settled.get(pair)
        if known is None:
            known = self._settled[pair] = self._only_library(cls, attribute)
        return known

    def _only_library(self, cls: str, attribute: str) -> bool:
        values = self._assigned.get((cls, attribute))
        if not values:
            return False
        for value, _ in values:
            if not isinstance(value, ast.Call):
                return False
            callee = self.callees.get(value)
            if type(callee) is not Name or not self.lexicon.canonical(callee.dotted).startswith(_LAYERS):
                return False
        return True

    def _hands_over(self, node: ast.Call, scope: Scope) -> bool:
        """Whether a function of this file is given away in the arguments."""
        for arg in (*node.args, *(keyword.value for keyword in node.keywords)):
            if type(arg) is ast.Name:
                number = self.module.loads.get(arg)
                if number is not None and self.module.bindings[number].kind not in (Bind.DEF, Bind.IMPORT, Bind.ASSIGN):
                    continue
            if isinstance(arg, (ast.Name, ast.Attribute, ast.Lambda)):
                term = self.terms.of(arg, scope, 4)
                if isinstance(term, Def) and term.qualname not in self.local_classes:
                    return True
                if isinstance(term, Member) and isinstance(term.of, Self):
                    methods = self.module.by_qualname.get(f"{term.of.cls}.{term.name}")
                    if methods is not None:
                        return True
                if isinstance(term, Name):
                    top = term.dotted.partition(".")[0]
                    if top not in LIBRARIES and top != "builtins" and term.dotted.rpartition(".")[2][:1].islower():
                        return True
        return False

    def _option(self, node: ast.Call, scope: Scope) -> None:
        """An option of argparse: key, and default if it has one."""
        flags = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        dest = keywords.get("dest")
        if isinstance(dest, ast.Constant) and isinstance(dest.value, str):
            name = dest.value
        else:
            long = [flag for flag in flags if flag.startswith("--")]
            short = [flag for flag in flags if not flag.startswith("--")]
            if not long and not short:
                return
            name = (long or short)[0].lstrip("-").replace("-", "_")
        action = keywords.get("action")
        default: Term = UNKNOWN
        if "default" in keywords:
            default = self.terms.of(keywords["default"], scope, 4)
        elif isinstance(action, ast.Constant) and action.value in ("store_true", "store_false"):
            default = Const(action.value == "store_false")
        elif long_option(flags) and "required" not in keywords:
            default = Const(None)
        previous = self.options.get(name)
        self.options[name] = default if previous is None or previous == default else either([previous, default])
        self.option_lines.setdefault(name, node.lineno)
        known = self.option_flags.get(name, ())
        self.option_flags[name] = (*known, *(flag for flag in flags if flag[:1] == "-" and flag not in known))

    # -- heads of functions

    def _annotations(self, scope: Scope) -> tuple[Term | None, ...]:
        node = scope.node
        if isinstance(node, ast.Lambda) or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return ()
        around = scope.parent or scope
        found = [
            annotation(arg.annotation, self.terms, around) if arg.annotation is not None else None
            for arg in arguments(node.args)
        ]
        return tuple(found) if any(found) else ()

    def _defaults(self, scope: Scope) -> tuple[Term | None, ...]:
        node = scope.node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return ()
        args = node.args
        decorated = not isinstance(node, ast.Lambda) and bool(node.decorator_list)
        if not args.defaults and not args.kw_defaults and not decorated:
            return ()
        clicked = self._click(scope) if decorated else {}
        if not args.defaults and not any(args.kw_defaults) and not clicked:
            return ()
        around = scope.parent or scope
        nodes: list[ast.expr | None] = [None] * (len(args.posonlyargs) + len(args.args) - len(args.defaults))
        nodes += args.defaults
        if args.vararg:
            nodes.append(None)
        nodes += args.kw_defaults
        if args.kwarg:
            nodes.append(None)
        found = [self.terms.of(node, around, 4) if node is not None else None for node in nodes]
        if clicked:
            return tuple([term or clicked.get(name) for term, name in zip(found, scope.parameters, strict=True)])
        return tuple(found)

    def _click(self, scope: Scope) -> dict[str, Term]:
        """Defaults that click's decorators give to parameters."""
        node = scope.node
        found: dict[str, Term] = {}
        for decorator in node.decorator_list if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else ():
            if isinstance(decorator, ast.Call) and decorator.args:
                callee = self.terms.of(decorator.func, scope.parent or scope, 4)
                if isinstance(callee, Name) and callee.dotted in _CLICK:
                    flags = [
                        a.value for a in decorator.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
                    ]
                    name = next((f for f in flags if f.startswith("--")), flags[0] if flags else "")
                    for keyword in decorator.keywords:
                        if keyword.arg == "default" and name:
                            key = name.lstrip("-").partition("/")[0].replace("-", "_")
                            found[key] = self.terms.of(keyword.value, scope.parent or scope, 4)
        return found

    def _decorators(self, scope: Scope) -> tuple[CallRecord, ...]:
        node = scope.node
        if isinstance(node, (ast.Lambda, ast.Module)) or scope.parent is None or not node.decorator_list:
            return ()
        return tuple([self._decorator(decorator, scope.parent) for decorator in node.decorator_list])

    def _decorator(self, node: ast.expr, scope: Scope) -> CallRecord:
        if isinstance(node, ast.Call):
            callee = self.terms.of(node.func, scope)
            if isinstance(callee, Name) and callee.dotted == "functools.partial" and node.args:
                callee = self.terms.of(node.args[0], scope)
            keywords = ((k.arg, self._argument(k.value, scope)) for k in node.keywords if k.arg is not None)
            return CallRecord(
                callee, tuple(self._argument(arg, scope) for arg in node.args[:3]), tuple(sorted(keywords))
            )
        return CallRecord(self.terms.of(node, scope))

    def _returns(self, scope: Scope) -> tuple[Term, ...]:
        if not scope.returns:
            return ()
        found: list[Term] = []
        for node in scope.returns[:8]:
            term = self.terms.of(node, scope)
            if term not in found:
                found.append(term)
        return tuple(found)

    # -- classes and attributes

    def _stores(self, owner: str, scopes: list[Scope]) -> tuple[tuple[Term, str, Term], ...]:
        """Attributes assigned in a function: those of the receiver go to its class, the rest are kept here."""
        found: list[tuple[Term, str, Term]] = []
        for scope in scopes:
            for node, value, path, kind in scope.attributes:
                receiver = self.terms.of(node.value, scope, 6)
                if value is None:
                    term: Term = UNKNOWN
                elif kind == Bind.FOR:
                    term = self.terms.loop_target(value, path, scope, 6)
                else:
                    term = self.terms.of(value, scope)
                    for position in path:
                        term = item(term, position if position >= 0 else None)
                if isinstance(receiver, Self):
                    self.attribute_lines.setdefault(f"{receiver.cls}.{node.attr}", node.lineno)
                    self._attributes.setdefault(receiver.cls, []).append((node.attr, term, owner))
                elif not isinstance(receiver, Unknown) and (receiver, node.attr, term) not in found:
                    found.append((receiver, node.attr, term))
        return tuple(found)

    def _class(self, scope: Scope) -> ClassRecord:
        node = scope.node
        assert isinstance(node, ast.ClassDef)
        around = scope.parent or scope
        methods: dict[str, str] = {}
        attributes = list(self._attributes.get(scope.qualname, ()))
        for name, numbers in scope.bindings.items():
            for number in numbers:
                binding = self.module.bindings[number]
                if binding.kind == Bind.DEF and self.module.by_qualname[binding.dotted].kind == "function":
                    methods[name] = binding.dotted
                elif binding.kind == Bind.ASSIGN:
                    self.attribute_lines.setdefault(f"{scope.qualname}.{name}", binding.line)
                    attributes.append((name, self.terms.binding(number), BODY))
        annotations: dict[str, Term] = {}
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                term = annotation(statement.annotation, self.terms, scope)
                if term is not None:
                    annotations[statement.target.id] = term
        unique: list[tuple[str, Term, str]] = []
        for entry in attributes:
            if entry not in unique:
                unique.append(entry)
        return ClassRecord(
            bases=tuple(self._base(base, around) for base in node.bases),
            decorators=self._decorators(scope),
            methods=dict(sorted(methods.items())),
            attributes=tuple(unique),
            annotations=tuple(sorted(annotations.items())),
        )

    def _base(self, node: ast.expr, scope: Scope) -> Term:
        while isinstance(node, ast.Subscript):
            node = node.value
        return self.terms.of(node, scope)

    # -- positions and header

    def positions(self, source: Source) -> Positions:
        """Lines of everything that the interface numbers."""
        positions = self._positions()
        if not source.cells:
            return positions

        def cell(line: int) -> int:
            span = source.span(line, 0, line, 0)
            return span.cell << 20 | span.line

        return Positions(
            definitions={
                name: (cell(line), tuple(map(cell, calls)), tuple(map(cell, loops)))
                for name, (line, calls, loops) in positions.definitions.items()
            },
            variables={name: cell(line) for name, line in positions.variables.items()},
            attributes={name: cell(line) for name, line in positions.attributes.items()},
            options={name: cell(line) for name, line in positions.options.items()},
        )

    def _positions(self) -> Positions:
        module = self.module
        body = module.scopes[0]
        return Positions(
            definitions={
                s.qualname: (
                    getattr(s.node, "lineno", 1),
                    self._lines_of_calls.get(s.qualname, ()),
                    self._lines_of_loops.get(s.qualname, ()),
                )
                for s in module.scopes
            },
            variables={
                name: module.bindings[numbers[0]].line
                for name, numbers in body.bindings.items()
                if isinstance(self.interface.names.get(name), Var)
            },
            attributes=self.attribute_lines,
            options=self.option_lines,
        )

    def header(self) -> dict[str, tuple[str, ...]]:
        """The names under which the project's tables find this file, by table."""
        if self._header is None:
            self._header = self._tables()
        return self._header

    def _tables(self) -> dict[str, tuple[str, ...]]:
        calls: set[str] = set()
        refers: set[str] = set()
        members: set[str] = set()
        effects: set[str] = set()
        constructed: set[str] = set()
        values: list[Term] = [*self.interface.variables.values()]
        canonical = self.lexicon.canonical
        for function in self.interface.functions.values():
            effects.update([effect.token for effect in function.effects])
            for call in (*function.calls, *function.decorators):
                callee = call.callee
                cls = type(callee)
                if cls is Name:
                    dotted = callee.dotted  # type: ignore[union-attr]
                    owner, _, name = dotted.rpartition(".")
                    calls.add(name)
                    refers.add(owner.rpartition(".")[2])
                    if call.site >= 0:
                        constructed.add(canonical(dotted))
                elif cls is Member:
                    calls.add(callee.name)  # type: ignore[union-attr]
                    values.append(callee)
                else:
                    calls.add(last_name(callee.callee if type(callee) is Call else callee))
                if call.args:
                    values += call.args
                if call.keywords:
                    values += [part for _, part in call.keywords]
            values += [loop.iterated for loop in function.loops]
            values += function.returns
            for receiver, attribute, value in function.stores:
                members.add(attribute)
                values += (receiver, value)
        for record in self.interface.classes.values():
            for name, value, _ in record.attributes:
                members.add(name)
                values.append(value)
        named(values, refers, members)
        bases = {last_name(base) for cls in self.interface.classes.values() for base in cls.bases}
        return {
            "call": tuple(sorted(calls - {""})),
            "refer": tuple(sorted(refers)),
            "member": tuple(sorted(members)),
            "effect": tuple(sorted(effects)),
            "construct": tuple(sorted(constructed)),
            "base": tuple(sorted(bases - {""})),
            "class": tuple(sorted({name.rpartition(".")[2] for name in self.interface.classes})),
            "option": tuple(sorted(self.options)),
            "main": ("main",) if self.interface.main_guard else (),
            "import": tuple(sorted({*self.interface.imports, *self.interface.lazy_imports})),
        }


_KEPT_RECEIVERS: Final = frozenset(
    {
        "accelerator",
        "fabric",
        "lightning_trainer",
        "hf_trainer",
        "trainer",
        "thread_pool",
        "process_pool",
        "asgi_app",
        "wsgi_app",
        "aiohttp_app",
        "hf_dataset",
        "gradio",
        "pipeline",
        "sentence_encoder",
        "yolo",
        "whisper",
        "session",
        "llm",
        "sdk_client",
        "vector_client",
        "db_client",
        "cloud_client",
        "triton_client",
        "ann_index",
        "compiled",
        "image",
        "estimator_or_any",
    }
)
#: A common method that says what it is given: the weights of a model.
_RESTORES: Final = "load_state_dict"
#: The effect of calling a layer that the object holds.
LAYER: Final = "layer"
#: Names of methods of text that models, codecs and indices have as well.
_OF_MODELS: Final = frozenset({"encode", "decode", "search"})


_NEXT: Final = Name("builtins.next")
#: What is printed under these names is likely to be a tensor. They only ever excuse.
_READ_NAMES: Final = re.compile(r"loss|acc|score|out|pred|logit|tensor|grad|err|result|prob|norm|value|metric|mean|sum")


def reads(call: ast.Call) -> bool:
    """Whether `float(..)`, `int(..)` or `print(..)` may be given a tensor, which waits until it is computed."""
    parts: list[ast.AST] = [*call.args]
    printed = isinstance(call.func, ast.Name) and call.func.id == "print"
    while parts:
        part = parts.pop()
        match part:
            case ast.JoinedStr(values):
                parts.extend(values)
            case ast.FormattedValue(value):
                parts.append(value)
            case ast.Name(name):
                if not printed or _READ_NAMES.search(name.lower()):
                    return True
            case ast.Attribute(value, name):
                if name not in _HOST_ATTRIBUTES and (not printed or _READ_NAMES.search(name.lower())):
                    return True
            case ast.Call(ast.Name()):
                continue
            case ast.Call(ast.Attribute(attr=name)):
                if name not in _HOST_ATTRIBUTES and not printed:
                    return True
            case ast.Subscript(value):
                parts.append(value)
            case ast.BinOp(left, _, right):
                parts += (left, right)
    return False


_HOST_ATTRIBUTES: Final = frozenset(
    {"shape", "size", "numel", "ndim", "dim", "device", "dtype", "sqrt", "ceil", "floor", "log", "log2", "get", "group"}
)


def moves(site: CallSite, of: Term) -> bool:
    """Whether `.to(..)` or `.cuda()` is worth keeping: of a part of a batch, or a statement that moves a module."""
    statement = site.statement
    return derived(of) or (type(statement) is ast.Expr and statement.value is site.node)


def derived(term: Term) -> bool:
    """Whether a value may come out of a batch: it is, or is made of, an element, a parameter or what `next` gives."""
    stack = [term]
    while stack:
        part = stack.pop()
        if isinstance(part, (Elem, Param)) or (isinstance(part, Call) and part.callee == _NEXT):
            return True
        stack.extend(children(part))
    return False


def long_option(flags: list[str]) -> bool:
    """Whether an option may be left out on the command line."""
    return any(flag.startswith("-") for flag in flags)


def arguments(args: ast.arguments) -> list[ast.arg]:
    """The parameters in the order in which terms number them."""
    found = [*args.posonlyargs, *args.args]
    if args.vararg:
        found.append(args.vararg)
    found += args.kwonlyargs
    if args.kwarg:
        found.append(args.kwarg)
    return found


def named(terms: list[Term], refers: set[str], members: set[str]) -> None:
    """Collect what terms refer to: functions and project names as values, and attributes."""
    parts: list[Any] = terms
    push, extend = parts.append, parts.extend
    seen: set[int] = set()  # identities: most terms share most of their parts
    for part in parts:  # it grows meanwhile
        cls = type(part)
        if cls in _SILENT:
            continue
        identity = id(part)
        if identity in seen:
            continue
        seen.add(identity)
        if cls is Member:
            members.add(part.name)
            of = part.of
            if type(of) is Self or type(of) is Def:
                refers.add(part.name)
            push(of)
        elif cls is Name:
            refers.add(part.dotted.rpartition(".")[2])
        elif cls is Call:
            extend(part.args)
            push(part.callee)
        elif cls is Def or cls is Var:
            refers.add(last_name(part))
        else:
            extend(children(part))
    refers.discard("")


#: Terms that name nothing.
_SILENT: Final = frozenset({Const, Unknown, Param, Lit, Self})
