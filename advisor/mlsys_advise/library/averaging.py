"""What makes the ranks of a training run share their gradients, by library (state of the libraries: 2026-11)."""

from __future__ import annotations

from typing import Final

#: Wrappers of models and optimizers, engines, and the collective by which hand-written code does it. A collective may
#: serve something else; a program without any of these trains each rank apart.
AVERAGING: Final = frozenset(
    (
        "torch.nn.parallel.DistributedDataParallel torch.nn.parallel.distributed.DistributedDataParallel "
        "torch.distributed.fsdp.FullyShardedDataParallel torch.distributed.fsdp.fully_shard "
        "torch.distributed.fsdp.fully_sharded_data_parallel.FullyShardedDataParallel "
        "torch.distributed._composable.fsdp.fully_shard torch.distributed._composable.replicate.replicate "
        "torch.distributed.all_reduce torch.distributed.reduce_scatter torch.distributed.all_reduce_coalesced "
        "torch.distributed.reduce_scatter_tensor torch.distributed.reduce "
        "apex.parallel.DistributedDataParallel apex.parallel.distributed.DistributedDataParallel "
        "deepspeed.initialize horovod.torch.DistributedOptimizer "
        "accelerate.Accelerator lightning.fabric.Fabric lightning.Fabric "
        "ray.train.torch.prepare_model "
        "fairscale.nn.FullyShardedDataParallel fairscale.nn.data_parallel.FullyShardedDataParallel "
        "fairscale.nn.ShardedDataParallel fairscale.nn.data_parallel.ShardedDataParallel "
        "mmcv.parallel.MMDistributedDataParallel mmengine.model.MMDistributedDataParallel "
        "colossalai.initialize colossalai.booster.Booster bagua.torch_api.with_bagua "
        "torch_xla.core.xla_model.optimizer_step torch_xla.core.xla_model.reduce_gradients"
    ).split()
)
