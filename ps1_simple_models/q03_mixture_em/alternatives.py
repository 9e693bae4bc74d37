"""Other right versions of the answers to question 3."""

import torch

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- m_step --------------------------------------------------------------------------------------------------------

FITS = """
for k in range(K):
    if resp[:, k].any():
        means[k], covs[k] = fit_gaussian(x, resp[:, k])
"""

alternatives.at(
    FITS,
    edit(
        "einsum", "all components at once, by einsum; the posterior by exponentiating a difference",
        """
        owned = resp.sum(0).clamp_min(torch.finfo(x.dtype).tiny)
        means = resp.T @ x / owned[:, None]
        centred = x[:, None, :] - means
        covs = torch.einsum("nk,nki,nkj->kij", resp, centred, centred) / owned[:, None, None]
        """,
        (
            "return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
            "joint = gmm_log_joint(x, log_weights, means, covs); return (joint - joint.logsumexp(1, keepdim=True)).exp()",
        ),
    ),
    edit(
        "guarded_division", "empty components by torch.where; one matrix product per component; weights from the counts",
        """
        counts = resp.sum(0)
        means = torch.where(counts[:, None] > 0, resp.T @ x / counts[:, None], 0.0)
        centred = x[:, None, :] - means
        scatter = (centred * resp[:, :, None]).permute(1, 2, 0) @ centred.permute(1, 0, 2)
        covs = torch.where(counts[:, None, None] > 0, scatter / counts[:, None, None], 0.0)
        """,
        ("return resp.mean(0).log(), means, covs", "return (counts / counts.sum()).log(), means, covs"),
        ("covs = covs + floor * torch.eye(D, dtype=x.dtype, device=x.device)", "covs.diagonal(dim1=1, dim2=2).add_(floor)"),
    ),
    edit(
        "uncentred_double", "covariances as E[xxᵀ] − μμᵀ in more digits: after the first example is subtracted, in float64",
        """
        r, y = resp.double(), x.double() - x[0].double()
        s = r.sum(0).clamp_min(1e-300)
        m = r.T @ y / s[:, None]
        covs = torch.einsum("nk,ni,nj->kij", r, y, y) / s[:, None, None] - m[:, :, None] * m[:, None, :]
        owns = (r.sum(0) > 0).double()
        means, covs = (owns[:, None] * (m + x[0])).to(x), (owns[:, None, None] * covs).to(x)
        """,
    ),
    edit(
        "library_covariance", "torch.cov with weights",
        """
        for k in range(K):
            if resp[:, k].any():
                means[k] = resp[:, k] @ x / resp[:, k].sum()
                covs[k] = torch.cov(x.T, correction=0, aweights=resp[:, k] / resp[:, k].sum())
        """,
    ),
    edit(
        "roots", "normalised shares, and the product of a matrix of weighted roots with itself",
        """
        for k in range(K):
            if resp[:, k].sum() > 0:
                share = resp[:, k] / resp[:, k].sum()
                means[k] = share @ x
                root = share.sqrt()[:, None] * (x - means[k])
                covs[k] = root.T @ root
        """,
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("loops over components, maximum pulled out by hand, lists of floats")
def loops(ref):
    def gmm_log_prob(x, log_weights, means, covs):
        joint = x.new_empty(len(x), len(means))
        for k in range(len(means)):
            joint[:, k] = log_weights[k] + ref.mvn_log_prob(x, means[k], covs[k])
        top = joint.max(1, keepdim=True).values
        return (joint - top).exp().sum(1).log() + top.squeeze(1)

    def responsibilities(x, *params):
        return (ref.gmm_log_joint(x, *params) - gmm_log_prob(x, *params)[:, None]).exp()

    def m_step(x, resp, floor=1e-6):
        log_weights, means, covs = [], [], []
        for k in range(resp.shape[1]):
            r = resp[:, k]
            total = r.sum()
            mean = (r[:, None] * x).sum(0) / total if total > 0 else x.new_zeros(x.shape[1])
            centred = x - mean
            cov = (r[:, None] * centred).T @ centred / total if total > 0 else x.new_zeros(x.shape[1], x.shape[1])
            log_weights.append((total / len(x)).log())
            means.append(mean)
            covs.append(cov + floor * torch.eye(x.shape[1]).to(x))
        return torch.stack(log_weights), torch.stack(means), torch.stack(covs)

    def elbo(x, resp, *params):
        joint = ref.gmm_log_joint(x, *params)
        total = x.new_zeros(len(x))
        for k in range(resp.shape[1]):
            on = resp[:, k] > 0
            total[on] += resp[on, k] * (joint[on, k] - resp[on, k].log())
        return total

    def fit_gmm_em(x, log_weights, means, covs, steps, floor=1e-6):
        history = []
        for _ in range(steps):
            joint = ref.gmm_log_joint(x, log_weights, means, covs)
            history.append(joint.logsumexp(1).mean().item())
            log_weights, means, covs = m_step(x, joint.softmax(1), floor)
        history.append(gmm_log_prob(x, log_weights, means, covs).mean().item())
        return [log_weights, means, covs], history

    return {
        "gmm_log_prob": gmm_log_prob,
        "responsibilities": responsibilities,
        "m_step": m_step,
        "elbo": elbo,
        "fit_gmm_em": fit_gmm_em,
    }


@alternatives.rewrite("everything in float64 inside, results in float64")
def double(ref):
    def wide(*tensors):
        return [t.double() for t in tensors]

    def gmm_log_prob(x, *params):
        return ref.gmm_log_prob(*wide(x, *params))

    def responsibilities(x, *params):
        return ref.responsibilities(*wide(x, *params))

    def m_step(x, resp, floor=1e-6):
        return ref.m_step(*wide(x, resp), floor)

    def elbo(x, resp, *params):
        return ref.elbo(*wide(x, resp, *params))

    def fit_gmm_em(x, log_weights, means, covs, steps, floor=1e-6):
        return ref.fit_gmm_em(*wide(x, log_weights, means, covs), steps, floor)

    return {
        "gmm_log_prob": gmm_log_prob,
        "responsibilities": responsibilities,
        "m_step": m_step,
        "elbo": elbo,
        "fit_gmm_em": fit_gmm_em,
    }


@alternatives.rewrite("torch.distributions for the densities; the bound as log-likelihood minus KL; history preallocated")
def library(ref):
    def joint(x, log_weights, means, covs):
        parts = torch.distributions.MultivariateNormal(means, covs, validate_args=False)
        return parts.log_prob(x[:, None, :]) + log_weights

    def responsibilities(x, *params):
        return torch.distributions.Categorical(logits=joint(x, *params), validate_args=False).probs

    def elbo(x, resp, *params):
        log_prob = ref.gmm_log_prob(x, *params)
        log_posterior = ref.gmm_log_joint(x, *params) - log_prob[:, None]
        kl = torch.where(resp > 0, resp * (resp.log() - log_posterior), torch.zeros_like(resp)).sum(1)
        return log_prob - kl

    def fit_gmm_em(x, log_weights, means, covs, steps, floor=1e-6):
        history = torch.empty(steps + 1, dtype=x.dtype, device=x.device)
        for step in range(steps + 1):
            if step:
                log_weights, means, covs = ref.m_step(x, resp, floor=floor)
            resp = ref.responsibilities(x, log_weights, means, covs)
            history[step] = ref.elbo(x, resp, log_weights, means, covs).mean()  # the bound touches
        return (log_weights, means, covs), history

    return {"responsibilities": responsibilities, "elbo": elbo, "fit_gmm_em": fit_gmm_em}


@alternatives.rewrite("torch.distributions.MixtureSameFamily, which normalises the weights; the bound by xlogy; no_grad inside")
def mixture_same_family(ref):
    def gmm_log_prob(x, log_weights, means, covs):
        labels = torch.distributions.Categorical(logits=log_weights, validate_args=False)
        parts = torch.distributions.MultivariateNormal(means, covs, validate_args=False)
        return torch.distributions.MixtureSameFamily(labels, parts, validate_args=False).log_prob(x)

    def elbo(x, resp, *params):
        joint = ref.gmm_log_joint(x, *params)
        return (torch.where(resp == 0, 0.0, resp * joint) - torch.xlogy(resp, resp)).sum(dim=1)

    @torch.no_grad()
    def fit_gmm_em(x, log_weights, means, covs, steps, floor=1e-6):
        params, history = (log_weights.clone(), means.clone(), covs.clone()), []
        for step in range(steps + 1):
            history.append(gmm_log_prob(x, *params).mean())
            if step < steps:
                params = ref.m_step(x, ref.responsibilities(x, *params), floor)
        return params, history

    return {"gmm_log_prob": gmm_log_prob, "elbo": elbo, "fit_gmm_em": fit_gmm_em}
