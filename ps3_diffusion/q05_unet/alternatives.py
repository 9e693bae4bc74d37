"""Other right versions of the answers to question 5."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

alternatives.at(
    """
    omega = 10000 ** (-torch.arange(dim // 2, device=t.device) / (dim // 2))
    angle = t[:, None] * omega
    return torch.cat([angle.sin(), angle.cos()], dim=1)
    """,
    edit("by_exponential", "speeds by exp and log, an outer product",
         """
         half = dim // 2
         speeds = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float32, device=t.device) / half)
         angles = torch.outer(t.to(torch.float64 if t.dtype == torch.float64 else torch.float32), speeds.to(t.dtype if t.is_floating_point() else torch.float32))
         return torch.cat((torch.sin(angles), torch.cos(angles)), -1)
         """),
    edit("by_logspace", "speeds by logspace, cosines as shifted sines, filled in place",
         """
         half = dim // 2
         speeds = torch.logspace(0, -4, half + 1, device=t.device)[:half]
         out = torch.zeros(len(t), dim, device=t.device, dtype=t.dtype if t.is_floating_point() else torch.float32)
         out[:, :half] = torch.sin(t.unsqueeze(1) * speeds)
         out[:, half:] = torch.cos(t.unsqueeze(1) * speeds)
         return out
         """),
    edit("in_float64", "all in float64, wave by wave",
         """
         dtype = t.dtype if t.is_floating_point() else torch.float32
         angles = [t.double() * 10000 ** (-i / (dim // 2)) for i in range(dim // 2)]
         return torch.stack([a.sin() for a in angles] + [a.cos() for a in angles], 1).to(dtype)
         """),
)

alternatives.at(
    """
    for block in self.up:
        x = F.interpolate(x, scale_factor=2)
        x = block(torch.cat([x, skips.pop()], dim=1), emb)
    return self.head(x)
    """,
    edit("reversed_skips", "skips reversed, pixels repeated",
         """
         for block, skip in zip(self.up, reversed(skips)):
             x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
             x = block(torch.cat((x, skip), 1), emb)
         return self.head(x)
         """),
    edit("resized_to_skip", "resized to the size of the skip",
         """
         for i, block in enumerate(self.up):
             skip = skips[len(skips) - 1 - i]
             x = block(torch.cat([nn.functional.interpolate(x, size=skip.shape[-2:], mode="nearest"), skip], 1), emb)
         return self.head(x)
         """),
    edit("upsample_module", "a module for doubling",
         """
         enlarge = nn.Upsample(scale_factor=2)
         while skips:
             block = self.up[len(self.up) - len(skips)]
             x = block(torch.cat([enlarge(x), skips.pop()], dim=1), emb)
         x = self.head(x)
         return x
         """),
)


@alternatives.rewrite("a U-Net by recursion, without `embed`; the average keeps raw sums in a list; a scheduler in the loop")
def recursive(ref):
    class UNet(ref.UNet):
        def forward(self, x, t, y=None):
            if y is None:
                y = torch.full((len(t),), self.null, device=t.device)
            waves = self.forward.__func__.__globals__["time_embedding"](t, self.emb_dim)
            emb = F.silu(self.time_net(waves) + self.label_table(y))

            def level(h, i):
                if i == len(self.down):
                    return self.middle(h, emb)
                skip = self.down[i](h, emb)
                inside = level(nn.AvgPool2d(2)(skip), i + 1)
                return self.up[len(self.down) - 1 - i](torch.cat([F.interpolate(inside, scale_factor=2.0), skip], 1), emb)

            return self.head(level(self.stem(x), 0))

    class EMA:
        def __init__(self, model, decay):
            self.model = copy.deepcopy(model)
            for p in self.model.parameters():
                p.requires_grad = False
            self.decay, self.total = decay, 0.0
            self.sums = [torch.zeros_like(p) for p in self.model.parameters()]

        @torch.no_grad()
        def update(self, model):
            self.total = self.decay * self.total + 1
            for raw, mean, now in zip(self.sums, self.model.parameters(), model.parameters()):
                raw.mul_(self.decay).add_(now)
                mean.copy_(raw / self.total)

    def train_denoiser(model, ema, loss, x, y, steps, batch_size, lr, generator, warm_up=100):
        optimizer = torch.optim.AdamW(model.parameters(), lr)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(1.0, (k + 1) / warm_up))
        losses, done = [], 0
        while done < steps:
            order = torch.randperm(len(x), generator=generator, device=generator.device)
            for start in range(0, len(x), batch_size):
                if done == steps:
                    break
                pick = order[start : start + batch_size]
                value = loss(model, x[pick], y[pick], generator)
                value.backward()
                optimizer.step()
                optimizer.zero_grad()
                scheduler.step()
                ema.update(model)
                losses.append(value.item())
                done += 1
        return torch.tensor(losses)

    return {"UNet": UNet, "EMA": EMA, "train_denoiser": train_denoiser}


@alternatives.rewrite("the average by its state dict; AdamW with groups; a history filled in place")
def state_dicts(ref):
    class EMA:
        def __init__(self, model, decay):
            self.decay, self.n = decay, 0
            self.model = copy.deepcopy(model).eval()
            self.model.requires_grad_(False)

        def update(self, model):
            self.n += 1
            share = 1 / sum(self.decay**k for k in range(self.n))
            mine, theirs = self.model.state_dict(), model.state_dict()
            self.model.load_state_dict({key: (1 - share) * mine[key] + share * theirs[key] for key in mine})

    def train_denoiser(model, ema, loss, x, y, steps, batch_size, lr, generator, warm_up=100):
        optimiser = torch.optim.AdamW([{"params": [p for p in model.parameters() if p.requires_grad]}])
        history = torch.zeros(steps, dtype=x.dtype, device=x.device)
        from dgm import data as sets
        for k, (xs, ys) in enumerate(sets.batches([x, y], batch_size, generator, steps=steps)):
            for group in optimiser.param_groups:
                group["lr"] = lr if k + 1 >= warm_up else lr * (k + 1) / warm_up
            model.zero_grad()
            value = loss(model, xs, ys, generator)
            value.backward()
            optimiser.step()
            ema.update(model)
            with torch.no_grad():
                history[k] = value
        return history

    return {"EMA": EMA, "train_denoiser": train_denoiser}
