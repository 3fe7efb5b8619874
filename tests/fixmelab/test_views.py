"""Random views of pictures, and the Siamese network that is shown them."""

import pytest
import torch

import fixmelab
from fixmelab.data import garments


def test_views_are_pictures_that_differ_from_each_other():
    images = garments(6, seed=0).images
    before = images.clone()
    torch.manual_seed(0)
    one, other = fixmelab.random_views(images), fixmelab.random_views(images)
    assert one.shape == images.shape and one.dtype == images.dtype and torch.equal(images, before)
    assert float(one.min()) >= 0 and float(one.max()) <= 1
    assert all((one[k] - other[k]).abs().mean() > 0.02 for k in range(6))
    torch.manual_seed(0)
    assert torch.equal(one, fixmelab.random_views(images))


def test_views_of_strength_0_are_the_picture_or_its_mirror_image():
    images = garments(8, seed=0).images
    for view, image in zip(fixmelab.random_views(images, strength=0), images, strict=True):
        assert torch.allclose(view, image, atol=1e-5) or torch.allclose(view, image.flip(-1), atol=1e-5)


@pytest.mark.parametrize(("images", "strength"), [(torch.zeros(2, 28, 28), 1.0), (torch.zeros(2, 1, 28, 28), -1.0)])
def test_unfit_arguments_are_refused(images, strength):
    with pytest.raises(ValueError):
        fixmelab.random_views(images, strength=strength)


def test_the_network_predicts_from_its_code():
    torch.manual_seed(0)
    p, z = fixmelab.Siamese(8)(torch.rand(5, 1, 28, 28))
    assert p.shape == z.shape == (5, 8) and not torch.equal(p, z)
    p, z = fixmelab.Siamese(8, predictor=False)(torch.rand(5, 1, 28, 28))
    assert torch.equal(p, z)
