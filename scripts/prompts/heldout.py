"""Write experiments/prompts/heldout120.toml: the sentences of heldout.txt, each cut after a random number of words.

Needs nothing but Python; the same sentences and seed give the same file on every version (`random.random` is fixed).
"""

import json
import random
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / "experiments/prompts/heldout120.toml"
SEED = 20260101
FEWEST = 3  # words that are left

HEAD = """#:schema ../schemas/prompts.schema.json
# Written by scripts/prompts/heldout.py. Categories are those of grand25 where a sentence is of that kind, else Natural. All
# fit the zoo models' context of 128 tokens.
schema = 1
id = "heldout120"
title = "120 English sentences cut at random words"
source = "written for this project, scripts/prompts/heldout.txt; not in the zoo models' corpus"
"""


def main():
    draw = random.Random(SEED)
    text = HEAD
    for number, line in enumerate((HERE / "heldout.txt").read_text().splitlines(), 1):
        category, sentence = line.split(": ", 1)
        words = sentence.split(" ")
        kept = FEWEST + int(draw.random() * (len(words) - FEWEST + 1))  # all of them at most
        cut = " ".join(words[:kept])
        text += f'\n[[prompt]]\nid = "heldout-{number:03}"\ncategory = "{category}"\ntext = {json.dumps(cut)}\n'
    TARGET.write_text(text)


if __name__ == "__main__":
    main()
