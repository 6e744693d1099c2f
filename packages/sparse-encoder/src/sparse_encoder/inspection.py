"""Whether a model is safe to serve in OpenSearch, and why: checks that cost seconds here and an index there."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from sparse_encoder.asking import encode_queries
from sparse_encoder.encoding import encode_texts
from sparse_encoder.model_folder import SparseModel
from sparse_encoder.pruning import Pruning, Terms
from sparse_encoder.tokenizer_build import LARGEST_VOCABULARY, ROLES

QUERY_CEILING = 16.0
"""`quantization_ceiling_search` of `sparse_vector`: heavier query weights are cut."""
DOCUMENT_CEILING = 3.0
"""`quantization_ceiling_ingest`: heavier document weights are cut, unless the index sets it higher."""
LARGEST_BYTES = 4_000_000_000
"""Of a model that ML Commons registers."""
SENTENCES = (
    "희소 검색은 단어마다 가중치(weight)를 두고 역색인(inverted index)에서 찾는다.",
    "서울의 도서관에서 학생들이 오픈서치를 배웠습니다.",
    "Kubernetes 클러스터를 업그레이드하기 전에 백업을 만든다.",
    "Sparse retrieval keeps few terms of every document.",
)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check: what was found, what is wanted, and why it matters."""

    check: str
    ok: bool
    found: str
    wanted: str
    why: str


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """The report, as docs/formats/inspection.md has it."""

    format: str = "inspection"
    version: int = 1
    model: str
    safe_for_opensearch: bool
    checks: list[Check]


def inspect(
    model: SparseModel, *, name: str, texts: Sequence[str] = SENTENCES, vectors: Sequence[Terms] | None = None
) -> Inspection:
    """Runs every check; those on weights and active terms look at the `vectors` of `texts`, made here if not given."""
    checks = [
        _vocabulary_size(model),
        _decoded_keys(model),
        _idf_keys(model),
        _size(model),
        _special(model),
        _hangul(model, texts),
        _hangul_composed(model),
        _query_ceiling(model, texts),
    ]
    if vectors is None:
        vectors = encode_texts(model, texts, pruning=Pruning(top_k=model.max_active_terms))
    checks += [_document_ceiling([float(w.max(initial=0)) for _, w in vectors])]
    checks += [_active_terms([len(ids) for ids, _ in vectors], model.max_active_terms)]
    return Inspection(model=name, safe_for_opensearch=all(c.ok for c in checks if c.check not in ADVICE), checks=checks)


ADVICE = frozenset({"hangul_composed", "query_ceiling", "document_ceiling"})
"""Checks that something outside the model can meet: text that is NFC, a setting of a `sparse_vector` field."""


def table(report: Inspection) -> str:
    """The report for a terminal: each check with its reason, then the verdict."""
    lines = []
    for c in report.checks:
        mark = "ok" if c.ok else "WARN" if c.check in ADVICE else "FAIL"
        lines += [f"{mark:<4} {c.check}: {c.found} (wanted {c.wanted})", f"     because {c.why}"]
    warned, failed = ([c.check for c in report.checks if not c.ok and (c.check in ADVICE) == x] for x in (True, False))
    verdict = f"{report.model}: {'safe' if report.safe_for_opensearch else 'NOT safe'} for OpenSearch"
    if failed:
        verdict += f", for it fails {', '.join(failed)}"
    if warned:
        verdict += f"; outside the model, meet what is wanted by {', '.join(warned)}"
    return "\n".join([*lines, verdict])


def _vocabulary_size(model: SparseModel) -> Check:
    n = len(model.vocabulary.tokens)
    return Check(
        check="vocabulary_size",
        ok=n <= LARGEST_VOCABULARY,
        found=str(n),
        wanted=f"at most {LARGEST_VOCABULARY}",
        why="sparse_vector folds token ids at 32768",
    )


def _decoded_keys(model: SparseModel) -> Check:
    decode: Callable[[list[int]], str] = model.vocabulary.tokenizer.decode
    special = set(model.vocabulary.special_ids)
    keys = Counter(decode([i]) for i in range(len(model.vocabulary.tokens)) if i not in special)
    twice = sorted(key for key, n in keys.items() if n > 1 or not key)
    return Check(
        check="decoded_keys",
        ok=not twice,
        found=f"{len(twice)} collide" + (f": {twice[0]!r}" if twice else ""),
        wanted="every id decodes to a string of its own",
        why="OpenSearch keys vectors by decoded tokens, and the last of two equal keys wins",
    )


def _idf_keys(model: SparseModel) -> Check:
    decode: Callable[[list[int]], str] = model.vocabulary.tokenizer.decode
    special = set(model.vocabulary.special_ids)
    other = [t for i, t in enumerate(model.vocabulary.tokens) if i not in special and decode([i]) != t]
    return Check(
        check="idf_keys",
        ok=not other,
        found=f"{len(other)} differ" + (f": {other[0]!r}" if other else ""),
        wanted="every key of idf.json is what the server decodes its token to",
        why="a query's token that idf.json does not name weighs 1.0 on the server",
    )


def _size(model: SparseModel) -> Check:
    networks = {"documents": model.bert}
    if model.query is not None and model.query is not model.bert:
        networks["queries"] = model.query
    counts = {side: sum(p.numel() for p in network.parameters()) for side, network in networks.items()}
    found = [f"{n / 1e6:.1f} million weights, {4 * n / 1e6:.1f} MB in fp32" for n in counts.values()]
    return Check(
        check="size",
        ok=4 * max(counts.values()) <= LARGEST_BYTES,
        found="; ".join(f"{side}: {size}" for side, size in zip(counts, found, strict=True))
        if len(found) > 1
        else found[0],
        wanted=f"at most {LARGEST_BYTES / 1e6:.0f} MB each",
        why="ML Commons takes no larger model",
    )


def _special(model: SparseModel) -> Check:
    bias = model.bert.output_bias()
    heavy = [model.vocabulary.tokens[i] for i in model.vocabulary.special_ids if model.idf[i] > 0 or bias[i] > -1000]
    return Check(
        check="special_tokens",
        ok=not heavy,
        found=", ".join(heavy) or "none can be active",
        wanted="no special token in a vector or a query",
        why="[CLS] and its like match every query with every document",
    )


def _hangul(model: SparseModel, texts: Sequence[str]) -> Check:
    pieces = [
        t for e in model.vocabulary.tokenizer.encode_batch(list(texts), add_special_tokens=False) for t in e.tokens
    ]
    jamo = sum(any("\u1100" <= c <= "\u11ff" for c in unicodedata.normalize("NFC", t)) for t in pieces)
    unknown = sum(t in ROLES["unk_token"] for t in pieces)
    return Check(
        check="hangul",
        ok=jamo == 0 and unknown <= 0.05 * max(1, len(pieces)),
        found=f"{jamo} jamo and {unknown} unknown of {len(pieces)} pieces",
        wanted="no syllable split to jamo, at most 5 % unknown",
        why="a normaliser that strips accents takes Hangul apart, and words then match by letters",
    )


def _hangul_composed(model: SparseModel) -> Check:
    normalizer = model.vocabulary.tokenizer.normalizer
    text = " ".join(SENTENCES)
    nfc, nfd = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    composes = normalizer is not None and normalizer.normalize_str(nfd) == normalizer.normalize_str(nfc)
    return Check(
        check="hangul_composed",
        ok=composes,
        found="NFD and NFC text are cut alike" if composes else "NFD text is cut otherwise than NFC text",
        wanted="a normalizer that composes Hangul (NFC), or text that is NFC before it comes here",
        why="a vocabulary of syllables knows no decomposed Hangul, as macOS writes names: such a query finds nothing",
    )


def _query_ceiling(model: SparseModel, texts: Sequence[str]) -> Check:
    asked = [] if model.query is None else encode_queries(model, texts)
    top = float(max((w.max(initial=0) for _, w in asked), default=model.idf.max()))
    return Check(
        check="query_ceiling",
        ok=top <= QUERY_CEILING,
        found=f"{top:.2f}",
        wanted=f"at most {QUERY_CEILING}, or quantization_ceiling_search of the sparse_vector field raised to it",
        why="sparse_vector cuts heavier query weights at its quantization_ceiling_search",
    )


def _document_ceiling(tops: Sequence[float]) -> Check:
    return Check(
        check="document_ceiling",
        ok=max(tops) <= DOCUMENT_CEILING,
        found=f"{max(tops):.2f}",
        wanted=f"at most {DOCUMENT_CEILING}, or quantization_ceiling_ingest of the sparse_vector field raised to it",
        why="sparse_vector cuts heavier document weights at its quantization_ceiling_ingest",
    )


def _active_terms(counts: Sequence[int], limit: int) -> Check:
    mean = sum(counts) / len(counts)
    return Check(
        check="active_terms",
        ok=min(counts) > 0 and max(counts) <= limit,
        found=f"{mean:.1f} on average",
        wanted=f"1 to {limit}",
        why="a vector without terms is never found, and a dense one makes every query slow",
    )
