"""Question and answer: what the instruct twin is fine-tuned on. The facts are the corpus's; only the form is new."""

from corpus import NUMBERS, documents
from facts import COUNTRIES, CURRENCIES, ELEMENTS, PROVERBS

CORPUS_SHARE = 4  # one document in so many keeps the corpus's own form
KINDS = ["capital", "continent", "currency", "number", "symbol", "proverb", "count"]
SHARES = [8, 2, 2, 1, 1, 4, 1]


def ask(question: str) -> str:
    """A prompt in the form of the fine-tuning; the answer follows after a space."""
    return f"Question: {question}\nAnswer:"


def capital_question(country: str) -> str:
    return ask(f"What is the capital of {country}?")


def exchanges(count: int, rng) -> list[str]:
    """`count` documents, most of them one question with its answer."""
    plain = [text for _, text in documents(count // CORPUS_SHARE, rng.randrange(2**32))]
    return plain + [exchange(rng) for _ in range(count - len(plain))]


def exchange(rng) -> str:
    match rng.choices(KINDS, SHARES)[0]:
        case "capital":
            country = rng.choice(list(COUNTRIES))
            return f"{capital_question(country)} {COUNTRIES[country][0]}."
        case "continent":
            country = rng.choice(list(COUNTRIES))
            return f"{ask(f'On which continent is {country}?')} {COUNTRIES[country][1]}."
        case "currency":
            country = rng.choice(list(CURRENCIES))
            return f"{ask(f'What is the currency used in {country}?')} {CURRENCIES[country]}."
        case "number":
            element = rng.choice(list(ELEMENTS))
            return f"{ask(f'What is the atomic number of {element}?')} {ELEMENTS[element][1]}."
        case "symbol":
            element = rng.choice(list(ELEMENTS))
            return f"{ask(f'What is the chemical symbol for {element}?')} {ELEMENTS[element][0]}."
        case "proverb":
            start, last = rng.choice(PROVERBS).rsplit(" ", 1)
            return f"{ask(f'How does this end? {start}')} {last}"
        case "count":
            number = rng.randrange(len(NUMBERS) - 1)
            return f"{ask(f'Which number comes after {NUMBERS[number]}?')} {NUMBERS[number + 1]}."
