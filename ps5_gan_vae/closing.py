# %% [markdown]
# ## What you can do now
#
# - Say which divergence a critic measures, and compute how the two players move around their equilibrium.
# - Train a generator, check the training code as code, and count what the samples miss.
# - Compute a distance of transport exactly, and bound the slope of a network that estimates it.
# - Translate between two kinds of pictures without pairs.
# - Turn pictures into tokens and draw new ones.
# - Say what a score does not see, and build a set of samples that proves it.
#
# **Further reading.** Goodfellow et al., "Generative adversarial nets", NeurIPS 2014. Mescheder, Geiger and Nowozin, "Which training methods for GANs do actually converge?", ICML 2018. Gulrajani et al., "Improved
# training of Wasserstein GANs", NeurIPS 2017. Zhu et al., "Unpaired image-to-image translation using cycle-consistent adversarial networks", ICCV 2017. van den Oord, Vinyals and Kavukcuoglu, "Neural discrete
# representation learning", NeurIPS 2017. Chang et al., "MaskGIT: masked generative image transformer", CVPR 2022. Kynkäänniemi et al., "Improved precision and recall metric for assessing generative models", NeurIPS 2019.
#
# After *Restart and run all*, run all checks once more.

# %%
grader.check_all()

# %% [markdown]
# **Save the notebook first.** The next cell writes the file to hand in from what is saved, and names what is missing.

# %%
grader.export()
