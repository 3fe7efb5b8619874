"""Whatever network students choose for the VAE, its checks find what they look for in it."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from autograder.assignments import exercises_of
from autograder.assignments.vae.reference import VAE
from autograder.assignments.vae.VAE import layers_in_a_list
from autograder.authoring.grafting import changes_of, grafted
from autograder.judge.draw import seed_for
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process
from autograder.judge.verdict import Finding


def dense(*sizes, act=nn.ReLU):
    return nn.Sequential(
        nn.Flatten(),
        *(layer for pair in zip(sizes, sizes[1:], strict=False) for layer in (nn.Linear(*pair), act())),
    )


def to_pixels(*sizes, act=nn.ReLU):
    """A decoder: hidden layers of these sizes, and one for the pixels."""
    return lambda latent_dim: nn.Sequential(dense(latent_dim, *sizes, act=act), nn.Linear(sizes[-1], 784))


def pooled_everywhere():
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )


def deep_convolutions():
    block = [(nn.Conv2d(size, 16, 3, padding=1), nn.BatchNorm2d(16), nn.LeakyReLU()) for size in (1, 16, 16, 16)]
    return nn.Sequential(*(layer for layers in block for layer in layers), nn.MaxPool2d(4), nn.Flatten())


def with_dropout():
    return nn.Sequential(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Dropout(0.5))


def from_squares(latent_dim):
    return nn.Sequential(
        *(nn.Linear(latent_dim, 32 * 49), nn.ReLU(), nn.Unflatten(1, (32, 7, 7)), nn.ConvTranspose2d(32, 16, 4, 2, 1)),
        *(nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1)),
    )


def from_one_square(latent_dim):
    return nn.Sequential(
        *(nn.Unflatten(1, (latent_dim, 1, 1)), nn.ConvTranspose2d(latent_dim, 16, 7), nn.ReLU()),
        *(nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 1, 4, 2, 1)),
    )


class Attentive(nn.Module):
    """Sixteen patches that attend to each other."""

    def __init__(self):
        super().__init__()
        self.patches, self.places = nn.Linear(49, 32), nn.Parameter(0.02 * torch.randn(16, 32))
        self.layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)

    def forward(self, x):
        patches = x.unfold(2, 7, 7).unfold(3, 7, 7).reshape(len(x), 16, 49)
        return self.layer(self.patches(patches) + self.places).mean(dim=1)


# Encoder, the number of its features, decoder, and what makes σ.
NETWORKS = {
    "linear": (nn.Flatten, 784, lambda latent_dim: nn.Linear(latent_dim, 784), functional.softplus),
    "small": (lambda: dense(784, 16, act=nn.Tanh), 16, to_pixels(16, act=nn.Tanh), functional.softplus),
    "deep": (lambda: dense(784, 400, 300, 200, 100, 64, 32), 32, to_pixels(32, 64, 100, 200, 300), torch.exp),
    "sigmoids": (
        lambda: dense(784, 64, 32, act=nn.Sigmoid),
        32,
        to_pixels(32, act=nn.Sigmoid),
        lambda raw: (raw / 2).exp(),
    ),
    "pooled everywhere": (pooled_everywhere, 32, from_squares, torch.exp),
    "deep convolutions": (deep_convolutions, 16 * 49, from_squares, torch.exp),
    "dropout": (with_dropout, 8 * 144, from_one_square, lambda raw: raw.clamp(-5, 5).exp()),
    "attention": (Attentive, 32, to_pixels(64), lambda raw: functional.softplus(raw) + 1e-4),
    "weight norm": (
        lambda: nn.Sequential(nn.Flatten(), weight_norm(nn.Linear(784, 64)), nn.ELU()),
        *(64, to_pixels(64, act=nn.ELU), torch.exp),
    ),
    "spectral norm alone": (
        lambda: nn.Sequential(nn.Flatten(), spectral_norm(nn.Linear(784, 64)), nn.Mish()),
        64,
        lambda latent_dim: nn.Sequential(
            spectral_norm(nn.Linear(latent_dim, 64)), nn.Mish(), spectral_norm(nn.Linear(64, 784))
        ),
        torch.exp,
    ),
}


def model_of(encoder, features, decoder, positive):
    class Model(nn.Module):
        def __init__(self, latent_dim):
            super().__init__()
            self.latent_dim = latent_dim
            self.encoder, self.decoder = encoder(), decoder(latent_dim)
            self.head = nn.Linear(features, 2 * latent_dim)

        def encode(self, x):
            mu, raw = self.head(self.encoder(x)).chunk(2, dim=1)
            return mu, positive(raw)

        def decode(self, z):
            return torch.sigmoid(self.decoder(z)).view(-1, 1, 28, 28)

        def forward(self, x, eps=None):
            mu, sigma = self.encode(x)
            return self.decode(mu + sigma * (torch.randn_like(mu) if eps is None else eps)), mu, sigma

    return Model


class InOneVector(nn.Module):
    """All weights in one parameter without rows and columns."""

    def __init__(self, latent_dim, hidden=64):
        super().__init__()
        self.latent_dim = latent_dim
        self.sizes = [(hidden, 784), (hidden,), (2 * latent_dim, hidden), (2 * latent_dim,)]
        self.sizes += [(hidden, latent_dim), (hidden,), (784, hidden), (784,)]
        parts = [torch.randn(size).flatten() / (size[1] ** 0.5 if len(size) > 1 else 10) for size in self.sizes]
        self.weights = nn.Parameter(torch.cat(parts))

    def parts(self):
        numbers = self.weights.split([torch.Size(size).numel() for size in self.sizes])
        return [part.view(size) for part, size in zip(numbers, self.sizes, strict=True)]

    def encode(self, x):
        first, bias, second, other, *_ = self.parts()
        hidden = functional.linear(x.flatten(1), first, bias).relu()
        mu, raw = functional.linear(hidden, second, other).chunk(2, dim=1)
        return mu, raw.exp()

    def decode(self, z):
        *_, first, bias, second, other = self.parts()
        hidden = functional.linear(z, first, bias).relu()
        return functional.linear(hidden, second, other).sigmoid().view(-1, 1, 28, 28)

    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu + sigma * (torch.randn_like(mu) if eps is None else eps)), mu, sigma


MODELS = {name: model_of(*parts) for name, parts in NETWORKS.items()} | {"one vector": InOneVector}


@pytest.mark.slow
@pytest.mark.parametrize("exercise", ["encode", "decode", "forward", "VAE"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_network_of_any_kind_passes(model, exercise):
    id = f"vae.{exercise}"
    found = judge(exercises_of("vae")[id], in_this_process(model), seed_for(b"networks", "", id))
    assert (found.verdict, found.message) == ("pass", "")


def test_a_vae_whose_encode_is_not_right_is_judged_by_its_layers():
    exercises, own = exercises_of("vae"), exercises_of("vae")["vae.VAE"]
    of_layers = [one for one in own.mistakes if "__init__" in changes_of(one.answer)]
    right = [VAE, *(one.answer for one in own.equivalents), *MODELS.values()]

    def found(answer):
        return judge(replace(own, borrows=("encode",)), in_this_process(answer), seed_for(b"layers", "", own.id))

    wrong = exercises["vae.encode"].mistakes[0].answer
    assert [found(grafted(wrong, one.answer)).mistake for one in of_layers] == [one.name for one in of_layers]
    assert {found(grafted(wrong, one)) for one in right} == {Finding("pass")}
    assert len(of_layers) > 2 and found(VAE).borrowed
    assert found(Junk).message.startswith("Only one layer follows latent_dim")


class Junk(nn.Module):
    """What no encoder and decoder could be made of."""

    def __init__(self, latent_dim):
        super().__init__()
        self.latent_dim = latent_dim
        self.one, self.other = nn.Linear(latent_dim, 784), nn.Linear(2, 2)


@pytest.mark.parametrize("name", ["encode", "decode"])
def test_layers_in_a_list_cost_the_methods_nothing(name):
    id = f"vae.{name}"
    found = judge(exercises_of("vae")[id], in_this_process(layers_in_a_list.answer), seed_for(b"layers", "", id))
    assert found == Finding("pass")
