"""A trained model is a folder: saving, loading, calibration, prediction with its heatmap.

Loading and predicting need ONNX Runtime only; saving needs torch.
"""

from hemocast.model.bundle import (
    load,
    load_default,
    load_network,
    save_measured,
    save_model,
    save_recalibrated,
    save_to_pass_on,
)
from hemocast.model.calibrate import Calibration, fit_calibration
from hemocast.model.label_sets import LabelSets, fit_label_sets
from hemocast.model.prediction import Prediction
from hemocast.model.predictor import Model, heatmap_on_scan
from hemocast.model.recalibrate import Change, recalibrate
from hemocast.model.schema import Description, Purpose, Recipe, TrainingFacts

__all__ = [
    "Calibration",
    "Change",
    "Description",
    "LabelSets",
    "Model",
    "Prediction",
    "Purpose",
    "Recipe",
    "TrainingFacts",
    "fit_calibration",
    "fit_label_sets",
    "heatmap_on_scan",
    "load",
    "load_default",
    "load_network",
    "recalibrate",
    "save_measured",
    "save_model",
    "save_recalibrated",
    "save_to_pass_on",
]
