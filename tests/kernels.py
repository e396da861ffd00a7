"""Run the numerical tests under every BLAS kernel that the processor can run, or under one other than its own.

    python tests/kernels.py [--other] [pytest's arguments]

OpenBLAS has kernels for generations of processors and takes the newest; sums differ in the last bit from one to the
next. What hangs on that bit is a defect, and shows on another machine only unless it is looked for. With `--other` one
kernel is run, the next older one. Tests of commands, files and pictures are left out, as they are of scikit-learn's
contract: they are the same under every kernel. Without OpenBLAS, or on another architecture, there is nothing to run.
"""

import os
import platform
import subprocess
import sys

# What a kernel takes, newest first. OpenBLAS does not check, so that one too many ends in an illegal instruction.
KERNELS = {
    "x86_64": {
        "SkylakeX": {"AVX512F", "AVX512CD", "AVX512BW", "AVX512DQ", "AVX512VL"},
        "Haswell": {"AVX2", "FMA3"},
        "Zen": {"AVX2", "FMA3"},
        "Sandybridge": {"AVX"},
        "Nehalem": {"SSE42"},
        "Prescott": {"SSE3"},
    },
    "aarch64": {"NEOVERSEN1": {"ASIMDHP"}, "ARMV8": {"ASIMD"}},
}
NOT_NUMERICAL = (
    "tests/cli",
    "tests/reproduction",
    "tests/interchange",
    "tests/plots",
    "tests/estimators/test_scikit_learn_contract.py",
    "tests/test_imports.py",
    "tests/test_threads.py",
)
# OpenBLAS is linked into NumPy and SciPy each; both read the variable.
LOADED = (
    "import numpy, scipy.linalg, threadpoolctl\n"
    "print(*{library.get('architecture') for library in threadpoolctl.threadpool_info()} - {None})"
)


def features():
    """Names of the instruction sets that NumPy finds in this processor."""
    from numpy._core._multiarray_umath import __cpu_features__

    return {name for name, found in __cpu_features__.items() if found}


def environment(kernel):
    return os.environ if kernel is None else {**os.environ, "OPENBLAS_CORETYPE": kernel}


def loaded(kernel=None):
    """What OpenBLAS calls the kernel that it takes when asked for this one; empty without OpenBLAS."""
    found = subprocess.run(
        [sys.executable, "-c", LOADED], env=environment(kernel), capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


def others():
    """Kernels besides the processor's own that it can run, newest first, each by one of its names."""
    seen, found, available = {loaded()}, [], features()
    for kernel, needed in KERNELS.get(platform.machine().replace("AMD64", "x86_64"), {}).items():
        if needed <= available and (name := loaded(kernel)) not in seen:
            seen.add(name)
            found.append(kernel)
    return found


def main(arguments):
    own, kernels = loaded(), others()
    if "--other" in arguments:
        arguments.remove("--other")
        kernels = kernels[:1]
    else:
        kernels = [None, *kernels]
    if not kernels:
        print("== no other kernel that this processor can run")
    failed = []
    for kernel in kernels:
        print(f"== kernel {kernel or own or 'of another library than OpenBLAS'}", flush=True)
        command = [sys.executable, "-m", "pytest", *(f"--ignore={path}" for path in NOT_NUMERICAL), *arguments]
        if subprocess.run(command, env=environment(kernel)).returncode:
            failed.append(kernel or own)
    if failed:
        sys.exit(f"tests fail under the kernels {', '.join(failed)}")


if __name__ == "__main__":
    main(sys.argv[1:])
