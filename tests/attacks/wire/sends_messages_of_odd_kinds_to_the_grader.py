# tries: tell the grader of outputs whose fields have wrong types, lone surrogates, deep nesting and huge numbers

# %%
# exercise: reparameterize
from fixmelab.judged import wire

line = get_ipython().line.connection
deep = {}
for _ in range(12):
    deep = {"deep": deep}
ODD = [
    {},
    {"stream": 5, "text": []},
    {"stream": "stdout", "text": None},
    {"stream": "results", "text": "pass"},
    {"display": {"text/plain": deep}, "metadata": deep},
    {"display": {"image/png": 5, "text/html": {}, "": None}, "metadata": {"": float("nan")}},
    {"display": [], "metadata": {}},
    {"display": {"text/plain": "x"}, "metadata": {}, "id": {"a": 1}},
    {"update": {"text/plain": "x"}, "metadata": {}, "id": "never shown"},
    {"result": {"application/json": float("inf")}, "metadata": {}, "count": 2**63 - 1},
    {"result": {"text/plain": "x"}, "metadata": {}, "count": True},
    {"clear": "yes"},
    {"clear": True},
    {"end": False, "count": "x", "error": [1, 2, {"name": "x"}]},
]
for message in ODD[:-1]:
    wire.send(line, wire.encode(message))
print("reached", flush=True)
wire.send(line, wire.encode({"cut": {}}))


def reparameterize(mu, sigma, eps):
    return mu


# %%
# exercise: pathwise_gradient
def pathwise_gradient(theta, eps):
    return 2 * theta + 2 * eps**2


wire.send(line, wire.encode(ODD[-1]))
