"""Other right versions of the answers to question 9."""

import copy

import torch
from torch import nn

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("the inverse as D rounds on all columns, without gradients; index lists; backward on a copy of the flow")
def rounds(ref):
    class MAF(ref.MAF):
        def forward(self, x):
            mean, log_std = self.net(x)
            return torch.div(x - mean, log_std.exp()), log_std.sum(dim=-1).neg()

        @torch.no_grad()
        def inverse(self, z):
            x = torch.zeros_like(z)
            for _ in range(z.shape[1]):
                mean, log_std = self.net(x)
                x = z * torch.exp(log_std) + mean
            return x

    class Reversed(ref.Reversed):
        def forward(self, x):
            back = torch.arange(x.shape[1] - 1, -1, -1, device=x.device)
            z, logdet = self.layer(x[:, back])
            return z[:, back], logdet

        def inverse(self, z):
            back = list(range(z.shape[1]))[::-1]
            return self.layer.inverse(z[:, back])[:, back]

    class Inverted(ref.Inverted):
        def forward(self, x):
            z = self.layer.inverse(x)
            _, logdet = self.layer(z)
            return z, -1 * logdet

        def inverse(self, z):
            x, _ = self.layer(z)
            return x

    def denoise(layers, y, noise_std):
        twin, leaf = copy.deepcopy(layers), y.detach().clone().requires_grad_()
        ref.flow_log_prob(twin, leaf).sum().backward()
        return (leaf + noise_std**2 * leaf.grad).detach()

    return {"MAF": MAF, "Reversed": Reversed, "Inverted": Inverted, "denoise": denoise}


@alternatives.rewrite("the inverse in place, column by column, from z; fliplr; torch.func")
def in_place(ref):
    class MAF(ref.MAF):
        def forward(self, x):
            mean, log_std = self.net(x)
            normal = torch.distributions.Normal(mean, log_std.exp())
            return (x - normal.loc) / normal.scale, -torch.log(normal.scale).sum(1)

        def inverse(self, z):
            x = z.detach().clone()
            with torch.no_grad():
                for i in range(z.size(1)):
                    mean, log_std = self.net(x)
                    x[:, i] = z[:, i] * log_std[:, i].exp() + mean[:, i]
            return x

    class Reversed(ref.Reversed):
        def forward(self, x):
            z, logdet = self.layer.forward(torch.fliplr(x))
            return torch.fliplr(z), logdet

        def inverse(self, z):
            return torch.fliplr(self.layer.inverse(torch.fliplr(z)))

    def denoise(layers, y, noise_std):
        return (y + noise_std**2 * torch.func.grad(lambda v: ref.flow_log_prob(layers, v).sum())(y.detach())).detach()

    return {"MAF": MAF, "Reversed": Reversed, "denoise": denoise}


@alternatives.rewrite("everything in float64; a list of columns; the gradient of each example by itself")
def double(ref):
    class MAF(ref.MAF):
        def forward(self, x):
            mean, log_std = (answer.double() for answer in self.net(x))
            return (x.double() - mean) / torch.exp(log_std), -log_std.sum(1)

        def inverse(self, z):
            columns = []
            for i in range(z.shape[1]):
                rest = [torch.zeros_like(z[:, 0])] * (z.shape[1] - i)
                mean, log_std = self.net(torch.stack([*columns, *rest], 1))
                columns.append(z[:, i] * log_std[:, i].exp() + mean[:, i])
            return torch.stack(columns, 1).double()

    class Inverted(ref.Inverted):
        def forward(self, x):
            z = self.layer.inverse(x)
            return z.double(), -self.layer(z)[1].double()

    def denoise(layers, y, noise_std):
        rows = []
        for row in y:
            leaf = row.detach().clone()[None].requires_grad_(True)
            rows.append(torch.autograd.grad(ref.flow_log_prob(layers, leaf)[0], leaf)[0])
        return y.detach().double() + noise_std**2 * torch.cat(rows).double()

    return {"MAF": MAF, "Inverted": Inverted, "denoise": denoise}


@alternatives.rewrite("permutation matrices; MAF by broadcasting its inverse; the gradient with vector of ones")
def matrices(ref):
    class MAF(ref.MAF):
        def inverse(self, z):
            x = z.new_full(z.shape, 0.5)
            for i in range(z.shape[1]):
                mean, log_std = self.net(x.clone())
                here = torch.arange(z.shape[1], device=z.device) == i
                x = torch.where(here, z * log_std.exp() + mean, x)
            return x

    class Reversed(nn.Module):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def turn(self, x):
            return x @ torch.eye(x.shape[1], dtype=x.dtype, device=x.device).flip(0)

        def forward(self, x):
            answer = self.layer(self.turn(x))
            return self.turn(answer[0]), answer[1]

        def inverse(self, z):
            return self.turn(self.layer.inverse(self.turn(z)))

    def denoise(layers, y, noise_std):
        with torch.enable_grad():
            leaf = y.detach().requires_grad_(True)
            log_prob = ref.flow_log_prob(layers, leaf)
            slope = torch.autograd.grad(log_prob, leaf, grad_outputs=torch.ones_like(log_prob))[0]
        return torch.add(y.detach(), slope, alpha=noise_std**2)

    return {"MAF": MAF, "Reversed": Reversed, "denoise": denoise}
