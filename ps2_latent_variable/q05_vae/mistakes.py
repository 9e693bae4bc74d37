"""Named wrong versions of the answers to question 5."""

import copy

import torch

from autograder.probes import Mistakes, edit
from dgm import data

mistakes = Mistakes()

# --- VAE -----------------------------------------------------------------------------------------------------------

mistakes.at(
    "return self.encoder(x).chunk(2, dim=1)",
    edit("halves_exchanged", "`encode` returns (logvar, mean): the first k outputs are the mean",
         "return self.encoder(x).chunk(2, dim=1)[::-1]"),
    edit("every_second_output", "`encode` takes every second output for the mean; the first k are the mean, the last k the log-variance",
         "out = self.encoder(x); return out[:, ::2], out[:, 1::2]"),
    edit("batch_halved", "`encode` halves the batch (axis 0); the outputs of each image are to be halved",
         "return self.encoder(x).chunk(2)"),
    edit("exponentiated", "`encode` returns variances or standard deviations; the encoder's second half is the log-variance as it is",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, logvar.exp()"),
    edit("std_returned", "`encode` returns standard deviations; the encoder's second half is the log-variance as it is",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, (0.5 * logvar).exp()"),
    edit("read_as_log_std", "`encode` doubles the second half, as if it were a log standard deviation; it is the log-variance as it is",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, 2 * logvar"),
    edit("softplus_variance", "`encode` puts the second half through softplus; it is the log-variance as it is, of any sign",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, F.softplus(logvar)"),
    edit("log_of_softplus", "`encode` takes the logarithm of softplus for the log-variance; the second half is the log-variance as it is",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, F.softplus(logvar).log()"),
    edit("logvar_clamped", "`encode` cuts the log-variance off; it may have any size",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, logvar.clamp(-4, 1)"),
    edit("logvar_capped", "`encode` cuts the log-variance off on one side; it may have any size",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, logvar.clamp_min(-6)"),
    edit("logvar_clamped_wide", "`encode` cuts the log-variance off; it may have any size",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, logvar.clamp(-10, 10)"),
    edit("logvar_clamped_above", "`encode` cuts the log-variance off; it may have any size",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, logvar.clamp(-20, 2)"),
    edit("logvar_clamped_five", "`encode` cuts the log-variance off; it may have any size",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, logvar.clamp(-5, 5)"),
    edit("variance_floored", "`encode` adds a small constant to the variance; the second half is the log-variance as it is",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, (logvar.exp() + 1e-6).log()"),
    edit("two_latents_only", "`encode` takes a fixed number of columns; mean and log-variance have k columns each",
         "out = self.encoder(x); return out[:, :2], out[:, 2:4]"),
    edit("mean_squashed", "`encode` puts the mean through tanh; it may lie anywhere",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return torch.tanh(mean), logvar"),
    edit("outputs_rectified", "`encode` puts the outputs through a ReLU; means and log-variances have any sign",
         "return F.relu(self.encoder(x)).chunk(2, dim=1)"),
    edit("not_taken_apart", "`encode` returns the outputs in one tensor; (mean, logvar) is asked for",
         "return self.encoder(x)"),
    edit("first_two_outputs", "`encode` takes single outputs (columns 0 and 1) for mean and log-variance; each has k columns",
         "out = self.encoder(x); return out[:, 0], out[:, 1]"),
    edit("last_for_both", "`encode` takes the same outputs for mean and log-variance",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, mean"),
    edit("draws_already", "`encode` returns a draw of z in the place of the mean; the noise comes later, from outside",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean + (0.5 * logvar).exp() * torch.randn_like(mean), logvar"),
    edit("centred_pixels", "`encode` turns the pixels into -1 and 1; the encoder takes x as it is",
         "return self.encoder(2 * x - 1).chunk(2, dim=1)"),
    edit("shifted_pixels", "`encode` subtracts 1/2 from the pixels; the encoder takes x as it is",
         "return self.encoder(x - 0.5).chunk(2, dim=1)"),
    edit("outputs_activated", "`encode` puts the encoder's outputs through another activation; they are mean and log-variance as they are",
         "return F.silu(self.encoder(x)).chunk(2, dim=1)"),
    edit("encoder_not_trained", "`encode` cuts its results off from autograd (`no_grad`, `.detach()` or `.data`), so the encoder cannot be trained",
         "mean, logvar = self.encoder(x).detach().chunk(2, dim=1); return mean, logvar"),
    edit("logvar_detached", "`encode` cuts the log-variance off from autograd (`.detach()` or `.data`), so it is never trained",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean, logvar.detach()"),
    edit("mean_detached", "`encode` cuts the mean off from autograd (`.detach()` or `.data`), so it is never trained",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean.detach(), logvar"),
    edit("squeezed", "`encode` drops axes of length 1 (`squeeze`): with one latent or one image the shape is wrong",
         "mean, logvar = self.encoder(x).chunk(2, dim=1); return mean.squeeze(), logvar.squeeze()"),
)

mistakes.at(
    "return self.decoder(z)",
    edit("probabilities", "`decode` applies the sigmoid; it returns logits, the numbers inside the sigmoid",
         "return torch.sigmoid(self.decoder(z))"),
    edit("log_probabilities", "`decode` returns log-probabilities; it returns logits",
         "return F.logsigmoid(self.decoder(z))"),
    edit("softmax_of_pixels", "`decode` applies a softmax over the pixels; it returns logits",
         "return torch.softmax(self.decoder(z), -1)"),
    edit("bits_returned", "`decode` returns black or white pixels; it returns logits",
         "return (self.decoder(z) > 0).to(z.dtype)"),
    edit("logits_rectified", "`decode` puts the logits through a ReLU, so that no pixel can be darker than 1/2",
         "return F.relu(self.decoder(z))"),
    edit("logits_squashed", "`decode` puts the logits through tanh, so that no pixel can be certain",
         "return torch.tanh(self.decoder(z))"),
    edit("logits_clamped", "`decode` cuts the logits off; they may have any size", "return self.decoder(z).clamp(-10, 10)"),
    edit("code_squashed", "`decode` puts the code through tanh; codes far out are then all alike", "return self.decoder(torch.tanh(z))"),
    edit("code_standardised", "`decode` standardises the codes of the batch; each code is to be decoded for itself",
         "return self.decoder((z - z.mean(0)) / (z.std(0) + 1e-6))"),
    edit("decoder_detached", "`decode` cuts its result off from autograd (`no_grad`, `.detach()` or `.data`), so the decoder cannot be trained",
         "return self.decoder(z).detach()"),
    edit("images_of_decoder", "`decode` flattens all axes but the last; codes with axes before give logits with the same axes",
         "return self.decoder(z.reshape(-1, z.shape[-1]))"),
    edit("batch_needed", "`decode` flattens what follows the first axis, so it works for codes (batch, k) only",
         "return self.decoder(z.flatten(1))"),
    edit("one_code_batched", "`decode` makes a batch of a single code; logits for one code (k,) have the shape (D,)",
         "return self.decoder(z[None] if z.dim() == 1 else z)"),
    edit("logits_squeezed", "`decode` drops axes of length 1 (`squeeze`); the axes before the last are those of the codes",
         "return self.decoder(z).squeeze()"),
)

# --- elbo_terms ----------------------------------------------------------------------------------------------------

mistakes.at(
    "mean, logvar = model.encode(x)",
    edit("halves_read_backwards", "`elbo_terms` takes what `encode` returns in the wrong order: the mean comes first",
         "logvar, mean = model.encode(x)"),
    edit("variance_read", "`elbo_terms` exponentiates the log-variance before it passes it on; `reparameterise` and the KL take log-variances",
         "mean, logvar = model.encode(x); logvar = logvar.exp()"),
    edit("log_std_passed", "`elbo_terms` halves the log-variance before it passes it on; `reparameterise` and the KL take log-variances",
         "mean, logvar = model.encode(x); logvar = 0.5 * logvar"),
    edit("encoder_cut_off", "`elbo_terms` cuts the encoder off from autograd (`no_grad` or `.detach()`), so the encoder cannot be trained",
         "mean, logvar = (part.detach() for part in model.encode(x))"),
    edit("terms_logvar_detached", "`elbo_terms` cuts the log-variance off from autograd, so the encoder's variances are never trained",
         "mean, logvar = model.encode(x); logvar = logvar.detach()"),
    edit("terms_logvar_clamped", "`elbo_terms` cuts the log-variance off; it may have any size",
         "mean, logvar = model.encode(x); logvar = logvar.clamp(-10, 2)"),
    edit("terms_logvar_clamped_wide", "`elbo_terms` cuts the log-variance off; it may have any size",
         "mean, logvar = model.encode(x); logvar = logvar.clamp(-10, 10)"),
    edit("terms_logvar_clamped_five", "`elbo_terms` cuts the log-variance off; it may have any size",
         "mean, logvar = model.encode(x); logvar = logvar.clamp(-5, 5)"),
    edit("logvar_halved_in_place", "`elbo_terms` halves the log-variance in place, so the KL is that of another q",
         "mean, logvar = model.encode(x); half = logvar; half *= 0.5",
         ("bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps)), x)", "bernoulli_log_prob(model.decode(mean + half.exp() * eps), x)")),
    edit("networks_of_the_class", "`elbo_terms` reads `model.encoder` or `model.decoder`; it is given any module with the methods `encode` and `decode`",
         "mean, logvar = model.encoder(x).chunk(2, dim=1)"),
    edit("sets_evaluation", "`elbo_terms` switches the model to evaluation mode; it takes the model in the mode in which it comes, or training goes on in the wrong one",
         "model.eval(); mean, logvar = model.encode(x)"),
    edit("sets_training", "`elbo_terms` switches the model to training mode; it takes the model in the mode in which it comes",
         "model.train(); mean, logvar = model.encode(x)"),
    edit("variance_floor", "`elbo_terms` adds a small constant to the variance; the bound is then that of another q",
         "mean, logvar = model.encode(x); logvar = (logvar.exp() + 1e-6).log()"),
    edit("encoder_sees_signs", "`elbo_terms` turns the pixels into -1 and 1 for the encoder; it takes x as it is",
         "mean, logvar = model.encode(2 * x - 1)"),
)

mistakes.at(
    "log_likelihood = bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps)), x)",
    edit("no_noise", "`elbo_terms` decodes the mean; the bound needs a code drawn from q(z | x)",
         "log_likelihood = bernoulli_log_prob(model.decode(mean), x)"),
    edit("noise_of_its_own", "`elbo_terms` draws noise of its own; the noise is `eps`",
         "log_likelihood = bernoulli_log_prob(model.decode(reparameterise(mean, logvar, torch.randn_like(mean))), x)"),
    edit("first_noise_for_all", "`elbo_terms` uses the first row of `eps` for every image; each image has its own noise",
         "log_likelihood = bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps[:1].expand_as(mean))), x)"),
    edit("eps_decoded", "`elbo_terms` decodes `eps`, a code from the prior; the code is to be drawn from q(z | x)",
         "log_likelihood = bernoulli_log_prob(model.decode(eps), x)"),
    edit("variance_as_std", "`elbo_terms` multiplies the noise by the variance exp(logvar); the standard deviation is its root",
         "log_likelihood = bernoulli_log_prob(model.decode(mean + logvar.exp() * eps), x)"),
    edit("logvar_as_std", "`elbo_terms` multiplies the noise by the log-variance; the standard deviation is exp(logvar / 2)",
         "log_likelihood = bernoulli_log_prob(model.decode(mean + logvar * eps), x)"),
    edit("noise_unscaled", "`elbo_terms` adds the noise without the factor σ", "log_likelihood = bernoulli_log_prob(model.decode(mean + eps), x)"),
    edit("std_capped", "`elbo_terms` caps the standard deviation of the draw; it may have any size",
         "log_likelihood = bernoulli_log_prob(model.decode(mean + logvar.exp().clamp(max=1).sqrt() * eps), x)"),
    edit("std_floor", "`elbo_terms` adds a small constant to σ; the code is then drawn from another q than the one whose KL is paid",
         "log_likelihood = bernoulli_log_prob(model.decode(mean + ((0.5 * logvar).exp() + 1e-6) * eps), x)"),
    edit("std_floor_large", "`elbo_terms` adds a small constant to σ; the code is then drawn from another q than the one whose KL is paid",
         "log_likelihood = bernoulli_log_prob(model.decode(mean + ((0.5 * logvar).exp() + 1e-3) * eps), x)"),
    edit("std_clamped_below", "`elbo_terms` keeps σ above a small constant; the code is then drawn from another q than the one whose KL is paid",
         "log_likelihood = bernoulli_log_prob(model.decode(mean + (0.5 * logvar).exp().clamp_min(1e-3) * eps), x)"),
    edit("terms_logits_clamped", "`elbo_terms` cuts the logits off; they may have any size",
         "log_likelihood = bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps)).clamp(-15, 15), x)"),
    edit("squared_error_of_logits", "`elbo_terms` takes a squared error of the logits for the log-likelihood; pixels are Bernoulli variables",
         "log_likelihood = -0.5 * (model.decode(reparameterise(mean, logvar, eps)) - x).square().sum(1)"),
    edit("decoder_of_the_class", "`elbo_terms` reads `model.decoder`; it is given any module with the methods `encode` and `decode`",
         "log_likelihood = bernoulli_log_prob(model.decoder(reparameterise(mean, logvar, eps)), x)"),
    edit("probabilities_clamped", "`elbo_terms` keeps the probabilities away from 0 and 1; unlikely pixels look more likely than they are",
         "p = torch.sigmoid(model.decode(reparameterise(mean, logvar, eps))).clamp(1e-6, 1 - 1e-6); log_likelihood = (x * p.log() + (1 - x) * (1 - p).log()).sum(1)"),
    edit("probabilities_clamped_more", "`elbo_terms` keeps the probabilities away from 0 and 1; unlikely pixels look more likely than they are",
         "p = torch.sigmoid(model.decode(reparameterise(mean, logvar, eps))).clamp(1e-3, 1 - 1e-3); log_likelihood = (x * p.log() + (1 - x) * (1 - p).log()).sum(1)"),
    edit("both_signs", "`elbo_terms` averages over eps and -eps; one draw is asked for",
         "log_likelihood = (bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps)), x) + bernoulli_log_prob(model.decode(reparameterise(mean, logvar, -eps)), x)) / 2"),
    edit("likelihood_clamped", "`elbo_terms` cuts the log-likelihood off at -100; it may have any size",
         "log_likelihood = bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps)), x).clamp_min(-100)"),
    edit("summed_over_images", "`elbo_terms` sums the log-likelihood over the images and keeps the pixels; it is the sum over the pixels",
         "log_likelihood = -F.binary_cross_entropy_with_logits(model.decode(reparameterise(mean, logvar, eps)), x, reduction='none').sum(0)",
         ("return log_likelihood - kl, log_likelihood, kl", "return log_likelihood.sum() - kl, log_likelihood, kl")),
    edit("default_reduction", "`elbo_terms` lets binary cross-entropy average over images and pixels; a sum over the pixels of each image is asked for",
         "log_likelihood = -F.binary_cross_entropy_with_logits(model.decode(reparameterise(mean, logvar, eps)), x)"),
    edit("draw_sign", "`elbo_terms` subtracts the noise; z = μ + σ·eps", "log_likelihood = bernoulli_log_prob(model.decode(mean - (0.5 * logvar).exp() * eps), x)"),
    edit("draw_arguments", "`elbo_terms` gives the arguments of `reparameterise` in the wrong order",
         "log_likelihood = bernoulli_log_prob(model.decode(reparameterise(eps, logvar, mean)), x)"),
    edit("code_detached", "`elbo_terms` cuts the code off from autograd (`.detach()`, `.data` or `.sample()`): the encoder learns nothing from the pixels",
         "log_likelihood = bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps).detach()), x)"),
    edit("std_detached_in_draw", "`elbo_terms` cuts σ off from autograd in the draw, so the log-likelihood does not train the variances",
         "log_likelihood = bernoulli_log_prob(model.decode(reparameterise(mean, logvar.detach(), eps)), x)"),
    edit("sigmoid_before", "`elbo_terms` gives probabilities to `bernoulli_log_prob`, which takes logits: the sigmoid is applied twice",
         "log_likelihood = bernoulli_log_prob(torch.sigmoid(model.decode(reparameterise(mean, logvar, eps))), x)"),
    edit("likelihood_arguments", "`elbo_terms` gives x as the logits: `bernoulli_log_prob` takes the logits first",
         "log_likelihood = bernoulli_log_prob(x, model.decode(reparameterise(mean, logvar, eps)))"),
    edit("mean_over_pixels", "`elbo_terms` averages the log-likelihood over the pixels; it is their sum, as the KL is the sum over latents",
         "log_likelihood = bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps)), x) / x.shape[1]"),
    edit("likelihood_averaged", "`elbo_terms` averages the log-likelihood over the images; there is one for each image",
         "log_likelihood = bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps)), x).mean()"),
    edit("squared_error", "`elbo_terms` takes a squared error of the probabilities for the log-likelihood",
         "log_likelihood = -(torch.sigmoid(model.decode(reparameterise(mean, logvar, eps))) - x).square().sum(1)"),
    edit("bce_of_probabilities", "`elbo_terms` uses binary cross-entropy of probabilities, which rounds and cuts each pixel off at -100; use the logits",
         "log_likelihood = -F.binary_cross_entropy(torch.sigmoid(model.decode(reparameterise(mean, logvar, eps))), x, reduction='none').sum(1)"),
    edit("log_with_epsilon", "`elbo_terms` adds a small constant inside the logarithm of the probabilities; unlikely pixels look more likely than they are",
         "p = torch.sigmoid(model.decode(reparameterise(mean, logvar, eps))); log_likelihood = (x * (p + 1e-8).log() + (1 - x) * (1 - p + 1e-8).log()).sum(1)"),
    edit("cross_entropy_sign", "`log_likelihood` is the cross-entropy, with the opposite sign",
         "log_likelihood = -bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps)), x)"),
    edit("white_pixels_only", "`elbo_terms` counts the white pixels only; a black pixel has a log-probability, too",
         "log_likelihood = (x * F.logsigmoid(model.decode(reparameterise(mean, logvar, eps)))).sum(1)"),
    edit("decoder_cut_off", "`elbo_terms` cuts the logits off from autograd (`no_grad`, `.detach()` or `.data`), so nothing learns from the pixels",
         "log_likelihood = bernoulli_log_prob(model.decode(reparameterise(mean, logvar, eps)).detach(), x)"),
)

mistakes.at(
    "kl = kl_standard_normal(mean, logvar)",
    edit("kl_of_exchanged", "`elbo_terms` gives the arguments of `kl_standard_normal` in the wrong order", "kl = kl_standard_normal(logvar, mean)"),
    edit("kl_averaged_over_latents", "`elbo_terms` averages the KL over the latents; it is their sum", "kl = kl_standard_normal(mean, logvar) / mean.shape[1]"),
    edit("kl_averaged", "`elbo_terms` averages the KL over the images; there is one for each image", "kl = kl_standard_normal(mean, logvar).mean()"),
    edit("kl_mean_expanded", "`elbo_terms` gives every image the mean KL of the batch; each image has its own",
         "kl = kl_standard_normal(mean, logvar).mean().expand(len(x))"),
    edit("kl_per_pixel", "`elbo_terms` divides the KL by the number of pixels; both terms are sums", "kl = kl_standard_normal(mean, logvar) / x.shape[1]"),
    edit("kl_per_latent", "`elbo_terms` returns a KL for each latent; they are summed",
         "kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar); log_likelihood = log_likelihood[:, None]"),
    edit("kl_from_the_draw", "the KL is estimated from the draw, log q(z | x) - log p(z); the closed form is asked for",
         "kl = 0.5 * (reparameterise(mean, logvar, eps).square() - eps.square() - logvar).sum(1)"),
    edit("kl_doubled", "the KL lacks its factor 1/2", "kl = 2 * kl_standard_normal(mean, logvar)"),
    edit("kl_with_log_std", "the KL subtracts the log standard deviation where the log-variance belongs",
         "kl = 0.5 * (mean.square() + logvar.exp() - 1 - 0.5 * logvar).sum(1)"),
    edit("kl_with_std", "the KL adds the standard deviation where the variance belongs",
         "kl = 0.5 * (mean.square() + (0.5 * logvar).exp() - 1 - logvar).sum(1)"),
    edit("kl_without_minus_one", "the KL lacks its -1 for each latent, so it is not 0 at the prior", "kl = 0.5 * (mean.square() + logvar.exp() - logvar).sum(1)"),
    edit("kl_mean_detached", "the means are cut off from autograd in the KL, so nothing holds them near 0", "kl = kl_standard_normal(mean.detach(), logvar)"),
    edit("kl_times_k_over_d", "the KL is multiplied by k/D; both terms are sums", "kl = kl_standard_normal(mean, logvar) * mean.shape[1] / x.shape[1]"),
    edit("kl_sign", "`kl` has the wrong sign: a KL is not negative", "kl = -kl_standard_normal(mean, logvar)"),
    edit("kl_of_means", "the KL lacks the variances: only the squared means are counted", "kl = 0.5 * mean.square().sum(1)"),
    edit("kl_reversed", "the KL is that of the prior from q, with the two distributions exchanged; q comes first",
         "kl = 0.5 * ((1 + mean.square()) / logvar.exp() - 1 + logvar).sum(1)"),
    edit("kl_detached", "`elbo_terms` cuts the KL off from autograd, so nothing holds the codes near the prior", "kl = kl_standard_normal(mean, logvar).detach()"),
    edit("kl_in_bits", "the KL is in bits, the log-likelihood in nats", "kl = kl_standard_normal(mean, logvar) / math.log(2)"),
)

mistakes.at(
    "return log_likelihood - kl, log_likelihood, kl",
    edit("kl_forgotten", "`elbo` lacks the KL; (5.1) subtracts it", "return log_likelihood, log_likelihood, kl"),
    edit("likelihood_negated", "`log_likelihood` is returned with the opposite sign; `elbo` uses the right one", "return log_likelihood - kl, -log_likelihood, kl"),
    edit("kl_negated", "`kl` is returned with the opposite sign; `elbo` uses the right one", "return log_likelihood - kl, log_likelihood, -kl"),
    edit("kl_clamped_per_latent", "a floor is put under the KL of each latent (free bits); the bound has none",
         "kl = (0.5 * (mean.square() + logvar.exp() - 1 - logvar)).clamp_min(0.1).sum(1); return log_likelihood - kl, log_likelihood, kl"),
    edit("kl_added", "`elbo` adds the KL; (5.1) subtracts it", "return log_likelihood + kl, log_likelihood, kl"),
    edit("negative_elbo", "`elbo_terms` returns the loss, -ELBO; the bound itself is asked for", "return kl - log_likelihood, log_likelihood, kl"),
    edit("negative_terms", "`elbo_terms` returns -ELBO and the cross-entropy; elbo = log_likelihood - kl is asked for",
         "return kl - log_likelihood, -log_likelihood, kl"),
    edit("terms_exchanged", "`elbo_terms` returns kl before log_likelihood", "return log_likelihood - kl, kl, log_likelihood"),
    edit("elbo_last", "`elbo_terms` returns the elbo last; it comes first", "return log_likelihood, kl, log_likelihood - kl"),
    edit("elbo_alone", "`elbo_terms` returns the elbo alone; its two terms are asked for, too", "return log_likelihood - kl"),
    edit("terms_alone", "`elbo_terms` returns the two terms without the elbo", "return log_likelihood, kl"),
    edit("all_averaged", "`elbo_terms` averages over the images; each image has three numbers of its own",
         "return (log_likelihood - kl).mean(), log_likelihood.mean(), kl.mean()"),
    edit("elbo_averaged", "`elbo` is averaged over the images; each image has its own", "return (log_likelihood - kl).mean(), log_likelihood, kl"),
    edit("all_summed", "`elbo_terms` sums over the images; each image has three numbers of its own",
         "return (log_likelihood - kl).sum(), log_likelihood.sum(), kl.sum()"),
    edit("per_pixel", "all three numbers are divided by the number of pixels; nats per image are asked for",
         "return (log_likelihood - kl) / x.shape[1], log_likelihood / x.shape[1], kl / x.shape[1]"),
    edit("in_bits", "the numbers are in bits; nats are asked for",
         "return (log_likelihood - kl) / math.log(2), log_likelihood / math.log(2), kl / math.log(2)"),
    edit("likelihood_detached_in_elbo", "the log-likelihood is cut off from autograd inside `elbo`",
         "return log_likelihood.detach() - kl, log_likelihood, kl"),
    edit("kl_detached_in_elbo", "the KL is cut off from autograd inside `elbo`", "return log_likelihood - kl.detach(), log_likelihood, kl"),
    edit("terms_detached", "the two terms come without graph; all three are to be differentiable",
         "return log_likelihood - kl, log_likelihood.detach(), kl.detach()"),
    edit("nothing_differentiable", "`elbo_terms` returns numbers without graph (`no_grad`, `.detach()` or `.item()`); nothing can be trained with them",
         "return (log_likelihood - kl).detach(), log_likelihood.detach(), kl.detach()"),
    edit("kl_clamped", "a floor is put under the KL (free bits); the bound has none",
         "kl = kl.clamp_min(2.0); return log_likelihood - kl, log_likelihood, kl"),
    edit("double_weight", "the KL is weighted in `elbo`; (5.1) has the weight 1", "return log_likelihood - 2 * kl, log_likelihood, kl"),
    edit("mean_kl_in_elbo", "`elbo` subtracts the mean KL of all images; each image has its own", "return log_likelihood - kl.mean(), log_likelihood, kl"),
    edit("half_weight", "the KL is weighted in `elbo`; (5.1) has the weight 1", "return log_likelihood - 0.5 * kl, log_likelihood, kl"),
)


@mistakes.rewrite("`elbo_terms` computes in float32 whatever comes in; float64 loses its digits")
def terms_in_float32(ref):
    def elbo_terms(model, x, eps):
        mean, logvar = model.encode(x)
        z = ref.reparameterise(mean.float(), logvar.float(), eps.float())
        log_likelihood = ref.bernoulli_log_prob(model.decode(z.to(x.dtype)).float(), x.float())
        kl = ref.kl_standard_normal(mean.float(), logvar.float())
        return (log_likelihood - kl).to(x.dtype), log_likelihood.to(x.dtype), kl.to(x.dtype)

    return {"elbo_terms": elbo_terms}


@mistakes.rewrite("`elbo_terms` works only where images and latents are many: it drops axes of length 1 (`squeeze`)")
def squeezed_terms(ref):
    def elbo_terms(model, x, eps):
        return tuple(term.squeeze() for term in ref.elbo_terms(model, x, eps))

    return {"elbo_terms": elbo_terms}


# --- aggregate_moments ---------------------------------------------------------------------------------------------

mistakes.at(
    "centre = mean.mean(0)",
    edit("mean_over_latents", "the mean is taken over the latents; it runs over the images, one number for each latent",
         "centre = mean.mean(1)"),
    edit("mean_over_latents_centred", "the mean is taken over the latents; it runs over the images, one number for each latent",
         "centre = mean.mean(1)", ("between = (mean - centre).T @ (mean - centre)", "between = (mean - centre[:, None]).T @ (mean - centre[:, None])")),
    edit("weighted_by_precision", "the images are weighted by their precision; in the aggregate every image counts the same",
         "centre = (mean * (-logvar).exp()).sum(0) / (-logvar).exp().sum(0)"),
    edit("moments_in_float32", "`aggregate_moments` computes in float32 whatever comes in",
         "mean, logvar = mean.float(), logvar.float(); centre = mean.mean(0)"),
    edit("median_for_mean", "the centre is the median of the means; the mean is asked for", "centre = mean.median(0).values"),
)

mistakes.at(
    "between = (mean - centre).T @ (mean - centre) / len(mean)",
    edit("one_less", "the covariance of the means is divided by N - 1 (as `torch.cov` does unless told otherwise); the aggregate is an exact mixture of N Gaussians",
         "between = (mean - centre).T @ (mean - centre) / (len(mean) - 1)"),
    edit("one_less_unless_one", "the covariance of the means is divided by N - 1 (as `torch.cov` does unless told otherwise); the aggregate is an exact mixture of N Gaussians",
         "between = (mean - centre).T @ (mean - centre) / max(len(mean) - 1, 1)"),
    edit("not_centred", "the mean of the codes is not subtracted: E[zzᵀ] is no covariance", "between = mean.T @ mean / len(mean)"),
    edit("not_divided", "the outer products are added up; their mean is asked for", "between = (mean - centre).T @ (mean - centre)"),
    edit("diagonal_only", "the covariance between different latents is missing", "between = torch.diag((mean - centre).square().mean(0))"),
    edit("divided_by_latents", "the products are divided by the number of latents; their mean over the images is asked for",
         "between = (mean - centre).T @ (mean - centre) / mean.shape[1]"),
    edit("squares_subtracted", "only the squares of the mean are subtracted; E[zzᵀ] less the outer product of the mean is the covariance",
         "between = mean.T @ mean / len(mean) - torch.diag(centre.square())"),
    edit("between_images", "the products are taken between images, not between latents", "between = (mean - centre) @ (mean - centre).T / mean.shape[1]"),
    edit("cov_of_one_latent", "`torch.cov` drops the axes of a single latent; (k, k) is asked for",
         "between = torch.cov(mean.T, correction=0)",
         ("return centre, between + torch.diag(logvar.exp().mean(0))", "return centre, between + torch.diag(logvar.exp().mean(0)) if mean.shape[1] > 1 else between + logvar.exp().mean()")),
    edit("no_spread_of_means", "the spread of the means is missing; only the variances are averaged", "between = 0 * (mean.T @ mean)"),
    edit("absolute_products", "absolute values are taken of the covariances, which may be negative", "between = ((mean - centre).T @ (mean - centre) / len(mean)).abs()"),
)

mistakes.at(
    "return centre, between + torch.diag(logvar.exp().mean(0))",
    edit("no_noise_in_moments", "the variances of the single posteriors are missing; codes are drawn, not only their means", "return centre, between"),
    edit("mean_logvar", "the log-variances are averaged before the exponential; the variances are to be averaged",
         "return centre, between + torch.diag(logvar.mean(0).exp())"),
    edit("std_averaged", "standard deviations are averaged in the place of variances", "return centre, between + torch.diag((0.5 * logvar).exp().mean(0))"),
    edit("std_averaged_squared", "standard deviations are averaged, then squared; variances are to be averaged",
         "return centre, between + torch.diag((0.5 * logvar).exp().mean(0).square())"),
    edit("logvar_added", "the log-variances are added; the variances are asked for", "return centre, between + torch.diag(logvar.mean(0))"),
    edit("variance_everywhere", "the average variances are added to all entries of each row; the noise of different latents is independent, so they belong on the diagonal",
         "return centre, between + logvar.exp().mean(0)"),
    edit("variance_subtracted", "the average variances are subtracted; both kinds of spread add up", "return centre, between - torch.diag(logvar.exp().mean(0))"),
    edit("of_the_mean", "the average variance is divided by N, as for the error of a mean", "return centre, between + torch.diag(logvar.exp().mean(0)) / len(mean)"),
    edit("variances_summed", "the variances are added up over the images; their mean is asked for", "return centre, between + torch.diag(logvar.exp().sum(0))"),
    edit("all_by_one_less", "everything is divided by N - 1; the aggregate is an exact mixture of N Gaussians",
         "return centre, (between + torch.diag(logvar.exp().mean(0))) * len(mean) / (len(mean) - 1)"),
    edit("variance_twice", "the average variances are counted twice", "return centre, between + 2 * torch.diag(logvar.exp().mean(0))"),
    edit("first_variance", "the variances of the first image stand for all; their average is asked for", "return centre, between + torch.diag(logvar[0].exp())"),
    edit("everything_summed", "products and variances are added up over the images; their means are asked for",
         "return centre, len(mean) * between + torch.diag(logvar.exp().sum(0))"),
    edit("deviations_multiplied", "the products of σ of different latents are added, too; the noise of different latents is independent",
         "std = (0.5 * logvar).exp(); return centre, between + std.T @ std / len(mean)"),
    edit("moments_squeezed", "axes of length 1 are dropped (`squeeze`): with one latent the shapes are (1,) and (1, 1)",
         "return centre.squeeze(), (between + torch.diag(logvar.exp().mean(0))).squeeze()"),
    edit("common_variance", "one variance, averaged over the latents, too, is added to all latents", "return centre, between + torch.eye(mean.shape[1]).to(mean) * logvar.exp().mean()"),
    edit("variances_only", "the diagonal alone is returned, of shape (k,); a covariance (k, k) is asked for",
         "return centre, (between + torch.diag(logvar.exp().mean(0))).diagonal()"),
    edit("std_returned_for_cov", "the root of the covariance is returned", "return centre, (between + torch.diag(logvar.exp().mean(0))).clamp_min(0).sqrt()"),
    edit("moments_exchanged", "the covariance comes first; (mean, covariance) is asked for", "return between + torch.diag(logvar.exp().mean(0)), centre"),
    edit("correlations", "correlations are returned; covariances are asked for",
         "cov = between + torch.diag(logvar.exp().mean(0)); std = cov.diagonal().sqrt(); return centre, cov / std[:, None] / std"),
    edit("row_for_mean", "the mean has shape (1, k); (k,) is asked for", "return centre[None], between + torch.diag(logvar.exp().mean(0))"),
    edit("jitter", "a jitter is added to the diagonal; the covariance is exact without", "return centre, between + torch.diag(logvar.exp().mean(0) + 1e-3)"),
    edit("noise_one", "the variance of each posterior is taken to be 1", "return centre, between + torch.eye(mean.shape[1]).to(mean)"),
    edit("floored_variance", "a floor is put under the log-variances", "return centre, between + torch.diag(logvar.clamp_min(-4).exp().mean(0))"),
)


@mistakes.rewrite("`aggregate_moments` draws codes and measures their moments; exact moments are asked for")
def sampled_moments(ref):
    def aggregate_moments(mean, logvar):
        z = mean + (0.5 * logvar).exp() * torch.randn(2000, *mean.shape, dtype=mean.dtype, device=mean.device)
        z = z.reshape(-1, mean.shape[1])
        return z.mean(0), (z - z.mean(0)).T @ (z - z.mean(0)) / len(z)

    return {"aggregate_moments": aggregate_moments}


# --- train ---------------------------------------------------------------------------------------------------------

mistakes.at(
    "optimiser = torch.optim.Adam(model.parameters(), lr=lr)",
    edit("plain_sgd", "`train` uses SGD; Adam is asked for", "optimiser = torch.optim.SGD(model.parameters(), lr=lr)"),
    edit("momentum_sgd", "`train` uses SGD with momentum; Adam is asked for", "optimiser = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)"),
    edit("rmsprop", "`train` uses RMSprop; Adam is asked for", "optimiser = torch.optim.RMSprop(model.parameters(), lr=lr)"),
    edit("adamw", "`train` uses AdamW, which decays the weights; Adam is asked for", "optimiser = torch.optim.AdamW(model.parameters(), lr=lr)"),
    edit("nadam", "`train` uses NAdam; Adam is asked for", "optimiser = torch.optim.NAdam(model.parameters(), lr=lr)"),
    edit("first_parameter_left_out", "`train` gives Adam only some of the parameters; all are to be trained", "optimiser = torch.optim.Adam(list(model.parameters())[1:], lr=lr)"),
    edit("small_epsilon", "`train` gives Adam another epsilon than its own", "optimiser = torch.optim.Adam(model.parameters(), lr=lr, eps=1e-6)"),
    edit("weight_decay", "`train` gives Adam a weight decay; none is asked for", "optimiser = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=1e-2)"),
    edit("rate_ignored", "`train` ignores the learning rate and takes Adam's own, 0.001", "optimiser = torch.optim.Adam(model.parameters())"),
    edit("first_parameter_only", "`train` gives Adam only some of the parameters; all are to be trained", "optimiser = torch.optim.Adam(list(model.parameters())[:1], lr=lr)"),
    edit("other_epsilon", "`train` gives Adam another epsilon than its own", "optimiser = torch.optim.Adam(model.parameters(), lr=lr, eps=1e-2)"),
    edit("other_betas", "`train` gives Adam other betas than its own", "optimiser = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.5, 0.999))"),
    edit("other_second_beta", "`train` gives Adam other betas than its own", "optimiser = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99))"),
    edit("small_weight_decay", "`train` gives Adam a weight decay; none is asked for", "optimiser = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=1e-5)"),
    edit("amsgrad", "`train` gives Adam the option `amsgrad`; it is not asked for", "optimiser = torch.optim.Adam(model.parameters(), lr=lr, amsgrad=True)"),
)

mistakes.at(
    "was_training, history = model.training, []",
    edit("left_in_training", "`train` leaves the model in training mode (or reads the mode after it has changed it); it is to be in the mode in which it came", "was_training, history = True, []"),
    edit("left_in_evaluation", "`train` leaves the model in evaluation mode; it is to be in the mode in which it came", "was_training, history = False, []"),
)

mistakes.at(
    """
    model.train()
    """,
    edit("trains_as_it_came", "`train` does not switch to training mode", ""),
    edit("trains_in_evaluation", "`train` trains in evaluation mode", "model.eval()"),
    edit("only_the_flag", "`train` sets `model.training` alone; the parts keep their mode. `model.train()` reaches all parts",
         "model.training = True"),
)

mistakes.at(
    "for batch in data.batches(x, batch_size, generator, steps=steps):",
    edit("drops_last_batch", "`train` leaves out the smaller last batch of each pass",
         "for batch in data.batches(x, min(batch_size, len(x)), generator, drop_last=True, steps=steps):"),
    edit("no_shuffle", "`train` takes the data in the given order; the generator decides it", "for batch in data.batches(x, batch_size, None, steps=steps):"),
    edit("same_order_each_pass", "`train` draws the order once; each pass draws its own",
         """order = torch.randperm(len(x), generator=generator, device=generator.device).to(x.device)
    for batch in data.batches(x[order], batch_size, None, steps=steps):"""),
    edit("seeded_once", "`train` shuffles with a generator of its own, or seeds the given one; the order comes from the given one as it is",
         "for batch in data.batches(x, batch_size, generator.manual_seed(0), steps=steps):"),
    edit("own_generator", "`train` shuffles with a generator of its own, or seeds the given one; the order comes from the given one as it is",
         "for batch in data.batches(x, batch_size, torch.Generator(device=x.device).manual_seed(0), steps=steps):"),
    edit("reseeded", "`train` seeds the generator anew in every pass, so that the order (and the noise) repeats",
         "for batch in (b for _ in range(steps) for b in data.batches(x, batch_size, generator.manual_seed(0))):",
         ("value = loss(model, batch, generator)", "if len(history) == steps: break\n        value = loss(model, batch, generator)")),
    edit("data_flattened", "`train` flattens the examples; the loss gets them in their own shape",
         "for batch in data.batches(x.flatten(1), batch_size, generator, steps=steps):"),
    edit("data_in_float32", "`train` turns the examples into float32; the loss gets them as they are",
         "for batch in data.batches(x.float(), batch_size, generator, steps=steps):"),
    edit("strided", "`train` takes every m-th example of the permutation for a batch; consecutive slices are asked for",
         """m = -(-len(x) // batch_size)
    orders = (torch.randperm(len(x), generator=generator, device=generator.device).to(x.device) for _ in range(steps))
    for batch in itertools.islice((x[order[i::m]] for order in orders for i in range(m)), steps):""",
         ("optimiser = torch.optim.Adam(model.parameters(), lr=lr)", "import itertools; optimiser = torch.optim.Adam(model.parameters(), lr=lr)")),
    edit("equal_chunks", "`train` divides each pass into batches of nearly equal size; slices of `batch_size` are asked for",
         """orders = (torch.randperm(len(x), generator=generator, device=generator.device).to(x.device) for _ in range(steps))
    for batch in itertools.islice((x[part] for order in orders for part in order.chunk(-(-len(x) // batch_size))), steps):""",
         ("optimiser = torch.optim.Adam(model.parameters(), lr=lr)", "import itertools; optimiser = torch.optim.Adam(model.parameters(), lr=lr)")),
    edit("data_loader", "`train` lets a `DataLoader` shuffle, which draws other numbers from the generator than one permutation for each pass",
         """loader = torch.utils.data.DataLoader(x, batch_size, shuffle=True, generator=generator)
    for batch in itertools.islice((b for _ in range(steps) for b in loader), steps):""",
         ("optimiser = torch.optim.Adam(model.parameters(), lr=lr)", "import itertools; optimiser = torch.optim.Adam(model.parameters(), lr=lr)")),
    edit("filled_up", "`train` fills the last batch of a pass with examples of the next pass; it may be smaller",
         """orders = torch.cat([torch.randperm(len(x), generator=generator, device=generator.device) for _ in range(steps * batch_size // len(x) + 1)]).to(x.device)
    for batch in x[orders[: steps * batch_size]].split(batch_size):"""),
    edit("finishes_the_pass", "`train` finishes its last pass, beyond `steps` steps",
         "for batch in (b for _ in range(-(-steps // -(-len(x) // batch_size))) for b in data.batches(x, batch_size, generator)):"),
    edit("finishes_the_pass_unseen", "`train` finishes its last pass, beyond `steps` steps",
         "for batch in (b for _ in range(-(-steps // -(-len(x) // batch_size))) for b in data.batches(x, batch_size, generator)):",
         ("return torch.stack(history)", "return torch.stack(history[:steps])")),
    edit("one_pass", "`train` stops after one pass over the data; `steps` may be more than one pass", "for batch in list(data.batches(x, batch_size, generator))[:steps]:"),
    edit("passes_for_steps", "`train` makes `steps` passes over the data; `steps` counts updates",
         "for batch in (b for _ in range(steps) for b in data.batches(x, batch_size, generator)):"),
    edit("one_step_less", "`train` makes one step too few", "for batch in data.batches(x, batch_size, generator, steps=steps - 1):"),
    edit("one_step_more", "`train` makes one step too many", "for batch in data.batches(x, batch_size, generator, steps=steps + 1):"),
    edit("whole_set", "`train` takes all data as one batch", "for batch in [x] * steps:"),
    edit("first_batch_again", "`train` uses the first batch for all steps", "for batch in [next(data.batches(x, batch_size, generator))] * steps:"),
    edit("new_order_each_step", "`train` draws a new order for each step and takes its first slice: some examples come twice in a pass, others never",
         "for batch in (next(data.batches(x, batch_size, generator)) for _ in range(steps)):"),
    edit("with_replacement", "`train` draws each batch anew, with replacement; a pass is to use every example once",
         "for batch in (x[torch.randint(len(x), (batch_size,), generator=generator, device=generator.device).to(x.device)] for _ in range(steps)):"),
)

mistakes.at(
    "value = loss(model, batch, generator)",
    edit("new_optimiser", "`train` makes a new Adam for every step, which forgets its running averages",
         "optimiser = torch.optim.Adam(model.parameters(), lr=lr); value = loss(model, batch, generator)"),
    edit("new_optimiser_each_pass", "`train` makes a new Adam for every pass, which forgets its running averages",
         "if len(history) % -(-len(x) // batch_size) == 0: optimiser = torch.optim.Adam(model.parameters(), lr=lr)\n        value = loss(model, batch, generator)"),
    edit("loss_twice", "`train` computes the loss of each batch twice; with random losses the second one has other noise",
         "loss(model, batch, generator); value = loss(model, batch, generator)"),
    edit("loss_of_everything", "`train` gives all data to the loss; it gets the batch", "value = loss(model, x, generator)"),
    edit("absolute_loss", "`train` minimises the absolute value of the loss; a loss may be negative", "value = loss(model, batch, generator).abs()"),
    edit("clamped_loss", "`train` cuts the loss off at 0; a loss may be negative", "value = loss(model, batch, generator).clamp_min(0)"),
    edit("uphill", "`train` maximises the loss", "value = -loss(model, batch, generator)"),
    edit("weighted_by_size", "`train` multiplies each loss by the size of its batch; the loss is a mean already", "value = loss(model, batch, generator) * len(batch)"),
    edit("divided_by_size", "`train` divides each loss by the size of its batch; the loss is a mean already", "value = loss(model, batch, generator) / len(batch)"),
    edit("rate_decays", "`train` lowers the learning rate step by step; it is `lr` throughout",
         "value = loss(model, batch, generator); optimiser.param_groups[0]['lr'] *= 0.9"),
    edit("fresh_generator_for_loss", "`train` gives the loss another generator than the one it was given",
         "value = loss(model, batch, torch.Generator(device=generator.device).manual_seed(0))"),
)

mistakes.at(
    """
    optimiser.zero_grad()
    """,
    edit("no_zero_grad", "`train` never resets the gradients, so each step uses the sum of all of them", ""),
    edit("reset_each_pass", "`train` resets the gradients once in a pass, so they add up over its batches",
         "if len(history) % -(-len(x) // batch_size) == 0: optimiser.zero_grad()"),
    edit("reset_at_the_start", "`train` resets the gradients once, before the loop, so they add up",
         "", ("model.train()\n    for", "model.train(); optimiser.zero_grad()\n    for")),
)

mistakes.at(
    "value.backward()",
    edit("gradients_clipped", "`train` clips the gradients; nobody asked for it", "value.backward(); torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)"),
    edit("values_clipped", "`train` clips the gradients; nobody asked for it", "value.backward(); torch.nn.utils.clip_grad_value_(model.parameters(), 1.0)"),
    edit("scaled_for_backward", "`train` divides the loss before `backward`; the gradient is that of the loss as it is", "(value / steps).backward()"),
)

mistakes.at(
    "optimiser.step()",
    edit("no_step", "`train` leaves the weights as they are: the optimiser's `step` is not called, or finds the gradients reset", "pass"),
    edit("two_steps", "`train` makes two steps with the gradient of each batch", "optimiser.step(); optimiser.step()"),
    edit("every_second_step", "`train` steps only after every second batch; each batch has a step",
         "if len(history) % 2: optimiser.step()"),
    edit("step_before_backward", "`train` steps with the gradient of the batch before: `step` comes after `backward`",
         "pass", ("value = loss(model, batch, generator)\n        optimiser.zero_grad()", "value = loss(model, batch, generator)\n        optimiser.step(); optimiser.zero_grad()")),
)

mistakes.at(
    "history.append(value.detach())",
    edit("history_keeps_graphs", "the history holds the graphs of all steps; it is to be without graph", "history.append(value)"),
    edit("loss_after_update", "the history holds each batch's loss after its update; before it is asked for",
         "history.append(loss(model, batch, generator).detach())"),
    edit("history_of_sums", "the history holds the losses times the size of the batch", "history.append(value.detach() * len(batch))"),
    edit("running_mean", "the history is a running average; the loss of each step is asked for",
         "history.append(value.detach() if not history else 0.9 * history[-1] + 0.1 * value.detach())"),
    edit("history_in_bits", "the history is divided by log 2; the losses are asked for as they are", "history.append(value.detach() / math.log(2))"),
)

mistakes.at(
    "model.train(was_training)",
    edit("flag_set_back", "`train` sets back `model.training` alone; the parts stay in training mode. `model.train(mode)` reaches all parts",
         "model.training = was_training"),
)

mistakes.at(
    "return torch.stack(history)",
    edit("list_returned", "`train` returns a list; a tensor (steps,) is asked for", "return history"),
    edit("last_loss_only", "`train` returns the last loss; the loss of every step is asked for", "return history[-1]"),
    edit("mean_loss", "`train` returns the mean loss; the loss of every step is asked for", "return torch.stack(history).mean()"),
    edit("model_returned", "`train` returns the model; the history is asked for", "return model"),
    edit("history_reversed", "the history runs backwards", "return torch.stack(history[::-1])"),
    edit("history_late", "the history is shifted by one step", "return torch.stack([history[0], *history[:-1]])"),
    edit("wide_history", "the history has shape (steps, 1)", "return torch.stack(history)[:, None]"),
)


@mistakes.rewrite("`aggregate_moments` multiplies the posteriors (weights by precision); the aggregate is their average")
def product_of_gaussians(ref):
    def aggregate_moments(mean, logvar):
        precision = (-logvar).exp()
        return (precision * mean).sum(0) / precision.sum(0), torch.diag(1 / precision.sum(0))

    return {"aggregate_moments": aggregate_moments}


@mistakes.rewrite("`train` stops, or skips the update, when the loss rises; it makes `steps` steps")
def stops_early(ref):
    def train(model, loss, x, steps, batch_size, lr, generator):
        optimiser, was_training, history = torch.optim.Adam(model.parameters(), lr=lr), model.training, []
        model.train()
        for batch in data.batches(x, batch_size, generator, steps=steps):
            value = loss(model, batch, generator)
            if history and value > history[-1]:
                break
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            history.append(value.detach())
        model.train(was_training)
        return torch.stack(history)

    return {"train": train}


@mistakes.rewrite("`train` lowers the learning rate on a cosine; it is `lr` throughout")
def cosine_schedule(ref):
    def train(model, loss, x, steps, batch_size, lr, generator):
        optimiser, was_training, history = torch.optim.Adam(model.parameters(), lr=lr), model.training, []
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        model.train()
        for batch in data.batches(x, batch_size, generator, steps=steps):
            value = loss(model, batch, generator)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step()
            history.append(value.detach())
        model.train(was_training)
        return torch.stack(history)

    return {"train": train}


@mistakes.rewrite("`train` trains a copy, or puts the old weights back: the model itself is to change")
def trains_a_copy(ref):
    def train(model, *arguments):
        return ref.train(copy.deepcopy(model), *arguments)

    return {"train": train}


@mistakes.rewrite("`train` puts the weights with the best loss back at the end; the last are asked for")
def keeps_the_best(ref):
    def train(model, loss, x, steps, batch_size, lr, generator):
        optimiser, was_training, history, best = torch.optim.Adam(model.parameters(), lr=lr), model.training, [], None
        model.train()
        for batch in data.batches(x, batch_size, generator, steps=steps):
            value = loss(model, batch, generator)
            if best is None or value < best:
                best, state = value.detach(), copy.deepcopy(model.state_dict())
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            history.append(value.detach())
        model.load_state_dict(state)
        model.train(was_training)
        return torch.stack(history)

    return {"train": train}


@mistakes.rewrite("`train` changes which parameters require gradients: frozen ones are trained, too")
def unfreezes(ref):
    def train(model, *arguments):
        for p in model.parameters():
            p.requires_grad_(True)
        return ref.train(model, *arguments)

    return {"train": train}


@mistakes.rewrite("`train` stops, or skips the update, when the loss rises; it makes `steps` steps")
def stops_with_patience(ref):
    def train(model, loss, x, steps, batch_size, lr, generator):
        optimiser, was_training, history = torch.optim.Adam(model.parameters(), lr=lr), model.training, []
        model.train()
        for batch in data.batches(x, batch_size, generator, steps=steps):
            value = loss(model, batch, generator)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            history.append(value.detach())
            if len(history) > 5 and min(history[-5:]) > min(history[:-5]):
                break
        model.train(was_training)
        return torch.stack(history)

    return {"train": train}


@mistakes.rewrite("`train` puts the weights with the best loss back at the end; the last are asked for")
def keeps_those_after_the_best(ref):
    def train(model, loss, x, steps, batch_size, lr, generator):
        optimiser, was_training, history = torch.optim.Adam(model.parameters(), lr=lr), model.training, []
        model.train()
        for batch in data.batches(x, batch_size, generator, steps=steps):
            value = loss(model, batch, generator)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            history.append(value.detach())
            if history[-1] == min(history):
                state = copy.deepcopy(model.state_dict())
        model.load_state_dict(state)
        model.train(was_training)
        return torch.stack(history)

    return {"train": train}


@mistakes.rewrite("`train` makes `steps` passes, and the history holds the mean loss of each; `steps` counts updates")
def means_of_passes(ref):
    def train(model, loss, x, steps, batch_size, lr, generator):
        optimiser, was_training, history = torch.optim.Adam(model.parameters(), lr=lr), model.training, []
        model.train()
        for _ in range(steps):
            losses = []
            for batch in data.batches(x, batch_size, generator):
                value = loss(model, batch, generator)
                optimiser.zero_grad()
                value.backward()
                optimiser.step()
                losses.append(value.detach())
            history.append(torch.stack(losses).mean())
        model.train(was_training)
        return torch.stack(history)

    return {"train": train}


@mistakes.rewrite("`train` stops when the loss hardly changes; it makes `steps` steps")
def stops_when_converged(ref):
    def train(model, loss, x, steps, batch_size, lr, generator):
        optimiser, was_training, history = torch.optim.Adam(model.parameters(), lr=lr), model.training, []
        model.train()
        for batch in data.batches(x, batch_size, generator, steps=steps):
            value = loss(model, batch, generator)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            history.append(value.detach())
            if len(history) > 1 and (history[-1] - history[-2]).abs() < 1e-6:
                break
        model.train(was_training)
        return torch.stack(history)

    return {"train": train}


@mistakes.rewrite("`train` leaves the average of the weights of all steps behind; the last are asked for")
def averages_the_weights(ref):
    def train(model, loss, x, steps, batch_size, lr, generator):
        optimiser, was_training, history, total = torch.optim.Adam(model.parameters(), lr=lr), model.training, [], 0
        model.train()
        for batch in data.batches(x, batch_size, generator, steps=steps):
            value = loss(model, batch, generator)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            history.append(value.detach())
            total = total + torch.nn.utils.parameters_to_vector(model.parameters()).detach() / steps
        torch.nn.utils.vector_to_parameters(total, model.parameters())
        model.train(was_training)
        return torch.stack(history)

    return {"train": train}


@mistakes.rewrite("`train` lowers the learning rate where the loss no longer falls; it is `lr` throughout")
def lowers_on_a_plateau(ref):
    def train(model, loss, x, steps, batch_size, lr, generator):
        optimiser, was_training, history = torch.optim.Adam(model.parameters(), lr=lr), model.training, []
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, patience=5)
        model.train()
        for batch in data.batches(x, batch_size, generator, steps=steps):
            value = loss(model, batch, generator)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            schedule.step(value.detach())
            history.append(value.detach())
        model.train(was_training)
        return torch.stack(history)

    return {"train": train}
