"""Other right versions of the answers to question 18."""

import copy
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- MaskedLinear --------------------------------------------------------------------------------------------------

alternatives.at(
    """
    self.register_buffer("mask", mask.clone())
    """,
    edit("boolean_buffer", "a boolean buffer of another name that is not saved, and weights masked when made as well",
         """
         self.register_buffer("keep", mask.bool(), persistent=False)
         self.weight.data.mul_(mask)
         """,
         ("return F.linear(x, self.weight * self.mask, self.bias)",
          "return F.linear(x, self.weight.masked_fill(~self.keep, 0), self.bias)")),
)

alternatives.at(
    """
    return F.linear(x, self.weight * self.mask, self.bias)
    """,
    edit("masks_in_place", "the layer masks its weight.data at every use and lets nn.Linear do the rest",
         """
         self.weight.data.mul_(self.mask)
         return super().forward(x)
         """),
    edit("where", "torch.where and einsum in the layer; the forward pass as a loop with an index",
         """
         weight = torch.where(self.mask > 0, self.weight, torch.zeros_like(self.weight))
         return torch.einsum("ni,oi->no", x, weight) + self.bias
         """,
         ("""
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x)
         """, """
         for n, layer in enumerate(self.layers):
             x = layer(x)
             if n < len(self.layers) - 1:
                 x = x.clamp(min=0)
         return x
         """)),
)

# --- made_sample ---------------------------------------------------------------------------------------------------

alternatives.at(
    "order, place = model.order, torch.argsort(model.order)",
    edit("inverse_by_scatter", "the inverse permutation by assignment",
         "order = model.order; place = torch.empty_like(order); place[order] = torch.arange(len(order), device=order.device)"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("loops in Python and NumPy; a loop of its own through the order, in float64")
def loops(ref):
    def made_masks(order, hidden_degrees):
        order = order.tolist()
        degrees = [order.index(dim) + 1 for dim in range(len(order))]
        layers = [degrees, *(h.tolist() for h in hidden_degrees), degrees]
        masks = []
        for n in range(len(layers) - 1):
            mask = np.zeros((len(layers[n + 1]), len(layers[n])), dtype=np.float32)
            for k, above in enumerate(layers[n + 1]):
                for m, below in enumerate(layers[n]):
                    mask[k, m] = above > below if n == len(layers) - 2 else above >= below
            masks.append(torch.from_numpy(mask))
        return masks

    @torch.no_grad()
    def made_sample(model, x, known, uniforms):
        drawn = torch.where(known, x, torch.ones_like(x))
        for d in model.order:
            new = drawn.clone()
            bit = uniforms[:, d].double() < 1 / (1 + torch.exp(-model(drawn)[:, d].double()))
            new[:, d] = torch.where(known[:, d], x[:, d], bit.to(x.dtype))
            drawn = new
        return drawn

    return {"made_masks": made_masks, "made_sample": made_sample}


@alternatives.rewrite("argsort for the degrees, a tuple of masks; logits compared with the logit of u; nn.Sequential at call time")
def library(ref):
    def made_masks(order, hidden_degrees):
        degrees = torch.argsort(order) + 1
        layers = [degrees, *hidden_degrees]
        masks = [above.unsqueeze(1).ge(below.unsqueeze(0)).to(torch.float32) for below, above in pairwise(layers)]
        return (*masks, degrees.unsqueeze(1).gt(layers[-1].unsqueeze(0)).to(torch.float32))

    class MADE(ref.MADE):
        def forward(self, x):
            hidden = [part for layer in list(self.layers)[:-1] for part in (layer, nn.ReLU())]
            return nn.Sequential(*hidden, self.layers[-1])(x)

    def made_sample(model, x, known, uniforms):
        result = x.clone()
        result[~known] = 0
        with torch.inference_mode():
            for d in model.order.tolist():
                draw = uniforms[:, d] < model(result)[:, d].sigmoid()
                result[:, d] = torch.where(known[:, d], result[:, d], draw.type_as(x))
        return result

    return {"made_masks": made_masks, "MADE": MADE, "made_sample": made_sample}


@alternatives.rewrite("the parent's forward on a masked copy; permutations as matrices; masks as differences of heavisides")
def matrices(ref):
    def made_masks(order, hidden_degrees):
        eye = torch.eye(len(order), device=order.device)[order]
        degrees = eye.T @ torch.arange(1.0, len(order) + 1, device=order.device)
        below, masks = degrees, []
        for above in [h.float() for h in hidden_degrees]:
            masks.append(torch.heaviside(above[:, None] - below[None] + 0.5, torch.zeros(())))
            below = above
        return masks + [torch.heaviside(degrees[:, None] - below[None] - 0.5, torch.zeros(()))]

    class MaskedLinear(nn.Linear):
        def __init__(self, mask):
            super().__init__(mask.shape[1], mask.shape[0])
            self.register_buffer("mask", mask)

        def forward(self, x):
            return torch.addmm(self.bias, x, (self.mask * self.weight).T)

    def made_sample(model, x, known, uniforms):
        shuffle = torch.eye(len(model.order), device=x.device, dtype=x.dtype)[model.order]  # steps = shuffle @ dimensions
        twin = copy.deepcopy(model)
        steps = ref.ancestral_sample(
            lambda s: twin(s @ shuffle) @ shuffle.T, x @ shuffle.T, (known.to(x.dtype) @ shuffle.T) > 0.5, uniforms[:, model.order]
        )
        return steps @ shuffle

    return {"made_masks": made_masks, "MaskedLinear": MaskedLinear, "made_sample": made_sample}


@alternatives.rewrite("recursion in the forward pass; a parametrisation keeps the weight masked")
def parametrised(ref):
    class Times(nn.Module):
        def __init__(self, mask):
            super().__init__()
            self.register_buffer("mask", mask.clone())

        def forward(self, weight):
            return weight * self.mask

    class MaskedLinear(nn.Linear):
        def __init__(self, mask):
            super().__init__(mask.shape[1], mask.shape[0])
            nn.utils.parametrize.register_parametrization(self, "weight", Times(mask))

    class MADE(ref.MADE):
        def forward(self, x, n=0):
            if n == len(self.layers) - 1:
                return self.layers[n](x)
            return self.forward(F.threshold(self.layers[n](x), 0, 0), n + 1)

    return {"MaskedLinear": MaskedLinear, "MADE": MADE}
