"""Rules of module 1, computer architecture: pipelines, caches, vector units, cores, accelerators, measuring them."""
