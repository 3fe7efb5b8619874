"""The decoder: codes to images (B, 1, 28, 28) in [0, 1], by layers of the student's choice.

Behaviour is judged, with matrices drawn anew and codes large enough to drive pixels to black and white. The commonest
mistakes end without a sigmoid, with tanh, with two sigmoids or with a softmax over pixels, or return flat images.
"""

import torch
from torch import Tensor

from autograder.assignments.vae import common, reference
from autograder.assignments.vae.reference import VAE
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.decode")
def decode(student: Remote, draw: Draw) -> None:
    count, latent_dim = 16, 4
    model, z = common.redrawn_model(student, latent_dim, registered=True), 10 * draw.normal(count, latent_dim)
    one, x_hat = _decoded(model, z[7:8]), _decoded(model, z)
    again = model.decode(z)
    expect(again).holds(
        common.almost_equal(again, x_hat), "Two calls of decode on the same codes differ.", "decode_draws_noise"
    )
    expect(x_hat).holds(
        _pixels_are_not_a_distribution(x_hat),
        "The pixels of every image add up to one: a softmax over pixels makes them compete.",
        "softmax_over_pixels",
    )
    expect(x_hat).holds(
        float(x_hat.min()) < 0.49,
        "Over many codes no pixel is ever darker than one half: the outputs cannot reach black.",
        "sigmoid_twice",
    )
    expect(x_hat).holds(float(x_hat.max()) > 0.51, "Over many codes no pixel is ever brighter than one half.")
    expect(one).holds(
        common.almost_equal(one, x_hat[7:8]), "An image changes with the other codes in its batch.", "mixes_the_codes"
    )
    expect(x_hat).holds(bool((x_hat.flatten(1).std(dim=1) > 1e-6).all()), "All pixels of an image are the same.")
    changes = []
    for j in range(latent_dim):
        moved = z.clone()
        moved[:, j] += 5
        changes.append(_decoded(model, moved) - x_hat)
        expect(x_hat).holds(
            not common.almost_equal(x_hat + changes[-1], x_hat),
            "The image does not depend on every entry of z.",
            "ignores_a_latent",
        )
    expect(x_hat).holds(
        float(common.directions(torch.stack(changes).flatten(1))[-1]) > 0.01,
        "Different entries of z change the image in the same way: it depends on fewer numbers than z has.",
        "ignores_a_latent",
    )
    weight = draw.normal(*x_hat.shape)
    (gradient,) = model.decode.gradient(z / 10, wrt=[0], weights=[weight])
    expect(gradient).holds(
        isinstance(gradient, Tensor) and bool(gradient.any()),
        "No gradient passes through decode: training could not improve it.",
        "detached",
    )
    sizes = model.decode.gradient(z / 10, wrt=model, weights=[weight])
    common.expect_slope(lambda z: float((_decoded(model, z).double() * weight).sum()), z / 10, gradient, "decode")
    common.expect_parameters(model, lambda: [_decoded(model, z / 10)], sizes, draw, 3)


def _decoded(model: Remote, z: Tensor) -> Tensor:
    """Images of the right shape in [0, 1]."""
    x_hat = model.decode(z)
    expect(x_hat, "the decoded images").shape(len(z), 1, reference.SIDE, reference.SIDE, mistake="flat_images")
    leaves = "no_sigmoid_but_tanh" if float(x_hat.abs().max()) <= 1 else "no_sigmoid"
    expect(x_hat, "the decoded images").finite().within(0, 1, mistake=leaves)
    return x_hat


def _pixels_are_not_a_distribution(x_hat: Tensor) -> bool:
    return not torch.allclose(x_hat.flatten(1).sum(dim=1), torch.ones(len(x_hat)), atol=1e-3)


@mistake("Pixels leave [0, 1]: the last layer needs a squashing function with this range.")
class no_sigmoid(VAE):
    def decode(self, z):
        return self.decoder(z).view(-1, 1, 28, 28)


@mistake("Pixels leave [0, 1]: the squashing function at the end has another range.")
class no_sigmoid_but_tanh(VAE):
    def decode(self, z):
        return torch.tanh(self.decoder(z)).view(-1, 1, 28, 28)


@mistake("No pixel is ever darker than one half: the squashing function is applied twice, or to positive numbers only.")
class sigmoid_twice(VAE):
    def decode(self, z):
        return torch.sigmoid(super().decode(z))


@mistake("The pixels of an image add up to one, as if it had to choose one of them; they are independent.")
class softmax_over_pixels(VAE):
    def decode(self, z):
        return torch.softmax(self.decoder(z), dim=1).view(-1, 1, 28, 28)


@mistake("Images come back in another shape; they should be (B, 1, 28, 28).")
class flat_images(VAE):
    def decode(self, z):
        return super().decode(z).flatten(1)


@mistake("One entry of z has no influence on the image, or none of its own.")
class ignores_a_latent(VAE):
    def decode(self, z):
        return super().decode(torch.cat([z[:, :-1], torch.zeros_like(z[:, -1:])], dim=1))


@mistake("An image changes with the other codes in its batch: an operation runs over the batch dimension.")
class mixes_the_codes(VAE):
    def decode(self, z):
        return super().decode(z - z.mean(dim=0, keepdim=True))


@mistake("Two calls of decode on the same codes differ: it returns the pixels' means, and draws nothing.")
class decode_draws_noise(VAE):
    def decode(self, z):
        return super().decode(z + 0.1 * torch.randn_like(z))


@ignores_a_latent.also  # type: ignore[attr-defined]  # mypy takes no notice of what decorates a class
class follows_the_sum_of_z(VAE):
    def decode(self, z):
        return super().decode(z.sum(dim=1, keepdim=True).expand_as(z))


@mistake("No gradient passes through decode: the graph is cut.")
class detached(VAE):
    def decode(self, z):
        with torch.no_grad():
            return super().decode(z)


@equivalent
class with_lazy_layers(common.LazyLayers):
    pass


@equivalent
class by_scaled_tanh(VAE):
    def decode(self, z):
        return ((torch.tanh(self.decoder(z)) + 1) / 2).reshape(len(z), 1, 28, 28)


@equivalent
class by_a_reciprocal(VAE):
    def decode(self, z):
        return (1 / (1 + torch.exp(-self.decoder(z)))).unflatten(1, (1, 28, 28))


HARMLESS = {
    "return torch.sigmoid(self.decoder(z)).view(-1, 1, 28, 28) → return torch.sigmoid(self.decoder(z)).view(-1, 1, 28, 28).float()": "The parameters are float32.",
}
