"""The weights of a model, with the hashes of its spec in the metadata."""

import json
import struct

from safetensors.torch import save
from torch import nn

from s2mlp_dsl.targets.identity import Identity


def weights_bytes(module: nn.Module, identity: Identity) -> bytes:
    """A safetensors file: the same bytes for the same weights."""
    tensors = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in module.state_dict().items()
    }
    return _in_order(save(tensors, metadata={"format": "pt", **identity.metadata()}))


def _in_order(data: bytes) -> bytes:
    """The same file with its header sorted: the library leaves that to chance."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of eight bytes
    return struct.pack("<Q", len(text)) + text + data[8 + length :]
