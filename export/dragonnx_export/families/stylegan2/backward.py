"""One synthesis layer, backward: what reaches its input and its w.

Nothing of the forward pass is computed again: a leaky ReLU can be inverted from its output. With
y a layer's output, g = dL/dy and g1 = g * (gain or 0.2 gain), the sign of y deciding:

    dL/d(conv * d) = g1                  and, since inverting the activation undoes that factor,
    sum g1 * (conv * d) = sum g * y - bias * sum g1 - sum g1 * noise;
    dL/d(x * s)    = conv_backward(g1 * d) = gx,        dL/dx = gx * s;
    dL/ds_i        = sum (gx * x)_i - s_i * sum_o W2[o, i] * d_o^2 * (sum g1 * conv * d)_o,

W2 being the convolution weights' squares summed over the taps. Where the forward pass clamped,
the gradient is zero. In windows, cells outside the image are zero whatever they stand for: no
gradient flows into them.

A layer to colour is linear: rgb = sum_i W[o, i] * s_i * x_i + bias, without demodulation. A residual
block's skip layer is linear too and knows no w.
"""

from __future__ import annotations

from dataclasses import dataclass

from dragonnx_export.families.stylegan2.forward import (
    demodulation_of,
    noise_of,
    per_channel,
    style_of,
)
from dragonnx_export.families.stylegan2.layers import (
    LEAK,
    RgbLayer,
    SkipLayer,
    Style,
    SynthesisLayer,
)
from dragonnx_export.families.stylegan2.windows import Window
from dragonnx_export.graphs.adjoint_kernel import adjoint_kernel
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.constant import Constant


@dataclass(frozen=True)
class BackwardStep:
    """A layer between the gradient at its output and the gradient at its input.

    Attributes:
        style: The style s [N, inputs].
        grad_modulated: dL/d(x * s).
        grad_w: dL/dw [N, 1, w_dim] through this layer, or None where nobody asked.
    """

    style: str
    grad_modulated: str
    grad_w: str | None

    def grad_input(self, graph: GraphBuilder, layer: SynthesisLayer) -> str:
        """dL/dx, x being the layer's input."""
        return graph.op("Mul", self.grad_modulated, per_channel(graph, self.style, layer.inputs))


def layer_backward(
    graph: GraphBuilder,
    layer: SynthesisLayer,
    *,
    x: str | None,
    y: str,
    w_plus: str,
    grad: str,
    window: Window | None = None,
    cut: int | None = None,
) -> BackwardStep:
    """From dL/dy to dL/d(x * s), and to dL/dw where the input x is given.

    Args:
        graph: Where the nodes go.
        layer: The layer.
        x: Its input; None where no gradient for w is wanted.
        y: Its output.
        w_plus: The latent.
        grad: dL/dy.
        window: The windows that y is, as `forward.layer_forward` took them.
        cut: The block in which windows begin: its first layer has the whole map as input.
    """
    style = style_of(graph, layer.style, w_plus)
    demodulation = demodulation_of(graph, layer, style)
    if window and layer.upsamples:
        grad = graph.op("Mul", grad, window.inside(graph))
    grad, grad_pre = _activation_backward(graph, layer, y, grad)
    grad_x = _convolution_backward(graph, layer, grad_pre, demodulation, window, cut)
    if x is None:
        return BackwardStep(style, grad_x, None)
    conv_dot = _convolution_dot(graph, layer, y, grad, grad_pre, window)
    whole_input = window is None or (layer.upsamples and layer.resolution == cut)
    direct = _over_map(graph, graph.op("Mul", grad_x, x), windowed=not whole_input)
    grad_style = _style_gradient(graph, layer, direct, style, demodulation, conv_dot)
    return BackwardStep(style, grad_x, _through_affine(graph, layer.style, grad_style))


def rgb_backward(
    graph: GraphBuilder, layer: RgbLayer, *, x: str, rgb: str | None, w_plus: str, grad: str
) -> tuple[str, str]:
    """From dL/drgb to dL/dx [N, inputs, ...] and dL/dw [N, 1, w_dim].

    Args:
        graph: Where the nodes go.
        layer: The layer from features to colour.
        x: Its input [N, inputs, height, width].
        rgb: Its output; needed only where it is clamped.
        w_plus: The latent.
        grad: dL/drgb, shaped as rgb.
    """
    channels, inputs = layer.outputs, layer.inputs
    if layer.clamp is not None:
        assert rgb is not None, "a clamped layer's gradient needs its output"  # noqa: S101
        grad = _unclamped(graph, grad, rgb, layer.clamp)
    style = style_of(graph, layer.style, w_plus)
    # Three colours are far fewer than the channels: the sums over the map come first.
    flat = graph.reshape(grad, (0, channels, -1))
    cells = graph.op("Transpose", graph.reshape(x, (0, inputs, -1)), perm=[0, 2, 1])
    correlation = graph.op("MatMul", flat, cells)
    grad_style = graph.sum(graph.op("Mul", correlation, graph.constant(layer.matrix)), (1,))
    grad_x = graph.op("Conv", grad, graph.constant(layer.adjoint_kernel))
    grad_x = graph.op("Mul", grad_x, per_channel(graph, style, inputs))
    return grad_x, _through_affine(graph, layer.style, grad_style)


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
        grad = window.upsampled_adjoint(graph, grad)
        if cuts:
            grad = graph.sum(grad, (0,), keepdims=True)
    else:
        grad = upsample_adjoint(graph, layer.upsampling, grad)
    return graph.op("Conv", grad, graph.constant(layer.adjoint_kernel))


def upsample_adjoint(graph: GraphBuilder, kernel: Constant, grad: str) -> str:
    """dL/dx from the gradient at twice the size of x, which was upsampled with that kernel."""
    options = {"strides": [2, 2], "pads": [1, 1, 1, 1], "group": len(kernel.values)}
    return graph.op("Conv", grad, graph.constant(kernel), **options)


def _through_affine(graph: GraphBuilder, style: Style, grad_style: str) -> str:
    """dL/dw [N, 1, w_dim] from dL/ds [N, inputs]."""
    grad_w = graph.op("MatMul", grad_style, graph.constant(style.weight))
    return graph.reshape(grad_w, (-1, 1, style.weight.values.shape[1]))


def _unclamped(graph: GraphBuilder, grad: str, y: str, clamp: float) -> str:
    """The gradient where the clamp let it through."""
    inside = graph.op("Less", graph.op("Abs", y), graph.constant(clamp))
    return graph.op("Where", inside, grad, graph.constant(0.0))


def _over_map(graph: GraphBuilder, x: str, *, windowed: bool) -> str:
    """The sum over the map, [N, C]; windows belong to one sample, so they are summed too."""
    if windowed:
        return graph.reshape(graph.sum(x, (0, 2, 3)), (1, -1))
    return graph.sum(x, (2, 3))


def _activation_backward(
    graph: GraphBuilder, layer: SynthesisLayer, y: str, grad: str
) -> tuple[str, str]:
    """dL/dy where the clamp let it through, and dL/d(conv * d)."""
    if layer.clamp is not None:
        grad = _unclamped(graph, grad, y, layer.clamp)
    positive = graph.op("Greater", y, graph.constant(0.0))
    slope = graph.op(
        "Where", positive, graph.constant(layer.gain), graph.constant(LEAK * layer.gain)
    )
    return grad, graph.op("Mul", grad, slope)


def _convolution_backward(
    graph: GraphBuilder,
    layer: SynthesisLayer,
    grad_pre: str,
    demodulation: str,
    window: Window | None,
    cut: int | None,
) -> str:
    """dL/d(x * s), through the demodulation, the filter and the convolution."""
    grad = graph.op("Mul", grad_pre, per_channel(graph, demodulation, layer.outputs))
    if not layer.upsamples:
        pads = [2 if window else 1] * 4
        return graph.op("Conv", grad, adjoint_kernel(graph, layer.kernel), pads=pads)
    # The adjoints of a correlation and of a transposed convolution, with the same weights.
    if window:
        grad = window.filtered_adjoint(graph, grad)
        if layer.resolution == cut:
            grad = graph.sum(grad, (0,), keepdims=True)
    else:
        filter_ = graph.constant(layer.low_pass_adjoint)
        grad = graph.op("Conv", grad, filter_, group=layer.outputs, pads=[2, 2, 2, 2])
    return graph.op("Conv", grad, graph.constant(layer.kernel), strides=[2, 2])


def _convolution_dot(
    graph: GraphBuilder,
    layer: SynthesisLayer,
    y: str,
    grad: str,
    grad_pre: str,
    window: Window | None,
) -> str:
    """The sum over the map of g1 * (conv * d), [N, outputs], from the output alone."""
    windowed = window is not None
    total = _over_map(graph, graph.op("Mul", grad, y), windowed=windowed)
    slopes = _over_map(graph, grad_pre, windowed=windowed)
    total = graph.op("Sub", total, graph.op("Mul", slopes, graph.constant(layer.bias)))
    if layer.noise is None:
        return total
    noise = graph.op("Mul", grad_pre, noise_of(graph, layer, layer.noise, window))
    return graph.op("Sub", total, _over_map(graph, noise, windowed=windowed))


def _style_gradient(
    graph: GraphBuilder,
    layer: SynthesisLayer,
    direct: str,
    style: str,
    demodulation: str,
    conv_dot: str,
) -> str:
    """dL/ds [N, inputs]: `direct` through the modulation, the rest through the demodulation."""
    per_output = graph.op("Mul", conv_dot, graph.op("Mul", demodulation, demodulation))
    per_input = graph.op("MatMul", per_output, graph.constant(layer.squares_by_output))
    return graph.op("Sub", direct, graph.op("Mul", per_input, style))
