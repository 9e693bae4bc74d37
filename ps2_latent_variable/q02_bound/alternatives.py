"""Other right versions of the answers to question 2."""

import math

import torch

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("log_softmax, xlogy, entropies, the update with m_i taken out")
def library(ref):
    def elbo(log_joint, log_q):
        q = log_q.exp()
        cross = torch.where(q == 0, torch.zeros_like(q), q * log_joint).sum(-1)
        return cross + torch.special.entr(q).sum(-1)

    def split_mean_kl(log_q, log_prior=None):
        q = log_q.exp()
        prior = torch.full_like(q[0], 1 / q.shape[1]).log() if log_prior is None else log_prior
        aggregate = q.mean(dim=0)
        information = torch.special.entr(aggregate).sum() - torch.special.entr(q).sum(dim=1).mean()
        return information, (torch.xlogy(aggregate, aggregate) - aggregate * prior).sum()

    def cavi(precision, mean, steps):
        off = precision - torch.diag(precision.diagonal())
        m = torch.zeros_like(mean)
        rows = [m.clone()]
        for _ in range(steps):
            for i in range(len(m)):
                m[i] = mean[i] - off[i].dot(m - mean) / precision[i, i]
            rows.append(m.clone())
        return torch.stack(rows), precision.diagonal().reciprocal()

    return {
        "exact_posterior": lambda log_joint: (torch.logsumexp(log_joint, dim=-1), torch.log_softmax(log_joint, dim=-1)),
        "elbo": elbo, "split_mean_kl": split_mean_kl, "cavi": cavi,
    }


@alternatives.rewrite("loops in plain Python, with a maximum taken out by hand")
def loops(ref):
    def exact_posterior(log_joint):
        top = log_joint.max(dim=1, keepdim=True).values
        evidence = top + (log_joint - top).exp().sum(1, keepdim=True).log()
        return evidence.squeeze(1), log_joint - evidence

    def elbo(log_joint, log_q):
        totals = []
        for joint_row, q_row in zip(log_joint, log_q, strict=True):
            total = 0 * q_row[q_row > -math.inf].sum()
            for a, b in zip(joint_row, q_row, strict=True):
                if b.exp() > 0:
                    total = total + b.exp() * (a - b)
            totals.append(total)
        return torch.stack(totals)

    def split_mean_kl(log_q, log_prior=None):
        n, k = log_q.shape
        log_prior = -math.log(k) * torch.ones(k).to(log_q) if log_prior is None else log_prior
        q = log_q.exp()
        mean_q = sum(q[i] for i in range(n)) / n
        information = sum(float(q[i, j]) * (float(log_q[i, j]) - math.log(float(mean_q[j]))) for i in range(n) for j in range(k) if q[i, j] > 0) / n
        rest = sum(float(mean_q[j]) * (math.log(float(mean_q[j])) - float(log_prior[j])) for j in range(k) if mean_q[j] > 0)
        return torch.tensor(information, dtype=log_q.dtype, device=log_q.device), torch.tensor(rest, dtype=log_q.dtype, device=log_q.device)

    def cavi(precision, mean, steps):
        d = len(mean)
        m = [mean.new_zeros(()) for _ in range(d)]
        rows = [torch.stack(m)]
        for _ in range(steps):
            for i in range(d):
                m[i] = mean[i] - sum((precision[i, j] * (m[j] - mean[j]) for j in range(d) if j != i), mean.new_zeros(())) / precision[i, i]
            rows.append(torch.stack(m))
        return torch.stack(rows), torch.stack([1 / precision[i, i] for i in range(d)])

    return {"exact_posterior": exact_posterior, "elbo": elbo, "split_mean_kl": split_mean_kl, "cavi": cavi}


@alternatives.rewrite("everything in float64; log p(x) minus the gap; the mean KL minus the marginal; one triangular solve for a sweep")
def other_algebra(ref):
    def elbo(log_joint, log_q):
        log_joint, log_q = log_joint.double(), log_q.double()
        q = log_q.exp()
        gap = torch.where(q > 0, q * (log_q - log_joint.log_softmax(1)), 0).sum(1)
        return log_joint.logsumexp(1) - gap

    def split_mean_kl(log_q, log_prior=None):
        log_q = log_q.double()
        q, k = log_q.exp(), log_q.shape[1]
        prior = torch.full((k,), -math.log(k), dtype=torch.float64, device=log_q.device) if log_prior is None else log_prior.double()
        log_aggregate = torch.logsumexp(log_q, 0) - math.log(len(log_q))
        aggregate = log_aggregate.exp()
        rest = torch.where(aggregate > 0, aggregate * (log_aggregate - prior), 0).sum()
        whole = torch.where(q > 0, q * (log_q - prior), 0).sum() / len(q)
        return whole - rest, rest

    def cavi(precision, mean, steps):
        precision, mean = precision.double(), mean.double()
        lower, upper = precision.tril(), precision.triu(1)
        rows = [-mean]
        for _ in range(steps):
            rows.append(torch.linalg.solve_triangular(lower, -(upper @ rows[-1])[:, None], upper=False)[:, 0])
        return torch.stack(rows) + mean, 1 / torch.diagonal(precision)

    return {
        "exact_posterior": lambda log_joint: ref.exact_posterior(log_joint.double()),
        "elbo": elbo, "split_mean_kl": split_mean_kl, "cavi": cavi,
    }


@alternatives.rewrite("nansum, clamped logarithms, Categorical, the update in the form of Newton, a path that stands still")
def shortcuts(ref):
    categorical = torch.distributions.Categorical

    def exact_posterior(log_joint):
        return log_joint.logsumexp(-1), categorical(logits=log_joint).logits

    def elbo(log_joint, log_q):
        log_q = log_q.log_softmax(1)
        return (log_q.exp() * (log_joint - log_q)).nansum(1)

    def split_mean_kl(log_q, log_prior=None):
        q = log_q.exp()
        mean_q, smallest = q.mean(0), torch.finfo(q.dtype).tiny
        information = (q * (log_q.clamp(min=-200) - mean_q.clamp(min=smallest).log())).sum(1).mean()
        prior = torch.zeros_like(mean_q) if log_prior is None else log_prior
        return information, torch.distributions.kl_divergence(categorical(probs=mean_q), categorical(logits=prior))

    def cavi(precision, mean, steps):
        m = torch.zeros_like(mean)
        path = [m.clone()]
        for _ in range(steps):
            for i in range(len(m)):
                m[i] -= precision[i] @ (m - mean) / precision[i, i]
            if torch.equal(m, path[-1]):
                break
            path.append(m.clone())
        return torch.stack(path + [m] * (steps + 1 - len(path))), torch.diag(precision) ** -1

    return {"exact_posterior": exact_posterior, "elbo": elbo, "split_mean_kl": split_mean_kl, "cavi": cavi}


@alternatives.rewrite("logaddexp in turn, -inf replaced in both arguments where q is 0, KL for each image")
def in_turn(ref):
    def exact_posterior(log_joint):
        total = log_joint[:, 0]
        for j in range(1, log_joint.shape[1]):
            total = torch.logaddexp(total, log_joint[:, j])
        return total, log_joint - total.unsqueeze(1)

    def elbo(log_joint, log_q):
        absent = log_q.exp() == 0
        joint, q = log_joint.masked_fill(absent, 0.0), log_q.masked_fill(absent, 0.0)
        return ((q.exp() * (joint - q)) * ~absent).sum(1)

    def split_mean_kl(log_q, log_prior=None):
        if log_prior is None:
            log_prior = torch.zeros_like(log_q[0]).log_softmax(0)
        q = log_q.exp()
        mean_q = torch.mean(q, 0)
        kl = [(torch.xlogy(row, row) - torch.xlogy(row, mean_q)).sum() for row in q]
        return torch.stack(kl).mean(), (torch.xlogy(mean_q, mean_q) - mean_q * log_prior).sum()

    return {"exact_posterior": exact_posterior, "elbo": elbo, "split_mean_kl": split_mean_kl}
