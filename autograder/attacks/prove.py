"""Proves that attacks do not work: grades each of the corpus as any submission is, and looks at what it got.

It is graded in the sandbox, but for tight limits, and after it, or after some one by one, an honest submission, the
witness. An attack is held if it earns no point above what is deserved, changes nothing outside, leaves nothing running,
the witness gets the same as alone, a result or one clear line comes out, and nothing secret in it.

If the witness gets something else after some attacks, each of them is tried once more with the witness right after it.
"""

import multiprocessing
import signal
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty
from typing import Any, Literal

from autograder.attacks import verdicts
from autograder.attacks.corpus import CORPUS, Archive, Attack, attacks
from autograder.attacks.graders import finish
from autograder.attacks.ground import SETTLE_SECONDS, Ground
from autograder.errors import InputError, SandboxError
from autograder.sandbox.layers import require_sandbox
from fixmelab.executing.process_state import on_one_thread

TRIED_TOGETHER = 8  # attacks in one zygote, after which the witness is graded


@dataclass(frozen=True)
class Outcome:
    """What came of an attack in `seconds`. `reason` says what it got, if it was not held."""

    name: str
    tries: str
    verdict: Literal["held", "broken"]
    reason: str = ""
    seconds: float = 0.0


def prove_attacks(
    *,
    jobs: int,
    on_attack: Callable[[Outcome], None] = lambda outcome: None,
    folder: Path = CORPUS,
    names: Collection[str] | None = None,
    sandbox: bool = True,
) -> list[Outcome]:
    """Try the attacks in `folder`, those called `names` or all, on `jobs` grounds side by side; none of them runs
    outside the sandbox unless `sandbox` says so, which is for harmless ones that show what is noticed.

    `on_attack` is told each outcome as it is there; the list is ordered by name.

    Raises SandboxError if the sandbox does not work, InputError if an attack is not written as it must be or there is
    none of a name.
    """
    there = [attack.name for attack in attacks(folder)]
    if unknown := sorted(set(names or ()) - set(there)):
        raise InputError(f"there is no attack {unknown[0]!r}: a name is that of a file or function in {folder}")
    wanted = [name for name in there if names is None or name in names]
    if sandbox:
        require_sandbox()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    waiting, done = context.Queue(), context.Queue()
    for name in wanted:
        waiting.put(name)
    workers = [
        context.Process(target=_try_attacks, args=(folder, sandbox, waiting, done))
        for _ in range(min(jobs, len(wanted)))
    ]
    for worker in workers:
        waiting.put(None)
        worker.start()
    outcomes: list[Outcome] = []
    try:
        while len(outcomes) < len(wanted):
            try:
                outcome = done.get(timeout=1)
            except Empty:
                if not any(worker.is_alive() for worker in workers) and done.empty():
                    raise SandboxError("the processes that try the attacks have ended before they were done") from None
                continue
            if isinstance(outcome, Exception):
                raise outcome
            outcomes.append(outcome)
            on_attack(outcome)
        for worker in workers:
            worker.join(SETTLE_SECONDS)
    finally:
        for worker in workers:
            worker.kill()
            worker.join()
    return sorted(outcomes, key=lambda outcome: outcome.name)


def _try_attacks(folder: Path, sandbox: bool, waiting: Any, done: Any) -> None:
    """Try attacks until there are none left; what goes wrong with the grading itself is told as an exception."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    on_one_thread()
    asking = multiprocessing.parent_process()
    assert asking is not None, "this is the work of a process of its own"
    try:
        corpus = {attack.name: attack for attack in attacks(folder)}
        with Ground(sandbox=sandbox) as ground:
            together: list[Outcome] = []
            # If who asked is gone, nobody is left to end this process.
            while (name := waiting.get()) is not None and asking.is_alive():
                together.append(_outcome(corpus[name], ground))
                if len(together) == TRIED_TOGETHER:
                    _tell(done, _witnessed(together, corpus, ground))
                    together = []
            _tell(done, _witnessed(together, corpus, ground))
    except (InputError, SandboxError) as error:
        done.put(error)
    except Exception as error:
        done.put(SandboxError(f"an attack could not be tried ({type(error).__name__}: {error})"))


def _tell(done: Any, outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        done.put(outcome)


def _witnessed(together: list[Outcome], corpus: dict[str, Attack | Archive], ground: Ground) -> list[Outcome]:
    """The outcomes of attacks, one after the other, and of the witness after them: if it gets something else than
    alone, each attack is tried again by itself, and the last is to blame if none of them is."""
    changed = _changed_after(ground) if together else ""
    if not changed:
        return together
    singly, is_found = [], False
    for before in together:
        ground.start_zygote()
        outcome, then = _outcome(corpus[before.name], ground), _changed_after(ground)
        singly.append(_blamed(outcome, then))
        is_found = is_found or bool(then)
    if not is_found:
        singly[-1] = _blamed(singly[-1], f"{', '.join(one.name for one in together)} together: {changed}")
    return singly


def _blamed(outcome: Outcome, reason: str) -> Outcome:
    """The outcome with a reason more, if there is any."""
    reasons = "; ".join(filter(None, (outcome.reason, reason)))
    return replace(outcome, verdict="broken", reason=reasons) if reason else outcome


def _changed_after(ground: Ground) -> str:
    return _printable("; ".join(verdicts.found_in_witness(finish(ground.begin_witness()), ground.alone, "after it")))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _outcome(attack: Attack | Archive, ground: Ground) -> Outcome:
    began = time.monotonic()
    try:
        reasons = list(_reasons(attack, ground))
    except Exception as error:
        reasons = [f"what it got could not be looked at ({type(error).__name__}: {str(error)[:200]})"]
    shown = _printable("; ".join(reasons))
    verdict: Literal["held", "broken"] = "broken" if reasons else "held"
    return Outcome(attack.name, attack.tries, verdict, shown, time.monotonic() - began)


def _reasons(attack: Attack | Archive, ground: Ground) -> Iterator[str]:
    """What the attack got, one thing after the other."""
    beside = ground.begin_witness() if attack.name.startswith("harm/") else None
    graded = ground.graded(attack)
    if isinstance(attack, Attack):
        yield from verdicts.found_in_submission(attack, graded)
    else:
        yield from verdicts.found_in_archive(attack, graded, ground.deserved)
    if beside is not None:
        yield from verdicts.found_in_witness(finish(beside), ground.alone, "beside it")
    yield from ground.left_running()
    yield from verdicts.found_in_output(graded, ground)
    yield from ground.changed_outside()
