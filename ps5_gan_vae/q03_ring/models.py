"""Question 3: planted networks for the probes, what is asked of a student's networks, and right answers that stand in for a student's."""

import torch
from torch import nn
from torch.nn import functional as F


class Planted(nn.Module):
    """A small curved network of which no two parameters are alike; counts the gradients that come back through its output."""

    def __init__(self, rng, inputs, outputs, dtype=torch.float64, size=1.0):
        super().__init__()
        self.enter = nn.Parameter(rng.normal(inputs, 3, dtype=dtype))
        self.leave = nn.Parameter(size * rng.normal(3, outputs or 1, dtype=dtype))
        self.offset = nn.Parameter(0.3 * size * rng.normal(outputs or 1, dtype=dtype))
        self.flat, self.came_back = not outputs, 0

    def forward(self, x):
        out = torch.tanh(x @ self.enter) @ self.leave + self.offset
        if out.requires_grad:
            out.register_hook(self.count)
        return out.squeeze(-1) if self.flat else out

    def count(self, grad):
        self.came_back += 1


def weights(model):
    """All parameters in one vector."""
    return torch.cat([each.detach().reshape(-1) for each in model.parameters()])


def slopes_of(model):
    """All gradients that parameters hold, in one vector; zeros where there are none."""
    return torch.cat([torch.zeros_like(each).reshape(-1) if each.grad is None else each.grad.detach().reshape(-1) for each in model.parameters()])


def stale(model, rng):
    """Leave gradients of something else in the parameters."""
    for each in model.parameters():
        each.grad = rng.normal(*each.shape, dtype=each.dtype)


def linears_in_order(model, x):
    """The Linear layers of a model, in the order in which they are called."""
    order, handles = [], []
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            handles.append(layer.register_forward_hook(lambda layer, *_: order.append(layer)))
    try:
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    return order


def sizes(model, x):
    """(in, out) of the Linear layers, in the order of their calls."""
    return [[layer.in_features, layer.out_features] for layer in linears_in_order(model, x)]


def plant(model, x, rng, size=1.0, positive=False):
    """Put known numbers into the Linear layers of a model, in the order of their calls, and give it back in eval mode."""
    model.eval()
    layers = linears_in_order(model, x)
    with torch.no_grad():
        for layer in layers:
            for part, scale in ((layer.weight, size / layer.in_features**0.5), (layer.bias, 0.3)):
                if part is not None:
                    values = scale * rng.normal(*part.shape)
                    part.copy_(values.abs() if positive else values)
    return model


class Dealing:
    """Deals new batches, and notes what it was asked for."""

    def __init__(self, batches):
        self.batches, self.asked = batches, []

    def __call__(self, updates):
        self.asked.append(updates)
        return self.batches(updates)


def stepping(net, kind, lr):
    """An optimiser that counts its steps."""
    kinds = {"sgd": lambda: torch.optim.SGD(net.parameters(), lr), "adam": lambda: torch.optim.Adam(net.parameters(), 0.1 * lr, (0.5, 0.9))}
    optimiser = kinds[kind]()
    optimiser.steps = 0

    def count(*_):
        optimiser.steps += 1

    optimiser.register_step_post_hook(count)
    return optimiser


def small_networks(rng):
    """A generator and a critic for the plane that learn in a moment."""
    nets = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2), nn.Tanh()), nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1), nn.Flatten(0))
    with torch.no_grad():
        for net in nets:
            for layer in net:
                if isinstance(layer, nn.Linear):
                    layer.weight.copy_(rng.normal(*layer.weight.shape) / layer.in_features**0.5)
                    layer.bias.zero_()
    return tuple(net.to(rng.device) for net in nets)


def _discriminator_loss_right(real_logits, fake_logits):
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def _r1_right(critic, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0].square().sum(1).mean()


def gan_round_right(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
    """A right round, while `train_gan` is asked."""
    for x, z in zip(real, noise):
        with torch.no_grad():
            fake = generator(z)
        critic_optimiser.zero_grad()
        (_discriminator_loss_right(critic(x), critic(fake)) + gamma * _r1_right(critic, x)).backward()
        critic_optimiser.step()
    generator_optimiser.zero_grad()
    F.softplus(-critic(generator(noise[-1]))).mean().backward()
    generator_optimiser.step()
    critic_optimiser.zero_grad()
