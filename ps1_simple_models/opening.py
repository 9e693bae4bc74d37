# %% [markdown]
# # Problem set 1 · Simple generative models
#
# ![A photograph with noise, and the same photograph cleaned by a mixture of Gaussians](figures/opening.jpg)
#
# Nobody told the program on the right what a flower looks like. It has seen small patches of *another* photograph, of a temple, has fitted a
# probability density to them, and asks of each noisy patch: which clean one is likely? That is Question 5.
#
# A **generative model** is a distribution $p_\theta(x)$ that can be fitted to data, evaluated, and sampled from. All models here are fitted by one principle, **maximum likelihood**,
# $$\hat\theta=\arg\max_\theta \frac1N\sum_{n=1}^N \log p_\theta(x_n),$$
# and compared by the log-likelihood of data that they have not seen. You start with one Gaussian and end with a network that draws characters pixel by pixel.
#
# **How it works.** `raise NotImplementedError` marks what you write.
#
# - `grader.check("q1")` runs public tests: the ordinary case of each function. Hidden tests take the edges that the docstrings promise, and give most of the points.
# - `grader.hint("logsumexp")` shows one more hint each time. `grader.show("q1")` prints the public tests.
# - Type a number at each `guess_… = None` *before* you run the cell below it. They are not graded.
# - Any correct method is accepted: loops, library calls, float64, your own algebra.
# - A wrong answer costs points once: where a later question needs it, a correct version is tried as well, and the better result counts.
# - Begin names of your own helpers with an underscore, so that they hide nothing that a later cell needs.
#
# {questions}
#
# You should know tensors and broadcasting, `loss.backward()`, and what an `nn.Module` is. No GPU is needed. Training cells have three lengths, called profiles: `cpu` (the default), `gpu`,
# and `smoke` (a few steps, only to see whether the code runs; set `DGM_BUDGET=smoke`). Numbers called *expected* are those of `cpu`.
#
# **Conventions** of all five sets:
#
# | | |
# |---|---|
# | types | `Float[Tensor, "N D"]` is a float tensor of shape (N, D), `Int[…]` one of integers; `""` is a single number, `...` or `*batch` any number of axes, and axes marked with `#` broadcast |
# | units | natural logarithms (nats), unless a name says bits |
# | shapes | data is `(N, D)`; images are `(batch, channel, height, width)`, float in $[0, 1]$, white on black |
# | scale parameters | passed as `logvar` ($\log\sigma^2$) or `log_scale` ($\log s$), and named so |
# | reductions | a log-density is summed over dimensions; a loss is the mean over examples |
# | randomness | every random function takes its noise, or a `torch.Generator`, as an argument |
# | inputs | functions never change their arguments in place |

# %% role="setup"
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

import dgm
from dgm import data, plot
