"""Twins for the course module "memory": allocation, garbage, retention and copies between host and device."""
