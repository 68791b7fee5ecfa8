"""The Python front end: names, scopes, flow and loops of one file; nothing here knows that other files exist."""
