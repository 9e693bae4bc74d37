"""Hidden tests of question 9: reverse-mode differentiation on a graph, and gradient checking."""

import gc
import math

import numpy as np
import torch

from autograder.probes import Close, alternative, edit_alternative, edit_mistake, mistake, probe, question

question(
    "q9",
    title="Automatic differentiation, and a check that can be trusted",
    skills=["1.22", "1.23"],
    minutes=80,
    manual_points=2,
    rubric=[
        "1 point: the missing term is -y · mean(grad_y · y) / s, the dependence of the standard deviation s on x; it vanishes at the test's "
        "point because y is odd about the centre and the weights are even, so that the products cancel. (½ point for the term without the reason.)",
        "1 point: points and weights in general position (random, no symmetry, several seeds or shapes), and: with L = Σ y the weights are "
        "constant and mean(y) = 0, so the term (indeed the whole gradient) is zero for every x.",
    ],
    aim="Write reverse-mode differentiation and a gradient check, find a wrong backward pass with it, and see why its unit test missed it.",
    hints=[
        "Draw the graph of L = x·x + x and do (9.1) by hand at x = 3: three edges leave x, and they bring 3, 3 and 1. For the order, think of "
        "dressing: what is needed first? A node may be appended when all of its parents have been.",
        "Topological order without recursion: use a list as a stack, and visit each node twice, once to push its parents above it, once, after them, to "
        "append it. `unbroadcast`: first sum over the extra axes in front, then, with keepdims, over those where `shape` has a 1. `gradcheck`: copy x as float64 for every entry and change one number of the copy.",
        "The stack: push (root, False). Popping (node, False) for the first time, push (node, True) and then (parent, False) for all parents; popping "
        "(node, True), append the node. `backward`: fresh zeros for every node of the order, ones for the root; then, in reversed order, for each parent with its vjp: "
        "parent.grad = parent.grad + vjp(node.grad). `fixed_backward`: ∂y_i/∂x_j = (δ_ij - 1/D - y_i y_j / D) / s; multiply by grad_y and sum over i.",
    ],
    ambiguities=[
        "Any topological order is right. The order may come back as a list or a tuple.",
        "For gradients of a wrong shape or with NaN, the error must be inf.",
        "atol and rtol enter as in (9.4), not as in np.isclose, which is relative to the second argument only.",
    ],
)


# --- graphs --------------------------------------------------------------------------------------------------------


def random_parents(rng):
    """Parents of each node, as numbers; node -3 is the root, and it does not depend on the last two nodes."""
    n = rng.integer(7, 12)
    parents = [(), (), (), (0,), (3, 0), (4, 3)]  # a node used directly and through a longer chain
    for i in range(len(parents), n):
        parents.append(rng.choice([(i - 1, i - 1), (i - 1, rng.integer(0, i)), (rng.integer(1, i), i - 1), (i - 1, 2, 1)]))
    parents += [(3, 3), (3,), (n + 1,)]  # used twice on a short way, and once on a longer one
    n, used = n + 3, {p for ps in parents for p in ps}
    parents.append((3, *(i for i in range(n) if i not in used)))
    return [*parents, (1, 3), (n, n + 1)]


def graphs_to_order(rng):
    """Two graphs, and both with all parents in the opposite order: a wrong order may be right by luck for one of them."""
    graphs = {"first graph": random_parents(rng), "second graph": random_parents(rng)}
    return graphs | {f"{name}, mirrored": [ps[::-1] for ps in parents] for name, parents in graphs.items()}


def build(Var, rng, parents, calls):
    """A graph of arrays with vjps of our own. ``calls`` counts how often each is called."""
    shape = (rng.integer(2, 4), 1)
    nodes = []

    def counted(edge, function):
        def vjp(g):
            calls[edge] = calls.get(edge, 0) + 1
            return function(g)

        return vjp

    for i, ps in enumerate(parents):
        if not ps:
            nodes.append(Var(rng.uniform(*shape, low=0.5, high=1.2, dtype=torch.float64).cpu().numpy()))
            continue
        values = [nodes[p].value for p in ps]
        if i % 2 or len(ps) > 2:  # a sum, whose vjps return the very array they get
            value, vjps = sum(values), [lambda g: g for _ in ps]
        elif len(ps) == 1:
            value = np.tanh(values[0])
            vjps = [lambda g, y=value: g * (1 - y**2)]
        else:
            a, b = values
            value, vjps = 0.7 * a * b, [lambda g, b=b: 0.7 * g * b, lambda g, a=a: 0.7 * g * a]
        nodes.append(Var(value, [nodes[p] for p in ps], [counted(f"{i}.{j}", vjp) for j, vjp in enumerate(vjps)]))
    return nodes


def number(Var, node, rng):
    """The weighted sum of a node's entries; the gradient that its vjp returns is read-only."""
    weights = rng.normal(*node.value.shape, dtype=torch.float64).cpu().numpy()
    weights.flags.writeable = False
    return Var((weights * node.value).sum(), [node], [lambda g: np.broadcast_to(g * weights, weights.shape)])


def valid_order(evidence, expected, context):
    """Every reachable node once, parents first."""
    graphs = graphs_to_order(context.rng())
    if set(evidence) != set(graphs):
        return "the answer has an unexpected form."
    for name, order in evidence.items():
        parents = graphs[name]
        root = len(parents) - 3
        order = [int(i) for i in order]
        needed, stack = set(), [root]
        while stack:
            i = stack.pop()
            if i not in needed:
                needed.add(i)
                stack += parents[i]
        if len(set(order)) < len(order):
            return f"{name}: a node is in the list more than once ({len(order)} entries for {len(needed)} nodes)."
        if set(order) - needed:
            return f"{name}: the list holds something that the root does not depend on."
        if needed - set(order):
            kind = "leaves (nodes without parents)" if all(not parents[i] for i in needed - set(order)) else "nodes"
            return f"{name}: {len(needed - set(order))} of {len(needed)} nodes are missing: {kind}."
        place = {i: k for k, i in enumerate(order)}
        wrong = sum(place[p] > place[i] for i in needed for p in parents[i])
        if wrong:
            return f"{name}: along {wrong} edges the parent comes after its child." + (
                " The list looks reversed: the root comes first." if order[0] == root else ""
            )
    return True


def indices(order, nodes):
    numbers = {id(node): i for i, node in enumerate(nodes)}
    return [numbers.get(id(node), -1) for node in order]


@probe(points=0.5, title="a topological order", public=True, judge=valid_order)
def order_random(student, rng):
    found = {}
    for name, parents in graphs_to_order(rng).items():
        nodes = []
        for ps in parents:
            nodes.append(student.Var(1.0, [nodes[p] for p in ps], [lambda g: g for _ in ps]))
        student.topological_order(nodes[4])  # leaves no trace
        found[name] = indices(student.topological_order(nodes[-3]), nodes)
    return found


class Parents(tuple):
    """A node's parents, which may be read a hundred times: enough for every node once, not for every path."""

    def __iter__(self):
        self.reads = getattr(self, "reads", 0) + 1
        if self.reads > 100:
            raise ValueError("one node is visited over and over, once for every path that leads to it; visit every node once")
        return super().__iter__()


def link(Var, value, parents=()):
    """A Var, made without its conversions, which take time."""
    node = Var.__new__(Var)
    node.value, node.parents, node.vjps, node.grad = value, parents, (abs,) * len(parents), None
    return node


@probe(points=0.25, title="a chain of 3,500 nodes, a chain of diamonds, and a single node")
def order_deep(student, rng):
    start = np.array(rng.number())
    root = rng.integer(3300, 3500)  # Jupyter allows a recursion depth of 3000
    gc.disable()  # so many new objects make the collector walk through all of the memory
    try:
        Var = student.Var
        nodes, diamonds = [link(Var, start)], [link(Var, start)]
        for _ in range(3499):
            nodes.append(link(Var, start, (nodes[-1],)))
        for _ in range(30):
            diamonds.append(link(Var, start, Parents((diamonds[-1],) * 2)))
        return {
            "diamonds": indices(student.topological_order(diamonds[-1]), diamonds),
            "chain": np.array(indices(student.topological_order(nodes[root]), nodes)),
            "single": indices(student.topological_order(nodes[0]), nodes),
        }
    finally:
        gc.enable()


@probe(points=0.5, title="gradients on a random graph", public=True, judge=Close(rtol=1e-9, atol=1e-12))
def gradients_random(student, rng):
    nodes = build(student.Var, rng, random_parents(rng), {})
    root = number(student.Var, nodes[-3], rng)
    student.backward(root)
    square = student.Var(rng.uniform(low=1.0, high=2.0, dtype=torch.float64).cpu().numpy())
    x = square.value
    twice = student.Var(x * x, [square, square], [lambda g: g * x, lambda g: g * x])
    student.backward(twice)
    b, c = (student.Var(rng.normal(2, dtype=torch.float64).cpu().numpy()) for _ in range(2))
    y, z = b.value, c.value
    product = student.Var(y * z, [b, c], [lambda g: g * z, lambda g: g * y])
    both = student.Var(y * z + y, [product, b], [lambda g: g, lambda g: g])
    w = rng.normal(2, dtype=torch.float64).cpu().numpy()
    student.backward(student.Var((w * both.value).sum(), [both], [lambda g: g * w]))
    return {"b times c, plus b": [b.grad, c.grad, product.grad], "x times x": float(square.grad), "leaves": [node.grad for node in nodes[:3]], "inner nodes": [node.grad for node in nodes[3:-2]], "root": root.grad}


@probe(points=0.5, title="stale gradients, calls of the vjps, other nodes", judge=Close(rtol=1e-9, atol=1e-12))
def gradients_again(student, rng):
    calls, parents = {}, random_parents(rng)
    nodes = build(student.Var, rng, parents, calls)
    root = number(student.Var, nodes[-3], rng)
    student.backward(root)
    student.backward(root)
    after_two = [None if node.grad is None else np.array(node.grad) for node in nodes[:-2]]
    counts = dict(calls)
    other = number(student.Var, nodes[4], rng)
    for node in (other, *nodes[:5]):
        node.grad = np.full_like(node.value, 5.0)
    nodes[-1].grad = nodes[-2].grad = np.array(7.0)
    student.backward(other)
    lone = student.Var(3.0)
    student.backward(lone)
    return {
        "the same root twice": after_two, "calls of each vjp in two runs": [counts.get(key, 0) for key in sorted(calls)],
        "another root after it": [node.grad for node in nodes[:2]] + [node.grad for node in nodes[3:5]] + [other.grad],
        "not reachable": [float(nodes[-1].grad), float(nodes[-2].grad)], "a root without parents": float(lone.grad),
    }


@probe(points=0.5, title="broadcasting undone", public=True, judge=Close(rtol=1e-9, atol=1e-12))
def broadcasts(student, rng):
    a, b, c = rng.integer(2, 5), rng.integer(2, 5), rng.integer(5, 7)
    pairs = [
        ((a, b), (a, b)), ((a, b), (b,)), ((a, b), (1, b)), ((a, b), (a, 1)), ((a, b), (1, 1)), ((a, b), (1,)), ((a, b), ()), ((), ()),
        ((c, a, b, 3), (a, 1, 3)), ((a, b, 3), (1, b, 1)), ((c, a, b), (1, b)), ((c, 1, b), (1, b)), ((a, 1), (a, 1)), ((b, b), (b,)), ((b, b), (b, 1)), ((1, a), (a,)), ((1, 1), ()),
    ]
    return {f"{big} to {small}": student.unbroadcast(rng.normal(*big, dtype=torch.float64).cpu().numpy(), small) for big, small in pairs}


# --- gradient checking -----------------------------------------------------------------------------------------------


class Case:
    """f(x) = A Σ w φ(x / s) + A Σ exp(sum of two neighbours of x / s), at a point of size s, and its gradient.

    The second sum, without which a moved entry would not change the derivative in another, is left out for kind "sin".
    ``dtypes`` notes the types that come in, ``moved`` the entries in which points differ from x, ``away`` how far from x the gradient is taken.
    """

    def __init__(self, rng, shape, scale=1.0, height=1.0, kind="exp"):
        def draw(low, high):
            return rng.uniform(*shape, low=low, high=high, dtype=torch.float64).cpu().numpy()

        sign = np.where(draw(0, 1) < 0.5, -1.0, 1.0)
        self.x, self.w, self.dtypes = scale * sign * draw(0.6, 1.4), draw(0.5, 1.5), set()
        self.scale, self.height, self.kind = scale, height, kind
        self.point, self.moved, self.away = self.x.copy(), None, 0.0
        places = np.arange(self.x.size)
        self.before, self.after = places - 1, (places + 1) % self.x.size

    def f(self, x):
        self.dtypes.add(str(np.asarray(x).dtype))
        if self.moved is not None:
            self.moved.update(np.flatnonzero(x != self.point).tolist())
        u = x / self.scale
        value = np.exp(u) if self.kind == "exp" else u + 0.3 * u**2 if self.kind == "parabola" else 2 * u + np.sin(u)
        return self.height * ((self.w * value).sum() + self.pairs(u).sum())

    def pairs(self, u):
        u = u.reshape(-1)
        return np.exp(u + u[self.before]) * (self.kind != "sin")

    def gradient(self, x):
        self.dtypes.add(str(np.asarray(x).dtype))
        if self.moved is not None:
            self.away = max(self.away, float(np.abs(x - self.point).max()))
        u = x / self.scale
        slope = np.exp(u) if self.kind == "exp" else 1 + 0.6 * u if self.kind == "parabola" else 2 + np.cos(u)
        pairs = self.pairs(u)
        return self.height / self.scale * (self.w * slope + (pairs + pairs[self.after]).reshape(u.shape))


def wrong(case, factor, entry=None):
    """The gradient times ``factor``, in one entry or in all."""

    def gradient(x):
        g = case.gradient(x)
        if entry is None:
            return factor * g
        g[entry] *= factor
        return g

    return gradient


def report(result):
    ok, error = result
    return {"ok": int(ok), "max_error": float(error)}


def all_pass(evidence, expected, context):
    """Every right gradient passes, with an error between 0 and 1; below 0.01 where rounding leaves no more."""
    for name, found in evidence.items():
        if found["ok"] != 1 or not 0 <= found["max_error"] <= 1:
            return f"{name}: a right gradient does not pass (ok is {bool(found['ok'])}, max_error {found['max_error']:.3g})."
        if found["max_error"] > 0.01 and "zero" not in name:
            return f"{name}: max_error is {found['max_error']:.3g} for a right gradient; with float64 throughout it is far below 0.01."
    return True


@probe(points=0.25, title="one right and three wrong gradients", public=True, judge=Close(rtol=0.02, atol=0.5))
def check_simple(student, rng):
    case = Case(rng, (rng.integer(3, 6),), height=30.0)
    right = report(student.gradcheck(case.f, case.gradient, case.x))
    return {
        "right": {"ok": right["ok"], "max_error, rounded": float(np.round(right["max_error"], 1))},
        "all entries 1% too large": report(student.gradcheck(case.f, wrong(case, 1.01), case.x)),
        "one entry has the wrong sign": report(student.gradcheck(case.f, wrong(case, -1.0, 1), case.x)),
        "every entry has the wrong sign": report(student.gradcheck(lambda x: -case.f(x), case.gradient, case.x)),
    }


@probe(points=0.25, title="right gradients pass, at all scales", judge=all_pass)
def check_right(student, rng):
    found = {}
    for scale, height in ((1.0, 1.0), (1e-3, 1.0), (1e6, 1.0), (1e6, 1e12), (1.0, 1e6), (1e-3, 1e4), (1.0, 1e-3)):
        for kind in ("exp", "parabola") if height == 1.0 else ("exp",):
            case = Case(rng, (2, 3), scale, height, kind)
            found[f"{kind}, x of size {scale:g}, f of size {height:g}"] = report(student.gradcheck(case.f, case.gradient, case.x))
    case = Case(rng, (4,), kind="sin")
    case.x[1] = case.x[3] = 0.0
    case.w[2] = 0.0
    mixed = Case(rng, (3,), np.array([1e-3, 1.0, 1e2]))
    found["a gradient that is x itself"] = report(student.gradcheck(lambda x: (x**2).sum() / 2, lambda x: x, Case(rng, (2, 3)).x))
    found["entries of x of very different size"] = report(student.gradcheck(mixed.f, mixed.gradient, mixed.x))
    found["entries of x and of the gradient that are zero"] = report(student.gradcheck(case.f, case.gradient, case.x))
    return found


@probe(points=0.5, title="wrong gradients do not pass, and by how much", judge=Close(rtol=0.02, atol=1e-3))
def check_wrong(student, rng):
    found = {}
    shape = (2, 3)
    entries = [(int(i) // 3, int(i) % 3) for i in rng.permutation(6)]
    for (scale, height), entry in zip(((1.0, -1.0), (1e-3, 1.0), (1e6, 1e12), (1.0, 1e-3), (1e6, -1e6), (1.0, 1.0)), entries):
        case = Case(rng, shape, scale, height)
        found[f"entry {entry}, x of size {scale:g}, f of size {height:g}"] = report(student.gradcheck(case.f, wrong(case, 1 + 1e-3, entry), case.x))
    last = Case(rng, shape)
    large = Case(rng, (4, 8))
    large.moved = set()
    found["one of 32 entries"] = report(student.gradcheck(large.f, wrong(large, 0.5, (3, rng.integer(0, 8))), large.x))
    found["entries that were moved"] = len(large.moved)
    found["distance from x to where grad_f was called, in millionths"] = 1e6 * large.away
    found["two entries, the last is worst"] = report(student.gradcheck(last.f, wrong(last, np.array([[1.001, 1, 1], [1, 1, 1.003]])), last.x))
    found["too large by a half, rtol 0.4"] = report(student.gradcheck(last.f, wrong(last, 1.5), last.x, 1e-5, 0.4, 0.0))
    found["too small by a third, rtol 0.4"] = report(student.gradcheck(last.f, wrong(last, 0.65), last.x, 1e-5, 0.4, 0.0))
    found["an error of exactly 1"] = report(student.gradcheck(lambda x: 0.0, lambda x: np.full(x.shape, 0.25), last.x, 1e-5, 0.0, 0.25))
    found["an error of 1.2"] = report(student.gradcheck(lambda x: 0.0, lambda x: np.full(x.shape, 0.3), last.x, 1e-5, 0.0, 0.25))
    found["far too small"] = report(student.gradcheck(last.f, wrong(last, 1e-3), last.x))
    found["zero"] = report(student.gradcheck(last.f, wrong(last, 0.0), last.x))
    rtol, atol = rng.number(1e-3, 1e-2), rng.number(1e-3, 1e-2)
    found["a wide tolerance"] = report(student.gradcheck(last.f, wrong(last, 1 + 1e-3), last.x, 1e-5, rtol, 0.0))
    found["absolute tolerance"] = report(student.gradcheck(last.f, lambda x: last.gradient(x) + 1e-3, last.x, 1e-5, 0.0, atol))
    found["both"] = report(student.gradcheck(last.f, wrong(last, 1.05), last.x, 1e-5, rtol, atol))
    coarse = Case(rng, (3,))
    found["a large step, the error of (9.3)"] = report(student.gradcheck(coarse.f, coarse.gradient, coarse.x, 0.3, 1e-3, 0.0))
    small = Case(rng, (3,), 1e-3)
    small.x /= 10
    found["a large step, x near its lower limit"] = report(student.gradcheck(small.f, small.gradient, small.x, 0.3, 1e-3, 0.0))
    return found


@probe(points=0.25, title="shapes, layouts and types of x; gradients of the wrong shape or not finite", judge=Close(rtol=0.02, atol=1e-3))
def check_odd(student, rng):
    case, single = Case(rng, (2, 3), height=30.0), Case(rng, (), height=30.0)
    turned = Case(rng, (3, 2), height=30.0)
    turned.w = turned.w.T.copy()
    whole = np.array([[1, -2, 3], [2, 1, -1]])
    deep = Case(rng, (2, 1, 2, 2), height=30.0)

    def broken(value):
        def gradient(x):
            g = case.gradient(x)
            g[0, 1] = value
            return g

        return gradient

    check = student.gradcheck
    return {
        "0-d": report(check(single.f, wrong(single, 1.01), single.x)),
        "four axes": report(check(deep.f, wrong(deep, 1.01, (1, 0, 1, 1)), deep.x)),
        "transposed": report(check(turned.f, wrong(turned, 1.01), turned.x.T)),
        "float32": report(check(case.f, wrong(case, 1.001), case.x.astype(np.float32))),
        "integers": report(check(case.f, wrong(case, 1.001), whole)),
        "wrong shape": report(check(case.f, lambda x: case.gradient(x).mean(), case.x)),
        "wrong shape, right size": report(check(case.f, lambda x: case.gradient(x).reshape(-1), case.x)),
        "transposed gradient": report(check(case.f, lambda x: case.gradient(x).T, case.x)),
        "an extra axis": report(check(case.f, lambda x: case.gradient(x)[None], case.x)),
        "NaN": report(check(case.f, broken(math.nan), case.x)),
        "infinite": report(check(case.f, broken(math.inf), case.x)),
        "minus infinity": report(check(case.f, broken(-math.inf), case.x)),
        "dtypes that f and grad_f saw": sorted(case.dtypes),
    }


@probe(points=0.5, title="the right backward pass of layer normalisation", judge=Close(rtol=1e-8, atol=1e-9))
def layer_norm_gradient(student, rng):
    def draw(*shape):
        return rng.normal(*shape, dtype=torch.float64).cpu().numpy()

    d = rng.integer(3, 7)
    constant = np.full((2, d), rng.integer(1, 5) / 2)  # its mean has no rounding error
    return {
        "matrix": student.fixed_backward(2 * draw(5, d), draw(5, d)),
        "one row": student.fixed_backward(draw(d), draw(d)),
        "three axes": student.fixed_backward(draw(2, 3, d), draw(2, 3, d)),
        "a large eps": student.fixed_backward(draw(3, d), draw(3, d), 0.5),
        "constant rows": student.fixed_backward(constant, draw(2, d), 0.25),
        "D = 1": student.fixed_backward(draw(3, 1), draw(3, 1)),
        "small rows": student.fixed_backward(1e-3 * draw(3, d), draw(3, d)),
        "far from 0": student.fixed_backward(1e5 + draw(3, d), draw(3, d)),
    }


# --- mistakes: graph -------------------------------------------------------------------------------------------------

ORDER = """    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(parent, False) for parent in node.parents]
    return order
"""
ADD = "parent.grad = parent.grad + vjp(node.grad)"
FRESH = "    for node in order:\n        node.grad = np.zeros_like(node.value)\n    root.grad = np.ones_like(root.value)\n"

edit_mistake(
    "breadth_first", "the order is that of a breadth-first search: a node that is used both directly and through a longer chain comes too late",
    (ORDER, """    order = {root: 0}
    queue = [root]
    for node in queue:
        for parent in node.parents:
            if parent not in order:
                order[parent] = len(order)
                queue.append(parent)
    return list(order)[::-1]
"""),
)
edit_mistake(
    "preorder", "a node stands in the order before one of its parents, as it was placed when it was found; append it when all its parents are in the list",
    (ORDER, """    order, stack = {}, [root]
    while stack:
        node = stack.pop()
        if node not in order:
            order[node] = len(order)
            stack += node.parents
    return list(order)[::-1]
"""),
)
edit_mistake(
    "seen_when_pushed", "a node counts as seen when it is put on the stack, so a longer way to it, which is found later, is not followed",
    ("        elif node not in seen:\n            seen.add(node)\n", "        else:\n"),
    ("            stack += [(parent, False) for parent in node.parents]\n",
     "            new = [parent for parent in dict.fromkeys(node.parents) if parent not in seen]\n"
     "            seen.update(new)\n            stack += [(parent, False) for parent in new]\n"),
)
edit_mistake(
    "keeps_state", "nodes that an earlier call has seen count as seen: a second call, from another root, leaves them out",
    ("    order, seen, stack = [], set(), [(root, False)]\n", "    order, seen, stack = [], topological_order.__dict__.setdefault('seen', set()), [(root, False)]\n"),
)
edit_mistake("root_first", "the order is reversed: children come before their parents", ("    return order\n", "    return order[::-1]\n"), ("reversed(order)", "order"))
edit_mistake("no_leaves", "leaves are missing from the order, so they get no gradient", ("            order.append(node)\n", "            order += [node] if node.parents else []\n"))
edit_mistake(
    "every_path", "nodes are visited once for every path: they occur several times, and in a chain of diamonds the time doubles with each one",
    ("        elif node not in seen:\n", "        else:\n"),
)
edit_mistake(
    "recursive", "the order is found by recursion, which ends with a RecursionError in a deep graph",
    (ORDER, """    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order
"""),
)
edit_mistake("overwrites", "a contribution overwrites the gradient instead of being added: only the last use of a node counts", (ADD, "parent.grad = vjp(node.grad)"))
edit_mistake(
    "in_place_add", "contributions are added in place (+=) to an array that other nodes share: a vjp may return the very array it got",
    (FRESH, "    for node in order:\n        node.grad = None\n    root.grad = np.ones_like(root.value)\n"),
    (ADD, """if parent.grad is None:
                parent.grad = np.asarray(vjp(node.grad))
            elif parent.grad.flags.writeable:
                parent.grad += vjp(node.grad)
            else:
                parent.grad = parent.grad + vjp(node.grad)"""),
)
edit_mistake(
    "stale", "gradients of an earlier call are not cleared, so a second call adds to them",
    ("        node.grad = np.zeros_like(node.value)\n", "        node.grad = np.zeros_like(node.value) if node.grad is None else node.grad\n"),
)
edit_mistake("twice_once", "a parent that occurs twice, as in x·x, gets only one of its contributions",
             ("in zip(node.parents, node.vjps, strict=True):", "in dict(zip(node.parents, node.vjps, strict=True)).items():"))
edit_mistake("root_zero", "the gradient of the root is not set to 1, so all gradients are zero", ("    root.grad = np.ones_like(root.value)\n", ""))
edit_mistake(
    "calls_vjp_twice", "vjps are called more than once an edge",
    (ADD, "parent.grad = parent.grad + (vjp(node.grad) if np.shape(vjp(node.grad)) == parent.grad.shape else 0)"),
)

LEADING = "    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))\n"
STRETCHED = "    return grad.sum(axis=stretched, keepdims=True)"

edit_mistake("no_unbroadcast", "`unbroadcast` returns the gradient as it is: its shape is that after broadcasting", (LEADING, ""), (STRETCHED, "    return grad"))
edit_mistake("only_leading", "`unbroadcast` sums over the new axes in front only; axes of length 1 were stretched too", (STRETCHED, "    return grad"))
edit_mistake("only_stretched", "`unbroadcast` does not sum over the axes that broadcasting added in front", (LEADING, ""))
edit_mistake("drops_axes", "`unbroadcast` loses the axes of length 1; they keep their length 1", (STRETCHED, "    return grad.sum(axis=stretched)"))
edit_mistake("means", "`unbroadcast` averages over the copies; their gradients add up", (STRETCHED, "    return grad.mean(axis=stretched, keepdims=True)"), (LEADING, LEADING.replace("grad.sum", "grad.mean")))
edit_mistake("takes_first", "`unbroadcast` takes one of the copies; their gradients add up",
             (LEADING, "    grad = grad[(0,) * (grad.ndim - len(shape))]\n"), (STRETCHED, "    return grad[tuple(slice(0, 1) if i in stretched else slice(None) for i in range(len(shape)))]"))
edit_mistake("scalar_only_reshape", "`unbroadcast` sums over the wrong axes: it matches the shapes from the left, broadcasting matches them from the right",
             (LEADING, "    grad = grad.sum(axis=tuple(range(len(shape), grad.ndim)))\n"))

# --- mistakes: gradcheck ---------------------------------------------------------------------------------------------

COPY = "x = np.array(x, dtype=np.float64)\n"
GUARD = "if analytic.shape != x.shape or not np.isfinite(analytic).all():"
STEP = "h = eps * max(abs(x[i]), 1e-3)"
NUMERIC = "numeric = (float(f(up)) - float(f(down))) / (2 * h)"
ERROR = "error = abs(analytic[i] - numeric) / (atol + rtol * scale)"
RETURN = "return bool(max_error <= 1), max_error"

edit_mistake("one_sided", "the difference is one-sided: its error is of first order in the step, so right gradients fail", (NUMERIC, "numeric = (float(f(up)) - float(f(x.copy()))) / h"))
edit_mistake("divides_by_h", "the central difference is divided by h; the two points are 2h apart", (NUMERIC, NUMERIC.replace("(2 * h)", "h")))
edit_mistake("absolute_step", "the step is eps whatever the size of x: lost in rounding for large x, too coarse for small x", (STEP, "h = eps"))
edit_mistake("step_of_largest", "the step is relative to the largest entry of x; each entry has its own step", (STEP, "h = eps * max(float(abs(x).max()), 1e-3)"))
edit_mistake("step_without_floor", "the step has no lower limit, or one that is far too low: for x = 0 it is zero or lost in rounding", (STEP, "h = eps * abs(x[i]) + 1e-300"))
edit_mistake("float32", "the differences are computed in float32, where a step of 1e-5 leaves two or three digits",
             ("up, down = x.copy(), x.copy()", "up, down = x.astype(np.float32), x.astype(np.float32)"))
edit_mistake("not_put_back", "an entry of x that was moved is not put back before the next one is moved", ("up, down = x.copy(), x.copy()", "up, down = x, x.copy()"))
edit_mistake("dtype_of_x", "x is perturbed in its own type: float32 is too coarse, and integers do not move at all", (COPY, "x = np.array(x)\n"))
edit_mistake("no_rtol", "there is no relative tolerance: right gradients that are large fail", (ERROR, ERROR.replace(" + rtol * scale", "")))
edit_mistake("no_atol", "there is no absolute tolerance: entries that are zero fail by rounding", (ERROR, "error = abs(analytic[i] - numeric) / (rtol * scale + 1e-300)"))
edit_mistake("relative_to_norm", "the tolerance is relative to the largest entry of the gradient, so errors in small entries are missed",
             ("scale = max(abs(analytic[i]), abs(numeric))", "scale = max(float(abs(analytic).max()), abs(numeric))"))
edit_mistake("relative_to_analytic", "the tolerance is relative to the gradient under test only; a gradient that is far too large then looks better than it is",
             ("scale = max(abs(analytic[i]), abs(numeric))", "scale = abs(analytic[i])"))
edit_mistake("scale_signed", "the tolerance is relative to the larger of the two numbers, not of their absolute values: where both are negative, it is not even positive",
             ("scale = max(abs(analytic[i]), abs(numeric))", "scale = max(analytic[i], numeric)"))
edit_mistake("sample_of_entries", "only some entries of a large x are checked; every entry must be",
             ("for i in np.ndindex(x.shape):", "for i in list(np.ndindex(x.shape))[-10:]:"))
edit_mistake("stops_at_first", "the check stops at the first entry that fails: the largest error may come later",
             ("max_error = max(max_error, float(error))", "max_error = max(max_error, float(error))\n        if max_error > 1:\n            break"))
edit_mistake("first_entry", "not every entry of x is checked, perhaps only the first", ("for i in np.ndindex(x.shape):", "for i in list(np.ndindex(x.shape))[:1]:"))
edit_mistake("relative_to_numeric", "the tolerance is relative to the finite difference only; it is relative to the larger of the two, as in (9.4)",
             ("scale = max(abs(analytic[i]), abs(numeric))", "scale = abs(numeric)"))
edit_mistake("less_than_1", "the check fails if the largest error is exactly 1; it passes if it is at most 1", (RETURN, "return bool(max_error < 1), max_error"))
edit_mistake("last_wins", "the last error is returned, not the largest", ("max_error = max(max_error, float(error))", "max_error = float(error)"))
edit_mistake("mean_error", "the errors are averaged; one wrong entry among many then passes",
             ("max_error = max(max_error, float(error))", "max_error = max_error + float(error) / x.size"))
edit_mistake("signed_error", "the error lacks its absolute value: gradients that are too small pass", (ERROR, ERROR.replace("abs(analytic[i] - numeric)", "(analytic[i] - numeric)")))
edit_mistake("nan_passes", "a gradient with NaN or infinite entries is not refused: comparisons with NaN are False, so nothing is found",
             (GUARD, "if analytic.shape != x.shape:"))
edit_mistake("shape_ignored", "the shape of the gradient is not checked: one of another shape is broadcast or read in another order",
             (GUARD, "analytic = np.resize(analytic, x.shape)\n    if not np.isfinite(analytic).all():"))
edit_mistake("flat_copy", "`reshape(-1)` of a transposed array is a copy, so x is not perturbed at all",
             ("up[i] += h", "up.reshape(-1)[np.ravel_multi_index(i, x.shape) if i else 0] += h"),
             ("down[i] -= h", "down.reshape(-1)[np.ravel_multi_index(i, x.shape) if i else 0] -= h"),
             ("up, down = x.copy(), x.copy()", "up, down = x.copy(order='K'), x.copy(order='K')"))


@mistake("the gradient moves together with x: `grad_f` may return the very array that it got, so give it, or keep, a copy")
def shared_gradient(ref):
    def gradcheck(f, grad_f, x, eps=1e-5, rtol=1e-6, atol=1e-8):
        if not np.all(np.isfinite(grad_f(np.array(x, dtype=np.float64)))):
            return False, math.inf
        x = np.array(x, dtype=np.float64)
        analytic = np.asarray(grad_f(x))
        if analytic.shape != x.shape:
            return False, math.inf
        errors = []
        for i in np.ndindex(x.shape):
            old = x[i]
            h = eps * max(abs(old), 1e-3)
            x[i] = old + h
            up = f(x)
            x[i] = old - h
            numeric = (up - f(x)) / (2 * h)
            errors.append(abs(analytic[i] - numeric) / (atol + rtol * max(abs(analytic[i]), abs(numeric))))
            x[i] = old
        return max(errors) <= 1, max(errors)

    return {"gradcheck": gradcheck}


@mistake("x is perturbed in place and not put back exactly", catches="in-place change")
def in_place(ref):
    def gradcheck(f, grad_f, x, eps=1e-5, rtol=1e-6, atol=1e-8):
        result = ref.gradcheck(f, grad_f, x, eps, rtol, atol)
        if x.dtype == np.float64:
            for i in np.ndindex(x.shape):
                h = eps * max(abs(x[i]), 1e-3)
                x[i] += h
                x[i] -= 2 * h
        return result

    return {"gradcheck": gradcheck}


# --- mistakes: layer normalisation -----------------------------------------------------------------------------------

FIXED = "return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s"

edit_mistake("still_suspicious", "s is treated as a constant in `fixed_backward`: this is the suspicious version",
             (FIXED, "return (grad_y - grad_y.mean(-1, keepdims=True)) / s"))
edit_mistake("mean_forgotten", "the dependence through the mean μ is missing in `fixed_backward`", (FIXED, FIXED.replace(" - grad_y.mean(-1, keepdims=True)", "")))
edit_mistake("term_added", "the term from s has the wrong sign in `fixed_backward`", (FIXED, FIXED.replace("- y * (", "+ y * (")))
edit_mistake("term_summed", "the term from s is a sum in `fixed_backward`; it lacks 1/D", (FIXED, FIXED.replace("(grad_y * y).mean", "(grad_y * y).sum")))
edit_mistake("term_without_y", "the term from s is not multiplied by y_i in `fixed_backward`", (FIXED, FIXED.replace("- y * (grad_y", "- (grad_y")))
edit_mistake("variance_by_difference", "the variance in `fixed_backward` is the difference of mean(x²) and mean(x)², which loses its digits for rows far from 0",
             ("    s = np.sqrt((centred**2).mean(-1, keepdims=True) + eps)\n    y = centred / s\n    return (grad_y - grad_y.mean(-1, keepdims=True) - y",
              "    s = np.sqrt(np.maximum((x**2).mean(-1, keepdims=True) - x.mean(-1, keepdims=True) ** 2, 0) + eps)\n    y = centred / s\n    return (grad_y - grad_y.mean(-1, keepdims=True) - y"))
edit_mistake("mean_over_batch", "the means in `fixed_backward` run over the whole batch; each row has its own", (FIXED, FIXED.replace("(grad_y * y).mean(-1, keepdims=True)", "(grad_y * y).mean()")))
edit_mistake("eps_forgotten", "the term from s is computed as if ε were 0 in `fixed_backward`",
             ("    y = centred / s\n", "    y = centred / np.maximum(np.sqrt((centred**2).mean(-1, keepdims=True)), 1e-30)\n"))
edit_mistake("centred_for_y", "`fixed_backward` uses x - μ where y is needed", ("    y = centred / s\n", "    y = centred\n"))


# --- alternatives ----------------------------------------------------------------------------------------------------


@alternative("Kahn's algorithm, dictionaries of gradients, loops for broadcasting, vectorised differences")
def other_algorithms(ref):
    def topological_order(root):
        uses, nodes, stack = {}, [root], [root]
        known = {id(root)}
        while stack:
            for parent in stack.pop().parents:
                uses[id(parent)] = uses.get(id(parent), 0) + 1
                if id(parent) not in known:
                    known.add(id(parent))
                    nodes.append(parent)
                    stack.append(parent)
        ready, order = [root], []
        while ready:
            node = ready.pop(0)
            order.append(node)
            for parent in node.parents:
                uses[id(parent)] -= 1
                if uses[id(parent)] == 0:
                    ready.append(parent)
        return tuple(order[::-1])

    def backward(root):
        grads = {id(root): np.array(1.0)}
        for node in topological_order(root)[::-1]:
            node.grad = grads[id(node)]
            for parent, vjp in zip(node.parents, node.vjps):
                new = vjp(node.grad)
                grads[id(parent)] = grads[id(parent)] + new if id(parent) in grads else new

    def unbroadcast(grad, shape):
        while np.ndim(grad) > len(shape):
            grad = grad.sum(0)
        for axis, n in enumerate(shape):
            if n == 1:
                grad = np.sum(grad, axis, keepdims=True)
        return grad

    def gradcheck(f, grad_f, x, eps=1e-5, rtol=1e-6, atol=1e-8):
        x = np.asarray(x).astype(float)
        a = np.asarray(grad_f(x), dtype=float)
        if a.shape != x.shape:
            return False, float("inf")
        flat = x.ravel()
        h = eps * np.maximum(np.abs(flat), 1e-3)
        steps = np.diag(h)
        n = np.array([f((flat + row).reshape(x.shape)) - f((flat - row).reshape(x.shape)) for row in steps]) / (2 * h)
        r = np.abs(a.ravel() - n) / (atol + rtol * np.maximum(np.abs(a.ravel()), np.abs(n)))
        if not np.all(np.isfinite(r)) or not np.isfinite(a).all():
            return False, np.inf
        return (r <= 1).all(), r.max()

    def fixed_backward(x, grad_y, eps=1e-5):
        d = x.shape[-1]
        s = np.sqrt(x.var(-1) + eps)[..., None]
        y = (x - x.mean(-1, keepdims=True)) / s
        jacobian = (np.eye(d) - 1 / d - y[..., :, None] * y[..., None, :] / d) / s[..., None]
        return np.einsum("...i,...ij->...j", grad_y, jacobian)

    return {
        "topological_order": topological_order, "backward": backward, "unbroadcast": unbroadcast, "gradcheck": gradcheck,
        "fixed_backward": fixed_backward,
    }


@alternative("depth-first with iterators, gradients copied, x perturbed in a private copy and put back, torch for layer norm")
def other_styles(ref):
    def topological_order(root):
        order, seen, stack = [], {root}, [(root, iter(root.parents))]
        while stack:
            node, parents = stack[-1]
            for parent in parents:
                if parent not in seen:
                    seen.add(parent)
                    stack.append((parent, iter(parent.parents)))
                    break
            else:
                order.append(node)
                stack.pop()
        return order

    def backward(root):
        order = topological_order(root)
        for node in order:
            node.grad = None
        root.grad = 1.0
        while order:
            node = order.pop()
            for parent, vjp in zip(node.parents, node.vjps):
                contribution = np.array(vjp(node.grad))
                if parent.grad is None:
                    parent.grad = contribution
                else:
                    parent.grad = np.add(parent.grad, contribution)

    def unbroadcast(grad, shape):
        padded = (1,) * (np.ndim(grad) - len(shape)) + tuple(shape)
        axes = tuple(i for i, (big, small) in enumerate(zip(np.shape(grad), padded)) if small == 1 and big > 1)
        return np.sum(grad, axis=axes).reshape(shape)

    def gradcheck(f, grad_f, x, eps=1e-5, rtol=1e-6, atol=1e-8):
        x = np.array(x, dtype=np.float64, order="C")
        a = np.array(grad_f(x.copy()))
        if np.shape(a) != np.shape(x) or not np.all(np.isfinite(a)):
            return False, math.inf
        worst = -1.0
        flat, flat_a = x.reshape(-1), a.reshape(-1)
        for k in range(flat.size):
            old = flat[k]
            h = eps * max(abs(old), 1e-3)
            flat[k] = old + h
            up = f(x)
            flat[k] = old - h
            down = f(x)
            flat[k] = old
            n = (up - down) / (2 * h)
            worst = max(worst, abs(flat_a[k] - n) / (atol + rtol * max(abs(flat_a[k]), abs(n))))
        return worst <= 1, worst

    def fixed_backward(x, grad_y, eps=1e-5):
        leaf = torch.tensor(x, requires_grad=True)
        y = torch.nn.functional.layer_norm(leaf, leaf.shape[-1:], eps=eps)
        return torch.autograd.grad(y, leaf, torch.tensor(grad_y))[0].numpy()

    return {
        "topological_order": topological_order, "backward": backward, "unbroadcast": unbroadcast, "gradcheck": gradcheck,
        "fixed_backward": fixed_backward,
    }


edit_alternative(
    "small_changes", "steps of exactly representable size, numpy's own max, another form of the layer norm",
    (NUMERIC, "numeric = (float(f(up)) - float(f(down))) / (up[i] - down[i])"),
    (FIXED, "return (grad_y - y * np.mean(y * grad_y, axis=-1)[..., None]) / s - np.mean(grad_y / s, axis=-1, keepdims=True)"),
    (RETURN, "return np.bool_(max_error <= 1), np.float64(max_error)"),
)
