"""Named wrong versions of the answers to question 13."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- PixelCNN ------------------------------------------------------------------------------------------------------

mistakes.at(
    "v = h = x",
    edit("h_starts_empty",
         "the horizontal stack starts with zeros instead of the image, so the pixels to the left are never seen",
         "v, h = x, torch.zeros_like(x)"),
)

mistakes.at(
    """
    if y is not None:
        one_hot = F.one_hot(y, self.classes).to(x.dtype)
    """,
    edit("labels_required", "the network cannot be called without labels; with y=None there is no bias",
         """
         if True:
             one_hot = F.one_hot(y, self.classes).to(x.dtype)
         """),
)

mistakes.at(
    "if y is not None:",
    edit("label_zero_is_none", "labels that are all 0 are taken for no labels; ask `y is None`",
         "if y is not None and y.any():"),
)

mistakes.at(
    "F.one_hot(y, self.classes)",
    edit("one_hot_guesses_classes",
         "`F.one_hot` is not told the number of classes and guesses it from the largest label in the batch; a "
         "batch without the last class fails",
         "F.one_hot(y)"),
)

mistakes.at(
    "F.one_hot(y, self.classes).to(x.dtype)",
    edit("one_hot_integer",
         "the one-hot vectors are integers, which a linear layer does not take; convert them to the dtype of the "
         "images",
         "F.one_hot(y, self.classes)"),
)

mistakes.at(
    "bias = label_map(one_hot)[:, :, None, None]",
    edit("label_in_first_block", "the label's bias enters in the first block only; every block has its own matrix U",
         "bias = label_map(one_hot)[:, :, None, None] if block is self.blocks[0] else None"),
)

mistakes.at(
    "bias = label_map(one_hot)",
    edit("label_maps_untrained",
         "the labels' biases are cut off from the gradient (`.data`, `.detach()` or `no_grad`), so the matrices U "
         "are never trained",
         "bias = label_map(one_hot).detach()"),
)

mistakes.at(
    "v, h = block(v, h, bias)",
    edit("label_ignored", "the label has no effect on the logits", "v, h = block(v, h)"),
)

mistakes.at(
    "return self.head(h)",
    edit("returns_probabilities",
         "the network returns probabilities; everything after it expects logits, so the sigmoid would be applied twice",
         "return torch.sigmoid(self.head(h))"),
    edit("head_on_v",
         "the head is applied to the vertical features, which know nothing of the pixels to the left; the output "
         "is made from h",
         "return self.head(v)"),
)

# --- pixelcnn_log_prob ---------------------------------------------------------------------------------------------

mistakes.at(
    """
    loss = F.binary_cross_entropy_with_logits(model(x, y), x, reduction="none")
    """,
    edit("log_of_sigmoid",
         "the logarithm is taken of a sigmoid that has been rounded to 0 or 1, which gives infinite or NaN "
         "values; compute from the logits",
         """
         p = torch.sigmoid(model(x, y))
         loss = -(x * p.log() + (1 - x) * (1 - p).log())
         """),
)

mistakes.at(
    'loss = F.binary_cross_entropy_with_logits(model(x, y), x, reduction="none")',
    edit("clamped_probabilities",
         "the logarithms are cut at -100, as `F.binary_cross_entropy` on probabilities does; unlikely pixels then "
         "count too little; use the logits as they are",
         'loss = F.binary_cross_entropy(torch.sigmoid(model(x, y)), x, reduction="none")'),
    edit("only_ones_count", "only pixels that are 1 contribute; a pixel that is 0 has the probability 1 - σ",
         "loss = -x * F.logsigmoid(model(x, y))"),
)

mistakes.at(
    "binary_cross_entropy_with_logits(model(x, y), x",
    edit("log_prob_ignores_label", "the label is not handed to the model in the log-probability",
         "binary_cross_entropy_with_logits(model(x), x"),
)

mistakes.at(
    "return -loss.flatten(1).sum(1)",
    edit("mean_over_pixels",
         "the log-probability is averaged over the pixels; the log-probability of an image is their sum",
         "return -loss.flatten(1).mean(1)"),
    edit("sum_over_batch", "all images are summed into one number; each image has its own log-probability",
         "return -loss.sum()"),
    edit("loss_not_log_prob", "the sign is that of a loss; a log-probability of pixels is never positive",
         "return loss.flatten(1).sum(1)"),
    edit("log_prob_without_gradient", "the log-probability carries no gradient, so nothing can be trained with it",
         "return -loss.detach().flatten(1).sum(1)"),
)

# --- train_pixelcnn ------------------------------------------------------------------------------------------------

mistakes.at(
    "torch.optim.Adam(model.parameters(), lr=lr)",
    edit("sgd", "the optimiser is plain gradient descent; Adam is asked for",
         "torch.optim.SGD(model.parameters(), lr=lr)"),
    edit("lr_ignored", "the learning rate is not handed to Adam, which then uses its default of 0.001",
         "torch.optim.Adam(model.parameters())"),
    edit("adamw", "the optimiser is AdamW, which also shrinks the weights; Adam is asked for",
         "torch.optim.AdamW(model.parameters(), lr=lr)"),
)

mistakes.at(
    """
    model.train()
    tensors = (images,) if labels is None else (images, labels)
    """,
    edit("trains_in_eval_mode",
         "the model is not in training mode while it is trained, so its dropout is off; after drawing samples it "
         "may arrive in evaluation mode",
         "tensors = (images,) if labels is None else (images, labels)"),
)

mistakes.at(
    "tensors = (images,) if labels is None else (images, labels)",
    edit("trains_without_labels", "training leaves the labels out, although they are given", "tensors = (images,)"),
)

mistakes.at(
    """
    for batch in data.batches(tensors, batch_size, generator, steps=steps):
    """,
    edit("shuffled_once",
         "the data are shuffled once and every pass repeats the same batches; the order should be drawn anew for "
         "each pass",
         """
         batches = list(data.batches(tensors, batch_size, generator))
         for batch in [batches[k % len(batches)] for k in range(steps)]:
         """),
    edit("batches_reordered",
         "the images are put into batches once, and only the order of the batches changes; the images should be "
         "shuffled anew for each pass",
         """
         batches = list(data.batches(tensors, batch_size, generator))
         order = [k for _ in range(steps) for k in torch.randperm(len(batches), generator=generator, device=generator.device).tolist()]
         for batch in [batches[k] for k in order[:steps]]:
         """),
)

mistakes.at(
    "for batch in data.batches(tensors, batch_size, generator, steps=steps):",
    edit("generator_ignored",
         "the order of the data comes from torch's global generator, not from the given one: the run cannot be "
         "repeated",
         "for batch in data.batches(tensors, batch_size, torch.Generator().manual_seed(int(torch.randint(2**31, ()))), steps=steps):"),
)

mistakes.at(
    "data.batches(tensors, batch_size, generator, steps=steps)",
    edit("not_shuffled",
         "the data are not shuffled: the generator has no effect, and every pass sees the same batches",
         "data.batches(tensors, batch_size, None, steps=steps)"),
    edit("last_batch_dropped", "the smaller last batch of every pass is left out",
         "data.batches(tensors, batch_size, generator, drop_last=True, steps=steps)"),
)

mistakes.at(
    "loss = -pixelcnn_log_prob(model, *batch).mean()",
    edit("maximises_loss", "the loss has the wrong sign: training makes the images less likely",
         "loss = pixelcnn_log_prob(model, *batch).mean()"),
    edit("history_sum",
         "the loss is the sum over the minibatch; its mean is asked for, so that the history does not depend on "
         "the batch size",
         "loss = -pixelcnn_log_prob(model, *batch).sum()"),
    edit("divided_by_batch_size",
         "the sum over a minibatch is divided by `batch_size`, but the last batch of a pass is smaller; its "
         "images then count too little",
         "loss = -pixelcnn_log_prob(model, *batch).sum() / batch_size"),
)

mistakes.at(
    """
    optimiser.zero_grad()
    """,
    edit("no_zero_grad", "gradients are never reset, so every step uses the sum of all gradients so far", ""),
    edit("optimiser_in_loop", "a new optimiser is made at every step, so Adam forgets its averages; make it once",
         """
         optimiser = torch.optim.Adam(model.parameters(), lr=lr)
         optimiser.zero_grad()
         """),
)

mistakes.at(
    """
    optimiser.step()
    """,
    edit("no_step",
         "the optimiser never changes the weights: no step is taken, or the gradients are cleared between "
         "`backward` and the step",
         ""),
    edit("clips_gradients", "the gradients are clipped before the step; plain Adam is asked for",
         """
         nn.utils.clip_grad_norm_(model.parameters(), 1.0)
         optimiser.step()
         """),
)

mistakes.at(
    "history.append(loss.item())",
    edit("history_after_step", "the history holds the loss after each step; it is to be taken before",
         "history.append(-pixelcnn_log_prob(model, *batch).mean().item())"),
)

# --- pixelcnn_complete ---------------------------------------------------------------------------------------------

mistakes.at(
    """
    model.eval()
    x = images * observed
    """,
    edit("draws_in_training_mode",
         "pixels are drawn in training mode: dropout then switches off half of what the model knows",
         "x = images * observed"),
)

mistakes.at(
    """
    x = images * observed
    with torch.no_grad():
    """,
    edit("all_at_once",
         "every pixel is drawn without a look at the pixels before it: all from one pass, or from the last pixel "
         "to the first",
         """
         x = images * observed
         with torch.no_grad():
             fixed = model(x, labels)
         """,
         ("p = torch.sigmoid(model(x, labels)[:, :, i, j])", "p = torch.sigmoid(fixed[:, :, i, j])")),
)

mistakes.at(
    """
    x = images * observed
    """,
    edit("observed_inverted", "observed and hidden pixels are exchanged",
         """
         observed = ~observed if observed.any() else observed
         x = images * observed
         """),
)

mistakes.at(
    "x = images * observed",
    edit("completes_in_place", "the given images are overwritten; work on a copy", "x = images"),
)

mistakes.at(
    """
    with torch.no_grad():
        for i in range(x.shape[2]):
    """,
    edit("drawing_keeps_graph",
         "pixels are drawn with gradients on, so every pass builds a graph that nobody needs; use torch.no_grad()",
         """
         with torch.enable_grad():
             for i in range(x.shape[2]):
         """),
)

mistakes.at(
    """
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
    """,
    edit("column_by_column", "pixels are drawn column by column; the model was built for raster order, row by row",
         """
         for j in range(x.shape[3]):
             for i in range(x.shape[2]):
         """),
)

mistakes.at(
    "for i in range(x.shape[2]):",
    edit("skips_first_row_and_column", "the loop starts at row 1 and column 1: the first row and column stay black",
         "for i in range(1, x.shape[2]):", ("for j in range(x.shape[3]):", "for j in range(1, x.shape[3]):")),
)

mistakes.at(
    """
    for j in range(x.shape[3]):
        p = torch.sigmoid(model(x, labels)[:, :, i, j])
    """,
    edit("row_at_once",
         "pixels are drawn without a look at their left neighbours: a whole row from one pass, or from right to left",
         """
         fixed = model(x, labels)
         for j in range(x.shape[3]):
             p = torch.sigmoid(fixed[:, :, i, j])
         """),
)

mistakes.at(
    "p = torch.sigmoid(model(x, labels)[:, :, i, j])",
    edit("logit_as_probability", "the uniform is compared with the logit; apply the sigmoid first",
         "p = model(x, labels)[:, :, i, j]"),
)

mistakes.at(
    "model(x, labels)[:, :, i, j]",
    edit("draws_without_labels", "the labels are not handed to the model while drawing", "model(x)[:, :, i, j]"),
)

mistakes.at(
    "drawn = (uniforms[:, :, i, j] < p).to(x.dtype)",
    edit("probabilities_in_canvas",
         "the canvas gets the probability instead of the drawn value: later pixels then see grey", "drawn = p"),
)

mistakes.at(
    "(uniforms[:, :, i, j] < p)",
    edit("draw_inverted",
         "the comparison is the wrong way round: the pixel is 1 where the uniform is below the probability",
         "(uniforms[:, :, i, j] > p)"),
    edit("greedy", "pixels are rounded to the more likely value and the uniforms ignored: that is not a sample",
         "(p > 0.5)"),
    edit("own_randomness", "pixels are drawn with torch's own random numbers instead of the given uniforms",
         "(torch.rand_like(p) < p)"),
)

mistakes.at(
    "torch.where(observed[:, :, i, j], x[:, :, i, j], drawn)",
    edit("observed_overwritten", "observed pixels are drawn anew; they must stay", "drawn"),
    edit("pasted_at_the_end",
         "the observed pixels are pasted in at the end; while drawing, the hidden pixels did not see them", "drawn",
         ("""
         model.train(was_training)
         return x
         """, """
         model.train(was_training)
         return torch.where(observed, images, x)
         """)),
)

mistakes.at(
    """
    model.train(was_training)
    return x
    """,
    edit("drawing_leaves_eval",
         "drawing leaves the model in evaluation mode, so that training goes on without dropout afterwards; put "
         "the mode back",
         "return x"),
    edit("drawing_leaves_train",
         "drawing leaves the model in training mode, whatever it was in before; put back the mode that you found",
         """
         model.train()
         return x
         """),
)

# --- pixelcnn_classify ---------------------------------------------------------------------------------------------

mistakes.at(
    """
    model.eval()
    with torch.no_grad():
        columns = []
    """,
    edit("classifies_in_training_mode", "the classifier runs in training mode: dropout makes its answers random",
         """
         with torch.no_grad():
             columns = []
         """),
)

mistakes.at(
    """
    with torch.no_grad():
        columns = []
    """,
    edit("classifier_keeps_graph",
         "the classifier keeps the graph for gradients, which costs memory for every class; use torch.no_grad()",
         """
         with torch.enable_grad():
             columns = []
         """),
)

mistakes.at(
    "pixelcnn_log_prob(model, images, y) + log_prior[k]",
    edit("prior_ignored", "the prior p(y) is left out of the posterior", "pixelcnn_log_prob(model, images, y)"),
)

mistakes.at(
    """
    model.train(was_training)
    return torch.log_softmax(torch.stack(columns, dim=1), dim=1)
    """,
    edit("classifier_leaves_eval",
         "classifying leaves the model in evaluation mode; put back the mode that you found",
         "return torch.log_softmax(torch.stack(columns, dim=1), dim=1)"),
)

mistakes.at(
    """
    return torch.log_softmax(torch.stack(columns, dim=1), dim=1)
    """,
    edit("posterior_underflows",
         "log p(x | y) is exponentiated before it is normalised; it underflows to 0 and gives NaN or infinite values",
         """
         joint = torch.stack(columns, dim=1).exp()
         return (joint / joint.sum(1, keepdim=True)).log()
         """),
)

mistakes.at(
    "return torch.log_softmax(torch.stack(columns, dim=1), dim=1)",
    edit("not_normalised", "the joint log p(x, y) is returned; subtract its log-sum-exp over the classes",
         "return torch.stack(columns, dim=1)"),
)

mistakes.at(
    "torch.log_softmax(torch.stack(columns, dim=1), dim=1)",
    edit("normalised_over_batch", "the normalisation runs over the images of the batch instead of over the classes",
         "torch.log_softmax(torch.stack(columns, dim=1), dim=0)"),
    edit("posterior_transposed", "the result is (classes, batch) instead of (batch, classes)",
         "torch.log_softmax(torch.stack(columns, dim=0), dim=0)"),
    edit("posterior_not_log", "probabilities are returned where their logarithms are asked for",
         "torch.softmax(torch.stack(columns, dim=1), dim=1)"),
)
