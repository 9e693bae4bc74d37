"""Named wrong versions of the answers to question 6."""


import torch
from torch import nn

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- PatchCritic ----------------------------------------------------------------------------------------------------

mistakes.at(
    "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),",
    edit("sees_seven", "A logit of `PatchCritic` sees 7×7 pixels, as with kernel 3 and stride 2 twice; 10×10 are asked for",
         "nn.Conv2d(channels, 24, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("sees_eight", "A logit of `PatchCritic` sees 8×8 pixels: one of the layers that set the patch has too small a kernel; 10×10 are asked for",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("sees_nine", "A logit of `PatchCritic` sees 9×9 pixels: the first kernel is one short; 10×10 are asked for",
         "nn.Conv2d(channels, 24, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("sees_four", "A logit of `PatchCritic` sees 4×4 pixels: patches side by side, without overlap; 10×10 are asked for",
         "nn.Conv2d(channels, 24, 2, stride=2), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 2, stride=2), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("sees_eighteen", "A logit of `PatchCritic` sees 18×18 pixels: after two strides of 2, a last kernel of 3 adds 8; the last layer must not widen the patch",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 3, padding=1),"),
    edit("sees_sixteen", "A logit of `PatchCritic` sees 16×16 pixels, 6 too many on either side: a kernel is too wide",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 7, stride=2, padding=3), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("sees_twelve", "A logit of `PatchCritic` sees 12×12 pixels, one too many on each side; the widths of all layers add up to 10",
         "nn.Conv2d(channels, 24, 6, stride=2, padding=2), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("sees_fourteen", "A logit of `PatchCritic` sees 14×14 pixels, two too many on each side; a kernel's width counts times the strides before it",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 6, stride=2, padding=2), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("off_by_one", "The patches of `PatchCritic` have 10×10 pixels, but begin a row and a column too early; the paddings decide where the first one begins",
         "nn.Conv2d(channels, 24, 6, stride=2, padding=2), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("from_zero", "The patches of `PatchCritic` begin at row 4i, since all padding is at the far end; they begin at row 4i - 3",
         "nn.ZeroPad2d((0, 6, 0, 6)), nn.Conv2d(channels, 48, 10, stride=4), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("paper_layers", "`PatchCritic` ends with a kernel of 4, as in the paper's critic for large pictures: one row and column of logits is lost, and each sees 22 pixels",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 4, padding=1),"),
    edit("half_the_strides", "The second convolution of `PatchCritic` has stride 1: twice as many logits along each axis, and patches 2 apart",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 3, stride=1, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("one_stride_more", "`PatchCritic` has a third layer with stride 2, so there is a logit for every 8 pixels only",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(48, 1, 1),"),
    edit("no_padding", "The convolutions of `PatchCritic` have no padding: a row and a column of logits is lost, and the first patch begins at 0",
         "nn.Conv2d(channels, 24, 4, stride=2), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("no_stride", "`PatchCritic` gives a logit for every pixel: no layer has a stride, or its map is blown up at the end; one for 4×4 pixels is asked for",
         "nn.Conv2d(channels, 24, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("batch_norm", "A logit of `PatchCritic` depends on other pictures of the batch, as batch normalisation makes it; its patch alone may decide",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.BatchNorm2d(48), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("picture_norm", "A logit of `PatchCritic` depends on the whole picture: normalisation over places (instance, group, layer) takes a mean over all of them, as does any mean of the map, so every patch sees every other",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.GroupNorm(1, 48), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("instance_norm", "`PatchCritic` normalises each feature over the places of a picture: every logit sees all of it, and a map of one place cannot be normalised at all",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.InstanceNorm2d(48), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("one_logit", "`PatchCritic` averages to one logit for the whole picture; a map of logits is asked for",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1), nn.AdaptiveAvgPool2d(1),"),
    edit("sigmoid_end", "`PatchCritic` ends with a sigmoid; a critic gives logits, and the losses apply their own",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1), nn.Sigmoid(),"),
    edit("tanh_end", "`PatchCritic` ends with tanh, so no logit can leave [-1, 1]; the last layer has no activation",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1), nn.Tanh(),"),
    edit("relu_end", "`PatchCritic` ends with a ReLU (or something else that is never negative), so it cannot say \"fake\" clearly",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1), nn.Softplus(),"),
    edit("no_activation", "`PatchCritic` has no activation between its layers; together they are one linear filter",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.Conv2d(48, 1, 1),"),
    edit("dropout", "`PatchCritic` gives one picture other logits each time, as dropout makes it; nothing in it may be random",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("channels_ignored", "`PatchCritic` takes one channel whatever `channels` is; a pair has two",
         "nn.Conv2d(1, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("two_logits", "`PatchCritic` gives two numbers for each patch, as for two classes; one logit is asked for",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 2, 1),"),
    edit("many_logits", "The last layer of `PatchCritic` keeps all features; one logit for each patch is asked for",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1),"),
    edit("flat", "`PatchCritic` lays its map out as a vector; the shape (N, 1, H/4, W/4) is asked for",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1), nn.Flatten(),"),
    edit("no_channel_axis", "`PatchCritic` drops the axis of one channel; the shape (N, 1, H/4, W/4) is asked for",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1), nn.Flatten(1, 2),"),
    edit("wraps", "At its borders `PatchCritic` continues the picture with the opposite side, so a logit in a corner sees all four corners",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1, padding_mode=\"circular\"), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1, padding_mode=\"circular\"), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("picture_changed", "`PatchCritic` changes the picture that it judges, by an activation in place in front of the first layer",
         "nn.ReLU(inplace=True), nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
    edit("linear_layer", "`PatchCritic` ends with a fully connected layer: it is tied to one size of picture, and each logit sees all of it",
         "nn.Conv2d(channels, 24, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Flatten(), nn.LazyLinear(16), nn.Unflatten(1, (1, 4, 4)),"),
    edit("rows_alone", "Patches of `PatchCritic` are 10 rows by 7 columns; the kernels are not square",
         "nn.Conv2d(channels, 24, (4, 3), stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(24, 48, (4, 3), stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(48, 1, 1),"),
)


@mistakes.rewrite("`PatchCritic` knows where a patch lies, so equal patches get unequal logits; a convolution is the same everywhere")
def knows_the_place(ref):
    class PatchCritic(ref.PatchCritic):
        def forward(self, x):
            logits = self.net(x)
            return logits + 0.1 * torch.arange(logits.shape[-1], device=x.device) + 0.2 * torch.arange(logits.shape[-2], device=x.device)[:, None]

    return {"PatchCritic": PatchCritic}


@mistakes.rewrite("`PatchCritic` subtracts the mean of each picture, so that every logit sees every pixel")
def centred(ref):
    class PatchCritic(ref.PatchCritic):
        def forward(self, x):
            return self.net(x - x.mean((2, 3), keepdim=True))

    return {"PatchCritic": PatchCritic}


@mistakes.rewrite("`PatchCritic` cuts its logits off from the picture, so no generator can learn from them")
def cut_off(ref):
    class PatchCritic(ref.PatchCritic):
        def forward(self, x):
            return self.net(x.detach())

    return {"PatchCritic": PatchCritic}


@mistakes.rewrite("The layers of `PatchCritic` are no parameters of it (kept in a list, or made anew in each call), so no optimiser finds them")
def unregistered(ref):
    class PatchCritic(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.layers = list(ref.PatchCritic(channels).net)

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    return {"PatchCritic": PatchCritic}


@mistakes.rewrite("`PatchCritic` computes in float32 whatever it is converted to")
def critic_float32(ref):
    class PatchCritic(ref.PatchCritic):
        def forward(self, x):
            return self.net.float()(x.float())

    return {"PatchCritic": PatchCritic}


@mistakes.rewrite("`PatchCritic` reads pictures as (N, C, W, H): rows and columns of its map are exchanged")
def transposed(ref):
    class PatchCritic(ref.PatchCritic):
        def forward(self, x):
            return self.net(x.transpose(2, 3))

    return {"PatchCritic": PatchCritic}


@mistakes.rewrite("`PatchCritic` looks at the first channel alone; of a pair it sees the input and not the output")
def first_channel(ref):
    class PatchCritic(ref.PatchCritic):
        def forward(self, x):
            return self.net(torch.cat([x[:, :1], 0 * x[:, 1:].detach()], 1))

    return {"PatchCritic": PatchCritic}


# --- paired_loss ----------------------------------------------------------------------------------------------------

mistakes.at(
    "hole = torch.ones_like(y[:, :1]) if hole is None else hole",
    edit("hole_inverted", "`paired_loss` takes the hole for what is known: it counts errors outside and shows the critic the fake there", "hole = torch.ones_like(y[:, :1]) if hole is None else 1 - hole"),
    edit("hole_ignored", "`paired_loss` ignores the hole", "hole = torch.ones_like(y[:, :1])"),
    edit("hole_of_first", "`paired_loss` uses the first picture's hole for all", "hole = torch.ones_like(y[:, :1]) if hole is None else hole[:1].expand_as(y[:, :1])"),
    edit("hole_anywhere", "`paired_loss` counts a pixel in all pictures if it is in the hole of any", "hole = torch.ones_like(y[:, :1]) if hole is None else hole.amax(0, keepdim=True).expand_as(y[:, :1])"),
    edit("hole_flipped", "`paired_loss` exchanges the holes among the pictures of the batch", "hole = torch.ones_like(y[:, :1]) if hole is None else hole.roll(1, 0)"),
    edit("nothing_without", "Without a hole, `paired_loss` returns the verdict alone; None counts all pixels", "if hole is None: return loss_as_real(critic(torch.cat([x, fake], 1)))"),
    edit("none_is_empty", "`paired_loss` takes None for an empty hole, so the critic sees y and the L1 term is not a number", "hole = torch.zeros_like(y[:, :1]) if hole is None else hole"),
    edit("hole_float32", "`paired_loss` computes in float32 whatever comes in", "x, y, fake = x.float(), y.float(), fake.float(); critic = copy.deepcopy(critic).float(); hole = torch.ones_like(y[:, :1]) if hole is None else hole.float()"),
)

mistakes.at(
    "verdict = loss_as_real(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1)))",
    edit("unpasted", "`paired_loss` shows the critic what the generator drew outside the hole; there the picture is known, and y belongs there", "verdict = loss_as_real(critic(torch.cat([x, fake], 1)))"),
    edit("black_outside", "`paired_loss` shows the critic zeros outside the hole, where y belongs", "verdict = loss_as_real(critic(torch.cat([x, hole * fake], 1)))"),
    edit("known_in_hole", "`paired_loss` shows the critic y in the hole and the fake outside: the wrong way round", "verdict = loss_as_real(critic(torch.cat([x, (1 - hole) * fake + hole * y], 1)))"),
    edit("pair_reversed", "`paired_loss` shows the critic the picture first and then x; x comes first", "verdict = loss_as_real(critic(torch.cat([hole * fake + (1 - hole) * y, x], 1)))"),
    edit("as_fake", "`paired_loss` rewards the generator when the critic says \"fake\": the critic's loss, or a wrong sign", "verdict = loss_as_fake(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1)))"),
    edit("saturating", "`paired_loss` subtracts the critic's loss of the fake (the saturating form); (6.1) has ℓ, which keeps its slope where the critic is sure", "verdict = -loss_as_fake(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1)))"),
    edit("real_pair", "`paired_loss` asks the critic about the real pair, which the generator cannot change", "verdict = loss_as_real(critic(torch.cat([x, y], 1)))"),
    edit("x_twice", "`paired_loss` leaves the input out: the critic sees the fake twice, or at the place of x", "verdict = loss_as_real(critic(torch.cat([hole * fake + (1 - hole) * y] * 2, 1)[:, -x.shape[1] - y.shape[1]:] if x.shape[1] <= y.shape[1] else torch.cat([hole * fake + (1 - hole) * y] * (1 + x.shape[1]), 1)[:, : x.shape[1] + y.shape[1]]))"),
    edit("partner_as_input", "`paired_loss` shows the critic y at the place of x; the pair is input and output", "verdict = loss_as_real(critic(torch.cat([y.mean(1, keepdim=True).expand_as(x), hole * fake + (1 - hole) * y], 1)))"),
    edit("unpaired_critic", "`paired_loss` shows the critic the output alone; it must see x, too, to know whether they belong together", "verdict = loss_as_real(critic(hole * fake + (1 - hole) * y))"),
    edit("side_by_side", "`paired_loss` puts the two pictures next to each other, or on top, or into one batch; as channels, the critic compares them pixel by pixel", "verdict = loss_as_real(critic(torch.cat([x[:, :1], (hole * fake + (1 - hole) * y)[:, :1]], 3)))"),
    edit("summed_pair", "`paired_loss` shows the critic the sum or difference of the two pictures", "verdict = loss_as_real(critic(hole * fake + (1 - hole) * y - x))"),
    edit("fake_detached", "`paired_loss` detaches the fake in front of the critic: its verdict never reaches the generator", "verdict = loss_as_real(critic(torch.cat([x, (hole * fake + (1 - hole) * y).detach()], 1)))"),
    edit("mean_logit", "`paired_loss` takes ℓ of the mean logit; each patch has a loss of its own, and these are averaged", "verdict = loss_as_real(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1)).mean())"),
    edit("minus_logit", "`paired_loss` takes minus the mean logit (a Wasserstein critic); (6.1) has ℓ", "verdict = -critic(torch.cat([x, hole * fake + (1 - hole) * y], 1)).mean()"),
    edit("squares", "`paired_loss` takes the square of logit minus 1 (least squares); (6.1) has ℓ", "verdict = (critic(torch.cat([x, hole * fake + (1 - hole) * y], 1)) - 1).square().mean()"),
    edit("log_of_sigmoid", "`paired_loss` takes the logarithm of a sigmoid, which is infinite once the sigmoid underflows", "verdict = -torch.sigmoid(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1))).log().mean()"),
    edit("log_clamped", "`paired_loss` cuts the loss of the logits off (at ±50, or by an epsilon in a logarithm); far-off fakes then give no gradient", "verdict = loss_as_real(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1)).clamp(-50, 50))"),
    edit("log_epsilon", "`paired_loss` adds an epsilon to a probability; logits of hundreds then cost far too little", "verdict = -(torch.sigmoid(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1))) + 1e-8).log().mean()"),
    edit("verdict_summed", "`paired_loss` adds the losses of all logits up; a loss is a mean", "verdict = F.softplus(-critic(torch.cat([x, hole * fake + (1 - hole) * y], 1))).sum()"),
    edit("verdict_over_batch", "`paired_loss` divides the sum of the logits' losses by the batch alone", "verdict = F.softplus(-critic(torch.cat([x, hole * fake + (1 - hole) * y], 1))).sum() / len(x)"),
    edit("real_too", "`paired_loss` adds the critic's loss of the real pair, which does not depend on the generator", "verdict = loss_as_real(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1))) + loss_as_real(critic(torch.cat([x, y], 1)))"),
    edit("half_verdict", "`paired_loss` halves the verdict", "verdict = 0.5 * loss_as_real(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1)))"),
    edit("sigmoid_in_between", "`paired_loss` applies a sigmoid to the logits before ℓ, which applies its own", "verdict = loss_as_real(torch.sigmoid(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1))))"),
    edit("one_minus", "`paired_loss` uses log(1 - D) without its sign, the game's value, as if the critic gave probabilities", "verdict = torch.log1p(-torch.sigmoid(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1))).clamp(max=1 - 1e-6)).mean()"),
    edit("critic_no_grad", "`paired_loss` asks the critic inside no_grad; the generator learns through it", "verdict = torch.no_grad()(lambda: loss_as_real(critic(torch.cat([x, hole * fake + (1 - hole) * y], 1))))()"),
    edit("fake_clipped", "`paired_loss` cuts the fake off at ±1 in front of the critic, so the critic is not asked about what was drawn", "verdict = loss_as_real(critic(torch.cat([x, (hole * fake + (1 - hole) * y).clamp(-1, 1)], 1)))"),
    edit("pasted_with_x", "`paired_loss` pastes x outside the hole; the picture there is y", "verdict = loss_as_real(critic(torch.cat([x, hole * fake + (1 - hole) * x[:, :1]], 1)))"),
    edit("target_shuffled", "`paired_loss` shows the critic x of another picture; such pairs are never real", "verdict = loss_as_real(critic(torch.cat([x.roll(1, 0), hole * fake + (1 - hole) * y], 1)))"),
)

mistakes.at(
    "return verdict + weight * (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1])",
    edit("composites_first", "`paired_loss` pastes the known pixels in before L1 and averages over the whole picture; errors in a small hole then count next to nothing", "return verdict + weight * (hole * fake + (1 - hole) * y - y).abs().mean()"),
    edit("all_pixels", "The L1 term of `paired_loss` counts pixels outside the hole", "return verdict + weight * (fake - y).abs().mean()"),
    edit("outside_alone", "The L1 term of `paired_loss` counts what lies outside the hole", "return verdict + weight * ((1 - hole) * (fake - y).abs()).sum() / ((1 - hole).sum().clamp(min=1) * y.shape[1])"),
    edit("channels_forgotten", "The L1 term of `paired_loss` is divided by the number of pixels and not by that of channels", "return verdict + weight * (hole * (fake - y).abs()).sum() / hole.sum()"),
    edit("mean_of_means", "`paired_loss` averages each picture's hole by itself, and then the means; the mean over all pixels of the batch is asked for", "return verdict + weight * ((hole * (fake - y).abs()).sum((1, 2, 3)) / (hole.sum((1, 2, 3)).clamp(min=1) * y.shape[1])).mean()"),
    edit("l1_summed", "`paired_loss` adds the L1 errors up; the mean over the hole is asked for", "return verdict + weight * (hole * (fake - y).abs()).sum()"),
    edit("l2", "`paired_loss` takes squares; (6.1) has the absolute value, which blurs less", "return verdict + weight * (hole * (fake - y).square()).sum() / (hole.sum() * y.shape[1])"),
    edit("root_of_squares", "`paired_loss` takes the root of the mean square; (6.1) has the absolute value", "return verdict + weight * ((hole * (fake - y).square()).sum() / (hole.sum() * y.shape[1])).sqrt()"),
    edit("smooth_l1", "`paired_loss` takes a smooth L1, which squares small errors", "return verdict + weight * (hole * F.smooth_l1_loss(fake, y, reduction=\"none\")).sum() / (hole.sum() * y.shape[1])"),
    edit("no_absolute", "`paired_loss` averages errors with their signs, so that too dark and too bright cancel", "return verdict + weight * (hole * (fake - y)).sum() / (hole.sum() * y.shape[1])"),
    edit("absolute_outside", "`paired_loss` takes the absolute value of the mean error; too dark and too bright cancel", "return verdict + weight * ((hole * (fake - y)).sum() / (hole.sum() * y.shape[1])).abs()"),
    edit("l1_subtracted", "`paired_loss` subtracts the L1 term, so it rewards being far from the partner", "return verdict - weight * (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1])"),
    edit("weight_of_verdict", "`paired_loss` puts the weight on the verdict; it belongs to L1", "return weight * verdict + (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1])"),
    edit("weight_of_both", "`paired_loss` puts the weight on both terms", "return weight * (verdict + (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1]))"),
    edit("weight_ignored", "`paired_loss` ignores its weight", "return verdict + (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1])"),
    edit("weight_hundred", "`paired_loss` uses the paper's weight 100 whatever is given", "return verdict + 100 * (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1])"),
    edit("convex", "`paired_loss` mixes the terms with weights that sum to one; the verdict counts fully", "return (1 - weight) * verdict + weight * (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1])"),
    edit("l1_to_input", "`paired_loss` measures L1 to the input x; the partner is y", "return verdict + weight * (hole * (fake - x[:, :1]).abs()).sum() / (hole.sum() * y.shape[1])"),
    edit("l1_alone", "`paired_loss` returns the L1 term alone, without the critic", "return weight * (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1])"),
    edit("verdict_alone", "`paired_loss` returns the verdict alone, without L1", "return verdict"),
    edit("l1_detached", "`paired_loss` cuts the L1 term off from its graph", "return verdict + weight * ((hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1])).detach()"),
    edit("one_more", "`paired_loss` adds 1 to the size of the hole before it divides", "return verdict + weight * (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1] + 1)"),
    edit("two_terms", "`paired_loss` returns two losses; their sum is asked for", "return verdict, weight * (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1])"),
    edit("as_number", "`paired_loss` returns a plain number without a graph; nothing can learn from it", "return float(verdict + weight * (hole * (fake - y).abs()).sum() / (hole.sum() * y.shape[1]))"),
    edit("hole_in_first_channel", "The L1 term of `paired_loss` looks at the first channel alone", "return verdict + weight * (hole * (fake - y).abs())[:, :1].sum() / hole.sum()"),
    edit("errors_clipped", "`paired_loss` cuts errors off at 2, the range of a picture; far-off fakes then have no slope", "return verdict + weight * (hole * (fake - y).abs().clamp(max=2)).sum() / (hole.sum() * y.shape[1])"),
)

# --- cycle_losses ---------------------------------------------------------------------------------------------------

mistakes.at(
    "cycle = (h(g(x)) - x).abs().mean() + (g(h(y)) - y).abs().mean()",
    edit("cycle_of_x", "`cycle_losses` closes the cycle of x alone; then h may send all of Y wherever g does not look", "cycle = (h(g(x)) - x).abs().mean()"),
    edit("cycle_of_y", "`cycle_losses` closes the cycle of y alone", "cycle = (g(h(y)) - y).abs().mean()"),
    edit("domains_swapped", "`cycle_losses` starts with the wrong network: it asks g(h(x)) and h(g(y)); g takes x", "cycle = (g(h(x)) - x).abs().mean() + (h(g(y)) - y).abs().mean()"),
    edit("twice_forth", "`cycle_losses` applies one network twice; the way back is the other's", "cycle = (g(g(x)) - x).abs().mean() + (h(h(y)) - y).abs().mean()"),
    edit("no_way_back", "`cycle_losses` compares the translation with its source, without the way back", "cycle = (g(x) - x).abs().mean() + (h(y) - y).abs().mean()"),
    edit("against_other", "`cycle_losses` compares the returned x with y; they are no pair", "n = min(len(x), len(y)); cycle = (h(g(x))[:n] - y[:n]).abs().mean() + (g(h(y))[:n] - x[:n]).abs().mean()"),
    edit("cycle_squared", "The cycle loss of `cycle_losses` takes squares; (6.2) has absolute values", "cycle = (h(g(x)) - x).square().mean() + (g(h(y)) - y).square().mean()"),
    edit("cycle_halved", "`cycle_losses` averages the two directions of the cycle; (6.2) adds them", "cycle = 0.5 * (h(g(x)) - x).abs().mean() + 0.5 * (g(h(y)) - y).abs().mean()"),
    edit("cycle_summed", "`cycle_losses` adds up pixels in the cycle loss; a mean is asked for", "cycle = (h(g(x)) - x).abs().sum() + (g(h(y)) - y).abs().sum()"),
    edit("cycle_over_batch", "`cycle_losses` divides the cycle's sum over pixels by the batch alone", "cycle = (h(g(x)) - x).abs().sum() / len(x) + (g(h(y)) - y).abs().sum() / len(y)"),
    edit("cycle_signed", "`cycle_losses` averages the cycle's errors with their signs", "cycle = (h(g(x)) - x).mean() + (g(h(y)) - y).mean()"),
    edit("cycle_abs_late", "`cycle_losses` takes the absolute value of the cycle's mean error", "cycle = (h(g(x)) - x).mean().abs() + (g(h(y)) - y).mean().abs()"),
    edit("fake_detached_g", "`cycle_losses` detaches g(x) and h(y) on the way: the first network of a cycle learns nothing from it", "cycle = (h(g(x).detach()) - x).abs().mean() + (g(h(y).detach()) - y).abs().mean()"),
    edit("first_fake_detached", "`cycle_losses` detaches g(x) on the way back: g learns nothing from its own cycle", "cycle = (h(g(x).detach()) - x).abs().mean() + (g(h(y)) - y).abs().mean()"),
    edit("second_fake_detached", "`cycle_losses` detaches h(y) on the way back: h learns nothing from its own cycle", "cycle = (h(g(x)) - x).abs().mean() + (g(h(y).detach()) - y).abs().mean()"),
    edit("cycle_detached", "The cycle loss of `cycle_losses` has no graph", "cycle = ((h(g(x)) - x).abs().mean() + (g(h(y)) - y).abs().mean()).detach()"),
    edit("cycle_subtracted", "`cycle_losses` subtracts one direction of the cycle from the other", "cycle = (h(g(x)) - x).abs().mean() - (g(h(y)) - y).abs().mean()"),
    edit("cycle_of_one_x", "`cycle_losses` uses the cycle of x twice", "cycle = 2 * (h(g(x)) - x).abs().mean()"),
    edit("joint_mean", "`cycle_losses` averages over the pixels of both directions together; each has a mean of its own", "cycle = 2 * torch.cat([(h(g(x)) - x).abs(), (g(h(y)) - y).abs()]).mean()"),
    edit("cycle_clipped", "`cycle_losses` cuts translations off at ±1 on the way; what leaves the range is hidden from the loss", "cycle = (h(g(x).clamp(-1, 1)) - x).abs().mean() + (g(h(y).clamp(-1, 1)) - y).abs().mean()"),
    edit("cycle_of_fakes", "`cycle_losses` compares the returned picture with the translation, not with the source", "cycle = (h(g(x)) - g(x)).abs().mean() + (g(h(y)) - h(y)).abs().mean()"),
    edit("cycle_smooth", "`cycle_losses` takes a smooth L1 in the cycle, which squares small errors", "cycle = F.smooth_l1_loss(h(g(x)), x) + F.smooth_l1_loss(g(h(y)), y)"),
    edit("cycle_rms", "`cycle_losses` takes the root of the mean square in the cycle; (6.2) has the mean absolute value", "cycle = (h(g(x)) - x).square().mean().sqrt() + (g(h(y)) - y).square().mean().sqrt()"),
    edit("cycle_source_detached", "`cycle_losses` cuts the sources off from their graph, so no gradient reaches the pictures", "x, y = x.detach(), y.detach(); cycle = (h(g(x)) - x).abs().mean() + (g(h(y)) - y).abs().mean()"),
    edit("cycle_float32", "`cycle_losses` computes in float32 whatever comes in", "cycle = ((h(g(x)) - x).float().abs().mean() + (g(h(y)) - y).float().abs().mean()).to(x.dtype)"),
    edit("equal_batches", "`cycle_losses` uses as many pictures of each kind as the smaller batch has; each kind has a mean of its own", "x, y = x[: len(y)], y[: len(x)]; cycle = (h(g(x)) - x).abs().mean() + (g(h(y)) - y).abs().mean()"),
)

mistakes.at(
    "return cycle, (g(y) - y).abs().mean() + (h(x) - x).abs().mean()",
    edit("identity_swapped", "The identity loss of `cycle_losses` asks g(x) = x: that forbids the translation itself. What is bold already stays as it is: g(y) = y", "return cycle, (g(x) - x).abs().mean() + (h(y) - y).abs().mean()"),
    edit("identity_of_y", "The identity loss of `cycle_losses` has one network only; h(x) should be x, too", "return cycle, (g(y) - y).abs().mean()"),
    edit("identity_of_x", "The identity loss of `cycle_losses` has h only; g(y) should be y, too", "return cycle, (h(x) - x).abs().mean()"),
    edit("order_swapped", "`cycle_losses` returns the identity loss first; the cycle loss comes first", "return (g(y) - y).abs().mean() + (h(x) - x).abs().mean(), cycle"),
    edit("losses_added", "`cycle_losses` returns one number; cycle and identity loss have weights of their own, so both are returned", "return cycle + (g(y) - y).abs().mean() + (h(x) - x).abs().mean()"),
    edit("identity_in_cycle", "`cycle_losses` has the identity loss in its cycle loss, too", "identity = (g(y) - y).abs().mean() + (h(x) - x).abs().mean(); return cycle + identity, identity"),
    edit("identity_squared", "The identity loss of `cycle_losses` takes squares; (6.2) has absolute values", "return cycle, (g(y) - y).square().mean() + (h(x) - x).square().mean()"),
    edit("identity_halved", "`cycle_losses` halves the identity loss, or averages its two parts; (6.2) adds them", "return cycle, 0.5 * ((g(y) - y).abs().mean() + (h(x) - x).abs().mean())"),
    edit("identity_summed", "`cycle_losses` adds up pixels in the identity loss; a mean is asked for", "return cycle, (g(y) - y).abs().sum() + (h(x) - x).abs().sum()"),
    edit("identity_signed", "`cycle_losses` averages the identity loss's errors with their signs", "return cycle, (g(y) - y).mean() + (h(x) - x).mean()"),
    edit("identity_detached", "The identity loss of `cycle_losses` has no graph", "return cycle, ((g(y) - y).abs().mean() + (h(x) - x).abs().mean()).detach()"),
    edit("identity_of_fakes", "The identity loss of `cycle_losses` asks that a second translation changes nothing: g(g(x)) = g(x); real pictures of Y are meant", "return cycle, (g(g(x)) - g(x)).abs().mean() + (h(h(y)) - h(y)).abs().mean()"),
    edit("identity_between", "The identity loss of `cycle_losses` compares the two networks with each other", "return cycle, (g(y) - h(y)).abs().mean() + (h(x) - g(x)).abs().mean()"),
    edit("identity_subtracted", "`cycle_losses` subtracts one part of the identity loss from the other", "return cycle, (g(y) - y).abs().mean() - (h(x) - x).abs().mean()"),
    edit("identity_smooth", "`cycle_losses` takes a smooth L1 in the identity loss, which squares small errors", "return cycle, F.smooth_l1_loss(g(y), y) + F.smooth_l1_loss(h(x), x)"),
    edit("identity_nets_swapped", "The identity loss of `cycle_losses` uses one network for both kinds", "return cycle, (g(y) - y).abs().mean() + (g(x) - x).abs().mean()"),
    edit("losses_as_numbers", "`cycle_losses` returns plain numbers without a graph", "return float(cycle), float((g(y) - y).abs().mean() + (h(x) - x).abs().mean())"),
    edit("identity_joint", "`cycle_losses` averages over the pixels of both parts of the identity loss together; each has a mean of its own", "return cycle, 2 * torch.cat([(g(y) - y).abs(), (h(x) - x).abs()]).mean()"),
    edit("losses_stacked", "`cycle_losses` returns four losses, one for each direction; two sums are asked for", "return (h(g(x)) - x).abs().mean(), (g(h(y)) - y).abs().mean(), (g(y) - y).abs().mean(), (h(x) - x).abs().mean()"),
)

# --- CycleTrainer ---------------------------------------------------------------------------------------------------

mistakes.at(
    "self.generators = torch.optim.Adam([*g.parameters(), *h.parameters()], lr, betas=(0.5, 0.9))",
    edit("g_alone", "The optimiser `self.generators` of `CycleTrainer` has g's weights only; h never learns", "self.generators = torch.optim.Adam(g.parameters(), lr, betas=(0.5, 0.9))"),
    edit("h_alone", "The optimiser `self.generators` of `CycleTrainer` has h's weights only; g never learns", "self.generators = torch.optim.Adam(h.parameters(), lr, betas=(0.5, 0.9))"),
    edit("g_twice", "The optimiser `self.generators` of `CycleTrainer` has the weights of g and of a critic; g and h are the generators", "self.generators = torch.optim.Adam([*g.parameters(), *critic_y.parameters()], lr, betas=(0.5, 0.9))"),
    edit("all_in_generators", "The optimiser `self.generators` of `CycleTrainer` has the critics' weights, too: the generators' update teaches critics to be fooled", "self.generators = torch.optim.Adam([*g.parameters(), *h.parameters(), *critic_x.parameters(), *critic_y.parameters()], lr, betas=(0.5, 0.9))"),
    edit("default_betas", "`self.generators` of `CycleTrainer` has Adam's default betas; (0.5, 0.9) are asked for", "self.generators = torch.optim.Adam([*g.parameters(), *h.parameters()], lr)"),
    edit("rate_ignored", "`self.generators` of `CycleTrainer` ignores lr", "self.generators = torch.optim.Adam([*g.parameters(), *h.parameters()], betas=(0.5, 0.9))"),
    edit("betas_swapped", "`self.generators` of `CycleTrainer` has betas (0.9, 0.5)", "self.generators = torch.optim.Adam([*g.parameters(), *h.parameters()], lr, betas=(0.9, 0.5))"),
    edit("sgd_generators", "`self.generators` of `CycleTrainer` is plain gradient descent; Adam is asked for", "self.generators = torch.optim.SGD([*g.parameters(), *h.parameters()], lr)"),
    edit("decay_generators", "`self.generators` of `CycleTrainer` decays weights, as AdamW does by default; plain Adam is asked for", "self.generators = torch.optim.AdamW([*g.parameters(), *h.parameters()], lr, betas=(0.5, 0.9))"),
    edit("second_beta", "`self.generators` of `CycleTrainer` has the second beta 0.999, as in the paper; 0.9 is asked for", "self.generators = torch.optim.Adam([*g.parameters(), *h.parameters()], lr, betas=(0.5, 0.999))"),
    edit("copies", "The optimisers of `CycleTrainer` hold copies of the weights, so the networks themselves never move", "self.generators = torch.optim.Adam([nn.Parameter(each.detach().clone()) for each in (*g.parameters(), *h.parameters())], lr, betas=(0.5, 0.9))"),
)

mistakes.at(
    "self.critics = torch.optim.Adam([*critic_x.parameters(), *critic_y.parameters()], lr, betas=(0.5, 0.9))",
    edit("critic_x_alone", "The optimiser `self.critics` of `CycleTrainer` has one critic only; the critic of Y never learns", "self.critics = torch.optim.Adam(critic_x.parameters(), lr, betas=(0.5, 0.9))"),
    edit("critic_y_alone", "The optimiser `self.critics` of `CycleTrainer` has one critic only; the critic of X never learns", "self.critics = torch.optim.Adam(critic_y.parameters(), lr, betas=(0.5, 0.9))"),
    edit("all_in_critics", "The optimiser `self.critics` of `CycleTrainer` has all four networks; it must not move generators", "self.critics = torch.optim.Adam([*g.parameters(), *h.parameters(), *critic_x.parameters(), *critic_y.parameters()], lr, betas=(0.5, 0.9))"),
    edit("critics_default_betas", "`self.critics` of `CycleTrainer` has Adam's default betas; (0.5, 0.9) are asked for", "self.critics = torch.optim.Adam([*critic_x.parameters(), *critic_y.parameters()], lr)"),
    edit("critics_rate", "`self.critics` of `CycleTrainer` ignores lr", "self.critics = torch.optim.Adam([*critic_x.parameters(), *critic_y.parameters()], betas=(0.5, 0.9))"),
    edit("sgd_critics", "`self.critics` of `CycleTrainer` is plain gradient descent; Adam is asked for", "self.critics = torch.optim.SGD([*critic_x.parameters(), *critic_y.parameters()], lr)"),
    edit("decay_critics", "`self.critics` of `CycleTrainer` decays weights, as AdamW does by default; plain Adam is asked for", "self.critics = torch.optim.AdamW([*critic_x.parameters(), *critic_y.parameters()], lr, betas=(0.5, 0.9))"),
    edit("optimisers_swapped", "`CycleTrainer` gives the generators' weights to `self.critics` and the critics' to `self.generators`", "self.critics, self.generators = self.generators, torch.optim.Adam([*critic_x.parameters(), *critic_y.parameters()], lr, betas=(0.5, 0.9))"),
    edit("critics_second_beta", "`self.critics` of `CycleTrainer` has the second beta 0.999, as in the paper; 0.9 is asked for", "self.critics = torch.optim.Adam([*critic_x.parameters(), *critic_y.parameters()], lr, betas=(0.5, 0.999))"),
)

mistakes.at(
    "fake_y, fake_x = self.g(x), self.h(y)",
    edit("wrong_networks", "`CycleTrainer` translates with the wrong networks: h(x) and g(y); g takes x", "fake_y, fake_x = self.h(x), self.g(y)"),
    edit("names_crossed", "`CycleTrainer` mixes the domains up: g(x) belongs to Y, and is asked and learned there", "fake_x, fake_y = self.g(x), self.h(y)"),
    edit("fakes_no_grad", "The critics' verdicts never reach the generators of `CycleTrainer`: they are missing, are about real pictures, or are cut off by detach or no_grad", "fake_y, fake_x = self.g(x).detach(), self.h(y).detach()"),
    edit("fake_y_detached", "In the generators' update of `CycleTrainer`, g learns nothing from the critic of Y: its verdict is missing, or g(x) is detached", "fake_y, fake_x = self.g(x).detach(), self.h(y)"),
    edit("fake_x_detached", "In the generators' update of `CycleTrainer`, h learns nothing from the critic of X: its verdict is missing, or h(y) is detached", "fake_y, fake_x = self.g(x), self.h(y).detach()"),
    edit("reconstructions", "`CycleTrainer` judges pictures that went there and back; the translations are to be judged", "fake_y, fake_x = self.g(self.h(y)), self.h(self.g(x))"),
    edit("same_network", "`CycleTrainer` translates with g in both directions", "fake_y, fake_x = self.g(x), self.g(y)"),
    edit("fakes_clipped", "`CycleTrainer` cuts fakes off at ±1; critics judge what was drawn", "fake_y, fake_x = self.g(x).clamp(-1, 1), self.h(y).clamp(-1, 1)"),
)

mistakes.at(
    "cycle, identity = cycle_losses(self.g, self.h, x, y)",
    edit("cycle_nets_swapped", "`CycleTrainer` asks for the cycle losses with g and h exchanged, or with x and y", "cycle, identity = cycle_losses(self.h, self.g, x, y)"),
    edit("cycle_names_swapped", "`CycleTrainer` exchanges the cycle and the identity loss, or their weights", "identity, cycle = cycle_losses(self.g, self.h, x, y)"),
    edit("cycle_of_detached", "`CycleTrainer` computes the cycle losses without a graph; the generators learn nothing from them", "cycle, identity = (each.detach() for each in cycle_losses(self.g, self.h, x, y))"),
    edit("cycle_of_translations", "`CycleTrainer` asks for the cycle losses of the fakes; real pictures go around", "cycle, identity = cycle_losses(self.g, self.h, fake_x.detach(), fake_y.detach())"),
)

mistakes.at(
    "loss = loss_as_real(self.critic_y(fake_y)) + loss_as_real(self.critic_x(fake_x))",
    edit("fooled_by_other", "`CycleTrainer` shows the generators' fakes to the wrong critic: a translation into Y must pass for a picture of Y", "loss = loss_as_real(self.critic_x(fake_y)) + loss_as_real(self.critic_y(fake_x))"),
    edit("generators_want_fake", "The generators of `CycleTrainer` are rewarded when their fakes are found out", "loss = loss_as_fake(self.critic_y(fake_y)) + loss_as_fake(self.critic_x(fake_x))"),
    edit("generators_saturate", "The generators of `CycleTrainer` minimise minus the critics' loss (the saturating form); (6.3) has ℓ", "loss = -loss_as_fake(self.critic_y(fake_y)) - loss_as_fake(self.critic_x(fake_x))"),
    edit("judged_half", "`CycleTrainer` halves the critics' verdicts in the generators' loss", "loss = 0.5 * loss_as_real(self.critic_y(fake_y)) + 0.5 * loss_as_real(self.critic_x(fake_x))"),
    edit("judged_by_squares", "The generators of `CycleTrainer` minimise least squares, as in the paper; (6.3) has ℓ", "loss = (self.critic_y(fake_y) - 1).square().mean() + (self.critic_x(fake_x) - 1).square().mean()"),
    edit("judged_by_logits", "The generators of `CycleTrainer` minimise minus the mean logit; (6.3) has ℓ", "loss = -self.critic_y(fake_y).mean() - self.critic_x(fake_x).mean()"),
    edit("judged_pooled", "`CycleTrainer` judges pictures of the pools in the generators' update; the generators answer for their new fakes, and the pools serve the critics", "loss = loss_as_real(self.critic_y(self.pool_y(fake_y))) + loss_as_real(self.critic_x(self.pool_x(fake_x)))"),
    edit("judged_in_sum", "`CycleTrainer` adds up the logits' losses in the generators' update; a mean is asked for", "loss = F.softplus(-self.critic_y(fake_y)).sum() + F.softplus(-self.critic_x(fake_x)).sum()"),
)

mistakes.at(
    """
    self.generators.zero_grad()
    (loss + self.cycle_weight * cycle + self.identity_weight * identity).backward()
    self.generators.step()
    """,
    edit("old_gradients", "`CycleTrainer` never clears the generators' gradients, so each update repeats all earlier ones",
         """
         (loss + self.cycle_weight * cycle + self.identity_weight * identity).backward()
         self.generators.step()
         """),
    edit("cleared_late", "The generators of `CycleTrainer` never move: backward or step is missing, or the gradients are cleared between the two",
         """
         (loss + self.cycle_weight * cycle + self.identity_weight * identity).backward()
         self.generators.zero_grad()
         self.generators.step()
         """),
    edit("cleared_after", "`CycleTrainer` clears the generators' gradients after their step only; what lay there before the first one counts",
         """
         (loss + self.cycle_weight * cycle + self.identity_weight * identity).backward()
         self.generators.step()
         self.generators.zero_grad()
         """),
    edit("two_steps", "The generators of `CycleTrainer` make two steps with one gradient: step is called twice, or once more in the critics' update",
         """
         self.generators.zero_grad()
         (loss + self.cycle_weight * cycle + self.identity_weight * identity).backward()
         self.generators.step()
         self.generators.step()
         """),
    edit("no_cycle", "The generators' loss of `CycleTrainer` lacks the cycle loss",
         """
         self.generators.zero_grad()
         (loss + self.identity_weight * identity).backward()
         self.generators.step()
         """),
    edit("no_identity", "The generators' loss of `CycleTrainer` lacks the identity loss",
         """
         self.generators.zero_grad()
         (loss + self.cycle_weight * cycle).backward()
         self.generators.step()
         """),
    edit("weights_ignored", "`CycleTrainer` ignores the weights of cycle and identity loss",
         """
         self.generators.zero_grad()
         (loss + cycle + identity).backward()
         self.generators.step()
         """),
    edit("cycle_weight_ignored", "`CycleTrainer` ignores the weight of the cycle loss",
         """
         self.generators.zero_grad()
         (loss + cycle + self.identity_weight * identity).backward()
         self.generators.step()
         """),
    edit("identity_weight_ignored", "`CycleTrainer` ignores the weight of the identity loss",
         """
         self.generators.zero_grad()
         (loss + self.cycle_weight * cycle + identity).backward()
         self.generators.step()
         """),
    edit("one_weight", "`CycleTrainer` gives the identity loss the weight of the cycle loss",
         """
         self.generators.zero_grad()
         (loss + self.cycle_weight * (cycle + identity)).backward()
         self.generators.step()
         """),
    edit("weights_multiplied", "`CycleTrainer` multiplies the identity loss by both weights",
         """
         self.generators.zero_grad()
         (loss + self.cycle_weight * (cycle + self.identity_weight * identity)).backward()
         self.generators.step()
         """),
    edit("paper_weights", "`CycleTrainer` uses the paper's weights 10 and 5 whatever is given",
         """
         self.generators.zero_grad()
         (loss + 10 * cycle + 5 * identity).backward()
         self.generators.step()
         """),
    edit("half_identity", "`CycleTrainer` halves the weight of the identity loss",
         """
         self.generators.zero_grad()
         (loss + self.cycle_weight * cycle + 0.5 * self.identity_weight * identity).backward()
         self.generators.step()
         """),
    edit("cycle_subtracted_step", "`CycleTrainer` subtracts cycle and identity loss",
         """
         self.generators.zero_grad()
         (loss - self.cycle_weight * cycle - self.identity_weight * identity).backward()
         self.generators.step()
         """),
    edit("clipped", "`CycleTrainer` cuts gradients off by their norm, which the update does not have",
         """
         self.generators.zero_grad()
         (loss + self.cycle_weight * cycle + self.identity_weight * identity).backward()
         nn.utils.clip_grad_norm_([*self.g.parameters(), *self.h.parameters()], 0.2)
         self.generators.step()
         """),
    edit("ascent", "`CycleTrainer` climbs the generators' loss",
         """
         self.generators.zero_grad()
         (-(loss + self.cycle_weight * cycle + self.identity_weight * identity)).backward()
         self.generators.step()
         """),
    edit("fakes_remade", "`CycleTrainer` translates once more after the generators' update; the critics see the fakes from before it",
         """
         self.generators.zero_grad()
         (loss + self.cycle_weight * cycle + self.identity_weight * identity).backward()
         self.generators.step()
         fake_y, fake_x = self.g(x), self.h(y)
         """),
    edit("two_updates", "`CycleTrainer` makes two updates for one: one by the critics' verdicts, and one by cycle and identity loss",
         """
         self.generators.zero_grad()
         loss.backward(retain_graph=True)
         self.generators.step()
         self.generators.zero_grad()
         again, same = cycle_losses(self.g, self.h, x, y)
         (self.cycle_weight * again + self.identity_weight * same).backward()
         self.generators.step()
         """),
)

mistakes.at(
    "loss_x = loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(self.pool_x(fake_x.detach())))",
    edit("x_attached", "`CycleTrainer` gives the pool of X fakes with their graph: old graphs pile up, and the critics' backward runs into the generators", "loss_x = loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(self.pool_x(fake_x)))"),
    edit("x_unpooled", "The critic of X in `CycleTrainer` never sees its pool", "loss_x = loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(fake_x.detach()))"),
    edit("x_wrong_pool", "The critic of X in `CycleTrainer` uses the pool of Y", "loss_x = loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(self.pool_y(fake_x.detach())))"),
    edit("x_pool_ignored", "`CycleTrainer` gives the fakes of X to their pool and shows the critic something else than what it returns", "self.pool_x(fake_x.detach()); loss_x = loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(fake_x.detach()))"),
    edit("x_verdicts_swapped", "The critic of X in `CycleTrainer` learns to call real pictures fake, and fakes real", "loss_x = loss_as_fake(self.critic_x(x)) + loss_as_real(self.critic_x(self.pool_x(fake_x.detach())))"),
    edit("x_reals_wrong", "The critic of X in `CycleTrainer` takes pictures of Y for real", "loss_x = loss_as_real(self.critic_x(y)) + loss_as_fake(self.critic_x(self.pool_x(fake_x.detach())))"),
    edit("x_fakes_wrong", "The critic of X in `CycleTrainer` learns from the fakes of Y", "loss_x = loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(self.pool_x(fake_y.detach())))"),
    edit("x_reals_missing", "The critic of X in `CycleTrainer` never sees real pictures", "loss_x = loss_as_fake(self.critic_x(self.pool_x(fake_x.detach())))"),
    edit("x_fakes_missing", "The critic of X in `CycleTrainer` never sees fakes", "loss_x = loss_as_real(self.critic_x(x))"),
    edit("x_both_real", "The critic of X in `CycleTrainer` learns that everything is real", "loss_x = loss_as_real(self.critic_x(x)) + loss_as_real(self.critic_x(self.pool_x(fake_x.detach())))"),
    edit("x_halved", "`CycleTrainer` halves the loss of the critic of X; its two terms are added", "loss_x = 0.5 * (loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(self.pool_x(fake_x.detach()))))"),
    edit("x_pooled_twice", "`CycleTrainer` asks the pool of X twice in one step", "self.pool_x(fake_x.detach()); loss_x = loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(self.pool_x(fake_x.detach())))"),
    edit("x_reals_pooled", "`CycleTrainer` puts real pictures into the pool of X", "loss_x = loss_as_real(self.critic_x(self.pool_x(x))) + loss_as_fake(self.critic_x(fake_x.detach()))"),
    edit("x_one_by_one", "`CycleTrainer` gives the pool of X one picture after the other; it takes the batch in one call", "loss_x = loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(torch.cat([self.pool_x(each[None]) for each in fake_x.detach()])))"),
)

mistakes.at(
    "loss_y = loss_as_real(self.critic_y(y)) + loss_as_fake(self.critic_y(self.pool_y(fake_y.detach())))",
    edit("y_attached", "`CycleTrainer` gives the pool of Y fakes with their graph: old graphs pile up, and the critics' backward runs into the generators", "loss_y = loss_as_real(self.critic_y(y)) + loss_as_fake(self.critic_y(self.pool_y(fake_y)))"),
    edit("y_unpooled", "The critic of Y in `CycleTrainer` never sees its pool", "loss_y = loss_as_real(self.critic_y(y)) + loss_as_fake(self.critic_y(fake_y.detach()))"),
    edit("y_wrong_pool", "The critic of Y in `CycleTrainer` uses the pool of X", "loss_y = loss_as_real(self.critic_y(y)) + loss_as_fake(self.critic_y(self.pool_x(fake_y.detach())))"),
    edit("y_verdicts_swapped", "The critic of Y in `CycleTrainer` learns to call real pictures fake, and fakes real", "loss_y = loss_as_fake(self.critic_y(y)) + loss_as_real(self.critic_y(self.pool_y(fake_y.detach())))"),
    edit("y_reals_wrong", "The critic of Y in `CycleTrainer` takes pictures of X for real", "loss_y = loss_as_real(self.critic_y(x)) + loss_as_fake(self.critic_y(self.pool_y(fake_y.detach())))"),
    edit("y_fakes_wrong", "The critic of Y in `CycleTrainer` learns from the fakes of X", "loss_y = loss_as_real(self.critic_y(y)) + loss_as_fake(self.critic_y(self.pool_y(fake_x.detach())))"),
    edit("y_reals_missing", "The critic of Y in `CycleTrainer` never sees real pictures", "loss_y = loss_as_fake(self.critic_y(self.pool_y(fake_y.detach())))"),
    edit("y_fakes_missing", "The critic of Y in `CycleTrainer` never sees fakes", "loss_y = loss_as_real(self.critic_y(y))"),
    edit("y_both_real", "The critic of Y in `CycleTrainer` learns that everything is real", "loss_y = loss_as_real(self.critic_y(y)) + loss_as_real(self.critic_y(self.pool_y(fake_y.detach())))"),
    edit("y_pooled_twice", "`CycleTrainer` asks the pool of Y twice in one step", "self.pool_y(fake_y.detach()); loss_y = loss_as_real(self.critic_y(y)) + loss_as_fake(self.critic_y(self.pool_y(fake_y.detach())))"),
    edit("y_by_logits", "The critic of Y in `CycleTrainer` minimises the difference of mean logits; the losses of the logits are asked for", "loss_y = self.critic_y(self.pool_y(fake_y.detach())).mean() - self.critic_y(y).mean()"),
    edit("y_joint_mean", "The critic of Y in `CycleTrainer` averages over real and fake pictures together; each kind has a mean of its own", "logits = torch.cat([-self.critic_y(y), self.critic_y(self.pool_y(fake_y.detach()))]); loss_y = 2 * loss_as_fake(logits)"),
)

mistakes.at(
    """
    self.critics.zero_grad()
    (loss_x + loss_y).backward()
    self.critics.step()
    """,
    edit("critics_uncleared", "`CycleTrainer` does not clear the critics' gradients in their update; those of the generators' update, which say \"be fooled\", are still there",
         """
         (loss_x + loss_y).backward()
         self.critics.step()
         """),
    edit("critics_cleared_after", "`CycleTrainer` clears the critics' gradients after their step; but the generators' backward leaves gradients in the critics, too, and before",
         """
         (loss_x + loss_y).backward()
         self.critics.step()
         self.critics.zero_grad()
         """),
    edit("critics_cleared_late", "The critics of `CycleTrainer` never move: backward or step is missing, or their gradients are cleared between the two",
         """
         (loss_x + loss_y).backward()
         self.critics.zero_grad()
         self.critics.step()
         """),
    edit("critic_x_only", "`CycleTrainer` trains the critic of X alone",
         """
         self.critics.zero_grad()
         loss_x.backward()
         self.critics.step()
         """),
    edit("critic_y_only", "`CycleTrainer` trains the critic of Y alone",
         """
         self.critics.zero_grad()
         loss_y.backward()
         self.critics.step()
         """),
    edit("critics_halved", "`CycleTrainer` halves the critics' loss, as the paper does; its terms are added",
         """
         self.critics.zero_grad()
         (0.5 * (loss_x + loss_y)).backward()
         self.critics.step()
         """),
    edit("critics_ascent", "`CycleTrainer` climbs the critics' loss, or has its sign wrong",
         """
         self.critics.zero_grad()
         (-loss_x - loss_y).backward()
         self.critics.step()
         """),
    edit("critics_twice", "`CycleTrainer` makes the critics' step twice with one gradient",
         """
         self.critics.zero_grad()
         (loss_x + loss_y).backward()
         self.critics.step()
         self.critics.step()
         """),
    edit("critics_one_after_other", "`CycleTrainer` makes one step for each critic; both learn in one step, and an optimiser that moves all of them moves each twice",
         """
         self.critics.zero_grad()
         loss_x.backward()
         self.critics.step()
         loss_y.backward()
         self.critics.step()
         """),
    edit("generators_stepped", "`CycleTrainer` makes a step of the generators in place of the critics'",
         """
         self.critics.zero_grad()
         (loss_x + loss_y).backward()
         self.generators.step()
         """),
    edit("weights_clipped", "`CycleTrainer` cuts the critics' weights off, as for Wasserstein critics",
         """
         self.critics.zero_grad()
         (loss_x + loss_y).backward()
         self.critics.step()
         for each in (*self.critic_x.parameters(), *self.critic_y.parameters()):
             each.data.clamp_(-0.3, 0.3)
         """),
    edit("critics_frozen_after", "`CycleTrainer` makes two updates of the critics for one of the generators",
         """
         self.critics.zero_grad()
         (loss_x + loss_y).backward()
         self.critics.step()
         self.critics.zero_grad()
         (loss_as_real(self.critic_x(x)) + loss_as_fake(self.critic_x(fake_x.detach())) + loss_as_real(self.critic_y(y)) + loss_as_fake(self.critic_y(fake_y.detach()))).backward()
         self.critics.step()
         """),
)


@mistakes.rewrite("`CycleTrainer` updates the critics before the generators, so the generators meet other critics; generators come first")
def critics_first(ref):
    class CycleTrainer(ref.CycleTrainer):
        def step(self, x, y):
            fake_y, fake_x = self.g(x), self.h(y)
            loss = ref.loss_as_real(self.critic_x(x)) + ref.loss_as_fake(self.critic_x(self.pool_x(fake_x.detach())))
            loss = loss + ref.loss_as_real(self.critic_y(y)) + ref.loss_as_fake(self.critic_y(self.pool_y(fake_y.detach())))
            self.critics.zero_grad()
            loss.backward()
            self.critics.step()
            cycle, identity = ref.cycle_losses(self.g, self.h, x, y)
            loss = ref.loss_as_real(self.critic_y(fake_y)) + ref.loss_as_real(self.critic_x(fake_x))
            self.generators.zero_grad()
            (loss + self.cycle_weight * cycle + self.identity_weight * identity).backward()
            self.generators.step()

    return {"CycleTrainer": CycleTrainer}


@mistakes.rewrite("`CycleTrainer` adds all losses up for one backward pass, so the generators help the critics to find them out, or the critics help to be fooled")
def one_loss(ref):
    class CycleTrainer(ref.CycleTrainer):
        def step(self, x, y):
            fake_y, fake_x = self.g(x), self.h(y)
            cycle, identity = ref.cycle_losses(self.g, self.h, x, y)
            loss = ref.loss_as_real(self.critic_y(fake_y)) + ref.loss_as_real(self.critic_x(fake_x)) + self.cycle_weight * cycle + self.identity_weight * identity
            loss = loss + ref.loss_as_real(self.critic_x(x)) + ref.loss_as_fake(self.critic_x(self.pool_x(fake_x.detach())))
            loss = loss + ref.loss_as_real(self.critic_y(y)) + ref.loss_as_fake(self.critic_y(self.pool_y(fake_y.detach())))
            self.generators.zero_grad()
            self.critics.zero_grad()
            loss.backward()
            self.generators.step()
            self.critics.step()

    return {"CycleTrainer": CycleTrainer}


@mistakes.rewrite("`CycleTrainer` makes its optimisers anew in every step, so Adam forgets its averages")
def new_optimisers(ref):
    class CycleTrainer(ref.CycleTrainer):
        def step(self, x, y):
            for name in ("generators", "critics"):
                old = getattr(self, name)
                setattr(self, name, type(old)([each for group in old.param_groups for each in group["params"]], **old.defaults))
            super().step(x, y)

    return {"CycleTrainer": CycleTrainer}


# --- count_translators ----------------------------------------------------------------------------------------------

mistakes.at(
    "same = [math.factorial(q.count(each)) for each in set(q)]",
    edit("all_orders", "`count_translators` counts all one-to-one maps; a symbol can only go to one that is seen as often", "same = [math.factorial(len(q))]"),
    edit("choices_with_repeats", "`count_translators` lets each symbol choose freely among those of its count; two symbols with one translation cannot both come back", "same = [q.count(each) ** q.count(each) for each in set(q)]"),
    edit("multiplicities", "`count_translators` multiplies the numbers of equal counts; k of them can be matched in k! ways", "same = [q.count(each) for each in set(q)]"),
    edit("counts_factorial", "`count_translators` takes factorials of the counts themselves: it exchanges pictures of one symbol, and a map acts on symbols", "same = [math.factorial(each) for each in q]"),
    edit("each_symbol", "`count_translators` takes the factorial once for each symbol, not once for each different count", "same = [math.factorial(q.count(each)) for each in q]"),
    edit("both_maps", "`count_translators` counts g and h separately; once g is chosen, coming back fixes h", "same = [math.factorial(q.count(each)) ** 2 for each in set(q)]"),
    edit("largest_group", "`count_translators` has the largest group of equal counts only", "same = [math.factorial(max(q.count(each) for each in set(q)))]"),
    edit("one_short", "`count_translators` counts the wrong translators: it excludes one in each group", "same = [math.factorial(q.count(each) - 1) for each in set(q)]"),
    edit("power_two", "`count_translators` gives each group of equal counts 2 choices (straight or crossed); k symbols have more than two orders", "same = [2 for each in set(q) if q.count(each) > 1]"),
    edit("pairs_of", "`count_translators` counts pairs to be exchanged, k (k - 1) / 2, in each group", "same = [max(1, math.comb(q.count(each), 2)) for each in set(q)]"),
    edit("multinomial", "`count_translators` counts the different orders of the list q, a multinomial coefficient; groups keep to themselves", "same = [math.factorial(len(q)) // math.prod(math.factorial(q.count(each)) for each in set(q))]"),
    edit("groups_move", "`count_translators` lets groups of equal counts be exchanged as wholes, too; their counts differ, so a critic sees it", "same = [math.factorial(q.count(each)) for each in set(q)] + [math.factorial(len(set(q)))]"),
    edit("adjacent_runs", "`count_translators` counts runs of neighbours that are equal; the order of the list does not matter", "same, run = [], 1\n    for a, b in zip(q, [*q[1:], None]):\n        run, same = (run + 1, same) if a == b else (1, [*same, math.factorial(run)])"),
    edit("distinct_factorial", "`count_translators` takes the factorial of how many different counts there are", "same = [math.factorial(len(set(q)))]"),
)

mistakes.at(
    "return math.prod(same) if sorted(p) == sorted(q) else 0",
    edit("added", "`count_translators` adds the choices of the groups; independent choices multiply", "return sum(same) if sorted(p) == sorted(q) else 0"),
    edit("laws_unchecked", "`count_translators` does not ask whether the two laws fit; if they do not, nothing returns and has the right law", "return math.prod(same)"),
    edit("order_asked", "`count_translators` asks that p and q agree symbol by symbol; their order is arbitrary", "return math.prod(same) if p == q else 0"),
    edit("sets_asked", "`count_translators` compares which counts occur, not how often", "return math.prod(same) if set(p) == set(q) else 0"),
    edit("lengths_asked", "`count_translators` compares the numbers of symbols only", "return math.prod(same) if len(p) == len(q) else 0"),
    edit("one_if_none", "`count_translators` returns 1 where no translator exists", "return math.prod(same) if sorted(p) == sorted(q) else 1"),
    edit("impostors", "`count_translators` leaves the right translator out, or subtracts 1", "return math.prod(same) - 1 if sorted(p) == sorted(q) else 0"),
    edit("doubled", "`count_translators` counts g and h apart, and doubles; a pair counts once", "return 2 * math.prod(same) if sorted(p) == sorted(q) else 0"),
    edit("none_minus", "`count_translators` returns -1 where no translator exists; there are 0", "return math.prod(same) if sorted(p) == sorted(q) else -1"),
    edit("always_two", "`count_translators` returns the text's example, 2, for all laws that fit", "return 2 if sorted(p) == sorted(q) else 0"),
    edit("common_part", "`count_translators` counts matches of the part that p and q share; every symbol needs a partner", "return math.prod(math.factorial(min(p.count(each), q.count(each))) for each in set(q))"),
    edit("as_float", "`count_translators` returns a float; a whole number is asked for", "return float(math.prod(same)) if sorted(p) == sorted(q) else 0.0"),
    edit("subset_asked", "`count_translators` asks only that every count of q occurs in p", "return math.prod(same) if set(q) <= set(p) else 0"),
    edit("sorted_in_place", "`count_translators` sorts its arguments in place", "p.sort(); q.sort(); return math.prod(same) if p == q else 0"),
)
