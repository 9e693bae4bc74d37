"""Other right versions of the answers to question 6."""

import math
from collections import Counter
from itertools import groupby

import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- PatchCritic ----------------------------------------------------------------------------------------------------

alternatives.at(
    "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),",
    edit("one_wide_layer", "one kernel of 10 with stride 4, and ELU", "nn.Conv2d(channels, 32, 10, 4, 3), nn.ELU(), nn.Conv2d(32, 1, 1),"),
    edit("relu", "ReLU, another layer of kernel 1, other widths",
         "nn.Conv2d(channels, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 64, 4, 2, 1), nn.ReLU(), nn.Conv2d(64, 32, 1), nn.ReLU(), nn.Conv2d(32, 1, 1, bias=False),"),
    edit("pooled", "kernels of 3, and means of 2×2 places",
         "nn.Conv2d(channels, 24, 3, padding=1), nn.SiLU(), nn.AvgPool2d(2), nn.Conv2d(24, 48, 3, padding=1), nn.SiLU(), nn.AvgPool2d(2), nn.Conv2d(48, 1, 1),"),
    edit("max_pooled", "kernels of 3, and maxima of 2×2 places",
         "nn.Conv2d(channels, 24, 3, padding=1), nn.LeakyReLU(0.2), nn.MaxPool2d(2), nn.Conv2d(24, 48, 3, padding=1), nn.LeakyReLU(0.2), nn.MaxPool2d(2), nn.Conv2d(48, 1, 1),"),
    edit("reflected", "borders reflected, spectral normalisation, GELU",
         "nn.utils.parametrizations.spectral_norm(nn.Conv2d(channels, 24, 4, 2, 1, padding_mode=\"replicate\")).eval(), nn.GELU(), nn.Conv2d(24, 48, 4, 2, 1, padding_mode=\"replicate\"), nn.GELU(), nn.Conv2d(48, 1, 1),"),
    edit("unfolded", "patches cut out, and a network of each",
         "nn.ZeroPad2d(3), nn.Conv2d(channels, 40, 10, 4), nn.Tanh(), nn.Conv2d(40, 40, 1), nn.Tanh(), nn.Conv2d(40, 1, 1),"),
    edit("stride_late", "stride 1 first, then 2 and 2",
         "nn.Conv2d(channels, 16, 1), nn.LeakyReLU(0.1), nn.Conv2d(16, 24, 4, 2, 1), nn.LeakyReLU(0.1), nn.Conv2d(24, 32, 4, 2, 1), nn.LeakyReLU(0.1), nn.Conv2d(32, 1, 1),"),
)


@alternatives.rewrite("patches by unfold and a linear network, whose features are normalised at each place")
def by_unfold(ref):
    class PatchCritic(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.first, self.norm, self.last = nn.Linear(channels * 100, 48), nn.LayerNorm(48), nn.Linear(48, 1)

        def forward(self, x):
            n, _, height, width = x.shape
            patches = F.unfold(x, 10, padding=3, stride=4).transpose(1, 2)
            return self.last(F.leaky_relu(self.norm(self.first(patches)), 0.2)).reshape(n, height // 4, width // 4, 1).permute(0, 3, 1, 2)

    return {"PatchCritic": PatchCritic}


# --- paired_loss ----------------------------------------------------------------------------------------------------

alternatives.at(
    """
    hole = torch.ones_like(y[:, :1]) if hole is None else hole
    verdict = loss_as_real(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1)))
    return verdict + weight * (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1])
    """,
    edit("selected", "by selection, where the hole is",
         """
         if hole is None:
             shown, error = fake, F.l1_loss(fake, y)
         else:
             inside = (hole > 0.5).expand_as(y)
             shown = torch.where(inside, fake, y)
             error = F.l1_loss(fake[inside], y[inside])
         return F.softplus(-critic(torch.cat((x, shown), dim=1))).mean() + weight * error
         """),
    edit("bce", "binary cross-entropy with logits, and the mean over the pasted picture made larger",
         """
         share = 1.0 if hole is None else hole.mean()
         pasted = fake if hole is None else y + hole * (fake - y)
         logits = critic(torch.cat([x, pasted], 1))
         return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits)) + weight * (pasted - y).abs().mean() / share
         """),
    edit("looped", "picture by picture",
         """
         total, count, shown = 0, 0, []
         for k in range(len(y)):
             area = torch.ones_like(y[k]) if hole is None else hole[k].expand_as(y[k])
             total = total + torch.sum(area * torch.abs(y[k] - fake[k]))
             count = count + area.sum()
             shown.append(area * fake[k] + (1 - area) * y[k])
         logits = critic(torch.concat([x, torch.stack(shown)], dim=1))
         return weight * total / count - F.logsigmoid(logits).mean()
         """),
    edit("einsum", "einsum, in float64",
         """
         area = torch.ones_like(y[:, 0]) if hole is None else hole[:, 0]
         error = torch.einsum("nhw,nchw->", area.double(), (fake - y).abs().double()) / (area.double().sum() * y.size(1))
         shown = torch.lerp(y, fake, area[:, None].expand_as(y))
         verdict = torch.logaddexp(torch.zeros_like(logits := critic(torch.cat([x, shown], 1))), -logits).mean()
         return verdict + (weight * error).to(y.dtype)
         """),
)

# --- cycle_losses ---------------------------------------------------------------------------------------------------

alternatives.at(
    """
    cycle = (h(g(x)) - x).abs().mean() + (g(h(y)) - y).abs().mean()
    return cycle, (g(y) - y).abs().mean() + (h(x) - x).abs().mean()
    """,
    edit("library", "F.l1_loss, fakes first",
         """
         fake_y, fake_x = g(x), h(y)
         cycle = F.l1_loss(h(fake_y), x) + F.l1_loss(g(fake_x), y)
         identity = F.l1_loss(g(y), y) + F.l1_loss(h(x), x)
         return [cycle, identity]
         """),
    edit("batched", "one call of each network for two things",
         """
         n = len(x)
         both_y = g(torch.cat([x, y]))
         both_x = h(torch.cat([x, y]))
         identity = (both_y[n:] - y).abs().mean() + (both_x[:n] - x).abs().mean()
         back_x, back_y = h(both_y[:n]), g(both_x[n:])
         return (x - back_x).abs().mean() + (y - back_y).abs().mean(), identity
         """),
    edit("loop", "a loop over the two directions",
         """
         cycle = identity = 0
         for there, back, source in ((g, h, x), (h, g, y)):
             cycle = cycle + torch.mean(torch.abs(back(there(source)) - source))
             identity = identity + torch.mean(torch.abs(back(source) - source))
         return cycle, identity
         """),
    edit("by_picture", "sums, divided by how many numbers there are",
         """
         def error(a, b):
             return torch.linalg.vector_norm((a - b).flatten(), ord=1) / b.numel()

         return error(h(g(x)), x) + error(g(h(y)), y), error(g(y), y) + error(h(x), x)
         """),
)

# --- CycleTrainer ---------------------------------------------------------------------------------------------------

alternatives.at(
    """
    self.generators = torch.optim.Adam([*g.parameters(), *h.parameters()], lr, betas=(0.5, 0.9))
    self.critics = torch.optim.Adam([*critic_x.parameters(), *critic_y.parameters()], lr, betas=(0.5, 0.9))
    """,
    edit("groups", "a group for each network",
         """
         settings = dict(lr=lr, betas=(0.5, 0.9))
         self.generators = torch.optim.Adam([{"params": g.parameters()}, {"params": h.parameters()}], **settings)
         self.critics = torch.optim.Adam([{"params": list(critic_y.parameters())}, {"params": list(critic_x.parameters())}], **settings)
         """),
    edit("chained", "itertools.chain, and module lists",
         """
         import itertools

         self.generators = torch.optim.Adam(itertools.chain(h.parameters(), g.parameters()), lr=lr, betas=(0.5, 0.9))
         self.critics = torch.optim.Adam(nn.ModuleList([critic_x, critic_y]).parameters(), lr=lr, betas=(0.5, 0.9), foreach=False)
         """),
)

alternatives.at(
    """
    fake_y, fake_x = self.g(x), self.h(y)
    cycle, identity = cycle_losses(self.g, self.h, x, y)
    loss = loss_as_real(self.critic_y(fake_y)) + loss_as_real(self.critic_x(fake_x))
    self.generators.zero_grad()
    (loss + self.cycle_weight * cycle + self.identity_weight * identity).backward()
    self.generators.step()
    loss_x = loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(self.pool_x(fake_x.detach())))
    loss_y = loss_as_real(self.critic_y(y)) + loss_as_fake(self.critic_y(self.pool_y(fake_y.detach())))
    self.critics.zero_grad()
    (loss_x + loss_y).backward()
    self.critics.step()
    """,
    edit("frozen", "critics frozen meanwhile, losses by hand, no second translation",
         """
         judges = [*self.critic_x.parameters(), *self.critic_y.parameters()]
         for each in judges:
             each.requires_grad_(False)
         fake_y, fake_x = self.g(x), self.h(y)
         loss = F.softplus(-self.critic_y(fake_y)).mean() + F.softplus(-self.critic_x(fake_x)).mean()
         loss = loss + self.cycle_weight * (F.l1_loss(self.h(fake_y), x) + F.l1_loss(self.g(fake_x), y))
         loss = loss + self.identity_weight * (F.l1_loss(self.g(y), y) + F.l1_loss(self.h(x), x))
         self.generators.zero_grad(set_to_none=True)
         loss.backward()
         self.generators.step()
         for each in judges:
             each.requires_grad_(True)
         self.critics.zero_grad(set_to_none=True)
         for critic, real, fake, pool in ((self.critic_y, y, fake_y, self.pool_y), (self.critic_x, x, fake_x, self.pool_x)):
             (loss_as_real(critic(real)) + loss_as_fake(critic(pool(fake.detach())))).backward()
         self.critics.step()
         """),
    edit("before_both", "gradients of both losses first, then the two steps",
         """
         fake_y, fake_x = self.g(x), self.h(y)
         cycle, identity = cycle_losses(self.g, self.h, x, y)
         first = loss_as_real(self.critic_y(fake_y)) + loss_as_real(self.critic_x(fake_x)) + self.cycle_weight * cycle + self.identity_weight * identity
         old_y, old_x = self.pool_y(fake_y.detach()), self.pool_x(fake_x.detach())
         second = sum(loss_as_real(c(r)) + loss_as_fake(c(f)) for c, r, f in ((self.critic_x, x, old_x), (self.critic_y, y, old_y)))
         for optimiser, loss in ((self.generators, first), (self.critics, second)):
             weights = [each for group in optimiser.param_groups for each in group["params"]]
             for each, slope in zip(weights, torch.autograd.grad(loss, weights)):
                 each.grad = slope
         self.generators.step()
         self.critics.step()
         """),
    edit("backwards", "several backward passes, one for each term",
         """
         self.generators.zero_grad()
         fake_y, fake_x = self.g(x), self.h(y)
         for verdict in (loss_as_real(self.critic_y(fake_y)), loss_as_real(self.critic_x(fake_x))):
             verdict.backward(retain_graph=True)
         cycle, identity = cycle_losses(self.g, self.h, x, y)
         torch.add(self.cycle_weight * cycle, identity, alpha=self.identity_weight).backward()
         self.generators.step()
         self.critics.zero_grad()
         with torch.no_grad():
             shown_x, shown_y = self.pool_x(fake_x.clone().detach()), self.pool_y(fake_y.clone().detach())
         for critic, real, shown in ((self.critic_x, x, shown_x), (self.critic_y, y, shown_y)):
             loss_as_fake(critic(shown)).backward()
             loss_as_real(critic(real)).backward()
         self.critics.step()
         """),
)

# --- count_translators ----------------------------------------------------------------------------------------------

alternatives.at(
    """
    same = [math.factorial(q.count(each)) for each in set(q)]
    return math.prod(same) if sorted(p) == sorted(q) else 0
    """,
    edit("matched", "symbol by symbol: how many partners are left",
         """
         left, total = list(q), 1
         for each in p:
             total *= left.count(each)
             if total:
                 left.remove(each)
         return 0 if left else total
         """),
    edit("numpy", "counted by NumPy",
         """
         if not np.array_equal(np.sort(p), np.sort(q)):
             return 0
         return math.prod(math.factorial(int(k)) for k in np.unique(p, return_counts=True)[1])
         """),
    edit("tensors", "counted by torch, gamma functions",
         """
         a, b = (torch.tensor(each).sort().values for each in (p, q))
         if a.shape != b.shape or not bool((a == b).all()):
             return 0
         return round(math.prod(math.gamma(1 + float(k)) for k in a.unique(return_counts=True)[1]))
         """),
)


@alternatives.rewrite("counted by a Counter")
def by_counter(ref):
    def count_translators(p, q):
        if Counter(p) != Counter(q):
            return 0
        result = 1
        for k in Counter(p).values():
            result *= math.factorial(k)
        return result

    return {"count_translators": count_translators}


@alternatives.rewrite("grouped after sorting; a trainer that is a module")
def by_groups(ref):
    class CycleTrainer(nn.Module):
        def __init__(self, g, h, critic_x, critic_y, pool_x, pool_y, lr, cycle_weight, identity_weight):
            super().__init__()
            self.nets = nn.ModuleDict({"g": g, "h": h, "x": critic_x, "y": critic_y})
            self.pools, self.weights = {"x": pool_x, "y": pool_y}, (cycle_weight, identity_weight)
            pairs = [[each for name in names for each in self.nets[name].parameters()] for names in ("gh", "xy")]
            self.generators, self.critics = (torch.optim.Adam(each, lr=lr, betas=(0.5, 0.9)) for each in pairs)

        def step(self, x, y):
            real = {"x": x, "y": y}
            fake = {"y": self.nets["g"](x), "x": self.nets["h"](y)}
            terms = [ref.loss_as_real(self.nets[name](fake[name])) for name in "xy"]
            terms += [w * each for w, each in zip(self.weights, ref.cycle_losses(self.nets["g"], self.nets["h"], x, y))]
            self.zero_grad()
            torch.stack(terms).sum().backward()
            self.generators.step()
            self.zero_grad()
            for name in "yx":
                shown = self.pools[name](fake[name].detach())
                loss = ref.loss_as_real(self.nets[name](real[name])) + ref.loss_as_fake(self.nets[name](shown))
                loss.backward()
            self.critics.step()

    def count_translators(p, q):
        a, b = ([(key, len(list(group))) for key, group in groupby(sorted(each))] for each in (p, q))
        return math.prod(math.factorial(k) for _, k in a) * int(a == b)

    return {"CycleTrainer": CycleTrainer, "count_translators": count_translators}
