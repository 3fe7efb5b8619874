"""The GCN notebook: its exercises, in its order."""

EXERCISES = (
    "nodes_touched",
    "gcn_layer",
    "sample_neighbors",
    "mc_gcn_layer",
    "sampling_variance",
    "exact_sampler_gradient",
    "sampler_gradient",
    "leave_one_out",
    "normalize_scores",
    "draw_candidates",
    "PerformanceAdaptiveSampler",
    "sampler_loss",
    "joint_step",
    "same_class_share",
)
