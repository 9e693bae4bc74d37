"""Named wrong versions of the answers to question 1."""

import math

import torch
from torch import nn

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- pca_projector ---------------------------------------------------------------------------------------------------

mistakes.at(
    "centred = x - x.mean(0)",
    edit("projector_uncentred",
         "`pca_projector` does not subtract the mean, so its first axis points from zero to the cloud; the axes are those of the spread around the mean",
         "centred = x"),
    edit("projector_one_mean", "`pca_projector` subtracts one number, the mean of all entries; each dimension has a mean of its own",
         "centred = x - x.mean()"),
    edit("projector_rows", "`pca_projector` subtracts from each example the mean of its own entries; the mean over the examples is asked for",
         "centred = x - x.mean(1, keepdim=True)"),
    edit("projector_standardised",
         "`pca_projector` divides each dimension by its standard deviation, which gives the axes of the correlations; S in (1.1) is the covariance",
         "centred = (x - x.mean(0)) / x.std(0)"),
    edit("projector_median", "`pca_projector` subtracts the median; the covariance is about the mean", "centred = x - x.median(0).values"),
    edit("projector_first", "`pca_projector` subtracts the first example; the covariance is about the mean", "centred = x - x[0]"),
)

mistakes.at(
    "vectors = torch.linalg.eigh(centred.T @ centred)[1][:, -k:]",
    edit("projector_smallest",
         "`pca_projector` takes the axes of smallest variance: `eigh` sorts eigenvalues upwards",
         "vectors = torch.linalg.eigh(centred.T @ centred)[1][:, :k]"),
    edit("projector_rows_of_vectors", "`pca_projector` takes k rows of the matrix of eigenvectors; each eigenvector is a column",
         "vectors = torch.linalg.eigh(centred.T @ centred)[1][-k:].T"),
    edit("projector_svd_columns", "`pca_projector` takes columns of the last matrix of `torch.linalg.svd`; it holds the axes as rows",
         "vectors = torch.linalg.svd(centred)[2][:, :k]"),
    edit("projector_one_more", "`pca_projector` keeps k + 1 axes", "vectors = torch.linalg.eigh(centred.T @ centred)[1][:, -k - 1:]"),
    edit("projector_one_less", "`pca_projector` keeps k - 1 axes",
         "vectors = torch.linalg.eigh(centred.T @ centred)[1][:, len(x[0]) - k + 1:]"),
    edit("projector_skips_first", "`pca_projector` leaves out the axis of largest variance and takes the next k",
         "vectors = torch.linalg.eigh(centred.T @ centred)[1][:, :-1][:, -k:]"),
    edit("projector_any_order", "`pca_projector` takes the first k eigenvectors of `torch.linalg.eig`, which does not sort them",
         "vectors = torch.linalg.eig(centred.T @ centred)[1].real[:, :k]"),
    edit("projector_float32", "`pca_projector` computes in float32 whatever x is; float64 is to stay float64",
         "vectors = torch.linalg.eigh((centred.T @ centred).float())[1][:, -k:]"),
    edit("projector_examples", "`pca_projector` decomposes the N×N matrix of products between examples; the axes are eigenvectors of the D×D one",
         "vectors = torch.linalg.eigh(centred @ centred.T)[1][:, -k:]"),
)

mistakes.at(
    "return vectors @ vectors.T",
    edit("projector_axes", "`pca_projector` returns the axes as columns; the projector VVᵀ is asked for, D×D", "return vectors"),
    edit("projector_inner", "`pca_projector` returns VᵀV, which is k×k and the identity; the projector is VVᵀ", "return vectors.T @ vectors"),
    edit("projector_complement", "`pca_projector` returns the projector onto what is dropped, I - VVᵀ",
         "return torch.eye(len(vectors), dtype=x.dtype, device=x.device) - vectors @ vectors.T"),
    edit("projector_weighted", "`pca_projector` weighs the axes with their variances; a projector keeps the length of what lies in its span",
         "return vectors @ torch.diag(torch.linalg.eigvalsh(centred.T @ centred / len(x))[-k:]) @ vectors.T"),
    edit("projector_scores", "`pca_projector` returns the codes of the examples; the projector is D×D and does not depend on the example",
         "return centred @ vectors"),
    edit("projector_rebuilt", "`pca_projector` returns the projected examples; the projector itself is asked for, D×D",
         "return centred @ vectors @ vectors.T"),
    edit("projector_in_place", "`pca_projector` subtracts the mean from x itself, which changes its argument",
         "x -= x.mean(0); return vectors @ vectors.T"),
    edit("projector_half", "`pca_projector` divides the projector by k", "return vectors @ vectors.T / k"),
)


@mistakes.rewrite("`pca_projector` takes the axes from `torch.pca_lowrank` with q = k, which only approximates them")
def projector_lowrank(ref):
    def pca_projector(x, k):
        vectors = torch.pca_lowrank(x, q=k)[2]
        return vectors @ vectors.T

    return {"pca_projector": pca_projector}


@mistakes.rewrite("`pca_projector` takes the axes from `torch.pca_lowrank` without a q: it finds at most six, and these only approximately")
def projector_lowrank_six(ref):
    def pca_projector(x, k):
        vectors = torch.pca_lowrank(x)[2][:, :k]
        return vectors @ vectors.T

    return {"pca_projector": pca_projector}


@mistakes.rewrite("`pca_projector` turns eigenvectors of the N×N matrix into axes, but does not scale these to length 1")
def projector_long_axes(ref):
    def pca_projector(x, k):
        centred = x - x.mean(0)
        axes = centred.T @ torch.linalg.eigh(centred @ centred.T)[1][:, -k:]
        return axes @ axes.T

    return {"pca_projector": pca_projector}


# --- ppca_fit --------------------------------------------------------------------------------------------------------

mistakes.at(
    "values, vectors = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))",
    edit("fit_unbiased", "`ppca_fit` divides by N - 1, as `torch.cov` does; the likelihood is greatest with 1/N",
         "values, vectors = torch.linalg.eigh((x - mean).T @ (x - mean) / (len(x) - 1))"),
    edit("fit_sum", "`ppca_fit` does not divide by N: these are sums of squares, not variances",
         "values, vectors = torch.linalg.eigh((x - mean).T @ (x - mean))"),
    edit("fit_uncentred", "`ppca_fit` decomposes the mean of x xᵀ without subtracting the mean",
         "values, vectors = torch.linalg.eigh(x.T @ x / len(x))"),
    edit("fit_per_dimension", "`ppca_fit` divides the covariance by D as well as by N",
         "values, vectors = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x) / len(mean))"),
    edit("fit_by_dimensions", "`ppca_fit` divides by the number of dimensions; the covariance is a mean over the examples",
         "values, vectors = torch.linalg.eigh((x - mean).T @ (x - mean) / len(mean))"),
    edit("fit_correlations", "`ppca_fit` decomposes the correlations: each dimension is divided by its standard deviation first",
         "c = (x - mean) / x.std(0, correction=0); values, vectors = torch.linalg.eigh(c.T @ c / len(x))"),
    edit("fit_float32", "`ppca_fit` computes in float32 whatever x is; float64 is to stay float64",
         "values, vectors = torch.linalg.eigh(((x - mean).T @ (x - mean) / len(x)).float())"),
    edit("fit_descending", "`ppca_fit` takes the k smallest variances for the kept ones: `eigh` sorts upwards",
         "values, vectors = (v.flip(-1) for v in torch.linalg.eigh((x - mean).T @ (x - mean) / len(x)))"),
    edit("fit_not_reordered", "`ppca_fit` reverses the order of the eigenvalues, but not of the eigenvectors",
         "values, vectors = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x)); vectors = vectors.flip(1)"),
    edit("fit_singular_values", "`ppca_fit` takes standard deviations for eigenvalues; a singular value is to be squared before it is a variance",
         "values, vectors = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x)); values = values.clamp(min=0).sqrt()"),
)

mistakes.at(
    "sigma2 = values[:-k].mean()",
    edit("fit_all_eigenvalues", "`ppca_fit` averages all eigenvalues for sigma2; the kept ones do not count as noise", "sigma2 = values.mean()"),
    edit("fit_sum_of_dropped", "`ppca_fit` adds up the dropped eigenvalues for sigma2; each direction has their mean", "sigma2 = values[:-k].sum()"),
    edit("fit_dropped_over_all", "`ppca_fit` divides the sum of the dropped eigenvalues by D; there are D - k of them",
         "sigma2 = values[:-k].sum() / len(values)"),
    edit("fit_smallest", "`ppca_fit` takes the smallest eigenvalue for sigma2; it is the mean of all that are dropped", "sigma2 = values[0]"),
    edit("fit_first_k", "`ppca_fit` averages the k smallest eigenvalues for sigma2; the D - k smallest are dropped", "sigma2 = values[:k].mean()"),
    edit("fit_next", "`ppca_fit` takes the largest dropped eigenvalue for sigma2; it is the mean of all that are dropped", "sigma2 = values[-k - 1]"),
    edit("fit_kept", "`ppca_fit` averages the kept eigenvalues for sigma2; it is the mean of those that are dropped", "sigma2 = values[-k:].mean()"),
    edit("fit_median", "`ppca_fit` takes the median of the dropped eigenvalues; it is their mean", "sigma2 = values[:-k].median()"),
    edit("fit_std_mean", "`ppca_fit` averages the roots of the dropped eigenvalues and squares the result; variances are averaged",
         "sigma2 = values[:-k].clamp(min=0).sqrt().mean().square()"),
    edit("fit_positive", "`ppca_fit` divides by the number of dropped eigenvalues above zero; with few examples some are zero, and these directions count too: there are D - k",
         "sigma2 = values[:-k][values[:-k] > 1e-12].mean()"),
    edit("fit_off_by_one", "`ppca_fit` averages all dropped eigenvalues but the smallest", "sigma2 = values[min(1, len(values) - k - 1):-k].mean()"),
    edit("fit_includes_kept", "`ppca_fit` counts the last kept eigenvalue among the dropped ones", "sigma2 = values[: len(values) - k + 1].mean()"),
    edit("fit_epsilon", "`ppca_fit` adds an epsilon of 1e-6 to sigma2; small data are drowned by it", "sigma2 = values[:-k].mean() + 1e-6"),
    edit("fit_floor", "`ppca_fit` does not let sigma2 fall below 1e-4; small data are drowned by it", "sigma2 = values[:-k].mean().clamp(min=1e-4)"),
)

mistakes.at(
    "return mean, vectors[:, -k:] * (values[-k:] - sigma2).sqrt(), sigma2",
    edit("fit_W_with_noise", "`ppca_fit` scales W by the whole variance of each axis; the noise adds sigma2 once more",
         "return mean, vectors[:, -k:] * values[-k:].sqrt(), sigma2"),
    edit("fit_W_variances", "`ppca_fit` scales the columns of W by variances; W is a factor, so by their roots",
         "return mean, vectors[:, -k:] * (values[-k:] - sigma2), sigma2"),
    edit("fit_W_difference_of_roots", "`ppca_fit` subtracts σ from the standard deviations; variances are subtracted, and the root comes last",
         "return mean, vectors[:, -k:] * (values[-k:].sqrt() - sigma2.sqrt()), sigma2"),
    edit("fit_W_axes", "`ppca_fit` returns the axes for W, of length 1; they are to be scaled to the data's variances",
         "return mean, vectors[:, -k:], sigma2"),
    edit("fit_W_smallest", "`ppca_fit` takes the eigenvectors of smallest variance for W", "return mean, vectors[:, :k] * (values[-k:] - sigma2).sqrt(), sigma2"),
    edit("fit_W_rows", "`ppca_fit` takes rows of the eigenvectors' matrix for W; each eigenvector is a column",
         "return mean, vectors[-k:].T * (values[-k:] - sigma2).sqrt(), sigma2"),
    edit("fit_W_misordered", "`ppca_fit` pairs each axis with the variance of another: one of the two is in reverse order",
         "return mean, vectors[:, -k:] * (values[-k:].flip(0) - sigma2).sqrt(), sigma2"),
    edit("fit_W_transposed", "`ppca_fit` returns W with the latents as rows; it is D×k", "return mean, (vectors[:, -k:] * (values[-k:] - sigma2).sqrt()).T, sigma2"),
    edit("fit_W_added", "`ppca_fit` adds sigma2 to the variances of W; the noise adds it anyway, so it is to be subtracted",
         "return mean, vectors[:, -k:] * (values[-k:] + sigma2).sqrt(), sigma2"),
    edit("fit_sigma", "`ppca_fit` returns σ; its square is asked for, sigma2", "return mean, vectors[:, -k:] * (values[-k:] - sigma2).sqrt(), sigma2.sqrt()"),
    edit("fit_sigma_used", "`ppca_fit` subtracts σ, not σ², from the variances, and returns σ² rightly",
         "return mean, vectors[:, -k:] * (values[-k:] - sigma2.sqrt()).clamp(min=0).sqrt(), sigma2"),
    edit("fit_log", "`ppca_fit` returns the logarithm of sigma2; sigma2 is asked for", "return mean, vectors[:, -k:] * (values[-k:] - sigma2).sqrt(), sigma2.log()"),
    edit("fit_mean_zero", "`ppca_fit` returns zeros for m; it is the mean of the data", "return 0 * mean, vectors[:, -k:] * (values[-k:] - sigma2).sqrt(), sigma2"),
    edit("fit_covariance", "`ppca_fit` returns the model's covariance for W", "return mean, vectors[:, -k:] @ torch.diag(values[-k:] - sigma2) @ vectors[:, -k:].T, sigma2"),
    edit("fit_reordered", "`ppca_fit` returns (W, m, sigma2); m comes first", "return vectors[:, -k:] * (values[-k:] - sigma2).sqrt(), mean, sigma2"),
    edit("fit_noise_twice", "`ppca_fit` subtracts sigma2 twice", "return mean, vectors[:, -k:] * (values[-k:] - 2 * sigma2).clamp(min=0).sqrt(), sigma2"),
    edit("fit_inverse", "`ppca_fit` divides the axes by their standard deviations, which whitens; W is to restore the variances",
         "return mean, vectors[:, -k:] / (values[-k:] - sigma2).sqrt(), sigma2"),
    edit("fit_one_scale", "`ppca_fit` scales all columns of W alike, by the mean of the kept variances",
         "return mean, vectors[:, -k:] * (values[-k:].mean() - sigma2).sqrt(), sigma2"),
)


@mistakes.rewrite(
    "`ppca_fit` averages the singular values that `svd` returns beyond the first k; with fewer examples than dimensions these are fewer than D - k"
)
def fit_svd_count(ref):
    def ppca_fit(x, k):
        mean = x.mean(0)
        _, values, rows = torch.linalg.svd((x - mean) / math.sqrt(len(x)), full_matrices=False)
        sigma2 = values[k:].square().mean()
        return mean, rows[:k].T * (values[:k].square() - sigma2).sqrt(), sigma2

    return {"ppca_fit": ppca_fit}


@mistakes.rewrite("`ppca_fit` takes axes and variances from `torch.pca_lowrank` with q = k, which only approximates them")
def fit_lowrank(ref):
    def ppca_fit(x, k):
        mean = x.mean(0)
        _, values, vectors = torch.pca_lowrank(x, q=k)
        variances = values.square() / len(x)
        sigma2 = ((x - mean).square().sum() / len(x) - variances.sum()) / (len(mean) - k)
        return mean, vectors * (variances - sigma2).clamp(min=0).sqrt(), sigma2

    return {"ppca_fit": ppca_fit}


@mistakes.rewrite("`ppca_fit` takes the first k eigenvectors of `torch.linalg.eig`, which does not sort them")
def fit_any_order(ref):
    def ppca_fit(x, k):
        mean = x.mean(0)
        values, vectors = (part.real for part in torch.linalg.eig((x - mean).T @ (x - mean) / len(x)))
        sigma2 = values[k:].mean()
        return mean, vectors[:, :k] * (values[:k] - sigma2).clamp(min=0).sqrt(), sigma2

    return {"ppca_fit": ppca_fit}


# --- ppca_log_prob ---------------------------------------------------------------------------------------------------

mistakes.at(
    "cov = W @ W.T + sigma2 * torch.eye(len(W), dtype=W.dtype, device=W.device)",
    edit("log_prob_sigma_squared", "`ppca_log_prob` squares sigma2, which is a variance already",
         "cov = W @ W.T + sigma2 ** 2 * torch.eye(len(W), dtype=W.dtype, device=W.device)"),
    edit("log_prob_sigma", "`ppca_log_prob` adds σ to the diagonal; the variance σ² is to be added",
         "cov = W @ W.T + sigma2.sqrt() * torch.eye(len(W), dtype=W.dtype, device=W.device)"),
    edit("log_prob_no_noise", "`ppca_log_prob` adds 1 to the diagonal whatever sigma2 is",
         "cov = W @ W.T + torch.eye(len(W), dtype=W.dtype, device=W.device) + 0 * sigma2"),
    edit("log_prob_no_latent", "`ppca_log_prob` leaves out the variance that z brings, as if z were known to be 0",
         "cov = 0 * (W @ W.T) + sigma2 * torch.eye(len(W), dtype=W.dtype, device=W.device)"),
    edit("log_prob_everywhere", "`ppca_log_prob` adds sigma2 to every entry of WWᵀ; independent noise adds to the diagonal alone",
         "cov = W @ W.T + sigma2 + 1e-6 * torch.eye(len(W), dtype=W.dtype, device=W.device)"),
    edit("log_prob_diagonal", "`ppca_log_prob` uses only the diagonal of the covariance, as if the pixels were independent; z makes them vary together",
         "cov = torch.diag((W @ W.T).diagonal()) + sigma2 * torch.eye(len(W), dtype=W.dtype, device=W.device)"),
    edit("log_prob_jitter", "`ppca_log_prob` adds 1e-4 to the diagonal, which changes the density where the noise is small",
         "cov = W @ W.T + (sigma2 + 1e-4) * torch.eye(len(W), dtype=W.dtype, device=W.device)"),
    edit("log_prob_jitter_small", "`ppca_log_prob` adds 1e-6 to the diagonal, which changes the density where the noise is small",
         "cov = W @ W.T + (sigma2 + 1e-6) * torch.eye(len(W), dtype=W.dtype, device=W.device)"),
    edit("log_prob_detached_W", "`ppca_log_prob` loses the gradient in W", "W = W.detach(); cov = W @ W.T + sigma2 * torch.eye(len(W), dtype=W.dtype, device=W.device)"),
    edit("log_prob_item", "`ppca_log_prob` makes sigma2 a plain number, so it has no gradient there",
         "cov = W @ W.T + float(sigma2) * torch.eye(len(W), dtype=W.dtype, device=W.device)"),
    edit("log_prob_scaled_W", "`ppca_log_prob` scales WWᵀ by sigma2, too", "cov = sigma2 * (W @ W.T + torch.eye(len(W), dtype=W.dtype, device=W.device))"),
    edit("log_prob_half_W", "`ppca_log_prob` divides WWᵀ by the number of latents", "cov = W @ W.T / W.shape[1] + sigma2 * torch.eye(len(W), dtype=W.dtype, device=W.device)"),
)

mistakes.at(
    "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x)",
    edit("log_prob_not_centred", "`ppca_log_prob` does not subtract the mean", "return torch.distributions.MultivariateNormal(0 * mean, cov).log_prob(x)"),
    edit("log_prob_total", "`ppca_log_prob` adds up all examples; one number for each is asked for", "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x).sum()"),
    edit("log_prob_average", "`ppca_log_prob` averages over the examples; one number for each is asked for",
         "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x).mean()"),
    edit("log_prob_per_dimension", "`ppca_log_prob` divides by D; a log-density is summed over dimensions",
         "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x) / len(mean)"),
    edit("log_prob_bits", "`ppca_log_prob` is in bits; nats are asked for", "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x) / math.log(2)"),
    edit("log_prob_negative", "`ppca_log_prob` returns minus log p", "return -torch.distributions.MultivariateNormal(mean, cov).log_prob(x)"),
    edit("log_prob_density", "`ppca_log_prob` returns the density, not its logarithm", "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x).exp()"),
    edit("log_prob_no_constant", "`ppca_log_prob` leaves out ½ D log 2π",
         "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x) + 0.5 * len(mean) * math.log(2 * math.pi)"),
    edit("log_prob_constant_once", "`ppca_log_prob` counts log 2π once; each of the D dimensions has it",
         "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x) + 0.5 * (len(mean) - 1) * math.log(2 * math.pi)"),
    edit("log_prob_constant_of_latents", "`ppca_log_prob` counts log 2π for the k latents; the density is that of D pixels",
         "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x) + 0.5 * (len(mean) - W.shape[1]) * math.log(2 * math.pi)"),
    edit("log_prob_whole_logdet", "`ppca_log_prob` subtracts log|C|; half of it is asked for",
         "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x) - 0.5 * torch.logdet(cov)"),
    edit("log_prob_quarter_logdet", "`ppca_log_prob` halves the log-determinant once too often: the log-diagonal of a Cholesky factor adds up to half of it already",
         "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x) + 0.25 * torch.logdet(cov)"),
    edit("log_prob_of_density", "`ppca_log_prob` takes the logarithm of the density, which is rounded to 0 or overflows in many dimensions",
         "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x).exp().log()"),
    edit("log_prob_x_detached", "`ppca_log_prob` loses the gradient in x", "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x.detach())"),
    edit("log_prob_no_logdet", "`ppca_log_prob` leaves out the log-determinant of the covariance",
         "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x) + 0.5 * torch.logdet(cov)"),
    edit("log_prob_logdet_sign", "`ppca_log_prob` adds half the log-determinant; a wide density is low, so it is subtracted",
         "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x) + torch.logdet(cov)"),
    edit("log_prob_det", "`ppca_log_prob` takes the logarithm of a determinant, which is rounded to 0 or overflows in many dimensions",
         "solved = torch.linalg.solve(cov, (x - mean).T).T; "
         "return -0.5 * (((x - mean) * solved).sum(1) + torch.log(torch.det(cov)) + len(mean) * math.log(2 * math.pi))"),
    edit("log_prob_det_guarded", "`ppca_log_prob` adds an epsilon to the determinant before the logarithm; in many dimensions the determinant is far smaller",
         "solved = torch.linalg.solve(cov, (x - mean).T).T; "
         "return -0.5 * (((x - mean) * solved).sum(1) + torch.log(torch.det(cov) + 1e-12) + len(mean) * math.log(2 * math.pi))"),
    edit("log_prob_whole_square", "`ppca_log_prob` lacks the factor ½ of the quadratic form",
         "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x) - 0.5 * ((x - mean) * torch.linalg.solve(cov, (x - mean).T).T).sum(1)"),
    edit("log_prob_not_inverted", "`ppca_log_prob` multiplies with the covariance in the quadratic form; its inverse is needed",
         "return -0.5 * (((x - mean) @ cov * (x - mean)).sum(1) + torch.logdet(cov) + len(mean) * math.log(2 * math.pi))"),
    edit("log_prob_no_grad", "`ppca_log_prob` carries no gradient", "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x).detach()"),
    edit("log_prob_mean_detached", "`ppca_log_prob` loses the gradient in the mean", "return torch.distributions.MultivariateNormal(mean.detach(), cov).log_prob(x)"),
    edit("log_prob_factor", "`ppca_log_prob` hands the covariance over as a Cholesky factor (scale_tril)",
         "return torch.distributions.MultivariateNormal(mean, scale_tril=cov.tril()).log_prob(x)"),
    edit("log_prob_precision", "`ppca_log_prob` hands the covariance over as a precision", "return torch.distributions.MultivariateNormal(mean, precision_matrix=cov).log_prob(x)"),
    edit("log_prob_clamped", "`ppca_log_prob` cuts at -100 nats; an unlikely image costs more", "return torch.distributions.MultivariateNormal(mean, cov).log_prob(x).clamp(min=-100)"),
)


@mistakes.rewrite("`ppca_log_prob` is log p(x | z) at the posterior's mean of z; the integral over z is missing")
def log_prob_given_z(ref):
    def ppca_log_prob(x, mean, W, sigma2):
        z = ref.ppca_posterior(x, mean, W, sigma2)[0]
        return torch.distributions.Normal(mean + z @ W.T, sigma2.sqrt()).log_prob(x).sum(1)

    return {"ppca_log_prob": ppca_log_prob}


@mistakes.rewrite("`ppca_log_prob` is the joint log p(x, z) at the posterior's mean of z; (1.5) also subtracts log p(z | x)")
def log_prob_joint(ref):
    def ppca_log_prob(x, mean, W, sigma2):
        z = ref.ppca_posterior(x, mean, W, sigma2)[0]
        normal = torch.distributions.Normal
        return normal(mean + z @ W.T, sigma2.sqrt()).log_prob(x).sum(1) + normal(0.0, 1.0).log_prob(z).sum(1)

    return {"ppca_log_prob": ppca_log_prob}


@mistakes.rewrite("`ppca_log_prob` has no gradient in W: that of `eigh` is NaN where eigenvalues are equal, as D - k of the covariance's are")
def log_prob_eigh(ref):
    def ppca_log_prob(x, mean, W, sigma2):
        values, vectors = torch.linalg.eigh(W @ W.T + sigma2 * torch.eye(len(W), dtype=W.dtype, device=W.device))
        white = (x - mean) @ vectors / values.sqrt()
        return -0.5 * (white.square().sum(1) + values.log().sum() + len(mean) * math.log(2 * math.pi))

    return {"ppca_log_prob": ppca_log_prob}


def short_way(ref, logdet_of):
    """log p(x) through the k×k matrix WᵀW + σ²I, with a log-determinant of one's own."""

    def ppca_log_prob(x, mean, W, sigma2):
        d, k = W.shape
        M = W.T @ W + sigma2 * torch.eye(k, dtype=W.dtype, device=W.device)
        c = x - mean
        square = (c.square().sum(1) - (c @ W * torch.linalg.solve(M, W.T @ c.T).T).sum(1)) / sigma2
        return -0.5 * (square + logdet_of(M, d, k, sigma2) + d * math.log(2 * math.pi))

    return {"ppca_log_prob": ppca_log_prob}


@mistakes.rewrite("`ppca_log_prob` takes the log-determinant of WᵀW + σ²I for that of the covariance; (D - k) log σ² is missing")
def log_prob_small_logdet(ref):
    return short_way(ref, lambda M, d, k, sigma2: torch.logdet(M))


@mistakes.rewrite("`ppca_log_prob` counts log σ² for all D directions beside log|WᵀW + σ²I|; only D - k are left")
def log_prob_noise_everywhere(ref):
    return short_way(ref, lambda M, d, k, sigma2: torch.logdet(M) + d * sigma2.log())


@mistakes.rewrite("`ppca_log_prob` takes the columns of W for orthogonal in the log-determinant; W may be any matrix")
def log_prob_orthogonal_logdet(ref):
    return short_way(ref, lambda M, d, k, sigma2: M.diagonal().log().sum() + (d - k) * sigma2.log())


@mistakes.rewrite("`ppca_log_prob` takes the columns of W for orthogonal; W may be any matrix")
def log_prob_orthogonal(ref):
    def ppca_log_prob(x, mean, W, sigma2):
        d, k = W.shape
        variances, c = W.square().sum(0) + sigma2, x - mean
        square = (c.square().sum(1) - ((c @ W).square() / variances).sum(1)) / sigma2
        return -0.5 * (square + variances.log().sum() + (d - k) * sigma2.log() + d * math.log(2 * math.pi))

    return {"ppca_log_prob": ppca_log_prob}


# --- ppca_posterior --------------------------------------------------------------------------------------------------

mistakes.at(
    "precision = W.T @ W / sigma2 + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)",
    edit("posterior_no_prior", "`ppca_posterior` forgets the prior: its precision I is missing, so nothing pulls z towards 0",
         "precision = W.T @ W / sigma2 + 1e-12 * torch.eye(W.shape[1], dtype=W.dtype, device=W.device)"),
    edit("posterior_noise_ignored", "`ppca_posterior` uses WᵀW + I, as if sigma2 were 1",
         "precision = W.T @ W + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)"),
    edit("posterior_unit_noise", "`ppca_posterior` leaves out sigma2, for the covariance and for the means, as if it were 1",
         "precision = W.T @ W + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)",
         ("return (x - mean) @ W @ cov / sigma2, cov", "return (x - mean) @ W @ cov, cov")),
    edit("posterior_squared_twice", "`ppca_posterior` squares sigma2, which is a variance already, for the covariance and for the means",
         "precision = W.T @ W / sigma2 ** 2 + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)",
         ("return (x - mean) @ W @ cov / sigma2, cov", "return (x - mean) @ W @ cov / sigma2 ** 2, cov")),
    edit("posterior_sigma_twice", "`ppca_posterior` divides by σ, for the covariance and for the means; the variance σ² is needed",
         "precision = W.T @ W / sigma2.sqrt() + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)",
         ("return (x - mean) @ W @ cov / sigma2, cov", "return (x - mean) @ W @ cov / sigma2.sqrt(), cov")),
    edit("posterior_sigma", "`ppca_posterior` divides WᵀW by σ; the variance σ² is needed",
         "precision = W.T @ W / sigma2.sqrt() + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)"),
    edit("posterior_squared", "`ppca_posterior` squares sigma2, which is a variance already",
         "precision = W.T @ W / sigma2 ** 2 + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)"),
    edit("posterior_times", "`ppca_posterior` multiplies WᵀW by sigma2; little noise must make z more certain",
         "precision = W.T @ W * sigma2 + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)"),
    edit("posterior_diagonal", "`ppca_posterior` keeps only the diagonal of the precision and inverts that; the latents are dependent given x",
         "precision = torch.diag((W.T @ W).diagonal()) / sigma2 + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)"),
    edit("posterior_ones", "`ppca_posterior` adds 1 to every entry of the precision; the prior's precision is I",
         "precision = W.T @ W / sigma2 + 1"),
    edit("posterior_M", "`ppca_posterior` inverts WᵀW + σ²I, and does not multiply by σ²; its mean is divided by σ² as well",
         "precision = W.T @ W + sigma2 * torch.eye(W.shape[1], dtype=W.dtype, device=W.device)"),
    edit("posterior_jitter", "`ppca_posterior` adds 1e-4 to sigma2, which changes the posterior where the noise is small",
         "precision = W.T @ W / (sigma2 + 1e-4) + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)"),
    edit("posterior_jitter_small", "`ppca_posterior` adds 1e-6 to sigma2, which changes the posterior where the noise is small",
         "precision = W.T @ W / (sigma2 + 1e-6) + torch.eye(W.shape[1], dtype=W.dtype, device=W.device)"),
)

mistakes.at(
    "cov = torch.linalg.inv(precision)",
    edit("posterior_precision", "`ppca_posterior` returns the precision for the covariance, and uses it for the mean", "cov = precision"),
    edit("posterior_halved", "`ppca_posterior` keeps a factor ½ of the exponent in the covariance", "cov = torch.linalg.inv(2 * precision)"),
    edit("posterior_doubled", "`ppca_posterior` loses the factor ½ of the exponent: the covariance comes out twice as large", "cov = 2 * torch.linalg.inv(precision)"),
    edit("posterior_entrywise", "`ppca_posterior` inverts the precision entry by entry; a matrix inverse is needed", "cov = 1 / precision"),
    edit("posterior_marginal_only", "`ppca_posterior` returns only the diagonal of the covariance; k×k is asked for",
         "cov = torch.diag(torch.linalg.inv(precision).diagonal())"),
)

mistakes.at(
    "return (x - mean) @ W @ cov / sigma2, cov",
    edit("posterior_not_centred", "`ppca_posterior` does not subtract m from x", "return x @ W @ cov / sigma2, cov"),
    edit("posterior_sign", "`ppca_posterior` has the means with the wrong sign", "return (mean - x) @ W @ cov / sigma2, cov"),
    edit("posterior_undivided", "`ppca_posterior` does not divide the means by sigma2", "return (x - mean) @ W @ cov, cov"),
    edit("posterior_mean_times", "`ppca_posterior` multiplies the means by sigma2; they are to be divided by it", "return (x - mean) @ W @ cov * sigma2, cov"),
    edit("posterior_data_mean", "`ppca_posterior` subtracts the mean of the given x; m is the model's", "return (x - x.mean(0)) @ W @ cov / sigma2, cov"),
    edit("posterior_projection", "`ppca_posterior` returns Wᵀ(x - m) for the means; the covariance is not applied", "return (x - mean) @ W, cov"),
    edit("posterior_pca_code", "`ppca_posterior` takes the code of least squares for the means, without the pull of the prior towards 0",
         "return (x - mean) @ torch.linalg.pinv(W).T, cov"),
    edit("posterior_std_mean", "`ppca_posterior` divides the means by σ; the variance σ² is needed", "return (x - mean) @ W @ cov / sigma2.sqrt(), cov"),
    edit("posterior_transposed", "`ppca_posterior` returns the means as columns; one row for each example is asked for", "return ((x - mean) @ W @ cov / sigma2).T, cov"),
    edit("posterior_for_each", "`ppca_posterior` repeats the covariance for each example; it is the same for all, k×k",
         "return (x - mean) @ W @ cov / sigma2, cov.expand(len(x), *cov.shape)"),
    edit("posterior_swapped", "`ppca_posterior` returns the covariance first; the means come first", "return cov, (x - mean) @ W @ cov / sigma2"),
    edit("posterior_factor", "`ppca_posterior` returns a Cholesky factor for the covariance", "return (x - mean) @ W @ cov / sigma2, torch.linalg.cholesky(cov)"),
    edit("posterior_variances", "`ppca_posterior` returns the variances alone; the covariance is asked for, k×k", "return (x - mean) @ W @ cov / sigma2, cov.diagonal()"),
    edit("posterior_std", "`ppca_posterior` returns standard deviations; the covariance is asked for, k×k", "return (x - mean) @ W @ cov / sigma2, cov.diagonal().sqrt()"),
    edit("posterior_product", "`ppca_posterior` returns σ²WᵀW for the covariance; where W is large, z is known *better*, so the inverse of WᵀW + σ²I is needed",
         "return (x - mean) @ W @ cov / sigma2, sigma2 * W.T @ W"),
    edit("posterior_inverse_M", "`ppca_posterior` returns the inverse of WᵀW + σ²I for the covariance; a factor σ² is missing",
         "return (x - mean) @ W @ cov / sigma2, cov / sigma2"),
    edit("posterior_scaled_twice", "`ppca_posterior` multiplies the covariance by σ² once too often", "return (x - mean) @ W @ cov / sigma2, cov * sigma2"),
    edit("posterior_prior_covariance", "`ppca_posterior` returns the prior's covariance I; an observed x makes z more certain",
         "return (x - mean) @ W @ cov / sigma2, torch.eye(W.shape[1], dtype=W.dtype, device=W.device)"),
    edit("posterior_first_example", "`ppca_posterior` returns the mean of one example for all", "return ((x - mean) @ W @ cov / sigma2)[:1].expand(len(x), -1), cov"),
    edit("posterior_rebuilt", "`ppca_posterior` returns images, m + W z, for the means; the means of z are asked for",
         "return mean + (x - mean) @ W @ cov / sigma2 @ W.T, cov"),
    edit("posterior_of_noise", "`ppca_posterior` returns σ²(WᵀW)⁻¹ for the covariance: the prior's part is missing there, but not in the means",
         "return (x - mean) @ W @ cov / sigma2, torch.linalg.pinv(precision - torch.eye(W.shape[1], dtype=W.dtype, device=W.device))"),
    edit("posterior_predictive", "`ppca_posterior` returns I - WᵀW for the covariance, without the inverse of the data's covariance between the factors",
         "return (x - mean) @ W @ cov / sigma2, torch.eye(W.shape[1], dtype=W.dtype, device=W.device) - W.T @ W"),
)

# --- Autoencoder -----------------------------------------------------------------------------------------------------

mistakes.at(
    "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, latent))",
    edit("network_code_relu", "`Autoencoder` puts a ReLU behind the code, so no code is negative",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, latent), nn.ReLU())"),
    edit("network_code_tanh", "`Autoencoder` puts a tanh behind the code, which keeps codes between -1 and 1",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, latent), nn.Tanh())"),
    edit("network_code_sigmoid", "`Autoencoder` puts a sigmoid behind the code, which keeps codes between 0 and 1",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, latent), nn.Sigmoid())"),
    edit("network_code_softmax", "`Autoencoder` puts a softmax behind the code, so its numbers sum to 1",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, latent), nn.Softmax(1))"),
    edit("network_code_normalised", "`Autoencoder` normalises the code; nothing is to follow it",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, latent), nn.LayerNorm(latent, elementwise_affine=False))"),
    edit("network_linear_encoder", "`Autoencoder` has no ReLU in the encoder, so its two layers are one linear map",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.Linear(hidden, latent))"),
    edit("network_one_layer", "`Autoencoder` has no hidden layer in the encoder", "self.encoder = nn.Sequential(nn.Linear(pixels, latent))"),
    edit("network_no_bias", "`Autoencoder` has layers without biases",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, latent, bias=False))"),
    edit("network_sigmoid_encoder", "`Autoencoder` has a sigmoid in the encoder's hidden layer; a ReLU is asked for",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.Sigmoid(), nn.Linear(hidden, latent))"),
    edit("network_tanh_encoder", "`Autoencoder` has a tanh in the encoder's hidden layer; a ReLU is asked for",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.Tanh(), nn.Linear(hidden, latent))"),
    edit("network_gelu", "`Autoencoder` has GELUs in the encoder's hidden layer; a ReLU is asked for",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.GELU(), nn.Linear(hidden, latent))"),
    edit("network_gelus", "`Autoencoder` has GELUs behind its hidden layers; ReLUs are asked for",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.GELU(), nn.Linear(hidden, latent))",
         ("self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())",
          "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.GELU(), nn.Linear(hidden, pixels), nn.Sigmoid())")),
    edit("network_tanhs", "`Autoencoder` has tanhs behind its hidden layers; ReLUs are asked for",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.Tanh(), nn.Linear(hidden, latent))",
         ("self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())",
          "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.Tanh(), nn.Linear(hidden, pixels), nn.Sigmoid())")),
    edit("network_sigmoids", "`Autoencoder` has sigmoids behind its hidden layers; ReLUs are asked for",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.Sigmoid(), nn.Linear(hidden, latent))",
         ("self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())",
          "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.Sigmoid(), nn.Linear(hidden, pixels), nn.Sigmoid())")),
    edit("network_leakys", "`Autoencoder` has leaky ReLUs behind its hidden layers; ReLUs are asked for",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.LeakyReLU(), nn.Linear(hidden, latent))",
         ("self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())",
          "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.LeakyReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())")),
    edit("network_elus", "`Autoencoder` has ELUs behind its hidden layers; ReLUs are asked for",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ELU(), nn.Linear(hidden, latent))",
         ("self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())",
          "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ELU(), nn.Linear(hidden, pixels), nn.Sigmoid())")),
    edit("network_silus", "`Autoencoder` has SiLUs behind its hidden layers; ReLUs are asked for",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.SiLU(), nn.Linear(hidden, latent))",
         ("self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())",
          "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.SiLU(), nn.Linear(hidden, pixels), nn.Sigmoid())")),
    edit("network_linear", "`Autoencoder` has no ReLUs at all, so each half is one linear map",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.Linear(hidden, latent))",
         ("self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())",
          "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.Linear(hidden, pixels), nn.Sigmoid())")),
    edit("network_leaky", "`Autoencoder` has leaky ReLUs in the encoder; a ReLU is 0 for negative numbers",
         "self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.LeakyReLU(), nn.Linear(hidden, latent))"),
)

mistakes.at(
    "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())",
    edit("network_no_sigmoid", "`Autoencoder` draws pixels without a sigmoid, so they may lie outside of 0 to 1",
         "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels))"),
    edit("network_tanh_pixels", "`Autoencoder` ends with a tanh, so pixels lie between -1 and 1; a sigmoid is asked for",
         "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Tanh())"),
    edit("network_relu_pixels", "`Autoencoder` ends with a ReLU, so pixels may exceed 1; a sigmoid is asked for",
         "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.ReLU())"),
    edit("network_relu_sigmoid", "`Autoencoder` has a ReLU before the last sigmoid, so no pixel is darker than ½",
         "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.ReLU(), nn.Sigmoid())"),
    edit("network_sigmoid_twice", "`Autoencoder` applies the sigmoid twice, so no pixel is darker than ½",
         "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid(), nn.Sigmoid())"),
    edit("network_linear_decoder", "`Autoencoder` has no ReLU in the decoder",
         "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.Linear(hidden, pixels), nn.Sigmoid())"),
    edit("network_relu_code_decoder", "`Autoencoder` applies a ReLU to the code before it is drawn",
         "self.decoder = nn.Sequential(nn.ReLU(), nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid())"),
    edit("network_sigmoid_decoder", "`Autoencoder` has a sigmoid in the decoder's hidden layer; a ReLU is asked for",
         "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.Sigmoid(), nn.Linear(hidden, pixels), nn.Sigmoid())"),
    edit("network_tanh_decoder", "`Autoencoder` has a tanh in the decoder's hidden layer; a ReLU is asked for",
         "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.Tanh(), nn.Linear(hidden, pixels), nn.Sigmoid())"),
    edit("network_softmax_pixels", "`Autoencoder` ends with a softmax, so the pixels of an image sum to 1; a sigmoid is asked for",
         "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Softmax(1))"),
    edit("network_clamped_pixels", "`Autoencoder` cuts pixels to 0 … 1; a sigmoid is asked for, which has a gradient everywhere",
         "self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Hardtanh(0, 1))"),
    edit("network_list", "`Autoencoder` keeps its decoder in a plain list, so its layers are no parameters of the model",
         "self.decoder = (lambda layers: lambda z: layers[2](F.relu(layers[0](z))).sigmoid())([nn.Linear(latent, hidden), None, nn.Linear(hidden, pixels)])"),
)

mistakes.at(
    "return self.encoder(x.flatten(1))",
    edit("network_flattened_last", "`Autoencoder` flattens images with the channels last", "return self.encoder(x.movedim(1, -1).flatten(1))"),
    edit("network_last_both", "`Autoencoder` orders pixels with the channels last, in `encode` and in `decode`; channels come first",
         "return self.encoder(x.movedim(1, -1).flatten(1))",
         ("return self.decoder(z).reshape(-1, *self.shape)", "return self.decoder(z).reshape(-1, *self.shape[1:], self.shape[0]).movedim(-1, 1)")),
    edit("network_flattened_columns", "`Autoencoder` flattens images column by column; rows come first", "return self.encoder(x.transpose(2, 3).flatten(1))"),
    edit("network_rescaled", "`Autoencoder` maps the pixels to -1 … 1 before it encodes them", "return self.encoder(2 * x.flatten(1) - 1)"),
    edit("network_centred", "`Autoencoder` subtracts the batch's mean from x, so the code of an image depends on the others", "return self.encoder(x.flatten(1) - x.flatten(1).mean(0))"),
    edit("network_codes_detached", "`Autoencoder` detaches the code, so the encoder learns nothing", "return self.encoder(x.flatten(1)).detach()"),
    edit("network_noisy", "`Autoencoder` adds noise to the code", "return (lambda z: z + 0.1 * torch.randn(z.shape, generator=torch.Generator().manual_seed(0)).to(z))(self.encoder(x.flatten(1)))"),
)

mistakes.at(
    "return self.decoder(z).reshape(-1, *self.shape)",
    edit("network_flat_images", "`Autoencoder` draws flat images; `decode` returns (N, C, H, W)", "return self.decoder(z)",
         ("return (self.decode(self.encode(x)) - x).square().flatten(1).sum(1)", "return (self.decode(self.encode(x)) - x.flatten(1)).square().sum(1)")),
    edit("network_channels_last", "`Autoencoder` fills its images with the channels last", "return self.decoder(z).reshape(-1, *self.shape[1:], self.shape[0]).movedim(-1, 1)"),
    edit("network_columns", "`Autoencoder` fills its images column by column", "return self.decoder(z).reshape(-1, self.shape[0], self.shape[2], self.shape[1]).transpose(2, 3)"),
    edit("network_grey_only", "`Autoencoder` draws one channel where the shape says more", "return self.decoder(z).reshape(-1, *self.shape)[:, :1]"),
    edit("network_no_channel", "`Autoencoder` draws images without the axis of channels", "return self.decoder(z).reshape(-1, *self.shape).squeeze(1)",
         ("return (self.decode(self.encode(x)) - x).square().flatten(1).sum(1)", "return (self.decode(self.encode(x)).reshape(x.shape) - x).square().flatten(1).sum(1)")),
    edit("network_rounded", "`Autoencoder` rounds the pixels that it draws", "return self.decoder(z).reshape(-1, *self.shape).round()"),
)

mistakes.at(
    "return (self.decode(self.encode(x)) - x).square().flatten(1).sum(1)",
    edit("error_mean_of_pixels", "`squared_error` averages over the pixels; their sum is asked for", "return (self.decode(self.encode(x)) - x).square().flatten(1).mean(1)"),
    edit("error_mean", "`squared_error` averages over everything; one number for each image is asked for", "return (self.decode(self.encode(x)) - x).square().mean()"),
    edit("error_sum", "`squared_error` adds up all images; one number for each is asked for", "return (self.decode(self.encode(x)) - x).square().sum()"),
    edit("error_mean_of_sums", "`squared_error` averages the images' sums; one number for each image is asked for",
         "return (self.decode(self.encode(x)) - x).square().flatten(1).sum(1).mean()"),
    edit("error_half", "`squared_error` halves the sum of squares", "return 0.5 * (self.decode(self.encode(x)) - x).square().flatten(1).sum(1)"),
    edit("error_root", "`squared_error` takes the root of the sum of squares", "return (self.decode(self.encode(x)) - x).square().flatten(1).sum(1).sqrt()"),
    edit("error_absolute", "`squared_error` adds up absolute differences; squares are asked for", "return (self.decode(self.encode(x)) - x).abs().flatten(1).sum(1)"),
    edit("error_of_pixels", "`squared_error` returns one number for each pixel; their sum is asked for", "return (self.decode(self.encode(x)) - x).square()"),
    edit("error_of_channels", "`squared_error` sums over rows and columns, but not over channels", "return (self.decode(self.encode(x)) - x).square().sum((2, 3))"),
    edit("error_channels_averaged", "`squared_error` averages over the channels; the sum over all pixels is asked for", "return (self.decode(self.encode(x)) - x).square().mean(1).flatten(1).sum(1)"),
    edit("error_squared_sum", "`squared_error` squares the sum of the differences, in which errors of opposite sign cancel",
         "return (self.decode(self.encode(x)) - x).flatten(1).sum(1).square()"),
    edit("error_cross_entropy", "`squared_error` is a cross-entropy; squared differences are asked for",
         'return F.binary_cross_entropy(self.decode(self.encode(x)), x, reduction="none").flatten(1).sum(1)'),
    edit("error_by_images", "`squared_error` sums over the images, and returns one number for each pixel", "return (self.decode(self.encode(x)) - x).square().flatten(1).sum(0)"),
    edit("error_detached", "`squared_error` carries no gradient: the drawn image is detached from the weights, so nothing can be learnt from it",
         "return (self.decode(self.encode(x)).detach() - x).square().flatten(1).sum(1)"),
    edit("error_of_codes", "`squared_error` compares the code of the drawn image with the code of x; the images are compared",
         "return (self.encode(self.decode(self.encode(x))) - self.encode(x)).square().sum(1)"),
    edit("error_signed", "`squared_error` is negative", "return -(self.decode(self.encode(x)) - x).square().flatten(1).sum(1)"),
    edit("error_log", "`squared_error` is the logarithm of the sum of squares", "return (self.decode(self.encode(x)) - x).square().flatten(1).sum(1).log()"),
)


@mistakes.rewrite("`Autoencoder` gives the same images other codes in a second call, as dropout or noise does; nothing random is asked for")
def network_random(ref):
    class Autoencoder(ref.Autoencoder):
        def __init__(self, shape, hidden, latent):
            super().__init__(shape, hidden, latent)
            self.encoder.insert(2, nn.Dropout(0.2))

    return {"Autoencoder": Autoencoder}


@mistakes.rewrite("`Autoencoder` has batch normalisation, so an image's code depends on the others; four linear layers are asked for")
def network_batch_norm(ref):
    class Autoencoder(ref.Autoencoder):
        def __init__(self, shape, hidden, latent):
            super().__init__(shape, hidden, latent)
            self.encoder.insert(1, nn.BatchNorm1d(hidden))

    return {"Autoencoder": Autoencoder}
