"""Other right versions of the answers to question 8."""



from autograder.probes import Alternatives, edit

alternatives = Alternatives()

alternatives.at(
    """
    rows = ids.flatten(1)
    seen = F.pad(rows, (1, 0), value=start)[:, :-1]
    return F.cross_entropy(model(seen).transpose(1, 2), rows, reduction="none").sum(1) / math.log(2)
    """,
    edit("gathered", "log-probabilities gathered",
         """
         n = len(ids)
         rows = ids.reshape(n, -1)
         seen = torch.cat([torch.full((n, 1), start, dtype=ids.dtype, device=ids.device), rows[:, :-1]], dim=1)
         log_p = torch.log_softmax(model(seen), dim=-1) / math.log(2)
         return -log_p.gather(2, rows.unsqueeze(2)).squeeze(2).sum(dim=1)
         """),
    edit("rolled", "shifted by a roll",
         """
         rows = ids.flatten(1)
         seen = rows.roll(1, 1).clone()
         seen[:, 0] = start
         logits = model(seen)
         chosen = (logits * F.one_hot(rows, logits.shape[-1])).sum(-1)
         return (logits.logsumexp(-1) - chosen).sum(1) * math.log2(math.e)
         """),
    edit("all_seen", "the model also sees the last token, and its answer to that is dropped",
         """
         rows = ids.flatten(1)
         if rows.shape[1] == 1:
             logits = model(torch.full_like(rows, start))
         else:
             logits = torch.cat([model(torch.cat([torch.full_like(rows[:, :1], start), rows[:, :-1]], 1))[:, :1], model(torch.cat([torch.full_like(rows[:, :1], start), rows[:, :-1]], 1))[:, 1:]], 1)
         return torch.stack([F.cross_entropy(logits[n], rows[n], reduction="sum") for n in range(len(rows))]) / math.log(2.0)
         """),
    edit("place_by_place", "one call for each place, with Categorical",
         """
         seen, total = torch.full_like(ids[:, :1, 0], start), 0
         for i in range(ids.shape[1]):
             for j in range(ids.shape[2]):
                 total = total - Categorical(logits=model(seen)[:, -1]).log_prob(ids[:, i, j])
                 seen = torch.cat([seen, ids[:, i, j, None]], 1)
         return total / np.log(2)
         """),
    edit("doubles", "in float64, and back",
         """
         rows = ids.view(ids.shape[0], ids.shape[1] * ids.shape[2])
         logits = model(F.pad(rows[:, :-1], (1, 0), value=start))
         nats = F.nll_loss(logits.double().log_softmax(-1).flatten(0, 1), rows.flatten(), reduction="none").view_as(rows)
         return (nats.sum(-1) / math.log(2)).to(logits)
         """),
)

alternatives.at(
    """
    ids = torch.full((len(noise), 1), start, device=noise.device)
    for each in noise.flatten(1, 2).unbind(1):
        drawn = (model(ids)[:, -1] + each).argmax(-1)
        ids = torch.cat([ids, drawn[:, None]], 1)
    return ids[:, 1:].view(noise.shape[:3])
    """,
    edit("filled_up", "a grid filled up with zeros from the beginning",
         """
         N, H, W, K = noise.shape
         seen = torch.zeros(N, H * W, dtype=torch.long, device=noise.device)
         seen[:, 0] = start
         grid = torch.zeros(N, H, W, dtype=torch.long, device=noise.device)
         for t in range(H * W):
             i, j = divmod(t, W)
             grid[:, i, j] = torch.argmax(model(seen)[:, t] + noise[:, i, j], dim=1)
             if t + 1 < H * W:
                 seen[:, t + 1] = grid[:, i, j]
         return grid
         """),
    edit("log_softmax", "from log-probabilities, two loops",
         """
         seen, drawn = [torch.full((noise.shape[0],), start, dtype=torch.int64, device=noise.device)], []
         for i in range(noise.shape[1]):
             for j in range(noise.shape[2]):
                 log_p = model(torch.stack(seen, 1))[:, len(seen) - 1].log_softmax(-1)
                 seen.append((log_p + noise[:, i, j]).max(-1).indices)
         return torch.stack(seen[1:], 1).reshape(noise.shape[0], noise.shape[1], noise.shape[2])
         """),
    edit("grid_by_grid", "a loop over grids, without gradients",
         """
         grids = []
         with torch.no_grad():
             for rows in noise:
                 seen = [start]
                 for each in rows.reshape(-1, noise.shape[-1]):
                     logits = model(torch.tensor([seen], device=noise.device))[0, -1]
                     seen.append(int((logits.double() + each.double()).argmax()))
                 grids.append(seen[1:])
         return torch.tensor(grids, device=noise.device).unflatten(1, noise.shape[1:3])
         """),
    edit("exponentials", "the smallest of exponential times over rates: the same choice",
         """
         ids = noise.new_full((len(noise), 1), start, dtype=torch.long)
         flat = noise.double().reshape(len(noise), -1, noise.shape[-1])
         for t in range(flat.shape[1]):
             ids = torch.cat((ids, (-flat[:, t] - model(ids)[:, -1].double().log_softmax(-1)).argmin(-1, keepdim=True)), 1)
         return ids[:, 1:].reshape(*noise.shape[:-1])
         """),
)

alternatives.at(
    """
    hidden = u.argsort(1).argsort(1) < (ids.shape[1] * torch.cos(math.pi / 2 * r)).ceil()[:, None]
    return F.cross_entropy(model(torch.where(hidden, mask, ids))[hidden], ids[hidden])
    """,
    edit("row_by_row", "a loop over rows",
         """
         hidden = torch.zeros_like(ids, dtype=torch.bool)
         for n in range(len(ids)):
             count = math.ceil(ids.shape[1] * math.cos(math.pi * float(r[n]) / 2))
             hidden[n, u[n].topk(count, largest=False).indices] = True
         log_p = model(ids.masked_fill(hidden, mask)).log_softmax(-1)
         nats = -log_p.gather(-1, ids[..., None])[..., 0]
         return (nats * hidden).sum() / hidden.sum()
         """),
    edit("threshold", "by a threshold in the sorted u",
         """
         count = torch.ceil(ids.size(1) * torch.cos(r * math.pi / 2)).long()
         limit = u.sort(dim=1).values.gather(1, count[:, None] - 1)
         hidden = u <= limit
         seen = ids.clone()
         seen[hidden] = mask
         return F.nll_loss(model(seen).log_softmax(-1)[hidden], ids[hidden])
         """),
    edit("ignore_index", "cross-entropy that ignores what is visible",
         """
         count = (ids.shape[1] * torch.cos(r.double() * math.pi / 2)).ceil().long()
         hidden = torch.zeros_like(ids).scatter(1, u.argsort(1), (torch.arange(ids.shape[1], device=ids.device) < count[:, None]).long()).bool()
         target = torch.where(hidden, ids, -100)
         return F.cross_entropy(model(torch.where(hidden, torch.full_like(ids, mask), ids)).flatten(0, 1), target.flatten())
         """),
    edit("by_comparison", "ranks counted by comparison",
         """
         rank = (u[:, None, :] < u[:, :, None]).sum(-1)
         hidden = (rank < ids.shape[1] * torch.cos(torch.pi * r / 2)[:, None]).to(u)
         seen = torch.where(hidden.bool(), mask, ids)
         logits = model(seen)
         nats = logits.logsumexp(-1) - logits.gather(-1, ids[..., None]).squeeze(-1)
         return nats.mul(hidden.to(nats)).sum().div(hidden.sum().to(nats))
         """),
)

alternatives.at(
    """
    left = [tokens]
    for i in range(1, steps + 1):
        wanted = math.floor(tokens * math.cos(math.pi * i / (2 * steps)))
        left.append(max(steps - i, min(left[-1] - 1, wanted)))
    return left[1:]
    """,
    edit("numpy", "cosines by NumPy",
         """
         plan, previous = [], tokens
         for k, wanted in enumerate(np.floor(tokens * np.cos(np.pi / 2 * np.arange(1, steps + 1) / steps)).astype(int), 1):
             previous = max(min(int(wanted), previous - 1), steps - k)
             plan.append(previous)
         return plan
         """),
    edit("ifs", "by cases",
         """
         left, n = [], tokens
         for i in range(1, steps + 1):
             wanted = int(tokens * math.cos(0.5 * math.pi * i / steps))
             if wanted >= n:
                 wanted = n - 1
             if wanted < steps - i:
                 wanted = steps - i
             left.append(wanted)
             n = wanted
         return left
         """),
    edit("recursive", "by recursion from the end",
         """
         def after(i):
             if i == 0:
                 return [tokens]
             before = after(i - 1)
             wanted = int(torch.cos(torch.tensor(math.pi / 2 * i / steps, dtype=torch.float64)).mul(tokens).floor())
             return [*before, max(min(before[-1] - 1, wanted), steps - i)]

         return after(steps)[1:]
         """),
    edit("clamped", "the last one by hand, the others by np.clip",
         """
         left = [tokens]
         for i in range(1, steps):
             left.append(int(np.clip(math.floor(math.sin(math.pi / 2 * (1 - i / steps)) * tokens), steps - i, left[-1] - 1)))
         return [*left[1:], 0]
         """),
)

alternatives.at(
    """
    for i, n in enumerate(left):
        logits = model(ids)
        drawn = (logits + draws[i]).argmax(-1)
        sure = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0] + temperature * (1 - (i + 1) / len(left)) * order[i]
        rank = sure.masked_fill(ids != mask, math.inf).argsort(1).argsort(1)
        ids = torch.where((ids == mask) & (rank >= n), drawn, ids)
    return ids
    """,
    edit("reveal_row_by_row", "a loop over rows, with topk among the masked places",
         """
         ids, steps = ids.clone(), len(left)
         for i in range(1, steps + 1):
             log_p = model(ids).log_softmax(-1)
             seen = ids.clone()
             for n in range(len(ids)):
                 places = (seen[n] == mask).nonzero()[:, 0]
                 drawn = (log_p[n, places] + draws[i - 1, n, places]).argmax(-1)
                 sure = log_p[n, places, drawn] + temperature * (1 - i / steps) * order[i - 1, n, places]
                 keep = sure.topk(len(places) - left[i - 1]).indices
                 ids[n, places[keep]] = drawn[keep]
         return ids
         """),
    edit("masked_again", "all filled in, and the least sure masked again",
         """
         ids = ids.clone()
         for i, n in enumerate(left):
             logits = model(ids)
             known = ids != mask
             drawn = torch.where(known, ids, torch.argmax(logits + draws[i], dim=-1))
             ratio = (i + 1) / len(left)
             c = F.log_softmax(logits, -1).gather(-1, torch.where(known, 0, drawn).unsqueeze(-1)).squeeze(-1) + temperature * (1 - ratio) * order[i]
             c = torch.where(known, torch.inf, c)
             ids = drawn.scatter(1, c.sort(dim=1).indices[:, :n], mask)
         return ids
         """),
    edit("own_mask", "a mask of its own, float64, cross-entropies",
         """
         hidden, out = ids == mask, ids.clone()
         for n, tokens, g, fade in zip(left, draws, order, torch.linspace(1, 0, len(left) + 1).tolist()[1:]):
             logits = model(out).double()
             drawn = (logits.log_softmax(-1) + tokens).argmax(-1)
             doubt = F.cross_entropy(logits.transpose(1, 2), drawn, reduction="none") - temperature * fade * g
             doubt = doubt.masked_fill(~hidden, -math.inf)
             stay = torch.zeros_like(hidden)
             if n:
                 stay.scatter_(1, doubt.topk(n, dim=1).indices, True)
             out = torch.where(hidden & ~stay, drawn, out)
             hidden = stay
         return out
         """),
    edit("no_grad", "ranks from the top, without gradients",
         """
         with torch.no_grad():
             steps = len(left)
             for i in range(steps):
                 hidden, logits = ids == mask, model(ids)
                 drawn = (logits + draws[i]).max(dim=-1)[1]
                 sure = torch.take_along_dim(logits, drawn[..., None], -1)[..., 0] - logits.logsumexp(-1)
                 sure = sure + temperature * order[i] * (steps - i - 1) / steps
                 sure[~hidden] = -math.inf
                 place = sure.argsort(dim=1, descending=True)
                 shown = torch.arange(ids.shape[1], device=ids.device) < hidden.sum(1, keepdim=True) - left[i]
                 ids = torch.where(torch.zeros_like(hidden).scatter(1, place, shown), drawn, ids)
             return ids
         """),
)
