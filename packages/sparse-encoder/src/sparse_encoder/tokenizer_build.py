"""A WordPiece tokenizer whose vocabulary is made of morphemes, as plain files that serve without kiwi.

The gain over ordinary subwords is large in Korean, where a noun and its particles are one written word.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from sparse_encoder._files import InputError, whole
from sparse_encoder.hub import start_folder
from sparse_encoder.pieces import CONTINUATION, count_pieces, normalizer

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROLES = {
    "pad_token": ("[PAD]", "<pad>"),
    "unk_token": ("[UNK]", "<unk>"),
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "mask_token": ("[MASK]", "<mask>"),
}
"""What transformers calls the special tokens, and their names in BERT's and RoBERTa's vocabularies."""
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
"""What `AutoTokenizer` needs of a folder."""
LARGEST_VOCABULARY = 32_768
"""OpenSearch's `sparse_vector` folds token ids at this number."""


TWIN_SHARE = 8
"""A piece seen n times at one place in words counts as seen n // TWIN_SHARE times at the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What makes a piece a token."""

    vocab_size: int = 8000
    """The most tokens to have; a small corpus gives fewer."""
    min_count: int = 1
    """Times that a piece must occur."""
    min_characters: int = 1
    """Times that a character other than a Hangul syllable must occur; words with rarer ones are unknown."""
    common_syllables: bool = False
    """Whether the 2,350 syllables of KS X 1001 are covered beside those of the corpus: for a vocabulary that is to
    serve other corpora, as a word with a syllable that is no token is unknown as a whole."""
    general: float = 0.0
    """Pieces of general Korean counted for each piece of the corpus (`general_pieces`); 0 for none."""


def build_tokenizer(texts: Iterable[str], choice: Choice = Choice()) -> Tokenizer:
    """Builds the tokenizer from `texts`, which are read once; the same texts give the same vocabulary.

    Every character chosen is covered, as the start of a word and inside one; InputError where they alone need more
    than `vocab_size`.
    """
    vocab_size = choice.vocab_size
    if not 0 < vocab_size <= LARGEST_VOCABULARY:
        raise InputError(
            f"vocab_size is {vocab_size}; wanted 1 to {LARGEST_VOCABULARY}: sparse_vector folds larger ids"
        )
    counts = count_pieces(texts)
    if not counts:
        raise InputError("there is no text to build a tokenizer from: every passage is empty")
    if choice.general:
        counts += _general(counts.total() * choice.general)
    return assemble(choose(counts, choice))


def _general(n_pieces: float) -> Counter[str]:
    from sparse_encoder.general_pieces import general_pieces  # not above: kiwi, which serving does without

    return Counter({piece: round(share * n_pieces) for piece, share in general_pieces().items()})


def choose(counts: Counter[str], choice: Choice) -> list[str]:
    """The tokens: special ones, characters in both positions, then pieces and Latin subwords, the commonest first."""
    vocab_size, min_count = choice.vocab_size, choice.min_count
    characters = sorted(_characters(counts, choice))
    alphabet = [form for c in characters for form in (c, CONTINUATION + c)]
    room = vocab_size - len(SPECIAL_TOKENS) - len(alphabet)
    if room < 0:
        raise InputError(
            f"vocab_size {vocab_size} cannot hold the {len(characters)} characters of the corpus in both positions; "
            f"wanted at least {len(SPECIAL_TOKENS) + len(alphabet)}"
        )
    covered = set(characters)
    counts = Counter({p: n for p, n in counts.items() if covered.issuperset(bare(p))})
    candidates = Counter({p: n for p, n in counts.items() if n >= min_count})
    for piece, n in counts.items():
        twin = bare(piece) if bare(piece) != piece else CONTINUATION + piece
        if n // TWIN_SHARE >= min_count:
            candidates[twin] = max(candidates[twin], n // TWIN_SHARE)
    for subword, n in latin_subwords(counts, n_tokens=vocab_size // 4).items():
        candidates[subword] = max(candidates[subword], n)
    known = set(alphabet)
    ranked = sorted((p for p in candidates if p not in known), key=lambda p: (-candidates[p], p))
    return [*SPECIAL_TOKENS, *alphabet, *ranked[:room]]


def _characters(counts: Counter[str], choice: Choice) -> set[str]:
    seen: Counter[str] = Counter()
    for piece, n in counts.items():
        for character in set(bare(piece)):
            seen[character] += n
    found = {c for c, n in seen.items() if n >= choice.min_characters or is_syllable(c)}
    return found | set(common_syllables()) if choice.common_syllables else found


def is_syllable(character: str) -> bool:
    """Whether a character is a composed Hangul syllable.

    >>> is_syllable("뷁"), is_syllable("ㅋ")
    (True, False)
    """
    return "가" <= character <= "힣"


def common_syllables() -> list[str]:
    """The 2,350 Hangul syllables of KS X 1001, which all but a few written words get by with, in order.

    >>> len(common_syllables()), common_syllables()[:3]
    (2350, ['가', '각', '간'])
    """
    return [bytes((row, cell)).decode("euc_kr") for row in range(0xB0, 0xC9) for cell in range(0xA1, 0xFF)]


def latin_subwords(counts: Counter[str], *, n_tokens: int) -> Counter[str]:
    """Subwords of the corpus' Latin words and in how many of them they stand, for words seen too rarely themselves."""
    words = Counter({p: n for p, n in counts.items() if p.isascii() and p.isalpha()})
    if not words:
        return Counter()
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(vocab_size=n_tokens, min_frequency=3, show_progress=False)
    learner.train_from_iterator((w for w in sorted(words) for _ in range(words[w])), trainer)
    found: Counter[str] = Counter()
    for word in sorted(words):
        for token in set(learner.encode(word).tokens):
            if len(bare(token)) > 1:
                found[token] += words[word]
    return found


def assemble(vocabulary: Sequence[str]) -> Tokenizer:
    """The plain tokenizer over `vocabulary`, ids in the order given."""
    ids = {token: number for number, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=CONTINUATION, cleanup=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, path: Path, *, max_tokens: int) -> None:
    """Writes the folder that `AutoTokenizer` loads: `tokenizer.json` and `tokenizer_config.json`."""
    with whole(path) as part:
        part.mkdir(parents=True)
        write_tokenizer(tokenizer, part, max_tokens=max_tokens)


def write_tokenizer(tokenizer: Tokenizer, folder: Path, *, max_tokens: int) -> None:
    """Writes the two files into an existing folder."""
    (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
    known = tokenizer.get_vocab(with_added_tokens=True)
    roles = {role: name for role, names in ROLES.items() for name in reversed(names) if name in known}
    config = {
        "clean_up_tokenization_spaces": False,
        "model_max_length": max_tokens,
        "tokenizer_class": "PreTrainedTokenizerFast",
        **roles,
    }
    text = json.dumps(dict(sorted(config.items())), ensure_ascii=False, indent=2) + "\n"
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")


def copy_tokenizer(model: Path, path: Path) -> None:
    """Writes the tokenizer folder of a model folder: its own, or that of its document side, byte for byte."""
    folder = start_folder(str(model), beside=Path())
    for name in TOKENIZER_FILES:
        if not (folder / name).is_file():
            raise InputError(f"{folder / name}: no such file; wanted a model folder with a fast tokenizer")
    with whole(path) as part:
        part.mkdir(parents=True)
        for name in TOKENIZER_FILES:
            (part / name).write_bytes((folder / name).read_bytes())


def bare(token: str) -> str:
    """The token without its continuation mark.

    >>> bare("##인"), bare("검색"), bare("##")
    ('인', '검색', '##')
    """
    return token[2:] if token.startswith(CONTINUATION) and len(token) > 2 else token
