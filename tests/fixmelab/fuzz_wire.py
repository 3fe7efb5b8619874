"""Fuzzes the wire, guided by coverage: `python fuzz_wire.py TARGET -runs=200000 [options of libFuzzer] [CORPUS]`.

Ends with an error at the first bytes that break the target's property, and leaves them in a file crash-*.
"""

import sys
import tempfile
from pathlib import Path

import atheris

# Before anything else imports them: what is instrumented is seen by the fuzzer.
with atheris.instrument_imports(
    include=["fixmelab.judged.wire", "autograder.judge.student", "autograder.judge.judging", "autograder.judge.server"]
):
    import wire_properties

TARGETS = {
    "decode": wire_properties.decode_gives_a_plain_value_or_a_wire_error,
    "reply": wire_properties.a_reply_is_a_value_or_says_what_is_wrong,
}


def main(name: str, *options: str) -> None:
    if name == "greeting":
        greetings = wire_properties.Greetings()
        TARGETS[name] = greetings.are_turned_away
    with tempfile.TemporaryDirectory(prefix="fuzz-") as corpus:
        for number, seed in enumerate(wire_properties.seeds()):
            (Path(corpus) / f"{number:02}").write_bytes(seed)
        atheris.Setup([sys.argv[0], *options, corpus], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
