"""Question 6 against enumeration, other implementations and torch's own losses; the numbers of its text."""

import copy
import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F


def maps(n, m):
    """All maps of n symbols to m."""
    return itertools.product(range(m), repeat=n)


def law(f, p, m):
    return [sum(count for i, count in enumerate(p) if f[i] == j) for j in range(m)]


@pytest.mark.parametrize(("p", "q"), [([2, 1, 1], [1, 2, 1]), ([1, 1, 1], [1, 1, 1]), ([3, 1], [2, 2]), ([2, 2, 1, 1], [1, 2, 1, 2]), ([4], [2, 2]), ([1, 2, 3], [3, 3]), ([5, 2, 2], [2, 5, 2])])
def test_translators_by_enumeration(reference, p, q):
    """All maps g and h, with the definitions of the text."""
    found = 0
    for g in maps(len(p), len(q)):
        for h in maps(len(q), len(p)):
            returns = all(h[g[i]] == i for i in range(len(p))) and all(g[h[j]] == j for j in range(len(q)))
            found += returns and law(g, p, len(q)) == list(q) and law(h, q, len(p)) == list(p)
    assert reference.count_translators(p, q) == found


def test_letters_of_the_text(reference):
    assert reference.count_translators([2, 1, 1], [1, 2, 1]) == 2
    assert reference.count_translators([1] * 26, [1] * 26) == pytest.approx(4.03e26, rel=1e-3)


def test_patch_by_changing_pixels(reference):
    """A pixel changes those logits whose patch has it, and no other."""
    critic, x = reference.PatchCritic(1).double(), torch.randn(1, 1, 24, 20, dtype=torch.float64)
    for row, column in ((0, 0), (11, 7), (13, 18), (23, 19)):
        y = x.clone()
        y[0, 0, row, column] += 1
        changed = (critic(y) != critic(x))[0, 0]
        inside = [[4 * i - 3 <= row <= 4 * i + 6 and 4 * j - 3 <= column <= 4 * j + 6 for j in range(5)] for i in range(6)]
        assert changed.tolist() == inside


def test_patch_alone_gives_the_logit(reference):
    """A critic run on a patch that was cut out gives the logit of the whole picture; so each logit sees only its patch."""
    critic, x = reference.PatchCritic(2).double(), torch.randn(1, 2, 32, 32, dtype=torch.float64)
    whole = critic(x)
    cut = x[..., 8 - 3 : 8 + 7, 16 - 3 : 16 + 7]
    one = torch.zeros(1, 2, 24, 24, dtype=torch.float64)
    one[..., 8 - 3 : 8 + 7, 8 - 3 : 8 + 7] = cut
    torch.testing.assert_close(critic(one)[0, 0, 2, 2], whole[0, 0, 2, 4])


def test_paired_loss_by_torch(reference):
    critic, x = nn.Conv2d(4, 1, 3).double(), torch.randn(5, 1, 6, 6, dtype=torch.float64)
    y, fake = torch.randn(2, 5, 3, 6, 6, dtype=torch.float64)
    logits = critic(torch.cat([x, fake], 1))
    expected = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits)) + 7 * F.l1_loss(fake, y)
    torch.testing.assert_close(reference.paired_loss(critic, x, y, fake, 7.0), expected)
    hole = (torch.rand(5, 1, 6, 6) < 0.3).double()
    pasted = torch.where(hole > 0, fake, y)
    logits = critic(torch.cat([x, pasted], 1))
    errors = (fake - y).abs()[hole.expand_as(y) > 0]
    expected = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits)) + 7 * errors.mean()
    torch.testing.assert_close(reference.paired_loss(critic, x, y, fake, 7.0, hole), expected)


def test_hole_of_the_text(reference):
    y, hole = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    hole[..., :2, :2] = 1
    def silent(z):
        return 0 * z[:, :1] + 1e4

    assert reference.paired_loss(silent, y, y, y + 0.3, 1.0, hole).item() == pytest.approx(0.3)


def test_known_pixels_get_no_gradient(reference):
    y, hole = torch.randn(2, 3, 1, 8, 8), torch.zeros(3, 1, 8, 8)
    hole[..., 2:5, 3:6] = 1
    fake = y[1].clone().requires_grad_()
    reference.paired_loss(reference.PatchCritic(2), y[1], y[0], fake, 10.0, hole).backward()
    assert fake.grad[hole == 0].abs().max() == 0
    assert fake.grad[hole == 1].abs().min() > 0


def test_cycle_losses_of_the_text(reference):
    one = torch.ones(2, 1, 3, 3)
    cycle, identity = reference.cycle_losses(lambda x: 2 * x, lambda y: y / 2, one, one)
    assert (cycle.item(), identity.item()) == (0.0, 1.5)
    for turn in (lambda x: -x, lambda x: x.flip(3), lambda x: x):
        assert reference.cycle_losses(turn, turn, torch.randn(3, 1, 4, 4), torch.randn(5, 1, 4, 4))[0].item() == 0


def test_translators_of_equal_losses(reference):
    """Turning both translators by a symmetry of Y changes no cycle loss of x, and no verdict of a critic that has it."""
    x, y = torch.randn(4, 1, 8, 8), torch.randn(4, 1, 8, 8)
    g, h = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)
    cycle, _ = reference.cycle_losses(g, h, x, torch.cat([y, y.flip(3)]))
    turned, _ = reference.cycle_losses(lambda a: g(a).flip(3), lambda b: h(b.flip(3)), x, torch.cat([y, y.flip(3)]))
    torch.testing.assert_close(turned, cycle)


def planted(reference):
    torch.manual_seed(0)
    nets = [nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1), reference.PatchCritic(1), reference.PatchCritic(1)]
    return nets, reference.CycleTrainer(*nets, lambda fakes: fakes, lambda fakes: fakes, 0.01, 3.0, 1.0)


def test_trainer_against_separate_players(reference):
    """Each of four networks with an Adam of its own, and the gradient of its own loss, written out."""
    nets, trainer = planted(reference)
    others = copy.deepcopy(nets)
    optimisers = [torch.optim.Adam(net.parameters(), 0.01, betas=(0.5, 0.9)) for net in others]
    for _ in range(3):
        x, y = torch.randn(4, 1, 8, 8), torch.randn(6, 1, 8, 8)
        trainer.step(x, y)
        g, h, critic_x, critic_y = others
        judge = nn.BCEWithLogitsLoss()
        yes, no = torch.ones(1), torch.zeros(1)
        logits_y, logits_x = critic_y(g(x)), critic_x(h(y))
        loss = judge(logits_y, yes.expand_as(logits_y)) + judge(logits_x, yes.expand_as(logits_x))
        loss = loss + 3 * (F.l1_loss(h(g(x)), x) + F.l1_loss(g(h(y)), y)) + F.l1_loss(g(y), y) + F.l1_loss(h(x), x)
        losses = [loss, loss]
        for critic, real, made in ((critic_x, x, h(y)), (critic_y, y, g(x))):
            right, wrong = critic(real), critic(made.detach())
            losses.append(judge(right, yes.expand_as(right)) + judge(wrong, no.expand_as(wrong)))
        slopes = [torch.autograd.grad(each, list(net.parameters()), retain_graph=True) for each, net in zip(losses, others)]
        for net, optimiser, slope in zip(others, optimisers, slopes):
            for parameter, value in zip(net.parameters(), slope):
                parameter.grad = value
            optimiser.step()
        for net, other in zip(nets, others):
            torch.testing.assert_close(dict(net.named_parameters()), dict(other.named_parameters()), rtol=1e-3, atol=1e-5)


def test_history_pool(reference):
    """Nothing is lost, all are shown sooner or later, and half of what is shown is old."""
    pool = reference.HistoryPool(8, torch.Generator().manual_seed(0))
    shown = torch.cat([pool(torch.arange(16.0)[:, None, None, None] + 16 * k) for k in range(100)]).flatten()
    now = torch.arange(1600.0) // 16
    assert torch.equal(shown[:8], torch.arange(8.0))
    assert (shown // 16 < now).double().mean() > 0.1
    assert (shown == torch.arange(1600.0)).double().mean().item() == pytest.approx(0.5, abs=0.06)
    assert len(pool.kept) == 8


def test_bold_is_the_partner(reference):
    thin, bold, labels = reference.thin_and_bold(40, 0)
    assert (bold >= thin - 1e-6).all()
    assert thin.shape == bold.shape == (40, 1, 16, 16)
    assert len(labels) == 40
