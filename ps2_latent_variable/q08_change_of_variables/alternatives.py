"""Other right versions of the answers to question 8."""

import math

import torch
from torch import nn
from torch.distributions import Normal

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("masks as factors; torch.distributions; the identity outside as a clamp and a rest; batch statistics by var_mean")
def library(ref):
    class AffineCoupling(ref.AffineCoupling):
        def forward(self, x):
            log_scale, shift = (answer * (1 - self.mask) for answer in self.net(x * self.mask))
            return x * torch.exp(log_scale) + shift, log_scale.sum(dim=-1)

        def inverse(self, z):
            log_scale, shift = (answer * (1 - self.mask) for answer in self.net(z * self.mask))
            return (z - shift) / torch.exp(log_scale)

    class ActNorm(ref.ActNorm):
        def forward(self, x):
            if not bool(self.initialised):
                var, mean = torch.var_mean(x.detach(), dim=0, correction=0)
                self.log_scale.data = -0.5 * var.log()
                self.shift.data = -mean / var.sqrt()
                self.initialised = torch.ones_like(self.initialised)
            return x * torch.exp(self.log_scale) + self.shift, self.log_scale.sum() * torch.ones_like(x[:, 0])

        def inverse(self, z):
            return (z - self.shift) / torch.exp(self.log_scale)

    def spline(x, xs, ys, slopes):
        inner = torch.minimum(torch.maximum(x, xs[..., 0]), xs[..., -1])
        x0, x1, y0, y1, d0, d1 = ref.spline_bin(x, xs, ys, slopes)
        w, h = x1 - x0, y1 - y0
        t = (inner - x0) / w
        s, bend = h / w, (d0 + d1 - 2 * h / w) * t * (1 - t)
        y = y0 + h * (s * t.square() + d0 * t * (1 - t)) / (s + bend)
        log_slope = 2 * torch.log(s) + torch.log(d1 * t.square() + 2 * s * t * (1 - t) + d0 * (1 - t).square()) - 2 * torch.log(s + bend)
        return y + (x - inner), log_slope

    def flow_log_prob(layers, x):
        parts = []
        for layer in layers:
            x, logdet = layer(x)
            parts.append(logdet)
        parts.append(Normal(torch.zeros_like(x), torch.ones_like(x), validate_args=False).log_prob(x).sum(-1))
        return torch.stack(parts).sum(0)

    return {"AffineCoupling": AffineCoupling, "ActNorm": ActNorm, "spline": spline, "flow_log_prob": flow_log_prob}


@alternatives.rewrite("columns by index; the spline's slope from autograd; recursion through the layers")
def autograd(ref):
    class AffineCoupling(ref.AffineCoupling):
        def forward(self, x):
            log_scale, shift = self.net(torch.where(self.mask == 1, x, torch.zeros_like(x)))
            free = torch.nonzero(self.mask == 0).flatten()
            z = x.clone()
            z[:, free] = x[:, free] * log_scale[:, free].exp() + shift[:, free]
            return z, log_scale[:, free].sum(1)

        def inverse(self, z):
            log_scale, shift = self.net(torch.where(self.mask == 1, z, torch.zeros_like(z)))
            columns = [z[:, i] if self.mask[i] else (z[:, i] - shift[:, i]) / log_scale[:, i].exp() for i in range(z.shape[1])]
            return torch.stack(columns, 1)

    class ActNorm(ref.ActNorm):
        @torch.no_grad()
        def _initialise(self, x):
            mean = x.mean(0)
            spread = (x - mean).square().mean(0).sqrt()
            self.log_scale[:] = -torch.log(spread)
            self.shift[:] = -mean / spread
            self.initialised |= True

        def forward(self, x):
            if not self.initialised.item():
                self._initialise(x)
            return torch.addcmul(self.shift, x, self.log_scale.exp()), self.log_scale.sum().repeat(len(x))

    def spline(x, xs, ys, slopes):
        with torch.enable_grad():
            x = x if x.requires_grad else x.detach().requires_grad_()
            x0, x1, y0, y1, d0, d1 = ref.spline_bin(x, xs, ys, slopes)
            s, t = (y1 - y0) / (x1 - x0), (x - x0) / (x1 - x0)
            inside = (x > xs[..., 0]) & (x < xs[..., -1])
            t = torch.where(inside, t, 0.5)
            y = y0 + (y1 - y0) * (s * t**2 + d0 * t * (1 - t)) / (s + (d0 + d1 - 2 * s) * t * (1 - t))
            (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        return torch.where(inside, y, x), torch.where(inside, slope, 1.0).log()

    def flow_log_prob(layers, x):
        if len(layers) == 0:
            return -(x**2).sum(1) / 2 - x.shape[1] * math.log(math.sqrt(2 * math.pi))
        z, logdet = layers[0](x)
        return logdet + flow_log_prob(layers[1:], z)

    return {"AffineCoupling": AffineCoupling, "ActNorm": ActNorm, "spline": spline, "flow_log_prob": flow_log_prob}


@alternatives.rewrite("everything in float64")
def double(ref):
    class AffineCoupling(ref.AffineCoupling):
        def forward(self, x):
            log_scale, shift = self.net(x * self.mask)
            free = 1 - self.mask.double()
            return x * self.mask + free * (x.double() * log_scale.double().exp() + shift), (log_scale.double() * free).sum(1)

        def inverse(self, z):
            log_scale, shift = self.net(z * self.mask)
            return torch.where(self.mask.bool(), z.double(), (z.double() - shift) * torch.exp(-log_scale.double()))

    class ActNorm(ref.ActNorm):
        def forward(self, x):
            if self.initialised.logical_not():
                wide = x.detach().double()
                spread = wide.std(0, unbiased=False)
                with torch.no_grad():
                    self.log_scale.copy_(spread.log().neg())
                    self.shift.copy_(-wide.mean(0) / spread)
                self.initialised[...] = True
            return x * self.log_scale.double().exp() + self.shift, self.log_scale.double().sum().expand(x.size(0))

    def spline(x, xs, ys, slopes):
        return ref.spline(x.double(), xs.double(), ys.double(), slopes.double())

    def flow_log_prob(layers, x):
        total = torch.zeros(len(x), dtype=torch.float64, device=x.device)
        for layer in layers:
            x, logdet = layer(x)
            total = total + logdet.double()
        return total - x.double().square().sum(1) / 2 - 0.5 * x.shape[1] * math.log(2 * math.pi)

    return {"AffineCoupling": AffineCoupling, "ActNorm": ActNorm, "spline": spline, "flow_log_prob": flow_log_prob}


@alternatives.rewrite("a Jacobian by autograd for the coupling; a bin search of its own; splines point by point through a mask; einsum")
def by_points(ref):
    class AffineCoupling(ref.AffineCoupling):
        def forward(self, x):
            a, shift = self.net(x * self.mask)
            scale = torch.exp(a * (1 - self.mask))
            return x * scale + shift * (1 - self.mask), torch.log(scale.prod(1))

        def inverse(self, z):
            a, shift = self.net(z * self.mask)
            return z * self.mask + (z - shift).mul(torch.exp(-a)).mul(1 - self.mask)

    class ActNorm(ref.ActNorm):
        def forward(self, x):
            if self.initialised == False:  # noqa: E712
                with torch.no_grad():
                    self.log_scale -= self.log_scale + torch.log(((x - x.mean(0)) ** 2).mean(0)) / 2
                    self.shift -= self.shift + (x * self.log_scale.exp()).mean(0)
                self.initialised.logical_not_()
            z = x @ torch.diag(self.log_scale.exp()) + self.shift
            return z, torch.einsum("d,n->n", self.log_scale, torch.ones_like(x[:, 0]))

    def spline(x, xs, ys, slopes):
        flat = x.reshape(-1)
        a, b, d = (value.reshape(len(flat), -1) for value in (xs, ys, slopes))
        row = torch.arange(len(flat), device=x.device)
        k = torch.searchsorted(a.detach().contiguous(), flat.detach()[:, None].contiguous()).squeeze(1).clamp(1, a.shape[1] - 1) - 1
        out, log_slope = flat.clone(), torch.zeros_like(flat)
        good = (flat >= a[:, 0]) & (flat <= a[:, -1])
        r, k = row[good], k[good]
        w, h = a[r, k + 1] - a[r, k], b[r, k + 1] - b[r, k]
        s, t = h / w, (flat[good] - a[r, k]) / w
        top, bottom = s * t * t + d[r, k] * t * (1 - t), s + (d[r, k] + d[r, k + 1] - 2 * s) * t * (1 - t)
        d_top, d_bottom = 2 * s * t + d[r, k] * (1 - 2 * t), (d[r, k] + d[r, k + 1] - 2 * s) * (1 - 2 * t)
        out = out.index_put((r,), b[r, k] + h * top / bottom)
        log_slope = log_slope.index_put((r,), torch.log(s * (d_top * bottom - top * d_bottom) / bottom**2))
        return out.reshape(x.shape), log_slope.reshape(x.shape) + 0 * (xs + ys + slopes).sum(-1)

    def flow_log_prob(layers, x):
        logdets = [torch.zeros_like(x).sum(1)]
        for i in range(len(layers)):
            x, step = layers[i].forward(x)
            logdets = [*logdets, step]
        normal = torch.distributions.MultivariateNormal(torch.zeros(x.shape[1]).to(x), torch.eye(x.shape[1]).to(x), validate_args=False)
        return normal.log_prob(x) + sum(logdets)

    return {"AffineCoupling": AffineCoupling, "ActNorm": ActNorm, "spline": spline, "flow_log_prob": flow_log_prob}


@alternatives.rewrite("nn.Sequential and helper methods; a flag in a buffer as a float; softplus-free formulas; no inverse before the first batch")
def helpers(ref):
    class AffineCoupling(ref.AffineCoupling):
        def _look(self, kept):
            log_scale, shift = self.net(kept * self.mask)
            nothing = torch.zeros_like(kept)
            return torch.where(self.mask > 0.5, nothing, log_scale), torch.where(self.mask > 0.5, nothing, shift)

        def forward(self, x):
            log_scale, shift = self._look(x)
            return torch.addcmul(shift, x, log_scale.exp()), torch.einsum("nd->n", log_scale)

        def inverse(self, z):
            log_scale, shift = self._look(z)
            return torch.addcmul(-shift * torch.exp(-log_scale), z, torch.exp(-log_scale))

    def spline(x, xs, ys, slopes):
        x0, x1, y0, y1, d0, d1 = ref.spline_bin(x, xs, ys, slopes)
        s, t = (y1 - y0) / (x1 - x0), (x - x0) / (x1 - x0)
        bend = (d0 + d1 - 2 * s) * t * (1 - t)
        log_slope = (s * s * (d1 * t * t + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2) / (s + bend) ** 2).log()
        outside = (x < xs[..., 0]) | (x > xs[..., -1])
        return (y0 + (y1 - y0) * (s * t * t + d0 * t * (1 - t)) / (s + bend)).where(~outside, x), log_slope.masked_fill(outside, 0)

    class ActNorm(ref.ActNorm):
        def forward(self, x):
            if not self.initialised:
                self.initialised.data.fill_(True)
                self.log_scale.data.copy_(-torch.log(torch.linalg.vector_norm(x - x.mean(0), dim=0) / math.sqrt(len(x))))
                self.shift.data.copy_(-(x * self.log_scale.exp()).mean(0))
            z = nn.Identity()(x) * self.log_scale.exp()[None] + self.shift[None]
            return z, torch.full_like(x[:, 0].detach(), 1.0) * self.log_scale.sum()

        def inverse(self, z):
            if not self.initialised:
                raise RuntimeError("call forward first")
            return torch.addcdiv(-self.shift / self.log_scale.exp(), z, self.log_scale.exp())

    return {"AffineCoupling": AffineCoupling, "ActNorm": ActNorm, "spline": spline}


@alternatives.rewrite("a 1×1 convolution by F.conv2d, and back by solving; the determinant from an LU decomposition")
def mix_by_convolution(ref):
    class ChannelMix(ref.ChannelMix):
        def forward(self, x):
            pivots = torch.linalg.lu(self.weight)[2].diagonal()
            return nn.functional.conv2d(x, self.weight[:, :, None, None]), x[0, 0].numel() * pivots.abs().log().sum().repeat(x.shape[0])

        def inverse(self, z):
            return torch.linalg.solve(self.weight, z.flatten(2)).reshape(z.shape)

    return {"ChannelMix": ChannelMix}


@alternatives.rewrite("a 1×1 convolution with the channels last; singular values; a log-determinant for each place, summed")
def mix_with_channels_last(ref):
    class ChannelMix(ref.ChannelMix):
        def forward(self, x):
            z = torch.movedim(torch.movedim(x, 1, -1) @ self.weight.mT, -1, 1)
            each = torch.linalg.svdvals(self.weight).log().sum() * torch.ones_like(x[:, 0])
            return z, each.sum((1, 2))

        def inverse(self, z):
            return (z.permute(0, 2, 3, 1) @ torch.inverse(self.weight).T).permute(0, 3, 1, 2)

    return {"ChannelMix": ChannelMix}


@alternatives.rewrite("a 1×1 convolution channel by channel, in float64")
def mix_by_loops(ref):
    class ChannelMix(ref.ChannelMix):
        def forward(self, x):
            w = self.weight.double()
            channels = [sum(w[d, c] * x[:, c].double() for c in range(len(w))) for d in range(len(w))]
            height, width = x.shape[-2:]
            return torch.stack(channels, 1).to(x.dtype), torch.full_like(x[:, 0, 0, 0], height * width) * torch.slogdet(w).logabsdet.to(x.dtype)

        def inverse(self, z):
            back = torch.linalg.pinv(self.weight.double())
            return torch.stack([(back[c][:, None, None] * z.double()).sum(1) for c in range(len(back))], 1).to(z.dtype)

    return {"ChannelMix": ChannelMix}
