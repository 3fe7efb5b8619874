"""The class as a whole: latent_dim counts, and every parameter is registered and learns.

In evaluation mode a copy made by load_state_dict must reconstruct the same, and the reconstruction sends a gradient to
each parameter. The mistakes keep a layer in a plain list, fix the number of latents, or cut the graph.
"""

import math

import torch
from torch import nn

from autograder.assignments.vae import common, reference
from autograder.assignments.vae.reference import VAE
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.VAE")
def whole_model(student: Remote, draw: Draw) -> None:
    latent_dim = 7  # no cell of the notebook asks for as many
    model, x, eps = common.redrawn_model(student, latent_dim), common.images(draw, 5), draw.normal(5, latent_dim)
    x_hat, mu, sigma = expect(model(x, eps=eps), "what forward returns").items(3)
    expect(x_hat, "the reconstruction").shape(5, 1, reference.SIDE, reference.SIDE)
    expect(mu, "mu").shape(5, latent_dim, mistake="two_latents_only")
    expect(sigma, "sigma").shape(5, latent_dim)
    found = model.attribute("latent_dim")
    expect(found).holds(found == latent_dim, "The attribute latent_dim is not the number of latents asked for.")
    expect(sigma).holds(bool((sigma > 0).all()), "sigma is not positive everywhere.")
    other = expect(model(x.flip(0), eps=-eps), "what forward returns").items(3)[0]
    expect(other).holds(
        not common.almost_equal(other, x_hat, within=0),
        "The reconstruction depends on neither the image nor the noise.",
    )
    again = expect(model(x, eps=eps), "what forward returns").items(3)[0]
    expect(again).holds(
        common.almost_equal(again, x_hat), "In evaluation mode, two calls of forward with the same x and eps differ."
    )
    twin = student.kept(latent_dim)
    twin.eval.kept()
    twin.load_state_dict.kept(model.state_dict.kept())
    copy = expect(twin(x, eps=eps), "what forward returns").items(3)[0]
    expect(copy).holds(
        common.almost_equal(copy, x_hat),
        "A copy made by load_state_dict reconstructs differently: a layer is not registered with the module.",
        "layers_in_a_list",
    )
    for noise in ({"eps": eps}, {}):
        sizes = model.gradient(x, wrt=model, weights=[draw.normal(*x.shape), None, None], **noise)
        expect(sizes).holds(len(sizes) > 0, "The model has no parameters: assign its layers to self.")
        expect(sizes).holds(
            all(size is not None and math.isfinite(size) for size in sizes)
            and any(size > 0 for size in sizes if size is not None),
            "The reconstruction does not send a gradient to every parameter: some would never learn.",
            "detached",
        )


@mistake(
    "A layer is kept where the module does not register it (a plain list, say): it would neither be trained nor saved."
)
class layers_in_a_list(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.extra = [nn.Linear(latent_dim, latent_dim)]

    def decode(self, z):
        return super().decode(self.extra[0](z))


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
class with_lazy_layers(VAE):
    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.encoder = nn.Sequential(nn.Flatten(), nn.LazyLinear(64), nn.ReLU())
        self.decoder = nn.Sequential(nn.LazyLinear(64), nn.ReLU(), nn.LazyLinear(784))
