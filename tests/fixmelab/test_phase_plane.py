"""The phase plane of one eigenmode: what is followed is right, and slider, path and picture are kept in step."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

import fixmelab
from fixmelab.pictures.flow_field import LIMITS, ROWS, FlowField
from fixmelab.pictures.phase_plane import PhasePlaneExplorer


def towards(p, s, decay, rate):
    """p doubles or dies about p = decay, s goes to rate."""
    return (p - decay) * (1 - p) * (p > -0.2), rate - s


def test_points_are_followed_to_where_they_end():
    alive, rest = FlowField(towards, 0.4, 0.5).basin()
    columns = alive.shape[1]
    p = LIMITS[0] + (np.arange(columns) + 0.5) / columns * (LIMITS[1] - LIMITS[0])
    assert (alive == (p > 0.4)).all() and alive.shape[0] == ROWS
    assert np.allclose(rest, (1.0, 0.5), atol=1e-3)
    assert FlowField(lambda p, s, decay, rate: (-p, -s), 0.0, 1.0).basin()[1] is None


def test_a_path_begins_at_its_start():
    path = FlowField(lambda p, s, decay, rate: (-p, -2 * s), 0.0, 1.0).path(0.5, 1.0)
    assert np.allclose(path[0], (0.5, 1.0)) and np.allclose(path[-1], 0, atol=1e-6)
    assert np.allclose(path[:, 1], 4 * path[:, 0] ** 2, atol=1e-3)


def test_paths_that_are_followed_together_are_those_of_each_alone():
    field = FlowField(lambda p, s, decay, rate: (p * p * 9, -2 * s), 0.0, 1.0)
    starts = (0.5, 1.0), (-0.2, 1.3)  # the first runs away
    paths = field.paths(starts)
    assert len(paths[0]) < len(paths[1])
    for start, path in zip(starts, paths, strict=True):
        assert np.array_equal(path, field.path(*start))


def test_arrows_point_along_the_velocity_and_are_not_longer_than_1():
    arrows = FlowField(lambda p, s, decay, rate: (torch.ones_like(p), 0 * s), 0.0, 1.0).arrows()
    assert (arrows[:, 2] > 0).all() and not arrows[:, 3].any() and np.hypot(*arrows[:, 2:].T).max() <= 1


def test_the_explorer_is_kept_in_step():
    shown = PhasePlaneExplorer(towards)
    before, path = shown.plane.basin, shown.plane.path
    shown.plane.start = [0.9, 0.1]
    assert shown.plane.path != path and "0.90" in shown.caption.value and shown.plane.basin == before
    shown.decay.value = 0.3
    assert shown.plane.basin != before


def test_on_the_smoke_budget_the_static_twin_is_shown(monkeypatch):
    monkeypatch.setenv("FIXMELAB_BUDGET", "smoke")
    figure = fixmelab.phase_plane_explorer(towards)
    picture = Image.open(io.BytesIO(figure._repr_png_()))
    assert picture.width > 600 and len(figure.axes) == 6


def test_velocities_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="two tensors of the shape of p"):
        FlowField(lambda p, s, decay, rate: (p.sum(), s.sum()), 0.1, 1.0).path(0.1, 0.1)


def test_clouds_are_drawn_a_panel_each():
    figure = fixmelab.show_clouds(torch.randn(2, 3, 10, 2), torch.arange(10) % 3, ["a", "b", "c"], ["d", "e"])
    assert len(figure.axes) == 6 and figure._repr_png_()
    with pytest.raises(ValueError, match="a title for each"):
        fixmelab.show_clouds(torch.randn(2, 3, 10, 2), torch.arange(10), ["a", "b"], ["d", "e"])
    with pytest.raises(ValueError, match="give"):
        fixmelab.show_clouds(torch.randn(2, 3, 10, 2), torch.arange(9), ["a", "b", "c"], ["d", "e"])
