"""StyleGAN2 (arXiv 1912.04958): its graphs, authored node by node from a checkpoint's arrays.

ONNX Runtime has no autograd in inference, so the gradient is itself a forward graph: a
vector-Jacobian product, called the pullback.
"""
