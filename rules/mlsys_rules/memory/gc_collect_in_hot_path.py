"""MLS401: a full garbage collection on every step, item or request."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from mlsys_advise.condition import Exists, grade
from mlsys_advise.heat import STEP, WORK
from mlsys_advise.here import Here
from mlsys_advise.languages.python.scopes import Region
from mlsys_advise.rule import Answer, Candidate, rule

_UNLOADING: Final = re.compile(
    r"unload|release|cleanup|clean_up|close|stop|destroy|__exit__|__del__|clear_history|shutdown"
)
_HEAVY: Final = re.compile(r"model|pipe|engine|vae|unet|encoder|llm|state_dict|shard|net$|module|checkpoint|ckpt")
_LOADING: Final = frozenset(
    "from_pretrained load load_state_dict safe_open load_file offload unload destroy sleep load_model to_empty".split()
)
_POLICY: Final = re.compile(r"gc|memory|empty_cache|low_vram|lowvram")
_SHARDS: Final = re.compile(r"shard|checkpoint|ckpt|weight|model|layer|fold|trial|config|epoch|chunk")


def _frozen(candidate: Candidate, answers: Mapping[str, Answer]) -> Candidate:
    freeze = answers["the heap is frozen at start-up"]
    if freeze.value:
        return msgspec.structs.replace(candidate, severity="info")
    return candidate


@rule(
    "MLS401",
    severity="warning",
    category="performance",
    lesson="garbage-collection",
    evidence="gc-full-collection",
    heat=(WORK, STEP),
    words=("collect",),
)
def gc_collect_in_hot_path(call: ast.Call, here: Here) -> Iterator[Candidate]:
    """A full collection visits every container object of the process; reference counting has freed the tensors already."""
    if here.qualified(call.func) != "gc.collect":
        return
    yield here.candidate(
        "MLS401",
        call,
        "gc.collect() walks every container object of the process on each {unit}; "
        "reference counting has already freed the tensors",
        grade(Exists(("gc.freeze",)), "the heap is frozen at start-up"),
    )
