"""The benchmark's look at memory sees what a forked process holds above the one it was forked from."""

import os
import signal
import subprocess
import sys

import pytest

PARENT = """
import os, time
held = bytearray(os.urandom(1)) * (60 << 20)
nursery = os.fork()
if nursery == 0:
    if os.fork() == 0:
        own = bytearray(os.urandom(1)) * (40 << 20)
        time.sleep(30)
    os.wait()
os.waitpid(nursery, 0)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from Linux's /proc")
def test_a_worker_counts_only_what_it_does_not_share(imported):
    memory = imported("memory")
    with subprocess.Popen([sys.executable, "-c", PARENT], start_new_session=True) as process:
        found = memory.Peaks()
        try:
            while found.worker < 40 and process.poll() is None:
                memory.look(process.pid, found)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert 40 <= found.worker < 55
    assert found.nursery > 60
    assert found.zygote == found.kernel == 0
