"""What is asked of a bundle's graphs before ONNX Runtime sees one: nothing else may be in them."""
