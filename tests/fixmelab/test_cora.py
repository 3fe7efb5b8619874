"""`cora`: Planetoid's files, read without running what is in them; hostile and damaged ones; the download."""

import hashlib
import pickle
import random
import struct
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from fixmelab.data import DownloadError, cora, split
from fixmelab.data.cora import CLASSES, planetoid
from fixmelab.data.downloads import Download, downloads

SHARED = Path(__file__).parents[3] / "shared" / "data" / "cora" / "raw"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="Planetoid's files are not here")
NAMES = [f"ind.cora.{name}" for name in ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")]
HEAD, KNOWN, NODES = 14, 520, 530


class Code(bytes):
    """Opcodes that put something on the stack."""


def code(value):
    """Opcodes for a value, as Python 2 writes them; bytes become its strings."""
    if isinstance(value, Code):
        return value
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, bytes):
        return b"T" + struct.pack("<i", len(value)) + value
    if isinstance(value, tuple):
        return b"(" + b"".join(map(code, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(code, value)) + b"e"
    return b"}(" + b"".join(code(part) for item in value.items() for part in item) + b"u"


def called(name, *arguments):
    return Code(b"c" + name.replace(" ", "\n").encode() + b"\n" + code(arguments) + b"R")


def array(numbers, kind, shape=None):
    order = code((3, b"<", None, None, None, -1, -1, 0))
    dtype = Code(called("numpy dtype", kind.encode(), 0, 1) + order + b"b")
    raw = np.ascontiguousarray(numbers).astype(f"<{kind}").tobytes()
    made = called("numpy.core.multiarray _reconstruct", Code(b"cnumpy\nndarray\n"), (0,), b"b")
    return Code(made + code((1, shape or np.shape(numbers), dtype, False, raw)) + b"b")


def rows(matrix, columns=1433, **changed):
    """A SciPy matrix in compressed rows."""
    where, indices = np.nonzero(matrix)
    parts = {
        "_shape": (len(matrix), columns),
        "maxprint": 50,
        "data": array(matrix[where, indices], "f4"),
        "indices": array(indices, "i4"),
        "indptr": array(np.searchsorted(where, np.arange(len(matrix) + 1)), "i4"),
    }
    state = {name.encode(): value for name, value in (parts | changed).items()}
    return Code(b"cscipy.sparse.csr\ncsr_matrix\n)\x81" + code(state) + b"b")


def lists(neighbours):
    made = called("collections defaultdict", Code(b"c__builtin__\nlist\n"))
    return Code(made + b"(" + b"".join(code(part) for item in neighbours.items() for part in item) + b"u")


def dumped(value):
    return b"\x80\x02" + code(value) + b"."


@pytest.fixture(scope="module")
def truth():
    generator = np.random.default_rng(0)
    features = (generator.random((NODES, 1433)) < 0.01).astype(np.float32)
    features[3] = 0  # a paper without words
    labels = generator.permutation(np.arange(NODES) % 7)
    neighbours = {node: generator.integers(NODES, size=3).tolist() for node in range(NODES)}
    neighbours[0] += [0, 5, 5]
    neighbours[5] += [0, 7]
    return features, labels, neighbours, generator.permutation(np.arange(KNOWN, NODES))


@pytest.fixture
def folder(truth, tmp_path):
    """A small graph in Planetoid's files."""
    features, labels, neighbours, test = truth
    one_hot = np.eye(7, dtype=np.int32)[labels]
    made = {"graph": dumped(lists(neighbours)), "test.index": b"".join(b"%d\n" % node for node in test)}
    for name, chosen in (("", slice(HEAD)), ("t", test), ("all", slice(KNOWN))):
        made[f"{name}x"], made[f"{name}y"] = dumped(rows(features[chosen])), dumped(array(one_hot[chosen], "i4"))
    place = tmp_path / "planetoid"
    place.mkdir()
    for name, content in made.items():
        (place / f"ind.cora.{name}").write_bytes(content)
    return place


def test_every_node_gets_its_own_features_label_and_neighbours(folder, truth):
    features, labels, neighbours, _ = truth
    data = cora(folder, seed=4)
    assert data.name == "cora" and data.classes == CLASSES and data.is_noise is None
    assert data.features.dtype == torch.float32 and torch.equal(data.features, torch.from_numpy(features))
    assert data.labels.dtype == torch.long and data.labels.tolist() == labels.tolist()
    edges = {pair for i, row in neighbours.items() for j in row if i != j for pair in ((i, j), (j, i))}
    got = list(zip(data.graph.receivers.tolist(), data.graph.indices.tolist(), strict=True))
    assert len(got) == len(edges) and set(got) == edges
    parts = split(data.labels, 4)
    assert all(torch.equal(*pair) for pair in zip((data.train, data.validation, data.test), parts, strict=True))


def test_the_public_split(folder):
    data = cora(folder, planetoid_split=True)
    assert data.train.tolist() == list(range(HEAD))
    assert data.validation.tolist() == list(range(HEAD, HEAD + 500))
    assert data.test.tolist() == list(range(KNOWN, NODES))


@needs_shared
def test_cora_itself():
    data = cora(SHARED)
    assert (data.graph.num_nodes, data.graph.num_edges) == (2708, 10_556)
    adjacency = data.graph.adjacency().to_dense()
    assert torch.equal(adjacency, adjacency.T) and adjacency.max() == 1 and adjacency.diagonal().sum() == 0
    assert data.features.shape == (2708, 1433) and set(data.features.unique().tolist()) == {0, 1}
    # The sizes of the classes in the original data set, where they have names
    sizes = {
        "Neural Networks": 818,
        "Probabilistic Methods": 426,
        "Genetic Algorithms": 418,
        "Theory": 351,
        "Case Based": 298,
        "Reinforcement Learning": 217,
        "Rule Learning": 180,
    }
    assert dict(zip(data.classes, torch.bincount(data.labels).tolist(), strict=True)) == sizes
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1353, 267, 1088]
    # Were the test nodes in the wrong order, their neighbours would have the same class in 18 % and few words in common
    same = data.labels[data.graph.receivers] == data.labels[data.graph.indices]
    assert same.float().mean().item() == pytest.approx(0.81, abs=0.001)
    among = (data.graph.receivers >= 1708) & (data.graph.indices >= 1708)
    assert same[among].float().mean() > 0.75
    words = data.features > 0
    shared = (words[data.graph.receivers[among]] & words[data.graph.indices[among]]).sum(dim=1).float().mean()
    assert shared > 1.5 * words[1708:].float().mean(dim=0).square().sum()  # which chance would give


@needs_shared
def test_coras_public_split():
    data = cora(SHARED, planetoid_split=True)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [140, 500, 1000]
    assert torch.bincount(data.labels[data.train]).tolist() == [20] * 7


@needs_shared
def test_the_list_holds_the_files_and_their_checksums():
    for entry in downloads("cora"):
        assert hashlib.md5((SHARED / entry.file).read_bytes()).hexdigest() == entry.md5


def test_the_list_names_every_file_and_three_mirrors():
    assert [entry.file for entry in downloads("cora")] == NAMES
    for entry in downloads("cora"):
        assert len(entry.mirrors) == 3 and all(address.endswith("/" + entry.file) for address in entry.mirrors)


class Quiet(SimpleHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def site(folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def wanted(folder, address):
    return [
        Download(name, hashlib.md5((folder / name).read_bytes()).hexdigest(), (f"{address}/{name}",)) for name in NAMES
    ]


def test_files_are_fetched_once_into_the_cache(folder, site, tmp_path, monkeypatch):
    monkeypatch.setenv("FIXMELAB_CACHE", str(tmp_path / "cache"))
    listed = wanted(folder, f"http://127.0.0.1:{site.server_port}")
    data = planetoid(None, listed)
    assert torch.equal(data.features, cora(folder).features) and set(site.asked) == {f"/{name}" for name in NAMES}
    kept = {path.name: path.read_bytes() for path in (tmp_path / "cache" / "cora").iterdir()}
    assert kept == {name: (folder / name).read_bytes() for name in NAMES}

    site.asked.clear()
    planetoid(None, listed)
    assert site.asked == []
    (tmp_path / "cache" / "cora" / NAMES[2]).write_bytes(b"damaged")
    planetoid(None, listed)
    assert set(site.asked) == {f"/{NAMES[2]}"}


def test_no_mirror_and_no_cache_name_what_needs_no_download(folder, site, tmp_path, monkeypatch):
    monkeypatch.setenv("FIXMELAB_CACHE", str(tmp_path / "cache"))
    listed = wanted(folder, f"http://127.0.0.1:{site.server_port}/absent")
    with pytest.raises(DownloadError, match="by hand .*, or use noisy_blocks, which need no download") as raised:
        planetoid(None, listed)
    assert "\n" not in str(raised.value) and "garments" not in str(raised.value)
    monkeypatch.setenv("FIXMELAB_CACHE", str(folder / NAMES[0]))
    with pytest.raises(DownloadError, match="FIXMELAB_CACHE .*, or use noisy_blocks, which need no download"):
        cora()


class Call:
    """Pickled, it calls."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def hostile(witness):
    """(what the message must name, a pickle that would make the file `witness`)"""
    import os

    touch = f"open({str(witness)!r}, 'w')"
    shell = f"touch {witness}"
    text = shell.encode()
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for function, argument in ((os.system, shell), (eval, touch), (exec, touch)):
            for around in (lambda call: call, lambda call: {0: [1, call]}, lambda call: ([{"state": (call,)}],)):
                yield function.__name__, pickle.dumps(around(Call(function, argument)), protocol)
    yield "os.system", b"(S'" + text + b"'\nios\nsystem\n."  # INST
    yield "os.system", b"(cos\nsystem\nS'" + text + b"'\no."  # OBJ
    yield "__builtin__.eval", dumped(called("__builtin__ eval", touch.encode()))
    yield "os.system", dumped({0: [called("os system", text)]})
    yield "os.system", dumped(called("collections defaultdict", Code(b"cos\nsystem\n")))
    yield "os.system", dumped(lists({0: [called("os system", text)]}))
    yield "os.system", dumped(Code(array([1], "f4") + code((1, called("os system", text))) + b"b"))
    yield "os.system", dumped(rows(np.ones((1, 2)), data=called("os system", text)))
    yield (
        "_reconstruct.__globals__",
        pickle.PROTO + b"\x04\x8c\x15numpy.core.multiarray\x8c\x18_reconstruct.__globals__\x93.",
    )
    yield "numpy.fromfile", dumped(called("numpy fromfile", text))
    yield "__builtin__.getattr", dumped(called("__builtin__ getattr", Code(b"c__builtin__\nlist\n"), b"append"))
    yield "copy_reg._reconstructor", dumped(called("copy_reg _reconstructor"))


@pytest.mark.parametrize("name", ["ind.cora.x", "ind.cora.ty", "ind.cora.graph"])
def test_nothing_in_a_hostile_file_runs(folder, tmp_path, name):
    witness = tmp_path / "witness"
    assert eval(f"open({str(witness)!r}, 'w').close()") is None and witness.exists()  # what they would do
    witness.unlink()
    attacks = list(hostile(witness))
    assert len(attacks) > 60
    for named, content in attacks:
        (folder / name).write_bytes(content)
        with pytest.raises(ValueError) as raised:
            cora(folder)
        message = str(raised.value)
        assert "\n" not in message and str(folder / name) in message and named in message, (content, message)
        assert not witness.exists(), content


def test_stand_ins_cannot_be_changed_from_a_file(folder):
    change = code((None, {b"state": 1, b"numbers": 2}))
    for name in (b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"cscipy.sparse.csr\ncsr_matrix\n", b"c__builtin__\nlist\n"):
        (folder / "ind.cora.graph").write_bytes(b"\x80\x02" + name + change + b"b.")
        with pytest.raises(ValueError, match="ind.cora.graph"):
            cora(folder)
    (folder / "ind.cora.graph").write_bytes(dumped({0: [1]}))
    assert cora(folder).graph.num_edges == 2


def damages():
    one = np.zeros((2, 1433), dtype=np.float32)
    one[:, 5] = 1
    hot = np.eye(7)[[1, 2]]
    nest = b"\x80\x02}(J\0\0\0\0" + b"\x85" * 100_000 + b"]u."
    double = b"\x80\x02}(J\0\0\0\0" + b"q\x002h\x00\x86" * 60 + b"]u."
    return [
        ("x", b"", "ind.cora.x: not a file of Planetoid's Cora"),
        ("x", b"garbage", "not a file"),
        ("x", dumped(None), "not a file"),
        ("x", dumped(array(one, "f4")), "not a file"),
        ("x", dumped(rows(one))[:-20], "not a file"),
        ("x", dumped(rows(one, columns=1432)), "1432 features, not 1433"),
        ("x", dumped(rows(one, columns=10**9)), "1000000000 features"),
        ("x", dumped(rows(one, indices=array([5, 1433], "i4"))), "a column out of range"),
        ("x", dumped(rows(one, indices=array([5, -1], "i4"))), "a column out of range"),
        ("x", dumped(rows(one, indptr=array([0, 2, 1], "i4"))), "rows that do not fit"),
        ("x", dumped(rows(one, indptr=array([0, 1, 9], "i4"))), "rows that do not fit"),
        ("x", dumped(rows(one, indptr=array([0, 2], "i4"))), "rows that do not fit"),
        ("x", dumped(rows(one, data=array([1, np.nan], "f4"))), "a value that is not between 0 and 1"),
        ("x", dumped(rows(one, data=array([1, 1], "f8"))), "numbers of an unknown type"),
        ("x", dumped(rows(one, data=array([1, -1], "f4"))), "a value that is not between 0 and 1"),
        ("x", dumped(rows(one, data=array([1, 1], "f4", shape=(10**9, 10**9)))), "no array of 1 dimension"),
        ("x", dumped(rows(one)), "do not belong together"),
        ("y", dumped(array(hot, "i4")), "do not belong together"),
        ("y", dumped(array(hot[:, :6], "i4")), "6 classes, not 7"),
        ("y", dumped(array(hot * 2, "i4")), "not one-hot"),
        ("y", dumped(array(hot * 0, "i4")), "not one-hot"),
        ("y", dumped(array([1, 2], "i4")), "no array of 2 dimensions"),
        ("y", dumped(array(hot, "i4", shape=(3, 7))), "not a file"),
        ("y", dumped(array(hot, "i2")), "numbers of an unknown type"),
        ("graph", dumped([[1]]), "no lists of neighbours"),
        ("graph", dumped({0: (1,)}), "no lists of neighbours"),
        ("graph", dumped({0: [b"1"]}), "no number"),
        ("graph", dumped({0: [True]}), "no number"),
        ("graph", dumped({b"0": [1]}), "no number"),
        ("graph", dumped({0: [NODES]}), f"has a node that is not between 0 and {NODES - 1}"),
        ("graph", dumped({-1: [0]}), "has a node"),
        ("graph", b"\x80\x02]r\xff\xff\xff\x7f.", "a place beyond its end"),
        ("graph", b"\x80\x02\x8e" + b"\xff" * 7 + b"\x7f.", "not a file"),
        ("graph", nest, "too many tuples"),
        ("graph", double, "too many tuples"),
        ("graph", b"\x80\x02cos.", "not a file"),
        ("test.index", b"520\nx\n", "ind.cora.test.index: not a file"),
        ("test.index", b"520\n520\n", "must hold each number from 520 to 529 once"),
        ("test.index", b"", "must hold each number"),
        ("test.index", b"9" * 30, "not a file"),
    ]


@pytest.mark.parametrize(("name", "content", "message"), damages(), ids=lambda part: str(part)[:24])
def test_a_damaged_file_is_one_clear_error(folder, name, content, message):
    (folder / f"ind.cora.{name}").write_bytes(content)
    with pytest.raises(ValueError, match=message) as raised:
        cora(folder)
    assert "\n" not in str(raised.value) and str(folder) in str(raised.value) and len(str(raised.value)) < 600


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of escapes in damaged text
def test_any_other_damage_is_noticed_or_does_no_harm(folder):
    generator = random.Random(0)
    for name in ("ind.cora.y", "ind.cora.x", "ind.cora.graph"):
        good = (folder / name).read_bytes()
        for _ in range(150):
            bad = bytearray(good)
            for _ in range(generator.choice((1, 1, 5))):
                bad[generator.randrange(min(len(bad), 1500))] = generator.randrange(256)
            (folder / name).write_bytes(bad[: generator.choice((len(bad), generator.randrange(len(bad))))])
            try:
                data = cora(folder)
            except ValueError as error:
                assert "\n" not in str(error) and str(folder) in str(error)
            else:
                assert data.graph.num_nodes == NODES and data.features.isfinite().all()
        (folder / name).write_bytes(good)


def test_a_missing_file_is_named(folder):
    (folder / "ind.cora.ally").unlink()
    with pytest.raises(FileNotFoundError, match="ind.cora.ally: no such file"):
        cora(folder)


def test_too_few_nodes_for_the_public_split(folder, truth):
    features, labels, *_ = truth
    one_hot = np.eye(7, dtype=np.int32)[labels]
    (folder / "ind.cora.x").write_bytes(dumped(rows(features[:30])))
    (folder / "ind.cora.y").write_bytes(dumped(array(one_hot[:30], "i4")))
    assert len(cora(folder).train) > 200
    with pytest.raises(ValueError, match="520 nodes are too few for 30 to train"):
        cora(folder, planetoid_split=True)
