"""One synthesis layer, backward: what reaches its input, and the sums that its style's gradient takes.

With y a layer's output and x * s its modulated input, the gradient at the convolution is dL/dy times
the slope and the demodulation (see `slopes`), and dL/d(x * s) is what the adjoint convolution makes
of it. Where the forward pass clamped, the gradient is zero. In windows, cells outside the image are
zero whatever they stand for: the filter's adjoint lets no gradient flow into them.

A layer to colour is linear: rgb = sum_i W[o, i] * s_i * x_i + bias, without demodulation. A residual
block's skip layer is linear too and knows no w.
"""

from __future__ import annotations

from dataclasses import dataclass

from dragonnx_export.families.stylegan2.forward import noise_of
from dragonnx_export.families.stylegan2.layers import RgbLayer, SkipLayer, SynthesisLayer
from dragonnx_export.families.stylegan2.slopes import Slopes
from dragonnx_export.families.stylegan2.style_gradient import LayerSums, over_map
from dragonnx_export.families.stylegan2.windows import Window
from dragonnx_export.graphs.adjoint_kernel import adjoint_kernel
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.constant import Constant


@dataclass(frozen=True)
class BackwardStep:
    """A layer between the gradient at its output and the gradient at its input.

    Attributes:
        grad_modulated: dL/d(x * s), x being the input and s the style.
        direct: The sum of that times x over the map, [1, inputs, 1, 1], or None where nobody asked.
        sums: What the gradient of the style takes, or None where nobody asked.
    """

    grad_modulated: str
    direct: str | None
    sums: LayerSums | None


def layer_backward(
    graph: GraphBuilder,
    layer: SynthesisLayer,
    *,
    x: str | None,
    y: str,
    grad: str,
    slopes: Slopes,
    dot: str | None,
    trainable: bool,
    window: Window | None = None,
    cut: int | None = None,
) -> BackwardStep:
    """From the gradient at a layer's output to that at its modulated input.

    Args:
        graph: Where the nodes go.
        layer: The layer.
        x: Its input; None where the sum `direct` is not wanted.
        y: Its output.
        grad: dL/dy, without the style of a layer that alone reads y.
        slopes: What makes of it the gradient at the convolution.
        dot: The sum of grad * y over the map, where it is known.
        trainable: Whether a gradient of the layer's style is wanted; then x must be given.
        window: The windows that y is, as `forward.layer_forward` took them.
        cut: The block in which windows begin: its first layer has the whole map as input.
    """
    if layer.clamp is not None:
        grad, dot = _unclamped(graph, grad, y, layer.clamp), None
    grad_convolved = slopes.through(layer, y, grad, windowed=window is not None)
    grad_biased = grad_convolved
    if not layer.upsamples:
        pads = [2 if window else 1] * 4
        kernel = adjoint_kernel(graph, layer.kernel)
        grad_x = graph.op("Conv", grad_convolved, kernel, pads=pads)
    else:
        # The adjoints of a correlation and of a transposed convolution, with the same weights.
        if window:
            grad_transposed = window.filtered_adjoint(grad_convolved)
            if layer.resolution == cut:
                grad_transposed = graph.sum(grad_transposed, (0,), keepdims=True)
            grad_biased = grad_transposed  # where windows take the bias, and only inside the image
        else:
            filter_ = graph.constant(layer.low_pass_adjoint)
            options = {"group": layer.outputs, "pads": [2, 2, 2, 2]}
            grad_transposed = graph.op("Conv", grad_convolved, filter_, **options)
        grad_x = graph.op("Conv", grad_transposed, graph.constant(layer.kernel), strides=[2, 2])
    if x is None:
        return BackwardStep(grad_x, None, None)
    direct = over_map(graph, graph.op("Mul", grad_x, x))
    if not trainable:
        return BackwardStep(grad_x, direct, None)
    noise = noise_of(graph, layer, window)
    sums = LayerSums(
        direct=direct,
        dot=dot or over_map(graph, graph.op("Mul", grad, y)),
        grad=over_map(graph, grad_biased),
        noise=over_map(graph, graph.op("Mul", grad_convolved, noise)) if noise else None,
    )
    return BackwardStep(grad_x, direct, sums)


def rgb_backward(
    graph: GraphBuilder, layer: RgbLayer, *, x: str, rgb: str | None, style: str, grad: str
) -> tuple[str, str]:
    """From dL/drgb to dL/dx [1, inputs, ...] and the gradient of the style [1, 1, inputs].

    Args:
        graph: Where the nodes go.
        layer: The layer from features to colour.
        x: Its input [1, inputs, height, width].
        rgb: Its output; needed only where it is clamped.
        style: Its style [1, inputs, 1, 1].
        grad: dL/drgb, shaped as rgb.
    """
    channels, inputs = layer.outputs, layer.inputs
    if layer.clamp is not None:
        assert rgb is not None, "a clamped layer's gradient needs its output"  # noqa: S101
        grad = _unclamped(graph, grad, rgb, layer.clamp)
    # Three colours are far fewer than the channels: the sums over the map come first.
    flat = graph.reshape(grad, (1, channels, -1))
    cells = graph.op("Transpose", graph.reshape(x, (1, inputs, -1)), perm=[0, 2, 1])
    correlation = graph.op("MatMul", flat, cells)
    direct = graph.op("Mul", correlation, graph.constant(layer.matrix))
    per_weight = graph.reshape(style, (inputs, 1, 1, 1))
    kernel = graph.op("Mul", graph.constant(layer.adjoint_kernel), per_weight)
    return graph.op("Conv", grad, kernel), graph.sum(direct, (1,), keepdims=True)


def skip_backward(
    graph: GraphBuilder, layer: SkipLayer, grad: str, window: Window | None, *, cuts: bool
) -> str:
    """dL/dx from the gradient at a residual block's output, through its skip layer alone.

    Args:
        graph: Where the nodes go.
        layer: The skip layer.
        grad: The gradient.
        window: The windows that the gradient is of.
        cuts: Whether x is the whole map that windows were cut from.
    """
    if window:
        grad = window.upsampled_adjoint(grad)
        if cuts:
            grad = graph.sum(grad, (0,), keepdims=True)
    else:
        grad = upsample_adjoint(graph, layer.upsampling, grad)
    return graph.op("Conv", grad, graph.constant(layer.adjoint_kernel))


def upsample_adjoint(graph: GraphBuilder, kernel: Constant, grad: str) -> str:
    """dL/dx from the gradient at twice the size of x, which was upsampled with that kernel."""
    options = {"strides": [2, 2], "pads": [1, 1, 1, 1], "group": len(kernel.values)}
    return graph.op("Conv", grad, graph.constant(kernel), **options)


def _unclamped(graph: GraphBuilder, grad: str, y: str, clamp: float) -> str:
    """The gradient where the clamp let it through."""
    inside = graph.op("Less", graph.op("Abs", y), graph.constant(clamp))
    return graph.op("Where", inside, grad, graph.constant(0.0))
