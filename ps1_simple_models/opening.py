# %% [markdown]
# # Problem set 1 · Simple generative models
#
# A generative model is a probability distribution $p_\theta(x)$ that we can fit to data, evaluate and sample from.
# This set starts with one Gaussian and ends with a PixelCNN that draws and completes digits. Everything in it is fitted
# by one principle: **maximum likelihood**,
# $$\hat\theta=\arg\max_\theta \frac1N\sum_{n=1}^N \log p_\theta(x_n),$$
# and everything is compared on one scale: the log-likelihood of data that the model has not seen.
#
# **How it works.** Each question has a short derivation, functions for you to write (`raise NotImplementedError` marks the
# place), a check, and a picture of your own result.
#
# - `grader.check("q1")` runs the public tests of a question and says what is wrong, often which mistake it is. They look at
#   a part only; the last line of a check names the functions that they leave out. Hidden tests of all functions decide the
#   grade, so a function should do what its docstring and the list of what is tested say for *every* input. The pictures and
#   the *expected* numbers below a check are the other half of the test: if yours differ, something is wrong.
# - If a check does not come back within a minute, one of your loops does not end: interrupt the kernel (the ■ button).
# - `grader.hint("q1")` lists the functions of a question that have hints; `grader.hint("logsumexp")` shows one at a time.
#   `grader.show("q1")` prints the public tests.
# - `grader.export()` writes the file to hand in. Learning alone? A clone of the course's repository has the hidden tests, too,
#   and the worked solution.
# - Later questions use earlier answers. If an earlier one is wrong you do not lose points twice: when your notebook is
#   graded, later questions are also tried with a correct version of it.
# - Begin the names of helpers of your own with an underscore. The picture cells define short names (`draw`, `eps`, …), later questions
#   define more, and a name that is used twice breaks whatever needs the first.
#
# **Points.** 100, of which 6 are for three short written answers, and 5 bonus points.
#
# **Time.** About 13 hours in all (the bonus not counted), more if PyTorch is new to you; each question says how long it
# takes. You should know tensors and broadcasting, `loss.backward()`, `detach()`, and how an `nn.Module` holds parameters and
# buffers (`register_buffer`). If these words are new, take PyTorch's tutorial *Learn the basics* first.
#
# No GPU is needed: on one CPU core all cells together take a minute and a half. The longest are the PixelCNN of Question 13 (40
# seconds) and the comparison in Question 7 (10 seconds); the others take less than 10 seconds. Training cells have three lengths,
# called profiles: `cpu`; `gpu`, longer, taken when a GPU is there; and `smoke`, a few steps, only to see whether the code runs (set
# the environment variable `DGM_BUDGET=smoke`). *Expected* numbers are those of the `cpu` profile; with a GPU, `%env DGM_BUDGET=cpu` in
# a cell above all others gives that profile, too. Cells that draw pictures need no reading: run them and look at the result.
#
# **Conventions.** They hold in all five sets.
#
# | | |
# |---|---|
# | types | `Float[Tensor, "N D"]` is a float tensor of shape (N, D), `Int[…]` one of integers; `""` is a single number (0-d), `...` or `*batch` stands for any number of axes, and axes marked with `#` broadcast. Nothing checks them when you run |
# | units | natural logarithms (nats), unless a name says bits; `bpd` is bits per dimension |
# | shapes | data $x$ is `(N, D)`; images are `(batch, channel, height, width)`, float in $[0, 1]$ |
# | $N, D, K$ | number of examples, of dimensions, of components or classes |
# | scale parameters | passed as `logvar` ($\log\sigma^2$) or `log_scale` ($\log s$), and named so |
# | reductions | a log-density is summed over dimensions; a loss is the mean over examples |
# | randomness | every random function takes its noise, or a `torch.Generator`, as an argument |
# | inputs | functions never change their arguments in place, unless the docstring says so |
#
# Any correct method is accepted: loops or vectorised code, float32 or float64, your own algebra or the one in the text. (All times
# given are for vectorised code; with a loop over examples or pixels a picture can take a hundred times longer. When your notebook is graded, a
# cell that only draws a picture is stopped after 30 seconds, which costs nothing.)

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
