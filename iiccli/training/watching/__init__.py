"""What shows a training: its log, the display on a terminal, TensorBoard, sheets and curves."""
