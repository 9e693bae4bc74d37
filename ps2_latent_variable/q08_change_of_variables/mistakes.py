"""Named wrong versions of the answers to question 8."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- AffineCoupling.forward ---------------------------------------------------------------------------------------

mistakes.at(
    "log_scale, shift = self.net(x * self.mask)",
    edit("net_sees_all", "in `AffineCoupling.forward` the network sees all of x, so what it answers cannot be found again when z is known; it sees the kept dimensions only",
         "log_scale, shift = self.net(x)"),
    edit("net_sees_others", "in `AffineCoupling.forward` the network sees the dimensions that change; it sees the kept ones",
         "log_scale, shift = self.net(x * (1 - self.mask))"),
    edit("answers_swapped", "`AffineCoupling.forward` takes the network's first answer for the shift; it is the log-scale",
         "shift, log_scale = self.net(x * self.mask)"),
    edit("answers_swapped_both", "`AffineCoupling` takes the network's first answer for the shift, there and back; it is the log-scale",
         "shift, log_scale = self.net(x * self.mask)",
         ("log_scale, shift = self.net(z * self.mask)", "shift, log_scale = self.net(z * self.mask)")),
    edit("net_detached", "`AffineCoupling.forward` detaches what the network answers, so it is never trained",
         "log_scale, shift = (answer.detach() for answer in self.net(x * self.mask))"),
    edit("input_detached", "`AffineCoupling.forward` detaches what the network sees; the layers closer to the data then learn from a wrong gradient",
         "log_scale, shift = self.net((x * self.mask).detach())"),
    edit("shift_squashed", "`AffineCoupling` applies a tanh to the network's shift; it is to be used as it is",
         "log_scale, shift = self.net(x * self.mask); shift = torch.tanh(shift)",
         ("log_scale, shift = self.net(z * self.mask)", "log_scale, shift = self.net(z * self.mask); shift = torch.tanh(shift)")),
    edit("scale_squashed", "`AffineCoupling` applies a tanh to the network's log-scale; it is to be used as it is",
         "log_scale, shift = self.net(x * self.mask); log_scale = torch.tanh(log_scale)",
         ("log_scale, shift = self.net(z * self.mask)", "log_scale, shift = self.net(z * self.mask); log_scale = torch.tanh(log_scale)")),
    edit("scale_clamped", "`AffineCoupling` cuts the network's log-scale to [-1, 1]; it is to be used as it is",
         "log_scale, shift = self.net(x * self.mask); log_scale = log_scale.clamp(-1, 1)",
         ("log_scale, shift = self.net(z * self.mask)", "log_scale, shift = self.net(z * self.mask); log_scale = log_scale.clamp(-1, 1)")),
    edit("compact_input", "`AffineCoupling` hands the kept columns alone to the network; it wants all D, with 0 in place of the others",
         "log_scale, shift = self.net(x[:, self.mask > 0])"),
    edit("mask_turned_everywhere", "`AffineCoupling` reads the mask the wrong way round, there and back: x is kept where it is 1",
         "log_scale, shift = self.net(x * (1 - self.mask))",
         ("z = torch.where(self.mask > 0, x, x * log_scale.exp() + shift)", "z = torch.where(self.mask > 0, x * log_scale.exp() + shift, x)"),
         ("return z, (log_scale * (1 - self.mask)).sum(1)", "return z, (log_scale * self.mask).sum(1)"),
         ("log_scale, shift = self.net(z * self.mask)", "log_scale, shift = self.net(z * (1 - self.mask))"),
         ("return torch.where(self.mask > 0, z, (z - shift) * torch.exp(-log_scale))", "return torch.where(self.mask > 0, (z - shift) * torch.exp(-log_scale), z)")),
    edit("halves", "`AffineCoupling` keeps the first half of the dimensions; the mask says which are kept",
         "kept = (torch.arange(x.shape[1], device=x.device) < x.shape[1] // 2).to(x); log_scale, shift = self.net(x * kept)",
         ("z = torch.where(self.mask > 0, x, x * log_scale.exp() + shift)", "z = torch.where(kept > 0, x, x * log_scale.exp() + shift)"),
         ("return z, (log_scale * (1 - self.mask)).sum(1)", "return z, (log_scale * (1 - kept)).sum(1)"),
         ("log_scale, shift = self.net(z * self.mask)", "kept = (torch.arange(z.shape[1], device=z.device) < z.shape[1] // 2).to(z); log_scale, shift = self.net(z * kept)"),
         ("return torch.where(self.mask > 0, z, (z - shift) * torch.exp(-log_scale))", "return torch.where(kept > 0, z, (z - shift) * torch.exp(-log_scale))")),
    edit("sigmoid_all", "`AffineCoupling` scales by a sigmoid of the network's first answer, and its log-determinant and inverse agree with that; (8.2) has the exponential",
         "log_scale, shift = self.net(x * self.mask); log_scale = F.logsigmoid(log_scale)",
         ("log_scale, shift = self.net(z * self.mask)", "log_scale, shift = self.net(z * self.mask); log_scale = F.logsigmoid(log_scale)")),
    edit("sigmoid_plus_two", "`AffineCoupling` scales by a sigmoid of the network's first answer plus 2; (8.2) has the exponential of the answer itself",
         "log_scale, shift = self.net(x * self.mask); log_scale = F.logsigmoid(log_scale + 2)",
         ("log_scale, shift = self.net(z * self.mask)", "log_scale, shift = self.net(z * self.mask); log_scale = F.logsigmoid(log_scale + 2)")),
    edit("scale_of_tanh", "`AffineCoupling` scales by 1 plus a tanh of the network's first answer, and its log-determinant and inverse agree with that; (8.2) has the exponential",
         "log_scale, shift = self.net(x * self.mask); log_scale = torch.log(1 + torch.tanh(log_scale))",
         ("log_scale, shift = self.net(z * self.mask)", "log_scale, shift = self.net(z * self.mask); log_scale = torch.log(1 + torch.tanh(log_scale))")),
    edit("softplus_scale", "`AffineCoupling` scales by a softplus of the network's first answer, and its log-determinant and inverse agree with that; (8.2) has the exponential",
         "log_scale, shift = self.net(x * self.mask); log_scale = F.softplus(log_scale).log()",
         ("log_scale, shift = self.net(z * self.mask)", "log_scale, shift = self.net(z * self.mask); log_scale = F.softplus(log_scale).log()")),
    edit("additive", "`AffineCoupling` only shifts, and its log-determinant is 0; (8.2) scales as well",
         "_, shift = self.net(x * self.mask); log_scale = torch.zeros_like(shift)",
         ("log_scale, shift = self.net(z * self.mask)", "_, shift = self.net(z * self.mask); log_scale = torch.zeros_like(shift)")),
    edit("scale_squashed_wide", "`AffineCoupling` applies 2 tanh(a/2) to the network's log-scale; the given network does that already, and others need not",
         "log_scale, shift = self.net(x * self.mask); log_scale = 2 * torch.tanh(log_scale / 2)",
         ("log_scale, shift = self.net(z * self.mask)", "log_scale, shift = self.net(z * self.mask); log_scale = 2 * torch.tanh(log_scale / 2)")),
    edit("mask_as_index", "`AffineCoupling.forward` uses the mask as column numbers, so the network sees columns 0 and 1 again and again; it is to be multiplied",
         "log_scale, shift = self.net(x[:, self.mask.long()])"),
    edit("scale_detached", "`AffineCoupling.forward` detaches the scale in z, so that the log-determinant alone trains it",
         "log_scale, shift = self.net(x * self.mask)", ("x * log_scale.exp() + shift", "x * log_scale.detach().exp() + shift")),
    edit("log_variance", "`AffineCoupling` takes the network's first answer for a log-variance and halves it, there and back",
         "log_scale, shift = self.net(x * self.mask); log_scale = 0.5 * log_scale",
         ("log_scale, shift = self.net(z * self.mask)", "log_scale, shift = self.net(z * self.mask); log_scale = 0.5 * log_scale")),
    edit("first_example", "`AffineCoupling` uses the network's answers for the first example everywhere, there and back; each example has its own",
         "log_scale, shift = (answer[:1].expand_as(x) for answer in self.net(x * self.mask))",
         ("log_scale, shift = self.net(z * self.mask)", "log_scale, shift = (answer[:1].expand_as(z) for answer in self.net(z * self.mask))")),
)

mistakes.at(
    "z = torch.where(self.mask > 0, x, x * log_scale.exp() + shift)",
    edit("mask_turned", "`AffineCoupling.forward` changes the dimensions that are to be kept, and keeps the others",
         "z = torch.where(self.mask > 0, x * log_scale.exp() + shift, x)"),
    edit("nothing_kept", "`AffineCoupling.forward` scales and shifts all dimensions, the kept ones as well",
         "z = x * log_scale.exp() + shift"),
    edit("kept_lost", "`AffineCoupling.forward` puts 0 in place of the kept dimensions",
         "z = (1 - self.mask) * (x * log_scale.exp() + shift)"),
    edit("kept_twice", "`AffineCoupling.forward` adds what the layer makes of the kept dimensions to them",
         "z = self.mask * x + x * log_scale.exp() + shift"),
    edit("no_exp", "`AffineCoupling.forward` multiplies by the log-scale instead of its exponential, which is the scale",
         "z = torch.where(self.mask > 0, x, x * log_scale + shift)"),
    edit("exp_minus", "`AffineCoupling.forward` divides by the scale; (8.2) multiplies by it from x to z",
         "z = torch.where(self.mask > 0, x, x * torch.exp(-log_scale) + shift)"),
    edit("one_plus", "`AffineCoupling.forward` scales by 1 plus the log-scale instead of its exponential",
         "z = torch.where(self.mask > 0, x, x * (1 + log_scale) + shift)"),
    edit("sigmoid_scale", "`AffineCoupling.forward` scales by a sigmoid; (8.2) has the exponential",
         "z = torch.where(self.mask > 0, x, x * torch.sigmoid(log_scale) + shift)"),
    edit("shift_first", "`AffineCoupling.forward` shifts before it scales; (8.2) scales x, then adds the shift",
         "z = torch.where(self.mask > 0, x, (x + shift) * log_scale.exp())"),
    edit("shift_subtracted", "`AffineCoupling.forward` subtracts the shift; (8.2) adds it from x to z",
         "z = torch.where(self.mask > 0, x, x * log_scale.exp() - shift)"),
    edit("shift_missing", "`AffineCoupling.forward` lacks the shift", "z = torch.where(self.mask > 0, x, x * log_scale.exp())"),
    edit("shift_kept", "`AffineCoupling` does not scale the kept dimensions, but shifts them, there and back",
         "z = x * torch.exp((1 - self.mask) * log_scale) + shift",
         ("return torch.where(self.mask > 0, z, (z - shift) * torch.exp(-log_scale))", "return (z - shift) * torch.exp((self.mask - 1) * log_scale)")),
    edit("scale_kept", "`AffineCoupling` does not shift the kept dimensions, but scales them, there and back",
         "z = x * log_scale.exp() + shift * (1 - self.mask)",
         ("return torch.where(self.mask > 0, z, (z - shift) * torch.exp(-log_scale))", "return (z - shift * (1 - self.mask)) * torch.exp(-log_scale)")),
    edit("base_two", "`AffineCoupling` scales by 2 to the log-scale; the logarithm is natural",
         "z = torch.where(self.mask > 0, x, x * 2.0**log_scale + shift)",
         ("return torch.where(self.mask > 0, z, (z - shift) * torch.exp(-log_scale))", "return torch.where(self.mask > 0, z, (z - shift) * 2.0**-log_scale)")),
    edit("x_added", "`AffineCoupling.forward` adds its result to x; the result takes the place of x",
         "z = torch.where(self.mask > 0, x, x + x * log_scale.exp() + shift)"),
    edit("flipped", "`AffineCoupling` turns the order of the dimensions as well; each keeps its place, and the masks take turns",
         "z = torch.where(self.mask > 0, x, x * log_scale.exp() + shift).flip(1)",
         ("log_scale, shift = self.net(z * self.mask)", "z = z.flip(1); log_scale, shift = self.net(z * self.mask)")),
    edit("shift_first_both", "`AffineCoupling` shifts before it scales, there and, the other way round, back; (8.2) scales x, then adds the shift",
         "z = torch.where(self.mask > 0, x, (x + shift) * log_scale.exp())",
         ("return torch.where(self.mask > 0, z, (z - shift) * torch.exp(-log_scale))", "return torch.where(self.mask > 0, z, z * torch.exp(-log_scale) - shift)")),
    edit("scale_missing", "`AffineCoupling.forward` does not scale x, though it adds the log-scales up",
         "z = torch.where(self.mask > 0, x, x + shift)"),
    edit("half_scale", "`AffineCoupling.forward` scales by the exponential of half the log-scale, as if it were a log-variance",
         "z = torch.where(self.mask > 0, x, x * torch.exp(0.5 * log_scale) + shift)"),
    edit("turned_round", "`AffineCoupling` runs the wrong way round: `forward` applies (8.2) backwards, `inverse` forwards",
         "z = torch.where(self.mask > 0, x, (x - shift) * torch.exp(-log_scale))",
         ("return z, (log_scale * (1 - self.mask)).sum(1)", "return z, -(log_scale * (1 - self.mask)).sum(1)"),
         ("return torch.where(self.mask > 0, z, (z - shift) * torch.exp(-log_scale))",
          "return torch.where(self.mask > 0, z, z * log_scale.exp() + shift)")),
    edit("x_changed", "`AffineCoupling.forward` writes its result into x",
         "z = x.mul_(torch.where(self.mask > 0, torch.ones_like(x), log_scale.exp())).add_(shift * (1 - self.mask))"),
)

mistakes.at(
    "return z, (log_scale * (1 - self.mask)).sum(1)",
    edit("logdet_minus", "the log-determinant of `AffineCoupling.forward` has the wrong sign; it is that of dz/dx, which grows with the scale",
         "return z, -(log_scale * (1 - self.mask)).sum(1)"),
    edit("logdet_all", "the log-determinant of `AffineCoupling.forward` counts the log-scales of kept dimensions, which are not scaled",
         "return z, log_scale.sum(1)"),
    edit("logdet_kept", "the log-determinant of `AffineCoupling.forward` adds up the log-scales of the kept dimensions; those of the others count",
         "return z, (log_scale * self.mask).sum(1)"),
    edit("logdet_batch", "the log-determinant of `AffineCoupling.forward` is summed over the batch as well; there is one for each example",
         "return z, (log_scale * (1 - self.mask)).sum()"),
    edit("logdet_batch_expanded", "the log-determinant of `AffineCoupling.forward` is the batch's sum, repeated; there is one for each example",
         "return z, (log_scale * (1 - self.mask)).sum().expand(len(x))"),
    edit("logdet_over_n", "the log-determinant of `AffineCoupling.forward` is divided by the number of examples; each has its own",
         "return z, (log_scale * (1 - self.mask)).sum(1) / len(x)"),
    edit("logdet_over_examples", "the log-determinant of `AffineCoupling.forward` is summed over the examples, dimension by dimension; it is to be summed over dimensions",
         "return z, (log_scale * (1 - self.mask)).sum(0)"),
    edit("logdet_mean", "the log-determinant of `AffineCoupling.forward` is averaged over the dimensions; it is their sum",
         "return z, (log_scale * (1 - self.mask)).mean(1)"),
    edit("logdet_mean_of_free", "the log-determinant of `AffineCoupling.forward` is the mean of the changed dimensions' log-scales; it is their sum",
         "return z, (log_scale * (1 - self.mask)).sum(1) / (1 - self.mask).sum()"),
    edit("logdet_column", "the log-determinant of `AffineCoupling.forward` is a column; its shape is (N,)",
         "return z, (log_scale * (1 - self.mask)).sum(1, keepdim=True)"),
    edit("logdet_per_dimension", "the log-determinant of `AffineCoupling.forward` is not summed over the dimensions",
         "return z, log_scale * (1 - self.mask)"),
    edit("logdet_absolute", "the log-determinant of `AffineCoupling.forward` adds up absolute log-scales; the absolute value belongs inside the logarithm, and scales below 1 count negatively",
         "return z, (log_scale * (1 - self.mask)).abs().sum(1)"),
    edit("logdet_no_log", "`AffineCoupling.forward` returns the determinant instead of its logarithm",
         "return z, (log_scale * (1 - self.mask)).sum(1).exp()"),
    edit("logdet_product_of_all", "`AffineCoupling.forward` returns the product of all the network's scales; the log-determinant is the sum of the log-scales of the changed dimensions",
         "return z, log_scale.exp().prod(1)"),
    edit("logdet_sum_of_scales", "the log-determinant of `AffineCoupling.forward` adds up scales; it is the sum of their logarithms",
         "return z, (log_scale.exp() * (1 - self.mask)).sum(1)"),
    edit("logdet_log_of_log", "the log-determinant of `AffineCoupling.forward` takes the logarithm of the log-scale, which is a logarithm already",
         "return z, (log_scale.abs().log() * (1 - self.mask)).sum(1)"),
    edit("logdet_with_shift", "the log-determinant of `AffineCoupling.forward` contains the shift, which changes no volume",
         "return z, ((log_scale + shift) * (1 - self.mask)).sum(1)"),
    edit("logdet_detached", "the log-determinant of `AffineCoupling.forward` is detached, so the flow is trained without it",
         "return z, (log_scale * (1 - self.mask)).sum(1).detach()"),
    edit("logdet_squeezed", "`AffineCoupling.forward` squeezes its results: with one example an axis is lost",
         "return z.squeeze(), (log_scale * (1 - self.mask)).sum(1).squeeze()"),
    edit("logdet_first", "`AffineCoupling.forward` returns the log-determinant before z", "return (log_scale * (1 - self.mask)).sum(1), z"),
    edit("z_alone", "`AffineCoupling.forward` returns z alone; the log-determinant belongs to it", "return z"),
    edit("logdet_zero", "the log-determinant of `AffineCoupling.forward` is 0; only a layer that does not scale has that",
         "return z, 0 * (log_scale * (1 - self.mask)).sum(1)"),
)

# --- AffineCoupling.inverse ---------------------------------------------------------------------------------------

mistakes.at(
    "log_scale, shift = self.net(z * self.mask)",
    edit("inverse_net_sees_all", "in `AffineCoupling.inverse` the network sees all of z; in `forward` it saw the kept dimensions only",
         "log_scale, shift = self.net(z)"),
    edit("inverse_net_sees_others", "in `AffineCoupling.inverse` the network sees the dimensions that change; it sees the kept ones",
         "log_scale, shift = self.net(z * (1 - self.mask))"),
    edit("inverse_answers_swapped", "`AffineCoupling.inverse` takes the network's first answer for the shift; it is the log-scale",
         "shift, log_scale = self.net(z * self.mask)"),
    edit("inverse_net_detached", "`AffineCoupling.inverse` runs the network without gradients, or detaches its answers; it is to be differentiable in all that it uses",
         "log_scale, shift = (answer.detach() for answer in self.net(z * self.mask))"),
    edit("inverse_input_detached", "`AffineCoupling.inverse` detaches what the network sees; it is to be differentiable in z there, too",
         "log_scale, shift = self.net((z * self.mask).detach())"),
)

mistakes.at(
    "return torch.where(self.mask > 0, z, (z - shift) * torch.exp(-log_scale))",
    edit("inverse_exp_plus", "`AffineCoupling.inverse` multiplies by the scale as `forward` does; going back divides by it",
         "return torch.where(self.mask > 0, z, (z - shift) * torch.exp(log_scale))"),
    edit("inverse_scale_first", "`AffineCoupling.inverse` divides before it takes the shift away; `forward` adds the shift last, so it goes first",
         "return torch.where(self.mask > 0, z, z * torch.exp(-log_scale) - shift)"),
    edit("inverse_shift_added", "`AffineCoupling.inverse` adds the shift; going back takes it away",
         "return torch.where(self.mask > 0, z, (z + shift) * torch.exp(-log_scale))"),
    edit("inverse_no_shift", "`AffineCoupling.inverse` forgets the shift", "return torch.where(self.mask > 0, z, z * torch.exp(-log_scale))"),
    edit("inverse_no_scale", "`AffineCoupling.inverse` forgets the scale", "return torch.where(self.mask > 0, z, z - shift)"),
    edit("inverse_divides_by_log", "`AffineCoupling.inverse` divides by the log-scale; the scale is its exponential",
         "return torch.where(self.mask > 0, z, (z - shift) / log_scale)"),
    edit("inverse_epsilon", "`AffineCoupling.inverse` adds an epsilon to the scale, which is never 0; so it is not the inverse any more",
         "return torch.where(self.mask > 0, z, (z - shift) / (log_scale.exp() + 1e-3))"),
    edit("inverse_is_forward", "`AffineCoupling.inverse` does the same as `forward`", "return torch.where(self.mask > 0, z, z * log_scale.exp() + shift)"),
    edit("inverse_nothing_kept", "`AffineCoupling.inverse` changes the kept dimensions as well", "return (z - shift) * torch.exp(-log_scale)"),
    edit("inverse_kept_added", "`AffineCoupling.inverse` adds the kept dimensions to what already contains them",
         "return z * self.mask + (z - shift * (1 - self.mask)) * torch.exp(-log_scale * (1 - self.mask))"),
    edit("inverse_kept_lost", "`AffineCoupling.inverse` puts 0 in place of the kept dimensions",
         "return (1 - self.mask) * (z - shift) * torch.exp(-log_scale)"),
    edit("inverse_mask_turned", "`AffineCoupling.inverse` changes the dimensions that are kept, and keeps the others",
         "return torch.where(self.mask > 0, (z - shift) * torch.exp(-log_scale), z)"),
    edit("inverse_two_results", "`AffineCoupling.inverse` returns a log-determinant as well; x alone is asked for",
         "return torch.where(self.mask > 0, z, (z - shift) * torch.exp(-log_scale)), -(log_scale * (1 - self.mask)).sum(1)"),
    edit("inverse_detached", "`AffineCoupling.inverse` gives its result without a graph; it is to be differentiable",
         "return torch.where(self.mask > 0, z, (z - shift) * torch.exp(-log_scale)).detach()"),
    edit("inverse_squeezed", "`AffineCoupling.inverse` squeezes its result: with one example an axis is lost",
         "return torch.where(self.mask > 0, z, (z - shift) * torch.exp(-log_scale)).squeeze()"),
)


@mistakes.rewrite("`AffineCoupling.inverse` uses what the network answered in the last `forward`; z need not come from that call, so it asks the network again")
def inverse_remembers(ref):
    class AffineCoupling(ref.AffineCoupling):
        def forward(self, x):
            self.log_scale, self.shift = self.net(x * self.mask)
            z = torch.where(self.mask > 0, x, x * self.log_scale.exp() + self.shift)
            return z, (self.log_scale * (1 - self.mask)).sum(1)

        def inverse(self, z):
            return torch.where(self.mask > 0, z, (z - self.shift) * torch.exp(-self.log_scale))

    return {"AffineCoupling": AffineCoupling}


# --- ActNorm ------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    if not self.initialised:
    """,
    edit("actnorm_every_batch", "`ActNorm.forward` sets its parameters anew in every batch; only the first one does",
         "if True:"),
    edit("actnorm_training_only", "`ActNorm.forward` waits for training mode; the first call initialises in any mode",
         "if self.training and not self.initialised:"),
    edit("actnorm_training_every", "`ActNorm.forward` sets its parameters anew in every batch of training mode; only the first one does",
         "if self.training:"),
    edit("actnorm_never", "`ActNorm.forward` does not initialise: the first batch comes out as it went in", "if False:"),
    edit("actnorm_own_flag", "`ActNorm` remembers in a Python attribute that it is initialised; a layer that was loaded starts again then, `initialised` is a buffer",
         """
         if not getattr(self, "done", False):
             self.done = True
         """),
    edit("actnorm_by_zeros", "`ActNorm.forward` takes parameters that are not all 0 for a sign that it is initialised; `initialised` says so",
         "if not bool(self.log_scale.any()) and len(x) > 1 and not bool(self.shift.any()):",
         ("self.initialised.fill_(True)", "pass")),
    edit("actnorm_own_statistics", "`ActNorm.forward` returns the first batch divided by its own spread, with a graph through mean and spread and none through the parameters; the initialisation leaves no graph",
         """
         first = not self.initialised
         m, d = x.mean(0), x.std(0, correction=0)
         if first:
         """,
         ("return x * self.log_scale.exp() + self.shift, self.log_scale.sum().expand(len(x))",
          "return ((x - m) / d, -d.log().sum().expand(len(x))) if first else (x * self.log_scale.exp() + self.shift, self.log_scale.sum().expand(len(x)))")),
)

mistakes.at(
    """
    with torch.no_grad():
        self.log_scale.copy_(-x.std(0, correction=0).log())
        self.shift.copy_(-x.mean(0) * self.log_scale.exp())
        self.initialised.fill_(True)
    """,
    edit("actnorm_new_parameters", "`ActNorm.forward` makes new parameters; an optimiser still has the old ones. Copy the numbers into those that are there",
         """
         self.log_scale = torch.nn.Parameter(-x.detach().std(0, correction=0).log())
         self.shift = torch.nn.Parameter(-x.detach().mean(0) * self.log_scale.detach().exp())
         self.initialised.fill_(True)
         """),
    edit("actnorm_after_use", "`ActNorm.forward` sets its parameters after it has used them, so that the first batch comes out as it went in",
         """
         with torch.no_grad():
             old = x * self.log_scale.exp() + self.shift, self.log_scale.sum().expand(len(x)).clone()
             self.log_scale.copy_(-x.std(0, correction=0).log())
             self.shift.copy_(-x.mean(0) * self.log_scale.exp())
             self.initialised.fill_(True)
         return old[0] + 0 * self.shift, old[1] + 0 * self.log_scale.sum()
         """),
    edit("actnorm_logdet_too_early", "`ActNorm.forward` takes the log-determinant before it initialises: for the first batch it is 0",
         """
         early = self.log_scale.sum().clone().expand(len(x))
         with torch.no_grad():
             self.log_scale.copy_(-x.std(0, correction=0).log())
             self.shift.copy_(-x.mean(0) * self.log_scale.exp())
             self.initialised.fill_(True)
         return x * self.log_scale.exp() + self.shift, early
         """),
    edit("actnorm_other_parameters", "`ActNorm` keeps mean and log standard deviation: z = (x - shift) e^(-log_scale). The docstring multiplies by e^log_scale, and adds shift",
         """
         with torch.no_grad():
             self.log_scale.copy_(x.std(0, correction=0).log())
             self.shift.copy_(x.mean(0))
             self.initialised.fill_(True)
         """,
         ("return x * self.log_scale.exp() + self.shift, self.log_scale.sum().expand(len(x))",
          "return (x - self.shift) * torch.exp(-self.log_scale), -self.log_scale.sum().expand(len(x))"),
         ("return (z - self.shift) * torch.exp(-self.log_scale)", "return z * self.log_scale.exp() + self.shift")),
    edit("actnorm_momentum", "`ActNorm.forward` moves its parameters a tenth of the way to the batch's statistics, as batch normalisation does; the first batch sets them",
         """
         with torch.no_grad():
             self.log_scale.mul_(0.9).sub_(0.1 * x.std(0, correction=0).log())
             self.shift.mul_(0.9).sub_(0.1 * x.mean(0) * self.log_scale.exp())
             self.initialised.fill_(True)
         """),
    edit("actnorm_frozen", "`ActNorm.forward` switches the gradients of its parameters off when it initialises; they are trained from then on",
         """
         with torch.no_grad():
             self.log_scale.copy_(-x.std(0, correction=0).log())
             self.shift.copy_(-x.mean(0) * self.log_scale.exp())
             self.initialised.fill_(True)
         self.requires_grad_(False)
         """),
    edit("actnorm_range", "`ActNorm.forward` brings the batch to [-1, 1]; mean 0 and mean square 1 are meant",
         """
         with torch.no_grad():
             low, high = x.amin(0), x.amax(0)
             self.log_scale.copy_(-(0.5 * (high - low)).log())
             self.shift.copy_(-0.5 * (high + low) * self.log_scale.exp())
             self.initialised.fill_(True)
         """),
    edit("actnorm_no_mean", "`ActNorm.forward` initialises the scale only; the mean of the first batch is to become 0 as well",
         """
         with torch.no_grad():
             self.log_scale.copy_(-x.std(0, correction=0).log())
             self.initialised.fill_(True)
         """),
    edit("actnorm_no_spread", "`ActNorm.forward` initialises the shift only; the spread of the first batch is to become 1 as well",
         """
         with torch.no_grad():
             self.shift.copy_(-x.mean(0))
             self.initialised.fill_(True)
         """),
    edit("actnorm_one_number", "`ActNorm.forward` uses one mean and one standard deviation for all dimensions; each has its own",
         """
         with torch.no_grad():
             self.log_scale.copy_(-x.std(correction=0).log())
             self.shift.copy_(-x.mean() * self.log_scale.exp())
             self.initialised.fill_(True)
         """),
    edit("actnorm_subtract_first", "`ActNorm` subtracts the mean before it scales: z = (x - shift) e^log_scale. The docstring scales x first and then adds the shift",
         """
         with torch.no_grad():
             self.log_scale.copy_(-x.std(0, correction=0).log())
             self.shift.copy_(x.mean(0))
             self.initialised.fill_(True)
         """,
         ("return x * self.log_scale.exp() + self.shift, self.log_scale.sum().expand(len(x))",
          "return (x - self.shift) * self.log_scale.exp(), self.log_scale.sum().expand(len(x))"),
         ("return (z - self.shift) * torch.exp(-self.log_scale)", "return z * torch.exp(-self.log_scale) + self.shift")),
)

mistakes.at(
    "self.log_scale.copy_(-x.std(0, correction=0).log())",
    edit("actnorm_unbiased", "`ActNorm.forward` divides the squares by N - 1; the mean square of the batch is to be 1, which divides by N (`correction=0`)",
         "self.log_scale.copy_(-x.std(0).log())"),
    edit("actnorm_variance", "`ActNorm.forward` divides by the variance; the standard deviation is its square root",
         "self.log_scale.copy_(-x.var(0, correction=0).log())"),
    edit("actnorm_log_plus", "`ActNorm.forward` multiplies by the standard deviation; it divides by it, so its logarithm is negative",
         "self.log_scale.copy_(x.std(0, correction=0).log())"),
    edit("actnorm_not_log", "`ActNorm.forward` writes the scale into log_scale; its logarithm belongs there",
         "self.log_scale.copy_(1 / x.std(0, correction=0))"),
    edit("actnorm_raw_std", "`ActNorm.forward` writes the standard deviation into log_scale; minus its logarithm belongs there",
         "self.log_scale.copy_(x.std(0, correction=0))"),
    edit("actnorm_second_moment", "`ActNorm.forward` takes the mean square of x without taking the mean away; that is not the variance",
         "self.log_scale.copy_(-0.5 * x.square().mean(0).log())"),
    edit("actnorm_epsilon", "`ActNorm.forward` adds an epsilon of 1e-6 to the standard deviation; with a tiny spread the mean square is not 1 then",
         "self.log_scale.copy_(-(x.std(0, correction=0) + 1e-6).log())"),
    edit("actnorm_epsilon_variance", "`ActNorm.forward` adds an epsilon of 1e-5 to the variance, as batch normalisation does; with a tiny spread the mean square is not 1 then",
         "self.log_scale.copy_(-0.5 * (x.var(0, correction=0) + 1e-5).log())"),
    edit("actnorm_epsilon_small", "`ActNorm.forward` adds an epsilon of 1e-8 to the variance; with a tiny spread the mean square is not 1 then",
         "self.log_scale.copy_(-0.5 * (x.var(0, correction=0) + 1e-8).log())"),
    edit("actnorm_clamped", "`ActNorm.forward` bounds the standard deviation from below; with a tiny spread the mean square is not 1 then",
         "self.log_scale.copy_(-x.std(0, correction=0).clamp(min=0.01).log())"),
    edit("actnorm_absolute", "`ActNorm.forward` divides by the mean absolute deviation; the standard deviation is meant",
         "self.log_scale.copy_(-(x - x.mean(0)).abs().mean(0).log())"),
)

mistakes.at(
    "self.shift.copy_(-x.mean(0) * self.log_scale.exp())",
    edit("actnorm_shift_unscaled", "`ActNorm.forward` sets the shift to minus the mean; x has been scaled before, so the mean is to be scaled, too",
         "self.shift.copy_(-x.mean(0))"),
    edit("actnorm_shift_plus", "`ActNorm.forward` adds the mean instead of taking it away", "self.shift.copy_(x.mean(0) * self.log_scale.exp())"),
    edit("actnorm_shift_backwards", "`ActNorm.forward` multiplies the mean by the standard deviation; it is divided by it, as x is",
         "self.shift.copy_(-x.mean(0) * torch.exp(-self.log_scale))"),
    edit("actnorm_median", "`ActNorm.forward` centres at the median; the mean is to become 0", "self.shift.copy_(-x.median(0).values * self.log_scale.exp())"),
)

mistakes.at(
    "return x * self.log_scale.exp() + self.shift, self.log_scale.sum().expand(len(x))",
    edit("actnorm_logdet_number", "the log-determinant of `ActNorm` is a single number; there is one for each example, (N,)",
         "return x * self.log_scale.exp() + self.shift, self.log_scale.sum()"),
    edit("actnorm_logdet_python", "the log-determinant of `ActNorm` is a Python number; it must be a tensor (N,), which can be differentiated",
         "return x * self.log_scale.exp() + self.shift, self.log_scale.sum().item()"),
    edit("actnorm_no_grad", "`ActNorm.forward` computes without gradients, so neither its parameters nor the layers closer to the data are trained; only the initialisation does that",
         "return (x * self.log_scale.exp() + self.shift).detach(), self.log_scale.sum().expand(len(x)).detach()"),
    edit("actnorm_logdet_rounded", "the log-determinant of `ActNorm` is float32 where x is float64 (`torch.ones` and `torch.zeros` are float32 unless told otherwise)",
         "return x * self.log_scale.exp() + self.shift, self.log_scale.sum().float().expand(len(x))"),
    edit("actnorm_logdet_minus", "the log-determinant of `ActNorm` has the wrong sign", "return x * self.log_scale.exp() + self.shift, -self.log_scale.sum().expand(len(x))"),
    edit("actnorm_logdet_times_n", "the log-determinant of `ActNorm` is multiplied by the number of examples; each has its own",
         "return x * self.log_scale.exp() + self.shift, (len(x) * self.log_scale.sum()).expand(len(x))"),
    edit("actnorm_logdet_mean", "the log-determinant of `ActNorm` is a mean over dimensions; it is their sum",
         "return x * self.log_scale.exp() + self.shift, self.log_scale.mean().expand(len(x))"),
    edit("actnorm_logdet_times_d", "the log-determinant of `ActNorm` is multiplied by the number of dimensions; the sum over log_scale has counted them",
         "return x * self.log_scale.exp() + self.shift, (x.shape[1] * self.log_scale.sum()).expand(len(x))"),
    edit("actnorm_logdet_zero", "the log-determinant of `ActNorm` is 0, but the layer scales", "return x * self.log_scale.exp() + self.shift, 0 * self.log_scale.sum().expand(len(x))"),
    edit("actnorm_logdet_scales", "the log-determinant of `ActNorm` adds up scales; it is the sum of their logarithms",
         "return x * self.log_scale.exp() + self.shift, self.log_scale.exp().sum().expand(len(x))"),
    edit("actnorm_logdet_dimensions", "the log-determinant of `ActNorm` has a number for each dimension; it is their sum, for each example",
         "return x * self.log_scale.exp() + self.shift, self.log_scale.expand(len(x), -1)"),
    edit("actnorm_logdet_column", "the log-determinant of `ActNorm` is a column; its shape is (N,)",
         "return x * self.log_scale.exp() + self.shift, self.log_scale.sum().expand(len(x), 1)"),
    edit("actnorm_logdet_detached", "the log-determinant of `ActNorm` is detached: log_scale is trained without it, and shrinks",
         "return x * self.log_scale.exp() + self.shift, self.log_scale.detach().sum().expand(len(x))"),
    edit("actnorm_detached", "`ActNorm.forward` detaches its parameters from z, so that they are not trained by it",
         "return x * self.log_scale.detach().exp() + self.shift.detach(), self.log_scale.sum().expand(len(x))"),
    edit("actnorm_x_detached", "`ActNorm.forward` detaches x, so that the layers closer to the data get no gradient",
         "return x.detach() * self.log_scale.exp() + self.shift + 0 * x, self.log_scale.sum().expand(len(x))"),
    edit("actnorm_batch_statistics", "`ActNorm.forward` normalises each batch by its own mean and spread, as batch normalisation does; the parameters are what counts",
         "m, d = x.mean(0), x.std(0, correction=0); return (x - m) / d + 0 * self.shift, -d.log().sum().expand(len(x)) + 0 * self.log_scale.sum()"),
    edit("actnorm_divides", "`ActNorm.forward` divides by the scale; z = x * exp(log_scale) + shift",
         "return x * torch.exp(-self.log_scale) + self.shift, self.log_scale.sum().expand(len(x))"),
    edit("actnorm_shift_first", "`ActNorm.forward` shifts before it scales; z = x * exp(log_scale) + shift",
         "return (x + self.shift) * self.log_scale.exp(), self.log_scale.sum().expand(len(x))"),
    edit("actnorm_in_place", "`ActNorm.forward` writes its result into x",
         "return x.detach().mul_(self.log_scale.detach().exp()).add_(self.shift.detach()) + 0 * x.detach() * (self.log_scale + self.shift), self.log_scale.sum().expand(len(x))"),
)

mistakes.at(
    "return (z - self.shift) * torch.exp(-self.log_scale)",
    edit("actnorm_inverse_plus", "`ActNorm.inverse` multiplies by the scale as `forward` does; going back divides by it", "return (z - self.shift) * torch.exp(self.log_scale)"),
    edit("actnorm_inverse_order", "`ActNorm.inverse` divides before it takes the shift away; `forward` adds the shift last, so it goes first",
         "return z * torch.exp(-self.log_scale) - self.shift"),
    edit("actnorm_inverse_added", "`ActNorm.inverse` adds the shift; going back takes it away", "return (z + self.shift) * torch.exp(-self.log_scale)"),
    edit("actnorm_inverse_forward", "`ActNorm.inverse` does the same as `forward`", "return z * self.log_scale.exp() + self.shift"),
    edit("actnorm_inverse_no_shift", "`ActNorm.inverse` forgets the shift", "return z * torch.exp(-self.log_scale)"),
    edit("actnorm_inverse_no_scale", "`ActNorm.inverse` forgets the scale", "return z - self.shift"),
    edit("actnorm_inverse_initialises", "`ActNorm.inverse` initialises the layer, so that the first batch of `forward` no longer does; z's statistics are not the data's",
         """
         if not self.initialised:
             self.forward(z)
         return (z - self.shift) * torch.exp(-self.log_scale)
         """),
    edit("actnorm_inverse_two", "`ActNorm.inverse` returns a log-determinant as well; x alone is asked for",
         "return (z - self.shift) * torch.exp(-self.log_scale), -self.log_scale.sum().expand(len(z))"),
)

# --- ChannelMix ---------------------------------------------------------------------------------------------------

mistakes.at(
    'z = torch.einsum("dc,nchw->ndhw", self.weight, x)',
    edit("mix_transposed", "`ChannelMix.forward` multiplies by the transposed matrix: row d of the weight makes channel d of z", 'z = torch.einsum("cd,nchw->ndhw", self.weight, x)'),
    edit("mix_detached", "`ChannelMix.forward` detaches the weight from z, so that it is trained by the log-determinant alone", 'z = torch.einsum("dc,nchw->ndhw", self.weight.detach(), x)'),
    edit("mix_x_detached", "`ChannelMix.forward` detaches x from z, so that the layers closer to the data get no gradient", 'z = torch.einsum("dc,nchw->ndhw", self.weight, x.detach())'),
    edit("mix_flat", "`ChannelMix.forward` moves the axes by `reshape`, which puts entries of other places and channels together; `permute` exchanges axes",
         "z = (x.reshape(-1, x.shape[1]) @ self.weight.T).reshape(x.shape)"),
    edit("mix_channels_last", "`ChannelMix.forward` returns the channels as the last axis; z has the axes of x, (N, C, H, W)", "z = x.permute(0, 2, 3, 1) @ self.weight.T"),
    edit("mix_elementwise", "`ChannelMix.forward` scales each channel by the diagonal of the weight; a matrix mixes them all", "z = x * self.weight.diagonal()[:, None, None]"),
    edit("mix_sums", "`ChannelMix.forward` scales each channel by a sum of the weight; a matrix mixes them all", "z = x * self.weight.sum(1)[:, None, None]"),
    edit("mix_residual", "`ChannelMix.forward` adds x to its result; a 1×1 convolution is the product alone", 'z = x + torch.einsum("dc,nchw->ndhw", self.weight, x)'),
    edit("mix_inverted", "`ChannelMix.forward` uses the inverse matrix; from data to latent it is the weight itself", 'z = torch.einsum("dc,nchw->ndhw", torch.linalg.inv(self.weight), x)'),
    edit("mix_orthogonal", "`ChannelMix.forward` makes the weight orthogonal first; the matrix is used as it is", 'z = torch.einsum("dc,nchw->ndhw", torch.linalg.qr(self.weight)[0], x)'),
    edit("mix_single", "`ChannelMix.forward` computes in float32 whatever it is given; float64 keeps its digits", 'z = torch.einsum("dc,nchw->ndhw", self.weight.float(), x.float()).to(x)'),
    edit("mix_half", "`ChannelMix.forward` computes in half precision", 'z = torch.einsum("dc,nchw->ndhw", self.weight.bfloat16(), x.bfloat16()).to(x)'),
    edit("mix_in_place", "`ChannelMix.forward` writes its result into x", 'z = torch.einsum("dc,nchw->ndhw", self.weight, x); x.data.copy_(z.detach())'),
    edit("mix_rows", "`ChannelMix.forward` mixes the rows of a picture; the matrix belongs to the channels", 'z = torch.einsum("dc,nkcw->nkdw", self.weight, x)'),
    edit("mix_columns", "`ChannelMix.forward` mixes the columns of a picture; the matrix belongs to the channels", "z = x @ self.weight.T"),
)

mistakes.at(
    "places = x.shape[2] * x.shape[3]",
    edit("mix_one_place", "the log-determinant of `ChannelMix` counts the matrix once; it acts at every one of the H·W places", "places = 1"),
    edit("mix_rows_only", "the log-determinant of `ChannelMix` counts H places; there are H·W", "places = x.shape[2]"),
    edit("mix_columns_only", "the log-determinant of `ChannelMix` counts W places; there are H·W", "places = x.shape[3]"),
    edit("mix_half_the_border", "the log-determinant of `ChannelMix` counts H + W places; there are H·W", "places = x.shape[2] + x.shape[3]"),
    edit("mix_squares", "the log-determinant of `ChannelMix` counts H·H places; there are H·W", "places = x.shape[2] ** 2"),
    edit("mix_entries", "the log-determinant of `ChannelMix` counts C·H·W numbers; the C channels of a place share one determinant", "places = x.shape[1] * x.shape[2] * x.shape[3]"),
    edit("mix_batch", "the log-determinant of `ChannelMix` is multiplied by the number of pictures; each has its own", "places = len(x) * x.shape[2] * x.shape[3]"),
    edit("mix_channels", "the log-determinant of `ChannelMix` is multiplied by the number of channels; it is multiplied by the number of places, H·W", "places = x.shape[1]"),
    edit("mix_per_channel", "the log-determinant of `ChannelMix` is divided by the number of channels", "places = x.shape[2] * x.shape[3] / x.shape[1]"),
    edit("mix_inverse_places", "the log-determinant of `ChannelMix` is divided by the number of places; each place adds its own", "places = 1 / (x.shape[2] * x.shape[3])"),
)

mistakes.at(
    "return z, (places * torch.linalg.slogdet(self.weight)[1]).expand(len(x))",
    edit("mix_no_absolute", "the log-determinant of `ChannelMix` is the logarithm of the determinant itself, which may be negative: its absolute value counts",
         "return z, (places * torch.logdet(self.weight)).expand(len(x))"),
    edit("mix_log_of_det", "`ChannelMix` computes the determinant first, which is too small for a float where channels are many and scales small; only its logarithm is wanted",
         "return z, (places * torch.linalg.det(self.weight).abs().log()).expand(len(x))"),
    edit("mix_epsilon", "`ChannelMix` adds a small number to the determinant before the logarithm; a tiny determinant is lost in it",
         "return z, (places * (torch.linalg.det(self.weight).abs() + 1e-12).log()).expand(len(x))"),
    edit("mix_no_log", "the log-determinant of `ChannelMix` is the determinant, without a logarithm", "return z, (places * torch.linalg.det(self.weight)).expand(len(x))"),
    edit("mix_no_log_absolute", "the log-determinant of `ChannelMix` is the absolute determinant, without a logarithm", "return z, (places * torch.linalg.det(self.weight).abs()).expand(len(x))"),
    edit("mix_power", "the log-determinant of `ChannelMix` is the determinant to the power H·W, without a logarithm", "return z, (torch.linalg.det(self.weight).abs() ** places).expand(len(x))"),
    edit("mix_sign_part", "`ChannelMix` takes the sign that `slogdet` gives first; the logarithm comes second", "return z, (places * torch.linalg.slogdet(self.weight)[0]).expand(len(x))"),
    edit("mix_minus", "the log-determinant of `ChannelMix` has the wrong sign", "return z, -(places * torch.linalg.slogdet(self.weight)[1]).expand(len(x))"),
    edit("mix_diagonal", "the log-determinant of `ChannelMix` is that of the diagonal; only a triangular matrix has this determinant",
         "return z, (places * self.weight.diagonal().abs().log().sum()).expand(len(x))"),
    edit("mix_entries_log", "the log-determinant of `ChannelMix` adds up the logarithms of all entries; that is no determinant", "return z, (places * self.weight.abs().log().sum()).expand(len(x))"),
    edit("mix_norm", "the log-determinant of `ChannelMix` is the logarithm of the matrix's norm", "return z, (places * torch.linalg.norm(self.weight).log()).expand(len(x))"),
    edit("mix_trace", "the log-determinant of `ChannelMix` is the logarithm of the trace", "return z, (places * self.weight.trace().abs().log()).expand(len(x))"),
    edit("mix_zero", "the log-determinant of `ChannelMix` is 0, as if the matrix were a rotation", "return z, 0 * torch.linalg.slogdet(self.weight)[1].expand(len(x))"),
    edit("mix_bits", "the log-determinant of `ChannelMix` is in bits; it is in nats", "return z, (places * torch.linalg.slogdet(self.weight)[1] / math.log(2)).expand(len(x))"),
    edit("mix_square", "the log-determinant of `ChannelMix` is that of WᵀW, twice as much", "return z, (places * torch.linalg.slogdet(self.weight.T @ self.weight)[1]).expand(len(x))"),
    edit("mix_number", "the log-determinant of `ChannelMix` is a single number; there is one for each example, (N,)", "return z, places * torch.linalg.slogdet(self.weight)[1]"),
    edit("mix_python", "the log-determinant of `ChannelMix` is a Python number; it must be a tensor (N,), which can be differentiated", "return z, float(places * torch.linalg.slogdet(self.weight)[1])"),
    edit("mix_column", "the log-determinant of `ChannelMix` is a column; its shape is (N,)", "return z, (places * torch.linalg.slogdet(self.weight)[1]).expand(len(x), 1)"),
    edit("mix_map", "the log-determinant of `ChannelMix` has a number for each place; it is their sum, for each example", "return z, torch.linalg.slogdet(self.weight)[1].expand(len(x), *x.shape[2:])"),
    edit("mix_logdet_detached", "the log-determinant of `ChannelMix` is detached: the matrix is trained without it, and shrinks", "return z, (places * torch.linalg.slogdet(self.weight.detach())[1]).expand(len(x))"),
    edit("mix_logdet_single", "the log-determinant of `ChannelMix` is float32 where x is float64", "return z, (places * torch.linalg.slogdet(self.weight.float())[1]).expand(len(x))"),
    edit("mix_z_alone", "`ChannelMix.forward` returns z alone, without the log-determinant", "return z"),
    edit("mix_swapped", "`ChannelMix.forward` returns the log-determinant first; z comes first", "return (places * torch.linalg.slogdet(self.weight)[1]).expand(len(x)), z"),
    edit("mix_once", "`ChannelMix.forward` keeps the log-determinant of its first call; the weight is trained, so it changes",
         "self._kept = self._kept if hasattr(self, '_kept') else torch.linalg.slogdet(self.weight)[1]; return z, (places * self._kept).expand(len(x))"),
)

mistakes.at(
    'return torch.einsum("cd,ndhw->nchw", torch.linalg.inv(self.weight), z)',
    edit("mix_back_transposed", "`ChannelMix.inverse` uses the transposed matrix, which is the inverse of a rotation only", 'return torch.einsum("dc,ndhw->nchw", self.weight, z)'),
    edit("mix_back_forward", "`ChannelMix.inverse` does the same as `forward`", 'return torch.einsum("cd,ndhw->nchw", self.weight, z)'),
    edit("mix_back_inverse_transposed", "`ChannelMix.inverse` multiplies by the transpose of the inverse", 'return torch.einsum("dc,ndhw->nchw", torch.linalg.inv(self.weight), z)'),
    edit("mix_back_entries", "`ChannelMix.inverse` divides by each entry of the matrix; the inverse matrix is another thing", 'return torch.einsum("cd,ndhw->nchw", 1 / self.weight, z)'),
    edit("mix_back_entries_transposed", "`ChannelMix.inverse` divides by each entry of the transposed matrix; the inverse matrix is another thing", 'return torch.einsum("dc,ndhw->nchw", 1 / self.weight, z)'),
    edit("mix_back_minus", "`ChannelMix.inverse` multiplies by minus the matrix; that undoes an addition, and no product", 'return torch.einsum("cd,ndhw->nchw", -self.weight, z)'),
    edit("mix_back_detached", "`ChannelMix.inverse` detaches the weight; docstring and layers of the set promise gradients", 'return torch.einsum("cd,ndhw->nchw", torch.linalg.inv(self.weight.detach()), z)'),
    edit("mix_back_z_detached", "`ChannelMix.inverse` detaches z", 'return torch.einsum("cd,ndhw->nchw", torch.linalg.inv(self.weight), z.detach())'),
    edit("mix_back_flat", "`ChannelMix.inverse` moves the axes by `reshape`, which puts entries of other places and channels together; `permute` exchanges axes",
         "return (z.reshape(-1, z.shape[1]) @ torch.linalg.inv(self.weight).T).reshape(z.shape)"),
    edit("mix_back_single", "`ChannelMix.inverse` computes in float32 whatever it is given; float64 keeps its digits",
         'return torch.einsum("cd,ndhw->nchw", torch.linalg.inv(self.weight.float()), z.float()).to(z)'),
    edit("mix_back_half", "`ChannelMix.inverse` computes in half precision", 'return torch.einsum("cd,ndhw->nchw", torch.linalg.inv(self.weight).bfloat16(), z.bfloat16()).to(z)'),
    edit("mix_back_pair", "`ChannelMix.inverse` returns a log-determinant as well; only x is wanted", 'return torch.einsum("cd,ndhw->nchw", torch.linalg.inv(self.weight), z), -torch.linalg.slogdet(self.weight)[1]'),
    edit("mix_back_in_place", "`ChannelMix.inverse` writes its result into z", 'x = torch.einsum("cd,ndhw->nchw", torch.linalg.inv(self.weight), z); z.data.copy_(x.detach()); return x'),
    edit("mix_back_once", "`ChannelMix.inverse` keeps the inverse matrix of its first call; the weight is trained, so it changes",
         "self._back = self._back if hasattr(self, '_back') else torch.linalg.inv(self.weight); return torch.einsum('cd,ndhw->nchw', self._back, z)"),
    edit("mix_back_ridge", "`ChannelMix.inverse` adds a small number to the diagonal before it inverts, so it does not lead back exactly",
         'return torch.einsum("cd,ndhw->nchw", torch.linalg.inv(self.weight + 1e-3 * torch.eye(len(self.weight)).to(z)), z)'),
    edit("mix_back_determinant", "`ChannelMix.inverse` divides the matrix by its determinant; the inverse matrix is another thing", 'return torch.einsum("cd,ndhw->nchw", self.weight / torch.linalg.det(self.weight), z)'),
)

# --- spline -------------------------------------------------------------------------------------------------------

mistakes.at(
    "s, t = (y1 - y0) / (x1 - x0), ((x - x0) / (x1 - x0)).clamp(0, 1)",
    edit("spline_chord_inverted", "in `spline` the chord's slope is upside down: it is the height over the width",
         "s, t = (x1 - x0) / (y1 - y0), ((x - x0) / (x1 - x0)).clamp(0, 1)"),
    edit("spline_t_not_divided", "in `spline` t is the distance from the left knot; it is to be divided by the width of the bin",
         "s, t = (y1 - y0) / (x1 - x0), (x - x0).clamp(0, 1)"),
    edit("spline_t_from_right", "in `spline` t is counted from the right knot", "s, t = (y1 - y0) / (x1 - x0), ((x1 - x) / (x1 - x0)).clamp(0, 1)"),
    edit("spline_t_by_height", "in `spline` t is the distance from the left knot over the height of the bin; it is the width that counts",
         "s, t = (y1 - y0) / (x1 - x0), ((x - x0) / (y1 - y0)).clamp(0, 1)"),
    edit("spline_slopes_swapped", "`spline` exchanges the slopes of the left and the right knot",
         "s, t = (y1 - y0) / (x1 - x0), ((x - x0) / (x1 - x0)).clamp(0, 1); d0, d1 = d1, d0"),
    edit("spline_one_slope", "`spline` uses the left knot's slope at both ends of a bin", "s, t = (y1 - y0) / (x1 - x0), ((x - x0) / (x1 - x0)).clamp(0, 1); d1 = d0"),
    edit("spline_chord_is_one", "`spline` takes 1 for the slope of the chord; it is the height over the width of the bin",
         "s, t = torch.ones_like(x0), ((x - x0) / (x1 - x0)).clamp(0, 1)"),
    edit("spline_bins_by_y", "`spline` looks for the bin of x among the ys; x belongs among the xs",
         "y0, y1, x0, x1, d0, d1 = spline_bin(x, ys, xs, slopes); s, t = (y1 - y0) / (x1 - x0), ((x - x0) / (x1 - x0)).clamp(0, 1)"),
    edit("spline_xs_detached", "`spline` detaches the xs of the knots, so they are not trained",
         "x0, x1 = x0.detach(), x1.detach(); s, t = (y1 - y0) / (x1 - x0), ((x - x0) / (x1 - x0)).clamp(0, 1)"),
    edit("spline_ys_detached", "`spline` detaches the ys of the knots, so they are not trained",
         "y0, y1 = y0.detach(), y1.detach(); s, t = (y1 - y0) / (x1 - x0), ((x - x0) / (x1 - x0)).clamp(0, 1)"),
    edit("spline_first_knots", "`spline` uses the first point's knots for all; each x has knots of its own",
         "x0, x1, y0, y1, d0, d1 = spline_bin(x, *(v.reshape(-1, v.shape[-1])[0].expand_as(v) for v in (xs, ys, slopes))); s, t = (y1 - y0) / (x1 - x0), ((x - x0) / (x1 - x0)).clamp(0, 1)"),
    edit("spline_x_detached", "`spline` detaches x, or computes without gradients, so nothing below is trained",
         "s, t = (y1 - y0) / (x1 - x0), ((x.detach() - x0) / (x1 - x0)).clamp(0, 1)"),
    edit("spline_slopes_detached", "`spline` detaches the slopes at the knots, so they are not trained",
         "s, t = (y1 - y0) / (x1 - x0), ((x - x0) / (x1 - x0)).clamp(0, 1); d0, d1 = d0.detach(), d1.detach()"),
    edit("spline_rounds", "`spline` computes in float32 when its inputs are float64",
         "x0, x1, y0, y1, d0, d1 = (v.float() for v in (x0, x1, y0, y1, d0, d1)); s, t = (y1 - y0) / (x1 - x0), ((x.float() - x0) / (x1 - x0)).clamp(0, 1)"),
    edit("spline_epsilon", "`spline` adds an epsilon to the width of a bin; widths are not 0, and the spline no longer meets its knots",
         "s, t = (y1 - y0) / (x1 - x0 + 1e-3), ((x - x0) / (x1 - x0 + 1e-3)).clamp(0, 1)"),
    edit("spline_t_clamped_inside", "`spline` keeps t away from 0 and 1 by an epsilon, so that it misses its knots",
         "s, t = (y1 - y0) / (x1 - x0), ((x - x0) / (x1 - x0)).clamp(1e-2, 1 - 1e-2)"),
)

mistakes.at(
    "bottom = s + (d0 + d1 - 2 * s) * t * (1 - t)",
    edit("spline_one_chord", "in the bottom of (8.3) `spline` has s where 2s is meant", "bottom = s + (d0 + d1 - s) * t * (1 - t)"),
    edit("spline_bottom_no_s", "in the bottom of (8.3) `spline` lacks the first s", "bottom = (d0 + d1 - 2 * s) * t * (1 - t)"),
    edit("spline_bottom_no_rest", "in the bottom of (8.3) `spline` lacks the factor 1 - t", "bottom = s + (d0 + d1 - 2 * s) * t"),
    edit("spline_bottom_square", "in the bottom of (8.3) `spline` has t² where t(1-t) is meant", "bottom = s + (d0 + d1 - 2 * s) * t**2"),
    edit("spline_bottom_only_s", "`spline` has s alone as the bottom of (8.3)", "bottom = s"),
    edit("spline_bottom_minus", "in the bottom of (8.3) `spline` subtracts where it is to add", "bottom = s - (d0 + d1 - 2 * s) * t * (1 - t)"),
    edit("spline_bottom_plus", "in the bottom of (8.3) `spline` adds 2s inside the bracket; it is subtracted", "bottom = s + (d0 + d1 + 2 * s) * t * (1 - t)"),
)

mistakes.at(
    "y = y0 + (y1 - y0) * (s * t**2 + d0 * t * (1 - t)) / bottom",
    edit("spline_no_start", "`spline` forgets y_0, the height of the left knot", "y = (y1 - y0) * (s * t**2 + d0 * t * (1 - t)) / bottom"),
    edit("spline_no_height", "`spline` forgets the factor y_1 - y_0, the height of the bin", "y = y0 + (s * t**2 + d0 * t * (1 - t)) / bottom"),
    edit("spline_width", "`spline` multiplies by the width of the bin where its height is meant", "y = y0 + (x1 - x0) * (s * t**2 + d0 * t * (1 - t)) / bottom"),
    edit("spline_no_square", "in the top of (8.3) `spline` has t where t² is meant", "y = y0 + (y1 - y0) * (s * t + d0 * t * (1 - t)) / bottom"),
    edit("spline_top_d1", "in the top of (8.3) `spline` has the right knot's slope; the left one's is meant", "y = y0 + (y1 - y0) * (s * t**2 + d1 * t * (1 - t)) / bottom"),
    edit("spline_top_exchanged", "in the top of (8.3) `spline` has s at t(1-t) and d_0 at t²; it is the other way round", "y = y0 + (y1 - y0) * (d0 * t**2 + s * t * (1 - t)) / bottom"),
    edit("spline_top_no_d0", "in the top of (8.3) `spline` lacks the slope d_0", "y = y0 + (y1 - y0) * (s * t**2 + t * (1 - t)) / bottom"),
    edit("spline_hermite", "`spline` is a cubic polynomial between its knots, which need not rise; (8.3) is a quotient",
         "y = y0 * (2 * t**3 - 3 * t**2 + 1) + (x1 - x0) * d0 * (t**3 - 2 * t**2 + t) + y1 * (3 * t**2 - 2 * t**3) + (x1 - x0) * d1 * (t**3 - t**2)",
         ("slope = (s / bottom) ** 2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)",
          "slope = s * (6 * t - 6 * t**2) + d0 * (3 * t**2 - 4 * t + 1) + d1 * (3 * t**2 - 2 * t) + 0 * bottom")),
    edit("spline_linear", "`spline` joins the knots by straight lines, and ignores the slopes at the knots", "y = y0 + (y1 - y0) * t"),
    edit("spline_linear_all", "`spline` joins the knots by straight lines and returns their slopes; (8.3) bends, with the given slopes at the knots",
         "y = y0 + (y1 - y0) * t", ("slope = (s / bottom) ** 2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)", "slope = s")),
    edit("spline_starts_at_x", "`spline` starts from x_0 instead of y_0", "y = x0 + (y1 - y0) * (s * t**2 + d0 * t * (1 - t)) / bottom"),
)

mistakes.at(
    "slope = (s / bottom) ** 2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)",
    edit("slope_by_t", "the slope of `spline` is dy/dt; dy/dx divides it by the width of the bin",
         "slope = (x1 - x0) * (s / bottom) ** 2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)"),
    edit("slope_divided_twice", "the slope of `spline` is divided by the width of the bin twice",
         "slope = (s / bottom) ** 2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2) / (x1 - x0)"),
    edit("slope_height", "the slope of `spline` lacks the factor y_1 - y_0: the derivative of the fraction in (8.3) alone",
         "slope = (s / bottom) ** 2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2) / (y1 - y0)"),
    edit("slope_top_only", "the slope of `spline` differentiates the top of (8.3) only; the bottom depends on t, too",
         "slope = s * (2 * s * t + d0 * (1 - 2 * t)) / bottom"),
    edit("slope_quotient_sign", "the slope of `spline` adds the two terms of the quotient rule; the second is subtracted",
         "slope = s * ((2 * s * t + d0 * (1 - 2 * t)) * bottom + (s * t**2 + d0 * t * (1 - t)) * (d0 + d1 - 2 * s) * (1 - 2 * t)) / bottom**2"),
    edit("slope_bottom_once", "the slope of `spline` divides by the bottom once; the quotient rule squares it",
         "slope = s**2 / bottom * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)"),
    edit("slope_s_once", "the slope of `spline` has s once; it is squared",
         "slope = s / bottom**2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)"),
    edit("slope_inner_derivative", "the slope of `spline` takes 1 - t for the derivative of t(1-t) in the bottom of (8.3); it is 1 - 2t",
         "slope = s * ((2 * s * t + d0 * (1 - 2 * t)) * bottom - (s * t**2 + d0 * t * (1 - t)) * (d0 + d1 - 2 * s) * (1 - t)) / bottom**2"),
    edit("slope_inner_derivative_top", "the slope of `spline` takes 1 - t for the derivative of t(1-t) in the top of (8.3); it is 1 - 2t",
         "slope = s * ((2 * s * t + d0 * (1 - t)) * bottom - (s * t**2 + d0 * t * (1 - t)) * (d0 + d1 - 2 * s) * (1 - 2 * t)) / bottom**2"),
    edit("slope_clamped", "`spline` bounds the slope from below; slopes are positive, and small ones are meant",
         "slope = ((s / bottom) ** 2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)).clamp(min=0.1)"),
    edit("slope_no_two", "the slope of `spline` has s t(1-t) in its top, without the factor 2",
         "slope = (s / bottom) ** 2 * (d1 * t**2 + s * t * (1 - t) + d0 * (1 - t) ** 2)"),
    edit("slope_no_square", "the slope of `spline` has 1 - t where (1 - t)² is meant",
         "slope = (s / bottom) ** 2 * (d1 * t**2 + 2 * s * t * (1 - t) + d0 * (1 - t))"),
    edit("slope_no_square_left", "the slope of `spline` has t where t² is meant",
         "slope = (s / bottom) ** 2 * (d1 * t + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)"),
    edit("slope_ends_swapped", "the slope of `spline` is d_1 at the left knot and d_0 at the right one; it is the other way round",
         "slope = (s / bottom) ** 2 * (d0 * t**2 + 2 * s * t * (1 - t) + d1 * (1 - t) ** 2)"),
    edit("slope_is_chord", "the slope of `spline` is that of the chord; the curve's own slope changes within a bin", "slope = s + 0 * t"),
    edit("slope_interpolated", "the slope of `spline` is interpolated between those at the knots; it is the derivative of (8.3)",
         "slope = d0 * (1 - t) + d1 * t"),
    edit("slope_one", "the log-slope of `spline` is 0 everywhere, also inside", "slope = torch.ones_like(t) + 0 * bottom"),
)

mistakes.at(
    "inside = (x >= xs[..., 0]) & (x <= xs[..., -1])",
    edit("spline_right_only", "`spline` leaves x alone right of the knots, but not left of them", "inside = x <= xs[..., -1]"),
    edit("spline_left_only", "`spline` leaves x alone left of the knots, but not right of them", "inside = x >= xs[..., 0]"),
    edit("spline_everywhere", "`spline` cuts x to the range of its knots; outside it is the identity", "inside = x == x"),
    edit("spline_box_fixed", "`spline` takes 4 for the box; it reaches from the first to the last of xs", "inside = x.abs() <= 4.0"),
    edit("spline_box_three", "`spline` takes 3 for the box; it reaches from the first to the last of xs", "inside = x.abs() <= 3.0"),
    edit("spline_outside_by_y", "`spline` decides by the rounded y whether x is outside; x itself says it",
         "inside = (y > ys[..., 0]) & (y < ys[..., -1])"),
    edit("spline_unit_box", "`spline` is the identity outside [0, 1]; the knots say where it ends", "inside = (x >= 0) & (x <= 1)"),
    edit("spline_positive_only", "`spline` leaves negative x alone; the knots reach from -box to box", "inside = (x >= 0) & (x <= xs[..., -1])"),
    edit("spline_all_or_none", "`spline` asks whether all x are inside; each x is inside or outside by itself",
         "inside = ((x >= xs[..., 0]) & (x <= xs[..., -1])).all().expand_as(x)"),
)

mistakes.at(
    "return torch.where(inside, y, x), torch.where(inside, slope.log(), 0.0)",
    edit("spline_not_log", "`spline` returns the slope instead of its logarithm", "return torch.where(inside, y, x), torch.where(inside, slope, 1.0)"),
    edit("spline_slope_minus", "the log-slope of `spline` has the wrong sign: it is that of dx/dy", "return torch.where(inside, y, x), torch.where(inside, -slope.log(), 0.0)"),
    edit("spline_outside_one", "outside the knots the log-slope of `spline` is 1; the identity has slope 1, whose logarithm is 0",
         "return torch.where(inside, y, x), torch.where(inside, slope.log(), 1.0)"),
    edit("spline_outside_zero", "outside the knots `spline` is 0; it is the identity there", "return torch.where(inside, y, 0.0), torch.where(inside, slope.log(), 0.0)"),
    edit("spline_outside_shifted", "outside the knots `spline` counts from the border of the box; it is the identity, x itself",
         "return torch.where(inside, y, x - x.clamp(xs[..., 0], xs[..., -1])), torch.where(inside, slope.log(), 0.0)"),
    edit("spline_summed", "`spline` sums the log-slopes; each x has its own", "return torch.where(inside, y, x), torch.where(inside, slope.log(), 0.0).sum(-1)"),
    edit("spline_y_only", "`spline` returns y alone; the log-slope belongs to it", "return torch.where(inside, y, x)"),
    edit("spline_order", "`spline` returns the log-slope before y", "return torch.where(inside, slope.log(), 0.0), torch.where(inside, y, x)"),
    edit("spline_slope_detached", "the log-slope of `spline` is detached, so that the flow is trained without it",
         "return torch.where(inside, y, x), torch.where(inside, slope.log(), 0.0).detach() + 0 * y"),
    edit("spline_log_epsilon", "`spline` adds an epsilon to the slope before the logarithm; slopes are positive, and where the curve is nearly flat this shows",
         "return torch.where(inside, y, x), torch.where(inside, (slope + 1e-3).log(), 0.0)"),
    edit("spline_log2", "the log-slope of `spline` is a logarithm to base 2; the set counts in nats", "return torch.where(inside, y, x), torch.where(inside, slope.log2(), 0.0)"),
)

# --- flow_log_prob ------------------------------------------------------------------------------------------------

mistakes.at(
    """
    for layer in layers:
        x, logdet = layer(x)
        total = total + logdet
    """,
    edit("flow_minus", "`flow_log_prob` subtracts the log-determinants; with z = f(x) they are added",
         """
         for layer in layers:
             x, logdet = layer(x)
             total = total - logdet
         """),
    edit("flow_no_logdet", "`flow_log_prob` ignores the log-determinants, so its density does not integrate to 1",
         """
         for layer in layers:
             x, logdet = layer(x)
         """),
    edit("flow_last_logdet", "`flow_log_prob` uses the last layer's log-determinant only; all of them add up",
         """
         for layer in layers:
             x, total = layer(x)
         """),
    edit("flow_first_logdet", "`flow_log_prob` uses the first layer's log-determinant only; all of them add up",
         """
         for n, layer in enumerate(layers):
             x, logdet = layer(x)
             total = total + (logdet if n == 0 else 0.0)
         """),
    edit("flow_backwards", "`flow_log_prob` goes through the layers from the last to the first; the first is next to the data",
         """
         for layer in reversed(layers):
             x, logdet = layer(x)
             total = total + logdet
         """),
    edit("flow_same_x", "in `flow_log_prob` every layer sees x itself; a layer sees what the one before it made",
         """
         start = x
         for layer in layers:
             x, logdet = layer(start)
             total = total + logdet
         """),
    edit("flow_logdet_at_output", "`flow_log_prob` takes each layer's log-determinant at the layer's output; it belongs to the layer's input",
         """
         for layer in layers:
             x = layer(x)[0]
             total = total + layer(x)[1]
         """),
    edit("flow_logdet_at_data", "`flow_log_prob` takes every layer's log-determinant at the data; each belongs at that layer's own input",
         """
         start = x
         for layer in layers:
             x = layer(x)[0]
             total = total + layer(start)[1]
         """),
    edit("flow_inverse", "`flow_log_prob` runs the layers' `inverse`; from data to latent it is `forward`",
         """
         for layer in layers:
             x = layer.inverse(x)
             total = total - layer(x)[1]
         """),
    edit("flow_empties", "`flow_log_prob` takes the layers out of the list that it is given, so the flow has none afterwards",
         """
         while len(layers):
             x, logdet = layers.pop(0)(x)
             total = total + logdet
         """),
    edit("flow_in_place", "`flow_log_prob` adds to the first layer's log-determinant in place; that tensor belongs to the layer, and may be one number seen N times",
         """
         total = None
         for layer in layers:
             x, logdet = layer(x)
             if total is None:
                 total = logdet
             else:
                 total += logdet
         total = torch.zeros_like(x[:, 0]) if total is None else total
         """),
    edit("flow_x_unchanged", "`flow_log_prob` evaluates the normal density at x; z, which the layers make of it, belongs there",
         """
         z = x
         for layer in layers:
             z, logdet = layer(z)
             total = total + logdet
         """),
    edit("flow_batch_sum", "`flow_log_prob` adds the batch's sum of the log-determinants to each example; each has its own",
         """
         for layer in layers:
             x, logdet = layer(x)
             total = total + logdet.sum()
         """),
    edit("flow_batch_mean", "`flow_log_prob` adds the batch's mean of the log-determinants to each example; each has its own",
         """
         for layer in layers:
             x, logdet = layer(x)
             total = total + logdet.mean()
         """),
    edit("flow_mean_over_dims", "`flow_log_prob` divides the log-determinants by the number of dimensions",
         """
         for layer in layers:
             x, logdet = layer(x)
             total = total + logdet / x.shape[1]
         """),
    edit("flow_abs", "`flow_log_prob` takes absolute values of the log-determinants; the absolute value belongs inside the logarithm",
         """
         for layer in layers:
             x, logdet = layer(x)
             total = total + logdet.abs()
         """),
    edit("flow_log_again", "`flow_log_prob` takes the logarithm of the log-determinant, which is one already",
         """
         for layer in layers:
             x, logdet = layer(x)
             total = total + logdet.abs().log()
         """),
    edit("flow_base_everywhere", "`flow_log_prob` adds a normal log-density after every layer; only the last result is latent",
         """
         for n, layer in enumerate(layers):
             x, logdet = layer(x)
             total = total + logdet
             if n < len(layers) - 1:
                 total = total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)
         """),
    edit("flow_detached", "`flow_log_prob` detaches what goes from one layer to the next, so that gradients stop there",
         """
         for layer in layers:
             x, logdet = layer(x.detach())
             total = total + logdet
         """),
    edit("flow_logdet_detached", "`flow_log_prob` detaches the log-determinants, so that the flow is trained without them",
         """
         for layer in layers:
             x, logdet = layer(x)
             total = total + logdet.detach()
         """),
    edit("flow_needs_a_layer", "`flow_log_prob` fails without layers; p is then the standard normal itself",
         """
         total = None
         for layer in layers:
             x, logdet = layer(x)
             total = logdet if total is None else total + logdet
         """),
    edit("flow_skips_last", "`flow_log_prob` leaves out the last layer",
         """
         for layer in layers[:-1]:
             x, logdet = layer(x)
             total = total + logdet
         """),
    edit("flow_rounds", "`flow_log_prob` adds up in float32 when its inputs are float64",
         """
         for layer in layers:
             x, logdet = layer(x)
             total = total + logdet.float()
         """),
)

mistakes.at(
    "return total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)",
    edit("flow_no_constant", "`flow_log_prob` lacks the normal density's constant, -½ log 2π for each dimension",
         "return total - 0.5 * x.square().sum(1)"),
    edit("flow_constant_once", "`flow_log_prob` has the normal density's constant once; there is one for each dimension",
         "return total - 0.5 * x.square().sum(1) - 0.5 * math.log(2 * math.pi)"),
    edit("flow_two_dimensions", "`flow_log_prob` has the normal density's constant for two dimensions; there may be any number",
         "return total - 0.5 * x.square().sum(1) - math.log(2 * math.pi)"),
    edit("flow_standardised", "`flow_log_prob` normalises z over the batch; each example stands for itself",
         "x = x - x.mean(0); return total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)"),
    edit("flow_no_grad", "`flow_log_prob` computes without gradients, or detaches its result, so that nothing can be trained",
         "return (total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)).detach()"),
    edit("flow_mean_of_layers", "`flow_log_prob` averages the log-determinants over the layers; they add up",
         "return total / max(1, len(layers)) - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)"),
    edit("flow_z_clamped", "`flow_log_prob` cuts z off at 10; far away the log-density is very small, and that is meant",
         "x = x.clamp(-10, 10); return total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)"),
    edit("flow_no_half", "in `flow_log_prob` the square in the normal density lacks its factor ½",
         "return total - (x.square() + 0.5 * math.log(2 * math.pi)).sum(1)"),
    edit("flow_constant_doubled", "in `flow_log_prob` the normal density's constant lacks its factor ½",
         "return total - (0.5 * x.square() + math.log(2 * math.pi)).sum(1)"),
    edit("flow_constant_plus", "in `flow_log_prob` the normal density's constant has the wrong sign",
         "return total - 0.5 * (x.square() - math.log(2 * math.pi)).sum(1)"),
    edit("flow_square_plus", "in `flow_log_prob` the square in the normal density has the wrong sign",
         "return total + 0.5 * (x.square() - math.log(2 * math.pi)).sum(1)"),
    edit("flow_no_two_pi", "in `flow_log_prob` the normal density's constant has log π instead of log 2π",
         "return total - 0.5 * (x.square() + math.log(math.pi)).sum(1)"),
    edit("flow_no_base", "`flow_log_prob` adds up the log-determinants only; the normal log-density of z is missing", "return total + 0 * x.sum(1)"),
    edit("flow_base_mean", "`flow_log_prob` averages the normal log-density over the dimensions; it is their sum",
         "return total - 0.5 * (x.square() + math.log(2 * math.pi)).mean(1)"),
    edit("flow_one_number", "`flow_log_prob` returns the mean over the examples; each has its own log-density",
         "return (total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)).mean()"),
    edit("flow_all_examples", "`flow_log_prob` returns one number, the sum over the examples; each has its own log-density",
         "return (total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)).sum()"),
    edit("flow_base_over_batch", "`flow_log_prob` sums the normal log-density over the examples as well; each has its own",
         "return total - 0.5 * (x.square() + math.log(2 * math.pi)).sum()"),
    edit("flow_negative", "`flow_log_prob` returns the negative log-density, a loss; the log-density is asked for",
         "return 0.5 * (x.square() + math.log(2 * math.pi)).sum(1) - total"),
    edit("flow_density", "`flow_log_prob` returns the density; its logarithm is asked for",
         "return torch.exp(total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1))"),
    edit("flow_bits", "`flow_log_prob` returns bits; nats are asked for", "return (total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)) / math.log(2)"),
    edit("flow_per_dimension", "`flow_log_prob` divides the log-density by the number of dimensions; it is summed over them",
         "return (total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)) / x.shape[1]"),
    edit("flow_column", "`flow_log_prob` returns a column or a square; its shape is (N,)",
         "return (total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1))[:, None]"),
    edit("flow_base_detached", "`flow_log_prob` detaches z from the normal density, so that only the log-determinants are trained",
         "return total - 0.5 * (x.detach().square() + math.log(2 * math.pi)).sum(1)"),
    edit("flow_clamped", "`flow_log_prob` cuts the log-density off; far away it is very small, and that is meant",
         "return (total - 0.5 * (x.square() + math.log(2 * math.pi)).sum(1)).clamp(min=-100)"),
)


@mistakes.rewrite("`flow_log_prob` evaluates the normal density as a probability and takes its logarithm: far away it is 0, and the logarithm is not finite")
def flow_underflow(ref):
    def flow_log_prob(layers, x):
        total = 0.0
        for layer in layers:
            x, logdet = layer(x)
            total = total + logdet
        return total + torch.log(torch.exp(-0.5 * x.square().sum(1)) / (2 * torch.pi) ** (x.shape[1] / 2))

    return {"flow_log_prob": flow_log_prob}
