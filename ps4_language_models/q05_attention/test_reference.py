"""Question 5 against PyTorch's attention and its MultiheadAttention with copied weights, and against counted work."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from ps4_language_models.q05_attention.probes import Made


def parts(*shape, seed=0, n=3):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=generator, dtype=torch.float64) for _ in range(n)]


def test_the_worked_number_of_the_text(reference):
    q, k = torch.tensor([[1.0]]), torch.tensor([[0.0], [math.log(3)]])
    answer = reference.attend(q, k, torch.tensor([[8.0], [0.0]]), torch.ones(1, 2, dtype=torch.bool))
    torch.testing.assert_close(answer, torch.tensor([[2.0]]))


@pytest.mark.parametrize("seed", range(3))
def test_against_the_library(reference, seed):
    q, k, v = parts(2, 3, 7, 4, seed=seed)
    mask = torch.rand(7, 7, generator=torch.Generator().manual_seed(seed)) > 0.4
    mask |= torch.eye(7, dtype=torch.bool)
    torch.testing.assert_close(reference.attend(q, k, v, mask), F.scaled_dot_product_attention(q, k, v, attn_mask=mask))
    torch.testing.assert_close(reference.attend(q, k, v, reference.causal_mask(7)), F.scaled_dot_product_attention(q, k, v, is_causal=True))


def test_an_empty_row_is_zero_and_its_gradient_finite(reference):
    leaves = [part.requires_grad_() for part in parts(5, 4)]
    mask = torch.ones(5, 5, dtype=torch.bool).tril(-1)
    answer = reference.attend(*leaves, mask)
    assert not answer[0].any()
    answer.sum().backward()
    assert all(leaf.grad.isfinite().all() for leaf in leaves)


@pytest.mark.parametrize("window", [1, 2, 3, 8, 9, 30])
def test_a_window_is_a_masked_dense_attention(reference, window):
    q, k, v = parts(2, 9, 4, seed=window)
    dense = reference.attend(q, k, v, reference.causal_mask(9, window))
    torch.testing.assert_close(reference.sliding_window_attention(q, k, v, window), dense)
    assert reference.causal_mask(9, window).sum(1).tolist() == [min(i + 1, window) for i in range(9)]


def test_the_work_of_a_window_is_linear(reference):
    def counts(length):
        inputs = parts(length, 8)
        with Made() as made, FlopCounterMode(display=False) as flops:
            reference.sliding_window_attention(*inputs, 4)
        return made.count, flops.get_total_flops()

    (made, flops), (made_twice, flops_twice) = counts(256), counts(512)
    assert made_twice < 2.1 * made
    assert flops_twice == 2 * flops == 2 * 256 * 4 * 8 * 4   # scores and mean: 2 operations each


def without_rope(reference, layer, x):
    names = reference.CausalSelfAttention.forward.__globals__
    kept = names["rope"]
    names["rope"] = lambda x, positions, base: x
    try:
        return layer(x)
    finally:
        names["rope"] = kept


def test_against_multihead_attention_with_copied_weights(reference):
    layer, other = reference.CausalSelfAttention(12, 3).double(), nn.MultiheadAttention(12, 3, bias=False, batch_first=True).double()
    with torch.no_grad():
        other.in_proj_weight.copy_(torch.cat([layer.to_q.weight, layer.to_k.weight, layer.to_v.weight]))
        other.out_proj.weight.copy_(layer.out.weight)
    (x,) = parts(2, 6, 12, n=1)
    expected = other(x, x, x, attn_mask=~reference.causal_mask(6), need_weights=False)[0]   # there True hides
    torch.testing.assert_close(without_rope(reference, layer, x), expected)


def test_grouped_heads_against_the_library(reference):
    layer = reference.CausalSelfAttention(16, 8, 2).double()
    (x,) = parts(2, 5, 16, n=1)
    q, k, v = (each(x).unflatten(-1, (-1, 2)).transpose(1, 2) for each in (layer.to_q, layer.to_k, layer.to_v))
    answer = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    torch.testing.assert_close(without_rope(reference, layer, x), layer.out(answer.transpose(1, 2).flatten(2)))


def test_as_many_heads_of_keys_as_of_queries_is_the_ordinary_layer(reference):
    grouped, full = reference.CausalSelfAttention(16, 4, 2).double(), reference.CausalSelfAttention(16, 4).double()
    with torch.no_grad():
        for name in ("to_q", "out"):
            getattr(full, name).weight.copy_(getattr(grouped, name).weight)
        for name in ("to_k", "to_v"):
            heads = getattr(grouped, name).weight.unflatten(0, (2, 4))
            getattr(full, name).weight.copy_(heads[[0, 0, 1, 1]].flatten(0, 1))
    (x,) = parts(2, 6, 16, n=1)
    torch.testing.assert_close(full(x), grouped(x))


def test_the_order_of_heads_does_not_matter_if_out_knows_it(reference):
    layer, other = reference.CausalSelfAttention(12, 3).double(), reference.CausalSelfAttention(12, 3).double()
    order = torch.tensor([2, 0, 1])
    with torch.no_grad():
        for name in ("to_q", "to_k", "to_v"):
            getattr(other, name).weight.copy_(getattr(layer, name).weight.unflatten(0, (3, 4))[order].flatten(0, 1))
        other.out.weight.copy_(layer.out.weight.unflatten(1, (3, 4))[:, order].flatten(1))
    (x,) = parts(2, 6, 12, n=1)
    torch.testing.assert_close(layer(x), other(x))


def test_no_bit_of_an_earlier_output_moves_and_the_colleagues_do(reference):
    x = torch.randn(1, 16, 32, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(0)
    assert reference.influence(reference.CausalSelfAttention(32, 4, 2), x).triu(1).sum() == 0
    assert reference.influence(reference.ColleaguesAttention(32, 4), x).triu(1).sum() > 20


def test_shifting_the_text_does_not_change_what_distances_say(reference):
    """With a window of the whole text, tokens that follow a long silence of masked ones answer as at the start."""
    q, k, v = parts(6, 8)
    at = torch.arange(6)
    answers = [reference.attend(reference.rope(q, at + shift), reference.rope(k, at + shift), v, reference.causal_mask(6)) for shift in (0, 500)]
    torch.testing.assert_close(*answers, atol=1e-9, rtol=0)


def test_symmetric_scores_for_every_x(reference):
    w_q, x = parts(5, 3, n=1)[0], parts(7, 5, seed=1, n=1)[0]
    w_k = reference.symmetric_keys(w_q)
    scores = x @ w_q @ w_k.T @ x.T
    torch.testing.assert_close(scores, scores.T)
    assert torch.linalg.matrix_rank(torch.stack([w_q.flatten(), w_k.flatten()])) == 2
