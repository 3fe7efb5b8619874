"""The outputs of a cell, put together from what an untrusted kernel tells."""

import json
from typing import Any

from nbformat import NotebookNode, from_dict

# What is kept of an exception's name and text, whatever there is room for.
SHORT = 2_000


class Outputs:
    """Collects messages into `cell`; keeps at most `limit` characters. What is malformed is left out."""

    def __init__(self, source: str, limit: int) -> None:
        self.cell = _node(cell_type="code", source=source, metadata={}, outputs=[], execution_count=None)
        self._limit = limit
        self._room = limit
        self._clear_before_next = False
        self._displayed: dict[str, list[NotebookNode]] = {}

    def take(self, message: dict[str, Any]) -> None:
        """Take one message, as shell.py describes them."""
        if self._room < 0:
            if "clear" not in message:
                return
        elif "clear" not in message:
            self._room -= (200 + len(str(message))) * self._shown_in(message)
            if self._room < 0 or "cut" in message:
                self._room = -1
                self._add(_output("stream", name="stderr", text=self._note()))
                return
        match message:
            case {"stream": "stdout" | "stderr" as name, "text": str(text)}:
                self._stream(name, text)
            case {"display": dict(data), "metadata": dict(metadata)} if _is_bundle(data):
                output = _output("display_data", data=_bundle(data), metadata=metadata)
                self._add(output)
                if isinstance(message.get("id"), str):
                    self._displayed.setdefault(message["id"], []).append(output)
            case {"update": dict(data), "metadata": dict(metadata), "id": str(display)} if _is_bundle(data):
                for output in self._displayed.get(display, ()):
                    output["data"], output["metadata"] = _bundle(data), metadata
            case {"result": dict(data), "metadata": dict(metadata)} if _is_bundle(data):
                count = message.get("count") if type(message.get("count")) is int else None
                self._add(_output("execute_result", data=_bundle(data), metadata=metadata, execution_count=count))
            case {"clear": bool(wait)}:
                self._room = self._limit
                self._clear_before_next = wait
                if not wait:
                    self.cell.outputs.clear()

    def _shown_in(self, message: dict[str, Any]) -> int:
        """How many outputs will hold what a message shows."""
        display = message.get("id") if "update" in message else None
        return max(len(self._displayed.get(display, ())), 1) if isinstance(display, str) else 1

    def show_error(self, name: str, text: str, traceback: str) -> None:
        """Add the exception that ended the cell, as far as there is room."""
        room = max(self._room, SHORT)
        if len(traceback) > room:
            traceback = traceback[:room] + "\n" + self._note()
        self._add(_output("error", ename=name[:SHORT], evalue=text[:SHORT], traceback=traceback.splitlines()))

    def _add(self, output: NotebookNode) -> None:
        if self._clear_before_next:
            self.cell.outputs.clear()
            self._clear_before_next = False
        self.cell.outputs.append(output)

    def _stream(self, name: str, text: str) -> None:
        last = self.cell.outputs[-1] if self.cell.outputs and not self._clear_before_next else None
        if last is not None and last["output_type"] == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self._add(_output("stream", name=name, text=text))

    def _note(self) -> str:
        return f"[more than {self._limit} characters of output: the rest is left out]\n"


def _output(kind: str, **content: Any) -> NotebookNode:
    """As nbformat's new_output, without its validation, which would take longer than many a cell."""
    return _node(output_type=kind, **content)


def _node(**content: Any) -> NotebookNode:
    node: NotebookNode = from_dict(content)  # type: ignore[no-untyped-call]  # nbformat has no types here
    return node


def _is_bundle(data: dict[str, Any]) -> bool:
    return all(isinstance(value, str | list | dict | int | float | bool | None) for value in data.values())


def _bundle(data: dict[str, Any]) -> dict[str, Any]:
    """As nbformat wants it: text, but for JSON."""
    return {
        kind: value if isinstance(value, str) or kind.endswith("json") else json.dumps(value, default=str)
        for kind, value in data.items()
    }
