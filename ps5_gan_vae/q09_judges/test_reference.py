"""Question 9 against SciPy's matrix root, scikit-learn's neighbours and kernels, closed forms of Gaussians, and a library of scores."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.stats import entropy, mannwhitneyu
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel
from sklearn.neighbors import NearestNeighbors


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# --- inception_score ----------------------------------------------------------------------------------------------


def test_the_ends_of_the_inception_score(reference):
    assert float(reference.inception_score(torch.zeros(5, 4))) == pytest.approx(1)
    assert float(reference.inception_score(1000 * torch.eye(7).repeat(3, 1))) == pytest.approx(7)


@pytest.mark.parametrize("seed", range(3))
def test_inception_score_against_scipys_entropies(reference, seed):
    logits = 3 * normal(20, 6, seed=seed)
    p = logits.softmax(1).numpy()
    expected = np.exp(np.mean([entropy(row, p.mean(0)) for row in p]))
    assert float(reference.inception_score(logits)) == pytest.approx(expected, rel=1e-12)


def test_a_class_without_pictures_changes_nothing(reference):
    logits = normal(9, 4)
    wider = torch.cat([logits, torch.full((9, 1), -math.inf)], 1)
    assert float(reference.inception_score(wider)) == pytest.approx(float(reference.inception_score(logits)))


# --- frechet_distance ---------------------------------------------------------------------------------------------


def test_the_worked_number_of_the_text(reference):
    x, z = normal(200, 1), normal(300, 1, seed=1)
    x, z = (x - x.mean()) / x.std(), 1 + 2 * (z - z.mean()) / z.std()
    assert float(reference.frechet_distance(x, z)) == pytest.approx(2)


@pytest.mark.parametrize("seed", range(3))
def test_frechet_distance_against_scipys_root(reference, seed):
    x, z = normal(30, 5, seed=seed) @ normal(5, 5, seed=seed + 10), normal(40, 5, seed=seed + 20) + 0.3
    cov_x, cov_z = np.cov(x.numpy().T), np.cov(z.numpy().T)
    expected = ((x.mean(0) - z.mean(0)) ** 2).sum() + np.trace(cov_x + cov_z - 2 * np.real(sqrtm(cov_x @ cov_z)))
    assert float(reference.frechet_distance(x, z)) == pytest.approx(float(expected), rel=1e-9)


def test_frechet_distance_of_diagonal_gaussians_in_closed_form(reference):
    x, z = normal(64, 3), normal(50, 3, seed=1)
    white = [torch.linalg.solve(torch.linalg.cholesky(torch.cov(p.T)), (p - p.mean(0)).T).T for p in (x, z)]
    a, b, shift = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 2.5, 1.0]), torch.tensor([1.0, 0.0, -2.0])
    expected = (a - b).square().sum() + shift.square().sum()
    assert float(reference.frechet_distance(white[0] * a, white[1] * b + shift)) == pytest.approx(float(expected))


@pytest.mark.parametrize("n", [3, 6, 40])
def test_turning_the_features_changes_nothing_and_few_points_give_no_nan(reference, n):
    x, z = normal(n, 10), normal(n + 1, 10, seed=1)
    turn = torch.linalg.qr(normal(10, 10, seed=2)).Q
    here, there = reference.frechet_distance(x, z), reference.frechet_distance(x @ turn, z @ turn)
    assert here.isfinite() and here > 0
    torch.testing.assert_close(here, there, rtol=1e-6, atol=1e-6)
    assert float(reference.frechet_distance(x, x).abs()) < 1e-5


def test_fewer_samples_are_biased_upward(reference):
    def mean_of(n):
        return np.mean([float(reference.frechet_distance(normal(n, 2, seed=i), normal(n, 2, seed=500 + i))) for i in range(200)])

    assert 0.11 < mean_of(50) < 0.16
    assert 0.02 < mean_of(300) < 0.03


# --- kernel_distance ----------------------------------------------------------------------------------------------


def test_kernel_distance_against_scikit_learns_kernels(reference):
    x, z = normal(12, 4), normal(15, 4, seed=1) + 0.3
    for mine, library in (
        (reference.cubic_kernel, lambda a, b: polynomial_kernel(a, b, degree=3, gamma=1 / 4, coef0=1)),
        (reference.rbf_kernel, lambda a, b: rbf_kernel(a, b, gamma=0.5)),
    ):
        xx, zz, xz = library(x, x), library(z, z), library(x, z)
        expected = xx[~np.eye(12, dtype=bool)].mean() + zz[~np.eye(15, dtype=bool)].mean() - 2 * xz.mean()
        assert float(reference.kernel_distance(x, z, mine)) == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_of_the_plain_product_is_the_unbiased_distance_of_means(reference):
    x, z = normal(9, 3), normal(7, 3, seed=1) + 1
    expected = (x.mean(0) - z.mean(0)).square().sum() - x.var(0).sum() / 9 - z.var(0).sum() / 7
    assert float(reference.kernel_distance(x, z, lambda a, b: a @ b.T)) == pytest.approx(float(expected))


def test_kernel_distance_of_one_law_is_zero_on_average(reference):
    found = torch.stack([reference.kernel_distance(normal(20, 2, seed=i), normal(30, 2, seed=900 + i), reference.rbf_kernel) for i in range(300)])
    assert float(found.mean().abs()) < 5 * float(found.std()) / 300**0.5
    assert (found < 0).any()


# --- ball_scores --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3, 6])
def test_balls_against_scikit_learns_neighbours(reference, k):
    x, z = normal(40, 3).numpy(), 1.4 * normal(25, 3, seed=1).numpy() + 0.4
    radius = [NearestNeighbors(n_neighbors=k).fit(p).kneighbors()[0][:, -1] for p in (x, z)]   # without the point itself
    table = np.linalg.norm(x[:, None] - z, axis=2)
    in_x, in_z = table <= radius[0][:, None], table <= radius[1]
    expected = in_x.any(0).mean(), in_z.any(1).mean(), in_x.sum(0).mean() / k, in_x.any(1).mean()
    found = reference.ball_scores(torch.from_numpy(x), torch.from_numpy(z), k)
    np.testing.assert_allclose([float(each) for each in found], expected)


def test_the_example_of_the_hint(reference):
    found = reference.ball_scores(torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[2.0], [50.0]]), 1)
    assert [float(each) for each in found] == [0.5, 1.0, 1.0, pytest.approx(2 / 3)]


def test_half_of_the_fakes_far_away(reference):
    found = []
    for seed in range(5):
        fakes = normal(1000, 2, seed=seed + 50)
        fakes[500:] += 100
        found.append([float(each) for each in reference.ball_scores(normal(1000, 2, seed=seed), fakes, 5)])
    precision, recall, density, coverage = np.mean(found, 0)
    assert precision == pytest.approx(0.5, abs=0.02) and density == pytest.approx(0.5, abs=0.04)
    assert 0.84 < coverage < 0.91 and recall > 0.98


# --- copying_score ------------------------------------------------------------------------------------------------


def test_copying_against_mann_and_whitney(reference):
    train, held, fakes = normal(30, 2), normal(25, 2, seed=1), normal(20, 2, seed=2)
    near = [np.linalg.norm(p.numpy()[:, None] - train.numpy(), axis=2).min(1) for p in (held, fakes)]
    expected = mannwhitneyu(*near).statistic / (25 * 20)
    assert float(reference.copying_score(train, held, fakes)) == pytest.approx(expected)


def test_copies_are_found_and_ties_count_half(reference):
    train, held = normal(30, 2), normal(25, 2, seed=1)
    assert float(reference.copying_score(train, held, train[:9])) == 1
    assert float(reference.copying_score(train, held, held)) == 0.5


# --- impostor -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_the_impostor_has_the_moments_and_another_law(reference, dim):
    root = torch.eye(dim, dtype=torch.float64) + 0.4 * normal(dim, dim)
    mean, cov = normal(dim, seed=1), root @ root.T
    points = reference.impostor(mean, cov, 480)
    gauss = mean + normal(4000, dim, seed=2) @ root.T
    torch.testing.assert_close(points.mean(0), mean)
    torch.testing.assert_close(torch.cov(points.T, correction=0).reshape(dim, dim), cov)
    centred = points - mean
    assert float(torch.einsum("ni,nj,nk->ijk", centred, centred, centred).abs().max()) < 1e-8
    assert float(reference.frechet_distance(points, gauss)) < 0.02
    white = torch.linalg.solve(root, centred.T).T
    assert float(reference.kernel_distance(white, normal(4000, dim, seed=3), reference.rbf_kernel)) > 0.03


def test_fid_and_kid_are_fooled_and_a_narrow_kernel_is_not(reference):
    points = reference.impostor(torch.zeros(2), torch.eye(2), 2000)
    found = torch.stack([
        torch.stack([judge(points, normal(2000, 2, seed=seed)) for judge in (
            reference.frechet_distance, reference.kernel_distance, lambda x, z: reference.kernel_distance(x, z, reference.rbf_kernel))])
        for seed in range(5)
    ]).mean(0)
    assert abs(found[0]) < 0.005 and abs(found[1]) < 0.02
    assert float(found[2]) == pytest.approx((1 + 2 * math.exp(-2) + math.exp(-4)) / 4 - math.exp(-0.5) + 1 / 3, abs=0.005)


# --- a maintained library -----------------------------------------------------------------------------------------


def test_against_a_library_of_scores(reference):
    kid = pytest.importorskip("torchmetrics.image.kid", reason="an extra of the longer tests")
    fid = pytest.importorskip("torchmetrics.image.fid")
    x, z = normal(12, 4), normal(12, 4, seed=1) + 0.3
    found = kid.poly_mmd(x, z)
    assert float(reference.kernel_distance(x, z)) == pytest.approx(float(found), rel=1e-6)
    found = fid._compute_fid(x.mean(0), torch.cov(x.T), z.mean(0), torch.cov(z.T))
    assert float(reference.frechet_distance(x, z)) == pytest.approx(float(found), rel=1e-6)
