"""Hidden tests of question 5: denoising by the posterior mean under a mixture of Gaussians."""

import math

import torch

from autograder.probes import Close, alternative, edit_alternative, edit_mistake, mistake, probe, question

question(
    "q5",
    title="A mixture that denoises a photograph",
    uses=["mvn_log_prob", "gmm_log_joint", "gmm_log_prob", "responsibilities"],
    skills=["1.03", "1.14", "1.15"],
    minutes=45,
    aim="A density at work: posterior means under Gaussian noise (Wiener filter, then a mixture of them), overlapping patches, PSNR; "
        "prepares the score and Tweedie's formula of diffusion models.",
    hints=[
        "Start with K = 1, equation (5.1), and compare with a loop over single vectors. `F.unfold` returns (1, D, N). For `average_patches`: "
        "what does `F.fold` give for patches that are all ones?",
        "The noisy vectors follow the same mixture with other covariances: Σ_k + σ²I. With these your `responsibilities` of Question 3 "
        "already are equation (5.2). The gain Σ (Σ + σ²I)⁻¹ is a symmetric matrix, so many rows y − μ at once are multiplied by it from the right.",
        "`gain = torch.linalg.solve(covs[k] + sigma**2 * I, covs[k])`, then `means[k] + (y - means[k]) @ gain`, weighted by column k of "
        "the responsibilities. `denoise`: extract, subtract each patch's mean, posterior mean, add the mean again, average.",
    ],
    ambiguities=[
        "`psnr` may return a Python float.",
        "Clamping in `denoise` is excluded by the text; the probe's image leaves [0, 1].",
    ],
)


def random_mixture(rng, K, D, spread=1.0, low=0.1, high=2.0):
    """Log-weights, means and covariances of a mixture."""
    covs = torch.stack([rng.spd(D, low, high) for _ in range(K)])
    return torch.log(rng.simplex(K) * 0.8 + 0.2 / K), spread * rng.normal(K, D), covs


@probe(points=0.5, title="PSNR", public=True)
def peak_signal_to_noise(student, rng):
    shape = (rng.integer(2, 5), 1, rng.integer(4, 8), rng.integer(4, 8))
    x, noise = rng.uniform(*shape), rng.normal(*shape)
    stronger = noise * torch.linspace(0.05, 0.4, shape[0], device=rng.device)[:, None, None, None]
    return {
        "one image": student.psnr(x[:1], x[:1] + rng.number(0.02, 0.3) * noise[:1]),
        "a batch": student.psnr(x, x + stronger),
        "far apart": student.psnr(x, x + 1.5 * noise),
        "nearly equal": student.psnr(x.double(), x.double() + 1e-5 * noise.double()),
        "without batch and channel": student.psnr(x[0, 0], x[0, 0] + 0.1 * noise[0, 0]),
        "equal images": student.psnr(x, x.clone()),
    }


@probe(points=0.5, title="all overlapping patches in raster order", public=True)
def patches_of_an_image(student, rng):
    height, width = rng.integer(6, 9), rng.integer(9, 13)
    image = rng.normal(1, 1, height, width)
    return {
        "patches": student.extract_patches(image, rng.integer(2, 5)),
        "patches of one pixel": student.extract_patches(image, 1),
        "one patch": student.extract_patches(image[:, :, :4, :4], 4),
    }


@probe(points=1, title="mean over overlapping patches", public=True)
def averages_of_patches(student, rng):
    size, height, width = rng.integer(3, 5), rng.integer(6, 9), rng.integer(9, 13)
    patches = rng.normal((height - size + 1) * (width - size + 1), size * size)
    patches[1::4] = 0.0  # a black pixel counts like any other
    return {
        "patches that disagree": student.average_patches(patches, height, width),
        "one patch": student.average_patches(patches[:1], size, size),
        "patches of another size": student.average_patches(rng.normal((height - 1) * (width - 1), 4), height, width),
    }


@probe(points=1, title="posterior mean for one Gaussian", public=True)
def one_gaussian(student, rng):
    result = {}
    for name, D in (("several dimensions", rng.integer(3, 7)), ("one dimension", 1)):
        mixture = (torch.zeros(1, device=rng.device), 2 * rng.normal(1, D), rng.spd(D, 0.1, 3.0)[None])
        result[name] = student.posterior_mean(2 * rng.normal(rng.integer(7, 11), D), rng.number(0.3, 1.8), *mixture)
    return result


@probe(points=1.5, title="posterior mean for a mixture", judge=Close(rtol=1e-3, atol=1e-4))
def mixture_of_gaussians(student, rng):
    result = {}
    for name, D in (("several dimensions", rng.integer(2, 6)), ("one dimension", 1)):
        mixture, sigma = random_mixture(rng, rng.integer(3, 6), D), rng.number(0.4, 0.7)
        result[name] = student.posterior_mean(1.5 * rng.normal(rng.integer(12, 20), D), sigma, *mixture)
    D = rng.integer(4, 7)
    y = rng.normal(1, D)
    result["one vector"] = student.posterior_mean(y, rng.number(1.5, 3.0), *random_mixture(rng, 2, D))
    result["vector made to require gradients"] = int(y.requires_grad)
    return result


@probe(points=0.5, title="posterior mean at extremes", judge=Close(rtol=1e-3, atol=5e-4))
def extremes(student, rng):
    D, K = rng.integer(3, 6), 3
    result = {}
    # far away: components of very different width, so that one of them owns each vector beyond doubt
    log_weights, means, covs = random_mixture(rng, K, D)
    covs = covs * torch.tensor([0.1, 1.0, 10.0], device=rng.device)[rng.permutation(K)][:, None, None]
    y = rng.normal(6, D)
    y = rng.number(150, 250) * y / y.norm(dim=1, keepdim=True)
    result["far away"] = student.posterior_mean(y, rng.number(0.3, 0.6), log_weights, means, covs)
    # singular covariances, as vectors with zero mean have them
    centre = torch.eye(D, device=rng.device) - 1 / D
    singular = centre @ random_mixture(rng, K, D)[2] @ centre
    y = rng.normal(6, D)
    result["singular covariances"] = student.posterior_mean(y, rng.number(0.4, 0.8), log_weights, means, singular)
    log_weights, means, covs = random_mixture(rng, K, D)
    result["hardly any noise"] = student.posterior_mean(y, 1e-3, log_weights, means, covs)
    result["nothing but noise"] = student.posterior_mean(y, 1e3, log_weights, means, covs)
    tiny = 1e-3 * rng.normal(12, D) * torch.linspace(0.5, 4.0, 12, device=rng.device)[:, None]  # everything a thousand times smaller, the noise too
    log_weights, means, covs = random_mixture(rng, K, D)
    result["tiny numbers, times 1000"] = 1e3 * student.posterior_mean(tiny, 1e-3, log_weights, 1e-3 * means, 1e-6 * covs)
    far = y[:2] * 1e5 / y[:2].norm(dim=1, keepdim=True)
    live = torch.tensor([0.0, -math.inf], device=rng.device)
    result["a dead component that fits best"] = student.posterior_mean(far, 0.5, live, torch.cat([means[:1], far[:1]]), covs[:2])
    dead = torch.cat([log_weights, torch.full((1,), -math.inf, device=rng.device)])
    result["a dead component"] = student.posterior_mean(
        y, 0.5, dead, torch.cat([means, y[:1]]), torch.cat([covs, 1e-6 * torch.eye(D, device=rng.device)[None]])
    )
    return result


@probe(points=1, title="denoising an image", judge=Close(rtol=1e-3, atol=1e-4))
def denoised_image(student, rng):
    height, width = rng.integer(7, 10), rng.integer(10, 14)
    image = rng.uniform(1, 1, height, width, low=-0.2, high=1.2)
    image = image + torch.linspace(-1.5, 1.5, width, device=rng.device)  # far out of [0, 1] on both sides
    result = {}
    for size in (2, rng.integer(3, 5)):
        mixture = random_mixture(rng, rng.integer(2, 4), size * size, 0.3, 0.01, 0.1)
        result[f"patches of {size} by {size}"] = student.denoise(image, rng.number(0.15, 0.3), *mixture)
    return result


# --- mistakes ------------------------------------------------------------------------------------------------

MSE = "-10 * torch.log10((x - y).square().mean())"

edit_mistake("psnr_of_rmse", "10 log10 of the root of the squared error is half the PSNR; use the mean squared error itself",
             (MSE, "-10 * torch.log10((x - y).square().mean().sqrt())"))
edit_mistake("psnr_of_absolute_error", "the mean absolute error is used; PSNR is defined by the mean squared error",
             (MSE, "-10 * torch.log10((x - y).abs().mean())"))
edit_mistake("psnr_twenty", "20 log10 of the mean squared error is twice the PSNR; the factor 20 belongs to the root of that error", (MSE, MSE.replace("10 *", "20 *")))
edit_mistake("psnr_natural_log", "decibels use the logarithm to base 10, not the natural one", (MSE, MSE.replace("log10", "log")))
edit_mistake("psnr_sign", "the sign is wrong: a smaller error is a larger PSNR", (MSE, MSE[1:]))
edit_mistake("psnr_255", "the peak is 255; images here are in [0, 1]", (MSE, f"20 * math.log10(255) {MSE}"))
edit_mistake("psnr_sum", "the squared errors are summed, not averaged", (MSE, MSE.replace(".mean()", ".sum()")))
edit_mistake("psnr_epsilon", "a constant is added inside the logarithm; equal images have PSNR +∞", (MSE, MSE.replace(".mean())", ".mean() + 1e-8)")))
edit_mistake("psnr_clamps", "differences are clipped, so that large errors count too little", (MSE, MSE.replace("(x - y)", "(x - y).clamp(-1, 1)")))


@mistake("the PSNRs of the images of a batch are averaged; the mean squared error is to be taken over all entries first")
def psnr_per_image(ref):
    return {"psnr": lambda x, y: -10 * torch.log10((x - y).square().flatten(1).mean(1)).mean()}


PATCHES = "F.unfold(image, size)[0].T"
FOLD = "counts = F.fold(torch.ones_like(patches).T[None], (height, width), size)"

edit_mistake("no_overlap", "the patches do not overlap; take one at every pixel where it fits", (PATCHES, "F.unfold(image, size, stride=size)[0].T"))
edit_mistake("patches_in_columns", "rows and columns are exchanged: one patch is one row of the result", (PATCHES, "F.unfold(image, size)[0]"))
edit_mistake("padded_patches", "the image is padded, so that there are more patches than fit", (PATCHES, "F.unfold(image, size, padding=size // 2)[0].T"))
edit_mistake("patches_in_column_order", "the patches are ordered column by column; raster order goes along the rows",
             (PATCHES, "F.unfold(image.mT, size)[0].T.unflatten(1, (size, size)).mT.flatten(1)"))
edit_mistake("pixels_in_column_order", "the pixels of each patch are ordered column by column; raster order goes along the rows",
             (PATCHES, "F.unfold(image, size)[0].T.unflatten(1, (size, size)).mT.flatten(1)"))
edit_mistake("reshaped_not_transposed", "(D, N) was reshaped into (N, D), which mixes the pixels of different patches; transpose it",
             (PATCHES, "F.unfold(image, size)[0].reshape(-1, size * size)"))
edit_mistake("sum_of_patches", "the patches are added up; divide by the number of patches that cover a pixel", ("return sums / counts", "return sums"))
edit_mistake("same_count_everywhere", "the sum is divided by D everywhere, but pixels near the border lie in fewer patches, so that the border becomes dark",
             (FOLD, "counts = patches.shape[1]"))
edit_mistake("count_from_nearest_border", "the number of patches on a pixel is taken from its distance to the nearest border; in a small image both borders limit it",
             (FOLD, "rows, columns = torch.arange(height), torch.arange(width)\n    "
              "down = torch.minimum(rows + 1, height - rows).clamp(max=size)\n    across = torch.minimum(columns + 1, width - columns).clamp(max=size)\n    "
              "counts = (down[:, None] * across).to(patches)"))
edit_mistake("zeros_not_counted", "patch pixels that are exactly 0 are not counted; a black pixel is a value like any other",
             (FOLD, "counts = F.fold((patches != 0).to(patches).T[None], (height, width), size).clamp_min(1)"))
edit_mistake("divided_by_number_of_patches", "the sum is divided by the number of all patches, not by the number that covers the pixel",
             (FOLD, "counts = len(patches)"))


@mistake("later patches overwrite earlier ones; every pixel is the mean over all patches that cover it")
def last_patch_wins(ref):
    def average_patches(patches, height, width):
        size = math.isqrt(patches.shape[1])
        image, columns = patches.new_zeros(1, 1, height, width), width - size + 1
        for n, patch in enumerate(patches):
            top, left = n // columns, n % columns
            image[0, 0, top : top + size, left : left + size] = patch.reshape(size, size)
        return image

    return {"average_patches": average_patches}


@mistake("each pixel is taken from the patch that has it in its centre or corner only; average over all patches that cover it")
def one_patch_a_pixel(ref):
    def average_patches(patches, height, width):
        size = math.isqrt(patches.shape[1])
        inner = patches[:, (size // 2) * size + size // 2].reshape(1, 1, height - size + 1, width - size + 1)
        before, after = size // 2, size - 1 - size // 2
        return torch.nn.functional.pad(inner, (before, after, before, after), mode="replicate")

    return {"average_patches": average_patches}


NOISY = "covs + sigma**2 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)"
WEIGHTS = "responsibilities(y, log_weights, means, noisy_covs)"
GAIN = "torch.linalg.solve(noisy_covs[k], covs[k])"
ESTIMATE = "(means[k] + (y - means[k]) @ gain)"

edit_mistake("sigma_not_squared", "the variance of the noise is σ², not σ", (NOISY, NOISY.replace("sigma**2", "sigma")))
edit_mistake("jitter", "a small number is added to the diagonal of the covariances; it matters where variances are as small, and σ²I is enough",
             (NOISY, f"{NOISY} + 1e-6 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)"))
edit_mistake("log_weights_clamped", "the log-weights are clamped; a component of weight 0 must not get any responsibility, however well it fits",
             (WEIGHTS, WEIGHTS.replace("log_weights", "log_weights.clamp(min=-20)")))
edit_mistake("noise_in_every_entry", "σ² is added to every entry of the covariance; independent noise adds to the diagonal only",
             (NOISY, "covs + sigma**2"))
edit_mistake("responsibilities_without_noise", "the responsibilities use Σ_k, but the vectors are noisy: their covariance is Σ_k + σ²I in (5.2) too",
             (WEIGHTS, "responsibilities(y, log_weights, means, covs + 1e-6 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device))"))
edit_mistake("responsibilities_of_the_noise", "the responsibilities use the covariance σ²I of the noise alone; the vectors vary by Σ_k too",
             (WEIGHTS, WEIGHTS.replace("noisy_covs", "noisy_covs - covs")))
edit_mistake("prior_weights", "the components are combined with their prior weights π_k; the posterior weights (5.2) depend on y",
             (WEIGHTS, "log_weights.exp().expand(len(y), -1)"))
edit_mistake("equal_weights_prior", "the prior weights π_k are missing from the responsibilities",
             (WEIGHTS, WEIGHTS.replace("log_weights", "torch.zeros_like(log_weights)")))
edit_mistake("weights_for_log_weights", "the weights π_k are passed where their logarithms are expected, so that they hardly differ",
             (WEIGHTS, WEIGHTS.replace("log_weights", "log_weights.exp()")))
edit_mistake("hard_assignment", "only the most probable component is used; the posterior mean weights all of them",
             (WEIGHTS, f"F.one_hot({WEIGHTS}.argmax(1), len(means)).to(y.dtype)"))
edit_mistake("softmax_over_examples", "the responsibilities are normalised over the vectors; they sum to 1 over the components",
             (WEIGHTS, "gmm_log_joint(y, log_weights, means, noisy_covs).softmax(0)"))
edit_mistake("determinant_missing", "the determinants of Σ_k + σ²I are missing from (5.2): wide components get too much weight",
             (WEIGHTS, "(gmm_log_joint(y, log_weights, means, noisy_covs) + 0.5 * torch.logdet(noisy_covs)).softmax(1)"))
edit_mistake("log_responsibilities", "the components are weighted by the log-responsibilities", (WEIGHTS, f"{WEIGHTS}.log()"))
edit_mistake("mean_not_added", "the component's mean is subtracted but not added again", (ESTIMATE, "((y - means[k]) @ gain)"))
edit_mistake("mean_not_subtracted", "the gain must act on y − μ_k, not on y", (ESTIMATE, "(means[k] + y @ gain)"))
edit_mistake("zero_means_assumed", "the means are left out, as if all were zero", (ESTIMATE, "(y @ gain)"))
edit_mistake("returns_the_noise", "the gain is σ²(Σ_k + σ²I)⁻¹, which estimates the noise; the signal's is Σ_k(Σ_k + σ²I)⁻¹",
             (GAIN, "torch.linalg.solve(noisy_covs[k], noisy_covs[k] - covs[k])"))
edit_mistake("gain_inverted", "the two matrices of the gain are exchanged: (Σ_k + σ²I)Σ_k⁻¹ amplifies instead of shrinking",
             (GAIN, "torch.linalg.pinv(covs[k]) @ noisy_covs[k]"))
edit_mistake("diagonal_gain", "only the diagonal of Σ_k is used in the gain, so that pixels are denoised one by one",
             (GAIN, "torch.diag(covs[k].diagonal() / noisy_covs[k].diagonal())"))


@mistake("Σ_k itself is inverted, which fails when it is singular; only Σ_k + σ²I needs to be solved with")
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


@mistake("densities are used instead of their logarithms: far away all underflow to 0, and 0/0 is NaN")
def densities_not_logs(ref):
    def posterior_mean(y, sigma, log_weights, means, covs):
        eye = torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
        joint = ref.gmm_log_joint(y, log_weights, means, covs + sigma**2 * eye).exp()
        weights = joint / joint.sum(1, keepdim=True)
        estimates = [m + (y - m) @ torch.linalg.solve(c + sigma**2 * eye, c) for m, c in zip(means, covs, strict=True)]
        return sum(weights[:, k, None] * estimate for k, estimate in enumerate(estimates))

    return {"posterior_mean": posterior_mean}


@mistake("a small constant in the denominator of (5.2) makes the responsibilities of far vectors vanish: they are pulled to 0")
def densities_plus_constant(ref):
    def posterior_mean(y, sigma, log_weights, means, covs):
        eye = torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
        joint = ref.gmm_log_joint(y, log_weights, means, covs + sigma**2 * eye).exp()
        weights = joint / (joint.sum(1, keepdim=True) + 1e-10)
        estimates = [m + (y - m) @ torch.linalg.solve(c + sigma**2 * eye, c) for m, c in zip(means, covs, strict=True)]
        return sum(weights[:, k, None] * estimate for k, estimate in enumerate(estimates))

    return {"posterior_mean": posterior_mean}


@mistake("the components are merged into one average gain and mean before filtering; filter by each component, then average")
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


ADD = "brightness + posterior_mean"

edit_mistake("brightness_not_removed", "the patches keep their own mean, but the mixture describes patches without it",
             ("brightness = patches.mean(1, keepdim=True)", "brightness = torch.zeros_like(patches[:, :1])"))
edit_mistake("brightness_not_added", "each patch's mean is subtracted but not added again, so that the picture is grey", (ADD, "posterior_mean"))
edit_mistake("brightness_of_the_image", "the mean of the whole image is subtracted; every patch has its own mean",
             ("patches.mean(1, keepdim=True)", "image.mean()"))
edit_mistake("mean_over_patches", "the mean is taken over the patches (one value per pixel position), not over the pixels of each patch",
             ("patches.mean(1, keepdim=True)", "patches.mean(0, keepdim=True)"))
edit_mistake("clamped", "the result is clamped to [0, 1], which was not asked for",
             ("return average_patches(estimates, image.shape[2], image.shape[3])",
              "return average_patches(estimates, image.shape[2], image.shape[3]).clamp(0, 1)"))
# --- alternatives --------------------------------------------------------------------------------------------


@alternative("loops over pixels, patches and components, in float64, with eigenvectors instead of a solve")
def loops(ref):
    def psnr(x, y):
        mse = float(((x.double() - y.double()) ** 2).mean())
        return 20 * math.log10(1 / math.sqrt(mse)) if mse > 0 else math.inf

    def extract_patches(image, size):
        height, width = image.shape[2:]
        corners = [(i, j) for i in range(height - size + 1) for j in range(width - size + 1)]
        return torch.stack([image[0, 0, i : i + size, j : j + size].flatten() for i, j in corners])

    def average_patches(patches, height, width):
        size = math.isqrt(patches.shape[1])
        sums, counts = patches.new_zeros(height, width), patches.new_zeros(height, width)
        for n, patch in enumerate(patches):
            i, j = divmod(n, width - size + 1)
            sums[i : i + size, j : j + size] += patch.view(size, size)
            counts[i : i + size, j : j + size] += 1
        return (sums / counts)[None, None]

    def posterior_mean(y, sigma, log_weights, means, covs):
        y, log_weights, means, covs = (t.double() for t in (y, log_weights, means, covs))
        logs, estimates = [], []
        for log_weight, mean, cov in zip(log_weights, means, covs, strict=True):
            values, vectors = torch.linalg.eigh(cov)
            values = values.clamp(min=0)
            coefficients = (y - mean) @ vectors
            logs.append(log_weight - 0.5 * (coefficients**2 / (values + sigma**2) + (values + sigma**2).log()).sum(1))
            estimates.append(mean + (coefficients * values / (values + sigma**2)) @ vectors.T)
        weights = torch.stack(logs, 1).softmax(1)
        return (weights[:, :, None] * torch.stack(estimates, 1)).sum(1)

    def denoise(image, sigma, log_weights, means, covs):
        size = round(means.shape[1] ** 0.5)
        rows = []
        for patch in extract_patches(image, size):
            centred = patch - patch.mean()
            rows.append(posterior_mean(centred[None], sigma, log_weights, means, covs)[0].float() + patch.mean())
        return average_patches(torch.stack(rows), *image.shape[-2:])

    return {"psnr": psnr, "extract_patches": extract_patches, "average_patches": average_patches,
            "posterior_mean": posterior_mean, "denoise": denoise}


@alternative("Tweedie's formula with autograd in float64; patches by Tensor.unfold")
def tweedie(ref):
    def extract_patches(image, size):
        return image[0, 0].unfold(0, size, 1).unfold(1, size, 1).reshape(-1, size * size)

    def average_patches(patches, height, width):
        size = math.isqrt(patches.shape[1])
        index = extract_patches(torch.arange(height * width, device=patches.device).view(1, 1, height, width), size).flatten()
        sums = torch.zeros(height * width, dtype=patches.dtype, device=patches.device).index_add(0, index, patches.flatten())
        return (sums / torch.bincount(index)).view(1, 1, height, width)

    def posterior_mean(y, sigma, log_weights, means, covs):
        y, log_weights, means, covs = (t.double() for t in (y, log_weights, means, covs))
        y = y.detach().requires_grad_()
        noisy = covs + sigma**2 * torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
        parts = torch.distributions.MultivariateNormal(means, noisy).log_prob(y[:, None])
        (score,) = torch.autograd.grad((log_weights + parts).logsumexp(1).sum(), y)
        return (y + sigma**2 * score).detach().float()

    return {"extract_patches": extract_patches, "average_patches": average_patches, "posterior_mean": posterior_mean}


@alternative("torch.distributions for the responsibilities, one batched solve, einsum")
def batched(ref):
    def posterior_mean(y, sigma, log_weights, means, covs):
        noisy = covs + torch.diag_embed(torch.full_like(means, sigma**2))
        log_joint = torch.distributions.MultivariateNormal(means, noisy).log_prob(y[:, None]) + log_weights
        weights = (log_joint - log_joint.logsumexp(1, keepdim=True)).exp()
        gains = covs @ torch.linalg.inv(noisy)
        estimates = means + torch.einsum("kij,nkj->nki", gains, y[:, None] - means)
        return torch.einsum("nk,nki->ni", weights, estimates)

    return {"posterior_mean": posterior_mean}


edit_alternative("keeps_mean_in_posterior", "adds the patch mean in place of a broadcast, and folds the brightness separately",
                 ("return average_patches(estimates, image.shape[2], image.shape[3])",
                  "return average_patches(estimates - brightness, *image.shape[2:]) + average_patches(brightness.expand_as(patches), *image.shape[2:])"))
