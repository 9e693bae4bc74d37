"""Other right versions of the answers to question 10."""

import math

import torch
from torch.distributions import Independent, Normal
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("torch.distributions; the level by the sigmoid; windows by loops with clipped indices; distances by broadcasting")
def distributions(ref):
    def optimal_denoiser(x_t, alpha_bar_t, images):
        x, y = x_t.flatten(1), images.flatten(1)
        law = Independent(Normal(alpha_bar_t.sqrt() * y, (1 - alpha_bar_t).sqrt(), validate_args=False), 1)
        log_joint = law.log_prob(x[:, None])
        weights = (log_joint - log_joint.logsumexp(1, keepdim=True)).exp()
        return (weights[:, :, None] * y).sum(1).view_as(x_t), weights

    def decision_level(square_distance, odds):
        ratio = math.log(odds) / (square_distance / 2)
        return ratio / (1 + ratio)

    def local_denoiser(x_t, alpha_bar_t, images, size):
        n, c, h, w = x_t.shape
        pixels = []
        for i in range(h):
            for j in range(w):
                top, left = max(0, i - (size - 1) // 2), max(0, j - (size - 1) // 2)
                bottom, right = min(h, i + size // 2 + 1), min(w, j + size // 2 + 1)
                part, _ = ref.optimal_denoiser(x_t[:, :, top:bottom, left:right], alpha_bar_t, images[:, :, top:bottom, left:right])
                pixels.append(part[:, :, i - top, j - left])
        return torch.stack(pixels, -1).reshape(n, c, h, w)

    def nearest(samples, images, ratio=1 / 3):
        distances = (samples.flatten(1)[:, None] - images.flatten(1)).square().sum(-1).sqrt()
        ordered = distances.sort(dim=1).values
        return ordered[:, 0], ordered[:, 0] / ordered[:, 1] < ratio

    return {"optimal_denoiser": optimal_denoiser, "decision_level": decision_level, "local_denoiser": local_denoiser, "nearest": nearest}


@alternatives.rewrite("windows by unfold, padded with zeros on both sides; log-sum-exp written out; kthvalue")
def unfolded(ref):
    def optimal_denoiser(x_t, alpha_bar_t, images):
        shape = x_t.shape
        x, y = x_t.reshape(shape[0], -1), images.reshape(len(images), -1)
        square = x.square().sum(1, keepdim=True) + alpha_bar_t * y.square().sum(1) - 2 * alpha_bar_t.sqrt() * x @ y.T
        exponents = -0.5 * square / (1 - alpha_bar_t)
        exponents = exponents - exponents.max(1, keepdim=True).values
        weights = exponents.exp() / exponents.exp().sum(1, keepdim=True)
        return torch.einsum("nm,md->nd", weights, y).reshape(shape), weights

    def decision_level(square_distance, odds):
        return 1 / (1 + square_distance / (2 * math.log(odds)))

    def local_denoiser(x_t, alpha_bar_t, images, size):
        n, c, h, w = x_t.shape
        mine = F.unfold(x_t, size, padding=size // 2)
        theirs = F.unfold(images, size, padding=size // 2)
        square = (mine[:, None] - alpha_bar_t**0.5 * theirs).square().sum(2)
        weights = torch.softmax(-square / (2 * (1 - alpha_bar_t)), 1)
        return torch.einsum("nml,mcl->ncl", weights, images.flatten(2)).reshape(n, c, h, w)

    def nearest(samples, images, ratio=1 / 3):
        distances = torch.stack([(sample - images).flatten(1).norm(dim=1) for sample in samples])
        first, second = distances.kthvalue(1, dim=1).values, distances.kthvalue(2, dim=1).values
        return first, torch.lt(first, second * ratio)

    return {"optimal_denoiser": optimal_denoiser, "decision_level": decision_level, "local_denoiser": local_denoiser, "nearest": nearest}


@alternatives.rewrite("one picture at a time; float64 inside; masks in place of windows")
def loops(ref):
    def optimal_denoiser(x_t, alpha_bar_t, images):
        pictures, rows = [], []
        a = float(alpha_bar_t)
        for x in x_t.double():
            exponents = torch.stack([-((x - math.sqrt(a) * y) ** 2).sum() / (2 * (1 - a)) for y in images.double()])
            weights = torch.softmax(exponents, 0)
            pictures.append(sum(w * y for w, y in zip(weights, images.double())))
            rows.append(weights)
        return torch.stack(pictures).to(x_t.dtype), torch.stack(rows).to(x_t.dtype)

    def decision_level(square_distance, odds):
        log_ratio = torch.log(square_distance.double()) - math.log(2 * math.log(odds))
        return torch.sigmoid(-log_ratio).to(square_distance.dtype)

    def local_denoiser(x_t, alpha_bar_t, images, size):
        h, w = x_t.shape[2:]
        result = torch.zeros_like(x_t)
        row, column = torch.meshgrid(torch.arange(h, device=x_t.device), torch.arange(w, device=x_t.device), indexing="ij")
        for i in range(h):
            for j in range(w):
                inside = ((row - i).abs() <= size // 2) & ((column - j).abs() <= size // 2)
                mean, _ = ref.optimal_denoiser(x_t * inside, alpha_bar_t, images * inside)
                result[:, :, i, j] = mean[:, :, i, j]
        return result

    def nearest(samples, images, ratio=1 / 3):
        distances, copies = [], []
        for sample in samples:
            two = torch.linalg.vector_norm((images - sample).flatten(1), dim=1).sort().values[:2]
            distances.append(two[0])
            copies.append(bool(two[0] < ratio * two[1]))
        return torch.stack(distances), torch.tensor(copies, device=samples.device)

    return {"optimal_denoiser": optimal_denoiser, "decision_level": decision_level, "local_denoiser": local_denoiser, "nearest": nearest}


@alternatives.rewrite("distances by cdist; each window's own softmax; lists of pixels")
def by_cdist(ref):
    def optimal_denoiser(x_t, alpha_bar_t, images):
        distances = torch.cdist(x_t.flatten(1), alpha_bar_t.sqrt() * images.flatten(1), compute_mode="donot_use_mm_for_euclid_dist")
        weights = F.softmax(-distances.pow(2) / 2 / (1 - alpha_bar_t), dim=-1)
        return torch.tensordot(weights, images, 1), weights

    def decision_level(square_distance, odds):
        return 2 * math.log(odds) / (2 * math.log(odds) + square_distance)

    def local_denoiser(x_t, alpha_bar_t, images, size):
        half = (size - 1) // 2
        rows = []
        for i in range(x_t.size(2)):
            row = []
            for j in range(x_t.size(3)):
                window = (..., slice(max(i - half, 0), min(i + half + 1, x_t.size(2))), slice(max(j - half, 0), min(j + half + 1, x_t.size(3))))
                gap = torch.cdist(x_t[window].flatten(1), alpha_bar_t.sqrt() * images[window].flatten(1), compute_mode="donot_use_mm_for_euclid_dist")
                row.append(F.softmax(-gap.square() / (2 - 2 * alpha_bar_t), 1) @ images[:, :, i, j])
            rows.append(torch.stack(row, -1))
        return torch.stack(rows, -2)

    def nearest(samples, images, ratio=1 / 3):
        gaps = torch.cdist(samples.flatten(1).double(), images.flatten(1).double(), compute_mode="donot_use_mm_for_euclid_dist")
        first = gaps.min(1)
        others = gaps.scatter(1, first.indices[:, None], torch.inf).min(1).values
        return first.values.to(samples.dtype), first.values < ratio * others

    return {"optimal_denoiser": optimal_denoiser, "decision_level": decision_level, "local_denoiser": local_denoiser, "nearest": nearest}
