"""`autograder` as a program that starts at once: what it runs is a fork of this process, which has imported it."""

import contextlib
import json
import multiprocessing
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from autograder.commands import app

FORKS = multiprocessing.get_context("fork")
# Hands on its arguments, folder, environment and streams, and ends as the fork does.
PROGRAM = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({address!r})
    asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(line, [b"%8d" % len(asked)], [0, 1, 2])
    line.sendall(asked)
    sys.exit(int(line.makefile().read()))
"""


@contextlib.contextmanager
def forked_autograder() -> Iterator[Path]:
    """The path of the program."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        program, address = Path(folder, "autograder"), f"{folder}/line"
        listening.bind(address)
        listening.listen()
        program.write_text(PROGRAM.format(python=sys.executable, address=address))
        program.chmod(0o755)
        process = FORKS.Process(target=_serve, args=(listening,))
        process.start()
        try:
            yield program
        finally:
            process.kill()
            process.join()


def _serve(listening: socket.socket) -> None:
    while True:
        line, _ = listening.accept()
        with line:
            length, streams, _, _ = socket.recv_fds(line, 8, 3)
            asked = json.loads(line.makefile("rb").read(int(length)))
            process = FORKS.Process(target=_command, args=(*asked, streams))
            process.start()
            for stream in streams:
                os.close(stream)
            process.join()
            line.sendall(str(process.exitcode).encode())


def _command(arguments: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, closefd=False) for number, mode in enumerate(("r", "w", "w"))
    )
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["autograder", *arguments]
    app.main()
