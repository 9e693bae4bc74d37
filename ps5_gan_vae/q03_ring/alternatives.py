"""Other right answers to Question 3."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()

# --- ring_networks ---------------------------------------------------------------------------------------------------


@alternatives.rewrite("classes with layers as attributes, the last one first, and functional activations")
def classes(ref):
    class Generator(nn.Module):
        def __init__(self, noise, width):
            super().__init__()
            self.last, self.first, self.second = nn.Linear(width, 2), nn.Linear(noise, width), nn.Linear(width, width)

        def forward(self, z):
            return torch.tanh(self.last(F.relu(self.second(F.relu(self.first(z))))))

    class Critic(nn.Module):
        def __init__(self, width, dropout):
            super().__init__()
            self.first, self.second, self.last, self.dropout = nn.Linear(2, width), nn.Linear(width, width), nn.Linear(width, 1), dropout

        def forward(self, x):
            for layer in (self.first, self.second):
                x = F.dropout(F.leaky_relu(layer(x), 0.2), self.dropout, self.training)
            return self.last(x).squeeze(-1)

    return {"ring_networks": lambda noise, width, dropout: (Generator(noise, width), Critic(width, dropout))}


@alternatives.rewrite("dropout before the activation, blocks that are nested")
def nested(ref):
    def ring_networks(noise, width, dropout):
        def block(inputs, *rest):
            return nn.Sequential(nn.Linear(inputs, width), *rest)

        class Flat(nn.Module):
            def forward(self, x):
                return x[:, 0]

        generator = nn.Sequential(block(noise, nn.ReLU(inplace=True)), block(width, nn.ReLU()), nn.Sequential(nn.Linear(width, 2), nn.Tanh()))
        critic = [block(inputs, nn.Dropout(dropout), nn.LeakyReLU(0.2)) for inputs in (2, width)]
        return [generator, nn.Sequential(*critic, nn.Linear(width, 1), Flat())]

    return {"ring_networks": ring_networks}


@alternatives.rewrite("a leaky ReLU by hand, and a tanh from a sigmoid")
def by_hand(ref):
    class Map(nn.Module):
        def __init__(self, function):
            super().__init__()
            self.function = function

        def forward(self, x):
            return self.function(x)

    def ring_networks(noise, width, dropout):
        generator = nn.Sequential(
            nn.Linear(noise, width), Map(lambda x: x.clamp(min=0)), nn.Linear(width, width), Map(lambda x: x.clamp(min=0)), nn.Linear(width, 2), Map(lambda x: 2 * torch.sigmoid(2 * x) - 1),
        )
        leaky = Map(lambda x: torch.maximum(x, 0.2 * x))
        critic = nn.Sequential(
            nn.Linear(2, width), leaky, nn.Dropout(dropout), nn.Linear(width, width), leaky, nn.Dropout(dropout), nn.Linear(width, 1), Map(lambda x: x.reshape(len(x))),
        )
        return generator, critic

    return {"ring_networks": ring_networks}


# --- gan_round -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("fakes of all updates at once, without a graph; one call of the critic for both kinds")
def fakes_at_once(ref):
    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        with torch.no_grad():
            fakes = [generator(z) for z in noise[:-1]]
        for i in range(len(real)):
            logits = critic(torch.cat([real[i], fakes[i]]))
            loss = ref.discriminator_loss(logits[: real.shape[1]], logits[real.shape[1] :])
            loss = loss + gamma * ref.r1_penalty(critic, real[i])
            critic.zero_grad()
            loss.backward()
            critic_optimiser.step()
        generator.zero_grad()
        loss = ref.generator_loss(critic(generator(noise[len(real)])), "nonsaturating")
        loss.backward()
        generator_optimiser.step()
        critic.zero_grad(set_to_none=False)

    return {"gan_round": gan_round}


@alternatives.rewrite("gradients by torch.autograd.grad, put into .grad by hand; losses and penalty written out")
def by_grad(ref):
    def step(optimiser, net, loss):
        parts = list(net.parameters())
        for each, slope in zip(parts, torch.autograd.grad(loss, parts)):
            each.grad = slope
        optimiser.step()
        optimiser.zero_grad()

    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        for x, z in zip(real, noise):
            x = x.clone().requires_grad_()
            logits = critic(x)
            slope = torch.autograd.grad(logits.sum(), x, create_graph=True)[0]
            loss = F.softplus(-logits).mean() + F.softplus(critic(generator(z))).mean() + gamma * slope.square().sum() / len(x)
            step(critic_optimiser, critic, loss)
        critic_optimiser.zero_grad()
        step(generator_optimiser, generator, -F.logsigmoid(critic(generator(noise[-1]))).mean())

    return {"gan_round": gan_round}


@alternatives.rewrite("the critic is frozen while the generator moves, and the penalty skipped where gamma is 0")
def frozen(ref):
    def gan_round(generator, critic, generator_optimiser, critic_optimiser, real, noise, gamma):
        for r in range(real.shape[0]):
            critic_optimiser.zero_grad(set_to_none=False)
            ref.discriminator_loss(critic(real[r]), critic(generator(noise[r]).detach())).backward()
            if gamma:
                (gamma * ref.r1_penalty(critic, real[r])).backward()
            critic_optimiser.step()
        critic_optimiser.zero_grad()
        for each in critic.parameters():
            each.requires_grad_(False)
        generator_optimiser.zero_grad()
        ref.generator_loss(critic(generator(noise[-1])), "nonsaturating").backward()
        generator_optimiser.step()
        for each in critic.parameters():
            each.requires_grad_(True)

    return {"gan_round": gan_round}


# --- train_gan -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("a while loop, names for everything, the average by a state dict")
def spelled_out(ref):
    def train_gan(generator, critic, optimisers, deal, rounds, n_critic, gamma, decay):
        average, done = copy.deepcopy(generator), 0
        first, second = optimisers
        while done < rounds:
            real, noise = deal(n_critic)
            ref.gan_round(generator, critic, first, second, real, noise, gamma)
            state = generator.state_dict()
            average.load_state_dict({key: decay * value + (1 - decay) * state[key] for key, value in average.state_dict().items()})
            done += 1
        return average

    return {"train_gan": train_gan}


@alternatives.rewrite("all rounds inline, without gan_round")
def inline(ref):
    def train_gan(generator, critic, optimisers, deal, rounds, n_critic, gamma, decay):
        average = copy.deepcopy(generator).requires_grad_(False)
        for _ in range(rounds):
            real, noise = deal(n_critic)
            for r in range(n_critic):
                loss = ref.discriminator_loss(critic(real[r]), critic(generator(noise[r]).detach())) + gamma * ref.r1_penalty(critic, real[r])
                optimisers[1].zero_grad()
                loss.backward()
                optimisers[1].step()
            optimisers[0].zero_grad()
            ref.generator_loss(critic(generator(noise[n_critic])), "nonsaturating").backward()
            optimisers[0].step()
            for mine, new in zip(average.parameters(), generator.parameters()):
                mine.mul_(decay).add_(new.detach(), alpha=1 - decay)
        return average

    return {"train_gan": train_gan}


@alternatives.rewrite("the average as a list of tensors, loaded into a copy at the end")
def averaged_as_list(ref):
    def train_gan(generator, critic, optimisers, deal, rounds, n_critic, gamma, decay):
        kept = [each.detach().clone() for each in generator.parameters()]
        for _ in range(rounds):
            ref.gan_round(generator, critic, optimisers[0], optimisers[1], *deal(n_critic), gamma)
            kept = [torch.lerp(new.detach(), old, decay) for old, new in zip(kept, generator.parameters())]
        average = copy.deepcopy(generator)
        nn.utils.vector_to_parameters(nn.utils.parameters_to_vector(kept), average.parameters())
        return average

    return {"train_gan": train_gan}


# --- mode_coverage ---------------------------------------------------------------------------------------------------


@alternatives.rewrite("loops over samples and centres")
def coverage_by_loops(ref):
    def mode_coverage(samples, centres, std, least):
        counts, good = [0] * len(centres), 0
        for sample in samples:
            squares = [float((sample - centre).square().sum()) for centre in centres]
            best = min(range(len(centres)), key=squares.__getitem__)
            if squares[best] <= (3 * std) ** 2 * (1 + 1e-7):
                counts[best] += 1
                good += 1
        return sum(count >= least for count in counts), good / len(samples)

    return {"mode_coverage": mode_coverage}


@alternatives.rewrite("differences, one-hot counts, tensors returned")
def coverage_by_one_hot(ref):
    def mode_coverage(samples, centres, std, least):
        distance = (samples[:, None] - centres).norm(dim=-1)
        nearest = F.one_hot(distance.argmin(1), len(centres)).bool() & (distance <= 3 * std)
        return (nearest.sum(0) >= least).sum(), nearest.any(1).double().mean()

    return {"mode_coverage": mode_coverage}


@alternatives.rewrite("a mask for each centre, in NumPy and float64")
def coverage_by_masks(ref):
    def mode_coverage(samples, centres, std, least):
        x, c = samples.double().cpu().numpy(), centres.double().cpu().numpy()
        distance = ((x[:, None] - c[None]) ** 2).sum(-1) ** 0.5
        counts = [int(((distance.argmin(1) == k) & (distance[:, k] <= 3 * std * (1 + 1e-9))).sum()) for k in range(len(c))]
        return sum(n >= least for n in counts), sum(counts) / len(x)

    return {"mode_coverage": mode_coverage}
