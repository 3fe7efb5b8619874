# tries: keep the notebook from being written at all, by tensors, arrays, handles and bytes where text belongs

# %%
# exercise: gaussian_kl
import numpy

from fixmelab.judged import wire

line = get_ipython().line.connection
ODD = [torch.ones(3), torch.full((2,), float("nan")), numpy.ones(2), wire.Handle(7, "left-by-attack"), b"\xff\xfe", torch.tensor(True)]
for value in ODD:
    for message in (
        {"display": {"text/plain": value}, "metadata": {}},
        {"display": {"text/plain": "x", "application/json": {"a": [value]}}, "metadata": {"a": value}, "id": value},
        {"update": {"text/plain": value}, "metadata": {"a": value}, "id": value},
        {"result": {"text/plain": "x", "image/png": value}, "metadata": {"a": [value]}, "count": value},
        {"stream": "stdout", "text": value},
        {"stream": value, "text": "x"},
        {"display": value, "metadata": value, "id": value},
        {"clear": value},
    ):
        wire.send(line, wire.encode(message))


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached")
