# %% [markdown]
# # Problem set 5 · GANs, tokens and judges
#
# A generator turns noise into samples, and nobody writes down how likely they are. So who says whether they are good? In this set a **second network** does, or a measure of distance, or a statistic. Each of them can be
# fooled, and you will fool them.
#
# Questions 1 to 3 are about the game between a generator and a critic: what it is after, why it turns in circles, and how a run that works is told from one that only looks as if it does. Questions 4 and 5 give the critic a
# bounded slope. Question 6 translates thin letters into bold ones, with pairs and without. Questions 7 and 8 turn pictures into tokens, and draw from them. In Question 9 you judge the judges.
#
# **How it works.** `raise NotImplementedError` marks what you write.
#
# - `grader.check("q1")` runs public tests: the ordinary case of each function. Hidden tests take the edges that the docstrings promise, and decide the grade.
# - `grader.hint("generator_loss")` shows one more hint each time. `grader.show("q1")` prints the public tests.
# - Type a number at each `guess_… = None` *before* you run the cell below it. They are not graded.
# - Any correct method is accepted: loops, library calls, float64, your own algebra.
# - A wrong answer costs points once: later questions are also graded with a correct version of it.
# - Begin names of your own helpers with an underscore, so that they hide nothing that a later cell needs.
#
# {questions}
#
# You should know tensors and broadcasting, `loss.backward()`, and what an `nn.Module` is. No GPU is needed. Training cells have three lengths, called profiles: `cpu` (the default), `gpu`, and `smoke` (a few steps, only
# to see whether the code runs; set `DGM_BUDGET=smoke`). Numbers called *expected* are those of `cpu`.
#
# **Conventions** of all five sets, and of this one:
#
# | | |
# |---|---|
# | types | `Float[Tensor, "N D"]` is a float tensor of shape (N, D), `Int[…]` one of integers; `""` is a single number, `...` or `*batch` any number of axes, and axes marked with `#` broadcast |
# | units | natural logarithms (nats), unless a name says bits |
# | critics | a critic, or discriminator, gives **logits**, one for each sample, not probabilities |
# | reductions | a loss is the mean over the batch |
# | pictures | shape (N, C, H, W) |
# | randomness | every random function takes its noise, or a `torch.Generator`, as an argument |
# | inputs | functions never change their arguments in place |

# %% role="setup"
import copy
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

import dgm
from dgm import data, plot
