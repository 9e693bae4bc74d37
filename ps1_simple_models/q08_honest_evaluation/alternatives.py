"""Other right versions of the answers to question 8."""

import copy
import math

import numpy as np
import torch
from scipy import stats

from autograder.probes import Alternatives, edit
from dgm import data

alternatives = Alternatives()

# --- evaluate ------------------------------------------------------------------------------------------------------

alternatives.at(
    """
    with torch.no_grad():
        total = sum(model(batch).sum().item() for batch in data.batches(x, batch_size, None))
    model.train(was_training)
    """,
    edit("frozen", "the parameters are frozen while the model is evaluated",
         """
         needed = [p.requires_grad for p in model.parameters()]
         model.requires_grad_(False)
         total = sum(model(batch).sum().item() for batch in data.batches(x, batch_size, None))
         for p, flag in zip(model.parameters(), needed):
             p.requires_grad_(flag)
         model.train(was_training)
         """),
    edit("weighted_means", "batch means, weighted by the sizes",
         """
         with torch.no_grad():
             total = 0.0
             for batch in data.batches(x, batch_size, None):
                 total += len(batch) * float(model(batch).mean())
         if was_training:
             model.train()
         """),
)

# --- train_and_log -------------------------------------------------------------------------------------------------

alternatives.at(
    """
    for _ in range(epochs):
        model.train()
        for batch in data.batches(train_x, batch_size, generator):
            loss = model(batch).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    """,
    edit("mode_once", "training mode is switched on once, gradients are reset after the step",
         """
         model.train()
         for _ in range(epochs):
             for batch in data.batches(train_x, batch_size, generator):
                 loss = model(batch).sum() / len(batch)
                 loss.backward()
                 optimiser.step()
                 optimiser.zero_grad()
         """),
    edit("autograd_grad", "gradients by torch.autograd.grad, one fused optimiser",
         """
         optimiser = torch.optim.Adam(list(model.parameters()), lr=learning_rate, foreach=False)
         for _ in range(epochs):
             model.train(True)
             order = torch.randperm(len(train_x), generator=generator, device=generator.device).to(train_x.device)
             for batch in train_x[order].split(batch_size):
                 loss = torch.mean(model(batch))
                 for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))):
                     p.grad = g
                 optimiser.step()
         """),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("inference mode, chunks by slicing, one generator of steps, Adam written out")
def other_loops(ref):
    def evaluate(model, x, batch_size):
        mode = model.training
        try:
            model.eval()
            total = torch.zeros((), dtype=torch.float64)
            with torch.inference_mode():
                for start in range(0, len(x), batch_size):
                    batch = x[start : start + batch_size]
                    total += model(batch).double().mean().cpu() * len(batch) / len(x)
        finally:
            model.train(mode)
        return float(total)

    def train_and_log(model, train_x, test_x, epochs, batch_size, learning_rate, generator):
        per_epoch = math.ceil(len(train_x) / batch_size)
        train_losses, test_losses = [], [evaluate(model, test_x, batch_size)]
        moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in model.parameters()]
        for step, batch in enumerate(data.batches(train_x, batch_size, generator, steps=epochs * per_epoch), start=1):
            model.train()
            model.zero_grad()
            loss = model(batch).mean()
            loss.backward()
            with torch.no_grad():
                for p, (m, v) in zip(model.parameters(), moments):
                    m.mul_(0.9).add_(0.1 * p.grad)
                    v.mul_(0.999).add_(0.001 * p.grad**2)
                    p -= learning_rate * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8)
            train_losses.append(float(loss))
            if step % per_epoch == 0:
                test_losses.append(evaluate(model, test_x, batch_size))
        return train_losses, test_losses

    return {"evaluate": evaluate, "train_and_log": train_and_log}


@alternatives.rewrite("NumPy statistics, concatenated scores, losses as NumPy numbers; a counterexample by search")
def statistics(ref):
    @torch.no_grad()
    def evaluate(model, x, batch_size):
        mode = model.training
        model.eval()
        scores = torch.cat([model(part) for part in x.split(batch_size)])
        model.train(mode)
        return scores.mean()

    def paired_difference(nll_a, nll_b):
        d = (nll_a.double() - nll_b.double()).cpu().numpy()
        return d.mean(), d.std(ddof=1) / len(d) ** 0.5

    def counterexample(n, batch_size):
        start = n - n % batch_size
        b = torch.full((n,), 1000.0)
        high = 0.0
        while True:
            a = b.clone()
            a[:start] -= 100 * n
            a[start:] += high
            if ref.quick_mean(a, batch_size) > ref.quick_mean(b, batch_size) + 1:
                break
            high += n // 2
        return a, b

    return {"evaluate": evaluate, "paired_difference": paired_difference, "counterexample": counterexample}


@alternatives.rewrite("a copy of the model is evaluated; covariances; b carries the last batch")
def on_a_copy(ref):
    @torch.no_grad()
    def evaluate(model, x, batch_size):
        twin = copy.deepcopy(model).eval()
        return float(sum(twin(part).sum() for part in x.split(min(batch_size, len(x)))) / len(x))

    def paired_difference(nll_a, nll_b):
        both = torch.stack([nll_a, nll_b]).double()
        table = torch.cov(both)
        return both.mean(1).diff().neg().item(), (
            (table[0, 0] + table[1, 1] - 2 * table[0, 1]) / len(nll_a)
        ).sqrt().item()

    def counterexample(n, batch_size):
        rest = n % batch_size
        b = [20.0 * n] * (n - rest) + [-10.0 * n * (n - rest) * (1 / rest + 1 / batch_size)] * rest
        return torch.zeros(n), torch.tensor(b)

    return {"evaluate": evaluate, "paired_difference": paired_difference, "counterexample": counterexample}


@alternatives.rewrite("SciPy; the difference is spread over both models, in float64")
def scipy_statistics(ref):
    def paired_difference(nll_a, nll_b):
        d = (nll_a - nll_b).numpy()
        return float(np.mean(d)), float(stats.sem(d))

    def counterexample(n, batch_size):
        a, b = ref.counterexample(n, batch_size)
        return 7 + 0.5 * a.double(), 7 - 0.5 * a.double()

    return {"paired_difference": paired_difference, "counterexample": counterexample}
