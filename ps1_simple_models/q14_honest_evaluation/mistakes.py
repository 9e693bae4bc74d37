"""Named wrong versions of the answers to question 14."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- evaluate ------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    was_training = model.training
    model.eval()
    """,
    edit("train_mode",
         "`evaluate` runs in training mode: dropout is on, and batch normalisation uses (and updates) statistics "
         "of the test batches",
         "was_training = model.training"),
    edit("clears_gradients",
         "`evaluate` clears the gradients of the parameters, which belong to the training around it",
         """
         was_training = model.training
         model.eval()
         model.zero_grad()
         """),
)

mistakes.at(
    """
    with torch.no_grad():
        for batch in data.batches(x, batch_size, None):
    """,
    edit("builds_graph", "`evaluate` builds a graph for gradients that nobody needs; it costs memory",
         """
         with torch.enable_grad():
             for batch in data.batches(x, batch_size, None):
         """),
)

mistakes.at(
    """
    for batch in data.batches(x, batch_size, None):
    """,
    edit("random_part", "`evaluate` scores a random part of the data, so the value changes from call to call",
         """
         x = x[torch.randint(len(x), (len(x),), device=x.device)]
         for batch in data.batches(x, batch_size, None):
         """),
)

mistakes.at(
    "data.batches(x, batch_size, None)",
    edit("all_at_once", "`evaluate` sends all examples through the model at once, more than `batch_size`", "[x]"),
)

mistakes.at(
    "total += model(batch).sum().item()",
    edit("mean_of_means",
         "`evaluate` averages the batch means with equal weights, so examples in a short last batch count more",
         "total += model(batch).mean().item()",
         ("""
         model.train(was_training)
         return total / len(x)
         """, """
         model.train(was_training)
         return total / math.ceil(len(x) / batch_size)
         """)),
    edit("full_batch_weights",
         "`evaluate` weights the mean of every batch with `batch_size`; the last batch is smaller",
         "total += model(batch).mean().item() * min(batch_size, len(x))"),
)

mistakes.at(
    """
    model.train(was_training)
    return total / len(x)
    """,
    edit("drops_last", "`evaluate` leaves out the short last batch",
         """
         model.train(was_training)
         return total / max(batch_size, len(x) - len(x) % batch_size)
         """,
         ("""
         total += model(batch).sum().item()
         """, """
         if len(batch) == min(batch_size, len(x)):
             total += model(batch).sum().item()
         """)),
    edit("sum_not_mean", "`evaluate` returns the sum over the examples, not their mean",
         """
         model.train(was_training)
         return total
         """),
    edit("stays_in_eval",
         "`evaluate` leaves the model in evaluation mode; the training that goes on is then without dropout",
         "return total / len(x)"),
    edit("always_train", "`evaluate` ends with `train()`, also when the model came in evaluation mode",
         """
         model.train(True)
         return total / len(x)
         """),
)

# --- train_and_log -------------------------------------------------------------------------------------------------

mistakes.at(
    "optimiser = torch.optim.SGD(model.parameters(), lr=learning_rate)",
    edit("momentum", "`train_and_log` uses SGD with momentum; plain SGD is asked for",
         "optimiser = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)"),
)

mistakes.at(
    "train_losses, test_losses = [], [evaluate(model, test_x, batch_size)]",
    edit("no_first_test", "`train_and_log` lacks the test loss before training: epochs + 1 entries are asked for",
         "train_losses, test_losses = [], []"),
)

mistakes.at(
    """
    model.train()
    """,
    edit("trains_in_eval",
         "`train_and_log` does not switch the model to training mode, so a model that arrives in evaluation mode "
         "trains without dropout",
         ""),
)

mistakes.at(
    """
    for batch in data.batches(train_x, batch_size, generator):
        loss = model(batch).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        train_losses.append(loss.item())
    """,
    edit("train_each_epoch", "`train_and_log` logs one train loss per epoch; one per step is asked for",
         """
         for batch in data.batches(train_x, batch_size, generator):
             loss = model(batch).mean()
             optimiser.zero_grad()
             loss.backward()
             optimiser.step()
             pass
         train_losses.append(loss.item())
         """),
)

mistakes.at(
    "in data.batches(train_x, batch_size, generator):",
    edit("drops_last_batch", "`train_and_log` leaves out the short last batch of every epoch",
         "in data.batches(train_x, batch_size, generator, drop_last=True):"),
    edit("no_shuffle", "`train_and_log` does not shuffle the training data with the generator",
         "in data.batches(train_x, batch_size, None):"),
)

mistakes.at(
    """
    optimiser.zero_grad()
    """,
    edit("no_zero_grad", "`train_and_log` never resets the gradients, so each step uses the sum of all of them", ""),
)

mistakes.at(
    "train_losses.append(loss.item())",
    edit("loss_after_step", "`train_and_log` logs the batch's loss after the step; it is to be measured before",
         "train_losses.append(model(batch).mean().item())"),
)

mistakes.at(
    "        test_losses.append(evaluate(model, test_x, batch_size))",
    edit("test_each_step", "`train_and_log` evaluates the test set after every step, not after every epoch",
         "            test_losses.append(evaluate(model, test_x, batch_size))"),
    edit("test_on_train", "`train_and_log` evaluates the training set where the test set is asked for",
         "        test_losses.append(evaluate(model, train_x, batch_size))",
         ("train_losses, test_losses = [], [evaluate(model, test_x, batch_size)]", "train_losses, test_losses = [], [evaluate(model, train_x, batch_size)]")),
)

# --- paired_difference ---------------------------------------------------------------------------------------------

mistakes.at(
    "difference.std().item() / math.sqrt(len(difference))",
    edit("std_not_error",
         "`paired_difference` returns the standard deviation of the differences; the error of their mean is "
         "smaller by the square root of N",
         "difference.std().item()"),
    edit("population_error", "`paired_difference` divides the squares by N; equation (14.2) divides them by N - 1",
         "difference.std(unbiased=False).item() / math.sqrt(len(difference))"),
    edit("unpaired",
         "`paired_difference` adds the variances of the two models as if they were scored on different examples",
         "math.sqrt((nll_a.var().item() + nll_b.var().item()) / len(difference))"),
)

# --- select_on_validation ------------------------------------------------------------------------------------------

mistakes.at(
    """
    means = torch.where(means.isfinite(), means, math.inf)
    """,
    edit("nan_wins",
         "`select_on_validation` lets a diverged model win: a NaN must neither count as the smallest nor be left "
         "out of the mean",
         ""),
)

mistakes.at(
    "chosen = int(means.argmin())",
    edit("selects_on_test",
         "`select_on_validation` chooses the model by its test NLL, so the reported value is biased down",
         "chosen = int(test_nll.mean(1).argmin())"),
    edit("lowest_number",
         "`select_on_validation` looks for the lowest single number; the lowest mean of a model is asked for",
         "chosen = int(torch.where(means.isfinite()[:, None], validation_nll, math.inf).argmin()) // validation_nll.shape[1]"),
)
