"""Other right versions of the answers to question 11."""

from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional as F

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- MaskedLinear --------------------------------------------------------------------------------------------------

alternatives.at(
    """
    self.register_buffer("mask", mask.clone())
    """,
    edit(
        "signed",
        "a buffer that is not saved, weights masked when made as well; logsigmoid of signed logits; an optimiser "
        "without foreach",
        """
         self.register_buffer("mask", mask.bool(), persistent=False)
         self.weight.data.mul_(mask)
         """,
        (
            'return -F.binary_cross_entropy_with_logits(model(x), x, reduction="none").sum(1)',
            "return F.logsigmoid((2 * x - 1) * model(x).double()).sum(1)",
        ),
        ("lr=learning_rate)", "lr=learning_rate, foreach=False)"),
    ),
)

alternatives.at(
    """
    return F.linear(x, self.weight * self.mask, self.bias)
    """,
    edit(
        "masks_in_place",
        "the layer masks its weight.data at every use; the forward pass as a loop with an index",
        """
         self.weight.data = self.weight.data * self.mask
         out = x @ self.weight.T + self.bias
         if self.weight.requires_grad and out.requires_grad:
             mask = self.mask
             out = x @ (self.weight * mask).T + self.bias
         return out
         """,
        (
            """
         for layer in self.layers[:-1]:
             x = F.relu(layer(x))
         return self.layers[-1](x)
         """,
            """
         for n, layer in enumerate(self.layers):
             x = layer(x)
             if n < len(self.layers) - 1:
                 x = x.clamp(min=0)
         return x
         """,
        ),
    ),
    edit(
        "where",
        "torch.where in the layer; the first pass of sampling starts from given bits of any value",
        """
         weight = torch.where(self.mask > 0, self.weight, torch.zeros_like(self.weight))
         return torch.einsum('ni,oi->no', x, weight) + self.bias
         """,
        (
            """
         x = torch.zeros_like(uniforms)
         """,
            "x = (uniforms > 0.5).to(uniforms.dtype)",
        ),
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("loops in Python and NumPy; logsigmoid; samples that start from ones, in float64")
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

    def made_log_prob(model, x):
        logits = model(x)
        return (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(dim=-1)

    @torch.no_grad()
    def made_sample(model, uniforms):
        x = torch.ones_like(uniforms)
        for d in model.order:
            new = x.clone()
            new[:, d] = (uniforms[:, d].double() < 1 / (1 + torch.exp(-model(x)[:, d].double()))).float()
            x = new
        return x.double()

    return {"made_masks": made_masks, "made_log_prob": made_log_prob, "made_sample": made_sample}


@alternatives.rewrite("argsort for the degrees, boolean masks; Bernoulli distributions; history of tensors")
def library(ref):
    def made_masks(order, hidden_degrees):
        degrees = torch.argsort(order) + 1
        layers = [degrees, *hidden_degrees]
        masks = [above.unsqueeze(1) >= below.unsqueeze(0) for below, above in pairwise(layers)]
        return [*masks, degrees.unsqueeze(1) > layers[-1].unsqueeze(0)]

    def made_log_prob(model, x):
        return torch.distributions.Independent(torch.distributions.Bernoulli(logits=model(x)), 1).log_prob(x)

    def train_made(model, x, steps, batch_size, learning_rate, generator):
        optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.0)
        losses = []
        for batch in ref.data.batches(x, batch_size, generator, steps=steps):
            model.zero_grad(set_to_none=True)
            loss = F.binary_cross_entropy_with_logits(model(batch), batch, reduction="sum") / len(batch)
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
        return losses

    return {"made_masks": made_masks, "made_log_prob": made_log_prob, "train_made": train_made}
