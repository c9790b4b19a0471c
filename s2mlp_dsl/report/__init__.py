"""A page that explains models: `page.py` lists its sections.

The page is one file and loads nothing. Text of a spec or a run is escaped or becomes
JSON, and the page's own policy forbids every script but page.js.
"""
