"""Question 10: a stack coder, bits-back coding in both directions, and an open end."""

import copy

import numpy as np

from autograder.probes import Custom, Exact, Fields, Question
from dgm.checks.asking import entry, named, two_of, with_right

from .tables import Tables, as_bytes, in_disorder, in_parts, kept, large, listed, pictures, received, sent, small

question = Question(
    title="From a bound to bytes, and an open end",
    figures_of=["q02_bound", "q05_vae"],
    skills=["2.35", "2.15"],
    lecture="the ELBO and variational autoencoders",
    run_seconds=20,
    own_minutes=25,
    manual_points=4,
    rubric=[
        "1 point: one thing is changed, it is said what is kept, and the prediction is a number with a reason, typed before.",
        "1 point: what is measured are files: coded, decoded again without loss, of images that trained nothing.",
        "1 point: the spread fits (over images that two models share, or over seeds), and one labelled table or figure shows the finding.",
        "1 point: the explanation fits the numbers, and says what they do not show. A wrong prediction loses nothing.",
    ],
    aim=(
        "Turn a claimed -ELBO into a file that decodes: a stack coder in whole numbers, bits back, one table of bounds and "
        "files; see that a false bound cannot be kept; then an experiment of one's own."
    ),
    hints={
        "push": (
            "After a pop you know s' and i. Which of q and r - c_i can be as large as it likes, and which is below f_i?",
            "f = (3, 1), s' = 10, symbol 0: how often does 3 go into 10, and what remains? Then s = 4q + r.",
            "`divmod(stack, frequencies[symbol])` gives q and r - c_i. c_i is the sum of the frequencies before i.",
        ),
        "pop": (
            "Which part of the stack says who the symbol is: the quotient or the remainder by M?",
            "f = (2, 0, 3): the slots 0 1 belong to symbol 0, and 2 3 4 to symbol 2. Whose is slot 2?",
            "Walk through the frequencies, and subtract each from the slot until one is larger than what is left. What is left is r - c_i.",
        ),
        "bits_back_encode": (
            "At each step: what is known already, and which table does that allow?",
            "For one image write down three lines, a pop and two pushes. Which of them needs z?",
            "`stack, z = pop_all(stack, ...)` comes first. Each call takes the stack of the one before, also across images.",
        ),
        "bits_back_decode": (
            "Which of the sender's three steps is at the top of the stack? What undoes it?",
            "Two images a, b: the sender did 1a 2a 3a 1b 2b 3b. Write down what the receiver undoes, in order.",
            "A pop for each push, a push for the pop. The tables of q need x, which is known by then. Which image do you find first?",
        ),
    },
    ambiguities=[
        "Symbols may be any integer type, also tensors of one integer; a stack is a Python int, as no other type has thousands of bits exactly.",
        "push_all and pop_all fix the order of pixels and latents. Loops of one's own are right if they keep it.",
        "A decoder is asked to decode arbitrary numbers: with tables without zeros each is the message of some images.",
        "Both coders are graded with the right push and pop, so that a mistake there costs points once; their public checks, whose source "
        "students can read, take the student's and are worth no points.",
    ],
)

EXACT = Fields(default=Exact())


def table(rng, size, low=1, high=40):
    """Frequencies whose sum is no power of two."""
    frequencies = rng.integers(low, high, size).tolist()
    total = sum(frequencies)
    return frequencies if total & (total - 1) else [*frequencies[:-1], frequencies[-1] + 1]


# --- push -----------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="push: small stacks, and one of 200 bits", public=True, judge=EXACT)
def pushes(student, rng):
    frequencies, stack, long = table(rng, rng.integer(4, 7)), rng.integer(500, 5000), large(rng, 200)
    return {
        "s = 10, 11, 12 and f = (3, 1)": entry("`push`", lambda: [small(student.push(s, i, [3, 1]), "the new stack") for s in (10, 11, 12) for i in (0, 1)]),
        "each symbol of a table": entry("`push`", lambda: [small(student.push(stack, i, list(frequencies)), "the new stack") for i in range(len(frequencies))]),
        "a stack of 200 bits": entry("`push`", lambda: in_parts(student.push(long, 2, list(frequencies)), "the new stack")),
    }


def push_each(student, *calls):
    """New stacks of several pushes; each gets a list of its own, so that a change in place is told where it is looked for."""
    return entry("`push`", lambda: [small(student.push(s, i, list(f)), "the new stack") for s, i, f in calls])


@question.probe(points=0.5, title="push: empty, small and huge stacks, zeros among the frequencies, many symbols", judge=EXACT)
def pushes_edges(student, rng):
    frequencies, stack = table(rng, rng.integer(5, 8)), rng.integer(500, 5000)
    gaps = [0, frequencies[0], 0, 0, frequencies[1], frequencies[2], 0]
    wide = rng.integers(1, 2000, 300).tolist()
    equal, powers = [1] * rng.integer(9, 14), [64, 32, 16, 8, 4, 2, 1, 1]
    many, huge = rng.integers(0, len(frequencies), 200).tolist(), large(rng, 4000)

    def each(s, f):
        return push_each(student, *((s, i, f) for i in range(len(f))))

    def one_by_one():
        s = stack
        for symbol in many:
            s = student.push(s, symbol, list(frequencies))
        return in_parts(s, "the new stack", 128)

    mine = list(gaps)
    return {
        "an empty stack": each(0, frequencies),
        "stacks of one bit to three": push_each(student, *((s, i, frequencies) for s in (1, 2, 5) for i in range(len(frequencies)))),
        "frequencies of 0 beside": push_each(student, *((stack, i, gaps) for i in (1, 4, 5))),
        "one possible symbol": push_each(student, (stack, 0, [7]), (2 * stack, 1, [0, 5, 0]), (7, 0, [1]), (3, 1, [0, 9]), (5, 0, [6])),
        "all frequencies 1": each(stack, equal),
        "powers of two": each(stack, powers),
        "300 symbols": push_each(student, *((stack, i, wide) for i in (0, 1, 150, 298, 299))),
        "frequencies larger than the stack": each(rng.integer(3, 9), [1000 * f for f in frequencies]),
        "a stack of 4,000 bits": entry("`push`", lambda: in_parts(student.push(huge, 1, list(frequencies)), "the new stack", 512)),
        "200 symbols, one after the other": entry("`push`", one_by_one),
        "the frequencies afterwards": entry("`push`", lambda: (student.push(stack, 4, mine), kept("`frequencies`", gaps, mine))[1]),
    }


# --- pop ------------------------------------------------------------------------------------------------------


def popped(student, stack, frequencies):
    """Stack and symbol by name; the list is a copy, so that a change in place is told where it is looked for."""
    return named(two_of(student.pop(stack, list(frequencies)), "the stack", "the symbol"), "stack", "symbol")


def pops_of(student, *calls):
    """Stacks and symbols of several pops, each given by stacks and frequencies."""
    results = [popped(student, s, frequencies) for stacks, frequencies in calls for s in stacks]
    return {"stack": [small(r["stack"], "the stack") for r in results], "symbol": [r["symbol"] for r in results]}


@question.probe(points=0.5, title="pop: small stacks, and one of 200 bits", public=True, judge=EXACT)
def pops(student, rng):
    frequencies, stack = table(rng, rng.integer(4, 7)), large(rng, 200)
    some = rng.integers(500, 9000, 8).tolist()

    def long():
        answer = popped(student, stack, frequencies)
        return {"stack": in_parts(answer["stack"], "the stack"), "symbol": answer["symbol"]}

    return {
        "s = 10 to 17 and f = (3, 1)": entry("`pop`", lambda: pops_of(student, (range(10, 18), [3, 1]))),
        "some stacks": entry("`pop`", lambda: pops_of(student, (some, frequencies))),
        "a stack of 200 bits": entry("`pop`", long),
    }


@question.probe(points=0.5, title="pop: every slot, empty and huge stacks, zeros among the frequencies, many symbols", judge=EXACT)
def pops_edges(student, rng):
    frequencies, stack = table(rng, rng.integer(5, 8), high=9), rng.integer(500, 5000)
    gaps = [0, 0, frequencies[0], 0, frequencies[1], frequencies[2], 0]
    wide = rng.integers(1, 2000, 300).tolist()
    total, huge = sum(frequencies), large(rng, 600)

    def ask(*calls):
        return entry("`pop`", lambda: pops_of(student, *calls))

    def one_by_one(f):
        def all_of_them():
            s, symbols = huge, []
            for _ in range(60):
                answer = popped(student, s, f)
                s = answer["stack"]
                symbols.append(answer["symbol"])
            return {"stack": in_parts(s, "the stack", 80), "symbol": symbols}

        return entry("`pop`", all_of_them)

    mine = list(gaps)
    return {
        "an empty stack": ask(*(([0], f) for f in (frequencies, gaps, [4], [0, 5]))),
        "every slot": ask((range(3 * total, 4 * total), frequencies)),
        "stacks smaller than M": ask((range(total), frequencies)),
        "frequencies of 0": ask((range(5 * sum(gaps), 6 * sum(gaps)), gaps)),
        "one possible symbol": ask(*(([stack, stack + 1], f) for f in ([7], [0, 5, 0], [1], [0, 0, 1]))),
        "all frequencies 1": ask((range(stack, stack + 12), [1] * 10)),
        "powers of two": ask((range(stack, stack + 32), [16, 8, 4, 2, 1, 1])),
        "300 symbols": ask((rng.integers(10**6, 10**9, 8).tolist(), wide)),
        "a stack of 600 bits, popped 60 times": one_by_one(frequencies),
        "the same, with frequencies of 0": one_by_one(gaps),
        "the frequencies afterwards": entry("`pop`", lambda: (student.pop(stack, mine), kept("`frequencies`", gaps, mine))[1]),
    }


# --- bits_back_encode -----------------------------------------------------------------------------------------


def first_messages(encode, rng):
    """New stacks of small messages, and the codes for which tables of pixels were asked."""
    model, stack = Tables(rng), rng.integer(500, 5000)
    images = in_disorder(rng)

    def one(before, some):
        model.codes.clear()
        return small(encode(before, copy.deepcopy(some), model), "the new stack"), list(model.codes)

    def ask(some):
        stacks, codes = zip(*(one(before, some) for before in (stack, stack + 1, 2 * stack)))
        return {"stack": list(stacks), "codes": list(codes)}

    return {f"{len(some)} of the images": entry("`bits_back_encode`", lambda some=some: ask(some)) for some in (images[:1], images[:2], images)}


@question.probe(
    points=0, title="bits_back_encode: one image and three, small numbers, with your `push` and `pop` (a hidden test uses right ones)",
    public=True, judge=Fields(default=Custom(sent)),
)
def encodes(student, rng):
    return first_messages(student.bits_back_encode, rng)


# Both coders are graded with a right `push` and `pop`, which have the parameters of the notebook's.


def right_push(stack, symbol, frequencies):
    """The inverse of (10.1)."""
    f = frequencies[symbol]
    return stack // f * sum(frequencies) + sum(frequencies[:symbol]) + stack % f


def right_pop(stack, frequencies):
    """(10.1)."""
    q, slot = divmod(stack, sum(frequencies))
    for symbol, f in enumerate(frequencies):
        if slot < f:
            return q * f + slot, symbol
        slot -= f


def right_push_all(stack, symbols, tables):
    """The notebook's."""
    for symbol, frequencies in zip(symbols, tables, strict=True):
        stack = right_push(stack, symbol, frequencies)
    return stack


def right_pop_all(stack, tables):
    """The notebook's."""
    symbols = []
    for frequencies in reversed(tables):
        stack, symbol = right_pop(stack, frequencies)
        symbols.append(symbol)
    return stack, symbols[::-1]


def with_right_stack(function):
    """A student's coder, called while all that it pushes and pops with is right."""
    return with_right(function, push=right_push, pop=right_pop, push_all=right_push_all, pop_all=right_pop_all)


@question.probe(points=0.5, title="bits_back_encode with the right `push` and `pop`", judge=Fields(default=Custom(sent)))
def encodes_given(student, rng):
    return first_messages(with_right_stack(student.bits_back_encode), rng)


SITUATIONS = (
    "no images", "one image", "an empty stack", "a short stack", "as many latents as pixels", "one latent", "one pixel",
    "four values a pixel", "a latent with one value", "a certain posterior", "a posterior with zeros", "equal images", "60 images",
)


def files(rng):
    """Situations for the coder: (stack before, images, model) by name."""
    model, stack = Tables(rng), large(rng, 300)
    square, line = Tables(rng, 3, 3, 3, 3), Tables(rng, 1, 5, 4)
    one_pixel, wide = Tables(rng, 2, 1, 5), Tables(rng, 3, 6, 6, 4)
    sure, gaps, plain = Tables(rng, 2, 4, 3, certain=True), Tables(rng, 2, 4, 4, gaps=True), Tables(rng, 2, 4, 1)
    same = pictures(rng, 1)
    cases = (
        (stack, [], model), (stack, pictures(rng, 1), model), (0, in_disorder(rng), model), (rng.integer(2, 9), in_disorder(rng), model),
        (stack, pictures(rng, 4, 3, 3), square), (stack, pictures(rng, 4, 5), line), (stack, pictures(rng, 4, 1), one_pixel),
        (stack, pictures(rng, 4, 6, 4), wide), (stack, pictures(rng, 4), plain), (stack, pictures(rng, 4), sure),
        (stack, pictures(rng, 4), gaps), (stack, same * 4, model), (stack, pictures(rng, 60), model),
    )
    return dict(zip(SITUATIONS, cases, strict=True))


def reads(key):
    """The judge of one message."""

    def judge(evidence, expected, context):
        got, want = np.asarray(evidence), np.asarray(expected)
        if got.dtype.kind != "i" or got.ndim != 1:
            return "expected the bytes of a stack."
        if np.array_equal(got, want):
            return True
        if context.brief:
            return False
        before, images, model = files(context.rng())[key]
        message, right = (int.from_bytes(bytes(value.astype(np.uint8).tolist()), "big") for value in (got, want))
        text = f"the message has {message.bit_length():,} bits where a right one has {right.bit_length():,}"
        if message.bit_length() == right.bit_length():
            text = f"the message has {message.bit_length():,} bits, as it should, but other ones"
        if len(got) > 2 * len(want) + 100 or not images:
            return f"{text}."
        try:
            remains, found = context.reference.bits_back_decode(message, len(images), model)
        except ZeroDivisionError:  # a code that q(z | x) excludes
            return f"{text}; the grader's decoder cannot read it."
        good = sum(one == other for one, other in zip(found, images, strict=True))
        returns = "returns" if remains == before else "does not return"
        return f"{text}; the grader's decoder finds {good} of {len(images)} images, and the stack from before {returns}."

    return Custom(judge, "the grader decodes the message: all images, and the stack from before")


@question.probe(
    points=1.5, title="bits_back_encode with the right `push` and `pop`: files that the grader decodes",
    judge=Fields({key: reads(key) for key in SITUATIONS}, default=Exact()),
)
def encodes_files(student, rng):
    cases = files(rng)
    before, images, model = cases["a short stack"]
    mine, its = copy.deepcopy(images), copy.deepcopy(model.prior_tables)
    encode = with_right_stack(student.bits_back_encode)

    def afterwards(what, was, now):
        encode(before, mine, model)
        return kept(what, was, now)

    evidence = {
        key: entry("`bits_back_encode`", lambda case=case: as_bytes(encode(case[0], copy.deepcopy(case[1]), case[2]), "the new stack"))
        for key, case in cases.items()
    }
    return {
        **evidence,
        "the images afterwards": entry("`bits_back_encode`", lambda: afterwards("`images`", images, mine)),
        "the tables afterwards": entry("`bits_back_encode`", lambda: afterwards("a table of the model", its, model.prior_tables)),
    }


# --- bits_back_decode -----------------------------------------------------------------------------------------


def decoded(decode, stack, n, model, parts=small):
    """What is left of the stack, the images, and the codes for which tables of pixels were asked, by name."""
    model.codes.clear()
    answer = named(two_of(decode(stack, n, model), "the stack", "the images"), "stack", "images")
    return {"stack": parts(answer["stack"], "the stack"), "images": listed(answer["images"]), "codes": list(model.codes)}


def first_images(decode, rng):
    """Of three short messages."""
    model, messages = Tables(rng), [large(rng, bits) for bits in (30, 35, 40)]
    return {
        f"{n} of the message's images": entry("`bits_back_decode`", lambda n=n: [decoded(decode, message, n, model) for message in messages])
        for n in (1, 2, 3)
    }


@question.probe(
    points=0, title="bits_back_decode: one image and three, small numbers, with your `push` and `pop` (a hidden test uses right ones)",
    public=True, judge=Fields(default=Custom(received)),
)
def decodes(student, rng):
    return first_images(student.bits_back_decode, rng)


@question.probe(points=0.5, title="bits_back_decode with the right `push` and `pop`", judge=Fields(default=Custom(received)))
def decodes_given(student, rng):
    return first_images(with_right_stack(student.bits_back_decode), rng)


@question.probe(
    points=1.5, title="bits_back_decode with the right `push` and `pop`: messages of the grader",
    judge=Fields({"the tables afterwards": Exact()}, default=Custom(received)),
)
def decodes_files(student, rng):
    model, stack = Tables(rng), large(rng, 300)
    square, line, one_pixel, wide = Tables(rng, 3, 3, 3, 3), Tables(rng, 1, 5, 4), Tables(rng, 2, 1, 5), Tables(rng, 3, 6, 6, 4)
    plain, holes = Tables(rng, 2, 4, 1), Tables(rng, 2, 4, 3, 3, holes=True)
    its, decode = copy.deepcopy(model.prior_tables), with_right_stack(student.bits_back_decode)

    def ask(*arguments):
        return entry("`bits_back_decode`", lambda: decoded(decode, *arguments, parts=in_parts))

    def what_stays():
        decode(stack, 2, model)
        return kept("a table of the model", its, model.prior_tables)

    return {
        "no images": ask(stack, 0, model),
        "one image": ask(stack + 1, 1, model),
        "more images than the message has bits for": ask(rng.integer(3, 40), 4, model),
        "an empty message": ask(0, 3, model),
        "as many latents as pixels": ask(stack, 4, square),
        "one latent": ask(stack, 4, line),
        "one pixel": ask(stack, 6, one_pixel),
        "four values a pixel": ask(stack, 4, wide),
        "a latent with one value": ask(stack, 4, plain),
        "a message of 60 images": ask(large(rng, 900), 60, model),
        "tables with zeros": ask(stack + 2, 5, holes),
        "a message that is hardly longer than its images": ask(large(rng, 40), 7, model),
        "the tables afterwards": entry("`bits_back_decode`", what_stays),
    }
