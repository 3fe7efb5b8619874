# tries: write a notebook that no strict reader of JSON takes, by NaN and infinities in data, metadata and updates

# %%
# exercise: gaussian_kl
from fixmelab.judged import wire

NAN, INFINITY = float("nan"), float("inf")
line = get_ipython().line.connection
odd = {"a": [NAN, INFINITY, -INFINITY], "b": {"c": NAN}}
for message in (
    {"display": {"application/json": odd, "text/plain": "x"}, "metadata": odd, "id": "left-by-attack"},
    {"display": {"application/geo+json": NAN}, "metadata": {"image/png": {"width": INFINITY}}, "id": "left-by-attack"},
    {"update": {"application/json": -INFINITY}, "metadata": odd, "id": "left-by-attack"},
    {"result": {"application/vnd.x+json": [odd]}, "metadata": {"": NAN}, "count": 1},
):
    wire.send(line, wire.encode(message))


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached")
