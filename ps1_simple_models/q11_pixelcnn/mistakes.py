"""Named wrong versions of the answers to question 11."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- PixelCNN: the stacks ------------------------------------------------------------------------------------------

mistakes.at(
    "v = h = x",
    edit("h_starts_empty",
         "the horizontal stack starts with zeros instead of the image, so the pixels to the left are never seen",
         "v, h = x, torch.zeros_like(x)"),
    edit("v_starts_empty",
         "the vertical stack starts with zeros instead of the image, so the rows above are never seen",
         "v, h = torch.zeros_like(x), x"),
    edit("centred_input", "the pixels go in as -1 and 1; the network takes zeros and ones", "v = h = 2 * x - 1"),
    edit("input_detached", "the image is cut off from autograd, so no gradient in the pixels can be taken", "v = h = x.detach()"),
)

mistakes.at(
    "v, h = block(v, h, bias)",
    edit("stacks_swapped_going_in", "each block gets h where it takes v, and v where it takes h", "v, h = block(h, v, bias)"),
    edit("label_ignored", "the label has no effect on the logits", "v, h = block(v, h)"),
    edit("stacks_exchanged", "v and h are exchanged between the blocks: a block returns the new v first", "h, v = block(v, h, bias)"),
    edit("block_gets_h_twice", "blocks after the first get the horizontal features twice; the first input of a block is v", "v, h = block(h, h, bias)"),
    edit("block_gets_v_twice", "both inputs of a block are the vertical features; the second one is h", "v, h = block(v, v, bias)"),
    edit("h_into_v_between_blocks",
         "h is added to v between the blocks: through it, pixels to the left get to see what is on their right",
         "v, h = block(v, h, bias)\n            v = v + h"),
    edit("head_of_all_blocks", "the head gets the sum of the h of all blocks; it takes the last one",
         "v, h = block(v, h, bias)\n            every = h if block is self.blocks[0] else every + h",
         ("return self.head(h)", "return self.head(every)")),
    edit("extra_residual", "h is added once more around the blocks of kind B, which have their residual connection inside",
         "v, new = block(v, h, bias)\n            h = new if block is self.blocks[0] else new + h"),
    edit("relu_between_blocks", "a ReLU is applied to h between the blocks; the gates inside them are the only nonlinearity before the head",
         "v, h = block(v, h, bias)\n            h = F.relu(h)"),
    edit("residual_around_first", "the image is added to the output of the first block, so every pixel sees itself",
         "v, new = block(v, h, bias)\n            h = new + h if block is self.blocks[0] else new"),
)

mistakes.at(
    """
    for block, label_map in zip(self.blocks, self.label_maps):
    """,
    edit("last_block_skipped", "the last block is left out", "for block, label_map in list(zip(self.blocks, self.label_maps))[:max(1, len(self.blocks) - 1)]:"),
    edit("one_label_map", "all blocks use the first label map; every block has its own matrix U",
         "for block, label_map in zip(self.blocks, [self.label_maps[0]] * len(self.blocks)):"),
    edit("last_label_map", "all blocks use the last label map; every block has its own matrix U",
         "for block, label_map in zip(self.blocks, [self.label_maps[-1]] * len(self.blocks)):"),
    edit("label_maps_reversed", "the label maps are taken in reverse order; block n belongs with U_n",
         "for block, label_map in zip(self.blocks, reversed(list(self.label_maps))):"),
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
    edit("head_on_both", "the head is applied to v + h; it takes h alone, which knows what v knows", "return self.head(v + h)"),
    edit("image_into_head", "the image is added before the head, so every pixel sees itself", "return self.head(h + x)"),
    edit("logits_flat", "the logits are flattened; they have the shape of the images", "return self.head(h).flatten(1)"),
    edit("logits_detached", "the logits are cut off from autograd (`.detach()`, `.data` or `no_grad`), so nothing can be trained",
         "return self.head(h).detach()"),
    edit("logits_clamped", "the logits are cut at ±5, so no pixel can be nearly certain", "return self.head(h).clamp(-5, 5)"),
    edit("channel_axis_dropped", "the axis of the one channel is dropped; logits have the shape of the images", "return self.head(h).squeeze(1)"),
    edit("log_probabilities", "the network returns log σ(a) instead of the logits a", "return F.logsigmoid(self.head(h))"),
)

# --- PixelCNN: labels ----------------------------------------------------------------------------------------------

mistakes.at(
    """
    if y is not None:
        one_hot = F.one_hot(y, self.classes).to(x.dtype)
    """,
    edit("labels_required", "the network stops without labels; with y=None there is no bias",
         """
         if True:
             one_hot = F.one_hot(y, self.classes).to(x.dtype)
         """),
    edit("none_is_class_0", "without labels the bias of class 0 is used; y=None means no bias, and class 0 has a column of its own",
         """
         if True:
             one_hot = F.one_hot(y if y is not None else torch.zeros(len(x), dtype=torch.long, device=x.device), self.classes).to(x.dtype)
         """),
    edit("none_is_mean_label", "without labels the mean of all classes' biases is used; y=None means no bias",
         """
         if True:
             one_hot = F.one_hot(y, self.classes).to(x.dtype) if y is not None else torch.full((len(x), self.classes), 1 / self.classes, dtype=x.dtype, device=x.device)
         """),
    edit("none_is_sum_of_labels", "without labels the biases of all classes are added up; y=None means no bias",
         """
         if True:
             one_hot = F.one_hot(y, self.classes).to(x.dtype) if y is not None else torch.ones(len(x), self.classes, dtype=x.dtype, device=x.device)
         """),
)

mistakes.at(
    "if y is not None:",
    edit("label_asked_for_truth", "the labels are asked whether they are true, which has no answer for several numbers, and is no for a single label 0; ask `y is None`",
         "if y is not None and y:"),
    edit("label_in_training_only", "the labels are used in training mode only", "if y is not None and self.training:"),
    edit("label_zero_is_none", "labels that are all 0 are taken for no labels; ask `y is None`",
         "if y is not None and y.any():"),
)

mistakes.at(
    "F.one_hot(y, self.classes)",
    edit("one_hot_guesses_classes",
         "`F.one_hot` is not told the number of classes and guesses it from the largest label in the batch; a "
         "batch without the last class fails",
         "F.one_hot(y)"),
    edit("one_hot_of_ten", "ten classes are assumed in the one-hot vectors; the network has `self.classes`", "F.one_hot(y, 10)"),
    edit("class_0_without_bias", "images of class 0 get no bias; class 0 has a column of U like every other",
         "(F.one_hot(y, self.classes) * (y > 0)[:, None])"),
    edit("labels_shifted", "the labels are shifted by one: each class gets the next one's column of U",
         "F.one_hot((y + 1) % self.classes, self.classes)"),
    edit("labels_shifted_back", "the labels are shifted by one: each class gets the column of the class before it",
         "F.one_hot((y - 1) % self.classes, self.classes)"),
    edit("first_label_for_all", "the first label is used for all images; every image has its own (a broadcast over the batch hides this)",
         "F.one_hot(y[:1], self.classes)"),
    edit("labels_mixed", "the labels are added up over the batch, so all images get the same bias",
         "F.one_hot(y, self.classes).sum(0, keepdim=True)"),
    edit("labels_averaged", "the labels are averaged over the batch, so all images get the same bias",
         "F.one_hot(y, self.classes).float().mean(0, keepdim=True)"),
    edit("ordinal_label", "the one-hot vector is multiplied by the label's number, so class 0 has no bias and others a larger one",
         "(F.one_hot(y, self.classes) * y[:, None])"),
)

mistakes.at(
    "F.one_hot(y, self.classes).to(x.dtype)",
    edit("label_not_one_hot", "the label map gets the label as a number; it takes a one-hot vector, one entry for each class",
         "y.to(x.dtype)[:, None]"),
    edit("one_hot_integer",
         "the one-hot vectors are integers, which a linear layer does not take; convert them to the dtype of the "
         "images",
         "F.one_hot(y, self.classes)"),
    edit("one_hot_float32", "the one-hot vectors are float32 even where images and weights are float64; give them the dtype of x",
         "F.one_hot(y, self.classes).float()"),
)

mistakes.at(
    "bias = label_map(one_hot)[:, :, None, None]",
    edit("label_in_first_block", "the label's bias enters in the first block only; every block has its own matrix U",
         "bias = label_map(one_hot)[:, :, None, None] if block is self.blocks[0] else None"),
    edit("label_in_last_block", "the label's bias enters in the last block only; every block has its own matrix U",
         "bias = label_map(one_hot)[:, :, None, None] if block is self.blocks[-1] else None"),
    edit("not_in_first_block", "the first block gets no label's bias; every block has its own matrix U",
         "bias = label_map(one_hot)[:, :, None, None] if block is not self.blocks[0] else None"),
    edit("rows_of_U", "rows of U are picked, which belong to channels; the label picks a column",
         "bias = label_map.weight[y][:, :, None, None]"),
    edit("U_viewed", "U is read as if its rows were classes (`view` or `reshape`); a transposition moves the numbers, a reshape does not",
         "bias = label_map.weight.reshape(self.classes, -1)[y][:, :, None, None]"),
    edit("bias_squashed", "a nonlinearity is applied to the label's bias; (11.1) has none",
         "bias = torch.tanh(label_map(one_hot))[:, :, None, None]"),
    edit("bias_sigmoid", "a sigmoid is applied to the label's bias; (11.1) has no nonlinearity",
         "bias = torch.sigmoid(label_map(one_hot))[:, :, None, None]"),
    edit("bias_subtracted", "the label's bias has the wrong sign", "bias = -label_map(one_hot)[:, :, None, None]"),
    edit("bias_twice", "the label's bias is added twice", "bias = 2 * label_map(one_hot)[:, :, None, None]"),
    edit("bias_without_axes", "the bias is not laid along the channels: two axes of size 1, for height and width, are missing or in the wrong place", "bias = label_map(one_hot)"),
    edit("bias_at_first_row", "the label's bias enters in the first row only; it is the same at every pixel",
         "bias = label_map(one_hot)[:, :, None, None] * (torch.arange(x.shape[2], device=x.device) == 0)[None, None, :, None]"),
    edit("bias_accumulates", "each block gets the sum of all label biases so far; block n has U_n alone",
         "bias = label_map(one_hot)[:, :, None, None] + (0 if block is self.blocks[0] else total)\n                total = bias"),
)

mistakes.at(
    "bias = label_map(one_hot)",
    edit("label_maps_untrained",
         "the labels' biases are cut off from the gradient (`.data`, `.detach()` or `no_grad`), so the matrices U "
         "are never trained",
         "bias = label_map(one_hot).detach()"),
)


@mistakes.rewrite("rows of the label map are not those of the batch: U[:, y] is (channels, batch), and was reshaped instead of transposed")
def bias_reshaped(ref):
    class PixelCNN(ref.PixelCNN):
        def forward(self, x, y=None):
            v = h = x
            for block, label_map in zip(self.blocks, self.label_maps):
                bias = None if y is None else label_map.weight[:, y].reshape(len(y), -1)[:, :, None, None]
                v, h = block(v, h, bias)
            return self.head(h)

    return {"PixelCNN": PixelCNN}


@mistakes.rewrite("the label's bias is added to the features before each block, and not inside its gates")
def bias_before_block(ref):
    class PixelCNN(ref.PixelCNN):
        def forward(self, x, y=None):
            v = h = x
            for block, label_map in zip(self.blocks, self.label_maps):
                if y is not None:
                    bias = label_map.weight[: v.shape[1], y].T[:, :, None, None]
                    v, h = v + bias, h + bias
                v, h = block(v, h)
            return self.head(h)

    return {"PixelCNN": PixelCNN}


@mistakes.rewrite("the label's bias is added to the features after each block, and not inside its gates")
def bias_after_block(ref):
    class PixelCNN(ref.PixelCNN):
        def forward(self, x, y=None):
            v = h = x
            for block, label_map in zip(self.blocks, self.label_maps):
                v, h = block(v, h)
                if y is not None:
                    bias = label_map.weight[: v.shape[1], y].T[:, :, None, None]
                    v, h = v + bias, h + bias
            return self.head(h)

    return {"PixelCNN": PixelCNN}


# --- pixelcnn_classify ---------------------------------------------------------------------------------------------

mistakes.at(
    """
    model.eval()
    with torch.no_grad():
    """,
    edit("classifies_in_training_mode", "the classifier runs in training mode if the model arrives in it: dropout then acts",
         "with torch.no_grad():"),
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
    edit("detached_at_end", "the passes build graphs and only the answer is detached, which costs memory for every class; use torch.no_grad()",
         """
         with torch.enable_grad():
             columns = []
         """, ("return log_softmax(torch.stack(columns, dim=1), dim=1)", "return log_softmax(torch.stack(columns, dim=1), dim=1).detach()")),
    edit("autograd_left_off", "autograd is switched off and stays off for everything that follows",
         """
         torch.set_grad_enabled(False)
         if True:
             columns = []
         """),
    edit("parameters_left_frozen", "the parameters are frozen and never thawed, so the model cannot be trained any more",
         """
         model.requires_grad_(False)
         if True:
             columns = []
         """),
)

mistakes.at(
    "y = torch.full((len(images),), k, device=images.device)",
    edit("one_label_for_all_images", "the model gets a single label for the whole batch; it takes one for every image",
         "y = torch.full((1,), k, device=images.device)"),
    edit("classes_from_1", "the classes are shifted by one: column k is asked with the label after it",
         "y = torch.full((len(images),), (k + 1) % len(log_prior), device=images.device)"),
    edit("classifier_without_label", "the model is asked without the label, so that only the prior tells the classes apart", "y = None"),
)

mistakes.at(
    "for k in range(len(log_prior)):",
    edit("ten_classes_always", "ten classes are assumed; `log_prior` says how many there are", "for k in range(10):"),
    edit("classes_of_the_model", "the number of classes is taken from the model; any module may come, and `log_prior` says how many there are",
         "for k in range(model.classes):"),
    edit("last_class_left_out", "the last class is left out", "for k in range(len(log_prior) - 1):"),
)

mistakes.at(
    "pixelcnn_log_prob(model, images, y) + log_prior[k]",
    edit("prior_ignored", "the prior p(y) is left out of the posterior", "pixelcnn_log_prob(model, images, y)"),
    edit("prior_not_log", "the prior is added as a probability; add its logarithm", "pixelcnn_log_prob(model, images, y) + log_prior[k].exp()"),
    edit("evidence_without_label",
         "the model's log-probability without a label takes the place of log p(x); p(x) is the mixture of all p(x | y) p(y), and what "
         "the model says without a label is something else",
         "pixelcnn_log_prob(model, images, y) + log_prior[k] - pixelcnn_log_prob(model, images)",
         ("return log_softmax(torch.stack(columns, dim=1), dim=1)", "return torch.stack(columns, dim=1)")),
    edit("prior_subtracted", "the log-prior is subtracted; Bayes' rule adds it", "pixelcnn_log_prob(model, images, y) - log_prior[k]"),
    edit("prior_twice", "the log-prior is added twice", "pixelcnn_log_prob(model, images, y) + 2 * log_prior[k]"),
    edit("prior_log_twice", "the logarithm of the prior is taken twice: `log_prior` is one already",
         "pixelcnn_log_prob(model, images, y) + torch.log(log_prior[k].abs())"),
    edit("classifier_mean_over_pixels", "the log-probability is averaged over the pixels; Bayes' rule needs their sum",
         "pixelcnn_log_prob(model, images, y) / images[0].numel() + log_prior[k]"),
    edit("classifier_ink_only", "only the white pixels count: the factor 1 - p of every black one is missing",
         "(images * F.logsigmoid(model(images, y))).flatten(1).sum(1) + log_prior[k]"),
    edit("scores_clamped", "log p(x | y) is cut off at a smallest value, so very unlikely images look alike to all classes",
         "pixelcnn_log_prob(model, images, y).clamp(min=-500) + log_prior[k]"),
    edit("classifier_nll", "the NLL is used where the log-probability belongs: the least likely class wins",
         "-pixelcnn_log_prob(model, images, y) + log_prior[k]"),
    edit("classifier_bits", "log p(x | y) is in bits and the prior in nats; both must be in nats",
         "pixelcnn_log_prob(model, images, y) / math.log(2) + log_prior[k]"),
    edit("classifier_sums_batch", "log p(x | y) is added up over all images of the batch",
         "pixelcnn_log_prob(model, images, y).sum().expand(len(images)) + log_prior[k]"),
)

mistakes.at(
    """
    model.train(was_training)
    return log_softmax(torch.stack(columns, dim=1), dim=1)
    """,
    edit("classifier_leaves_eval",
         "classifying leaves the model in evaluation mode; put back the mode that you found",
         "return log_softmax(torch.stack(columns, dim=1), dim=1)"),
    edit("classifier_leaves_train",
         "classifying leaves the model in training mode, whatever it was in before; put back the mode that you found",
         """
         model.train()
         return log_softmax(torch.stack(columns, dim=1), dim=1)
         """),
    edit("part_left_in_eval", "only the flag of the outer module is put back; its parts stay in evaluation mode",
         """
         model.training = was_training
         return log_softmax(torch.stack(columns, dim=1), dim=1)
         """),
)

mistakes.at(
    """
    return log_softmax(torch.stack(columns, dim=1), dim=1)
    """,
    edit("posterior_underflows",
         "log p(x | y) is exponentiated before it is normalised; it underflows to 0 and gives NaN or infinite values",
         """
         joint = torch.stack(columns, dim=1).exp()
         return (joint / joint.sum(1, keepdim=True)).log()
         """),
    edit("posterior_underflows_to_epsilon",
         "log p(x | y) is exponentiated before it is normalised, and small constants hide the underflow: of an unlikely image all classes look alike, and "
         "their probabilities do not sum to 1",
         """
         joint = torch.stack(columns, dim=1).exp()
         return (joint / (joint.sum(1, keepdim=True) + 1e-12) + 1e-12).log()
         """),
    edit("epsilon_in_both_logarithms",
         "log p(x | y) is exponentiated before it is normalised, and a small constant is added in each logarithm: very unlikely images get 0 for every class",
         """
         joint = torch.stack(columns, dim=1).exp()
         return (joint + 1e-12).log() - (joint.sum(1, keepdim=True) + 1e-12).log()
         """),
    edit("posterior_rounded", "the logarithm is taken of a softmax that has been rounded to 0, which gives infinite values",
         "return torch.softmax(torch.stack(columns, dim=1), dim=1).log()"),
    edit("posterior_epsilon", "a small number is added before the logarithm, so unlikely classes come out too likely",
         "return (torch.softmax(torch.stack(columns, dim=1), dim=1) + 1e-8).log()"),
    edit("posterior_epsilon_tiny", "a tiny number is added before the logarithm, or probabilities are clamped at it, so unlikely classes come out too likely",
         "return (torch.softmax(torch.stack(columns, dim=1), dim=1) + 1e-12).log()"),
    edit("maximum_of_the_batch",
         "one number, the largest of the whole batch, is subtracted before exp: rows far below it underflow; every image has its own",
         """
         joint = torch.stack(columns, dim=1)
         joint = joint - joint.max()
         return joint - joint.exp().sum(1, keepdim=True).log()
         """),
    edit("maximum_subtracted", "only the largest joint log-probability is subtracted; normalising subtracts the log-sum-exp",
         """
         joint = torch.stack(columns, dim=1)
         return joint - joint.amax(1, keepdim=True)
         """),
    edit("mean_subtracted", "the mean of the joint log-probabilities is subtracted; normalising subtracts the log-sum-exp",
         """
         joint = torch.stack(columns, dim=1)
         return joint - joint.mean(1, keepdim=True)
         """),
    edit("normalised_by_sum", "the joint log-probabilities are divided by their sum; probabilities are normalised, not their logarithms",
         """
         joint = torch.stack(columns, dim=1)
         return joint / joint.sum(1, keepdim=True)
         """),
    edit("argmax_returned", "the most probable class is returned; log p(y | x) of every class is asked for",
         "return torch.stack(columns, dim=1).argmax(1)"),
    edit("list_returned", "a list of columns is returned; stack them into (batch, classes)",
         "return list(log_softmax(torch.stack(columns, dim=1), dim=1).T)"),
)

mistakes.at(
    "return log_softmax(torch.stack(columns, dim=1), dim=1)",
    edit("not_normalised", "the joint log p(x, y) is returned; subtract its log-sum-exp over the classes",
         "return torch.stack(columns, dim=1)"),
)

mistakes.at(
    "log_softmax(torch.stack(columns, dim=1), dim=1)",
    edit("normalised_over_batch", "the normalisation runs over the images of the batch instead of over the classes",
         "log_softmax(torch.stack(columns, dim=1), dim=0)"),
    edit("posterior_transposed", "the result is (classes, batch) instead of (batch, classes)",
         "log_softmax(torch.stack(columns, dim=0), dim=0)"),
    edit("posterior_not_log", "probabilities are returned where their logarithms are asked for",
         "torch.softmax(torch.stack(columns, dim=1), dim=1)"),
    edit("normalised_twice", "a softmax is taken of the result of a softmax", "torch.softmax(torch.stack(columns, dim=1), dim=1).log_softmax(1)"),
    edit("posterior_in_bits", "the result is in bits; log p(y | x) is in nats",
         "log_softmax(torch.stack(columns, dim=1), dim=1) / math.log(2)"),
    edit("posterior_cut", "the log-probabilities are cut off at a smallest value; unlikely classes are less likely than that",
         "log_softmax(torch.stack(columns, dim=1), dim=1).clamp(min=-20)"),
    edit("posterior_negated", "the sign is that of a loss; a log-probability is never positive",
         "-log_softmax(torch.stack(columns, dim=1), dim=1)"),
)


@mistakes.rewrite("the prior is added after normalising, so the probabilities do not sum to 1")
def prior_after(ref):
    def pixelcnn_classify(model, images, log_prior):
        return ref.pixelcnn_classify(model, images, torch.zeros_like(log_prior)) + log_prior

    return {"pixelcnn_classify": pixelcnn_classify}
