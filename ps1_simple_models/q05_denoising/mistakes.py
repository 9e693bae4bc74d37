"""Named wrong versions of the answers to question 5."""

import math

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- average_patches -----------------------------------------------------------------------------------------------

mistakes.at(
    """
    counts = F.fold(torch.ones_like(patches).T[None], (height, width), size)
    """,
    edit("count_from_nearest_border",
         "the number of patches on a pixel is taken from its distance to the nearest border; in a small image "
         "both borders limit it",
         """
         rows, columns = torch.arange(height), torch.arange(width)
         down = torch.minimum(rows + 1, height - rows).clamp(max=size)
         across = torch.minimum(columns + 1, width - columns).clamp(max=size)
         counts = (down[:, None] * across).to(patches)
         """),
)

mistakes.at(
    "counts = F.fold(torch.ones_like(patches).T[None], (height, width), size)",
    edit("same_count_everywhere",
         "the sum is divided by D everywhere, but pixels near the border lie in fewer patches, so that the border "
         "becomes dark",
         "counts = patches.shape[1]"),
    edit("zeros_not_counted",
         "patch pixels that are exactly 0 are not counted; a black pixel is a value like any other",
         "counts = F.fold((patches != 0).to(patches).T[None], (height, width), size).clamp_min(1)"),
    edit("divided_by_number_of_patches",
         "the sum is divided by the number of all patches, not by the number that covers the pixel",
         "counts = len(patches)"),
)

mistakes.at(
    "return sums / counts",
    edit("sum_of_patches", "the patches are added up; divide by the number of patches that cover a pixel",
         "return sums"),
    edit("counts_plus_constant", "1 is added to the counts, so that every pixel becomes too small; each pixel lies in "
         "at least one patch, so no count is 0", "return sums / (counts + 1)"),
    edit("average_clamped", "the averages are clamped to [0, 1], which was not asked for",
         "return (sums / counts).clamp(0, 1)"),
    edit("average_in_float32", "float64 patches are averaged in float32, which loses half of their digits",
         "return sums.float() / counts.float()"),
    edit("image_without_batch", "the two axes for batch and channel are missing: an image is (1, 1, height, width)",
         "return (sums / counts)[0, 0]"),
)

mistakes.at(
    "sums = F.fold(patches.T[None], (height, width), size)",
    edit("patches_in_column_order",
         "the patches are laid down column by column; raster order goes along the rows first",
         "sums = F.fold(patches.unflatten(0, (width - size + 1, height - size + 1)).transpose(0, 1).flatten(0, 1).T[None], "
         "(height, width), size)"),
    edit("pixels_in_column_order",
         "the pixels inside each patch are laid down column by column; raster order goes along the rows",
         "sums = F.fold(patches.unflatten(1, (size, size)).mT.flatten(1).T[None], (height, width), size)"),
    edit("reshaped_not_transposed",
         "(N, D) was reshaped into (D, N), which mixes the pixels of different patches; transpose it",
         "sums = F.fold(patches.reshape(1, size * size, -1), (height, width), size)"),
    edit("height_and_width_exchanged", "height and width are exchanged; images need not be square",
         "sums = F.fold(patches.T[None], (width, height), size).mT"),
)

# --- posterior_mean ------------------------------------------------------------------------------------------------

mistakes.at(
    "covs + sigma**2 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)",
    edit("sigma_not_squared", "the variance of the noise is σ², not σ",
         "covs + sigma * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)"),
    edit("jitter",
         "a small number is added to the diagonal of the covariances; it matters where variances are as small, "
         "and σ²I is enough",
         "covs + sigma**2 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device) + 1e-6 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)"),
    edit("jitter_of_eight",
         "1e-8 is added to the diagonal of the covariances; σ²I is enough, and in float64 it costs half of the digits",
         "covs + (sigma**2 + 1e-8) * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)"),
    edit("sigma_squared_twice", "σ is squared twice in `posterior_mean`; the variance of the noise is σ²", "covs + sigma**4 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)"),
    edit("jitter_of_four",
         "1e-4 is added to the diagonal of the covariances; it matters where variances are as small, and σ²I is enough",
         "covs + (sigma**2 + 1e-4) * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)"),
    edit("jitter_in_the_prior",
         "a small number is added to the diagonal of Σ_k, which changes the prior: directions without variance are no longer removed",
         "covs + (sigma**2 + 1e-6) * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)",
         ("torch.linalg.solve(noisy_covs[k], covs[k])", "torch.linalg.solve(noisy_covs[k], covs[k] + 1e-6 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device))")),
    edit("sigma_not_used", "the noise is missing from the covariance of y, so that nothing is shrunk",
         "covs + 1e-12 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)"),
    edit("noise_in_float32", "float64 inputs are computed in float32, which loses half of their digits",
         "covs.float() + sigma**2 * torch.eye(y.shape[1], device=y.device)",
         ("responsibilities(y, log_weights, means, noisy_covs)",
          "responsibilities(y.float(), log_weights.float(), means.float(), noisy_covs)"),
         ("torch.linalg.solve(noisy_covs[k], covs[k])", "torch.linalg.solve(noisy_covs[k], covs[k].float())"),
         ("(means[k] + (y - means[k]) @ gain)", "(means[k].float() + (y - means[k]).float() @ gain)")),
    edit("noise_in_every_entry",
         "σ² is added to every entry of the covariance; independent noise adds to the diagonal only",
         "covs + sigma**2"),
)

mistakes.at(
    "result = torch.zeros_like(y)",
    edit("result_in_float32", "the posterior means are collected in a float32 tensor (one made without `dtype`), also for float64 vectors",
         "result = torch.zeros(y.shape, device=y.device)",
         ("result = result + weights", "result += weights")),
)

mistakes.at(
    "responsibilities(y, log_weights, means, noisy_covs)",
    edit("log_weights_clamped",
         "the log-weights are clamped; a component of weight 0 must not get any responsibility, however well it fits",
         "responsibilities(y, log_weights.clamp(min=-20), means, noisy_covs)"),
    edit("responsibilities_without_noise",
         "the responsibilities use Σ_k, but the vectors are noisy: their covariance is Σ_k + σ²I in (5.2) too",
         "responsibilities(y, log_weights, means, covs + 1e-6 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device))"),
    edit("responsibilities_of_the_noise",
         "the responsibilities use the covariance σ²I of the noise alone; the vectors vary by Σ_k too",
         "responsibilities(y, log_weights, means, noisy_covs - covs)"),
    edit("prior_weights",
         "the components are combined with their prior weights π_k; the posterior weights (5.2) depend on y",
         "log_weights.exp().expand(len(y), -1)"),
    edit("prior_twice", "the responsibilities are multiplied by the prior weights π_k, which they contain already, and no longer sum to 1",
         "responsibilities(y, log_weights, means, noisy_covs) * log_weights.exp()"),
    edit("prior_twice_normalised", "the prior weights π_k enter the responsibilities twice",
         "responsibilities(y, 2 * log_weights, means, noisy_covs)"),
    edit("equal_weights_prior", "the prior weights π_k are missing from the responsibilities",
         "responsibilities(y, torch.zeros_like(log_weights), means, noisy_covs)"),
    edit("weights_for_log_weights",
         "the weights π_k are passed where their logarithms are expected, so that they hardly differ",
         "responsibilities(y, log_weights.exp(), means, noisy_covs)"),
    edit("hard_assignment", "only the most probable component is used; the posterior mean weights all of them",
         "F.one_hot(responsibilities(y, log_weights, means, noisy_covs).argmax(1), len(means)).to(y.dtype)"),
    edit("softmax_over_examples",
         "the responsibilities are normalised over the vectors; they sum to 1 over the components",
         "gmm_log_joint(y, log_weights, means, noisy_covs).softmax(0)"),
    edit("determinant_missing",
         "the determinants of Σ_k + σ²I are missing from (5.2): wide components get too much weight",
         "(gmm_log_joint(y, log_weights, means, noisy_covs) + 0.5 * torch.logdet(noisy_covs)).softmax(1)"),
    edit("responsibilities_of_the_first_covariance",
         "the responsibilities use the covariance of the first component for all of them",
         "responsibilities(y, log_weights, means, noisy_covs[:1].expand_as(noisy_covs))"),
    edit("responsibilities_sigma_not_squared",
         "the responsibilities add σ to the diagonal, not σ²; the gain is right",
         "responsibilities(y, log_weights, means, covs + sigma * torch.eye(y.shape[1], dtype=y.dtype, device=y.device))"),
    edit("averaged_over_the_batch",
         "the responsibilities are averaged over the batch; each vector has its own",
         "responsibilities(y, log_weights, means, noisy_covs).mean(0, keepdim=True).expand(len(y), -1)"),
    edit("clamped_responsibilities",
         "the responsibilities are clamped from below, so that components that cannot explain y still pull at it",
         "responsibilities(y, log_weights, means, noisy_covs).clamp(min=1e-3)"),
    edit("determinant_not_halved", "the log-determinant enters (5.2) without its factor ½",
         "(gmm_log_joint(y, log_weights, means, noisy_covs) - 0.5 * torch.logdet(noisy_covs)).softmax(1)"),
    edit("log_responsibilities", "the components are weighted by the log-responsibilities",
         "responsibilities(y, log_weights, means, noisy_covs).log()"),
)

mistakes.at(
    "torch.linalg.solve(noisy_covs[k], covs[k])",
    edit("returns_the_noise",
         "the gain is σ²(Σ_k + σ²I)⁻¹, which estimates the noise; the signal's is Σ_k(Σ_k + σ²I)⁻¹",
         "torch.linalg.solve(noisy_covs[k], noisy_covs[k] - covs[k])"),
    edit("gain_inverted",
         "the two matrices of the gain are exchanged: (Σ_k + σ²I)Σ_k⁻¹ amplifies instead of shrinking",
         "torch.linalg.pinv(covs[k]) @ noisy_covs[k]"),
    edit("gain_sigma_not_squared", "the gain adds σ to the diagonal, not σ²; the responsibilities are right",
         "torch.linalg.solve(covs[k] + sigma * torch.eye(y.shape[1], dtype=y.dtype, device=y.device), covs[k])"),
    edit("gain_squared", "the gain is applied twice, so that every direction is shrunk too much",
         "torch.linalg.matrix_power(torch.linalg.solve(noisy_covs[k], covs[k]), 2)"),
    edit("gain_of_the_sum", "the gain is Σ_k + σ²I without the inverse of anything; in (5.1) it divides",
         "noisy_covs[k]"),
    edit("inverse_only", "the gain is (Σ_k + σ²I)⁻¹ alone; the covariance of x with y, Σ_k, is missing",
         "torch.linalg.inv(noisy_covs[k])"),
    edit("gain_of_the_first", "the gain of the first component is used for all of them",
         "torch.linalg.solve(noisy_covs[0], covs[0])"),
    edit("root_of_the_gain", "the gain's square root is used; it matches the variance of x, not its posterior mean",
         "(lambda pair: pair[1] @ torch.diag((pair[0].clamp(min=0) / (pair[0].clamp(min=0) + sigma**2)).sqrt()) "
         "@ pair[1].T)(torch.linalg.eigh(covs[k]))"),
    edit("entrywise_gain", "Σ_k is divided by Σ_k + σ²I entry by entry; a matrix is inverted as a whole",
         "covs[k] / noisy_covs[k]"),
    edit("diagonal_gain", "only the diagonal of Σ_k is used in the gain, so that pixels are denoised one by one",
         "torch.diag(covs[k].diagonal() / noisy_covs[k].diagonal())"),
)

mistakes.at(
    "(means[k] + (y - means[k]) @ gain)",
    edit("mean_not_added", "the component's mean is subtracted but not added again", "((y - means[k]) @ gain)"),
    edit("mean_not_subtracted", "the gain must act on y − μ_k, not on y", "(means[k] + y @ gain)"),
    edit("first_component_only", "the estimate of one component alone is returned; all are to be averaged by their responsibilities",
         "(means[0] + (y - means[0]) @ torch.linalg.solve(noisy_covs[0], covs[0]))"),
    edit("noise_added", "the noise that the gain would remove, (I − G_k)(y − μ_k), is added to y instead of subtracted",
         "(y + (y - means[k]) @ (torch.eye(y.shape[1], dtype=y.dtype, device=y.device) - gain))"),
    edit("means_only", "the means μ_k are averaged, and what y adds to them is left out", "means[k]"),
    edit("noisy_not_filtered", "the vectors are not filtered at all: each component returns y", "y"),
    edit("zero_means_assumed", "the means are left out, as if all were zero", "(y @ gain)"),
)

mistakes.at(
    "range(len(means))",
    edit("last_component_left_out", "the sum over the components ends one too early", "range(max(1, len(means) - 1))"),
)

# --- denoise -------------------------------------------------------------------------------------------------------

mistakes.at(
    "brightness = patches.mean(1, keepdim=True)",
    edit("brightness_not_removed", "the patches keep their own mean, but the mixture describes patches without it",
         "brightness = torch.zeros_like(patches[:, :1])"),
)

mistakes.at(
    "patches.mean(1, keepdim=True)",
    edit("brightness_by_median", "the median of each patch is subtracted, not its mean",
         "patches.median(1, keepdim=True).values"),
    edit("brightness_of_the_image", "the mean of the whole image is subtracted; every patch has its own mean",
         "image.mean()"),
    edit("brightness_of_all_patches", "one mean of all patches is subtracted; every patch has its own mean", "patches.mean()"),
    edit("mean_over_patches",
         "the mean is taken over the patches (one value per pixel position), not over the pixels of each patch",
         "patches.mean(0, keepdim=True)"),
)

mistakes.at(
    "estimates = brightness + posterior_mean(patches - brightness, sigma, log_weights, means, covs)",
    edit("variance_passed", "σ² is passed where `posterior_mean` expects the standard deviation σ",
         "estimates = brightness + posterior_mean(patches - brightness, sigma**2, log_weights, means, covs)"),
    edit("sigma_fixed", "`sigma` is not used in `denoise`: 0.1 is passed on, whatever the noise is",
         "estimates = brightness + posterior_mean(patches - brightness, 0.1, log_weights, means, covs)"),
    edit("brightness_added_twice", "the mean is added again, but was not subtracted",
         "estimates = brightness + posterior_mean(patches, sigma, log_weights, means, covs)"),
    edit("noise_returned", "the estimate is subtracted from the noisy patch, so that the noise is returned",
         "estimates = patches - brightness - posterior_mean(patches - brightness, sigma, log_weights, means, covs)"),
    edit("denoised_twice", "the patches are denoised twice; the second time they no longer have this noise",
         "estimates = brightness + posterior_mean(posterior_mean(patches - brightness, sigma, log_weights, means, "
         "covs), sigma, log_weights, means, covs)"),
    edit("patches_standardised",
         "the patches are also divided by their standard deviation; the mixture describes patches that were not",
         """
         contrast = patches.std(1, keepdim=True) + 1e-6
         estimates = brightness + contrast * posterior_mean((patches - brightness) / contrast, sigma, log_weights, means, covs)
         """),
    edit("mean_of_the_estimate_removed",
         "the posterior means' own means are removed before the brightness is added; add it to what was estimated",
         """
         estimates = posterior_mean(patches - brightness, sigma, log_weights, means, covs)
         estimates = brightness + estimates - estimates.mean(1, keepdim=True)
         """),
)

mistakes.at(
    "brightness + posterior_mean",
    edit("brightness_not_added", "each patch's mean is subtracted but not added again, so that the picture is grey",
         "posterior_mean"),
)

mistakes.at(
    "return average_patches(estimates, image.shape[2], image.shape[3])",
    edit("rows_and_columns_exchanged", "the height and the width of the image are exchanged",
         "return average_patches(estimates, image.shape[3], image.shape[2])"),
    edit("image_axes_lost", "the two axes for batch and channel are missing: an image is (1, 1, H, W)",
         "return average_patches(estimates, image.shape[2], image.shape[3])[0, 0]"),
    edit("mixed_with_the_noisy_image", "the result is averaged with the noisy image",
         "return 0.5 * (image + average_patches(estimates, image.shape[2], image.shape[3]))"),
    edit("clamped", "the result is clamped to [0, 1], which was not asked for",
         "return average_patches(estimates, image.shape[2], image.shape[3]).clamp(0, 1)"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------

@mistakes.rewrite("later patches overwrite earlier ones; every pixel is the mean over all patches that cover it")
def last_patch_wins(ref):
    def average_patches(patches, height, width):
        size = math.isqrt(patches.shape[1])
        image, columns = patches.new_zeros(1, 1, height, width), width - size + 1
        for n, patch in enumerate(patches):
            top, left = n // columns, n % columns
            image[0, 0, top : top + size, left : left + size] = patch.reshape(size, size)
        return image

    return {"average_patches": average_patches}


@mistakes.rewrite("each pixel is taken from the patch that has it in its centre or corner only; average over all patches that cover it")
def one_patch_a_pixel(ref):
    def average_patches(patches, height, width):
        size = math.isqrt(patches.shape[1])
        inner = patches[:, (size // 2) * size + size // 2].reshape(1, 1, height - size + 1, width - size + 1)
        before, after = size // 2, size - 1 - size // 2
        return torch.nn.functional.pad(inner, (before, after, before, after), mode="replicate")

    return {"average_patches": average_patches}


@mistakes.rewrite("each patch is averaged with what is already there, so that later patches count more")
def running_half(ref):
    def average_patches(patches, height, width):
        size = math.isqrt(patches.shape[1])
        image, seen = patches.new_zeros(height, width), torch.zeros(height, width, dtype=torch.bool, device=patches.device)
        for n, patch in enumerate(patches):
            top, left = divmod(n, width - size + 1)
            place = (slice(top, top + size), slice(left, left + size))
            new = patch.reshape(size, size)
            image[place] = torch.where(seen[place], (image[place] + new) / 2, new)
            seen[place] = True
        return image[None, None]

    return {"average_patches": average_patches}


@mistakes.rewrite("only patches side by side are used, and the remaining border stays noisy; use all overlapping patches")
def no_overlap(ref):
    def denoise(image, sigma, log_weights, means, covs):
        size, result = math.isqrt(means.shape[1]), image.clone()
        for i in range(0, image.shape[2] - size + 1, size):
            for j in range(0, image.shape[3] - size + 1, size):
                patch = image[0, 0, i : i + size, j : j + size].reshape(1, -1)
                estimate = ref.posterior_mean(patch - patch.mean(), sigma, log_weights, means, covs) + patch.mean()
                result[0, 0, i : i + size, j : j + size] = estimate.view(size, size)
        return result

    return {"denoise": denoise}


@mistakes.rewrite("the image is denoised a second time, when it no longer has this noise")
def image_denoised_twice(ref):
    def denoise(image, *known):
        return ref.denoise(ref.denoise(image, *known), *known)

    return {"denoise": denoise}


@mistakes.rewrite("the mixture is replaced by the one Gaussian with its mean and covariance, which gives a linear filter")
def one_gaussian_of_the_moments(ref):
    def posterior_mean(y, sigma, log_weights, means, covs):
        weights = log_weights.exp()
        mean = weights @ means
        cov = torch.einsum("k,kij->ij", weights, covs + means[:, :, None] * means[:, None]) - torch.outer(mean, mean)
        eye = torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
        return mean + (y - mean) @ torch.linalg.solve(cov + sigma**2 * eye, cov)

    return {"posterior_mean": posterior_mean}


@mistakes.rewrite("Σ_k itself is inverted, which fails when it is singular; only Σ_k + σ²I needs to be solved with")
def inverts_the_prior_covariance(ref):
    def posterior_mean(y, sigma, log_weights, means, covs):
        eye = torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
        weights = ref.responsibilities(y, log_weights, means, covs + sigma**2 * eye)
        result = torch.zeros_like(y)
        for k in range(len(means)):
            precision = torch.linalg.inv(covs[k])
            rhs = y / sigma**2 + precision @ means[k]
            result = result + weights[:, k, None] * torch.linalg.solve(precision + eye / sigma**2, rhs.T).T
        return result

    return {"posterior_mean": posterior_mean}


@mistakes.rewrite("densities are used instead of their logarithms: far away all underflow to 0, and 0/0 is NaN")
def densities_not_logs(ref):
    def posterior_mean(y, sigma, log_weights, means, covs):
        eye = torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
        joint = ref.gmm_log_joint(y, log_weights, means, covs + sigma**2 * eye).exp()
        weights = joint / joint.sum(1, keepdim=True)
        estimates = [m + (y - m) @ torch.linalg.solve(c + sigma**2 * eye, c) for m, c in zip(means, covs, strict=True)]
        return sum(weights[:, k, None] * estimate for k, estimate in enumerate(estimates))

    return {"posterior_mean": posterior_mean}


@mistakes.rewrite("a small constant in the denominator of (5.2) makes the responsibilities of far vectors vanish: they are pulled to 0")
def densities_plus_constant(ref):
    def posterior_mean(y, sigma, log_weights, means, covs):
        eye = torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
        joint = ref.gmm_log_joint(y, log_weights, means, covs + sigma**2 * eye).exp()
        weights = joint / (joint.sum(1, keepdim=True) + 1e-10)
        estimates = [m + (y - m) @ torch.linalg.solve(c + sigma**2 * eye, c) for m, c in zip(means, covs, strict=True)]
        return sum(weights[:, k, None] * estimate for k, estimate in enumerate(estimates))

    return {"posterior_mean": posterior_mean}


@mistakes.rewrite("the components are merged into one average gain and mean before filtering; filter by each component, then average")
def averages_the_parameters(ref):
    def posterior_mean(y, sigma, log_weights, means, covs):
        eye = torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
        weights = ref.responsibilities(y, log_weights, means, covs + sigma**2 * eye)
        rows = []
        for row, weight in zip(y, weights, strict=True):
            mean, cov = weight @ means, torch.einsum("k,kij->ij", weight, covs)
            rows.append(mean + torch.linalg.solve(cov + sigma**2 * eye, cov).T @ (row - mean))
        return torch.stack(rows)

    return {"posterior_mean": posterior_mean}
