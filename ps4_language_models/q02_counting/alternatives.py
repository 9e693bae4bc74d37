"""Other right versions of the answers to question 2."""

import math
from collections import Counter, defaultdict

import numpy as np
import torch
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("dictionaries and loops over tokens")
def dictionaries(ref):
    def count_ngrams(ids, n, vocab_size):
        followers = defaultdict(Counter)
        tokens = ids.tolist()
        for start in range(len(tokens) - n + 1):
            code = 0
            for token in tokens[start : start + n - 1]:
                code = code * vocab_size + token
            followers[code][tokens[start + n - 1]] += 1
        contexts = sorted(followers)
        counts = [[followers[code][w] for w in range(vocab_size)] for code in contexts]
        return torch.tensor(contexts, device=ids.device), torch.tensor(counts, device=ids.device)

    def continuation_counts(contexts, counts, n):
        size = counts.shape[1]
        before = defaultdict(lambda: [0] * size)
        for code, row in zip(contexts.tolist(), counts.tolist()):
            for token, count in enumerate(row):
                before[code % size ** (n - 2)][token] += count > 0
        shorter = sorted(before)
        return torch.tensor(shorter, device=counts.device), torch.tensor([before[code] for code in shorter], device=counts.device)

    def interpolate(rows, k):
        size = rows[0].shape[-1]
        p = torch.ones_like(rows[0], dtype=torch.float64) / size
        for c in rows:
            total = c.sum(dim=-1, keepdim=True)
            weight = total / (total + k * size)
            p = weight * c / total.clamp(min=1) + (1 - weight) * p
        return p.float()

    def kneser_ney(rows, discount):
        p = torch.ones_like(rows[0], dtype=torch.float64) / rows[0].shape[-1]
        for c in rows:
            total = c.sum(dim=-1, keepdim=True).double()
            types = (c > 0).sum(dim=-1, keepdim=True)
            mixed = (torch.relu(c - discount) + discount * types * p) / total
            p = torch.where(total == 0, p, mixed)
        return p

    def bits_per_byte(nats, text):
        return nats.flatten().sum() / math.log(2) / len(text.encode("utf-8"))

    return {f.__name__: f for f in (count_ngrams, continuation_counts, interpolate, kneser_ney, bits_per_byte)}


@alternatives.rewrite("codes of whole n-grams, recursion over the orders")
def recursion(ref):
    def count_ngrams(ids, n, vocab_size):
        codes, times = torch.unique(ref.context_code(ids.unfold(0, n, 1), vocab_size), return_counts=True)
        contexts = torch.div(codes, vocab_size, rounding_mode="floor")
        kept, row = torch.unique_consecutive(contexts, return_inverse=True)
        counts = torch.zeros((len(kept), vocab_size), dtype=torch.long, device=ids.device)
        counts[row, codes % vocab_size] = times
        return kept, counts

    def continuation_counts(contexts, counts, n):
        size = counts.shape[1]
        row, token = counts.nonzero(as_tuple=True)
        codes, times = torch.unique((contexts[row] * size + token) % size ** (n - 1), return_counts=True)
        kept, place = torch.unique_consecutive(codes // size, return_inverse=True)
        found = counts.new_zeros(len(kept), size)
        found[place, codes % size] = times
        return kept, found

    def interpolate(rows, k):
        *lower, counts = rows
        size = counts.shape[-1]
        below = interpolate(lower, k) if lower else torch.full(counts.shape, 1.0 / size, device=counts.device)
        return (counts.float() + k * size * below) / (counts.sum(-1, True) + k * size)

    def kneser_ney(rows, discount):
        *lower, counts = rows
        below = kneser_ney(lower, discount) if lower else torch.full(counts.shape, 1.0 / counts.shape[-1], device=counts.device)
        total = counts.sum(-1, keepdim=True)
        taken = torch.minimum(counts.float(), torch.full(counts.shape, float(discount), device=counts.device))
        mixed = (counts - taken + taken.sum(-1, keepdim=True) * below) / total
        return torch.where(total.expand_as(mixed) > 0, mixed, below)

    def bits_per_byte(nats, text):
        return torch.as_tensor(nats).sum() * math.log2(math.e) / len(bytes(text, "utf8"))

    return {f.__name__: f for f in (count_ngrams, continuation_counts, interpolate, kneser_ney, bits_per_byte)}


@alternatives.rewrite("one-hot vectors and sums of rows")
def one_hot(ref):
    def count_ngrams(ids, n, vocab_size):
        T = len(ids)
        code = torch.zeros(T - n + 1, dtype=torch.int64, device=ids.device)
        for offset in range(n - 1):
            code = code * vocab_size + ids[offset : T - n + 1 + offset]
        contexts, row = code.unique(return_inverse=True)
        counts = torch.zeros(len(contexts), vocab_size, dtype=torch.int64, device=ids.device)
        counts.index_add_(0, row, F.one_hot(ids[n - 1 :], vocab_size))
        return contexts, counts

    def continuation_counts(contexts, counts, n):
        rest = contexts % counts.shape[-1] ** (n - 2)
        shorter = torch.unique(rest)
        return shorter, torch.stack([(counts[rest == code] != 0).sum(0) for code in shorter])

    def bits_per_byte(nats, text):
        return nats.sum().item() / np.log(2) / len(text.encode())

    return {f.__name__: f for f in (count_ngrams, continuation_counts, bits_per_byte)}


@alternatives.rewrite("NumPy throughout")
def in_numpy(ref):
    def count_ngrams(ids, n, vocab_size):
        tokens = ids.cpu().numpy()
        windows = np.lib.stride_tricks.sliding_window_view(tokens, n)
        code = np.zeros(len(windows), dtype=np.int64)
        for column in windows[:, :-1].T:
            code = code * vocab_size + column
        contexts, row = np.unique(code, return_inverse=True)
        counts = np.zeros((len(contexts), vocab_size), dtype=np.int64)
        np.add.at(counts, (row, windows[:, -1]), 1)
        return torch.from_numpy(contexts).to(ids.device), torch.from_numpy(counts).to(ids.device)

    def kneser_ney(rows, discount):
        p = np.full(tuple(rows[0].shape), 1 / rows[0].shape[-1])
        for row in rows:
            c = row.cpu().numpy().astype(float)
            total = c.sum(-1, keepdims=True)
            spare = discount * (c > 0).sum(-1, keepdims=True)
            p = np.where(total > 0, (np.maximum(c - discount, 0) + spare * p) / np.maximum(total, 1), p)
        return torch.from_numpy(p).float().to(rows[0].device)

    return {f.__name__: f for f in (count_ngrams, kneser_ney)}
