"""Named wrong versions of the answers to question 2."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- game_step ----------------------------------------------------------------------------------------------------

mistakes.at(
    """
    if method == "alternating":
        d_theta, _ = field(theta, psi + lr_c * d_psi)
    """,
    edit("s_alt_missing", "the alternating step of `game_step` is simultaneous: the generator must meet the new critic", ""),
    edit("s_alt_generator_first", "the alternating step of `game_step` moves the generator first; the critic goes first",
         """
         if method == "alternating":
             _, d_psi = field(theta + lr_g * d_theta, psi)
         """),
    edit("s_alt_both_new", "both players of the alternating step of `game_step` look from the new critic; the critic itself moved by the old one",
         """
         if method == "alternating":
             d_theta, d_psi = field(theta, psi + lr_c * d_psi)
         """),
    edit("s_alt_rate", "the alternating step of `game_step` moves the critic that the generator meets by lr_g; that is the generator's rate",
         """
         if method == "alternating":
             d_theta, _ = field(theta, psi + lr_g * d_psi)
         """),
    edit("s_alt_no_rate", "the generator of the alternating step of `game_step` meets a critic that has moved by its whole direction, without the rate",
         """
         if method == "alternating":
             d_theta, _ = field(theta, psi + d_psi)
         """),
    edit("s_alt_sign", "the generator of the alternating step of `game_step` meets a critic that has moved backwards",
         """
         if method == "alternating":
             d_theta, _ = field(theta, psi - lr_c * d_psi)
         """),
    edit("s_alt_new_theta", "the generator of the alternating step of `game_step` looks from a place to which it has already gone; only the critic has moved",
         """
         if method == "alternating":
             d_theta, _ = field(theta + lr_g * d_theta, psi + lr_c * d_psi)
         """),
    edit("s_alt_detached", "the alternating step of `game_step` cuts the new critic off; the step is to be differentiable in both players",
         """
         if method == "alternating":
             d_theta, _ = field(theta, (psi + lr_c * d_psi).detach())
         """),
    edit("s_alt_half", "the generator of the alternating step of `game_step` looks at both critics and takes the mean; it meets the new one",
         """
         if method == "alternating":
             d_theta = (d_theta + field(theta, psi + lr_c * d_psi)[0]) / 2
         """),
    edit("s_alt_twice", "the critic of the alternating step of `game_step` moves twice",
         """
         if method == "alternating":
             psi = psi + lr_c * d_psi
             d_theta, d_psi = field(theta, psi)
         """),
    edit("s_alt_same_again", "the critic of the alternating step of `game_step` adds its direction twice",
         """
         if method == "alternating":
             psi = psi + lr_c * d_psi
             d_theta, _ = field(theta, psi)
         """),
    edit("s_alt_stays", "the alternating step of `game_step` returns the old critic",
         """
         if method == "alternating":
             d_theta, _ = field(theta, psi + lr_c * d_psi)
             d_psi = 0 * d_psi
         """),
    edit("s_alt_always", "`game_step` alternates whatever the method is",
         """
         d_theta, _ = field(theta, psi + lr_c * d_psi)
         """),
    edit("s_alt_unless_extra", "the simultaneous step of `game_step` uses the new critic for the generator, as alternating does",
         """
         if method != "extragradient":
             d_theta, _ = field(theta, psi + lr_c * d_psi)
         """),
    edit("s_alt_then_critic", "the critic of the alternating step of `game_step` moves once more, after the generator",
         """
         if method == "alternating":
             d_theta, _ = field(theta, psi + lr_c * d_psi)
             psi = psi + lr_c * d_psi
             _, d_psi = field(theta + lr_g * d_theta, psi)
         """),
)
mistakes.at(
    """
    if method == "extragradient":
        d_theta, d_psi = field(theta + lr_g * d_theta, psi + lr_c * d_psi)
    """,
    edit("s_eg_missing", "the extragradient step of `game_step` is simultaneous: the directions are to be taken at the trial point", ""),
    edit("s_eg_from_trial", "the extragradient step of `game_step` starts from the trial point: two simultaneous steps; it starts from the old place",
         """
         if method == "extragradient":
             theta, psi = theta + lr_g * d_theta, psi + lr_c * d_psi
             d_theta, d_psi = field(theta, psi)
         """),
    edit("s_eg_half", "the trial step of the extragradient in `game_step` is half a step",
         """
         if method == "extragradient":
             d_theta, d_psi = field(theta + lr_g * d_theta / 2, psi + lr_c * d_psi / 2)
         """),
    edit("s_eg_mean", "the extragradient step of `game_step` averages the directions of both points (Heun); those at the trial point count",
         """
         if method == "extragradient":
             a_theta, a_psi = field(theta + lr_g * d_theta, psi + lr_c * d_psi)
             d_theta, d_psi = (d_theta + a_theta) / 2, (d_psi + a_psi) / 2
         """),
    edit("s_eg_critic_only", "only the critic tries a step in the extragradient of `game_step`; both do",
         """
         if method == "extragradient":
             d_theta, d_psi = field(theta, psi + lr_c * d_psi)
         """),
    edit("s_eg_generator_only", "only the generator tries a step in the extragradient of `game_step`; both do",
         """
         if method == "extragradient":
             d_theta, d_psi = field(theta + lr_g * d_theta, psi)
         """),
    edit("s_eg_rates", "the trial step of the extragradient in `game_step` exchanges the rates",
         """
         if method == "extragradient":
             d_theta, d_psi = field(theta + lr_c * d_theta, psi + lr_g * d_psi)
         """),
    edit("s_eg_backwards", "the trial step of the extragradient in `game_step` goes backwards",
         """
         if method == "extragradient":
             d_theta, d_psi = field(theta - lr_g * d_theta, psi - lr_c * d_psi)
         """),
    edit("s_eg_alternating", "the trial step of the extragradient in `game_step` alternates; both players try at the same time",
         """
         if method == "extragradient":
             d_theta, _ = field(theta, psi + lr_c * d_psi)
             d_theta, d_psi = field(theta + lr_g * d_theta, psi + lr_c * d_psi)
         """),
    edit("s_eg_theta_only", "only the generator uses the direction of the trial point in the extragradient of `game_step`; both do",
         """
         if method == "extragradient":
             d_theta, _ = field(theta + lr_g * d_theta, psi + lr_c * d_psi)
         """),
    edit("s_eg_psi_only", "only the critic uses the direction of the trial point in the extragradient of `game_step`; both do",
         """
         if method == "extragradient":
             _, d_psi = field(theta + lr_g * d_theta, psi + lr_c * d_psi)
         """),
    edit("s_eg_no_rate", "the trial step of the extragradient in `game_step` has no rates",
         """
         if method == "extragradient":
             d_theta, d_psi = field(theta + d_theta, psi + d_psi)
         """),
    edit("s_eg_optimistic", "the extragradient step of `game_step` extrapolates, twice the new direction minus the old one; the direction at the trial point is enough",
         """
         if method == "extragradient":
             a_theta, a_psi = field(theta + lr_g * d_theta, psi + lr_c * d_psi)
             d_theta, d_psi = 2 * a_theta - d_theta, 2 * a_psi - d_psi
         """),
    edit("s_eg_twice", "the extragradient step of `game_step` looks ahead twice",
         """
         if method == "extragradient":
             d_theta, d_psi = field(theta + lr_g * d_theta, psi + lr_c * d_psi)
             d_theta, d_psi = field(theta + lr_g * d_theta, psi + lr_c * d_psi)
         """),
    edit("s_eg_detached", "the extragradient step of `game_step` cuts the trial point off; the step is to be differentiable in both players",
         """
         if method == "extragradient":
             d_theta, d_psi = field((theta + lr_g * d_theta).detach(), (psi + lr_c * d_psi).detach())
         """),
    edit("s_eg_always", "`game_step` looks ahead whatever the method is",
         """
         d_theta, d_psi = field(theta + lr_g * d_theta, psi + lr_c * d_psi)
         """),
    edit("s_eg_then_alternate", "the generator of the extragradient step of `game_step` looks from its old place, only with the critic's trial; both try",
         """
         if method == "extragradient":
             d_theta, d_psi = field(theta, psi + lr_c * d_psi)[0], field(theta + lr_g * d_theta, psi)[1]
         """),
)
mistakes.at(
    "return theta + lr_g * d_theta, psi + lr_c * d_psi",
    edit("s_sign", "`game_step` goes against the directions of `field`; these are where the players want to go", "return theta - lr_g * d_theta, psi - lr_c * d_psi"),
    edit("s_sign_psi", "the critic of `game_step` goes against its direction", "return theta + lr_g * d_theta, psi - lr_c * d_psi"),
    edit("s_sign_theta", "the generator of `game_step` goes against its direction", "return theta - lr_g * d_theta, psi + lr_c * d_psi"),
    edit("s_rates", "`game_step` exchanges the rates of the last step", "return theta + lr_c * d_theta, psi + lr_g * d_psi"),
    edit("s_one_rate", "`game_step` moves both players by lr_g", "return theta + lr_g * d_theta, psi + lr_g * d_psi"),
    edit("s_one_rate_c", "`game_step` moves both players by lr_c", "return theta + lr_c * d_theta, psi + lr_c * d_psi"),
    edit("s_order", "`game_step` returns psi before theta", "return psi + lr_c * d_psi, theta + lr_g * d_theta"),
    edit("s_moves", "`game_step` returns the moves, not the new place", "return lr_g * d_theta, lr_c * d_psi"),
    edit("s_detached", "`game_step` cuts off the graph; the step is to be differentiable in both players", "return (theta + lr_g * d_theta).detach(), (psi + lr_c * d_psi).detach()"),
    edit("s_directions_detached", "`game_step` takes the directions for constants; the step is to be differentiable in both players", "return theta + lr_g * d_theta.detach(), psi + lr_c * d_psi.detach()"),
    edit("s_theta_stays", "the generator of `game_step` stays where it is", "return theta + 0 * d_theta, psi + lr_c * d_psi"),
    edit("s_psi_stays", "the critic of `game_step` stays where it is", "return theta + lr_g * d_theta, psi + 0 * d_psi"),
    edit("s_in_place", "`game_step` changes theta and psi in place; it returns new ones", "theta += lr_g * d_theta; psi += lr_c * d_psi; return theta, psi"),
    edit("s_directions_in_place", "`game_step` scales what `field` returned in place; that may be theta or psi itself", "return theta + d_theta.mul_(lr_g), psi + d_psi.mul_(lr_c)"),
    edit("s_single", "`game_step` computes in float32 whatever it is given; float64 keeps its digits", "return (theta.float() + lr_g * d_theta.float()).to(theta), (psi.float() + lr_c * d_psi.float()).to(psi)"),
    edit("s_normalised", "`game_step` makes the directions unit vectors", "return theta + lr_g * d_theta / d_theta.norm(), psi + lr_c * d_psi / d_psi.norm()"),
    edit("s_product", "`game_step` multiplies the directions by both rates", "return theta + lr_g * lr_c * d_theta, psi + lr_g * lr_c * d_psi"),
    edit("s_only_theta", "`game_step` returns theta alone; theta and psi are asked for", "return theta + lr_g * d_theta"),
)


# --- best_gamma ---------------------------------------------------------------------------------------------------

mistakes.at(
    "return math.sqrt(lr_g / lr_c)",
    edit("y_inverse", "`best_gamma` has the rates the wrong way round: a quick critic needs less R1", "return math.sqrt(lr_c / lr_g)"),
    edit("y_no_root", "`best_gamma` misses the square root: the number under the root of the eigenvalues has a square of γ", "return lr_g / lr_c"),
    edit("y_no_root_inverse", "`best_gamma` has the rates the wrong way round, and misses a square root", "return lr_c / lr_g"),
    edit("y_one", "`best_gamma` is 1 whatever the rates are; that is so for equal ones", "return 1.0"),
    edit("y_threshold", "`best_gamma` is where |λ| falls below 1; the smallest |λ| is asked for", "return lr_g / 4"),
    edit("y_det", "`best_gamma` makes the determinant 0; then the eigenvalues are real and one of them is large", "return (1 + lr_g * lr_c / 4) / lr_c"),
    edit("y_trace", "`best_gamma` makes the trace 0; the determinant is then negative, and |λ| near 1", "return 2 / lr_c"),
    edit("y_product", "`best_gamma` is the root of the product of the rates; the penalty is multiplied by the critic's rate once more", "return math.sqrt(lr_g * lr_c)"),
    edit("y_half", "`best_gamma` is half of what it should be: the eigenvalues are still complex there", "return math.sqrt(lr_g / lr_c) / 2"),
    edit("y_double", "`best_gamma` is twice what it should be: the eigenvalues are real there, and one of them too large", "return 2 * math.sqrt(lr_g / lr_c)"),
    edit("y_rate_critic", "`best_gamma` is 1 over the critic's rate, which makes the critic forget all in one step", "return 1 / lr_c"),
    edit("y_rate", "`best_gamma` is the critic's rate", "return lr_c"),
    edit("y_rate_generator", "`best_gamma` is the generator's rate", "return lr_g"),
    edit("y_mean", "`best_gamma` takes the mean of both rates for each", "mean = (lr_g + lr_c) / 2; return math.sqrt(lr_g * lr_c) / mean"),
    edit("y_quarter", "`best_gamma` is a quarter of the ratio of the rates", "return lr_g / lr_c / 4"),
    edit("y_quadruple", "`best_gamma` is four times too large, or belongs to a penalty with another factor than ½", "return 4 * math.sqrt(lr_g / lr_c)"),
    edit("y_no_half", "`best_gamma` has σ = 1 at rest for both players in (2.1); it is ½, or the penalty lacks a factor there: too large by √2", "return math.sqrt(2 * lr_g / lr_c)"),
    edit("y_less_root", "`best_gamma` is too small by √2", "return math.sqrt(lr_g / lr_c / 2)"),
    edit("y_cube", "`best_gamma` has the cube root of the ratio", "return (lr_g / lr_c) ** (1 / 3)"),
    edit("y_alternating", "`best_gamma` is that of an alternating step; here both move at the same time", "return math.sqrt(lr_g / lr_c) - lr_g / 4"),
    edit("y_alternating_plus", "`best_gamma` has a further term of the order of the generator's rate", "return math.sqrt(lr_g / lr_c) + lr_g / 4"),
    edit("y_minus", "`best_gamma` is negative, which pushes the critic away from 0", "return -math.sqrt(lr_g / lr_c)"),
    edit("y_capped", "`best_gamma` ends at 1; a slow critic needs more", "return min(1.0, math.sqrt(lr_g / lr_c))"),
    edit("y_at_least_one", "`best_gamma` is at least 1; a quick critic needs less", "return max(1.0, math.sqrt(lr_g / lr_c))"),
    edit("y_rounded", "`best_gamma` is rounded, or searched on a coarse grid", "return round(math.sqrt(lr_g / lr_c), 2)"),
)


# --- r1_penalty ---------------------------------------------------------------------------------------------------

mistakes.at(
    "x = x.detach().requires_grad_()",
    edit("r_attached", "`r1_penalty` keeps the past of x: the penalty then moves what made x, too", "x = x if x.requires_grad else x.detach().requires_grad_()"),
    edit("r_in_place", "`r1_penalty` switches `requires_grad` of the caller's x on", "x.requires_grad_() if x.is_leaf else x.retain_grad()"),
    edit("r_noise", "`r1_penalty` adds noise to x; the slope at x itself is asked for", "x = (x + 0.1 * torch.randn_like(x)).detach().requires_grad_()"),
    edit("r_zero", "`r1_penalty` takes the slope at 0; it is asked for at each x", "x = torch.zeros_like(x).requires_grad_()"),
    edit("r_mean_x", "`r1_penalty` takes the slope at the mean of the batch", "x = x.detach().mean(0, keepdim=True).expand_as(x).clone().requires_grad_()"),
    edit("r_first", "`r1_penalty` looks at the first sample alone", "x = x[:1].detach().requires_grad_()"),
)
mistakes.at(
    "(slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)",
    edit("r_mean_logits", "`r1_penalty` takes the gradient of the mean logit, which is smaller by the size of the batch; each sample has a slope of its own", "(slope,) = torch.autograd.grad(critic(x).mean(), x, create_graph=True)"),
    edit("r_no_graph", "`r1_penalty` has no graph to the critic's parameters (none was made, or it was cut), so it teaches the critic nothing", "(slope,) = torch.autograd.grad(critic(x).sum(), x)"),
    edit("r_backward", "`r1_penalty` calls `backward`, which adds to `.grad` of the critic's parameters", "critic(x).sum().backward(create_graph=True); slope = x.grad"),
    edit("r_sigmoid", "`r1_penalty` takes the slope of the probability; the logit's is asked for", "(slope,) = torch.autograd.grad(critic(x).sigmoid().sum(), x, create_graph=True)"),
    edit("r_log_sigmoid", "`r1_penalty` takes the slope of the logarithm of the probability; the logit's is asked for", "(slope,) = torch.autograd.grad(F.logsigmoid(critic(x)).sum(), x, create_graph=True)"),
    edit("r_softplus", "`r1_penalty` takes the slope of the critic's loss; the logit's is asked for", "(slope,) = torch.autograd.grad(F.softplus(critic(x)).sum(), x, create_graph=True)"),
    edit("r_logits", "`r1_penalty` is the mean square of the logits, not of their slope", "slope = critic(x)"),
    edit("r_logit_square", "`r1_penalty` takes the slope of the squared logit", "(slope,) = torch.autograd.grad(critic(x).square().sum(), x, create_graph=True)"),
    edit("r_zero_grad", "`r1_penalty` clears the critic's `.grad`", "(slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True); [p.grad.zero_() for p in critic.parameters() if p.grad is not None] if isinstance(critic, nn.Module) else None"),
    edit("r_grad_none", "`r1_penalty` sets the critic's `.grad` to None", "(slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True); critic.zero_grad() if isinstance(critic, nn.Module) else None"),
    edit("r_weights", "`r1_penalty` takes the gradient by the critic's parameters; by x is asked for", "slope = torch.cat([g.flatten() for g in torch.autograd.grad(critic(x).sum(), critic.parameters(), create_graph=True)])[None]"),
    edit("r_difference", "`r1_penalty` takes the difference quotient with a large step; the slope at x is asked for", "(slope,) = torch.autograd.grad(critic(x + 0.1).sum(), x, create_graph=True)"),
)
mistakes.at(
    "return slope.flatten(1).square().sum(1).mean()",
    edit("r_half", "`r1_penalty` has the factor ½; it is asked for without", "return slope.flatten(1).square().sum(1).mean() / 2"),
    edit("r_norm", "`r1_penalty` is the mean norm; the square of the norm is asked for", "return slope.flatten(1).norm(dim=1).mean()"),
    edit("r_norm_mean_square", "`r1_penalty` squares the mean norm; the mean of the squares is asked for", "return slope.flatten(1).norm(dim=1).mean().square()"),
    edit("r_one", "`r1_penalty` compares the norm with 1, as in WGAN-GP; R1 wants slope 0", "return (slope.flatten(1).norm(dim=1) - 1).square().mean()"),
    edit("r_mean_entries", "`r1_penalty` averages over the entries of a sample; a squared norm is their sum", "return slope.square().mean()"),
    edit("r_sum", "`r1_penalty` adds up over the batch; the mean is asked for", "return slope.square().sum()"),
    edit("r_norm_all", "`r1_penalty` takes one norm over the whole batch", "return slope.norm()"),
    edit("r_axis", "`r1_penalty` sums over axis 1 alone; pictures have more", "return slope.square().sum(1).mean()"),
    edit("r_axis_last", "`r1_penalty` sums over the last axis alone; pictures have more", "return slope.square().sum(-1).mean()"),
    edit("r_mean_slope", "`r1_penalty` averages the slopes first; each sample's norm comes first", "return slope.flatten(1).mean(0).square().sum()"),
    edit("r_sum_axis_zero", "`r1_penalty` sums over the batch and averages over the entries; it is the other way round", "return slope.flatten(1).square().sum(0).mean()"),
    edit("r_absolute", "`r1_penalty` adds absolute values, not squares", "return slope.flatten(1).abs().sum(1).mean()"),
    edit("r_sum_square", "`r1_penalty` squares the sum of the slope's entries; their squares are to be added", "return slope.flatten(1).sum(1).square().mean()"),
    edit("r_max", "`r1_penalty` takes the steepest sample; the mean is asked for", "return slope.flatten(1).square().sum(1).max()"),
    edit("r_each", "`r1_penalty` returns one number for each sample; the mean is asked for", "return slope.flatten(1).square().sum(1)"),
    edit("r_fourth", "`r1_penalty` squares the squared norm", "return slope.flatten(1).square().sum(1).square().mean()"),
    edit("r_hinge", "`r1_penalty` charges only slopes above 1; R1 wants slope 0", "return (slope.flatten(1).norm(dim=1) - 1).relu().square().mean()"),
    edit("r_minus", "`r1_penalty` is negative: it rewards steep critics", "return -slope.flatten(1).square().sum(1).mean()"),
    edit("r_eps", "`r1_penalty` goes through a norm with a small number under the root, or clamps small slopes", "return (slope.flatten(1).square().sum(1) + 1e-3).mean()"),
    edit("r_clamp", "`r1_penalty` clips slopes; steep critics are the ones to be charged", "return slope.flatten(1).clamp(-10, 10).square().sum(1).mean()"),
    edit("r_single", "`r1_penalty` computes in float32 whatever it is given; float64 keeps its digits", "return slope.flatten(1).float().square().sum(1).mean().to(slope)"),
)


# --- update_average -----------------------------------------------------------------------------------------------

mistakes.at(
    "kept.lerp_(new, 1 - decay)",
    edit("u_swapped", "`update_average` gives the model the weight decay; that is the share of the average that stays", "kept.lerp_(new, decay)"),
    edit("u_copied", "`update_average` copies the model's parameters, so nothing is averaged", "kept.copy_(new)"),
    edit("u_sum", "`update_average` adds the model's share to the whole average: the weights sum to more than 1", "kept.add_((1 - decay) * new)"),
    edit("u_no_share", "`update_average` adds the whole model to the share of the average", "kept.copy_(decay * kept + new)"),
    edit("u_mean", "`update_average` takes the plain mean, whatever decay is", "kept.lerp_(new, 0.5)"),
    edit("u_sign", "`update_average` moves the average away from the model", "kept.sub_((1 - decay) * (new - kept))"),
    edit("u_nothing", "`update_average` leaves the average's parameters as they were, perhaps because it makes new tensors and does not keep them", "kept.lerp(new, 1 - decay)"),
    edit("u_model", "`update_average` changes the model, not the average", "new.lerp_(kept, decay)"),
    edit("u_model_too", "`update_average` changes the model, too", "kept.lerp_(new, 1 - decay); new.copy_(kept)"),
    edit("u_shared", "`update_average` makes the average's parameters share the model's memory (with decay 0.999 forgotten or not), so that they follow it", "kept.data = new.data"),
    edit("u_product", "`update_average` averages logarithms or multiplies; the parameters themselves are averaged", "kept.copy_(kept.sign() * kept.abs() ** decay * new.abs() ** (1 - decay))"),
    edit("u_only_decay", "`update_average` shrinks the average and forgets the model", "kept.mul_(decay)"),
    edit("u_corrected", "`update_average` divides by 1 - decay, a correction for averages that start at 0; this one does not", "kept.copy_((decay * kept + (1 - decay) * new) / max(1 - decay, 1e-3))"),
    edit("u_twice", "`update_average` makes two steps, or uses decay²", "kept.lerp_(new, 1 - decay); kept.lerp_(new, 1 - decay)"),
    edit("u_overwritten", "`update_average` uses what it has just overwritten: the model's share is taken of the shrunken average, too", "kept.mul_(decay); kept.add_((1 - decay) * (new - kept))"),
    edit("u_single", "`update_average` computes in float32 whatever it is given; float64 keeps its digits", "kept.copy_(kept.float().lerp(new.float(), 1 - decay))"),
    edit("u_fixed", "`update_average` has a decay of its own, 0.999", "kept.lerp_(new, 1 - 0.999)"),
    edit("u_frozen_skipped", "`update_average` skips parameters of the average that do not require gradients; an average is often frozen", "kept.lerp_(new, (1 - decay) if kept.requires_grad else 0.0)"),
    edit("u_grad_moved", "`update_average` averages `.grad`, too", "kept.lerp_(new, 1 - decay); kept.grad = kept.grad if kept.grad is None or new.grad is None else kept.grad.lerp(new.grad, 1 - decay)"),
    edit("u_grad_cleared", "`update_average` clears the model's `.grad`", "kept.lerp_(new, 1 - decay); new.grad = None"),
    edit("u_freezes", "`update_average` freezes the average's parameters; their `requires_grad` is the caller's", "kept.lerp_(new, 1 - decay); kept.requires_grad_(False)"),
    edit("u_first_only", "`update_average` stops after the first parameter", "kept.lerp_(new, 1 - decay); break"),
    edit("u_matrices", "`update_average` averages matrices only; vectors stay", "kept.lerp_(new, (1 - decay) if kept.dim() > 1 else 0.0)"),
)
mistakes.at(
    """
    for kept, new in zip(average.parameters(), model.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)
    """,
    edit("u_children", "`update_average` looks at the parameters of the module itself and not at those of its parts",
         """
         for kept, new in zip(average.parameters(recurse=False), model.parameters(recurse=False), strict=True):
             kept.lerp_(new, 1 - decay)
         """),
    edit("u_parts_only", "`update_average` looks at the parts of the module and not at its own parameters",
         """
         for mine, theirs in zip(average.children(), model.children(), strict=True):
             for kept, new in zip(mine.parameters(), theirs.parameters(), strict=True):
                 kept.lerp_(new, 1 - decay)
         """),
    edit("u_tied", "`update_average` goes through names; a weight that is used twice is then averaged twice",
         """
         theirs = model.state_dict()
         for name, kept in average.named_parameters(remove_duplicate=False):
             kept.lerp_(theirs[name], 1 - decay)
         """),
    edit("u_new_objects", "`update_average` puts new parameters into the average; whoever holds the old ones sees no change",
         """
         theirs = dict(model.named_parameters())
         for name, kept in list(average.named_parameters()):
             owner, _, last = name.rpartition(".")
             setattr(average.get_submodule(owner), last, nn.Parameter(decay * kept + (1 - decay) * theirs[name]))
         """),
)
mistakes.at(
    "kept.copy_(new)",
    edit("u_buffers_averaged", "`update_average` averages buffers, as a loop over the state dict does; they are copied", "kept.copy_(decay * kept + (1 - decay) * new)"),
    edit("u_buffers_float", "`update_average` averages the buffers that are floats; all are copied", "kept.copy_(decay * kept + (1 - decay) * new if kept.is_floating_point() else new)"),
    edit("u_buffers_float_copied", "`update_average` copies the buffers that are floats, and forgets counters", "kept.copy_(new if kept.is_floating_point() else kept)"),
    edit("u_buffers_counters", "`update_average` copies counters only; all buffers are copied", "kept.copy_(kept if kept.is_floating_point() else new)"),
    edit("u_buffers_to_model", "`update_average` copies the average's buffers into the model", "new.copy_(kept)"),
    edit("u_buffers_shared", "`update_average` makes the average's buffers share the model's memory, so that they follow it", "kept.data = new.data"),
    edit("u_buffers_exchanged", "`update_average` exchanges the buffers of both modules", "kept_before = kept.clone(); kept.copy_(new); new.copy_(kept_before)"),
    edit("u_buffers_added", "`update_average` adds the model's buffers to the average's", "kept.add_(new)"),
)
mistakes.at(
    """
    for kept, new in zip(average.buffers(), model.buffers(), strict=True):
        kept.copy_(new)
    """,
    edit("u_no_buffers", "`update_average` forgets the buffers, such as the running mean of a batch norm", ""),
)
mistakes.at(
    """
    with torch.no_grad():
        for kept, new in zip(average.parameters(), model.parameters(), strict=True):
            kept.lerp_(new, 1 - decay)
        for kept, new in zip(average.buffers(), model.buffers(), strict=True):
            kept.copy_(new)
    """,
    edit("u_graph", "`update_average` lets autograd watch: changing a parameter in place then stops with an error, or gives a frozen average a graph",
         """
         for kept, new in zip(average.parameters(), model.parameters(), strict=True):
             kept.lerp_(new, 1 - decay)
         for kept, new in zip(average.buffers(), model.buffers(), strict=True):
             kept.copy_(new)
         """),
)
