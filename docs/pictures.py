"""Takes the pictures of README and docs out of real runs: python docs/pictures.py [RUN [GCN [GRADED [SCREENSHOTS]]]]

That of the VAE comes out of the perfect sample submission. RUN is a folder in which `fixmelab train diffusion` has
trained; its model draws the denoising strip. GCN is the solved notebook on graphs, executed on the smoke budget. GRADED
is a folder in which `autograder grade` has written the report on the sample submissions; Chromium takes its picture.
SCREENSHOTS is the folder in which the tests of formgrader and of the server's pages have left theirs
(FIXMELAB_SCREENSHOTS names it to them).
"""

import base64
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from PIL import Image

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "tests" / "submissions" / "vae" / "perfect" / "vae" / "vae.ipynb"
SOLUTION = HERE.parent / "source" / "diffusion" / "diffusion.ipynb"
FROM_SAMPLE = {"fixmelab.latent_explorer_static": "latent-map.png"}
TWO_OF_FOUR = 0.515  # the upper two chains, and the titles above them
FROM_GCN = {"small = small.to(lab.device)": "sampler.png"}


def take(executed: Path, pictures: dict[str, str]) -> None:
    """Pictures by how the cells begin that drew them."""
    for cell in nbformat.read(executed, as_version=4).cells:
        for start, name in pictures.items():
            if cell.cell_type == "code" and cell.source.startswith(start):
                found = [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
                (HERE / "images" / name).write_bytes(base64.b64decode(found[0]))


def draw_the_strip(run: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fixmelab", "train", "diffusion", "--from", str(SOLUTION), "--visualize"]
        command += ["--load_path", str(run / "checkpoint.safetensors"), "--save_folder", folder]
        subprocess.run(command, check=True)
        with Image.open(Path(folder) / "backward.png") as strip:
            strip.crop((0, 0, strip.width, round(TWO_OF_FOUR * strip.height))).save(HERE / "images" / "denoising.png")


def photograph(report: Path) -> None:
    from playwright.sync_api import sync_playwright  # here: only this picture needs a browser

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.goto(report.resolve().as_uri())
        page.screenshot(path=HERE / "images" / "report.png")
        browser.close()


def crop(whole: Path, name: str, box: tuple[int, int, int, int]) -> None:
    with Image.open(whole) as picture:
        picture.crop(box).save(HERE / "images" / name)


if __name__ == "__main__":
    take(SAMPLE, FROM_SAMPLE)
    if len(sys.argv) > 1:
        draw_the_strip(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        take(Path(sys.argv[2]), FROM_GCN)
    if len(sys.argv) > 3:
        photograph(Path(sys.argv[3]) / "report.html")
    if len(sys.argv) > 4:
        shutil.copy(Path(sys.argv[4]) / "formgrader-plot.png", HERE / "images")
        crop(Path(sys.argv[4]) / "serve-submit.png", "serve-submit.png", (0, 0, 850, 460))  # without a folder's name
        crop(Path(sys.argv[4]) / "serve-class-wide.png", "serve-class.png", (150, 0, 1130, 890))
