# tries: answer with handles that the judge has given out itself or never has, under names of other types

# %%
import os
import socket
import struct

import fixmelab.probe
import msgpack
from fixmelab.judged import wire

sent = []


def confuse(exercise, answer):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.environ["FIXMELAB_JUDGE"])
        wire.send(line, wire.encode({"exercise": exercise}))
        while wire.receive(line) is not None:
            number = [0, -1, 2**40, 1][len(sent) % 4]
            kind = ["Tensor", "answer", "__class__", "<script>left-by-attack</script>"][len(sent) % 4]
            handle = msgpack.ExtType(3, msgpack.packb([number, kind]))
            body = msgpack.packb({"value": [handle, handle] if len(sent) % 3 else handle, "changed": []})
            sent.append(body)
            line.sendall(struct.pack(">I", len(body)) + body)


fixmelab.probe.check = confuse

# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    return 2 * theta + 2 * eps**2


# %%
# exercise: score_function_gradient
def score_function_gradient(theta, eps):
    return 0 * eps


# %%
# exercise: grad_mu_sigma
def grad_mu_sigma(dl_dh, mu, sigma, eps):
    return mu, mu


print("reached" if sent else "nothing was sent")
