"""The reference of question 13 against torch.optim.AdamW, a table by hand and torch.nn.utils.clip_grad_norm_."""

import math
from itertools import pairwise

import pytest
import torch


def fresh(params):
    return tuple((0, torch.zeros_like(p), torch.zeros_like(p)) for p in params)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_200_steps_are_those_of_torch_optim_with_skipped_parameters(reference, decay, scale):
    generator = torch.Generator().manual_seed(0)
    params = tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((3,), (2, 4), ()))
    leaves = [torch.nn.Parameter(p.clone()) for p in params]
    optimiser = torch.optim.AdamW(leaves, lr=0.01, betas=(0.8, 0.95), eps=1e-7, weight_decay=decay)
    state = fresh(params)
    for step in range(200):
        skipped = step % 5 if step % 5 < 3 else None
        grads = tuple(None if i == skipped else scale * (p.detach() ** 3 - 0.5) for i, p in enumerate(params))
        lr = 0.05 / (1 + step / 50)
        optimiser.param_groups[0]["lr"] = lr
        for leaf, g in zip(leaves, grads, strict=True):
            leaf.grad = None if g is None else g.clone()
        optimiser.step()
        params, state = reference.adamw_step(params, grads, state, lr, (0.8, 0.95), 1e-7, decay)
    for p, leaf, (t, m, v) in zip(params, leaves, state, strict=True):
        torch.testing.assert_close(p, leaf.detach())
        assert t == int(optimiser.state[leaf]["step"])
        torch.testing.assert_close(m, optimiser.state[leaf]["exp_avg"])
        torch.testing.assert_close(v, optimiser.state[leaf]["exp_avg_sq"])


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e6])
def test_first_step_has_the_size_of_the_learning_rate(reference, scale):
    p, g = torch.zeros(3), scale * torch.tensor([1.0, -2.0, 0.5])
    (new,), _ = reference.adamw_step((p,), (g,), fresh((p,)), lr=0.1)
    torch.testing.assert_close(new, -0.1 * g.sign(), rtol=1e-3, atol=0)


def test_schedule_by_hand(reference):
    rates = [reference.learning_rate(step, 4, 8, 1.0, 0.2) for step in range(11)]
    cosine = [0.2 + 0.4 * (1 + math.cos(math.pi * k / 4)) for k in (1, 2, 3)]
    assert rates == pytest.approx([0.25, 0.5, 0.75, 1.0, *cosine, 0.2, 0.2, 0.2, 0.2])


def test_schedule_agrees_with_torch_cosine_annealing(reference):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=20, eta_min=0.03)
    for step in range(20):
        optimiser.step()
        scheduler.step()
        assert reference.learning_rate(step, 0, 20, 0.3, 0.03) == pytest.approx(optimiser.param_groups[0]["lr"])


@pytest.mark.parametrize(("warmup", "total"), [(0, 1), (1, 1), (0, 50), (50, 50), (10, 50)])
def test_schedule_is_continuous_and_ends_where_it_should(reference, warmup, total):
    rates = [reference.learning_rate(step, warmup, total, 1.0, 0.1) for step in range(3 * total)]
    assert all(0 < rate <= 1.0 for rate in rates)
    assert all(rate == 0.1 for rate in rates[total:])
    if warmup:
        assert rates[warmup - 1] == 1.0
    if warmup < total:
        assert rates[total - 1] == pytest.approx(0.1)
        jump = max((abs(a - b) for a, b in pairwise(rates[:total])), default=0.0)
        assert jump <= max(1 / max(warmup, 1), 0.05) + 1e-9


@pytest.mark.parametrize("max_norm", [0.1, 3.0, 1e3, math.inf])
def test_clipping_agrees_with_torch(reference, max_norm):
    generator = torch.Generator().manual_seed(1)
    grads = [torch.randn(shape, generator=generator) for shape in ((3,), (2, 4), ())] + [None]
    leaves = [torch.zeros_like(g) if g is not None else torch.zeros(2) for g in grads]
    for leaf, g in zip(leaves, grads, strict=True):
        leaf.grad = None if g is None else g.clone()
    norm = torch.nn.utils.clip_grad_norm_(leaves, max_norm)
    clipped, total = reference.clip_grad_norm(tuple(grads), max_norm)
    torch.testing.assert_close(total, norm)
    assert clipped[-1] is None
    for leaf, g in zip(leaves[:-1], clipped[:-1], strict=True):
        torch.testing.assert_close(g, leaf.grad, rtol=1e-4, atol=1e-6)


def test_the_given_loop_is_that_of_torch(reference):
    target = torch.tensor([1.0, -2.0, 3.0])

    def loss_fn(params, step):
        return ((params[0] - target) ** 4).sum() * (100.0 if step == 7 else 1.0)

    start = (torch.zeros(3), torch.ones(2))
    leaves = [torch.nn.Parameter(p.clone()) for p in start]
    optimiser = torch.optim.AdamW(leaves, lr=0.1, weight_decay=0.1)
    for step, (params, norm, lr) in enumerate(reference.train_adamw(loss_fn, start, 40, 5, 0.1, 0.01, 2.0, 0.1)):
        optimiser.zero_grad()
        loss_fn(leaves, step).backward()
        expected = torch.nn.utils.clip_grad_norm_(leaves, 2.0)
        optimiser.param_groups[0]["lr"] = reference.learning_rate(step, 5, 40, 0.1, 0.01)
        optimiser.step()
        assert [norm, lr] == pytest.approx([expected.item(), optimiser.param_groups[0]["lr"]], rel=1e-4)
        torch.testing.assert_close(params[0], leaves[0].detach(), rtol=1e-4, atol=1e-5)
    assert step == 39
    assert torch.equal(params[1], start[1])


def test_uncorrected_first_step_is_what_the_text_asks_for(reference):
    state = ((10**6, torch.zeros(1), torch.zeros(1)),)
    (new,), _ = reference.adamw_step((torch.zeros(1),), (torch.full((1,), 7.0),), state, lr=1.0)
    assert float(new) == pytest.approx(-0.1 / math.sqrt(0.001), rel=1e-4)


def test_worked_numbers_of_the_text(reference):
    one = torch.ones(1)
    (new,), ((t, m, v),) = reference.adamw_step((one,), (5 * one,), fresh((one,)), lr=0.1, weight_decay=0.2)
    assert [float(new), t, float(m), float(v)] == pytest.approx([0.88, 1, 0.5, 0.025])
    clipped, norm = reference.clip_grad_norm((torch.tensor([3.0, 0.0]), torch.tensor([4.0])), 1.0)
    assert [float(norm), *torch.cat(clipped).tolist()] == pytest.approx([5, 0.6, 0, 0.8])
