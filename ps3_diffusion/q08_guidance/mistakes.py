"""Named wrong versions of the answers to question 8."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- drop_labels ---------------------------------------------------------------------------------------------------

mistakes.at(
    "return torch.where(u < rate, null, y)",
    edit("keeps_the_share", "`drop_labels` replaces labels where u is *above* the rate, so a rate of 0.1 drops nine of ten", "return torch.where(u > rate, null, y)"),
    edit("keeps_the_share_border", "`drop_labels` keeps where it should drop: it has null and y the wrong way round, or drops from the rate on", "return torch.where(u >= rate, null, y)"),
    edit("at_the_rate_too", "`drop_labels` also drops where u equals the rate; then rate 0 drops a label with u = 0", "return torch.where(u <= rate, null, y)"),
    edit("labels_in_place", "`drop_labels` writes into y; the data set's own labels vanish, a few more in every epoch", "y[u < rate] = null; return y"),
    edit("null_ten", "`drop_labels` writes 10 whatever null is", "return torch.where(u < rate, 10, y)"),
    edit("null_zero", "`drop_labels` multiplies dropped labels by 0 (or writes 0), which is a class; null belongs there", "return y * (u >= rate)"),
    edit("null_minus_one", "`drop_labels` writes -1 whatever null is", "return torch.where(u < rate, -1, y)"),
    edit("null_after_largest", "`drop_labels` writes the largest label plus 1; null is given, and the batch need not hold all classes", "return torch.where(u < rate, y.max() + 1, y)"),
    edit("null_shifted", "`drop_labels` writes null + 1", "return torch.where(u < rate, null + 1, y)"),
    edit("null_before", "`drop_labels` writes null - 1, which is a class", "return torch.where(u < rate, null - 1, y)"),
    edit("all_or_none_first", "`drop_labels` decides for the whole batch by the first u; each label has its own", "return torch.full_like(y, null) if float(u[0]) < rate else y.clone()"),
    edit("all_or_none_mean", "`drop_labels` decides for the whole batch by the mean of u; each label has its own", "return torch.full_like(y, null) if float(u.mean()) < rate else y.clone()"),
    edit("all_if_any", "`drop_labels` drops the whole batch if any u is below the rate; each label has its own", "return torch.full_like(y, null) if bool((u < rate).any()) else y.clone()"),
    edit("own_numbers", "`drop_labels` draws numbers of its own; u decides", "return torch.where(torch.rand(u.shape, device=u.device) < rate, null, y)"),
    edit("own_numbers_reseeded", "`drop_labels` draws its own numbers from a fixed seed, so always the same places lose their label; u decides",
         "return torch.where(torch.rand(u.shape, generator=torch.Generator().manual_seed(0)).to(u.device) < rate, null, y)"),
    edit("removed", "`drop_labels` removes dropped labels, so labels and pictures no longer match; null takes their place", "return y[u >= rate]"),
    edit("as_float", "`drop_labels` returns floats; an embedding needs whole numbers", "return torch.where(u < rate, float(null), y)"),
    edit("as_int32", "`drop_labels` returns int32; the labels come as int64", "return torch.where(u < rate, null, y).int()"),
    edit("first_ones", "`drop_labels` drops the first share of the batch; u decides which", "return torch.where(torch.arange(len(y), device=y.device) < rate * len(y), null, y)"),
    edit("smallest_ones", "`drop_labels` drops an exact share of the batch, those with the smallest u; each label is dropped by itself, where u is below the rate",
         "dropped = y.clone(); dropped[u.argsort()[: int(rate * len(y))]] = null; return dropped"),
    edit("largest_ones", "`drop_labels` drops where u is above 1 - rate; below rate is right", "return torch.where(u > 1 - rate, null, y)"),
    edit("below_one_minus", "`drop_labels` compares u with 1 - rate", "return torch.where(u < 1 - rate, null, y)"),
    edit("rate_ignored", "`drop_labels` uses the rate 0.1 whatever is given", "return torch.where(u < 0.1, null, y)"),
    edit("rate_half", "`drop_labels` rounds u, so it drops at the rate 0.5 whatever is given", "return torch.where(u < 0.5, null, y)"),
    edit("returns_mask", "`drop_labels` returns the mask of dropped labels", "return u < rate"),
    edit("returns_kept_mask", "`drop_labels` returns the mask of labels that are kept", "return u >= rate"),
    edit("another_label", "`drop_labels` replaces a label by that of a neighbour; \"none\" is a label of its own, null", "return torch.where(u < rate, y.roll(1), y)"),
    edit("null_added", "`drop_labels` adds null to dropped labels; they become null", "return torch.where(u < rate, y + null, y)"),
    edit("drops_nothing", "`drop_labels` returns y as it is", "return y.clone()"),
    edit("every_kth", "`drop_labels` drops labels at regular places; u decides which", "out = y.clone(); out[:: max(1, int(1 / max(rate, 1e-3)))] = null; return out"),
    edit("labels_and_mask", "`drop_labels` returns the labels and the mask; labels alone are expected", "return torch.where(u < rate, null, y), u < rate"),
    edit("one_hot", "`drop_labels` returns one-hot rows; labels are expected", "return F.one_hot(torch.where(u < rate, abs(null), y))"),
    edit("last_ones", "`drop_labels` drops the last share of the batch; u decides which", "return torch.where(torch.arange(len(y), device=y.device) >= (1 - rate) * len(y), null, y)"),
    edit("u_rounded_to_tenths", "`drop_labels` rounds u to tenths before it compares", "return torch.where((10 * u).round() / 10 < rate, null, y)"),
    edit("u_rounded_to_hundredths", "`drop_labels` rounds u to hundredths before it compares", "return torch.where((100 * u).floor() / 100 < rate, null, y)"),
    edit("rate_rounded", "`drop_labels` rounds the rate", "return torch.where(u < round(rate, 2), null, y)"),
    edit("u_shuffled", "`drop_labels` looks at another label's u; each has its own", "return torch.where(u.flip(0) < rate, null, y)"),
    edit("rate_in_percent", "`drop_labels` takes the rate for per cent", "return torch.where(100 * u < rate, null, y)"),
    edit("at_least_one_dropped", "`drop_labels` drops at least one label; if no u is below the rate, none is dropped", "out = torch.where(u < rate, null, y); out[u.argmin()] = null; return out"),
    edit("rounded_share", "`drop_labels` drops a rounded share of the batch, those with the smallest u; each label is dropped by itself, where u is below the rate",
         "return y.index_fill(0, u.argsort()[: round(rate * len(y))], null)"),
    edit("class_zero_kept", "`drop_labels` never drops the label 0; it is a class like the others", "return torch.where((u < rate) & (y > 0), null, y)"),
    edit("drops_all", "`drop_labels` drops all labels", "return torch.full_like(y, null)"),
    edit("square_rate", "`drop_labels` compares u with the rate squared", "return torch.where(u < rate**2, null, y)"),
)

# --- guide -----------------------------------------------------------------------------------------------------------

mistakes.at(
    "return eps_uncond + w * (eps_cond - eps_uncond)",
    edit("other_convention", "`guide` uses the convention (1 + w) ε_y - w ε_∅, in which w = 0 is plain; here w = 1 is", "return (1 + w) * eps_cond - w * eps_uncond"),
    edit("arguments_swapped", "`guide` starts from the conditional prediction and goes w times the difference back to the unconditional one: it leaves the label", "return eps_cond + w * (eps_uncond - eps_cond)"),
    edit("difference_swapped", "`guide` subtracts the conditional from the unconditional prediction: it pushes away from the label", "return eps_uncond + w * (eps_uncond - eps_cond)"),
    edit("whole_added", "`guide` adds w times the conditional prediction, not w times the difference", "return eps_uncond + w * eps_cond"),
    edit("difference_alone", "`guide` returns w times the difference; it starts from the unconditional prediction", "return w * (eps_cond - eps_uncond)"),
    edit("signs_added", "`guide` adds the predictions where their difference belongs", "return eps_uncond + w * (eps_cond + eps_uncond)"),
    edit("weights_one_short", "`guide` weighs by w - 1: (w - 1) ε_y + (2 - w) ε_∅", "return eps_uncond + (w - 1) * (eps_cond - eps_uncond)"),
    edit("weights_not_one", "`guide` returns w ε_y - ε_∅; the weights must sum to 1", "return w * eps_cond - eps_uncond"),
    edit("cond_less_uncond", "`guide` returns ε_y - w ε_∅; the weights are w and 1 - w", "return eps_cond - w * eps_uncond"),
    edit("papers_sign", "`guide` returns (1 + w) ε_y + w ε_∅: the papers' convention with a wrong sign", "return (1 + w) * eps_cond + w * eps_uncond"),
    edit("half_the_way", "`guide` takes half of w", "return eps_uncond + w / 2 * (eps_cond - eps_uncond)"),
    edit("weights_sum_wrong", "`guide` returns w ε_y + (w - 1) ε_∅; the second weight is 1 - w", "return w * eps_cond + (w - 1) * eps_uncond"),
    edit("at_most_one", "`guide` cuts w off at 1, so it never exaggerates", "return eps_uncond + min(w, 1) * (eps_cond - eps_uncond)"),
    edit("at_least_one", "`guide` returns the conditional prediction for w below 1; w = 0 ignores the label", "return eps_uncond + max(w, 1) * (eps_cond - eps_uncond)"),
    edit("w_zero_plain", "`guide` returns the conditional prediction for w = 0; w = 0 ignores the label", "return eps_uncond + w * (eps_cond - eps_uncond) if w else eps_cond.clone()"),
    edit("w_in_whole", "`guide` rounds w down to a whole number", "return eps_uncond + int(w) * (eps_cond - eps_uncond)"),
    edit("w_ignored", "`guide` uses w = 3 whatever is given", "return eps_uncond + 3.0 * (eps_cond - eps_uncond)"),
    edit("w_square", "`guide` uses w²", "return eps_uncond + w**2 * (eps_cond - eps_uncond)"),
    edit("w_root", "`guide` uses √w", "return eps_uncond + w**0.5 * (eps_cond - eps_uncond)"),
    edit("averaged", "`guide` divides by 1 + w; that is an average, which exaggerates nothing", "return (eps_uncond + w * eps_cond) / (1 + w)"),
    edit("averaged_both", "`guide` halves the result", "return (eps_uncond + w * (eps_cond - eps_uncond)) / 2"),
    edit("uncond_detached", "`guide` cuts the unconditional prediction off from its graph", "return eps_uncond.detach() + w * (eps_cond - eps_uncond.detach())"),
    edit("all_detached", "`guide` cuts the result off from its graph, or makes a new tensor of the numbers", "return (eps_uncond + w * (eps_cond - eps_uncond)).detach()"),
    edit("guide_in_place", "`guide` changes its arguments in place", "eps_uncond += w * (eps_cond - eps_uncond); return eps_uncond"),
    edit("cut_off", "`guide` cuts the noise off at ±1 (or ±3); noise is not limited to a range", "return (eps_uncond + w * (eps_cond - eps_uncond)).clamp(-1, 1)"),
    edit("std_of_cond", "`guide` gives the result the spread of the conditional prediction, a repair that (8.2) does not have",
         "out = eps_uncond + w * (eps_cond - eps_uncond); return out * eps_cond.std() / out.std().clamp(min=1e-6)"),
    edit("std_one", "`guide` divides by the spread of the result", "out = eps_uncond + w * (eps_cond - eps_uncond); return out / out.std().clamp(min=1e-6)"),
    edit("guide_float32", "`guide` computes in float32 whatever comes in", "return (eps_uncond.float() + w * (eps_cond - eps_uncond).float()).to(eps_cond)"),
    edit("std_each", "`guide` gives each example the spread of its conditional prediction, a repair that (8.2) does not have",
         "out = eps_uncond + w * (eps_cond - eps_uncond); axes = tuple(range(1, out.ndim)) or (0,); return out * eps_cond.std(axes, keepdim=True, correction=0) / out.std(axes, keepdim=True, correction=0).clamp(min=1e-6)"),
    edit("w_twice", "`guide` goes w times the difference on from the conditional prediction when w is above 1", "return eps_cond + w * (eps_cond - eps_uncond) if w > 1 else eps_uncond + w * (eps_cond - eps_uncond)"),
    edit("difference_size", "`guide` takes the size of the difference without its sign", "return eps_uncond + w * (eps_cond - eps_uncond).abs()"),
    edit("difference_centred", "`guide` subtracts the mean of the difference, which (8.2) does not", "return eps_uncond + w * ((eps_cond - eps_uncond) - (eps_cond - eps_uncond).mean())"),
    edit("cond_detached", "`guide` cuts the conditional prediction off from its graph", "return eps_uncond + w * (eps_cond.detach() - eps_uncond)"),
    edit("w_as_exponent", "`guide` multiplies the predictions with exponents; exponents belong to densities, and scores are their logarithms", "return eps_cond.abs() ** w * eps_uncond.abs() ** (1 - w)"),
    edit("difference_bounded", "`guide` cuts the difference off; (8.2) takes it whole", "return eps_uncond + w * (eps_cond - eps_uncond).clamp(-1, 1)"),
    edit("plain_detached", "`guide` returns the conditional prediction without its graph where w is 1", "return eps_cond.detach() if w == 1 else eps_uncond + w * (eps_cond - eps_uncond)"),
    edit("unasked_detached", "`guide` returns the unconditional prediction without its graph where w is 0", "return eps_uncond.detach() if w == 0 else eps_uncond + w * (eps_cond - eps_uncond)"),
    edit("cond_alone", "`guide` returns the conditional prediction", "return 1 * eps_cond"),
    edit("uncond_alone", "`guide` returns the unconditional prediction", "return 1 * eps_uncond"),
    edit("scaled_cond", "`guide` multiplies the conditional prediction by w", "return w * eps_cond"),
)

# --- guided ----------------------------------------------------------------------------------------------------------

mistakes.at(
    "labels = torch.cat([y, torch.full_like(y, null)])",
    edit("labels_swapped", "`guided` takes the halves the wrong way round: what it calls conditional was asked without label", "labels = torch.cat([torch.full_like(y, null), y])"),
    edit("null_everywhere", "`guided` knows nothing of the label: asked without it both times, or the eps without label returned", "labels = torch.full_like(torch.cat([y, y]), null)"),
    edit("label_everywhere", "w has no effect in `guided`: asked with the label both times, one half used for both, or never guided", "labels = torch.cat([y, y])"),
    edit("null_is_ten", "`guided` uses a fixed label for \"none\"; null says which it is", "labels = torch.cat([y, torch.full_like(y, 3)])"),
    edit("null_is_zero", "`guided` uses 0 for \"none\", which may be a class; null says which it is", "labels = torch.cat([y, torch.zeros_like(y)])"),
    edit("null_after_max", "`guided` takes the largest label plus 1 for \"none\"; null says which it is", "labels = torch.cat([y, torch.full_like(y, int(y.max()) + 1)])"),
    edit("null_one_less", "`guided` uses null - 1 for \"none\", which is a class", "labels = torch.cat([y, torch.full_like(y, null - 1)])"),
    edit("first_label", "`guided` asks for the first example's label in all of them", "labels = torch.cat([y[:1].expand(len(y)), torch.full_like(y, null)])"),
    edit("labels_interleaved", "`guided` stacks labels in pairs (label, none, label, none), but the pictures one batch after the other", "labels = torch.stack([y, torch.full_like(y, null)], 1).flatten()"),
    edit("others_label", "`guided` asks the second time for another example's label; \"none\" is a label of its own", "labels = torch.cat([y, y.roll(1)])"),
    edit("null_into_y", "`guided` writes null into y, so the wish is gone at the next call", "labels = torch.cat([y, y.fill_(null)])"),
)

mistakes.at(
    "cond, uncond = model(torch.cat([x_t, x_t]), torch.cat([t, t]), labels).chunk(2)",
    edit("halves_interleaved", "`guided` takes every other example of the answer; the halves lie one behind the other", "both = model(torch.cat([x_t, x_t]), torch.cat([t, t]), labels); cond, uncond = both[::2], both[1::2]"),
    edit("pictures_interleaved", "`guided` repeats each picture in turn, but the labels one batch after the other", "cond, uncond = model(x_t.repeat_interleave(2, 0), torch.cat([t, t]), labels).chunk(2)"),
    edit("times_interleaved", "`guided` repeats each time in turn, so pictures and times no longer belong together", "cond, uncond = model(torch.cat([x_t, x_t]), t.repeat_interleave(2), labels).chunk(2)"),
    edit("first_time", "`guided` tells the model the first example's time for all", "cond, uncond = model(torch.cat([x_t, x_t]), t[:1].expand(2 * len(t)), labels).chunk(2)"),
    edit("time_forgotten", "`guided` tells the model t = 0 the second time", "cond, uncond = model(torch.cat([x_t, x_t]), torch.cat([t, 0 * t]), labels).chunk(2)"),
    edit("time_one_less", "`guided` tells the model t - 1", "cond, uncond = model(torch.cat([x_t, x_t]), torch.cat([t, t]) - 1, labels).chunk(2)"),
    edit("time_scaled", "`guided` tells the model t / 1000", "cond, uncond = model(torch.cat([x_t, x_t]), torch.cat([t, t]) / 1000, labels).chunk(2)"),
    edit("other_picture", "`guided` shows the model other pictures (zeros) without label", "cond, uncond = model(torch.cat([x_t, 0 * x_t]), torch.cat([t, t]), labels).chunk(2)"),
    edit("no_label_given", "`guided` calls the model without labels (or with None); null says \"none\" to it",
         "cond, uncond = model(x_t, t, y), model(x_t, t, None)"),
    edit("model_of_two", "`guided` calls the model with two arguments; the label \"none\" is null", "cond, uncond = model(x_t, t, y), model(x_t, t)"),
    edit("null_as_number", "`guided` hands the number null to the model; it wants a label for each example", "cond, uncond = model(x_t, t, y), model(x_t, t, null)"),
    edit("t_not_doubled", "`guided` stacks pictures and labels twice, but the times once", "cond, uncond = model(torch.cat([x_t, x_t]), t, labels).chunk(2)"),
    edit("t_and_y_swapped", "`guided` hands labels to the model where times belong", "cond, uncond = model(torch.cat([x_t, x_t]), labels, torch.cat([t, t])).chunk(2)"),
    edit("mean_of_classes", "`guided` takes the mean over all labels for the prediction without label; the model has a label for \"none\"",
         "cond, uncond = model(x_t, t, y), torch.stack([model(x_t, t, torch.full_like(y, k)) for k in range(4)]).mean(0)"),
    edit("chunk_axis", "`guided` cuts the answer along the wrong axis; the halves lie along the first", "cond, uncond = (part[: len(x_t)] for part in model(torch.cat([x_t, x_t]), torch.cat([t, t]), labels).chunk(2, dim=-1))"),
    edit("null_into_y_later", "`guided` writes null into y after the first question, so the wish is gone at the next call",
         "cond = model(x_t, t, y); y.fill_(null); uncond = model(x_t, t, y)"),
    edit("model_float32", "`guided` asks the model in float32 whatever comes in", "cond, uncond = model(torch.cat([x_t, x_t]).float(), torch.cat([t, t]), labels).to(x_t).chunk(2)"),
    edit("picture_changed", "`guided` changes x_t in place", "cond, uncond = model(torch.cat([x_t, x_t]), torch.cat([t, t]), labels).chunk(2); x_t -= 0.1 * cond"),
)

mistakes.at(
    "inside = ((interval[0] <= t) & (t <= interval[1])).reshape(-1, *[1] * (x_t.ndim - 1))",
    edit("interval_ignored", "`guided` guides at all times (a wrong `or` does that, too); outside the interval the plain conditional eps belongs", "inside = torch.tensor(True, device=x_t.device)"),
    edit("interval_inverted", "`guided` guides *outside* the interval", "inside = ((interval[0] > t) | (t > interval[1])).reshape(-1, *[1] * (x_t.ndim - 1))"),
    edit("open_ends", "`guided` leaves both ends of the interval out", "inside = ((interval[0] < t) & (t < interval[1])).reshape(-1, *[1] * (x_t.ndim - 1))"),
    edit("open_below", "`guided` leaves the first time of the interval out", "inside = ((interval[0] < t) & (t <= interval[1])).reshape(-1, *[1] * (x_t.ndim - 1))"),
    edit("open_above", "`guided` leaves the last time of the interval out", "inside = ((interval[0] <= t) & (t < interval[1])).reshape(-1, *[1] * (x_t.ndim - 1))"),
    edit("only_below", "`guided` looks at the upper end of the interval alone", "inside = (t <= interval[1]).reshape(-1, *[1] * (x_t.ndim - 1))"),
    edit("only_above", "`guided` looks at the lower end of the interval alone", "inside = (interval[0] <= t).reshape(-1, *[1] * (x_t.ndim - 1))"),
    edit("python_if", "`guided` asks one `if` of all times at once, which a tensor of several cannot answer; each example has its own t",
         "inside = torch.tensor(bool(interval[0] <= t <= interval[1]))"),
    edit("time_reversed", "`guided` counts the interval from the other end of time (1000 - t)", "inside = ((interval[0] <= 1000 - t) & (1000 - t <= interval[1])).reshape(-1, *[1] * (x_t.ndim - 1))"),
    edit("ends_swapped", "`guided` reads the interval from its end, so that no time is inside", "inside = ((interval[1] <= t) & (t <= interval[0])).reshape(-1, *[1] * (x_t.ndim - 1))"),
    edit("first_decides", "`guided` looks at the first example's t alone; each has its own", "inside = torch.tensor(bool(interval[0] <= t[0] <= interval[1]), device=x_t.device)"),
    edit("last_decides", "`guided` looks at the last example's t alone; each has its own", "inside = torch.tensor(bool(interval[0] <= t[-1] <= interval[1]), device=x_t.device)"),
    edit("all_decide", "`guided` guides only if *all* examples are inside the interval; each has its own t", "inside = ((interval[0] <= t) & (t <= interval[1])).all()"),
    edit("any_decides", "`guided` guides all examples if *any* is inside the interval; each has its own t", "inside = ((interval[0] <= t) & (t <= interval[1])).any()"),
    edit("mean_decides", "`guided` looks at the mean of the times; each example has its own", "inside = (interval[0] <= t.double().mean()) & (t.double().mean() <= interval[1])"),
    edit("along_columns", "`guided` lets the mask meet the last axis: each *column* is inside or outside", "inside = (interval[0] <= t) & (t <= interval[1])"),
    edit("matrices_alone", "the mask in `guided` has the shape (N, 1), which fits matrices alone", "inside = ((interval[0] <= t) & (t <= interval[1]))[:, None]"),
    edit("images_alone", "the mask in `guided` has the shape (N, 1, 1, 1), which fits images alone", "inside = ((interval[0] <= t) & (t <= interval[1]))[:, None, None, None]"),
    edit("upper_plus_one", "`guided` guides up to the last time of the interval plus 1", "inside = ((interval[0] <= t) & (t < interval[1] + 1)).reshape(-1, *[1] * (x_t.ndim - 1))"),
    edit("whole_ends", "`guided` rounds the ends of the interval down", "inside = ((int(interval[0]) <= t) & (t <= min(interval[1], 10**6) // 1)).reshape(-1, *[1] * (x_t.ndim - 1))"),
    edit("share_of_way", "`guided` compares t/1000 with the interval; its ends are times", "inside = ((interval[0] <= t / 1000) & (t / 1000 <= interval[1])).reshape(-1, *[1] * (x_t.ndim - 1))"),
    edit("zero_means_none", "`guided` takes a first time 0 (or an empty interval) for \"no interval\"", "inside = ((interval[0] <= t) & (t <= (interval[1] if interval[0] else 10**6))).reshape(-1, *[1] * (x_t.ndim - 1))"),
)

mistakes.at(
    "return torch.where(inside, guide(cond, uncond, w), cond)",
    edit("outside_uncond", "outside the interval `guided` returns the eps without label; the plain conditional one belongs there", "return torch.where(inside, guide(cond, uncond, w), uncond)"),
    edit("outside_zero", "outside the interval `guided` returns 0; the plain conditional eps belongs there", "return torch.where(inside, guide(cond, uncond, w), 0 * cond)"),
    edit("outside_w_zero", "outside the interval `guided` returns x_t itself; the plain conditional eps belongs there", "return torch.where(inside, guide(cond, uncond, w), x_t)"),
    edit("guide_swapped", "`guided` gives `guide` its predictions the wrong way round", "return torch.where(inside, guide(uncond, cond, w), cond)"),
    edit("w_plus_one", "`guided` guides by w + 1, or adds w times the difference to the conditional eps", "return torch.where(inside, guide(cond, uncond, w + 1), cond)"),
    edit("w_minus_one", "`guided` guides by w - 1", "return torch.where(inside, guide(cond, uncond, w - 1), cond)"),
    edit("zero_is_plain", "`guided` returns the conditional eps for w = 0; w = 0 ignores the label", "return torch.where(inside, guide(cond, uncond, w if w else 1), cond)"),
    edit("w_clipped", "`guided` has an effect only for w above 1", "return torch.where(inside, guide(cond, uncond, max(w, 1.0)), cond)"),
    edit("w_fades", "`guided` lets w grow with t; it is the same at all times of the interval", "return torch.where(inside, guide(cond, uncond, w * (t.to(x_t.dtype) / 1000).reshape(-1, *[1] * (x_t.ndim - 1))), cond)"),
    edit("both_returned", "`guided` returns both halves; one eps for each example is expected", "return torch.cat([torch.where(inside, guide(cond, uncond, w), cond), uncond])"),
    edit("picture_returned", "`guided` returns x_t less the noise; noise is expected", "return x_t - torch.where(inside, guide(cond, uncond, w), cond)"),
    edit("guided_negative", "`guided` returns minus the noise", "return -torch.where(inside, guide(cond, uncond, w), cond)"),
    edit("guided_tuple", "`guided` returns the noise and something else; noise alone is expected", "return torch.where(inside, guide(cond, uncond, w), cond), uncond"),
    edit("guided_twice", "`guided` applies the guidance twice", "return torch.where(inside, guide(guide(cond, uncond, w), uncond, w), cond)"),
    edit("guided_cut_off", "`guided` cuts the noise off at ±1", "return torch.where(inside, guide(cond, uncond, w), cond).clamp(-1, 1)"),
    edit("guided_in_float32", "`guided` returns float32 whatever comes in", "return torch.where(inside, guide(cond, uncond, w), cond).float()"),
)

mistakes.at(
    """
        return torch.where(inside, guide(cond, uncond, w), cond)

    return predict
    """,
    edit("predict_not_returned", "`guided` makes its function, but does not return it (a return is missing)",
         """
             return torch.where(inside, guide(cond, uncond, w), cond)
         """),
    edit("one_call_only", "`guided` keeps its first answer and returns it at every call",
         """
             return torch.where(inside, guide(cond, uncond, w), cond)

         kept = []

         def once(x_t, t):
             kept.append(predict(x_t, t) if not kept else kept[0])
             return kept[0]

         return once
         """),
    edit("uncond_kept", "`guided` keeps the eps without label of its first call; x_t and t are others at the next",
         """
             return torch.where(inside, guide(cond, uncond, w), cond)

         seen = []

         def again(x_t, t):
             cond = model(x_t, t, y)
             seen or seen.append(model(x_t, t, torch.full_like(y, null)))
             inside = ((interval[0] <= t) & (t <= interval[1])).reshape(-1, *[1] * (x_t.ndim - 1))
             return torch.where(inside, guide(cond, seen[0], w), cond)

         return again
         """),
    edit("first_call_time", "`guided` decides by the time of its first call whether to guide at all",
         """
             return torch.where(inside, guide(cond, uncond, w), cond)

         first = []

         def remembered(x_t, t):
             first.append(t)
             labels = torch.cat([y, torch.full_like(y, null)])
             cond, uncond = model(torch.cat([x_t, x_t]), torch.cat([t, t]), labels).chunk(2)
             on = ((interval[0] <= first[0]) & (first[0] <= interval[1])).reshape(-1, *[1] * (x_t.ndim - 1))
             return torch.where(on, guide(cond, uncond, w), cond)

         return remembered
         """),
)

# --- classifier_guidance ---------------------------------------------------------------------------------------------

mistakes.at(
    "with torch.enable_grad():",
    edit("grad_left_on", "`classifier_guidance` switches gradients on and leaves them on, so the sampler that called it records a graph", "if torch.set_grad_enabled(True) or True:"),
    edit("grad_not_enabled", "`classifier_guidance` needs a graph, which samplers switch off: it stops inside torch.no_grad()", "if True:"),
)

mistakes.at(
    "x = x_t.detach().requires_grad_()",
    edit("argument_required_for_a_while", "`classifier_guidance` makes x_t itself require gradients and switches that off later, also where it was on before; a detached copy leaves x_t alone",
         "x = x_t.requires_grad_()", ("return eps - w * (1 - level).sqrt() * wish", "x_t.requires_grad_(False); return eps - w * (1 - level).sqrt() * wish")),
    edit("argument_requires", "`classifier_guidance` makes x_t itself require gradients, which changes the argument", "x = x_t.requires_grad_()"),
    edit("at_zero", "`classifier_guidance` asks the classifier about a picture of zeros", "x = (0 * x_t).detach().requires_grad_()"),
    edit("at_clean_guess", "`classifier_guidance` asks the classifier about the guess of the clean picture; it knows noisy ones, and (8.1) has x_t",
         "x = ((x_t - (1 - alpha_bar[t]).sqrt().reshape(-1, *[1] * (x_t.ndim - 1)) * eps) / alpha_bar[t].sqrt().reshape(-1, *[1] * (x_t.ndim - 1)).clamp(min=1e-9)).detach().requires_grad_()"),
    edit("at_eps", "`classifier_guidance` asks the classifier about eps; it is to see x_t", "x = eps.detach().requires_grad_()"),
    edit("scaled_input", "`classifier_guidance` divides x_t by √ᾱ before it asks; the classifier is to see x_t",
         "x = (x_t / alpha_bar[t].sqrt().reshape(-1, *[1] * (x_t.ndim - 1)).clamp(min=1e-9)).detach().requires_grad_()"),
    edit("classifier_float32", "`classifier_guidance` computes its gradient in float32 whatever comes in", "x = x_t.detach().to(torch.float32).to(x_t.dtype).requires_grad_()"),
)

mistakes.at(
    "log_prob = classifier(x, t).log_softmax(1)",
    edit("probability", "`classifier_guidance` takes the gradient of the probability; (8.1) has its logarithm", "log_prob = classifier(x, t).softmax(1)"),
    edit("logits", "`classifier_guidance` takes the gradient of the logit; it is not normalised, so the other classes do not count", "log_prob = classifier(x, t)"),
    edit("log_of_logits", "`classifier_guidance` takes the logarithm of the logits; they are no probabilities", "log_prob = classifier(x, t).abs().log()"),
    edit("sigmoid", "`classifier_guidance` uses a sigmoid for each class; the classes exclude each other, so a softmax belongs there", "log_prob = nn.functional.logsigmoid(classifier(x, t))"),
    edit("over_batch", "`classifier_guidance` normalises over the batch; probabilities sum to 1 over the classes of an example", "log_prob = classifier(x, t).log_softmax(0)"),
    edit("softmax_twice", "`classifier_guidance` applies the softmax twice", "log_prob = classifier(x, t).softmax(1).log_softmax(1)"),
    edit("log2", "`classifier_guidance` uses bits; the logarithm is natural", "log_prob = classifier(x, t).log_softmax(1) / math.log(2)"),
    edit("classifier_t_zero", "`classifier_guidance` tells the classifier t = 0", "log_prob = classifier(x, 0 * t).log_softmax(1)"),
    edit("classifier_first_t", "`classifier_guidance` tells the classifier the first example's time for all", "log_prob = classifier(x, t[:1].expand(len(t))).log_softmax(1)"),
    edit("classifier_t_less", "`classifier_guidance` tells the classifier t - 1", "log_prob = classifier(x, t - 1).log_softmax(1)"),
    edit("classifier_share", "`classifier_guidance` tells the classifier t as a share of the way", "log_prob = classifier(x, t / (len(alpha_bar) - 1)).log_softmax(1)"),
    edit("classifier_frozen", "`classifier_guidance` switches gradients of the classifier's parameters off and leaves them off; it can then no longer be trained",
         "[p.requires_grad_(False) for p in classifier.parameters()]; log_prob = classifier(x, t).log_softmax(1)"),
    edit("classifier_evaluating", "`classifier_guidance` puts the classifier into evaluation mode and leaves it there; in which mode it is asked is for the caller to say",
         "classifier.eval(); log_prob = classifier(x, t).log_softmax(1)"),
    edit("log_of_softmax", "`classifier_guidance` takes the logarithm of a softmax, which is log 0 where a probability is too small for floating point; `log_softmax` is safe there",
         "log_prob = classifier(x, t).softmax(1).log()"),
    edit("log_of_softmax_floored", "`classifier_guidance` keeps probabilities away from 0 (by a small number or a clamp) before it takes their logarithm, so an unlikely label exerts no pull; `log_softmax` needs no such thing",
         "log_prob = (classifier(x, t).softmax(1) + 1e-8).log()"),
    edit("log_prob_clamped", "`classifier_guidance` cuts log-probabilities off at -1, where their gradient vanishes", "log_prob = classifier(x, t).log_softmax(1).clamp(min=-1)"),
)

mistakes.at(
    "wish = torch.autograd.grad(log_prob[torch.arange(len(y)), y].sum(), x)[0]",
    edit("mean_of_batch", "`classifier_guidance` takes the gradient of the batch's *mean*, so it shrinks with the batch size; the gradient of the sum holds each example's own",
         "wish = torch.autograd.grad(log_prob[torch.arange(len(y)), y].mean(), x)[0]"),
    edit("rows_of_y", "`classifier_guidance` picks `[y]`: all log-probabilities of other *examples*; each example needs its own at its label",
         "wish = torch.autograd.grad(log_prob[y].sum(), x)[0]"),
    edit("columns_of_y", "`classifier_guidance` picks `[:, y]`: every example is steered to all labels of the batch", "wish = torch.autograd.grad(log_prob[:, y].sum(), x)[0]"),
    edit("likeliest", "`classifier_guidance` steers to the likeliest class; y says which", "wish = torch.autograd.grad(log_prob.amax(1).sum(), x)[0]"),
    edit("all_classes", "`classifier_guidance` adds up all classes; y says which one counts", "wish = torch.autograd.grad(log_prob.sum(), x)[0]"),
    edit("first_label_for_all", "`classifier_guidance` steers all examples to the first one's label", "wish = torch.autograd.grad(log_prob[:, y[0]].sum(), x)[0]"),
    edit("label_shifted", "`classifier_guidance` steers to another label than y", "wish = torch.autograd.grad(log_prob[torch.arange(len(y)), y - 1].sum(), x)[0]"),
    edit("negative", "`classifier_guidance` has the sign of a loss, or adds the gradient: it pushes away from the label", "wish = torch.autograd.grad(-log_prob[torch.arange(len(y)), y].sum(), x)[0]"),
    edit("cross_entropy_mean", "`classifier_guidance` uses a loss, with its sign and its mean over the batch; (8.1) has each example's own log-probability",
         "wish = torch.autograd.grad(nn.functional.cross_entropy(log_prob, y), x)[0]"),
    edit("backward", "`classifier_guidance` calls backward(), which adds to the .grad of the classifier's parameters", "log_prob[torch.arange(len(y)), y].sum().backward(); wish = x.grad"),
    edit("backward_then_zero", "`classifier_guidance` calls backward() and then erases the parameters' .grad, also what was there before", "log_prob[torch.arange(len(y)), y].sum().backward(); wish = x.grad; classifier.zero_grad()"),
    edit("by_parameters", "`classifier_guidance` takes the gradient by the classifier's parameters; by x_t is needed", "wish = torch.autograd.grad(log_prob[torch.arange(len(y)), y].sum(), list(classifier.parameters()))[0]"),
    edit("gathered_along_batch", "`classifier_guidance` gathers with labels of shape (1, N): the first example's probabilities of all labels; `[:, None]` gives each example its own",
         "wish = torch.autograd.grad(log_prob.gather(1, y.unsqueeze(0)).sum(), x)[0]"),
    edit("scalar_needed", "`classifier_guidance` takes the gradient of N numbers at once, which needs their sum", "wish = torch.autograd.grad(log_prob[torch.arange(len(y)), y], x)[0]"),
    edit("all_but_y", "`classifier_guidance` adds up the log-probabilities of the other classes", "wish = torch.autograd.grad(log_prob.sum() - log_prob[torch.arange(len(y)), y].sum(), x)[0]"),
    edit("batch_sum", "`classifier_guidance` adds the gradients of all examples up", "wish = torch.autograd.grad(log_prob[torch.arange(len(y)), y].sum(), x)[0].sum(0, keepdim=True).expand(x.shape)"),
    edit("normalised", "`classifier_guidance` divides the gradient by its length", "wish = torch.autograd.grad(log_prob[torch.arange(len(y)), y].sum(), x)[0]; wish = wish / wish.norm().clamp(min=1e-12)"),
    edit("normalised_each", "`classifier_guidance` divides each example's gradient by its length", "wish = torch.autograd.grad(log_prob[torch.arange(len(y)), y].sum(), x)[0]; wish = nn.functional.normalize(wish.flatten(1)).reshape(x.shape)"),
    edit("sign_only", "`classifier_guidance` uses the gradient's sign alone", "wish = torch.autograd.grad(log_prob[torch.arange(len(y)), y].sum(), x)[0].sign()"),
    edit("probability_itself", "`classifier_guidance` uses the log-probability itself; its gradient by x_t belongs there", "wish = log_prob[torch.arange(len(y)), y].detach().reshape(-1, *[1] * (x_t.ndim - 1)).expand(x.shape)"),
)

mistakes.at(
    """
    level = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))
    return eps - w * (1 - level).sqrt() * wish
    """,
    edit("no_scale", "`classifier_guidance` forgets √(1 - ᾱ): the gradient is a score, eps is noise",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - w * wish\n"),
    edit("no_root", "`classifier_guidance` multiplies by 1 - ᾱ, without the root",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - w * (1 - level) * wish\n"),
    edit("signal_scale", "`classifier_guidance` multiplies by √ᾱ; √(1 - ᾱ) belongs there",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - w * level.sqrt() * wish\n"),
    edit("divided_scale", "`classifier_guidance` divides by √(1 - ᾱ); it is a factor",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - w * wish / (1 - level).sqrt().clamp(min=1e-6)\n"),
    edit("variance_scale", "`classifier_guidance` multiplies by (1 - ᾱ)/√ᾱ, which is the factor for x_0; for the noise it is √(1 - ᾱ)",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - w * (1 - level) / level.sqrt().clamp(min=1e-9) * wish\n"),
    edit("w_outside", "`classifier_guidance` multiplies eps by w, too",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn w * (eps - (1 - level).sqrt() * wish)\n"),
    edit("w_forgotten", "`classifier_guidance` forgets w",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - (1 - level).sqrt() * wish\n"),
    edit("w_less_one", "`classifier_guidance` uses w - 1, as if eps were the conditional one; it is that without label",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - (w - 1) * (1 - level).sqrt() * wish\n"),
    edit("w_more_one", "`classifier_guidance` uses w + 1",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - (w + 1) * (1 - level).sqrt() * wish\n"),
    edit("eps_forgotten", "`classifier_guidance` returns the correction alone, without eps",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn -w * (1 - level).sqrt() * wish\n"),
    edit("score_returned", "`classifier_guidance` returns the guided score; noise is expected",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn -eps / (1 - level).sqrt().clamp(min=1e-6) + w * wish\n"),
    edit("level_along_columns", "the levels in `classifier_guidance` meet the last axis: each *column* has a level; each example has its own",
         "\nreturn eps - w * (1 - alpha_bar[t]).sqrt() * wish\n"),
    edit("level_matrices", "the levels in `classifier_guidance` have the shape (N, 1), which fits matrices alone",
         "\nreturn eps - w * (1 - alpha_bar[t])[:, None].sqrt() * wish\n"),
    edit("level_images", "the levels in `classifier_guidance` have the shape (N, 1, 1, 1), which fits images alone",
         "\nreturn eps - w * (1 - alpha_bar[t])[:, None, None, None].sqrt() * wish\n"),
    edit("level_next", "`classifier_guidance` reads the level of t + 1; alpha_bar has an entry for time 0",
         "\nlevel = alpha_bar[(t + 1).clamp(max=len(alpha_bar) - 1)].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - w * (1 - level).sqrt() * wish\n"),
    edit("eps_weighed_up", "`classifier_guidance` multiplies eps by 1 + w; (8.1) starts from eps as it is",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn (1 + w) * eps - w * (1 - level).sqrt() * wish\n"),
    edit("level_of_largest", "`classifier_guidance` uses the level of the largest t for all; each example has its own",
         "\nreturn eps - w * (1 - alpha_bar[t.max()]).sqrt() * wish\n"),
    edit("level_of_first", "`classifier_guidance` uses the first example's level for all",
         "\nreturn eps - w * (1 - alpha_bar[t[0]]).sqrt() * wish\n"),
    edit("level_shifted", "`classifier_guidance` reads the level of t - 1",
         "\nlevel = alpha_bar[(t - 1).clamp(min=0)].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - w * (1 - level).sqrt() * wish\n"),
    edit("step_variance", "`classifier_guidance` uses the noise of one step, β_t; ᾱ_t is that of all steps",
         "\nlevel = (alpha_bar[t] / alpha_bar[(t - 1).clamp(min=0)]).reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - w * (1 - level).sqrt() * wish\n"),
    edit("eps_in_place", "`classifier_guidance` changes eps in place",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\neps -= w * (1 - level).sqrt() * wish\nreturn eps\n"),
    edit("eps_weighed", "`classifier_guidance` multiplies eps by 1 - w; that belongs to (8.2), and (8.1) starts from eps as it is",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn (1 - w) * eps - w * (1 - level).sqrt() * wish\n"),
    edit("noise_to_signal", "`classifier_guidance` multiplies by √((1 - ᾱ)/ᾱ); √(1 - ᾱ) belongs there",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1)).clamp(min=1e-6)\nreturn eps - w * ((1 - level) / level).sqrt() * wish\n"),
    edit("root_of_level_less_one", "`classifier_guidance` multiplies by 1 - √ᾱ; √(1 - ᾱ) belongs there",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - w * (1 - level.sqrt()) * wish\n"),
    edit("w_root_scale", "`classifier_guidance` puts w under the root", "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - (w * (1 - level)).sqrt() * wish\n"),
    edit("level_squared", "`classifier_guidance` multiplies by (1 - ᾱ)²; √(1 - ᾱ) belongs there",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn eps - w * (1 - level) ** 2 * wish\n"),
    edit("steered_cut_off", "`classifier_guidance` cuts the noise off at ±1",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn (eps - w * (1 - level).sqrt() * wish).clamp(-1, 1)\n"),
    edit("steered_float32", "`classifier_guidance` returns float32 whatever comes in",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn (eps - w * (1 - level).sqrt() * wish).float()\n"),
    edit("score_subtracted", "`classifier_guidance` adds (1 - ᾱ) times the gradient to x_t, a step on the picture; noise is expected",
         "\nlevel = alpha_bar[t].reshape(-1, *[1] * (x_t.ndim - 1))\nreturn x_t + w * (1 - level) * wish\n"),
)

# --- guided_spreads --------------------------------------------------------------------------------------------------

mistakes.at(
    "return 1 / (w / s**2 + 1 - w).sqrt(), s**w",
    edit("spreads_swapped", "`guided_spreads` returns the guided samples' spread first; that of (8.3) comes first", "return s**w, 1 / (w / s**2 + 1 - w).sqrt()"),
    edit("variances", "`guided_spreads` returns variances; standard deviations are expected", "return 1 / (w / s**2 + 1 - w), s ** (2 * w)"),
    edit("tilted_variance", "the first of `guided_spreads` is a variance", "return 1 / (w / s**2 + 1 - w), s**w"),
    edit("guided_variance", "the second of `guided_spreads` is a variance", "return 1 / (w / s**2 + 1 - w).sqrt(), s ** (2 * w)"),
    edit("tilted_precision", "the first of `guided_spreads` is a precision", "return w / s**2 + 1 - w, s**w"),
    edit("root_precision", "the first of `guided_spreads` is the root of a precision, not of a variance", "return (w / s**2 + 1 - w).sqrt(), s**w"),
    edit("likelihood_forgotten", "the first of `guided_spreads` treats p(y | x) as p(x | y): p(x) then counts with the power 1 instead of 1 - w", "return 1 / (w / s**2 + 1).sqrt(), s**w"),
    edit("sharpened", "the first of `guided_spreads` is s/√w, the spread of p(x | y)^w alone; p(x)^(1 - w) is missing", "return s / max(w, 1e-9) ** 0.5, s**w"),
    edit("plain_w", "the first of `guided_spreads` has precision w/s² - w; the 1 of p(x) itself is missing", "return 1 / (w / s**2 - w).abs().clamp(min=1e-9).sqrt(), s**w"),
    edit("precision_sign", "the first of `guided_spreads` has precision w/s² + w - 1; p(x) has the power 1 - w", "return 1 / (w / s**2 + w - 1).abs().clamp(min=1e-9).sqrt(), s**w"),
    edit("variance_for_precision", "the first of `guided_spreads` mixes variances, w s² + 1 - w, and takes the result for a precision", "return 1 / (w * s**2 + 1 - w).abs().clamp(min=1e-9).sqrt(), s**w"),
    edit("papers_tilted", "the first of `guided_spreads` uses w + 1 for w, the papers' convention", "return 1 / ((w + 1) / s**2 - w).sqrt(), s**w"),
    edit("papers_guided", "the second of `guided_spreads` uses w + 1 for w, the papers' convention", "return 1 / (w / s**2 + 1 - w).sqrt(), s ** (w + 1)"),
    edit("papers_both", "`guided_spreads` uses w + 1 for w, the papers' convention", "return 1 / ((w + 1) / s**2 - w).sqrt(), s ** (w + 1)"),
    edit("one_less_guided", "the second of `guided_spreads` has w - 1 for w", "return 1 / (w / s**2 + 1 - w).sqrt(), s ** (w - 1)"),
    edit("both_tilted", "`guided_spreads` returns the spread of (8.3) twice; guided samples have another one", "return 1 / (w / s**2 + 1 - w).sqrt(), 1 / (w / s**2 + 1 - w).sqrt()"),
    edit("both_guided", "`guided_spreads` returns the guided samples' spread twice; (8.3) has another one", "return s**w, s**w"),
    edit("guided_half", "the second of `guided_spreads` has half the exponent: σ dσ is half of d(σ²), but the logarithm of s² is twice that of s", "return 1 / (w / s**2 + 1 - w).sqrt(), s ** (w / 2)"),
    edit("guided_mixed", "the second of `guided_spreads` mixes the two spreads, w s + 1 - w; their logarithms mix", "return 1 / (w / s**2 + 1 - w).sqrt(), w * s + 1 - w"),
    edit("guided_mixed_variance", "the second of `guided_spreads` mixes the two variances; the logarithms mix", "return 1 / (w / s**2 + 1 - w).sqrt(), (w * s**2 + 1 - w).abs().sqrt()"),
    edit("guided_divided", "the second of `guided_spreads` is s/w; the exponent is w", "return 1 / (w / s**2 + 1 - w).sqrt(), s / max(w, 1e-9)"),
    edit("guided_over_root", "the second of `guided_spreads` is s/√w; the exponent is w", "return 1 / (w / s**2 + 1 - w).sqrt(), s / max(w, 1e-9) ** 0.5"),
    edit("guided_times_root", "the second of `guided_spreads` is s √w; the exponent is w", "return 1 / (w / s**2 + 1 - w).sqrt(), s * w**0.5"),
    edit("guided_inverse", "the second of `guided_spreads` is s^(1/w)", "return 1 / (w / s**2 + 1 - w).sqrt(), s ** (1 / max(w, 1e-9))"),
    edit("guided_log", "the second of `guided_spreads` is a logarithm", "return 1 / (w / s**2 + 1 - w).sqrt(), w * s.log()"),
    edit("guided_exponential", "the second of `guided_spreads` has w and s exchanged", "return 1 / (w / s**2 + 1 - w).sqrt(), w**s"),
    edit("s_as_variance", "`guided_spreads` takes s for a variance; it is a standard deviation", "return 1 / (w / s + 1 - w).sqrt(), s ** (w / 2)"),
    edit("tilted_s_as_variance", "the first of `guided_spreads` takes s for a variance; it is a standard deviation", "return 1 / (w / s + 1 - w).sqrt(), s**w"),
    edit("tilted_s_not_squared", "the first of `guided_spreads` mixes 1/s and not 1/s²: precisions add, standard deviations do not", "return 1 / (w / s + 1 - w), s**w"),
    edit("tilted_mixed_variance", "the first of `guided_spreads` mixes variances; precisions add", "return (w * s**2 + 1 - w).abs().sqrt(), s**w"),
    edit("spreads_float32", "`guided_spreads` computes in float32 whatever comes in", "s32 = s.float(); return 1 / (w / s32**2 + 1 - w).sqrt(), s32**w"),
    edit("whole_w", "`guided_spreads` rounds w down", "w = int(w); return 1 / (w / s**2 + 1 - w).sqrt(), s**w"),
    edit("example_w", "the second of `guided_spreads` is s², as for w = 2", "return 1 / (w / s**2 + 1 - w).sqrt(), s**2"),
    edit("example_both", "`guided_spreads` puts 2 for w", "return 1 / (2 / s**2 - 1).sqrt(), s**2"),
    edit("plain_class", "the second of `guided_spreads` is s, the spread of the class itself", "return 1 / (w / s**2 + 1 - w).sqrt(), 1 * s"),
    edit("square_of_tilted", "the second of `guided_spreads` is the square of the first; the walkers' equation gives another law", "first = 1 / (w / s**2 + 1 - w).sqrt(); return first, first**2"),
    edit("far_end_only", "the second of `guided_spreads` is (1 + s²)^(-w/2); from a large σ down to 0 the integral of wσ/(s² + σ²) leaves s^w", "return 1 / (w / s**2 + 1 - w).sqrt(), (s**2 + 1) ** (-w / 2)"),
    edit("twice_less_one", "the second of `guided_spreads` is s^(2w - 1)", "return 1 / (w / s**2 + 1 - w).sqrt(), s ** (2 * w - 1)"),
    edit("sign_in_power", "the first of `guided_spreads` has precision w/s² - (w + 1); p(x) has the power 1 - w", "return 1 / (w / s**2 - (w + 1)).abs().clamp(min=1e-9).sqrt(), s**w"),
    edit("guided_upside_down", "the second of `guided_spreads` is s^(-w): the walk goes from large σ to 0, so distances shrink", "return 1 / (w / s**2 + 1 - w).sqrt(), s ** (-w)"),
    edit("first_alone", "`guided_spreads` uses the first s alone", "x = float(s.flatten()[0]); return torch.tensor(1 / math.sqrt(w / x**2 + 1 - w)), torch.tensor(x**w)"),
    edit("w_minus_product", "the first of `guided_spreads` is s/√(w + (w - 1) s²), a sign in the precision", "return s / (w + (w - 1) * s**2).abs().clamp(min=1e-9).sqrt(), s**w"),
    edit("one_returned", "`guided_spreads` does not return two spreads", "return s**w"),
    edit("spread_of_pull", "the second of `guided_spreads` has the factor (1 + s²)^((1 - w)/2) too much; the term of all data ends at σ = 0, where 1 + σ² is 1", "return 1 / (w / s**2 + 1 - w).sqrt(), s**w * (1 + s**2) ** ((1 - w) / 2)"),
)
