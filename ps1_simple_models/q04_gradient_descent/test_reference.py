"""The reference of question 4 against torch.distributions, torch.optim, finite differences and EM."""

import math

import pytest
import torch


def random_params(k, d, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(shape, generator=generator, dtype=dtype) for shape in ((k,), (k, d), (k, d, d)))


def points(n, d, seed, dtype=torch.float64):
    return 2 * torch.randn(n, d, generator=torch.Generator().manual_seed(100 + seed), dtype=dtype)


@pytest.mark.parametrize(("k", "d"), [(1, 1), (3, 1), (1, 4), (4, 3)])
def test_loss_is_that_of_torch_distributions(reference, k, d):
    logits, means, raw = random_params(k, d, k + d)
    x = points(9, d, k + d)
    factors = raw.tril(-1) + torch.diag_embed(raw.diagonal(dim1=1, dim2=2).exp())
    gaussians = torch.distributions.MultivariateNormal(means, scale_tril=factors)
    mixture = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=logits), gaussians)
    torch.testing.assert_close(reference.gmm_nll((logits, means, raw), x), -mixture.log_prob(x).mean())


def test_constrained_parameters_are_valid_and_agree_with_question_3(reference):
    params, x = random_params(4, 3, 0), points(20, 3, 0)
    log_weights, means, factors = reference.constrain(params)
    assert log_weights.exp().sum().item() == pytest.approx(1)
    assert torch.equal(factors, factors.tril())
    assert (factors.diagonal(dim1=1, dim2=2) > 0).all()
    log_prob = reference.gmm_log_prob(x, log_weights, means, factors @ factors.mT)
    torch.testing.assert_close(reference.gmm_nll(params, x), -log_prob.mean())


def test_gradients_agree_with_finite_differences(reference):
    params, x = [p.requires_grad_() for p in random_params(3, 2, 1)], points(6, 2, 1)
    assert torch.autograd.gradcheck(lambda *p: reference.gmm_nll(p, x), params)


def test_loss_does_not_change_when_all_logits_are_shifted(reference):
    (logits, means, raw), x = random_params(3, 2, 2), points(6, 2, 2)
    torch.testing.assert_close(reference.gmm_nll((logits + 1e3, means, raw), x), reference.gmm_nll((logits, means, raw), x))


@pytest.mark.parametrize("log_scale", [-40.0, -20.0, 20.0])
def test_extreme_scales_give_finite_losses_and_gradients(reference, log_scale):
    logits, means, raw = random_params(3, 2, 3, torch.float32)
    raw[0] = log_scale * torch.eye(2)
    x = points(6, 2, 3, torch.float32)
    leaves = [p.requires_grad_() for p in (logits, torch.cat([x[:1], means[1:]]), raw)]
    loss = reference.gmm_nll(leaves, x)
    assert loss.isfinite()
    assert all(g.isfinite().all() for g in torch.autograd.grad(loss, leaves))


@pytest.mark.parametrize(("momentum", "decay"), [(0.0, 0.0), (0.9, 0.0), (0.0, 0.1), (0.9, 0.1)])
def test_100_steps_are_those_of_torch_optim(reference, momentum, decay):
    params, x = random_params(3, 2, 4), points(30, 2, 4)
    theirs = [p.clone().requires_grad_() for p in params]
    optimiser = torch.optim.SGD(theirs, lr=0.01, momentum=momentum, weight_decay=decay)
    ours, velocity = params, tuple(torch.zeros_like(p) for p in params)
    for _ in range(100):
        optimiser.zero_grad()
        reference.gmm_nll(theirs, x).backward()
        optimiser.step()
        leaves = [p.requires_grad_() for p in ours]
        gradients = torch.autograd.grad(reference.gmm_nll(leaves, x), leaves)
        ours, velocity = reference.sgd_step(leaves, gradients, velocity, 0.01, momentum, decay)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other.detach())


def test_quadratic_shrinks_geometrically(reference):
    curvature, lr, steps = torch.tensor([0.5, 2.0], dtype=torch.float64), 0.1, 25
    theta, velocity = (torch.ones(2, dtype=torch.float64),), (torch.zeros(2, dtype=torch.float64),)
    for _ in range(steps):
        theta, velocity = reference.sgd_step(theta, (curvature * theta[0],), velocity, lr)
    torch.testing.assert_close(theta[0], (1 - lr * curvature) ** steps)


def test_mean_gradient_of_a_pass_is_the_full_gradient(reference):
    params, x, lr = random_params(2, 2, 5), points(60, 2, 5), 1e-7
    after, history = reference.train_gmm_sgd(x, params, 6, 10, lr, 0.0, torch.Generator().manual_seed(0))
    leaves = [p.requires_grad_() for p in params]
    full = torch.autograd.grad(reference.gmm_nll(leaves, x), leaves)
    for before, now, gradient in zip(params, after, full, strict=True):
        torch.testing.assert_close((before.detach() - now) / (6 * lr), gradient, rtol=1e-4, atol=1e-5)
    assert history.mean().item() == pytest.approx(reference.gmm_nll(leaves, x).item(), rel=1e-4)


def test_sgd_reaches_what_em_reaches(reference):
    generator = torch.Generator().manual_seed(0)
    centres = torch.tensor([[-3.0, 0.0], [0.0, 3.0], [3.0, 0.0]])
    x = centres[torch.randint(3, (400,), generator=generator)] + 0.8 * torch.randn(400, 2, generator=generator)
    start = torch.full((3,), -math.log(3)), centres / 2, torch.eye(2).repeat(3, 1, 1)
    _, history = reference.fit_gmm_em(x, *start, steps=100)
    params, _ = reference.train_gmm_sgd(x, (torch.zeros(3), centres / 2, torch.zeros(3, 2, 2)), 300, 50, 0.03, 0.9, generator)
    assert reference.gmm_nll(params, x).item() < -history[-1].item() + 0.02
