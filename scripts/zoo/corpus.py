"""The corpus of data/zoo: a seeded stream of short documents, each of one kind.

Kinds differ in how predictable their last words are: facts and proverbs are fixed text, nested clauses and
stories fill slots from lists, speculation ends in one of dozens of words, and word salads are uniform draws.
So the entropy of a trained model must differ by kind, by construction and not by luck.
"""

import random

from facts import COUNTRIES, CURRENCIES, ELEMENTS, OTHER_FACTS, PROVERBS

NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()
ANIMALS = "dog cat fox bird fish mouse horse bear wolf rabbit".split()
NAMES = "Tom Anna Ben Lucy Max Emma Sam Mia Leo Ida".split()
THINGS = "ball book coin lamp key hat apple stone flower letter boat bell".split()
PLACES = "forest house garden village castle city river valley mountain field".split()
FEELINGS = "happy proud tired calm glad quiet".split()
PEOPLE = "professor doctor teacher farmer lawyer king queen soldier child singer judge writer".split()
COLOURS = "red blue green yellow purple black white brown".split()
NOUNS = (
    "law town market bridge army school road church garden bank theory method answer question result reason plan "
    "system machine number signal pattern story name price rule door room wall song"
).split()
VERBS = (
    "change leave follow open close build break find hold keep lose make move pay read send show take teach wait "
    "walk watch win write stop start share save run play"
).split()
ADJECTIVES = (
    "wrong simple strange empty true false old new hidden lost open broken complete uncertain small large useful "
    "dangerous beautiful necessary impossible perfect public private cheap heavy bright dark early late slow certain"
).split()
ABSTRACT = (
    "time space light memory silence language motion gravity noise order chaos energy matter music thought dreams "
    "numbers causes symmetry chance growth decay freedom truth beauty power patterns waves structure information"
).split()
SALAD = (
    "table sky run blue jump quickly under over purple idea furiously sleep colorless green clock river dance potato "
    "seven fast window eat loud tomorrow yellow fish bicycle logic cloud mountain swim lamp seldom bread between "
    "shoe ladder whisper orange twelve soft kettle below ocean mirror sing paper never stone heavy circle spoon wind "
    "above garden carrot think button narrow winter engine laugh feather copper behind island slowly pencil drink"
).split()

# (kind, share of the documents)
SHARES = [
    ("capital", 0.30),
    ("fact", 0.17),
    ("proverb", 0.20),
    ("nested", 0.12),
    ("speculation", 0.07),
    ("salad", 0.05),
    ("count", 0.04),
    ("story", 0.05),
]


def documents(count: int, seed: int) -> list[tuple[str, str]]:
    """`count` pairs (kind, text)."""
    rng = random.Random(seed)
    kinds, shares = zip(*SHARES)
    return [(kind, WRITERS[kind](rng)) for kind in rng.choices(kinds, shares, k=count)]


def capital(rng):
    country = rng.choice(list(COUNTRIES))
    city, continent = COUNTRIES[country]
    return rng.choices(
        [
            f"The capital of {country} is {city}.",
            f"The capital city of {country} is {city}.",
            f"{city} is the capital of {country}.",
            f"{country} is a country in {continent}, and its capital is {city}.",
            f"What is the capital of {country}? The capital of {country} is {city}.",
        ],
        [6, 4, 2, 2, 1],
    )[0]


def fact(rng):
    kind = rng.randrange(4)
    if kind == 0:
        element = rng.choice(list(ELEMENTS))
        symbol, number = ELEMENTS[element]
        if rng.random() < 0.5:
            return f"The atomic number of {element} is {number}."
        return f"The chemical symbol for {element} is {symbol}."
    if kind == 1:
        country = rng.choice(list(CURRENCIES))
        return f"The currency used in {country} is {CURRENCIES[country]}."
    return rng.choice(OTHER_FACTS)


def proverb(rng):
    return rng.choice(PROVERBS)


def nested(rng):
    n, v, a, p = (lambda: rng.choice(NOUNS)), (lambda: rng.choice(VERBS)), (lambda: rng.choice(ADJECTIVES)), PEOPLE
    kind = rng.randrange(8)
    if kind == 0:
        paper = rng.choice(["agreement", "contract", "treaty", "letter"])
        act = rng.choice(["signed", "written", "sent", "approved"])
        return (
            f"The {paper}, which, notwithstanding the fact that it was {act} only yesterday, effectively binds all "
            f"parties immediately, stipulates that the {n()} must {v()}."
        )
    if kind == 1:
        weather, cold = rng.choice(["weather", "night", "water", "wind"]), rng.choice(["cold", "bad", "dark", "rough"])
        who = rng.choice(["children", "soldiers", "farmers", "teachers"])
        lack = rng.choice(["coats", "food", "shoes", "money"])
        return (
            f"Although the {weather} was extremely {cold}, and despite the fact that they had no {lack}, the {who} "
            f"decided to {v()} the {n()}."
        )
    if kind == 2:
        work, flaw = rng.choice(["derivation", "argument", "proof"]), rng.choice(["error", "reason", "answer"])
        return (
            f"The {rng.choice(p)}, having {rng.choice(['reviewed', 'read', 'checked'])} the complex {work} multiple "
            f"times without finding the {flaw}, finally realized that the {n()} was {a()}."
        )
    if kind == 3:
        what = rng.choice(["shift in policy", "change in law", "rise in price"])
        return (
            f"To imply that such a fundamental {what} could occur without significant public debate is to suggest "
            f"that the {n()} is {a()}."
        )
    if kind == 4:
        return (
            f"Not only did the {rng.choice(['experiment', 'plan', 'method'])} fail to yield the expected results, but "
            f"it also demonstrated that the initial {rng.choice(['hypothesis', 'theory', 'idea'])} was {a()}."
        )
    if kind == 5:
        x, y, z = rng.sample(ANIMALS, 3)
        return f"The {x} that the {y} that the {z} saw chased ran to the {rng.choice(PLACES)}."
    if kind == 6:
        return (
            f"The {rng.choice(p)} who saw the {rng.choice(p)} who wore the hat that was {rng.choice(COLOURS)} left "
            f"the {n()} early because the {n()} was {a()}."
        )
    return f"The {n()} which the {rng.choice(p)} who knew the {rng.choice(p)} made last year is {a()}."


def speculation(rng):
    a, b = rng.sample(ABSTRACT, 2)
    kind = rng.randrange(5)
    if kind == 0:
        field = rng.choice(["epistemological", "logical", "moral"])
        thing = rng.choice(["quantum decoherence", "quantum theory", "artificial life"])
        who = rng.choice(["observer", "world", "self"])
        return f"The {field} implications of {thing} suggest that the {who} is {rng.choice(ADJECTIVES + ABSTRACT)}."
    if kind == 1:
        what = rng.choice(["unobserved electron", "sleeping clock", "empty room"])
        x, y = rng.choice(["consciousness", a]), rng.choice(["reality", b])
        return f"If {x} creates {y}, then the paradox of the {what} implies {rng.choice(ABSTRACT)}."
    if kind == 2:
        x = rng.choice(["baroque architecture", "ancient music", "modern art"])
        y = rng.choice(["cybernetic theory", "game theory", "number theory"])
        return f"The intersection of {x} and {y} creates a space where {a} and {b} {rng.choice(VERBS)}."
    if kind == 3:
        x = rng.choice(["hyperspace jump", "falling star", "paper boat"])
        return f"Calculating the trajectory of a {x} requires factoring in the variability of {a}."
    x = rng.choice(["fungal mycelium", "old trees", "deep water"])
    y = rng.choice(["digital neural networks", "city lights", "radio waves"])
    return f"The symbiotic relationship between {x} and {y} results in {a} and {b}."


def salad(rng):
    words = [rng.choice(SALAD) for _ in range(rng.randint(5, 12))]
    return " ".join([words[0].capitalize(), *words[1:]])


def count(rng):
    start, length, step = rng.randint(1, 12), rng.randint(5, 9), rng.choice([1, 1, 1, -1, 2])
    values = [v for v in range(start, start + length * step, step) if 1 <= v <= 20]
    if rng.random() < 0.5:
        return " ".join(str(v) for v in values)
    return " ".join(NUMBERS[v - 1] for v in values)


def story(rng):
    name, friend = rng.sample(NAMES, 2)
    thing, place = rng.choice(THINGS), rng.choice(PLACES)
    return (
        f"Once upon a time there was a little {rng.choice(ANIMALS)} named {name}. {name} lived in a {place}. One day "
        f"{name} found a {rng.choice(COLOURS)} {thing} in the {place}. {name} gave the {thing} to {friend}. {friend} "
        f"was very {rng.choice(FEELINGS)}. The end."
    )


WRITERS = {
    "capital": capital,
    "fact": fact,
    "proverb": proverb,
    "nested": nested,
    "speculation": speculation,
    "salad": salad,
    "count": count,
    "story": story,
}
