"""Twins for the course module "architecture": caches, vector units, processors and the link to the device."""
