"""Fixes carried out: edits become text, text becomes files. Nothing here is imported until a fix is asked for.

Invariant: outside the characters that an edit changes, a file stays as it was, byte for byte; what cannot be done so
is refused with a reason and changes nothing.
"""
