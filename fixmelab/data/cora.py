"""`cora`: the citation graph Cora, from Planetoid's files, without running what is in them."""

import io
import pickle
import pickletools
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from fixmelab.cache import cache_folder
from fixmelab.data.blocks import noisy_blocks, split
from fixmelab.data.downloads import Download, DownloadError, downloads, fetch
from fixmelab.environment import budget_name
from fixmelab.graphs import Graph, GraphData

Found = TypeVar("Found")

FILES = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")
FEATURES = 1433
# The files hold numbers only; each name is the one whose class is as large in the original data set.
CLASSES = (
    "Theory",
    "Reinforcement Learning",
    "Genetic Algorithms",
    "Neural Networks",
    "Probabilistic Methods",
    "Case Based",
    "Rule Learning",
)


def cora(folder: str | Path | None = None, *, seed: int = 0, planetoid_split: bool = False) -> GraphData:
    """Cora (McCallum et al., 2000; Sen et al., 2008), as prepared for Planetoid (Yang, Cohen and Salakhutdinov, 2016).

    2,708 papers, an undirected edge where one cites the other (5,278 of them, 10,556 entries; duplicates and self loops
    are dropped), 1,433 features (1 for each word that a paper has, else 0) and seven fields as classes.

    folder: where ind.cora.x, tx, allx, y, ty, ally, graph and test.index lie. Default: they are downloaded once into
        the folder `cora` of the cache, and checked.
    seed: of the split, 50/10/40 by class, see `split`.
    planetoid_split: Planetoid's public split in its place: 140 (20 a class) to train, 500 to validate, 1,000 to test.

    Raises DownloadError (an OSError) where files can be neither found nor downloaded, FileNotFoundError where one is
    missing in the folder, ValueError where one is damaged or is not what it should be. The files are pickles, of which
    nothing is called but list, defaultdict and stand-ins that keep their arguments.
    """
    return planetoid(folder, downloads("cora"), seed=seed, planetoid_split=planetoid_split)


def load_graph() -> GraphData:
    """Cora where it is in the cache or can be downloaded, else `noisy_blocks`; those at once on the smoke budget."""
    if budget_name() == "smoke":
        return noisy_blocks(300)
    try:
        return cora()
    except DownloadError as error:
        print(f"Using noisy_blocks instead of Cora: {error.why}")
        return noisy_blocks(2_708)


def planetoid(
    folder: str | Path | None, wanted: Sequence[Download], *, seed: int = 0, planetoid_split: bool = False
) -> GraphData:
    """`cora`, fetched from a list of downloads of one's own where there is no folder."""
    if folder is None:
        folder = cache_folder() / "cora"
        fetch(wanted, folder, instead="noisy_blocks")
    paths = {name: Path(folder).expanduser() / f"ind.cora.{name}" for name in FILES}
    for path in paths.values():
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file")
    read = {name: _read(paths[name], reader) for name, reader in _MATRICES.items()}
    neighbours = _read(paths["graph"], _neighbours)
    test = _read(paths["test.index"], _numbers)

    parts = (("x", "y"), ("tx", "ty"), ("allx", "ally"))
    head = len(read["x"])
    if any(len(read[x]) != len(read[y]) for x, y in parts) or not (
        np.array_equal(read["x"], read["allx"][:head]) and np.array_equal(read["y"], read["ally"][:head])
    ):
        raise ValueError(f"{folder}: the files of Cora do not belong together (x and y must begin allx and ally)")
    known, nodes = len(read["allx"]), len(read["allx"]) + len(read["tx"])
    if not np.array_equal(np.sort(test), np.arange(known, nodes)):
        raise ValueError(f"{paths['test.index']}: must hold each number from {known} to {nodes - 1} once, one a line")
    if planetoid_split and head + 500 > known:
        raise ValueError(f"{folder}: {known} nodes are too few for {head} to train and 500 to validate")

    features, labels = (np.concatenate([read[f"all{name}"], read[f"t{name}"]]) for name in "xy")
    features[test], labels[test] = read["tx"], read["ty"]  # row k of tx is node test[k]
    classes = torch.from_numpy(labels.argmax(axis=1))
    graph = _graph(neighbours, nodes, paths["graph"])
    if planetoid_split:
        chosen = torch.arange(head), torch.arange(head, head + 500), torch.arange(known, nodes)
    else:
        chosen = split(classes, seed)
    return GraphData("cora", graph, torch.from_numpy(features), classes, CLASSES, *chosen)


class _Part:
    """Stands for something of NumPy or SciPy in a file: keeps what it is given, and does nothing."""

    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Array(_Part):
    def numbers(self, dimensions: int) -> np.ndarray:
        _, shape, kind, by_columns, raw = self.state
        _require(isinstance(kind, _Kind) and len(shape) == dimensions, f"no array of {dimensions} dimensions")
        return np.frombuffer(raw.encode("latin1"), kind.dtype()).reshape(shape, order="F" if by_columns else "C")


class _Kind(_Part):
    def dtype(self) -> np.dtype:
        name, order = self.arguments[0], self.state[1]
        _require(name in ("f4", "i4") and order in ("<", ">"), "numbers of an unknown type")
        return np.dtype(order + name)


class _Rows(_Part):
    """A sparse matrix in compressed rows."""

    def dense(self) -> np.ndarray:
        rows, columns = self.state["_shape"]
        values, indices, starts = (self.state[name].numbers(1) for name in ("data", "indices", "indptr"))
        counts = np.diff(starts)
        _require(columns == FEATURES, f"{columns} features, not {FEATURES}")
        _require(len(starts) == rows + 1 and starts[0] == 0 and (counts >= 0).all(), "rows that do not fit its shape")
        _require(len(values) == len(indices) == starts[-1], "rows that do not fit its entries")
        _require(((indices >= 0) & (indices < columns)).all(), "a column out of range")
        _require(((values >= 0) & (values <= 1)).all(), "a value that is not between 0 and 1")
        matrix = np.zeros((rows, columns), dtype=np.float32)
        matrix[np.repeat(np.arange(rows), counts), indices] = values
        return matrix


_GLOBALS = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
    ("scipy.sparse.csr", "csr_matrix"): _Rows,
    ("collections", "defaultdict"): defaultdict,
    ("__builtin__", "list"): list,
}


class _Unpickler(pickle.Unpickler):
    """Knows the names in _GLOBALS and no others, so that a file can have nothing else called."""

    def find_class(self, module: str, name: str) -> type:
        _require((module, name) in _GLOBALS, f"{f'{module}.{name}'!r}, which is refused")
        return _GLOBALS[module, name]


def _unpickled(raw: bytes) -> Any:
    tuples = 0
    for opcode, argument, _ in pickletools.genops(raw):
        # Each would make C code ask for endless memory, or time to hash what is nested
        tuples += opcode.name.startswith("TUPLE")
        if "PUT" in opcode.name:
            _require(argument is not None and int(argument) < len(raw), "a place beyond its end")
        _require(tuples <= 20, "too many tuples")
    return _Unpickler(io.BytesIO(raw), encoding="latin1").load()


def _features(raw: bytes) -> np.ndarray:
    """(n, 1433) float32."""
    return _unpickled(raw).dense()


def _one_hot(raw: bytes) -> np.ndarray:
    """(n, 7), a single 1 in each row."""
    labels = _unpickled(raw).numbers(2)
    _require(labels.shape[1] == len(CLASSES), f"{labels.shape[1]} classes, not {len(CLASSES)}")
    _require(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all(), "a row that is not one-hot")
    return labels


def _neighbours(raw: bytes) -> dict[int, list[int]]:
    graph = _unpickled(raw)
    _require(isinstance(graph, dict) and all(isinstance(row, list) for row in graph.values()), "no lists of neighbours")
    _require(all(type(node) is int for row in (graph, *graph.values()) for node in row), "a node that is no number")
    return graph


def _numbers(raw: bytes) -> np.ndarray:
    return np.array([int(line) for line in raw.split()], dtype=np.int64)


_MATRICES = {
    "x": _features,
    "tx": _features,
    "allx": _features,
    "y": _one_hot,
    "ty": _one_hot,
    "ally": _one_hot,
}


def _read(path: Path, reader: Callable[[bytes], Found]) -> Found:
    raw = path.read_bytes()
    try:
        return reader(raw)
    except Exception as error:  # a damaged pickle raises anything
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"{path}: not a file of Planetoid's Cora ({why})") from error


def _require(fits: bool, what: str) -> None:
    if not fits:
        raise ValueError(f"it has {what}")


def _graph(neighbours: dict[int, list[int]], nodes: int, path: Path) -> Graph:
    """Every edge in both rows, once; no self loops."""
    if any(not 0 <= node < nodes for row in (neighbours, *neighbours.values()) for node in row):
        raise ValueError(f"{path}: has a node that is not between 0 and {nodes - 1}")
    pairs = [(node, other) for node, row in neighbours.items() for other in row if node != other]
    first, second = torch.tensor(pairs, dtype=torch.long).view(-1, 2).T
    numbers = torch.cat([first * nodes + second, second * nodes + first]).unique()
    return Graph.from_edges(numbers // nodes, numbers % nodes, nodes)
