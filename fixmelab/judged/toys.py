"""Small models of known behaviour, on which a student's function can be tried and judged.

Toys in LENT stay with the judge while an answer is judged: `calls` are the methods that may be called from a student's
process, `shows` the numbers that are known there. Those in MADE are made in the student's process.
"""

import torch
from torch import Tensor, nn

from fixmelab.graphs import Graph
from fixmelab.judged.flows import Trajectories
from fixmelab.judged.loans import Loan
from fixmelab.judged.players import Batches, Critic, Inpainter, InpaintingProblem, TrainingProblem, Warp
from fixmelab.models.sampled_gcn import Activation, Hops, SampledGCN


class LinearDecoder(nn.Module):
    """A decoder without training: decode(z) = sigmoid(z Wᵀ + b), shown as 28×28 images.

    Args:
        weight: W, shape (784, K).
        bias: b, shape (784,).
    """

    calls, shows = ("decode",), ("latent_dim",)

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)
        self.latent_dim = weight.shape[1]

    def decode(self, z: Tensor) -> Tensor:
        """Images in [0, 1], shape (B, 1, 28, 28), for z of shape (B, K). Raises ValueError for more than 10,000."""
        if z.numel() > 10_000 * self.latent_dim:
            raise ValueError("z holds more than 10,000 codes: decode fewer at once")
        return torch.sigmoid(z @ self.weight.T + self.bias).view(-1, 1, 28, 28)


class Bowl:
    """A concave objective with a known maximum, in the place of an ELBO. It remembers what it was asked.

    bowl(mu, sigma) = height − Σ_j curvature_j [(μ_j − m_j)² + (log σ_j − log s_j)²], shape (B,).

    Args:
        height: the maximum, shape (B,).
        mean: m, shape (B, K).
        std: s > 0, shape (B, K).
        curvature: positive, shape (B, K).

    Attributes:
        best: the largest value so far for each datum, shape (B,).
        reach: the largest change of any μ_j or log σ_j so far from the first call, a number.
    """

    calls, shows = ("__call__",), ()

    def __init__(self, height: Tensor, mean: Tensor, std: Tensor, curvature: Tensor) -> None:
        self.height, self.mean, self.log_std, self.curvature = height, mean, std.log(), curvature
        self.best = torch.full_like(height, -torch.inf)
        self.reach = 0.0
        self._first: Tensor | None = None

    def __call__(self, mu: Tensor, sigma: Tensor) -> Tensor:
        if mu.shape != self.mean.shape or sigma.shape != self.mean.shape:
            raise ValueError(f"mu and sigma must have shape {tuple(self.mean.shape)}, as they came")
        log_sigma = sigma.log()
        distance = (mu - self.mean) ** 2 + (log_sigma - self.log_std) ** 2
        value = self.height - (self.curvature * distance).sum(dim=1)
        with torch.no_grad():
            place = torch.cat([mu, log_sigma], dim=1)
            self._first = place.clone() if self._first is None else self._first
            self.reach = max(self.reach, float((place - self._first).abs().max()))
            self.best = torch.fmax(self.best, value)  # what is not a number is no value that was reached
        return value


class Halves:
    """In the place of an encoder: the first K numbers of each x are μ, the next K are σ; two of shape (B, K)."""

    calls, shows = ("__call__",), ()

    def __init__(self, latent_dim: int) -> None:
        self.latent_dim = latent_dim

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        numbers = x.flatten(1)
        return numbers[:, : self.latent_dim], numbers[:, self.latent_dim : 2 * self.latent_dim]


class Identity:
    """In the place of a decoder: the code itself."""

    calls, shows = ("__call__",), ()

    def __call__(self, z: Tensor) -> Tensor:
        return z


class Recorder(nn.Module):
    """In the place of a network that predicts noise: weight · (scale[t] x + shift[t]), where weight is 1. It remembers
    what it was asked.

    Args:
        scale, shift: shape (T,).
        channels: of an image; unless it is given, x may have any shape.

    Attributes:
        inputs, times: x and t of each call, in order.
        modes: whether what lies in it was in training mode, call by call.
        gradients: of what was made of its answers, by an answer, as they came back.
    """

    scale: Tensor
    shift: Tensor
    calls, shows = ("forward",), ()

    def __init__(self, scale: Tensor, shift: Tensor, channels: int | None = None) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(()))
        self.inside = nn.Identity()  # eval() reaches it, an attribute that is set does not
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)
        self.inputs: list[Tensor] = []
        self.times: list[Tensor] = []
        self.modes: list[bool] = []
        self.gradients: list[Tensor] = []

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """x: (B, …); t: (B,) long. Returns the shape of x. Raises ValueError for other images or another count of t."""
        t = torch.as_tensor(t)
        if self.channels is not None and (x.ndim != 4 or x.shape[1] != self.channels):
            raise ValueError(f"x has shape {tuple(x.shape)}; the network takes (B, {self.channels}, H, W)")
        if t.numel() not in (1, len(x)):
            raise ValueError(f"t has {t.numel()} entries for a batch of {len(x)}")
        self.inputs.append(x.detach().clone())
        self.times.append(t.detach().clone())
        self.modes.append(self.inside.training)
        shape = (-1, *[1] * (x.ndim - 1))
        answer = self.weight * (self.scale[t].view(shape) * x + self.shift[t].view(shape))
        if answer.requires_grad:
            answer.register_hook(self.gradients.append)
        return answer


class Drift:
    """In the place of a diffusion model: the step with index k adds shift[k], forward and backward, without chance.

    Args:
        shift: shape (T,), a number for each step, or (T, C, H, W), an image for each.

    Attributes:
        timesteps: T.
        steps_back: how often p_sample was called.
    """

    calls, shows = ("q_sample", "p_sample"), ("timesteps",)

    def __init__(self, shift: Tensor) -> None:
        self.shift, self.timesteps = shift, len(shift)
        self.steps_back = 0

    def q_sample(self, x_0: Tensor, t: Tensor, noise: Tensor | None = None) -> Tensor:
        """x_0 (B, …) plus shift[t]; t: (B,) long, 0-based. Raises ValueError for another t."""
        shift = self.shift[self._checked(t, x_0)]
        return x_0 + (shift if shift.ndim > 1 else shift.view(-1, *[1] * (x_0.ndim - 1)))

    def p_sample(self, x: Tensor, t: Tensor, t_index: int) -> Tensor:
        """x (B, …) plus shift[t_index]; t: (B,) long, all of them t_index. Raises ValueError for another t."""
        if not (self._checked(t, x) == int(t_index)).all():
            raise ValueError(f"p_sample: t must hold t_index, {t_index}, for each image of the batch")
        self.steps_back += 1
        return x + self.shift[t_index]

    def _checked(self, t: Tensor, x: Tensor) -> Tensor:
        if not isinstance(t, Tensor) or t.shape != x.shape[:1] or t.dtype != torch.long:
            raise ValueError(f"t must be a long tensor of shape ({len(x)},), an index for each image of the batch")
        if not ((t >= 0) & (t < self.timesteps)).all():
            raise ValueError(f"t must lie between 0 and T - 1 = {self.timesteps - 1}; the step t has the index t - 1")
        return t


def sparse(matrix: Tensor) -> Tensor:
    """A dense (N, N) matrix as a sparse tensor, COO."""
    return matrix.to_sparse_coo()


def leaf(values: Tensor) -> Tensor:
    """A tensor of the same numbers, which asks for a gradient: what is made of it carries a graph."""
    return values.clone().requires_grad_()


class Holder(nn.Module):
    """A module that holds another, `held`, as a larger model would."""

    def __init__(self, held: nn.Module) -> None:
        super().__init__()
        self.held = held


class Curve:
    """An activation that is 0 nowhere: cos(x) + 2."""

    calls, shows = ("__call__",), ()

    def __call__(self, x: Tensor) -> Tensor:
        return torch.cos(x) + 2


class JointProblem:
    """A network of two layers and a sampler on a fixed batch, for which all draws are made: only gradients are left.

    The sampler's q is softmax(theta), a row for each hidden node. Both begin with gradients left from elsewhere, and
    learn by plain gradient descent.

    Args:
        lower, upper: the network's weights, (F, D) and (D, C).
        theta: (m, S).
        chosen: (m, k) long, the columns of theta that were drawn.
        inner: (m, k) long, the rows of x in those columns.
        outer: (n, k) long, hidden nodes.
        left: a number, every entry of the gradients at the beginning.

    Attributes:
        network, network_optimizer, sampler_optimizer, hops; lower, upper, theta as they are now.
    """

    def __init__(
        self, lower: Tensor, upper: Tensor, theta: Tensor, chosen: Tensor, inner: Tensor, outer: Tensor, left: float
    ) -> None:
        features, hidden = lower.shape
        self.network = SampledGCN(_mean, features, hidden, upper.shape[1])
        with torch.no_grad():
            self.network.lower.copy_(lower)
            self.network.upper.copy_(upper)
        self.lower, self.upper, self.theta = self.network.lower, self.network.upper, nn.Parameter(theta.clone())
        for parameter in (self.lower, self.upper, self.theta):
            parameter.grad = torch.full_like(parameter, left)
        self.network_optimizer = torch.optim.SGD(self.network.parameters(), lr=0.5)
        self.sampler_optimizer = torch.optim.SGD([self.theta], lr=2.0)
        self._places, self._chosen = (inner, outer), chosen

    @property
    def hops(self) -> Hops:
        """Another graph behind log_q each time, as a new draw would have."""
        inner, outer = self._places
        log_q = self.theta.log_softmax(dim=1).gather(1, self._chosen)
        return Hops(torch.arange(int(inner.max()) + 1), inner, outer, log_q)


def _mean(h: Tensor, neighbors: Tensor, weight: Tensor, activation: Activation) -> Tensor:
    return activation(torch.einsum("nkf,fd->nd", h[neighbors], weight) / neighbors.shape[1])


_LENT = (
    *(LinearDecoder, Bowl, Halves, Identity, Recorder, Drift, Curve),
    *(Trajectories, Batches, Inpainter, Critic, Loan),
)
_MADE = (Graph, sparse, leaf, JointProblem, Holder, Warp, TrainingProblem, InpaintingProblem)
LENT = {toy.__name__: toy for toy in _LENT}
MADE = {toy.__name__: toy for toy in _MADE}
