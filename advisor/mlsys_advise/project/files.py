"""Files that programs name: which path an expression may mean, who sets it, where the file comes from and which code
writes one of that name.

Invariant: files are told by the last component of their path, which code that writes and code that reads share more
often than the folder; a name that cannot be told equals none.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from mlsys_advise.interface import CallRecord
from mlsys_advise.project.hotness import Cause, Hotness
from mlsys_advise.project.properties import Properties
from mlsys_advise.project.reply import Reply
from mlsys_advise.project.values import Caller, Head, Locus, Values
from mlsys_advise.project.world import Target, World
from mlsys_advise.term import (
    Arith,
    Call,
    Const,
    Either,
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
    last_name,
)

#: Functions that write a file, with the position of the path or of the opened file.
WRITERS: Final = {
    "torch.save": 1,
    "pickle.dump": 1,
    "joblib.dump": 1,
    "dill.dump": 1,
    "cloudpickle.dump": 1,
}
_STEPS: Final = 4
_MOST_CALLERS: Final = 40
#: Methods of paths that lead to the same file or into the same folder.
_SAME_PLACE: Final = frozenset({"open", "resolve", "absolute", "as_posix", "expanduser", "joinpath", "with_suffix"})
#: Names under which frameworks write files of their own accord; they tell nothing about who wrote one.
_OF_FRAMEWORKS: Final = frozenset(
    {
        "pytorch_model.bin",
        "adapter_model.bin",
        "optimizer.pt",
        "scheduler.pt",
        "mp_rank_00_model_states.pt",
        "last.ckpt",
    }
)

#: Effects of functions that train models or store them, and trainers that do both.
_MAKING: Final = ("torch.save", ".save_pretrained", ".backward", ".fit", ".train_batch")
_TRAINERS: Final = ("transformers.Trainer", "transformers.Seq2SeqTrainer", "lightning.pytorch.Trainer")
#: Functions that read a configuration, and methods that parse options, besides `parse_args`.
_CONFIGURATIONS: Final = frozenset(
    {"omegaconf.OmegaConf.load", "omegaconf.OmegaConf.merge", "omegaconf.OmegaConf.from_cli", "hydra.compose"}
    | {"yaml.safe_load", "yaml.load", "json.load"}
)
_PARSERS: Final = frozenset({"parse_args_into_dataclasses", "parse_dict", "parse_json_file", "parse_yaml_file"})
#: Names under which downloaders are told what to fetch, not where to.
_WHAT_TO_FETCH: Final = frozenset(
    {"url", "uri", "repo_id", "repo", "filename", "model_id", "name", "revision", "token"}
)


class Files:
    """Answers about files over a world."""

    def __init__(self, world: World, values: Values, properties: Properties, hotness: Hotness) -> None:
        self.world = world
        self.values = values
        self.properties = properties
        self.hotness = hotness

    def written(self, term: Term, writers: tuple[str, ...], path: str) -> Reply:
        """Whether some call of a writer in the project writes a file of the name that a path may have."""
        names = self.names(term, path) - _OF_FRAMEWORKS
        if not names:
            return Reply(False, reason="its name is not known")
        for writer in writers:
            for file in self.world.table("construct", writer):
                for caller in self.values.calls_named(file, last_name(Name(writer))):
                    target = caller.record.argument("f", WRITERS.get(writer, 1))
                    if target is not None and names & self.names(target, file):
                        here = Locus(file, "call", caller.function, caller.number)
                        return Reply(True, (Cause(here, "written here"),))
        return Reply(False, facts={"named": min(names)})

    def saves_options(self, path: str, program: frozenset[str]) -> Reply:
        """Whether a file of the program, or beside a file, saves the parsed options of a run as an object."""
        folder = posixpath.dirname(path)
        for file in self.world.table("construct", "torch.save"):
            for caller in self.values.calls_named(file, "save"):
                for call in self._savings(caller):
                    near = call.path in program or posixpath.dirname(call.path) == folder
                    if near and any(self._holds_options(term, call.path) for term in call.record.args[:1]):
                        here = Locus(call.path, "call", call.function, call.number)
                        return Reply(True, (Cause(here, "options are saved here"),))
        return Reply(False)

    def _savings(self, save: Caller) -> Iterator[Caller]:
        """A call that saves, or those of the function around it where that hands on what it is given."""
        record = self.world.function(save.path, save.function, "head")
        given = save.record.argument("obj", 0)
        if record is not None and (save.record.hidden or isinstance(given, Param)):
            yield from (self.values.callers(save.path, save.function) or ())[:_MOST_CALLERS]
        yield save

    def _holds_options(self, term: Term, path: str) -> bool:
        """Whether a dictionary has parsed options among its values, and not as a dictionary of their own."""
        return any(
            self._is_options_object(inner)
            for head in self.values.heads(term, path)
            if isinstance(head.term, Map)
            for _, value in head.term.items
            for inner in self.values.heads(value, head.path)
        )

    def _is_options_object(self, head: Head) -> bool:
        match head.term:
            case Call(Name(dotted)):
                return self.world.lexicon.canonical(dotted).startswith("omegaconf.OmegaConf.")
            case Call(Member(_, "parse_args_into_dataclasses")):
                return True
        return self.values.is_options(head)

    def names(self, term: Term, path: str, steps: int = _STEPS) -> frozenset[str]:
        """The last components of the paths that a term may be, as far as they are literal."""
        if steps <= 0:
            return frozenset()
        match term:
            case Call(Name(dotted), args) if args and self._of_path(dotted, path):
                return self.names(args[0 if dotted.endswith("open") else -1], path, steps)
            case Arith(operands) if operands:
                last = operands[-1]
                return self.names(last, path, steps) if isinstance(last, Const) else frozenset()
            case Call(Member(of, "open" | "resolve" | "absolute" | "as_posix")):
                return self.names(of, path, steps)
            case Call(Member(_, "joinpath"), args) if args:
                return self.names(args[-1], path, steps)
            case Either(options):
                return frozenset().union(*(self.names(option, path, steps) for option in options))
            case Param(function, index):
                found: frozenset[str] = frozenset()
                record = self.world.function(path, function, "head")
                for caller in self.values.callers(path, function) or ():
                    given = caller.argument(record.params[index], index, record) if record is not None else None
                    if given is not None:
                        found |= self.names(given, caller.path, steps - 1)
                if record is not None and index < len(record.defaults) and (default := record.defaults[index]):
                    found |= self.names(default, path, steps - 1)
                return found
        if isinstance(term, Call) and last_name(term.callee) == "getenv":
            return self.names(term.args[1], path, steps) if len(term.args) > 1 else frozenset()
        heads, _ = self.values.constants(term, path)
        texts = [head.term.value for head in heads if isinstance(head.term, Const)]
        names = {posixpath.basename(text.replace("\\", "/")) for text in texts if isinstance(text, str)}
        return frozenset(names - {""})

    def _of_path(self, dotted: str, path: str) -> bool:
        target = self.world.resolve(dotted, path)
        return target is not None and target.name in ("builtins.open", "os.path.join", "pathlib.Path")

    def set_outside(self, term: Term, path: str, steps: int = _STEPS) -> Reply:
        """Whether a path comes from the command line, the environment or the settings of a program."""
        no = Reply(None, reason="who sets its path is not known")
        if steps <= 0:
            return no
        match term:
            case Either(options):
                return next((one for one in (self.set_outside(o, path, steps) for o in options) if one.value), no)
            case Call(Name(dotted), args) if self._of_path(dotted, path):
                return next((one for one in (self.set_outside(a, path, steps) for a in args) if one.value), no)
            case Call(Member(of, name)) if name in _SAME_PLACE:
                return self.set_outside(of, path, steps)
            case Name("sys.argv") | Item(Name("sys.argv")):
                return self._set("the command line")
            case Item(Name("os.environ"), str() as name) | Call(Name("os.getenv"), (Const(str() as name), *_)):
                return self._set(f"the variable {name}")
            case Name("os.environ") | Item(Name("os.environ")) | Call(Name("os.getenv")):
                return self._set("the environment")
            case Var(name):
                value = self.world.variable(path, name)
                return self.set_outside(value, path, steps - 1) if value is not None else no
            case Param(function, index):
                return self._given(path, function, index, steps)
            case Member(Self(cls), name):
                record = self.world.cls(path, cls)
                values = [value for attribute, value, _ in record.attributes if attribute == name] if record else []
                return next((one for one in (self.set_outside(v, path, steps - 1) for v in values) if one.value), no)
            case Member(Param(function, index), "name"):  # a temporary file with what was uploaded
                reply = self._given(path, function, index, steps)
                return reply if reply.facts.get("origin") == "upload" else no
            case Arith(operands):
                return next((one for one in (self.set_outside(o, path, steps) for o in operands) if one.value), no)
            case Member(of, name) | Item(of, str() as name):
                if self._holds_settings(of, path):
                    return self._set(f"the option {name}")
        return no

    def _set(self, setting: str) -> Reply:
        """Yes, with whether the project makes models at all: only then may the file be its own."""
        own = any(self.world.table("effect", token) for token in _MAKING)
        own = own or any(self.world.table("construct", trainer) for trainer in _TRAINERS)
        return Reply(True, (), {"setting": setting, "origin": "setting", "makes": "yes" if own else ""})

    def _holds_settings(self, term: Term, path: str) -> bool:
        """Whether a value is, or is a part of, parsed options or a configuration that was read from a file."""
        while isinstance(term, Member | Item) and not isinstance(term.of, Self):
            term = term.of
        if any(self._are_settings(head) for head in self.values.heads(term, path)):
            return True
        return isinstance(term, Param) and any(
            self._are_settings(head)
            for given, file in self._by_keyword(term, path)
            for head in self.values.heads(given, file)
        )

    def _by_keyword(self, parameter: Param, path: str) -> Iterator[tuple[Term, str]]:
        """What calls whose receiver is not known give a method of this name under the parameter's own name."""
        record = self.world.function(path, parameter.function, "head")
        if record is None or not record.cls or parameter.index >= len(record.params):
            return
        keyword, name = record.params[parameter.index], parameter.function.rpartition(".")[2]
        for file in self.world.table("call", name)[:_MOST_CALLERS]:
            for _, _, call in self.world.calls_named(file, name):
                given = dict(call.keywords).get(keyword)
                if given is not None and not self.values.functions(call.callee, file, 3)[1]:
                    yield given, file

    def _are_settings(self, head: Head) -> bool:
        if self.values.is_options(head):
            return True
        term = head.term
        while isinstance(term, Member | Item):
            term = term.of
        match term:
            case Call(Name(dotted)):
                return self.world.lexicon.canonical(dotted) in _CONFIGURATIONS
            case Call(Member(_, name)):
                return name in _PARSERS
        return False

    def _given(self, path: str, function: str, index: int, steps: int) -> Reply:
        record = self.world.function(path, function, "head")
        if record is None or index >= len(record.params):
            return Reply(None)
        if any(self._is_command(decorator, path) for decorator in record.decorators):
            return self._set(f"the option {record.params[index]}")
        if self._handles_clicks(path, function):
            return Reply(True, (), {"setting": "a visitor of the page", "origin": "upload"})
        for caller in self.values.callers(path, function) or ():
            given = caller.argument(record.params[index], index, record)
            if given is None and caller.record.hidden:
                if caller.path in self.world.table("option", record.params[index]):  # main(**vars(args))
                    return self._set(f"the option {record.params[index]}")
            reply = self.set_outside(given, caller.path, steps - 1) if given is not None else None
            if reply is not None and reply.value:
                here = Locus(caller.path, "call", caller.function, caller.number)
                return Reply(True, (Cause(here, "the path is given here"), *reply.causes), reply.facts)
        return Reply(None, reason="no caller is seen to give it a path from outside")

    def _handles_clicks(self, path: str, function: str) -> bool:
        """Whether Gradio calls a function with what a visitor of its page entered or uploaded."""
        return any("Gradio" in says for says in self.hotness.frameworks(Target("function", path, function)))

    # -- downloads

    def fetched(self, term: Term, function: str, path: str, steps: int = _STEPS) -> Reply:
        """Whether a path leads to something that the program downloads."""
        if steps <= 0 or isinstance(term, Unknown | Const | Lit):
            return Reply(None, reason="where its file comes from is not known")
        record = self.world.function(path, function, "calls")
        for number, call in enumerate(record.calls if record is not None else ()):
            if (
                term in _destinations(call)
                and self.properties.of_call(CallRecord(call.callee), path, "downloads", 0).value
            ):
                here = Locus(path, "call", function, number)
                return Reply(True, (Cause(here, "the file is downloaded here"),), {"origin": "download"})
        return self._fetched(term, path, steps)

    def _fetched(self, term: Term, path: str, steps: int) -> Reply:
        no = Reply(None, reason="where its file comes from is not known")
        if steps <= 0:
            return no
        match term:
            case Either(options) | Arith(options):
                return self._first(options, path, steps, no)
            case Call(Name(dotted), args) if self._of_path(dotted, path):
                return self._first(args, path, steps, no)
            case Call(Member(of, name)) if name in _SAME_PLACE:
                return self._fetched(of, path, steps)
            case Call(callee):
                return self._by_function(callee, path, steps)
            case Item(of):
                return self._fetched(of, path, steps)
            case Var(name):
                value = self.world.variable(path, name)
                return self._fetched(value, path, steps - 1) if value is not None else no
            case Member(Self(cls), name):
                record = self.world.cls(path, cls)
                values = [value for attribute, value, _ in record.attributes if attribute == name] if record else []
                return self._first(tuple(values), path, steps - 1, no)
            case Param(function, index):
                return self._given_download(path, function, index, steps) or no
        return no

    def lies_here(self, address: Term, path: str) -> Reply:
        """Whether all that an address may be is the path of a file, or nothing."""
        heads = self.values.heads(address, path)
        if heads and all(head.term in (Const(""), Const(None)) or self._is_path(head) for head in heads):
            return Reply(True, reason="what it is to fetch lies on this machine already")
        return Reply(False)

    def _is_path(self, head: Head) -> bool:
        match head.term:
            case Const(str() as text):
                return "://" not in text
            case Call(Name(dotted)) if self.world.lexicon.canonical(dotted).startswith(("os.path.", "pathlib.")):
                return True
        return bool(self._fetched(head.term, head.path, _STEPS - 1).value)

    def _first(self, terms: tuple[Term, ...], path: str, steps: int, otherwise: Reply) -> Reply:
        return next((one for one in (self._fetched(part, path, steps) for part in terms) if one.value), otherwise)

    def _by_function(self, callee: Term, path: str, steps: int) -> Reply:
        """What a function returns that downloads, or what it got from one that does."""
        trait = self.properties.of_call(CallRecord(callee), path, "downloads", 1)
        if trait.value:
            return Reply(True, trait.causes[-1:], {"origin": "download"})
        for target in self.values.functions(callee, path, 3)[0]:
            record = self.world.function(target.path, target.name, "returns")
            for term in record.returns if record is not None else ():
                reply = self._fetched(term, target.path, steps - 1)
                if reply.value:
                    return reply
        return Reply(None)

    def _given_download(self, path: str, function: str, index: int, steps: int) -> Reply | None:
        record = self.world.function(path, function, "head")
        if record is None or index >= len(record.params):
            return None
        for caller in (self.values.callers(path, function) or ())[:_MOST_CALLERS]:
            given = caller.argument(record.params[index], index, record)
            reply = self.fetched(given, caller.function, caller.path, steps - 1) if given is not None else None
            if reply is not None and reply.value:
                here = Locus(caller.path, "call", caller.function, caller.number)
                return Reply(True, (*reply.causes, Cause(here, "the path is given here")), reply.facts)
        return None

    def _is_command(self, decorator: CallRecord, path: str) -> bool:
        target = self.world.denotes(decorator.callee, path)
        if target is not None and target.what == "library":
            return target.name.startswith(("click.", "typer.", "hydra."))
        return isinstance(decorator.callee, Member) and decorator.callee.name == "command"


def _destinations(call: CallRecord) -> tuple[Term, ...]:
    """The arguments of a downloader that may say where to: what to fetch comes first."""
    return (*call.args[1:], *(term for name, term in call.keywords if name not in _WHAT_TO_FETCH))
