"""Question 9 against torch.distributions, scikit-learn, autograd, enumeration and a Markov chain."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.distributions import Bernoulli

from dgm import data


def model(d, seed, scale=1.5):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(d, d, generator=generator), torch.randn(d, generator=generator)


def strings(d):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=d)))


def sampled(reference, weights, biases, uniforms):
    nothing = torch.zeros_like(uniforms)
    return reference.ancestral_sample(lambda x: reference.fvsbn_logits(x, weights, biases), nothing, nothing > 0, uniforms)


@pytest.mark.parametrize("d", [1, 2, 5, 10])
def test_log_prob_is_a_product_of_bernoullis_and_sums_to_one(reference, d):
    weights, biases = model(d, d)
    got = reference.fvsbn_log_prob(strings(d), weights, biases)
    assert float(got.double().exp().sum()) == pytest.approx(1, abs=1e-5)
    for x, value in list(zip(strings(d), got))[:: max(1, 2**d // 16)]:
        want = 0.0
        for i in range(d):
            logit = biases[i] + sum(weights[i, j] * x[j] for j in range(i))
            want += float(Bernoulli(logits=logit).log_prob(x[i]))
        assert float(value) == pytest.approx(want, rel=1e-5, abs=1e-5)


def test_logits_have_a_strictly_triangular_jacobian(reference):
    weights, biases = model(6, 3)
    x = torch.full((1, 6), 0.5)
    jacobian = torch.autograd.functional.jacobian(lambda x: reference.fvsbn_logits(x, weights, biases)[0], x)[:, 0]
    torch.testing.assert_close(jacobian, weights.tril(-1))


def test_the_gradient_is_the_error_of_the_prediction(reference):
    weights, biases = (value.double().requires_grad_() for value in model(4, 0))
    x = strings(4).double()
    assert torch.autograd.gradcheck(lambda w, b: reference.fvsbn_log_prob(x, w, b), (weights, biases))
    got = torch.autograd.grad(reference.fvsbn_log_prob(x, weights, biases).sum(), (weights, biases))
    error = x - torch.sigmoid(reference.fvsbn_logits(x, weights, biases))
    torch.testing.assert_close(got[0], (error.T @ x).tril(-1))
    torch.testing.assert_close(got[1], error.sum(0))


def test_extreme_logits_are_finite(reference):
    got = reference.fvsbn_log_prob(torch.tensor([[0.0, 1.0]]), torch.zeros(2, 2), torch.tensor([500.0, -800.0]))
    assert float(got) == pytest.approx(-1300)


def test_samples_have_the_enumerated_probabilities(reference):
    weights, biases = model(3, 4)
    samples = sampled(reference, weights, biases, torch.rand(40_000, 3, generator=torch.Generator().manual_seed(0)))
    counts = torch.bincount((samples @ torch.tensor([4.0, 2.0, 1.0])).long(), minlength=8).double()
    probs = reference.fvsbn_log_prob(strings(3), weights, biases).double().exp()
    assert float(((counts - 40_000 * probs) ** 2 / (40_000 * probs)).sum()) < 40  # chi-squared with 7 degrees, p = 1e-6


def test_completions_have_the_conditional_probabilities(reference):
    """The first two of four bits are known: the others follow p(x_3, x_4 | x_1, x_2), by enumeration."""
    weights, biases = model(4, 5)
    known = torch.tensor([True, True, False, False]).expand(40_000, 4)
    x = torch.tensor([1.0, 0.0, 5.0, -3.0]).expand(40_000, 4)
    uniforms = torch.rand(40_000, 4, generator=torch.Generator().manual_seed(1))
    samples = reference.ancestral_sample(lambda x: reference.fvsbn_logits(x, weights, biases), x, known, uniforms)
    assert (samples[:, 0] == 1).all() and (samples[:, 1] == 0).all()
    counts = torch.bincount((samples[:, 2:] @ torch.tensor([2.0, 1.0])).long(), minlength=4).double()
    joint = reference.fvsbn_log_prob(torch.cat([torch.tensor([[1.0, 0.0]]).expand(4, 2), strings(2)], 1), weights, biases)
    probs = torch.softmax(joint.double(), 0)
    assert float(((counts - 40_000 * probs) ** 2 / (40_000 * probs)).sum()) < 35  # 3 degrees, p = 1e-7


def test_pictures_are_drawn_in_raster_order(reference):
    """Each pixel copies the one before it, across rows and channels; the first is drawn."""

    def copying(x):
        flat = x.flatten(1)
        before = torch.cat([torch.full_like(flat[:, :1], 0.5), flat[:, :-1]], 1)
        return (1000 * (before - 0.5)).reshape(x.shape)

    nothing = torch.zeros(2, 2, 3, 4)
    uniforms = torch.full_like(nothing, 0.5)
    uniforms[0, 0, 0, 0] = 0.4
    got = reference.ancestral_sample(copying, nothing, nothing > 0, uniforms)
    assert bool((got[0] == 1).all()) and bool((got[1] == 0).all())


def test_fit_agrees_with_scikit_learn(reference):
    """The given training loop finds the optimum of each logistic regression."""
    weights, biases = model(4, 7, scale=1.0)
    x = sampled(reference, weights, biases, torch.rand(600, 4, generator=torch.Generator().manual_seed(2)))
    fitted_weights, fitted_biases = reference.fit_fvsbn(x, 4000)
    found = float(reference.fvsbn_loss((fitted_weights, fitted_biases), x))
    best = float(Bernoulli(x[:, 0].mean()).entropy())
    for i in range(1, 4):
        want = LogisticRegression(C=1e6, tol=1e-8).fit(x[:, :i].numpy(), x[:, i].numpy())
        best += -want.predict_log_proba(x[:, :i].numpy())[np.arange(len(x)), x[:, i].int().numpy()].mean()
    assert found == pytest.approx(float(best), abs=0.01)


def test_numbers_of_the_notebook(reference):
    """On the 8×8 digits, where it is quick."""
    train, test = (data.digits(split, binary="threshold")[0].flatten(1) for split in ("train", "test"))
    fitted = reference.fit_fvsbn(train, 1000)
    assert float(reference.fvsbn_loss(fitted, train)) == pytest.approx(17.56, abs=0.02)
    assert float(reference.fvsbn_loss(fitted, test)) == pytest.approx(18.36, abs=0.03)
    frequency = (train.sum(0) + 1) / (len(train) + 2)
    assert -float(Bernoulli(frequency).log_prob(test).sum(1).mean()) == pytest.approx(25.15, abs=0.01)


def test_a_unit_that_sees_itself_reports_too_much(reference):
    """The cheat of the text: the probabilities of all strings add up to more than one."""
    train = data.digits("train", binary="threshold")[0].flatten(1)[:, 24:34]

    def loss(params, batch):
        weights, biases = params
        return -reference.bernoulli_log_prob(biases + batch @ weights.tril().T, batch).mean()

    weights, biases = reference.fit_fvsbn(train, 500, loss)
    total = reference.bernoulli_log_prob(biases + strings(10) @ weights.tril().T, strings(10)).exp().sum()
    assert float(total) > 50
    assert float(reference.fvsbn_log_prob(strings(10), weights, biases).exp().sum()) == pytest.approx(1, abs=1e-4)
