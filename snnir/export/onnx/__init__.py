"""Writing ONNX files: `writer` and what it is made of."""
