"""The quadratic ramp under which a sparsity loss grows, so that the model finds terms before it drops them."""


def ramp(step: int, *, n_steps: int) -> float:
    """min(1, (step / n_steps) ** 2); 1 at once where `n_steps` is 0.

    Source: Paria et al. 2020, arXiv:2004.05665, as SPLADE uses it.

    >>> ramp(150, n_steps=300), ramp(500, n_steps=300), ramp(0, n_steps=0)
    (0.25, 1.0, 1.0)
    """
    return min(1.0, (step / n_steps) ** 2) if n_steps else 1.0
