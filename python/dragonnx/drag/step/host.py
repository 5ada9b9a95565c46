"""A step whose point arithmetic runs on the host, in the Rust kernels; graphs run on the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from dragonnx.drag.adam import Adam
from dragonnx.drag.points import distances
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.step.features import Features, FeatureSource
from dragonnx.drag.terms.base import FeatureTerm, LatentTerm, Term
from dragonnx.drag.tracking import reference_features, track
from dragonnx.drag.windows import require_finite
from dragonnx.errors import InputError
from dragonnx.types import Float32, Points

_SHORTEST = 0.2
"""Of a whole step, right beside the targets."""


@dataclass(frozen=True, eq=False)
class HostState:
    """What a drag carries from step to step. A value: a step gives a new one.

    Attributes:
        w_plus: The latent, [1, num_ws, w_dim].
        handle_points: Where the handles are in its image, (x, y) in pixels, [n, 2].
        adam: The moments of the gradients so far.
        features: Of `w_plus`, around the handles or everywhere.
        references: f_i = F0(p_i), [n, C]: what each handle sat on before the first step.
        feature_terms: The losses of the feature map.
        latent_terms: The losses of the latent.
    """

    w_plus: Float32
    handle_points: Points
    adam: Adam
    features: Features
    references: Float32
    feature_terms: tuple[FeatureTerm, ...]
    latent_terms: tuple[LatentTerm, ...]


class HostStep:
    """Motion supervision, one Adam step, point tracking.

    Args:
        problem: The drag.
        source: Gives its features.
        terms: Of the loss, those that the source does not add itself.
    """

    def __init__(
        self, problem: DragProblem, source: FeatureSource, terms: tuple[type[Term], ...]
    ) -> None:
        self._problem = problem
        self._source = source
        self._terms = terms

    def init(self, w_plus: Float32, handle_points: Points) -> HostState:
        """The state before the first step.

        Args:
            w_plus: The latent to start from, [1, num_ws, w_dim].
            handle_points: The handles in its image, [n, 2].

        Raises:
            InputError: The features are no numbers that can be followed.
        """
        problem = self._problem
        features = self._source.at(w_plus, handle_points)
        require_finite(features.windows.values)
        return HostState(
            w_plus=w_plus,
            handle_points=handle_points,
            adam=Adam(problem.settings.step_size, is_shared=problem.settings.shared_moment),
            features=features,
            references=reference_features(features.windows, handle_points, problem.descriptor),
            feature_terms=tuple(
                term(problem, features.windows)
                for term in self._terms
                if issubclass(term, FeatureTerm)
            ),
            latent_terms=tuple(
                term(problem, w_plus) for term in self._terms if issubclass(term, LatentTerm)
            ),
        )

    def later(
        self, start: HostState, w_plus: Float32, trace: tuple[Points, Points], adam: Adam
    ) -> HostState:
        """The state after some steps, as they left it to the bit.

        Args:
            start: The state before the first step.
            w_plus: The latent after the last one, [1, num_ws, w_dim].
            trace: The handles before the last step and after it, [n, 2] each.
            adam: The moments.
        """
        before, after = trace
        # A step looks for the handles around where they were: these windows are the next one's too.
        features = self._source.at(w_plus, before)
        return replace(start, w_plus=w_plus, handle_points=after, adam=adam, features=features)

    def step(self, state: HostState) -> tuple[HostState, Mapping[str, float]]:
        """The state after one more step, and the losses that it descended, by term.

        Raises:
            InputError: The optimisation left the range of numbers.
        """
        features = self._source.around(state.features, state.handle_points)
        grad_features = np.zeros_like(features.windows.values)
        losses = {
            term.name: term.add_to(grad_features, features.windows, state.handle_points)
            for term in state.feature_terms
        }
        gradient, further = self._source.pullback(features, grad_features)
        losses |= further
        for term in state.latent_terms:
            losses[term.name] = term.add_to(gradient, state.w_plus)
        w_plus, adam = self._descended(state, gradient)
        features = self._source.at(w_plus, state.handle_points)
        handle_points = track(
            features.windows,
            state.handle_points,
            state.references,
            self._problem.settings,
            self._problem.threads,
            self._problem.descriptor,
        )
        after = replace(
            state, w_plus=w_plus, handle_points=handle_points, adam=adam, features=features
        )
        return after, losses

    def _descended(self, state: HostState, gradient: Float32) -> tuple[Float32, Adam]:
        """The latent after one Adam step on its first layers."""
        with np.errstate(over="ignore", invalid="ignore"):  # that is refused here
            w_plus, adam = self._moved(state, gradient)
        if not np.isfinite(w_plus).all():
            raise InputError(
                f"the drag diverged after {state.adam.steps} steps: take a smaller step size than "
                f"{self._problem.settings.step_size:g}"
            )
        return w_plus, adam

    def _moved(self, state: HostState, gradient: Float32) -> tuple[Float32, Adam]:
        """The same, where it may have left the range of numbers."""
        settings, basis = self._problem.settings, self._problem.basis
        gradient = gradient[:, : settings.trainable_layers]
        if settings.space == "w":
            # One w behind all trained layers: its gradient is the sum of theirs.
            gradient = gradient.sum(axis=1, keepdims=True)
        if basis is not None:
            gradient = gradient @ basis.T
        update, adam = state.adam.update(gradient)
        if settings.slow_within:
            left = distances(state.handle_points, self._problem.target_points).max()
            update *= np.float32(np.clip(left / settings.slow_within, _SHORTEST, 1))
        if basis is not None:
            update = update @ basis
        w_plus = state.w_plus.copy()
        w_plus[:, : settings.trainable_layers] += update
        return w_plus, adam
