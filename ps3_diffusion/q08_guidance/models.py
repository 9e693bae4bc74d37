"""Question 8: models and classifiers for the probes, and right answers that stand in for a student's."""

import inspect

import torch
from torch import nn


def of_each(values, like):
    """(N,) with as many axes as another tensor."""
    return values.reshape(-1, *[1] * (like.ndim - 1))


class Answering:
    """Stands for a network with labels 0 … classes - 1 and one more for "none"; each example by itself, no two times or labels alike."""

    def __init__(self, rng, classes=4, dtype=torch.float32):
        self.slopes, self.shifts = (rng.normal(classes + 1, dtype=dtype) for _ in range(2))

    def __call__(self, x_t, t, y):
        n, last = len(x_t), len(self.slopes) - 1
        for name, value in (("t", t), ("y", y)):
            if not isinstance(value, torch.Tensor) or value.is_floating_point() or value.shape != (n,):
                got = f"shape {tuple(value.shape)}, {value.dtype}" if isinstance(value, torch.Tensor) else type(value).__name__
                raise ValueError(f"the model wants {name} as {n} whole numbers, one for each example that it gets, and got {got}")
        if int(y.min()) < 0 or int(y.max()) > last:
            raise ValueError(f"the model knows the labels 0 to {last}, and got {y.tolist()}")
        angle = 0.013 * t.to(x_t.dtype)
        return torch.sin(x_t * of_each(1 + self.slopes[y], x_t) + of_each(angle + self.shifts[y], x_t)) + of_each(self.shifts[y] * angle.cos(), x_t)


class Classifying(nn.Module):
    """Logits of K classes; with parameters, and with a time."""

    def __init__(self, rng, inputs, classes, dtype=torch.float32):
        super().__init__()
        self.first = nn.Parameter(rng.normal(inputs, 5, dtype=dtype) / inputs**0.5)
        self.second = nn.Parameter(rng.normal(5, classes, std=1.5, dtype=dtype))
        self.offset = nn.Parameter(rng.normal(classes, dtype=dtype))

    def forward(self, x_t, t):
        hidden = torch.tanh(x_t.reshape(len(x_t), -1) @ self.first + 0.3 * t.to(x_t.dtype)[:, None])
        return hidden @ self.second + self.offset + 0.5


class Both:
    """Makes a guided model and asks it, so that right answers can stand in for all of this."""

    def __init__(self, student):
        self.make = student.guided
        self.__globals__ = getattr(inspect.unwrap(self.make), "__globals__", {})

    def __call__(self, x_t, t, *arguments, **keywords):
        predict = self.make(*arguments, **keywords)
        return predict(x_t, t) if callable(predict) else f"`guided` returns {type(predict).__name__} where a function of (x_t, t) is expected."


def guide_right(eps_cond, eps_uncond, w):
    """(8.2), while `guided` is asked."""
    return w * eps_cond + (1 - w) * eps_uncond
