"""Named wrong versions of the answers to question 10."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- fvsbn_log_prob ------------------------------------------------------------------------------------------------

mistakes.at(
    "logits = biases + x @ weights.tril(-1).T",
    edit("sees_itself",
         "in `fvsbn_log_prob` the diagonal of the weights is used too, so x_i conditions on itself and the "
         "probabilities do not sum to one",
         "logits = biases + x @ weights.tril().T"),
    edit("no_triangle",
         "`fvsbn_log_prob` uses the whole weight matrix, so a bit conditions on itself and on later bits",
         "logits = biases + x @ weights.T"),
    edit("upper_triangle",
         "`fvsbn_log_prob` uses the entries above the diagonal: each bit conditions on the later bits, not on the "
         "earlier",
         "logits = biases + x @ weights.triu(1).T"),
    edit("transposed",
         "in `fvsbn_log_prob` the weights are transposed: W[i, j] belongs to the logit of x_i, so the sum runs "
         "over the second index",
         "logits = biases + x @ weights.tril(-1)"),
    edit("transposed_then_masked",
         "`fvsbn_log_prob` reads W[j, i] instead of W[i, j]: row i of the weights belongs to the logit of x_i",
         "logits = biases + x @ weights.triu(1)"),
    edit("no_bias", "`fvsbn_log_prob` lacks the biases", "logits = x @ weights.tril(-1).T"),
    edit("previous_only",
         "in `fvsbn_log_prob` each bit sees only the one before it; the sum runs over all earlier bits",
         "logits = biases + x @ weights.tril(-1).triu(-1).T"),
    edit("upper_part_subtracted",
         "`fvsbn_log_prob` adds the entries on and above the diagonal and subtracts them again, which rounds the "
         "others away where those are large",
         "logits = biases + x @ weights.T - x @ weights.triu().T"),
)

mistakes.at(
    """
    return F.logsigmoid((2 * x - 1) * logits).sum(-1)
    """,
    edit("log_of_sigmoid",
         "`fvsbn_log_prob` takes the logarithm of a rounded sigmoid: for large logits it is 0 or 1, and the "
         "logarithm is infinite",
         """
         p = torch.sigmoid(logits)
         return torch.where(x > 0.5, p.log(), (1 - p).log()).sum(-1)
         """),
    edit("epsilon",
         "`fvsbn_log_prob` adds a small constant inside the logarithm; very unlikely bits then look much more "
         "likely than they are",
         """
         p = torch.sigmoid(logits)
         return (x * (p + 1e-8).log() + (1 - x) * (1 - p + 1e-8).log()).sum(-1)
         """),
    edit("nan_gradient",
         "the gradient of `fvsbn_log_prob` is NaN at large logits: `torch.where` also differentiates the branch "
         "that it does not take, where an exp overflows",
         """
         a = (2 * x - 1) * logits
         return torch.where(a > 0, -torch.log1p(torch.exp(-a)), a - torch.log1p(torch.exp(a))).sum(-1)
         """),
)

mistakes.at(
    "return F.logsigmoid((2 * x - 1) * logits).sum(-1)",
    edit("probability_of_one",
         "`fvsbn_log_prob` sums log P(x_i = 1) whatever x_i is; a zero contributes log(1 - P(x_i = 1))",
         "return F.logsigmoid(logits).sum(-1)"),
    edit("ones_only",
         "`fvsbn_log_prob` counts the bits that are 1 and forgets the factor 1 - P(x_i = 1) of the bits that are 0",
         "return (x * F.logsigmoid(logits)).sum(-1)"),
    edit("bits_swapped", "in `fvsbn_log_prob` the sigmoid is taken as the probability of 0; it is that of 1",
         "return F.logsigmoid((1 - 2 * x) * logits).sum(-1)"),
    edit("sigmoid_twice",
         "`fvsbn_log_prob` applies the sigmoid twice: a function that expects logits gets probabilities",
         "return F.logsigmoid((2 * x - 1) * torch.sigmoid(logits)).sum(-1)"),
    edit("loss_sign", "`fvsbn_log_prob` returns the negative log-probability (the loss)",
         "return -F.logsigmoid((2 * x - 1) * logits).sum(-1)"),
    edit("mean_over_bits", "`fvsbn_log_prob` averages over the dimensions; the log-probability is their sum",
         "return F.logsigmoid((2 * x - 1) * logits).mean(-1)"),
    edit("batch_summed", "`fvsbn_log_prob` returns one number for the batch; it should be one per example",
         "return F.logsigmoid((2 * x - 1) * logits).sum()"),
    edit("exp_overflows",
         "`fvsbn_log_prob` exponentiates logits as they are; beyond 88 the exponential overflows in float32",
         "return -torch.log1p(torch.exp((1 - 2 * x) * logits)).sum(-1)"),
    edit("clamped_loss",
         "`fvsbn_log_prob` cuts logits or logarithms off at 100, as binary cross-entropy on probabilities does; "
         "work with the logits as they are",
         "return -F.binary_cross_entropy(torch.sigmoid(logits), x, reduction='none').sum(-1)"),
    edit("keeps_axis", "`fvsbn_log_prob` returns shape (N, 1); one number per example has shape (N,)",
         "return F.logsigmoid((2 * x - 1) * logits).sum(-1, keepdim=True)"),
    edit("rounds_to_float32",
         "`fvsbn_log_prob` rounds float64 arguments to float32; make new tensors in the type of `x`",
         "return F.logsigmoid((2 * x - 1) * logits).float().sum(-1)"),
)

# --- sample_fvsbn --------------------------------------------------------------------------------------------------

mistakes.at(
    """
    x = torch.zeros_like(uniforms)
    """,
    edit("sampling_without_grad",
         "after `sample_fvsbn` autograd is switched off for everything that follows; use `torch.no_grad()` as a "
         "decorator or a context",
         """
         torch.set_grad_enabled(False)
         x = torch.zeros_like(uniforms)
         """),
)

mistakes.at(
    "x = torch.zeros_like(uniforms)",
    edit("sampling_float32", "`sample_fvsbn` works for float32 only; make new tensors in the type of `uniforms`",
         "x = torch.zeros(uniforms.shape)"),
)

mistakes.at(
    "p_one = torch.sigmoid(biases[i] + x[:, :i] @ weights[i, :i])",
    edit("all_at_once",
         "`sample_fvsbn` draws the bits as if the earlier ones were all 0 (all at once, or in the wrong order); "
         "each bit needs those drawn before",
         "p_one = torch.sigmoid(biases[i] + torch.zeros_like(x)[:, :i] @ weights[i, :i])"),
    edit("sampling_rounds",
         "`sample_fvsbn` rounds float64 arguments to float32; a bit whose uniform number is close to its "
         "probability can then be wrong",
         "p_one = torch.sigmoid(biases[i].float() + x[:, :i].float() @ weights[i, :i].float())",
         ("x[:, i] = (uniforms[:, i] < p_one).to(x.dtype)", "x[:, i] = (uniforms[:, i].float() < p_one).to(x.dtype)")),
    edit("sampling_clamped",
         "`sample_fvsbn` keeps its probabilities away from 0 and 1, so that events occur which are much rarer",
         "p_one = torch.sigmoid(biases[i] + x[:, :i] @ weights[i, :i]).clamp(1e-6, 1 - 1e-6)"),
    edit("sampling_transposed",
         "`sample_fvsbn` reads W[j, i] instead of W[i, j]: row i of the weights belongs to the logit of x_i",
         "p_one = torch.sigmoid(biases[i] + x[:, :i] @ weights[:i, i])"),
    edit("sampling_no_bias", "`sample_fvsbn` lacks the biases", "p_one = torch.sigmoid(x[:, :i] @ weights[i, :i])"),
    edit("sampling_sigmoid_twice", "`sample_fvsbn` applies the sigmoid twice",
         "p_one = torch.sigmoid(torch.sigmoid(biases[i] + x[:, :i] @ weights[i, :i]))"),
    edit("sampling_forgets_last", "in `sample_fvsbn` a bit does not see the one just before it: `:i` includes i - 1",
         "p_one = torch.sigmoid(biases[i] + x[:, : max(i - 1, 0)] @ weights[i, : max(i - 1, 0)])"),
    edit("forced_by_uniforms",
         "`sample_fvsbn` conditions on the uniform numbers (or on given data) instead of the bits that it has "
         "drawn itself",
         "p_one = torch.sigmoid(biases[i] + uniforms[:, :i] @ weights[i, :i])"),
)

mistakes.at(
    "x[:, i] = (uniforms[:, i] < p_one).to(x.dtype)",
    edit("uniform_above",
         "`sample_fvsbn` sets a bit to 1 if the uniform number is above p; this happens with probability 1 - p",
         "x[:, i] = (uniforms[:, i] > p_one).to(x.dtype)"),
    edit("most_likely",
         "`sample_fvsbn` takes the more likely value of each bit and ignores the uniform numbers: no samples, but "
         "one greedy answer",
         "x[:, i] = (p_one > 0.5).to(x.dtype)"),
    edit("at_most",
         "`sample_fvsbn` sets a bit to 1 also where the uniform number equals p; a uniform number of 1 must give "
         "a 0 even if p is rounded to 1",
         "x[:, i] = (uniforms[:, i] <= p_one).to(x.dtype)"),
    edit("fed_with_probabilities", "`sample_fvsbn` feeds probabilities forward instead of the bits that were drawn",
         "x[:, i] = p_one",
         ("""
         return x
         """, "return (uniforms < x).to(x.dtype)")),
)

# --- fit_fvsbn -----------------------------------------------------------------------------------------------------

mistakes.at(
    """
    N, D = x.shape
    """,
    edit("fit_rounds",
         "`fit_fvsbn` rounds to float32 although the data are float64; make new tensors in the type of `x`",
         """
         x = x.float()
         N, D = x.shape
         """),
)

mistakes.at(
    """
    weights, biases = x.new_zeros(D, D), x.new_zeros(D)
    """,
    edit("random_start", "`fit_fvsbn` starts from random weights and biases; it starts from zero",
         """
         layer = nn.Linear(D, D).to(x)
         weights, biases = layer.weight.detach().tril(-1), layer.bias.detach()
         """),
)

mistakes.at(
    """
    for _ in range(steps):
    """,
    edit("fixed_rate", "`fit_fvsbn` ignores its learning rate",
         """
         learning_rate = 0.5
         for _ in range(steps):
         """),
)

mistakes.at(
    "for _ in range(steps):",
    edit("one_step_less", "`fit_fvsbn` does one step too few", "for _ in range(steps - 1):"),
    edit("one_step", "`fit_fvsbn` stops after the first step", "for _ in range(min(steps, 1)):"),
)

mistakes.at(
    "residual = x - torch.sigmoid(biases + x @ weights.T)",
    edit("fit_without_bias", "the logits in `fit_fvsbn` lack the biases",
         "residual = x - torch.sigmoid(x @ weights.T)"),
    edit("weights_transposed_in_logits", "in `fit_fvsbn` the logits use the transposed weights",
         "residual = x - torch.sigmoid(biases + x @ weights)"),
)

mistakes.at(
    "weights = weights + learning_rate * (residual.T @ x / N).tril(-1)",
    edit("descends", "`fit_fvsbn` goes down the log-likelihood; a step *adds* the gradient of the log-likelihood",
         "weights = weights - learning_rate * (residual.T @ x / N).tril(-1)",
         ("biases = biases + learning_rate * residual.mean(0)", "biases = biases - learning_rate * residual.mean(0)")),
    edit("fits_itself", "in `fit_fvsbn` the diagonal of the weights is trained: x_i learns to copy itself",
         "weights = weights + learning_rate * (residual.T @ x / N).tril()"),
    edit("fits_everything",
         "`fit_fvsbn` trains the whole weight matrix, so a bit learns from itself and from later bits",
         "weights = weights + learning_rate * residual.T @ x / N"),
    edit("masks_at_the_end",
         "`fit_fvsbn` trains the whole weight matrix and zeroes a part of it at the end; what is left was trained "
         "with the help of the part that is gone",
         "weights = weights + learning_rate * residual.T @ x / N",
         ("return weights, biases", "return weights.tril(-1), biases")),
    edit("gradient_transposed", "in `fit_fvsbn` the weight gradient is transposed: W[i, j] gets (x_i - p_i) x_j",
         "weights = weights + learning_rate * (x.T @ residual / N).tril(-1)"),
    edit("sum_over_examples",
         "`fit_fvsbn` sums the gradient over the examples instead of averaging, so the steps are N times too long",
         "weights = weights + learning_rate * (residual.T @ x).tril(-1)",
         ("biases = biases + learning_rate * residual.mean(0)", "biases = biases + learning_rate * residual.sum(0)")),
    edit("mean_over_everything",
         "`fit_fvsbn` averages the gradient over dimensions too, so the steps are D times too short",
         "weights = weights + learning_rate * (residual.T @ x / N / D).tril(-1)",
         ("biases = biases + learning_rate * residual.mean(0)", "biases = biases + learning_rate * residual.mean(0) / D")),
    edit("weights_stay", "`fit_fvsbn` does not train the weights", "pass"),
)

mistakes.at(
    "biases = biases + learning_rate * residual.mean(0)",
    edit("biases_stay", "`fit_fvsbn` does not train the biases", "pass"),
)

mistakes.at(
    "return weights, biases",
    edit("attached", "`fit_fvsbn` returns parameters that still require gradients; return them detached",
         "return weights.requires_grad_(), biases.requires_grad_()"),
)

# --- log_marginal_mc -----------------------------------------------------------------------------------------------

mistakes.at(
    "return log_mean_exp(log_likelihood(x[:, None], z), dim=1)",
    edit("average_of_logs",
         "`log_marginal_mc` averages the logarithms; the likelihoods are averaged and the logarithm comes last",
         "return log_likelihood(x[:, None], z).mean(1)"),
    edit("same_draws_for_all", "`log_marginal_mc` uses the same draws of z for every x; each has its own in z[n]",
         "return log_mean_exp(log_likelihood(x[:, None], z[:1].expand_as(z)), dim=1)"),
    edit("sum_over_draws",
         "`log_marginal_mc` sums over the draws; the estimate is their average, so - log S is missing",
         "return torch.logsumexp(log_likelihood(x[:, None], z), dim=1)"),
    edit("average_latent",
         "`log_marginal_mc` averages z and evaluates the likelihood there; the average of a function is not the "
         "function of the average",
         "return log_likelihood(x, z.mean(1))"),
    edit("first_draw", "`log_marginal_mc` uses the first draw only", "return log_likelihood(x, z[:, 0])"),
    edit("best_draw", "`log_marginal_mc` takes the best draw instead of the average",
         "return log_likelihood(x[:, None], z).amax(1)"),
    edit("underflow",
         "`log_marginal_mc` exponentiates log-likelihoods, which underflow to 0 below about -100; use a log-mean-exp",
         "return log_likelihood(x[:, None], z).exp().mean(1).log()"),
    edit("without_logarithm", "`log_marginal_mc` returns the estimate of p(x), not its logarithm",
         "return log_mean_exp(log_likelihood(x[:, None], z), dim=1).exp()"),
    edit("averages_examples", "`log_marginal_mc` averages over the examples as well",
         "return log_mean_exp(log_likelihood(x[:, None], z), dim=1).mean()"),
)

# --- second_mean ---------------------------------------------------------------------------------------------------

mistakes.at(
    "return x1**2",
    edit("linear_mean",
         "with a linear mean and a constant standard deviation the pair is jointly Gaussian, and so is the "
         "reversed conditional",
         "return 2 * x1 + 1", ("return torch.full_like(x1, 0.5)", "return torch.ones_like(x1)")),
    edit("independent_pair", "constant functions make x1 and x2 independent, so p(x1 | x2) is the Gaussian p(x1)",
         "return torch.zeros_like(x1)", ("return torch.full_like(x1, 0.5)", "return torch.ones_like(x1)")),
    edit("std_reaches_zero", "the standard deviation is 0 at x1 = 0, where the Gaussian has no density",
         "return torch.zeros_like(x1)", ("return torch.full_like(x1, 0.5)", "return x1.abs()")),
    edit("negative_std", "the standard deviation is negative for x1 < 0", "return torch.zeros_like(x1)",
         ("return torch.full_like(x1, 0.5)", "return x1")),
)

# --- second_std ----------------------------------------------------------------------------------------------------

mistakes.at(
    "return torch.full_like(x1, 0.5)",
    edit("zero_std", "the standard deviation is 0, so x2 is no longer random and its Gaussian has no density",
         "return torch.zeros_like(x1)"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------

@mistakes.rewrite("`fvsbn_log_prob` is computed outside autograd (detach, .item() or NumPy), so it has no gradient")
def detached(ref):
    return {"fvsbn_log_prob": lambda x, weights, biases: ref.fvsbn_log_prob(x, weights.detach(), biases.detach())}


@mistakes.rewrite("`sample_fvsbn` changes an argument: it writes its samples into `uniforms`, or zeros into `weights`", catches="in-place change")
def writes_into_uniforms(ref):
    def sample_fvsbn(weights, biases, uniforms):
        for i in range(uniforms.shape[1]):
            p_one = torch.sigmoid(biases[i] + uniforms[:, :i] @ weights[i, :i])
            uniforms[:, i] = (uniforms[:, i] < p_one).float()
        return uniforms

    return {"sample_fvsbn": sample_fvsbn}
