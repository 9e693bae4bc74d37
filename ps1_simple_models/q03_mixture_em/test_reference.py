"""The reference of question 3 against torch.distributions, scikit-learn, enumeration and autograd."""

import numpy as np
import pytest
import torch
from scipy.special import rel_entr
from sklearn.mixture import GaussianMixture


def random_mixture(k, d, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    factors = torch.randn(k, d, d, generator=generator, dtype=dtype)
    covs = factors @ factors.mT + 0.5 * torch.eye(d, dtype=dtype)
    log_weights = torch.randn(k, generator=generator, dtype=dtype).log_softmax(0)
    return log_weights, 2 * torch.randn(k, d, generator=generator, dtype=dtype), covs


def points(n, d, seed, dtype=torch.float64):
    return 2 * torch.randn(n, d, generator=torch.Generator().manual_seed(100 + seed), dtype=dtype)


def as_sklearn(log_weights, means, covs):
    model = GaussianMixture(len(means), covariance_type="full")
    model.weights_, model.means_, model.covariances_ = log_weights.exp().numpy(), means.numpy(), covs.numpy()
    model.precisions_cholesky_ = np.linalg.inv(np.linalg.cholesky(model.covariances_)).transpose(0, 2, 1)
    return model


@pytest.mark.parametrize(("k", "d"), [(1, 1), (3, 1), (1, 4), (4, 3)])
def test_log_prob_is_that_of_torch_distributions(reference, k, d):
    params, x = random_mixture(k, d, k + d), points(9, d, k + d)
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=params[0]), torch.distributions.MultivariateNormal(params[1], params[2])
    )
    torch.testing.assert_close(reference.gmm_log_prob(x, *params), mixture.log_prob(x))


@pytest.mark.parametrize("seed", range(3))
def test_densities_and_responsibilities_are_those_of_scikit_learn(reference, seed):
    params, x = random_mixture(4, 3, seed), points(50, 3, seed)
    model = as_sklearn(*params)
    np.testing.assert_allclose(reference.gmm_log_prob(x, *params).numpy(), model.score_samples(x.numpy()), rtol=1e-9)
    np.testing.assert_allclose(reference.responsibilities(x, *params).numpy(), model.predict_proba(x.numpy()), atol=1e-12)


def test_density_integrates_to_one_and_does_not_depend_on_the_order_of_components(reference):
    params = random_mixture(3, 1, 0)
    grid = torch.linspace(-40, 40, 40001, dtype=torch.float64)[:, None]
    density = reference.gmm_log_prob(grid, *params).exp()
    assert torch.trapezoid(density, grid[:, 0]).item() == pytest.approx(1, abs=1e-9)
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(reference.gmm_log_prob(grid, *(p[order] for p in params)).exp(), density)


def test_responsibilities_are_the_gradient_by_the_log_weights(reference):
    params, x = random_mixture(4, 2, 1), points(7, 2, 1)
    jacobian = torch.autograd.functional.jacobian(lambda w: reference.gmm_log_prob(x, w, *params[1:]), params[0])
    torch.testing.assert_close(jacobian, reference.responsibilities(x, *params))


def test_far_away_everything_is_finite_in_float32(reference):
    params = random_mixture(3, 2, 2, torch.float32)
    x = 1e4 * points(20, 2, 2, torch.float32)
    assert reference.gmm_log_prob(x, *params).isfinite().all()
    torch.testing.assert_close(reference.responsibilities(x, *params).sum(1), torch.ones(20))


@pytest.mark.parametrize("seed", range(3))
def test_em_takes_the_steps_of_scikit_learn(reference, seed):
    x, floor, steps = points(300, 3, seed) + 4 * (torch.arange(300) % 2)[:, None], 1e-3, 7
    start = random_mixture(3, 3, seed)
    params, history = reference.fit_gmm_em(x, *start, steps=steps, floor=floor)
    model = GaussianMixture(
        3, weights_init=start[0].exp().numpy(), means_init=start[1].numpy(),
        precisions_init=torch.linalg.inv(start[2]).numpy(), reg_covar=floor, max_iter=steps, tol=0.0,
    )
    with pytest.warns(UserWarning, match="did not converge"):
        model.fit(x.numpy())
    np.testing.assert_allclose(params[0].exp().numpy(), model.weights_, rtol=1e-6)
    np.testing.assert_allclose(params[1].numpy(), model.means_, rtol=1e-6)
    np.testing.assert_allclose(params[2].numpy(), model.covariances_, rtol=1e-6)
    assert history[-1].item() == pytest.approx(model.score(x.numpy()), rel=1e-9)


def test_em_is_monotone_and_stops_at_a_stationary_point(reference):
    x = points(200, 2, 5) + 3 * (torch.arange(200) % 3)[:, None]
    params, history = reference.fit_gmm_em(x, *random_mixture(2, 2, 5), steps=500, floor=0.0)
    assert (history.diff() > -1e-12).all()
    leaves = [p.clone().requires_grad_() for p in params[1:]]
    gradients = torch.autograd.grad(reference.gmm_log_prob(x, params[0], *leaves).mean(), leaves)
    assert max(g.abs().max().item() for g in gradients) < 1e-5


def test_m_step_maximises_the_bound(reference):
    x = points(40, 2, 6)
    q = torch.rand(40, 3, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    q = q / q.sum(1, keepdim=True)
    best = reference.m_step(x, q, floor=0.0)
    leaves = [p.clone().requires_grad_() for p in best]
    bound = reference.elbo(x, q, leaves[0].log_softmax(0), *leaves[1:]).mean()
    assert all(g.abs().max().item() < 1e-12 for g in torch.autograd.grad(bound, leaves))


def test_gap_is_the_kl_to_the_posterior(reference):
    params, x = random_mixture(4, 2, 7), points(30, 2, 7)
    q = torch.rand(30, 4, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    q[:, 1] = 0
    q = q / q.sum(1, keepdim=True)
    gap = reference.gmm_log_prob(x, *params) - reference.elbo(x, q, *params)
    kl = rel_entr(q.numpy(), reference.responsibilities(x, *params).numpy()).sum(1)
    np.testing.assert_allclose(gap.numpy(), kl, rtol=1e-9)
    tight = reference.elbo(x, reference.responsibilities(x, *params), *params)
    torch.testing.assert_close(tight, reference.gmm_log_prob(x, *params))


def test_m_step_limits(reference):
    x = 4000 + points(500, 2, 8, torch.float32)
    log_weights, means, covs = reference.m_step(x, torch.tensor([1.0, 0.0]).repeat(500, 1), floor=0.1)
    assert log_weights.tolist() == [0, float("-inf")]
    exact = np.cov(x.numpy().astype(float).T, bias=True) + 0.1 * np.eye(2)
    np.testing.assert_allclose(covs[0].numpy(), exact, rtol=1e-4, atol=1e-4)
    assert means[1].tolist() == [0, 0]
    torch.testing.assert_close(covs[1], 0.1 * torch.eye(2))
    params, history = reference.fit_gmm_em(x, log_weights, means, covs, steps=2, floor=0.1)
    assert history.isfinite().all()
    assert params[0][1] == float("-inf")


def test_numbers_of_the_text(reference):
    x, half = torch.tensor([[1.0]], dtype=torch.float64), torch.tensor([[0.5, 0.5]], dtype=torch.float64)
    params = half[0].log(), torch.tensor([[-1.0], [1.0]], dtype=torch.float64), torch.ones(2, 1, 1, dtype=torch.float64)
    assert reference.gmm_log_prob(x, *params).item() == pytest.approx(-1.49, abs=0.005)
    np.testing.assert_allclose(reference.responsibilities(x, *params).numpy(), [[0.12, 0.88]], atol=0.005)
    assert reference.elbo(x, half, *params).item() == pytest.approx(-1.92, abs=0.005)
    gap = reference.gmm_log_prob(x, *params) - reference.elbo(x, half, *params)
    assert gap.item() == pytest.approx(0.43, abs=0.005)
    shares = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], dtype=torch.float64)
    log_weights, means, covs = reference.m_step(torch.tensor([[0.0], [1.0], [4.0]], dtype=torch.float64), shares, floor=0.0)
    assert [log_weights[0].exp().item(), means[0].item(), covs[0].item()] == pytest.approx([1 / 2, 1 / 3, 2 / 9])


def test_log_likelihood_is_that_of_all_label_strings(reference):
    params, x = random_mixture(3, 2, 11), points(4, 2, 11)
    joint = reference.gmm_log_joint(x, *params)
    every = torch.cartesian_prod(*[torch.arange(3)] * 4)
    total = joint[torch.arange(4), every].sum(1).logsumexp(0)
    torch.testing.assert_close(reference.gmm_log_prob(x, *params).sum(), total)


def test_equal_components_stay_equal(reference):
    x = points(60, 2, 12)
    log_weights, means, covs = reference.init_gmm(x, 4, torch.Generator().manual_seed(0))
    params, history = reference.fit_gmm_em(x, log_weights, means[:1].repeat(4, 1), covs, steps=5, floor=0.0)
    torch.testing.assert_close(params[1], x.mean(0).repeat(4, 1))
    one = torch.distributions.MultivariateNormal(x.mean(0), torch.cov(x.T, correction=0)).log_prob(x).mean()
    torch.testing.assert_close(history[-1], one)


def test_a_single_example_gains_without_end(reference):
    x = torch.cat([points(20, 2, 13), torch.tensor([[50.0, 50.0]], dtype=torch.float64)])
    owners = torch.zeros(21, 2, dtype=torch.float64)
    owners[:20, 0], owners[20, 1] = 1.0, 1.0
    values = []
    for floor in (1e-4, 1e-5, 1e-6):
        values.append(reference.gmm_log_prob(x[20:], *reference.m_step(x, owners, floor)).item())
    assert np.diff(values) == pytest.approx([np.log(10)] * 2, rel=1e-6)  # D/2 log 10 with D = 2


def test_the_floor_and_rounding_can_make_the_log_likelihood_fall(reference):
    x = points(300, 2, 14)
    one = torch.zeros(1, dtype=torch.float64), x.mean(0)[None], torch.cov(x.T, correction=0)[None]
    _, history = reference.fit_gmm_em(x, *one, steps=1, floor=0.5)
    assert history[1] < history[0] - 1e-3
    for seed in range(5):
        params, history = reference.fit_gmm_em(x, *random_mixture(3, 2, 20 + seed), steps=100, floor=0.0)
        rounded = reference.responsibilities(x, *params).round()
        after = reference.gmm_log_prob(x, *reference.m_step(x, rounded, floor=0.0)).mean()
        assert after < history[-1] - 1e-3
