"""A WordPiece tokenizer whose vocabulary is made of morphemes, as plain files that serve without kiwi.

The gain over ordinary subwords is large in Korean, where a noun and its particles are one written word.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
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


def build_tokenizer(texts: Iterable[str], *, vocab_size: int, min_count: int = 1) -> Tokenizer:
    """Builds the tokenizer from `texts`, which are read once; the same texts give the same vocabulary.

    vocab_size: the most tokens to have; a small corpus gives fewer. Every character of the corpus is covered, as the
    start of a word and inside one; raises InputError where they alone need more.
    """
    if not 0 < vocab_size <= LARGEST_VOCABULARY:
        raise InputError(
            f"vocab_size is {vocab_size}; wanted 1 to {LARGEST_VOCABULARY}: sparse_vector folds larger ids"
        )
    counts = count_pieces(texts)
    if not counts:
        raise InputError("there is no text to build a tokenizer from: every passage is empty")
    vocabulary = choose(counts, vocab_size=vocab_size, min_count=min_count)
    return assemble(vocabulary)


def choose(counts: Counter[str], *, vocab_size: int, min_count: int) -> list[str]:
    """The tokens: special ones, characters in both positions, then pieces and Latin subwords, the commonest first."""
    characters = sorted({c for piece in counts for c in bare(piece)})
    alphabet = [form for c in characters for form in (c, CONTINUATION + c)]
    room = vocab_size - len(SPECIAL_TOKENS) - len(alphabet)
    if room < 0:
        raise InputError(
            f"vocab_size {vocab_size} cannot hold the {len(characters)} characters of the corpus in both positions; "
            f"wanted at least {len(SPECIAL_TOKENS) + len(alphabet)}"
        )
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
