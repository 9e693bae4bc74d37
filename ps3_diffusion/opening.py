# %% [markdown]
# # Problem set 3 · Diffusion and flow matching
#
# ![One noise image, and the digits that three samplers make of it with 1, 2, 4, 8 and 50 evaluations of the same network](figures/opening.jpg)
#
# Every digit above began as the noise on the left, and the same network removed it. Only the rule for taking steps differs, and how often the network may look (Question 6).
#
# A **diffusion model** never draws in one go. It adds noise to data until nothing is left but noise, which needs no learning, and learns one thing: to say which part of a noisy picture is noise. Whoever can do that
# at every noise level can walk back from noise to data. In Questions 1 to 4 everything is known exactly, and you check each formula against the truth. In Questions 5 to 9 a network takes the place of the
# truth. In Question 10 you draw new digits without training anything.
#
# **How it works.** `raise NotImplementedError` marks what you write.
#
# - `grader.check("q1")` runs public tests: the ordinary case of each function. Hidden tests take the edges that the docstrings promise, and decide the grade.
# - `grader.hint("euler")` shows one more hint each time. `grader.show("q1")` prints the public tests.
# - Type a number at each `guess_… = None` *before* you run the cell below it. They are not graded.
# - Any correct method is accepted: loops, library calls, float64, your own algebra.
# - A wrong answer costs points once: later questions are also graded with a correct version of it.
# - Begin names of your own helpers with an underscore, so that they hide nothing that a later cell needs.
#
# {questions}
#
# You should know tensors and broadcasting, `loss.backward()`, and what an `nn.Module` and a convolution are. No GPU is needed. Training cells have three lengths, called profiles: `cpu` (the default), `gpu`,
# and `smoke` (a few steps, only to see whether the code runs; set `DGM_BUDGET=smoke`). Numbers called *expected* are those of `cpu`.
#
# **Conventions** of all five sets, and of time in this one:
#
# | | |
# |---|---|
# | types | `Float[Tensor, "N D"]` is a float tensor of shape (N, D), `Int[…]` one of integers; `""` is a single number, `...` or `*batch` any number of axes, and axes marked with `#` broadcast |
# | units | natural logarithms (nats), unless a name says bits |
# | shapes | data is `(N, D)`; images are `(batch, channel, height, width)`, white on black; under noise, pixels from −1 to 1 |
# | scale parameters | passed as `logvar` ($\log\sigma^2$) or `log_scale` ($\log s$), and named so |
# | reductions | a log-density is summed over dimensions; a loss is the mean over examples |
# | randomness | every random function takes its noise, or a `torch.Generator`, as an argument |
# | inputs | functions never change their arguments in place |
# | time in diffusion | whole numbers: $t=0$ is data, $t=T$ is noise; `alpha_bar` has $T+1$ entries and `alpha_bar[0]` is 1 |
# | time in flows | real numbers: $t=0$ is noise, $t=1$ is data (Questions 1 and 7) |

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
