"""Other right answers to question 2."""

import copy
import math

import torch
from scipy import optimize

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("branches; a search for γ; per-sample gradients by vmap; .data")
def branches(ref):
    def game_step(field, theta, psi, lr_g, lr_c, method):
        if method == "simultaneous":
            g, c = field(theta, psi)
            return theta + lr_g * g, psi + lr_c * c
        if method == "alternating":
            new_psi = psi + lr_c * field(theta, psi)[1]
            new_theta = theta + lr_g * field(theta, new_psi)[0]
            return new_theta, new_psi
        trial_theta, trial_psi = game_step(field, theta, psi, lr_g, lr_c, "simultaneous")
        g, c = field(trial_theta, trial_psi)
        return torch.add(theta, g, alpha=lr_g), torch.add(psi, c, alpha=lr_c)

    def best_gamma(lr_g, lr_c):
        def largest(log_gamma):
            damping = lr_c * math.exp(log_gamma)
            trace, det = 2 - damping, 1 - damping + lr_g * lr_c / 4
            root = trace * trace / 4 - det
            return math.sqrt(det) if root < 0 else abs(trace / 2) + math.sqrt(root)

        low, high = math.log(lr_g / lr_c) - 3, math.log(lr_g / lr_c) + 3
        grid = [low + (high - low) * i / 4000 for i in range(4001)]
        near = min(grid, key=largest)
        return math.exp(optimize.minimize_scalar(largest, bounds=(near - 0.01, near + 0.01), method="bounded", options={"xatol": 1e-10}).x)

    def r1_penalty(critic, x):
        slope = torch.func.vmap(torch.func.grad(lambda one: critic(one[None]).squeeze()))(x.detach())
        return (slope**2).sum() / len(x)

    def update_average(average, model, decay):
        for kept, new in zip(average.parameters(), model.parameters(), strict=True):
            kept.data.mul_(decay).add_(new.data, alpha=1 - decay)
        for kept, new in zip(average.buffers(), model.buffers(), strict=True):
            kept.data.copy_(new.data)

    return {"game_step": game_step, "best_gamma": best_gamma, "r1_penalty": r1_penalty, "update_average": update_average}


@alternatives.rewrite("a loop over samples; a new state dict; names; the eigenvalues' root set to zero")
def loops(ref):
    def game_step(field, theta, psi, lr_g, lr_c, method):
        at = {"simultaneous": (theta, psi)}
        if method == "alternating":
            psi_new = psi + lr_c * field(theta, psi)[1]
            at["alternating"] = (theta, psi_new)
        if method == "extragradient":
            first = field(theta, psi)
            at["extragradient"] = (theta + lr_g * first[0], psi + lr_c * first[1])
        d_theta = field(*at[method])[0]
        d_psi = field(*at[method])[1] if method != "alternating" else field(theta, psi)[1]
        return theta + d_theta * lr_g, psi + d_psi * lr_c

    def best_gamma(lr_g, lr_c):
        return torch.tensor(lr_g * lr_c).sqrt() / lr_c

    def r1_penalty(critic, x):
        total = 0.0
        for one in x.detach():
            one = one[None].clone().requires_grad_(True)
            slope = torch.autograd.grad(critic(one).squeeze(), one, create_graph=True)[0]
            total = total + torch.linalg.vector_norm(slope) ** 2
        return total / x.shape[0]

    def update_average(average, model, decay):
        trained = {name for name, _ in model.named_parameters(remove_duplicate=False)}
        new = model.state_dict()
        mixed = {name: decay * old + (1 - decay) * new[name] if name in trained else new[name] for name, old in average.state_dict().items()}
        average.load_state_dict(mixed)

    return {"game_step": game_step, "best_gamma": best_gamma, "r1_penalty": r1_penalty, "update_average": update_average}


@alternatives.rewrite("float64 within; foreach; norms; a copy of x with detach and clone")
def wide(ref):
    def game_step(field, theta, psi, lr_g, lr_c, method):
        d = list(field(theta, psi))
        if method == "alternating":
            d[0] = field(theta, psi + d[1] * lr_c)[0]
        elif method == "extragradient":
            d = field(theta + d[0] * lr_g, psi + d[1] * lr_c)
        return [(theta.double() + lr_g * d[0].double()).to(theta.dtype), (psi.double() + lr_c * d[1].double()).to(psi.dtype)]

    def best_gamma(lr_g, lr_c):
        return (lr_g / lr_c) ** 0.5

    def r1_penalty(critic, x):
        x = x.detach().clone()
        x.requires_grad = True
        logits = critic(x)
        slope = torch.autograd.grad(logits, x, torch.ones_like(logits), create_graph=True, retain_graph=True)[0]
        return slope.reshape(len(x), -1).norm(2, dim=1).pow(2).mean()

    @torch.no_grad()
    def update_average(average, model, decay):
        torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
        theirs = dict(model.named_buffers())
        for name, kept in average.named_buffers():
            kept[...] = theirs[name]
        return average

    return {"game_step": game_step, "best_gamma": best_gamma, "r1_penalty": r1_penalty, "update_average": update_average}


@alternatives.rewrite("a copied model holds the old values; a Jacobian for the slopes; sums of squares over all axes")
def copies(ref):
    def r1_penalty(critic, x):
        slope = torch.autograd.functional.jacobian(lambda z: critic(z).sum(), x.detach(), create_graph=True)
        return slope.square().flatten().sum() / x.size(0)

    @torch.no_grad()
    def update_average(average, model, decay):
        before = copy.deepcopy(average)
        average.load_state_dict(model.state_dict())
        for kept, old in zip(average.parameters(), before.parameters(), strict=True):
            kept.copy_((1 - decay) * kept + decay * old)

    return {"r1_penalty": r1_penalty, "update_average": update_average}
