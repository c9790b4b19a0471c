"""Models of specs in timm: its `create_model`, training script and feature API."""
