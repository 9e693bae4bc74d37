# %% [markdown]
# ## What you can do now
#
# - Say what a bound on $\log p(x)$ loses, and why: a posterior of the wrong shape, an encoder that is not at its best, or a latent that nobody uses.
# - Differentiate through a draw, and choose the estimator whose variance you can afford.
# - Train a network to draw, and tell a bound that holds from one that is only reported.
# - Build an exact density from invertible layers, and check it by its Jacobian.
# - Turn a likelihood into the length of a file.
#
# A VAE pays with a bound, a flow with its size. The next set keeps the full size, gives up learning the encoder, and removes noise.
#
# **Further reading.** Kingma and Welling, "An introduction to variational autoencoders", 2019. Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016.
# Cremer, Li and Duvenaud, "Inference suboptimality in variational autoencoders", ICML 2018. Papamakarios et al., "Normalizing flows for probabilistic modeling and inference", JMLR 2021. Townsend, Bird and Barber, "Practical
# lossless compression with latent variables using bits back coding", ICLR 2019.
#
# After *Restart and run all*, run all checks once more.

# %%
grader.check_all()

# %% [markdown]
# **Save the notebook first.** The next cell writes the file to hand in from what is saved, and names what is missing.

# %%
grader.export()
