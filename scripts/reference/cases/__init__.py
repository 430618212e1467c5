"""The checkpoints that the parity tests run on: one `Case` per line of risk, one file per group of families.

Sizes are odd on purpose (widths that are no power of two, prime vocabularies): a transposed or padded tensor
must not pass by luck. `config` is written to config.json verbatim, so a case also fixes which spelling of the
keys (legacy or nested) the loader has to read.
"""

from dataclasses import replace

from . import (
    alibi,
    apertus,
    experts,
    flags,
    older,
    gemma,
    gpt,
    gpt_neox,
    latent,
    llama,
    mistral,
    modern,
    opt,
    partial_rotary,
    phi3,
    qwen,
    remote,
    routed,
    rope_scaling,
    shared_experts,
    stacked_experts,
    wrapped,
)
from .case import PROMPT_LENGTHS, Case

# The first cases were seeded by their place in the list.
CASES = [replace(case, seed=1000 + i) for i, case in enumerate(llama.CASES + gpt_neox.CASES + llama.FUSED)]
CASES += mistral.CASES + gemma.CASES + apertus.CASES
CASES += gpt.CASES + opt.CASES + alibi.CASES + partial_rotary.CASES
CASES += experts.CASES + shared_experts.CASES + routed.CASES + stacked_experts.CASES + latent.CASES
CASES += qwen.CASES + phi3.CASES + modern.CASES + rope_scaling.CASES
CASES += flags.CASES + older.CASES + wrapped.CASES + remote.CASES

__all__ = ["CASES", "PROMPT_LENGTHS", "Case"]
