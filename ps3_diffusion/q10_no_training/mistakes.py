"""Wrong answers to question 10, as students write them."""

import torch
from torch.nn import functional as F

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- optimal_denoiser ---------------------------------------------------------------------------------------------

EXPONENTS = "exponents = (alpha_bar_t**0.5 * x @ y.T - alpha_bar_t / 2 * y.square().sum(1)) / (1 - alpha_bar_t)"
SQUARE = "square = (x[:, None] - alpha_bar_t**0.5 * y).square().sum(-1); "

mistakes.at(
    EXPONENTS,
    edit("no_half", "the weights of `optimal_denoiser` lack the ½ of the Gaussian's exponent", SQUARE + "exponents = -square / (1 - alpha_bar_t)"),
    edit("no_variance", "the weights of `optimal_denoiser` are a softmax over half the squared distances, without the division by the noise's variance 1 - ᾱ", SQUARE + "exponents = -square / 2"),
    edit("plain_softmax", "the weights of `optimal_denoiser` are a softmax over the squared distances alone, without 1/(2(1 - ᾱ))", SQUARE + "exponents = -square"),
    edit("std_for_variance", "the weights of `optimal_denoiser` divide by √(1 - ᾱ); the noise's variance is 1 - ᾱ", SQUARE + "exponents = -square / (2 * (1 - alpha_bar_t) ** 0.5)"),
    edit("variance_squared", "the weights of `optimal_denoiser` divide by (1 - ᾱ)²; the noise's variance is 1 - ᾱ", SQUARE + "exponents = -square / (2 * (1 - alpha_bar_t) ** 2)"),
    edit("variance_is_alpha_bar", "the weights of `optimal_denoiser` divide by 2ᾱ; the noise's variance is 1 - ᾱ", SQUARE + "exponents = -square / (2 * alpha_bar_t.clamp(min=1e-6))"),
    edit("alpha_forgotten", "the weights of `optimal_denoiser` compare x_t with the pictures themselves; under the noise they have shrunk to √ᾱ times",
         "square = (x[:, None] - y).square().sum(-1); exponents = -square / (2 * (1 - alpha_bar_t))"),
    edit("alpha_not_rooted", "the weights of `optimal_denoiser` shrink the pictures by ᾱ; it is its root", "square = (x[:, None] - alpha_bar_t * y).square().sum(-1); exponents = -square / (2 * (1 - alpha_bar_t))"),
    edit("x_grown", "the weights of `optimal_denoiser` compare x_t/√ᾱ with the pictures and divide by 1 - ᾱ; then the noise has grown as well",
         "square = (x[:, None] / alpha_bar_t.clamp(min=1e-6) ** 0.5 - y).square().sum(-1); exponents = -square / (2 * (1 - alpha_bar_t))"),
    edit("distance_not_squared", "the weights of `optimal_denoiser` fall with the distance; the Gaussian has its square",
         "exponents = -(x[:, None] - alpha_bar_t**0.5 * y).norm(dim=-1) / (2 * (1 - alpha_bar_t))"),
    edit("distance_mean", "the weights of `optimal_denoiser` take the mean square over pixels; the exponent has the sum", "square = (x[:, None] - alpha_bar_t**0.5 * y).square().mean(-1); exponents = -square / (2 * (1 - alpha_bar_t))"),
    edit("absolute", "the weights of `optimal_denoiser` add up absolute differences; the exponent has squares", "square = (x[:, None] - alpha_bar_t**0.5 * y).abs().sum(-1); exponents = -square / (2 * (1 - alpha_bar_t))"),
    edit("sign", "the weights of `optimal_denoiser` grow with the distance", SQUARE + "exponents = square / (2 * (1 - alpha_bar_t))"),
    edit("no_length", "the exponents of `optimal_denoiser` lack the pictures' own square length, which differs from picture to picture", "exponents = alpha_bar_t**0.5 * x @ y.T / (1 - alpha_bar_t)"),
    edit("length_without_alpha", "the square length of the pictures lacks its factor ᾱ in the exponents of `optimal_denoiser`", "exponents = (alpha_bar_t**0.5 * x @ y.T - y.square().sum(1) / 2) / (1 - alpha_bar_t)"),
    edit("length_no_half", "the square length of the pictures lacks its ½ in the exponents of `optimal_denoiser`", "exponents = (alpha_bar_t**0.5 * x @ y.T - alpha_bar_t * y.square().sum(1)) / (1 - alpha_bar_t)"),
    edit("product_without_root", "`optimal_denoiser` shrinks x_t as well as the pictures: the product of both in the exponents gets the factor ᾱ, where it is √ᾱ", "exponents = (alpha_bar_t * x @ y.T - alpha_bar_t / 2 * y.square().sum(1)) / (1 - alpha_bar_t)"),
    edit("product_no_factor", "the inner product in the exponents of `optimal_denoiser` lacks the factor √ᾱ", "exponents = (x @ y.T - alpha_bar_t / 2 * y.square().sum(1)) / (1 - alpha_bar_t)"),
    edit("variance_floor", "`optimal_denoiser` keeps the noise's variance above 0.01, so with less noise several pictures count", SQUARE + "exponents = -square / (2 * (1 - alpha_bar_t).clamp(min=0.01))"),
    edit("variance_guard", "`optimal_denoiser` adds a small number to the noise's variance, which changes the weights where there is hardly any noise", SQUARE + "exponents = -square / (2 * (1 - alpha_bar_t) + 1e-3)"),
    edit("std_of_root", "`optimal_denoiser` uses 1 - √ᾱ for the noise's variance; it is 1 - ᾱ", SQUARE + "exponents = -square / (2 * (1 - alpha_bar_t**0.5))"),
    edit("levels_exchanged", "the weights of `optimal_denoiser` exchange ᾱ and 1 - ᾱ", "square = (x[:, None] - (1 - alpha_bar_t) ** 0.5 * y).square().sum(-1); exponents = -square / (2 * alpha_bar_t)"),
    edit("divided_by_root", "`optimal_denoiser` divides x_t by √ᾱ, which is 0 where all is noise",
         "square = (x[:, None] / alpha_bar_t**0.5 - y).square().sum(-1); exponents = -square * alpha_bar_t / (2 * (1 - alpha_bar_t))"),
    *(edit(f"variance_guard_{key}", "`optimal_denoiser` adds a small number to the noise's variance, which changes the weights where there is hardly any noise",
           SQUARE + f"exponents = -square / {width}")
      for key, width in (("4", "(2 * (1 - alpha_bar_t) + 1e-4)"), ("5", "(2 * (1 - alpha_bar_t) + 1e-5)"), ("6", "(2 * (1 - alpha_bar_t) + 1e-6)"), ("inner_3", "(2 * (1 - alpha_bar_t + 1e-3))"),
                         ("inner_4", "(2 * (1 - alpha_bar_t + 1e-4))"), ("inner_5", "(2 * (1 - alpha_bar_t + 1e-5))"), ("inner_6", "(2 * (1 - alpha_bar_t + 1e-6))"))),
    *(edit(f"variance_floor_{key}", "`optimal_denoiser` keeps the noise's variance above a number, so with less noise several pictures count", SQUARE + f"exponents = -square / {width}")
      for key, width in (("05", "(2 * (1 - alpha_bar_t)).clamp(min=0.05)"), ("1", "(2 * (1 - alpha_bar_t)).clamp(min=0.1)"), ("2", "(2 * (1 - alpha_bar_t)).clamp(min=0.01)"))),
    edit("variance_multiplied", "the weights of `optimal_denoiser` multiply by the noise's variance where they are to be divided by it", SQUARE + "exponents = -square * (1 - alpha_bar_t) / 2"),
    edit("softmax_twice", "`optimal_denoiser` takes a softmax of densities; it belongs to their logarithms", SQUARE + "exponents = torch.exp(-square / (2 * (1 - alpha_bar_t)))"),
    edit("float32", "`optimal_denoiser` computes its weights in float32 and so loses the digits of float64", SQUARE + "exponents = (-square / (2 * (1 - alpha_bar_t))).float().to(x)"),
    edit("first_channel", "the weights of `optimal_denoiser` look at the first entry of the first axis only; all pixels of all channels count",
         "x1, y1 = x_t[:, 0].flatten(1) if x_t.ndim > 2 else x[:, :1], images[:, 0].flatten(1) if x_t.ndim > 2 else y[:, :1]; exponents = -(x1[:, None] - alpha_bar_t**0.5 * y1).square().sum(-1) / (2 * (1 - alpha_bar_t))"),
    edit("cosine_similarity", "the weights of `optimal_denoiser` compare directions only (cosine similarity)", "exponents = F.cosine_similarity(x[:, None], y[None], dim=-1) / (1 - alpha_bar_t)"),
)

mistakes.at(
    "weights = exponents.softmax(1)",
    edit("over_x", "the weights of `optimal_denoiser` sum to 1 over the x_t; they are to sum to 1 over the pictures", "weights = exponents.softmax(0)"),
    edit("over_x_squares", "the weights of `optimal_denoiser` sum to 1 over the x_t; they are to sum to 1 over the pictures", SQUARE + "weights = (-square / (2 * (1 - alpha_bar_t))).softmax(0)"),
    edit("over_all_squares", "the weights of `optimal_denoiser` sum to 1 over all x_t and pictures together", SQUARE + "weights = (-square / (2 * (1 - alpha_bar_t))).flatten().softmax(0).reshape(square.shape)"),
    edit("over_all", "the weights of `optimal_denoiser` sum to 1 over all x_t and pictures together", "weights = exponents.flatten().softmax(0).reshape(exponents.shape)"),
    edit("naive", "`optimal_denoiser` takes exponentials and divides by their sum: where all densities underflow or overflow nothing sensible is left. Subtract the largest exponent, as softmax does",
         "square = (x[:, None] - alpha_bar_t**0.5 * y).square().sum(-1); weights = torch.exp(-square / (2 * (1 - alpha_bar_t))); weights = weights / weights.sum(1, keepdim=True)"),
    edit("naive_guarded", "`optimal_denoiser` takes exponentials and divides by their sum, with a small number to keep it from 0: where all densities underflow no weight is left",
         "square = (x[:, None] - alpha_bar_t**0.5 * y).square().sum(-1); weights = torch.exp(-square / (2 * (1 - alpha_bar_t))); weights = weights / (weights.sum(1, keepdim=True) + 1e-8)"),
    *(edit(f"naive_guarded_{power}", "`optimal_denoiser` takes exponentials and divides by their sum, with a small number to keep it from 0: where all densities underflow no weight is left",
           SQUARE + f"weights = torch.exp(-square / (2 * (1 - alpha_bar_t))); weights = weights / (weights.sum(1, keepdim=True) + 1e-{power})") for power in (5, 6)),
    edit("global_maximum", "`optimal_denoiser` subtracts one largest exponent for all x_t; each needs its own, or all its densities may be 0",
         SQUARE + "exponents = -square / (2 * (1 - alpha_bar_t)); weights = torch.exp(exponents - exponents.max()); weights = weights / weights.sum(1, keepdim=True)"),
    *(edit(f"dropped_{power}", "`optimal_denoiser` drops small weights; all pictures count", f"weights = exponents.softmax(1); weights = torch.where(weights < 1e-{power}, 0, weights); weights = weights / weights.sum(1, keepdim=True)") for power in (1, 2, 3, 4)),
    *(edit(f"top_{k}", "`optimal_denoiser` keeps a few of the likeliest pictures; all count", f"weights = torch.where(exponents >= exponents.topk(min({k}, len(y)), 1).values[:, -1:], exponents, -torch.inf).softmax(1)") for k in (3, 5)),
    edit("half_precision", "`optimal_denoiser` rounds its weights to float16", "weights = exponents.softmax(1).half().to(y)"),
    edit("not_normalised", "the weights of `optimal_denoiser` do not sum to 1: they are densities", SQUARE + "weights = torch.exp(-square / (2 * (1 - alpha_bar_t)))"),
    edit("nearest_only", "`optimal_denoiser` takes the likeliest picture alone; (10.1) is a mean of all", "weights = F.one_hot(exponents.argmax(1), len(y)).to(y)"),
    edit("equal", "`optimal_denoiser` weighs all pictures alike", "weights = torch.full_like(exponents, 1 / len(y))"),
    edit("sigmoid", "the weights of `optimal_denoiser` do not sum to 1: a sigmoid looks at each picture alone", "weights = exponents.sigmoid()"),
    edit("log_softmax", "`optimal_denoiser` uses the logarithms of the weights as weights", "weights = exponents.log_softmax(1)"),
    edit("drawn", "`optimal_denoiser` draws one picture by the weights; (10.1) is their mean", "weights = F.one_hot(exponents.softmax(1).multinomial(1)[:, 0], len(y)).to(y)"),
    edit("divided_by_m", "the weights of `optimal_denoiser` are divided by M although they sum to 1 already", "weights = exponents.softmax(1) / len(y)"),
    edit("top_two", "`optimal_denoiser` keeps the two likeliest pictures only; all count", "weights = torch.where(exponents >= exponents.topk(min(2, len(y)), 1).values[:, -1:], exponents, -torch.inf).softmax(1)"),
)

mistakes.at(
    "return (weights @ y).reshape(x_t.shape), weights",
    edit("shrunk_result", "`optimal_denoiser` returns √ᾱ times the mean picture, as it is under the noise; x̂_0 is the picture itself", "return (alpha_bar_t**0.5 * weights @ y).reshape(x_t.shape), weights"),
    edit("noise_result", "`optimal_denoiser` returns the noise; x̂_0 is asked for", "return ((x - alpha_bar_t**0.5 * weights @ y) / (1 - alpha_bar_t) ** 0.5).reshape(x_t.shape), weights"),
    edit("grown_result", "`optimal_denoiser` divides the mean picture by √ᾱ; the pictures are clean already", "return (weights @ y / alpha_bar_t.clamp(min=1e-3) ** 0.5).reshape(x_t.shape), weights"),
    edit("from_zero_to_one", "`optimal_denoiser` turns its result into pictures from 0 to 1; they are to be taken as they are", "return ((weights @ y).reshape(x_t.shape) + 1) / 2, weights"),
    edit("by_score", "`optimal_denoiser` finds the mean picture from x_t by dividing by √ᾱ, which is 0 where all is noise", "noise = x - alpha_bar_t**0.5 * weights @ y; return ((x - noise) / alpha_bar_t**0.5).reshape(x_t.shape), weights"),
    edit("noised_again", "`optimal_denoiser` mixes its mean picture with x_t as with noise; x̂_0 is the mean picture", "return (alpha_bar_t**0.5 * weights @ y + (1 - alpha_bar_t) ** 0.5 * x).reshape(x_t.shape), weights"),
    edit("likeliest_returned", "`optimal_denoiser` returns the likeliest picture; the mean by the weights is wanted", "return images[weights.argmax(1)], weights"),
    edit("clamped", "`optimal_denoiser` clamps its result to [-1, 1]; pictures may have other values", "return (weights @ y).clamp(-1, 1).reshape(x_t.shape), weights"),
    edit("no_weights", "`optimal_denoiser` returns the pictures alone; the weights are to follow", "return (weights @ y).reshape(x_t.shape)"),
    edit("exchanged", "`optimal_denoiser` returns the weights before the pictures", "return weights, (weights @ y).reshape(x_t.shape)"),
    edit("flat", "`optimal_denoiser` returns rows of pixels; the result has the shape of x_t", "return weights @ y, weights"),
    edit("exponents_returned", "`optimal_denoiser` returns the exponents; the weights are their softmax", "return (weights @ y).reshape(x_t.shape), exponents"),
    edit("logs_returned", "`optimal_denoiser` returns the logarithms of the weights", "return (weights @ y).reshape(x_t.shape), exponents.log_softmax(1)"),
    edit("weights_turned", "`optimal_denoiser` returns the weights as (M, N); each row belongs to one x_t", "return (weights @ y).reshape(x_t.shape), weights.T"),
    edit("mixed_with_x", "`optimal_denoiser` mixes x_t into its result", "return (alpha_bar_t * x + (1 - alpha_bar_t) * (weights @ y)).reshape(x_t.shape), weights"),
    edit("first_x_only", "`optimal_denoiser` gives the first x_t's picture to all", "return (weights[:1] @ y).expand(len(x), -1).reshape(x_t.shape), weights"),
    edit("pixel_by_pixel", "`optimal_denoiser` weighs the pictures for each pixel apart; a picture has one weight, from all its pixels",
         "every = (-(x[:, None] - alpha_bar_t**0.5 * y).square() / (2 * (1 - alpha_bar_t))).softmax(1); return (every * y).sum(1).reshape(x_t.shape), every.mean(-1)"),
)

# --- decision_level -----------------------------------------------------------------------------------------------

mistakes.at(
    "needed = 2 * math.log(odds)",
    edit("needed_no_two", "`decision_level` lacks the 2 that comes from d²/2", "needed = math.log(odds)"),
    edit("needed_four", "`decision_level` has twice the needed log odds", "needed = 4 * math.log(odds)"),
    edit("needed_no_log", "`decision_level` uses the odds; the weights' ratio is compared in logarithms", "needed = 2 * odds"),
    edit("needed_bits", "`decision_level` takes the logarithm to base 2; the exponent's is natural", "needed = 2 * math.log2(odds)"),
    edit("needed_ten", "`decision_level` takes the logarithm to base 10; the exponent's is natural", "needed = 2 * math.log10(odds)"),
    edit("needed_600", "`decision_level` uses odds of 600 always, and ignores `odds`", "needed = 2 * math.log(600)"),
    edit("needed_minus", "`decision_level` uses the logarithm of 1/odds", "needed = -2 * math.log(odds)"),
    edit("needed_log_squared", "`decision_level` squares the logarithm of the odds where it is to be doubled", "needed = math.log(odds) ** 2"),
    edit("needed_half", "`decision_level` divides by 2 where d²/2 asks for a factor of 2", "needed = math.log(odds) / 2"),
    edit("needed_minus_one", "`decision_level` uses log(odds - 1)", "needed = 2 * math.log(odds - 1) if odds > 1.5 else 2 * math.log(odds)"),
    edit("needed_log1p", "`decision_level` uses log(1 + odds)", "needed = 2 * math.log1p(odds)"),
    edit("needed_sqrt", "`decision_level` takes the root of the distance, or of the needed log odds: the log odds grow with the squared distance itself", "needed = 2 * math.log(odds); square_distance = square_distance.sqrt()"),
    edit("needed_squared", "`decision_level` squares its argument again; it is the squared distance already", "needed = 2 * math.log(odds); square_distance = square_distance**2"),
    edit("odds_probability", "`decision_level` takes the odds for a probability's: it uses log(odds/(1 + odds))", "needed = -2 * math.log(odds / (1 + odds))"),
    edit("whole_odds", "`decision_level` rounds the odds to a whole number", "needed = 2 * math.log(max(int(odds), 1) + 1e-9)"),
    edit("root_of_needed", "`decision_level` takes the root of the needed log odds, as if their standard deviation had to reach it", "needed = math.sqrt(2 * math.log(odds))"),
)

mistakes.at(
    "return needed / (square_distance + needed)",
    edit("snr_returned", "`decision_level` returns the signal-to-noise ratio ᾱ/(1 - ᾱ); it is to be solved for ᾱ", "return needed / square_distance"),
    edit("one_minus", "`decision_level` returns 1 - ᾱ, the noise's variance (1/(1 + ρ) where ρ/(1 + ρ) is right)", "return square_distance / (square_distance + needed)"),
    edit("rooted", "`decision_level` returns the root of ᾱ", "return (needed / (square_distance + needed)).sqrt()"),
    edit("squared", "`decision_level` returns the square of ᾱ", "return (needed / (square_distance + needed)) ** 2"),
    edit("solved_wrong", "`decision_level` solves ρ = ᾱ/(1 - ᾱ) for ᾱ with the wrong sign: it is ρ/(1 + ρ)", "return needed / (square_distance - needed)"),
    edit("only_noise", "`decision_level` takes the ratio as ᾱ itself, and keeps it below 1", "return (needed / square_distance).clamp(max=1)"),
    edit("posterior", "`decision_level` returns a weight, 1/(1 + exp(d²/2)/r); the level at which the weights have these odds is wanted", "return torch.sigmoid(needed / 2 - square_distance / 2)"),
    edit("ratio_of_roots", "`decision_level` takes the root of the ratio ᾱ/(1 - ᾱ) before it solves for ᾱ", "return (needed / square_distance).sqrt() / (1 + (needed / square_distance).sqrt())"),
    *(edit(f"level_clamped_{key}", "`decision_level` keeps the level below a number under 1", f"return (needed / (square_distance + needed)).clamp(max={most})") for key, most in (("9", 0.9), ("99", 0.99), ("999", 0.999))),
    edit("turned_ratio", "`decision_level` returns the noise-to-signal ratio (1 - ᾱ)/ᾱ; it is to be solved for ᾱ", "return square_distance / needed"),
    edit("ratio_of_squares", "`decision_level` takes the needed ratio for √ᾱ/√(1 - ᾱ); it is ᾱ/(1 - ᾱ)", "return needed**2 / (square_distance**2 + needed**2)"),
    edit("exponential_level", "`decision_level` solves ρ = -log(1 - ᾱ) for ᾱ; the ratio is ᾱ/(1 - ᾱ)", "return 1 - torch.exp(-needed / square_distance)"),
    *(edit(f"guarded_level_{power}", "`decision_level` adds a small number to the squared distance", f"return needed / (square_distance + 1e-{power} + needed)") for power in (1, 3)),
    edit("guarded_level", "`decision_level` adds a number to the squared distance", "return needed / (square_distance + needed + 1e-2)"),
    edit("mean_level", "`decision_level` returns one level for the mean of the distances; each has its own", "return needed / (square_distance.mean() + needed)"),
    edit("minus_log", "`decision_level` returns the logarithm of the level", "return (needed / (square_distance + needed)).log()"),
    edit("plain_number", "`decision_level` returns a list of numbers, not a tensor", "return [float(needed / (each + needed)) for each in square_distance.flatten()]"),
)

# --- local_denoiser -----------------------------------------------------------------------------------------------

mistakes.at(
    "reach, denoised = size // 2, torch.empty_like(x_t)",
    edit("reach_is_size", "the windows of `local_denoiser` reach `size` pixels to each side; they are `size` pixels wide", "reach, denoised = size, torch.empty_like(x_t)"),
    edit("reach_small", "the windows of `local_denoiser` are two pixels too narrow", "reach, denoised = max(0, size // 2 - 1), torch.empty_like(x_t)"),
    edit("reach_wide", "the windows of `local_denoiser` are two pixels too wide", "reach, denoised = size // 2 + 1, torch.empty_like(x_t)"),
    edit("reach_double", "the windows of `local_denoiser` are twice as wide as asked", "reach, denoised = 2 * (size // 2), torch.empty_like(x_t)"),
    edit("size_fixed", "`local_denoiser` uses windows of 3 pixels always, and ignores `size`", "reach, denoised = 1, torch.empty_like(x_t)"),
    edit("into_x", "`local_denoiser` writes its result into x_t, so that later windows see denoised pixels", "reach, denoised = size // 2, x_t.data"),
    edit("from_own_result", "`local_denoiser` looks at pixels that it has denoised already", "reach, denoised = size // 2, x_t.clone(); x_t = denoised"),
)

mistakes.at(
    "rows, columns = slice(max(0, i - reach), i + reach + 1), slice(max(0, j - reach), j + reach + 1)",
    edit("last_missing", "the windows of `local_denoiser` lack the last row and column: a slice ends before its end", "rows, columns = slice(max(0, i - reach), max(i + reach, 1)), slice(max(0, j - reach), max(j + reach, 1))"),
    edit("negative", "the windows of `local_denoiser` begin at negative numbers near the border, which count from the end: keep them at 0 or above",
         "rows, columns = slice(i - reach, i + reach + 1), slice(j - reach, j + reach + 1)"),
    edit("one_way", "the windows of `local_denoiser` begin at the pixel and reach right and down only; the pixel belongs in the middle", "rows, columns = slice(i, i + size), slice(j, j + size)"),
    edit("backwards", "the windows of `local_denoiser` end at the pixel and reach left and up only; the pixel belongs in the middle", "rows, columns = slice(max(0, i - size + 1), i + 1), slice(max(0, j - size + 1), j + 1)"),
    edit("exchanged_axes", "the windows of `local_denoiser` exchange rows and columns", "rows, columns = slice(max(0, j - reach), j + reach + 1), slice(max(0, i - reach), i + reach + 1)"),
    edit("stripes", "the windows of `local_denoiser` are whole rows", "rows, columns = slice(max(0, i - reach), i + reach + 1), slice(None)"),
    edit("stripes_down", "the windows of `local_denoiser` are whole columns", "rows, columns = slice(None), slice(max(0, j - reach), j + reach + 1)"),
    edit("tiles", "`local_denoiser` cuts the picture into tiles; each pixel has a window of its own, with the pixel in the middle",
         "rows, columns = slice(i // size * size, i // size * size + size), slice(j // size * size, j // size * size + size)"),
    edit("moved_in", "the windows of `local_denoiser` are moved inwards at the border, so that they keep their size; they are cut off there",
         "h, w = x_t.shape[2:]; top, left = (min(max(0, k - reach), max(0, n - size)) for k, n in ((i, h), (j, w))); rows, columns = slice(top, top + size), slice(left, left + size)"),
    edit("half_missing", "the windows of `local_denoiser` lack their first row and column", "rows, columns = slice(max(0, i - reach + 1) if reach else i, i + reach + 1), slice(max(0, j - reach + 1) if reach else j, j + reach + 1)"),
    edit("without_middle_row", "the windows of `local_denoiser` are a cross of one row: only pixels of the same row count", "rows, columns = slice(i, i + 1), slice(max(0, j - reach), j + reach + 1)"),
    edit("never_last_row", "no window of `local_denoiser` holds the last row or column of the picture", "rows, columns = (slice(max(0, min(k - reach, n - 2)), max(1, min(n - 1, k + reach + 1))) for k, n in zip((i, j), x_t.shape[2:]))"),
)

GAP = "gap = (x_t[:, None, :, rows, columns] - alpha_bar_t**0.5 * images[:, :, rows, columns]).square().sum((2, 3, 4)); "
WINDOWED = "_, weights = optimal_denoiser(x_t[:, :, rows, columns], alpha_bar_t, images[:, :, rows, columns])"

mistakes.at(
    WINDOWED,
    edit("window_averaged", "`local_denoiser` takes the mean square over the window; the exponent has the sum",
         "gap = (x_t[:, None, :, rows, columns] - alpha_bar_t**0.5 * images[:, :, rows, columns]).square().mean((2, 3, 4)); weights = (-gap / (2 * (1 - alpha_bar_t))).softmax(1)"),
    edit("window_grown", "at the border `local_denoiser` makes up for the pixels that are cut off by a factor; they are to take no part",
         "gap = (x_t[:, None, :, rows, columns] - alpha_bar_t**0.5 * images[:, :, rows, columns]).square().mean((2, 3, 4)) * size**2 * x_t.shape[1]; weights = (-gap / (2 * (1 - alpha_bar_t))).softmax(1)"),
    edit("first_weights", "`local_denoiser` uses the first x_t's weights for all", "_, weights = optimal_denoiser(x_t[:1, :, rows, columns], alpha_bar_t, images[:, :, rows, columns])"),
    edit("round_windows", "the windows of `local_denoiser` are round, or diamonds; they are squares",
         "near = torch.arange(x_t.shape[2])[:, None].sub(i) ** 2 + torch.arange(x_t.shape[3]).sub(j) ** 2 <= reach**2; _, weights = optimal_denoiser(x_t[:, :, near], alpha_bar_t, images[:, :, near])"),
    edit("whole_if_large", "`local_denoiser` takes whole pictures where a window is as large as the picture's shorter side; it is still cut off around each pixel",
         "whole = size >= min(x_t.shape[2:]); part = (..., slice(None), slice(None)) if whole else (..., rows, columns); _, weights = optimal_denoiser(x_t[part], alpha_bar_t, images[part])"),
    edit("window_pooled", "`local_denoiser` divides the square over a window by the window's full size; the exponent has the sum", GAP + "weights = (-gap / size**2 / (2 * (1 - alpha_bar_t))).softmax(1)"),
    edit("channel_mean", "`local_denoiser` takes the mean over channels; the exponent has the sum", GAP + "weights = (-gap / x_t.shape[1] / (2 * (1 - alpha_bar_t))).softmax(1)"),
    edit("window_no_half", "the weights of `local_denoiser` lack the ½ of the Gaussian's exponent", GAP + "weights = (-gap / (1 - alpha_bar_t)).softmax(1)"),
    edit("window_no_variance", "the weights of `local_denoiser` lack the division by 2(1 - ᾱ)", GAP + "weights = (-gap).softmax(1)"),
    edit("window_std", "the weights of `local_denoiser` divide by √(1 - ᾱ); the noise's variance is 1 - ᾱ", GAP + "weights = (-gap / (2 * (1 - alpha_bar_t).sqrt())).softmax(1)"),
    edit("window_not_shrunk", "the weights of `local_denoiser` compare x_t with the pictures themselves; under the noise they have shrunk to √ᾱ times",
         "gap = (x_t[:, None, :, rows, columns] - images[:, :, rows, columns]).square().sum((2, 3, 4)); weights = (-gap / (2 * (1 - alpha_bar_t))).softmax(1)"),
    edit("whole_weights", "`local_denoiser` computes its weights from whole pictures, so it is `optimal_denoiser` again", "_, weights = optimal_denoiser(x_t, alpha_bar_t, images)"),
    edit("one_channel", "the windows of `local_denoiser` hold the first channel only", "_, weights = optimal_denoiser(x_t[:, :1, rows, columns], alpha_bar_t, images[:, :1, rows, columns])"),
    edit("centre_window", "`local_denoiser` compares the window of x_t with windows in the middle of the pictures; it is to look at the same place",
         "h, w = (rows.stop - rows.start, columns.stop - columns.start); part = x_t[:, :, rows, columns]; top, left = (images.shape[2] - part.shape[2]) // 2, (images.shape[3] - part.shape[3]) // 2; "
         "_, weights = optimal_denoiser(part, alpha_bar_t, images[:, :, top : top + part.shape[2], left : left + part.shape[3]])"),
    edit("level_rooted", "`local_denoiser` gives the root of ᾱ on; `optimal_denoiser` wants ᾱ", "_, weights = optimal_denoiser(x_t[:, :, rows, columns], alpha_bar_t**0.5, images[:, :, rows, columns])"),
    edit("level_of_noise", "`local_denoiser` gives 1 - ᾱ on; `optimal_denoiser` wants ᾱ", "_, weights = optimal_denoiser(x_t[:, :, rows, columns], (1 - alpha_bar_t).clamp(max=0.999), images[:, :, rows, columns])"),
    edit("zero_padded_window", "at the border `local_denoiser` pads the pictures with copies of their edge; what lies outside is to take no part in the weights",
         "_, weights = optimal_denoiser(F.pad(x_t, [reach] * 4)[:, :, i : i + 2 * reach + 1, j : j + 2 * reach + 1], alpha_bar_t, F.pad(images, [reach] * 4, mode='replicate')[:, :, i : i + 2 * reach + 1, j : j + 2 * reach + 1])"),
    edit("ones_padded_window", "at the border `local_denoiser` pads the pictures with their mirror image; what lies outside is to take no part in the weights",
         "_, weights = optimal_denoiser(F.pad(x_t, [reach] * 4, value=-1.0)[:, :, i : i + 2 * reach + 1, j : j + 2 * reach + 1], alpha_bar_t, F.pad(images, [reach] * 4, mode='reflect' if reach < min(images.shape[2:]) else 'constant')[:, :, i : i + 2 * reach + 1, j : j + 2 * reach + 1])"),
    edit("shrunk_window", "`local_denoiser` shrinks the pictures by √ᾱ twice, if `optimal_denoiser` does it too, so by ᾱ", "_, weights = optimal_denoiser(x_t[:, :, rows, columns], alpha_bar_t, alpha_bar_t**0.5 * images[:, :, rows, columns])"),
    edit("without_pixel", "`local_denoiser` leaves the pixel itself out of its window", "middle = torch.ones_like(x_t[:1, :1]); middle[:, :, i, j] = 0; _, weights = optimal_denoiser((x_t * middle)[:, :, rows, columns], alpha_bar_t, (images * middle)[:, :, rows, columns])"),
)

mistakes.at(
    "denoised[:, :, i, j] = weights @ images[:, :, i, j]",
    edit("window_mean", "`local_denoiser` fills in the mean over the whole denoised window; the pixel in its middle is wanted",
         "denoised[:, :, i, j] = (weights @ images[:, :, rows, columns].flatten(2).mean(2))"),
    edit("corner_pixel", "`local_denoiser` takes the first pixel of the denoised window; the one in its middle is wanted", "denoised[:, :, i, j] = weights @ images[:, :, rows.start or 0, columns.start or 0]"),
    edit("window_overwritten", "`local_denoiser` writes the whole denoised window, so that later windows overwrite earlier pixels; each pixel is to come from its own window",
         "denoised[:, :, rows, columns] = torch.einsum('nm,mchw->nchw', weights, images[:, :, rows, columns])"),
    edit("middle_at_border", "`local_denoiser` takes the pixel in the middle of the cut-off window, which at the border is not the pixel (i, j)",
         "part = images[:, :, rows, columns]; denoised[:, :, i, j] = weights @ part[:, :, part.shape[2] // 2, part.shape[3] // 2]"),
    edit("reach_at_border", "`local_denoiser` takes the pixel (reach, reach) of the cut-off window, which at the upper and left border is not the pixel (i, j)",
         "part = images[:, :, rows, columns]; denoised[:, :, i, j] = weights @ part[:, :, min(reach, part.shape[2] - 1), min(reach, part.shape[3] - 1)]"),
    edit("pixel_turned", "`local_denoiser` exchanges row and column of the pixel it takes", "denoised[:, :, i, j] = weights @ images[:, :, min(j, images.shape[2] - 1), min(i, images.shape[3] - 1)]"),
    edit("best_patch", "`local_denoiser` takes the pixel of the likeliest window alone; all pictures count", "denoised[:, :, i, j] = images[weights.argmax(1)][:, :, i, j]"),
    edit("first_channel_pixel", "`local_denoiser` gives the first channel's pixel to all channels", "denoised[:, :, i, j] = weights @ images[:, :1, i, j].expand(-1, images.shape[1])"),
    edit("shrunk_pixel", "`local_denoiser` returns pixels that are shrunk by √ᾱ; x̂_0 is clean", "denoised[:, :, i, j] = alpha_bar_t**0.5 * weights @ images[:, :, i, j]"),
    edit("windows_averaged", "`local_denoiser` averages all denoised windows that hold a pixel; only the pixel in the middle of a window is wanted",
         "total = denoised.zero_() if i + j == 0 else denoised; total[:, :, rows, columns] += torch.einsum('nm,mchw->nchw', weights, images[:, :, rows, columns]); "
         "count = torch.zeros_like(x_t) if i + j == 0 else count; count[:, :, rows, columns] += 1; denoised = total / count if i + 1 == x_t.shape[2] and j + 1 == x_t.shape[3] else total"),
    edit("all_alike", "`local_denoiser` takes the plain mean of the pictures' pixels", "denoised[:, :, i, j] = images[:, :, i, j].mean(0)"),
)

mistakes.at(
    "for i in range(x_t.shape[2]):\n        for j in range(x_t.shape[3]):",
    edit("border_left", "`local_denoiser` leaves the pixels near the border as they are; their windows are cut off",
         "denoised = x_t.clone()\n    for i in range(reach, x_t.shape[2] - reach):\n        for j in range(reach, x_t.shape[3] - reach):"),
    edit("border_zero", "`local_denoiser` fills in only pixels whose window is whole, and leaves 0 near the border; windows are cut off there",
         "denoised = torch.zeros_like(x_t)\n    for i in range(reach, x_t.shape[2] - reach):\n        for j in range(reach, x_t.shape[3] - reach):"),
    edit("border_mean", "`local_denoiser` fills in only pixels whose window is whole, and the pictures' plain mean near the border; windows are cut off there",
         "denoised = images.mean(0, keepdim=True).expand_as(x_t).clone()\n    for i in range(reach, x_t.shape[2] - reach):\n        for j in range(reach, x_t.shape[3] - reach):"),
    edit("square_zero", "`local_denoiser` takes the height for the width, so pixels of pictures that are not square stay 0 or do not exist",
         "denoised = torch.zeros_like(x_t)\n    for i in range(min(x_t.shape[2:])):\n        for j in range(min(x_t.shape[2:])):"),
    edit("square_only", "`local_denoiser` takes the height for the width, so pixels of pictures that are not square are missing or do not exist",
         "denoised = x_t.clone()\n    for i in range(min(x_t.shape[2:])):\n        for j in range(min(x_t.shape[2:])):"),
)

# --- nearest ------------------------------------------------------------------------------------------------------

mistakes.at(
    'distances = torch.cdist(samples.flatten(1), images.flatten(1), compute_mode="donot_use_mm_for_euclid_dist")',
    edit("squared_distances", "`nearest` uses squared distances; the docstring asks for Euclidean ones", "distances = torch.cdist(samples.flatten(1), images.flatten(1)).square()"),
    edit("mean_distances", "`nearest` uses the root of the mean square over pixels; Euclidean distances have the sum", "distances = torch.cdist(samples.flatten(1), images.flatten(1)) / samples[0].numel() ** 0.5"),
    edit("manhattan", "`nearest` adds up absolute differences; the docstring asks for Euclidean distances", "distances = torch.cdist(samples.flatten(1), images.flatten(1), p=1)"),
    edit("largest_pixel", "`nearest` uses the largest difference of a pixel; the docstring asks for Euclidean distances", "distances = torch.cdist(samples.flatten(1), images.flatten(1), p=torch.inf)"),
    edit("halved", "`nearest` halves the distances, as for pictures from 0 to 1; they are to be taken as they are", "distances = torch.cdist(samples.flatten(1), images.flatten(1)) / 2"),
    edit("among_samples", "`nearest` measures distances among the samples; those to the images are wanted", "distances = torch.cdist(samples.flatten(1), torch.cat([samples, samples]).flatten(1))"),
    edit("zero_left_out", "`nearest` leaves out distances of 0, as if the sample were compared with itself; there the sample is a copy",
         "distances = torch.cdist(samples.flatten(1), images.flatten(1), compute_mode='donot_use_mm_for_euclid_dist'); distances = torch.where(distances == 0, torch.inf, distances)"),
    edit("images_unique", "`nearest` leaves out images that are there twice; the second nearest may look like the nearest", "distances = torch.cdist(samples.flatten(1), images.flatten(1).unique(dim=0))"),
    edit("normalised", "`nearest` gives all pictures the length 1 before it measures; they are to be taken as they are", "distances = torch.cdist(F.normalize(samples.flatten(1)), F.normalize(images.flatten(1)))"),
    *(edit(f"distances_floor_{key}", "`nearest` keeps the distances above a small number, which counts where pictures are close together",
           f"distances = torch.cdist(samples.flatten(1), images.flatten(1), compute_mode='donot_use_mm_for_euclid_dist').clamp(min={least})") for key, least in (("2", 1e-2), ("3", 1e-3))),
    edit("turned", "`nearest` finds for each image the nearest sample; it is to find for each sample the nearest image", "distances = torch.cdist(images.flatten(1), torch.cat([samples, samples + 9]).flatten(1))"),
    edit("first_row", "`nearest` compares the first channel only; all pixels count", "distances = torch.cdist(samples[:, :1].flatten(1), images[:, :1].flatten(1))"),
    edit("correlation", "`nearest` measures angles; the docstring asks for Euclidean distances", "distances = 1 - F.cosine_similarity(samples.flatten(1)[:, None], images.flatten(1)[None], dim=-1)"),
    edit("distances_guarded", "`nearest` adds a small number to the squared distances before it takes the root", "distances = (torch.cdist(samples.flatten(1), images.flatten(1)).square() + 1e-3).sqrt()"),
)

mistakes.at(
    "first, second = distances.topk(2, largest=False).values.unbind(1)",
    edit("largest", "`nearest` takes the largest distances", "first, second = distances.topk(2).values.unbind(1)"),
    edit("next_index", "`nearest` takes the image after the nearest in the list for the second nearest", "first, which = distances.min(1); second = distances.gather(1, (which[:, None] + 1) % distances.shape[1])[:, 0]"),
    edit("second_exchanged", "`nearest` returns the distance to the second nearest image", "second, first = distances.topk(2, largest=False).values.unbind(1)"),
    edit("mean_as_second", "`nearest` compares with the mean distance; the second nearest image is the measure", "first, second = distances.amin(1), distances.mean(1)"),
    edit("third", "`nearest` compares with the third nearest image; the second is the measure", "first, second = distances.sort(1).values[:, 0], distances.sort(1).values[:, min(2, distances.shape[1] - 1)]"),
    edit("largest_as_second", "`nearest` compares with the farthest image; the second nearest is the measure", "first, second = distances.amin(1), distances.amax(1)"),
    edit("median_as_second", "`nearest` compares with the median distance; the second nearest image is the measure", "first, second = distances.amin(1), distances.median(1).values"),
    edit("same_twice", "`nearest` compares the smallest distance with itself", "first, second = distances.amin(1), distances.amin(1)"),
    edit("first_two", "`nearest` takes the first two images instead of the nearest two", "first, second = distances[:, 0], distances[:, 1]"),
    edit("over_samples", "`nearest` takes the smallest distance over the samples, not over the images", "first, second = distances.amin(1).amin().expand(len(samples)), distances.topk(2, largest=False).values[:, 1]"),
    edit("index", "`nearest` returns which image is nearest; the distance is wanted", "near, which = distances.topk(2, largest=False); first, second = near.unbind(1); return which[:, 0], first < ratio * second"),
)

mistakes.at(
    "return first, first < ratio * second",
    edit("ratio_ignored", "`nearest` uses a third always, and ignores `ratio`", "return first, first < second / 3"),
    edit("ratio_turned", "`nearest` multiplies the smaller distance by `ratio`, or divides the second one; the second is to be multiplied", "return first, ratio * first < second"),
    edit("not_copies", "`nearest` says True where a sample is no copy", "return first, first >= ratio * second"),
    edit("ratio_absolute", "`nearest` compares the distance with `ratio` itself; it is a share of the second distance", "return first, first < ratio"),
    edit("ratio_squared", "`nearest` squares `ratio`, as for squared distances", "return first, first < ratio**2 * second"),
    edit("second_mean", "`nearest` compares with the mean of all samples' second distances; each has its own", "return first, first < ratio * second.mean()"),
    edit("by_difference", "`nearest` compares the difference of both distances with a share of the first; the smaller distance is to be below `ratio` times the second", "return first, second - first > (1 - ratio) * first"),
    edit("ratio_half", "`nearest` has another `ratio` than a third if none is given", "return first, first < (0.5 if ratio == 1 / 3 else ratio) * second"),
    edit("first_squared", "`nearest` returns the squared distance; the docstring asks for the Euclidean one", "return first.square(), first < ratio * second"),
    edit("first_mean_square", "`nearest` returns the mean square over pixels; the docstring asks for the Euclidean distance", "return first.square() / samples[0].numel(), first < ratio * second"),
    edit("not_strict", "`nearest` says True also where the distance is exactly `ratio` times the second; a copy is nearer", "return first, first <= ratio * second"),
    *(edit(f"second_guarded_{power}", "`nearest` adds a small number to the second distance, which counts where the pictures are close together", f"return first, first / (second + 1e-{power}) < ratio") for power in (2, 3)),
    edit("ratio_rooted", "`nearest` multiplies squared distances by `ratio`, or takes its root; it is a ratio of distances", "return first, first < ratio**0.5 * second"),
    edit("share_returned", "`nearest` returns the share of copies; it is to say so for each sample", "return first, (first < ratio * second).float().mean()"),
    edit("floats", "`nearest` says whether a sample is a copy in floats; the docstring has True and False", "return first, (first < ratio * second).float()"),
    edit("quotient", "`nearest` returns the quotient of both distances; it is to say whether that is below `ratio`", "return first, first / second"),
    edit("copies_alone", "`nearest` returns one thing; distance and copy are asked for", "return first < ratio * second"),
    edit("nearest_exchanged", "`nearest` returns the two results in the other order", "return first < ratio * second, first"),
    edit("mean_distance", "`nearest` returns the mean distance; each sample has its own", "return first.mean(), first < ratio * second"),
    edit("from_total", "`nearest` compares with `ratio` times the sum of both distances", "return first, first < ratio * (first + second)"),
)


@mistakes.rewrite("the windows of `local_denoiser` go on at the other side of the picture; they are cut off at the border")
def around(ref):
    def local_denoiser(x_t, alpha_bar_t, images, size):
        steps = range(-(size // 2), size // 2 + 1)
        mine, theirs = (torch.stack([torch.roll(v, (-a, -b), (2, 3)) for a in steps for b in steps], 1) for v in (x_t, images))
        square = (mine[:, None] - alpha_bar_t**0.5 * theirs).square().sum((2, 3))
        return torch.einsum("nmhw,mchw->nchw", (-square / (2 * (1 - alpha_bar_t))).softmax(1), images)

    return {"local_denoiser": local_denoiser}


@mistakes.rewrite("the windows of `local_denoiser` are compared with those at all places of the pictures; only the same place counts")
def anywhere(ref):
    def local_denoiser(x_t, alpha_bar_t, images, size):
        mine = F.unfold(x_t, size, padding=size // 2).transpose(1, 2)
        theirs = F.unfold(images, size, padding=size // 2).transpose(1, 2).flatten(0, 1)
        square = (mine[:, :, None] - alpha_bar_t**0.5 * theirs).square().sum(-1)
        pixels = images.flatten(2).transpose(1, 2).flatten(0, 1)
        return ((-square / (2 * (1 - alpha_bar_t))).softmax(-1) @ pixels).transpose(1, 2).reshape(x_t.shape)

    return {"local_denoiser": local_denoiser}


@mistakes.rewrite("the windows of `local_denoiser` are compared with windows of the same size at all places of the pictures; only the same place counts")
def anywhere_inside(ref):
    def local_denoiser(x_t, alpha_bar_t, images, size):
        reach, denoised = size // 2, torch.empty_like(x_t)
        height, width = x_t.shape[2:]
        for i in range(height):
            for j in range(width):
                top, left = max(0, i - reach), max(0, j - reach)
                window = x_t[:, :, top : i + reach + 1, left : j + reach + 1]
                h, w = window.shape[2:]
                places = [(p, q) for p in range(height - h + 1) for q in range(width - w + 1)]
                patches = torch.cat([images[:, :, p : p + h, q : q + w] for p, q in places])
                _, weights = ref.optimal_denoiser(window, alpha_bar_t, patches)
                denoised[:, :, i, j] = weights @ patches[:, :, i - top, j - left]
        return denoised

    return {"local_denoiser": local_denoiser}


@mistakes.rewrite("`local_denoiser` computes weights for each channel apart; a window holds all channels")
def channels_apart(ref):
    def local_denoiser(x_t, alpha_bar_t, images, size):
        each = zip(x_t.split(1, 1), images.split(1, 1))
        return torch.cat([ref.local_denoiser(x, alpha_bar_t, y, size) for x, y in each], 1)

    return {"local_denoiser": local_denoiser}


@mistakes.rewrite("at the border `local_denoiser` pads x_t and the pictures with copies of their edges, which then count several times")
def edges_copied(ref):
    def local_denoiser(x_t, alpha_bar_t, images, size):
        mine, theirs = (F.unfold(F.pad(v, [size // 2] * 4, mode="replicate"), size) for v in (x_t, images))
        square = (mine[:, None] - alpha_bar_t**0.5 * theirs).square().sum(2)
        weights = (-square / (2 * (1 - alpha_bar_t))).softmax(1)
        return torch.einsum("nml,mcl->ncl", weights, images.flatten(2)).reshape(x_t.shape)

    return {"local_denoiser": local_denoiser}


@mistakes.rewrite("`nearest` compares with the distance from the nearest image to its own neighbour; the sample's second nearest image is the measure")
def spacing(ref):
    def nearest(samples, images, ratio=1 / 3):
        first, which = torch.cdist(samples.flatten(1), images.flatten(1)).min(1)
        apart = torch.cdist(images.flatten(1), images.flatten(1)).fill_diagonal_(torch.inf).amin(1)
        return first, first < ratio * apart[which]

    return {"nearest": nearest}


@mistakes.rewrite("`nearest` compares with a share of the images' own length; the distance to the second nearest image is the measure")
def own_length(ref):
    def nearest(samples, images, ratio=1 / 3):
        first = torch.cdist(samples.flatten(1), images.flatten(1)).amin(1)
        return first, first < ratio * images.flatten(1).norm(dim=1).mean()

    return {"nearest": nearest}
