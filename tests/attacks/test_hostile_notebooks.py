"""Notebooks that are hostile before any of their code runs. Reading them takes little time and memory."""

from __future__ import annotations

import json
import time
import tracemalloc

import pytest
from autograder.submissions.notebook import Notebook, NotebookProblem, read_notebook

CODE = {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": []}


def notebook(cells: object, **more: object) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells} | more).encode()


def wrapped(text: str) -> bytes:
    """A notebook with this text as the metadata of its only cell."""
    return notebook([CODE | {"metadata": "HERE"}]).replace(b'"HERE"', text.encode())


REFUSED = {
    "very many cells": notebook([]).replace(b"[]", b"[" + b",".join([json.dumps(CODE).encode()[:-17] + b"}"] * 200_000) + b"]"),
    "too many code cells": notebook([CODE] * 2001),
    "seventy million bytes": notebook([CODE], x="y" * 70 * 2**20),
    "nested lists": wrapped("[" * 100_000 + "]" * 100_000),
    "nested objects": wrapped('{"a":' * 100_000 + "1" + "}" * 100_000),
    "a number of a million digits": wrapped("1" * 1_000_000),
    "a format that is no number": notebook([CODE]).replace(b'"nbformat": 4', b'"nbformat": NaN'),
    "a format without an end": notebook([CODE]).replace(b'"nbformat": 4', b'"nbformat": Infinity'),
    "a format that is true": notebook([CODE], nbformat=True),
    "cells that are an object": notebook({"0": CODE}),
    "a source that is a number": notebook([CODE | {"source": 5}]),
    "a source of lists": notebook([CODE | {"source": [["x"]]}]),
    "a text": b'"' + b"x" * 1000 + b'"',
    "zeros": bytes(10_000),
}  # fmt: skip
ACCEPTED = {
    "another encoding": notebook([CODE]).decode().encode("utf-16"),
    "NaN and infinities": wrapped('{"score": NaN, "points": [Infinity, -Infinity, 1e999]}'),
    "the same key twice": wrapped('{"a": 1, "a": 2}'),
    "ids of markup": notebook([CODE | {"id": "<script>alert(1)</script>"}], metadata={"title": "</title><script>"}),
    "odd metadata": notebook([CODE | {"metadata": [1, None]}], metadata=[]),
    "outputs of markup": notebook([CODE | {"outputs": [{"data": {"text/html": "<script>"}}] * 1000}]),
    "lone surrogates and zeros": notebook([CODE | {"source": "x = '\ud800\x00\u202e'"}]),
    "cells that are no cells": notebook([CODE, None, 5, [], {"cell_type": ["code"]}, {"cell_type": "raw"}]),
    "a million lists beside the cells": wrapped("[" + ",".join(["[]"] * 1_000_000) + "]"),
}


@pytest.mark.parametrize("name", [*REFUSED, *ACCEPTED])
def test_a_hostile_notebook_is_read_or_refused(name: str) -> None:
    data = REFUSED.get(name) or ACCEPTED[name]
    tracemalloc.start()
    started = time.process_time()
    try:
        found: Notebook | str = read_notebook(data)
    except NotebookProblem as problem:
        found = str(problem)
    seconds, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(found, str) == (name in REFUSED), found
    if isinstance(found, str):
        assert len(found) < 200 and "\n" not in found and "<" not in found
    else:
        assert len(found.cells) == 1 and found.cells[0].source.encode()
    assert seconds < 10 and peak < 40 * len(data) + 2**22
