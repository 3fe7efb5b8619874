"""Gradescope: the archive that is uploaded there, and what runs of it in Gradescope's container."""
