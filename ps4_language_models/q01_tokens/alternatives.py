"""Other right versions of the answers to question 1."""

import heapq
import math
import re
from collections import Counter, defaultdict
from itertools import pairwise

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("a scan by `finditer`; a heap with outdated entries; pieces by linked neighbours; a cache; NumPy for the entropy")
def heaps(ref):
    class Largest:
        """Puts the larger pair first."""

        def __init__(self, pair):
            self.pair = pair

        def __lt__(self, other):
            return self.pair > other.pair

    def pretokenize(text, specials=()):
        order = sorted(map(re.escape, specials), key=len, reverse=True)
        finder = re.compile("|".join(order)) if order else None
        out, start = [], 0
        for found in finder.finditer(text) if finder else ():
            out.extend(each.group() for each in re.finditer(ref.PATTERN, text[start : found.start()]))
            out.append(found.group())
            start = found.end()
        out.extend(each.group() for each in re.finditer(ref.PATTERN, text[start:]))
        return out

    def train_bpe(text, vocab_size, specials=()):
        vocab = {i: bytes([i]) for i in range(256)}
        frequency = Counter()
        for piece in ref.pretokenize(text, specials):
            if piece not in specials:
                frequency[tuple(piece.encode("utf-8"))] += 1
        words, weights = [list(word) for word in frequency], list(frequency.values())
        counts, places = defaultdict(int), defaultdict(set)
        for k, word in enumerate(words):
            for pair in pairwise(word):
                counts[pair] += weights[k]
                places[pair].add(k)
        heap = [(-n, Largest((vocab[a], vocab[b])), (a, b)) for (a, b), n in counts.items()]
        heapq.heapify(heap)
        merges, wanted = [], vocab_size - 256 - len(specials)
        while heap and len(merges) < wanted:
            negative, _, pair = heapq.heappop(heap)
            if counts[pair] != -negative or not counts[pair]:
                continue
            new = len(vocab)
            vocab[new] = vocab[pair[0]] + vocab[pair[1]]
            merges.append((vocab[pair[0]], vocab[pair[1]]))
            touched = set()
            for k in sorted(places.pop(pair)):
                old, word, i = words[k], [], 0
                while i < len(old):
                    if i + 1 < len(old) and (old[i], old[i + 1]) == pair:
                        word.append(new)
                        i += 2
                    else:
                        word.append(old[i])
                        i += 1
                change = Counter(pairwise(word))
                change.subtract(Counter(pairwise(old)))
                for other, n in change.items():
                    if n:
                        counts[other] += n * weights[k]
                        touched.add(other)
                        if n > 0:
                            places[other].add(k)
                words[k] = word
            for other in touched:
                if counts[other] > 0:
                    heapq.heappush(heap, (-counts[other], Largest((vocab[other[0]], vocab[other[1]])), other))
        for special in specials:
            vocab[len(vocab)] = special.encode()
        return vocab, merges

    def encode(text, vocab, merges, specials=()):
        rank = {pair: i for i, pair in enumerate(merges)}
        number = {token: i for i, token in vocab.items()}
        cache = {special: [number[special.encode()]] for special in specials}
        out = []
        for piece in ref.pretokenize(text, specials):
            if piece not in cache:
                cache[piece] = [number[part] for part in walk([bytes([b]) for b in piece.encode()], rank)]
            out.extend(cache[piece])
        return out

    def walk(parts, rank):
        right = list(range(1, len(parts) + 1))
        left = list(range(-1, len(parts) - 1))
        heap = [(rank[pair], i, pair) for i, pair in enumerate(pairwise(parts)) if pair in rank]
        heapq.heapify(heap)
        while heap:
            _, i, pair = heapq.heappop(heap)
            j = right[i] if parts[i] is not None else len(parts)
            if j >= len(parts) or (parts[i], parts[j]) != pair:
                continue
            parts[i], parts[j] = pair[0] + pair[1], None
            right[i] = right[j]
            if right[i] < len(parts):
                left[right[i]] = i
            for k in (left[i], i):
                if k >= 0 and right[k] < len(parts) and (parts[k], parts[right[k]]) in rank:
                    new = (parts[k], parts[right[k]])
                    heapq.heappush(heap, (rank[new], k, new))
        return [part for part in parts if part is not None]

    def decode(ids, vocab):
        whole = bytearray()
        for i in ids:
            whole.extend(vocab[i])
        return str(bytes(whole), "utf-8", "replace")

    def encode_stream(chunks, vocab, merges, specials=()):
        waiting = ""
        for chunk in chunks:
            waiting = waiting + chunk
            keep = ref.unfinished(waiting, specials)
            pieces = ref.pretokenize(waiting[: len(waiting) - keep], specials)
            done, waiting = pieces[:-2], "".join(pieces[-2:]) + waiting[len(waiting) - keep :]
            for piece in done:
                for i in ref.encode(piece, vocab, merges, specials):
                    yield i
        for i in ref.encode(waiting, vocab, merges, specials):
            yield i


    return {"pretokenize": pretokenize, "train_bpe": train_bpe, "encode": encode, "decode": decode, "encode_stream": encode_stream}


@alternatives.rewrite("one pattern for specials and pieces; differences at the merged places only; replay of all merges; a class with __next__")
def places_only(ref):
    def pretokenize(text, specials=()):
        parts = [re.escape(s) for s in sorted(set(specials), key=lambda s: -len(s))]
        out, at = [], 0
        special = re.compile("|".join(parts)) if parts else None
        while at < len(text):
            hit = special.search(text, at) if special else None
            end = hit.start() if hit else len(text)
            out += re.findall(ref.PATTERN, text[at:end])
            if hit:
                out.append(hit[0])
            at = hit.end() if hit else end
        return out

    def train_bpe(text, vocab_size, specials=()):
        words = Counter()
        for piece in ref.pretokenize(text, specials):
            if piece in specials:
                continue
            words[piece] += 1
        table = [[[bytes([b]) for b in word.encode()], n] for word, n in words.items()]
        counts, holders = Counter(), {}
        for row in range(len(table)):
            parts, n = table[row]
            for i in range(len(parts) - 1):
                counts[parts[i], parts[i + 1]] += n
                holders.setdefault((parts[i], parts[i + 1]), []).append(row)
        merges = []
        for _ in range(max(0, vocab_size - 256 - len(specials))):
            counts = +counts
            if not counts:
                break
            top = max(counts.values())
            best = max(pair for pair, n in counts.items() if n == top)
            merges.append(best)
            new = best[0] + best[1]
            for row in dict.fromkeys(holders[best]):
                parts, n = table[row]
                i = 0
                while i < len(parts) - 1:
                    if (parts[i], parts[i + 1]) != best:
                        i += 1
                        continue
                    counts[best] -= n
                    if i > 0:
                        counts[parts[i - 1], parts[i]] -= n
                        counts[parts[i - 1], new] += n
                        holders.setdefault((parts[i - 1], new), []).append(row)
                    if i + 2 < len(parts):
                        counts[parts[i + 1], parts[i + 2]] -= n
                        counts[new, parts[i + 2]] += n
                        holders.setdefault((new, parts[i + 2]), []).append(row)
                    parts[i : i + 2] = [new]
                    i += 1
        vocab = {}
        for token in [*(bytes([i]) for i in range(256)), *(a + b for a, b in merges), *(s.encode() for s in specials)]:
            vocab[len(vocab)] = token
        return vocab, merges

    def encode(text, vocab, merges, specials=()):
        ids_of = {}
        for i in vocab:
            ids_of[vocab[i]] = i
        out = []
        for piece in ref.pretokenize(text, specials):
            if piece in specials:
                out.append(ids_of[piece.encode()])
                continue
            parts = [bytes([b]) for b in piece.encode()]
            for pair in merges:
                if len(parts) > 1:
                    parts = ref.merge_pair(parts, pair)
            out.extend(ids_of[p] for p in parts)
        return out

    def decode(ids, vocab):
        import codecs

        reader = codecs.getincrementaldecoder("utf-8")(errors="replace")
        return "".join([*(reader.decode(vocab[i]) for i in ids), reader.decode(b"", final=True)])

    class Stream:
        def __init__(self, chunks, vocab, merges, specials=()):
            self.chunks, self.rest, self.ready, self.ended = iter(chunks), "", [], False
            self.more = lambda text: ref.encode(text, vocab, merges, specials)
            self.specials = specials

        def __iter__(self):
            return self

        def __next__(self):
            while not self.ready:
                if self.ended:
                    raise StopIteration
                chunk = next(self.chunks, None)
                if chunk is None:
                    self.ended = True
                    self.ready = self.more(self.rest)[::-1]
                    continue
                self.rest += chunk
                keep = len(self.rest) - ref.unfinished(self.rest, self.specials)
                *done, _ = ref.pretokenize(self.rest[:keep], self.specials) or [""]
                self.ready = [i for piece in done for i in self.more(piece)][::-1]
                self.rest = self.rest[sum(map(len, done)) :]
            return self.ready.pop()

    def encode_stream(chunks, vocab, merges, specials=()):
        return Stream(chunks, vocab, merges, specials)


    return {"pretokenize": pretokenize, "train_bpe": train_bpe, "encode": encode, "decode": decode, "encode_stream": encode_stream}


@alternatives.rewrite("integer ids with a cached order of bytes; ranks of joined bytes; leftmost lowest merge by a loop; torch for the entropy")
def by_ids(ref):
    def train_bpe(text, vocab_size, specials=()):
        specials = list(specials)
        vocab = [bytes([i]) for i in range(256)]
        words = Counter(p.encode() for p in ref.pretokenize(text, tuple(specials)) if p not in specials)
        words = {k: (list(word), n) for k, (word, n) in enumerate(words.items())}
        counts, index = Counter(), defaultdict(Counter)
        for k, (word, n) in words.items():
            for pair in pairwise(word):
                counts[pair] += n
                index[pair][k] += 1
        pairs = []
        while len(vocab) + len(specials) < vocab_size:
            best = max(counts, key=lambda p: (counts[p], vocab[p[0]], vocab[p[1]]), default=None)
            if best is None:
                break
            pairs.append((vocab[best[0]], vocab[best[1]]))
            vocab.append(b"".join(pairs[-1]))
            for k in list(index[best]):
                word, n = words[k]
                for pair in pairwise(word):
                    counts[pair] -= n
                    index[pair][k] -= 1
                    if not counts[pair]:
                        del counts[pair]
                    if not index[pair][k]:
                        del index[pair][k]
                new, i = [], 0
                while i < len(word):
                    if word[i : i + 2] == list(best):
                        new.append(len(vocab) - 1)
                        i += 1
                    else:
                        new.append(word[i])
                    i += 1
                words[k] = new, n
                for pair in pairwise(new):
                    counts[pair] += n
                    index[pair][k] += 1
        return dict(enumerate(vocab + [s.encode() for s in specials])), pairs

    def encode(text, vocab, merges, specials=()):
        number = {token: i for i, token in vocab.items()}
        rank = {a + b: i for i, (a, b) in enumerate(merges)}

        def parts_of(word):
            parts = [bytes([b]) for b in word]
            while True:
                ranks = [rank.get(a + b, math.inf) for a, b in pairwise(parts)]
                low = min(ranks, default=math.inf)
                if low == math.inf:
                    return parts
                out, i = [], 0
                while i < len(parts):
                    if i + 1 < len(parts) and rank.get(parts[i] + parts[i + 1]) == low:
                        out.append(parts[i] + parts[i + 1])
                        i += 2
                    else:
                        out.append(parts[i])
                        i += 1
                parts = out

        return [
            number[part] for piece in ref.pretokenize(text, specials)
            for part in ([piece.encode()] if piece in specials else parts_of(piece.encode()))
        ]


    return {"train_bpe": train_bpe, "encode": encode}


@alternatives.rewrite("recursion at the first special; counting by `update` and `subtract`; the stream cut only before a letter or a sign that follows a word")
def recursive(ref):
    def pretokenize(text, specials=()):
        found = [(text.index(s), -len(s), s) for s in specials if s in text]
        if not found:
            return re.compile(ref.PATTERN).findall(text)
        start, _, special = min(found)
        return re.findall(ref.PATTERN, text[:start]) + [special] + pretokenize(text[start + len(special) :], specials)

    def train_bpe(text, vocab_size, specials=()):
        words = [(tuple(bytes([b]) for b in w.encode()), n) for w, n in Counter(ref.pretokenize(text, specials)).items() if w not in set(specials)]
        counts, holders, merges = Counter(), defaultdict(set), []

        def pairs_of(k):
            word, n = words[k]
            found = Counter(pairwise(word))
            for pair in found:
                found[pair] *= n
                holders[pair].add(k)
            return found

        for k in range(len(words)):
            counts.update(pairs_of(k))
        for _ in range(vocab_size - 256 - len(specials)):
            n, best = max(((n, pair) for pair, n in counts.items()), default=(0, None))
            if n == 0:
                break
            merges.append(best)
            for k in list(holders[best]):
                counts.subtract(pairs_of(k))
                words[k] = tuple(ref.merge_pair(list(words[k][0]), best)), words[k][1]
                counts.update(pairs_of(k))
            del counts[best]
        tokens = [bytes((i,)) for i in range(256)] + [b"".join(pair) for pair in merges]
        return dict(enumerate([*tokens, *(bytes(s, "utf-8") for s in specials)])), merges

    def encode_stream(chunks, vocab, merges, specials=()):
        rest = ""
        for chunk in chunks:
            rest += chunk
            while True:
                cut = rest[: len(rest) - ref.unfinished(rest, specials)]
                pieces = ref.pretokenize(cut, specials)
                if len(pieces) < 2:
                    break
                yield from ref.encode(pieces[0], vocab, merges, specials)
                rest = rest[len(pieces[0]) :]
        for piece in ref.pretokenize(rest, specials):
            yield from ref.encode(piece, vocab, merges, specials)

    return {"pretokenize": pretokenize, "train_bpe": train_bpe, "encode_stream": encode_stream}


@alternatives.rewrite("the best pair by a loop of several lines over all pairs; tokens as a growing dict")
def line_by_line(ref):
    def train_bpe(text, vocab_size, specials=()):
        times = {}
        for piece in ref.pretokenize(text, specials):
            if piece not in specials:
                times[piece] = times.get(piece, 0) + 1
        words = {word: [bytes([byte]) for byte in word.encode()] for word in times}
        counts, holders = defaultdict(int), defaultdict(set)
        for word, parts in words.items():
            for pair in pairwise(parts):
                counts[pair] += times[word]
                holders[pair].add(word)
        vocab, merges = {i: bytes([i]) for i in range(256)}, []
        while len(vocab) + len(specials) < vocab_size:
            best, most = None, 0
            for pair in counts:
                n = counts[pair]
                if n < 1:
                    continue
                if n > most:
                    best, most = pair, n
                elif n == most and pair > best:
                    best = pair
            if best is None:
                break
            merges.append(best)
            vocab[len(vocab)] = b"".join(best)
            for word in list(holders[best]):
                for pair in pairwise(words[word]):
                    counts[pair] -= times[word]
                words[word] = ref.merge_pair(words[word], best)
                for pair in pairwise(words[word]):
                    counts[pair] += times[word]
                    holders[pair].add(word)
        for special in specials:
            vocab[len(vocab)] = special.encode()
        return vocab, merges

    return {"train_bpe": train_bpe}
