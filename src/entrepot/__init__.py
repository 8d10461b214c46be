"""Entrepôt: any API in, any API out."""
