# tries: announce frames of four gigabytes and send as much of them as the judge takes
# ends: error pathwise_gradient

# %%
import os
import socket
import struct

import fixmelab.probe
from fixmelab.judged import wire


def swamp(exercise, answer):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.environ["FIXMELAB_JUDGE"])
        wire.send(line, wire.encode({"exercise": exercise}))
        wire.receive(line)
        line.sendall(struct.pack(">I", 2**32 - 1))
        try:
            for _ in range(100):
                line.sendall(bytes(2**20))
        except OSError:
            pass


fixmelab.probe.check = swamp

# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    return 2 * theta + 2 * eps**2


# %%
# exercise: score_function_gradient
def score_function_gradient(theta, eps):
    return torch.zeros(2**26)
