"""The loss scale of fp16 training: gradients too small for half precision are computed larger, then made small again.

Source: Micikevicius et al. 2018, arXiv:1710.03740, with the scale found as the run goes.
"""

from dataclasses import dataclass

FIRST = 2.0**16
LEAST = 1.0
"""Below it the loss itself is too large for half precision."""
LONGEST = 2000
"""Steps without an overflow after which a larger scale is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossScale:
    """What the loss is multiplied with, and for how many steps nothing has overflowed."""

    value: float = 1.0
    calm: int = 0

    def after(self, *, overflowed: bool) -> "LossScale":
        """The scale of the next step: halved where a gradient was no number, doubled after LONGEST calm steps.

        >>> LossScale(value=8.0, calm=3).after(overflowed=True)
        LossScale(value=4.0, calm=0)
        >>> LossScale(value=8.0, calm=LONGEST - 1).after(overflowed=False)
        LossScale(value=16.0, calm=0)
        """
        if overflowed:
            return LossScale(value=self.value / 2)
        if self.calm + 1 == LONGEST:
            return LossScale(value=self.value * 2)
        return LossScale(value=self.value, calm=self.calm + 1)
