"""Kubernetes manifests: the pods of a YAML file with their containers, commands, volumes and limits.

Invariant: parsing never raises and does bounded work, whatever aliases and merges a file holds; YAML that is no
manifest is recognised by its text and left alone. What a template, a patch or an operator decides is marked, never
guessed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import msgspec

from mlsys_advise.languages.words import UNKNOWN, clean, hole
from mlsys_advise.span import Span

if TYPE_CHECKING:
    import yaml


class Volume(msgspec.Struct, frozen=True, array_like=True):
    """A volume of a pod; ``kind`` is the key that says what it is, ``size_limit`` counts bytes.

    ``templated`` says that a template decides the medium or the size.
    """

    name: str
    kind: str
    medium: str = ""
    size_limit: int | None = None
    templated: bool = False


class Mount(msgspec.Struct, frozen=True, array_like=True):
    path: str
    volume: str


class Limits(msgspec.Struct, frozen=True, array_like=True):
    """``resources.limits``: cores, bytes, and devices by resource name; ``None`` where it is not said or templated."""

    cpu: float | None = None
    memory: int | None = None
    devices: tuple[tuple[str, int | None], ...] = ()


class Container(msgspec.Struct, frozen=True, array_like=True):
    """A container as written. ``None`` for ``image``, ``command``, ``args``: not given, so the image decides.

    Words keep holes for templates and for ``$(VAR)`` that the container's own ``env`` does not settle.
    ``mounts`` is ``None`` where a template gives the list. ``partial`` marks a patch for a container written elsewhere.
    """

    name: str
    image: str | None = None
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = ()
    env_from: bool = False
    mounts: tuple[Mount, ...] | None = ()
    limits: Limits = Limits()
    working_dir: str | None = None
    init: bool = False
    templated: bool = False
    partial: bool = False


class Pod(msgspec.Struct, frozen=True, array_like=True):
    """A pod template. ``path`` is where it stands in its object: ``spec.template.spec``.

    ``host_ipc`` and ``volumes`` are ``None`` where a template decides. ``templated`` says that lines of a template
    stand inside, so that parts of the pod may be missing here.
    """

    path: str
    containers: tuple[Container, ...]
    volumes: tuple[Volume, ...] | None = ()
    host_ipc: bool | None = False
    labels: tuple[tuple[str, str], ...] = ()
    templated: bool = False
    partial: bool = False


class Object(msgspec.Struct, frozen=True, array_like=True):
    """One object of a manifest. ``plugins`` are those of a Volcano job, which change its pods."""

    kind: str
    api_version: str
    name: str
    namespace: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    pods: tuple[Pod, ...] = ()
    plugins: tuple[str, ...] = ()


class ManifestInterface(msgspec.Struct, frozen=True, array_like=True, tag="k8s"):
    """What other files need to know of a manifest: its objects in order."""

    objects: tuple[Object, ...] = ()


class ManifestDocument(msgspec.Struct, frozen=True):
    """A parsed manifest.

    ``spans`` has ``0`` for the kind of the first object, ``0.0`` for its first pod (the key ``containers``),
    ``0.0:hostIPC``, ``0.0:volume1`` and ``0.0:volume1:sizeLimit``; ``0.0.2`` for the third container (its name, or what
    stands on the first line of the item), ``0.0.2:image``, ``:command``, ``:args`` and ``:mount0``. ``problem`` is the
    first syntax error, if the text claims to be a manifest, with its line.
    """

    path: str
    manifest: ManifestInterface
    spans: dict[str, Span]
    problem: tuple[int, str] | None = None


class Site(msgspec.Struct, frozen=True):
    """A container with what it stands in; ``key`` names it in ``ManifestDocument.spans``."""

    key: str
    object: Object
    pod: Pod
    container: Container


def parse(text: str, path: str) -> ManifestDocument:
    """The objects of all documents in ``text``; a document with a syntax error is passed over."""
    if not _claims(text):
        return ManifestDocument(path, ManifestInterface(), {})
    return _Reader(clean(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))).read(path)


def _claims(text: str) -> bool:
    """Whether the text may hold a pod; the cheap test that leaves all other YAML alone."""
    return "containers" in text or "apiVersion" in text


def interface(document: ManifestDocument) -> ManifestInterface:
    return document.manifest


def sites(manifest: ManifestInterface) -> Iterator[Site]:
    """All containers of all pods, init containers included, in order."""
    for number, object_ in enumerate(manifest.objects):
        for index, pod in enumerate(object_.pods):
            for position, container in enumerate(pod.containers):
                yield Site(f"{number}.{index}.{position}", object_, pod, container)


_QUANTITY = re.compile(
    r"([+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30}))(?:[eE]([+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i)?)$", re.ASCII
)
_SUFFIX = {
    "": Decimal(1),
    **{
        suffix: Decimal(10) ** power
        for suffix, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
    },
    **{f"{prefix}i": Decimal(1024) ** power for power, prefix in enumerate("KMGTPE", 1)},
}


def quantity(text: str) -> Decimal | None:
    """The number that a resource quantity such as ``500m``, ``1.5Gi`` or ``1e9`` stands for, or ``None``."""
    match = _QUANTITY.match(text.strip())
    if match is None:
        return None
    exponent = Decimal(10) ** int(match[2]) if match[2] else _SUFFIX[match[3] or ""]
    return Decimal(match[1]) * exponent


def _size(text: str) -> int | None:
    """Bytes, rounded up as Kubernetes does."""
    value = quantity(text)
    return None if value is None else int(value.to_integral_value(ROUND_CEILING))


# -- YAML

_MOST_EVENTS = 400_000
_MOST_VISITS = 100_000
_MOST_MERGES = 64
_DEEPEST_BRACKETS = 200
_LONGEST_PATH = 300
#: Stands for each character of a template action, so that columns stay what they are.
_MASK = "\ue0ff"
_MASKED = re.compile(_MASK + "+")
_ACTION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
#: Comments, and ends of blocks: where the block begins inside a pod, its first line has marked the pod already.
_INERT = re.compile(r"\{\{-?\s*(?:/\*|end\b)|\{%-?\s*(?:#|end)")
_DOCUMENT = re.compile(r"^---(?=[ \t\n]|$)", re.MULTILINE)


class _Scalar:
    """A scalar; ``start`` and ``end`` are offsets in the document, here as in the other nodes."""

    __slots__ = ("end", "plain", "start", "value")

    def __init__(self, value: str, plain: bool, start: int, end: int) -> None:
        self.value, self.plain, self.start, self.end = value, plain, start, end


class _Sequence:
    __slots__ = ("end", "items", "start")

    def __init__(self, start: int) -> None:
        self.items: list[_Node] = []
        self.start = self.end = start


class _Pairs:
    __slots__ = ("end", "pairs", "start")

    def __init__(self, start: int) -> None:
        self.pairs: list[tuple[_Node, _Node]] = []
        self.start = self.end = start


_Node = _Scalar | _Sequence | _Pairs


def _loader() -> type[yaml.SafeLoader] | type[yaml.CSafeLoader]:
    """libyaml's, where it was built in."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _compose(text: str) -> _Node | None:
    """The first document of ``text`` as nodes; aliases share a node, so that cycles are possible.

    Built from events and without recursion, for a composer that recurses can be made to overflow.
    Raises ``yaml.YAMLError`` or ``UnicodeError``.
    """
    import yaml

    root: _Node | None = None
    anchors: dict[str | None, _Node] = {}
    stack: list[_Sequence | _Pairs] = []
    keys: list[_Node | None] = []
    for count, event in enumerate(yaml.parse(text, Loader=_loader())):
        start, end = _offset(event.start_mark), _offset(event.end_mark)
        node: _Node
        match event:
            case yaml.ScalarEvent():
                node = _Scalar(event.value, not event.style, start, end)
            case yaml.SequenceStartEvent():
                node = _Sequence(start)
            case yaml.MappingStartEvent():
                node = _Pairs(start)
            case yaml.AliasEvent():
                node = anchors.get(event.anchor) or _Scalar(UNKNOWN, True, start, end)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                stack.pop().end = end
                keys.pop()
                continue
            case yaml.DocumentEndEvent():
                break
            case _:
                continue
        if count > _MOST_EVENTS:
            return None
        if not isinstance(event, yaml.AliasEvent) and event.anchor:
            anchors[event.anchor] = node
        if not stack:
            root = node
        elif isinstance(parent := stack[-1], _Sequence):
            parent.items.append(node)
        elif (key := keys[-1]) is None:
            keys[-1] = node
        else:
            parent.pairs.append((key, node))
            keys[-1] = None
        if isinstance(event, yaml.CollectionStartEvent) and not isinstance(node, _Scalar):
            stack.append(node)
            keys.append(None)
    return root


def _too_deep(text: str) -> bool:
    """Whether brackets nest deeper than in any manifest: the loader in plain Python takes quadratic time for them."""
    depth = 0
    for match in re.finditer(r"[][{}]", text):
        depth = depth + 1 if match[0] in "[{" else max(0, depth - 1)
        if depth > _DEEPEST_BRACKETS:
            return True
    return False


class _Mark(Protocol):
    index: int


def _offset(mark: _Mark | None) -> int:
    return mark.index if mark is not None else 0


class _Mapping:
    """A mapping node read by key: the last of equal keys counts, merged mappings fill the gaps."""

    def __init__(self, node: _Node | None) -> None:
        self.node = node
        self.keys: dict[str, _Node] = {}
        self.values: dict[str, _Node] = {}
        self.templated = False
        merges: list[_Node] = []
        if isinstance(node, _Pairs):
            self._add(node, merges)
        for merged in merges:
            if len(merges) > _MOST_MERGES:
                break
            self._merge(merged, merges)

    def _add(self, node: _Pairs, merges: list[_Node]) -> None:
        for key, value in node.pairs:
            name = key.value if isinstance(key, _Scalar) else ""
            if name == "<<":
                merges.append(value)
            elif _MASK in name:
                self.templated = True
            else:
                self.keys[name], self.values[name] = key, value

    def _merge(self, node: _Node, merges: list[_Node]) -> None:
        if isinstance(node, _Sequence):
            merges.extend(node.items)
        elif isinstance(node, _Pairs):
            own_keys, own_values = self.keys, self.values
            self.keys, self.values = {}, {}
            self._add(node, merges)
            self.keys, self.values = {**self.keys, **own_keys}, {**self.values, **own_values}
        else:
            self.templated = True

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def text(self, key: str) -> str | None:
        """The scalar under ``key`` as text, with holes for template actions; ``None`` if it is absent or null."""
        node = self.values.get(key)
        return None if node is None or _null(node) else _scalar(node)

    def mapping(self, key: str) -> _Mapping:
        return _Mapping(self.values.get(key))

    def items(self, key: str) -> list[_Node] | None:
        """The sequence under ``key``, empty if it is absent; ``None`` if a template, say, is there."""
        node = self.values.get(key)
        if node is None or _null(node):
            return []
        return node.items if isinstance(node, _Sequence) else None

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """A mapping of scalars, sorted."""
        inner = self.mapping(key)
        return tuple(sorted((name, _scalar(value)) for name, value in inner.values.items()))


def _null(node: _Node) -> bool:
    return isinstance(node, _Scalar) and node.plain and node.value in ("", "~", "null", "Null", "NULL")


def _scalar(node: _Node) -> str:
    if not isinstance(node, _Scalar):
        return UNKNOWN
    return _MASKED.sub(UNKNOWN, node.value) if _MASK in node.value else node.value


def _true(node: _Node | None) -> bool | None:
    """Whether a flag is set; ``None`` if a template decides."""
    if node is None or not isinstance(node, _Scalar):
        return False
    return None if _MASK in node.value else node.value in ("true", "True", "TRUE")


# -- manifests

_ARGO_KINDS = frozenset({"Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow"})
_WITH_SELECTOR = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
_LEFT_ALONE = frozenset({"CustomResourceDefinition", "ConfigMap", "Secret"})
_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][\w.-]*)\)", re.ASCII)
_PLACEHOLDER = re.compile(r"\$\{?\w+\}?|<[^<>]*>", re.ASCII)


class _Reader:
    """Reads one file: masks the templates, composes each document by itself and collects objects and spans."""

    def __init__(self, text: str) -> None:
        self._structural: list[int] = []
        self._templated = "{{" in text or "{%" in text
        self._text = self._masked(text.replace(_MASK, "?"))
        self._lines = [0, *(match.end() for match in re.finditer("\n", self._text))]
        self._start = 0
        self._objects: list[Object] = []
        self._spans: dict[str, Span] = {}
        self._problem: tuple[int, str] | None = None

    def read(self, path: str) -> ManifestDocument:
        bounds = [0, *(match.start() for match in _DOCUMENT.finditer(self._text)), len(self._text)]
        for start, end in pairwise(bounds):
            self._document(start, self._text[start:end])
        return ManifestDocument(path, ManifestInterface(tuple(self._objects)), self._spans, self._problem)

    def _masked(self, text: str) -> str:
        """``text`` with template actions taken out and every other character in its place."""
        if not self._templated:
            return text
        masked = _ACTION.sub(lambda match: re.sub(r"[^\n]", _MASK, match[0]), text).split("\n")
        written = text.split("\n")
        for number, line in enumerate(masked):
            if _MASK in line and not line.replace(_MASK, "").strip():
                masked[number] = line.replace(_MASK, " ")
                if not _INERT.search(written[number]):
                    self._structural.append(number + 1)
        return "\n".join(masked)

    def _document(self, start: int, text: str) -> None:
        if not _claims(text):
            return
        self._start = start
        # Not at the top: YAML takes longer to import than most files to check.
        import yaml

        if _loader() is yaml.SafeLoader and _too_deep(text):
            return
        try:
            root = _compose(text)
        except (yaml.YAMLError, UnicodeError) as error:
            if self._problem is None and "apiVersion:" in text and "kind:" in text and not self._templated:
                mark = getattr(error, "problem_mark", None)
                line = bisect_right(self._lines, start) + (mark.line if mark is not None else 0)
                self._problem = line, str(getattr(error, "problem", None) or error)
            return
        pending = [root]
        seen: set[int] = set()
        while pending:
            node = pending.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            header = _Mapping(node)
            if (header.text("kind") or "").endswith("List") and (items := header.items("items")):
                pending.extend(reversed(items))
            elif header.values:
                self._object(header)

    def _object(self, header: _Mapping) -> None:
        kind, api_version = header.text("kind") or "", header.text("apiVersion") or ""
        if kind in _LEFT_ALONE:
            return
        number = len(self._objects)
        declared = bool(kind and api_version)
        metadata = header.mapping("metadata")
        pods: list[Pod] = []
        for path, pod in _pods(header, kind, declared):
            self._pod(pod, path, f"{number}.{len(pods)}", header, kind, pods)
        if not declared and not pods:
            return
        self._mark(f"{number}", header.values.get("kind") or header.node)
        self._objects.append(
            Object(
                kind=kind,
                api_version=api_version,
                name=metadata.text("name") or metadata.text("generateName") or "",
                namespace=metadata.text("namespace") or "",
                labels=metadata.pairs("labels"),
                pods=tuple(pods),
                plugins=tuple(sorted(header.mapping("spec").mapping("plugins").values)),
            )
        )

    def _pod(self, pod: _Mapping, path: str, key: str, header: _Mapping, kind: str, pods: list[Pod]) -> None:
        if kind in _ARGO_KINDS and "containers" not in pod:
            written = [(pod.values.get("container") or pod.values.get("script"), False)]
            name = pod.text("name") or "main"
            shared = header.mapping("spec")
            shared = shared.mapping("workflowSpec") if "workflowSpec" in shared else shared
        else:
            written = [(item, False) for item in pod.items("containers") or []]
            written += [(item, True) for item in pod.items("initContainers") or []]
            name, shared = "", _Mapping(None)
        partial = "$patch" in pod or (kind in _WITH_SELECTOR and "selector" not in header.mapping("spec"))
        host_ipc = _true(pod.values.get("hostIPC"))
        self._mark(key, pod.keys.get("containers") or pod.node)
        self._mark(f"{key}:hostIPC", pod.keys.get("hostIPC"))
        containers = tuple(
            self._container(_Mapping(item), f"{key}.{index}", name, init=init, partial=partial)
            for index, (item, init) in enumerate(written)
        )
        metadata = _sibling(header, path, "metadata")
        pods.append(
            Pod(
                path=path,
                containers=containers,
                volumes=self._volumes([pod, shared], key),
                host_ipc=host_ipc,
                labels=metadata.pairs("labels"),
                templated=pod.templated or "podSpecPatch" in pod or "podSpecPatch" in shared or self._has_actions(pod),
                partial=partial,
            )
        )

    def _has_actions(self, mapping: _Mapping) -> bool:
        """Whether a line that only a template understands stands inside the mapping."""
        if not self._structural or mapping.node is None:
            return False
        first, last = (bisect_right(self._lines, self._start + at) for at in (mapping.node.start, mapping.node.end))
        return any(first <= line <= last for line in self._structural)

    def _container(self, item: _Mapping, key: str, name: str, *, init: bool, partial: bool) -> Container:
        self._mark(key, self._title(item))
        for field in ("image", "command", "args"):
            self._mark(f"{key}:{field}", item.values.get(field))
        environment = _environment(item)
        mounts = item.items("volumeMounts")
        for index, mount in enumerate(mounts or ()):
            self._mark(f"{key}:mount{index}", mount)
        image = item.text("image")
        command = _words(item, "command", environment, "envFrom" in item)
        args = _words(item, "args", environment, "envFrom" in item)
        return Container(
            name=item.text("name") or name,
            image=None if image is None else _PLACEHOLDER.sub(_placeholder, image),
            command=command,
            args=args,
            environment=tuple(environment.items()),
            env_from="envFrom" in item or item.items("env") is None,
            mounts=None if mounts is None else tuple(_mount(mount) for mount in mounts),
            limits=_limits(item.mapping("resources").mapping("limits")),
            working_dir=item.text("workingDir"),
            init=init,
            templated=item.templated or self._has_actions(item),
            partial=partial or image is None,
        )

    def _volumes(self, holders: list[_Mapping], key: str) -> tuple[Volume, ...] | None:
        nodes: list[_Node] = []
        for holder in holders:
            items = holder.items("volumes")
            if items is None:
                return None
            nodes += items
        volumes: list[Volume] = []
        for index, node in enumerate(nodes):
            item = _Mapping(node)
            self._mark(f"{key}:volume{index}", node)
            kind = next((name for name in item.values if name != "name"), "")
            source = item.mapping(kind)
            size = source.text("sizeLimit")
            self._mark(f"{key}:volume{index}:sizeLimit", source.values.get("sizeLimit"))
            limit = None if size is None else _size(size)
            volumes.append(
                Volume(
                    name=item.text("name") or "",
                    kind=kind,
                    medium=source.text("medium") or "",
                    size_limit=limit,
                    templated=item.templated or source.templated or (size is not None and limit is None),
                )
            )
        return tuple(volumes)

    # -- places

    def _title(self, item: _Mapping) -> _Node | None:
        """What stands for a list item: its name, unless that is on a later line than its first key."""
        name, first = item.values.get("name"), next(iter(item.values.values()), item.node)
        if name is not None and first is not None and self._span(name).line == self._span(first).line:
            return name
        return first

    def _mark(self, key: str, node: _Node | None) -> None:
        if node is not None:
            self._spans[key] = self._span(node)

    def _span(self, node: _Node) -> Span:
        start = self._start + node.start
        end = max(start, self._start + node.end)
        while end > start and self._text[end - 1 : end].isspace():
            end -= 1
        line, last = bisect_right(self._lines, start), bisect_right(self._lines, end)
        return Span(line, start - self._lines[line - 1] + 1, last, end - self._lines[last - 1] + 1)


def _pods(header: _Mapping, kind: str, declared: bool) -> Iterator[tuple[str, _Mapping]]:
    """The mappings below an object that are pod templates, in order, each with its path."""
    accept: Callable[[_Mapping], bool] = _argo_template if kind in _ARGO_KINDS else lambda mapping: False
    seen: set[int] = set()
    pending: list[tuple[_Node, str]] = [(header.node, "")] if header.node is not None else []
    while pending and len(seen) < _MOST_VISITS:
        node, path = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, _Sequence):
            pending.extend(
                (item, f"{path}[{index}]"[:_LONGEST_PATH]) for index, item in reversed(list(enumerate(node.items)))
            )
        elif isinstance(node, _Pairs):
            mapping = _Mapping(node)
            if _holds_containers(mapping, declared) or accept(mapping):
                yield path, mapping
                continue
            pending.extend(
                (value, f"{path}.{name}"[:_LONGEST_PATH] if path else name[:_LONGEST_PATH])
                for name, value in reversed(mapping.values.items())
            )


def _holds_containers(mapping: _Mapping, declared: bool) -> bool:
    items = mapping.items("containers") if "containers" in mapping else None
    for item in items or ():
        container = _Mapping(item)
        if "name" in container and ("image" in container or "command" in container or declared):
            return True
        if declared and "image" in container:
            return True
    return False


def _argo_template(mapping: _Mapping) -> bool:
    return any("image" in mapping.mapping(key) for key in ("container", "script"))


def _sibling(header: _Mapping, path: str, name: str) -> _Mapping:
    """The mapping ``name`` beside the last step of ``path``, where the path leads through mappings only."""
    steps = path.split(".")
    if "[" in path or steps[-1] != "spec":
        return _Mapping(None)
    here = header
    for step in steps[:-1]:
        here = here.mapping(step)
    return here.mapping(name)


def _environment(item: _Mapping) -> dict[str, str]:
    """``env`` in order: later entries may refer to earlier ones; what comes from elsewhere is a hole."""
    result: dict[str, str] = {}
    for node in item.items("env") or ():
        entry = _Mapping(node)
        name = entry.text("name")
        if name is None:
            continue
        if "valueFrom" in entry or entry.templated:
            result[name] = hole(name)
        else:
            value = _scalar(entry.values["value"]) if "value" in entry else ""
            result[name] = _resolved(value, result, open_=False)
    return result


def _words(item: _Mapping, key: str, environment: Mapping[str, str], open_: bool) -> tuple[str, ...] | None:
    if key not in item or _null(item.values[key]):
        return None
    nodes = item.items(key)
    if nodes is None:
        return (_resolved(_scalar(item.values[key]), environment, open_=open_),)
    return tuple(_resolved(_scalar(node), environment, open_=open_) for node in nodes)


def _resolved(word: str, environment: Mapping[str, str], *, open_: bool) -> str:
    """``word`` with ``$(VAR)`` replaced; a name in lower case that nothing defines is a command of the shell."""
    if "$" not in word:
        return word

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "$"
        if name in environment:
            return environment[name]
        return hole(name) if open_ or name.isupper() else match[0]

    return _REFERENCE.sub(value, word)


def _placeholder(match: re.Match[str]) -> str:
    """``${IMAGE}`` and ``<your image>`` are filled in by hand or by ``envsubst``: a hole that has a name."""
    return hole(match[0].strip("${}<>") or "image")


def _mount(node: _Node) -> Mount:
    mapping = _Mapping(node)
    if mapping.templated or not isinstance(node, _Pairs):
        return Mount(UNKNOWN, UNKNOWN)
    return Mount(mapping.text("mountPath") or "", mapping.text("name") or "")


def _limits(limits: _Mapping) -> Limits:
    cpu = quantity(limits.text("cpu") or "")
    devices = []
    for name in sorted(limits.values):
        if "/" in name:
            count = quantity(limits.text(name) or "")
            devices.append((name, None if count is None else int(count)))
    return Limits(None if cpu is None else float(cpu), _size(limits.text("memory") or ""), tuple(devices))
