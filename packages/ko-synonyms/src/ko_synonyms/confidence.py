"""How sure a pair is, from how often, how consistently and how audibly its two terms go together.

The split into entries and candidates stands on this one number, so every part of it is kept here, in the open.
"""

MISS = 0.5
"""Chance that a bracket is no translation, such as `도시(Paris)`: each further document multiplies by it again."""

ENTRY = 0.7
"""Confidence from which a pair is an entry; two documents, or one and a loanword's sound, reach it."""

CANDIDATE = 0.2
"""Confidence below which a pair is not worth anybody's verdict."""


def confidence(n_documents: int, sounds_alike: float, *, share_of_en: float, share_of_ko: float, exact: bool) -> float:
    """The confidence of a pair seen in brackets, 0 to 1.

    `1 - MISS^n (1 - 0.7 s)`, with n documents and s the sound's likeness (0 where it is too weak to count), times the
    root of each term's share: of its brackets, how many hold this pair; 0.9 of it where the Korean phrase could have
    been cut longer.

    >>> confidence(1, 0.0, share_of_en=1.0, share_of_ko=1.0, exact=True)
    0.5
    >>> confidence(2, 0.0, share_of_en=1.0, share_of_ko=1.0, exact=True)
    0.75
    >>> confidence(1, 1.0, share_of_en=1.0, share_of_ko=1.0, exact=True)
    0.85
    >>> confidence(40, 0.0, share_of_en=0.01, share_of_ko=0.5, exact=True)
    0.0707
    """
    strength = 1.0 - MISS**n_documents * (1.0 - 0.7 * sounds_alike)
    shares: float = (share_of_en * share_of_ko) ** 0.5
    return round(strength * shares * (1.0 if exact else 0.9), 4)


def combine(first: float, second: float) -> float:
    """The confidence that two independent reasons give together.

    >>> combine(0.5, 0.9)
    0.95
    """
    return round(1.0 - (1.0 - first) * (1.0 - second), 4)
