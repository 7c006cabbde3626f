"""Digests of values: equal for values that are the same to a reader, stable across processes."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import struct
import types
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

_DEEPEST = 50  # of nested values; what is deeper counts as equal
# By id: in which order it was met, and the value itself, so that no other gets its id meanwhile.
_Seen = dict[int, tuple[int, Any]]


def digest(value: Any) -> str:
    """Return 16 hex digits that tell values apart.

    Equal digests mean: the same type (of arrays and tensors: dtype and shape too) and the same
    contents, down through lists, tuples, dicts (in their order), sets, dataclasses, and the
    attributes of other objects. Floats count by their bits, so that NaN equals itself and 0.0 is
    not -0.0. Objects with state that Python cannot see (of extension types, generators, open
    files) count by their type alone; functions and classes by their name. A `cached_property`
    does not count.

    >>> digest([1, 2.0]) == digest([1, 2.0])
    True
    >>> digest(1) == digest(1.0)
    False
    """
    hasher = hashlib.blake2b(digest_size=8)
    _feed(hasher.update, value, {}, 0)
    return hasher.hexdigest()


def shown(value: Any, width: int = 60) -> str:
    """Return a short text of a value, for messages; never raises."""
    try:
        text = repr(value)
    except Exception as error:  # a repr of the user's
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3] + "..."


def _feed(update: Any, value: Any, seen: _Seen, depth: int) -> None:
    kind = type(value)
    if kind is float:
        update(b"f" + struct.pack("<d", value))
    elif kind in (int, bool, type(None), str, complex, range, slice, type(Ellipsis)):
        _text(update, kind.__name__, repr(value))
    elif kind in (bytes, bytearray, memoryview):
        _text(update, kind.__name__, "")
        update(bytes(value))
    elif isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)):
        _text(update, "name", f"{getattr(value, '__module__', '')}.{value.__name__}")
    else:
        if id(value) in seen:
            _text(update, "again", str(seen[id(value)][0]))
            return
        seen[id(value)] = (len(seen), value)
        if depth < _DEEPEST:
            _feed_object(update, value, seen, depth + 1)


def _feed_object(update: Any, value: Any, seen: _Seen, depth: int) -> None:
    kind = type(value)
    _text(update, "object", f"{kind.__module__}.{kind.__qualname__}")
    array = _as_array(value)
    if array is not None:
        _text(update, str(array.dtype), str(array.shape))
        if array.dtype.hasobject:
            for item in array.flat:
                _feed(update, item, seen, depth)
        else:
            update(array.tobytes())
        return
    if isinstance(value, Mapping):
        _text(update, "items", str(len(value)))
        for key, item in value.items():
            _feed(update, key, seen, depth)
            _feed(update, item, seen, depth)
    elif isinstance(value, AbstractSet):
        for part in sorted(_own(item, depth) for item in value):
            update(part)
    elif isinstance(value, (list, tuple)) or hasattr(value, "popleft"):  # a deque
        _text(update, "items", str(len(value)))
        for item in value:
            _feed(update, item, seen, depth)
    elif isinstance(value, (int, float, str, bytes)):  # of a class of its own, such as an Enum
        _text(update, "as", repr(kind.__mro__[-2].__repr__(value)))
    for name, item in sorted(_state(value).items()):
        _text(update, "attribute", name)
        _feed(update, item, seen, depth)


def _as_array(value: Any) -> Any:
    """A NumPy view of arrays, NumPy's numbers and torch's tensors; else None."""
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):
        import numpy as np  # noqa: PLC0415 - it is there, as the value is NumPy's

        return np.asarray(value)
    if type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach"):
        plain = value.detach().cpu().resolve_conj().resolve_neg()
        try:
            return plain.numpy()
        except (TypeError, RuntimeError):  # bfloat16 and its like
            return plain.double().numpy()
    return None


def _state(value: Any) -> dict[str, Any]:
    """What an object holds under names."""
    kind = type(value)
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    if hasattr(value, "bit_generator"):
        return {"state": value.bit_generator.state}
    state = dict(getattr(value, "__dict__", ()))
    for owner in kind.__mro__:
        slots = vars(owner).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                state[name] = getattr(value, name)
    return {
        name: item
        for name, item in state.items()
        if not isinstance(getattr(kind, name, None), functools.cached_property)
    }


def _own(value: Any, depth: int) -> bytes:
    """A digest of an item whose place among the others does not count."""
    hasher = hashlib.blake2b(digest_size=16)
    _feed(hasher.update, value, {}, depth)
    return hasher.digest()


def _text(update: Any, kind: str, text: str) -> None:
    update(f"{kind}:{len(text)}:{text};".encode("utf-8", "surrogatepass"))
