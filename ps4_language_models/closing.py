# %% [markdown]
# ## What you can do now
#
# - Turn any bytes into tokens and back, and compare models that cut text differently, in bits per byte.
# - Estimate a language by counting, and say which line a neural model has to cross.
# - Build a transformer whose every part you have checked against its definition, count its parameters and operations, and train it.
# - Say which distribution a decoder samples from, search it, score with it, and mark what it wrote.
# - Write an algorithm into the weights of a transformer by hand.
#
# A language model judges itself by its likelihood. In the next set a second network is the judge.
#
# **Further reading.** Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units", ACL 2016. Vaswani et al., "Attention is all you need", NeurIPS 2017. Chen and Goodman, "An empirical study of
# smoothing techniques for language modeling", Computer Speech and Language 1999. Su et al., "RoFormer: enhanced transformer with rotary position embedding", Neurocomputing 2024. Elhage et al., "A mathematical framework for
# transformer circuits", 2021. Kirchenbauer et al., "A watermark for large language models", ICML 2023.
#
# After *Restart and run all*, run all checks once more.

# %%
grader.check_all()

# %% [markdown]
# **Save the notebook first.** The next cell writes the file to hand in from what is saved, and names what is missing.

# %%
grader.export()
