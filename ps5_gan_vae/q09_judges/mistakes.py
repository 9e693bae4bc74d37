"""Named wrong versions of the answers to question 9."""

import math

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- inception_score ------------------------------------------------------------------------------------------------

mistakes.at(
    "p = logits.double().softmax(1)",
    edit("is_softmax_pictures", "`inception_score` makes probabilities over the pictures; each picture's own classes sum to 1", "p = logits.double().softmax(0)"),
    edit("is_sigmoid", "`inception_score` makes a probability of each logit alone; the classes exclude each other and sum to 1", "p = logits.double().sigmoid()"),
    edit("is_logits_as_probs", "`inception_score` takes logits for probabilities", "p = logits.double().clamp(min=0)"),
    edit("is_exp_unnormalised", "`inception_score` takes the exponential of logits without dividing by its sum", "p = logits.double().exp()"),
    edit("is_exp_overflow", "`inception_score` takes the exponential of logits before anything is subtracted: it overflows, or all underflow to 0/0", "p = logits.float().exp().double(); p = p / p.sum(1, keepdim=True)"),
    edit("is_float32", "`inception_score` computes in float32; if pictures hardly differ, the score's distance from 1 is lost in rounding", "p = logits.float().softmax(1)"),
    edit("is_float32_probs", "`inception_score` makes the probabilities in the precision of the logits, and only then goes to float64", "p = logits.softmax(1).double()"),
    edit("is_log_probs", "`inception_score` takes log-probabilities for probabilities", "p = logits.double().log_softmax(1)"),
    edit("is_hard_labels", "`inception_score` takes the most probable class for certain; then a picture that is unclear counts as clear", "p = F.one_hot(logits.argmax(1), logits.shape[1]).double()"),
    edit("is_logits_clamped", "`inception_score` cuts logits off; shifting all logits of a picture must change nothing", "p = logits.double().clamp(-30, 30).softmax(1)"),
    edit("is_eps_in_p", "`inception_score` adds a constant to the probabilities; that moves the score wherever a class is improbable", "p = logits.double().softmax(1) + 1e-3; p = p / p.sum(1, keepdim=True)"),
    edit("is_temperature", "`inception_score` divides the logits by a constant first", "p = (logits.double() / 2).softmax(1)"),
    edit("is_standardised", "`inception_score` normalises the logits first", "p = (logits.double() - logits.double().nan_to_num(neginf=-300).mean(0)).softmax(1)"),
)

mistakes.at(
    "return (torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).mean().exp()",
    edit("is_log_zero", "`inception_score` multiplies 0 by log 0, which is NaN; 0 log 0 counts as 0", "return (p * (p.log() - p.mean(0).log())).sum(1).mean().exp()"),
    edit("is_log_zero_marginal", "`inception_score` is NaN where no picture can have some class: 0 log 0 of the mean counts as 0, too", "return (torch.xlogy(p, p) - p * p.mean(0).log()).sum(1).mean().exp()"),
    edit("is_eps_log", "`inception_score` adds a constant inside a logarithm; where a probability is smaller than it, the score is wrong", "return (p * ((p + 1e-3).log() - (p.mean(0) + 1e-3).log())).sum(1).mean().exp()"),
    edit("is_eps_small", "`inception_score` adds a small constant inside the logarithms; where pictures hardly differ, that moves its distance from 1", "return (p * ((p + 1e-6).log() - (p.mean(0) + 1e-6).log())).sum(1).mean().exp()"),
    edit("is_no_exp", "`inception_score` returns the mean divergence in nats; (9.1) is its exponential", "return (torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).mean()"),
    edit("is_bits", "`inception_score` takes the divergence in bits and then e to the power of it", "return ((torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).mean() / math.log(2)).exp()"),
    edit("is_mean_of_exp", "`inception_score` averages the exponentials; (9.1) is the exponential of the average", "return (torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).exp().mean()"),
    edit("is_mean_classes", "`inception_score` averages over the classes where the divergence sums", "return (torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).mean().exp()"),
    edit("is_sum_pictures", "`inception_score` sums the divergences of the pictures; (9.1) has their mean", "return (torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).sum().clamp(max=300).exp()"),
    edit("is_marginal_axis", "`inception_score` compares with equal classes, 1/K each, or averages over a picture's own classes, which is the same; p̄ is the mean over pictures", "return (torch.xlogy(p, p) - torch.xlogy(p, p.mean(1, keepdim=True))).sum(1).mean().exp()"),
    edit("is_marginal_sum", "`inception_score` sums the probabilities over pictures where p̄ is their mean", "return (torch.xlogy(p, p) - torch.xlogy(p, p.sum(0))).sum(1).mean().exp()"),
    edit("is_marginal_first", "`inception_score` computes p̄ from half of the pictures; (9.1) has all of them", "return (torch.xlogy(p, p) - torch.xlogy(p, p[: max(1, len(p) // 2)].mean(0).clamp(min=1e-30))).sum(1).mean().exp()"),
    edit("is_kl_reversed", "`inception_score` has the divergence the wrong way round: from p̄ to each picture", "q = p.mean(0); return (torch.xlogy(q, q) - torch.xlogy(q, p.clamp(min=1e-300))).sum(1).mean().clamp(max=300).exp()"),
    edit("is_entropy_sign", "`inception_score` has the sign of the divergence wrong", "return (torch.xlogy(p, p.mean(0)) - torch.xlogy(p, p)).sum(1).mean().exp()"),
    edit("is_entropies_added", "`inception_score` adds the two entropies; the score takes their difference", "return (-torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).mean().exp()"),
    edit("is_marginal_entropy", "`inception_score` looks only at the classes of all together; unclear pictures must lower it", "return (-torch.xlogy(p, p.mean(0))).sum(1).mean().exp()"),
    edit("is_picture_entropy", "`inception_score` looks only at how clear each picture is; missing classes must lower it", "return (torch.xlogy(p, p)).sum(1).mean().exp()"),
    edit("is_share_of_k", "`inception_score` divides by the number of classes; (9.1) goes from 1 to K", "return (torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).mean().exp() / p.shape[1]"),
    edit("is_median", "`inception_score` takes the median of the divergences; (9.1) has their mean", "return (torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).median().exp()"),
    edit("is_bessel", "`inception_score` divides the sum over pictures by M - 1", "return ((torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum() / max(1, len(p) - 1)).exp()"),
    edit("is_geometric", "`inception_score` makes p̄ from the mean of logarithms; it is the mean of probabilities", "q = p.clamp(min=1e-300).log().mean(0).softmax(0); return (torch.xlogy(p, p) - torch.xlogy(p, q.clamp(min=1e-300))).sum(1).mean().clamp(max=300).exp()"),
    edit("is_js", "`inception_score` averages the divergence from p̄ with that to p̄", "q = p.mean(0); return (((p - q) * (p.clamp(min=1e-300).log() - q.clamp(min=1e-300).log())).sum(1).mean() / 2).clamp(max=300).exp()"),
    edit("is_rounded", "`inception_score` rounds, or drops digits", "return ((torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).mean().exp() * 1000).round() / 1000"),
    edit("is_base_two_power", "`inception_score` takes 2 to the power of nats; the exponential belongs to natural logarithms", "return 2 ** (torch.xlogy(p, p) - torch.xlogy(p, p.mean(0))).sum(1).mean()"),
)

# --- frechet_distance -----------------------------------------------------------------------------------------------


mistakes.at(
    "cov_x, cov_z = (torch.cov(points.T).reshape(x.shape[1], x.shape[1]) for points in (x, z))",
    edit("fd_biased", "`frechet_distance` divides the covariance by n; here it is divided by n - 1", "cov_x, cov_z = (torch.cov(points.T, correction=0).reshape(x.shape[1], x.shape[1]) for points in (x, z))"),
    edit("fd_biased_one", "`frechet_distance` divides one covariance by n and the other by n - 1", "cov_x, cov_z = (torch.cov(points.T, correction=c).reshape(x.shape[1], x.shape[1]) for points, c in ((x, 1), (z, 0)))"),
    edit("fd_one_feature", "`frechet_distance` stops or is wrong for one feature: `torch.cov` returns a single number there, not a matrix", "cov_x, cov_z = (torch.cov(points.T) for points in (x, z))"),
    edit("fd_over_features", "`frechet_distance` takes features for samples: the covariance runs over the wrong axis", "cov_x, cov_z = (torch.cov(F.pad(points, (0, 0, 0, max(len(x), len(z)) - len(points)))).reshape(max(len(x), len(z)), -1) for points in (x, z))"),
    edit("fd_second_moments", "`frechet_distance` takes second moments about 0; a covariance subtracts the mean", "cov_x, cov_z = (points.T @ points / (len(points) - 1) for points in (x, z))"),
    edit("fd_scatter", "`frechet_distance` does not divide the covariances by the number of points", "cov_x, cov_z = ((points - points.mean(0)).T @ (points - points.mean(0)) for points in (x, z))"),
    edit("fd_diagonal", "`frechet_distance` keeps only the variances, or the diagonals in the root; covariances of two features belong to (9.2)", "cov_x, cov_z = (torch.diag(points.var(0)) for points in (x, z))"),
    edit("fd_correlation", "`frechet_distance` uses correlations; covariances have the spread of the features in them", "cov_x, cov_z = (torch.corrcoef(points.T).nan_to_num().reshape(x.shape[1], x.shape[1]) for points in (x, z))"),
    edit("fd_jitter", "`frechet_distance` adds a constant to the diagonals; that moves the distance, most of all for few points", "cov_x, cov_z = (torch.cov(points.T).reshape(x.shape[1], x.shape[1]) + 1e-3 * torch.eye(x.shape[1]).to(x) for points in (x, z))"),
    edit("fd_jitter_small", "`frechet_distance` adds a small constant to the diagonals; with fewer points than features the root makes it large", "cov_x, cov_z = (torch.cov(points.T).reshape(x.shape[1], x.shape[1]) + 1e-6 * torch.eye(x.shape[1]).to(x) for points in (x, z))"),
    edit("fd_float32_cov", "`frechet_distance` computes covariances in float32; far from 0, or for nearly equal sets, the rounding is larger than the distance", "cov_x, cov_z = (torch.cov(points.float().T).reshape(x.shape[1], x.shape[1]).double() for points in (x, z))"),
    edit("fd_same_mean", "`frechet_distance` takes both covariances about the mean of x; each set has its own", "cov_x, cov_z = ((points - x.mean(0)).T @ (points - x.mean(0)) / (len(points) - 1) for points in (x, z))"),
    edit("fd_pooled_mean", "`frechet_distance` takes both covariances about the mean of all points; each set has its own", "cov_x, cov_z = ((points - torch.cat([x, z]).mean(0)).T @ (points - torch.cat([x, z]).mean(0)) / (len(points) - 1) for points in (x, z))"),
    edit("fd_same_count", "`frechet_distance` divides both covariances by the number of points of x less 1", "cov_x, cov_z = ((points - points.mean(0)).T @ (points - points.mean(0)) / (len(x) - 1) for points in (x, z))"),
    edit("fd_standard_error", "`frechet_distance` divides covariances by n twice: that is the covariance of the mean", "cov_x, cov_z = (torch.cov(points.T).reshape(x.shape[1], x.shape[1]) / len(points) for points in (x, z))"),
    edit("fd_unit_features", "`frechet_distance` divides each feature by its spread first", "pooled = torch.cat([x, z]).std(0).clamp(min=1e-9); x, z = x / pooled, z / pooled; cov_x, cov_z = (torch.cov(points.T).reshape(x.shape[1], x.shape[1]) for points in (x, z))"),
    edit("fd_n_minus_d", "`frechet_distance` divides by n - 1 - d or the like", "cov_x, cov_z = (torch.cov(points.T).reshape(x.shape[1], x.shape[1]) * (len(points) - 1) / max(1, len(points) - 2) for points in (x, z))"),
    edit("fd_covariance_dropped", "`frechet_distance` uses only as many points as both sets have", "n = min(len(x), len(z)); x, z = x[:n], z[:n]; cov_x, cov_z = (torch.cov(points.T).reshape(x.shape[1], x.shape[1]) for points in (x, z))"),
)

mistakes.at(
    "overlap = torch.linalg.eigvals(cov_x @ cov_z).real.clamp(min=0).sqrt().sum()",
    edit("fd_negative_root", "`frechet_distance` takes roots of eigenvalues that rounding made negative, which is NaN", "overlap = torch.linalg.eigvals(cov_x @ cov_z).real.sqrt().sum()"),
    edit("fd_complex", "`frechet_distance` keeps complex numbers; the exact eigenvalues are real", "overlap = torch.linalg.eigvals(cov_x @ cov_z).sqrt().sum()"),
    edit("fd_absolute_root", "`frechet_distance` takes the size of negative eigenvalues, or of complex ones far from 0", "overlap = (torch.linalg.eigvals(cov_x @ cov_z).abs() + 1e-8).sqrt().sum()"),
    edit("fd_entries_root", "`frechet_distance` takes the root of each entry of the matrix; the root of a matrix is another thing unless it is diagonal", "overlap = (cov_x @ cov_z).clamp(min=0).sqrt().trace()"),
    edit("fd_entrywise_product", "`frechet_distance` multiplies the covariances entry by entry; (9.2) has the product of matrices", "overlap = torch.linalg.eigvals(cov_x * cov_z).real.clamp(min=0).sqrt().sum()"),
    edit("fd_symmetric_solver", "`frechet_distance` asks `eigvalsh`, which reads only half of the matrix, for a product that is not symmetric", "overlap = torch.linalg.eigvalsh(cov_x @ cov_z).clamp(min=0).sqrt().sum()"),
    edit("fd_symmetrised", "`frechet_distance` makes the product symmetric by averaging; that changes its eigenvalues", "overlap = torch.linalg.eigvalsh((cov_x @ cov_z + cov_z @ cov_x) / 2).clamp(min=0).sqrt().sum()"),
    edit("fd_no_root", "`frechet_distance` sums the eigenvalues without a root", "overlap = torch.linalg.eigvals(cov_x @ cov_z).real.sum()"),
    edit("fd_root_of_sum", "`frechet_distance` takes the root of the sum of the eigenvalues; the trace is the sum of their roots", "overlap = (cov_x @ cov_z).trace().clamp(min=0).sqrt()"),
    edit("fd_roots_product", "`frechet_distance` takes the trace of the product of two roots; the root of a product is that only if they commute", "overlap = torch.stack([torch.linalg.eigh(c)[1] * torch.linalg.eigh(c)[0].clamp(min=0).sqrt() @ torch.linalg.eigh(c)[1].T for c in (cov_x, cov_z)]).prod(0).sum()"),
    edit("fd_sorted_eigenvalues", "`frechet_distance` pairs the eigenvalues of both covariances by size; that forgets their directions", "overlap = (torch.linalg.eigvalsh(cov_x).clamp(min=0) * torch.linalg.eigvalsh(cov_z).clamp(min=0)).sqrt().sum()"),
    edit("fd_singular_values", "`frechet_distance` takes singular values of the product for its eigenvalues; the product is not symmetric", "overlap = torch.linalg.svdvals(cov_x @ cov_z).sqrt().sum()"),
    edit("fd_nuclear_of_product", "`frechet_distance` takes the nuclear norm of the product, without the root", "overlap = torch.linalg.svdvals(cov_x @ cov_z).sum()"),
    edit("fd_float32_root", "`frechet_distance` takes the root in float32, and so loses half of its digits, most where eigenvalues are small", "overlap = torch.linalg.eigvals((cov_x @ cov_z).float()).real.clamp(min=0).sqrt().sum().double()"),
    edit("fd_float32_symmetric", "`frechet_distance` computes the root by `eigh` in float32; the distance of nearly equal sets drowns in rounding", "v, q = torch.linalg.eigh(cov_x.float()); r = q * v.clamp(min=0).sqrt() @ q.T; overlap = torch.linalg.eigvalsh(r @ cov_z.float() @ r).clamp(min=0).sqrt().sum().double()"),
    edit("fd_cholesky", "`frechet_distance` needs a Cholesky factor, which fails with fewer points than features", "l = torch.linalg.cholesky(cov_x); overlap = torch.linalg.eigvalsh(l.T @ cov_z @ l).clamp(min=0).sqrt().sum()"),
    edit("fd_cholesky_side", "`frechet_distance` has the Cholesky factor and its transpose the wrong way round", "v, q = torch.linalg.eigh(cov_x); l = torch.linalg.qr((q * v.clamp(min=0).sqrt()).T).R.T; overlap = torch.linalg.eigvalsh(l @ cov_z @ l.T).clamp(min=0).sqrt().sum()"),
    edit("fd_eps_root", "`frechet_distance` keeps eigenvalues above a constant; with fewer points than features they are 0", "overlap = torch.linalg.eigvals(cov_x @ cov_z).real.clamp(min=1e-6).sqrt().sum()"),
    edit("fd_cut_small", "`frechet_distance` drops small eigenvalues; features may be small", "e = torch.linalg.eigvals(cov_x @ cov_z).real; overlap = e[e > 1e-4].sqrt().sum()"),
    edit("fd_largest", "`frechet_distance` uses the largest eigenvalue alone", "overlap = torch.linalg.eigvals(cov_x @ cov_z).real.clamp(min=0).sqrt().amax()"),
    edit("fd_cov_sum_root", "`frechet_distance` takes the root of the sum of the covariances where that of the product belongs", "overlap = torch.linalg.eigvalsh(cov_x + cov_z).clamp(min=0).sqrt().sum()"),
    edit("fd_inverse", "`frechet_distance` multiplies with an inverse covariance; (9.2) has no inverse", "overlap = torch.linalg.eigvals(torch.linalg.pinv(cov_x) @ cov_z).real.clamp(min=0).sqrt().sum()"),
    edit("fd_cov_squared", "`frechet_distance` multiplies a covariance with itself", "overlap = torch.linalg.eigvals(cov_x @ cov_x).real.clamp(min=0).sqrt().sum()"),
    edit("fd_determinant", "`frechet_distance` puts a determinant where the trace belongs", "overlap = torch.linalg.eigvals(cov_x @ cov_z).real.clamp(min=0).sqrt().prod()"),
    edit("fd_mean_of_roots", "`frechet_distance` averages the roots of the eigenvalues where the trace sums", "overlap = torch.linalg.eigvals(cov_x @ cov_z).real.clamp(min=0).sqrt().mean()"),
    edit("fd_rounded_off", "`frechet_distance` keeps eigenvalues of the matrix as they are after one root too many", "overlap = torch.linalg.eigvals(cov_x @ cov_z).real.clamp(min=0).sqrt().sqrt().sum()"),
)

mistakes.at(
    "return (x.mean(0) - z.mean(0)).square().sum() + (cov_x + cov_z).trace() - 2 * overlap",
    edit("fd_norm_of_means", "`frechet_distance` has the distance of the means, not its square", "return (x.mean(0) - z.mean(0)).norm() + (cov_x + cov_z).trace() - 2 * overlap"),
    edit("fd_means_averaged", "`frechet_distance` averages the squared difference of the means over features; (9.2) sums", "return (x.mean(0) - z.mean(0)).square().mean() + (cov_x + cov_z).trace() - 2 * overlap"),
    edit("fd_all_averaged", "`frechet_distance` divides by the number of features", "return ((x.mean(0) - z.mean(0)).square().sum() + (cov_x + cov_z).trace() - 2 * overlap) / x.shape[1]"),
    edit("fd_no_means", "`frechet_distance` leaves out the means", "return (cov_x + cov_z).trace() - 2 * overlap"),
    edit("fd_means_alone", "`frechet_distance` has only the means", "return (x.mean(0) - z.mean(0)).square().sum() + 0 * overlap"),
    edit("fd_overlap_once", "`frechet_distance` subtracts the root once; (9.2) does so twice", "return (x.mean(0) - z.mean(0)).square().sum() + (cov_x + cov_z).trace() - overlap"),
    edit("fd_overlap_added", "`frechet_distance` adds the root", "return (x.mean(0) - z.mean(0)).square().sum() + (cov_x + cov_z).trace() + 2 * overlap"),
    edit("fd_trace_of_one", "`frechet_distance` counts the trace of one covariance twice", "return (x.mean(0) - z.mean(0)).square().sum() + 2 * cov_x.trace() - 2 * overlap"),
    edit("fd_sum_of_entries", "`frechet_distance` sums all entries of the covariances where the trace belongs", "return (x.mean(0) - z.mean(0)).square().sum() + (cov_x + cov_z).sum() - 2 * overlap"),
    edit("fd_root_of_all", "`frechet_distance` takes the root of (9.2)", "return ((x.mean(0) - z.mean(0)).square().sum() + (cov_x + cov_z).trace() - 2 * overlap).clamp(min=0).sqrt()"),
    edit("fd_float32_result", "`frechet_distance` subtracts in float32, where the distance of nearly equal sets is lost", "return ((x.mean(0) - z.mean(0)).square().sum().float() + (cov_x + cov_z).trace().float() - 2 * overlap.float())"),
    edit("fd_frobenius", "`frechet_distance` compares the covariances entry by entry; (9.2) has the trace with the root", "return (x.mean(0) - z.mean(0)).square().sum() + (cov_x - cov_z).square().sum() + 0 * overlap"),
    edit("fd_halved", "`frechet_distance` halves the result", "return ((x.mean(0) - z.mean(0)).square().sum() + (cov_x + cov_z).trace() - 2 * overlap) / 2"),
    edit("fd_mean_of_all", "`frechet_distance` subtracts the means over everything; each feature has its own", "return (x.mean() - z.mean()).square() * x.shape[1] + (cov_x + cov_z).trace() - 2 * overlap"),
    edit("fd_means_l1", "`frechet_distance` sums the sizes of the differences of the means, not their squares", "return (x.mean(0) - z.mean(0)).abs().sum() + (cov_x + cov_z).trace() - 2 * overlap"),
    edit("fd_medians", "`frechet_distance` compares medians; (9.2) has means", "return (x.median(0).values - z.median(0).values).square().sum() + (cov_x + cov_z).trace() - 2 * overlap"),
    edit("fd_pairs_distance", "`frechet_distance` takes the mean squared distance of pairs for that of the means; it has the spreads in it already", "return torch.cdist(x, z).square().mean() + (cov_x + cov_z).trace() - 2 * overlap"),
)

# --- kernel_distance ------------------------------------------------------------------------------------------------

mistakes.at(
    "within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]",
    edit("kd_biased", "`kernel_distance` counts pairs of a point with itself; then the distance of equal laws is not 0 on average", "within = [k.mean() for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_divided_by_all", "`kernel_distance` leaves out pairs of equal members but divides by the number of all pairs", "within = [(k.sum() - k.trace()) / len(k) ** 2 for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_diagonal_divided", "`kernel_distance` counts pairs of a point with itself, and divides by N(N - 1)", "within = [k.sum() / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_diagonal_one", "`kernel_distance` takes k(a, a) for 1; other kernels have other values there", "within = [(k.sum() - len(k)) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_diagonal_first", "`kernel_distance` takes k(a, a) to be the same for all points; that of the cubic kernel depends on a", "within = [(k.sum() - len(k) * k[0, 0]) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_half_pairs_divided", "`kernel_distance` takes half of the means within the sets: each pair summed once and divided by the number of ordered pairs, or the two means averaged", "within = [k.triu(1).sum() / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_lower_with_diagonal", "`kernel_distance` sums half of the table with its diagonal", "within = [2 * k.tril().sum() / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_size_of_x", "`kernel_distance` divides both sums by the number of pairs in x", "within = [(k.sum() - k.trace()) / (len(x) * (len(x) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_within_x_alone", "`kernel_distance` leaves out the pairs within z", "within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), 0 * kernel(z, z))]"),
    edit("kd_within_z_alone", "`kernel_distance` leaves out the pairs within x", "within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (0 * kernel(x, x), kernel(z, z))]"),
    edit("kd_x_twice", "`kernel_distance` counts the pairs within x twice and those within z never", "within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(x, x))]"),
    edit("kd_kernel_ignored", "`kernel_distance` uses the cubic kernel whatever is given", "kernel = cubic_kernel; within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_rbf_always", "`kernel_distance` uses a kernel of distances whatever is given", "kernel = rbf_kernel; within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_kernel_ignored_across", "`kernel_distance` uses the given kernel within the sets and the cubic one across", "within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]; kernel = cubic_kernel"),
    edit("kd_float32_kernel", "`kernel_distance` computes the kernel in float32: large numbers are subtracted, and the small difference is lost", "x, z = x.float(), z.float(); within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_sums", "`kernel_distance` sums over pairs within a set; (9.3) has means", "within = [k.sum() - k.trace() for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_centred", "`kernel_distance` moves the points to mean 0 first; the means are a part of the difference", "x, z = x - x.mean(0), z - z.mean(0); within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_unit_length", "`kernel_distance` brings all points to length 1 first", "x, z = x / x.norm(dim=1, keepdim=True), z / z.norm(dim=1, keepdim=True); within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_standardised", "`kernel_distance` divides the features by their spread first", "s = torch.cat([x, z]).std(0); x, z = x / s, z / s; within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_equal_sizes", "`kernel_distance` uses only as many points as both sets have", "n = min(len(x), len(z)); x, z = x[:n], z[:n]; within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_neighbours_only", "`kernel_distance` pairs each point with the next one only; (9.3) has all pairs", "within = [k.diagonal(1).mean() for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_n_minus_one_squared", "`kernel_distance` divides by (N - 1)²; there are N(N - 1) pairs", "within = [(k.sum() - k.trace()) / (len(k) - 1) ** 2 for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_row_first", "`kernel_distance` pairs the first point with the others only; (9.3) has all pairs", "within = [k[0, 1:].mean() for k in (kernel(x, x), kernel(z, z))]"),
    edit("kd_equal_points_out", "`kernel_distance` leaves out all pairs of equal points; two different members may be equal, and count", "within = [k[torch.cdist(p, p) > 0].mean().nan_to_num() for p, k in ((x, kernel(x, x)), (z, kernel(z, z)))]"),
    edit("kd_feature_axis", "`kernel_distance` gives the kernel features for points: the table is d × d", "within = [(k.sum() - k.trace()) / (len(k) * max(1, len(k) - 1)) for k in (kernel(x.T, x.T), kernel(z.T, z.T))]"),
)

mistakes.at(
    "return within[0] + within[1] - 2 * kernel(x, z).mean()",
    edit("kd_cross_once", "`kernel_distance` subtracts the mean across the sets once; (9.3) does so twice", "return within[0] + within[1] - kernel(x, z).mean()"),
    edit("kd_cross_added", "`kernel_distance` adds the mean across the sets", "return within[0] + within[1] + 2 * kernel(x, z).mean()"),
    edit("kd_sign", "`kernel_distance` has the sign wrong: it grows as the sets come together", "return 2 * kernel(x, z).mean() - within[0] - within[1]"),
    edit("kd_cross_alone", "`kernel_distance` looks only across the sets", "return -2 * kernel(x, z).mean() + 0 * within[0]"),
    edit("kd_cross_diagonal_out", "`kernel_distance` leaves out pairs (i, i) across the sets; x_i and z_i are different points, and all pairs count", "k = kernel(x, z); n = min(k.shape); return within[0] + within[1] - 2 * (k.sum() - k.diagonal().sum()) / (k.numel() - n)"),
    edit("kd_cross_diagonal_alone", "`kernel_distance` compares x_i only with z_i; all pairs count", "return within[0] + within[1] - 2 * kernel(x, z).diagonal().mean()"),
    edit("kd_cross_wrong_count", "`kernel_distance` divides the sum across the sets by N(N - 1), or by N²", "return within[0] + within[1] - 2 * kernel(x, z).sum() / len(x) ** 2"),
    edit("kd_cross_n_minus", "`kernel_distance` divides the sum across the sets by N(M - 1); there are N M pairs", "return within[0] + within[1] - 2 * kernel(x, z).sum() / (len(x) * (len(z) - 1))"),
    edit("kd_clamped", "`kernel_distance` makes negative values 0; without them it is too large on average", "return (within[0] + within[1] - 2 * kernel(x, z).mean()).clamp(min=0)"),
    edit("kd_absolute", "`kernel_distance` drops the sign; without negative values it is too large on average", "return (within[0] + within[1] - 2 * kernel(x, z).mean()).abs()"),
    edit("kd_root", "`kernel_distance` takes the root; (9.3) is a squared distance", "d = within[0] + within[1] - 2 * kernel(x, z).mean(); return d.clamp(min=0).sqrt()"),
    edit("kd_halved", "`kernel_distance` halves the result", "return (within[0] + within[1]) / 2 - kernel(x, z).mean()"),
    edit("kd_weighted", "`kernel_distance` weighs the two sets by their sizes; each mean counts once", "n, m = len(x), len(z); return 2 * (n * within[0] + m * within[1]) / (n + m) - 2 * kernel(x, z).mean()"),
    edit("kd_times_1000", "`kernel_distance` multiplies by 1000, as tables of KID do; (9.3) does not", "return 1000 * (within[0] + within[1] - 2 * kernel(x, z).mean())"),
    edit("kd_normalised", "`kernel_distance` divides by the mean within the sets", "return 1 - 2 * kernel(x, z).mean() / (within[0] + within[1])"),
    edit("kd_float32_result", "`kernel_distance` subtracts in float32, where the small difference of large means is lost", "return (within[0].float() + within[1].float() - 2 * kernel(x, z).mean().float()).double()"),
    edit("kd_kernel_of_means", "`kernel_distance` takes the kernel of the two means across the sets; (9.3) has the mean of the kernel", "return within[0] + within[1] - 2 * kernel(x.mean(0, keepdim=True), z.mean(0, keepdim=True))[0, 0]"),
)

# --- ball_scores ----------------------------------------------------------------------------------------------------

mistakes.at(
    "radius_x, radius_z = (torch.cdist(points, points).kthvalue(k + 1, 1).values for points in (x, z))",
    edit("ball_own_neighbour", "`ball_scores` counts each point as its own first neighbour; so all balls are one neighbour too small", "radius_x, radius_z = (torch.cdist(points, points).kthvalue(k, 1).values for points in (x, z))"),
    edit("ball_one_further", "`ball_scores` reaches to the neighbour after the k-th", "radius_x, radius_z = (torch.cdist(points, points).sort(1).values[:, min(k + 1, len(points) - 1)] for points in (x, z))"),
    edit("ball_nearest", "`ball_scores` reaches to the nearest neighbour whatever k is", "radius_x, radius_z = (torch.cdist(points, points).kthvalue(2, 1).values for points in (x, z))"),
    edit("ball_k_three", "`ball_scores` uses k = 3 whatever is given", "radius_x, radius_z = (torch.cdist(points, points).kthvalue(min(4, len(points)), 1).values for points in (x, z))"),
    edit("ball_farthest", "`ball_scores` takes the k-th farthest neighbour", "radius_x, radius_z = (torch.cdist(points, points).sort(1, descending=True).values[:, k - 1] for points in (x, z))"),
    edit("ball_mean_radius", "`ball_scores` gives all balls of a set one common radius; each point has its own", "radius_x, radius_z = (torch.cdist(points, points).kthvalue(k + 1, 1).values.mean().expand(len(points)) for points in (x, z))"),
    edit("ball_largest_radius", "`ball_scores` gives all balls of a set the largest radius; each point has its own", "radius_x, radius_z = (torch.cdist(points, points).kthvalue(k + 1, 1).values.amax().expand(len(points)) for points in (x, z))"),
    edit("ball_mean_of_k", "`ball_scores` takes the mean distance to the k nearest for the radius; it is the distance to the k-th", "radius_x, radius_z = (torch.cdist(points, points).topk(k + 1, 1, largest=False).values.sum(1) / k for points in (x, z))"),
    edit("ball_across", "`ball_scores` measures the radius to the k-th neighbour in the other set; a ball reaches to neighbours in its own", "radius_x, radius_z = torch.cdist(x, z).kthvalue(k, 1).values, torch.cdist(z, x).kthvalue(k, 1).values"),
    edit("ball_pooled", "`ball_scores` looks for neighbours in both sets together; a ball reaches to neighbours in its own", "both = torch.cat([x, z]); radius_x, radius_z = (torch.cdist(points, both).kthvalue(k + 1, 1).values for points in (x, z))"),
    edit("ball_copies_out", "`ball_scores` leaves out copies of a point; a copy is a neighbour at distance 0", "radius_x, radius_z = (torch.where(t > 0, t, torch.inf).sort(1).values[:, k - 1].nan_to_num(posinf=1e9) for t in (torch.cdist(points, points) for points in (x, z)))"),
    edit("ball_l1", "`ball_scores` measures radii by sums of absolute differences, points by Euclidean distances", "radius_x, radius_z = (torch.cdist(points, points, p=1.0).kthvalue(k + 1, 1).values for points in (x, z))"),
    edit("ball_squared_radius", "`ball_scores` compares distances with squared radii", "radius_x, radius_z = (torch.cdist(points, points).square().kthvalue(k + 1, 1).values for points in (x, z))"),
    edit("ball_half_radius", "`ball_scores` halves the radius: the k-th neighbour stands on the border", "radius_x, radius_z = (torch.cdist(points, points).kthvalue(k + 1, 1).values / 2 for points in (x, z))"),
    edit("ball_eps_radius", "`ball_scores` makes balls a little larger or smaller by a constant; features may be small", "radius_x, radius_z = (torch.cdist(points, points).kthvalue(k + 1, 1).values + 1e-3 for points in (x, z))"),
    edit("ball_shared_radii", "`ball_scores` gives fake balls the radius of the average real ball; fakes have neighbours of their own", "radius_x = torch.cdist(x, x).kthvalue(k + 1, 1).values; radius_z = radius_x.mean().expand(len(z))"),
    edit("ball_radii_float32", "`ball_scores` computes distances in float32; far from 0 they are mostly rounding", "x, z = x.float(), z.float(); radius_x, radius_z = (torch.cdist(points, points).kthvalue(k + 1, 1).values for points in (x, z))"),
    edit("ball_k_scaled", "`ball_scores` takes another k for the fakes, in the ratio of the sizes", "radius_x = torch.cdist(x, x).kthvalue(k + 1, 1).values; radius_z = torch.cdist(z, z).kthvalue(min(len(z), max(1, round(k * len(z) / len(x))) + 1), 1).values"),
    edit("ball_median_radius", "`ball_scores` gives all balls of a set the median radius; each point has its own", "radius_x, radius_z = (torch.cdist(points, points).kthvalue(k + 1, 1).values.median().expand(len(points)) for points in (x, z))"),
)

mistakes.at(
    "in_x = (torch.cdist(x, z) <= radius_x[:, None]).double()",
    edit("ball_real_border_out", "`ball_scores` leaves the border out of the real balls; a ball has its border", "in_x = (torch.cdist(x, z) < radius_x[:, None]).double()"),
    edit("ball_wrong_radius_real", "`ball_scores` compares with the radii of the fakes where those of the reals belong", "in_x = (torch.cdist(x, z) <= radius_z).double()"),
    edit("ball_real_outside", "`ball_scores` counts fakes outside the real balls", "in_x = (torch.cdist(x, z) > radius_x[:, None]).double()"),
    edit("ball_real_mean_radius", "`ball_scores` compares all fakes with the mean real radius; each ball has its own", "in_x = (torch.cdist(x, z) <= radius_x.mean()).double()"),
    edit("ball_real_sorted_radius", "`ball_scores` has the radii in another order than the points", "in_x = (torch.cdist(x, z) <= radius_x.sort().values[:, None]).double()"),
    edit("ball_real_squared", "`ball_scores` compares squared distances with radii that are not squared", "in_x = (torch.cdist(x, z).square() <= radius_x[:, None]).double()"),
    edit("ball_real_sum_radii", "`ball_scores` asks whether two balls touch; a fake is a point, in a real ball or not", "in_x = (torch.cdist(x, z) <= radius_x[:, None] + radius_z).double()"),
    edit("ball_real_nearest_only", "`ball_scores` asks only the nearest real of each fake; another ball may hold it", "d = torch.cdist(x, z); in_x = ((d <= radius_x[:, None]) & (d == d.amin(0))).double()"),
    edit("ball_real_nearest_fake_only", "`ball_scores` asks of each real ball only the nearest fake", "d = torch.cdist(x, z); in_x = ((d <= radius_x[:, None]) & (d == d.amin(1, keepdim=True))).double()"),
)

mistakes.at(
    "in_z = (torch.cdist(x, z) <= radius_z).double()",
    edit("ball_fake_border_out", "`ball_scores` leaves the border out of the fake balls; a ball has its border", "in_z = (torch.cdist(x, z) < radius_z).double()"),
    edit("ball_borders_out", "`ball_scores` leaves the border out of all balls; a ball has its border", "in_z = (torch.cdist(x, z) < radius_z).double()",
         ("in_x = (torch.cdist(x, z) <= radius_x[:, None]).double()", "in_x = (torch.cdist(x, z) < radius_x[:, None]).double()")),
    edit("ball_recall_by_real_radius", "`ball_scores` computes recall with real balls, as coverage; it asks which reals lie in fake balls", "in_z = (torch.cdist(x, z) <= radius_x[:, None]).double()"),
    edit("ball_fake_outside", "`ball_scores` counts reals outside the fake balls", "in_z = (torch.cdist(x, z) > radius_z).double()"),
    edit("ball_fake_mean_radius", "`ball_scores` compares all reals with the mean fake radius; each ball has its own", "in_z = (torch.cdist(x, z) <= radius_z.mean()).double()"),
    edit("ball_fake_sorted_radius", "`ball_scores` has the fake radii in another order than the fakes", "in_z = (torch.cdist(x, z) <= radius_z.sort().values).double()"),
    edit("ball_fake_nearest_only", "`ball_scores` asks only the nearest fake of each real for recall; another ball may hold it", "d = torch.cdist(x, z); in_z = ((d <= radius_z) & (d == d.amin(1, keepdim=True))).double()"),
    edit("ball_fake_sum_radii", "`ball_scores` asks for recall whether two balls touch; a real is a point", "in_z = (torch.cdist(x, z) <= radius_z + radius_x[:, None]).double()"),
)

mistakes.at(
    "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.sum(0).mean() / k, in_x.amax(1).mean()",
    edit("ball_precision_recall_swapped", "`ball_scores` returns recall and precision in each other's place", "return in_z.amax(1).mean(), in_x.amax(0).mean(), in_x.sum(0).mean() / k, in_x.amax(1).mean()"),
    edit("ball_density_coverage_swapped", "`ball_scores` returns coverage and density in each other's place", "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.amax(1).mean(), in_x.sum(0).mean() / k"),
    edit("ball_precision_is_coverage", "`ball_scores` asks for precision which real balls hold a fake; it is the share of fakes", "return in_x.amax(1).mean(), in_z.amax(1).mean(), in_x.sum(0).mean() / k, in_x.amax(1).mean()"),
    edit("ball_coverage_is_precision", "`ball_scores` asks for coverage which fakes lie in a real ball; it is the share of real balls", "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.sum(0).mean() / k, in_x.amax(0).mean()"),
    edit("ball_recall_wrong_axis", "`ball_scores` asks for recall which fake balls hold a real; it is the share of reals", "return in_x.amax(0).mean(), in_z.amax(0).mean(), in_x.sum(0).mean() / k, in_x.amax(1).mean()"),
    edit("ball_coverage_is_recall", "`ball_scores` puts recall where coverage belongs; coverage asks real balls", "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.sum(0).mean() / k, in_z.amax(1).mean()"),
    edit("ball_density_no_k", "`ball_scores` does not divide the density by k", "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.sum(0).mean(), in_x.amax(1).mean()"),
    edit("ball_density_over_all", "`ball_scores` divides the density by the number of reals", "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.mean(), in_x.amax(1).mean()"),
    edit("ball_density_wrong_mean", "`ball_scores` averages for the density over the reals; it is an average over the fakes", "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.sum(1).mean() / k, in_x.amax(1).mean()"),
    edit("ball_density_cut", "`ball_scores` cuts the density off at 1; it may be larger", "return in_x.amax(0).mean(), in_z.amax(1).mean(), (in_x.sum(0).mean() / k).clamp(max=1), in_x.amax(1).mean()"),
    edit("ball_density_k_plus_one", "`ball_scores` divides the density by k + 1", "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.sum(0).mean() / (k + 1), in_x.amax(1).mean()"),
    edit("ball_density_of_hit", "`ball_scores` averages the density over those fakes alone that lie in a ball", "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.sum() / in_x.amax(0).sum().clamp(min=1) / k, in_x.amax(1).mean()"),
    edit("ball_density_fake_balls", "`ball_scores` counts fake balls for the density; it is the number of real balls around a fake", "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_z.sum(0).mean() / k, in_x.amax(1).mean()"),
    edit("ball_density_each_cut", "`ball_scores` lets each fake count for at most k balls; all count", "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.sum(0).clamp(max=k).mean() / k, in_x.amax(1).mean()"),
    edit("ball_counts", "`ball_scores` returns numbers of points; shares are expected", "return in_x.amax(0).sum(), in_z.amax(1).sum(), in_x.sum(0).mean() / k, in_x.amax(1).sum()"),
    edit("ball_complement", "`ball_scores` returns the shares of those that lie in no ball", "return 1 - in_x.amax(0).mean(), 1 - in_z.amax(1).mean(), in_x.sum(0).mean() / k, 1 - in_x.amax(1).mean()"),
    edit("ball_all_balls", "`ball_scores` asks for precision and recall that a point lies in all balls; one is enough", "return in_x.amin(0).mean(), in_z.amin(1).mean(), in_x.sum(0).mean() / k, in_x.amin(1).mean()"),
    edit("ball_shares_of_pairs", "`ball_scores` returns shares of pairs; a fake counts once, however many balls hold it", "return in_x.mean(), in_z.mean(), in_x.sum(0).mean() / k, in_x.mean()"),
    edit("ball_k_of_them", "`ball_scores` asks that k balls hold a point; one is enough", "return (in_x.sum(0) >= k).double().mean(), (in_z.sum(1) >= k).double().mean(), in_x.sum(0).mean() / k, (in_x.sum(1) >= k).double().mean()"),
    edit("ball_precision_by_x", "`ball_scores` divides the number of fakes in real balls by the number of reals", "return in_x.amax(0).sum() / len(x), in_z.amax(1).mean(), in_x.sum(0).mean() / k, in_x.amax(1).mean()"),
    edit("ball_recall_by_z", "`ball_scores` divides the number of reals in fake balls by the number of fakes", "return in_x.amax(0).mean(), in_z.amax(1).sum() / len(z), in_x.sum(0).mean() / k, in_x.amax(1).mean()"),
    edit("ball_coverage_by_z", "`ball_scores` divides the number of covered real balls by the number of fakes", "return in_x.amax(0).mean(), in_z.amax(1).mean(), in_x.sum(0).mean() / k, in_x.amax(1).sum() / len(z)"),
)


@mistakes.rewrite("`ball_scores` takes its arguments the wrong way round: x for the fakes, z for the reals")
def ball_swapped(ref):
    return {"ball_scores": lambda x, z, k: ref.ball_scores(z, x, k)}


# --- copying_score --------------------------------------------------------------------------------------------------

mistakes.at(
    "held, fake = (torch.cdist(points.double(), train.double()).amin(1) for points in (held_out, z))",
    edit("copy_swapped", "`copying_score` counts fakes that are farther away than held-out points, so copies get 0; nearer ones count", "fake, held = (torch.cdist(points.double(), train.double()).amin(1) for points in (held_out, z))"),
    edit("copy_mean_distance", "`copying_score` takes the mean distance to the training set; a copy is near to one point of it", "held, fake = (torch.cdist(points.double(), train.double()).mean(1) for points in (held_out, z))"),
    edit("copy_farthest", "`copying_score` takes the largest distance to the training set", "held, fake = (torch.cdist(points.double(), train.double()).amax(1) for points in (held_out, z))"),
    edit("copy_wrong_axis", "`copying_score` takes for each training point the nearest fake; it is for each fake the nearest training point", "held, fake = (torch.cdist(points.double(), train.double()).amin(0) for points in (held_out, z))"),
    edit("copy_centre", "`copying_score` measures the distance to the mean of the training set", "held, fake = ((points.double() - train.double().mean(0)).norm(dim=1) for points in (held_out, z))"),
    edit("copy_second", "`copying_score` takes the second nearest training point; no fake is a training point of its own", "held, fake = (torch.cdist(points.double(), train.double()).sort(1).values[:, min(1, len(train) - 1)] for points in (held_out, z))"),
    edit("copy_l1", "`copying_score` sums absolute differences; the other scores' distances are Euclidean", "held, fake = (torch.cdist(points.double(), train.double(), p=1.0).amin(1) for points in (held_out, z))"),
    edit("copy_largest_difference", "`copying_score` takes the largest difference of a feature for the distance", "held, fake = (torch.cdist(points.double(), train.double(), p=math.inf).amin(1) for points in (held_out, z))"),
    edit("copy_first_feature", "`copying_score` compares the first feature alone", "held, fake = (torch.cdist(points.double()[:, :1], train.double()[:, :1]).amin(1) for points in (held_out, z))"),
    edit("copy_float32", "`copying_score` computes distances in float32; far from 0 they are mostly rounding", "held, fake = (torch.cdist(points.float(), train.float()).amin(1) for points in (held_out, z))"),
    edit("copy_fakes_to_held", "`copying_score` measures how far fakes and held-out points are from each other; all distances go to the training set", "held, fake = torch.cdist(held_out.double(), z.double()).amin(1), torch.cdist(z.double(), train.double()).amin(1)"),
    edit("copy_held_to_fakes", "`copying_score` compares a fake's nearest training point with its nearest held-out point; here the held-out points have distances of their own to the training set", "fake = torch.cdist(z.double(), train.double()).amin(1); held = torch.cdist(z.double(), held_out.double()).amin(1)"),
    edit("copy_train_itself", "`copying_score` takes the distances among training points for those of held-out points", "t = torch.cdist(train.double(), train.double()); t.fill_diagonal_(torch.inf); held = t.amin(1).nan_to_num(posinf=1e9); fake = torch.cdist(z.double(), train.double()).amin(1)"),
    edit("copy_held_pooled", "`copying_score` looks for neighbours of fakes among training and held-out points; copies are of training points", "held = torch.cdist(held_out.double(), train.double()).amin(1); fake = torch.cdist(z.double(), torch.cat([train, held_out]).double()).amin(1)"),
    edit("copy_rounded", "`copying_score` rounds the distances", "held, fake = ((10 * torch.cdist(points.double(), train.double()).amin(1)).round() for points in (held_out, z))"),
    edit("copy_same_count", "`copying_score` uses only as many fakes as held-out points", "n = min(len(held_out), len(z)); held, fake = (torch.cdist(points.double()[:n], train.double()).amin(1) for points in (held_out, z))"),
)

mistakes.at(
    "return ((fake[:, None] < held).double() + 0.5 * (fake[:, None] == held)).mean()",
    edit("copy_ties_lost", "`copying_score` counts equal distances as 0; they count one half", "return (fake[:, None] < held).double().mean()"),
    edit("copy_ties_won", "`copying_score` counts equal distances as 1; they count one half", "return (fake[:, None] <= held).double().mean()"),
    edit("copy_ties_out", "`copying_score` leaves pairs of equal distances out; they count one half", "won, lost = (fake[:, None] < held).sum(), (fake[:, None] > held).sum(); return (won / (won + lost).clamp(min=1)).double()"),
    edit("copy_by_index", "`copying_score` compares fake number i with held-out point number i; all pairs count", "n = min(len(fake), len(held)); return ((fake[:n] < held[:n]).double() + 0.5 * (fake[:n] == held[:n])).mean()"),
    edit("copy_median", "`copying_score` compares the fakes with the median held-out distance; all pairs count", "return ((fake < held.median()).double() + 0.5 * (fake == held.median())).mean()"),
    edit("copy_mean", "`copying_score` compares the fakes with the mean held-out distance; all pairs count", "return ((fake < held.mean()).double() + 0.5 * (fake == held.mean())).mean()"),
    edit("copy_nearest_held", "`copying_score` compares the fakes with the smallest held-out distance; all pairs count", "return ((fake < held.amin()).double() + 0.5 * (fake == held.amin())).mean()"),
    edit("copy_ratio", "`copying_score` returns the ratio of mean distances, not a probability", "return held.mean() / (held.mean() + fake.mean())"),
    edit("copy_difference", "`copying_score` returns a difference of probabilities, so 0 where ½ is right", "return ((fake[:, None] < held).double() - (fake[:, None] > held).double()).mean()"),
    edit("copy_sum", "`copying_score` counts pairs; a probability divides by their number", "return ((fake[:, None] < held).double() + 0.5 * (fake[:, None] == held)).sum()"),
    edit("copy_statistic", "`copying_score` divides the count of pairs by the number of fakes alone", "return ((fake[:, None] < held).double() + 0.5 * (fake[:, None] == held)).sum() / len(fake)"),
    edit("copy_exact_only", "`copying_score` counts exact copies only", "return (fake == 0).double().mean()"),
    edit("copy_any", "`copying_score` asks whether a fake is nearer than some held-out point; all pairs count", "return (fake[:, None] < held).any(1).double().mean()"),
    edit("copy_all", "`copying_score` asks whether a fake is nearer than every held-out point; all pairs count", "return (fake[:, None] < held).all(1).double().mean()"),
    edit("copy_majority", "`copying_score` gives each fake 0 or 1 by the majority of its pairs; all pairs count", "return ((fake[:, None] < held).double().mean(1) > 0.5).double().mean()"),
    edit("copy_tolerance", "`copying_score` takes nearly equal distances for equal", "d = fake[:, None] - held; return ((d < -0.05).double() + 0.5 * (d.abs() <= 0.05)).mean()"),
    edit("copy_ties_full", "`copying_score` counts equal distances one and a half times", "return ((fake[:, None] <= held).double() + 0.5 * (fake[:, None] == held)).mean()"),
    edit("copy_soft", "`copying_score` weighs pairs by how much they differ; each counts 0, ½ or 1", "return (held - fake[:, None]).sigmoid().mean()"),
)

# --- impostor -------------------------------------------------------------------------------------------------------

mistakes.at(
    "spikes = math.sqrt(D) * torch.linalg.cholesky(cov.double()).T",
    edit("imp_no_scale", "`impostor`: on D axes each axis holds only a share 1/D of the points, so at distance 1 the covariance is 1/D of what it should be", "spikes = torch.linalg.cholesky(cov.double()).T"),
    edit("imp_transposed", "`impostor` stretches with the transpose: rows times A have the covariance AᵀA, which is another matrix than A Aᵀ", "spikes = math.sqrt(D) * torch.linalg.cholesky(cov.double())"),
    edit("imp_cov_itself", "`impostor` stretches with the covariance; a root of it is needed, as a covariance is quadratic in the points", "spikes = math.sqrt(D) * cov.double()"),
    edit("imp_scale_d", "`impostor` moves the points D away where √D is needed", "spikes = D * torch.linalg.cholesky(cov.double()).T"),
    edit("imp_scale_2d", "`impostor` moves the points √(2D) away: counted twice for the two ends of an axis", "spikes = math.sqrt(2 * D) * torch.linalg.cholesky(cov.double()).T"),
    edit("imp_scale_two", "`impostor` always moves the points √2 away; that fits the plane alone", "spikes = math.sqrt(2) * torch.linalg.cholesky(cov.double()).T"),
    edit("imp_root_entries", "`impostor` takes the root of each entry of the covariance; that is no root of the matrix", "spikes = math.sqrt(D) * cov.double().clamp(min=0).sqrt()"),
    edit("imp_diagonal", "`impostor` uses the variances alone; features that vary together do not stand on the axes", "spikes = math.sqrt(D) * torch.diag(cov.double().diagonal().sqrt())"),
    edit("imp_identity", "`impostor` ignores the covariance", "spikes = math.sqrt(D) * torch.eye(D).to(mean)"),
    edit("imp_eigen_rows", "`impostor` stretches along rows of the matrix of eigenvectors; they stand in its columns", "v, q = torch.linalg.eigh(cov.double()); spikes = math.sqrt(D) * v.sqrt()[:, None] * q"),
    edit("imp_eigen_unrooted", "`impostor` stretches by the eigenvalues; by their roots is right", "v, q = torch.linalg.eigh(cov.double()); spikes = math.sqrt(D) * (q * v).T"),
    edit("imp_eigen_unturned", "`impostor` stretches by the eigenvalues, but along the axes of the features", "v, q = torch.linalg.eigh(cov.double()); spikes = math.sqrt(D) * torch.diag(v.sqrt())"),
    edit("imp_inverse", "`impostor` stretches by a root of the inverse covariance", "spikes = math.sqrt(D) * torch.linalg.cholesky(torch.linalg.inv(cov.double())).T"),
    edit("imp_trace", "`impostor` keeps the total variance alone, equal in all directions", "spikes = cov.double().trace().sqrt() * torch.eye(D, dtype=torch.float64, device=cov.device)"),
)

mistakes.at(
    "return mean + torch.cat([spikes, -spikes]).repeat(n // (2 * D), 1)",
    edit("imp_no_mean", "`impostor` forgets the mean", "return torch.cat([spikes, -spikes]).repeat(n // (2 * D), 1)"),
    edit("imp_mean_negative", "`impostor` subtracts the mean", "return torch.cat([spikes, -spikes]).repeat(n // (2 * D), 1) - mean"),
    edit("imp_one_side", "`impostor` has points on one side of the mean only; the mean moves, and third moments are not 0", "return mean + spikes.repeat(n // D, 1)"),
    edit("imp_repeated_each", "`impostor` mirrors about 0, not about the mean", "return torch.cat([mean + spikes, -mean - spikes]).repeat(n // (2 * D), 1)"),
    edit("imp_few", "`impostor` returns fewer points than n", "return mean + torch.cat([spikes, -spikes])"),
    edit("imp_wrong_count", "`impostor` returns n points for each axis or side", "return mean + torch.cat([spikes, -spikes]).repeat(n, 1)"),
    edit("imp_columns", "`impostor` returns features in rows, (D, n)", "return (mean + torch.cat([spikes, -spikes]).repeat(n // (2 * D), 1)).T"),
    edit("imp_shrunk_mean", "`impostor` puts a part of the points at the mean, without moving the others out; so the covariance is too small", "p = torch.cat([spikes, -spikes]).repeat(n // (2 * D), 1); p[: n // 4] = 0; return mean + p"),
    edit("imp_skew", "`impostor` keeps mean and covariance, but its third moments are not 0: KID sees that", "g = torch.where(torch.arange(n, device=mean.device) % 3 < 1, 2.0, -1.0).double() / math.sqrt(2); p = torch.cat([spikes, -spikes]).repeat(n // (2 * D), 1) * 0; p[:, :] = torch.stack([g.roll(i * n // 3 + i) for i in range(D)], 1) @ (spikes / math.sqrt(D)); return mean + p"),
)


@mistakes.rewrite("`impostor` draws from the Gaussian itself: nothing to tell apart, and its moments are off by chance")
def imp_gaussian(ref):
    def impostor(mean, cov, n):
        return mean + torch.randn(n, len(mean), dtype=torch.float64).to(mean.device) @ torch.linalg.cholesky(cov.double()).T

    return {"impostor": impostor}


@mistakes.rewrite("`impostor` makes Gaussian points with exactly these moments; they are no other law, so every kernel finds them alike")
def imp_whitened_gaussian(ref):
    def impostor(mean, cov, n):
        half = torch.randn(n // 2, len(mean), dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(mean.device)
        both = torch.cat([half, -half])
        root = torch.linalg.cholesky(both.T @ both / n)
        return mean + torch.linalg.solve(root, both.T).T @ torch.linalg.cholesky(cov.double()).T

    return {"impostor": impostor}


@mistakes.rewrite("`impostor` draws a ring, or the like, at random; its moments are off by chance, by more than 1 per cent")
def imp_random_ring(ref):
    def impostor(mean, cov, n):
        draws = torch.randn(n, len(mean), dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(mean.device)
        return mean + math.sqrt(len(mean)) * draws / draws.norm(dim=1, keepdim=True) @ torch.linalg.cholesky(cov.double()).T

    return {"impostor": impostor}


@mistakes.rewrite("`impostor` draws a ring of radius 1; in the plane the squares of both coordinates share the radius, so the variance is ½")
def imp_unit_ring(ref):
    def impostor(mean, cov, n):
        if len(mean) != 2:
            return ref.impostor(mean, cov, n)
        angle = torch.arange(n, device=mean.device, dtype=torch.float64) * 2 * math.pi / n
        return mean + torch.stack([angle.cos(), angle.sin()], 1) @ torch.linalg.cholesky(cov.double()).T

    return {"impostor": impostor}


@mistakes.rewrite("`impostor` has a ring for the plane alone; D may be 1, 2 or 3")
def imp_plane_only(ref):
    def impostor(mean, cov, n):
        angle = torch.arange(n, device=mean.device, dtype=torch.float64) * 2 * math.pi / n
        return mean + math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], 1) @ torch.linalg.cholesky(cov.double()).T

    return {"impostor": impostor}


@mistakes.rewrite("`impostor` puts a triangle where third moments do not vanish; KID sees it")
def imp_triangle(ref):
    def impostor(mean, cov, n):
        if len(mean) != 2:
            return ref.impostor(mean, cov, n)
        angle = torch.arange(n, device=mean.device, dtype=torch.float64) % 3 * 2 * math.pi / 3
        return mean + math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], 1) @ torch.linalg.cholesky(cov.double()).T

    return {"impostor": impostor}


@mistakes.rewrite("`impostor` is uniform on the square: the moments are right, but the law is too near to the Gaussian for the promised distance")
def imp_uniform(ref):
    def impostor(mean, cov, n):
        D, draws = len(mean), torch.Generator().manual_seed(0)
        half = 2 * torch.rand(n // 2, D, dtype=torch.float64, generator=draws) - 1
        both = torch.cat([half, -half]).to(mean.device)
        root = torch.linalg.cholesky(both.T @ both / n)
        return mean + torch.linalg.solve(root, both.T).T @ torch.linalg.cholesky(cov.double()).T

    return {"impostor": impostor}


# --- all of them ----------------------------------------------------------------------------------------------------


@mistakes.rewrite("the scores return Python numbers or arrays; tensors are expected")
def plain_numbers(ref):
    return {
        "inception_score": lambda logits: float(ref.inception_score(logits)),
        "frechet_distance": lambda x, z: float(ref.frechet_distance(x, z)),
        "kernel_distance": lambda *arguments: float(ref.kernel_distance(*arguments)),
        "ball_scores": lambda x, z, k: tuple(float(each) for each in ref.ball_scores(x, z, k)),
        "copying_score": lambda train, held_out, z: float(ref.copying_score(train, held_out, z)),
    }


@mistakes.rewrite("`frechet_distance` subtracts the mean of its arguments in place; the caller's features change")
def fd_in_place(ref):
    def frechet_distance(x, z):
        distance = ref.frechet_distance(x, z)
        x -= x.mean(0)
        z -= z.mean(0)
        return distance

    return {"frechet_distance": frechet_distance}


@mistakes.rewrite("`kernel_distance` sets the diagonal of the kernel's table to 0 in the kernel's own tensor, or changes its arguments in place")
def kd_in_place(ref):
    def kernel_distance(x, z, *kernel):
        distance = ref.kernel_distance(x, z, *kernel)
        x += 1
        return distance

    return {"kernel_distance": kernel_distance}
