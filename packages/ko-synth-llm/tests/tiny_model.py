"""A Qwen3 with random weights and a tokenizer of bytes, small enough to be made by a test in a second.

It knows every text and means nothing: what it writes shows batching, limits and structure, never sense.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import Qwen3ForCausalLM

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
THOUGHT = ["<think>", "</think>"]


def save_tiny_model(folder: Path, *, seed: int = 0, max_length: int = 8192) -> Path:
    """Writes the model and its tokenizer as a folder that transformers and vLLM load."""
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: at for at, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in MARKS])
    tokenizer.add_tokens([AddedToken(mark, special=False) for mark in THOUGHT])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=TEMPLATE
    )
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=len(letters) + len(MARKS) + len(THOUGHT),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=max_length,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
        bos_token_id=None,
    )
    model = Qwen3ForCausalLM(config)
    rare = [at for at, letter in enumerate(letters) if not "!" <= letter <= "~" or letter == "\\"]
    rare += [fast.convert_tokens_to_ids(mark) for mark in (*MARKS[:2], *THOUGHT)]
    with torch.no_grad():
        _make_rare(model, rare)
    model.to(torch.bfloat16).save_pretrained(folder)
    return folder


def _make_rare(model: "Qwen3ForCausalLM", tokens: list[int]) -> None:
    """Lets a model write these tokens only where nothing else is allowed: marks, and what is no printable ASCII.

    Decoding drops marks, and parts of characters, so that a text of these would not be as long as it was written.
    The first dimension is made the same, positive number everywhere, and then counts against the tokens.
    """
    model.model.embed_tokens.weight[:, 0] = 1.0
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight[0] = 0.0
        layer.mlp.down_proj.weight[0] = 0.0
    model.lm_head.weight[:, 0] = 0.0
    model.lm_head.weight[tokens, 0] = -20.0
