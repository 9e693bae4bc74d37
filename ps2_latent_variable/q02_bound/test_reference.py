"""Question 2 of problem set 2 against torch.distributions, SciPy, enumeration, quadrature and direct maximisation."""

import itertools
import math

import pytest
import torch
from scipy import optimize


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def tables(n=5, k=7, seed=0):
    return 2 * draw(n, k, seed=seed) - 3, draw(n, k, seed=seed + 1).log_softmax(1)


def test_the_gap_is_the_kl_to_the_posterior(reference):
    """log p(x) = ELBO + KL for every q, to 1e-10."""
    log_joint, log_q = tables()
    evidence, log_posterior = reference.exact_posterior(log_joint)
    categorical = torch.distributions.Categorical
    kl = torch.distributions.kl_divergence(categorical(logits=log_q), categorical(logits=log_posterior))
    torch.testing.assert_close(reference.elbo(log_joint, log_q) + kl, evidence, rtol=0, atol=1e-10)
    torch.testing.assert_close(reference.elbo(log_joint, log_posterior), evidence, rtol=0, atol=1e-10)
    torch.testing.assert_close(evidence, log_joint.exp().sum(1).log())
    torch.testing.assert_close(log_posterior.exp(), log_joint.exp() / log_joint.exp().sum(1, keepdim=True))


def test_elbo_is_reconstruction_minus_kl_to_the_prior(reference):
    _, log_q = tables()
    log_prior, log_likelihood = draw(7, seed=4).log_softmax(0), draw(5, 7, seed=5) - 10
    categorical = torch.distributions.Categorical
    kl = torch.distributions.kl_divergence(categorical(logits=log_q), categorical(logits=log_prior))
    expected = (log_q.exp() * log_likelihood).sum(1) - kl
    torch.testing.assert_close(reference.elbo(log_likelihood + log_prior, log_q), expected)


def test_worked_numbers(reference):
    log_joint = torch.tensor([[0.3, 0.1]]).log()
    assert reference.exact_posterior(log_joint)[0].item() == pytest.approx(-0.916, abs=1e-3)
    assert reference.exact_posterior(log_joint)[1].exp().tolist() == [pytest.approx([0.75, 0.25])]
    assert reference.elbo(log_joint, torch.tensor([[0.5, 0.5]]).log()).item() == pytest.approx(-1.060, abs=1e-3)
    codes = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).log()
    information, rest = reference.split_mean_kl(codes)
    assert (information.item(), rest.item()) == pytest.approx((math.log(2), math.log(1.5)))
    precision, mean = torch.tensor([[2.0, 1.0], [1.0, 2.0]]), torch.tensor([0.0, -2.0])  # m_1 = 0 at the start, 2 above μ_1
    path, variances = reference.cavi(precision, mean, 1)
    assert path[1, 0].item() == pytest.approx(-1)
    assert variances.tolist() == [0.5, 0.5]
    assert torch.linalg.inv(precision)[0, 0].item() == pytest.approx(2 / 3)


def test_hard_guesses_and_impossible_causes(reference):
    log_joint = torch.tensor([[0.3, 0.1, 0.0]]).log()
    sure, lost = torch.tensor([[1.0, 0, 0]]).log(), torch.tensor([[0.5, 0, 0.5]]).log()
    assert reference.elbo(log_joint, sure).item() == pytest.approx(math.log(0.3))
    assert reference.elbo(log_joint, lost).item() == -math.inf
    evidence, log_posterior = reference.exact_posterior(log_joint - 1000)
    assert evidence.item() == pytest.approx(math.log(0.4) - 1000)
    assert log_posterior[0, 2].item() == -math.inf


def test_gradient_of_the_elbo_by_finite_differences(reference):
    log_joint, log_q = (value.requires_grad_() for value in tables(3, 4))
    assert torch.autograd.gradcheck(lambda a, b: reference.elbo(a, b.log_softmax(1)), (log_joint, log_q))


def test_raising_the_elbo_by_gradient_ascent_finds_the_posterior(reference):
    log_joint, logits = tables(3, 4)
    logits = logits.clone().requires_grad_()
    optimizer = torch.optim.Adam([logits], 0.05)
    for _ in range(600):
        optimizer.zero_grad()
        (-reference.elbo(log_joint, logits.log_softmax(1)).sum()).backward()
        optimizer.step()
    torch.testing.assert_close(logits.detach().softmax(1), log_joint.softmax(1), atol=1e-3, rtol=0)


@pytest.mark.parametrize("with_prior", [False, True])
def test_the_split_adds_up_and_information_is_bounded(reference, with_prior):
    for n, k in ((4, 9), (30, 3), (1, 5)):
        log_q = (3 * draw(n, k)).log_softmax(1)
        log_prior = draw(k, seed=3).log_softmax(0) if with_prior else torch.full((k,), -math.log(k), dtype=torch.float64)
        information, rest = reference.split_mean_kl(log_q, log_prior) if with_prior else reference.split_mean_kl(log_q)
        categorical = torch.distributions.Categorical
        whole = torch.distributions.kl_divergence(categorical(logits=log_q), categorical(logits=log_prior)).mean()
        torch.testing.assert_close(information + rest, whole)
        assert -1e-12 <= information <= math.log(min(n, k)) + 1e-12
        joint = log_q.exp() / n  # of the image's number and the code
        independent = joint.sum(1, keepdim=True) * joint.sum(0)
        torch.testing.assert_close(information, (joint * (joint / independent).log()).sum())


def test_the_aggregate_posterior_as_prior_gains_exactly_the_marginal_part(reference):
    log_likelihood, log_q = tables(6, 5)
    log_prior = draw(5, seed=9).log_softmax(0)
    better = log_q.logsumexp(0) - math.log(6)
    gain = reference.elbo(log_likelihood + better, log_q).mean() - reference.elbo(log_likelihood + log_prior, log_q).mean()
    torch.testing.assert_close(gain, reference.split_mean_kl(log_q, log_prior)[1])
    assert reference.split_mean_kl(log_q, better)[1].abs() < 1e-12


def negative_elbo(parameters, precision, mean):
    """Minus the ELBO of a factorised Gaussian, up to a constant."""
    m, logvar = torch.from_numpy(parameters).chunk(2)
    off = m - mean
    return float(0.5 * (off @ precision @ off + (precision.diagonal() * logvar.exp()).sum() - logvar.sum()))


def test_cavi_converges_to_the_best_factorised_gaussian(reference):
    root = draw(3, 3)
    precision, mean = root @ root.T + 0.5 * torch.eye(3), draw(3, seed=1)
    path, variances = reference.cavi(precision, mean, 200)
    best = optimize.minimize(negative_elbo, draw(6, seed=2).numpy(), args=(precision, mean), tol=1e-12)
    torch.testing.assert_close(path[-1], torch.from_numpy(best.x[:3]), rtol=0, atol=1e-4)
    torch.testing.assert_close(variances, torch.from_numpy(best.x[3:]).exp(), rtol=1e-3, atol=0)
    torch.testing.assert_close(path[-1], mean)


def test_cavi_raises_the_elbo_in_every_sweep(reference):
    root = draw(4, 4)
    precision, mean = root @ root.T + 0.2 * torch.eye(4), draw(4, seed=1)
    path, variances = reference.cavi(precision, mean, 30)
    losses = [negative_elbo(torch.cat([m, variances.log()]).numpy(), precision, mean) for m in path]
    assert all(later <= earlier + 1e-12 for earlier, later in itertools.pairwise(losses))
    assert losses[1] < losses[0]


def test_cavi_is_gauss_seidel(reference):
    root = draw(4, 4)
    precision, mean = root @ root.T + 0.2 * torch.eye(4), draw(4, seed=1)
    path, _ = reference.cavi(precision, mean, 5)
    off = -mean
    for m in path[1:]:
        off = torch.linalg.solve_triangular(precision.tril(), -(precision.triu(1) @ off)[:, None], upper=False)[:, 0]
        torch.testing.assert_close(m, mean + off)


def test_one_update_by_quadrature(reference):
    """The first factor of (2.3), on a grid of both latents."""
    precision, mean = torch.tensor([[1.5, 0.9], [0.9, 1.2]], dtype=torch.float64), torch.tensor([0.4, -0.7], dtype=torch.float64)
    path, variances = reference.cavi(precision, mean, 1)
    z = torch.linspace(-12, 12, 2401, dtype=torch.float64)
    other = torch.distributions.Normal(0.0, variances[1].sqrt()).log_prob(z).exp()  # the second factor at the start, m = 0
    off = torch.stack(torch.meshgrid(z, z, indexing="ij"), -1) - mean
    log_joint = -0.5 * (off @ precision * off).sum(-1)
    log_factor = torch.trapezoid(log_joint * other, z)
    factor = (log_factor - log_factor.max()).exp()
    factor /= torch.trapezoid(factor, z)
    found = torch.trapezoid(factor * z, z)
    torch.testing.assert_close(path[1, 0], found)
    torch.testing.assert_close(variances[0], torch.trapezoid(factor * (z - found) ** 2, z))
