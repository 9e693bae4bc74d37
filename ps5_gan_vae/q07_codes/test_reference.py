"""Question 7 against a k-d tree, k-means, matrix exponentials, closed recursions, PyTorch's Gumbel-softmax and a quantisation library."""

import math

import numpy as np
import pytest
import torch
from scipy import linalg, spatial, stats
from sklearn.cluster import KMeans
from torch.nn import functional as F


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gradients(reference, z, q, g, kind):
    z, q = z.clone().requires_grad_(), q.clone().requires_grad_()
    return torch.autograd.grad((g * reference.pass_through(z, q, kind)).sum(), (z, q), allow_unused=True)


def test_the_worked_numbers_of_the_text(reference):
    assert reference.nearest_code(torch.tensor([[1.5]]), torch.tensor([[0.0], [4.0]])).tolist() == [0]
    z, q, g = (torch.tensor([part], dtype=torch.float64) for part in ([1.0, 0.0], [0.0, 2.0], [1.0, 0.0]))
    torch.testing.assert_close(gradients(reference, z, q, g, "straight_through")[0], g)
    torch.testing.assert_close(gradients(reference, z, q, g, "rotation")[0], torch.tensor([[0.0, -2.0]]).double())
    assert [float(part) for part in reference.vq_losses(torch.tensor([1.5]), torch.tensor([0.0]), 0.25)] == [2.25, 0.5625]
    book = reference.MovingCodebook(torch.tensor([[2.0]]), 0.5, 0.0)
    book.counts.fill_(2)
    book.sums.fill_(4)
    book.update(torch.tensor([[5.0], [7.0]]), torch.tensor([0, 0]))
    assert (float(book.counts), float(book.sums), float(book.codes)) == (2, 8, 4)


@pytest.mark.parametrize("seed", range(3))
def test_nearest_by_a_tree(reference, seed):
    z, codebook = normal(3, 5, 4, 6, seed=seed), normal(30, 5, seed=seed + 10)
    found = spatial.cKDTree(codebook.numpy()).query(z.movedim(1, -1).reshape(-1, 5).numpy())[1]
    assert reference.nearest_code(z, codebook, axis=1).flatten().tolist() == found.tolist()


def test_ties_go_to_the_first_and_offsets_do_no_harm(reference):
    codebook = torch.tensor([[1.0, 0], [0, 0], [1, 0], [-1, 0]])
    assert reference.nearest_code(torch.tensor([[0.5, 7.0], [1, 0], [-0.5, 1]]), codebook).tolist() == [0, 0, 1]
    assert reference.nearest_code(torch.tensor([[0.4, 0.1]]) + 2.0**17, codebook + 2.0**17).tolist() == [1]


@pytest.mark.parametrize("dim", [2, 3, 7])
def test_rotation_is_an_exponential_in_the_plane(reference, dim):
    """R = exp(θ (b aᵀ - a bᵀ)), a along z, b in the plane of z and q at right angles to a."""
    z, q, g = (normal(4, dim, seed=seed) for seed in (1, 2, 3))
    found, of_q = gradients(reference, z, q, g, "rotation")
    assert of_q is None
    torch.testing.assert_close(reference.pass_through(z, q, "rotation"), q)
    for i in range(4):
        a, c = (part[i].numpy() / np.linalg.norm(part[i].numpy()) for part in (z, q))
        b = c - (a @ c) * a
        b /= np.linalg.norm(b)
        turn = linalg.expm(math.acos(a @ c) * (np.outer(b, a) - np.outer(a, b)))
        scale = float(q[i].norm() / z[i].norm())
        torch.testing.assert_close(found[i], torch.from_numpy(scale * turn.T @ g[i].numpy()))


def test_angles_are_kept(reference):
    z, q, g = (normal(50, 6, seed=seed) for seed in (4, 5, 6))
    found = gradients(reference, z, q, g, "rotation")[0]
    torch.testing.assert_close(F.cosine_similarity(found, z), F.cosine_similarity(g, q))
    torch.testing.assert_close(found.norm(dim=-1), g.norm(dim=-1) * q.norm(dim=-1) / z.norm(dim=-1))


@pytest.mark.parametrize("kind", ["straight_through", "rotation"])
def test_value_is_q(reference, kind):
    z, q = normal(20, 8, seed=7).float(), normal(20, 8, seed=8).float()
    torch.testing.assert_close(reference.pass_through(z, q, kind), q, rtol=1e-5, atol=1e-5)


def test_losses_move_one_side_each(reference):
    z, q = (normal(4, 3, seed=seed).requires_grad_() for seed in (1, 2))
    codebook, commitment = reference.vq_losses(z, q, 0.3)
    by = [torch.autograd.grad(loss, (z, q), allow_unused=True) for loss in (codebook, commitment)]
    assert by[0][0] is None and by[1][1] is None
    torch.testing.assert_close(by[0][1], 2 * (q - z).detach() / 12)
    torch.testing.assert_close(by[1][0], 0.6 * (z - q).detach() / 12)


def test_without_memory_it_is_a_step_of_k_means(reference):
    z, codes = normal(200, 3, seed=1), normal(5, 3, seed=2)
    book = reference.MovingCodebook(codes, decay=0.0, eps=1e-14)
    book.update(z, reference.nearest_code(z, codes))
    theirs = KMeans(5, init=codes.numpy(), n_init=1, max_iter=1, algorithm="lloyd").fit(z.numpy())
    torch.testing.assert_close(book.codes, torch.from_numpy(theirs.cluster_centers_))


def test_recursion_in_closed_form(reference):
    """Counts and sums are geometric sums of the past; the smoothed counts sum to n."""
    decay, eps, codes = 0.8, 0.1, normal(4, 2)
    book, batches = reference.MovingCodebook(codes, decay, eps), []
    for t in range(6):
        z, ids = normal(9, 2, seed=t + 1), torch.randint(3, (9,), generator=torch.Generator().manual_seed(t))
        book.update(z, ids)
        batches.append((z, ids))
    weights = [(1 - decay) * decay ** (5 - t) for t in range(6)]
    for k in range(4):
        count = decay**6 + sum(w * int((ids == k).sum()) for w, (_, ids) in zip(weights, batches))
        total = decay**6 * codes[k] + sum(w * z[ids == k].sum(0) for w, (z, ids) in zip(weights, batches))
        n = 4 * decay**6 + 9 * sum(weights)
        assert float(book.counts[k]) == pytest.approx(count)
        torch.testing.assert_close(book.codes[k], total * (n + 4 * eps) / (n * (count + eps)))
    torch.testing.assert_close((book.sums[:, 0] / book.codes[:, 0]).sum(), book.counts.sum())


def test_a_revived_entry_moves_like_a_new_one(reference):
    book = reference.MovingCodebook(normal(3, 2), 0.5)
    book.update(normal(4, 2, seed=1), torch.tensor([0, 0, 1, 1]))
    z = normal(6, 2, seed=2)
    book.revive(z, torch.tensor([5, 4, 3]))
    torch.testing.assert_close(book.codes[2], z[3])
    book.update(normal(4, 2, seed=3), torch.tensor([0, 0, 1, 1]))
    torch.testing.assert_close(book.codes[2], z[3], rtol=1e-4, atol=1e-4)   # a smoothed mean of one vector


def test_perplexity_by_scipy(reference):
    ids = torch.randint(9, (4, 7, 3), generator=torch.Generator().manual_seed(0))
    expected = math.exp(stats.entropy(np.bincount(ids.flatten().numpy(), minlength=12)))
    assert float(reference.perplexity(ids, 12)) == pytest.approx(expected, rel=1e-6)
    assert float(reference.perplexity(torch.arange(64), 64)) == pytest.approx(64, rel=1e-5)


@pytest.mark.parametrize("hard", [False, True])
def test_gumbel_softmax_is_that_of_pytorch(reference, hard):
    """The library takes g = -log E of exponentials E, which is u = exp(-E)."""
    logits = normal(6, 5).requires_grad_()
    torch.manual_seed(3)
    theirs = F.gumbel_softmax(logits, 0.7, hard)
    torch.manual_seed(3)
    u = torch.exp(-torch.empty_like(logits).exponential_())
    ours, weight = reference.gumbel_softmax(logits, u, 0.7, hard), normal(6, 5, seed=1)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*(torch.autograd.grad((weight * each).sum(), logits)[0] for each in (ours, theirs)))


def test_hard_draws_have_the_probabilities(reference):
    """On an evenly spread sequence, not random draws."""
    probs = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)
    u = torch.from_numpy(stats.qmc.Sobol(3, seed=0).random(2**14)).clamp(1e-12, 1 - 1e-12)
    drawn = reference.gumbel_softmax(probs.log().expand(len(u), 3), u, 1.0, hard=True)
    torch.testing.assert_close(drawn.mean(0), probs, atol=2e-3, rtol=0)


def test_the_model_of_the_next_question(reference):
    model = reference.GlyphVQVAE(torch.randn(64, 16, generator=torch.Generator().manual_seed(0))).eval()
    pictures = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    ids = model.encode(pictures)
    assert ids.shape == (3, 7, 7) and ids.dtype == torch.int64
    decoded = model.decode(ids)
    assert decoded.shape == (3, 1, 28, 28) and not decoded.requires_grad and 0 <= float(decoded.min()) <= float(decoded.max()) <= 1
    torch.testing.assert_close(model(pictures, "straight_through")[0].clamp(0, 1), decoded, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model(pictures, "rotation")[3], ids)


# --- a library of quantisers (an extra of the longer tests) ---


def test_rotation_is_that_of_the_library(reference):
    library = pytest.importorskip("vector_quantize_pytorch.vector_quantize_pytorch")
    z, q, g = (normal(30, 6, seed=seed) for seed in (1, 2, 3))
    leaf = z.clone().requires_grad_()
    theirs = library.rotate_to(leaf, q)
    torch.testing.assert_close(reference.pass_through(z, q, "rotation"), theirs.detach(), rtol=1e-5, atol=1e-5)
    wanted = torch.autograd.grad((g * theirs).sum(), leaf)[0]
    torch.testing.assert_close(gradients(reference, z, q, g, "rotation")[0], wanted, rtol=1e-5, atol=1e-5)


def test_smoothing_is_that_of_the_library(reference):
    library = pytest.importorskip("vector_quantize_pytorch.vector_quantize_pytorch")
    book = reference.MovingCodebook(normal(6, 2), 0.9, 0.05)
    book.update(normal(20, 2, seed=1), torch.randint(6, (20,), generator=torch.Generator().manual_seed(0)))
    smoothed = library.laplace_smoothing(book.counts, 6, 0.05) * book.counts.sum()
    torch.testing.assert_close(book.codes, book.sums / smoothed[:, None])
