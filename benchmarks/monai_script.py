"""What one writes with MONAI and Lightning for the same task: `training_speed` measures against it.

The network is ours, unchanged, so that both loops train the same layers. All else is as MONAI and
Lightning offer it: the stacks lie in memory as float32 tensors, MONAI's dictionary transforms
augment a scan at a time (the same changes within the same limits as ours), `DataLoader` makes the
batches, Lightning trains and averages the weights. Run by itself it trains on random stacks.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging
from monai.data import DataLoader, Dataset
from monai.transforms import (
    Compose,
    RandAffined,
    RandFlipd,
    RandGaussianNoised,
    RandScaleIntensityd,
    RandShiftIntensityd,
)
from torch import Tensor
from torch.nn import functional

from hemocast.config import Config
from hemocast.nets import Network, build

KEY = ["image"]


def transforms(pixels: int) -> Compose:
    """Return the random changes; they act on (channels, frames, H, W)."""
    shift = 0.08 * pixels / 2
    return Compose(
        [
            RandFlipd(KEY, prob=0.5, spatial_axis=2),
            RandAffined(
                KEY,
                prob=1.0,
                rotate_range=(math.radians(8), 0, 0),
                scale_range=(0, 0.08, 0.08),
                translate_range=(1, shift, shift),
                padding_mode="zeros",
            ),
            RandScaleIntensityd(KEY, factors=0.1, prob=1.0),
            RandShiftIntensityd(KEY, offsets=0.05, prob=1.0),
            RandGaussianNoised(KEY, prob=1.0, std=0.03),
        ]
    )


class Script(lightning.LightningModule):
    """The network, its loss and its optimiser.

    Parameters
    ----------
    net : Network
    steps : int
        Batches in all epochs, for the schedule.
    """

    def __init__(self, net: Network, steps: int) -> None:
        super().__init__()
        self.net, self.steps = net, steps

    def training_step(self, batch: dict[str, Tensor], _index: int) -> Tensor:
        """Return the loss of a batch."""
        logit, _ = self.net(batch["image"].squeeze(1))
        loss = functional.binary_cross_entropy_with_logits(logit.float(), batch["label"])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: dict[str, Tensor], _index: int) -> None:
        """Log the loss of a batch."""
        logit, _ = self.net(batch["image"].squeeze(1))
        loss = functional.binary_cross_entropy_with_logits(logit.float(), batch["label"])
        self.log("validation_loss", loss)

    def configure_optimizers(self) -> Any:
        """AdamW and one cycle, as ours."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=2e-3, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, self.steps, pct_start=0.1)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def train(frames: Tensor, label: Tensor, config: Config, bf16: bool) -> Network:
    """Train on four fifths of the scans, validating on the others after every epoch.

    Parameters
    ----------
    frames : Tensor, float32 (n, frames, H, W)
        In memory.
    label : Tensor, float32 (n,)
    config : Config
        The network, how many epochs, and the size of a batch.
    bf16 : bool
        Let Lightning train in bfloat16 ("bf16-mixed").
    """
    warnings.filterwarnings("ignore")
    items = [{"image": one[None], "label": y} for one, y in zip(frames, label, strict=True)]
    cut, settings = len(items) * 4 // 5, config.train
    learned = Dataset(items[:cut], transforms(frames.shape[-1]))
    loader = DataLoader(learned, batch_size=settings.batch_size, shuffle=True)
    held = DataLoader(Dataset(items[cut:]), batch_size=settings.batch_size)
    net = build(config.net, frames.shape[1])
    trainer = lightning.Trainer(
        accelerator="cpu",
        precision="bf16-mixed" if bf16 else "32-true",
        max_epochs=settings.epochs,
        gradient_clip_val=5.0,
        callbacks=[EMAWeightAveraging(decay=0.97)],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Script(net, settings.epochs * len(loader)), loader, held)
    return net.eval()


if __name__ == "__main__":
    rng = torch.Generator().manual_seed(0)
    stacks = torch.rand((40, 28, 192, 192), generator=rng)
    train(stacks, (torch.arange(40) % 2).float(), Config(), bf16=False)
