"""Rules of module 2, operating systems: virtual memory, processes, scheduling, containers, files, system calls."""
