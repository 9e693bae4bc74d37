"""What probes of questions with networks need: random weights and masks, and what a masked layer does after steps, loading, copies, moves."""

import copy

import torch

from dgm.checks.asking import tensor_of


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


def trained_output(layer, x, target, test):
    """The layer's output after three steps from weights 0, so that its own initial values have no say."""
    with torch.no_grad():
        for p in layer.parameters():
            if p.dim() == 1:
                p.fill_(0.25)
            elif p.requires_grad:
                p.mul_(0)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.2, momentum=0.5)
    for _ in range(3):
        optimiser.zero_grad()
        output = tensor_of(layer(x), "the output", target.shape)
        if not output.requires_grad:
            return "the output carries no gradient, so nothing can be trained."
        (output - target).square().mean().backward()
        optimiser.step()
    return layer(test).detach().clone()


def loaded_output(layer, other, test, training=False, graph=False):
    """The output with the weights of another layer, in one of the modes, with or without a graph."""
    layer.load_state_dict(other.state_dict())
    with torch.set_grad_enabled(graph):
        return layer.train(training)(test)


def weights_of(layer):
    """The parameters with as many axes as any has: the weight, and a mask that should not be among them."""
    axes = max((p.dim() for p in layer.parameters()), default=0)
    return [p for p in layer.parameters() if p.dim() == axes]


def weight_gradient(layer, mask, test):
    """The gradient of the weights where the mask is 1; elsewhere it is the layer's own matter."""
    layer.zero_grad()
    layer(test).square().mean().backward()
    gradients = [mask * p.grad for p in weights_of(layer) if p.grad is not None]
    if len(gradients) > 1:
        return "the gradient reaches more than the weight and the bias."
    return gradients[0] if gradients else "the gradient does not reach the weights."


def copy_with(layer, weights, test):
    """The output of a deep copy that has other weights; the bias stays."""
    twin = copy.deepcopy(layer)
    with torch.no_grad():
        for p in weights_of(twin):
            if p.requires_grad:
                p.copy_(weights)
        return twin(test)


def in_bfloat16(layer, x):
    """The output of a layer and an input in bfloat16, whose small whole numbers are exact."""
    return tensor_of(layer.to(torch.bfloat16)(x.to(torch.bfloat16)), "the output").float()


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
