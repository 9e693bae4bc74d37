"""Named wrong versions of the answers to question 6."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- adamw_step ----------------------------------------------------------------------------------------------------

mistakes.at(
    """
    p = p.detach()
    """,
    edit("graph_kept",
         "the step is recorded by autograd: the new parameters require gradients and drag the graph of all steps along",
         ""),
)

mistakes.at(
    """
    if g is not None:
        g = g.detach()
    """,
    edit("none_as_zero",
         "a gradient None is treated as zero: the averages shrink, momentum moves the parameter, and it decays; "
         "it is to be skipped",
         """
         g = torch.zeros_like(p) if g is None else g
         if True:
             g = g.detach()
         """),
)

mistakes.at(
    """
    g = g.detach()
    t = t + 1
    """,
    edit("l2_decay",
         "the weight decay is put into the gradient (Adam with L2); in AdamW it acts on the parameter directly "
         "and enters neither m nor v",
         """
         g = g.detach() + weight_decay * p
         t = t + 1
         """,
         ("p - lr * weight_decay * p - lr * m_hat", "p - lr * m_hat")),
)

mistakes.at(
    """
    t = t + 1
    """,
    edit("t_stays", "t is not raised, so the bias correction of the first step is applied for ever",
         "count, t = t, 1", ("new_state.append((t, m, v))", "new_state.append((t if g is None else count, m, v))")),
    edit("one_t_for_all", "all parameters share one t; each has its own, since a skipped one falls behind",
         "t = state[0][0] + 1"),
)

mistakes.at(
    """
    m = betas[0] * m + (1 - betas[0]) * g
    """,
    edit("betas_swapped", "β1 and β2 are swapped",
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
         "m and v of the given state are changed in place; the state is to come back as new tensors",
         "m = m.mul_(betas[0]).add_((1 - betas[0]) * g)"),
)

mistakes.at(
    "m_hat = m / (1 - betas[0] ** t)",
    edit("t_from_zero",
         "the bias correction uses t before it is raised; at the first step that is t = 0, and it divides by 1 - "
         "β⁰ = 0",
         "m_hat = m / (1 - betas[0] ** (t - 1))",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = v / (1 - betas[1] ** (t - 1))")),
    edit("t_one_ahead", "t is one too large in the bias correction; at the first step it is 1",
         "m_hat = m / (1 - betas[0] ** (t + 1))",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = v / (1 - betas[1] ** (t + 1))")),
    edit("no_correction", "there is no bias correction: early steps are several times too long", "m_hat = m",
         ("v_hat = v / (1 - betas[1] ** t)", "v_hat = v")),
)

mistakes.at(
    "v_hat = v / (1 - betas[1] ** t)",
    edit("v_not_corrected", "only m is bias-corrected; v starts at 0 as well", "v_hat = v"),
)

mistakes.at(
    "p = p - lr * weight_decay * p - lr * m_hat / (v_hat.sqrt() + eps)",
    edit("decay_after", "the parameters are decayed after the step; the decay acts on the old ones",
         "p = (1 - lr * weight_decay) * (p - lr * m_hat / (v_hat.sqrt() + eps))"),
)

mistakes.at(
    "p - lr * weight_decay * p - lr * m_hat",
    edit("decay_corrected_lr",
         "the weight decay uses the bias-corrected learning rate, lr / (1 - β1ᵗ); it uses the plain one",
         "p - lr / (1 - betas[0] ** t) * weight_decay * p - lr * m_hat"),
    edit("decay_without_lr", "the weight decay is not multiplied by the learning rate",
         "p - weight_decay * p - lr * m_hat"),
    edit("no_decay", "the weight decay is not used", "p - lr * m_hat"),
)

mistakes.at(
    "(v_hat.sqrt() + eps)",
    edit("eps_inside",
         "eps is inside the root; small gradients are then divided by about √ε, which is 1e-4 and not 1e-8",
         "(v_hat + eps).sqrt()"),
    edit("eps_before_correction",
         "eps is added to √v before the bias correction, which makes it up to thirty times larger at the first steps",
         "((v.sqrt() + eps) / (1 - betas[1] ** t) ** 0.5)"),
    edit("no_eps", "eps is missing: a gradient of zero gives 0/0, and tiny ones count like large ones", "v_hat.sqrt()"),
    edit("no_root", "the step is divided by the mean square, not by its root, so it depends on the gradient's scale",
         "(v_hat + eps)"),
)

mistakes.at(
    """
    new_params.append(p)
    """,
    edit("none_decays", "a skipped parameter still decays; it is to stay as it is",
         """
         if g is None:
             p = p - lr * weight_decay * p
         new_params.append(p)
         """),
)

mistakes.at(
    "new_state.append((t, m, v))",
    edit("corrected_state",
         "the bias-corrected averages are stored in the state; the next step then corrects them again",
         "new_state.append((t, m, v) if g is None else (t, m_hat, v_hat))"),
    edit("none_counts", "a skipped parameter's t is raised; it counts the steps made with this parameter",
         "new_state.append((t + (g is None), m, v))"),
)

# --- learning_rate -------------------------------------------------------------------------------------------------

mistakes.at(
    """
    n = step + 1
    """,
    edit("off_by_one",
         "the schedule counts updates from 0 (n = step): the first update is wasted with rate 0, and everything "
         "else comes one late",
         "n = step"),
    edit("off_by_one_up", "the schedule is one update ahead: n is step + 1", "n = step + 2"),
)

mistakes.at(
    "if n <= warmup_steps:",
    edit("warmup_last", "with W = T the last update has min_lr; the first case of (13.3) decides, so it has max_lr",
         "if n < warmup_steps or (n == warmup_steps and n < total_steps):",
         ("if n > total_steps:", "if n > total_steps or n == warmup_steps:")),
)

mistakes.at(
    "return max_lr * n / warmup_steps",
    edit("never_max", "the warm-up does not reach max_lr at update W: it divides by W + 1",
         "return max_lr * n / (warmup_steps + 1)"),
    edit("warmup_from_min", "the warm-up starts from min_lr; it rises from 0 in proportion to n",
         "return min_lr + (max_lr - min_lr) * n / warmup_steps"),
    edit("min_lr_in_warmup",
         "the warm-up does not go below min_lr; its first rates are small on purpose, also smaller than min_lr",
         "return max(min_lr, max_lr * n / warmup_steps)"),
)

mistakes.at(
    """
    if n > total_steps:
        return min_lr
    """,
    edit("restarts", "after the end the cosine goes on and the learning rate rises again; it stays at min_lr", "",
         ("progress = (n - warmup_steps) / (total_steps - warmup_steps)", "progress = (n - warmup_steps) / max(total_steps - warmup_steps, 1)")),
    edit("zero_at_end", "after the end the rate is 0; it stays at min_lr",
         """
         if n > total_steps:
             return 0.0
         """),
)

mistakes.at(
    "progress = (n - warmup_steps) / (total_steps - warmup_steps)",
    edit("cosine_over_all",
         "the cosine's progress is n / T; it starts after the warm-up, so the rate jumps at update W",
         "progress = n / total_steps"),
    edit("cosine_too_long",
         "the cosine is stretched over T updates after the warm-up instead of T - W, so it does not reach min_lr "
         "at update T",
         "progress = (n - warmup_steps) / total_steps"),
)

mistakes.at(
    "return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))",
    edit("linear", "the decay is a straight line, not a cosine", "return min_lr + (max_lr - min_lr) * (1 - progress)"),
    edit("down_to_zero", "the cosine goes down to 0, not to min_lr",
         "return 0.5 * max_lr * (1 + math.cos(math.pi * progress))"),
    edit("min_added", "min_lr is added to a cosine from max_lr to 0; at update W the rate is then max_lr + min_lr",
         "return min_lr + 0.5 * max_lr * (1 + math.cos(math.pi * progress))"),
)

# --- clip_grad_norm ------------------------------------------------------------------------------------------------

mistakes.at(
    "total_norm = torch.stack([g.square().sum() for g in present]).sum().sqrt()",
    edit("sum_of_norms", "the norms of the tensors are added; add their squares, then take the root",
         "total_norm = torch.stack([g.norm() for g in present]).sum()"),
    edit("no_root_norm", "the norm lacks its square root",
         "total_norm = torch.stack([g.square().sum() for g in present]).sum()"),
    edit("mean_square", "the norm is a root mean square; it is the root of the sum",
         "total_norm = torch.cat([g.flatten() for g in present]).square().mean().sqrt()"),
)

mistakes.at(
    "factor = max_norm / total_norm if total_norm > max_norm else 1.0",
    edit("always_rescales", "short gradients are lengthened to max_norm; they are to stay as they are",
         "factor = max_norm / total_norm if 0 < total_norm and max_norm < math.inf else 1.0"),
    edit("zero_to_nan", "the gradients are always divided by the norm, also short ones and zero ones (0/0)",
         "factor = max_norm / total_norm"),
)

mistakes.at(
    "clipped = tuple(None if g is None else g.detach() * factor for g in grads)",
    edit("per_tensor",
         "every tensor is clipped by its own norm, which changes the direction; one factor belongs to all",
         "clipped = tuple(None if g is None else g * (max_norm / g.norm() if g.norm() > max_norm else 1.0) for g in grads)"),
    edit("by_value", "each entry is clipped to ±max_norm; it is the norm of all entries together that is limited",
         "clipped = tuple(None if g is None else g.clamp(-max_norm, max_norm) for g in grads)"),
    edit("none_to_zero", "None is turned into zeros; it stays None, so that the optimiser skips the parameter",
         "clipped = tuple(torch.zeros(()) if g is None else g.detach() * factor for g in grads)"),
    edit("clip_in_place", "the gradients are changed in place; new ones are to be returned",
         "clipped = tuple(None if g is None else g.mul_(factor) for g in grads)"),
)

mistakes.at(
    "return clipped, total_norm",
    edit("norm_after", "the norm after clipping is returned; the one before is asked for",
         "return clipped, total_norm * factor"),
)

# --- train_adamw ---------------------------------------------------------------------------------------------------

mistakes.at(
    """
    history = []
    """,
    edit("old_gradient_kept",
         "in `train_adamw` a parameter that this step's loss does not use keeps the gradient of an earlier step; "
         "it has none, and is to be skipped",
         "history, old = [], (None,) * len(params)",
         ("""
         clipped, norm = clip_grad_norm(grads, max_norm)
         """, """
         grads = old = [h if g is None else g for g, h in zip(grads, old)]
         clipped, norm = clip_grad_norm(grads, max_norm)
         """)),
)

mistakes.at(
    "leaves = tuple(p.detach().requires_grad_() for p in params)",
    edit("start_marked",
         "`train_adamw` makes the parameters that come in require gradients; it must not change them, so detach first",
         "leaves = tuple(p.requires_grad_() for p in params)"),
)

mistakes.at(
    "loss = loss_fn(leaves, step)",
    edit("always_step_zero", "`loss_fn` is called with step 0 every time: one and the same minibatch",
         "loss = loss_fn(leaves, 0)"),
)

mistakes.at(
    """
    clipped, norm = clip_grad_norm(grads, max_norm)
    """,
    edit("unused_again_as_zero",
         "`train_adamw` sets old gradients to zero, not to None: a parameter that this step's loss does not use, "
         "but an earlier one did, still moves and decays; it is to be skipped",
         """
         grads = [torch.zeros_like(p) if g is None and t else g for p, g, (t, _, _) in zip(leaves, grads, state)]
         clipped, norm = clip_grad_norm(grads, max_norm)
         """),
)

mistakes.at(
    "lr = learning_rate(step, ",
    edit("loop_step_from_one", "`train_adamw` passes step + 1 to `learning_rate`, which adds 1 itself",
         "lr = learning_rate(step + 1, "),
)

mistakes.at(
    "params, state = adamw_step(leaves, clipped, state, lr, weight_decay=weight_decay)",
    edit("clip_after_step",
         "`train_adamw` steps with the gradients as they were: clipping comes too late, or its result is not used",
         "params, state = adamw_step(leaves, grads, state, lr, weight_decay=weight_decay)"),
    edit("state_forgotten", "`train_adamw` does not keep the new state: every step is a first step",
         "params, _ = adamw_step(leaves, clipped, state, lr, weight_decay=weight_decay)"),
    edit("constant_lr", "`train_adamw` steps with max_lr all the time: the schedule is not used",
         "params, state = adamw_step(leaves, clipped, state, max_lr, weight_decay=weight_decay)"),
    edit("decay_not_passed", "`train_adamw` does not pass the weight decay on",
         "params, state = adamw_step(leaves, clipped, state, lr)"),
)

mistakes.at(
    "history.append([loss.item()",
    edit("loss_after_update", "the history holds the loss after each update; the loss before it is asked for",
         "history.append([float(loss_fn(params, step))"),
)

mistakes.at(
    "float(norm), lr]",
    edit("clipped_norm_logged",
         "the history holds the norm after clipping, which never exceeds max_norm and so warns of nothing",
         "min(float(norm), max_norm), lr]"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------

@mistakes.rewrite("the averages are kept in a global variable, so two optimisers share them; everything a step needs comes in as an argument")
def shared_state(ref):
    memory = {}

    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        held = tuple(memory.get((i, p.shape), entry) for i, (p, entry) in enumerate(zip(params, state)))
        new_params, new_state = ref.adamw_step(params, grads, held, lr, betas, eps, weight_decay)
        memory.update({(i, p.shape): entry for i, (p, entry) in enumerate(zip(params, new_state))})
        return new_params, new_state

    return {"adamw_step": adamw_step}
