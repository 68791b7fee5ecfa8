"""What a user decides: read from settings files and the command line, checked, and merged with where it came from."""
