"""Pictures to learn from: FashionMNIST, procedural garments and cats, or files of one's own."""

from fixmelab.data.cats import cats
from fixmelab.data.downloads import DownloadError
from fixmelab.data.images import Images, load_images
from fixmelab.data.pictures import Pictures, load_pictures
from fixmelab.data.wardrobe import CLASS_NAMES, FACTORS, Garments, draw_garments, garments

__all__ = [
    "CLASS_NAMES",
    "FACTORS",
    "DownloadError",
    "Garments",
    "Images",
    "Pictures",
    "cats",
    "draw_garments",
    "garments",
    "load_images",
    "load_pictures",
]
