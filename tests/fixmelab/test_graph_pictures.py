"""Pictures of graphs and of what samplers do on them, and the slider over a sampler's training."""

import io

import ipywidgets
import numpy as np
import pytest
import torch
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.colors import LogNorm, to_hex
from PIL import Image

from fixmelab.graphs import Graph
from fixmelab.pictures import sampler_slider
from fixmelab.pictures.edge_probabilities import FAVOUR, LEAST, MOST, Scene, plot_edge_probabilities
from fixmelab.pictures.graph_drawing import bent_arrows
from fixmelab.pictures.graph_layout import graph_layout
from fixmelab.pictures.neighborhood import HOPS, NODE, plot_neighborhood
from fixmelab.pictures.plotting import COLOURS, Figure
from fixmelab.pictures.sampler_charts import plot_accuracies, plot_convergence


def blocks(nodes=30, classes=3):
    """A block graph, its labels and which entries join two classes."""
    random = torch.Generator().manual_seed(1)
    labels = torch.arange(nodes) % classes
    close = torch.where(labels[:, None] == labels, 0.3, 0.06)
    a, b = torch.triu(torch.rand(nodes, nodes, generator=random) < close, 1).nonzero(as_tuple=True)
    graph = Graph.from_edges(torch.cat([a, b]), torch.cat([b, a]), nodes)
    return graph, labels, labels[graph.receivers] != labels[graph.indices]


def path(nodes=5):
    """0 - 1 - 2 - … in both directions."""
    here = torch.arange(nodes - 1)
    return Graph.from_edges(torch.cat([here, here + 1]), torch.cat([here + 1, here]), nodes)


def uniform(graph):
    return 1 / graph.degrees[graph.receivers].double()


def nodes_of(axes):
    """How many nodes are drawn in each colour."""
    drawn = [found for found in axes.collections if isinstance(found, EllipseCollection)]
    colours = [to_hex(colour) for found in drawn for colour in found.get_facecolors()]
    return {colour: colours.count(colour) for colour in colours}


def lines_of(axes):
    return [found for found in axes.collections if isinstance(found, LineCollection)]


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(figure._repr_png_())).convert("RGB"))


def test_a_layout_puts_neighbours_close_and_lets_the_random_numbers_be():
    graph, _, _ = blocks()
    before = torch.get_rng_state()
    places = graph_layout(graph, seed=3)
    assert torch.equal(before, torch.get_rng_state())
    assert places.shape == (30, 2) and places.dtype == torch.float32
    assert places.abs().amax(0).tolist() == [1.0, 1.0]
    assert torch.equal(places, graph_layout(graph, seed=3))
    apart = torch.cdist(places, places)
    assert apart[graph.receivers, graph.indices].mean() < 0.7 * apart.mean()
    assert (apart + 10 * torch.eye(30)).min() > 0.05


@pytest.mark.parametrize("nodes", [0, 1, 4, 120])
def test_a_layout_places_what_is_not_connected(nodes):
    places = graph_layout(Graph(torch.zeros(nodes + 1).long(), torch.zeros(0).long()))
    assert places.shape == (nodes, 2) and places.isfinite().all()


def test_a_neighbourhood_is_coloured_by_hop_and_counts_what_it_touches():
    graph = path(6)
    figure = plot_neighborhood(graph, graph_layout(graph), 1, depth=2)
    (axes,) = figure.axes
    assert "4 of 6 nodes touched" in axes.get_title()
    node, first, second = (to_hex(colour) for colour in HOPS[:3])
    assert nodes_of(axes) == {node: 1, first: 2, second: 1, to_hex(NODE): 2}
    silent, far, near = lines_of(axes)
    # Of five edges three bring a message; the rows of 0 and 2 are one and two entries long, that of 1 two.
    assert [len(found.get_segments()) for found in (silent, far, near)] == [2, 3, 2]
    assert pixels(figure).std() > 5


def test_a_message_follows_the_direction_of_an_edge():
    graph = Graph.from_edges(torch.tensor([0, 1]), torch.tensor([1, 2]), 4)  # 0 receives from 1, 1 from 2
    places = graph_layout(graph)
    counts = [plot_neighborhood(graph, places, node).axes[0].get_title() for node in range(4)]
    assert [text.split(": ")[1][0] for text in counts] == ["3", "2", "1", "1"]


def test_what_was_drawn_stands_beside_all_neighbours():
    graph, _, _ = blocks()
    row = graph.indices[graph.indptr[4] : graph.indptr[5]]
    drawn = [(torch.tensor([4, 4]), row[:2]), (torch.zeros(0).long(), torch.zeros(0).long())]
    figure = plot_neighborhood(graph, graph_layout(graph), 4, sampled=drawn, title="two hops")
    assert len(figure.axes) == 2
    assert "drawn neighbours: 3 of 30" in figure.axes[1].get_title()
    assert nodes_of(figure.axes[1])[to_hex(HOPS[1])] == 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"node": 5}, "between 0 and 4"),
        ({"node": 0, "depth": 0}, "depth is 0"),
        ({"node": 0, "sampled": []}, "0 hops"),
        ({"node": 0, "depth": 1, "sampled": [(torch.tensor([0]), torch.tensor([1, 2]))]}, "hop 1 .* same"),
        ({"node": 0, "depth": 1, "sampled": [(torch.tensor([0]), torch.tensor([-1]))]}, "between 0 and 4"),
    ],
)
def test_a_neighbourhood_that_does_not_fit_is_refused(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        plot_neighborhood(path(), torch.zeros(5, 2), **arguments)


def test_positions_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"give \(5, 2\)"):
        plot_neighborhood(path(), torch.zeros(4, 2), 0)
    with pytest.raises(ValueError, match="nan"):
        plot_neighborhood(path(), torch.full((5, 2), torch.nan), 0)


def test_an_entry_is_coloured_by_q_relative_to_uniform():
    graph = path(3)  # rows: 0: [1], 1: [0, 2], 2: [1]
    q = torch.tensor([1.0, 0.9, 0.1, 1.0])
    figure = plot_edge_probabilities(graph, graph_layout(graph), torch.tensor([0, 1, 0]), q)
    axes, bar = figure.axes
    assert bar.get_ylabel().startswith("q(j given i) · N(i)")
    colours = lines_of(axes)[0].get_colors()  # the least favoured first: 0.2, 1, 1, 1.8
    norm = LogNorm(LEAST, MOST)
    assert np.allclose(colours, FAVOUR(norm([0.25, 1, 1, 1.8])))
    # White: the centre of the second class, told apart without its colour.
    assert nodes_of(axes) == {COLOURS[0]: 2, COLOURS[1]: 1, "#ffffff": 1}


def test_the_two_directions_of_an_edge_lie_apart_and_end_at_the_nodes():
    places = np.array([[-1.0, 0.0], [1.0, 0.0]])
    lines, heads = bent_arrows(places, np.array([0, 1]), np.array([1, 0]), np.full(2, 0.1), 0.05)
    assert lines[0, :, 1].min() < -0.05 and lines[1, :, 1].max() > 0.05  # each to the left of its way
    assert np.allclose(heads[0, 0], [-0.9, 0], atol=0.03) and np.allclose(heads[1, 0], [0.9, 0], atol=0.03)
    assert np.allclose(np.linalg.norm(lines[0, 0] - places[1]), 0.1, atol=0.01)


def test_a_loop_begins_and_ends_at_its_node():
    places = np.array([[0.5, 0.5], [0.0, 0.0]])
    lines, heads = bent_arrows(places, np.array([0]), np.array([0]), np.full(2, 0.1), 0.05)
    reach = np.linalg.norm(lines[0] - places[0], axis=1)
    assert abs(reach[0] - 0.1) < 0.01 and reach.max() > 0.25
    assert abs(np.linalg.norm(heads[0, 0] - places[0]) - 0.1) < 0.01


def test_noise_is_dashed_and_what_was_drawn_is_thick():
    graph, labels, noise = blocks()
    places = graph_layout(graph)
    drawn = torch.tensor([0, 5, 5, 7])
    figure = plot_edge_probabilities(graph, places, labels, uniform(graph), is_noise=noise, drawn=drawn)
    thin, thick = lines_of(figure.axes[0])
    assert len(thick.get_segments()) == 3 and len(thin.get_segments()) == graph.num_edges - 3
    assert min(thick.get_linewidth()) > 2 * max(thin.get_linewidth())
    dashed = sum(pattern is not None for found in (thin, thick) for _, pattern in found.get_linestyle())
    assert dashed == int(noise.sum())
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["signal", "noise", "drawn"]
    assert pixels(figure).std() > 5


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"q": torch.ones(3)}, r"q has shape \(3,\): give \(8,\)"),
        ({"q": -torch.ones(8)}, "below 0"),
        ({"q": torch.full((8,), torch.nan)}, "nan"),
        ({"q": torch.full((8,), 0.5)}, "sums to 0.5 over the neighbours of node 0"),
        ({"labels": torch.zeros(4).long()}, "labels have shape"),
        ({"labels": torch.zeros(5)}, "integers"),
        ({"is_noise": torch.zeros(8)}, "bool"),
        ({"is_noise": torch.zeros(7).bool()}, "is_noise has shape"),
        ({"drawn": torch.tensor([8])}, "between 0 and 7"),
    ],
)
def test_probabilities_that_do_not_fit_are_refused(change, problem):
    graph = path()
    arguments = {"labels": torch.zeros(5).long(), "q": uniform(graph), **change}
    with pytest.raises(ValueError, match=problem):
        plot_edge_probabilities(graph, torch.zeros(5, 2), **arguments)


def test_entries_are_drawn_from_q():
    # Node 1 has no neighbours, node 3, the last one, has none either.
    graph = Graph.from_edges(torch.tensor([0, 0, 0, 2]), torch.tensor([1, 2, 3, 0]), 4)
    scene = Scene(graph, torch.zeros(4, 2), torch.zeros(4).long(), None)
    q = np.array([0.5, 0.0, 0.5, 1.0])
    found = scene.draws(q, np.random.default_rng(0).random((4, 4000)))
    assert found.shape == (2, 4000) and (found[1] == 3).all()
    shares = np.bincount(found[0], minlength=4) / 4000
    assert shares[1] == shares[3] == 0 and abs(shares[0] - 0.5) < 0.05
    ends = scene.draws(q, np.array([[0.0, np.nextafter(1, 0)]] * 4))
    assert ends.tolist() == [[0, 2], [3, 3]]


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(sampler_slider, "is_watched", lambda: True)


def parts(box):
    controls, picture, caption = box.children
    return *controls.children, picture, caption


def test_the_slider_shows_its_epoch_its_draws_and_new_ones(watched):
    graph, labels, noise = blocks()
    clean = torch.where(noise, 0.0, 1.0).double()
    clean /= torch.zeros(30).double().index_add(0, graph.receivers, clean)[graph.receivers]
    history = {20: clean, 0: uniform(graph)}
    before = torch.get_rng_state()
    box = sampler_slider.sampler_slider(graph, graph_layout(graph), labels, history, is_noise=noise)
    epoch, k, again, picture, caption = parts(box)
    assert isinstance(box, ipywidgets.VBox) and (k.min, k.max) == (1, 10)
    assert caption.value.startswith("epoch 0: ") and "30 draws" in caption.value
    assert Image.open(io.BytesIO(picture.value)).size == (sampler_slider.WIDTH, sampler_slider.HEIGHT)
    first = picture.value
    k.value = 4
    assert "120 draws" in caption.value and picture.value != first
    k.value = 1
    assert picture.value == first  # the same random numbers
    epoch.value = 20
    assert caption.value == picture.text
    assert caption.value.startswith("epoch 20: 0% of q on noise") and "0% of them noise" in caption.value
    epoch.value = 0
    again.click()
    assert picture.value != first
    assert torch.equal(before, torch.get_rng_state())


def test_a_slider_does_without_noise_and_without_edges(watched):
    graph = Graph(torch.zeros(4).long(), torch.zeros(0).long())
    box = sampler_slider.sampler_slider(graph, graph_layout(graph), torch.zeros(3).long(), {0: torch.zeros(0)})
    assert parts(box)[-1].value == "epoch 0; 0 draws"


def test_where_nobody_watches_three_epochs_are_shown(monkeypatch):
    monkeypatch.setattr(sampler_slider, "is_watched", lambda: False)
    graph, labels, noise = blocks()
    history = {epoch: uniform(graph) for epoch in range(0, 50, 10)}
    figure = sampler_slider.sampler_slider(graph, graph_layout(graph), labels, history, is_noise=noise)
    assert isinstance(figure, Figure)
    assert [axes.get_title().split(":")[0] for axes in figure.axes[:3]] == ["epoch 0", "epoch 20", "epoch 40"]
    few = sampler_slider.sampler_slider(graph, graph_layout(graph), labels, {3: uniform(graph)})
    assert [axes.get_title() for axes in few.axes] == ["epoch 3", ""]  # and the colour bar


def test_a_history_that_does_not_fit_is_refused():
    graph = path()
    with pytest.raises(ValueError, match="history is empty"):
        sampler_slider.sampler_slider(graph, torch.zeros(5, 2), torch.zeros(5).long(), {})
    with pytest.raises(ValueError, match="q of epoch 2 has shape"):
        sampler_slider.sampler_slider(
            graph, torch.zeros(5, 2), torch.zeros(5).long(), {1: uniform(graph), 2: torch.ones(2)}
        )


def test_accuracies_show_each_seed_the_mean_and_the_difference():
    accuracies = {
        "uniform": {5: torch.tensor([0.7, 0.8]), 1: torch.tensor([0.5, 0.6])},
        "learned": {1: torch.tensor([0.7, 0.7]), 5: torch.tensor([0.7, 0.7])},
    }
    figure = plot_accuracies(accuracies, title="two seeds")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "5"]
    assert [text.get_text() for text in axes.texts] == ["+0.150\n± 0.050", "−0.050\n± 0.050"]
    seeds = [line for line in axes.lines if line.get_marker() in ("o", "s") and line.get_linestyle() == "None"]
    assert [line.get_marker() for line in seeds] == ["o", "o", "s", "s"]  # told apart without colour, too
    assert [sorted(np.round(line.get_ydata(), 3).tolist()) for line in seeds] == [
        *([0.5, 0.6], [0.7, 0.8], [0.7, 0.7], [0.7, 0.7])
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        *("uniform", "learned", "numbers: learned − uniform")
    ]
    assert pixels(figure).std() > 5


def test_of_three_names_no_difference_is_written_and_a_k_may_be_missing():
    one = torch.tensor([0.5])
    figure = plot_accuracies({"a": {1: one, 2: one}, "b": {1: one}, "c": {3: one}})
    assert not figure.axes[0].texts
    pair = plot_accuracies({"a": {1: one, 2: one}, "b": {1: one}})
    assert [text.get_text() for text in pair.axes[0].texts] == ["+0.000"]


@pytest.mark.parametrize(
    ("accuracies", "problem"),
    [
        ({}, "no accuracies"),
        ({"a": {}}, "no accuracies"),
        ({"a": {2: torch.zeros(2, 2)}}, "'a' at k = 2 have shape"),
        ({"a": {2: torch.tensor([torch.nan])}}, "all finite"),
    ],
)
def test_accuracies_that_do_not_fit_are_refused(accuracies, problem):
    with pytest.raises(ValueError, match=problem):
        plot_accuracies(accuracies)


def test_convergence_shows_points_and_a_line_on_logarithmic_axes():
    ks = torch.tensor([4, 1, 2])
    figure = plot_convergence(ks, 1.1 / ks, 1 / ks, labels=("drawn", "Var / k"), title="error")
    (axes,) = figure.axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    theory, points = axes.lines
    assert theory.get_xdata().tolist() == [1, 2, 4] and theory.get_ydata().tolist() == [1, 0.5, 0.25]
    assert points.get_linestyle() == "None" and points.get_label() == "drawn"
    assert sorted(text.get_text() for text in axes.get_xticklabels()) == ["1", "2", "4"]
    assert pixels(figure).std() > 5


@pytest.mark.parametrize(
    ("ks", "error", "line", "problem"),
    [
        ([1, 2], [1.0], [1.0, 0.5], "give \\(K,\\)"),
        ([], [], [], "K ≥ 1"),
        ([1, 2], [1.0, 0.0], [1.0, 0.5], "above 0"),
    ],
)
def test_convergence_that_does_not_fit_is_refused(ks, error, line, problem):
    with pytest.raises(ValueError, match=problem):
        plot_convergence(ks, error, line)
