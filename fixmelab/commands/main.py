"""The students' command line. Exit codes: 0 done, 1 the input is wrong (one line says what), 2 usage."""

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

# Commands import what they need themselves, since torch takes seconds and `--help` should not.

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes leave no room for long flags at 80 columns
)
train = typer.Typer(help="Train a model out of a notebook.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(train, name="train")


class Switch(str, Enum):
    true = "true"
    false = "false"


class DataClass(str, Enum):
    all = "all"
    cat = "cat"
    dog = "dog"
    wild = "wild"


SWITCHES = ("--fid", "--visualize", "--wandb")


def _version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        print(f"fixmelab {version('fixmelab')}")
        raise typer.Exit


@app.callback()
def commands(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Check where you stand, hand in, and train what you wrote in a notebook of the course."""


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="Your .ipynb, saved.")],
    run: Annotated[
        bool, typer.Option("--run", help="Run it as grading does: afresh, on the smoke budget, without training.")
    ] = False,
) -> None:
    """Say where you stand before you hand in.

    The exit code is 0 if the notebook is ready, and 1 if it is not.
    """
    from tqdm import tqdm

    from fixmelab.standing.check import check_file

    with tqdm(desc="running", unit=" cells", disable=not run, leave=False) as bar:

        def told(done: int, of: int) -> None:
            bar.total, bar.n = of, done
            bar.refresh()

        table = check_file(notebook, run=run, told=told)
    print(table)
    raise typer.Exit(0 if table.standing.is_ready else 1)


@app.command()
def submit(
    notebook: Annotated[Path, typer.Argument(help="Your .ipynb, saved.")],
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="The course's server; else FIXMELAB_SERVER says it.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file with your token; else FIXMELAB_TOKEN holds it.")
    ] = None,
) -> None:
    """Hand in to the course's server, and wait for the verdicts; the receipt is put beside the notebook.

    The exit code is 0 if the notebook was graded, whatever the points, and 1 if it was not.
    """
    from fixmelab.submitting.submit import submit_file

    verdicts = submit_file(notebook, server, token_file)
    print(verdicts)
    raise typer.Exit(0 if verdicts.is_graded else 1)


def _switch(help: str) -> typer.models.OptionInfo:
    return typer.Option(case_sensitive=False, metavar="[true|false]", help=help)


@train.command("diffusion")
def train_diffusion(
    notebook: Annotated[
        Path, typer.Option("--from", metavar="NOTEBOOK", help="An .ipynb, or a .py, that defines Diffusion.")
    ],
    image_size: Annotated[int, typer.Option("--image_size", help="Side in pixels, a multiple of 8.")] = 32,
    batch_size: Annotated[int, typer.Option("--batch_size", help="Images in a step.")] = 32,
    data_class: Annotated[DataClass, typer.Option("--data_class", help="Which folder of the data.")] = DataClass.cat,
    save_folder: Annotated[Path, typer.Option("--save_folder", help="For all that is written.")] = Path("results"),
    load_path: Annotated[Path | None, typer.Option("--load_path", help="A checkpoint to go on from.")] = None,
    data_path: Annotated[
        Path | None,
        typer.Option("--data_path", help="A folder with a folder of images for each class; else drawn cats."),
    ] = None,
    train_steps: Annotated[int, typer.Option("--train_steps", help="Steps in all.")] = 10_000,
    time_steps: Annotated[int, typer.Option("--time_steps", help="Steps of the diffusion, T.")] = 50,
    unet_dim: Annotated[int, typer.Option("--unet_dim", help="Width of the U-Net.")] = 16,
    learning_rate: Annotated[float, typer.Option("--learning_rate", help="Adam's.")] = 1e-3,
    save_and_sample_every: Annotated[
        int, typer.Option("--save_and_sample_every", help="Steps between samples, curves and checkpoints.")
    ] = 1000,
    fid: Annotated[Switch, _switch("Measure the FID at each save.")] = Switch.false,
    visualize: Annotated[Switch, _switch("Train nothing; draw what the model in --load_path does.")] = Switch.false,
    wandb: Annotated[Switch, _switch("Log to Weights & Biases; WANDB_MODE says how.")] = Switch.false,
) -> None:
    """Train the class Diffusion of your notebook, and keep samples, curves, a log and a checkpoint.

    The same command goes on from the checkpoint in --save_folder, if there is one.
    """
    from fixmelab.commands.diffusion_options import Options
    from fixmelab.commands.train_diffusion import run

    options = Options(
        notebook=notebook,
        image_size=image_size,
        batch_size=batch_size,
        data_class=data_class.value,
        save_folder=save_folder,
        load_path=load_path,
        data_path=data_path,
        train_steps=train_steps,
        time_steps=time_steps,
        unet_dim=unet_dim,
        learning_rate=learning_rate,
        save_and_sample_every=save_and_sample_every,
        fid=fid is Switch.true,
        visualize=visualize is Switch.true,
        wandb=wandb is Switch.true,
    )
    try:
        run(options)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def with_values(arguments: list[str]) -> list[str]:
    """Give each bare switch (`--fid`) its value, `true`: Typer takes either flags or values, not both."""
    given = []
    for index, argument in enumerate(arguments):
        given.append(argument)
        following = arguments[index + 1] if index + 1 < len(arguments) else "-"
        if argument in SWITCHES and following.startswith("-"):
            given.append("true")
    return given


def main() -> None:
    """Run a command; end with one clear line where the input is wrong."""
    try:
        app(args=with_values(sys.argv[1:]))
    except (ValueError, OSError) as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        sys.exit(1)
