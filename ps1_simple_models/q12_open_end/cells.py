# %% [markdown]
# Everything so far had an answer that somebody knew. This question has none. **Change one thing, predict, measure, explain.**
#
# Choose your own data or your own change. Some starting points, each of which fits into an hour:
#
# - Denoise a photograph of your own (Question 5). Does a mixture that was fitted to *another* photograph do as well? To another kind of picture?
# - How many components does the mixture of Question 3 need before held-out data stop getting better? Does it depend on how many examples there are?
# - Draw the pixels of Question 9's images in another order. Which orders cost how much?
# - Fit Question 7's mixture to something that you can count: lengths of words, rolls of two dice, minutes between buses.
# - Teach the model of Question 9 or 11 an alphabet of your choice (`data.glyphs(n, classes="ABC")`). Which letters does it draw best?
#
# Then, in this order:
#
# 1. **Change one thing** and keep the rest. Write down what you keep.
# 2. **Predict** a number, with a reason, and type both into the next cell *before* you run anything.
# 3. **Measure** on held-out data, with an error bar: paired where two models see the same examples (Question 8), over a few seeds where training is random.
# 4. **Show** it in one figure or table.
# 5. **Explain** in ten lines what happened, and what your experiment does *not* show. A wrong prediction with a good explanation is worth as much as a right one.
#
# Put your code in new cells below the prediction.

# %%
prediction = None  # a number
reason = ""  # one sentence, with the number's unit and what you keep

# %%
# your experiment
measured = None  # your number
error = None  # its standard error

# %%
plot.table([("predicted", prediction, None), ("measured", measured, error)], header=(reason or "no reason given", "value", "± error"))

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (There is no reference answer. This is one of many that would have full points.)
#
# **Question.** Does the mixture of Question 5 need 15 components? I changed their number K and kept the photographs, the noise (σ = 0.1), the patches, the start and the number of EM's steps.
#
# **Prediction.** 3 dB from K = 1 to K = 15, growing slowly with K, because each component adds one kind of patch.
#
# **Measured.** PSNR on the flower, one run each: 25.3 dB for K = 1, then 27.4, 27.6, 27.7 and 27.8 for K = 2, 3, 5 and 15. Six more runs at K = 15, with other patches, starts and noise, lie between 27.8 and 28.1.
#
# **What happened.** The total of 2.5 dB is near my prediction; its course is not. Nearly all of it comes with the *second* component, and from K = 3 on the steps are smaller than the spread between runs. Looking at the
# two covariances of K = 2 I see why: one is narrow and one is wide. The posterior decides which of them a patch belongs to: a flat one is smoothed hard, one with an edge hardly at all. A single Gaussian must treat both alike.
# Further components only refine what "an edge" is.
#
# **What it does not show.** One photograph, one noise level, and K below 15 was run once. PSNR is a mean over pixels, and edges are few, so the later components may matter more to the eye than the number says.
# ### END SOLUTION
