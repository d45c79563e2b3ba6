"""Resident memory that importing 400 MB of weights costs, beside other readers of the same files.

    python -m benchmarks.import_memory [--megabytes 400] [--runs 3]

Each row is a fresh process on Linux that loads its modules, reads one file, and then uses every weight once (a
checksum, which must be the same in all rows). `peak` is the most that was resident until the file was read, `cost` is
that less what was resident `before`; memory-mapped pages count as resident. A reader may run a process of its own
beside: that one's peak is `helper`. `used` is the peak after every weight was used. The peers: the package `nir`, the
reference reader of `.nir` files, whose own writer compresses with gzip, and `safetensors.numpy.load_file`.
"""

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr
from importlib import import_module
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAYERS = 4
TARGET_MB = 100
STATUS = Path("/proc/self/status")
RESET_PEAK = Path("/proc/self/clear_refs")

Arrays = Iterable[NDArray[Any]]
Read = Callable[[Path], Callable[[], Arrays]]
"""Reads a file and returns how to get at its weights."""


def snnir_weights(module: Any) -> Arrays:
    """The weights in a module, in the order of the text."""
    return (op.weights.array for op in module.walk() if op.name == "snn.dense")


def load_snnir(frontend: str) -> Read:
    """Our reader of `.nir` or `.snn` files."""
    reader = import_module(f"snnir.frontend.{frontend}")
    options = import_module("snnir.frontend.options").FrontendOptions

    def read(path: Path) -> Callable[[], Arrays]:
        with redirect_stderr(StringIO()):  # notes on what the file does not say
            module = reader.read(path, options(dt=1e-3) if frontend == "nir" else options())
        return lambda: snnir_weights(module)

    return read


def load_nir() -> Read:
    """The package `nir`."""
    nir: Any = import_module("nir")

    def read(path: Path) -> Callable[[], Arrays]:
        nodes = nir.read(path).nodes
        return lambda: (nodes[f"fc{layer}"].weight for layer in range(LAYERS))

    return read


def load_safetensors() -> Read:
    """The package `safetensors`, numpy arrays."""
    load_file = import_module("safetensors.numpy").load_file

    def read(path: Path) -> Callable[[], Arrays]:
        arrays = load_file(path)
        return lambda: (arrays[f"fc{layer}.weight"] for layer in range(LAYERS))

    return read


READERS: dict[str, Callable[[], Read]] = {
    "snnir.nir": lambda: load_snnir("nir"),
    "snnir.snn": lambda: load_snnir("snn"),
    "nir": load_nir,
    "safetensors": load_safetensors,
}

ROWS = (
    ("snnir", "snnir.nir", "contiguous.nir"),
    (f"nir {version('nir')}", "nir", "contiguous.nir"),
    ("snnir", "snnir.nir", "gzip.nir"),
    (f"nir {version('nir')}", "nir", "gzip.nir"),
    ("snnir", "snnir.snn", "net.snn"),
    (f"safetensors {version('safetensors')}", "safetensors", "net.safetensors"),
)
"""Who reads, with what, which file."""


def megabytes(field: str) -> float:
    """A figure of this process: `VmRSS` is resident now, `VmHWM` was at most."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


def measure(reader: str, path: Path) -> dict[str, float]:
    """Read the file in this process; megabytes, seconds, and the checksum of the weights."""
    read = READERS[reader]()
    gc.collect()
    RESET_PEAK.write_text("5")
    before, start = megabytes("VmRSS"), time.perf_counter()
    weights = read(path)
    seconds, peak, after = time.perf_counter() - start, megabytes("VmHWM"), megabytes("VmRSS")
    helper = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    start, checksum = time.perf_counter(), 0
    for array in weights():
        checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
    return {
        "before": before,
        "peak": peak,
        "after": after,
        "helper": helper,
        "seconds": seconds,
        "use": time.perf_counter() - start,
        "used": megabytes("VmHWM"),
        "checksum": checksum,
    }


def write_files(directory: Path, size: int) -> None:
    """One network, `LAYERS` matrices of `size` x `size` weights of 8 bits in float32, in each format."""
    rng = np.random.default_rng(0)
    weights = {
        f"fc{layer}.weight": (rng.integers(-127, 128, (size, size), np.int8) / 128).astype(np.float32)
        for layer in range(LAYERS)
    }
    save_file: Any = import_module("safetensors.numpy").save_file
    save_file(weights, directory / "net.safetensors")
    (directory / "net.snn").write_text(program(size))
    for name, compression in (("contiguous.nir", None), ("gzip.nir", "gzip")):
        write_nir(directory / name, weights, size, compression)


def program(size: int) -> str:
    """The network in the language."""
    neuron = f"[{size}] : lif(tau = 4e-3, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir"
    chain = ["pixels", *(f"layer{layer}" for layer in range(LAYERS))]
    lines = ["dt = 1e-3", 'weights = "net.safetensors"', f"input pixels[{size}]"]
    lines += [f"population {name}{neuron}" for name in chain[1:]]
    for layer, name in enumerate(chain[1:]):
        lines.append(f'{chain[layer]} -> {name} : dense(weights = "fc{layer}.weight")')
    return "\n  ".join(["network large {", *lines, f"output label = {chain[-1]}"]) + "\n}\n"


def write_nir(path: Path, weights: dict[str, NDArray[np.float32]], size: int, compression: str | None) -> None:
    """The network in the layout that the package `nir` writes; its own choice of compression is gzip."""
    h5py: Any = import_module("h5py")
    parameters = {"tau": 4e-3, "r": 4.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    names = ["input"]
    with h5py.File(path, "w") as file:
        file["version"] = version("nir")
        file["node/type"] = "NIRGraph"
        nodes = file.create_group("node/nodes")
        for layer in range(LAYERS):
            names += [f"fc{layer}", f"lif{layer}"]
            nodes[f"fc{layer}/type"], nodes[f"lif{layer}/type"] = "Linear", "LIF"
            matrix = weights[f"fc{layer}.weight"]
            nodes[f"fc{layer}"].create_dataset("weight", data=matrix, compression=compression)
            for name, value in parameters.items():
                nodes[f"lif{layer}/{name}"] = np.full(size, value, np.float32)
        for name, kind in (("input", "Input"), ("output", "Output")):
            nodes[f"{name}/type"], nodes[f"{name}/shape"] = kind, np.array([size])
        edges = list(zip(names, [*names[1:], "output"], strict=True))
        file["node"].create_dataset("edges", data=edges, dtype=h5py.string_dtype())


def run(reader: str, path: Path) -> dict[str, float]:
    """`measure` in a fresh process."""
    command = [sys.executable, __file__, "--reader", reader, "--file", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{reader} could not read {path.name}:\n{done.stderr}")
    return json.loads(done.stdout)


def table(directory: Path, runs: int) -> None:
    """Measure and print every row; the readers take turns."""
    results: list[list[dict[str, float]]] = [[] for _ in ROWS]
    for _ in range(runs):
        for row, (_, reader, name) in zip(results, ROWS, strict=True):
            row.append(run(reader, directory / name))
    checksums = {result["checksum"] for row in results for result in row}
    columns = ("before", "peak", "cost", "helper", "s", "used", "s")
    print(f"{'':18}{'file':16}{'MB':>6}" + "".join(f"{name:>9}" for name in columns))
    for row, (who, _, name) in zip(results, ROWS, strict=True):
        middle = {key: statistics.median(result[key] for result in row) for key in row[0]}
        sizes = [middle["before"], middle["peak"], middle["peak"] - middle["before"], middle["helper"]]
        cells = [*(f"{cell:9.0f}" for cell in sizes), f"{middle['seconds']:9.2f}", f"{middle['used']:9.0f}"]
        stored = (directory / name.replace(".snn", ".safetensors")).stat().st_size / 2**20
        print(f"{who:18}{name:16}{stored:6.0f}" + "".join(cells) + f"{middle['use']:9.2f}")
    print(f"MB resident, median of {runs}; wanted: cost below {TARGET_MB} before the weights are used")
    if len(checksums) > 1:
        sys.exit("the readers do not agree on the weights")


def main() -> None:
    """Print the table, or be one of its processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=400, help="of weights (default: 400)")
    parser.add_argument("--runs", type=int, default=3, help="processes per row (default: 3)")
    parser.add_argument("--reader", choices=READERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not RESET_PEAK.exists():
        sys.exit("benchmarks/import_memory.py needs Linux: resident memory is read from /proc/self")
    if arguments.reader:
        print(json.dumps(measure(arguments.reader, arguments.file)))
        return
    size = max(1, int((arguments.megabytes * 2**20 / 4 / LAYERS) ** 0.5))
    with TemporaryDirectory() as directory:
        write_files(Path(directory), size)
        table(Path(directory), arguments.runs)


if __name__ == "__main__":
    main()
