"""The one name under which a package is known, however a manifest or a channel spells it."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[-_.]+")

#: Names under which another channel, or a build variant, ships the same versions of the same library.
_ALIASES = {
    "jaxlib-cuda": "jaxlib",
    "onnxruntime-gpu": "onnxruntime",
    "opencv": "opencv-python",
    "opencv-contrib-python": "opencv-python",
    "opencv-contrib-python-headless": "opencv-python",
    "opencv-python-headless": "opencv-python",
    "py-opencv": "opencv-python",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "sklearn": "scikit-learn",
    "tensorflow-cpu": "tensorflow",
    "tensorflow-gpu": "tensorflow",
    "tensorflow-macos": "tensorflow",
    "torch-cpu": "torch",
}


def distribution(name: str) -> str:
    """``PyTorch`` of conda, ``torch`` of pip: both are ``torch``. Case and separators do not count (PEP 503)."""
    normalised = _SEPARATORS.sub("-", name.strip()).strip("-").lower()
    return _ALIASES.get(normalised, normalised)
