"""Started twice by test_processes.py: writes the gradients of one step, as each of two processes has them."""

import sys
from itertools import islice
from pathlib import Path

import msgspec
import torch
from safetensors.torch import save_file
from sparse_encoder.building import build_network
from sparse_encoder.gradients import Backward, gradients_of
from sparse_encoder.groups import batches
from sparse_encoder.material import read_material
from sparse_encoder.network import Network, named_parameters
from sparse_encoder.objective import loss_of, loss_weights, plan_step
from sparse_encoder.processes import joined_processes
from sparse_encoder.recipe import read_recipe


def gradients(recipe_path: Path, pieces: list[int]) -> tuple[int, dict[str, torch.Tensor]]:
    """This process's rank, and the gradients that it has after the step, by size of piece and parameter."""
    torch.set_num_threads(1)
    device = torch.device("cpu")
    recipe = msgspec.structs.replace(read_recipe(recipe_path), batch=5, hard_negatives=1)
    material = read_material(recipe)
    network: Network = build_network(recipe, material, device, torch.float32)
    (batch,) = islice(batches(material.train, batch=5, hard=1, easy=0, seed=1), 1)
    plan = plan_step(network, batch, material.train, recipe=recipe, terms=material.terms, number=5)
    names, parameters = zip(*named_parameters(network), strict=True)
    weights = loss_weights(recipe, 5)
    found: dict[str, torch.Tensor] = {}
    with joined_processes(device) as processes:
        for piece in pieces:
            _, of_piece = gradients_of(
                lambda vectors: loss_of(vectors, plan, recipe.losses, weights),
                plan,
                network,
                parameters,
                how=Backward(leak=0.3, piece=piece, processes=processes),
            )
            found |= {f"{piece}/{name}": gradient for name, gradient in zip(names, of_piece, strict=True)}
        return processes.rank, found


if __name__ == "__main__":
    rank, found = gradients(Path(sys.argv[1]), [0, 3])
    save_file(found, Path(sys.argv[2]) / f"{rank}.safetensors")
