"""Question 7: optimisers against PyTorch's, the iteration against singular values, steps and runs against whole batches and whole runs."""

import io
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import dgm


def small(reference, seed=0, **settings):
    dgm.seed_everything(seed)
    return reference.GPT(9, 8, 2, 2, 1, hidden=6, **settings)


def rows(n=7, length=6, seed=1):
    return torch.randint(9, (n, length), generator=dgm.generator(seed))


@pytest.mark.parametrize("accumulate", [1, 2, 3, 5, 7])
def test_parts_are_one_batch(reference, accumulate):
    found = []
    for parts in (1, accumulate):
        model = small(reference).double()
        loss = reference.train_step(model, torch.optim.SGD(model.parameters(), 0.1), rows(), parts, 0.5)
        found.append([loss, *model.parameters()])
    torch.testing.assert_close(found[1], found[0], rtol=1e-6, atol=1e-9)


def test_step_against_pytorch(reference):
    model, other, ids = small(reference), small(reference), rows()
    loss = reference.train_step(model, torch.optim.SGD(model.parameters(), 1.0), ids, 3, 0.2)
    expected = F.cross_entropy(other(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    expected.backward()
    length = torch.cat([p.grad.flatten() for p in other.parameters()]).norm()
    assert length > 0.2
    torch.testing.assert_close(loss, expected.detach())
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p, q - q.grad * 0.2 / length, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("muon", [True, False])
def test_a_continued_run_is_the_same_to_the_last_bit(reference, muon):
    def run():
        model = small(reference)
        optimiser = reference.Muon(model) if muon else torch.optim.AdamW(model.parameters())
        return reference.Run(model, optimiser, rows(20), dgm.generator(3), 0.02, 12, batch_size=4, warm_up=3)

    whole, first, second = run(), run(), run()
    losses = whole.train(10)
    assert first.train(4) == losses[:4]
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    first.train(7)
    file.seek(0)
    second.load_state_dict(torch.load(file))
    assert second.train(10) == losses[4:]
    assert all(torch.equal(p, q) for p, q in zip(whole.model.parameters(), second.model.parameters(), strict=True))


def test_adamw_against_pytorch(reference):
    weight = torch.randn(3, 4, dtype=torch.float64, generator=dgm.generator(0))
    p, m, v = nn.Parameter(weight.clone()), torch.zeros_like(weight), torch.zeros_like(weight)
    adam = torch.optim.AdamW([p], lr=0.05, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.3)
    for step in range(1, 8):
        p.grad = torch.randn(3, 4, dtype=torch.float64, generator=dgm.generator(step))
        weight, m, v = reference.adamw_step(weight, p.grad, m, v, step, 0.05, (0.8, 0.9), 1e-3, 0.3)
        adam.step()
        torch.testing.assert_close(weight, p.detach(), rtol=1e-12, atol=1e-12)


def test_the_worked_step(reference):
    for g in (0.01, 100.0):
        zero = torch.zeros(1, dtype=torch.float64)
        assert reference.adamw_step(zero + 2, zero + g, zero, zero, 1, 0.1)[0].item() == pytest.approx(1.88, abs=1e-6)


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (6, 6), (1, 4), (64, 256)])
def test_iteration_keeps_singular_vectors(reference, shape):
    matrix = torch.randn(*shape, dtype=torch.float64, generator=dgm.generator(1))
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    s = s / s.norm()
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    torch.testing.assert_close(reference.newton_schulz(matrix), u * s @ vh, rtol=1e-5, atol=1e-6)


def test_singular_values_end_near_one(reference):
    """All that were not below 0.5 % of the norm."""
    s = torch.linspace(0.005, 1, 100_000, dtype=torch.float64)
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    assert s.min() > 0.67 and s.max() < 1.21
    assert torch.equal(reference.newton_schulz(torch.zeros(3, 5)), torch.zeros(3, 5))


def test_the_worked_singular_value():
    s, found = 0.1, []
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
        found.append(round(s, 2))
    assert found == [0.34, 0.99, 0.71, 1.11, 0.71]


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this PyTorch has no Muon")
@pytest.mark.parametrize("shape", [(6, 10), (10, 6)])
def test_muon_against_pytorch(reference, shape):
    """PyTorch iterates in bfloat16, so within its precision."""
    weight = torch.randn(*shape, generator=dgm.generator(0))
    p, momentum = nn.Parameter(weight.clone()), torch.zeros_like(weight)
    muon = torch.optim.Muon([p], lr=0.1, momentum=0.95, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for step in range(3):
        p.grad = torch.randn(*shape, generator=dgm.generator(5 + step))
        weight, momentum = reference.Muon.update(weight, p.grad, momentum, 0.1)
        muon.step()
    torch.testing.assert_close(weight, p.detach(), rtol=0, atol=0.02)


def test_the_factor_makes_a_root_mean_square(reference):
    """With all singular values 1 the entries of the change have the root mean square 0.2."""
    for n, m in ((16, 64), (64, 16)):
        u, _, vh = torch.linalg.svd(torch.randn(n, m, dtype=torch.float64, generator=dgm.generator(0)), full_matrices=False)
        grad, zero = u @ vh, torch.zeros(n, m, dtype=torch.float64)
        change = reference.Muon.update(zero, grad, zero, 1.0)[0]
        scale = torch.linalg.svdvals(reference.newton_schulz(grad)).mean()
        assert (change / scale).square().mean().sqrt().item() == pytest.approx(0.2, rel=1e-6)


@pytest.mark.parametrize("tied", [True, False])
def test_every_parameter_has_one_optimiser(reference, tied):
    model = small(reference, tied=tied)
    optimiser = reference.Muon(model)
    groups = {group["muon"]: group["params"] for group in optimiser.param_groups}
    assert all(p.dim() == 2 for p in groups[True]) and len(groups[True]) == 2 * 7
    assert len(groups[True]) + len(groups[False]) == len(list(model.parameters()))
    names = {id(p): name for name, p in model.named_parameters()}
    assert {names[id(p)] for p in groups[False] if p.dim() == 2} == {"embedding.weight"} | (set() if tied else {"head.weight"})


def test_gate_ends_at_its_floor(reference):
    text = reference.copy_rows(reference.copy_lines(4, dgm.generator(0)), 1)
    dgm.seed_everything(0)
    model = reference.GPT(len(reference.COPY_TOKENS), 32, 2, 4)
    optimiser = torch.optim.AdamW(model.parameters(), 0.01, (0.9, 0.95))
    for _ in range(120):
        loss = float(reference.train_step(model, optimiser, text))
    floor = math.log(4) / 44
    assert floor < loss < floor + 0.02


def test_rows(reference):
    text = reference.copy_lines(5, dgm.generator(0))
    found = reference.copy_rows(text)
    assert found.shape == (2, 89)
    assert "".join(reference.COPY_TOKENS.decode(row[1:]) for row in found) == text[: 4 * 44]
    assert reference.COPY_TOKENS.decode(found[:, 0]) == "\n\n"
