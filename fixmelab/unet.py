"""The noise predictor of the diffusion notebook: a U-Net made to be trained on two CPU cores."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_PATCH = 2  # the picture's side over that of the first level
_LEVELS = 3


class UNet(nn.Module):
    """Predict the noise in a noisy picture: (B, C, H, W), and its step t (B,), to (B, C, H, W).

    A U-Net (Ronneberger et al., 2015) of residual blocks (Ho et al., 2020, appendix B) that are told the step by
    scale and shift (Nichol & Dhariwal, 2021, section 3.2), with self-attention at the lowest level. Its first level
    is half as wide and high as the picture: each 2×2 patch is folded into the channels, and unfolded at the end
    (Hoogeboom et al., 2023, section 3.3), since it is the large maps that cost the time on a CPU.

    `dim` sets the width of all layers: about 2.5 million parameters at 16. H and W are multiples of 8, `channels` is C.
    The prediction of the untrained network is 0.

    Raises ValueError where `dim` or `channels` is not positive, or a call's shapes do not fit.
    """

    def __init__(self, dim: int = 16, *, channels: int = 3) -> None:
        super().__init__()
        for name, value in (("dim", dim), ("channels", channels)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is {value}: give a whole number of at least 1")
        self.channels = channels
        widths = (3 * dim, 6 * dim, 9 * dim)
        self.time = TimeEmbedding(4 * dim)
        folded = channels * _PATCH**2
        self.first = nn.Conv2d(folded, widths[0], 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(widths):
            below = widths[max(level - 1, 0)]
            self.down.append(Block(below, width, 4 * dim))
            self.up.insert(0, Block(2 * width, below, 4 * dim))
        self.middle = nn.ModuleList([Attention(widths[-1]), Block(widths[-1], widths[-1], 4 * dim)])
        self.norm = ChannelNorm(widths[0])
        self.last = nn.Conv2d(widths[0], folded, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.to(memory_format=torch.channels_last)  # pixels are rows of channels: what norms and attention want

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self._require(x, t)
        step = self.time(t)
        x = F.pixel_unshuffle(x, _PATCH).contiguous(memory_format=torch.channels_last)
        x = self.first(x)
        kept = []
        for level, block in enumerate(self.down):
            if level:
                x = F.avg_pool2d(x, 2)
            x = block(x, step)
            kept.append(x)
        attend, block = self.middle
        x = block(attend(x), step)
        for level, block in enumerate(self.up):
            x = block(torch.cat([x, kept.pop()], 1), step)
            if level < _LEVELS - 1:
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        x = self.last(F.silu(self.norm(x)))
        return F.pixel_shuffle(x.contiguous(), _PATCH)

    def _require(self, x: Tensor, t: Tensor) -> None:
        multiple = _PATCH * 2 ** (_LEVELS - 1)
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ValueError(f"x has shape {tuple(x.shape)}: this UNet takes (B, {self.channels}, H, W)")
        if x.shape[2] % multiple or x.shape[3] % multiple or not x.numel():
            raise ValueError(f"x has shape {tuple(x.shape)}: H and W must be multiples of {multiple}")
        if t.shape != x.shape[:1]:
            raise ValueError(f"t has shape {tuple(t.shape)}: it must be ({len(x)},), one step for each picture")


class TimeEmbedding(nn.Module):
    """t (B,) to (B, width): sines and cosines (Vaswani et al., 2017, section 3.5), then a small network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        frequencies = torch.exp(-math.log(10_000) / half * torch.arange(half))
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.mix = nn.Sequential(nn.Linear(2 * half, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    def forward(self, t: Tensor) -> Tensor:
        angles = t[:, None].to(self.frequencies.dtype) * self.frequencies
        return self.mix(torch.cat([angles.sin(), angles.cos()], 1))


class ChannelNorm(nn.LayerNorm):
    """Normalise the channels of each pixel: on a CPU several times as fast as groups of channels of the whole map."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """A residual block: x (B, from, H, W) and the embedded step (B, width) to (B, to, H, W)."""

    def __init__(self, from_channels: int, to_channels: int, step_width: int) -> None:
        super().__init__()
        self.norm_1 = ChannelNorm(from_channels)
        self.conv_1 = nn.Conv2d(from_channels, to_channels, 3, padding=1)
        self.step = nn.Linear(step_width, 2 * to_channels)
        self.norm_2 = ChannelNorm(to_channels)
        self.conv_2 = nn.Conv2d(to_channels, to_channels, 3, padding=1)
        self.skip = nn.Conv2d(from_channels, to_channels, 1) if from_channels != to_channels else nn.Identity()
        nn.init.zeros_(self.conv_2.weight)

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        scale, shift = self.step(step)[:, :, None, None].chunk(2, dim=1)
        h = self.conv_1(F.silu(self.norm_1(x)))
        h = torch.addcmul(shift, self.norm_2(h), 1 + scale)
        return self.skip(x) + self.conv_2(F.silu(h))


class Attention(nn.Module):
    """Residual self-attention among the pixels of a map, in heads of 32 channels or so."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = max(1, channels // 32)
        while channels % self.heads:
            self.heads -= 1
        self.norm = nn.LayerNorm(channels)
        self.project = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        pixels = x.flatten(2).transpose(1, 2)
        qkv = self.project(self.norm(pixels)).view(batch, height * width, 3, self.heads, -1)
        mixed = F.scaled_dot_product_attention(*qkv.permute(2, 0, 3, 1, 4).unbind(0))
        pixels = pixels + self.out(mixed.transpose(1, 2).flatten(2))
        return pixels.transpose(1, 2).unflatten(2, (height, width))
