"""Rules of module 4, memory management: the collector, allocators, leaks, copies, and the arithmetic of GPU memory."""
