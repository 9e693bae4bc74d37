"""Other right versions of the answers to question 10."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- MaskedConv2d --------------------------------------------------------------------------------------------------

alternatives.at(
    """
    return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)
    """,
    edit("zeroed_in_every_forward", "multiplies weight.data by the mask at the start of every forward",
         """
         self.weight.data.mul_(self.mask)
         return super().forward(x)
         """),
    edit("zeroed_under_no_grad", "zeroes the weights in place under no_grad, in every forward",
         """
         with torch.no_grad():
             self.weight.masked_fill_(self.mask.expand_as(self.weight) == 0, 0)
         return super().forward(x)
         """),
    edit("conv_forward", "uses the parent's own helper, with a product",
         """
         return self._conv_forward(x, self.mask * self.weight, self.bias)
         """),
)

# --- GatedBlock ----------------------------------------------------------------------------------------------------

alternatives.at(
    """
    above = self.vertical(v)
    left = self.horizontal(h) + self.link(above)
    if bias is not None:
        above, left = above + bias, left + bias
    """,
    edit("other_order_in_the_block", "computes the horizontal stack first, and V v twice",
         """
         beta = 0 if bias is None else bias
         left = self.link(self.vertical(v)) + beta + self.horizontal(h)
         above = beta + self.vertical(v)
         """),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("windows by comparing offsets; Jacobian by torch.autograd.functional")
def offsets(ref):
    def stack_masks(kind, kernel_size):
        offset = torch.arange(kernel_size) - kernel_size // 2
        keep = (offset <= 0) if kind == "B" else (offset < 0)
        return keep[:, None].expand(kernel_size, kernel_size).float(), keep[None].float()

    def receptive_field(model, image, row, col):
        def score(x):
            return model(x[None])[0, :, row, col].sum()

        return torch.autograd.functional.jacobian(score, image).abs().sum(0)

    return {"stack_masks": stack_masks, "receptive_field": receptive_field}


@alternatives.rewrite("windows by loops; the derivative of a copy of the model by backward(); a gate by hand")
def by_loops(ref):
    def stack_masks(kind, kernel_size):
        centre = (kernel_size - 1) // 2
        vertical = torch.tensor([
            [1.0 if i < centre or (i == centre and kind == "B") else 0.0 for j in range(kernel_size)]
            for i in range(kernel_size)
        ])
        return vertical, vertical[:, centre].clone().unsqueeze(0)

    def receptive_field(model, image, row, col):
        twin = copy.deepcopy(model).eval()
        x = torch.stack([image.detach()]).requires_grad_(True)
        twin(x)[0, :, row, col].sum().backward()
        return torch.einsum("bchw->hw", x.grad.abs())

    class GatedBlock(ref.GatedBlock):
        def forward(self, v, h, bias=None):
            a = self.vertical(v)
            b = torch.add(self.horizontal(h), self.link(a))
            if bias is None:
                bias = torch.zeros_like(a[:, :, :1, :1])
            a, b = a + bias, b + bias
            half = a.shape[1] // 2
            new_h = self.out(torch.tanh(b[:, :half]) * torch.sigmoid(b[:, half:]))
            return torch.tanh(a[:, :half]) * torch.sigmoid(a[:, half:]), new_h + (h if self.kind == "B" else 0)

    return {"stack_masks": stack_masks, "receptive_field": receptive_field, "GatedBlock": GatedBlock}


@alternatives.rewrite("a parametrisation keeps the weight masked; derivatives by torch.func")
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

    def receptive_field(model, image, row, col):
        gradient = torch.func.grad(lambda x: model(x[None])[0, :, row, col].sum())(image)
        return gradient.detach().abs().sum(0)

    return {"MaskedConv2d": MaskedConv2d, "receptive_field": receptive_field}


@alternatives.rewrite("own module: sums shifted copies of the padded input; parameters frozen while differentiating")
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
            padded = F.pad(x, (kw // 2, kw // 2, kh // 2, kh // 2))
            weight = torch.where(self.mask, self.weight, torch.zeros_like(self.weight))
            out = self.bias[:, None, None]
            for u in range(kh):
                for v in range(kw):
                    out = out + torch.einsum(
                        "oc,bchw->bohw", weight[:, :, u, v], padded[:, :, u : u + height, v : v + width]
                    )
            return out

    def receptive_field(model, image, row, col):
        state = [p.requires_grad for p in model.parameters()]
        for p in model.parameters():
            p.requires_grad_(False)
        x = image.clone()[None].requires_grad_(True)
        model(x)[0, :, row, col].sum().backward()
        for p, flag in zip(model.parameters(), state):
            p.requires_grad_(flag)
        return x.grad.squeeze(0).abs().sum(dim=0)

    return {"MaskedConv2d": MaskedConv2d, "receptive_field": receptive_field}
