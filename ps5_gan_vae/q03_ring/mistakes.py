"""What students get wrong in Question 3."""

import copy

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- ring_networks ---------------------------------------------------------------------------------------------------

mistakes.at(
    "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2), nn.Tanh())",
    edit("samples_by_sigmoid", "The generator of `ring_networks` ends with a sigmoid, so it reaches one quarter of the square; samples lie in (-1, 1)",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2), nn.Sigmoid())"),
    edit("samples_unbounded", "The generator of `ring_networks` has nothing behind its last layer, so its samples leave (-1, 1)",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2))"),
    edit("samples_cut_off", "The generator of `ring_networks` cuts its samples off at ±1; there it gets no gradient any more, which tanh avoids",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2), nn.Hardtanh())"),
    edit("samples_softsign", "The generator of `ring_networks` ends with another function than tanh",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2), nn.Softsign())"),
    edit("samples_relu", "The generator of `ring_networks` has an activation between its last layer and tanh, so no sample has a negative coordinate",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2), nn.ReLU(), nn.Tanh())"),
    edit("samples_halved", "The generator of `ring_networks` maps tanh to (0, 1), as for pictures; samples lie in (-1, 1)",
         """
         class Unit(nn.Module):
             def forward(self, x):
                 return (x + 1) / 2
         generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2), nn.Tanh(), Unit())
         """),
    edit("generator_tanh_hidden", "The hidden layers of the generator have tanh; ReLU is asked for",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2), nn.Tanh())"),
    edit("generator_leaky", "The hidden layers of the generator have a leaky ReLU; ReLU is asked for, and LeakyReLU in the critic",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, 2), nn.Tanh())"),
    edit("generator_gelu", "The hidden layers of the generator have GELU; ReLU is asked for",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 2), nn.Tanh())"),
    edit("generator_one_hidden", "The generator has one hidden layer; two are asked for",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, 2), nn.Tanh())"),
    edit("generator_three_hidden", "The generator has three hidden layers; two are asked for",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2), nn.Tanh())"),
    edit("generator_no_second_activation", "Between two Linear layers of the generator there is no activation, so the two are one linear map",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.Linear(width, 2), nn.Tanh())"),
    edit("generator_no_first_activation", "After the generator's first Linear layer there is no activation, so the first two are one linear map",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2), nn.Tanh())"),
    edit("generator_no_activations", "The generator has no ReLU at all: a linear map before tanh cannot make eight modes",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.Linear(width, width), nn.Linear(width, 2), nn.Tanh())"),
    edit("generator_drops_too", "The generator has dropout too; then the same noise gives another sample each time, and its map is never the one that is trained",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 2), nn.Tanh())"),
    edit("generator_no_bias", "Linear layers of the generator have no bias; with noise 0 at the centre, it could only give 0 there",
         "generator = nn.Sequential(nn.Linear(noise, width, bias=False), nn.ReLU(), nn.Linear(width, width, bias=False), nn.ReLU(), nn.Linear(width, 2, bias=False), nn.Tanh())"),
    edit("generator_last_no_bias", "The generator's last Linear layer has no bias",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2, bias=False), nn.Tanh())"),
    edit("noise_two", "The generator takes two numbers as noise, whatever `noise` is",
         "generator = nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2), nn.Tanh())"),
    edit("generator_narrows", "The generator's second hidden layer is half as wide; both have `width`",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width // 2), nn.ReLU(), nn.Linear(width // 2, 2), nn.Tanh())"),
    edit("generator_returns_noise_size", "The generator gives as many numbers as its noise has; samples are points of the plane",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, noise), nn.Tanh())"),
    edit("generator_normalised", "The generator has a batch norm, which is not asked for: samples then depend on each other",
         "generator = nn.Sequential(nn.Linear(noise, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 2), nn.Tanh())"),
)

mistakes.at(
    "hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(0.2), nn.Dropout(dropout))]",
    edit("critic_without_dropout", "The critic has no dropout", "hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(0.2))]"),
    edit("dropout_half", "The critic drops a half (the default of nn.Dropout), whatever `dropout` is", "hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(0.2), nn.Dropout())]"),
    edit("dropout_is_kept_share", "The critic takes `dropout` for the share that is kept; it is the share that is dropped",
         "hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(0.2), nn.Dropout(1 - dropout))]"),
    edit("dropout_once", "The critic has dropout after one of its hidden layers; it follows both",
         "hidden = [nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Dropout(dropout)]"),
    edit("dropout_first_only", "The critic has dropout after its first hidden layer alone; it follows both",
         "hidden = [nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Dropout(dropout), nn.Linear(width, width), nn.LeakyReLU(0.2)]"),
    edit("dropout_of_the_input", "The critic drops coordinates of the point itself; dropout follows the hidden layers",
         "hidden = [nn.Dropout(dropout), *(layer for size in (2, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(0.2), nn.Dropout(dropout)))]"),
    edit("dropout_never_off", "The critic's dropout stays on in eval mode; F.dropout does so unless it is told `training`",
         """
         class Drop(nn.Module):
             def forward(self, x):
                 return F.dropout(x, dropout)
         hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(0.2), Drop())]
         """),
    edit("dropout_of_examples", "The critic drops all of a sample's hidden numbers together; each is dropped by itself",
         """
         class Drop(nn.Module):
             def forward(self, x):
                 return x * F.dropout(torch.ones_like(x[:, :1]), dropout, self.training)
         hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(0.2), Drop())]
         """),
    edit("dropout_not_rescaled", "The critic sets numbers to 0 without enlarging the others, so in eval mode its logits are larger than those it was trained with",
         """
         class Drop(nn.Module):
             def forward(self, x):
                 return x * (torch.rand_like(x) >= dropout) if self.training else x
         hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(0.2), Drop())]
         """),
    edit("critic_slope_default", "The critic's LeakyReLU has its default slope 0.01; 0.2 is asked for", "hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(), nn.Dropout(dropout))]"),
    edit("critic_relu", "The critic has ReLU where LeakyReLU is asked for; where all its units are 0, the generator gets no gradient",
         "hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.ReLU(), nn.Dropout(dropout))]"),
    edit("critic_tanh", "The critic's hidden layers have tanh; LeakyReLU is asked for", "hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.Tanh(), nn.Dropout(dropout))]"),
    edit("critic_elu", "The critic's hidden layers have ELU; LeakyReLU is asked for", "hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.ELU(0.2), nn.Dropout(dropout))]"),
    edit("critic_one_hidden", "The critic has one hidden layer; two are asked for", "hidden = [nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Dropout(dropout)]"),
    edit("critic_three_hidden", "The critic has three hidden layers; two are asked for", "hidden = [layer for size in (2, width, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(0.2), nn.Dropout(dropout))]"),
    edit("critic_no_bias", "Linear layers of the critic have no bias", "hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width, bias=False), nn.LeakyReLU(0.2), nn.Dropout(dropout))]"),
    edit("critic_takes_noise", "The critic takes as many numbers as the noise has; it judges points of the plane", "hidden = [layer for size in (noise, width) for layer in (nn.Linear(size, width), nn.LeakyReLU(0.2), nn.Dropout(dropout))]"),
    edit("critic_normalised", "The critic has a layer norm, which is not asked for", "hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.LayerNorm(width), nn.LeakyReLU(0.2), nn.Dropout(dropout))]"),
    edit("critic_linear", "The critic has no activation, so it is a linear function and separates by a straight line", "hidden = [layer for size in (2, width) for layer in (nn.Linear(size, width), nn.Dropout(dropout))]"),
)

mistakes.at(
    "return generator, nn.Sequential(*hidden, nn.Linear(width, 1), nn.Flatten(0))",
    edit("networks_swapped", "`ring_networks` returns the critic first; the generator comes first", "return nn.Sequential(*hidden, nn.Linear(width, 1), nn.Flatten(0)), generator"),
    edit("logits_in_a_column", "The critic returns (N, 1); then a difference with an (N,) is an (N, N), without an error. Logits are (N,)", "return generator, nn.Sequential(*hidden, nn.Linear(width, 1))"),
    edit("logits_squeezed", "The critic's `squeeze()` also removes the batch axis if there is one sample; logits are (N,)",
         """
         class Squeeze(nn.Module):
             def forward(self, x):
                 return x.squeeze()
         return generator, nn.Sequential(*hidden, nn.Linear(width, 1), Squeeze())
         """),
    edit("probabilities", "The critic ends with a sigmoid; it gives logits, and the losses take their logarithms without rounding", "return generator, nn.Sequential(*hidden, nn.Linear(width, 1), nn.Sigmoid(), nn.Flatten(0))"),
    edit("log_probabilities", "The critic ends with a log-sigmoid; it gives logits", "return generator, nn.Sequential(*hidden, nn.Linear(width, 1), nn.LogSigmoid(), nn.Flatten(0))"),
    edit("logits_bounded", "The critic ends with tanh; logits have no bounds", "return generator, nn.Sequential(*hidden, nn.Linear(width, 1), nn.Tanh(), nn.Flatten(0))"),
    edit("logits_activated", "The critic has a LeakyReLU behind its last layer; logits need none", "return generator, nn.Sequential(*hidden, nn.Linear(width, 1), nn.LeakyReLU(0.2), nn.Flatten(0))"),
    edit("logits_dropped", "The critic drops logits; dropout follows the hidden layers", "return generator, nn.Sequential(*hidden, nn.Linear(width, 1), nn.Dropout(dropout), nn.Flatten(0))"),
    edit("two_classes", "The critic gives two numbers, one for each class; one logit is asked for", "return generator, nn.Sequential(*hidden, nn.Linear(width, 2))"),
    edit("critic_last_no_bias", "The critic's last Linear layer has no bias", "return generator, nn.Sequential(*hidden, nn.Linear(width, 1, bias=False), nn.Flatten(0))"),
    edit("logits_averaged", "The critic returns the mean over the batch; each sample has its logit",
         """
         class Mean(nn.Module):
             def forward(self, x):
                 return x.mean()
         return generator, nn.Sequential(*hidden, nn.Linear(width, 1), Mean())
         """),
    edit("critic_alone", "`ring_networks` returns the critic alone", "return nn.Sequential(*hidden, nn.Linear(width, 1), nn.Flatten(0))"),
    edit("networks_in_eval_detached", "The networks cut their results off from the graph, so nothing can learn",
         """
         class Cut(nn.Module):
             def forward(self, x):
                 return x.detach()
         return nn.Sequential(generator, Cut()), nn.Sequential(*hidden, nn.Linear(width, 1), nn.Flatten(0), Cut())
         """),
    edit("logits_negative", "The critic's logit has the wrong sign: large means *real*",
         """
         class Minus(nn.Module):
             def forward(self, x):
                 return -x
         return generator, nn.Sequential(*hidden, nn.Linear(width, 1), nn.Flatten(0), Minus())
         """),
)

# --- gan_round -------------------------------------------------------------------------------------------------------

mistakes.at(
    "for x, z in zip(real, noise):",
    edit("one_update_of_the_critic", "`gan_round` updates the critic once, however many batches there are", "for x, z in zip(real[:1], noise):"),
    edit("last_noise_for_the_critic", "`gan_round` gives the critic the last noise, which is the generator's; pair real[r] with noise[r]", "for x, z in zip(real, noise[1:]):"),
    edit("same_noise_again", "`gan_round` shows the critic fakes of the first noise in all its updates; each has fakes of its own", "for x, z in zip(real, noise[:1].expand(noise.shape)):"),
    edit("same_batch_again", "`gan_round` shows the critic the first real batch in all its updates; each has its own", "for x, z in zip(real[:1].expand(real.shape), noise):"),
    edit("one_update_less", "`gan_round` updates the critic once less than there are batches", "for x, z in zip(real[1:], noise[1:]):"),
    edit("one_update_less_at_the_end", "`gan_round` leaves out the last batch of the critic", "for x, z in zip(real[:-1], noise):"),
    edit("one_update_more", "`gan_round` updates the critic once for each *noise* batch, once too often; the last noise is for the generator alone", "for x, z in zip(torch.cat([real, real[-1:]]), noise):"),
    edit("last_batch_first", "`gan_round` takes the critic's batches from the last to the first", "for x, z in zip(real.flip(0), noise[:-1].flip(0)):"),
    edit("noise_backwards", "`gan_round` pairs the first real batch with the last noise", "for x, z in zip(real, noise.flip(0)):"),
    edit("batches_counted_by_samples", "`gan_round` loops over the samples of a batch, not over the batches of the critic's updates", "for x, z in zip(real.transpose(0, 1), noise.transpose(0, 1)):"),
    edit("own_noise", "`gan_round` draws noise of its own; the noise is given", "for x, z in zip(real, torch.randn_like(noise)):"),
    edit("every_update_twice", "`gan_round` updates the critic twice on each batch", "for x, z in zip(real.repeat_interleave(2, 0), noise.repeat_interleave(2, 0)):"),
)
mistakes.at(
    "(discriminator_loss(critic(x), critic(generator(z).detach())) + gamma * r1_penalty(critic, x)).backward()",
    edit("no_detach", "`gan_round` does not cut the fakes off from the generator in the critic's update: each backward pass goes through the generator for nothing, and leaves gradients there",
         "(discriminator_loss(critic(x), critic(generator(z))) + gamma * r1_penalty(critic, x)).backward()"),
    edit("loss_swapped", "`gan_round` gives the critic's loss its arguments the wrong way round: the critic learns to call fakes real", "(discriminator_loss(critic(generator(z).detach()), critic(x)) + gamma * r1_penalty(critic, x)).backward()"),
    edit("no_penalty", "The penalty has no effect in `gan_round`: it is left out, or cut off from its graph by `.item()` or `.detach()`, which changes the loss and no gradient", "discriminator_loss(critic(x), critic(generator(z).detach())).backward()"),
    edit("penalty_subtracted", "`gan_round` subtracts the penalty, which rewards a steep critic", "(discriminator_loss(critic(x), critic(generator(z).detach())) - gamma * r1_penalty(critic, x)).backward()"),
    edit("penalty_halved", "`gan_round` halves the penalty, as papers that write γ/2 do; here it is gamma times `r1_penalty`", "(discriminator_loss(critic(x), critic(generator(z).detach())) + gamma / 2 * r1_penalty(critic, x)).backward()"),
    edit("penalty_without_gamma", "`gan_round` adds the penalty without gamma", "(discriminator_loss(critic(x), critic(generator(z).detach())) + r1_penalty(critic, x)).backward()"),
    edit("penalty_on_fakes", "`gan_round` penalises the slope at the fakes; R1 does so at the real batch", "(discriminator_loss(critic(x), critic(generator(z).detach())) + gamma * r1_penalty(critic, generator(z).detach())).backward()"),
    edit("penalty_on_both", "`gan_round` penalises the slope at the real batch and at the fakes; R1 does so at the real batch alone",
         "(discriminator_loss(critic(x), critic(generator(z).detach())) + gamma * (r1_penalty(critic, x) + r1_penalty(critic, generator(z).detach()))).backward()"),
    edit("gamma_fixed", "`gan_round` uses a gamma of its own", "(discriminator_loss(critic(x), critic(generator(z).detach())) + 0.05 * r1_penalty(critic, x)).backward()"),
    edit("penalty_root", "`gan_round` takes the root of the penalty, a mean slope; R1 is its square", "(discriminator_loss(critic(x), critic(generator(z).detach())) + gamma * r1_penalty(critic, x).sqrt()).backward()"),
    edit("gamma_squared", "`gan_round` squares gamma", "(discriminator_loss(critic(x), critic(generator(z).detach())) + gamma**2 * r1_penalty(critic, x)).backward()"),
    edit("loss_halved", "`gan_round` averages the critic's two terms where `discriminator_loss` adds them; against that the penalty counts twice", "(discriminator_loss(critic(x), critic(generator(z).detach())) / 2 + gamma * r1_penalty(critic, x)).backward()"),
    edit("critic_logits_cut", "The critic of `gan_round` learns nothing from fakes: they are left out, or its logits are cut off behind the critic. Cut off the fakes before it",
         "(discriminator_loss(critic(x), critic(generator(z)).detach()) + gamma * r1_penalty(critic, x)).backward()"),
    edit("real_forgotten", "`gan_round` shows the critic fakes alone; without real samples it calls everything fake", "(F.softplus(critic(generator(z).detach())).mean() + gamma * r1_penalty(critic, x)).backward()"),
    edit("critic_on_generators_loss", "`gan_round` trains the critic by the generator's loss", "(generator_loss(critic(generator(z).detach()), \"nonsaturating\") + gamma * r1_penalty(critic, x)).backward()"),
    edit("critic_climbs", "`gan_round` maximises the critic's loss", "(-discriminator_loss(critic(x), critic(generator(z).detach())) + gamma * r1_penalty(critic, x)).backward()"),
    edit("sum_over_the_batch", "`gan_round` sums over the batch; `discriminator_loss` is a mean", "(len(x) * discriminator_loss(critic(x), critic(generator(z).detach())) + gamma * r1_penalty(critic, x)).backward()"),
    edit("penalty_all_at_once", "`gan_round` multiplies the whole loss by gamma, not the penalty alone", "(gamma * (discriminator_loss(critic(x), critic(generator(z).detach())) + r1_penalty(critic, x))).backward()"),
    edit("noise_as_fakes", "`gan_round` shows the critic noise where fakes belong: the generator is not asked", "(discriminator_loss(critic(x), critic(z[:, :2])) + gamma * r1_penalty(critic, x)).backward()"),
)
mistakes.at(
    """
    for x, z in zip(real, noise):
        critic_optimiser.zero_grad()
    """,
    edit("critic_never_cleared", "`gan_round` does not clear the critic's gradients before its updates, so they add up", "for x, z in zip(real, noise):"),
    edit("critic_cleared_once", "`gan_round` clears the critic's gradients before the loop alone, so those of its updates add up",
         """
         critic_optimiser.zero_grad()
         for x, z in zip(real, noise):
         """),
)
mistakes.at(
    """
        critic_optimiser.step()
    generator_optimiser.zero_grad()
    """,
    edit("both_step", "`gan_round` lets the generator's optimiser step in the critic's update as well",
         """
             critic_optimiser.step()
             generator_optimiser.step()
         generator_optimiser.zero_grad()
         """),
    edit("critic_never_steps", "`gan_round` never steps the critic's optimiser", "generator_optimiser.zero_grad()"),
    edit("critic_steps_once", "`gan_round` steps the critic's optimiser once, after all its batches; R updates are not one update on the last batch",
         """
         critic_optimiser.step()
         generator_optimiser.zero_grad()
         """),
    edit("generator_not_cleared", "`gan_round` does not clear the generator's gradients before its update: what a round before left there is added", "    critic_optimiser.step()"),
)
mistakes.at(
    "generator_loss(critic(generator(noise[-1])), \"nonsaturating\").backward()",
    edit("generator_cut_off", "No gradient reaches the generator in its update in `gan_round` (fakes cut off, or real samples shown), so it never moves",
         "generator_loss(critic(generator(noise[-1]).detach().requires_grad_()), \"nonsaturating\").backward()"),
    edit("minimax_loss", "`gan_round` trains the generator by the minimax loss, which gives no gradient where the critic is sure; \"nonsaturating\" is asked for",
         "(-F.softplus(critic(generator(noise[-1])))).mean().backward()"),
    edit("linear_loss", "`gan_round` trains the generator by the mean logit; \"nonsaturating\" is asked for", "(-critic(generator(noise[-1]))).mean().backward()"),
    edit("generator_on_critics_side", "`gan_round` lets the generator lower the critic's loss: its fakes become easier to tell. The two have opposite aims", "F.softplus(critic(generator(noise[-1]))).mean().backward()"),
    edit("noise_of_the_critic", "`gan_round` updates the generator on noise of the critic's last update; it has noise of its own, the last one", "generator_loss(critic(generator(noise[-2])), \"nonsaturating\").backward()"),
    edit("first_noise", "`gan_round` updates the generator on the first noise, which the critic has seen; the last one is its own", "generator_loss(critic(generator(noise[0])), \"nonsaturating\").backward()"),
    edit("all_noise", "`gan_round` updates the generator on all noise of the round; the last one is its own", "generator_loss(critic(generator(noise.flatten(0, 1))), \"nonsaturating\").backward()"),
    edit("generator_penalised", "`gan_round` adds the penalty to the generator's loss as well", "(generator_loss(critic(generator(noise[-1])), \"nonsaturating\") + gamma * torch.autograd.grad(critic(fakes := generator(noise[-1])).sum(), fakes, create_graph=True)[0].square().sum(1).mean()).backward()"),
    edit("generator_climbs", "`gan_round` maximises the generator's loss", "(-generator_loss(critic(generator(noise[-1])), \"nonsaturating\")).backward()"),
    edit("generator_sums", "`gan_round` sums over the batch in the generator's loss; it is a mean", "(noise.shape[1] * generator_loss(critic(generator(noise[-1])), \"nonsaturating\")).backward()"),
    edit("generators_loss_halved", "`gan_round` halves the generator's loss", "(generator_loss(critic(generator(noise[-1])), \"nonsaturating\") / 2).backward()"),
    edit("fresh_noise_for_generator", "`gan_round` draws the generator's noise itself; it is given", "generator_loss(critic(generator(torch.randn_like(noise[-1]))), \"nonsaturating\").backward()"),
)
mistakes.at(
    """
    generator_optimiser.step()
    critic_optimiser.zero_grad()
    """,
    edit("left_in_the_critic", "`gan_round` leaves the gradients of the generator's update in the critic; whoever does not clear them next adds them to the critic's own", "generator_optimiser.step()"),
    edit("critic_steps_for_generator", "`gan_round` steps the critic's optimiser in the generator's update too: the critic takes a step that makes fakes look real",
         """
         generator_optimiser.step()
         critic_optimiser.step()
         critic_optimiser.zero_grad()
         """),
    edit("critic_steps_instead", "`gan_round` steps the critic's optimiser in the generator's update, where the generator's belongs",
         """
         critic_optimiser.step()
         critic_optimiser.zero_grad()
         """),
    edit("generator_never_steps", "`gan_round` never steps the generator's optimiser", "critic_optimiser.zero_grad()"),
    edit("generator_steps_twice", "`gan_round` steps the generator's optimiser twice",
         """
         generator_optimiser.step()
         generator_optimiser.step()
         critic_optimiser.zero_grad()
         """),
    edit("critic_frozen_for_good", "`gan_round` switches the critic's gradients off for the generator's update, and never on again",
         """
         generator_optimiser.step()
         critic_optimiser.zero_grad()
         for each in critic.parameters():
             each.requires_grad_(False)
         """),
)


def round_of(mistakes_round):
    """A rewrite of the whole round."""
    return {"gan_round": mistakes_round}


@mistakes.rewrite("`gan_round` computes the generator's loss before the critic's updates: the generator follows a critic that is out of date")
def generator_of_old_critic(ref):
    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        slopes = torch.autograd.grad(ref.generator_loss(critic(generator(noise[-1])), "nonsaturating"), list(generator.parameters()))
        for x, z in zip(real, noise):
            critic_optimiser.zero_grad()
            (ref.discriminator_loss(critic(x), critic(generator(z).detach())) + gamma * ref.r1_penalty(critic, x)).backward()
            critic_optimiser.step()
        for each, slope in zip(generator.parameters(), slopes):
            each.grad = slope
        generator_optimiser.step()
        critic_optimiser.zero_grad()

    return round_of(gan_round)


@mistakes.rewrite("`gan_round` updates the generator first, so the critic's updates come one generator late")
def generator_first(ref):
    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        generator_optimiser.zero_grad()
        ref.generator_loss(critic(generator(noise[-1])), "nonsaturating").backward()
        generator_optimiser.step()
        for x, z in zip(real, noise):
            critic_optimiser.zero_grad()
            (ref.discriminator_loss(critic(x), critic(generator(z).detach())) + gamma * ref.r1_penalty(critic, x)).backward()
            critic_optimiser.step()
        critic_optimiser.zero_grad()

    return round_of(gan_round)


@mistakes.rewrite("`gan_round` updates the generator after each update of the critic; n updates of the critic belong to one of the generator")
def one_to_one(ref):
    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        for x, z in zip(real, noise):
            ref.gan_round(generator, critic, generator_optimiser, critic_optimiser, x[None], torch.stack([z, noise[-1]]), gamma)

    return round_of(gan_round)


@mistakes.rewrite("`gan_round` clears gradients at the head of the round alone and does not cut off the fakes: gradients of the critic's loss reach the generator's step, and pull against it")
def leaking(ref):
    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        generator_optimiser.zero_grad()
        for x, z in zip(real, noise):
            critic_optimiser.zero_grad()
            (ref.discriminator_loss(critic(x), critic(generator(z))) + gamma * ref.r1_penalty(critic, x)).backward()
            critic_optimiser.step()
        ref.generator_loss(critic(generator(noise[-1])), "nonsaturating").backward()
        generator_optimiser.step()
        critic_optimiser.zero_grad()

    return round_of(gan_round)


@mistakes.rewrite("`gan_round` makes one update of the critic from all its batches; the first axis counts updates")
def one_large_batch(ref):
    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        critic_optimiser.zero_grad()
        x, z = real.flatten(0, 1), noise[:-1].flatten(0, 1)
        (ref.discriminator_loss(critic(x), critic(generator(z).detach())) + gamma * ref.r1_penalty(critic, x)).backward()
        critic_optimiser.step()
        generator_optimiser.zero_grad()
        ref.generator_loss(critic(generator(noise[-1])), "nonsaturating").backward()
        generator_optimiser.step()
        critic_optimiser.zero_grad()

    return round_of(gan_round)


@mistakes.rewrite("`gan_round` makes new optimisers in each round, which forget the running means of Adam")
def new_optimisers(ref):
    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        fresh = []
        for optimiser in (generator_optimiser, critic_optimiser):
            settings = {key: value for key, value in optimiser.param_groups[0].items() if key in ("lr", "betas")}
            fresh.append(type(optimiser)(optimiser.param_groups[0]["params"], **settings))
        ref.gan_round(generator, critic, *fresh, real, noise, gamma)

    return round_of(gan_round)


@mistakes.rewrite("`gan_round` updates the generator in each second round only, or after the critic has had several rounds; each round ends with one update of the generator")
def generator_waits(ref):
    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        before = [each.detach().clone() for each in generator.parameters()]
        ref.gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma)
        if len(real) < 2:
            with torch.no_grad():
                for each, old in zip(generator.parameters(), before):
                    each.copy_(old)

    return round_of(gan_round)


@mistakes.rewrite("`gan_round` pairs fakes and real samples to one batch length and drops the rest; the two batches may differ in size")
def cut_to_the_shorter(ref):
    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        n = min(real.shape[1], noise.shape[1])
        ref.gan_round(generator, critic, generator_optimiser, critic_optimiser, real[:, :n], noise[:, :n], gamma)

    return round_of(gan_round)


@mistakes.rewrite("`gan_round` clips the critic's weights; the penalty bounds its slope here")
def weights_clipped(ref):
    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        for r, x in enumerate(real):
            critic_optimiser.zero_grad()
            (ref.discriminator_loss(critic(x), critic(generator(noise[r]).detach())) + gamma * ref.r1_penalty(critic, x)).backward()
            critic_optimiser.step()
            with torch.no_grad():
                for each in critic.parameters():
                    each.clamp_(-0.5, 0.5)
        generator_optimiser.zero_grad()
        ref.generator_loss(critic(generator(noise[-1])), "nonsaturating").backward()
        generator_optimiser.step()
        critic_optimiser.zero_grad()

    return round_of(gan_round)


# --- train_gan -------------------------------------------------------------------------------------------------------

mistakes.at(
    "average = copy.deepcopy(generator)",
    edit("average_is_the_generator", "The average of `train_gan` shares its weights with the generator (`average = generator`, or `copy.copy`), or the generator itself is returned: it is the last one, not an average", "average = generator"),
    edit("average_of_nothing", "The average of `train_gan` starts at 0; it starts as the generator, or a long memory of zeros remains in it",
         """
         average = copy.deepcopy(generator)
         for each in average.parameters():
             each.data.zero_()
         """),
    edit("average_from_the_critic", "`train_gan` averages the critic; samples come from the generator", "average = copy.deepcopy(critic)", ("update_average(average, generator, decay)", "update_average(average, critic, decay)")),
)
mistakes.at(
    "for _ in range(rounds):",
    edit("one_round_less", "`train_gan` plays one round less", "for _ in range(rounds - 1):"),
    edit("one_round_more", "`train_gan` plays one round more", "for _ in range(rounds + 1):"),
    edit("rounds_counted_in_critic_updates", "`train_gan` counts updates of the critic where `rounds` counts those of the generator, so there are n_critic times too few", "for _ in range(rounds // n_critic):"),
    edit("rounds_times_n_critic", "`train_gan` plays n_critic times as many rounds; one round holds all updates of the critic already", "for _ in range(rounds * n_critic):"),
    edit("one_round_only", "`train_gan` plays one round, or returns inside the loop", "for _ in range(min(rounds, 1)):"),
    edit("at_least_one_round", "`train_gan` plays a round when none is asked for", "for _ in range(max(rounds, 1)):"),
)
mistakes.at(
    "gan_round(generator, critic, *optimisers, *deal(n_critic), gamma)",
    edit("n_critic_ignored", "`train_gan` asks for one update of the critic in each round, whatever `n_critic` is", "gan_round(generator, critic, *optimisers, *deal(1), gamma)"),
    edit("five_updates", "`train_gan` asks for five updates of the critic, whatever `n_critic` is", "gan_round(generator, critic, *optimisers, *deal(5), gamma)"),
    edit("n_critic_plus_one", "`train_gan` asks for n_critic + 1 updates of the critic; `deal` adds the generator's noise by itself", "gan_round(generator, critic, *optimisers, *deal(n_critic + 1), gamma)"),
    edit("n_critic_rounds", "`train_gan` plays n_critic whole rounds in each, so the generator moves as often as the critic", "[gan_round(generator, critic, *optimisers, *deal(1), gamma) for _ in range(n_critic)]"),
    edit("n_critic_the_other_way", "`train_gan` repeats the generator's round: n_critic updates of both, in each round", "[gan_round(generator, critic, *optimisers, *deal(n_critic), gamma) for _ in range(n_critic)]"),
    edit("gamma_forgotten", "`train_gan` does not pass gamma on", "gan_round(generator, critic, *optimisers, *deal(n_critic), 0.0)"),
    edit("gamma_own", "`train_gan` uses a gamma of its own", "gan_round(generator, critic, *optimisers, *deal(n_critic), 0.1)"),
    edit("decay_as_gamma", "`train_gan` passes decay where gamma belongs", "gan_round(generator, critic, *optimisers, *deal(n_critic), decay)"),
    edit("optimisers_swapped", "`train_gan` gives each player the other's optimiser: its steps move the wrong network", "gan_round(generator, critic, *optimisers[::-1], *deal(n_critic), gamma)"),
    edit("average_plays", "`train_gan` trains with fakes of the average; the critic then judges samples that the generator does not make", "gan_round(average, critic, *optimisers, *deal(n_critic), gamma)"),
    edit("average_is_fed_back", "`train_gan` copies the average into the generator before each round; the average follows the generator and does not lead it",
         "generator.load_state_dict(average.state_dict()); gan_round(generator, critic, *optimisers, *deal(n_critic), gamma)"),
    edit("dealt_twice", "`train_gan` deals twice in a round and plays with real samples of one deal and noise of another", "gan_round(generator, critic, *optimisers, deal(n_critic)[0], deal(n_critic)[1], gamma)"),
    edit("fresh_optimisers", "`train_gan` makes new optimisers in each round, which forget the running means of Adam",
         "fresh = [type(o)(o.param_groups[0][\"params\"], **{k: v for k, v in o.param_groups[0].items() if k in (\"lr\", \"betas\")}) for o in optimisers]; gan_round(generator, critic, *fresh, *deal(n_critic), gamma)"),
    edit("gamma_falls", "`train_gan` lowers gamma from round to round; it is the same in all", "gan_round(generator, critic, *optimisers, *deal(n_critic), gamma * (1 - _ / rounds))"),
    edit("critic_not_trained", "`train_gan` resets the critic after each round", "kept = copy.deepcopy(critic.state_dict()); gan_round(generator, critic, *optimisers, *deal(n_critic), gamma); critic.load_state_dict(kept)"),
    edit("works_on_copies", "`train_gan` trains a copy of the critic, and leaves the one that was given as it was", "gan_round(generator, copy.deepcopy(critic), *optimisers, *deal(n_critic), gamma)"),
)
mistakes.at(
    """
        update_average(average, generator, decay)
    return average
    """,
    edit("average_at_the_end", "`train_gan` moves the average once, after the last round; it moves after each",
         """
         update_average(average, generator, decay)
         return average
         """),
    edit("average_never_moves", "`train_gan` never moves the average, so it returns the generator as it was before training", "return average"),
    edit("average_swapped", "`train_gan` moves the generator towards the average, not the average towards the generator",
         """
             update_average(generator, average, decay)
         return average
         """),
    edit("decay_from_the_other_side", "`train_gan` passes 1 - decay: the average forgets at once",
         """
             update_average(average, generator, 1 - decay)
         return average
         """),
    edit("decay_fixed", "`train_gan` uses a decay of its own",
         """
             update_average(average, generator, 0.99)
         return average
         """),
    edit("critic_averaged_too", "`train_gan` replaces the critic by its average as well",
         """
             update_average(average, generator, decay)
             if _ == 0:
                 judge = copy.deepcopy(critic)
             update_average(judge, critic, decay)
         if rounds:
             critic.load_state_dict(judge.state_dict())
         return average
         """),
    edit("average_after_each_update", "`train_gan` moves the average n_critic times in each round; the generator has moved once",
         """
             for _ in range(n_critic):
                 update_average(average, generator, decay)
         return average
         """),
    edit("nothing_returned", "`train_gan` returns nothing", "    update_average(average, generator, decay)"),
    edit("all_returned", "`train_gan` returns the generator with the average; the average alone is asked for",
         """
             update_average(average, generator, decay)
         return generator, average
         """),
    edit("average_every_second_round", "`train_gan` moves the average in each second round; it moves after each",
         """
             if _ % 2 == 0:
                 update_average(average, generator, decay)
         return average
         """),
    edit("average_skips_the_first_round", "`train_gan` sets the average to the generator after the first round; it starts at the generator as it came",
         """
             update_average(average, generator, decay if _ else 0.0)
         return average
         """),
    edit("plain_mean", "`train_gan` takes the plain mean over all rounds; the moving average forgets by `decay`",
         """
             update_average(average, generator, 1 - 1 / (_ + 2))
         return average
         """),
    edit("decay_warms_up", "`train_gan` uses a smaller decay in the first rounds; it is the same in all",
         """
             update_average(average, generator, min(decay, (1 + _) / (10 + _)))
         return average
         """),
)
@mistakes.rewrite("`train_gan` moves the average before the round, so the last update of the generator never reaches it")
def average_before_the_round(ref):
    def train_gan(generator, critic, optimisers, deal, rounds, n_critic, gamma, decay):
        average = copy.deepcopy(generator)
        for _ in range(rounds):
            ref.update_average(average, generator, decay)
            ref.gan_round(generator, critic, *optimisers, *deal(n_critic), gamma)
        return average

    return {"train_gan": train_gan}


@mistakes.rewrite("`train_gan` deals once and plays all rounds with the same batches; each round gets new ones")
def dealt_once(ref):
    def train_gan(generator, critic, optimisers, deal, rounds, n_critic, gamma, decay):
        batches = deal(n_critic)
        return ref.train_gan(generator, critic, optimisers, lambda updates: batches, rounds, n_critic, gamma, decay)

    return {"train_gan": train_gan}


@mistakes.rewrite("`train_gan` repeats one real batch for all updates of the critic in a round; `deal(n_critic)` gives each its own")
def one_batch_a_round(ref):
    def train_gan(generator, critic, optimisers, deal, rounds, n_critic, gamma, decay):
        def repeated(updates):
            real, noise = deal(updates)
            return real[:1].expand(real.shape), noise

        return ref.train_gan(generator, critic, optimisers, repeated, rounds, n_critic, gamma, decay)

    return {"train_gan": train_gan}


@mistakes.rewrite("`train_gan` works on copies: the networks that were given stay untrained")
def trains_copies(ref):
    def train_gan(generator, critic, optimisers, deal, rounds, n_critic, gamma, decay):
        both = copy.deepcopy(generator), copy.deepcopy(critic)
        own = [torch.optim.SGD(net.parameters(), optimiser.param_groups[0]["lr"]) for net, optimiser in zip(both, optimisers)]
        return ref.train_gan(*both, own, deal, rounds, n_critic, gamma, decay)

    return {"train_gan": train_gan}


# --- mode_coverage ---------------------------------------------------------------------------------------------------

mistakes.at(
    "distance, nearest = torch.cdist(samples, centres).min(1)",
    edit("squared_distance", "`mode_coverage` compares *squared* distances with 3 std", "distance, nearest = torch.cdist(samples, centres).square().min(1)"),
    edit("manhattan", "`mode_coverage` adds the distances of the coordinates; a sample's distance is the straight one", "distance, nearest = torch.cdist(samples, centres, p=1).min(1)"),
    edit("square_neighbourhood", "`mode_coverage` looks at each coordinate by itself, which takes a square around the centre where a circle is meant", "distance, nearest = torch.cdist(samples, centres, p=float(\"inf\")).min(1)"),
    edit("farthest", "`mode_coverage` takes the centre that is farthest away", "distance, nearest = torch.cdist(samples, centres).max(1)"),
    edit("nearest_sample_of_each_centre", "`mode_coverage` looks for the nearest sample of each centre; each *sample* has a nearest centre", "distance, nearest = torch.cdist(samples, centres).min(0)"),
    edit("first_coordinate", "`mode_coverage` measures distances by the first coordinate alone", "distance, nearest = torch.cdist(samples[:, :1], centres[:, :1]).min(1)"),
    edit("mean_over_coordinates", "`mode_coverage` is wrong by the root of the dimension: a distance is the root of the *sum* of squares, and the border is 3 std",
         "distance, nearest = (torch.cdist(samples, centres) / samples.shape[1] ** 0.5).min(1)"),
    edit("two_dimensions_only", "`mode_coverage` looks at the first two coordinates only", "distance, nearest = torch.cdist(samples[:, :2], centres[:, :2]).min(1)"),
    edit("distances_rounded", "`mode_coverage` rounds distances", "distance, nearest = torch.cdist(samples, centres).round().min(1)"),
    edit("around_the_mean", "`mode_coverage` measures distances from the mean of the centres", "distance, nearest = (samples - centres.mean(0)).norm(dim=1), torch.cdist(samples, centres).argmin(1)"),
    edit("samples_centred", "`mode_coverage` shifts the samples so that their mean is that of the centres", "distance, nearest = torch.cdist(samples - samples.mean(0) + centres.mean(0), centres).min(1)"),
)
mistakes.at(
    "good = distance <= 3 * std",
    edit("three_absolute", "`mode_coverage` takes the border at 3, not at 3 standard deviations", "good = distance <= 3"),
    edit("border_excluded", "`mode_coverage` leaves out samples at exactly 3 standard deviations; they are good", "good = distance < 3 * std"),
    edit("three_variances", "`mode_coverage` takes the border at 3 std²; std is a standard deviation already", "good = distance <= 3 * std**2"),
    edit("root_of_std", "`mode_coverage` takes the root of std, or compares a squared distance with 9 std; the square of 3 std is 9 std²", "good = distance <= 3 * std**0.5"),
    edit("one_std", "`mode_coverage` takes the border at one standard deviation", "good = distance <= std"),
    edit("two_std", "`mode_coverage` takes the border at two standard deviations", "good = distance <= 2 * std"),
    edit("four_std", "`mode_coverage` takes the border at four standard deviations", "good = distance <= 4 * std"),
    edit("std_of_the_samples", "`mode_coverage` uses the standard deviation of the samples' distances; std is given", "good = distance <= 3 * distance.std()"),
    edit("std_fixed", "`mode_coverage` uses a standard deviation of its own; std is given", "good = distance <= 3 * 0.05"),
    edit("bad_for_good", "`mode_coverage` takes the samples *outside* of the border for the good ones", "good = distance > 3 * std"),
    edit("all_good", "`mode_coverage` takes all samples for good", "good = distance >= 0"),
    edit("near_and_inside_two", "`mode_coverage` does not count samples that lie within 3 std of two centres; each counts for its nearest", "good = (torch.cdist(samples, centres) <= 3 * std).sum(1) == 1"),
)
mistakes.at(
    "return int((torch.bincount(nearest[good]) >= least).sum()), float(good.float().mean())",
    edit("more_than_least", "`mode_coverage` asks for *more* than `least` good samples; so many are enough", "return int((torch.bincount(nearest[good]) > least).sum()), float(good.float().mean())"),
    edit("one_sample_hits", "`mode_coverage` calls a mode hit by one good sample; it takes `least` of them, as stray points lie everywhere", "return len(nearest[good].unique()), float(good.float().mean())"),
    edit("bad_ones_counted", "`mode_coverage` counts bad samples for their nearest mode; a mode needs `least` *good* ones", "return int((torch.bincount(nearest) >= least).sum()), float(good.float().mean())"),
    edit("modes_as_share", "`mode_coverage` returns the share of modes that are hit; their number is asked for", "return float((torch.bincount(nearest[good]) >= least).sum()) / len(centres), float(good.float().mean())"),
    edit("modes_missed", "`mode_coverage` returns how many modes are *missed*", "return len(centres) - int((torch.bincount(nearest[good]) >= least).sum()), float(good.float().mean())"),
    edit("good_as_number", "`mode_coverage` returns the number of good samples; their share is asked for", "return int((torch.bincount(nearest[good]) >= least).sum()), float(good.sum())"),
    edit("good_in_percent", "`mode_coverage` returns the share in per cent", "return int((torch.bincount(nearest[good]) >= least).sum()), 100 * float(good.float().mean())"),
    edit("share_of_bad", "`mode_coverage` returns the share of *bad* samples", "return int((torch.bincount(nearest[good]) >= least).sum()), 1 - float(good.float().mean())"),
    edit("parts_swapped", "`mode_coverage` returns the share first; the number of modes comes first", "return float(good.float().mean()), int((torch.bincount(nearest[good]) >= least).sum())"),
    edit("share_by_centres", "`mode_coverage` divides the good samples by the number of centres; it is a share of the samples", "return int((torch.bincount(nearest[good]) >= least).sum()), float(good.sum() / len(centres))"),
    edit("share_rounded", "`mode_coverage` rounds the share", "return int((torch.bincount(nearest[good]) >= least).sum()), round(float(good.float().mean()), 1)"),
    edit("least_as_share", "`mode_coverage` takes `least` for per cent of the samples; it is a number of samples", "return int((torch.bincount(nearest[good]) >= least * len(samples) / 100).sum()), float(good.float().mean())"),
    edit("least_of_a_fair_part", "`mode_coverage` asks each mode for its fair part of the good samples; `least` says how many are needed", "return int((torch.bincount(nearest[good]) >= good.sum() / len(centres)).sum()), float(good.float().mean())"),
    edit("modes_of_all_if_many", "`mode_coverage` calls all modes hit if there are `least` good samples in all; each mode needs so many", "return len(centres) if int(good.sum()) >= least else 0, float(good.float().mean())"),
    edit("share_in_hit_modes", "`mode_coverage` counts good samples of hit modes alone for the share; the share is of all good samples",
         "counts = torch.bincount(nearest[good]); return int((counts >= least).sum()), float(counts[counts >= least].sum() / len(samples))"),
    edit("share_among_hit", "`mode_coverage` divides by the samples near hit modes; the share is of all samples",
         "counts = torch.bincount(nearest[good]); near = (counts >= least).nonzero()[:, 0]; return len(near), float(good[torch.isin(nearest, near)].float().mean()) if len(near) else 0.0"),
    edit("counted_for_every_near_centre", "`mode_coverage` counts a sample for each centre that is within 3 std; it belongs to its nearest alone",
         "return int(((torch.cdist(samples, centres) <= 3 * std).sum(0) >= least).sum()), float(good.float().mean())"),
    edit("eight_modes", "`mode_coverage` returns 8 less the modes that are missed; the number of centres is not always 8", "return 8 - len(centres) + int((torch.bincount(nearest[good]) >= least).sum()), float(good.float().mean())"),
    edit("ten_are_needed", "`mode_coverage` needs ten good samples for a mode; `least` says how many", "return int((torch.bincount(nearest[good]) >= 10).sum()), float(good.float().mean())"),
    edit("last_centre_forgotten", "`mode_coverage` leaves out the last centre", "return int((torch.bincount(nearest[good], minlength=len(centres))[: len(centres) - 1] >= least).sum()), float(good.float().mean())"),
    edit("counts_returned", "`mode_coverage` returns the number of good samples of each mode; how many modes are hit is asked for", "return torch.bincount(nearest[good], minlength=len(centres)), float(good.float().mean())"),
    edit("modes_alone", "`mode_coverage` returns the number of modes alone", "return int((torch.bincount(nearest[good]) >= least).sum())"),
    edit("mean_of_shares", "`mode_coverage` averages the share over the modes; the share is of all samples",
         "shares = [float(good[nearest == k].float().mean()) for k in range(len(centres)) if bool((nearest == k).any())]; return int((torch.bincount(nearest[good]) >= least).sum()), sum(shares) / len(shares)"),
)
