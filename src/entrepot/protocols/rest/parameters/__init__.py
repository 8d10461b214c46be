"""Input fields where only text can stand: each style's reader and writer, side by side."""
