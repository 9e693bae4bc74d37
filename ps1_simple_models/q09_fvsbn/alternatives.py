"""Other right versions of the answers to question 9."""

import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("library calls: F.linear, binary cross-entropy; row and column indices in the sampler")
def library(ref):
    def fvsbn_logits(x, weights, biases):
        mask = torch.tril(torch.ones_like(weights), diagonal=-1)
        return F.linear(x, weights * mask, biases)

    def fvsbn_log_prob(x, weights, biases):
        logits = fvsbn_logits(x, weights, biases)
        return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)

    @torch.no_grad()
    def ancestral_sample(logits_of, x, known, uniforms):
        result = torch.zeros_like(x)
        result[known] = x[known]
        for index in torch.cartesian_prod(*[torch.arange(size) for size in x.shape[1:]]).reshape(-1, x.dim() - 1):
            at = (slice(None), *index.tolist())
            p = torch.sigmoid(logits_of(result)[at])
            new = (uniforms[at] < p).to(x.dtype)
            result[at] = torch.where(known[at], x[at], new)
        return result

    return {"fvsbn_logits": fvsbn_logits, "fvsbn_log_prob": fvsbn_log_prob, "ancestral_sample": ancestral_sample}


@alternatives.rewrite("everything in float64; the sampler leaves unknown entries as they are until they are drawn")
def double(ref):
    def fvsbn_logits(x, weights, biases):
        return biases.double() + torch.einsum("nj,ij->ni", x.double(), weights.double().tril(-1))

    def fvsbn_log_prob(x, weights, biases):
        return torch.distributions.Bernoulli(logits=fvsbn_logits(x, weights, biases)).log_prob(x.double()).sum(1)

    def ancestral_sample(logits_of, x, known, uniforms):
        result = x.clone()
        with torch.no_grad():
            for t in range(x[0].numel()):
                logits = logits_of(result).reshape(len(x), -1)
                flat = result.reshape(len(x), -1).clone()
                for n in range(len(x)):
                    if not known.reshape(len(x), -1)[n, t]:
                        flat[n, t] = float(uniforms.reshape(len(x), -1)[n, t] < torch.sigmoid(logits[n, t].double()))
                result = flat.reshape(x.shape)
        return result

    return {"fvsbn_logits": fvsbn_logits, "fvsbn_log_prob": fvsbn_log_prob, "ancestral_sample": ancestral_sample}


@alternatives.rewrite("loops over pixels; logsigmoid with a sign; the sampler builds a list and asks for probabilities with 1 / (1 + exp(-a))")
def loops(ref):
    def fvsbn_logits(x, weights, biases):
        columns = [biases[i] + (x[:, :i] * weights[i, :i]).sum(1) for i in range(x.shape[1])]
        return torch.stack(columns, dim=1)

    def fvsbn_log_prob(x, weights, biases):
        return F.logsigmoid((2 * x - 1) * fvsbn_logits(x, weights, biases)).sum(-1)

    def ancestral_sample(logits_of, x, known, uniforms):
        with torch.no_grad():
            given, mask, u = x.flatten(1), known.flatten(1), uniforms.flatten(1)
            columns = []
            for t in range(given.shape[1]):
                rest = [torch.zeros_like(given[:, 0])] * (given.shape[1] - t)
                a = logits_of(torch.stack(columns + rest, 1).reshape(x.shape)).flatten(1)[:, t]
                bit = torch.where(u[:, t] < 1 / (1 + torch.exp(-a)), 1.0, 0.0).to(x.dtype)
                columns.append(torch.where(mask[:, t], given[:, t], bit))
            return torch.stack(columns, 1).reshape(x.shape)

    return {"fvsbn_logits": fvsbn_logits, "fvsbn_log_prob": fvsbn_log_prob, "ancestral_sample": ancestral_sample}


@alternatives.rewrite("masked_fill on the diagonal and above; the sampler skips what is known everywhere, compares with logit(u)")
def masks(ref):
    def fvsbn_logits(x, weights, biases):
        upper = torch.ones_like(weights, dtype=torch.bool).triu()
        return torch.addmm(biases, x, weights.masked_fill(upper, 0).T)

    def fvsbn_log_prob(x, weights, biases):
        logits = fvsbn_logits(x, weights, biases)
        return -(F.softplus(logits) * (1 - x) + F.softplus(-logits) * x).sum(1)

    def ancestral_sample(logits_of, x, known, uniforms):
        grad = torch.is_grad_enabled()
        torch.set_grad_enabled(False)
        drawn = (x * known).contiguous()
        flat = drawn.view(len(x), -1)
        for t in range(flat.shape[1]):
            here = ~known.reshape(len(x), -1)[:, t]
            if here.any():
                a = logits_of(drawn).reshape(len(x), -1)[here, t]
                flat[here, t] = (torch.logit(uniforms.reshape(len(x), -1)[here, t].double()) < a).to(x.dtype)
        torch.set_grad_enabled(grad)
        return drawn

    return {"fvsbn_logits": fvsbn_logits, "fvsbn_log_prob": fvsbn_log_prob, "ancestral_sample": ancestral_sample}


@alternatives.rewrite("a masked nn.Linear; products of probabilities where that is safe in float64; all bits drawn in every pass")
def module(ref):
    def fvsbn_logits(x, weights, biases):
        return torch.func.functional_call(
            nn.Linear(x.shape[1], x.shape[1], device=x.device, dtype=x.dtype),
            {"weight": torch.tril(weights, -1), "bias": biases},
            (x,),
        )

    def ancestral_sample(logits_of, x, known, uniforms):
        result = torch.where(known, x, torch.zeros_like(x))
        for _ in range(x[0].numel()):  # after t passes the first t entries are right, and stay so
            with torch.no_grad():
                result = torch.where(known, x, (uniforms < torch.sigmoid(logits_of(result))).to(x.dtype))
        return result

    return {"fvsbn_logits": fvsbn_logits, "ancestral_sample": ancestral_sample}
