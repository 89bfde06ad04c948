"""``hemocast pretrain``: simulated stacks in, an encoder for ``hemocast train --encoder`` out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import output


def pretrain(
    cohorts: Annotated[
        list[Path],
        typer.Argument(help="Folders of 'hemocast simulate --format stacks', wide ones best."),
    ],
    out: Annotated[
        Path, output("Folder for the encoder; new or unfinished.", "pre-trained encoder")
    ],
    net: Annotated[
        str | None,
        typer.Option(
            help="A network by name, such as ctnet3d. Default: that of --config, or Hemocast's own."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Settings, YAML: those under net are the network's. Default: its usual."),
    ] = None,
    members: Annotated[
        int | None,
        typer.Option(min=1, max=16, help="Networks, averaged: 3 of Hemocast's own, else 1."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Batches a member.")] = 3000,
    batch: Annotated[int, typer.Option(min=1, max=256, help="Scans a batch.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Of the first member.")] = 0,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Stop after this time; run again to continue.")
    ] = None,
) -> None:
    """Teach a network to outline infarcts and to name findings, on simulated heads.

    Labels, risks and outcomes are not read. A run that was stopped continues when started again.
    Any network can be taught: CTNet then starts from what it saw of infarcts, as our own does.
    """
    import math

    from hemocast.cli.progress import stage_bars
    from hemocast.config import Config, load_config
    from hemocast.train import PretrainCourse, PretrainPlan, pretrain_encoder

    limit_s = math.inf if minutes is None else minutes * 60
    course, own = PretrainCourse(steps, batch, seed=seed), PretrainPlan()
    chosen = own.net
    if config or net not in (None, own.net.name):
        chosen = (load_config(config) if config else Config()).with_net(net).net
    usual = own.members if chosen.name == own.net.name else 1
    with stage_bars() as progress:
        plan = PretrainPlan(chosen, course, members or usual, limit_s, progress)
        done = pretrain_encoder(cohorts, out, plan)
    print(f"Encoder: {out}" if done else "Not finished: run the same command again to continue")
