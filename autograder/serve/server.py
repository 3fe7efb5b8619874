"""One process that listens and grades: HTTP in a thread of its own, the loop of grading in the first."""

import contextlib
import fcntl
import gc
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from autograder.errors import InputError, SandboxError
from autograder.grading.crews import AnyCrew, CrewError
from autograder.grading.grading import Grading
from autograder.grading.loaded import require_code_as_loaded
from autograder.results.text import one_line
from autograder.serve import queue
from autograder.serve.app import make_app
from autograder.serve.service import Service
from autograder.serve.strangers import Connection
from autograder.serve.working import ReadAnewError, Working

PAUSE = 10.0  # seconds before a crew that failed, or a database that was gone, is tried again
MOST_CONNECTIONS = 1000
LAST_SECONDS = 10  # for requests that are being answered when the server ends


def grade_while_listening(
    service: Service,
    new_gradings: Callable[[], Mapping[str, Grading]],
    new_crew: Callable[[Mapping[str, Grading]], "contextlib.AbstractContextManager[AnyCrew]"],
    listening: socket.socket,
    say: Callable[[str], None],
    *,
    certificate: Path | None = None,
    key_file: Path | None = None,
) -> None:
    """Serve until this thread is interrupted. What was at work when an earlier server ended is graded again.

    Assignments are read, by `new_gradings`, whenever a crew begins: at the start, and when the service is asked to read
    them anew. If they, the crew or the database fail later, or the grader's own code is no longer what this process
    began with, it goes on receiving, says so, and tries again. Raises SandboxError if there is no sandbox, and
    InputError if an assignment or the certificate cannot be used.
    """
    with service.database.writing() as session:
        queue.requeue_running(session)
    service.put_in_place()
    is_listening = is_in_doubt = False
    with service.database.copying_over(), contextlib.ExitStack() as life:
        while True:
            try:
                service.read_anew.clear()
                require_code_as_loaded()
                gradings = new_gradings()
                with new_crew(gradings) as crew:  # without a sandbox nobody is listened to
                    working = Working(service, gradings, say, is_in_doubt=is_in_doubt)
                    if not is_listening:
                        life.enter_context(_listener(service, listening, certificate, key_file))
                        is_listening = True
                    with service.database.writing() as session:
                        queue.give_back(session)
                    working.work(crew)
            except ReadAnewError:
                is_in_doubt = False
                continue
            except (InputError, SandboxError, SQLAlchemyError) as error:
                if not is_listening:
                    raise
                is_in_doubt = is_in_doubt or isinstance(error, CrewError)
                service.trouble = one_line(f"nothing is graded at the moment: {error}; trying again", 800)
                say(service.trouble)
            time.sleep(PAUSE)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises InputError if there can be none."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(2048)
        return made
    except (OSError, OverflowError, UnicodeError) as error:
        raise InputError(f"--host {host} --port {port}: cannot listen there ({error}); give another") from None


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other servers off a folder, which is made if it is missing.

    Raises InputError if it cannot be used, or another server uses it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(f"{folder}: cannot be used ({error.strerror}); give another folder with --data") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InputError(f"{folder}: another server is at work there; end it, or give another --data") from None
    finally:
        os.close(lock)


@contextlib.contextmanager
def _listener(
    service: Service, listening: socket.socket, certificate: Path | None, key_file: Path | None
) -> Iterator[None]:
    settings = uvicorn.Config(
        make_app(service),
        http=Connection,
        ws="none",  # else whoever asks for a WebSocket is no longer counted among strangers
        log_level="error",  # else each stranger who talks nonsense writes a line into the terminal
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=LAST_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=key_file,
        lifespan="off",
    )
    try:
        settings.load()
    except OSError as error:
        raise InputError(f"--certificate {certificate}: cannot be used ({error}); give PEM files") from None
    gc.freeze()  # else now and then all who hand in wait while whatever was imported is looked through
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(LAST_SECONDS + 2)
