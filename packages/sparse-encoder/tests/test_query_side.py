"""The query side of a model folder, and the table that it is written as."""

import json
from pathlib import Path

import numpy as np
from sparse_encoder.query_side import QuerySide, write_idf
from sparse_encoder.tokenizer_build import assemble
from sparse_encoder.vocabulary import read_vocabulary


def test_a_token_that_is_not_nfc_keeps_its_spelling_as_the_server_decodes_it(tmp_path: Path) -> None:
    compatible = chr(0xF9CA)
    assemble(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", compatible, "流"]).save(str(tmp_path / "tokenizer.json"))
    idf = np.array([0, 0, 0, 0, 0, 1.5, 2.5], dtype=np.float32)
    side = QuerySide(vocabulary=read_vocabulary(tmp_path), idf=idf, max_tokens=9, max_active_terms=7)
    write_idf(side, tmp_path / "idf.json")
    assert json.loads((tmp_path / "idf.json").read_text(encoding="utf-8")) == {compatible: 1.5, "流": 2.5}
