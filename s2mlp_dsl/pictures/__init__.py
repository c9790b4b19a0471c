"""Pictures of models: `views/` has one file per kind, `view.py` draws one by name."""
