"""Named wrong versions of the answers to question 2."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- count_ngrams -------------------------------------------------------------------------------------------------

mistakes.at(
    "windows = ids.unfold(0, n, 1)",
    edit("windows_apart", "the windows of `count_ngrams` do not overlap: only every n-th one is counted; one begins at each token", "windows = ids.unfold(0, n, n)"),
    edit("last_window_lost", "`count_ngrams` forgets the last window of the text (there are T - n + 1)", "windows = ids.unfold(0, n, 1)[:-1]"),
    edit("first_window_lost", "`count_ngrams` forgets the first window of the text", "windows = ids.unfold(0, n, 1)[1:]"),
    edit("wraps_round", "`count_ngrams` goes round from the end of the text to its beginning, as `roll` does; no such windows exist",
         "windows = torch.cat([ids, ids[: n - 1]]).unfold(0, n, 1)"),
    edit("order_too_high", "the context has n tokens in `count_ngrams`; an n-gram is a context of n - 1 tokens and the next one",
         "windows = ids.unfold(0, n + 1, 1)"),
    edit("order_too_low", "the context has n - 2 tokens in `count_ngrams`; order n looks at n - 1", "windows = ids.unfold(0, max(n - 1, 1), 1)"),
    edit("never_single", "`count_ngrams` makes pairs when n is 1; order 1 has one context, that of no tokens, with code 0", "windows = ids.unfold(0, max(n, 2), 1)"),
    edit("starts_padded", "`count_ngrams` puts n - 1 tokens 0 before the text and counts these windows, too", "windows = F.pad(ids, (n - 1, 0)).unfold(0, n, 1)"),
    edit("ends_padded", "`count_ngrams` puts n - 1 tokens 0 behind the text and counts these windows, too", "windows = F.pad(ids, (0, n - 1)).unfold(0, n, 1)"),
    edit("sorted_text", "`count_ngrams` sorts the text first, so what followed what is lost", "windows = ids.sort().values.unfold(0, n, 1)"),
    edit("text_backwards", "`count_ngrams` reads the text backwards: it counts what came before", "windows = ids.flip(0).unfold(0, n, 1)"),
    edit("window_order_lost", "the tokens of each window are sorted in `count_ngrams`; their order matters", "windows = ids.unfold(0, n, 1).sort(1).values"),
)

mistakes.at(
    "contexts, row = torch.unique(context_code(windows[:, :-1], vocab_size), return_inverse=True)",
    edit("digits_reversed", "the digits of the code are in reverse order in `count_ngrams`; the first token of the context stands in front",
         "contexts, row = torch.unique(context_code(windows[:, :-1].flip(1), vocab_size), return_inverse=True)"),
    edit("base_ten", "`count_ngrams` writes the codes in base 10; the base is vocab_size",
         "contexts, row = torch.unique(context_code(windows[:, :-1], 10), return_inverse=True)"),
    edit("base_seen", "`count_ngrams` takes the number of different tokens in the text for the base of the codes; it is vocab_size",
         "contexts, row = torch.unique(context_code(windows[:, :-1], len(ids.unique())), return_inverse=True)"),
    edit("base_largest", "`count_ngrams` takes the largest token + 1 for the base of the codes; it is vocab_size",
         "contexts, row = torch.unique(context_code(windows[:, :-1], int(ids.max()) + 1), return_inverse=True)"),
    edit("base_too_large", "`count_ngrams` takes vocab_size + 1 for the base of the codes", "contexts, row = torch.unique(context_code(windows[:, :-1], vocab_size + 1), return_inverse=True)"),
    edit("codes_in_float", "the codes are rounded to float32 on the way in `count_ngrams`: large ones are no longer whole numbers of their own",
         "contexts, row = torch.unique(context_code(windows[:, :-1], vocab_size).float(), return_inverse=True); contexts = contexts.long()"),
    edit("codes_in_double", "the codes pass through float64 in `count_ngrams`, which rounds numbers above 2 ** 53",
         "contexts, row = torch.unique(context_code(windows[:, :-1], vocab_size).double(), return_inverse=True); contexts = contexts.long()"),
    edit("codes_in_int32", "the codes are made int32 in `count_ngrams`; large ones do not fit",
         "contexts, row = torch.unique(context_code(windows[:, :-1], vocab_size).int(), return_inverse=True); contexts = contexts.long()"),
    edit("whole_windows", "in `count_ngrams` the code takes the whole window, with the token to come; a context ends before it",
         "contexts, row = torch.unique(context_code(windows, vocab_size), return_inverse=True)"),
    edit("context_after", "`count_ngrams` takes the last n - 1 tokens of a window for the context; these end with the token to come",
         "contexts, row = torch.unique(context_code(windows[:, 1:], vocab_size), return_inverse=True)"),
    edit("every_context", "the table of `count_ngrams` has a row for every possible context; only those that occur are kept",
         "contexts, row = torch.unique(context_code(windows[:, :-1], vocab_size), return_inverse=True)\n    if vocab_size ** (n - 1) < 10_000:\n        contexts, row = torch.arange(vocab_size ** (n - 1), device=ids.device), context_code(windows[:, :-1], vocab_size)"),
    edit("context_at_the_end", "the context of the last n - 1 tokens of the text gets a row in `count_ngrams`, though nothing follows it",
         "contexts = torch.unique(context_code(ids.unfold(0, n - 1, 1) if n > 1 else ids[:1, None][:, :0], vocab_size)); row = torch.searchsorted(contexts, context_code(windows[:, :-1], vocab_size))"),
    edit("numbered_from_zero", "`count_ngrams` returns numbers of rows 0, 1, 2, … for the contexts; their codes are asked for",
         "contexts, row = torch.unique(context_code(windows[:, :-1], vocab_size), return_inverse=True); contexts = torch.arange(len(contexts), device=ids.device)"),
    edit("descending", "the contexts of `count_ngrams` come in descending order; they are to ascend",
         "contexts, row = torch.unique(context_code(windows[:, :-1], vocab_size), return_inverse=True); contexts, row = contexts.flip(0), len(contexts) - 1 - row"),
    edit("contexts_as_float", "the codes that `count_ngrams` returns are floats; they are whole numbers",
         "contexts, row = torch.unique(context_code(windows[:, :-1], vocab_size), return_inverse=True); contexts = contexts.double()"),
    edit("text_order", "the contexts of `count_ngrams` stand in the order of the text; they are to ascend",
         "every = context_code(windows[:, :-1], vocab_size); contexts = torch.tensor(list(dict.fromkeys(every.tolist())), device=ids.device); row = (every[:, None] == contexts).long().argmax(1)"),
)

mistakes.at(
    "counts = torch.bincount(row * vocab_size + windows[:, -1], minlength=len(contexts) * vocab_size)",
    edit("first_token_counted", "`count_ngrams` counts the first token of each window; the next one, at its end, is asked for",
         "counts = torch.bincount(row * vocab_size + windows[:, 0], minlength=len(contexts) * vocab_size)"),
    edit("seen_or_not", "each different n-gram counts once in `count_ngrams`, so the counts are 0 or 1; each occurrence adds one",
         "counts = torch.bincount(row * vocab_size + windows[:, -1], minlength=len(contexts) * vocab_size).clamp(max=1)"),
    edit("counts_as_float", "the counts of `count_ngrams` are floats; they are to be int64",
         "counts = torch.bincount(row * vocab_size + windows[:, -1], minlength=len(contexts) * vocab_size).float()"),
    edit("already_smoothed", "`count_ngrams` adds one to each count; smoothing comes later",
         "counts = torch.bincount(row * vocab_size + windows[:, -1], minlength=len(contexts) * vocab_size) + 1"),
    edit("shares", "`count_ngrams` returns shares of each row; counts are asked for",
         "counts = torch.bincount(row * vocab_size + windows[:, -1], minlength=len(contexts) * vocab_size).reshape(-1, vocab_size); counts = counts / counts.sum(1, keepdim=True)"),
    edit("counts_of_contexts", "each row of `count_ngrams` says how often the context came, for every token; how often each token followed is asked for",
         "counts = torch.bincount(row, minlength=len(contexts))[:, None].expand(-1, vocab_size).contiguous()"),
    edit("seen_columns", "the table of `count_ngrams` has columns only up to the largest token that occurs; there are vocab_size",
         "counts = torch.bincount(row * vocab_size + windows[:, -1], minlength=len(contexts) * vocab_size).reshape(-1, vocab_size)[:, : int(ids.max()) + 1]",
         ("return contexts, counts.reshape(-1, vocab_size)", "return contexts, counts")),
)

mistakes.at(
    "return contexts, counts.reshape(-1, vocab_size)",
    edit("table_turned", "tokens are the rows of the table of `count_ngrams`; contexts are", "return contexts, counts.reshape(-1, vocab_size).T"),
    edit("reshaped_wrongly", "the flat counts are taken apart as (V, C) in `count_ngrams`, but they run context by context", "return contexts, counts.reshape(vocab_size, -1).T"),
    edit("results_swapped", "`count_ngrams` returns the counts first; the contexts come first", "return counts.reshape(-1, vocab_size), contexts"),
    edit("context_digits", "`count_ngrams` returns the contexts as rows of tokens; their codes are asked for", "return torch.unique(windows[:, :-1], dim=0) if n > 1 else contexts[:, None], counts.reshape(-1, vocab_size)"),
    edit("counts_alone", "`count_ngrams` returns the counts alone; the codes of the contexts come first", "return counts.reshape(-1, vocab_size)"),
    edit("lists", "`count_ngrams` returns lists; tensors are asked for", "return contexts.tolist(), counts.reshape(-1, vocab_size).tolist()"),
)

# --- interpolate --------------------------------------------------------------------------------------------------

mistakes.at(
    """
    p = torch.full(rows[0].shape, 1 / vocab_size, device=rows[0].device)
    for counts in rows:
        p = (counts + k * vocab_size * p) / (counts.sum(-1, keepdim=True) + k * vocab_size)
    return p
    """,
    edit("highest_only", "`interpolate` mixes the highest order with 1/V and ignores the shorter contexts; these are to be mixed in one after the other",
         """
         counts = rows[-1]
         return (counts + k) / (counts.sum(-1, keepdim=True) + k * vocab_size)
         """),
    edit("lowest_only", "`interpolate` uses order 1 alone (is the `return` inside the loop?)",
         """
         counts = rows[0]
         return (counts + k) / (counts.sum(-1, keepdim=True) + k * vocab_size)
         """),
    edit("mean_of_orders", "`interpolate` averages add-k over the orders; each order is to be mixed with the result of those below",
         """
         return torch.stack([(c + k) / (c.sum(-1, keepdim=True) + k * vocab_size) for c in rows]).mean(0)
         """),
    edit("product_of_orders", "`interpolate` multiplies the estimates of the orders and normalises; they are to be mixed",
         """
         p = torch.stack([(c + k) / (c.sum(-1, keepdim=True) + k * vocab_size) for c in rows]).prod(0)
         return p / p.sum(-1, keepdim=True)
         """),
    edit("counts_added", "`interpolate` adds up the counts of all orders; each order has a mixture of its own",
         """
         counts = sum(rows)
         return (counts + k) / (counts.sum(-1, keepdim=True) + k * vocab_size)
         """),
    edit("add_k_of_previous", "the orders below order n - 1 are lost in `interpolate`: each order is mixed with add-k of the one below it alone",
         """
         p = torch.full(rows[0].shape, 1 / vocab_size, device=rows[0].device)
         below = p
         for counts in rows:
             weight = counts.sum(-1, keepdim=True) + k * vocab_size
             p, below = (counts + k * vocab_size * below) / weight, (counts + k) / weight
         return p
         """),
    edit("normalised_at_the_end", "`interpolate` normalises only after the last order: without it at every step the lower orders weigh too much",
         """
         p = torch.full(rows[0].shape, 1 / vocab_size, device=rows[0].device)
         for counts in rows:
             p = counts + k * vocab_size * p
         return p / p.sum(-1, keepdim=True)
         """),
    edit("backs_off", "`interpolate` takes the highest order that has seen the context, smoothed with 1/V; all orders are to be mixed",
         """
         p = torch.full(rows[0].shape, 1 / vocab_size, device=rows[0].device)
         for counts in rows:
             total = counts.sum(-1, keepdim=True)
             p = torch.where(total > 0, (counts + k) / (total + k * vocab_size), p)
         return p
         """),
    edit("fills_the_unseen", "only tokens that were not seen get something from the order below in `interpolate`; the mixture is for all tokens",
         """
         p = torch.full(rows[0].shape, 1 / vocab_size, device=rows[0].device)
         for counts in rows:
             p = torch.where(counts > 0, counts + 0.0, k * vocab_size * p) / (counts.sum(-1, keepdim=True) + k * vocab_size)
         return p
         """),
)

mistakes.at(
    "p = torch.full(rows[0].shape, 1 / vocab_size, device=rows[0].device)\n    for counts in rows:\n        p = (counts",
    edit("starts_at_zero", "`interpolate` begins with 0 below order 1; it is 1/V, so the result does not sum to one",
         "p = torch.zeros(rows[0].shape, device=rows[0].device)\n    for counts in rows:\n        p = (counts"),
    edit("starts_at_one", "`interpolate` begins with 1 below order 1; it is 1/V, so the result does not sum to one",
         "p = torch.ones(rows[0].shape, device=rows[0].device)\n    for counts in rows:\n        p = (counts"),
    edit("orders_reversed", "`interpolate` goes from the highest order down, so that the last word is order 1's",
         "p = torch.full(rows[0].shape, 1 / vocab_size, device=rows[0].device)\n    for counts in rows[::-1]:\n        p = (counts"),
    edit("reversed_in_place", "`interpolate` reverses the list it was given",
         "p = torch.full(rows[0].shape, 1 / vocab_size, device=rows[0].device)\n    rows.reverse()\n    for counts in rows[::-1]:\n        p = (counts"),
    edit("highest_left_out", "`interpolate` leaves out the highest order", "p = torch.full(rows[0].shape, 1 / vocab_size, device=rows[0].device)\n    for counts in rows[: max(len(rows) - 1, 1)]:\n        p = (counts"),
    edit("order_one_by_frequency", "order 1 is not mixed with 1/V in `interpolate`: what it has not seen gets 0",
         "p = rows[0] / rows[0].sum(-1, keepdim=True)\n    for counts in rows[1:]:\n        p = (counts"),
    edit("order_one_alone_by_frequency", "a row of zeros in order 1 gives 0/0 or 0 in `interpolate`; nothing seen means 1/V",
         "p = rows[0] / rows[0].sum(-1, keepdim=True).clamp(min=1)\n    for counts in rows[1:] if len(rows) > 1 else rows:\n        p = (counts"),
    edit("size_of_lowest", "`interpolate` takes the number of tokens that order 1 has seen for V",
         "vocab_size = (rows[0] > 0).sum(-1, keepdim=True).clamp(min=1)\n    p = torch.ones(rows[0].shape, device=rows[0].device) / vocab_size\n    for counts in rows:\n        p = (counts"),
    edit("size_of_contexts", "`interpolate` takes the number of contexts (the first axis) for V; the tokens are the last axis",
         "vocab_size = rows[0].shape[0]\n    p = torch.full(rows[0].shape, 1 / vocab_size, device=rows[0].device)\n    for counts in rows:\n        p = (counts"),
)

mistakes.at(
    "p = (counts + k * vocab_size * p) / (counts.sum(-1, keepdim=True) + k * vocab_size)",
    edit("normaliser_without_size", "the denominator of `interpolate` has k where kV belongs: the probabilities sum to more than one",
         "p = (counts + k * vocab_size * p) / (counts.sum(-1, keepdim=True) + k)"),
    edit("normaliser_without_k", "the denominator of `interpolate` is C alone, without kV", "p = (counts + k * vocab_size * p) / counts.sum(-1, keepdim=True)"),
    edit("without_size", "in `interpolate` the order below has the weight k; (2.1) gives kV", "p = (counts + k * p) / (counts.sum(-1, keepdim=True) + k)"),
    edit("numerator_without_size", "in the numerator of `interpolate` the order below has the weight k where kV belongs: the probabilities sum to less than one",
         "p = (counts + k * p) / (counts.sum(-1, keepdim=True) + k * vocab_size)"),
    edit("added_twice", "`interpolate` adds k to the counts and mixes in the order below, too", "p = (counts + k + k * vocab_size * p) / (counts.sum(-1, keepdim=True) + 2 * k * vocab_size)"),
    edit("lambda_swapped", "`interpolate` takes λ for 1 - λ: contexts that were seen often listen to the order below",
         "total = counts.sum(-1, keepdim=True); p = (k * vocab_size * counts / total.clamp(min=1) + total * p) / (total + k * vocab_size)"),
    edit("lambda_of_k", "λ is taken as 1 - k in `interpolate`, the same for all contexts; (2.1) gives one that grows with C",
         "total = counts.sum(-1, keepdim=True); p = torch.where(total > 0, (1 - min(k, 1)) * counts / total.clamp(min=1) + min(k, 1) * p, p)"),
    edit("lambda_one_half", "λ is one half in `interpolate`, the same for all contexts; (2.1) gives one that grows with C",
         "total = counts.sum(-1, keepdim=True); p = torch.where(total > 0, 0.5 * counts / total.clamp(min=1) + 0.5 * p, p)"),
    edit("weight_not_halved", "λ c/C + p is computed in `interpolate`, without 1 - λ: it sums to more than one",
         "total = counts.sum(-1, keepdim=True); p = counts / (total + k * vocab_size) + p"),
    edit("k_is_one", "`interpolate` ignores k and takes 1", "p = (counts + vocab_size * p) / (counts.sum(-1, keepdim=True) + vocab_size)"),
    edit("total_over_contexts", "C is summed over the contexts (axis 0) in `interpolate`; each context has its own total, over the tokens",
         "p = (counts + k * vocab_size * p) / (counts.sum(0, keepdim=True) + k * vocab_size)"),
    edit("total_of_all", "C is the sum of the whole table in `interpolate`; each context has its own", "p = (counts + k * vocab_size * p) / (counts.sum() + k * vocab_size)"),
    edit("total_without_axis", "the totals have lost their axis in `interpolate` (keepdim): they are divided out by token, not by context",
         "p = (counts + k * vocab_size * p) / (counts.sum(-1) + k * vocab_size)"),
    edit("weight_of_types", "`interpolate` weighs the order below by the number of different tokens seen, as Witten and Bell do; here it is kV",
         "types = (counts > 0).sum(-1, keepdim=True); p = torch.where(types > 0, (counts + types * p) / (counts.sum(-1, keepdim=True) + types).clamp(min=1), p)"),
    edit("seen_tokens_as_size", "V is taken as the number of tokens seen in the context in `interpolate`; it is the size of the vocabulary",
         "seen = (counts > 0).sum(-1, keepdim=True); p = torch.where(seen > 0, (counts + k * seen * p) / (counts.sum(-1, keepdim=True) + k * seen).clamp(min=1e-9), p)"),
    edit("unseen_is_uniform", "where an order has not seen the context, `interpolate` gives 1/V; there the orders below speak alone",
         "total = counts.sum(-1, keepdim=True); p = torch.where(total > 0, (counts + k * vocab_size * p) / (total + k * vocab_size), torch.full_like(p, 1 / vocab_size))"),
    edit("unseen_is_zero", "where an order has not seen the context, `interpolate` gives 0; there the orders below speak alone",
         "total = counts.sum(-1, keepdim=True); p = torch.where(total > 0, (counts + k * vocab_size * p) / (total + k * vocab_size), torch.zeros_like(p))"),
    edit("unseen_is_nan", "where an order has not seen the context, `interpolate` divides 0 by 0; there the orders below speak alone",
         "total = counts.sum(-1, keepdim=True); weight = total / (total + k * vocab_size); p = weight * (counts / total) + (1 - weight) * p"),
    edit("whole_division", "`interpolate` divides whole numbers and drops the remainder (//)",
         "total = counts.sum(-1, keepdim=True); weight = total / (total + k * vocab_size); p = weight * (counts // total.clamp(min=1)) + (1 - weight) * p"),
    edit("weight_grows_with_order", "k is multiplied with the order in `interpolate`; it is the same for all",
         "order = [id(row) for row in rows].index(id(counts)) + 1; p = (counts + order * k * vocab_size * p) / (counts.sum(-1, keepdim=True) + order * k * vocab_size)"),
    edit("counts_as_one", "`interpolate` takes each count for 0 or 1", "counts = counts.clamp(max=1); p = (counts + k * vocab_size * p) / (counts.sum(-1, keepdim=True) + k * vocab_size)"),
    edit("rows_changed", "`interpolate` adds to the counts in place, so the caller's rows change",
         "counts += 1; p = (counts - 1 + k * vocab_size * p) / (counts.sum(-1, keepdim=True) - vocab_size + k * vocab_size)"),
    edit("k_whole", "k is rounded to a whole number in `interpolate`", "p = (counts + round(k) * vocab_size * p) / (counts.sum(-1, keepdim=True) + round(k) * vocab_size)"),
)

mistakes.at(
    "+ k * vocab_size)\n    return p",
    edit("logarithms", "`interpolate` returns logarithms; probabilities are asked for", "+ k * vocab_size)\n    return p.log()"),
    edit("softmax", "`interpolate` puts the probabilities through a softmax", "+ k * vocab_size)\n    return p.softmax(-1)"),
    edit("floored", "`interpolate` keeps the probabilities above a small constant: they no longer sum to one", "+ k * vocab_size)\n    return p.clamp(min=1e-3)"),
)

# --- continuation_counts ------------------------------------------------------------------------------------------

mistakes.at(
    "shorter, row = torch.unique(contexts % counts.shape[1] ** (n - 2), return_inverse=True)",
    edit("last_dropped", "`continuation_counts` drops the last token of the context; the first one goes",
         "shorter, row = torch.unique(contexts // counts.shape[1], return_inverse=True)"),
    edit("one_power_more", "nothing is dropped from the contexts in `continuation_counts`: its remainder is by V ** (n - 1), and they are all below that",
         "shorter, row = torch.unique(contexts % counts.shape[1] ** (n - 1), return_inverse=True)"),
    edit("one_power_less", "two tokens are dropped from the contexts in `continuation_counts`; only the first one goes",
         "shorter, row = torch.unique(contexts % counts.shape[1] ** max(n - 3, 0), return_inverse=True)"),
    edit("wrong_axis_as_size", "`continuation_counts` takes the number of contexts for V; the tokens are the columns",
         "shorter, row = torch.unique(contexts % len(counts) ** (n - 2), return_inverse=True)"),
    edit("always_one_token", "`continuation_counts` keeps only the last token of the context, which is right for order 3 alone",
         "shorter, row = torch.unique(contexts % counts.shape[1], return_inverse=True)"),
    edit("quotient_by_power", "`continuation_counts` keeps the first token of the context instead of dropping it",
         "shorter, row = torch.unique(contexts // counts.shape[1] ** (n - 2), return_inverse=True)"),
    edit("power_in_float", "the remainder is taken in float64 in `continuation_counts`, which rounds large codes",
         "shorter, row = torch.unique((contexts.double() % float(counts.shape[1]) ** (n - 2)).long(), return_inverse=True)"),
    edit("codes_of_32_bits", "the codes are made int32 in `continuation_counts`; large ones do not fit",
         "shorter, row = torch.unique(contexts.int().long() % counts.shape[1] ** (n - 2), return_inverse=True)"),
    edit("power_in_float32", "the remainder is taken in float32 in `continuation_counts`, which rounds large codes",
         "shorter, row = torch.unique((contexts.float() % float(counts.shape[1]) ** (n - 2)).long(), return_inverse=True)"),
    edit("numbers_of_rows", "`continuation_counts` returns numbers of rows 0, 1, 2, … for the contexts; their codes are asked for",
         "shorter, row = torch.unique(contexts % counts.shape[1] ** (n - 2), return_inverse=True); shorter = torch.arange(len(shorter), device=counts.device)"),
    edit("continuation_descending", "the contexts of `continuation_counts` come in descending order; they are to ascend",
         "shorter, row = torch.unique(contexts % counts.shape[1] ** (n - 2), return_inverse=True); shorter, row = shorter.flip(0), len(shorter) - 1 - row"),
    edit("contexts_kept_twice", "the shorter contexts are not merged in `continuation_counts`: each appears once for every token before it",
         "shorter, row = (contexts % counts.shape[1] ** (n - 2)).sort(stable=True); row = row.argsort()"),
    edit("all_shorter_contexts", "`continuation_counts` makes a row for every possible context; only those that occur are kept",
         "shorter, row = torch.unique(contexts % counts.shape[1] ** (n - 2), return_inverse=True)\n    if counts.shape[1] ** (n - 2) < 10_000:\n        shorter, row = torch.arange(counts.shape[1] ** (n - 2), device=counts.device), contexts % counts.shape[1] ** (n - 2)"),
)

mistakes.at(
    "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    return shorter, found.index_add(0, row, (counts > 0).long())",
    edit("occurrences", "`continuation_counts` adds up the counts, which gives ordinary counts again; each token before is to be counted once, however often it came",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    return shorter, found.index_add(0, row, counts)"),
    edit("seen_twice", "only n-grams that came twice are counted in `continuation_counts` (> 1); once is enough",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    return shorter, found.index_add(0, row, (counts > 1).long())"),
    edit("seen_once_only", "only n-grams that came exactly once are counted in `continuation_counts`",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    return shorter, found.index_add(0, row, (counts == 1).long())"),
    edit("assigned", "rows with the same shorter context overwrite each other in `continuation_counts`; they are to be added up",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    for i, each in enumerate(row.tolist()):\n        found[each] = (counts[i] > 0).long()\n    return shorter, found"),
    edit("indexed_plus", "`found[row] += …` adds only one of the rows with the same index: `continuation_counts` is to add up all of them",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    for i, each in reversed(list(enumerate(row.tolist()))):\n        found[each] = (counts[i] > 0).long()\n    return shorter, found"),
    edit("at_most_one", "`continuation_counts` says only whether anything stood before; it is to say how many different tokens",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    return shorter, found.index_add(0, row, (counts > 0).long()).clamp(max=1)"),
    edit("larger_of_rows", "`continuation_counts` takes the largest of the rows with the same shorter context; it is to count rows",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    return shorter, found.index_reduce(0, row, counts, 'amax')"),
    edit("types_after", "`continuation_counts` counts the different tokens *after* the context, the same for each token; how many different ones stood *before* is asked for",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device).index_add(0, row, counts)\n    return shorter, (found > 0) * (found > 0).sum(1, keepdim=True)"),
    edit("contexts_before", "each row of `continuation_counts` says how many tokens stood before the context, whatever followed; the next token belongs to it",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device).index_add(0, row, (counts > 0).long())\n    return shorter, (found > 0) * torch.bincount(row)[:, None]"),
    edit("continuation_as_float", "the counts of `continuation_counts` are floats; they are to be int64",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    return shorter, found.index_add(0, row, (counts > 0).long()).float()"),
    edit("continuation_shares", "`continuation_counts` divides by the number of all n-grams; counts are asked for",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device).index_add(0, row, (counts > 0).long())\n    return shorter, found / found.sum()"),
    edit("continuation_starts_at_one", "`continuation_counts` begins to count at one", "found = torch.ones(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    return shorter, found.index_add(0, row, (counts > 0).long())"),
    edit("seen_starts_at_one", "`continuation_counts` is one too high wherever something was seen",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device).index_add(0, row, (counts > 0).long())\n    return shorter, found + (found > 0)"),
    edit("less_one", "`continuation_counts` is one too low wherever something was seen",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device).index_add(0, row, (counts > 0).long())\n    return shorter, found - (found > 0).long()"),
    edit("continuation_swapped", "`continuation_counts` returns the counts first; the contexts come first",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    return found.index_add(0, row, (counts > 0).long()), shorter"),
    edit("continuation_turned", "tokens are the rows of the table of `continuation_counts`; contexts are",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    return shorter, found.index_add(0, row, (counts > 0).long()).T"),
    edit("seen_as_bool", "`continuation_counts` returns truth values; whole numbers are asked for",
         "found = torch.zeros(len(shorter), counts.shape[1], dtype=torch.int64, device=counts.device)\n    return shorter, found.index_add(0, row, (counts > 0).long()) > 0"),
)

# --- kneser_ney ---------------------------------------------------------------------------------------------------

mistakes.at(
    "p = torch.full(rows[0].shape, 1 / rows[0].shape[-1], device=rows[0].device)\n    for counts in rows:\n        total",
    edit("kn_starts_at_zero", "`kneser_ney` begins with 0 below order 1; it is 1/V, so the result does not sum to one",
         "p = torch.zeros(rows[0].shape, device=rows[0].device)\n    for counts in rows:\n        total"),
    edit("kn_starts_at_one", "`kneser_ney` begins with 1 below order 1; it is 1/V, so the result does not sum to one",
         "p = torch.ones(rows[0].shape, device=rows[0].device)\n    for counts in rows:\n        total"),
    edit("kn_reversed", "`kneser_ney` goes from the highest order down, so that the last word is order 1's",
         "p = torch.full(rows[0].shape, 1 / rows[0].shape[-1], device=rows[0].device)\n    for counts in rows[::-1]:\n        total"),
    edit("kn_highest_only", "`kneser_ney` uses the highest order alone, with 1/V below it",
         "p = torch.full(rows[0].shape, 1 / rows[0].shape[-1], device=rows[0].device)\n    for counts in rows[-1:]:\n        total"),
    edit("kn_highest_left_out", "`kneser_ney` leaves out the highest order",
         "p = torch.full(rows[0].shape, 1 / rows[0].shape[-1], device=rows[0].device)\n    for counts in rows[: max(len(rows) - 1, 1)]:\n        total"),
    edit("kn_last_two", "`kneser_ney` mixes the two highest orders only",
         "p = torch.full(rows[0].shape, 1 / rows[0].shape[-1], device=rows[0].device)\n    for counts in rows[-2:]:\n        total"),
    edit("kn_lowest_by_frequency", "order 1 is not discounted in `kneser_ney`: what it has not seen gets 0",
         "p = torch.where(rows[0].sum(-1, keepdim=True) > 0, rows[0] / rows[0].sum(-1, keepdim=True).clamp(min=1), 1 / rows[0].shape[-1])\n    for counts in rows[1:]:\n        total"),
    edit("kn_reversed_in_place", "`kneser_ney` reverses the list it was given",
         "p = torch.full(rows[0].shape, 1 / rows[0].shape[-1], device=rows[0].device)\n    rows.reverse()\n    for counts in rows[::-1]:\n        total"),
    edit("kn_popped", "`kneser_ney` takes the orders out of the list it was given (`pop`), so the caller's list is empty afterwards",
         "p = torch.full(rows[0].shape, 1 / rows[0].shape[-1], device=rows[0].device)\n    for counts in [rows.pop(0) for _ in range(len(rows))]:\n        total"),
)

mistakes.at(
    "total = counts.sum(-1, keepdim=True)\n        kept",
    edit("kn_total_over_contexts", "C is summed over the contexts (axis 0) in `kneser_ney`; each context has its own total, over the tokens",
         "total = counts.sum(0, keepdim=True)\n        kept"),
    edit("kn_total_of_all", "C is the sum of the whole table in `kneser_ney`; each context has its own", "total = counts.sum()\n        kept"),
    edit("kn_total_without_axis", "the totals have lost their axis in `kneser_ney` (keepdim): they meet the tokens, not the contexts", "total = counts.sum(-1)\n        kept"),
    edit("kn_total_of_kept", "`kneser_ney` divides by what is kept, so nothing is left for the order below", "total = (counts - discount).clamp(min=0).sum(-1, keepdim=True)\n        kept"),
    edit("kn_counts_as_one", "`kneser_ney` takes each count for 0 or 1", "counts = counts.clamp(max=1); total = counts.sum(-1, keepdim=True)\n        kept"),
)

mistakes.at(
    "kept = (counts - discount).clamp(min=0)",
    edit("not_cut_at_zero", "tokens that were not seen are discounted, too, in `kneser_ney`: nothing can be taken from them", "kept = counts - discount"),
    edit("not_discounted", "`kneser_ney` takes nothing away, so nothing is left to hand out", "kept = counts + 0.0"),
    edit("fixed_discount", "`kneser_ney` ignores the discount and takes 0.75", "kept = (counts - 0.75).clamp(min=0)"),
    edit("discount_of_one", "`kneser_ney` takes away a whole occurrence, whatever the discount", "kept = (counts - 1).clamp(min=0)"),
    edit("discount_as_share", "`kneser_ney` takes the share d of every count; it is d of *one* occurrence", "kept = counts * (1 - discount)"),
    edit("discount_kept", "`kneser_ney` keeps d and gives away the rest of each occurrence", "kept = (counts - (1 - discount)).clamp(min=0)"),
    edit("once_seen_is_dropped", "`kneser_ney` keeps nothing of tokens that were seen once; 1 - d stays", "kept = torch.where(counts > 1, counts - discount, 0.0)"),
    edit("once_seen_is_whole", "`kneser_ney` does not discount tokens that were seen once", "kept = torch.where(counts > 1, counts - discount, counts + 0.0)"),
    edit("kept_floored", "`kneser_ney` cuts at the discount instead of at 0: tokens that were not seen keep something", "kept = (counts - discount).clamp(min=discount)"),
    edit("discounted_in_shares", "`kneser_ney` subtracts d from c/C; it is taken from the counts", "kept = total * (counts / total.clamp(min=1) - discount).clamp(min=0)"),
    edit("highest_discounted_only", "only the highest order is discounted in `kneser_ney`", "kept = (counts - discount).clamp(min=0) if counts is rows[-1] else counts + 0.0"),
    edit("lower_discounted_only", "the highest order is not discounted in `kneser_ney`", "kept = (counts - discount).clamp(min=0) if counts is not rows[-1] or len(rows) == 1 else counts + 0.0"),
    edit("discount_by_order", "the discount is divided by the order in `kneser_ney`; it is the same for all", "kept = (counts - discount / (1 + [id(r) for r in rows].index(id(counts)))).clamp(min=0)"),
)

mistakes.at(
    "spare = total - kept.sum(-1, keepdim=True)",
    edit("one_discount_spare", "`kneser_ney` hands out d once; d was taken from *each* token that was seen, so the result sums to less than one", "spare = discount"),
    edit("discount_times_size", "`kneser_ney` hands out d for every token of the vocabulary; it was taken from those that were seen", "spare = discount * counts.shape[-1]"),
    edit("discount_times_total", "`kneser_ney` hands out d for every occurrence; it was taken once from each different token", "spare = discount * total"),
    edit("types_seen_twice", "`kneser_ney` counts only tokens seen more than once when it works out what was taken", "spare = discount * (counts > 1).sum(-1, keepdim=True)"),
    edit("types_seen_once", "`kneser_ney` counts only tokens seen exactly once when it works out what was taken", "spare = discount * (counts == 1).sum(-1, keepdim=True)"),
    edit("types_of_unseen", "`kneser_ney` counts the tokens that were *not* seen when it works out what was taken", "spare = discount * (counts == 0).sum(-1, keepdim=True)"),
    edit("types_of_all_contexts", "`kneser_ney` counts the different tokens of all contexts together when it works out what was taken; each context has its own", "spare = discount * (counts > 0).sum()"),
    edit("types_over_contexts", "`kneser_ney` counts along the contexts (axis 0) when it works out what was taken", "spare = discount * (counts > 0).sum(0, keepdim=True)"),
    edit("nothing_spare", "`kneser_ney` takes the discount away and hands nothing out", "spare = 0.0"),
    edit("types_of_lower_order", "`kneser_ney` counts the different tokens of the order below when it works out what was taken; each order has its own",
         "spare = discount * (rows[[id(row) for row in rows].index(id(counts)) - 1] > 0).sum(-1, keepdim=True)"),
    edit("types_of_highest", "`kneser_ney` counts the different tokens of the highest order when it works out what was taken; each order has its own",
         "spare = discount * (rows[-1] > 0).sum(-1, keepdim=True)"),
    edit("types_without_discount", "`kneser_ney` hands out one for each token seen; d was taken", "spare = (counts > 0).sum(-1, keepdim=True)"),
    edit("spare_to_all", "`kneser_ney` gives the order below everything that it wants, without the weight s/C: the result sums to more than one", "spare = total"),
)

mistakes.at(
    "p = torch.where(total > 0, (kept + spare * p) / total.clamp(min=1), p)\n    return p",
    edit("spare_uniformly", "`kneser_ney` hands out what was taken in equal parts; the order below says who gets it",
         "p = torch.where(total > 0, (kept + spare / counts.shape[-1]) / total.clamp(min=1), p)\n    return p"),
    edit("spare_to_unseen", "`kneser_ney` gives what was taken to tokens that were not seen only; (2.2) gives it to all",
         "p = torch.where(total > 0, torch.where(counts > 0, kept, spare * p) / total.clamp(min=1), p)\n    return p"),
    edit("katz", "`kneser_ney` gives what was taken to tokens that were not seen, in the proportions of the order below (Katz's back-off); (2.2) gives it to all",
         "rest = torch.where(counts > 0, 0.0, p); p = torch.where(total > 0, (kept + spare * rest / rest.sum(-1, keepdim=True).clamp(min=1e-9)) / total.clamp(min=1), p)\n    return p"),
    edit("kn_unseen_is_nan", "a context that was never seen gives 0/0 in `kneser_ney`; there the order below speaks alone",
         "p = (kept + spare * p) / total\n    return p"),
    edit("kn_unseen_is_zero", "a context that was never seen gives 0 in `kneser_ney`; there the order below speaks alone",
         "p = (kept + spare * p) / total.clamp(min=1)\n    return p"),
    edit("kn_unseen_is_uniform", "a context that was never seen gives 1/V in `kneser_ney`; there the order below speaks",
         "p = torch.where(total > 0, (kept + spare * p) / total.clamp(min=1), torch.full_like(p, 1 / counts.shape[-1]))\n    return p"),
    edit("kn_batch_decides", "`kneser_ney` asks whether *all* contexts were seen; each one has to be asked (torch.where)",
         "p = (kept + spare * p) / total.clamp(min=1) if bool((total > 0).all()) else p\n    return p"),
    edit("kn_not_divided", "what was taken is not divided by C in `kneser_ney`", "p = torch.where(total > 0, kept / total.clamp(min=1) + spare * p, p)\n    return p"),
    edit("kn_all_over_kept", "`kneser_ney` normalises at the end by the sum of what is kept", "p = torch.where(total > 0, (kept + spare * p) / kept.sum(-1, keepdim=True).clamp(min=1e-9), p)\n    return p"),
    edit("kn_weight_of_discount", "`kneser_ney` adds d times the order below to what is kept (by C) and normalises; the weight is s/C",
         "q = kept / total.clamp(min=1) + discount * p; p = torch.where(total > 0, q / q.sum(-1, keepdim=True).clamp(min=1e-9), p)\n    return p"),
    edit("kn_larger_of_both", "`kneser_ney` takes the larger of what is kept and what comes from below; they are to be added",
         "p = torch.where(total > 0, torch.maximum(kept, spare * p) / total.clamp(min=1), p)\n    return p"),
    edit("kn_logarithms", "`kneser_ney` returns logarithms; probabilities are asked for", "p = torch.where(total > 0, (kept + spare * p) / total.clamp(min=1), p)\n    return p.log()"),
    edit("kn_floored", "`kneser_ney` keeps the probabilities above a small constant: they no longer sum to one", "p = torch.where(total > 0, (kept + spare * p) / total.clamp(min=1), p)\n    return p.clamp(min=1e-3)"),
    edit("kn_in_the_loop", "`kneser_ney` returns inside the loop, after order 1", "p = torch.where(total > 0, (kept + spare * p) / total.clamp(min=1), p)\n        return p"),
    edit("kn_softmax", "`kneser_ney` puts the probabilities through a softmax", "p = torch.where(total > 0, (kept + spare * p) / total.clamp(min=1), p)\n    return p.softmax(-1)"),
)

# --- bits_per_byte ------------------------------------------------------------------------------------------------

mistakes.at(
    "return nats.sum() / (math.log(2) * len(text.encode()))",
    edit("mean_of_tokens", "`bits_per_byte` takes the mean over the tokens; the number of tokens is not to matter", "return nats.mean() / math.log(2)"),
    edit("mean_then_bytes", "`bits_per_byte` divides by the number of tokens and by that of bytes; the whole cost is asked for, per byte",
         "return nats.mean() / (math.log(2) * len(text.encode()))"),
    edit("characters", "`bits_per_byte` divides by the number of characters; one character may have several bytes", "return nats.sum() / (math.log(2) * len(text))"),
    edit("still_nats", "`bits_per_byte` returns nats; a bit is log 2 nats", "return nats.sum() / len(text.encode())"),
    edit("times_log_two", "`bits_per_byte` multiplies by log 2 (or divides by log2 e); nats are divided by log 2", "return nats.sum() * math.log(2) / len(text.encode())"),
    edit("byte_of_eight", "`bits_per_byte` divides by 8 as well", "return nats.sum() / (8 * math.log(2) * len(text.encode()))"),
    edit("total_bits", "`bits_per_byte` returns the bits of the whole text, not per byte", "return nats.sum() / math.log(2)"),
    edit("utf16", "`bits_per_byte` counts the bytes of UTF-16; the text is UTF-8", "return nats.sum() / (math.log(2) * len(text.encode('utf-16')))"),
    edit("utf16_without_mark", "`bits_per_byte` counts two bytes or more for each character; in UTF-8 a letter of English has one", "return nats.sum() / (math.log(2) * len(text.encode('utf-16-le')))"),
    edit("ascii_only", "`bits_per_byte` leaves out all characters that are not ASCII", "return nats.sum() / (math.log(2) * max(len(text.encode('ascii', 'ignore')), 1))"),
    edit("log_of_total", "`bits_per_byte` takes log2 of the cost; nats are logarithms already", "return torch.log2(nats.sum()) / len(text.encode())"),
    edit("log_of_each", "`bits_per_byte` takes -log2 of each cost as if it were a probability; nats are logarithms already", "return -torch.log2(nats).sum() / len(text.encode())"),
    edit("perplexity", "`bits_per_byte` returns a perplexity", "return (nats.sum() / len(text.encode())).exp()"),
    edit("sign_turned", "`bits_per_byte` turns the sign; nats are -log p already", "return -nats.sum() / (math.log(2) * len(text.encode()))"),
    edit("ten", "`bits_per_byte` divides by log 10; bits have log 2", "return nats.sum() / (math.log(10) * len(text.encode()))"),
    edit("words", "`bits_per_byte` divides by the number of words", "return nats.sum() / (math.log(2) * len(text.split()))"),
    edit("different_characters", "`bits_per_byte` divides by the number of different characters", "return nats.sum() / (math.log(2) * len(set(text)))"),
    edit("one_sequence", "`bits_per_byte` sums along the last axis only; all tokens count", "return nats.sum(-1) / (math.log(2) * len(text.encode())) if nats.ndim else nats / (math.log(2) * len(text.encode()))"),
    edit("bits_in_float32", "`bits_per_byte` rounds to float32", "return nats.float().sum() / (math.log(2) * len(text.encode()))"),
    edit("first_left_out", "`bits_per_byte` leaves out the first token", "return (nats.sum() - nats.reshape(-1)[0]) / (math.log(2) * len(text.encode()))"),
    edit("rounded", "`bits_per_byte` rounds the bits to whole ones", "return (nats.sum() / math.log(2)).round() / len(text.encode())"),
    edit("bytes_less_one", "`bits_per_byte` divides by the number of bytes less one", "return nats.sum() / (math.log(2) * (len(text.encode()) - 1))"),
    edit("mean_of_exponentials", "`bits_per_byte` averages probabilities or their inverses; costs are to be added up", "return nats.exp().mean().log() * nats.numel() / (math.log(2) * len(text.encode()))"),
)
