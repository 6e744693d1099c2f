"""The whole comparison of a deployment with this machine, from files: what `os-deploy parity` runs.

It holds all vectors in memory, for the local exact search.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from os_deploy._files import InputError
from os_deploy.bundles import Bundle, read_bundles, the_bundle
from os_deploy.corpus import Corpus
from os_deploy.findings import Finding
from os_deploy.indices import vector_keys
from os_deploy.models import ensure_model, find_models, remove_model
from os_deploy.prove.parity import Parity, check_ranking
from os_deploy.searching import Searcher


def prove(
    searcher: Searcher, *, export: Path, passages: Path, vectors: Path, queries: Sequence[str], n_texts: int
) -> list[Finding]:
    """Findings on document vectors, query weights and rankings.

    Texts are spread evenly over the passages; without `queries` their titles are asked. Where the export has an encoder
    that is not on the server, it is put there for the while, since otherwise nothing could be compared with it.
    """
    bundles = read_bundles(export)
    tokenizer = bundles[0].tokenizer
    corpus = Corpus(passages=passages, vectors=vectors, tokenizer=tokenizer, field=searcher.record.field)
    rows = [(passage, vector) for passage, vector in corpus.rows() if vector is not None]
    if not rows:
        raise InputError(f"{passages}: found no passage, wanted at least one")
    local = {p.doc_id: vector_keys("rank_features", tokenizer.keys, v.weights) for p, v in rows}
    sample = [rows[i * len(rows) // min(n_texts, len(rows))][0] for i in range(min(n_texts, len(rows)))]
    asked = queries or list(dict.fromkeys(p.title or p.text[:40] for p in sample))
    with _encoder_on_server(searcher, bundles, export) as encoder_id:
        parity = Parity(
            cluster=searcher.cluster,
            encoder_id=encoder_id,
            tokenizer_id=searcher.record.tokenizer_id,
            weigh=searcher.weigh,
        )
        findings = []
        if encoder_id:
            findings.append(parity.check_documents({p.doc_id: p.text for p in sample}, local))
        if searcher.record.tokenizer_id:
            findings.append(parity.check_queries([*asked, *(p.text for p in sample)][:n_texts]))
        if searcher.weigh is not None:
            findings.append(check_ranking(searcher, asked, local, searcher.weigh))
    return findings


@contextmanager
def _encoder_on_server(searcher: Searcher, bundles: Sequence[Bundle], export: Path) -> Iterator[str]:
    """The encoder's id: the deployment's own, or one put there for the while; empty where there is none."""
    if searcher.record.encoder_id or not any(b.encodes for b in bundles):
        yield searcher.record.encoder_id
        return
    encoder = the_bundle(bundles, "SPARSE_ENCODING", export)
    was_there = bool(find_models(searcher.cluster, encoder.config.model_content_hash_value))
    with tempfile.TemporaryDirectory() as work:
        model_id = ensure_model(searcher.cluster, encoder, work=Path(work), report=lambda line: None)
    try:
        yield model_id
    finally:
        if not was_there:
            remove_model(searcher.cluster, model_id)
