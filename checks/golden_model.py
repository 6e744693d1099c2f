"""Writes the golden tokenizer, model and export: `python checks/golden_model.py`, where sentence-transformers is.

A stock SparseEncoder directory of a few kilobytes whose weights are an arithmetic of their places, so that every
reader can be asked for the very numbers it must find; and its export for OpenSearch.
"""

import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from sentence_transformers import SparseEncoder
from sentence_transformers.base.modules import Router, Transformer
from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from torch import Tensor, nn
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

GOLDEN = Path(__file__).parents[1] / "docs" / "formats" / "golden"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "희소 검색 색인 단어 문서 가중치 역 ##색인 ##은 ##는 ##에서 ##로 ##다 index search sparse vector ( ) ."


def tokenizer() -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer over a handful of words."""
    ids = {token: number for number, token in enumerate([*SPECIAL, *WORDS.split()])}
    found = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    found.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    found.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    found.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    found.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    names = {f"{token[1:-1].lower()}_token": token for token in SPECIAL}
    return PreTrainedTokenizerFast(tokenizer_object=found, model_max_length=32, **names)


def idf(size: int) -> list[float]:
    """Weight of every token in a query: 0 for special ones, then 1, 1.125, 1.25, ..."""
    return [0.0 if number < len(SPECIAL) else 1 + (number - len(SPECIAL)) / 8 for number in range(size)]


def masked_language_model(size: int) -> BertForMaskedLM:
    """One layer, four wide; every weight is an eighth of a small whole number."""
    config = BertConfig(
        vocab_size=size,
        hidden_size=4,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=32,
    )
    model = BertForMaskedLM(config)
    with torch.no_grad():
        for place, (name, weight) in enumerate(sorted(model.named_parameters())):
            if "LayerNorm" not in name:
                steps = torch.arange(weight.numel(), dtype=torch.float32) * 5 + place
                weight.copy_((steps.remainder(9) - 4).div(8).reshape(weight.shape))
    return model


def write_model(folder: Path) -> None:
    """Writes the model as sentence-transformers saves it: IDF for queries, a SPLADE network for documents."""
    words = tokenizer()
    with tempfile.TemporaryDirectory() as scratch:
        masked_language_model(len(words)).save_pretrained(scratch)
        words.save_pretrained(scratch)
        network = Transformer(scratch, transformer_task="fill-mask", max_seq_length=32)
    query = SparseStaticEmbedding(words, weight=torch.tensor(idf(len(words))), frozen=True)
    routes: dict[str, list[nn.Module]] = {"query": [query], "document": [network, SpladePooling("max")]}
    SparseEncoder(modules=[Router.for_query_document(routes["query"], routes["document"])]).save(
        str(folder), create_model_card=False
    )


class Served(nn.Module):
    """The document side as ML Commons calls it: a dict of ids and mask to `output`, (batch, vocab)."""

    def __init__(self, model: BertForMaskedLM) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Masked maximum over tokens, then log(1 + relu); special tokens weigh nothing."""
        mask = batch["attention_mask"]
        logits = self.model(input_ids=batch["input_ids"], attention_mask=mask, return_dict=False)[0]
        weights = torch.log1p(torch.relu((logits * mask.unsqueeze(-1)).amax(dim=1)))
        kept = torch.arange(weights.shape[1]) >= len(SPECIAL)
        return {"output": weights * kept}


def write_export(folder: Path) -> None:
    """Writes the two zips that OpenSearch takes, each with its config."""
    words = tokenizer()
    model = masked_language_model(len(words)).eval()
    model.set_attn_implementation("eager")
    example = {"input_ids": torch.tensor([[2, 5, 6, 3]]), "attention_mask": torch.ones(1, 4, dtype=torch.long)}
    traced = folder / "model.pt"
    torch.jit.trace(Served(model), example, strict=False).save(str(traced))  # type: ignore[no-untyped-call]
    served = json.loads(words.backend_tokenizer.to_str())
    served["truncation"] = {"direction": "Right", "max_length": 32, "strategy": "LongestFirst", "stride": 0}
    text = json.dumps(served, ensure_ascii=False).encode()
    tokens = words.convert_ids_to_tokens(list(range(len(words))))
    weights = dict(zip(tokens[len(SPECIAL) :], idf(len(words))[len(SPECIAL) :], strict=True))
    queries = json.dumps(weights, ensure_ascii=False).encode()
    write_bundle(folder / "encoder", "SPARSE_ENCODING", {"model.pt": without_debug(traced), "tokenizer.json": text})
    write_bundle(folder / "tokenizer", "SPARSE_TOKENIZE", {"tokenizer.json": text, "idf.json": queries})
    traced.unlink()


def without_debug(traced: Path) -> bytes:
    """A TorchScript file without its debug records, which name the folders of the machine that traced it."""
    kept = io.BytesIO()
    with zipfile.ZipFile(traced) as archive, zipfile.ZipFile(kept, "w") as smaller:
        for info in archive.infolist():
            if not info.filename.endswith(".debug_pkl"):
                smaller.writestr(zipfile.ZipInfo(info.filename), archive.read(info))
    return kept.getvalue()


def write_bundle(stem: Path, function: str, files: Mapping[str, bytes]) -> None:
    """Writes `<stem>.zip` and `<stem>.config.json`."""
    with zipfile.ZipFile(stem.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    content = stem.with_suffix(".zip").read_bytes()
    config = {
        "name": f"golden-{stem.name}",
        "version": "1.0.0",
        "model_format": "TORCH_SCRIPT",
        "function_name": function,
        "model_content_size_in_bytes": len(content),
        "model_content_hash_value": hashlib.sha256(content).hexdigest(),
        "description": "",
    }
    stem.with_suffix(".config.json").write_text(json.dumps(config, indent=2) + "\n")


def replace(name: str, made: Path) -> None:
    """Puts a folder in the place of a golden one."""
    shutil.rmtree(GOLDEN / name, ignore_errors=True)
    shutil.copytree(made, GOLDEN / name)
    print(f"{name}: {', '.join(sorted(p.relative_to(made).as_posix() for p in made.rglob('*') if p.is_file()))}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        tokenizer().save_pretrained(f"{folder}/tokenizer")
        write_model(Path(folder) / "model")
        for place in Path(folder).rglob("*.json"):
            place.write_text(json.dumps(json.loads(place.read_text()), ensure_ascii=False, indent=2) + "\n")
        (Path(folder) / "deploy").mkdir()
        write_export(Path(folder) / "deploy")
        replace("deploy", Path(folder) / "deploy")
        replace("tokenizer", Path(folder) / "tokenizer")
        replace("model", Path(folder) / "model")
        document = Path(folder) / "model" / "document_0_Transformer"
        (document / "sentence_bert_config.json").unlink()
        replace("backbone", document)
