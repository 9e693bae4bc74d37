"""Question 10 against enumeration, entropies, a closed form, and the numbers of the notebook."""

import gzip
import itertools
import lzma
import math
import random

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from dgm import data
from dgm.checks.rng import Rng

from .probes import right_pop, right_push, with_right_stack
from .tables import Tables, large, pictures

TABLES = [[3, 1], [1], [7], [0, 5, 0], [2, 0, 3, 0, 0, 4], [1] * 9, [8, 4, 2, 1, 1], [1, 1000, 1]]


@pytest.mark.parametrize("frequencies", TABLES)
def test_pop_and_push_are_inverse_and_reach_every_number_once(reference, frequencies):
    for stack in range(3000):
        below, symbol = reference.pop(stack, frequencies)
        assert frequencies[symbol] > 0
        assert reference.push(below, symbol, frequencies) == stack
    possible = [i for i, f in enumerate(frequencies) if f]
    for stack, symbol in itertools.product(range(300), possible):
        assert reference.pop(reference.push(stack, symbol, frequencies), frequencies) == (stack, symbol)


@pytest.mark.parametrize("frequencies", TABLES)
def test_pop_by_lists_of_slots(reference, frequencies):
    """Slots as a list of owners; the new stack counts the symbol's slots below the old one."""
    owners = [i for i, f in enumerate(frequencies) for _ in range(f)]
    seen = dict.fromkeys(range(len(frequencies)), 0)
    for stack in range(40 * len(owners) if len(owners) < 100 else 3 * len(owners)):
        symbol = owners[stack % len(owners)]
        assert reference.pop(stack, frequencies) == (seen[symbol], symbol)
        seen[symbol] += 1


def test_the_length_is_the_information(reference):
    draw = random.Random(0)
    frequencies = [500, 300, 150, 49, 1]
    symbols = draw.choices(range(5), frequencies, k=2000)
    stack = 1 << 64
    for symbol in symbols:
        stack = reference.push(stack, symbol, frequencies)
    bits = -sum(math.log2(frequencies[symbol] / 1000) for symbol in symbols)
    assert stack.bit_length() - 65 == pytest.approx(bits, abs=2)


def test_pops_of_random_bits_draw_symbols(reference):
    frequencies, stack = [5, 0, 2, 1, 4], large(Rng(0), 40_000)
    counts = np.zeros(5)
    for _ in range(8000):
        stack, symbol = reference.pop(stack, frequencies)
        counts[symbol] += 1
    assert stack.bit_length() > 10_000
    expected = 8000 * np.array(frequencies) / 12
    kept = expected > 0
    assert counts[1] == 0
    assert ((counts - expected)[kept] ** 2 / expected[kept]).sum() < 31  # chi-squared with 3 degrees, p = 1e-6


class Mixture:
    """Symbols 0 to 7 with four causes; p(z) and p(x | z) in 1000ths, and a stand-in q(z | x)."""

    def __init__(self, seed, exact):
        draw = random.Random(seed)
        self.p_z = [100, 200, 300, 400]
        self.p_x = [[1 + draw.randrange(60) ** 2 for _ in range(8)] for _ in range(4)]
        self.p_x = [[max(1, 1000 * f // sum(row)) for f in row] for row in self.p_x]
        joint = [[z / 1000 * row[x] / sum(row) for z, row in zip(self.p_z, self.p_x)] for x in range(8)]
        self.joint = joint
        power = 1.0 if exact else 0.6
        self.q = [[1 + int(2**20 * (j / sum(row)) ** power) for j in row] for row in joint]

    def prior(self):
        return [self.p_z]

    def posterior(self, x):
        return [self.q[x[0]]]

    def likelihood(self, z):
        return [self.p_x[z[0]]]


@pytest.mark.parametrize("seed", range(5))
def test_2000_symbols_cost_the_elbo(reference, seed):
    """A crude q: the message has the length of the -ELBO within 1 %, above -log p; without bits back it is the joint cost."""
    model, draw = Mixture(seed, exact=False), random.Random(100 + seed)
    p_x = [sum(row) for row in model.joint]
    symbols = draw.choices(range(8), p_x, k=2000)
    before = (1 << 199) + draw.getrandbits(199)
    stack = reference.bits_back_encode(before, [[x] for x in symbols], model)
    assert reference.bits_back_decode(stack, 2000, model) == (before, [[x] for x in symbols])
    bound = exact = paid = 0.0
    for x in symbols:
        q = [f / sum(model.q[x]) for f in model.q[x]]
        bound += sum(w * math.log2(w / j) for w, j in zip(q, model.joint[x]))
        exact -= math.log2(p_x[x])
        paid -= sum(w * math.log2(j) for w, j in zip(q, model.joint[x]))
    length = stack.bit_length() - before.bit_length()
    assert length == pytest.approx(bound, rel=0.01)
    assert length > 1.005 * exact
    plain = before
    for x in symbols:
        z = draw.choices(range(4), model.q[x])[0]
        plain = reference.push(reference.push(plain, x, model.p_x[z]), z, model.p_z)
    assert plain.bit_length() - before.bit_length() == pytest.approx(paid, rel=0.02)
    assert paid > 1.5 * bound


def test_with_the_posterior_every_code_costs_log_p(reference):
    model, draw = Mixture(3, exact=True), random.Random(0)
    p_x = [sum(row) for row in model.joint]
    symbols = draw.choices(range(8), p_x, k=2000)
    for seed in range(3):
        before = (1 << 199) + random.Random(seed).getrandbits(199)
        stack = reference.bits_back_encode(before, [[x] for x in symbols], model)
        length = stack.bit_length() - before.bit_length()
        assert length == pytest.approx(-sum(math.log2(p_x[x]) for x in symbols), abs=3)


@pytest.mark.parametrize("seed", range(20))
def test_every_number_is_a_message(reference, seed):
    """The decoder of random numbers and the encoder undo each other, in both directions."""
    rng = Rng(seed)
    model = Tables(rng, latents=3, pixels=5, causes=4, levels=3)
    message = large(rng, 20 + 20 * seed)
    stack, images = reference.bits_back_decode(message, 6, model)
    assert reference.bits_back_encode(stack, images, model) == message
    images = pictures(rng, 6, 5, 3)
    assert reference.bits_back_decode(reference.bits_back_encode(message, images, model), 6, model) == (message, images)


@pytest.mark.parametrize("frequencies", TABLES)
def test_the_graders_push_and_pop(reference, frequencies):
    for stack in range(300):
        assert right_pop(stack, frequencies) == reference.pop(stack, frequencies)
        symbol = max(range(len(frequencies)), key=frequencies.__getitem__)
        assert right_push(stack, symbol, frequencies) == reference.push(stack, symbol, frequencies)


def test_a_wrong_stack_costs_the_coders_nothing(reference):
    """Whatever `pop` and `pop_all` of the notebook are, while the coder is asked they are the grader's; afterwards they are back."""
    names = {"pop": None, "pop_all": lambda stack, tables: (0, [])}
    exec("def encode(stack, images, model):\n    for x in images:\n        stack, z = pop_all(stack, model.posterior(x))\n"
         "        stack = push_all(push_all(stack, x, model.likelihood(z)), z, model.prior())\n    return stack", names)
    before, rng = dict(names), Rng(0)
    model, images = Tables(rng), pictures(rng, 3)
    assert with_right_stack(names["encode"])(12345, images, model) == reference.bits_back_encode(12345, images, model)
    assert {key: value for key, value in names.items() if key != "__builtins__"} == {key: value for key, value in before.items() if key != "__builtins__"}


@pytest.mark.parametrize("kind", ["certain", "gaps"])
def test_posteriors_with_zeros(reference, kind):
    rng = Rng(1)
    model = Tables(rng, causes=4, **{kind: True})
    images = pictures(rng, 10)
    assert reference.bits_back_decode(reference.bits_back_encode(12345, images, model), 10, model) == (12345, images)
    if kind == "certain":
        assert any(0 in table for table in model.posterior(images[0]))


class Bent(torch.nn.Module):
    latent_dim = 2

    def encode(self, x):
        return x[:, :2] * 3 - 1.2, x[:, 2:] - torch.tensor([[1.0, 2.5]])

    def decode(self, z):
        return torch.stack([z[..., 0] + z[..., 1], -2 * z[..., 0], z[..., 1] ** 2, z[..., 0]], -1)


def test_buckets_against_the_gaussian(reference):
    """Tables of q are masses of equal buckets of the prior; the message costs the -ELBO by quadrature."""
    model = reference.VAETables(Bent(), buckets=512)
    x = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    mean, logvar = Bent().encode(x)
    edges = Normal(0.0, 1.0).icdf(torch.linspace(0, 1, 513, dtype=torch.float64))
    total_kl = 0.0
    for i, table in enumerate(model.posterior([1, 0, 1, 0])):
        mass = torch.tensor(table, dtype=torch.float64) / sum(table)
        q = Normal(mean[0, i].double(), (logvar[0, i].double() / 2).exp())
        torch.testing.assert_close(mass, q.cdf(edges).diff(), atol=5e-5, rtol=0)
        assert float(mass.sum()) == pytest.approx(1) and min(table) >= 1
        total_kl += float((mass * (mass * 512).log()).sum())
    exact = 0.5 * float((mean.square() + logvar.exp() - 1 - logvar).sum())
    assert total_kl == pytest.approx(exact, rel=0.02)
    assert model.prior() == [[1] * 512] * 2
    white = torch.sigmoid(Bent().decode(model.centres[[100, 400]]))
    for share, (zero, one) in zip(white.tolist(), model.likelihood([100, 400]), strict=True):
        assert one / (zero + one) == pytest.approx(share, abs=1e-5)


def test_the_bucket_of_the_mean(reference):
    tables = reference.VAETables(Bent(), buckets=16, noise=0).posterior([1, 0, 1, 0])
    assert [table.index(1) for table in tables] == [int(16 * Normal(0.0, 1.0).cdf(torch.tensor(m))) for m in (1.8, -1.2)]
    assert all(sum(table) == 1 for table in tables)


def test_cause_tables_cost_the_evidence(reference):
    """Question 2's model with its posterior: the message has -log2 p(x) bits."""
    causes, flat = reference.glyph_causes(), torch.full((250,), -math.log(250), dtype=torch.float64)
    numbers = torch.Generator().manual_seed(0)
    z = torch.randint(250, (5,), generator=numbers)
    x = (causes[z] - (torch.rand(5, 256, generator=numbers) < 0.3).double()).abs()
    model = reference.CauseTables(causes, 0.3, lambda joint: joint.log_softmax(1))
    before = large(Rng(0), 100)
    stack = reference.bits_back_encode(before, x.int().tolist(), model)
    assert reference.bits_back_decode(stack, 5, model) == (before, x.int().tolist())
    log_p = reference.exact_posterior(reference.glyph_log_joint(x, causes, flat, 0.3))[0]
    assert stack.bit_length() - 100 == pytest.approx(-float(log_p.sum()) / math.log(2), abs=2)


def test_sizes_of_the_notebook():
    packed = [np.packbits(data.digits(split, binary="threshold")[0].flatten(1).numpy().astype(np.uint8)).tobytes() for split in ("train", "test")]
    assert len(packed[1]) == 360 * 8
    assert len(gzip.compress(packed[1])) == pytest.approx(1715, abs=25)
    assert len(lzma.compress(packed[1])) == pytest.approx(1908, abs=25)
    assert len(lzma.compress(b"".join(packed))) - len(lzma.compress(packed[0])) == pytest.approx(1424, abs=40)
