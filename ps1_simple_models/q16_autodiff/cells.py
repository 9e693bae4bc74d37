# %% [markdown]
# Every model of this course is trained by `loss.backward()`. In this question you write it. It is forty lines, and after it autograd is no
# longer magic: you know why gradients add up, why shapes come back right, and what a wrong backward pass looks like. It looks like nothing: the loss
# still falls, a little more slowly. So the second half builds the instrument that finds such errors, and uses it on a real one.
#
# ### Reverse mode
#
# A computation is a directed graph without cycles. A node $v$ is computed from its parents. Let $L$ be the last node, a number, and write $\bar v=\partial L/\partial v$, an
# array of $v$'s shape. By the chain rule, a node collects one contribution along **every** edge that leaves it:
#
# $$
# \bar L = 1, \qquad \bar v \;=\; \sum_{\text{edges } v\to u} \bar u\,\frac{\partial u}{\partial v}. \tag{16.1}
# $$
#
# Each edge carries a function that maps $\bar u$ to its contribution $\bar u\,\partial u/\partial v$, a *vector-Jacobian product*; the
# Jacobian itself is never formed. Two things follow from (16.1). The contributions **add up**: in $x\cdot x$ both edges come from $x$, and each brings $x\bar u$.
# And $\bar u$ must be *complete* before it is passed on: all nodes that use $u$ come first. So we need a **topological order** (parents before children) and walk it backwards;
# the order of a breadth-first search is not enough.
#
# ### Broadcasting
#
# In NumPy a bias of shape (3,) plus a matrix of shape (5, 3) acts as if it had been copied to every row. A copy is a use, and by (16.1) the uses add up:
#
# $$
# \bar b_j = \sum_{i=1}^{5} \bar u_{ij}. \tag{16.2}
# $$
#
# In general, sum over the axes that broadcasting added in front, and over those that it stretched from length 1 (which keep their length 1).
#
# Here is the graph, in NumPy, so that nothing can differentiate behind your back. Read it; it needs nothing from you.

# %% role="given"
class Var:
    """A node of the graph.

    value: float64 array (0-d for a number). parents: the Vars it was computed from (the same one may occur twice).
    vjps: for each parent a function from the gradient with respect to this node to the contribution to that parent's
    gradient, an array of the parent's shape. grad: what `backward` writes; None before. A leaf has no parents.
    """

    def __init__(self, value, parents=(), vjps=()):
        self.value = np.asarray(value, dtype=np.float64)
        self.parents, self.vjps, self.grad = tuple(parents), tuple(vjps), None

    __array_ufunc__ = None  # so that array * Var asks the Var

    def __add__(self, other):
        other = as_var(other)
        a, b = self.value, other.value
        return Var(a + b, (self, other), (lambda g: unbroadcast(g, a.shape), lambda g: unbroadcast(g, b.shape)))

    def __mul__(self, other):
        other = as_var(other)
        a, b = self.value, other.value
        return Var(a * b, (self, other), (lambda g: unbroadcast(g * b, a.shape), lambda g: unbroadcast(g * a, b.shape)))

    def __matmul__(self, other):  # of two matrices
        other = as_var(other)
        a, b = self.value, other.value
        return Var(a @ b, (self, other), (lambda g: g @ b.T, lambda g: a.T @ g))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-as_var(other))

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self):
        y = np.tanh(self.value)
        return Var(y, (self,), (lambda g: g * (1 - y**2),))

    def softplus(self):  # log(1 + exp(x)); its derivative is the logistic function
        x = self.value
        return Var(np.logaddexp(0, x), (self,), (lambda g: g * 0.5 * (1 + np.tanh(x / 2)),))

    def sum(self):
        shape = self.value.shape
        return Var(self.value.sum(), (self,), (lambda g: np.broadcast_to(g, shape),))


def as_var(x):
    """A Var as it is; anything else as a new leaf."""
    return x if isinstance(x, Var) else Var(x)

# %% [markdown]
# ### Your task, first half
#
# - Graphs may have thousands of nodes in a chain (a loop with 3,500 steps makes one). Python's recursion ends at a depth of 1,000, in Jupyter of 3,000, so **do not recurse**:
#   use a list as a stack, or count, for each node, the uses that are still open.
# - They may have many diamonds in a chain: visit every *node* once, not every *path*, of which there are $2^{n}$. (A set of the nodes seen
#   so far will do: `Var` defines no `==`.)
# - A contribution may be the very same array as the node's gradient, or read-only (look at the vjps of `+` and `sum`). So add with `a = a + b`, never with `a += b`.

# %% role="answer"
def topological_order(root: Var) -> list[Var]:
    """All nodes that the root depends on, parents before children.

    Args:
        root: any node. A graph without cycles, up to some thousand nodes deep.

    Returns:
        a list with every reachable node exactly once, each after all of its parents; so the root is last. Any such
        order is right.
    """
    ### BEGIN SOLUTION
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(parent, False) for parent in node.parents]
    return order
    ### END SOLUTION


def backward(root: Var) -> None:
    """Write the gradient of the root with respect to every node it depends on into ``node.grad``, equation (16.1).

    Every ``grad`` is written afresh: whatever an earlier call has left there (in the root, or in any other node) does not
    count. Each vjp is called exactly once. Nodes that the root does not depend on are not touched.

    Args:
        root: a node whose value is a number (0-d). Its own gradient is 1 (0-d too).
    """
    ### BEGIN SOLUTION
    order = topological_order(root)
    for node in order:
        node.grad = np.zeros_like(node.value)
    root.grad = np.ones_like(root.value)
    for node in reversed(order):
        for parent, vjp in zip(node.parents, node.vjps, strict=True):
            parent.grad = parent.grad + vjp(node.grad)
    ### END SOLUTION


def unbroadcast(grad, shape: tuple[int, ...]):
    """Sum a gradient over everything that broadcasting has copied, equation (16.2).

    Args:
        grad: NumPy array, of a shape to which ``shape`` can be broadcast.
        shape: the shape before broadcasting, for example (), (3,), (1, 3), (2, 1, 4).

    Returns:
        NumPy array of shape ``shape``.
    """
    ### BEGIN SOLUTION
    grad = np.asarray(grad)
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1)
    return grad.sum(axis=stretched, keepdims=True)
    ### END SOLUTION

# %% [markdown]
# ### Checking a gradient
#
# Compare with a finite difference. With a step $h$ in coordinate $i$ ($e_i$ is the unit vector), Taylor's theorem says
#
# $$
# \frac{f(x+h e_i)-f(x)}{h} = f_i' + \frac h2 f_i'' + O(h^2), \qquad
# \frac{f(x+h e_i)-f(x-h e_i)}{2h} = f_i' + \frac{h^2}{6} f_i''' + O(h^4). \tag{16.3}
# $$
#
# A smaller step makes this error smaller, but another one larger: the values of $f$ are rounded to a relative precision $u$ (about $10^{-16}$ in float64,
# $10^{-7}$ in float32), and the difference is divided by $h$, an error of about $u\,|f|/h$. The next cell shows the sum of both.
# **Before you run it:** of the four curves, which has a useful minimum?

# %%
figure, axis = plot.subplots(width=7, height=3.8)
step_sizes = np.logspace(-12, 0, 73)
for dtype, color in ((np.float64, plot.COLORS[0]), (np.float32, plot.COLORS[1])):
    point = dtype(0.7)
    exact = np.exp(np.float64(point)) * np.cos(3 * np.float64(point)) - 3 * np.exp(np.float64(point)) * np.sin(3 * np.float64(point))

    def wave(x, dtype=dtype):
        return np.float64(np.exp(x, dtype=dtype) * np.cos(dtype(3) * x, dtype=dtype))

    one_sided = [abs((wave(point + dtype(h)) - wave(point)) / h / exact - 1) for h in step_sizes]
    central = [abs((wave(point + dtype(h)) - wave(point - dtype(h))) / (2 * h) / exact - 1) for h in step_sizes]
    name = np.dtype(dtype).name
    axis.loglog(step_sizes, np.maximum(one_sided, 1e-13), ":", color=color, label=f"{name}, one-sided")
    axis.loglog(step_sizes, np.maximum(central, 1e-13), "-", color=color, label=f"{name}, central")
axis.set(xlabel="step h", ylabel="relative error of the derivative", title=r"$e^x\cos 3x$ at 0.7")
axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9)
plt.show()

# %% [markdown]
# Only central differences in float64 reach ten digits, at $h\approx 10^{-5}$ (near $u^{1/3}$). In float32 no step gives more than five, and at $10^{-5}$ two or three are left.
# And "$10^{-5}$" is meant relative to $x$: at $x=10^6$ a step of $10^{-5}$ drowns in rounding, at $x=10^{-3}$ it is large. So we use
#
# $$
# h_i = \epsilon\,\max(|x_i|,\,10^{-3}), \qquad n_i = \frac{f(x+h_i e_i)-f(x-h_i e_i)}{2h_i}, \qquad
# r_i = \frac{|a_i-n_i|}{\text{atol}+\text{rtol}\cdot\max(|a_i|,|n_i|)}, \tag{16.4}
# $$
#
# where $a$ is the gradient under test. The check passes if **all** $r_i\le 1$. The relative tolerance is what makes one setting serve
# gradients of size $10^{-3}$ and $10^{6}$; the absolute one is for entries that are zero.
#
# ### Your task, second half
#
# Write `gradcheck`. Then find a bug with it: below stands a layer normalisation and its backward pass, taken from "working" code, with the unit
# test that came with it. It passes. Is it right?

# %% role="answer"
def gradcheck(f, grad_f, x, eps: float = 1e-5, rtol: float = 1e-6, atol: float = 1e-8) -> tuple[bool, float]:
    """Compare a gradient with central differences in float64, equation (16.4).

    Args:
        f: from a NumPy array of x's shape to a number.
        grad_f: from such an array to the gradient that is tested; for f = Σ x²/2 it may return the very array
            that it got.
        x: the point, a NumPy array of any shape (0-d too) and memory layout (a transposed array too), of float64, float32 or
            integer type; not changed. ``f`` and ``grad_f`` are called with float64 arrays only. At least one entry.
        eps, rtol, atol: as in (16.4).

    Returns:
        (ok, max_error): max_error is the largest r_i, a float: the error in units of the tolerance; ok says whether it is
        at most 1. A gradient of another shape than x, or with an entry that is NaN or infinite, gives (False, inf). So does
        an f without a finite difference; that is not tested.
    """
    ### BEGIN SOLUTION
    x = np.array(x, dtype=np.float64)
    analytic = np.array(grad_f(x.copy()), dtype=np.float64)
    if analytic.shape != x.shape or not np.isfinite(analytic).all():
        return False, math.inf
    max_error = 0.0
    for i in np.ndindex(x.shape):
        h = eps * max(abs(x[i]), 1e-3)
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        numeric = (float(f(up)) - float(f(down))) / (2 * h)
        if not math.isfinite(numeric):
            return False, math.inf
        scale = max(abs(analytic[i]), abs(numeric))
        error = abs(analytic[i] - numeric) / (atol + rtol * scale)
        max_error = max(max_error, float(error))
    return bool(max_error <= 1), max_error
    ### END SOLUTION

# %% [markdown]
# Layer normalisation, without gain and bias: each row $x\in\mathbb R^D$ is centred and divided by its standard deviation,
#
# $$
# \mu=\frac1D\sum_i x_i, \qquad s=\sqrt{\frac1D\sum_i (x_i-\mu)^2+\varepsilon}, \qquad y_i=\frac{x_i-\mu}{s}. \tag{16.5}
# $$

# %% role="given"
def layer_norm(x, eps=1e-5):
    """Equation (16.5) along the last axis, for an array (..., D)."""
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps)


def suspicious_backward(x, grad_y, eps=1e-5):
    """Given the gradient with respect to y = layer_norm(x), the gradient with respect to x. Or is it?"""
    centred = x - x.mean(-1, keepdims=True)
    s = np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    return (grad_y - grad_y.mean(-1, keepdims=True)) / s

# %%
def test_suspicious_backward():
    """The unit test that came with it: central differences at one point, for L = Σ w_i y_i."""
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    w = np.array([4.0, 1.0, 0.0, 1.0, 4.0])
    numeric = [
        ((w * layer_norm(x + 1e-5 * e)).sum() - (w * layer_norm(x - 1e-5 * e)).sum()) / 2e-5 for e in np.eye(5)
    ]
    np.testing.assert_allclose(suspicious_backward(x, w), numeric, rtol=1e-6)
    print("passed: the largest difference is", f"{np.abs(suspicious_backward(x, w) - numeric).max():.1e}")


test_suspicious_backward()

# %% [markdown]
# Write `fixed_backward`, the right one. Differentiate (16.5) with pencil and paper first: $x_j$ moves $y_i$ directly, through $\mu$, and through $s$.

# %% role="answer"
def fixed_backward(x, grad_y, eps=1e-5):
    """The right backward pass of `layer_norm`, along the last axis.

    Args:
        x: NumPy array (..., D), D ≥ 1; a row may be constant (its y is 0), or far from 0.
        grad_y: gradient of a number L with respect to y = layer_norm(x, eps), the shape of x.
        eps: ε of (16.5), possibly not small.

    Returns:
        the gradient of L with respect to x, the shape of x.
    """
    ### BEGIN SOLUTION
    centred = x - x.mean(-1, keepdims=True)
    s = np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    y = centred / s
    return (grad_y - grad_y.mean(-1, keepdims=True) - y * (grad_y * y).mean(-1, keepdims=True)) / s
    ### END SOLUTION

# %% role="check"
grader.check("q16")

# %% [markdown]
# ### Your check at work
#
# Each row is a gradient under test. **Before you run this:** which rows should pass?

# %%
weights = np.random.default_rng(0).normal(size=(4, 6))
random_rows = np.random.default_rng(1).normal(size=(4, 6))
symmetric_rows, even_weights = np.tile([-2.0, -1.0, 0.0, 1.0, 2.0], (2, 1)), np.tile([4.0, 1.0, 0.0, 1.0, 4.0], (2, 1))
check_rows = []
for name, backward_pass, point, w, sane in (
    ("suspicious, the point of its unit test", suspicious_backward, symmetric_rows, even_weights, "passes"),
    ("suspicious, random x, L = Σ y", suspicious_backward, random_rows, np.ones((4, 6)), "passes!"),
    ("suspicious, random x, random weights", suspicious_backward, random_rows, weights, "fails, about 7e5"),
    ("yours, random x, random weights", fixed_backward, random_rows, weights, "passes"),
    ("yours, x a thousand times smaller", fixed_backward, 1e-3 * random_rows, weights, "passes"),
):
    ok, error = gradcheck(lambda x: (w * layer_norm(x)).sum(), lambda x: backward_pass(x, w), point, atol=1e-6)
    check_rows.append((name, "passes" if ok else "FAILS", float(error), sane))
plot.table(check_rows, header=("gradient", "your check", "largest r", "expected"))

# %% [markdown]
# And your `backward` trains a network: one hidden layer of 12 tanh units, which learns whether the two coordinates of a
# point have the same sign. Nothing but NumPy and your functions.

# %%
moons = data.toy2d("moons", 400, seed=0).double().numpy()
moons_labels = (moons[:, :1] * moons[:, 1:] > 0).astype(float)  # no straight line separates them
start_rng = np.random.default_rng(0)
net = [Var(start_rng.normal(size=shape)) for shape in ((2, 12), (12,), (12, 1), (1,))]
tape_losses = []
for _ in range(dgm.budget(smoke=30, cpu=400, gpu=400)):
    w1, b1, w2, b2 = net
    logit = (Var(moons) @ w1 + b1).tanh() @ w2 + b2
    loss = (logit.softplus() - logit * moons_labels).sum() * (1 / len(moons))
    backward(loss)
    net = [Var(p.value - 1.0 * p.grad) for p in net]
    tape_losses.append(float(loss.value))
plot.curves({"your backward, gradient descent": tape_losses}, ylabel="cross-entropy", reference={"guessing": math.log(2)})
print(f"loss after {len(tape_losses)} steps: {tape_losses[-1]:.3f} (expected after 400: about 0.06)")

# %% [markdown]
# ### In your own words (2 points, graded by a person)
#
# In at most eight lines: why does the unit test above pass although the backward pass is wrong? Name the term that is missing and what it stands for, show why it
# vanishes at this point, and say how a test should choose its points (also why $L=\sum_i y_i$, a popular choice, is a bad one here).
# One point is for the missing term and why it vanishes, one for the choice of points and weights.

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# The missing term is -y · mean(grad_y · y) / s. It stands for the dependence of s on x: the code differentiates as if the standard deviation
# were a constant. At the test's point x is odd about its centre (x_i = -x_{D+1-i}, so y is too) and the weights grad_y are even, so the
# products grad_y · y cancel in pairs: their mean is 0 and so is the term. The finite differences are right, they
# just cannot see a term that is zero.
# With L = Σ y_i, grad_y is constant, so mean(grad_y · y) is proportional to mean(y) = 0 for every x. (The
# whole gradient is 0, because Σ y_i = 0 always.)
# A test should use points and weights in general position: random x without symmetry, random grad_y, several shapes and seeds. Then a missing
# term is zero with probability zero.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - Gradients add up over all uses of a node, a broadcast is a use, and a node passes its gradient on when it is complete.
# - Check gradients in float64, with central differences, a step relative to $x$ and a tolerance relative to the gradient.
# - Test at random points with random weights: symmetric points are where errors hide.
