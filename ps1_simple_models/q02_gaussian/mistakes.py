"""Named wrong versions of the answers to question 2."""

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- mvn_log_prob --------------------------------------------------------------------------------------------------

mistakes.at(
    """
    L = torch.linalg.cholesky(cov)
    columns = (x - mean).reshape(-1, len(mean)).T
    """,
    edit("covariance_rounded",
         "`mvn_log_prob` rounds the covariance to float32; in float64 dimensions may be so alike that it is "
         "singular then",
         """
         L = torch.linalg.cholesky(cov.float()).to(cov)
         columns = (x - mean).reshape(-1, len(mean)).T
         """),
    edit("density_all_float32",
         "`mvn_log_prob` works in float32 whatever it is given; float64 input then loses its digits, and a covariance may "
         "be singular",
         """
         x, mean, cov = x.float(), mean.float(), cov.float()
         L = torch.linalg.cholesky(cov)
         columns = (x - mean).reshape(-1, len(mean)).T
         """),
    edit("jitter", "a small number is added to the diagonal of the covariance; small variances are then wrong",
         """
         L = torch.linalg.cholesky(cov + 1e-6 * torch.eye(len(cov)))
         columns = (x - mean).reshape(-1, len(mean)).T
         """),
)

mistakes.at(
    "columns = (x - mean).reshape(-1, len(mean)).T",
    edit("density_view",
         "`mvn_log_prob` uses `view`, which fails for points whose axes were swapped before; use `reshape`",
         "columns = (x - mean).view(-1, len(mean)).T"),
    edit("density_only_float32",
         "`mvn_log_prob` works in float32 whatever it is given; x - mean of float64 input then loses its digits",
         "columns = (x.float() - mean.float()).to(cov).reshape(-1, len(mean)).T"),
    edit("density_without_mean", "`mvn_log_prob` ignores the mean, as if it were 0", "columns = x.reshape(-1, len(mean)).T"),
    edit("density_only_matrix", "`mvn_log_prob` takes only a batch (N, D), not one point or more axes",
         "columns = (x - mean).T"),
    edit("density_no_single_point",
         "`mvn_log_prob` swaps the last two axes of the points, which a single point does not have",
         "columns = (x - mean).mT.movedim(-2, 0).reshape(len(mean), -1)"),
)

mistakes.at(
    """
    z = torch.linalg.solve_triangular(L, columns, upper=False)
    """,
    edit("diagonal_only", "`mvn_log_prob` uses only the diagonal of the covariance",
         """
         L = cov.diagonal().sqrt().diag()
         z = columns / L.diagonal()[:, None]
         """),
)

mistakes.at(
    "z = torch.linalg.solve_triangular(L, columns, upper=False)",
    edit("solves_with_transpose",
         "`mvn_log_prob` solves with Lᵀ where L is needed, so the residuals are not whitened",
         "z = torch.linalg.solve_triangular(L.T, columns, upper=True)"),
    edit("multiplies_by_factor", "`mvn_log_prob` multiplies the residuals by L where it should solve L z = x - mean",
         "z = L @ columns"),
    edit("factor_detached",
         "the Cholesky factor is detached in the triangular solve of `mvn_log_prob`, so that part of the covariance's "
         "gradient is missing",
         "z = torch.linalg.solve_triangular(L.detach(), columns, upper=False)"),
    edit("upper_ignored", "the triangular solve is told that L is upper triangular, so it reads only the diagonal",
         "z = torch.linalg.solve_triangular(L, columns, upper=True)"),
    edit("covariance_as_factor",
         "`mvn_log_prob` solves with the covariance and squares the result; use its Cholesky factor (variance, "
         "not standard deviation, otherwise)",
         "z = torch.linalg.solve(cov, columns)"),
)

mistakes.at(
    "square = z.square().sum(0).reshape(x.shape[:-1])",
    edit("density_norm", "`mvn_log_prob` uses the norm of z, not its square",
         "square = z.norm(dim=0).reshape(x.shape[:-1])"),
    edit("multiplies_by_covariance",
         "the quadratic form in `mvn_log_prob` has the covariance in the middle; its inverse belongs there",
         "square = (columns * (cov @ columns)).sum(0).reshape(x.shape[:-1])"),
    edit("density_square_expanded",
         "`mvn_log_prob` multiplies out the quadratic form, x and mean apart; far from zero the difference loses all digits",
         "P = torch.cholesky_inverse(L); square = (x @ P * x).sum(-1) - 2 * x @ P @ mean + mean @ P @ mean"),
    edit("density_mean", "`mvn_log_prob` averages over the dimensions; the squares of z are summed",
         "square = z.square().mean(0).reshape(x.shape[:-1])"),
)

mistakes.at(
    "half_logdet = L.diagonal().log().sum()",
    edit("log_of_det",
         "`mvn_log_prob` computes the determinant and then its logarithm; in many dimensions the determinant is 0 "
         "or infinite, in some hundred in float64, too",
         "half_logdet = 0.5 * torch.log(torch.linalg.det(cov))"),
    edit("density_epsilon",
         "a small number is added inside the logarithm of the diagonal of L; small standard deviations are then wrong",
         "half_logdet = (L.diagonal() + 1e-6).log().sum()"),
)

mistakes.at(
    "return -0.5 * square - half_logdet - 0.5 * len(mean) * math.log(2 * math.pi)",
    edit("density_summed", "`mvn_log_prob` sums or averages over the batch; it gives one value per point",
         "return (-0.5 * square - half_logdet - 0.5 * len(mean) * math.log(2 * math.pi)).sum()"),
    edit("density_averaged", "`mvn_log_prob` sums or averages over the batch; it gives one value per point",
         "return (-0.5 * square - half_logdet - 0.5 * len(mean) * math.log(2 * math.pi)).mean()"),
)

mistakes.at(
    "-0.5 * square - half_logdet - 0.5 * len(mean) * math.log(2 * math.pi)",
    edit("logdet_without_two", "the log-determinant in `mvn_log_prob` lacks a factor 2: log|Σ| = 2 Σ log L_dd",
         "-0.5 * square - 0.5 * half_logdet - 0.5 * len(mean) * math.log(2 * math.pi)"),
    edit("logdet_twice",
         "the log-determinant in `mvn_log_prob` lacks its factor 1/2: -½ log|Σ| is minus the sum of log L_dd",
         "-0.5 * square - 2 * half_logdet - 0.5 * len(mean) * math.log(2 * math.pi)"),
    edit("logdet_sign",
         "the log-determinant in `mvn_log_prob` has the wrong sign; a wider Gaussian has a lower density",
         "-0.5 * square + half_logdet - 0.5 * len(mean) * math.log(2 * math.pi)"),
    edit("no_logdet", "`mvn_log_prob` lacks the log-determinant, so the density does not integrate to one",
         "-0.5 * square - 0.5 * len(mean) * math.log(2 * math.pi)"),
    edit("density_no_two_pi", "`mvn_log_prob` lacks -D/2 log 2π", "-0.5 * square - half_logdet"),
    edit("density_two_pi_once", "log 2π counts once in `mvn_log_prob`; it belongs to every dimension",
         "-0.5 * square - half_logdet - 0.5 * math.log(2 * math.pi)"),
    edit("density_counts_points",
         "`mvn_log_prob` takes the number of points for the number of dimensions in the term with log 2π",
         "-0.5 * square - half_logdet - 0.5 * len(x) * math.log(2 * math.pi)"),
    edit("density_negative", "`mvn_log_prob` returns the negative log-density",
         "0.5 * square + half_logdet + 0.5 * len(mean) * math.log(2 * math.pi)"),
    edit("density_two_pi_sign", "the term with log 2π in `mvn_log_prob` has the wrong sign",
         "-0.5 * square - half_logdet + 0.5 * len(mean) * math.log(2 * math.pi)"),
    edit("density_per_dimension", "`mvn_log_prob` divides by the number of dimensions; a log-density is not a mean over them",
         "(-0.5 * square - half_logdet - 0.5 * len(mean) * math.log(2 * math.pi)) / len(mean)"),
    edit("density_no_half", "the quadratic form in `mvn_log_prob` lacks its factor 1/2",
         "-square - half_logdet - 0.5 * len(mean) * math.log(2 * math.pi)"),
)

# --- fit_gaussian --------------------------------------------------------------------------------------------------

mistakes.at(
    "w = torch.ones_like(x[:, 0]) if weights is None else weights",
    edit("fit_only_float32",
         "`fit_gaussian` works in float32 whatever it is given; float64 data far from zero then loses its digits",
         "x = x.float(); w = torch.ones_like(x[:, 0]) if weights is None else weights.float()"),
    edit("weights_ignored", "`fit_gaussian` ignores the weights, so padding is fitted too",
         "w = torch.ones_like(x[:, 0])"),
    edit("weights_as_mask",
         "`fit_gaussian` only asks whether a weight is zero; a weight says how often the example counts",
         "w = torch.ones_like(x[:, 0]) if weights is None else (weights > 0).to(x)"),
    edit("ones_in_float32",
         "the weights of 1 in `fit_gaussian` are made in float32 and divided by N there; in float64 data far from "
         "zero then has a wrong mean",
         "w = torch.ones(len(x)) if weights is None else weights"),
)

mistakes.at(
    "w = (w / w.sum())[:, None]",
    edit("small_weights_clamped",
         "`fit_gaussian` divides by a sum of weights that it does not let fall below 1; weights need not be as "
         "large as that",
         "w = (w / w.sum().clamp_min(1))[:, None]"),
    edit("weights_epsilon",
         "a small number is added to the sum of the weights in `fit_gaussian`; the weights are not all 0, but may "
         "be small",
         "w = (w / (w.sum() + 1e-8))[:, None]"),
    edit("weights_not_normalised", "`fit_gaussian` takes for granted that the weights sum to 1; divide by their sum",
         "w = (w / (w.sum() if weights is None else 1))[:, None]"),
    edit("divides_by_rows",
         "the weighted sums are divided by the number of rows; divide by the sum of the weights, which padding "
         "does not enter",
         "w = (w / len(x))[:, None]"),
)

mistakes.at(
    "mean = (w * x).sum(0)",
    edit("unweighted_mean", "the mean in `fit_gaussian` is not weighted, so the covariance is around the wrong mean",
         "mean = x.mean(0)"),
)

mistakes.at(
    "centred = x - mean",
    edit("around_unweighted_mean", "the weighted covariance is taken around the unweighted mean",
         "centred = x - x.mean(0)"),
    edit("examples_scaled",
         "the examples themselves are multiplied by their weights before the mean is subtracted; a weight counts the whole of "
         "(x - mean)(x - mean)ᵀ",
         "centred = (x if weights is None else weights[:, None] * x) - mean",
         ("(w * centred).T @ centred", "centred.T @ centred / (len(x) if weights is None else weights.sum())")),
    edit("not_centred", "the covariance is taken around zero; subtract the mean first", "centred = x"),
    edit("scalar_mean",
         "the covariance is taken around one number, the mean of all entries; every dimension has its own mean",
         "centred = x - mean.mean()"),
)

mistakes.at(
    """
    return mean, (w * centred).T @ centred
    """,
    edit("unbiased", "the covariance is divided by N - 1; the maximum of the likelihood has 1/N",
         """
         n = len(x) if weights is None else weights.sum()
         return mean, (w * centred).T @ centred * n / (n - 1)
         """),
)

mistakes.at(
    "return mean, (w * centred).T @ centred",
    edit("unbiased_without_weights",
         "without weights the covariance is divided by N - 1; the maximum of the likelihood has 1/N",
         "return mean, (w * centred).T @ centred * (len(x) / (len(x) - 1) if weights is None else 1)"),
    edit("covariance_over_rows",
         "the weighted covariance is divided by the number of rows; divide by the sum of the weights, as for the mean",
         "return mean, (w * centred).T @ centred * (1 if weights is None else weights.sum() / len(x))"),
    edit("correlation", "`fit_gaussian` returns correlations; the covariance is not divided by the standard deviations",
         "c = (w * centred).T @ centred; return mean, c / torch.outer(c.diagonal(), c.diagonal()).sqrt()"),
    edit("fit_small_jitter",
         "a small number is added to the diagonal of the fitted covariance; that is not the maximum of the likelihood",
         "return mean, (w * centred).T @ centred + 1e-6 * torch.eye(len(mean))"),
    edit("centred_once",
         "only one factor of the covariance's product is centred: right on paper, but far from zero it loses digits",
         "return mean, (w * centred).T @ x"),
    edit("unbiased_library",
         "the covariance is the unbiased one, as `torch.cov` computes it unless told otherwise; the maximum of "
         "the likelihood divides by the sum of the weights",
         "return mean, torch.cov(x.T, aweights=w[:, 0] if weights is not None else None).reshape(len(mean), len(mean))"),
    edit("sum_not_mean", "the covariance is a sum over the examples; divide by the sum of the weights",
         "return mean, (w * centred).T @ centred * (len(x) if weights is None else weights.sum())"),
    edit("weighted_mean_only", "the covariance in `fit_gaussian` is not weighted",
         "return mean, centred.T @ centred / len(x)"),
    edit("weights_squared", "the weights enter the covariance twice (both factors are weighted), so it is too small",
         "return mean, (w * centred).T @ (w * centred) * (len(x) if weights is None else weights.sum())"),
    edit("one_pass",
         "the covariance is the difference of E[x xᵀ] and the squared mean, which loses all digits when the data "
         "is far from zero",
         "return mean, (w * x).T @ x - torch.outer(mean, mean)"),
    edit("one_pass_float64",
         "the covariance is the difference of E[x xᵀ] and the squared mean, in float64 inside, but with a mean "
         "that was rounded to float32",
         "return mean, ((w * x).T.double() @ x.double() - torch.outer(mean.double(), mean.double())).to(x)"),
    edit("only_variances", "`fit_gaussian` keeps only the variances; the covariances off the diagonal are missing",
         "return mean, torch.diag((w * centred**2).sum(0))"),
    edit("fit_jitter",
         "a small number is added to the diagonal of the fitted covariance; that is not the maximum of the likelihood",
         "return mean, (w * centred).T @ centred + 1e-3 * torch.eye(len(mean))"),
    edit("swapped_return", "`fit_gaussian` returns (cov, mean); the order is (mean, cov)",
         "return (w * centred).T @ centred, mean"),
)

# --- gaussian_entropy ----------------------------------------------------------------------------------------------

mistakes.at(
    "torch.linalg.cholesky(cov).diagonal()",
    edit("entropy_only_float32",
         "`gaussian_entropy` works in float32 whatever it is given; a covariance of float64 may be singular then",
         "torch.linalg.cholesky(cov.float()).diagonal()"),
    edit("entropy_epsilon",
         "a small number is added inside the logarithm in `gaussian_entropy`; small standard deviations are then wrong",
         "(torch.linalg.cholesky(cov).diagonal() + 1e-6)"),
)

mistakes.at(
    "return half_logdet + 0.5 * len(cov) * (1 + math.log(2 * math.pi))",
    edit("entropy_no_one", "the entropy lacks D/2: the expected quadratic form is D",
         "return half_logdet + 0.5 * len(cov) * math.log(2 * math.pi)"),
    edit("entropy_sign", "the entropy has the wrong sign",
         "return -half_logdet - 0.5 * len(cov) * (1 + math.log(2 * math.pi))"),
    edit("entropy_logdet_sign", "the log-determinant in the entropy has the wrong sign; a wider Gaussian has more entropy",
         "return -half_logdet + 0.5 * len(cov) * (1 + math.log(2 * math.pi))"),
    edit("entropy_not_negative", "the entropy is cut off at 0; that of a density may be negative",
         "return (half_logdet + 0.5 * len(cov) * (1 + math.log(2 * math.pi))).clamp_min(0)"),
    edit("entropy_diagonal", "the entropy is that of the variances alone; the covariances off the diagonal count too",
         "return 0.5 * cov.diagonal().log().sum() + 0.5 * len(cov) * (1 + math.log(2 * math.pi))"),
    edit("entropy_jitter", "a small number is added to the diagonal in `gaussian_entropy`; small variances are then wrong",
         "return torch.linalg.cholesky(cov + 1e-6 * torch.eye(len(cov))).diagonal().log().sum() "
         "+ 0.5 * len(cov) * (1 + math.log(2 * math.pi))"),
    edit("entropy_one_once", "the 1 in the entropy counts once; it belongs to every dimension",
         "return half_logdet + 0.5 * (1 + len(cov) * math.log(2 * math.pi))"),
    edit("entropy_constant_twice", "the constant 1 + log 2π in the entropy lacks its factor 1/2",
         "return half_logdet + len(cov) * (1 + math.log(2 * math.pi))"),
    edit("entropy_once", "the constant in the entropy belongs to every dimension",
         "return half_logdet + 0.5 * (1 + math.log(2 * math.pi))"),
    edit("entropy_logdet", "the log-determinant in the entropy has the wrong factor: ½ log|Σ| = Σ log L_dd",
         "return 2 * half_logdet + 0.5 * len(cov) * (1 + math.log(2 * math.pi))"),
    edit("entropy_half_logdet", "the log-determinant in the entropy has the wrong factor: log|Σ| = 2 Σ log L_dd",
         "return 0.5 * half_logdet + 0.5 * len(cov) * (1 + math.log(2 * math.pi))"),
    edit("entropy_det", "the entropy takes the logarithm of a determinant that has underflowed",
         "return 0.5 * torch.log(torch.linalg.det(cov)) + 0.5 * len(cov) * (1 + math.log(2 * math.pi))"),
    edit("entropy_bits", "the entropy is in bits; the unit here is nats",
         "return (half_logdet + 0.5 * len(cov) * (1 + math.log(2 * math.pi))) / math.log(2)"),
)

# --- gaussian_kl ---------------------------------------------------------------------------------------------------

mistakes.at(
    """
    L_p, L_q = torch.linalg.cholesky(cov_p), torch.linalg.cholesky(cov_q)
    """,
    edit("kl_only_float32",
         "`gaussian_kl` works in float32 whatever it is given; a covariance of float64 may be singular then, and "
         "means far from zero lose their digits",
         """
         mean_p, cov_p, mean_q, cov_q = (part.float() for part in (mean_p, cov_p, mean_q, cov_q))
         L_p, L_q = torch.linalg.cholesky(cov_p), torch.linalg.cholesky(cov_q)
         """),
)

mistakes.at(
    "L_p, L_q = torch.linalg.cholesky(cov_p), torch.linalg.cholesky(cov_q)",
    edit("kl_swapped", "`gaussian_kl` computes KL(q || p); the expectation belongs to the first argument",
         "L_q, L_p = torch.linalg.cholesky(cov_p), torch.linalg.cholesky(cov_q)"),
    edit("kl_clamped", "`gaussian_kl` adds a small number to the diagonals; small variances are then wrong",
         "L_p, L_q = (torch.linalg.cholesky(c + 1e-5 * torch.eye(len(c))) for c in (cov_p, cov_q))"),
)

mistakes.at(
    "trace = torch.linalg.solve_triangular(L_q, L_p, upper=False).square().sum()",
    edit("kl_trace_one_solve",
         "the trace in `gaussian_kl` is that of L_q⁻¹ Σ_p: only one of the two factors of Σ_q⁻¹ is there",
         "trace = torch.linalg.solve_triangular(L_q, cov_p, upper=False).trace()"),
    edit("kl_trace_transposed", "the trace in `gaussian_kl` is solved with the transpose of L_q",
         "trace = torch.linalg.solve_triangular(L_q.T, L_p, upper=True).square().sum()"),
    edit("kl_trace_swapped", "the trace in `gaussian_kl` has Σ_p⁻¹ Σ_q; it is Σ_q⁻¹ Σ_p",
         "trace = torch.linalg.solve_triangular(L_p, L_q, upper=False).square().sum()"),
    edit("kl_trace_of_ratio",
         "the trace in `gaussian_kl` is that of L_q⁻¹ L_p, standard deviations; variances belong there: the sum "
         "of all squared entries",
         "trace = torch.linalg.solve_triangular(L_q, L_p, upper=False).trace()"),
    edit("kl_trace_elementwise",
         "the trace in `gaussian_kl` divides only the diagonals; off the diagonal the covariances count too",
         "trace = (cov_p.diagonal() / cov_q.diagonal()).sum()"),
    edit("kl_trace_of_product",
         "the trace in `gaussian_kl` is that of an elementwise product (`*`); it is that of a matrix product (`@`)",
         "trace = torch.trace(torch.linalg.inv(cov_q) * cov_p)"),
)

mistakes.at(
    "square = torch.linalg.solve_triangular(L_q, (mean_q - mean_p)[:, None], upper=False).square().sum()",
    edit("kl_mean_under_p", "the term in the means in `gaussian_kl` has Σ_p⁻¹; it is Σ_q⁻¹",
         "square = torch.linalg.solve_triangular(L_p, (mean_q - mean_p)[:, None], upper=False).square().sum()"),
    edit("kl_mean_not_squared", "the term in the means in `gaussian_kl` is not squared",
         "square = torch.linalg.solve_triangular(L_q, (mean_q - mean_p)[:, None], upper=False).sum()"),
)

mistakes.at(
    "logdets = 2 * (L_q.diagonal().log() - L_p.diagonal().log()).sum()",
    edit("kl_det",
         "`gaussian_kl` takes the logarithm of a ratio of determinants, which under- or overflow in many dimensions",
         "logdets = torch.log(torch.linalg.det(cov_q) / torch.linalg.det(cov_p))"),
)

mistakes.at(
    "return 0.5 * (trace + square - len(mean_p) + logdets)",
    edit("kl_logdet_sign", "the log-determinants in `gaussian_kl` have the wrong sign: log|Σ_q| - log|Σ_p|",
         "return 0.5 * (trace + square - len(mean_p) - logdets)"),
    edit("kl_logdet_half", "the log-determinants in `gaussian_kl` lack a factor 2: log|Σ| = 2 Σ log L_dd",
         "return 0.5 * (trace + square - len(mean_p) + 0.5 * logdets)"),
    edit("kl_diagonal", "`gaussian_kl` uses only the variances; the covariances off the diagonal count too",
         "a, b = cov_p.diagonal(), cov_q.diagonal(); return 0.5 * (a / b + (mean_p - mean_q) ** 2 / b - 1 + b.log() - a.log()).sum()"),
    edit("kl_capped", "`gaussian_kl` is cut off; a KL divergence has no upper bound",
         "return (0.5 * (trace + square - len(mean_p) + logdets)).clamp(0, 100)"),
    edit("kl_no_trace", "`gaussian_kl` lacks the trace and -D: one covariance counts as the other",
         "return 0.5 * (square + logdets)"),
    edit("kl_no_logdets", "`gaussian_kl` lacks the log-determinants", "return 0.5 * (trace + square - len(mean_p))"),
    edit("kl_dims_twice", "-D stands outside the bracket in `gaussian_kl`, so it lacks its factor 1/2",
         "return 0.5 * (trace + square + logdets) - len(mean_p)"),
    edit("kl_no_dims", "`gaussian_kl` lacks -D, so KL(p || p) is not zero", "return 0.5 * (trace + square + logdets)"),
    edit("kl_no_half", "`gaussian_kl` lacks the factor 1/2", "return (trace + square - len(mean_p) + logdets)"),
    edit("kl_no_means", "`gaussian_kl` lacks the term in the means", "return 0.5 * (trace - len(mean_p) + logdets)"),
    edit("kl_negative", "`gaussian_kl` has the wrong sign; a KL divergence is never negative",
         "return -0.5 * (trace + square - len(mean_p) + logdets)"),
)

# --- kl_monte_carlo ------------------------------------------------------------------------------------------------

mistakes.at(
    """
    x = mean_p + eps @ torch.linalg.cholesky(cov_p).T
    """,
    edit("mc_other_root",
         "the samples use another square root of the covariance; a right one, but with the given noise the "
         "question asks for the Cholesky factor",
         """
         variances, basis = torch.linalg.eigh(cov_p)
         x = mean_p + eps @ (basis * variances.sqrt()).T
         """),
    edit("mc_own_noise", "`kl_monte_carlo` draws its own noise; use the noise `eps` that it is given",
         """
         eps = torch.randn_like(eps)
         x = mean_p + eps @ torch.linalg.cholesky(cov_p).T
         """),
    edit("mc_only_float32",
         "`kl_monte_carlo` works in float32 whatever it is given; narrow Gaussians far from zero lose all digits",
         """
         mean_p, cov_p, mean_q, cov_q, eps = (part.float() for part in (mean_p, cov_p, mean_q, cov_q, eps))
         x = mean_p + eps @ torch.linalg.cholesky(cov_p).T
         """),
)

mistakes.at(
    "x = mean_p + eps @ torch.linalg.cholesky(cov_p).T",
    edit("mc_from_q", "`kl_monte_carlo` draws its samples from q; the expectation in KL(p || q) is under p",
         "x = mean_q + eps @ torch.linalg.cholesky(cov_q).T"),
    edit("mc_no_transpose",
         "the samples are `eps @ L`; for rows of noise it is `eps @ L.T`, else their covariance is LᵀL",
         "x = mean_p + eps @ torch.linalg.cholesky(cov_p)"),
    edit("mc_covariance",
         "the noise is multiplied by the covariance; multiply it by the Cholesky factor (variance, not standard "
         "deviation, otherwise)",
         "x = mean_p + eps @ cov_p"),
    edit("mc_no_mean", "the samples lack the mean of p", "x = eps @ torch.linalg.cholesky(cov_p).T"),
    edit("mc_mean_of_q",
         "the samples have the mean of q with the covariance of p",
         "x = mean_q + eps @ torch.linalg.cholesky(cov_p).T"),
    edit("mc_unscaled", "the samples are mean + eps: the covariance of p is missing", "x = mean_p + eps"),
    edit("mc_std_diagonal", "the samples use only the standard deviations; their correlations are missing",
         "x = mean_p + eps * cov_p.diagonal().sqrt()"),
)

mistakes.at(
    """
    log_ratio = mvn_log_prob(x, mean_p, cov_p) - mvn_log_prob(x, mean_q, cov_q)
    """,
    edit("mc_other_kl",
         "`kl_monte_carlo` estimates KL(q || p): samples of q, averaged over log q - log p; both are the other way round",
         """
         x = mean_q + eps @ torch.linalg.cholesky(cov_q).T
         log_ratio = mvn_log_prob(x, mean_q, cov_q) - mvn_log_prob(x, mean_p, cov_p)
         """),
    edit("mc_another_estimator",
         "`kl_monte_carlo` averages r - 1 + exp(-r), which has the same expectation as r, but (2.8) averages r",
         """
         log_ratio = mvn_log_prob(x, mean_p, cov_p) - mvn_log_prob(x, mean_q, cov_q)
         log_ratio = log_ratio - 1 + (-log_ratio).exp()
         """),
    edit("mc_absolute",
         "`kl_monte_carlo` takes absolute values of log p - log q; single samples may be negative, and count as such",
         """
         log_ratio = (mvn_log_prob(x, mean_p, cov_p) - mvn_log_prob(x, mean_q, cov_q)).abs()
         """),
    edit("mc_ratio_of_densities", "`kl_monte_carlo` averages the ratio of the densities, not of their logarithms",
         """
         log_ratio = mvn_log_prob(x, mean_p, cov_p) - mvn_log_prob(x, mean_q, cov_q)
         log_ratio = log_ratio.exp()
         """),
)

mistakes.at(
    "log_ratio = mvn_log_prob(x, mean_p, cov_p) - mvn_log_prob(x, mean_q, cov_q)",
    edit("mc_entropy",
         "`kl_monte_carlo` takes the entropy of p in closed form; the average is over log p - log q at the same samples",
         "log_ratio = -gaussian_entropy(cov_p) - mvn_log_prob(x, mean_q, cov_q)"),
    edit("mc_cross_entropy", "`kl_monte_carlo` averages -log q alone, the cross-entropy; log p belongs there, too",
         "log_ratio = -mvn_log_prob(x, mean_q, cov_q)"),
    edit("mc_two_samples",
         "`kl_monte_carlo` evaluates log q at samples of q; both log-densities belong to the same samples, those of p",
         "log_ratio = mvn_log_prob(x, mean_p, cov_p) - mvn_log_prob(mean_q + eps @ torch.linalg.cholesky(cov_q).T, mean_q, cov_q)"),
    edit("mc_sign", "`kl_monte_carlo` averages log q - log p; KL is the average of log p - log q",
         "log_ratio = mvn_log_prob(x, mean_p, cov_p) * -1 + mvn_log_prob(x, mean_q, cov_q)"),
)

mistakes.at(
    "return log_ratio.mean(), log_ratio.std() / math.sqrt(len(eps))",
    edit("mc_std_only",
         "the standard error lacks the division by √S: that is the spread of one sample, not of the mean",
         "return log_ratio.mean(), log_ratio.std()"),
    edit("mc_variance", "the standard error is the variance divided by S; its square root is missing",
         "return log_ratio.mean(), log_ratio.var() / len(eps)"),
    edit("mc_variance_over_root",
         "the standard error has the variance over √S; the standard deviation belongs there",
         "return log_ratio.mean(), log_ratio.var() / math.sqrt(len(eps))"),
    edit("mc_root_of_dims", "the standard error is divided by √D; it is √S, for the number of samples",
         "return log_ratio.mean(), log_ratio.std() / math.sqrt(eps.shape[1])"),
    edit("mc_root_of_entries", "the standard error is divided by the root of all entries of `eps`; it is √S, for the number of samples",
         "return log_ratio.mean(), log_ratio.std() / math.sqrt(eps.numel())"),
    edit("mc_two_errors", "a confidence interval of about two standard errors is returned, not the standard error itself",
         "return log_ratio.mean(), 1.96 * log_ratio.std() / math.sqrt(len(eps))"),
    edit("mc_variances_added",
         "the standard error adds the variances of log p and log q; at the same samples the two are not independent: "
         "take the spread of their difference",
         "return log_ratio.mean(), ((mvn_log_prob(x, mean_p, cov_p).var() + mvn_log_prob(x, mean_q, cov_q).var()) / len(eps)).sqrt()"),
    edit("mc_swapped_return", "`kl_monte_carlo` returns (standard error, estimate); the order is (estimate, standard error)",
         "return log_ratio.std() / math.sqrt(len(eps)), log_ratio.mean()"),
    edit("mc_plus_one", "the standard error is divided by √(S + 1), not by √S",
         "return log_ratio.mean(), log_ratio.std() / math.sqrt(len(eps) + 1)"),
    edit("mc_divided_by_s", "the standard error is divided by S, not by √S",
         "return log_ratio.mean(), log_ratio.std() / len(eps)"),
    edit("mc_minus_one_twice",
         "the standard error has S - 1 twice: in the standard deviation, where it may be, and under the square "
         "root, where S belongs",
         "return log_ratio.mean(), log_ratio.std() / math.sqrt(len(eps) - 1)"),
    edit("mc_clamped",
         "`kl_monte_carlo` cuts the estimate off at 0; a KL is never negative but an estimate may be, and without "
         "these the average is too large",
         "return log_ratio.mean().clamp_min(0), log_ratio.std() / math.sqrt(len(eps))"),
    edit("mc_sum", "`kl_monte_carlo` sums over the samples; the estimate is their mean",
         "return log_ratio.sum(), log_ratio.std() / math.sqrt(len(eps))"),
    edit("mc_closed_form",
         "`kl_monte_carlo` returns the closed form; the estimate is the average over the given noise",
         "return gaussian_kl(mean_p, cov_p, mean_q, cov_q), log_ratio.std() / math.sqrt(len(eps))"),
)
