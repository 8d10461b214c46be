"""One rule to a file: a code, a docstring that says what must hold, and a function that looks."""
