# %% [markdown]
# How many bytes do 200 images take? The striped bars are only claims: the −ELBO that Question 5's two programs report. Which claim can be kept?

# %%
import gzip
import lzma

coded_glyphs, coded_digits = (images[: dgm.budget(smoke=20, cpu=n, gpu=n)].int().tolist() for images, n in ((sheet_test, 200), (digit_test, 360)))


def file_sizes(images, seen):
    """Bytes: plain, gzip, xz, and xz that knows the training images."""
    packed, before = (np.packbits(x.numpy().astype(np.uint8)).tobytes() for x in (images, seen))
    return [len(packed), len(gzip.compress(packed)), len(lzma.compress(packed)), len(lzma.compress(before + packed)) - len(lzma.compress(before))]


def claimed_bits(model, x, noise=1.0):
    return mean_terms(model, x, noise)[0] / math.log(2)


def show_files(sizes, claims, title):
    figure, (left, right) = plot.subplots(1, 2, width=10, height=3.6, width_ratios=[1, 1.5])
    plot.images(sheet_test[:100].reshape(-1, 16, 16), ncols=10, ax=left, suptitle="some of 200 test images")
    top = sizes["plain"]
    plot.bars(list(sizes.values()), ylabel="bytes", title=title, ax=right)
    for at, (bar, (name, size)) in enumerate(zip(right.patches, sizes.items())):
        color, high = plot.COLORS[int(at > 3)], size > top  # orange: models
        bar.set(hatch="//" if name in claims else "", fill=name not in claims, facecolor=color, edgecolor=color)
        right.text(at, min(size, 1.13 * top), f"{size:,.0f}" + " ↑" * high, ha="center", va="top" if high else "bottom", color="white" if high else "black")
    right.set_xticks(range(len(sizes)), list(sizes), fontsize=8)
    right.set_ylim(0, 1.15 * top)
    plt.show()


glyph_files = dict(zip(("plain", "gzip", "xz", "xz, training\nimages known"), file_sizes(sheet_test[:200], sheet_train)))
glyph_claims = {"your VAE": 25 * claimed_bits(ten_vae, sheet_test[:200]), "the program\nwithout noise": 25 * claimed_bits(cheat_vae, sheet_test[:200], cheat_noise)}
show_files(glyph_files | glyph_claims, glyph_claims, "Two claims, in bytes, beside files")

# %% [markdown]
# gzip looks for repetitions, but handwriting does not repeat. Whoever knows $p(x)$ can write $x$ in $-\log_2p(x)$ bits. A VAE does not know it, but can send a code $z$, then $x$ given $z$. But eight latents with 256 values cost
# 64 bits, as many as an $8\times8$ image has pixels.
#
# **Bits back** makes codes cheap. To draw $z\sim q(z\mid x)$ the sender needs random bits: take them off the message written so far. The receiver, who finds $z$ and $x$, computes $q(z\mid x)$ and puts these bits back.
#
# ### A stack in one number
#
# The message is a whole number $s$, used as a stack: what is pushed last is popped first. Symbol $i$ has the probability $f_i/M$, where $M$ is the sum of whole **frequencies** $f_0,f_1,\dots$
#
# Lay out slots $0$ to $M-1$: the first $f_0$ belong to symbol 0, the next $f_1$ to symbol 1, and so on; $c_i$ is the first slot of $i$. To **pop**, divide by $M$. The remainder is a slot, and its owner is the symbol:
#
# $$s=aM+r,\qquad c_i\le r<c_i+f_i,\qquad s'=af_i+(r-c_i). \tag{10.1}$$
#
# So $s$ shrinks by a factor of about $f_i/M$. For $f=(3,1)$ and $s=13$: $a=3$ and $r=1$, so the symbol is 0 and $s'=3\cdot3+1=10$. On random bits, a pop *draws* a symbol.
#
# **On paper:** a **push** undoes this. From $s'$ and $i$, find $a$ and $r$, hence $s$. With 10 and symbol 0 you must get 13.
#
# ### Three steps for each image
#
# 1. Pop $z$ with the tables of $q(z\mid x)$.
# 2. Push $x$ with those of $p(x\mid z)$.
# 3. Push $z$ with those of $p(z)$.
#
# They lengthen the message by about
#
# $$\underbrace{\log_2q(z\mid x)}_{\text{1}}\;\underbrace{-\log_2p(x\mid z)}_{\text{2}}\;\underbrace{-\log_2p(z)}_{\text{3}}\text{ bits}, \tag{10.2}$$
#
# in the mean $-\text{ELBO}/\log2$. In Question 2's example, $p(x,z)=(0.3,\,0.1)$ and $q=(\frac12,\frac12)$, the pushes cost 1.74 or 3.32 bits and one bit comes back: 1.53 in the mean, or 1.060 nats. The receiver undoes them, the last one first.
#
# **Your task:** `push`, `pop`, sender and receiver. `model.prior()` and `model.posterior(x)` hold a table (a list of frequencies) for each latent, `model.likelihood(z)` one for each pixel; `x` and `z` are lists of symbols. Given: push and pop of lists.

# %% role="given"
def push_all(stack: int, symbols: list[int], tables: list[list[int]]) -> int:
    """Push the first symbol first."""
    for symbol, frequencies in zip(symbols, tables, strict=True):
        stack = push(stack, symbol, frequencies)
    return stack


def pop_all(stack: int, tables: list[list[int]]) -> tuple[int, list[int]]:
    """(stack, symbols): undoes `push_all`, the last symbol first."""
    symbols = []
    for frequencies in reversed(tables):
        stack, symbol = pop(stack, frequencies)
        symbols.append(symbol)
    return stack, symbols[::-1]

# %% role="answer"
def push(stack: int, symbol: int, frequencies: list[int]) -> int:
    """The new stack, exactly: your inverse of (10.1).

    Args:
        stack: at least 0, often of thousands of bits.
        frequencies: whole numbers of any sum; 0 marks a symbol that does not occur.
    """
    ### BEGIN SOLUTION
    q, rest = divmod(stack, frequencies[symbol])
    return q * sum(frequencies) + sum(frequencies[:symbol]) + rest
    ### END SOLUTION


def pop(stack: int, frequencies: list[int]) -> tuple[int, int]:
    """(new stack, symbol), by (10.1); arguments as for `push`."""
    ### BEGIN SOLUTION
    q, slot = divmod(stack, sum(frequencies))
    symbol = 0
    while slot >= frequencies[symbol]:
        slot -= frequencies[symbol]
        symbol += 1
    return q * frequencies[symbol] + slot, symbol
    ### END SOLUTION


def bits_back_encode(stack: int, images: list[list[int]], model) -> int:
    """The stack after the three steps for each image, the first image first; with `push_all` and `pop_all`."""
    ### BEGIN SOLUTION
    for x in images:
        stack, z = pop_all(stack, model.posterior(x))
        stack = push_all(stack, x, model.likelihood(z))
        stack = push_all(stack, z, model.prior())
    return stack
    ### END SOLUTION


def bits_back_decode(stack: int, n: int, model) -> tuple[int, list[list[int]]]:
    """(stack, images): undoes `bits_back_encode` of n images."""
    ### BEGIN SOLUTION
    images = []
    for _ in range(n):
        stack, z = pop_all(stack, model.prior())
        stack, x = pop_all(stack, model.likelihood(z))
        stack = push_all(stack, z, model.posterior(x))
        images.append(x)
    return stack, images[::-1]
    ### END SOLUTION

# %% role="check"
grader.check("q10")

# %% [markdown]
# Given: models as tables. Latents become numbers of buckets, which are equally probable under the prior.

# %% role="given"
def frequencies_of(p: Float[Tensor, "*batch K"], precision: int = 20) -> list:
    """Whole numbers, nearly in proportion to p; the 1 keeps rare symbols possible."""
    return (1 + (p * 2**precision).long()).tolist()


class CauseTables:
    """Question 2's model; `log_q` maps log-joints to log q(z | x)."""

    def __init__(self, causes: Float[Tensor, "K 256"], flips: float, log_q):
        self.causes, self.flips, self.log_q = causes, flips, log_q

    def prior(self):
        return [[1] * len(self.causes)]

    def posterior(self, x):
        flat = self.causes.new_full((len(self.causes),), -math.log(len(self.causes)))
        return frequencies_of(self.log_q(glyph_log_joint(self.causes.new_tensor([x]), self.causes, flat, self.flips)).exp())

    def likelihood(self, z):
        white = self.flips + (1 - 2 * self.flips) * self.causes[z[0]]
        return frequencies_of(torch.stack([1 - white, white], 1))


class VAETables:
    """A VAE in buckets. With `noise` 0 the bucket of μ is certain."""

    def __init__(self, vae, buckets: int = 256, precision: int = 20, noise: float = 1.0):
        self.vae, self.buckets, self.precision, self.noise = vae, buckets, precision, noise
        self.edges = torch.special.ndtri(torch.linspace(0, 1, buckets + 1, dtype=torch.float64))
        self.centres = torch.special.ndtri((torch.arange(buckets, dtype=torch.float64) + 0.5) / buckets)

    def prior(self):
        return [[1] * self.buckets] * self.vae.latent_dim

    @torch.no_grad()
    def posterior(self, x):
        mean, logvar = (part[0, :, None].double() for part in self.vae.encode(torch.tensor([x], dtype=torch.float32)))
        if self.noise == 0:
            return (torch.searchsorted(self.edges, mean) - 1 == torch.arange(self.buckets)).long().tolist()
        return frequencies_of(torch.special.ndtr((self.edges - mean) / (logvar / 2).exp()).diff(), self.precision)

    @torch.no_grad()
    def likelihood(self, z):
        white = torch.sigmoid(self.vae.decode(self.centres[z].float()).double())
        return frequencies_of(torch.stack([1 - white, white], 1), self.precision)

# %% [markdown]
# ### Where everything can be summed
#
# A hundred noisy glyphs of Question 2, and its four stand-ins. The stack starts with a letter, whose bits choose the first causes.

# %%
file_letter = int.from_bytes(b"Dear receiver, these letters choose the codes, and come back unharmed.", "big")


def coded(images, model, before=file_letter):
    """Bits per image, whether the images return, and the stack that remains."""
    try:
        stack = bits_back_encode(before, images, model)
        remains, back = bits_back_decode(stack, len(images), model)
        return (stack.bit_length() - before.bit_length()) / len(images), back == images, remains
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return math.nan, f"stops with {type(error).__name__}", 0


def as_text(stack):
    return max(stack, 0).to_bytes((stack.bit_length() + 7) // 8, "big").decode(errors="replace")[:80]


coded_flips = 0.35  # a knob: try 0.1 and 0.45. Which stand-in becomes expensive, and which cheap?
coded_noisy, _ = flipped_glyphs(100, coded_flips)
noisy_joint = glyph_log_joint(coded_noisy, cause_images, flat_prior, coded_flips)


def apart_log_q(log_joint):
    weights = log_joint.softmax(1).reshape(-1, 10, 25)
    return (weights.sum(2)[:, :, None] * weights.sum(1)[:, None]).flatten(1).log()


stand_in_files = []
for name, log_q in {
    "the posterior": lambda joint: joint.log_softmax(1),
    "digit and place apart": apart_log_q,
    "a hard guess": lambda joint: F.one_hot(joint.argmax(1), 250).double().log(),
    "the prior": lambda joint: flat_prior.expand_as(joint),
}.items():
    bits, same, remains = coded(coded_noisy.int().tolist(), CauseTables(cause_images, coded_flips, log_q))
    stand_in_files.append((name, -float(elbo(noisy_joint, log_q(noisy_joint)).mean()) / math.log(2), bits, same))
plot.table(stand_in_files, header=("stand-in q", "-ELBO, bits per image", "message, bits per image", "images return"))
print(f"\nthe posterior's claim is -log2 p(x), expected 242.7\nthe letter, after the last file: {as_text(remains)}")

# %% [markdown]
# The hard guess gets no bits back. With the posterior every image costs $-\log_2p(x)$, whichever cause is drawn.
#
# ### Your VAE as a file
#
# With 256 buckets the eight latents push 64 bits. **Before you run this:** how many bits does an image cost in the end?

# %%
guess_bits = None  # type a number

# %%
file_buckets = 256   # a knob: try 4 and 4096. Do more buckets cost more?
file_precision = 20  # a knob: try 10. What do imprecise frequencies cost?

digit_bits, digits_return, remains = coded(coded_digits, VAETables(digit_vae, file_buckets, file_precision))
first_bits = [coded(coded_digits[:1], VAETables(digit_vae, file_buckets, file_precision), *before)[0] for before in ((), (0,))]
digit_iwae = -float(iwae_bound(drawn_log_weights(digit_vae, digit_test, 200, dgm.generator(0))).mean())
digit_sizes = file_sizes(digit_test, digit_train)
digit_table = [
    ("pixels as they are", "file", 8 * digit_sizes[0] / 360, "64"),
    ("gzip", "file", 8 * digit_sizes[1] / 360, "38"),
    ("xz", "file", 8 * digit_sizes[2] / 360, "42"),
    ("xz, training images known", "file", 8 * digit_sizes[3] / 360, "32"),
    ("each pixel with its own frequency", "claim", digit_without / math.log(2), "36.3"),
    ("your VAE, -ELBO", "claim", claimed_bits(digit_vae, digit_test), "25.3"),
    ("your VAE, bits back", "file", digit_bits, "25.5"),
    ("your VAE, IWAE with 200 draws", "claim", digit_iwae / math.log(2), "23.9"),
]
plot.table([(*row[:2], row[2] * math.log(2), row[2], f"{row[2] * 360 / 8:,.0f}", row[3]) for row in digit_table], header=("360 test digits of 8×8 pixels", "", "nats per image", "bits per image", "bytes", "expected bits"))
print()
plot.table([
    ("bits per image", digit_bits, "25.5", guess_bits),
    ("first image, after the letter", first_bits[0], "26", None),
    ("first image, on an empty stack", first_bits[1], "177", None),
    ("images return", digits_return, "True", None),
], header=("", "yours", "expected", "your guess"))

# %% [markdown]
# Finer buckets push more bits, and as many come back. The file keeps the claim within 1 % (25.2 to 25.6 bits with seven letters). On an empty stack the first image is dear: each pop finds symbol 0, a code far out. Reading it needs 0.4 MB of weights.
#
# ### The claim that cannot be kept
#
# The program without noise claims half of your VAE's bits. It may deliver by bits back, or by sending μ itself.

# %%
mean_buckets = 16  # a knob: try 4 and 256. What does each choice pay for?

program_files = []
for name, model, tables, noise, expected in (
    ("your VAE", ten_vae, VAETables(ten_vae), 1.0, "53.6"),
    ("without noise, bits back", cheat_vae, VAETables(cheat_vae), cheat_noise, "540"),
    ("without noise, sends μ", cheat_vae, VAETables(cheat_vae, mean_buckets, noise=0), cheat_noise, "71"),
):
    bits, same, _ = coded(coded_glyphs, tables)
    claims = {level: claimed_bits(model, sheet_test[:200], level) for level in (noise, 1.0)}
    program_files.append((name, claims[noise], claims[1.0], bits, expected, same))
plot.table(program_files, header=("200 images of 256 pixels", "claim, bits per image", "-ELBO with noise", "file", "expected", "images return"))
show_files(glyph_files | {"your VAE": 25 * program_files[0][3], "the program\nwithout noise": 25 * program_files[1][3]}, (), "Files only: whoever must deliver cannot cheat")

# %% [markdown]
# With bits back it needs twice the plain pixels (over five seeds: 539 to 573 bits). Its −ELBO with noise is 807; our tables let no pixel cost more than 20. With μ, nothing comes back: ten latents of 16 buckets cost 40 bits.
#
# **What to remember**
# - A likelihood is a file size, and a decoder proves it.
# - Bits back turn the −ELBO into bytes: a code costs only $\log q-\log p$.
# - A false bound shows in the file.
#
# Set 4 measures language models in bits per byte: the same number.
#
# ### The open end (4 points)
#
# **Change one thing, predict, measure, explain.** For example:
#
# - With how few training images does xz, which knows them too, beat your VAE?
# - Train on letters and code digits (`data.glyphs(5000, size=16, classes="ABC")`, made black and white like `sheet_train`). What do they cost?
#
# 1. Say what you change and what you keep.
# 2. **Predict** a number, with a reason, *before* you run anything.
# 3. **Measure** files of held-out images that decode, with a spread over seeds (`trained_vae(…, seed=1)`) or parts of the images, in a table or figure.
# 4. **Explain** in ten lines what happened, and what it does *not* show. A wrong prediction, explained, loses nothing.

# %%
file_prediction = None  # a number
file_reason = ""  # one sentence, with the number's unit and what you keep

# %%
# your experiment
file_measured, file_error = None, None  # your number and its spread

# %%
plot.table([("predicted", file_prediction, None), ("measured", file_measured, file_error)], header=(file_reason or "no reason given", "value", "± spread"))

# %% [markdown] role="written"
# ### BEGIN SOLUTION
# (There is no reference answer. This is one of many that would have full points.)
#
# **Question.** With how few training images does xz, which knows them too, beat the VAE on the 360 test digits? I changed their number n and kept the net, 8 latents, the 3,000 steps, 256 buckets and the letter.
#
# **Prediction.** At n = 100 both are equal: ten digits of each kind show the VAE what a stroke is, and xz needs nearly the same image again.
#
# **Measured.** Files that decode, bits per image, for three seeds (choice of the images, start and order of training):
# n = 100: VAE 62 to 74, xz 37. n = 400: 37 to 39 against 34. n = 500: 33 against 34. n = 1,437: 25 against 31. Interpolated between 400 and 500, the lines cross at 480 ± 5.
#
# **What happened.** I was wrong by a factor of five. xz hardly cares about n (39 to 31 bits). The VAE does: at n = 100 it claims 11 or 12 bits on its training images and pays 62 or more on new ones, more than gzip's 38. It has
# learned 100 images by heart, and a pixel of which it is sure and wrong costs up to 20 bits. So the crossing tells when 3,000 steps no longer overfit, and not when strokes can be known.
#
# **What it does not show.** One budget: stopped early, the VAE would overfit less, and the crossing would come sooner. The three choices of images share the same test set, and the weights are not in the file.
# ### END SOLUTION
