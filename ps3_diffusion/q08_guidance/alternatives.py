"""Other right versions of the answers to question 8."""

import math

import torch
from torch import nn

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

alternatives.at(
    "return torch.where(u < rate, null, y)",
    edit("masked_fill", "filled by a mask", "return y.masked_fill(u < rate, null)"),
    edit("cloned", "a copy, changed at some places",
         "dropped = y.clone(); dropped[u < rate] = null; return dropped"),
    edit("arithmetic", "whole numbers times the mask", "keep = (u >= rate).long(); return keep * y + (1 - keep) * null"),
    edit("label_by_label", "a loop over labels",
         "return torch.tensor([null if float(a) < rate else int(b) for a, b in zip(u, y)], dtype=y.dtype, device=y.device)"),
)

alternatives.at(
    "return eps_uncond + w * (eps_cond - eps_uncond)",
    edit("mixed", "a mixture with weights w and 1 - w", "return w * eps_cond + (1 - w) * eps_uncond"),
    edit("from_cond", "from the conditional one, w - 1 further", "return eps_cond + (w - 1) * (eps_cond - eps_uncond)"),
    edit("lerp", "by torch.lerp", "return torch.lerp(eps_uncond, eps_cond, float(w))"),
    edit("papers_w", "the papers' weight, converted", "g = w - 1; return (1 + g) * eps_cond - g * eps_uncond"),
)

alternatives.at(
    """
    def predict(x_t, t):
        labels = torch.cat([y, torch.full_like(y, null)])
        cond, uncond = model(torch.cat([x_t, x_t]), torch.cat([t, t]), labels).chunk(2)
        inside = ((interval[0] <= t) & (t <= interval[1])).reshape(-1, *[1] * (x_t.ndim - 1))
        return torch.where(inside, guide(cond, uncond, w), cond)

    return predict
    """,
    edit("two_calls", "two calls, and a weight for each example",
         """
         low, high = interval

         def call(x, t):
             cond, uncond = model(x, t, y), model(x, t, torch.ones_like(y) * null)
             weight = torch.ones(len(t), dtype=x.dtype, device=x.device)
             weight[(t >= low) & (t <= high)] = w
             weight = weight.view(-1, *(1,) * (x.dim() - 1))
             return uncond + weight * (cond - uncond)

         return call
         """),
    edit("only_where_needed", "the model without label is asked for examples inside alone",
         """
         def eps_of(x, t):
             out = model(x, t, y)
             pick = torch.logical_and(t >= interval[0], t <= interval[1])
             if pick.any():
                 out = out.clone()
                 free = model(x[pick], t[pick], torch.full_like(y[pick], null))
                 out[pick] = guide(out[pick], free, w)
             return out

         return eps_of
         """),
    edit("example_by_example", "a loop over examples in a class",
         """
         class Predictor(nn.Module):
             def forward(self, x_t, t):
                 rows = []
                 for i in range(len(x_t)):
                     here = slice(i, i + 1)
                     cond = model(x_t[here], t[here], y[here])
                     if interval[0] <= int(t[i]) <= interval[1]:
                         cond = guide(cond, model(x_t[here], t[here], torch.full_like(y[here], null)), w)
                     rows.append(cond)
                 return torch.cat(rows)

         return Predictor()
         """),
    edit("repeated", "stacked by repeat, without label first",
         """
         def predict(x_t, t):
             n = len(x_t)
             both = model(x_t.repeat(2, *[1] * (x_t.ndim - 1)), t.repeat(2), torch.cat((torch.full_like(y, null), y)))
             uncond, cond = both[:n], both[n:]
             outside = torch.logical_or(t < interval[0], t > interval[1])
             result = guide(cond, uncond, w).clone()
             result[outside] = cond[outside]
             return result

         return predict
         """),
    edit("partial", "a partial of an inner function",
         """
         import functools

         def ask(labels, x_t, t):
             c, u = model(x_t, t, labels), model(x_t, t, labels * 0 + null)
             inside = (t >= interval[0]) * (t <= interval[1])
             for _ in range(x_t.ndim - 1):
                 inside = inside.unsqueeze(-1)
             return c + inside * (w - 1) * (c - u)

         return functools.partial(ask, y)
         """),
)

alternatives.at(
    """
    with torch.enable_grad():
        x = x_t.detach().requires_grad_()
        log_prob = classifier(x, t).log_softmax(1)
        wish = torch.autograd.grad(log_prob[torch.arange(len(y)), y].sum(), x)[0]
    level = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))
    return eps - w * (1 - level).sqrt() * wish
    """,
    edit("cross_entropy", "by the cross-entropy, summed",
         """
         x = x_t.clone().detach().requires_grad_(True)
         with torch.enable_grad():
             nats = F.cross_entropy(classifier(x, t), y, reduction="sum")
             (slope,) = torch.autograd.grad(nats, [x])
         sigma = torch.sqrt(1 - alpha_bar[t]).view([len(x_t)] + [1] * (x_t.dim() - 1))
         return eps + w * sigma * slope
         """),
    edit("gathered", "picked by gather, minus logsumexp, a weight for each example",
         """
         with torch.set_grad_enabled(True):
             x = x_t.detach().clone().requires_grad_()
             logits = classifier(x, t)
             chosen = logits.gather(1, y[:, None])[:, 0] - torch.logsumexp(logits, 1)
             slope = torch.autograd.grad(chosen, x, grad_outputs=torch.ones_like(chosen))[0]
         factor = (w * (1 - alpha_bar[t]) ** 0.5)
         while factor.ndim < eps.ndim:
             factor = factor[..., None]
         return eps - factor * slope
         """),
    edit("row_by_row", "example after example",
         """
         rows = []
         for i in range(len(x_t)):
             x = x_t[i : i + 1].detach().requires_grad_()
             with torch.enable_grad():
                 value = F.log_softmax(classifier(x, t[i : i + 1]), dim=-1)[0, y[i]]
             slope = torch.autograd.grad(value, x)[0][0]
             rows.append(eps[i] - w * torch.sqrt(1 - alpha_bar[t[i]]) * slope)
         return torch.stack(rows)
         """),
    edit("functional", "torch.func.grad",
         """
         def log_prob(x):
             return (torch.log_softmax(classifier(x, t), 1) * F.one_hot(y, classifier(x, t).shape[1])).sum()

         with torch.enable_grad():
             slope = torch.func.grad(log_prob)(x_t.detach())
         return eps - (w * (1 - alpha_bar[t]).sqrt()).reshape(len(t), *([1] * (x_t.ndim - 1))) * slope.detach()
         """),
)

alternatives.at(
    "return 1 / (w / s**2 + 1 - w).sqrt(), s**w",
    edit("fraction", "one fraction, and exp of a logarithm", "return s / torch.sqrt(w - (w - 1) * s * s), torch.exp(w * torch.log(s))"),
    edit("precisions", "precisions in float64",
         "p = 1 + w * (s.double() ** -2 - 1); return (p ** -0.5).to(s.dtype), torch.pow(s, w)"),
    edit("as_list", "variances first, in a list", "v = torch.stack([1 / (1 + w * (1 / s.square() - 1)), s.square() ** w]); return [v[0].sqrt(), v[1].sqrt()]"),
)


@alternatives.rewrite("guided by the scores of all; a class with __call__")
def by_scores(ref):
    class Guided:
        def __init__(self, model, y, w, null, interval):
            self.model, self.y, self.w, self.none, self.ends = model, y, w, torch.full_like(y, null), interval

        def __call__(self, x_t, t):
            inside = torch.tensor([self.ends[0] <= int(each) <= self.ends[1] for each in t], device=x_t.device)
            cond = self.model(x_t, t, self.y)
            more = (self.w - 1) * inside.to(x_t.dtype)
            return cond + torch.einsum("n,n...->n...", more, cond - self.model(x_t, t, self.none))

    def guided(model, y, w, null, interval=(0, math.inf)):
        return Guided(model, y, w, null, interval)

    def classifier_guidance(eps, classifier, x_t, t, y, w, alpha_bar):
        @torch.enable_grad()
        def slope(x):
            return torch.autograd.grad(-nn.CrossEntropyLoss(reduction="none")(classifier(x, t), y).sum(), x)[0]

        sigma = (1 - alpha_bar.index_select(0, t)).sqrt()
        return eps - torch.einsum("n,n...->n...", w * sigma, slope(x_t.detach().clone().requires_grad_()))

    return {"guided": guided, "classifier_guidance": classifier_guidance}
