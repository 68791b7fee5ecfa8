"""Files that findings lie in, read again for what is told beside the findings: lines, and the text of fixes.

A file that has changed or vanished since it was analysed gives fewer lines or none, never an error.
"""

from __future__ import annotations

from mlsys_advise.edit import Fix
from mlsys_advise.finding import Notice
from mlsys_advise.languages.texts import Texts
from mlsys_advise.span import Span


class Sources(Texts):
    """``given`` holds the text of files that are not, or not as they are, on the disk."""

    def edits(self, path: str, fix: Fix) -> list[tuple[Span, str]] | None:
        """What a fix puts in the place of what, by spans of the file or of its cells; None if it cannot be made."""
        from mlsys_advise.fixing.fixable import Fixable
        from mlsys_advise.fixing.refusal import Refusal

        content = self.content(path)
        if isinstance(content, Notice):
            return None
        try:
            file = Fixable(content, path)
            return [file.located(change) for change in file.replacements(fix)]
        except Refusal:
            return None
