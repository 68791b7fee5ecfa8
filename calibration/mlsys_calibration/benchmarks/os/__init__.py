"""Twins for the course module "os": processes, threads and the event loop."""
