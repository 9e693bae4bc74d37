"""Named wrong versions of the answers to question 13."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- adamw_step ------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    p = p.detach()
    """,
    edit("graph_kept",
         "The step is recorded by autograd: the new parameters require gradients and drag the graph of all steps along",
         ""),
)

mistakes.at(
    """
    if g is not None:
        t = t + 1
    """,
    edit("none_as_zero",
         "A gradient None is treated as zero: the averages shrink, momentum moves the parameter, and it decays; "
         "it is to be skipped",
         """
         g = torch.zeros_like(p) if g is None else g
         if True:
             t = t + 1
         """),
    edit("zero_as_none", "A gradient of zeros is treated like None; the averages shrink, momentum moves the parameter, and it decays",
         """
         if g is not None and bool((g != 0).any()):
             t = t + 1
         """),
    edit("one_t_for_all", "All parameters share the step number of the first; each has its own, since a skipped one falls behind",
         """
         if g is not None:
             t = state[0][0] + 1
         """),
    edit("one_t_for_all_largest", "All parameters share one step number, the largest; each has its own, since a skipped one falls behind",
         """
         if g is not None:
             t = max(entry[0] for entry in state) + 1
         """),
)

mistakes.at(
    """
    t = t + 1
    """,
    edit("l2_decay",
         "The weight decay is put into the gradient (Adam with L2); in AdamW it acts on the parameter directly and "
         "enters neither m nor v",
         """
         t = t + 1
         g = g + weight_decay * p
         """,
         ("p - lr * weight_decay * p - lr * m_hat", "p - lr * m_hat")),
    edit("t_stays", "t does not come back raised, so every step has the bias correction of the first one",
         "count, t = t, t + 1",
         ("new_state.append((t, m, v))", "new_state.append((t if g is None else count, m, v))")),
    edit("t_counts_parameters",
         "t is raised in the loop over the parameters and goes on from one to the next; each has its own t",
         "t = state[0][0] + 1 + sum(before is not None for before in grads[: len(new_params)])"),
    edit("t_by_two", "t is raised by two; it counts steps", "t = t + 2"),
    edit("clipped_inside", "The step clips the gradient by itself; that is the task of `clip_grad_norm`",
         """
         t = t + 1
         g = g / g.norm().clamp_min(1)
         """),
    edit("gradient_to_float32", "The results are float32 whatever comes in; float64 parameters lose their digits",
         """
         t = t + 1
         p, g, m, v = p.float(), g.float(), m.float(), v.float()
         """),
    edit("betas_ignored", "β1 and β2 are fixed at 0.9 and 0.999; those that are passed in are not used",
         """
         t = t + 1
         betas = (0.9, 0.999)
         """),
    edit("eps_fixed", "ε is a fixed number; the one that is passed in is not used",
         """
         t = t + 1
         eps = 1e-8
         """),
    edit("eps_too_large", "Something like 1e-5 is added to the root besides or instead of ε, so tiny gradients hardly move their parameters",
         """
         t = t + 1
         eps = max(eps, 1e-5)
         """),
)

mistakes.at(
    """
    m = betas[0] * m + (1 - betas[0]) * g
    """,
    edit("betas_swapped", "β1 and β2 are exchanged",
         """
         betas = betas[::-1]
         m = betas[0] * m + (1 - betas[0]) * g
         """,
         ("""
         p = p.detach()
         """, """
         betas_in = betas
         p = p.detach()
         """),
         ("""
         new_params.append(p)
         """, """
         betas = betas_in
         new_params.append(p)
         """)),
)

mistakes.at(
    "m = betas[0] * m + (1 - betas[0]) * g",
    edit("state_in_place",
         "m of the given state is changed in place; the state is to come back as new tensors",
         "m = m.mul_(betas[0]).add_((1 - betas[0]) * g)"),
    edit("both_in_place",
         "m and v of the given state are changed in place; the state is to come back as new tensors",
         "m = m.mul_(betas[0]).add_((1 - betas[0]) * g)",
         ("v = betas[1] * v + (1 - betas[1]) * g**2", "v = v.mul_(betas[1]).addcmul_(g, g, value=1 - betas[1])")),
    edit("m_weights_only", "The weights of m are exchanged: β1 multiplies the new gradient, and 1 - β1 the old average",
         "m = (1 - betas[0]) * m + betas[0] * g"),
    edit("averages_in_float32", "m and v come back in float32 whatever comes in; in float64 they lose their digits",
         "m = betas[0] * m.float() + (1 - betas[0]) * g.float(); v = v.float()",
         ("(1 - betas[1]) * g**2", "(1 - betas[1]) * g.float() ** 2")),
    edit("m_is_a_sum", "m is a sum, β1·m + g; (13.1) averages, with the factor 1 - β1 before g", "m = betas[0] * m + g"),
    edit("m_weights_exchanged", "The weights of (13.1) are exchanged: β1 multiplies the new gradient, and 1 - β1 the old average",
         "m = (1 - betas[0]) * m + betas[0] * g",
         ("v = betas[1] * v + (1 - betas[1]) * g**2", "v = (1 - betas[1]) * v + betas[1] * g**2")),
    edit("decay_in_m_only", "The weight decay is put into the gradient that m averages; in AdamW it acts on the parameter directly",
         "m = betas[0] * m + (1 - betas[0]) * (g + weight_decay * p)",
         ("p - lr * weight_decay * p - lr * m_hat", "p - lr * m_hat")),
    edit("old_m", "The step uses m as it was before this gradient; (13.1) comes first",
         "old_m = m; m = betas[0] * m + (1 - betas[0]) * g",
         ("m_hat = m / (1 - betas[0] ** t)", "m_hat = old_m / (1 - betas[0] ** t)")),
    edit("old_v", "The step divides by √v̂ as it was before this gradient; (13.1) comes first",
         "m = betas[0] * m + (1 - betas[0]) * g; old_v = v",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = old_v / (1 - betas[1] ** t)")),
    edit("no_momentum", "m is just the gradient of this step; it is a moving average", "m = g"),
)

mistakes.at(
    "v = betas[1] * v + (1 - betas[1]) * g**2",
    edit("v_of_gradient", "v averages the gradient itself, not its square", "v = betas[1] * v + (1 - betas[1]) * g"),
    edit("v_of_absolute", "v averages the absolute value of the gradient, not its square",
         "v = betas[1] * v + (1 - betas[1]) * g.abs()"),
    edit("v_is_maximum", "v is a running maximum of |g| (AdaMax); (13.1) averages g²",
         "v = torch.maximum(betas[1] * v, g.abs())",
         ("(v_hat.sqrt() + eps)", "(v + eps)")),
    edit("v_of_m", "v averages the square of m; it averages the square of this step's gradient",
         "v = betas[1] * v + (1 - betas[1]) * m**2"),
    edit("v_is_a_sum", "v is a sum of squares without the factor 1 - β2; (13.1) averages", "v = betas[1] * v + g**2"),
    edit("v_of_tensor", "v holds one mean square for the whole tensor; every entry has its own",
         "v = betas[1] * v + (1 - betas[1]) * (g**2).mean()"),
    edit("v_never_falls", "v never falls, as in AMSGrad; in (13.1) it forgets large gradients",
         "v = torch.maximum(v, betas[1] * v + (1 - betas[1]) * g**2)"),
    edit("deviation", "v averages the squared difference of g and m (a variance, AdaBelief); (13.1) has g²",
         "v = betas[1] * v + (1 - betas[1]) * (g - m) ** 2"),
)

mistakes.at(
    "m_hat = m / (1 - betas[0] ** t)",
    edit("t_from_zero",
         "The bias correction uses t before it is raised; at the first step that is t = 0, and it divides by 1 - "
         "β⁰ = 0",
         "m_hat = m / (1 - betas[0] ** (t - 1))",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = v / (1 - betas[1] ** (t - 1))")),
    edit("t_one_ahead", "t is one too large in the bias correction; at the first step it is 1",
         "m_hat = m / (1 - betas[0] ** (t + 1))",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = v / (1 - betas[1] ** (t + 1))")),
    edit("no_correction", "There is no bias correction: early steps are several times too long", "m_hat = m",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = v")),
    edit("m_not_corrected", "Only v is bias-corrected; m starts at 0 as well", "m_hat = m"),
    edit("correction_times_t", "The bias correction takes β·t where the power βᵗ belongs",
         "m_hat = m / (1 - betas[0] * t)",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = v / (1 - betas[1] * t)")),
    edit("correction_without_power", "The bias correction divides by 1 - β at every step; it is 1 - βᵗ",
         "m_hat = m / (1 - betas[0])",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = v / (1 - betas[1])")),
    edit("correction_multiplied", "The averages are multiplied by 1 - βᵗ; the correction divides by it",
         "m_hat = m * (1 - betas[0] ** t)",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = v * (1 - betas[1] ** t)")),
    edit("correction_ends", "The bias correction ends after some number of steps; with β2 = 0.999 it still matters after hundreds",
         "m_hat = m / (1 - betas[0] ** t) if t <= 100 else m",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = v / (1 - betas[1] ** t) if t <= 100 else v")),
    edit("correction_ends_late", "The bias correction ends after a thousand steps; with β2 = 0.999 it still matters then",
         "m_hat = m / (1 - betas[0] ** t)",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = v / (1 - betas[1] ** t) if t <= 1000 else v")),
    edit("nesterov_plain", "This step's gradient is mixed into m once more before the correction, as in Nesterov's method; (13.2) corrects m itself",
         "m_hat = (betas[0] * m + (1 - betas[0]) * g) / (1 - betas[0] ** t)"),
    edit("nesterov", "The step looks ahead (NAdam): it mixes this step's gradient into m̂ once more",
         "m_hat = betas[0] * m / (1 - betas[0] ** (t + 1)) + (1 - betas[0]) * g / (1 - betas[0] ** t)"),
)

mistakes.at(
    "v_hat = v / (1 - betas[1] ** t)",
    edit("v_not_corrected", "Only m is bias-corrected; v starts at 0 as well", "v_hat = v"),
    edit("root_of_correction_missing", "The correction of v multiplies the step by 1 - β2ᵗ; under the root it is √(1 - β2ᵗ)",
         "v_hat = v / (1 - betas[1] ** t) ** 2"),
    edit("v_corrected_by_beta1", "v is corrected with β1; its own β2 belongs there", "v_hat = v / (1 - betas[0] ** t)"),
)

mistakes.at(
    "p = p - lr * weight_decay * p - lr * m_hat / (v_hat.sqrt() + eps)",
    edit("decay_after", "The parameters are decayed after the step; the decay acts on the old ones",
         "p = (1 - lr * weight_decay) * (p - lr * m_hat / (v_hat.sqrt() + eps))"),
    edit("ascent", "The step goes up the gradient; the loss is to fall",
         "p = p - lr * weight_decay * p + lr * m_hat / (v_hat.sqrt() + eps)"),
    edit("sign_of_m", "The step is the sign of m (Lion); it is m̂ divided by √v̂",
         "p = p - lr * weight_decay * p - lr * torch.sign(m)"),
    edit("decay_exponential", "The weight decay multiplies by exp(-ηλ); (13.2) subtracts ηλθ",
         "p = p * math.exp(-lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps)"),
    edit("step_with_gradient", "The step divides this step's gradient by √v̂; it is m̂ that is divided",
         "p = p - lr * weight_decay * p - lr * g / (v_hat.sqrt() + eps)"),
    edit("params_in_place", "The parameters that come in are changed in place; new ones are to be returned",
         "p = p.sub_(lr * weight_decay * p + lr * m_hat / (v_hat.sqrt() + eps))"),
    edit("step_of_length_one", "The step is divided by its norm over the whole tensor (LAMB); only √v̂ divides it",
         "p = p - lr * weight_decay * p - lr * (m_hat / (v_hat.sqrt() + eps)) / (m_hat / (v_hat.sqrt() + eps)).norm().clamp_min(1e-12)"),
    edit("zero_entries_stay", "Entries whose gradient is zero stay as they are; they decay, and the momentum of earlier steps moves them",
         "p = torch.where(g == 0, p, p - lr * weight_decay * p - lr * m_hat / (v_hat.sqrt() + eps))"),
    edit("matrices_decay", "Only matrices decay; (13.2) lets every parameter decay",
         "p = p - lr * weight_decay * (p.dim() > 1) * p - lr * m_hat / (v_hat.sqrt() + eps)"),
    edit("decay_divided", "The weight decay is divided by √v̂ like the gradient; decoupled decay is not",
         "p = p - lr * (m_hat + weight_decay * p) / (v_hat.sqrt() + eps)"),
    edit("marked_again", "The new parameters are made to require gradients; the results of a step must not",
         "p = (p - lr * weight_decay * p - lr * m_hat / (v_hat.sqrt() + eps)).requires_grad_()"),
)

mistakes.at(
    "p - lr * weight_decay * p - lr * m_hat",
    edit("decay_corrected_lr",
         "The weight decay uses the bias-corrected learning rate, lr / (1 - β1ᵗ); it uses the plain one",
         "p - lr / (1 - betas[0] ** t) * weight_decay * p - lr * m_hat"),
    edit("decay_without_lr", "The weight decay is not multiplied by the learning rate",
         "p - weight_decay * p - lr * m_hat"),
    edit("decay_lr_squared", "The learning rate multiplies the weight decay twice; (13.2) has ηλθ",
         "p - lr * lr * weight_decay * p - lr * m_hat"),
    edit("decay_halved", "The weight decay is halved; (13.2) has ηλθ",
         "p - 0.5 * lr * weight_decay * p - lr * m_hat"),
    edit("decay_grows", "The weight decay has the wrong sign: it pushes parameters away from zero",
         "p + lr * weight_decay * p - lr * m_hat"),
    edit("no_decay", "The weight decay is not used", "p - lr * m_hat"),
    edit("lr_ignored", "The learning rate multiplies the decay only, not the step", "p - lr * weight_decay * p - m_hat"),
)

mistakes.at(
    "(v_hat.sqrt() + eps)",
    edit("eps_inside",
         "ε is inside the root; small gradients are then divided by about √ε, which is 1e-4 and not 1e-8",
         "(v_hat + eps).sqrt()"),
    edit("eps_squared_inside", "ε² is added to v̂ inside the root; (13.2) adds ε to the root",
         "(v_hat + eps**2).sqrt()"),
    edit("eps_twice", "A small number is added under the root as well; gradients smaller than its root hardly move their parameters",
         "((v_hat + 1e-12).sqrt() + eps)"),
    edit("eps_before_correction",
         "ε is added to √v before the bias correction, which makes it up to thirty times larger at the first steps",
         "((v.sqrt() + eps) / (1 - betas[1] ** t) ** 0.5)"),
    edit("eps_as_limit", "√v̂ is only kept from falling below ε; (13.2) adds ε", "v_hat.sqrt().clamp_min(eps)"),
    edit("no_eps", "ε is missing: a gradient of zero gives 0/0, and tiny ones count like large ones", "v_hat.sqrt()"),
    edit("no_root", "The step is divided by the mean square, not by its root, so it depends on the gradient's scale",
         "(v_hat + eps)"),
)

mistakes.at(
    """
    new_params.append(p)
    """,
    edit("none_decays", "A skipped parameter still decays; it is to stay as it is",
         """
         if g is None:
             p = p - lr * weight_decay * p
         new_params.append(p)
         """),
    edit("skipped_with_graph", "A skipped parameter comes back as it is, and still requires gradients; no result must",
         """
         new_params.append(params[len(new_params)] if g is None else p)
         """),
    edit("skipped_left_out", "Parameters without a gradient are missing from the results; they come back as they are",
         """
         if g is None:
             continue
         new_params.append(p)
         """),
    edit("stops_at_none", "The loop ends at the first gradient None, so that all later parameters are missing, too",
         """
         new_params.append(p)
         if g is None:
             new_state.append((t, m, v))
             break
         """),
    edit("ends_before_none", "The loop ends before the first parameter without a gradient, so that it and all later ones are missing",
         """
         if g is None:
             break
         new_params.append(p)
         """),
    edit("skipped_as_none", "A skipped parameter comes back as None; it is to come back as it is",
         """
         new_params.append(None if g is None else p)
         """),
)

mistakes.at(
    "new_state.append((t, m, v))",
    edit("corrected_state",
         "The bias-corrected averages are stored in the state; the next step then corrects them again",
         "new_state.append((t, m, v) if g is None else (t, m_hat, v_hat))"),
    edit("none_counts", "A skipped parameter's t is raised; it counts the steps made with this parameter",
         "new_state.append((t + (g is None), m, v))"),
    edit("state_reset", "A skipped parameter's state is set back to (0, zeros, zeros); it stays as it is",
         "new_state.append((t, m, v) if g is not None else (0, torch.zeros_like(m), torch.zeros_like(v)))"),
    edit("corrected_m_stored", "The bias-corrected m̂ is stored in the state in place of m; the next step then corrects it again",
         "new_state.append((t, m, v) if g is None else (t, m_hat, v))"),
    edit("corrected_v_stored", "The bias-corrected v̂ is stored in the state in place of v; the next step then corrects it again",
         "new_state.append((t, m, v) if g is None else (t, m, v_hat))"),
    edit("state_as_dict", "An entry of the new state is a dictionary; its form is (t, m, v)", 'new_state.append({"t": t, "m": m, "v": v})'),
    edit("root_stored", "The state keeps √v̂; it is v that the next step averages",
         "new_state.append((t, m, v) if g is None else (t, m, v_hat.sqrt()))"),
    edit("m_and_v_exchanged", "m and v come back in the wrong order: the state is (t, m, v)", "new_state.append((t, v, m))"),
    edit("state_without_t", "The new state holds (m, v) without t", "new_state.append((m, v))"),
)

mistakes.at(
    "return tuple(new_params), tuple(new_state)",
    edit("old_state_returned", "The state that comes back is the one that went in, so nothing is averaged and every step is a first step",
         "return tuple(new_params), state"),
    edit("params_only", "Only the parameters come back; (new_params, new_state) is asked for", "return tuple(new_params)"),
    edit("results_exchanged", "State and parameters come back in the wrong order: (new_params, new_state) is asked for",
         "return tuple(new_state), tuple(new_params)"),
    edit("first_only", "Only the first parameter is updated, as when `return` stands inside the loop or only params[0] is used",
         "return (new_params[0], *(p.detach() for p in params[1:])), (new_state[0], *state[1:])"),
    edit("return_in_loop", "Only the first parameter comes back, as when `return` stands inside the loop",
         "return tuple(new_params[:1]), tuple(new_state[:1])"),
)

# --- learning_rate ---------------------------------------------------------------------------------------------------

mistakes.at(
    """
    n = step + 1
    """,
    edit("off_by_one",
         "The schedule counts updates from 0 (n = step): the first update is wasted with rate 0, and everything "
         "else comes one late",
         "n = step"),
    edit("off_by_one_up", "The schedule is one update ahead: n is step + 1", "n = step + 2"),
    edit("cosine_off_by_one", "The cosine counts updates from 0 (n = step) though the warm-up counts from 1, so max_lr comes twice and min_lr one late",
         "n = step + 1",
         ("progress = (n - warmup_steps)", "progress = (step - warmup_steps)")),
    edit("warmup_off_by_one", "The warm-up counts updates from 0 (n = step): the first is wasted with rate 0, and max_lr comes one late",
         "n = step + 1",
         ("return max_lr * n / warmup_steps", "return max_lr * step / warmup_steps")),
)

mistakes.at(
    "if n <= warmup_steps:",
    edit("warmup_last", "With W = T the last update has min_lr; the first case of (13.3) decides, so it has max_lr",
         "if n < warmup_steps or (n == warmup_steps and n < total_steps):",
         ("if n > total_steps:", "if n > total_steps or n == warmup_steps:")),
    edit("no_warmup", "There is no warm-up: the cosine starts at the first update",
         "if False:", ("progress = (n - warmup_steps) / (total_steps - warmup_steps)", "progress = n / total_steps")),
    edit("warmup_strict", "Update W is left to the cosine (n < W); with W = T that divides by T - W = 0", "if n < warmup_steps:"),
    edit("warmup_of_one", "W = 0 is turned into a warm-up of one update (`max(1, W)`), so update 1 has max_lr; without warm-up it is on the cosine",
         "warmup_steps = max(1, warmup_steps)\n    if n <= warmup_steps:"),
    edit("warmup_at_max", "During warm-up the rate is max_lr; it rises in proportion to n",
         "if n <= warmup_steps: return max_lr\n    if n <= warmup_steps:"),
)

mistakes.at(
    "return max_lr * n / warmup_steps",
    edit("never_max", "The warm-up does not reach max_lr at update W: it divides by W + 1",
         "return max_lr * n / (warmup_steps + 1)"),
    edit("one_step_longer", "The warm-up divides by W + 1 and the cosine counts from 0 (n = step), as in a well-known program; (13.3) reaches max_lr at update W",
         "return max_lr * n / (warmup_steps + 1)",
         ("progress = (n - warmup_steps)", "progress = (step - warmup_steps)")),
    edit("quadratic_warmup", "The warm-up rises like a parabola; it rises in proportion to n", "return max_lr * (n / warmup_steps) ** 2"),
    edit("rate_as_float32", "The rate is a NumPy float32; a Python float is asked for", "return np.float32(max_lr * n / warmup_steps)",
         ("return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))",
          "return np.float32(min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress)))")),
    edit("max_too_early", "The warm-up reaches max_lr one update before W: it divides by W - 1",
         "return max_lr * n / max(warmup_steps - 1, 1)"),
    edit("warmup_from_min", "The warm-up starts from min_lr; it rises from 0 in proportion to n",
         "return min_lr + (max_lr - min_lr) * n / warmup_steps"),
    edit("warmup_from_zero", "The warm-up is (n - 1)/(W - 1) of the way: the first update is wasted with rate 0", "return max_lr * (n - 1) / max(warmup_steps - 1, 1)"),
    edit("warmup_over_all", "The warm-up divides by T; it reaches max_lr at update W", "return max_lr * n / total_steps"),
    edit("min_lr_in_warmup",
         "The warm-up does not go below min_lr; its first rates are small on purpose, also smaller than min_lr",
         "return max(min_lr, max_lr * n / warmup_steps)"),
    edit("rate_as_tensor", "The rate is a tensor; a Python float is asked for", "return torch.tensor(max_lr * n / warmup_steps)",
         ("return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))",
          "return torch.tensor(min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress)))")),
    edit("cosine_as_tensor", "After the warm-up the rate is a tensor; a Python float is asked for", "return max_lr * n / warmup_steps",
         ("return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))",
          "return min_lr + 0.5 * (max_lr - min_lr) * (1 + torch.cos(torch.tensor(math.pi * progress)))")),
    edit("cosine_warmup", "The warm-up rises like a cosine; it rises in proportion to n",
         "return max_lr * 0.5 * (1 - math.cos(math.pi * n / warmup_steps))"),
    edit("floor_division", "The warm-up divides whole numbers with //, so the rate is 0 until update W",
         "return max_lr * (n // warmup_steps)"),
)

mistakes.at(
    """
    if n > total_steps:
        return min_lr
    """,
    edit("restarts", "After the end the cosine goes on and the learning rate rises again; it stays at min_lr", "",
         ("progress = (n - warmup_steps) / (total_steps - warmup_steps)", "progress = (n - warmup_steps) / max(total_steps - warmup_steps, 1)")),
    edit("starts_again", "After the end the schedule starts again with the warm-up; the rate stays at min_lr",
         """
         n = (n - 1) % total_steps + 1
         if n <= warmup_steps:
             return max_lr * n / warmup_steps
         """),
    edit("zero_at_end", "After the end the rate is 0; it stays at min_lr",
         """
         if n > total_steps:
             return 0.0
         """),
    edit("max_after_end", "After the end the rate is max_lr; it stays at min_lr",
         """
         if n > total_steps:
             return max_lr
         """),
    edit("min_one_early", "min_lr comes one update too early: the cosine reaches it at update T by itself, and not before",
         """
         if n >= total_steps - 1:
             return min_lr
         """),
    edit("end_case_left_out", "The last case of (13.3) is missing: after the end the cosine rises again, and with W = T it divides by T - W = 0", ""),
)

mistakes.at(
    """
    if n <= warmup_steps:
        return max_lr * n / warmup_steps
    """,
    edit("divides_first", "W = 0 or W = T gives a division by zero, as a quotient is computed before it is known which case applies",
         """
         rising, share = n / warmup_steps, (n - warmup_steps) / (total_steps - warmup_steps)
         if n <= warmup_steps:
             return max_lr * rising
         """,
         ("progress = (n - warmup_steps) / (total_steps - warmup_steps)", "progress = share")),
    edit("warmup_divides_first", "W = 0 gives a division by zero, as n / W is computed before it is known which case applies",
         """
         rising = min(1.0, n / warmup_steps)
         if n <= warmup_steps:
             return max_lr * rising
         """),
)

mistakes.at(
    "progress = (n - warmup_steps) / (total_steps - warmup_steps)",
    edit("cosine_over_all",
         "The cosine's progress is n / T; it starts after the warm-up, so the rate jumps at update W",
         "progress = n / total_steps"),
    edit("cosine_too_long",
         "The cosine is stretched over T updates after the warm-up instead of T - W, so it does not reach min_lr "
         "at update T",
         "progress = (n - warmup_steps) / total_steps"),
    edit("whole_progress", "The cosine's progress is a whole number (//): the rate stays at max_lr and then drops to min_lr",
         "progress = (n - warmup_steps) // (total_steps - warmup_steps)"),
    edit("cosine_one_short", "The cosine takes T - W - 1 updates, so it reaches min_lr one too early",
         "progress = min(1.0, (n - warmup_steps) / max(total_steps - warmup_steps - 1, 1))"),
    edit("cosine_one_ahead", "The cosine is one update ahead: n - W + 1 stands where n - W belongs",
         "progress = (n - warmup_steps + 1) / (total_steps - warmup_steps)"),
    edit("cosine_one_long", "The cosine takes T - W + 1 updates, so update T is still above min_lr",
         "progress = (n - warmup_steps) / (total_steps - warmup_steps + 1)"),
    edit("cosine_starts_again", "The cosine begins one update late: update W + 1 still has max_lr",
         "progress = (n - warmup_steps - 1) / max(total_steps - warmup_steps - 1, 1) if n < total_steps else 1.0"),
)

mistakes.at(
    "return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))",
    edit("linear", "The decay is a straight line, not a cosine", "return min_lr + (max_lr - min_lr) * (1 - progress)"),
    edit("down_to_zero", "The cosine goes down to 0, not to min_lr",
         "return 0.5 * max_lr * (1 + math.cos(math.pi * progress))"),
    edit("min_lr_ignored", "min_lr is not used: the cosine goes down to 0, and the rate stays there",
         "return 0.5 * max_lr * (1 + math.cos(math.pi * progress))",
         ("    if n > total_steps:\n        return min_lr", "    if n > total_steps:\n        return 0.0")),
    edit("min_added", "min_lr is added to a cosine from max_lr to 0; at update W the rate is then max_lr + min_lr",
         "return min_lr + 0.5 * max_lr * (1 + math.cos(math.pi * progress))"),
    edit("cut_at_min", "The cosine goes down to 0 and is cut off at min_lr; it is to end at min_lr smoothly",
         "return max(min_lr, 0.5 * max_lr * (1 + math.cos(math.pi * progress)))"),
    edit("no_half", "The cosine lacks its factor ½: after update W the rate jumps to nearly twice max_lr",
         "return min_lr + (max_lr - min_lr) * (1 + math.cos(math.pi * progress))"),
    edit("cosine_squared", "The cosine's share of the way is squared, so the rate falls too fast at first",
         "return min_lr + (max_lr - min_lr) * (0.5 * (1 + math.cos(math.pi * progress))) ** 2"),
    edit("min_as_share", "min_lr is taken as a share of max_lr; it is a rate",
         "return max_lr * (min_lr + (1 - min_lr) * 0.5 * (1 + math.cos(math.pi * progress)))",
         ("    if n > total_steps:\n        return min_lr", "    if n > total_steps:\n        return max_lr * min_lr")),
    edit("no_pi", "The cosine lacks its π, so it does not come down to min_lr",
         "return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(progress))"),
    edit("whole_wave", "The cosine goes through a whole wave, cos(2π · progress), and comes up again; (13.3) has half a wave",
         "return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(2 * math.pi * progress))"),
    edit("half_of_sum", "The amplitude is ½(η_max + η_min); it is half of the difference",
         "return min_lr + 0.5 * (max_lr + min_lr) * (1 + math.cos(math.pi * progress))"),
    edit("quarter_wave", "The cosine goes through a quarter of a wave, cos(π/2 · progress); (13.3) has half a wave",
         "return min_lr + (max_lr - min_lr) * math.cos(0.5 * math.pi * progress)"),
    edit("rises", "The cosine goes the wrong way: from min_lr up to max_lr",
         "return min_lr + 0.5 * (max_lr - min_lr) * (1 - math.cos(math.pi * progress))"),
    edit("exponential", "The decay is exponential, not a cosine", "return max_lr * (min_lr / max_lr) ** progress if min_lr else max_lr * 1e-4**progress"),
    edit("constant", "After the warm-up the rate stays at max_lr; it is to fall like a cosine", "return max_lr"),
)

# --- clip_grad_norm --------------------------------------------------------------------------------------------------

mistakes.at(
    "total_norm = torch.stack([g.square().sum() for g in present]).sum().sqrt()",
    edit("sum_of_norms", "The norms of the tensors are added; add their squares, then take the root",
         "total_norm = torch.stack([g.norm() for g in present]).sum()"),
    edit("no_root_norm", "The norm lacks its square root",
         "total_norm = torch.stack([g.square().sum() for g in present]).sum()"),
    edit("mean_square", "The norm is a root mean square; it is the root of the sum",
         "total_norm = torch.cat([g.flatten() for g in present]).square().mean().sqrt()"),
    edit("mean_squares_added", "The mean squares of the tensors are added; (13.4) adds all squares, so a long tensor counts more",
         "total_norm = torch.stack([g.square().mean() for g in present]).sum().sqrt()"),
    edit("spectral_norm", "Of a matrix the largest singular value is taken (`torch.linalg.norm(g, 2)` or `ord=2`); (13.4) has the root of the sum of squares",
         "total_norm = torch.stack([torch.linalg.norm(g, 2) if g.dim() == 2 else g.norm() for g in present]).norm()"),
    edit("largest_norm", "The norm is that of the longest tensor; all tensors count together",
         "total_norm = torch.stack([g.norm() for g in present]).max()"),
    edit("largest_entry", "The norm is the largest absolute entry; (13.4) has the root of the sum of squares",
         "total_norm = torch.stack([g.abs().max() for g in present]).max()"),
    edit("sum_of_absolutes", "The norm is a sum of absolute values; (13.4) has the root of the sum of squares",
         "total_norm = torch.stack([g.abs().sum() for g in present]).sum()"),
    edit("first_norm", "The norm is that of the first tensor only; all tensors count together",
         "total_norm = present[0].norm()"),
    edit("deviation_from_mean", "The norm is that of the differences from the mean, as `std` gives; (13.4) has the gradients themselves",
         "total_norm = torch.cat([g.flatten() for g in present]).std(correction=0) * sum(g.numel() for g in present) ** 0.5"),
    edit("none_counts_as_one", "A gradient None adds to the norm; it counts as nothing",
         "total_norm = (torch.stack([g.square().sum() for g in present]).sum() + len(grads) - len(present)).sqrt()"),
    edit("matrix_norm", "The norm of a tensor is taken along one axis before it is added up; all entries count alike",
         "total_norm = torch.stack([g.norm(dim=-1).sum() if g.dim() else g.abs() for g in present]).norm()"),
    edit("eps_in_norm", "A small number is added to the norm that comes back; for small gradients it matters",
         "total_norm = torch.stack([g.square().sum() for g in present]).sum().sqrt() + 1e-3"),
    edit("norm_of_float32", "The gradients are turned into float32; they keep their dtype",
         "grads = [None if g is None else g.float() for g in grads]; total_norm = torch.stack([g.float().square().sum() for g in present]).sum().sqrt()"),
    edit("norm_loses_digits", "The norm is computed in float32, or as a rounded number: in float64 digits are lost",
         "total_norm = torch.stack([g.float().square().sum() for g in present]).sum().sqrt().to(present[0].dtype)"),
)

mistakes.at(
    "factor = max_norm / total_norm if total_norm > max_norm else 1.0",
    edit("always_rescales", "Short gradients are lengthened to max_norm; they are to stay as they are",
         "factor = max_norm / total_norm if 0 < total_norm and max_norm < math.inf else 1.0"),
    edit("always_rescales_to_infinity", "All gradients are brought to length max_norm, also short ones (and with max_norm = inf they become infinite); short ones are to stay as they are",
         "factor = max_norm / total_norm if 0 < total_norm else 1.0"),
    edit("zero_to_nan", "The gradients are always divided by the norm, also short ones and zero ones (0/0)",
         "factor = max_norm / total_norm"),
    edit("to_length_one", "Long gradients are brought to length 1, not to max_norm",
         "factor = 1 / total_norm if total_norm > max_norm else 1.0"),
    edit("limit_of_one", "The norm is compared with 1; it is compared with max_norm",
         "factor = max_norm / total_norm if total_norm > 1 else 1.0"),
    edit("multiplied_only", "Long gradients are multiplied by max_norm without being divided by their norm",
         "factor = max_norm if total_norm > max_norm else 1.0"),
    edit("limit_too_wide", "Gradients a little above max_norm are not clipped", "factor = max_norm / total_norm if total_norm > 1.01 * max_norm else 1.0"),
    edit("limit_too_low", "Gradients below max_norm are rescaled, too; the limit is max_norm itself",
         "factor = max_norm / total_norm if total_norm > max_norm / 2 else 1.0"),
    edit("soft_limit", "The gradients are shortened smoothly (tanh), also short ones; those below max_norm are to stay as they are",
         "factor = max_norm * torch.tanh(total_norm / max_norm) / total_norm if 0 < total_norm and max_norm < math.inf else 1.0"),
    edit("eps_in_factor", "A number like 1e-3 is added to the norm before it divides, so clipped gradients are shorter than max_norm, and short ones may be shortened",
         "factor = min(1.0, max_norm / (float(total_norm) + 1e-3))"),
    edit("factor_upside_down", "The factor is upside down: long gradients are made longer", "factor = total_norm / max_norm if total_norm > max_norm else 1.0"),
    edit("max_for_min", "The factor is max(1, c/‖g‖): short gradients are lengthened and long ones stay; it is the minimum",
         "factor = max_norm / total_norm if 0 < total_norm < max_norm < math.inf else 1.0"),
    edit("set_to_zero", "Gradients that are too long are set to zero; they are to be shortened to max_norm",
         "factor = 0.0 if total_norm > max_norm else 1.0"),
    edit("root_factor", "The factor is the square root of c/‖g‖, so clipped gradients are still too long",
         "factor = (max_norm / total_norm).sqrt() if total_norm > max_norm else 1.0"),
    edit("never_clips", "The gradients come back as they were: nothing is clipped", "factor = 1.0"),
)

mistakes.at(
    "clipped = tuple(None if g is None else g * factor for g in grads)",
    edit("per_tensor",
         "Every tensor is clipped by its own norm, which changes the direction; one factor belongs to all",
         "clipped = tuple(None if g is None else g * (max_norm / g.norm() if g.norm() > max_norm else 1.0) for g in grads)"),
    edit("share_per_tensor", "Every tensor is clipped by itself, at max_norm divided by the number of tensors; one factor belongs to all",
         "clipped = tuple(None if g is None else g * min(1.0, max_norm / len(present) / max(float(g.norm()), 1e-30)) for g in grads)"),
    edit("by_value", "Each entry is clipped to ±max_norm; it is the norm of all entries together that is limited",
         "clipped = tuple(None if g is None else g.clamp(-max_norm, max_norm) for g in grads)"),
    edit("none_to_zero", "None is turned into zeros; it stays None, so that the optimiser skips the parameter",
         "clipped = tuple(torch.zeros(()) if g is None else g * factor for g in grads)"),
    edit("clipped_to_float64", "The gradients come back in float64 whatever came in; they keep their dtype",
         "clipped = tuple(None if g is None else g.double() * factor for g in grads)"),
    edit("none_left_out", "The gradients None are missing from the result; they stay at their places",
         "clipped = tuple(g * factor for g in present)"),
    edit("clip_in_place", "The gradients are changed in place; new ones are to be returned",
         "clipped = tuple(None if g is None else g.mul_(factor) for g in grads)"),
    edit("only_long_ones", "Only tensors that are longer than max_norm by themselves are shortened; one factor belongs to all",
         "clipped = tuple(None if g is None else g * factor if g.norm() > max_norm else g for g in grads)"),
    edit("clipped_twice", "The factor is applied twice, so clipped gradients are shorter than max_norm",
         "clipped = tuple(None if g is None else g * factor * factor for g in grads)"),
    edit("first_clipped", "Only the first tensor is shortened; one factor belongs to all",
         "clipped = tuple(None if g is None else g * factor if g is present[0] else g for g in grads)"),
)

mistakes.at(
    "return clipped, total_norm",
    edit("norm_after", "The norm after clipping is returned; the one before is asked for",
         "return clipped, total_norm * factor"),
    edit("norm_with_axis", "The norm comes back with an axis of length 1; it is 0-d", "return clipped, total_norm.reshape(1)"),
    edit("norm_as_float32", "The norm that comes back is rounded to float32; in float64 digits are lost", "return clipped, total_norm.float()"),
    edit("norm_in_front", "Norm and gradients come back in the wrong order: (clipped, total_norm) is asked for",
         "return total_norm, clipped"),
    edit("gradients_only", "Only the gradients come back; (clipped, total_norm) is asked for", "return clipped"),
    edit("factor_returned", "The factor comes back instead of the norm", "return clipped, torch.as_tensor(factor)"),
    edit("one_vector", "The gradients come back as one flat vector; each keeps its shape and place",
         "return torch.cat([g.flatten() for g in clipped if g is not None]), total_norm"),
)

# --- rewrites --------------------------------------------------------------------------------------------------------

@mistakes.rewrite("The averages are kept in a global variable, so two optimisers share them; everything a step needs comes in as an argument")
def shared_state(ref):
    memory = {}

    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        held = tuple(memory.get((i, p.shape), entry) if entry[0] else entry for i, (p, entry) in enumerate(zip(params, state)))
        new_params, new_state = ref.adamw_step(params, grads, held, lr, betas, eps, weight_decay)
        memory.update({(i, p.shape): entry for i, (p, entry) in enumerate(zip(params, new_state))})
        return new_params, new_state

    return {"adamw_step": adamw_step}


@mistakes.rewrite("The number of the step is counted in a global variable, not by the t of the state, so two optimisers share it")
def shared_count(ref):
    count = [0]

    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        count[0] = 0 if all(t == 0 for t, _, _ in state) and count[0] > 40 else count[0]
        counted = tuple((count[0], m, v) for _, m, v in state)
        count[0] += 1
        return ref.adamw_step(params, grads, counted, lr, betas, eps, weight_decay)

    return {"adamw_step": adamw_step}


@mistakes.rewrite("SGD with momentum: the step is not divided by √v̂")
def no_division(ref):
    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        new_params, new_state = ref.adamw_step(params, grads, state, lr, betas, eps, weight_decay)
        stepped = [
            n if g is None else (1 - lr * weight_decay) * p.detach() - lr * m / (1 - betas[0] ** t)
            for p, g, n, (t, m, _) in zip(params, grads, new_params, new_state)
        ]
        return tuple(stepped), new_state

    return {"adamw_step": adamw_step}


@mistakes.rewrite("The number of the step is counted in a global variable or an attribute that is never set back, not by the t of the state")
def count_never_reset(ref):
    count = [0]

    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        new_params, new_state = ref.adamw_step(params, grads, tuple((count[0], m, v) for _, m, v in state), lr, betas, eps, weight_decay)
        count[0] += 1
        return new_params, tuple((t if g is None else t + 1, m, v) for g, (t, _, _), (_, m, v) in zip(grads, state, new_state))

    return {"adamw_step": adamw_step}
