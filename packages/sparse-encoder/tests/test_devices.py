import pytest
import torch
from sparse_encoder._files import InputError
from sparse_encoder.devices import choose_device, choose_precision, deal_device


def test_fp16_is_refused_where_there_is_no_gpu() -> None:
    with pytest.raises(InputError, match="'precision' is fp16, which wants a CUDA GPU; on cpu give bf16"):
        choose_precision("fp16", torch.device("cpu"))


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="torch finds no CUDA GPU"):
        choose_device("cuda")
    assert choose_device("auto") == torch.device("cpu")


def test_a_process_without_a_gpu_of_its_own_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(InputError, match="start at most 2 processes"):
        choose_device("auto")


def test_gpus_are_dealt_out_to_processes_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    assert [str(deal_device("auto", n)) for n in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert taken == [0, 1, 0]
    assert deal_device("cpu", 1) == torch.device("cpu")


def test_precision_is_what_was_asked_for() -> None:
    cpu = torch.device("cpu")
    assert choose_precision("fp32", cpu) == torch.float32
    assert choose_precision("bf16", cpu) == torch.bfloat16
