"""One probe, run: statuses, the watch on inputs, and no trace left behind."""

import numpy as np
import pytest
import torch

from dgm.checks import evidence as wire
from dgm.checks.rng import Rng
from dgm.checks.runtime import run_probe, run_probe_json


def probe(student, rng):
    return student.f(rng.normal(3, 2))


def raises(error):
    def f(x):
        raise error

    return f


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("f", "status"),
    [
        (lambda x: x.sum(), "ok"),
        (raises(NotImplementedError("todo")), "todo"),
        (lambda x: torch.ones(1, device="meta").item(), "error"),  # torch's own NotImplementedError or RuntimeError
        (lambda x: torch.nn.Module()(x), "error"),  # no forward: one more of torch's
        (raises(ValueError("no")), "error"),
        (raises(SystemExit(0)), "error"),
        (raises(Unprintable()), "error"),
        (lambda x: object(), "error"),
        (lambda x: (yield), "error"),
        (None, "error"),
    ],
)
def test_status(f, status):
    outcome = run_probe(probe, {"f": f}, 0)
    assert outcome["status"] == status
    assert (outcome["error"] is None) == (status == "ok")


def test_missing_names_are_told_apart_from_errors():
    assert run_probe(probe, {}, 0)["status"] == "missing"
    assert run_probe(lambda s, r: s.__globals__, {"__globals__": 1}, 0)["status"] == "missing"  # no way to internals


def test_recursion_is_an_error_not_a_crash():
    def f(x):
        return f(x)

    assert run_probe(probe, {"f": f}, 0)["error"]["type"] == "RecursionError"


@pytest.mark.parametrize(
    "f",
    [lambda x: x.mul_(2), lambda x: x.__setitem__(0, 1.0), lambda x: np.multiply(x.numpy(), 2, out=x.numpy()).sum()],
)
def test_changed_inputs_are_noted(f):
    assert run_probe(probe, {"f": f}, 0)["mutated"] == ["f"]
    assert run_probe(lambda s, r: s.raw.f(r.normal(3, 2)), {"f": f}, 0)["mutated"] == []


@pytest.mark.parametrize(
    "f",
    [
        lambda xs, table: xs.append(1), lambda xs, table: xs.sort(), lambda xs, table: table.update(c=3),
        lambda xs, table: table["a"].pop(), lambda xs, table: xs.__setitem__(0, 2.0), lambda xs, table: table.pop("b"),
    ],
)
def test_changed_lists_and_dicts_are_noted(f):
    def ask(student, rng):
        student.f([3.0, 1.0], table={"a": [1, 2], "b": None})
        return 0

    assert run_probe(ask, {"f": f}, 0)["mutated"] == ["f"]
    assert run_probe(ask, {"f": lambda xs, table: xs.__setitem__(0, xs[0] + 0.0)}, 0)["mutated"] == []


def test_unchanged_inputs_with_nan_are_not_noted():
    outcome = run_probe(lambda s, r: s.f([torch.tensor([float("nan"), 1.0])]), {"f": lambda xs: xs[0] * 2}, 0)
    assert outcome["status"] == "ok" and outcome["mutated"] == []


def test_global_state_is_put_back():
    def f(x):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.manual_seed(99)
        return x

    torch.manual_seed(5)
    before = torch.get_rng_state()
    run_probe(probe, {"f": f}, 0)
    assert torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()
    assert torch.equal(before, torch.get_rng_state())


def noisy(x):
    return x + torch.randn(3, 2) + np.random.rand()  # noqa: NPY002 - students use it


def test_same_seed_same_evidence_even_for_global_randomness():
    outcomes = [run_probe(probe, {"f": noisy}, 7) for _ in range(2)]
    np.testing.assert_array_equal(outcomes[0]["evidence"], outcomes[1]["evidence"])


def test_json_form_carries_the_same_outcome_and_needs_only_the_source():
    source = "import torch\n\ndef probe(student, rng):\n    return {'y': student.f(rng.normal(2))}\n"
    outcome = wire.decode(run_probe_json(source, "probe", 3, {"f": lambda x: x + 1}))
    np.testing.assert_array_equal(outcome["evidence"]["y"], (Rng(3).normal(2) + 1).numpy())
    assert wire.decode(run_probe_json(source, "probe", 3, {"f": lambda x: {1}}))["status"] == "error"


def test_rng_gives_the_same_numbers_again_and_what_it_promises():
    one, two = Rng(11), Rng(11)
    assert torch.equal(one.normal(5), two.normal(5))
    assert torch.allclose(one.simplex(4, 3).sum(-1), torch.ones(4))
    eigenvalues = torch.linalg.eigvalsh(one.spd(6, low=0.1, high=2.0, dtype=torch.float64))
    assert eigenvalues.min() > 0.0999 and eigenvalues.max() < 2.0001
    assert sorted(one.permutation(7).tolist()) == list(range(7))
    assert torch.equal(torch.rand(3, generator=Rng(2).generator()), torch.rand(3, generator=Rng(2).generator()))
