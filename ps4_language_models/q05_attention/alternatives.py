"""Other right versions of the answers to question 5."""

import math

import torch
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("PyTorch's attention, chunks of one window, a mask by tril and triu, einsum between grouped heads")
def library(ref):
    def attend(q, k, v, mask):
        size = torch.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2], mask.shape[:-2])
        q, k, v = (part.expand(*size, *part.shape[-2:]) for part in (q, k, v))
        some = mask.any(-1, keepdim=True)
        bias = torch.zeros(mask.shape, dtype=q.dtype, device=q.device).masked_fill(~mask & some, -math.inf)
        answer = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.expand(*size, q.shape[-2], k.shape[-2]))
        return torch.where(some, answer, torch.zeros_like(answer))

    def causal_mask(length, window=None, device=None):
        mask = torch.ones(length, length, dtype=torch.bool, device=device).tril()
        return mask if window is None else mask.triu(1 - window)

    class CausalSelfAttention(ref.CausalSelfAttention):
        def forward(self, x):
            n, t, _ = x.shape
            group = self.n_heads // self.n_kv_heads
            q = self.to_q(x).view(n, t, self.n_kv_heads, group, self.head_dim)
            k, v = (layer(x).view(n, t, self.n_kv_heads, self.head_dim) for layer in (self.to_k, self.to_v))
            at = torch.arange(t, device=x.device)
            q = ref.rope(q.permute(0, 2, 3, 1, 4), at, self.base)
            k = ref.rope(k.permute(0, 2, 1, 3), at, self.base)
            scores = torch.einsum("ngrtd,ngsd->ngrts", q, k) / self.head_dim**0.5
            weights = scores.masked_fill(at[:, None] < at, float("-inf")).softmax(-1)
            return self.out(torch.einsum("ngrts,nsgd->ntgrd", weights, v).reshape(n, t, -1))

    def sliding_window_attention(q, k, v, window):
        length, window = k.shape[-2], min(window, k.shape[-2])
        blocks = -(-length // window)
        extra = blocks * window - length
        q, k, v = (F.pad(part, (0, 0, 0, extra)).unflatten(-2, (blocks, window)) for part in (q, k, v))
        before_k, before_v = (F.pad(part, (0, 0, 0, 0, 1, 0))[..., :-1, :, :] for part in (k, v))
        k, v = torch.cat([before_k, k], -2), torch.cat([before_v, v], -2)
        back = torch.arange(window, device=q.device)[:, None] + window - torch.arange(2 * window, device=q.device)
        band = ((back >= 0) & (back < window)).expand(blocks, -1, -1).clone()
        band[0, :, :window] = False
        return ref.attend(q, k, v, band).flatten(-3, -2)[..., :length, :]

    def symmetric_keys(w_q):
        return w_q.flip(1)

    return {
        "attend": attend, "causal_mask": causal_mask, "CausalSelfAttention": CausalSelfAttention,
        "sliding_window_attention": sliding_window_attention, "symmetric_keys": symmetric_keys,
    }


@alternatives.rewrite("loops over rows, heads and tokens")
def loops(ref):
    def attend(q, k, v, mask):
        size = torch.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2], mask.shape[:-2])
        mask = mask.expand(*size, q.shape[-2], k.shape[-2])
        rows = []
        for i in range(q.shape[-2]):
            scores = (q[..., i, None, :] * k).sum(-1) / q.shape[-1] ** 0.5
            seen = mask[..., i, :]
            scores = torch.where(seen, scores, torch.full_like(scores, -1e30)).expand(*size, k.shape[-2])
            weights = torch.exp(scores - scores.amax(-1, keepdim=True)) * seen
            weights = weights / weights.sum(-1, keepdim=True).clamp(min=1e-30)
            rows.append((weights[..., None] * v).sum(-2))
        return torch.stack(rows, -2)

    def causal_mask(length, window=None, device=None):
        rows = [[j <= i and (window is None or i - j < window) for j in range(length)] for i in range(length)]
        return torch.tensor(rows, device=device)

    class CausalSelfAttention(ref.CausalSelfAttention):
        def forward(self, x):
            d, at = self.head_dim, torch.arange(x.shape[1], device=x.device)
            mask, answers = ref.causal_mask(x.shape[1], device=x.device), []
            for h in range(self.n_heads):
                g = h * self.n_kv_heads // self.n_heads
                q = ref.rope(self.to_q(x)[..., h * d : (h + 1) * d], at, self.base)
                k = ref.rope(self.to_k(x)[..., g * d : (g + 1) * d], at, self.base)
                answers.append(ref.attend(q, k, self.to_v(x)[..., g * d : (g + 1) * d], mask))
            return self.out(torch.cat(answers, -1))

    def sliding_window_attention(q, k, v, window):
        rows = []
        for t in range(q.shape[-2]):
            near = slice(max(0, t - window + 1), t + 1)
            weights = torch.softmax((k[..., near, :] * q[..., t, None, :]).sum(-1) / math.sqrt(q.shape[-1]), -1)
            rows.append((weights[..., None] * v[..., near, :]).sum(-2))
        return torch.stack(rows, -2)

    def symmetric_keys(w_q):
        w_k = w_q.clone()
        w_k[:, 0] = 0
        return w_k

    return {
        "attend": attend, "causal_mask": causal_mask, "CausalSelfAttention": CausalSelfAttention,
        "sliding_window_attention": sliding_window_attention, "symmetric_keys": symmetric_keys,
    }


@alternatives.rewrite("NaN replaced at the end, gathered windows, groups by expand, the two columns exchanged")
def gathered(ref):
    def attend(q, k, v, mask):
        scores = torch.einsum("...td,...sd->...ts", q, k) * q.shape[-1] ** -0.5
        return torch.nan_to_num(torch.softmax(torch.where(mask, scores, torch.tensor(-math.inf).to(scores)), -1), nan=0.0) @ v

    def causal_mask(length, window=None, device=None):
        i, j = torch.meshgrid(torch.arange(length, device=device), torch.arange(length, device=device), indexing="ij")
        mask = i >= j
        if window is not None:
            mask &= i < j + window
        return mask

    class CausalSelfAttention(ref.CausalSelfAttention):
        def forward(self, x):
            n, t, _ = x.shape
            group, at = self.n_heads // self.n_kv_heads, torch.arange(t, device=x.device)
            q = ref.rope(self.to_q(x).view(n, t, self.n_heads, -1).transpose(1, 2), at, self.base)
            k = ref.rope(self.to_k(x).view(n, t, self.n_kv_heads, -1).transpose(1, 2), at, self.base)
            v = self.to_v(x).view(n, t, self.n_kv_heads, -1).transpose(1, 2)
            k, v = (part[:, :, None].expand(-1, -1, group, -1, -1).reshape(n, self.n_heads, t, -1) for part in (k, v))
            scores = q @ k.mT / math.sqrt(self.head_dim) + torch.full((t, t), float("-inf"), dtype=x.dtype, device=x.device).triu(1)
            return self.out((scores.softmax(-1) @ v).transpose(1, 2).contiguous().view(n, t, -1))

    def sliding_window_attention(q, k, v, window):
        at = torch.arange(k.shape[-2], device=k.device)[:, None] - torch.arange(window, device=k.device)
        keys, values = k[..., at.clamp(min=0), :], v[..., at.clamp(min=0), :]
        scores = torch.einsum("...td,...twd->...tw", q, keys) / math.sqrt(q.shape[-1])
        weights = scores.masked_fill(at < 0, -math.inf).softmax(-1)
        return torch.einsum("...tw,...twe->...te", weights, values)

    def symmetric_keys(w_q):
        order = list(range(w_q.shape[1]))
        order[0], order[1] = 1, 0
        return w_q[:, order]

    return {
        "attend": attend, "causal_mask": causal_mask, "CausalSelfAttention": CausalSelfAttention,
        "sliding_window_attention": sliding_window_attention, "symmetric_keys": symmetric_keys,
    }


@alternatives.rewrite("float64 within; a sum over offsets; a random symmetric matrix")
def wide(ref):
    def attend(q, k, v, mask):
        answer = ref.attend(q.double(), k.double(), v.double(), mask)
        return answer.to(q.dtype)

    class CausalSelfAttention(ref.CausalSelfAttention):
        def forward(self, x):
            parts = [F.linear(x.double(), layer.weight.double()).unflatten(-1, (-1, self.head_dim)).movedim(2, 1) for layer in (self.to_q, self.to_k, self.to_v)]
            at = torch.arange(x.shape[1], device=x.device)
            q, k = (ref.rope(part, at, self.base) for part in parts[:2])
            share = torch.arange(self.n_heads, device=x.device) // (self.n_heads // self.n_kv_heads)
            answer = ref.attend(q, k[:, share], parts[2][:, share], ref.causal_mask(x.shape[1], device=x.device))
            return self.out(torch.cat(answer.unbind(1), -1).to(x.dtype))

    def sliding_window_attention(q, k, v, window):
        length, scores = k.shape[-2], []
        offsets = range(min(window, length))
        for back in offsets:
            score = (q[..., back:, :] * k[..., : length - back, :]).sum(-1) / math.sqrt(q.shape[-1])
            scores.append(F.pad(score, (back, 0), value=-math.inf))
        weights = torch.stack(scores, -1).softmax(-1)
        return sum(weights[..., back, None] * F.pad(v[..., : length - back, :], (0, 0, back, 0)) for back in offsets)

    def symmetric_keys(w_q):
        mixing = torch.randn(w_q.shape[1], w_q.shape[1]).to(w_q)
        return w_q @ (mixing + mixing.T)

    return {"attend": attend, "CausalSelfAttention": CausalSelfAttention, "sliding_window_attention": sliding_window_attention, "symmetric_keys": symmetric_keys}
