"""How fast a model is here, and what memory it takes."""
