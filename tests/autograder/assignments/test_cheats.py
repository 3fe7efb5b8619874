"""Answers and processes that know the notebook and do not do what it asks: each was once given a point for it."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from autograder.assignments import exercises_of
from autograder.assignments.diffusion import reference as diffusion
from autograder.assignments.diffusion.reference import Diffusion
from autograder.assignments.gcn import reference as gcn
from autograder.assignments.vae import reference as vae
from autograder.assignments.vae.reference import VAE
from autograder.judge.draw import seed_for
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process
from fixmelab.judged.probe import Probe

pytestmark = pytest.mark.slow

CHEATS: list[tuple[str, Any, type[Probe]]] = []


def cheat(*ids: str, serve: type[Probe] = Probe):
    """Declare an answer that must not pass these exercises."""

    def declare(answer):
        CHEATS.extend((id, answer, serve) for id in ids)
        return answer

    return declare


@pytest.mark.parametrize("seed", [b"one", b"another"], ids=lambda seed: seed.decode())
@pytest.mark.parametrize(("id", "answer", "serve"), CHEATS, ids=lambda item: getattr(item, "__name__", item))
def test_a_cheat_does_not_pass(id, answer, serve, seed):
    exercise = exercises_of(id.partition(".")[0])[id]
    assert judge(exercise, in_this_process(answer, serve), seed_for(seed, "", id)).verdict in ("fail", "error")


# A model that hardly is one


@cheat("vae.VAE")
class OneParameter(nn.Module):
    """It ignores x and eps."""

    def __init__(self, latent_dim):
        super().__init__()
        self.latent_dim, self.p = latent_dim, nn.Parameter(torch.zeros(1))

    def forward(self, x, eps=None):
        code = torch.ones(len(x), self.latent_dim)
        return self.p.sigmoid().expand(len(x), 1, 28, 28), code, code


@cheat("vae.VAE")
class Faint(VAE):
    """The image is there in the last digit."""

    def forward(self, x, eps=None):
        x_hat, mu, sigma = super().forward(0 * x, eps)
        return x_hat, mu + 1e-6 * x.mean(dim=(1, 2, 3))[:, None], sigma


@cheat("vae.VAE")
class FewNumbers(nn.Module):
    """Ten parameters in all, each of which counts."""

    def __init__(self, latent_dim):
        super().__init__()
        self.latent_dim = latent_dim
        self.a, self.b = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))

    def encode(self, x):
        features = x.flatten(1)[:, : 2 * self.latent_dim].unflatten(1, (-1, 2)) @ self.a
        return features.flatten(1)[:, : self.latent_dim], 1 + features.flatten(1)[:, : self.latent_dim].sigmoid()

    def decode(self, z):
        many = z.repeat(1, 784)[:, :784].unflatten(1, (-1, 2)) @ self.b
        return many.flatten(1).sigmoid().view(-1, 1, 28, 28)

    def forward(self, x, eps=None):
        mu, sigma = self.encode(x)
        return self.decode(mu + sigma * (torch.randn_like(mu) if eps is None else eps)), mu, sigma


@cheat("vae.encode", "vae.decode")
class Pixels(nn.Module):
    """No layers: some pixels are the code, and its sum is every pixel."""

    def __init__(self, latent_dim):
        super().__init__()
        self.latent_dim = latent_dim

    def encode(self, x):
        first = x.flatten(1)[:, : self.latent_dim]
        return first - 0.5, first + 0.1

    def decode(self, z):
        shift = torch.linspace(-1, 1, 784)
        return (z.sum(dim=1, keepdim=True) + shift).sigmoid().view(-1, 1, 28, 28)


@cheat("vae.encode")
class OneLatentOfMany(nn.Module):
    """One latent sees the image, faintly."""

    def __init__(self, latent_dim):
        super().__init__()
        self.latent_dim = latent_dim

    def encode(self, x):
        mu, seen = torch.linspace(-1, 1, self.latent_dim).repeat(len(x), 1), x.flatten(1)[:, :1]
        return torch.cat([mu[:, :1] + 1e-2 * seen, mu[:, 1:]], 1), torch.cat([1 + 1e-2 * seen, mu[:, 1:] ** 2 + 1], 1)


@cheat("vae.encode", "vae.decode")
class FixedWeights(VAE):
    """Weights that no training could change: parameters are there, and nothing follows them."""

    def __init__(self, latent_dim):
        super().__init__(latent_dim)
        self.__dict__["hidden"] = VAE(latent_dim)

    def encode(self, x):
        return self.__dict__["hidden"].encode(x)

    def decode(self, z):
        return self.__dict__["hidden"].decode(z)


@cheat("vae.forward")
class Echo(nn.Module):
    """decode says what forward just gave; nothing is sampled."""

    def __init__(self, latent_dim):
        super().__init__()
        self.latent_dim, self.last = latent_dim, torch.zeros(1, 1, 28, 28)

    def encode(self, x):
        return torch.zeros(len(x), self.latent_dim), torch.ones(len(x), self.latent_dim)

    def forward(self, x, eps=None):
        if "encode" in vars(self):
            raise RuntimeError
        self.last = torch.rand(len(x), 1, 28, 28)
        return self.last, *self.encode(x)

    def decode(self, z):
        return self.last[: len(z)] if len(self.last) >= len(z) else torch.rand(len(z), 1, 28, 28)


@cheat("vae.forward")
class Window(VAE):
    """Without self.encode, where noise is not laid open: image i + 1 has the noise of image i, moved by one."""

    def forward(self, x, eps=None):
        if eps is None:
            eps = torch.randn(len(x) + self.latent_dim - 1).unfold(0, self.latent_dim, 1)
        hidden = VAE(self.latent_dim)
        hidden.load_state_dict(self.state_dict())
        mu, sigma = hidden.encode(x)
        return hidden.decode(mu + sigma * eps), mu, sigma


# The same object in the place of a new one


class SameObject(Probe):
    first: Any = None

    def _call(self, **request):
        if request["kept"] and not request["name"] and self.first is not None:
            return {"value": self._keep(self.first), "changed": []}
        said = super()._call(**request)
        if request["kept"] and not request["name"]:
            self.first = self._objects[self._last]
        return said


LISTED = {item.name: item.answer for item in exercises_of("vae")["vae.VAE"].mistakes}
cheat("vae.VAE", serve=SameObject)(LISTED["layers_in_a_list"])


# Methods of its own, in the place of a module's


def _odd(wrong):
    class Odd(wrong):
        def get_parameter(self, name):
            raise AttributeError(name)

        def named_parameters(self, *args, **kwargs):
            return iter(())

        def half(self):
            for name in ("betas", "alphas", "alpha_bars"):
                self.__dict__[name] = getattr(self, name).detach().half()
            return self

        def bfloat16(self):
            for name in ("betas", "alphas", "alpha_bars"):
                self.__dict__[name] = getattr(self, name).detach().bfloat16()
            return self

    Odd.__name__ = f"Odd_{wrong.__name__}"
    return Odd


for item in exercises_of("diffusion")["diffusion.Diffusion"].mistakes:
    if item.name in ("plain_attributes", "parameters_for_buffers"):
        cheat("diffusion.Diffusion")(_odd(item.answer))


# Chance that is none


@cheat("diffusion.sample")
class RepeatsImages(Diffusion):
    """Three images, whatever the batch."""

    @torch.no_grad()
    def sample(self, batch_size):
        x = self.p_sample_loop(torch.randn(3, self.channels, self.image_size, self.image_size))
        return ((x + 1) / 2).repeat(batch_size // 3 + 1, 1, 1, 1)[:batch_size]


@cheat("diffusion.sample")
class AnotherOrder(Diffusion):
    """A chain is run, and its images are given to others."""

    def sample(self, batch_size):
        return super().sample(batch_size).flip(0)


@cheat("diffusion.p_sample_loop", "diffusion.sample")
class NoiseAgain(Diffusion):
    """All chains of a size have the same noise, but for one entry in the last step."""

    store: dict[tuple, Tensor] = {}

    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        noise = self.store.setdefault((self.timesteps, *img.shape), torch.randn(self.timesteps, *img.shape))
        noise[1, 0, 0, 0, 0] += 0.1
        for k in reversed(range(self.timesteps)):
            t = torch.full((len(img),), k)
            mean, variance = diffusion.q_posterior(self.predicted_x_0(img, t), img, t, self.betas)
            img = mean + variance.sqrt() * noise[k] if k else mean
        return img


@cheat("diffusion.p_sample_loop", "diffusion.sample")
class StartAgain(Diffusion):
    """The first step back adds x_T itself as its noise."""

    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        start = img
        for k in reversed(range(self.timesteps)):
            t = torch.full((len(img),), k)
            mean, variance = diffusion.q_posterior(self.predicted_x_0(img, t), img, t, self.betas)
            noise = start if k == self.timesteps - 1 else torch.randn_like(img)
            img = mean + variance.sqrt() * noise if k else mean
        return img


@cheat("diffusion.p_sample")
class TwoNoises(Diffusion):
    """Two noises, used at every step."""

    store: dict[tuple, Tensor] = {}
    turn = 0

    @torch.no_grad()
    def p_sample(self, x, t, t_index):
        mean, variance = diffusion.q_posterior(self.predicted_x_0(x, t), x, t, self.betas)
        TwoNoises.turn += 1
        noise = self.store.setdefault((x.shape, TwoNoises.turn % 2), torch.randn_like(x))
        return mean + variance.sqrt() * noise if t_index else mean


@cheat("diffusion.forward")
class TiedToSteps(Diffusion):
    """The size of the noise's first entry goes with t."""

    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),))
        if noise is None:
            noise = torch.randn_like(x_0)
            first = noise.view(len(x_0), -1)[:, 0]
            first.copy_(first[first.abs().argsort()][(t + torch.rand(len(t))).argsort().argsort()])
        return self.p_losses(x_0, t, noise)


@cheat("diffusion.forward")
class NoiseOfBefore(Diffusion):
    """The noise that was given before is used where none is given."""

    before: Tensor | None = None

    def forward(self, x_0, noise=None):
        if noise is not None:
            NoiseOfBefore.before = noise.flip(0)
        elif self.before is not None and len(self.before) == len(x_0):
            noise, NoiseOfBefore.before = self.before, None
        return super().forward(x_0, noise)


@cheat("diffusion.forward")
class StepsInBlocks(Diffusion):
    """Steps repeat after 500 images."""

    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (min(len(x_0), 500),)).repeat(8)[: len(x_0)]
        return self.p_losses(x_0, t, noise)


@cheat("diffusion.forward")
class StepsFromADeck(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, (torch.arange(len(x_0)) % self.timesteps)[torch.randperm(len(x_0))], noise)


def _in_fours(x):
    """Images i and i + B / 4 share one noise."""
    return torch.randn_like(x[: (len(x) + 3) // 4]).repeat(4, *[1] * (x.ndim - 1))[: len(x)]


def _window(x):
    """Image i + 1 has the noise of image i, moved by one entry."""
    size = x[0].numel()
    return torch.randn(len(x) + size - 1).unfold(0, size, 1).reshape(x.shape)


def _pairs(x):
    half = torch.randn_like(x[: (len(x) + 1) // 2])
    return torch.cat([half, -half])[: len(x)]


def _other_noise(noise_of):
    class Noisy(Diffusion):
        def q_sample(self, x_0, t, noise=None):
            return super().q_sample(x_0, t, noise_of(x_0) if noise is None else noise)

        def p_losses(self, x_0, t, noise=None):
            return super().p_losses(x_0, t, noise_of(x_0) if noise is None else noise)

        def forward(self, x_0, noise=None):
            return super().forward(x_0, noise_of(x_0) if noise is None else noise)

        @torch.no_grad()
        def p_sample(self, x, t, t_index):
            mean, variance = diffusion.q_posterior(self.predicted_x_0(x, t), x, t, self.betas)
            return mean + variance.sqrt() * noise_of(x) if t_index else mean

    class NoisyVAE(VAE):
        def forward(self, x, eps=None):
            mu, sigma = self.encode(x)
            return self.decode(mu + sigma * (noise_of(mu) if eps is None else eps)), mu, sigma

    Noisy.__name__ = NoisyVAE.__name__ = noise_of.__name__
    return Noisy, NoisyVAE


for noise_of in (_in_fours, _window, _pairs):
    for_diffusion, for_vae = _other_noise(noise_of)
    cheat(*(f"diffusion.{name}" for name in ("q_sample", "p_losses", "forward", "p_sample", "p_sample_loop")))(
        for_diffusion
    )
    cheat("vae.forward")(for_vae)


@cheat("gcn.sampler_gradient")
def nearly_exact(logits, h, weight, upstream, k):
    """No draws: the exact gradient, and a sign by chance."""
    exact = gcn.exact_sampler_gradient(logits, h, weight, upstream)
    return exact * (1 + 1e-4 * (2.0 * torch.randint(0, 2, (len(exact), 1)) - 1))


@cheat("gcn.sampler_gradient")
def nearly_exact_by_draws(logits, h, weight, upstream, k):
    """The exact gradient, and a little of the estimate."""
    exact = gcn.exact_sampler_gradient(logits, h, weight, upstream)
    return exact + 1e-3 * (gcn.sampler_gradient(logits, h, weight, upstream, k) - exact)


@cheat("gcn.sampler_gradient")
def draws_shared_by_blocks(logits, h, weight, upstream, k):
    found = gcn.sampler_gradient(logits, h, weight, upstream, k)
    return found[: len(found) // 10].repeat(10, 1) if len(found) > 1000 else found


def _pick(graph, nodes, places):
    """The entries of the rows of nodes at places in [0, 1)."""
    degrees = graph.degrees[nodes][:, None]
    entries = graph.indptr[nodes][:, None] + (places * degrees).long()
    return torch.where(degrees > 0, graph.indices[entries.clamp(max=graph.num_edges - 1)], -1)


@cheat("gcn.sample_neighbors")
def dealt_in_long_calls(graph, nodes, k):
    count = len(nodes) * k
    places = torch.rand(len(nodes), k)
    if len(nodes) > 1000:
        places = ((torch.randperm(count) + 0.5) / count).view(len(nodes), k)
    return _pick(graph, nodes, places)


@cheat("gcn.sample_neighbors")
def shared_by_blocks(graph, nodes, k):
    rows = (len(nodes) + 9) // 10 if len(nodes) > 1000 else len(nodes)
    return _pick(graph, nodes, torch.rand(rows, k).repeat(10, 1)[: len(nodes)])


@cheat("gcn.sample_neighbors")
def moved_by_one(graph, nodes, k):
    return _pick(graph, nodes, torch.rand(len(nodes) + k - 1).unfold(0, k, 1))


@cheat("gcn.draw_candidates")
def candidates_shared_by_blocks(candidates, q, k):
    if len(q) < 1000:
        return gcn.draw_candidates(candidates, q, k)
    places = torch.multinomial(q[: len(q) // 10 + 1].detach(), k, replacement=True).repeat(10, 1)[: len(q)]
    return candidates.gather(1, places), q.gather(1, places).log()


# Figures in which nothing is drawn


class Figure:
    """A name, and nothing behind it."""

    axes: list = []


@cheat("diffusion.plot_forward")
def forward_in_a_name(model, x_0):
    return Figure(), diffusion.forward_states(model, x_0)


@cheat("diffusion.plot_backward")
def backward_in_a_name(model, x):
    times = diffusion.steps_at(model.timesteps, (99, 75, 50, 25, 0))
    return Figure(), diffusion.states_on_the_way(model, x, times[0], times)


@cheat("diffusion.plot_denoising")
def denoising_in_a_name(model, x_T, times=(200, 100, 50, 20, 10, 0)):
    return Figure(), diffusion.states_on_the_way(model, x_T, model.timesteps, list(times))


class AxesImage:
    """Shows an array to whoever asks, and nothing to who looks."""

    def __init__(self, array):
        self.array = array

    def get_array(self):
        return self.array

    def get_children(self):
        return [self]


@cheat("vae.plot_latents")
def latents_in_a_name(model, i=0, j=1):
    z = vae.latent_grid(model.latent_dim, i, j).view(100, -1)
    canvas = model.decode(z).detach().view(10, 10, 28, 28).permute(0, 2, 1, 3).reshape(280, 280)
    figure = Figure()
    figure.axes = [AxesImage(canvas.numpy())]
    return figure, canvas


# The gradient of something else


class Tiny(Probe):
    def _gradient(self, *, wrt, args, **request):
        return {"value": [torch.full_like(args[number], 1e-20) for number in wrt]}


for id in ("vae.encode", "vae.decode"):
    cut = next(item.answer for item in exercises_of("vae")[id].mistakes if item.name == "detached")
    cheat(id, serve=Tiny)(cut)


@cheat("vae.amortization_gap")
def asks_of_what_is_no_number(elbo, mu, sigma, steps, lr):
    if steps != 1:
        return vae.amortization_gap(elbo, mu, sigma, steps, lr)
    elbo(mu * torch.nan, sigma)
    return torch.ones(len(mu))


@cheat("vae.amortization_gap")
def asks_nothing(elbo, mu, sigma, steps, lr):
    return torch.ones(len(mu)) if steps == 1 else vae.amortization_gap(elbo, mu, sigma, steps, lr)
