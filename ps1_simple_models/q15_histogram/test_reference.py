"""Question 15 against SciPy, scikit-learn and torch.optim."""

import math

import numpy as np
import pytest
import scipy.stats
import torch
from sklearn.preprocessing import OneHotEncoder

from dgm import data


def test_histogram_agrees_with_one_hot_means(reference):
    x = torch.randint(0, 7, (50,), generator=torch.Generator().manual_seed(0))
    want = OneHotEncoder(categories=[range(9)], sparse_output=False).fit_transform(x[:, None]).mean(0)
    got = reference.histogram_mle(x, 9)
    assert got.shape == (9,)
    assert torch.isneginf(got[7:]).all()
    np.testing.assert_allclose(got[:7].exp(), want[:7], rtol=1e-6)


def test_pseudocount_is_the_posterior_mean_of_a_dirichlet(reference):
    x = torch.tensor([0, 0, 2, 3, 3, 3])
    want = scipy.stats.dirichlet(np.bincount(x, minlength=5) + 0.7).mean()
    np.testing.assert_allclose(reference.histogram_mle(x, 5, 0.7).exp(), want, rtol=1e-6)


def test_numbers_of_the_notebook(reference):
    train, test = data.truncated_gaussian_levels("train"), data.truncated_gaussian_levels("test")
    for pseudocount, on_train, on_test in ((0.0, 2.4480, 2.5432), (0.5, 2.4507, 2.5422)):
        table = reference.histogram_mle(train, 20, pseudocount)
        for x, want in ((train, on_train), (test, on_test)):
            got = reference.mean_nll_over_batches(lambda batch, table=table: table[batch], x, 300)
            assert float(got) == pytest.approx(want, abs=6e-5)
    truth = data.truncated_gaussian_probs()
    assert float(-(truth * truth.log()).sum()) == pytest.approx(2.4897, abs=1e-4)


@pytest.mark.parametrize("batch_size", [1, 7, 100, 103, 500])
def test_mean_nll_does_not_depend_on_the_batch_size(reference, batch_size):
    x = torch.randint(0, 5, (103,), generator=torch.Generator().manual_seed(1))
    table = torch.log_softmax(torch.randn(5, generator=torch.Generator().manual_seed(2)), 0)
    want = torch.nn.functional.nll_loss(table.expand(103, 5), x)
    sizes = []
    got = reference.mean_nll_over_batches(lambda batch: sizes.append(len(batch)) or table[batch], x, batch_size)
    assert float(got) == pytest.approx(float(want), rel=1e-6)
    assert max(sizes) <= batch_size
    assert sum(sizes) == 103


def test_training_is_torch_optim_sgd(reference):
    x = torch.randint(0, 6, (47,), generator=torch.Generator().manual_seed(3))
    logits, history = reference.train_histogram(x, 8, 30, 0.4, 10, torch.Generator().manual_seed(4))
    weight = torch.nn.Parameter(torch.zeros(8))
    optimiser = torch.optim.SGD([weight], lr=0.4)
    want = [math.log(8)]
    for batch in data.batches(x, 10, torch.Generator().manual_seed(4), steps=30):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(weight.expand(len(batch), 8), batch).backward()
        optimiser.step()
        want.append(torch.nn.functional.cross_entropy(weight.expand(47, 8), x).item())
    torch.testing.assert_close(logits, weight.detach())
    torch.testing.assert_close(history, torch.tensor(want))


def test_training_reaches_the_closed_form(reference):
    x = torch.tensor([0] * 5 + [1] * 3 + [2] * 2)
    logits, _ = reference.train_histogram(x, 3, 800, 1.0, 10, torch.Generator().manual_seed(0))
    torch.testing.assert_close(torch.log_softmax(logits, 0), reference.histogram_mle(x, 3), rtol=1e-3, atol=1e-3)
