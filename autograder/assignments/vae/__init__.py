"""The VAE notebook: its exercises, in its order."""

EXERCISES = (
    "gaussian_kl",
    "reparameterize",
    "pathwise_gradient",
    "score_function_gradient",
    "grad_mu_sigma",
    "elbo_from_joint",
    "elbo_from_kl",
    "log_evidence",
    "posterior",
    "kl_to_posterior",
    "sweep_phi",
    "encode",
    "decode",
    "forward",
    "VAE",
    "elbo_loss",
    "plot_latents",
    "amortization_gap",
    "aggregate_moments",
)
