"""Kernels of Jupyter's own, forked from a process that has imported what each notebook does."""

import multiprocessing
import os
from multiprocessing.connection import Connection

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "ipykernel.kernelapp",
        "matplotlib_inline.backend_inline",
        "torchvision",
        "torch._dynamo",
        "fixmelab.data",
        "fixmelab.models.unet",
        "fixmelab.pictures.widgets",
        "autograder.grading.here",
    ]
)


class ForkedKernel:
    """What jupyter_client sees of a kernel's process: in the place of the subprocess.Popen that it makes."""

    stdin = stdout = stderr = None

    def __init__(self, command: list[str], *, env: dict[str, str], cwd: str = "", **_: object) -> None:
        began, begins = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(
            target=_serve, args=(command[command.index("-f") + 1], env, cwd or os.getcwd(), begins)
        )
        self._process.start()
        self.pid = self._process.pid
        # Signals go to its process group, which is this process's until it has one of its own.
        assert began.recv()

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def _serve(connection: str, environment: dict[str, str], folder: str, begins: Connection) -> None:
    os.setsid()
    begins.send(True)
    from ipykernel.kernelapp import IPKernelApp

    os.environ.clear()
    os.environ.update(environment)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())  # the kernel ends if this process does
    os.chdir(folder)
    IPKernelApp.launch_instance(["-f", connection])
