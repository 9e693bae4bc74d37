"""Wrong answers to question 7, as students write them."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- diffusion_path -----------------------------------------------------------------------------------------------

mistakes.at(
    "angle, slope = schedule(1 - t)",
    edit("time_not_turned", "`diffusion_path` asks the schedule at t, but the schedule's time is s = 1 - t; so data and noise are exchanged, and the slopes' signs no longer fit",
         "angle, slope = schedule(t)"),
    edit("diffusion_in_its_own_time", "`diffusion_path` stays in diffusion's time: data at t = 0, noise at t = 1; in the time of flows it is the other way round",
         "angle, slope = schedule(t); slope = -slope"),
    edit("own_cosine", "`diffusion_path` ignores `schedule` and uses the cosine schedule always",
         "angle, slope = cosine_schedule(1 - t)"),
    edit("schedule_upside_down", "`diffusion_path` takes π/2 minus the schedule's angle at t for its angle at s = 1 - t; the two agree for the cosine schedule only",
         "angle, slope = schedule(t); angle = math.pi / 2 - angle"),
    edit("slope_at_t", "`diffusion_path` takes the angle at s = 1 - t, but its slope at t",
         "angle, slope = schedule(1 - t)[0], schedule(t)[1]"),
    edit("slope_constant", "`diffusion_path` uses π/2 for the angle's slope; that is the cosine schedule's, others have their own",
         "angle, slope = schedule(1 - t)[0], torch.full_like(t, math.pi / 2)"),
    edit("angle_detached", "`diffusion_path` cuts the graph between t and the results",
         "angle, slope = (value.detach() for value in schedule(1 - t))"),
    edit("twice_turned", "`diffusion_path` turns t round twice, so that the schedule is asked at t", "angle, slope = schedule(1 - (1 - t)); slope = slope * 1.0",
         ("angle.sin() * slope, -angle.cos() * slope", "-angle.sin() * slope, angle.cos() * slope")),
    edit("schedule_as_alpha_bar", "`diffusion_path` takes the schedule's first result for alpha_bar; it is the angle, and alpha_bar is its squared cosine",
         "angle, slope = schedule(1 - t); angle = angle.clamp(0, 1).sqrt().arccos()"),
    *(edit(f"ends_clamped_{power}", "`diffusion_path` keeps t away from 0 and 1; at the ends its results are wanted as well",
           f"angle, slope = schedule(1 - t.clamp(1e-{power}, 1 - 1e-{power}))") for power in (2, 3, 4)),
    edit("angle_in_degrees", "`diffusion_path` converts the angle to another unit; the schedule gives radians", "angle, slope = schedule(1 - t); angle = torch.rad2deg(angle)"),
)

mistakes.at(
    "return angle.cos(), angle.sin(), angle.sin() * slope, -angle.cos() * slope",
    edit("slopes_by_s", "both slopes of `diffusion_path` have the wrong sign: they are slopes by s, and s = 1 - t falls as t grows",
         "return angle.cos(), angle.sin(), -angle.sin() * slope, angle.cos() * slope"),
    edit("d_alpha_sign", "the slope of alpha in `diffusion_path` has the wrong sign; alpha rises from noise to data",
         "return angle.cos(), angle.sin(), -angle.sin() * slope, -angle.cos() * slope"),
    edit("d_beta_sign", "the slope of beta in `diffusion_path` has the wrong sign; beta falls from noise to data",
         "return angle.cos(), angle.sin(), angle.sin() * slope, angle.cos() * slope"),
    edit("alpha_beta_exchanged", "`diffusion_path` exchanges alpha and beta, and their slopes", "return angle.sin(), angle.cos(), -angle.cos() * slope, angle.sin() * slope"),
    edit("alpha_beta_exchanged_alone", "`diffusion_path` exchanges alpha and beta: data carry the cosine", "return angle.sin(), angle.cos(), angle.sin() * slope, -angle.cos() * slope"),
    edit("slopes_exchanged", "`diffusion_path` returns the slope of beta before that of alpha", "return angle.cos(), angle.sin(), -angle.cos() * slope, angle.sin() * slope"),
    edit("no_chain", "the slopes of `diffusion_path` lack the slope of the angle: the chain rule has one more factor", "return angle.cos(), angle.sin(), angle.sin(), -angle.cos()"),
    edit("no_chain_for_beta", "the slope of beta in `diffusion_path` lacks the slope of the angle", "return angle.cos(), angle.sin(), angle.sin() * slope, -angle.cos()"),
    edit("no_chain_for_alpha", "the slope of alpha in `diffusion_path` lacks the slope of the angle", "return angle.cos(), angle.sin(), angle.sin(), -angle.cos() * slope"),
    edit("squares", "`diffusion_path` squares the cosine and the sine: these are the shares of the variance, alpha and beta are their roots",
         "return angle.cos() ** 2, angle.sin() ** 2, 2 * angle.cos() * angle.sin() * slope, -2 * angle.cos() * angle.sin() * slope"),
    edit("beta_of_straight", "beta in `diffusion_path` is 1 - alpha, as on the straight path; here the squares add up to 1",
         "return angle.cos(), 1 - angle.cos(), angle.sin() * slope, -angle.sin() * slope"),
    edit("slopes_same_function", "the slopes of `diffusion_path` are alpha and beta times the angle's slope; the cosine's slope is minus the sine",
         "return angle.cos(), angle.sin(), angle.cos() * slope, -angle.sin() * slope"),
    edit("slope_divided", "the slopes of `diffusion_path` are divided by the angle's slope; the chain rule multiplies", "return angle.cos(), angle.sin(), angle.sin() / slope, -angle.cos() / slope"),
    edit("no_slopes", "`diffusion_path` returns alpha and beta only; their slopes are to follow", "return angle.cos(), angle.sin()"),
    edit("by_difference", "the slopes of `diffusion_path` are differences over a step; they are only near the derivative, and lose digits",
         "return angle.cos(), angle.sin(), (schedule(1 - t - 1e-2)[0].cos() - angle.cos()) / 1e-2, (schedule(1 - t - 1e-2)[0].sin() - angle.sin()) / 1e-2"),
    *(edit(f"by_central_difference_{power}", "the slopes of `diffusion_path` are differences over a step; they are only near the derivative, and lose digits",
           f"h = 1e-{power}; above, below = schedule(1 - t - h)[0], schedule(1 - t + h)[0]; return angle.cos(), angle.sin(), (above.cos() - below.cos()) / (2 * h), (above.sin() - below.sin()) / (2 * h)")
      for power in (2, 3, 4)),
    *(edit(f"by_difference_{power}", "the slopes of `diffusion_path` are differences over a step; they are only near the derivative, and lose digits",
           f"h = 1e-{power}; above = schedule(1 - t - h)[0]; return angle.cos(), angle.sin(), (above.cos() - angle.cos()) / h, (above.sin() - angle.sin()) / h")
      for power in (3, 4, 5)),
    edit("guarded", "`diffusion_path` adds a small number to beta; it is 0 at t = 1", "return angle.cos(), angle.sin() + 1e-3, angle.sin() * slope, -angle.cos() * slope"),
    edit("beta_slope_divided", "`diffusion_path` finds the slope of beta from α² + β² = 1 by dividing by β, which is 0 at t = 1", "return angle.cos(), angle.sin(), angle.sin() * slope, -angle.cos() * (angle.sin() * slope) / angle.sin()"),
    edit("slopes_detached", "the slopes of `diffusion_path` are cut off from t", "return angle.cos(), angle.sin(), (angle.sin() * slope).detach(), (-angle.cos() * slope).detach()"),
)

# --- conditional_velocity -----------------------------------------------------------------------------------------

CONDITIONAL = "return d_alpha * x1 + d_beta * x0, -x0 / beta"

mistakes.at(
    "x0 = (x - alpha * x1) / beta",
    edit("noise_not_divided", "`conditional_velocity` does not divide x - αx1 by β: that is β times the noise", "x0 = x - alpha * x1"),
    edit("noise_without_alpha", "`conditional_velocity` subtracts x1 from x, not αx1, to find the noise", "x0 = (x - x1) / beta"),
    edit("noise_sign", "`conditional_velocity` finds the noise with the wrong sign", "x0 = (alpha * x1 - x) / beta"),
    edit("noise_by_alpha", "`conditional_velocity` divides by α where the noise is divided by β", "x0 = (x - alpha * x1) / alpha"),
    edit("noise_x_alone", "`conditional_velocity` divides only αx1 by β, and not x", "x0 = x - alpha * x1 / beta"),
    edit("noise_beta_squared", "`conditional_velocity` divides by β² for the noise; β² is its variance", "x0 = (x - alpha * x1) / beta**2"),
    edit("noise_exchanged", "`conditional_velocity` exchanges α and β when it finds the noise", "x0 = (x - beta * x1) / alpha"),
    edit("noise_guarded", "`conditional_velocity` adds a small number to β where it divides, which changes the result near the data", "x0 = (x - alpha * x1) / (beta + 1e-3)"),
    edit("noise_clamped", "`conditional_velocity` keeps β above 0.05, which changes the result near the data", "x0 = (x - alpha * x1) / beta.clamp(min=0.05)"),
    edit("x1_detached", "`conditional_velocity` cuts x1 out of the graph", "x1 = x1.detach(); x0 = (x - alpha * x1) / beta"),
    edit("x_detached", "`conditional_velocity` cuts x out of the graph", "x0 = (x.detach() - alpha * x1) / beta"),
    edit("noise_detached", "`conditional_velocity` cuts the noise out of the graph", "x0 = ((x - alpha * x1) / beta).detach()"),
    *(edit(f"noise_guarded_{power}", "`conditional_velocity` adds a small number to β where it finds the noise, which changes the result near the data",
           f"x0 = (x - alpha * x1) / (beta + 1e-{power})") for power in (4, 5, 6, 8)),
    *(edit(f"beta_guarded_{power}", "`conditional_velocity` adds a small number to β in both divisions, which changes the results near the data",
           f"beta = beta + 1e-{power}; x0 = (x - alpha * x1) / beta") for power in (2, 3, 4, 5, 6, 8)),
    *(edit(f"beta_clamped_{key}", "`conditional_velocity` keeps β away from 0, or t from 1, which changes the results near the data",
           f"beta = beta.clamp(min={least}); x0 = (x - alpha * x1) / beta") for key, least in (("1", 0.1), ("05", 0.05), ("2", 0.01), ("3", 1e-3), ("4", 1e-4), ("5", 1e-5))),
    *(edit(f"time_clamped_{power}", "`conditional_velocity` keeps t away from 1, and so β from 0, which changes the results near the data",
           f"alpha, beta, d_alpha, d_beta = path_columns(path, t.clamp(max=1 - 1e-{power}), x); x0 = (x - alpha * x1) / beta") for power in (2, 3)),
    edit("noise_at_start", "`conditional_velocity` takes x for the noise itself; x is the place at time t", "x0 = x"),
    edit("noise_first", "`conditional_velocity` finds one noise from the first example; each has its own", "x0 = ((x - alpha * x1) / beta)[:1].expand_as(x)"),
    edit("x1_changed", "`conditional_velocity` writes into x1", "x0 = (x - x1.mul_(alpha)) / beta; x1 = x1 / alpha"),
)

mistakes.at(
    CONDITIONAL,
    edit("straight_only", "the velocity of `conditional_velocity` is x1 - x0, which holds on the straight path only", "return x1 - x0, -x0 / beta"),
    edit("textbook_straight", "the velocity of `conditional_velocity` is (x1 - x)/(1 - t), which holds on the straight path only", "return (x1 - x) / (1 - t.expand(len(x))[:, None]), -x0 / beta"),
    edit("divides_by_t", "the velocity of `conditional_velocity` divides x1 - x by t; on the straight path the time that is left is 1 - t, and other paths have other rules",
         "return (x1 - x) / t.expand(len(x))[:, None].clamp(min=1e-6), -x0 / beta"),
    edit("velocity_of_x", "the velocity of `conditional_velocity` uses x where the noise x0 belongs", "return d_alpha * x1 + d_beta * x, -x0 / beta"),
    edit("velocity_without_x1", "the velocity of `conditional_velocity` lacks the part of x1", "return d_beta * x0, -x0 / beta"),
    edit("velocity_without_x0", "the velocity of `conditional_velocity` lacks the part of the noise", "return d_alpha * x1, -x0 / beta"),
    edit("velocity_minus", "the velocity of `conditional_velocity` runs backwards, from data to noise", "return -d_alpha * x1 - d_beta * x0, -x0 / beta"),
    edit("velocity_minus_noise", "the velocity of `conditional_velocity` subtracts the noise's part; the slope of β has its sign already", "return d_alpha * x1 - d_beta * x0, -x0 / beta"),
    edit("velocity_exchanged", "the velocity of `conditional_velocity` exchanges the two slopes", "return d_beta * x1 + d_alpha * x0, -x0 / beta"),
    edit("values_for_slopes", "the velocity of `conditional_velocity` uses α and β, not their slopes: that is the place again", "return alpha * x1 + beta * x0, -x0 / beta"),
    edit("velocity_ratio_alone", "the velocity of `conditional_velocity` is the β-part of x alone; the data's part of x counts with its own slope",
         "return d_beta / beta * x, -x0 / beta"),
    edit("velocity_data_ratio", "the velocity of `conditional_velocity` is α'/α times x: so x would be data without noise", "return d_alpha / alpha.clamp(min=1e-3) * x, -x0 / beta"),
    edit("velocity_plus", "the velocity of `conditional_velocity` adds αx1 to x where it is to be subtracted", "return d_alpha * x1 + d_beta * (x + alpha * x1) / beta, -x0 / beta"),
    edit("score_around_zero", "the score of `conditional_velocity` is that of a Gaussian around 0 of variance α² + β²; x1 is known here, so the mean is αx1 and the variance β²", "return d_alpha * x1 + d_beta * x0, -x / (alpha**2 + beta**2)"),
    edit("beta_from_alpha", "`conditional_velocity` takes √(1 - α²) for β; only diffusion's path keeps the variance",
         "x0 = (x - alpha * x1) / (1 - alpha**2).clamp(min=1e-6).sqrt(); return d_alpha * x1 + d_beta * x0, -x0 / (1 - alpha**2).clamp(min=1e-6).sqrt()"),
    edit("score_beta", "the score of `conditional_velocity` divides x - αx1 by β; the variance is β²", "return d_alpha * x1 + d_beta * x0, -x0"),
    edit("score_sign", "the score of `conditional_velocity` has the wrong sign: it points towards αx1", "return d_alpha * x1 + d_beta * x0, x0 / beta"),
    edit("score_times_beta", "the score of `conditional_velocity` multiplies the noise by β; it is to be divided", "return d_alpha * x1 + d_beta * x0, -x0 * beta"),
    edit("score_not_scaled", "the score of `conditional_velocity` is that of a Gaussian of variance 1; the variance is β²", "return d_alpha * x1 + d_beta * x0, alpha * x1 - x"),
    edit("score_cubed", "the score of `conditional_velocity` divides by β once more than (7.2)", "return d_alpha * x1 + d_beta * x0, -x0 / beta**2"),
    edit("score_without_alpha", "the score of `conditional_velocity` is that of a Gaussian around x1; its mean is αx1", "return d_alpha * x1 + d_beta * x0, (x1 - x) / beta**2"),
    edit("score_of_start", "the score of `conditional_velocity` is minus x over β²; the Gaussian's mean αx1 is missing", "return d_alpha * x1 + d_beta * x0, -x / beta**2"),
    edit("score_guarded", "the score of `conditional_velocity` adds a small number to β, which changes it near the data", "return d_alpha * x1 + d_beta * x0, -x0 / (beta + 1e-3)"),
    edit("score_summed", "the score of `conditional_velocity` is summed over dimensions; it has one component for each", "return d_alpha * x1 + d_beta * x0, (-x0 / beta).sum(1)"),
    edit("score_straight", "the score of `conditional_velocity` uses 1 - t for β, which holds on the straight path only", "return d_alpha * x1 + d_beta * x0, -x0 / (1 - t.expand(len(x))[:, None])"),
    edit("score_halved", "the score of `conditional_velocity` is half of (7.2): the ½ of the exponent goes when the square is differentiated", "return d_alpha * x1 + d_beta * x0, -0.5 * x0 / beta"),
    edit("log_density", "`conditional_velocity` returns a log-density where the score belongs; the score is its gradient by x", "return d_alpha * x1 + d_beta * x0, -0.5 * x0.square()"),
    edit("exchanged_results", "`conditional_velocity` returns the score before the velocity", "return -x0 / beta, d_alpha * x1 + d_beta * x0"),
    edit("velocity_alone", "`conditional_velocity` returns the velocity alone; the score is to follow", "return d_alpha * x1 + d_beta * x0"),
    edit("path_ignored", "`conditional_velocity` uses the straight path always, and ignores `path`",
         CONDITIONAL, ("alpha, beta, d_alpha, d_beta = path_columns(path, t, x)\n    x0 =", "alpha, beta, d_alpha, d_beta = path_columns(straight_path, t, x)\n    x0 =")),
    edit("conditional_no_graph", "`conditional_velocity` computes without graph", "return (d_alpha * x1 + d_beta * x0).detach(), (-x0 / beta).detach()"),
    edit("conditional_float32", "`conditional_velocity` computes in float32 and so loses the digits of float64", "return (d_alpha * x1 + d_beta * x0).float().to(x), (-x0 / beta).float().to(x)"),
)

# --- cfm_loss -----------------------------------------------------------------------------------------------------

LOSS = "return (model(alpha * x1 + beta * x0, t) - target).square().sum(1)"

mistakes.at(
    "target = d_alpha * x1 + d_beta * x0",
    edit("target_straight", "the target of `cfm_loss` is x1 - x0, which holds on the straight path only", "target = x1 - x0"),
    edit("target_backwards", "`cfm_loss` compares the model with minus the velocity: its target runs from data to noise, or is added where it is to be subtracted", "target = -d_alpha * x1 - d_beta * x0"),
    edit("target_minus_noise", "the target of `cfm_loss` subtracts the noise's part; the slope of β has its sign already", "target = d_alpha * x1 - d_beta * x0"),
    edit("target_noise", "the target of `cfm_loss` is the noise, as in diffusion; here the model predicts a velocity", "target = x0"),
    edit("target_data", "the target of `cfm_loss` is the data point; the model predicts a velocity", "target = x1"),
    edit("target_place", "the target of `cfm_loss` is the place x_t; the model predicts its velocity, with the slopes of α and β", "target = alpha * x1 + beta * x0"),
    edit("target_exchanged", "the target of `cfm_loss` exchanges x1 and x0", "target = d_alpha * x0 + d_beta * x1"),
    edit("target_divided", "the target of `cfm_loss` is (x1 - x_t)/(1 - t), which divides by 0 at t = 1 and holds on the straight path only",
         "target = (x1 - alpha * x1 - beta * x0) / (1 - t[:, None])"),
    edit("target_by_field", "the target of `cfm_loss` comes from `conditional_velocity`, which divides by β: at t = 1 that is 0, though the velocity of (7.1) is finite",
         "target = d_alpha * x1 + d_beta * ((alpha * x1 + beta * x0 - alpha * x1) / beta)"),
    edit("target_without_noise", "the target of `cfm_loss` lacks the noise's part", "target = d_alpha * x1"),
    edit("target_without_data", "the target of `cfm_loss` lacks the data's part", "target = d_beta * x0"),
    edit("target_by_field_nan", "the target of `cfm_loss` comes from a division by β, which is 0 at t = 1, and what is not a number there is replaced; the velocity of (7.1) is finite at t = 1, and known",
         "target = torch.nan_to_num(d_alpha * x1 + d_beta * ((alpha * x1 + beta * x0 - alpha * x1) / beta))"),
    *(edit(f"target_by_field_guarded_{key}", "the target of `cfm_loss` comes from a division by β, which is 0 at t = 1; a small number in its place gives another target there",
           f"target = d_alpha * x1 + d_beta * ((alpha * x1 + beta * x0 - alpha * x1) / {guard})")
      for key, guard in (("3", "(beta + 1e-3)"), ("6", "(beta + 1e-6)"), ("8", "(beta + 1e-8)"), ("clamped", "beta.clamp(min=1e-3)"))),
    *(edit(f"target_divided_guarded_{key}", "the target of `cfm_loss` is (x1 - x_t)/(1 - t) with a small number against the division by 0; it holds on the straight path only, and not at t = 1",
           f"target = (x1 - alpha * x1 - beta * x0) / {guard}")
      for key, guard in (("3", "(1 - t[:, None] + 1e-3)"), ("6", "(1 - t[:, None] + 1e-6)"), ("clamped", "(1 - t[:, None]).clamp(min=1e-3)"))),
    *(edit(f"loss_time_clamped_{power}", "`cfm_loss` keeps t away from 1; the loss is to be right at all t from 0 to 1",
           f"t = t.clamp(max=1 - 1e-{power}); alpha, beta, d_alpha, d_beta = path_columns(path, t, x1); target = d_alpha * x1 + d_beta * x0") for power in (2, 3, 4, 5)),
    *(edit(f"loss_ends_clamped_{power}", "`cfm_loss` keeps t away from 0 and 1; the loss is to be right at all t from 0 to 1",
           f"t = t.clamp(1e-{power}, 1 - 1e-{power}); alpha, beta, d_alpha, d_beta = path_columns(path, t, x1); target = d_alpha * x1 + d_beta * x0") for power in (2, 3, 4, 5)),
    edit("target_v", "the target of `cfm_loss` is diffusion's v, α·noise - β·data; here it is the slope of x_t", "target = alpha * x0 - beta * x1"),
    edit("target_score", "the target of `cfm_loss` is the score; here the model predicts a velocity", "target = -x0 / beta"),
)

mistakes.at(
    LOSS,
    edit("path_exchanged", "`cfm_loss` mixes data and noise the wrong way round: α belongs to x1", "return (model(beta * x1 + alpha * x0, t) - target).square().sum(1)"),
    edit("place_straight", "`cfm_loss` shows the model the place on the straight path, whatever `path` says", "return (model(t[:, None] * x1 + (1 - t[:, None]) * x0, t) - target).square().sum(1)"),
    edit("shown_data", "`cfm_loss` shows the model x1, not the place x_t", "return (model(x1, t) - target).square().sum(1)"),
    edit("shown_noise", "`cfm_loss` shows the model x0, not the place x_t", "return (model(x0, t) - target).square().sum(1)"),
    edit("time_turned", "`cfm_loss` gives the model 1 - t; the model's time is that of flows", "return (model(alpha * x1 + beta * x0, 1 - t) - target).square().sum(1)"),
    edit("time_zero", "`cfm_loss` gives the model time 0 always", "return (model(alpha * x1 + beta * x0, 0 * t) - target).square().sum(1)"),
    edit("time_first", "`cfm_loss` gives the model the first example's time for all", "return (model(alpha * x1 + beta * x0, t[:1].expand_as(t)) - target).square().sum(1)"),
    edit("time_column", "`cfm_loss` gives the model t as a column (N, 1); the model wants shape (N,)", "return (model(alpha * x1 + beta * x0, t[:, None]) - target).square().sum(1)"),
    edit("time_steps", "`cfm_loss` gives the model t times 1,000, as in diffusion; here time runs from 0 to 1", "return (model(alpha * x1 + beta * x0, 1000 * t) - target).square().sum(1)"),
    edit("loss_mean", "`cfm_loss` takes the mean over dimensions; the docstring asks for the sum", "return (model(alpha * x1 + beta * x0, t) - target).square().mean(1)"),
    edit("loss_batch_mean", "`cfm_loss` takes the mean over the batch; it is to return one loss for each pair", "return (model(alpha * x1 + beta * x0, t) - target).square().sum(1).mean()"),
    edit("loss_batch_mean_all", "`cfm_loss` takes the mean over everything; it is to return one loss for each pair, summed over dimensions", "return (model(alpha * x1 + beta * x0, t) - target).square().mean()"),
    edit("loss_over_examples", "`cfm_loss` sums over the pairs, dimension by dimension; it is to sum over dimensions", "return (model(alpha * x1 + beta * x0, t) - target).square().sum(0)"),
    edit("loss_not_squared", "`cfm_loss` adds up absolute errors; (7.4) squares them, which is why it finds the mean", "return (model(alpha * x1 + beta * x0, t) - target).abs().sum(1)"),
    edit("loss_norm", "`cfm_loss` is the length of the error; (7.4) has its square", "return (model(alpha * x1 + beta * x0, t) - target).norm(dim=1)"),
    edit("loss_square_of_sum", "`cfm_loss` sums the errors before it squares them, so that they cancel", "return (model(alpha * x1 + beta * x0, t) - target).sum(1).square()"),
    edit("loss_half", "`cfm_loss` is half of (7.4)", "return 0.5 * (model(alpha * x1 + beta * x0, t) - target).square().sum(1)"),
    edit("loss_weighted", "`cfm_loss` divides by β²; (7.4) has no weight", "return ((model(alpha * x1 + beta * x0, t) - target).square() / beta**2).sum(1)"),
    edit("model_detached", "`cfm_loss` cuts the model's answer, or all of the loss, out of the graph, so that nothing is trained", "return (model(alpha * x1 + beta * x0, t).detach() - target).square().sum(1)"),
    edit("loss_huber", "`cfm_loss` is a Huber loss; only a square finds the mean", "return F.huber_loss(model(alpha * x1 + beta * x0, t), target, reduction='none').sum(1)"),
    edit("loss_path_ignored", "`cfm_loss` uses the straight path always, and ignores `path`",
         LOSS, ("path_columns(path, t, x1)", "path_columns(straight_path, t, x1)")),
    edit("loss_first_only", "`cfm_loss` counts the first dimension only", "return (model(alpha * x1 + beta * x0, t) - target).square()[:, 0]"),
    edit("loss_more_noise", "`cfm_loss` adds noise of its own to the place; x0 is all the noise there is", "return (model(alpha * x1 + beta * x0 + 0.1 * torch.randn_like(x0), t) - target).square().sum(1)"),
    edit("path_time_turned", "`cfm_loss` asks the path at 1 - t; both the path's time and the model's are those of flows",
         "alpha, beta, d_alpha, d_beta = path_columns(path, 1 - t, x1); return (model(alpha * x1 + beta * x0, t) - d_alpha * x1 - d_beta * x0).square().sum(1)"),
    edit("loss_batch_mean_repeated", "`cfm_loss` returns the batch's mean, repeated; each pair has its own loss", "return (model(alpha * x1 + beta * x0, t) - target).square().sum(1).mean().expand(len(x1))"),
    edit("loss_mean_time", "`cfm_loss` uses the mean of the times for the path of all pairs; each has its own",
         "alpha, beta, d_alpha, d_beta = path_columns(path, t.mean(), x1); return (model(alpha * x1 + beta * x0, t) - d_alpha * x1 - d_beta * x0).square().sum(1)"),
    edit("loss_new_noise", "`cfm_loss` shows the model a place with noise of its own instead of x0", "return (model(alpha * x1 + beta * torch.randn_like(x0), t) - target).square().sum(1)"),
    edit("x1_in_place", "`cfm_loss` writes into x1", "return (model(x1.data.mul_(alpha) + beta * x0, t) - target).square().sum(1)"),
    edit("loss_float32", "`cfm_loss` computes in float32 and so loses the digits of float64", "return (model(alpha * x1 + beta * x0, t) - target).float().square().sum(1).to(x1)"),
)

# --- marginal_velocity --------------------------------------------------------------------------------------------

mistakes.at(
    "square = (x[:, None] - alpha[:, None] * points).square().sum(-1)",
    edit("alpha_forgotten", "the weights of `marginal_velocity` compare x with the points themselves; at time t they have shrunk to α times", "square = (x[:, None] - points).square().sum(-1)"),
    edit("alpha_on_x", "the weights of `marginal_velocity` multiply x by α; the points are to be multiplied", "square = (alpha[:, None] * x[:, None] - points).square().sum(-1)"),
    edit("x_divided", "the weights of `marginal_velocity` compare x/α with the points, without α in the width", "square = (x[:, None] / alpha[:, None].clamp(min=1e-6) - points).square().sum(-1)"),
    edit("beta_on_points", "the weights of `marginal_velocity` multiply the points by β; that is the noise's factor", "square = (x[:, None] - beta[:, None] * points).square().sum(-1)"),
    edit("distance_not_squared", "the weights of `marginal_velocity` fall with the distance; the Gaussian has its square", "square = (x[:, None] - alpha[:, None] * points).norm(dim=-1)"),
    edit("distance_mean", "the weights of `marginal_velocity` take the mean square over dimensions; the Gaussian's exponent has the sum", "square = (x[:, None] - alpha[:, None] * points).square().mean(-1)"),
    edit("distance_absolute", "the weights of `marginal_velocity` add up absolute differences; the Gaussian's exponent has squares", "square = (x[:, None] - alpha[:, None] * points).abs().sum(-1)"),
    edit("first_alpha", "the weights of `marginal_velocity` use the first place's time for all", "square = (x[:, None] - alpha[:1, None] * points).square().sum(-1)"),
    edit("square_of_sum", "the weights of `marginal_velocity` sum the differences before they are squared, so that they cancel", "square = (x[:, None] - alpha[:, None] * points).sum(-1).square()"),
    edit("points_detached_weights", "the weights of `marginal_velocity` are cut off from the points", "square = (x[:, None] - alpha[:, None] * points.detach()).square().sum(-1)"),
    edit("x_detached_weights", "the weights of `marginal_velocity` are cut off from x", "square = (x.detach()[:, None] - alpha[:, None] * points).square().sum(-1)"),
    edit("expanded_norm", "the weights of `marginal_velocity` use |x|² + |αp|² - x·αp: the product counts twice",
         "square = x.square().sum(1, keepdim=True) + (alpha * points.square().sum(1).sqrt()).square() - alpha * (x @ points.T)"),
)

mistakes.at(
    "weights = torch.softmax(-square / (2 * beta**2), 1)",
    edit("no_half", "the weights of `marginal_velocity` lack the ½ of the Gaussian's exponent", "weights = torch.softmax(-square / beta**2, 1)"),
    edit("beta_not_squared", "the weights of `marginal_velocity` divide by 2β; the variance is β²", "weights = torch.softmax(-square / (2 * beta), 1)"),
    edit("no_width", "the weights of `marginal_velocity` lack the division by 2β²", "weights = torch.softmax(-square, 1)"),
    edit("width_one", "the weights of `marginal_velocity` use a Gaussian of variance 1; it is β²", "weights = torch.softmax(-square / 2, 1)"),
    edit("weights_sign", "the weights of `marginal_velocity` grow with the distance", "weights = torch.softmax(square / (2 * beta**2), 1)"),
    edit("over_places", "the weights of `marginal_velocity` sum to 1 over the places; they are to sum to 1 over the data points", "weights = torch.softmax(-square / (2 * beta**2), 0)"),
    edit("equal_weights", "`marginal_velocity` weighs all data points alike, or takes their plain mean; near a point its own paths are the likely ones", "weights = torch.full_like(square, 1 / len(points))"),
    edit("nearest", "`marginal_velocity` takes the nearest point alone; all points count, by their densities", "weights = F.one_hot(square.argmin(1), len(points)).to(x)"),
    edit("exp_weights", "`marginal_velocity` computes densities and divides by their sum; far from all points these are all 0. Subtract the largest exponent, as softmax does",
         "weights = torch.exp(-square / (2 * beta**2)); weights = weights / weights.sum(1, keepdim=True)"),
    edit("exp_guarded", "`marginal_velocity` computes densities and divides by their sum, with a small number to keep it from 0; far from all points no weight is left",
         "weights = torch.exp(-square / (2 * beta**2)); weights = weights / (weights.sum(1, keepdim=True) + 1e-8)"),
    *(edit(f"exp_guarded_{power}", "`marginal_velocity` computes densities and divides by their sum, with a small number to keep it from 0; far from all points no weight is left",
           f"weights = torch.exp(-square / (2 * beta**2)); weights = weights / (weights.sum(1, keepdim=True) + 1e-{power})") for power in (5, 6, 10, 12, 20)),
    *(edit(f"exp_clamped_{power}", "`marginal_velocity` computes densities and divides by their sum, with a small number to keep it from 0; far from all points no weight is left",
           f"weights = torch.exp(-square / (2 * beta**2)); weights = weights / weights.sum(1, keepdim=True).clamp(min=1e-{power})") for power in (5, 6)),
    *(edit(f"width_guarded_{power}", "`marginal_velocity` adds a small number to the width of its weights, so near t = 1 several points count",
           f"weights = torch.softmax(-square / (2 * beta**2 + 1e-{power}), 1)") for power in (2, 3, 4, 5, 6, 8)),
    *(edit(f"width_clamped_{key}", "`marginal_velocity` keeps the width of its weights above a small number, so near t = 1 several points count",
           f"weights = torch.softmax(-square / {width}, 1)")
      for key, width in (("2", "(2 * beta**2).clamp(min=1e-2)"), ("3", "(2 * beta**2).clamp(min=1e-3)"), ("4", "(2 * beta**2).clamp(min=1e-4)"), ("5", "(2 * beta**2).clamp(min=1e-5)"),
                         ("beta_2", "(2 * beta.clamp(min=1e-2) ** 2)"), ("beta_05", "(2 * beta.clamp(min=0.05) ** 2)"))),
    edit("not_normalised", "the weights of `marginal_velocity` do not sum to 1", "weights = torch.exp(-square / (2 * beta**2))"),
    edit("divided_by_m", "the weights of `marginal_velocity` are divided by M although they sum to 1 already", "weights = torch.softmax(-square / (2 * beta**2), 1) / len(points)"),
    edit("beta_clamped", "`marginal_velocity` keeps β above 0.1 in the weights, so near t = 1 several points count", "weights = torch.softmax(-square / (2 * beta.clamp(min=0.1) ** 2), 1)"),
    edit("weights_detached", "`marginal_velocity` cuts its weights out of the graph", "weights = torch.softmax(-square / (2 * beta**2), 1).detach()"),
    edit("alpha_width", "the weights of `marginal_velocity` divide by 2α²; the variance of x around αx1 is β²", "weights = torch.softmax(-square / (2 * alpha.clamp(min=1e-6) ** 2), 1)"),
    edit("weights_float32", "the weights of `marginal_velocity` are computed in float32 and so lose the digits of float64", "weights = torch.softmax((-square / (2 * beta**2)).float(), 1).to(x)"),
    edit("drawn_point", "`marginal_velocity` draws one point by the weights; (7.3) has their mean", "weights = F.one_hot(torch.softmax(-square / (2 * beta**2), 1).multinomial(1)[:, 0], len(points)).to(x)"),
    edit("log_weights", "`marginal_velocity` uses the logarithms of the weights as weights", "weights = torch.log_softmax(-square / (2 * beta**2), 1)"),
    edit("each_dimension", "`marginal_velocity` weighs the points for each dimension apart; a point has one weight, from its distance over all dimensions",
         "weights = None", ("weights @ points", "(torch.softmax(-(x[:, None] - alpha[:, None] * points).square() / (2 * beta[:, None] ** 2), 1) * points).sum(1)")),
)

mistakes.at(
    "return conditional_velocity(x, weights @ points, t, path)[0]",
    edit("marginal_score", "`marginal_velocity` returns the score", "return conditional_velocity(x, weights @ points, t, path)[1]"),
    edit("mean_of_points", "`marginal_velocity` returns the mean data point; its velocity is wanted", "return weights @ points"),
    edit("marginal_straight", "`marginal_velocity` takes the velocity of the straight path, whatever `path` says", "return conditional_velocity(x, weights @ points, t)[0]"),
    edit("marginal_backwards", "`marginal_velocity` runs from data to noise", "return -conditional_velocity(x, weights @ points, t, path)[0]"),
    edit("marginal_both", "`marginal_velocity` returns velocity and score; only the velocity is asked for", "return conditional_velocity(x, weights @ points, t, path)"),
    edit("marginal_minus_x", "`marginal_velocity` returns the way from x to the mean data point, without the time that is left", "return weights @ points - x"),
    edit("marginal_no_graph", "`marginal_velocity` returns a result without graph", "return conditional_velocity(x, weights @ points, t, path)[0].detach()"),
    edit("marginal_times_m", "`marginal_velocity` adds up the velocities of all points; (7.3) is their weighted mean", "return len(points) * conditional_velocity(x, weights @ points, t, path)[0]"),
    edit("marginal_far_point", "`marginal_velocity` gives the mean point multiplied by α to the velocity, which multiplies once more", "return conditional_velocity(x, alpha * (weights @ points), t, path)[0]"),
    edit("marginal_weights_straight", "the weights of `marginal_velocity` are those of the straight path, whatever `path` says",
         "return conditional_velocity(x, weights @ points, t, path)[0]", ("alpha, beta, _, _ = path_columns(path, t, x)", "alpha, beta, _, _ = path_columns(straight_path, t, x)")),
    edit("x_moved", "`marginal_velocity` writes into x", "return conditional_velocity(x.data.add_(0.1), weights @ points, t, path)[0]"),
)

# --- gaussian_velocity --------------------------------------------------------------------------------------------

RATE = "rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2)"

mistakes.at(
    RATE,
    edit("rate_doubled", "the rate b of `gaussian_velocity` is the slope of V over V; it is half of that, since the variance moves by 2bV", "rate = 2 * (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2)"),
    edit("rate_halved", "the rate b of `gaussian_velocity` is half as large as it should be: d(α²)/dt is 2αα', so the ½ of b is used up", "rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2) / 2"),
    edit("variance_as_std", "`gaussian_velocity` squares the variance, as if it were a standard deviation", "variance = variance**2; rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2)"),
    edit("variance_rooted", "`gaussian_velocity` takes the root of the variance where the variance belongs", "variance = variance.sqrt(); rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2)"),
    edit("logvar", "`gaussian_velocity` takes the variance for its logarithm", "variance = variance.exp(); rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2)"),
    edit("unit_variance", "`gaussian_velocity` ignores the data's variance: it uses 1", "rate = (alpha * d_alpha + beta * d_beta) / (alpha**2 + beta**2)"),
    edit("mixed_variance", "V in `gaussian_velocity` is αv + β; the variance of αx1 has α², that of βx0 has β²", "rate = (d_alpha * variance + d_beta) / (alpha * variance + beta) / 2"),
    edit("widths_added", "`gaussian_velocity` adds standard deviations; variances add, as x1 and x0 are independent",
         "rate = (d_alpha * variance.sqrt() + d_beta) / (alpha * variance.sqrt() + beta)"),
    edit("variance_exchanged", "V in `gaussian_velocity` gives the data's variance to the noise", "rate = (alpha * d_alpha + beta * d_beta * variance) / (alpha**2 + beta**2 * variance)"),
    edit("numerator_no_variance", "the slope of V in `gaussian_velocity` lacks the data's variance", "rate = (alpha * d_alpha + beta * d_beta) / (alpha**2 * variance + beta**2)"),
    edit("denominator_no_variance", "V in `gaussian_velocity` lacks the data's variance, though its slope has it", "rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 + beta**2)"),
    edit("rate_sign", "the rate b of `gaussian_velocity` has the wrong sign: it shrinks where the variance grows", "rate = -(alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2)"),
    edit("rate_without_noise", "the slope of V in `gaussian_velocity` lacks the noise's part", "rate = alpha * d_alpha * variance / (alpha**2 * variance + beta**2)"),
    edit("rate_without_data", "the slope of V in `gaussian_velocity` lacks the data's part", "rate = beta * d_beta / (alpha**2 * variance + beta**2)"),
    edit("rate_root", "the rate b of `gaussian_velocity` divides by the standard deviation of x_t; it divides by V", "rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2).sqrt()"),
    edit("rate_not_divided", "the rate b of `gaussian_velocity` lacks the division by V", "rate = alpha * d_alpha * variance + beta * d_beta"),
    edit("rate_no_alpha", "the slope of V in `gaussian_velocity` lacks the factors α and β of the chain rule", "rate = (d_alpha * variance + d_beta) / (alpha**2 * variance + beta**2)"),
    edit("rate_squared_slopes", "the slope of V in `gaussian_velocity` squares the slopes of α and β; the slope of α² is 2αα'", "rate = (d_alpha**2 * variance + d_beta**2) / (alpha**2 * variance + beta**2)"),
    edit("rate_minus", "the slope of V in `gaussian_velocity` subtracts the noise's part; the slope of β has its sign already", "rate = (alpha * d_alpha * variance - beta * d_beta) / (alpha**2 * variance + beta**2)"),
    edit("single_path", "`gaussian_velocity` is the velocity towards the data's mean alone, as if all data were there; the data's variance counts", "rate = d_beta / beta.clamp(min=1e-6)"),
    edit("rate_of_values", "the slope of V in `gaussian_velocity` is αv + β, without the slopes of α and β", "rate = (alpha * variance + beta) / (alpha**2 * variance + beta**2)"),
    edit("gain_without_alpha", "the mean of x1 given x in `gaussian_velocity` lacks the α of its gain αv/V", "total = alpha**2 * variance + beta**2; rate = (d_alpha * variance + d_beta * beta) / total"),
    edit("mean_variance", "`gaussian_velocity` uses the mean of the variances for all dimensions", "variance = variance.mean(); rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2)"),
    edit("variance_detached", "`gaussian_velocity` cuts the variance out of the graph", "variance = variance.detach(); rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2)"),
    edit("rate_guarded", "`gaussian_velocity` adds a small number to V, which changes the rate where the data are narrow", "rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2 + 1e-3)"),
    *(edit(f"rate_guarded_{power}", "`gaussian_velocity` adds a small number to V, which changes the rate where the data are narrow",
           f"rate = (alpha * d_alpha * variance + beta * d_beta) / (alpha**2 * variance + beta**2 + 1e-{power})") for power in (4, 5, 6, 8)),
    edit("text_formula", "the rate of `gaussian_velocity` is the text's example, for the straight path and variance 1", "t = t.expand(len(x))[:, None]; rate = (2 * t - 1) / (t**2 + (1 - t) ** 2)"),
    edit("gaussian_path_ignored", "`gaussian_velocity` uses the straight path always, and ignores `path`",
         RATE, ("alpha, beta, d_alpha, d_beta = path_columns(path, t, x)\n    rate", "alpha, beta, d_alpha, d_beta = path_columns(straight_path, t, x)\n    rate")),
)

mistakes.at(
    "return d_alpha * mean + rate * (x - alpha * mean)",
    edit("mean_not_moved", "`gaussian_velocity` lacks the motion of the mean", "return rate * (x - alpha * mean)"),
    edit("mean_by_value", "the mean of x_t moves at α' times m in `gaussian_velocity`, not at m, whatever the path", "return mean + rate * (x - alpha * mean)"),
    edit("mean_by_alpha", "the mean's rate in `gaussian_velocity` is αm; that is where the mean is, its rate has the slope of α", "return alpha * mean + rate * (x - alpha * mean)"),
    edit("centre_without_alpha", "`gaussian_velocity` measures x from m; the mean of x_t is αm", "return d_alpha * mean + rate * (x - mean)"),
    edit("not_centred", "`gaussian_velocity` multiplies the rate by x; it belongs to x minus the mean of x_t", "return d_alpha * mean + rate * x"),
    edit("centre_moved_wrong", "`gaussian_velocity` adds the mean of x_t to x; it is to be subtracted", "return d_alpha * mean + rate * (x + alpha * mean)"),
    edit("centre_by_beta", "`gaussian_velocity` measures x from βm; the mean of x_t is αm", "return d_alpha * mean + rate * (x - beta * mean)"),
    edit("mean_minus", "`gaussian_velocity` moves the mean backwards", "return -d_alpha * mean + rate * (x - alpha * mean)"),
    edit("mean_only", "`gaussian_velocity` only moves the mean", "return d_alpha * mean + 0 * x"),
    edit("gaussian_score", "`gaussian_velocity` returns the score of x_t", "return -(x - alpha * mean) / (alpha**2 * variance + beta**2)"),
    edit("mean_by_beta", "the mean's rate in `gaussian_velocity` uses the slope of β", "return d_beta * mean + rate * (x - alpha * mean)"),
    edit("backwards", "`gaussian_velocity` runs from data to noise", "return -d_alpha * mean - rate * (x - alpha * mean)"),
    edit("by_posterior", "`gaussian_velocity` divides by β to find the noise from the mean of x1, and β is 0 at t = 1; the velocity is finite there",
         "end = mean + alpha * variance / (alpha**2 * variance + beta**2) * (x - alpha * mean); return d_alpha * end + d_beta * (x - alpha * end) / beta"),
    edit("mean_detached", "`gaussian_velocity` cuts the mean out of the graph", "mean = mean.detach(); return d_alpha * mean + rate * (x - alpha * mean)"),
    edit("gaussian_x_detached", "`gaussian_velocity` cuts x out of the graph", "return d_alpha * mean + rate * (x.detach() - alpha * mean)"),
    edit("gaussian_no_graph", "`gaussian_velocity` returns a result without graph", "return (d_alpha * mean + rate * (x - alpha * mean)).detach()"),
    edit("gaussian_float32", "`gaussian_velocity` computes in float32 and so loses the digits of float64", "return (d_alpha * mean + rate * (x - alpha * mean)).float().to(x)"),
    edit("gaussian_one_mean", "`gaussian_velocity` uses the mean over dimensions for all of them", "mean = mean.mean(); return d_alpha * mean + rate * (x - alpha * mean)"),
)


@mistakes.rewrite("the weights of `marginal_velocity` sum to 1 over all places together; each place has weights of its own that do")
def weights_over_everything(ref):
    def marginal_velocity(x, t, points, path=ref.straight_path):
        alpha, beta, _, _ = ref.path_columns(path, t, x)
        square = (x[:, None] - alpha[:, None] * points).square().sum(-1)
        weights = torch.softmax((-square / (2 * beta**2)).flatten(), 0).reshape(square.shape)
        return ref.conditional_velocity(x, weights @ points, t, path)[0]

    return {"marginal_velocity": marginal_velocity}
