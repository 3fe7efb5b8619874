"""The notebook on adversarial training: its exercises, in its order."""

EXERCISES = (
    "optimal_discriminator",
    "discriminator_objective",
    "jsd_from_discriminator",
    "density_from_discriminator",
    "train_discriminator",
    "pushforward_log_density",
    "wasserstein_distance",
    "masked_squared_error",
    "inpainting_losses",
    "inpainting_step",
)
