"""Question 4 against rotations of complex numbers, enumeration, and PyTorch's attention."""

import cmath
import itertools
import math

import pytest
import torch
from torch.nn import functional as F


def test_the_worked_numbers_of_the_text(reference):
    code = reference.sinusoidal(torch.tensor([1]), 4)[0]
    torch.testing.assert_close(code, torch.tensor([0.841, 0.540, 0.010, 1.000]), atol=5e-4, rtol=0)
    turned = reference.rope(torch.tensor([[1.0, 0, 1, 0]]), torch.tensor([1]))[0]
    torch.testing.assert_close(turned, torch.tensor([0.540, 0.841, 1.000, 0.010]), atol=5e-4, rtol=0)
    assert math.isclose(reference.stretched_base(10000.0, 4, 2.0), 40000.0)


def test_each_pair_is_a_complex_number_that_is_multiplied(reference):
    x, base, dim = torch.randn(7, 10, generator=torch.Generator().manual_seed(0)).double(), 300.0, 10
    positions = torch.tensor([0, 3, 17, -4, 250, 1, 2])
    got = reference.rope(x, positions, base)
    for t, p in enumerate(positions.tolist()):
        for i in range(dim // 2):
            turned = complex(*x[t, 2 * i : 2 * i + 2].tolist()) * cmath.exp(1j * p * base ** (-2 * i / dim))
            assert abs(complex(*got[t, 2 * i : 2 * i + 2].tolist()) - turned) < 1e-12


def test_scores_depend_on_differences_only_and_lengths_stay(reference):
    generator = torch.Generator().manual_seed(1)
    q, k = (torch.randn(6, 8, generator=generator).double() for _ in range(2))
    positions = torch.tensor([0, 1, 5, 9, 30, 31])

    def scores(shift):
        return reference.rope(q, positions + shift) @ reference.rope(k, positions + shift).T

    torch.testing.assert_close(scores(0), scores(1000), atol=1e-10, rtol=0)
    torch.testing.assert_close(reference.rope(q, positions).norm(dim=-1), q.norm(dim=-1))
    torch.testing.assert_close(reference.rope(q, 0 * positions), q)


def test_the_two_layouts_are_the_same_up_to_an_order_of_the_entries(reference):
    x, positions, base, half = torch.randn(5, 8, generator=torch.Generator().manual_seed(2)), torch.arange(5), 100.0, 4
    angles = positions[:, None] * base ** (-torch.arange(half) / half)
    angles = torch.cat([angles, angles], 1)
    order = torch.cat([torch.arange(0, 8, 2), torch.arange(1, 8, 2)])   # from neighbours to halves
    halves = x[:, order]
    rotated = halves * angles.cos() + torch.cat([-halves[:, half:], halves[:, :half]], 1) * angles.sin()
    torch.testing.assert_close(reference.rope(x, positions, base)[:, order], rotated)


@pytest.mark.parametrize("dim", [4, 6, 16, 128])
@pytest.mark.parametrize("factor", [2.0, 4.0, 32.0])
def test_the_fastest_hand_is_kept_and_the_slowest_divided(reference, dim, factor):
    def speeds(base):
        turned = reference.rope(torch.tensor([[1.0, 0.0] * (dim // 2)]).double(), torch.tensor([1]), base)[0]
        return torch.atan2(turned[1::2], turned[0::2])

    old, new = speeds(10000.0), speeds(reference.stretched_base(10000.0, dim, factor))
    assert math.isclose(float(old[0] / new[0]), 1.0, rel_tol=1e-12)
    assert math.isclose(float(old[-1] / new[-1]), factor, rel_tol=1e-9)


def test_look_alike_for_all_short_sequences(reference):
    generator = torch.Generator().manual_seed(3)
    table = torch.randn(3, 6, generator=generator).double()
    weights = torch.randn(3, 6, 6, generator=generator).double()

    def last(ids):
        q, k, v = (table[ids] @ weight for weight in weights)
        return F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0, -1]

    for length in (3, 4, 5):
        for tokens in itertools.product(range(3), repeat=length):
            if len(set(tokens[:-1])) == 1:
                continue
            ids = torch.tensor(tokens)
            other = reference.look_alike(ids)
            assert not torch.equal(ids, other)
            torch.testing.assert_close(last(ids), last(other), atol=1e-12, rtol=0)


def test_order_shows_from_the_second_causal_layer_on(reference):
    x = torch.randn(9, 6, generator=torch.Generator().manual_seed(4)).double()
    other = x[reference.look_alike(torch.arange(9))]

    def change(depth, causal):
        return float((reference.random_layers(x, depth, causal)[-1] - reference.random_layers(other, depth, causal)[-1]).norm())

    assert change(1, True) < 1e-12
    assert change(4, False) < 1e-12
    assert change(2, True) > 1e-3


def test_positions_of_a_transformer_library(reference):
    """With the extra ``libraries``: the interleaved rotation of another project."""
    rotary = pytest.importorskip("diffusers.models.embeddings")
    x, positions = torch.randn(1, 1, 6, 8, generator=torch.Generator().manual_seed(5)), torch.arange(6)
    freqs = rotary.get_1d_rotary_pos_embed(8, positions, use_real=True)
    torch.testing.assert_close(reference.rope(x, positions), rotary.apply_rotary_emb(x, freqs), atol=1e-5, rtol=0)
