"""``python -m website.build [FOLDER]``: write the site, which asks nothing of other hosts when it is looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from mlsys_advise.registry import load_rules
from mlsys_advise.rule import Rule
from website import lessons, rules
from website.lessons import Lesson
from website.sources import GUIDES, REPOSITORY, relinked

_HERE = Path(__file__).resolve().parent
_PACKS = REPOSITORY / "rules" / "mlsys_rules"


def main(arguments: list[str]) -> int:
    """The exit status of mkdocs, which is strict about links."""
    target = Path(arguments[0] if arguments else REPOSITORY / "build" / "site").absolute()
    with tempfile.TemporaryDirectory(prefix="mlsys-advise-docs-") as folder:
        source = Path(folder) / "pages"
        for page, text in pages().items():
            path = source / page
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        shutil.copytree(_HERE / "assets", source / "assets")
        configuration = Path(folder) / "mkdocs.yml"
        settings = yaml.safe_load((_HERE / "mkdocs.yml").read_text(encoding="utf-8"))
        settings |= {"docs_dir": str(source), "site_dir": str(target), "nav": navigation()}
        configuration.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--clean", "-f", str(configuration)]
        quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
        return subprocess.run(command, env=quiet, check=False).returncode


def pages() -> dict[str, str]:
    """The Markdown of each page by its path in the site."""
    course = {lesson.id: lesson for lesson in lessons.lessons()}
    known = load_rules().known
    places = places_of(known)
    written = {page: _read(source, page, places) for source, page in GUIDES.items() if (REPOSITORY / source).is_file()}
    for pack in packs():
        written[f"packs/{pack}/index.md"] = _read(
            f"rules/mlsys_rules/{pack}/README.md", f"packs/{pack}/index.md", places
        )
    for rule in known:
        page = f"rules/{rule.code}.md"
        written[page] = relinked(rules.page_of(rule, course.get(rule.lesson)), page, page, places | _own(written))
    for lesson in course.values():
        leading = [rule for rule in known if rule.lesson == lesson.id]
        written[lesson.page] = lessons.page_of(lesson, leading, _title(lesson.module))
    written["rules/index.md"] = rules.table(known, course)
    written["lessons/index.md"] = _course(list(course.values()), known)
    return written


def places_of(known: tuple[Rule, ...]) -> dict[str, str]:
    """The page that each file of the repository becomes."""
    places = {source: page for source, page in GUIDES.items() if (REPOSITORY / source).is_file()}
    places |= {f"rules/mlsys_rules/{pack}/README.md": f"packs/{pack}/index.md" for pack in packs()}
    for rule in known:
        places[f"rules/{rule.module.replace('.', '/')}.md"] = f"rules/{rule.code}.md"
    return places


def modules() -> list[str]:
    return list(dict.fromkeys(lesson.module for lesson in lessons.lessons()))


def packs() -> list[str]:
    """In the order of the course; what belongs to no module comes last."""
    order = modules()
    found = [path.parent.name for path in sorted(_PACKS.glob("*/README.md"))]
    return sorted(found, key=lambda pack: (order.index(pack) if pack in order else len(order), pack))


def navigation() -> list[dict[str, object]]:
    """What mkdocs calls ``nav``."""
    guides = [page for page in places_of(()).items() if page[1] in GUIDES.values() and page[1] != "index.md"]
    return [
        {"Start": "index.md"},
        {"Guides": [{_heading(REPOSITORY / source): page} for source, page in guides]},
        {"Rules": ["rules/index.md", *({_title(pack): _rules_of(pack)} for pack in packs())]},
        {"Lessons": ["lessons/index.md", *({_title(module): _lessons_of(module)} for module in modules())]},
    ]


def _rules_of(pack: str) -> list[object]:
    found = [rule for rule in load_rules().known if rule.pack == pack]
    return [f"packs/{pack}/index.md", *({f"{rule.code} {rule.name}": f"rules/{rule.code}.md"} for rule in found)]


def _lessons_of(module: str) -> list[object]:
    return [{lesson.title: lesson.page} for lesson in lessons.lessons() if lesson.module == module]


def _read(source: str, page: str, places: dict[str, str]) -> str:
    return relinked((REPOSITORY / source).read_text(encoding="utf-8"), source, page, places)


def _own(written: dict[str, str]) -> dict[str, str]:
    """Pages that are linked by their own paths, as generated text does."""
    return {page: page for page in written} | {lesson.page: lesson.page for lesson in lessons.lessons()}


def _course(course: list[Lesson], known: tuple[Rule, ...]) -> str:
    lines = ["# Lessons", "", "From each lesson of the course to the rules that show it in code.", ""]
    for module in dict.fromkeys(lesson.module for lesson in course):
        lines += [f"## {_title(module)}", "", "| Lesson | Rules |", "|---|---|"]
        for lesson in course:
            if lesson.module == module:
                leading = [f"[{rule.code}](../rules/{rule.code}.md)" for rule in known if rule.lesson == lesson.id]
                lines.append(f"| [{lesson.title}]({lesson.id}.md) | {', '.join(leading) or 'none yet'} |")
        lines.append("")
    return "\n".join(lines)


def _title(pack: str) -> str:
    return _heading(_PACKS / pack / "README.md")


def _heading(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
