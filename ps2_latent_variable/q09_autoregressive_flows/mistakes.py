"""Named wrong versions of the answers to question 9."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- MAF.forward --------------------------------------------------------------------------------------------------

mistakes.at(
    """
    mean, log_std = self.net(x)
    return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
    """,
    edit("maf_turned_round", "`MAF.forward` goes from latent to data: z e^a + m. From data to latent it subtracts the mean, then divides",
         """
         mean, log_std = self.net(x)
         return x * log_std.exp() + mean, log_std.sum(1)
         """),
    edit("maf_answers_swapped", "`MAF.forward` takes the network's first answer for log_std; it is the mean",
         """
         log_std, mean = self.net(x)
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """),
    edit("maf_column_calls", "`MAF.forward` calls the network once for each column; x is known, so one call gives all",
         """
         columns = [(x[:, i] - self.net(x)[0][:, i]) * torch.exp(-self.net(x)[1][:, i]) for i in range(x.shape[1])]
         return torch.stack(columns, 1), -self.net(x)[1].sum(1)
         """),
    edit("maf_no_grad", "`MAF.forward` computes without gradients, so nothing is trained; only `inverse` may do without them",
         """
         mean, log_std = self.net(x)
         return ((x - mean) * torch.exp(-log_std)).detach(), -log_std.sum(1).detach()
         """),
    edit("maf_d_calls", "`MAF.forward` calls the network D times; x is known, so one call gives all",
         """
         for i in range(x.shape[1]):
             mean, log_std = self.net(x)
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """),
    edit("maf_first_example", "`MAF` uses the mean and the width of the first example for all, there and back; each example has its own",
         """
         mean, log_std = (answer[:1].expand_as(x) for answer in self.net(x))
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """,
         ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] * torch.exp(log_std[0, i]) + mean[0, i]")),
    edit("maf_answers_swapped_all", "`MAF` takes the network's first answer for log_std, there and back; it is the mean",
         """
         log_std, mean = self.net(x)
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """,
         ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] * torch.exp(mean[:, i]) + log_std[:, i]")),
    edit("maf_clamped_all", "`MAF` cuts log_std to [-1, 1], there and back; it is to be used as it is",
         """
         mean, log_std = self.net(x)
         log_std = log_std.clamp(-1, 1)
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """,
         ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] * torch.exp(log_std[:, i].clamp(-1, 1)) + mean[:, i]")),
    edit("maf_squashed_all", "`MAF` applies a tanh to log_std, there and back; it is to be used as it is",
         """
         mean, log_std = self.net(x)
         log_std = torch.tanh(log_std)
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """,
         ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] * torch.exp(torch.tanh(log_std[:, i])) + mean[:, i]")),
    edit("maf_sigmoid_all", "`MAF` takes a sigmoid for the standard deviation, there and back; the network gives its logarithm",
         """
         mean, log_std = self.net(x)
         log_std = F.logsigmoid(log_std)
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """,
         ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] * torch.sigmoid(log_std[:, i]) + mean[:, i]")),
    edit("maf_shifted_input", "`MAF` moves x by one column before the network sees it; the network hides x_i and later from its column i itself",
         """
         mean, log_std = self.net(torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1))
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """,
         ("""
    mean, log_std = self.net(x)
    new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
""", """
    mean, log_std = self.net(torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1))
    new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
""")),
    edit("maf_two_calls", "`MAF.forward` calls the network twice, once for each answer; one call gives both",
         """
         mean, log_std = self.net(x)[0], self.net(x)[1]
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """),
    edit("maf_sees_z", "`MAF.forward` hands the network what has been found of z; means and widths depend on x",
         """
         z = torch.zeros_like(x)
         for i in range(x.shape[1]):
             mean, log_std = self.net(z)
             z = torch.cat([z[:, :i], ((x - mean) * torch.exp(-log_std))[:, i : i + 1], z[:, i + 1 :]], 1)
         return z, -log_std.sum(1)
         """),
    edit("maf_detached", "`MAF.forward` detaches what the network answers, so it is never trained",
         """
         mean, log_std = (answer.detach() for answer in self.net(x))
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """),
    edit("maf_input_detached", "`MAF.forward` detaches what the network sees; layers closer to the data then learn from a wrong gradient",
         """
         mean, log_std = self.net(x.detach())
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """),
    edit("maf_rounds", "`MAF.forward` computes in float32 when its inputs are float64",
         """
         mean, log_std = (answer.float() for answer in self.net(x))
         return (x.float() - mean) * torch.exp(-log_std), -log_std.sum(1)
         """),
    edit("maf_softplus", "`MAF` takes a softplus for the standard deviation; the network gives its logarithm",
         """
         mean, log_std = self.net(x)
         log_std = F.softplus(log_std).log()
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """,
         ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] * F.softplus(log_std[:, i]) + mean[:, i]")),
    edit("maf_clamped", "`MAF.forward` cuts log_std to [-1, 1]; it is to be used as it is",
         """
         mean, log_std = self.net(x)
         log_std = log_std.clamp(-1, 1)
         return (x - mean) * torch.exp(-log_std), -log_std.sum(1)
         """),
    edit("maf_first_free", "`MAF.forward` leaves the first dimension as it is; it has a mean and a width, too, which depend on nothing",
         """
         mean, log_std = self.net(x)
         z = torch.cat([x[:, :1], ((x - mean) * torch.exp(-log_std))[:, 1:]], 1)
         return z, -log_std[:, 1:].sum(1) + 0 * log_std.sum(1)
         """),
    edit("maf_standardised", "`MAF.forward` normalises z over the batch as well; each example stands for itself",
         """
         mean, log_std = self.net(x)
         z = (x - mean) * torch.exp(-log_std)
         return (z - z.mean(0)), -log_std.sum(1)
         """),
)

mistakes.at(
    "return (x - mean) * torch.exp(-log_std), -log_std.sum(1)",
    edit("maf_multiplies", "`MAF.forward` multiplies by the standard deviation; the residual is divided by it",
         "return (x - mean) * torch.exp(log_std), -log_std.sum(1)"),
    edit("maf_multiplies_all", "`MAF.forward` multiplies by e^a, and its log-determinant agrees with that; (9.1) divides",
         "return (x - mean) * torch.exp(log_std), log_std.sum(1)"),
    edit("maf_scale_first", "`MAF.forward` divides x before it subtracts the mean; (9.1) divides the residual",
         "return x * torch.exp(-log_std) - mean, -log_std.sum(1)"),
    edit("maf_mean_added", "`MAF.forward` adds the mean; the residual subtracts it", "return (x + mean) * torch.exp(-log_std), -log_std.sum(1)"),
    edit("maf_no_mean", "`MAF.forward` forgets the mean", "return x * torch.exp(-log_std) + 0 * mean, -log_std.sum(1)"),
    edit("maf_no_scale", "`MAF.forward` forgets to divide by the standard deviation", "return x - mean, -log_std.sum(1)"),
    edit("maf_log_as_std", "`MAF.forward` divides by log_std itself; the standard deviation is its exponential", "return (x - mean) / log_std, -log_std.sum(1)"),
    edit("maf_variance", "`MAF.forward` takes log_std for a log-variance", "return (x - mean) * torch.exp(-0.5 * log_std), -0.5 * log_std.sum(1)"),
    edit("maf_variance_all", "`MAF` takes log_std for a log-variance, there and back", "return (x - mean) * torch.exp(-0.5 * log_std), -0.5 * log_std.sum(1)",
         ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] * torch.exp(0.5 * log_std[:, i]) + mean[:, i]")),
    edit("maf_log_as_std_all", "`MAF` divides by log_std itself, and its log-determinant agrees with that; the standard deviation is the exponential",
         "return (x - mean) / log_std, -log_std.abs().log().sum(1)"),
    edit("maf_log_as_std_back", "`MAF` takes log_std itself for the standard deviation, there and back; the standard deviation is its exponential",
         "return (x - mean) / log_std, -log_std.abs().log().sum(1)", ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] * log_std[:, i] + mean[:, i]")),
    edit("maf_multiplies_back", "`MAF` multiplies by e^a from data to latent and divides by it on the way back; (9.1) divides from data to latent",
         "return (x - mean) * torch.exp(log_std), log_std.sum(1)", ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] * torch.exp(-log_std[:, i]) + mean[:, i]")),
    edit("maf_scale_first_back", "`MAF.forward` divides x before it subtracts the mean, and `inverse` undoes that; (9.1) divides the residual",
         "return x * torch.exp(-log_std) - mean, -log_std.sum(1)", ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = (z[:, i] + mean[:, i]) * torch.exp(log_std[:, i])")),
    edit("maf_mean_added_back", "`MAF` adds the mean from data to latent and subtracts it on the way back; the residual subtracts it",
         "return (x + mean) * torch.exp(-log_std), -log_std.sum(1)", ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] * torch.exp(log_std[:, i]) - mean[:, i]")),
    edit("maf_no_mean_back", "`MAF` uses the widths only, there and back; the mean is missing",
         "return x * torch.exp(-log_std), -log_std.sum(1)", ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] * torch.exp(log_std[:, i])")),
    edit("maf_no_scale_back", "`MAF` uses the means only, there and back, and its log-determinant is 0; the width is missing",
         "return x - mean, torch.zeros(len(x), dtype=x.dtype, device=x.device)", ("new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]", "new = z[:, i] + mean[:, i]")),
    edit("maf_epsilon_all", "`MAF.forward` adds an epsilon to the standard deviation, in z and in the log-determinant; it is never 0",
         "std = log_std.exp() + 1e-3; return (x - mean) / std, -std.log().sum(1)"),
    edit("maf_variance_half", "`MAF.forward` takes log_std for a log-variance in z, but not in the log-determinant",
         "return (x - mean) * torch.exp(-0.5 * log_std), -log_std.sum(1)"),
    edit("maf_divides_by_variance", "`MAF.forward` divides by the variance; the standard deviation is meant", "return (x - mean) * torch.exp(-2 * log_std), -log_std.sum(1)"),
    edit("maf_epsilon", "`MAF.forward` adds an epsilon to the standard deviation, which is never 0", "return (x - mean) / (log_std.exp() + 1e-3), -log_std.sum(1)"),
    edit("maf_logdet_plus", "the log-determinant of `MAF.forward` has the wrong sign: where the width is large, x is shrunk", "return (x - mean) * torch.exp(-log_std), log_std.sum(1)"),
    edit("maf_logdet_mean", "the log-determinant of `MAF.forward` is averaged over the dimensions; it is their sum", "return (x - mean) * torch.exp(-log_std), -log_std.mean(1)"),
    edit("maf_logdet_no_first", "the log-determinant of `MAF.forward` leaves out the first dimension; it has a width, too", "return (x - mean) * torch.exp(-log_std), -log_std[:, 1:].sum(1) + 0 * log_std.sum(1)"),
    edit("maf_logdet_absolute", "the log-determinant of `MAF.forward` adds up absolute values; the absolute value belongs inside the logarithm, and each log_std counts with its sign",
         "return (x - mean) * torch.exp(-log_std), -log_std.abs().sum(1)"),
    edit("maf_logdet_absolute_plus", "the log-determinant of `MAF.forward` adds up absolute values, with a plus; the absolute value belongs inside the logarithm, and each log_std counts with its sign",
         "return (x - mean) * torch.exp(-log_std), log_std.abs().sum(1)"),
    edit("maf_mean_detached", "`MAF.forward` detaches the means, so they are not trained", "return (x - mean.detach()) * torch.exp(-log_std) + 0 * mean, -log_std.sum(1)"),
    edit("maf_width_detached", "`MAF.forward` detaches the widths in z, so they are trained by the log-determinant alone", "return (x - mean) * torch.exp(-log_std.detach()), -log_std.sum(1)"),
    edit("maf_log_base", "`MAF.forward` divides by 2 to the log_std; its logarithm is natural", "return (x - mean) * 2.0 ** (-log_std), -log_std.sum(1)"),
    edit("maf_variance_agrees", "`MAF.forward` divides by the variance, and its log-determinant agrees with that; the standard deviation is meant",
         "return (x - mean) * torch.exp(-2 * log_std), -2 * log_std.sum(1)"),
    edit("maf_logdet_batch", "the log-determinant of `MAF.forward` is summed over the batch as well; there is one for each example", "return (x - mean) * torch.exp(-log_std), -log_std.sum()"),
    edit("maf_logdet_examples", "the log-determinant of `MAF.forward` is summed over the examples; it is summed over dimensions", "return (x - mean) * torch.exp(-log_std), -log_std.sum(0)"),
    edit("maf_logdet_column", "the log-determinant of `MAF.forward` is a column; its shape is (N,)", "return (x - mean) * torch.exp(-log_std), -log_std.sum(1, keepdim=True)"),
    edit("maf_logdet_apart", "the log-determinant of `MAF.forward` is not summed over the dimensions", "return (x - mean) * torch.exp(-log_std), -log_std"),
    edit("maf_logdet_scales", "the log-determinant of `MAF.forward` adds up standard deviations; it adds up their logarithms", "return (x - mean) * torch.exp(-log_std), -log_std.exp().sum(1)"),
    edit("maf_logdet_detached", "the log-determinant of `MAF.forward` is detached, so the widths are trained without it", "return (x - mean) * torch.exp(-log_std), -log_std.sum(1).detach()"),
    edit("maf_logdet_zero", "the log-determinant of `MAF.forward` is 0, but the layer scales", "return (x - mean) * torch.exp(-log_std), 0 * log_std.sum(1)"),
    edit("maf_logdet_normal", "`MAF.forward` adds the normal log-density of z to the log-determinant; `flow_log_prob` does that",
         "z = (x - mean) * torch.exp(-log_std); return z, -log_std.sum(1) - 0.5 * (z.square() + math.log(2 * math.pi)).sum(1)"),
    edit("maf_order", "`MAF.forward` returns the log-determinant before z", "return -log_std.sum(1), (x - mean) * torch.exp(-log_std)"),
    edit("maf_z_alone", "`MAF.forward` returns z alone; the log-determinant belongs to it", "return (x - mean) * torch.exp(-log_std)"),
    edit("maf_squeezed", "`MAF.forward` squeezes its results: with one example, or one dimension, an axis is lost",
         "return ((x - mean) * torch.exp(-log_std)).squeeze(), -log_std.sum(1).squeeze()"),
    edit("maf_in_place", "`MAF.forward` writes its result into x",
         "return (x.data.sub_(mean.detach()).mul_(torch.exp(-log_std.detach())) - mean + mean), -log_std.sum(1)"),
)

# --- MAF.inverse --------------------------------------------------------------------------------------------------

mistakes.at(
    "x = torch.zeros_like(z)",
    edit("maf_float_start", "`MAF.inverse` begins with float32 zeros when z is float64", "x = torch.zeros(z.shape, dtype=torch.float32, device=z.device)"),
    edit("maf_nan_start", "`MAF.inverse` begins with NaN or with memory that was never written; a masked network multiplies what it must not see by 0, and 0 times NaN is NaN",
         "x = torch.full_like(z, float('nan'))"),
    edit("maf_in_z", "`MAF.inverse` writes x into z, which belongs to the caller", "x = z",
         ("x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)", "x.data[:, i] = new.detach()")),
)

mistakes.at(
    "for i in range(z.shape[1]):",
    edit("maf_stops_early", "`MAF.inverse` stops before the last column", "for i in range(z.shape[1] - 1):"),
    edit("maf_starts_late", "`MAF.inverse` leaves out the first column; it has a mean and a width, too", "for i in range(1, z.shape[1]):"),
    edit("maf_over_examples", "`MAF.inverse` loops over as many columns as there are examples", "for i in range(min(len(z), z.shape[1])):"),
    edit("maf_only_last", "`MAF.inverse` fills the last column only", "for i in range(z.shape[1] - 1, z.shape[1]):"),
    edit("maf_two_columns", "`MAF.inverse` fills two columns; there are as many as dimensions", "for i in range(2):"),
)

mistakes.at(
    """
    mean, log_std = self.net(x)
    new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
    x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
    """,
    edit("maf_net_sees_z", "in `MAF.inverse` the network sees z; means and widths depend on x, which is found column after column",
         """
         mean, log_std = self.net(z)
         new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
         x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
         """),
    edit("maf_net_sees_nothing", "in `MAF.inverse` each column is found with zeros in place of the columns before it; the first column comes first, and the network must see it afterwards",
         """
         mean, log_std = self.net(torch.zeros_like(z))
         new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
         x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
         """),
    edit("maf_widths_from_zeros", "in `MAF.inverse` the widths are those at zeros; they depend on the columns found before, as the means do",
         """
         mean, log_std = self.net(x)[0], self.net(torch.zeros_like(z))[1]
         new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
         x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
         """),
    edit("maf_means_from_zeros", "in `MAF.inverse` the means are those at zeros; they depend on the columns found before, as the widths do",
         """
         mean, log_std = self.net(torch.zeros_like(z))[0], self.net(x)[1]
         new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
         x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
         """),
    edit("maf_net_sees_rest", "in `MAF.inverse` the columns that have been found are set back to 0 in every step",
         """
         mean, log_std = self.net(torch.cat([torch.zeros_like(x[:, : max(i - 1, 0)]), x[:, max(i - 1, 0) :]], 1))
         new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
         x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
         """),
    edit("maf_net_sees_mean", "in `MAF.inverse` later columns see the means of the earlier ones; they must see the x that z gives there",
         """
         mean, log_std = self.net(x)
         new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
         x = torch.cat([x[:, :i], mean[:, i : i + 1], x[:, i + 1 :]], 1)
         if i == z.shape[1] - 1:
             x = z * torch.exp(log_std) + mean
         """),
    edit("maf_columns_found_alone", "in `MAF.inverse` the network is given the columns found so far alone; it wants all D, whatever stands in the others",
         """
         mean, log_std = self.net(x[:, :i])
         new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
         x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
         """),
    edit("maf_writes_rows", "`MAF.inverse` goes through the examples; it is to go through the columns",
         """
         mean, log_std = self.net(x)
         x = x.clone()
         x[i] = z[i] * torch.exp(log_std[i]) + mean[i]
         """),
    edit("maf_columns_turned", "`MAF.inverse` writes the columns in reversed order",
         """
         mean, log_std = self.net(x)
         x = x.clone()
         x[:, -1 - i] = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
         """),
    edit("maf_next_column", "`MAF.inverse` takes the mean and the width of the next column",
         """
         mean, log_std = (answer.roll(-1, 1) for answer in self.net(x))
         new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
         x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
         """),
    edit("maf_column_too_early", "`MAF.inverse` takes the mean and the width of the column before",
         """
         mean, log_std = self.net(x)
         new = z[:, i] * torch.exp(log_std[:, i - 1]) + mean[:, i - 1]
         x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
         """),
    edit("maf_calls_twice", "`MAF.inverse` calls the network twice for each column; one call gives both answers",
         """
         mean, log_std = self.net(x)[0], self.net(x)[1]
         new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
         x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
         """),
    edit("maf_examples_apart", "`MAF.inverse` calls the network for each example by itself; it takes the whole batch",
         """
         mean, log_std = (torch.cat(parts) for parts in zip(*[self.net(row[None]) for row in x]))
         new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
         x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
         """),
)

mistakes.at(
    "new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]",
    edit("maf_inverse_divides", "`MAF.inverse` divides by the standard deviation as `forward` does; going back multiplies",
         "new = z[:, i] * torch.exp(-log_std[:, i]) + mean[:, i]"),
    edit("maf_inverse_mean_first", "`MAF.inverse` adds the mean before it multiplies; going back multiplies first", "new = (z[:, i] + mean[:, i]) * torch.exp(log_std[:, i])"),
    edit("maf_inverse_subtracts", "`MAF.inverse` subtracts the mean as `forward` does; going back adds it", "new = z[:, i] * torch.exp(log_std[:, i]) - mean[:, i]"),
    edit("maf_inverse_forward", "`MAF.inverse` computes residuals as `forward` does", "new = (z[:, i] - mean[:, i]) * torch.exp(-log_std[:, i])"),
    edit("maf_inverse_no_mean", "`MAF.inverse` forgets the mean", "new = z[:, i] * torch.exp(log_std[:, i])"),
    edit("maf_inverse_no_scale", "`MAF.inverse` forgets the standard deviation", "new = z[:, i] + mean[:, i]"),
    edit("maf_inverse_first_example", "`MAF.inverse` uses the mean and the width of the first example for all; each example has its own",
         "new = z[:, i] * torch.exp(log_std[0, i]) + mean[0, i]"),
    edit("maf_inverse_clamped", "`MAF.inverse` cuts its result to [0, 1] or to a box; x may be any number", "new = (z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]).clamp(0, 1)"),
    edit("maf_inverse_log", "`MAF.inverse` multiplies by log_std; the standard deviation is its exponential", "new = z[:, i] * log_std[:, i] + mean[:, i]"),
    edit("maf_inverse_variance", "`MAF.inverse` takes log_std for a log-variance", "new = z[:, i] * torch.exp(0.5 * log_std[:, i]) + mean[:, i]"),
    edit("maf_inverse_means_only", "`MAF.inverse` returns the means; z says how far from them x is", "new = mean[:, i]"),
)

mistakes.at(
    """
    x = torch.zeros_like(z)
    for i in range(z.shape[1]):
        mean, log_std = self.net(x)
        new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
        x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
    return x
    """,
    edit("maf_one_more_round", "`MAF.inverse` calls the network D + 1 times; after D calls all columns are found",
         """
         x = torch.zeros_like(z)
         for _ in range(z.shape[1] + 1):
             mean, log_std = self.net(x)
             x = z * torch.exp(log_std) + mean
         return x
         """),
    edit("maf_one_round_less", "`MAF.inverse` repeats x = z e^a + m only D - 1 times; column i is right after i steps",
         """
         x = torch.zeros_like(z)
         for _ in range(z.shape[1] - 1):
             mean, log_std = self.net(x)
             x = z * torch.exp(log_std) + mean
         return x
         """),
    edit("maf_two_rounds", "`MAF.inverse` repeats x = z e^a + m only two times; column i is right after i steps",
         """
         x = torch.zeros_like(z)
         for _ in range(2):
             mean, log_std = self.net(x)
             x = z * torch.exp(log_std) + mean
         return x
         """),
    edit("maf_inverse_squeezed", "`MAF.inverse` squeezes its result: with one example, or one dimension, an axis is lost",
         """
         x = torch.zeros_like(z)
         for i in range(z.shape[1]):
             mean, log_std = self.net(x)
             x = torch.cat([x[:, :i], (z * torch.exp(log_std) + mean)[:, i : i + 1], x[:, i + 1 :]], 1)
         return x.squeeze()
         """),
    edit("maf_hundred_rounds", "`MAF.inverse` repeats x = z e^a + m a fixed number of times; D calls are enough, and are the most that is allowed",
         """
         x = torch.zeros_like(z)
         for _ in range(20):
             mean, log_std = self.net(x)
             x = z * torch.exp(log_std) + mean
         return x
         """),
    edit("maf_inverse_two_results", "`MAF.inverse` returns a log-determinant as well; x alone is asked for",
         """
         x = torch.zeros_like(z)
         for i in range(z.shape[1]):
             mean, log_std = self.net(x)
             new = z[:, i] * torch.exp(log_std[:, i]) + mean[:, i]
             x = torch.cat([x[:, :i], new[:, None], x[:, i + 1 :]], 1)
         return x, log_std.sum(1)
         """),
)


@mistakes.rewrite("`MAF.inverse` uses what the network answered in the last `forward`; z need not come from that call, so it asks the network again, column after column")
def maf_inverse_remembers(ref):
    class MAF(ref.MAF):
        def forward(self, x):
            self.mean, self.log_std = self.net(x)
            return (x - self.mean) * torch.exp(-self.log_std), -self.log_std.sum(1)

        def inverse(self, z):
            return z * torch.exp(self.log_std) + self.mean

    return {"MAF": MAF}


# --- Reversed -----------------------------------------------------------------------------------------------------

mistakes.at(
    """
    z, logdet = self.layer(x.flip(1))
    return z.flip(1), logdet
    """,
    edit("reversed_not_back", "`Reversed.forward` does not flip its result back",
         """
         return self.layer(x.flip(1))
         """),
    edit("reversed_not_back_both", "`Reversed` turns the dimensions once, there and back; the result is to be flipped back, so that each dimension keeps its place",
         """
         return self.layer(x.flip(1))
         """,
         ("return self.layer.inverse(z.flip(1)).flip(1)", "return self.layer.inverse(z).flip(1)")),
    edit("reversed_only_after_both", "`Reversed` turns only the inner layer's results, there and back; what goes into it is to be flipped as well",
         """
         z, logdet = self.layer(x)
         return z.flip(1), logdet
         """,
         ("return self.layer.inverse(z.flip(1)).flip(1)", "return self.layer.inverse(z.flip(1))")),
    edit("reversed_logdet_detached", "`Reversed.forward` detaches the log-determinant, so the flow is trained without it",
         """
         z, logdet = self.layer(x.flip(1))
         return z.flip(1), logdet.detach()
         """),
    edit("reversed_sum", "`Reversed.forward` sums the log-determinants over the batch; there is one for each example",
         """
         z, logdet = self.layer(x.flip(1))
         return z.flip(1), logdet.sum()
         """),
    edit("reversed_only_after", "`Reversed.forward` flips the result, but not what goes into the layer",
         """
         z, logdet = self.layer(x)
         return z.flip(1), logdet
         """),
    edit("reversed_not_at_all", "`Reversed.forward` flips nothing", "return self.layer(x)"),
    edit("reversed_examples", "`Reversed.forward` flips the examples; the dimensions are axis 1",
         """
         z, logdet = self.layer(x.flip(0))
         return z.flip(0), logdet
         """),
    edit("reversed_examples_mixed", "the log-determinants of `Reversed.forward` come in the reversed order of the examples; only the dimensions, axis 1, are turned",
         """
         z, logdet = self.layer(x.flip(1))
         return z.flip(1), logdet.flip(0)
         """),
    edit("reversed_rolled", "`Reversed.forward` rolls the dimensions by one place; it is to reverse them",
         """
         z, logdet = self.layer(x.roll(1, 1))
         return z.roll(-1, 1), logdet
         """),
    edit("reversed_ends_only", "`Reversed.forward` exchanges the first and the last dimension only; the whole order is reversed",
         """
         ends = lambda v: torch.cat([v[:, -1:], v[:, 1:-1], v[:, :1]], 1)
         z, logdet = self.layer(ends(x))
         return ends(z), logdet
         """),
    edit("reversed_sorted", "`Reversed.forward` sorts each example's values; the order of the dimensions is reversed, whatever their values",
         """
         z, logdet = self.layer(x.sort(1, descending=True).values)
         return z.flip(1), logdet
         """),
    edit("reversed_minus", "`Reversed.forward` changes the sign of the log-determinant; turning the order changes no volume",
         """
         z, logdet = self.layer(x.flip(1))
         return z.flip(1), -logdet
         """),
    edit("reversed_sign_of_values", "`Reversed.forward` negates x and z; it is the order of the dimensions that is reversed",
         """
         z, logdet = self.layer(-x)
         return -z, logdet
         """),
    edit("reversed_zero", "the log-determinant of `Reversed.forward` is 0; that of flipping is, but the layer between has its own",
         """
         z, logdet = self.layer(x.flip(1))
         return z.flip(1), 0 * logdet
         """),
    edit("reversed_z_alone", "`Reversed.forward` returns z alone; the log-determinant belongs to it",
         """
         return self.layer(x.flip(1))[0].flip(1)
         """),
    edit("reversed_calls_inverse", "`Reversed.forward` runs the inner layer backwards; the order is turned, not the direction",
         """
         z = self.layer.inverse(x.flip(1))
         return z.flip(1), -self.layer(z)[1]
         """),
    edit("reversed_detached", "`Reversed.forward` detaches x, so that the layers closer to the data get no gradient",
         """
         z, logdet = self.layer(x.detach().flip(1))
         return z.flip(1) + 0 * x, logdet
         """),
)

mistakes.at(
    "return self.layer.inverse(z.flip(1)).flip(1)",
    edit("reversed_inverse_not_back", "`Reversed.inverse` does not flip its result back", "return self.layer.inverse(z.flip(1))"),
    edit("reversed_inverse_only_after", "`Reversed.inverse` flips the result, but not what goes into the layer", "return self.layer.inverse(z).flip(1)"),
    edit("reversed_inverse_not_at_all", "`Reversed.inverse` does not turn the dimensions (axis 1); turning the examples changes nothing here", "return self.layer.inverse(z)"),
    edit("reversed_inverse_forward", "`Reversed.inverse` runs the inner layer forwards", "return self.layer(z.flip(1))[0].flip(1)"),
    edit("reversed_inverse_two", "`Reversed.inverse` returns two things; x alone is asked for", "return self.layer.inverse(z.flip(1)).flip(1), 0.0"),
    edit("reversed_inverse_detached", "`Reversed.inverse` gives its result without a graph; around an IAF its gradient is needed",
         "return self.layer.inverse(z.flip(1)).flip(1).detach()"),
    edit("reversed_inverse_z_detached", "`Reversed.inverse` detaches z; around an IAF its gradient is needed",
         "return self.layer.inverse(z.detach().flip(1)).flip(1) + 0 * z"),
)

# --- Inverted -----------------------------------------------------------------------------------------------------

mistakes.at(
    """
    z = self.layer.inverse(x)
    return z, -self.layer(z)[1]
    """,
    edit("inverted_plus", "the log-determinant of `Inverted.forward` has the wrong sign: what the inner layer enlarges, this one shrinks",
         """
         z = self.layer.inverse(x)
         return z, self.layer(z)[1]
         """),
    edit("inverted_at_x", "`Inverted.forward` takes the inner log-determinant at x; the inner layer's input is z",
         """
         return self.layer.inverse(x), -self.layer(x)[1]
         """),
    edit("inverted_at_x_plus", "`Inverted.forward` takes the inner log-determinant at x, with its sign; it belongs at z, with the sign changed",
         """
         return self.layer.inverse(x), self.layer(x)[1]
         """),
    edit("inverted_not", "`Inverted.forward` runs the inner layer forwards", "return self.layer(x)"),
    edit("inverted_half", "`Inverted.forward` runs the inner layer forwards, and changes only the sign of the log-determinant",
         """
         z, logdet = self.layer(x)
         return z, -logdet
         """),
    edit("inverted_z_alone", "`Inverted.forward` returns z alone; the log-determinant belongs to it", "return self.layer.inverse(x)"),
    edit("inverted_zero", "the log-determinant of `Inverted.forward` is 0; it is minus that of the inner layer",
         """
         z = self.layer.inverse(x)
         return z, 0 * self.layer(z)[1]
         """),
    edit("inverted_reciprocal", "`Inverted.forward` returns one over the inner log-determinant; the inverse of a factor has minus its logarithm",
         """
         z = self.layer.inverse(x)
         return z, 1 / self.layer(z)[1]
         """),
    edit("inverted_back_and_forth", "`Inverted.forward` returns what the inner layer makes of z, which is x again",
         """
         z = self.layer.inverse(x)
         z, logdet = self.layer(z)
         return z, -logdet
         """),
    edit("inverted_unpacks", "`Inverted.forward` expects two results of the inner layer's `inverse`; it gives x alone, and the log-determinant comes from `forward`",
         """
         z, logdet = self.layer.inverse(x)
         return z, -logdet
         """),
    edit("inverted_absolute", "the log-determinant of `Inverted.forward` is an absolute value; it is minus the inner one, whatever its sign",
         """
         z = self.layer.inverse(x)
         return z, self.layer(z)[1].abs()
         """),
    edit("inverted_batch", "the log-determinant of `Inverted.forward` is summed over the batch; there is one for each example",
         """
         z = self.layer.inverse(x)
         return z, -self.layer(z)[1].sum()
         """),
    edit("inverted_mean", "the log-determinant of `Inverted.forward` is divided by the number of dimensions",
         """
         z = self.layer.inverse(x)
         return z, -self.layer(z)[1] / x.shape[1]
         """),
    edit("inverted_negated", "`Inverted.forward` applies the inner layer to -x; the inverse map is meant",
         """
         z, logdet = self.layer(-x)
         return z, -logdet
         """),
)

mistakes.at(
    "return self.layer(z)[0]",
    edit("inverted_inverse_same", "`Inverted.inverse` runs the inner layer's inverse; the way back is its `forward`", "return self.layer.inverse(z)"),
    edit("inverted_inverse_two", "`Inverted.inverse` returns the log-determinant as well; x alone is asked for", "return self.layer(z)"),
    edit("inverted_inverse_detached", "`Inverted.inverse` gives its result without a graph; it is to be differentiable, for an IAF is trained through its draws",
         "return self.layer(z)[0].detach()"),
    edit("inverted_inverse_logdet", "`Inverted.inverse` returns the inner log-determinant; x is asked for", "return self.layer(z)[1]"),
    edit("inverted_inverse_checked", "`Inverted.inverse` runs the inner layer's slow inverse, too; one call of its `forward` is enough",
         "x = self.layer(z)[0]; self.layer.inverse(x); return x"),
    edit("inverted_inverse_twice", "`Inverted.inverse` calls the inner layer more than once; one call of its `forward` is enough", "self.layer(z); return self.layer(z)[0]"),
    edit("inverted_inverse_z_detached", "`Inverted.inverse` detaches z", "return self.layer(z.detach())[0]"),
)

# --- denoise ------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    y = y.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y)
    return y.detach() + noise_std**2 * slope
    """,
    edit("denoise_backward", "`denoise` calls `backward`, which adds to the `.grad` of all parameters; they are to stay as they are",
         """
         y = y.detach().clone().requires_grad_()
         flow_log_prob(layers, y).sum().backward()
         return y.detach() + noise_std**2 * y.grad
         """),
    edit("denoise_clears", "`denoise` calls `backward` and clears the `.grad` of the parameters afterwards; what was there is lost",
         """
         y = y.detach().clone().requires_grad_()
         flow_log_prob(layers, y).sum().backward()
         for layer in layers:
             layer.zero_grad()
         return y.detach() + noise_std**2 * y.grad
         """),
    edit("denoise_freezes", "`denoise` switches off the gradients of the parameters, and leaves them so",
         """
         for layer in layers:
             layer.requires_grad_(False)
         y = y.detach().clone().requires_grad_()
         (slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum() + 0 * y.sum(), y)
         return y.detach() + noise_std**2 * slope
         """),
    edit("denoise_mode", "`denoise` leaves the layers in evaluation mode; they are to stay as they are",
         """
         layers = [layer.eval() for layer in layers]
         y = y.detach().clone().requires_grad_()
         (slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y)
         return y.detach() + noise_std**2 * slope
         """),
    edit("denoise_two_steps", "`denoise` takes two half steps, with the gradient at a second place; (9.2) takes one step",
         """
         for _ in range(2):
             y = y.detach().clone().requires_grad_()
             (slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y)
             y = y.detach() + 0.5 * noise_std**2 * slope
         return y
         """),
    edit("denoise_two_full", "`denoise` takes two steps, the second from where the first one led; (9.2) is one step",
         """
         for _ in range(2):
             y = y.detach().clone().requires_grad_()
             (slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y)
             y = y.detach() + noise_std**2 * slope
         return y
         """),
    edit("denoise_unfreezes", "`denoise` switches the gradients of all parameters off and then on; one that was frozen before is to stay frozen",
         """
         for layer in layers:
             layer.requires_grad_(False)
         y = y.detach().clone().requires_grad_()
         (slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y)
         for layer in layers:
             layer.requires_grad_(True)
         return y.detach() + noise_std**2 * slope
         """),
    edit("denoise_trains", "`denoise` leaves all layers in training mode; a layer in evaluation mode is to stay so",
         """
         layers = [layer.eval() for layer in layers]
         y = y.detach().clone().requires_grad_()
         (slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y)
         layers = [layer.train() for layer in layers]
         return y.detach() + noise_std**2 * slope
         """),
    edit("denoise_zeroes", "`denoise` calls `backward` and sets the `.grad` of the parameters to 0 afterwards; what was there is lost",
         """
         y = y.detach().clone().requires_grad_()
         flow_log_prob(layers, y).sum().backward()
         for layer in layers:
             layer.zero_grad(set_to_none=False)
         return y.detach() + noise_std**2 * y.grad
         """),
    edit("denoise_flags_y", "`denoise` makes the caller's y require gradients; work with a copy",
         """
         y.requires_grad_()
         (slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y)
         return y.detach() + noise_std**2 * slope
         """),
    edit("denoise_in_place", "`denoise` writes its result into y",
         """
         leaf = y.detach().clone().requires_grad_()
         (slope,) = torch.autograd.grad(flow_log_prob(layers, leaf).sum(), leaf)
         return y.data.add_(noise_std**2 * slope)
         """),
)

mistakes.at(
    "(slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y)",
    edit("denoise_mean", "`denoise` differentiates the mean over the examples: each gradient is divided by their number",
         "(slope,) = torch.autograd.grad(flow_log_prob(layers, y).mean(), y)"),
    edit("denoise_density", "`denoise` differentiates the density; its logarithm is meant",
         "(slope,) = torch.autograd.grad(flow_log_prob(layers, y).exp().sum(), y)"),
    edit("denoise_first_only", "`denoise` uses the gradient of one example for all", "(slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y); slope = slope[:1].expand_as(y)"),
    edit("denoise_over_examples", "`denoise` averages the gradients over the examples; each example has its own",
         "(slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y); slope = slope.mean(0, keepdim=True)"),
    edit("denoise_normalised", "`denoise` normalises the gradient to length 1; its length counts",
         "(slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y); slope = slope / slope.norm(dim=1, keepdim=True)"),
    edit("denoise_sign_only", "`denoise` uses the sign of the gradient only", "(slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y); slope = slope.sign()"),
    edit("denoise_clipped", "`denoise` cuts the gradient off at 1; it is to be used as it is", "(slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y); slope = slope.clamp(-1, 1)"),
)

mistakes.at(
    """
    (slope,) = torch.autograd.grad(flow_log_prob(layers, y).sum(), y)
    """,
    edit("denoise_logdet_only", "`denoise` differentiates the log-determinants only; the log-density has the normal part as well",
         """
         z, total = y, 0 * y.sum(1)
         for layer in layers:
             z, logdet = layer(z)
             total = total + logdet
         (slope,) = torch.autograd.grad(total.sum(), y)
         """),
    edit("denoise_base_only", "`denoise` differentiates the normal density of z only; the log-determinants depend on y, too",
         """
         z = y
         for layer in layers:
             z, _ = layer(z)
         (slope,) = torch.autograd.grad(-0.5 * z.square().sum(), y)
         """),
    edit("denoise_latent", "`denoise` takes -z for the gradient; that is the gradient of the normal density in z, not in y",
         """
         z = y
         for layer in layers:
             z, _ = layer(z)
         slope = -z.detach()
         """),
)

mistakes.at(
    "return y.detach() + noise_std**2 * slope",
    edit("denoise_std", "`denoise` multiplies by the standard deviation; (9.2) has the variance", "return y.detach() + noise_std * slope"),
    edit("denoise_minus", "`denoise` walks down the density; (9.2) walks up", "return y.detach() - noise_std**2 * slope"),
    edit("denoise_root", "`denoise` multiplies by the root of the standard deviation; (9.2) has its square", "return y.detach() + noise_std**0.5 * slope"),
    edit("denoise_exponential", "`denoise` takes the noise's standard deviation for its logarithm", "return y.detach() + math.exp(2 * noise_std) * slope"),
    edit("denoise_shrinks", "`denoise` divides its result by 1 + σ²; (9.2) has no such factor", "return (y.detach() + noise_std**2 * slope) / (1 + noise_std**2)"),
    edit("denoise_half", "`denoise` has a factor ½ at the gradient, which (9.2) has not", "return y.detach() + 0.5 * noise_std**2 * slope"),
    edit("denoise_full_step", "`denoise` adds the gradient without the variance of the noise", "return y.detach() + slope"),
    edit("denoise_change_only", "`denoise` returns the change; it is to be added to y", "return noise_std**2 * slope"),
    edit("denoise_graph", "`denoise` returns a tensor that requires gradients; it is to come without a graph", "return y + noise_std**2 * slope"),
    edit("denoise_clamped", "`denoise` cuts its result to [0, 1]; data of any range are meant", "return (y.detach() + noise_std**2 * slope).clamp(0, 1)"),
    edit("denoise_noise_again", "`denoise` adds fresh noise to its result; (9.2) is a mean", "return y.detach() + noise_std**2 * slope + noise_std * torch.randn_like(y)"),
    edit("denoise_divides", "`denoise` divides by the variance; (9.2) multiplies by it", "return y.detach() + slope / max(noise_std, 1e-6) ** 2"),
    edit("denoise_per_dimension", "`denoise` divides the gradient by the number of dimensions", "return y.detach() + noise_std**2 * slope / y.shape[1]"),
    edit("denoise_prior", "`denoise` shrinks y as if the data were standard normal; the flow's density says where data are", "return y.detach() / (1 + noise_std**2) + 0 * slope"),
    edit("denoise_pair", "`denoise` returns two things; the denoised y alone is asked for", "return y.detach() + noise_std**2 * slope, slope"),
    edit("denoise_score", "`denoise` returns the gradient alone", "return slope"),
    edit("denoise_squeezed", "`denoise` squeezes its result: with one example an axis is lost", "return (y.detach() + noise_std**2 * slope).squeeze()"),
    edit("denoise_rounds", "`denoise` gives float32 when y is float64", "return (y.detach() + noise_std**2 * slope).float()"),
)
