"""Other right versions of the answers to question 7."""



from autograder.probes import Alternatives, edit

alternatives = Alternatives()

alternatives.at(
    "return (z.movedim(axis, -1)[..., None, :] - codebook).square().sum(-1).argmin(-1)",
    edit("cdist", "flat rows, cdist without matrix products",
         "rows = z.movedim(axis, -1); return torch.cdist(rows.reshape(-1, rows.shape[-1]), codebook, compute_mode=\"donot_use_mm_for_euclid_dist\").argmin(1).reshape(rows.shape[:-1])"),
    edit("expanded", "the square multiplied out, once a common offset is gone",
         "shift = codebook.mean(0); rows, codes = z.transpose(axis, -1) - shift, codebook - shift; ids = (codes.square().sum(1) - 2 * rows @ codes.T).argmin(-1); return ids if axis in (-1, z.ndim - 1) else ids.unsqueeze(axis if axis >= 0 else axis + z.ndim).transpose(axis if axis >= 0 else axis + z.ndim, -1).squeeze(-1)"),
    edit("code_by_code", "a loop over entries with a strict comparison",
         """
         rows = z.movedim(axis, -1)
         best, ids = torch.full(rows.shape[:-1], math.inf, dtype=rows.dtype, device=rows.device), torch.zeros(rows.shape[:-1], dtype=torch.long, device=rows.device)
         for k, code in enumerate(codebook):
             distance = torch.linalg.vector_norm(rows - code, dim=-1)
             closer = distance < best
             best, ids = torch.where(closer, distance, best), torch.where(closer, k, ids)
         return ids
         """),
    edit("along_axis", "without moving the axis: entries as a new first axis",
         """
         axis = axis % z.ndim
         shape = [1] * z.ndim
         shape[axis] = codebook.shape[1]
         return torch.stack([-((z - code.view(shape)) ** 2).sum(axis) for code in codebook]).argmax(0)
         """),
    edit("double", "float64 inside, the nearest by min",
         "rows = z.movedim(axis, -1).double(); return ((rows.unsqueeze(-2) - codebook.double()) ** 2).mean(-1).min(-1).indices"),
)

alternatives.at(
    """
    if kind == "straight_through":
        return z + (q - z).detach()
    start, end = F.normalize(z.detach(), dim=-1), F.normalize(q.detach(), dim=-1)
    r, size = F.normalize(start + end, dim=-1), (q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True)).detach()
    return size * (z - 2 * r * (r * z).sum(-1, keepdim=True) + 2 * end * (start * z).sum(-1, keepdim=True))
    """,
    edit("matrices", "a D × D matrix for each vector, from two reflections",
         """
         if kind == "straight_through":
             return q.detach() + z - z.detach()
         with torch.no_grad():
             eye = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
             start, end = (part / torch.linalg.norm(part, dim=-1, keepdim=True) for part in (z, q))
             half = (start + end) / torch.linalg.norm(start + end, dim=-1, keepdim=True)
             reflect = [eye - 2 * part[..., :, None] * part[..., None, :] for part in (end, half)]
             turn = reflect[0] @ reflect[1] * (q.norm(dim=-1) / z.norm(dim=-1))[..., None, None]
         return (turn @ z[..., None])[..., 0]
         """),
    edit("function", "a torch.autograd.Function with a backward of its own",
         """
         class Passed(torch.autograd.Function):
             @staticmethod
             def forward(ctx, z, q):
                 ctx.save_for_backward(z, q)
                 return q.clone()

             @staticmethod
             def backward(ctx, grad):
                 if kind == "straight_through":
                     return grad, None
                 z, q = ctx.saved_tensors
                 a, b = z / z.norm(dim=-1, keepdim=True), q / q.norm(dim=-1, keepdim=True)
                 c = (a * b).sum(-1, keepdim=True)
                 ga, gb = (a * grad).sum(-1, keepdim=True), (b * grad).sum(-1, keepdim=True)
                 turned = grad - (a + b) * (ga + gb) / (1 + c) + 2 * a * gb
                 return turned * q.norm(dim=-1, keepdim=True) / z.norm(dim=-1, keepdim=True), None

         return Passed.apply(z, q)
         """),
    edit("reflected", "two reflections one after the other",
         """
         if kind != "rotation":
             return z - (z - q).detach()

         def unit(x):
             return x / x.square().sum(-1, keepdim=True).sqrt()

         def reflect(x, v):
             return x - 2 * v * torch.einsum("...d,...d->...", x, v)[..., None]

         fixed, end = z.detach(), unit(q.detach())
         middle = unit(unit(fixed) + end)
         factor = (q.detach().square().sum(-1, keepdim=True) / fixed.square().sum(-1, keepdim=True)).sqrt()
         return reflect(reflect(factor * z, middle), end)
         """),
    edit("in_plane", "by the angle in the plane of z and q",
         """
         if kind == "straight_through":
             with torch.no_grad():
                 step = q - z
             return z + step
         with torch.no_grad():
             wide_z, wide_q = z.double(), q.double()
             a = F.normalize(wide_z, dim=-1)
             size = wide_q.norm(dim=-1, keepdim=True) / wide_z.norm(dim=-1, keepdim=True)
             c = (a * F.normalize(wide_q, dim=-1)).sum(-1, keepdim=True).clamp(-1, 1)
             b = wide_q - (wide_q * a).sum(-1, keepdim=True) * a
             b, s = F.normalize(b, dim=-1), b.norm(dim=-1, keepdim=True) / wide_q.norm(dim=-1, keepdim=True)
         x = z.double()
         xa, xb = (x * a).sum(-1, keepdim=True), (x * b).sum(-1, keepdim=True)
         return (size * (x + (c - 1) * (xa * a + xb * b) + s * (xa * b - xb * a))).to(z.dtype)
         """),
)

alternatives.at(
    "return F.mse_loss(q, z.detach()), beta * F.mse_loss(z, q.detach())",
    edit("squares", "means of squares", "return (q - z.detach()).pow(2).mean(), beta * torch.mean((q.detach() - z) ** 2)"),
    edit("sums", "sums over all, divided by their number", "n = z.numel(); return (z.detach() - q).square().sum() / n, (z - q.detach()).square().sum() * beta / n"),
    edit("listed", "a list, and clones that are detached", "return [nn.MSELoss()(z.clone().detach(), q), nn.MSELoss()(q.detach().clone(), z) * beta]"),
)

alternatives.at(
    """
    if self.training:
        chosen = F.one_hot(ids, len(self.codes)).to(z)
        self.counts.lerp_(chosen.sum(0), 1 - self.decay)
        self.sums.lerp_(chosen.T @ z, 1 - self.decay)
        total = self.counts.sum()
        self.codes.copy_(self.sums / ((self.counts + self.eps) / (total + len(self.codes) * self.eps) * total)[:, None])
    """,
    edit("index_add", "by bincount and index_add, buffers replaced",
         """
         if not self.training:
             return
         k, g = self.codes.shape[0], self.decay
         seen = torch.bincount(ids, minlength=k).to(z.dtype)
         added = torch.zeros_like(self.sums).index_add_(0, ids, z)
         self.counts = g * self.counts + (1 - g) * seen
         self.sums = g * self.sums + (1 - g) * added
         n = self.counts.sum()
         self.codes = self.sums * ((n + k * self.eps) / (n * (self.counts + self.eps)))[:, None]
         """),
    edit("entry_by_entry", "a loop over entries",
         """
         if self.training:
             for k in range(len(self.codes)):
                 mine = z[ids == k]
                 self.counts[k] = self.decay * self.counts[k] + (1 - self.decay) * len(mine)
                 self.sums[k] = self.decay * self.sums[k] + (1 - self.decay) * mine.sum(0)
             n = float(self.counts.sum())
             for k in range(len(self.codes)):
                 self.codes[k] = self.sums[k] / (n * (self.counts[k] + self.eps) / (n + len(self.codes) * self.eps))
         """),
    edit("data", "in place through .data, a mask by comparison, float64 inside",
         """
         if self.training:
             hits = (ids[:, None] == torch.arange(len(self.codes), device=ids.device)).double()
             self.counts.data.mul_(self.decay).add_(hits.sum(0).to(z.dtype), alpha=1 - self.decay)
             self.sums.data.mul_(self.decay).add_(torch.einsum("nk,nd->kd", hits, z.detach().double()).to(z.dtype), alpha=1 - self.decay)
             wide, n = self.counts.double(), self.counts.double().sum()
             self.codes.data[:] = (self.sums.double() / (n * (wide + self.eps) / (n + len(wide) * self.eps)).unsqueeze(1)).to(z.dtype)
         """),
)

alternatives.at(
    """
    dead = (self.counts < least) & self.training
    self.codes[dead] = self.sums[dead] = z[picks[dead]]
    self.counts[dead] = 1
    """,
    edit("where", "all entries chosen by where, buffers replaced",
         """
         if self.training:
             dead = self.counts < least
             self.codes = torch.where(dead[:, None], z[picks].detach(), self.codes)
             self.sums = torch.where(dead[:, None], z[picks].detach(), self.sums)
             self.counts = self.counts.masked_fill(dead, 1.0)
         """),
    edit("loop", "a loop over entries",
         """
         if not self.training:
             return
         for k in range(len(self.counts)):
             if self.counts[k] < least:
                 self.codes[k], self.sums[k], self.counts[k] = z[picks[k]], z[picks[k]], 1.0
         """),
    edit("indices", "by the indices of the dead",
         """
         if self.training:
             (at,) = torch.nonzero(self.counts < least, as_tuple=True)
             fresh = z.detach().index_select(0, picks[at])
             self.codes.index_copy_(0, at, fresh)
             self.sums.index_copy_(0, at, fresh)
             self.counts.index_fill_(0, at, 1.0)
         """),
)

alternatives.at(
    "return torch.special.entr(torch.bincount(ids.flatten(), minlength=n_codes) / ids.numel()).sum().exp()",
    edit("positive", "shares that are not zero alone",
         "p = torch.bincount(ids.reshape(-1), minlength=n_codes).float(); p = p[p > 0] / p.sum(); return torch.exp(-(p * p.log()).sum())"),
    edit("counted_one_hot", "one-hot rows, and xlogy",
         "p = F.one_hot(ids, n_codes).double().flatten(0, -2).mean(0); return (-torch.xlogy(p, p).sum()).exp()"),
    edit("unique", "counts of what occurs, powers of p",
         "p = ids.unique(return_counts=True)[1] / ids.numel(); return (p ** -p).prod()"),
    edit("library", "torch.distributions, bits",
         "p = torch.stack([(ids == k).double().mean() for k in range(n_codes)]); return 2 ** (torch.distributions.Categorical(p).entropy() / math.log(2))",),
    edit("python", "a Python float", "from collections import Counter; n = ids.numel(); return math.exp(-sum(c / n * math.log(c / n) for c in Counter(ids.flatten().tolist()).values()))"),
)

alternatives.at(
    """
    soft = ((logits - (-u.log()).log()) / tau).softmax(-1)
    return pass_through(soft, F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft), "straight_through") if hard else soft
    """,
    edit("exponential_race", "weights (e^logit / -log u)^(1/τ) in logarithms, scatter",
         """
         logs = (logits - torch.log(-torch.log(u))) / tau
         soft = torch.exp(logs - torch.logsumexp(logs, -1, keepdim=True))
         if not hard:
             return soft
         top = torch.zeros_like(soft).scatter_(-1, soft.argmax(-1, keepdim=True), 1.0)
         return top - soft.detach() + soft
         """),
    edit("distribution", "noise by the Gumbel distribution's inverse, tiny constants",
         """
         g = -torch.log(-torch.log(u + 1e-20) + 1e-20)
         soft = F.softmax((logits + g) / tau, dim=-1)
         if hard:
             index = soft.max(-1, keepdim=True)[1]
             return torch.zeros_like(logits).scatter(-1, index, 1.0) + (soft - soft.detach())
         return soft
         """),
    edit("icdf", "torch.distributions.Gumbel",
         """
         noise = torch.distributions.Gumbel(torch.zeros_like(logits).double(), 1.0).icdf(u.double()).to(logits.dtype)
         soft = torch.softmax((logits + noise) / tau, -1)
         if hard is False:
             return soft
         best = (soft == soft.amax(-1, keepdim=True)).to(soft.dtype)
         return best.detach() + soft - soft.detach()
         """),
    edit("wide", "float64 inside",
         """
         soft = ((logits.double() - (-u.double().log()).log()) / tau).softmax(-1)
         if hard:
             soft = pass_through(soft, torch.eye(soft.shape[-1], dtype=torch.float64, device=soft.device)[soft.argmax(-1)], "straight_through")
         return soft.to(logits.dtype)
         """),
)
