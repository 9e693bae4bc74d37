# %% [markdown]
# # Problem set 2 · Latent variables and flows
#
# ![A sheet of digits that turn into one another, and the sizes of five files that hold the same 200 images](figures/opening.jpg)
#
# A network drew the digits on the left, each from two numbers: its place on the sheet (Question 5). Another one makes the shortest bar: it packs digits into fewer bytes than gzip or xz (Question 10).
#
# A **latent variable** $z$ is a hidden cause: $p_\theta(x)=\int p_\theta(x\mid z)\,p(z)\,dz$. At first you bound this integral, which nobody can compute for a network. In Questions 8 and 9 there is nothing to integrate: $x$ and $z$
# determine each other.
#
# **How it works.** `raise NotImplementedError` marks what you write.
#
# - `grader.check("q1")` runs public tests: the ordinary case of each function. Hidden tests take the edges that the docstrings promise, and decide the grade.
# - `grader.hint("elbo")` shows one more hint each time. `grader.show("q1")` prints the public tests.
# - Type a number at each `guess_… = None` *before* you run the cell below it. They are not graded.
# - Any correct method is accepted: loops, library calls, float64, your own algebra.
# - A wrong answer costs points once: later questions are also graded with a correct version of it.
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
