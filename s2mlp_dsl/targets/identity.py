"""What every artifact says about itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """Which model an artifact is, by the names and hashes of its spec."""

    spec: str
    model: str
    version: str
    function_hash: str
    weight_hash: str

    def metadata(self) -> dict[str, str]:
        """Flat, for formats that keep a table of strings."""
        return {
            "s2mlp_dsl.version": self.version,
            "s2mlp_dsl.spec": self.spec,
            "s2mlp_dsl.model": self.model,
            "s2mlp_dsl.function_hash": self.function_hash,
            "s2mlp_dsl.weight_hash": self.weight_hash,
        }
