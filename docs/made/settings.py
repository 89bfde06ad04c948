"""The page of settings: the files that ``config init`` and ``serve init`` write."""

from __future__ import annotations

from hemocast.config import commented_settings
from hemocast.serve.hospital.settings import settings_text

PAGE = "reference/settings.md"


def pages() -> dict[str, str]:
    """Give the page."""
    return {
        PAGE: f"""# Settings

Two files hold all settings. Every line may be changed or left out; what is not known, or out of its range, is refused
([HC002](refusals.md#hc002)), all faults at once.

## Of `train`, `crossval` and `tune`

`hemocast config init` writes this file; `--config FILE` takes it.

```yaml
{commented_settings()}```

## Of `hemocast serve`

`hemocast serve init` writes this file; `--config FILE` takes it.

```yaml
{settings_text()}```
"""
    }
