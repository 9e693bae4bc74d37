# %% [markdown]
# ## The end, and what you can do now
#
# **What you have learnt.**
#
# - To compute with log-probabilities without losing them, and to say in which unit (nats, bits per dimension) and of which data a number is.
# - To fit the same distributions in closed form, by EM and by gradient descent, and to know which of the three applies when.
# - That maximum likelihood is $\mathrm{KL}(\text{data}\,\|\,\text{model})$, that a penalty is a prior, and that a generative model is a classifier, too.
# - To treat pixels as what they are, integers, with discretised or dequantised likelihoods.
# - To turn any network into an exact likelihood with the chain rule and masks, and to prove with gradients that nothing leaks.
# - To measure honestly: paired, with error bars, chosen on validation, and only ever between numbers that may be compared.
#
# **What is missing.** Everything here has an exact likelihood, and pays for it: mixtures do not scale to many dimensions, and
# autoregressive models draw one pixel at a time. The next sets give up one thing each: invertible networks, latent variables with a bound (you have met
# the bound: EM is its exact case), scores and noise, and no likelihood at all.
#
# **Further reading**
#
# - C. Bishop, *Pattern Recognition and Machine Learning*, chapters 2, 4 and 9: Gaussians, linear classifiers, mixtures and EM.
# - A. Ng and M. Jordan, "On discriminative vs. generative classifiers", NIPS 2001.
# - L. Theis, A. van den Oord and M. Bethge, "A note on the evaluation of generative models", ICLR 2016.
# - M. Germain et al., "MADE: Masked autoencoder for distribution estimation", ICML 2015.
# - A. van den Oord et al., "Conditional image generation with PixelCNN decoders", NIPS 2016.
# - T. Salimans et al., "PixelCNN++", ICLR 2017.
# - D. Zoran and Y. Weiss, "From learning models of natural image patches to whole image restoration", ICCV 2011.
#
# Run all checks once more. Best on a fresh kernel (*Restart and run all*): a notebook that works only in the order in which you wrote it will not work
# for the grader either. (A question that you left out stops *Restart and run all* at its first picture: go on below it by hand. The grader skips cells
# that fail, and goes on.)

# %%
grader.check_all()

# %% [markdown]
# **Save the notebook first**: what is handed in is the saved file. The next cell writes the file to hand in, and names what is
# missing in it: stubs, questions that were not checked or failed, and written answers (Questions 9, 10 and 14).

# %%
grader.export()
