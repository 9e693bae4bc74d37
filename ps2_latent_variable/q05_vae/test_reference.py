"""Question 5 against torch.distributions, quadrature, exact mixtures, a plain loop, and the numbers of the notebook."""

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.nn import functional as F

from dgm import data

from .models import Watched


def filled(model, seed, scale=0.7):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(scale * torch.randn(p.shape, generator=generator))
    return model


def bits(n, d, seed=0):
    return (torch.rand(n, d, generator=torch.Generator().manual_seed(seed)) < 0.5).double()


@pytest.mark.parametrize("k", [1, 3])
def test_terms_against_distributions(reference, k):
    model, x = filled(reference.VAE(9, k, 7), 0).double(), bits(6, 9)
    eps = torch.randn(6, k, generator=torch.Generator().manual_seed(1)).double()
    out = model.encoder(x)
    q = Independent(Normal(out[:, :k], (out[:, k:] / 2).exp()), 1)
    z = q.mean + q.stddev * eps
    log_likelihood = Independent(Bernoulli(logits=model.decoder(z)), 1).log_prob(x)
    kl = kl_divergence(q, Independent(Normal(torch.zeros(6, k).double(), torch.ones(6, k).double()), 1))
    for got, want in zip(reference.elbo_terms(model, x, eps), (log_likelihood - kl, log_likelihood, kl), strict=True):
        torch.testing.assert_close(got, want)


def test_the_elbo_stays_below_log_p_by_the_kl_to_the_posterior(reference):
    """With one latent everything can be integrated: log p(x), the expectation in (5.1), and KL(q || posterior)."""
    model, x = filled(reference.VAE(8, 1, 5), 2, 0.3).double(), bits(5, 8)
    nodes = torch.linspace(-8, 8, 321).double()
    weights = Normal(0.0, 1.0).log_prob(nodes).exp() * 0.05
    with torch.no_grad():
        elbo = sum(w * reference.elbo_terms(model, x, node.expand(5, 1))[0] for node, w in zip(nodes, weights))
        grid = torch.linspace(-20, 20, 8001).double()
        log_lik = torch.stack([reference.bernoulli_log_prob(model.decode(grid[:, None]), one.expand(8001, 8)) for one in x])
        log_joint = log_lik + Normal(0.0, 1.0).log_prob(grid)
        step = grid[1] - grid[0]
        log_p = torch.logsumexp(log_joint, 1) + step.log()
        mean, logvar = model.encode(x)
        log_q = Normal(mean, (logvar / 2).exp()).log_prob(grid)
        gap = (log_q.exp() * (log_q - log_joint + log_p[:, None])).sum(1) * step
    assert (gap > 1e-4).all()
    torch.testing.assert_close(elbo + gap, log_p, rtol=1e-5, atol=1e-5)


def test_gradients(reference):
    model, x = filled(reference.VAE(4, 2, 3), 3).double(), bits(3, 4)
    eps = torch.randn(3, 2, generator=torch.Generator().manual_seed(4)).double()
    names = [name for name, _ in model.named_parameters()]
    values = tuple(p.detach().clone().requires_grad_() for p in model.parameters())

    class View:
        def __init__(self, values):
            self.weights = dict(zip(names, values))

        def encode(self, x):
            out = torch.func.functional_call(model.encoder, {n[8:]: v for n, v in self.weights.items() if n.startswith("encoder.")}, (x,))
            return out.chunk(2, 1)

        def decode(self, z):
            return torch.func.functional_call(model.decoder, {n[8:]: v for n, v in self.weights.items() if n.startswith("decoder.")}, (z,))

    assert torch.autograd.gradcheck(lambda *v: reference.elbo_terms(View(v), x, eps), values)


def test_aggregate_moments_of_the_text_and_of_draws(reference):
    centre, cov = reference.aggregate_moments(torch.tensor([[-1.0], [1.0]]), torch.tensor([[0.5], [0.25]]).log())
    assert float(centre) == pytest.approx(0) and float(cov) == pytest.approx(1.375)
    generator = torch.Generator().manual_seed(0)
    mean, logvar = torch.randn(4, 3, generator=generator), torch.randn(4, 3, generator=generator)
    centre, cov = reference.aggregate_moments(mean, logvar)
    z = (mean + (logvar / 2).exp() * torch.randn(200_000, 4, 3, generator=generator)).reshape(-1, 3)
    torch.testing.assert_close(centre, z.mean(0), atol=0.02, rtol=0)
    torch.testing.assert_close(cov, torch.cov(z.T), atol=0.05, rtol=0)


def test_train_against_a_plain_loop(reference):
    x = torch.randn(11, 3, generator=torch.Generator().manual_seed(0))

    class Regression(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.drop = nn.Linear(3, 1), nn.Dropout(0.5)

        def forward(self, x):
            return (self.layer(x)[:, 0] - x.sum(1)).square().mean()

    def loss(model, batch, generator):
        return model(batch) + 0.1 * torch.randn((), generator=generator)

    first, second = filled(Regression(), 1).eval(), filled(Regression(), 1)
    history = reference.train(first, loss, x, 8, 4, 0.05, torch.Generator().manual_seed(5))
    assert not first.training and not first.drop.training
    generator, adam, want = torch.Generator().manual_seed(5), torch.optim.Adam(second.parameters(), 0.05), []
    while len(want) < 8:
        order = torch.randperm(11, generator=generator)
        for part in (order[:4], order[4:8], order[8:]):
            if len(want) < 8:
                adam.zero_grad()
                value = loss(second, x[part], generator)
                value.backward()
                adam.step()
                want.append(value.item())
    torch.testing.assert_close(history, torch.tensor(want))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_the_watched_model_tells_the_modes_apart():
    from dgm.checks.rng import Rng

    model, x = Watched(Rng(0), 3), Rng(1).normal(4, 3)
    with torch.no_grad():
        assert float((model.train()(x) - model.eval()(x)).abs().min()) > 1e-3


def test_worked_numbers(reference):
    mean, logvar = torch.tensor([[1.0]]), torch.tensor([[0.25]]).log()
    assert float(reference.kl_standard_normal(mean, logvar)) == pytest.approx(0.818, abs=1e-3)


def test_a_short_training_on_digits(reference):
    """A tenth of the notebook's steps: already far below independent pixels."""
    train_x, test_x = (data.digits(split, binary="threshold")[0].flatten(1) for split in ("train", "test"))
    torch.manual_seed(0)
    model = reference.VAE(64, 10, 200)
    reference.train(model, reference.vae_loss, train_x, 300, 200, 2e-3, torch.Generator().manual_seed(0))
    negative_elbo, rebuild, kl = reference.mean_terms(model, test_x, draws=5)
    assert negative_elbo == pytest.approx(rebuild + kl, abs=1e-3)
    assert negative_elbo < 19.6
    share = (train_x.sum(0) + 1) / (len(train_x) + 2)
    alone = F.binary_cross_entropy(share.expand_as(test_x), test_x, reduction="none").sum(1).mean()
    assert float(alone) == pytest.approx(25.15, abs=0.01)
