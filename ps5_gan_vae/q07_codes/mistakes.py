"""What students get wrong in question 7."""

import torch
from torch.nn import functional as F

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- nearest_code -------------------------------------------------------------------------------------------------

mistakes.at(
    "return (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(-1)",
    edit("flattened", "`nearest_code` reshapes to rows of D without moving the axis first, so each row mixes numbers of several places",
         "rows = z.reshape(-1, codebook.shape[1]); shape = list(z.shape); shape.pop(axis); return (rows[:, None] - codebook).square().sum(-1).argmin(-1).reshape(shape)"),
    edit("axis_ignored", "`nearest_code` ignores `axis` and takes the last one", "return (z[..., None, :] - codebook).square().sum(-1).argmin(-1)"),
    edit("axis_one", "`nearest_code` takes axis 1 whatever `axis` says, where z has four axes", "return (z.movedim(1 if z.ndim == 4 else axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(-1)"),
    edit("axis_swapped", "`nearest_code` swaps the axis with the last; the axes after it come out in another order",
         "return (z.transpose(axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(-1)"),
    edit("axis_permuted", "`nearest_code` permutes (0, 2, 3, 1) whenever z has four axes and the vectors are not on the last",
         "z = z.permute(0, 2, 3, 1) if z.ndim == 4 and axis != -1 else z.movedim(axis, -1); return (z[..., None, :] - codebook).square().sum(-1).argmin(-1)"),
    edit("flat_result", "`nearest_code` returns all indices in a row; the axes of z but one are to stay",
         "return (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(-1).flatten()"),
    edit("kept_axis", "`nearest_code` keeps an axis of length 1 where the vectors lay", "return (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(-1, keepdim=True)"),
    edit("farthest", "`nearest_code` finds the farthest entry", "return (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).argmax(-1)"),
    edit("ties_last", "`nearest_code` takes the last of equally near entries; the first is asked for",
         "return len(codebook) - 1 - (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).flip(-1).argmin(-1)"),
    edit("absolute", "`nearest_code` adds up absolute differences; (7.1) has squares", "return (z.movedim(axis, -1)[..., None, :] - codebook).abs().sum(-1).argmin(-1)"),
    edit("largest_difference", "`nearest_code` compares the largest difference of a coordinate; (7.1) adds up squares", "return (z.movedim(axis, -1)[..., None, :] - codebook).abs().amax(-1).argmin(-1)"),
    edit("not_squared", "`nearest_code` adds up differences without squares, so that they cancel", "return (z.movedim(axis, -1)[..., None, :] - codebook).sum(-1).argmin(-1)"),
    edit("sum_then_square", "`nearest_code` squares the sum of the differences; (7.1) sums their squares", "return (z.movedim(axis, -1)[..., None, :] - codebook).sum(-1).square().argmin(-1)"),
    edit("dot", "`nearest_code` takes the largest dot product; long entries win it wherever they are", "return (z.movedim(axis, -1) @ codebook.T).argmax(-1)"),
    edit("cosine", "`nearest_code` compares directions alone; lengths count in a distance", "return (F.normalize(z.movedim(axis, -1), dim=-1) @ F.normalize(codebook, dim=-1).T).argmax(-1)"),
    edit("no_cross", "`nearest_code` multiplies the square out without the product of z and entry: the shortest entry wins always",
         "return ((z.movedim(axis, -1) ** 2).sum(-1, keepdim=True) + codebook.square().sum(1)).argmin(-1)"),
    edit("cross_once", "`nearest_code` multiplies the square out with the product once; it comes twice", "return (codebook.square().sum(1) - z.movedim(axis, -1) @ codebook.T).argmin(-1)"),
    edit("cross_plus", "`nearest_code` multiplies the square out with a plus before the product", "return (codebook.square().sum(1) + 2 * z.movedim(axis, -1) @ codebook.T).argmin(-1)"),
    edit("length_not_squared", "`nearest_code` multiplies the square out with the entries' lengths; their squares are needed", "return (codebook.norm(dim=1) - 2 * z.movedim(axis, -1) @ codebook.T).argmin(-1)"),
    edit("expanded_raw", "`nearest_code` multiplies the square out: with a large common offset, squares of large numbers cancel and their digits are lost",
         "rows = z.movedim(axis, -1); return (rows.square().sum(-1, keepdim=True) - 2 * rows @ codebook.T + codebook.square().sum(1)).argmin(-1)"),
    edit("single", "`nearest_code` computes in float32 whatever it is given; entries that float64 tells apart are lost", "return (z.movedim(axis, -1).float()[..., None, :] - codebook.float()).square().sum(-1).argmin(-1)"),
    edit("half", "`nearest_code` computes in half precision", "return (z.movedim(axis, -1)[..., None, :].bfloat16() - codebook.bfloat16()).square().sum(-1).argmin(-1)"),
    edit("rounded", "`nearest_code` rounds the distances", "return (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).round().argmin(-1)"),
    edit("vectors", "`nearest_code` returns the entries; their indices are asked for", "return codebook[(z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(-1)]"),
    edit("distances", "`nearest_code` returns the smallest distances; indices are asked for", "return (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).amin(-1)"),
    edit("rows_one_hot", "`nearest_code` returns one-hot rows; indices are asked for", "return F.one_hot((z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(-1), len(codebook))"),
    edit("floats", "`nearest_code` returns floats; they cannot index a codebook", "return (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(-1).to(z.dtype)"),
    edit("from_one", "`nearest_code` counts from 1; indices begin with 0", "return (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(-1) + 1"),
    edit("over_vectors", "`nearest_code` finds for each entry the nearest vector; each vector looks for its entry",
         "rows = z.movedim(axis, -1); return (rows.reshape(-1, 1, rows.shape[-1]) - codebook).square().sum(-1).argmin(0)"),
    edit("first_axis", "`nearest_code` looks for the smallest over the wrong axis of the distances", "return (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(0)"),
    edit("first_coordinate", "`nearest_code` compares the first coordinate alone", "return (z.movedim(axis, -1)[..., None, :] - codebook)[..., 0].square().argmin(-1)"),
    edit("scaled", "`nearest_code` brings each vector to length 1 before it looks; lengths count in a distance", "return (F.normalize(z.movedim(axis, -1), dim=-1)[..., None, :] - codebook).square().sum(-1).argmin(-1)"),
    edit("first_entry_out", "`nearest_code` never chooses entry 0", "return (z.movedim(axis, -1)[..., None, :] - codebook)[..., min(1, len(codebook) - 1) :, :].square().sum(-1).argmin(-1) + min(1, len(codebook) - 1)"),
)

# --- pass_through -------------------------------------------------------------------------------------------------

mistakes.at(
    "return z + (q - z).detach()",
    edit("st_reversed", "straight-through has z and q exchanged: the value is z, and the gradient goes to q", "return q + (z - q).detach()"),
    edit("st_sign", "straight-through adds z - q; the value must be q", "return z + (z - q).detach()"),
    edit("st_q_live", "straight-through leaves q in the graph: the reconstruction moves the codebook too, which has a loss of its own", "return q + (z - z.detach())"),
    edit("st_value_of_q", "straight-through returns q alone: the encoder gets no gradient", "return q + 0 * z"),
    edit("st_detach_z", "straight-through detaches z alone, the wrong one: the gradient goes to q", "return z.detach() + (q - z.detach())"),
    edit("st_all_detached", "straight-through detaches everything: nothing before it learns", "return (z + (q - z)).detach()"),
    edit("st_q_only_detached", "straight-through computes z + q.detach() - z: the two z cancel in the gradient", "return z + q.detach() - z"),
    edit("st_identity", "straight-through returns z: nothing is quantised", "return z + 0 * q.detach()"),
    edit("st_twice", "the gradient of straight-through is doubled", "return 2 * z + (q - 2 * z).detach()"),
    edit("st_half", "straight-through averages z and q", "return (z + (q - z).detach() / 2)"),
    edit("st_scaled", "the gradient of straight-through is scaled by ‖q‖/‖z‖; that belongs to the rotation", "size = (q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True)).detach(); return size * z + (q - size * z).detach()"),
    edit("st_shared", "the gradient of straight-through goes half to z, half to q", "return (z + q) / 2 + ((q - z) / 2).detach()"),
    edit("st_single", "straight-through computes in float32 whatever it is given", "return (z.float() + (q.float() - z.float()).detach()).to(z.dtype)"),
)

mistakes.at(
    """
    if kind == "straight_through":
        return z + (q - z).detach()
    """,
    edit("kind_ignored", "`pass_through` rotates whatever `kind` says", "\n"),
    edit("kinds_swapped", "`pass_through` has the two kinds exchanged",
         """
         if kind != "straight_through":
             return z + (q - z).detach()
         """),
    edit("always_straight", "with kind \"rotation\" the gradient goes straight through, neither turned nor scaled",
         """
         if True:
             return z + (q - z).detach()
         """),
)

mistakes.at(
    "start, end = F.normalize(z.detach(), dim=-1), F.normalize(q.detach(), dim=-1)",
    edit("start_live", "gradients across z are lost in the rotation: ẑ is not detached, or only what lies along z is carried over; R is a constant that turns all directions", "start, end = F.normalize(z, dim=-1), F.normalize(q.detach(), dim=-1)"),
    edit("end_live", "the rotation's q̂ is not detached: q gets a gradient", "start, end = F.normalize(z.detach(), dim=-1), F.normalize(q, dim=-1)"),
    edit("both_live", "nothing of the rotation is detached: autograd goes through R, and q gets a gradient", "start, end = F.normalize(z, dim=-1), F.normalize(q, dim=-1)"),
    edit("swapped_ends", "the rotation goes from q to z, or ẑ and q̂ have each other's place in its last term", "end, start = F.normalize(z.detach(), dim=-1), F.normalize(q.detach(), dim=-1)"),
    edit("not_unit", "the rotation is made of z and q themselves; (7.3) needs their directions, unit vectors", "start, end = z.detach(), q.detach()"),
    edit("start_not_unit", "the rotation uses z itself in place of its direction", "start, end = z.detach(), F.normalize(q.detach(), dim=-1)"),
    edit("end_not_unit", "the rotation uses q itself in place of its direction", "start, end = F.normalize(z.detach(), dim=-1), q.detach()"),
    edit("unit_eps", "lengths in the rotation are at least 0.001 or so: short vectors are no longer unit vectors",
         "start, end = F.normalize(z.detach(), dim=-1, eps=1e-3), F.normalize(q.detach(), dim=-1, eps=1e-3)"),
    edit("unit_added", "10⁻⁶ or more is added to the lengths in the rotation, which counts where vectors are short",
         "start, end = z.detach() / (z.detach().norm(dim=-1, keepdim=True) + 1e-6), q.detach() / (q.detach().norm(dim=-1, keepdim=True) + 1e-6)"),
    edit("unit_batch", "the rotation divides by the length of the whole batch; each vector has its own direction", "start, end = z.detach() / z.detach().norm(), q.detach() / q.detach().norm()"),
    edit("unit_first_axis", "the rotation normalises over the first axis; vectors lie on the last", "start, end = F.normalize(z.detach(), dim=0), F.normalize(q.detach(), dim=0)"),
    edit("unit_second_axis", "the rotation normalises over axis 1 whatever the shape; vectors lie on the last", "start, end = F.normalize(z.detach(), dim=min(1, z.ndim - 1)), F.normalize(q.detach(), dim=min(1, z.ndim - 1))"),
)

mistakes.at(
    "r, size = F.normalize(start + end, dim=-1), (q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True)).detach()",
    edit("size_live", "the factor ‖q‖/‖z‖ is not detached: then the gradient along z is lost, and q gets one", "r, size = F.normalize(start + end, dim=-1), q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True)"),
    edit("size_z_live", "‖z‖ in the factor is not detached: the gradient along z is lost", "r, size = F.normalize(start + end, dim=-1), q.norm(dim=-1, keepdim=True).detach() / z.norm(dim=-1, keepdim=True)"),
    edit("size_q_live", "‖q‖ in the factor is not detached: q gets a gradient", "r, size = F.normalize(start + end, dim=-1), q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True).detach()"),
    edit("size_inverse", "the factor is ‖z‖/‖q‖, upside down", "r, size = F.normalize(start + end, dim=-1), (z.norm(dim=-1, keepdim=True) / q.norm(dim=-1, keepdim=True)).detach()"),
    edit("size_missing", "the factor ‖q‖/‖z‖ is missing: the result has q's direction, but z's length", "r, size = F.normalize(start + end, dim=-1), 1.0"),
    edit("size_squared", "the factor is the ratio of squared lengths", "r, size = F.normalize(start + end, dim=-1), (q.square().sum(-1, keepdim=True) / z.square().sum(-1, keepdim=True)).detach()"),
    edit("size_batch", "the factor is the ratio of the lengths of the whole batch; each vector has its own", "r, size = F.normalize(start + end, dim=-1), (q.norm() / z.norm()).detach()"),
    edit("size_is_q", "the factor is ‖q‖, not divided by ‖z‖", "r, size = F.normalize(start + end, dim=-1), q.norm(dim=-1, keepdim=True).detach()"),
    edit("size_clamped", "‖z‖ in the factor is at least 0.001 or so, which counts where vectors are short", "r, size = F.normalize(start + end, dim=-1), (q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True).clamp(min=1e-3)).detach()"),
    edit("r_not_unit", "r is ẑ + q̂, without its length 1", "r, size = start + end, (q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True)).detach()"),
    edit("r_half", "r is the mean of ẑ and q̂; it must have length 1", "r, size = (start + end) / 2, (q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True)).detach()"),
    edit("r_minus", "r is made of q̂ - ẑ; (7.3) reflects at the sum", "r, size = F.normalize(end - start, dim=-1), (q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True)).detach()"),
    edit("r_of_lengths", "r is the direction of z + q; long vectors count more there than in ẑ + q̂", "r, size = F.normalize((z + q).detach(), dim=-1), (q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True)).detach()"),
    edit("r_is_start", "r is ẑ; it lies half way to q̂", "r, size = start, (q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True)).detach()"),
)

mistakes.at(
    "return size * (z - 2 * r * (r * z).sum(-1, keepdim=True) + 2 * end * (start * z).sum(-1, keepdim=True))",
    edit("rot_reflection", "the second reflection is missing: the value is -q", "return size * (z - 2 * r * (r * z).sum(-1, keepdim=True))"),
    edit("rot_one_reflection", "one reflection with its sign turned stands in for the rotation: the value is q, but gradients across are turned round",
         "return size * (2 * r * (r * z).sum(-1, keepdim=True) - z)"),
    edit("rot_other_reflection", "one reflection at q̂ - ẑ stands in for the rotation: the value is q, but the gradient is mirrored",
         "v = F.normalize(end - start, dim=-1); return size * (z - 2 * v * (v * z).sum(-1, keepdim=True))"),
    edit("rot_signs", "the two last terms of the rotation have each other's sign", "return size * (z + 2 * r * (r * z).sum(-1, keepdim=True) - 2 * end * (start * z).sum(-1, keepdim=True))"),
    edit("rot_no_two", "the factors 2 of the reflections are missing", "return size * (z - r * (r * z).sum(-1, keepdim=True) + end * (start * z).sum(-1, keepdim=True))"),
    edit("rot_two_first", "the factor 2 of the term with r is missing", "return size * (z - r * (r * z).sum(-1, keepdim=True) + 2 * end * (start * z).sum(-1, keepdim=True))"),
    edit("rot_two_second", "the factor 2 of the last term is missing", "return size * (z - 2 * r * (r * z).sum(-1, keepdim=True) + end * (start * z).sum(-1, keepdim=True))"),
    edit("rot_end_end", "the last term of the rotation is q̂ (q̂·z); the product is with ẑ", "return size * (z - 2 * r * (r * z).sum(-1, keepdim=True) + 2 * end * (end * z).sum(-1, keepdim=True))"),
    edit("rot_start_detached", "the dot product ẑ·z is detached: its part of the gradient is lost", "return size * (z - 2 * r * (r * z).sum(-1, keepdim=True) + 2 * end * (start * z).sum(-1, keepdim=True).detach())"),
    edit("rot_r_detached", "the dot product r·z is detached: its part of the gradient is lost", "return size * (z - 2 * r * (r * z).sum(-1, keepdim=True).detach() + 2 * end * (start * z).sum(-1, keepdim=True))"),
    edit("rot_dots_detached", "both dot products are detached: the gradient is scaled, but not turned", "return size * (z - 2 * r * (r * z).sum(-1, keepdim=True).detach() + 2 * end * (start * z).sum(-1, keepdim=True).detach())"),
    edit("rot_no_graph", "the rotated vector has no graph: the encoder gets no gradient", "return (size * (z - 2 * r * (r * z).sum(-1, keepdim=True) + 2 * end * (start * z).sum(-1, keepdim=True))).detach()"),
    edit("rot_batch_dot", "dot products run over the whole batch; each vector has its own", "return size * (z - 2 * r * (r * z).sum() + 2 * end * (start * z).sum())"),
    edit("rot_backward", "the gradient is turned the wrong way, by R in place of its transpose", "back = size * (z - 2 * r * (r * z).sum(-1, keepdim=True) + 2 * start * (end * z).sum(-1, keepdim=True)); return back + (q - back).detach()"),
    edit("rot_unscaled_gradient", "the gradient is turned, but the factor ‖q‖/‖z‖ is missing in it", "turned = z - 2 * r * (r * z).sum(-1, keepdim=True) + 2 * end * (start * z).sum(-1, keepdim=True); return turned + (q - turned).detach()"),
    edit("rot_single", "the rotation computes in float32 whatever it is given", "z, r, start, end, size = (part.float() for part in (z, r, start, end, size)); return (size * (z - 2 * r * (r * z).sum(-1, keepdim=True) + 2 * end * (start * z).sum(-1, keepdim=True))).to(q.dtype)"),
    edit("rot_q_too", "q gets the gradient as well: the reconstruction moves the codebook, which has a loss of its own", "return size * (z - 2 * r * (r * z).sum(-1, keepdim=True) + 2 * end * (start * z).sum(-1, keepdim=True)) + q - q.detach()"),
)

# --- vq_losses ----------------------------------------------------------------------------------------------------

mistakes.at(
    "return F.mse_loss(q, z.detach()), beta * F.mse_loss(z, q.detach())",
    edit("vl_exchanged", "z and q are detached in each other's loss: the codebook loss must move q, the commitment loss z", "return F.mse_loss(z, q.detach()), beta * F.mse_loss(q, z.detach())"),
    edit("vl_no_detach", "`vq_losses` detaches nothing: each loss moves both sides", "return F.mse_loss(q, z), beta * F.mse_loss(z, q)"),
    edit("vl_first_live", "the codebook loss moves z as well: z is not detached in it", "return F.mse_loss(q, z), beta * F.mse_loss(z, q.detach())"),
    edit("vl_second_live", "the commitment loss moves q as well: q is not detached in it", "return F.mse_loss(q, z.detach()), beta * F.mse_loss(z, q)"),
    edit("vl_both_codebook", "both losses move q: z is detached in both", "return F.mse_loss(q, z.detach()), beta * F.mse_loss(q, z.detach())"),
    edit("vl_both_encoder", "both losses move z: q is detached in both", "return F.mse_loss(z, q.detach()), beta * F.mse_loss(z, q.detach())"),
    edit("vl_beta_first", "β multiplies the codebook loss; it belongs to the commitment", "return beta * F.mse_loss(q, z.detach()), F.mse_loss(z, q.detach())"),
    edit("vl_beta_both", "β multiplies both losses; it belongs to the commitment alone", "return beta * F.mse_loss(q, z.detach()), beta * F.mse_loss(z, q.detach())"),
    edit("vl_beta_missing", "β is missing", "return F.mse_loss(q, z.detach()), F.mse_loss(z, q.detach())"),
    edit("vl_beta_fixed", "β is 0.25 whatever is given", "return F.mse_loss(q, z.detach()), 0.25 * F.mse_loss(z, q.detach())"),
    edit("vl_beta_squared", "β is squared, perhaps as it multiplies the difference", "return F.mse_loss(q, z.detach()), beta**2 * F.mse_loss(z, q.detach())"),
    edit("vl_beta_divides", "the commitment loss is divided by β", "return F.mse_loss(q, z.detach()), F.mse_loss(z, q.detach()) / (beta + 1e-30)"),
    edit("vl_beta_rest", "the codebook loss is multiplied by 1 - β; (7.4) has no factor there", "return (1 - beta) * F.mse_loss(q, z.detach()), beta * F.mse_loss(z, q.detach())"),
    edit("vl_order", "the commitment loss comes first; the codebook loss is asked for first", "return beta * F.mse_loss(z, q.detach()), F.mse_loss(q, z.detach())"),
    edit("vl_sum", "squares are summed over all; (7.4) is their mean", 'return F.mse_loss(q, z.detach(), reduction="sum"), beta * F.mse_loss(z, q.detach(), reduction="sum")'),
    edit("vl_sum_last", "squares are summed over the last axis before the mean; (7.4) is a mean over all numbers", "return (q - z.detach()).square().sum(-1).mean(), beta * (z - q.detach()).square().sum(-1).mean()"),
    edit("vl_sum_batch", "squares are summed, and divided by the length of the first axis; (7.4) is a mean over all numbers", "return (q - z.detach()).square().sum() / len(z), beta * (z - q.detach()).square().sum() / len(z)"),
    edit("vl_absolute", "`vq_losses` takes absolute differences; (7.4) has squares", "return F.l1_loss(q, z.detach()), beta * F.l1_loss(z, q.detach())"),
    edit("vl_norm", "`vq_losses` takes lengths without squares", "return (q - z.detach()).norm(dim=-1).mean(), beta * (z - q.detach()).norm(dim=-1).mean()"),
    edit("vl_root", "`vq_losses` takes the root of the mean square", "return F.mse_loss(q, z.detach()).sqrt(), beta * F.mse_loss(z, q.detach()).sqrt()"),
    edit("vl_half", "both losses are halved; (7.4) has no ½", "return F.mse_loss(q, z.detach()) / 2, beta * F.mse_loss(z, q.detach()) / 2"),
    edit("vl_smooth", "`vq_losses` uses the Huber loss, which is linear for large differences", "return F.smooth_l1_loss(q, z.detach()), beta * F.smooth_l1_loss(z, q.detach())"),
    edit("vl_added", "`vq_losses` returns the sum; the two losses are asked for apart", "return F.mse_loss(q, z.detach()) + beta * F.mse_loss(z, q.detach())"),
    edit("vl_each", "`vq_losses` returns one loss for each vector; the mean over all is asked for", "return (q - z.detach()).square().mean(-1), beta * (z - q.detach()).square().mean(-1)"),
    edit("vl_floats", "`vq_losses` returns Python floats, which carry no gradient", "return F.mse_loss(q, z).item(), beta * F.mse_loss(z, q).item()"),
    edit("vl_detached", "`vq_losses` detaches both sides: nothing is moved", "return F.mse_loss(q.detach(), z.detach()), beta * F.mse_loss(z.detach(), q.detach())"),
    edit("vl_cosine", "`vq_losses` compares directions alone", "return 1 - F.cosine_similarity(q, z.detach(), dim=-1).mean(), beta * (1 - F.cosine_similarity(z, q.detach(), dim=-1).mean())"),
    edit("vl_single", "`vq_losses` computes in float32 whatever it is given", "return F.mse_loss(q.float(), z.detach().float()).to(z.dtype), beta * F.mse_loss(z.float(), q.detach().float()).to(z.dtype)"),
)

# --- MovingCodebook: update ---------------------------------------------------------------------------------------

mistakes.at(
    "if self.training:",
    edit("up_always", "`update` moves the entries in eval mode too: evaluation would change the model", "if True:"),
    edit("up_only_eval", "`update` moves entries in eval mode alone; it is the other way round", "if not self.training:"),
)

mistakes.at(
    "chosen = F.one_hot(ids, len(self.codes)).to(z)",
    edit("up_any", "`update` notes whether an entry was chosen; (7.5) counts how often", "chosen = F.one_hot(ids, len(self.codes)).to(z); chosen = chosen / chosen.sum(0).clamp(min=1)"),
    edit("up_share", "`update` counts shares of the batch; (7.5) has numbers of vectors", "chosen = F.one_hot(ids, len(self.codes)).to(z) / len(ids)"),
    edit("up_first_vector", "`update` uses the first vector of the batch alone", "chosen = F.one_hot(ids, len(self.codes)).to(z) * (torch.arange(len(ids), device=ids.device) == 0)[:, None]"),
    edit("up_last_wins", "of several vectors that chose an entry, only the last counts, as in an assignment by index; (7.5) sums them",
         "chosen = F.one_hot(ids, len(self.codes)).to(z); chosen = chosen * (chosen.flip(0).cumsum(0).flip(0) == 1)"),
)

mistakes.at(
    "self.counts.lerp_(chosen.sum(0), 1 - self.decay)",
    edit("up_counts_decay", "γ and 1 - γ are exchanged in the counts", "self.counts.lerp_(chosen.sum(0), self.decay)"),
    edit("up_both_decay", "γ and 1 - γ are exchanged in counts and sums: entries jump to the last batch", "self.counts.lerp_(chosen.sum(0), self.decay)",
         ("self.sums.lerp_(chosen.T @ z, 1 - self.decay)", "self.sums.lerp_(chosen.T @ z, self.decay)")),
    edit("up_counts_stay", "the counts are never updated", "pass"),
    edit("up_counts_twice", "the counts are updated twice a batch", "self.counts.lerp_(chosen.sum(0), 1 - self.decay).lerp_(chosen.sum(0), 1 - self.decay)"),
    edit("up_counts_added", "counts and sums are added up without a decay: the past is never forgotten", "self.counts.add_(chosen.sum(0))", ("self.sums.lerp_(chosen.T @ z, 1 - self.decay)", "self.sums.add_(chosen.T @ z)")),
    edit("up_no_weight", "new counts and sums are added without the factor 1 - γ", "self.counts.mul_(self.decay).add_(chosen.sum(0))", ("self.sums.lerp_(chosen.T @ z, 1 - self.decay)", "self.sums.mul_(self.decay).add_(chosen.T @ z)")),
    edit("up_no_weight_counts", "new counts are added without the factor 1 - γ, new sums with it", "self.counts.mul_(self.decay).add_(chosen.sum(0))"),
    edit("up_no_past", "the past is not multiplied by γ, in counts and sums", "self.counts.add_((1 - self.decay) * chosen.sum(0))", ("self.sums.lerp_(chosen.T @ z, 1 - self.decay)", "self.sums.add_((1 - self.decay) * (chosen.T @ z))")),
    edit("up_counts_now", "the counts are those of the batch alone", "self.counts.copy_(chosen.sum(0))"),
    edit("up_only_chosen", "only entries that were chosen change their counts and sums; the others must decay, too, or a code that fell out of use never looks dead",
         "self.counts[:] = torch.where(chosen.sum(0) > 0, self.counts.lerp(chosen.sum(0), 1 - self.decay), self.counts)",
         ("self.sums.lerp_(chosen.T @ z, 1 - self.decay)", "self.sums[:] = torch.where(chosen.sum(0)[:, None] > 0, self.sums.lerp(chosen.T @ z, 1 - self.decay), self.sums)")),
    edit("up_decay_fixed", "the decay is 0.99 whatever was given", "self.counts.lerp_(chosen.sum(0), 0.01)", ("self.sums.lerp_(chosen.T @ z, 1 - self.decay)", "self.sums.lerp_(chosen.T @ z, 0.01)")),
)

mistakes.at(
    "self.sums.lerp_(chosen.T @ z, 1 - self.decay)",
    edit("up_sums_decay", "γ and 1 - γ are exchanged in the sums", "self.sums.lerp_(chosen.T @ z, self.decay)"),
    edit("up_sums_stay", "the sums are never updated", "pass"),
    edit("up_sums_means", "the sums take in the mean of the vectors that chose an entry; counts speak of sums", "self.sums.lerp_(chosen.T @ z / chosen.sum(0).clamp(min=1)[:, None], 1 - self.decay)"),
    edit("up_sums_from_codes", "the sums go on from the entries in place of the sums before", "self.sums.copy_(self.decay * self.codes + (1 - self.decay) * (chosen.T @ z))"),
    edit("up_sums_now", "the sums are those of the batch alone", "self.sums.copy_(chosen.T @ z)"),
    edit("up_sums_nearest", "`update` looks up the nearest entries itself; ids says who chose what", "self.sums.lerp_(F.one_hot(torch.cdist(z, self.codes).argmin(1), len(self.codes)).to(z).T @ z, 1 - self.decay)"),
    edit("up_sums_all", "each entry takes in the sum of all vectors, weighted by its count; only those that chose it belong to it", "self.sums.lerp_(chosen.sum(0)[:, None] * z.mean(0), 1 - self.decay)"),
    edit("up_sums_difference", "the sums take in differences of vectors and entries; (7.5) has the vectors", "self.sums.lerp_(chosen.T @ (z - self.codes[ids]), 1 - self.decay)"),
    edit("up_sums_wrong_rows", "vectors are added to entries in the order of the batch reversed; row i of z chose ids[i]", "self.sums.lerp_(chosen.flip(0).T @ z, 1 - self.decay)"),
)

mistakes.at(
    "total = self.counts.sum()",
    edit("up_total_batch", "n is the size of the batch; it is the sum of the running counts", "total = torch.tensor(float(len(z))).to(z)"),
    edit("up_total_fixed", "n is the number of entries; it is the sum of the running counts", "total = torch.tensor(float(len(self.codes))).to(z)"),
    edit("up_total_eps", "n is summed after ε was added to the counts", "total = (self.counts + self.eps).sum()"),
)

mistakes.at(
    "self.codes.copy_(self.sums / ((self.counts + self.eps) / (total + len(self.codes) * self.eps) * total)[:, None])",
    edit("up_no_smoothing", "the smoothing is missing: the entries are sums divided by counts", "self.codes.copy_(self.sums / self.counts[:, None])"),
    edit("up_clamped", "the counts are clamped at ε in place of smoothed", "self.codes.copy_(self.sums / self.counts.clamp(min=self.eps)[:, None])"),
    edit("up_eps_only", "ε is added to the counts, without bringing their sum back to n", "self.codes.copy_(self.sums / (self.counts + self.eps)[:, None])"),
    edit("up_one_eps", "the smoothing divides by n + ε; K times ε was added in all", "self.codes.copy_(self.sums / ((self.counts + self.eps) / (total + self.eps) * total)[:, None])"),
    edit("up_not_rescaled", "the smoothed shares are not multiplied by n: the entries are too large by that factor", "self.codes.copy_(self.sums / ((self.counts + self.eps) / (total + len(self.codes) * self.eps))[:, None])"),
    edit("up_eps_fixed", "ε is 0.00001 whatever was given", "self.codes.copy_(self.sums / ((self.counts + 1e-5) / (total + len(self.codes) * 1e-5) * total)[:, None])"),
    edit("up_eps_in_counts", "the smoothed counts replace the running ones: ε piles up from batch to batch", "self.counts.copy_((self.counts + self.eps) / (total + len(self.codes) * self.eps) * total); self.codes.copy_(self.sums / self.counts[:, None])"),
    edit("up_means_of_batch", "the entries jump to the means of the batch; (7.5) divides running sums", "self.codes.copy_(chosen.T @ z / (chosen.sum(0) + self.eps)[:, None])"),
    edit("up_codes_stay", "the entries are never written: only counts and sums move", "pass"),
    edit("up_codes_averaged", "the entries are averaged with their old values once more", "self.codes.lerp_(self.sums / ((self.counts + self.eps) / (total + len(self.codes) * self.eps) * total)[:, None], 1 - self.decay)"),
    edit("up_only_seen", "entries that nobody chose in this batch keep their place, while smoothing moves them a little",
         "self.codes.copy_(torch.where(chosen.sum(0)[:, None] > 0, self.sums / ((self.counts + self.eps) / (total + len(self.codes) * self.eps) * total)[:, None], self.codes))"),
    edit("up_unit", "the entries are brought to length 1", "self.codes.copy_(F.normalize(self.sums, dim=1))"),
    edit("up_wrong_axis", "sums are divided by the counts along the wrong axis where K = D", "self.codes.copy_(self.sums / ((self.counts + self.eps) / (total + len(self.codes) * self.eps) * total).reshape((1, -1) if self.sums.shape[0] == self.sums.shape[1] else (-1, 1)))"),
    edit("up_sums_replaced", "the sums are overwritten by the entries, so the next batch starts from too small sums", "self.codes.copy_(self.sums / ((self.counts + self.eps) / (total + len(self.codes) * self.eps) * total)[:, None]); self.sums.copy_(self.codes)"),
    edit("up_half", "`update` computes in half precision", "self.codes.copy_((self.sums.bfloat16() / ((self.counts + self.eps) / (total + len(self.codes) * self.eps) * total).bfloat16()[:, None]).to(z))"),
    edit("up_single", "`update` computes in float32 whatever it is given", "self.codes.copy_((self.sums.float() / ((self.counts + self.eps) / (total + len(self.codes) * self.eps) * total).float()[:, None]).to(z))"),
)

# --- MovingCodebook: revive ---------------------------------------------------------------------------------------

mistakes.at(
    "dead = (self.counts < least) & self.training",
    edit("re_eval", "`revive` changes entries in eval mode", "dead = self.counts < least"),
    edit("re_equal", "`revive` takes an entry whose count equals `least` for dead; it must be below", "dead = (self.counts <= least) & self.training"),
    edit("re_alive", "`revive` replaces the entries in use and keeps the dead", "dead = (self.counts >= least) & self.training"),
    edit("re_one", "`revive` compares with 1 whatever `least` is", "dead = (self.counts < 1) & self.training"),
    edit("re_all", "`revive` replaces all entries", "dead = torch.full_like(self.counts, self.training, dtype=torch.bool)"),
    edit("re_zero", "`revive` replaces only entries with count 0; running counts decay, and never get there", "dead = (self.counts == 0) & self.training"),
    edit("re_share", "`revive` compares shares of the counts with `least`", "dead = (self.counts / self.counts.sum() < least) & self.training"),
    edit("re_worst", "`revive` replaces one entry a call, the least used; all below `least` are to begin anew",
         "dead = (self.counts < least) & (self.counts == self.counts.min()) & (torch.arange(len(self.counts), device=z.device) == self.counts.argmin()) & self.training"),
    edit("re_nothing", "`revive` does nothing", "dead = torch.zeros_like(self.counts, dtype=torch.bool)"),
    edit("re_floor", "`revive` rounds the counts down before it compares", "dead = (self.counts.floor() < least) & self.training"),
)

mistakes.at(
    "self.codes[dead] = self.sums[dead] = z[picks[dead]]",
    edit("re_sums_old", "`revive` leaves the sums: after the next batch the entry is a mean of its old place again", "self.codes[dead] = z[picks[dead]]"),
    edit("re_sums_zero", "`revive` sets the sums to 0; with count 1 they say that the entry lies at the origin", "self.codes[dead] = z[picks[dead]]; self.sums[dead] = 0"),
    edit("re_codes_old", "`revive` changes the sums, but not the entries themselves", "self.sums[dead] = z[picks[dead]]"),
    edit("re_in_order", "the dead entries take the first picks in turn; entry k is to take picks[k]", "self.codes[dead] = self.sums[dead] = z[picks[: int(dead.sum())]]"),
    edit("re_row_k", "entry k begins at row k of z; picks[k] says which row", "self.codes[dead] = self.sums[dead] = z[torch.arange(len(picks), device=z.device)[dead] % len(z)]"),
    edit("re_first_rows", "the dead entries take the first rows of z; picks says which", "self.codes[dead] = self.sums[dead] = z[torch.arange(int(dead.sum()), device=z.device) % len(z)]"),
    edit("re_random", "`revive` draws rows itself; picks says which", "self.codes[dead] = self.sums[dead] = z[torch.randint(len(z), (int(dead.sum()),), device=z.device)]"),
    edit("re_same", "all dead entries begin at the same row, and will be chosen as one", "self.codes[dead] = self.sums[dead] = z[picks[:1]]"),
    edit("re_mean", "dead entries begin at the mean of the batch, and so at one place", "self.codes[dead] = self.sums[dead] = z.mean(0)"),
    edit("re_halfway", "dead entries move half way; they begin anew at the vector", "self.codes[dead] = self.sums[dead] = (self.codes[dead] + z[picks[dead]]) / 2"),
    edit("re_noise", "`revive` adds noise to the vectors", "self.codes[dead] = self.sums[dead] = z[picks[dead]] + 0.01 * torch.randn_like(z[picks[dead]])"),
    edit("re_codes_of_picks", "dead entries copy other entries; they begin at vectors of the batch", "self.codes[dead] = self.sums[dead] = self.codes[picks[dead] % len(self.codes)]"),
    edit("re_sums_batch", "`revive` sets the sums to the vector times the number of dead entries", "self.codes[dead] = z[picks[dead]]; self.sums[dead] = z[picks[dead]] * dead.sum()"),
)

mistakes.at(
    "self.counts[dead] = 1",
    edit("re_counts_old", "`revive` leaves the counts: the new sums are divided by the old counts after the next batch", "pass"),
    edit("re_counts_zero", "`revive` sets counts to 0; the sums hold one vector, and the entry would be taken for dead again", "self.counts[dead] = 0"),
    edit("re_counts_least", "`revive` sets counts to `least`; the sums hold one vector", "self.counts[dead] = least"),
    edit("re_counts_all", "`revive` sets the counts of all entries to 1", "self.counts.fill_(1)"),
    edit("re_counts_mean", "`revive` sets counts to the mean count; the sums hold one vector", "self.counts[dead] = self.counts.mean()"),
    edit("re_counts_plus", "`revive` adds 1 to the old counts; the entry begins anew", "self.counts[dead] += 1"),
)

# --- perplexity ---------------------------------------------------------------------------------------------------

mistakes.at(
    "return torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).sum().exp()",
    edit("px_entropy", "`perplexity` returns the entropy; its exponential is asked for", "return torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).sum()"),
    edit("px_bits", "`perplexity` returns the entropy in bits; the exponential of nats is asked for", "return torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).sum() / math.log(2)"),
    edit("px_mixed", "`perplexity` raises e to an entropy in bits: base and logarithm must agree", "return (torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).sum() / math.log(2)).exp()"),
    edit("px_two", "`perplexity` raises 2 to an entropy in nats: base and logarithm must agree", "return 2 ** torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).sum()"),
    edit("px_sign", "the sign of the entropy is wrong: its exponential is 1 over the perplexity", "return (-torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).sum()).exp()"),
    edit("px_used", "`perplexity` counts the codes that occur, as if all were used equally", "return (torch.bincount(ids.flatten(), minlength=n_codes) > 0).sum().float()"),
    edit("px_nan", "0 · log 0 is taken as NaN: a code that does not occur adds 0", "p = torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel(); return (-(p * p.log()).sum()).exp()"),
    edit("px_minlength", "`perplexity` takes the entropy as the mean over the codes, not their sum", "return torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).mean().exp()"),
    edit("px_smoothed", "one is added to each count: codes that do not occur change the result", "p = torch.bincount(ids.flatten(), minlength=n_codes) + 1.0; return torch.special.entr(p / p.sum()).sum().exp()"),
    edit("px_eps", "a constant such as 0.001 within the logarithm changes the result", "p = torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel(); return (-(p * (p + 1e-3).log()).sum()).exp()"),
    edit("px_over_k", "counts are divided by K; shares are counts divided by the number of ids", "return torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / n_codes).sum().exp()"),
    edit("px_softmax", "shares are a softmax of the counts; they are counts divided by the number of ids", "p = torch.bincount(ids.flatten(), minlength=n_codes).float().softmax(0); return torch.special.entr(p).sum().exp()"),
    edit("px_simpson", "`perplexity` is 1 over the sum of squared shares, another measure of diversity", "return 1 / (torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).square().sum()"),
    edit("px_relative", "`perplexity` is divided by K", "return torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).sum().exp() / n_codes"),
    edit("px_first_axis", "ids are divided by the length of their first axis; a picture has many", "return torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / len(ids)).sum().exp()"),
    edit("px_rows", "only the first picture is counted", "ids = ids if ids.ndim == 1 else ids[0]; return torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).sum().exp()"),
    edit("px_zero_out", "code 0 is left out", "p = (torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel())[1:]; return torch.special.entr(p).sum().exp()"),
    edit("px_last_out", "the last code is left out", "p = (torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel())[: n_codes - 1]; return torch.special.entr(p).sum().exp()"),
    edit("px_of_ids", "the ids themselves are made into shares; how often each occurs counts", "p = ids.flatten() / ids.sum().clamp(min=1); return torch.special.entr(p).sum().exp()"),
    edit("px_uniform", "`perplexity` returns K", "return torch.tensor(float(n_codes))"),
    edit("px_rounded", "`perplexity` is rounded", "return torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).sum().exp().round()"),
    edit("px_mean_of_pictures", "`perplexity` averages the perplexities of pictures; all ids are counted together",
         "parts = [ids] if ids.ndim == 1 else ids; return torch.stack([torch.special.entr(torch.bincount(part.flatten(), minlength=n_codes) / part.numel()).sum().exp() for part in parts]).mean()"),
)

# --- gumbel_softmax -----------------------------------------------------------------------------------------------

mistakes.at(
    "soft = ((logits - (-u.log()).log()) / tau).softmax(-1)",
    edit("gs_sign", "the noise has the wrong sign: g = -log(-log u)", "soft = ((logits + (-u.log()).log()) / tau).softmax(-1)"),
    edit("gs_one_log", "g is -log u: (7.7) takes a logarithm twice", "soft = ((logits - u.log()) / tau).softmax(-1)"),
    edit("gs_log_u", "g is log u: (7.7) takes a logarithm twice", "soft = ((logits + u.log()) / tau).softmax(-1)"),
    edit("gs_other_tail", "g is made of 1 - u", "soft = ((logits - (-(1 - u).log()).log()) / tau).softmax(-1)"),
    edit("gs_uniform", "u is added as it is; (7.7) makes Gumbel noise of it", "soft = ((logits + u) / tau).softmax(-1)"),
    edit("gs_normal", "u is made into Gaussian noise; (7.7) has Gumbel noise", "soft = ((logits + math.sqrt(2) * torch.erfinv(2 * u - 1)) / tau).softmax(-1)"),
    edit("gs_logistic", "u is made into logistic noise, which belongs to a choice of two", "soft = ((logits + torch.logit(u)) / tau).softmax(-1)"),
    edit("gs_no_noise", "the noise is missing: nothing is drawn", "soft = (logits / tau).softmax(-1)"),
    edit("gs_own_noise", "`gumbel_softmax` draws noise of its own; it must be made of u", "soft = ((logits - (-torch.rand_like(u).log()).log()) / tau).softmax(-1)"),
    edit("gs_library", "the library's function draws noise of its own; it must be made of u", "soft = F.gumbel_softmax(logits, float(tau))"),
    edit("gs_tau_missing", "τ is missing", "soft = (logits - (-u.log()).log()).softmax(-1)"),
    edit("gs_tau_times", "τ multiplies; (7.7) divides by it, so that small τ gives hard choices", "soft = ((logits - (-u.log()).log()) * tau).softmax(-1)"),
    edit("gs_tau_logits", "only the logits are divided by τ; the noise must be, too, or the choice changes with τ", "soft = (logits / tau - (-u.log()).log()).softmax(-1)"),
    edit("gs_tau_noise", "only the noise is divided by τ", "soft = (logits - (-u.log()).log() / tau).softmax(-1)"),
    edit("gs_tau_after", "τ divides the weights after the softmax", "soft = (logits - (-u.log()).log()).softmax(-1) / tau"),
    edit("gs_tau_least", "τ is at least 0.5", "soft = ((logits - (-u.log()).log()) / max(tau, 0.5)).softmax(-1)"),
    edit("gs_tau_floor", "τ is at least 0.1", "soft = ((logits - (-u.log()).log()) / max(tau, 0.1)).softmax(-1)"),
    edit("gs_tau_squared", "τ is squared", "soft = ((logits - (-u.log()).log()) / tau**2).softmax(-1)"),
    edit("gs_first_axis", "the softmax runs over the first axis; categories are on the last", "soft = ((logits - (-u.log()).log()) / tau).softmax(0)"),
    edit("gs_second_axis", "the softmax runs over axis 1; categories are on the last", "soft = ((logits - (-u.log()).log()) / tau).softmax(min(1, logits.ndim - 1))"),
    edit("gs_probs", "the logits are made into probabilities before the noise is added; it belongs to logits", "soft = ((logits.softmax(-1) - (-u.log()).log()) / tau).softmax(-1)"),
    edit("gs_log_probs", "the logarithm of the logits is taken, as if they were probabilities", "soft = ((logits.abs().log() - (-u.log()).log()) / tau).softmax(-1)"),
    edit("gs_exp", "exponentials are divided by their sum as they are: they overflow for large logits", "w = ((logits - (-u.log()).log()) / tau).exp(); soft = w / w.sum(-1, keepdim=True)"),
    edit("gs_sigmoid", "weights are sigmoids; (7.7) is a softmax", "soft = ((logits - (-u.log()).log()) / tau).sigmoid()"),
    edit("gs_log", "the logarithms of the weights are returned", "soft = ((logits - (-u.log()).log()) / tau).log_softmax(-1)"),
    edit("gs_eps_small", "10⁻⁸ or more within the logarithms: u close to 0 gets other noise", "soft = ((logits - (-(u + 1e-7).log()).log()) / tau).softmax(-1)"),
    edit("gs_clamped", "u is clamped to 0.01 … 0.99: large and small noise is cut off", "soft = ((logits - (-u.clamp(0.01, 0.99).log()).log()) / tau).softmax(-1)"),
    edit("gs_clamped_small", "u is clamped to 0.0001 or so, which cuts off small noise", "soft = ((logits - (-u.clamp(1e-4, 1 - 1e-4).log()).log()) / tau).softmax(-1)"),
    edit("gs_detached", "the logits are detached: nothing before them learns", "soft = ((logits.detach() - (-u.log()).log()) / tau).softmax(-1) + 0 * logits"),
    edit("gs_single", "`gumbel_softmax` computes in float32 whatever it is given", "soft = ((logits.float() - (-u.float().log()).log()) / tau).softmax(-1).to(logits.dtype)"),
    edit("gs_float32", "`gumbel_softmax` returns float32 where it is given float64", "soft = ((logits - (-u.log()).log()) / tau).softmax(-1).float()"),
    edit("gs_log2", "the noise has logarithms to base 2", "soft = ((logits - (-u.log2()).log2()) / tau).softmax(-1)"),
    edit("gs_shared", "all rows get the noise of the first", "soft = ((logits - (-u.flatten(0, -2)[0].log()).log()) / tau).softmax(-1) if u.ndim > 1 else ((logits - (-u.log()).log()) / tau).softmax(-1)"),
)

mistakes.at(
    'return pass_through(soft, F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft), "straight_through") if hard else soft',
    edit("gs_hard_ignored", "`hard` is ignored", "return soft + 0 * (1 if hard else 0)"),
    edit("gs_always_hard", "the choice is hard whatever `hard` says", 'return pass_through(soft, F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft), "straight_through")'),
    edit("gs_hard_turned", "soft and hard are exchanged", 'return soft if hard else pass_through(soft, F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft), "straight_through")'),
    edit("gs_hard_no_gradient", "the hard choice has no gradient: it must have that of the soft one", "return F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft) if hard else soft"),
    edit("gs_hard_product", "the hard choice is the largest weight alone, not 1", "return F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft) * soft if hard else soft"),
    edit("gs_hard_one", "the hard choice has a gradient only where it is 1", "one = F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft); return one * (1 + soft - soft.detach()) if hard else soft"),
    edit("gs_hard_logits", "the hard choice is the largest logit, without noise", 'return pass_through(soft, F.one_hot(logits.argmax(-1), soft.shape[-1]).to(soft), "straight_through") if hard else soft'),
    edit("gs_hard_smallest", "the hard choice is the smallest weight", 'return pass_through(soft, F.one_hot(soft.argmin(-1), soft.shape[-1]).to(soft), "straight_through") if hard else soft'),
    edit("gs_hard_half", "the hard choice is where the weight exceeds a half, which may be nowhere", 'return pass_through(soft, (soft > 0.5).to(soft), "straight_through") if hard else soft'),
    edit("gs_hard_added", "the hard choice and the weights are added", "return F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft) + soft if hard else soft"),
    edit("gs_hard_index", "the index of the choice is returned; a one-hot row is asked for", "return soft.argmax(-1) if hard else soft"),
    edit("gs_hard_logit_gradient", "the hard choice has the gradient of the logits, not that of the weights", "one = F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft); return one + logits - logits.detach() if hard else soft"),
    edit("gs_hard_global", "one category is chosen in all, not one in each row", 'top = soft.flatten() == soft.max(); return pass_through(soft, top.view_as(soft).to(soft), "straight_through") if hard else soft'),
    edit("gs_hard_first_axis", "the hard choice is made over the first axis; categories are on the last", 'return pass_through(soft, (soft == soft.amax(0, keepdim=True)).to(soft), "straight_through") if hard else soft'),
    edit("gs_hard_backwards", "in the hard choice weights and one-hot rows are exchanged: the value is soft", 'return pass_through(F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft) + 0 * soft, soft, "straight_through") if hard else soft'),
)


@mistakes.rewrite("`update` remembers the sums of the batch before, not those of this one")
def one_batch_late(ref):
    class MovingCodebook(ref.MovingCodebook):
        @torch.no_grad()
        def update(self, z, ids):
            if self.training:
                before = getattr(self, "before", (torch.zeros_like(self.counts), torch.zeros_like(self.sums)))
                chosen = F.one_hot(ids, len(self.codes)).to(z)
                self.before = chosen.sum(0), chosen.T @ z
                self.counts.lerp_(before[0], 1 - self.decay)
                self.sums.lerp_(before[1], 1 - self.decay)
                total = self.counts.sum()
                self.codes.copy_(self.sums / ((self.counts + self.eps) / (total + len(self.codes) * self.eps) * total)[:, None])

    return {"MovingCodebook": MovingCodebook}
