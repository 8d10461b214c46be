"""Addresses: path templates, and the tree that finds what answers at a path."""
