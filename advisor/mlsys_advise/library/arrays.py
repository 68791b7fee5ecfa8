"""Operations of array libraries by what they do to shape and how much they cost; torch, NumPy and CuPy share names."""

from __future__ import annotations

import functools
from typing import Final


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Libraries whose functions these are.
LIBRARIES: Final = ("torch.", "numpy.", "cupy.", "jax.numpy.")
#: Kinds of values that are arrays of numbers.
ARRAY_KINDS: Final = ("tensor", "ndarray", "cupy_array", "jax_array")

# -- constructors

#: Told a shape, as one tuple or (torch) size by size.
FILLED: Final = _names("zeros ones empty full rand randn random standard_normal random_sample normal")
#: The same, by their full names: terms keep the arguments of these.
SHAPED: Final = frozenset(library + name for library in LIBRARIES for name in FILLED)
LIKE: Final = _names("zeros_like ones_like empty_like full_like rand_like randn_like")
ONE_AXIS: Final = _names(
    "arange linspace logspace geomspace range randperm bincount flatnonzero permutation hann_window"
)
TWO_AXES: Final = _names("eye identity tril_indices triu_indices cdist argwhere")
#: Made of Python data or of another array.
CONVERTED: Final = _names("tensor as_tensor array asarray")

# -- shape

#: The result has the shape of the operand.
SAME_SHAPE: Final = _names(
    "abs exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square sign neg negative sin cos tan tanh arctan sigmoid relu "
    "gelu silu softmax log_softmax clip clamp clamp_min clamp_max round floor ceil trunc flip roll float double half "
    "long int short bool to cuda cpu clone detach contiguous copy astype type masked_fill nan_to_num isnan isinf "
    "isfinite logical_not numpy from_numpy ascontiguousarray asfortranarray pin_memory bfloat16 fliplr flipud deg2rad "
    "reciprocal erf cumsum cumprod"
)
#: The operands are broadcast against each other.
BROADCAST: Final = _names(
    "maximum minimum where add subtract multiply divide true_divide power pow fmod remainder arctan2 hypot "
    "logical_and logical_or logical_xor lerp fmax fmin"
)
#: Without an axis the result is a number.
REDUCTIONS: Final = _names("sum mean max min std var prod any all argmax argmin amax amin median logsumexp norm")
#: Reductions that, given an axis, return values and indices in torch.
PAIRED: Final = _names("max min median")
PERMUTING: Final = _names("transpose permute swapaxes movedim moveaxis")

# -- cost

#: One pass over the operands.
ELEMENTWISE: Final = _names(
    "abs exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square sign neg negative sin cos tan tanh sigmoid relu gelu "
    "silu clip clamp clamp_min clamp_max round floor ceil where maximum minimum add subtract multiply divide mul sub "
    "div pow power isnan isinf isfinite nan_to_num lerp absolute float32 float64 softplus logical_and logical_or "
    "logical_not"
)
#: Views, copies and casts.
VIEWS: Final = _names(
    "float double half long int bool to type astype copy clone detach contiguous unsqueeze squeeze view reshape expand "
    "expand_as flatten item numpy cpu"
)
#: Products of matrices.
MATRIX: Final = _names("matmul mm bmm dot einsum tensordot inner outer addmm mv baddbmm")
#: Functions of torch whose result lives where their first argument does: terms keep that argument.
OPERATIONS: Final = frozenset(
    f"torch.{name}"
    for name in SAME_SHAPE | BROADCAST | REDUCTIONS | PERMUTING | MATRIX | LIKE | _names("cat stack topk sort gather")
) | frozenset(
    f"torch.nn.functional.{name}" for name in _names("softmax log_softmax normalize one_hot pad sigmoid relu")
)
#: Methods without a trailing underscore that change their receiver.
IN_PLACE_METHODS: Final = _names("sort fill put resize partition itemset")
#: Functions that change their first argument.
IN_PLACE_FUNCTIONS: Final = _names(
    "random.shuffle numpy.random.shuffle numpy.put numpy.place numpy.putmask numpy.copyto numpy.fill_diagonal"
)


@functools.lru_cache(maxsize=1 << 15)
def mutates(method: str) -> bool:
    """Whether a method of an array, by its name, writes into its receiver."""
    return (method[-1:] == "_" and method[:1] != "_") or method in IN_PLACE_METHODS
