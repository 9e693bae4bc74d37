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
    after, history = reference.train(reference.gmm_nll, params, x, 6, 10, lr, 0.0, torch.Generator().manual_seed(0))
    leaves = [p.requires_grad_() for p in params]
    full = torch.autograd.grad(reference.gmm_nll(leaves, x), leaves)
    for before, now, gradient in zip(params, after, full, strict=True):
        torch.testing.assert_close((before.detach() - now) / (6 * lr), gradient, rtol=1e-4, atol=1e-5)
    assert history.mean().item() == pytest.approx(reference.gmm_nll(leaves, x).item(), rel=1e-4)


@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_training_on_all_data_follows_the_closed_form_of_a_quadratic(reference, momentum):
    x, start, lr, c, steps = points(20, 3, 6), torch.tensor(4.0, dtype=torch.float64), 0.1, 1.7, 12

    def loss(params, batch):
        return 0.5 * c * (params[0] - batch.mean(1)).square().mean()

    (end,), history = reference.train(loss, (start,), x, steps, 20, lr, momentum, torch.Generator().manual_seed(0))
    step = torch.tensor([[1 - lr * c, -lr * momentum], [c, momentum]], dtype=torch.float64)
    states = [torch.linalg.matrix_power(step, t) @ torch.stack([start - x.mean(), 0 * start]) for t in range(steps + 1)]
    torch.testing.assert_close(end, x.mean() + states[-1][0])
    distances = torch.stack([state[0] for state in states[:-1]])
    torch.testing.assert_close(history, 0.5 * c * (distances.square() + x.mean(1).var(correction=0)))


def test_training_is_that_of_torch_optim_on_the_same_batches(reference):
    x, shapes = 0.3 * points(11, 3, 7), [(3,), (), (2, 3)]
    start = [points(1, 6, i)[0, : math.prod(s)].reshape(s) for i, s in enumerate(shapes)]

    def loss(params, batch):
        return ((batch @ params[0] - params[1]).cosh() + (params[2] @ batch.T).square().sum(0)).mean()

    ours, history = reference.train(loss, start, x, 9, 4, 0.02, 0.8, torch.Generator().manual_seed(3))
    theirs, order = [p.clone().requires_grad_() for p in start], torch.Generator().manual_seed(3)
    optimiser, values = torch.optim.SGD(theirs, lr=0.02, momentum=0.8), []
    for _ in range(3):
        for index in torch.randperm(11, generator=order).split(4):
            optimiser.zero_grad()
            values.append(loss(theirs, x[index]))
            values[-1].backward()
            optimiser.step()
    torch.testing.assert_close(history, torch.stack(values).detach())
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other.detach())


def test_variance_of_the_minibatch_gradient_falls_like_one_over_the_batch_size(reference):
    params, x = [p.requires_grad_() for p in random_params(3, 2, 8)], points(4000, 2, 8)
    spread = []
    for size in (5, 20):
        grads = [torch.autograd.grad(reference.gmm_nll(params, part), params)[1].flatten() for part in x.split(size)]
        spread.append(torch.stack(grads).var(0).sum().item())
    assert spread[0] / spread[1] == pytest.approx(4, rel=0.3)


def test_the_planted_loss_of_the_probes_is_quadratic_in_each_parameter():
    from ps1_simple_models.q04_gradient_descent.probes import planted

    x, curvature = points(5, 2, 9), [torch.tensor([0.5, 2.0]), torch.tensor(1.0)]
    params = [torch.tensor([0.3, 0.7]), torch.tensor(-0.4)]
    values = x.float() @ torch.tensor([1.0, 2.0])
    by_hand = sum(
        0.5 * (0.3 - v) ** 2 + 2.0 * (0.7 - v) ** 2 + (-0.4 - 0.6 * v - 0.2 * 0.5) ** 2 for v in values  # 0.5 is the mean of 0.3, 0.7
    )
    torch.testing.assert_close(planted(curvature)(params, x.float()), by_hand / 5)


def test_sgd_reaches_what_em_reaches(reference):
    generator = torch.Generator().manual_seed(0)
    centres = torch.tensor([[-3.0, 0.0], [0.0, 3.0], [3.0, 0.0]])
    x = centres[torch.randint(3, (400,), generator=generator)] + 0.8 * torch.randn(400, 2, generator=generator)
    start = torch.full((3,), -math.log(3)), centres / 2, torch.eye(2).repeat(3, 1, 1)
    _, history = reference.fit_gmm_em(x, *start, steps=100)
    free = torch.zeros(3), centres / 2, torch.zeros(3, 2, 2)
    params, _ = reference.train(reference.gmm_nll, free, x, 300, 50, 0.03, 0.9, generator)
    assert reference.gmm_nll(params, x).item() < -history[-1].item() + 0.02
