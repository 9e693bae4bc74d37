"""Other right versions of the answers to question 4."""

import math

import torch
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()
Normal = torch.distributions.Normal


@alternatives.rewrite("torch.distributions")
def distributions(ref):
    def standard(tensor):
        return Normal(torch.zeros_like(tensor), torch.ones_like(tensor))

    def kl_standard_normal(mean, logvar):
        return torch.distributions.kl_divergence(Normal(mean, (logvar / 2).exp()), standard(mean)).sum(-1)

    def kl_gaussians(mean_q, logvar_q, mean_p, logvar_p):
        q, p = Normal(mean_q, (logvar_q / 2).exp()), Normal(mean_p, (logvar_p / 2).exp())
        return torch.distributions.kl_divergence(q, p).sum(dim=-1)

    def kl_monte_carlo(mean, logvar, eps):
        q = Normal(mean, logvar.exp().sqrt())
        z = q.loc + q.scale * eps
        return (q.log_prob(z) - standard(z).log_prob(z)).sum(-1)

    def gaussian_decoder_log_prob(x, mean, logvar):
        pixels = Normal(mean, (0.5 * logvar).exp()).log_prob(x)
        return pixels.flatten(1).sum(-1)

    def loss_in_nats(loss, beta, pixels):
        variance = torch.tensor(0.5 * beta * pixels, dtype=torch.float64, device=loss.device)
        constant = -pixels * Normal(torch.zeros_like(variance), variance.sqrt()).log_prob(torch.zeros_like(variance))
        return variance, loss / beta + constant

    return {
        "kl_standard_normal": kl_standard_normal, "kl_gaussians": kl_gaussians, "kl_monte_carlo": kl_monte_carlo,
        "gaussian_decoder_log_prob": gaussian_decoder_log_prob, "loss_in_nats": loss_in_nats,
    }


@alternatives.rewrite("loops over latents and examples")
def loops(ref):
    def kl_standard_normal(mean, logvar):
        total = 0
        for i in range(mean.shape[-1]):
            total = total - 0.5 * (1 + logvar[..., i] - mean[..., i] ** 2 - torch.exp(logvar[..., i]))
        return total

    def kl_gaussians(mean_q, logvar_q, mean_p, logvar_p):
        total = 0
        for m, v, n, w in zip(*(each.unbind(-1) for each in (mean_q, logvar_q, mean_p, logvar_p)), strict=True):
            total = total + 0.5 * (w - v + (v.exp() + (m - n) ** 2) / w.exp() - 1)
        return total

    def kl_monte_carlo(mean, logvar, eps):
        rows = []
        for noise in eps:
            z = ref.reparameterise(mean, logvar, noise)
            rows.append(ref.diagonal_log_prob(z, mean, logvar) - ref.diagonal_log_prob(z, 0 * z, 0 * z))
        return torch.stack(rows)

    def gaussian_decoder_log_prob(x, mean, logvar):
        logvar = logvar.expand_as(x)
        found = []
        for image, centre, width in zip(x, mean, logvar, strict=True):
            found.append(-0.5 * ((image - centre) ** 2 / width.exp() + width).sum() - 0.5 * image.numel() * math.log(2 * math.pi))
        return torch.stack(found)

    def loss_in_nats(loss, beta, pixels):
        std = math.sqrt(beta * pixels / 2)
        values = [each / beta + pixels * (math.log(std) + 0.5 * math.log(2 * math.pi)) for each in loss]
        return std**2, torch.stack(values)

    return {
        "kl_standard_normal": kl_standard_normal, "kl_gaussians": kl_gaussians, "kl_monte_carlo": kl_monte_carlo,
        "gaussian_decoder_log_prob": gaussian_decoder_log_prob, "loss_in_nats": loss_in_nats,
    }


@alternatives.rewrite("other algebra: expm1, the square of eps, one KL by the other, separate sums of expanded terms")
def algebra(ref):
    def kl_gaussians(mean_q, logvar_q, mean_p, logvar_p):
        mean_q, logvar_q, mean_p, logvar_p = torch.broadcast_tensors(mean_q, logvar_q, mean_p, logvar_p)
        log_ratio = logvar_q - logvar_p
        return 0.5 * ((torch.expm1(log_ratio) - log_ratio).sum(-1) + ((mean_q - mean_p) ** 2 / logvar_p.exp()).sum(-1))

    def kl_monte_carlo(mean, logvar, eps):
        z = mean + torch.exp(0.5 * logvar) * eps
        return 0.5 * (z * z - eps * eps - logvar).sum(-1)

    def gaussian_decoder_log_prob(x, mean, logvar):
        n, pixels = len(x), x[0].numel()
        scaled = (x - mean) * torch.exp(-logvar / 2)
        logs = (logvar + torch.zeros_like(x)).reshape(n, pixels).sum(1)
        return -0.5 * scaled.reshape(n, pixels).pow(2).sum(1) - 0.5 * logs - 0.5 * pixels * math.log(2 * math.pi)

    def loss_in_nats(loss, beta, pixels):
        return pixels * beta / 2, loss / beta + pixels / 2 * math.log(math.pi * pixels * beta)

    return {
        "kl_standard_normal": lambda mean, logvar: kl_gaussians(mean, logvar, torch.zeros_like(mean), torch.zeros_like(mean)),
        "kl_gaussians": kl_gaussians, "kl_monte_carlo": kl_monte_carlo,
        "gaussian_decoder_log_prob": gaussian_decoder_log_prob, "loss_in_nats": loss_in_nats,
    }


@alternatives.rewrite("float64 inside, F.gaussian_nll_loss with full=True, a Gaussian with a covariance matrix")
def wide(ref):
    def kl_standard_normal(mean, logvar):
        mean, logvar = mean.double(), logvar.double()
        return 0.5 * (torch.einsum("...k,...k->...", mean, mean) + (logvar.exp() - logvar).sum(-1) - mean.shape[-1])

    def kl_gaussians(mean_q, logvar_q, mean_p, logvar_p):
        q = torch.distributions.MultivariateNormal(mean_q.double(), torch.diag_embed(logvar_q.double().exp()))
        p = torch.distributions.MultivariateNormal(mean_p.double(), torch.diag_embed(logvar_p.double().exp()))
        return torch.distributions.kl_divergence(q, p)

    def kl_monte_carlo(mean, logvar, eps):
        return ref.kl_monte_carlo(mean.double(), logvar.double(), eps.double())

    def gaussian_decoder_log_prob(x, mean, logvar):
        variance = logvar.double().exp() * torch.ones_like(x, dtype=torch.float64)
        nll = F.gaussian_nll_loss(mean.double(), x.double(), variance, full=True, eps=1e-12, reduction="none")
        return -nll.flatten(1).sum(1)

    def loss_in_nats(loss, beta, pixels):
        sigma2 = beta * pixels / 2
        none = torch.zeros(1, pixels, dtype=loss.dtype, device=loss.device)
        constant = ref.gaussian_decoder_log_prob(none, none, torch.tensor(math.log(sigma2), device=loss.device))
        return sigma2, loss / beta - constant

    return {
        "kl_standard_normal": kl_standard_normal, "kl_gaussians": kl_gaussians, "kl_monte_carlo": kl_monte_carlo,
        "gaussian_decoder_log_prob": gaussian_decoder_log_prob, "loss_in_nats": loss_in_nats,
    }


@alternatives.rewrite("Independent distributions of the library, reshaped sums")
def independent(ref):
    def kl_standard_normal(mean, logvar):
        q = torch.distributions.Independent(Normal(mean, torch.exp(0.5 * logvar)), 1)
        p = torch.distributions.Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
        return torch.distributions.kl_divergence(q, p)

    def gaussian_decoder_log_prob(x, mean, logvar):
        axes = tuple(range(1, x.dim()))
        return Normal(mean, torch.exp(logvar / 2).expand_as(x)).log_prob(x).sum(dim=axes)

    return {"kl_standard_normal": kl_standard_normal, "gaussian_decoder_log_prob": gaussian_decoder_log_prob}
