"""ONNX: export with a parity check, and a server of what was exported."""
