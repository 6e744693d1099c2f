import torch
from sparse_encoder.bert import OWN, THRESHOLD, Bert, bert_config, start_lexical
from sparse_encoder.network import Network
from transformers import BertConfig, BertForMaskedLM


def test_it_computes_what_transformers_computes() -> None:
    theirs = BertForMaskedLM(
        BertConfig(vocab_size=50, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=512)
    ).eval()
    ours = Bert(bert_config("tiny", vocab_size=50, max_tokens=512)).eval()
    found = theirs.state_dict()
    ours.load_state_dict({name: found[name] for name in ours.state_dict()})
    ids = torch.randint(5, 50, (2, 9), generator=torch.Generator().manual_seed(1))
    mask = torch.tensor([[1] * 9, [1] * 5 + [0] * 4])
    with torch.no_grad():
        wanted = theirs(input_ids=ids, attention_mask=mask).logits
        logits = ours.hidden(ids, mask) @ ours.output_weight().T + ours.output_bias()
    torch.testing.assert_close(logits[mask == 1], wanted[mask == 1], atol=2e-5, rtol=1e-4)


def test_before_its_first_step_the_model_is_a_bag_of_words() -> None:
    bert = Bert(bert_config("tiny", vocab_size=3000, max_tokens=64))
    start_lexical(bert, twins=[], silent=(0, 2, 3), threshold=THRESHOLD, seed=42)
    with torch.no_grad():
        weights = Network(bert=bert, idf=torch.ones(3000)).weights([[2, 7, 8, 9, 7, 3]], None)[0]
    own = weights[[7, 8, 9]]
    torch.testing.assert_close(own, torch.full((3,), OWN - THRESHOLD).log1p(), atol=0.1, rtol=0)
    others = weights.clone()
    others[[7, 8, 9]] = 0
    assert int((others > 0).sum()) <= 6
    assert float(weights[[0, 2, 3]].sum()) == 0.0


def test_an_inside_form_answers_its_start_form_a_little() -> None:
    bert = Bert(bert_config("tiny", vocab_size=3000, max_tokens=64))
    start_lexical(bert, twins=[(7, 8)], silent=(0, 2, 3), threshold=THRESHOLD, seed=42)
    with torch.no_grad():
        weights = Network(bert=bert, idf=torch.ones(3000)).weights([[2, 8, 3]], None)[0]
    assert 0 < float(weights[7]) < float(weights[8])
