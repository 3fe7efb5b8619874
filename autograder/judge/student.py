"""The judge's side of a student's objects: calls go over the wire, only plain values come back."""

import contextlib
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, overload

from torch import Tensor
from torch.nn import Module

from autograder.judge.borrowing import Borrowing, Twin
from autograder.judge.draw import Draw
from autograder.judge.lending import Answer, Lender
from autograder.judge.verdict import AnswerRaised, ExpectationFailed
from fixmelab.judged import wire
from fixmelab.judged.probe import Probe
from fixmelab.judged.toys import LENT

MOST_BYTES = 2**28  # of all replies of a session together
MOST_REMOTES = 5_000  # objects that stay with the student
MOST_PARAMETERS = 10_000
MOST_KIND, MOST_TEXT = 100, 2_000  # characters of an exception's, which many a pattern is looked for in

Transcript = list[tuple[str, Any]]  # what was asked, and what came back


class Channel(Protocol):
    """Carries a request body to the student's process and brings the reply body; `answer` answers its questions, and
    may call functions of the student's meanwhile."""

    def __call__(self, body: bytes, answer: Answer) -> bytes: ...


def in_this_process(answer: Any, serve: type[Probe] = Probe, names: dict[str, Any] | None = None) -> Channel:
    """A channel to an answer that lives here, served by a probe: trusted code only. `names` are its notebook's."""
    answers: list[Answer] = []
    probe = serve(answer, lambda question, called: answers[-1](question, called), *([] if names is None else [names]))

    def ask(body: bytes, answer: Answer) -> bytes:
        answers.append(answer)
        try:
            return probe.reply(body)
        finally:
            answers.pop()

    return ask


def over_socket(connection: socket.socket, deadline: float) -> Channel:
    """A channel to the other end of `connection`; `deadline` (time.monotonic) bounds the whole session."""

    def ask(body: bytes, answer: Answer) -> bytes:
        while True:
            connection.settimeout(max(deadline - time.monotonic(), 1e-3))
            wire.send(connection, body)
            reply = wire.receive(connection, deadline)
            if reply is None:
                raise wire.WireError("the connection closed before the check was complete")
            if not wire.is_question(reply):
                return reply
            body = answer(reply, lambda call: ask(call, answer))

    return ask


class Target:
    """Something of the student's that can be called: a function, an object, or a method by its name."""

    def __init__(self, session: "StudentSession", number: int, kind: str, name: str = "") -> None:
        self._session = session
        self._handle = wire.Handle(number, kind)
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it; tensors, numbers and lists come back by value, anything else as a Remote."""
        return self._session.call(self._handle, self._name, args, kwargs, kept=False)

    def elsewhere(self, *args: Any, **kwargs: Any) -> None:
        """Call it as if its arguments lay on another device than new tensors do. Raises AnswerRaised, of the kind
        "OtherDevice" if they meet."""
        self._session.elsewhere(self._handle, self._name, args, kwargs)

    def kept(self, *args: Any, **kwargs: Any) -> "Remote":
        """Call it and leave the result in the student's process."""
        made: Remote = self._session.call(self._handle, self._name, args, kwargs, kept=True)
        return made

    @overload
    def gradient(
        self, *args: Any, wrt: Sequence[int], weights: Sequence[Tensor | float | None] = ..., **kwargs: Any
    ) -> list[Tensor | None]: ...

    @overload
    def gradient(
        self, *args: Any, wrt: "Remote | Module", weights: Sequence[Tensor | float | None] = ..., **kwargs: Any
    ) -> list[float | None]: ...

    def gradient(
        self,
        *args: Any,
        wrt: "Sequence[int] | Remote | Module",
        weights: Sequence[Tensor | float | None] = (1.0,),
        **kwargs: Any,
    ) -> list[Any]:
        """Gradient of Σ_k <weights[k], output[k]>, by the arguments numbered in `wrt`.

        If `wrt` is a module, the student's or one that was lent: the size of the largest entry for each of its
        parameters. A weight of None leaves an output out. None in the list: no graph leads to that argument or
        parameter.
        """
        return self._session.gradient(self._handle, self._name, args, kwargs, wrt, weights)


class Remote(Target):
    """An object of the student's process. `remote.name(...)` calls a method; `kind` is its type's name."""

    @property
    def kind(self) -> str:
        """The name of the object's type."""
        return self._handle.kind

    def __getattr__(self, name: str) -> Target:
        if name.startswith("_"):
            raise AttributeError(name)
        return Target(self._session, self._handle.number, self._handle.kind, name)

    def attribute(self, name: str) -> Any:
        """Read an attribute; a tuple or list that has none of that name gives a list of its items'."""
        return self._session.ask({"op": "attribute", "target": self._handle, "name": name}, f"attribute {name}")

    def assign(self, name: str, value: Any) -> None:
        """Set an attribute, for example a method that a toy is to stand in for."""
        self._session.ask({"op": "assign", "target": self._handle, "name": name, "value": value}, f"assign {name}")
        if (twin := self._session.twins.get(self._handle.number)) and not isinstance(value, Remote):
            twin.assign(name, value)

    def redraw(self) -> bool:
        """Draw a module's matrices anew, so that no verdict hangs on how they were initialised. Tells whether all were
        there: lazy layers come into being when they are first called."""
        seed = self._session._draw.seed()
        if twin := self._session.twins.get(self._handle.number):
            twin.redraw(seed)
        return self._session.ask({"op": "redraw", "target": self._handle, "seed": seed}, "redraw") is not False

    def parameters(self) -> list[tuple[str, tuple[int, ...]]]:
        """Names and shapes of a module's parameters, in the order of `gradient(wrt=module)`."""
        found = self._session.ask({"op": "parameters", "target": self._handle}, "parameters")
        match found:
            case list() if len(found) <= MOST_PARAMETERS and all(map(_is_parameter, found)):
                return [(name, tuple(shape)) for name, shape in found]
        raise wire.WireError("the frame is not a list of parameters")

    def nudge(self, name: str) -> None:
        """Add noise to one of a module's parameters, large enough to be seen in what it computes."""
        seed = self._session._draw.seed()
        self._session.ask({"op": "nudge", "target": self._handle, "name": name, "seed": seed}, f"nudge {name}")

    def render(self, pixels: int) -> Any:
        """A figure as pixels, `pixels` on its longer side, and where pictures lie in it: fixmelab.judged.rendered."""
        return self._session.ask({"op": "render", "target": self._handle, "pixels": pixels}, "render")

    def make(self, name: str, *args: Any) -> "Remote":
        """Make one of fixmelab.judged.toys.MADE in the student's process."""
        made: Remote = self._session.ask({"op": "make", "name": name, "args": list(args)}, f"make {name}")
        return made

    def drop(self) -> None:
        """Let the student's process forget this object."""
        self._session.ask({"op": "drop", "number": self._handle.number}, "drop")


class StudentSession:
    """One conversation with a student's process, and its transcript: what was asked and what came back.

    `on_reply` is told the number and the transcript line of each reply, `on_ask` each request and its label; what is
    lent in the place of other answers is none of that.
    """

    def __init__(self, channel: Channel, draw: Draw) -> None:
        self._channel = channel
        self._draw = draw
        self._borrowing: Borrowing | None = None
        self.twins: dict[int, Twin] = {}  # of the student's objects, by their handles
        self._lender = Lender()
        self._bytes = self._remotes = 0
        self.transcript: Transcript = []
        self.on_reply: Callable[[int, tuple[str, Any]], None] = lambda number, line: None
        self.on_ask: Callable[[dict[str, Any], str], None] = lambda request, label: None

    def borrow(self, borrowing: Borrowing) -> None:
        """From now on, lend the course's answers to other exercises in the place of the student's.

        Raises WireError if the student's process does not take them.
        """
        self._borrowing = borrowing
        if functions := borrowing.functions():
            self._told({"op": "replace", "names": functions})

    def give_back(self) -> None:
        """Let the student's process have its own answers again, if others have taken their place."""
        if self._borrowing is not None:
            self._borrowing = None
            with contextlib.suppress(wire.WireError):  # then the process ends what it serves, and does so itself
                self._told({"op": "put_back"})

    def ask(
        self, request: dict[str, Any], label: str, after: Callable[[dict[str, Any]], None] = lambda reply: None
    ) -> Any:
        """Send a request and return the reply's value; Remotes in a request travel as their handles, toys are lent.

        Raises AnswerRaised for an exception of the student's, WireError for a reply that is none.
        """
        self.on_ask(request, label)
        reply = self._told(request)
        match reply:
            case {"error": {"type": str(kind), "text": str(text), "where": str(where)}}:
                kind = kind[:MOST_KIND]
                self.note(label, kind)
                raise AnswerRaised(kind, text[:MOST_TEXT], where[:MOST_TEXT])
            case {"value": value}:
                self.note(label, value)
                after(reply)
                return value
        raise wire.WireError("the frame is not a reply")

    def _told(self, request: dict[str, Any]) -> Any:
        """The reply to a request. Raises WireError for one that cannot be read, or is one too many."""
        body = wire.encode(request, self._handle_of)
        frame = self._channel(body, self._lender.answer)
        self._bytes += len(frame)
        if self._bytes > MOST_BYTES:
            raise wire.WireError(f"it takes more than {MOST_BYTES >> 20} MB in all")
        return wire.decode(frame, self._remote)

    def _handle_of(self, item: Any) -> wire.Handle | wire.Lent:
        if isinstance(item, Remote):
            return item._handle
        if type(item).__name__ in LENT:
            return self._lender.lend(item)
        raise wire.WireError(f"a check may not send a {type(item).__name__}")

    def _remote(self, found: wire.Handle) -> Remote:
        self._remotes += 1
        if self._remotes > MOST_REMOTES:
            raise wire.WireError(f"it holds more than {MOST_REMOTES} objects")
        return Remote(self, found.number, found.kind)

    def note(self, label: str, said: Any) -> None:
        self.transcript.append((label, said))
        self.on_reply(len(self.transcript) - 1, self.transcript[-1])

    def call(self, handle: wire.Handle, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], kept: bool) -> Any:
        request = {"op": "call", "target": handle, "name": name, "args": list(args), "kwargs": kwargs}
        request |= {"seed": self._draw.seed(), "kept": kept}
        twin = self._twin(args, kwargs) if not (handle.number or name) else None
        if twin and twin.state is not None:
            request = {"op": "endow", "target": handle, "methods": {}, "own": [], "state": dict(twin.state)}
        made = self.ask(request, f"call {name}", _require_unchanged_arguments)
        if twin and isinstance(made, Remote):
            self.twins[made._handle.number] = twin
            request = {
                "op": "endow",
                "target": made,
                "methods": dict(twin.methods),
                "own": list(twin.own),
                "state": None,
            }
            self._told(request)
        return made

    def _twin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Twin | None:
        """What the course makes of the same arguments; nothing if they are the student's, or are refused."""
        if self._borrowing is None or any(isinstance(one, Remote) for one in (*args, *kwargs.values())):
            return None
        with contextlib.suppress(Exception):
            return self._borrowing.twin(args, kwargs)
        return None

    def elsewhere(self, handle: wire.Handle, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        request = {"op": "elsewhere", "target": handle, "name": name, "args": list(args), "kwargs": kwargs}
        self.ask(request | {"seed": self._draw.seed()}, f"elsewhere {name}")

    def gradient(
        self,
        handle: wire.Handle,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        wrt: Sequence[int] | Remote | Module,
        weights: Sequence[Tensor | float | None],
    ) -> list[Any]:
        request = {"op": "gradient", "target": handle, "name": name, "args": list(args), "kwargs": kwargs}
        request |= {"seed": self._draw.seed(), "weights": list(weights)}
        wanted: type = float if isinstance(wrt, Remote | Module) else Tensor
        request["wrt"] = wrt if isinstance(wrt, Remote | Module) else list(wrt)
        value = self.ask(request, f"gradient {name}")
        if not isinstance(value, list) or not all(item is None or isinstance(item, wanted) for item in value):
            raise wire.WireError("the frame is not a list of gradients")
        if wanted is Tensor:
            of = [args[place] for place in wrt] if not isinstance(wrt, Remote | Module) else []
            if len(value) != len(of) or not all(map(_is_gradient_of, value, of)):
                raise wire.WireError("the frame holds gradients of another shape or dtype than the arguments")
        return value


def _is_parameter(item: object) -> bool:
    """Name and shape of one."""
    match item:
        case [str(), list(shape)]:
            return all(type(size) is int and size >= 0 for size in shape)
    return False


def _is_gradient_of(gradient: Tensor | None, argument: Tensor) -> bool:
    return gradient is None or (gradient.shape == argument.shape and gradient.dtype == argument.dtype)


def _require_unchanged_arguments(reply: dict[str, Any]) -> None:
    if isinstance(reply.get("changed"), list) and reply["changed"]:
        raise ExpectationFailed(
            "It changes one of its arguments in place (an operation such as x += …, x.clamp_() or x.requires_grad_()): "
            "work on a new tensor, since the caller still needs the old one.",
            mistake="changes_its_argument",
        )


def student_of(channel: Channel, draw: Draw) -> tuple[Remote, StudentSession]:
    """The student's answer behind a channel, and the session that records what it says."""
    session = StudentSession(channel, draw)
    return Remote(session, 0, "answer"), session
