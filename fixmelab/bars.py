"""A bar for what calls a network many times, such as sampling."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from tqdm.auto import tqdm


@contextmanager
def progress(network: nn.Module, calls: int, label: str) -> Iterator[None]:
    """Show a bar that grows by one at each call of the network, up to `calls` of them, while the block runs."""
    with tqdm(total=calls, desc=label, unit=" steps") as bar:
        hook = network.register_forward_hook(lambda *_: bar.update() and None)
        try:
            yield
        finally:
            hook.remove()
