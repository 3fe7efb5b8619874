"""`autograder gradescope`: the archive that is uploaded there."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.options import SandboxLimits
from autograder.commands.terminal import console


class VisibilityChoice(str, Enum):
    """When students on Gradescope see the verdicts on their exercises."""

    visible = "visible"
    after_due_date = "after_due_date"
    after_published = "after_published"


def gradescope(
    assignment: Annotated[str, typer.Argument(help="For example vae.")],
    out: Annotated[Path, typer.Option(metavar="FILE.zip", help="The archive to write.")],
    visibility: Annotated[
        VisibilityChoice, typer.Option(help="When students see the verdict and message of each exercise.")
    ] = VisibilityChoice.visible,
    minutes: Annotated[int, typer.Option(min=3, max=40, help="The time limit that is set on Gradescope.")] = 10,
    limit: SandboxLimits = None,
    torch_index: Annotated[
        str, typer.Option(metavar="URL", help="An index of CPU-only torch wheels, for a smaller image.")
    ] = "",
) -> None:
    """Make the autograder archive that is uploaded to Gradescope. It holds the solutions and the course's key."""
    from autograder.gradescope.archive import write_archive

    count = write_archive(
        out,
        assignment,
        visibility=visibility.value,
        minutes=minutes,
        limits=limit,
        torch_index=torch_index,
    )
    size = f"{out.stat().st_size / 2**20:.1f} MB"
    console.print(
        f"{out}: {count} files, {size}. It holds the course's key: upload it to Gradescope, and show it to nobody.",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
