"""Named wrong versions of the answers to question 4."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- sinusoidal ---------------------------------------------------------------------------------------------------

mistakes.at(
    "positions = positions if positions.is_floating_point() else positions.float()",
    edit("code_whole", "`sinusoidal` cuts positions to whole numbers; fractions are positions, too", "positions = positions.long().to(positions if positions.is_floating_point() else torch.float32)"),
    edit("code_single", "`sinusoidal` computes in float32 whatever it is given; float64 positions keep their digits", "positions = positions.float()"),
    edit("code_counted", "`sinusoidal` numbers the rows 0, 1, 2, … itself; row t stands at positions[t]", "positions = torch.arange(len(positions), device=positions.device).to(positions if positions.is_floating_point() else torch.float32)"),
    edit("code_from_one", "`sinusoidal` adds 1 to all positions; position 0 has the code 0, 1, 0, 1, …", "positions = (positions if positions.is_floating_point() else positions.float()) + 1"),
    edit("code_from_first", "`sinusoidal` counts from the first of the positions; they count from 0", "positions = positions if positions.is_floating_point() else positions.float(); positions = positions - positions[0]"),
    edit("code_sorted", "`sinusoidal` sorts the positions; row t stands at positions[t]", "positions = (positions if positions.is_floating_point() else positions.float()).sort().values"),
    edit("code_no_sign", "`sinusoidal` drops the sign of negative positions", "positions = (positions if positions.is_floating_point() else positions.float()).abs()"),
    edit("code_negated", "`sinusoidal` turns the hands backwards: all positions are negated", "positions = -(positions if positions.is_floating_point() else positions.float())"),
    edit("code_share", "`sinusoidal` divides the positions by how many there are; the code of a position must not depend on the others", "positions = (positions if positions.is_floating_point() else positions.float()) / len(positions)"),
    edit("code_clamped", "`sinusoidal` puts 0 in place of negative positions", "positions = (positions if positions.is_floating_point() else positions.float()).clamp(min=0)"),
)

mistakes.at(
    "speeds = base ** (-torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim)",
    edit("speed_half", "`sinusoidal` has the exponents -i/D; (4.1) has -2i/D, so the slow hands are too fast", "speeds = base ** (-torch.arange(dim // 2, dtype=positions.dtype, device=positions.device) / dim)"),
    edit("speed_double", "`sinusoidal` has the exponents -4i/D: the factor 2 of (4.1) is there twice", "speeds = base ** (-2 * torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim)"),
    edit("speed_up", "in `sinusoidal` each further hand is faster, not slower: the exponent lost its minus", "speeds = base ** (torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim)"),
    edit("speed_ends", "`sinusoidal` divides the exponents by D - 2, so that the last hand has the speed 1/base; (4.1) divides by D", "speeds = base ** (-torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / max(dim - 2, 1))"),
    edit("speed_late", "`sinusoidal` numbers the hands from 1; hand 0 turns by one radian per token", "speeds = base ** (-torch.arange(2, dim + 2, 2, dtype=positions.dtype, device=positions.device) / dim)"),
    edit("speed_base", "`sinusoidal` always uses base 10,000; base is an argument", "speeds = 10000.0 ** (-torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim)"),
    edit("speed_float32", "`sinusoidal` computes the speeds of the hands in float32; float64 positions keep their digits", "speeds = base ** (-torch.arange(0, dim, 2, device=positions.device) / dim)"),
    edit("speed_one", "in `sinusoidal` all hands turn at the same speed, so that far positions look alike", "speeds = torch.ones(dim // 2, dtype=positions.dtype, device=positions.device)"),
    edit("speed_turns", "`sinusoidal` turns the first hand by a whole turn per token, 2π; (4.1) has one radian", "speeds = 2 * math.pi * base ** (-torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim)"),
    edit("speed_degrees", "`sinusoidal` takes the angles for degrees; they are radians", "speeds = math.pi / 180 * base ** (-torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim)"),
    edit("speed_linear", "the speeds of `sinusoidal` are 1, 1/2, 1/3, …; they fall by the same factor from hand to hand", "speeds = 1 / torch.arange(1, dim // 2 + 1, dtype=positions.dtype, device=positions.device)"),
    edit("speed_even", "the speeds of `sinusoidal` fall by equal steps; they fall by the same factor from hand to hand", "speeds = torch.linspace(1, 1 / base, dim // 2, dtype=positions.dtype, device=positions.device)"),
    edit("speed_reversed", "`sinusoidal` has the slowest hand first; the first hand turns by one radian", "speeds = (base ** (-torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim)).flip(0)"),
    edit("speed_floor", "`sinusoidal` divides the exponents without remainder, so that all are 0 or -1", "speeds = base ** (-torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) // dim)"),
    edit("speed_log10", "`sinusoidal` takes the logarithm of base to base 10; with exp belongs the natural one", "speeds = torch.exp(-math.log10(base) * torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim)"),
    edit("speed_root", "`sinusoidal` adds 1 to the exponents 2i; hand 0 turns by one radian per token", "speeds = base ** (-torch.arange(1, dim, 2, dtype=positions.dtype, device=positions.device) / dim)"),
    edit("speed_last_zero", "the last hand of `sinusoidal` stands still", "speeds = base ** (-torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim) * (torch.arange(dim // 2, device=positions.device) < dim // 2 - 1)"),
    edit("speed_exp", "the speeds of `sinusoidal` are powers of e; (4.1) has powers of base", "speeds = torch.exp(-torch.arange(0, dim, 2, dtype=positions.dtype, device=positions.device) / dim)"),
)

mistakes.at(
    "return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)",
    edit("code_halves", "`sinusoidal` has all sines first, then all cosines; they take turns: sin, cos, sin, cos", "return torch.cat([angles.sin(), angles.cos()], -1)"),
    edit("code_halves_cos", "`sinusoidal` has all cosines first, then all sines; they take turns: sin, cos, sin, cos", "return torch.cat([angles.cos(), angles.sin()], -1)"),
    edit("code_cos_first", "`sinusoidal` has the cosine of each hand before its sine; sines stand at even places", "return torch.stack([angles.cos(), angles.sin()], -1).flatten(1)"),
    edit("code_sines", "`sinusoidal` has sines only, each twice; every second entry is a cosine", "return torch.stack([angles.sin(), angles.sin()], -1).flatten(1)"),
    edit("code_cos_minus", "the cosines of `sinusoidal` have the wrong sign", "return torch.stack([angles.sin(), -angles.cos()], -1).flatten(1)"),
    edit("code_transposed", "`sinusoidal` returns (dim, T); each row is the code of one position", "return torch.stack([angles.sin(), angles.cos()], -1).flatten(1).T"),
    edit("code_axis", "`sinusoidal` puts an axis of size 1 in front; the shape is (T, dim)", "return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)[None]"),
    edit("code_unflattened", "`sinusoidal` returns (T, dim/2, 2); the pairs are to stand side by side in one row", "return torch.stack([angles.sin(), angles.cos()], -1)"),
    edit("code_mixed_rows", "`sinusoidal` mixes the rows when it puts sines and cosines together: the axis of size 2 must be the last before flattening",
         "return torch.stack([angles.sin(), angles.cos()]).reshape(len(positions), dim)"),
    edit("code_length_one", "`sinusoidal` divides the code by its length; its hands have length 1 each", "return torch.stack([angles.sin(), angles.cos()], -1).flatten(1) / math.sqrt(dim / 2)"),
    edit("code_angles", "`sinusoidal` returns the angles, each twice, without sine and cosine", "return torch.stack([angles, angles], -1).flatten(1)"),
    edit("code_own_speed", "`sinusoidal` gives each of the D entries a speed of its own; sine and cosine of a hand share one",
         "every = torch.arange(dim, dtype=positions.dtype, device=positions.device); angles = positions[:, None] * base ** (-every / dim); return torch.where(every % 2 == 0, angles.sin(), angles.cos())"),
    edit("code_own_speed_double", "`sinusoidal` numbers entries where (4.1) numbers hands: sine and cosine of a hand share one speed",
         "every = torch.arange(dim, dtype=positions.dtype, device=positions.device); angles = positions[:, None] * base ** (-2 * every / dim); return torch.where(every % 2 == 0, angles.sin(), angles.cos())"),
)

# --- rope ---------------------------------------------------------------------------------------------------------

mistakes.at(
    "sin, cos = sinusoidal(positions.to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)",
    edit("turn_swapped", "`rope` takes the cosines for sines and the sines for cosines; position 0 must change nothing",
         "cos, sin = sinusoidal(positions.to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_counted", "`rope` numbers the tokens 0, 1, 2, … itself; token t stands at positions[t], as with a cache",
         "sin, cos = sinusoidal(torch.arange(x.shape[-2], device=x.device).to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_from_first", "`rope` counts from the first of the positions; they count from 0",
         "sin, cos = sinusoidal((positions - positions[0]).to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_from_one", "`rope` adds 1 to all positions; position 0 must change nothing",
         "sin, cos = sinusoidal((positions + 1).to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_base", "`rope` always uses base 10,000; base is an argument", "sin, cos = sinusoidal(positions.to(x.dtype), x.shape[-1]).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_single", "`rope` computes the angles in float32; float64 x keeps its digits",
         "sin, cos = sinusoidal(positions.float(), x.shape[-1], base).to(x.dtype).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_whole", "`rope` cuts positions to whole numbers; fractions are positions, too",
         "sin, cos = sinusoidal(positions.long().to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_no_sign", "`rope` drops the sign of negative positions",
         "sin, cos = sinusoidal(positions.abs().to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_half", "`rope` turns by half the angles of (4.2)", "sin, cos = sinusoidal(0.5 * positions.to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_double", "`rope` turns by twice the angles of (4.2)", "sin, cos = sinusoidal(2 * positions.to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_one_speed", "`rope` turns all pairs at the speed of the first; each has its own",
         "angles = positions.to(x.dtype)[:, None].expand(-1, x.shape[-1] // 2); sin, cos = angles.sin(), angles.cos()"),
    edit("turn_speeds_half", "`rope` has the exponents -i/D for its speeds; (4.1) has -2i/D",
         "angles = positions.to(x.dtype)[:, None] * base ** (-torch.arange(x.shape[-1] // 2).to(x) / x.shape[-1]); sin, cos = angles.sin(), angles.cos()"),
    edit("turn_speeds_ends", "`rope` divides its exponents by D - 2, so that the last pair has the speed 1/base; (4.1) divides by D",
         "angles = positions.to(x.dtype)[:, None] * base ** (-torch.arange(0, x.shape[-1], 2).to(x) / max(x.shape[-1] - 2, 1)); sin, cos = angles.sin(), angles.cos()"),
    edit("turn_clamped", "`rope` holds angles for 2,048 positions only; positions may be any numbers",
         "sin, cos = sinusoidal(positions.clamp(-2047, 2047).to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_clamped_low", "`rope` puts 0 in place of negative positions",
         "sin, cos = sinusoidal(positions.clamp(min=0).to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1)"),
    edit("turn_speeds_up", "in `rope` each further pair turns faster, not slower",
         "angles = positions.to(x.dtype)[:, None] * base ** (torch.arange(0, x.shape[-1], 2).to(x) / x.shape[-1]); sin, cos = angles.sin(), angles.cos()"),
    edit("turn_speeds_double", "`rope` has the exponents -4i/D for its speeds; (4.1) has -2i/D",
         "angles = positions.to(x.dtype)[:, None] * base ** (-2 * torch.arange(0, x.shape[-1], 2).to(x) / x.shape[-1]); sin, cos = angles.sin(), angles.cos()"),
    edit("turn_speeds_reversed", "`rope` turns the first pair slowest; it turns by one radian per token",
         "sin, cos = sinusoidal(positions.to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).flip(-2).unbind(-1)"),
    edit("turn_split", "`rope` takes the first half of a code for the sines and the second for the cosines; in (4.1) they take turns",
         "sin, cos = sinusoidal(positions.to(x.dtype), x.shape[-1], base).chunk(2, -1)"),
    edit("turn_sequences", "`rope` turns by the number of the sequence, or head, not by the token's position: the positions belong to the axis before the last",
         "sin, cos = sinusoidal(positions.to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1); sin, cos = (part[: x.shape[0], None] if x.dim() > 2 else part for part in (sin, cos))"),
    edit("turn_time_first", "`rope` expects the tokens on axis 1 and the heads behind them; tokens are on the axis before the last",
         "sin, cos = sinusoidal(positions.to(x.dtype), x.shape[-1], base).unflatten(-1, (-1, 2)).unbind(-1); sin, cos = (part[:, None] if x.dim() > 3 else part for part in (sin, cos))"),
    edit("turn_last_only", "`rope` turns all tokens by the last one's angle; each has its own position",
         "sin, cos = sinusoidal(positions.to(x.dtype), x.shape[-1], base)[-1:].unflatten(-1, (-1, 2)).unbind(-1)"),
)

mistakes.at(
    "even, odd = x[..., 0::2], x[..., 1::2]",
    edit("turn_detached", "`rope` detaches x, or records no gradients, so that queries and keys are never trained through it", "even, odd = x.detach()[..., 0::2], x.detach()[..., 1::2]"),
    edit("turn_pairs_halves", "`rope` makes pairs of entry i and entry i + D/2; (4.2) makes them of neighbours. Both are in use, but weights of one do not fit the other",
         "even, odd = x.chunk(2, -1)", ("return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)", "return torch.cat([even * cos - odd * sin, even * sin + odd * cos], -1)")),
    edit("turn_read_halves", "`rope` takes the pairs from the two halves of x and puts the results side by side; neighbours are a pair, in x and in the result", "even, odd = x.chunk(2, -1)"),
    edit("turn_pair_swapped", "`rope` has the two entries of each pair exchanged", "odd, even = x[..., 0::2], x[..., 1::2]"),
)

mistakes.at(
    "return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)",
    edit("turn_back", "`rope` turns backwards: the signs of the sines are exchanged", "return torch.stack([even * cos + odd * sin, odd * cos - even * sin], -1).flatten(-2)"),
    edit("turn_both_plus", "`rope` has a plus where (4.2) has the minus, so lengths change", "return torch.stack([even * cos + odd * sin, even * sin + odd * cos], -1).flatten(-2)"),
    edit("turn_both_minus", "`rope` has a minus in both lines of (4.2), so lengths change", "return torch.stack([even * cos - odd * sin, even * sin - odd * cos], -1).flatten(-2)"),
    edit("turn_cat", "`rope` turns rightly, but puts all first entries before all second ones; pairs stay neighbours", "return torch.cat([even * cos - odd * sin, even * sin + odd * cos], -1)"),
    edit("turn_sequential", "`rope` computes the second entry of a pair with the first one already turned", "even = even * cos - odd * sin; return torch.stack([even, even * sin + odd * cos], -1).flatten(-2)"),
    edit("turn_first_only", "`rope` turns the first entry of each pair and leaves the second as it was", "return torch.stack([even * cos - odd * sin, odd], -1).flatten(-2)"),
    edit("turn_cos_only", "`rope` multiplies by cosines only; the sines bring in the other entry of the pair", "return torch.stack([even * cos, odd * cos], -1).flatten(-2)"),
    edit("turn_no_mix", "`rope` multiplies the entries by cosine and sine without mixing the two of a pair", "return torch.stack([even * cos, odd * sin], -1).flatten(-2)"),
    edit("turn_code_times", "`rope` multiplies x by the code; (4.2) turns pairs", "return torch.stack([even * sin, odd * cos], -1).flatten(-2)"),
    edit("turn_added", "`rope` adds the code to x; (4.2) turns pairs", "return torch.stack([even + sin, odd + cos], -1).flatten(-2)"),
    edit("turn_plus_x", "`rope` adds the turned x to x; the turned one takes its place", "return x + torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)"),
    edit("turn_first_pair", "`rope` turns the first pair only", "return torch.cat([torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)[..., :2], x[..., 2:]], -1)"),
    edit("turn_half_of_pairs", "`rope` turns only the first half of the entries; all D are turned", "return torch.cat([torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]], -1)"),
    edit("turn_unflattened", "`rope` returns pairs on an axis of their own; the shape is that of x", "return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1)"),
    edit("turn_unit", "`rope` divides by the length of each row; turning keeps lengths", "return F.normalize(torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2), dim=-1)"),
    edit("turn_in_place", "`rope` writes its result into x", "x.data.copy_(torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)); return x"),
    edit("turn_first_sequence", "`rope` returns the first sequence for all", "return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)[(slice(0, 1),) * (x.dim() - 2)].expand_as(x)"),
    edit("turn_axis", "`rope` puts an axis of size 1 in front; the shape is that of x", "return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)[None]"),
)


@mistakes.rewrite("`rope` views x with other axes, which stops or mixes entries where the axes of x were exchanged before")
def turn_view(ref):
    def rope(x, positions, base=10000.0):
        angles = positions.to(x.dtype)[:, None] * base ** (-torch.arange(0, x.shape[-1], 2, dtype=x.dtype, device=x.device) / x.shape[-1])
        pairs = x.view(-1, x.shape[-2], x.shape[-1] // 2, 2)
        even, odd = pairs.unbind(-1)
        return torch.stack([even * angles.cos() - odd * angles.sin(), even * angles.sin() + odd * angles.cos()], -1).view(x.shape)

    return {"rope": rope}


@mistakes.rewrite("`rope` pairs neighbours, but repeats the list of speeds as a whole; each speed must stand twice side by side")
def turn_repeat(ref):
    def rope(x, positions, base=10000.0):
        angles = positions.to(x.dtype)[:, None] * base ** (-torch.arange(0, x.shape[-1], 2, dtype=x.dtype, device=x.device) / x.shape[-1])
        angles = angles.repeat(1, 2)
        partner = torch.stack([-x[..., 1::2], x[..., 0::2]], -1).flatten(-2)
        return x * angles.cos() + partner * angles.sin()

    return {"rope": rope}


@mistakes.rewrite("`look_alike` draws one random order and does not look whether it differs from the given one")
def order_random_once(ref):
    def look_alike(ids):
        return torch.cat([ids[:-1][torch.randperm(len(ids) - 1).to(ids.device)], ids[-1:]])

    return {"look_alike": look_alike}


@mistakes.rewrite("`rope` returns x unchanged if there is one token only; with a cache one token stands far from position 0")
def turn_one_token(ref):
    return {"rope": lambda x, positions, base=10000.0: x.clone() if x.shape[-2] == 1 else ref.rope(x, positions, base)}


# --- stretched_base -----------------------------------------------------------------------------------------------

mistakes.at(
    "return base * factor ** (dim / (dim - 2))",
    edit("base_times", "`stretched_base` multiplies the base by the factor, as if the slowest speed were 1/base; its exponent is -(D-2)/D", "return base * factor"),
    edit("base_inverse", "`stretched_base` has the exponent (D-2)/D where its reciprocal is needed", "return base * factor ** ((dim - 2) / dim)"),
    edit("base_divided", "`stretched_base` makes the base smaller, so that the slow hands turn faster", "return base * factor ** (-dim / (dim - 2))"),
    edit("base_hands", "`stretched_base` takes i for the slowest exponent; (4.1) has 2i", "return base * factor ** (dim / (dim / 2 - 1))"),
    edit("base_power", "`stretched_base` raises the base to the power as well; only the factor has it", "return base ** (dim / (dim - 2)) * factor"),
    edit("base_product", "`stretched_base` raises base times factor to the power; only the factor has it", "return (base * factor) ** (dim / (dim - 2))"),
    edit("base_one_less", "`stretched_base` divides by D - 1; the slowest of D/2 hands has 2i = D - 2", "return base * factor ** (dim / (dim - 1))"),
    edit("base_two_more", "`stretched_base` counts one hand too many: its slowest hand has 2i = D", "return base * factor ** ((dim + 2) / dim)"),
    edit("base_root", "`stretched_base` takes the square root of the factor; the slowest hand then turns too fast", "return base * factor**0.5"),
    edit("base_sum", "`stretched_base` adds dim/(dim-2) to the factor; it is its exponent", "return base * (factor + dim / (dim - 2))"),
    edit("base_squared", "`stretched_base` squares the factor; that is right for dim = 4 alone", "return base * factor**2"),
    edit("base_ratio", "`stretched_base` returns by how much the base grows; multiply by the base", "return factor ** (dim / (dim - 2))"),
    edit("base_added", "`stretched_base` adds to the base where it must multiply", "return base + factor ** (dim / (dim - 2))"),
    edit("base_speed", "`stretched_base` returns the new slowest speed; the base is asked for", "return base ** (-(dim - 2) / dim) / factor"),
    edit("base_whole", "`stretched_base` rounds to a whole number", "return float(round(base * factor ** (dim / (dim - 2))))"),
    edit("base_same", "`stretched_base` returns the old base", "return base"),
    edit("base_dim_power", "`stretched_base` raises the factor to the power D; the exponent is the reciprocal of (D-2)/D", "return base * factor**dim"),
    edit("base_all", "`stretched_base` raises the factor to D/2, the number of hands", "return base * factor ** (dim / 2)"),
    edit("base_pairs", "`stretched_base` has D/2 in place of D; the exponents of (4.1) are 2i/D", "return base * factor ** ((dim / 2) / (dim / 2 - 2)) if dim > 4 else base * factor"),
    edit("base_times_dim", "`stretched_base` multiplies the factor by D/(D-2), which is its exponent", "return base * factor * dim / (dim - 2)"),
    edit("base_less_one", "`stretched_base` uses the factor minus 1", "return base * abs(factor - 1) ** (dim / (dim - 2))"),
    edit("base_typed", "`stretched_base` always starts from base 10,000; base is an argument", "return 10000.0 * factor ** (dim / (dim - 2))"),
)

# --- look_alike ---------------------------------------------------------------------------------------------------

mistakes.at(
    "return torch.cat([ids[:-1].roll(1), ids[-1:]])",
    edit("order_same", "`look_alike` returns the tokens in their own order", "return ids.clone()"),
    edit("order_swap_first", "`look_alike` exchanges the first two tokens, which changes nothing if they are equal",
         "result = ids.clone(); result[0], result[1] = ids[1], ids[0]; return result"),
    edit("order_swap_last", "`look_alike` exchanges the two tokens before the last, which changes nothing if they are equal",
         "result = ids.clone(); result[-3], result[-2] = ids[-2], ids[-3]; return result"),
    edit("order_swap_ends", "`look_alike` exchanges the first token and the one before the last, which changes nothing if they are equal",
         "result = ids.clone(); result[0], result[-2] = ids[-2], ids[0]; return result"),
    edit("order_flip", "`look_alike` turns the past round, which changes nothing if it reads the same both ways", "return torch.cat([ids[:-1].flip(0), ids[-1:]])"),
    edit("order_sorted", "`look_alike` sorts the past, which changes nothing if it is sorted already", "return torch.cat([ids[:-1].sort().values, ids[-1:]])"),
    edit("order_falling", "`look_alike` sorts the past from large to small, which changes nothing if it falls already", "return torch.cat([ids[:-1].sort(descending=True).values, ids[-1:]])"),
    edit("order_flip_all", "`look_alike` turns the whole sequence round. Another last token asks with another query", "return ids.flip(0)"),
    edit("order_roll_all", "`look_alike` moves the last token to the front. Another last token asks with another query", "return ids.roll(1)"),
    edit("order_roll_left", "`look_alike` moves the first token to the end. Another last token asks with another query", "return ids.roll(-1)"),
    edit("order_last_pair", "`look_alike` exchanges the last two tokens. Another last token asks with another query",
         "result = ids.clone(); result[-1], result[-2] = ids[-2], ids[-1]; return result"),
    edit("order_roll_two", "`look_alike` moves the past by two places, which changes nothing if two tokens take turns", "return torch.cat([ids[:-1].roll(2), ids[-1:]])"),
    edit("order_new_token", "`look_alike` puts another token in place of the first; its key and value differ for some weights", "result = ids.clone(); result[0] += 1; return result"),
    edit("order_copied", "`look_alike` writes a token of the past over another one, so it counts twice", "result = ids.clone(); result[0] = ids[1]; return result"),
    edit("order_short", "`look_alike` drops a token; T are asked for", "return ids[1:].clone()"),
    edit("order_twice", "`look_alike` repeats the sequence. The mean is the same, but T tokens are asked for", "return ids.repeat(2)"),
    edit("order_fixed_first", "`look_alike` sorts all tokens, the last one included", "return ids.sort().values"),
    edit("order_shifted", "`look_alike` adds 1 to all tokens; other tokens have other keys and values", "return ids + 1"),
    edit("order_list", "`look_alike` returns a list; a tensor is expected", "return torch.cat([ids[:-1].roll(1), ids[-1:]]).tolist()"),
    edit("order_float", "`look_alike` returns floats; tokens are whole numbers", "return torch.cat([ids[:-1].roll(1), ids[-1:]]).float()"),
    edit("order_second_third", "`look_alike` exchanges the second and the third token, which changes nothing if they are equal, and moves the last if T is 3",
         "result = ids.clone(); result[1], result[2] = ids[2], ids[1]; return result"),
    edit("order_in_place", "`look_alike` changes ids in place", "ids[:-1] = ids[:-1].roll(1); return ids"),
    edit("order_positions", "`look_alike` returns the order of the places, not the tokens there", "return torch.cat([torch.arange(len(ids) - 1, device=ids.device).roll(1), torch.tensor([len(ids) - 1], device=ids.device)])"),
    edit("order_roll_rest", "`look_alike` moves the tokens between the first and the last, which changes nothing if these are all equal, or a single one",
         "return torch.cat([ids[:1], ids[1:-1].roll(1), ids[-1:]])"),
    edit("order_flip_rest", "`look_alike` turns round what follows the first token, without the last; that changes nothing if it reads the same both ways",
         "return torch.cat([ids[:1], ids[1:-1].flip(0), ids[-1:]])"),
)
