"""Write experiments/prompts/long_ladders.toml: each text of long.txt cut after growing numbers of words.

Needs nothing but Python. In long.txt a line that says what a text is stands before it; blanks and line ends are single blanks.
"""

import json
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / "experiments/prompts/long_ladders.toml"
LENGTHS = [32, 64, 96, 128, 160, 192, 256, 320, 384, 448, 512, 640]

HEAD = """#:schema ../schemas/prompts.schema.json
# Written by scripts/prompts/long.py. What a Frobenius gain does in long texts; the miniatures' context of 128 tokens is too short.
schema = 1
id = "long_ladders"
title = "Three long texts, each cut to growing lengths, 32 to 640 words"
source = "Alice's Adventures in Wonderland, As You Like It and Paradise Lost as Project Gutenberg has them (public domain), scripts/prompts/long.txt"
context = 1024
"""


def main():
    text = HEAD
    lines = (HERE / "long.txt").read_text().splitlines()
    for title, words in zip(lines[::2], lines[1::2]):
        name = title.split(",")[0]
        for length in LENGTHS:
            cut = " ".join(words.split(" ")[:length])
            slug = name.split(" ")[0].split("'")[0].lower()
            text += f'\n[[prompt]]\nid = "{slug}-{length:03}"\ncategory = "Ladder, {name}"\ntext = {json.dumps(cut)}\n'
    TARGET.write_text(text)


if __name__ == "__main__":
    main()
