"""Other right versions of the answers to question 3."""

import torch

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- m_step --------------------------------------------------------------------------------------------------------

alternatives.at(
    "means = resp.T @ x / owned[:, None]",
    edit(
        "guarded_division",
        "empty components by torch.where; the posterior by exponentiating a difference",
        "means = torch.where(counts[:, None] > 0, resp.T @ x / counts[:, None], 0.0)",
        (
            "return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
            "joint = gmm_log_joint(x, log_weights, means, covs); return (joint - joint.logsumexp(1, "
            "keepdim=True)).exp()",
        ),
    ),
)

alternatives.at(
    'scatter = torch.einsum("nk,nki,nkj->kij", resp, centred, centred)',
    edit(
        "matrix_products",
        "covariances by one matrix product per component; weights normalised by the sum of the counts; floor on "
        "the diagonal view",
        "scatter = (centred * resp[:, :, None]).permute(1, 2, 0) @ centred.permute(1, 0, 2)",
        ("return counts.log() - math.log(len(x)), means, covs", "return (counts / counts.sum()).log(), means, covs"),
        (
            """
         covs = scatter / owned[:, None, None] + floor * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
         """,
            """
         covs = scatter / owned[:, None, None]
         covs.diagonal(dim1=1, dim2=2).add_(floor)
         """,
        ),
    ),
)

alternatives.at(
    "covs = scatter / owned[:, None, None]",
    edit(
        "uncentred_double",
        "covariances as E[xxᵀ] − μμᵀ in float64, which is accurate enough",
        "wide = x.double(); r = resp.double(); s = r.sum(0).clamp_min(1e-300); m = r.T @ wide / s[:, None]; covs = "
        "(torch.einsum('nk,ni,nj->kij', r, wide, wide) / s[:, None, None] - m[:, :, None] * m[:, None, "
        ":]).to(x.dtype)",
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("loops over components, maximum pulled out by hand, tuple of lists")
def loops(ref):
    def gmm_log_joint(x, log_weights, means, covs):
        joint = x.new_empty(len(x), len(means))
        for k in range(len(means)):
            joint[:, k] = log_weights[k] + ref.mvn_log_prob(x, means[k], covs[k])
        return joint

    def gmm_log_prob(x, log_weights, means, covs):
        joint = gmm_log_joint(x, log_weights, means, covs)
        top = joint.max(1, keepdim=True).values
        return (joint - top).exp().sum(1).log() + top.squeeze(1)

    def responsibilities(x, *params):
        return (gmm_log_joint(x, *params) - gmm_log_prob(x, *params)[:, None]).exp()

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
            covs.append(cov + floor * torch.eye(x.shape[1]))
        return torch.stack(log_weights), torch.stack(means), torch.stack(covs)

    def elbo(x, resp, *params):
        joint = gmm_log_joint(x, *params)
        total = x.new_zeros(len(x))
        for k in range(resp.shape[1]):
            on = resp[:, k] > 0
            total[on] += resp[on, k] * (joint[on, k] - resp[on, k].log())
        return total

    def fit_gmm_em(x, log_weights, means, covs, steps, floor=1e-6):
        history = []
        for _ in range(steps):
            joint = gmm_log_joint(x, log_weights, means, covs)
            history.append(joint.logsumexp(1).mean().item())
            log_weights, means, covs = m_step(x, joint.softmax(1), floor)
        history.append(gmm_log_prob(x, log_weights, means, covs).mean().item())
        return [log_weights, means, covs], history

    return {
        "gmm_log_joint": gmm_log_joint,
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

    def gmm_log_joint(x, *params):
        return ref.gmm_log_joint(*wide(x, *params))

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
        "gmm_log_joint": gmm_log_joint,
        "gmm_log_prob": gmm_log_prob,
        "responsibilities": responsibilities,
        "m_step": m_step,
        "elbo": elbo,
        "fit_gmm_em": fit_gmm_em,
    }


@alternatives.rewrite("torch.distributions for the densities; the bound as log-likelihood minus KL")
def library(ref):
    def parts(log_weights, means, covs):
        return torch.distributions.MultivariateNormal(means, covs, validate_args=False)

    def gmm_log_joint(x, log_weights, means, covs):
        return parts(log_weights, means, covs).log_prob(x[:, None, :]) + log_weights

    def elbo(x, resp, *params):
        log_prob = ref.gmm_log_prob(x, *params)
        log_posterior = ref.gmm_log_joint(x, *params) - log_prob[:, None]
        kl = torch.where(resp > 0, resp * (resp.log() - log_posterior), torch.zeros_like(resp)).sum(1)
        return log_prob - kl

    return {"gmm_log_joint": gmm_log_joint, "elbo": elbo}


@alternatives.rewrite("torch.distributions.MixtureSameFamily, which normalises the weights; the M-step by fit_gaussian")
def mixture_same_family(ref):
    def gmm_log_prob(x, log_weights, means, covs):
        labels = torch.distributions.Categorical(logits=log_weights, validate_args=False)
        parts = torch.distributions.MultivariateNormal(means, covs, validate_args=False)
        return torch.distributions.MixtureSameFamily(labels, parts, validate_args=False).log_prob(x)

    def m_step(x, resp, floor=1e-6):
        identity = torch.eye(x.shape[1], dtype=x.dtype)
        parts = [
            ref.fit_gaussian(x, r) if r.sum() > 0 else (torch.zeros_like(x[0]), torch.zeros_like(identity))
            for r in resp.T
        ]
        return (
            resp.mean(0).log(),
            torch.stack([mean for mean, _ in parts]),
            torch.stack([cov + floor * identity for _, cov in parts]),
        )

    return {"gmm_log_prob": gmm_log_prob, "m_step": m_step}
