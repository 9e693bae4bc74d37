"""Other right versions of the answers to question 9."""

import itertools
import math

import torch

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("entropies, a symmetric root, masks, sorted neighbours, ranks, a ring")
def other_algebra(ref):
    def inception_score(logits):
        p = logits.double().softmax(1)
        q = p.mean(0)
        return torch.exp(torch.special.entr(q).sum() - torch.special.entr(p).sum(1).mean())

    def root_of(cov):
        values, vectors = torch.linalg.eigh(cov)
        return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T

    def frechet_distance(x, z):
        x, z = x.double(), z.double()
        a, b = x - x.mean(0), z - z.mean(0)
        cov_x, cov_z = a.T @ a / (len(a) - 1), b.T @ b / (len(b) - 1)
        root = root_of(cov_x)
        return torch.sum((x.mean(0) - z.mean(0)) ** 2) + torch.trace(cov_x + cov_z - 2 * root_of(root @ cov_z @ root))

    def kernel_distance(x, z, kernel=ref.cubic_kernel):
        x, z = x.double(), z.double()
        off_x, off_z = (~torch.eye(len(p), dtype=torch.bool, device=p.device) for p in (x, z))
        return kernel(x, x)[off_x].mean() + kernel(z, z)[off_z].mean() - 2 * kernel(x, z).mean()

    def ball_scores(x, z, k):
        def radii(points):
            table = (points[:, None] - points).square().sum(-1)
            table.fill_diagonal_(math.inf)
            return table.sort(1).values[:, k - 1]

        x, z = x.double(), z.double()
        table = (z[:, None] - x).square().sum(-1)
        in_x, in_z = table <= radii(x), table <= radii(z)[:, None]
        return in_x.any(1).double().mean(), in_z.any(0).double().mean(), in_x.double().mean() * len(x) / k, in_x.any(0).double().mean()

    def copying_score(train, held_out, z):
        near_held, near_fake = ((points.double()[:, None] - train.double()).square().sum(-1).amin(1) for points in (held_out, z))
        order = near_held.sort().values
        below = torch.searchsorted(order, near_fake), torch.searchsorted(order, near_fake, right=True)
        return 1 - (below[0] + below[1]).double().mean() / (2 * len(order))

    def impostor(mean, cov, n):
        d = len(mean)
        if d == 2:
            angle = 2 * math.pi * torch.arange(n, device=mean.device) / n
            white = math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], 1)
        else:
            corners = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=d)), device=mean.device)
            if n % len(corners):   # pairs of opposite points on the axes instead
                corners = math.sqrt(d) * torch.cat([torch.eye(d), -torch.eye(d)]).to(mean.device)
            white = corners.repeat(n // len(corners), 1)
        return mean + white.double() @ root_of(cov.double())

    return {
        "inception_score": inception_score, "frechet_distance": frechet_distance, "kernel_distance": kernel_distance,
        "ball_scores": ball_scores, "copying_score": copying_score, "impostor": impostor,
    }


@alternatives.rewrite("loops over pictures and pairs, a nuclear norm, lists for tuples, eigenvectors in whitened random points")
def loops(ref):
    def inception_score(logits):
        p = torch.nn.functional.softmax(logits.to(torch.float64), dim=-1)
        marginal = sum(p) / len(p)
        divergences = []
        for row in p:
            kept = row > 0
            divergences.append((row[kept] * (row[kept].log() - marginal[kept].log())).sum())
        return torch.stack(divergences).mean().exp()

    def frechet_distance(x, z):
        mean, root = [], []
        for points in (x.double(), z.double()):
            mean.append(points.mean(0))
            root.append(torch.linalg.qr(points - mean[-1]).R / math.sqrt(len(points) - 1))
        overlap = torch.linalg.matrix_norm(root[0] @ root[1].T, "nuc")
        return ((mean[0] - mean[1]) ** 2).sum() + (root[0] ** 2).sum() + (root[1] ** 2).sum() - 2 * overlap

    def kernel_distance(x, z, kernel=ref.cubic_kernel):
        x, z = x.double(), z.double()

        def within(points):
            pairs = [kernel(points[i : i + 1], torch.cat([points[:i], points[i + 1 :]])) for i in range(len(points))]
            return torch.cat(pairs, 1).mean()

        across = torch.stack([kernel(x, one[None]).mean() for one in z]).mean()
        return within(x) + within(z) - 2 * across

    def ball_scores(x, z, k):
        def radius(points, i):
            others = torch.cat([points[:i], points[i + 1 :]])
            return (others - points[i]).norm(dim=1).sort().values[k - 1]

        x, z = x.double(), z.double()
        real = torch.stack([(z - x[i]).norm(dim=1) <= radius(x, i) for i in range(len(x))])
        fake = torch.stack([(x - z[j]).norm(dim=1) <= radius(z, j) for j in range(len(z))])
        share = [real.any(0), fake.any(0), real.any(1)]
        precision, recall, coverage = (each.sum() / each.numel() for each in share)
        return [precision.double(), recall.double(), real.sum().double() / (k * len(z)), coverage.double()]

    def copying_score(train, held_out, z):
        def nearest(point):
            return (train.double() - point.double()).norm(dim=1).min()

        held = torch.stack([nearest(point) for point in held_out])
        return torch.stack([((held - nearest(point)).sign().mean() + 1) / 2 for point in z]).mean()

    def impostor(mean, cov, n):
        d = len(mean)
        values, vectors = torch.linalg.eigh(cov)
        stretch = vectors * values.sqrt()
        points = []
        for i in range(d):
            for sign in (1, -1):
                points += [mean + sign * math.sqrt(d) * stretch[:, i]] * (n // (2 * d))
        return torch.stack(points)

    return {
        "inception_score": inception_score, "frechet_distance": frechet_distance, "kernel_distance": kernel_distance,
        "ball_scores": ball_scores, "copying_score": copying_score, "impostor": impostor,
    }


@alternatives.rewrite("log-softmax, SciPy's matrix root, einsum, topk, Mann and Whitney's count, points drawn at random and made symmetric and white")
def libraries(ref):
    def inception_score(logits):
        log_p = logits.double().log_softmax(1)
        log_q = log_p.logsumexp(0) - math.log(len(log_p))
        return (log_p.exp() * (log_p - log_q).nan_to_num(nan=0.0, neginf=0.0)).sum(1).mean().exp()

    def frechet_distance(x, z):
        from scipy.linalg import sqrtm

        def facts(points):
            centred = points.double() - points.double().mean(0)
            return points.double().mean(0), torch.einsum("ni,nj->ij", centred, centred) / (len(points) - 1)

        (mean_x, cov_x), (mean_z, cov_z) = facts(x), facts(z)
        values, vectors = torch.linalg.eigh(cov_x)
        half = torch.einsum("ik,k,jk->ij", vectors, values.clamp(min=0).sqrt(), vectors)
        inner = (half @ cov_z @ half).cpu().numpy()
        overlap = torch.as_tensor(sqrtm((inner + inner.T) / 2).real.trace(), device=x.device)
        return (mean_x - mean_z).square().sum() + torch.einsum("ii->", cov_x + cov_z) - 2 * overlap

    def kernel_distance(x, z, kernel=ref.cubic_kernel):
        both, n = torch.cat([x, z]).double(), len(x)
        weights = torch.cat([torch.full((n,), 1.0 / n, dtype=torch.float64), torch.full((len(z),), -1.0 / len(z), dtype=torch.float64)]).to(both)
        table = kernel(both, both)
        same = torch.eye(len(both), dtype=torch.bool, device=x.device)
        factors = torch.outer(weights, weights)
        factors[:n, :n] *= n / (n - 1)
        factors[n:, n:] *= len(z) / (len(z) - 1)
        return (table * factors.masked_fill(same, 0.0)).sum()

    def ball_scores(x, z, k):
        x, z = x.to(torch.float64), z.to(torch.float64)
        exact = "donot_use_mm_for_euclid_dist"
        table = torch.cdist(x, z, compute_mode=exact)
        radius_x = torch.cdist(x, x, compute_mode=exact).topk(k + 1, largest=False).values[:, -1:]
        radius_z = torch.cdist(z, z, compute_mode=exact).topk(k + 1, largest=False).values[:, -1]
        precision = (table <= radius_x).any(dim=0).to(torch.float64).mean()
        recall = (table <= radius_z).any(dim=1).to(torch.float64).mean()
        density = (1 / k) * (table <= radius_x).sum(dim=0).to(torch.float64).mean()
        coverage = (table.min(dim=1).values <= radius_x[:, 0]).to(torch.float64).mean()
        return torch.stack([precision, recall, density, coverage])

    def copying_score(train, held_out, z):
        from scipy.stats import mannwhitneyu

        exact = "donot_use_mm_for_euclid_dist"
        held, fake = (torch.cdist(p.double(), train.double(), compute_mode=exact).min(dim=1).values.cpu().numpy() for p in (held_out, z))
        return torch.tensor(mannwhitneyu(held, fake, method="asymptotic").statistic / (len(held) * len(fake)), device=z.device)

    def impostor(mean, cov, n):
        d = len(mean)
        draws = torch.randn(n // 2, d, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(mean.device)
        draws = draws.sign() if d == 1 else math.sqrt(d) * draws / draws.norm(dim=1, keepdim=True)
        both = torch.cat([draws, -draws])
        second = both.T @ both / len(both)
        white = torch.linalg.solve(torch.linalg.cholesky(second), both.T).T
        return (mean.double() + white @ torch.linalg.cholesky(cov.double()).T).float()

    return {
        "inception_score": inception_score, "frechet_distance": frechet_distance, "kernel_distance": kernel_distance,
        "ball_scores": ball_scores, "copying_score": copying_score, "impostor": impostor,
    }
