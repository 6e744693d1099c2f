"""The three layouts of a model folder, by how queries are encoded, as sentence-transformers reads them.

Inference-free and two encoders are a Router with a query and a document route; one encoder for both is a plain list
of modules with the network at the root, where other tools look for a SPLADE model too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sparse_encoder._files import InputError

LIBRARY = "sentence_transformers"
CLASSES = {
    "transformer": f"{LIBRARY}.base.modules.transformer.Transformer",
    "pooling": f"{LIBRARY}.sparse_encoder.modules.splade_pooling.SpladePooling",
    "bag": f"{LIBRARY}.sparse_encoder.modules.sparse_static_embedding.SparseStaticEmbedding",
    "lexical": "lexical_channel.LexicalChannel",
    "router": f"{LIBRARY}.base.modules.router.Router",
}
TRANSFORMER_CONFIG = {
    "transformer_task": "fill-mask",
    "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
    "module_output_name": "token_embeddings",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the modules of a model lie; an empty query is the document side's own."""

    document: str
    pooling: str
    lexical: str
    query: str = ""
    query_pooling: str = ""

    def routes(self, *, lexical: bool) -> dict[str, dict[str, str]]:
        """Class of each module, in order of calls, by route."""
        document = {self.document: CLASSES["transformer"], self.pooling: CLASSES["pooling"]}
        if lexical:
            document[self.lexical] = CLASSES["lexical"]
        if not self.query_pooling:
            return {"query": {self.query: CLASSES["bag"]} if self.query else document, "document": document}
        return {
            "query": {self.query: CLASSES["transformer"], self.query_pooling: CLASSES["pooling"]},
            "document": document,
        }


_ROUTED = {
    "document": "document_0_Transformer",
    "pooling": "document_1_SpladePooling",
    "lexical": "document_2_LexicalChannel",
}
INFERENCE_FREE = Layout(**_ROUTED, query="query_0_SparseStaticEmbedding")
TWO_ENCODERS = Layout(**_ROUTED, query="query_0_Transformer", query_pooling="query_1_SpladePooling")
ONE_ENCODER = Layout(document="", pooling="1_SpladePooling", lexical="2_LexicalChannel")


def module_configs(layout: Layout, *, lexical: bool) -> Mapping[str, object]:
    """`modules.json` and, where there are two routes, `router_config.json`."""
    routes = layout.routes(lexical=lexical)
    if layout == ONE_ENCODER:
        listed = enumerate(routes["document"].items())
        return {"modules.json": [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in listed]}
    router = {
        "types": routes["query"] | routes["document"],
        "structure": {route: list(modules) for route, modules in routes.items()},
        "parameters": {"default_route": "document", "allow_empty_key": True, "route_mappings": {}},
    }
    modules = [{"idx": 0, "name": "0", "path": "", "type": CLASSES["router"]}]
    return {"router_config.json": router, "modules.json": modules}


def layout_of(path: Path) -> Layout:
    """The layout of a model folder; InputError says what is missing."""
    if not (path / "modules.json").is_file():
        raise InputError(f"{path}: is not a model folder: no modules.json; make one with: sparse-encoder train")
    for layout in (INFERENCE_FREE, TWO_ENCODERS, ONE_ENCODER):
        if all((path / part).is_dir() for part in (layout.document, layout.pooling, layout.query)):
            return layout
    wanted = f"{INFERENCE_FREE.document} and {INFERENCE_FREE.query} or {TWO_ENCODERS.query}, or {ONE_ENCODER.pooling}"
    raise InputError(f"{path}: is not a model of this package: wanted {wanted}")
