"""Question 8: models that stand in for trained priors; each place and each kind is told apart from all others."""

import torch


def checked(ids, kinds, places, extra):
    """Stops with a sentence if these are no tokens that a prior can be asked about."""
    if not isinstance(ids, torch.Tensor) or ids.dtype != torch.int64 or ids.ndim != 2:
        got = f"shape {tuple(ids.shape)}, {ids.dtype}" if isinstance(ids, torch.Tensor) else type(ids).__name__
        raise ValueError(f"the model wants tokens (N, T), int64, and got {got}")
    if ids.shape[1] > places:
        raise ValueError(f"the model knows {places} places, and was given {ids.shape[1]} tokens")
    if not bool(((ids >= 0) & ((ids < kinds) | (ids == extra))).all()):
        raise ValueError(f"the model knows the tokens 0 to {kinds - 1}, and {extra}")


class Planted:
    """Logits (N, L, K) for tokens (N, L): at a place from the tokens up to it (causal), or from those of all places."""

    def __init__(self, rng, places, kinds, extra, causal, dtype=torch.float32, size=1.0):
        self.extra, self.calls = extra, 0
        self.vectors = rng.normal(kinds + 1, 5, dtype=dtype)
        self.mix = rng.normal(places, places, dtype=dtype) / places**0.5
        if causal:
            self.mix = self.mix.tril() + torch.eye(places, dtype=dtype, device=self.mix.device)
        self.offsets = rng.normal(places, 5, dtype=dtype)
        self.weights, self.bias = size * rng.normal(5, kinds, dtype=dtype), size * rng.normal(kinds, dtype=dtype)

    def __call__(self, ids):
        places, kinds = len(self.mix), len(self.bias)
        checked(ids, kinds, places, self.extra)
        self.calls += 1
        length = ids.shape[1]
        vectors = self.vectors[torch.where(ids == self.extra, kinds, ids)]
        mixed = torch.einsum("ts,nsd->ntd", self.mix[:length, :length], vectors)
        return torch.sin(mixed + self.offsets[:length]) @ self.weights + self.bias


class Fixed:
    """The same logits (T, K) whatever is there; a graph leads back to them."""

    def __init__(self, logits, extra):
        self.logits, self.extra = logits, extra

    def __call__(self, ids):
        checked(ids, self.logits.shape[1], len(self.logits), self.extra)
        return self.logits[None, : ids.shape[1]].expand(len(ids), -1, -1)
