"""Evidence survives the wire unchanged, and hostile bytes raise nothing but EvidenceError."""

import contextlib
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dgm.checks import evidence as wire
from dgm.checks.compare import first_difference

ARRAYS = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_, np.complex64]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats() | st.text(max_size=20) | ARRAYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_round_trip(value):
    back = wire.decode(wire.encode(value))
    assert first_difference(back, wire.normalise(value), 0, 0) is None


@given(ARRAYS)
def test_arrays_keep_shape_and_dtype(array):
    back = wire.decode(wire.encode({"x": array}))["x"]
    assert back.shape == array.shape and back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_tensors_of_every_kind_become_arrays():
    leaf = torch.ones(2, requires_grad=True)
    back = wire.decode(wire.encode([leaf * 2, torch.tensor(3), torch.ones(2, dtype=torch.bfloat16), torch.eye(2).T]))
    assert [item.tolist() for item in back] == [[2, 2], 3, [1, 1], [[1, 0], [0, 1]]]


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", lambda: 0, torch.nn.Linear(1, 1), np.array([object()])])
def test_only_plain_data_is_encoded(value):
    with pytest.raises(wire.EvidenceError):
        wire.encode({"x": value})


def array(dtype="f4", shape=(1,), data="AAAAAA=="):
    return json.dumps({wire.ARRAY_KEY: [dtype, list(shape), data]}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"\xff\xfe", b"nope", b"[" * 100_000, b'{"a":1,"a":2}',
        array(dtype="O"), array(dtype="V8"), array(dtype=["f4"]), array(shape=(2,)), array(shape=(-1,)),
        array(shape=(2**40,)), array(shape=(1.0,)), array(shape=(True,)), array(shape=(1,) * 13),
        array(data="!!!!"), array(data=7), array(dtype="b1", shape=(1,), data="Ag=="),
        array(shape=(2**31 - 1, 0), data=""), array(shape=(0, 10**4, 10**4), data=""),
        array(shape=(0,) + (2**31 - 1,) * 11, data=""),
        b"[" + b",".join([b"{}"] * 60_000) + b"]", b"[" + b",".join([b'{"":0}'] * 60_000) + b"]",
        json.dumps({wire.ARRAY_KEY: "x"}).encode(), b"[" + b"0," * 300_000 + b"0]", b"9" * 5000,
    ],
    ids=lambda data: repr(data[:40]),
)
def test_hostile_bytes_are_refused(data):
    with pytest.raises(wire.EvidenceError):
        wire.decode(data)


@pytest.mark.parametrize("shape", [(0,), (0, 5), (100, 0), (3, 0, 7)])
def test_arrays_without_elements_survive(shape):
    assert wire.decode(wire.encode(np.zeros(shape))).shape == shape


def test_size_is_checked_before_anything_is_read():
    with pytest.raises(wire.EvidenceError, match="larger"):
        wire.decode(b"0" * 2000, max_bytes=1000)


@given(st.binary(max_size=200))
def test_random_bytes_never_raise_anything_else(data):
    with contextlib.suppress(wire.EvidenceError):
        wire.decode(data)
