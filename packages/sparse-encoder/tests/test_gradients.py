from collections.abc import Callable
from itertools import islice
from pathlib import Path

import msgspec
import pytest
import torch
from sparse_encoder.bert import Bert, bert_config, start_lexical
from sparse_encoder.gradients import Backward, gradients_of
from sparse_encoder.groups import batches
from sparse_encoder.lexical import LexicalChannel
from sparse_encoder.material import Material, read_material
from sparse_encoder.network import Network, named_parameters
from sparse_encoder.objective import encode, loss_of, loss_weights, plan_step
from sparse_encoder.processes import Processes
from sparse_encoder.recipe import Recipe, read_recipe
from sparse_encoder.recomputing import recomputed_layers
from sparse_encoder.updates import Updates
from torch import Tensor


@pytest.fixture
def recipe(data: Path) -> Recipe:
    return msgspec.structs.replace(read_recipe(data / "recipe.yaml"), hard_negatives=1, easy_negatives=1)


@pytest.fixture
def material(recipe: Recipe) -> Material:
    return read_material(recipe)


def network_of(material: Material, *, dropout: float = 0.0) -> Network:
    n_tokens = len(material.vocabulary.tokens)
    config = msgspec.structs.replace(
        bert_config("tiny", vocab_size=n_tokens, max_tokens=64), hidden_dropout_prob=dropout
    )
    bert = Bert(config)
    start_lexical(bert, twins=[], silent=material.vocabulary.special_ids, threshold=2.0, seed=1)
    lexical = LexicalChannel(n_tokens, mean_length=10.0)
    return Network(bert=bert.train(), idf=torch.tensor(material.idf), lexical=lexical)


Gradients = Callable[[Backward], list[Tensor]]


def gradients(recipe: Recipe, material: Material, network: Network) -> Gradients:
    """The gradients of the run's eleventh step, as a function of how they are computed."""
    (batch,) = islice(batches(material.train, batch=recipe.batch, hard=1, easy=1, seed=recipe.seed), 1)
    plan = plan_step(network, batch, material.train, recipe=recipe, terms=material.terms, number=10)
    weights = loss_weights(recipe, 10)
    parameters = [p for _, p in named_parameters(network)]

    def found(how: Backward) -> list[Tensor]:
        torch.manual_seed(how.seed)
        return gradients_of(lambda v: loss_of(v, plan, recipe.losses, weights), plan, network, parameters, how=how)[1]

    return found


def assert_close(found: list[Tensor], wanted: list[Tensor]) -> None:
    assert any(bool(g.any()) for g in wanted)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("piece", [1, 3, 100])
def test_a_gradient_cache_has_the_gradients_of_the_whole_batch(recipe: Recipe, material: Material, piece: int) -> None:
    found = gradients(recipe, material, network_of(material))
    assert_close(found(Backward(leak=0.3, piece=piece)), found(Backward(leak=0.3)))


def test_a_piece_has_the_same_dropout_both_times(
    recipe: Recipe, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = network_of(material, dropout=0.5)
    cached = gradients(recipe, material, network)(Backward(piece=100, seed=5))
    drawn: list[int] = []

    def seeded(network: Network, kind: str, texts: list[list[int]], columns: Tensor, *, leak: float) -> Tensor:
        """A plain step that draws its masks as the pieces do."""
        torch.manual_seed(5 * 100_003 + len(drawn))
        drawn.append(0)
        return encode(network, kind, texts, columns, leak=leak)  # type: ignore[arg-type]

    monkeypatch.setattr("sparse_encoder.gradients.encode", seeded)
    assert_close(cached, gradients(recipe, material, network)(Backward(seed=5)))


def test_recomputed_layers_have_the_same_gradients(recipe: Recipe, material: Material) -> None:
    network = network_of(material, dropout=0.1)
    found = gradients(recipe, material, network)
    plain = found(Backward(seed=3))
    with recomputed_layers(network.bert):
        recomputed = found(Backward(seed=3))
    assert_close(recomputed, plain)
    assert_close(found(Backward(seed=3)), plain)


def test_bf16_and_fp16_give_nearly_the_gradients_of_fp32(recipe: Recipe, material: Material) -> None:
    network = network_of(material)
    plain = torch.cat([g.flatten() for g in gradients(recipe, material, network)(Backward())])
    for products, least in ((torch.bfloat16, 0.99), (torch.float16, 0.999)):
        half = Network(bert=network.bert, idf=network.idf, lexical=network.lexical, products=products)
        found = torch.cat([g.flatten() for g in gradients(recipe, material, half)(Backward())])
        assert found.dtype == torch.float32
        assert float(torch.nn.functional.cosine_similarity(found, plain, dim=0)) > least


def test_scaled_gradients_are_the_scale_times_as_large(recipe: Recipe, material: Material) -> None:
    network = network_of(material)
    (batch,) = islice(batches(material.train, batch=4, hard=1, easy=1, seed=1), 1)
    plan = plan_step(network, batch, material.train, recipe=recipe, terms=material.terms, number=0)
    parameters = [p for _, p in named_parameters(network)]
    weights = loss_weights(recipe, 5)
    plain, scaled = (
        gradients_of(
            lambda v: loss_of(v, plan, recipe.losses, weights), plan, network, parameters, how=Backward(), scale=scale
        )[1]
        for scale in (1.0, 1024.0)
    )
    assert_close([g / 1024 for g in scaled], plain)


def test_an_accumulated_step_is_a_step_by_the_mean_gradient(recipe: Recipe, material: Material) -> None:
    """Of a loss that is a mean over queries, told from their own groups alone: it is that of one large batch."""
    losses = msgspec.structs.replace(
        recipe.losses,
        infonce=msgspec.structs.replace(recipe.losses.infonce, in_batch=False),
        flops=msgspec.structs.replace(recipe.losses.flops, weight=0.0),
        alignment=msgspec.structs.replace(recipe.losses.alignment, weight=0.0),
    )
    common = {"losses": losses, "columns": 0, "hard_negatives": 1, "clip": 1e-3}
    whole = msgspec.structs.replace(recipe, batch=8, accumulate=1, **common)
    parts = msgspec.structs.replace(recipe, batch=2, accumulate=4, **common)
    weights = []
    for settings in (whole, parts):
        network = network_of(material)
        updates = Updates(recipe=settings, material=material, network=network, processes=Processes())
        drawn = batches(material.train, batch=settings.batch, hard=1, easy=0, seed=1)
        measured = updates.step(list(islice(drawn, settings.accumulate)), number=0, pressure=1.0)
        assert measured.is_finite
        assert measured.gradient_norm > 1e-3
        weights.append(list(updates.optimizer.means))
    assert_close(weights[1], weights[0])
