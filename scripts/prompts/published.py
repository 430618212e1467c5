"""Write the prompt sets of the published prompts (experiments/prompts) from data/published/prompts.csv.

Needs nothing but Python. Ids are those of the published tables, so that measured and published numbers of one prompt
meet under one id.
"""

import csv
import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
ORIGIN = "buk81/uniformity-asymmetry (MIT), commit e3c7f94, paper3"

# Set in prompts.csv: id here, title, notebooks. Where the publication gave no category, it is Statement.
SETS = {
    "pythia25": ("pythia25", "The 25 prompts of the Pythia family sweep", "Pythia_Family_Residual_Gain_Sweep notebook"),
    "ffn8_1.4b": ("ffn8", "The eight prompts of the FFN expansion analysis of Pythia-1.4B", "FFN_Expansion_Analysis notebook"),
    "ffn8_6.9b": (
        "ffn8_6.9b",
        "The eight prompts of the FFN expansion analysis of Pythia-6.9B",
        "FFN_Expansion_Pythia6.9B notebook",
    ),
    "scaling4": ("scaling4", "The four prompts of the scaling law over Pythia sizes", "Scaling_Law_Multi_Pythia notebook"),
    "sheaf4": ("sheaf4", "The four prompts of the sheaf Laplacian tests", "H4_Sheaf_Laplacian and H4_v2 notebooks"),
    "lstar5": ("lstar5", "The five prompts of the L* tests", "L_Star_Cross_Heritage notebooks"),
}


def main():
    with (ROOT / "data/published/prompts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for published, (id, title, notebooks) in SETS.items():
        text = (
            "#:schema ../schemas/prompts.schema.json\n# Written by scripts/prompts/published.py.\nschema = 1\n"
            f'id = "{id}"\ntitle = "{title}"\nsource = "{ORIGIN}: {notebooks}"\n'
        )
        for row in rows:
            if row["prompt_set"] == published:
                category = row["category"] or "Statement"
                text += f'\n[[prompt]]\nid = "{row["prompt_id"]}"\ncategory = "{category}"\n'
                text += f'text = {json.dumps(row["text"], ensure_ascii=False)}\n'
        (ROOT / f"experiments/prompts/{id}.toml").write_text(text)


if __name__ == "__main__":
    main()
