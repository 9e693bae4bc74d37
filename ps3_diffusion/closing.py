# %% [markdown]
# ## What you can do now
#
# - Follow a differential equation or its noisy brother in steps, and say how the error falls with the step.
# - Say what a denoiser knows: the score, the posterior mean, and from its slope the posterior covariance.
# - Train one network for all noise levels, and drive it with DDPM, DDIM, a second-order solver or as a flow.
# - Convert between noise, picture, score and velocity, and between the two directions of time.
# - Say what guidance samples, and repair or edit a picture with a model that was never trained for it.
#
# A diffusion model looks at a picture many times; the next set's models write theirs once, one token after another.
#
# **Further reading.** Ho, Jain and Abbeel, "Denoising diffusion probabilistic models", NeurIPS 2020. Song et al., "Score-based generative modeling through stochastic differential equations", ICLR 2021.
# Song, Meng and Ermon, "Denoising diffusion implicit models", ICLR 2021. Lipman et al., "Flow matching for generative modeling", ICLR 2023. Ho and Salimans, "Classifier-free diffusion
# guidance", 2022. Lu et al., "DPM-Solver++", 2022. Lugmayr et al., "RePaint", CVPR 2022. Meng et al., "SDEdit", ICLR 2022. Karras et al., "Elucidating the design space of
# diffusion-based generative models", NeurIPS 2022. Kamb and Ganguli, "An analytic theory of creativity in convolutional diffusion models", ICML 2025.
#
# After *Restart and run all*, run all checks once more.

# %%
grader.check_all()

# %% [markdown]
# **Save the notebook first.** The next cell writes the file to hand in from what is saved, and names what is missing.

# %%
grader.export()
