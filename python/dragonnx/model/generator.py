"""A generator on ONNX Runtime: latents, images, feature maps and their gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Self

from numpy.typing import ArrayLike

from dragonnx.errors import InputError
from dragonnx.log import timed
from dragonnx.model.bundle import Bundle
from dragonnx.model.facts import IMAGE_ROLES, GraphRole
from dragonnx.model.graphs import GraphSet
from dragonnx.model.labels import Label, fitting_label
from dragonnx.model.latent import checked_w_plus
from dragonnx.model.library import open_bundle
from dragonnx.model.manifest import DEFAULT_MODEL, Manifest
from dragonnx.model.mapping import MappingNetwork
from dragonnx.model.motion import Motion
from dragonnx.model.passes import BoundPass, FeaturePass, ImagePass, of_all_layers
from dragonnx.model.picture import picture_of
from dragonnx.model.placements import placements
from dragonnx.model.principal import PrincipalW
from dragonnx.paths import as_path
from dragonnx.reading.values import record, whole
from dragonnx.runtime import Device, Sharing, checked_threads, choose_device
from dragonnx.text import visible
from dragonnx.types import Array, DeviceName, Float32, Precision

if TYPE_CHECKING:
    import os

    from PIL.Image import Image

_PREVIEW_SIDE = 64
_LARGEST_CUT = 2**16


class Generator:
    """A generator from a model bundle. Graphs load when first used; all methods are thread-safe.

    Use `Generator.open`. In a `with` block it is closed at its end. It pickles as its bundle's folder,
    device, threads and precision; a copy too is opened anew, and its graphs have their own memory.
    """

    def __init__(
        self,
        bundle: Bundle,
        device: Device,
        threads: int | None = None,
        sharing: Sharing | None = None,
    ) -> None:
        self._bundle = bundle
        self._graphs = GraphSet(bundle, device, threads, sharing)
        self.device = device
        self.threads = threads
        self._w_avg = bundle.load_w_avg()
        self._tracking_kernel = bundle.load_tracking_kernel()
        self._mapping = MappingNetwork(bundle.manifest, self._graphs, self._w_avg)

    @classmethod
    def open(
        cls,
        model: str | os.PathLike[str] = DEFAULT_MODEL,
        device: DeviceName = "auto",
        threads: int | None = None,
        precision: Precision = "auto",
    ) -> Generator:
        """Open a bundle by name or folder.

        Args:
            model: A known name ("critters" ships with dragonnx), or a bundle folder.
            device: "auto" takes CUDA where it works; "cuda" fails where it does not.
            threads: CPU threads for each graph, and for the kernels of a drag; None lets ONNX
                Runtime choose, and the kernels take all cores.
            precision: Of convolutions and matrix products; "auto" takes TF32 on CUDA and float32
                elsewhere.

        Raises:
            BundleError: The bundle is missing or damaged.
            DeviceError: The device, its precision or ONNX Runtime is not to be had.
            InputError: `threads` is not positive, or an argument is of another type.
        """
        threads = checked_threads(threads)
        chosen = choose_device(device, precision)
        with timed(f"opening the model {model}"):
            bundle = open_bundle(model if isinstance(model, str) else as_path(model))
        return cls(bundle, chosen, threads)

    def close(self) -> None:
        """Give back the memory of its graphs. May be called from any thread, and again.

        A run that is under way in another thread ends well; every later one raises `StateError`,
        also that of a session of this generator. What such a session reached can still be read
        and saved.
        """
        self._graphs.close()

    def __enter__(self) -> Self:
        self._graphs.require_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        m = self.manifest
        return (
            f"<Generator {visible(m.name)}: {m.image_size[1]} x {m.image_size[0]} px, on {self.device.name} "
            f"in {self.device.precision}>"
        )

    def __reduce__(self) -> tuple[Callable[..., Generator], tuple[object, ...]]:
        self._graphs.require_open()
        folder = self._bundle.folder.resolve()
        return type(self).open, (folder, self.device.name, self.threads, self.device.precision)

    @property
    def manifest(self) -> Manifest:
        """The facts of the model."""
        return self._bundle.manifest

    @property
    def w_avg(self) -> Float32:
        """The mean of w, [w_dim], to which truncation pulls."""
        return self._w_avg.copy()

    @property
    def tracking_kernel(self) -> Float32 | None:
        """The map of features that point tracking compares, [K, C, s, s]; None where the bundle has none."""
        return None if self._tracking_kernel is None else self._tracking_kernel.copy()

    def principal_w(self) -> PrincipalW:
        """Where this model's w's lie, from some thousand of them; measured when first asked."""
        return self._mapping.principal_w()

    def w_plus(
        self,
        seed: int | Sequence[int] | None = None,
        *,
        z: ArrayLike | None = None,
        label: Label | None = None,
        truncation_psi: float | None = None,
    ) -> Float32:
        """The latent [N, num_ws, w_dim] of a seed, of several, or of z.

        Args:
            seed: Gives z as the released StyleGAN2 tools draw it. Of several, each gives the latent
                that it gives alone, to the last bit.
            z: Latent codes [N, z_dim], instead of a seed.
            label: The class, for a conditional model; several, each of weight 1; or weights by class,
                such as `{0: 0.7, 3: 0.3}`. All latents are of the same.
            truncation_psi: How far from w_avg, 0 to 1 as a rule; None takes what suits the model.

        Raises:
            InputError: Neither or both of seed and z came, or a value does not fit the model.
        """
        return self._mapping.w_plus(seed, z, label, truncation_psi)

    def image(self, w_plus: ArrayLike) -> Image:
        """The picture of a latent [1, num_ws, w_dim], as a PIL image.

        Raises:
            InputError: The latent does not fit the model.
        """
        return self._picture("image", w_plus)

    def preview(self, w_plus: ArrayLike) -> Image:
        """A small picture of a latent [1, num_ws, w_dim], of about 64 x 64 pixels.

        It is what the network's coarser blocks contribute to the image, for a part of the cost of
        `image`. Where only the last block gives colours it is the image made smaller, at full cost.

        Raises:
            InputError: The latent does not fit the model.
        """
        if self.manifest.has_preview:
            return self._picture("preview", w_plus)
        image = self.image(w_plus)
        return image.reduce(max(1, max(image.size) // _PREVIEW_SIDE))

    def transform(
        self,
        w_plus: ArrayLike,
        *,
        rotation: float = 0.0,
        translation: tuple[float, float] = (0.0, 0.0),
    ) -> Float32:
        """The latent of the same picture turned and moved, which StyleGAN3 shows as well.

        Args:
            w_plus: The latent [1, num_ws, w_dim]; only its first w changes.
            rotation: By how many degrees to turn the picture around its middle, counterclockwise.
            translation: By how many pixels to move it then, to the right and down.

        Raises:
            InputError: A value is of another type or range, or the model cannot turn and move what it
                shows.
        """
        latent = self.checked_w_plus(w_plus)
        motion = Motion(rotation, translation).vector(self.manifest.image_size)
        self.manifest.check_transform()
        graph = self._graphs.get("transform")
        moved: Float32 = graph.run({"w_plus": latent, "motion": motion})[0]["moved_w_plus"]
        return moved

    def features(
        self,
        w_plus: ArrayLike,
        *,
        cut: int | None = None,
        windows: Mapping[str, Array] | None = None,
    ) -> FeaturePass:
        """The feature map of a latent [1, num_ws, w_dim], whole or in windows.

        Args:
            w_plus: The latent.
            cut: Resolution of the block from which on windows are computed; None for the whole map.
            windows: The inputs of the graphs with that cut, as `plan_windows` gives them.

        Raises:
            InputError: The latent does not fit the model, or the model has no such cut.
        """
        if cut is not None and whole(cut, "cut", 0, _LARGEST_CUT) not in self.manifest.cuts:
            raise InputError(f"the model {self.manifest.name} has no graphs cut at {cut}")
        latent = self.checked_w_plus(w_plus)
        inputs = {} if windows is None else dict(record(windows, "windows"))
        graph = self._graphs.get("features", cut)
        if missing := sorted({*graph.input_names} - {"w_plus", *inputs}):
            raise InputError(
                f"windows must hold {', '.join(missing)}, as `plan_windows` gives them"
            )
        kept = [name for name in graph.output_names if name != "features"]
        arrays, layer_outputs = graph.run({"w_plus": latent, **inputs}, keep=kept)
        return FeaturePass(latent, arrays["features"], layer_outputs, cut, inputs)

    def pullback(self, forward: FeaturePass, grad_features: Float32) -> Float32:
        """dL/dw_plus [1, trainable_layers, w_dim] from dL/dF, shaped as `forward.features`."""
        graph = self._graphs.get("pullback", forward.cut)
        gradient: Float32 = graph.run(forward.pullback_inputs(grad_features))[0]["grad_w_plus"]
        return gradient

    def bound_features(
        self, user: object, w_plus: Float32, cut: int | None, windows: Mapping[str, Array]
    ) -> BoundPass:
        """`features` and `pullback` for a user who calls them again and again.

        Args:
            user: Who has the pass for itself, until it is collected as garbage.
            w_plus: The first latent, [1, num_ws, w_dim], checked: its features are computed.
            cut: As in `features`.
            windows: As in `features`; their shapes stay.
        """
        inputs = {"w_plus": w_plus, **windows}
        return self._graphs.bound_features(user, cut, inputs)

    def bound_image(self, w_plus: Float32, *, preview: bool = False) -> BoundPass:
        """`image_layers` and `image_pullback` for one user, who calls them again and again.

        The gradient of a preview is that of the first w's alone; see `of_all_layers`.

        Args:
            w_plus: The first latent, [1, num_ws, w_dim], checked: its image is computed.
            preview: As in `image_layers`.

        Raises:
            BundleError: The model has no graphs to invert with.
            InputError: The model has no preview.
        """
        self._check_preview(wanted=preview)
        _, layers, pullback = IMAGE_ROLES[preview]
        forward, back = self._graphs.get(layers), self._graphs.get(pullback)
        # It is large, and an inversion takes minutes: not worth keeping for the next one.
        return BoundPass(forward, back, "image", {"w_plus": w_plus})

    def image_layers(self, w_plus: ArrayLike, *, preview: bool = False) -> ImagePass:
        """The image of a latent [1, num_ws, w_dim] as numbers, with what `image_pullback` needs.

        Args:
            w_plus: The latent.
            preview: Whether to make the image that `preview` gives, which a model may lack.

        Raises:
            BundleError: The model has no graphs to invert with.
            InputError: The latent does not fit the model, or the model has no preview.
        """
        self._check_preview(wanted=preview)
        latent = self.checked_w_plus(w_plus)
        graph = self._graphs.get(IMAGE_ROLES[preview][1])
        kept = [name for name in graph.output_names if name != "image"]
        arrays, layer_outputs = graph.run({"w_plus": latent}, keep=kept)
        return ImagePass(latent, arrays["image"], layer_outputs, preview)

    def image_pullback(self, forward: ImagePass, grad_image: Float32) -> Float32:
        """dL/dw_plus [1, num_ws, w_dim] from dL/dimage, shaped as `forward.image`.

        A preview depends on the first w's only: those of the others are 0.
        """
        graph = self._graphs.get(IMAGE_ROLES[forward.preview][2])
        gradient: Float32 = graph.run(forward.pullback_inputs(grad_image))[0]["grad_w_plus"]
        return of_all_layers(gradient, self.manifest.num_ws)

    def _check_preview(self, *, wanted: bool) -> None:
        if wanted and not self.manifest.has_preview:
            raise InputError(f"the model {self.manifest.name} has no graphs for a smaller image")

    def checked_w_plus(self, w_plus: ArrayLike) -> Float32:
        """A latent as float32 [1, num_ws, w_dim].

        Raises:
            InputError: It does not fit the model.
        """
        return checked_w_plus(w_plus, self.manifest.num_ws, self.manifest.w_dim)

    def _picture(self, role: GraphRole, w_plus: ArrayLike) -> Image:
        latent = self.checked_w_plus(w_plus)
        return picture_of(self._graphs.run(role, {"w_plus": latent}, ("pixels", "image")))

    def placements(
        self, windows: Mapping[int, Mapping[str, Array]]
    ) -> Iterator[tuple[str, dict[str, list[str]]]]:
        """Where each graph's nodes run: its name, then node kinds by execution provider.

        Every graph is run once under ONNX Runtime's profiler, so this is what happens, not a plan.

        Args:
            windows: For each cut, inputs of its graphs as `plan_windows` gives them.
        """
        self._graphs.require_open()
        yield from placements(self._bundle, self._graphs, self.device, self._w_avg, windows)

    def check_label(self, label: Label | None) -> None:
        """Refuse a class that the model does not have, or a missing one.

        Raises:
            InputError: It is one of these.
        """
        fitting_label(label, self.manifest.name, self.manifest.label_dim)
