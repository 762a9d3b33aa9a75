"""``python -m export``: a model's weights to ONNX files that are proven against torch."""
