"""Whatever a kernel sends, the executed cell is valid, and JSON that every program reads."""

import json

import nbformat
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.sandbox.outputs import Outputs
from fixmelab.json_values import json_text, json_value, media_bundle
from fixmelab.judged.wire import Handle

NAN, INFINITY = float("nan"), float("inf")


def executed(*messages: dict) -> nbformat.NotebookNode:
    """The cell that comes of the messages, as it is read back from a file."""
    outputs = Outputs("1", 100_000)
    for message in messages:
        outputs.take(message)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.from_dict({"id": "a", **outputs.cell})])
    read = nbformat.reads(json_text(notebook), as_version=4)
    nbformat.validate(read)
    return read.cells[0]


def test_numbers_that_json_does_not_know_are_none():
    value = {"a": [NAN, INFINITY, -INFINITY, 1.5, 10**30], "b": {"c": NAN}}
    assert json_value(value) == {"a": [None, None, None, 1.5, 10**30], "b": {"c": None}}
    with pytest.raises(ValueError):
        json_text(value)


def test_what_json_has_no_word_for_is_none():
    value = {"a": torch.ones(3), "b": Handle(7, "x"), "c": b"bytes", "\ud800": ("\udfff", torch.ones(2).numpy())}
    assert json_value(value) == {"a": None, "b": None, "c": None, "?": None}


def test_kinds_of_json_hold_json_and_all_others_text():
    data = {
        "application/json": {"a": NAN},
        "application/vnd.x+json": [1],
        "text/json": {"not": "text"},
        "application/x-json": 5,
        "application/json\n": {"a": 1},
        "text/plain": ["a\n", 7, "b"],
        "image/png": torch.ones(1),
    }
    assert media_bundle(data) == {"application/json": {"a": None}, "application/vnd.x+json": [1], "text/plain": "a\nb"}
    assert media_bundle(5) == {}


def test_a_display_with_odd_values_shows_the_others():
    data = {"text/plain": "shown", "text/html": torch.ones(2), "application/json": NAN}
    (output,) = executed({"display": data, "metadata": {"isolated": torch.ones(3), "size": NAN}, "id": "x"}).outputs
    assert output.data == {"text/plain": "shown", "application/json": None}
    assert output.metadata == {"isolated": None, "size": None}


@pytest.mark.parametrize("count", [-1, 10**30, True, 1.0, "1", None])
def test_counts_that_are_none_are_left_out(count):
    cell = executed({"result": {"text/plain": "x"}, "metadata": {}, "count": count})
    assert cell.outputs[0].execution_count is None


def size(*messages: dict, limit: int = 10_000) -> int:
    """Characters of the outputs that come of the messages, as a file holds them."""
    outputs = Outputs("1", limit)
    for message in messages:
        outputs.take(message)
    return len(json.dumps(outputs.cell))


SHOWN = {"display": {"text/plain": "x"}, "metadata": {}}
UPDATE = {"update": {"text/plain": "x" * 5_000}, "metadata": {}}


@pytest.mark.parametrize(
    "messages",
    [
        [{**SHOWN, "id": "a"}] * 30 + [{**UPDATE, "id": "a"}],
        [{**SHOWN, "id": str(n)} for n in range(30)] + [{"clear": True}, {**UPDATE, "id": "0"}] * 30,
        [{**SHOWN, "id": str(n)} for n in range(30)]
        + [part for n in range(30) for part in ({"clear": True}, {**UPDATE, "id": str(n)})],
        [{**SHOWN, "id": str(n)} for n in range(30)]
        + [part for n in range(30) for part in ({"clear": True}, {"stream": 7}, {**UPDATE, "id": str(n)})],
        [{**SHOWN, "display": {"text/plain": "x" * 5_000}, "clear": 7}] * 30,
        [{"stream": "stdout", "text": "x" * 5_000, "clear": "x"}] * 30,
    ],
)
def test_no_message_shows_more_than_there_is_room_for(messages):
    """Many places of one display that are updated at once, room that is made and not used, messages of two kinds."""
    assert size(*messages) < 20_000


def test_cleared_outputs_make_room_once_the_next_one_comes():
    shown = {"stream": "stdout", "text": "x" * 5_000}
    outputs = Outputs("1", 10_000)
    for message in [shown, {"clear": True}, shown, {"clear": True}, shown]:
        outputs.take(message)
    assert [len(output.text) for output in outputs.cell.outputs] == [5_000]
    outputs.take({"clear": True})
    assert [len(output.text) for output in outputs.cell.outputs] == [5_000]
    outputs.take({"clear": False})
    assert outputs.cell.outputs == []


@pytest.mark.parametrize(
    "key", ["stream", "text", "display", "update", "result", "metadata", "id", "count", "clear", "cut"]
)
def test_arrays_in_any_place_are_looked_at_and_not_compared(key):
    whole = {"stream": "stdout", "text": "x", "display": {}, "metadata": {}, "id": "x"}
    for value in (torch.ones(2).numpy(), torch.ones(2), torch.ones(2, 2).numpy() > 0):
        executed({**whole, key: value}, {key: value})


LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.sampled_from([torch.ones(2), torch.ones(2).numpy(), Handle(3, "Tensor")])
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KIND = st.sampled_from(
    ["text/plain", "image/png", "application/json", "a+json", "application/x+json", "json", "", "\n"]
)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "stream": st.sampled_from(["stdout", "stderr"]) | VALUE,
        "text": st.text(max_size=5) | VALUE,
        "display": st.dictionaries(KIND, VALUE, max_size=4) | VALUE,
        "update": st.dictionaries(KIND, VALUE, max_size=4) | VALUE,
        "result": st.dictionaries(KIND, VALUE, max_size=4) | VALUE,
        "metadata": st.dictionaries(st.text(max_size=5), VALUE, max_size=3) | VALUE,
        "id": st.sampled_from(["x", "y"]) | VALUE,
        "count": VALUE,
        "clear": VALUE,
    },
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(messages=st.lists(MESSAGE, max_size=5))
def test_any_messages_make_a_valid_cell(messages):
    cell = executed(*messages)
    assert "NaN" not in json.dumps(cell) and cell.cell_type == "code"
