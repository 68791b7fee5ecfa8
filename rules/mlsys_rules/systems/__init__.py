"""Rules of module 7, systems programming: extensions, concurrency, builds, serialisation, and observing all of it."""
