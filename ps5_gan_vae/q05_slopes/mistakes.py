"""Named wrong versions of the answers to question 5."""

import torch
from torch.nn import functional as F

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- space_to_depth -----------------------------------------------------------------------------------------------

mistakes.at(
    "return x.reshape(n, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 2, 4).reshape(n, c * r * r, h // r, w // r)",
    edit("sd_places_first", "`space_to_depth` puts the place in the block before the channel (the order of TensorFlow); here the r² places of channel 0 come first",
         "return x.reshape(n, c, h // r, r, w // r, r).permute(0, 3, 5, 1, 2, 4).reshape(n, c * r * r, h // r, w // r)"),
    edit("sd_columns_first", "`space_to_depth` counts a block column by column; channel i·r + j belongs to row i, column j",
         "return x.reshape(n, c, h // r, r, w // r, r).permute(0, 1, 5, 3, 2, 4).reshape(n, c * r * r, h // r, w // r)"),
    edit("sd_rows_tiles", "`space_to_depth` takes pixels that lie far apart: a block is made of neighbours, so the second factor of H is r, not H/r",
         "return x.reshape(n, c, r, h // r, r, w // r).permute(0, 1, 2, 4, 3, 5).reshape(n, c * r * r, h // r, w // r)"),
    edit("sd_rows_tiles_only", "`space_to_depth` splits H the wrong way round: neighbouring rows belong to one block",
         "return x.reshape(n, c, r, h // r, w // r, r).permute(0, 1, 2, 5, 3, 4).reshape(n, c * r * r, h // r, w // r)"),
    edit("sd_columns_tiles_only", "`space_to_depth` splits W the wrong way round: neighbouring columns belong to one block",
         "return x.reshape(n, c, h // r, r, r, w // r).permute(0, 1, 3, 4, 2, 5).reshape(n, c * r * r, h // r, w // r)"),
    edit("sd_reshaped_only", "`space_to_depth` reshapes without moving axes, or merges them in the order in which it split them: numbers are cut as they lie in memory, row by row, not block by block",
         "return x.reshape(n, c * r * r, h // r, w // r)"),
    edit("sd_picture_turned", "`space_to_depth` exchanges rows and columns of the blocks", "return x.reshape(n, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 4, 2).reshape(n, c * r * r, w // r, h // r)"),
    edit("sd_picture_scrambled", "`space_to_depth` exchanges rows and columns of the blocks, and then cuts them to the shape asked for", "return x.reshape(n, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 4, 2).reshape(n, c * r * r, h // r, w // r)"),
    edit("sd_two", "`space_to_depth` has blocks of 2×2, whatever r is", "return F.pixel_unshuffle(x, 2)"),
    edit("sd_two_or", "`space_to_depth` has blocks of 2×2 where these fit, whatever r is", "r = 2 if h % 2 == 0 and w % 2 == 0 else r; return F.pixel_unshuffle(x, r)"),
    edit("sd_mean", "`space_to_depth` averages each block; all its pixels are to be kept", "return F.avg_pool2d(x.float(), r)"),
    edit("sd_inverse", "`space_to_depth` makes pixels of channels: that is the way back", "return F.pixel_shuffle(x.repeat(1, r * r, 1, 1), r)"),
    edit("sd_reversed", "`space_to_depth` counts the places of a block from the end", "return F.pixel_unshuffle(x, r).unflatten(1, (c, r * r)).flip(2).flatten(1, 2)"),
    edit("sd_first_only", "`space_to_depth` keeps the first pixel of each block only", "return x[:, :, ::r, ::r].repeat(1, r * r, 1, 1)"),
    edit("sd_axis_left", "`space_to_depth` leaves channels and places on two axes", "return F.pixel_unshuffle(x, r).unflatten(1, (c, r * r))"),
    edit("sd_detached", "`space_to_depth` cuts off the gradient", "return F.pixel_unshuffle(x.detach(), r)"),
    edit("sd_single", "`space_to_depth` computes in float32, whatever it is given", "return F.pixel_unshuffle(x.float(), r)"),
    edit("sd_unfold", "`space_to_depth` has overlapping blocks: they move by r, not by 1", "return F.unfold(F.pad(x.float(), (0, r - 1, 0, r - 1)), r).unflatten(2, (h, w))[..., : h // r, : w // r]"),
    edit("sd_scaled", "`space_to_depth` divides by r; the pixels stay what they are", "return F.pixel_unshuffle(x, r) / r"),
    edit("sd_in_place", "`space_to_depth` writes into its argument", "x.mul_(2); return F.pixel_unshuffle(x, r) / 2"),
    edit("sd_square", "`space_to_depth` takes pictures for squares, as high as wide", "return x.reshape(n, c, h // r, r, h // r, r).permute(0, 1, 3, 5, 2, 4).reshape(n, c * r * r, h // r, h // r)"),
    edit("sd_width_height", "`space_to_depth` gives the height H/r and the width W/r to each other", "return x.reshape(n, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 2, 4).reshape(n, c * r * r, w // r, h // r)"),
    edit("sd_pictures_merged", "`space_to_depth` puts the places of a block on the axis of pictures", "return F.pixel_unshuffle(x, r).unflatten(1, (c, r * r)).transpose(1, 2).reshape(n * r * r, c, h // r, w // r)"),
)

mistakes.at(
    """
    n, c, h, w = x.shape
    return x.reshape(n, c, h // r, r, w // r, r).permute(0, 1, 3, 5, 2, 4).reshape(n, c * r * r, h // r, w // r)
    """,
    edit("sd_axes", "`space_to_depth` reads the sizes as (N, H, W, C)",
         """
         n, h, w, c = x.shape
         x = x.permute(0, 3, 1, 2).contiguous()
         return F.pixel_unshuffle(x, r)
         """),
)

# --- SpectralConv2d -----------------------------------------------------------------------------------------------

mistakes.at(
    'self.register_buffer("u", F.normalize(torch.randn(self.out_channels), dim=0))',
    edit("sp_plain", "`u` is a plain attribute: it is neither saved nor moved with the layer, so it must be a buffer", "self.u = F.normalize(torch.randn(self.out_channels), dim=0)"),
    edit("sp_parameter", "`u` is a parameter, so an optimiser would move it; it is a buffer", "self.u = nn.Parameter(F.normalize(torch.randn(self.out_channels), dim=0), requires_grad=False)"),
    edit("sp_not_saved", "`u` is a buffer that is not saved: after reading the weights, σ is unknown again", 'self.register_buffer("u", F.normalize(torch.randn(self.out_channels), dim=0), persistent=False)'),
    edit("sp_long", "`u` is not of length 1 at first: in eval mode of a new layer, uᵀWv is wrong by its length", 'self.register_buffer("u", torch.randn(self.out_channels))'),
    edit("sp_ones", "`u` starts at equal entries; it is random, as a fixed one may be orthogonal to the direction that is sought", 'self.register_buffer("u", F.normalize(torch.ones(self.out_channels), dim=0))'),
    edit("sp_unit", "`u` starts as one coordinate vector; it is random, as a fixed one may be orthogonal to the direction that is sought", 'self.register_buffer("u", F.one_hot(torch.tensor(0), self.out_channels).float())'),
    edit("sp_zero", "`u` starts at zero, where it stays", 'self.register_buffer("u", torch.zeros(self.out_channels))'),
    edit("sp_in", "`u` has an entry for each input channel; Wᵀu needs one for each output", 'self.register_buffer("u", F.normalize(torch.randn(self.in_channels), dim=0))'),
    edit("sp_column", "`u` is a column of shape (out, 1); shape (out,) is asked for", 'self.register_buffer("u", F.normalize(torch.randn(self.out_channels, 1), dim=0))'),
    edit("sp_positive", "the first `u` has no negative entries: draw it from a normal law, or directions with mixed signs are found slowly", 'self.register_buffer("u", F.normalize(torch.rand(self.out_channels), dim=0))'),
    edit("sp_seeded", "every new layer has the same `u`: the generator is seeded again", 'self.register_buffer("u", F.normalize(torch.randn(self.out_channels, generator=torch.Generator().manual_seed(0)), dim=0))'),
    edit("sp_length_each", "`u` has entries ±1: each was divided by its own length, not by that of the vector", 'self.register_buffer("u", torch.randn(self.out_channels).sign())'),
)

mistakes.at(
    "matrix = self.weight.flatten(1)",
    edit("sp_first_axis", "the matrix is reshaped to (in, out·k·k): rows belong to outputs, so the weight keeps its first axis", "matrix = self.weight.transpose(0, 1).reshape(self.out_channels, -1)"),
    edit("sp_taps", "the matrix is the weight summed over the k² pixels of a patch; they are columns of W", "matrix = self.weight.sum((2, 3))"),
    edit("sp_taps_mean", "the matrix is the weight averaged over the k² pixels of a patch; they are columns of W", "matrix = self.weight.mean((2, 3))"),
    edit("sp_centre", "the matrix holds the middle pixel of the kernel only", "matrix = self.weight[:, :, self.kernel_size[0] // 2, self.kernel_size[1] // 2]"),
    edit("sp_channels_summed", "the matrix is the weight summed over the input channels; they are columns of W", "matrix = self.weight.sum(1).flatten(1)"),
    edit("sp_single", "σ is computed in float32, whatever the weight is", "matrix = self.weight.flatten(1).float(); self.u = self.u.float()"),
    edit("sp_centred", "the mean of each row is subtracted from the matrix", "matrix = self.weight.flatten(1); matrix = matrix - matrix.mean(1, keepdim=True)"),
    edit("sp_absolute", "the matrix holds absolute values", "matrix = self.weight.flatten(1).abs()"),
    edit("sp_row_major", "the rows of the matrix mix output channels: the weight is cut after its last axes are moved to the front", "matrix = self.weight.permute(2, 3, 0, 1).reshape(self.out_channels, -1)"),
)

mistakes.at(
    "with torch.no_grad():",
    edit("sp_graph", "u and v carry a graph: they are constants for the gradient, and with a graph that is kept from step to step a second backward pass stops", "with torch.enable_grad():"),
)

mistakes.at(
    "v = F.normalize(matrix.T @ self.u, dim=0)",
    edit("sp_v_long", "v is not divided by its length", "v = matrix.T @ self.u"),
    edit("sp_v_squared", "v is divided by the square of its length", "v = matrix.T @ self.u; v = v / v.square().sum()"),
    edit("sp_v_one", "v is divided by the sum of its absolute values; its length is the root of the sum of squares", "v = F.normalize(matrix.T @ self.u, p=1, dim=0)"),
    edit("sp_v_max", "v is divided by its largest entry; its length is the root of the sum of squares", "v = F.normalize(matrix.T @ self.u, p=math.inf, dim=0)"),
    edit("sp_v_eps", "a number such as 0.001 is added to the length of v, which counts where weights are small", "v = matrix.T @ self.u; v = v / (v.norm() + 1e-3)"),
    edit("sp_v_eps_small", "a number such as 0.000001 is added to the length of v, which counts where weights are small", "v = matrix.T @ self.u; v = v / (v.norm() + 1e-6)"),
    edit("sp_v_random", "v starts anew at random in each call, so that what u has learned is lost", "v = F.normalize(matrix.T @ F.normalize(torch.randn_like(self.u), dim=0), dim=0)"),
    edit("sp_v_ones", "v is not computed from u", "v = F.normalize(torch.ones_like(matrix[0]), dim=0)"),
    edit("sp_two_steps", "each call repeats (5.1) twice; once is asked for", "v = F.normalize(matrix.T @ F.normalize(matrix @ (matrix.T @ self.u), dim=0), dim=0)"),
    edit("sp_five_steps", "each call repeats (5.1) several times; once is asked for",
         "w = self.u\n            for _ in range(5):\n                v = F.normalize(matrix.T @ w, dim=0)\n                w = F.normalize(matrix @ v, dim=0)"),
    edit("sp_v_row", "v is the first row of the matrix", "v = F.normalize(matrix[0], dim=0)"),
    edit("sp_v_pseudo", "v comes from the pseudo-inverse of the matrix; (5.1) has the transpose", "v = F.normalize(torch.linalg.pinv(matrix) @ self.u, dim=0)"),
)

mistakes.at(
    "if self.training:",
    edit("sp_always", "u is changed in eval mode, too: a critic would give another answer each time it is asked", "if True:"),
    edit("sp_never", "u is never changed (or the new one not kept in the buffer), so σ never comes closer", "if False:"),
    edit("sp_eval_only", "u is changed in eval mode and not in training mode", "if not self.training:"),
)

mistakes.at(
    "self.u = F.normalize(matrix @ v, dim=0)",
    edit("sp_copied", "the old u is overwritten in place. The graph of an earlier call still needs it, so two calls before one backward pass stop", "self.u.copy_(F.normalize(matrix @ v, dim=0))"),
    edit("sp_u_long", "u is not divided by its length", "self.u = matrix @ v"),
    edit("sp_u_one", "u is divided by the sum of its absolute values; its length is the root of the sum of squares", "self.u = F.normalize(matrix @ v, p=1, dim=0)"),
    edit("sp_u_v", "u is averaged with its old value; (5.1) replaces it", "self.u = F.normalize(0.9 * self.u + 0.1 * F.normalize(matrix @ v, dim=0), dim=0)"),
    edit("sp_u_minus", "u has the wrong sign", "self.u = -F.normalize(matrix @ v, dim=0)"),
    edit("sp_u_eps", "a number such as 0.001 is added to the length of u, which counts where weights are small", "self.u = matrix @ v; self.u = self.u / (self.u.norm() + 1e-3)"),
    edit("sp_u_eps_small", "a number such as 0.000001 is added to the length of u, which counts where weights are small", "self.u = matrix @ v; self.u = self.u / (self.u.norm() + 1e-6)"),
    edit("sp_u_max", "u is divided by its largest entry; its length is the root of the sum of squares", "self.u = F.normalize(matrix @ v, p=math.inf, dim=0)"),
    edit("sp_u_twice", "u is replaced by a later u, one more repetition of (5.1) away from v", "self.u = F.normalize(matrix @ (matrix.T @ (matrix @ v)), dim=0)"),
    edit("sp_v_late", "v belongs to the new u: it is computed after u, or again, as in PyTorch's code; (5.1) begins with v and ends with u", "self.u = F.normalize(matrix @ v, dim=0); v = F.normalize(matrix.T @ self.u, dim=0)"),
)

mistakes.at(
    "return self.u @ matrix @ v",
    edit("sp_sigma_detached", "σ, or the weight in it, is detached: the gradient must know that a larger weight is divided by a larger σ", "return (self.u @ matrix @ v).detach()"),
    edit("sp_sigma_square", "σ is squared", "return (self.u @ matrix @ v) ** 2"),
    edit("sp_sigma_root", "the root of σ is returned", "return (self.u @ matrix @ v).abs().sqrt()"),
    edit("sp_sigma_eps", "a small number such as 0.00001 is added to σ, which counts where weights are small", "return self.u @ matrix @ v + 1e-5"),
    edit("sp_sigma_clamped", "σ is at least 1: small weights are left as they are", "return (self.u @ matrix @ v).clamp(min=1.0)"),
    edit("sp_sigma_floor", "σ is at least 0.01 or so; small weights have a smaller one", "return (self.u @ matrix @ v).clamp(min=1e-2)"),
    edit("sp_frobenius", "σ is the root of the sum of all squares (the Frobenius norm), which is larger", "return matrix.norm()"),
    edit("sp_rows", "σ is the longest row", "return matrix.norm(dim=1).max()"),
    edit("sp_exact", "σ is exact, from a singular value decomposition; one repetition of (5.1) is asked for", "return torch.linalg.matrix_norm(matrix, 2)"),
    edit("sp_wv", "σ is the length of Wv, which is uᵀWv for the new u only: in eval mode u stays the old one", "return (matrix @ v).norm()"),
    edit("sp_vector", "`sigma` returns Wv; one number is asked for", "return matrix @ v"),
    edit("sp_factor", "σ is multiplied by the factor of overlapping patches; `sigma` is that of W", "return math.ceil(self.kernel_size[0] / self.stride[0]) * (self.u @ matrix @ v)"),
    edit("sp_mean", "σ is divided by the number of outputs", "return self.u @ matrix @ v / len(self.u)"),
    edit("sp_one", "σ has shape (1,); a tensor without axes is asked for", "return (self.u @ matrix @ v)[None]"),
    edit("sp_weight_changed", "the weight itself is divided by σ in each call; it is what the optimiser trains, and stays", "sigma = self.u @ matrix @ v; self.weight.data /= sigma.detach(); return sigma"),
    edit("sp_inverse", "1/σ is returned; `forward` divides by σ itself", "return 1 / (self.u @ matrix @ v)"),
)

# --- conv_norms ---------------------------------------------------------------------------------------------------

mistakes.at(
    "kernels = space_to_depth(F.pad(weight, (0, size - weight.shape[-1], 0, size - weight.shape[-1])), stride)",
    edit("cn_no_stride", "`conv_norms` ignores the stride in the exact slope", "kernels = F.pad(weight, (0, size - weight.shape[-1], 0, size - weight.shape[-1]))"),
    edit("cn_sliced", "`conv_norms` takes every stride-th number of the kernel; all of them count, as more channels", "kernels = F.pad(weight, (0, size - weight.shape[-1], 0, size - weight.shape[-1]))[:, :, ::stride, ::stride]"),
    edit("cn_pooled", "`conv_norms` averages blocks of the kernel; space to depth keeps all numbers", "kernels = F.avg_pool2d(F.pad(weight, (0, size - weight.shape[-1], 0, size - weight.shape[-1])), stride)"),
    edit("cn_summed", "`conv_norms` adds up blocks of the kernel; space to depth keeps all numbers", "kernels = F.avg_pool2d(F.pad(weight, (0, size - weight.shape[-1], 0, size - weight.shape[-1])), stride) * stride**2"),
    edit("cn_unpadded", "`conv_norms` pads the kernel only as far as the stride needs, so that it sees few frequencies; the picture has size/stride of them along each axis",
         "kernels = space_to_depth(F.pad(weight, (0, -weight.shape[-1] % stride, 0, -weight.shape[-1] % stride)), stride)"),
    edit("cn_half", "`conv_norms` pads the kernel along one axis only", "kernels = space_to_depth(F.pad(weight, (0, size - weight.shape[-1], 0, -weight.shape[-1] % stride)), stride)"),
    edit("cn_padded_before", "`conv_norms` pads to size/stride, smaller than the picture", "small = max(size // stride, weight.shape[-1]); small += -small % stride; kernels = space_to_depth(F.pad(weight, (0, small - weight.shape[-1], 0, small - weight.shape[-1])), stride)"),
    edit("cn_larger", "`conv_norms` pads by the size of the picture, so the torus is larger than it should be", "large = size + weight.shape[-1] + (-(size + weight.shape[-1])) % stride; kernels = space_to_depth(F.pad(weight, (0, large - weight.shape[-1], 0, large - weight.shape[-1])), stride)"),
    edit("cn_many", "`conv_norms` computes on a very large torus, whatever size is: it finds the largest slope over more frequencies than the picture has", "large = 16 * size; kernels = space_to_depth(F.pad(weight, (0, large - weight.shape[-1], 0, large - weight.shape[-1])), stride)"),
    edit("cn_weight_detached", "`conv_norms` cuts the gradient of the exact slope off", "kernels = space_to_depth(F.pad(weight.detach(), (0, size - weight.shape[-1], 0, size - weight.shape[-1])), stride)"),
    edit("cn_exact_single", "`conv_norms` computes the exact slope in float32, whatever it is given", "kernels = space_to_depth(F.pad(weight.float(), (0, size - weight.shape[-1], 0, size - weight.shape[-1])), stride)"),
    edit("cn_channels_turned", "`conv_norms` cuts the kernel into blocks of pixels that lie far apart; neighbours belong to one block",
         "grid = F.pad(weight, (0, size - weight.shape[-1], 0, size - weight.shape[-1])); d, c = weight.shape[:2]; kernels = grid.reshape(d, c, stride, size // stride, stride, size // stride).transpose(3, 4).reshape(d, -1, size // stride, size // stride)"),
)

mistakes.at(
    "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).permute(2, 3, 0, 1), 2).max()",
    edit("cn_mean", "`conv_norms` averages over frequencies; the largest slope is asked for", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).permute(2, 3, 0, 1), 2).mean()"),
    edit("cn_min", "`conv_norms` takes the frequency with the smallest slope", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).permute(2, 3, 0, 1), 2).min()"),
    edit("cn_sum", "`conv_norms` adds up over frequencies", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).permute(2, 3, 0, 1), 2).sum()"),
    edit("cn_real", "`conv_norms` drops the imaginary parts", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).real.permute(2, 3, 0, 1), 2).max()"),
    edit("cn_moduli", "`conv_norms` takes absolute values before it looks for singular values; phases matter between channels", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).abs().permute(2, 3, 0, 1), 2).max()"),
    edit("cn_entry", "`conv_norms` takes the largest entry at all frequencies; channels act together, as a matrix", "exact = torch.fft.fft2(kernels).abs().max()"),
    edit("cn_frobenius", "`conv_norms` takes the Frobenius norm at each frequency; the largest singular value is smaller", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).permute(2, 3, 0, 1)).max()"),
    edit("cn_zero", "`conv_norms` looks at frequency 0 only, the sum of the kernel", "exact = torch.linalg.matrix_norm(kernels.sum((2, 3)), 2)"),
    edit("cn_one_axis", "`conv_norms` transforms along one axis only", "exact = torch.linalg.matrix_norm(torch.fft.fft(kernels).permute(2, 3, 0, 1), 2).max()"),
    edit("cn_ortho", "`conv_norms` divides the Fourier transform by the size (norm='ortho'); frequency 0 holds the plain sum of the kernel", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels, norm='ortho').permute(2, 3, 0, 1), 2).max()"),
    edit("cn_inverse", "`conv_norms` divides the Fourier transform by the number of pixels, as the inverse transform does", "exact = torch.linalg.matrix_norm(torch.fft.ifft2(kernels).permute(2, 3, 0, 1), 2).max()"),
    edit("cn_channels_fft", "`conv_norms` transforms along the channels; frequencies belong to rows and columns", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels, dim=(0, 1)).permute(2, 3, 0, 1), 2).max()"),
    edit("cn_maps", "`conv_norms` takes singular values of pictures of frequencies; the matrices are (out, in·s²), one for each frequency", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels), 2).max()"),
    edit("cn_square", "`conv_norms` returns the square of the exact slope", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).permute(2, 3, 0, 1), 2).max() ** 2"),
    edit("cn_sizes", "`conv_norms` returns the exact slope of each frequency", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).permute(2, 3, 0, 1), 2)"),
    edit("cn_half_frequencies", "`conv_norms` looks at the lower half of the frequencies along both axes; together they are but a quarter of all, and conjugates cover only half",
         "n = kernels.shape[-1] // 2 + 1; exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels)[..., :n, :n].permute(2, 3, 0, 1), 2).max()"),
    edit("cn_exact_sigma", "`conv_norms` returns σ(W) as the exact slope", "exact = torch.linalg.matrix_norm(weight.flatten(1), 2)"),
    edit("cn_rowsum", "`conv_norms` returns a sum of absolute values as the exact slope: an upper bound, seldom reached", "exact = kernels.abs().sum((1, 2, 3)).max()"),
    edit("cn_smallest", "`conv_norms` takes the smallest singular value at each frequency", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).permute(2, 3, 0, 1), -2).max()"),
    edit("cn_nuclear", "`conv_norms` adds up the singular values at each frequency", "exact = torch.linalg.matrix_norm(torch.fft.fft2(kernels).permute(2, 3, 0, 1), 'nuc').max()"),
)

SIGMA = "torch.linalg.matrix_norm(weight.flatten(1), 2)"
mistakes.at(
    "return exact, math.ceil(weight.shape[-1] / stride) * torch.linalg.matrix_norm(weight.flatten(1), 2)",
    edit("cb_ratio", "the factor is k/s where that is no whole number: no pixel lies in a fraction of a patch. Count patches along one axis", f"return exact, weight.shape[-1] / stride * {SIGMA}"),
    edit("cb_floor", "the factor is rounded down: with k = 3 and s = 2 some pixels lie in two patches along an axis", f"return exact, weight.shape[-1] // stride * {SIGMA}"),
    edit("cb_square", "the factor is the number of patches that share a pixel. That bounds the squared norm; (5.2) is about the norm", f"return exact, math.ceil(weight.shape[-1] / stride) ** 2 * {SIGMA}"),
    edit("cb_square_ratio", "the factor is k²/s²; (5.2) is about norms, not squares, and no pixel lies in a fraction of a patch", f"return exact, (weight.shape[-1] / stride) ** 2 * {SIGMA}"),
    edit("cb_root", "the factor is the root of the number of patches along one axis; there are two axes", f"return exact, math.ceil(weight.shape[-1] / stride) ** 0.5 * {SIGMA}"),
    edit("cb_k", "the factor is k, whatever the stride; a larger stride leaves less overlap", f"return exact, weight.shape[-1] * {SIGMA}"),
    edit("cb_one", "the bound is σ(W): overlapping patches are forgotten", f"return exact, {SIGMA}"),
    edit("cb_plus", "the factor is one too large", f"return exact, (weight.shape[-1] // stride + 1) * {SIGMA}"),
    edit("cb_minus", "the factor is one too small", f"return exact, max(1, math.ceil(weight.shape[-1] / stride) - 1) * {SIGMA}"),
    edit("cb_round", "the factor is k/s rounded to the nearest whole number; with k = 4 and s = 3 a pixel lies in 2 patches along an axis, not in 1", f"return exact, max(1, round(weight.shape[-1] / stride)) * {SIGMA}"),
    edit("cb_times", "the factor is k·s", f"return exact, weight.shape[-1] * stride * {SIGMA}"),
    edit("cb_at_least", "the factor is at least 2", f"return exact, max(2, math.ceil(weight.shape[-1] / stride)) * {SIGMA}"),
    edit("cb_frobenius", "the bound has the Frobenius norm of W; σ(W) is smaller", "return exact, math.ceil(weight.shape[-1] / stride) * weight.norm()"),
    edit("cb_detached", "the gradient of the bound is cut off", "return exact, math.ceil(weight.shape[-1] / stride) * torch.linalg.matrix_norm(weight.detach().flatten(1), 2)"),
    edit("cb_turned", "the matrix of the bound is (in, out·k·k); W is (out, in·k·k)", "return exact, math.ceil(weight.shape[-1] / stride) * torch.linalg.matrix_norm(weight.transpose(0, 1).flatten(1), 2)"),
    edit("cb_single", "the bound is computed in float32, whatever it is given", "return exact, math.ceil(weight.shape[-1] / stride) * torch.linalg.matrix_norm(weight.float().flatten(1), 2)"),
    edit("cb_channels", "the factor knows the number of input channels; they are columns of W already", f"return exact, math.ceil(weight.shape[-1] / stride) * weight.shape[1] ** 0.5 * {SIGMA}"),
    edit("cb_size", "the factor knows the size of the picture; at most so many patches share a pixel whatever the size", f"return exact, size / stride * {SIGMA}"),
    edit("cb_swapped", "the two results are exchanged", f"return math.ceil(weight.shape[-1] / stride) * {SIGMA}, exact"),
    edit("cb_only", "one number is returned; two are asked for", f"return math.ceil(weight.shape[-1] / stride) * {SIGMA}"),
    edit("cb_factor", "the factor κ alone is returned in place of κ·σ(W)", "return exact, math.ceil(weight.shape[-1] / stride) + 0 * exact"),
    edit("cb_norm_power", "σ(W) is estimated by a few repetitions of (5.1); here it is exact",
         "w = weight.flatten(1); u = torch.ones_like(w[:, 0])\n    for _ in range(3):\n        u = F.normalize(w @ (w.T @ u), dim=0)\n    return exact, math.ceil(weight.shape[-1] / stride) * (w.T @ u).norm()"),
    edit("cb_larger_of", "the bound is the exact slope of this weight on this torus; κ·σ(W) holds for all of them", f"return exact, torch.minimum(math.ceil(weight.shape[-1] / stride) * {SIGMA}, 1.0 * exact)"),
)

# --- GanBlock -----------------------------------------------------------------------------------------------------

mistakes.at(
    "nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out), nn.Conv2d(c_in, c_out, 1)",
    edit("gb_bias", "conv has a bias before the norm, which subtracts it again with the mean: numbers that are trained and do nothing", "nn.ConvTranspose2d(c_in, c_out, 4, 2, 1), nn.BatchNorm2d(c_out), nn.Conv2d(c_in, c_out, 1)"),
    edit("gb_skip_no_bias", "skip has no bias in a generator; no norm follows it", "nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out), nn.Conv2d(c_in, c_out, 1, bias=False)"),
    edit("gb_bias_skip_no", "bias and no bias are exchanged in a generator: conv comes before the norm, skip does not", "nn.ConvTranspose2d(c_in, c_out, 4, 2, 1), nn.BatchNorm2d(c_out), nn.Conv2d(c_in, c_out, 1, bias=False)"),
    edit("gb_skip_spectral", "skip is a SpectralConv2d in a generator, too; only a critic's slope is bounded", "nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out), SpectralConv2d(c_in, c_out, 1)"),
    edit("gb_two_by_two", "conv of a generator has a kernel of 2×2", "nn.ConvTranspose2d(c_in, c_out, 2, 2, 0, bias=False), nn.BatchNorm2d(c_out), nn.Conv2d(c_in, c_out, 1)"),
    edit("gb_skip_three", "skip has a kernel of 3×3; it is 1×1", "nn.ConvTranspose2d(c_in, c_out, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out), nn.Conv2d(c_in, c_out, 3, padding=1)"),
    edit("gb_channels", "the channels of a generator's conv are exchanged", "nn.ConvTranspose2d(c_out, c_in, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out), nn.Conv2d(c_in, c_out, 1)"),
    edit("gb_no_padding", "conv of a generator has no padding: it gives two rows and columns more than twice", "nn.ConvTranspose2d(c_in, c_out, 4, 2, 0, bias=False), nn.BatchNorm2d(c_out), nn.Conv2d(c_in, c_out, 1)"),
)

mistakes.at(
    "nn.BatchNorm2d(c_out)",
    edit("gb_norm_fixed", "the norm has no weight and bias", "nn.BatchNorm2d(c_out, affine=False)"),
    edit("gb_norm_instance", "the norm is computed picture by picture (InstanceNorm2d); BatchNorm2d is asked for", "nn.InstanceNorm2d(c_out, affine=True, track_running_stats=True)"),
    edit("gb_norm_batch", "the norm keeps no running mean and variance, so in eval mode a picture depends on those beside it", "nn.BatchNorm2d(c_out, track_running_stats=False)"),
    edit("gb_norm_momentum", "the norm's running mean and variance are replaced each time, or with another momentum than PyTorch's", "nn.BatchNorm2d(c_out, momentum=0.9)"),
    edit("gb_norm_eps", "the norm has another eps than PyTorch's", "nn.BatchNorm2d(c_out, eps=1e-2)"),
    edit("gb_norm_group", "the norm is a GroupNorm, which does not know the batch; BatchNorm2d is asked for", "nn.GroupNorm(1, c_out)"),
)

mistakes.at(
    "self.conv, self.skip = SpectralConv2d(c_in, c_out, 4, 2, 1), SpectralConv2d(c_in, c_out, 1)",
    edit("gb_plain", "a critic's layers are plain convolutions: nothing bounds their slope", "self.conv, self.skip = nn.Conv2d(c_in, c_out, 4, 2, 1), nn.Conv2d(c_in, c_out, 1)"),
    edit("gb_skip_plain", "a critic's skip is a plain convolution: its slope adds to that of the stage", "self.conv, self.skip = SpectralConv2d(c_in, c_out, 4, 2, 1), nn.Conv2d(c_in, c_out, 1)"),
    edit("gb_conv_plain", "a critic's conv is a plain convolution", "self.conv, self.skip = nn.Conv2d(c_in, c_out, 4, 2, 1), SpectralConv2d(c_in, c_out, 1)"),
    edit("gb_critic_no_bias", "a critic's conv has no bias; no norm follows that would take it away", "self.conv, self.skip = SpectralConv2d(c_in, c_out, 4, 2, 1, bias=False), SpectralConv2d(c_in, c_out, 1)"),
    edit("gb_critic_skip_no_bias", "a critic's skip has no bias", "self.conv, self.skip = SpectralConv2d(c_in, c_out, 4, 2, 1), SpectralConv2d(c_in, c_out, 1, bias=False)"),
    edit("gb_critic_none", "a critic's layers have no bias; no norm follows that would take it away", "self.conv, self.skip = SpectralConv2d(c_in, c_out, 4, 2, 1, bias=False), SpectralConv2d(c_in, c_out, 1, bias=False)"),
    edit("gb_critic_three", "a critic's conv has a kernel of 3×3; it is 4×4", "self.conv, self.skip = SpectralConv2d(c_in, c_out, 3, 2, 1), SpectralConv2d(c_in, c_out, 1)"),
    edit("gb_critic_one", "conv and skip of a critic are one layer", "self.conv = self.skip = SpectralConv2d(c_in, c_out, 4, 2, 1)"),
    edit("gb_critic_norm", "a critic has a BatchNorm, which makes a logit depend on the other pictures of the batch",
         "self.conv, self.skip = SpectralConv2d(c_in, c_out, 4, 2, 1), SpectralConv2d(c_in, c_out, 1); self.norm = nn.BatchNorm2d(c_out)",
         ("return F.leaky_relu(self.conv(x), 0.2) + self.skip(F.avg_pool2d(x, 2))", "return F.leaky_relu(self.norm(self.conv(x)), 0.2) + self.skip(F.avg_pool2d(x, 2))")),
    edit("gb_critic_norm_unused", "a critic has a BatchNorm that is never used", "self.conv, self.skip = SpectralConv2d(c_in, c_out, 4, 2, 1), SpectralConv2d(c_in, c_out, 1); self.norm = nn.BatchNorm2d(c_out)"),
)

mistakes.at(
    "for layer in (self.conv, self.skip):",
    edit("gb_init_conv", "only conv gets its first weights from rng; skip does, too", "for layer in (self.conv,):"),
    edit("gb_init_none", "the first weights are left as PyTorch makes them", "for layer in ():"),
    edit("gb_init_up", "only a generator's first weights are drawn from rng", "for layer in (self.conv, self.skip) if up else ():"),
)

mistakes.at(
    "nn.init.normal_(layer.weight, 0, 0.02, generator=rng)",
    edit("gb_init_global", "rng is ignored: the first weights come from torch's own generator", "nn.init.normal_(layer.weight, 0, 0.02)"),
    edit("gb_init_variance", "0.02 is taken for the variance; N(0, 0.02²) has the standard deviation 0.02", "nn.init.normal_(layer.weight, 0, math.sqrt(0.02), generator=rng)"),
    edit("gb_init_large", "the first weights are ten times too large", "nn.init.normal_(layer.weight, 0, 0.2, generator=rng)"),
    edit("gb_init_one", "the first weights have standard deviation 1", "nn.init.normal_(layer.weight, 0, 1.0, generator=rng)"),
    edit("gb_init_mean", "the first weights have a mean that is not 0", "nn.init.normal_(layer.weight, 0.02, 0.02, generator=rng)"),
    edit("gb_init_uniform", "the first weights are uniform; a normal law is asked for", "nn.init.uniform_(layer.weight, -0.02 * math.sqrt(3), 0.02 * math.sqrt(3), generator=rng)"),
    edit("gb_init_uniform_narrow", "the first weights are uniform between -0.02 and 0.02", "nn.init.uniform_(layer.weight, -0.02, 0.02, generator=rng)"),
    edit("gb_init_square", "the first weights have standard deviation 0.02², which is what N(0, 0.02²) says of their variance", "nn.init.normal_(layer.weight, 0, 0.02**2, generator=rng)"),
    edit("gb_init_seed", "rng is replaced by a generator of the block's own, with a fixed seed", "nn.init.normal_(layer.weight, 0, 0.02, generator=torch.Generator().manual_seed(0))"),
    edit("gb_init_zero", "the first weights are 0", "nn.init.zeros_(layer.weight)"),
    edit("gb_init_kaiming", "the first weights depend on the number of inputs; the standard deviation is 0.02", "nn.init.kaiming_normal_(layer.weight, generator=rng)"),
)

UP = "return F.relu(self.norm(self.conv(x))) + self.skip(F.interpolate(x, scale_factor=2))"
mistakes.at(
    UP,
    edit("gb_no_relu", "a generator's stage has no ReLU", "return self.norm(self.conv(x)) + self.skip(F.interpolate(x, scale_factor=2))"),
    edit("gb_no_norm", "a generator's stage does not use its norm", "return F.relu(self.conv(x)) + self.skip(F.interpolate(x, scale_factor=2))"),
    edit("gb_relu_norm", "the norm comes after the ReLU; it comes before", "return self.norm(F.relu(self.conv(x))) + self.skip(F.interpolate(x, scale_factor=2))"),
    edit("gb_relu_sum", "ReLU is applied to the sum; the shortcut passes it by", "return F.relu(self.norm(self.conv(x)) + self.skip(F.interpolate(x, scale_factor=2)))"),
    edit("gb_norm_sum", "the norm is applied to the sum; the shortcut passes it by", "return F.relu(self.norm(self.conv(x) + self.skip(F.interpolate(x, scale_factor=2))))"),
    edit("gb_leaky_up", "a generator's stage has a leaky ReLU", "return F.leaky_relu(self.norm(self.conv(x)), 0.2) + self.skip(F.interpolate(x, scale_factor=2))"),
    edit("gb_bilinear", "the shortcut of a generator interpolates between pixels; each pixel is repeated", "return F.relu(self.norm(self.conv(x))) + self.skip(F.interpolate(x, scale_factor=2, mode='bilinear'))"),
    edit("gb_zeros", "the shortcut of a generator puts zeros between the pixels; each pixel is repeated", "return F.relu(self.norm(self.conv(x))) + self.skip(F.pixel_shuffle(torch.stack([x, 0 * x, 0 * x, 0 * x], 2).flatten(1, 2), 2))"),
    edit("gb_tiled", "the shortcut of a generator repeats the whole picture; each pixel is repeated", "return F.relu(self.norm(self.conv(x))) + self.skip(x.repeat(1, 1, 2, 2))"),
    edit("gb_quarter", "the shortcut of a generator divides each pixel by 4 as it repeats it", "return F.relu(self.norm(self.conv(x))) + self.skip(F.interpolate(x, scale_factor=2) / 4)"),
    edit("gb_no_skip_up", "a generator's stage has no shortcut", "return F.relu(self.norm(self.conv(x)))"),
    edit("gb_skip_only_up", "a generator's stage is its shortcut alone", "return self.skip(F.interpolate(x, scale_factor=2)) + 0 * self.norm(self.conv(x))"),
    edit("gb_minus_up", "the shortcut of a generator is subtracted", "return F.relu(self.norm(self.conv(x))) - self.skip(F.interpolate(x, scale_factor=2))"),
    edit("gb_half_up", "a generator's stage is the mean of conv and shortcut; it is their sum", "return (F.relu(self.norm(self.conv(x))) + self.skip(F.interpolate(x, scale_factor=2))) / 2"),
    edit("gb_relu_first_up", "ReLU is applied to x before conv", "return self.norm(self.conv(F.relu(x))) + self.skip(F.interpolate(x, scale_factor=2))"),
    edit("gb_norm_train", "the norm uses the batch in eval mode, too: a picture then depends on those beside it", "self.norm.train(); " + UP),
    edit("gb_norm_eval", "the norm uses its running numbers in training mode, too, and never learns them", "self.norm.eval(); " + UP),
    edit("gb_twice_up", "conv and norm are called twice in training mode: the running numbers move twice", "self.norm(self.conv(x)); " + UP),
    edit("gb_detached_up", "the shortcut of a generator carries no gradient", "return F.relu(self.norm(self.conv(x))) + self.skip(F.interpolate(x, scale_factor=2)).detach()"),
    edit("gb_input_up", "x is changed in place", "x.mul_(2).sub_(0.3); " + UP),
)

DOWN = "return F.leaky_relu(self.conv(x), 0.2) + self.skip(F.avg_pool2d(x, 2))"
mistakes.at(
    DOWN,
    edit("gb_slope_default", "the leaky ReLU has PyTorch's slope of 0.01; 0.2 is asked for", "return F.leaky_relu(self.conv(x)) + self.skip(F.avg_pool2d(x, 2))"),
    edit("gb_relu_down", "a critic's stage has a ReLU, which stops the gradient where it is 0; the leaky one has slope 0.2 there", "return F.relu(self.conv(x)) + self.skip(F.avg_pool2d(x, 2))"),
    edit("gb_linear_down", "a critic's stage has no LeakyReLU", "return self.conv(x) + self.skip(F.avg_pool2d(x, 2))"),
    edit("gb_leaky_sum", "LeakyReLU is applied to the sum; the shortcut passes it by", "return F.leaky_relu(self.conv(x) + self.skip(F.avg_pool2d(x, 2)), 0.2)"),
    edit("gb_max", "the shortcut of a critic takes maxima of 2×2; means are asked for", "return F.leaky_relu(self.conv(x), 0.2) + self.skip(F.max_pool2d(x, 2))"),
    edit("gb_sum_pool", "the shortcut of a critic adds up 2×2 pixels; means are asked for", "return F.leaky_relu(self.conv(x), 0.2) + self.skip(4 * F.avg_pool2d(x, 2))"),
    edit("gb_every_second", "the shortcut of a critic takes every second pixel; means of 2×2 are asked for", "return F.leaky_relu(self.conv(x), 0.2) + self.skip(x[:, :, ::2, ::2])"),
    edit("gb_no_skip_down", "a critic's stage has no shortcut", "return F.leaky_relu(self.conv(x), 0.2)"),
    edit("gb_skip_only_down", "a critic's stage is its shortcut alone", "return 0 * self.conv(x) + self.skip(F.avg_pool2d(x, 2))"),
    edit("gb_minus_down", "the shortcut of a critic is subtracted", "return F.leaky_relu(self.conv(x), 0.2) - self.skip(F.avg_pool2d(x, 2))"),
    edit("gb_half_down", "a critic's stage is the mean of conv and shortcut; it is their sum", "return (F.leaky_relu(self.conv(x), 0.2) + self.skip(F.avg_pool2d(x, 2))) / 2"),
    edit("gb_first_down", "LeakyReLU is applied to x before conv", "return self.conv(F.leaky_relu(x, 0.2)) + self.skip(F.avg_pool2d(x, 2))"),
    edit("gb_twice_down", "conv is called twice, so that its u moves twice", "self.conv(x); " + DOWN),
    edit("gb_detached_down", "the shortcut of a critic carries no gradient", "return F.leaky_relu(self.conv(x), 0.2) + self.skip(F.avg_pool2d(x, 2)).detach()"),
    edit("gb_input_down", "x is changed in place in a critic", "x.mul_(2).sub_(0.3); " + DOWN),
    edit("gb_centred", "the mean over the batch is subtracted in a critic: its logits depend on the other pictures", "h = self.conv(x); return F.leaky_relu(h - h.mean(0), 0.2) + self.skip(F.avg_pool2d(x, 2))"),
    edit("gb_x_detached", "a critic's stage detaches x: no gradient reaches the generator", "x = x.detach(); " + DOWN),
)


@mistakes.rewrite("up and down are exchanged in `GanBlock`")
def gb_exchanged(ref):
    class GanBlock(ref.GanBlock):
        def __init__(self, c_in, c_out, up, rng=None):
            super().__init__(c_in, c_out, not up, rng)

    return {"GanBlock": GanBlock}


@mistakes.rewrite("both kinds of `GanBlock` halve, and a generator's has no norm")
def gb_always_down(ref):
    class GanBlock(ref.GanBlock):
        def __init__(self, c_in, c_out, up, rng=None):
            super().__init__(c_in, c_out, False, rng)

    return {"GanBlock": GanBlock}


@mistakes.rewrite("in eval mode v is the one of the last training step; it comes from u as it is now, with the weights as they are")
def sp_v_kept(ref):
    class SpectralConv2d(ref.SpectralConv2d):
        def __init__(self, *sizes, **more):
            super().__init__(*sizes, **more)
            self.register_buffer("v", F.normalize(torch.ones(self.weight[0].numel()), dim=0))

        def sigma(self):
            matrix = self.weight.flatten(1)
            if self.training:
                with torch.no_grad():
                    self.v = F.normalize(matrix.T @ self.u, dim=0)
                    self.u = F.normalize(matrix @ self.v, dim=0)
            return self.u @ matrix @ self.v

    return {"SpectralConv2d": SpectralConv2d}


@mistakes.rewrite("`space_to_depth` goes through the blocks with a loop that leaves out the last place of each")
def sd_last_missing(ref):
    def space_to_depth(x, r):
        parts = [x[:, :, i::r, j::r] for i in range(r) for j in range(r)]
        parts[-1] = 0 * parts[-1]
        return torch.stack(parts, 2).flatten(1, 2)

    return {"space_to_depth": space_to_depth}


@mistakes.rewrite("`conv_norms` takes a convolution on an open grid, with nothing outside; the torus has no border")
def cn_open(ref):
    def conv_norms(weight, size, stride=1):
        k = weight.shape[-1]
        base = torch.eye(weight.shape[1] * size * size, dtype=weight.dtype).reshape(-1, weight.shape[1], size, size)
        dense = F.conv2d(base, weight, stride=stride, padding=k // 2).flatten(1)
        return torch.linalg.matrix_norm(dense, 2), ref.conv_norms(weight, size, stride)[1]

    return {"conv_norms": conv_norms}


@mistakes.rewrite("`conv_norms` takes the convolution of the picture without a border: only places where the whole kernel fits; the torus has no border")
def cn_valid(ref):
    def conv_norms(weight, size, stride=1):
        base = torch.eye(weight.shape[1] * size * size, dtype=weight.dtype).reshape(-1, weight.shape[1], size, size)
        dense = F.conv2d(base, weight, stride=stride).flatten(1)
        return torch.linalg.matrix_norm(dense, 2), ref.conv_norms(weight, size, stride)[1]

    return {"conv_norms": conv_norms}
