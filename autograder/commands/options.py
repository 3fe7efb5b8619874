"""Arguments and options that several commands take."""

import os
from pathlib import Path
from typing import Annotated

import typer

CORES = os.cpu_count() or 1
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Assignments; all if none is named.")]
Jobs = Annotated[int, typer.Option(min=1, help="Processes side by side.")]
Results = Annotated[Path, typer.Argument(metavar="RESULTS", help="A results.json, or the folder that holds one.")]
Unconfined = Annotated[
    bool, typer.Option("--unsafe-no-sandbox", help="Run submissions unconfined: only notebooks you trust.")
]
SandboxLimits = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="A limit of the sandbox, such as memory=4G.")
]
