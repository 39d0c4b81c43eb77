"""The fixed inputs, and the transcript on stdout; as ../transcript.mjs for the suites in JavaScript."""

import json
import os
import traceback
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

CLIENTS = Path(__file__).parent.parent
SCENARIO = json.loads((CLIENTS / "scenario.json").read_text())


def artifact(name):
    """The ABI and the bytecode of a contract."""
    compiled = json.loads((CLIENTS / f"../contracts/artifacts/{name}.json").read_text())
    return {"abi": compiled["abi"], "bytecode": compiled["bytecode"]["object"]}


SET = ["Asset", "Registry", "Proposals", "Governance", "Issuer", "RewardDistributor", "Expect", "Rollup"]
# All events and errors, each once.
EVERYTHING = list({json.dumps(item): item for name in SET for item in artifact(name)["abi"] if item["type"] in ("event", "error")}.values())


def plain(value):
    """A value as JSON has it; integers as text, since they can exceed what a reader of JSON keeps."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@contextmanager
def step(name):
    """Prints a line about a step: its name, and what was put into the dictionary. A step that raises is part of the transcript, too."""
    seen = {}
    line = {"step": name, "seen": seen}
    try:
        yield seen
    except Exception as error:
        line["failed"] = f"{type(error).__name__}: {error}".split("\n")[0]
        if "TRACE" in os.environ:
            traceback.print_exc()
    print(json.dumps(line | {"seen": plain(seen)}), flush=True)


def some_hash(value):
    """What is shown for a hash that differs from node to node: whether it is one."""
    return "a hash" if isinstance(value, bytes) and len(value) == 32 else value


def refusal(call, *arguments, **options):
    """Calls a function and returns the exception that it raises, which is expected."""
    try:
        call(*arguments, **options)
    except Exception as error:
        return error
    raise AssertionError("expected a refusal, found success")
