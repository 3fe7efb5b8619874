"""The two Gaussians to drag, without a browser."""

import math

import numpy as np
import pytest
import torch

from fixmelab.pictures import densities, plotting

FUNCTIONS = (lambda log_f0, log_f1: torch.sigmoid(log_f1 - log_f0)), (lambda log_f0, logits: log_f0 + logits)


def test_a_scene_is_what_it_says():
    shown = densities.scene(*FUNCTIONS, (0.0, 1.0, 1.5, 0.6), 1.0)
    assert all(values.shape == (densities.POINTS,) for values in shown.curves.values())
    assert np.allclose(shown.curves["f_1 read off D"], shown.curves["f_1"], atol=1e-5)
    assert np.allclose(shown.curves["D"], shown.curves["D*"], atol=1e-5)
    assert shown.seen == shown.true
    for factor in (0.0, 0.5, 2.0):
        assert densities.scene(*FUNCTIONS, (0.0, 1.0, 1.5, 0.6), factor).seen < shown.true
    assert densities.scene(*FUNCTIONS, (0.5, 0.7, 0.5, 0.7), 1.0).true == pytest.approx(0, abs=1e-6)
    assert densities.scene(*FUNCTIONS, (-3.5, 0.3, 3.5, 0.3), 1.0).true == pytest.approx(math.log(2), abs=1e-3)


def test_the_widget_follows_its_peaks_and_its_slider(monkeypatch):
    monkeypatch.setattr(densities, "is_watched", lambda: True)
    chart, slider, caption = densities.density_explorer(*FUNCTIONS).children
    before = chart.curves, caption.value
    assert len(chart.curves) == 5 * 4 * densities.POINTS
    chart.peaks = [0.0, 1.0, -2.0, 0.5]
    after = chart.curves, caption.value
    assert before[0] != after[0] and before[1] != after[1]
    slider.value = 0.0
    assert chart.curves != after[0] and caption.value.endswith("sees 0.000")


def test_nobody_drags_in_grading(monkeypatch):
    monkeypatch.setattr(densities, "is_watched", lambda: False)
    assert isinstance(densities.density_explorer(*FUNCTIONS), plotting.Figure)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (lambda one, other: one.mean(), "optimal_discriminator gave shape"),
        (lambda one, other: 0.5, "optimal_discriminator gave float"),
        (lambda one, other: one * math.nan, "optimal_discriminator gave nan"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong, problem):
    with pytest.raises(ValueError, match=problem):
        densities.density_explorer_static(wrong, FUNCTIONS[1])
