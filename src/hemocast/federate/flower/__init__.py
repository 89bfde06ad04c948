"""Flower's transport: the same rounds, hospitals as SuperNodes, the coordinator as ServerApp.

Telemetry is off before anything of Flower's is imported.
"""

import os

os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
