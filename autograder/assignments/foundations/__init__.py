"""The notebook on foundations: its exercises, in its order."""

EXERCISES = (
    "padding",
    "convolve",
    "language_model_edges",
    "log_partition",
    "tag_log_probability",
    "factor_graph",
    "chain_log_partition",
)
