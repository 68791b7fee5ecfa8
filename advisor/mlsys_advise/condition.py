"""Conditions: what a candidate asks of the project, as plain data from a closed set of questions.

Each question has three answers. A finding's *required* conditions must be answered yes; what would excuse it must be
*refuted*, that is answered no; unknown silences both. *Presumed* conditions are excuses so rare that unknown does not
silence, and the finding says so; *graded* ones only choose the wording or lower the severity.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from mlsys_advise.heat import Context, Frequency
from mlsys_advise.term import Term

Part: TypeAlias = Literal["require", "refute", "presume", "grade"]
Scope: TypeAlias = Literal["module", "program", "project"]


class KindIs(msgspec.Struct, frozen=True, array_like=True, tag="kind"):
    """The value has one of these kinds: in all that it may be (``every``), or in some."""

    term: Term
    kinds: tuple[str, ...]
    every: bool = False


class Derives(msgspec.Struct, frozen=True, array_like=True, tag="derives"):
    """The class of this file inherits from a library class of one of these kinds."""

    cls: str
    kinds: tuple[str, ...]


class RankIs(msgspec.Struct, frozen=True, array_like=True, tag="rank"):
    """The array has this number of axes."""

    term: Term
    rank: int


class WritesInto(msgspec.Struct, frozen=True, array_like=True, tag="writes"):
    """What the callee runs writes into an argument: the one at a position, or under a keyword if that is not empty."""

    callee: Term
    position: int
    keyword: str = ""


class OnAccelerator(msgspec.Struct, frozen=True, array_like=True, tag="on_accelerator"):
    """A tensor lives on an accelerator: where one of ``values`` does, or on one of ``devices`` (see ``placement``)."""

    values: tuple[Term, ...]
    devices: tuple[Term, ...] = ()


class Trains(msgspec.Struct, frozen=True, array_like=True, tag="trains"):
    """A program that reaches the file trains a model, itself or through a framework."""


class SharesGradients(msgspec.Struct, frozen=True, array_like=True, tag="shares_gradients"):
    """A program that reaches the file makes the ranks of a run share their gradients (see ``library/averaging``)."""


class ValueIs(msgspec.Struct, frozen=True, array_like=True, tag="value"):
    """The configured value passes a test: ``positive``, ``zero``, ``true``, ``false``, ``given``, ``accelerator``,
    ``over N``, ``at most N``, or ``remote``: an endpoint on the network.
    """

    term: Term
    test: str


class HasProperty(msgspec.Struct, frozen=True, array_like=True, tag="property"):
    """A callee, or a function of this file, has a property itself or through what it calls (see ``properties``)."""

    callee: Term
    property: str


class WorkersOver(msgspec.Struct, frozen=True, array_like=True, tag="workers"):
    """Some loader over the class of this file, or an object that holds one, has worker processes.

    ``alike`` ones are forked, and run no `worker_init_fn` that could tell them apart.
    """

    cls: str
    alike: bool = False


class DrawsInWorkers(msgspec.Struct, frozen=True, array_like=True, tag="draws"):
    """An attribute of instances of the class is read by code that makes items: in one of the functions of this file
    that read it, or in a subclass elsewhere; and nothing there asks which worker it runs in."""

    cls: str
    attribute: str
    readers: tuple[str, ...]


class InProcessPool(msgspec.Struct, frozen=True, array_like=True, tag="pool"):
    """The function is handed to a pool of processes."""

    function: str


class Uses(msgspec.Struct, frozen=True, array_like=True, tag="uses"):
    """The object made at a call site of this file is used so: see ``Consumption`` for the names of uses."""

    function: str
    site: int
    use: str


class BatchWeighs(msgspec.Struct, frozen=True, array_like=True, tag="weighs"):
    """A batch of the loader made at a call site of this file holds at least so many samples, and so many bytes."""

    function: str
    site: int
    samples: int
    size: int


class HandedTo(msgspec.Struct, frozen=True, array_like=True, tag="handed"):
    """The object is given to a framework that does the job itself."""

    function: str
    site: int
    owners: tuple[str, ...]


class Exists(msgspec.Struct, frozen=True, array_like=True, tag="exists"):
    """One of these effects occurs somewhere in the scope."""

    tokens: tuple[str, ...]
    scope: Scope = "program"


class Hot(msgspec.Struct, frozen=True, array_like=True, tag="hot"):
    """The place runs in one of the contexts, at least so often.

    Calls under one of the regions ``unless`` (bits of ``Region``) do not count: those made every k-th step only, say.
    """

    function: str
    loop: int
    contexts: Context
    least: Frequency
    unless: int = 0


class ServesLocally(msgspec.Struct, frozen=True, array_like=True, tag="serves_locally"):
    """Whatever runs the file's handlers listens on sockets of this machine alone: one trusted peer calls them."""


class Traced(msgspec.Struct, frozen=True, array_like=True, tag="traced"):
    """The function runs under a compiler or tracer."""

    function: str


class AlwaysUnder(msgspec.Struct, frozen=True, array_like=True, tag="under"):
    """Every call that reaches the function is under one of the regions (bits of ``Region``)."""

    function: str
    regions: int


class Pinned(msgspec.Struct, frozen=True, array_like=True, tag="pin"):
    """The manifest that governs the directory of the file admits only versions of the package below ``below``."""

    package: str
    below: str


class Affected(msgspec.Struct, frozen=True, array_like=True, tag="affected"):
    """The manifest that governs the directory of the file admits only versions that an advisory of a kind affects.

    ``concerns`` is the qualified name that the advisory is about.
    """

    package: str
    concerns: str
    kind: str


class FileWritten(msgspec.Struct, frozen=True, array_like=True, tag="written"):
    """Some call of these functions in the project writes a file of the name that the path may have."""

    path: Term
    writers: tuple[str, ...]


class SavesOptions(msgspec.Struct, frozen=True, array_like=True, tag="saves_options"):
    """A file of the same program or folder saves a checkpoint that holds the parsed options of a run as an object: the
    restricted loader would refuse it.
    """


class PathFromOutside(msgspec.Struct, frozen=True, array_like=True, tag="path"):
    """The path comes from the command line, the environment or a setting, or from a visitor of a web page."""

    path: Term


class Fetched(msgspec.Struct, frozen=True, array_like=True, tag="fetched"):
    """The path leads to a file, or into a folder, that the program downloads.

    ``function`` is the function of this file that uses the path: it may itself have had the file put there.
    """

    path: Term
    function: str


class LiesHere(msgspec.Struct, frozen=True, array_like=True, tag="lies_here"):
    """What a downloader is given as an address is the path of a file on this machine, or nothing, whoever calls."""

    address: Term


class LoadedByCaller(msgspec.Struct, frozen=True, array_like=True, tag="loaded"):
    """What the function returns is loaded into a model by a caller, and nobody is seen to do anything else with it."""

    function: str


class Unused(msgspec.Struct, frozen=True, array_like=True, tag="unused"):
    """Nothing in the project calls the function, mentions it or hands it to a framework."""

    function: str


class StartsWorkers(msgspec.Struct, frozen=True, array_like=True, tag="starts"):
    """What a container of this manifest starts shares tensors between processes: ranks, or workers of a loader.

    ``site`` is the key of a ``kubernetes.Site``.
    """

    site: str


class PatchedMemory(msgspec.Struct, frozen=True, array_like=True, tag="patched"):
    """Another manifest of the project patches the container's pod and may give it shared memory."""

    site: str


class AnyOf(msgspec.Struct, frozen=True, array_like=True, tag="any"):
    """One of several conditions."""

    options: tuple[Condition, ...]


Condition: TypeAlias = (
    KindIs
    | Derives
    | RankIs
    | WritesInto
    | OnAccelerator
    | Trains
    | SharesGradients
    | ValueIs
    | HasProperty
    | WorkersOver
    | DrawsInWorkers
    | InProcessPool
    | Uses
    | BatchWeighs
    | HandedTo
    | Exists
    | Hot
    | ServesLocally
    | Traced
    | AlwaysUnder
    | Pinned
    | Affected
    | FileWritten
    | SavesOptions
    | PathFromOutside
    | Fetched
    | LiesHere
    | LoadedByCaller
    | Unused
    | StartsWorkers
    | PatchedMemory
    | AnyOf
)


class Clause(msgspec.Struct, frozen=True, array_like=True):
    """A condition and the part it plays. ``says`` names it for `why` and for findings that presume or grade."""

    part: Part
    condition: Condition
    says: str = ""


def require(condition: Condition, says: str = "") -> Clause:
    """The finding needs the answer yes."""
    return Clause("require", condition, says)


def refute(condition: Condition, says: str = "") -> Clause:
    """The finding needs the answer no."""
    return Clause("refute", condition, says)


def presume(condition: Condition, says: str) -> Clause:
    """The finding needs any answer but yes, and says what it assumed where the answer is unknown."""
    return Clause("presume", condition, says)


def grade(condition: Condition, says: str = "") -> Clause:
    """The answer only grades the finding."""
    return Clause("grade", condition, says)
