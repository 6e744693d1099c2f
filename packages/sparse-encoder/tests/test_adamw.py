import pytest
import torch
from sparse_encoder.adamw import AdamW, clip
from torch import Tensor


def plain(values: list[float], gradients: list[float], *, decay: float) -> list[float]:
    """Two steps of AdamW by hand at rate 0.1, the gradient the same in both."""
    found = []
    for value, gradient in zip(values, gradients, strict=True):
        mean = square = 0.0
        for number in (1, 2):
            value *= 1 - 0.1 * decay
            mean, square = 0.9 * mean + 0.1 * gradient, 0.98 * square + 0.02 * gradient**2
            root = (square / (1 - 0.98**number)) ** 0.5
            value -= 0.1 * (mean / (1 - 0.9**number)) / (root + 1e-8)
        found.append(value)
    return found


def two_steps(parameter: Tensor, gradient: Tensor) -> list[float]:
    optimizer = AdamW([parameter], weight_decay=0.5)
    for number in (1, 2):
        optimizer.step([gradient], rate=0.1, number=number)
    return parameter.flatten().tolist()


def test_two_steps_by_hand_matrices_decay_and_vectors_do_not() -> None:
    matrix, vector = torch.tensor([[1.0, -2.0]]), torch.tensor([1.0, -2.0])
    gradient = torch.tensor([0.5, 3.0])
    assert two_steps(matrix, gradient[None]) == pytest.approx(plain([1.0, -2.0], [0.5, 3.0], decay=0.5), rel=1e-6)
    assert two_steps(vector, gradient) == pytest.approx(plain([1.0, -2.0], [0.5, 3.0], decay=0.0), rel=1e-6)


def test_a_transposed_gradient_moves_the_right_weights() -> None:
    gradient = torch.tensor([[1.0, -1.0], [1.0, 1.0]])
    straight, turned = torch.zeros(2, 2), torch.zeros(2, 2)
    AdamW([straight], weight_decay=0.0).step([gradient], rate=0.1, number=1)
    AdamW([turned], weight_decay=0.0).step([gradient.T.contiguous().T], rate=0.1, number=1)
    assert turned.tolist() == straight.tolist()


def test_clipping_scales_all_to_the_largest_norm() -> None:
    gradients = [torch.tensor([3.0]), torch.tensor([[4.0]])]
    assert clip(gradients, largest=1.0) == 5.0
    assert [g.item() for g in gradients] == pytest.approx([0.6, 0.8])
