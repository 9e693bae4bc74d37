"""Question 13 of problem set 1 against enumeration, torch.distributions, scikit-learn and closed forms."""

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.naive_bayes import BernoulliNB
from torch import nn


def randomise(module, scale=0.8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(scale * torch.randn(p.shape, generator=generator))
    return module


def all_images(height, width):
    bits = list(itertools.product([0.0, 1.0], repeat=height * width))
    return torch.tensor(bits).reshape(-1, 1, height, width)


@pytest.fixture
def network(reference):
    return randomise(reference.PixelCNN(5, 2, 3, 3))


class PixelBias(nn.Module):
    """Independent pixels: logits given by the label alone."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, x, y=None):
        return self.logits[torch.zeros(len(x), dtype=torch.long) if y is None else y].reshape(x.shape)


@pytest.mark.parametrize("label", [None, 0, 2])
def test_probabilities_sum_to_one(reference, network, label):
    x = all_images(3, 3)
    y = None if label is None else torch.full((len(x),), label)
    with torch.no_grad():
        total = reference.pixelcnn_log_prob(network.double(), x.double(), y).exp().sum()
    assert abs(float(total) - 1) < 1e-9


def test_log_prob_is_the_chain_rule(reference, network):
    """Pixel by pixel, from images whose future is scrambled."""
    generator = torch.Generator().manual_seed(3)
    x, y = (torch.rand(6, 1, 4, 5, generator=generator) < 0.4).float(), torch.tensor([0, 1, 2, 0, 1, 2])
    total = torch.zeros(6)
    for t in range(20):
        scrambled = x.clone().flatten(1)
        scrambled[:, t:] = (torch.rand(6, 20 - t, generator=generator) < 0.5).float()
        logit = network(scrambled.reshape(x.shape), y).flatten(1)[:, t]
        total += torch.distributions.Bernoulli(logits=logit).log_prob(x.flatten(1)[:, t])
    torch.testing.assert_close(reference.pixelcnn_log_prob(network, x, y), total, rtol=1e-4, atol=1e-4)


def test_labels(reference, network):
    x = (torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    y = torch.tensor([2, 0, 0])
    together = network(x, y)
    for n in range(3):
        torch.testing.assert_close(together[n : n + 1], network(x[n : n + 1], y[n : n + 1]), rtol=1e-4, atol=1e-5)
    for label_map in network.label_maps:
        nn.init.zeros_(label_map.weight)
    torch.testing.assert_close(network(x, y), network(x))


def test_extreme_logits(reference):
    x = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    for logits, expected in (([500.0, -500.0], 0.0), ([-500.0, 500.0], -1000.0)):
        model = PixelBias(torch.tensor([logits]))
        assert reference.pixelcnn_log_prob(model, x).item() == pytest.approx(expected, abs=1e-6)


def test_sample_frequencies(reference, network):
    x, n = all_images(2, 2), 20000
    with torch.no_grad():
        p = reference.pixelcnn_log_prob(network, x, torch.ones(16, dtype=torch.long)).exp()
    uniforms = torch.rand(n, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    drawn = reference.pixelcnn_sample(network, uniforms, torch.ones(n, dtype=torch.long))
    code = (drawn.flatten(1) @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long()
    counts = torch.bincount(code, minlength=16)
    assert (((counts - n * p).abs()) < 5 * (n * p * (1 - p)).sqrt() + 3).all()


def test_completion_is_the_exact_conditional(reference, network):
    """Observed first row of 2×2 images: frequencies against Bayes' rule by enumeration."""
    x, n = all_images(2, 2), 20000
    with torch.no_grad():
        p = reference.pixelcnn_log_prob(network, x).exp()
    given = x[9:12][:1]  # first row (1, 0)
    same = (x[:, 0, 0] == given[:, 0, 0]).all(1)
    conditional = p * same / p[same].sum()
    observed = torch.tensor([[True, True], [False, False]]).expand(n, 1, 2, 2)
    uniforms = torch.rand(n, 1, 2, 2, generator=torch.Generator().manual_seed(1))
    images = given.expand(n, 1, 2, 2)
    drawn = reference.pixelcnn_complete(network, images, observed, uniforms)
    assert torch.equal(drawn[observed], images[observed])
    code = (drawn.flatten(1) @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long()
    counts = torch.bincount(code, minlength=16)
    assert (((counts - n * conditional).abs()) < 5 * (n * conditional * (1 - conditional)).sqrt() + 3).all()


def test_mode_is_kept(reference, network):
    u = torch.rand(2, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    for mode in (True, False):
        network.train(mode)
        reference.pixelcnn_sample(network, u)
        reference.pixelcnn_classify(network, (u > 0.5).float(), torch.zeros(3))
        assert network.training is mode


def test_posterior_by_enumeration(reference, network):
    x, log_prior = all_images(2, 3), torch.tensor([0.2, 0.5, 0.3]).log()
    with torch.no_grad():
        labels = [torch.full((64,), k) for k in range(3)]
        p = torch.stack([reference.pixelcnn_log_prob(network.double(), x.double(), y).exp() for y in labels], 1)
    joint = p * log_prior.exp()
    expected = (joint / joint.sum(1, keepdim=True)).log()
    found = reference.pixelcnn_classify(network, x.double(), log_prior)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    # equation (5): a label is worth at most -log p(y), and at least 0 on average
    gain = p.log() - joint.sum(1, keepdim=True).log()
    assert (gain <= -log_prior + 1e-6).all()
    assert float((joint * gain).sum()) >= 0


def test_independent_pixels_are_naive_bayes(reference):
    generator = np.random.default_rng(0)
    x, y = (generator.random((60, 6)) < 0.5).astype(float), np.arange(60) % 3
    bayes = BernoulliNB(alpha=1.0).fit(x, y)
    log_odds = bayes.feature_log_prob_ - np.log1p(-np.exp(bayes.feature_log_prob_))
    model = PixelBias(torch.tensor(log_odds))
    found = reference.pixelcnn_classify(model, torch.tensor(x).reshape(-1, 1, 2, 3), torch.tensor(bayes.class_log_prior_))
    np.testing.assert_allclose(found.numpy(), bayes.predict_log_proba(x), rtol=1e-9, atol=1e-9)


def test_training_finds_the_frequencies(reference):
    """Independent pixels by class have a closed-form maximum: the log-odds of the frequencies."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(30) % 2
    x = (torch.rand(30, 1, 2, 2, generator=generator) < 0.3 + 0.3 * y[:, None, None, None]).float()
    model = PixelBias(torch.zeros(2, 4))
    history = reference.train_pixelcnn(model, x, y, 500, 30, 0.05, generator)
    frequency = torch.stack([x[y == k].flatten(1).mean(0) for k in range(2)])
    torch.testing.assert_close(torch.sigmoid(model.logits.detach()), frequency, atol=2e-3, rtol=0)
    entropy = -(frequency * frequency.log() + (1 - frequency) * (1 - frequency).log()).sum(1).mean()
    assert len(history) == 500 and history[0] == pytest.approx(4 * math.log(2), rel=1e-5)
    assert history[-1] == pytest.approx(float(entropy), abs=1e-3)


def test_training_equals_a_plain_loop(reference):
    """The same weights as a hand-written Adam (Kingma & Ba, Algorithm 1) on the same minibatches."""
    from dgm import data

    x = (torch.rand(23, 1, 2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64) < 0.4).double()
    y = torch.arange(23) % 3
    model = PixelBias(torch.zeros(3, 4, dtype=torch.float64))
    reference.train_pixelcnn(model, x, y, 40, 8, 0.03, torch.Generator().manual_seed(5))
    w, m, v = (torch.zeros(3, 4, dtype=torch.float64) for _ in range(3))
    batches = data.batches((x, y), 8, torch.Generator().manual_seed(5), steps=40)
    for t, (images, labels) in enumerate(batches, start=1):
        residual = torch.sigmoid(w[labels]) - images.flatten(1)
        g = torch.zeros_like(w).index_add_(0, labels, residual / len(images))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.03 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    torch.testing.assert_close(model.logits.detach(), w)
