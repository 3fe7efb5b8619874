"""What to learn from.

Pictures: FashionMNIST, procedural garments and cats, or files of one's own. Graphs: noisy blocks and Cora.
"""

from fixmelab.data.blocks import noisy_blocks, random_graph, split, with_random_edges
from fixmelab.data.cats import cats
from fixmelab.data.cora import cora, load_graph
from fixmelab.data.downloads import DownloadError
from fixmelab.data.holes import roughness, square_holes
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
    "cora",
    "draw_garments",
    "garments",
    "load_graph",
    "load_images",
    "load_pictures",
    "noisy_blocks",
    "random_graph",
    "roughness",
    "split",
    "square_holes",
    "with_random_edges",
]
