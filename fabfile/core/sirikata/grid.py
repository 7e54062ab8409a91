"""Sirikata's space as a grid of regions, one for each space server."""

import math
import re

# Metres along each side of a region.
REGION = (1000, 1000, 1000)


def layout(servers: str | int) -> str:
    """A grid of that many regions, as close to a square as possible: <3,2,1> for 6."""
    count = int(servers)
    short = next(side for side in range(math.isqrt(count), 0, -1) if count % side == 0)
    return f"<{count // short},{short},1>"


def region(grid: str) -> str:
    """The part of space that a grid divides, around its origin; each server has an equal share."""
    halves = [side * REGION[axis] // 2 for axis, side in enumerate(_sides(grid))]
    low, high = ",".join(str(-half) for half in halves), ",".join(str(half) for half in halves)
    return f"<<{low}>,<{high}>>"


def cells(grid: str) -> int:
    """The number of regions in a grid."""
    return math.prod(_sides(grid))


def _sides(grid: str) -> list[int]:
    return [int(side) for side in re.findall("[0-9]+", grid)]
