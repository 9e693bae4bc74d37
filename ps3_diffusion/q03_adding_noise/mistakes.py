"""Named wrong versions of the answers to question 3."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- cosine_alpha_bar ------------------------------------------------------------------------------------------------

mistakes.at(
    "t = torch.arange(T + 1, dtype=torch.float64)",
    edit("t_from_one", "`cosine_alpha_bar` starts f at t = 1 (times 1 … T + 1); it runs over t = 0 … T",
         "t = torch.arange(1, T + 2, dtype=torch.float64)"),
    edit("no_entry_for_zero", "`cosine_alpha_bar` has T entries; there are T + 1, with the 1 at t = 0",
         "t = torch.arange(T, dtype=torch.float64)"),
    edit("one_entry_too_many", "`cosine_alpha_bar` has T + 2 entries; t = 0 … T are T + 1",
         "t = torch.arange(T + 2, dtype=torch.float64)"),
    edit("t_over_T_points", "there are T times between 0 and T, and so T levels; t = 0 … T are T + 1", "t = torch.linspace(0, T, T, dtype=torch.float64) if T > 1 else torch.zeros(1, dtype=torch.float64)"),
    edit("from_one_to_T", "f is taken at T + 1 times between 1 and T; they run over 0 … T", "t = torch.linspace(1, T, T + 1, dtype=torch.float64)"),
)

mistakes.at(
    "f = torch.cos((t / T + 0.008) / 1.008 * math.pi / 2).square()",
    edit("cosine_not_squared", "the cosine in f is not squared", "f = torch.cos((t / T + 0.008) / 1.008 * math.pi / 2)"),
    edit("no_offset", "the offset 0.008 is missing in f", "f = torch.cos(t / T * math.pi / 2).square()"),
    edit("offset_not_divided", "the offset is added in f, but t/T is not divided by 1.008", "f = torch.cos((t / T + 0.008) * math.pi / 2).square()"),
    edit("divided_only_t", "only t/T is divided by 1.008 in f, not the sum with 0.008", "f = torch.cos((t / T / 1.008 + 0.008) * math.pi / 2).square()"),
    edit("t_not_divided_by_T", "f takes t where t/T belongs", "f = torch.cos((t + 0.008) / 1.008 * math.pi / 2).square()"),
    edit("no_half", "f takes the cosine of π times the share, where π/2 belongs", "f = torch.cos((t / T + 0.008) / 1.008 * math.pi).square()"),
    edit("sine", "f takes the sine; it starts near 1 and falls to 0", "f = torch.sin((t / T + 0.008) / 1.008 * math.pi / 2).square() + 1e-9"),
    edit("between_steps", "f is taken half a step earlier; it is taken at t itself", "f = torch.cos(((t - 0.5).clamp(min=0) / T + 0.008) / 1.008 * math.pi / 2).square()"),
    edit("offset_in_radians", "the offset 0.008/1.008 is added to the angle, after the product with π/2", "f = torch.cos(t / T * math.pi / 2 + 0.008 / 1.008).square()"),
    edit("offset_in_angle", "the offset 0.008 is added to the angle, after the product with π/2", "f = torch.cos((t / T * math.pi / 2 + 0.008) / 1.008).square()"),
    edit("offset_subtracted", "the offset 0.008 is subtracted from t/T", "f = torch.cos((t / T - 0.008) / 1.008 * math.pi / 2).square()"),
    edit("offset_in_steps", "the offset 0.008 is added to t before the division by T; it belongs to the share t/T", "f = torch.cos((t + 0.008) / (T + 0.008) * math.pi / 2).square()"),
    edit("offset_not_in_divisor", "the sum is divided by 1.08; it is 1.008", "f = torch.cos((t / T + 0.008) / 1.08 * math.pi / 2).square()"),
    edit("fourth_power", "the cosine is squared twice", "f = torch.cos((t / T + 0.008) / 1.008 * math.pi / 2).square().square()"),
    edit("divided_by_T_plus_one", "t is divided by T + 1; the last time has the share 1", "f = torch.cos((t / (T + 1) + 0.008) / 1.008 * math.pi / 2).square()"),
    edit("divided_by_T_minus_one", "t is divided by T - 1; the last time has the share 1", "f = torch.cos((t / max(T - 1, 1) + 0.008) / 1.008 * math.pi / 2).square()"),
    edit("rounded_to_steps", "the offset is 0.08; it is 0.008", "f = torch.cos((t / T + 0.08) / 1.08 * math.pi / 2).square()"),
    edit("raised_cosine", "f is the squared cosine of half the angle, which is (1 + cos)/2 of the whole one; (3.3) squares the cosine of the whole angle", "f = (1 + torch.cos((t / T + 0.008) / 1.008 * math.pi / 2)) / 2"),
    edit("always_thousand", "t is divided by 1000; it is divided by T", "f = torch.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2).square()"),
    edit("whole_shares", "t is divided by T without remainder (`//`), so all shares but the last are 0", "f = torch.cos((t // T + 0.008) / 1.008 * math.pi / 2).square()"),
    edit("no_pi", "π is missing in the angle", "f = torch.cos((t / T + 0.008) / 1.008 / 2).square()"),
    edit("in_degrees", "the angle is in degrees; `cos` wants radians", "f = torch.cos((t / T + 0.008) / 1.008 * 90).square()"),
    edit("noise_share", "f is taken at 1 - t/T", "f = torch.cos((1 - t / T + 0.008) / 1.008 * math.pi / 2).square()"),
    edit("cosine_of_square", "the share is squared, not the cosine", "f = torch.cos(((t / T + 0.008) / 1.008).square() * math.pi / 2)"),
    edit("both_squared", "the angle's share is squared, too", "f = torch.cos(((t / T + 0.008) / 1.008).square() * math.pi / 2).square()"),
    edit("linear_f", "f is 1 - t/T, a straight line; (3.3) has a squared cosine", "f = (1 - t / T)"),
    edit("linear_betas", "the betas are those of the linear schedule; (3.3) makes them from a cosine", "f = F.pad((1 - torch.linspace(1e-4, 0.02, T, dtype=torch.float64) * 1000 / T).clamp(min=1e-9).cumprod(0), (1, 0), value=1.0)"),
)

mistakes.at(
    "beta = (1 - f[1:] / f[:-1]).clamp(max=0.999)",
    edit("beta_not_cut", "beta is not cut off at 0.999, or f(t)/f(0) is returned: the last level is 0 instead of a thousandth of the one before it", "beta = 1 - f[1:] / f[:-1]"),
    edit("cut_at_0_99", "beta is cut off at 0.99; it is 0.999", "beta = (1 - f[1:] / f[:-1]).clamp(max=0.99)"),
    edit("cut_at_0_9999", "beta is cut off at 0.9999; it is 0.999", "beta = (1 - f[1:] / f[:-1]).clamp(max=0.9999)"),
    edit("cut_at_0_9", "beta is cut off at 0.9; it is 0.999", "beta = (1 - f[1:] / f[:-1]).clamp(max=0.9)"),
    edit("cut_at_0_02", "beta is cut off at 0.02, where the linear schedule ends; it is 0.999", "beta = (1 - f[1:] / f[:-1]).clamp(max=0.02)"),
    edit("also_cut_below", "beta is cut off from below, too; the first steps of a long schedule are smaller than 0.001", "beta = (1 - f[1:] / f[:-1]).clamp(0.001, 0.999)"),
    edit("level_cut", "the level is cut off at 0.001; (3.3) cuts off beta", "beta = 1 - (f[1:] / f[0]).clamp(min=0.001) / torch.cat([f[:1] / f[0], (f[1:-1] / f[0]).clamp(min=0.001)])"),
    edit("ratio_to_first", "beta compares f(t) with f(0); a step is compared with the one before it", "beta = (1 - f[1:] / f[0]).clamp(max=0.999)"),
    edit("level_floored", "f(t)/f(0) is returned and kept above a small number; (3.3) cuts off beta", "beta = 1 - f[1:] / f[:-1]; return (f / f[0]).clamp(min=1e-5).float()"),
    edit("all_but_last", "the last step is left out", "beta = F.pad((1 - f[1:-1] / f[:-2]).clamp(max=0.999), (0, 1))"),
    edit("differences", "beta is the difference f(t-1) - f(t); (3.3) has their ratio", "beta = (f[:-1] - f[1:]).clamp(max=0.999)"),
    edit("ratio_upside_down", "the ratio in beta is upside down", "beta = (1 - f[:-1] / f[1:]).clamp(max=0.999)"),
    edit("ratio_less_one", "beta is f(t-1)/f(t) - 1; it is 1 - f(t)/f(t-1)", "beta = (f[:-1] / f[1:] - 1).clamp(max=0.999)"),
    edit("ratio_alone", "beta is f(t)/f(t-1), without being subtracted from 1", "beta = (f[1:] / f[:-1]).clamp(max=0.999)"),
    edit("maximum", "the larger of beta and 0.999 is taken; the smaller one belongs there", "beta = (1 - f[1:] / f[:-1]).clamp(min=0.999)"),
)

mistakes.at(
    "return F.pad((1 - beta).cumprod(0), (1, 0), value=1.0).float()",
    edit("returns_beta", "`cosine_alpha_bar` returns the betas; the levels are products of 1 - beta", "return F.pad(beta, (1, 0)).float()"),
    edit("returns_alpha", "`cosine_alpha_bar` returns 1 - beta of each step; the levels are their products", "return F.pad(1 - beta, (1, 0), value=1.0).float()"),
    edit("product_of_beta", "the betas are multiplied; the levels are products of 1 - beta", "return F.pad(beta.cumprod(0), (1, 0), value=1.0).float()"),
    edit("sum_of_beta", "the betas are added up; the levels are products of 1 - beta", "return F.pad(1 - beta.cumsum(0), (1, 0), value=1.0).float()"),
    edit("exponential_of_sum", "the level is exp(-sum of beta), which is right for tiny betas only; it is the product of 1 - beta", "return F.pad(torch.exp(-beta.cumsum(0)), (1, 0), value=1.0).float()"),
    edit("deviation_products", "1 - √beta is multiplied up; the levels are products of 1 - beta", "return F.pad((1 - beta.sqrt()).cumprod(0), (1, 0), value=1.0).float()"),
    edit("low_precision", "the levels are computed in half precision, which loses digits", "return F.pad((1 - beta).half().cumprod(0), (1, 0), value=1.0).float()"),
    edit("without_first", "the 1 at t = 0 is missing, so that `alpha_bar[t]` belongs to t + 1", "return (1 - beta).cumprod(0).float()"),
    edit("one_at_the_end", "the 1 comes at the end; it belongs to t = 0", "return F.pad((1 - beta).cumprod(0), (0, 1), value=1.0).float()"),
    edit("zero_first", "the first level is 0; at t = 0 it is 1", "return F.pad((1 - beta).cumprod(0), (1, 0)).float()"),
    edit("returns_f", "`cosine_alpha_bar` returns f itself, which is not 1 at t = 0, and does not cut off beta", "return f.float()"),
    edit("returns_sqrt", "`cosine_alpha_bar` returns the square roots of the levels", "return F.pad((1 - beta).cumprod(0), (1, 0), value=1.0).sqrt().float()"),
    edit("flipped", "the schedule runs backwards: it starts at noise", "return F.pad((1 - beta).cumprod(0), (1, 0), value=1.0).float().flip(0)"),
    edit("one_minus", "`cosine_alpha_bar` returns 1 - ᾱ, the variance of the noise", "return 1 - F.pad((1 - beta).cumprod(0), (1, 0), value=1.0).float()"),
    edit("list_returned", "`cosine_alpha_bar` returns a list; a tensor is asked for", "return F.pad((1 - beta).cumprod(0), (1, 0), value=1.0).tolist()"),
    edit("in_double", "`cosine_alpha_bar` returns float64; float32 is asked for, since networks cannot work with both", "return F.pad((1 - beta).cumprod(0), (1, 0), value=1.0)"),
    edit("squared_levels", "the levels are squared", "return F.pad((1 - beta).cumprod(0), (1, 0), value=1.0).square().float()"),
    edit("noise_product", "the last step is left out of the products, and the first twice", "return F.pad((1 - beta).cumprod(0)[:-1], (2, 0), value=1.0).float()"),
)

# --- zero_terminal_snr -----------------------------------------------------------------------------------------------

mistakes.at(
    "root = alpha_bar.sqrt()",
    edit("levels_not_roots", "`zero_terminal_snr` maps the levels themselves (or √(1 - ᾱ)); the map is of the levels' square roots", "root = alpha_bar.sqrt()",
         ("return ((root - root[-1]) / (1 - root[-1])).square()", "return (alpha_bar - alpha_bar[-1]) / (1 - alpha_bar[-1])")),
    edit("squared_twice", "`zero_terminal_snr` squares the levels at the end without having taken roots", "root = alpha_bar"),
    edit("root_in_place", "`zero_terminal_snr` changes its argument in place", "root = alpha_bar.sqrt_()"),
    edit("in_float32", "`zero_terminal_snr` computes in float32 whatever comes in", "root = alpha_bar.float().sqrt().to(alpha_bar)"),
    edit("other_dtype", "`zero_terminal_snr` returns float32 whatever comes in", "root = alpha_bar.float().sqrt()"),
)

mistakes.at(
    "return ((root - root[-1]) / (1 - root[-1])).square()",
    edit("root_returned", "`zero_terminal_snr` returns the mapped roots; the levels are their squares", "return (root - root[-1]) / (1 - root[-1])"),
    edit("not_stretched", "the roots are shifted, but not stretched: the first is no longer 1", "return (root - root[-1]).square()"),
    edit("stretched_wrongly", "the shifted roots are multiplied by 1 - root[-1]; they are to be divided by it", "return ((root - root[-1]) * (1 - root[-1])).square()"),
    edit("stretched_by_level", "the shifted roots are divided by 1 - ᾱ_T; the first one is 1 - √ᾱ_T", "return ((root - root[-1]) / (1 - alpha_bar[-1])).square()"),
    edit("only_last_set", "only the last level (or the last beta) is changed; the linear map changes all of them", "return torch.cat([alpha_bar[:-1], 0 * alpha_bar[-1:]])"),
    edit("set_to_almost_zero", "the last level becomes a small number; it is to be exactly 0", "return ((root - root[-1]) / (1 - root[-1])).square().clamp(min=1e-8)"),
    edit("last_beta_below_one", "the last level is made from a beta just below 1; it is to be exactly 0", "new = ((root - root[-1]) / (1 - root[-1])).square(); return torch.cat([new[:-1], 1e-8 * new[-2:-1]])"),
    edit("last_beta_0_999", "the last level is made from a beta of 0.999; it is to be exactly 0", "new = ((root - root[-1]) / (1 - root[-1])).square(); return torch.cat([new[:-1], 0.001 * new[-2:-1]])"),
    edit("numpy_returned", "`zero_terminal_snr` returns a numpy array; a tensor is asked for", "return (((root - root[-1]) / (1 - root[-1])).square()).numpy()"),
    edit("multiplied_by_rest", "the roots are multiplied by 1 - root[-1]; the last root is to be subtracted", "return (root * (1 - root[-1])).square()"),
    edit("divided_by_first_and_last", "the shifted roots are divided by 1 + root[-1]; by 1 - root[-1] is right", "return ((root - root[-1]) / (1 + root[-1])).square()"),
    edit("clamped_to_1e_5", "levels are cut off at a small number; the last one is to be exactly 0", "return ((root - root[-1]) / (1 - root[-1])).square().clamp(min=1e-5)"),
    edit("slope_and_one_minus", "a·√ᾱ + 1 - a with a rounded a is hardly ever exactly 0 at the end; subtract the last root first", "a = 1 / (1 - root[-1]); return (a * root + (1 - a)).square()"),
    edit("keeps_step_one", "the map keeps the level at t = 1; it is to keep the 1 at t = 0", "return torch.cat([root[:1], (root[1:] - root[-1]) * root[1] / (root[1] - root[-1])]).square()"),
    edit("keeps_step_one_everywhere", "the map keeps the level at t = 1, so the first becomes larger than 1; it is to keep the 1 at t = 0", "return ((root - root[-1]) * root[1] / (root[1] - root[-1])).square()"),
    edit("stretched_twice", "the shifted roots are divided by 1 - root[-1] twice, so the first is larger than 1", "return ((root - root[-1]) / (1 - root[-1]) ** 2).square()"),
    edit("subtracts_level", "the last level is subtracted from the roots; its square root belongs there", "return ((root - alpha_bar[-1]) / (1 - alpha_bar[-1])).square()"),
    edit("root_after_map", "the levels are mapped, and then the root is taken; it is the other way round, and the levels are squares of the mapped roots", "return ((alpha_bar - alpha_bar[-1]) / (1 - alpha_bar[-1])).sqrt()"),
    edit("divided_by_sum", "the shifted roots are divided by the sum of the roots; by 1 - root[-1] is right", "return ((root - root[-1]) / root.sum()).square()"),
    edit("first_not_mapped", "the roots are shifted but not stretched, and the 1 is put in front by hand", "return torch.cat([root[:1], (root - root[-1])[1:]]).square()"),
    edit("divided_by_first_difference", "the shifted roots are divided by the first step's difference", "return ((root - root[-1]) / (root[0] - root[1])).square()"),
    edit("divided_by_step_one", "the shifted roots are divided by that of t = 1; by that of t = 0, 1 - root[-1], is right", "return ((root - root[-1]) / (root[1] - root[-1])).square()"),
    edit("fades_linearly", "a term that grows with t is subtracted; the map is the same for all roots",
         "return (root - root[-1] * torch.arange(len(root), device=root.device) / (len(root) - 1)).square()"),
    edit("terminal_shortened", "the 1 at t = 0 is dropped; there are T + 1 entries", "return ((root - root[-1]) / (1 - root[-1])).square()[1:]"),
    edit("terminal_extended", "a 0 is appended, so the schedule has one step more; the last level itself becomes 0", "return torch.cat([alpha_bar, 0 * alpha_bar[-1:]])"),
    edit("terminal_sign", "the last root is added; it is to be subtracted", "return ((root + root[-1]) / (1 + root[-1])).square()"),
    edit("ramp", "the levels are multiplied by 1 - t/T; the map is linear in their square roots", "return alpha_bar * (1 - torch.arange(len(root), device=root.device) / (len(root) - 1))"),
    edit("ramp_of_roots", "the roots are multiplied by 1 - t/T; the map is the same for all of them", "return (root * (1 - torch.arange(len(root), device=root.device) / (len(root) - 1))).square()"),
    edit("divided_by_last", "the shifted roots are divided by the last root; by 1 - root[-1] is right", "return ((root - root[-1]) / root[-1].clamp(min=1e-6)).square()"),
    edit("only_shifted_levels", "the last level is subtracted from all levels, so that the first is no longer 1", "return alpha_bar - alpha_bar[-1]"),
    edit("fourth_powers", "the mapped roots are squared twice", "return ((root - root[-1]) / (1 - root[-1])).square().square()"),
    edit("terminal_snr", "the ratio of signal to noise is mapped, not the root of the level",
         "snr = alpha_bar / (1 - alpha_bar).clamp(min=1e-9); snr = snr - snr[-1]; return snr / (1 + snr)"),
)

# --- q_sample --------------------------------------------------------------------------------------------------------

mistakes.at(
    "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))",
    edit("shifted_back", "`q_sample` reads `alpha_bar[t - 1]`; alpha_bar has an entry for t = 0, so `alpha_bar[t]` is right", "level = alpha_bar[t - 1].reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("shifted_on", "`q_sample` reads the level of t + 1", "level = alpha_bar[(t + 1).clamp(max=len(alpha_bar) - 1)].reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("broadcast_along_columns", "the levels meet the last axis of x0, so each *column* gets a level; each example has its own", "level = alpha_bar[t]"),
    edit("single_column", "the levels get the shape (N, 1), which fits matrices alone", "level = alpha_bar[t][:, None]"),
    edit("for_images_only", "the levels get the shape (N, 1, 1, 1), which fits images alone", "level = alpha_bar[t][:, None, None, None]"),
    edit("images_and_matrices", "the levels fit matrices and images with four axes alone", "level = alpha_bar[t].reshape(-1, *[1] * (3 if x0.ndim > 2 else 1))"),
    edit("one_time_for_all", "the first example's time is used for all", "level = alpha_bar[t[:1]].reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("last_time_for_all", "the last example's time is used for all", "level = alpha_bar[t[-1:]].reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("level_averaged", "the levels of the batch are averaged; each example has its own", "level = alpha_bar[t].mean()"),
    edit("step_alpha", "`q_sample` takes 1 - β_t of the one step; from x0 it needs the product of all steps, alpha_bar", "level = (alpha_bar[t] / alpha_bar[(t - 1).clamp(min=0)]).reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("product_again", "the levels are multiplied up again; alpha_bar is the product already", "level = alpha_bar.cumprod(0)[t].reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("backwards", "the schedule is read from its end: t = 0 is data", "level = alpha_bar.flip(0)[t].reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("zero_is_one", "t = 0 is treated as t = 1; at t = 0 the result is x0", "level = alpha_bar[t.clamp(min=1)].reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("zero_wraps", "the levels are read without their first entry, at t - 1, so t = 0 wraps around to the last one; `alpha_bar[t]` needs no shift", "level = alpha_bar[1:][t - 1].reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("last_never_reached", "t = T is treated as t = T - 1", "level = alpha_bar[t.clamp(max=len(alpha_bar) - 2)].reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("largest_time_for_all", "the largest time of the batch is used for all", "level = alpha_bar[t.max()].reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("all_times_in_order", "the levels of t = 1, 2, 3, … are used for the examples in order; t is ignored", "level = alpha_bar[1 + torch.arange(len(t), device=t.device) % (len(alpha_bar) - 1)].reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("same_noise_in_each_step", "single steps are applied one after the other with the *same* noise; then the deviations add up, not the variances", """
         level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
         for k in range(1, len(alpha_bar)):
             alpha = alpha_bar[k] / alpha_bar[k - 1]
             x0 = torch.where((t >= k).reshape(level.shape), alpha.sqrt() * x0 + (1 - alpha).sqrt() * eps, x0)
         return x0
         """),
    edit("q_in_float32", "`q_sample` computes in float32 whatever comes in", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); dtype = x0.dtype; x0, eps, level = x0.float().to(dtype), eps.float().to(dtype), level.float().to(dtype)"),
    edit("q_level_floored", "the level is cut off at a small number; it may be 0", "level = alpha_bar[t].clamp(min=1e-3).reshape(-1, *[1] * (x0.ndim - 1))"),
    edit("own_noise", "`q_sample` draws noise of its own; the noise is `eps`", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); eps = torch.randn_like(eps)"),
    edit("own_noise_with_a_seed", "`q_sample` sets a seed and draws noise of its own; the noise is `eps`", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); torch.manual_seed(0); eps = torch.randn_like(eps)"),
    edit("first_noise_for_all", "the noise of the first example is used for all", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); eps = eps[:1]"),
    edit("x0_clipped", "x0 is cut off to [-1, 1]; it may have any size", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); x0 = x0.clamp(-1, 1)"),
    edit("x0_rescaled", "x0 is mapped by 2 x - 1; it is used as it is", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); x0 = 2 * x0 - 1"),
    edit("q_detached", "`q_sample` cuts x0 and eps off from autograd (`no_grad`, `.detach()` or `.data`)", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); x0, eps = x0.detach(), eps.detach()"),
    edit("x0_detached", "`q_sample` cuts x0 off from autograd, not the noise", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); x0 = x0.detach()"),
    edit("noise_detached", "`q_sample` cuts the noise off from autograd, not x0", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); eps = eps.detach()"),
    edit("in_half_precision", "`q_sample` computes in half precision, which loses digits", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); dtype = x0.dtype; return (level.sqrt().half() * x0.half() + (1 - level).sqrt().half() * eps.half()).to(dtype)"),
    edit("noise_standardised", "the noise is made to have mean 0 and variance 1 over the batch first", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); eps = (eps - eps.mean()) / eps.std()"),
    edit("x0_standardised", "x0 is made to have mean 0 and variance 1 over the batch first", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); x0 = (x0 - x0.mean()) / x0.std()"),
    edit("noise_of_one_step", "the noise has the variance β_t of one step; t steps have 1 - ᾱ_t", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); beta = 1 - level / alpha_bar[(t - 1).clamp(min=0)].reshape(level.shape); return level.sqrt() * x0 + beta.sqrt() * eps"),
    edit("signal_of_one_step", "x0 is multiplied by √(1 - β_t) of one step; t steps multiply it by √ᾱ_t", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); alpha = level / alpha_bar[(t - 1).clamp(min=0)].reshape(level.shape); return alpha.sqrt() * x0 + (1 - level).sqrt() * eps"),
    edit("noise_of_step_before", "the noise is that of t - 1, the signal that of t", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); return level.sqrt() * x0 + (1 - alpha_bar[(t - 1).clamp(min=0)].reshape(level.shape)).sqrt() * eps"),
    edit("deviations_added", "the deviations √β of the steps are added up; independent noises add their variances", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); d = F.pad((1 - alpha_bar[1:] / alpha_bar[:-1]).sqrt().cumsum(0), (1, 0))[t].reshape(level.shape); return level.sqrt() * x0 + d * eps"),
    edit("variances_added", "the variances β of the steps are added up; each later step shrinks the earlier noise", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); d = F.pad((1 - alpha_bar[1:] / alpha_bar[:-1]).cumsum(0), (1, 0))[t].reshape(level.shape).sqrt(); return level.sqrt() * x0 + d * eps"),
    edit("x0_in_place", "`q_sample` changes x0 in place", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); x0.data.mul_(level.sqrt()); return x0 + (1 - level).sqrt() * eps"),
    edit("eps_in_place", "`q_sample` changes eps in place", "level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)); eps.data.mul_((1 - level).sqrt()); return level.sqrt() * x0 + eps"),
)

mistakes.at(
    "return level.sqrt() * x0 + (1 - level).sqrt() * eps",
    edit("no_roots", "both square roots of (3.2) are missing", "return level * x0 + (1 - level) * eps"),
    edit("no_root_of_signal", "x0 is multiplied by ᾱ; its square root belongs there", "return level * x0 + (1 - level).sqrt() * eps"),
    edit("no_root_of_noise", "eps is multiplied by the variance 1 - ᾱ; the standard deviation belongs there", "return level.sqrt() * x0 + (1 - level) * eps"),
    edit("one_minus_root", "eps is multiplied by 1 - √ᾱ; √(1 - ᾱ) belongs there", "return level.sqrt() * x0 + (1 - level.sqrt()) * eps"),
    edit("one_minus_deviation", "x0 is multiplied by 1 - √(1 - ᾱ); √ᾱ belongs there", "return (1 - (1 - level).sqrt()) * x0 + (1 - level).sqrt() * eps"),
    edit("noise_of_first", "eps has the factor of the first example's level; each example has its own", "return level.sqrt() * x0 + (1 - level[:1]).sqrt() * eps"),
    edit("signal_of_first", "x0 has the factor of the first example's level; each example has its own", "return level[:1].sqrt() * x0 + (1 - level).sqrt() * eps"),
    edit("added_once", "x_t is √ᾱ (x0 + √(1 - ᾱ) eps): the noise is shrunk twice", "return level.sqrt() * (x0 + (1 - level).sqrt() * eps)"),
    edit("noise_by_snr", "eps is multiplied by the ratio √(1 - ᾱ)/√ᾱ; √(1 - ᾱ) belongs there", "return level.sqrt() * x0 + ((1 - level) / level.clamp(min=1e-9)).sqrt() * eps"),
    edit("roles_exchanged", "x0 and eps exchange their factors", "return (1 - level).sqrt() * x0 + level.sqrt() * eps"),
    edit("x0_kept_whole", "x0 is not shrunk; (3.2) multiplies it by √ᾱ", "return x0 + (1 - level).sqrt() * eps"),
    edit("noise_kept_whole", "eps is not shrunk; (3.2) multiplies it by √(1 - ᾱ)", "return level.sqrt() * x0 + eps"),
    edit("no_noise", "the noise is left away", "return level.sqrt() * x0 + 0 * eps"),
    edit("noise_subtracted", "the noise is subtracted; (3.2) adds it", "return level.sqrt() * x0 - (1 - level).sqrt() * eps"),
    edit("snr_noise", "the noise is scaled as if x0 had been left as it is (divided by √ᾱ); the variance is not kept", "return x0 + ((1 - level) / level.clamp(min=1e-9)).sqrt() * eps"),
    edit("constant_in_noise", "a small constant is added to 1 - ᾱ; at t = 0 there is no noise", "return level.sqrt() * x0 + (1 - level + 1e-6).sqrt() * eps"),
    edit("tiny_constant_in_noise", "a tiny constant is added to 1 - ᾱ; at t = 0 there is no noise", "return level.sqrt() * x0 + (1 - level + 1e-8).sqrt() * eps"),
    edit("larger_constant_in_noise", "a constant is added to 1 - ᾱ; at t = 0 there is no noise", "return level.sqrt() * x0 + (1 - level + 1e-5).sqrt() * eps"),
    edit("constant_beside_root", "a constant is added to √(1 - ᾱ); at t = 0 there is no noise", "return level.sqrt() * x0 + ((1 - level).sqrt() + 1e-5) * eps"),
    edit("tiny_constant_beside_root", "a constant is added to √(1 - ᾱ); at t = 0 there is no noise", "return level.sqrt() * x0 + ((1 - level).sqrt() + 1e-8) * eps"),
    edit("zero_by_first", "the whole batch is returned as x0 if its first t is 0; each example has a time of its own", "return x0 if t[0] == 0 else level.sqrt() * x0 + (1 - level).sqrt() * eps"),
    edit("zero_by_any", "the whole batch is returned as x0 if any t in it is 0; each example has a time of its own", "return x0 if (t == 0).any() else level.sqrt() * x0 + (1 - level).sqrt() * eps"),
    edit("zero_by_last", "the whole batch is returned as x0 if its last t is 0; each example has a time of its own", "return x0 if t[-1] == 0 else level.sqrt() * x0 + (1 - level).sqrt() * eps"),
    edit("q_result_clipped", "the result is cut off; noisy pictures have any size", "return (level.sqrt() * x0 + (1 - level).sqrt() * eps).clamp(-3, 3)"),
    edit("q_result_standardised", "the result is divided by its standard deviation over the batch", "x_t = level.sqrt() * x0 + (1 - level).sqrt() * eps; return x_t / x_t.std()"),
    edit("roots_twice", "the square roots are taken twice", "return level**0.25 * x0 + (1 - level) ** 0.25 * eps"),
    edit("root_of_one_minus_root", "eps is multiplied by √(1 - √ᾱ); √(1 - ᾱ) belongs there", "return level.sqrt() * x0 + (1 - level.sqrt()).sqrt() * eps"),
    edit("signal_as_noise", "x0 and eps have the same factor √ᾱ", "return level.sqrt() * (x0 + eps)"),
    edit("noise_linear", "x0 is multiplied by 1 - √ᾱ and eps by √ᾱ; (3.2) has √ᾱ and √(1 - ᾱ)", "return (1 - level.sqrt()) * x0 + level.sqrt() * eps"),
    edit("noise_without_data", "the data are left away", "return (1 - level).sqrt() * eps + 0 * x0"),
    edit("q_returns_pair", "`q_sample` returns the noise as well; x_t alone is asked for", "return level.sqrt() * x0 + (1 - level).sqrt() * eps, eps"),
    edit("q_squeezed", "`q_sample` squeezes its result, so axes of length 1 are lost", "return (level.sqrt() * x0 + (1 - level).sqrt() * eps).squeeze()"),
)

# --- posterior -------------------------------------------------------------------------------------------------------

mistakes.at(
    "now, before = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))",
    edit("one_later", "`posterior` reads the levels of t + 1 and t; it needs those of t and t - 1",
         "now, before = (alpha_bar[s.clamp(max=len(alpha_bar) - 1)].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t + 1, t))"),
    edit("one_earlier", "`posterior` reads the levels of t - 1 and t - 2; it needs those of t and t - 1",
         "now, before = (alpha_bar[s.clamp(min=0)].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t - 1, t - 2))"),
    edit("levels_swapped", "`posterior` exchanges the levels of t and t - 1", "before, now = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))"),
    edit("before_is_next", "`posterior` takes the level of t + 1 where that of t - 1 belongs", "now, before = (alpha_bar[s.clamp(max=len(alpha_bar) - 1)].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t + 1))"),
    edit("posterior_columns", "the levels meet the last axis, so each *column* gets a level; each example has its own",
         "now, before = (alpha_bar[s] for s in (t, t - 1))"),
    edit("posterior_single_column", "the levels get the shape (N, 1), which fits matrices alone", "now, before = (alpha_bar[s][:, None] for s in (t, t - 1))"),
    edit("posterior_images_only", "the levels get the shape (N, 1, 1, 1), which fits images alone", "now, before = (alpha_bar[s][:, None, None, None] for s in (t, t - 1))"),
    edit("posterior_images_and_matrices", "the levels fit matrices and images with four axes alone", "now, before = (alpha_bar[s].reshape(-1, *[1] * (3 if x_t.ndim > 2 else 1)) for s in (t, t - 1))"),
    edit("posterior_one_time", "the first example's time is used for all", "now, before = (alpha_bar[s[:1]].expand(len(s)).reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))"),
    edit("two_steps_back", "`posterior` reads the levels of t and t - 2: a step of two", "now, before = (alpha_bar[s.clamp(min=0)].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 2))"),
    edit("first_step_as_second", "t = 1 is treated as t = 2; there the result is (x0, 0)", "now, before = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t.clamp(min=2), t.clamp(min=2) - 1))"),
    edit("step_from_zero", "the level before is 1 for every t, as if each step began at t = 0", "now, before = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, 0 * t))"),
    edit("posterior_in_float32", "`posterior` computes in float32 whatever comes in",
         "now, before = (alpha_bar[s].float().to(x_t.dtype).reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))"),
    edit("posterior_detached", "`posterior` cuts x_t and x0 off from autograd", "x_t, x0 = x_t.detach(), x0.detach(); now, before = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))"),
    edit("posterior_x0_detached", "`posterior` cuts x0 off from autograd, not x_t", "x0 = x0.detach(); now, before = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))"),
    edit("posterior_x_t_detached", "`posterior` cuts x_t off from autograd, not x0", "x_t = x_t.detach(); now, before = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))"),
    edit("posterior_x0_clipped", "x0 is cut off to [-1, 1]; it may have any size", "x0 = x0.clamp(-1, 1); now, before = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))"),
    edit("level_now_floored", "levels are cut off at a small number; the last one may be 0", "now, before = (alpha_bar[s].clamp(min=1e-3).reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))"),
    edit("reads_the_product_again", "the levels are multiplied up again; alpha_bar is the product already", "now, before = (alpha_bar.cumprod(0)[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))"),
)

mistakes.at(
    "alpha = now / before",
    edit("alpha_is_level", "ᾱ_t is taken for the single step's 1 - β_t; that is ᾱ_t / ᾱ_{t-1}", "alpha = now"),
    edit("alpha_upside_down", "1 - β_t is taken as ᾱ_{t-1} / ᾱ_t; the ratio is upside down", "alpha = before / now"),
    edit("alpha_is_difference", "β_t is taken as ᾱ_{t-1} - ᾱ_t; it is 1 - ᾱ_t / ᾱ_{t-1}", "alpha = 1 - before + now"),
    edit("alpha_of_next", "1 - β_t is taken from the levels of t + 1 and t; it is ᾱ_t / ᾱ_{t-1}", "alpha = alpha_bar[(t + 1).clamp(max=len(alpha_bar) - 1)].reshape(now.shape) / now"),
    edit("alpha_of_before", "1 - β_t is taken as ᾱ_{t-1}", "alpha = before"),
    edit("alpha_root", "1 - β_t is taken as √(ᾱ_t / ᾱ_{t-1})", "alpha = (now / before).sqrt()"),
    edit("alpha_squared", "1 - β_t is taken as (ᾱ_t / ᾱ_{t-1})²", "alpha = (now / before).square()"),
    edit("alpha_of_noises", "1 - β_t is taken as (1 - ᾱ_{t-1}) / (1 - ᾱ_t), the ratio of the noises; it is ᾱ_t / ᾱ_{t-1}", "alpha = (1 - before) / (1 - now)"),
    edit("beta_for_alpha", "β_t is taken where 1 - β_t belongs, and the other way round", "alpha = 1 - now / before"),
    edit("beta_cut", "β_t is cut off at 0.999; the last step of a schedule that ends at 0 has β = 1", "alpha = (now / before).clamp(min=0.001)"),
)

mistakes.at(
    "mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)",
    edit("coefficients_exchanged", "the mean exchanges the weights of x0 and x_t (or the two arguments themselves)", "mean = (before.sqrt() * (1 - alpha) * x_t + alpha.sqrt() * (1 - before) * x0) / (1 - now)"),
    edit("mean_not_divided", "the mean's weights are not divided by 1 - ᾱ_t, so the precisions are not normalised", "mean = before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t"),
    edit("mean_clipped", "the mean is cut off to [-1, 1]; it may have any size", "mean = ((before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)).clamp(-1, 1)"),
    edit("x0_not_divided", "the weight of x0 is not divided by 1 - ᾱ_t", "mean = before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t / (1 - now)"),
    edit("x_t_not_divided", "the weight of x_t is not divided by 1 - ᾱ_t", "mean = before.sqrt() * (1 - alpha) * x0 / (1 - now) + alpha.sqrt() * (1 - before) * x_t"),
    edit("x0_without_beta", "the weight of x0 lacks β_t, the measurement's variance", "mean = (before.sqrt() * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("x_t_without_noise", "the weight of x_t lacks 1 - ᾱ_{t-1}, the prior's variance", "mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * x_t) / (1 - now)"),
    edit("x_t_level_before", "x_t is weighted by √ᾱ_{t-1}; the square root of the single step's 1 - β_t belongs there", "mean = (before.sqrt() * (1 - alpha) * x0 + before.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("x0_alpha_root", "x0 is weighted by √(1 - β_t); the prior's mean is √ᾱ_{t-1} x0", "mean = (alpha.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("roots_of_weights_exchanged", "the two square roots in the mean's weights are exchanged", "mean = (alpha.sqrt() * (1 - alpha) * x0 + before.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("x0_noise_of_now", "x0 is weighted by 1 - ᾱ_t where β_t belongs", "mean = (before.sqrt() * (1 - now) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("x_t_beta", "x_t is weighted by β_t where 1 - ᾱ_{t-1} belongs", "mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - alpha) * x_t) / (1 - now)"),
    edit("x0_level_before", "x0 is weighted by 1 - ᾱ_{t-1} where β_t belongs", "mean = (before.sqrt() * (1 - before) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("no_root_at_x0", "x0 is weighted by ᾱ_{t-1}; the prior's mean is √ᾱ_{t-1} x0", "mean = (before * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("no_root_at_x_t", "x_t is weighted by 1 - β_t; the square root belongs there", "mean = (before.sqrt() * (1 - alpha) * x0 + alpha * (1 - before) * x_t) / (1 - now)"),
    edit("x0_of_now", "x0 is weighted by √ᾱ_t; the prior's mean is √ᾱ_{t-1} x0", "mean = (now.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("x_t_level_root", "x_t is weighted by √ᾱ_t; the square root of the single step's 1 - β_t belongs there", "mean = (before.sqrt() * (1 - alpha) * x0 + now.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("x0_unscaled", "x0 is taken as the mean of x_{t-1}; without a measurement that is √ᾱ_{t-1} x0", "mean = ((1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("x_t_unscaled", "the weight of x_t lacks √(1 - β_t): (3.1) shrinks x_{t-1} before noise is added", "mean = (before.sqrt() * (1 - alpha) * x0 + (1 - before) * x_t) / (1 - now)"),
    edit("x_t_noise_now", "x_t is weighted with 1 - ᾱ_t; the prior's variance is 1 - ᾱ_{t-1}", "mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - now) * x_t) / (1 - now)"),
    edit("divided_by_noise_before", "the mean is divided by 1 - ᾱ_{t-1}; the common denominator is 1 - ᾱ_t", "mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - before).clamp(min=1e-6)"),
    edit("mean_without_x_t", "the mean leaves x_t away: it is the prior's, √ᾱ_{t-1} x0", "mean = before.sqrt() * x0 + 0 * x_t"),
    edit("mean_averaged", "prior and measurement are averaged with equal weights; the one with the smaller variance counts more", "mean = 0.5 * (before.sqrt() * x0 + x_t / alpha.sqrt().clamp(min=1e-6))"),
    edit("weights_by_variance", "prior and measurement are weighted by their variances; their precisions, 1/variance, are right", "mean = ((1 - before) * before.sqrt() * x0 + (1 - alpha) / alpha.clamp(min=1e-6) * x_t / alpha.sqrt().clamp(min=1e-6)) / (1 - before + (1 - alpha) / alpha.clamp(min=1e-6))"),
    edit("measurement_variance", "the measurement's precision is taken as 1/β_t; it is (1 - β_t)/β_t, since (3.1) shrinks x_{t-1} before adding noise", "mean = ((1 - alpha) * before.sqrt() * x0 + (1 - before) * x_t / alpha.sqrt().clamp(min=1e-6)) / (1 - alpha + 1 - before)"),
    edit("ddim_to_clean", "the mean is x0 itself", "mean = x0 + 0 * x_t"),
    edit("mean_x_t_itself", "the mean is x_t shrunk by √(1 - β_t): that is the step forward", "mean = alpha.sqrt() * x_t + 0 * x0"),
    edit("mean_without_x0", "the mean leaves x0 away", "mean = alpha.sqrt() * (1 - before) * x_t / (1 - now) + 0 * x0"),
    edit("mean_of_step", "the mean undoes one step, x_t / √(1 - β_t), and forgets the prior", "mean = x_t / alpha.sqrt().clamp(min=1e-6) + 0 * x0"),
    edit("sign_in_mean", "the part of x0 is subtracted from the part of x_t", "mean = (alpha.sqrt() * (1 - before) * x_t - before.sqrt() * (1 - alpha) * x0) / (1 - now)"),
    edit("root_of_beta", "x0 is weighted with √β_t; β_t belongs there, the measurement's variance", "mean = (before.sqrt() * (1 - alpha).sqrt() * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("noise_form_sign", "the noise form of the mean adds the noise; it is to be subtracted", "e = (x_t - now.sqrt() * x0) / (1 - now).sqrt(); mean = (x_t + (1 - alpha) / (1 - now).sqrt() * e) / alpha.sqrt()"),
    edit("noise_form_floored", "the form with the noise divides by √(1 - β_t), kept above a small number; where ᾱ_T is 0, x0's part is lost", "e = (x_t - now.sqrt() * x0) / (1 - now).sqrt(); mean = (x_t - (1 - alpha) / (1 - now).sqrt() * e) / alpha.sqrt().clamp(min=1e-4)"),
    edit("noise_form", "the mean divides by √(1 - β_t) (the form with the noise), which fails where ᾱ_T is 0", "e = (x_t - now.sqrt() * x0) / (1 - now).sqrt(); mean = (x_t - (1 - alpha) / (1 - now).sqrt() * e) / alpha.sqrt()"),
    edit("noise_form_without_root", "the noise form of the mean multiplies the noise by β_t; it is β_t/√(1 - ᾱ_t)", "e = (x_t - now.sqrt() * x0) / (1 - now).sqrt(); mean = (x_t - (1 - alpha) * e) / alpha.sqrt()"),
    edit("ddim_mean", "the mean keeps all of the noise in x_t, √(1 - ᾱ_{t-1}) of it (a step without variance)", "mean = before.sqrt() * x0 + (1 - before).sqrt() * (x_t - now.sqrt() * x0) / (1 - now).sqrt()"),
    edit("no_roots_in_mean", "both square roots are missing in the mean's weights", "mean = (before * (1 - alpha) * x0 + alpha * (1 - before) * x_t) / (1 - now)"),
    edit("ddim_form_without_root", "the noise left in the mean is 1 - ᾱ_{t-1} - variance of it; the square root belongs there",
         "v = (1 - alpha) * (1 - before) / (1 - now); mean = before.sqrt() * x0 + (1 - before - v) * (x_t - now.sqrt() * x0) / (1 - now).sqrt()"),
    edit("alpha_for_beta_in_mean", "x0 is weighted with 1 - β_t where β_t belongs", "mean = (before.sqrt() * alpha * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("mean_divided_by_root", "the mean is divided by √(1 - ᾱ_t); by 1 - ᾱ_t is right", "mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now).sqrt()"),
    edit("noise_for_x0", "the mean takes the noise where x0 belongs", "e = (x_t - now.sqrt() * x0) / (1 - now).sqrt(); mean = (before.sqrt() * (1 - alpha) * e + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("root_of_noise_before", "x_t is weighted with √(1 - ᾱ_{t-1}); 1 - ᾱ_{t-1} belongs there, the prior's variance", "mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before).sqrt() * x_t) / (1 - now)"),
    edit("drift_to_x0", "the mean keeps all of x_t's deviation from √ᾱ_t x0; a part of it is noise of the last step", "mean = before.sqrt() * x0 + (x_t - now.sqrt() * x0)"),
    edit("both_constant", "a constant is added to the denominator 1 - ᾱ_t; at t = 1 the mean is x0", "now = now - 1e-5; mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("both_tiny_constant", "a tiny constant is added to the denominator 1 - ᾱ_t, which costs digits", "now = now - 1e-8; mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)"),
    edit("first_step_by_first", "the whole batch gets (x0, 0) if its first t is 1; each example has a time of its own", """
         mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)
         if t[0] == 1:
             return x0, torch.zeros_like(now)
         """),
    edit("first_step_by_last", "the whole batch gets (x0, 0) if its last t is 1; each example has a time of its own", """
         mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)
         if t[-1] == 1:
             return x0, torch.zeros_like(now)
         """),
    edit("first_step_by_any", "the whole batch gets (x0, 0) if any t in it is 1; each example has a time of its own", """
         mean = (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now)
         if (t == 1).any():
             return x0, torch.zeros_like(now)
         """),
    edit("no_noise_left_is_x0", "at t = 1 the mean is x_t; it is x0", "mean = torch.where((t == 1).reshape(now.shape), x_t, (before.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - before) * x_t) / (1 - now))"),
)

mistakes.at(
    "return mean, (1 - alpha) * (1 - before) / (1 - now)",
    edit("variance_beta", "the variance is β_t, that of the step forward; knowing x0 makes it smaller", "return mean, 1 - alpha"),
    edit("variance_upside_down", "the variance has the fraction upside down: β_t (1 - ᾱ_t)/(1 - ᾱ_{t-1})", "return mean, (1 - alpha) * (1 - now) / (1 - before).clamp(min=1e-6)"),
    edit("standard_deviation", "the second result is the standard deviation; the variance is asked for", "return mean, ((1 - alpha) * (1 - before) / (1 - now)).sqrt()"),
    edit("log_variance", "the second result is the logarithm of the variance", "return mean, ((1 - alpha) * (1 - before) / (1 - now)).clamp(min=1e-20).log()"),
    edit("precision", "the second result is the precision, 1/variance", "return mean, (1 - now) / ((1 - alpha) * (1 - before)).clamp(min=1e-20)"),
    edit("variance_not_divided", "the variance is not divided by 1 - ᾱ_t", "return mean, (1 - alpha) * (1 - before)"),
    edit("variance_without_beta", "the variance lacks the factor β_t", "return mean, (1 - before) / (1 - now)"),
    edit("variance_of_prior", "the variance is the prior's, 1 - ᾱ_{t-1}; x_t tells more", "return mean, 1 - before"),
    edit("variance_of_now", "the variance is 1 - ᾱ_t, that of x_t", "return mean, 1 - now"),
    edit("variance_with_alpha", "the variance has 1 - β_t where β_t belongs", "return mean, alpha * (1 - before) / (1 - now)"),
    edit("variance_flat", "the variance has the shape (N,); a sampler needs (N, 1, …, 1)", "return mean, ((1 - alpha) * (1 - before) / (1 - now)).flatten()"),
    edit("variance_everywhere", "the variance has the shape of x_t; (N, 1, …, 1) is asked for", "return mean, ((1 - alpha) * (1 - before) / (1 - now)).expand_as(x_t)"),
    edit("variance_column", "the variance has the shape (N, 1) always; it needs as many axes as x_t", "return mean, ((1 - alpha) * (1 - before) / (1 - now)).reshape(-1, 1)"),
    edit("variances_of_sum", "the variances of prior and measurement are added; their precisions add up", "return mean, 1 - before + 1 - alpha"),
    edit("variance_squared", "the variance is squared", "return mean, ((1 - alpha) * (1 - before) / (1 - now)).square()"),
    edit("variance_plus_constant", "a small constant is added to the variance; at t = 1 it is 0", "return mean, (1 - alpha) * (1 - before) / (1 - now) + 1e-4"),
    edit("variance_negative_beta", "the variance takes ᾱ_{t-1} where 1 - ᾱ_{t-1} belongs", "return mean, (1 - alpha) * before / (1 - now)"),
    edit("variance_cut", "the variance is cut off from below; at t = 1 it is 0", "return mean, ((1 - alpha) * (1 - before) / (1 - now)).clamp(min=1e-4)"),
    edit("variance_cut_little", "the variance is not let below a tiny number; at t = 1 it is 0", "return mean, ((1 - alpha) * (1 - before) / (1 - now)).clamp(min=1e-5)"),
    edit("first_variance_copied", "at t = 1 the variance of another step is used; it is 0 there", "return mean, torch.where(t.reshape(before.shape) == 1, 1 - alpha, (1 - alpha) * (1 - before) / (1 - now))"),
    edit("first_variance_of_second", "at t = 1 the variance of t = 2 is used; it is 0 there",
         "b = 1 - alpha_bar[1:] / alpha_bar[:-1]; v = b * (1 - alpha_bar[:-1]) / (1 - alpha_bar[1:]); return mean, torch.cat([v[1:2] if len(v) > 1 else v, v[1:]])[t - 1].reshape(now.shape)"),
    edit("variance_shifted", "the variance is that of the step before, with t - 1",
         "b = 1 - alpha_bar[1:] / alpha_bar[:-1]; v = b * (1 - alpha_bar[:-1]) / (1 - alpha_bar[1:]); return mean, v[(t - 2).clamp(min=0)].reshape(now.shape)"),
    edit("variance_first_example", "the variance of the first example is used for all", "return mean, ((1 - alpha) * (1 - before) / (1 - now))[:1].expand(len(x_t), *[1] * (x_t.ndim - 1))"),
    edit("variance_by_root", "the variance is divided by √(1 - ᾱ_t)", "return mean, (1 - alpha) * (1 - before) / (1 - now).sqrt()"),
    edit("variance_root_beta", "the variance has √β_t where β_t belongs", "return mean, (1 - alpha).sqrt() * (1 - before) / (1 - now)"),
    edit("variance_plus_tiny_constant", "a tiny constant is added to the variance; at t = 1 it is 0", "return mean, (1 - alpha) * (1 - before) / (1 - now) + 1e-5"),
    edit("variance_scalar", "one variance, the first example's, is returned as a single number; each example has its own", "return mean, ((1 - alpha) * (1 - before) / (1 - now)).flatten()[0]"),
    edit("variance_no_prior", "the variance is β_t/(1 - ᾱ_t); the factor 1 - ᾱ_{t-1} is missing", "return mean, (1 - alpha) / (1 - now)"),
    edit("variance_of_measurement", "the variance is β_t/(1 - β_t), that of the measurement alone; the prior makes it smaller", "return mean, (1 - alpha) / alpha"),
    edit("variance_difference", "the variance is the difference of 1 - ᾱ_t and 1 - ᾱ_{t-1}", "return mean, before - now"),
    edit("variance_halved", "the variance is halved", "return mean, 0.5 * (1 - alpha) * (1 - before) / (1 - now)"),
    edit("variance_not_of_1", "the variance is β_t, except at t = 1, where it is 0; that is the variance of the step forward", "return mean, torch.where(before == 1, 0 * alpha, 1 - alpha)"),
    edit("noisy_mean", "noise is added to the mean; a sampler does that", "v = (1 - alpha) * (1 - before) / (1 - now); torch.manual_seed(0); return mean + v.sqrt() * torch.randn_like(mean), v"),
    edit("results_exchanged", "variance and mean are exchanged", "return (1 - alpha) * (1 - before) / (1 - now), mean"),
    edit("mean_alone", "`posterior` returns the mean alone", "return mean"),
)


@mistakes.rewrite("the precisions form 1/(1 - ᾱ_{t-1}) divides by 0 at t = 1, so the mean there is NaN")
def precisions(ref):
    def posterior(x_t, x0, t, alpha_bar):
        now, before = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))
        alpha = now / before
        variance = 1 / (1 / (1 - before) + alpha / (1 - alpha))
        return variance * (before.sqrt() / (1 - before) * x0 + alpha.sqrt() / (1 - alpha) * x_t), variance

    return {"posterior": posterior}


@mistakes.rewrite("the precisions form 1/(1 - ᾱ_{t-1}) gives NaN at t = 1, and `nan_to_num` makes 0 of it; the mean there is x0")
def precisions_nan_to_num(ref):
    def posterior(x_t, x0, t, alpha_bar):
        now, before = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))
        alpha = now / before
        variance = 1 / (1 / (1 - before) + alpha / (1 - alpha))
        return (variance * (before.sqrt() / (1 - before) * x0 + alpha.sqrt() / (1 - alpha) * x_t)).nan_to_num(), variance

    return {"posterior": posterior}


@mistakes.rewrite("a small constant keeps the precisions form from dividing by 0; at t = 1 the result is no longer exactly (x0, 0)")
def precisions_with_a_constant(ref):
    def posterior(x_t, x0, t, alpha_bar):
        now, before = (alpha_bar[s].reshape(-1, *[1] * (x_t.ndim - 1)) for s in (t, t - 1))
        alpha = now / before
        prior, noise = 1 - before + 1e-5, 1 - alpha + 1e-5
        variance = 1 / (1 / prior + alpha / noise)
        return variance * (before.sqrt() / prior * x0 + alpha.sqrt() / noise * x_t), variance

    return {"posterior": posterior}


# --- convert ---------------------------------------------------------------------------------------------------------

mistakes.at(
    "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()",
    edit("convert_no_roots", "`convert` takes ᾱ and 1 - ᾱ themselves; their square roots belong into the formulas", "a, s = alpha_bar_t, 1 - alpha_bar_t"),
    edit("convert_exchanged", "`convert` exchanges √ᾱ and √(1 - ᾱ)", "s, a = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("convert_one_minus_root", "`convert` takes 1 - √ᾱ for the noise's factor; it is √(1 - ᾱ)", "a = alpha_bar_t.sqrt(); s = 1 - a"),
    edit("convert_floored", "√ᾱ is not let below a small number; where nothing is left, it is 0", "a, s = alpha_bar_t.sqrt().clamp(min=0.05), (1 - alpha_bar_t).sqrt()"),
    edit("convert_constant", "a constant is added to ᾱ, which changes all four where little signal is left", "a, s = (alpha_bar_t + 1e-4).sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("convert_constants", "a constant is added to both roots, which changes every formula", "a, s = alpha_bar_t.sqrt() + 1e-3, (1 - alpha_bar_t).sqrt() + 1e-3"),
    edit("convert_constant_in_noise", "a constant is added to √(1 - ᾱ), which changes every formula", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt() + 1e-3"),
    edit("convert_squared", "`convert` takes the level for √ᾱ, as if it had been given the roots", "a, s = alpha_bar_t, (1 - alpha_bar_t**2).sqrt()"),
    edit("level_as_angle", "the factors are cosine and sine of (1 - ᾱ) π/2; they are √ᾱ and √(1 - ᾱ)", "a, s = ((1 - alpha_bar_t) * math.pi / 2).cos(), ((1 - alpha_bar_t) * math.pi / 2).sin()"),
    edit("in_half", "`convert` computes its factors in half precision", "a, s = alpha_bar_t.half().sqrt().to(x_t.dtype), (1 - alpha_bar_t).half().sqrt().to(x_t.dtype)"),
    edit("nothing_left_is_zero", "where nothing is left, x0 is set to 0; x0 and v determine it", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); output = torch.where(alpha_bar_t == 0, 0 * output, output)"),
    edit("x_t_clipped", "x_t is cut off to [-1, 1]; `convert` changes nothing", "x_t = x_t.clamp(-1, 1); a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("levels_averaged", "the levels are averaged; each example has its own", "alpha_bar_t = alpha_bar_t.mean(); a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("score_kind_as_x0", "an output of kind score is taken for the picture", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); kind = 'x0' if kind == 'score' else kind"),
    edit("score_kind_as_v", "an output of kind score is taken for v", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); kind = 'v' if kind == 'score' else kind"),
    edit("eps_kind_as_x0", "an output of kind eps is taken for the picture", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); kind = 'x0' if kind == 'eps' else kind"),
    edit("v_kind_as_eps", "an output of kind v is taken for the noise", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); kind = 'eps' if kind == 'v' else kind"),
    edit("v_kind_as_x0", "an output of kind v is taken for the picture", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); kind = 'x0' if kind == 'v' else kind"),
    edit("x0_kind_as_eps", "an output of kind x0 is taken for the noise", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); kind = 'eps' if kind == 'x0' else kind"),
    edit("convert_unknown_v", "`convert` does not know the kind v", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); kind = {'eps': 'eps', 'x0': 'x0', 'score': 'score'}[kind]"),
    edit("convert_unknown_score", "`convert` does not know the kind score", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); kind = {'eps': 'eps', 'x0': 'x0', 'v': 'v'}[kind]"),
    edit("convert_noise_floored", "√(1 - ᾱ) is not let below a small number, which is wrong where little noise was added", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt().clamp(min=0.1)"),
    edit("convert_float32", "`convert` computes in float32 whatever comes in", "a, s = alpha_bar_t.float().sqrt().to(x_t.dtype), (1 - alpha_bar_t).float().sqrt().to(x_t.dtype)"),
    edit("convert_flattened", "`convert` flattens the level into a column, which fits matrices alone", "alpha_bar_t = alpha_bar_t.reshape(-1, 1); a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("convert_images_only", "`convert` gives the level the shape (N, 1, 1, 1), which fits images alone; it broadcasts as it is", "alpha_bar_t = alpha_bar_t.reshape(-1, 1, 1, 1); a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("level_clamped_1e_5", "the level is kept away from 0 and 1; it may be 0 for x0 and v", "alpha_bar_t = alpha_bar_t.clamp(1e-5, 1 - 1e-5); a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("level_clamped_1e_4", "the level is kept away from 0 and 1; it may be 0 for x0 and v", "alpha_bar_t = alpha_bar_t.clamp(1e-4, 1 - 1e-4); a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("level_clamped_1e_8", "the level is kept away from 0; it may be 0 for x0 and v", "alpha_bar_t = alpha_bar_t.clamp(min=1e-8); a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("nothing_left_by_any", "if one level is 0, the whole batch is treated as if nothing were left; each example has a level of its own", "alpha_bar_t = 0 * alpha_bar_t if (alpha_bar_t == 0).any() else alpha_bar_t; a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("all_through_noise", "every kind is turned into noise first, and x0 found with a division by √ᾱ, which fails where nothing is left", 'a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); output, kind = {"eps": output, "x0": (x_t - a * output) / s, "v": s * x_t + a * output, "score": -s * output}[kind], "eps"'),
    edit("convert_first_level", "the first example's level is used for all", "alpha_bar_t = alpha_bar_t.flatten()[0]; a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("convert_detached", "`convert` cuts output and x_t off from autograd", "output, x_t = output.detach(), x_t.detach(); a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("convert_output_detached", "`convert` cuts the output off from autograd, not x_t", "output = output.detach(); a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("convert_x_t_detached", "`convert` cuts x_t off from autograd, not the output", "x_t = x_t.detach(); a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("kind_ignored", "`convert` takes every output for the noise and ignores `kind`", "kind = 'eps'; a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("score_for_eps", "`convert` takes a score for the noise; the score is -ε/√(1 - ᾱ)", "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); kind = 'eps' if kind == 'score' else kind"),
    edit("level_in_half_the_kinds", "for an output of kind v ᾱ and 1 - ᾱ are used without roots", "a, s = (alpha_bar_t, 1 - alpha_bar_t) if kind == 'v' else (alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt())"),
    edit("output_clipped", "the output is cut off to [-1, 1]; `convert` changes nothing", "output = output.clamp(-1, 1); a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt()"),
    edit("v_through_noise", "for v the picture is found with a division by √ᾱ, which fails where nothing is left",
         "a, s = alpha_bar_t.sqrt(), (1 - alpha_bar_t).sqrt(); output, kind = (s * x_t + a * output, 'eps') if kind == 'v' else (output, kind)"),
)

X0 = 'x0 = {"x0": output, "eps": (x_t - s * output) / a, "v": a * x_t - s * output, "score": (x_t + s**2 * output) / a}[kind]'
mistakes.at(
    X0,
    edit("v_sign_in_x0", "from v the picture is √ᾱ x_t *minus* √(1 - ᾱ) v; it is added here", X0.replace("a * x_t - s * output", "a * x_t + s * output")),
    edit("v_sign_in_x0_alone", "from v the picture is √ᾱ x_t *minus* √(1 - ᾱ) v; it is added here, though the noise is right", X0.replace("a * x_t - s * output", "a * x_t + s * output"), ("eps = (x_t - a * x0) / s", 'eps = s * x_t + a * output if kind == "v" else (x_t - a * x0) / s')),
    edit("x0_clamped_from_eps", "from the noise the picture is cut off to [-1, 1]; `convert` changes nothing", X0.replace("(x_t - s * output) / a", "((x_t - s * output) / a).clamp(-1, 1)")),
    edit("x0_clamped_from_score", "from the score the picture is cut off to [-1, 1]; `convert` changes nothing", X0.replace("(x_t + s**2 * output) / a", "((x_t + s**2 * output) / a).clamp(-1, 1)")),
    edit("v_reversed", "v is taken with the opposite sign, √(1 - ᾱ) x0 - √ᾱ ε, on the way in and out", X0.replace("a * x_t - s * output", "a * x_t + s * output"),
         ('"v": a * eps - s * x0,', '"v": s * x0 - a * eps,')),
    edit("v_roots_exchanged", "from v the picture exchanges √ᾱ and √(1 - ᾱ)", X0.replace("a * x_t - s * output", "s * x_t - a * output")),
    edit("v_as_flow", "v is taken for ε - x0, the velocity of a straight path; here it is the rotation (3.4)", X0.replace("a * x_t - s * output", "(x_t - s * output) / (a + s)")),
    edit("eps_sign", "from the noise the picture is x_t *minus* √(1 - ᾱ) ε; it is added here", X0.replace("(x_t - s * output) / a", "(x_t + s * output) / a")),
    edit("eps_not_divided", "from the noise the picture is not divided by √ᾱ", X0.replace("(x_t - s * output) / a", "x_t - s * output")),
    edit("eps_divided_by_level", "from the noise the picture is divided by ᾱ; by its square root is right", X0.replace("(x_t - s * output) / a", "(x_t - s * output) / a**2")),
    edit("eps_variance", "from the noise the picture subtracts (1 - ᾱ) ε; the square root belongs there", X0.replace("(x_t - s * output) / a", "(x_t - s**2 * output) / a")),
    edit("score_sign", "the score is taken as +ε/√(1 - ᾱ); it points against the noise", X0.replace("(x_t + s**2 * output) / a", "(x_t - s**2 * output) / a")),
    edit("score_sign_both", "the score is +ε/√(1 - ᾱ) here, on the way in and out; it points against the noise", X0.replace("(x_t + s**2 * output) / a", "(x_t - s**2 * output) / a"), ('"score": -eps / s}', '"score": eps / s}')),
    edit("score_in_deviations", "the score is multiplied by √(1 - ᾱ) only; for the picture it is multiplied by 1 - ᾱ", X0.replace("(x_t + s**2 * output) / a", "(x_t + s * output) / a")),
    edit("score_not_divided", "from the score the picture is not divided by √ᾱ", X0.replace("(x_t + s**2 * output) / a", "x_t + s**2 * output")),
    edit("score_divided_by_level", "from the score the picture is divided by ᾱ; by its square root is right", X0.replace("(x_t + s**2 * output) / a", "(x_t + s**2 * output) / a**2")),
    edit("score_unscaled_in_x0", "from the score the picture adds the score itself; it is multiplied by 1 - ᾱ", X0.replace("(x_t + s**2 * output) / a", "(x_t + output) / a")),
    edit("score_by_noise", "from the score the picture is divided by √(1 - ᾱ); √ᾱ is right", X0.replace("(x_t + s**2 * output) / a", "(x_t + s**2 * output) / s")),
    edit("score_level_for_noise", "from the score the picture adds ᾱ times the score; 1 - ᾱ belongs there", X0.replace("(x_t + s**2 * output) / a", "(x_t + a**2 * output) / a")),
    edit("score_tweedie_of_signal", "from the score the picture is x_t + (1 - ᾱ) score, divided by 1 - ᾱ", X0.replace("(x_t + s**2 * output) / a", "(x_t + s**2 * output) / s**2")),
    edit("v_levels", "from v the picture has ᾱ and 1 - ᾱ where their square roots belong", X0.replace("a * x_t - s * output", "a**2 * x_t - s**2 * output")),
    edit("v_negative", "from v the picture has the wrong sign", X0.replace("a * x_t - s * output", "s * output - a * x_t")),
    edit("v_of_flow_reversed", "v is taken for x0 - ε, the velocity of a straight path towards data; here it is (3.4)", X0.replace("a * x_t - s * output", "(x_t + s * output) / (a + s)")),
    edit("v_clamped", "from v the picture is cut off to [-1, 1]; `convert` changes nothing", X0.replace("a * x_t - s * output", "(a * x_t - s * output).clamp(-1, 1)")),
    edit("eps_roots_exchanged", "from the noise the picture exchanges √ᾱ and √(1 - ᾱ)", X0.replace("(x_t - s * output) / a", "(x_t - a * output) / s")),
    edit("eps_exchanged_factor", "from the noise the picture subtracts √ᾱ ε; √(1 - ᾱ) ε belongs there", X0.replace("(x_t - s * output) / a", "(x_t - a * output) / a")),
    edit("score_is_minus_eps", "the score is taken for -ε, without the division by √(1 - ᾱ), on the way in and out", X0.replace("(x_t + s**2 * output) / a", "(x_t + s * output) / a"), ('"score": -eps / s}', '"score": -eps}')),
    edit("score_by_variance_both", "the score is taken as -ε/(1 - ᾱ), on the way in and out; the noise is divided by √(1 - ᾱ)", X0.replace("(x_t + s**2 * output) / a", "(x_t + s**3 * output) / a"), ('"score": -eps / s}', '"score": -eps / s**2}')),
    edit("v_exchanged_both", "v exchanges √ᾱ and √(1 - ᾱ), on the way in and out", X0.replace("a * x_t - s * output", "s * x_t - a * output"), ('"v": a * eps - s * x0,', '"v": s * eps - a * x0,')),
    edit("v_exchanged_solved", "v is taken as √(1 - ᾱ) ε - √ᾱ x0, with the roots exchanged, on the way in and out", X0.replace("a * x_t - s * output", "(x_t - output) / (2 * a)"), ('"v": a * eps - s * x0,', '"v": s * eps - a * x0,')),
    edit("division_constant", "a constant is added to √ᾱ where it divides", X0.replace("/ a,", "/ (a + 1e-4),").replace("/ a}", "/ (a + 1e-4)}")),
    edit("division_tiny_constant", "a tiny constant is added to √ᾱ where it divides, which costs digits", X0.replace("/ a,", "/ (a + 1e-8),").replace("/ a}", "/ (a + 1e-8)}")),
    edit("division_floored", "√ᾱ is kept above a small number where it divides, which is wrong where much noise was added", X0.replace("/ a,", "/ a.clamp(min=0.1),").replace("/ a}", "/ a.clamp(min=0.1)}")),
    edit("score_picture_without_s", "from the score the noise is found, but x0 subtracts all of it, without √(1 - ᾱ)", X0.replace("(x_t + s**2 * output) / a", "(x_t + s * output * 1) / a"), ("eps = (x_t - a * x0) / s", 'eps = -s * output if kind == "score" else (x_t - a * x0) / s')),
    edit("score_plus_with_noise", "from the score x0 adds the noise instead of subtracting it", X0.replace("(x_t + s**2 * output) / a", "(x_t - s**2 * output) / a"), ("eps = (x_t - a * x0) / s", 'eps = -s * output if kind == "score" else (x_t - a * x0) / s')),
    edit("v_picture_is_rest", "from v the picture is x_t - √(1 - ᾱ) v, without √ᾱ", X0.replace("a * x_t - s * output", "x_t - s * output")),
    edit("v_without_scale", "from v the picture is √ᾱ x_t - v, without √(1 - ᾱ)", X0.replace("a * x_t - s * output", "a * x_t - output")),
    edit("eps_level_one_minus", "from the noise the picture is divided by √(1 - ᾱ); √ᾱ is right", X0.replace("(x_t - s * output) / a", "(x_t - s * output) / s")),
    edit("eps_unscaled", "from the noise the picture subtracts all of it, without √(1 - ᾱ)", X0.replace("(x_t - s * output) / a", "(x_t - output) / a")),
    edit("x0_clamped", "the picture is cut off to [-1, 1]; `convert` changes nothing", X0 + ".clamp(-1, 1)"),
    edit("x0_clamped_wide", "the picture is cut off where much noise makes it large; `convert` changes nothing", X0 + ".clamp(-10, 10)"),
    edit("swapped_x0_and_eps_kinds", "the kinds eps and x0 are exchanged", X0.replace('"x0": output', '"eps": output').replace('"eps": (x_t', '"x0": (x_t')),
)

mistakes.at(
    "eps = (x_t - a * x0) / s",
    edit("noise_sign", "the noise is found from x_t *plus* √ᾱ x0", "eps = (x_t + a * x0) / s"),
    edit("noise_not_divided", "the noise is not divided by √(1 - ᾱ)", "eps = x_t - a * x0"),
    edit("noise_times_deviation", "the noise is multiplied by √(1 - ᾱ); it is divided by it", "eps = (x_t - a * x0) * s"),
    edit("noise_by_signal", "the noise is divided by √ᾱ; √(1 - ᾱ) is right", "eps = (x_t - a * x0) / a"),
    edit("noise_level_of_signal", "the noise is found with ᾱ x0 subtracted; √ᾱ x0 is right", "eps = (x_t - a**2 * x0) / s"),
    edit("noise_reversed", "the noise is found with the wrong sign, √ᾱ x0 - x_t", "eps = (a * x0 - x_t) / s"),
    edit("noise_variance", "the noise is divided by 1 - ᾱ; by its square root is right", "eps = (x_t - a * x0) / s**2"),
    edit("noise_of_whole_x0", "the noise is found as if x_t held all of x0, without √ᾱ", "eps = (x_t - x0) / s"),
    edit("noise_constant", "a constant is added to √(1 - ᾱ) before it divides, so that the noise is too small where little was added", "eps = (x_t - a * x0) / (s + 1e-3)"),
    edit("eps_is_output", "the output is returned as the noise, whatever its kind", "eps = output"),
    edit("v_noise_exchanged", "from v the noise is √(1 - ᾱ) x_t + √ᾱ v; the two roots are exchanged", 'eps = a * x_t + s * output if kind == "v" else (x_t - a * x0) / s'),
    edit("v_noise_sign", "from v the noise is √(1 - ᾱ) x_t *plus* √ᾱ v; it is subtracted here", 'eps = s * x_t - a * output if kind == "v" else (x_t - a * x0) / s'),
    edit("v_noise_is_v", "an output of kind v is returned as the noise, too", 'eps = output if kind == "v" else (x_t - a * x0) / s'),
    edit("v_noise_divided", "from v the noise is (v + √(1 - ᾱ) x0)/√ᾱ, which divides by 0 where nothing is left", 'eps = (output + s * x0) / a if kind == "v" else (x_t - a * x0) / s'),
    edit("score_noise_sign", "an output of kind score gives noise of the opposite sign", 'eps = s * output if kind == "score" else (x_t - a * x0) / s'),
    edit("score_noise_variance", "an output of kind score is multiplied by 1 - ᾱ for the noise; by its square root is right", 'eps = -s**2 * output if kind == "score" else (x_t - a * x0) / s'),
    edit("score_noise_unscaled", "an output of kind score is returned as noise with a minus sign, without the factor √(1 - ᾱ)", 'eps = -output if kind == "score" else (x_t - a * x0) / s'),
    edit("score_noise_divided", "an output of kind score is divided by √(1 - ᾱ) for the noise; it is multiplied by it", 'eps = -output / s if kind == "score" else (x_t - a * x0) / s'),
    edit("x0_noise_unscaled", "from x0 the noise is x_t - x0, without the two roots", 'eps = x_t - output if kind == "x0" else (x_t - a * x0) / s'),
    edit("x0_noise_divided_by_a", "from x0 the noise is divided by √ᾱ; √(1 - ᾱ) is right", 'eps = (x_t - a * output) / a if kind == "x0" else (x_t - a * x0) / s'),
)

RESULT = 'return {"eps": eps, "x0": x0, "v": a * eps - s * x0, "score": -eps / s}'
mistakes.at(
    RESULT,
    edit("v_sign", "v has the opposite sign on the way out: √(1 - ᾱ) x0 - √ᾱ ε", RESULT.replace("a * eps - s * x0", "s * x0 - a * eps")),
    edit("v_added", "v adds the picture's part; (3.4) subtracts it", RESULT.replace("a * eps - s * x0", "a * eps + s * x0")),
    edit("v_exchanged", "v exchanges √ᾱ and √(1 - ᾱ)", RESULT.replace("a * eps - s * x0", "s * eps - a * x0")),
    edit("v_straight", "v is ε - x0, the velocity of a straight path; here it is (3.4)", RESULT.replace("a * eps - s * x0", "eps - x0")),
    edit("v_straight_reversed", "v is x0 - ε, the velocity of a straight path towards data; here it is (3.4)", RESULT.replace("a * eps - s * x0", "x0 - eps")),
    edit("v_mirrored", "v is √ᾱ x0 - √(1 - ᾱ) ε; (3.4) has x0 and ε the other way round", RESULT.replace("a * eps - s * x0", "a * x0 - s * eps")),
    edit("v_noise_part", "v has the noise's part alone; (3.4) subtracts √(1 - ᾱ) x0", RESULT.replace("a * eps - s * x0", "a * eps")),
    edit("v_picture_part", "v has the picture's part alone; (3.4) begins with √ᾱ ε", RESULT.replace("a * eps - s * x0", "-s * x0")),
    edit("v_unscaled_picture", "v subtracts x0 without √(1 - ᾱ)", RESULT.replace("a * eps - s * x0", "a * eps - x0")),
    edit("v_unscaled_noise", "v has ε without √ᾱ", RESULT.replace("a * eps - s * x0", "eps - s * x0")),
    edit("v_as_x_t", "v adds both parts with the roots exchanged: that is x_t", RESULT.replace("a * eps - s * x0", "a * x0 + s * eps")),
    edit("v_scaled_output", "v is divided by √(1 - ᾱ)", RESULT.replace("a * eps - s * x0", "(a * eps - s * x0) / s")),
    edit("score_positive", "the score on the way out is +ε/√(1 - ᾱ); it points against the noise", RESULT.replace("-eps / s}", "eps / s}")),
    edit("score_by_variance", "the score is divided by 1 - ᾱ; the noise is divided by its square root", RESULT.replace("-eps / s}", "-eps / s**2}")),
    edit("score_unscaled", "the score is -ε, without the division by √(1 - ᾱ)", RESULT.replace("-eps / s}", "-eps}")),
    edit("score_times", "the score is multiplied by √(1 - ᾱ); it is divided by it", RESULT.replace("-eps / s}", "-eps * s}")),
    edit("score_of_x_t", "the score is -x_t/(1 - ᾱ), as if the picture were 0", RESULT.replace("-eps / s}", "-x_t / s**2}")),
    edit("score_of_x_t_unscaled", "the score is -x_t, as if nothing of the picture were left", RESULT.replace("-eps / s}", "-x_t}")),
    edit("score_times_level", "the score is divided by √(1 - ᾱ) and multiplied by √ᾱ", RESULT.replace("-eps / s}", "-a * eps / s}")),
    edit("score_of_x0", "the score is x0/√(1 - ᾱ); it points against the noise", RESULT.replace("-eps / s}", "x0 / s}")),
    edit("without_v", "the dict has no v", RESULT.replace('"v": a * eps - s * x0, ', "")),
    edit("without_score", "the dict has no score", RESULT.replace(', "score": -eps / s}', "}")),
    edit("without_its_own_kind", "the dict leaves out the kind that the output is of; all four are asked for",
         f"found = {RESULT.removeprefix('return ')}; return {{key: value for key, value in found.items() if key != kind}}"),
    edit("tuple_returned", "`convert` returns a tuple; a dict is asked for", "return eps, x0, a * eps - s * x0, -eps / s"),
    edit("v_from_x_t", "v takes x_t where the noise belongs", RESULT.replace("a * eps - s * x0", "a * x_t - s * x0")),
    edit("v_from_x_t_scaled", "v is (√ᾱ x_t - x0) √(1 - ᾱ); it is divided by √(1 - ᾱ)", RESULT.replace("a * eps - s * x0", "(a * x_t - x0) * s")),
    edit("v_by_levels", "v has ᾱ and 1 - ᾱ where the square roots belong", RESULT.replace("a * eps - s * x0", "a**2 * eps - s**2 * x0")),
    edit("v_is_minus_eps", "v is returned as the noise with a minus sign", RESULT.replace("a * eps - s * x0", "-eps")),
    edit("v_is_eps", "v is returned as the noise", RESULT.replace("a * eps - s * x0", "eps")),
    edit("score_from_x0_alone", "the score is (x0 - x_t)/(1 - ᾱ); x0 is to be multiplied by √ᾱ", RESULT.replace("-eps / s}", "(x0 - x_t) / s**2}")),
    edit("score_own_kept", "the score is (x0 - x_t)/(1 - ᾱ), unless it is the output; x0 is to be multiplied by √ᾱ", RESULT.replace("-eps / s}", '(output if kind == "score" else (x0 - x_t) / s**2)}')),
    edit("x0_and_eps_swapped_out", "x0 and the noise are exchanged in the dict", RESULT.replace('"eps": eps, "x0": x0', '"eps": x0, "x0": eps')),
    edit("x0_rescaled_out", "x0 is returned multiplied by √ᾱ", RESULT.replace('"x0": x0', '"x0": a * x0')),
    edit("v_detached", "v is cut off from autograd, the other three are not", RESULT.replace("a * eps - s * x0", "(a * eps - s * x0).detach()")),
    edit("score_detached", "the score is cut off from autograd, the other three are not", RESULT.replace("-eps / s}", "(-eps / s).detach()}")),
    edit("x0_out_detached", "x0 is cut off from autograd, the other three are not", RESULT.replace('"x0": x0', '"x0": x0.detach()')),
    edit("eps_out_detached", "the noise is cut off from autograd, the other three are not", RESULT.replace('{"eps": eps', '{"eps": eps.detach()')),
    edit("score_by_signal", "the score is -ε/√ᾱ; it is divided by √(1 - ᾱ)", RESULT.replace("-eps / s}", "-eps / a}")),
    edit("x0_key_upper", "the dict's keys are not those of the docstring", RESULT.replace('"eps"', '"noise"')),
)
