"""Named wrong versions of the answers to question 9."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- renoise -------------------------------------------------------------------------------------------------------

mistakes.at(
    "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise",
    edit("as_from_data", "`renoise` treats x as if it were data (the jump 0 → t): then the noise that x has already is counted twice, and s is ignored",
         "    kept = alpha_bar[t]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise"),
    edit("all_the_noise", "`renoise` adds noise of variance 1 - ᾱ_t; x brings a part of that noise along already",
         "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - alpha_bar[t]).sqrt() * noise"),
    edit("shrunk_from_data", "`renoise` shrinks x by √ᾱ_t; x is shrunk by √ᾱ_s already, so the factor is the root of their ratio",
         "    kept = alpha_bar[t] / alpha_bar[s]\n    return alpha_bar[t].sqrt() * x + (1 - kept).sqrt() * noise"),
    edit("difference_of_levels", "`renoise` adds noise of variance ᾱ_s - ᾱ_t; the noise that x has is shrunk by the jump, too, so more is needed",
         "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (alpha_bar[s] - alpha_bar[t]).sqrt() * noise"),
    edit("difference_of_deviations", "`renoise` subtracts standard deviations of the noise; independent noises add up by their variances, and the old noise is shrunk by the jump",
         "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + ((1 - alpha_bar[t]).sqrt() - (1 - alpha_bar[s]).sqrt()) * noise"),
    edit("no_roots", "`renoise` takes a² and b² for a and b: the roots are missing", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept * x + (1 - kept) * noise"),
    edit("no_root_of_a", "`renoise` multiplies x by the ratio of the levels; the root is missing", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept * x + (1 - kept).sqrt() * noise"),
    edit("root_twice", "`renoise` multiplies x by the fourth root of the ratio; one root is too many", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept**0.25 * x + (1 - kept).sqrt() * noise"),
    edit("x_grows", "`renoise` divides x by a; going up shrinks it", "    kept = alpha_bar[t] / alpha_bar[s]\n    return x / kept.clamp(min=1e-9).sqrt() + (1 - kept).sqrt() * noise"),
    edit("no_root_of_b", "`renoise` multiplies the noise by its variance; the root is missing", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept) * noise"),
    edit("one_minus_a", "`renoise` has the factor 1 - a for the noise; a² + b² = 1", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept.sqrt()) * noise"),
    edit("root_of_one_minus_a", "`renoise` has the factor √(1 - a) for the noise; a² + b² = 1", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept.sqrt()).sqrt() * noise"),
    edit("only_from_data", "`renoise` returns x as it is where s is not 0", "    kept = alpha_bar[t] / alpha_bar[s] if s == 0 else alpha_bar[0]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise"),
    edit("variance_exploding", "`renoise` adds noise as if x were divided by √ᾱ: x is not shrunk, and the variances are those of 1/ᾱ - 1",
         "    kept = alpha_bar[t].clamp(min=1e-9)\n    return x + (1 / kept - 1 / alpha_bar[s]).clamp(min=0).sqrt() * noise"),
    edit("root_and_square", "`renoise` has a² = ratio², as if the ratio were that of the roots: the square is one too many",
         "    kept = (alpha_bar[t] / alpha_bar[s]) ** 2\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise"),
    edit("ratio_upside_down", "`renoise` has the ratio of the levels upside down (or s and t swapped): the picture grows, and the noise is the root of a negative number",
         "    kept = alpha_bar[s] / alpha_bar[t]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise"),
    edit("upside_down_clamped", "`renoise` has the ratio of the levels upside down and hides the negative variance by a clamp: x grows, and no noise comes",
         "    kept = alpha_bar[s] / alpha_bar[t]\n    return kept.sqrt() * x + (1 - kept).clamp(min=0).sqrt() * noise"),
    edit("upside_down_abs", "`renoise` has the ratio of the levels upside down, and takes the absolute value of a negative variance",
         "    kept = alpha_bar[s] / alpha_bar[t]\n    return kept.sqrt() * x + (1 - kept).abs().sqrt() * noise"),
    edit("not_shrunk", "`renoise` adds noise but does not shrink x, so the variance grows", "    kept = alpha_bar[t] / alpha_bar[s]\n    return x + (1 - kept).sqrt() * noise"),
    edit("no_noise", "`renoise` only shrinks x; the noise is missing", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + 0 * noise"),
    edit("minus_noise", "`renoise` subtracts the noise; the formula adds it", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x - (1 - kept).sqrt() * noise"),
    edit("one_step_only", "`renoise` makes the last step t - 1 → t alone, wherever s is", "    kept = alpha_bar[t] / alpha_bar[t - 1]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise"),
    edit("first_step_only", "`renoise` makes the step s → s + 1 alone, wherever t is",
         "    kept = alpha_bar[min(s + 1, len(alpha_bar) - 1)] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise"),
    edit("t_minus_one", "`renoise` reads `alpha_bar[t - 1]`; alpha_bar has an entry for time 0, so `alpha_bar[t]` belongs to t",
         "    kept = (alpha_bar[t - 1] if t > s else alpha_bar[t]) / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise"),
    edit("both_minus_one", "`renoise` reads `alpha_bar[t - 1]` and `alpha_bar[s - 1]`; alpha_bar has an entry for time 0",
         "    kept = alpha_bar[t - 1] / alpha_bar[s - 1]\n    return kept.sqrt() * x + (1 - kept).abs().sqrt() * noise"),
    edit("s_plus_one", "`renoise` reads `alpha_bar[s + 1]` where s belongs", "    kept = alpha_bar[t] / alpha_bar[min(s + 1, t)]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise"),
    edit("posterior_variance", "`renoise` gives the noise the variance of Question 3's posterior; going up needs 1 - a²",
         "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + ((1 - kept) * (1 - alpha_bar[s]) / (1 - alpha_bar[t] + 1e-12)).sqrt() * noise"),
    edit("own_noise", "`renoise` draws noise of its own; it must use the noise that it is given", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept).sqrt() * torch.randn_like(x)"),
    edit("noise_of_x", "`renoise` scales the noise by the spread of x", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise * x.std()"),
    edit("renoise_detached", "The result of `renoise` is cut off from x and the noise (`.detach()`, `.data` or `no_grad`); it is to be differentiable",
         "    kept = alpha_bar[t] / alpha_bar[s]\n    return (kept.sqrt() * x + (1 - kept).sqrt() * noise).detach()"),
    edit("noise_detached", "The noise is cut off from the graph in `renoise`", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise.detach()"),
    edit("x_detached", "x is cut off from the graph in `renoise`", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x.detach() + (1 - kept).sqrt() * noise"),
    edit("variance_floored", "`renoise` keeps the variance above a small number (or the ratio of the levels below 1), so s = t changes x",
         "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept).clamp(min=1e-4).sqrt() * noise"),
    edit("root_floored", "`renoise` adds a small number under the root (or keeps the variance above it), so s = t changes x", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept + 1e-8).sqrt() * noise"),
    edit("root_floored_more", "`renoise` adds a small number under the root (or keeps the variance above it), so s = t changes x", "    kept = alpha_bar[t] / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept + 1e-6).sqrt() * noise"),
    edit("level_floored", "`renoise` keeps ᾱ_t away from 0; a schedule may end at 0 exactly",
         "    kept = alpha_bar[t].clamp(min=1e-3) / alpha_bar[s]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise"),
    edit("renoise_in_place", "`renoise` changes its argument x in place", "    kept = alpha_bar[t] / alpha_bar[s]\n    with torch.no_grad():\n        x *= kept.sqrt()\n    return x + (1 - kept).sqrt() * noise"),
    edit("renoise_float32", "`renoise` computes in float32 whatever comes in", "    kept = alpha_bar[t] / alpha_bar[s]\n    return (kept.sqrt() * x + (1 - kept).sqrt() * noise).float()"),
    edit("in_single_steps", "`renoise` climbs one time after another with the same noise; the noises of these steps would have to be independent, so their variances do not add up",
         "    for k in range(int(s), int(t)):\n        kept = alpha_bar[k + 1] / alpha_bar[k]\n        x = kept.sqrt() * x + (1 - kept).sqrt() * noise\n    return x"),
    edit("always_from_zero", "`renoise` makes the jump from 0 to s where s is not 0; t is ignored then", "    kept = alpha_bar[t] / alpha_bar[s] if s == 0 else alpha_bar[s] / alpha_bar[0]\n    return kept.sqrt() * x + (1 - kept).sqrt() * noise"),
)

# --- spy_levels ----------------------------------------------------------------------------------------------------

mistakes.at(
    "calls.append(torch.stack([alpha_bar[t[0]], x[0, 0] ** 2]))",
    edit("not_squared", "`spy_levels` gives the pixel itself as shown; its square is to be compared with ᾱ", "calls.append(torch.stack([alpha_bar[t[0]], x[0, 0]]))"),
    edit("absolute", "`spy_levels` gives the size of the pixel as shown; its square is to be compared with ᾱ", "calls.append(torch.stack([alpha_bar[t[0]], x[0, 0].abs()]))"),
    edit("root_told", "`spy_levels` gives √ᾱ as told; the level is ᾱ", "calls.append(torch.stack([alpha_bar[t[0]].sqrt(), x[0, 0] ** 2]))"),
    edit("pixels_and_roots", "`spy_levels` compares the pixel with √ᾱ; ᾱ and the square are asked for", "calls.append(torch.stack([alpha_bar[t[0]].sqrt(), x[0, 0]]))"),
    edit("time_told", "`spy_levels` gives the time as told; the level of that time is asked for", "calls.append(torch.stack([t[0].to(alpha_bar), x[0, 0] ** 2]))"),
    edit("share_told", "`spy_levels` gives t / T as told; the level of that time is asked for", "calls.append(torch.stack([t[0].to(alpha_bar) / (len(alpha_bar) - 1), x[0, 0] ** 2]))"),
    edit("noise_told", "`spy_levels` gives 1 - ᾱ, the variance of the noise, as told; ᾱ is asked for", "calls.append(torch.stack([1 - alpha_bar[t[0]], x[0, 0] ** 2]))"),
    edit("both_noises", "`spy_levels` gives the variances of the noise, 1 - ᾱ and 1 - x²; the levels are asked for", "calls.append(torch.stack([1 - alpha_bar[t[0]], 1 - x[0, 0] ** 2]))"),
    edit("noise_shown", "`spy_levels` gives 1 - x² as shown; x² is asked for", "calls.append(torch.stack([alpha_bar[t[0]], 1 - x[0, 0] ** 2]))"),
    edit("told_before", "`spy_levels` reads `alpha_bar[t - 1]`; alpha_bar has an entry for time 0", "calls.append(torch.stack([alpha_bar[t[0] - 1], x[0, 0] ** 2]))"),
    edit("told_after", "`spy_levels` reads `alpha_bar[t + 1]`", "calls.append(torch.stack([alpha_bar[(t[0] + 1).clamp(max=len(alpha_bar) - 1)], x[0, 0] ** 2]))"),
    edit("swapped_pair", "`spy_levels` returns (shown, told); the order is (told, shown)", "calls.append(torch.stack([x[0, 0] ** 2, alpha_bar[t[0]]]))"),
    edit("told_by_count", "`spy_levels` takes the time from the list by counting calls; it is to note the time that the model is given, which may differ or come again",
         "calls.append(torch.stack([alpha_bar[times[min(len(calls), len(times) - 1)]], x[0, 0] ** 2]))"),
    edit("told_from_list", "`spy_levels` takes the levels as told from the list of times; it is to note the time that the model is given, which may differ or come again",
         "calls.append(torch.stack([alpha_bar[t[0]], x[0, 0] ** 2]))",
         ("return torch.stack(calls).unbind(1)", "return alpha_bar[times[:-1]].repeat_interleave(rounds), torch.stack(calls)[:, 1]")),
    edit("not_copied", "`spy_levels` keeps the tensor that it is shown, not its number; where a program writes into its x, the note changes, too",
         "calls.append((alpha_bar[t[0]], x))",
         ("return torch.stack(calls).unbind(1)", "return torch.stack([told for told, _ in calls]), torch.stack([x[0, 0] for _, x in calls]) ** 2")),
    edit("told_the_next", "`spy_levels` gives the level of the next time as told; the time that the model is given counts",
         "calls.append(torch.stack([alpha_bar[times[times < t[0]][0]] if bool((times < t[0]).any()) else alpha_bar[0], x[0, 0] ** 2]))"),
    edit("told_by_round", "`spy_levels` takes the time from the list of times, one for every `rounds` calls; it is to note the time that the model is given",
         "calls.append(torch.stack([alpha_bar[times[min(len(calls) // rounds, len(times) - 1)]], x[0, 0] ** 2]))"),
    edit("expected_shown", "`spy_levels` gives as shown what a right program would show; it is to look at x", "calls.append(torch.stack([alpha_bar[t[0]], alpha_bar[t[0]] + 0 * x[0, 0]]))"),
    edit("ratio", "`spy_levels` divides what was shown by ᾱ; the two are asked for as they are", "calls.append(torch.stack([alpha_bar[t[0]], x[0, 0] ** 2 / alpha_bar[t[0]]]))"),
    edit("difference", "`spy_levels` gives the difference of shown and told; the two are asked for as they are", "calls.append(torch.stack([alpha_bar[t[0]], x[0, 0] ** 2 - alpha_bar[t[0]]]))"),
    edit("cut_to_one", "`spy_levels` cuts large values of what was shown off", "calls.append(torch.stack([alpha_bar[t[0]], (x[0, 0] ** 2).clamp(max=0.3)]))"),
    edit("zeros_left_out", "`spy_levels` leaves out calls in which the pixel is 0; every call counts", "bool(x[0, 0] != 0) and calls.append(torch.stack([alpha_bar[t[0]], x[0, 0] ** 2]))"),
    edit("only_new_times", "`spy_levels` notes only the first call at each time; every call counts",
         "any(float(each[0]) == float(alpha_bar[t[0]]) for each in calls) or calls.append(torch.stack([alpha_bar[t[0]], x[0, 0] ** 2]))"),
    edit("newest_first", "`spy_levels` lists the calls backwards", "calls.insert(0, torch.stack([alpha_bar[t[0]], x[0, 0] ** 2]))"),
    edit("rounded_shown", "`spy_levels` goes through float32 or rounds on the way", "calls.append(torch.stack([alpha_bar[t[0]], torch.tensor(round(float(x[0, 0]) ** 2, 3)).to(alpha_bar)]))"),
)

mistakes.at(
    "return torch.zeros_like(x)\n\n    one,",
    edit("spy_repeats", "The spy answers x; it is to answer 0, or a program's steps change what it sees next", "return x\n\n    one,"),
    edit("spy_silent", "The spy returns nothing; a model returns eps, here 0 everywhere", "return None\n\n    one,"),
    edit("spy_ones", "The spy answers 1; it is to answer 0, or a program's steps change what it sees next", "return torch.ones_like(x)\n\n    one,"),
    edit("spy_random", "The spy answers with noise; it is to answer 0", "return torch.randn_like(x)\n\n    one,"),
    edit("spy_small", "The spy answers a small number; it is to answer 0", "return torch.full_like(x, 0.1)\n\n    one,"),
    edit("spy_exact", "The spy answers like a good network, with the noise that makes x of the known pixel; it is to answer 0",
         "return (x - alpha_bar[t[0]].sqrt()) / (1 - alpha_bar[t[0]]).sqrt()\n\n    one,"),
)

mistakes.at(
    "one, noise = alpha_bar.new_ones(1, 1), alpha_bar.new_zeros(len(times) - 1, rounds, 3, 1, 1)",
    edit("noisy_spy", "`spy_levels` gives the program random noise; with noise 0 what is shown can be compared", "one, noise = alpha_bar.new_ones(1, 1), torch.randn(len(times) - 1, rounds, 3, 1, 1).to(alpha_bar)"),
    edit("noise_ones", "`spy_levels` gives the program noise of 1; it is to be 0", "one, noise = alpha_bar.new_ones(1, 1), alpha_bar.new_ones(len(times) - 1, rounds, 3, 1, 1)"),
    edit("rounds_ignored", "`spy_levels` asks for one round, whatever `rounds` says", "one, noise = alpha_bar.new_ones(1, 1), alpha_bar.new_zeros(len(times) - 1, 1, 3, 1, 1)"),
    edit("rounds_and_steps_swapped", "`spy_levels` swaps steps and rounds in the shape of the noise", "one, noise = alpha_bar.new_ones(1, 1), alpha_bar.new_zeros(rounds, len(times) - 1, 3, 1, 1)"),
    edit("noise_for_each_time", "`spy_levels` has noise for one step too many: S + 1 times make S steps", "one, noise = alpha_bar.new_ones(1, 1), alpha_bar.new_zeros(len(times), rounds, 3, 1, 1)"),
    edit("two_kinds", "`spy_levels` has two noises for each round; a program may ask for three", "one, noise = alpha_bar.new_ones(1, 1), alpha_bar.new_zeros(len(times) - 1, rounds, 2, 1, 1)"),
    edit("one_round_more", "`spy_levels` asks for one round more than `rounds`", "one, noise = alpha_bar.new_ones(1, 1), alpha_bar.new_zeros(len(times) - 1, rounds + 1, 3, 1, 1)"),
    edit("known_half", "The known pixel of `spy_levels` is not 1, so its square is not the level", "one, noise = alpha_bar.new_full((1, 1), 0.5), alpha_bar.new_zeros(len(times) - 1, rounds, 3, 1, 1)"),
    edit("known_two", "The known pixel of `spy_levels` is 2 where it is to be 1", "one, noise = alpha_bar.new_full((1, 1), 2.0), alpha_bar.new_zeros(len(times) - 1, rounds, 3, 1, 1)"),
    edit("spy_float32", "`spy_levels` makes its pictures in float32, whatever alpha_bar is", "one, noise = torch.ones(1, 1, device=alpha_bar.device), torch.zeros(len(times) - 1, rounds, 3, 1, 1, device=alpha_bar.device)"),
)

mistakes.at(
    "program(step, spy, one, one > 0, 0 * one, times, alpha_bar, noise)",
    edit("starts_at_one", "`spy_levels` starts the program with x_T = 1; it is to be 0", "program(step, spy, one, one > 0, one.clone(), times, alpha_bar, noise)"),
    edit("starts_random", "`spy_levels` starts the program with random x_T; it is to be 0", "program(step, spy, one, one > 0, torch.randn_like(one), times, alpha_bar, noise)"),
    edit("nothing_known", "`spy_levels` says that the pixel is unknown (the mask is False)", "program(step, spy, one, one < 0, 0 * one, times, alpha_bar, noise)"),
    edit("known_zero", "The known pixel of `spy_levels` is 0; it is to be 1", "program(step, spy, 0 * one, one > 0, 0 * one, times, alpha_bar, noise)"),
    edit("own_step", "`spy_levels` does not hand on the step that it is given", "program(lambda x, *_: x, spy, one, one > 0, 0 * one, times, alpha_bar, noise)"),
    edit("zero_step", "`spy_levels` hands on a step that makes 0 of everything, in place of the step that it is given", "program(lambda x, *_: 0 * x, spy, one, one > 0, 0 * one, times, alpha_bar, noise)"),
    edit("float_mask", "`spy_levels` hands on a mask of numbers; a mask is Bool", "program(step, spy, one, one, 0 * one, times, alpha_bar, noise)"),
    edit("times_shortened", "`spy_levels` leaves out the last of the times", "program(step, spy, one, one > 0, 0 * one, times[:-1], alpha_bar, noise)"),
    edit("run_twice", "`spy_levels` runs the program twice", "program(step, spy, one, one > 0, 0 * one, times, alpha_bar, noise); program(step, spy, one, one > 0, 0 * one, times, alpha_bar, noise)"),
    edit("always_inpaint", "`spy_levels` spies on `inpaint`, whatever program it is given", "inpaint(step, spy, one, one > 0, 0 * one, times, alpha_bar, noise)"),
    edit("always_draft", "`spy_levels` spies on `draft_inpaint`, whatever program it is given", "draft_inpaint(step, spy, one, one > 0, 0 * one, times, alpha_bar, noise)"),
    edit("no_round_axis", "The noise of `spy_levels` has no axis for rounds", "program(step, spy, one, one > 0, 0 * one, times, alpha_bar, noise[:, 0])"),
)

mistakes.at(
    "return torch.stack(calls).unbind(1)",
    edit("one_tensor", "`spy_levels` does not return two things (told, shown), but one tensor or one thing for each call; two tensors of shape (calls,) are asked for", "return torch.stack(calls)"),
    edit("without_first", "`spy_levels` leaves out the first call", "return torch.stack(calls[1:]).unbind(1)"),
    edit("without_last", "`spy_levels` leaves out the last call", "return torch.stack(calls[:-1]).unbind(1)"),
    edit("last_round_only", "`spy_levels` gives one call a step; every round calls the model", "return torch.stack(calls[rounds - 1::rounds]).unbind(1)"),
    edit("as_lists", "`spy_levels` returns lists of numbers; tensors are asked for", "return [float(each[0]) for each in calls], [float(each[1]) for each in calls]"),
    edit("as_columns", "`spy_levels` returns columns of shape (calls, 1); the shape is (calls,)", "return torch.stack(calls).split(1, dim=1)"),
    edit("sorted_calls", "`spy_levels` sorts what it noted; the order is that of the calls", "told, shown = torch.stack(calls).unbind(1); return told.sort().values, shown.sort().values"),
    edit("largest_only", "`spy_levels` returns the largest values alone; one value for each call is asked for", "return torch.stack(calls).amax(0).unbind(0)"),
    edit("mean_only", "`spy_levels` averages over the calls", "return torch.stack(calls).mean(0).unbind(0)"),
    edit("shifted_pairs", "`spy_levels` pairs each level with what was shown in the call after it", "told, shown = torch.stack(calls).unbind(1); return told, shown.roll(-1)"),
)

# --- inpaint -------------------------------------------------------------------------------------------------------

mistakes.at(
    "x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x)",
    edit("level_of_t", "`inpaint` puts the known pixels in with the noise of t, but after the step x is at s: the level is one step behind",
         "x = torch.where(mask, renoise(known, 0, t, alpha_bar, z_known), x)"),
    edit("level_of_t_mended", "`inpaint` puts the known pixels in with the noise of t, but after the step x is at s; pasting them in at the end hides it",
         "x = torch.where(mask, known if s == 0 else renoise(known, 0, t, alpha_bar, z_known), x)"),
    edit("draft_with_rounds", "`inpaint` puts the known pixels in with the noise of t, but after the step x is at s; pasting them in at the very end hides it",
         "x = torch.where(mask, renoise(known, 0, t, alpha_bar, z_known), x)",
         ("                    x = renoise(x, s, t, alpha_bar, z_back)\n    return x", "                    x = renoise(x, s, t, alpha_bar, z_back)\n    return torch.where(mask, known, x)")),
    edit("level_before_s", "`inpaint` puts the known pixels in with the noise of s - 1; x is at s", "x = torch.where(mask, renoise(known, 0, max(s - 1, 0 * s), alpha_bar, z_known), x)"),
    edit("level_after_s", "`inpaint` puts the known pixels in with the noise of s + 1; x is at s", "x = torch.where(mask, renoise(known, 0, s + 1, alpha_bar, z_known), x)"),
    edit("clean_pixels", "`inpaint` puts the known pixels in without noise; the network expects the noise of s in all of the picture", "x = torch.where(mask, known, x)"),
    edit("shrunk_without_noise", "`inpaint` shrinks the known pixels but adds no noise to them; (9.1) has both", "x = torch.where(mask, alpha_bar[s].sqrt() * known, x)"),
    edit("noise_without_shrinking", "`inpaint` adds noise to the known pixels but does not shrink them; (9.1) has both", "x = torch.where(mask, known + (1 - alpha_bar[s]).sqrt() * z_known, x)"),
    edit("only_at_the_end", "`inpaint` puts the known pixels in at t = 0 alone, so nothing else is drawn to fit them", "x = torch.where(mask, known, x) if s == 0 else x"),
    edit("never_put_in", "`inpaint` never puts the known pixels in", "x = x + 0"),
    edit("mask_inverted", "`inpaint` has the mask the wrong way round: True is known", "x = torch.where(mask, x, renoise(known, 0, s, alpha_bar, z_known))"),
    edit("everything_put_in", "`inpaint` puts all of `known` in, whatever the mask says", "x = renoise(known, 0, s, alpha_bar, z_known) + 0 * x"),
    edit("added_on_top", "`inpaint` adds the known pixels to x; they replace it", "x = x + mask * renoise(known, 0, s, alpha_bar, z_known)"),
    edit("half_and_half", "`inpaint` averages the known pixels with x; they replace it", "x = torch.where(mask, 0.5 * renoise(known, 0, s, alpha_bar, z_known) + 0.5 * x, x)"),
    edit("unknown_zeroed", "`inpaint` sets the unknown pixels to 0 when it puts the known ones in", "x = mask * renoise(known, 0, s, alpha_bar, z_known) + 0 * x"),
    edit("noise_of_the_step", "`inpaint` uses the noise of the step for the known pixels, too; (9.1) has a noise of its own", "x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_step), x)"),
    edit("noise_of_going_back", "`inpaint` uses the third noise for the known pixels; the second is for (9.1)", "x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_back), x)"),
    edit("one_noise_for_known", "`inpaint` uses the same noise for the known pixels at every step; each round has its own", "x = torch.where(mask, renoise(known, 0, s, alpha_bar, noise[0, 0, 1]), x)"),
    edit("noise_once_a_step", "`inpaint` uses the noise of the first round for the known pixels in all rounds of a step", "x = torch.where(mask, renoise(known, 0, s, alpha_bar, rounds[0, 1]), x)"),
    edit("x_T_as_noise", "`inpaint` uses x_T as the noise of the known pixels; noise[i, r, 1] is given for it", "x = torch.where(mask, renoise(known, 0, s, alpha_bar, x_T), x)"),
    edit("x_T_as_first_noise", "`inpaint` uses x_T as the noise of the known pixels in the first step; noise[i, r, 1] is given for it",
         "x = torch.where(mask, renoise(known, 0, s, alpha_bar, x_T if t == times[0] else z_known), x)"),
    edit("own_noise_for_known", "`inpaint` draws noise of its own for the known pixels; noise[i, r, 1] is given for it", "x = torch.where(mask, renoise(known, 0, s, alpha_bar, torch.randn_like(known)), x)"),
    edit("first_round_only", "`inpaint` puts the known pixels in only in the first round of a step; every round does", "x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x) if r == 0 else x"),
    edit("last_round_only_put", "`inpaint` puts the known pixels in only in the last round of a step; every round does", "x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x) if r + 1 == len(rounds) else x"),
    edit("not_at_the_end", "`inpaint` does not put the known pixels in at t = 0, so they are not exact", "x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x) if s > 0 else x"),
    edit("from_x", "`inpaint` adds noise to x where pixels are known; the known picture belongs there", "x = torch.where(mask, renoise(x, 0, s, alpha_bar, z_known), x)"),
    edit("one_mask_for_all", "`inpaint` uses the mask of the first picture for all", "x = torch.where(mask[:1] if mask.ndim == x.ndim else mask, renoise(known, 0, s, alpha_bar, z_known), x)"),
    edit("between_s_and_t", "`inpaint` puts the known pixels in with the noise of a time between s and t; x is at s", "x = torch.where(mask, renoise(known, 0, (s + t) // 2 if s > 0 else s, alpha_bar, z_known), x)"),
    edit("first_picture_for_all", "`inpaint` puts the first known picture into all", "x = torch.where(mask, renoise(known[:1], 0, s, alpha_bar, z_known), x)"),
    edit("levels_without_roots", "`inpaint` mixes the known pixels and the noise by ᾱ and 1 - ᾱ; (9.1) has their roots", "x = torch.where(mask, alpha_bar[s] * known + (1 - alpha_bar[s]) * z_known, x)"),
    edit("known_without_root", "`inpaint` shrinks the known pixels by ᾱ; (9.1) has its root", "x = torch.where(mask, alpha_bar[s] * known + (1 - alpha_bar[s]).sqrt() * z_known, x)"),
    edit("from_s_up", "`inpaint` calls `renoise` for the known picture as if it were at s already", "x = torch.where(mask, renoise(known, s, t, alpha_bar, z_known), x)"),
    edit("clamped", "`inpaint` cuts the picture off at -1 and 1 after each round; noisy pixels lie outside", "x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x).clamp(-1, 1)"),
)

mistakes.at(
    """
    x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, z_step)
    x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x)
    """,
    edit("put_in_before", "`inpaint` puts the known pixels in before the step (at t), not after it (at s): what it returns has wrong known pixels",
         """
         x = torch.where(mask, renoise(known, 0, t, alpha_bar, z_known), x)
         x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, z_step)
         """),
    edit("put_in_before_pasted", "`inpaint` puts the known pixels in before each step (at t), and pastes them at the end; a round is a step to s, then (9.1) at s",
         """
         x = torch.where(mask, renoise(known, 0, t, alpha_bar, z_known), x)
         x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, z_step)
         x = torch.where(mask, known, x) if s == 0 else x
         """),
    edit("twice", "`inpaint` puts the known pixels in both before and after the step",
         """
         x = torch.where(mask, renoise(known, 0, t, alpha_bar, z_known), x)
         x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, z_step)
         x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x)
         """),
    edit("true_noise_for_known", "`inpaint` gives the step the noise that makes x of the known picture, and lets the step move the known pixels; (9.1) puts them in with new noise",
         """
         eps = torch.where(mask, (x - alpha_bar[t].sqrt() * known) / (1 - alpha_bar[t]).sqrt(), model(x, t.expand(len(x))))
         x = step(x, eps, t, s, alpha_bar, z_step)
         x = torch.where(mask, known, x) if s == 0 and r + 1 == len(rounds) else x
         """),
    edit("asked_once_a_step", "`inpaint` asks the model once a step, and uses its answer in all rounds; x is another one in each",
         """
         eps = model(x, t.expand(len(x))) if r == 0 else eps
         x = step(x, eps, t, s, alpha_bar, z_step)
         x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x)
         """),
    edit("always_from_x_T", "`inpaint` starts each step from x_T again; it goes on from x",
         """
         x = step(x_T, model(x_T, t.expand(len(x))), t, s, alpha_bar, z_step)
         x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x)
         """),
    edit("step_for_unknown_sees_clean", "`inpaint` shows the model the known pixels without noise; they need the noise of t",
         """
         x = step(x, model(torch.where(mask, known, x), t.expand(len(x))), t, s, alpha_bar, z_step)
         x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x)
         """),
    edit("model_sees_unknown_only", "`inpaint` hides the known pixels from the model; it is to see all of x",
         """
         x = step(x, model(x * ~mask, t.expand(len(x))), t, s, alpha_bar, z_step)
         x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x)
         """),
)

mistakes.at(
    "x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, z_step)\n                x = torch.where",
    edit("asked_at_s", "`inpaint` tells the model the time s; before the step x is at t", "x = step(x, model(x, s.expand(len(x))), t, s, alpha_bar, z_step)\n                x = torch.where"),
    edit("step_swapped", "`inpaint` calls the step with s and t swapped", "x = step(x, model(x, t.expand(len(x))), s, t, alpha_bar, z_step)\n                x = torch.where"),
    edit("step_with_second_noise", "`inpaint` uses the second noise for the step; the first is for it", "x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, z_known)\n                x = torch.where"),
    edit("step_without_noise", "`inpaint` takes its steps without noise", "x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, 0 * z_step)\n                x = torch.where"),
    edit("step_with_first_round_noise", "`inpaint` uses the step's noise of the first round in all rounds", "x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, rounds[0, 0])\n                x = torch.where"),
    edit("time_scaled", "`inpaint` tells the model which step it is, counted; it is to tell the time of the list",
         "x = step(x, model(x, (times == t).nonzero()[0].expand(len(x))), t, s, alpha_bar, z_step)\n                x = torch.where"),
)

mistakes.at(
    """
    if r + 1 < len(rounds):
        x = renoise(x, s, t, alpha_bar, z_back)
    """,
    edit("never_back", "`inpaint` never goes back up to t, so the next round steps from t with a picture that is at s", "x = x"),
    edit("back_after_last", "`inpaint` goes back up after the last round of a step, too; then x is at t when the next step begins",
         "x = renoise(x, s, t, alpha_bar, z_back)"),
    edit("back_after_last_pasted", "`inpaint` goes back up after the last round of a step, too, so x is at t when the next step begins; pasting the known pixels in at the end hides a part of it",
         "x = renoise(x, s, t, alpha_bar, z_back)", ("    return x", "    return torch.where(mask, known, x)")),
    edit("back_after_last_but_end", "`inpaint` goes back up after the last round of every step but the last step; then x is at t when the next step begins",
         """
         if r + 1 < len(rounds) or s > times[-1]:
             x = renoise(x, s, t, alpha_bar, z_back)
         """),
    edit("between_steps_only", "`inpaint` goes back up between steps and not between the rounds of a step; the other way round is right",
         """
         if r + 1 == len(rounds) and s > times[-1]:
             x = renoise(x, s, t, alpha_bar, z_back)
         """),
    edit("only_after_last", "`inpaint` goes back up after the last round alone; it is the other rounds that are followed by it",
         """
         if r + 1 == len(rounds):
             x = renoise(x, s, t, alpha_bar, z_back)
         """),
    edit("put_in_only_before_back", "`inpaint` puts the known pixels in only where it goes back up after it, and at the very end; every round does",
         """
         if r + 1 < len(rounds):
             x = renoise(x, s, t, alpha_bar, z_back)
         """,
         ("x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x)", "x = torch.where(mask, renoise(known, 0, s, alpha_bar, z_known), x) if r + 1 < len(rounds) else x"),
         ("    return x", "    return torch.where(mask, known, x)")),
    edit("back_once", "`inpaint` goes back up only after the first round of a step",
         """
         if r == 0 and len(rounds) > 1:
             x = renoise(x, s, t, alpha_bar, z_back)
         """),
    edit("one_round_less", "`inpaint` makes one round too few: it stops before the last one",
         """
         if r + 2 < len(rounds):
             x = renoise(x, s, t, alpha_bar, z_back)
         elif len(rounds) > 1:
             break
         """),
    edit("back_as_data", "`inpaint` goes back up with the jump from 0 to t; x is at s and has noise already",
         """
         if r + 1 < len(rounds):
             x = renoise(x, 0, t, alpha_bar, z_back)
         """),
    edit("back_to_noise", "`inpaint` replaces x by noise when it goes back; x is to keep what it has",
         """
         if r + 1 < len(rounds):
             x = renoise(0 * x, s, t, alpha_bar, z_back)
         """),
    edit("back_is_noise", "`inpaint` goes on from the third noise itself where it should go back; x is to keep what it has",
         """
         if r + 1 < len(rounds):
             x = z_back
         """),
    edit("back_swapped", "`inpaint` goes back with s and t swapped: from t down to s is no jump of `renoise`",
         """
         if r + 1 < len(rounds):
             x = renoise(x, t, s, alpha_bar, z_back)
         """),
    edit("back_unknown_only", "`inpaint` goes back up only with the unknown pixels; all of x does",
         """
         if r + 1 < len(rounds):
             x = torch.where(mask, x, renoise(x, s, t, alpha_bar, z_back))
         """),
    edit("back_known_only", "`inpaint` goes back up only with the known pixels; all of x does",
         """
         if r + 1 < len(rounds):
             x = torch.where(mask, renoise(x, s, t, alpha_bar, z_back), x)
         """),
    edit("back_known_from_zero", "`inpaint` draws the known pixels anew at t when it goes back; all of x makes the jump from s to t",
         """
         if r + 1 < len(rounds):
             x = torch.where(mask, renoise(known, 0, t, alpha_bar, z_back), renoise(x, s, t, alpha_bar, z_back))
         """),
    edit("back_with_step_noise", "`inpaint` goes back up with the noise of the step; the third noise is for it",
         """
         if r + 1 < len(rounds):
             x = renoise(x, s, t, alpha_bar, z_step)
         """),
    edit("back_with_known_noise", "`inpaint` goes back up with the noise of the known pixels; the third noise is for it",
         """
         if r + 1 < len(rounds):
             x = renoise(x, s, t, alpha_bar, z_known)
         """),
    edit("back_with_next_noise", "`inpaint` goes back up with the third noise of the round that follows; each round's own is for going back after it",
         """
         if r + 1 < len(rounds):
             x = renoise(x, s, t, alpha_bar, rounds[r + 1, 2])
         """),
    edit("back_with_first_noise", "`inpaint` goes back up with the third noise of the first round each time",
         """
         if r + 1 < len(rounds):
             x = renoise(x, s, t, alpha_bar, rounds[0, 2])
         """),
    edit("back_one_time", "`inpaint` goes back up from s to s + 1; the step began at t",
         """
         if r + 1 < len(rounds):
             x = renoise(x, s, s + 1, alpha_bar, z_back)
         """),
    edit("back_without_noise", "`inpaint` goes back up without noise",
         """
         if r + 1 < len(rounds):
             x = renoise(x, s, t, alpha_bar, 0 * z_back)
         """),
    edit("not_in_the_last_step", "`inpaint` makes one round in the last step, to s = 0; every step has R rounds",
         """
         if s == 0:
             break
         if r + 1 < len(rounds):
             x = renoise(x, s, t, alpha_bar, z_back)
         """),
)

mistakes.at(
    "        for t, s, rounds in zip(times[:-1], times[1:], noise):",
    edit("one_round_always", "`inpaint` makes one round a step, however many noises there are", "        for t, s, rounds in zip(times[:-1], times[1:], noise[:, :1]):"),
    edit("last_round_noise", "`inpaint` makes one round a step, with the last round's noise", "        for t, s, rounds in zip(times[:-1], times[1:], noise[:, -1:]):"),
    edit("last_step_left_out", "`inpaint` leaves out the last step", "        for t, s, rounds in zip(times[:-2], times[1:-1], noise):"),
    edit("first_step_left_out", "`inpaint` leaves out the first step", "        for t, s, rounds in zip(times[1:-1], times[2:], noise):"),
    edit("noise_backwards", "`inpaint` takes the noises of the steps from the last to the first", "        for t, s, rounds in zip(times[:-1], times[1:], noise.flip(0)):"),
    edit("rounds_backwards", "`inpaint` takes the noises of the rounds from the last to the first", "        for t, s, rounds in zip(times[:-1], times[1:], noise.flip(1)):"),
    edit("first_noise_for_all", "`inpaint` uses the noise of the first step in all steps", "        for t, s, rounds in zip(times[:-1], times[1:], noise[:1].expand(noise.shape)):"),
    edit("every_integer", "Each step of `inpaint` goes to t - 1, not to the next of the times", "        for t, s, rounds in zip(times[:-1], times[:-1] - 1, noise):"),
)

mistakes.at(
    "    x = x_T\n    with torch.no_grad():\n        for t, s, rounds in",
    edit("put_into_x_T", "`inpaint` puts the known pixels into x_T before the first step; the walk begins with x_T itself",
         "    x = torch.where(mask, renoise(known, 0, times[0], alpha_bar, x_T), x_T)\n    with torch.no_grad():\n        for t, s, rounds in"),
    edit("put_into_x_T_early", "`inpaint` puts the known pixels into x_T before the first step, with the first noise for (9.1); the walk begins with x_T itself",
         "    x = torch.where(mask, renoise(known, 0, times[0], alpha_bar, noise[0, 0, 1]), x_T)\n    with torch.no_grad():\n        for t, s, rounds in"),
    edit("clean_in_x_T", "`inpaint` pastes the known pixels into x_T without noise before the first step", "    x = torch.where(mask, known, x_T)\n    with torch.no_grad():\n        for t, s, rounds in"),
    edit("starts_from_known", "`inpaint` starts from the known picture; it starts from x_T", "    x = renoise(known, 0, times[0], alpha_bar, x_T)\n    with torch.no_grad():\n        for t, s, rounds in"),
    edit("starts_from_own_noise", "`inpaint` starts from noise of its own; it starts from x_T", "    x = torch.randn_like(x_T)\n    with torch.no_grad():\n        for t, s, rounds in"),
    edit("inpaint_graph", "`inpaint` keeps the graph of all evaluations; no graph is needed", "    x = x_T\n    with torch.enable_grad():\n        for t, s, rounds in"),
    edit("inpaint_float32", "`inpaint` computes in float32 whatever comes in", "    x, known, noise = x_T.float(), known.float(), noise.float()\n    alpha_bar = alpha_bar.float()\n    with torch.no_grad():\n        for t, s, rounds in"),
    edit("grad_left_off", "`inpaint` turns gradients off and leaves them off", "    x = x_T\n    torch.set_grad_enabled(False)\n    with torch.no_grad():\n        for t, s, rounds in"),
    edit("x_T_in_place", "`inpaint` writes into x_T: arguments must stay as they are",
         "    x = x_T\n    with torch.no_grad():\n        x_T[mask.expand(x_T.shape)] = known[mask.expand(x_T.shape)]\n        for t, s, rounds in"),
)

mistakes.at(
    "                    x = renoise(x, s, t, alpha_bar, z_back)\n    return x",
    edit("pasted_at_the_end", "`inpaint` pastes the known pixels in without noise at the end, even where the walk ends before t = 0",
         "                    x = renoise(x, s, t, alpha_bar, z_back)\n    return torch.where(mask, known, x)"),
    edit("unknown_only_returned", "`inpaint` returns 0 where pixels are known", "                    x = renoise(x, s, t, alpha_bar, z_back)\n    return torch.where(mask, torch.zeros_like(x), x)"),
    edit("result_clamped", "`inpaint` cuts the result off at -1 and 1", "                    x = renoise(x, s, t, alpha_bar, z_back)\n    return x.clamp(-1, 1)"),
)


mistakes.at(
    "for r, (z_step, z_known, z_back) in enumerate(rounds):",
    edit("one_noise_for_all_three", "`inpaint` uses the step's noise for (9.1) and for going back, too; each has a noise of its own", "for r, (z_step, _, _) in enumerate(rounds):\n                z_known = z_back = z_step"),
    edit("first_round_for_all", "`inpaint` uses the noises of a step's first round in all its rounds", "for r, (z_step, z_known, z_back) in enumerate(rounds[:1].expand(rounds.shape)):"),
    edit("step_and_known_swapped", "`inpaint` swaps the noise of the step and that of (9.1)", "for r, (z_known, z_step, z_back) in enumerate(rounds):"),
    edit("known_and_back_swapped", "`inpaint` swaps the noise of (9.1) and that of going back", "for r, (z_step, z_back, z_known) in enumerate(rounds):"),
    edit("step_and_back_swapped", "`inpaint` swaps the noise of the step and that of going back", "for r, (z_back, z_known, z_step) in enumerate(rounds):"),
    edit("three_rounds_always", "`inpaint` makes three rounds a step: it counts the kinds of noise where it should count the rounds",
         "for r, (z_step, z_known, z_back) in enumerate(rounds[[min(k, len(rounds) - 1) for k in range(3)]]):", ("if r + 1 < len(rounds):", "if r + 1 < 3:")),
    edit("moved_by_one", "`inpaint` takes the noise of going back first, then those of the step and of (9.1)", "for r, (z_back, z_step, z_known) in enumerate(rounds):"),
)


@mistakes.rewrite("`inpaint` repeats the whole walk for each round; the rounds belong to each step")
def whole_walks(ref):
    def inpaint(step, model, known, mask, x_T, times, alpha_bar, noise):
        x = x_T
        with torch.no_grad():
            for r in range(noise.shape[1]):
                for t, s, z in zip(times[:-1], times[1:], noise[:, r]):
                    x = step(x, model(x, t.expand(len(x))), t, s, alpha_bar, z[0])
                    x = torch.where(mask, ref.renoise(known, 0, s, alpha_bar, z[1]), x)
                if r + 1 < noise.shape[1]:
                    x = ref.renoise(x, times[-1], times[0], alpha_bar, noise[-1, r, 2])
        return x

    return {"inpaint": inpaint}


@mistakes.rewrite("`inpaint` is the draft: known pixels carry the noise of t where the picture is at s, and rounds are ignored")
def the_draft(ref):
    return {"inpaint": ref.draft_inpaint}


@mistakes.rewrite("`inpaint` draws the unknown pixels without regard to the known ones (an ordinary sampler), and pastes these in at the end")
def paste(ref):
    def inpaint(step, model, known, mask, x_T, times, alpha_bar, noise):
        return torch.where(mask, known, ref.sample(step, model, x_T, times, alpha_bar, noise[:, 0, 0]))

    return {"inpaint": inpaint}


# --- sdedit --------------------------------------------------------------------------------------------------------

mistakes.at(
    "walk = torch.cat([times.new_tensor([t0]), times[times < t0]])",
    edit("whole_walk", "`sdedit` walks from the first of the times, though the picture is at t0: the network is told too much noise, and dreams", "walk = times"),
    edit("nearest_below", "`sdedit` starts the walk at the largest of the times that is not above t0; the picture is at t0 itself", "walk = times[times <= t0]"),
    edit("without_t0", "`sdedit` starts the walk at the first time below t0; the picture is at t0 itself", "walk = times[times < t0]"),
    edit("t0_twice", "`sdedit` has t0 twice in its walk if it is one of the times", "walk = torch.cat([times.new_tensor([t0]), times[times <= t0]])"),
    edit("t0_dropped", "`sdedit` leaves t0 out of the walk if it is one of the times; the walk begins at t0", "walk = times[times < t0] if bool((times == t0).any()) and t0 > 0 else torch.cat([times.new_tensor([t0]), times[times < t0]])"),
    edit("nearest_above", "`sdedit` starts the walk at the smallest of the times that is not below t0; the picture is at t0 itself",
         "walk = torch.cat([times[times >= t0][-1:], times[times < t0]])"),
    edit("times_above", "`sdedit` walks through the times above t0; those below lead to data", "walk = torch.cat([times.new_tensor([t0]), times[times > t0]])"),
    edit("walk_upwards", "`sdedit` walks from 0 up to t0; a walk goes down", "walk = torch.cat([times.new_tensor([t0]), times[times < t0]]).flip(0)"),
    edit("down_from_T", "`sdedit` walks upwards from t0, through the times above it; those below lead to data", "walk = torch.cat([times.new_tensor([t0]), times[times > t0].flip(0)])"),
    edit("ends_early", "`sdedit` leaves out the last step, to t = 0", "walk = torch.cat([times.new_tensor([t0]), times[times < t0]])[:-1]"),
    edit("skips_one", "`sdedit` leaves out the first of the times below t0", "walk = torch.cat([times.new_tensor([t0]), times[times < t0][1:]])"),
    edit("one_jump", "`sdedit` goes from t0 to 0 in one step; the times between are to be visited", "walk = torch.cat([times.new_tensor([t0]), times[-1:]])"),
    edit("even_times", "`sdedit` makes times of its own, evenly spaced from t0 to 0; it visits those of the list that lie below t0",
         "walk = torch.linspace(float(t0), 0, len(times), dtype=torch.float64).round().to(times)"),
    edit("scaled_times", "`sdedit` squeezes the whole list between t0 and 0; it visits the times of the list that lie below t0", "walk = (times * t0) // times[0]"),
    edit("as_many_steps", "`sdedit` makes evenly spaced times of its own between t0 and 0, as many as the list has below t0",
         "walk = torch.linspace(float(t0), 0, int((times < t0).sum()) + 1, dtype=torch.float64).round().to(times)"),
    edit("t0_as_place", "`sdedit` takes t0 for a place in the list; it is a time", "walk = times[min(t0, len(times) - 1):]"),
    edit("every_time_below", "`sdedit` walks through all times below t0, one by one; those of the list are to be visited", "walk = torch.arange(t0, max(t0 - len(noise), -1), -1, device=times.device)"),
    edit("every_second", "`sdedit` visits only every second of the times", "walk = torch.cat([times.new_tensor([t0]), times[times < t0]]); walk = torch.cat([walk[:-1:2], walk[-1:]]) if len(walk) > 1 else walk"),
    edit("nearest_time", "`sdedit` moves t0 to the nearest of the times; the picture goes to t0 itself, and the walk begins there",
         "t0 = int(times[(times - t0).abs().argmin()]); walk = times[times <= t0]"),
    edit("t0_as_share", "`sdedit` counts which share of the steps t0 / T is, and begins at that place of the list; t0 itself is where the walk begins",
         "k = len(times) - 1 - int(t0 / int(times[0]) * (len(times) - 1)); walk = times[k:]; t0 = int(walk[0])"),
    edit("t0_at_least_one", "`sdedit` puts 1 for t0 = 0, which changes the picture", "t0 = max(t0, 1); walk = torch.cat([times.new_tensor([t0]), times[times < t0]])"),
    edit("at_least_one", "`sdedit` makes a last step in any case, even for t0 = 0", "walk = torch.cat([times.new_tensor([max(t0, 1)]), times[times < max(t0, 1)]])"),
    edit("first_walk_told", "`sdedit` tells the model the first of the list's times in the first step", "walk = torch.cat([times[:1], times[times < t0]])"),
    edit("one_below", "`sdedit` starts the walk at t0 - 1; the picture is at t0", "walk = torch.cat([times.new_tensor([max(t0 - 1, 0)]), times[times < t0 - 1]])"),
)

mistakes.at(
    "return sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[1:])",
    edit("not_noised", "`sdedit` walks back from the picture without adding noise; then it is told noise that is not there",
         "return sample(step, model, x0, walk, alpha_bar, noise[1:])"),
    edit("up_from_t0", "`sdedit` takes the picture as if it were at t0, noises it up to T, and makes the whole walk; it noises from 0 to t0, and walks back from there",
         "return sample(step, model, renoise(x0, t0, times[0], alpha_bar, noise[0]), times, alpha_bar, noise[1:])"),
    edit("noised_to_T", "`sdedit` noises the picture to the first of the times; t0 is asked for", "return sample(step, model, renoise(x0, 0, times[0], alpha_bar, noise[0]), walk, alpha_bar, noise[1:])"),
    edit("noised_to_before", "`sdedit` noises the picture to t0 - 1; the walk begins at t0", "return sample(step, model, renoise(x0, 0, max(t0 - 1, 0), alpha_bar, noise[0]), walk, alpha_bar, noise[1:])"),
    edit("noised_to_after", "`sdedit` noises the picture to t0 + 1; the walk begins at t0", "return sample(step, model, renoise(x0, 0, min(t0 + 1, len(alpha_bar) - 1), alpha_bar, noise[0]), walk, alpha_bar, noise[1:])"),
    edit("only_noise", "`sdedit` starts from noise alone; the picture belongs into it", "return sample(step, model, renoise(0 * x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[1:])"),
    edit("pure_noise", "`sdedit` starts the walk from noise of variance 1 and forgets the picture", "return sample(step, model, noise[0], walk, alpha_bar, noise[1:])"),
    edit("picture_not_shrunk", "`sdedit` adds noise to the picture, but does not shrink it", "return sample(step, model, x0 + (1 - alpha_bar[t0]).sqrt() * noise[0], walk, alpha_bar, noise[1:])"),
    edit("noise_by_signal", "`sdedit` multiplies the noise by √ᾱ, too; √(1 - ᾱ) belongs there", "return sample(step, model, alpha_bar[t0].sqrt() * (x0 + noise[0]), walk, alpha_bar, noise[1:])"),
    edit("noise_missing", "`sdedit` shrinks the picture, but adds no noise", "return sample(step, model, alpha_bar[t0].sqrt() * x0, walk, alpha_bar, noise[1:])"),
    edit("mixed_without_roots", "`sdedit` mixes picture and noise by ᾱ and 1 - ᾱ; their roots belong there", "return sample(step, model, alpha_bar[t0] * x0 + (1 - alpha_bar[t0]) * noise[0], walk, alpha_bar, noise[1:])"),
    edit("mixed_by_share", "`sdedit` mixes picture and noise by t0 / T; the schedule says how much noise there is at t0",
         "return sample(step, model, (1 - t0 / (len(alpha_bar) - 1)) * x0 + t0 / (len(alpha_bar) - 1) * noise[0], walk, alpha_bar, noise[1:])"),
    edit("noise_used_twice", "`sdedit` uses noise[0] in the walk's first step again; step i has noise[i + 1]", "return sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise)"),
    edit("two_jumps", "`sdedit` noises the picture in two jumps with the same noise; their variances add up only if the noises are independent",
         "return sample(step, model, renoise(renoise(x0, 0, t0 // 2, alpha_bar, noise[0]), t0 // 2, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[1:])"),
    edit("pure_noise_at_T", "`sdedit` starts from noise alone where t0 = T; a schedule may leave a part of the picture there",
         "return sample(step, model, noise[0] if t0 == times[0] else renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[1:])"),
    edit("returned_near_data", "`sdedit` returns x0 where t0 is not above the last of the times but 0; it noises and walks from any t0 above 0",
         "return x0.clone() if t0 <= times[-2] else sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[1:])"),
    edit("walk_noise_backwards", "`sdedit` takes the noises of the walk from its last to its first", "return sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[1 : len(walk)].flip(0))"),
    edit("noise_from_the_end", "`sdedit` takes the last of the noises to reach t0; noise[0] is for it", "return sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[-1]), walk, alpha_bar, noise[1:])"),
    edit("noise_last_and_first", "`sdedit` takes the last noise to reach t0 and the others for the walk; the first is for reaching t0", "return sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[-1]), walk, alpha_bar, noise[:-1])"),
    edit("noise_by_place", "`sdedit` takes the noises at the places of the times in the whole list; step i of the walk has noise[i + 1]",
         "return sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[len(noise) - len(walk) + 1:])"),
    edit("one_noise", "`sdedit` uses noise[0] in all steps", "return sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[:1].expand(noise.shape))"),
    edit("no_noise_in_walk", "`sdedit` walks without noise", "return sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, 0 * noise[1:])"),
    edit("own_noise_in_walk", "`sdedit` draws noise of its own for the walk", "return sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, torch.randn_like(noise[1:]))"),
    edit("own_noise_to_t0", "`sdedit` draws noise of its own to reach t0; noise[0] is given for it", "return sample(step, model, renoise(x0, 0, t0, alpha_bar, torch.randn_like(x0)), walk, alpha_bar, noise[1:])"),
    edit("no_walk", "`sdedit` noises the picture and returns it; the walk back is missing", "return renoise(x0, 0, t0, alpha_bar, noise[0])"),
    edit("averaged_with_input", "`sdedit` mixes the result with the input", "return 0.5 * sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[1:]) + 0.5 * x0"),
    edit("sdedit_float32", "`sdedit` computes in float32 whatever comes in", "return sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[0]).float(), walk, alpha_bar, noise[1:].float())"),
    edit("sdedit_clamped", "`sdedit` cuts the result off at -1 and 1", "return sample(step, model, renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[1:]).clamp(-1, 1)"),
    edit("first_example", "`sdedit` edits the first picture alone and repeats it", "return sample(step, model, renoise(x0[:1].expand(x0.shape), 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[1:])"),
)
