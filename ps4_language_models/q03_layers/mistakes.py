"""Named wrong versions of the answers to question 3."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- init_linear --------------------------------------------------------------------------------------------------

mistakes.at(
    "std = in_features**-0.5",
    edit("by_outputs", "`init_linear` takes the number of outputs for n; it is the inputs that are added up", "std = out_features**-0.5"),
    edit("variance_as_std", "`init_linear` takes the variance 1/n for the standard deviation", "std = 1 / in_features"),
    edit("both_sizes", "`init_linear` takes 2 / (inputs + outputs) for the variance, as Glorot does; here it is 1 / inputs", "std = (2 / (in_features + out_features)) ** 0.5"),
    edit("for_relu", "`init_linear` takes the variance 2/n, as He does for ReLU; here it is 1/n", "std = (2 / in_features) ** 0.5"),
    edit("fixed_std", "`init_linear` takes σ = 0.02 whatever the number of inputs", "std = 0.02"),
    edit("std_of_one", "`init_linear` takes σ = 1 whatever the number of inputs", "std = 1.0"),
    edit("third_of_variance", "`init_linear` takes the variance 1/(3n), as PyTorch's Linear does; here it is 1/n", "std = (3 * in_features) ** -0.5"),
)

mistakes.at(
    "return nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std, generator=generator)",
    edit("limits_of_two", "`init_linear` cuts at ±2, the default of `trunc_normal_`, whatever σ is; the limits are ±3σ",
         "return nn.init.trunc_normal_(weight, 0.0, std, generator=generator)"),
    edit("limits_of_three", "`init_linear` cuts at ±3 instead of ±3σ: the limits of `trunc_normal_` are numbers, not multiples of σ",
         "return nn.init.trunc_normal_(weight, 0.0, std, -3, 3, generator=generator)"),
    edit("two_sigma", "`init_linear` cuts at 2σ; it is 3σ", "return nn.init.trunc_normal_(weight, 0.0, std, -2 * std, 2 * std, generator=generator)"),
    edit("one_side", "`init_linear` cuts above 3σ only, not below -3σ", "return nn.init.trunc_normal_(weight, 0.0, std, -30 * std, 3 * std, generator=generator)"),
    edit("not_cut", "`init_linear` keeps weights beyond 3σ", "return weight.normal_(0, std, generator=generator)"),
    edit("clamped", "`init_linear` sets what is beyond 3σ to 3σ; it is to be drawn again", "return weight.normal_(0, std, generator=generator).clamp(-3 * std, 3 * std)"),
    edit("outside_zeroed", "`init_linear` sets what is beyond 3σ to 0; it is to be drawn again",
         "weight.normal_(0, std, generator=generator); return weight * (weight.abs() <= 3 * std)"),
    edit("again_from_torch", "`init_linear` draws again without the generator",
         "weight.normal_(0, std, generator=generator); outside = weight.abs() > 3 * std; weight[outside] = (torch.randn(int(outside.sum()), device=weight.device) * std).clamp(-2.9 * std, 2.9 * std); return weight"),
    edit("clamped_at_two", "`init_linear` sets what is beyond 2σ to 2σ; what is beyond 3σ is drawn again", "return weight.normal_(0, std, generator=generator).clamp(-2 * std, 2 * std)"),
    edit("zeroed", "`init_linear` sets a good part of the weights to 0", "return weight.normal_(0, std, generator=generator) * (torch.rand(weight.shape, generator=generator, device=weight.device) > 0.2)"),
    edit("uniform", "`init_linear` draws from a uniform distribution; it is to be normal", "return weight.uniform_(-(3**0.5) * std, 3**0.5 * std, generator=generator)"),
    edit("uniform_to_limits", "`init_linear` draws from the uniform distribution between ±3σ", "return weight.uniform_(-3 * std, 3 * std, generator=generator)"),
    edit("uniform_to_std", "`init_linear` draws from the uniform distribution between ±σ", "return weight.uniform_(-std, std, generator=generator)"),
    edit("no_generator", "`init_linear` does not hand the generator on, so the draws are torch's own", "return nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std)"),
    edit("seeded_inside", "`init_linear` makes a generator of its own with a fixed seed: each call gives the same weights",
         "return nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std, generator=torch.Generator(device=weight.device).manual_seed(0))"),
    edit("generators_seed_again", "`init_linear` begins the generator anew at each call, so two layers get the same weights",
         "return nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std, generator=torch.Generator(device=weight.device).manual_seed(generator.initial_seed()))"),
    edit("global_seed", "`init_linear` sets torch's global seed", "torch.manual_seed(generator.initial_seed()); return nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std, generator=generator)"),
    edit("turned", "`init_linear` returns the weights with inputs as rows; rows are outputs", "return nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std, generator=generator).T"),
    edit("rows_alike", "`init_linear` draws one row and repeats it for all outputs", "return nn.init.trunc_normal_(weight[:1], 0.0, std, -3 * std, 3 * std, generator=generator).expand(out_features, -1).clone()"),
    edit("all_positive", "`init_linear` draws positive weights only", "return nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std, generator=generator).abs()"),
    edit("in_double", "the weights of `init_linear` are float64; float32 is asked for", "return nn.init.trunc_normal_(weight.double(), 0.0, std, -3 * std, 3 * std, generator=generator)"),
    edit("mean_of_std", "`init_linear` draws around σ; the mean is 0", "return nn.init.trunc_normal_(weight, std, std, -3 * std, 3 * std, generator=generator)"),
    edit("rows_same_length", "`init_linear` divides by the size of each row, so all rows have the same length",
         "return F.normalize(nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std, generator=generator), dim=1) * (1 if in_features > 1 else weight.normal_(generator=generator))"),
    edit("layer_returned", "`init_linear` returns a layer (or None); the weights are asked for", "nn.init.trunc_normal_(weight, 0.0, std, -3 * std, 3 * std, generator=generator)"),
)

# --- RMSNorm.forward ----------------------------------------------------------------------------------------------

mistakes.at(
    """
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    r = (wide.square().mean(-1, keepdim=True) + self.eps).sqrt()
    """,
    edit("not_widened", "`RMSNorm` squares in half precision, where numbers above 255 become infinite",
         """
         wide = x
         r = (wide.square().mean(-1, keepdim=True) + self.eps).sqrt()
         """),
    edit("only_float16_widened", "`RMSNorm` computes bfloat16 without going to float32; what it returns then depends on the weight's dtype",
         """
         wide = x.float() if x.dtype == torch.float16 else x
         r = (wide.square().mean(-1, keepdim=True) + self.eps).sqrt()
         """,
         ("return (wide / r * self.weight).to(x.dtype)", "return (wide / r * self.weight).to(x.dtype) if x.dtype == torch.float16 else wide / r * self.weight")),
    edit("bfloat16_not_widened", "`RMSNorm` computes in bfloat16, which rounds r to two or three digits; float32 is asked for in between",
         """
         wide = x.float() if x.dtype == torch.float16 else x
         r = (wide.square().mean(-1, keepdim=True) + self.eps).sqrt()
         """),
    edit("widened_after_squaring", "`RMSNorm` squares in half precision and goes to float32 afterwards: the squares are infinite already",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (x.square().to(wide.dtype).mean(-1, keepdim=True) + self.eps).sqrt()
         """),
    edit("size_rounded", "`RMSNorm` goes to float32 for r alone, so float64 loses its digits there",
         """
         wide = x
         r = (x.float().square().mean(-1, keepdim=True) + self.eps).sqrt().to(x.dtype)
         """),
    edit("mean_by_tokens", "`RMSNorm` divides the sum of the squares by the length of the first axis; it is by D",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.square().sum(-1, keepdim=True) / x.shape[0] + self.eps).sqrt()
         """),
    edit("always_float32", "`RMSNorm` computes in float32 even if x is float64",
         """
         wide = x.float()
         r = (wide.square().mean(-1, keepdim=True) + self.eps).sqrt()
         """),
    edit("eps_outside", "eps stands outside the root in `RMSNorm`; (3.2) has it under the root",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = wide.square().mean(-1, keepdim=True).sqrt() + self.eps
         """),
    edit("no_eps", "eps is not added to the mean square in `RMSNorm`",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = wide.square().mean(-1, keepdim=True).sqrt()
         """),
    edit("fixed_eps", "`RMSNorm` takes 1e-5 whatever eps is",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.square().mean(-1, keepdim=True) + 1e-5).sqrt()
         """),
    edit("fixed_small_eps", "`RMSNorm` takes 1e-6 whatever eps is",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.square().mean(-1, keepdim=True) + 1e-6).sqrt()
         """),
    edit("square_of_mean", "`RMSNorm` squares the mean; r has the mean of the squares",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.mean(-1, keepdim=True).square() + self.eps).sqrt()
         """),
    edit("eps_divided", "eps is divided by D, too, in `RMSNorm`; it is added to the mean",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = ((wide.square().sum(-1, keepdim=True) + self.eps) / x.shape[-1]).sqrt()
         """),
    edit("weight_before", "the weight multiplies x before its size is taken in `RMSNorm`, so it is normalised away",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         wide = wide * self.weight; r = (wide.square().mean(-1, keepdim=True) + self.eps).sqrt() * self.weight
         """),
    edit("eps_clamps", "`RMSNorm` takes the larger of the mean square and eps; they are added",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = wide.square().mean(-1, keepdim=True).clamp(min=self.eps).sqrt()
         """),
    edit("eps_squared", "`RMSNorm` adds the square of eps",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.square().mean(-1, keepdim=True) + self.eps**2).sqrt()
         """),
    edit("sum_of_squares", "`RMSNorm` divides by the length of x (the sum of the squares); r has their mean",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.square().sum(-1, keepdim=True) + self.eps).sqrt()
         """),
    edit("one_less", "the mean in `RMSNorm` divides by D - 1",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.square().sum(-1, keepdim=True) / max(x.shape[-1] - 1, 1) + self.eps).sqrt()
         """),
    edit("mean_over_all", "the mean in `RMSNorm` is over all tokens together; each token has its own r",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.square().mean() + self.eps).sqrt()
         """),
    edit("mean_over_batch", "the mean in `RMSNorm` is over the first axis, as in batch normalisation; each token has its own r",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.square().mean(0, keepdim=True) + self.eps).sqrt()
         """),
    edit("two_axes", "the mean in `RMSNorm` is over all tokens of a sequence; each token has its own r",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.square().mean(tuple(range(min(1, x.ndim - 1), x.ndim)) if x.ndim > 2 else -1, keepdim=True) + self.eps).sqrt()
         """),
    edit("without_axis", "r has lost its axis in `RMSNorm` (keepdim), so it is divided out by the wrong axis",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.square().mean(-1) + self.eps).sqrt()
         """),
    edit("no_root", "the root is missing in `RMSNorm`",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = wide.square().mean(-1, keepdim=True) + self.eps
         """),
    edit("mean_of_sizes", "`RMSNorm` divides by the mean of the absolute values; r is the root of the mean square",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = wide.abs().mean(-1, keepdim=True) + self.eps
         """),
    edit("largest", "`RMSNorm` divides by the largest absolute value",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = wide.abs().amax(-1, keepdim=True) + self.eps
         """),
    edit("layer_norm", "the mean is subtracted first, which makes a LayerNorm of `RMSNorm`",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         wide = wide - wide.mean(-1, keepdim=True)
         r = (wide.square().mean(-1, keepdim=True) + self.eps).sqrt()
         """),
    edit("centred_size", "`RMSNorm` divides by the standard deviation, which is taken around the mean; r is not",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.var(-1, unbiased=False, keepdim=True) + self.eps).sqrt()
         """),
    edit("unbiased_size", "`RMSNorm` divides by `std`, which is taken around the mean and divides by D - 1; r does neither",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.var(-1, keepdim=True) + self.eps).sqrt()
         """),
    edit("size_detached", "r is cut off from autograd in `RMSNorm`, so the gradient along x is not taken out",
         """
         wide = x.to(torch.promote_types(x.dtype, torch.float32))
         r = (wide.square().mean(-1, keepdim=True) + self.eps).sqrt().detach()
         """),
)

mistakes.at(
    "return (wide / r * self.weight).to(x.dtype)",
    edit("multiplied", "`RMSNorm` multiplies by r; x is divided by it", "return (wide * r * self.weight).to(x.dtype)"),
    edit("no_weight", "the weight is missing in `RMSNorm`", "return (wide / r).to(x.dtype)"),
    edit("one_plus_weight", "`RMSNorm` multiplies by 1 + weight", "return (wide / r * (1 + self.weight)).to(x.dtype)"),
    edit("weight_added", "`RMSNorm` adds the weight; it is a factor", "return (wide / r + self.weight).to(x.dtype)"),
    edit("weight_detached", "the weight is cut off from autograd in `RMSNorm`, so it never learns", "return (wide / r * self.weight.detach()).to(x.dtype)"),
    edit("weight_first", "`RMSNorm` divides by the weight", "return (wide / (r * self.weight)).to(x.dtype)"),
    edit("stays_wide", "the result of `RMSNorm` stays float32; it is to have the dtype of x", "return wide / r * self.weight"),
    edit("always_returns_float32", "the result of `RMSNorm` is float32 whatever x is", "return (wide / r * self.weight).float()"),
    edit("in_place", "`RMSNorm` divides x in place", "x.data.div_(r.to(x.dtype)); return x * self.weight.to(x.dtype)"),
    edit("input_detached", "x is cut off from autograd in `RMSNorm`, so nothing before the norm learns", "return (wide.detach() / r.detach() * self.weight).to(x.dtype)"),
    edit("scaled_by_root_d", "the result of `RMSNorm` is divided by the root of D as well", "return (wide / r * self.weight / x.shape[-1] ** 0.5).to(x.dtype)"),
    edit("residual", "`RMSNorm` adds x to the result", "return (x + wide / r * self.weight).to(x.dtype)"),
    edit("weight_size", "`RMSNorm` multiplies by the absolute weight", "return (wide / r * self.weight.abs()).to(x.dtype)"),
    edit("clamped_output", "`RMSNorm` cuts the result at ±1.5", "return (wide / r * self.weight).clamp(-1.5, 1.5).to(x.dtype)"),
)

# --- RMSNorm.backward ---------------------------------------------------------------------------------------------

mistakes.at(
    "r = (x.square().mean(-1, keepdim=True) + self.eps).sqrt()\n        n, h",
    edit("b_eps_outside", "eps stands outside the root in `RMSNorm.backward`", "r = x.square().mean(-1, keepdim=True).sqrt() + self.eps\n        n, h"),
    edit("b_no_eps", "eps is not added to the mean square in `RMSNorm.backward`", "r = x.square().mean(-1, keepdim=True).sqrt()\n        n, h"),
    edit("b_fixed_eps", "`RMSNorm.backward` takes 1e-5 whatever eps is", "r = (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()\n        n, h"),
    edit("b_fixed_small_eps", "`RMSNorm.backward` takes 1e-6 whatever eps is", "r = (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()\n        n, h"),
    edit("b_sum", "r is the length of x in `RMSNorm.backward`; it has the mean of the squares", "r = (x.square().sum(-1, keepdim=True) + self.eps).sqrt()\n        n, h"),
    edit("b_no_root", "the root is missing in r in `RMSNorm.backward`", "r = x.square().mean(-1, keepdim=True) + self.eps\n        n, h"),
    edit("b_all_tokens", "r is that of all tokens together in `RMSNorm.backward`; each has its own", "r = (x.square().mean() + self.eps).sqrt()\n        n, h"),
    edit("b_axis", "r is taken over the tokens (the first axis) in `RMSNorm.backward`", "r = (x.square().mean(0, keepdim=True) + self.eps).sqrt()\n        n, h"),
)

mistakes.at(
    "n, h = x / r, grad * self.weight",
    edit("b_no_weight", "the weight is missing in the gradient by x of `RMSNorm.backward`", "n, h = x / r, grad"),
    edit("b_weight_in_n", "n has the weight in `RMSNorm.backward`: y stands where x/r belongs", "n, h = x / r * self.weight, grad * self.weight"),
    edit("b_y_for_n", "`RMSNorm.backward` takes y, which has the weight in it, where x/r belongs, in both gradients",
         "n, h = x / r * self.weight, grad * self.weight",
         ("by_x = (h - n * (h * n).mean(-1, keepdim=True)) / r", "by_x = (h - n * (grad * n).mean(-1, keepdim=True)) / r")),
    edit("b_weight_divides", "`RMSNorm.backward` divides grad by the weight", "n, h = x / r, grad / self.weight"),
    edit("b_weight_moved", "the weight is at n instead of grad in `RMSNorm.backward`", "n, h = x / r * self.weight, grad"),
    edit("b_n_without_r", "x stands where x/r belongs in `RMSNorm.backward`", "n, h = x, grad * self.weight"),
)

mistakes.at(
    "by_x = (h - n * (h * n).mean(-1, keepdim=True)) / r",
    edit("b_direct_only", "`RMSNorm.backward` treats r as a constant: what x does through r is missing", "by_x = h / r"),
    edit("b_through_r_only", "the direct part h/r is missing in `RMSNorm.backward`", "by_x = -n * (h * n).mean(-1, keepdim=True) / r"),
    edit("b_sum_of_products", "`RMSNorm.backward` takes the sum of h·n where the mean belongs (r has 1/D inside)", "by_x = (h - n * (h * n).sum(-1, keepdim=True)) / r"),
    edit("b_sign", "the second term is added in `RMSNorm.backward`; it takes the part along x out", "by_x = (h + n * (h * n).mean(-1, keepdim=True)) / r"),
    edit("b_whole_sign", "the sign of the gradient by x is turned", "by_x = -(h - n * (h * n).mean(-1, keepdim=True)) / r"),
    edit("b_not_divided", "the gradient by x is not divided by r in `RMSNorm.backward`", "by_x = h - n * (h * n).mean(-1, keepdim=True)"),
    edit("b_second_without_r", "x stands where x/r belongs in the second term of `RMSNorm.backward`, which is not divided by r either", "by_x = h / r - x * (h * x).mean(-1, keepdim=True)"),
    edit("b_times_r", "the gradient by x is multiplied by r in `RMSNorm.backward`; it is divided", "by_x = (h - n * (h * n).mean(-1, keepdim=True)) * r"),
    edit("b_layer_norm", "`RMSNorm.backward` is the gradient of a LayerNorm, which subtracts means",
         "n = x - x.mean(-1, keepdim=True); r = (n.square().mean(-1, keepdim=True) + self.eps).sqrt(); n = n / r; by_x = (h - h.mean(-1, keepdim=True) - n * (h * n).mean(-1, keepdim=True)) / r"),
    edit("b_first_only_divided", "the second term has one r too few below in `RMSNorm.backward`", "by_x = h / r - n * (h * n).mean(-1, keepdim=True)"),
    edit("b_second_only_divided", "the first term is not divided by r in `RMSNorm.backward`", "by_x = h - n * (h * n).mean(-1, keepdim=True) / r"),
    edit("b_divided_twice", "the gradient by x is divided by r twice in `RMSNorm.backward`", "by_x = (h - n * (h * n).mean(-1, keepdim=True)) / r**2"),
    edit("b_second_twice", "the second term has one r too many below in `RMSNorm.backward`", "by_x = (h - n * (h * n).mean(-1, keepdim=True) / r) / r"),
    edit("b_mean_of_grad", "`RMSNorm.backward` takes out the mean of the gradient, as LayerNorm does; RMSNorm does not subtract a mean", "by_x = (h - h.mean(-1, keepdim=True) - n * (h * n).mean(-1, keepdim=True)) / r"),
    edit("b_only_diagonal", "`RMSNorm.backward` lets each x act on its own y only: the mean over all entries is missing", "by_x = (h - n * h * n / x.shape[-1]) / r"),
    edit("b_without_mean", "the products are not averaged in `RMSNorm.backward`: each entry keeps its own", "by_x = (h - n * h * n) / r"),
    edit("b_mean_over_tokens", "the products are averaged over the tokens (the first axis) in `RMSNorm.backward`", "by_x = (h - n * (h * n).mean(0, keepdim=True)) / r"),
    edit("b_mean_over_all", "the products are averaged over all tokens in `RMSNorm.backward`", "by_x = (h - n * (h * n).mean()) / r"),
    edit("b_weight_missing_in_mean", "the weight is missing inside the mean of products in `RMSNorm.backward`", "by_x = (h - n * (grad * n).mean(-1, keepdim=True)) / r"),
    edit("b_weight_missing_outside", "the weight is only inside the mean of products in `RMSNorm.backward`, not in the direct part", "by_x = (grad - n * (h * n).mean(-1, keepdim=True)) / r"),
    edit("b_half", "the second term has a factor ½ in `RMSNorm.backward`", "by_x = (h - 0.5 * n * (h * n).mean(-1, keepdim=True)) / r"),
    edit("b_twice", "the second term has a factor 2 in `RMSNorm.backward`", "by_x = (h - 2 * n * (h * n).mean(-1, keepdim=True)) / r"),
    edit("b_projected_exactly", "the part along x is taken out exactly in `RMSNorm.backward`, as if eps were 0", "by_x = (h - x * (h * x).sum(-1, keepdim=True) / x.square().sum(-1, keepdim=True).clamp(min=1e-30)) / r"),
    edit("b_by_first_axis", "`RMSNorm.backward` divides the sum of products by the length of the first axis; the mean is over D numbers",
         "by_x = (h - n * (h * n).sum(-1, keepdim=True) / x.shape[0]) / r"),
    edit("b_weight_last", "the weight multiplies the finished gradient by x in `RMSNorm.backward`; it belongs to grad, also inside the mean",
         "by_x = (grad - n * (grad * n).mean(-1, keepdim=True)) / r * self.weight"),
    edit("b_product_without_n", "the mean of h stands where that of h·n belongs in `RMSNorm.backward`", "by_x = (h - n * h.mean(-1, keepdim=True)) / r"),
    edit("b_no_n_outside", "the factor n is missing in the second term of `RMSNorm.backward`", "by_x = (h - (h * n).mean(-1, keepdim=True)) / r"),
    edit("b_through_forward", "`RMSNorm.backward` asks autograd, which fails under `torch.no_grad()`",
         "leaf = x.clone().requires_grad_(); by_x = torch.autograd.grad((self(leaf) * grad).sum(), leaf)[0]"),
)

mistakes.at(
    "return by_x, (grad * n).reshape(-1, x.shape[-1]).sum(0)",
    edit("w_mean", "the gradient by the weight is a mean over the tokens in `RMSNorm.backward`; it is their sum", "return by_x, (grad * n).reshape(-1, x.shape[-1]).mean(0)"),
    edit("w_no_eps", "eps is not added in the gradient by the weight of `RMSNorm.backward`", "return by_x, (grad * x / x.square().mean(-1, keepdim=True).sqrt().clamp(min=1e-30)).reshape(-1, x.shape[-1]).sum(0)"),
    edit("w_per_token", "the gradient by the weight has one row for each token in `RMSNorm.backward`; the weight has D numbers", "return by_x, grad * n"),
    edit("w_first_axis", "the gradient by the weight is summed over the first axis only in `RMSNorm.backward`", "return by_x, (grad * n).sum(0) if x.ndim > 1 else grad * n"),
    edit("w_first_axis_always", "the gradient by the weight is summed over the first axis, whatever that is, in `RMSNorm.backward`; it is over all but the last", "return by_x, (grad * n).sum(0)"),
    edit("w_last_axis", "the gradient by the weight is summed over the last axis in `RMSNorm.backward`; it is over the tokens", "return by_x, (grad * n).sum(-1)"),
    edit("w_x", "the gradient by the weight has x where x/r belongs in `RMSNorm.backward`", "return by_x, (grad * x).reshape(-1, x.shape[-1]).sum(0)"),
    edit("w_h", "the gradient by the weight has the weight in it in `RMSNorm.backward`", "return by_x, (h * n).reshape(-1, x.shape[-1]).sum(0)"),
    edit("w_grad_only", "the gradient by the weight is the sum of grad in `RMSNorm.backward`; the factor x/r is missing", "return by_x, grad.reshape(-1, x.shape[-1]).sum(0)"),
    edit("w_sign", "the sign of the gradient by the weight is turned in `RMSNorm.backward`", "return by_x, -(grad * n).reshape(-1, x.shape[-1]).sum(0)"),
    edit("w_first_token", "the gradient by the weight is that of the first token in `RMSNorm.backward`", "return by_x, (grad * n).reshape(-1, x.shape[-1])[0]"),
    edit("w_kept", "`RMSNorm.backward` writes into `weight.grad`; the gradient is to be returned only",
         "self.weight.grad = (grad * n).reshape(-1, x.shape[-1]).sum(0); return by_x, self.weight.grad"),
    edit("w_swapped", "`RMSNorm.backward` returns the gradient by the weight first", "return (grad * n).reshape(-1, x.shape[-1]).sum(0), by_x"),
    edit("w_two_axes_only", "`RMSNorm.backward` sums over the first two axes, which suits three axes only", "return by_x, (grad * n).sum((0, 1)) if x.ndim > 2 else (grad * n)"),
    edit("w_with_axis", "the gradient by the weight has kept an axis of tokens in `RMSNorm.backward`", "return by_x, (grad * n).reshape(-1, x.shape[-1]).sum(0, keepdim=True)"),
)

# --- swiglu -------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    z = x @ w1.T
    opened = z * torch.sigmoid(z) if gate == "silu" else F.gelu(z, approximate="tanh")
    """,
    edit("sigmoid_only", "the gate of `swiglu` is σ(z); SiLU is z σ(z)",
         """
         z = x @ w1.T
         opened = torch.sigmoid(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("relu", "the gate of `swiglu` is a ReLU",
         """
         z = x @ w1.T
         opened = F.relu(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("gelu_exact", "GEGLU takes the exact GELU in `swiglu`; the formula of the text has tanh",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else F.gelu(z)
         """),
    edit("gelu_by_sigmoid", "GEGLU takes z σ(1.702 z) in `swiglu`; the formula of the text has tanh",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else z * torch.sigmoid(1.702 * z)
         """),
    edit("gate_ignored", "`swiglu` takes SiLU for the gate \"gelu\", too",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z)
         """),
    edit("gate_always_gelu", "`swiglu` takes GELU for the gate \"silu\", too",
         """
         z = x @ w1.T
         opened = F.gelu(z, approximate="tanh")
         """),
    edit("gates_swapped", "the two gates are exchanged in `swiglu`",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate != "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("gelu_no_half", "the factor ½ is missing in GELU",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 2 * F.gelu(z, approximate="tanh")
         """),
    edit("gelu_no_one", "the 1 is missing in GELU: it is z/2 times the tanh alone",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else F.gelu(z, approximate="tanh") - z / 2
         """),
    edit("gelu_square", "GELU has z² where z³ belongs",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**2)))
         """),
    edit("gelu_root", "GELU has 2/π where its root belongs",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + torch.tanh(2 / math.pi * (z + 0.044715 * z**3)))
         """),
    edit("gelu_root_upside_down", "GELU has the root of π/2 where that of 2/π belongs",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + torch.tanh(math.sqrt(math.pi / 2) * (z + 0.044715 * z**3)))
         """),
    edit("gelu_plain_tanh", "the factor √(2/π) is missing in GELU",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + torch.tanh(z + 0.044715 * z**3))
         """),
    edit("gelu_root_of_product", "GELU has √(2π) where √(2/π) belongs",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + torch.tanh(math.sqrt(2 * math.pi) * (z + 0.044715 * z**3)))
         """),
    edit("gelu_sigmoid_half", "GELU has σ(u) in the place of (1 + tanh u)/2, which is σ(2u)",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else z * torch.sigmoid(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))
         """),
    edit("gelu_overflows", "the tanh of GELU is computed with exponentials above and below in `swiglu`, which is infinite over infinite for large z",
         """
         z = x @ w1.T
         u = math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + (u.exp() - (-u).exp()) / (u.exp() + (-u).exp()))
         """),
    edit("gelu_small_constant", "the constant of GELU is 0.0044715 instead of 0.044715",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.0044715 * z**3)))
         """),
    edit("mish_gate", "the gate of `swiglu` is Mish, z tanh(softplus z); SiLU is z σ(z)",
         """
         z = x @ w1.T
         opened = F.mish(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("gelu_for_silu_exact", "the gate of `swiglu` is the exact GELU where SiLU belongs",
         """
         z = x @ w1.T
         opened = F.gelu(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("elu_gate", "the gate of `swiglu` is an ELU; SiLU is z σ(z)",
         """
         z = x @ w1.T
         opened = F.elu(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("gelu_erf_plain", "GEGLU has erf(z) in `swiglu`; the formula of the text has tanh (and the exact GELU has erf(z/√2))",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + torch.erf(z))
         """),
    edit("gelu_as_relu", "`swiglu` has a ReLU for the gate \"gelu\"",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else F.relu(z)
         """),
    edit("gelu_as_sigmoid", "`swiglu` has σ(z) for the gate \"gelu\"",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else torch.sigmoid(z)
         """),
    edit("silu_steeper", "the gate of `swiglu` is z σ(1.702 z), which imitates GELU; SiLU is z σ(z)",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(1.702 * z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("leaky_gate", "the gate of `swiglu` is a leaky ReLU; SiLU is z σ(z)",
         """
         z = x @ w1.T
         opened = F.leaky_relu(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("tanh_gate", "the gate of `swiglu` is tanh(z); SiLU is z σ(z)",
         """
         z = x @ w1.T
         opened = torch.tanh(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("gelu_inner_factor", "the root of 2/π multiplies only z in GELU, not the cubic term",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + torch.tanh(math.sqrt(2 / math.pi) * z + 0.044715 * z**3))
         """),
    edit("gelu_no_cube", "the cubic term is missing in GELU",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + torch.tanh(math.sqrt(2 / math.pi) * z))
         """),
    edit("gelu_constant", "the constant of GELU is 0.44715 instead of 0.044715",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.44715 * z**3)))
         """),
    edit("gelu_cubed_sum", "GELU cubes the sum of z and the constant; only z is cubed",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else 0.5 * z * (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.044715) ** 3))
         """),
    edit("silu_overflows", "SiLU is computed with e^z above and below in `swiglu`, which is infinite over infinite for large z",
         """
         z = x @ w1.T
         opened = z * z.exp() / (1 + z.exp()) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("gelu_tail", "the GELU of `swiglu` has 1 - tanh where 1 + tanh belongs",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z) if gate == "silu" else z - F.gelu(z, approximate="tanh")
         """),
    edit("silu_sign", "SiLU has the wrong sign inside the sigmoid: z σ(-z)",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(-z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("silu_tanh", "SiLU has a tanh where the sigmoid belongs",
         """
         z = x @ w1.T
         opened = z * torch.tanh(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("silu_of_x", "`swiglu` bends x before the first matrix; the gate comes after it",
         """
         z = F.silu(x) @ w1.T if gate == "silu" else F.gelu(x, approximate="tanh") @ w1.T
         opened = z
         """),
    edit("not_bent", "nothing is bent in `swiglu`: the product of two linear maps",
         """
         opened = x @ w1.T
         """),
    edit("gate_detached", "the gate is cut off from autograd in `swiglu`, so `w1` never learns",
         """
         z = x @ w1.T
         opened = (z * torch.sigmoid(z) if gate == "silu" else F.gelu(z, approximate="tanh")).detach()
         """),
    edit("sigmoid_detached", "the sigmoid is cut off from autograd in `swiglu`",
         """
         z = x @ w1.T
         opened = z * torch.sigmoid(z).detach() if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("first_not_turned", "`w1` is not transposed in `swiglu`: rows are outputs",
         """
         z = x @ w1
         opened = z * torch.sigmoid(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("hard_swish", "SiLU is replaced by straight pieces (hardswish) in `swiglu`",
         """
         z = x @ w1.T
         opened = F.hardswish(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("softplus_gate", "the gate of `swiglu` is a softplus; SiLU is z σ(z)",
         """
         z = x @ w1.T
         opened = F.softplus(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("silu_for_linear_too", "SiLU is applied twice in `swiglu`",
         """
         z = x @ w1.T
         opened = F.silu(F.silu(z)) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("softmax_gate", "the gate of `swiglu` is a softmax",
         """
         z = x @ w1.T
         opened = z.softmax(-1) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("gate_clamped", "z is cut at ±10 in `swiglu`",
         """
         z = (x @ w1.T).clamp(-10, 10)
         opened = z * torch.sigmoid(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("gate_clamped_far", "z is cut at ±20 in `swiglu`",
         """
         z = (x @ w1.T).clamp(-20, 20)
         opened = z * torch.sigmoid(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("gate_clamped_farther", "z is cut at ±50 in `swiglu`",
         """
         z = (x @ w1.T).clamp(-50, 50)
         opened = z * torch.sigmoid(z) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
    edit("gate_clamped_sigmoid", "SiLU is clamped below at 0 in `swiglu`; it is a little negative for z < 0",
         """
         z = x @ w1.T
         opened = (z * torch.sigmoid(z)).clamp(min=0) if gate == "silu" else F.gelu(z, approximate="tanh")
         """),
)

mistakes.at(
    "return (opened * (x @ w3.T)) @ w2.T",
    edit("added", "the two branches are added in `swiglu`; they are multiplied", "return (opened + x @ w3.T) @ w2.T"),
    edit("second_and_third_exchanged", "`w2` and `w3` have changed places in `swiglu`: `w3` is the second branch, `w2` leads back", "return (opened * (x @ w2.T)) @ w3.T"),
    edit("no_second_branch", "the branch of `w3` is missing in `swiglu`", "return opened @ w2.T"),
    edit("second_for_first", "`w1` is used for both branches in `swiglu`", "return (opened * (x @ w1.T)) @ w2.T"),
    edit("bent_wrong_branch", "the branch of `w3` is bent in `swiglu`; it is that of `w1`",
         "u = x @ w3.T; bent = u * torch.sigmoid(u) if gate == 'silu' else F.gelu(u, approximate='tanh'); return (z * bent) @ w2.T"),
    edit("both_bent", "both branches are bent in `swiglu`; that of `w3` stays linear",
         "u = x @ w3.T; return (opened * (u * torch.sigmoid(u) if gate == 'silu' else F.gelu(u, approximate='tanh'))) @ w2.T"),
    edit("third_not_turned", "`w3` is not transposed in `swiglu`: rows are outputs", "return (opened * (x @ w3)) @ w2.T"),
    edit("second_not_turned", "`w2` is not transposed in `swiglu`: rows are outputs", "return (opened * (x @ w3.T)) @ w2"),
    edit("not_projected", "`w2` is missing in `swiglu`", "return opened * (x @ w3.T)"),
    edit("residual_added", "`swiglu` adds x to the result", "return (opened * (x @ w3.T)) @ w2.T + (x if x.shape[-1] == len(w2) else 0)"),
    edit("branch_detached", "the branch of `w3` is cut off from autograd in `swiglu`", "return (opened * (x @ w3.T).detach()) @ w2.T"),
    edit("divided_by_root", "the hidden numbers are divided by the root of their count in `swiglu`", "return (opened * (x @ w3.T)) @ w2.T / w1.shape[0] ** 0.5"),
    edit("divided_by_width", "the hidden numbers are averaged in `swiglu`; (3.3) adds them up", "return (opened * (x @ w3.T)) @ w2.T / w1.shape[0]"),
    edit("bent_after_product", "`swiglu` multiplies first and bends the product; only the branch of `w1` is bent",
         "u = z * (x @ w3.T); return (u * torch.sigmoid(u) if gate == 'silu' else F.gelu(u, approximate='tanh')) @ w2.T"),
    edit("multiplied_after_projection", "both branches go through `w2` before they are multiplied in `swiglu`; the product comes first", "return (z @ w2.T).sigmoid() * (z @ w2.T) * ((x @ w3.T) @ w2.T) if gate == 'silu' else F.gelu(z @ w2.T, approximate='tanh') * ((x @ w3.T) @ w2.T)"),
    edit("bent_at_the_end", "`swiglu` bends the result once more", "return F.silu((opened * (x @ w3.T)) @ w2.T)"),
)

# --- product_weights ----------------------------------------------------------------------------------------------

mistakes.at(
    """
    w1 = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    w3 = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
    return w1, torch.ones(1, 2), w3
    """,
    edit("one_unit", "`product_weights` has one unit: SiLU(a)·b, which is a·b only for large a",
         """
         return torch.tensor([[1.0, 0.0]]), torch.ones(1, 1), torch.tensor([[0.0, 1.0]])
         """),
    edit("sharp_unit", "`product_weights` has one steep unit, which is b times a ReLU of a: negative a are lost",
         """
         return torch.tensor([[100.0, 0.0]]), torch.full((1, 1), 0.01), torch.tensor([[0.0, 1.0]])
         """),
    edit("signs_agree", "the two units of `product_weights` add up where they are to be subtracted: SiLU(a) + SiLU(-a) is not a",
         """
         w1 = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
         w3 = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
         return w1, torch.ones(1, 2), w3
         """),
    edit("one_unit_by_second", "`product_weights` has one unit: SiLU(b)·a, which is a·b only for large b",
         """
         return torch.tensor([[0.0, 1.0]]), torch.ones(1, 1), torch.tensor([[1.0, 0.0]])
         """),
    edit("signs_agree_by_second", "the two units of `product_weights` add up where they are to be subtracted: SiLU(b) + SiLU(-b) is not b",
         """
         w1 = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
         w3 = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
         return w1, torch.ones(1, 2), w3
         """),
    edit("steep_units_agree", "two steep units of `product_weights` add up to |a|·b: the sign of a is lost",
         """
         w1 = torch.tensor([[100.0, 0.0], [-100.0, 0.0]])
         w3 = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
         return w1, torch.full((1, 2), 0.01), w3
         """),
    edit("with_square", "the layer of `product_weights` gives a·b + a²: the second branch sees both factors",
         """
         w1 = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
         w3 = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
         return w1, torch.ones(1, 2), w3
         """),
    edit("half_polarised", "the two units of `product_weights` give SiLU(a+b)(a+b)/4 - SiLU(a-b)(a-b)/4; each of them needs a partner with the opposite sign",
         """
         w = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
         return w, torch.tensor([[0.25, -0.25]]), w
         """),
    edit("half_of_it", "the layer of `product_weights` gives half of the product",
         """
         w1 = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
         w3 = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
         return w1, torch.full((1, 2), 0.5), w3
         """),
    edit("turned_sign", "the layer of `product_weights` gives -a·b",
         """
         w1 = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
         w3 = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
         return w1, -torch.ones(1, 2), w3
         """),
    edit("double_of_it", "the layer of `product_weights` gives twice the product",
         """
         w1 = torch.tensor([[2.0, 0.0], [-2.0, 0.0]])
         w3 = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
         return w1, torch.ones(1, 2), w3
         """),
    edit("square_of_first", "the layer of `product_weights` gives a²: both branches see a",
         """
         w1 = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
         return w1, torch.ones(1, 2), w1
         """),
    edit("square_of_second", "the layer of `product_weights` gives b²: both branches see b",
         """
         w3 = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
         return w3, torch.ones(1, 2), w3
         """),
    edit("square_of_sum", "the layer of `product_weights` gives (a + b)², of which a·b is a part",
         """
         w1 = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
         return w1, torch.ones(1, 2), w1
         """),
    edit("square_of_sum_quartered", "the layer of `product_weights` gives (a + b)²/4; that of a - b is to be subtracted",
         """
         w1 = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
         return w1, torch.full((1, 2), 0.25), w1
         """),
    edit("sum_given", "each unit of `product_weights` sees one factor in both branches: the layer gives a² + b² or parts of it",
         """
         w1 = torch.eye(2)
         return w1, torch.ones(1, 2), w1
         """),
    edit("crossed_units", "the units of `product_weights` compute SiLU(a)·b and SiLU(b)·a; these do not add up to a·b",
         """
         return torch.eye(2), torch.full((1, 2), 0.5), torch.eye(2).flip(0)
         """),
    edit("crossed_units_sum", "the units of `product_weights` compute SiLU(a)·b and SiLU(b)·a; their sum is not a·b",
         """
         return torch.eye(2), torch.ones(1, 2), torch.eye(2).flip(0)
         """),
    edit("columns_as_units", "w2 of `product_weights` is a column; it has one row, with a number for each unit",
         """
         w1 = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
         w3 = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
         return w1, torch.ones(2, 1), w3
         """),
    edit("rows_as_inputs", "the matrices of `product_weights` are transposed: a row is a unit, a column an input",
         """
         w1 = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
         w3 = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
         return w1.T, torch.ones(1, 2), w3.T
         """),
    edit("order_of_results", "`product_weights` returns w1, w3, w2; the order is w1, w2, w3",
         """
         w1 = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
         w3 = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
         return w1, w3, torch.ones(1, 2)
         """),
    edit("whole_numbers", "the weights of `product_weights` are whole numbers; they are to be float32",
         """
         w1 = torch.tensor([[1, 0], [-1, 0]])
         w3 = torch.tensor([[0, 1], [0, -1]])
         return w1, torch.ones(1, 2), w3
         """),
    edit("as_lists", "`product_weights` returns lists; tensors are asked for",
         """
         return [[1.0, 0.0], [-1.0, 0.0]], [[1.0, 1.0]], [[0.0, 1.0], [0.0, -1.0]]
         """),
    edit("small_slope", "`product_weights` uses that SiLU is nearly z/2 for small z: right for small factors only",
         """
         return torch.tensor([[0.01, 0.0]]), torch.full((1, 1), 200.0), torch.tensor([[0.0, 1.0]])
         """),
    edit("large_bias", "`product_weights` is right only for positive a: SiLU of a multiple of a, divided again",
         """
         return torch.tensor([[10.0, 0.0]]), torch.full((1, 1), 0.1), torch.tensor([[0.0, 1.0]])
         """),
)

# --- cross_entropy ------------------------------------------------------------------------------------------------

mistakes.at(
    "kept = targets != ignore",
    edit("default_mark_only", "`cross_entropy` leaves out -100 whatever ignore is", "kept = targets != -100"),
    edit("default_mark_wraps", "`cross_entropy` leaves out -100 whatever ignore is, so the tokens to be ignored count as targets (-1 as the last token)", "kept = targets != -100",
         ("costs = rows.logsumexp(-1) - rows.gather(-1, chosen[:, None])[:, 0]", "costs = rows.logsumexp(-1) - rows[range(len(chosen)), chosen]")),
    edit("negative_ones", "`cross_entropy` leaves out negative targets whatever ignore is", "kept = targets >= 0"),
    edit("zero_too", "`cross_entropy` leaves out target 0 as well; only ignore is left out", "kept = (targets != ignore) & (targets != 0)"),
    edit("above_mark", "`cross_entropy` keeps only targets above ignore", "kept = targets > ignore"),
    edit("marked_only", "`cross_entropy` keeps the targets equal to ignore and leaves out the others", "kept = targets == ignore; targets = targets.clamp(min=0)"),
    edit("ignored_as_zero", "ignored tokens count with the target 0 in `cross_entropy`", "targets = torch.where(targets == ignore, 0, targets); kept = targets >= 0"),
    edit("ignored_as_last", "ignored tokens count with a target from the end of the vocabulary in `cross_entropy`", "targets = torch.where(targets == ignore, logits.shape[-1] - 1, targets); kept = targets >= 0"),
    edit("after_first_ignored", "`cross_entropy` stops at the first ignored token of a sequence", "kept = (targets == ignore).long().cumsum(-1) == 0 if targets.ndim else targets != ignore"),
    edit("whole_sequences", "`cross_entropy` leaves out whole sequences that have an ignored token", "kept = (targets != ignore).all(-1, keepdim=True).expand(targets.shape) if targets.ndim else targets != ignore"),
    edit("shifted_inside", "`cross_entropy` compares each logit with the next target; they are aligned already",
         "logits, targets = (logits[..., :-1, :], targets[..., 1:]) if targets.ndim else (logits, targets); kept = targets != ignore"),
)

mistakes.at(
    "rows, chosen = logits[kept], targets[kept]",
    edit("logits_detached", "the logits or the result are cut off from autograd in `cross_entropy`, so nothing learns", "rows, chosen = logits[kept].detach(), targets[kept]"),
    edit("softmax_first", "`cross_entropy` takes a softmax of the logits and then the cost of *that*: normalised twice", "rows, chosen = logits[kept].softmax(-1), targets[kept]"),
    edit("impossible_as_zero", "`cross_entropy` puts 0 in place of -inf: exp(0) is 1, so impossible tokens become likely", "rows, chosen = logits[kept].masked_fill(logits[kept] == -math.inf, 0.0), targets[kept]"),
    edit("softmax_axis_one", "`cross_entropy` takes the softmax over axis 1, which is time for (N, T, V); the tokens are on the last axis", "rows, chosen = (logits.log_softmax(min(1, logits.ndim - 1)) + 0.0)[kept], targets[kept]",
         ("costs = rows.logsumexp(-1) - rows.gather(-1, chosen[:, None])[:, 0]", "costs = -rows.gather(-1, chosen[:, None])[:, 0]")),
    edit("clamped_logits", "`cross_entropy` cuts the logits at ±50; they may have any size", "rows, chosen = logits[kept].clamp(-50, 50), targets[kept]"),
    edit("clamped_at_thousand", "`cross_entropy` cuts the logits at ±1000; they may have any size", "rows, chosen = logits[kept].clamp(-1000, 1000), targets[kept]"),
    edit("clamped_at_hundred", "`cross_entropy` cuts the logits at ±100; they may have any size", "rows, chosen = logits[kept].clamp(-100, 100), targets[kept]"),
    edit("loss_in_float32", "`cross_entropy` computes in float32 even if the logits are float64", "rows, chosen = logits[kept].float(), targets[kept]"),
    edit("standardised", "`cross_entropy` divides the logits by the root of V", "rows, chosen = logits[kept] / logits.shape[-1] ** 0.5, targets[kept]"),
)

mistakes.at(
    "costs = rows.logsumexp(-1) - rows.gather(-1, chosen[:, None])[:, 0]",
    edit("naive_sum", "`cross_entropy` computes exp of the logits as they are: large ones are infinite, very small ones 0", "costs = rows.exp().sum(-1).log() - rows.gather(-1, chosen[:, None])[:, 0]"),
    edit("naive_softmax", "`cross_entropy` takes the logarithm of a softmax: small probabilities are rounded to 0, whose logarithm is infinite", "costs = -rows.softmax(-1).log().gather(-1, chosen[:, None])[:, 0]"),
    edit("softmax_and_constant", "a small constant is added to the probability, or is its least value, in `cross_entropy`: unlikely tokens cost too little", "costs = -(rows.softmax(-1) + 1e-9).log().gather(-1, chosen[:, None])[:, 0]"),
    edit("softmax_and_larger_constant", "a small constant is added to the probability, or is its least value, in `cross_entropy`: unlikely tokens cost too little", "costs = -(rows.softmax(-1) + 1e-6).log().gather(-1, chosen[:, None])[:, 0]"),
    edit("softmax_clamped", "a small constant is added to the probability, or is its least value, in `cross_entropy`: unlikely tokens cost too little", "costs = -rows.softmax(-1).clamp(min=1e-12).log().gather(-1, chosen[:, None])[:, 0]"),
    *[edit(f"least_probability_{digits}", "a small constant is added to the probability, or is its least value, in `cross_entropy`: unlikely tokens cost too little",
           f"costs = -rows.softmax(-1).clamp(min=1e-{digits}).log().gather(-1, chosen[:, None])[:, 0]") for digits in (8, 10, 30)],
    edit("shifted_by_largest_of_all", "`cross_entropy` subtracts the largest logit of the whole batch: rows far below it become log 0", "top = rows.max() if len(rows) else 0.0; costs = (rows - top).exp().sum(-1).log() + top - rows.gather(-1, chosen[:, None])[:, 0]"),
    edit("largest_forgotten", "`cross_entropy` subtracts the largest logit inside the sum and does not add it again", "costs = (rows - rows.amax(-1, keepdim=True)).exp().sum(-1).log() - rows.gather(-1, chosen[:, None])[:, 0]"),
    edit("log_of_mean", "the normaliser of `cross_entropy` is the mean of the exponentials, too small by log V", "costs = rows.logsumexp(-1) - math.log(rows.shape[-1]) - rows.gather(-1, chosen[:, None])[:, 0]"),
    edit("cost_in_bits", "`cross_entropy` returns bits; nats are asked for", "costs = (rows.logsumexp(-1) - rows.gather(-1, chosen[:, None])[:, 0]) / math.log(2)"),
    edit("log_probability", "`cross_entropy` returns log-probabilities; the cost is their negative", "costs = rows.gather(-1, chosen[:, None])[:, 0] - rows.logsumexp(-1)"),
    edit("probability", "`cross_entropy` averages probabilities; the cost is -log p", "costs = rows.softmax(-1).gather(-1, chosen[:, None])[:, 0]"),
    edit("squared", "`cross_entropy` returns squared errors of probabilities; the cost is -log p", "costs = (rows.softmax(-1) - F.one_hot(chosen, rows.shape[-1])).square().sum(-1)"),
    edit("errors_counted", "`cross_entropy` counts wrong guesses; the cost is -log p", "costs = (rows.argmax(-1) != chosen).to(rows) + 0 * rows.sum(-1)"),
    edit("missed_probability", "`cross_entropy` averages 1 - p; the cost is -log p", "costs = 1 - rows.softmax(-1).gather(-1, chosen[:, None])[:, 0]"),
    edit("masked_by_product", "`cross_entropy` multiplies all log-probabilities with zeros and ones: 0 times -inf is NaN for impossible tokens",
         "costs = -(rows.log_softmax(-1) * F.one_hot(chosen, rows.shape[-1])).sum(-1)"),
    edit("logit_only", "the normaliser log Σ exp is missing in `cross_entropy`", "costs = -rows.gather(-1, chosen[:, None])[:, 0]"),
    edit("largest_for_sum", "`cross_entropy` takes the largest logit for log Σ exp", "costs = rows.amax(-1) - rows.gather(-1, chosen[:, None])[:, 0]"),
    edit("first_logit", "`cross_entropy` takes logit 0 whatever the target is", "costs = rows.logsumexp(-1) - rows[:, 0]"),
    edit("next_logit", "`cross_entropy` takes the logit beside the target's", "costs = rows.logsumexp(-1) - rows.gather(-1, (chosen[:, None] + 1) % rows.shape[-1])[:, 0]"),
    edit("sum_over_tokens", "the sum of exponentials runs over the tokens (axis 0) in `cross_entropy`", "costs = rows.logsumexp(0).gather(0, chosen) - rows.gather(-1, chosen[:, None])[:, 0]"),
    edit("binary", "`cross_entropy` treats each logit as a yes or no of its own", "hot = F.one_hot(chosen, rows.shape[-1]).to(rows); costs = (F.softplus(rows) - torch.where(hot > 0, rows, torch.zeros_like(rows))).sum(-1)"),
    edit("label_smoothing", "`cross_entropy` mixes the target with the uniform distribution (label smoothing)", "costs = rows.logsumexp(-1) - 0.9 * rows.gather(-1, chosen[:, None])[:, 0] - 0.1 * rows.mean(-1)"),
    edit("normaliser_detached", "the normaliser is cut off from autograd in `cross_entropy`: wrong tokens are not pushed down", "costs = rows.logsumexp(-1).detach() - rows.gather(-1, chosen[:, None])[:, 0]"),
)

mistakes.at(
    "return costs.sum() / max(len(chosen), 1)",
    edit("ignored_times_zero", "`cross_entropy` multiplies the costs of ignored tokens by 0: where these are infinite, that is NaN",
         "all_costs = logits.logsumexp(-1) - logits.gather(-1, torch.where(kept, targets, 0)[..., None])[..., 0]; return (all_costs * kept).sum() / kept.sum().clamp(min=1)"),
    edit("mean_over_all_tokens", "`cross_entropy` divides by the number of all tokens; ignored ones do not count", "return costs.sum() / max(targets.numel(), 1)"),
    edit("nothing_is_nan", "`cross_entropy` gives 0/0 when no token is kept; it is to be 0", "return costs.mean()"),
    edit("count_and_constant", "a small constant is added to the count in `cross_entropy`: the mean is too small", "return costs.sum() / (len(chosen) + 1e-3)"),
    edit("count_and_less", "a small constant is added to the count in `cross_entropy`: the mean is too small", "return costs.sum() / (len(chosen) + 1e-5)"),
    edit("count_and_millionth", "a small constant is added to the number of tokens in `cross_entropy`; the mean is not quite the mean then", "return costs.sum() / (len(chosen) + 1e-6)"),
    edit("count_and_tiny", "a tiny constant is added to the number of tokens in `cross_entropy`; the mean is not quite the mean then", "return costs.sum() / (len(chosen) + 1e-8)"),
    edit("nothing_is_an_integer", "`cross_entropy` returns the number 0 instead of a tensor when no token is kept", "return costs.mean() if len(chosen) else 0"),
    edit("summed", "`cross_entropy` returns the sum; the mean is asked for", "return costs.sum()"),
    edit("one_more", "`cross_entropy` divides by one token too many", "return costs.sum() / (len(chosen) + 1)"),
    edit("by_sequences", "`cross_entropy` divides by the number of sequences", "return costs.sum() / max(len(targets) if targets.ndim else 1, 1)"),
    edit("by_length", "`cross_entropy` divides by the length of the sequences", "return costs.sum() / max(targets.shape[-1] if targets.ndim else 1, 1)"),
    edit("mean_of_means", "`cross_entropy` averages the means of the sequences: tokens of short ones weigh more",
         "flat = torch.zeros(targets.shape, dtype=costs.dtype, device=costs.device).masked_scatter(kept, costs); "
         "have = kept.sum(-1); return (flat.sum(-1) / have.clamp(min=1)).sum() / (have > 0).sum().clamp(min=1)"),
    edit("costs_returned", "`cross_entropy` returns the cost of each token; their mean is asked for", "return costs"),
    edit("python_number", "`cross_entropy` returns a Python number, cut off from autograd", "return float(costs.sum()) / max(len(chosen), 1)"),
    edit("median", "`cross_entropy` takes the median of the costs", "return costs.median() if len(costs) else costs.sum()"),
    edit("log_of_mean_probability", "`cross_entropy` takes the logarithm of the mean probability; the mean of the logarithms is asked for", "return (-(-costs).logsumexp(0) + math.log(len(chosen))) if len(chosen) else costs.sum()"),
    edit("at_most_fifty", "`cross_entropy` cuts costs at 50", "return costs.clamp(max=50).sum() / max(len(chosen), 1)"),
    edit("at_most_hundred", "`cross_entropy` cuts costs at 100", "return costs.clamp(max=100).sum() / max(len(chosen), 1)"),
    edit("nothing_is_one", "`cross_entropy` gives log V when no token is kept; it is to be 0", "return costs.sum() / max(len(chosen), 1) if len(chosen) else logits.sum() * 0 + math.log(logits.shape[-1])"),
)
