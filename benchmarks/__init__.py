"""Speed of both models beside the paper's pipeline in PyTorch: ``python -m benchmarks``."""
