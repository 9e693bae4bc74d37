"""Other right versions of the answers to question 6."""

import torch
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("one expression for both orders, F.linear for the head, sums of lists of sizes")
def listed(ref):
    class Block(ref.Block):
        def forward(self, x):
            parts = [(self.norm1, self.attention), (self.norm2, lambda z: ref.swiglu(z, self.w1.weight, self.w2.weight, self.w3.weight))]
            for norm, layer in parts:
                x = norm(x + layer(x)) if self.post_norm else x + layer(norm(x))
            return x

    class GPT(ref.GPT):
        def forward(self, ids):
            x = F.embedding(ids, self.embedding.weight)
            for i in range(len(self.blocks)):
                x = self.blocks[i](x)
            return F.linear(self.norm(x), self.embedding.weight if self.head is None else self.head.weight)

    def count_parameters(config):
        dim, head = config.dim, config.dim // config.n_heads
        sizes = [(dim, dim), (dim, head * config.n_kv_heads), (dim, head * config.n_kv_heads), (dim, dim)] + 3 * [(dim, config.hidden)] + 2 * [(dim, 1)]
        whole = config.n_layers * sizes + [(config.vocab, dim), (dim, 1)]
        if not config.tied:
            whole.append((dim, config.vocab))
        return sum(n * m for n, m in whole)

    def count_flops(config, length):
        dim, head = config.dim, config.dim // config.n_heads
        total = 0
        for _ in range(config.n_layers):
            total += 2 * length * dim * (2 * dim + 2 * head * config.n_kv_heads)
            for _ in range(config.n_heads):
                total += 2 * length * length * head + 2 * length * length * head
            total += 3 * 2 * length * dim * config.hidden
        return total + 2 * length * dim * config.vocab

    def balance_lengths(config):
        keys = config.n_kv_heads * config.dim / config.n_heads
        matrices = 2 * config.dim**2 + 2 * config.dim * keys + 3 * config.dim * config.hidden
        first = matrices / (2 * config.dim) + config.vocab / (2 * config.n_layers)
        return [first, ref.count_parameters(config) / (2 * config.n_layers * keys)]

    return {"Block": Block, "GPT": GPT, "count_parameters": count_parameters, "count_flops": count_flops, "balance_lengths": balance_lengths}


@alternatives.rewrite("SwiGLU and the norm of the text by hand; floats; two lengths by differences")
def by_hand(ref):
    class Block(ref.Block):
        def forward(self, x):
            def gated(z):
                return self.w2(F.silu(self.w1(z)) * self.w3(z))

            if not self.post_norm:
                x = x + self.attention(self.norm1(x))
                x = x + gated(self.norm2(x))
            else:
                x = self.norm1(self.attention(x) + x)
                x = self.norm2(gated(x) + x)
            return x

    class GPT(ref.GPT):
        def forward(self, ids):
            x = self.embedding.weight[ids]
            for block in self.blocks:
                x = block(x)
            rows = self.embedding.weight if self.head is None else self.head.weight
            return torch.einsum("ntd,vd->ntv", self.norm(x), rows)

    def count_parameters(config):
        attention = 2 * config.dim**2 * (1 + config.n_kv_heads / config.n_heads)
        return config.n_layers * (attention + 3 * config.dim * config.hidden) + (2 * config.n_layers + 1) * config.dim + config.vocab * config.dim * (1 if config.tied else 2)

    def count_flops(config, length):
        attention = 2 * config.dim**2 * (1 + config.n_kv_heads / config.n_heads)
        return 2.0 * length * (config.n_layers * (attention + 3 * config.dim * config.hidden + 2 * length * config.dim) + config.vocab * config.dim)

    def balance_lengths(config):
        one, two = ref.count_flops(config, 1), ref.count_flops(config, 2)
        b = (two - 2 * one) / 2
        return (one - b) / b, ref.count_parameters(config) * config.n_heads / (2 * config.n_layers * config.n_kv_heads * config.dim)

    return {"Block": Block, "GPT": GPT, "count_parameters": count_parameters, "count_flops": count_flops, "balance_lengths": balance_lengths}


@alternatives.rewrite("counted from a model on the meta device")
def built(ref):
    def count_parameters(config):
        with torch.device("meta"):
            return sum(p.numel() for p in ref.GPT(*config).parameters())

    def count_flops(config, length):
        with torch.device("meta"):
            model = ref.GPT(*config)
        matrices = sum(p.numel() for name, p in model.named_parameters() if p.dim() == 2 and not name.startswith("embedding"))
        if config.tied:
            matrices += model.embedding.weight.numel()
        return 2 * length * matrices + config.n_layers * config.n_heads * 2 * 2 * length**2 * (config.dim // config.n_heads)

    return {"count_parameters": count_parameters, "count_flops": count_flops}


@alternatives.rewrite("float64 inside the head, nn.Sequential for the blocks")
def wide(ref):
    class GPT(ref.GPT):
        def forward(self, ids):
            x = torch.nn.Sequential(self.embedding, *self.blocks, self.norm)(ids)
            rows = self.embedding.weight if self.head is None else self.head.weight
            return (x.double() @ rows.double().mT).to(x.dtype)

    return {"GPT": GPT}
