"""Takes the pictures of README and docs out of the perfect sample submission: python docs/pictures.py"""

import base64
from pathlib import Path

import nbformat

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "tests" / "submissions" / "vae" / "perfect" / "vae" / "vae.ipynb"
PICTURES = {
    "figure, canvas = plot_latents(model)": "latent-grid.png",
    "fixmelab.latent_explorer_static": "latent-map.png",
}

for cell in nbformat.read(SAMPLE, as_version=4).cells:
    for start, name in PICTURES.items():
        if cell.cell_type == "code" and cell.source.startswith(start):
            picture = next(output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {}))
            (HERE / "images" / name).write_bytes(base64.b64decode(picture))
