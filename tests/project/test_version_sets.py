"""Sets of versions against brute force: every answer must be the one that testing version by version gives."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from mlsys_advise.project.version_sets import EVERYTHING, NOTHING, any_of, versions

#: Patch releases of torch for each minor version there has been.
PATCHES = {
    "0.4": 2,
    "1.0": 2,
    "1.1": 1,
    "1.2": 1,
    "1.3": 2,
    "1.4": 1,
    "1.5": 2,
    "1.6": 1,
    "1.7": 2,
    "1.8": 2,
    "1.9": 2,
    "1.10": 3,
    "1.11": 1,
    "1.12": 2,
    "1.13": 2,
    "2.0": 2,
    "2.1": 3,
    "2.2": 3,
    "2.3": 2,
    "2.4": 2,
    "2.5": 2,
    "2.6": 1,
    "2.7": 2,
    "2.8": 1,
    "2.9": 2,
    "2.10": 1,
}
TORCH = [f"{minor}.{patch}" for minor, patches in PATCHES.items() for patch in range(patches)]
STATED = [
    "2",
    "2.4",
    "2.6",
    "1.0",
    "0.4.1.post2",
    "1.13.1",
    "2.0.1",
    "2.4.1",
    "2.5.1",
    "2.10.0",
    "2.6.0rc1",
    "2.5.0.dev9",
]


def neighbours(stated: str) -> list[str]:
    """Versions just around one, and the next of each of its series: all that a comparison could tell from it."""
    base, version = Version(stated).base_version, Version(stated)
    after = [f"{stated}.dev0"] if version.is_postrelease else []
    suffixes = ["", ".dev0", "a1", "rc1", "rc1.post1", ".post1", ".post3", ".0.1", ".0.0.1", ".99999"]
    release = version.release
    nexts = [".".join(map(str, (*release[:length], release[length] + 1))) for length in range(len(release))]
    return [stated, *after, *nexts, *(f"{base}{suffix}" for suffix in suffixes)]


UNIVERSE = sorted({Version(near) for stated in STATED for near in neighbours(stated)} | set(map(Version, TORCH)))
UNIVERSE = [Version("0.0.1"), *UNIVERSE, Version("9!1.0")]


@cache
def admitted(specifiers: str) -> frozenset[Version]:
    return frozenset(SpecifierSet(specifiers).filter(UNIVERSE, prereleases=True))


@st.composite
def clauses(draw: st.DrawFn) -> str:
    version = draw(st.sampled_from(STATED))
    operator = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~=", "==*", "!=*"]))
    if operator.endswith("*"):
        return f"{operator[:2]}{'.'.join(map(str, Version(version).release[: draw(st.integers(1, 3))]))}.*"
    if operator == "~=" and len(Version(version).release) == 1:
        version += ".0"
    return f"{operator}{version}"


specifier_sets = st.lists(clauses(), max_size=4).map(",".join)


@given(specifier_sets)
@settings(max_examples=200, deadline=None)
def test_a_set_holds_exactly_the_versions_that_its_specifiers_admit(specifiers: str) -> None:
    found = {version for version in UNIVERSE if str(version) in versions(specifiers)}
    assert found == admitted(specifiers)


@given(specifier_sets, specifier_sets)
@settings(max_examples=200, deadline=None)
def test_subset_and_intersection_agree_with_version_by_version(one: str, other: str) -> None:
    first, second = versions(one), versions(other)
    assert (first <= second) == (admitted(one) <= admitted(other))
    assert bool(first & second) == bool(admitted(one) & admitted(other))


@given(specifier_sets, specifier_sets)
@settings(max_examples=200, deadline=None)
def test_union_and_complement_are_those_of_sets(one: str, other: str) -> None:
    union, complement = versions(one) | versions(other), versions(one).complement()
    assert {version for version in UNIVERSE if str(version) in union} == admitted(one) | admitted(other)
    assert {version for version in UNIVERSE if str(version) in complement} == set(UNIVERSE) - admitted(one)
    assert versions(one).complement().complement() == versions(one)


@given(specifier_sets)
@settings(max_examples=100, deadline=None)
def test_admits_only_below_a_bound_is_never_claimed_for_a_set_with_a_later_release(specifiers: str) -> None:
    """The question as the checkpoint rule asks it, over the releases of torch there have been."""
    if versions(specifiers) <= versions("<2.6"):
        assert all(Version(release) < Version("2.6") for release in SpecifierSet(specifiers).filter(TORCH))


@pytest.mark.parametrize(
    ("specifiers", "below"),
    [
        ("==2.4.1", True),
        ("==1.13.1+cu117", True),
        ("==2.4.*", True),
        ("~=2.4.0", True),
        ("~=2.4", False),
        ("<2.6", True),
        ("<=2.5.1", True),
        ("<=2.6", False),
        (">=1.7,<2", True),
        (">=1.7.0,!=2.0", False),
        (">=2.4,<3.0", False),
        ("==2.*", False),
        ("", False),
        ("===2.5.1", True),
        ("===nightly", True),
        ("==2.6.0rc1", False),
        ("==1!1.0", False),
    ],
)
def test_admits_only_below_2_6(specifiers: str, below: bool) -> None:
    assert (versions(specifiers) <= versions("<2.6")) is below


def test_a_set_without_a_newest_version_is_unbounded() -> None:
    assert versions(">=2.6,!=2.7").unbounded
    assert not versions(">=2.6,<3").unbounded
    assert not NOTHING.unbounded


def test_a_contradiction_is_empty_and_no_clause_is_everything() -> None:
    assert versions(">=2.6,<2.5") == NOTHING
    assert versions("") == EVERYTHING == any_of(["<2", "==2.*", ">=3.dev0"])


@pytest.mark.parametrize("text", ["2.4", ">=", "==2.x", "~=2", ">=2.*", "^2.4", "==2.4 or 3"])
def test_what_is_no_specifier_is_rejected_as_packaging_rejects_it(text: str) -> None:
    with pytest.raises(InvalidSpecifier):
        SpecifierSet(text)
    with pytest.raises(ValueError, match=r"clause|[Vv]ersion"):
        versions(text)
