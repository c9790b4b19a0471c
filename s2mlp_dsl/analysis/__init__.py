"""What can be proved of a program without building it."""
