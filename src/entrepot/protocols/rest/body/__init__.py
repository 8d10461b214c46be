"""Bodies, a file for each form: its reader and its writer, side by side."""
