"""Rules of module 6, algorithms for ML: complexity, randomness, and the order in which data are seen."""
