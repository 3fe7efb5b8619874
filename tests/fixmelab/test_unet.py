"""The network of the diffusion notebook: shapes, what the prediction depends on, and what is refused."""

import copy

import pytest
import torch

import fixmelab
from fixmelab import UNet
from fixmelab.models.unet import GroupNormSiLU


def awake(dim: int = 4, *, channels: int = 3) -> UNet:
    """A network whose layers that begin at zero have been moved away from it, in eval mode."""
    torch.manual_seed(0)
    model = UNet(dim, channels=channels).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def inputs(batch: int = 3, channels: int = 3, height: int = 16, width: int = 16):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, channels, height, width, generator=generator), torch.arange(batch) * 7


def test_the_package_offers_it():
    assert "UNet" in fixmelab.__all__ and fixmelab.UNet is UNet


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(16, 16), (24, 24), (32, 32), (64, 64), (8, 24)])
def test_the_prediction_has_the_shape_of_the_picture(channels, height, width):
    x, t = inputs(2, channels, height, width)
    predicted = awake(channels=channels)(x, t)
    assert predicted.shape == x.shape and predicted.dtype == x.dtype
    assert predicted.isfinite().all() and predicted.std() > 0
    assert predicted.is_contiguous()  # so that a student's .view works


@pytest.mark.parametrize("dim", [1, 2, 3, 20])
def test_any_width_makes_a_network(dim):
    x, t = inputs()
    assert UNet(dim)(x, t).shape == x.shape


def test_about_two_and_a_half_million_parameters():
    assert 2.3e6 <= sum(parameter.numel() for parameter in UNet(16).parameters()) <= 2.7e6


def test_the_untrained_network_predicts_zero():
    x, t = inputs()
    assert UNet(4)(x, t).abs().max() == 0


def test_the_prediction_depends_on_the_picture_and_on_the_step():
    model = awake()
    x, t = inputs()
    predicted = model(x, t)
    assert not torch.allclose(model(x + 0.1, t), predicted, atol=1e-3)
    assert not torch.allclose(model(x, t + 1), predicted, atol=1e-3)


@pytest.mark.parametrize("channels", [2, 6, 48])
def test_the_normalisation_is_torchs_own(channels):
    torch.manual_seed(0)
    ours = GroupNormSiLU(2, channels).double()
    torch.nn.init.normal_(ours.weight)
    torch.nn.init.normal_(ours.bias)
    h = 3 + torch.randn(3, channels, 4, 5, dtype=torch.float64, requires_grad=True)
    normal = torch.nn.functional.group_norm(h, 2, ours.weight, ours.bias)
    torch.testing.assert_close(ours(h), torch.nn.functional.silu(normal))
    scale, shift = torch.randn(2, 3, channels, dtype=torch.float64, requires_grad=True)
    told = normal * (1 + scale)[:, :, None, None] + shift[:, :, None, None]
    torch.testing.assert_close(ours(h, scale, shift), torch.nn.functional.silu(told))
    if channels < 48:
        h = h.detach().requires_grad_()
        scale, shift = scale.detach().requires_grad_(), shift.detach().requires_grad_()
        assert torch.autograd.gradcheck(ours, (h, scale, shift))


def test_every_pixel_can_move_every_other():
    x = inputs(1)[0].requires_grad_()
    awake()(x, torch.tensor([3]))[0, 0, 0, 0].backward()
    assert (x.grad != 0).all()


def test_gradients_reach_every_parameter():
    model = awake()
    x, t = inputs()
    (model(x, t) - x).square().mean().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or p.grad.abs().max() == 0] == []


def test_a_step_of_training_lowers_the_loss_of_the_untrained_network():
    torch.manual_seed(0)
    model = UNet(4)
    x, t = inputs(8)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        loss = (model(x, t) - x).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]


@pytest.mark.parametrize("training", [True, False])
def test_the_pictures_of_a_batch_do_not_mix(training):
    model = awake().double().train(training)
    x, t = inputs(4)
    x = x.double()
    together = model(x, t)
    alone = torch.cat([model(x[i : i + 1], t[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(together, alone)


def test_float64_agrees_with_float32():
    model = awake()
    x, t = inputs()
    exact = copy.deepcopy(model).double()(x.double(), t)
    assert exact.dtype == torch.float64
    torch.testing.assert_close(model(x, t).double(), exact, rtol=1e-3, atol=1e-3)


def test_other_memory_formats_give_the_same():
    model = awake()
    x, t = inputs()
    torch.testing.assert_close(model(x.contiguous(memory_format=torch.channels_last), t), model(x, t))


def test_the_state_dict_goes_there_and_back():
    model = awake()
    x, t = inputs()
    torch.manual_seed(1)
    other = UNet(4).eval()
    other.load_state_dict({name: tensor.contiguous() for name, tensor in model.state_dict().items()})
    torch.testing.assert_close(other(x, t), model(x, t))


def test_a_copy_predicts_the_same():
    model = awake()
    x, t = inputs()
    torch.testing.assert_close(copy.deepcopy(model)(x, t), model(x, t))


@pytest.mark.parametrize(
    ("channels", "shape", "steps", "says"),
    [
        (3, (2, 3, 28, 28), (2,), "(2, 3, 28, 28): H and W must be multiples of 8"),
        (3, (2, 3, 32, 20), (2,), "(2, 3, 32, 20): H and W must be multiples of 8"),
        (3, (2, 1, 32, 32), (2,), "takes (B, 3, H, W)"),
        (1, (2, 3, 32, 32), (2,), "takes (B, 1, H, W)"),
        (3, (3, 32, 32), (2,), "takes (B, 3, H, W)"),
        (3, (2, 3, 16, 16), (3,), "t has shape (3,): it must be (2,)"),
        (3, (2, 3, 16, 16), (), "t has shape (): it must be (2,)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_in_one_line(channels, shape, steps, says):
    with pytest.raises(ValueError) as caught:
        UNet(2, channels=channels)(torch.zeros(shape), torch.zeros(steps, dtype=torch.long))
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("dim", "channels"), [(0, 3), (16, 0), (16.0, 3), (-1, 3)])
def test_sizes_that_make_no_network_are_refused(dim, channels):
    with pytest.raises(ValueError, match="give a whole number of at least 1"):
        UNet(dim, channels=channels)
