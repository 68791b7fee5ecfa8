"""Properties of functions, closed under calls: does it wait for the device, does it block, does it write checkpoints.

An answer is yes with the place of an instance, no after a complete search, or unknown: a call that could not be
resolved, or one of a library that nothing is known of, lies on the way.
"""

from __future__ import annotations

from typing import Final

import msgspec

from mlsys_advise.interface import CallRecord, FunctionRecord
from mlsys_advise.project.hotness import Cause
from mlsys_advise.project.values import Locus, Values
from mlsys_advise.project.world import Dependency, Target, World
from mlsys_advise.term import Member, Name, Self, Unknown, last_name

_DEPTH: Final = 4

#: Effects that wait for everything queued on the device, or read a result back.
WAITS: Final = frozenset(
    ".item .cpu .tolist .numpy .synchronize .block_until_ready .nonzero .elapsed_time torch.cuda.synchronize "
    "torch.accelerator.synchronize torch.mps.synchronize torch.xpu.synchronize torch.save torch.distributed.barrier "
    "jax.block_until_ready jax.device_get torch.npu.synchronize .generate".split()
)
#: What calling a method of such a receiver does: compute for long, or wait for a network, on the calling thread.
BLOCKING_METHODS: Final[dict[str, frozenset[str]]] = {
    "pretrained": frozenset({"generate", "chat", "stream_chat_once", "encode", "predict"}),
    "module": frozenset({"generate", "chat", "predict", "encode_image", "encode_text", "forward", "sample"}),
    "pipeline": frozenset({"predict"}),
    "sentence_encoder": frozenset({"encode", "predict", "rank"}),
    "session": frozenset({"run", "infer"}),
    "yolo": frozenset({"predict", "track", "val"}),
    "whisper": frozenset({"transcribe"}),
    "llm": frozenset({"generate", "chat", "encode", "create_chat_completion", "create_completion", "embed"}),
    "estimator": frozenset({"predict", "predict_proba", "transform", "fit", "fit_transform"}),
    "ann_index": frozenset({"search"}),
    "triton_client": frozenset({"infer"}),
    "sdk_client": frozenset(
        {"create", "generate", "text_generation", "chat_completion", "feature_extraction", "stream"}
    ),
    "vector_client": frozenset({"search", "query_points", "query", "upsert", "retrieve", "insert", "scroll"}),
    "db_client": frozenset({"get", "set", "search", "index", "find", "find_one", "execute", "lpop", "rpush", "blpop"}),
}
#: Kinds whose objects compute when they are called.
BLOCKING_CALLS: Final = frozenset({"module", "pretrained", "pipeline", "yolo", "llm"})
#: Library functions that load or decode for long.
BLOCKING_EFFECTS: Final = frozenset({"torch.load", "joblib.load"})
#: Receivers whose methods are done by the time they return, for the purpose of waiting.
_LIBRARY_KINDS: Final = frozenset(
    {"library", "scalar", "str", "list", "dict", "tuple", "set", "none", "logger", "path"}
)


class Trait(msgspec.Struct, frozen=True):
    """An answer: True with the causes, False after a complete search, None otherwise, with what was in the way."""

    value: bool | None
    causes: tuple[Cause, ...] = ()
    reason: str = ""


class Properties:
    """Transitive properties over a world."""

    def __init__(self, world: World, values: Values) -> None:
        self.world = world
        self.values = values
        self._known: dict[tuple[Target, str, int], tuple[Trait, frozenset[Dependency]]] = {}

    def has(self, target: Target, name: str, depth: int = _DEPTH) -> Trait:
        """Whether a function has a property, itself or through what it calls."""
        key = (target, name, depth)
        known = self._known.get(key)
        if known is None:
            self._known[key] = (Trait(False), frozenset())
            with self.world.recording() as reads:
                trait = self._find(target, name, depth)
            known = self._known[key] = (trait, frozenset(reads))
        else:
            self.world.depend(known[1])
        return known[0]

    def _find(self, target: Target, name: str, depth: int) -> Trait:
        record = self.world.function(target.path, target.name, "effects", "calls", "head")
        if record is None:
            return Trait(None, (), f"{target.name} could not be read")
        own = self._own(target, record, name)
        if own is not None:
            return own
        unknown = ""
        if name == "waits":
            foreign = [package for package in record.foreign if package not in _QUIET]
            if foreign:
                unknown = f"{target.name or 'the module'} calls {'something unknown' if '?' in foreign else foreign[0]}"
        if depth <= 0:
            return Trait(None, (), f"{target.name} calls too deep to follow")
        for number, call in enumerate(record.calls):
            if name == "blocks" and call.awaited:
                continue
            trait = self.of_call(call, target.path, name, depth - 1)
            if trait.value:
                locus = Locus(target.path, "call", target.name, number)
                return Trait(True, (Cause(locus, f"calls {last_name(call.callee)}"), *trait.causes))
            if trait.value is None:
                unknown = unknown or trait.reason
        return Trait(None, (), unknown) if unknown else Trait(False)

    def _own(self, target: Target, record: FunctionRecord, name: str) -> Trait | None:
        if name == "waits":
            for effect in record.effects:
                if effect.token in WAITS:
                    locus = Locus(target.path, "definition", target.name)
                    return Trait(True, (Cause(locus, f"waits for the device: {effect.token.lstrip('.')}"),))
        if name == "blocks":
            for number, call in enumerate(record.calls):
                says = self.blocking(call, target.path)
                if says and not call.awaited:
                    return Trait(True, (Cause(Locus(target.path, "call", target.name, number), says),))
        return None

    def of_call(self, call: CallRecord, path: str, name: str, depth: int = _DEPTH) -> Trait:
        """Whether what a recorded call runs has a property."""
        targets, complete = self.values.functions(call.callee, path, 4)
        unknown = ""
        for target in targets:
            if name == "blocks":
                head = self.world.function(target.path, target.name, "head")
                if head is not None and (head.is_async or head.generator):
                    continue
            trait = self.has(target, name, depth)
            if trait.value:
                return trait
            if trait.value is None:
                unknown = unknown or trait.reason
        if unknown:
            return Trait(None, (), unknown)
        if not targets and not complete and not self._harmless(call, path):
            return Trait(None, (), f"{last_name(call.callee) or 'a call'} could not be resolved")
        return Trait(False)

    def _harmless(self, call: CallRecord, path: str) -> bool:
        callee = call.callee
        if isinstance(callee, Name):
            target = self.world.resolve(callee.dotted, path)
            return target is not None and target.what == "library" and target.name.partition(".")[0] in _QUIET
        if isinstance(callee, Member):
            if callee.name in self.world.lexicon.vocabulary.common:
                return True
            return bool(self.values.kinds(callee.of, path).known - {"instance"})
        return not isinstance(callee, Unknown | Self)

    def blocking(self, call: CallRecord, path: str) -> str:
        """What a call does that keeps its thread busy for long; "" if nothing is known."""
        callee = call.callee
        if isinstance(callee, Member):
            kinds = self.values.kinds(callee.of, path).known
            for kind in sorted(kinds):
                if callee.name in BLOCKING_METHODS.get(kind, ()):
                    return f"{_NOUNS.get(kind, kind)}.{callee.name}()"
        if isinstance(callee, Name):
            target = self.world.resolve(callee.dotted, path)
            if target is not None and target.what != "variable":
                return ""
        kinds = self.values.kinds(callee, path).known & BLOCKING_CALLS
        if kinds and "class" not in self.values.kinds(callee, path).known:
            return f"a call of a {_NOUNS.get(sorted(kinds)[0], sorted(kinds)[0])}"
        return ""


_NOUNS: Final = {
    "pretrained": "model",
    "module": "model",
    "sdk_client": "synchronous client",
    "vector_client": "synchronous client",
    "db_client": "synchronous client",
    "triton_client": "synchronous client",
    "ann_index": "index",
    "session": "inference session",
    "llm": "language model",
    "yolo": "model",
    "whisper": "model",
    "sentence_encoder": "encoder",
    "pipeline": "pipeline",
    "estimator": "estimator",
}
#: Packages whose functions return without waiting for a device, unless an effect above says otherwise.
_QUIET: Final = frozenset(
    "builtins math time datetime os sys logging random collections itertools functools typing re json string copy "
    "warnings argparse pathlib dataclasses enum operator contextlib abc inspect traceback types gc torch einops tqdm "
    "struct hashlib base64 bisect heapq statistics shutil glob uuid textwrap weakref apex xformers flash_attn numpy".split()
)
