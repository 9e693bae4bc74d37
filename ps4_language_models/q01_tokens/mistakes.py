"""Named wrong versions of the answers to question 1."""

import re
from collections import Counter, defaultdict
from itertools import pairwise

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- pretokenize --------------------------------------------------------------------------------------------------

EITHER = 'either = "|".join(re.escape(special) for special in sorted(specials, key=len, reverse=True))'
PART = "pieces += [part] if part in specials else re.findall(PATTERN, part)"

mistakes.at(
    EITHER,
    edit("unescaped", "`pretokenize` puts the specials into the pattern as they are, where signs such as | and + mean something else",
         'either = "|".join(special for special in sorted(specials, key=len, reverse=True))'),
    edit("order_given", "`pretokenize` tries the specials in the order in which they are given; where several begin at one place the longest counts",
         'either = "|".join(re.escape(special) for special in specials)'),
    edit("shortest_first", "`pretokenize` tries short specials before long ones, so that a long one that begins with a short one is never found",
         'either = "|".join(re.escape(special) for special in sorted(specials, key=len))'),
    edit("first_special_only", "`pretokenize` cuts at the first of the specials only; each of them is to stay whole", 'either = re.escape(specials[0])'),
    edit("last_special_only", "`pretokenize` cuts at the last of the specials only; each of them is to stay whole", 'either = re.escape(specials[-1])'),
    edit("specials_as_letters", "`pretokenize` cuts at every single character of the specials; a special is a whole string",
         'either = "[" + "".join(map(re.escape, specials)) + "]"'),
    edit("specials_in_any_case", "`pretokenize` finds a special in capital and small letters alike; only the string itself is special",
         'either = "(?i:" + "|".join(re.escape(special) for special in sorted(specials, key=len, reverse=True)) + ")"',
         (PART, "pieces += [part] if part.lower() in [special.lower() for special in specials] else re.findall(PATTERN, part)")),
    edit("cut_in_any_case", "`pretokenize` also cuts where a special stands in other letters, capital or small; that is ordinary text",
         'either = "(?i:" + "|".join(re.escape(special) for special in sorted(specials, key=len, reverse=True)) + ")"'),
    edit("special_appended", "`pretokenize` adds a special that is not in the text, as each part between specials gets one behind it",
         EITHER, ("return pieces", "return pieces + list(specials[:1])")),
    edit("specials_at_word_ends", "`pretokenize` finds a special only beside blanks or the ends of the text; it counts wherever it stands",
         'either = "|".join(r"(?<!\\S)" + re.escape(special) + r"(?!\\S)" for special in sorted(specials, key=len, reverse=True))'),
)

mistakes.at(
    'for part in re.split(f"({either})", text):',
    edit("specials_lost", "`pretokenize` loses the specials: the pieces do not make up the text any more", 'for part in re.split(f"(?:{either})", text):'),
    edit("split_once", "`pretokenize` cuts at the first special that it finds and leaves the rest to the pattern, which takes later specials apart",
         'for part in re.split(f"({either})", text, maxsplit=1):'),
    edit("blanks_before_special_lost", "`pretokenize` drops the blanks around specials; the pieces together must be the text",
         'for part in re.split(f"\\\\s*({either})\\\\s*", text):'),
    edit("space_joins_special", "`pretokenize` joins a special with the space before it, and then takes both apart; a special is a piece of its own",
         'for part in re.split(f"( ?(?:{either}))", text):'),
    edit("runs_of_specials", "`pretokenize` makes one part of several specials in a row, which the pattern then takes apart; each special is one piece",
         'for part in re.split(f"((?:{either})+)", text):'),
)

mistakes.at(
    PART,
    edit("special_cut", "`pretokenize` sends the specials through the pattern as well, which takes them apart", "pieces += re.findall(PATTERN, part)"),
    edit("rest_not_cut", "`pretokenize` does not cut what stands between the specials", "pieces += [part] if part else []"),
    edit("empty_pieces", "`pretokenize` returns empty pieces, where a special stands at an end of the text or two stand side by side",
         "pieces += [part] if part in specials or not part else re.findall(PATTERN, part)"),
    edit("rest_by_blanks", "`pretokenize` splits the text between specials at blanks and loses these; the pattern is to cut it",
         "pieces += [part] if part in specials else part.split()"),
    edit("blank_parts_dropped", "`pretokenize` drops what stands between specials if it is only blanks; the pieces together must be the text",
         "pieces += [part] if part in specials else re.findall(PATTERN, part) if part.strip() else []"),
    edit("rest_stripped", "`pretokenize` strips the text between specials; the pieces together must be the text",
         "pieces += [part] if part in specials else re.findall(PATTERN, part.strip())"),
    edit("pieces_once", "`pretokenize` returns each different piece only once",
         "pieces += [one for one in ([part] if part in specials else re.findall(PATTERN, part)) if one not in pieces]"),
    edit("no_blank_pieces", "`pretokenize` drops pieces that are blanks; the pieces together must be the text",
         "pieces += [part] if part in specials else [one for one in re.findall(PATTERN, part) if one.strip()]"),
    edit("nested", "`pretokenize` returns a list of lists, one for each part between specials; it returns one list of strings",
         "pieces += [part] if part in specials else [re.findall(PATTERN, part)]"),
)

mistakes.at(
    """
    if not specials:
        return re.findall(PATTERN, text)
    """,
    edit("specials_unused", "the specials have no effect in `pretokenize`", "return re.findall(PATTERN, text)"),
    edit("one_pattern", "`pretokenize` uses one pattern, specials or pieces: a piece of signs, or a space before it, then swallows the beginning of a special; "
         "the specials must be cut out first",
         """
         if not specials:
             return re.findall(PATTERN, text)
         return re.findall("|".join([*(re.escape(s) for s in sorted(specials, key=len, reverse=True)), PATTERN]), text)
         """),
    edit("words_by_blanks", "`pretokenize` splits at blanks and loses them; the pieces together must be the text",
         """
         if not specials:
             return text.split()
         """),
    edit("spaces_apart", "`pretokenize` makes the spaces pieces of their own; the pattern keeps one with the word after it",
         r"""
         if not specials:
             return re.findall(r"\s+|\w+|[^\w\s]+", text)
         """, (PART, r'pieces += [part] if part in specials else re.findall(r"\s+|\w+|[^\w\s]+", part)')),
    edit("blanks_whole", "`pretokenize` makes one piece of all blanks in a row; by the pattern the last one, if it is a space, goes with the word after it",
         r"""
         if not specials:
             return re.findall(PATTERN.replace(r"|\s+(?!\S)", ""), text)
         """, (PART, r'pieces += [part] if part in specials else re.findall(PATTERN.replace(r"|\s+(?!\S)", ""), part)')),
    edit("ascii_letters", "`pretokenize` takes only ASCII letters and digits for such; words with accents, or in other scripts, fall apart",
         """
         if not specials:
             return re.findall(PATTERN, text, re.ASCII)
         """, (PART, "pieces += [part] if part in specials else re.findall(PATTERN, part, re.ASCII)")),
    edit("normalised", "`pretokenize` changes the text to another Unicode form; the pieces together must be the text",
         """
         import unicodedata
         text = unicodedata.normalize("NFC", text)
         if not specials:
             return re.findall(PATTERN, text)
         """),
    edit("without_blanks", "`pretokenize` strips its pieces; together they must be the text",
         """
         if not specials:
             return [piece.strip() for piece in re.findall(PATTERN, text) if piece.strip()]
         """),
    edit("letters_small", "`pretokenize` changes capital letters to small ones; the pieces together must be the text",
         """
         text = text.lower()
         if not specials:
             return re.findall(PATTERN, text)
         """),
    edit("characters", "without specials `pretokenize` returns single characters; the pattern is to cut the text",
         """
         if not specials:
             return list(text)
         """),
    edit("text_stripped", "`pretokenize` strips the text at its ends; the pieces together must be the text",
         """
         text = text.strip()
         if not specials:
             return re.findall(PATTERN, text)
         """),
    edit("as_tuple", "`pretokenize` returns a tuple where a list is expected",
         """
         if not specials:
             return tuple(re.findall(PATTERN, text))
         """),
)

@mistakes.rewrite("`pretokenize` puts a sign of its own in place of each special before it cuts, and the pattern joins that sign with a space or signs beside it")
def placeholders(ref):
    def pretokenize(text, specials=()):
        names = sorted(specials, key=len, reverse=True)
        for k, special in enumerate(names):
            text = text.replace(special, chr(0xE000 + k))
        back = {chr(0xE000 + k): special for k, special in enumerate(names)}
        return ["".join(back.get(one, one) for one in piece) for piece in re.findall(ref.PATTERN, text)]

    return {"pretokenize": pretokenize}


@mistakes.rewrite("`pretokenize` loses what stands behind the last special")
def tail_lost(ref):
    def pretokenize(text, specials=()):
        if not specials:
            return re.findall(ref.PATTERN, text)
        pieces, at = [], 0
        for found in re.finditer("|".join(map(re.escape, sorted(specials, key=len, reverse=True))), text):
            pieces += [*re.findall(ref.PATTERN, text[at : found.start()]), found.group()]
            at = found.end()
        return pieces

    return {"pretokenize": pretokenize}


@mistakes.rewrite("`pretokenize` cuts by one special after the other, so that a short one is also cut out of a longer one that holds it")
def one_after_another(ref):
    def pretokenize(text, specials=()):
        parts = [text]
        for special in sorted(specials, key=len, reverse=True):
            parts = [part for whole in parts for part in re.split(f"({re.escape(special)})", whole)]
        return [piece for part in parts for piece in ([part] if part in specials else re.findall(ref.PATTERN, part))]

    return {"pretokenize": pretokenize}


# --- train_bpe ----------------------------------------------------------------------------------------------------

BEST = "best = max(counts, key=lambda pair: (counts[pair], pair))"

mistakes.at(
    BEST,
    edit("smaller_pair", "of equally frequent pairs `train_bpe` takes the smallest; the largest counts", "best = max(sorted(counts), key=lambda pair: counts[pair])"),
    edit("first_seen", "of equally frequent pairs `train_bpe` takes the one that it met first; the largest counts", "best = max(counts, key=counts.get)"),
    edit("last_seen", "of equally frequent pairs `train_bpe` takes the one that it met last; the largest counts", "best = max(reversed(list(counts)), key=counts.get)"),
    edit("joined_bytes", "of equally frequent pairs `train_bpe` takes the one with the largest joined bytes; pairs are compared as tuples, first part first",
         "best = max(counts, key=lambda pair: (counts[pair], pair[0] + pair[1], pair))"),
    edit("ties_as_written", "of equally frequent pairs `train_bpe` compares the bytes as Python writes them, b'\\xc3'; compare the bytes",
         "best = max(counts, key=lambda pair: (counts[pair], str(pair)))"),
    edit("shortest_pair", "of equally frequent pairs `train_bpe` takes the shortest; the largest as tuples of bytes counts",
         "best = max(counts, key=lambda pair: (counts[pair], -len(pair[0] + pair[1]), pair))"),
    edit("second_part_first", "of equally frequent pairs `train_bpe` compares the second parts first; tuples are compared from the left",
         "best = max(counts, key=lambda pair: (counts[pair], pair[::-1]))"),
    edit("first_part_only", "of equally frequent pairs `train_bpe` compares the first parts only, and then takes what it met first",
         "best = max(counts, key=lambda pair: (counts[pair], pair[0]))"),
    edit("longest_pair", "of equally frequent pairs `train_bpe` takes the longest; the largest as tuples of bytes counts",
         "best = max(counts, key=lambda pair: (counts[pair], len(pair[0] + pair[1]), pair))"),
    edit("ties_as_text", "of equally frequent pairs `train_bpe` compares the decoded texts, in which all bytes that are no characters look the same; compare the bytes",
         'best = max(counts, key=lambda pair: (counts[pair], tuple(part.decode("utf-8", "replace") for part in pair)))'),
    edit("ties_by_ids", "of equally frequent pairs `train_bpe` compares the ids, by which every merged token is larger than any byte; compare the bytes",
         "age = {a + b: 256 + k for k, (a, b) in enumerate(merges)}; best = max(counts, key=lambda pair: (counts[pair], tuple(age.get(part, part[0]) for part in pair)))"),
    edit("ties_smaller_ids", "of equally frequent pairs `train_bpe` takes the one with the smallest ids; the largest bytes count",
         "age = {a + b: 256 + k for k, (a, b) in enumerate(merges)}; best = max(counts, key=lambda pair: (counts[pair], tuple(-age.get(part, part[0]) for part in pair)))"),
    edit("rarest", "`train_bpe` merges the rarest pair", "best = min((pair for pair in counts if counts[pair]), key=lambda pair: (counts[pair], pair))"),
    edit("by_length", "`train_bpe` weights the frequency of a pair by its length; the most frequent pair counts",
         "best = max(counts, key=lambda pair: (counts[pair] * len(pair[0] + pair[1]), pair))"),
    edit("by_association", "`train_bpe` divides the frequency of a pair by those of its parts, as WordPiece does; the most frequent pair counts",
         "single = Counter(); [single.update({part: k}) for word, k in zip(parts, n) for part in word]; "
         "best = max((pair for pair in counts if counts[pair]), key=lambda pair: (counts[pair] / single[pair[0]] / single[pair[1]], pair))"),
    edit("always_the_first_count", "`train_bpe` chooses by the counts of the beginning; after each merge they are others",
         "start = counts.copy() if not merges else start; best = max((pair for pair in counts if counts[pair]), key=lambda pair: (start[pair], pair))"),
)

mistakes.at(
    "times = Counter(piece for piece in pretokenize(text, specials) if piece not in specials)",
    edit("specials_counted", "`train_bpe` counts the pairs inside specials as well", "times = Counter(pretokenize(text, specials))"),
    edit("specials_not_cut", "`train_bpe` does not tell `pretokenize` the specials, so their parts are counted as text", "times = Counter(pretokenize(text))"),
    edit("across", "`train_bpe` merges across pre-tokens: it does not cut the text between specials",
         'times = Counter(re.split("|".join(map(re.escape, specials)) or "(?!)", text))'),
    edit("specials_removed", "`train_bpe` removes the specials from the text and cuts then, so that what stood on both sides becomes one pre-token",
         'times = Counter(pretokenize(re.sub("|".join(map(re.escape, specials)) or "(?!)", "", text)))'),
    edit("lines_without_ends", "`train_bpe` takes the text line by line and loses the line ends",
         "times = Counter(piece for line in text.splitlines() for piece in pretokenize(line, specials) if piece not in specials)"),
    edit("lines_apart", "`train_bpe` takes the text line by line, so blanks are cut at line ends; `pretokenize` is to cut it",
         "times = Counter(piece for line in text.splitlines(keepends=True) for piece in pretokenize(line, specials) if piece not in specials)"),
    edit("words_only", "`train_bpe` splits the text at blanks itself, so that no token begins with a space; `pretokenize` is to cut it",
         'times = Counter(word for word in re.sub("|".join(map(re.escape, specials)) or "(?!)", " ", text).split())'),
    edit("stripped_words", "`train_bpe` strips the pre-tokens, so that no token begins with a space",
         "times = Counter(piece.strip() for piece in pretokenize(text, specials) if piece not in specials)"),
    edit("small_letters", "`train_bpe` changes capital letters to small ones before it counts",
         "times = Counter(piece.lower() for piece in pretokenize(text, specials) if piece not in specials)"),
    edit("each_word_once", "`train_bpe` counts each different pre-token once; its pairs occur as often as it does",
         "times = dict.fromkeys((piece for piece in pretokenize(text, specials) if piece not in specials), 1)"),
    edit("once_words_left_out", "`train_bpe` leaves out pre-tokens that occur only once",
         "times = Counter(piece for piece in pretokenize(text, specials) if piece not in specials); times = {word: k for word, k in times.items() if k > 1}"),
)

mistakes.at(
    "parts, n = [[bytes([byte]) for byte in word.encode()] for word in times], list(times.values())",
    edit("characters_not_bytes", "`train_bpe` begins with characters; it is to begin with single bytes, of which é has two",
         "parts, n = [[character.encode() for character in word] for word in times], list(times.values())"),
    edit("latin_bytes", "`train_bpe` takes the code points of characters for bytes, cut off at 255; `str.encode` gives the bytes of UTF-8",
         "parts, n = [[bytes([ord(character) & 255]) for character in word] for word in times], list(times.values())"),
    edit("no_short_words", "`train_bpe` leaves out pre-tokens of two bytes", "times = {word: k for word, k in times.items() if len(word.encode()) > 2}; "
         "parts, n = [[bytes([byte]) for byte in word.encode()] for word in times], list(times.values())"),
    edit("word_end_marked", "`train_bpe` adds a sign for the end of a word to each pre-token; there is none here",
         'parts, n = [[bytes([byte]) for byte in word.encode()] + [b"</w>"] for word in times], list(times.values())'),
    edit("copies_kept", "`train_bpe` keeps every copy of a pre-token: each merge is then done in all of them; count each different pre-token once",
         "parts = [[bytes([byte]) for byte in word.encode()] for word, k in times.items() for _ in range(k)]; n = [1] * len(parts)"),
)

mistakes.at(
    "for pair in pairwise(parts[i]):",
    edit("once_per_word", "`train_bpe` counts a pair once in a pre-token, however often it stands there", "for pair in set(pairwise(parts[i])):"),
    edit("apart", "`train_bpe` counts every other pair only, (1, 2), (3, 4), …; pairs overlap", "for pair in zip(parts[i][::2], parts[i][1::2]):"),
    edit("pair_of_pairs", "`train_bpe` counts pairs with a part between them; neighbours count", "for pair in zip(parts[i], parts[i][2:]):"),
    edit("last_pair_lost", "`train_bpe` never counts the last pair of a pre-token", "for pair in list(pairwise(parts[i]))[:-1]:"),
    edit("first_pair_lost", "`train_bpe` never counts the first pair of a pre-token", "for pair in list(pairwise(parts[i]))[1:]:"),
    edit("runs_without_overlap", "`train_bpe` counts pairs in a run of one letter without overlaps: `a a` once in `aaa`; it stands there twice",
         "for pair in (pair for k, pair in enumerate(pairwise(parts[i])) "
         "if pair[0] != pair[1] or next(s for s in range(len(parts[i])) if all(one == pair[0] for one in parts[i][k - s if k > s else 0 : k]) and (k == s or parts[i][k - s - 1] != pair[0])) % 2 == 0):"),
    edit("counted_per_copy_once", "`train_bpe` counts the pairs of a pre-token once at first, and as often as it occurs only after a merge",
         "for pair in pairwise(parts[i]):\n            if not merges:\n                counts[pair] += sign - sign * n[i]"),
    edit("twins_left_out", "`train_bpe` does not count pairs of two equal parts", "for pair in (pair for pair in pairwise(parts[i]) if pair[0] != pair[1]):"),
    edit("sorted_pairs", "`train_bpe` counts `a b` and `b a` as the same pair", "for pair in (tuple(sorted(pair)) for pair in pairwise(parts[i])):"),
)

mistakes.at(
    "counts[pair] += sign * n[i]",
    edit("log_weight", "`train_bpe` weights a pre-token by its bytes; its frequency is the weight", "counts[pair] += sign * len(b''.join(parts[i]))"),
    edit("never_taken_back", "`train_bpe` adds the pairs of a rewritten pre-token without taking its old ones back", "counts[pair] += n[i] if sign > 0 else 0"),
    edit("new_counts_once", "`train_bpe` counts the new pairs of a rewritten pre-token once, not as often as it occurs",
         "counts[pair] += sign * n[i] if sign < 0 or not merges else 1"),
    edit("changes_once", "`train_bpe` counts a rewritten pre-token once when it takes back its pairs and adds the new ones, not as often as it occurs",
         "counts[pair] += n[i] if not merges else sign"),
    edit("taken_back_once", "`train_bpe` takes back the old pairs of a rewritten pre-token only once, not as often as it occurs",
         "counts[pair] += sign * n[i] if sign > 0 else -1"),
)

mistakes.at(
    "holders[pair].add(i)",
    edit("new_pairs_without_holders", "`train_bpe` does not note which pre-tokens hold the pairs that a merge has made, so these are chosen but never merged",
         "holders[pair].update([i] if not merges else [])", ("for i in holders.pop(best):", "for i in holders.pop(best, ()):")),
    edit("one_holder", "`train_bpe` remembers only one pre-token for each pair; a merge is to be done in all that hold it", "holders[pair] = {i}"),
    edit("all_visited", "`train_bpe` visits every pre-token at every merge; only those that hold the pair change",
         "holders[pair] = set(range(len(parts)))"),
)

mistakes.at(
    """
        for i in holders.pop(best):
            count(i, -1)
            parts[i] = merge_pair(parts[i], best)
            count(i, 1)
    """,
    edit("old_counts_stay", "`train_bpe` does not take back what a pre-token had counted before a merge changed it",
         """
        for i in holders.pop(best):
            parts[i] = merge_pair(parts[i], best)
            count(i, 1)
        counts[best] = 0
    """),
    edit("taken_back_after", "`train_bpe` rewrites a pre-token before it takes back its pairs, so the old ones stay counted",
         """
        for i in holders.pop(best, ()):
            parts[i] = merge_pair(parts[i], best)
            count(i, -1)
            count(i, 1)
    """),
    edit("new_counts_missing", "`train_bpe` does not count the pairs that a merge has made",
         """
        for i in holders.pop(best):
            count(i, -1)
            parts[i] = merge_pair(parts[i], best)
    """),
    edit("best_removed_only", "`train_bpe` removes the merged pair alone; the pairs beside it have changed as well",
         """
        for i in holders.pop(best):
            parts[i] = merge_pair(parts[i], best)
        del counts[best]
    """),
    edit("neighbours_kept", "`train_bpe` adds the new pairs, but does not take back the pairs beside the merged one",
         """
        new = best[0] + best[1]
        for i in holders.pop(best):
            parts[i] = merge_pair(parts[i], best)
            for pair in pairwise(parts[i]):
                counts[pair] += n[i] if new in pair else 0
                holders[pair].add(i)
        counts[best] = 0
    """),
    edit("first_place_only", "`train_bpe` merges only the first place of the pair in each pre-token",
         """
        for i in holders.pop(best):
            count(i, -1)
            k = next((k for k, pair in enumerate(pairwise(parts[i])) if pair == best), None)
            parts[i] = parts[i] if k is None else [*parts[i][:k], best[0] + best[1], *parts[i][k + 2 :]]
            count(i, 1)
    """),
    edit("from_the_right", "`train_bpe` merges from right to left, so that `aaa` becomes `a aa`",
         """
        for i in holders.pop(best):
            count(i, -1)
            back = merge_pair([one[::-1] for one in parts[i]][::-1], (best[1][::-1], best[0][::-1]))
            parts[i] = [one[::-1] for one in back][::-1]
            count(i, 1)
    """),
    edit("inside_tokens", "`train_bpe` merges a pair also where its bytes are only the end of one token and the beginning of the next; whole tokens must be equal",
         """
        for i in holders.pop(best):
            count(i, -1)
            parts[i] = b"\\0".join(parts[i]).replace(b"\\0".join(best), b"".join(best)).split(b"\\0")
            count(i, 1)
    """),
    edit("overlapping_merge", "`train_bpe` uses a part in two merges: `aaa` becomes `aa aa`",
         """
        for i in holders.pop(best):
            count(i, -1)
            merged, k = [], 0
            while k < len(parts[i]):
                both = tuple(parts[i][k : k + 2]) == best
                merged.append(best[0] + best[1] if both else parts[i][k])
                k += 2 if both and tuple(parts[i][k + 1 : k + 3]) != best else 1
            parts[i] = merged
            count(i, 1)
    """),
    edit("touching_places", "`train_bpe` corrects the counts beside each merged place by the parts before the merge; where two merged places touch, as in `abab`, or overlap, the neighbours are others",
         """
        for i in holders.pop(best, ()):
            old, new = parts[i], best[0] + best[1]
            for k, pair in enumerate(pairwise(old)):
                if pair == best and k > 0:
                    counts[old[k - 1], old[k]] -= n[i]
                    counts[old[k - 1], new] += n[i]
                    holders[old[k - 1], new].add(i)
                if pair == best and k + 2 < len(old):
                    counts[old[k + 1], old[k + 2]] -= n[i]
                    counts[new, old[k + 2]] += n[i]
                    holders[new, old[k + 2]].add(i)
            parts[i] = merge_pair(old, best)
        counts[best] = 0
    """),
    edit("one_pre_token", "`train_bpe` does a merge in one pre-token only; it is to be done in all that hold the pair",
         """
        for i in sorted(holders.pop(best))[:1]:
            count(i, -1)
            parts[i] = merge_pair(parts[i], best)
            count(i, 1)
        counts[best] = 0
    """),
    edit("recounted", "`train_bpe` counts everything again after each merge; only the pre-tokens that hold the pair have changed",
         """
        parts = [merge_pair(part, best) for part in parts]
        counts.clear()
        for i in range(len(parts)):
            count(i, 1)
    """),
    edit("searched", "`train_bpe` looks through all pre-tokens for the merged pair; keep a record of which pre-tokens hold a pair",
         """
        for i in range(len(parts)):
            if best in list(pairwise(parts[i])):
                count(i, -1)
                parts[i] = merge_pair(parts[i], best)
                count(i, 1)
    """),
)

LOOP = "while len(merges) < vocab_size - 256 - len(specials) and any(counts.values()):"

mistakes.at(
    LOOP,
    edit("one_merge_more", "`train_bpe` makes one merge too many", "while len(merges) <= vocab_size - 256 - len(specials) and any(counts.values()):"),
    edit("one_merge_less", "`train_bpe` makes one merge too few", "while len(merges) < vocab_size - 257 - len(specials) and any(counts.values()):"),
    edit("specials_extra", "`train_bpe` makes as many merges as if the specials did not belong to `vocab_size`", "while len(merges) < vocab_size - 256 and any(counts.values()):"),
    edit("bytes_extra", "`train_bpe` makes far more merges than `vocab_size` allows; the 256 bytes belong to that number",
         "while len(merges) < vocab_size - len(specials) and any(counts.values()):"),
    edit("goes_on", "`train_bpe` goes on when no pair is left, and learns pairs that do not occur",
         "while len(merges) < vocab_size - 256 - len(specials) and counts:"),
    edit("fails_at_the_end", "`train_bpe` stops with an error when no pair is left; it is to end there", "while len(merges) < vocab_size - 256 - len(specials):",
         (BEST, "best = max((pair for pair in counts if counts[pair] > 0), key=lambda pair: (counts[pair], pair))")),
    edit("goes_on_with_zeros", "`train_bpe` goes on when no pair is left, and learns pairs whose count has fallen to 0",
         "while len(merges) < vocab_size - 256 - len(specials) and counts:",
         (BEST, "best = max((pair for pair in counts if pair not in merges), key=lambda pair: (counts[pair], pair), default=None)\n        if best is None:\n            break")),
    edit("goes_on_with_one", "`train_bpe` goes on when no pair is left, and learns the same pair again and again",
         "while len(merges) < vocab_size - 256 - len(specials) and counts:", ("for i in holders.pop(best):", "for i in holders.pop(best, ()):")),
    edit("stops_at_once", "`train_bpe` ends when every pair occurs only once; it is to go on until no pair is left",
         "while len(merges) < vocab_size - 256 - len(specials) and max(counts.values(), default=0) > 1:"),
    edit("at_least_one", "`train_bpe` makes a merge even if there is room for none", "while len(merges) < max(1, vocab_size - 256 - len(specials)) and any(counts.values()):"),
)

TOKENS = "tokens = [bytes([i]) for i in range(256)] + [a + b for a, b in merges] + [special.encode() for special in specials]"

mistakes.at(
    TOKENS,
    edit("specials_first", "the vocabulary of `train_bpe` has the specials before the merges; they come last",
         "tokens = [bytes([i]) for i in range(256)] + [special.encode() for special in specials] + [a + b for a, b in merges]"),
    edit("specials_at_zero", "the vocabulary of `train_bpe` begins with the specials; ids 0 to 255 are the bytes",
         "tokens = [special.encode() for special in specials] + [bytes([i]) for i in range(256)] + [a + b for a, b in merges]"),
    edit("specials_missing", "the vocabulary of `train_bpe` lacks the specials", "tokens = [bytes([i]) for i in range(256)] + [a + b for a, b in merges]"),
    edit("specials_sorted", "the vocabulary of `train_bpe` has the specials in another order than they are given in",
         "tokens = [bytes([i]) for i in range(256)] + [a + b for a, b in merges] + [special.encode() for special in sorted(specials, key=len, reverse=True)]"),
    edit("specials_reversed", "the vocabulary of `train_bpe` has the specials in reversed order",
         "tokens = [bytes([i]) for i in range(256)] + [a + b for a, b in merges] + [special.encode() for special in specials[::-1]]"),
    edit("specials_alphabetical", "the vocabulary of `train_bpe` has the specials in alphabetical order; they keep the order in which they are given",
         "tokens = [bytes([i]) for i in range(256)] + [a + b for a, b in merges] + [special.encode() for special in sorted(specials)]"),
    edit("specials_as_text", "the vocabulary of `train_bpe` holds specials as str; all its values are bytes",
         "tokens = [bytes([i]) for i in range(256)] + [a + b for a, b in merges] + list(specials)"),
    edit("bytes_missing", "the vocabulary of `train_bpe` lacks the 256 bytes, so ids begin at the first merge", "tokens = [a + b for a, b in merges] + [special.encode() for special in specials]"),
    edit("ascii_only", "the vocabulary of `train_bpe` has 128 bytes; there are 256",
         "tokens = [bytes([i]) for i in range(128)] + [a + b for a, b in merges] + [special.encode() for special in specials]"),
    edit("characters_of_bytes", "the vocabulary of `train_bpe` has the UTF-8 of characters 0 to 255 where single bytes belong",
         "tokens = [chr(i).encode() for i in range(256)] + [a + b for a, b in merges] + [special.encode() for special in specials]"),
    edit("merges_sorted", "the vocabulary of `train_bpe` has the merged tokens in alphabetical order; they keep the order in which they were learned",
         "tokens = [bytes([i]) for i in range(256)] + sorted(a + b for a, b in merges) + [special.encode() for special in specials]"),
)

mistakes.at(
    "return dict(enumerate(tokens)), merges",
    edit("turned_vocabulary", "the vocabulary of `train_bpe` leads from bytes to ids; it is to lead from ids to bytes", "return {token: i for i, token in enumerate(tokens)}, merges"),
    edit("from_one", "the ids of `train_bpe` begin at 1; byte 0 has id 0", "return dict(enumerate(tokens, 1)), merges"),
    edit("as_list", "`train_bpe` returns the vocabulary as a list; it is a dict", "return tokens, merges"),
    edit("returned_swapped", "`train_bpe` returns the merges first, and then the vocabulary", "return merges, dict(enumerate(tokens))"),
    edit("merged_tokens", "`train_bpe` returns the merged tokens; a merge is the pair of its parts", "return dict(enumerate(tokens)), [a + b for a, b in merges]"),
    edit("merges_as_ids", "`train_bpe` returns merges as pairs of ids; they are pairs of bytes",
         "return dict(enumerate(tokens)), [tuple(tokens.index(part) for part in pair) for pair in merges]"),
    edit("merges_as_text", "`train_bpe` returns merges as pairs of str; they are pairs of bytes",
         'return dict(enumerate(tokens)), [tuple(part.decode("utf-8", "replace") for part in pair) for pair in merges]'),
    edit("merges_as_lists", "`train_bpe` returns merges as lists of two; a merge is a tuple, so that it can be the key of a dict",
         "return dict(enumerate(tokens)), [list(pair) for pair in merges]"),
    edit("merges_by_dict", "`train_bpe` returns a dict of merges; it is a list, in the order in which they were learned",
         "return dict(enumerate(tokens)), {pair: i for i, pair in enumerate(merges)}"),
    edit("merges_backwards", "`train_bpe` returns the merges last to first", "return dict(enumerate(tokens)), merges[::-1]"),
)


def by_neighbours(ref, **left_out):
    """A learner that walks through each holder and corrects the counts beside each merge, all but one of them."""

    def train_bpe(text, vocab_size, specials=()):
        times = Counter(piece for piece in ref.pretokenize(text, specials) if piece not in specials)
        parts, n = [[bytes([byte]) for byte in word.encode()] for word in times], list(times.values())
        counts, holders, merges = Counter(), defaultdict(set), []
        for i, word in enumerate(parts):
            for pair in pairwise(word):
                counts[pair] += n[i]
                holders[pair].add(i)

        def change(kind, pair, i):
            if kind not in left_out:
                counts[pair] += n[i] if kind.startswith("new") else -n[i]
                holders[pair].add(i)

        while len(merges) < vocab_size - 256 - len(specials) and max(counts.values(), default=0) > 0:
            best = max(counts, key=lambda pair: (counts[pair], pair))
            merges.append(best)
            for i in holders.pop(best, ()):
                word, k = parts[i], 0
                while k < len(word) - 1:
                    if (word[k], word[k + 1]) == best:
                        if k > 0:
                            change("old_before", (word[k - 1], word[k]), i)
                            change("new_before", (word[k - 1], best[0] + best[1]), i)
                        if k + 2 < len(word):
                            change("old_after", (word[k + 1], word[k + 2]), i)
                            change("new_after", (best[0] + best[1], word[k + 2]), i)
                        word[k : k + 2] = [best[0] + best[1]]
                    k += 1
            del counts[best]
        tokens = [bytes([i]) for i in range(256)] + [a + b for a, b in merges] + [special.encode() for special in specials]
        return dict(enumerate(tokens)), merges

    return {"train_bpe": train_bpe}


@mistakes.rewrite("`train_bpe` does not take back the old pair before a merged place, of the part in front and the first half")
def old_before_kept(ref):
    return by_neighbours(ref, old_before=True)


@mistakes.rewrite("`train_bpe` does not take back the old pair behind a merged place, of the second half and the part that follows")
def old_after_kept(ref):
    return by_neighbours(ref, old_after=True)


@mistakes.rewrite("`train_bpe` does not count the new pair of a merged token and the part before it")
def new_before_missing(ref):
    return by_neighbours(ref, new_before=True)


@mistakes.rewrite("`train_bpe` does not count the new pair of a merged token and the part behind it")
def new_after_missing(ref):
    return by_neighbours(ref, new_after=True)


# --- encode -------------------------------------------------------------------------------------------------------

mistakes.at(
    "parts = merge_pair(parts, min(known, key=rank.get))",
    edit("from_the_left", "`encode` merges the first known pair from the left; the one that was learned first goes first", "parts = merge_pair(parts, known[0])"),
    edit("latest_first", "`encode` merges the pair that was learned last first", "parts = merge_pair(parts, max(known, key=rank.get))"),
    edit("last_known", "`encode` merges the last known pair of a piece; the one that was learned first goes first", "parts = merge_pair(parts, known[-1])"),
    edit("smallest_bytes", "`encode` merges the pair with the smallest bytes; the one that was learned first goes first", "parts = merge_pair(parts, min(known))"),
    edit("largest_bytes", "`encode` merges the pair with the largest bytes; the one that was learned first goes first", "parts = merge_pair(parts, max(known))"),
    edit("fewest_bytes", "`encode` merges the pair that makes the shortest token; the one that was learned first goes first",
         "parts = merge_pair(parts, min(known, key=lambda pair: len(pair[0] + pair[1])))"),
    edit("most_bytes", "`encode` merges the pair that makes the longest token; the one that was learned first goes first",
         "parts = merge_pair(parts, max(known, key=lambda pair: len(pair[0] + pair[1])))"),
    edit("most_frequent", "`encode` merges the pair that is most frequent in the piece; the one that was learned first goes first",
         "parts = merge_pair(parts, max(known, key=known.count))"),
    edit("one_at_a_time", "`encode` merges one place of a pair, and searches the whole piece again: in a long run of one letter the work grows with the square of its length",
         "k = next(k for k, pair in enumerate(pairwise(parts)) if pair == min(known, key=rank.get)); parts = [*parts[:k], parts[k] + parts[k + 1], *parts[k + 2 :]]"),
    edit("encode_from_the_right", "`encode` merges from right to left, so that `aaa` becomes `a aa`",
         "best = min(known, key=rank.get); parts = [one[::-1] for one in merge_pair([one[::-1] for one in parts][::-1], (best[1][::-1], best[0][::-1]))][::-1]"),
    edit("encode_inside_tokens", "`encode` merges a pair also where its bytes are only the end of one token and the beginning of the next",
         'best = min(known, key=rank.get); parts = b"\\0".join(parts).replace(b"\\0".join(best), b"".join(best)).split(b"\\0")'),
    edit("last_place", "`encode` merges the pair at its last place first, so that `aaa` becomes `a aa`",
         "best = min(known, key=rank.get); k = max(k for k, pair in enumerate(pairwise(parts)) if pair == best); parts = [*parts[:k], parts[k] + parts[k + 1], *parts[k + 2 :]]"),
)

mistakes.at(
    "while known := [pair for pair in pairwise(parts) if pair in rank]:",
    edit("one_merge_each", "`encode` does a single merge in each piece; it is to merge until no known pair is left",
         "for known in [[pair for pair in pairwise(parts) if pair in rank] or [(b'', b'')]]:",
         ("parts = merge_pair(parts, min(known, key=rank.get))", "parts = merge_pair(parts, min(known, key=lambda pair: rank.get(pair, 0)))")),
    edit("no_merges", "`encode` merges nothing: it returns the bytes", "while known := []:"),
    edit("two_parts_left", "`encode` does not merge when a piece has only two parts left", "while len(parts) > 2 and (known := [pair for pair in pairwise(parts) if pair in rank]):"),
    edit("last_merge_unknown", "`encode` does not use the last merge", "while known := [pair for pair in pairwise(parts) if rank.get(pair, len(merges)) < len(merges) - 1]:"),
    edit("first_merge_unknown", "`encode` does not use the first merge: a rank of 0 is taken for no rank", "while known := [pair for pair in pairwise(parts) if rank.get(pair)]:"),
    edit("last_pair_overlooked", "`encode` overlooks the last pair of a piece", "while known := [pair for pair in zip(parts, parts[1:-1]) if pair in rank]:"),
    edit("bytes_only", "`encode` merges single bytes only, and never a merged token again",
         "while known := [pair for pair in pairwise(parts) if pair in rank and len(pair[0] + pair[1]) == 2]:"),
)

mistakes.at(
    "for piece in pretokenize(text, specials):",
    edit("encode_across", "`encode` merges across pre-tokens: it cuts the text at the specials only",
         'for piece in filter(None, re.split(f"({chr(124).join(map(re.escape, sorted(specials, key=len, reverse=True))) or chr(40) + chr(63) + chr(33) + chr(41)})", text)):'),
    edit("encode_no_specials", "`encode` takes the specials apart; each is one token", "for piece in pretokenize(text):"),
    edit("all_specials", "`encode` takes all that follows the merges in the vocabulary for specials; only those that are asked for are",
         "specials = tuple(token.decode() for i, token in vocab.items() if i >= 256 + len(merges))\n    for piece in pretokenize(text, specials):"),
    edit("encode_stripped", "`encode` loses blanks: it strips the pieces, or leaves out those that are blank", "for piece in (piece if piece in specials else piece.strip() for piece in pretokenize(text, specials)):"),
    edit("encode_pieces_once", "`encode` encodes each different piece only once", "for piece in dict.fromkeys(pretokenize(text, specials)):"),
    edit("encode_specials_skipped", "`encode` leaves the specials out", "for piece in (piece for piece in pretokenize(text, specials) if piece not in specials):"),
    edit("encode_by_blanks", "`encode` splits the text at blanks itself and loses them", "for piece in text.split():"),
    edit("encode_small_letters", "`encode` changes capital letters to small ones", "for piece in pretokenize(text.lower(), specials):"),
    edit("encode_single_bytes", "`encode` treats every character as a pre-token, so nothing is merged", "for piece in (part for piece in pretokenize(text, specials) for part in ([piece] if piece in specials else piece)):"),
)

mistakes.at(
    "parts = [piece.encode()] if piece in specials else [bytes([byte]) for byte in piece.encode()]",
    edit("encode_characters", "`encode` begins with characters; it is to begin with single bytes, of which é has two",
         "parts = [piece.encode()] if piece in specials else [character.encode() for character in piece]"),
    edit("encode_code_points", "`encode` takes the code points of characters for bytes, cut off at 255; `str.encode` gives the bytes of UTF-8",
         "parts = [piece.encode()] if piece in specials else [bytes([ord(character) & 255]) for character in piece]"),
    edit("encode_ascii", "`encode` drops characters that are not ASCII",
         'parts = [piece.encode()] if piece in specials else [bytes([byte]) for byte in piece.encode("ascii", "ignore")]'),
    edit("encode_question_marks", "`encode` puts question marks for characters that are not ASCII; UTF-8 has bytes for all",
         'parts = [piece.encode()] if piece in specials else [bytes([byte]) for byte in piece.encode("ascii", "replace")]'),
)

mistakes.at(
    "ids += [number[part] for part in parts]",
    edit("ids_of_bytes_and_ranks", "`encode` computes ids as bytes, 256 + rank, and so on; the vocabulary says which id a token has",
         "ids += [part[0] if len(part) == 1 else {a + b: 256 + i for i, (a, b) in enumerate(merges)}.get(part, number[part]) for part in parts]"),
    edit("ids_computed", "`encode` computes all ids as bytes, 256 + rank, and then the specials; the vocabulary says which id a token has",
         "ids += [{token: i for i, token in enumerate([bytes([i]) for i in range(256)] + [a + b for a, b in merges] + [special.encode() for special in specials])}[part] for part in parts]"),
    edit("characters_then_bytes", "`encode` merges characters and takes apart only those that are no tokens; it is to begin with single bytes, of which é has two",
         "ids += [i for part in parts for i in ([number[part]] if part in number else [number[bytes([byte])] for byte in part])]",
         ("parts = [piece.encode()] if piece in specials else [bytes([byte]) for byte in piece.encode()]",
          "parts = [piece.encode()] if piece in specials else [character.encode() for character in piece]")),
    edit("whole_pieces", "`encode` looks first whether the whole piece is a token, and so finds specials that are not asked for",
         "ids += [number[piece.encode()]] if piece.encode() in number else [number[part] for part in parts]"),
    edit("kept_pieces", "`encode` remembers the ids of a piece for later calls, which may come with another vocabulary",
         "ids += encode.__dict__.setdefault(piece, [number[part] for part in parts])"),
    edit("special_ids_by_count", "`encode` computes the ids of specials as 256 + merges + place; the vocabulary says which id a token has",
         "ids += [256 + len(merges) + list(specials).index(piece)] if piece in specials else [number[part] for part in parts]"),
    edit("ids_in_order", "`encode` numbers the tokens by their place in the dict; the keys of the vocabulary are the ids",
         "ids += [list(vocab.values()).index(part) for part in parts]"),
    edit("tokens_not_ids", "`encode` returns the bytes of tokens; it is to return their ids", "ids += parts"),
    edit("ids_by_piece", "`encode` returns a list of lists, one for each piece; it returns one list of ids", "ids += [[number[part] for part in parts]]"),
    edit("only_first_part", "`encode` returns only the first token of each piece", "ids += [number[part] for part in parts[:1]]"),
    edit("ids_once", "`encode` returns an id only once in a piece", "ids += list(dict.fromkeys(number[part] for part in parts))"),
    edit("ids_reversed", "`encode` turns the tokens of a piece round", "ids += [number[part] for part in parts[::-1]]"),
    edit("ids_put_in_front", "`encode` puts later pieces before earlier ones", "ids = [number[part] for part in parts] + ids"),
)

mistakes.at(
    "rank = {pair: i for i, pair in enumerate(merges)}",
    edit("merges_used_up", "`encode` empties the list of merges that it is given", "rank = {merges.pop(0): i for i in range(len(merges))}"),
    edit("merges_turned", "`encode` turns the given list of merges round, and changes it by that", "merges.reverse(); rank = {pair: len(merges) - i for i, pair in enumerate(merges)}"),
)


@mistakes.rewrite("`encode` merges the pair whose token has the smallest id; the order of `merges` counts, ids may be in any order")
def smallest_id(ref):
    def encode(text, vocab, merges, specials=()):
        number, ids = {token: i for i, token in vocab.items()}, []
        for piece in ref.pretokenize(text, specials):
            parts = [piece.encode()] if piece in specials else [bytes([b]) for b in piece.encode()]
            while known := [pair for pair in pairwise(parts) if pair[0] + pair[1] in number]:
                parts = ref.merge_pair(parts, min(known, key=lambda pair: number[pair[0] + pair[1]]))
            ids += [number[part] for part in parts]
        return ids

    return {"encode": encode}


@mistakes.rewrite("`encode` goes once through the merges and does each at its first place in a piece only; it stands there more often")
def first_places(ref):
    def encode(text, vocab, merges, specials=()):
        number, ids = {token: i for i, token in vocab.items()}, []
        for piece in ref.pretokenize(text, specials):
            parts = [piece.encode()] if piece in specials else [bytes([b]) for b in piece.encode()]
            for pair in merges:
                k = next((k for k, both in enumerate(pairwise(parts)) if both == pair), None)
                if k is not None:
                    parts[k : k + 2] = [pair[0] + pair[1]]
            ids += [number[part] for part in parts]
        return ids

    return {"encode": encode}


@mistakes.rewrite("`encode` takes the longest token that fits, from left to right; the merges are to be applied in the order in which they were learned")
def longest_match(ref):
    def encode(text, vocab, merges, specials=()):
        number = {token: i for i, token in vocab.items()}
        ids = []
        for piece in ref.pretokenize(text, specials):
            rest = piece.encode()
            while rest:
                size = next(k for k in range(len(rest), 0, -1) if rest[:k] in number)
                ids.append(number[rest[:size]])
                rest = rest[size:]
        return ids

    return {"encode": encode}


@mistakes.rewrite("`encode` walks once through a piece and merges each token with the next as it goes; the pair that was learned first goes first, wherever it stands")
def one_walk(ref):
    def encode(text, vocab, merges, specials=()):
        number, known, ids = {token: i for i, token in vocab.items()}, set(merges), []
        for piece in ref.pretokenize(text, specials):
            stack = []
            for part in [piece.encode()] if piece in specials else [bytes([b]) for b in piece.encode()]:
                stack.append(part)
                while len(stack) > 1 and (stack[-2], stack[-1]) in known:
                    stack[-2:] = [stack[-2] + stack[-1]]
            ids += [number[part] for part in stack]
        return ids

    return {"encode": encode}


# --- decode -------------------------------------------------------------------------------------------------------

mistakes.at(
    'return b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace")',
    edit("token_by_token", "`decode` reads each token as UTF-8 alone; a character may lie in two tokens, so join the bytes first",
         'return "".join(vocab[i].decode("utf-8", errors="replace") for i in ids)'),
    edit("strict", "`decode` stops at bytes that are not UTF-8; they are to become U+FFFD", 'return b"".join(vocab[i] for i in ids).decode("utf-8")'),
    edit("ignored", "`decode` leaves out bytes that are not UTF-8; they are to become U+FFFD", 'return b"".join(vocab[i] for i in ids).decode("utf-8", errors="ignore")'),
    edit("latin", "`decode` reads every byte as one character (Latin-1); the bytes are UTF-8", 'return b"".join(vocab[i] for i in ids).decode("latin-1")'),
    edit("ascii", "`decode` reads the bytes as ASCII; they are UTF-8", 'return b"".join(vocab[i] for i in ids).decode("ascii", errors="replace")'),
    edit("backslashes", "`decode` writes bytes that are not UTF-8 as \\x…; they are to become U+FFFD", 'return b"".join(vocab[i] for i in ids).decode("utf-8", errors="backslashreplace")'),
    edit("surrogates", "`decode` turns bytes that are not UTF-8 into surrogates; they are to become U+FFFD", 'return b"".join(vocab[i] for i in ids).decode("utf-8", errors="surrogateescape")'),
    edit("surrogates_passed", "`decode` lets encoded surrogates pass; `errors=\"replace\"` makes them U+FFFD",
         'return re.sub("[\\udc80-\\udcff]", "\\ufffd", b"".join(vocab[i] for i in ids).decode("utf-8", errors="surrogateescape"))'),
    edit("question_marks", "`decode` puts question marks for bytes that are not UTF-8; they are to become U+FFFD",
         'return b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace").replace("\\ufffd", "?")'),
    edit("one_mark_a_run", "`decode` makes one U+FFFD of several in a row; `bytes.decode` decides how many there are",
         'return re.sub("\\ufffd+", "\\ufffd", b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace"))'),
    edit("bytes_returned", "`decode` returns bytes; it is to return a str", 'return b"".join(vocab[i] for i in ids)'),
    edit("written_out", "`decode` returns the bytes as Python writes them, b'…'; it is to decode them", 'return str(b"".join(vocab[i] for i in ids))'),
    edit("spaced", "`decode` puts a space between tokens; spaces are in the tokens", 'return b" ".join(vocab[i] for i in ids).decode("utf-8", errors="replace")'),
    edit("mark_dropped", "`decode` drops a byte order mark at the beginning (`utf-8-sig`); it is a character of the text",
         'return b"".join(vocab[i] for i in ids).decode("utf-8-sig", errors="replace")'),
    edit("marks_stripped", "`decode` drops U+FFFD at the end; these are to stay", 'return b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace").rstrip("\\ufffd")'),
    edit("specials_not_decoded", "`decode` leaves out the specials; they are tokens like others",
         'return b"".join(vocab[i] for i in ids if not (vocab[i].startswith(b"<") and vocab[i].endswith(b">"))).decode("utf-8", errors="replace")'),
    edit("byte_ids_as_characters", "`decode` takes ids below 256 for characters; they are bytes, and a character may have several",
         'return b"".join(chr(i).encode() if i < 256 else vocab[i] for i in ids).decode("utf-8", errors="replace")'),
    edit("decode_stripped", "`decode` strips the text at its ends", 'return b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace").strip()'),
    edit("by_place", "`decode` takes the n-th token of the dict for the id n; the keys are the ids", 'return b"".join(list(vocab.values())[i] for i in ids).decode("utf-8", errors="replace")'),
    edit("bytes_by_value", "`decode` takes ids below 256 for bytes; the vocabulary says which token an id is",
         'return b"".join(bytes([i]) if i < 256 else vocab[i] for i in ids).decode("utf-8", errors="replace")'),
    edit("merged_only", "`decode` leaves out ids below 256", 'return b"".join(vocab[i] for i in ids if i > 255).decode("utf-8", errors="replace")'),
    edit("decode_reversed", "`decode` begins with the last token", 'return b"".join(vocab[i] for i in reversed(ids)).decode("utf-8", errors="replace")'),
    edit("whole_or_nothing", "`decode` reads the bytes as Latin-1 where they are not all UTF-8; only the bytes that are no text become U+FFFD",
         'whole = b"".join(vocab[i] for i in ids)\n    try:\n        return whole.decode()\n    except UnicodeDecodeError:\n        return whole.decode("latin-1")'),
    edit("one_mark", "`decode` returns a single U+FFFD as soon as some bytes are not UTF-8; all other characters are to stay",
         'whole = b"".join(vocab[i] for i in ids)\n    try:\n        return whole.decode()\n    except UnicodeDecodeError:\n        return "\\ufffd"'),
    edit("tail_dropped", "`decode` drops what is not UTF-8 at the end; it is to become U+FFFD",
         'import codecs\n    return codecs.getincrementaldecoder("utf-8")(errors="replace").decode(b"".join(vocab[i] for i in ids))'),
    edit("each_once", "`decode` uses each different id once", 'return b"".join(vocab[i] for i in dict.fromkeys(ids)).decode("utf-8", errors="replace")'),
    edit("universal_newlines", "`decode` turns line ends \\r\\n into \\n; the text is to stay as it is",
         'return b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace").replace("\\r\\n", "\\n")'),
    edit("zero_bytes_lost", "`decode` drops the byte 0", 'return b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace").replace("\\0", "")'),
)

# --- encode_stream ------------------------------------------------------------------------------------------------

mistakes.at(
    "certain = rest[: len(rest) - unfinished(rest, specials)]",
    edit("specials_not_awaited", "`encode_stream` does not wait for the rest of a special that the next chunk may bring", "certain = rest"),
    edit("unfinished_of_chunk", "`encode_stream` looks for the beginning of a special in the last chunk only; it may have begun in an earlier one",
         "certain = rest[: len(rest) - unfinished(chunk, specials)]"),
    edit("one_special_awaited", "`encode_stream` waits for the first of the specials only; each may be cut", "certain = rest[: len(rest) - unfinished(rest, specials[:1])]"),
    edit("last_special_awaited", "`encode_stream` waits for the last of the specials only; each may be cut", "certain = rest[: len(rest) - unfinished(rest, specials[-1:])]"),
    edit("longest_special_held", "`encode_stream` always sets aside as many characters as the longest special has, less one: so it cuts inside pieces, and inside specials",
         "certain = rest[: max(0, len(rest) - max(map(len, specials), default=1) + 1)]"),
    edit("last_character_held", "`encode_stream` sets aside one character for a special; its beginning may be longer", "certain = rest[: len(rest) - min(1, unfinished(rest, specials))]"),
    edit("waits_by_pieces", "`encode_stream` cuts all that has arrived, and leaves out the pieces of an unfinished special; blanks before it were cut as if no special came",
         'certain = rest; keep = len(rest) - unfinished(rest, specials)',
         ("for piece in pretokenize(certain, specials)[:-1]:",
          "every = pretokenize(certain, specials)\n        for piece in [piece for k, piece in enumerate(every) if k < len(every) - 1 and sum(map(len, every[: k + 1])) <= keep]:")),
)

mistakes.at(
    "for piece in pretokenize(certain, specials)[:-1]:",
    edit("last_piece_given", "`encode_stream` gives out the last piece of what has arrived, though it may still grow", "for piece in pretokenize(certain, specials):"),
    edit("stream_specials_not_cut", "`encode_stream` cuts what has arrived without the specials", "for piece in pretokenize(certain)[:-1]:"),
    edit("last_kept_if_word", "`encode_stream` gives out blanks at the end of what has arrived; they may still grow, or the last may join the next word",
         "for piece in (lambda every: every if every and not every[-1].strip() else every[:-1])(pretokenize(certain, specials)):"),
    edit("kept_if_blank", "`encode_stream` holds the last piece back only if it is blanks; words, numbers and signs may grow as well",
         "for piece in (lambda every: every if every and every[-1].strip() else every[:-1])(pretokenize(certain, specials)):"),
    edit("word_given", "`encode_stream` gives out a last piece of letters; only blanks and specials wait there, but a word may grow as well",
         "for piece in (lambda every: every if every and every[-1][-1:].isalpha() else every[:-1])(pretokenize(certain, specials)):"),
    edit("specials_dropped", "`encode_stream` leaves out specials", "for piece in [piece for piece in pretokenize(certain, specials)[:-1] if piece not in specials]:",
         ("rest = rest[len(piece) :]", "rest = rest[rest.index(piece) + len(piece) :]")),
    edit("waits_for_blank", "`encode_stream` gives out ids only when a chunk ends in a blank; what is certain is to go out at once",
         "for piece in pretokenize(certain, specials)[:-1] if chunk[-1:].isspace() else []:"),
    edit("signs_given", "`encode_stream` gives out the last piece if it ends in a sign or digit; it may still grow",
         "for piece in (lambda every: every if every and not every[-1][-1:].isalpha() and every[-1].strip() else every[:-1])(pretokenize(certain, specials)):"),
    edit("first_piece_lost", "`encode_stream` loses the first of the pieces that are certain", "for piece in pretokenize(certain, specials)[1:-1]:"),
    edit("joined_pieces", "`encode_stream` joins the certain pieces and encodes them together; they are cut again then, and blanks at the end otherwise",
         'for piece in ["".join(pretokenize(certain, specials)[:-1])]:'),
    edit("only_blanks_cut", "`encode_stream` gives out text up to the last blank; a special with blanks, or several blanks, are cut there",
         'for piece in [certain[: certain.rfind(" ") + 1]]:'),
    edit("before_last_space", "`encode_stream` gives out what stands before the last space, and encodes it together; blanks there are cut otherwise than in the whole text",
         'for piece in [certain[: max(0, certain.rfind(" "))]]:'),
)

mistakes.at(
    """
        for piece in pretokenize(certain, specials)[:-1]:
            yield from encode(piece, vocab, merges, specials)
            rest = rest[len(piece) :]
    """,
    edit("chunk_by_chunk", "`encode_stream` encodes each chunk alone, so that tokens end where chunks end",
         """
        yield from encode(chunk, vocab, merges, specials)
        rest = ""
    """),
    edit("at_the_end", "`encode_stream` gives out nothing before all chunks have been read; ids are to come as soon as they are certain", """
        certain = rest
    """),
    edit("never_forgotten", "`encode_stream` keeps all text and encodes it from the beginning with each chunk",
         """
        pieces = pretokenize(certain, specials)[:-1]
        for piece in pieces[given:]:
            yield from encode(piece, vocab, merges, specials)
        given = len(pieces)
    """,
         ("yield from encode(rest, vocab, merges, specials)", "for piece in pretokenize(rest, specials)[given:]:\n        yield from encode(piece, vocab, merges, specials)"),
         ('rest = ""', 'rest, given = "", 0')),
    edit("rest_not_shortened", "`encode_stream` gives out the same text again with each chunk: what has been given out stays in the rest",
         """
        for piece in pretokenize(certain, specials)[:-1]:
            yield from encode(piece, vocab, merges, specials)
    """),
    edit("rest_thrown_away", "`encode_stream` throws away what it held back when the next chunk comes",
         """
        for piece in pretokenize(certain, specials)[:-1]:
            yield from encode(piece, vocab, merges, specials)
        rest = ""
    """),
    edit("unfinished_lost", "`encode_stream` loses the characters that it set aside for a special",
         """
        for piece in pretokenize(certain, specials)[:-1]:
            yield from encode(piece, vocab, merges, specials)
            certain = certain[len(piece) :]
        rest = certain
    """),
    edit("stream_plain", "`encode_stream` encodes the certain pieces without the specials, which are taken apart",
         """
        for piece in pretokenize(certain, specials)[:-1]:
            yield from encode(piece, vocab, merges)
            rest = rest[len(piece) :]
    """),
    edit("lists", "`encode_stream` yields the lists of ids of pieces; it is to yield single ids",
         """
        for piece in pretokenize(certain, specials)[:-1]:
            yield encode(piece, vocab, merges, specials)
            rest = rest[len(piece) :]
    """, ("yield from encode(rest, vocab, merges, specials)", "yield encode(rest, vocab, merges, specials)")),
    edit("held_first", "`encode_stream` puts the new chunk before what it held back",
         """
        for piece in pretokenize(certain, specials)[:-1]:
            yield from encode(piece, vocab, merges, specials)
            rest = rest[len(piece) :]
         """, ("rest += chunk", "rest = chunk + rest")),
)

mistakes.at(
    "rest += chunk",
    edit("ends_at_empty", "`encode_stream` ends at an empty chunk", "if not chunk:\n            break\n        rest += chunk"),
    edit("chunks_stripped", "`encode_stream` strips the chunks, so blanks at their edges are lost", "rest += chunk.strip()"),
    edit("lines", "`encode_stream` adds a line end after each chunk", 'rest += chunk + "\\n"'),
    edit("spaces_between", "`encode_stream` adds a space between chunks", 'rest += " " * bool(rest) + chunk'),
)

mistakes.at(
    "yield from encode(rest, vocab, merges, specials)",
    edit("end_lost", "`encode_stream` does not give out what it still holds when the chunks have ended", "return"),
    edit("end_plain", "`encode_stream` encodes what is left at the end without the specials", "yield from encode(rest, vocab, merges)"),
    edit("end_without_unfinished", "`encode_stream` leaves out the beginning of a special at the end; if no more comes, it is text",
         "yield from encode(rest[: len(rest) - unfinished(rest, specials)], vocab, merges, specials)"),
    edit("end_of_one_lost", "`encode_stream` does not give out what is left at the end if it is a single character",
         "yield from encode(rest, vocab, merges, specials) if len(rest) > 1 else []"),
    edit("end_stripped", "`encode_stream` strips what is left at the end", "yield from encode(rest.strip(), vocab, merges, specials)"),
    edit("end_twice", "`encode_stream` gives out what is left at the end twice", "yield from 2 * encode(rest, vocab, merges, specials)"),
)

mistakes.at(
    "for chunk in chunks:",
    edit("all_read", "`encode_stream` reads all chunks before it gives out an id", "for chunk in list(chunks):"),
    edit("first_chunk_lost", "`encode_stream` loses the first chunk", "chunks = iter(chunks); next(chunks, None)\n    for chunk in chunks:"),
    edit("read_twice", "`encode_stream` goes through the chunks twice, but they can be read only once", "any(chunk is None for chunk in chunks)\n    for chunk in chunks:"),
)
