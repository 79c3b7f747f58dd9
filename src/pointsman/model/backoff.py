"""How long to wait before something is tried again: twice as long each time, and never in step."""

import random
from collections.abc import Callable


def delay(
    attempt: int, first: float, most: float, draw: Callable[[], float] = random.random
) -> float:
    """Return the seconds to wait before an attempt, numbered from 1.

    The ceiling doubles from ``first`` up to ``most``; the wait is drawn from its upper half, so
    that many who fail together do not come back together, and nobody comes back at once ("equal
    jitter", AWS Architecture Blog, Exponential Backoff And Jitter, 2015). ``draw`` returns a
    number in [0, 1).
    """
    # 2 ** 64 s is for ever: a larger exponent only makes a number too large for a float.
    ceiling = min(most, first * 2.0 ** min(max(attempt, 1) - 1, 64))
    return ceiling / 2 + ceiling / 2 * draw()
