"""Tiny masked language models with random weights, one of each architecture, as transformers saves them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from sparse_encoder.vocabulary import read_vocabulary
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedModel,
    RobertaConfig,
    RobertaForMaskedLM,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
)

BERT_NAMES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_NAMES = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
SHAPE = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 96}
ENDS = {"bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}


def unigram(texts: list[str]) -> Tokenizer:
    """A SentencePiece-like tokenizer, as XLM-RoBERTa has."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=ROBERTA_NAMES, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return ended(tokenizer, "<s>", "</s>")


def byte_level(texts: list[str]) -> Tokenizer:
    """A byte-level BPE tokenizer, as ModernBERT has."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=BERT_NAMES, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return ended(tokenizer, "[CLS]", "[SEP]")


def ended(tokenizer: Tokenizer, first: str, last: str) -> Tokenizer:
    """The tokenizer with a text's first and last token."""
    ends = [(first, tokenizer.token_to_id(first)), (last, tokenizer.token_to_id(last))]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=ends)
    return tokenizer


def bert(vocab_size: int) -> PreTrainedModel:
    """klue/bert-base in small."""
    return BertForMaskedLM(BertConfig(vocab_size=vocab_size, max_position_embeddings=64, **SHAPE))


def roberta(vocab_size: int) -> PreTrainedModel:
    """klue/roberta in small: BERT's tokenizer."""
    config = RobertaConfig(
        vocab_size=vocab_size, max_position_embeddings=65, type_vocab_size=1, pad_token_id=0, **SHAPE
    )
    return RobertaForMaskedLM(config)


def xlm_roberta(vocab_size: int) -> PreTrainedModel:
    """xlm-roberta-base in small."""
    config = XLMRobertaConfig(
        vocab_size=vocab_size, max_position_embeddings=66, type_vocab_size=1, pad_token_id=1, **SHAPE
    )
    return XLMRobertaForMaskedLM(config)


def modernbert(vocab_size: int) -> PreTrainedModel:
    """ModernBERT in small, its vocabulary rounded up and its neighbourhoods narrow enough to matter."""
    shape = SHAPE | {"num_hidden_layers": 4}
    config = ModernBertConfig(
        vocab_size=vocab_size + 7, local_attention=6, pad_token_id=0, max_position_embeddings=80, **ENDS, **shape
    )
    return ModernBertForMaskedLM(config)


MODELS: Mapping[str, Callable[[int], PreTrainedModel]] = {
    "bert": bert,
    "roberta": roberta,
    "xlm-roberta": xlm_roberta,
    "modernbert": modernbert,
}


def save_pretrained(kind: str, folder: Path, texts: list[str], wordpiece: Path) -> PreTrainedModel:
    """Writes model and tokenizer; biases and norms are random too, so that none can be left out unnoticed."""
    folder.mkdir(parents=True)
    if kind in ("bert", "roberta"):
        tokenizer = Tokenizer.from_file(str(wordpiece / "tokenizer.json"))
    else:
        tokenizer = unigram(texts) if kind == "xlm-roberta" else byte_level(texts)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(7)
    model = MODELS[kind](tokenizer.get_vocab_size()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    vocabulary = read_vocabulary(folder)
    special = set(vocabulary.special_ids)
    idf = {token: 2.0 for i, token in enumerate(vocabulary.tokens) if i not in special}
    (folder.parent / "idf.json").write_text(json.dumps(idf, ensure_ascii=False), encoding="utf-8")
    return model
