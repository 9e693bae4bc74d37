"""Other right versions of the answers to question 4."""

import math

import torch

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- constrain -----------------------------------------------------------------------------------------------------

alternatives.at(
    "return torch.log_softmax(logits, dim=-1), means, raw.tril(-1) + torch.diag_embed(scales)",
    edit(
        "exp_then_mask",
        "the diagonal by masks; gradients detached one by one; the mean as a sum over N",
        "eye = torch.eye(raw.shape[-1], dtype=raw.dtype, device=raw.device); return F.log_softmax(logits, 0), means, "
        "torch.where(eye.bool(), torch.where(eye.bool(), raw, 0.0).exp(), raw.tril())",
        (
            "return -torch.logsumexp(log_weights + log_prob, dim=-1).mean()",
            "return -torch.logsumexp(log_weights + log_prob, dim=-1).sum().div(len(x))",
        ),
        (
            """
         with torch.no_grad():
             grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]
         """,
            """
         params = [p.data for p in params]
         if True:
             grads = [g + weight_decay * p for p, g in zip(params, grads, strict=True)]
         """,
        ),
    ),
)

# --- gmm_nll -------------------------------------------------------------------------------------------------------

alternatives.at(
    "log_scales = params[2].diagonal(dim1=-2, dim2=-1)",
    edit(
        "log_of_diagonal",
        "log-determinant from the factor's diagonal; inverse of the factor for the solve; scatter of the diagonal",
        "log_scales = factors.diagonal(dim1=-2, dim2=-1).log()",
        ("y = torch.linalg.solve_triangular(factors, centred, upper=False)", "y = torch.linalg.inv(factors) @ centred"),
        (
            "return torch.log_softmax(logits, dim=-1), means, raw.tril(-1) + torch.diag_embed(scales)",
            "return logits - logits.logsumexp(-1, keepdim=True), means, torch.diagonal_scatter(raw.tril(), scales, "
            "dim1=-2, dim2=-1)",
        ),
    ),
)

alternatives.at(
    "y = torch.linalg.solve_triangular(factors, centred, upper=False)",
    edit(
        "cholesky_solve",
        "the Mahalanobis distance by two triangular solves; the maximum taken out of the sum by hand; the mean "
        "in a loop",
        "square = (centred * torch.cholesky_solve(centred, factors)).sum(1).T",
        ("-0.5 * y.square().sum(1).T", "-0.5 * square"),
        (
            """
         return -torch.logsumexp(log_weights + log_prob, dim=-1).mean()
         """,
            """
         log_joint = log_weights + log_prob
         top = log_joint.max(-1, keepdim=True).values
         return -sum(row for row in top[:, 0] + (log_joint - top).exp().sum(-1).log()) / len(x)
         """,
        ),
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("loops over components, in float64; lists for tuples")
def loops(ref):
    def constrain(params):
        logits, means, raw = params
        factors = torch.zeros_like(raw)
        k, d, _ = raw.shape
        for i in range(d):
            factors[:, i, i] = raw[:, i, i].exp()
            for j in range(i):
                factors[:, i, j] = raw[:, i, j]
        return [logits - logits.logsumexp(0), means, factors]

    def gmm_nll(params, x):
        log_weights, means, factors = constrain([p.double() for p in params])
        total = []
        for k, mean in enumerate(means):
            z = torch.cholesky_solve((x.double() - mean).T, factors[k])
            square = ((x.double() - mean).T * z).sum(0)
            total.append(
                log_weights[k] - 0.5 * (square + len(mean) * math.log(2 * math.pi)) - factors[k].diagonal().log().sum()
            )
        return -torch.stack(total).logsumexp(0).sum() / len(x)

    def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
        new_params, new_velocity = [], []
        for p, g, v in zip(params, grads, velocity):
            p, g = p.detach(), g.detach()
            v = momentum * v + (g + weight_decay * p)
            new_params.append(p - lr * v)
            new_velocity.append(v)
        return new_params, new_velocity

    def train(loss, params, x, steps, batch_size, lr, momentum, generator):
        velocity, history, queue = [torch.zeros_like(p) for p in params], [], []
        for _ in range(steps):
            if len(queue) == 0:
                queue = torch.randperm(len(x), generator=generator, device=generator.device)
            batch, queue = x[queue[:batch_size]], queue[batch_size:]
            params = [p.detach().clone().requires_grad_(True) for p in params]
            value = loss(params, batch)
            value.backward()
            history.append(value.item())
            params, velocity = sgd_step(params, [p.grad for p in params], velocity, lr, momentum)
        return params, torch.tensor(history, dtype=params[0].dtype, device=params[0].device)

    return {"constrain": constrain, "gmm_nll": gmm_nll, "sgd_step": sgd_step, "train": train}


@alternatives.rewrite("torch.optim.SGD makes the steps")
def library(ref):
    def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
        leaves = [p.detach().clone().requires_grad_() for p in params]
        optimiser = torch.optim.SGD(leaves, lr=lr, momentum=momentum, weight_decay=weight_decay)
        for leaf, g, v in zip(leaves, grads, velocity):
            leaf.grad = g.clone()
            if momentum:
                optimiser.state[leaf]["momentum_buffer"] = v.clone()
        optimiser.step()
        if momentum:
            new_velocity = [optimiser.state[leaf]["momentum_buffer"] for leaf in leaves]
        else:
            new_velocity = [g + weight_decay * p.detach() for g, p in zip(grads, params)]
        return [leaf.detach() for leaf in leaves], new_velocity

    def train(loss, params, x, steps, batch_size, lr, momentum, generator):
        leaves = [p.detach().clone().requires_grad_() for p in params]
        optimiser = torch.optim.SGD(leaves, lr=lr, momentum=momentum)
        history = []
        while len(history) < steps:
            order = torch.randperm(len(x), generator=generator, device=generator.device)
            for index in order.split(batch_size):
                if len(history) == steps:
                    break
                optimiser.zero_grad()
                value = loss(leaves, x[index])
                value.backward()
                optimiser.step()
                history.append(value.detach())
        return tuple(leaf.detach() for leaf in leaves), torch.stack(history)

    return {"sgd_step": sgd_step, "train": train}


@alternatives.rewrite("the permutations of all passes drawn first; a tensor of losses filled in; autograd by `torch.func`")
def all_batches_first(ref):
    def train(loss, params, x, steps, batch_size, lr, momentum, generator):
        order, batches = [], []
        while len(batches) < steps:
            order = torch.randperm(len(x), generator=generator, device=generator.device)
            batches.extend(x[order[i : i + batch_size]] for i in range(0, len(x), batch_size))
        params = tuple(p.detach().clone() for p in params)
        velocity, history = tuple(p * 0 for p in params), None
        for t, batch in enumerate(batches[:steps]):
            grads, value = torch.func.grad_and_value(loss)(params, batch)
            history = value.new_zeros(steps) if history is None else history
            history[t] = value
            params, velocity = ref.sgd_step(params, grads, velocity, lr, momentum)
        return params, history

    return {"train": train}


@alternatives.rewrite("leaves that stay, updated in place under no_grad; the loss kept on `.data`")
def leaves_in_place(ref):
    def train(loss, params, x, steps, batch_size, lr, momentum, generator):
        leaves = [torch.tensor(p.detach().numpy(), requires_grad=True) for p in params]
        speeds, losses = [torch.zeros_like(p) for p in leaves], []
        for batch in ref.data.batches(x, batch_size, generator, steps=steps):
            for leaf in leaves:
                leaf.grad = None
            value = loss(tuple(leaves), batch)
            losses.append(value.data.reshape(1))
            value.backward()
            with torch.no_grad():
                for leaf, speed in zip(leaves, speeds):
                    speed.mul_(momentum).add_(leaf.grad)
                    leaf -= lr * speed
        return [leaf.detach() for leaf in leaves], torch.cat(losses)

    return {"train": train}


@alternatives.rewrite("torch.distributions has the Gaussians; the sum by logaddexp")
def distributions(ref):
    def gmm_nll(params, x):
        log_weights, means, factors = ref.constrain(params)
        total = None
        for log_weight, mean, factor in zip(log_weights, means, factors):
            joint = log_weight + torch.distributions.MultivariateNormal(mean, scale_tril=factor, validate_args=False).log_prob(x)
            total = joint if total is None else torch.logaddexp(total, joint)
        return -total.mean()

    return {"gmm_nll": gmm_nll}
