"""Question 18 against a search for paths, torch.autograd, torch.distributions, the FVSBN and torch.optim."""

import itertools

import pytest
import torch
from torch.distributions import Bernoulli

from dgm import data


def strings(d):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=d)))


def random_made(reference, order, sizes, seed=0):
    torch.manual_seed(seed)
    model = reference.MADE(order, reference.cyclic_degrees(len(order), sizes))
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(std=0.8)
    return model


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
@pytest.mark.parametrize("sizes", [[], [6], [6, 7], [5, 4, 9]])
def test_paths_are_exactly_the_earlier_dimensions(reference, order, sizes):
    masks = reference.made_masks(torch.tensor(order), reference.cyclic_degrees(4, sizes))
    widths = [4, *sizes, 4]
    assert [tuple(mask.shape) for mask in masks] == list(zip(widths[1:], widths, strict=False))
    reached = {j: {j} for j in range(4)}  # units of the current layer that know input j
    for mask in masks:
        reached = {j: {k for k in range(len(mask)) for m in units if mask[k, m]} for j, units in reached.items()}
    for j, d in itertools.product(range(4), repeat=2):
        assert (d in reached[j]) == (order.index(j) < order.index(d))


def test_example_of_the_text(reference):
    first, last = reference.made_masks(torch.tensor([1, 2, 0]), [torch.tensor([1, 2])])  # degrees 3, 1, 2
    assert first.tolist() == [[0, 1, 0], [0, 1, 1]]
    assert last.tolist() == [[1, 1], [0, 0], [1, 0]]


def test_a_single_dimension_is_its_bias(reference):
    model = random_made(reference, torch.tensor([0]), [3])
    x = torch.tensor([[0.0], [1.0]])
    torch.testing.assert_close(model(x), model.layers[-1].bias.expand(2, 1))


@pytest.mark.parametrize("sizes", [[], [30], [40, 40]])
def test_sums_to_one_and_has_a_triangular_jacobian(reference, sizes):
    order = torch.randperm(8, generator=torch.Generator().manual_seed(len(sizes)))
    model = random_made(reference, order, sizes)
    assert float(reference.made_log_prob(model, strings(8)).detach().double().exp().sum()) == pytest.approx(1, abs=1e-5)
    total = torch.zeros(8, 8)
    for row in 3 * torch.randn(100, 8):
        total += torch.autograd.functional.jacobian(lambda x: model(x[None])[0], row).abs()
    total = total[order][:, order]
    assert not total.triu().any()
    assert (total.tril(-1) > 0).sum() == 28


def test_without_hidden_layers_it_is_the_fvsbn(reference):
    model = random_made(reference, torch.arange(5), [])
    want = reference.fvsbn_log_prob(strings(5), model.layers[0].weight, model.layers[0].bias)
    torch.testing.assert_close(reference.made_log_prob(model, strings(5)), want)


def test_log_prob_is_a_product_of_bernoullis(reference):
    model = random_made(reference, torch.tensor([2, 0, 3, 1]), [7])
    want = Bernoulli(logits=model(strings(4))).log_prob(strings(4)).sum(1)
    torch.testing.assert_close(reference.made_log_prob(model, strings(4)), want)


def test_samples_have_the_enumerated_probabilities(reference):
    model = random_made(reference, torch.tensor([2, 0, 1]), [6])
    uniforms = torch.rand(40_000, 3, generator=torch.Generator().manual_seed(0))
    samples = reference.made_sample(model, uniforms)
    counts = torch.bincount((samples @ torch.tensor([4.0, 2.0, 1.0])).long(), minlength=8).double()
    probs = reference.made_log_prob(model, strings(3)).double().exp().detach()
    assert float(((counts - 40_000 * probs) ** 2 / (40_000 * probs)).sum()) < 40  # chi-squared with 7 degrees, p = 1e-6


def test_planted_uniforms_force_bits(reference):
    model = random_made(reference, torch.randperm(6, generator=torch.Generator().manual_seed(1)), [9])
    known = (torch.rand(20, 6, generator=torch.Generator().manual_seed(2)) < 0.5).float()
    torch.testing.assert_close(reference.made_sample(model, 1 - known), known)


def test_masked_layer_keeps_its_mask(reference):
    mask = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    layer = reference.MaskedLinear(mask)
    assert {name for name, _ in layer.named_parameters()} == {"weight", "bias"}
    assert "mask" in dict(layer.named_buffers())
    layer(torch.randn(4, 3)).square().sum().backward()
    assert not (layer.weight.grad * (1 - mask)).any()
    torch.testing.assert_close(layer(torch.eye(3)), (layer.weight * mask).T + layer.bias)


def test_training_goes_down_to_the_entropy_of_the_data(reference):
    bits = torch.randint(0, 2, (256, 2), generator=torch.Generator().manual_seed(0)).float()
    x = torch.cat([bits, (bits[:, :1] - bits[:, 1:]).abs()], 1)  # the third bit is the XOR, which an FVSBN cannot learn
    frequencies = x.unique(dim=0, return_counts=True)[1] / 256
    entropy = -float((frequencies * frequencies.log()).sum())
    torch.manual_seed(0)
    model = reference.MADE(torch.arange(3), reference.cyclic_degrees(3, [32]))
    history = reference.train_made(model, x, 300, 64, 0.02, torch.Generator().manual_seed(0))
    assert len(history) == 300
    assert -float(reference.made_log_prob(model, x).mean()) == pytest.approx(entropy, abs=0.02)
    weights, biases = reference.fit_fvsbn(x, 1000)
    assert -float(reference.fvsbn_log_prob(x, weights, biases).mean()) > entropy + 0.5


def test_numbers_of_the_notebook(reference):
    train, test = (data.digits(split, binary="threshold")[0].flatten(1) for split in ("train", "test"))
    torch.manual_seed(0)
    model = reference.MADE(torch.arange(64), reference.cyclic_degrees(64, [512]))
    reference.train_made(model, train, 400, 128, 3e-3, torch.Generator().manual_seed(2))
    with torch.no_grad():
        assert -float(reference.made_log_prob(model, test).mean()) < 18.2  # 17.9 after 400 steps; 17.2 after 800
