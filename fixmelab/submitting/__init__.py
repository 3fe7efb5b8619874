"""Handing a notebook in to a server that judges it while you work."""
