"""Pictures to learn from: FashionMNIST, procedural garments, or a file of one's own."""

from fixmelab.data.downloads import DownloadError
from fixmelab.data.images import Images, load_images
from fixmelab.data.wardrobe import CLASS_NAMES, FACTORS, Garments, draw_garments, garments

__all__ = [
    "CLASS_NAMES",
    "FACTORS",
    "DownloadError",
    "Garments",
    "Images",
    "draw_garments",
    "garments",
    "load_images",
]
