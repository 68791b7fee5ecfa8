"""The keys of a settings file: what each may hold and what it means, as pydantic checks it.

This is what the JSON schema and the table in docs/settings.md are made of. It is imported only when there is a
settings file with something in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from mlsys_advise.finding import Severity
from mlsys_advise.settings.choices import CONTEXTS, FORMATS, FREQUENCIES
from mlsys_advise.settings.layer import key_of


def _selector(text: str, info: ValidationInfo) -> str:
    """Raises ValueError if the context of the validation knows no rule for it."""
    problem_of: Callable[[str], str] | None = (info.context or {}).get("problem_of")
    problem = problem_of(text) if problem_of is not None else ""
    if problem:
        raise ValueError(problem)
    return text


def _specifier(text: str) -> str:
    try:
        SpecifierSet(text if text[:1] in "<>=!~" else f"=={text}")
    except InvalidSpecifier:
        raise ValueError(f'{text!r} is no version or set of versions, such as ">=0.1"') from None
    return text


def _one_of(*names: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in names:
            import difflib

            close = difflib.get_close_matches(text, names, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"{text!r} is none of {', '.join(names)}{hint}")
        return text

    return check


def _named(*names: str) -> Any:
    return [AfterValidator(_one_of(*names)), Field(json_schema_extra={"enum": list(names)})]


Selector = Annotated[str, Field(min_length=1), AfterValidator(_selector)]
Pattern = Annotated[str, Field(min_length=1)]
ContextName = Annotated[str, *_named(*CONTEXTS)]
FrequencyName = Annotated[str, *_named(*FREQUENCIES)]
FormatName = Annotated[str, *_named(*FORMATS)]
FilePath = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=key_of, use_attribute_docstrings=True
    )


class RuleOptions(_Strict):
    """What can be said of one rule, or of all whose codes begin alike."""

    severity: Severity | None = None
    """The severity of its findings, whatever the rule says."""


class SettingsFile(_Strict):
    """Settings of mlsys-advise: the table `[tool.mlsys-advise]` of a pyproject.toml, or a whole mlsys-advise.toml."""

    extend: FilePath | None = None
    """A settings file that this one builds on, relative to it; what this one says wins."""
    required_version: Annotated[str, AfterValidator(_specifier)] | None = None
    """The versions of mlsys-advise that may be used here, such as `">=0.1,<0.3"`; another one is refused."""
    select: list[Selector] | None = None
    """The rules in force, by code, beginning of a code, or name; by default all but the opt-in ones."""
    extend_select: list[Selector] | None = None
    """Rules in force beside those of `select`; opt-in rules must be named by their own code or name."""
    ignore: list[Selector] | None = None
    """Rules that are not in force. The more specific of two selectors wins."""
    per_file_ignores: dict[Pattern, list[Selector]] | None = None
    """Rules that are ignored in the files a pattern matches; `!` before the pattern means all other files."""
    rules: dict[Selector, RuleOptions] | None = None
    """Options of single rules, by their selectors; of two that fit one rule, the later one counts."""
    preview: bool | None = None
    """Whether rules in preview may be in force."""
    ruff: bool | None = None
    """Whether ruff is asked, too, for what it finds well; it must be installed beside mlsys-advise."""
    exclude: list[Pattern] | None = None
    """Files and folders to leave out, as in .gitignore, in place of the built-in list (.venv, build and so on)."""
    extend_exclude: list[Pattern] | None = None
    """Files and folders to leave out beside those of `exclude`."""
    respect_gitignore: bool | None = None
    """Whether files that git ignores are left out; by default they are."""
    force_exclude: bool | None = None
    """Whether files are left out even when they are named on the command line, as pre-commit does."""
    fail_on: Severity | None = None
    """The least severity that makes the exit status 1; by default warning."""
    min_severity: Severity | None = None
    """Findings below this severity are not shown."""
    context: list[ContextName] | None = None
    """Only findings that are hot in one of these contexts; `unknown` are those of which nothing is known."""
    min_frequency: FrequencyName | None = None
    """Only findings that run at least so often; those of which it is not known pass with `once` alone."""
    baseline: FilePath | None = None
    """The file of accepted findings, relative to this one; by default mlsys-advise-baseline.json beside it."""
    output_format: FormatName | None = None
    """How findings are printed."""
    target: Annotated[str, Field(min_length=1)] | list[Annotated[str, Field(min_length=1)]] | None = None
    """The machines that the code runs on: names of profiles, or paths from here. What costs nothing there is quiet."""


def schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of a settings file."""
    found = SettingsFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
