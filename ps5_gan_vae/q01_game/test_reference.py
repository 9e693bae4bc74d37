"""Question 1 against scipy's divergences and optimisers, PyTorch's cross-entropy, autograd of the divergences, and the numbers of its text."""

import math

import numpy as np
import pytest
import torch
from scipy import optimize
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr
from torch import nn
from torch.nn import functional as F

LN2 = math.log(2)
F_OF = {"kl": lambda u: u * np.log(u), "game": lambda u: u * np.log(u) - (u + 1) * np.log(u + 1), "reverse": lambda u: -np.log(u), "pearson": lambda u: (u - 1) ** 2}
SLOPE = {"kl": lambda u: 1 + u.log(), "game": lambda u: (u / (1 + u)).log(), "reverse": lambda u: -1 / u, "pearson": lambda u: 2 * (u - 1)}


def laws(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(*shape, generator=generator, dtype=torch.float64).add(0.05) for _ in range(2)]


def pair(*shape, seed=0):
    return [law / law.sum(-1, keepdim=True) for law in laws(*shape, seed=seed)]


def kl(p, q):
    return torch.where(p > 0, p * (p / q).log(), 0.0).sum(-1)


def test_numbers_of_the_text(reference):
    zero = torch.zeros(3)
    assert reference.discriminator_loss(zero, zero[:2]).item() == pytest.approx(2 * LN2)
    slopes = []
    for kind in ("minimax", "nonsaturating"):
        h = torch.tensor([-20.0], requires_grad=True)
        slopes.append(torch.autograd.grad(reference.generator_loss(h, kind), h)[0].item())
    assert slopes[0] == pytest.approx(-2.06e-9, rel=1e-2)
    assert slopes[1] == pytest.approx(-1, abs=1e-8)
    assert -reference.f_bound(*torch.tensor([[0.0], [1.0], [-1.0]]), "reverse") == pytest.approx(-1)
    assert -reference.f_bound(*torch.tensor([[0.0], [1.0], [2.0]]), "pearson") == pytest.approx(3)


@pytest.mark.parametrize("seed", range(3))
def test_losses_against_cross_entropy(reference, seed):
    generator = torch.Generator().manual_seed(seed)
    real, fake = (20 * torch.randn(n, generator=generator, dtype=torch.float64) for n in (7, 4))
    loss = nn.BCEWithLogitsLoss()
    torch.testing.assert_close(reference.discriminator_loss(real, fake), loss(real, torch.ones_like(real)) + loss(fake, torch.zeros_like(fake)))
    torch.testing.assert_close(reference.generator_loss(fake, "nonsaturating"), loss(fake, torch.ones_like(fake)))
    torch.testing.assert_close(reference.generator_loss(fake, "minimax"), -loss(fake, torch.zeros_like(fake)))


def test_one_loss_is_the_difference_of_the_two_others(reference):
    h = 10 * torch.randn(50, dtype=torch.float64)
    found = [reference.generator_loss(h, kind) for kind in ("nonsaturating", "kl", "minimax")]
    torch.testing.assert_close(found[0], found[1] - found[2])


def test_the_best_critic_by_an_optimiser(reference):
    p, q = pair(6)
    # a batch in which each point occurs as often as its law says, up to a factor: counts out of 1000
    counts = [(1000 * law).round().long() for law in (p, q)]
    p, q = (count.double() / count.sum() for count in counts)

    def loss(h):
        real, fake = (torch.as_tensor(h).repeat_interleave(count) for count in counts)
        return reference.discriminator_loss(real, fake).item()

    found = optimize.minimize(loss, np.zeros(6), tol=1e-12)
    np.testing.assert_allclose(found.x, reference.best_logits(p, q), atol=1e-3)
    assert -loss(reference.best_logits(p, q).numpy()) == pytest.approx(-2 * LN2 + 2 * reference.jensen_shannon(p, q).item(), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_jensen_shannon_against_scipy(reference, seed):
    p, q = pair(4, 6, seed=seed)
    p[:, 1], q[:, 4], p[:, 2], q[:, 2] = 0, 0, 0, 0
    p, q = (law / law.sum(-1, keepdim=True) for law in (p, q))
    np.testing.assert_allclose(reference.jensen_shannon(p, q), jensenshannon(p, q, axis=-1) ** 2, atol=1e-12)


def test_ends_of_the_jensen_shannon_divergence(reference):
    p = torch.tensor([0.3, 0.7, 0.0, 0.0], dtype=torch.float64)
    assert reference.jensen_shannon(p, p).item() == pytest.approx(0, abs=1e-15)
    assert reference.jensen_shannon(p, p.flip(0)).item() == pytest.approx(LN2)
    assert reference.best_logits(p, p.flip(0)).tolist() == [math.inf, math.inf, -math.inf, -math.inf]


@pytest.mark.parametrize("kind", F_OF)
def test_conjugates_by_an_optimiser(reference, kind):
    one = torch.ones(1, dtype=torch.float64)
    for t in (-7.0, -3.0, -2.0, -1.0, -0.3, 0.4, 1.5):
        found = -reference.f_bound(0 * one, one, t * one, kind).item()
        if kind in ("game", "reverse") and t >= 0:
            assert found == math.inf
            continue
        best = optimize.minimize_scalar(lambda s, t=t: -(math.exp(s) * t - F_OF[kind](math.exp(s))), bounds=(-20, 20), method="bounded", options={"xatol": 1e-10})
        assert found == pytest.approx(-best.fun, abs=1e-6)


@pytest.mark.parametrize("kind", F_OF)
def test_bound_and_where_it_is_tight(reference, kind):
    p, q = pair(8, 5)
    divergence = (q * torch.as_tensor(F_OF[kind]((p / q).numpy()))).sum(-1)
    best = SLOPE[kind](p / q)
    torch.testing.assert_close(reference.f_bound(p, q, best, kind), divergence)
    for seed in range(20):
        other = best + 0.5 * torch.randn(8, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        assert (reference.f_bound(p, q, other, kind) <= divergence + 1e-12).all()


def test_which_divergence_is_which(reference):
    p, q = pair(4, 5)
    u = p / q
    found = {kind: reference.f_bound(p, q, SLOPE[kind](u), kind) for kind in F_OF}
    np.testing.assert_allclose(found["kl"], rel_entr(p.numpy(), q.numpy()).sum(-1))
    np.testing.assert_allclose(found["reverse"], rel_entr(q.numpy(), p.numpy()).sum(-1))
    np.testing.assert_allclose(found["game"], 2 * jensenshannon(p, q, axis=-1) ** 2 - 2 * LN2)
    np.testing.assert_allclose(found["pearson"], ((p - q) ** 2 / q).sum(-1))
    h = torch.randn(4, 5, dtype=torch.float64)
    torch.testing.assert_close(reference.f_bound(p, q, F.logsigmoid(h), "game"), (p * F.logsigmoid(h) + q * F.logsigmoid(-h)).sum(-1))


@pytest.mark.parametrize(("kind", "divergence"), [
    ("minimax", lambda ref, p, q: 2 * ref.jensen_shannon(p, q)),
    ("kl", lambda ref, p, q: kl(q, p)),
    ("nonsaturating", lambda ref, p, q: kl(q, p) - 2 * ref.jensen_shannon(p, q)),
])
def test_what_the_generator_follows_with_the_critic_held_fixed(reference, kind, divergence):
    p = pair(7)[0]
    leaf = torch.randn(7, dtype=torch.float64, generator=torch.Generator().manual_seed(3)).requires_grad_()
    q = leaf.softmax(0)
    held = reference.loss_of_each(reference.best_logits(p, q.detach()), kind)
    found, expected = (torch.autograd.grad(value, leaf, retain_graph=True)[0] for value in ((q * held).sum(), divergence(reference, p, q)))
    torch.testing.assert_close(found, expected)
    if kind == "kl":
        torch.testing.assert_close((q * held).sum(), kl(q, p))


def test_slopes_far_from_the_data(reference):
    """Equal bell curves at a distance d: KL has slope d; the others by differences of the JSD."""
    x = torch.linspace(-12, 20, 321, dtype=torch.float64)

    def divergence(d):
        p, q = ((-(x - shift).square() / 2).softmax(0) for shift in (0.0, d))
        return kl(q, p), 2 * reference.jensen_shannon(p, q)

    expected = {1: (0.398, 0.602), 3: (0.296, 2.704), 8: (3.93e-4, 8.0)}
    for d, (minimax, other) in expected.items():
        (up, up_shannon), (down, down_shannon) = divergence(d + 1e-4), divergence(d - 1e-4)
        slope, slope_shannon = (up - down).item() / 2e-4, (up_shannon - down_shannon).item() / 2e-4
        assert slope == pytest.approx(d, abs=1e-4)
        assert slope_shannon == pytest.approx(minimax, rel=2e-3)
        assert slope - slope_shannon == pytest.approx(other, rel=1e-3)


def test_the_islands_of_the_text(reference):
    """The end of each fit is a stationary point of its divergence, and the numbers are those of the table."""
    x, y = np.meshgrid(np.arange(24.0), np.arange(12.0))

    def log_blob(centre, sizes):
        squares = ((x - centre[0]) / sizes[0]) ** 2 + ((y - centre[1]) / sizes[1]) ** 2
        return torch.as_tensor(-squares / 2).flatten().log_softmax(0)

    p = 0.4 * log_blob((6.5, 5.5), (1.5, 1.5)).exp() + 0.6 * log_blob((16.5, 5.5), (2, 2)).exp()

    def fit(divergence):
        found = optimize.minimize(lambda z: divergence(log_blob(z[:2], np.exp(z[2:])).exp()), [11.5, 5.5, math.log(4), math.log(4)], method="BFGS", options={"gtol": 1e-5})
        return log_blob(found.x[:2], np.exp(found.x[2:])).exp()

    ends = {
        "minimax": fit(lambda q: reference.jensen_shannon(p, q).item()),
        "kl": fit(lambda q: kl(q, p).item()),
        "nonsaturating": fit(lambda q: (kl(q, p) - 2 * reference.jensen_shannon(p, q)).item()),
    }
    expected = {"minimax": (0.40, 0.40, 0.62, 0.107), "kl": (0.33, 0.43, 0.60, 0.111), "nonsaturating": (0.007, 4.19, 0.50, 0.161)}
    for kind, q in ends.items():
        facts = q.reshape(12, 24)[:, :12].sum(), kl(p, q), kl(q, p), reference.jensen_shannon(p, q)
        assert [float(fact) for fact in facts] == pytest.approx(expected[kind], abs=6e-3), kind
