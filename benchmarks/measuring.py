"""A measurement has a process of its own: `answer` asks a script that ends in `serve`."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class BenchmarkError(Exception):
    """The comparison would not be fair or not be possible. The message says why."""


def program(main: Callable[..., None]) -> None:
    """Run `main` with the options of the command line; a BenchmarkError is one line."""
    import typer  # here: who answers has no options

    try:
        typer.run(main)
    except BenchmarkError as error:
        print(f"error: {error}")
        sys.exit(1)


def answer(script: str, *, threads: int, **request: Any) -> dict[str, Any]:
    """What a script of this folder says to a request, in a process of its own. Raises BenchmarkError where it fails."""
    path = Path(__file__).with_name(script)
    command = [sys.executable, str(path), json.dumps({"threads": threads, **request})]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise BenchmarkError(f"{request['what']} {request.get('name', '')}: {last}")
    return json.loads(done.stdout.splitlines()[-1])


def serve(requests: Mapping[str, Callable[..., Any]]) -> None:
    """Answer the request in the first argument, JSON, by a line of JSON."""
    import torch  # here: a parent with much memory shows in the peaks of its children

    request = json.loads(sys.argv[1])
    torch.set_num_threads(request.pop("threads"))
    print(json.dumps(requests[request.pop("what")](**request)))


def seconds(action: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def peak_memory() -> float:
    """Megabytes, the largest so far."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
