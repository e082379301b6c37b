"""From a fitted model to one ONNX graph that computes what the model computes."""
