"""One module per command, called like it, with the click command `command`."""
