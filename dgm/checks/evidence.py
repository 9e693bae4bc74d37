"""Evidence as JSON bytes: plain data and raw arrays, never pickle.

`encode` runs in the student's process. `decode` runs in the grader's and treats its input as hostile: it checks size,
depth, dtype and shape before it allocates, and raises `EvidenceError` for anything else than plain data.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

ARRAY_KEY = "__array__"
MAX_BYTES = 64 * 2**20
MAX_DEPTH = 24
MAX_NODES = 200_000
CONTAINER = 4  # nodes: a list or dict takes so many times the memory of a number
MAX_STRING = 1_000_000
DTYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", "c8", "c16")


class EvidenceError(ValueError):
    """The evidence is not plain data, or is larger or deeper than allowed."""


def normalise(value: Any, depth: int = 0) -> Any:
    """Turn tensors into arrays, tuples into lists; refuse anything that is not plain data.

    Returns:
        Nested lists and dicts of NumPy arrays, bool, int, float, str and None.

    Raises:
        EvidenceError: There is something else in it, or it is nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise EvidenceError(f"nested deeper than {MAX_DEPTH} levels")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, complex):
        return np.asarray(value)
    if isinstance(value, np.generic):
        return np.asarray(value)
    if isinstance(value, np.ndarray):
        return _checked_array(value)
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # a torch tensor, without importing torch here
        tensor = value.detach().cpu()
        if str(tensor.dtype) in ("torch.bfloat16",):
            tensor = tensor.float()
        if tensor.is_sparse:
            tensor = tensor.to_dense()
        return _checked_array(tensor.resolve_conj().resolve_neg().numpy())
    if isinstance(value, Mapping):
        return {str(key): normalise(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [normalise(item, depth + 1) for item in value]
    if hasattr(value, "dtype") and hasattr(value, "__array__"):
        return _checked_array(np.asarray(value))
    raise EvidenceError(f"{type(value).__name__} is not a number, string, tensor, list or dict")


def _checked_array(array: np.ndarray) -> np.ndarray:
    if array.dtype.str.lstrip("<>|=") not in DTYPES:
        raise EvidenceError(f"array of dtype {array.dtype} is not allowed")
    return array


def encode(value: Any) -> bytes:
    """Evidence as JSON bytes.

    Raises:
        EvidenceError: It is not plain data.
    """
    return json.dumps(_to_json(normalise(value))).encode()


def _to_json(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        array = np.array(value, order="C", copy=True)  # keeps 0-d arrays 0-d, unlike ascontiguousarray
        dtype = array.dtype.newbyteorder("<") if array.dtype.itemsize > 1 else array.dtype
        data = base64.b64encode(array.astype(dtype).tobytes()).decode()
        return {ARRAY_KEY: [dtype.str.lstrip("<>|="), list(array.shape), data]}
    if isinstance(value, dict):
        return {key: _to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    return value


def decode(data: bytes, max_bytes: int = MAX_BYTES) -> Any:
    """Read hostile JSON bytes into nested lists and dicts of arrays and scalars.

    Raises:
        EvidenceError: Too large, too deep, not JSON, or an array whose header does not fit its data.
    """
    if len(data) > max_bytes:
        raise EvidenceError(f"larger than {max_bytes // 2**20} MB")
    # counted before parsing, because two bytes of JSON can become a hundred in memory
    brackets = data.count(b"[") + data.count(b"{")
    if brackets > 3 * MAX_NODES // CONTAINER or brackets + data.count(b",") > 3 * MAX_NODES:
        raise EvidenceError(f"more than {MAX_NODES} values")
    try:
        raw = json.loads(data, object_pairs_hook=_unique_pairs)
    except EvidenceError:
        raise
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"not valid JSON ({type(error).__name__})") from None
    budget = [MAX_NODES]
    return _from_json(raw, 0, budget)


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise EvidenceError("a key occurs twice")
    return result


def _from_json(value: Any, depth: int, budget: list[int]) -> Any:
    budget[0] -= CONTAINER if isinstance(value, (dict, list)) else 1
    if budget[0] < 0:
        raise EvidenceError(f"more than {MAX_NODES} values")
    if depth > MAX_DEPTH:
        raise EvidenceError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        if set(value) == {ARRAY_KEY}:
            return _array_from_json(value[ARRAY_KEY])
        return {key: _from_json(item, depth + 1, budget) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_json(item, depth + 1, budget) for item in value]
    if isinstance(value, str) and len(value) > MAX_STRING:
        raise EvidenceError("a string is too long")
    return value


def _array_from_json(header: Any) -> np.ndarray:
    if not (isinstance(header, list) and len(header) == 3):
        raise EvidenceError("array header is malformed")
    dtype, shape, data = header
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise EvidenceError("array has a dtype that is not allowed")
    if not (isinstance(shape, list) and len(shape) <= 12 and all(type(n) is int and 0 <= n < 2**31 for n in shape)):
        raise EvidenceError("array has a malformed shape")
    if not isinstance(data, str):
        raise EvidenceError("array has no data")
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise EvidenceError("array data is not base64") from None
    kind = np.dtype("<" + dtype) if dtype not in ("b1", "i1", "u1") else np.dtype(dtype)
    if math.prod(max(length, 1) for length in shape) > max(len(raw), MAX_NODES):
        raise EvidenceError("array without elements, but of enormous lengths")  # which a loop over it would take
    if math.prod(shape) * kind.itemsize != len(raw):
        raise EvidenceError("array data does not fit its shape")
    if dtype == "b1" and raw.strip(b"\x00\x01"):
        raise EvidenceError("boolean array with values other than 0 and 1")
    array = np.frombuffer(raw, dtype=kind).reshape(shape).copy()
    return array.astype(array.dtype.newbyteorder("="))
