"""Configured values: what a number or a flag may be, by literals, defaults of options and fields, and the machine.

A value *passes* a test if one of the values that it may have does; it fails only if all are known and none does.
"""

from __future__ import annotations

from typing import Final

from mlsys_advise.project.hotness import Cause
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.values import ACCELERATOR, HOST, Head, Values
from mlsys_advise.project.world import World
from mlsys_advise.term import Arith, Call, Const, Name, Term, children, last_name

#: Counts of what a machine has; positive wherever the program is worth running.
_COUNTS: Final = frozenset(
    {
        "os.cpu_count",
        "multiprocessing.cpu_count",
        "os.sched_getaffinity",
        "os.process_cpu_count",
        "psutil.cpu_count",
        "torch.cuda.device_count",
    }
)


def configured(values: Values, term: Term, test: str, path: str) -> Reply:
    """Whether a value passes a test: ``positive``, ``zero``, ``true``, ``false``, ``given``, ``accelerator``."""
    if test == "accelerator":
        device = values.device(term, path)
        return Reply(True if device == ACCELERATOR else False if device == HOST else None)
    heads = values.heads(term, path)
    passed: list[Head] = []
    failed: list[Head] = []
    for head in heads:
        verdict = passes(head, test, values.world)
        if verdict is True:
            passed.append(head)
        elif verdict is False:
            failed.append(head)
    if passed:
        head = passed[0]
        causes = tuple(Cause(locus, f"set to {shown(head.term)} here") for locus in head.trail[-1:])
        return Reply(True, causes, {"value": shown(head.term), "overridable": "by default" if head.overridable else ""})
    if failed and len(failed) == len(heads):
        return Reply(False, reason=f"its value is {shown(failed[0].term)}")
    return Reply(None, reason="its value is not known")


def passes(head: Head, test: str, world: World) -> bool | None:
    """Whether a head's value passes a test, as far as it is known."""
    term = head.term
    if test == "remote":
        start = term.operands[0] if isinstance(term, Arith) and term.operands else term
        text = start.value if isinstance(start, Const) else None
        return _remote(text) if isinstance(text, str) and "://" in text else None
    if isinstance(term, Const):
        value = term.value
        if test.startswith(("over ", "at most ")):
            if not isinstance(value, int | float) or isinstance(value, bool):
                return None
            limit = int(test.rpartition(" ")[2])
            return value > limit if test.startswith("over ") else value <= limit
        match test:
            case "positive":
                return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
            case "zero":
                return value == 0 and not isinstance(value, bool)
            case "true":
                return value is True
            case "false":
                return value is False
            case "given":
                return value is not None
    if test in ("positive", "over 1") and counted(term, world, head.path):
        return True
    if test == "positive" and _floored(term):
        return True
    return None


def _floored(term: Term) -> bool:
    """Whether a number is the greater of a positive literal and something else."""
    match term:
        case Call(Name("builtins.max"), args):
            return any(isinstance(arg, Const) and isinstance(arg.value, int) and arg.value > 0 for arg in args)
    return False


def _remote(endpoint: str) -> bool:
    return endpoint.startswith("tcp://") and not endpoint[6:].startswith(("127.", "localhost", "[::1"))


def counted(term: Term, world: World, path: str) -> bool:
    """Whether a number is derived from a count of processors or devices, or is the least of several positive ones."""
    stack = [term]
    while stack:
        part = stack.pop()
        if isinstance(part, Call) and isinstance(part.callee, Name):
            target = world.resolve(part.callee.dotted, path)
            if target is not None and target.name in _COUNTS:
                return True
        stack.extend(children(part))
    return False


def shown(term: Term) -> str:
    """A value as messages print it."""
    if isinstance(term, Const):
        return repr(term.value)
    if _floored(term):
        return "at least one"
    return "as many as there are CPUs" if "cpu" in _names(term) else "a number for each device"


def _names(term: Term) -> str:
    stack, found = [term], ""
    while stack:
        part = stack.pop()
        found += last_name(part)
        stack.extend(children(part))
    return found
