"""Question 7: nearest codes, gradients through them, both losses, a moving codebook, and relaxed draws."""

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, gradient, in_words, tensor_of, tried, two_of, with_right

question = Question(
    title="Codes: gradients through a choice",
    skills=["5.24", "5.25", "5.26", "5.27", "5.32", "5.42"],
    uses=[],
    lecture="vector quantisation",
    run_seconds=65,
    manual_points=3,
    rubric=[
        "1 point: the codebook loss and (7.5) move only entries that some vector has chosen; the others get a zero gradient, or keep sums / counts.",
        "1 point: the encoder does not help: vectors are drawn to the entries they chose, and the decoder is trained on these, so a far entry stays far.",
        "1 point: more codes in use cost more bits, so the two errors are not at equal rate; compare along the chart, or at equal bits.",
    ],
    aim="Train through a choice that has no gradient, keep all codes in use, and count what the codes cost.",
    hints={
        "nearest_code": (
            "How many distances are there for N vectors and K entries, and over which axis is the smallest looked for?",
            "z = (1.5), codebook 0, 4: the squares are 2.25 and 6.25, so the index is 0. Both at 2 would be equally far: 0 again.",
            "Bring the vectors' axis to the end, subtract the codebook by broadcasting, and sum squares over D. Differences first: squares of large numbers lose digits.",
        ),
        "pass_through": (
            "Which parts of the formula are constants for autograd, and which single one is not?",
            "z = (1, 0), q = (0, 2): r is (1, 1)/√2. Reflect z at r, then at q: (0, -1), then (0, 1). The length factor is 2.",
            "H_q̂ H_r x has four terms; r·q̂ and r·ẑ are both half the length of ẑ + q̂. Two of the terms cancel. Detach r, q̂, ẑ and the factor, not x.",
        ),
        "vq_losses": (
            "Both losses have the same value up to β. Who is to be moved by the first, and who by the second?",
            "z = 1.5, q = 0, β = 0.25: values 2.25 and 0.5625. The gradient by q is that of the first alone, -3; by z that of the second, 0.75.",
            "Mean squares of the same difference, once with z detached, once with q detached. β belongs to one of them.",
        ),
        "MovingCodebook": (
            "What does one batch add for an entry that three vectors chose? And for one that none did?",
            "γ = 1/2, count 2, sum 4, vectors 5 and 7: count 2, sum 8. An entry that nobody chose: count 1, sum 2, and the same mean.",
            "One-hot rows of ids, transposed, times z are all sums at once. Means over the smoothed counts. In eval mode leave before anything changes.",
        ),
        "perplexity": (
            "Which share of all ids has each code, and what is 0 · log 0?",
            "ids 0, 0, 1, 1 with K = 5: shares ½, ½, 0, 0, 0; entropy log 2; perplexity 2.",
            "`torch.bincount` with `minlength`, shares, `torch.special.entr`, a sum, an exponential.",
        ),
        "gumbel_softmax": (
            "Which sign has g for u close to 1? A large g should make a category win.",
            "u = 0.5: -log u is 0.693, and g is 0.367. Logits 0, 0 with u = 0.5, 0.9: g = 0.367, 2.25; the second wins.",
            "Softmax of (logits + g) / τ. For hard: you have a function that takes one thing's value and another's gradient.",
        ),
    },
    ambiguities=[
        "`pass_through` has the value q up to rounding; `q.detach() + (z - z.detach())` passes, and so does a `torch.autograd.Function`.",
        "`gumbel_softmax` is asked with a right `pass_through`; constants up to 1e-10 within the logarithms pass.",
        "`perplexity` may return a float.",
        "Buffers of `MovingCodebook` may be changed in place or replaced.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)
TOLD = Fields({}, default=Close())
DOUBLE = torch.float64


# --- nearest_code -------------------------------------------------------------------------------------------------


def apart(rng, n_codes, dim, offset=0.0):
    """Entries far from each other, in float32: different corners of a grid."""
    spots = rng.permutation(5**dim)[:n_codes]
    return torch.stack([4.0 * (spots // 5**d % 5) for d in range(dim)], 1) + offset


def around(rng, codebook, *shape):
    """Vectors near entries drawn at random, without doubt which."""
    spots = rng.integers(0, len(codebook), *shape)
    return codebook[spots] + 0.2 * rng.normal(*shape, codebook.shape[1])


@question.probe(points=0.5, title="nearest_code: vectors, and pictures of vectors", public=True, judge=TOLD)
def nearest(student, rng):
    return {
        "a few vectors": attempt(student.nearest_code, rng.normal(11, 3, dtype=DOUBLE), rng.normal(6, 3, dtype=DOUBLE)),
        "pictures, axis 1": attempt(student.nearest_code, rng.normal(2, 3, 4, 5, dtype=DOUBLE), rng.normal(7, 3, dtype=DOUBLE), axis=1),
    }


@question.probe(points=1, title="nearest_code: other axes, ties, offsets, one vector", judge=TOLD)
def nearest_edges(student, rng):
    device = rng.device

    def ask(shape, n_codes, dim, axis=None, scale=1.0):
        z, codebook = rng.normal(*shape, dtype=DOUBLE), scale * rng.normal(n_codes, dim, dtype=DOUBLE)
        return attempt(student.nearest_code, z, codebook) if axis is None else attempt(student.nearest_code, z, codebook, axis)

    corners = torch.tensor([[0.0, 0], [4, 0], [0, 4], [4, 4], [4, 0], [0, 4], [4, 4], [-4, -4]], device=device)
    spread = torch.cat([rng.normal(4, 3, dtype=DOUBLE), 5 * rng.normal(4, 3, dtype=DOUBLE)])[rng.permutation(8)]
    grid = apart(rng, 9, 3, 20000.0)
    close = rng.normal(1, 3, dtype=DOUBLE) + 1e-9 * rng.normal(9, 3, dtype=DOUBLE)
    small = apart(rng, 8, 4)
    return {
        "many vectors": ask((40, 4), 9, 4),
        "one vector": tried(lambda: [student.nearest_code(rng.normal(3, dtype=DOUBLE), rng.normal(12, 3, dtype=DOUBLE)) for _ in range(6)]),
        "several axes before": ask((2, 3, 5, 4), 7, 4),
        "as many vectors as entries as numbers": ask((5, 5), 5, 5),
        "axis 0": ask((3, 8), 6, 3, 0),
        "axis 2 of four": ask((2, 4, 3, 5), 7, 3, 2),
        "axis -2": ask((4, 3, 6), 8, 3, -2),
        "the last axis by number": ask((4, 5, 3), 8, 3, 2),
        "pictures": ask((3, 4, 2, 6), 10, 4, 1),
        "pictures with D = H = W": ask((2, 4, 4, 4), 10, 4, 1),
        "pictures in float32": attempt(student.nearest_code, around(rng, small, 2, 3, 5).movedim(-1, 1), small, axis=1),
        "one picture": ask((1, 3, 4, 5), 9, 3, 1),
        "equal entries, and vectors in the middle": attempt(
            student.nearest_code, torch.tensor([[4.0, 0], [0, 4], [4, 4], [2, 4], [4, 2], [2, 2], [-2, -2], [5, 1], [0, 3]], device=device), corners
        ),
        "short and long entries": attempt(student.nearest_code, 2 * rng.normal(30, 3, dtype=DOUBLE), spread),
        "long entries": ask((30, 3), 8, 3, scale=4.0),
        "short entries": ask((30, 3), 8, 3, scale=0.1),
        "a common offset of 20,000": attempt(student.nearest_code, around(rng, grid, 14), grid),
        "numbers in D = 1": ask((4, 6, 1), 7, 1),
        "more entries than vectors": ask((4, 3), 40, 3),
        "one entry": tried(lambda: [student.nearest_code(rng.normal(5, 2), rng.normal(1, 2)), student.nearest_code(rng.normal(3, 2), rng.normal(1, 2))]),
        "entries that differ in the ninth digit, in float64": attempt(student.nearest_code, close[rng.permutation(9)] + 1e-10 * rng.normal(9, 3, dtype=DOUBLE), close),
        "vectors with gradients": attempt(student.nearest_code, rng.normal(8, 3, dtype=DOUBLE).requires_grad_(), rng.normal(6, 3, dtype=DOUBLE).requires_grad_()),
    }


# --- pass_through -------------------------------------------------------------------------------------------------

KINDS = ("straight_through", "rotation")


def pair(rng, *shape, dtype=torch.float32):
    """z and q, unlike in length and direction, but never opposite."""
    z = rng.normal(*shape, dtype=dtype)
    q = 0.4 * z + 0.5 * rng.normal(*shape, dtype=dtype)
    return z, 1.7 * q


def slopes_of_both(compute, z, q, weight):
    """Gradients by z and q of the weighted sum; zeros where there is none."""
    z, q = z.clone().requires_grad_(), q.clone().requires_grad_()
    found = (weight * tensor_of(compute(z, q), "the result", weight.shape)).sum()
    if not found.requires_grad:
        return "the result carries no gradient."
    grads = torch.autograd.grad(found, (z, q), allow_unused=True)
    return {name: torch.zeros_like(leaf) if grad is None else grad for name, leaf, grad in zip(("by z", "by q"), (z, q), grads)}


@question.probe(points=0.5, title="pass_through: values, and gradients of z", public=True, judge=TOLD)
def passing(student, rng):
    found = {}
    for kind in KINDS:
        (z, q), weight = pair(rng, 5, 3), rng.normal(5, 3)
        leaf = z.clone().requires_grad_()
        found[f"{kind}, value"] = attempt(student.pass_through, z, q, kind)
        found[f"{kind}, gradient"] = tried(lambda: gradient("the result", weight * tensor_of(student.pass_through(leaf, q, kind), "the result", (5, 3)), z=leaf))
    return found


@question.probe(points=2, title="pass_through: gradients of z and q, other shapes, lengths and angles, float64", judge=Fields({
    f"{kind}, in float64{what}": WIDE for kind in KINDS for what in ("", ", both slopes")
} | {f"{kind}, short vectors": Close(rtol=1e-4, atol=1e-9) for kind in KINDS}, default=Close()))
def passing_edges(student, rng):
    found = {}
    for kind in KINDS:

        def value(z, q):
            return student.pass_through(z, q, kind)

        def both(z, q):
            weight = rng.normal(*z.shape, dtype=z.dtype)
            return tried(lambda: slopes_of_both(value, z, q, weight))

        z, q = pair(rng, 6, 4)
        across = z - (z * q).sum(-1, keepdim=True) / q.square().sum(-1, keepdim=True) * q
        longer = (10.0 ** rng.uniform(6, 1, low=-1, high=1)) * q
        found |= {
            f"{kind}, value": attempt(value, z, q),
            f"{kind}, both slopes": both(z, q),
            f"{kind}, several axes": attempt(value, *pair(rng, 2, 3, 4)),
            f"{kind}, several axes, both slopes": both(*pair(rng, 2, 3, 4)),
            f"{kind}, one vector, both slopes": both(*pair(rng, 5)),
            f"{kind}, in the plane, both slopes": both(*pair(rng, 4, 2)),
            f"{kind}, square, both slopes": both(*pair(rng, 4, 4)),
            f"{kind}, q longer or shorter": attempt(value, z, longer),
            f"{kind}, q longer or shorter, both slopes": both(z, longer),
            f"{kind}, q in the direction of z, both slopes": both(z, (0.3 + rng.uniform(6, 1)) * z),
            f"{kind}, q at right angles, both slopes": both(across, q),
            f"{kind}, q nearly opposite, both slopes": both(q + 0.3 * across, -q + 0.3 * across),
            f"{kind}, equal lengths, both slopes": both(z, q * z.norm(dim=-1, keepdim=True) / q.norm(dim=-1, keepdim=True)),
            f"{kind}, short vectors": attempt(value, 1e-4 * z, 2e-4 * q),
            f"{kind}, short vectors, both slopes": both(1e-4 * z, 2e-4 * q),
            f"{kind}, in float64": attempt(value, *pair(rng, 3, 4, dtype=DOUBLE)),
            f"{kind}, in float64, both slopes": both(*pair(rng, 3, 4, dtype=DOUBLE)),
        }
    return found


# --- vq_losses ----------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="vq_losses: values", public=True, judge=TOLD)
def losses(student, rng):
    z, q = pair(rng, 5, 3)
    return {"vectors": tried(lambda: two_of(student.vq_losses(z, q, 0.25), "the codebook loss", "the commitment loss"))}


def loss_slopes(student, z, q, beta):
    """Gradients of each loss by z and q; zeros where there is none."""
    found = []
    for i in range(2):
        leaves = z.clone().requires_grad_(), q.clone().requires_grad_()
        loss = tensor_of(two_of(student.vq_losses(*leaves, beta), "the codebook loss", "the commitment loss")[i], "a loss", ())
        if not loss.requires_grad:
            return f"the {('codebook', 'commitment')[i]} loss carries no gradient."
        grads = torch.autograd.grad(loss, leaves, allow_unused=True)
        found.append([10 * (torch.zeros_like(leaf) if grad is None else grad) for leaf, grad in zip(leaves, grads)])
    return {"codebook loss": found[0], "commitment loss": found[1]}


@question.probe(points=1, title="vq_losses: who is moved by what, other shapes and β, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def losses_edges(student, rng):
    def ask(beta, *shapes, dtype=torch.float32, scale=1.0):
        return tried(lambda: [list(map(float, two_of(student.vq_losses(*(scale * part for part in pair(rng, *shape, dtype=dtype)), beta), "the codebook loss", "the commitment loss"))) for shape in shapes])

    same = pair(rng, 4, 3)[0]
    return {
        "vectors": ask(0.25, (5, 3), (4, 2), (7, 6)),
        "pictures": ask(0.25, (3, 2, 4, 5), (2, 3, 5, 2), (4, 5, 2, 3)),
        "β = 2": ask(2.0, (5, 3), (3, 4), (2, 6)),
        "β = 1": ask(1.0, (5, 3), (3, 4), (2, 6)),
        "β = 0": ask(0.0, (5, 3), (3, 4), (2, 6)),
        "one vector": ask(0.5, (1, 3), (1, 5), (6,)),
        "one number in each vector": ask(0.5, (4, 1), (7, 1), (2, 5, 1)),
        "large vectors": ask(0.25, (5, 3), (4, 2), (3, 7), scale=50.0),
        "vectors that are their code": tried(lambda: list(map(float, student.vq_losses(same, same.clone(), 0.25)))),
        "gradients": tried(lambda: loss_slopes(student, *pair(rng, 5, 3), 0.25)),
        "gradients, pictures, β = 3": tried(lambda: loss_slopes(student, *pair(rng, 2, 4, 3, 2), 3.0)),
        "in float64": ask(0.25, (5, 3), (4, 2), (7, 6), dtype=DOUBLE),
    }


# --- MovingCodebook -----------------------------------------------------------------------------------------------


def book_of(student, codes, *settings, **more):
    """A codebook in training mode, made by the student's class."""
    return student.raw.MovingCodebook(codes, *settings, **more).to(codes.device).train()


def state(book):
    """What it holds."""
    return {name: tensor_of(getattr(book, name), f"`{name}`") + 0.0 for name in ("codes", "counts", "sums")}


def choices(rng, n, n_codes):
    """Ids without order, of unequal numbers."""
    return torch.cat([rng.integers(0, n_codes, n - n // 3), rng.integers(0, max(1, n_codes // 2), n // 3)])[rng.permutation(n)]


def updated(student, rng, n, n_codes, dim, *settings, batches=1, ids=None, dtype=torch.float32, evaluating=(), **more):
    """The state after batches; those numbered in evaluating come in eval mode."""
    def compute():
        book = book_of(student, rng.normal(n_codes, dim, dtype=dtype), *settings, **more)
        for b in range(batches):
            book.train(b not in evaluating)
            book.update(rng.normal(n, dim, mean=0.5, dtype=dtype), choices(rng, n, n_codes) if ids is None else ids)
        return state(book)

    return tried(compute)


def revived(student, rng, n, n_codes, dim, *least, ids=None, dtype=torch.float32, decay=0.5, train=True, then=0):
    """The state after a batch, a revival, and more batches."""
    def compute():
        book = book_of(student, rng.normal(n_codes, dim, dtype=dtype), decay)
        book.update(rng.normal(n, dim, dtype=dtype), choices(rng, n, n_codes) if ids is None else ids)
        book.train(train)
        rows = rng.normal(n, dim, mean=2.0, dtype=dtype)
        book.revive(rows, rng.integers(0, n, n_codes), *least)
        rows.zero_()   # the entries must not be views of the batch
        for _ in range(then):
            book.update(rng.normal(n, dim, dtype=dtype), choices(rng, n, n_codes))
        return state(book)

    return tried(compute)


@question.probe(points=0.5, title="MovingCodebook: one batch, and a revival", public=True, judge=TOLD)
def moving(student, rng):
    ids = torch.tensor([0, 2, 2, 0, 2, 0, 2], device=rng.device)
    return {
        "update": updated(student, rng, 9, 4, 3),
        "revive": revived(student, rng, 7, 4, 3, ids=ids),
    }


@question.probe(points=1.5, title="MovingCodebook: several batches, smoothing, eval mode, revival, float64", judge=Fields({
    "in float64": WIDE, "revived, in float64": WIDE}, default=Close()))
def moving_edges(student, rng):
    device = rng.device
    some = torch.tensor([1, 3, 3, 1, 3, 1, 3, 1], device=device)
    uneven = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2], device=device)

    def exact():
        """Counts 1, 0.5, 1.5: not below 1, below, above."""
        book = book_of(student, rng.normal(3, 4), 0.5)
        book.update(rng.normal(3, 4), torch.tensor([0, 2, 2], device=device))
        book.revive(rng.normal(5, 4), torch.tensor([4, 2, 3], device=device))
        return state(book)

    def fixed():
        """A learned z leaves no graph behind."""
        book = book_of(student, rng.normal(4, 3), 0.7)
        book.update(rng.normal(6, 3).requires_grad_(), choices(rng, 6, 4))
        book.revive((2 * rng.normal(6, 3)).requires_grad_(), rng.integers(0, 6, 4), 1.5)
        return state(book) | {"requires gradients": [float(getattr(book, name).requires_grad) for name in ("codes", "counts", "sums")]}

    def loaded():
        """A copy by its state_dict goes on as the first would."""
        first, second = (book_of(student, rng.normal(4, 3), 0.8) for _ in range(2))
        first.update(rng.normal(7, 3), choices(rng, 7, 4))
        second.load_state_dict(first.state_dict())
        second.update(rng.normal(7, 3), choices(rng, 7, 4))
        return state(second)

    def kept():
        """What was handed in, afterwards."""
        codes, z, ids, picks = rng.normal(4, 3), rng.normal(7, 3), choices(rng, 7, 4), rng.integers(0, 7, 4)
        book = book_of(student, codes, 0.5)
        book.update(z, ids)
        book.revive(z, picks, 2.0)
        return {"codes": codes, "z": z, "ids": ids, "picks": picks}

    return {
        "one batch": updated(student, rng, 9, 4, 3),
        "decay 0.5": updated(student, rng, 9, 4, 3, 0.5),
        "decay 0": updated(student, rng, 12, 3, 5, 0.0, ids=torch.tensor([0, 1, 2, 2, 1, 2, 2, 0, 2, 2, 1, 2], device=device)),
        "three batches": updated(student, rng, 11, 5, 3, 0.8, batches=3),
        "a large eps": updated(student, rng, 9, 4, 3, 0.6, 0.5, batches=2),
        "a large eps, another size of batch": updated(student, rng, 17, 5, 2, decay=0.7, eps=0.3, batches=2),
        "entries that nobody chose": updated(student, rng, 8, 5, 3, 0.6, ids=some, batches=2),
        "entries that nobody chose for long": updated(student, rng, 8, 5, 3, 0.1, ids=some, batches=6),
        "all choose one": updated(student, rng, 6, 4, 3, 0.5, ids=torch.full((6,), 2, device=device)),
        "a batch of one": updated(student, rng, 1, 3, 4, 0.5, ids=torch.tensor([1], device=device)),
        "as many entries as vectors as numbers": updated(student, rng, 4, 4, 4, 0.5, ids=torch.tensor([0, 2, 2, 2], device=device)),
        "one entry": updated(student, rng, 5, 1, 3, 0.5, ids=torch.zeros(5, dtype=torch.long, device=device)),
        "in eval mode": updated(student, rng, 9, 4, 3, 0.5, evaluating=(0,)),
        "training, eval, training": updated(student, rng, 9, 4, 3, 0.5, batches=3, evaluating=(1,)),
        "in float64": updated(student, rng, 9, 4, 3, 0.9, dtype=DOUBLE, batches=2),
        "revived": revived(student, rng, 8, 5, 3, ids=some),
        "revived, counts 0": revived(student, rng, 8, 5, 3, ids=some, decay=0.0),
        "revived, count equal to least": tried(exact),
        "revived, least 2.2": revived(student, rng, 9, 3, 2, 2.2, ids=uneven),
        "revived, least 0.2": revived(student, rng, 8, 5, 3, 0.2, ids=some, decay=0.1),
        "revived, none below": revived(student, rng, 9, 3, 4, 0.1, ids=uneven),
        "revived, all below": revived(student, rng, 9, 3, 4, 50.0, ids=uneven),
        "revived in eval mode": revived(student, rng, 8, 5, 3, ids=some, train=False),
        "revived, then two batches": revived(student, rng, 8, 5, 3, ids=some, then=2),
        "revived, in float64": revived(student, rng, 8, 5, 3, ids=some, dtype=DOUBLE, then=1),
        "vectors with gradients": tried(fixed),
        "loaded": tried(loaded),
        "arguments afterwards": tried(kept),
    }


# --- perplexity ---------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="perplexity: ids of vectors and pictures", public=True, judge=TOLD)
def usage(student, rng):
    return {"in a row": tried(lambda: [student.perplexity(choices(rng, n, 5), 5) for n in (12, 19, 30)])}


@question.probe(points=0.5, title="perplexity: shapes, codes that do not occur, uniform and single codes", judge=TOLD)
def usage_edges(student, rng):
    def ask(*cases):
        return tried(lambda: [student.perplexity(ids, k) for ids, k in cases])

    long = [choices(rng, n, 6) for n in (13, 24, 40)]
    return {
        "in a row": ask(*((ids, 6) for ids in long)),
        "pictures": ask(*((choices(rng, n * h * w, 7).view(n, h, w), 7) for n, h, w in ((2, 3, 5), (4, 2, 3), (3, 3, 3)))),
        "many more codes than occur": ask(*((ids, 50) for ids in long)),
        "the first codes do not occur": ask(*((ids + 3, 9) for ids in long)),
        "the codes between do not occur": ask(*((3 * ids, 17) for ids in long)),
        "all equally often": ask(*((rng.permutation(k * m) % k, k) for k, m in ((4, 3), (7, 2), (12, 5)))),
        "one code": ask((torch.full((5,), 2, device=rng.device), 4), (torch.zeros(3, 3, dtype=torch.long, device=rng.device), 6), (torch.ones(1, dtype=torch.long, device=rng.device), 2)),
        "many ids": ask(*((choices(rng, 4000, k), k) for k in (64, 512, 20))),
    }


# --- gumbel_softmax -----------------------------------------------------------------------------------------------


def right_pass_through(z, q, kind="straight_through"):
    """The value of q, and z's gradient."""
    return q.detach() + z - z.detach()


def relaxed(rng, *shape, dtype=torch.float32, low=0.02, high=0.98):
    """Logits and u."""
    return rng.normal(*shape, std=1.5, dtype=dtype), rng.uniform(*shape, low=low, high=high, dtype=dtype)


@question.probe(points=0, title="gumbel_softmax: soft, and hard with your `pass_through` if you call it", public=True, judge=TOLD)
def relaxing(student, rng):
    return {
        "soft, τ = 1": attempt(student.gumbel_softmax, *relaxed(rng, 3, 4), 1.0),
        "hard, τ = 0.5": attempt(student.gumbel_softmax, *relaxed(rng, 5, 3), 0.5, hard=True),
    }


@question.probe(points=1.5, title="gumbel_softmax: all τ, gradients, extreme logits and u, float64", judge=Fields({
    "in float64": WIDE, "hard, gradient in float64": WIDE}, default=Close()))
def relaxing_edges(student, rng):
    ask = with_right(student.gumbel_softmax, pass_through=right_pass_through)

    def slopes(tau, *more, shape=(4, 3), dtype=torch.float32):
        def compute():
            logits, u = relaxed(rng, *shape, dtype=dtype)
            leaf, weight = logits.clone().requires_grad_(), rng.normal(*shape, dtype=dtype)
            return gradient("the result", weight * tensor_of(ask(leaf, u, tau, *more), "the result", shape), logits=leaf)

        return tried(compute)

    logits, u = relaxed(rng, 5, 4)
    extremes = torch.tensor([[1e-6, 0.5, 0.9], [0.3, 1e-6, 1e-5], [0.97, 0.98, 0.99], [1e-6, 2e-6, 1e-3]], device=rng.device)
    return {
        "τ = 1": attempt(ask, logits, u, 1.0),
        "τ = 0.3": attempt(ask, logits, u, 0.3),
        "τ = 5": attempt(ask, logits, u, 5.0),
        "τ = 0.001": attempt(ask, logits, u, 0.001),
        "τ = 2, a whole number": attempt(ask, *relaxed(rng, 3, 5), 2),
        "several axes": attempt(ask, *relaxed(rng, 2, 3, 4), 0.7),
        "square": attempt(ask, *relaxed(rng, 4, 4), 0.7),
        "one row": attempt(ask, *relaxed(rng, 6), 0.7),
        "logits of hundreds": attempt(ask, 300 * logits, u, 1.0),
        "logits around 500": attempt(ask, 500 + logits, u, 1.0),
        "all logits equal": attempt(ask, 0 * logits, u, 1.5),
        "u close to 0 and 1": attempt(ask, torch.tensor([[0.0, -2, -4], [-4, 1, 0], [-9, -3, -1], [0, 0.5, -1]], device=rng.device), extremes, 1.5),
        "hard": attempt(ask, *relaxed(rng, 7, 4), 1.0, True),
        "hard, several axes": attempt(ask, *relaxed(rng, 2, 3, 4), 1.0, True),
        "hard, square": attempt(ask, *relaxed(rng, 4, 4), 1.0, True),
        "hard, one row": tried(lambda: [ask(*relaxed(rng, 5), 0.5, True) for _ in range(3)]),
        "gradient": slopes(1.0),
        "gradient, τ = 0.4": slopes(0.4, shape=(2, 3, 4)),
        "hard, gradient": slopes(1.0, True),
        "hard, gradient, τ = 2.5": slopes(2.5, True, shape=(3, 2, 5)),
        "in float64": attempt(ask, *relaxed(rng, 3, 4, dtype=DOUBLE, low=0.2, high=0.8), 0.8),
        "hard, gradient in float64": slopes(0.8, True, dtype=DOUBLE),
        "type": tried(lambda: [in_words(ask(*relaxed(rng, 2, 3, dtype=dtype), 1.0, hard)) for dtype in (torch.float32, DOUBLE) for hard in (False, True)]),
    }
