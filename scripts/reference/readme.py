"""tests/goldens/README.md, with one line per case."""

from cases import CASES, PROMPT_LENGTHS
from declared import table
from taps import FAMILIES

TEXT = """# Goldens

`<case>/` is a random checkpoint (`config.json`, safetensors) and `reference.json`: what transformers measures on it in
float64, one prompt at a time ({lengths} tokens). Made by `python scripts/reference/make_goldens.py`, which also
writes this file; the cases are `scripts/reference/cases/`, one file per group of families. Per prompt: `token_ids`
`[T]`, `top` (the five most probable next tokens after the last), and

{taps}
with L blocks, T tokens and H heads. `[L+1][T]` is the stream entering block 0, then after every block, before the final
norm.

float32 transformers stays within 6e-6 of every number (of the cosine and the shift absolutely, else relatively), and a switch
that a case is for moves some number by 1e-3 or more.

What the reference is, where the library leaves a choice:
- The last stream is what leaves the last block. The library's last hidden state is after the final norm, in every family.
- Every prompt runs alone, without padding: left padding shifts the positions of families that learn them (GPT-2,
  GPT-Neo, OPT).
- The library's own formulas, with float64 wherever it says float32 (`scripts/reference/float64.py`).
- Gemma's embedding factor is √d exactly; in bfloat16 the library rounds it (√3072 to 55.5).
- Norms on the stream itself (OPT-350m): the branches' writes are m − x and y − m, with m and y the outputs of the
  block's two norms, and their modules receive x and m. A model without a final norm has `final` = the norm of its last stream.
- Falcon's ALiBi is the library's default (sdpa): added once, divided by √d_head, slopes and slope × position rounded
  to bfloat16 whatever the dtype. Its eager path adds it twice.
- Attention probabilities are those of the library's eager attention; where a case measures sdpa, what sdpa mixes from
  the rows of the identity.
- GPT-Neo: `attention_layers` wins over `attention_types`. Gemma: `hidden_act` gelu means the tanh form.
- Families whose code lies on the hub (Baichuan, EXAONE 3, InternLM 2, MiniCPM, Qwen) are written anew from its mathematics in
  `remote.py`. Of models of images and text the text stack is measured, on text.
- gpt-oss: what attention gives to a sink goes to no token, and is not in `attn_off_diagonal`. LLaMA 4: an expert's score multiplies
  what it receives; what it gives has the weight 1.
- Phi-3.5 with experts keeps the short frequencies of longrope beyond its original context (the authors' code does not). DBRX turns
  by the base beside `attn_config`, the authors' code by the one inside: the cases have one base.
- dynamic rope is meant for prompts beyond `max_position_embeddings`; that case has one.

`weights.json` says what the weights of every case are (`make_weights.py`: values are probed from outside, so no layout is
assumed), `spectra.json` how the token vectors of several prompts lie in five of them (`make_spectra.py`).
`older_tokens.json` and `pieces/` are the ids of tokenizers without `tokenizer.json` (`make_older_tokens.py`, `make_pieces.py`),
`named_tokens.json` those of one beside files that name more tokens (`make_named_tokens.py`).
`stats*.json` hold results of SciPy, statsmodels and diptest (`make_stats*.py`); `../headers/` the
configs and tensor shapes of published models, the eight of the research and one of each further family (`make_headers.py`). `make goldens` remakes all.

Versions: `scripts/reference/requirements.txt`. Numbers are stored to 9 digits, which do not depend on the CPU.

## {count} cases of {families} families

| case | family | dtype | what it is for |
|---|---|---|---|
"""


def readme() -> str:
    families = {case.family for case in CASES}
    assert families == set(FAMILIES)
    lengths = ", ".join(str(n) for n in PROMPT_LENGTHS)
    text = TEXT.format(lengths=lengths, taps=table(), count=len(CASES), families=len(families))
    rows = sorted((case.family, case.name, case.dtype, case.notes) for case in CASES)
    return text + "".join(f"| {name} | {family} | {dtype} | {notes} |\n" for family, name, dtype, notes in rows)
