"""The SimSiam notebook: its exercises, in its order."""

EXERCISES = (
    "second_moments",
    "objective",
    "predictor_velocity",
    "encoder_velocity",
    "flow_matrix",
    "norm_bound",
    "velocity_without_both",
    "simulate",
    "plot_collapse",
    "mode_velocity",
    "simsiam_loss",
    "output_deviation",
)
