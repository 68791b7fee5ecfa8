"""Twins for the course module "systems": checkpoints, files and formats."""
