"""Named wrong versions of the answers to question 6."""

import math

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- sampling_times ------------------------------------------------------------------------------------------------

mistakes.at(
    "return torch.linspace(T, 0, steps + 1, dtype=torch.float64).round().long()",
    edit("never_reaches_T", "The times never reach T: a walk that starts with pure noise would tell the network that some of it is picture",
         "return torch.cat([torch.arange(0, T, max(1, T // steps)).flip(0)[-steps:], torch.zeros(1, dtype=torch.int64)])"),
    edit("arange_without_T", "The times come from `arange`, which leaves T out (and whose steps are rounded down); the first time is T",
         "return torch.arange(0, T, T // steps).flip(0)"),
    edit("steps_of_arange", "The steps have the length T // steps, which does not divide T, so that there are too many times; they are as even as rounding allows",
         "return torch.cat([torch.tensor([T]), torch.arange(0, T, T // steps).flip(0)])"),
    edit("T_minus_one_to_one", "The times run from T - 1 to 1, with a 0 behind them; they run evenly from T to 0",
         "return torch.cat([torch.linspace(T - 1, 1, steps).round().long(), torch.zeros(1, dtype=torch.int64)])"),
    edit("T_to_one", "The times run from T to 1 and there is no 0; they run from T to 0", "return torch.linspace(T, 1, steps).round().long()"),
    edit("starts_below_T", "The first time is T - 1; a walk that starts with pure noise starts at t = T",
         "return torch.linspace(T - 1, 0, steps + 1, dtype=torch.float64).round().long()"),
    edit("ends_at_one", "The last time is 1; the walk has to reach t = 0, the data", "return torch.linspace(T, 1, steps + 1, dtype=torch.float64).round().long()"),
    edit("ascending", "The times rise; a sampler walks from T down to 0", "return torch.linspace(0, T, steps + 1, dtype=torch.float64).round().long()"),
    edit("one_too_few", "There are as many times as steps; between n times lie n - 1 steps", "return torch.linspace(T, 0, max(2, steps), dtype=torch.float64).round().long()"),
    edit("one_too_many", "There is one time too many", "return torch.linspace(T, 0, steps + 2, dtype=torch.float64).round().long()"),
    edit("cut_not_rounded", "The times are cut to whole numbers; they are to be rounded", "return torch.linspace(T, 0, steps + 1, dtype=torch.float64).long()"),
    edit("rounded_up", "The times are rounded up; they are to be rounded to the nearest whole number", "return torch.linspace(T, 0, steps + 1, dtype=torch.float64).ceil().long()"),
    edit("equal_steps_down", "All steps have the length T // steps, so the last one is longer; steps are as even as rounding allows",
         "return torch.cat([T - (T // steps) * torch.arange(steps), torch.zeros(1, dtype=torch.int64)])"),
    edit("equal_steps_up", "All steps but the first have the length T // steps; steps are as even as rounding allows",
         "return torch.cat([torch.tensor([T]), (T // steps) * torch.arange(steps - 1, -1, -1)])"),
    edit("logarithmic", "The times are spaced by a constant factor; even spacing is asked for",
         "return torch.cat([torch.logspace(math.log10(T), 0, steps, dtype=torch.float64).round().long(), torch.zeros(1, dtype=torch.int64)])"),
    edit("starts_above_T", "The first time is T + 1; alpha_bar ends at T", "return torch.linspace(T + 1, 0, steps + 1, dtype=torch.float64).round().long()"),
    edit("quadratic", "The times are spaced by squares; even spacing is asked for", "return (T * torch.linspace(1, 0, steps + 1, dtype=torch.float64) ** 2).round().long()"),
    edit("floats", "The times are floats; whole numbers (int64) are needed to look up alpha_bar", "return torch.linspace(T, 0, steps + 1).round()"),
    edit("not_rounded", "The times are not whole numbers", "return torch.linspace(T, 0, steps + 1)"),
    edit("int32", "The times are int32; int64 is asked for", "return torch.linspace(T, 0, steps + 1, dtype=torch.float64).round().int()"),
    edit("list_of_times", "A list is returned; a tensor is asked for", "return torch.linspace(T, 0, steps + 1, dtype=torch.float64).round().long().tolist()"),
    edit("zero_left_out", "The time 0 is left out; the walk has to reach the data", "return torch.linspace(T, 0, steps + 1, dtype=torch.float64).round().long()[:-1]"),
    edit("T_left_out", "The time T is left out; the walk starts at t = T", "return torch.linspace(T, 0, steps + 1, dtype=torch.float64).round().long()[1:]"),
    edit("fixed_T", "T is 1000, whatever is asked for", "return torch.linspace(1000, 0, steps + 1, dtype=torch.float64).round().long()"),
    edit("every_time", "All times are returned, whatever the number of steps", "return torch.arange(T, -1, -1)"),
)

# --- ddim_step -----------------------------------------------------------------------------------------------------

mistakes.at(
    "now, then = alpha_bar[t], alpha_bar[s]",
    edit("times_exchanged", "The levels of t and s are exchanged", "now, then = alpha_bar[s], alpha_bar[t]"),
    edit("always_next", "The step goes to t - 1, whatever s is", "now, then = alpha_bar[t], alpha_bar[t - 1]"),
    edit("level_before", "The levels are read one place too early; alpha_bar[t] needs no shift, since alpha_bar[0] is 1", "now, then = alpha_bar[t - 1], alpha_bar[max(int(s) - 1, 0)]"),
    edit("level_after", "The levels are read one place too late; alpha_bar[t] needs no shift", "now, then = alpha_bar[min(int(t) + 1, len(alpha_bar) - 1)], alpha_bar[s + 1]"),
    edit("not_at_zero", "A step to t = 0 uses the level of t = 1; alpha_bar[0] is 1", "now, then = alpha_bar[t], alpha_bar[max(int(s), 1)]"),
    edit("roots_as_levels", "The roots of the levels are taken for the levels", "now, then = alpha_bar[t].sqrt(), alpha_bar[s].sqrt()"),
    edit("two_axes", "The levels get two axes, so that the result has two where x has one; t and s are single times",
         "now, then = alpha_bar[t].reshape(-1, 1), alpha_bar[s].reshape(-1, 1)"),
    edit("single_alphas", "alpha of one step (a ratio of neighbours) is used in place of alpha_bar",
         "now, then = alpha_bar[t] / alpha_bar[t - 1], alpha_bar[s] / alpha_bar[max(int(s) - 1, 0)]"),
)

mistakes.at(
    "x0 = (x - (1 - now).sqrt() * eps) / now.sqrt()",
    edit("variance_for_deviation", "The guess of the picture takes 1 - ᾱ in place of its root", "x0 = (x - (1 - now) * eps) / now.sqrt()"),
    edit("level_for_root", "The guess of the picture divides by ᾱ in place of its root", "x0 = (x - (1 - now).sqrt() * eps) / now"),
    edit("not_divided", "The guess of the picture is not divided by √ᾱ", "x0 = x - (1 - now).sqrt() * eps"),
    edit("noise_added", "The noise is added in the guess of the picture; it has to be subtracted", "x0 = (x + (1 - now).sqrt() * eps) / now.sqrt()"),
    edit("eps_unscaled", "The noise is subtracted without its factor √(1-ᾱ)", "x0 = (x - eps) / now.sqrt()"),
    edit("eps_is_picture", "eps is taken for the picture", "x0 = eps"),
    edit("detached_guess", "The guess of the picture is cut off from autograd", "x0 = ((x - (1 - now).sqrt() * eps) / now.sqrt()).detach()"),
    edit("always_clipped", "The guess is cut off at ±1, whether asked or not", "x0 = (x - (1 - now).sqrt() * eps) / now.sqrt()\n    clip = 1.0 if clip is None else clip"),
    edit("small_added", "A small constant is added in the denominator", "x0 = (x - (1 - now).sqrt() * eps) / (now.sqrt() + 1e-3)"),
    edit("small_added_less", "A small constant is added in the denominator", "x0 = (x - (1 - now).sqrt() * eps) / (now.sqrt() + 1e-5)"),
)

mistakes.at(
    """
    x0 = x0.clamp(-clip, clip)
    eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
    """,
    edit("old_noise", "After the guess is cut off, the old noise is used; the noise is what remains of x", "x0 = x0.clamp(-clip, clip)"),
    edit("x_clipped", "x is cut off in place of the guess of the picture", """
         x = x.clamp(-clip, clip)
         x0 = (x - (1 - now).sqrt() * eps) / now.sqrt()
         """),
    edit("clip_one_side", "The guess is cut off above only", """
         x0 = x0.clamp(max=clip)
         eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
         """),
    edit("remainder_with_eta_only", "Without new noise (eta 0) the old noise is used after the guess is cut off; the noise is what remains of x", """
         x0 = x0.clamp(-clip, clip)
         eps = (x - now.sqrt() * x0) / (1 - now).sqrt() if eta > 0 else eps
         """),
    edit("clip_at_most_one", "The guess is cut off at ±1 also where clip is larger", """
         x0 = x0.clamp(-min(clip, 1), min(clip, 1))
         eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
         """),
    edit("clip_below_only", "The guess is cut off below only", """
         x0 = x0.clamp(min=-clip)
         eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
         """),
    edit("clip_of_size", "The size of the guess is kept below clip, but its sign is lost", """
         x0 = x0.abs().clamp(max=clip)
         eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
         """),
    edit("remainder_not_divided", "What remains of x after the cut, x - √ᾱ x̂₀, is not divided by √(1-ᾱ)", """
         x0 = x0.clamp(-clip, clip)
         eps = x - now.sqrt() * x0
         """),
    edit("clipped_without_slope", "The cut is hidden from autograd (a straight-through estimate): a guess that is cut off has the slope 0", """
         x0 = x0 + (x0.clamp(-clip, clip) - x0).detach()
         eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
         """),
    edit("result_for_guess", "The result is cut off in place of the guess of the picture", "pass",
         ("return then.sqrt() * x0 + kept * eps + sigma * noise", "x = then.sqrt() * x0 + kept * eps + sigma * noise; return x if clip is None else x.clamp(-clip, clip)")),
    edit("clip_to_one", "The guess is cut off at ±1, whatever clip says", """
         x0 = x0.clamp(-1, 1)
         eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
         """),
    edit("clip_from_zero", "The guess is cut off at 0 and clip; the range is -clip to clip", """
         x0 = x0.clamp(0, clip)
         eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
         """),
    edit("eps_clipped", "The noise is cut off, too", """
         x0 = x0.clamp(-clip, clip)
         eps = ((x - now.sqrt() * x0) / (1 - now).sqrt()).clamp(-clip, clip)
         """),
    edit("squashed", "The guess passes through tanh; it is to be cut off", """
         x0 = clip * torch.tanh(x0 / clip)
         eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
         """),
    edit("scaled_down", "The guess is divided by its largest size; it is to be cut off", """
         x0 = x0 * clip / x0.abs().max().clamp(min=clip)
         eps = (x - now.sqrt() * x0) / (1 - now).sqrt()
         """),
    edit("noise_of_variance", "After the cut the noise is divided by 1 - ᾱ in place of its root", """
         x0 = x0.clamp(-clip, clip)
         eps = (x - now.sqrt() * x0) / (1 - now)
         """),
    edit("noise_of_s", "After the cut the noise is found with the level of s; x belongs to t", """
         x0 = x0.clamp(-clip, clip)
         eps = (x - then.sqrt() * x0) / (1 - then).sqrt().clamp(min=1e-3)
         """),
    edit("clip_ignored", "clip is ignored", "pass"),
)

mistakes.at(
    "sigma = eta * ((1 - then) / (1 - now) * (1 - now / then)).sqrt()",
    edit("large_variance", "The new noise has the variance 1 - ᾱ_t/ᾱ_s (that of a step forward); the posterior's is smaller", "sigma = eta * (1 - now / then).sqrt()"),
    edit("variance_not_rooted", "σ is taken without the root: that is the variance", "sigma = eta * ((1 - then) / (1 - now) * (1 - now / then))"),
    edit("eta_under_root", "eta stands under the root", "sigma = (eta * (1 - then) / (1 - now) * (1 - now / then)).sqrt()"),
    edit("eta_squared", "eta is squared: it multiplies σ, not the variance", "sigma = eta**2 * ((1 - then) / (1 - now) * (1 - now / then)).sqrt()"),
    edit("ratio_upside_down", "The factor (1-ᾱ_s)/(1-ᾱ_t) is upside down", "sigma = eta * ((1 - now) / (1 - then).clamp(min=1e-3) * (1 - now / then)).sqrt()"),
    edit("difference", "σ² is made of the difference of the levels; it needs their ratio", "sigma = eta * ((1 - then) / (1 - now) * (then - now)).sqrt()"),
    edit("all_new", "All noise is new: σ² is 1 - ᾱ_s", "sigma = eta * (1 - then).sqrt()"),
    edit("sigma_epsilon", "A small constant is added under a root; the noise is then too large, most of all at t = 0",
         "sigma = eta * ((1 - then) / (1 - now) * (1 - now / then) + 1e-8).sqrt()"),
    edit("silent_at_one", "There is no new noise in steps to t = 1 and 0; (6.1) gives the right amount by itself", "sigma = eta * ((1 - then) / (1 - now) * (1 - now / then)).sqrt(); noise = noise * float(s > 1)"),
    edit("neighbour_sigma", "σ is that of one step from t to t - 1, whatever s is",
         "sigma = eta * ((1 - alpha_bar[t - 1]) / (1 - now) * (1 - now / alpha_bar[t - 1])).sqrt()"),
    edit("neighbour_ratio", "The factor 1 - ᾱ_t/ᾱ_s has ᾱ of t - 1, whatever s is", "sigma = eta * ((1 - then) / (1 - now) * (1 - now / alpha_bar[t - 1])).sqrt()"),
    edit("beta_of_one_step", "σ² is the β of one step from t - 1 to t, whatever s is; (6.1) has another", "sigma = eta * (1 - now / alpha_bar[t - 1]).sqrt()"),
    edit("eta_ignored", "eta is ignored: the step is always DDPM's", "sigma = ((1 - then) / (1 - now) * (1 - now / then)).sqrt()"),
    edit("eta_switch", "Every eta above 0 is treated like 1", "sigma = float(eta > 0) * ((1 - then) / (1 - now) * (1 - now / then)).sqrt()"),
    edit("never_noise", "The step is always DDIM's; eta is ignored", "sigma = 0 * now"),
    edit("without_last_factor", "The factor 1 - ᾱ_t/ᾱ_s is missing", "sigma = eta * ((1 - then) / (1 - now)).sqrt()"),
    edit("noise_at_zero", "There is new noise in the step to t = 0, where none is left", "sigma = eta * ((1 - then).clamp(min=0.01) / (1 - now) * (1 - now / then)).sqrt()"),
)

mistakes.at(
    "kept = (1 - then - sigma**2).clamp(min=0).sqrt()",
    edit("nothing_kept_less", "The old noise is not reduced when new noise is added: together they are too much", "kept = (1 - then).sqrt()"),
    edit("sigma_not_squared", "σ is subtracted in place of σ²", "kept = (1 - then - sigma).clamp(min=0).sqrt()"),
    edit("sigma_added", "σ² is added to the old noise; it has to be subtracted", "kept = (1 - then + sigma**2).clamp(min=0).sqrt()"),
    edit("kept_not_rooted", "The old noise has its variance for a factor; the root is missing", "kept = (1 - then - sigma**2).clamp(min=0)"),
    edit("kept_of_t", "The old noise has the size of time t; that of s is needed", "kept = (1 - now - sigma**2).clamp(min=0).sqrt()"),
    edit("deviations_subtracted", "Standard deviations are subtracted; variances have to be", "kept = (1 - then).sqrt() - sigma"),
    edit("kept_epsilon", "The size of the old noise is kept above a small number; at t = 0 no noise is left", "kept = (1 - then - sigma**2).clamp(min=1e-8).sqrt()"),
    edit("posterior_mean", "The mean is DDPM's for every eta, and only the new noise is scaled: with eta below 1 too little noise is left",
         "kept = (1 - then - sigma**2).clamp(min=0).sqrt() if eta == 1 else (1 - then - (1 - then) / (1 - now) * (1 - now / then)).clamp(min=0).sqrt()"),
    edit("forgets_noise", "The old noise is forgotten", "kept = 0 * then"),
    edit("eta_splits", "The old noise has the factor √(1-η²) of the whole; σ² from (6.1) has to be subtracted", "kept = ((1 - then) * (1 - eta**2)).sqrt()"),
)

mistakes.at(
    "return then.sqrt() * x0 + kept * eps + sigma * noise",
    edit("picture_unscaled", "The guess of the picture is not multiplied by √ᾱ_s", "return x0 + kept * eps + sigma * noise"),
    edit("picture_level", "The guess of the picture is multiplied by ᾱ_s in place of its root", "return then * x0 + kept * eps + sigma * noise"),
    edit("picture_of_t", "The guess of the picture has the factor of time t; that of s is needed", "return now.sqrt() * x0 + kept * eps + sigma * noise"),
    edit("noise_subtracted", "The new noise has the wrong sign: noise[i] is to be added", "return then.sqrt() * x0 + kept * eps - sigma * noise"),
    edit("noise_of_its_own", "New noise is drawn inside; it is given", "return then.sqrt() * x0 + kept * eps + sigma * torch.randn(x.shape, dtype=x.dtype, device=x.device)"),
    edit("noise_left_out", "The new noise is left out", "return then.sqrt() * x0 + kept * eps"),
    edit("x_kept", "x is kept in place of the noise that was found in it", "return then.sqrt() * x0 + kept * x + sigma * noise"),
    edit("new_for_old", "The new noise stands also where the old one, eps, belongs", "return then.sqrt() * x0 + kept * noise + sigma * noise"),
    edit("exchanged_noises", "Old and new noise are exchanged", "return then.sqrt() * x0 + kept * noise + sigma * eps"),
    edit("eps_subtracted", "The old noise is subtracted; it is still there at time s", "return then.sqrt() * x0 - kept * eps + sigma * noise"),
    edit("picture_at_end", "x₀ itself is returned, whatever s is", "return x0"),
    edit("first_noise_for_all", "All examples get the first one's noise", "return then.sqrt() * x0 + kept * eps + sigma * noise[:1]"),
    edit("in_float32", "The result is rounded to float32", "return (then.sqrt() * x0 + kept * eps + sigma * noise).float()"),
    edit("result_clipped", "The result is cut off; only the guess of the picture is", "out = then.sqrt() * x0 + kept * eps + sigma * noise; return out if clip is None else out.clamp(-clip, clip)"),
    edit("step_detached", "The result is cut off from autograd (`no_grad` or `.detach()`)", "return (then.sqrt() * x0 + kept * eps + sigma * noise).detach()"),
    edit("noise_twice", "The new noise is multiplied by σ twice", "return then.sqrt() * x0 + kept * eps + sigma**2 * noise"),
)

# --- sample --------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    with torch.no_grad():
        for t, s, z in zip(times[:-1], times[1:], noise):
            x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, z)
    """,
    edit("sample_graph", "The graph of all evaluations is kept; no graph is needed",
         """
         for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
             x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i])
         """),
    edit("detached_only", "The graph is cut only where x is handed on, so each evaluation still builds one (`torch.no_grad` is missing)",
         """
         for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
             x = step(x.detach(), model(x.detach(), t.expand(len(x))).detach(), t, s, alpha_bar, noise[i]).detach()
         """),
    edit("gradients_stay_off", "Gradients are switched off for good (`torch.set_grad_enabled(False)`)",
         """
         torch.set_grad_enabled(False)
         for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
             x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i])
         """),
    edit("index_as_time", "The model is told the place in the list of times; it needs the time itself",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, torch.full((len(x),), len(times) - 1 - i, device=x.device)), t, s, alpha_bar, noise[i])
         """),
    edit("asked_at_s", "The model is asked about the time s to which the step goes; x is still at t",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, s.expand(len(x))), t, s, alpha_bar, noise[i])
         """),
    edit("asked_before", "The model is asked about t - 1; t needs no shift",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x)) - 1), t, s, alpha_bar, noise[i])
         """),
    edit("time_as_number", "The model is given one time without an axis; it needs one for each example",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t), t, s, alpha_bar, noise[i])
         """),
    edit("time_as_share", "The model is given a time that is no whole number of type int64, such as t / T",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x)) / times[0]), t, s, alpha_bar, noise[i])
         """),
    edit("evaluated_once", "The model is evaluated once and its answer used in all steps",
         """
         with torch.no_grad():
             eps = model(x, times[0].expand(len(x)))
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, eps, t, s, alpha_bar, noise[i])
         """),
    edit("asked_about_x_T", "The model is always shown x_T; it has to see the x of now",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x_T, t.expand(len(x))), t, s, alpha_bar, noise[i])
         """),
    edit("last_step_left_out", "The last step is left out",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-2], times[1:-1])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i])
         """),
    edit("first_step_left_out", "The first step is left out",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[1:-1], times[2:]), start=1):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i])
         """),
    edit("noise_backwards", "The noises are used backwards; step i takes noise[i]",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[-1 - i])
         """),
    edit("walks_up", "The times are walked from the last to the first; the walk starts at times[0]",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times.flip(0)[:-1], times.flip(0)[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i])
         """),
    edit("eps_of_step_before", "Each step but the first takes the eps of the step before",
         """
         before = None
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 eps = model(x, t.expand(len(x)))
                 x = step(x, eps if before is None else before, t, s, alpha_bar, noise[i])
                 before = eps
         """),
    edit("noise_shifted", "Step i takes noise[i - 1]; it takes noise[i]",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i - 1])
         """),
    edit("first_eps_for_all", "The model is asked about the first example only, and its answer used for all",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x[:1], t.expand(1)).expand(x.shape), t, s, alpha_bar, noise[i])
         """),
    edit("start_normalised", "The start is given mean 0 and standard deviation 1; it is x_T as it is",
         """
         x = (x - x.mean()) / x.std()
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i])
         """),
    edit("same_noise", "Every step takes the same noise",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[0])
         """),
    edit("no_noise_last", "The last step gets no noise; the step itself knows how much it needs",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i] if s > 0 else 0 * noise[i])
         """),
    edit("fresh_noise", "Noise is drawn inside; it is given",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, torch.randn(noise[i].shape, dtype=x.dtype, device=x.device))
         """),
    edit("one_at_a_time", "Every step goes down by one, whatever the times are",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, t - 1, alpha_bar, noise[i])
         """),
    edit("times_in_wrong_order", "t and s are exchanged in the call of the step",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), s, t, alpha_bar, noise[i])
         """),
    edit("x_clamped", "x is cut off after each step; only guesses of the picture may be",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i]).clamp(-1, 1)
         """),
    edit("result_clamped", "The result is cut off at ±1; only guesses of the picture may be",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i])
         x = x.clamp(-1, 1)
         """),
    edit("asked_once_more", "The model is asked once more after the last step",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i])
             model(x, times[-1].expand(len(x)))
         """),
    edit("one_step_on", "After the last of the times there is one more step, to 0; the walk ends at the last of the times",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i])
             if s > 0: x = step(x, model(x, s.expand(len(x))), s, torch.zeros_like(s), alpha_bar, 0 * noise[0])
         """),
    edit("last_to_zero", "The last step goes to 0, whatever the last of the times is",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x, model(x, t.expand(len(x))), t, s if i < len(times) - 2 else torch.zeros_like(s), alpha_bar, noise[i])
         """),
    edit("only_model_without_graph", "Only the model is evaluated without a graph; the steps build one",
         """
         for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
             with torch.no_grad():
                 eps = model(x, t.expand(len(x)))
             x = step(x, eps, t, s, alpha_bar, noise[i])
         """),
    edit("gradients_come_on", "Gradients are switched on at the end (`torch.set_grad_enabled(True)`), also where they were off before the call",
         """
         torch.set_grad_enabled(False)
         for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
             x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, noise[i])
         torch.set_grad_enabled(True)
         """),
    edit("own_ddim", "`ddim_step` with eta 0 is called in place of the step that is given",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = ddim_step(x, model(x, t.expand(len(x))), t, s, alpha_bar, 0.0, noise[i])
         """),
    edit("path_returned", "All states are returned; the last is asked for",
         """
         path = [x]
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 path.append(step(path[-1], model(path[-1], t.expand(len(x))), t, s, alpha_bar, noise[i]))
         x = torch.stack(path)
         """),
    edit("in_place", "The loop forgets to hand x on: every step starts from x_T",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = step(x_T, model(x_T, t.expand(len(x))), t, s, alpha_bar, noise[i])
         """),
    edit("own_step", "`ddim_step` is called in place of the step that is given",
         """
         with torch.no_grad():
             for i, (t, s) in enumerate(zip(times[:-1], times[1:])):
                 x = ddim_step(x, model(x, t.expand(len(x))), t, s, alpha_bar, 1.0, noise[i])
         """),
)

# --- dpm_solver_2m -------------------------------------------------------------------------------------------------

mistakes.at(
    "lam = 0.5 * (alpha_bar.log() - (1 - alpha_bar).log())",
    edit("log_snr", "λ lacks its factor ½: it is the logarithm of √(ᾱ/(1-ᾱ))", "lam = alpha_bar.log() - (1 - alpha_bar).log()"),
    edit("lam_of_level", "λ is taken as ½ log ᾱ; the noise belongs to it, too", "lam = 0.5 * alpha_bar.log()"),
    edit("lam_sign", "λ has the wrong sign: it grows on the way to data", "lam = 0.5 * ((1 - alpha_bar).log() - alpha_bar.log())"),
    edit("lam_is_time", "The line is laid over the time t in place of λ", "lam = 0.5 * (alpha_bar.log() - (1 - alpha_bar).log()); clock = torch.arange(len(alpha_bar), device=alpha_bar.device).to(alpha_bar)",
         ("middle = x0 if old is None or s == 0 else x0 + h / (2 * length) * (x0 - old)", "middle = x0 if old is None or s == 0 else x0 + (clock[t] - clock[s]) / (2 * (before - clock[t])) * (x0 - old)\n            before = clock[t]")),
    edit("lam_of_deviation", "λ is taken as -½ log(1-ᾱ); the picture's share belongs to it, too", "lam = -0.5 * (1 - alpha_bar).log()"),
    edit("base_ten", "λ is a logarithm of base 10", "lam = 0.5 * (alpha_bar.log10() - (1 - alpha_bar).log10())"),
    edit("lam_floor", "1 - ᾱ is kept above 0.001 in λ, so that the step to t = 0 keeps some noise; λ is infinite there", "lam = 0.5 * (alpha_bar.log() - (1 - alpha_bar).clamp(min=1e-3).log())"),
    edit("lam_epsilon", "A small constant in λ keeps it finite at t = 0, so that the last step keeps some noise", "lam = 0.5 * (alpha_bar.log() - (1 - alpha_bar).clamp(min=1e-5).log())"),
    edit("lam_capped", "λ is cut off; it may have any size, and is infinite at t = 0", "lam = (0.5 * (alpha_bar.log() - (1 - alpha_bar).log())).clamp(-1.5, 1.5)"),
)

mistakes.at(
    "x0 = (x - (1 - alpha_bar[t]).sqrt() * model(x, t.expand(len(x)))) / alpha_bar[t].sqrt()",
    edit("eps_integrated", "The noise is put where (6.3) has the picture", "x0 = model(x, t.expand(len(x)))"),
    edit("solver_asked_at_s", "The model is asked about the time s; x is still at t", "x0 = (x - (1 - alpha_bar[t]).sqrt() * model(x, s.expand(len(x)))) / alpha_bar[t].sqrt()"),
    edit("solver_float_times", "The model is given times that are no whole numbers of type int64", "x0 = (x - (1 - alpha_bar[t]).sqrt() * model(x, t.float().expand(len(x)))) / alpha_bar[t].sqrt()"),
    edit("solver_time_as_number", "The model is given one time without an axis; it needs one for each example", "x0 = (x - (1 - alpha_bar[t]).sqrt() * model(x, t)) / alpha_bar[t].sqrt()"),
    edit("solver_not_divided", "The guess of the picture is not divided by √ᾱ", "x0 = x - (1 - alpha_bar[t]).sqrt() * model(x, t.expand(len(x)))"),
    edit("solver_no_root", "The guess of the picture takes 1 - ᾱ in place of its root", "x0 = (x - (1 - alpha_bar[t]) * model(x, t.expand(len(x)))) / alpha_bar[t].sqrt()"),
    edit("solver_level_of_s", "The guess of the picture takes the level of s; x is still at t", "x0 = (x - (1 - alpha_bar[s]).sqrt() * model(x, t.expand(len(x)))) / alpha_bar[s].sqrt()"),
    edit("solver_index", "The model is told the place in the list of times; it needs the time itself",
         "x0 = (x - (1 - alpha_bar[t]).sqrt() * model(x, torch.full((len(x),), int((times == t).nonzero()[0]), device=x.device))) / alpha_bar[t].sqrt()"),
    edit("two_evaluations", "The model is evaluated twice a step; the old guess is to be kept",
         "x0 = (x - (1 - alpha_bar[t]).sqrt() * 0.5 * (model(x, t.expand(len(x))) + model(x, t.expand(len(x))))) / alpha_bar[t].sqrt()"),
)

mistakes.at(
    "x0 = x0 if clip is None else x0.clamp(-clip, clip)",
    edit("solver_clip_ignored", "clip is ignored", "x0 = x0"),
    edit("middle_clipped", "The extrapolated guess is cut off; the guesses themselves are, before the line is laid", "x0 = x0",
         ("x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x", "middle = middle if clip is None else middle.clamp(-clip, clip)\n            x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x")),
    edit("both_clipped", "The extrapolated guess is cut off, too; only the guesses themselves are", "x0 = x0 if clip is None else x0.clamp(-clip, clip)",
         ("x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x", "middle = middle if clip is None else middle.clamp(-clip, clip)\n            x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x")),
    edit("solver_clip_one", "The guess is cut off at ±1, whatever clip says", "x0 = x0 if clip is None else x0.clamp(-1, 1)"),
    edit("solver_always_clips", "The guess is cut off at ±1, whether asked or not", "x0 = x0.clamp(-(clip or 1.0), clip or 1.0)"),
    edit("kept_unclipped", "The old guess is kept before it is cut off; each guess is cut off before it is used or kept", "raw, x0 = x0, x0 if clip is None else x0.clamp(-clip, clip)",
         ("old, length = x0, h", "old, length = raw, h")),
    edit("only_old_clipped", "Only the old guess is cut off; each guess is, before it is used", "x0 = x0", ("old, length = x0, h", "old, length = (x0 if clip is None else x0.clamp(-clip, clip)), h")),
    edit("solver_eps_clipped", "The noise is cut off, too; only the guess of the picture is",
         "x0 = x0 if clip is None else ((x - (1 - alpha_bar[t]).sqrt() * model(x, t.expand(len(x))).clamp(-clip, clip)) / alpha_bar[t].sqrt()).clamp(-clip, clip)"),
    edit("solver_x_clipped_first", "x is cut off in place of the guess of the picture",
         "x0 = x0 if clip is None else (x.clamp(-clip, clip) - (1 - alpha_bar[t]).sqrt() * model(x, t.expand(len(x)))) / alpha_bar[t].sqrt()"),
    edit("solver_clips_below", "The guess is cut off below only", "x0 = x0 if clip is None else x0.clamp(min=-clip)"),
    edit("solver_clips_above", "The guess is cut off above only", "x0 = x0 if clip is None else x0.clamp(max=clip)"),
)

mistakes.at(
    "middle = x0 if old is None or s == 0 else x0 + h / (2 * length) * (x0 - old)",
    edit("first_order", "The solver never looks back: that is DDIM", "middle = x0"),
    edit("ratio_inverted", "The ratio of the step lengths is upside down: the new step stands above", "middle = x0 if old is None or s == 0 else x0 + length / (2 * h) * (x0 - old)"),
    edit("equal_lengths", "All steps are taken as equally long; they differ in λ", "middle = x0 if old is None or s == 0 else x0 + 0.5 * (x0 - old)"),
    edit("share_of_both", "The line is followed by the share h/(h + h') of the change; the middle of the new step is h/2 ahead, and the guesses lie h' apart",
         "middle = x0 if old is None or s == 0 else x0 + h / (h + length) * (x0 - old)"),
    edit("end_not_middle", "The line is followed to the end of the new step; its middle is asked for", "middle = x0 if old is None or s == 0 else x0 + h / length * (x0 - old)"),
    edit("quarter", "The line is followed for a quarter of the new step only", "middle = x0 if old is None or s == 0 else x0 + h / (4 * length) * (x0 - old)"),
    edit("backwards", "The line is followed backwards, towards the old guess", "middle = x0 if old is None or s == 0 else x0 - h / (2 * length) * (x0 - old)"),
    edit("averaged", "Old and new guess are averaged; the line has to be followed beyond the new one", "middle = x0 if old is None or s == 0 else 0.5 * (x0 + old)"),
    edit("starts_at_old", "The line starts at the old guess in place of the new one", "middle = x0 if old is None or s == 0 else old + h / (2 * length) * (x0 - old)"),
    edit("looks_back_at_end", "The step to t = 0 looks back, where the length in λ is infinite", "middle = x0 if old is None else x0 + (h / (2 * length)).clamp(max=50) * (x0 - old)"),
    edit("infinite_at_end", "The step to t = 0 looks back, where the length in λ is infinite: the result is not finite", "middle = x0 if old is None else x0 + h / (2 * length) * (x0 - old)"),
    edit("capped_at_end", "λ is cut off near t = 0, and the step to 0 looks back; it holds the guess constant",
         "middle = x0 if old is None else x0 + h / (2 * length) * (x0 - old)", ("- (1 - alpha_bar).log())", "- (1 - alpha_bar).clamp(min=1e-4).log())")),
    edit("equal_at_end", "The step to t = 0 looks back as if it were as long as the one before; it holds the guess constant", "middle = x0 if old is None else x0 + (h / (2 * length) if s > 0 else 0.5) * (x0 - old)"),
    edit("first_step_too", "The first step looks back at a guess of 0", "old = 0 * x0 if old is None else old; length = h if length is None else length; middle = x0 if s == 0 else x0 + h / (2 * length) * (x0 - old)"),
    edit("last_always_first_order", "The last step holds the guess constant also where it does not lead to t = 0", "middle = x0 if old is None or s == times[-1] else x0 + h / (2 * length) * (x0 - old)"),
    edit("second_step_too", "The second step holds the guess constant, too; only the first does", "middle = x0 if old is None or s == 0 or t == times[1] else x0 + h / (2 * length) * (x0 - old)"),
)

mistakes.at(
    "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - alpha_bar[s].sqrt() * torch.expm1(-h) * middle",
    edit("expm1_sign", "1 - exp(-h) has the wrong sign", "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x + alpha_bar[s].sqrt() * torch.expm1(-h) * middle"),
    edit("exp_plus", "exp(h) stands where exp(-h) belongs", "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - alpha_bar[s].sqrt() * torch.expm1(h.clamp(max=20)) * middle"),
    edit("exp_grows", "exp(h) - 1 stands where 1 - exp(-h) belongs; it overflows at t = 0", "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x + alpha_bar[s].sqrt() * torch.expm1(h) * middle"),
    edit("ratio_no_root", "The factor of x lacks its root", "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])) * x - alpha_bar[s].sqrt() * torch.expm1(-h) * middle"),
    edit("ratio_of_levels", "x is scaled by the ratio of √ᾱ; (6.3) has that of √(1-ᾱ)", "x = (alpha_bar[s] / alpha_bar[t]).sqrt() * x - alpha_bar[s].sqrt() * torch.expm1(-h) * middle"),
    edit("solver_root_missing", "The guess has the factor ᾱ_s in place of its root", "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - alpha_bar[s] * torch.expm1(-h) * middle"),
    edit("solver_level_of_t", "The guess has the factor √ᾱ of time t; that of s is needed", "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - alpha_bar[t].sqrt() * torch.expm1(-h) * middle"),
    edit("h_for_integral", "h stands in place of 1 - exp(-h): a step of Euler's", "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x + alpha_bar[s].sqrt() * h.clamp(max=20) * middle"),
    edit("sigma_of_s_for_guess", "The guess has the factor √(1-ᾱ_s); (6.3) has √ᾱ_s", "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - (1 - alpha_bar[s]).sqrt() * torch.expm1(-h) * middle"),
    edit("solver_x_clipped", "x is cut off after each step; only the guesses are", "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - alpha_bar[s].sqrt() * torch.expm1(-h) * middle\n            x = x if clip is None else x.clamp(-clip, clip)"),
    edit("line_integrated", "The line is put into the integral (6.2) and integrated with its weight e^λ; its value in the middle of the step is asked for, in (6.3)",
         "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - alpha_bar[s].sqrt() * torch.expm1(-h) * x0\n            x = x if old is None or s == 0 else x + alpha_bar[s].sqrt() * (h + torch.expm1(-h)) * (x0 - old) / length"),
    edit("solver_two_axes", "The levels get two axes, so that the result has two where x has one; t and s are single times",
         "x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt().reshape(-1, 1) * x - alpha_bar[s].sqrt() * torch.expm1(-h) * middle"),
    edit("solver_float32", "The state is rounded to float32", "x = (((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - alpha_bar[s].sqrt() * torch.expm1(-h) * middle).float()"),
)

mistakes.at(
    "old, length = x0, h",
    edit("middle_kept", "The extrapolated guess is kept for the next step; the guess itself has to be", "old, length = middle, h"),
    edit("first_guess_kept", "The first guess of all is kept for ever; the one of the step before is needed", "old, length = x0 if old is None else old, h"),
    edit("first_length_kept", "The length of the first step is kept for ever; the one of the step before is needed", "old, length = x0, h if length is None else length"),
    edit("state_kept", "x is kept in place of the guess of the picture", "old, length = x, h"),
    edit("total_length", "The lengths of all steps are added up; the one of the step before is needed", "old, length = x0, h if length is None else length + h"),
)


@mistakes.rewrite("The last guess of the picture is returned; x at the last of the times is asked for")
def guess_returned(ref):
    def dpm_solver_2m(model, x_T, times, alpha_bar, clip=None):
        x = ref.dpm_solver_2m(model, x_T, times[:-1], alpha_bar, clip)
        with torch.no_grad():
            t = times[-2]
            x0 = (x - (1 - alpha_bar[t]).sqrt() * model(x, t.expand(len(x)))) / alpha_bar[t].sqrt()
        return x0 if clip is None else x0.clamp(-clip, clip)

    return {"dpm_solver_2m": dpm_solver_2m}


@mistakes.rewrite("The graph of all evaluations is kept; no graph is needed")
def solver_graph(ref):
    def dpm_solver_2m(model, x_T, times, alpha_bar, clip=None):
        x, old, length = x_T, None, None
        lam = 0.5 * (alpha_bar.log() - (1 - alpha_bar).log())
        for t, s in torch.stack([times[:-1], times[1:]], dim=1):
            x0 = (x - (1 - alpha_bar[t]).sqrt() * model(x, t.expand(len(x)))) / alpha_bar[t].sqrt()
            x0 = x0 if clip is None else x0.clamp(-clip, clip)
            h = lam[s] - lam[t]
            middle = x0 if old is None or s == 0 else x0 + h / (2 * length) * (x0 - old)
            x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - alpha_bar[s].sqrt() * torch.expm1(-h) * middle
            old, length = x0, h
        return x

    return {"dpm_solver_2m": dpm_solver_2m}


@mistakes.rewrite("The old guess survives from one call to the next (a default argument or an attribute), so that a second walk starts with it")
def history_not_reset(ref):
    kept = {}

    def dpm_solver_2m(model, x_T, times, alpha_bar, clip=None):
        x, old, length = x_T, kept.get("old"), kept.get("length")
        if old is not None and old.shape != x.shape:
            old = None
        lam = 0.5 * (alpha_bar.log() - (1 - alpha_bar).log())
        with torch.no_grad():
            for t, s in torch.stack([times[:-1], times[1:]], dim=1):
                x0 = (x - (1 - alpha_bar[t]).sqrt() * model(x, t.expand(len(x)))) / alpha_bar[t].sqrt()
                x0 = x0 if clip is None else x0.clamp(-clip, clip)
                h = lam[s] - lam[t]
                middle = x0 if old is None or s == 0 else x0 + h / (2 * length) * (x0 - old)
                x = ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - alpha_bar[s].sqrt() * torch.expm1(-h) * middle
                if math.isfinite(float(h)):
                    kept.update(old=x0, length=h)
                old, length = x0, h
        return x

    return {"dpm_solver_2m": dpm_solver_2m}


@mistakes.rewrite("The model is evaluated at both ends of each step (Heun's way), twice as often; the line goes through the guesses of this step and of the one before")
def heun(ref):
    def dpm_solver_2m(model, x_T, times, alpha_bar, clip=None):
        lam = 0.5 * (alpha_bar.log() - (1 - alpha_bar).log())

        def guess(x, t):
            x0 = (x - (1 - alpha_bar[t]).sqrt() * model(x, t.expand(len(x)))) / alpha_bar[t].sqrt()
            return x0 if clip is None else x0.clamp(-clip, clip)

        def move(x, t, s, x0):
            return ((1 - alpha_bar[s]) / (1 - alpha_bar[t])).sqrt() * x - alpha_bar[s].sqrt() * torch.expm1(lam[t] - lam[s]) * x0

        x = x_T
        with torch.no_grad():
            for t, s in torch.stack([times[:-1], times[1:]], dim=1):
                first = guess(x, t)
                second = first if s == 0 else guess(move(x, t, s, first), s)
                x = move(x, t, s, (first + second) / 2)
        return x

    return {"dpm_solver_2m": dpm_solver_2m}


@mistakes.rewrite("The line is laid through the noises; (6.3) needs one through the guesses of the picture")
def line_through_noises(ref):
    def dpm_solver_2m(model, x_T, times, alpha_bar, clip=None):
        x, old, length = x_T, None, None
        lam = 0.5 * (alpha_bar.log() - (1 - alpha_bar).log())
        with torch.no_grad():
            for t, s in torch.stack([times[:-1], times[1:]], dim=1):
                eps = model(x, t.expand(len(x)))
                if s == 0:
                    x = (x - (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt()
                    continue
                h = lam[s] - lam[t]
                middle = eps if old is None else eps + h / (2 * length) * (eps - old)
                x = (alpha_bar[s] / alpha_bar[t]).sqrt() * x - (1 - alpha_bar[s]).sqrt() * torch.expm1(h) * middle
                old, length = eps, h
        return x

    return {"dpm_solver_2m": dpm_solver_2m}
