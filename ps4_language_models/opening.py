# %% [markdown]
# # Problem set 4 · Language models
#
# ![The loss of a small transformer falls below one after another of your own n-grams, and ends at the exact entropy](figures/opening.jpg)
#
# The horizontal lines are models that you make by counting, each with a longer memory than the one before. The falling curve is a transformer that you build and train in four minutes. The lowest line is the entropy of the
# language: no model can be better, and it is known here because the language is made up (Question 7).
#
# A **language model** gives every next token a probability. That is all. What makes it good is how far back it can look, and what makes it fast is how it looks. You begin with bytes: Question 1 turns them into tokens, Question 2
# counts. Questions 3 to 6 build a transformer, part by part, each checked against its definition. Question 7 trains it, Question 8 lets it write, and in Question 9 you write the weights of one by hand.
#
# **How it works.** `raise NotImplementedError` marks what you write.
#
# - `grader.check("q1")` runs public tests: the ordinary case of each function. Hidden tests take the edges that the docstrings promise, and decide the grade.
# - `grader.hint("train_bpe")` shows one more hint each time. `grader.show("q1")` prints the public tests.
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
# | types | `Float[Tensor, "N T D"]` is a float tensor of shape (N, T, D), `Int[…]` one of integers; `""` is a single number, `...` or `*batch` any number of axes, and axes marked with `#` broadcast |
# | units | natural logarithms (nats), unless a name says bits |
# | tokens | whole numbers of shape (N, T): N sequences of T tokens |
# | a model | any function from tokens (N, T) to logits (N, T, V); `logits[:, t]` are about the token after `ids[:, t]` |
# | masks | True means: may be looked at |
# | reductions | a loss is the mean over tokens |
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
