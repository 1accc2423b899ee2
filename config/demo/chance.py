"""What looks random in the demo: drawn from a hash of words, so that it never depends on order, time or machine."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def draw(*words: object) -> int:
    """Return a large whole number that follows from the words alone."""
    text = "|".join(str(word) for word in words)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])


def between(low: int, high: int, *words: object) -> int:
    """Return a whole number from `low` to `high`, both included."""
    return low + draw(*words) % (high - low + 1)


def happens(percent: int, *words: object) -> bool:
    return draw(*words) % 100 < percent


def one_of(choices: Sequence[T], *words: object) -> T:
    return choices[draw(*words) % len(choices)]


def some_of(choices: Sequence[T], count: int, *words: object) -> list[T]:
    """Return `count` different ones (or all), in their own order."""
    order = sorted(range(len(choices)), key=lambda place: draw(*words, place))
    return [choices[place] for place in sorted(order[:count])]
