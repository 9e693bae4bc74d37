"""Other right versions of the answers to question 5."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


def convolve_on_torus(x, weight, stride):
    """A strided convolution in which the last pixel's neighbour is the first."""
    size, k = x.shape[-1], weight.shape[-1]
    index = (torch.arange(size + k - 1)) % size
    return F.conv2d(x[..., index, :][..., index], weight, stride=stride)


@alternatives.rewrite("library calls: pixel_unshuffle, einsum with a clone of u, a dense operator column by column, an upsampling layer")
def library(ref):
    def space_to_depth(x, r):
        return F.pixel_unshuffle(x, r)

    class SpectralConv2d(nn.Conv2d):
        def __init__(self, *sizes, **more):
            super().__init__(*sizes, **more)
            u = torch.randn(self.out_channels)
            self.register_buffer("u", u / u.norm())
            self.register_buffer("v", torch.zeros(self.weight[0].numel()))

        def sigma(self):
            matrix = self.weight.view(self.out_channels, -1)
            with torch.no_grad():
                v = torch.mv(matrix.t(), self.u)
                v = v / torch.linalg.vector_norm(v)
                if self.training:
                    u = torch.mv(matrix, v)
                    self.u.copy_(u / torch.linalg.vector_norm(u))
                self.v.copy_(v)
            return torch.einsum("o,oi,i->", self.u.clone(), matrix, v)

        def forward(self, x):
            return F.conv2d(x, self.weight / self.sigma(), self.bias, self.stride, self.padding)

    def conv_norms(weight, size, stride=1):
        base = torch.eye(weight.shape[1] * size * size, dtype=weight.dtype, device=weight.device).reshape(-1, weight.shape[1], size, size)
        exact = torch.linalg.svdvals(convolve_on_torus(base, weight, stride).flatten(1))[0]
        overlap = max(sum(at <= pixel < at + weight.shape[-1] for at in range(0, 64, stride)) for pixel in range(30, 30 + stride))
        return exact, max(overlap, 1) * torch.linalg.svdvals(weight.flatten(1))[0]

    class GanBlock(nn.Module):
        def __init__(self, c_in, c_out, up, rng=None):
            super().__init__()
            self.up = up
            if up:
                self.conv = nn.ConvTranspose2d(c_in, c_out, kernel_size=4, stride=2, padding=1, bias=False)
                self.norm = nn.BatchNorm2d(c_out)
                self.skip = nn.Conv2d(c_in, c_out, kernel_size=1)
                self.act, self.resize = nn.ReLU(), nn.Upsample(scale_factor=2, mode="nearest")
            else:
                self.conv = ref.SpectralConv2d(c_in, c_out, kernel_size=4, stride=2, padding=1)
                self.norm = nn.Identity()
                self.skip = ref.SpectralConv2d(c_in, c_out, kernel_size=1)
                self.act, self.resize = nn.LeakyReLU(0.2), nn.AvgPool2d(2)
            with torch.no_grad():
                self.skip.weight.normal_(0, 0.02, generator=rng)
                self.conv.weight.normal_(0, 0.02, generator=rng)

        def forward(self, x):
            return self.act(self.norm(self.conv(x))) + self.skip(self.resize(x))

    return {"space_to_depth": space_to_depth, "SpectralConv2d": SpectralConv2d, "conv_norms": conv_norms, "GanBlock": GanBlock}


@alternatives.rewrite("loops over the places of a block, the frequencies and the taps; the 1×1 convolution before the change of size")
def loops(ref):
    def space_to_depth(x, r):
        n, c, h, w = x.shape
        out = x.new_zeros(n, c * r * r, h // r, w // r)
        for channel in range(c):
            for i in range(r):
                for j in range(r):
                    out[:, channel * r * r + i * r + j] = x[:, channel, i::r, j::r]
        return out

    class SpectralConv2d(ref.SpectralConv2d):
        def sigma(self):
            matrix = self.weight.reshape(len(self.weight), -1)
            constant, u = matrix.detach(), self.u.detach()
            v = constant.T @ u
            v = v / v.square().sum().sqrt()
            if self.training:
                u = constant @ v
                u = u / u.square().sum().sqrt()
                self.register_buffer("u", u)
            return (torch.outer(u, v) * matrix).sum()

    def conv_norms(weight, size, stride=1):
        k, n, largest = weight.shape[-1], size // stride, []
        kind = torch.complex128 if weight.dtype == torch.float64 else torch.complex64
        for a in range(n):
            for b in range(n):
                matrix = 0
                for i in range(k):
                    for j in range(k):
                        place = torch.zeros(stride * stride, dtype=kind)
                        angle = 2 * math.pi * (a * (i // stride) + b * (j // stride)) / n
                        place[i % stride * stride + j % stride] = complex(math.cos(angle), math.sin(angle))
                        matrix = matrix + torch.kron(weight[:, :, i, j].to(kind), place[None])
                largest.append(torch.linalg.matrix_norm(matrix, 2))
        return torch.stack(largest).max(), -(-k // stride) * torch.linalg.matrix_norm(weight.reshape(len(weight), -1), ord=2)

    class GanBlock(ref.GanBlock):
        def forward(self, x):
            short = self.skip(x)
            if self.up:
                y = self.norm(self.conv(x))
                return y.clamp(min=0) + short.repeat_interleave(2, 2).repeat_interleave(2, 3)
            y = self.conv(x)
            means = (short[:, :, ::2, ::2] + short[:, :, 1::2, ::2] + short[:, :, ::2, 1::2] + short[:, :, 1::2, 1::2]) / 4
            return torch.where(y > 0, y, 0.2 * y) + means

    return {"space_to_depth": space_to_depth, "SpectralConv2d": SpectralConv2d, "conv_norms": conv_norms, "GanBlock": GanBlock}


@alternatives.rewrite("float64 inside, unfold, the Gram matrix at each frequency, repeated channels and pixel_shuffle, space to depth and means")
def other_algebra(ref):
    def space_to_depth(x, r):
        return x.unfold(2, r, r).unfold(3, r, r).permute(0, 1, 4, 5, 2, 3).flatten(1, 3)

    class SpectralConv2d(ref.SpectralConv2d):
        def __init__(self, *sizes, **more):
            super().__init__(*sizes, **more)
            u = torch.rand(self.out_channels) - 0.5
            self.u = (u / u.norm()).to(self.weight.dtype)

        def sigma(self):
            matrix = self.weight.flatten(1).double()
            with torch.no_grad():
                v = F.normalize(self.u.double() @ matrix, dim=0)
                u = self.u.double()
                if self.training:
                    u = F.normalize(matrix @ v, dim=0)
                    self.u = u.to(self.weight.dtype)
            return (u @ (matrix @ v)).to(self.weight.dtype)

    def conv_norms(weight, size, stride=1):
        k, wide = weight.shape[-1], weight.double()
        spectra = torch.fft.fft2(ref.space_to_depth(F.pad(wide, (0, size - k, 0, size - k)), stride)).permute(2, 3, 0, 1)
        gram = spectra @ spectra.mH
        flat = wide.flatten(1)
        sigma = torch.linalg.eigvalsh(flat @ flat.T)[-1].sqrt()
        return torch.linalg.eigvalsh(gram).max().sqrt().to(weight.dtype), (((k - 1) // stride + 1) * sigma).to(weight.dtype)

    class GanBlock(ref.GanBlock):
        def forward(self, x):
            if self.up:
                large = F.pixel_shuffle(x.repeat_interleave(4, 1), 2)
                return torch.relu(self.norm(self.conv(x))) + self.skip(large)
            y = self.conv(x)
            small = F.pixel_unshuffle(x, 2).unflatten(1, (x.shape[1], 4)).mean(2)
            return torch.maximum(y, 0.2 * y) + self.skip(small)

    return {"space_to_depth": space_to_depth, "SpectralConv2d": SpectralConv2d, "conv_norms": conv_norms, "GanBlock": GanBlock}


@alternatives.rewrite("NumPy's order of axes, a full Fourier transform without space to depth, ifs for each size, weights drawn and scaled")
def folded(ref):
    def space_to_depth(x, r):
        columns = F.unfold(x.reshape(-1, 1, *x.shape[2:]).double(), r, stride=r)
        return columns.reshape(x.shape[0], x.shape[1] * r * r, x.shape[2] // r, x.shape[3] // r).to(x.dtype)

    def conv_norms(weight, size, stride=1):
        k = weight.shape[-1]
        spectra = torch.fft.fft2(weight, s=(size, size))
        n, copies = size // stride, []
        for a in range(stride):
            for b in range(stride):
                copies.append(spectra[:, :, a * n : (a + 1) * n, b * n : (b + 1) * n])   # frequencies that the stride makes alike
        folded = torch.cat(copies, 1).permute(2, 3, 0, 1) / stride
        overlap = int(np.ceil(k / stride))
        return torch.linalg.svdvals(folded).max(), overlap * torch.linalg.svdvals(weight.flatten(1)).max()

    class GanBlock(ref.GanBlock):
        def __init__(self, c_in, c_out, up, rng=None):
            super().__init__(c_in, c_out, up, rng)
            for layer in (self.skip, self.conv):
                layer.weight.data = 0.02 * torch.randn(layer.weight.shape, generator=rng)

        def forward(self, x):
            y = self.conv(x)
            if not self.up:
                return F.leaky_relu(y, negative_slope=0.2) + F.avg_pool2d(self.skip(x), kernel_size=2)
            return F.relu(self.norm(y)) + F.interpolate(self.skip(x), size=y.shape[-2:], mode="nearest")

    return {"space_to_depth": space_to_depth, "conv_norms": conv_norms, "GanBlock": GanBlock}
