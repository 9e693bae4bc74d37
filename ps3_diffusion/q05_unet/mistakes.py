"""Named wrong versions of the answers to question 5."""

import copy

import torch

from autograder.probes import Mistakes, edit
from dgm import data

mistakes = Mistakes()

# --- time_embedding ------------------------------------------------------------------------------------------------

mistakes.at(
    "omega = 10000 ** (-torch.arange(dim // 2, device=t.device) / (dim // 2))",
    edit("last_speed_exact", "`time_embedding` spaces the speeds so that the last is exactly 1/10000 (division by h - 1); (5.1) divides by h",
         "omega = 10000 ** (-torch.arange(dim // 2, device=t.device) / max(1, dim // 2 - 1))"),
    edit("divides_by_dim", "`time_embedding` divides the exponent by dim instead of h = dim / 2: the slowest wave is 100 times too fast",
         "omega = 10000 ** (-torch.arange(dim // 2, device=t.device) / dim)"),
    edit("exponent_doubled", "`time_embedding` doubles the exponents: 2i / dim is i / h, 2i / h is not",
         "omega = 10000 ** (-2 * torch.arange(dim // 2, device=t.device) / (dim // 2))"),
    edit("half_a_step_off", "`time_embedding` counts i from ½; the fastest wave, i = 0, has the speed 1",
         "omega = 10000 ** (-(torch.arange(dim // 2, device=t.device) + 0.5) / (dim // 2))"),
    edit("starts_at_one", "`time_embedding` counts i from 1; the fastest wave, i = 0, has the speed 1",
         "omega = 10000 ** (-(torch.arange(dim // 2, device=t.device) + 1) / (dim // 2))"),
    edit("grows", "`time_embedding` has speeds that grow to thousands of radians a step (the sign of the exponent); they fall from 1",
         "omega = 10000 ** (torch.arange(dim // 2, device=t.device) / (dim // 2))"),
    edit("base_1000", "`time_embedding` has the base 1000; (5.1) has 10000", "omega = 1000 ** (-torch.arange(dim // 2, device=t.device) / (dim // 2))"),
    edit("natural_base", "`time_embedding` takes exp(-i/h): the base e instead of 10000, so all waves have nearly the same speed",
         "omega = torch.exp(-torch.arange(dim // 2, device=t.device) / (dim // 2))"),
    edit("log_forgotten", "`time_embedding` multiplies the exponent by 10000 where its logarithm belongs; all waves but the first stand still",
         "omega = torch.exp(-10000.0 * torch.arange(dim // 2, device=t.device) / (dim // 2))"),
    edit("in_turns", "`time_embedding` measures speeds in turns (a factor 2π); (5.1) has radians",
         "omega = 2 * math.pi * 10000 ** (-torch.arange(dim // 2, device=t.device) / (dim // 2))"),
    edit("slowest_first", "`time_embedding` has the slowest wave first; (5.1) begins with the speed 1",
         "omega = (10000 ** (-torch.arange(dim // 2, device=t.device) / (dim // 2))).flip(0)"),
    edit("speeds_of_dim", "`time_embedding` makes dim different speeds, half of them for sines and half for cosines; sine and cosine share h speeds",
         "omega = 10000 ** (-torch.arange(dim, device=t.device) / dim)", ("angle.sin(), angle.cos()", "angle[:, :dim // 2].sin(), angle[:, dim // 2:].cos()")),
    edit("linear_speeds", "`time_embedding` has equally spaced speeds; those of (5.1) fall by a constant factor",
         "omega = 1 - torch.arange(dim // 2, device=t.device) / (dim // 2)"),
    edit("powers_of_two", "`time_embedding` halves the speed from wave to wave, whatever dim is; (5.1) spreads h speeds from 1 to almost 1/10000",
         "omega = 0.5 ** torch.arange(dim // 2, device=t.device)"),
    edit("whole_division", "`time_embedding` rounds the exponents to whole numbers (`//`), so most waves have the speed 1 or 1/10000",
         "omega = 10000.0 ** -(torch.arange(dim // 2, device=t.device) // max(1, dim // 4))"),
)

mistakes.at(
    "angle = t[:, None] * omega",
    edit("unscaled", "`time_embedding` squeezes the time into 0 to 1 before it makes waves of it (t / 1000): then no wave turns far, and all times look alike",
         "angle = t[:, None] / 1000 * omega"),
    edit("squeezed", "`time_embedding` divides t by a number before it makes waves of it; here t counts steps, and the fastest wave turns by one radian a step",
         "angle = t[:, None] / 100 * omega"),
    edit("whole_waves", "`time_embedding` has waves that turn 1, 2, 3, … times over the 1000 steps; the speeds of (5.1) fall from 1 by a constant factor",
         "angle = 2 * math.pi * t[:, None] / 1000 * (1 + torch.arange(dim // 2, device=t.device))"),
    edit("by_largest", "`time_embedding` divides by the largest time of the batch: the same t looks different in each batch, and no wave turns far",
         "angle = t[:, None] / t.max() * omega"),
    edit("times_1000", "`time_embedding` multiplies t by 1000, as for times between 0 and 1; here t counts steps", "angle = 1000 * t[:, None] * omega"),
    edit("before", "`time_embedding` uses t - 1; t itself belongs into (5.1)", "angle = (t[:, None] - 1) * omega"),
    edit("after", "`time_embedding` uses t + 1; t itself belongs into (5.1)", "angle = (t[:, None] + 1) * omega"),
    edit("divided", "`time_embedding` divides by the speeds; the angle is t times the speed", "angle = t[:, None] / omega"),
    edit("raw_time", "`time_embedding` feeds t itself in place of the sine and the cosine", "angle = t[:, None] * omega",
         ("return torch.cat([angle.sin(), angle.cos()], dim=1)", "return torch.cat([angle, angle], dim=1)")),
    edit("whole_times", "`time_embedding` cuts real times to whole numbers", "angle = t.long()[:, None] * omega"),
    edit("cut_at_999", "`time_embedding` cuts t off at 999; t may be 1000", "angle = t.clamp(max=999)[:, None] * omega"),
    edit("at_least_one", "`time_embedding` takes times below 1 for 1", "angle = t.clamp(min=1)[:, None] * omega"),
    edit("scrambled", "`time_embedding` turns an array of one row a wave into one of one row a time by `reshape`, which mixes times and waves; transpose it",
         "angle = (omega[:, None] * t).reshape(len(t), -1)"),
    edit("first_for_all", "`time_embedding` uses the first time for all examples", "angle = t[:1, None].expand(len(t), 1) * omega"),
    edit("half_precision", "`time_embedding` computes with half precision, which cannot tell late times apart", "angle = (t.half()[:, None] * omega.half()).float()"),
    edit("added", "`time_embedding` adds the speeds to t; the angle is t times the speed", "angle = t[:, None] + omega"),
    edit("logarithm_of_t", "`time_embedding` takes the logarithm of t first", "angle = torch.log1p(t.float())[:, None] * omega"),
)

mistakes.at(
    "return torch.cat([angle.sin(), angle.cos()], dim=1)",
    edit("cosines_first", "`time_embedding` has the cosines first; (5.1) has all sines first", "return torch.cat([angle.cos(), angle.sin()], dim=1)"),
    edit("interleaved", "`time_embedding` puts sine and cosine of each wave side by side; (5.1) has all sines, then all cosines",
         "return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)"),
    edit("sines_only", "`time_embedding` has sines twice; the second half are cosines", "return torch.cat([angle.sin(), angle.sin()], dim=1)"),
    edit("cosines_only", "`time_embedding` has cosines twice; the first half are sines", "return torch.cat([angle.cos(), angle.cos()], dim=1)"),
    edit("half_of_it", "`time_embedding` returns h columns (sines only); dim = 2h are asked for", "return angle.sin()"),
    edit("below_each_other", "`time_embedding` puts the cosines below the sines (dim 0); each time has one row", "return torch.cat([angle.sin(), angle.cos()], dim=0)"),
    edit("normalised", "`time_embedding` divides by √h; the waves of (5.1) have the height 1",
         "return torch.cat([angle.sin(), angle.cos()], dim=1) / math.sqrt(dim // 2)"),
    edit("scaled_up", "`time_embedding` multiplies by √2; the waves of (5.1) have the height 1",
         "return torch.cat([angle.sin(), angle.cos()], dim=1) * math.sqrt(2)"),
    edit("degrees", "`time_embedding` reads its angles as degrees; they are radians",
         "angle = angle * math.pi / 180; return torch.cat([angle.sin(), angle.cos()], dim=1)"),
    edit("with_t", "`time_embedding` appends t itself as a column; (5.1) has dim waves and nothing else",
         "return torch.cat([angle.sin(), angle.cos(), t[:, None].float()], dim=1)"),
    edit("one_squeezed", "`time_embedding` drops axes of length 1 (`squeeze`): for one time the shape is wrong",
         "return torch.cat([angle.sin(), angle.cos()], dim=1).squeeze()"),
    edit("transposed", "`time_embedding` returns one column for each time; each time has one row", "return torch.cat([angle.sin(), angle.cos()], dim=1).T"),
    edit("double_result", "`time_embedding` returns float64 for whole numbers; the network has float32 weights",
         "return torch.cat([angle.sin(), angle.cos()], dim=1).double()"),
    edit("minus_cosines", "`time_embedding` has the cosines with the wrong sign", "return torch.cat([angle.sin(), -angle.cos()], dim=1)"),
    edit("single_result", "`time_embedding` returns float32 for real times of type float64, too; they keep their type", "return torch.cat([angle.sin(), angle.cos()], dim=1).float()"),
    edit("minus_sines", "`time_embedding` has the sines with the wrong sign", "return torch.cat([-angle.sin(), angle.cos()], dim=1)"),
)

# --- UNet ----------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    skips.append(x)
    x = F.avg_pool2d(x, 2)
    """,
    edit("skip_after_pooling", "The skip is halved before it is used, and doubled again; it must be what the block returned, in its full size",
         """
         x = F.avg_pool2d(x, 2)
         skips.append(x)
         """, ("torch.cat([x, skips.pop()], dim=1)", "torch.cat([x, F.interpolate(skips.pop(), scale_factor=2)], dim=1)")),
    edit("last_not_halved", "The picture is not halved before the block in the middle; every block of `down` is followed by a halving",
         """
         skips.append(x)
         x = F.avg_pool2d(x, 2) if len(skips) < len(self.down) else x
         """, ("x = F.interpolate(x, scale_factor=2)", "x = F.interpolate(x, size=skips[-1].shape[2:])")),
    edit("halved_by_max", "The picture is halved by maxima; averages of 2 × 2 are asked for",
         """
         skips.append(x)
         x = F.max_pool2d(x, 2)
         """),
    edit("every_second_pixel", "The picture is halved by leaving pixels out; averages of 2 × 2 are asked for",
         """
         skips.append(x)
         x = x[..., ::2, ::2]
         """),
    edit("pools_by_sum", "The picture is halved by sums of 2 × 2 pixels; averages are asked for",
         """
         skips.append(x)
         x = 4 * F.avg_pool2d(x, 2)
         """),
    edit("skip_detached", "The skips are cut off from autograd (`.detach()` or `.data`), so the way down learns too little",
         """
         skips.append(x.detach())
         x = F.avg_pool2d(x, 2)
         """),
    edit("skips_interpolated", "The picture is halved by interpolation, which for the default mode leaves pixels out; averages of 2 × 2 are asked for",
         """
         skips.append(x)
         x = F.interpolate(x, scale_factor=0.5, mode="nearest-exact")
         """),
    edit("overlapping_averages", "The picture is halved by averages of 3 × 3 that overlap; averages of 2 × 2 are asked for",
         """
         skips.append(x)
         x = F.avg_pool2d(x, 3, stride=2, padding=1)
         """),
    edit("skip_activated", "The skips pass through another activation; they are what the blocks return",
         """
         skips.append(F.silu(x))
         x = F.avg_pool2d(x, 2)
         """),
)

mistakes.at(
    """
    x = block(x, emb)
    skips.append(x)
    """,
    edit("skip_before_block", "The skip is stored before the block of the way down; it is what the block returns. Its channels are then too few or too many",
         """
         skips.append(x)
         x = block(x, emb)
         """),
    edit("down_without_time", "The blocks of the way down are not told time and label",
         """
         x = block(x, 0 * emb)
         skips.append(x)
         """),
    edit("down_twice", "Each block of the way down runs twice", """
         x = block(x, emb)
         x = block(x, emb) if x.shape[1] == block.first[0].num_channels else x
         skips.append(x)
         """),
)

mistakes.at(
    """
    x = self.middle(x, emb)
    for block in self.up:
        x = F.interpolate(x, scale_factor=2)
        x = block(torch.cat([x, skips.pop()], dim=1), emb)
    return self.head(x)
    """,
    edit("up_twice", "The way up runs twice: every block of `up` is called again, and only the second result is used. Nothing crashes, but half of that work is wasted or wrong",
         """
         x = self.middle(x, emb)
         kept = list(skips)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         x = self.middle(F.adaptive_avg_pool2d(kept[-1], kept[-1].shape[-1] // 2), emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, kept.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("up_blocks_twice", "Each block of the way up is called twice on the same input, and the second result is used. Nothing crashes, but half of that work is wasted",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = torch.cat([F.interpolate(x, scale_factor=2), skips.pop()], dim=1)
             block(x, emb)
             x = block(x, emb)
         return self.head(x)
         """),
    edit("middle_left_out", "The block in the middle is left out or its result is not used; it makes the channels that the way up expects",
         """
         self.middle(x, emb)
         x = F.pad(x, (0, 0, 0, 0, 0, self.middle.second[1].out_channels - x.shape[1]))
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("skip_in_front", "The skip stands before the channels of the doubled picture; it is appended behind them",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([skips.pop(), x], dim=1), emb)
         return self.head(x)
         """),
    edit("skips_zeroed", "The way up gets zeros in place of the skips",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, 0 * skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("doubled_smoothly", "The picture is doubled by bilinear interpolation; the nearest pixel is asked for",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2, mode="bilinear")
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("no_head", "The head is left out and one channel taken; the head makes the picture",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return x[:, :1]
         """),
    edit("all_channels", "The head is left out; the result has one channel",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return x
         """),
    edit("middle_twice", "The block in the middle runs twice",
         """
         x = self.middle(x, emb)
         x = self.middle(x, emb) if x.shape[1] == self.middle.first[0].num_channels else self.middle(x[:, :self.middle.first[0].num_channels], emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("first_skip_first", "The skip that was stored first is used first; the last one stored has the size that is needed first",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop(0)], dim=1), emb)
         return self.head(x)
         """),
    edit("first_skip_resized", "The skips are used in the order in which they were stored, resized where they do not fit; the last one stored comes first",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             skip = F.interpolate(skips.pop(0), size=x.shape[2:])
             wanted = block.first[0].num_channels - x.shape[1]
             skip = F.pad(skip, (0, 0, 0, 0, 0, max(0, wanted - skip.shape[1])))[:, :wanted]
             x = block(torch.cat([x, skip], dim=1), emb)
         return self.head(x)
         """),
    edit("last_skip_for_all", "Every block of the way up gets a skip from the list without its removal; each skip is used once",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips[-1]], dim=1), emb)
         return self.head(x)
         """),
    edit("not_doubled", "The picture is not doubled before the skip is appended; the sizes do not fit",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
             x = F.interpolate(x, scale_factor=2)
         return self.head(x)
         """),
    edit("result_squashed", "The result passes through tanh; the network's output may have any size",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return torch.tanh(self.head(x))
         """),
    edit("input_added", "The noisy picture is added to the result; the head's output is the result",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return picture + self.head(x)
         """, ("emb, x, skips = self.embed(t, y), self.stem(x), []", "picture = x; emb, x, skips = self.embed(t, y), self.stem(x), []")),
    edit("channels_lost", "The result loses its axis of channels; pictures have the shape (N, 1, H, W)",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)[:, 0]
         """),
    edit("squeezed_result", "Axes of length 1 are dropped (`squeeze`); pictures have the shape (N, 1, H, W)",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x).squeeze()
         """),
    edit("skips_added", "The skip is added to some channels; it is appended behind them",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x, skip = F.interpolate(x, scale_factor=2), skips.pop()
             both = min(x.shape[1], skip.shape[1])
             x = block(torch.cat([x[:, :both] + skip[:, :both], x[:, both:], 0 * skip], dim=1), emb)
         return self.head(x)
         """),
    edit("middle_without_time", "The block in the middle is not told time and label",
         """
         x = self.middle(x, 0 * emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("up_without_time", "The blocks of the way up are not told time and label",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), 0 * emb)
         return self.head(x)
         """),
    edit("tiled", "The doubled picture is four copies of the picture side by side (`repeat`); each pixel is to become four",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = block(torch.cat([x.repeat(1, 1, 2, 2), skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("doubled_bicubic", "The picture is doubled by bicubic interpolation; the nearest pixel is asked for",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2, mode="bicubic")
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("up_activated", "What a block of the way up returns passes through a ReLU; blocks have their own activations",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb).relu()
         return self.head(x)
         """),
    edit("divided_by_root_two", "Picture and skip together are divided by √2; they are only put behind each other",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1) / math.sqrt(2), emb)
         return self.head(x)
         """),
    edit("up_without_label", "The blocks of the way up are told the time, but not the label",
         """
         x = self.middle(x, emb)
         emb = self.embed(t, None)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("middle_detached", "The picture is cut off from autograd before the block in the middle",
         """
         x = self.middle(x.detach(), emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("long_skip", "What the stem returned is added once more before the head; the head takes what the last block returns",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x + first)
         """, ("emb, x, skips = self.embed(t, y), self.stem(x), []", "emb, first, skips = self.embed(t, y), self.stem(x), []; x = first")),
    edit("square_pictures", "The picture is doubled to a square, as high as wide; it has twice the height and twice the width that it had",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, size=(2 * x.shape[-1], 2 * x.shape[-1]))
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("head_activated", "The picture passes through an activation before the head; the head takes what the last block returns",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(F.silu(x))
         """),
    edit("up_halved", "The doubled picture is halved in size of its values (or averaged with something); it is what was there, each pixel four times",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = 0.5 * F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("skip_added_too", "Where the skip has as many channels as the doubled picture it is added, too; it is appended, and nothing else",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = x + skips[-1] if x.shape == skips[-1].shape else x
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("input_added_on_the_way", "Where a block of the way up returns as many channels as the picture had before it, that is added; each block has its own shortcut",
         """
         x = self.middle(x, emb)
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             new = block(torch.cat([x, skips.pop()], dim=1), emb)
             x = x + new if x.shape == new.shape else new
         return self.head(x)
         """),
    edit("middle_twice_if_it_fits", "The block in the middle runs twice where its channels allow it",
         """
         x = self.middle(x, emb)
         x = self.middle(x, emb) if x.shape[1] == self.middle.first[2].in_channels else x
         for block in self.up:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("fixed_size", "The picture is doubled to fixed sizes (8, then 16); it has twice the size it had",
         """
         x = self.middle(x, emb)
         for block, size in zip(self.up, (4, 8, 16, 32)):
             x = F.interpolate(x, size=(size, size))
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x)
         """),
    edit("one_level_only", "Only two blocks of the way up are called; there is one for each block of the way down",
         """
         x = self.middle(x, emb)
         for block in self.up[:2]:
             x = F.interpolate(x, scale_factor=2)
             x = block(torch.cat([x, skips.pop()], dim=1), emb)
         return self.head(x) if x.shape[1] == self.head.in_channels else self.head(F.interpolate(x, scale_factor=2)[:, :self.head.in_channels])
         """),
)

mistakes.at(
    "emb, x, skips = self.embed(t, y), self.stem(x), []",
    edit("labels_ignored", "The labels are not passed on to `embed`", "emb, x, skips = self.embed(t, None), self.stem(x), []"),
    edit("null_is_zero", "Without labels the network is told label 0, which is a digit; the last row of the table is for 'no label'",
         "emb, x, skips = self.embed(t, torch.zeros_like(t) if y is None else y), self.stem(x), []"),
    edit("time_scaled", "`forward` squeezes the time into 0 to 1 before `embed`, which takes t as it is", "emb, x, skips = self.embed(t / 1000, torch.full_like(t, self.null) if y is None else y), self.stem(x), []"),
    edit("time_ignored", "`forward` embeds the time 0 for all pictures; t is not used", "emb, x, skips = self.embed(torch.zeros_like(t), y), self.stem(x), []"),
    edit("embedding_activated", "The embedding passes through another activation; `embed` has its own", "emb, x, skips = F.silu(self.embed(t, y)), self.stem(x), []"),
    edit("zeros_as_none", "Labels that are all 0 are taken for no labels (`y.any()`, or 0 read as false); 0 is a digit, and no labels are None", "emb, x, skips = self.embed(t, y if y is not None and y.any() else None), self.stem(x), []"),
    edit("null_as_zero", "The label for 'no label' is replaced by another one; it has a row of its own", "emb, x, skips = self.embed(t, None if y is None else y.clamp(max=self.null - 1)), self.stem(x), []"),
    edit("time_as_label", "Time and label are exchanged in the call of `embed`, or the label is made of the time", "emb, x, skips = self.embed(t, t % self.null), self.stem(x), []"),
    edit("first_time", "`forward` embeds the first time and uses it for all pictures", "emb, x, skips = self.embed(t[:1], None if y is None else y[:1]).expand(len(t), -1), self.stem(x), []"),
    edit("time_alone", "`forward` does without the label: it embeds the time alone", "emb, x, skips = F.silu(self.time_net(time_embedding(t, self.emb_dim))), self.stem(x), []"),
    edit("time_net_left_out", "`forward` gives the bare waves to the blocks; they must pass through `embed`", "emb, x, skips = time_embedding(t, self.emb_dim), self.stem(x), []"),
    edit("activated_stem", "The result of the stem passes through an activation; the first block has its own", "emb, x, skips = self.embed(t, y), F.silu(self.stem(x)), []"),
    edit("embedding_detached", "Time and label are cut off from autograd, so their weights are never trained", "emb, x, skips = self.embed(t, y).detach(), self.stem(x), []"),
    edit("nothing_learned", "The result is cut off from autograd (`no_grad` or `.detach()`), so nothing can be trained", "emb, x, skips = self.embed(t, y), self.stem(x), []",
         ("return self.head(x)", "return self.head(x).detach()")),
    edit("skips_kept", "The list of skips is kept from call to call (an attribute or a default argument), so that a second call finds old skips",
         "self.kept = getattr(self, 'kept', []); emb, x, skips = self.embed(t, y), self.stem(x), self.kept",
         ("skips.pop()", "skips[-1 - i]"), ("for block in self.up:", "for i, block in enumerate(self.up):"), ("skips.append(x)", "skips.insert(len(skips) % len(self.down), x)")),
)

# --- EMA -----------------------------------------------------------------------------------------------------------

mistakes.at(
    "self.model, self.decay, self.steps = copy.deepcopy(model).requires_grad_(False), decay, 0",
    edit("alias", "The average is the model itself, or shares its parameters (`copy.copy`); it must be a deep copy, or training and averaging change the same weights",
         "self.model, self.decay, self.steps = model, decay, 0", ("mean.lerp_(now.detach(), rate)", "mean.data.lerp_(now.detach(), rate)")),
    edit("still_trained", "The averaged weights require gradients; the copy's must not, and the average is to be taken without a graph (`torch.no_grad`)", "self.model, self.decay, self.steps = copy.deepcopy(model), decay, 0",
         ("mean.lerp_(now.detach(), rate)", "mean.data.lerp_(now.detach(), rate)")),
    edit("model_frozen", "The model itself is frozen (its weights no longer require gradients), not only the copy",
         "self.model, self.decay, self.steps = copy.deepcopy(model.requires_grad_(False)), decay, 0"),
    edit("decay_capped", "The decay is cut off at 0.999; it may be anything below 1", "self.model, self.decay, self.steps = copy.deepcopy(model).requires_grad_(False), min(decay, 0.999), 0"),
    edit("starts_at_zero", "The average starts with weights of 0 instead of those of the model",
         "self.model, self.decay, self.steps = copy.deepcopy(model).requires_grad_(False), decay, 0\n        for p in self.model.parameters(): p.zero_()"),
    edit("count_starts_at_one", "The geometric sum has one term too many, or the count of steps is one too high: after the first step the random weights still have a share",
         "self.model, self.decay, self.steps = copy.deepcopy(model).requires_grad_(False), decay, 1"),
)

mistakes.at(
    "rate = (1 - self.decay) / (1 - self.decay**self.steps)",
    edit("plain", "The average moves by 1 - d at each step, also at first, so that the random weights before training keep the share d^n",
         "rate = 1 - self.decay"),
    edit("exchanged", "Decay and its complement are exchanged: the average moves by d", "rate = self.decay"),
    edit("exchanged_share", "Decay and its complement are exchanged: the shares fall by the factor 1 - d",
         "rate = self.decay / (1 - (1 - self.decay) ** self.steps) if self.decay else 1"),
    edit("plain_mean", "The average is the plain mean of all weights so far; shares have to fall by the factor d a step", "rate = 1 / self.steps"),
    edit("common_warm_up", "The decay is min(d, (1 + n) / (10 + n)), as in some programs; that is not the r of (5.2), whose shares fall by d a step",
         "rate = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))"),
    edit("mean_then_decay", "The average is a plain mean until its rate has fallen to 1 - d; the shares have to fall by the factor d from the start",
         "rate = max(1 - self.decay, 1 / self.steps)"),
    edit("copies", "Every update takes the newest weights as they are, as if it were the first (r = 1)", "rate = 1"),
    edit("numerator_forgotten", "r is 1 / (1 - d^n), which is above 1: its numerator 1 - d is missing", "rate = 1 / (1 - self.decay**self.steps) if self.steps > 1 else 1"),
    edit("denominator_multiplied", "1 - d is multiplied by 1 - d^n where it has to be divided", "rate = (1 - self.decay) * (1 - self.decay**self.steps)"),
    edit("power_wrong", "The power is n·d where it has to be d^n", "rate = (1 - self.decay) / max(1e-6, 1 - self.decay * self.steps) if self.decay * self.steps < 1 else 1 - self.decay"),
    edit("oldest_most", "The shares are upside down: the oldest weights have the largest; the newest should",
         "rate = self.decay ** (self.steps - 1) * (1 - self.decay) / (1 - self.decay**self.steps)"),
    edit("only_first_step", "Only the first step takes the weights as they are, the next ones move by 1 - d: the first weights keep far too large a share",
         "rate = 1 if self.steps == 1 else 1 - self.decay"),
    edit("never", "The weights of the copy never change: nothing is written into them in place", "rate = 0"),
    edit("weights_squared", "r is squared", "rate = ((1 - self.decay) / (1 - self.decay**self.steps)) ** 2"),
    edit("divided_by_decay", "The share of the newest weights is d^n / (1 + …); its numerator is 1 - d", "rate = self.decay**self.steps / (1 - self.decay**self.steps) if self.decay else 1"),
)

mistakes.at(
    """
    for mean, now in zip(self.model.parameters(), model.parameters()):
        mean.lerp_(now.detach(), rate)
    """,
    edit("wrong_way", "The model's weights are moved towards the average; the average has to move",
         """
         for mean, now in zip(self.model.parameters(), model.parameters()):
             now.data.lerp_(mean, rate)
         """),
    edit("shared_storage", "The average takes over the model's own memory (`.data` without a copy), so it changes with the model",
         """
         for mean, now in zip(self.model.parameters(), model.parameters()):
             if self.steps == 1: mean.data = now.data
             else: mean.data = mean + rate * (now.detach() - mean)
         """),
    edit("written_back", "The average is written into the model, too, so that training goes on from it; the model's weights must stay",
         """
         for mean, now in zip(self.model.parameters(), model.parameters()):
             mean.lerp_(now.detach(), rate)
             now.data.copy_(mean)
         """),
    edit("matrices_only", "Only matrices are averaged; biases and single numbers belong to the weights, too",
         """
         for mean, now in zip(self.model.parameters(), model.parameters()):
             if mean.dim() > 1: mean.lerp_(now.detach(), rate)
         """),
    edit("shares_exchanged", "The shares of the old average and of the new weights are exchanged",
         """
         for mean, now in zip(self.model.parameters(), model.parameters()):
             mean.lerp_(now.detach(), 1 - rate)
         """),
    edit("no_shrinking", "The new weights are added with their share, but the old average is not shrunk by its own",
         """
         for mean, now in zip(self.model.parameters(), model.parameters()):
             mean.add_(rate * now.detach())
         """),
    edit("trainable_only", "Only weights that require gradients are taken from the model, so that they no longer stand beside their own averages; take all of `parameters()`",
         """
         for mean, now in zip(self.model.parameters(), filter(lambda p: p.requires_grad, model.parameters())):
             mean.lerp_(now.detach(), rate)
         """),
    edit("first_layer", "Only parameters of the model itself are averaged, not those of its parts",
         """
         for mean, now in zip(self.model.parameters(recurse=False), model.parameters(recurse=False)):
             mean.lerp_(now.detach(), rate)
         """),
    edit("every_second", "Only every second update changes the average",
         """
         for mean, now in zip(self.model.parameters(), model.parameters()):
             if self.steps % 2: mean.lerp_(now.detach(), rate)
         """),
    edit("model_unfrozen", "All weights of the model are made to require gradients, also the frozen ones; the model stays as it is",
         """
         model.requires_grad_(True)
         for mean, now in zip(self.model.parameters(), model.parameters()):
             mean.lerp_(now.detach(), rate)
         """),
    edit("average_in_float32", "The weights are rounded to float32",
         """
         for mean, now in zip(self.model.parameters(), model.parameters()):
             mean.lerp_(now.detach().float().to(mean.dtype), rate)
         """),
    edit("counted_per_weight", "The step is counted once for each parameter instead of once for the model",
         """
         for mean, now in zip(self.model.parameters(), model.parameters()):
             mean.lerp_(now.detach(), (1 - self.decay) / (1 - self.decay**self.steps))
             self.steps += 1
         """),
)

mistakes.at(
    "self.steps += 1",
    edit("count_after", "The step is counted after the average has moved: r_1 is taken with n = 0",
         "count = self.steps; self.steps += 1", ("rate = (1 - self.decay) / (1 - self.decay**self.steps)", "rate = (1 - self.decay) / (1 - self.decay**count) if count else 1")),
    edit("counted_for_all", "The count belongs to the class: all averages share it, so a second average does not start anew",
         "EMA.count = getattr(EMA, 'count', 0) + 1; self.steps = EMA.count"),
)


@mistakes.rewrite("The average starts from zeros and moves by 1 - d, without a correction: zeros keep the share d^n")
def zeros_uncorrected(ref):
    class EMA(ref.EMA):
        def update(self, model):
            self.steps += 1
            for mean, now in zip(self.model.parameters(), model.parameters()):
                mean.mul_(self.decay if self.steps > 1 else 0).add_((1 - self.decay) * now.detach())

    return {"EMA": EMA}


@mistakes.rewrite("The corrected average is corrected again at each step: the weights that are stored must stay apart from those that are divided by 1 - d^n")
def corrected_twice(ref):
    class EMA(ref.EMA):
        def update(self, model):
            self.steps += 1
            for mean, now in zip(self.model.parameters(), model.parameters()):
                if self.steps == 1:
                    mean.zero_()
                mean.mul_(self.decay).add_((1 - self.decay) * now.detach()).div_(1 - self.decay**self.steps)

    return {"EMA": EMA}


@mistakes.rewrite("The average follows the model that it was made from; `update` is given the model whose weights count")
def own_source(ref):
    class EMA(ref.EMA):
        def __init__(self, model, decay):
            super().__init__(model, decay)
            self.source = [model]

        def update(self, model):
            super().update(self.source[0])

    return {"EMA": EMA}


@mistakes.rewrite("The sum that is divided by 1 - d^n started at the random weights; it must start at 0")
def corrected_from_start(ref):
    class EMA(ref.EMA):
        def __init__(self, model, decay):
            super().__init__(model, decay)
            self.raw = [p.clone() for p in self.model.parameters()]

        def update(self, model):
            self.steps += 1
            for raw, mean, now in zip(self.raw, self.model.parameters(), model.parameters()):
                raw.mul_(self.decay).add_((1 - self.decay) * now.detach())
                mean.copy_(raw / (1 - self.decay**self.steps))

    return {"EMA": EMA}


@mistakes.rewrite("The average is the plain mean of the last 1 / (1 - d) weights; shares have to fall by the factor d a step")
def window(ref):
    class EMA(ref.EMA):
        def update(self, model):
            self.seen = [*getattr(self, "seen", []), [now.detach().clone() for now in model.parameters()]]
            recent = self.seen[-max(1, round(1 / (1 - self.decay))) :]
            for i, mean in enumerate(self.model.parameters()):
                mean.copy_(torch.stack([each[i] for each in recent]).mean(0))

    return {"EMA": EMA}


# --- train_denoiser ------------------------------------------------------------------------------------------------

mistakes.at(
    "optimiser, history = torch.optim.AdamW(model.parameters(), lr=lr), []",
    edit("adam", "There is no weight decay; AdamW with its default shrinks the weights a little at each step", "optimiser, history = torch.optim.Adam(model.parameters(), lr=lr), []"),
    edit("adam_l2", "The weight decay is added to the gradient (Adam's `weight_decay`); AdamW shrinks the weights themselves",
         "optimiser, history = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=0.01), []"),
    edit("rmsprop", "RMSprop is used; AdamW is asked for", "optimiser, history = torch.optim.RMSprop(model.parameters(), lr=lr), []"),
    edit("sgd", "Plain gradient descent is used; AdamW is asked for", "optimiser, history = torch.optim.SGD(model.parameters(), lr=lr), []"),
    edit("other_decay", "The weight decay is changed; AdamW's default is asked for", "optimiser, history = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.1), []"),
    edit("other_betas", "AdamW's moments have other decays than its defaults", "optimiser, history = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99)), []"),
    edit("amsgrad", "AdamW runs with `amsgrad`; its default is without", "optimiser, history = torch.optim.AdamW(model.parameters(), lr=lr, amsgrad=True), []"),
    edit("other_epsilon", "AdamW's eps is not its default", "optimiser, history = torch.optim.AdamW(model.parameters(), lr=lr, eps=1e-6), []"),
    edit("ten_times_lr", "The learning rate is not the one given", "lr = 10 * lr; optimiser, history = torch.optim.AdamW(model.parameters(), lr=lr), []"),
    edit("fixed_rate", "The learning rate is a number of its own; `lr` is ignored", "lr = 0.1; optimiser, history = torch.optim.AdamW(model.parameters(), lr=lr), []"),
)

mistakes.at(
    'optimiser.param_groups[0]["lr"] = lr * min(1, step / warm_up)',
    edit("no_warm_up", "There is no warm-up: every step has the full learning rate", ""),
    edit("warm_up_from_zero", "The warm-up starts with the rate 0, as if steps were counted from 0: step k has the rate of step k - 1", 'optimiser.param_groups[0]["lr"] = lr * min(1, (step - 1) / warm_up)'),
    edit("warm_up_restarts", "The learning rate grows anew every `warm_up` steps; after the warm-up it stays at lr", 'optimiser.param_groups[0]["lr"] = lr * ((step - 1) % warm_up + 1) / warm_up'),
    edit("first_rate_full", "The first step has the full learning rate, and step k that of step k - 1 (the rate is set after the step)",
         'optimiser.param_groups[0]["lr"] = lr * (min(1, (step - 1) / warm_up) if step > 1 else 1)'),
    edit("never_full", "The rate is set during the warm-up only, and keeps the value before its end: lr · (1 - 1/warm_up)",
         'optimiser.param_groups[0]["lr"] = lr * (min(step, warm_up - 1) if warm_up > 1 else 1) / warm_up'),
    edit("warm_up_too_long", "The warm-up rises from lr / warm_up to lr in `warm_up` steps after the first (`LinearLR`): it takes one step too many",
         'optimiser.param_groups[0]["lr"] = lr * min(1, 1 / warm_up + (1 - 1 / warm_up) * (step - 1) / warm_up)'),
    edit("cosine_to_zero", "The learning rate falls like a cosine after the warm-up; it stays at lr",
         'optimiser.param_groups[0]["lr"] = lr * min(1, step / warm_up) * (1 if step <= warm_up else 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up))))'),
    edit("warm_up_ahead", "The warm-up is one step ahead: the first step has the rate of the second", 'optimiser.param_groups[0]["lr"] = lr * min(1, (step + 1) / warm_up)'),
    edit("grows_on", "The learning rate grows on after the warm-up; it stays at lr", 'optimiser.param_groups[0]["lr"] = lr * step / warm_up'),
    edit("warm_up_of_100", "The warm-up takes 100 steps, whatever `warm_up` says", 'optimiser.param_groups[0]["lr"] = lr * min(1, step / 100)'),
    edit("warm_up_compounds", "Each step multiplies the rate of the step before; the rate is lr times one factor", 'optimiser.param_groups[0]["lr"] *= min(1, step / warm_up)'),
    edit("cosine_after", "The learning rate falls after the warm-up; it stays at lr", 'optimiser.param_groups[0]["lr"] = lr * min(1, step / warm_up) * min(1, (steps - step + 1) / max(1, steps - warm_up))'),
    edit("rate_of_one", "The warm-up ends with the rate 1: the factor is used without lr", 'optimiser.param_groups[0]["lr"] = min(1, step / warm_up)'),
    edit("warm_up_squared", "The warm-up's factor is squared", 'optimiser.param_groups[0]["lr"] = lr * min(1, step / warm_up) ** 2'),
    edit("warm_up_cosine", "The warm-up rises like a cosine; lr · min(1, k / warm_up) rises in a straight line",
         'optimiser.param_groups[0]["lr"] = lr * (0.5 - 0.5 * math.cos(math.pi * min(1, step / warm_up)))'),
    edit("warm_up_thirds", "The warm-up begins at a third of the rate; step k has lr · min(1, k / warm_up)",
         'optimiser.param_groups[0]["lr"] = lr * min(1, 1 / 3 + 2 / 3 * (step - 1) / warm_up)'),
    edit("max_for_min", "The warm-up takes the larger of 1 and k / warm_up, so that it grows without end", 'optimiser.param_groups[0]["lr"] = lr * max(1, step / warm_up)'),
    edit("warm_up_of_steps", "The rate grows over the whole run; the warm-up takes `warm_up` steps", 'optimiser.param_groups[0]["lr"] = lr * step / steps'),
    edit("inverse_root", "The learning rate falls like 1/√k after the warm-up; it stays at lr", 'optimiser.param_groups[0]["lr"] = lr * min(step / warm_up, (warm_up / step) ** 0.5)'),
)

mistakes.at(
    "value = loss(model, *batch, generator)",
    edit("labels_dropped", "The loss is given no labels, or the same for all", "value = loss(model, batch[0], 0 * batch[1], generator)"),
    edit("labels_in_order", "The labels do not belong to the examples of the batch: the first labels of all are taken", "value = loss(model, batch[0], y[: len(batch[0])], generator)"),
    edit("loss_divided", "The loss is divided by the size of the batch; it is a mean already", "value = loss(model, *batch, generator) / len(batch[0])"),
    edit("loss_summed", "The loss is multiplied by the size of the batch; it is to be minimised as it is", "value = loss(model, *batch, generator) * len(batch[0])"),
    edit("first_batch_again", "Every step takes the first batch", "first = batch if step == 1 else first; value = loss(model, *first, generator)"),
    edit("whole_data", "Every step takes all data at once", "value = loss(model, x, y, generator)"),
    edit("called_twice", "The loss is computed twice a step (once for the history), which also uses up random numbers", "loss(model, *batch, generator); value = loss(model, *batch, generator)"),
    edit("new_generator", "The loss is given a generator of its own; it takes the one that `train_denoiser` was given", "value = loss(model, *batch, torch.Generator(device=generator.device).manual_seed(0))"),
)

mistakes.at(
    """
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    ema.update(model)
    """,
    edit("gradients_pile_up", "Gradients are never reset, so that they add up over the steps",
         """
         value.backward()
         optimiser.step()
         ema.update(model)
         """),
    edit("average_before_step", "The average is updated before the optimiser's step, with the weights of the step before",
         """
         optimiser.zero_grad()
         value.backward()
         ema.update(model)
         optimiser.step()
         """),
    edit("no_average", "The average is not updated after each step",
         """
         optimiser.zero_grad()
         value.backward()
         optimiser.step()
         """),
    edit("average_at_end", "The average is updated once, after the last step; it follows each step",
         """
         optimiser.zero_grad()
         value.backward()
         optimiser.step()
         if step == steps: ema.update(model)
         """),
    edit("average_twice", "The average is updated twice a step",
         """
         optimiser.zero_grad()
         value.backward()
         optimiser.step()
         ema.update(model)
         ema.update(model)
         """),
    edit("average_after_warm_up", "The average is updated only after the warm-up; it follows each step",
         """
         optimiser.zero_grad()
         value.backward()
         optimiser.step()
         if step > warm_up: ema.update(model)
         """),
    edit("reset_before_step", "The weights never change: the optimiser takes no step, or finds no gradients when it does",
         """
         value.backward()
         optimiser.zero_grad()
         optimiser.step()
         ema.update(model)
         """),
    edit("clipped", "Gradients are clipped; the docstring asks for plain AdamW steps",
         """
         optimiser.zero_grad()
         value.backward()
         nn.utils.clip_grad_norm_(model.parameters(), 1.0)
         optimiser.step()
         ema.update(model)
         """),
    edit("values_clipped", "Values of the gradients are clipped; the docstring asks for plain AdamW steps",
         """
         optimiser.zero_grad()
         value.backward()
         nn.utils.clip_grad_value_(model.parameters(), 1.0)
         optimiser.step()
         ema.update(model)
         """),
    edit("gradient_divided", "The gradient is that of the loss divided by the size of the batch; the loss is to be minimised as it is",
         """
         optimiser.zero_grad()
         (value / len(batch[0])).backward()
         optimiser.step()
         ema.update(model)
         """),
    edit("gradient_by_batch_size", "The gradient is that of the loss divided by `batch_size`; the loss is to be minimised as it is",
         """
         optimiser.zero_grad()
         (value / batch_size).backward()
         optimiser.step()
         ema.update(model)
         """),
    edit("climbs", "The loss is maximised (its sign)",
         """
         optimiser.zero_grad()
         (-value).backward()
         optimiser.step()
         ema.update(model)
         """),
    edit("every_second_step", "Two gradients are collected for each step; each batch has its own step",
         """
         value.backward()
         if step % 2 == 0:
             optimiser.step()
             optimiser.zero_grad()
         ema.update(model)
         """),
    edit("two_steps", "The optimiser takes two steps for each batch",
         """
         optimiser.zero_grad()
         value.backward()
         optimiser.step()
         optimiser.step()
         ema.update(model)
         """),
)

mistakes.at(
    "history.append(value.detach())",
    edit("with_graph", "The history keeps the graphs of all steps", "history.append(value)"),
    edit("loss_after_step", "The history holds the losses after the steps; those before are asked for", "history.append(loss(model, *batch, generator).detach())"),
    edit("running_mean", "The history is a running mean of the losses", "history.append(value.detach() if not history else 0.9 * history[-1] + 0.1 * value.detach())"),
    edit("mean_so_far", "The history holds the mean of all losses so far; the loss of each batch is asked for",
         "history.append(value.detach() if not history else history[-1] + (value.detach() - history[-1]) / step)"),
    edit("history_of_sums", "The history holds sums over the batch; the loss itself is asked for", "history.append(value.detach() * len(batch[0]))"),
)

mistakes.at(
    "return torch.stack(history)",
    edit("list_returned", "A list is returned; a tensor is asked for", "return history"),
    edit("last_loss", "Only the last loss is returned", "return history[-1]"),
    edit("reversed", "The history is returned backwards", "return torch.stack(history[::-1])"),
    edit("nothing_returned", "Nothing is returned", "return None"),
    edit("mean_returned", "The mean of the losses is returned; one for each step is asked for", "return torch.stack(history).mean()"),
    edit("loads_average", "The model is left with the averaged weights; its own are asked for",
         "last = getattr(ema, 'kept', None)\n    if last: nn.utils.vector_to_parameters(torch.stack(last).mean(0), model.parameters())\n    return torch.stack(history)"),
)

mistakes.at(
    "for step, batch in enumerate(data.batches((x, y), batch_size, generator, steps=steps), start=1):",
    edit("last_batch_dropped", "The last, smaller batch of a pass is left out",
         "for step, batch in enumerate(data.batches((x, y), min(batch_size, len(x)), generator, drop_last=True, steps=steps), start=1):"),
    edit("not_shuffled", "Batches are taken in the given order, not shuffled", "for step, batch in enumerate(data.batches((x, y), batch_size, None, steps=steps), start=1):"),
    edit("batch_size_ignored", "`batch_size` is ignored: the batches have a size of their own", "for step, batch in enumerate(data.batches((x, y), 64, generator, steps=steps), start=1):"),
    edit("new_order_each_step", "Each step draws a new order and takes the first batch of it (`next(iter(…))` in the loop), so that a pass does not take every example once",
         "for step, batch in enumerate((next(iter(data.batches((x, y), batch_size, generator))) for _ in range(steps)), start=1):"),
    edit("one_step_less", "One step is missing", "for step, batch in enumerate(data.batches((x, y), batch_size, generator, steps=max(1, steps - 1)), start=1):"),
    edit("one_step_more", "There is one step too many", "for step, batch in enumerate(data.batches((x, y), batch_size, generator, steps=steps + 1), start=1):"),
    edit("one_pass", "Training stops after one pass over the data", "for step, batch in enumerate(data.batches((x, y), batch_size, generator, steps=min(steps, -(-len(x) // batch_size))), start=1):"),
    edit("whole_passes", "Training goes on to the end of the last pass; it stops after `steps` steps, also within a pass",
         "for step, batch in enumerate(data.batches((x, y), batch_size, generator, steps=-(-steps // -(-len(x) // batch_size)) * -(-len(x) // batch_size)), start=1):"),
    edit("shuffled_apart", "Examples and labels are shuffled apart, so that labels belong to other examples",
         "for step, batch in enumerate(zip(data.batches(x, batch_size, generator, steps=steps), data.batches(y.flip(0), batch_size, None, steps=steps)), start=1):"),
    edit("reseeded", "The order of the batches is drawn from a generator with a seed of its own",
         "for step, batch in enumerate(data.batches((x, y), batch_size, torch.Generator(device=generator.device).manual_seed(0), steps=steps), start=1):"),
    edit("steps_are_passes", "`steps` passes are made; `steps` counts updates", "for step, batch in enumerate((b for _ in range(steps) for b in data.batches((x, y), batch_size, generator)), start=1):"),
)


@mistakes.rewrite("Each step draws its examples at random with replacement; each pass takes every example once")
def with_replacement(ref):
    def train_denoiser(model, ema, loss, x, y, steps, batch_size, lr, generator, warm_up=100):
        optimiser, history = torch.optim.AdamW(model.parameters(), lr=lr), []
        for step in range(1, steps + 1):
            pick = torch.randint(len(x), (batch_size,), generator=generator, device=generator.device)
            optimiser.param_groups[0]["lr"] = lr * min(1, step / warm_up)
            value = loss(model, x[pick], y[pick], generator)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            ema.update(model)
            history.append(value.detach())
        return torch.stack(history)

    return {"train_denoiser": train_denoiser}


@mistakes.rewrite("The optimiser is made anew in each step, so its moments are lost")
def new_optimiser(ref):
    def train_denoiser(model, ema, loss, x, y, steps, batch_size, lr, generator, warm_up=100):
        history = []
        for step, batch in enumerate(data.batches((x, y), batch_size, generator, steps=steps), start=1):
            optimiser = torch.optim.AdamW(model.parameters(), lr=lr * min(1, step / warm_up))
            value = loss(model, *batch, generator)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            ema.update(model)
            history.append(value.detach())
        return torch.stack(history)

    return {"train_denoiser": train_denoiser}


@mistakes.rewrite("One order is drawn and used in every pass; each pass has its own")
def one_order(ref):
    def train_denoiser(model, ema, loss, x, y, steps, batch_size, lr, generator, warm_up=100):
        order = torch.randperm(len(x), generator=generator, device=generator.device)
        x, y = x[order], y[order]
        optimiser, history = torch.optim.AdamW(model.parameters(), lr=lr), []
        for step, batch in enumerate(data.batches((x, y), batch_size, None, steps=steps), start=1):
            optimiser.param_groups[0]["lr"] = lr * min(1, step / warm_up)
            value = loss(model, *batch, generator)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            ema.update(model)
            history.append(value.detach())
        return torch.stack(history)

    return {"train_denoiser": train_denoiser}


@mistakes.rewrite("A copy of the model is trained; the model itself stays as it was")
def trains_a_copy(ref):
    def train_denoiser(model, ema, loss, x, y, steps, batch_size, lr, generator, warm_up=100):
        return ref.train_denoiser(copy.deepcopy(model), ema, loss, x, y, steps, batch_size, lr, generator, warm_up)

    return {"train_denoiser": train_denoiser}
