# tries: bring down whoever reads the executed notebook by metadata, kinds of data and ids of the wrong types

# %%
# exercise: gaussian_kl
from IPython.display import display

ODD = [
    ({"text/plain": ["a", "b", {"c": 1}]}, {"text/plain": 5}),
    ({"text/plain": 5, "image/png": {"a": 1}, "": ""}, {}),
    ({"application/json": float("nan")}, {"isolated": "x" * 1000}),
    ({"a" * 10_000: "x"}, {"a": {"b": {"c": {"d": {}}}}}),
    ({"text/html": None, "text/latex": True}, {"": None}),
    ({"application/vnd.jupyter.widget-view+json": {"model_id": "../../left-by-attack", "version_major": "x"}}, {}),
    ({5: 6, None: 7, ("a",): 8}, {5: 6}),
]
for data, metadata in ODD:
    for options in ({}, {"display_id": "left-by-attack"}, {"display_id": "left-by-attack", "update": True}):
        try:
            display(data, metadata=metadata, raw=True, **options)
        except Exception as error:
            print(type(error).__name__)
get_ipython().execution_count = 10**30


def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))


print("reached")
