"""Question 11 against enumeration, torch.distributions, scikit-learn and Bayes' rule."""

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


def test_every_earlier_pixel_is_seen_and_no_later_one(reference, network):
    image = (torch.rand(1, 5, 5, generator=torch.Generator().manual_seed(1)) < 0.5).double()
    seen = reference.receptive_field(network.double(), image, 3, 2).flatten()
    assert (seen[:17] > 0).all() and (seen[17:] == 0).all()


def test_labels(reference, network):
    x = (torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    y = torch.tensor([2, 0, 0])
    together = network(x, y)
    for n in range(3):
        torch.testing.assert_close(together[n : n + 1], network(x[n : n + 1], y[n : n + 1]), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(network(x), network(x, 0 * y))  # no label is not class 0
    for label_map in network.label_maps:
        nn.init.zeros_(label_map.weight)
    torch.testing.assert_close(network(x, y), network(x))


def test_completion_is_the_exact_conditional(reference, network):
    """Observed first row of 2×2 images: frequencies against Bayes' rule by enumeration."""
    x, n = all_images(2, 2), 20000
    y = torch.ones(n, dtype=torch.long)
    with torch.no_grad():
        p = reference.pixelcnn_log_prob(network, x, y[:16]).exp()
    given = x[9:10]  # first row (1, 0)
    same = (x[:, 0, 0] == given[:, 0, 0]).all(1)
    conditional = p * same / p[same].sum()
    known = torch.tensor([[True, True], [False, False]]).expand(n, 1, 2, 2)
    uniforms = torch.rand(n, 1, 2, 2, generator=torch.Generator().manual_seed(1))
    drawn = reference.ancestral_sample(lambda images: network(images, y), given.expand(n, 1, 2, 2), known, uniforms)
    assert torch.equal(drawn[known], given.expand(n, 1, 2, 2)[known])
    code = (drawn.flatten(1) @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long()
    counts = torch.bincount(code, minlength=16)
    assert (((counts - n * conditional).abs()) < 5 * (n * conditional * (1 - conditional)).sqrt() + 3).all()


def test_mode_is_kept(reference, network):
    x = (torch.rand(2, 1, 3, 3, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    for mode in (True, False):
        network.train(mode)
        reference.pixelcnn_classify(network, x, torch.zeros(3))
        assert network.training is mode and network.head.training is mode


def test_posterior_by_enumeration(reference, network):
    x, log_prior = all_images(2, 3), torch.tensor([0.2, 0.5, 0.3]).log()
    with torch.no_grad():
        labels = [torch.full((64,), k) for k in range(3)]
        p = torch.stack([reference.pixelcnn_log_prob(network.double(), x.double(), y).exp() for y in labels], 1)
    joint = p * log_prior.exp()
    expected = (joint / joint.sum(1, keepdim=True)).log()
    found = reference.pixelcnn_classify(network, x.double(), log_prior)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    # a label is worth at most -log p(y), and at least 0 on average
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


def test_a_gap_in_log_probabilities(reference):
    """The worked number of the text, far below the range of float32."""
    model = PixelBias(torch.tensor([[-1000.0, 0.0], [-1002.0, 0.0]]))
    x = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    found = reference.pixelcnn_classify(model, x, torch.zeros(2)).exp()
    assert found[0, 0].item() == pytest.approx(1 / (1 + math.exp(-2)), rel=1e-4)


def test_training_learns_streaks(reference):
    """Told the direction of the streaks, a trained network is near the entropy of the data that the probe draws."""
    from dgm.checks.rng import Rng
    from ps1_simple_models.q11_pixelcnn.judges import SIDE, training_data
    from ps1_simple_models.q11_pixelcnn.probes import ScoredForProbe

    x, y, new_x, new_y, _ = training_data(Rng(1))
    torch.manual_seed(0)
    model = ScoredForProbe(reference.PixelCNN(6, 1, 3, 3))
    batches = [torch.cat([a, b[:, None, None, None].expand_as(a).float()], 1) for a, b in ((x, y), (new_x, new_y))]
    _, test_losses = reference.train_and_log(model, *batches, 8, 16, 0.02, torch.Generator().manual_seed(0))
    noise = -(0.05 * math.log(0.05) + 0.95 * math.log(0.95))
    entropy = SIDE * math.log(2) + SIDE * (SIDE - 1) * noise
    assert entropy - 1 < test_losses[-1] < 0.7 * SIDE * SIDE * math.log(2)


def test_messages_do_not_name_the_expected_numbers(reference):
    """With a kept seed they would answer the question at the next try."""
    from dgm.checks.judges import Context
    from ps1_simple_models.q11_pixelcnn.judges import SIDE, drawing_network, learned, raster_drawn, training_data

    context = Context(1, reference=reference)
    model, cases = drawing_network(reference.PixelCNN, context.rng())
    drawn = {name: np.zeros(x.shape, dtype=np.float32) + x.numpy() for name, (x, *_) in cases.items()}
    message = raster_drawn(drawn, drawn, context)
    assert "is below its probability" in message and "." not in message.removesuffix(".").split("(counted")[1]
    x = training_data(context.rng())[2].flatten(1).numpy()
    message = learned({"held-out": np.zeros(x.shape)}, {"held-out": 2.0 * (2 * x - 1)}, context)
    right = SIDE * SIDE * math.log(1 + math.exp(-2))
    assert "right training" in message and f"{right:.2f}" not in message
