"""What probes of questions with networks need: random weights and masks, and where a layer lies after a move."""

import torch


def named_weights(module):
    """The parameters by name, without the prefix that a parametrisation adds."""
    return {name.replace("parametrizations.", "").replace(".original", ""): p for name, p in module.named_parameters()}


def fill(module, rng, scale=0.6, keep=None):
    """Set all parameters to seeded numbers, whatever their order.

    keep: prefix -> mask of kernel positions of its 4-d weight that get a number; the others get 0, so that the
        student's mask has no say there.
    """
    named = named_weights(module)
    with torch.no_grad():
        for name in sorted(named):
            if named[name].requires_grad:
                named[name].copy_(rng.normal(*named[name].shape, std=scale))
                for prefix, positions in (keep or {}).items():
                    if name.startswith(prefix) and named[name].dim() == 4:
                        named[name].mul_(positions.to(named[name].device))
    return module.to(rng.device)


def some_mask(rng, *shape):
    """A random mask that has zeros and ones."""
    mask = rng.bernoulli(*shape).reshape(-1)
    mask[0], mask[-1] = 1.0, 0.0
    return mask.reshape(shape)


def device_after_a_move(layer, x):
    """Where the output lies when the layer and its input have moved.

    The device "meta" holds no numbers: if the layer needs to look at them, the places of its tensors are the answer.
    """
    layer.to("meta")
    try:
        return layer(x.to("meta")).device.type
    except (NotImplementedError, RuntimeError):
        kept = [value for module in layer.modules() for value in vars(module).values()]
        for value in kept:
            if isinstance(value, (list, tuple, dict)):
                kept += value.values() if isinstance(value, dict) else value
        return next((value.device.type for value in kept if torch.is_tensor(value) and not value.is_meta), "meta")


class Notes(list):
    """A list that a copy of the model shares: working with a copy is right, too."""

    def __deepcopy__(self, memo):
        return self
