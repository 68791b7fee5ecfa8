"""The engine: it reads code and never runs it, and it knows rules only through the entry points they register.

Nothing here imports ``mlsys_rules``, numpy or torch.
"""

__version__ = "0.1.0"
