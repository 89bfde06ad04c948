"""AUC and the ROC curve."""
