# tries: make the notebook invalid by counts of executions below zero, above all bounds and of other types

# %%
# exercise: gaussian_kl
from fixmelab.judged import wire

shell = get_ipython()
for count in (-1, -(2**63), 2**63 - 1, True, 1.5, "1", [1]):
    wire.send(shell.line.connection, wire.encode({"result": {"text/plain": "x"}, "metadata": {}, "count": count}))
tell = shell.line.tell


def forging(message):
    if "end" in message:
        message["count"] = -7
    elif "result" in message:
        message["count"] = -8
    tell(message)


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


shell.line.tell = forging
print("reached")
7
