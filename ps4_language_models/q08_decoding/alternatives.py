"""Other right versions of the answers to question 8."""

import itertools
import math

import torch
from torch.nn import functional as F

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("filters one after another on the logits, as libraries do; a sort of Python tuples; a set of pairs")
def one_after_another(ref):
    def filter_logits(logits, temperature=1.0, top_k=None, top_p=1.0, min_p=0.0):
        logits = logits / temperature
        if top_k is not None:
            k = min(top_k, logits.shape[-1])
            keep = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, logits.topk(k).indices, True)
            logits = torch.where(keep, logits, float("-inf"))
        if top_p < 1:
            values, order = torch.sort(logits, dim=-1, descending=True)
            total = values.softmax(-1).cumsum(-1)
            drop = total >= top_p
            drop = torch.cat([torch.zeros_like(drop[..., :1]), drop[..., :-1]], -1)
            logits = logits.masked_fill(torch.zeros_like(drop).scatter(-1, order, drop), float("-inf"))
        if min_p > 0:
            p = torch.softmax(logits, -1)
            logits = logits.masked_fill(p < min_p * p.max(-1, keepdim=True).values, float("-inf"))
        return torch.softmax(logits, -1)

    def sequence_log_prob(model, ids, prompt_len, eos=None):
        logits = model(ids)
        total = torch.zeros(len(ids), dtype=logits.dtype, device=ids.device)
        alive = torch.ones(len(ids), dtype=torch.bool, device=ids.device)
        for t in range(prompt_len, ids.shape[1]):
            step = torch.log_softmax(logits[:, t - 1], -1)[torch.arange(len(ids)), ids[:, t]]
            total = total + torch.where(alive, step, torch.zeros_like(step))
            if eos is not None:
                alive = alive & (ids[:, t] != eos)
        return total

    def beam_search(model, prompt, width, steps, eos=None):
        beams = [(0.0, prompt.tolist(), False)]
        for _ in range(steps):
            new = []
            for score, text, done in beams:
                if done:
                    new.append((score, [*text, eos], True))
                    continue
                log_p = model(torch.tensor([text], device=prompt.device))[0, -1].log_softmax(-1)
                new += [(score + value, [*text, token], token == eos) for token, value in enumerate(log_p.tolist()) if value > -math.inf]
            beams = sorted(new, key=lambda beam: -beam[0])[:width]
        texts = torch.tensor([text for _, text, _ in beams], device=prompt.device)
        return texts, torch.tensor([score for score, _, _ in beams], device=prompt.device)  # float32

    def watermark_z(ids, green, gamma):
        row = ids.tolist()
        pairs = set(itertools.pairwise(row))
        G = sum(bool(green[a, b]) for a, b in pairs)
        return (G / len(pairs) - gamma) / math.sqrt(gamma * (1 - gamma) / len(pairs)), ref.binomial_tail(len(pairs), G, gamma)

    return {"filter_logits": filter_logits, "sequence_log_prob": sequence_log_prob, "beam_search": beam_search, "watermark_z": watermark_z}


@alternatives.rewrite("each row in a loop; cross entropy; finished texts kept in a list; a table of seen pairs")
def loops(ref):
    def filter_logits(logits, temperature=1.0, top_k=None, top_p=1.0, min_p=0.0):
        out = []
        for row in logits.reshape(-1, logits.shape[-1]):
            p = torch.softmax(row / temperature, 0)
            order = p.argsort(descending=True).tolist()
            order = order[: len(order) if top_k is None else top_k]
            left = p[order] / p[order].sum()
            kept, total = [], 0.0
            for token, share in zip(order, left.tolist()):
                if total >= top_p and kept:
                    break
                kept.append(token)
                total += share
            kept = [token for token in kept if float(p[token]) >= min_p * float(p[order[0]])]
            new = torch.zeros_like(p)
            new[kept] = p[kept] / p[kept].sum()
            out.append(new)
        return torch.stack(out).reshape(logits.shape)

    def sequence_log_prob(model, ids, prompt_len, eos=None):
        logits, sums = model(ids), []
        for row, text in zip(logits, ids):
            stop = len(text)
            if eos is not None:
                places = (text[prompt_len:] == eos).nonzero()
                stop = stop if len(places) == 0 else prompt_len + int(places[0]) + 1
            sums.append(-F.cross_entropy(row[prompt_len - 1 : stop - 1], text[prompt_len:stop], reduction="sum"))
        return torch.stack(sums)

    def beam_search(model, prompt, width, steps, eos=None):
        open_texts, open_scores = prompt[None], model(prompt[None]).new_zeros(1)
        done = []
        for step in range(steps):
            if len(open_texts):
                log_p = torch.log_softmax(model(open_texts)[:, -1], -1) + open_scores[:, None]
                candidates = [(float(log_p[b, v]), b, v) for b in range(len(log_p)) for v in range(log_p.shape[1]) if log_p[b, v] > -math.inf]
            else:
                candidates = []
            pool = sorted([(score, True, text) for score, text in done] + [(score, False, (b, v)) for score, b, v in candidates], key=lambda one: -one[0])[:width]
            texts, scores, done = [], [], []
            for score, finished, what in pool:
                if finished:
                    done.append((score, what))
                    continue
                text = torch.cat([open_texts[what[0]], prompt.new_tensor([what[1]])])
                if eos is not None and what[1] == eos:
                    done.append((score, torch.cat([text, prompt.new_full((steps - step - 1,), eos)])))
                else:
                    texts.append(text)
                    scores.append(score)
            open_texts = torch.stack(texts) if texts else prompt.new_zeros(0, len(prompt) + step + 1)
            open_scores = torch.tensor(scores, dtype=open_scores.dtype, device=prompt.device)
        everything = sorted(done + [(float(s), t) for s, t in zip(open_scores, open_texts)], key=lambda one: -one[0])
        return torch.stack([t for _, t in everything]), torch.tensor([s for s, _ in everything], dtype=open_scores.dtype, device=prompt.device)

    def watermark_z(ids, green, gamma):
        seen = torch.zeros_like(green)
        seen[ids[:-1], ids[1:]] = True
        n, hits = seen.sum(), (seen & green).sum()
        return (hits - gamma * n) / (n * gamma * (1 - gamma)) ** 0.5, ref.binomial_tail(n.item(), hits.item(), gamma)

    return {"filter_logits": filter_logits, "sequence_log_prob": sequence_log_prob, "beam_search": beam_search, "watermark_z": watermark_z}


@alternatives.rewrite("float64 inside; the smallest that stays as a border; in-place frozen rows; the tail by logarithms")
def float64_inside(ref):
    def filter_logits(logits, temperature=1.0, top_k=None, top_p=1.0, min_p=0.0):
        p = (logits.double() / temperature).softmax(-1)
        if top_k is not None and top_k < p.shape[-1]:
            p = p.where(p >= p.sort(-1, descending=True).values[..., top_k - 1 : top_k], 0.0)
            p = p / p.sum(-1, keepdim=True)
        down = p.sort(-1, descending=True).values
        count = (down.cumsum(-1) < top_p).sum(-1, keepdim=True).clamp(max=p.shape[-1] - 1)
        p = p.where(p >= down.gather(-1, count), 0.0)
        p = p.where(p >= min_p * p.amax(-1, keepdim=True), 0.0)
        return (p / p.sum(-1, keepdim=True)).to(logits.dtype)

    def sequence_log_prob(model, ids, prompt_len, eos=None):
        logits = model(ids[:, :-1])
        picked = torch.take_along_dim(logits.double().log_softmax(2), ids[:, 1:, None], 2).squeeze(2)[:, prompt_len - 1 :]
        if eos is not None:
            new = ids[:, prompt_len:]
            alive = torch.cat([torch.ones_like(new[:, :1]), (new != eos).long().cumprod(1)[:, :-1]], 1).bool()
            picked = torch.where(alive, picked, 0.0)
        return picked.sum(1).to(logits.dtype)

    def beam_search(model, prompt, width, steps, eos=None):
        texts, scores = prompt.unsqueeze(0), torch.zeros(1, device=prompt.device, dtype=torch.float64)
        finished = torch.zeros(1, dtype=torch.bool, device=prompt.device)
        for _ in range(steps):
            logits = model(texts)[:, -1]
            log_p = logits.double().log_softmax(-1).clone()
            if eos is not None and finished.any():
                log_p[finished] = float("-inf")
                log_p[finished, eos] = 0
            scores, flat = (scores.unsqueeze(1) + log_p).reshape(-1).sort(descending=True)
            good = scores[:width].isfinite()
            scores, flat = scores[:width][good], flat[:width][good]
            parent, token = torch.div(flat, log_p.shape[1], rounding_mode="floor"), flat.remainder(log_p.shape[1])
            texts = torch.cat((texts[parent], token.unsqueeze(1)), dim=1)
            finished = finished[parent] | (token == (-1 if eos is None else eos))
        return texts, scores.to(logits.dtype)

    def watermark_z(ids, green, gamma):
        pairs = (ids[:-1] * len(green) + ids[1:]).unique()
        n, hits = len(pairs), int(green.flatten()[pairs].sum())
        k = torch.arange(hits, n + 1, dtype=torch.float64)
        choose = math.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
        rate = torch.logsumexp(choose + k * math.log(gamma) + (n - k) * math.log1p(-gamma), 0).exp()
        return torch.tensor((hits - n * gamma) / (n * gamma * (1 - gamma)) ** 0.5), rate.float()

    return {"filter_logits": filter_logits, "sequence_log_prob": sequence_log_prob, "beam_search": beam_search, "watermark_z": watermark_z}


@alternatives.rewrite("ranks by two sorts, a search that asks each beam alone, tokens scored place by place")
def others(ref):
    def filter_logits(logits, temperature=1.0, top_k=None, top_p=1.0, min_p=0.0):
        heat = logits / temperature
        rank = heat.argsort(-1, descending=True).argsort(-1)
        p = heat.softmax(-1)
        if top_k is not None:
            p = F.normalize(p * (rank < top_k), p=1, dim=-1)
        likelier = (p[..., None, :] * (p[..., None, :] > p[..., :, None])).sum(-1)  # together, those above each token
        p = p * (likelier < top_p)
        p = p * (p / p.max(-1, keepdim=True).values >= min_p)
        return p / p.sum(-1, keepdim=True)

    def sequence_log_prob(model, ids, prompt_len, eos=None):
        log_p = torch.log_softmax(model(ids), -1)
        rows = torch.arange(len(ids), device=ids.device)
        pieces = []
        over = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
        for t in range(prompt_len, ids.shape[1]):
            pieces.append(log_p[rows, t - 1, ids[:, t]].masked_fill(over, 0))
            over = over | (ids[:, t] == eos) if eos is not None else over
        return torch.stack(pieces).sum(0)

    def beam_search(model, prompt, width, steps, eos=None):
        texts, scores = [prompt], [None]
        for _ in range(steps):
            pool = []
            for text, score in zip(texts, scores):
                if eos is not None and eos in text[len(prompt) :].tolist():
                    pool.append((torch.cat([text, prompt.new_tensor([eos])]), score))
                    continue
                log_p = model(text[None])[0, -1].log_softmax(0)
                values, tokens = log_p.topk(min(width, len(log_p)))
                for value, token in zip(values, tokens):
                    if value > -math.inf:
                        pool.append((torch.cat([text, token[None]]), value if score is None else score + value))
            pool.sort(key=lambda one: float(one[1]), reverse=True)
            texts, scores = map(list, zip(*pool[:width]))
        return torch.stack(texts), torch.stack(scores)

    return {"filter_logits": filter_logits, "sequence_log_prob": sequence_log_prob, "beam_search": beam_search}
