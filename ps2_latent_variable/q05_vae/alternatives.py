"""Other right versions of the answers to question 5."""

import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.nn import functional as F

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

alternatives.at(
    "return self.encoder(x).chunk(2, dim=1)",
    edit("slices", "slices with the size of the latent",
         "out = self.encoder(x); return out[..., : self.latent_dim], out[..., self.latent_dim :]"),
    edit("split_as_list", "`split`, and a list instead of a tuple", "return list(self.encoder(x).split(self.latent_dim, dim=-1))"),
    edit("reshaped", "a new axis of two", "mean, logvar = self.encoder(x).reshape(len(x), 2, -1).unbind(1); return mean, logvar"),
    edit("layer_by_layer", "one layer after the other",
         "for layer in self.encoder: x = layer(x)\n        k = x.shape[1] // 2; return x[:, :k], x[:, k:]"),
)

alternatives.at(
    "return self.decoder(z)",
    edit("flat_decoder", "flattened and shaped back", "return self.decoder(z.reshape(-1, z.shape[-1])).reshape(*z.shape[:-1], -1)"),
)


@alternatives.rewrite("torch.distributions for everything")
def distributions(ref):
    def elbo_terms(model, x, eps):
        mean, logvar = model.encode(x)
        q = Independent(Normal(mean, torch.exp(logvar / 2)), 1)
        z = q.base_dist.loc + q.base_dist.scale * eps
        p = Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
        log_likelihood = Independent(Bernoulli(logits=model.decode(z)), 1).log_prob(x)
        kl = kl_divergence(q, p)
        return log_likelihood - kl, log_likelihood, kl

    def aggregate_moments(mean, logvar):
        centre = mean.mean(0)
        within = torch.diag_embed(torch.exp(logvar)).mean(0)
        second = torch.einsum("ni,nj->ij", mean, mean) / mean.shape[0]
        return centre, second + within - torch.outer(centre, centre)

    return {"elbo_terms": elbo_terms, "aggregate_moments": aggregate_moments}


@alternatives.rewrite("float64 inside, a loop over images; losses as floats in a list, gradients reset after the step")
def loops(ref):
    def elbo_terms(model, x, eps):
        rows = []
        for i in range(len(x)):
            mean, logvar = model.encode(x[i : i + 1])
            logits = model.decode(mean + torch.sqrt(torch.exp(logvar)) * eps[i : i + 1]).double()
            pixels = x[i].double() * F.logsigmoid(logits) + (1 - x[i].double()) * F.logsigmoid(-logits)
            kl = 0.5 * (mean.double() ** 2 + logvar.double().exp() - logvar.double() - 1).sum()
            rows.append(torch.stack([pixels.sum() - kl, pixels.sum(), kl]))
        return tuple(torch.stack(rows).T)

    def aggregate_moments(mean, logvar):
        n, k = mean.shape
        m, C = torch.zeros(k).to(mean), torch.zeros(k, k).to(mean)
        for one in mean:
            m = m + one / n
        for one, lv in zip(mean, logvar):
            C = C + (torch.outer(one - m, one - m) + torch.diag(lv.exp())) / n
        return m, C

    def train(model, loss, x, steps, batch_size, lr, generator):
        mode = model.training
        model.train()
        adam = torch.optim.Adam(model.parameters(), lr)
        losses, done = [], 0
        while done < steps:
            order = torch.randperm(len(x), generator=generator, device=generator.device).to(x.device)
            for start in range(0, len(x), batch_size):
                if done == steps:
                    break
                now = loss(model, x[order[start : start + batch_size]], generator)
                now.backward()
                adam.step()
                adam.zero_grad()
                losses.append(now.item())
                done += 1
        if not mode:
            model.eval()
        return torch.tensor(losses)

    return {"elbo_terms": elbo_terms, "aggregate_moments": aggregate_moments, "train": train}


@alternatives.rewrite("all permutations drawn in advance; a history filled in place; torch.cov")
def in_advance(ref):
    def aggregate_moments(mean, logvar):
        between = torch.cov(mean.T, correction=0).reshape(mean.shape[1], mean.shape[1])
        return mean.mean(dim=0), between + logvar.exp().mean(dim=0).diag()

    def train(model, loss, x, steps, batch_size, lr, generator):
        modes = {module: module.training for module in model.modules()}
        model.train(True)
        per_pass = -(-len(x) // batch_size)
        batches = []
        for _ in range(-(-steps // per_pass)):
            order = torch.randperm(len(x), generator=generator, device=generator.device).to(x.device)
            batches += list(x[order].split(batch_size))
        optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)
        history = torch.zeros(steps, device=x.device)
        for step in range(steps):
            optimizer.zero_grad(set_to_none=True)
            value = loss(model, batches[step], generator)
            value.backward()
            optimizer.step()
            with torch.no_grad():
                history[step] = value
        for module, flag in modes.items():
            module.training = flag
        return history

    return {"aggregate_moments": aggregate_moments, "train": train}


@alternatives.rewrite("Adam written by hand; the mixture's covariance from centred second moments in float64")
def by_hand(ref):
    def aggregate_moments(mean, logvar):
        m = mean.double().mean(0)
        second = mean.double()[:, :, None] * mean.double()[:, None, :] + torch.diag_embed(logvar.double().exp())
        return m.to(mean.dtype), (second.mean(0) - m[:, None] * m[None, :]).to(mean.dtype)

    def train(model, loss, x, steps, batch_size, lr, generator):
        was = model.training
        model.train()
        state, history, order = {}, [], []
        for _ in range(steps):
            if not len(order):
                order = torch.randperm(len(x), generator=generator, device=generator.device).to(x.device)
            index, order = order[:batch_size], order[batch_size:]
            value = loss(model, x[index], generator)
            params = [p for p in model.parameters() if p.requires_grad]
            grads = torch.autograd.grad(value, params, allow_unused=True)
            with torch.no_grad():
                for p, g in zip(params, grads):
                    if g is None:
                        continue
                    m, v, t = state.get(p, (torch.zeros_like(p), torch.zeros_like(p), 0))
                    m, v, t = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g, t + 1
                    state[p] = m, v, t
                    p -= lr * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
            history.append(value.detach().clone())
        model.train(was)
        return torch.stack(history)

    return {"aggregate_moments": aggregate_moments, "train": train}


@alternatives.rewrite("another `VAE`: networks of the same names in functions of their own; elbo by binary cross-entropy")
def other_class(ref):
    class VAE(nn.Module):
        def __init__(self, data_dim, latent_dim, hidden):
            super().__init__()
            self.latent_dim = latent_dim
            for name, sizes in (
                ("encoder", (data_dim, hidden, hidden, 2 * latent_dim)), ("decoder", (latent_dim, hidden, hidden, data_dim))
            ):
                layers = []
                for i in range(3):
                    layers += [nn.Linear(sizes[i], sizes[i + 1]), nn.SiLU()]
                setattr(self, name, nn.Sequential(*layers[:-1]))

        def encode(self, x):
            mean, logvar = torch.tensor_split(self.encoder(x), 2, dim=-1)
            return mean, logvar

        def decode(self, z):
            return self.decoder(z)

    def elbo_terms(model, x, eps):
        mu, logvar = model.encode(x)
        z = torch.addcmul(mu, torch.exp(0.5 * logvar), eps)
        nll = F.binary_cross_entropy_with_logits(model.decode(z), x, reduction="none").sum(dim=-1)
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)
        return -nll - kl, -nll, kl

    return {"VAE": VAE, "elbo_terms": elbo_terms}
