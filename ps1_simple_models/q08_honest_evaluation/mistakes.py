"""Named wrong versions of the answers to question 8."""

import copy

import torch

from autograder.probes import Mistakes, edit
from dgm import data

mistakes = Mistakes()

# --- counterexample ------------------------------------------------------------------------------------------------

mistakes.at(
    "return 4 * n * difference, torch.zeros(n)",
    edit("models_exchanged",
         "The two models of `counterexample` are exchanged: a is to have the lower true mean, b the lower one in "
         "the program",
         "return torch.zeros(n), 4 * n * difference"),
    edit("sign_exchanged",
         "`counterexample` gives a a positive difference to b in the full batches; a low NLL is good, so the signs are "
         "the wrong way round",
         "return -4 * n * difference, torch.zeros(n)"),
    edit("margin_missing",
         "The program of `counterexample` prefers the worse model, but by less than 1 nat; NLLs may be scaled up",
         "return difference * 1e-2, torch.zeros(n)"),
    edit("same_models", "Both models of `counterexample` have the same NLLs, so neither is better",
         "return 4 * n * difference, 4 * n * difference"),
    edit("infinite", "`counterexample` uses an infinite NLL; finite numbers are asked for",
         "return 4 * n * difference * math.inf, torch.zeros(n)"),
    edit("integers", "`counterexample` returns integers; NLLs are floats, and `quick_mean` cannot average integers",
         "return (4 * n * difference).long(), torch.zeros(n).long()"),
    edit("fixed_scale",
         "The numbers of `counterexample` have one size for all n; with many examples the two models then differ by less "
         "than 1 nat",
         "return 100 * difference / loss, torch.zeros(n)"),
    edit("lists", "`counterexample` returns lists; tensors are asked for, which `quick_mean` can cut into batches",
         "return (4 * n * difference).tolist(), [0.0] * n"),
    edit("arrays", "`counterexample` returns NumPy arrays; tensors are asked for",
         "return (4 * n * difference).numpy(), torch.zeros(n).numpy()"),
)

mistakes.at(
    "difference = torch.tensor([-1.0] * (n - rest) + [loss] * rest)",
    edit("first_batch",
         "`counterexample` treats the first examples of the list differently; it is the short *last* batch that counts "
         "too much",
         "difference = torch.tensor([loss] * rest + [-1.0] * (n - rest))"),
    edit("last_example_only",
         "`counterexample` changes only the very last example; where the last batch has more than one, that is not enough",
         "difference = torch.tensor([-1.0] * (n - 1) + [loss])"),
    edit("short_lists", "`counterexample` returns one number for each batch; one for each example is asked for",
         "difference = torch.tensor([-1.0] * full + [loss])",
         ("return 4 * n * difference, torch.zeros(n)", "return 4 * n * difference, torch.zeros(full + 1)")),
    edit("full_last_batch",
         "`counterexample` takes the last `batch_size` examples for the last batch; it is shorter",
         "difference = torch.tensor([-1.0] * (n - batch_size) + [loss] * batch_size)"),
)

mistakes.at(
    "loss = full * (1 + batch_size / rest) / 2",
    edit("loss_too_small",
         "In `counterexample` the last batch is worse for a, but not by enough: the program, too, still prefers a",
         "loss = 0.9 * full"),
    edit("loss_too_large",
         "In `counterexample` the last batch is so much worse for a that a has the higher true mean, too",
         "loss = 1.1 * full * batch_size / rest"),
    edit("rest_of_one",
         "`counterexample` balances its numbers for a last batch of a single example; its length is n % batch_size",
         "loss = full * (1 + batch_size) / 2"),
    edit("one_full_batch", "`counterexample` balances its numbers for a single full batch; there may be several",
         "loss = (1 + batch_size / rest) / 2"),
    edit("nothing_lost",
         "`counterexample` makes a better on every example, and then no average of any kind prefers b",
         "loss = -0.5"),
)


@mistakes.rewrite("`counterexample` ignores its arguments: it always answers for 5 examples in batches of 4")
def one_answer(ref):
    return {"counterexample": lambda n, batch_size: ref.counterexample(5, 4)}


@mistakes.rewrite("`counterexample` ignores the batch size: its numbers are made for batches of 4")
def batches_of_four(ref):
    return {"counterexample": lambda n, batch_size: ref.counterexample(n, 4 if n % 4 else 3 if n % 3 else 5)}


# --- evaluate ------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    was_training = model.training
    model.eval()
    """,
    edit("train_mode",
         "`evaluate` does not switch to evaluation mode: in a model that is being trained dropout stays on, and batch "
         "normalisation uses (and updates) statistics of the test batches",
         "was_training = model.training"),
    edit("always_training",
         "`evaluate` measures in training mode, whatever the mode was: dropout is on, and batch normalisation uses "
         "statistics of the test batches",
         """
         was_training = model.training
         model.train()
         """),
    edit("clears_gradients",
         "`evaluate` clears the gradients of the parameters, which belong to the training around it",
         """
         was_training = model.training
         model.eval()
         model.zero_grad()
         """),
    edit("top_module_only",
         "`evaluate` sets `model.training = False` by hand, which does not reach the parts of the model",
         """
         was_training = model.training
         model.training = False
         """,
         ("    model.train(was_training)\n", "    model.training = was_training\n")),
)

mistakes.at(
    """
    with torch.no_grad():
        total = sum(model(batch).sum().item() for batch in data.batches(x, batch_size, None))
    """,
    edit("builds_graph", "`evaluate` builds a graph for gradients that nobody needs; it costs time and memory",
         "total = sum(model(batch).sum().item() for batch in data.batches(x, batch_size, None))"),
    edit("gradients_left_off",
         "`evaluate` switches gradients off and leaves them off, so that the training around it fails",
         """
         torch.set_grad_enabled(False)
         total = sum(model(batch).sum().item() for batch in data.batches(x, batch_size, None))
         """),
    edit("frozen_for_good",
         "`evaluate` sets `requires_grad` of the parameters to False and leaves it so; they cannot be trained any more",
         """
         model.requires_grad_(False)
         total = sum(model(batch).sum().item() for batch in data.batches(x, batch_size, None))
         """),
    edit("backward_in_test",
         "`evaluate` calls `backward`, which adds gradients of the test data to those of the training around it",
         """
         total = 0.0
         for batch in data.batches(x, batch_size, None):
             nll = model(batch).sum()
             nll.backward()
             total += nll.item()
         """),
    edit("first_batch_only", "`evaluate` scores the first batch only",
         """
         with torch.no_grad():
             total = len(x) * model(x[:batch_size]).mean().item()
         """),
    edit("last_batch_only", "`evaluate` keeps the last batch only: its sum overwrites those of the others",
         """
         with torch.no_grad():
             for batch in data.batches(x, batch_size, None):
                 total = model(batch).sum().item()
         """),
    edit("first_batch_missing", "`evaluate` leaves out the first batch",
         """
         with torch.no_grad():
             total = sum(model(batch).sum().item() for batch in list(data.batches(x, batch_size, None))[1:])
         """),
    edit("stops_early",
         "The loop of `evaluate` ends before the last batch, whether that is short or full",
         """
         total = 0.0
         with torch.no_grad():
             for start in range(0, len(x) - batch_size, batch_size):
                 total += model(x[start : start + batch_size]).sum().item()
         """),
    edit("ten_batches", "`evaluate` stops after a fixed number of batches; all examples count",
         """
         with torch.no_grad():
             batches = list(data.batches(x, batch_size, None))[:10]
             total = sum(model(batch).sum().item() for batch in batches) * len(x) / sum(map(len, batches))
         """),
    edit("returns_in_loop", "`evaluate` returns from inside its loop, after the first batch",
         """
         with torch.no_grad():
             for batch in data.batches(x, batch_size, None):
                 return model(batch).sum().item() / len(x)
         """),
    edit("median", "`evaluate` takes the median of the NLLs; the mean is asked for",
         """
         with torch.no_grad():
             total = len(x) * torch.cat([model(batch) for batch in data.batches(x, batch_size, None)]).median().item()
         """),
    edit("random_part", "`evaluate` scores randomly drawn examples, so the value changes from call to call",
         """
         x = x[torch.randint(len(x), (len(x),), device=x.device)]
         with torch.no_grad():
             total = sum(model(batch).sum().item() for batch in data.batches(x, batch_size, None))
         """),
    edit("parts_one_by_one",
         "`evaluate` sends single examples through the model without their batch axis",
         """
         with torch.no_grad():
             total = sum(model(example).sum().item() for example in x)
         """),
)

mistakes.at(
    "data.batches(x, batch_size, None)",
    edit("all_at_once", "`evaluate` sends all examples through the model at once, more than `batch_size`", "[x]"),
    edit("drop_last_kept_count",
         "`evaluate` leaves out the short last batch, but divides by the number of all examples",
         "data.batches(x, batch_size, None, drop_last=True)"),
)

mistakes.at(
    "model(batch).sum().item()",
    edit("mean_of_means",
         "`evaluate` averages the batch means with equal weights, as `quick_mean` does, so examples in a short last "
         "batch count more",
         "model(batch).mean().item()",
         ("return total / len(x)", "return total / math.ceil(len(x) / batch_size)")),
    edit("absolute_nll", "`evaluate` takes absolute values of the NLLs; the NLL of a density may be negative",
         "model(batch).abs().sum().item()"),
    edit("never_negative", "`evaluate` cuts NLLs off at 0; the NLL of a density may be negative",
         "model(batch).clamp(min=0).sum().item()"),
    edit("means_by_examples",
         "`evaluate` adds batch *means* and divides by the number of examples",
         "model(batch).mean().item()"),
    edit("full_batch_weights",
         "`evaluate` weights the mean of every batch with `batch_size`; the last batch is smaller",
         "model(batch).mean().item() * min(batch_size, len(x))"),
)

mistakes.at(
    "return total / len(x)",
    edit("rounded", "`evaluate` rounds its result, so small differences between models are lost",
         "return round(total / len(x), 2)"),
    edit("sum_not_mean", "`evaluate` returns the sum over the examples, not their mean", "return total"),
    edit("per_dimension", "`evaluate` divides by the number of all entries of x; the mean over *examples* is asked for",
         "return total / x.numel()"),
    edit("in_bits", "`evaluate` returns bits; nats are asked for", "return total / len(x) / math.log(2)"),
    edit("by_full_batches",
         "`evaluate` divides by the number of batches times `batch_size`, as if the last batch were full",
         "return total / (math.ceil(len(x) / batch_size) * batch_size)"),
    edit("log_likelihood", "`evaluate` returns the mean log-likelihood; a scorer gives *negative* ones, whose mean is asked for",
         "return -total / len(x)"),
    edit("by_batch_size_given", "`evaluate` divides the sum by `batch_size`, not by the number of examples",
         "return total / batch_size"),
    edit("mean_over_batches", "`evaluate` divides the sum by the number of batches, not of examples",
         "return total / math.ceil(len(x) / batch_size)"),
    edit("drops_last", "`evaluate` leaves out the short last batch",
         "return total / max(batch_size, len(x) - len(x) % batch_size)",
         ("data.batches(x, batch_size, None)", "data.batches(x, batch_size, None, drop_last=True)")),
)

mistakes.at(
    """
    model.train(was_training)
    """,
    edit("stays_in_eval",
         "`evaluate` leaves a model that came in training mode in evaluation mode, so the training that goes on has no "
         "dropout (the mode must be asked for before `eval()` changes it)",
         ""),
    edit("mode_inverted", "`evaluate` leaves the model in the other mode than the one that it came in",
         "model.train(not was_training)"),
    edit("root_restored",
         "`evaluate` sets `model.training` back by hand, which does not reach the parts: they stay in evaluation mode",
         "model.training = was_training"),
    edit("ends_in_train", "`evaluate` ends with `train()`, also when the model came in evaluation mode", "model.train()"),
)


# --- train_and_log -------------------------------------------------------------------------------------------------

mistakes.at(
    "optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)",
    edit("plain_sgd", "`train_and_log` uses SGD; Adam is asked for",
         "optimiser = torch.optim.SGD(model.parameters(), lr=learning_rate)"),
    edit("rmsprop", "`train_and_log` uses RMSprop; Adam is asked for",
         "optimiser = torch.optim.RMSprop(model.parameters(), lr=learning_rate)"),
    edit("momentum_sgd", "`train_and_log` uses SGD with momentum; Adam is asked for",
         "optimiser = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)"),
    edit("adamw", "`train_and_log` uses AdamW, which decays the weights; Adam is asked for",
         "optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate)"),
    edit("weight_decay", "`train_and_log` gives Adam a weight decay; none is asked for",
         "optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate, weight_decay=1e-2)"),
    edit("rate_ignored", "`train_and_log` ignores the learning rate and takes Adam's own, 0.001",
         "optimiser = torch.optim.Adam(model.parameters())"),
)

mistakes.at(
    "train_losses, test_losses = [], [evaluate(model, test_x, batch_size)]",
    edit("no_first_test", "`train_and_log` lacks the test loss before training: epochs + 1 values are asked for",
         "train_losses, test_losses = [], []"),
    edit("shifted_tests",
         "`train_and_log` logs the test loss at the start twice and lacks the one after the last epoch",
         "train_losses, test_losses = [], 2 * [evaluate(model, test_x, batch_size)]",
         ("    return train_losses, test_losses", "    return train_losses, test_losses[:-1]")),
)

mistakes.at(
    "for _ in range(epochs):",
    edit("one_epoch_less", "`train_and_log` makes one epoch too few", "for _ in range(epochs - 1):"),
    edit("new_optimiser",
         "`train_and_log` makes a new optimiser in every epoch, which forgets Adam's running averages",
         """
         for _ in range(epochs):
             optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
         """),
    edit("own_seed", "`train_and_log` shuffles with a generator of its own that is seeded with 0, not with the one that it was given",
         """
         generator = torch.Generator().manual_seed(0)
         for _ in range(epochs):
         """),
    edit("shuffled_twice", "`train_and_log` draws an order of its own from the generator before `data.batches` draws one in each epoch",
         """
         for _ in range(epochs):
             train_x = train_x[torch.randperm(len(train_x), generator=generator, device=generator.device).to(train_x.device)]
         """),
    edit("reseeded", "`train_and_log` seeds the generator anew in every epoch, so the order is the same each time",
         """
         for _ in range(epochs):
             generator.manual_seed(0)
         """),
    edit("same_order", "`train_and_log` draws the order once and uses it in every epoch; each pass draws its own",
         """
         order = torch.randperm(len(train_x), generator=generator, device=generator.device)
         train_x, generator = train_x[order.to(train_x.device)], None
         for _ in range(epochs):
         """),
)

mistakes.at(
    """
    model.train()
    """,
    edit("trains_in_given_mode",
         "`train_and_log` does not switch to training mode: a model that arrives in evaluation mode trains without "
         "dropout",
         ""),
    edit("trains_in_eval", "`train_and_log` trains in evaluation mode, so without dropout", "model.eval()"),
)

mistakes.at(
    "for batch in data.batches(train_x, batch_size, generator):",
    edit("drops_last_batch", "`train_and_log` leaves out the short last batch of every epoch",
         "for batch in data.batches(train_x, batch_size, generator, drop_last=True):"),
    edit("no_shuffle", "`train_and_log` takes the training data in the given order; the generator decides it",
         "for batch in data.batches(train_x, batch_size, None):"),
    edit("one_batch_an_epoch", "`train_and_log` makes a single step in each epoch; an epoch is a pass over all data",
         "for batch in data.batches(train_x, batch_size, generator, steps=1):"),
    edit("own_generator",
         "`train_and_log` shuffles with torch's global generator, not with the one that it was given",
         "for batch in train_x[torch.randperm(len(train_x)).to(train_x.device)].split(batch_size):"),
    edit("whole_set", "`train_and_log` takes all training data as one batch", "for batch in [train_x]:"),
    edit("trains_on_test", "`train_and_log` trains on the test data", "for batch in data.batches(test_x, batch_size, generator):"),
    edit("with_replacement",
         "`train_and_log` draws each batch anew with replacement; an epoch is to use every example once",
         """
         for _ in range(math.ceil(len(train_x) / batch_size)):
             batch = train_x[torch.randint(len(train_x), (batch_size,), generator=generator, device=generator.device)]
         """),
)

mistakes.at(
    "loss = model(batch).mean()",
    edit("sum_loss", "`train_and_log` sums the batch's NLLs; their mean is asked for", "loss = model(batch).sum()"),
    edit("optimiser_each_step", "`train_and_log` makes a new optimiser for every batch, which forgets Adam's running averages",
         "optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate); loss = model(batch).mean()"),
    edit("by_batch_size",
         "`train_and_log` divides the sum by `batch_size`, also for the last batch, which is shorter",
         "loss = model(batch).sum() / batch_size"),
    edit("sum_for_gradient",
         "`train_and_log` logs the batch's mean NLL but takes the gradient of its sum; Adam then takes a short last batch for "
         "one with smaller gradients",
         "loss = model(batch).mean()",
         ("loss.backward()", "(loss * len(batch)).backward()")),
    edit("median_loss", "`train_and_log` minimises the median of the batch's NLLs; their mean is asked for",
         "loss = model(batch).median()"),
)

mistakes.at(
    """
    loss = model(batch).mean()
    """,
    edit("twice_through_the_model",
         "`train_and_log` sends each batch through the model twice in training mode, so batch normalisation counts it twice",
         """
         model(batch)
         loss = model(batch).mean()
         """),
)

mistakes.at(
    """
    optimiser.zero_grad()
    """,
    edit("no_zero_grad", "`train_and_log` never resets the gradients, so each step uses the sum of all of them", ""),
    edit("reset_each_epoch",
         "`train_and_log` resets the gradients only once in an epoch, so they add up over its steps",
         "",
         ("""
         model.train()
         """, """
         model.train()
         optimiser.zero_grad()
         """)),
)

mistakes.at(
    """
    loss.backward()
    """,
    edit("clipped", "`train_and_log` clips the gradients; nobody asked for it",
         """
         loss.backward()
         torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
         """),
)

mistakes.at(
    """
    optimiser.step()
    """,
    edit("two_steps", "`train_and_log` makes two steps with the gradient of each batch; one is asked for",
         "optimiser.step(); optimiser.step()"),
    edit("rate_decays", "`train_and_log` lowers the learning rate from epoch to epoch; it is `learning_rate` in every step",
         "optimiser.step()",
         ("        test_losses.append(evaluate(model, test_x, batch_size))",
          "        optimiser.param_groups[0]['lr'] *= 0.9\n        test_losses.append(evaluate(model, test_x, batch_size))")),
    edit("no_step",
         "`train_and_log` leaves the weights as they are: the optimiser's `step` is not called, or finds the gradients "
         "reset",
         ""),
    edit("step_each_epoch", "`train_and_log` makes one step in each epoch; one for each batch is asked for",
         "",
         ("        test_losses.append(evaluate(model, test_x, batch_size))",
          "        optimiser.step()\n        test_losses.append(evaluate(model, test_x, batch_size))")),
)

mistakes.at(
    "train_losses.append(loss.item())",
    edit("loss_after_step", "`train_and_log` logs the batch's loss after the update; before it is asked for",
         "train_losses.append(model(batch).mean().item())"),
    edit("loss_in_eval", "`train_and_log` logs the train loss in evaluation mode; it is the loss of the step itself",
         "train_losses.append(evaluate(model, batch, batch_size))"),
    edit("loss_before_in_eval",
         "`train_and_log` logs the batch's loss in evaluation mode; it is the loss of the step itself, in training mode",
         "pass",
         ("loss = model(batch).mean()", "train_losses.append(evaluate(model, batch, batch_size))\n            loss = model(batch).mean()")),
    edit("logs_sums", "`train_and_log` logs the sum of the batch's NLLs; their mean is asked for",
         "train_losses.append(loss.item() * len(batch))"),
    edit("graphs_kept",
         "`train_and_log` logs the loss with its graph, so the graphs of all steps stay in memory",
         "train_losses.append(loss)"),
    edit("running_average", "`train_and_log` logs a running average of the losses; the loss of each step is asked for",
         "train_losses.append(loss.item() if not train_losses else 0.9 * train_losses[-1] + 0.1 * loss.item())"),
    edit("train_in_bits", "`train_and_log` logs the train losses in bits; nats are asked for",
         "train_losses.append(loss.item() / math.log(2))"),
)

mistakes.at(
    "        test_losses.append(evaluate(model, test_x, batch_size))",
    edit("test_each_step", "`train_and_log` evaluates the test set after every step, not after every epoch",
         "            test_losses.append(evaluate(model, test_x, batch_size))"),
    edit("test_on_train", "`train_and_log` evaluates the training set where the test set is asked for",
         "        test_losses.append(evaluate(model, train_x, batch_size))",
         ("train_losses, test_losses = [], [evaluate(model, test_x, batch_size)]",
          "train_losses, test_losses = [], [evaluate(model, train_x, batch_size)]")),
    edit("test_at_once",
         "`train_and_log` sends the whole test set through the model at once; `evaluate` is to use `batch_size`",
         "        test_losses.append(evaluate(model, test_x, len(test_x)))",
         ("train_losses, test_losses = [], [evaluate(model, test_x, batch_size)]",
          "train_losses, test_losses = [], [evaluate(model, test_x, len(test_x))]")),
    edit("mode_once_then_eval",
         "`train_and_log` trains in evaluation mode from the second epoch on: it switches to training mode only once, and to "
         "evaluation mode after every epoch",
         "        model.eval()\n        test_losses.append(evaluate(model, test_x, batch_size))",
         ("""
         for _ in range(epochs):
             model.train()
         """, """
         model.train()
         for _ in range(epochs):
         """)),
    edit("test_in_training_mode",
         "`train_and_log` measures the test loss after an epoch in training mode; `evaluate` is asked for",
         "        test_losses.append(model(test_x).mean().item())"),
    edit("test_batches_in_training_mode",
         "`train_and_log` measures the test loss after an epoch batch by batch in training mode; `evaluate` is asked for",
         "        test_losses.append(sum(model(part).sum().item() for part in test_x.split(batch_size)) / len(test_x))"),
    edit("test_on_batch", "`train_and_log` evaluates the last batch after an epoch; the test set is asked for",
         "        test_losses.append(evaluate(model, batch, batch_size))"),
    edit("lists_exchanged", "`train_and_log` returns the two lists in the wrong order",
         "        test_losses.append(evaluate(model, test_x, batch_size))",
         ("return train_losses, test_losses", "return test_losses, train_losses")),
)


mistakes.at(
    """
    test_losses.append(evaluate(model, test_x, batch_size))
    """,
    edit("train_each_epoch", "`train_and_log` logs one train loss per epoch, that of its last step; one per step is asked for",
         """
         train_losses.append(loss.item())
         test_losses.append(evaluate(model, test_x, batch_size))
         """,
         ("            train_losses.append(loss.item())\n", "")),
    edit("epoch_means", "`train_and_log` logs the mean train loss of each epoch; one value per step is asked for",
         """
         train_losses = train_losses[:epoch] + [sum(train_losses[epoch:]) / len(train_losses[epoch:])]
         test_losses.append(evaluate(model, test_x, batch_size))
         """,
         ("for _ in range(epochs):", "for epoch in range(epochs):")),
)

@mistakes.rewrite("`train_and_log` measures the test loss before each epoch, so the value after the last one is missing")
def tests_before_epochs(ref):
    def train_and_log(*arguments):
        train_losses, test_losses = ref.train_and_log(*arguments)
        return train_losses, test_losses[:-1]

    return {"train_and_log": train_and_log}


@mistakes.rewrite("`train_and_log` evaluates the test set only before and after all training, not after each epoch")
def two_tests(ref):
    def train_and_log(*arguments):
        train_losses, test_losses = ref.train_and_log(*arguments)
        return train_losses, [test_losses[0], test_losses[-1]]

    return {"train_and_log": train_and_log}


@mistakes.rewrite("`train_and_log` ends after the first epoch: it returns from inside its loop, or stops when the test loss rises")
def returns_after_one_epoch(ref):
    def train_and_log(model, train_x, test_x, epochs, *rest):
        return ref.train_and_log(model, train_x, test_x, 1, *rest)

    return {"train_and_log": train_and_log}


@mistakes.rewrite("`train_and_log` leaves the model as it came: it trains a copy, or puts the old weights back at the end")
def trains_a_copy(ref):
    def train_and_log(model, *arguments):
        return ref.train_and_log(copy.deepcopy(model), *arguments)

    return {"train_and_log": train_and_log}


@mistakes.rewrite("`train_and_log` puts the weights of an earlier epoch back at the end (such as the one with the best test loss); the last are asked for")
def keeps_the_best(ref):
    def train_and_log(model, train_x, test_x, epochs, batch_size, learning_rate, generator):
        optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
        train_losses, test_losses, best = [], [ref.evaluate(model, test_x, batch_size)], None
        for _ in range(epochs):
            model.train()
            for batch in data.batches(train_x, batch_size, generator):
                loss = model(batch).mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                train_losses.append(loss.item())
            test_losses.append(ref.evaluate(model, test_x, batch_size))
            if best is None or test_losses[-1] < best:
                best, state = test_losses[-1], copy.deepcopy(model.state_dict())
        model.load_state_dict(state)
        return train_losses, test_losses

    return {"train_and_log": train_and_log}


# --- paired_difference ---------------------------------------------------------------------------------------------

mistakes.at(
    "difference = nll_a - nll_b",
    edit("b_minus_a", "`paired_difference` takes b - a; a - b is asked for", "difference = nll_b - nll_a"),
    edit("absolute", "`paired_difference` takes absolute differences, which hides who is better",
         "difference = (nll_a - nll_b).abs()"),
    edit("sorted_pairs", "`paired_difference` sorts both lists first, so the pairs are no pairs any more",
         "difference = nll_a.sort().values - nll_b.sort().values"),
    edit("ratio", "`paired_difference` divides the NLLs of a by those of b; their difference is asked for",
         "difference = nll_a / nll_b"),
    edit("relative", "`paired_difference` divides the differences by the NLL of b; nats are asked for",
         "difference = (nll_a - nll_b) / nll_b"),
)

mistakes.at(
    "return difference.mean().item(), difference.std().item() / math.sqrt(len(difference))",
    edit("std_not_error",
         "`paired_difference` returns the standard deviation of the differences; the error of their mean is "
         "smaller by the square root of N",
         "return difference.mean().item(), difference.std().item()"),
    edit("population_error", "`paired_difference` divides the squares by N; equation (8.1) divides them by N - 1",
         "return difference.mean().item(), difference.std(unbiased=False).item() / math.sqrt(len(difference))"),
    edit("divided_by_n", "`paired_difference` divides the standard deviation by N, not by its square root",
         "return difference.mean().item(), difference.std().item() / len(difference)"),
    edit("root_of_n_minus_one",
         "`paired_difference` divides by the square root of N - 1 where (8.1) has N: the N - 1 stands inside s",
         "return difference.mean().item(), difference.std().item() / math.sqrt(len(difference) - 1)"),
    edit("variance", "`paired_difference` divides the variance by N and does not take the root",
         "return difference.mean().item(), difference.var().item() / len(difference)"),
    edit("variance_for_std", "`paired_difference` takes the variance where the standard deviation is asked for",
         "return difference.mean().item(), difference.var().item() / math.sqrt(len(difference))"),
    edit("around_zero",
         "`paired_difference` takes the spread of the differences around 0; in (8.1) it is around their mean",
         "return difference.mean().item(), math.sqrt(difference.square().sum().item() / (len(difference) - 1) / len(difference))"),
    edit("error_of_a", "`paired_difference` returns the standard error of a's mean; that of the differences is asked for",
         "return difference.mean().item(), nll_a.std().item() / math.sqrt(len(difference))"),
    edit("root_of_2n", "`paired_difference` divides by the square root of 2N; there are N differences",
         "return difference.mean().item(), difference.std().item() / math.sqrt(2 * len(difference))"),
    edit("variances_subtracted",
         "`paired_difference` subtracts the variance of b from that of a; the variance of the differences is needed",
         "return difference.mean().item(), math.sqrt(abs(nll_a.var().item() - nll_b.var().item()) / len(difference))"),
    edit("mean_deviation",
         "`paired_difference` averages the absolute deviations; (8.1) has the root of the mean of their squares",
         "return difference.mean().item(), (difference - difference.mean()).abs().mean().item() / math.sqrt(len(difference))"),
    edit("interval", "`paired_difference` returns 1.96 standard errors, a 95% interval; one standard error is asked for",
         "return difference.mean().item(), 1.96 * difference.std().item() / math.sqrt(len(difference))"),
    edit("unpaired",
         "`paired_difference` adds the variances of the two models, as if they were scored on different examples",
         "return difference.mean().item(), math.sqrt((nll_a.var().item() + nll_b.var().item()) / len(difference))"),
    edit("errors_added", "`paired_difference` adds the standard errors of the two models",
         "return difference.mean().item(), (nll_a.std().item() + nll_b.std().item()) / math.sqrt(len(difference))"),
    edit("errors_subtracted", "`paired_difference` subtracts the standard errors of the two models",
         "return difference.mean().item(), abs(nll_a.std().item() - nll_b.std().item()) / math.sqrt(len(difference))"),
    edit("two_errors", "`paired_difference` returns two standard errors; one is asked for",
         "return difference.mean().item(), 2 * difference.std().item() / math.sqrt(len(difference))"),
    edit("half_covariance", "`paired_difference` subtracts the covariance once; (8.2) has it twice",
         "return difference.mean().item(), math.sqrt(max(0.0, nll_a.var().item() + nll_b.var().item()"
         " - torch.cov(torch.stack([nll_a, nll_b]))[0, 1].item()) / len(difference))"),
    edit("mixed_corrections",
         "`paired_difference` divides the covariance by N and the variances by N - 1; (8.2) holds if all are divided alike",
         "return difference.mean().item(), math.sqrt(max(0.0, nll_a.var().item() + nll_b.var().item()"
         " - 2 * torch.cov(torch.stack([nll_a, nll_b]), correction=0)[0, 1].item()) / len(difference))"),
    edit("mean_square_minus_square",
         "`paired_difference` subtracts the squared mean from the mean square; in float32 this loses the variance where the mean "
         "difference is large",
         "return difference.mean().item(), math.sqrt(max(0.0, (difference.square().mean() - difference.mean() ** 2).item())"
         " / (len(difference) - 1))"),
    edit("median_difference", "`paired_difference` takes the median of the differences; their mean is asked for",
         "return difference.median().item(), difference.std().item() / math.sqrt(len(difference))"),
    edit("total_difference", "`paired_difference` adds the differences up; their mean is asked for",
         "return difference.sum().item(), difference.std().item() / math.sqrt(len(difference))"),
    edit("only_mean", "`paired_difference` returns the mean only; a pair (mean, standard error) is asked for",
         "return difference.mean().item()"),
    edit("exchanged", "`paired_difference` returns (error, mean); (mean, error) is asked for",
         "return difference.std().item() / math.sqrt(len(difference)), difference.mean().item()"),
)
