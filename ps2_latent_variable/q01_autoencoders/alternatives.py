"""Other right versions of the answers to question 1."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("singular values, a low-rank Gaussian of the library, the gain of a Kalman filter")
def library(ref):
    def pca_projector(x, k):
        rows = torch.linalg.svd(x - x.mean(0), full_matrices=False)[2][:k]
        return rows.T @ rows

    def ppca_fit(x, k):
        mean = x.mean(0)
        _, values, rows = torch.linalg.svd((x - mean) / math.sqrt(len(x)), full_matrices=False)
        variances = values**2
        sigma2 = variances[k:].sum() / (x.shape[1] - k)
        return mean, rows[:k].mT @ torch.diag((variances[:k] - sigma2).sqrt()), sigma2

    def ppca_log_prob(x, mean, W, sigma2):
        return torch.distributions.LowRankMultivariateNormal(mean, W, sigma2.expand(len(mean))).log_prob(x)

    def ppca_posterior(x, mean, W, sigma2):
        gain = torch.linalg.solve(W @ W.T + sigma2 * torch.eye(len(W)).to(W), W).T
        return (x - mean) @ gain.T, torch.eye(W.shape[1]).to(W) - gain @ W

    class Autoencoder(nn.Module):
        def __init__(self, shape, hidden, latent):
            super().__init__()
            size = shape[0] * shape[1] * shape[2]
            self.net_out = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, size), nn.Sigmoid(), nn.Unflatten(1, shape))
            self.net_in = nn.Sequential(nn.Flatten(), nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, latent))

        def encode(self, x):
            return self.net_in(x)

        def decode(self, z):
            return self.net_out(z)

        def squared_error(self, x):
            return F.mse_loss(self.decode(self.encode(x)), x, reduction="none").sum(dim=(1, 2, 3))

    return {
        "pca_projector": pca_projector, "ppca_fit": ppca_fit, "ppca_log_prob": ppca_log_prob,
        "ppca_posterior": ppca_posterior, "Autoencoder": Autoencoder,
    }


@alternatives.rewrite("torch.cov, a turned W, the short way through k×k matrices, layers by name")
def short(ref):
    def pca_projector(x, k):
        values, vectors = torch.linalg.eigh(torch.cov(x.T).reshape(x.shape[1], -1))
        kept = vectors[:, values.argsort(descending=True)[:k]]
        return sum(torch.outer(v, v) for v in kept.T)

    def ppca_fit(x, k):
        values, vectors = torch.linalg.eigh(torch.cov(x.T, correction=0))
        values, vectors = values.flip(0), vectors.flip(1)
        sigma2 = values[k:].mean()
        turn = torch.linalg.qr(torch.arange(1, k * k + 1).to(x).reshape(k, k).sin())[0]
        return x.mean(dim=0), vectors[:, :k] @ torch.diag(values[:k] - sigma2).sqrt() @ turn, sigma2

    def ppca_log_prob(x, mean, W, sigma2):
        d, k = W.shape
        M = W.T @ W + sigma2 * torch.eye(k, dtype=W.dtype, device=W.device)
        c = x - mean
        square = (c.square().sum(1) - (c @ W * torch.linalg.solve(M, W.T @ c.T).T).sum(1)) / sigma2
        return -0.5 * (square + torch.logdet(M) + (d - k) * torch.log(sigma2) + d * math.log(2 * math.pi))

    def ppca_posterior(x, mean, W, sigma2):
        M = W.T @ W + sigma2 * torch.eye(W.shape[1], dtype=W.dtype, device=W.device)
        return torch.linalg.solve(M, W.T @ (x - mean).T).T, sigma2 * torch.linalg.inv(M)

    class Autoencoder(nn.Module):
        def __init__(self, shape, hidden, latent):
            super().__init__()
            self.shape, self.n = shape, int(np.prod(shape))
            self.a, self.b = nn.Linear(self.n, hidden), nn.Linear(hidden, latent)
            self.c, self.d = nn.Linear(latent, hidden), nn.Linear(hidden, self.n)

        def encode(self, x):
            return self.b(torch.relu(self.a(x.reshape(x.shape[0], -1))))

        def decode(self, z):
            return torch.sigmoid(self.d(F.relu(self.c(z)))).view(z.shape[0], *self.shape)

        def squared_error(self, x):
            difference = x - self.decode(self.encode(x))
            return torch.einsum("nchw,nchw->n", difference, difference)

    return {
        "pca_projector": pca_projector, "ppca_fit": ppca_fit, "ppca_log_prob": ppca_log_prob,
        "ppca_posterior": ppca_posterior, "Autoencoder": Autoencoder,
    }


@alternatives.rewrite("everything in float64, loops, plain numbers, Bayes' rule at z = 0")
def double(ref):
    def pca_projector(x, k):
        x = x.double()
        vectors = np.linalg.svd((x - x.mean(0)).cpu().numpy(), full_matrices=True)[2][:k].T
        return torch.from_numpy(vectors @ vectors.T).to(x.device)

    def ppca_fit(x, k):
        x = x.double()
        centred = x - x.mean(0)
        S = sum(torch.outer(row, row) for row in centred) / len(x)
        values, vectors = torch.linalg.eigh(S)
        sigma2 = (values.sum() - values[-k:].sum()) / (len(values) - k)
        return x.mean(0), vectors[:, -k:] * torch.sqrt(values[-k:] - sigma2), float(sigma2)

    def ppca_log_prob(x, mean, W, sigma2):
        x, mean, W, sigma2 = (value.double() for value in (x, mean, W, sigma2))
        at, cov = ppca_posterior(x, mean, W, sigma2)
        z = torch.zeros_like(at)
        likelihood = torch.distributions.Normal(mean, sigma2.sqrt()).log_prob(x).sum(1)
        prior = torch.distributions.Normal(0, 1).log_prob(z).sum(1)
        cov = (cov + cov.T) / 2
        return likelihood + prior - torch.distributions.MultivariateNormal(at, cov).log_prob(z)

    def ppca_posterior(x, mean, W, sigma2):
        x, mean, W, sigma2 = (value.double() for value in (x, mean, W, sigma2))
        cov = torch.inverse(torch.eye(W.size(1), device=W.device) + (W.T @ W) / sigma2)
        return torch.stack([cov @ (W.T @ (row - mean)) / sigma2 for row in x]), cov

    class Autoencoder(ref.Autoencoder):
        def squared_error(self, x):
            return torch.stack([torch.linalg.vector_norm(image - drawn) ** 2 for image, drawn in zip(x, self.decode(self.encode(x)))])

    return {
        "pca_projector": pca_projector, "ppca_fit": ppca_fit, "ppca_log_prob": ppca_log_prob,
        "ppca_posterior": ppca_posterior, "Autoencoder": Autoencoder,
    }


@alternatives.rewrite("the N×N matrix of products, `pca_lowrank` of full rank, layers in a ModuleList, the decoder's first")
def other_size(ref):
    def pca_projector(x, k):
        centred = x - x.mean(0)
        values, vectors = torch.linalg.eigh(centred @ centred.T)
        axes = centred.T @ vectors[:, -k:] / values[-k:].sqrt()
        return axes @ axes.T

    def ppca_fit(x, k):
        torch.manual_seed(0)
        _, values, axes = torch.pca_lowrank(x, q=min(x.shape))
        variances = values.square() / len(x)
        sigma2 = variances[k:].sum() / (x.shape[1] - k)
        return x.mean(0), axes[:, :k] * (variances[:k] - sigma2).sqrt(), sigma2.item()

    class Autoencoder(nn.Module):
        def __init__(self, shape, hidden, latent):
            super().__init__()
            self.shape, pixels = shape, math.prod(shape)
            self.layers = nn.ModuleList([nn.Linear(*sizes) for sizes in ((hidden, pixels), (latent, hidden), (hidden, latent), (pixels, hidden))])

        def encode(self, x):
            return self.layers[2](self.layers[3](x.view(len(x), -1)).clamp(min=0))

        def decode(self, z):
            return self.layers[0](self.layers[1](z).relu()).sigmoid().unflatten(1, self.shape)

        def squared_error(self, x):
            return (x - self.decode(self.encode(x))).pow(2).sum(dim=[1, 2, 3])

    return {"pca_projector": pca_projector, "ppca_fit": ppca_fit, "Autoencoder": Autoencoder}


@alternatives.rewrite("Cholesky and slogdet, N×N products where examples are few, an information filter")
def other_algebra(ref):
    def pca_projector(x, k):
        centred = x - x.mean(0)
        vectors = torch.linalg.eigh(centred.T @ centred / (len(x) - 1))[1].fliplr()[:, :k]
        return vectors @ torch.linalg.pinv(vectors)

    def ppca_fit(x, k):
        mean = torch.mean(x, 0, keepdim=True)
        S = (x - mean).T.matmul(x - mean).div(x.shape[0])
        values, vectors = torch.linalg.eigh(S)
        kept = values.argsort()[-k:]
        sigma2 = (torch.trace(S) - values[kept].sum()) / (S.shape[0] - k)
        return mean[0], -vectors[:, kept] * (values[kept] - sigma2) ** 0.5, sigma2

    def ppca_log_prob(x, mean, W, sigma2):
        cov = W @ W.T + torch.diag(sigma2.expand(len(mean)))
        white = torch.linalg.solve_triangular(torch.linalg.cholesky(cov), (x - mean).T, upper=False)
        return -0.5 * (white.square().sum(0) + torch.linalg.slogdet(cov)[1] + len(mean) * math.log(2 * math.pi))

    def ppca_posterior(x, mean, W, sigma2):
        factor = torch.linalg.cholesky(torch.eye(W.shape[-1], dtype=W.dtype, device=W.device) + W.T @ W / sigma2)
        return torch.cholesky_solve(((x - mean) @ W / sigma2).T, factor).T, torch.cholesky_inverse(factor)

    return {
        "pca_projector": pca_projector, "ppca_fit": ppca_fit, "ppca_log_prob": ppca_log_prob, "ppca_posterior": ppca_posterior,
    }
