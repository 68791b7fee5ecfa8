"""Rules of module 3, compilers and runtimes: torch.compile and XLA, numba, LLVM and Triton, the CPython interpreter."""
