"""`autograder merge`: the shares of a class, graded apart, in one folder."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.grade import say, say_changes, write_report
from autograder.commands.terminal import console, progress
from autograder.errors import InputError, SandboxError


def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="OUT...", help="Folders of `grade --shard`, one a share.")],
    out: Annotated[Path, typer.Option(help="Folder for all of them together.")] = Path("graded"),
) -> None:
    """Put shares of a class that were graded apart into one folder, as if one machine had graded them.

    A student who is in no share, or in two with different results, is named. Whoever is in --out already stays there.
    """
    from autograder.grading.merge import merge as merge_folders
    from autograder.grading.merge import missing_line
    from autograder.points.rules import read_rules
    from autograder.reports.table import results_table
    from autograder.results.reading import read_results

    read_rules(read_results(folders[0], unfinished=True).run.assignment)
    with progress("merging") as show:
        merged = merge_folders(folders, out, on_step=show)
    console.print(results_table(merged.run))
    say(f"report    {write_report(out, merged.run)}")
    if merged.before:
        say_changes(merged.before, merged.run)
    problems = [missing_line(merged.missing, out)] if merged.missing else []
    if merged.faults:
        raise SandboxError("\n".join([*problems, *merged.faults]))
    if problems:
        raise InputError(*problems)
