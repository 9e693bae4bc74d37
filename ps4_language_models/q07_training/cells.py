# %% [markdown]
# The same model, seed, and lines of Question 2. One run was stopped half-way, and continued from a file with its weights. Run the cell.

# %% role="given"
import copy


COPY_TOKENS = data.CharTokenizer.from_text(COPY_LIST + ":\n")


def copy_rows(text: str, lines: int = 2) -> Int[Tensor, "M L"]:
    """The copy language as rows of so many lines; each row begins with the end of the line before."""
    rows = COPY_TOKENS.encode(text)[: len(text) // (44 * lines) * 44 * lines].reshape(-1, 44 * lines)
    return F.pad(rows, (1, 0), value=int(COPY_TOKENS.encode("\n")))


def fresh_gpt(config: Config, seed: int) -> nn.Module:
    """A new model, whose linear layers begin with weights of `init_linear`."""
    dgm.seed_everything(seed)
    model, draws = GPT(*config), dgm.generator(seed)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.data = init_linear(*layer.weight.shape, draws)
    return model

# %%
halt_steps = dgm.budget(smoke=10, cpu=100, gpu=100)
halt_rows = copy_rows(copy_lines(500, dgm.generator(0)), 1)


def halt_run(halted: bool) -> list[float]:
    dgm.seed_everything(0)
    model = GPT(len(COPY_TOKENS), 32, 2, 4)
    losses, optimiser, order = [], None, None
    for step in range(2 * halt_steps):
        if step == 0 or (halted and step == halt_steps):
            optimiser, order = torch.optim.AdamW(model.parameters(), 0.01, (0.9, 0.95)), dgm.generator(0)
        batch = halt_rows[torch.randint(500, (16,), generator=order)]
        loss = F.cross_entropy(model(batch[:, :-1]).transpose(1, 2), batch[:, 1:])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


plot.curves({"stopped, and continued from its weights": halt_run(True), "never stopped": halt_run(False)}, ylabel="nats a character", title="A run is more than its weights")
plt.show()

# %% [markdown]
# What else is a run made of? Here you write a loop that can stop anywhere, then two optimisers, and train your `GPT`.
#
# ### One step
#
# A step takes the gradient of a batch's mean cost and hands it to the optimiser. Two habits come in between. **Accumulation**: a batch too large for the memory is taken in parts, whose gradients add up in `.grad`. **Clipping**: the gradients of all parameters together are one long vector. If it is longer than a limit, it is
# shortened to it, so that no single batch throws the model far off.
#
# The mean over all tokens counts, not that of the parts' means. Parts of two rows and one row with mean costs 3 and 6 make 4, not 4.5.
#
# ### What a run remembers
#
# Its weights, the averages inside the optimiser, the number of steps done (the rate depends on it), and the generator that draws the next batches. With all four a continued run equals the run that was never stopped, *bit for bit*.
#
# One trap: PyTorch's `state_dict()` copies nothing. It hands out the tensors that training goes on to change. An optimiser's `load_state_dict` does not copy, either.
#
# ### AdamW
#
# For each entry of the gradient $g$ AdamW averages $g$ and $g^2$. It steps along the first, divided by the root of the second, so the size of $g$ hardly matters:
#
# $$m\leftarrow\beta_1m+(1-\beta_1)\,g,\qquad v\leftarrow\beta_2v+(1-\beta_2)\,g^2,\qquad w\leftarrow(1-\eta\lambda)\,w-\eta\,\frac{\hat m}{\sqrt{\hat v}+\epsilon}. \tag{7.1}$$
#
# Averages begin at 0. After $t$ equal gradients they hold only the shares $1-\beta_1^t$ and $1-\beta_2^t$ of what they should. The hats divide by these. The *decay* $\lambda$ shrinks the weight itself and never enters $m$ or $v$: it is *decoupled*, the W of the name. A first step with $w=2$ and $\eta=\lambda=0.1$ gives
# $1.98-0.1=1.88$, whether $g$ is 0.01 or 100.
#
# ### Muon
#
# AdamW treats each entry alone. But a matrix acts on vectors, and its singular values say how strongly. Here are those of your model's first gradient:

# %%
spectrum_matrix = 2   # a knob: number of a matrix in the first block, 0 to 6

dgm.seed_everything(0)
spectrum_model = GPT(len(COPY_TOKENS), 64, 2, 4, hidden=128)
spectrum_ids = halt_rows[:16]
F.cross_entropy(spectrum_model(spectrum_ids[:, :-1]).transpose(1, 2), spectrum_ids[:, 1:]).backward()
spectrum_name, spectrum_weight = [(n, p) for n, p in spectrum_model.blocks[0].named_parameters() if p.dim() == 2][spectrum_matrix]
spectra = {name: torch.linalg.svdvals(step) for name, step in (("gradient", spectrum_weight.grad), ("its signs, AdamW's first step", spectrum_weight.grad.sign()))}
ax = plot.curves({name: s / s[0] for name, s in spectra.items()}, xlabel="number of the singular value", ylabel="share of the largest", title=f"{spectrum_name}: few directions have most of the step", logy=True)
ax.set_ylim(1e-3, 1.3)
plt.show()

# %% [markdown]
# **Muon** makes them all equal: it replaces the averaged gradient $U\Sigma V^\top$ by $UV^\top$, so that every direction learns equally fast. The decomposition is slow. The **Newton-Schulz** iteration needs only products. It divides the matrix by the root of its summed squares, then takes five times
#
# $$X\leftarrow aX+(bS+cS^2)X,\qquad S=XX^\top,\qquad(a,b,c)=(3.4445,\,-4.7750,\,2.0315). \tag{7.2}$$
#
# $U$ and $V$ stay, and each singular value $\sigma$ becomes $a\sigma+b\sigma^3+c\sigma^5$. So 0.1 turns into 0.34, 0.99, 0.71, 1.11 and 0.71. It never settles, but stays near 1. That is enough. The step is
#
# $$M\leftarrow\beta M+(1-\beta)\,G,\qquad W\leftarrow(1-\eta\lambda)\,W-\eta\,c_{nm}\,\text{NS}\big(\beta M+(1-\beta)\,G\big). \tag{7.3}$$
#
# **On paper:** entries of AdamW's steps are about $0.2\,\eta$ in root mean square. $UV^\top$ of an $n\times m$ matrix has $\min(n,m)$ singular values 1, so what is the sum of its squared entries? Which $c_{nm}$ makes their root mean square 0.2? For $64\times256$ it is 3.2. With it one rate $\eta$ suits both.
#
# Muon is for matrices that vectors go through. A row of an embedding or a head belongs to one token, and a norm has a vector: these keep AdamW.

# %% role="given"
def rate_at(step: int, steps: int, peak: float, warm_up: int) -> float:
    """A linear rise during warm_up steps, then below half a cosine."""
    return peak * min((step + 1) / warm_up, 0.5 + 0.5 * math.cos(math.pi * step / steps))

# %% role="answer"
def train_step(model: nn.Module, optimiser, ids: Int[Tensor, "N L"], accumulate: int = 1, max_norm: float = 1.0) -> Float[Tensor, ""]:
    """One step of the optimiser on the mean cost of all tokens of ids but the first of each row.

    Args:
        model: its mode stays as it is. What `.grad` held before does not count.
        accumulate: at most N. No part has more rows than N / accumulate, rounded up. Parts may differ in size.
        max_norm: the limit for the gradient of the whole batch.

    Returns:
        The mean cost before the step, without graph.
    """
    ### BEGIN SOLUTION
    optimiser.zero_grad()
    total = 0.0
    for part in ids.chunk(accumulate):
        cost = cross_entropy(model(part[:, :-1]), part[:, 1:]) * len(part) / len(ids)
        cost.backward()
        total += cost.detach()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimiser.step()
    return total
    ### END SOLUTION


class Run:
    """A training run that can be stopped, kept and continued."""

    def __init__(
        self, model: nn.Module, optimiser, rows: Int[Tensor, "M L"], generator: torch.Generator, lr: float, steps: int, batch_size: int = 16, warm_up: int = 30
    ) -> None:
        self.model, self.optimiser, self.rows, self.generator = model, optimiser, rows, generator
        self.lr, self.steps, self.batch_size, self.warm_up, self.step = lr, steps, batch_size, warm_up, 0

    def train(self, until: int) -> list[float]:
        """The losses of the steps until so many are done."""
        losses = []
        while self.step < until:
            for group in self.optimiser.param_groups:
                group["lr"] = rate_at(self.step, self.steps, self.lr, self.warm_up)
            places = torch.randint(len(self.rows), (self.batch_size,), generator=self.generator, device=self.generator.device)
            losses.append(float(train_step(self.model, self.optimiser, self.rows[places.to(self.rows.device)])))
            self.step += 1
        return losses

    def state_dict(self) -> dict:
        """All that changes in a run, as a copy that further training leaves alone. `torch.save` can write it."""
        ### BEGIN SOLUTION
        state = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        return copy.deepcopy(state | {"generator": self.generator.get_state(), "step": self.step})
        ### END SOLUTION

    def load_state_dict(self, state: dict) -> None:
        """Go on from where `state_dict` was called, in this run or one like it. The state stays as it is, for further use."""
        ### BEGIN SOLUTION
        state = copy.deepcopy(state)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.step = state["step"]
        ### END SOLUTION

# %% role="answer"
def adamw_step(
    weight: Float[Tensor, "*shape"], grad: Float[Tensor, "*shape"], m: Float[Tensor, "*shape"], v: Float[Tensor, "*shape"], step: int,
    lr: float, betas: tuple[float, float] = (0.9, 0.95), eps: float = 1e-8, decay: float = 0.1,
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    """New (weight, m, v) by (7.1); the arguments stay as they are. The first step is 1."""
    ### BEGIN SOLUTION
    m = betas[0] * m + (1 - betas[0]) * grad
    v = betas[1] * v + (1 - betas[1]) * grad**2
    quotient = m / (1 - betas[0] ** step) / ((v / (1 - betas[1] ** step)).sqrt() + eps)
    return (1 - lr * decay) * weight - lr * quotient, m, v
    ### END SOLUTION


def newton_schulz(matrix: Float[Tensor, "n m"], steps: int = 5) -> Float[Tensor, "n m"]:
    """(7.2), in the dtype of the matrix; zeros stay zeros.

    S has the smaller of both sizes: a tall matrix is transposed, and its result transposed back.
    """
    ### BEGIN SOLUTION
    x = matrix / (matrix.norm() + 1e-7)
    if len(x) > x.shape[1]:
        return newton_schulz(matrix.T, steps).T
    for _ in range(steps):
        s = x @ x.T
        x = 3.4445 * x + (-4.7750 * s + 2.0315 * s @ s) @ x
    return x
    ### END SOLUTION


class Muon(torch.optim.Optimizer):
    """Muon for the matrices that vectors go through, AdamW for all other parameters of a `GPT`."""

    def __init__(self, model: nn.Module, lr: float = 0.01) -> None:
        matrices = self.choose(model)
        others = [p for p in model.parameters() if all(p is not each for each in matrices)]
        super().__init__([{"params": matrices, "muon": True}, {"params": others, "muon": False}], {"lr": lr})

    @staticmethod
    def choose(model: nn.Module) -> list[nn.Parameter]:
        """The parameters of a `GPT` that get Muon."""
        ### BEGIN SOLUTION
        return [p for p in model.blocks.parameters() if p.dim() == 2]
        ### END SOLUTION

    @staticmethod
    def update(
        weight: Float[Tensor, "n m"], grad: Float[Tensor, "n m"], momentum: Float[Tensor, "n m"], lr: float, beta: float = 0.95, decay: float = 0.1
    ) -> tuple[Float[Tensor, "n m"], Float[Tensor, "n m"]]:
        """New (weight, momentum) by (7.3), with `newton_schulz` and your factor; the arguments stay as they are."""
        ### BEGIN SOLUTION
        momentum = beta * momentum + (1 - beta) * grad
        change = newton_schulz(beta * momentum + (1 - beta) * grad)
        return (1 - lr * decay) * weight - lr * 0.2 * max(weight.shape) ** 0.5 * change, momentum
        ### END SOLUTION

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for weight in (p for p in group["params"] if p.grad is not None):
                state, zero = self.state[weight], torch.zeros_like(weight)
                state["step"], m = state.get("step", 0) + 1, state.get("m", zero)
                if group["muon"]:
                    new, state["m"] = self.update(weight, weight.grad, m, group["lr"])
                else:
                    new, state["m"], state["v"] = adamw_step(weight, weight.grad, m, state.get("v", zero), state["step"], group["lr"])
                weight.copy_(new)

# %% role="check"
grader.check("q7")

# %% [markdown]
# ### The gate
#
# Before a long run: can the model learn *one* batch by heart? That takes seconds and shows many mistakes. Here it sees the same eight lines again and again.
#
# **Before you run this.** A line has 44 characters, and only its first letters tell which of the eight it is. To how many nats a character can the loss fall?

# %%
guess_gate = None   # type a number

# %%
gate_lines, gate_lr = 8, 0.01   # two knobs: 1 line; and rates of 0.1 and 1


class Peeking(GPT):
    def forward(self, ids: Int[Tensor, "N T"]) -> Float[Tensor, "N T V"]:
        return super().forward(ids.roll(-1, 1))


class Forgetful(torch.optim.AdamW):
    def zero_grad(self, set_to_none: bool = True) -> None:
        pass


def gate(kind, optimiser) -> list[float]:
    dgm.seed_everything(0)
    model = kind(len(COPY_TOKENS), 32, 2, 4)
    optimiser = optimiser(model.parameters(), gate_lr, (0.9, 0.95))
    return [float(train_step(model, optimiser, halt_rows[:gate_lines])) for _ in range(dgm.budget(smoke=10, cpu=150, gpu=150))]


gate_runs = {"A": gate(GPT, Forgetful), "B": gate(GPT, torch.optim.AdamW), "C": gate(Peeking, torch.optim.AdamW)}
ax = plot.curves(gate_runs, ylabel="nats a character", title="One of these three programs is right", logy=True)
ax.set_ylim(5e-5, 5)
ax.legend(loc="lower left")
plt.show()
plot.table([(name, run[-1], expected, guess_gate) for (name, run), expected in zip(gate_runs.items(), ("0.2", "0.05", "0.0003"))], header=("program", "last loss", "expected", "your guess"))

# %% [markdown]
# B is right. It ends just above $\ln(8)/44=0.047$, the price of choosing one of eight lines. Nobody can honestly pay less. A never resets its gradients. C is the dangerous one: it falls *below* the floor, because its model sees the token that it is to predict. So a gate needs a floor, too.
#
# ### A language with known entropy
#
# Now 3,000 lines, judged on new ones. In grey are your models of Question 2. Beside the curve stands what the model writes after `zipper dragon quartz : `.
#
# **Before you run this.** Muon's run takes 300 steps of 32 lines. After how many is it below the 6-gram?

# %%
guess_crossing = None   # type a number

# %%
curve_steps = dgm.budget(smoke=20, cpu=300, gpu=300)
curve_rates = {"AdamW": 0.01, "Muon": 0.03}   # two knobs: try 0.001, then 0.1, for both. What do you lose?

curve_rows, curve_new = copy_rows(copy_text), copy_rows(copy_new)[:60]


def copy_run(name: str, seed: int = 0) -> Run:
    model = fresh_gpt(Config(len(COPY_TOKENS), 64, 2, 4, 2, 88, 128), seed).to(dgm.device())
    optimiser = Muon(model) if name == "Muon" else torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), weight_decay=0.1)
    return Run(model, optimiser, curve_rows.to(dgm.device()), dgm.generator(seed, dgm.device()), curve_rates[name], curve_steps)


def copy_writes(model, prompt: str, length: int = 21) -> str:
    ids = COPY_TOKENS.encode("\n" + prompt)[None].to(dgm.device())
    with torch.no_grad():
        for _ in range(length):
            ids = torch.cat([ids, model(ids)[:, -1:].argmax(-1)], 1)
    return COPY_TOKENS.decode(ids[0, -length:].cpu()).replace("\n", "↵")


curve_runs, curve_costs, curve_texts = {name: copy_run(name) for name in curve_rates}, {}, {}
for name, run in curve_runs.items():   # about 15 seconds each
    curve_costs[name] = {}
    for done in range(0, curve_steps + 1, 10):
        run.train(done)
        curve_costs[name][done] = float(token_nats(run.model, curve_new.to(dgm.device())).mean())
        if name == "Muon":
            curve_texts[done] = copy_writes(run.model, "zipper dragon quartz : ")
copy_model = curve_runs["Muon"].model.cpu().eval()

figure, ax = plot.subplots(width=10, height=5.5)
plot.curves({name: (list(costs), list(costs.values())) for name, costs in curve_costs.items()}, ax=ax, ylabel="nats a character, new lines", title="One after another, your own n-grams are left behind", logy=True)
for name, cost in [*ngram_lines.items(), ("entropy", COPY_NATS)]:
    color = "black" if name == "entropy" else "#888888"
    ax.axhline(cost, color=color, linestyle="--", linewidth=1, zorder=1)
    ax.text(1.01, cost, f"{name}  {cost:.2f}", color=color, va="center", transform=ax.get_yaxis_transform())
for done in dgm.budget(smoke=(0, 20), cpu=(20, 40, 50, 70), gpu=(20, 40, 50, 70)):
    ax.annotate(curve_texts[done], (done, curve_costs["Muon"][done]), xytext=(0.45 * curve_steps, 1.1 * curve_costs["Muon"][done]), family="monospace", arrowprops={"arrowstyle": "-", "color": "#bbbbbb"}, bbox={"facecolor": "white", "edgecolor": "none"})
ax.set(xlim=(0, curve_steps), ylim=(0.21, 4), yticks=(0.25, 0.5, 1, 2, 4), yticklabels=("0.25", "0.5", "1", "2", "4"))
ax.minorticks_off()
plt.show()


def crossing(costs: dict, line: float):
    return next((done for done, cost in costs.items() if cost < line), None)


plot.table(
    [*((f"below the {name}, after steps", *(crossing(costs, line) for costs in curve_costs.values()), expected, guess_crossing if name == "6-gram" else None)
       for (name, line), expected in zip(ngram_lines.items(), ("10, 10", "40, 30", "80, 60", "90, 60"))),
     ("at the end (entropy 0.2363)", *(round(costs[curve_steps], 4) for costs in curve_costs.values()), "0.243, 0.239", None)],
    header=("", *curve_costs, "expected", "your guess"))

# %% [markdown]
# First the model knows letters, then pieces of words. At the line of the 6-gram it begins to copy. What is left to pay are three words of five bits. (Over five seeds Muon needs 50 to 60 steps to that line and AdamW 70 to 90. Both end within 3 % of the entropy.)
#
# ### English, honestly
#
# The floor of real text is not known. Here are 340,000 parameters on the text of Question 2.

# %%
english_steps = dgm.budget(smoke=5, cpu=300, gpu=300)   # a knob: 600. Which of the two columns gains?
english_ids, english_new = (count_tokens.encode(data.english(split)) for split in ("train", "val"))
english_new = english_new.unfold(0, 97, 96)[: dgm.budget(smoke=4, cpu=1000, gpu=1000)]
english_costs = {}
for name in ("AdamW", "Muon"):   # about 40 seconds each
    english_model = fresh_gpt(Config(count_size, 96, 3, 4, 4, 96, 256), 0).to(dgm.device())
    english_optimiser = Muon(english_model) if name == "Muon" else torch.optim.AdamW(english_model.parameters(), betas=(0.9, 0.95), weight_decay=0.1)
    english_rows, english_rate = english_ids.unfold(0, 97, 1).to(dgm.device()), 0.02 if name == "Muon" else 0.004
    english_run = Run(english_model, english_optimiser, english_rows, dgm.generator(0, dgm.device()), english_rate, english_steps)
    english_costs[name] = np.mean(english_run.train(english_steps)[-20:]), float(token_nats(english_model, english_new.to(dgm.device())).mean())
plot.table([("Kneser-Ney, n = 6", None, count_costs["Kneser-Ney"][5], "1.12"), *((f"{name}, {english_steps} steps", *costs, expected) for (name, costs), expected in zip(english_costs.items(), ("1.48", "1.29")))],
           header=("English, nats a character", "training text", "new text", "expected"))

# %% [markdown]
# Neither crosses your Kneser-Ney line, which took a few seconds to count. Of these two runs, each at the best of the few rates that we tried, Muon's is ahead by 0.2 nats. Its two columns part: some of what it learns, it learns by heart.
#
# **Why?** (a) At the end your curve lies on the entropy. At which characters of a line does the model still pay, and why can no amount of training change that? (b) A friend's curve on *new* lines ends at 0.20. Name two mistakes that can do this, and for each a test that would show it.

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (a) It pays for the first half of the line only: ln 32 for each of three words, almost all of it at a word's first letters, until these say which word it is. The words are drawn independently, so nothing in the past tells which comes next. Spaces, colon, the rest of a word and the whole copy are certain and cost nothing. No
# model can put more probability on average on what is drawn uniformly.
#
# (b) The mean cost of any honest model is at least the entropy, up to chance, and 400 lines are too many for such a chance. So the model sees what it is to predict: a mask that leaks, or targets that were not shifted. Test: change a token; no output before it may change. Or the mean is not over all tokens: the certain ones are
# counted more often, for instance because only copies are scored, or rows begin in the middle of a line. Test: a model of equal probabilities must cost ln V, and the costs of one line must add up to 15 bits. Or the lines are not new. Test: draw lines with a new seed.
# ### END SOLUTION

# %% [markdown]
# **What to remember**
# - A run is weights, optimiser, step and generator. A snapshot is a copy.
# - Gate first: one batch by heart, down to its floor and not below.
# - Muon gives all directions of a matrix equal steps, AdamW all entries.
#
# Questions 8 and 9 go on with this `copy_model`.
