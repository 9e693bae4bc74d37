"""Hidden tests of question 9: reverse-mode differentiation on a graph, and gradient checking."""

import gc
import math

import numpy as np
import torch

from autograder.probes import Close, Question

from .inputs import Case, Parents, build, graphs_to_order, link, number, random_parents, wrong

question = Question(
    title="Automatic differentiation, and a check that can be trusted",
    skills=["1.22", "1.23"],
    after="q04_gradient_descent",
    run_seconds=2,
    manual_points=2,
    rubric=[
        "1 point: the missing term is -y · mean(grad_y · y) / s, the dependence of the standard deviation s on x; it "
        "vanishes at the test's point because y is odd about the centre and the weights are even, so that the "
        "products cancel. (½ point for the term without the reason.)",
        "1 point: points and weights in general position (random, no symmetry, several seeds or shapes), and: with L "
        "= Σ y the weights are constant and mean(y) = 0, so the term (indeed the whole gradient) is zero for every "
        "x.",
    ],
    aim=(
        "Write reverse-mode differentiation and a gradient check, find a wrong backward pass with it, and see why its "
        "unit test missed it."
    ),
    hints={"topological_order": [
        "Draw the graph of L = x·x + x and do (9.1) by hand at x = 3: three edges leave x, and they bring 3, 3 and "
        "1. For the order, think of dressing: what is needed first? A node may be appended when all of its parents "
        "have been.",
        "Topological order without recursion: use a list as a stack, and visit each node twice, once to push its "
        "parents above it, once, after them, to append it. `unbroadcast`: first sum over the extra axes in front, "
        "then, with keepdims, over those where `shape` has a 1. `gradcheck`: copy x as float64 for every entry and "
        "change one number of the copy.",
        "The stack: push (root, False). Popping (node, False) for the first time, push (node, True) and then "
        "(parent, False) for all parents; popping (node, True), append the node. `backward`: fresh zeros for every "
        "node of the order, ones for the root; then, in reversed order, for each parent with its vjp: parent.grad = "
        "parent.grad + vjp(node.grad). `fixed_backward`: ∂y_i/∂x_j = (δ_ij - 1/D - y_i y_j / D) / s; multiply by "
        "grad_y and sum over i.",
    ]},
    ambiguities=[
        "Any topological order is right. The order may come back as a list or a tuple.",
        "For gradients of a wrong shape or with NaN, the error must be inf.",
        "atol and rtol enter as in (16.4), not as in np.isclose, which is relative to the second argument only.",
    ],
)


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


@question.probe(points=0.5, title="a topological order", public=True, judge=valid_order)
def order_random(student, rng):
    found = {}
    for name, parents in graphs_to_order(rng).items():
        nodes = []
        for ps in parents:
            nodes.append(student.Var(1.0, [nodes[p] for p in ps], [lambda g: g for _ in ps]))
        student.topological_order(nodes[4])  # leaves no trace
        found[name] = indices(student.topological_order(nodes[-3]), nodes)
    return found


@question.probe(points=0.25, title="a chain of 3,500 nodes, a chain of diamonds, and a single node")
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


@question.probe(points=0.5, title="gradients on a random graph", public=True, judge=Close(rtol=1e-9, atol=1e-12))
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
    return {
        "b times c, plus b": [b.grad, c.grad, product.grad],
        "x times x": float(square.grad),
        "leaves": [node.grad for node in nodes[:3]],
        "inner nodes": [node.grad for node in nodes[3:-2]],
        "root": root.grad,
    }


@question.probe(points=0.5, title="stale gradients, calls of the vjps, other nodes", judge=Close(rtol=1e-9, atol=1e-12))
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
        "the same root twice": after_two,
        "calls of each vjp in two runs": [counts.get(key, 0) for key in sorted(calls)],
        "another root after it": [node.grad for node in nodes[:2]] + [node.grad for node in nodes[3:5]] + [other.grad],
        "not reachable": [float(nodes[-1].grad), float(nodes[-2].grad)],
        "a root without parents": float(lone.grad),
    }


@question.probe(points=0.5, title="broadcasting undone", public=True, judge=Close(rtol=1e-9, atol=1e-12))
def broadcasts(student, rng):
    a, b, c = rng.integer(2, 5), rng.integer(2, 5), rng.integer(5, 7)
    pairs = [
        ((a, b), (a, b)),
        ((a, b), (b,)),
        ((a, b), (1, b)),
        ((a, b), (a, 1)),
        ((a, b), (1, 1)),
        ((a, b), (1,)),
        ((a, b), ()),
        ((), ()),
        ((c, a, b, 3), (a, 1, 3)),
        ((a, b, 3), (1, b, 1)),
        ((c, a, b), (1, b)),
        ((c, 1, b), (1, b)),
        ((a, 1), (a, 1)),
        ((b, b), (b,)),
        ((b, b), (b, 1)),
        ((1, a), (a,)),
        ((1, 1), ()),
    ]
    return {
        f"{big} to {small}": student.unbroadcast(rng.normal(*big, dtype=torch.float64).cpu().numpy(), small)
        for big, small in pairs
    }


def report(result):
    ok, error = result
    return {"ok": int(ok), "max_error": float(error)}


def all_pass(evidence, expected, context):
    """Every right gradient passes, with an error between 0 and 1; below 0.01 where rounding leaves no more."""
    for name, found in evidence.items():
        if found["ok"] != 1 or not 0 <= found["max_error"] <= 1:
            return (
                f"{name}: a right gradient does not pass (ok is {bool(found['ok'])}, max_error "
                f"{found['max_error']:.3g})."
            )
        if found["max_error"] > 0.01 and "zero" not in name:
            return (
                f"{name}: max_error is {found['max_error']:.3g} for a right gradient; with float64 throughout it is "
                "far below 0.01."
            )
    return True


@question.probe(points=0.25, title="one right and three wrong gradients", public=True, judge=Close(rtol=0.02, atol=0.5))
def check_simple(student, rng):
    case = Case(rng, (rng.integer(3, 6),), height=30.0)
    right = report(student.gradcheck(case.f, case.gradient, case.x))
    return {
        "right": {"ok": right["ok"], "max_error, rounded": float(np.round(right["max_error"], 1))},
        "all entries 1% too large": report(student.gradcheck(case.f, wrong(case, 1.01), case.x)),
        "one entry has the wrong sign": report(student.gradcheck(case.f, wrong(case, -1.0, 1), case.x)),
        "every entry has the wrong sign": report(student.gradcheck(lambda x: -case.f(x), case.gradient, case.x)),
    }


@question.probe(points=0.25, title="right gradients pass, at all scales", judge=all_pass)
def check_right(student, rng):
    found = {}
    for scale, height in ((1.0, 1.0), (1e-3, 1.0), (1e6, 1.0), (1e6, 1e12), (1.0, 1e6), (1e-3, 1e4), (1.0, 1e-3)):
        for kind in ("exp", "parabola") if height == 1.0 else ("exp",):
            case = Case(rng, (2, 3), scale, height, kind)
            found[f"{kind}, x of size {scale:g}, f of size {height:g}"] = report(
                student.gradcheck(case.f, case.gradient, case.x)
            )
    case = Case(rng, (4,), kind="sin")
    case.x[1] = case.x[3] = 0.0
    case.w[2] = 0.0
    mixed = Case(rng, (3,), np.array([1e-3, 1.0, 1e2]))
    found["a gradient that is x itself"] = report(
        student.gradcheck(lambda x: (x**2).sum() / 2, lambda x: x, Case(rng, (2, 3)).x)
    )
    found["entries of x of very different size"] = report(student.gradcheck(mixed.f, mixed.gradient, mixed.x))
    found["entries of x and of the gradient that are zero"] = report(student.gradcheck(case.f, case.gradient, case.x))
    return found


@question.probe(points=0.5, title="wrong gradients do not pass, and by how much", judge=Close(rtol=0.02, atol=1e-3))
def check_wrong(student, rng):
    found = {}
    shape = (2, 3)
    entries = [(int(i) // 3, int(i) % 3) for i in rng.permutation(6)]
    for (scale, height), entry in zip(
        ((1.0, -1.0), (1e-3, 1.0), (1e6, 1e12), (1.0, 1e-3), (1e6, -1e6), (1.0, 1.0)), entries
    ):
        case = Case(rng, shape, scale, height)
        found[f"entry {entry}, x of size {scale:g}, f of size {height:g}"] = report(
            student.gradcheck(case.f, wrong(case, 1 + 1e-3, entry), case.x)
        )
    last = Case(rng, shape)
    large = Case(rng, (4, 8))
    large.moved = set()
    found["one of 32 entries"] = report(student.gradcheck(large.f, wrong(large, 0.5, (3, rng.integer(0, 8))), large.x))
    found["entries that were moved"] = len(large.moved)
    found["distance from x to where grad_f was called, in millionths"] = 1e6 * large.away
    found["two entries, the last is worst"] = report(
        student.gradcheck(last.f, wrong(last, np.array([[1.001, 1, 1], [1, 1, 1.003]])), last.x)
    )
    found["too large by a half, rtol 0.4"] = report(student.gradcheck(last.f, wrong(last, 1.5), last.x, 1e-5, 0.4, 0.0))
    found["too small by a third, rtol 0.4"] = report(
        student.gradcheck(last.f, wrong(last, 0.65), last.x, 1e-5, 0.4, 0.0)
    )
    found["an error of exactly 1"] = report(
        student.gradcheck(lambda x: 0.0, lambda x: np.full(x.shape, 0.25), last.x, 1e-5, 0.0, 0.25)
    )
    found["an error of 1.2"] = report(
        student.gradcheck(lambda x: 0.0, lambda x: np.full(x.shape, 0.3), last.x, 1e-5, 0.0, 0.25)
    )
    found["far too small"] = report(student.gradcheck(last.f, wrong(last, 1e-3), last.x))
    found["zero"] = report(student.gradcheck(last.f, wrong(last, 0.0), last.x))
    rtol, atol = rng.number(1e-3, 1e-2), rng.number(1e-3, 1e-2)
    found["a wide tolerance"] = report(student.gradcheck(last.f, wrong(last, 1 + 1e-3), last.x, 1e-5, rtol, 0.0))
    found["absolute tolerance"] = report(
        student.gradcheck(last.f, lambda x: last.gradient(x) + 1e-3, last.x, 1e-5, 0.0, atol)
    )
    found["both"] = report(student.gradcheck(last.f, wrong(last, 1.05), last.x, 1e-5, rtol, atol))
    coarse = Case(rng, (3,))
    found["a large step, the error of (16.3)"] = report(
        student.gradcheck(coarse.f, coarse.gradient, coarse.x, 0.3, 1e-3, 0.0)
    )
    small = Case(rng, (3,), 1e-3)
    small.x /= 10
    found["a large step, x near its lower limit"] = report(
        student.gradcheck(small.f, small.gradient, small.x, 0.3, 1e-3, 0.0)
    )
    return found


@question.probe(
    points=0.25,
    title="shapes, layouts and types of x; gradients of the wrong shape or not finite",
    judge=Close(rtol=0.02, atol=1e-3),
)
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


@question.probe(points=0.5, title="the right backward pass of layer normalisation", judge=Close(rtol=1e-8, atol=1e-9))
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
