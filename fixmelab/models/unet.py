"""The noise predictor of the diffusion notebook: a U-Net made to be trained on two CPU cores."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_PATCH = 2  # the picture's side over that of the first level: _PATCH² · dim channels are what folding gives
_WIDTHS = (3, 6, 10)  # channels of the levels below the picture's own, in units of dim
_MULTIPLE = _PATCH * 2 ** (len(_WIDTHS) - 1)


class UNet(nn.Module):
    """Predict the noise in noisy pictures x (B, C, H, W) at steps t (B,): (B, C, H, W).

    A U-Net (Ronneberger et al., 2015) of residual blocks (Ho et al., 2020, appendix B) that are told the step by
    scale and shift (Nichol & Dhariwal, 2021, section 3), with self-attention at the lowest level. It is the large
    maps that cost the time on a CPU, so at the size of the picture there are only two narrow blocks, for the fine
    structure; then each 2×2 patch is folded into the channels, and unfolded at the end (as in Hoogeboom et al., 2023,
    who fold the picture itself). The step also decides how much of the picture goes straight into the prediction: a
    very noisy picture is nearly its own noise.

    `dim` sets the width of all layers: about 2.5 million parameters at 16. H and W are multiples of 8, C is `channels`.
    The untrained network predicts 0.

    Raises ValueError if `dim` or `channels` is not positive, or the shapes of x and t do not fit.
    """

    def __init__(self, dim: int = 16, *, channels: int = 3) -> None:
        super().__init__()
        for name, value in (("dim", dim), ("channels", channels)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is {value}: give a whole number of at least 1")
        self.channels = channels
        widths, told = [unit * dim for unit in _WIDTHS], 4 * dim
        self.time = TimeEmbedding(told)
        self.first = nn.Conv2d(channels, dim, 3, padding=1)
        self.fine_down = Block(dim, dim, told)
        self.fine_up = Block(dim, dim, told)
        self.keep = nn.ModuleList([Mix(dim, dim)])  # what the way up is told of the way down, from the top
        self.down, self.up, self.narrow = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        above = dim * _PATCH**2
        self.enter = Mix(above, widths[0])
        for level, width in enumerate(widths):
            groups = 2 * dim if width == widths[-1] else None
            self.down.append(Block(above if level else width, width, told, groups))
            self.keep.append(Mix(width, width))
            self.up.append(Block(width, width, told, groups))
            self.narrow.append(Mix(width, above))
            above = width
        self.before, self.after = (Block(above, above, told, groups) for _ in range(2))
        self.attention = Attention(above)
        self.norm = GroupNormSiLU(dim, dim)
        self.last = nn.Conv2d(dim, channels, 3, padding=1)
        self.direct = nn.Linear(told, channels)
        for parameter in (*self.last.parameters(), *self.direct.parameters()):
            nn.init.zeros_(parameter)
        self.to(memory_format=torch.channels_last)  # each pixel's channels side by side: faster on a CPU

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self._require(x, t)
        step = self.time(t)
        h = self.fine_down(self.first(x.contiguous(memory_format=torch.channels_last)), step)
        kept = [self.keep[0](h)]
        h = self.enter(F.pixel_unshuffle(h, _PATCH).contiguous(memory_format=torch.channels_last))
        for level, (block, keep) in enumerate(zip(self.down, self.keep[1:], strict=True)):
            if level:
                h = F.avg_pool2d(h, 2)
            h = block(h, step)
            kept.append(keep(h))
        h = self.after(self.attention(self.before(h, step)), step)
        for level in reversed(range(len(self.up))):
            h = self.narrow[level](self.up[level](h.add_(kept.pop()), step))
            if level:
                h = F.interpolate(h, scale_factor=2.0, mode="nearest")
        h = F.pixel_shuffle(h, _PATCH).contiguous(memory_format=torch.channels_last)
        h = self.last(self.norm(self.fine_up(h.add_(kept.pop()), step)))
        return torch.addcmul(h, x, _as_maps(self.direct(step))).contiguous()

    def _require(self, x: Tensor, t: Tensor) -> None:
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ValueError(f"x has shape {tuple(x.shape)}: this UNet takes (B, {self.channels}, H, W)")
        if x.shape[2] % _MULTIPLE or x.shape[3] % _MULTIPLE or not x.numel():
            raise ValueError(
                f"x has shape {tuple(x.shape)}: H and W must be multiples of {_MULTIPLE}, and B at least 1"
            )
        if t.shape != x.shape[:1]:
            raise ValueError(f"t has shape {tuple(t.shape)}: it must be ({len(x)},), one step for each picture")


class TimeEmbedding(nn.Module):
    """t (B,) to (B, width): sines and cosines (Vaswani et al., 2017, section 3.5), then a small network."""

    frequencies: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        frequencies = 10_000 ** (-torch.arange(width // 2) / (width // 2))
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.mix = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    def forward(self, t: Tensor) -> Tensor:
        angles = t[:, None] * self.frequencies
        return self.mix(torch.cat([angles.sin(), angles.cos()], dim=1))


class Block(nn.Module):
    """A residual block: h (B, from, H, W) and the embedded step (B, width) to (B, to, H, W).

    `groups` is how many groups the channels are normalised in, at most; else each is one.
    """

    def __init__(self, from_channels: int, to_channels: int, step_width: int, groups: int | None = None) -> None:
        super().__init__()
        from_groups, to_groups = (math.gcd(groups or channels, channels) for channels in (from_channels, to_channels))
        self.norm_1 = GroupNormSiLU(from_groups, from_channels)
        self.conv_1 = nn.Conv2d(from_channels, to_channels, 3, padding=1)
        self.norm_2 = GroupNormSiLU(to_groups, to_channels)
        self.step = nn.Linear(step_width, 2 * to_channels)
        self.conv_2 = nn.Conv2d(to_channels, to_channels, 3, padding=1)
        self.skip = Mix(from_channels, to_channels) if from_channels != to_channels else nn.Identity()
        nn.init.zeros_(self.conv_2.weight)  # a block begins as its skip: the loss falls sooner

    def forward(self, h: Tensor, step: Tensor) -> Tensor:
        new = self.norm_2(self.conv_1(self.norm_1(h)), *self.step(step).chunk(2, dim=1))
        return self.conv_2(new).add_(self.skip(h))


class Mix(nn.Linear):
    """A linear layer on the channels of each pixel, (B, from, H, W) to (B, to, H, W): a convolution of one pixel."""

    def forward(self, h: Tensor) -> Tensor:
        return super().forward(h.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Attention(nn.Module):
    """Residual self-attention among the pixels of h (B, C, H, W), in heads of about 32 channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = math.gcd(channels, max(1, channels // 32))
        self.norm = nn.LayerNorm(channels)
        self.project = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, h: Tensor) -> Tensor:
        pixels = h.flatten(2).transpose(1, 2)
        parts = self.project(self.norm(pixels)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        weights = torch.softmax(query / math.sqrt(query.shape[-1]) @ key.transpose(2, 3), dim=-1)
        mixed = (weights @ value).transpose(1, 2).flatten(2)
        return (pixels + self.out(mixed)).transpose(1, 2).unflatten(2, h.shape[2:])


class GroupNormSiLU(nn.GroupNorm):
    """Group normalisation (Wu & He, 2018), in which each picture may scale and shift the channels; then SiLU.

    Few channels a group: those that hold the fine structure of a picture, and with it faint noise, are then not
    drowned by those that hold its colours.
    """

    def forward(self, h: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        """h (B, C, H, W), normalised, times 1 + scale (B, C), plus shift (B, C), through SiLU."""
        if scale is None or shift is None:
            weight, bias = (parameter.expand(len(h), -1) for parameter in (self.weight, self.bias))
        else:
            factor = 1 + scale
            weight, bias = self.weight * factor, torch.addcmul(shift, self.bias, factor)
        return _NormaliseSiLU.apply(h, weight, bias, self.num_groups)


class _NormaliseSiLU(torch.autograd.Function):
    """SiLU of y = weight · (x − m) r + bias, where m and 1/r are mean and standard deviation over a picture's group.

    torch's own group_norm is several times slower on a CPU. Large maps cost the time that memory takes, so as little as
    can be is kept, and y is computed once more on the way back. x is (B, C, H, W), weight and bias are (B, C).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, groups: int) -> Tensor:
        grouped = (len(x), groups, -1)
        mean = x.mean((2, 3)).view(grouped).mean(2, keepdim=True)
        square = (x * x).mean((2, 3)).view(grouped).mean(2, keepdim=True)
        r = (square - mean * mean).clamp(min=0).add(1e-5).rsqrt()
        factor = weight.reshape(grouped) * r
        constant = bias.reshape(grouped) - mean * factor
        ctx.save_for_backward(x, weight, mean, r, factor, constant)
        return F.silu(torch.addcmul(_as_maps(constant), x, _as_maps(factor)), inplace=True)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, r, factor, constant = ctx.saved_tensors
        grouped, size = (*r.shape[:2], -1), x[0].numel() // r.shape[1]
        y = torch.addcmul(_as_maps(constant), x, _as_maps(factor))
        gradient = torch.ops.aten.silu_backward.grad_input(gradient, y, grad_input=y)
        by_bias = gradient.sum((2, 3)).view(grouped)
        product = gradient * x
        by_weight = (product.sum((2, 3)).view(grouped) - mean * by_bias) * r
        # With n = (x − m) r: ∂x = r (w · ∂y − mean of w · ∂y − n · mean of w · ∂y · n).
        weight = weight.reshape(grouped)
        along = -(weight * by_weight).sum(2, keepdim=True) / size * r * r
        constant = -(weight * by_bias).sum(2, keepdim=True) / size * r - along * mean
        offset, along = (_as_maps(values.expand_as(weight)) for values in (constant, along))
        by_x = torch.addcmul(offset, x, along, out=product)
        by_x.addcmul_(gradient, _as_maps(factor))
        return by_x, by_weight.flatten(1), by_bias.flatten(1), None


def _as_maps(values: Tensor) -> Tensor:
    """One number for each picture and channel, (B, C) or (B, groups, C / groups), as (B, C, 1, 1)."""
    return values.flatten(1)[:, :, None, None]
