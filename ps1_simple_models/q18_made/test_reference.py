"""Question 18 against a search for paths, torch.autograd, torch.distributions, enumeration and the FVSBN."""

import itertools

import pytest
import torch

from dgm import data


def log_prob(reference, model, x):
    return reference.bernoulli_log_prob(model(x), x)


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
    assert float(log_prob(reference, model, strings(8)).detach().double().exp().sum()) == pytest.approx(1, abs=1e-5)
    total = torch.zeros(8, 8)
    for row in 3 * torch.randn(100, 8):
        total += torch.autograd.functional.jacobian(lambda x: model(x[None])[0], row).abs()
    total = total[order][:, order]
    assert not total.triu().any()
    assert (total.tril(-1) > 0).sum() == 28


def test_without_hidden_layers_it_is_the_fvsbn(reference):
    model = random_made(reference, torch.arange(5), [])
    want = reference.fvsbn_log_prob(strings(5), model.layers[0].weight, model.layers[0].bias)
    torch.testing.assert_close(log_prob(reference, model, strings(5)), want)


def test_samples_have_the_enumerated_probabilities(reference):
    model = random_made(reference, torch.tensor([2, 0, 1]), [6])
    uniforms = torch.rand(40_000, 3, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros(40_000, 3)
    samples = reference.made_sample(model, nothing, nothing > 0, uniforms)
    counts = torch.bincount((samples @ torch.tensor([4.0, 2.0, 1.0])).long(), minlength=8).double()
    codes = (strings(3) @ torch.tensor([4.0, 2.0, 1.0])).long()
    probs = torch.zeros(8, dtype=torch.double)
    probs[codes] = log_prob(reference, model, strings(3)).double().exp().detach()
    assert float(((counts - 40_000 * probs) ** 2 / (40_000 * probs)).sum()) < 40  # chi-squared with 7 degrees, p = 1e-6


def test_completions_have_the_exact_conditional_if_the_known_come_first(reference):
    model = random_made(reference, torch.tensor([3, 1, 0, 2]), [9])
    x = torch.tensor([0.0, 1.0, 0.0, 1.0]).expand(40_000, 4)
    known = torch.tensor([False, True, False, True]).expand(40_000, 4)
    uniforms = torch.rand(40_000, 4, generator=torch.Generator().manual_seed(0))
    samples = reference.made_sample(model, x, known, uniforms)
    assert torch.equal(samples[:, [1, 3]], torch.ones(40_000, 2))
    joint = strings(4)
    joint = joint[(joint[:, 1] == 1) & (joint[:, 3] == 1)]
    probs = torch.softmax(log_prob(reference, model, joint).double().detach(), 0)
    counts = torch.stack([(samples == row).all(1).sum() for row in joint])
    assert float(((counts - 40_000 * probs) ** 2 / (40_000 * probs)).sum()) < 31  # 3 degrees, p = 1e-6


def test_in_the_order_of_the_pixels_it_is_the_sampler_of_question_9(reference):
    model = random_made(reference, torch.arange(6), [9])
    generator = torch.Generator().manual_seed(1)
    x, uniforms = (torch.rand(20, 6, generator=generator) < 0.5).float(), torch.rand(20, 6, generator=generator)
    known = torch.rand(20, 6, generator=generator) < 0.4
    expected = reference.ancestral_sample(model, x, known, uniforms)
    torch.testing.assert_close(reference.made_sample(model, x, known, uniforms), expected)


def test_masked_layer_keeps_its_mask(reference):
    mask = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    layer = reference.MaskedLinear(mask)
    assert {name for name, _ in layer.named_parameters()} == {"weight", "bias"}
    assert "mask" in dict(layer.named_buffers())
    layer(torch.randn(4, 3)).square().sum().backward()
    assert not (layer.weight.grad * (1 - mask)).any()
    torch.testing.assert_close(layer(torch.eye(3)), (layer.weight * mask).T + layer.bias)


class Scorer(torch.nn.Module):
    def __init__(self, reference, made):
        super().__init__()
        self.reference, self.made = reference, made

    def forward(self, x):
        return -log_prob(self.reference, self.made, x)


def test_training_goes_down_to_the_entropy_of_the_data(reference):
    bits = torch.randint(0, 2, (256, 2), generator=torch.Generator().manual_seed(0)).float()
    x = torch.cat([bits, (bits[:, :1] - bits[:, 1:]).abs()], 1)  # the third bit is the XOR, which an FVSBN cannot learn
    frequencies = x.unique(dim=0, return_counts=True)[1] / 256
    entropy = -float((frequencies * frequencies.log()).sum())
    torch.manual_seed(0)
    scorer = Scorer(reference, reference.MADE(torch.arange(3), reference.cyclic_degrees(3, [32])))
    losses = reference.train_and_log(scorer, x, x, 75, 64, 0.02, torch.Generator().manual_seed(0))[1]
    assert losses[-1] == pytest.approx(entropy, abs=0.02)
    weights, biases = reference.fit_fvsbn(x, 1000)
    assert -float(reference.fvsbn_log_prob(x, weights, biases).mean()) > entropy + 0.5


def test_the_order_hardly_matters_for_the_likelihood_but_a_leak_does(reference):
    """On 8×8 digits: two orders are a nat or two apart, and a network that sees itself is far too good."""
    train, test = (data.digits(split, binary="threshold")[0].flatten(1) for split in ("train", "test"))
    losses = []
    for order in (torch.arange(64), torch.randperm(64, generator=torch.Generator().manual_seed(0))):
        torch.manual_seed(0)
        scorer = Scorer(reference, reference.MADE(order, reference.cyclic_degrees(64, [256])))
        losses.append(reference.train_and_log(scorer, train, test, 12, 64, 5e-3, torch.Generator().manual_seed(2))[1][-1])
    assert abs(losses[0] - losses[1]) < 2 and max(losses) < 19
    torch.manual_seed(0)
    leaky = Scorer(reference, reference.MADE(torch.arange(64), reference.cyclic_degrees(64, [256])))
    leaky.made.layers[-1].mask.copy_(torch.arange(1, 65)[:, None] >= reference.cyclic_degrees(64, [256])[0])
    assert reference.train_and_log(leaky, train, test, 12, 64, 5e-3, torch.Generator().manual_seed(2))[1][-1] < 5
