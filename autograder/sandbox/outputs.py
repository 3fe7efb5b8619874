"""The outputs of a cell, put together from what an untrusted kernel tells."""

from typing import Any

from nbformat import NotebookNode, from_dict

from fixmelab.json_values import count_or_none, json_value, media_bundle

# What is kept of an exception's name and text, whatever there is room for.
SHORT = 2_000


class Outputs:
    """Collects messages into `cell`; keeps at most `limit` characters. What is malformed is left out."""

    def __init__(self, source: str, limit: int) -> None:
        self.cell = _node(cell_type="code", source=source, metadata={}, outputs=[], execution_count=None)
        self._limit = limit
        self._room = limit
        self._is_to_clear = False
        self._displayed: dict[str, list[NotebookNode]] = {}

    def take(self, message: dict[str, Any]) -> None:
        """Take one message, as shell.py describes them."""
        message = json_value(message)  # first of all: the comparison of an array, say, has no truth
        if "clear" in message:
            if isinstance(message["clear"], bool):
                self._is_to_clear = True
                if not message["clear"]:
                    self._clear_if_due()
            return
        updated = self._updated(message)
        if updated is None:
            self._clear_if_due()
        if self._room < 0:
            return
        # An update is shown in each place of its display.
        self._room -= (200 + len(str(message))) * max(len(updated or ()), 1)
        if self._room < 0 or "cut" in message:
            self._room = -1
            self.cell.outputs.append(_output("stream", name="stderr", text=self._note()))
            return
        match message:
            case {"stream": "stdout" | "stderr" as name, "text": str(text)}:
                self._stream(name, text)
            case {"display": dict(data), "metadata": dict(metadata)}:
                output = _output("display_data", data=media_bundle(data), metadata=metadata)
                self.cell.outputs.append(output)
                if isinstance(message.get("id"), str):
                    self._displayed.setdefault(message["id"], []).append(output)
            case {"update": dict(data), "metadata": dict(metadata)}:
                for output in updated or ():
                    output["data"], output["metadata"] = media_bundle(data), metadata
            case {"result": dict(data), "metadata": dict(metadata)}:
                content = {"data": media_bundle(data), "metadata": metadata}
                self.cell.outputs.append(
                    _output("execute_result", execution_count=count_or_none(message.get("count")), **content)
                )

    def show_error(self, name: str, text: str, traceback: str) -> None:
        """Add the exception that ended the cell, as far as there is room."""
        self._clear_if_due()
        room = max(self._room, SHORT)
        if len(traceback) > room:
            traceback = traceback[:room] + "\n" + self._note()
        self.cell.outputs.append(
            _output("error", ename=name[:SHORT], evalue=text[:SHORT], traceback=traceback.splitlines())
        )

    def _updated(self, message: dict[str, Any]) -> list[NotebookNode] | None:
        """The outputs that an update changes; None if the message is none."""
        if "update" not in message:
            return None
        display = message.get("id")
        return self._displayed.get(display, []) if isinstance(display, str) else []

    def _clear_if_due(self) -> None:
        """There is room again once the old outputs are gone, and not before."""
        if self._is_to_clear:
            self.cell.outputs.clear()
            self._displayed.clear()
            self._room, self._is_to_clear = self._limit, False

    def _stream(self, name: str, text: str) -> None:
        last = self.cell.outputs[-1] if self.cell.outputs else None
        if last is not None and last["output_type"] == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self.cell.outputs.append(_output("stream", name=name, text=text))

    def _note(self) -> str:
        return f"[more than {self._limit} characters of output: the rest is left out]\n"


def _output(kind: str, **content: Any) -> NotebookNode:
    """As nbformat's new_output, without its validation, which would take longer than many a cell."""
    return _node(output_type=kind, **content)


def _node(**content: Any) -> NotebookNode:
    node: NotebookNode = from_dict(content)  # type: ignore[no-untyped-call]  # nbformat has no types here
    return node
