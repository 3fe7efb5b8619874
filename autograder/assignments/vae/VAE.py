"""The class as a whole: latent_dim counts, and every parameter is registered and learns.

In evaluation mode a copy made by load_state_dict must reconstruct the same, follow its own parameters alone, and send a
gradient to each. The mistakes keep a layer in a plain list or with the class, fix the number of latents, or cut the graph.
If encode or decode is not right, no layers can be seen at work: then what __init__ makes is judged alone.
"""

import math
from collections import Counter

import torch
from torch import Tensor, nn

from autograder.assignments.vae import common, reference
from autograder.assignments.vae.reference import VAE
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


def layers_alone(student: Remote, draw: Draw) -> None:
    """What __init__ makes: layers of the model's own that are registered and follow latent_dim."""
    latent_dim = draw.integer(6, 10)
    model = common.redrawn_model(student, latent_dim)
    _expect_latent_dim(model, latent_dim)
    shapes, before = _expect_layers(model), model.state_dict()
    expect(shapes).holds(
        not common.stray_layers(model), "A layer is not registered with the module.", "layers_in_a_list"
    )
    common.redrawn_model(student, latent_dim)
    expect(before).holds(
        _are_equal(before, model.state_dict()),
        "Two models share their weights: make layers in __init__, and assign them to self.",
        "layers_of_the_class",
    )
    wider = [shape for _, shape in common.redrawn_model(student, latent_dim + 3).parameters()]
    expect(shapes).holds(
        sorted(shapes) != sorted(wider), "The layers are the same for every latent_dim.", "two_latents_only"
    )
    following = Counter(filter(common.is_weight, shapes)) - Counter(wider)
    expect(shapes).holds(
        following.total() >= 2 or any(len(shape) == 1 for shape in following),
        "Only one layer follows latent_dim: the encoder ends in the latents, and the decoder begins with them.",
    )


def _expect_latent_dim(model: Remote, latent_dim: int) -> None:
    found = model.attribute("latent_dim")
    expect(found).holds(
        type(found) is int and found == latent_dim,
        "The attribute latent_dim is not the number of latents asked for.",
        "two_latents_only",
    )


def _expect_layers(model: Remote) -> list[tuple[int, ...]]:
    """The shapes of the model's parameters, of which there are enough."""
    shapes = [shape for _, shape in model.parameters()]
    expect(shapes).holds(len(shapes) > 0, "The model has no parameters: assign its layers to self.")
    weights = [shape for shape in shapes if common.is_weight(shape)]
    is_flat = any(len(shape) == 1 for shape in weights)  # all layers may lie in one vector
    expect(shapes).holds(
        sum(math.prod(shape) for shape in shapes) >= reference.SIDE**2 and (len(weights) >= 2 or is_flat),
        "The model has hardly any parameters: encoder and decoder are made of layers.",
    )
    return shapes


def _are_equal(one: object, other: object) -> bool:
    """Whether two states have the same names and numbers."""
    if not isinstance(one, dict) or not isinstance(other, dict) or one.keys() != other.keys():
        return False
    pairs = [(one[name], other[name]) for name in one]
    return all(isinstance(a, Tensor) and isinstance(b, Tensor) and torch.equal(a, b) for a, b in pairs)


@exercise("vae.VAE", without={"encode": layers_alone, "decode": layers_alone})
def whole_model(student: Remote, draw: Draw) -> None:
    latent_dim = draw.integer(6, 10)  # no cell of the notebook asks for as many
    model, x, eps = common.redrawn_model(student, latent_dim), common.images(draw, 5), draw.normal(5, latent_dim)
    x_hat, mu, _ = _results(model, x, eps)
    _expect_latent_dim(model, latent_dim)
    for other in (_results(model, x.flip(0), eps)[0], _results(model, x, -eps)[0]):
        expect(other).holds(
            not common.almost_equal(other, x_hat, within=0),
            "The reconstruction depends on the image alone, on the noise alone, or on neither.",
            "ignores_its_input",
        )
    for what, rows in (("reconstruction", x_hat), ("code", mu)):
        varied = common.directions(rows.flatten(1) - rows.flatten(1).mean(dim=0))
        expect(rows).holds(
            float(varied[1]) > 0.02, f"The {what} is the same for every image, or nearly so.", "ignores_its_input"
        )
    again = _results(model, x, eps)[0]
    expect(again).holds(
        common.almost_equal(again, x_hat), "In evaluation mode, two calls of forward with the same x and eps differ."
    )
    twin = common.redrawn_model(student, latent_dim)
    again = _results(model, x, eps)[0]
    expect(again).holds(
        common.almost_equal(again, x_hat),
        "Two models share their weights: make layers in __init__, and assign them to self.",
        "layers_of_the_class",
    )
    twin.load_state_dict.kept(model.state_dict.kept())
    copy = _results(twin, x, eps)[0]
    expect(copy).holds(
        common.almost_equal(copy, x_hat),
        "A copy made by load_state_dict reconstructs differently: a layer is not registered with the module.",
        "layers_in_a_list",
    )
    for noise in ({}, {"eps": eps}):
        sizes = model.gradient(x, wrt=model, weights=[draw.normal(*x.shape), None, None], **noise)
        expect(sizes).holds(len(sizes) > 0, "The model has no parameters: assign its layers to self.")
        expect(sizes).holds(
            all(size is not None and math.isfinite(size) for size in sizes)
            and any(size > 0 for size in sizes if size is not None),
            "The reconstruction does not send a gradient to every parameter: some would never learn.",
            "detached",
        )
    _expect_layers(model)
    common.expect_parameters(twin, lambda: _results(twin, x, eps)[:1], sizes, draw, 16)
    again = _results(model, x, eps)[0]
    expect(again).holds(common.almost_equal(again, x_hat), "Two models share their weights.", "layers_of_the_class")


def _results(model: Remote, x: Tensor, eps: Tensor) -> list[Tensor]:
    """What forward returns, of the right shapes."""
    x_hat, mu, sigma = expect(model(x, eps=eps), "what forward returns").items(3)
    expect(x_hat, "the reconstruction").shape(len(x), 1, reference.SIDE, reference.SIDE).finite()
    expect(mu, "mu").shape(*eps.shape, mistake="two_latents_only").finite()
    expect(sigma, "sigma").shape(*eps.shape).finite()
    return [x_hat, mu, sigma]


@mistake(
    "A layer is kept where the module does not register it (a plain list, say): it would neither be trained nor saved."
)
class layers_in_a_list(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.extra = [nn.Linear(latent_dim, latent_dim)]

    def decode(self, z):
        return super().decode(self.extra[0](z))


@mistake("Layers are kept with the class, so that all models share their weights: assign them to self in __init__.")
class layers_of_the_class(VAE):
    shared: dict[int, VAE] = {}

    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        other = self.shared.setdefault(latent_dim, self)
        if other is not self:
            self.encoder, self.head, self.decoder = other.encoder, other.head, other.decoder


@mistake("The reconstruction is the same for every image, or depends on the image alone or on the noise alone.")
class ignores_its_input(VAE):
    def forward(self, x, eps=None):
        return super().forward(x.mean(dim=0, keepdim=True).expand_as(x), eps)


@mistake("The number of latents is fixed in the code; it must follow latent_dim.")
class two_latents_only(VAE):
    def __init__(self, latent_dim):
        super().__init__(2)

    def forward(self, x, eps=None):
        return super().forward(x, eps if eps is None else eps[:, :2])


@mistake("Some parameters get no gradient from the reconstruction: the graph is cut, or a layer goes unused.")
class detached(VAE):
    def encode(self, x):
        with torch.no_grad():
            return super().encode(x)


@equivalent
class with_convolutions(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 4, 2, 1), nn.SiLU(), nn.Flatten()
        )
        self.head = nn.Linear(16 * 49, 2 * latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 16 * 49),
            nn.Unflatten(1, (16, 7, 7)),
            nn.ConvTranspose2d(16, 8, 4, 2, 1),
            nn.SiLU(),
            nn.ConvTranspose2d(8, 1, 4, 2, 1),
        )


@equivalent
class with_two_heads(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.to_mu, self.to_log_variance = nn.Linear(64, latent_dim), nn.Linear(64, latent_dim)
        del self.head

    def encode(self, x):
        features = self.encoder(x)
        return self.to_mu(features), torch.exp(self.to_log_variance(features) / 2)


@equivalent
class with_lazy_layers(common.LazyLayers):
    pass


HARMLESS = {
    "__init__ without gradients": "Parameters have gradients wherever they are made.",
    "nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 2 * latent_dim)) → nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(784, 512), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 2 * latent_dim))": "The layers are the student's choice.",
    "nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 2 * latent_dim)) → nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.Linear(512, 256), nn.ReLU(), nn.ReLU(), nn.Linear(256, 2 * latent_dim))": "The layers are the student's choice.",
    "nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 2 * latent_dim)) → nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.ReLU(), nn.Linear(512, 256), nn.Linear(256, 2 * latent_dim))": "The layers are the student's choice.",
    "nn.Sequential(nn.Linear(latent_dim, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784)) → nn.Sequential(nn.Linear(latent_dim, 256), nn.Linear(256, 512), nn.ReLU(), nn.ReLU(), nn.Linear(512, 784))": "The layers are the student's choice.",
    "nn.Sequential(nn.Linear(latent_dim, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784)) → nn.Sequential(nn.Linear(latent_dim, 256), nn.ReLU(), nn.ReLU(), nn.Linear(256, 512), nn.Linear(512, 784))": "The layers are the student's choice.",
    "nn.Sequential(nn.Linear(latent_dim, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784)) → nn.Sequential(nn.ReLU(), nn.Linear(latent_dim, 256), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784))": "The layers are the student's choice, even one that loses the sign of z.",
}
