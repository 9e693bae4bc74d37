"""Named wrong versions of the answers to question 8."""

import math

import torch
from torch.nn import functional as F

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- filter_logits --------------------------------------------------------------------------------------------------

FIRST = "p, order = (logits / temperature).softmax(-1).sort(-1, descending=True)"


def cut(dropped, fill="-math.inf"):
    """The first line, after a top-k on the logits that drops other tokens, or fills in another logit."""
    return f"logits = logits / temperature; logits = logits if top_k is None else logits.masked_fill({dropped}, {fill}); top_k = None; p, order = logits.softmax(-1).sort(-1, descending=True)"


mistakes.at(
    "(logits / temperature)",
    edit("temperature_multiplies", "the logits are multiplied by the temperature; it divides them, so that a high one makes the distribution flatter", "(logits * temperature)"),
    edit("temperature_ignored", "the temperature has no effect; it has to divide the logits before the softmax", "logits"),
    edit("temperature_on_probabilities", "the probabilities are divided by the temperature, and then take part in a softmax; the temperature belongs to the logits",
         "(logits.softmax(-1) / temperature)"),
    edit("temperature_epsilon", "a constant is added to the temperature, which changes small ones", "(logits / (temperature + 1e-3))"),
    edit("temperature_below_one_only", "a temperature above 1 is ignored", "(logits / min(temperature, 1.0))"),
    edit("temperature_above_one_only", "a temperature below 1 is ignored", "(logits / max(temperature, 1.0))"),
    edit("cold_is_greedy", "a temperature below 0.01 gives all probability to the largest logit; it divides the logits like any other",
         "(logits / temperature if temperature > 0.01 else logits.masked_fill(logits < logits.amax(-1, keepdim=True), -math.inf))"),
    edit("temperature_without_filters_only", "with a filter the temperature does nothing; it comes first, whatever follows", "(logits / (temperature if top_k is None and top_p == 1 and min_p == 0 else 1))"),
    edit("temperature_squared", "the temperature acts twice", "(logits / temperature**2)"),
    edit("temperature_root", "the logits are divided by the root of the temperature", "(logits / math.sqrt(temperature))"),
    edit("temperature_floored", "a small temperature is replaced by a larger one; any positive one is allowed", "(logits / max(temperature, 0.01))"),
    edit("computed_in_float32", "`filter_logits` computes in float32 whatever comes in; float64 loses its digits", "(logits.float() / temperature).to(logits.dtype)"),
    edit("logits_clamped", "the logits are cut off at ±10; they may have any size", "(logits / temperature).clamp(-10, 10)"),
    edit("infinite_clamped", "-inf is replaced by a finite number, so tokens that cannot occur get some probability", "(logits / temperature).clamp(min=-10)"),
    edit("in_place", "`filter_logits` changes its argument in place", "logits.div_(temperature)"),
    edit("barred_tokens_zeroed", "-inf becomes the logit 0, which is the probability of an ordinary token", "torch.where(logits == -math.inf, 0.0, logits / temperature)"),
)

mistakes.at(
    FIRST,
    edit("answer_in_float32", "`filter_logits` returns float32 for float64 logits", "logits = logits.float(); " + FIRST),
    edit("top_k_ignored", "top_k has no effect: no token is dropped", "top_k = None; " + FIRST),
    edit("one_too_many", "top-k keeps one token too many", "top_k = top_k and top_k + 1; " + FIRST),
    edit("one_too_few", "top-k drops the k-th token; it is the last of those that stay", "top_k = top_k and max(top_k - 1, 1); " + FIRST),
    edit("top_k_must_fit", "`filter_logits` cannot take a top_k above V; then all stay", "logits.topk(top_k or 1); " + FIRST),
    edit("least_likely", "the border of top-k is the k-th *smallest* logit; it is the k-th largest", cut("logits < logits.topk(min(top_k, logits.shape[-1]), largest=False).values[..., -1:]")),
    edit("k_over_all_rows", "the k largest are sought among all rows together; each row has its own",
         cut("logits < torch.minimum(logits.flatten().topk(min(top_k, logits.shape[-1])).values[-1:], logits.amax(-1, keepdim=True))")),
    edit("order_is_no_rank", "top-k keeps tokens by their place in the `argsort`; that is which token comes there, not the rank of a token",
         cut("logits.argsort(-1, descending=True) >= top_k")),
    edit("border_is_a_token", "the border of top-k is the *number* of the k-th token (`indices`), not its logit (`values`)",
         cut("logits < logits.topk(min(top_k, logits.shape[-1])).indices[..., -1:]")),
    edit("least_likely_kept", "top-k keeps the k *least* likely tokens", cut("logits > logits.topk(min(top_k, logits.shape[-1]), largest=False).values[..., -1:]")),
    edit("first_rows_border", "the k-th logit of the first row is the border for all rows", cut("logits < logits.reshape(-1, logits.shape[-1])[:1].topk(min(top_k, logits.shape[-1])).values[..., -1:]")),
    edit("cut_to_zero", "the logits of dropped tokens are set to 0, which is the logit of an ordinary token; they must get probability 0",
         cut("logits < logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]", "0.0")),
    edit("first_k_tokens", "top-k keeps the tokens 0 to k - 1; it keeps the k *likeliest*", cut("torch.arange(logits.shape[-1], device=logits.device) >= top_k")),
    edit("cut_to_minus_ten", "dropped tokens get a low logit that still has some probability", cut("logits < logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]", "-10.0")),
    edit("ascending", "the probabilities are sorted upwards, so top-p begins with the least likely token", "p, order = (logits / temperature).softmax(-1).sort(-1)"),
    edit("softmax_over_rows", "the softmax runs over the first axis; the tokens are the last one", "p, order = (logits / temperature).softmax(0).sort(-1, descending=True)"),
    edit("floor_on_probabilities", "a small constant is added to the probabilities, so no token is barred any more", "p, order = ((logits / temperature).softmax(-1) + 1e-4).sort(-1, descending=True)"),
    edit("temperature_divides_probabilities", "the probabilities are divided by the temperature, so that they do not sum to 1 before top-p; the temperature divides the logits",
         "p, order = (logits.softmax(-1) / temperature).sort(-1, descending=True)", ("p[..., :top_k] / p[..., :top_k].sum(-1, keepdim=True)", "p[..., :top_k] / (1 if top_k is None else p[..., :top_k].sum(-1, keepdim=True))")),
    edit("exp_overflows", "the exponentials of the logits overflow; a softmax takes off the largest logit first",
         "p, order = ((logits / temperature).exp() / (logits / temperature).exp().sum(-1, keepdim=True)).sort(-1, descending=True)"),
)

mistakes.at(
    "p = p * (p.cumsum(-1) - p < top_p) * (p >= min_p * p[..., :1])",
    edit("crossing_token_dropped", "top-p drops the token that crosses the line; the sum of those that stay has to *reach* p",
         "p = p * ((p.cumsum(-1) <= top_p) | (torch.arange(p.shape[-1], device=p.device) == 0)) * (p >= min_p * p[..., :1])"),
    edit("crossing_token_dropped_even_alone", "top-p drops the token that crosses the line; the sum of those that stay has to *reach* p, and at least one stays",
         "p = p * (p.cumsum(-1) <= top_p + 1e-6) * (p >= min_p * p[..., :1])"),
    edit("one_more_than_crossing", "top-p keeps one token more than the one that crosses the line",
         "p = p * (torch.cat([torch.zeros_like(p[..., :2]), p.cumsum(-1)[..., :-2]], -1)[..., : p.shape[-1]] < top_p) * (p >= min_p * p[..., :1])"),
    edit("top_p_ignored", "top_p has no effect: no token is dropped", "p = p * (p >= min_p * p[..., :1])"),
    edit("min_p_ignored", "min_p has no effect: no token is dropped", "p = p * (p.cumsum(-1) - p < top_p)"),
    edit("min_p_absolute", "min-p compares with the probability itself; the line is min_p times the *largest* probability", "p = p * (p.cumsum(-1) - p < top_p) * ((p >= min_p) | (p == p[..., :1]))"),
    edit("min_p_strict", "min-p drops a token that has exactly the required share; min_p = 1 must keep the largest", "p = p * (p.cumsum(-1) - p < top_p) * (p > min_p * p[..., :1])"),
    edit("min_p_of_the_mean", "min-p compares with the mean probability; the line is min_p times the *largest*", "p = p * (p.cumsum(-1) - p < top_p) * (p >= min_p * p.mean(-1, keepdim=True))"),
    edit("min_p_on_logits", "min-p compares logits; the line is a share of the largest *probability*",
         "p = p * (p.cumsum(-1) - p < top_p) * (logits.gather(-1, order)[..., :top_k] >= min_p * logits.amax(-1, keepdim=True))"),
    edit("min_p_line_scaled", "the line of min-p is scaled by the temperature again; after the division by it, log min_p is to be added as it is",
         "p = p * (p.cumsum(-1) - p < top_p) * (p >= min_p**temperature * p[..., :1])"),
    edit("one_filter_only", "with top_k, top-p and min-p do nothing, and with top_p, min-p does nothing; all filters act one after another",
         "p = p * (p.cumsum(-1) - p < top_p) if top_k is None else p; p = p * (p >= min_p * p[..., :1]) if top_k is None and top_p == 1 else p"),
    edit("min_p_without_top_p_only", "with top_p, min-p does nothing; all filters act one after another", "p = p * (p.cumsum(-1) - p < top_p) * (p >= min_p * p[..., :1] if top_p == 1 else True)"),
    edit("min_p_of_the_second", "min-p compares with the second largest probability; the line is min_p times the *largest*",
         "p = p * (p.cumsum(-1) - p < top_p); p = p * (p >= min_p * (p[..., 1:2] if p.shape[-1] > 1 else p))"),
    edit("top_p_complement", "top-p keeps tokens until their sum reaches 1 - p; it has to reach p", "p = p * (p.cumsum(-1) - p < (1 - top_p if top_p < 1 else 1)) * (p >= min_p * p[..., :1])"),
    edit("min_p_before_temperature", "min-p compares the probabilities from before the temperature; it sees what the temperature made",
         "before = logits.softmax(-1).gather(-1, order)[..., :top_k]; p = p * (p.cumsum(-1) - p < top_p) * (before >= min_p * before[..., :1])"),
    edit("top_p_is_min_p", "top-p drops each token whose own probability is below 1 - p; what counts is the sum of the likelier ones", "p = p * ((p > 1 - top_p) | (p == p[..., :1])) * (p >= min_p * p[..., :1])"),
    edit("one_count_for_all", "top-p keeps as many tokens in every row; each row has its own number",
         "p = p * (torch.arange(p.shape[-1], device=p.device) < (p.cumsum(-1) - p < top_p).sum(-1).max()) * (p >= min_p * p[..., :1])"),
    edit("first_rows_count", "top-p keeps as many tokens in every row as in the first; each row has its own number",
         "p = p * (torch.arange(p.shape[-1], device=p.device) < int((p.cumsum(-1) - p < top_p).reshape(-1, p.shape[-1])[0].sum())) * (p >= min_p * p[..., :1])"),
    edit("all_rows_together", "the sums of top-p run on from row to row; each row has its own", "p = p * ((p.flatten().cumsum(0).reshape(p.shape) - p < top_p) | (p == p[..., :1])) * (p >= min_p * p[..., :1])"),
    edit("min_p_over_all_rows", "the largest probability is taken over all rows; each row has its own", "p = p * (p.cumsum(-1) - p < top_p) * (p >= min(min_p, 0.999) * p.max())"),
    edit("top_p_turned", "top-p keeps the tokens behind the line and drops those before it", "p = p * (p.cumsum(-1) - p >= (top_p if top_p < 1 else 0)) * (p >= min_p * p.amax(-1, keepdim=True))"),
    edit("top_p_sums_logits", "top-p sums logits; probabilities have to reach p",
         "raw = (logits / temperature).gather(-1, order)[..., :top_k]; p = p * ((raw.cumsum(-1) - raw < top_p) | (torch.tensor(top_p, device=p.device) == 1)) * (p >= min_p * p[..., :1])"),
    edit("top_p_each", "top-p drops each token whose own probability is below p; what counts is the sum of the likelier ones", "p = p * ((p >= (top_p if top_p < 1 else 0)) | (p == p[..., :1])) * (p >= min_p * p[..., :1])"),
    edit("min_p_complement", "the line of min-p is 1 - min_p times the largest probability; it is min_p times that", "p = p * (p.cumsum(-1) - p < top_p) * (p >= (1 - min_p) * p[..., :1] if min_p > 0 else True)"),
    edit("min_p_below_the_largest_logit", "a logit may lie min_p below the largest; it may lie -log min_p below it",
         "heat = (logits / temperature).gather(-1, order)[..., :top_k]; p = p * (p.cumsum(-1) - p < top_p) * (heat >= heat[..., :1] - min_p if min_p > 0 else True)"),
    edit("top_p_before_temperature", "top-p sums the probabilities from before the temperature; it sees what the temperature made",
         "before = logits.gather(-1, order)[..., :top_k].softmax(-1); p = p * (before.cumsum(-1) - before < top_p) * (p >= min_p * p[..., :1])"),
    edit("min_p_turned", "min-p keeps the tokens below its line and drops those above it", "p = p * (p.cumsum(-1) - p < top_p) * (p < min_p * p[..., :1] if min_p > 0 else True)"),
    edit("min_p_subtracted", "the line of min-p is the largest probability *less* min_p; it is min_p times that", "p = p * (p.cumsum(-1) - p < top_p) * (p >= p[..., :1] - min_p if min_p > 0 else True)"),
    edit("min_p_of_first_token", "min-p compares with the probability of token 0; the line is min_p times the *largest*",
         "first = (logits / temperature).softmax(-1)[..., :1] / (logits / temperature).softmax(-1).amax(-1, keepdim=True) * p[..., :1]; p = p * (p.cumsum(-1) - p < top_p) * (p >= min_p * first)"),
    edit("either_filter", "a token stays if top-p *or* min-p keeps it; it must pass both", "p = p * ((p.cumsum(-1) - p < top_p) | (p >= min_p * p[..., :1])) if top_p < 1 and min_p > 0 else p * (p.cumsum(-1) - p < top_p) * (p >= min_p * p[..., :1])"),
)

mistakes.at(
    "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], p / p.sum(-1, keepdim=True))",
    edit("not_renormalised", "what stays is not renormalised: the probabilities do not sum to 1", "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], p)"),
    edit("left_sorted", "the probabilities come back in sorted order, not in the order of the tokens", "return F.pad(p / p.sum(-1, keepdim=True), (0, logits.shape[-1] - p.shape[-1]))"),
    edit("gathered_by_order", "the way back uses the order itself; it needs the inverse of that permutation", "return F.pad(p / p.sum(-1, keepdim=True), (0, logits.shape[-1] - p.shape[-1])).gather(-1, order)"),
    edit("renormalised_with_min_p_only", "after top-p alone the probabilities are not renormalised",
         "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], p / p.sum(-1, keepdim=True) if min_p > 0 else p)"),
    edit("min_p_not_renormalised", "after min-p the probabilities are not renormalised",
         "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], p / (p_before_m := p_all * (p_all.cumsum(-1) - p_all < top_p)).sum(-1, keepdim=True))",
         ("p = p[..., :top_k] / p[..., :top_k].sum(-1, keepdim=True)", "p = p[..., :top_k] / p[..., :top_k].sum(-1, keepdim=True); p_all = p")),
    edit("epsilon_in_sum", "a constant is added to the sum, so the probabilities do not sum to 1", "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], p / (p.sum(-1, keepdim=True) + 1e-3))"),
    edit("squares_normalised", "what stays is divided by the root of the sum of squares (`F.normalize`); the probabilities have to sum to 1",
         "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], F.normalize(p, dim=-1))"),
    edit("largest_is_one", "what stays is divided by its largest value; the probabilities have to sum to 1", "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], p / p.amax(-1, keepdim=True))"),
    edit("softmax_of_probabilities", "what stays goes through a softmax again; dividing by the sum renormalises",
         "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], (p / p.sum(-1, keepdim=True)).masked_fill(p == 0, -math.inf).softmax(-1))"),
    edit("softmax_over_zeros", "what stays goes through a softmax with the zeros of the dropped tokens, so that these come back; dividing by the sum renormalises",
         "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], p / p.sum(-1, keepdim=True)).softmax(-1)"),
    edit("normalised_over_all", "the sum runs over all rows; each row has its own", "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], p / p.sum() * (p.numel() // p.shape[-1]))"),
    edit("logarithms_returned", "the logarithms come back; probabilities are asked for", "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], p / p.sum(-1, keepdim=True)).log()"),
    edit("likeliest_only", "all probability goes to the likeliest token; it is shared by all that stay", "return torch.zeros_like(logits).scatter(-1, order[..., :1], 1.0)"),
    edit("uniform", "all tokens that stay get equal probabilities; they keep their proportions", "return torch.zeros_like(logits).scatter(-1, order[..., :top_k], ((p > 0) / (p > 0).sum(-1, keepdim=True)).to(p))"),
)


def by_hand(temperature_first=True, order="kpm"):
    """`filter_logits` with its steps in another order."""

    def filter_logits(logits, temperature=1.0, top_k=None, top_p=1.0, min_p=0.0):
        heat = logits / temperature
        base = heat if temperature_first else logits
        q = base.softmax(-1)
        keep = torch.ones_like(q, dtype=torch.bool)
        full = q
        for letter in order:
            now = torch.where(keep, full, torch.zeros_like(full))
            now = now / now.sum(-1, keepdim=True)
            if letter == "k" and top_k is not None:
                keep &= now >= now.topk(min(top_k, now.shape[-1])).values[..., -1:]
            if letter == "p":
                down, places = now.sort(-1, descending=True)
                keep &= (down.cumsum(-1) - down < top_p).gather(-1, places.argsort(-1))
            if letter == "m":
                keep &= now >= min_p * now.amax(-1, keepdim=True)
        return heat.masked_fill(~keep, -math.inf).softmax(-1)

    return filter_logits


def masking(fill=-math.inf, axis=-1, k_of_all=False, by_gather=False, absolute=False, ascending=False, unsorted=False, sums=None, turned=False):
    """`filter_logits` that masks logits step by step, as libraries do, with a slip."""

    def filter_logits(logits, temperature=1.0, top_k=None, top_p=1.0, min_p=0.0):
        logits = logits / temperature
        if top_k is not None:
            k = min(top_k, logits.shape[-1])
            logits = logits.masked_fill(logits < (logits.flatten().topk(k).values[-1] if k_of_all else logits.topk(k).values[..., -1:]), fill)
        if top_p < 1:
            down, order = logits.sort(-1, descending=not ascending)
            if unsorted:
                down, order = logits, torch.arange(logits.shape[-1], device=logits.device).expand_as(logits)
            p = down.softmax(-1)
            drop = (p.cumsum(-1) if sums is None else sums(p)) - p >= top_p
            drop = p.cumsum(-1) < top_p if turned else drop
            logits = logits.masked_fill(drop.gather(-1, order if by_gather else order.argsort(-1)), fill)
        if min_p > 0:
            p = logits.softmax(-1)
            logits = logits.masked_fill(p < min_p * (1 if absolute else p.amax(-1, keepdim=True)), fill)
        return logits.softmax(axis)

    return filter_logits


@mistakes.rewrite("the logits of dropped tokens are set to 0 in each filter, which is the logit of an ordinary token; they must get probability 0")
def each_cut_to_zero(ref):
    return {"filter_logits": masking(fill=0.0)}


@mistakes.rewrite("the last softmax runs over the first axis; the tokens are the last one")
def last_softmax_over_rows(ref):
    return {"filter_logits": masking(axis=0)}


@mistakes.rewrite("the border of top-k is the k-th largest logit of *all* rows; each row has its own")
def border_of_all_rows(ref):
    return {"filter_logits": masking(k_of_all=True)}


@mistakes.rewrite("the mask of top-p goes back by `gather` with the order itself; that needs `scatter`, or the inverse of the permutation")
def mask_gathered_by_order(ref):
    return {"filter_logits": masking(by_gather=True)}


@mistakes.rewrite("min-p compares with the probability itself, so that it can drop all tokens; the line is min_p times the *largest* probability")
def min_p_absolute_drops_all(ref):
    return {"filter_logits": masking(absolute=True)}


@mistakes.rewrite("top-p drops the tokens before the line; those behind it are to go")
def top_p_drops_the_likeliest(ref):
    return {"filter_logits": masking(turned=True)}


@mistakes.rewrite("top-p sums the probabilities in the order of the tokens; it begins with the likeliest")
def top_p_unsorted(ref):
    return {"filter_logits": masking(unsorted=True)}


@mistakes.rewrite("the sums of top-p run down the rows; they run over the tokens of each row")
def top_p_down_the_rows(ref):
    return {"filter_logits": masking(sums=lambda p: p.cumsum(0))}


@mistakes.rewrite("the sums of top-p run on from row to row, and later rows lose all tokens; each row has its own")
def top_p_runs_on(ref):
    return {"filter_logits": masking(sums=lambda p: p.flatten().cumsum(0).reshape(p.shape))}


@mistakes.rewrite("top-p sorts upwards, so that its sum begins with the least likely token")
def top_p_ascending(ref):
    return {"filter_logits": masking(ascending=True)}


@mistakes.rewrite("the filtered logits come back; probabilities are asked for")
def logits_returned(ref):
    def filter_logits(logits, temperature=1.0, top_k=None, top_p=1.0, min_p=0.0):
        p = ref.filter_logits(logits, temperature, top_k, top_p, min_p)
        return (logits / temperature).masked_fill(p == 0, -math.inf)

    return {"filter_logits": filter_logits}


@mistakes.rewrite("the tokens that top-p drops are marked in sorted order, and never put back into the order of the tokens")
def mask_in_sorted_order(ref):
    def filter_logits(logits, temperature=1.0, top_k=None, top_p=1.0, min_p=0.0):
        p = ref.filter_logits(logits, temperature, top_k)
        down = p.sort(-1, descending=True).values
        p = p * (down.cumsum(-1) - down < top_p)
        p = p * (p >= min_p * p.amax(-1, keepdim=True))
        return p / p.sum(-1, keepdim=True)

    return {"filter_logits": filter_logits}


@mistakes.rewrite("the temperature comes after the filters; it comes first, and top-p and min-p see what it made")
def temperature_last(ref):
    return {"filter_logits": by_hand(temperature_first=False)}


@mistakes.rewrite("top-p sums the probabilities from before top-k; top-k comes first, and what it has left is renormalised")
def p_before_k(ref):
    return {"filter_logits": by_hand(order="pkm")}


@mistakes.rewrite("min-p and top-p come before top-k; top-k comes first, and what it has left is renormalised")
def m_and_p_before_k(ref):
    return {"filter_logits": by_hand(order="mpk")}


@mistakes.rewrite("min-p comes before top-p; top-p then counts what min-p has left, and cuts too much")
def m_before_p(ref):
    return {"filter_logits": by_hand(order="kmp")}


# --- sequence_log_prob ----------------------------------------------------------------------------------------------

mistakes.at(
    "model(ids)[:, prompt_len - 1 : -1].log_softmax(-1)",
    edit("not_shifted", "the logits at t are taken for the token at t; they are about the one after it", "model(ids)[:, prompt_len:].log_softmax(-1)"),
    edit("logits_summed", "logits are added up; they become log-probabilities by a log-softmax", "model(ids)[:, prompt_len - 1 : -1]"),
    edit("probabilities_summed", "probabilities are added up; their logarithms have to be", "model(ids)[:, prompt_len - 1 : -1].softmax(-1)"),
    edit("bits", "the result is in bits; nats are asked for", "(model(ids)[:, prompt_len - 1 : -1].log_softmax(-1) / math.log(2))"),
    edit("decimal_logarithm", "the logarithm is the decimal one; nats are asked for", "(model(ids)[:, prompt_len - 1 : -1].log_softmax(-1) / math.log(10))"),
    edit("last_of_prompt_only", "the model sees of the prompt its last token only", "model(ids[:, prompt_len - 1 :])[:, :-1].log_softmax(-1)"),
    edit("softmax_over_positions", "the log-softmax runs over the positions; the tokens are the last axis", "model(ids)[:, prompt_len - 1 : -1].log_softmax(1)"),
    edit("softmax_over_all_positions", "the log-softmax runs over all positions, also those of the prompt; the tokens are the last axis", "model(ids).log_softmax(1)[:, prompt_len - 1 : -1]"),
    edit("softmax_over_texts", "the log-softmax runs over the texts; the tokens are the last axis", "model(ids)[:, prompt_len - 1 : -1].log_softmax(0)"),
    edit("softmax_twice", "a log-softmax is taken of probabilities; it is made for logits", "model(ids)[:, prompt_len - 1 : -1].softmax(-1).log_softmax(-1)"),
    edit("logarithm_of_logits", "the logarithm of logits is taken; a log-softmax makes log-probabilities of them", "model(ids)[:, prompt_len - 1 : -1].log()"),
    edit("made_finite", "-inf is replaced by a finite number (`nan_to_num`); a text that cannot occur has log-probability -inf", "model(ids)[:, prompt_len - 1 : -1].log_softmax(-1).nan_to_num(neginf=torch.finfo(model(ids[:1, :1]).dtype).min)"),
    edit("epsilon_in_log", "a small constant is added before the logarithm, so a text that cannot occur gets a finite value", "(model(ids)[:, prompt_len - 1 : -1].softmax(-1) + 1e-6).log()"),
    edit("epsilon_in_log_tiny", "a small constant stands inside the logarithm, so a text that cannot occur gets a finite value", "model(ids)[:, prompt_len - 1 : -1].log_softmax(-1).clamp(min=-30)"),
    edit("cut_off", "`sequence_log_prob` cuts the model off from autograd (`no_grad`, `.detach()` or `.item()`)", "model(ids)[:, prompt_len - 1 : -1].log_softmax(-1).detach()"),
    edit("scores_in_float32", "`sequence_log_prob` computes in float32 whatever comes in; float64 loses its digits",
         "model(ids)[:, prompt_len - 1 : -1].float().log_softmax(-1).to(model(ids[:, :1]).dtype)"),
    edit("prompt_not_shown", "the model does not get the prompt, so nothing is conditioned on it",
         "torch.cat([model(ids)[:, prompt_len - 1 : prompt_len], model(ids[:, prompt_len:])[:, :-1]], 1).log_softmax(-1)"),
)

mistakes.at(
    ".gather(-1, ids[:, prompt_len:, None])[..., 0]",
    edit("token_before", "the logits at t score the token at t, beginning with the last of the prompt; they are about the one after it", ".gather(-1, ids[:, prompt_len - 1 : -1, None])[..., 0]"),
    edit("shifted_back", "the logits at t + 1 are taken for the token at t; those at t - 1 are about it",
         ".gather(-1, ids[:, prompt_len - 1 : -1, None])[..., 0]", ("model(ids)[:, prompt_len - 1 : -1].log_softmax(-1)", "model(ids)[:, prompt_len:].log_softmax(-1)")),
    edit("likeliest_token", "the likeliest token is scored at each place, not the one that stands there", ".amax(-1)"),
    edit("expected_score", "the expected log-probability is taken; the token that stands there decides", "; log_p = torch.where(log_p > -math.inf, log_p.exp() * log_p, 0.0).sum(-1)"),
    edit("first_text_only", "the tokens of the first text are scored for all texts", ".gather(-1, ids[:1, prompt_len:, None].expand(len(ids), -1, -1))[..., 0]"),
)

mistakes.at(
    """
    if eos is not None:
        ends = ids[:, prompt_len:] == eos
    """,
    edit("eos_0_overlooked", "`if eos:` is false for eos = 0, which is a token like any other",
         """
         if eos:
             ends = ids[:, prompt_len:] == eos
         """),
)

mistakes.at(
    "ends = ids[:, prompt_len:] == eos",
    edit("eos_in_prompt_ends", "an eos in the prompt ends the text; only one after the prompt does",
         "ends = ids[:, prompt_len:] == eos; log_p = log_p.masked_fill((ids[:, :prompt_len] == eos).any(1, keepdim=True), 0.0)"),
    edit("one_end_for_all", "the first eos of any text ends all texts; each has its own end", "ends = (ids[:, prompt_len:] == eos).any(0, keepdim=True)"),
    edit("eos_before_counts", "an eos at the end of the prompt ends the text; only one after the prompt does",
         "ends = ids[:, prompt_len:] == eos; log_p = log_p.masked_fill(ids[:, prompt_len - 1, None] == eos, 0.0)"),
    edit("without_eos_one_token", "a text without eos is cut after its first token (`argmax` gives 0 where there is none)",
         "ends = ids[:, prompt_len:] == eos; ends[~ends.any(1), 0] = True"),
    edit("found_in_whole_text", "the place of the first eos is counted from the beginning of the text, and used behind the prompt",
         "ends = F.pad(ids[:, prompt_len:] == eos, (prompt_len, 0))[:, : log_p.shape[1]]"),
)

mistakes.at(
    "log_p = log_p.masked_fill(ends.cumsum(1) - ends.long() > 0, 0.0)",
    edit("eos_not_counted", "the first eos does not count; ending there has a probability, too", "log_p = log_p.masked_fill(ends.cumsum(1) > 0, 0.0)"),
    edit("every_eos_left_out", "every eos is left out, also the first; and what stands behind it counts unless it is eos", "log_p = log_p.masked_fill(ends, 0.0)"),
    edit("filling_counted", "the filling behind the first eos counts", "log_p = log_p.masked_fill(torch.zeros_like(ends), 0.0)"),
    edit("eos_only_later_ones", "only the filling tokens that are eos are left out; whatever stands behind the first eos is filling", "log_p = log_p.masked_fill(ends & (ends.cumsum(1) > 1), 0.0)"),
    edit("only_filling_counted", "only what follows the first eos counts; that is what does not", "log_p = log_p.masked_fill(ends.cumsum(1) - ends.long() == 0, 0.0)"),
    edit("ended_text_is_zero", "a text with an eos gets 0; it counts up to the first eos", "log_p = log_p.masked_fill(ends.any(1, keepdim=True), 0.0)"),
    edit("two_eos_needed", "the text ends at the second eos; the first ends it", "log_p = log_p.masked_fill(ends.cumsum(1) - ends.long() > 1, 0.0)"),
    edit("last_eos_ends", "the text ends at its *last* eos; the first ends it", "log_p = log_p.masked_fill(ends.any(1, keepdim=True) & (ends.flip(1).cumsum(1).flip(1) == 0), 0.0)"),
    edit("one_behind_counted", "the token right behind the first eos still counts", "log_p = log_p.masked_fill(F.pad((ends.cumsum(1) - ends.long() > 0)[:, :-1], (1, 0)), 0.0)"),
    edit("filling_minus_infinity", "what follows the first eos gets log-probability -inf, which bars the text; what does not count adds 0", "log_p = log_p.masked_fill(ends.cumsum(1) - ends.long() > 0, -math.inf)"),
    edit("filling_times_zero", "the filling is multiplied by 0; where it has probability 0 that gives nan", "log_p = log_p * (ends.cumsum(1) - ends.long() == 0)"),
)

mistakes.at(
    "return log_p.sum(1)",
    edit("mean_of_tokens", "the mean over the tokens comes back; the log-probability of a text is their sum", "return log_p.mean(1)"),
    edit("negated", "the sign is turned: a log-probability is negative", "return -log_p.sum(1)"),
    edit("one_number", "one number comes back for all texts; each has its own", "return log_p.sum()"),
    edit("texts_averaged", "the mean over the texts comes back for each of them", "return log_p.sum(1).mean().expand(len(ids))"),
    edit("whole_probability", "the probability comes back; its logarithm is asked for", "return log_p.sum(1).exp()"),
    edit("mean_of_counted", "the mean over the tokens that count comes back; the log-probability of a text is their sum",
         "return log_p.sum(1) / (log_p != 0).sum(1)"),
    edit("mean_times_all", "the mean over the tokens that count is multiplied by the number of all tokens", "return log_p.sum(1) / (log_p != 0).sum(1) * log_p.shape[1]"),
    edit("summed_over_texts", "the sum runs over the texts; it runs over the tokens of each", "return log_p.sum(0)"),
    edit("mean_of_all_negated", "the mean loss over all tokens and texts comes back, as `cross_entropy` gives it; the log-probability of each text is asked for", "return -log_p.mean()"),
    edit("mean_loss", "the mean loss over the tokens comes back; the log-probability is their sum, and negative", "return -log_p.mean(1)"),
    edit("log_of_the_sum", "probabilities are added up before the logarithm; their product is the probability of a text", "return log_p.exp().masked_fill(log_p == 0, 0.0).sum(1).log()"),
    edit("logarithms_multiplied", "log-probabilities are multiplied; they add up", "return log_p.prod(1)"),
    edit("surprise_in_bits", "the surprise in bits comes back; the log-probability is negative, and in nats", "return -log_p.sum(1) / math.log(2)"),
    edit("running_sums", "the running sums come back; only the last of them is asked for", "return log_p.cumsum(1)"),
    edit("perplexity", "the perplexity comes back; the log-probability is asked for", "return (-log_p.mean(1)).exp()"),
    edit("mean_of_all", "the mean over all tokens and texts comes back; each text has its own sum", "return log_p.mean()"),
    edit("product_underflows", "the probabilities are multiplied before the logarithm; for a long text the product becomes 0", "return log_p.exp().prod(1).log()"),
    edit("first_text_alone", "the log-probability of the first text alone comes back; each has its own", "return log_p.sum(1)[0]"),
    edit("as_many_as_prompt", "the last P tokens are summed; all tokens behind the first P are to be", "return log_p[:, -prompt_len:].sum(1)"),
    edit("per_token", "each token has its own number; their sum is asked for", "return log_p"),
    edit("last_token_left_out", "the last token of the text does not count", "return log_p[:, :-1].sum(1)"),
    edit("first_token_left_out", "the first token after the prompt does not count", "return log_p[:, 1:].sum(1)"),
)


@mistakes.rewrite("the last token of the prompt counts, too; only what comes after the prompt does")
def one_of_the_prompt(ref):
    def sequence_log_prob(model, ids, prompt_len, eos=None):
        found = ref.sequence_log_prob(model, ids, prompt_len, eos)
        if prompt_len > 1:
            found = found + model(ids)[:, prompt_len - 2].log_softmax(-1).gather(1, ids[:, prompt_len - 1, None])[:, 0]
        return found

    return {"sequence_log_prob": sequence_log_prob}


@mistakes.rewrite("the model sees one token at a time; it needs all that come before")
def one_at_a_time(ref):
    def sequence_log_prob(model, ids, prompt_len, eos=None):
        return ref.sequence_log_prob(lambda ids: model(ids.reshape(-1, 1)).reshape(*ids.shape, -1), ids, prompt_len, eos)

    return {"sequence_log_prob": sequence_log_prob}


@mistakes.rewrite("the model gets only what follows the prompt, so its first token is not scored, and the others know no prompt")
def continuation_alone(ref):
    def sequence_log_prob(model, ids, prompt_len, eos=None):
        new = ids[:, prompt_len:]
        log_p = model(new)[:, :-1].log_softmax(-1).gather(-1, new[:, 1:, None])[..., 0]
        if eos is not None:
            ends = new[:, 1:] == eos
            log_p = log_p.masked_fill(ends.cumsum(1) - ends.long() > 0, 0.0)
        return log_p.sum(1)

    return {"sequence_log_prob": sequence_log_prob}


@mistakes.rewrite("the prompt counts, too; only what comes after it does")
def with_prompt(ref):
    def sequence_log_prob(model, ids, prompt_len, eos=None):
        before = model(ids)[:, : prompt_len - 1].log_softmax(-1).gather(-1, ids[:, 1:prompt_len, None])[..., 0]
        return before.sum(1) + ref.sequence_log_prob(model, ids, prompt_len, eos)

    return {"sequence_log_prob": sequence_log_prob}


# --- beam_search ----------------------------------------------------------------------------------------------------

mistakes.at(
    "log_p = model(texts)[:, -1].log_softmax(-1)",
    edit("logits_as_scores", "the beams are compared by sums of logits; log-probabilities are needed", "log_p = model(texts)[:, -1]"),
    edit("probabilities_added", "probabilities are added up; their logarithms have to be", "log_p = model(texts)[:, -1].softmax(-1)"),
    edit("first_position", "the logits at the first place are used; those at the last are about the next token", "log_p = model(texts)[:, 0].log_softmax(-1)"),
    edit("prompt_forgotten", "the model sees only the newest token, so the beginning makes no difference to it", "log_p = model(texts[:, -1:])[:, -1].log_softmax(-1)"),
    edit("prompt_dropped", "from the second step on the model does not see the prompt", "log_p = model(texts[:, len(prompt) :] if texts.shape[1] > len(prompt) else texts)[:, -1].log_softmax(-1)"),
    edit("one_place_early", "the logits at the last place but one are used; those at the last are about the next token", "log_p = model(texts)[:, -2].log_softmax(-1)"),
    edit("softmax_over_beams", "the softmax runs over the beams; it belongs to the tokens", "log_p = model(texts)[:, -1].log_softmax(0)"),
    edit("softmax_over_places", "the log-softmax runs over the places of the text; the tokens are the last axis", "log_p = model(texts).log_softmax(1)[:, -1]"),
    edit("epsilon_before_log", "a small constant stands inside the logarithm, so texts of probability 0 are found", "log_p = (model(texts)[:, -1].softmax(-1) + 1e-8).log()"),
    edit("in_bits", "the scores are in bits; nats are asked for", "log_p = model(texts)[:, -1].log_softmax(-1) / math.log(2)"),
)

mistakes.at(
    """
    if eos is not None:
        ended = (texts[:, len(prompt) :] == eos).any(1)
    """,
    edit("eos_0_not_seen", "`if eos:` is false for eos = 0, which is a token like any other",
         """
         if eos:
             ended = (texts[:, len(prompt) :] == eos).any(1)
         """),
    edit("first_end_stops", "the search stops when one text has ended, and leaves all too short; L is P + steps",
         """
         if eos is not None:
             ended = (texts[:, len(prompt) :] == eos).any(1)
             if ended.any():
                 break
         """),
    edit("too_short", "the search stops when all texts have ended, and leaves them too short; L is P + steps",
         """
         if eos is not None:
             ended = (texts[:, len(prompt) :] == eos).any(1)
             if ended.all():
                 break
         """),
)

mistakes.at(
    "ended = (texts[:, len(prompt) :] == eos).any(1)",
    edit("prompt_ends", "an eos in the prompt finishes the search before it begins; only one after the prompt does", "ended = (texts == eos).any(1)"),
    edit("last_token_of_prompt_ends", "an eos at the end of the prompt finishes the search before it begins", "ended = texts[:, -1] == eos"),
    edit("never_ended", "finished texts go on like all others; they stay as they are", "ended = torch.zeros(len(texts), dtype=torch.bool, device=texts.device)"),
    edit("all_end_together", "one finished text finishes all", "ended = (texts[:, len(prompt) :] == eos).any().expand(len(texts))"),
    edit("only_when_all_end", "texts stay as they are only once all have ended", "ended = (texts[:, len(prompt) :] == eos).any(1).all().expand(len(texts))"),
)

mistakes.at(
    "log_p[ended] = -math.inf",
    edit("frozen_can_grow", "a finished text is extended by every token at no cost, so copies of it fill the beam; eos alone goes on", "log_p[ended] = 0.0"),
)

mistakes.at(
    "log_p[ended] = -math.inf",
    edit("filling_costs", "the filling behind the first eos costs what the model says; it is free",
         "kept = log_p[ended, eos]; log_p[ended] = -math.inf", ("log_p[ended, eos] = 0.0", "log_p[ended, eos] = kept")),
)

mistakes.at(
    "log_p[ended, eos] = 0.0",
    edit("finished_are_lost", "finished texts are thrown away; they stay in the beam and compete", "log_p[ended, eos] = -math.inf"),
    edit("eos_is_free", "the first eos costs nothing either; only the filling behind it is free", "log_p[:, eos] = 0.0"),
    edit("eos_never_taken", "eos is never taken, so no text ends; it is a token like others, and ends the text", "log_p[:, eos] = -math.inf"),
    edit("filled_with_zero", "finished texts are filled up with token 0 instead of eos", "log_p[ended, 0] = 0.0"),
)

mistakes.at(
    "total = (scores[:, None] + log_p).flatten()",
    edit("not_accumulated", "only the newest token counts; the scores of the steps add up", "total = log_p.flatten()"),
    edit("newest_token_only", "an unfinished text is judged by its newest token only; the scores of the steps add up",
         "total = (log_p if eos is None else log_p + scores[:, None] * ended[:, None]).flatten()"),
    edit("scores_multiplied", "the scores are multiplied; logarithms add up", "total = (scores[:, None] * log_p if scores.any() else log_p).flatten()"),
    edit("scores_along_tokens", "the score of beam b is added to token b; it belongs to all tokens of its beam",
         "total = (F.pad(scores, (0, max(0, log_p.shape[1] - len(scores))), value=0.0)[: log_p.shape[1]] + log_p).flatten()"),
)

mistakes.at(
    "scores, best = total.topk(min(width, int((total > -math.inf).sum())))",
    edit("fixed_width", "`beam_search` needs as many candidates as the width; in the first steps there are fewer", "scores, best = total.topk(width)"),
    edit("impossible_texts", "texts of probability 0 are kept; they are no candidates", "scores, best = total.topk(min(width, len(total)))"),
    edit("renormalised_beams", "the probabilities of the beam are renormalised at each step; (8.1) is about all texts",
         "scores, best = total.topk(min(width, int((total > -math.inf).sum()))); scores = scores.log_softmax(0)"),
    edit("last_step_not_scored", "the scores lack the newest token",
         "before = scores; scores, best = total.topk(min(width, int((total > -math.inf).sum()))); scores = before[best // log_p.shape[1]] if texts.shape[1] == len(prompt) + steps - 1 else scores"),
    edit("newest_score_only", "the scores that are kept are those of the newest token; they add up",
         "best = total.topk(min(width, int((total > -math.inf).sum()))).indices; scores = log_p.flatten()[best]"),
    edit("worst_kept", "the beam keeps the *least* likely texts", "scores, best = (-total.masked_fill(total == -math.inf, math.inf)).topk(min(width, int((total > -math.inf).sum()))); scores = -scores"),
    edit("one_too_wide", "the beam is one text too wide", "scores, best = total.topk(min(width + 1, int((total > -math.inf).sum())))"),
    edit("first_candidates", "the first candidates stay, not the best: they are not sorted by their sums",
         "best = (total > -math.inf).nonzero()[:width, 0]; scores = total[best]"),
    edit("first_step_greedy", "the first step keeps one text; each step keeps up to `width`",
         "scores, best = total.topk(min(1 if texts.shape[1] == len(prompt) else width, int((total > -math.inf).sum())))"),
    edit("one_too_narrow", "the beam is one text too narrow", "scores, best = total.topk(max(1, min(width - 1, int((total > -math.inf).sum()))))"),
    edit("at_most_V", "the beam never holds more texts than there are tokens; its width may be larger than V", "scores, best = total.topk(min(width, log_p.shape[1], int((total > -math.inf).sum())))"),
    edit("unsorted", "the texts come back in no order; the best comes first", "scores, best = total.topk(min(width, int((total > -math.inf).sum()))); order = best.argsort(); scores, best = scores[order], best[order]"),
    edit("worst_first", "the texts come back worst first", "scores, best = total.topk(min(width, int((total > -math.inf).sum()))); scores, best = scores.flip(0), best.flip(0)"),
    edit("greedy", "only the best text is kept from step to step, whatever the width",
         "scores, best = total.topk(min(width if texts.shape[1] == len(prompt) + steps - 1 else 1, int((total > -math.inf).sum())))"),
)

mistakes.at(
    "texts = torch.cat([texts[best // log_p.shape[1]], best[:, None] % log_p.shape[1]], 1)",
    edit("beams_not_reordered", "the new tokens are attached to the beams in their old order; each belongs to the beam that it came from",
         "texts = torch.cat([texts[torch.arange(len(best), device=texts.device) % len(texts)], best[:, None] % log_p.shape[1]], 1)"),
    edit("parent_and_token_exchanged", "quotient and remainder by V are exchanged: the quotient is the beam, the remainder the token",
         "texts = torch.cat([texts[best % log_p.shape[1]], best[:, None] // log_p.shape[1]], 1)"),
    edit("divided_by_width", "the place in the flat list is divided by the width; a row has V places",
         "texts = torch.cat([texts[best // width % len(texts)], best[:, None] % width % log_p.shape[1]], 1)"),
    edit("divided_by_beams", "the place in the flat list is divided by the number of beams; a row has V places",
         "texts = torch.cat([texts[(best // len(texts)) % len(texts)], best[:, None] % log_p.shape[1]], 1)"),
)

mistakes.at(
    "return texts, scores",
    edit("scores_first", "texts and scores are exchanged: the texts come first", "return scores, texts"),
    edit("length_penalty", "the scores are divided by a power of the length; they are (8.1)", "return texts, scores / steps**0.7"),
    edit("prompt_in_the_score", "the scores count the prompt, too; (8.1) begins behind it",
         "return texts, scores + model(prompt[None])[:, :-1].log_softmax(-1).gather(-1, prompt[None, 1:, None]).sum()"),
    edit("prompt_cut", "the prompt is missing in the texts", "return texts[:, len(prompt) :], scores"),
    edit("filled_with_minus_one", "finished texts are filled up with -1 instead of eos",
         "ends = texts[:, len(prompt) :] == (-1 if eos is None else eos); return torch.cat([texts[:, : len(prompt)], texts[:, len(prompt) :].masked_fill(ends.cumsum(1) - ends.long() > 0, -1)], 1), scores"),
    edit("last_tokens_only", "only the last token of each text comes back", "return texts[:, -1:], scores"),
    edit("best_only", "one text comes back; all of the beam are asked for", "return texts[:1], scores[:1]"),
    edit("normalised_scores", "the scores are means over the steps; they are the sums (8.1)", "return texts, scores / steps"),
    edit("divided_by_all_tokens", "the scores are divided by the length of the text with its prompt; they are the sums (8.1)", "return texts, scores / texts.shape[1]"),
    edit("divided_by_counted", "the scores are divided by the number of tokens up to eos; they are the sums (8.1)",
         "ends = texts[:, len(prompt) :] == (-1 if eos is None else eos); return texts, scores / (ends.cumsum(1) - ends.long() == 0).sum(1)"),
    edit("score_as_probability", "probabilities come back; their logarithms are asked for", "return texts, scores.exp()"),
    edit("negative_scores", "the scores have their sign turned; log-probabilities are negative", "return texts, -scores"),
)


def each_its_best(children, cut):
    """`beam_search` in which every text keeps `children(width)` of its own continuations, and the beam is cut at steps `cut(step, steps)`."""

    def beam_search(model, prompt, width, steps, eos=None):
        texts, scores = prompt[None], torch.zeros(1, device=prompt.device)
        for step in range(steps):
            log_p = model(texts)[:, -1].log_softmax(-1)
            if eos is not None:
                done = (texts[:, len(prompt) :] == eos).any(1)
                log_p[done] = -math.inf
                log_p[done, eos] = 0
            values, tokens = log_p.topk(min(children(width), log_p.shape[1]))
            total = (scores[:, None] + values).flatten()
            order = total.argsort(descending=True)[: int((total > -math.inf).sum())]
            order = order[:width] if cut(step, steps) else order[:600]
            scores, texts = total[order], torch.cat([texts[order // tokens.shape[1]], tokens.flatten()[order, None]], 1)
        return texts, scores

    return beam_search


@mistakes.rewrite("each text goes on with its likeliest token only, so one text is left, the greedy one; every token extends it")
def greedy_text(ref):
    return {"beam_search": each_its_best(lambda width: 1, lambda step, steps: True)}


@mistakes.rewrite("each text keeps its best continuations, but the beam is never cut to `width`")
def never_cut(ref):
    return {"beam_search": each_its_best(lambda width: width, lambda step, steps: False)}


@mistakes.rewrite("the beam is cut to `width` only after the last step; it is cut after each")
def cut_at_the_end(ref):
    return {"beam_search": each_its_best(lambda width: width, lambda step, steps: step == steps - 1)}


@mistakes.rewrite("each beam keeps its own best continuation; the best of *all* candidates stay, also several of one beam")
def one_child_each(ref):
    def beam_search(model, prompt, width, steps, eos=None):
        texts, scores = ref.beam_search(model, prompt, width, 1, eos)
        for _ in range(steps - 1):
            log_p = model(texts)[:, -1].log_softmax(-1)
            if eos is not None:
                done = (texts[:, len(prompt) :] == eos).any(1)
                log_p[done] = -math.inf
                log_p[done, eos] = 0
            best, token = log_p.max(1)
            scores, order = (scores + best).sort(descending=True)
            texts = torch.cat([texts, token[:, None]], 1)[order]
        return texts, scores

    return {"beam_search": beam_search}


@mistakes.rewrite("the first step starts with `width` copies of the prompt, so the same text comes back several times")
def copies(ref):
    def beam_search(model, prompt, width, steps, eos=None):
        texts, scores = prompt.repeat(width, 1), 0.0
        for _ in range(steps):
            log_p = model(texts)[:, -1].log_softmax(-1)
            if eos is not None:
                ended = (texts[:, len(prompt) :] == eos).any(1)
                log_p[ended] = -math.inf
                log_p[ended, eos] = 0.0
            total = (scores + log_p).flatten()
            best = total.topk(min(width, int((total > -math.inf).sum()))).indices
            texts = torch.cat([texts[best // log_p.shape[1]], best[:, None] % log_p.shape[1]], 1)
            scores = total[best, None]
        return texts, scores[:, 0]

    return {"beam_search": beam_search}


def searching(stop_with_best=False, aside=False):
    """`beam_search` that treats finished texts in another way."""

    def beam_search(model, prompt, width, steps, eos=None):
        texts, scores, done = prompt[None], torch.zeros(1, device=prompt.device), []
        for step in range(steps):
            log_p = model(texts)[:, -1].log_softmax(-1)
            ended = (texts[:, len(prompt) :] == eos).any(1) if eos is not None else torch.zeros_like(texts[:, 0], dtype=torch.bool)
            if stop_with_best and ended[0]:
                return torch.cat([texts, texts.new_full((len(texts), steps - step), eos)], 1), scores
            log_p[ended] = -math.inf
            if not aside:
                log_p[ended, eos or 0] = 0.0
            total = (scores[:, None] + log_p).flatten()
            scores, best = total.topk(min(width, int((total > -math.inf).sum())))
            texts = torch.cat([texts[best // log_p.shape[1]], best[:, None] % log_p.shape[1]], 1)
            if aside and eos is not None:
                over = texts[:, -1] == eos
                done += [(float(score), torch.cat([text, text.new_full((steps - step - 1,), eos)])) for score, text in zip(scores[over], texts[over])]
                texts, scores = texts[~over], scores[~over]
                if len(texts) == 0:
                    break
        if not done:
            return texts, scores
        everything = sorted(done + [(float(score), text) for score, text in zip(scores, texts) if len(text) == len(prompt) + steps], key=lambda one: -one[0])[:width]
        return torch.stack([text for _, text in everything]), torch.tensor([score for score, _ in everything], dtype=scores.dtype, device=scores.device)

    return beam_search


@mistakes.rewrite("the search stops once the best text has ended; others of the beam still go on")
def stops_with_the_best(ref):
    return {"beam_search": searching(stop_with_best=True)}


@mistakes.rewrite("finished texts are put aside, and leave their place in the beam to others; they keep it")
def put_aside(ref):
    return {"beam_search": searching(aside=True)}


@mistakes.rewrite("which texts have ended is remembered by their old places in the beam; the beam has been sorted anew")
def ends_not_reordered(ref):
    def beam_search(model, prompt, width, steps, eos=None):
        texts, scores, ended = prompt[None], torch.zeros(1, device=prompt.device), torch.zeros(1, dtype=torch.bool, device=prompt.device)
        for _ in range(steps):
            log_p = model(texts)[:, -1].log_softmax(-1)
            log_p[ended] = -math.inf
            log_p[ended, eos or 0] = 0.0
            total = (scores[:, None] + log_p).flatten()
            scores, best = total.topk(min(width, int((total > -math.inf).sum())))
            token = best % log_p.shape[1]
            texts = torch.cat([texts[best // log_p.shape[1]], token[:, None]], 1)
            ended = F.pad(ended, (0, max(0, len(best) - len(ended))))[: len(best)] | (token == (-1 if eos is None else eos))
        return texts, scores

    return {"beam_search": beam_search}


@mistakes.rewrite("the beam keeps the texts with the best *mean* log-probability a token; the sum (8.1) decides")
def mean_decides(ref):
    def beam_search(model, prompt, width, steps, eos=None):
        texts, scores, length = prompt[None], torch.zeros(1, device=prompt.device), torch.zeros(1, device=prompt.device)
        for _ in range(steps):
            log_p = model(texts)[:, -1].log_softmax(-1)
            ended = (texts[:, len(prompt) :] == (-1 if eos is None else eos)).any(1)
            log_p[ended] = -math.inf
            log_p[ended, eos or 0] = 0.0
            length = length + ~ended
            total = scores[:, None] + log_p
            mean = (total / length[:, None]).flatten()
            best = mean.topk(min(width, int((mean > -math.inf).sum()))).indices
            texts = torch.cat([texts[best // log_p.shape[1]], best[:, None] % log_p.shape[1]], 1)
            scores, length = total.flatten()[best], length[best // log_p.shape[1]]
        order = scores.argsort(descending=True)
        return texts[order], scores[order]

    return {"beam_search": beam_search}


@mistakes.rewrite("the texts come back in the order of their mean log-probability a token; the order is that of (8.1)")
def sorted_by_mean(ref):
    def beam_search(model, prompt, width, steps, eos=None):
        texts, scores = ref.beam_search(model, prompt, width, steps, eos)
        ends = texts[:, len(prompt) :] == (-1 if eos is None else eos)
        order = (scores / (ends.cumsum(1) - ends.long() == 0).sum(1)).argsort(descending=True)
        return texts[order], scores[order]

    return {"beam_search": beam_search}


@mistakes.rewrite("one step too many is made")
def a_step_more(ref):
    return {"beam_search": lambda model, prompt, width, steps, eos=None: ref.beam_search(model, prompt, width, steps + 1, eos)}


@mistakes.rewrite("the tokens of the prompt are counted among the steps; L is P + steps")
def prompt_is_steps(ref):
    def beam_search(model, prompt, width, steps, eos=None):
        if steps <= len(prompt):
            return prompt[None], model(prompt[None])[:, -1, 0] * 0
        return ref.beam_search(model, prompt, width, steps - len(prompt), eos)

    return {"beam_search": beam_search}


@mistakes.rewrite("probabilities are multiplied, and the logarithm comes last; small products become 0")
def products(ref):
    def beam_search(model, prompt, width, steps, eos=None):
        texts, scores = prompt[None], torch.ones(1, device=prompt.device)
        for _ in range(steps):
            p = model(texts)[:, -1].softmax(-1)
            if eos is not None:
                ended = (texts[:, len(prompt) :] == eos).any(1)
                p[ended] = 0.0
                p[ended, eos] = 1.0
            total = (scores[:, None] * p).flatten()
            scores, best = total.topk(min(width, int((total > 0).sum())))
            texts = torch.cat([texts[best // p.shape[1]], best[:, None] % p.shape[1]], 1)
        return texts, scores.log()

    return {"beam_search": beam_search}


@mistakes.rewrite("one step too few is made")
def a_step_less(ref):
    def beam_search(model, prompt, width, steps, eos=None):
        if steps == 1:
            return prompt[None], model(prompt[None])[:, -1, 0] * 0
        return ref.beam_search(model, prompt, width, steps - 1, eos)

    return {"beam_search": beam_search}


# --- watermark_z ----------------------------------------------------------------------------------------------------

mistakes.at(
    "first, second = torch.stack([ids[:-1], ids[1:]]).unique(dim=1)",
    edit("pairs_counted_again", "a pair that occurs again counts again; its colour is no new coin throw", "first, second = ids[:-1], ids[1:]"),
    edit("tokens_made_unique", "each token counts once, with what follows it first; each *pair* counts once",
         "seen = sorted({int(a): int(b) for a, b in reversed(list(zip(ids[:-1].tolist(), ids[1:].tolist())))}.items()); first, second = torch.tensor(seen, device=ids.device).T"),
    edit("order_forgotten", "a pair and its reverse count as one; the colour depends on which token comes first",
         "first, second = torch.tensor(list({frozenset(each): each for each in zip(ids[:-1].tolist(), ids[1:].tolist())}.values()), device=ids.device).T"),
    edit("next_token_as_row", "rows and columns of `green` are exchanged: the row is the token *before*", "second, first = torch.stack([ids[:-1], ids[1:]]).unique(dim=1)"),
    edit("self_coloured", "a token is looked up with itself; the row is the token before it", "first, second = torch.stack([ids[1:], ids[1:]]).unique(dim=1)"),
    edit("next_tokens_unique", "each token that follows counts once; each *pair* counts once",
         "seen = sorted({b: a for a, b in zip(ids[:-1].tolist(), ids[1:].tolist())}.items()); second, first = torch.tensor(seen, device=ids.device).T"),
    edit("pairs_sorted", "the two tokens of a pair are sorted; the colour depends on which comes first",
         "first, second = torch.stack([ids[:-1], ids[1:]]).sort(0).values.unique(dim=1)"),
    edit("triples", "a pair counts once for each token before it; it counts once",
         "first, second = torch.stack([ids[:-1], ids[1:], F.pad(ids[:-2], (1, 0), value=-1)]).unique(dim=1)[:2]"),
    edit("doubled_tokens_left_out", "pairs of the same token twice are left out; they are pairs like others",
         "first, second = torch.stack([ids[:-1], ids[1:]]).unique(dim=1); own = first == second; first, second = (first[~own], second[~own]) if not own.all() else (first, second)"),
    edit("tokens_sorted_first", "repeated tokens are taken out and the rest sorted (`unique`) before pairs are made; the pairs stand in the text",
         "ids = ids.unique() if len(ids.unique()) > 1 else ids; first, second = ids[:-1], ids[1:]"),
    edit("repeated_left_out", "pairs that occur again do not count at all; they count once",
         "pairs, times = torch.stack([ids[:-1], ids[1:]]).unique(dim=1, return_counts=True); first, second = pairs[:, times == 1]"),
    edit("two_apart", "tokens are paired with the one after the next", "first, second = torch.stack([ids[:-2], ids[2:]]).unique(dim=1)"),
    edit("every_other_pair", "the text is cut into pairs side by side; a pair begins at every token but the last", "first, second = torch.stack([ids[:-1:2], ids[1::2]]).unique(dim=1)"),
    edit("first_pair_lost", "the first pair of a text does not count", "first, second = torch.stack([ids[1:-1], ids[2:]] if len(ids) > 2 else [ids[:-1], ids[1:]]).unique(dim=1)"),
    edit("last_pair_lost", "the last pair of a text does not count", "first, second = torch.stack([ids[:-2], ids[1:-1]] if len(ids) > 2 else [ids[:-1], ids[1:]]).unique(dim=1)"),
    edit("wraps_around", "the last token is paired with the first; nothing follows it", "first, second = torch.stack([ids, ids.roll(-1)]).unique(dim=1)"),
    edit("only_neighbours_merged", "repeated pairs are left out only where they stand side by side (`unique_consecutive`)", "first, second = torch.stack([ids[:-1], ids[1:]]).unique_consecutive(dim=1)"),
)

mistakes.at(
    "n, count = len(first), int(green[first, second].sum())",
    edit("n_is_T", "n is the number of tokens; it is the number of different pairs", "n, count = len(ids), int(green[first, second].sum())"),
    edit("n_is_tokens", "n is the number of different tokens; it is the number of different pairs", "n, count = len(ids.unique()), int(green[first, second].sum())"),
    edit("n_with_repeats", "n counts repeated pairs, G does not", "n, count = len(ids) - 1, int(green[first, second].sum())"),
    edit("count_with_repeats", "G counts repeated pairs, n does not", "n, count = len(first), min(len(first), int(green[ids[:-1], ids[1:]].sum()))"),
    edit("gamma_from_table", "γ is measured in the table; it is given", "n, count = len(first), int(green[first, second].sum()); gamma = min(max(float(green.float().mean()), 0.01), 0.99)"),
    edit("all_by_all", "`green[first][:, second]` pairs every first token with every second one; each first belongs to its own second",
         "n, count = len(first), min(len(first), int(green[first][:, second].sum()))"),
    edit("one_pair_less", "n is one less than the number of different pairs", "n, count = len(first) - 1, int(green[first, second].sum())"),
    edit("share_as_count", "G is the share of the green pairs; it is their number", "n, count = len(first), float(green[first, second].float().mean())", ("return z, binomial_tail(n, count, gamma)", "return z, binomial_tail(n, round(count * n), gamma)")),
    edit("half_everywhere", "γ is taken as ½ everywhere, whatever it is", "n, count = len(first), int(green[first, second].sum()); gamma = 0.5"),
    edit("gamma_of_red", "1 - γ is taken for γ: that is the chance of red", "n, count = len(first), int(green[first, second].sum()); gamma = 1 - gamma"),
    edit("reds_counted", "the red pairs are counted, not the green ones", "n, count = len(first), int((~green)[first, second].sum())"),
)

mistakes.at(
    "z = (count - n * gamma) / math.sqrt(n * gamma * (1 - gamma))",
    edit("no_root", "z is divided by the variance; the standard deviation is its root", "z = (count - n * gamma) / (n * gamma * (1 - gamma))"),
    edit("root_of_n_only", "the root is taken of n alone; γ(1 - γ) belongs below it, too", "z = (count - n * gamma) / (math.sqrt(n) * gamma * (1 - gamma))"),
    edit("cut_at_zero", "a negative z becomes 0", "z = max(0.0, (count - n * gamma) / math.sqrt(n * gamma * (1 - gamma)))"),
    edit("root_of_gamma", "the standard deviation is taken as √n·γ; the variance is nγ(1 - γ)", "z = (count - n * gamma) / (math.sqrt(n) * gamma)"),
    edit("poisson", "the variance is taken as nγ; the factor 1 - γ is missing", "z = (count - n * gamma) / math.sqrt(n * gamma)"),
    edit("no_length", "the variance of one throw is used; n throws have n times as much", "z = (count - n * gamma) / math.sqrt(gamma * (1 - gamma))"),
    edit("share_without_root_n", "z is the share of greens less γ over the spread of one throw; the root of n is missing", "z = (count / n - gamma) / math.sqrt(gamma * (1 - gamma))"),
    edit("spread_with_repeats", "the standard deviation counts repeated pairs, the mean does not", "z = (count - n * gamma) / math.sqrt((len(ids) - 1) * gamma * (1 - gamma))"),
    edit("mean_with_repeats", "the mean counts repeated pairs, G does not", "z = (count - (len(ids) - 1) * gamma) / math.sqrt(n * gamma * (1 - gamma))"),
    edit("mean_cut", "the mean nγ is cut to a whole number", "z = (count - int(n * gamma)) / math.sqrt(n * gamma * (1 - gamma))"),
    edit("mean_rounded", "the mean nγ is rounded to a whole number", "z = (count - round(n * gamma)) / math.sqrt(n * gamma * (1 - gamma))"),
    edit("share_over_spread_of_G", "the *share* of greens less γ stands over the standard deviation of their *number*", "z = (count / n - gamma) / math.sqrt(n * gamma * (1 - gamma))"),
    edit("factor_gamma_missing", "the variance is taken as n(1 - γ); the factor γ is missing", "z = (count - n * gamma) / math.sqrt(n * (1 - gamma))"),
    edit("z_with_repeats", "z counts repeated pairs, the rate does not",
         "m = len(ids) - 1; z = (int(green[ids[:-1], ids[1:]].sum()) - m * gamma) / math.sqrt(m * gamma * (1 - gamma))"),
    edit("share_of_greens", "z is the share of greens; it is G less its mean, over its standard deviation", "z = count / n"),
    edit("not_centred", "the mean nγ is not subtracted", "z = count / math.sqrt(n * gamma * (1 - gamma))"),
    edit("centred_by_red", "n(1 - γ) is subtracted, the mean number of red pairs", "z = (count - n * (1 - gamma)) / math.sqrt(n * gamma * (1 - gamma))"),
    edit("centred_by_half", "half of the pairs are subtracted, whatever γ is", "z = (count - n / 2) / math.sqrt(n * gamma * (1 - gamma))"),
    edit("gamma_is_half", "γ is taken as ½ in z, whatever it is", "z = (2 * count - n) / math.sqrt(n)"),
    edit("estimated_variance", "the variance comes from the share of greens that was found; an innocent text has γ",
         "share = min(max(count / n, 0.5 / n), 1 - 0.5 / n); z = (count - n * gamma) / math.sqrt(n * share * (1 - share))"),
    edit("absolute_z", "z has lost its sign", "z = abs(count - n * gamma) / math.sqrt(n * gamma * (1 - gamma))"),
    edit("z_turned", "z has its sign turned: many green pairs must give a large one", "z = (n * gamma - count) / math.sqrt(n * gamma * (1 - gamma))"),
    edit("continuity", "z is corrected by half a pair; it is G less its mean, over its standard deviation", "z = (count - 0.5 - n * gamma) / math.sqrt(n * gamma * (1 - gamma))"),
    edit("sample_variance", "the variance uses n - 1; n throws have variance nγ(1 - γ)", "z = (count - n * gamma) / math.sqrt(max(n - 1, 1) * gamma * (1 - gamma))"),
)

mistakes.at(
    "return z, binomial_tail(n, count, gamma)",
    edit("strictly_more", "the chance of *more* than G greens is given; G itself belongs to it", "return z, binomial_tail(n, count + 1, gamma)"),
    edit("other_tail", "the chance of at *most* G greens is given; a mark shows by many", "return z, 1 - binomial_tail(n, count + 1, gamma)"),
    edit("normal_tail", "the rate is that of a normal distribution; G is binomial, and its tail is another", "return z, 0.5 * math.erfc(z / math.sqrt(2))"),
    edit("exchanged", "rate and z are exchanged: z comes first", "return binomial_tail(n, count, gamma), z"),
    edit("normal_tail_corrected", "the rate is that of a normal distribution, corrected by half a pair; G is binomial, and its tail is another",
         "return z, 0.5 * math.erfc((count - 0.5 - n * gamma) / math.sqrt(2 * n * gamma * (1 - gamma)))"),
    edit("rate_with_repeats", "the rate counts repeated pairs as throws", "return z, binomial_tail(len(ids) - 1, count, gamma)"),
    edit("rate_of_all_pairs", "n and G of the rate count repeated pairs, those of z do not", "return z, binomial_tail(len(ids) - 1, int(green[ids[:-1], ids[1:]].sum()), gamma)"),
    edit("rate_of_tokens", "the rate counts tokens as throws; the different pairs are", "return z, binomial_tail(len(ids), count, gamma)"),
    edit("tail_of_red", "the chance is that of red pairs, 1 - γ; the pairs that are counted are green", "return z, binomial_tail(n, count, 1 - gamma)"),
    edit("two_sided_normal", "the rate is that of a normal distribution, on both sides; G is binomial, and only many greens speak for a mark", "return z, math.erfc(abs(z) / math.sqrt(2))"),
    edit("log_rate", "the logarithm of the rate comes back", "return z, math.log(binomial_tail(n, count, gamma))"),
    edit("complement", "1 minus the rate comes back", "return z, 1 - binomial_tail(n, count, gamma)"),
    edit("two_sided", "both tails are counted; only many greens speak for a mark", "return z, min(1.0, 2 * binomial_tail(n, count, gamma))"),
    edit("exactly_count", "the chance of *exactly* G greens is given; at least G is asked for", "return z, binomial_tail(n, count, gamma) - binomial_tail(n, count + 1, gamma)"),
    edit("one_minus", "1 minus a sum near 1: small rates drown in rounding", "return z, 1 - math.fsum(math.comb(n, k) * gamma**k * (1 - gamma) ** (n - k) for k in range(count))"),
    edit("rate_with_half", "the rate takes γ as ½, whatever it is", "return z, binomial_tail(n, count, 0.5)"),
    edit("arguments_exchanged", "the first two arguments of `binomial_tail` are exchanged: n comes first", "return z, binomial_tail(count, n, gamma)"),
)
