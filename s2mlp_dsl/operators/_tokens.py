"""What `class_token` and `take` share."""

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.shape import Tokens
from s2mlp_dsl.operators import Refusal
from s2mlp_dsl.operators._single_source import SingleSource


class OnTokens(SingleSource):
    example_input = Tokens(count=6, channels=4)

    @property
    def tokens(self) -> Tokens:
        """The input. Raises `Refusal` if it is not a row of tokens."""
        if isinstance(self.x, Tokens):
            return self.x
        raise Refusal(shapes.TOKENS_NEEDED, kind=self.x.kind, shape=self.x)
