"""What a model is handed out as: source, IR, ONNX and more; one file each."""
