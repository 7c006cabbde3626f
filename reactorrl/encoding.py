"""Values as JSON, such that what is read equals what was written, types included."""

from __future__ import annotations

import base64
import math
import pickle
from typing import Any

_KIND = "$"  # the key of what JSON has no words for


def encode(value: Any, *, allow_pickle: bool) -> Any:
    """Return what `json` can write of a value.

    As they are: `None`, bools, ints, finite floats, strings, lists, and dicts with strings as keys.
    With their kind: tuples, bytes, other floats and dicts, NumPy's arrays and numbers (dtype,
    shape, bytes in base64). All of these may be nested. Everything else is pickled.

    Raises:
        TypeError: It would have to be pickled, and that is not allowed; names the type.
        ValueError: It cannot be pickled either.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {_KIND: "float", "text": repr(value)}
    if kind is list:
        return [encode(item, allow_pickle=allow_pickle) for item in value]
    if kind is tuple:
        items = [encode(item, allow_pickle=allow_pickle) for item in value]
        return {_KIND: "tuple", "items": items}
    if kind is dict:
        if _KIND not in value and all(type(key) is str for key in value):
            return {key: encode(item, allow_pickle=allow_pickle) for key, item in value.items()}
        items = [encode(item, allow_pickle=allow_pickle) for item in value.items()]
        return {_KIND: "dict", "items": items}
    if kind is bytes:
        return {_KIND: "bytes", "base64": _text(value)}
    if _is_plain_array(value):
        return {
            _KIND: "array" if kind.__name__ == "ndarray" else "number",
            "dtype": value.dtype.str,
            "shape": list(value.shape),
            "base64": _text(value.tobytes()),
        }
    if not allow_pickle:
        raise TypeError(f"a {_name(kind)} has no JSON form; record with allow_pickle=True")
    try:
        data = pickle.dumps(value)
    except Exception as error:  # whatever a class of the user's does
        text = f"a {_name(kind)} has no JSON form and cannot be pickled either ({error})"
        raise ValueError(f"{text}; send data instead") from error
    return {_KIND: "pickle", "base64": _text(data)}


def decode(encoded: Any, *, allow_pickle: bool) -> Any:
    """Return the value that `encode` was given.

    Raises:
        PermissionError: It is pickled, and that is not allowed: loading runs what its writer chose.
        ValueError: It is nothing that `encode` returns.
    """
    if isinstance(encoded, list):
        return [decode(item, allow_pickle=allow_pickle) for item in encoded]
    if not isinstance(encoded, dict):
        return encoded
    kind = encoded.get(_KIND)
    if kind is None:
        return {key: decode(item, allow_pickle=allow_pickle) for key, item in encoded.items()}
    if kind == "float":
        return float(encoded["text"])
    if kind == "tuple":
        return tuple(decode(encoded["items"], allow_pickle=allow_pickle))
    if kind == "dict":
        return dict(decode(encoded["items"], allow_pickle=allow_pickle))
    if kind not in ("bytes", "array", "number", "pickle"):
        raise ValueError(f"unknown kind of value {kind!r}")
    data = base64.b64decode(encoded["base64"], validate=True)
    if kind == "bytes":
        return data
    if kind == "pickle":
        if not allow_pickle:
            raise PermissionError("a value is pickled")
        return pickle.loads(data)
    import numpy as np  # noqa: PLC0415 - only for values that are NumPy's

    array = np.frombuffer(bytearray(data), np.dtype(encoded["dtype"])).reshape(encoded["shape"])
    return array if kind == "array" else array[()]


def _name(kind: type) -> str:
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _is_plain_array(value: Any) -> bool:
    """Whether it is an array or number of NumPy that its dtype's name, shape and bytes tell."""
    if type(value).__module__ != "numpy" or not hasattr(value, "tobytes"):
        return False
    dtype = value.dtype
    return dtype.names is None and dtype.isbuiltin != 2 and not dtype.hasobject
