"""Making a model: networks, losses, training and measuring. Needs ``adain[learn]`` (PyTorch)."""
