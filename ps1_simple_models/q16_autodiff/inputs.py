"""Question 16: graphs to differentiate, and functions with right and wrong gradients."""

import numpy as np
import torch

# --- graphs --------------------------------------------------------------------------------------------------------


def random_parents(rng):
    """Parents of each node, as numbers; node -3 is the root, and it does not depend on the last two nodes."""
    n = rng.integer(7, 12)
    parents = [(), (), (), (0,), (3, 0), (4, 3)]  # a node used directly and through a longer chain
    for i in range(len(parents), n):
        parents.append(
            rng.choice([(i - 1, i - 1), (i - 1, rng.integer(0, i)), (rng.integer(1, i), i - 1), (i - 1, 2, 1)])
        )
    parents += [(3, 3), (3,), (n + 1,)]  # used twice on a short way, and once on a longer one
    n, used = n + 3, {p for ps in parents for p in ps}
    parents.append((3, *(i for i in range(n) if i not in used)))
    return [*parents, (1, 3), (n, n + 1)]


def root_of(parents):
    """The number of the root: the last two nodes do not belong to it."""
    return len(parents) - 3


def linked(Var, parents):
    """The nodes of a graph, with vjps that are not called."""
    nodes = []
    for ps in parents:
        node = Var.__new__(Var)  # without its conversions, which would copy a `Parents`
        found = [nodes[p] for p in ps]
        node.value, node.parents, node.vjps, node.grad = np.array(1.0), type(ps)(found), (abs,) * len(found), None
        nodes.append(node)
    return nodes


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


class Parents(tuple):
    """A node's parents, which may be read a hundred times: enough for every node once, not for every path."""

    def __iter__(self):
        self.reads = getattr(self, "reads", 0) + 1
        if self.reads > 100:
            raise ValueError(
                "one node is visited over and over, once for every path that leads to it; visit every node once"
            )
        return super().__iter__()


# --- gradient checking -----------------------------------------------------------------------------------------------


class Case:
    """f(x) = A Σ w exp(x / s) + A Σ exp(sum of two neighbours of x / s), at a point of size s, and its gradient.

    The second sum, without which a moved entry would not change the derivative in another, is left out for kind "sin",
    which has 2u + sin(u) for exp(u).
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
        self.dtypes.add(x.dtype)
        if self.moved is not None:
            self.moved.update(np.flatnonzero(x != self.point).tolist())
        u, w = (x / self.scale).reshape(-1), self.w.reshape(-1)
        if self.kind == "sin":
            return self.height * (w @ (2 * u + np.sin(u)))
        e = np.exp(u)
        return self.height * (e @ (w + e[self.before]))

    def gradient(self, x):
        self.dtypes.add(x.dtype)
        if self.moved is not None:
            self.away = max(self.away, float(np.abs(x - self.point).max()))
        u, w = (x / self.scale).reshape(-1), self.w.reshape(-1)
        if self.kind == "sin":
            slope = w * (2 + np.cos(u))
        else:
            e = np.exp(u)
            slope = e * (w + e[self.before] + e[self.after])
        return self.height / self.scale * slope.reshape(x.shape)


def wrong(case, factor, entry=None):
    """The gradient times ``factor``, in one entry or in all."""

    def gradient(x):
        g = case.gradient(x)
        if entry is None:
            return factor * g
        g[entry] *= factor
        return g

    return gradient
