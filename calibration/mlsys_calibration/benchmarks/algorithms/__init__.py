"""Twins for the course module "algorithms": sampling, seeding and the work that algorithms repeat."""
