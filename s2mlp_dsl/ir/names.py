"""Names of modules, and so of parameters, in everything that is compiled.

The rule: a statement is called by its label, else by its block or operator
(`linear`, `s2mlp_block`, `stack`). Where one body would use such a name more
than once, each use gets a number from 1 in order of appearance: `linear1`,
`linear2`. Residuals add no level; a call adds the block's names behind a dot,
a stack the number of the iteration. A name that Python or `torch.nn.Module`
needs for itself gets a trailing underscore.
"""

import keyword
from collections import Counter
from collections.abc import Sequence

# Public attributes of torch.nn.Module (held against PyTorch by a test) and
# names that would shadow what the emitted source uses.
RESERVED = frozenset(
    [
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
    ]
)


def assign_names(wanted: Sequence[tuple[str, bool]]) -> list[str]:
    """A distinct name for each (name, is a label) of one body, in order."""
    labels = {_allowed(name) for name, is_label in wanted if is_label}
    uses = Counter(name for name, is_label in wanted if not is_label)
    numbers: Counter[str] = Counter()
    names = []
    for name, is_label in wanted:
        if is_label:
            names.append(_allowed(name))
            continue
        candidate = _allowed(name)
        if uses[name] > 1 or candidate in labels:
            while True:
                numbers[name] += 1
                candidate = f"{name}{numbers[name]}"
                if candidate not in labels and uses[candidate] == 0:
                    break
        names.append(candidate)
    return names


def _allowed(name: str) -> str:
    taken = name in RESERVED or keyword.iskeyword(name)
    # A leading underscore is how torch names its own state.
    plain = name.lstrip("_") or "name"
    return f"{plain}_" if taken else plain
