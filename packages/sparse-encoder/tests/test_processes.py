import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from gradients_worker import gradients
from safetensors.torch import load_file
from sparse_encoder.history import read_history
from sparse_encoder.processes import Processes
from sparse_encoder.recipe import read_recipe
from sparse_encoder.training import train

HERE = Path(__file__).parent
ACCELERATE = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes=2"]
ACCELERATE += ["--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no", "--main_process_port=0"]


def test_shares_are_all_rows_once() -> None:
    shares = [list(Processes(rank=r, count=3).share_of(8)) for r in range(3)]
    assert sorted(row for share in shares for row in share) == list(range(8))


def test_one_process_needs_nobody() -> None:
    rows = torch.ones(3, 2, requires_grad=True)
    assert not Processes().gather(rows, n=3).requires_grad
    assert Processes().as_first_says([1.5], torch.device("cpu")) == [1.5]


def test_two_processes_have_the_gradients_of_one_with_the_whole_batch(data: Path, tmp_path: Path) -> None:
    """With the graph held and with a gradient cache."""
    _, wanted = gradients(data / "recipe.yaml", [0])
    assert any(bool(g.any()) for g in wanted.values())
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "gradients_worker.py"), str(data / "recipe.yaml"), str(tmp_path)]
    started = [subprocess.Popen(command, env={**os.environ, **address, "RANK": str(rank)}) for rank in (0, 1)]
    assert [process.wait() for process in started] == [0, 0]
    for rank in (0, 1):
        found = load_file(tmp_path / f"{rank}.safetensors")
        for piece in (0, 3):
            of_piece = {name: found[name.replace("0/", f"{piece}/", 1)] for name in wanted}
            torch.testing.assert_close(of_piece, wanted, rtol=1e-5, atol=1e-6)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_accelerate_starts_the_same_command_and_one_process_writes(data: Path, tmp_path: Path) -> None:
    """Which is torchrun with another face; weights differ by what AdamW makes of rounding, so losses are compared."""
    wanted = train(read_recipe(data / "recipe.yaml"), work=tmp_path / "work", log=lambda line: None).history
    words = ["-m", "sparse_encoder", "train", str(data / "recipe.yaml"), "--output", str(tmp_path / "model")]
    done = subprocess.run([*ACCELERATE, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("step 6/6") == 1
    found = read_history(tmp_path / "model" / "training_history.json")
    assert found[0]["loss"] == pytest.approx(wanted[0]["loss"], rel=1e-3)
    assert not list(tmp_path.glob(".*"))
