"""Named wrong versions of the answers to question 9."""

import torch
from torch.nn import functional as F

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- fvsbn_logits --------------------------------------------------------------------------------------------------

mistakes.at(
    "return biases + x @ weights.tril(-1).T",
    edit("sees_itself",
         "The diagonal of the weights is used, too, so x_i helps to predict itself and the probabilities "
         "no longer sum to one",
         "return biases + x @ weights.tril().T"),
    edit("no_triangle",
         "The whole weight matrix is used, so a pixel is predicted from itself and from later pixels",
         "return biases + x @ weights.T"),
    edit("only_diagonal_removed",
         "Only the diagonal of the weights is removed; the entries above it let a pixel see later ones",
         "return biases + x @ (weights - torch.diag(weights.diagonal())).T"),
    edit("upper_triangle",
         "The weights above the diagonal are used: each pixel is predicted from the later ones, not from the "
         "earlier",
         "return biases + x @ weights.triu(1).T"),
    edit("transposed",
         "The weights are multiplied the wrong way round (transposed): row i of `weights` belongs to the logit of x_i",
         "return biases + x @ weights.tril(-1)"),
    edit("transposed_then_masked",
         "W[j, i] is read where W[i, j] is meant: row i of `weights` belongs to the logit of x_i",
         "return biases + x @ weights.T.tril(-1).T"),
    edit("two_apart", "A pixel does not see the one just before it: j runs up to i - 1",
         "return biases + x @ weights.tril(-2).T"),
    edit("previous_only",
         "A pixel sees only the one just before it; the sum runs over all earlier pixels",
         "return biases + x @ weights.tril(-1).triu(-1).T"),
    edit("no_bias", "The logits lack the biases", "return x @ weights.tril(-1).T"),
    edit("bias_twice", "The biases are added twice", "return 2 * biases + x @ weights.tril(-1).T"),
    edit("pixels_ignored", "The weights of the earlier pixels are added whatever these pixels are; each is multiplied by its x_j",
         "return (biases + weights.tril(-1).sum(1)).expand(len(x), -1)"),
    edit("bias_subtracted", "The biases are subtracted from the logits; they are added", "return x @ weights.tril(-1).T - biases"),
    edit("bias_by_example",
         "`fvsbn_logits` adds the biases along the wrong axis: there is one for each pixel, not for each example",
         "return (biases[: len(x), None] if len(biases) >= len(x) else biases) + x @ weights.tril(-1).T"),
    edit("first_has_no_bias", "The first pixel has no bias; its logit is b_1, not 0",
         "return torch.cat([0 * x[:, :1], (biases + x @ weights.tril(-1).T)[:, 1:]], 1)"),
    edit("signed_bits", "The weights are multiplied with -1 and 1; the pixels are 0 and 1",
         "return biases + (2 * x - 1) @ weights.tril(-1).T"),
    edit("probabilities",
         "`fvsbn_logits` returns probabilities; the logits are what stands inside the sigmoid",
         "return torch.sigmoid(biases + x @ weights.tril(-1).T)"),
    edit("upper_part_subtracted",
         "`fvsbn_logits` adds the entries on and above the diagonal and subtracts them again, which rounds the others "
         "away where those are large",
         "return biases + x @ weights.T - x @ weights.triu().T"),
    edit("mask_with_infinity",
         "What is on and above the diagonal is replaced by -inf, which times a pixel of 0 is NaN; a weight that must not count is 0",
         "return biases + x @ weights.masked_fill(torch.ones_like(weights).triu() > 0, -math.inf).T"),
    edit("sums_one_late",
         "Each pixel gets the weighted sum of the pixel before it, and the first gets none: the sums stand one place too late",
         "return biases + torch.cat([0 * x[:, :1], (x @ weights.tril(-1).T)[:, :-1]], 1)"),
    edit("mean_over_those_before", "The weighted sum of the earlier pixels is divided by their number; it is a sum",
         "return biases + x @ weights.tril(-1).T / torch.arange(x.shape[1], device=x.device).clamp(min=1).to(x.dtype)"),
    edit("mean_over_earlier", "The weights' part of a logit is averaged over the pixels; it is a sum",
         "return biases + x @ weights.tril(-1).T / x.shape[1]"),
    edit("logits_transposed", "`fvsbn_logits` returns shape (D, N), a row for each pixel; a row for each example is asked for",
         "return (biases + x @ weights.tril(-1).T).T"),
    edit("logits_summed", "`fvsbn_logits` adds the logits of an example up; there is one for each pixel",
         "return (biases + x @ weights.tril(-1).T).sum(1)"),
    edit("logits_in_float32", "`fvsbn_logits` rounds float64 arguments to float32; keep the dtype of x",
         "return (biases.float() + x.float() @ weights.float().tril(-1).T).to(x.dtype)"),
    edit("logits_clamped", "`fvsbn_logits` cuts its logits off; logits of any size are meant",
         "return (biases + x @ weights.tril(-1).T).clamp(-20, 20)"),
    edit("clamped_at_ten", "`fvsbn_logits` cuts its logits off at 10; logits of any size are meant",
         "return (biases + x @ weights.tril(-1).T).clamp(-10, 10)"),
    edit("both_triangles", "The weights are made symmetric, so a pixel is predicted from later ones, too",
         "return biases + x @ (weights.tril(-1) + weights.tril(-1).T).T"),
    edit("weights_detached",
         "the weights are detached in `fvsbn_logits` (`.data`, `.detach()`), so they get no gradient and cannot be "
         "trained",
         "return biases + x @ weights.detach().tril(-1).T"),
    edit("biases_detached",
         "the biases are detached in `fvsbn_logits` (`.data`, `.detach()`), so they get no gradient and cannot be "
         "trained",
         "return biases.detach() + x @ weights.tril(-1).T"),
    edit("logits_detached",
         "`fvsbn_logits` is computed outside autograd (no_grad, .detach() or NumPy), so nothing can be trained through "
         "it",
         "return (biases + x @ weights.tril(-1).T).detach()"),
)

# --- fvsbn_log_prob ------------------------------------------------------------------------------------------------

mistakes.at(
    """
    return bernoulli_log_prob(fvsbn_logits(x, weights, biases), x)
    """,
    edit("log_of_sigmoid",
         "`fvsbn_log_prob` takes the logarithm of a rounded sigmoid: for large logits it is 0 or 1, and the logarithm "
         "is infinite",
         """
         p = torch.sigmoid(fvsbn_logits(x, weights, biases))
         return torch.where(x > 0.5, p.log(), (1 - p).log()).sum(1)
         """),
    edit("log_of_sigmoid_products",
         "`fvsbn_log_prob` computes x log p + (1 - x) log(1 - p) from a rounded sigmoid: for large logits this is 0 "
         "times infinity",
         """
         p = torch.sigmoid(fvsbn_logits(x, weights, biases))
         return (x * p.log() + (1 - x) * (1 - p).log()).sum(1)
         """),
    edit("epsilon",
         "`fvsbn_log_prob` adds a small constant inside the logarithm; very unlikely pixels then look much more likely "
         "than they are",
         """
         p = torch.sigmoid(fvsbn_logits(x, weights, biases))
         return (x * (p + 1e-8).log() + (1 - x) * (1 - p + 1e-8).log()).sum(1)
         """),
    edit("smaller_epsilon",
         "`fvsbn_log_prob` adds a small constant (such as 1e-12) inside the logarithm; very unlikely pixels then look much "
         "more likely than they are",
         """
         p = torch.sigmoid(fvsbn_logits(x, weights, biases))
         return (x * (p + 1e-12).log() + (1 - x) * (1 - p + 1e-12).log()).sum(1)
         """),
    edit("nan_replaced",
         "`fvsbn_log_prob` takes the logarithm of a rounded sigmoid and replaces what is NaN or infinite; the results are "
         "finite and wrong",
         """
         p = torch.sigmoid(fvsbn_logits(x, weights, biases))
         return torch.nan_to_num(x * p.log() + (1 - x) * (1 - p).log()).sum(1)
         """),
    edit("clamped_probability",
         "`fvsbn_log_prob` keeps its probabilities away from 0 and 1 (a clamp, or a constant such as 1e-6 inside the logarithm); "
         "very unlikely pixels then look more likely than they are",
         """
         p = torch.sigmoid(fvsbn_logits(x, weights, biases)).clamp(1e-6, 1 - 1e-6)
         return (x * p.log() + (1 - x) * (1 - p).log()).sum(1)
         """),
    edit("clamped_probability_barely",
         "`fvsbn_log_prob` keeps its probabilities 1e-7 away from 0 and 1; very unlikely pixels then look more likely than they are",
         """
         p = torch.sigmoid(fvsbn_logits(x, weights, biases)).clamp(1e-7, 1 - 1e-7)
         return (x * p.log() + (1 - x) * (1 - p).log()).sum(1)
         """),
    edit("nan_gradient",
         "the gradient of `fvsbn_log_prob` is NaN at large logits: `torch.where` also differentiates the branch that it "
         "does not take, where an exp overflows",
         """
         a = (2 * x - 1) * fvsbn_logits(x, weights, biases)
         return torch.where(a > 0, -torch.log1p(torch.exp(-a)), a - torch.log1p(torch.exp(a))).sum(1)
         """),
    edit("bernoulli_of_probabilities",
         "`fvsbn_log_prob` makes a `Bernoulli` of probabilities, which keeps them 1e-7 away from 0 and 1; it takes logits, too",
         """
         p = torch.sigmoid(fvsbn_logits(x, weights, biases))
         return torch.distributions.Bernoulli(p).log_prob(x).sum(1)
         """),
    edit("normaliser_overflows",
         "`fvsbn_log_prob` computes log(1 + exp(a)) as it stands; for logits beyond 88 the exponential overflows in float32",
         """
         a = fvsbn_logits(x, weights, biases)
         return (x * a - torch.log1p(torch.exp(a))).sum(1)
         """),
    edit("product_then_log",
         "`fvsbn_log_prob` multiplies the probabilities and takes the logarithm of the product, which underflows",
         """
         p = torch.sigmoid(fvsbn_logits(x, weights, biases))
         return torch.where(x > 0.5, p, 1 - p).prod(1).log()
         """),
)

mistakes.at(
    "return bernoulli_log_prob(fvsbn_logits(x, weights, biases), x)",
    edit("sigmoid_first",
         "`fvsbn_log_prob` gives probabilities to `bernoulli_log_prob`, which expects logits: the sigmoid is applied "
         "twice",
         "return bernoulli_log_prob(torch.sigmoid(fvsbn_logits(x, weights, biases)), x)"),
    edit("swapped", "`fvsbn_log_prob` exchanges the two arguments of `bernoulli_log_prob`: the logits come first",
         "return bernoulli_log_prob(x, fvsbn_logits(x, weights, biases))"),
    edit("probability_of_one",
         "`fvsbn_log_prob` sums log P(x_i = 1) whatever x_i is; a 0 contributes log(1 - P(x_i = 1))",
         "return F.logsigmoid(fvsbn_logits(x, weights, biases)).sum(1)"),
    edit("first_term_for_all",
         "`fvsbn_log_prob` adds log P(x_i = 1) for every pixel, and log P(x_i = 0) for those that are 0: the factor x_i is missing",
         "return (F.logsigmoid(fvsbn_logits(x, weights, biases)) + (1 - x) * F.logsigmoid(-fvsbn_logits(x, weights, biases))).sum(1)"),
    edit("ones_only",
         "`fvsbn_log_prob` counts the pixels that are 1 and forgets the factor 1 - P(x_i = 1) of those that are 0",
         "return (x * F.logsigmoid(fvsbn_logits(x, weights, biases))).sum(1)"),
    edit("bits_swapped", "in `fvsbn_log_prob` the sigmoid is taken as the probability of 0; it is that of 1",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases), 1 - x)"),
    edit("loss_sign", "`fvsbn_log_prob` returns the negative log-probability (the loss)",
         "return -bernoulli_log_prob(fvsbn_logits(x, weights, biases), x)"),
    edit("mean_over_pixels", "`fvsbn_log_prob` averages over the pixels; the log-probability is their sum",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases), x) / x.shape[1]"),
    edit("in_bits", "`fvsbn_log_prob` returns bits; the result is in nats",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases), x) / math.log(2)"),
    edit("probability", "`fvsbn_log_prob` returns p(x), not its logarithm",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases), x).exp()"),
    edit("batch_summed", "`fvsbn_log_prob` returns one number for the batch; there is one for each example",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases), x).sum()"),
    edit("batch_averaged", "`fvsbn_log_prob` returns the mean of the batch; there is one number for each example",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases), x).mean()"),
    edit("not_summed", "`fvsbn_log_prob` returns one number for each pixel; they are summed over the pixels",
         "return F.logsigmoid((2 * x - 1) * fvsbn_logits(x, weights, biases))"),
    edit("summed_over_examples",
         "`fvsbn_log_prob` sums over the examples and keeps the pixels; the sum runs over the pixels",
         "return F.logsigmoid((2 * x - 1) * fvsbn_logits(x, weights, biases)).sum(0)"),
    edit("exp_overflows",
         "`fvsbn_log_prob` exponentiates logits as they are; beyond 88 the exponential overflows in float32",
         "return -torch.log1p(torch.exp((1 - 2 * x) * fvsbn_logits(x, weights, biases))).sum(1)"),
    edit("clamped_logits", "`fvsbn_log_prob` cuts its logits off; logits of any size are meant",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases).clamp(-20, 20), x)"),
    edit("clamped_loss",
         "`fvsbn_log_prob` uses binary cross-entropy on probabilities, which cuts each pixel off at -100",
         "return -F.binary_cross_entropy(torch.sigmoid(fvsbn_logits(x, weights, biases)), x, reduction='none').sum(1)"),
    edit("biases_left_out", "`fvsbn_log_prob` gives no biases to `fvsbn_logits`",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, torch.zeros_like(biases)), x)"),
    edit("weights_detached_in_call",
         "the weights are detached in `fvsbn_log_prob` (`.data`, `.detach()`), so they cannot be trained",
         "return bernoulli_log_prob(fvsbn_logits(x, weights.detach(), biases), x)"),
    edit("biases_detached_in_call",
         "the biases are detached in `fvsbn_log_prob` (`.data`, `.detach()`), so they cannot be trained",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases.detach()), x)"),
    edit("total_clamped", "`fvsbn_log_prob` cuts its result off at -100; log-probabilities of any size are meant",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases), x).clamp_min(-100)"),
    edit("without_normaliser",
         "`fvsbn_log_prob` adds up the logits with a sign; the logarithm of the sigmoid is missing, so nothing is normalised",
         "return ((2 * x - 1) * fvsbn_logits(x, weights, biases)).sum(1)"),
    edit("squared_error", "`fvsbn_log_prob` returns squared errors of the probabilities; a log-probability is meant",
         "return -(torch.sigmoid(fvsbn_logits(x, weights, biases)) - x).square().sum(1)"),
    edit("softmax_over_pixels",
         "`fvsbn_log_prob` takes a softmax over the pixels; each pixel has a sigmoid of its own",
         "return (x * torch.log_softmax(fvsbn_logits(x, weights, biases), 1)).sum(1)"),
    edit("keeps_axis", "`fvsbn_log_prob` returns shape (N, 1); one number for each example has shape (N,)",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases), x)[:, None]"),
    edit("log_prob_in_float32", "`fvsbn_log_prob` rounds float64 to float32; keep the dtype of x",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases).float(), x.float())"),
    edit("log_prob_detached",
         "`fvsbn_log_prob` is computed outside autograd (no_grad, .detach() or NumPy), so it cannot be trained",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases).detach(), x)"),
    edit("weights_transposed_in_call", "`fvsbn_log_prob` transposes the weights on their way to `fvsbn_logits`",
         "return bernoulli_log_prob(fvsbn_logits(x, weights.T, biases), x)"),
    edit("last_pixel_left_out", "`fvsbn_log_prob` leaves the last pixel out of the sum",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases)[:, :-1], x[:, :-1])"),
    edit("first_pixel_left_out", "`fvsbn_log_prob` leaves the first pixel out of the sum; p(x_1) is a factor, too",
         "return bernoulli_log_prob(fvsbn_logits(x, weights, biases)[:, 1:], x[:, 1:])"),
)

# --- ancestral_sample ----------------------------------------------------------------------------------------------

mistakes.at(
    """
    with torch.no_grad():
    """,
    edit("keeps_a_graph",
         "`ancestral_sample` calls `logits_of` with autograd on, which keeps a graph of every call", "if True:"),
    edit("switches_autograd_off",
         "after `ancestral_sample` autograd is switched off for everything that follows; use `torch.no_grad()` as a "
         "decorator or a context",
         """
         torch.set_grad_enabled(False)
         if True:
         """),
    edit("uniforms_in_float32", "`ancestral_sample` rounds the uniform numbers to float32, where u and p may then be equal",
         """
         uniforms = uniforms.float()
         with torch.no_grad():
         """),
    edit("noise_of_its_own",
         "`ancestral_sample` draws random numbers of its own; the randomness is handed to it in `uniforms`",
         """
         uniforms = torch.rand_like(uniforms)
         with torch.no_grad():
         """),
    edit("same_noise_for_all",
         "`ancestral_sample` uses the uniform numbers of the first example for all; each example has its own",
         """
         uniforms = uniforms[:1].expand_as(uniforms)
         with torch.no_grad():
         """),
    edit("one_number_per_example",
         "`ancestral_sample` uses one uniform number for all entries of an example; each entry has its own",
         """
         uniforms = uniforms.flatten(1)[:, :1].expand(-1, x[0].numel()).reshape(x.shape)
         with torch.no_grad():
         """),
    edit("known_inverted", "`ancestral_sample` keeps the unknown entries and draws the known ones",
         """
         known = ~known
         with torch.no_grad():
         """),
    edit("known_by_value",
         "`ancestral_sample` takes the entries that are not 0 for the known ones; `known` says which they are, and a known "
         "entry may be 0",
         """
         known = x != 0
         with torch.no_grad():
         """),
)

mistakes.at(
    "drawn = torch.where(known, x, 0.0).flatten(1)",
    edit("known_forgotten",
         "`ancestral_sample` starts from zeros everywhere, so the values of the known entries are lost",
         "drawn = torch.zeros_like(x).flatten(1)"),
    edit("works_in_x", "`ancestral_sample` writes into its argument `x`; work on a copy", "drawn = x.flatten(1)"),
)

mistakes.at(
    "for t in range(drawn.shape[1]):",
    edit("skips_first", "`ancestral_sample` never draws the first entry", "for t in range(1, drawn.shape[1]):"),
    edit("skips_last", "`ancestral_sample` never draws the last entry", "for t in range(drawn.shape[1] - 1):"),
    edit("axis_one_entries",
         "`ancestral_sample` draws as many entries as axis 1 is long; in a picture that is the number of channels",
         "for t in range(x.shape[1]):"),
    edit("first_known_skipped",
         "`ancestral_sample` skips an entry of all examples where it is known in the first; `known` differs between examples",
         "for t in (t for t in range(drawn.shape[1]) if not known.flatten(1)[0, t]):"),
    edit("skips_borders", "`ancestral_sample` skips the first row and the first column of a picture (or what lies there in a vector)",
         "for t in (t for t in range(drawn.shape[1]) if t >= x.shape[-1] and t % x.shape[-1]):"),
    edit("by_columns",
         "`ancestral_sample` draws column by column (the last axis outermost); the order is that of `x.flatten(1)`",
         "for t in torch.arange(drawn.shape[1]).reshape(x.shape[1:]).permute(*range(x.dim() - 2, -1, -1)).flatten().tolist():"),
    edit("channels_innermost",
         "`ancestral_sample` draws all channels of a pixel before the next pixel; in `x.flatten(1)` a whole channel comes "
         "before the next",
         "for t in torch.arange(drawn.shape[1]).reshape(x.shape[1], -1).T.flatten().tolist():"),
)

mistakes.at(
    """
    logits = logits_of(drawn.reshape(x.shape)).flatten(1)[:, t]
    """,
    edit("all_at_once",
         "`ancestral_sample` computes logits before the earlier entries are drawn (all at once, or from the last entry to the "
         "first); each entry needs those before it",
         "logits = logits_of(torch.where(known, x, 0.0)).flatten(1)[:, t]"),
    edit("teacher_forcing",
         "`ancestral_sample` computes the logits from the `x` that it was given (teacher forcing); an unknown entry has to "
         "see the drawn ones",
         "logits = logits_of(x).flatten(1)[:, t]"),
    edit("sees_uniforms",
         "`ancestral_sample` shows the uniform numbers to `logits_of`, not the bits that it has drawn",
         "logits = logits_of(uniforms.to(x.dtype)).flatten(1)[:, t]"),
    edit("known_not_shown",
         "`ancestral_sample` shows 0 in place of the known entries; later entries have to see their values",
         "logits = logits_of(torch.where(known, torch.zeros_like(x), drawn.reshape(x.shape))).flatten(1)[:, t]"),
    edit("one_behind",
         "`ancestral_sample` uses the logit of the entry before the one that it draws",
         "logits = logits_of(drawn.reshape(x.shape)).flatten(1)[:, max(t - 1, 0)]"),
    edit("one_ahead",
         "`ancestral_sample` uses the logit of the entry after the one that it draws",
         "logits = logits_of(drawn.reshape(x.shape)).flatten(1)[:, min(t + 1, drawn.shape[1] - 1)]"),
    edit("flat_to_model", "`ancestral_sample` gives `logits_of` a flattened x; it expects the shape (N, *shape)",
         "logits = logits_of(drawn).flatten(1)[:, t]"),
    edit("slice_to_model",
         "`ancestral_sample` gives `logits_of` only the entries drawn so far; it expects the whole shape (N, *shape)",
         "logits = logits_of(drawn[:, :t]).flatten(1)[:, -1]"),
    edit("example_by_example",
         "`ancestral_sample` calls `logits_of` for one example at a time; it is to be called with all N, since each may have "
         "a label of its own",
         "logits = torch.cat([logits_of(each[None]) for each in drawn.reshape(x.shape)]).flatten(1)[:, t]"),
)

mistakes.at(
    "bits = uniforms.flatten(1)[:, t] < torch.sigmoid(logits)",
    edit("at_most", "`ancestral_sample` sets an entry to 1 also where u equals σ(a); only u < σ(a) gives a 1",
         "bits = uniforms.flatten(1)[:, t] <= torch.sigmoid(logits)"),
    edit("above", "`ancestral_sample` sets an entry to 1 where u is above σ(a); this happens with probability 1 - σ(a)",
         "bits = uniforms.flatten(1)[:, t] > torch.sigmoid(logits)"),
    edit("greedy",
         "`ancestral_sample` takes the more likely value and ignores the uniform numbers: one greedy answer, no samples",
         "bits = torch.sigmoid(logits) > 0.5"),
    edit("sigmoid_twice", "`ancestral_sample` applies the sigmoid twice",
         "bits = uniforms.flatten(1)[:, t] < torch.sigmoid(torch.sigmoid(logits))"),
    edit("no_sigmoid", "`ancestral_sample` compares u with the logit; the sigmoid makes a probability of it",
         "bits = uniforms.flatten(1)[:, t] < logits"),
    edit("exponential", "`ancestral_sample` takes exp(a) for the probability; it is σ(a)",
         "bits = uniforms.flatten(1)[:, t] < torch.exp(logits)"),
    edit("probability_of_zero", "`ancestral_sample` takes σ(a) for the probability of a 0; it is that of a 1",
         "bits = uniforms.flatten(1)[:, t] < torch.sigmoid(-logits)"),
    edit("clamped", "`ancestral_sample` keeps its probabilities away from 0 and 1, so that much rarer events occur",
         "bits = uniforms.flatten(1)[:, t] < torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)"),
    edit("one_minus_u", "`ancestral_sample` compares 1 - u with σ(a); the rule is u < σ(a)",
         "bits = 1 - uniforms.flatten(1)[:, t] < torch.sigmoid(logits)"),
    edit("hyperbolic_tangent", "`ancestral_sample` takes tanh(a) for the probability; it is σ(a)",
         "bits = uniforms.flatten(1)[:, t] < torch.tanh(logits)"),
    edit("doubled_logits", "`ancestral_sample` doubles the logits before the sigmoid",
         "bits = uniforms.flatten(1)[:, t] < torch.sigmoid(2 * logits)"),
    edit("noise_one_behind", "`ancestral_sample` compares each entry with the uniform number of the entry before it",
         "bits = uniforms.flatten(1)[:, t - 1] < torch.sigmoid(logits)"),
    edit("noise_one_ahead", "`ancestral_sample` compares each entry with the uniform number of the entry after it",
         "bits = uniforms.flatten(1).roll(-1, 1)[:, t] < torch.sigmoid(logits)"),
    edit("noise_of_unknown",
         "`ancestral_sample` uses up a uniform number only where an entry is unknown; each entry has its own, also a known one",
         "bits = uniforms.flatten(1).gather(1, (~known).flatten(1)[:, :t].sum(1, keepdim=True))[:, 0] < torch.sigmoid(logits)"),
    edit("bernoulli_draws",
         "`ancestral_sample` draws its bits with `torch.bernoulli`; the randomness is handed to it in `uniforms`",
         "bits = torch.bernoulli(torch.sigmoid(logits))"),
    edit("rounded_probability", "`ancestral_sample` rounds σ(a) before it compares; u may then be on the wrong side",
         "bits = uniforms.flatten(1)[:, t] < torch.round(torch.sigmoid(logits), decimals=2)"),
    edit("noise_in_reverse", "`ancestral_sample` uses the uniform numbers in reversed order",
         "bits = uniforms.flatten(1)[:, -1 - t] < torch.sigmoid(logits)"),
)

mistakes.at(
    """
    drawn[:, t] = torch.where(known.flatten(1)[:, t], drawn[:, t], bits.to(x.dtype))
    """,
    edit("draws_known",
         "`ancestral_sample` draws the known entries anew; they have to stay", "drawn[:, t] = bits.to(x.dtype)"),
    edit("restored_at_the_end",
         "`ancestral_sample` draws the known entries anew and restores them only at the end; later entries have to see their "
         "true values",
         "drawn[:, t] = bits.to(x.dtype)",
         ("return drawn.reshape(x.shape)", "return torch.where(known, x, drawn.reshape(x.shape))")),
    edit("known_if_all",
         "`ancestral_sample` keeps an entry only if it is known in all examples; `known` differs between examples",
         "drawn[:, t] = torch.where(known.flatten(1)[:, t].all(), drawn[:, t], bits.to(x.dtype))"),
    edit("known_if_any",
         "`ancestral_sample` keeps an entry of all examples if it is known in one; `known` differs between examples",
         "drawn[:, t] = torch.where(known.flatten(1)[:, t].any(), drawn[:, t], bits.to(x.dtype))"),
    edit("known_of_first_example",
         "`ancestral_sample` uses the first example's `known` for all; it differs between examples",
         "drawn[:, t] = torch.where(known.flatten(1)[0, t], drawn[:, t], bits.to(x.dtype))"),
    edit("known_ones_only",
         "`ancestral_sample` keeps a known entry only if it is 1, and draws the known zeros anew",
         "drawn[:, t] = torch.where(known.flatten(1)[:, t] & (drawn[:, t] > 0), drawn[:, t], bits.to(x.dtype))"),
    edit("adds_to_start",
         "`ancestral_sample` adds the drawn bit to the value that stood in an unknown entry of `x`; that value must not matter",
         "drawn[:, t] = torch.where(known.flatten(1)[:, t], drawn[:, t], x.flatten(1)[:, t] + bits.to(x.dtype))"),
    edit("feeds_probabilities",
         "`ancestral_sample` feeds probabilities forward and draws the bits at the end; later entries have to see bits",
         "drawn[:, t] = torch.where(known.flatten(1)[:, t], drawn[:, t], torch.sigmoid(logits).to(x.dtype))",
         ("return drawn.reshape(x.shape)",
          "return torch.where(known, x, (uniforms < drawn.reshape(x.shape)).to(x.dtype))")),
)

mistakes.at(
    "return drawn.reshape(x.shape)",
    edit("flattened", "`ancestral_sample` returns flattened samples; they have the shape of x", "return drawn"),
    edit("copies", "`ancestral_sample` returns what it was given and draws nothing", "return x.clone()"),
    edit("float32_samples", "`ancestral_sample` returns float32 also where x is float64; the samples have the dtype of x",
         "return drawn.reshape(x.shape).float()"),
    edit("integers", "`ancestral_sample` returns integers; the samples have the dtype of x, so that a network can read them",
         "return drawn.reshape(x.shape).long()"),
    edit("booleans", "`ancestral_sample` returns booleans; the samples have the dtype of x, so that a network can read them",
         "return drawn.reshape(x.shape).bool()"),
    edit("unknown_only", "`ancestral_sample` sets the known entries to 0 in the end; they have to stay",
         "return drawn.reshape(x.shape) * ~known"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@mistakes.rewrite("`fvsbn_logits` zeroes a part of the argument `weights` itself; work on a new tensor", catches="in-place change")
def zeroes_the_argument(ref):
    def fvsbn_logits(x, weights, biases):
        with torch.no_grad():
            weights.tril_(-1)
        return biases + x @ weights.T

    return {"fvsbn_logits": fvsbn_logits}


@mistakes.rewrite("`ancestral_sample` draws all entries of a row of the last axis (or all entries of a vector) at once; each needs the one before it")
def rows_at_once(ref):
    def ancestral_sample(logits_of, x, known, uniforms):
        with torch.no_grad():
            drawn = torch.where(known, x, 0.0).reshape(len(x), -1, x.shape[-1])
            mask, u = known.reshape(drawn.shape), uniforms.reshape(drawn.shape)
            for row in range(drawn.shape[1]):
                p = torch.sigmoid(logits_of(drawn.reshape(x.shape))).reshape(drawn.shape)[:, row]
                drawn[:, row] = torch.where(mask[:, row], drawn[:, row], (u[:, row] < p).to(x.dtype))
            return drawn.reshape(x.shape)

    return {"ancestral_sample": ancestral_sample}


@mistakes.rewrite("`ancestral_sample` draws all entries at once, again and again; later passes redraw entries with the help of old ones")
def all_of_them_twice(ref):
    def ancestral_sample(logits_of, x, known, uniforms):
        with torch.no_grad():
            drawn = torch.where(known, x, 0.0)
            for _ in range(2):
                p = torch.sigmoid(logits_of(drawn))
                drawn = torch.where(known, x, (uniforms < p).to(x.dtype))
            return drawn

    return {"ancestral_sample": ancestral_sample}


@mistakes.rewrite("`ancestral_sample` rounds float64 to float32 (x, or the logits), so that u may be on the wrong side of σ(a)")
def only_float32(ref):
    def ancestral_sample(logits_of, x, known, uniforms):
        return ref.ancestral_sample(logits_of, x.float(), known, uniforms)

    return {"ancestral_sample": ancestral_sample}


@mistakes.rewrite("`ancestral_sample` returns a copy of x as soon as nothing unknown is left, so what it has drawn before is lost")
def loses_what_is_drawn(ref):
    def ancestral_sample(logits_of, x, known, uniforms):
        result = ref.ancestral_sample(logits_of, x, known, uniforms)
        return x.clone() if known.flatten(1)[:, -1].all() else result

    return {"ancestral_sample": ancestral_sample}


@mistakes.rewrite("`ancestral_sample` returns `x` itself where everything is known; a new tensor is asked for")
def returns_x_itself(ref):
    def ancestral_sample(logits_of, x, known, uniforms):
        return x if known.all() else ref.ancestral_sample(logits_of, x, known, uniforms)

    return {"ancestral_sample": ancestral_sample}


@mistakes.rewrite("`ancestral_sample` draws all channels of a pixel at once; in `x.flatten(1)` a whole channel comes before the next")
def channels_at_once(ref):
    def ancestral_sample(logits_of, x, known, uniforms):
        with torch.no_grad():
            drawn = torch.where(known, x, 0.0)
            channels, spread = (1, x.shape[1:]) if x.dim() < 4 else (x.shape[1], x.shape[2:])
            flat, mask, u = (value.reshape(len(x), channels, -1) for value in (drawn, known, uniforms))
            for t in range(spread.numel()):
                p = torch.sigmoid(logits_of(flat.reshape(x.shape))).reshape(flat.shape)[:, :, t]
                flat[:, :, t] = torch.where(mask[:, :, t], flat[:, :, t], (u[:, :, t] < p).to(x.dtype))
            return flat.reshape(x.shape)

    return {"ancestral_sample": ancestral_sample}


@mistakes.rewrite("`ancestral_sample` writes its samples into the argument `uniforms`; work on a copy", catches="in-place change")
def writes_into_uniforms(ref):
    def ancestral_sample(logits_of, x, known, uniforms):
        result = ref.ancestral_sample(logits_of, x, known, uniforms)
        return uniforms.copy_(result)

    return {"ancestral_sample": ancestral_sample}


@mistakes.rewrite("`ancestral_sample` draws vectors only: it loops over axis 1, which in a picture is the channels")
def loops_over_axis_one(ref):
    def ancestral_sample(logits_of, x, known, uniforms):
        with torch.no_grad():
            drawn = torch.where(known, x, 0.0)
            for i in range(x.shape[1]):
                p = torch.sigmoid(logits_of(drawn)[:, i])
                drawn[:, i] = torch.where(known[:, i], drawn[:, i], (uniforms[:, i] < p).to(x.dtype))
            return drawn

    return {"ancestral_sample": ancestral_sample}


@mistakes.rewrite("`fvsbn_log_prob` lets `F.binary_cross_entropy_with_logits` average over everything; one number for each example is expected")
def default_reduction(ref):
    def fvsbn_log_prob(x, weights, biases):
        return -F.binary_cross_entropy_with_logits(ref.fvsbn_logits(x, weights, biases), x)

    return {"fvsbn_log_prob": fvsbn_log_prob}
