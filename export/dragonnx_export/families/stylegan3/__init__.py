"""StyleGAN3 (arXiv 2106.12423): its graphs, authored node by node from a checkpoint's arrays.

The gradient is itself a forward graph, the pullback, as in the family StyleGAN2.
"""
