"""What the bench runs: streamgauge and every peer at every setting, each a command.

A row is measured on CHECKPOINT's prompts with a scratch folder of its own. Peers' settings: bfloat16 and float32; one
padded batch, or three of similar length (less padding, three passes over the weights); transformers also one prompt at
a time, as people write it.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
DTYPES = ("float32", "bfloat16")
OURS = "streamgauge"
BATCHES = {1: "one batch", 3: "three batches by length", 25: "one by one"}


class Row(NamedTuple):
    label: str
    program: str  # the peer's name, or streamgauge
    dtype: str
    batches: int = 0
    known: str = ""  # of a run before: "hash" of the checkpoint alone, or "all" that is asked for
    own: bool = True  # false: all products by the runtime, with weights widened beforehand

    def command(self, program: Path, checkpoint: Path, scratch: Path) -> list:
        if self.program != OURS:
            script = HERE / f"peer_{self.program}.py"
            return [sys.executable, script, checkpoint, "--dtype", self.dtype, "--batches", self.batches]
        command = measured(program, checkpoint, scratch, json.loads((checkpoint / "bench_prompts.json").read_text()))
        return command if self.own else ["env", "STREAMGAUGE_PRODUCTS=runtime", *command]

    def before(self, program: Path, checkpoint: Path, scratch: Path) -> list | None:
        """The run that leaves what is known, if anything is."""
        if self.known == "hash":
            return measured(program, checkpoint, scratch, [[1, 2, 3]])  # no prompt of the bench
        return self.command(program, checkpoint, scratch) if self.known else None

    def bytes_needed(self, parameters: int) -> int:
        """The least memory that the row can do with: weights that a peer widens are its own, weights in the
        checkpoint's precision are mapped, and streamgauge widens one part at a time."""
        return 4 * parameters if self.program != OURS and self.dtype == "float32" else 0


def measured(program: Path, checkpoint: Path, store: Path, prompts: list) -> list:
    tokens = [word for ids in prompts for word in ("--tokens", ",".join(map(str, ids)))]
    return [program, "measure", checkpoint, "--store", store, "--quiet", "--json", *tokens]


def rows(quick: bool = False) -> list[Row]:
    """All rows; quick: every program and precision, in one batch."""
    out = [
        Row(OURS, OURS, "float32"),
        Row(f"{OURS}, products by the runtime", OURS, "float32", own=False),
    ]
    out += [
        Row(f"{OURS}, {label}", OURS, "float32", known=known)
        for known, label in [("hash", "other prompts before"), ("all", "all stored before")]
    ]
    for program, name, batches in [
        ("transformers", "transformers", (1, 3, 25)),
        ("transformer_lens", "TransformerLens", (1, 3)),
        ("nnsight", "nnsight", (1, 3)),
    ]:
        for dtype in DTYPES:
            for count in batches:
                if count == 1 or (not quick and (count < 25 or dtype == "float32")):
                    out.append(Row(f"{name} {dtype}, {BATCHES[count]}", program, dtype, count))
    return out
