"""Takes an answer apart, with errors that a student understands."""

import torch


def named(parts, *names):
    """Parts of a tuple with their names, so that a message can say which one is wrong."""
    if len(parts) != len(names):
        raise ValueError(f"{len(parts)} things are returned where {len(names)} are expected: {', '.join(names)}")
    return dict(zip(names, parts))


def gradient(result, output, **inputs):
    """Gradients of the sum of an answer's output by its inputs; ``result`` is what messages call the output."""
    if not isinstance(output, torch.Tensor) or not output.requires_grad:
        raise ValueError(
            f"{result} carries no gradient: compute with torch operations, without .item(), .detach() or NumPy"
        )
    grads = torch.autograd.grad(output.sum(), list(inputs.values()), allow_unused=True)
    for key, grad in zip(inputs, grads, strict=True):
        if grad is None:
            raise ValueError(f"{result} does not depend on {key} through torch operations, so it has no gradient there")
    return list(grads)
