"""Named wrong versions of the answers to question 6."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- Block --------------------------------------------------------------------------------------------------------

mistakes.at(
    "weights = self.w1.weight, self.w2.weight, self.w3.weight",
    edit("bl_w1_w3", "`Block` exchanges w1 and w3; SiLU bends what w1 makes", "weights = self.w3.weight, self.w2.weight, self.w1.weight"),
    edit("bl_detached", "`Block` detaches the weights of SwiGLU, so that they are never trained", "weights = self.w1.weight.detach(), self.w2.weight.detach(), self.w3.weight.detach()"),
)

mistakes.at(
    "if self.post_norm:",
    edit("bl_always_pre", "`Block` ignores post_norm and is always pre-norm", "if False:"),
    edit("bl_always_post", "`Block` ignores post_norm and is always post-norm", "if True:"),
    edit("bl_inverted", "`Block` has pre-norm and post-norm exchanged", "if not self.post_norm:"),
)

mistakes.at(
    "h = self.norm1(x + self.attention(x))",
    edit("bl_post_inside", "with post-norm `Block` normalises what attention answers; the norm stands behind the sum", "h = x + self.norm1(self.attention(x))"),
    edit("bl_post_no_sum", "with post-norm `Block` leaves x out of the first sum", "h = self.norm1(self.attention(x))"),
    edit("bl_post_both", "with post-norm `Block` normalises before attention as well", "h = self.norm1(x + self.attention(self.norm1(x)))"),
    edit("bl_post_norm2_first", "with post-norm `Block` uses norm2 behind attention; norm1 belongs there", "h = self.norm2(x + self.attention(x))"),
    edit("bl_post_no_norm1", "with post-norm `Block` leaves out norm1", "h = x + self.attention(x)"),
    edit("bl_post_skip_attention", "with post-norm `Block` leaves out attention", "h = self.norm1(x)"),
    edit("bl_post_inplace", "with post-norm `Block` adds to x in place, and so changes its argument", "x += self.attention(x); h = self.norm1(x)"),
    edit("bl_post_detached", "with post-norm `Block` detaches x on the straight path", "h = self.norm1(x.detach() + self.attention(x))"),
)

mistakes.at(
    "return self.norm2(h + swiglu(h, *weights))",
    edit("bl_post2_inside", "with post-norm `Block` normalises what SwiGLU answers; the norm stands behind the sum", "return h + self.norm2(swiglu(h, *weights))"),
    edit("bl_post2_no_sum", "with post-norm `Block` leaves h out of the second sum", "return self.norm2(swiglu(h, *weights))"),
    edit("bl_post2_adds_x", "with post-norm `Block` adds x to the second layer's answer; h is to be added", "return self.norm2(x + swiglu(h, *weights))"),
    edit("bl_post2_sees_x", "with post-norm `Block` gives x to SwiGLU; it works on h", "return self.norm2(h + swiglu(x, *weights))"),
    edit("bl_post2_norm1", "with post-norm `Block` uses norm1 in both places", "return self.norm1(h + swiglu(h, *weights))"),
    edit("bl_post2_no_norm2", "with post-norm `Block` leaves out norm2", "return h + swiglu(h, *weights)"),
    edit("bl_post2_both", "with post-norm `Block` normalises before SwiGLU as well", "return self.norm2(h + swiglu(self.norm2(h), *weights))"),
    edit("bl_post2_skip", "with post-norm `Block` leaves out SwiGLU", "return self.norm2(h)"),
)

mistakes.at(
    "h = x + self.attention(self.norm1(x))",
    edit("bl_no_norm1", "with pre-norm `Block` leaves out norm1", "h = x + self.attention(x)"),
    edit("bl_norm_sum", "with pre-norm `Block` adds attention to the normalised x; the straight path is x itself", "h = self.norm1(x) + self.attention(self.norm1(x))"),
    edit("bl_no_sum", "with pre-norm `Block` leaves x out of the first sum", "h = self.attention(self.norm1(x))"),
    edit("bl_norm_after", "with pre-norm `Block` normalises what attention answers, not what it is given", "h = x + self.norm1(self.attention(x))"),
    edit("bl_norm2_first", "with pre-norm `Block` uses norm2 in front of attention, too", "h = x + self.attention(self.norm2(x))"),
    edit("bl_skip_attention", "with pre-norm `Block` leaves out attention", "h = x"),
    edit("bl_twice", "with pre-norm `Block` adds attention twice", "h = x + 2 * self.attention(self.norm1(x))"),
    edit("bl_minus", "with pre-norm `Block` subtracts what attention answers", "h = x - self.attention(self.norm1(x))"),
    edit("bl_inplace", "with pre-norm `Block` adds to x in place, and so changes its argument", "x += self.attention(self.norm1(x)); h = x"),
    edit("bl_detached_x", "with pre-norm `Block` detaches x on the straight path: gradients no longer pass", "h = x.detach() + self.attention(self.norm1(x))"),
    edit("bl_detached_norm", "with pre-norm `Block` detaches what attention is given", "h = x + self.attention(self.norm1(x).detach())"),
    edit("bl_halved", "with pre-norm `Block` takes the mean of x and attention; a sum is asked for", "h = (x + self.attention(self.norm1(x))) / 2"),
)

mistakes.at(
    "return h + swiglu(self.norm2(h), *weights)",
    edit("bl2_no_norm", "with pre-norm `Block` leaves out norm2", "return h + swiglu(h, *weights)"),
    edit("bl2_no_sum", "with pre-norm `Block` leaves h out of the second sum", "return swiglu(self.norm2(h), *weights)"),
    edit("bl2_adds_x", "with pre-norm `Block` adds x to the second layer's answer, so attention has no straight path; h is to be added", "return x + swiglu(self.norm2(h), *weights)"),
    edit("bl2_sees_x", "with pre-norm `Block` computes both layers from x side by side; SwiGLU works on h", "return h + swiglu(self.norm2(x), *weights)"),
    edit("bl2_norm1", "with pre-norm `Block` uses norm1 in both places", "return h + swiglu(self.norm1(h), *weights)"),
    edit("bl2_norm_sum", "with pre-norm `Block` adds the normalised h; the straight path is h itself", "h = self.norm2(h); return h + swiglu(h, *weights)"),
    edit("bl2_norm_after", "with pre-norm `Block` normalises what SwiGLU answers, not what it is given", "return h + self.norm2(swiglu(h, *weights))"),
    edit("bl2_norm_end", "with pre-norm `Block` normalises its result", "return self.norm2(h + swiglu(self.norm2(h), *weights))"),
    edit("bl2_skip", "with pre-norm `Block` leaves out SwiGLU", "return h"),
    edit("bl2_both_x", "with pre-norm `Block` adds x once more at the end", "return x + h + swiglu(self.norm2(h), *weights)"),
    edit("bl2_single", "`Block` computes in float32 whatever it is given; float64 keeps its digits", "return (h + swiglu(self.norm2(h), *weights)).float().to(x)"),
)

# the same slip in both layers

POST1, POST2 = "h = self.norm1(x + self.attention(x))", "return self.norm2(h + swiglu(h, *weights))"
PRE1, PRE2 = "h = x + self.attention(self.norm1(x))", "return h + swiglu(self.norm2(h), *weights)"
mistakes.at(
    PRE1,
    edit("both_no_sums", "`Block` leaves out both sums: nothing leads straight from x to y", "h = self.attention(self.norm1(x))",
         (PRE2, "return swiglu(self.norm2(h), *weights)"), (POST1, "h = self.norm1(self.attention(x))"), (POST2, "return self.norm2(swiglu(h, *weights))")),
    edit("both_no_norms", "`Block` leaves out both norms", "h = x + self.attention(x)",
         (PRE2, "return h + swiglu(h, *weights)"), (POST1, "h = x + self.attention(x)"), (POST2, "return h + swiglu(h, *weights)  # post")),
    edit("both_exchanged", "`Block` exchanges its two norms", "h = x + self.attention(self.norm2(x))",
         (PRE2, "return h + swiglu(self.norm1(h), *weights)"), (POST1, "h = self.norm2(x + self.attention(x))"), (POST2, "return self.norm1(h + swiglu(h, *weights))")),
    edit("both_order", "`Block` has SwiGLU first and attention behind it; the first layer is attention", "h = x + swiglu(self.norm1(x), *weights)",
         (PRE2, "return h + self.attention(self.norm2(h))"), (POST1, "h = self.norm1(x + swiglu(x, *weights))"), (POST2, "return self.norm2(h + self.attention(h))")),
    edit("both_inside", "`Block` normalises what its layers answer, and adds it; pre-norm normalises what they are given, post-norm the sum", "h = x + self.norm1(self.attention(x))",
         (PRE2, "return h + self.norm2(swiglu(h, *weights))"), (POST1, "h = x + self.norm1(self.attention(x))"), (POST2, "return h + self.norm2(swiglu(h, *weights))  # post")),
    edit("both_sandwich", "with pre-norm `Block` normalises before and behind each layer; only before is asked for", "h = x + self.norm1(self.attention(self.norm1(x)))",
         (PRE2, "return h + self.norm2(swiglu(self.norm2(h), *weights))")),
    edit("both_straight_normed", "with pre-norm `Block` normalises the straight path as well, in both sums", "x = self.norm1(x); h = x + self.attention(x)",
         (PRE2, "h = self.norm2(h); return h + swiglu(h, *weights)")),
    edit("both_no_scales", "`Block` normalises without the learned scales of its norms", "h = x + self.attention(F.rms_norm(x, x.shape[-1:], eps=1e-5))",
         (PRE2, "return h + swiglu(F.rms_norm(h, h.shape[-1:], eps=1e-5), *weights)"), (POST1, "h = F.rms_norm(x + self.attention(x), x.shape[-1:], eps=1e-5)"),
         (POST2, "return F.rms_norm(h + swiglu(h, *weights), x.shape[-1:], eps=1e-5)")),
    edit("both_layer_norms", "`Block` subtracts the mean, as a LayerNorm does; `self.norm1` and `self.norm2` do not", "h = x + self.attention(F.layer_norm(x, x.shape[-1:], self.norm1.weight))",
         (PRE2, "return h + swiglu(F.layer_norm(h, h.shape[-1:], self.norm2.weight), *weights)"), (POST1, "h = F.layer_norm(x + self.attention(x), x.shape[-1:], self.norm1.weight)"),
         (POST2, "return F.layer_norm(h + swiglu(h, *weights), x.shape[-1:], self.norm2.weight)")),
    edit("both_relu", "the gate of `Block` is bent by a ReLU; SwiGLU has SiLU", "h = x + self.attention(self.norm1(x))",
         (PRE2, "z = self.norm2(h); return h + self.w2(F.relu(self.w1(z)) * self.w3(z))"), (POST2, "return self.norm2(h + self.w2(F.relu(self.w1(h)) * self.w3(h)))")),
    edit("both_no_gate", "`Block` never multiplies with what w3 makes; SwiGLU is gated", "h = x + self.attention(self.norm1(x))",
         (PRE2, "return h + self.w2(F.silu(self.w1(self.norm2(h))))"), (POST2, "return self.norm2(h + self.w2(F.silu(self.w1(h))))")),
    edit("both_not_bent", "`Block` multiplies what w1 and w3 make without SiLU", "h = x + self.attention(self.norm1(x))",
         (PRE2, "z = self.norm2(h); return h + self.w2(self.w1(z) * self.w3(z))"), (POST2, "return self.norm2(h + self.w2(self.w1(h) * self.w3(h)))")),
    edit("both_inplace", "`Block` works in place, and so changes x", "h = x; h += self.attention(self.norm1(x))",
         (PRE2, "h += swiglu(self.norm2(h), *weights); return h"), (POST1, "x += self.attention(x); h = self.norm1(x)")),
    edit("both_gelu", "the gate of `Block` is bent by GELU; SwiGLU has SiLU", PRE1, (PRE2, 'return h + swiglu(self.norm2(h), *weights, "gelu")'), (POST2, 'return self.norm2(h + swiglu(h, *weights, "gelu"))')),
    edit("both_gelu_exact", "the gate of `Block` is bent by GELU, without its approximation; SwiGLU has SiLU", PRE1,
         (PRE2, "z = self.norm2(h); return h + self.w2(F.gelu(self.w1(z)) * self.w3(z))"), (POST2, "return self.norm2(h + self.w2(F.gelu(self.w1(h)) * self.w3(h)))")),
    edit("both_sigmoid", "the gate of `Block` is a sigmoid; SiLU multiplies that with what w1 makes", PRE1,
         (PRE2, "z = self.norm2(h); return h + self.w2(torch.sigmoid(self.w1(z)) * self.w3(z))"), (POST2, "return self.norm2(h + self.w2(torch.sigmoid(self.w1(h)) * self.w3(h)))")),
    edit("both_bent_product", "`Block` bends the product of w1's and w3's answers; SiLU bends w1's alone", PRE1,
         (PRE2, "z = self.norm2(h); return h + self.w2(F.silu(self.w1(z) * self.w3(z)))"), (POST2, "return self.norm2(h + self.w2(F.silu(self.w1(h) * self.w3(h))))")),
    edit("both_gate_added", "`Block` adds what w3 makes to the gate; SwiGLU multiplies", PRE1,
         (PRE2, "z = self.norm2(h); return h + self.w2(F.silu(self.w1(z)) + self.w3(z))"), (POST2, "return self.norm2(h + self.w2(F.silu(self.w1(h)) + self.w3(h)))")),
    edit("both_both_bent", "`Block` bends what w3 makes as well; SiLU bends w1's answer alone", PRE1,
         (PRE2, "z = self.norm2(h); return h + self.w2(F.silu(self.w1(z)) * F.silu(self.w3(z)))"), (POST2, "return self.norm2(h + self.w2(F.silu(self.w1(h)) * F.silu(self.w3(h))))")),
    edit("both_w1_twice", "`Block` takes what w1 makes in both places of the product, and never w3", PRE1,
         (PRE2, "z = self.norm2(h); return h + self.w2(F.silu(self.w1(z)) * self.w1(z))"), (POST2, "return self.norm2(h + self.w2(F.silu(self.w1(h)) * self.w1(h)))")),
    edit("both_root", "with pre-norm `Block` divides its sums by √2; the text does not", "h = (x + self.attention(self.norm1(x))) / math.sqrt(2)",
         (PRE2, "return (h + swiglu(self.norm2(h), *weights)) / math.sqrt(2)")),
    edit("both_products", "`Block` multiplies where it should add", "h = x * self.attention(self.norm1(x))",
         (PRE2, "return h * swiglu(self.norm2(h), *weights)"), (POST1, "h = self.norm1(x * self.attention(x))"), (POST2, "return self.norm2(h * swiglu(h, *weights))")),
    edit("both_directions", "`Block` makes unit vectors where the norms stand, without their scales", "h = x + self.attention(F.normalize(x, dim=-1))",
         (PRE2, "return h + swiglu(F.normalize(h, dim=-1), *weights)"), (POST1, "h = F.normalize(x + self.attention(x), dim=-1)"), (POST2, "return F.normalize(h + swiglu(h, *weights), dim=-1)")),
    edit("both_forget_h", "`Block` computes h and never uses it: the second layer starts from x", PRE1, (PRE2, "return x + swiglu(self.norm2(x), *weights)"), (POST2, "return self.norm2(x + swiglu(x, *weights))")),
    edit("both_norm_twice", "with pre-norm `Block` sends h through norm1 and norm2", PRE1, (PRE2, "return h + swiglu(self.norm2(self.norm1(h)), *weights)")),
    edit("pre_multiplies", "with pre-norm `Block` multiplies x with what attention answers; the sum is asked for", "h = x * self.attention(self.norm1(x))"),
    edit("pre_swiglu_twice", "with pre-norm `Block` adds SwiGLU twice", PRE1, (PRE2, "return h + 2 * swiglu(self.norm2(h), *weights)")),
    edit("pre_swiglu_minus", "with pre-norm `Block` subtracts what SwiGLU answers", PRE1, (PRE2, "return h - swiglu(self.norm2(h), *weights)")),
    edit("pre_unfinished", "with pre-norm `Block` gives SwiGLU what attention answers, without x", "h = self.attention(self.norm1(x))",
         (PRE2, "return x + h + swiglu(self.norm2(h), *weights)")),
    edit("returns_pair", "`Block` returns two things; y alone is asked for", PRE1, (PRE2, "return h, h + swiglu(self.norm2(h), *weights)"), (POST2, "return h, self.norm2(h + swiglu(h, *weights))")),
    edit("post_is_pre_normed", "with post-norm `Block` is pre-norm with one more norm at its end", PRE1, (POST1, "h = x + self.attention(self.norm1(x))  # post"),
         (POST2, "return self.norm2(h + swiglu(self.norm2(h), *weights))")),
    edit("pre_is_ended", "with pre-norm `Block` normalises only at its end", "h = x + self.attention(x)", (PRE2, "return self.norm2(h + swiglu(h, *weights))  # pre")),
    edit("pre_no_grad", "with pre-norm `Block` runs attention without gradients", "h = x + torch.no_grad()(self.attention.forward)(self.norm1(x))"),
    edit("pre_nothing", "with pre-norm `Block` returns nothing", PRE1, (PRE2, "h + swiglu(self.norm2(h), *weights)")),
)

# the same slip in both layers, in one of the two orders

mistakes.at(
    POST1,
    edit("post_outside", "with post-norm `Block` normalises x and h, and adds what the layers answer behind that; the norm stands around the sum", "h = self.norm1(x) + self.attention(x)",
         (POST2, "return self.norm2(h) + swiglu(h, *weights)")),
    edit("post_straight", "with post-norm `Block` is pre-norm with a normalised straight path: it normalises x and h, and not the sums", "x = self.norm1(x); h = x + self.attention(x)",
         (POST2, "h = self.norm2(h); return h + swiglu(h, *weights)")),
    edit("post_inside", "with post-norm `Block` normalises what its layers answer; the norm stands behind the sum", "h = x + self.norm1(self.attention(x))",
         (POST2, "return h + self.norm2(swiglu(h, *weights))")),
    edit("post_before_too", "with post-norm `Block` normalises before its layers as well", "h = self.norm1(x + self.attention(self.norm1(x)))",
         (POST2, "return self.norm2(h + swiglu(self.norm2(h), *weights))")),
    edit("post_no_sums", "with post-norm `Block` leaves out both sums", "h = self.norm1(self.attention(x))", (POST2, "return self.norm2(swiglu(h, *weights))")),
    edit("post_no_norms", "with post-norm `Block` leaves out both norms", "h = x + self.attention(x)", (POST2, "return h + swiglu(h, *weights)  # post")),
    edit("post_exchanged", "with post-norm `Block` exchanges its two norms", "h = self.norm2(x + self.attention(x))", (POST2, "return self.norm1(h + swiglu(h, *weights))")),
    edit("post_second_outside", "with post-norm `Block` normalises h alone in the second line, and adds what SwiGLU answers behind that", POST1, (POST2, "return self.norm2(h) + swiglu(h, *weights)")),
    edit("post_end_only", "with post-norm `Block` normalises only at its end, and with norm1", "h = x + self.attention(x)", (POST2, "return self.norm1(h + swiglu(h, *weights))  # end")),
)

mistakes.at(
    PRE1,
    edit("pre_no_sums", "with pre-norm `Block` leaves out both sums", "h = self.attention(self.norm1(x))", (PRE2, "return swiglu(self.norm2(h), *weights)")),
    edit("pre_no_norms", "with pre-norm `Block` leaves out both norms", "h = x + self.attention(x)", (PRE2, "return h + swiglu(h, *weights)")),
    edit("pre_after", "with pre-norm `Block` normalises what its layers answer, not what they are given", "h = x + self.norm1(self.attention(x))",
         (PRE2, "return h + self.norm2(swiglu(h, *weights))")),
    edit("pre_exchanged", "with pre-norm `Block` exchanges its two norms", "h = x + self.attention(self.norm2(x))", (PRE2, "return h + swiglu(self.norm1(h), *weights)")),
    edit("pre_order", "with pre-norm `Block` has SwiGLU first and attention behind it, each with its norm", "h = x + swiglu(self.norm2(x), *weights)",
         (PRE2, "return h + self.attention(self.norm1(h))")),
    edit("pre_inplace", "with pre-norm `Block` works in place, and so changes x", "x += self.attention(self.norm1(x))", (PRE2, "x += swiglu(self.norm2(x), *weights); return x")),
    edit("pre_gelu", "with pre-norm the gate of `Block` is bent by GELU; SwiGLU has SiLU", PRE1, (PRE2, 'return h + swiglu(self.norm2(h), *weights, "gelu")')),
    edit("pre_value_bare", "with pre-norm `Block` normalises for w1 only; w3 sees h as it is", PRE1, (PRE2, "return h + self.w2(F.silu(self.w1(self.norm2(h))) * self.w3(h))")),
    edit("pre_gate_bare", "with pre-norm `Block` normalises for w3 only; w1 sees h as it is", PRE1, (PRE2, "return h + self.w2(F.silu(self.w1(h)) * self.w3(self.norm2(h)))")),
    edit("pre_swiglu_sandwich", "with pre-norm `Block` sends through norm2 what SwiGLU answers as well", PRE1, (PRE2, "return h + self.norm2(swiglu(self.norm2(h), *weights))  # pre")),
    edit("pre_sums_normed", "with pre-norm `Block` normalises both sums: it is post-norm, with norms in front of its layers besides", "h = self.norm1(x + self.attention(self.norm1(x)))",
         (PRE2, "return self.norm2(h + swiglu(self.norm2(h), *weights))  # pre")),
    edit("pre_attention_again", "with pre-norm `Block` has attention twice, and no SwiGLU", PRE1, (PRE2, "return h + self.attention(self.norm2(h))")),
    edit("pre_normed_once", "with pre-norm `Block` normalises x once, and gives that to both layers", "z = self.norm1(x); h = x + self.attention(z)", (PRE2, "return h + swiglu(z, *weights)")),
)

mistakes.at(
    "weights = self.w1.weight, self.w2.weight, self.w3.weight",
    edit("bl_w2_w3", "`Block` gives weights to `swiglu` that do not fit: w2 and w3 in the wrong order, or all of them transposed", "weights = self.w1.weight, self.w3.weight, self.w2.weight"),
    edit("bl_layers", "`Block` gives layers to `swiglu`, which takes their weights", "weights = self.w1, self.w2, self.w3"),
)

# --- GPT ----------------------------------------------------------------------------------------------------------

mistakes.at(
    "x = self.embedding(ids)",
    edit("gpt_scaled", "`GPT` multiplies the embedding by √dim, as some models do; it is not asked for here", "x = self.embedding(ids) * math.sqrt(self.embedding.embedding_dim)"),
    edit("gpt_normed_first", "`GPT` sends the embedding through the last norm as well", "x = self.norm(self.embedding(ids))"),
    edit("gpt_cut", "`GPT` cuts texts longer than context; logits for any length are asked for", "x = self.embedding(ids[:, -self.context :])"),
    edit("gpt_cut_front", "`GPT` keeps only the first `context` tokens; logits for any length are asked for", "x = self.embedding(ids[:, : self.context])"),
    edit("gpt_refuses", "`GPT` stops at texts longer than context; logits for any length are asked for", "assert ids.shape[1] <= self.context, 'too long'; x = self.embedding(ids)"),
    edit("gpt_detached", "`GPT` detaches the embedding, so that what it puts into the blocks is never trained", "x = self.embedding(ids).detach()"),
    edit("gpt_shifted", "`GPT` shifts the tokens by one, so that each position answers for the one before", "x = self.embedding(F.pad(ids, (1, 0))[:, :-1])"),
    edit("gpt_single", "`GPT` computes in float32 whatever its weights are", "x = self.embedding(ids).float().to(self.embedding.weight)"),
)

mistakes.at(
    """
    for block in self.blocks:
        x = block(x)
    """,
    edit("gpt_no_blocks", "`GPT` does not send x through the blocks, or throws away what they answer", "pass"),
    edit("gpt_residual", "`GPT` adds x to what each block answers; a block contains its sums already",
         """
         for block in self.blocks:
             x = x + block(x)
         """),
    edit("gpt_from_start", "each block of `GPT` begins with the embedding, so that only the last one counts",
         """
         start = x
         for block in self.blocks:
             x = block(start)
         """),
    edit("gpt_backwards", "`GPT` runs through its blocks from the last to the first",
         """
         for block in reversed(self.blocks):
             x = block(x)
         """),
    edit("gpt_first_block", "`GPT` uses its first block only, again and again",
         """
         for _ in self.blocks:
             x = self.blocks[0](x)
         """),
    edit("gpt_leaves_last", "`GPT` leaves out its last block",
         """
         for block in self.blocks[:-1]:
             x = block(x)
         """),
    edit("gpt_leaves_first", "`GPT` leaves out its first block",
         """
         for block in self.blocks[1:]:
             x = block(x)
         """),
    edit("gpt_norm_each", "`GPT` applies the last norm behind every block",
         """
         for block in self.blocks:
             x = self.norm(block(x))
         """),
    edit("gpt_returns_early", "`GPT` returns inside its loop, after the first block",
         """
         for block in self.blocks:
             x = self.norm(block(x))
             return x @ self.embedding.weight.T if self.head is None else F.linear(x, self.head.weight)
         return None
         """),
    edit("gpt_embedding_added", "`GPT` adds the embedding once more after the blocks",
         """
         start = x
         for block in self.blocks:
             x = block(x)
         x = x + start
         """),
    edit("gpt_sum_blocks", "`GPT` adds up what the blocks make of the embedding, side by side; each works on the answer of the one before",
         """
         start = x
         x = sum((block(start) for block in self.blocks), torch.zeros_like(x))
         """),
)

mistakes.at(
    "x = self.norm(x)",
    edit("gpt_no_norm", "`GPT` leaves out the last norm", "x = x"),
    edit("gpt_norm_twice", "`GPT` applies the last norm twice", "x = self.norm(self.norm(x))"),
    edit("gpt_norm_fresh", "`GPT` normalises without the learned scales of `self.norm`", "x = F.rms_norm(x, x.shape[-1:], eps=1e-5)"),
    edit("gpt_norm_detached", "`GPT` detaches x before the head: blocks are never trained", "x = self.norm(x.detach())"),
    edit("gpt_norm_added", "`GPT` adds x to its last norm", "x = x + self.norm(x)"),
)

TIED = "return x @ self.embedding.weight.T if self.head is None else self.head(x)"
mistakes.at(
    TIED,
    edit("gpt_softmax", "`GPT` returns probabilities; logits are asked for, and the loss takes the softmax itself", TIED.replace("return ", "logits = ") + "; return logits.softmax(-1)"),
    edit("gpt_log_softmax", "`GPT` returns log-probabilities; logits are asked for", TIED.replace("return ", "logits = ") + "; return logits.log_softmax(-1)"),
    edit("gpt_head_detached", "`GPT` ties its head to a detached embedding or a copy: the head's part of the gradient is lost", "return x @ self.embedding.weight.detach().T if self.head is None else self.head(x)"),
    edit("gpt_always_tied", "`GPT` uses the embedding as head even where the head has weights of its own", "return x @ self.embedding.weight.T"),
    edit("gpt_scaled_head", "`GPT` divides the logits of a tied head by √dim", "return x @ self.embedding.weight.T / math.sqrt(x.shape[-1]) if self.head is None else self.head(x)"),
    edit("gpt_last", "`GPT` answers for the last token only; logits for all tokens are asked for", TIED.replace("return ", "logits = ") + "; return logits[:, -1]"),
    edit("gpt_last_kept", "`GPT` answers for the last token only, and keeps the axis", TIED.replace("return ", "logits = ") + "; return logits[:, -1:]"),
    edit("gpt_transposed", "`GPT` returns (N, V, T); the last axis is the vocabulary", TIED.replace("return ", "logits = ") + "; return logits.transpose(1, 2)"),
    edit("gpt_drops_last", "`GPT` leaves out the logits of the last token; a caller decides which it needs", TIED.replace("return ", "logits = ") + "; return logits[:, :-1]"),
    edit("gpt_hidden", "`GPT` returns what stands before the head; logits are asked for", "return x"),
    edit("gpt_normed_rows", "a tied head of `GPT` compares directions only: rows of the embedding are made unit vectors", "return x @ F.normalize(self.embedding.weight, dim=-1).T if self.head is None else self.head(x)"),
    edit("gpt_centred", "`GPT` subtracts from the logits their mean over the vocabulary", TIED.replace("return ", "logits = ") + "; return logits - logits.mean(-1, keepdim=True)"),
    edit("gpt_capped", "`GPT` caps its logits by a tanh, as some models do; it is not asked for here", TIED.replace("return ", "logits = ") + "; return 30 * torch.tanh(logits / 30)"),
    edit("gpt_untied_wrong", "without a tied head, `GPT` adds the embedding's logits to those of the head", "return x @ self.embedding.weight.T + (0 if self.head is None else self.head(x))"),
)

mistakes.at(
    "x = self.norm(x)",
    edit("gpt_normed_only_first", "`GPT` applies the last norm to the embedding, and not after the blocks", "x = x", ("x = self.embedding(ids)", "x = self.norm(self.embedding(ids))")),
    edit("gpt_norm_of_logits", "`GPT` normalises its logits; the norm stands before the head", "x = x",
         (TIED, "logits = x @ self.embedding.weight.T if self.head is None else self.head(x); return F.rms_norm(logits, logits.shape[-1:])")),
    edit("gpt_norm_starts", "`GPT` applies its last norm before every block as well", "x = self.norm(x)",
         ("x = block(x)", "x = block(self.norm(x))")),
    edit("gpt_norm_only_starts", "`GPT` applies its last norm before every block, and not after the last", "x = x", ("x = block(x)", "x = block(self.norm(x))")),
    edit("gpt_norm_in_loop", "`GPT` applies its last norm inside the loop, behind every block; it belongs behind the last", "x = x", ("x = block(x)", "x = self.norm(block(x))")),
    edit("gpt_sinusoidal", "`GPT` adds sinusoidal positions to its embedding; here positions are in the attention", "x = self.norm(x)",
         ("x = self.embedding(ids)", "x = self.embedding(ids); x = x + sinusoidal(torch.arange(ids.shape[1], device=x.device), x.shape[-1]).to(x)")),
    edit("gpt_bare", "`GPT` is embedding and head only: no blocks, no norm", "x = x", ("x = block(x)", "block(x)")),
    edit("gpt_own_not_normed", "`GPT` normalises before a tied head only", "x = x", (TIED, "return self.norm(x) @ self.embedding.weight.T if self.head is None else self.head(x)")),
    edit("gpt_tied_not_normed", "`GPT` normalises before a head of its own only", "x = x", (TIED, "return x @ self.embedding.weight.T if self.head is None else self.head(self.norm(x))")),
    edit("gpt_layer_norm", "`GPT` subtracts the mean, as a LayerNorm does; `self.norm` does not", "x = F.layer_norm(x, x.shape[-1:], self.norm.weight)"),
)

mistakes.at(
    TIED,
    edit("gpt_no_gradients", "`GPT` detaches its logits, so that nothing can be trained", TIED.replace("return ", "logits = ") + "; return logits.detach()"),
    edit("gpt_sigmoid", "`GPT` returns sigmoids; logits are asked for", TIED.replace("return ", "logits = ") + "; return torch.sigmoid(logits)"),
    edit("gpt_drops_first", "`GPT` leaves out the logits of the first token", TIED.replace("return ", "logits = ") + "; return logits[:, 1:]"),
    edit("gpt_cold", "`GPT` divides its logits by √dim; dot products are asked for", TIED.replace("return ", "logits = ") + "; return logits / math.sqrt(x.shape[-1])"),
    edit("gpt_last_for_all", "`GPT` gives all positions the logits of the last token", TIED.replace("return ", "logits = ") + "; return logits[:, -1:].expand(logits.shape)"),
    edit("gpt_blocks_aside", "each block of `GPT` works on the embedding, and their answers are added to it; each works on the answer of the one before", TIED,
         ("x = self.embedding(ids)", "start = x = self.embedding(ids)"), ("x = block(x)", "x = x + block(start)")),
    edit("gpt_own_softmax", "with a head of its own, `GPT` returns probabilities; logits are asked for", "return x @ self.embedding.weight.T if self.head is None else self.head(x).softmax(-1)"),
    edit("gpt_squeezed", "`GPT` drops all axes of length 1: a single text, or one of a single token, has them, too", TIED.replace("return ", "logits = ") + "; return logits.squeeze()"),
    edit("gpt_squeezed_texts", "`GPT` drops the axis of texts where there is only one", TIED.replace("return ", "logits = ") + "; return logits.squeeze(0)"),
    edit("gpt_flat", "`GPT` joins texts and tokens into one axis; (N, T, V) is asked for", TIED.replace("return ", "logits = ") + "; return logits.flatten(0, 1)"),
    edit("gpt_chooses", "`GPT` returns the likeliest token; logits are asked for", TIED.replace("return ", "logits = ") + "; return logits.argmax(-1)"),
    edit("gpt_head_none", "`GPT` calls `self.head` where it is None: a tied head is the embedding", "return self.head(x)"),
    edit("gpt_square", "`GPT` multiplies with the embedding without transposing it", "return x @ self.embedding.weight if self.head is None else self.head(x)"),
    edit("gpt_looks_up", "`GPT` calls the embedding as if it were a head; it looks up rows of numbers of tokens", "return self.embedding(x) if self.head is None else self.head(x)"),
    edit("gpt_head_inverted", "`GPT` takes the tied head where the head has weights of its own, and calls None where not", "return self.head(x) if self.head is None else x @ self.embedding.weight.T"),
    edit("gpt_pads", "`GPT` answers for `context` tokens, however long the text is", TIED, ("x = self.embedding(ids)", "x = self.embedding(F.pad(ids, (0, max(0, self.context - ids.shape[1]))))")),
)

# --- count_parameters ---------------------------------------------------------------------------------------------

mistakes.at(
    "keys = config.dim // config.n_heads * config.n_kv_heads",
    edit("cp_no_groups", "`count_parameters` gives keys and values as many heads as queries", "keys = config.dim"),
    edit("cp_one_head", "`count_parameters` counts one head of keys and values only", "keys = config.dim // config.n_heads"),
    edit("cp_heads_exchanged", "`count_parameters` divides by the heads of keys and multiplies by those of queries", "keys = config.dim // config.n_kv_heads * config.n_heads"),
    edit("cp_heads_as_width", "`count_parameters` takes the number of heads of keys for their width", "keys = config.n_kv_heads"),
    edit("cp_kv_wide", "`count_parameters` gives each head of keys the width dim; it is dim / n_heads", "keys = config.dim * config.n_kv_heads"),
    edit("cp_width_divided", "`count_parameters` divides dim by the heads of keys; their width is n_kv_heads · dim / n_heads", "keys = config.dim // config.n_kv_heads"),
)

mistakes.at(
    "matrices = 2 * config.dim * (config.dim + keys) + 3 * config.dim * config.hidden",
    edit("cp_two_matrices", "`count_parameters` counts two matrices for SwiGLU; it has three", "matrices = 2 * config.dim * (config.dim + keys) + 2 * config.dim * config.hidden"),
    edit("cp_four_times", "`count_parameters` takes the width inside SwiGLU to be 4 dim; it is config.hidden", "matrices = 2 * config.dim * (config.dim + keys) + 3 * config.dim * 4 * config.dim"),
    edit("cp_default_hidden", "`count_parameters` takes the width inside SwiGLU from dim; it is config.hidden", "matrices = 2 * config.dim * (config.dim + keys) + 3 * config.dim * 8 * round(config.dim / 3)"),
    edit("cp_no_out", "`count_parameters` leaves out attention's last matrix", "matrices = config.dim * (config.dim + 2 * keys) + 3 * config.dim * config.hidden"),
    edit("cp_no_values", "`count_parameters` leaves out the matrix of the values, or that of the keys", "matrices = config.dim * (2 * config.dim + keys) + 3 * config.dim * config.hidden"),
    edit("cp_out_grouped", "in `count_parameters` three matrices of attention are as narrow as the keys; the last one joins all heads", "matrices = config.dim * (config.dim + 3 * keys) + 3 * config.dim * config.hidden"),
    edit("cp_biases", "`count_parameters` counts biases in attention; the matrices have none", "matrices = 2 * config.dim * (config.dim + keys) + 3 * config.dim * config.hidden + 2 * (config.dim + keys)"),
    edit("cp_biases_all", "`count_parameters` counts biases in attention and SwiGLU; the matrices have none", "matrices = 2 * config.dim * (config.dim + keys) + 3 * config.dim * config.hidden + 3 * config.dim + 2 * keys + 2 * config.hidden"),
    edit("cp_biases_ffn", "`count_parameters` counts biases in SwiGLU; the matrices have none", "matrices = 2 * config.dim * (config.dim + keys) + 3 * config.dim * config.hidden + config.dim + 2 * config.hidden"),
    edit("cp_no_ffn", "`count_parameters` leaves out SwiGLU", "matrices = 2 * config.dim * (config.dim + keys)"),
    edit("cp_no_attention", "`count_parameters` leaves out attention", "matrices = 3 * config.dim * config.hidden"),
    edit("cp_per_head", "`count_parameters` counts attention's matrices once for each head; all heads share them", "matrices = 2 * config.n_heads * config.dim * (config.dim + keys) + 3 * config.dim * config.hidden"),
)

COUNT = "return config.n_layers * (matrices + 2 * config.dim) + config.dim + (2 - config.tied) * config.vocab * config.dim"
mistakes.at(
    COUNT,
    edit("cp_no_norms", "`count_parameters` leaves out all norms", "return config.n_layers * matrices + (2 - config.tied) * config.vocab * config.dim"),
    edit("cp_no_block_norms", "`count_parameters` leaves out the norms in the blocks", "return config.n_layers * matrices + config.dim + (2 - config.tied) * config.vocab * config.dim"),
    edit("cp_one_norm", "`count_parameters` counts one norm for each block; there are two", COUNT.replace("2 * config.dim)", "config.dim)")),
    edit("cp_norm_bias", "`count_parameters` gives norms a shift beside the scale", COUNT.replace("2 * config.dim) + config.dim", "4 * config.dim) + 2 * config.dim")),
    edit("cp_no_last_norm", "`count_parameters` leaves out the last norm", COUNT.replace(" + config.dim + (2", " + (2")),
    edit("cp_always_tied", "`count_parameters` counts the head as tied even where it has weights of its own", COUNT.replace("(2 - config.tied) * ", "")),
    edit("cp_never_tied", "`count_parameters` counts a head of its own even where it is tied", COUNT.replace("(2 - config.tied)", "2")),
    edit("cp_tied_inverted", "`count_parameters` counts a head of its own just where it is tied", COUNT.replace("2 - config.tied", "1 + config.tied")),
    edit("cp_no_embedding", "`count_parameters` leaves out the embedding: with a tied head, no vocabulary is left", COUNT.replace("2 - config.tied", "1 - config.tied")),
    edit("cp_no_vocab", "`count_parameters` leaves out embedding and head", COUNT.replace(" + (2 - config.tied) * config.vocab * config.dim", "")),
    edit("cp_positions", "`count_parameters` counts a table of positions; `rope` learns nothing", COUNT + " + config.context * config.dim"),
    edit("cp_one_layer", "`count_parameters` counts one block only", COUNT.replace("config.n_layers * ", "")),
    edit("cp_all_layers", "`count_parameters` multiplies everything by the number of layers", "return config.n_layers * (matrices + 3 * config.dim + (2 - config.tied) * config.vocab * config.dim)"),
    edit("cp_vocab_layers", "`count_parameters` multiplies embedding and head by the number of layers", "return config.n_layers * (matrices + 2 * config.dim + (2 - config.tied) * config.vocab * config.dim) + config.dim"),
    edit("cp_own_head_bias", "`count_parameters` counts a bias of a head of its own; it has none", COUNT + " + (not config.tied) * config.vocab"),
    edit("cp_head_bias", "`count_parameters` counts a bias of the head; it has none", COUNT + " + config.vocab"),
    edit("cp_bytes", "`count_parameters` returns bytes, four for each number", COUNT.replace("return ", "return 4 * (") + ")"),
)

mistakes.at(
    "matrices = 2 * config.dim * (config.dim + keys) + 3 * config.dim * config.hidden",
    edit("cp_gpt2", "`count_parameters` has two matrices of width 4 dim for SwiGLU, as GPT-2 has; here are three, of width config.hidden", "matrices = 2 * config.dim * (config.dim + keys) + 8 * config.dim**2"),
    edit("cp_fused", "`count_parameters` counts three square matrices in attention; queries and the last one are square, keys and values are narrower with groups", "matrices = 3 * config.dim**2 + 3 * config.dim * config.hidden"),
    edit("cp_q_one_head", "`count_parameters` counts one head of queries", "matrices = 2 * config.dim * (config.dim // config.n_heads + keys) + 3 * config.dim * config.hidden"),
    edit("cp_q_grouped", "in `count_parameters` all four matrices of attention are as narrow as the keys; queries and the last matrix have all heads", "matrices = 4 * config.dim * keys + 3 * config.dim * config.hidden"),
    edit("cp_one_ffn", "`count_parameters` counts one matrix for SwiGLU; it has three", "matrices = 2 * config.dim * (config.dim + keys) + config.dim * config.hidden"),
    edit("cp_keys_once", "`count_parameters` counts half of attention; there are two square matrices and two for keys and values", "matrices = config.dim * (config.dim + keys) + 3 * config.dim * config.hidden"),
)

mistakes.at(
    COUNT,
    edit("cp_two_norms_in_all", "`count_parameters` counts the two norms of the blocks once; each block has its own", "return config.n_layers * matrices + 3 * config.dim + (2 - config.tied) * config.vocab * config.dim"),
    edit("cp_plain_no_norms", "`count_parameters` gives keys and values as many heads as queries, and leaves out the norms",
         "return config.n_layers * (4 * config.dim**2 + 3 * config.dim * config.hidden) + (2 - config.tied) * config.vocab * config.dim"),
    edit("cp_plain_two", "`count_parameters` gives keys and values as many heads as queries, and SwiGLU two matrices; it has three",
         "return config.n_layers * (4 * config.dim**2 + 2 * config.dim * config.hidden + 2 * config.dim) + config.dim + (2 - config.tied) * config.vocab * config.dim"),
    edit("cp_two_no_norms", "`count_parameters` gives SwiGLU two matrices, where it has three, and leaves out the norms",
         "return config.n_layers * (matrices - config.dim * config.hidden) + (2 - config.tied) * config.vocab * config.dim"),
    edit("cp_hidden_square", "`count_parameters` has hidden × hidden entries in all three matrices of SwiGLU; they have dim × hidden", COUNT.replace("(matrices", "(matrices - 3 * config.dim * config.hidden + 3 * config.hidden**2")),
    edit("cp_three_norms", "`count_parameters` counts three norms for each block; there are two", COUNT.replace("2 * config.dim)", "3 * config.dim)")),
    edit("cp_four_ffn", "`count_parameters` counts four matrices for SwiGLU; it has three", COUNT.replace("(matrices", "(matrices + config.dim * config.hidden")),
    edit("cp_kv_half_full", "`count_parameters` gives keys or values as many heads as queries; both have `n_kv_heads`", COUNT.replace("(matrices", "(matrices + config.dim * (config.dim - keys)")),
    edit("cp_more_layers", "`count_parameters` counts one block too many", COUNT.replace("config.n_layers * (", "(config.n_layers + 1) * (")),
    edit("cp_blocks_only", "`count_parameters` counts the blocks only: no embedding, last norm or head", "return config.n_layers * (matrices + 2 * config.dim)"),
    edit("cp_no_groups_last", "`count_parameters` gives keys and values as many heads as queries, and leaves out the last norm",
         "return config.n_layers * (matrices + 2 * config.dim * (config.dim - keys) + 2 * config.dim) + (2 - config.tied) * config.vocab * config.dim"),
    edit("cp_no_norms_tied", "`count_parameters` leaves out all norms, and a head of its own", "return config.n_layers * matrices + config.vocab * config.dim"),
    edit("cp_inner_square", "`count_parameters` has a square matrix inside SwiGLU; its third matrix has dim × hidden entries, as the others",
         COUNT.replace("(matrices", "(matrices - config.dim * config.hidden + config.hidden**2")),
    edit("cp_two_last", "`count_parameters` counts two norms at the end; there is one", COUNT.replace("+ config.dim + (2", "+ 2 * config.dim + (2")),
    edit("cp_positions_for_norm", "`count_parameters` counts a table of positions, which does not exist, and leaves out the last norm", COUNT.replace(" + config.dim + (2", " + config.context * config.dim + (2")),
    edit("cp_millions", "`count_parameters` answers in millions", COUNT.replace("return ", "return (") + ") / 1e6"),
    edit("cp_norm_single", "`count_parameters` counts one number for each norm; it learns a scale for each of the dim entries", "return config.n_layers * (matrices + 2) + 1 + (2 - config.tied) * config.vocab * config.dim"),
    edit("cp_text", "`count_parameters` returns a text; a number is asked for", COUNT.replace("return ", "return str(") + ")"),
)

# --- count_flops --------------------------------------------------------------------------------------------------

mistakes.at(
    "used_once = count_parameters(config) - (2 * config.n_layers + 1) * config.dim",
    edit("cf_norms", "`count_flops` counts the norms' scales as if they were matrices", "used_once = count_parameters(config)"),
    edit("cf_last_norm", "`count_flops` counts the last norm's scales as if they were a matrix", "used_once = count_parameters(config) - 2 * config.n_layers * config.dim"),
    edit("cf_no_head", "`count_flops` leaves out the head", "used_once = count_parameters(config) - (2 * config.n_layers + 1) * config.dim - config.vocab * config.dim"),
    edit("cf_no_ffn", "`count_flops` leaves out SwiGLU", "used_once = count_parameters(config) - (2 * config.n_layers + 1) * config.dim - 3 * config.n_layers * config.dim * config.hidden"),
    edit("cf_two_matrices", "`count_flops` counts two matrices for SwiGLU; it has three", "used_once = count_parameters(config) - (2 * config.n_layers + 1) * config.dim - config.n_layers * config.dim * config.hidden"),
    edit("cf_no_out", "`count_flops` leaves out attention's last matrix", "used_once = count_parameters(config) - (2 * config.n_layers + 1) * config.dim - config.n_layers * config.dim**2"),
    edit("cf_no_groups", "`count_flops` gives keys and values as many heads as queries", "config = config._replace(n_kv_heads=config.n_heads); used_once = count_parameters(config) - (2 * config.n_layers + 1) * config.dim"),
    edit("cf_one_layer", "`count_flops` counts one block only", "config = config._replace(n_layers=1); used_once = count_parameters(config) - 3 * config.dim"),
    edit("cf_four_times", "`count_flops` takes the width inside SwiGLU to be 4 dim; it is config.hidden", "config = config._replace(hidden=4 * config.dim); used_once = count_parameters(config) - (2 * config.n_layers + 1) * config.dim"),
    edit("cf_context", "`count_flops` uses config.context for the length of the text", "length = config.context; used_once = count_parameters(config) - (2 * config.n_layers + 1) * config.dim"),
    edit("cf_context_cut", "`count_flops` cuts the text at config.context", "length = min(length, config.context); used_once = count_parameters(config) - (2 * config.n_layers + 1) * config.dim"),
)

mistakes.at(
    "matrices = used_once if config.tied else used_once - config.vocab * config.dim",
    edit("cf_embedding", "`count_flops` counts the embedding beside a head of its own as if it were a matrix; looking up is free", "matrices = used_once"),
    edit("cf_tied_free", "`count_flops` counts no operations for a tied head; it shares weights, not work", "matrices = used_once - config.vocab * config.dim if config.tied else used_once - config.vocab * config.dim"),
    edit("cf_lookup", "`count_flops` counts the embedding as a product in all models; looking up is free", "matrices = used_once + config.vocab * config.dim if config.tied else used_once"),
)

FLOPS = "return 2 * length * matrices + 4 * config.n_layers * length**2 * config.dim"
mistakes.at(
    FLOPS,
    edit("cf_one_each", "`count_flops` counts a multiplication and its addition as one operation in matrices", FLOPS.replace("2 * length * m", "length * m")),
    edit("cf_half", "`count_flops` counts multiplications only; additions count, too", FLOPS.replace("2 * length * m", "length * m").replace("4 * config.n", "2 * config.n")),
    edit("cf_half_pairs", "`count_flops` counts half of the work of pairs: scores without means, multiplications only, or only pairs that the mask leaves", FLOPS.replace("4 * config.n", "2 * config.n")),
    edit("cf_quarter_pairs", "`count_flops` counts a quarter of the work of pairs", FLOPS.replace("4 * config.n", "config.n")),
    edit("cf_causal", "`count_flops` counts pairs that the mask leaves, T(T+1)/2; all T² are asked for", FLOPS.replace("4 * config.n_layers * length**2", "2 * config.n_layers * length * (length + 1)")),
    edit("cf_no_pairs", "`count_flops` leaves out scores and means, which have no parameters", "return 2 * length * matrices"),
    edit("cf_linear_pairs", "the work of pairs grows like T in `count_flops`; T queries meet T keys", FLOPS.replace("length**2", "length")),
    edit("cf_backward", "`count_flops` counts the backward pass as well; one forward pass is asked for", "return 3 * (2 * length * matrices + 4 * config.n_layers * length**2 * config.dim)"),
    edit("cf_six", "`count_flops` takes 6 operations for each parameter, which is a training step; 2 are forward", FLOPS.replace("2 * length * m", "6 * length * m")),
    edit("cf_pairs_heads", "`count_flops` counts the pairs' work for each head with the whole width; a head has dim / n_heads entries", FLOPS + " * config.n_heads"),
    edit("cf_pairs_one_head", "`count_flops` counts the pairs' work of one head; all of them work", FLOPS + " // config.n_heads"),
    edit("cf_pairs_groups", "`count_flops` counts pairs for heads of keys only; every query head meets keys, shared or not", FLOPS + " * config.n_kv_heads // config.n_heads"),
    edit("cf_pairs_layer", "`count_flops` counts the pairs' work in one layer only", FLOPS.replace("4 * config.n_layers * ", "4 * ")),
    edit("cf_per_token", "`count_flops` counts for one token; the whole text is asked for", "return 2 * matrices + 4 * config.n_layers * length * config.dim"),
    edit("cf_square_all", "`count_flops` multiplies everything by T²; each token meets a matrix once", "return (2 * matrices + 4 * config.n_layers * config.dim) * length**2"),
)

mistakes.at(
    FLOPS,
    edit("cf_two_n", "`count_flops` is 2 T times all parameters: norms and a looked-up embedding cost nothing, and pairs are missing", "return 2 * length * count_parameters(config)"),
    edit("cf_six_n", "`count_flops` is 6 T times all parameters, the rule of thumb for a training step; pairs are missing, and one forward pass is asked for", "return 6 * length * count_parameters(config)"),
    edit("cf_two_n_pairs", "`count_flops` takes 2 T operations for all parameters; norms are left out, and an embedding beside a head of its own is only looked up",
         "return 2 * length * count_parameters(config) + 4 * config.n_layers * length**2 * config.dim"),
    edit("cf_head_once", "`count_flops` counts the head for one token; all tokens get logits", "return 2 * length * (matrices - config.vocab * config.dim) + 2 * config.vocab * config.dim + 4 * config.n_layers * length**2 * config.dim"),
    edit("cf_softmax", "`count_flops` counts operations of the softmax; they are left out", FLOPS + " + 5 * config.n_layers * config.n_heads * length**2"),
    edit("cf_softmax_one", "`count_flops` adds something for each weight of attention, as of a softmax or a scale; these are left out", FLOPS + " + config.n_layers * config.n_heads * length**2"),
    edit("cf_one_less", "`count_flops` counts one addition less than products in each sum; the text counts as many", FLOPS +
         " - length * (config.n_layers * (3 * config.dim + 2 * config.hidden + 2 * config.dim // config.n_heads * config.n_kv_heads) + config.vocab)"),
    edit("cf_only_pairs", "`count_flops` counts scores and means only; tokens go through the matrices, too", "return 4 * config.n_layers * length**2 * config.dim"),
    edit("cf_pairs_no_width", "the pairs' work has one number for each head in `count_flops`; a head has dim / n_heads entries", FLOPS.replace("length**2 * config.dim", "length**2 * config.n_heads")),
    edit("cf_pairs_bare", "the pairs' work is without the width of queries and values in `count_flops`", FLOPS.replace(" * length**2 * config.dim", " * length**2")),
    edit("cf_matrices_once", "`count_flops` counts the matrices for one token; all tokens go through them", FLOPS.replace("2 * length * m", "2 * m")),
    edit("cf_not_embedded", "`count_flops` takes 2 T operations for all parameters but an embedding: a tied head works, too, and norms are left out",
         "return 2 * length * (count_parameters(config) - config.vocab * config.dim) + 4 * config.n_layers * length**2 * config.dim"),
    edit("cf_no_attention", "`count_flops` leaves out attention's matrices", FLOPS + " - 2 * length * config.n_layers * 2 * config.dim * (config.dim + config.dim // config.n_heads * config.n_kv_heads)"),
    edit("cf_no_values", "`count_flops` leaves out the matrix of the keys, or that of the values", FLOPS + " - 2 * length * config.n_layers * config.dim * (config.dim // config.n_heads) * config.n_kv_heads"),
    edit("cf_head_half", "`count_flops` counts the head's multiplications only; additions count, too", FLOPS + " - length * config.vocab * config.dim"),
    edit("cf_head_layers", "`count_flops` counts the head once for each layer; there is one", FLOPS + " + 2 * length * (config.n_layers - 1) * config.vocab * config.dim"),
    edit("cf_pairs_three", "the pairs' work is three quarters of what it should be in `count_flops`: scores and means both take multiplications and additions", FLOPS.replace("4 * config.n", "3 * config.n")),
    edit("cf_pairs_context", "`count_flops` lets each token meet config.context others; it meets those of the text", FLOPS.replace("length**2", "length * config.context")),
    edit("cf_no_head_half", "`count_flops` leaves out the head, and counts half of the work of pairs",
         "return 2 * length * (matrices - config.vocab * config.dim) + 2 * config.n_layers * length**2 * config.dim"),
    edit("cf_strict", "`count_flops` counts T(T-1)/2 pairs; all T² are asked for", FLOPS.replace("4 * config.n_layers * length**2", "2 * config.n_layers * length * (length - 1)")),
    edit("cf_groups_half", "`count_flops` counts pairs for heads of keys only, and scores without means", FLOPS.replace("4 * config.n_layers * length**2 * config.dim", "2 * config.n_layers * length**2 * config.n_kv_heads * (config.dim // config.n_heads)")),
    edit("cf_square_attention", "in `count_flops` attention's matrices meet pairs of tokens; they meet each token once",
         FLOPS + " + 2 * length * (length - 1) * config.n_layers * 2 * config.dim * (config.dim + config.dim // config.n_heads * config.n_kv_heads)"),
    edit("cf_gpt2", "`count_flops` has two matrices of width 4 dim for SwiGLU, as GPT-2 has; here are three, of width config.hidden",
         FLOPS + " + 2 * length * config.n_layers * config.dim * (8 * config.dim - 3 * config.hidden)"),
    edit("cf_gates", "`count_flops` counts the products of the gates; they are left out", FLOPS + " + config.n_layers * length * config.hidden"),
    edit("cf_sums", "`count_flops` counts the two sums of each block; they are left out", FLOPS + " + 2 * config.n_layers * length * config.dim"),
    edit("cf_pairs_width", "`count_flops` divides the pairs' work by the number of heads of keys", FLOPS + " // config.n_kv_heads"),
    edit("cf_pairs_hidden", "the pairs' work has the width of SwiGLU in `count_flops`; queries and values have dim entries", FLOPS.replace("length**2 * config.dim", "length**2 * config.hidden")),
    edit("cf_pairs_kv_times", "`count_flops` multiplies the pairs' work by the number of heads of keys", FLOPS + " * config.n_kv_heads"),
    edit("cf_half_causal", "`count_flops` counts multiplications only, and only pairs that the mask leaves; additions count, and all T² pairs", "return length * matrices + config.n_layers * length * (length + 1) * config.dim"),
    edit("cf_pairs_eight", "`count_flops` counts twice the pairs' work", FLOPS.replace("4 * config.n", "8 * config.n")),
    edit("cf_scores_all_means_groups", "in `count_flops` scores or means have the heads of keys only; every query head has both",
         FLOPS.replace("4 * config.n_layers * length**2 * config.dim", "2 * config.n_layers * length**2 * (config.dim + config.dim * config.n_kv_heads // config.n_heads)")),
    edit("cf_tera", "`count_flops` answers in trillions", FLOPS.replace("return ", "return (") + ") / 1e12"),
)

# --- balance_lengths ----------------------------------------------------------------------------------------------

mistakes.at(
    "pairs = 4 * config.n_layers * config.dim",
    edit("ba_half", "`balance_lengths`: the first length is twice too large; scores and means cost 4 · dim operations for each pair and layer", "pairs = 2 * config.n_layers * config.dim; extra = pairs",
         ("rest = count_flops(config, 1) - pairs", "rest = count_flops(config, 1) - 2 * extra")),
    edit("ba_one_layer", "`balance_lengths` counts the pairs of one layer against all matrices", "pairs = 4 * config.dim",
         ("rest = count_flops(config, 1) - pairs", "rest = count_flops(config, 1) - pairs * config.n_layers")),
    edit("ba_kv_pairs", "`balance_lengths` counts pairs for the heads of keys only; every query head meets keys", "pairs = 4 * config.n_layers * config.dim * config.n_kv_heads / config.n_heads",
         ("rest = count_flops(config, 1) - pairs", "rest = count_flops(config, 1) - 4 * config.n_layers * config.dim")),
)

mistakes.at(
    "rest = count_flops(config, 1) - pairs",
    edit("ba_pairs_left", "`balance_lengths` leaves the pairs among the rest: its first length is one too large", "rest = count_flops(config, 1)"),
    edit("ba_parameters", "`balance_lengths` takes two operations for each parameter, norms and embedding included", "rest = 2 * count_parameters(config)"),
    edit("ba_rest_context", "`balance_lengths` takes the rest of a text of config.context tokens; it is that of one token which is divided", "rest = count_flops(config, config.context) - pairs * config.context**2"),
    edit("ba_no_head", "`balance_lengths` leaves the head out of the rest", "rest = count_flops(config, 1) - pairs - 2 * config.vocab * config.dim"),
    edit("ba_one_each", "`balance_lengths`: the first length is half of what it should be; a matrix entry costs two operations for each token", "rest = (count_flops(config, 1) - pairs) / 2"),
)

mistakes.at(
    "kept = 2 * config.n_layers * config.n_kv_heads * (config.dim // config.n_heads)",
    edit("ba_keys_only", "`balance_lengths` counts keys and no values among the numbers kept", "kept = config.n_layers * config.n_kv_heads * (config.dim // config.n_heads)"),
    edit("ba_no_groups", "`balance_lengths` keeps keys and values for all query heads; heads that share them keep one", "kept = 2 * config.n_layers * config.dim"),
    edit("ba_kept_layer", "`balance_lengths` keeps keys and values of one layer only", "kept = 2 * config.n_kv_heads * (config.dim // config.n_heads)"),
    edit("ba_kept_heads", "`balance_lengths` keeps one number for each head; a head has dim / n_heads of them", "kept = 2 * config.n_layers * config.n_kv_heads"),
    edit("ba_one_head", "`balance_lengths` keeps one head of keys and values", "kept = 2 * config.n_layers * (config.dim // config.n_heads)"),
    edit("ba_kept_bytes", "`balance_lengths` compares bytes kept with numbers learned", "kept = 4 * 2 * config.n_layers * config.n_kv_heads * (config.dim // config.n_heads)"),
)

BALANCE = "return rest / pairs, count_parameters(config) / kept"
mistakes.at(
    BALANCE,
    edit("ba_exchanged", "`balance_lengths` returns its two lengths in the wrong order", "return count_parameters(config) / kept, rest / pairs"),
    edit("ba_rounded", "`balance_lengths` rounds its lengths; they are asked for unrounded", "return round(rest / pairs), round(count_parameters(config) / kept)"),
    edit("ba_floor", "`balance_lengths` rounds its lengths down; they are asked for unrounded", "return rest // pairs, count_parameters(config) // kept"),
    edit("ba_inverse", "`balance_lengths` returns the inverse of both lengths", "return pairs / rest, kept / count_parameters(config)"),
    edit("ba_first_only", "`balance_lengths` returns no pair; a tuple of two numbers is asked for", "return rest / pairs"),
    edit("ba_root", "`balance_lengths` takes the root of the first length; of aT and bT² one T cancels", "return (rest / pairs) ** 0.5, count_parameters(config) / kept"),
    edit("ba_matrices", "`balance_lengths` compares what is kept with the matrices only; parameters are embedding and norms, too", "return rest / pairs, rest / 2 / kept"),
    edit("ba_twice", "`balance_lengths` returns the first length for both", "return rest / pairs, rest / pairs"),
    edit("ba_twice_second", "`balance_lengths` returns the second length for both", "return count_parameters(config) / kept, count_parameters(config) / kept"),
)

mistakes.at(
    BALANCE,
    edit("ba_ceil", "`balance_lengths` rounds its lengths up; they are asked for unrounded", "return math.ceil(rest / pairs), math.ceil(count_parameters(config) / kept)"),
    edit("ba_rest_layer", "`balance_lengths` divides the rest by the number of layers once too often", "return rest / config.n_layers / pairs, count_parameters(config) / kept"),
    edit("ba_groups_twice", "`balance_lengths` counts grouping twice among the numbers kept", "return rest / pairs, count_parameters(config) / (kept * config.n_kv_heads / config.n_heads)"),
    edit("ba_numerators", "`balance_lengths` divides operations by numbers kept, and parameters by operations of pairs", "return count_parameters(config) / pairs, rest / kept"),
    edit("ba_keys_no_groups", "`balance_lengths` keeps dim numbers for each token and layer; keys and values are two, and narrower with groups",
         "return rest / pairs, count_parameters(config) / (config.n_layers * config.dim)"),
    edit("ba_roots", "`balance_lengths` returns roots of both lengths", "return (rest / pairs) ** 0.5, (count_parameters(config) / kept) ** 0.5"),
    edit("ba_queries", "`balance_lengths` keeps queries beside keys and values; a query is used once", "return rest / pairs, count_parameters(config) / (kept + config.n_layers * config.dim)"),
    edit("ba_flops_learned", "`balance_lengths` takes operations of a token for the number of parameters in its second length", "return rest / pairs, rest / kept"),
    edit("ba_context", "`balance_lengths` divides by config.context; the length is asked for itself", "return rest / pairs, count_parameters(config) / kept / config.context"),
    edit("ba_no_embedding", "`balance_lengths` leaves an embedding out of the parameters in its second length", "return rest / pairs, (count_parameters(config) - config.vocab * config.dim) / kept"),
    edit("ba_kv_half_full", "`balance_lengths` keeps keys or values for all query heads; heads that share them keep one of each", "return rest / pairs, 2 * count_parameters(config) / (kept + 2 * config.n_layers * config.dim)"),
    edit("ba_plus_one", "the first length of `balance_lengths`, or both, are one too large", "return rest / pairs + 1, count_parameters(config) / kept + 1"),
    edit("ba_kv_exchanged", "`balance_lengths` has the heads of queries and those of keys exchanged among the numbers kept", "return rest / pairs, count_parameters(config) / (2 * config.n_layers * config.n_heads * (config.dim // config.n_kv_heads))"),
    edit("ba_no_vocab", "`balance_lengths` leaves embedding and head out of the parameters in its second length", "return rest / pairs, (count_parameters(config) - (2 - config.tied) * config.vocab * config.dim) / kept"),
    edit("ba_example", "`balance_lengths` returns the lengths of the small model, whatever the config is", "return 23.0, 49.0"),
    edit("ba_kept_twice", "`balance_lengths`: the second length is half of what it should be; for each token and layer, one key and one value of each head are kept", "return rest / pairs, count_parameters(config) / (2 * kept)"),
    edit("ba_bytes_learned", "`balance_lengths`: the second length is four times what it should be, as if parameters were counted in bytes", "return rest / pairs, 4 * count_parameters(config) / kept"),
    edit("ba_kept_squared", "`balance_lengths` keeps keys and values for all pairs of tokens; they are kept once for each token", "return rest / pairs, (count_parameters(config) / kept) ** 0.5"),
    edit("ba_kept_width", "`balance_lengths` keeps dim entries for each head of keys; a head has dim / n_heads", "return rest / pairs, count_parameters(config) / (kept * config.n_heads)"),
    edit("ba_training", "`balance_lengths` counts the matrices of a training step, three times the forward pass, against forward pairs", "return 3 * rest / pairs, count_parameters(config) / kept"),
)
