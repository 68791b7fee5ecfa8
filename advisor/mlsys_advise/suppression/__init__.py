"""Comments that say where a rule should keep silent: read with each file, applied to findings that were judged."""
