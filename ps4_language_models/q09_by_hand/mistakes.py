"""Named wrong versions of the answers to question 9."""

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- needed_sharpness ---------------------------------------------------------------------------------------------

mistakes.at(
    "return math.log(wrong * weight / (right * (1 - weight)))",
    edit("right_ignored", "`needed_sharpness` ignores `right`: several right keys share the work, and need less", "return math.log(wrong * weight / (1 - weight))"),
    edit("right_multiplied", "`needed_sharpness` multiplies by `right` where it is to be divided: more right keys need less sharpness", "return math.log(wrong * right * weight / (1 - weight))"),
    edit("wrong_ignored", "`needed_sharpness` ignores `wrong`: the more rivals, the more sharpness", "return math.log(weight / (right * (1 - weight)))"),
    edit("swapped", "`needed_sharpness` has right and wrong keys exchanged", "return math.log(right * weight / (wrong * (1 - weight)))"),
    edit("each", "`needed_sharpness` gives each right key this weight; together they are to have it, so divide it among them", "return math.log(wrong * weight / (1 - right * weight)) if right * weight < 1 else math.log(wrong * weight / (1 - weight))"),
    edit("weight_only", "`needed_sharpness` takes the logarithm of the weight where that of the odds w/(1 - w) is needed", "return math.log(wrong * weight / right)"),
    edit("rest_only", "`needed_sharpness` makes the wrong ones small, 1/(1 - w), and forgets that the right ones have w and not 1", "return math.log(wrong / (right * (1 - weight)))"),
    edit("odds_upside_down", "`needed_sharpness` has the odds upside down: (1 - w)/w", "return math.log(wrong * (1 - weight) / (right * weight))"),
    edit("minus", "`needed_sharpness` has the wrong sign: it is how far the others are ahead", "return -math.log(wrong * weight / (right * (1 - weight)))"),
    edit("positive_only", "`needed_sharpness` returns no negative lead; where the right ones are many, or w is small, they may even be behind", "return max(0.0, math.log(wrong * weight / (right * (1 - weight))))"),
    edit("absolute", "`needed_sharpness` returns the size of the lead without its sign", "return abs(math.log(wrong * weight / (right * (1 - weight))))"),
    edit("no_logarithm", "`needed_sharpness` returns e^β; the lead is its logarithm", "return wrong * weight / (right * (1 - weight))"),
    edit("bits", "`needed_sharpness` takes the logarithm to base 2; softmax has e", "return math.log2(wrong * weight / (right * (1 - weight)))"),
    edit("tens", "`needed_sharpness` takes the logarithm to base 10; softmax has e", "return math.log10(wrong * weight / (right * (1 - weight)))"),
    edit("all_keys", "`needed_sharpness` counts all keys as rivals; the right ones are none", "return math.log((right + wrong) * weight / (right * (1 - weight)))"),
    edit("one_less", "`needed_sharpness` counts one rival less than `wrong`; the right key is not among these", "return math.log((wrong - 1) * weight / (right * (1 - weight)))"),
    edit("one_more", "`needed_sharpness` counts one rival more than `wrong`", "return math.log((wrong + 1) * weight / (right * (1 - weight)))"),
    edit("log1p", "`needed_sharpness` adds 1 before it takes the logarithm", "return math.log1p(wrong * weight / (right * (1 - weight)))"),
    edit("half", "`needed_sharpness` is half as large as it must be", "return 0.5 * math.log(wrong * weight / (right * (1 - weight)))"),
    edit("doubled", "`needed_sharpness` is twice as large as it must be", "return 2 * math.log(wrong * weight / (right * (1 - weight)))"),
    edit("root", "`needed_sharpness` multiplies by √wrong, as if scores were divided by it", "return math.sqrt(wrong) * math.log(weight / (right * (1 - weight)))"),
    edit("logit_only", "`needed_sharpness` is the logit of w, as for one rival", "return math.log(weight / (1 - weight))"),
    edit("logit_times", "`needed_sharpness` multiplies the logit of w by the number of rivals; it is the logarithm of their number that is added", "return wrong / right * math.log(weight / (1 - weight))"),
    edit("no_weight", "`needed_sharpness` ignores the weight, as for w = 1/2", "return math.log(wrong / right)"),
    edit("always_99", "`needed_sharpness` takes w = 0.99, whatever is asked for", "return math.log(wrong * 99 / right)"),
    edit("clipped", "`needed_sharpness` keeps w below 0.999; weights nearer to 1 need more", "weight = min(weight, 0.999); return math.log(wrong * weight / (right * (1 - weight)))"),
    edit("epsilon", "`needed_sharpness` adds a small number to 1 - w, which changes it where w is near 1", "return math.log(wrong * weight / (right * (1 - weight + 1e-6)))"),
    edit("whole", "`needed_sharpness` is rounded up to a whole number", "return float(math.ceil(math.log(wrong * weight / (right * (1 - weight)))))"),
    edit("rounded", "`needed_sharpness` is rounded to two digits", "return round(math.log(wrong * weight / (right * (1 - weight))), 2)"),
    edit("ratio_at_most", "`needed_sharpness` compares e^β with all keys: right · e^β / (right + wrong) = w; the sum below must hold e^β, too", "return math.log(weight * (right + wrong) / right)"),
)

# --- lookback_head ------------------------------------------------------------------------------------------------

BACK = "look[place, place] = sharpness * torch.diag(torch.ones(place.stop - place.start - steps), -steps)"
mistakes.at(
    BACK,
    edit("back_transposed", "`lookback_head` looks forward: rows of `look` belong to the query, columns to the key", "look[place, place] = sharpness * torch.diag(torch.ones(place.stop - place.start - steps), steps)"),
    edit("back_itself", "`lookback_head` looks at the token itself", "look[place, place] = sharpness * torch.eye(place.stop - place.start)"),
    edit("back_one_more", "`lookback_head` looks one step too far back", "look[place, place] = sharpness * torch.diag(torch.ones(place.stop - place.start), -steps - 1)[: place.stop - place.start, : place.stop - place.start]"),
    edit("back_one_less", "`lookback_head` looks one step too late", "look[place, place] = sharpness * torch.diag(torch.ones(place.stop - place.start - steps + 1), 1 - steps)"),
    edit("back_always_one", "`lookback_head` ignores `steps` and looks one back", "look[place, place] = sharpness * torch.diag(torch.ones(place.stop - place.start - 1), -1)"),
    edit("back_all_near", "`lookback_head` looks at all of the last `steps` tokens; only the one `steps` back is meant", "look[place, place] = sharpness * (torch.ones(place.stop - place.start, place.stop - place.start).tril(-1) - torch.ones(place.stop - place.start, place.stop - place.start).tril(-steps - 1))"),
    edit("back_all_before", "`lookback_head` looks at all tokens that are `steps` or more back; only one is meant", "look[place, place] = sharpness * torch.ones(place.stop - place.start, place.stop - place.start).tril(-steps)"),
    edit("back_and_itself", "`lookback_head` looks at the token itself as much as at the one `steps` back", "look[place, place] = sharpness * (torch.diag(torch.ones(place.stop - place.start - steps), -steps) + torch.eye(place.stop - place.start))"),
    edit("back_both_ways", "`lookback_head` uses one-sided positions as if they were unsigned: the block is symmetric. Under the causal mask nothing would change, but its diagonal is filled, too", "block = torch.diag(torch.ones(place.stop - place.start - steps), -steps); look[place, place] = sharpness * (block + block.T + 0.5 * torch.eye(len(block)))"),
    edit("back_slope", "`lookback_head` lets the scores fall with the distance from the place that is meant; that place is to lead *all* others by `sharpness`",
         "numbers = torch.arange(place.stop - place.start); look[place, place] = -sharpness * (numbers[:, None] - steps - numbers).abs().float()"),
    edit("back_recent", "`lookback_head` prefers later positions, so a token likes itself best", "numbers = torch.arange(place.stop - place.start).float(); look[place, place] = sharpness * numbers.expand(len(numbers), -1)"),
    edit("back_sharpness_ignored", "`lookback_head` ignores `sharpness`: the score is 1", "look[place, place] = torch.diag(torch.ones(place.stop - place.start - steps), -steps)"),
    edit("back_sharpness_fixed", "`lookback_head` takes a large fixed score in place of `sharpness`", "look[place, place] = 100 * torch.diag(torch.ones(place.stop - place.start - steps), -steps)"),
    edit("back_sharpness_ten", "`lookback_head` takes a fixed score of 10 in place of `sharpness`", "look[place, place] = 10 * torch.diag(torch.ones(place.stop - place.start - steps), -steps)"),
    edit("back_sharpness_squared", "`lookback_head` uses `sharpness` twice, squared", "look[place, place] = sharpness**2 * torch.diag(torch.ones(place.stop - place.start - steps), -steps)"),
    edit("back_sharpness_temperature", "`lookback_head` divides by `sharpness`, as if it were a temperature", "look[place, place] = torch.diag(torch.ones(place.stop - place.start - steps), -steps) / sharpness"),
    edit("back_sharpness_root", "`lookback_head` divides the scores by √D; (9.1) has no such factor", "look[place, place] = sharpness / math.sqrt(len(look)) * torch.diag(torch.ones(place.stop - place.start - steps), -steps)"),
    edit("back_sharpness_minus", "`lookback_head` has the wrong sign: it avoids the token that it should find", "look[place, place] = -sharpness * torch.diag(torch.ones(place.stop - place.start - steps), -steps)"),
    edit("back_sharpness_log", "`lookback_head` takes the logarithm of `sharpness`, as if it were a ratio of weights", "look[place, place] = math.log(sharpness) * torch.diag(torch.ones(place.stop - place.start - steps), -steps)"),
    edit("back_infinite", "`lookback_head` writes infinite entries: 0 · ∞ is not a number, and every score is a sum with such products", "look[place, place] = torch.full((place.stop - place.start, place.stop - place.start), -math.inf); look[place, place] += torch.diag(torch.full((place.stop - place.start - steps,), math.inf), -steps).nan_to_num(0.0)"),
    edit("back_short", "`lookback_head` fills its block for the first 16 positions only; later tokens look at all alike", "look[place, place] = sharpness * torch.diag((torch.arange(place.stop - place.start - steps) < 16).float(), -steps)"),
    edit("back_short_64", "`lookback_head` fills its block for the first 64 positions only; later tokens look at all alike", "look[place, place] = sharpness * torch.diag((torch.arange(place.stop - place.start - steps) < 64).float(), -steps)"),
    edit("back_vocab_places", "`lookback_head` fills as many positions as there are tokens in the vocabulary; later ones look at all alike", "look[place, place] = sharpness * torch.diag((torch.arange(place.stop - place.start - steps) < token.stop - token.start).float(), -steps)"),
    edit("back_by_token", "`lookback_head` looks for the token whose *number* is smaller by `steps`; positions are to decide", "look[token, token] = sharpness * torch.diag(torch.ones(max(token.stop - token.start - steps, 0)), -steps)[: token.stop - token.start, : token.stop - token.start]"),
    edit("back_whole_stream", "`lookback_head` shifts the whole stream by `steps` entries, not just the positions", "look = sharpness * torch.diag(torch.ones(len(look) - steps), -steps)"),
    edit("back_layout_fixed", "`lookback_head` takes the positions to be the second part; `parts` says where they are", "size = place.stop - place.start; fixed = slice(token.stop - token.start, token.stop - token.start + size); look[fixed, fixed] = sharpness * torch.diag(torch.ones(size - steps), -steps)"),
    edit("back_ones_left", "`lookback_head` fills the rest of the positions' block with ones, so that it leads by `sharpness` - 1 only", "look[place, place] = 1.0; look[place, place] += (sharpness - 1) * torch.diag(torch.ones(place.stop - place.start - steps), -steps)"),
    edit("back_steps_scale", "`lookback_head` makes the score grow with `steps`", "look[place, place] = steps * sharpness * torch.diag(torch.ones(place.stop - place.start - steps), -steps)"),
    edit("back_first_row", "`lookback_head` looks from every token at position 0", "look[place, place.start] = sharpness"),
    edit("back_absolute", "`lookback_head` looks from every token at position `steps`, not `steps` back", "look[place, min(place.start + steps, place.stop - 1)] = sharpness"),
    edit("back_last_missing", "`lookback_head` leaves the last position of the context without a place to look at", "look[place, place] = sharpness * torch.diag(torch.ones(place.stop - place.start - steps), -steps); look[place.stop - 1, place] = 0"),
    edit("back_query_missing", "`lookback_head` marks keys alone: its rows are all alike, so every token looks at the same places", "look[place, place] = sharpness * torch.diag(torch.ones(place.stop - place.start - steps), -steps).sum(0)"),
)

mistakes.at(
    "copy[token, parts[target]] = torch.eye(token.stop - token.start)",
    edit("back_before_always", "`lookback_head` ignores `target` and always writes into the part \"before\", or into the first after the positions", "copy[token, parts.get('before', parts['answer'])] = torch.eye(token.stop - token.start)"),
    edit("back_to_answer", "`lookback_head` writes into \"answer\", whatever `target` is", "copy[token, parts['answer']] = torch.eye(token.stop - token.start)"),
    edit("back_to_token", "`lookback_head` writes into the part \"token\" itself, over what the token is", "copy[token, token] = torch.eye(token.stop - token.start)"),
    edit("back_turned", "`lookback_head` has `copy` the wrong way round: rows are what is read, columns where it is written", "copy[parts[target], token] = torch.eye(token.stop - token.start)"),
    edit("back_nothing", "`lookback_head` copies nothing: `copy` is left 0", ""),
    edit("back_ones", "`lookback_head` writes ones into all entries of the target; a block of ones forgets which token it was", "copy[token, parts[target]] = 1.0"),
    edit("back_copy_scaled", "`lookback_head` multiplies what it copies by `sharpness`", "copy[token, parts[target]] = sharpness * torch.eye(token.stop - token.start)"),
    edit("back_copy_minus", "`lookback_head` subtracts the token in place of adding it", "copy[token, parts[target]] = -torch.eye(token.stop - token.start)"),
    edit("back_copy_shifted", "`lookback_head` copies each token as its neighbour in the vocabulary", "copy[token, parts[target]] = torch.eye(token.stop - token.start).roll(1, 1)"),
    edit("back_copy_reversed", "`lookback_head` copies the vocabulary in reverse order", "copy[token, parts[target]] = torch.eye(token.stop - token.start).flip(0)"),
    edit("back_everything", "`lookback_head` copies all parts of the token it finds onto themselves, besides the note", "copy += torch.eye(len(copy)); copy[token, parts[target]] = torch.eye(token.stop - token.start)"),
    edit("back_token_too", "`lookback_head` adds the token to \"token\", too, so that nobody knows who is who", "copy[token, parts[target]] = torch.eye(token.stop - token.start); copy[token, token] = torch.eye(token.stop - token.start)"),
    edit("back_answer_too", "`lookback_head` writes into \"answer\", too", "copy[token, parts[target]] = torch.eye(token.stop - token.start); copy[token, parts['answer']] = torch.eye(token.stop - token.start)"),
    edit("back_position", "`lookback_head` copies the position, or part of it, in place of the token", "size = min(token.stop - token.start, place.stop - place.start); copy[place.start : place.start + size, parts[target].start : parts[target].start + size] = torch.eye(size)"),
    edit("back_erases", "`lookback_head` erases what the target held, by what the found token holds there; it is to add the token only", "copy[token, parts[target]] = torch.eye(token.stop - token.start); copy[parts[target], parts[target]] -= torch.eye(token.stop - token.start)"),
    edit("back_copy_short", "`lookback_head` copies the first 20 kinds of tokens only", "copy[token, parts[target]] = torch.diag((torch.arange(token.stop - token.start) < 20).float())"),
    edit("back_copy_last", "`lookback_head` leaves out the last token of the vocabulary", "copy[token, parts[target]] = torch.diag((torch.arange(token.stop - token.start) < token.stop - token.start - 1).float())"),
    edit("back_copy_first", "`lookback_head` leaves out token 0", "copy[token, parts[target]] = torch.diag((torch.arange(token.stop - token.start) > 0).float())"),
    edit("back_swapped", "`lookback_head` returns copy before look", "copy[token, parts[target]] = torch.eye(token.stop - token.start); look, copy = copy, look"),
    edit("back_half", "`lookback_head` copies half of the token", "copy[token, parts[target]] = 0.5 * torch.eye(token.stop - token.start)"),
    edit("back_stacked", "`lookback_head` returns a single matrix, look @ copy; the head needs both", "copy[token, parts[target]] = torch.eye(token.stop - token.start); return look @ copy"),
    edit("back_gradient_ones", "`lookback_head` copies the mean of the vocabulary besides the token", "copy[token, parts[target]] = torch.eye(token.stop - token.start) - 1 / (token.stop - token.start)"),
)

# --- induction_head -----------------------------------------------------------------------------------------------

mistakes.at(
    "look[parts[mine], parts[its]] += sharpness * same",
    edit("match_turned", "`induction_head` has `mine` and `its` exchanged: rows of `look` belong to the token that asks", "look[parts[its], parts[mine]] += sharpness * same"),
    edit("match_both_ways", "`induction_head` matches in both directions, so a token that comes *before* its like scores, too", "look[parts[mine], parts[its]] += sharpness * same; look[parts[its], parts[mine]] += sharpness * same"),
    edit("match_mine_only", "`induction_head` compares part `mine` of both tokens; `its` is the key's part", "look[parts[mine], parts[mine]] += sharpness * same"),
    edit("match_its_only", "`induction_head` compares part `its` of both tokens; `mine` is the query's part", "look[parts[its], parts[its]] += sharpness * same"),
    edit("match_tokens", "`induction_head` compares the tokens themselves, so it finds earlier copies and not what followed them", "look[token, token] += sharpness * same"),
    edit("match_token_its", "`induction_head` takes the query's token, whatever `mine` is", "look[token, parts[its]] += sharpness * same"),
    edit("match_before", "`induction_head` matches with the last note of `parts` that it finds, whatever `its` is", "look[parts[mine], parts.get('before', parts[its])] += sharpness * same"),
    edit("match_ones", "`induction_head` fills the block with ones, so any token matches any other", "look[parts[mine], parts[its]] += sharpness"),
    edit("match_unlike", "`induction_head` has the wrong sign: it avoids what matches", "look[parts[mine], parts[its]] -= sharpness * same"),
    edit("match_penalty", "`induction_head` rewards a match and punishes the rest, so a match leads by twice the sharpness", "look[parts[mine], parts[its]] += sharpness * (2 * same - 1)"),
    edit("match_centred", "`induction_head` subtracts the mean from its block, so what matches leads by as much, but empty or soft notes are moved", "look[parts[mine], parts[its]] += sharpness * (same - 0.5)"),
    edit("match_one", "`induction_head` ignores `sharpness`: a match scores 1", "look[parts[mine], parts[its]] += same"),
    edit("match_hundred", "`induction_head` takes a large fixed score in place of `sharpness`", "look[parts[mine], parts[its]] += 100 * same"),
    edit("match_ten", "`induction_head` takes a fixed score of 10 in place of `sharpness`", "look[parts[mine], parts[its]] += 10 * same"),
    edit("match_squared", "`induction_head` uses `sharpness` twice, squared", "look[parts[mine], parts[its]] += sharpness**2 * same"),
    edit("match_temperature", "`induction_head` divides by `sharpness`, as if it were a temperature", "look[parts[mine], parts[its]] += same / sharpness"),
    edit("match_root", "`induction_head` divides the scores by √D; (9.1) has no such factor", "look[parts[mine], parts[its]] += sharpness / math.sqrt(len(look)) * same"),
    edit("match_mean", "`induction_head` divides the sharpness by the number of pairs; each pair has all of it", "look[parts[mine], parts[its]] += sharpness / len(matches) * same"),
    edit("match_last_pair", "`induction_head` keeps the last pair only: each pair begins with an empty matrix", "look = torch.zeros_like(look); look[parts[mine], parts[its]] += sharpness * same"),
    edit("match_falling", "`induction_head` gives later pairs less", "look[parts[mine], parts[its]] += sharpness / (1 + matches.index((mine, its))) * same"),
    edit("match_rising", "`induction_head` gives later pairs more: each has `sharpness`", "look[parts[mine], parts[its]] += sharpness * (1 + matches.index((mine, its))) * same"),
    edit("match_first_return", "`induction_head` stops after the first pair: a return or break in the loop", "look[parts[mine], parts[its]] += sharpness * same; break"),
    edit("match_accumulated", "`induction_head` adds the pairs up again for each one, so that the first counts twice", "look[parts[mine], parts[its]] += sharpness * same; look = look + (look if matches.index((mine, its)) == 0 and len(matches) > 1 else 0)"),
    edit("match_crossed", "`induction_head` compares every part `mine` with every part `its`, across pairs", "for _, other in matches: look[parts[mine], parts[other]] = sharpness * same"),
    edit("match_shifted", "`induction_head` matches a token with its neighbour in the vocabulary", "look[parts[mine], parts[its]] += sharpness * same.roll(1, 1)"),
    edit("match_mirrored", "`induction_head` matches tokens with those at the mirrored place of the vocabulary", "look[parts[mine], parts[its]] += sharpness * same.flip(0)"),
    edit("match_short", "`induction_head` matches the first 20 kinds of tokens only", "look[parts[mine], parts[its]] += sharpness * torch.diag((torch.arange(len(same)) < 20).float())"),
    edit("match_without_last", "`induction_head` leaves out the last token of the vocabulary when it matches", "look[parts[mine], parts[its]] += sharpness * torch.diag((torch.arange(len(same)) < len(same) - 1).float())"),
    edit("match_without_first", "`induction_head` leaves out token 0 when it matches", "look[parts[mine], parts[its]] += sharpness * torch.diag((torch.arange(len(same)) > 0).float())"),
    edit("match_recent", "`induction_head` prefers recent tokens a little; matches are to be equal, wherever they are", "look[parts[mine], parts[its]] += sharpness * same; look[parts['position'], parts['position']] = 0.1 * torch.arange(parts['position'].stop - parts['position'].start).float()"),
    edit("match_not_itself", "`induction_head` keeps a token from looking at itself; in `a a` the second a is what followed an a", "look[parts[mine], parts[its]] += sharpness * same; look[parts['position'], parts['position']] = -1e4 * torch.eye(parts['position'].stop - parts['position'].start)"),
    edit("match_copies_punished", "`induction_head` punishes keys with the token's own kind, against looking at oneself; such a key may be what followed", "look[parts[mine], parts[its]] += sharpness * same; look[token, token] -= sharpness * same"),
    edit("match_infinite", "`induction_head` writes infinite entries: 0 · ∞ is not a number, and every score is a sum with such products", "look[parts[mine], parts[its]] += torch.where(same > 0, sharpness, -math.inf)"),
    edit("match_layout", "`induction_head` takes the parts to lie in the order token, position, notes; `parts` says where they are",
         "at = lambda name: len(same) * 0 if name == 'token' else len(same) + parts['position'].stop - parts['position'].start + len(same) * [key for key in parts if key not in ('token', 'position')].index(name); "
         "look[at(mine) : at(mine) + len(same), at(its) : at(its) + len(same)] += sharpness * same"),
    edit("match_swapped_pairs", "`induction_head` takes the first entry of a pair for the key's part in all pairs but the first", "look[parts[mine], parts[its]] += sharpness * same if (mine, its) == matches[0] else 0.0; look[parts[its], parts[mine]] += sharpness * same if (mine, its) != matches[0] else 0.0"),
    edit("match_product", "`induction_head` needs all pairs at once, and halves what a pair scores alone; scores are added", "look[parts[mine], parts[its]] += sharpness * same * (0.5 if len(matches) > 1 else 1.0)"),
    edit("match_everything", "`induction_head` compares the whole streams besides, positions included", "look[parts[mine], parts[its]] += sharpness * same; look += sharpness * torch.eye(len(look)) / len(matches)"),
)

mistakes.at(
    """
    copy[token, parts["answer"]] = same
    """,
    edit("answer_note", "`induction_head` copies the note of the found token; that is the token one too early", 'copy[parts[matches[0][1]], parts["answer"]] = same'),
    edit("answer_mine", "`induction_head` copies part `mine` of the found token; its `token` is the answer", 'copy[parts[matches[-1][0]], parts["answer"]] = same'),
    edit("answer_turned", "`induction_head` has `copy` the wrong way round: rows are what is read, columns where it is written", 'copy[parts["answer"], token] = same'),
    edit("answer_to_token", "`induction_head` writes into \"token\"; the logits are read from \"answer\"", "copy[token, token] = same"),
    edit("answer_to_note", "`induction_head` writes into the note; the logits are read from \"answer\"", "copy[token, parts[matches[0][1]]] = same"),
    edit("answer_nothing", "`induction_head` copies nothing: `copy` is left 0", ""),
    edit("answer_ones", "`induction_head` writes ones into all of the answer", 'copy[token, parts["answer"]] = 1.0'),
    edit("answer_sharp", "`induction_head` multiplies what it copies by `sharpness`", 'copy[token, parts["answer"]] = sharpness * same'),
    edit("answer_strong", "`induction_head` multiplies what it copies by 20; the model does so in the end", 'copy[token, parts["answer"]] = 20 * same'),
    edit("answer_minus", "`induction_head` subtracts the token that it found", 'copy[token, parts["answer"]] = -same'),
    edit("answer_shifted", "`induction_head` answers with the next token of the vocabulary, not of the text", 'copy[token, parts["answer"]] = same.roll(1, 1)'),
    edit("answer_reversed", "`induction_head` copies the vocabulary in reverse order", 'copy[token, parts["answer"]] = same.flip(0)'),
    edit("answer_both", "`induction_head` copies the found token's note, too", 'copy[token, parts["answer"]] = same; copy[parts[matches[0][1]], parts["answer"]] += same'),
    edit("answer_everything", "`induction_head` copies all parts of the found token onto themselves, besides", 'copy += torch.eye(len(copy)); copy[token, parts["answer"]] = same'),
    edit("answer_pairs", "`induction_head` copies once for each pair, so that two pairs double the answer", 'copy[token, parts["answer"]] = len(matches) * same'),
    edit("answer_erases", "`induction_head` subtracts the answer that the found token holds already", 'copy[token, parts["answer"]] = same; copy[parts["answer"], parts["answer"]] = -same'),
    edit("answer_less_note", "`induction_head` subtracts the found token's note from the answer", 'copy[token, parts["answer"]] = same; copy[parts[matches[0][1]], parts["answer"]] -= same'),
    edit("answer_short", "`induction_head` copies the first 20 kinds of tokens only", 'copy[token, parts["answer"]] = torch.diag((torch.arange(len(same)) < 20).float())'),
    edit("answer_without_last", "`induction_head` leaves out the last token of the vocabulary when it copies", 'copy[token, parts["answer"]] = torch.diag((torch.arange(len(same)) < len(same) - 1).float())'),
    edit("answer_without_first", "`induction_head` leaves out token 0 when it copies", 'copy[token, parts["answer"]] = torch.diag((torch.arange(len(same)) > 0).float())'),
    edit("answer_swapped", "`induction_head` returns copy before look", 'copy[token, parts["answer"]] = same; look, copy = copy, look'),
    edit("answer_alone", "`induction_head` returns a single matrix; the head needs both", 'copy[token, parts["answer"]] = same; return look'),
    edit("answer_note_too", "`induction_head` writes the token into the note, too", 'copy[token, parts["answer"]] = same; copy[token, parts[matches[0][1]]] = same'),
)

# --- sorting_head -------------------------------------------------------------------------------------------------

mistakes.at(
    "step = number - number[:, None]   # from the query's number to the key's",
    edit("step_turned", "`sorting_head` looks for smaller numbers: rows of `look` belong to the token that asks", "step = number[:, None] - number"),
    edit("step_absolute", "`sorting_head` looks for near numbers on both sides, its own among them; only larger ones may come", "step = (number - number[:, None]).abs()"),
    edit("step_next", "`sorting_head` counts steps from the next number on, so its own is let in or the next one shut out", "step = number - number[:, None] - 1"),
    edit("step_before", "`sorting_head` counts steps from the number before on, so its own counts as larger", "step = number - number[:, None] + 1"),
    edit("step_circle", "`sorting_head` counts in a circle, so that after the largest the smallest comes", "step = (number - number[:, None]) % len(number)"),
    edit("step_sign", "`sorting_head` counts every larger number as one step, so all larger ones are liked alike", "step = (number - number[:, None]).sign()"),
    edit("step_squared", "`sorting_head` squares the steps; each one costs `sharpness`", "step = number - number[:, None]; step = step * step.abs()"),
    edit("step_capped", "`sorting_head` stops counting after 10 steps, so that far numbers are liked alike", "step = (number - number[:, None]).clamp(max=10)"),
    edit("step_from_zero", "`sorting_head` counts steps from 0 in place of the last number. Where all larger ones are behind by as much, nothing changes; but then smaller ones lead", "step = number.expand(len(number), -1)"),
    edit("step_fraction", "`sorting_head` measures steps as parts of the vocabulary, so that one step costs `sharpness`/V", "step = (number - number[:, None]) / len(number)"),
    edit("step_root", "`sorting_head` takes the root of a step; each one costs `sharpness`", "step = (number - number[:, None]).float(); step = step.sign() * step.abs().sqrt()"),
    edit("step_log", "`sorting_head` takes the logarithm of a step; each one costs `sharpness`", "step = (number - number[:, None]).float(); step = step.sign() * step.abs().log1p()"),
    edit("step_ignores_end", "`sorting_head` does not let the largest token come, so that a list has no end", "step = number - number[:, None]; step[:, -1] = 0"),
    edit("step_ignores_sort", "`sorting_head` finds nothing after token 0, so that the first number is anybody's", "step = number - number[:, None]; step[0] = 0"),
)

mistakes.at(
    "look[token, token] = torch.where(step > 0, -sharpness * step, -sharpness * len(number) - 50.0)",
    edit("sort_own", "`sorting_head` lets the last number itself come again: `>=` in place of `>`", "look[token, token] = torch.where(step >= 0, -sharpness * step, -sharpness * len(number) - 50.0)"),
    edit("sort_two", "`sorting_head` leaves out the number that is larger by 1", "look[token, token] = torch.where(step > 1, -sharpness * step, -sharpness * len(number) - 50.0)"),
    edit("sort_largest", "`sorting_head` prefers the largest number: a step is to cost, not to pay", "look[token, token] = torch.where(step > 0, sharpness * step, -sharpness * len(number) - 50.0)"),
    edit("sort_alike", "`sorting_head` likes all larger numbers alike; the smallest of these comes next", "look[token, token] = torch.where(step > 0, sharpness, -sharpness * len(number) - 50.0)"),
    edit("sort_next_only", "`sorting_head` looks for the number that is larger by exactly 1; where it is missing, it finds nothing", "look[token, token] = torch.where(step == 1, 0.0, -sharpness * len(number) - 50.0)"),
    edit("sort_no_penalty", "`sorting_head` gives numbers that are not larger the score 0, which is more than any larger one has", "look[token, token] = torch.where(step > 0, -sharpness * step, 0.0)"),
    edit("sort_penalty_one", "`sorting_head` punishes numbers that are not larger as a step of 1; a larger number many steps away must still win", "look[token, token] = torch.where(step > 0, -sharpness * step, -sharpness)"),
    *(edit(f"sort_penalty_{int(size)}", "`sorting_head` punishes numbers that are not larger by a fixed amount, which a larger number some steps away falls behind", f"look[token, token] = torch.where(step > 0, -sharpness * step, -{size})") for size in (10.0, 20.0, 50.0, 100.0)),
    *(edit(f"sort_penalty_{int(size)}", "`sorting_head` punishes numbers that are not larger by a fixed amount; with a large vocabulary and a sharp head, that is not enough", f"look[token, token] = torch.where(step > 0, -sharpness * step, -{size})") for size in (1000.0, 10000.0)),
    edit("sort_penalty_scaled", "`sorting_head` punishes numbers that are not larger by as much as the longest way costs; then they are hardly behind the end of the list", "look[token, token] = torch.where(step > 0, -sharpness * step, -sharpness * len(number))"),
    edit("sort_penalty_twice", "`sorting_head` punishes numbers that are not larger by twice the longest way; where the head is dull, that leaves them more than 1e-6", "look[token, token] = torch.where(step > 0, -sharpness * step, -2 * sharpness * len(number))"),
    edit("sort_penalty_ten", "`sorting_head` punishes numbers that are not larger in proportion to `sharpness`; where the head is dull, that leaves them more than 1e-6", "look[token, token] = torch.where(step > 0, -sharpness * step, -10 * sharpness)"),
    edit("sort_penalty_thousand", "`sorting_head` punishes numbers that are not larger as a fixed number of steps; a larger one that is further away, or a dull head, lets them in", "look[token, token] = torch.where(step > 0, -sharpness * step, -100 * sharpness)"),
    edit("sort_penalty_added", "`sorting_head` punishes numbers that are not larger by 10 beyond the longest way; more than 1e-6 is left to them", "look[token, token] = torch.where(step > 0, -sharpness * step, -sharpness * len(number) - 10.0)"),
    edit("sort_infinite", "`sorting_head` writes minus infinity: 0 · ∞ is not a number, and every score is a sum with such products. A large finite number does", "look[token, token] = torch.where(step > 0, -sharpness * step, -math.inf)"),
    edit("sort_minimum", "`sorting_head` writes the most negative float: added to anything below 0 it overflows, and 0 times it may not stay 0", "look[token, token] = torch.where(step > 0, -sharpness * step, torch.finfo(torch.float32).min * 2)"),
    edit("sort_sharp_ignored", "`sorting_head` ignores `sharpness`: a step costs 1", "look[token, token] = torch.where(step > 0, -1.0 * step, -1e6)"),
    edit("sort_sharp_fixed", "`sorting_head` takes a fixed cost of 10 a step in place of `sharpness`", "look[token, token] = torch.where(step > 0, -10.0 * step, -1e6)"),
    edit("sort_sharp_squared", "`sorting_head` uses `sharpness` twice, squared", "look[token, token] = torch.where(step > 0, -(sharpness**2) * step, -1e6)"),
    edit("sort_temperature", "`sorting_head` divides by `sharpness`, as if it were a temperature", "look[token, token] = torch.where(step > 0, -step / sharpness, -1e6)"),
    edit("sort_root_d", "`sorting_head` divides the scores by √D; (9.1) has no such factor", "look[token, token] = torch.where(step > 0, -sharpness * step, -1e6) / math.sqrt(len(look))"),
    edit("sort_power", "`sorting_head` halves the score with each step, and so liking falls as a power; each step is to cost `sharpness`", "look[token, token] = torch.where(step > 0, sharpness * 0.5 ** step.clamp(min=0), -1e6)"),
    edit("sort_inverse", "`sorting_head` uses sharpness divided by the step; each step is to cost `sharpness`", "look[token, token] = torch.where(step > 0, sharpness / step.clamp(min=1), -1e6)"),
    edit("sort_exponential", "`sorting_head` writes weights, e^(-sharpness · step), where scores are asked for: the softmax takes exponentials itself", "look[token, token] = torch.where(step > 0, torch.exp(-sharpness * step), -1e6)"),
    edit("sort_turned_block", "`sorting_head` has its block transposed: rows of `look` belong to the token that asks", "look[token, token] = torch.where(step > 0, -sharpness * step, -sharpness * len(number) - 50.0).T"),
    edit("sort_short", "`sorting_head` fills its block for the first 20 tokens only", "look[token, token] = torch.where((step > 0) & (number < 20) & (number[:, None] < 20), -sharpness * step, -sharpness * len(number) - 50.0)"),
    edit("sort_whole_steps", "`sorting_head` rounds the scores to whole numbers: the block is one of integers", "look[token, token] = torch.where(step > 0, (-sharpness * step).long(), -100000).float()"),
    edit("sort_positions", "`sorting_head` looks at positions; numbers are in the part \"token\"", "place = parts['position']; where = torch.arange(place.stop - place.start); look[place, place] = torch.where(where > where[:, None], -sharpness * (where - where[:, None]), -1e6)"),
    edit("sort_latest", "`sorting_head` prefers recent tokens a little; places do not matter for sorting", "look[token, token] = torch.where(step > 0, -sharpness * step, -sharpness * len(number) - 50.0); look[parts['position'], parts['position']] = 0.1 * torch.arange(parts['position'].stop - parts['position'].start).float()"),
    edit("sort_layout", "`sorting_head` takes the tokens to be the first part; `parts` says where they are", "look[: len(number), : len(number)] = torch.where(step > 0, -sharpness * step, -sharpness * len(number) - 50.0)"),
    edit("sort_both", "`sorting_head` shuts out the last number alone; smaller ones are counted as if they were larger", "look[token, token] = torch.where(step != 0, -sharpness * step.abs(), -sharpness * len(number) - 50.0)"),
    edit("sort_once", "`sorting_head` leaves smaller numbers their negative steps, so that the smallest of all wins", "look[token, token] = -sharpness * step"),
    edit("sort_half", "`sorting_head` halves the cost of a step", "look[token, token] = torch.where(step > 0, -0.5 * sharpness * step, -sharpness * len(number) - 50.0)"),
    edit("sort_doubled", "`sorting_head` doubles the cost of a step", "look[token, token] = torch.where(step > 0, -2 * sharpness * step, -3 * sharpness * len(number) - 50.0)"),
)

mistakes.at(
    'copy[token, parts["answer"]] = torch.eye(len(number))',
    edit("sorted_turned", "`sorting_head` has `copy` the wrong way round: rows are what is read, columns where it is written", 'copy[parts["answer"], token] = torch.eye(len(number))'),
    edit("sorted_to_token", "`sorting_head` writes into \"token\"; the logits are read from \"answer\"", "copy[token, token] = torch.eye(len(number))"),
    edit("sorted_nothing", "`sorting_head` copies nothing: `copy` is left 0", ""),
    edit("sorted_ones", "`sorting_head` writes ones into all of the answer", 'copy[token, parts["answer"]] = 1.0'),
    edit("sorted_next", "`sorting_head` answers with the number after the one that it found", 'copy[token, parts["answer"]] = torch.eye(len(number)).roll(1, 1)'),
    edit("sorted_reversed", "`sorting_head` copies the vocabulary in reverse order", 'copy[token, parts["answer"]] = torch.eye(len(number)).flip(0)'),
    edit("sorted_sharp", "`sorting_head` multiplies what it copies by `sharpness`", 'copy[token, parts["answer"]] = sharpness * torch.eye(len(number))'),
    edit("sorted_strong", "`sorting_head` multiplies what it copies by 20; the model does so in the end", 'copy[token, parts["answer"]] = 20 * torch.eye(len(number))'),
    edit("sorted_number", "`sorting_head` writes the number itself as the height of the entry; an entry of 1 says which token it is", 'copy[token, parts["answer"]] = torch.diag(number.float())'),
    edit("sorted_minus", "`sorting_head` subtracts the number that it found", 'copy[token, parts["answer"]] = -torch.eye(len(number))'),
    edit("sorted_end", "`sorting_head` leaves out the largest token when it copies, so that a list has no end", 'copy[token, parts["answer"]] = torch.diag((number < len(number) - 1).float())'),
    edit("sorted_everything", "`sorting_head` copies all parts of the found token onto themselves, besides", 'copy += torch.eye(len(copy)); copy[token, parts["answer"]] = torch.eye(len(number))'),
    edit("sorted_token_too", "`sorting_head` adds the number to \"token\", too", 'copy[token, parts["answer"]] = torch.eye(len(number)); copy[token, token] = torch.eye(len(number))'),
    edit("sorted_cumulative", "`sorting_head` writes all numbers up to the one that it found", 'copy[token, parts["answer"]] = torch.ones(len(number), len(number)).tril()'),
    edit("sorted_swapped", "`sorting_head` returns copy before look", 'copy[token, parts["answer"]] = torch.eye(len(number)); look, copy = copy, look'),
    edit("sorted_alone", "`sorting_head` returns a single matrix; the head needs both", 'copy[token, parts["answer"]] = torch.eye(len(number)); return look'),
    edit("sorted_short", "`sorting_head` copies the first 20 tokens only", 'copy[token, parts["answer"]] = torch.diag((number < 20).float())'),
)


@mistakes.rewrite("`sorting_head` uses the numbers as scores and not one-hot blocks: a product of numbers prefers the largest")
def sort_by_product(ref):
    def sorting_head(parts, sharpness):
        look, copy = ref.sorting_head(parts, sharpness)
        token = parts["token"]
        number = torch.arange(token.stop - token.start).float()
        look[token, token] = -sharpness * number[:, None] * number / len(number)
        return look, copy

    return {"sorting_head": sorting_head}
