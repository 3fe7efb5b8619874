"""Starts a kernel inside the sandbox: the one place that decides how an untrusted process begins."""

from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import List, Unicode

from autograder.sandbox.layers import confine


class SandboxProvisioner(LocalProvisioner):
    """A local kernel behind bubblewrap. Jupyter finds it by its entry point, `fixmelab-sandbox`."""

    writable = List(Unicode(), help="folders that the kernel may write to: those of its own sockets")
    readable = List(Unicode(), help="files and folders that it may only read or connect to")

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        confined = confine(cmd, writable=map(Path, self.writable), readable=map(Path, self.readable))
        # Bubblewrap watches over its parent; ipykernel's own watch would take pid 1 for a sign that it is orphaned.
        return await super().launch_kernel(confined, **{**kwargs, "cwd": "/", "independent": True})
