"""The explorer without a browser: what decodes, what is kept in step, what is refused."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from fixmelab.pictures import plotting, widgets
from fixmelab.pictures.widgets import LatentExplorer, latent_explorer, latent_explorer_static

NAMES = ["T-shirt", "Trouser", "<script>alert(1)</script>"]


class Decoder:
    """Decodes z to an image whose pixels are all a number that z determines; remembers each z."""

    def __init__(self) -> None:
        self.asked: list[torch.Tensor] = []

    def __call__(self, z: torch.Tensor) -> torch.Tensor:
        self.asked.append(z.clone())
        return torch.sigmoid(z.sum()).expand(1, 1, 28, 28)


@pytest.fixture(autouse=True)
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIXMELAB_JUDGE", raising=False)
    monkeypatch.setenv("FIXMELAB_BUDGET", "cpu")


@pytest.fixture
def decoder() -> Decoder:
    return Decoder()


@pytest.fixture
def means() -> torch.Tensor:
    return torch.randn(60, 4, generator=torch.Generator().manual_seed(0))


LABELS = torch.arange(60) % 3


def grey(explorer: LatentExplorer) -> float:
    shown = np.asarray(Image.open(io.BytesIO(explorer.picture.value)))
    assert shown.shape == (252, 252) and shown.min() == shown.max()
    return shown[0, 0] / 255


def sigmoid(x: float) -> float:
    return 1 / (1 + np.exp(-x))


def test_the_picture_is_what_the_decoder_makes_of_the_origin_at_first(decoder, means) -> None:
    explorer = latent_explorer(decoder, means, LABELS, NAMES)
    assert torch.equal(decoder.asked[-1], torch.zeros(1, 4))
    assert grey(explorer) == pytest.approx(0.5, abs=1 / 255)


def test_moving_a_slider_moves_the_mark_and_the_picture(decoder, means) -> None:
    explorer = latent_explorer(decoder, means, LABELS, NAMES, i=1, j=3)
    explorer.sliders[0].value = 1.5
    explorer.sliders[1].value = -0.5
    assert torch.equal(decoder.asked[-1], torch.tensor([[0.0, 1.5, 0.0, -0.5]]))
    assert explorer.map.position == [1.5, -0.5]
    assert grey(explorer) == pytest.approx(sigmoid(1.0), abs=1 / 255)
    assert explorer.caption.value == "decoded at z₁ = 1.50, z₃ = −0.50"


def test_a_click_moves_the_sliders_and_decodes_once(decoder, means) -> None:
    explorer = latent_explorer(decoder, means, LABELS, NAMES, i=3, j=0)
    before = len(decoder.asked)
    explorer.map.position = [2.0, -1.0]
    assert [slider.value for slider in explorer.sliders] == [2.0, -1.0]
    assert torch.equal(decoder.asked[-1], torch.tensor([[-1.0, 0.0, 0.0, 2.0]]))
    assert len(decoder.asked) == before + 1


def test_a_place_outside_the_map_is_brought_to_its_edge(decoder, means) -> None:
    explorer = latent_explorer(decoder, means, LABELS, NAMES)
    explorer.map.position = [99.0, 0.0]
    radius = explorer.map.radius
    assert explorer.sliders[0].value == explorer.sliders[0].max == radius
    assert explorer.map.position == [radius, 0.0]


def test_the_map_holds_the_means_of_the_two_latents_with_their_classes(decoder, means) -> None:
    explorer = latent_explorer(decoder, means, LABELS, NAMES, i=2, j=0)
    points = np.frombuffer(explorer.map.points, np.float32).reshape(-1, 2)
    classes = np.frombuffer(explorer.map.classes, np.uint8)
    expected = {(float(z[2]), float(z[0])): int(label) for z, label in zip(means, LABELS, strict=True)}
    assert {tuple(map(float, point)): int(label) for point, label in zip(points, classes, strict=True)} == expected
    assert explorer.map.axis_names == ["z₂", "z₀"]
    assert [label["text"] for label in explorer.map.class_labels] == NAMES


def test_a_large_set_is_thinned(decoder) -> None:
    count = widgets.MOST_POINTS + 500
    explorer = latent_explorer(decoder, torch.randn(count, 2), torch.zeros(count, dtype=int), NAMES)
    assert len(explorer.map.classes) == widgets.MOST_POINTS


def test_two_columns_serve_for_any_two_latents(decoder, means) -> None:
    explorer = latent_explorer(decoder, means[:, :2], LABELS, NAMES, i=5, j=2, latent_dim=7)
    explorer.map.position = [1.0, -2.0]
    assert torch.equal(decoder.asked[-1], torch.tensor([[0, 0, -2.0, 0, 0, 1.0, 0]]))


def test_z_comes_in_the_type_of_the_means_and_arrays_as_single_precision(decoder, means) -> None:
    latent_explorer(decoder, means.double(), LABELS, NAMES)
    assert decoder.asked[-1].dtype == torch.float64
    latent_explorer(decoder, means.double().numpy(), LABELS.numpy(), NAMES)
    assert decoder.asked[-1].dtype == torch.float32


def test_decoding_keeps_no_gradient(means) -> None:
    weight = torch.ones((), requires_grad=True)
    needed = []

    def decode(z: torch.Tensor) -> torch.Tensor:
        image = (weight * z.sum()).sigmoid().expand(1, 1, 28, 28)
        needed.append(image.requires_grad)
        return image

    latent_explorer(decode, means.requires_grad_(), LABELS, NAMES)
    assert needed == [False]


def test_text_that_reaches_html_is_escaped(decoder, means, monkeypatch) -> None:
    monkeypatch.setattr(plotting, "latent_name", lambda index: f"<i>{index}</i>")
    explorer = latent_explorer(decoder, means, LABELS, NAMES)
    assert "<" not in explorer.caption.value and "&lt;i&gt;0" in explorer.caption.value


def test_the_script_writes_no_html() -> None:
    script = LatentExplorer.__init__.__globals__["LatentMap"]._esm
    text = str(script)
    assert "fillText" in text
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "http:", "https:"):
        assert way not in text


@pytest.mark.parametrize(("variable", "value"), [("FIXMELAB_JUDGE", "/some/socket"), ("FIXMELAB_BUDGET", "smoke")])
def test_where_nobody_can_move_a_slider_it_is_a_figure(decoder, means, monkeypatch, variable, value) -> None:
    monkeypatch.setenv(variable, value)
    assert isinstance(latent_explorer(decoder, means, LABELS, NAMES), plotting.Figure)


def test_the_printed_twin_decodes_the_points_that_it_marks(decoder, means) -> None:
    figure = latent_explorer_static(decoder, means, LABELS, NAMES, i=1, j=2)
    chart, *panels = figure.axes
    assert (chart.get_xlabel(), chart.get_ylabel()) == ("$z_{1}$", "$z_{2}$")
    marks = [(line.get_xdata()[0], line.get_ydata()[0]) for line in chart.lines]
    assert len(marks) == len(panels) == 9
    for (z_1, z_2), z, panel in zip(marks, decoder.asked, panels, strict=True):
        assert z.tolist() == [[0.0, z_1, z_2, 0.0]]
        assert np.allclose(panel.images[0].get_array(), sigmoid(z_1 + z_2))
    # Above on the map is above among the panels, and likewise to the left.
    assert marks[0][1] < marks[3][1] < marks[6][1] and marks[0][0] < marks[1][0] < marks[2][0]
    numbers = [text.get_text() for text in chart.texts if text.get_text().isdigit()]
    assert numbers == [panel.get_title().split(":")[0] for panel in panels]


@pytest.mark.parametrize("make", [latent_explorer, latent_explorer_static])
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"i": 1, "j": 1}, "i = 1 and j = 1: give two different numbers from 0 to 3"),
        ({"j": 4}, "i = 0 and j = 4"),
        ({"i": -1}, "i = -1"),
        ({"latent_dim": 6}, "4 columns: give 6"),
        ({"means": torch.zeros(60)}, r"means have shape \(60,\)"),
        ({"labels": LABELS[:5]}, r"labels have shape \(5,\)"),
        ({"class_names": NAMES[:2]}, "there are 2 class names"),
        ({"decode": lambda z: torch.zeros(1, 784)}, r"shape \(1, 784\) for z \(1, 4\): it must be \(1, 1, 28, 28\)"),
        ({"decode": lambda z: torch.full((1, 1, 28, 28), torch.nan)}, "nan or infinity"),
    ],
)
def test_unfit_arguments_are_refused(make, decoder, means, changes, why) -> None:
    arguments = {"decode": decoder, "means": means, "labels": LABELS, "class_names": NAMES} | changes
    with pytest.raises(ValueError, match=why):
        make(**arguments)
