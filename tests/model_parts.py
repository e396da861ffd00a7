"""Model files taken apart, and put together again under a checksum that fits."""

import json

import safetensors.numpy
from safetensors import safe_open

from neuralgauge.interchange.model_content import checksum


def parts_of(path):
    """The header without its checksum, and the tensors."""
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["neuralgauge"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del header["checksum"]
    return header, tensors


def content_of(header, tensors):
    """The file of these."""
    text = json.dumps({**header, "checksum": checksum(header, tensors)}, sort_keys=True)
    return safetensors.numpy.save(tensors, metadata={"neuralgauge": text})
