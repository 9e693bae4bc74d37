"""Other right versions of the answers to question 12."""

import torch
from torch import nn

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- MaskedConv2d --------------------------------------------------------------------------------------------------

alternatives.at(
    """
    return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)
    """,
    edit(
        "zeroed_in_every_forward",
        "multiplies weight.data by the mask at the start of every forward",
        """
         self.weight.data.mul_(self.mask)
         return super().forward(x)
         """,
    ),
)

# --- GatedBlock ----------------------------------------------------------------------------------------------------

alternatives.at(
    """
    above = self.vertical(v)
    left = self.horizontal(h) + self.link(above)
    if bias is not None:
        above, left = above + bias, left + bias
    """,
    edit(
        "other_order_in_the_block",
        "the block computes the horizontal stack first and uses F.glu-like splitting",
        """
         beta = 0 if bias is None else bias
         left = self.link(self.vertical(v)) + beta + self.horizontal(h)
         above = beta + self.vertical(v)
         """,
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite(
    "masks by comparing raster numbers; a mask recomputed in every forward; Jacobian by torch.autograd.functional"
)
def raster_numbers(ref):
    def causal_mask(kind, kernel_size):
        number = torch.arange(kernel_size**2).reshape(kernel_size, kernel_size)
        centre = kernel_size**2 // 2
        return ((number < centre) | ((number == centre) & (kind == "B"))).double()

    def stack_masks(kind, kernel_size):
        offset = torch.arange(kernel_size) - kernel_size // 2
        keep = (offset <= 0) if kind == "B" else (offset < 0)
        return keep[:, None].expand(kernel_size, kernel_size).float(), keep[None].float()

    def receptive_field(model, image, row, col):
        def score(x):
            return model(x[None])[0, :, row, col].sum()

        return torch.autograd.functional.jacobian(score, image).abs().sum(0)

    return {"causal_mask": causal_mask, "stack_masks": stack_masks, "receptive_field": receptive_field}


@alternatives.rewrite("a parametrisation keeps the weight masked")
def parametrised(ref):
    class Times(nn.Module):
        def __init__(self, mask):
            super().__init__()
            self.register_buffer("mask", mask.clone())

        def forward(self, weight):
            return weight * self.mask

    class MaskedConv2d(nn.Conv2d):
        def __init__(self, mask, in_channels, out_channels):
            height, width = mask.shape[-2:]
            super().__init__(in_channels, out_channels, (height, width), padding=(height // 2, width // 2))
            nn.utils.parametrize.register_parametrization(self, "weight", Times(mask))

    return {"MaskedConv2d": MaskedConv2d}


@alternatives.rewrite("own module: sums shifted copies of the padded input, window position by window position")
def shifted_sums(ref):
    class MaskedConv2d(nn.Module):
        def __init__(self, mask, in_channels, out_channels):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(out_channels, in_channels, *mask.shape[-2:]) * 0.1)
            self.bias = nn.Parameter(torch.zeros(out_channels))
            self.register_buffer("mask", mask.bool(), persistent=False)

        def forward(self, x):
            kh, kw = self.weight.shape[-2:]
            height, width = x.shape[-2:]
            padded = nn.functional.pad(x, (kw // 2, kw // 2, kh // 2, kh // 2))
            weight = torch.where(self.mask, self.weight, torch.zeros_like(self.weight))
            out = self.bias[:, None, None]
            for u in range(kh):
                for v in range(kw):
                    out = out + torch.einsum(
                        "oc,bchw->bohw", weight[:, :, u, v], padded[:, :, u : u + height, v : v + width]
                    )
            return out

    def gated_activation(a):
        half = a.shape[1] // 2
        return torch.tanh(a[:, :half]) / (1 + torch.exp(-a[:, half:]))

    def receptive_field(model, image, row, col):
        state = [p.requires_grad for p in model.parameters()]
        for p in model.parameters():
            p.requires_grad_(False)
        x = image.clone()[None].requires_grad_(True)
        model(x)[0, :, row, col].sum().backward()
        for p, flag in zip(model.parameters(), state):
            p.requires_grad_(flag)
        return x.grad.squeeze(0).abs().sum(dim=0)

    return {"MaskedConv2d": MaskedConv2d, "gated_activation": gated_activation, "receptive_field": receptive_field}
