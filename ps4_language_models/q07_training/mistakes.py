"""Named wrong versions of the answers to question 7."""



from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- train_step -----------------------------------------------------------------------------------------------------

STEP = "nn.utils.clip_grad_norm_(model.parameters(), max_norm)"
INSIDE = "cost.backward()"

mistakes.at(
    "optimiser.zero_grad()\n    total = 0.0",
    edit("never_reset", "`train_step` never resets the gradients: each step goes along the sum of all gradients so far", "total = 0.0"),
    edit("reset_afterwards", "`train_step` resets the gradients only after the step, so what `.grad` held before the first call counts", "total = 0.0",
         ("optimiser.step()\n    return total", "optimiser.step()\n    optimiser.zero_grad()\n    return total")),
    edit("reset_before_step", "`train_step` resets the gradients between backward and the step, so nothing is left to step along", "total = 0.0",
         (STEP, STEP + "\n    optimiser.zero_grad()")),
    edit("evaluation_mode", "`train_step` puts the model into evaluation mode; the mode stays as it is", "optimiser.zero_grad(); model.eval()\n    total = 0.0"),
    edit("training_mode", "`train_step` puts the model into training mode; the mode stays as it is", "optimiser.zero_grad(); model.train()\n    total = 0.0"),
)

mistakes.at(
    " * len(part) / len(ids)",
    edit("parts_added", "The costs of the parts are added up as they are; each part counts by its share of the rows", ""),
    edit("mean_of_means", "Every part counts the same, 1 / accumulate; a part counts by its share of the rows, and parts differ in size", " / accumulate"),
    edit("share_of_full_part", "Every part counts as if it were full; a part counts by its own rows, and the last may be smaller", " * -(-len(ids) // accumulate) / len(ids)"),
    edit("divided_by_rows", "Each part's mean cost is divided by the number of rows, without counting the part's own rows", " / len(ids)"),
    edit("rows_times_cost", "Each part's mean cost is multiplied by its number of rows, but never divided by the number of all rows", " * len(part)"),
    edit("share_upside_down", "Each part's mean cost is multiplied by the inverse of its share of the rows", " * len(ids) / len(part) / accumulate**2"),
    edit("sum_over_tokens", "The costs of a row's tokens are added up; the mean over all tokens is asked for", " * len(part) / len(ids) * (ids.shape[1] - 1)"),
    edit("in_bits", "The cost is divided by ln 2: bits, where nats are asked for", " * len(part) / len(ids) / math.log(2)"),
)

mistakes.at(
    "model(part[:, :-1]), part[:, 1:]",
    edit("not_shifted", "The targets are the tokens that the model was just given; each is to predict the token after it", "model(part), part"),
    edit("backwards", "The model reads the rows' later tokens and predicts the ones before", "model(part[:, 1:]), part[:, :-1]"),
    edit("two_ahead", "The targets are two tokens ahead", "model(part[:, :-2]), part[:, 2:]"),
    edit("first_left_out", "The first token is never given to the model; only its cost is left out", "model(part[:, 1:-1]), part[:, 2:]"),
    edit("last_token_only", "Only the last token of each row is predicted; all but the first are", "model(part[:, :-1])[:, -1], part[:, -1]"),
    edit("last_target_lost", "The last token of each row is never a target", "model(part[:, :-2]), part[:, 1:-1]"),
    edit("rows_joined", "The rows are joined to one long text, so a row's first token is predicted from the row before", "model(part.reshape(1, -1)[:, :-1]), part.reshape(1, -1)[:, 1:]"),
)

mistakes.at(
    "ids.chunk(accumulate)",
    edit("parts_of_that_size", "The parts have `accumulate` rows each; `accumulate` is the number of parts", "ids.split(accumulate)"),
    edit("one_part", "The whole batch goes through the model at once; it is to go in parts", "ids.chunk(1)"),
    edit("last_rows_lost", "Rows that do not fill a part are left out; all rows count", "ids[: len(ids) // accumulate * accumulate].chunk(accumulate)"),
    edit("cut_along_tokens", "The parts are pieces of the rows (cut along the tokens); they are to be whole rows", "ids.chunk(accumulate, 1)"),
    edit("first_part_only", "Only the first part is used", "ids.chunk(accumulate)[:1]"),
    edit("first_part_repeated", "The first part is used again and again", "[ids.chunk(accumulate)[0]] * len(ids.chunk(accumulate))"),
)

mistakes.at(
    """
        cost.backward()
        total += cost.detach()
    """,
    edit("last_part_only", "Only the last part's gradient is there at the step; those of all parts are to add up", """
        total += cost.detach()
    cost.backward()
    """),
    edit("loss_of_last_part", "The loss returned is that of the last part only", """
        cost.backward()
        total = cost.detach()
    """),
    edit("loss_not_weighted", "The loss returned is the sum of the parts' means, though the gradient is right", """
        cost.backward()
        total += cost.detach() * len(ids) / len(part)
    """),
    edit("loss_mean_of_means", "The loss returned is the plain mean of the parts' means, though the gradient is right", """
        cost.backward()
        total += cost.detach() * len(ids) / len(part) / accumulate
    """),
    edit("graph_kept", "The loss returned still has its graph", """
        cost.backward()
        total += cost
    """),
    edit("loss_as_float", "The loss returned is a Python number; a tensor is asked for", """
        cost.backward()
        total += cost.item()
    """),
    edit("ascent", "The sign of the cost is turned round: the model learns to be bad", """
        (-cost).backward()
        total += cost.detach()
    """),
    edit("step_for_each_part", "The optimiser steps after every part; it steps once, for the whole batch", """
        cost.backward()
        total += cost.detach()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        optimiser.step()
        optimiser.zero_grad()
    """, (STEP + "\n    optimiser.step()\n    return total", "return total")),
    edit("step_for_each_part_unreset", "The optimiser steps after every part, along the sum so far; it steps once, for the whole batch", """
        cost.backward()
        total += cost.detach()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        optimiser.step()
    """, (STEP + "\n    optimiser.step()\n    return total", "return total")),
    edit("clipped_parts", "Each part's sum of gradients is clipped on the way; the gradient of the whole batch is to be clipped", """
        cost.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        total += cost.detach()
    """),
)

mistakes.at(
    STEP,
    edit("not_clipped", "The gradient is not clipped before the step", "pass"),
    edit("clipped_by_value", "Each entry of the gradient is clipped; the length of the whole gradient is to be", "nn.utils.clip_grad_value_(model.parameters(), max_norm)"),
    edit("clipped_each", "The gradient of each parameter is clipped by itself; all together are one vector, with one length",
         "[nn.utils.clip_grad_norm_(p, max_norm) for p in model.parameters() if p.grad is not None]"),
    edit("max_norm_ignored", "max_norm is ignored: the gradient is clipped to length 1", "nn.utils.clip_grad_norm_(model.parameters(), 1.0)"),
    edit("largest_entry", "The gradient's largest entry is taken for its length", "nn.utils.clip_grad_norm_(model.parameters(), max_norm, norm_type=math.inf)"),
    edit("sum_of_entries", "The sum of the absolute entries is taken for the gradient's length", "nn.utils.clip_grad_norm_(model.parameters(), max_norm, norm_type=1)"),
    edit("always_that_long", "Every gradient is scaled to max_norm, short ones, too; only longer ones are to be shortened",
         "length = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).norm()\n    for p in model.parameters():\n        p.grad = p.grad if p.grad is None else p.grad * max_norm / length"),
    edit("square_for_length", "The sum of squares is taken for the gradient's length, without its root",
         "length = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).square().sum()\n    for p in model.parameters():\n        p.grad = p.grad if p.grad is None else p.grad * min(1.0, float(max_norm / length))"),
    edit("clipped_for_parts", "max_norm is divided by the number of parts", "nn.utils.clip_grad_norm_(model.parameters(), max_norm / accumulate)"),
    edit("embedding_not_clipped", "Not all parameters are clipped together: the first one is left out", "nn.utils.clip_grad_norm_(list(model.parameters())[1:], max_norm)"),
)

mistakes.at(
    STEP + "\n    optimiser.step()\n    return total",
    edit("no_step", "The optimiser never steps", STEP + "\n    return total"),
    edit("two_steps", "The optimiser steps twice on one batch", STEP + "\n    optimiser.step()\n    optimiser.step()\n    return total"),
    edit("loss_afterwards", "The loss returned is the one after the step; the one before it is asked for",
         STEP + "\n    optimiser.step()\n    with torch.no_grad():\n        return cross_entropy(model(ids[:, :-1]), ids[:, 1:])"),
    edit("nothing_returned", "Nothing is returned", STEP + "\n    optimiser.step()"),
)

# --- Run ------------------------------------------------------------------------------------------------------------

KEEP = """
        state = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        return copy.deepcopy(state | {"generator": self.generator.get_state(), "step": self.step})
        """

mistakes.at(
    'return copy.deepcopy(state | {"generator": self.generator.get_state(), "step": self.step})',
    edit("state_not_copied", "The tensors of the state are not copied (at most the dict is), so training goes on to change them",
         'return state | {"generator": self.generator.get_state(), "step": self.step}'),
    edit("model_copied_only", "The model's tensors are copied, the optimiser's are not, and change with further training",
         'state["model"] = copy.deepcopy(state["model"]); return state | {"generator": self.generator.get_state(), "step": self.step}'),
    edit("optimiser_copied_only", "The optimiser's tensors are copied, the model's are not, and change with further training",
         'state["optimiser"] = copy.deepcopy(state["optimiser"]); return state | {"generator": self.generator.get_state(), "step": self.step}'),
    edit("step_too_late", "A continued run begins one step too late", 'return copy.deepcopy(state | {"generator": self.generator.get_state(), "step": self.step + 1})'),
    edit("generator_drawn_from", "Keeping a state draws from the generator, so the run itself goes on with other batches",
         'torch.rand(1, generator=self.generator, device=self.generator.device); return copy.deepcopy(state | {"generator": self.generator.get_state(), "step": self.step})'),
    edit("seed_kept", "Only the seed of the generator is kept: a continued run draws the batches from the beginning again",
         'return copy.deepcopy(state | {"generator": self.generator.initial_seed(), "step": self.step})',
         ('self.generator.set_state(state["generator"])', 'self.generator.manual_seed(state["generator"])')),
    edit("generator_itself", "The generator itself is kept, not its state: it goes on drawing, and cannot be written to a file",
         'return copy.deepcopy(state) | {"generator": self.generator, "step": self.step}',
         ("state = copy.deepcopy(state)\n        self.model", "self.model"), ('self.generator.set_state(state["generator"])', 'self.generator.set_state(state["generator"].get_state())')),
)

mistakes.at(
    """
        state = copy.deepcopy(state)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.step = state["step"]
    """,
    edit("loaded_without_copy", "The state is loaded without a copy: the optimiser keeps its tensors and changes them, so a second run cannot use it", """
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.step = state["step"]
    """),
    edit("optimiser_not_loaded", "The optimiser's averages are not loaded", """
        self.model.load_state_dict(state["model"])
        self.generator.set_state(state["generator"])
        self.step = state["step"]
    """),
    edit("generator_not_loaded", "The run's own generator is not set back, so other batches follow", """
        state = copy.deepcopy(state)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]
    """),
    edit("step_not_loaded", "The number of steps done is not loaded, so the rate is another", """
        state = copy.deepcopy(state)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
    """),
    edit("model_not_loaded", "The model's weights are not loaded", """
        state = copy.deepcopy(state)
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.step = state["step"]
    """),
    edit("step_from_zero", "A continued run counts its steps from 0 again", """
        state = copy.deepcopy(state)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.step = 0
    """),
    edit("weights_only", "Only the weights are loaded; optimiser, generator and step are part of the state, too", """
        self.model.load_state_dict(state["model"])
    """),
    edit("nothing_loaded", "Nothing is loaded", """
        state = copy.deepcopy(state)
    """),
    edit("seeded_by_step", "The generator is seeded by the step, not set back to where it was", """
        state = copy.deepcopy(state)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.manual_seed(state["step"])
        self.step = state["step"]
    """),
    edit("seeded_anew", "The generator is seeded with 0, not set back to where it was", """
        state = copy.deepcopy(state)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.manual_seed(0)
        self.step = state["step"]
    """),
    edit("state_used_up", "Loading takes the entries out of the state (`pop`), so it can be used once only", """
        self.model.load_state_dict(state.pop("model"))
        self.optimiser.load_state_dict(copy.deepcopy(state.pop("optimiser")))
        self.generator.set_state(state.pop("generator"))
        self.step = state.pop("step")
    """),
    edit("optimiser_forgets", "The optimiser's averages are emptied by loading", """
        state = copy.deepcopy(state)
        self.model.load_state_dict(state["model"])
        self.optimiser.state.clear()
        self.generator.set_state(state["generator"])
        self.step = state["step"]
    """),
    edit("half_way", "The loaded weights are averaged with those that were there", """
        state = copy.deepcopy(state)
        mine = copy.deepcopy(self.model.state_dict())
        self.model.load_state_dict({k: (mine[k] + state["model"][k]) / 2 for k in mine})
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.step = state["step"]
    """),
)

mistakes.at(
    KEEP,
    edit("parameters_only", "Only the parameters of the model are kept; a model may have buffers that change, too",
         """
         state = {"model": dict(self.model.named_parameters()), "optimiser": self.optimiser.state_dict()}
         return copy.deepcopy(state | {"generator": self.generator.get_state(), "step": self.step})
         """,
         ('self.model.load_state_dict(state["model"])', 'self.model.load_state_dict(state["model"], strict=False)')),
    edit("trained_only", "Only parameters that are trained are kept; a model holds more that makes its answers",
         """
         state = {"model": {k: p for k, p in self.model.named_parameters() if p.requires_grad}, "optimiser": self.optimiser.state_dict()}
         return copy.deepcopy(state | {"generator": self.generator.get_state(), "step": self.step})
         """,
         ('self.model.load_state_dict(state["model"])', 'self.model.load_state_dict(state["model"], strict=False)')),
    edit("in_half_precision", "The weights are kept in half precision; a continued run is to be the same to the last bit",
         """
         state = {"model": {k: w.half() if w.is_floating_point() else w for k, w in self.model.state_dict().items()}, "optimiser": self.optimiser.state_dict()}
         return copy.deepcopy(state | {"generator": self.generator.get_state(), "step": self.step})
         """),
    edit("rounded", "The weights are rounded on the way; a continued run is to be the same to the last bit",
         """
         state = {"model": {k: (w * 1e4).round() / 1e4 for k, w in self.model.state_dict().items()}, "optimiser": self.optimiser.state_dict()}
         return copy.deepcopy(state | {"generator": self.generator.get_state(), "step": self.step})
         """),
    edit("first_average_lost", "Only one of the optimiser's averages is kept",
         """
         state = {"model": self.model.state_dict(), "optimiser": copy.deepcopy(self.optimiser.state_dict())}
         for kept in state["optimiser"]["state"].values():
             first = next((k for k in kept if k != "step"), None)
             if first and kept[first] is not None:
                 kept[first] = torch.zeros_like(kept[first])
         return copy.deepcopy(state | {"generator": self.generator.get_state(), "step": self.step})
         """),
    edit("averages_step_lost", "The optimiser's own count of steps starts at 1 again, so AdamW's hats are wrong",
         """
         state = {"model": self.model.state_dict(), "optimiser": copy.deepcopy(self.optimiser.state_dict())}
         for kept in state["optimiser"]["state"].values():
             if "step" in kept:
                 kept["step"] = torch.zeros_like(kept["step"])
         return copy.deepcopy(state | {"generator": self.generator.get_state(), "step": self.step})
         """),
)

# --- adamw_step -------------------------------------------------------------------------------------------------------

mistakes.at(
    "m = betas[0] * m + (1 - betas[0]) * grad",
    edit("shares_of_m_exchanged", "In m the shares of the old average and of the gradient are exchanged", "m = (1 - betas[0]) * m + betas[0] * grad"),
    edit("m_adds", "m adds the whole gradient, without the factor 1 - β₁", "m = betas[0] * m + grad"),
    edit("betas_exchanged", "β₁ and β₂ are exchanged", "betas = betas[::-1]; m = betas[0] * m + (1 - betas[0]) * grad"),
    edit("betas_ignored", "The betas are ignored, in favour of 0.9 and 0.95", "betas = (0.9, 0.95); m = betas[0] * m + (1 - betas[0]) * grad"),
    edit("betas_of_the_library", "The betas are ignored, in favour of 0.9 and 0.999", "betas = (0.9, 0.999); m = betas[0] * m + (1 - betas[0]) * grad"),
    edit("decay_in_gradient", "The decay is added to the gradient, so it passes through both averages: that is Adam with an L2 penalty; here it is decoupled",
         "grad = grad + decay * weight; m = betas[0] * m + (1 - betas[0]) * grad", ("return (1 - lr * decay) * weight - lr * quotient, m, v", "return weight - lr * quotient, m, v")),
    edit("decay_twice", "The decay acts twice, on the weight and through the gradient", "grad = grad + decay * weight; m = betas[0] * m + (1 - betas[0]) * grad"),
    edit("gradient_for_m", "m is the gradient itself, without an average", "m = grad"),
    edit("changed_in_place", "The arguments are changed in place; new tensors are asked for", "m.mul_(betas[0]).add_((1 - betas[0]) * grad)"),
    edit("in_float32", "`adamw_step` computes in float32 whatever comes in", "weight, grad, m, v = (t.float() for t in (weight, grad, m, v)); m = betas[0] * m + (1 - betas[0]) * grad",
         ("return (1 - lr * decay) * weight - lr * quotient, m, v", "return ((1 - lr * decay) * weight - lr * quotient).double(), m.double(), v.double()")),
    edit("gradient_clipped", "The gradient is clipped inside the optimiser", "grad = grad.clamp(-1, 1); m = betas[0] * m + (1 - betas[0]) * grad"),
)

mistakes.at(
    "v = betas[1] * v + (1 - betas[1]) * grad**2",
    edit("v_not_squared", "v averages the gradient, not its square", "v = betas[1] * v + (1 - betas[1]) * grad"),
    edit("v_absolute", "v averages the absolute gradient, not its square", "v = betas[1] * v + (1 - betas[1]) * grad.abs()"),
    edit("v_of_m", "v averages the square of m, not that of the gradient", "v = betas[1] * v + (1 - betas[1]) * m**2"),
    edit("v_around_m", "v averages the squared distance of the gradient from m; the square of the gradient is asked for", "v = betas[1] * v + (1 - betas[1]) * (grad - m)**2"),
    edit("v_with_first_beta", "v is averaged with β₁", "v = betas[0] * v + (1 - betas[0]) * grad**2"),
    edit("shares_of_v_exchanged", "In v the shares of the old average and of the square are exchanged", "v = (1 - betas[1]) * v + betas[1] * grad**2"),
    edit("v_adds", "v adds the whole square, without the factor 1 - β₂", "v = betas[1] * v + grad**2"),
    edit("v_maximum", "v keeps the largest square seen (AMSGrad); the average is asked for", "v = torch.maximum(v, betas[1] * v + (1 - betas[1]) * grad**2)"),
    edit("one_v_for_all", "All entries share one v; each entry has its own", "v = betas[1] * v + (1 - betas[1]) * (grad**2).mean().expand_as(grad)"),
)

mistakes.at(
    "quotient = m / (1 - betas[0] ** step) / ((v / (1 - betas[1] ** step)).sqrt() + eps)",
    edit("no_hats", "The hats are missing: early averages, which began at 0, are too small", "quotient = m / (v.sqrt() + eps)"),
    edit("hat_of_v_only", "m has no hat: m is not divided by its share 1 - β₁ᵗ", "quotient = m / ((v / (1 - betas[1] ** step)).sqrt() + eps)"),
    edit("hat_of_m_only", "v has no hat: v is not divided by its share 1 - β₂ᵗ", "quotient = m / (1 - betas[0] ** step) / (v.sqrt() + eps)"),
    edit("counted_from_zero", "The hats count one step too many: the first step is 1", "quotient = m / (1 - betas[0] ** (step + 1)) / ((v / (1 - betas[1] ** (step + 1))).sqrt() + eps)"),
    edit("hats_one_less", "The hats count one step too few", "t = max(step - 1, 1); quotient = m / (1 - betas[0] ** t) / ((v / (1 - betas[1] ** t)).sqrt() + eps)"),
    edit("hat_outside_root", "The share of v divides its root; it is to divide v, below the root", "quotient = m / (1 - betas[0] ** step) / (v.sqrt() / (1 - betas[1] ** step) + eps)"),
    edit("hats_times", "The hats multiply with step, where β is to be raised to it", "quotient = m / (1 - betas[0] / step) / ((v / (1 - betas[1] / step)).sqrt() + eps)"),
    edit("hats_of_the_other", "Each hat has the other's β", "quotient = m / (1 - betas[1] ** step) / ((v / (1 - betas[0] ** step)).sqrt() + eps)"),
    edit("hats_multiplied", "The averages are multiplied by their shares; they are to be divided", "quotient = m * (1 - betas[0] ** step) / ((v * (1 - betas[1] ** step)).sqrt() + eps)"),
    edit("no_root", "The root of v is missing", "quotient = m / (1 - betas[0] ** step) / (v / (1 - betas[1] ** step) + eps)"),
    edit("eps_in_root", "ε is added inside the root; it is added to the root", "quotient = m / (1 - betas[0] ** step) / (v / (1 - betas[1] ** step) + eps).sqrt()"),
    edit("eps_before_hat", "ε is added to the root of v before the hat's division; it is added to the finished root",
         "quotient = m / (1 - betas[0] ** step) / (v.sqrt() + eps) * (1 - betas[1] ** step) ** 0.5"),
    edit("no_eps", "ε is missing: a gradient of 0 gives 0/0", "quotient = m / (1 - betas[0] ** step) / (v / (1 - betas[1] ** step)).sqrt()"),
    edit("eps_ignored", "The argument eps is ignored, in favour of 1e-8", "quotient = m / (1 - betas[0] ** step) / ((v / (1 - betas[1] ** step)).sqrt() + 1e-8)"),
    edit("eps_as_floor", "ε is a floor under the root; it is added to it", "quotient = m / (1 - betas[0] ** step) / (v / (1 - betas[1] ** step)).sqrt().clamp_min(eps)"),
    edit("look_ahead", "The step looks one gradient ahead (NAdam); the average m is asked for",
         "quotient = (betas[0] * m + (1 - betas[0]) * grad) / (1 - betas[0] ** step) / ((v / (1 - betas[1] ** step)).sqrt() + eps)"),
    edit("sign_only", "Only the sign of m is used", "quotient = m.sign()"),
    edit("hats_kept", "The averages are returned with their hats, so the next step divides again",
         "m, v = m / (1 - betas[0] ** step), v / (1 - betas[1] ** step); quotient = m / (v.sqrt() + eps)"),
)

mistakes.at(
    "return (1 - lr * decay) * weight - lr * quotient, m, v",
    edit("decay_without_rate", "The decay is not multiplied by the rate", "return (1 - decay) * weight - lr * quotient, m, v"),
    edit("quotient_decayed", "The decay makes the step larger; it is to shrink the weight", "return weight - lr * (1 + decay) * quotient, m, v"),
    edit("constant_decay", "The decay is subtracted as a number; it is a share of the weight", "return weight - lr * (decay + quotient), m, v"),
    edit("decayed_after", "The weight is decayed after the step, so the step shrinks, too", "return (1 - lr * decay) * (weight - lr * quotient), m, v"),
    edit("no_decay", "The decay is missing", "return weight - lr * quotient, m, v"),
    edit("growth", "The weight grows by the decay", "return (1 + lr * decay) * weight - lr * quotient, m, v"),
    edit("decay_ignored", "The argument decay is ignored, in favour of 0.1", "return (1 - lr * 0.1) * weight - lr * quotient, m, v"),
    edit("uphill", "The step goes uphill: it is to be subtracted", "return (1 - lr * decay) * weight + lr * quotient, m, v"),
    edit("only_weight", "Only the weight is returned; m and v are needed for the next step", "return (1 - lr * decay) * weight - lr * quotient"),
    edit("averages_exchanged", "m and v are returned in the other order", "return (1 - lr * decay) * weight - lr * quotient, v, m"),
    edit("change_returned", "The change of the weight is returned in its place", "return -lr * decay * weight - lr * quotient, m, v"),
)

# --- newton_schulz ------------------------------------------------------------------------------------------------------

mistakes.at(
    "x = matrix / (matrix.norm() + 1e-7)",
    edit("not_divided", "The matrix is not divided by its norm first, and large singular values explode", "x = matrix"),
    edit("spectral_norm", "The matrix is divided by its largest singular value; the root of the summed squares is asked for", "x = matrix / (torch.linalg.matrix_norm(matrix, 2) + 1e-7)"),
    edit("largest_column", "The matrix is divided by the norm of its largest column; the root of all summed squares is asked for", "x = matrix / (matrix.norm(dim=0).max() + 1e-7)"),
    edit("largest_row", "The matrix is divided by the norm of its largest row; the root of all summed squares is asked for", "x = matrix / (matrix.norm(dim=1).max() + 1e-7)"),
    edit("largest_entry_norm", "The matrix is divided by its largest entry, so singular values above 1 explode", "x = matrix / (matrix.abs().max() + 1e-7)"),
    edit("rows_divided", "Each row is divided by its own norm, which changes U and V", "x = matrix / (matrix.norm(dim=1, keepdim=True) + 1e-7)"),
    edit("squares_divided", "The matrix is divided by the sum of its squares, without the root", "x = matrix / (matrix.square().sum() + 1e-7)"),
    edit("absolute_divided", "The matrix is divided by the sum of its absolute entries", "x = matrix / (matrix.abs().sum() + 1e-7)"),
    edit("rms_divided", "The matrix is divided by the root of the mean of its squares; the sum is asked for", "x = matrix / (matrix.square().mean().sqrt() + 1e-7)"),
    edit("zeros_divided", "A matrix of zeros gives 0/0; zeros stay zeros", "x = matrix / matrix.norm()"),
    edit("large_small_number", "The number beside the norm is so large that small matrices shrink", "x = matrix / (matrix.norm() + 0.01)"),
    edit("divided_if_large", "The matrix is divided only if its norm is above 1; small ones stay small", "x = matrix / matrix.norm().clamp_min(1.0)"),
    edit("in_bfloat16", "The iteration runs in bfloat16; the dtype of the matrix is asked for", "x = (matrix / (matrix.norm() + 1e-7)).bfloat16()", ("        x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s) @ x\n    return x", "        x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s) @ x\n    return x.to(matrix.dtype)")),
    edit("schulz_in_float32", "The iteration runs in float32 whatever comes in", "x = (matrix / (matrix.norm() + 1e-7)).float()", ("        x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s) @ x\n    return x", "        x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s) @ x\n    return x.to(matrix.dtype)")),
    edit("divided_in_place", "The matrix itself is divided in place", "x = matrix.div_(matrix.norm() + 1e-7)"),
)

mistakes.at(
    """
    if len(x) > x.shape[1]:
        return newton_schulz(matrix.T, steps).T
    """,
    edit("tall_not_transposed", "A tall matrix is not transposed: the result is the same, but S has the larger of both sizes, which costs many times the work", """
    """),
    edit("wide_transposed", "For wide matrices, too, S has the larger of both sizes, which costs many times the work, though the result is the same", """
    if len(x) < x.shape[1]:
        return newton_schulz(matrix.T, steps).T
    """),
    edit("not_transposed_back", "The result for a tall matrix is not transposed back", """
    if len(x) > x.shape[1]:
        return newton_schulz(matrix.T, steps)
    """),
    edit("steps_lost", "A tall matrix always gets five steps", """
    if len(x) > x.shape[1]:
        return newton_schulz(matrix.T).T
    """),
    edit("exact", "The exact UVᵀ is returned; the iteration of (7.2) is asked for", """
    u, _, vh = torch.linalg.svd(x, full_matrices=False)
    return u @ vh
    """),
)

mistakes.at(
    "for _ in range(steps):\n        s = x @ x.T",
    edit("five_steps", "The number of steps is ignored, in favour of 5", "for _ in range(5):\n        s = x @ x.T"),
    edit("one_step_less", "The iteration makes one step less than asked for", "for _ in range(steps - 1):\n        s = x @ x.T"),
    edit("at_least_one", "With 0 steps one is made all the same", "for _ in range(max(steps, 1)):\n        s = x @ x.T"),
    edit("one_step_more", "The iteration makes one step more than asked for", "for _ in range(steps + 1):\n        s = x @ x.T"),
    edit("s_computed_once", "S is that of the first X in every step; every step has its own", "s = x @ x.T\n    for _ in range(steps):\n        pass"),
    edit("divided_each_step", "X is divided by its norm in every step; once, before the first, is asked for", "for _ in range(steps):\n        x = x / (x.norm() + 1e-7)\n        s = x @ x.T"),
)

mistakes.at(
    "x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s) @ x",
    edit("entries_squared", "The entries of S are squared; S² is a product of matrices", "x = 3.4445 * x + (-4.7750 * s + 2.0315 * s**2) @ x"),
    edit("a_of_the_start", "aX has the first X in every step", "x = 3.4445 * matrix / (matrix.norm() + 1e-7) + (-4.7750 * s + 2.0315 * s @ s) @ x"),
    edit("b_positive", "b has the wrong sign", "x = 3.4445 * x + (4.7750 * s + 2.0315 * s @ s) @ x"),
    edit("a_and_c_exchanged", "a and c are exchanged", "x = 2.0315 * x + (-4.7750 * s + 3.4445 * s @ s) @ x"),
    edit("b_and_c_exchanged", "b and c are exchanged", "x = 3.4445 * x + (2.0315 * s - 4.7750 * s @ s) @ x"),
    edit("cubic", "The cubic iteration is used, with 1.5 and -0.5; (7.2) has other factors", "x = 1.5 * x - 0.5 * s @ x"),
    edit("other_quintic", "The factors are those of the quintic that converges, 15/8, -10/8, 3/8; (7.2) has others", "x = (15 * x - 10 * s @ x + 3 * s @ s @ x) / 8"),
    edit("a_lost", "The term aX is missing", "x = (-4.7750 * s + 2.0315 * s @ s) @ x"),
    edit("c_lost", "The term with S² is missing", "x = 3.4445 * x - 4.7750 * s @ x"),
    edit("b_lost", "The term with b is missing", "x = 3.4445 * x + 2.0315 * s @ s @ x"),
    edit("s_for_s2", "c multiplies S, not S²", "x = 3.4445 * x + (-4.7750 * s + 2.0315 * s) @ x"),
    edit("no_last_product", "The polynomial is added to X without the product with X", "x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s).sum(1, keepdim=True)"),
    edit("cubed", "c multiplies S³, not S²", "x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s @ s) @ x"),
    edit("rounded_factors", "The factors are rounded (3.4, -4.8, 2.0)", "x = 3.4 * x + (-4.8 * s + 2.0 * s @ s) @ x"),
)

# --- Muon -----------------------------------------------------------------------------------------------------------------

mistakes.at(
    "return [p for p in model.blocks.parameters() if p.dim() == 2]",
    edit("all_matrices", "`choose` gives Muon every matrix, embedding and head included; their rows belong to tokens", "return [p for p in model.parameters() if p.dim() == 2]"),
    edit("head_included", "`choose` gives Muon the head, too; its rows belong to tokens", "return [p for n, p in model.named_parameters() if p.dim() == 2 and 'embedding' not in n]"),
    edit("embedding_included", "`choose` gives Muon the embedding, too; its rows belong to tokens", "return [p for n, p in model.named_parameters() if p.dim() == 2 and 'head' not in n]"),
    edit("vectors_included", "`choose` gives Muon the norms inside the blocks, too; a vector is no matrix", "return list(model.blocks.parameters())"),
    edit("square_only", "`choose` gives Muon only square matrices", "return [p for p in model.blocks.parameters() if p.dim() == 2 and len(p) == p.shape[1]]"),
    edit("no_wide_ones", "`choose` leaves matrices out that have more columns than rows", "return [p for p in model.blocks.parameters() if p.dim() == 2 and len(p) >= p.shape[1]]"),
    edit("no_tall_ones", "`choose` leaves matrices out that have more rows than columns", "return [p for p in model.blocks.parameters() if p.dim() == 2 and len(p) <= p.shape[1]]"),
    edit("attention_only", "`choose` gives Muon only the matrices of attention; those of SwiGLU are matrices that vectors go through, too", "return [p for n, p in model.blocks.named_parameters() if p.dim() == 2 and 'attention' in n]"),
    edit("swiglu_only", "`choose` gives Muon only the matrices of SwiGLU; those of attention are matrices that vectors go through, too", "return [p for n, p in model.blocks.named_parameters() if p.dim() == 2 and 'attention' not in n]"),
    edit("first_block_only", "`choose` looks into one block only", "return [p for block in model.blocks[:1] for p in block.parameters() if p.dim() == 2]"),
    edit("last_block_left_out", "`choose` leaves the last block out", "return [p for block in model.blocks[:-1] for p in block.parameters() if p.dim() == 2]"),
    edit("nothing_for_muon", "`choose` gives Muon nothing", "return []"),
    edit("vectors_chosen", "`choose` gives Muon what is no matrix", "return [p for p in model.blocks.parameters() if p.dim() != 2]"),
    edit("by_shape_of_embedding", "`choose` tells the embedding by its shape, so matrices of the same shape are lost", "return [p for p in model.blocks.parameters() if p.dim() == 2 and p.shape != model.embedding.weight.shape]"),
    edit("everything_for_muon", "`choose` gives Muon all parameters", "return list(model.parameters())"),
    edit("swapped_choice", "`choose` returns the parameters for AdamW", "inside = [p for p in model.blocks.parameters() if p.dim() == 2]; return [p for p in model.parameters() if all(p is not each for each in inside)]"),
    edit("names_for_weights", "`choose` returns names; the parameters themselves are asked for", "return [n for n, p in model.blocks.named_parameters() if p.dim() == 2]"),
    edit("data_for_weights", "`choose` returns other tensors (copies, or `.data`), which no gradient reaches; the parameters themselves are asked for", "return [p.data for p in model.blocks.parameters() if p.dim() == 2]"),
    edit("largest_only", "`choose` leaves small matrices out; size does not matter", "return [p for p in model.blocks.parameters() if p.dim() == 2 and p.numel() > 40]"),
)

mistakes.at(
    """
        momentum = beta * momentum + (1 - beta) * grad
        change = newton_schulz(beta * momentum + (1 - beta) * grad)
    """,
    edit("no_look_ahead", "Newton-Schulz gets the new M itself, so the gradient counts in it once; (7.3) mixes it in once more", """
        momentum = beta * momentum + (1 - beta) * grad
        change = newton_schulz(momentum)
    """),
    edit("whole_gradient_added", "The whole gradient is added in the look-ahead, without the factor 1 - β", """
        momentum = beta * momentum + (1 - beta) * grad
        change = newton_schulz(beta * momentum + grad)
    """),
    edit("momentum_adds", "M adds the whole gradient, without the factor 1 - β", """
        momentum = beta * momentum + grad
        change = newton_schulz(beta * momentum + grad)
    """),
    edit("momentum_shares", "In M the shares of the old M and of the gradient are exchanged", """
        momentum = (1 - beta) * momentum + beta * grad
        change = newton_schulz(beta * momentum + (1 - beta) * grad)
    """),
    edit("shares_everywhere", "The shares β and 1 - β are exchanged in both places", """
        momentum = (1 - beta) * momentum + beta * grad
        change = newton_schulz((1 - beta) * momentum + beta * grad)
    """),
    edit("no_momentum", "Newton-Schulz gets the gradient; the average with the look-ahead is asked for", """
        momentum = beta * momentum + (1 - beta) * grad
        change = newton_schulz(grad)
    """),
    edit("momentum_of_equalised", "The gradient goes through Newton-Schulz before it is averaged; the average is to go through it", """
        momentum = beta * momentum + (1 - beta) * newton_schulz(grad)
        change = beta * momentum + (1 - beta) * newton_schulz(grad)
    """),
    edit("not_equalised", "Newton-Schulz is missing", """
        momentum = beta * momentum + (1 - beta) * grad
        change = beta * momentum + (1 - beta) * grad
    """),
    edit("look_ahead_kept", "The M returned is the one with the look-ahead", """
        momentum = beta * momentum + (1 - beta) * grad
        momentum = beta * momentum + (1 - beta) * grad
        change = newton_schulz(momentum)
    """),
    edit("equalised_kept", "The M returned went through Newton-Schulz", """
        momentum = beta * momentum + (1 - beta) * grad
        change = momentum = newton_schulz(beta * momentum + (1 - beta) * grad)
    """),
    edit("beta_ignored", "The argument beta is ignored, in favour of 0.95", """
        momentum = 0.95 * momentum + 0.05 * grad
        change = newton_schulz(0.95 * momentum + 0.05 * grad)
    """),
    edit("momentum_in_place", "M is changed in place; the arguments stay as they are", """
        momentum.mul_(beta).add_((1 - beta) * grad)
        change = newton_schulz(beta * momentum + (1 - beta) * grad)
    """),
    edit("decay_in_momentum", "The decay is added to the gradient, so it passes through M and Newton-Schulz; it acts on the weight directly", """
        grad = grad + decay * weight
        momentum = beta * momentum + (1 - beta) * grad
        change = newton_schulz(beta * momentum + (1 - beta) * grad)
    """, ("(1 - lr * decay) * weight - lr * 0.2", "weight - lr * 0.2")),
    edit("muon_in_float32", "`update` computes in float32 whatever comes in", """
        momentum = (beta * momentum + (1 - beta) * grad).float().double()
        change = newton_schulz(beta * momentum + (1 - beta) * grad)
    """),
    edit("two_iterations", "Newton-Schulz is applied twice", """
        momentum = beta * momentum + (1 - beta) * grad
        change = newton_schulz(newton_schulz(beta * momentum + (1 - beta) * grad))
    """),
    edit("transposed_change", "Newton-Schulz gets the transposed matrix, and its result is not transposed back", """
        momentum = beta * momentum + (1 - beta) * grad
        change = newton_schulz((beta * momentum + (1 - beta) * grad).T).reshape(weight.shape)
    """),
)

mistakes.at(
    "(1 - lr * decay) * weight - lr * 0.2 * max(weight.shape) ** 0.5 * change, momentum",
    edit("no_factor", "The factor c is missing", "(1 - lr * decay) * weight - lr * change, momentum"),
    edit("factor_of_the_ratio", "The factor is the root of rows by columns (or 1), as in the first Muon; here the root mean square is to be 0.2", "(1 - lr * decay) * weight - lr * max(1, weight.shape[0] / weight.shape[1]) ** 0.5 * change, momentum"),
    edit("factor_of_smaller", "The factor has the smaller of both sizes; (min · c²)/(n · m) = 0.2² leaves the larger", "(1 - lr * decay) * weight - lr * 0.2 * min(weight.shape) ** 0.5 * change, momentum"),
    edit("factor_of_rows", "The factor has the number of rows; wide matrices need the number of columns", "(1 - lr * decay) * weight - lr * 0.2 * weight.shape[0] ** 0.5 * change, momentum"),
    edit("factor_of_columns", "The factor has the number of columns; tall matrices need the number of rows", "(1 - lr * decay) * weight - lr * 0.2 * weight.shape[1] ** 0.5 * change, momentum"),
    edit("no_point_two", "The entries get the root mean square 1, not 0.2", "(1 - lr * decay) * weight - lr * max(weight.shape) ** 0.5 * change, momentum"),
    edit("no_root_of_size", "The factor has the larger size itself, not its root", "(1 - lr * decay) * weight - lr * 0.2 * max(weight.shape) * change, momentum"),
    edit("root_of_all", "The factor is 0.2 √(nm), as if the squares summed to 1; they sum to min(n, m)", "(1 - lr * decay) * weight - lr * 0.2 * weight.numel() ** 0.5 * change, momentum"),
    edit("mean_square", "The mean of the squares is made 0.2, not its root", "(1 - lr * decay) * weight - lr * (0.2 * max(weight.shape)) ** 0.5 * change, momentum"),
    edit("divided_by_factor", "The change is divided by the root of the larger size; it is to be multiplied", "(1 - lr * decay) * weight - lr * 0.2 / max(weight.shape) ** 0.5 * change, momentum"),
    edit("measured", "The change is scaled to a root mean square of exactly 0.2; the factor is the same for all matrices of a shape", "(1 - lr * decay) * weight - lr * 0.2 * change / change.square().mean().sqrt(), momentum"),
    edit("muon_no_decay", "The decay is missing", "weight - lr * 0.2 * max(weight.shape) ** 0.5 * change, momentum"),
    edit("muon_decay_without_rate", "The decay is not multiplied by the rate", "(1 - decay) * weight - lr * 0.2 * max(weight.shape) ** 0.5 * change, momentum"),
    edit("muon_decayed_after", "The weight is decayed after the step, so the step shrinks, too", "(1 - lr * decay) * (weight - lr * 0.2 * max(weight.shape) ** 0.5 * change), momentum"),
    edit("muon_constant_decay", "The decay is subtracted as a number; it is a share of the weight", "weight - lr * (decay + 0.2 * max(weight.shape) ** 0.5 * change), momentum"),
    edit("muon_growth", "The weight grows by the decay", "(1 + lr * decay) * weight - lr * 0.2 * max(weight.shape) ** 0.5 * change, momentum"),
    edit("muon_uphill", "The step goes uphill: it is to be subtracted", "(1 - lr * decay) * weight + lr * 0.2 * max(weight.shape) ** 0.5 * change, momentum"),
    edit("muon_decay_ignored", "The argument decay is ignored, in favour of 0.1", "(1 - lr * 0.1) * weight - lr * 0.2 * max(weight.shape) ** 0.5 * change, momentum"),
    edit("muon_only_weight", "Only the weight is returned; M is needed for the next step", "(1 - lr * decay) * weight - lr * 0.2 * max(weight.shape) ** 0.5 * change"),
    edit("muon_exchanged", "M comes first; (weight, momentum) is asked for", "momentum, (1 - lr * decay) * weight - lr * 0.2 * max(weight.shape) ** 0.5 * change"),
    edit("muon_change_returned", "The change of the weight is returned in its place", "-lr * decay * weight - lr * 0.2 * max(weight.shape) ** 0.5 * change, momentum"),
    edit("weight_in_place", "The weight is changed in place; the arguments stay as they are", "weight.mul_(1 - lr * decay).sub_(lr * 0.2 * max(weight.shape) ** 0.5 * change), momentum"),
)
