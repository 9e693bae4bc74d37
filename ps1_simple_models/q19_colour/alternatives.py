"""Other right versions of the answers to question 19."""

import numpy as np
import torch
from torch import nn

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- ColourNorm ----------------------------------------------------------------------------------------------------

alternatives.at(
    "variance = (centred**2).mean(2, keepdim=True)",
    edit(
        "mean_of_squares",
        "variance as the mean of the squares minus the square of the mean, kept from being negative",
        "variance = ((grouped**2).mean(2, keepdim=True) - grouped.mean(2, keepdim=True) ** 2).clamp(min=0)",
    ),
    edit(
        "var_with_correction",
        "variance by torch.var with correction 0, rsqrt",
        "variance = torch.var(grouped, dim=2, correction=0, keepdim=True)",
        ("centred / torch.sqrt(variance + 1e-5)", "centred * torch.rsqrt(variance + 1e-5)"),
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("loops over channels; LayerNorm of each colour; Jacobian from torch, buffers put back")
def other_ways(ref):
    def colour_mask(kind, in_channels, out_channels, kernel_size):
        mask = np.zeros((out_channels, in_channels, kernel_size, kernel_size))
        c = kernel_size // 2
        for o in range(out_channels):
            for i in range(in_channels):
                mask[o, i, :c], mask[o, i, c, :c] = 1, 1
                colour_o, colour_i = o // (out_channels // 3), i // (in_channels // 3)
                mask[o, i, c, c] = colour_i < colour_o or (kind == "B" and colour_i == colour_o)
        return torch.from_numpy(mask).float()

    class ColourNorm(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.gain = nn.Parameter(torch.ones(channels))
            self.offset = nn.Parameter(torch.zeros(channels))

        def forward(self, a):
            last = a.permute(0, 2, 3, 1)
            parts = [nn.functional.layer_norm(part, part.shape[-1:], eps=1e-5) for part in last.chunk(3, dim=-1)]
            return (torch.cat(parts, dim=-1) * self.gain + self.offset).permute(0, 3, 1, 2)

    def dependence_matrix(model, image):
        buffers = {name: b.clone() for name, b in model.named_buffers()}
        full = torch.autograd.functional.jacobian(lambda x: model(x[None])[0], image)
        with torch.no_grad():
            for name, b in model.named_buffers():
                b.copy_(buffers[name])
        size = image.numel()
        return full.abs().permute(1, 2, 0, 4, 5, 3).reshape(size, size)

    return {"colour_mask": colour_mask, "ColourNorm": ColourNorm, "dependence_matrix": dependence_matrix}


@alternatives.rewrite("backward on a copy, row by row; GroupNorm with three groups on pixels moved into the batch")
def backward_rows(ref):
    import copy

    def dependence_matrix(model, image):
        twin = copy.deepcopy(model)
        _, height, width = image.shape
        rows = []
        for i in range(height):
            for j in range(width):
                for c in range(3):
                    x = image.detach().clone()[None].requires_grad_()
                    twin(x)[0, c, i, j].backward()
                    rows.append(x.grad[0].abs().permute(1, 2, 0).reshape(-1))
        return torch.stack(rows)

    class ColourNorm(ref.ColourNorm):
        def forward(self, a):
            b, c, h, w = a.shape
            pixels = a.permute(0, 2, 3, 1).reshape(-1, c)
            pixels = (
                nn.functional.group_norm(pixels[:, :, None], 3, self.gain, self.offset, 1e-5)[:, :, 0]
                if c > 3
                else self.offset + 0 * pixels
            )
            return pixels.reshape(b, h, w, c).permute(0, 3, 1, 2)

    return {"dependence_matrix": dependence_matrix, "ColourNorm": ColourNorm}


@alternatives.rewrite(
    "a Kronecker product for the mask, LayerNorm in float64, one batched pass backward on the model itself with its "
    "buffers put back"
)
def batched(ref):
    def colour_mask(kind, in_channels, out_channels, kernel_size):
        before = (torch.arange(kernel_size**2) < kernel_size**2 // 2).float().reshape(1, 1, kernel_size, kernel_size)
        mask = before.repeat(out_channels, in_channels, 1, 1)
        colours = torch.ones(3, 3).tril(0 if kind == "B" else -1)
        mask[:, :, kernel_size // 2, kernel_size // 2] = torch.kron(
            colours, torch.ones(out_channels // 3, in_channels // 3)
        )
        return mask

    class ColourNorm(ref.ColourNorm):
        def forward(self, a):
            grouped = a.double().unflatten(1, (3, -1)).movedim(2, -1)
            normal = nn.functional.layer_norm(grouped, grouped.shape[-1:], eps=1e-5).movedim(-1, 2).flatten(1, 2)
            return (normal.movedim(1, -1) * self.gain + self.offset).movedim(-1, 1).to(a.dtype)

    def dependence_matrix(model, image):
        saved = [buffer.clone() for buffer in model.buffers()]
        x = image.clone()[None].requires_grad_()
        output = model(x)[0].movedim(0, -1).flatten()
        (rows,) = torch.autograd.grad(
            output, x, torch.eye(len(output), device=x.device, dtype=x.dtype), is_grads_batched=True
        )
        with torch.no_grad():
            for buffer, value in zip(model.buffers(), saved):
                buffer.copy_(value)
        return rows[:, 0].movedim(1, -1).flatten(1).abs()

    return {"colour_mask": colour_mask, "ColourNorm": ColourNorm, "dependence_matrix": dependence_matrix}
