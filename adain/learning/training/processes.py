"""Rank and world size of distributed training, 0 and 1 where there is one process."""

import torch.distributed as dist


def rank() -> int:
    """The number of this process, 0 where it is the only one."""
    return dist.get_rank() if dist.is_initialized() else 0


def ranks() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1
