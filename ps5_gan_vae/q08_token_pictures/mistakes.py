"""Named wrong versions of the answers to question 8."""

import torch
from torch.nn import functional as F

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- raster_bits --------------------------------------------------------------------------------------------------

mistakes.at(
    "rows = ids.flatten(1)",
    edit("bits_column_order", "`raster_bits` reads the grid column by column; the order is that of a page, row by row", "rows = ids.transpose(1, 2).flatten(1)"),
    edit("bits_backwards", "`raster_bits` reads the grid from its end", "rows = ids.flatten(1).flip(1)"),
    edit("bits_snake", "`raster_bits` reads every second row from right to left", "rows = torch.stack([row.flip(1) if i % 2 else row for i, row in enumerate(ids.unbind(1))], 1).flatten(1)"),
    edit("bits_rows_reversed", "`raster_bits` begins with the last row; the first row comes first", "rows = ids.flip(1).flatten(1)"),
    edit("bits_columns_reversed", "`raster_bits` reads each row from right to left", "rows = ids.flip(2).flatten(1)"),
    edit("bits_batch_mixed", "`raster_bits` lets the grids of the batch run into each other: the batch is not the first axis any more", "rows = ids.permute(1, 2, 0).reshape(len(ids), -1)"),
    edit("bits_first_row", "`raster_bits` prices the first row alone", "rows = ids[:, 0]"),
    edit("bits_seven", "`raster_bits` assumes seven columns", "rows = ids.reshape(len(ids), -1, 7).flatten(1)"),
)

mistakes.at(
    "seen = F.pad(rows, (1, 0), value=start)[:, :-1]",
    edit("bits_not_shifted", "in `raster_bits` the model sees the very token that it is to predict", "seen = rows"),
    edit("bits_shifted_left", "`raster_bits` shifts the wrong way: the model sees the token after the one that it predicts", "seen = F.pad(rows, (0, 1), value=start)[:, 1:]"),
    edit("bits_shifted_twice", "`raster_bits` shifts by two: the model never sees the token just before", "seen = F.pad(rows, (2, 0), value=start)[:, :-2]"),
    edit("bits_rolled", "`raster_bits` shifts in a circle, so that the last token stands where start belongs", "seen = rows.roll(1, 1)"),
    edit("bits_start_instead", "`raster_bits` writes start over the first token; all others stay where they are, so the model sees what it predicts", "seen = torch.cat([torch.full_like(rows[:, :1], start), rows[:, 1:]], 1)"),
    edit("bits_start_zero", "`raster_bits` begins with token 0 and not with start", "seen = F.pad(rows, (1, 0), value=0)[:, :-1]"),
    edit("bits_start_is_k", "`raster_bits` begins with the largest token plus 1; the start token is an argument", "seen = F.pad(rows, (1, 0), value=int(rows.max()) + 1)[:, :-1]"),
    edit("bits_start_each_row", "`raster_bits` begins each row of the grid with start: the model forgets the token before", "seen = F.pad(ids, (1, 0), value=start)[:, :, :-1].flatten(1)"),
    edit("bits_shifted_down", "`raster_bits` shifts by a whole row: the model sees the token above, and a row of starts", "seen = F.pad(ids, (0, 0, 1, 0), value=start)[:, :-1].flatten(1)"),
    edit("bits_shifted_batch", "`raster_bits` shifts along the batch: the model sees the grid before", "seen = F.pad(rows, (0, 0, 1, 0), value=start)[:-1]"),
    edit("bits_all_starts", "`raster_bits` shows the model start alone, at all places", "seen = torch.full_like(rows, start)"),
)

mistakes.at(
    'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(1) / math.log(2)',
    edit("bits_nats", "`raster_bits` returns nats; (8.1) has logarithms to base 2", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(1)'),
    edit("bits_times_ln2", "`raster_bits` multiplies nats by ln 2; one nat is *more* than one bit", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(1) * math.log(2)'),
    edit("bits_mean", "`raster_bits` takes the mean over places; the bits of a grid are the sum", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").mean(1) / math.log(2)'),
    edit("bits_batch_mean", "`raster_bits` returns the mean of the batch; one number for each grid is expected", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(1).mean() / math.log(2)'),
    edit("bits_batch_total", "`raster_bits` returns the total of the batch; one number for each grid is expected", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="sum") / math.log(2)'),
    edit("bits_each_place", "`raster_bits` returns the bits of each place; their sum over the grid is asked for", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none") / math.log(2)'),
    edit("bits_over_batch", "`raster_bits` sums over the grids of the batch; each grid has a sum of its own over its places", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(0) / math.log(2)'),
    edit("bits_negative", "`raster_bits` has the sign of a log-probability; bits are not negative", 'return -F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(1) / math.log(2)'),
    edit("bits_log_k", "`raster_bits` divides by ln K, the cost of a token of which nothing is known; a bit is ln 2", 'logits = model(seen); return F.cross_entropy(logits.transpose(1, 2), rows, reduction="none").sum(1) / math.log(logits.shape[-1])'),
    edit("bits_each_token", "`raster_bits` returns bits per row of the grid", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(1) / math.log(2) / ids.shape[1]'),
    edit("bits_first_missing", "`raster_bits` leaves the first token out; it costs bits, too, and start predicts it", 'return F.cross_entropy(model(seen)[:, 1:].transpose(1, 2), rows[:, 1:], reduction="none").sum(1) / math.log(2)'),
    edit("bits_last_missing", "`raster_bits` leaves the last token out", 'return F.cross_entropy(model(seen)[:, :-1].transpose(1, 2), rows[:, :-1], reduction="none").sum(1) / math.log(2)'),
    edit("bits_last_alone", "`raster_bits` returns the bits of the last token alone", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none")[:, -1] / math.log(2)'),
    edit("bits_softmaxed", "`raster_bits` gives probabilities to a cross-entropy that expects logits", 'return F.cross_entropy(model(seen).softmax(-1).transpose(1, 2), rows, reduction="none").sum(1) / math.log(2)'),
    edit("bits_logits", "`raster_bits` adds up logits; log-probabilities are normalised", "return -model(seen).gather(-1, rows[..., None])[..., 0].sum(1) / math.log(2)"),
    edit("bits_probability", "`raster_bits` adds up probabilities, without a logarithm", "return model(seen).softmax(-1).gather(-1, rows[..., None])[..., 0].sum(1) / math.log(2)"),
    edit("bits_view", "`raster_bits` reshapes logits (N, T, K) to (N, K, T), which mixes places and kinds; the axes are to be exchanged", 'logits = model(seen); return F.cross_entropy(logits.reshape(len(rows), logits.shape[-1], -1), rows, reduction="none").sum(1) / math.log(2)'),
    edit("bits_axes", "the softmax of `raster_bits` runs over places; it belongs over the kinds", "return -model(seen).log_softmax(1).gather(-1, rows[..., None])[..., 0].sum(1) / math.log(2)"),
    edit("bits_batch_softmax", "the softmax of `raster_bits` runs over the batch; it belongs over the kinds", "return -model(seen).log_softmax(0).gather(-1, rows[..., None])[..., 0].sum(1) / math.log(2)"),
    edit("bits_eps", "`raster_bits` adds a small number before the logarithm, which is wrong where probabilities are tiny", "return -(model(seen).softmax(-1).gather(-1, rows[..., None])[..., 0] + 1e-8).log2().sum(1)"),
    edit("bits_log_of_softmax", "`raster_bits` takes the logarithm of a softmax, which is 0 where a probability is tiny: infinitely many bits", "return -model(seen).softmax(-1).gather(-1, rows[..., None])[..., 0].log2().sum(1)"),
    edit("bits_product", "`raster_bits` multiplies the probabilities before it takes the logarithm: the product of a large grid is 0", "return -model(seen).softmax(-1).gather(-1, rows[..., None])[..., 0].prod(1).clamp(min=1e-38).log2()"),
    edit("bits_entropy", "`raster_bits` returns the entropies of the predictions; the token that is there decides the price", "return torch.special.entr(model(seen).softmax(-1)).sum((1, 2)) / math.log(2)"),
    edit("bits_perplexity", "`raster_bits` returns 2 to the power of the bits a token", 'return 2 ** (F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").mean(1) / math.log(2))'),
    edit("bits_judged_on_seen", "`raster_bits` judges the predictions by what the model was shown, not by the next tokens", 'logits = model(seen); return F.cross_entropy(logits.transpose(1, 2), seen.clamp(max=logits.shape[-1] - 1), reduction="none").sum(1) / math.log(2)'),
    edit("bits_detached", "`raster_bits` is cut off from the model's parameters, so that the prior is not trained", 'return F.cross_entropy(model(seen).detach().transpose(1, 2), rows, reduction="none").sum(1) / math.log(2)'),
    edit("bits_no_grad", "`raster_bits` asks the model inside no_grad, so that the prior is not trained", 'with torch.no_grad(): return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(1) / math.log(2)'),
    edit("bits_single", "`raster_bits` computes in float32, also where the model answers in float64", 'return F.cross_entropy(model(seen).float().transpose(1, 2), rows, reduction="none").sum(1) / math.log(2)'),
    edit("bits_single_back", "`raster_bits` computes in float32 inside, so that float64 loses its digits", 'logits = model(seen); return F.cross_entropy(logits.float().transpose(1, 2), rows, reduction="none").sum(1).to(logits) / math.log(2)'),
    edit("bits_rounded_constant", "`raster_bits` uses a rounded ln 2", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(1) / 0.6931'),
    edit("bits_base_ten", "`raster_bits` has logarithms to base 10; bits are to base 2", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(1) / math.log(10)'),
    edit("bits_clamped", "`raster_bits` cuts the cost of a token off; tiny probabilities cost as many bits as they cost", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").clamp(max=50).sum(1) / math.log(2)'),
    edit("bits_smoothed", "`raster_bits` smooths the labels", 'return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none", label_smoothing=0.1).sum(1) / math.log(2)'),
)

# --- raster_sample ------------------------------------------------------------------------------------------------

mistakes.at(
    "ids = torch.full((len(noise), 1), start, device=noise.device)",
    edit("sample_start_zero", "`raster_sample` begins with token 0 and not with start", "ids = torch.zeros((len(noise), 1), dtype=torch.long, device=noise.device)"),
    edit("sample_start_is_k", "`raster_sample` begins with token K; the start token is an argument", "ids = torch.full((len(noise), 1), noise.shape[-1], device=noise.device)"),
    edit("sample_two_starts", "`raster_sample` begins with two starts, so each token is drawn by the logits of the place after it", "ids = torch.full((len(noise), 2), start, device=noise.device)",
         ("drawn = (model(ids)[:, -1] + each).argmax(-1)", "drawn = (model(ids[:, : noise.shape[1] * noise.shape[2]])[:, -1] + each).argmax(-1)"), ("return ids[:, 1:].view(noise.shape[:3])", "return ids[:, 2:].view(noise.shape[:3])")),
)

mistakes.at(
    "for each in noise.flatten(1, 2).unbind(1):",
    edit("sample_noise_columns", "`raster_sample` takes the noise column by column; it belongs to places, and these come row by row", "for each in noise.transpose(1, 2).flatten(1, 2).unbind(1):"),
    edit("sample_noise_backwards", "`raster_sample` takes the noise from the end of the grid", "for each in noise.flatten(1, 2).flip(1).unbind(1):"),
    edit("sample_noise_once", "`raster_sample` uses the noise of the first place everywhere, so the draws are not independent", "for each in [noise[:, 0, 0]] * (noise.shape[1] * noise.shape[2]):"),
    edit("sample_noise_row", "`raster_sample` uses the noise of the first row in all rows", "for each in noise[:, :1].expand_as(noise).flatten(1, 2).unbind(1):"),
    edit("sample_noise_batch", "`raster_sample` uses the noise of the first grid for all grids", "for each in noise[:1].expand_as(noise).flatten(1, 2).unbind(1):"),
    edit("sample_noise_row_step", "`raster_sample` uses one noise for a whole row of the grid", "for each in noise[:, :, :1].expand_as(noise).flatten(1, 2).unbind(1):"),
    edit("sample_noise_mixed", "`raster_sample` reshapes the noise so that grids, places and kinds are mixed", "for each in noise.reshape(-1, len(noise), noise.shape[-1]):"),
    edit("sample_noise_snake", "`raster_sample` takes the noise of every second row from right to left", "for each in torch.stack([row.flip(1) if i % 2 else row for i, row in enumerate(noise.unbind(1))], 1).flatten(1, 2).unbind(1):"),
    edit("sample_noise_single", "`raster_sample` flips the noise along the kinds", "for each in noise.flip(-1).flatten(1, 2).unbind(1):"),
)

mistakes.at(
    "drawn = (model(ids)[:, -1] + each).argmax(-1)",
    edit("sample_greedy", "`raster_sample` always takes the likeliest token; the noise is not used", "drawn = model(ids)[:, -1].argmax(-1)"),
    edit("sample_noise_alone", "`raster_sample` takes the largest noise, without the model's logits", "drawn = (0 * model(ids)[:, -1] + each).argmax(-1)"),
    edit("sample_minus_noise", "`raster_sample` subtracts the Gumbel noise; its law is not symmetric", "drawn = (model(ids)[:, -1] - each).argmax(-1)"),
    edit("sample_smallest", "`raster_sample` takes the smallest sum; unlikely tokens win", "drawn = (model(ids)[:, -1] + each).argmin(-1)"),
    edit("sample_probabilities", "`raster_sample` adds the noise to probabilities; it belongs to the logits", "drawn = (model(ids)[:, -1].softmax(-1) + each).argmax(-1)"),
    edit("sample_times_noise", "`raster_sample` multiplies logits by the noise", "drawn = (model(ids)[:, -1] * each).argmax(-1)"),
    edit("sample_first_logits", "`raster_sample` reads the logits of the first place at each step", "drawn = (model(ids)[:, 0] + each).argmax(-1)"),
    edit("sample_one_late", "`raster_sample` reads the logits one place too early, those about the token just drawn", "drawn = (model(ids)[:, max(ids.shape[1] - 2, 0)] + each).argmax(-1)"),
    edit("sample_forgets", "`raster_sample` shows the model the last token alone", "drawn = (model(ids[:, -1:])[:, -1] + each).argmax(-1)"),
    edit("sample_forgets_start", "`raster_sample` shows the model the tokens without start, once there are any", "drawn = (model(ids[:, 1:] if ids.shape[1] > 1 else ids)[:, -1] + each).argmax(-1)"),
    edit("sample_same_start", "`raster_sample` shows the model start alone at each step, so that tokens do not know of each other", "drawn = (model(ids[:, :1].expand_as(ids))[:, -1] + each).argmax(-1)"),
    edit("sample_noise_twice", "`raster_sample` adds the noise twice, which is a temperature of 2", "drawn = (model(ids)[:, -1] + 2 * each).argmax(-1)"),
    edit("sample_half_noise", "`raster_sample` halves the noise, which is a temperature of ½", "drawn = (model(ids)[:, -1] + each / 2).argmax(-1)"),
    edit("sample_own_noise", "`raster_sample` draws with randomness of its own; the noise is an argument", "drawn = torch.multinomial(model(ids)[:, -1].softmax(-1), 1)[:, 0]"),
    edit("sample_noise_exp", "`raster_sample` makes Gumbel noise of the noise once more; it is Gumbel noise already", "drawn = (model(ids)[:, -1] - (-each.sigmoid().log()).log()).argmax(-1)"),
    edit("sample_scaled_logits", "`raster_sample` halves the logits, which is a temperature of 2", "drawn = (model(ids)[:, -1] / 2 + each).argmax(-1)"),
    edit("sample_first_grid", "`raster_sample` reads the first grid's logits for all grids", "drawn = (model(ids)[:1, -1] + each).argmax(-1)"),
    edit("sample_over_batch", "`raster_sample` adds up the logits of the whole batch", "drawn = (model(ids)[:, -1].mean(0) + each).argmax(-1)"),
    edit("sample_clamped", "`raster_sample` cuts the logits off at ±50; they may be hundreds", "drawn = (model(ids)[:, -1].clamp(-50, 50) + each).argmax(-1)"),
    edit("sample_underflow", "`raster_sample` adds the noise to the logarithm of a softmax with a small number added: unlikely tokens become too likely", "drawn = ((model(ids)[:, -1].softmax(-1) + 1e-6).log() + each).argmax(-1)"),
)

mistakes.at(
    "ids = torch.cat([ids, drawn[:, None]], 1)",
    edit("sample_prepended", "`raster_sample` puts new tokens in front", "ids = torch.cat([drawn[:, None], ids], 1)", ("return ids[:, 1:].view(noise.shape[:3])", "return ids[:, :-1].view(noise.shape[:3])")),
)

mistakes.at(
    "return ids[:, 1:].view(noise.shape[:3])",
    edit("sample_start_kept", "`raster_sample` returns start as the first token, and loses the last one", "return ids[:, :-1].view(noise.shape[:3])"),
    edit("sample_flat", "`raster_sample` returns the tokens in one row; grids (N, H, W) are expected", "return ids[:, 1:]"),
    edit("sample_transposed", "`raster_sample` fills the grid column by column; the order is row by row", "return ids[:, 1:].reshape(len(noise), noise.shape[2], noise.shape[1]).transpose(1, 2)"),
    edit("sample_sides_swapped", "`raster_sample` returns grids of W rows and H columns", "return ids[:, 1:].reshape(len(noise), noise.shape[2], noise.shape[1])"),
    edit("sample_upside_down", "`raster_sample` fills the grid from its last row", "return ids[:, 1:].view(noise.shape[:3]).flip(1)"),
    edit("sample_mirrored", "`raster_sample` fills each row from the right", "return ids[:, 1:].view(noise.shape[:3]).flip(2)"),
    edit("sample_reversed", "`raster_sample` returns the tokens in reversed order", "return ids[:, 1:].flip(1).view(noise.shape[:3])"),
    edit("sample_floats", "`raster_sample` returns floats; tokens are whole numbers", "return ids[:, 1:].view(noise.shape[:3]).float()"),
    edit("sample_batch_last", "`raster_sample` mixes the grids of the batch in its last reshape", "return ids[:, 1:].T.reshape(noise.shape[:3])"),
    edit("sample_square", "`raster_sample` assumes a square grid", "side = int((ids.shape[1] - 1) ** 0.5); return ids[:, 1 : 1 + side**2].reshape(len(ids), side, side)"),
)


@mistakes.rewrite("`raster_sample` draws all tokens at once, each as if only starts stood before it")
def sample_at_once(ref):
    def raster_sample(model, noise, start):
        logits = model(torch.full((len(noise), noise.shape[1] * noise.shape[2]), start, device=noise.device))
        return (logits + noise.flatten(1, 2)).argmax(-1).view(noise.shape[:3])

    return {"raster_sample": raster_sample}


@mistakes.rewrite("each row of `raster_sample` begins with start and knows nothing of the rows above")
def sample_rows_apart(ref):
    def raster_sample(model, noise, start):
        return torch.cat([ref.raster_sample(model, row, start) for row in noise.split(1, 1)], 1)

    return {"raster_sample": raster_sample}


@mistakes.rewrite("`raster_sample` fills the grid column by column: noise, order and result")
def sample_columns(ref):
    def raster_sample(model, noise, start):
        return ref.raster_sample(model, noise.transpose(1, 2), start).transpose(1, 2)

    return {"raster_sample": raster_sample}


# --- masked_loss --------------------------------------------------------------------------------------------------

mistakes.at(
    "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()[:, None]",
    edit("loss_floor", "`masked_loss` rounds the number of masks down: for r close to 1 nothing is masked", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).floor()[:, None]"),
    edit("loss_round", "`masked_loss` rounds the number of masks to the nearest; it is rounded up", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).round()[:, None]"),
    edit("loss_round_one", "`masked_loss` rounds the number of masks to the nearest, but to at least 1; it is rounded up", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).round().clamp(min=1)[:, None]"),
    edit("loss_floor_one", "`masked_loss` rounds the number of masks down, but to at least 1; it is rounded up", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).floor().clamp(min=1)[:, None]"),
    edit("loss_one_more", "`masked_loss` masks one place too many", "hidden = u.argsort(1).argsort(1) <= (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()[:, None]"),
    edit("loss_one_less", "`masked_loss` masks one place too few", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()[:, None] - 1"),
    edit("loss_sine", "`masked_loss` has a sine where the cosine belongs: r = 0 masks everything", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.sin(math.pi / 2 * r)).ceil()[:, None]"),
    edit("loss_linear", "`masked_loss` masks a share 1 - r of the places; the share is a cosine", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * (1 - r)).ceil()[:, None]"),
    edit("loss_share_r", "`masked_loss` masks a share r of the places; the share is a cosine of r", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * r).ceil()[:, None]"),
    edit("loss_pi", "`masked_loss` has πr in the cosine, so that it is negative for r above ½; (πr/2) belongs there", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi * r)).ceil()[:, None]"),
    edit("loss_degrees", "the cosine of `masked_loss` has no π", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(r)).ceil()[:, None]"),
    edit("loss_squared", "`masked_loss` squares the cosine", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r) ** 2).ceil()[:, None]"),
    edit("loss_half_cosine", "`masked_loss` has the cosine of a learning rate, (1 + cos πr)/2", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * (1 + torch.cos(math.pi * r)) / 2).ceil()[:, None]"),
    edit("loss_inverted_mask", "`masked_loss` keeps the places that it should mask", "hidden = u.argsort(1).argsort(1) >= (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()[:, None]"),
    edit("loss_largest", "`masked_loss` masks the places with the largest u; the smallest ones are meant", "hidden = (-u).argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()[:, None]"),
    edit("loss_one_argsort", "`masked_loss` takes the order for the ranks: one `argsort` says which place comes k-th, not at which rank a place is", "hidden = u.argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()[:, None]"),
    edit("loss_bernoulli", "`masked_loss` masks each place where u is below the cosine: then only the *mean* number of masks is right", "hidden = u < torch.cos(math.pi / 2 * r)[:, None]"),
    edit("loss_first_places", "`masked_loss` masks the first places of each row, whatever u says", "hidden = torch.arange(ids.shape[1], device=u.device).expand_as(u) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()[:, None]"),
    edit("loss_first_row_u", "`masked_loss` masks the same places in all rows, by the first row's u", "hidden = u[:1].argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()[:, None]"),
    edit("loss_first_row_r", "`masked_loss` masks as many places in all rows, by the first r", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r[:1])).ceil()[:, None]"),
    edit("loss_mean_r", "`masked_loss` masks as many places in all rows, by the mean of r", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r.mean())).ceil()"),
    edit("loss_over_batch", "the ranks of `masked_loss` run along the batch; each row has its own", "hidden = u.argsort(0).argsort(0) < (len(ids) * torch.cos(math.pi / 2 * r)).ceil()[:, None]"),
    edit("loss_all_ranks", "the ranks of `masked_loss` run over the whole batch; each row has its own", "hidden = u.flatten().argsort().argsort().view_as(u) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()[:, None]"),
    edit("loss_r_along", "the number of masks in `masked_loss` meets the places, not the rows", "hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()"),
    edit("loss_forty_nine", "`masked_loss` counts with 49 places, whatever the rows are", "hidden = u.argsort(1).argsort(1) < (49 * torch.cos(math.pi / 2 * r)).ceil()[:, None]"),
    edit("loss_all_hidden", "`masked_loss` masks all places, whatever r is", "hidden = torch.ones_like(u, dtype=torch.bool)"),
)

mistakes.at(
    "return F.cross_entropy(model(torch.where(hidden, mask, ids))[hidden], ids[hidden])",
    edit("loss_all_places", "`masked_loss` averages over all places; those that the model sees teach nothing but copying", "return F.cross_entropy(model(torch.where(hidden, mask, ids)).transpose(1, 2), ids)"),
    edit("loss_visible", "`masked_loss` is the cost of the visible places", "return F.cross_entropy(model(torch.where(hidden, mask, ids))[~hidden], ids[~hidden]) if not hidden.all() else 0 * model(ids).sum()"),
    edit("loss_divided_by_all", "`masked_loss` divides the cost of the masked places by the number of all places", 'return (F.cross_entropy(model(torch.where(hidden, mask, ids)).transpose(1, 2), ids, reduction="none") * hidden).mean()'),
    edit("loss_row_means", "`masked_loss` averages in each row, and then over rows: a place in a row with few masks counts more", 'nats = F.cross_entropy(model(torch.where(hidden, mask, ids)).transpose(1, 2), ids, reduction="none") * hidden; return (nats.sum(1) / hidden.sum(1)).mean()'),
    edit("loss_row_sums", "`masked_loss` is the mean over rows of their sums; the mean over masked places is asked for", 'nats = F.cross_entropy(model(torch.where(hidden, mask, ids)).transpose(1, 2), ids, reduction="none") * hidden; return nats.sum(1).mean()'),
    edit("loss_sum", "`masked_loss` is a sum; a mean over masked places is asked for", 'return F.cross_entropy(model(torch.where(hidden, mask, ids))[hidden], ids[hidden], reduction="sum")'),
    edit("loss_not_masked", "`masked_loss` shows the model all tokens, so it only has to copy", "return F.cross_entropy(model(ids)[hidden], ids[hidden])"),
    edit("loss_mask_inverted", "`masked_loss` masks what should be visible, and shows what is to be predicted", "return F.cross_entropy(model(torch.where(hidden, ids, mask))[hidden], ids[hidden])"),
    edit("loss_everything_masked", "`masked_loss` shows the model masks alone", "return F.cross_entropy(model(torch.full_like(ids, mask))[hidden], ids[hidden])"),
    edit("loss_mask_zero", "`masked_loss` replaces hidden tokens by 0; the mask token is an argument", "return F.cross_entropy(model(torch.where(hidden, 0, ids))[hidden], ids[hidden])"),
    edit("loss_mask_is_k", "`masked_loss` takes the largest token plus 1 for the mask; it is an argument", "return F.cross_entropy(model(torch.where(hidden, int(ids.max()) + 1, ids))[hidden], ids[hidden])"),
    edit("loss_by_mask_token", "`masked_loss` counts every place at which the model sees the mask token, also where that is the picture's own", "seen = torch.where(hidden, mask, ids); return F.cross_entropy(model(seen)[seen == mask], ids[seen == mask])"),
    edit("loss_shifted", "`masked_loss` judges the logits of the place before, as a row-by-row model would; a masked model predicts the place itself", "return F.cross_entropy(model(torch.where(hidden, mask, ids)).roll(1, 1)[hidden], ids[hidden])"),
    edit("loss_softmaxed", "`masked_loss` gives probabilities to a cross-entropy that expects logits", "return F.cross_entropy(model(torch.where(hidden, mask, ids)).softmax(-1)[hidden], ids[hidden])"),
    edit("loss_negative", "`masked_loss` has the sign of a log-probability: training would make it worse", "return -F.cross_entropy(model(torch.where(hidden, mask, ids))[hidden], ids[hidden])"),
    edit("loss_bits", "`masked_loss` is in bits; nats are asked for", "return F.cross_entropy(model(torch.where(hidden, mask, ids))[hidden], ids[hidden]) / math.log(2)"),
    edit("loss_logits", "`masked_loss` averages logits; log-probabilities are normalised", "return -model(torch.where(hidden, mask, ids)).gather(-1, ids[..., None])[..., 0][hidden].mean()"),
    edit("loss_axes", "the softmax of `masked_loss` runs over places; it belongs over the kinds", "return F.nll_loss(model(torch.where(hidden, mask, ids)).log_softmax(1)[hidden], ids[hidden])"),
    edit("loss_view", "`masked_loss` reshapes logits (N, T, K) to (N, K, T), which mixes places and kinds", 'logits = model(torch.where(hidden, mask, ids)); return F.cross_entropy(logits.reshape(len(ids), logits.shape[-1], -1), ids, reduction="none")[hidden].mean()'),
    edit("loss_eps", "`masked_loss` adds a small number before the logarithm, which is wrong where probabilities are tiny", "return -(model(torch.where(hidden, mask, ids)).softmax(-1).gather(-1, ids[..., None])[..., 0] + 1e-8).log()[hidden].mean()"),
    edit("loss_log_of_softmax", "`masked_loss` takes the logarithm of a softmax, which is 0 where a probability is tiny", "return -model(torch.where(hidden, mask, ids)).softmax(-1).gather(-1, ids[..., None])[..., 0].log()[hidden].mean()"),
    edit("loss_detached", "`masked_loss` is cut off from the model's parameters, so that nothing is learned", "return F.cross_entropy(model(torch.where(hidden, mask, ids)).detach()[hidden], ids[hidden])"),
    edit("loss_single", "`masked_loss` computes in float32, also where the model answers in float64", "return F.cross_entropy(model(torch.where(hidden, mask, ids)).float()[hidden], ids[hidden])"),
    edit("loss_single_back", "`masked_loss` computes in float32 inside, so that float64 loses its digits", "logits = model(torch.where(hidden, mask, ids)); return F.cross_entropy(logits.float()[hidden], ids[hidden]).to(logits)"),
    edit("loss_each", "`masked_loss` returns the cost of each masked place; their mean is asked for", 'return F.cross_entropy(model(torch.where(hidden, mask, ids))[hidden], ids[hidden], reduction="none")'),
    edit("loss_weighted", "`masked_loss` divides the cost of each row by its share of masks, as a bound on the likelihood would", 'nats = F.cross_entropy(model(torch.where(hidden, mask, ids)).transpose(1, 2), ids, reduction="none") * hidden; return (nats.sum(1) / torch.cos(math.pi / 2 * r).to(nats)).mean() / ids.shape[1]'),
    edit("loss_smoothed", "`masked_loss` smooths the labels", "return F.cross_entropy(model(torch.where(hidden, mask, ids))[hidden], ids[hidden], label_smoothing=0.1)"),
    edit("loss_clamped", "`masked_loss` cuts the cost of a token off; tiny probabilities cost what they cost", 'return F.cross_entropy(model(torch.where(hidden, mask, ids))[hidden], ids[hidden], reduction="none").clamp(max=50).mean()'),
)

# --- masks_left ---------------------------------------------------------------------------------------------------

mistakes.at(
    "for i in range(1, steps + 1):",
    edit("plan_from_zero", "`masks_left` counts its steps from 0, so that the last list entry is not 0", "for i in range(steps):"),
    edit("plan_one_short", "`masks_left` stops one step early: the list has S - 1 entries and never reaches 0", "for i in range(1, steps):"),
)

mistakes.at(
    "wanted = math.floor(tokens * math.cos(math.pi * i / (2 * steps)))",
    edit("plan_ceil", "`masks_left` rounds up, which leaves a mask at the end or too many on the way; (8.2) rounds down", "wanted = math.ceil(tokens * math.cos(math.pi * i / (2 * steps)))"),
    edit("plan_round", "`masks_left` rounds to the nearest; (8.2) rounds down", "wanted = round(tokens * math.cos(math.pi * i / (2 * steps)))"),
    edit("plan_linear", "`masks_left` reveals equally many tokens in each step; (8.2) has a cosine", "wanted = math.floor(tokens * (1 - i / steps))"),
    edit("plan_sine", "`masks_left` has a sine, which grows", "wanted = math.floor(tokens * math.sin(math.pi * i / (2 * steps)))"),
    edit("plan_one_minus_sine", "`masks_left` has 1 - sine, which reveals many tokens in the first steps; the cosine reveals few", "wanted = math.floor(tokens * (1 - math.sin(math.pi * i / (2 * steps))))"),
    edit("plan_pi", "`masks_left` lets the cosine run to π; it is 0 at π/2", "wanted = math.floor(tokens * math.cos(math.pi * i / steps))"),
    edit("plan_half_cosine", "`masks_left` has the cosine of a learning rate, (1 + cos)/2", "wanted = math.floor(tokens * (1 + math.cos(math.pi * i / steps)) / 2)"),
    edit("plan_squared", "`masks_left` squares the cosine", "wanted = math.floor(tokens * math.cos(math.pi * i / (2 * steps)) ** 2)"),
    edit("plan_last_step", "`masks_left` divides by S - 1, so the cosine is 0 one step early", "wanted = math.floor(tokens * math.cos(math.pi * i / (2 * max(steps - 1, 1))))"),
    edit("plan_step_more", "`masks_left` divides by S + 1, so masks are left at the end", "wanted = math.floor(tokens * math.cos(math.pi * i / (2 * (steps + 1))))"),
    edit("plan_previous", "`masks_left` uses the cosine of the step before, i - 1", "wanted = math.floor(tokens * math.cos(math.pi * (i - 1) / (2 * steps)))"),
    edit("plan_next", "`masks_left` uses the cosine of the next step, i + 1", "wanted = math.floor(tokens * math.cos(math.pi * min(i + 1, steps) / (2 * steps)))"),
    edit("plan_of_left", "`masks_left` takes the cosine of what is left, not of all tokens", "wanted = math.floor(left[-1] * math.cos(math.pi * i / (2 * steps)))"),
    edit("plan_revealed", "`masks_left` lists how many are revealed so far; those that are still masked are asked for", "wanted = tokens - math.floor(tokens * math.cos(math.pi * i / (2 * steps)))"),
    edit("plan_degrees", "the cosine of `masks_left` is not given an angle in radians", "wanted = math.floor(tokens * math.cos(i / steps))"),
    edit("plan_sixty_four", "`masks_left` counts with 64 tokens, whatever it is given", "wanted = math.floor(64 * math.cos(math.pi * i / (2 * steps)))"),
    edit("plan_integer_division", "`masks_left` divides whole numbers without a rest, i // S, so that the cosine is 1 until the last step", "wanted = math.floor(tokens * math.cos(math.pi / 2 * (i // steps)))"),
)

mistakes.at(
    "left.append(max(steps - i, min(left[-1] - 1, wanted)))",
    edit("plan_bare", "`masks_left` has the cosine alone: some steps reveal nothing, or nothing is left for the last ones", "left.append(wanted)"),
    edit("plan_no_min", "`masks_left` has steps that reveal nothing: it does not take care that each one reveals at least one token", "left.append(max(steps - i, wanted))"),
    edit("plan_no_max", "`masks_left` does not leave one token for each later step, so the last steps have nothing to do or their numbers are negative", "left.append(min(left[-1] - 1, wanted))"),
    edit("plan_at_least_zero", "`masks_left` keeps its numbers from becoming negative, but does not leave one token for each later step", "left.append(max(0, min(left[-1] - 1, wanted)))"),
    edit("plan_at_least_one", "`masks_left` leaves at least one token at each step, also at the last", "left.append(max(1, min(left[-1] - 1, wanted)))"),
    edit("plan_one_until_last", "`masks_left` leaves only one token for all later steps together; each of them needs one", "left.append(max(min(1, steps - i), min(left[-1] - 1, wanted)))"),
    edit("plan_one_more_left", "`masks_left` leaves one token too many for the later steps", "left.append(max(steps - i + 1, min(left[-1] - 1, wanted)))"),
    edit("plan_one_less_left", "`masks_left` leaves one token too few for the later steps", "left.append(max(steps - i - 1, 0, min(left[-1] - 1, wanted)))"),
    edit("plan_not_strict", "`masks_left` lets a step leave as many masks as the one before; each reveals at least one", "left.append(max(steps - i, min(left[-1], wanted)))"),
    edit("plan_two_each", "`masks_left` reveals at least two in each step", "left.append(max(steps - i, min(left[-1] - 2, wanted)))"),
    edit("plan_swapped", "`masks_left` exchanges the smaller and the larger of the two in (8.2)", "left.append(min(max(steps - i, left[-1] - 1), wanted))"),
    edit("plan_compares_tokens", "`masks_left` compares with T - 1 in every step; each step must leave less than the one before it", "left.append(max(steps - i, min(tokens - 1, wanted)))"),
    edit("plan_minus_i", "`masks_left` compares with T - i alone, not with the number that the step before left", "left.append(max(steps - i, min(tokens - 1, wanted, left[-1])))"),
)

mistakes.at(
    "return left[1:]",
    edit("plan_with_first", "`masks_left` lists T itself, too: S + 1 numbers", "return left"),
    edit("plan_without_last", "`masks_left` lists T and lacks the 0 at the end", "return left[:-1]"),
    edit("plan_reversed", "`masks_left` returns the list from its end", "return left[:0:-1]"),
    edit("plan_differences", "`masks_left` returns how many each step reveals; how many are left is asked for", "return [a - b for a, b in zip(left, left[1:])]"),
    edit("plan_counts_revealed", "`masks_left` returns how many are revealed in all; how many are left is asked for", "return [tokens - n for n in left[1:]]"),
    edit("plan_shares", "`masks_left` returns shares of T; whole numbers of masks are asked for", "return [n / tokens for n in left[1:]]"),
)

# --- unmask -------------------------------------------------------------------------------------------------------

mistakes.at(
    "for i, n in enumerate(left):",
    edit("fill_reversed", "`unmask` goes through its list from the end", "for i, n in enumerate(left[::-1]):"),
    edit("fill_one_step", "`unmask` takes the last step alone, all at once", "for i, n in enumerate(left[-1:]):"),
    edit("fill_first_step", "`unmask` takes the first step alone", "for i, n in enumerate(left[:1]):"),
    edit("fill_last_missing", "`unmask` leaves out the last of several steps, so masks are left", "for i, n in enumerate(left[:-1] or left):"),
    edit("fill_reveals_n", "`unmask` reveals as many as the list says; they are to be left", "for i, n in enumerate(left):\n        n = max(int((ids[0] == mask).sum()) - n, 0)"),
    edit("fill_noise_once", "`unmask` uses the first step's noise in all steps, so the draws are not independent", "for i, n in enumerate(left):\n        draws = draws[:1].expand_as(draws)"),
    edit("fill_order_once", "`unmask` uses the first step's noise of order in all steps", "for i, n in enumerate(left):\n        order = order[:1].expand_as(order)"),
    edit("fill_noise_backwards", "`unmask` takes the noise from the last step", "for i, n in enumerate(left):\n        draws, order = (draws.flip(0), order.flip(0)) if i == 0 else (draws, order)"),
)

mistakes.at(
    "logits = model(ids)",
    edit("fill_asked_once", "`unmask` asks the model once and for all; what was revealed must be seen in the next step", "logits = model(ids) if i == 0 else logits"),
    edit("fill_sees_masks", "`unmask` shows the model masks alone", "logits = model(torch.full_like(ids, mask))"),
    edit("fill_asked_twice", "`unmask` asks the model twice in each step, for the tokens and for how sure they are; once is enough, and the model is what costs", "model(ids); logits = model(ids)"),
    edit("fill_halved", "`unmask` halves the logits, which is a temperature of 2", "logits = model(ids) / 2"),
    edit("fill_shifted", "`unmask` takes the logits of the place before, as a row-by-row model would need", "logits = model(ids).roll(1, 1)"),
    edit("fill_clamped", "`unmask` cuts the logits off at ±50; they may be hundreds", "logits = model(ids).clamp(-50, 50)"),
)

mistakes.at(
    "drawn = (logits + draws[i]).argmax(-1)",
    edit("fill_greedy", "`unmask` takes the likeliest tokens; they are to be drawn with the noise", "drawn = logits.argmax(-1)"),
    edit("fill_minus_noise", "`unmask` subtracts the Gumbel noise; its law is not symmetric", "drawn = (logits - draws[i]).argmax(-1)"),
    edit("fill_smallest", "`unmask` takes the smallest sum; unlikely tokens win", "drawn = (logits + draws[i]).argmin(-1)"),
    edit("fill_probabilities", "`unmask` adds the noise to probabilities; it belongs to the logits", "drawn = (logits.softmax(-1) + draws[i]).argmax(-1)"),
    edit("fill_noise_twice", "`unmask` draws with twice the noise", "drawn = (logits + 2 * draws[i]).argmax(-1)"),
    edit("fill_noise_temperature", "`unmask` multiplies the noise of the draws by τ; τ belongs to the noise of the order", "drawn = (logits + temperature * draws[i]).argmax(-1)"),
    edit("fill_logits_temperature", "`unmask` divides the logits by τ where τ is not 0; τ belongs to the noise of the order", "drawn = (logits / (temperature or 1.0) + draws[i]).argmax(-1)"),
    edit("fill_noise_faded", "`unmask` fades the noise of the draws; it keeps its size in all steps", "drawn = (logits + (1 - (i + 1) / len(left)) * draws[i]).argmax(-1)"),
    edit("fill_noise_first_row", "`unmask` uses the first row's noise for all rows", "drawn = (logits + draws[i, :1]).argmax(-1)"),
    edit("fill_noise_first_place", "`unmask` uses the first place's noise at all places", "drawn = (logits + draws[i, :, :1]).argmax(-1)"),
    edit("fill_own_noise", "`unmask` draws with randomness of its own; the noise is an argument", "drawn = torch.distributions.Categorical(logits=logits).sample()"),
    edit("fill_noise_alone", "`unmask` draws by the noise alone", "drawn = draws[i].argmax(-1)"),
    edit("fill_eps", "`unmask` draws from probabilities with a small number added, so that unlikely tokens become too likely", "drawn = ((logits.softmax(-1) + 1e-6).log() + draws[i]).argmax(-1)"),
)

mistakes.at(
    "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * (1 - (i + 1) / len(left)) * order[i]",
    edit("sure_logit", "`unmask` compares logits of different places; only log-probabilities can be compared",
         "sure = logits.gather(-1, drawn[..., None])[..., 0] + temperature * (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_noisy", "`unmask` measures how sure it is with the noise of the draws inside; (8.3) has the model's log p",
         "sure = (logits + draws[i]).log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_noisy_logit", "`unmask` measures how sure it is by the sum of logit and noise that won the draw; (8.3) has the model's log p",
         "sure = (logits.log_softmax(-1) + draws[i]).amax(-1) + temperature * (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_likeliest", "`unmask` takes the probability of the likeliest token, not of the one that was drawn",
         "sure = logits.log_softmax(-1).amax(-1) + temperature * (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_entropy", "`unmask` takes the entropy for how sure the model is; (8.3) has the log-probability of the drawn token",
         "sure = -torch.special.entr(logits.softmax(-1)).sum(-1) + temperature * (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_probability", "`unmask` adds the noise to the probability; (8.3) adds it to its logarithm",
         "sure = logits.softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_negative", "`unmask` keeps the tokens of which the model is least sure",
         "sure = -logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_minus_noise", "`unmask` subtracts the noise of the order; (8.3) adds it",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] - temperature * (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_no_fading", "`unmask` keeps τ as it is; in (8.3) it fades with the steps",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * order[i]"),
    edit("sure_fades_late", "`unmask` lets τ fade one step late: in step i its factor is 1 - i/S, and the first step is i = 1",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * (1 - i / len(left)) * order[i]"),
    edit("sure_grows", "`unmask` lets τ grow with the steps; it fades",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * ((i + 1) / len(left)) * order[i]"),
    edit("sure_fades_by_left", "`unmask` lets τ fade with the share of masks that is left; in (8.3) it fades with the steps",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * (n / ids.shape[1]) * order[i]"),
    edit("sure_fades_cosine", "`unmask` lets τ fade by a cosine; in (8.3) it falls linearly",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * math.cos(math.pi / 2 * (i + 1) / len(left)) * order[i]"),
    edit("sure_no_noise", "`unmask` ignores the temperature and the noise of the order",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0]"),
    edit("sure_no_temperature", "`unmask` adds the noise of the order without τ",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_divided", "`unmask` divides log p by τ and adds the whole noise, whatever the step: there τ does not fade",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] / max(temperature, 1e-9) + order[i]"),
    edit("sure_order_alone", "`unmask` takes places by the noise alone",
         "sure = order[i]"),
    edit("sure_times", "`unmask` multiplies log p by the noise",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] * (1 + temperature * (1 - (i + 1) / len(left)) * order[i])"),
    edit("sure_of_ids", "`unmask` takes the probability of the token that stands there before the step, which is a mask",
         "sure = logits.log_softmax(-1).gather(-1, ids.clamp(max=logits.shape[-1] - 1)[..., None])[..., 0] + temperature * (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_first_row", "`unmask` uses the first row's noise of the order for all rows",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * (1 - (i + 1) / len(left)) * order[i, :1]"),
    edit("sure_over_places", "`unmask` normalises over places; probabilities sum to 1 over the kinds",
         "sure = logits.log_softmax(1).gather(-1, drawn[..., None])[..., 0] + temperature * (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_clamped", "`unmask` adds a small number to the probability, so that all unlikely tokens look alike",
         "sure = (logits.softmax(-1).gather(-1, drawn[..., None])[..., 0] + 1e-2).log() + temperature * (1 - (i + 1) / len(left)) * order[i]"),
    edit("sure_temperature_squared", "`unmask` squares τ",
         "sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature**2 * (1 - (i + 1) / len(left)) * order[i]"),
)

mistakes.at(
    "rank = sure.masked_fill(ids != mask, math.inf).argsort(1).argsort(1)",
    edit("rank_known_compete", "in `unmask` known tokens compete with the new ones, so that fewer masks than asked for are left",
         "rank = sure.argsort(1).argsort(1)"),
    edit("rank_known_last", "`unmask` counts known tokens among the least sure ones: more is revealed than asked for",
         "rank = sure.masked_fill(ids != mask, -math.inf).argsort(1).argsort(1)"),
    edit("rank_one_argsort", "`unmask` takes the order for the ranks: one `argsort` says which place comes k-th, not at which rank a place is",
         "rank = sure.masked_fill(ids != mask, math.inf).argsort(1)"),
    edit("rank_descending", "`unmask` leaves the surest tokens masked", "rank = torch.where(ids == mask, -sure, math.inf).argsort(1).argsort(1)"),
    edit("rank_batch", "the ranks of `unmask` run along the batch; each row has its own", "rank = sure.masked_fill(ids != mask, math.inf).argsort(0).argsort(0)"),
    edit("rank_all", "the ranks of `unmask` run over the whole batch; each row has its own", "rank = sure.masked_fill(ids != mask, math.inf).flatten().argsort().argsort().view_as(sure)"),
    edit("rank_page", "`unmask` reveals places from the left; the surest ones are meant", "rank = torch.where(ids == mask, -torch.arange(ids.shape[1], device=ids.device), 10**6).argsort(1).argsort(1)"),
    edit("rank_zero", "`unmask` gives known tokens c = 0, the log-probability of a certain token: with noise, new ones can beat that",
         "rank = sure.masked_fill(ids != mask, 0.0).argsort(1).argsort(1)"),
    edit("rank_threshold", "`unmask` keeps all tokens at least as sure as a threshold: with equally sure ones, too few masks are left",
         "c = sure.masked_fill(ids != mask, math.inf); limit = c.sort(1).values[:, n : n + 1]; rank = torch.where(c >= limit, ids.shape[1], -1)"),
    edit("rank_first_row", "`unmask` reveals the same places in all rows", "rank = sure.masked_fill(ids != mask, math.inf)[:1].argsort(1).argsort(1).expand_as(ids)"),
)

mistakes.at(
    "ids = torch.where((ids == mask) & (rank >= n), drawn, ids)",
    edit("fill_known_redrawn", "`unmask` draws known tokens anew; what is revealed stays", "ids = torch.where(rank >= n, drawn, ids)"),
    edit("fill_remasked", "`unmask` draws known tokens anew, and masks the least sure", "ids = torch.where(rank >= n, drawn, mask)"),
    edit("fill_one_less", "`unmask` leaves one mask too few", "ids = torch.where((ids == mask) & (rank >= n - 1), drawn, ids)"),
    edit("fill_one_more", "`unmask` leaves one mask too many", "ids = torch.where((ids == mask) & (rank > n), drawn, ids)"),
    edit("fill_below", "`unmask` reveals the n least sure tokens", "ids = torch.where((ids == mask) & (rank < n), drawn, ids)"),
    edit("fill_all", "`unmask` reveals all tokens in the first step", "ids = torch.where(ids == mask, drawn, ids)"),
    edit("fill_n_of_masked", "`unmask` reveals one token in each step, whatever the list says", "ids = torch.where((ids == mask) & (rank >= (ids == mask).sum(1, keepdim=True) - 1), drawn, ids)"),
)

mistakes.at(
    """
        ids = torch.where((ids == mask) & (rank >= n), drawn, ids)
    return ids
    """,
    edit("fill_in_place", "`unmask` changes the tokens that it is given", "\n        ids[(ids == mask) & (rank >= n)] = drawn[(ids == mask) & (rank >= n)]\n    return ids\n"),
    edit("fill_returns_drawn", "`unmask` returns the last draws, also where tokens were known", "\n        ids = torch.where((ids == mask) & (rank >= n), drawn, ids)\n    return drawn\n"),
    edit("fill_returns_first", "`unmask` returns after its first step", "\n        ids = torch.where((ids == mask) & (rank >= n), drawn, ids)\n        return ids\n"),
    edit("fill_forces_end", "`unmask` fills in the masks that are left after its last step with the last draws; the list says how many stay", "\n        ids = torch.where((ids == mask) & (rank >= n), drawn, ids)\n    return torch.where(ids == mask, drawn, ids)\n"),
    edit("fill_floats", "`unmask` returns floats; tokens are whole numbers", "\n        ids = torch.where((ids == mask) & (rank >= n), drawn, ids)\n    return ids.float()\n"),
)


@mistakes.rewrite("`unmask` reveals each place in the first step at which its token is drawn as the likeliest; how many stay is not looked at")
def fill_until_likeliest(ref):
    def unmask(model, ids, left, temperature, draws, order, mask):
        for i in range(len(left)):
            logits = model(ids)
            drawn = (logits + draws[i]).argmax(-1)
            ids = torch.where((ids == mask) & (drawn == logits.argmax(-1)), drawn, ids)
        return ids

    return {"unmask": unmask}


@mistakes.rewrite("`unmask` reveals places in an order that it draws once, before the first step; (8.3) decides anew in each")
def fill_fixed_order(ref):
    def unmask(model, ids, left, temperature, draws, order, mask):
        rank = order[0].masked_fill(ids != mask, float("inf")).argsort(1).argsort(1)
        for i, n in enumerate(left):
            ids = torch.where((ids == mask) & (rank >= n), (model(ids) + draws[i]).argmax(-1), ids)
        return ids

    return {"unmask": unmask}


@mistakes.rewrite("the draws of `unmask` are made in the first step, and kept: a token that is forgotten is to be drawn anew")
def fill_drawn_once(ref):
    def unmask(model, ids, left, temperature, draws, order, mask):
        first = (model(ids) + draws[0]).argmax(-1)
        for i, n in enumerate(left):
            nats = F.cross_entropy(model(ids).transpose(1, 2), first, reduction="none")
            sure = temperature * (1 - (i + 1) / len(left)) * order[i] - nats
            rank = sure.masked_fill(ids != mask, float("inf")).argsort(1).argsort(1)
            ids = torch.where((ids == mask) & (rank >= n), first, ids)
        return ids

    return {"unmask": unmask}
