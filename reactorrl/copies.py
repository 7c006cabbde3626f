"""The private copy that a mutable input gets when it is not the only reader."""

from __future__ import annotations

import copy
from typing import Any


def private_copy(value: Any, reader: Any = None) -> Any:
    """Return a copy that shares nothing with `value`.

    A NumPy array is copied by `ndarray.copy` (one that holds objects by `copy.deepcopy`), a torch
    tensor by `Tensor.clone`, anything else by `copy.deepcopy`. Neither package is imported.

    Args:
        value: What is copied.
        reader: The mutable port that needs the copy.

    Raises:
        Whatever the value's own copying raises, with a note that names the port.
    """
    try:
        return _copied(value)
    except BaseException as error:
        if reader is not None:
            error.add_note(
                f"{reader} is mutable and not the only reader, and so needs a copy of the"
                f" {type(value).__name__}; give that a __deepcopy__, or do not let {reader} be"
                " mutable"
            )
        raise


def _copied(value: Any) -> Any:
    for cls in type(value).__mro__:
        library = (cls.__module__, cls.__name__)
        if library == ("numpy", "ndarray") and not value.dtype.hasobject:
            return value.copy()
        if library == ("torch", "Tensor"):
            return value.clone()
    return copy.deepcopy(value)
