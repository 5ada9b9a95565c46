"""The choice of a device and of its precision, and what is said where it cannot be had."""

from __future__ import annotations

import logging

import pytest
from support.cuda_machine import CUDA_12, CUDA_13, WINDOWS_CUDA_13, CudaMachine

from dragonnx import DeviceError, Generator
from dragonnx.runtime import choose_device

OLDER = {"release": "1.21.0", "built_with": "12.2", "driver": 12020}


def options(device: str, precision: str = "auto") -> dict[str, str]:
    """What ONNX Runtime is told of CUDA."""
    chosen = choose_device(device, precision)  # type: ignore[arg-type]
    (name, given), (rest, _) = chosen.session_providers()
    assert (name, rest) == ("CUDAExecutionProvider", "CPUExecutionProvider")
    return given


def test_an_unknown_device() -> None:
    with pytest.raises(DeviceError, match="auto, cpu or cuda, not 'tpu'"):
        Generator.open("critters", device="tpu")


def test_an_unknown_precision() -> None:
    with pytest.raises(DeviceError, match="auto, float32 or tf32, not 'float16'"):
        Generator.open("critters", precision="float16")  # type: ignore[arg-type]


def test_the_cpu_computes_in_float32() -> None:
    for precision in ("auto", "float32"):
        device = Generator.open("critters", device="cpu", precision=precision).device
        assert (device.name, device.precision, device.precisions) == (
            "cpu",
            "float32",
            ("float32",),
        )
        assert device.session_providers() == [("CPUExecutionProvider", {})]
    with pytest.raises(DeviceError, match="TF32 was asked for, but the CPU computes in float32"):
        Generator.open("critters", device="cpu", precision="tf32")


def test_cuda_computes_in_tf32_unless_float32_is_asked_for() -> None:
    with CudaMachine().here():
        assert choose_device("auto").kind == "cuda"
        assert choose_device("auto").precision == choose_device("cuda").precision == "tf32"
        assert choose_device("cuda", "float32").precision == "float32"
        assert choose_device("cuda").precisions == ("float32", "tf32")
        assert [options("cuda", given)["use_tf32"] for given in ("auto", "tf32", "float32")] == [
            "1", "1", "0",
        ]  # fmt: skip


def test_cuda_takes_no_more_memory_than_it_is_asked_for() -> None:
    with CudaMachine().here():
        given = options("cuda")
    assert given["arena_extend_strategy"] == "kSameAsRequested"
    assert given["cudnn_conv_use_max_workspace"] == "0"


def test_a_gpu_without_tf32() -> None:
    with CudaMachine(capability=(7, 5)).here():
        device = choose_device("cuda")
        assert (device.precision, device.precisions) == ("float32", ("float32",))
        with pytest.raises(
            DeviceError, match=r"TF32 .* the GPU has none: .* is 7\.5, .* needs 8\.0"
        ):
            choose_device("cuda", "tf32")


def test_one_of_several_gpus() -> None:
    with CudaMachine(gpus=2).here():
        assert choose_device("cuda:1").name == "cuda:1"
        assert options("cuda:1")["device_id"] == "1"
        with pytest.raises(DeviceError, match=r"no GPU of number 2 but cuda:0 to cuda:1$"):
            choose_device("cuda:2")
    with CudaMachine().here(), pytest.raises(DeviceError, match=r"number 1 but cuda:0 alone$"):
        choose_device("cuda:1")


@pytest.mark.parametrize(
    ("machine", "message"),
    [
        (CudaMachine(gpus=None), r"no NVIDIA driver was found \(libcuda\.so\.1: cannot open"),
        (
            CudaMachine(gpus=None, is_built_in=False),
            r"no NVIDIA driver was found \(.*\); where there is one: pip uninstall onnxruntime, then",
        ),
        (
            CudaMachine(is_built_in=False),
            r"the installed onnxruntime 1\.31\.1 is built without it: pip uninstall onnxruntime, then",
        ),
        (CudaMachine(starts=False), "the NVIDIA driver cannot be initialised"),
        (CudaMachine(gpus=0), "the NVIDIA driver sees no GPU"),
        (
            CudaMachine(driver=12040),
            r"driver knows CUDA up to 12\.4 and onnxruntime-gpu 1\.31\.1 is built with CUDA 13: "
            r"install a newer driver, or pip install 'onnxruntime-gpu\[cuda,cudnn\]<1\.27'$",
        ),
        (CudaMachine(driver=11080), r"up to 11\.8 and .* install a newer driver$"),
    ],
)
def test_cuda_that_is_not_there_says_why(machine: CudaMachine, message: str) -> None:
    with machine.here(), pytest.raises(DeviceError, match="CUDA was asked for, but .*" + message):
        Generator.open("critters", device="cuda")


@pytest.mark.parametrize(
    ("machine", "file"),
    [
        *((CudaMachine(libraries=CUDA_13 - {file}), file) for file in sorted(CUDA_13)),
        *((CudaMachine(libraries=CUDA_12 - {file}, **OLDER), file) for file in sorted(CUDA_12)),
        *(
            (CudaMachine(libraries=WINDOWS_CUDA_13 - {file}, is_windows=True), file)
            for file in sorted(WINDOWS_CUDA_13)
        ),
    ],
)
def test_a_missing_library_is_named(machine: CudaMachine, file: str) -> None:
    with machine.here(), pytest.raises(DeviceError) as caught:
        choose_device("cuda")
    told = str(caught.value)
    assert f"onnxruntime-gpu {machine.release} needs" in told
    assert f"cannot be loaded ({file}: cannot open" in told
    assert told.endswith("): pip install 'dragonnx[gpu]' brings it")


@pytest.mark.parametrize(
    ("missing", "instead", "needed"),
    [
        ("libcudnn.so.9", "libcudnn.so.8", "cuDNN 9"),
        ("libcublas.so.13", "libcublas.so.12", "cuBLAS 13"),
        ("libcudart.so.13", "libcudart.so.12", "CUDA's runtime 13"),
    ],
)
def test_a_library_of_another_version_is_named(missing: str, instead: str, needed: str) -> None:
    machine = CudaMachine(libraries=CUDA_13 - {missing} | {instead})
    expected = rf"needs {needed}, .*\), while {instead} of another version is there: pip install"
    with machine.here(), pytest.raises(DeviceError, match=expected):
        choose_device("cuda")


@pytest.mark.parametrize(
    "machine",
    [
        CudaMachine(),
        CudaMachine(libraries=CUDA_12, **OLDER),
        CudaMachine(libraries=WINDOWS_CUDA_13, is_windows=True),
        # Of a build that does not tell its CUDA, or of a CUDA to come, no library is known.
        CudaMachine(libraries=frozenset(), built_with=""),
        CudaMachine(libraries=frozenset(), built_with="14.0", driver=14000),
    ],
)
def test_nothing_is_missing(machine: CudaMachine, capsys: pytest.CaptureFixture[str]) -> None:
    with machine.here():
        assert choose_device("cuda").kind == "cuda"
    assert capsys.readouterr().out == "", "what ONNX Runtime prints is kept back"


def test_auto_falls_back_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """As with onnxruntime-gpu installed on a machine without a GPU."""
    with CudaMachine(gpus=None).here(), caplog.at_level(logging.WARNING, "dragonnx"):
        devices = [choose_device("auto") for _ in range(2)]
    assert [(device.kind, device.precision) for device in devices] == [("cpu", "float32")] * 2
    assert len(caplog.records) == 1
    assert "no NVIDIA driver was found" in caplog.text
    assert devices[0].note in caplog.text
