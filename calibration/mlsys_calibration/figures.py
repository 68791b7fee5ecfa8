"""The part of a profile that linting needs, read in a millisecond; ``profile`` has the whole and all its checks."""

from __future__ import annotations

import msgspec

from mlsys_calibration.benchmark import Device, Quantity


class FigurePoint(msgspec.Struct, frozen=True):
    """Both twins at one size, per call of ``occurrences`` occurrences."""

    size: int
    slow: float
    fast: float
    ratio: float
    occurrences: int = 1


class Figure(msgspec.Struct, frozen=True):
    """What a benchmark gave on a machine. ``date`` is that of the measurement, in ISO form."""

    status: str
    quantity: Quantity
    per: str
    axis: str
    typical: int
    date: str
    device: Device = "cpu"
    points: tuple[FigurePoint, ...] = ()
    notes: str = ""


class Figures(msgspec.Struct, frozen=True):
    """The figures of one profile by benchmark id."""

    version: int
    name: str
    measurements: dict[str, Figure]


class FiguresError(ValueError):
    """A file is not a profile of this version; the message names the field."""


_decode = msgspec.json.Decoder(Figures).decode


def read(content: bytes) -> Figures:
    """The figures of a profile. Raises FiguresError."""
    try:
        figures = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FiguresError(str(error)) from None
    if figures.version != 1:
        raise FiguresError(f"version: this is a profile of version {figures.version}, and version 1 is understood")
    return figures
