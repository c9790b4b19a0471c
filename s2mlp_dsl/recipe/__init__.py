"""Training recipes: their settings, and what these can call."""

from s2mlp_dsl.recipe.recipe import Precision, Recipe

__all__ = ["Precision", "Recipe"]
