"""Question 6 against parameters and operations that are counted, known models, and PyTorch's own block."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

SHAPES = [(11, 8, 2, 2, 1, 16, 12, True), (11, 8, 1, 2, 2, 16, 7, False), (30, 24, 3, 6, 2, 16, 20, False), (5, 12, 4, 3, 1, 4, 9, True)]


@pytest.mark.parametrize("shape", SHAPES)
def test_parameters_and_operations_as_counted(reference, shape):
    config, model = reference.Config(*shape), reference.GPT(*shape)
    assert reference.count_parameters(config) == sum(p.numel() for p in model.parameters())
    for length in (1, 5, 13):
        with FlopCounterMode(display=False) as flops:
            model(torch.zeros(1, length, dtype=torch.long))
        assert flops.get_total_flops() == reference.count_flops(config, length)


def test_known_models(reference):
    xl = reference.Config(50257, 1600, 48, 25, 25, 1024, 6400, tied=False)
    assert reference.count_parameters(xl) == 2_127_057_600
    assert abs(reference.count_flops(xl, 1024) / 1e12 - 4.513) < 5e-4
    assert abs(reference.count_flops(xl, 16384) / 1e12 - 149.52) < 5e-3
    assert reference.count_parameters(reference.Config(128256, 4096, 32, 32, 8, 8192, 14336, tied=False)) == 8_030_261_248


def test_the_small_model_of_the_text(reference):
    config = reference.Config(vocab=10, dim=4, n_layers=1, n_heads=2, n_kv_heads=1, context=8, hidden=8)
    assert reference.count_parameters(config) == 196
    assert reference.count_flops(config, 3) == 1248
    assert reference.balance_lengths(config) == (23, 49)


@pytest.mark.parametrize("shape", SHAPES)
def test_lengths_balance(reference, shape):
    config = reference.Config(*shape)
    first, second = reference.balance_lengths(config)
    pairs = (reference.count_flops(config, 2) - 2 * reference.count_flops(config, 1)) / 2
    assert math.isclose(pairs * first**2, (reference.count_flops(config, 1) - pairs) * first)
    layer = reference.GPT(*shape).blocks[0].attention
    per_token = config.n_layers * (layer.to_k.out_features + layer.to_v.out_features)
    assert math.isclose(second * per_token, reference.count_parameters(config))


def test_silent_layers_give_x_back_bit_for_bit(reference):
    block = reference.Block(8, 2)
    with torch.no_grad():
        block.attention.out.weight.zero_()
        block.w2.weight.zero_()
    x = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(x), x)


def test_post_norm_against_the_librarys_block(reference):
    """PyTorch's encoder layer with copied weights: one head without positions, RMS norms put in, and a ReLU for the gate."""
    block, other = reference.Block(6, 1, 1, 12, post_norm=True).double(), nn.TransformerEncoderLayer(6, 1, 12, dropout=0.0, bias=False, batch_first=True).double()
    other.norm1, other.norm2 = block.norm1, block.norm2
    layer = block.attention
    with torch.no_grad():
        other.self_attn.in_proj_weight.copy_(torch.cat([layer.to_q.weight, layer.to_k.weight, layer.to_v.weight]))
        other.self_attn.out_proj.weight.copy_(layer.out.weight)
        other.linear1.weight.copy_(block.w1.weight)
        other.linear2.weight.copy_(block.w2.weight)
    x = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    names = reference.Block.forward.__globals__
    kept = {name: names[name] for name in ("rope", "swiglu")}
    names.update(rope=lambda x, positions, base: x, swiglu=lambda x, w1, w2, w3: F.relu(x @ w1.T) @ w2.T)
    try:
        for first in (False, True):
            block.post_norm, other.norm_first = not first, first
            other.train()
            torch.testing.assert_close(block(x), other(x, src_mask=~reference.causal_mask(5), is_causal=True))
    finally:
        names.update(kept)


@pytest.mark.parametrize("tied", [True, False])
def test_loss_at_the_start_and_short_texts(reference, tied):
    torch.manual_seed(0)
    model, ids = reference.GPT(200, 64, 2, 4, 2, tied=tied), torch.randint(200, (8, 32), generator=torch.Generator().manual_seed(2))
    logits = model(ids)
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
    assert abs(loss.item() - math.log(200)) < 0.3
    torch.testing.assert_close(model(ids[:, :7]), logits[:, :7])


def test_a_head_of_zeros_costs_exactly_log_v(reference):
    model = reference.GPT(200, 16, 1, 2, tied=False)
    with torch.no_grad():
        model.head.weight.zero_()
    ids = torch.randint(200, (2, 9), generator=torch.Generator().manual_seed(3))
    assert abs(F.cross_entropy(model(ids).flatten(0, 1), ids.flatten()).item() - math.log(200)) < 1e-5


def test_later_tokens_move_no_bit_of_earlier_logits(reference):
    model, ids = reference.GPT(20, 16, 2, 4, 2), torch.randint(20, (1, 9), generator=torch.Generator().manual_seed(4))
    other = ids.clone()
    other[:, 6:] = (other[:, 6:] + 1) % 20
    assert torch.equal(model(ids)[:, :6], model(other)[:, :6])
