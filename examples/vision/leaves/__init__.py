"""Leaf disease classifier: data, model, training engine and inference."""
