"""Networks and models as ONNX files, and networks from them."""
