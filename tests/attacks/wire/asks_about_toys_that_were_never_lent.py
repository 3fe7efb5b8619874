# tries: ask the judge about toys that it has not lent, by methods that none has, and far too often

# %%
import os
import socket

import fixmelab.probe
from fixmelab.judged import wire

asked = []


def check(exercise, answer):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.environ["FIXMELAB_JUDGE"])
        wire.send(line, wire.encode({"exercise": exercise}))
        if wire.receive(line) is None:
            return
        for number in range(7000):
            for question in ([number % 3, "call", "__class__", [], [], [], True], [-1, "back", -1, [None]]):
                try:
                    wire.send(line, wire.encode(question))
                    if wire.receive(line) is None:
                        return
                except wire.WireError:
                    return
                asked.append(number)


fixmelab.probe.check = check

# %%
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached")
