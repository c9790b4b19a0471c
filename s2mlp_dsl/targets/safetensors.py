"""The weights of a model."""

import json
import struct

from s2mlp_dsl.targets import Request, Target


class Safetensors(Target):
    """A safetensors file: the same bytes for the same weights."""

    api = 1
    suffix = ".safetensors"
    doc = "the weights, with the hashes of the spec in the metadata"
    binary = True

    def emit(self, request: Request) -> bytes:
        from safetensors.torch import save

        tensors = {
            name: tensor.detach().cpu().contiguous()
            for name, tensor in request.build().state_dict().items()
        }
        metadata = {"format": "pt", **request.program.metadata}
        return _sorted_header(save(tensors, metadata=metadata))


def _sorted_header(data: bytes) -> bytes:
    """The same file with its header in order, which the library leaves to chance."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of eight bytes
    return struct.pack("<Q", len(text)) + text + data[8 + length :]
