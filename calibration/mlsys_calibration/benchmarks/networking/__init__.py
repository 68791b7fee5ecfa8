"""Twins for the course module "networking": connections and what setting them up costs."""
