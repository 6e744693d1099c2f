"""The whole comparison of a deployment with this machine, from files: what `os-deploy parity` runs."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from os_deploy._files import InputError
from os_deploy.bundles import Bundle, read_bundles, the_bundle
from os_deploy.corpus import Corpus
from os_deploy.findings import Finding
from os_deploy.models import ensure_model, find_models, remove_model
from os_deploy.passages import titles
from os_deploy.prove.parity import Parity, check_ranking
from os_deploy.recipe import Seismic
from os_deploy.searching import Searcher

MIN_OVERLAP = Seismic().min_overlap


def prove(
    searcher: Searcher, *, export: Path, passages: Path, vectors: Path, queries: Sequence[str], n_texts: int
) -> list[Finding]:
    """Findings on document vectors, query weights and rankings.

    Texts are spread evenly over the passages; without `queries` their titles are asked. Where the export has an encoder
    that is not on the server, it is put there for the while, since otherwise nothing could be compared with it.
    """
    bundles = read_bundles(export)
    corpus = Corpus(passages=passages, vectors=vectors, tokenizer=bundles[0].tokenizer, field=searcher.record.field)
    sample = corpus.sample(n_texts)
    if not sample:
        raise InputError(f"{passages}: found no passage, wanted at least one")
    asked = queries or titles(passage for passage, _ in sample)
    with _encoder_on_server(searcher, bundles, export) as encoder_id:
        parity = Parity(
            cluster=searcher.cluster,
            encoder_id=encoder_id,
            tokenizer_id=searcher.record.tokenizer_id,
            weigh=searcher.weigh,
        )
        findings = []
        if encoder_id:
            texts = {p.doc_id: p.encoded(title=searcher.record.title) for p, _ in sample}
            findings.append(parity.check_documents(texts, dict(corpus.weights(iter(sample)))))
        if searcher.record.tokenizer_id:
            findings.append(parity.check_queries([*asked, *(p.text for p, _ in sample)][:n_texts]))
        if searcher.weigh is not None:
            findings.append(check_ranking(searcher, asked, corpus.weights(corpus.rows()), min_overlap=MIN_OVERLAP))
    return findings


@contextmanager
def _encoder_on_server(searcher: Searcher, bundles: Sequence[Bundle], export: Path) -> Iterator[str]:
    """The encoder's id: the deployment's own, or one put there for the while; empty where there is none."""
    if searcher.record.encoder_id or not any(b.part == "encoder" for b in bundles):
        yield searcher.record.encoder_id
        return
    encoder = the_bundle(bundles, "encoder", export)
    was_there = bool(find_models(searcher.cluster, encoder.config.model_content_hash_value))
    with tempfile.TemporaryDirectory() as work:
        model_id = ensure_model(searcher.cluster, encoder, work=Path(work), report=lambda line: None)
    try:
        yield model_id
    finally:
        if not was_there:
            remove_model(searcher.cluster, model_id)
