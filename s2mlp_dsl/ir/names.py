"""Names of modules, and so of parameters, in everything that is compiled.

The rule: a statement is called by its label, else by its block or operator
(`linear`, `s2mlp_block`, `stack`). Where one body would use such a name more
than once, each use gets a number from 1 in order of appearance: `linear1`,
`linear2`. A block that is used with different arguments or shapes has several
definitions, `s2mlp_block`, `s2mlp_block_2`, and these are the names that count,
so that a program printed without parameters keeps the names of its weights.
Residuals, branches and regions add no level; a call adds the block's names behind a
dot, a stack the number of the iteration. A name that Python or `torch.nn.Module`
needs for itself gets a trailing underscore.
"""

import keyword
from collections import Counter
from collections.abc import Sequence

from s2mlp_dsl.ir.program import Body, Composite, Statement
from s2mlp_dsl.ir.walk import rebuilt, within

# Public attributes of torch.nn.Module and, for traced modules, of
# torch.fx.GraphModule (a test compares them with PyTorch).
_RESERVED = """
    T_destination add_module add_submodule apply bfloat16 buffers call_super_init
    children code compile cpu cuda delete_all_unused_submodules delete_submodule
    double dump_patches eval extra_repr float forward get_buffer get_extra_state
    get_parameter get_submodule graph half ipu load_state_dict meta modules mtia
    named_buffers named_children named_modules named_parameters parameters
    print_readable recompile register_backward_hook register_buffer
    register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule shape_env share_memory state_dict to to_empty
    to_folder train training type xpu zero_grad
"""
RESERVED = frozenset(_RESERVED.split())


def name_statements(body: Body) -> Body:
    """The same body with a distinct name for each statement that is a module."""
    wanted = [
        (statement.label or statement.default_name, statement.label is not None)
        for statement in within(body)
        if not isinstance(statement, Composite)
    ]
    names = iter(assign_names(wanted))

    def with_name(statement: Statement) -> Statement:
        if isinstance(statement, Composite):
            return statement
        return statement.model_copy(update={"name": next(names)})

    return rebuilt(body, with_name)


def assign_names(wanted: Sequence[tuple[str, bool]]) -> list[str]:
    """A distinct name for each (name, is a label) of one body, in order.

    Labels choose first, then names that occur once, then the numbered ones.
    """
    uses = Counter(name for name, is_label in wanted if not is_label)
    names: dict[int, str] = {}
    taken: set[str] = set()
    for place, (name, is_label) in enumerate(wanted):
        if is_label:
            candidate = _allowed(name)
            while candidate in taken:
                candidate += "_"
            names[place] = candidate
            taken.add(candidate)
    for place, (name, is_label) in enumerate(wanted):
        if not is_label and uses[name] == 1 and _allowed(name) not in taken:
            names[place] = _allowed(name)
            taken.add(names[place])
    numbers: Counter[str] = Counter()
    for place, (name, _) in enumerate(wanted):
        while place not in names:
            numbers[name] += 1
            candidate = _allowed(f"{name}{numbers[name]}")
            if candidate not in taken:
                names[place] = candidate
                taken.add(candidate)
    return [names[place] for place in range(len(wanted))]


def _allowed(name: str) -> str:
    # A leading underscore is how torch names its own state.
    plain = name.lstrip("_")
    plain = plain if plain.isidentifier() else f"name{plain}"
    taken = plain in RESERVED or keyword.iskeyword(plain)
    return f"{plain}_" if taken else plain
