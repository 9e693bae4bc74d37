"""Other right versions of the answers to question 14."""

import copy
import math

import torch

from autograder.probes import Alternatives, edit
from dgm import data

alternatives = Alternatives()

# --- evaluate ------------------------------------------------------------------------------------------------------

alternatives.at(
    """
    with torch.no_grad():
    """,
    edit(
        "frozen",
        "the parameters are frozen while the model is evaluated",
        """
         needed = [p.requires_grad for p in model.parameters()]
         model.requires_grad_(False)
         if True:
         """,
        (
            """
         model.train(was_training)
         return total / len(x)
         """,
            """
         for p, flag in zip(model.parameters(), needed):
             p.requires_grad_(flag)
         model.train(was_training)
         return total / len(x)
         """,
        ),
    ),
)

# --- select_on_validation ------------------------------------------------------------------------------------------

alternatives.at(
    "means = torch.where(means.isfinite(), means, math.inf)",
    edit("nan_to_num", "diverged models by nan_to_num", "means = means.nan_to_num(nan=math.inf, posinf=math.inf)"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("weighted means, inference mode, chunks by slicing, one generator of steps")
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
        for step, batch in enumerate(data.batches(train_x, batch_size, generator, steps=epochs * per_epoch)):
            model.train()
            model.zero_grad()
            loss = model(batch).mean()
            loss.backward()
            with torch.no_grad():
                for p in model.parameters():
                    p -= learning_rate * p.grad
            train_losses.append(float(loss))
            if (step + 1) % per_epoch == 0:
                test_losses.append(evaluate(model, test_x, batch_size))
        return train_losses, test_losses

    return {"evaluate": evaluate, "train_and_log": train_and_log}


@alternatives.rewrite("NumPy statistics, concatenated scores, torch.split")
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

    def select_on_validation(validation_nll, test_nll):
        good = [i for i in range(len(validation_nll)) if bool(validation_nll[i].isfinite().all())]
        best = min(good, key=lambda i: float(validation_nll[i].mean()))
        return torch.tensor(best), test_nll[best].double().mean()

    return {"evaluate": evaluate, "paired_difference": paired_difference, "select_on_validation": select_on_validation}


@alternatives.rewrite("the best index among the finite models; a copy of the model is evaluated; covariances")
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

    def select_on_validation(validation_nll, test_nll):
        finite = torch.nonzero(validation_nll.isfinite().all(1)).flatten()
        best = finite[validation_nll[finite].mean(1).argmin()]
        return best, test_nll[best].mean()

    return {"evaluate": evaluate, "paired_difference": paired_difference, "select_on_validation": select_on_validation}
