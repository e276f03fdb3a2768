"""Data, calibration, losses and the loop: how a model file comes to be."""
