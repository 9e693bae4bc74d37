"""Question 7: small models, optimisers and texts for the probes."""

import torch
from torch import nn
from torch.nn import functional as F

from dgm.checks.answers import AnswerError


def mean_cost(logits, targets, ignore=-100):
    """Stands for `cross_entropy` while a step is asked."""
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=ignore)


class Reader(nn.Module):
    """A language model that sees two tokens, and notes what it is asked. Its level counts calls in training mode, and one weight is not used."""

    def __init__(self, rng, vocab=5, dim=3, gain=1.0, dtype=torch.float32):
        super().__init__()
        self.embedding = nn.Parameter(gain * rng.normal(vocab, dim, dtype=dtype))
        self.matrix = nn.Parameter(rng.normal(dim, dim, dtype=dtype))
        self.head = nn.Parameter(gain * rng.normal(dim, vocab, dtype=dtype))
        self.unused = nn.Parameter(rng.normal(2, dtype=dtype))
        self.frozen = nn.Parameter(rng.normal(vocab, dtype=dtype), requires_grad=False)
        self.register_buffer("level", torch.zeros((), dtype=dtype))
        self.asked, self.modes = [], []
        self.to(rng.device)

    def forward(self, ids):
        self.asked.append(ids.detach().clone())
        self.modes.append(float(self.training))
        x = self.embedding[ids]
        x = x + 0.5 * F.pad(x, (0, 0, 1, 0))[:, :-1]
        return torch.tanh(x @ self.matrix) @ self.head + self.frozen * (1 + 0.1 * self.level)


class Noted(torch.optim.SGD):
    """Plain descent that notes how often it was called."""

    def __init__(self, params, lr):
        super().__init__(params, lr=lr)
        self.calls = 0

    def step(self, closure=None):
        self.calls += 1
        super().step()


def weights(model):
    """All that a model holds, in one vector."""
    return torch.cat([value.detach().double().reshape(-1) for _, value in sorted(model.state_dict().items())])


def chain(rng, n, length, vocab=5):
    """Rows of a language in which each token is followed by one of two, four times as often by the first."""
    rows = [rng.integers(0, vocab, n)]
    for _ in range(length - 1):
        rows.append((rows[-1] + 1 + 2 * rng.bernoulli(n, p=0.2).long()) % vocab)
    return torch.stack(rows, 1)


def advance(run, n):
    """Some steps of a run, as `train` makes them, with right parts."""
    for _ in range(n):
        for group in run.optimiser.param_groups:
            group["lr"] = 0.2 / (1 + run.step)
        places = torch.randint(len(run.rows), (3,), generator=run.generator, device=run.generator.device)
        rows = run.rows[places.to(run.rows.device)]
        run.optimiser.zero_grad()
        mean_cost(run.model(rows[:, :-1]), rows[:, 1:]).backward()
        run.optimiser.step()
        with torch.no_grad():
            run.model.level += 1
        run.step += 1


def what_remains(run):
    """What a run holds."""
    if isinstance(run.step, bool) or not isinstance(run.step, int):
        raise AnswerError(f"`step` of the run is of type {type(run.step).__name__} where an int is expected")
    return {
        "weights": weights(run.model),
        "steps done": run.step,
        "next numbers of the generator": torch.rand(4, generator=run.generator, device=run.generator.device),
    }


def right_newton_schulz(matrix, steps=5):
    """The iteration."""
    x = matrix / (matrix.norm() + 1e-7)
    if x.shape[0] > x.shape[1]:
        return right_newton_schulz(matrix.T, steps).T
    for _ in range(steps):
        s = x @ x.T
        x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s) @ x
    return x


def bent(matrix, steps=5):
    """Stands for `newton_schulz` in public: odd, blind for the scale, the same for a transposed matrix."""
    return torch.tanh(2 * matrix / (matrix.norm() + 1e-7))


def right_adamw(weight, grad, m, v, step, lr, betas=(0.9, 0.95), eps=1e-8, decay=0.1):
    """A step of AdamW."""
    m, v = betas[0] * m + (1 - betas[0]) * grad, betas[1] * v + (1 - betas[1]) * grad**2
    quotient = m / (1 - betas[0] ** step) / ((v / (1 - betas[1] ** step)).sqrt() + eps)
    return (1 - lr * decay) * weight - lr * quotient, m, v


class Layered(nn.Module):
    """A language model with the parts of a `GPT`: embedding, blocks with matrices, norm, a head of its own."""

    def __init__(self, rng, vocab=5, dim=4):
        super().__init__()
        self.embedding, self.norm = nn.Embedding(vocab, dim), nn.LayerNorm(dim, bias=False)
        self.blocks = nn.ModuleList(nn.ModuleDict({"norm": nn.LayerNorm(dim, bias=False), "wide": nn.Linear(dim, 6, bias=False), "tall": nn.Linear(6, dim, bias=False)}) for _ in range(2))
        self.head = nn.Linear(dim, vocab, bias=False)
        self.to(rng.device)
        with torch.no_grad():
            for name, p in sorted(self.named_parameters()):
                p.copy_(rng.normal(*p.shape, mean=float("norm" in name), std=0.3))

    def forward(self, ids):
        x = self.embedding(ids)
        for block in self.blocks:
            x = x + block["tall"](torch.tanh(block["wide"](block["norm"](x))))
        return self.head(self.norm(x))
