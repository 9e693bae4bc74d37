"""Other right versions of the answers to question 7."""

import torch
from torch.distributions import Independent, Normal

from autograder.probes import Alternatives

alternatives = Alternatives()


def columns(path, t, x):
    """(α, β, α', β') as (N, 1)."""
    return [torch.broadcast_to(value, x.shape[:1]).unsqueeze(-1) for value in path(t)]


@alternatives.rewrite("torch.distributions: the score and the weights from log-densities; slopes from autograd")
def distributions(ref):
    def diffusion_path(t, schedule=ref.cosine_schedule):
        angle, slope = schedule(1 - t)
        alpha, beta = torch.cos(angle), torch.sin(angle)
        return alpha, beta, beta * slope, -alpha * slope

    def conditional_velocity(x, x1, t, path=ref.straight_path):
        alpha, beta, d_alpha, d_beta = columns(path, t, x)
        score = -(x - alpha * x1) / beta.square()
        return d_alpha * x1 - d_beta * beta * score, score

    def cfm_loss(model, x1, x0, t, path=ref.straight_path):
        alpha, beta, d_alpha, d_beta = columns(path, t, x1)
        return ((model(alpha * x1 + beta * x0, t) - d_alpha * x1 - d_beta * x0) ** 2).sum(dim=-1)

    def marginal_velocity(x, t, points, path=ref.straight_path):
        alpha, beta, d_alpha, d_beta = (value[:, None] for value in columns(path, t, x))
        normal = Independent(Normal(alpha * points, beta, validate_args=False), 1)
        log_weights = normal.log_prob(x[:, None])
        weights = (log_weights - log_weights.logsumexp(1, keepdim=True)).exp()
        every = d_alpha * points + d_beta / beta * (x[:, None] - alpha * points)
        return (weights[..., None] * every).sum(1)

    def gaussian_velocity(x, t, mean, variance, path=ref.straight_path):
        alpha, beta, d_alpha, d_beta = columns(path, t, x)
        total = alpha**2 * variance + beta**2
        x1 = mean + alpha * variance / total * (x - alpha * mean)
        x0 = beta / total * (x - alpha * mean)
        return d_alpha * x1 + d_beta * x0

    return {name: value for name, value in locals().items() if name != "ref"}


@alternatives.rewrite("loops over examples and points, written out")
def loops(ref):
    def diffusion_path(t, schedule=ref.cosine_schedule):
        angle, slope = schedule(1.0 - t)
        alpha = angle.cos()
        beta = angle.sin()
        return [alpha, beta, slope * beta, slope * -alpha]

    def conditional_velocity(x, x1, t, path=ref.straight_path):
        times = t.expand(len(x))
        velocities, scores = [], []
        for place, end, time in zip(x, x1, times):
            alpha, beta, d_alpha, d_beta = path(time)
            velocities.append(d_beta / beta * (place - alpha * end) + d_alpha * end)
            scores.append((alpha * end - place) / beta**2)
        return [torch.stack(velocities), torch.stack(scores)]

    def cfm_loss(model, x1, x0, t, path=ref.straight_path):
        alpha, beta, d_alpha, d_beta = path(t)
        place = torch.einsum("n,nd->nd", alpha, x1) + torch.einsum("n,nd->nd", beta, x0)
        velocity = torch.einsum("n,nd->nd", d_alpha, x1) + torch.einsum("n,nd->nd", d_beta, x0)
        error = model(place, t) - velocity
        return torch.einsum("nd,nd->n", error, error)

    def marginal_velocity(x, t, points, path=ref.straight_path):
        rows = []
        for place, time in zip(x, t.expand(len(x))):
            alpha, beta, d_alpha, d_beta = path(time)
            exponents = torch.stack([-((place - alpha * point) ** 2).sum() / 2 / beta**2 for point in points])
            shares = torch.exp(exponents - exponents.max())
            end = (shares[:, None] * points).sum(0) / shares.sum()
            rows.append(d_alpha * end + d_beta * (place - alpha * end) / beta)
        return torch.stack(rows)

    def gaussian_velocity(x, t, mean, variance, path=ref.straight_path):
        rows = []
        for place, time in zip(x, t.expand(len(x))):
            alpha, beta, d_alpha, d_beta = path(time)
            slope = 2 * alpha * d_alpha * variance + 2 * beta * d_beta
            rows.append(d_alpha * mean + slope / (2 * (alpha**2 * variance + beta**2)) * (place - alpha * mean))
        return torch.stack(rows)

    return {name: value for name, value in locals().items() if name != "ref"}


@alternatives.rewrite("float64 inside; distances by cdist; the mean velocity from every point's own")
def double(ref):
    def diffusion_path(t, schedule=ref.cosine_schedule):
        angle, slope = (value.double() for value in schedule(1 - t))
        return tuple(value.to(t.dtype) for value in (angle.cos(), angle.sin(), slope * angle.sin(), -slope * angle.cos()))

    def conditional_velocity(x, x1, t, path=ref.straight_path):
        alpha, beta, d_alpha, d_beta = (value.double() for value in columns(path, t, x))
        noise = (x.double() - alpha * x1.double()) / beta
        return (d_alpha * x1 + d_beta * noise).to(x.dtype), (-noise / beta).to(x.dtype)

    def cfm_loss(model, x1, x0, t, path=ref.straight_path):
        alpha, beta, d_alpha, d_beta = columns(path, t, x1)
        answer = model(x1 * alpha + x0 * beta, t)
        return (answer.double() - (d_alpha * x1 + d_beta * x0).double()).pow(2).sum(1)

    def marginal_velocity(x, t, points, path=ref.straight_path):
        alpha, beta, _, _ = columns(path, t, x)
        distance = (x.double()[:, None] - alpha[:, None].double() * points.double()).norm(dim=2)
        weights = torch.nn.functional.softmax(-0.5 * (distance / beta.double()) ** 2, dim=1)
        each = [ref.conditional_velocity(x, point.expand_as(x), t, path)[0].double() for point in points]
        return torch.einsum("nm,mnd->nd", weights, torch.stack(each)).to(x.dtype)

    def gaussian_velocity(x, t, mean, variance, path=ref.straight_path):
        alpha, beta, d_alpha, d_beta = (value.double() for value in columns(path, t, x))
        spread = (alpha**2 * variance + beta**2).sqrt()
        d_spread = (alpha * d_alpha * variance + beta * d_beta) / spread
        return (d_alpha * mean + d_spread / spread * (x - alpha * mean)).to(x.dtype)

    return {name: value for name, value in locals().items() if name != "ref"}


@alternatives.rewrite("coefficients of x and x1 collected; weights from inner products; row by row")
def derivatives(ref):
    def diffusion_path(t, schedule=ref.cosine_schedule):
        angle, slope = schedule(1 - t)
        return angle.cos(), angle.sin(), torch.sin(angle) * slope, -torch.cos(angle) * slope

    def conditional_velocity(x, x1, t, path=ref.straight_path):
        alpha, beta, d_alpha, d_beta = columns(path, t, x)
        ratio = d_beta / beta
        return ratio * x + (d_alpha - alpha * ratio) * x1, (alpha * x1 - x) * beta**-2

    def cfm_loss(model, x1, x0, t, path=ref.straight_path):
        a, b, da, db = path(t)
        place = (a * x1.T + b * x0.T).T
        return torch.nn.functional.mse_loss(model(place.detach(), t), (da * x1.T + db * x0.T).T.detach(), reduction="none").sum(1)

    def marginal_velocity(x, t, points, path=ref.straight_path):
        alpha, beta, d_alpha, d_beta = columns(path, t, x)
        logits = (alpha * (x @ points.T) - 0.5 * alpha**2 * points.square().sum(1)) / beta**2
        end = logits.softmax(-1) @ points
        return d_beta / beta * x + (d_alpha - alpha * d_beta / beta) * end

    def gaussian_velocity(x, t, mean, variance, path=ref.straight_path):
        def moments(time):
            alpha, beta, _, _ = path(time)
            return alpha * mean, torch.log(alpha**2 * variance + beta**2) / 2

        def row(place, time):
            alpha, beta, d_alpha, d_beta = path(time)
            centre = alpha * mean
            growth = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2)
            return d_alpha * mean + growth * (place - centre)

        return torch.stack([row(place, time) for place, time in zip(x, t.expand(len(x)))])

    return {name: value for name, value in locals().items() if name != "ref"}
