# tries: reply with bytes that are no msgpack, unknown extensions, broken tensors and numbers that do not fit

# %%
import os
import socket
import struct

import fixmelab.probe
import msgpack
from fixmelab.judged import wire

raw = msgpack.packb
tensor = lambda *parts: raw({"value": msgpack.ExtType(1, raw(list(parts)))})
BODIES = {
    "vae.gaussian_kl": b"\xdf\xff\xff\xff\xff",
    "vae.reparameterize": raw({"value": msgpack.ExtType(99, b""), 1: None, b"x": 2**64 - 1}),
    "vae.pathwise_gradient": tensor("float32", [2**31, 2**31, 2**31], b""),
    "vae.score_function_gradient": tensor("bool", [4], b"\x02\xff\x80\x07"),
    "vae.grad_mu_sigma": raw({"value": msgpack.ExtType(3, raw([2**63, "x" * 10**6])), "changed": float("nan")}),
}
sent = []


def mangle(exercise, answer):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.environ["FIXMELAB_JUDGE"])
        wire.send(line, wire.encode({"exercise": exercise}))
        while wire.receive(line) is not None:
            body = BODIES[exercise]
            sent.append(body)
            line.sendall(struct.pack(">I", len(body)) + body)


fixmelab.probe.check = mangle

# %%
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


# %%
# exercise: reparameterize
def reparameterize(mu, sigma, eps):
    return mu


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
    return 0 * mu, 0 * mu


print("reached" if len(sent) > 3 else sent)
