"""Hidden tests of question 16: reverse-mode differentiation on a graph, and gradient checking."""

import math

import numpy as np
import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import tried, two_of
from dgm.checks.judges import Custom, Verdict

from .inputs import Case, Parents, build, linked, number, random_parents, root_of, wrong

question = Question(
    title="Automatic differentiation, and a check that can be trusted",
    skills=["1.22", "1.23"],
    after="q04_gradient_descent",
    lecture="the chain rule in several variables; backpropagation",
    run_seconds=4,
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
    hints={
        "topological_order": (
            "Getting dressed: what must be on before the shoes? When may a node be added to the list?",
            "L = x·x + x: the nodes are x, the product, L. Which lists of them are right, and which does a search from "
            "L find first?",
            "A helper visits a node: if it is new, it first visits all parents, and only then adds the node to the list.",
        ),
        "backward": (
            "For L = x·x + x at x = 3, which three numbers arrive at x, and when may x pass its own gradient on?",
            "Walk the list from the root to the leaves: when a node's turn comes, everything that uses it had its turn.",
            "Begin with zeros of each node's shape and a one for the root; each vjp's result is added to the gradient of "
            "its parent.",
        ),
        "unbroadcast": (
            "A number is added to a (5, 3) matrix. How many copies of it are used, so how many gradients add up?",
            "From (4, 5, 3) back to (1, 3): the 4 was added in front and goes, the 5 was a 1 and becomes one again.",
            "Two sums: first over the axes that `grad` has more than `shape`, then with `keepdims` where `shape` has a 1.",
        ),
        "gradcheck": (
            "Which single number of x changes in n_i, and how do you change it without losing x?",
            "f(x) = x_1² + x_2³ at (1, 2): the two differences are about 2 and 12, each from two calls of f.",
            "`np.ndindex(x.shape)` walks through all entries of any shape, and `step = np.zeros_like(x)` with one entry set "
            "moves only that one. Collect the r_i and look at the largest.",
        ),
        "fixed_backward": (
            "In which three ways does x_j get into y_i? Which of them does the suspicious version leave out?",
            "For D = 2 and ε = 0, y is (-1, 1) or (1, -1) whatever x is. So what must its gradient be?",
            "∂s/∂x_j is y_j / D. Multiply each ∂y_i/∂x_j by grad_y_i and sum over i: a mean over the row appears twice.",
        ),
    },
    ambiguities=[
        "Any topological order is right. The order may come back as a list or a tuple.",
        "atol and rtol enter as in (16.4), not as in np.isclose, which is relative to the second argument only.",
        "An f without a finite difference is not tested.",
    ],
)

EXACT = Close(rtol=1e-9, atol=1e-12)

# --- topological_order -----------------------------------------------------------------------------------------------


def judged_orders(evidence, graphs):
    """Every reachable node once, parents first: True, or the first thing that is wrong, in words."""
    if not isinstance(evidence, dict) or set(evidence) != set(graphs):
        return "the answer has an unexpected form."
    for name, order in evidence.items():
        if isinstance(order, str):
            return f"In *{name}*: {order}"
        parents, order = graphs[name], [int(i) for i in order]
        root = root_of(parents)
        needed, stack = set(), [root]
        while stack:
            i = stack.pop()
            if i not in needed:
                needed.add(i)
                stack += parents[i]
        if len(set(order)) < len(order):
            return f"In *{name}*: a node is in the list more than once ({len(order)} entries for {len(needed)} nodes)."
        if set(order) - needed:
            return f"In *{name}*: the list holds something that the root does not depend on."
        if needed - set(order):
            leaves = ", all of them leaves (nodes without parents)" * all(not parents[i] for i in needed - set(order))
            return f"In *{name}*: {len(needed - set(order))} of {len(needed)} nodes are missing{leaves}."
        place = {i: k for k, i in enumerate(order)}
        late = sum(place[p] > place[i] for i in needed for p in parents[i])
        if late:
            return f"In *{name}*: along {late} edge{'s' * (late > 1)} the parent comes after its child." + (
                " The list looks reversed: the root comes first." if order[0] == root else ""
            )
    return True


def ordinary_graphs(rng):
    """Two graphs, and both with all parents in the opposite order: a wrong order may be right by luck for one of them."""
    graphs = {"first graph": random_parents(rng), "second graph": random_parents(rng)}
    return graphs | {f"{name}, mirrored": [ps[::-1] for ps in parents] for name, parents in graphs.items()}


def edge_graphs(rng):
    """A deep graph, long ways round, diamonds; after the root come two nodes that it does not depend on."""
    shortcuts = [(), *((i, 0) for i in range(12))]  # each node also uses the first one directly
    ladder = [(), (), *((i, i + 1) for i in range(10))]
    graphs = {
        "a chain": [(), *((i,) for i in range(rng.integer(120, 145)))],
        "a chain with shortcuts": shortcuts,
        "a chain with shortcuts, mirrored": [ps[::-1] for ps in shortcuts],
        "a ladder": ladder,
        "a ladder, mirrored": [ps[::-1] for ps in ladder],
        "a chain of diamonds": [Parents(), *(Parents((i, i)) for i in range(30))],
        "many leaves": [*((),) * 6, tuple(range(6)), (6, 0), (7, 6, 3)],
        "a single node": [()],
    }
    return {name: [*parents, (), (len(parents) - 1, len(parents))] for name, parents in graphs.items()}


def found_order(student, parents, nodes=None, root=None):
    """The order of a root as numbers of nodes."""
    nodes = nodes or linked(student.Var, parents)
    place = {id(node): i for i, node in enumerate(nodes)}

    def compute():
        order = student.topological_order(nodes[root_of(parents) if root is None else root])
        if not isinstance(order, (list, tuple)):
            raise TypeError(f"a list of nodes is expected, not {type(order).__name__}")
        return [place.get(id(node), -1) for node in order]

    return tried(compute)


def ordinary_orders(evidence, expected, context):
    """every reachable node once, each after its parents"""
    return judged_orders(evidence, ordinary_graphs(context.rng()))


@question.probe(points=0.5, title="`topological_order`: graphs with long and short ways", public=True, judge=ordinary_orders)
def order_ordinary(student, rng):
    return {name: found_order(student, parents) for name, parents in ordinary_graphs(rng).items()}


def edge_orders(evidence, expected, context):
    """every reachable node once, each after its parents; a second call is not changed by the first"""
    rng = context.rng()
    graphs = edge_graphs(rng)
    twice = random_parents(rng)
    return judged_orders(evidence, {**graphs, "asked again": twice, "asked for another root before": twice})


@question.probe(points=0.5, title="`topological_order`: chains, diamonds, one node, second calls", judge=edge_orders)
def order_edges(student, rng):
    found = {name: found_order(student, parents) for name, parents in edge_graphs(rng).items()}
    twice = random_parents(rng)
    for name, first in (("asked again", None), ("asked for another root before", 4)):
        nodes = linked(student.Var, twice)
        found_order(student, twice, nodes, first)
        found[name] = found_order(student, twice, nodes)
    return found


# --- backward --------------------------------------------------------------------------------------------------------


def drawn(rng, *shape, low=None):
    """float64 numbers as an array."""
    values = rng.normal(*shape, dtype=torch.float64) if low is None else rng.uniform(*shape, low=low, high=2.0, dtype=torch.float64)
    return values.cpu().numpy()


def grads(*nodes):
    """Gradients as they are, but whole numbers as floats: the root's 1 may be an int. In words where there is none."""
    missing = [node for node in nodes if node.grad is None]
    if missing:
        return f"{len(missing)} of {len(nodes)} nodes that the root depends on have no gradient: grad is None."
    found = [node.grad for node in nodes]
    return [grad * 1.0 if isinstance(grad, (int, np.ndarray, np.generic)) and np.asarray(grad).dtype.kind == "i" else grad for grad in found]


def weighted(Var, node, weights):
    """Σ weights · node, as a root."""
    return Var((weights * node.value).sum(), [node], [lambda g: g * weights])


@question.probe(points=0.5, title="`backward`: gradients on small and on random graphs", public=True, judge=Fields(default=EXACT))
def backward_ordinary(student, rng):
    Var = student.Var

    def square():
        x = Var(drawn(rng, 3))
        product = Var(x.value * x.value, [x, x], [lambda g: g * x.value] * 2)
        student.backward(weighted(Var, product, drawn(rng, 3)))
        return grads(x)

    def sum_of_product():
        """b · c + b: b is used on a short and on a long way."""
        b, c, w = (Var(drawn(rng, 2)) for _ in range(3))
        product = Var(b.value * c.value, [b, c], [lambda g: g * c.value, lambda g: g * b.value])
        both = Var(product.value + b.value, [product, b], [lambda g: g, lambda g: g])
        student.backward(weighted(Var, both, w.value))
        return grads(b, c, product)

    nodes = build(Var, rng, random_parents(rng), {})
    root = number(Var, nodes[-3], rng)
    random = tried(lambda: student.backward(root))
    if isinstance(random, str):
        random += f" ({sum(node.grad is not None for node in nodes)} of {len(nodes) - 2} nodes have a gradient by then)"
    return {
        "x times x": tried(square),
        "b times c, plus b": tried(sum_of_product),
        "a random graph, leaves": random or grads(*nodes[:3]),
        "a random graph, inner nodes": random or grads(*nodes[3:-2]),
        "a random graph, the root": random or grads(root),
    }


@question.probe(
    points=1, title="`backward`: a second call, calls of the vjps, other nodes, shared arrays", judge=Fields(default=EXACT)
)
def backward_edges(student, rng):
    Var, calls = student.Var, {}
    nodes = build(Var, rng, random_parents(rng), calls)
    root = number(Var, nodes[-3], rng)
    other = number(Var, nodes[4], rng)

    def twice():
        student.backward(root)
        student.backward(root)
        return grads(*(node for node in nodes[:-2]))

    def another():
        for node in (other, *nodes[:5]):
            node.grad = np.full_like(node.value, 5.0)
        student.backward(other)
        return grads(*nodes[:2], *nodes[3:5], other)

    def unreachable():
        nodes[-1].grad, nodes[-2].grad = np.array([7.0, 8.0]), np.array(9.0)
        student.backward(other)
        return [nodes[-1].grad, nodes[-2].grad]

    def shared():
        """Sums whose vjps return the array that they got: an addition in place would change other gradients, too."""
        x, y = Var(drawn(rng, 3)), Var(drawn(rng, 3))
        first = Var(x.value + y.value, [x, y], [lambda g: g, lambda g: g])
        second = Var(first.value + x.value, [first, x], [lambda g: g, lambda g: g])
        third = Var(second.value + y.value, [second, y], [lambda g: g, lambda g: g])
        student.backward(weighted(Var, third, drawn(rng, 3)))
        return grads(x, y, first, second, third)

    def read_only():
        x = Var(drawn(rng, 4))
        total = Var(x.value.sum(), [x], [lambda g: np.broadcast_to(g, (4,))])
        last = Var(total.value * 1.5 + x.value[0], [total, x], [lambda g: 1.5 * g, lambda g: g * np.eye(4)[0]])
        student.backward(last)
        return grads(x, total)

    def chain():
        """Each step multiplies by about 1.3, so the first gradients are huge."""
        nodes = [Var(drawn(rng, low=1.0))]
        for factor in drawn(rng, 100, low=0.9) * 0.9:
            nodes.append(Var(factor * nodes[-1].value, [nodes[-1]], [lambda g, factor=factor: factor * g]))
        student.backward(nodes[-1])
        return grads(*nodes[::25])

    def dead():
        """y lies where a ReLU is off: nothing arrives at x, which gets zeros for what an earlier call left."""
        x, w = Var(drawn(rng, 3)), Var(drawn(rng, 3))
        y = Var(x.value * 2.0, [x], [lambda g: 2.0 * g])
        off = Var(np.zeros(3), [y], [lambda g: 0.0 * g])
        x.grad = y.grad = np.full(3, 4.0)
        both = Var(off.value + w.value, [off, w], [lambda g: g, lambda g: g])
        student.backward(weighted(Var, both, drawn(rng, 3)))
        return grads(x, y, off, w)

    def lone():
        leaf = Var(3.0)
        student.backward(leaf)
        return grads(leaf)

    second = tried(twice)
    return {
        "the same root twice": second,
        "calls of each vjp in two runs": [calls.get(key, 0) for key in sorted(calls)],
        "another root after it": tried(another),
        "nodes that the root does not depend on": tried(unreachable),
        "vjps that return what they got": tried(shared),
        "a read-only contribution": tried(read_only),
        "a chain of 100 steps that amplify": tried(chain),
        "a ReLU that is off: zeros behind it": tried(dead),
        "a root without parents": tried(lone),
    }


# --- unbroadcast -----------------------------------------------------------------------------------------------------


def undone(student, rng, big, small):
    return tried(lambda: student.unbroadcast(drawn(rng, *big), small))


@question.probe(points=0.25, title="`unbroadcast`: biases, rows, columns, numbers", public=True, judge=Fields(default=EXACT))
def unbroadcast_ordinary(student, rng):
    a, b = rng.integer(2, 4), rng.integer(4, 6)
    return {
        "(a, b) to (b,)": undone(student, rng, (a, b), (b,)),
        "(a, b) to (1, b)": undone(student, rng, (a, b), (1, b)),
        "(a, b) to (a, 1)": undone(student, rng, (a, b), (a, 1)),
        "(a, b) to ()": undone(student, rng, (a, b), ()),
        "(a, b) to (a, b)": undone(student, rng, (a, b), (a, b)),
    }


@question.probe(points=0.5, title="`unbroadcast`: more axes, square matrices, lengths of 1", judge=Fields(default=EXACT))
def unbroadcast_edges(student, rng):
    a, b, c = rng.integer(2, 4), rng.integer(4, 6), rng.integer(6, 8)
    pairs = {
        "(c, a, b, 3) to (a, 1, 3)": ((c, a, b, 3), (a, 1, 3)),
        "(a, b, 3) to (1, b, 1)": ((a, b, 3), (1, b, 1)),
        "(c, a, b) to (1, b)": ((c, a, b), (1, b)),
        "(c, 1, b) to (1, b)": ((c, 1, b), (1, b)),
        "(c, a, b) to (b,)": ((c, a, b), (b,)),
        "(a, b) to (1, 1)": ((a, b), (1, 1)),
        "(a, b) to (1,)": ((a, b), (1,)),
        "(b, b) to (b,)": ((b, b), (b,)),
        "(b, b) to (b, 1)": ((b, b), (b, 1)),
        "(a, 1) to (a, 1)": ((a, 1), (a, 1)),
        "(1, a) to (a,)": ((1, a), (a,)),
        "(1, 1) to ()": ((1, 1), ()),
        "() to ()": ((), ()),
    }
    return {name: undone(student, rng, *shapes) for name, shapes in pairs.items()}


# --- gradcheck -------------------------------------------------------------------------------------------------------


def reports(*results):
    """[ok, max_error] of some calls: verdicts and errors."""
    found = [two_of(result, "ok", "max_error") for result in results]
    if any(not isinstance(ok, (bool, np.bool_)) for ok, _ in found):
        raise TypeError("ok is expected to be True or False")
    return {"ok": [int(ok) for ok, _ in found], "max_error": [float(error) for _, error in found]}


@question.probe(
    points=0.25, title="`gradcheck`: right gradients, wrong gradients", public=True, judge=Fields(default=Close(rtol=0.02, atol=0.5))
)
def gradcheck_ordinary(student, rng):
    case = Case(rng, (rng.integer(3, 6),), height=30.0)
    check = student.gradcheck
    return {
        "right": tried(lambda: reports(*(check(case.f, case.gradient, case.x) for _ in range(2)))),
        "all entries 1% to 3% too large": tried(
            lambda: reports(*(check(case.f, wrong(case, factor), case.x) for factor in (1.01, 1.02, 1.03)))
        ),
        "one entry wrong": tried(lambda: reports(*(check(case.f, wrong(case, f, 1), case.x) for f in (0.99, 0.98, -1.0)))),
        "all signs wrong": tried(lambda: reports(check(lambda x: -case.f(x), case.gradient, case.x))),
    }


RIGHT = {
    "right, x and f of size 1": (1.0, 1.0),
    "right, x of size 0.001": (1e-3, 1.0),
    "right, x of size 1,000,000": (1e6, 1.0),
    "right, x of size 1e6, f of size 1e12": (1e6, 1e12),
    "right, f of size 1,000,000": (1.0, 1e6),
}
OTHERS = ("right, entries of very different size", "right, the gradient is x itself", "right, zeros in x and in the gradient")


def passes(evidence, expected, context):
    """ok, and the error between 0 and 1"""
    if not isinstance(evidence, dict) or set(evidence) != set(expected) or len(evidence["ok"]) != len(expected["ok"]):
        return "the answer has an unexpected form."
    errors = [float(error) for error in evidence["max_error"]]
    if evidence["ok"] != expected["ok"] or not all(0 <= error <= 1 for error in errors):
        return f"a right gradient does not pass: max_error {max(errors):.3g}."
    return True


def passes_clearly(evidence, expected, context):
    """ok, and the error between 0 and 0.01"""
    verdict = passes(evidence, expected, context)
    if verdict is True and max(evidence["max_error"]) > 0.01:
        return f"max_error is {max(evidence['max_error']):.3g} for a right gradient; in float64 it is far below 0.01."
    return verdict


class Reports(Close):
    """Verdicts and errors of some calls; where only a verdict is wrong, the message says so."""

    def __call__(self, evidence, expected, context):
        verdict = super().__call__(evidence, expected, context)
        if verdict.passed or context.brief or not isinstance(evidence, dict):
            return verdict
        errors, rights = ({"max_error": each["max_error"]} for each in (evidence, expected))
        of_errors = super().__call__(errors, rights, context)
        if not of_errors.passed:
            return of_errors
        ok, error = next(pair for pair, right in zip(zip(evidence["ok"], expected["max_error"]), expected["ok"]) if pair[0] != right)
        return Verdict(False, f"ok is {bool(ok)} where max_error is {error:.3g}; it says whether max_error is at most 1.")


def float64_only(evidence, expected, context):
    """f and grad_f get float64 arrays"""
    other = [str(name) for name in evidence if name != "float64"]
    return f"`f` or `grad_f` got an array of type {other[0]}; both take float64." if other else len(evidence) == 1


def all_moved(evidence, expected, context):
    """how many entries of x were moved, and how far from x the gradient was taken"""
    moved, away = evidence
    if moved != expected[0]:
        return f"only {moved} of {expected[0]} entries of x were moved."
    return away == 0 or f"`grad_f` is asked {away:.2g} away from x; the gradient under test is that at x."


TYPES = "types that f and grad_f saw"
MOVED = "entries that were moved, distance from x to where the gradient was taken"
JUDGES = dict.fromkeys((*RIGHT, *OTHERS[:2]), Custom(passes_clearly)) | {
    OTHERS[2]: Custom(passes), MOVED: Custom(all_moved), TYPES: Custom(float64_only)
}


@question.probe(
    points=1.25,
    title="`gradcheck`: gradients of any size, tolerances, steps, shapes",
    judge=Fields(JUDGES, default=Reports(rtol=0.02, atol=1e-3)),
)
def gradcheck_edges(student, rng):
    check, found = student.gradcheck, {}

    def calls(*several):
        """The reports of some calls, each (f, grad_f, x, settings …)."""
        return tried(lambda: reports(*(check(*one) for one in several)))

    for name, (scale, height) in RIGHT.items():
        case = Case(rng, (2, 2), scale, height)
        found[name] = calls((case.f, case.gradient, case.x))
    mixed, zeros = Case(rng, (3,), np.array([1e-3, 1.0, 1e2])), Case(rng, (4,), kind="sin")
    zeros.x[1] = zeros.x[3] = zeros.w[2] = 0.0
    found[OTHERS[0]] = calls((mixed.f, mixed.gradient, mixed.x))
    found[OTHERS[1]] = calls((lambda x: (x**2).sum() / 2, lambda x: x, Case(rng, (2, 3)).x))
    found[OTHERS[2]] = calls((zeros.f, zeros.gradient, zeros.x))

    entries = [(0, int(i)) for i in rng.permutation(3)]

    def one_wrong(scale, height):
        case = Case(rng, (1, 3), scale, height)
        return calls(*((case.f, wrong(case, 1 + error, entry), case.x) for entry, error in zip(entries, (1e-3, -2e-3, 3e-3))))

    case, large, turned = Case(rng, (1, 3)), Case(rng, (4, 6)), Case(rng, (3, 2), height=30.0)
    factors, last = rng.permutation(3) + 1.0, np.array([[1.001, 1, 1.003]])
    large.moved = set()
    wide = (rng.number(1e-3, 1e-2), rng.number(1e-3, 1e-2))
    single, deep, near = Case(rng, (), height=30.0), Case(rng, (2, 1, 1, 2), height=30.0), Case(rng, (3,), 1e-3)
    turned.w = turned.w.T.copy()
    near.x /= 10
    found |= {
        "one entry 0.1% to 0.3% wrong": one_wrong(1.0, -1.0),
        "one entry wrong, x of size 0.001": one_wrong(1e-3, 1.0),
        "one entry wrong, x of size 1e6": one_wrong(1e6, 1e12),
        "one entry wrong, f of size 0.001": one_wrong(1.0, 1e-3),
        "one of 24 entries wrong": calls(
            *((large.f, wrong(large, factor, (row, rng.integer(0, 6))), large.x) for row, factor in ((3, 0.5), (0, 0.7)))
        ),
        MOVED: [len(large.moved), large.away],
        "wrong where x is 0": calls(*((zeros.f, wrong(zeros, factor, 1), zeros.x) for factor in (1.01, 0.98, 1.03))),
        "two entries wrong, the last is worst": calls(
            *((case.f, wrong(case, 1 + (last - 1) * float(k)), case.x) for k in factors)
        ),
        "two entries wrong, the first is worst": calls(
            *((case.f, wrong(case, 1 + (last[:, ::-1] - 1) * float(k)), case.x) for k in factors)
        ),
        "too large by a half, rtol 0.4": calls((case.f, wrong(case, 1.5), case.x, 1e-5, 0.4, 0.0), (case.f, wrong(case, 1.7), case.x, 1e-5, 0.4, 0.0)),
        "too small by a third, rtol 0.4": calls((case.f, wrong(case, 0.65), case.x, 1e-5, 0.4, 0.0), (case.f, wrong(case, 0.55), case.x, 1e-5, 0.4, 0.0)),
        "errors of exactly 1, then above, then below": calls(
            *((lambda x: 0.0, lambda x, a=a: np.full(x.shape, a), case.x, 1e-5, 0.25, 0.1875) for a in (0.25, 0.3, 0.2))
        ),
        "far too small, zero": calls(*((case.f, wrong(case, factor), case.x) for factor in (1e-3, 1e-2, 0.0))),
        "relative tolerance": calls(*((case.f, wrong(case, 1 + c * 1e-3), case.x, 1e-5, wide[0], 0.0) for c in (1, 2, 3))),
        "absolute tolerance": calls(
            *((case.f, lambda x, c=c: case.gradient(x) + c * 1e-3, case.x, 1e-5, 1e-6, wide[1]) for c in (1, -2, 3))
        ),
        "both tolerances": calls(*((case.f, wrong(case, c), case.x, 1e-5, *wide) for c in (1.05, 1.1, 0.9))),
        "a large step, the error of (16.3)": calls(
            *((case.f, case.gradient, case.x, eps, 1e-3, 0.0) for eps in (0.2, 0.3, 0.4))
        ),
        "a large step, x below its lower limit": calls(
            *((near.f, near.gradient, near.x, eps, 1e-3, 0.0) for eps in (0.2, 0.3, 0.4))
        ),
        "x is a number (0-d)": calls(*((single.f, wrong(single, c), single.x) for c in (1.01, 0.98, 1.03))),
        "x has four axes": calls(*((deep.f, wrong(deep, c, (1, 0, 0, 1)), deep.x) for c in (1.01, 0.98, 1.03))),
        "x is a transposed array": calls(*((turned.f, wrong(turned, c), turned.x.T) for c in (1.01, 0.98, 1.03))),
        "x in float32": calls(*((case.f, wrong(case, c), case.x.astype(np.float32)) for c in (1.01, 0.98, 1.03))),
        "x of whole numbers": calls(
            *((case.f, wrong(case, c), np.array([[1, -2, 3]])) for c in (1.001, 0.998, 1.003))
        ),
        "gradient of a wrong shape, then transposed, with NaN, infinite": calls(
            *(
                (case.f, bad, case.x)
                for bad in (
                    lambda x: case.gradient(x).reshape(-1), lambda x: case.gradient(x).T,
                    lambda x: case.gradient(x) * math.nan, lambda x: case.gradient(x) + math.inf,
                )
            )
        ),
        TYPES: sorted({kind.name for each in (case, large, turned, single, deep) for kind in each.dtypes}),
    }
    return found


# --- fixed_backward --------------------------------------------------------------------------------------------------


@question.probe(points=0.25, title="`fixed_backward`: a matrix, a row", public=True, judge=Fields(default=Close(rtol=1e-8, atol=1e-9)))
def fixed_ordinary(student, rng):
    d = rng.integer(4, 7)
    return {
        "a matrix": tried(lambda: student.fixed_backward(2 * drawn(rng, 5, d), drawn(rng, 5, d))),
        "one row": tried(lambda: student.fixed_backward(drawn(rng, d), drawn(rng, d))),
    }


@question.probe(
    points=1,
    title="`fixed_backward`: more axes, a large ε, rows of all sizes",
    judge=Fields({"grad_y changed by 1e-7, the change times 1e7": Close(rtol=1e-5, atol=1e-6)}, default=Close(rtol=1e-8, atol=1e-9)),
)
def fixed_edges(student, rng):
    d = rng.integer(4, 7)
    constant = np.full((2, d), rng.integer(1, 5) / 2)  # its mean has no rounding error

    def gradient(x, *eps):
        return tried(lambda: student.fixed_backward(x, drawn(rng, *x.shape), *eps))

    def change():
        x, grad_y, direction = (drawn(rng, 3, d) for _ in range(3))
        one, other = (student.fixed_backward(x, grad_y + step * direction) for step in (0, 1e-7))
        return 1e7 * (other - one)

    return {
        "grad_y changed by 1e-7, the change times 1e7": tried(change),
        "three axes": gradient(drawn(rng, 2, 3, d)),
        "as many rows as columns": gradient(drawn(rng, d, d)),
        "ε = 0.5": gradient(drawn(rng, 3, d), 0.5),
        "ε = 3": gradient(drawn(rng, 3, d), 3.0),
        "constant rows": gradient(constant, 0.25),
        "D = 1": gradient(drawn(rng, 3, 1)),
        "D = 2": gradient(drawn(rng, 3, 2)),
        "small rows": gradient(1e-3 * drawn(rng, 3, d)),
        "large rows": gradient(1e3 * drawn(rng, 3, d)),
        "far from 0": gradient(1e5 + drawn(rng, 3, d)),
    }
