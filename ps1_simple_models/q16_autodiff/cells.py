# %% [markdown]
# Two networks, the same start, the same minibatches of digits. One of them was trained with a wrong gradient. Which?

# %%
seen_images, seen_labels = data.digits("train")
new_images, new_labels = data.digits("test")
seen_images, new_images = seen_images.flatten(1), new_images.flatten(1)
hidden_steps = dgm.budget(smoke=40, cpu=300, gpu=300)


def _trained_network(wrong, seed=0):
    """Training losses and test loss of a network with two normalised hidden layers of 32 units."""
    generator = dgm.generator(seed)
    layers = [(torch.randn(a, b, generator=generator) / a**0.5).requires_grad_() for a, b in ((64, 32), (32, 32), (32, 10))]
    index = torch.randint(len(seen_images), (hidden_steps, 64), generator=generator)
    optimiser = torch.optim.SGD(layers, lr=0.1, momentum=0.9)

    def logits(x):
        for weight in layers[:-1]:
            x = x @ weight
            x = x - x.mean(-1, keepdim=True)
            scale = (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()
            x = torch.relu(x / (scale.detach() if wrong else scale))
        return x @ layers[-1]

    losses = []
    for i in index:
        loss = F.cross_entropy(logits(seen_images[i]), seen_labels[i])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    with torch.no_grad():
        return losses, float(F.cross_entropy(logits(new_images), new_labels))


network_runs = {name: _trained_network(wrong) for name, wrong in (("A", True), ("B", False))}
plot.curves({f"network {name}: test loss {test:.2f}": (np.arange(5, hidden_steps - 4), np.convolve(losses, np.ones(10) / 10, "valid"))
             for name, (losses, test) in network_runs.items()},
            xlabel="update", ylabel="training loss, mean of 10", logy=True, title="Both losses fall; the test does not tell")
plt.show()

# %% [markdown]
# A wrong gradient raises no alarm. (For five other seeds and splits the wrong one was always slower in training, and once better on the test.) Here you write `loss.backward()`
# yourself, then the instrument that finds such errors.
#
# ### Reverse mode
#
# In a computation each node $v$ comes from its parents. Let the last one, $L$, be a number, and write $\bar{v}=\partial{L}/\partial{v}$, of $v$'s shape. By the chain
# rule a node collects one contribution along **every** edge that leaves it:
#
# $$\bar{L}=1,\qquad\bar{v}=\sum_{\text{edges}\,v\to{u}}\bar{u}\,\frac{\partial{u}}{\partial{v}}. \tag{16.1}$$
#
# For $L=x\cdot{x}+x$ at $x=3$ three edges leave $x$. They bring 3, 3 and 1, so $\bar{x}=7$.
#
# Each edge has a function from $\bar{u}$ to its contribution, a *vector-Jacobian product* (vjp); no Jacobian is formed. And $\bar{u}$ must be *complete* before it is
# passed on: list the nodes in a **topological order**, parents before children, and walk it backwards. A breadth-first search does not give one.
#
# ### Broadcasting
#
# Added to a (5, 3) matrix, a bias of shape (3,) acts as if copied to every row. A copy is a use, and uses add up:
#
# $$\bar{b}_j=\sum_{i=1}^5\bar{u}_{ij}. \tag{16.2}$$
#
# Sum over the axes that broadcasting added in front, and over those that it stretched from length 1, which keep that length.
#
# The graph is in NumPy: nothing differentiates behind your back.

# %% role="given"
class Var:
    """A node: its value (float64), its parents, and for each parent a vjp. `backward` writes `grad`. A leaf has no parents."""

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
    return x if isinstance(x, Var) else Var(x)

# %% role="answer"
def topological_order(root: Var) -> list[Var]:
    """Every node that the root depends on exactly once, each after all of its parents; so the root is last.

    Visit nodes, not paths: 30 diamonds in a chain have 2³⁰ paths. Recursion will do, up to 150 nodes deep. (Engines use a stack: a loop
    of 3,500 steps is too deep.)
    """
    ### BEGIN SOLUTION
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order
    ### END SOLUTION


def backward(root: Var) -> None:
    """Write the gradient of the root by every node it depends on into `node.grad`; equation (16.1).

    What a `grad` held before does not count; other nodes are not touched. Each vjp is called once. It may return the very array
    it got, or a read-only one: add with `a = a + b`, not `a += b`. The root is a number (0-d), like its gradient 1.
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
    """Sum an array over everything that broadcasting has copied; equation (16.2).

    Args:
        shape: that before broadcasting, such as (), (3,), (1, 3), (2, 1, 4); the result has it.
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
# Compare with finite differences. With a step $h$ in coordinate $i$, Taylor's theorem says
#
# $$\frac{f(x+he_i)-f(x)}{h}=f_i'+\frac{h}2f_i''+\dots,\qquad\frac{f(x+he_i)-f(x-he_i)}{2h}=f_i'+\frac{h^2}6f_i'''+\dots \tag{16.3}$$
#
# A smaller step makes this error smaller, and another one larger: $f$ is rounded, by about $10^{-16}f$ in float64 and $10^{-7}f$ in float32, and that is divided by $h$.
# **Before you run this:** which power of ten is the best step for central differences in float64?

# %%
guess_power = None  # type a whole number, such as -12

wave_unit, wave_frequency = 1.0, 3.0  # the knobs

figure, axis = plot.subplots(width=7.5, height=3.6)
step_sizes, central_errors = np.logspace(-12, 3, 91), {}
for dtype, color in ((np.float64, plot.COLORS[0]), (np.float32, plot.COLORS[1])):
    point, frequency = dtype(0.7 * wave_unit), dtype(wave_frequency / wave_unit)
    exact = np.float64(frequency) * np.cos(np.float64(frequency) * np.float64(point))
    one_sided, central = [], []
    for h in step_sizes.astype(dtype):
        here, up, down = (np.float64(np.sin(frequency * x, dtype=dtype)) for x in (point, point + h, point - h))
        one_sided.append(max(abs((up - here) / h / exact - 1), 1e-13))
        central.append(max(abs((up - down) / (2 * h) / exact - 1), 1e-13))
    name = np.dtype(dtype).name
    axis.loglog(step_sizes, one_sided, ":", color=color, label=f"{name}, one-sided")
    axis.loglog(step_sizes, central, "-", color=color, label=f"{name}, central")
    central_errors[name] = np.convolve(np.log(central), np.ones(7) / 7, "valid")
axis.set(xlabel="step h", ylabel="relative error of the derivative", ylim=(1e-13, 1e2), title="Only central differences in float64 reach ten digits")
axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
plt.show()
best_power = math.log10(step_sizes[3 + int(np.argmin(central_errors["float64"]))])
plot.table([("best step, power of ten", guess_power, round(best_power, 1))], header=("", "your guess", "result (smoothed curve)"))

# %% [markdown]
# Between $10^{-6}$ and $10^{-5}$ both errors are alike. In float32 the best is about five digits.
# **Knobs.** Set `wave_unit` to 1000, as if $x$ were in millimetres: which step is best now? Set `wave_frequency` to 30.
#
# So, to serve all units, the step is relative to $x$ and the tolerance to the gradient. A gradient $a$ passes if all $r_i\le1$:
#
# $$h_i=\epsilon\max(|x_i|,10^{-3}),\qquad{n_i}=\frac{f(x+h_ie_i)-f(x-h_ie_i)}{2h_i},\qquad{r_i}=\frac{|a_i-n_i|}{\text{atol}+\text{rtol}\cdot\max(|a_i|,|n_i|)}. \tag{16.4}$$
#
# The limit $10^{-3}$ and atol are for entries that are zero.

# %% role="answer"
def gradcheck(f, grad_f, x, eps: float = 1e-5, rtol: float = 1e-6, atol: float = 1e-8) -> tuple[bool, float]:
    """Compare a gradient with central differences; equation (16.4).

    Args:
        f, grad_f: from a float64 array of x's shape to a number, and to the gradient under test.
        x: any shape (0-d too), not changed.

    Returns:
        (ok, max_error): max_error is the largest r_i, ok whether it is at most 1.
    """
    x = np.array(x, dtype=np.float64, order="C")
    analytic = np.array(grad_f(x.copy()), dtype=np.float64)
    if analytic.shape != x.shape or not np.isfinite(analytic).all():
        return False, math.inf
    ### BEGIN SOLUTION
    numeric = np.empty_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = eps * max(abs(x[i]), 1e-3)
        numeric[i] = (f(x + step) - f(x - step)) / (2 * step[i])
    scale = np.maximum(np.abs(analytic), np.abs(numeric))
    max_error = float((np.abs(analytic - numeric) / (atol + rtol * scale)).max())
    return max_error <= 1, max_error
    ### END SOLUTION

# %% [markdown]
# ### Find the bug
#
# Layer normalisation centres each row $x\in\mathbb{R}^D$ and divides by its standard deviation:
#
# $$\mu=\frac1D\sum_ix_i,\qquad{s}=\sqrt{\frac1D\sum_i(x_i-\mu)^2+\varepsilon},\qquad{y_i}=\frac{x_i-\mu}{s}. \tag{16.5}$$
#
# Below stands a backward pass from "working" code, with its unit test. It passes. Is it right?

# %% role="given"
def layer_norm(x, eps=1e-5):
    """Equation (16.5) along the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps)


def suspicious_backward(x, grad_y, eps=1e-5):
    """From the gradient by y = layer_norm(x) to that by x. Or is it?"""
    centred = x - x.mean(-1, keepdims=True)
    s = np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    return (grad_y - grad_y.mean(-1, keepdims=True)) / s

# %%
def test_suspicious_backward():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    w = np.array([4.0, 1.0, 0.0, 1.0, 4.0])   # L = Σ w_i y_i
    numeric = [((w * layer_norm(x + 1e-5 * e)).sum() - (w * layer_norm(x - 1e-5 * e)).sum()) / 2e-5 for e in np.eye(5)]
    np.testing.assert_allclose(suspicious_backward(x, w), numeric, rtol=1e-6)
    print("passed: the largest difference is", f"{np.abs(suspicious_backward(x, w) - numeric).max():.1e}")


test_suspicious_backward()

# %% [markdown]
# **On paper.** Differentiate (16.5): $x_j$ moves $y_i$ directly, through $\mu$, and through $s$. Your result is `fixed_backward`.

# %% role="answer"
def fixed_backward(x, grad_y, eps=1e-5):
    """The right backward pass of `layer_norm`, along the last axis.

    Args:
        x: (..., D), float64; a row may be constant, or far from 0.
        grad_y: gradient of L by y = layer_norm(x, eps), of the same shape.
        eps: ε of (16.5), not always small.
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
# **Before you run this:** your check gets the suspicious gradient at its unit test's point, for $L=\sum_iy_i$, and for random weights; then yours twice. How many of the five pass?

# %%
guess_passing = None  # type a number

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
plot.table([("gradients that pass", guess_passing, sum(row[1] == "passes" for row in check_rows))], header=("", "your guess", "result"))

# %% [markdown]
# In the first two rows the missing term is zero. Network A lacked that very term.
#
# Your `backward` trains a network, too: 12 tanh units learn whether both coordinates of a point have the same sign.

# %%
moons = data.toy2d("moons", 400, seed=0).double().numpy()
moons_labels = (moons[:, :1] * moons[:, 1:] > 0).astype(float)  # no straight line separates them
start_rng = np.random.default_rng(0)
net = [Var(start_rng.normal(size=shape)) for shape in ((2, 12), (12,), (12, 1), (1,))]


def _net_logit(points):
    w1, b1, w2, b2 = net
    return (Var(points) @ w1 + b1).tanh() @ w2 + b2


sides = np.stack(np.meshgrid(np.linspace(-3.4, 3.4, 80), np.linspace(-3.4, 3.4, 80)), -1)
figure, panels = plot.subplots(1, 3, width=10, height=3.2, sharex=True, sharey=True)
for panel, until in zip(panels, dgm.budget(smoke=(0, 5, 30), cpu=(0, 20, 400), gpu=(0, 20, 400))):
    for _ in range(until - (0 if panel is panels[0] else done)):
        logit = _net_logit(moons)
        loss = (logit.softplus() - logit * moons_labels).sum() * (1 / len(moons))
        backward(loss)
        net = [Var(p.value - 1.0 * p.grad) for p in net]
    done = until
    logit = _net_logit(moons)
    nats = float((np.logaddexp(0, logit.value) - logit.value * moons_labels).mean())
    probability = 1 / (1 + np.exp(-_net_logit(sides.reshape(-1, 2)).value.reshape(80, 80)))
    panel.imshow(probability, origin="lower", extent=(-3.4, 3.4, -3.4, 3.4), vmin=0, vmax=1, aspect="auto")
    panel.grid(False)
    for label, marker in ((0, "o"), (1, "s")):
        panel.plot(*moons[moons_labels[:, 0] == label].T, marker, color="black" if label else "white", markersize=2)
    panel.set(title=f"after {until} steps: {nats:.2f} nats", xlim=(-3.4, 3.4), ylim=(-3.4, 3.4))
plt.show()
print(f"cross-entropy after {done} steps: {nats:.3f} (expected after 400: about 0.06)")

# %% [markdown]
# ### Why? (2 points)
#
# In at most eight lines: why does the unit test pass although the backward pass is wrong? Name the term that is missing and what it stands for. Show why it
# vanishes at this point, and for $L=\sum_iy_i$. How should a test choose its points and weights?

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
# - Gradients add up over all uses of a node; a broadcast is a use.
# - Check in float64, with central differences, a step relative to $x$ and a tolerance relative to the gradient.
# - Test at random points with random weights: errors hide at symmetric ones.
#
# Layer normalisation returns in the transformers of a later set.
