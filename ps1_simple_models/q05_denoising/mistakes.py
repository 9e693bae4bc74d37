"""Named wrong versions of the answers to question 5."""

import math

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- psnr ----------------------------------------------------------------------------------------------------------

mistakes.at(
    "-10 * torch.log10((x - y).square().mean())",
    edit("psnr_of_rmse",
         "10 log10 of the root of the squared error is half the PSNR; use the mean squared error itself",
         "-10 * torch.log10((x - y).square().mean().sqrt())"),
    edit("psnr_of_absolute_error", "the mean absolute error is used; PSNR is defined by the mean squared error",
         "-10 * torch.log10((x - y).abs().mean())"),
    edit("psnr_twenty",
         "20 log10 of the mean squared error is twice the PSNR; the factor 20 belongs to the root of that error",
         "-20 * torch.log10((x - y).square().mean())"),
    edit("psnr_natural_log", "decibels use the logarithm to base 10, not the natural one",
         "-10 * torch.log((x - y).square().mean())"),
    edit("psnr_sign", "the sign is wrong: a smaller error is a larger PSNR",
         "10 * torch.log10((x - y).square().mean())"),
    edit("psnr_255", "the peak is 255; images here are in [0, 1]",
         "20 * math.log10(255) -10 * torch.log10((x - y).square().mean())"),
    edit("psnr_sum", "the squared errors are summed, not averaged", "-10 * torch.log10((x - y).square().sum())"),
    edit("psnr_epsilon", "a constant is added inside the logarithm; equal images have PSNR +∞",
         "-10 * torch.log10((x - y).square().mean() + 1e-8)"),
    edit("psnr_clamps", "differences are clipped, so that large errors count too little",
         "-10 * torch.log10((x - y).clamp(-1, 1).square().mean())"),
)

# --- extract_patches -----------------------------------------------------------------------------------------------

mistakes.at(
    "F.unfold(image, size)[0].T",
    edit("no_overlap", "the patches do not overlap; take one at every pixel where it fits",
         "F.unfold(image, size, stride=size)[0].T"),
    edit("patches_in_columns", "rows and columns are exchanged: one patch is one row of the result",
         "F.unfold(image, size)[0]"),
    edit("padded_patches", "the image is padded, so that there are more patches than fit",
         "F.unfold(image, size, padding=size // 2)[0].T"),
    edit("patches_in_column_order", "the patches are ordered column by column; raster order goes along the rows",
         "F.unfold(image.mT, size)[0].T.unflatten(1, (size, size)).mT.flatten(1)"),
    edit("pixels_in_column_order",
         "the pixels of each patch are ordered column by column; raster order goes along the rows",
         "F.unfold(image, size)[0].T.unflatten(1, (size, size)).mT.flatten(1)"),
    edit("reshaped_not_transposed",
         "(D, N) was reshaped into (N, D), which mixes the pixels of different patches; transpose it",
         "F.unfold(image, size)[0].reshape(-1, size * size)"),
)

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
    edit("noise_in_every_entry",
         "σ² is added to every entry of the covariance; independent noise adds to the diagonal only",
         "covs + sigma**2"),
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
    edit("diagonal_gain", "only the diagonal of Σ_k is used in the gain, so that pixels are denoised one by one",
         "torch.diag(covs[k].diagonal() / noisy_covs[k].diagonal())"),
)

mistakes.at(
    "(means[k] + (y - means[k]) @ gain)",
    edit("mean_not_added", "the component's mean is subtracted but not added again", "((y - means[k]) @ gain)"),
    edit("mean_not_subtracted", "the gain must act on y − μ_k, not on y", "(means[k] + y @ gain)"),
    edit("zero_means_assumed", "the means are left out, as if all were zero", "(y @ gain)"),
)

# --- denoise -------------------------------------------------------------------------------------------------------

mistakes.at(
    "brightness = patches.mean(1, keepdim=True)",
    edit("brightness_not_removed", "the patches keep their own mean, but the mixture describes patches without it",
         "brightness = torch.zeros_like(patches[:, :1])"),
)

mistakes.at(
    "patches.mean(1, keepdim=True)",
    edit("brightness_of_the_image", "the mean of the whole image is subtracted; every patch has its own mean",
         "image.mean()"),
    edit("mean_over_patches",
         "the mean is taken over the patches (one value per pixel position), not over the pixels of each patch",
         "patches.mean(0, keepdim=True)"),
)

mistakes.at(
    "brightness + posterior_mean",
    edit("brightness_not_added", "each patch's mean is subtracted but not added again, so that the picture is grey",
         "posterior_mean"),
)

mistakes.at(
    "return average_patches(estimates, image.shape[2], image.shape[3])",
    edit("clamped", "the result is clamped to [0, 1], which was not asked for",
         "return average_patches(estimates, image.shape[2], image.shape[3]).clamp(0, 1)"),
)

# --- rewrites -------------------------------------------------------------------------------------------------------

@mistakes.rewrite("the PSNRs of the images of a batch are averaged; the mean squared error is to be taken over all entries first")
def psnr_per_image(ref):
    return {"psnr": lambda x, y: -10 * torch.log10((x - y).square().flatten(1).mean(1)).mean()}


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
