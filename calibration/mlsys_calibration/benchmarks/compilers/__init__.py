"""Twins for the course module "compilers": what compilers make of code, and when they are bypassed."""
