"""Named wrong versions of the answers to question 5."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- attend -------------------------------------------------------------------------------------------------------

mistakes.at(
    "scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])",
    edit("unscaled", "`attend` does not divide the scores by √d", "scores = q @ k.transpose(-2, -1)"),
    edit("scaled_d", "`attend` divides the scores by d in all, perhaps queries and keys by √d each; (5.1) divides once by √d", "scores = q @ k.transpose(-2, -1) / q.shape[-1]"),
    edit("scaled_up", "`attend` multiplies the scores by √d; (5.1) divides", "scores = q @ k.transpose(-2, -1) * math.sqrt(q.shape[-1])"),
    edit("scaled_values", "`attend` takes d from the values; it is the length of queries and keys", "scores = q @ k.transpose(-2, -1) / math.sqrt(v.shape[-1])"),
    edit("scaled_keys", "`attend` divides by the root of the number of keys; d is the length of one key", "scores = q @ k.transpose(-2, -1) / math.sqrt(k.shape[-2])"),
    edit("scaled_queries", "`attend` divides by the root of the number of queries; d is the length of one query", "scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-2])"),
    edit("score_minus", "the scores of `attend` have the wrong sign, so the least alike keys win", "scores = -q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])"),
    edit("score_cosine", "`attend` compares directions only: queries and keys are made unit vectors", "scores = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1) / math.sqrt(q.shape[-1])"),
    edit("score_distance", "the scores of `attend` are distances; (5.1) has dot products", "scores = -torch.cdist(q, k) / math.sqrt(q.shape[-1])"),
    edit("queries_detached", "`attend` detaches the queries, so that they are never trained", "scores = q.detach() @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])"),
    edit("keys_detached", "`attend` detaches the keys, so that they are never trained", "scores = q @ k.detach().transpose(-2, -1) / math.sqrt(q.shape[-1])"),
    edit("score_single", "`attend` computes in float32 whatever it is given; float64 keeps its digits", "scores = (q.float() @ k.float().transpose(-2, -1) / math.sqrt(q.shape[-1])).to(q)"),
    edit("score_half", "`attend` computes the scores in half precision", "scores = (q.bfloat16() @ k.bfloat16().transpose(-2, -1)).to(q) / math.sqrt(q.shape[-1])"),
    edit("score_centred", "`attend` subtracts from each query the mean of its entries; (5.1) does not", "scores = (q - q.mean(-1, keepdim=True)) @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])"),
    edit("score_clamped", "`attend` clamps the scores", "scores = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).clamp(-10, 10)"),
    edit("score_reversed_axis", "`attend` turns the order of all axes of k with .mT or .T in place of the last two", "scores = q @ k.permute(*range(k.dim() - 1, -1, -1)) / math.sqrt(q.shape[-1])"),
)

mistakes.at(
    "weights = scores.masked_fill(~mask, -math.inf).softmax(-1)",
    edit("mask_inverted", "`attend` reads the mask the wrong way round: True means may be looked at", "weights = scores.masked_fill(mask, -math.inf).softmax(-1)",
         ("return weights.masked_fill(~mask, 0.0) @ v", "return weights.masked_fill(mask, 0.0) @ v")),
    edit("mask_ignored", "`attend` ignores the mask", "weights = scores.softmax(-1)", ("return weights.masked_fill(~mask, 0.0) @ v", "return weights @ v")),
    edit("mask_after", "`attend` applies the mask after the softmax only, so the weights that are left do not sum to 1", "weights = scores.softmax(-1)"),
    edit("mask_zero_score", "`attend` gives masked keys the score 0, or multiplies scores by the mask; a score of 0 has a weight, minus infinity has none", "weights = scores.masked_fill(~mask, 0.0).softmax(-1)",
         ("return weights.masked_fill(~mask, 0.0) @ v", "return weights @ v")),
    edit("mask_added", "`attend` adds the mask to the scores, so that True counts as 1", "weights = (scores + mask).softmax(-1)", ("return weights.masked_fill(~mask, 0.0) @ v", "return weights @ v")),
    edit("mask_zero_and_after", "`attend` gives masked keys the score 0 in the softmax, and takes their weights away afterwards: the rest does not sum to 1",
         "weights = scores.masked_fill(~mask, 0.0).softmax(-1)"),
    edit("mask_small", "`attend` gives masked keys the score -10, which leaves them a little weight", "weights = scores.masked_fill(~mask, -10.0).softmax(-1)",
         ("return weights.masked_fill(~mask, 0.0) @ v", "return weights @ v")),
    edit("renormalised", "`attend` removes masked weights after the softmax and rescales the rest; where a masked score is huge, that divides 0 by 0",
         "weights = scores.softmax(-1) * mask; weights = weights / weights.sum(-1, keepdim=True).clamp(min=1e-30)"),
    edit("renormalised_nan", "`attend` removes masked weights after the softmax and divides by their sum, which is 0 in a row without True: NaN",
         "weights = scores.softmax(-1) * mask; weights = weights / weights.sum(-1, keepdim=True)", ("return weights.masked_fill(~mask, 0.0) @ v", "return weights @ v")),
    edit("renormalised_eps", "`attend` adds a small number to the sum that it divides by, so the weights do not sum to 1 where a masked score is large",
         "weights = scores.softmax(-1) * mask; weights = weights / (weights.sum(-1, keepdim=True) + 1e-6)"),
    edit("exp_plain", "`attend` takes exponentials of the scores themselves, which overflow where scores are hundreds",
         "weights = scores.exp() * mask; weights = weights / weights.sum(-1, keepdim=True)"),
    edit("softmax_queries", "the softmax of `attend` runs over the queries; the weights of one query must sum to 1 over the keys", "weights = scores.masked_fill(~mask, -math.inf).softmax(-2)"),
    edit("softmax_missing", "`attend` uses the scores as weights, without a softmax", "weights = scores"),
    edit("softmax_sigmoid", "the weights of `attend` are sigmoids, which do not sum to 1", "weights = scores.masked_fill(~mask, -math.inf).sigmoid()"),
    edit("softmax_all", "the softmax of `attend` runs over all pairs of query and key at once", "weights = scores.masked_fill(~mask, -math.inf).flatten(-2).softmax(-1).unflatten(-1, scores.shape[-2:])"),
    edit("hardmax", "`attend` takes the value of the best key alone; (5.1) is a mean", "weights = F.one_hot(scores.masked_fill(~mask, -math.inf).argmax(-1), k.shape[-2]).to(v)"),
    edit("scores_relu", "`attend` drops negative scores before the softmax", "weights = scores.relu().masked_fill(~mask, -math.inf).softmax(-1)"),
    edit("weights_detached", "`attend` detaches the weights, so that queries and keys are never trained", "weights = scores.masked_fill(~mask, -math.inf).softmax(-1).detach()"),
    edit("softmax_first_axis", "the softmax of `attend` runs over the first axis", "weights = scores.masked_fill(~mask, -1e30).softmax(0)"),
    edit("softmax_second_axis", "the softmax of `attend` runs over axis 1; keys are on the last axis, whatever comes before", "weights = scores.masked_fill(~mask, -math.inf).softmax(1).nan_to_num(0.0)"),
    edit("scaled_after", "`attend` divides the weights by √d, not the scores", "weights = (q @ k.transpose(-2, -1)).masked_fill(~mask, -math.inf).softmax(-1) / math.sqrt(q.shape[-1])"),
    edit("exp_global_max", "`attend` subtracts the largest of all scores before the exponential; each row needs its own maximum, or rows with small scores vanish",
         "weights = (scores - scores.max()).exp() * mask; weights = weights / (weights.sum(-1, keepdim=True) + 1e-12)"),
    edit("exp_masked_max", "`attend` subtracts each row's largest score, masked ones included; where a masked score is huge, all others vanish",
         "weights = (scores - scores.amax(-1, keepdim=True)).exp() * mask; weights = weights / (weights.sum(-1, keepdim=True) + 1e-12)"),
    edit("mask_hundred", "`attend` gives masked keys the score -100, which is not low where all others are lower still", "weights = scores.masked_fill(~mask, -100.0).softmax(-1)"),
    edit("log_weights", "`attend` uses the logarithms of the weights", "weights = scores.masked_fill(~mask, -math.inf).log_softmax(-1)"),
    edit("mask_any", "`attend` hides a key only if no query may look at it; the mask speaks of each pair",
         "mask = mask.any(-1, keepdim=True) & mask.any(-2, keepdim=True); weights = scores.masked_fill(~mask, -math.inf).softmax(-1)"),
    edit("mask_triangle", "`attend` makes a causal mask of its own; the given one says what may be looked at",
         "weights = scores.masked_fill(~torch.ones_like(scores, dtype=torch.bool).tril(), -math.inf).softmax(-1)", ("return weights.masked_fill(~mask, 0.0) @ v", "return weights @ v")),
    edit("mask_first_head", "`attend` uses the first mask for all heads; there may be one for each", "mask = mask[(0,) * (mask.dim() - 2)]; weights = scores.masked_fill(~mask, -math.inf).softmax(-1)"),
)

mistakes.at(
    "return weights.masked_fill(~mask, 0.0) @ v",
    edit("empty_nan", "`attend` gives NaN where a row of the mask has no True: softmax divides 0 by 0. Zeros are asked for", "return weights @ v"),
    edit("values_detached", "`attend` detaches the values, so that they are never trained", "return weights.masked_fill(~mask, 0.0) @ v.detach()"),
    edit("values_keys", "`attend` averages the keys; the values are to be averaged", "return weights.masked_fill(~mask, 0.0) @ k"),
    edit("values_added", "`attend` adds the query to its answer", "answer = weights.masked_fill(~mask, 0.0) @ v; return answer + q[..., :1]"),
    edit("empty_all", "`attend` gives zeros everywhere if one row of the mask has no True; only that row is zero", "return (weights if mask.any(-1).all() else torch.zeros_like(weights)) @ v"),
    edit("weights_too", "`attend` returns the weights beside the answers; only the answers are asked for", "weights = weights.masked_fill(~mask, 0.0); return weights @ v, weights"),
    edit("weights_only", "`attend` returns the weights; they are to average the values", "return weights.masked_fill(~mask, 0.0)"),
    edit("answer_mean", "`attend` divides its answer by the number of keys; the weights sum to 1 already", "return weights.masked_fill(~mask, 0.0) @ v / k.shape[-2]"),
    edit("mask_changed", "`attend` writes into the mask", "weights = weights.masked_fill(~mask, 0.0); mask.fill_(False); return weights @ v"),
    edit("dropout_on", "`attend` drops weights at random", "return F.dropout(weights.masked_fill(~mask, 0.0), 0.5) @ v"),
)

mistakes.at(
    """
    weights = scores.masked_fill(~mask, -math.inf).softmax(-1)
    return weights.masked_fill(~mask, 0.0) @ v
    """,
    edit("empty_mean", "`attend` gives the mean of all values where a row of the mask has no True; they have the same weight there. Zeros are asked for",
         "return scores.masked_fill(~mask, -1e30).softmax(-1) @ v"),
    edit("empty_first", "`attend` looks at the first key where a row of the mask has no True; zeros are asked for",
         """
         mask = mask.clone()
         mask[..., 0] |= ~mask.any(-1)
         return scores.masked_fill(~mask, -math.inf).softmax(-1) @ v
         """),
    edit("empty_stops", "`attend` stops where no row of the mask has a True, or gives NaN where one has none; zeros are asked for",
         """
         if not mask.any():
             raise ValueError("nothing may be looked at")
         return scores.masked_fill(~mask, -math.inf).softmax(-1) @ v
         """),
)


# --- causal_mask --------------------------------------------------------------------------------------------------

mistakes.at(
    "return (back >= 0) & (back < (length if window is None else window))",
    edit("cm_strict", "`causal_mask` does not let a place look at itself", "return (back > 0) & (back < (length if window is None else window))"),
    edit("cm_strict_moved", "`causal_mask` leaves out each place itself, and has the last `window` places before it", "return (back > 0) & (back <= (length if window is None else window))"),
    edit("cm_future", "`causal_mask` lets places look ahead in place of back: rows and columns are exchanged", "return (back <= 0) & (-back < (length if window is None else window))"),
    edit("cm_one_ahead", "`causal_mask` lets each place look at the next one", "return (back >= -1) & (back < (length if window is None else window))"),
    edit("cm_inverted", "`causal_mask` is True where a place may not look; True means may be looked at", "return ~((back >= 0) & (back < (length if window is None else window)))"),
    edit("cm_more", "`causal_mask` has one place too many in each window: i itself is one of the `window`", "return (back >= 0) & (back <= (length if window is None else window))"),
    edit("cm_fewer", "`causal_mask` has one place too few in each window", "return (back >= 0) & (back < (length if window is None else window - 1))"),
    edit("cm_ignored", "`causal_mask` ignores the window", "return back >= 0"),
    edit("cm_both_sides", "with a window `causal_mask` looks ahead as far as back", "return (back >= 0) if window is None else (back.abs() < window)"),
    edit("cm_always_both", "`causal_mask` has no rule against looking ahead", "return back.abs() < (length if window is None else window)"),
    edit("cm_no_causal", "with a window `causal_mask` forgets that nobody may look ahead", "return (back >= 0) if window is None else (back < window)"),
    edit("cm_float", "`causal_mask` returns floats; True and False are asked for", "return ((back >= 0) & (back < (length if window is None else window))).float()"),
    edit("cm_int", "`causal_mask` returns whole numbers; True and False are asked for", "return ((back >= 0) & (back < (length if window is None else window))).long()"),
    edit("cm_additive", "`causal_mask` returns what is to be added to scores, 0 and minus infinity; True and False are asked for",
         "return torch.zeros(length, length, device=device).masked_fill(~((back >= 0) & (back < (length if window is None else window))), -math.inf)"),
    edit("cm_axis", "`causal_mask` puts an axis of size 1 in front; the shape is (length, length)", "return ((back >= 0) & (back < (length if window is None else window)))[None]"),
    edit("cm_blocks", "`causal_mask` cuts the text into blocks of the window's length; the window moves along with each place", "return (back >= 0) & ((places[:, None] // (window or length)) == (places // (window or length)))"),
    edit("cm_first", "the window of `causal_mask` is the first places of the text; it is the last ones before each place", "return (back >= 0) & (places < (length if window is None else window))"),
    edit("cm_old", "`causal_mask` hides the window and leaves what lies before it", "return (back >= 0) if window is None else (back >= window)"),
    edit("cm_half", "`causal_mask` halves the window", "return (back >= 0) & (back < (length if window is None else max(1, window // 2)))"),
    edit("cm_cut", "`causal_mask` leaves only window rows", "return ((back >= 0) & (back < (length if window is None else window)))[: window or length]"),
    edit("cm_diagonal", "`causal_mask` lets a place look at itself and at the one `window` before, and not between", "return (back >= 0) if window is None else ((back == 0) | (back == window - 1))"),
)

# --- symmetric_keys -----------------------------------------------------------------------------------------------

mistakes.at(
    "return w_q * torch.arange(1, w_q.shape[1] + 1).to(w_q)",
    edit("sym_same", "`symmetric_keys` returns w_q itself, or a multiple; another answer is asked for", "return w_q.clone()"),
    edit("sym_twice", "`symmetric_keys` returns twice w_q; another answer is asked for", "return 2 * w_q"),
    edit("sym_minus", "`symmetric_keys` returns -w_q; another answer than a multiple is asked for", "return -w_q"),
    edit("sym_random", "`symmetric_keys` returns random numbers; w_q @ w_k.T is symmetric for few w_k only", "return torch.randn(w_q.shape, generator=torch.Generator().manual_seed(0)).to(w_q)"),
    edit("sym_rows", "`symmetric_keys` multiplies the rows of w_q by different numbers; w_q A with a symmetric A mixes columns", "return w_q * torch.arange(1, len(w_q) + 1).to(w_q)[:, None]"),
    edit("sym_added", "`symmetric_keys` adds a number to all entries of w_q, and w_q @ w_k.T is no longer symmetric", "return w_q + 1"),
    edit("sym_roll", "`symmetric_keys` moves the columns of w_q in a circle: a permutation, which is symmetric for two columns only", "return w_q.roll(1, 1)"),
    edit("sym_flip_rows", "`symmetric_keys` turns the rows of w_q round", "return w_q.flip(0)"),
    edit("sym_roll_rows", "`symmetric_keys` moves the rows of w_q", "return w_q.roll(1, 0)"),
    edit("sym_square", "`symmetric_keys` squares the entries of w_q", "return w_q.square()"),
    edit("sym_zero", "`symmetric_keys` returns zeros, which are 0 times w_q; another answer is asked for", "return torch.zeros_like(w_q)"),
    edit("sym_transposed", "`symmetric_keys` returns the transpose; w_k has the shape of w_q", "return w_q.T"),
    edit("sym_product", "`symmetric_keys` returns a symmetric D × D matrix; w_k has the shape of w_q", "return w_q @ w_q.T"),
    edit("sym_triangle", "`symmetric_keys` mixes columns by a matrix that is not symmetric itself", "return w_q @ torch.ones(w_q.shape[1], w_q.shape[1]).to(w_q).tril()"),
    edit("sym_turned", "`symmetric_keys` mixes columns by an antisymmetric matrix, so the scores change their sign when transposed",
         "ones = torch.ones(w_q.shape[1], w_q.shape[1]).to(w_q); return w_q @ (ones.tril(-1) - ones.triu(1))"),
    edit("sym_abs", "`symmetric_keys` takes absolute values of w_q", "return w_q.abs()"),
    edit("sym_inverse", "`symmetric_keys` returns the pseudo-inverse's transpose, for which w_q @ w_k.T is a projection and symmetric, times w_q's rows", "return torch.linalg.pinv(w_q).T * torch.arange(1, len(w_q) + 1).to(w_q)[:, None]"),
    edit("sym_ones", "`symmetric_keys` returns ones, so every column of w_q @ w_k.T is the same, and no row", "return torch.ones_like(w_q)"),
    edit("sym_one_column", "`symmetric_keys` changes one entry of w_q, which makes one row of w_q @ w_k.T differ from its column", "result = w_q.clone(); result[0, 0] += 1; return result"),
    edit("sym_exp", "`symmetric_keys` applies a function to the entries of w_q; w_q A with a symmetric A is asked for", "return w_q.exp()"),
    edit("sym_tanh", "`symmetric_keys` squashes the entries of w_q; w_q A with a symmetric A is asked for", "return torch.tanh(w_q)"),
    edit("sym_qr", "`symmetric_keys` returns orthonormal columns of the same space; w_q @ w_k.T is symmetric only if w_k is w_q A with a symmetric A", "return torch.linalg.qr(F.pad(w_q, (0, 0, 0, max(0, w_q.shape[1] - len(w_q)))))[0][: len(w_q)]"),
)

# --- CausalSelfAttention ------------------------------------------------------------------------------------------

HEADS = "q, k, v = (layer(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for layer in (self.to_q, self.to_k, self.to_v))"
mistakes.at(
    HEADS,
    edit("ca_view", "`CausalSelfAttention` cuts (N, T, D) into heads by `view` or `reshape` alone: each head then holds some tokens in place of all, and later tokens leak. Cut the last axis, then exchange two axes",
         "q, k, v = (layer(x).reshape(len(x), -1, x.shape[1], self.head_dim) for layer in (self.to_q, self.to_k, self.to_v))"),
    edit("ca_view_queries", "`CausalSelfAttention` cuts the queries into heads by `view` or `reshape` alone, so that tokens are mixed up; keys and values are right",
         HEADS + "; q = self.to_q(x).reshape(len(x), -1, x.shape[1], self.head_dim)"),
    edit("ca_strided", "in `CausalSelfAttention` head h takes every H-th entry; it owns the h-th run of head_dim entries",
         "q, k, v = (layer(x).unflatten(-1, (self.head_dim, -1)).permute(0, 3, 1, 2) for layer in (self.to_q, self.to_k, self.to_v))"),
    edit("ca_keys_as_values", "`CausalSelfAttention` takes keys for values, too", "q, k, v = (layer(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for layer in (self.to_q, self.to_k, self.to_k))"),
    edit("ca_keys_values_swapped", "`CausalSelfAttention` exchanges keys and values", "q, k, v = (layer(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for layer in (self.to_q, self.to_v, self.to_k))"),
    edit("ca_input_detached", "`CausalSelfAttention` detaches x, so that the layers before it are never trained", HEADS.replace("layer(x)", "layer(x.detach())")),
    edit("ca_single", "`CausalSelfAttention` computes in float32 whatever it is given; float64 keeps its digits", HEADS + "; q, k, v = (part.float().to(x) for part in (q, k, v))"),
    edit("ca_scaled_before", "`CausalSelfAttention` divides the queries by √d; `attend` does that already", HEADS + "; q = q / math.sqrt(self.head_dim)"),
    edit("ca_scaled_dim", "`CausalSelfAttention` scales scores by the width of the model; each head has its own d", HEADS + "; q = q * math.sqrt(self.head_dim / x.shape[-1])"),
    edit("ca_unit", "`CausalSelfAttention` makes queries and keys unit vectors", HEADS + "; q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)"),
    edit("ca_heads_reversed", "`CausalSelfAttention` has the query heads in reversed order, so they meet other keys", HEADS + "; q = q.flip(1)"),
    edit("ca_activation", "`CausalSelfAttention` applies a ReLU to the values", HEADS + "; v = v.relu()"),
)

mistakes.at(
    "positions = torch.arange(x.shape[1], device=x.device)",
    edit("ca_positions_reversed", "`CausalSelfAttention` numbers the tokens backwards", "positions = torch.arange(x.shape[1], device=x.device).flip(0)"),
    edit("ca_positions_scaled", "`CausalSelfAttention` divides the positions by the length of the text", "positions = torch.arange(x.shape[1], device=x.device) / x.shape[1]"),
)

mistakes.at(
    "q, k = rope(q, positions, self.base), rope(k, positions, self.base)",
    edit("ca_no_rope", "`CausalSelfAttention` leaves out `rope`, or puts all tokens at one position, so that it does not know distances", "q, k = q, k"),
    edit("ca_rope_queries", "`CausalSelfAttention` turns the queries only; scores then depend on where the query stands, not on distances", "q = rope(q, positions, self.base)"),
    edit("ca_rope_keys", "`CausalSelfAttention` turns the keys only; scores then depend on where the key stands, not on distances", "k = rope(k, positions, self.base)"),
    edit("ca_rope_values", "`CausalSelfAttention` turns the values as well; what a token says must not depend on where it stands", "q, k, v = (rope(part, positions, self.base) for part in (q, k, v))"),
    edit("ca_rope_base", "`CausalSelfAttention` calls `rope` with its default base; self.base is the layer's", "q, k = rope(q, positions), rope(k, positions)"),
    edit("ca_rope_twice", "`CausalSelfAttention` turns queries and keys twice as far as it should", "q, k = (rope(rope(part, positions, self.base), positions, self.base) for part in (q, k))"),
    edit("ca_rope_late", "`CausalSelfAttention` turns queries by one position more than keys; a token stands at one place", "q, k = rope(q, positions + 1, self.base), rope(k, positions, self.base)"),
    edit("ca_rope_early", "`CausalSelfAttention` turns keys by one position more than queries; a token stands at one place", "q, k = rope(q, positions, self.base), rope(k, positions + 1, self.base)"),
    edit("ca_rope_values_back", "`CausalSelfAttention` turns the values, backwards; values are not turned", "q, k, v = rope(q, positions, self.base), rope(k, positions, self.base), rope(v, -positions, self.base)"),
    edit("ca_rope_values_only", "`CausalSelfAttention` turns the values and not the queries and keys", "v = rope(v, positions, self.base)"),
    edit("ca_norm", "`CausalSelfAttention` normalises queries and keys, as some models do; it is not asked for here", "q, k = (rope(F.layer_norm(part, part.shape[-1:]), positions, self.base) for part in (q, k))"),
    edit("ca_rms", "`CausalSelfAttention` normalises queries and keys, as some models do; it is not asked for here", "q, k = (rope(F.rms_norm(part, part.shape[-1:]), positions, self.base) for part in (q, k))"),
    edit("ca_rope_whole", "`CausalSelfAttention` turns the whole width before it is cut into heads, so heads have different speeds; each head is turned like every other",
         "q, k = (rope(part.transpose(1, 2).flatten(2), positions, self.base).unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for part in (q, k))"),
    edit("ca_rope_heads", "`CausalSelfAttention` turns by the number of the head, not by the position of the token",
         "q, k = (rope(part.transpose(1, 2), torch.arange(part.shape[1], device=x.device), self.base).transpose(1, 2) for part in (q, k))"),
    edit("ca_rope_opposite", "`CausalSelfAttention` turns queries and keys in opposite directions; scores then depend on the sum of two positions", "q, k = rope(q, positions, self.base), rope(k, -positions, self.base)"),
    edit("ca_rope_halves", "`CausalSelfAttention` turns only the first half of each head's entries", "q, k = (torch.cat([rope(part, positions, self.base)[..., : self.head_dim // 2], part[..., self.head_dim // 2 :]], -1) for part in (q, k))"),
    edit("ca_rope_no_grad", "`CausalSelfAttention` detaches what it turns, so that to_q and to_k are never trained", "q, k = rope(q.detach(), positions, self.base), rope(k.detach(), positions, self.base)"),
    edit("ca_rope_input", "`CausalSelfAttention` turns x before the projections; queries and keys are to be turned",
         "q, k = (layer(rope(x, positions, self.base)).unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for layer in (self.to_q, self.to_k))"),
)

mistakes.at(
    "k, v = (part.repeat_interleave(self.n_heads // self.n_kv_heads, dim=1) for part in (k, v))",
    edit("ca_repeat", "`CausalSelfAttention` repeats keys and values as a, b, a, b; neighbouring query heads share one: a, a, b, b", "k, v = (part.repeat(1, self.n_heads // self.n_kv_heads, 1, 1) for part in (k, v))"),
    edit("ca_first_only", "all query heads of `CausalSelfAttention` use the first head of keys and values", "k, v = (part[:, :1].expand(-1, self.n_heads, -1, -1) for part in (k, v))"),
    edit("ca_mean_group", "`CausalSelfAttention` averages the heads of keys and values; each group of query heads has its own", "k, v = (part.mean(1, keepdim=True).expand(-1, self.n_heads, -1, -1) for part in (k, v))"),
    edit("ca_keys_repeat", "`CausalSelfAttention` repeats keys as a, b, a, b and values as a, a, b, b", "k, v = k.repeat(1, self.n_heads // self.n_kv_heads, 1, 1), v.repeat_interleave(self.n_heads // self.n_kv_heads, dim=1)"),
    edit("ca_values_repeat", "`CausalSelfAttention` repeats keys as a, a, b, b and values as a, b, a, b", "k, v = k.repeat_interleave(self.n_heads // self.n_kv_heads, dim=1), v.repeat(1, self.n_heads // self.n_kv_heads, 1, 1)"),
    edit("ca_not_repeated", "`CausalSelfAttention` does not repeat keys and values for their groups, so shapes do not fit where n_kv_heads lies between 1 and n_heads", "k, v = k, v"),
    edit("ca_few_queries", "`CausalSelfAttention` lets only the first n_kv_heads query heads attend, and repeats their answers",
         "q = q[:, : self.n_kv_heads].repeat_interleave(self.n_heads // self.n_kv_heads, 1); k, v = (part.repeat_interleave(self.n_heads // self.n_kv_heads, dim=1) for part in (k, v))"),
    edit("ca_mean_queries", "`CausalSelfAttention` averages the query heads of each group; each keeps its own query",
         "q = q.unflatten(1, (self.n_kv_heads, -1)).mean(2).repeat_interleave(self.n_heads // self.n_kv_heads, 1); k, v = (part.repeat_interleave(self.n_heads // self.n_kv_heads, dim=1) for part in (k, v))"),
    edit("ca_wrong_axis", "`CausalSelfAttention` repeats keys and values along the tokens; heads are to be repeated", "k, v = (part.repeat_interleave(self.n_heads // self.n_kv_heads, dim=2) for part in (k, v))"),
    edit("ca_groups_reversed", "the groups of `CausalSelfAttention` meet keys and values in reversed order", "k, v = (part.flip(1).repeat_interleave(self.n_heads // self.n_kv_heads, dim=1) for part in (k, v))"),
)

mistakes.at(
    "answers = attend(q, k, v, causal_mask(x.shape[1], device=x.device))",
    edit("ca_no_mask", "`CausalSelfAttention` looks at later tokens: there is no causal mask", "answers = attend(q, k, v, torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device))"),
    edit("ca_mask_inverted", "`CausalSelfAttention` looks at later tokens only: the mask is inverted", "answers = attend(q, k, v, ~causal_mask(x.shape[1], device=x.device))"),
    edit("ca_mask_strict", "tokens of `CausalSelfAttention` do not look at themselves", "answers = attend(q, k, v, causal_mask(x.shape[1], device=x.device).tril(-1))"),
    edit("ca_mask_transposed", "`CausalSelfAttention` looks ahead in place of back: the mask is transposed", "answers = attend(q, k, v, causal_mask(x.shape[1], device=x.device).T)"),
    edit("ca_mask_one_ahead", "each token of `CausalSelfAttention` looks at the next one, which it is to predict", "answers = attend(q, k, v, torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril(1))"),
    edit("ca_roles_swapped", "`CausalSelfAttention` hands keys for queries to `attend`", "answers = attend(k, q, v, causal_mask(x.shape[1], device=x.device))"),
    edit("ca_whole_width", "`CausalSelfAttention` attends with the whole width at once, as one head",
         "answers = attend(q.transpose(1, 2).flatten(2), k.transpose(1, 2).flatten(2), v.transpose(1, 2).flatten(2), causal_mask(x.shape[1], device=x.device)).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)"),
    edit("ca_window", "`CausalSelfAttention` has a window of 4; all earlier tokens may be looked at", "answers = attend(q, k, v, causal_mask(x.shape[1], 4, device=x.device))"),
    edit("ca_over_heads", "`CausalSelfAttention` lets the heads of one token attend to each other; tokens of one head are to attend",
         "mask = causal_mask(self.n_heads, device=x.device); answers = attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), mask).transpose(1, 2)"),
    edit("ca_softmax_heads", "in `CausalSelfAttention` heads share one set of weights, the mean of their weights",
         "w = attend(q, k, torch.eye(x.shape[1]).to(x), causal_mask(x.shape[1], device=x.device)).mean(1, keepdim=True); answers = w @ v"),
)

mistakes.at(
    "return self.out(answers.transpose(1, 2).flatten(2))",
    edit("ca_merge", "`CausalSelfAttention` puts heads together without exchanging the axes back, so that tokens are mixed up", "return self.out(answers.reshape(x.shape[0], x.shape[1], -1))"),
    edit("ca_merge_permuted", "`CausalSelfAttention` puts the sequences in the place of the tokens when it joins the heads", "return self.out(answers.permute(2, 0, 1, 3).reshape(x.shape))"),
    edit("ca_merge_last", "`CausalSelfAttention` joins the heads with their entries before the heads' numbers, and tokens behind both", "return self.out(answers.permute(0, 1, 3, 2).reshape(x.shape))"),
    edit("ca_half_out", "`CausalSelfAttention` divides the answers by the number of heads; they stand side by side, and nothing is added", "return self.out(answers.transpose(1, 2).flatten(2) / self.n_heads)"),
    edit("ca_no_out", "`CausalSelfAttention` leaves out the last layer, `out`", "return answers.transpose(1, 2).flatten(2)"),
    edit("ca_residual", "`CausalSelfAttention` adds x to its result; that is the block's task", "return x + self.out(answers.transpose(1, 2).flatten(2))"),
    edit("ca_merge_strided", "`CausalSelfAttention` interleaves the heads' answers; they stand side by side", "return self.out(answers.permute(0, 2, 3, 1).flatten(2))"),
    edit("ca_merge_mean", "`CausalSelfAttention` averages the heads; they stand side by side", "return self.out(answers.mean(1).repeat(1, 1, self.n_heads))"),
    edit("ca_out_detached", "`CausalSelfAttention` detaches the answers before `out`, so that nothing before it is trained", "return self.out(answers.detach().transpose(1, 2).flatten(2))"),
    edit("ca_merge_reversed", "`CausalSelfAttention` puts the heads side by side in reversed order", "return self.out(answers.flip(1).transpose(1, 2).flatten(2))"),
    edit("ca_out_twice", "`CausalSelfAttention` applies `out` twice", "return self.out(self.out(answers.transpose(1, 2).flatten(2)))"),
    edit("ca_last_token", "`CausalSelfAttention` returns the last token only", "return self.out(answers.transpose(1, 2).flatten(2))[:, -1]"),
    edit("ca_dropout", "`CausalSelfAttention` drops answers at random", "return self.out(F.dropout(answers.transpose(1, 2).flatten(2), 0.3))"),
    edit("ca_in_place", "`CausalSelfAttention` writes its result into x", "result = self.out(answers.transpose(1, 2).flatten(2)); x.data.copy_(result.detach()); return result"),
)

# --- sliding_window_attention -------------------------------------------------------------------------------------

SLIDE = "keys, values = (F.pad(part, (0, 0, window - 1, 0)).unfold(-2, window, 1).transpose(-2, -1) for part in (k, v))"
mistakes.at(
    SLIDE,
    edit("sw_wrapped", "the first tokens of `sliding_window_attention` meet the end of the text, as indices below 0 count from there, and they are not masked",
         "keys, values = (torch.cat([part.roll(window - 1, -2)[..., : window - 1, :], part], -2)[..., -(part.shape[-2] + window - 1) :, :].unfold(-2, window, 1).transpose(-2, -1) for part in (k, v))",
         ("there = first[:, None] + torch.arange(window, device=k.device) >= 0", "there = first[:, None] + torch.arange(window, device=k.device) >= -window")),
    edit("sw_centred", "the window of `sliding_window_attention` reaches into the future", "keys, values = (F.pad(part, (0, 0, window - 1 - window // 2, window // 2)).unfold(-2, window, 1).transpose(-2, -1) for part in (k, v))"),
    edit("sw_one_late", "the window of `sliding_window_attention` ends one token too early: a token does not meet itself", "keys, values = (F.pad(part, (0, 0, window, 0))[..., :-1, :].unfold(-2, window, 1).transpose(-2, -1) for part in (k, v))",
         ("- window + 1", "- window")),
    edit("sw_values_late", "in `sliding_window_attention` the values are one token behind the keys", "keys, values = (F.pad(part, (0, 0, window - 1 + late, 0))[..., : part.shape[-2] + window - 1, :].unfold(-2, window, 1).transpose(-2, -1) for part, late in ((k, 0), (v, 1)))"),
    edit("sw_keys_detached", "`sliding_window_attention` detaches keys and values", SLIDE.replace("F.pad(part,", "F.pad(part.detach(),")),
    edit("sw_clamped", "`sliding_window_attention` repeats the first token in front of the text, and does not mask it: it counts several times",
         "keys, values = (torch.cat([part[..., :1, :].expand(*part.shape[:-2], window - 1, part.shape[-1]), part], -2).unfold(-2, window, 1).transpose(-2, -1) for part in (k, v))",
         ("there = first[:, None] + torch.arange(window, device=k.device) >= 0", "there = first[:, None] + torch.arange(window, device=k.device) >= -window")),
    edit("sw_values_reversed", "in `sliding_window_attention` the values of each window are in reversed order", SLIDE + "; values = values.flip(-2)"),
    edit("sw_longer_stops", "`sliding_window_attention` stops where the window is longer than the text",
         "assert window <= k.shape[-2], 'the window is too long'; " + SLIDE),
)

mistakes.at(
    "there = first[:, None] + torch.arange(window, device=k.device) >= 0",
    edit("sw_padding", "`sliding_window_attention` counts the zeros before the text as keys; they must be masked", "there = first[:, None] + torch.arange(window, device=k.device) >= -window"),
    edit("sw_start", "`sliding_window_attention` masks one key too many at the start: nobody meets the first token there", "there = first[:, None] + torch.arange(window, device=k.device) >= 1"),
    edit("sw_start_late", "`sliding_window_attention` masks one key too few at the start: the zero before the text counts", "there = first[:, None] + torch.arange(window, device=k.device) >= -1"),
    edit("sw_start_waits", "`sliding_window_attention` answers zero until a window is full, perhaps because a slice that begins below 0 is empty; the first tokens have shorter windows", "there = (first[:, None] + 0 * torch.arange(window, device=k.device)) >= 0"),
)

mistakes.at(
    "return attend(q.unsqueeze(-2), keys, values, there[:, None]).squeeze(-2)",
    edit("sw_weights_detached", "`sliding_window_attention` detaches queries and keys, or its weights, so that they are never trained", "return attend(q.unsqueeze(-2).detach(), keys.detach(), values, there[:, None]).squeeze(-2)"),
    edit("sw_query_first", "`sliding_window_attention` asks with the first token's query everywhere", "return attend(q[..., :1, :].expand_as(q).unsqueeze(-2), keys, values, there[:, None]).squeeze(-2)"),
    edit("sw_axis_left", "`sliding_window_attention` leaves an axis of size 1 behind the tokens", "return attend(q.unsqueeze(-2), keys, values, there[:, None])"),
    edit("sw_squeeze_all", "`sliding_window_attention` drops all axes of size 1, also those of the inputs", "return attend(q.unsqueeze(-2), keys, values, there[:, None]).squeeze()"),
    edit("sw_unscaled", "`sliding_window_attention` does not divide the scores by √d", "return attend(q.unsqueeze(-2) * math.sqrt(q.shape[-1]), keys, values, there[:, None]).squeeze(-2)"),
    edit("sw_scaled_twice", "`sliding_window_attention` divides the scores by √d once more than `attend` does", "return attend(q.unsqueeze(-2) / math.sqrt(q.shape[-1]), keys, values, there[:, None]).squeeze(-2)"),
    edit("sw_mean", "`sliding_window_attention` averages the values of the window without looking at queries and keys", "return attend(0 * q.unsqueeze(-2), keys, values, there[:, None]).squeeze(-2)"),
    edit("sw_values", "`sliding_window_attention` averages the keys", "return attend(q.unsqueeze(-2), keys, keys, there[:, None]).squeeze(-2)"),
    edit("sw_single", "`sliding_window_attention` computes in float32 whatever it is given; float64 keeps its digits", "return attend(q.unsqueeze(-2).float(), keys.float(), values.float(), there[:, None]).squeeze(-2).to(v)"),
    edit("sw_softness", "`sliding_window_attention` scales the scores by the root of the window; d is the length of a key", "return attend(q.unsqueeze(-2) * math.sqrt(q.shape[-1] / window), keys, values, there[:, None]).squeeze(-2)"),
)


@mistakes.rewrite("`sliding_window_attention` computes the scores of each token with all T, row by row, and masks most of them; only T · window may be computed")
def sw_rows(ref):
    def sliding_window_attention(q, k, v, window):
        places = torch.arange(k.shape[-2], device=k.device)
        masks = [((places <= t) & (places > t - window))[None] for t in range(q.shape[-2])]
        return torch.cat([ref.attend(q[..., t : t + 1, :], k, v, mask) for t, mask in enumerate(masks)], -2)

    return {"sliding_window_attention": sliding_window_attention}


@mistakes.rewrite("`sliding_window_attention` computes all T² scores and masks most of them; only T · window may be computed")
def sw_dense(ref):
    def sliding_window_attention(q, k, v, window):
        return ref.attend(q, k, v, ref.causal_mask(k.shape[-2], window, k.device))

    return {"sliding_window_attention": sliding_window_attention}


def other_masks(name, change):
    """A version with another mask, which costs no more than it should for the lengths of the probes."""

    def build(ref):
        def sliding_window_attention(q, k, v, window):
            places = torch.arange(k.shape[-2], device=k.device)
            return ref.attend(q, k, v, change(places[:, None] - places, places, window))

        return {"sliding_window_attention": sliding_window_attention}

    build.__name__ = name
    return build


mistakes.rewrite("the window of `sliding_window_attention` has one token too many: the token itself is one of the `window`")(other_masks("sw_more", lambda back, at, w: (back >= 0) & (back <= w)))
mistakes.rewrite("the window of `sliding_window_attention` has one token too few")(other_masks("sw_fewer", lambda back, at, w: (back >= 0) & (back < max(w - 1, 1))))
mistakes.rewrite("`sliding_window_attention` ignores the window: all earlier tokens are seen")(other_masks("sw_ignored", lambda back, at, w: back >= 0))
mistakes.rewrite("`sliding_window_attention` looks as far ahead as back")(other_masks("sw_both", lambda back, at, w: back.abs() < w))
mistakes.rewrite("`sliding_window_attention` cuts the text into blocks and stays in each; the window moves along with each token")(other_masks("sw_blocks", lambda back, at, w: (back >= 0) & (at[:, None] // w == at // w)))
mistakes.rewrite("`sliding_window_attention` looks ahead in place of back")(other_masks("sw_future", lambda back, at, w: (back <= 0) & (back > -w)))
mistakes.rewrite("`sliding_window_attention` looks at the tokens of the last blocks, up to two windows back; the last `window` tokens are asked for")(other_masks("sw_two_blocks", lambda back, at, w: (back >= 0) & (at[:, None] // w - at // w <= 1)))
mistakes.rewrite("the window of `sliding_window_attention` is the beginning of the text, not what lies before each token")(other_masks("sw_first", lambda back, at, w: (back >= 0) & (at < w)))
mistakes.rewrite("`sliding_window_attention` lets everybody see all that is not further back than the window, also the future")(other_masks("sw_all_future", lambda back, at, w: back < w))
