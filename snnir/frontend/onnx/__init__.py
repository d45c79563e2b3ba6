"""Reading ONNX files: `reader` and what it is made of."""
