"""One page that explains a model: `page.py` puts it together.

The page is one file that asks the network for nothing. Whatever comes from a
spec or a run passes through `html.escape` or JSON, and the page's own policy
lets no script run but the one in page.js.
"""
