"""One step of a drag: state in, state out."""

from dragonnx.drag.problem import DragProblem
from dragonnx.drag.step.device_features import DeviceFeatures
from dragonnx.drag.step.host import HostState, HostStep
from dragonnx.drag.step.host_features import HostFeatures
from dragonnx.drag.terms import terms_for
from dragonnx.drag.terms.base import FeatureTerm
from dragonnx.drag.windows import Geometry
from dragonnx.log import logger
from dragonnx.model.generator import Generator

__all__ = ["HostState", "HostStep", "step_for"]


def step_for(
    generator: Generator, problem: DragProblem, *, map_on_device: bool | None = None
) -> HostStep:
    """The way to do the steps of a drag that suits the device.

    Args:
        generator: The model.
        problem: The drag.
        map_on_device: Whether a feature map that is needed whole stays on the device, as far as the
            terms of the loss can be computed there. None lets it unless the device is the host:
            there the kernels are faster than graphs.
    """
    settings, terms = problem.settings, terms_for(problem)
    everywhere = [t for t in terms if issubclass(t, FeatureTerm) and t.needs_whole_map]
    host = HostFeatures(
        generator,
        settings,
        len(problem.target_points),
        whole=bool(everywhere) or not settings.windows,
        around=problem.around,
    )
    if host.cut is None:
        reason = (
            f"the term {everywhere[0].name} needs it" if everywhere
            else "windows are switched off" if not settings.windows
            else "the model's graphs know no windows" if generator.manifest.windows is None
            else "windows around its points would cost more"
        )  # fmt: skip
        logger.info("every step of this drag computes the whole feature map, since %s", reason)
    if map_on_device is None:
        map_on_device = generator.device.provider.memory != "cpu"
    # The graph of the mask resizes the map to the image as a whole, without a margin.
    margin = Geometry.of(generator.manifest).margin
    there = tuple(t.device_term for t in everywhere if t.device_term and not margin)
    if host.cut is not None or not map_on_device or len(there) < len(everywhere):
        return HostStep(problem, host, terms)
    rest = tuple(term for term in terms if term not in everywhere)
    return HostStep(problem, DeviceFeatures(generator, problem, there), rest)
