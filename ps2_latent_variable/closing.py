# %% [markdown]
# ## What you can do now
#
# - Compute with log-probabilities without losing them, and say in which unit and of which data a number is.
# - Fit one distribution in closed form, by EM and by gradient descent, and say what each of them needs.
# - Explain why maximum likelihood covers the data, and turn a generative model into a classifier.
# - Treat pixels as the integers that they are.
# - Compare models in pairs, with error bars, on data that chose nothing.
# - Turn a network into an exact likelihood with the chain rule and masks, and prove with gradients that nothing leaks.
#
# Every model here has an exact likelihood and pays for it: mixtures do not scale to many dimensions, and autoregressive models draw
# one pixel at a time. Each of the next sets gives up something: the exact likelihood for a bound, or likelihood altogether.
#
# **Further reading.** Bishop, *Pattern Recognition and Machine Learning*, chapters 2, 4 and 9. Theis, van den Oord and Bethge, "A note on the
# evaluation of generative models", ICLR 2016. Zoran and Weiss, "From learning models of natural image patches to whole image restoration", ICCV 2011. Van den Oord et al., "Conditional image generation with
# PixelCNN decoders", NIPS 2016. Salimans et al., "PixelCNN++", ICLR 2017.
#
# After *Restart and run all*, run all checks once more.

# %%
grader.check_all()

# %% [markdown]
# **Save the notebook first.** The next cell writes the file to hand in from what is saved, and names what is missing.

# %%
grader.export()
