"""The fully connected layers in NVIDIA's records: how many there are and what scales them."""

from __future__ import annotations

from dragonnx.reading.pickles.vocabulary import quoted
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.nvidia_module import Module

_MAX_MAPPING_LAYERS = 64
_RELATIVE_TOLERANCE = 1e-5


def mapping_layers(generator: Module, mapping: Module, default: int) -> int:
    """How many layers the mapping network has.

    Args:
        generator: The whole.
        mapping: Its mapping network.
        default: Of its code, where nothing is said.

    Raises:
        CheckpointError: The number is unusable.
    """
    given = generator.mapping_option("num_layers", default)
    count = mapping.whole_number("num_layers", position=None, default=given)
    if not count:
        raise CheckpointError(
            "its mapping network has no layers, so z is w, which is not supported"
        )
    if count > _MAX_MAPPING_LAYERS:
        raise CheckpointError(f"its mapping network has {count} layers, more than any has")
    return count


def mapping_lr(mapping: Module, layers: int) -> float:
    """The learning rate multiplier, from the gains by which each layer scales its parameters.

    Raises:
        CheckpointError: The gains contradict each other.
    """
    found = {layer_lr(mapping.child(f"fc{index}")) for index in range(layers)}
    if len(found) != 1:
        raise CheckpointError("its mapping layers have different learning rate multipliers")
    return found.pop()


def layer_lr(layer: Module) -> float:
    """That of one layer: its weights are scaled by lr / sqrt(inputs), its biases by lr.

    Raises:
        CheckpointError: They are not.
    """
    weight = layer.arrays.get("weight")
    if weight is None or weight.ndim != 2:
        raise CheckpointError(f"its {quoted(layer.path)} has no weights of a fully connected layer")
    lr = layer.number("bias_gain")
    from_weights = layer.number("weight_gain") * float(weight.shape[1]) ** 0.5
    if not abs(from_weights - lr) <= _RELATIVE_TOLERANCE * abs(lr):
        raise CheckpointError(
            f"its {quoted(layer.path)} scales weights by {from_weights:.6g} and biases by "
            f"{lr:.6g}, where both should be the learning rate multiplier"
        )
    return lr
